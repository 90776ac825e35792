"""One spelling for each name, telephone number, e-mail address, day of birth and postcode, so that they can be compared.

What is known about names (titles, nicknames, legal forms, how Chinese characters are read) stands in `name_words.toml`
and `pinyin.csv` beside this file. Every distinct text is worked on once.
"""

import csv
import datetime
import re
import tomllib
import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crmkit.errors import InputError, near_misses, one_of
from crmkit.tables.columns import MISSING
from crmkit.tables.frames import needs

#: The type of texts in pandas 3, named so that pandas 2 has it too (there "str" would write "None" for nothing).
TEXT = pd.StringDtype(na_value=np.nan)
KINDS = ("person", "firm")
FIELDS = ("name", "phone", "email", "birth_date", "postcode")
_NOTHING = frozenset({*MISSING, "-", "--", "?", "x", "unknown", "unbekannt", "keine", "none", "nil", "不详", "无"})
_LETTERS = str.maketrans({"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ħ": "h"})
_ORDERS = {"ymd": (0, 1, 2), "dmy": (2, 1, 0), "mdy": (2, 0, 1)}


def normalise(
    records: pd.DataFrame,
    *,
    record_id: str = "record_id",
    name: str | None = "name",
    phone: str | None = "phone",
    email: str | None = "email",
    birth_date: str | None = "birth_date",
    postcode: str | None = "postcode",
    kind: str = "person",
    calling_code: str = "49",
    date_order: str | None = None,
) -> pd.DataFrame:
    """Are two records written differently, or are they different?

    - name: small letters without accents, titles and punctuation; Chinese characters become pinyin, nicknames the full
      name; the words are sorted, so a first and a family name that changed places are equal. Of a firm's name the legal
      form goes (Ltd, GmbH & Co. KG, 有限公司), and the words stay in order;
    - phone: `+491701234567`. A number without a country gets `calling_code`; one that cannot be a number is missing;
    - email: small letters, without what follows a `+`; dots go only where the host ignores them;
    - birth_date: a day. 1 January 1900, which forms offer, is missing;
    - postcode: capitals and digits. Of a column of numbers the lost leading zeros come back.

    Parameters
    ----------
    records : one row a record.
    record_id : its key: a column, or the name of the index.
    name, phone, email, birth_date, postcode : the columns; None says that the table has none. A firm has no birth_date
        unless another column than "birth_date" is named.
    kind : "person" or "firm".
    calling_code : of the country whose people leave it out.
    date_order : "ymd", "dmy" or "mdy" if birth_date is text and the texts themselves do not say.

    Returns
    -------
    DataFrame indexed by record_id, in the order of `records`: name, phone, email, birth_date (datetime64), postcode;
    what is missing or unreadable is NA. Doing it twice changes nothing. attrs `changed`: for each column how many
    values were `read`, `changed`, and `unreadable` (there, but nothing was left of them).

    Raises
    ------
    ColumnError for a column that is not there; InputError for missing or repeated record ids, for dates that can be read
    in two orders, or for an unknown `kind`.

    >>> cards = pd.DataFrame({"record_id": ["a", "b"], "name": ["Frau Kathi Müller-Groß", "MULLERGROSS, Katharina"],
    ...                       "phone": ["0170 / 123 45 67", 491701234567.0]})
    >>> normalise(cards, email=None, birth_date=None, postcode=None)[["name", "phone"]]
                               name          phone
    record_id
    a          katharina mullergross  +491701234567
    b          katharina mullergross  +491701234567
    """
    one_of("kind", kind, KINDS)
    if not re.fullmatch(r"[1-9]\d{0,3}", str(calling_code)):
        raise InputError(f'calling_code={calling_code!r} is no calling code; write its digits, such as "49" or "86".')
    if date_order is not None and date_order not in _ORDERS:
        raise InputError(f"date_order={date_order!r} is not known; use {', '.join(map(repr, _ORDERS))}.")
    if getattr(getattr(records, "index", None), "name", None) == record_id and record_id not in records:
        records = records.reset_index()
    if kind == "firm" and birth_date == "birth_date" and birth_date not in records:
        birth_date = None
    roles = dict(zip(FIELDS, (name, phone, email, birth_date, postcode), strict=True))
    named = {field: column for field, column in roles.items() if column is not None}
    needs(records, [record_id], "records")
    for field, column in named.items():
        if column not in records:
            _not_there(records, field, column)
    check_ids(records[record_id], record_id)

    forms: dict[str, Callable[[str], str | None]] = {
        "name": person_name if kind == "person" else firm_name,
        "phone": lambda text: phone_number(text, str(calling_code)),
        "email": email_address,
    }
    found, told = {}, {}
    for field in FIELDS:
        if field not in named:
            found[field] = pd.Series(pd.NaT if field == "birth_date" else None, index=records.index)
            found[field] = found[field].astype("datetime64[us]" if field == "birth_date" else TEXT)
            continue
        raw = records[named[field]]
        texts = texts_of(raw)
        if field == "birth_date":
            found[field] = birth_dates(raw, texts, date_order)
        elif field == "postcode":
            found[field] = _postcodes(raw, texts)
        else:
            codes, distinct = pd.factorize(texts)
            made = [forms[field](text) for text in distinct]  # "(unknown)" is a placeholder once its brackets are gone
            forms_of = np.array([None if text in _NOTHING else text for text in made] + [None], dtype=object)
            found[field] = pd.Series(forms_of[codes], index=raw.index, dtype=TEXT)
        after = found[field].dt.strftime("%Y-%m-%d") if field == "birth_date" else found[field]
        there = texts.notna()
        told[field] = {
            "read": int(there.sum()),
            "changed": int((there & after.notna() & (texts != after)).sum()),
            "unreadable": int((there & after.isna()).sum()),
        }
    frame = pd.DataFrame(found).set_axis(pd.Index(records[record_id], name="record_id"))
    frame.attrs = {"changed": told, "kind": kind}
    return frame


def _not_there(records: pd.DataFrame, field: str, column: str) -> None:
    from crmkit.errors import ColumnError

    raise ColumnError(
        f"records has no column {column!r} for {field}; it has {', '.join(map(str, records.columns))}."
        + near_misses(column, records.columns)
        + f" Name the right one with {field}=, or say {field}=None if the table has none."
    )


def check_ids(ids: "pd.Series[Any]", name: str) -> None:
    """Raise InputError unless every id is there and there once."""
    if ids.isna().any():
        raise InputError(
            f"{name}: {int(ids.isna().sum()):,} of {len(ids):,} rows have none; every record needs its own."
        )
    if ids.duplicated().any():
        counts = ids[ids.duplicated(keep=False)].value_counts(sort=True)
        shown = ", ".join(f"{value!r} ({count} rows)" for value, count in counts.head(3).items())
        raise InputError(
            f"{name}: {len(counts):,} ids stand in more than one row, such as {shown}; give each record its own id, or "
            "drop the repeated rows first."
        )


def texts_of(values: "pd.Series[Any]") -> "pd.Series[str]":
    """Values as bare texts: whole numbers without ".0", days as year-month-day, nothing where there is nothing."""
    if values.dtype.kind == "M":
        return values.dt.strftime("%Y-%m-%d").astype(TEXT)
    texts = pd.Series([_text(value) for value in values.to_numpy(dtype=object)], index=values.index, dtype=object)
    return texts.astype(TEXT)


def _text(value: Any) -> str | None:
    if isinstance(value, datetime.date):  # a timestamp is one too; a missing one (NaT) is not equal to itself
        return value.strftime("%Y-%m-%d") if value == value else None
    if isinstance(value, float | np.floating):
        return None if value != value else f"{value:.0f}" if float(value).is_integer() else str(value)
    if value is None or value is pd.NA:
        return None
    text = unicodedata.normalize("NFKC", str(value)).strip()
    text = text[:-2] if re.fullmatch(r"[0-9]+\.0", text) else text
    return None if text in _NOTHING or text.casefold() in _NOTHING else text


# --- names --------------------------------------------------------------------------------------------------------


@cache
def _words() -> dict[str, Any]:
    told = tomllib.loads(Path(__file__).with_name("name_words.toml").read_text(encoding="utf-8"))
    with Path(__file__).with_name("pinyin.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    told["read"] = {character: row["syllable"] for row in rows for character in row["characters"]}
    told["syllables"] = frozenset({row["syllable"] for row in rows} | {"lv", "nv", "lyu", "nyu"})
    told["full"] = {short: full for full, shorts in told["nicknames"].items() for short in shorts}
    told["families"] = {family: rank for rank, family in enumerate(told["families"])}
    for kind in ("titles", "legal_forms", "public_hosts", "long_families", "long_families_in_pinyin"):
        told[kind] = frozenset(told[kind])
    return told


def _folded(text: str) -> str:
    """Small letters without accents, in one script: other alphabets than Latin stay as they are."""
    text = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return unicodedata.normalize("NFC", "".join(sign for sign in text if not unicodedata.combining(sign)))


def person_name(text: str) -> str | None:
    """A person's name in its normal form.

    >>> person_name("Dr. O'Connor, Bob"), person_name("王晓明"), person_name("Xiao Ming WANG")
    ('oconnor robert', 'wang xiaoming', 'wang xiaoming')
    """
    words = _words()
    text = re.sub(r"\([^)]*\)", " ", text)
    for title in words["titles_in_characters"]:
        text = text.replace(title, " ")
    text = re.sub(r"(?<=[一-鿿])\s+(?=[一-鿿])", "", text)
    text = re.sub(r"[一-鿿]+", lambda run: f" {_read_person(run[0])} ", text)
    parts = re.sub(r"[^\w\s]|_", " ", re.sub(r"['’`´ʹʼ-]", "", _folded(text))).split()
    kept = [part for part in parts if part not in words["titles"]] or parts
    kept = [words["full"].get(part, part) for part in kept]
    if len(kept) > 2 and all(part in words["syllables"] for part in kept):
        kept = _family_and_given(kept)
    kept = [{"lv": "lu", "lyu": "lu"}.get(part, part) for part in kept]
    return " ".join(sorted(kept)) or None


def _read_person(characters: str) -> str:
    """Pinyin of a name in characters: the family, then the given name in one word."""
    words = _words()
    length = 2 if characters[:2] in words["long_families"] and len(characters) > 2 else 1
    family, given = characters[:length], characters[length:]
    return f"{words['families_read'].get(family) or _read(family)} {_read(given)}"


def _read(characters: str) -> str:
    """Pinyin of characters in one word; one that is not in the table keeps its number, so that it stays itself."""
    return "".join(_words()["read"].get(sign, f"u{ord(sign):x}") for sign in characters)


def _family_and_given(syllables: list[str]) -> list[str]:
    """Three or more syllables are a family and a given name: of the first and the last the more common family, or the first."""
    words = _words()
    if " ".join(syllables[:2]) in words["long_families_in_pinyin"]:
        return ["".join(syllables[:2]), "".join(syllables[2:])]
    first, last = (words["families"].get(syllables[end], 99) for end in (0, -1))
    return [syllables[0], "".join(syllables[1:])] if first <= last else [syllables[-1], "".join(syllables[:-1])]


def firm_name(text: str) -> str | None:
    """A firm's name in its normal form: without its legal form, unless nothing else is there.

    >>> firm_name("Müller & Söhne G.m.b.H. & Co. KG"), firm_name("Muller und Sohne")
    ('muller sohne', 'muller sohne')
    >>> firm_name("上海星辉贸易有限公司")
    'shanghaixinghuimaoyi'
    """
    words = _words()
    bare = text
    for form in words["legal_forms_in_characters"]:
        bare = bare.replace(form, " ")
    bare = bare if bare.strip() else text
    bare = re.sub(r"[一-鿿]+", lambda run: _read(run[0]), bare)
    bare = re.sub(r"\.(?=\w\w)", " ", _folded(bare)).replace(".", "")
    parts = re.sub(r"[^\w\s]|_", " ", re.sub(r"['’`´ʹʼ]", "", bare)).split()
    return " ".join([part for part in parts if part not in words["legal_forms"]] or parts) or None


def public_hosts() -> frozenset[str]:
    """The e-mail hosts at which anybody can have an address."""
    return _words()["public_hosts"]


# --- numbers, addresses, days -------------------------------------------------------------------------------------


def phone_number(text: str, calling_code: str = "49") -> str | None:
    """A telephone number with its country, or None for what can be none.

    >>> phone_number("0049 (0)170 1234567"), phone_number("(0170) 123-4567 ext. 12"), phone_number("12345")
    ('+491701234567', '+491701234567', None)
    """
    text = re.split(r"(?i)(?<=\d)\s*(?:ext|x|durchwahl|app|;|,|or\b|oder\b)", text)[0]
    if re.search(r"\d[eE][+]?\d", text):  # 4.91512E+11: a spreadsheet kept six digits of it
        return None
    international = text.lstrip(" (").startswith(("+", "00"))
    digits = re.sub(r"[^0-9]", "", re.sub(r"\(0\)", "", text))
    digits = digits.removeprefix("00") if international else digits
    if not international:
        if digits.startswith("0"):
            digits = calling_code + digits[1:]
        elif not (digits.startswith(calling_code) and len(digits) >= len(calling_code) + 9):
            digits = calling_code + digits
    number = digits[len(calling_code) :] if digits.startswith(calling_code) else digits
    likely = 8 <= len(digits) <= 15 and len(number) >= 6 and len(set(number)) > 1 and not digits.startswith("0")
    return f"+{digits}" if likely and number not in ("123456", "1234567", "12345678", "123456789") else None


def email_address(text: str) -> str | None:
    """An e-mail address in its normal form, or None for what can be none.

    >>> email_address(" Anna.Keller+mall@GoogleMail.com "), email_address("anna at home")
    ('annakeller@gmail.com', None)
    """
    match = re.fullmatch(
        r"(?:mailto:)?([^@\s+<>]+)(?:\+[^@\s]*)?@([^@\s<>]+\.[^@\s<>.]{2,})", text.strip(" <>;,").casefold()
    )
    if match is None:
        return None
    local, host = match[1], match[2]
    host = _words()["same_hosts"].get(host, host)
    local = local.replace(".", "") if host in _words()["hosts_without_dots"] else local
    return f"{local}@{host}" if local else None


def birth_dates(raw: "pd.Series[Any]", texts: "pd.Series[str]", date_order: str | None) -> "pd.Series[Any]":
    """Days from days or texts. All rows together say whether the day or the month comes first, or the person is asked."""
    if raw.dtype.kind == "M":
        days = pd.Series(raw.to_numpy().astype("datetime64[D]").astype("datetime64[us]"), index=raw.index)
        return days.mask(days == pd.Timestamp("1900-01-01"))
    parts = texts.str.extract(r"^\s*(\d{1,4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,4})\s*日?(?:[T ]\d.*)?$")
    solid = texts.str.extract(r"^(\d{4})(\d{2})(\d{2})$")
    parts = parts.where(parts[0].notna(), solid)
    year_first, year_last = parts[0].str.len() == 4, parts[2].str.len() == 4
    dotted = texts.str.contains(r"^\s*\d{1,2}\.", na=False)
    numbers = parts.astype("float64")
    open_ones = year_last & ~year_first & ~dotted
    order = date_order
    if open_ones.any() and order is None:
        first, second = numbers.loc[open_ones, 0].max(), numbers.loc[open_ones, 1].max()
        if (first > 12) == (second > 12):
            example, count = texts[open_ones].iloc[0], int(open_ones.sum())
            raise InputError(
                f"birth_date: {count:,} dates such as {example!r} "
                + ("can be read as day/month or month/day" if first <= 12 else "contradict each other")
                + '; say which is meant with date_order="dmy" or date_order="mdy".'
            )
        order = "dmy" if first > 12 else "mdy"
    days = pd.Series(pd.NaT, index=raw.index, dtype="datetime64[us]")
    for rows, how in ((year_first, "ymd"), (year_last & dotted, "dmy"), (open_ones, order or "dmy")):
        places = [numbers.loc[rows, place] for place in _ORDERS[how]]
        day = pd.to_datetime(pd.DataFrame(dict(zip(("year", "month", "day"), places, strict=True))), errors="coerce")
        days[rows] = day.astype("datetime64[us]")
    return days.mask(days == pd.Timestamp("1900-01-01"))


def _postcodes(raw: "pd.Series[Any]", texts: "pd.Series[str]") -> "pd.Series[str]":
    bare = texts.str.upper().str.replace(r"[^0-9A-Z]", "", regex=True).replace("", None)
    if raw.dtype.kind in "iuf" and bare.notna().any():  # numbers lose their leading zeros
        bare = bare.str.zfill(int(bare.str.len().mode().max()))
    return bare.astype(TEXT)
