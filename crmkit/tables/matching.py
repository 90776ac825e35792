"""Which pairs of records are worth comparing, and how much speaks for and against each: what `identity` offers as match.

The score is a sum of points a field, after Fellegi and Sunter (1969), "A theory for record linkage", JASA 64: a field
that agrees speaks for one person, one that differs against it, a missing one says nothing. Their weights are logarithms
of how often a field agrees among equal and among unequal records; ours are round numbers of that order that anybody can
read and change (`WEIGHTS`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from crmkit.errors import InputError, KindError, all_known, near_misses, one_of
from crmkit.tables import likeness
from crmkit.tables.frames import needs
from crmkit.tables.normal_forms import FIELDS, KINDS, TEXT, check_ids, public_hosts

#: What two records must share to be compared at all; "word" is the first four letters of any word of the name.
KEYS: dict[str, tuple[str, ...]] = {
    "phone": ("phone",),
    "e-mail": ("email",),
    "name": ("name",),
    "birth date + word": ("birth_date", "word"),
    "birth date + postcode": ("birth_date", "postcode"),
}


def _weights(rows: list[tuple[str, float, float, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["field", "same", "different", "from_similarity"]).set_index("field")


#: Points of a person's fields: what the same and a different value are worth; from `from_similarity` on they rise evenly.
WEIGHTS = _weights(
    [
        ("name", 6, -6, 0.6),
        ("phone", 4, -1, 0.8),
        ("email", 5, -1, 0.7),
        ("birth_date", 6, -6, 0.7),
        ("postcode", 1, -1, 0.5),
    ]
)
#: The same for firms: the name and the place count more, one host for colleagues' addresses counts a little.
FIRM_WEIGHTS = _weights(
    [
        ("name", 6, -6, 0.7),
        ("phone", 4, -1, 0.8),
        ("email", 4, -1, 0.5),
        ("birth_date", 6, -6, 0.7),
        ("postcode", 2, -2, 0.5),
    ]
)
#: Telephone, e-mail and postcode belong to a household or an office; only these belong to one.
PERSONAL = ("name", "birth_date")
_NAMES = {"name": "name", "phone": "phone", "email": "e-mail", "birth_date": "birth date", "postcode": "postcode"}


def candidates(
    normalised: pd.DataFrame, *, keys: Mapping[str, Sequence[str]] | None = None, largest: int = 200
) -> pd.DataFrame:
    """Which pairs are worth comparing? Those that share at least one key; all others are never looked at.

    A hundred thousand records are five billion pairs, and nearly all of them have nothing in common.

    Parameters
    ----------
    normalised : what `normalise` gives.
    keys : name → columns that must all be equal (and there); "word" stands for the first four letters of any word of the
        name. `KEYS` unless given.
    largest : a value that more than so many records share (a switchboard, a placeholder) is no key: it is left out.

    Returns
    -------
    DataFrame `left`, `right` (record ids, in order), `keys` (which were shared, "phone, e-mail"). attrs: `pairs_by_key`
    (dict), `all_pairs` (what comparing everything would be), `too_large` (dict: key → values left out).

    >>> from crmkit.tables.identity import normalise
    >>> people = pd.DataFrame({"record_id": [1, 2, 3], "name": ["Li Na", "Na Li", "Li Wei"], "phone": ["0170 555555"] * 3})
    >>> likely = candidates(normalise(people, email=None, birth_date=None, postcode=None))
    >>> likely
       left  right         keys
    0     1      2  phone, name
    1     1      3        phone
    2     2      3        phone
    >>> likely.attrs["all_pairs"]
    3
    """
    _is_normalised(normalised)
    if not isinstance(largest, int | np.integer) or largest < 2:
        raise InputError(f"largest={largest!r}: a value must be allowed to at least 2 records.")
    keys = KEYS if keys is None else keys
    ids = normalised.index
    order = np.argsort(
        ids.astype(str).to_numpy(dtype=object), kind="stable"
    )  # the result must not depend on the rows' order
    table = normalised.iloc[order].reset_index(drop=True)
    count, words = len(table), None
    found, by_key, too_large = [], {}, {}
    for name, columns in keys.items():
        if isinstance(columns, str):
            columns = (columns,)
        all_known(f"keys: {name!r}", columns, (*FIELDS, "word"))
        if "word" in columns and words is None:
            words = _words(table["name"])
        rows = words["row"].to_numpy() if "word" in columns else np.arange(count)
        parts = [
            words["word"] if column == "word" else table[column].iloc[rows].reset_index(drop=True) for column in columns
        ]
        pairs, left_out = _sharing(rows, parts, largest, count)
        by_key[name], too_large[name] = len(pairs), left_out
        found.append(pairs)
    pairs = np.unique(np.concatenate(found)) if found else np.array([], dtype="int64")
    shared = np.zeros(len(pairs), dtype="int64")
    for bit, of_key in enumerate(found):
        shared[np.searchsorted(pairs, of_key)] |= 1 << bit
    codes, sets = pd.factorize(shared)
    told = [", ".join(name for bit, name in enumerate(keys) if value >> bit & 1) for value in sets]
    sorted_ids = ids[order]
    frame = pd.DataFrame(
        {
            "left": sorted_ids[pairs // max(count, 1)],
            "right": sorted_ids[pairs % max(count, 1)],
            "keys": pd.Series(np.array(told, dtype=object)[codes] if told else [], dtype=TEXT),
        }
    )
    frame.attrs = {
        "pairs_by_key": by_key,
        "all_pairs": count * (count - 1) // 2,
        "too_large": {name: number for name, number in too_large.items() if number},
    }
    return frame


def _is_normalised(frame: Any) -> None:
    if not isinstance(frame, pd.DataFrame):
        raise KindError(
            f"a normalised table is needed, not {type(frame).__name__}; make it with identity.normalise(records)."
        )
    if frame.index.name != "record_id" or list(frame.columns[: len(FIELDS)]) != list(FIELDS):
        raise InputError(
            f"a normalised table is needed (index record_id, columns {', '.join(FIELDS)}), but this one has the columns "
            f"{', '.join(map(str, frame.columns))}; make it with identity.normalise(records)."
        )
    check_ids(pd.Series(frame.index), "record_id")


def _words(names: pd.Series) -> pd.DataFrame:
    """`row` and `word` for every word of every name: its first four letters."""
    split = names.str.split().explode().dropna()
    word = [likeness.one_letter(text)[:4] for text in split.to_numpy(dtype=object)]
    return pd.DataFrame({"row": split.index.to_numpy(), "word": word}).drop_duplicates(ignore_index=True)


def _sharing(rows: np.ndarray, parts: list[pd.Series], largest: int, count: int) -> tuple[np.ndarray, int]:
    """Codes (lower row · count + higher row) of the pairs of rows that share all parts, and how many values were too large."""
    code = np.zeros(len(rows), dtype="int64")
    known = np.ones(len(rows), dtype=bool)
    for part in parts:
        codes, values = pd.factorize(part)
        known &= codes >= 0
        code = pd.factorize(code * (len(values) + 1) + codes)[0]
    code, rows = code[known], rows[known]
    sizes = np.bincount(code) if len(code) else np.array([], dtype="int64")
    fits = (sizes[code] > 1) & (sizes[code] <= largest)
    order = np.lexsort([rows[fits], code[fits]])
    code, rows = code[fits][order], rows[fits][order]
    found = []
    for step in range(
        1, int(sizes[code].max(initial=1))
    ):  # each record with the one `step` places further in its group
        together = np.flatnonzero(code[:-step] == code[step:])
        if not len(together):
            break
        found.append(rows[together] * count + rows[together + step])
    return np.unique(np.concatenate(found)) if found else np.array([], dtype="int64"), int((sizes > largest).sum())


def match(
    normalised: pd.DataFrame,
    *,
    threshold: float = 8,
    review: float = 2,
    every: bool = False,
    weights: pd.DataFrame | None = None,
    pairs: pd.DataFrame | None = None,
    kind: str | None = None,
) -> pd.DataFrame:
    """Which pairs are the same person, which should somebody look at, and why?

    Every field gives points: `weights.same` if it is equal, `weights.different` if it is less alike than
    `from_similarity`, evenly more in between, none if one side is missing; a person's name of one word is worth at most
    half. The score is their sum. A pair is "same" if
    its score reaches `threshold` and the name or the birth date speaks for it: telephone, e-mail and postcode belong to
    a family or an office, and alone they never suffice.

    Parameters
    ----------
    normalised : what `normalise` gives.
    threshold, review : points. A pair below `review` is "different".
    every : keep the different pairs too; they are left out otherwise.
    weights : `WEIGHTS` (or `FIRM_WEIGHTS`) unless given: a frame with the index `field` and the columns `same`,
        `different`, `from_similarity`.
    pairs : `left`, `right`; `candidates(normalised)` unless given.
    kind : "person" or "firm"; what `normalise` was told unless given.

    Returns
    -------
    DataFrame, best first: `left`, `right`, `score`, `verdict` ("same", "review", "different"), `reason`, then how alike
    the fields are, 0 to 1: `name`, `phone`, `email`, `birth_date`, `postcode`, missing where one side is missing; and
    `personal` (whether the name or the birth date speaks for it). attrs: `threshold`, `review`, `compared` (pairs), and
    those of the candidates.

    Raises InputError if the table is not normalised, the weights lack a field, or `review` is above `threshold`.

    >>> from crmkit.tables.identity import normalise
    >>> cards = pd.DataFrame({"record_id": ["a", "b", "c"], "name": ["Anna Keller", "Keller, Anna", "Boris Keller"],
    ...                       "phone": ["0170 5551234", "+491705551234", "+491705551234"]})
    >>> found = match(normalise(cards, email=None, birth_date=None, postcode=None), every=True)
    >>> found[["left", "right", "score", "verdict", "reason"]]
      left right  score    verdict                                   reason
    0    a     b   10.0       same  name the same (+6), phone the same (+4)
    1    a     c   -2.0  different   name differs (-6), phone the same (+4)
    2    b     c   -2.0  different   name differs (-6), phone the same (+4)
    """
    _is_normalised(normalised)
    kind = kind or normalised.attrs.get("kind", "person")
    one_of("kind", kind, KINDS)
    if review > threshold:
        raise InputError(f"review={review:g} is above threshold={threshold:g}; what needs no look cannot score less.")
    weights = _checked(FIRM_WEIGHTS if kind == "firm" else WEIGHTS) if weights is None else _checked(weights)
    pairs = candidates(normalised) if pairs is None else pairs
    needs(pairs, ["left", "right"], "pairs")
    left, right = (_places(normalised.index, pairs[side], side) for side in ("left", "right"))
    compare: dict[str, Callable] = {
        "name": likeness.firm_names if kind == "firm" else likeness.person_names,
        "phone": likeness.phones,
        "email": lambda a, b: likeness.emails(a, b, public=public_hosts() if kind == "firm" else None),
        "birth_date": likeness.birth_dates,
        "postcode": likeness.postcodes,
    }
    like, points = {}, {}
    for field, how in compare.items():
        values = normalised[field].to_numpy(dtype=None if field == "birth_date" else object)
        like[field] = how(values[left], values[right])
        same, different, least = weights.loc[field, ["same", "different", "from_similarity"]]
        share = np.clip((like[field] - least) / (1 - least), 0, 1)
        points[field] = np.where(np.isnan(share), 0.0, np.round(different + (same - different) * share, 2))
    if kind == "person":  # an "Anna" without more is half a name
        words = normalised["name"].str.contains(" ", na=False).to_numpy(dtype=bool)
        half = ~(words[left] & words[right])
        points["name"] = np.where(half, np.minimum(points["name"], weights.loc["name", "same"] / 2), points["name"])
    score = np.round(sum(points.values()), 2)
    personal = np.any([np.nan_to_num(points[field]) > 0 for field in PERSONAL], axis=0)
    verdict = np.select([(score >= threshold) & personal, score >= review], ["same", "review"], "different")
    frame = pd.DataFrame(
        {"left": pairs["left"].array, "right": pairs["right"].array, "score": score, "verdict": verdict}
    )
    kept = np.flatnonzero(every | (verdict != "different"))
    by_id = [frame[side].iloc[kept].astype(str).to_numpy(dtype=object) for side in ("right", "left")]
    kept = kept[np.lexsort([*by_id, -score[kept]])]  # the order of the rows must not matter
    frame = frame.iloc[kept].reset_index(drop=True).astype({"verdict": TEXT})
    frame["reason"] = pd.Series(
        _reasons({f: like[f][kept] for f in like}, {f: points[f][kept] for f in points}), dtype=TEXT
    )
    for field in like:
        frame[field] = np.round(like[field][kept], 3)
    frame["personal"] = personal[kept]
    frame.attrs = {"threshold": threshold, "review": review, "compared": len(pairs), **pairs.attrs}
    return frame


def _checked(weights: Any) -> pd.DataFrame:
    if isinstance(weights, pd.DataFrame) and "field" in weights:
        weights = weights.set_index("field")
    needs(weights, ["same", "different", "from_similarity"], "weights")
    for field in FIELDS:
        if field not in weights.index:
            raise InputError(
                f"weights: there is no row for {field}; a field that shall not count gets 0 and 0."
                + near_misses(field, weights.index)
            )
    least = weights["from_similarity"]
    if not least.between(0, 0.999).all() or (weights["same"] < weights["different"]).any():
        raise InputError("weights: from_similarity must be at least 0 and below 1, and same no less than different.")
    return weights


def _places(ids: pd.Index, wanted: pd.Series, side: str) -> np.ndarray:
    places = ids.get_indexer(pd.Index(wanted))
    if (places < 0).any():
        unknown = wanted[places < 0]
        raise InputError(f"pairs: {len(unknown):,} ids in {side!r} are not in the table, such as {unknown.iloc[0]!r}.")
    return places


def _reasons(like: dict[str, np.ndarray], points: dict[str, np.ndarray]) -> np.ndarray:
    """What speaks for and against each pair, in words; a field that is missing on one side is not told."""
    parts = []
    if not len(like["name"]):
        return np.array([], dtype=object)
    for field, values in like.items():
        table = pd.DataFrame({"like": np.round(values, 2), "points": np.round(points[field], 1)})
        codes, distinct = pd.factorize(pd.MultiIndex.from_frame(table))
        words = [_told(_NAMES[field], *pair) for pair in distinct]
        parts.append(np.array(words, dtype=object)[codes])
    return np.array([", ".join(filter(None, row)) for row in zip(*parts, strict=True)], dtype=object)


def _told(name: str, like: float, points: float) -> str:
    if np.isnan(like):
        return ""
    how = "the same" if like == 1 else f"{like:.0%} alike" if like > 0 else "differs"
    return f"{name} {how} ({points:+g})"
