"""Who people are, and how the desk, the app and a partner write the same person down.

`identities` invents persons with names, telephone numbers, addresses and households. `write` gives what ends up on a
card record: another order of names, a nickname, an old number, a family's telephone, a slip of the fingers.
"""

import tomllib
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crmkit.datasets.simulation import clock, dirt, people

Generator = np.random.Generator
CHANNELS = ("desk", "app", "partner")
#: How often each of CHANNELS leaves a field empty.
EMPTY = {"phone": (0.08, 0.22, 0.15), "email": (0.45, 0.02, 0.28), "birth_date": (0.15, 0.10, 0.50)}
EMPTY |= {"sex": (0.1, 0.3, 0.2), "postcode": (0.06, 0.12, 0.04)}
#: Ways to write a name, and how often each of CHANNELS uses them.
STYLES = ("given family", "family given", "family, given", "FAMILY GIVEN", "lower case", "title", "nickname", "initial")
STYLE_SHARES = ((72, 8, 4, 3, 0, 8, 4, 1), (68, 7, 0, 2, 9, 0, 14, 0), (30, 16, 28, 20, 0, 0, 2, 4))
#: How often each of CHANNELS writes a Chinese name in characters.
IN_CHARACTERS = (0.1, 0.6, 0.0)
SEX = (("f", "F", "female", "w", "Frau"), ("m", "M", "male", "Herr", "Mr"))
POSTCODES = np.array(
    [f"04{number}" for number in (103, 105, 107, 109, 129, 155, 157, 159, 177, 179, 205, 229, 275, 317)]
)
_MOBILE = np.array(["151", "157", "160", "162", "170", "171", "172", "175", "176", "179"])
_HOSTS = np.array(["example.com", "example.org", "example.net", "mail.example.com", "post.example.org"])
_LETTERS = str.maketrans({"ı": "i", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ß": "ss"})
_TWO_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})


@cache
def _names() -> dict[str, Any]:
    """The lists of names: a row a name, those of one origin and sex together, the common ones first."""
    told = tomllib.loads(Path(__file__).with_name("names.toml").read_text(encoding="utf-8"))
    found: dict[str, Any] = {"weights": [origin["weight"] for origin in told["origin"]]}
    for kind, lists in {"family": ("family",), "given": ("women", "men")}.items():
        rows = [_spelled(name) for origin in told["origin"] for one in lists for name in origin[one]]
        found[kind] = pd.DataFrame(rows, columns=["latin", "pinyin", "characters"])
        found[f"{kind} lengths"] = np.array([len(origin[one]) for origin in told["origin"] for one in lists])
    found["given"]["short"] = found["given"]["latin"].map(told["nicknames"])
    return found


def _spelled(name: str) -> tuple[str, str, str]:
    """Latin letters, pinyin by syllables, characters; the last two are empty for all but Chinese names."""
    if not "一" <= name[0] <= "龥":
        return name, "", ""
    characters, syllables = name.split(" ", 1)
    return syllables.replace(" ", "").capitalize(), syllables, characters


def _draw(rng: Generator, kind: str, group: np.ndarray) -> np.ndarray:
    """A place in the list of names for each person, within the group of names; the first ones are common."""
    lengths = _names()[f"{kind} lengths"]
    place = (rng.uniform(0, 1, len(group)) ** 1.2 * lengths[group]).astype("int64")
    return (np.cumsum(lengths) - lengths)[group] + place


def identities(rng: Generator, first: np.ndarray, families: float) -> pd.DataFrame:
    """One person for each time in `first`, when he or she got the first card record: who they are, and were before.

    A share `families` lives in households of 2 to 4, all with the first one's family name and postcode, most with the
    same telephone: a couple, then children, some with a parent's first name, some twins. What changed once (number,
    address, name by marriage) stands in `old_…`, and the time of the change in `…_since`.
    """
    count, names = len(first), _names()
    head, member = _households(rng, count, families)
    origin = people.choose(rng, names["weights"], count)[head]
    man = rng.uniform(0, 1, count) > 0.55
    man = np.where(member == 1, ~man[head], man)
    family = _draw(rng, "family", origin)[head]
    given = _draw(rng, "given", 2 * origin + man)
    given = np.where((member >= 2) & (man == man[head]) & dirt.some(rng, count, 0.12), given[head], given)
    found = pd.DataFrame({"household": head, "member": member, "man": man, "birth_date": _births(rng, head, member)})
    for kind, places in (("family", family), ("given", given)):
        for column, values in names[kind].items():
            found[f"{kind}_{column}"] = values.to_numpy(dtype=object)[places]

    found["phone"], found["old_phone"] = _numbers(rng, origin == 2), _numbers(rng, np.zeros(count, dtype=bool))
    found["email"], found["old_email"] = _addresses(rng, found)
    for column, together in (
        ("phone", (member > 0) & dirt.some(rng, count, 0.75)),
        ("email", (member == 1) & dirt.some(rng, count, 0.2)),
    ):
        found[column] = np.where(together, found[column].to_numpy()[head], found[column])
    place = people.choose(rng, 1 / np.arange(2, len(POSTCODES) + 2), count)[head]
    further = (place + rng.integers(1, len(POSTCODES), count)[head]) % len(POSTCODES)
    found["postcode"], found["old_postcode"] = (POSTCODES[where].astype(object) for where in (place, further))
    found["old_family_latin"] = names["family"]["latin"].to_numpy(dtype=object)[_draw(rng, "family", origin)]

    married = ~man & (member == 0) & (origin != 2)
    for column, who in {
        "phone": 0.07,
        "email": 0.08,
        "postcode": 0.1,
        "family_latin": np.where(married, 0.05, 0),
    }.items():
        changes, when = dirt.some(rng, count, who), first + rng.uniform(0, 1, count) * (clock.DAYS - first)
        if column == "postcode":  # a household moves together
            changes, when = changes[head], when[head]
        found[f"{column}_since"] = np.where(changes, when, -np.inf)
    return found


def _households(rng: Generator, count: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    """For each person the place of the household's first member, and which member of it the person is (0, 1, …)."""
    head, member = np.arange(count), np.zeros(count, dtype="int64")
    sizes = rng.choice([2, 3, 4], count, p=[0.5, 0.28, 0.22])
    sizes = sizes[np.cumsum(sizes) <= share * count]
    start = np.repeat(np.cumsum(sizes) - sizes, sizes)
    head[: len(start)] = start
    member[: len(start)] = np.arange(len(start)) - start
    return head, member


def _births(rng: Generator, head: np.ndarray, member: np.ndarray) -> np.ndarray:
    """Days of birth: couples of like age, children 22 to 34 years younger, one in five of the fourth members a twin."""
    count = len(head)
    parents = np.bincount(head, minlength=count)[head] > 2
    drawn = rng.beta(2.4, 2.0, count)  # no normal distribution: its ends would be cut, and many born on one day
    year = np.where(parents, 1945 + 35 * drawn, 1938 + 70 * drawn)
    spouse = year[head] + rng.normal(1, 4, count)
    year = np.where(member == 1, np.where(spouse < 2006, spouse, year[head] - 2), year)
    child = year[head] + rng.uniform(22, np.minimum(34, 2010 - year[head] * (member >= 2)))
    year = np.where(member >= 2, child, year)
    year = np.where((member == 3) & dirt.some(rng, count, 0.2), np.roll(year, 1), year)
    return np.datetime64("1970-01-01") + np.floor((year - 1970) * 365.2425).astype("timedelta64[D]")


def _numbers(rng: Generator, chinese: np.ndarray) -> np.ndarray:
    """A mobile number each, as "calling code, prefix, number"; one in eight of `chinese` has a number from home."""
    count = len(chinese)
    prefix, number = _MOBILE[rng.integers(0, len(_MOBILE), count)], rng.integers(1_000_000, 99_999_999, count)
    home = chinese & dirt.some(rng, count, 0.125)
    third = rng.integers(130, 190, count)
    return np.array(
        [f"86 {t} {n:08}" if h else f"49 {p} {n}" for h, t, p, n in zip(home, third, prefix, number, strict=True)],
        dtype=object,
    )


def _addresses(rng: Generator, persons: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """An e-mail address each and the one before it, all different, none of which can exist."""
    count = len(persons)
    given = [ascii_only(name).lower().replace("'", "") for name in _plain(persons["given_latin"])]
    family = [ascii_only(name).lower().replace("'", "") for name in _plain(persons["family_latin"])]
    year = persons["birth_date"].dt.year.to_numpy() % 100
    local = []
    for style in (rng.integers(0, 4, count), rng.integers(4, 6, count)):
        for s, g, f, y in zip(style, given, family, year, strict=True):
            local.append((f"{g}.{f}", f"{g}{f}", f"{g[0]}.{f}", f"{g}.{f}{y:02}", f"{f}{y:02}", f"{g}_{f}")[s])
    host = _HOSTS[rng.integers(0, len(_HOSTS), 2 * count)]
    repeated = pd.DataFrame({"local": local, "host": host}).groupby(["local", "host"]).cumcount()
    address = pd.Series(local) + np.where(repeated, (repeated + 1).astype(str), "") + "@" + host
    address = address.to_numpy(dtype=object)
    return address[:count], address[count:]


def _plain(texts: pd.Series) -> np.ndarray:
    """Plain Python texts: to walk through a column of Arrow's costs five times as much."""
    return texts.to_numpy(dtype=object)


def ascii_only(text: str) -> str:
    """A name in 26 letters, as on a form that knows no accents.

    >>> ascii_only("Yılmaz Søren Groß")
    'Yilmaz Soren Gross'
    """
    return unicodedata.normalize("NFKD", text.translate(_LETTERS)).encode("ascii", "ignore").decode()


def write(
    rng: Generator, persons: pd.DataFrame, who: np.ndarray, channel: np.ndarray, seen: np.ndarray, mess: float
) -> dict[str, Any]:
    """The fields of card records: record i is of person `who[i]`, in the channel `CHANNELS[channel[i]]`, and was last
    looked at at the time `seen[i]`, so it holds what was true then. `mess` scales all that goes wrong; 0 is clean.
    """
    count = len(who)
    mine = persons.iloc[who].reset_index(drop=True)
    for column in ("phone", "email", "postcode", "family_latin"):
        mine[column] = mine[column].where(seen >= mine[f"{column}_since"], mine[f"old_{column}"])
    empty = {column: dirt.some(rng, count, mess * np.array(shares)[channel]) for column, shares in EMPTY.items()}
    slips = {column: share * mess for column, share in {"name": 0.05, "phone": 0.015, "email": 0.015}.items()}
    names = dirt.misspelt(rng, _written_names(rng, mine, channel, mess), slips["name"])
    phone = _written_numbers(rng, mine["phone"], mess, dirt.some(rng, count, slips["phone"]))
    # slips before the @ only: a host with a slip in it may be somebody's
    local, _, host = (
        zip(*(text.partition("@") for text in _plain(mine["email"])), strict=True) if count else ((), (), ())
    )
    email = [f"{a}@{b}" for a, b in zip(dirt.misspelt(rng, list(local), slips["email"]), host, strict=True)]
    odd = rng.uniform(0, 1, count)
    email = [
        text
        if o > 0.24 * mess
        else (text.title() if o > 0.12 * mess else text.upper() if o > 0.06 * mess else f" {text} ")
        for o, text in zip(odd, email, strict=True)
    ]
    birth = _written_births(rng, mine["birth_date"].to_numpy(), mess)
    sex = [
        SEX[m][s]
        for m, s in zip(_plain(mine["man"]), people.choose(rng, [6, 2 * mess, mess, mess, mess], count), strict=True)
    ]
    fields = {"name": names, "phone": phone, "email": email, "birth_date": birth, "sex": sex}
    fields["postcode"] = list(_plain(mine["postcode"]))
    for column, gone in empty.items():
        if column == "birth_date":
            fields[column] = np.where(gone, np.datetime64("NaT"), birth)
        else:
            fields[column] = [None if g else text for g, text in zip(gone, fields[column], strict=True)]
    return fields


def _written_names(rng: Generator, mine: pd.DataFrame, channel: np.ndarray, mess: float) -> list[str]:
    count = len(mine)
    drawn = np.empty(count, dtype="int64")
    for place, shares in enumerate(STYLE_SHARES):
        drawn = np.where(channel == place, people.choose(rng, shares, count), drawn)
    style = np.where(dirt.some(rng, count, mess), drawn, 0)
    plain, two = (dirt.some(rng, count, mess * np.array(s)[channel]) for s in ((0.05, 0.1, 0.6), (0.08, 0.05, 0.1)))
    characters = dirt.some(rng, count, np.array(IN_CHARACTERS)[channel] * min(mess, 1))
    spaced = dirt.some(rng, count, 0.25 * mess)
    columns = [
        "given_latin",
        "family_latin",
        "given_short",
        "given_pinyin",
        "given_characters",
        "family_characters",
        "man",
    ]
    written = []
    rows = zip(style, plain, two, characters, spaced, *(_plain(mine[column]) for column in columns), strict=True)
    for how, bare, umlaut, signs, apart, given, family, short, pinyin, given_signs, family_signs, man in rows:
        if signs and given_signs:
            written.append(family_signs + given_signs)
            continue
        given = pinyin if apart and pinyin else given
        word = STYLES[how]
        if word == "nickname" and isinstance(short, str):
            given = short
        if word == "initial":
            given = given[0] + "."
        text = f"{family}, {given}" if word == "family, given" else f"{given} {family}"
        if word == "family given" or (pinyin and word == "given family" and not apart):
            text = f"{family} {given}"
        if word == "title":
            text = ("Herr " if man else "Frau ") + text
        text = text.translate(_TWO_LETTERS) if umlaut else ascii_only(text) if bare else text
        written.append(text.upper() if word == "FAMILY GIVEN" else text.lower() if word == "lower case" else text)
    return written


def _written_numbers(rng: Generator, numbers: pd.Series, mess: float, wrong: np.ndarray) -> list[str]:
    """Telephone numbers as people write them; in those that are `wrong` two neighbouring digits changed places."""
    count = len(numbers)
    how = np.where(dirt.some(rng, count, mess), people.choose(rng, [4, 3, 3, 2, 1, 1], count), 0)
    written = []
    for number, style, slip, spot in zip(_plain(numbers), how, wrong, rng.integers(1, 6, count), strict=True):
        code, prefix, rest = number.split(" ")
        if slip:
            rest = rest[:spot] + rest[spot + 1] + rest[spot] + rest[spot + 2 :]
        if code != "49" and style in (1, 2, 4):
            style = 3
        written.append(
            (
                f"+{code}{prefix}{rest}",
                f"0{prefix} {rest}",
                f"0{prefix}/{rest[:3]} {rest[3:]}",
                f"00{code} {prefix} {rest}",
                f"+{code} (0){prefix} {rest[:4]}-{rest[4:]}",
                f"{code} {prefix} {rest}",
            )[style]
        )
    return written


def _written_births(rng: Generator, birth: np.ndarray, mess: float) -> np.ndarray:
    """Days of birth with day and month exchanged, another year's last digit, or the form's 1 January 1900."""
    kind = people.choose(rng, [100 - 5 * min(mess, 20), 1.5 * mess, 2 * mess, 1.5 * mess], len(birth))
    day = pd.DatetimeIndex(birth)
    parts = pd.DataFrame({"year": day.year, "month": day.month, "day": day.day})
    swap = (kind == 1) & (parts["day"] <= 12)
    parts.loc[swap, ["month", "day"]] = parts.loc[swap, ["day", "month"]].to_numpy()
    off = np.where(rng.uniform(0, 1, len(birth)) < 0.5, -1, 1)
    parts["year"] += np.where(kind == 2, off, 0)
    parts.loc[kind == 3, ["year", "month", "day"]] = 1900, 1, 1
    parts["day"] = np.minimum(parts["day"], pd.to_datetime(parts.assign(day=1)).dt.days_in_month)
    return pd.to_datetime(parts).to_numpy().astype("datetime64[us]")
