"""Segment maps: which scores carry which name, as data that can be checked before it is used.

There is no standard map. Two published ones name very different customers "Champions", so a map is
written down, with its order of rules and its remainder, and `check` says what it leaves out.
"""

import re
import tomllib
from dataclasses import dataclass, field
from functools import reduce
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crmkit.errors import ColumnError, InputError, KindError, all_known, near_misses

TEXTS = ("meaning", "action", "owner", "kpi")
#: If a map does not say within how many days its action is due.
DAYS_DUE = 30
#: The word that marks the remainder's row where a map is a table.
REMAINDER = "remainder"
_RANGE = re.compile(r"\s*([0-9]+)\s*(?:[-–]\s*([0-9]+)\s*)?(,|$)")
_MOST_COMBINATIONS = 1_000_000


@dataclass(frozen=True, eq=False)
class SegmentMap:
    """Ordered rules from scores to segments; the first rule that fits wins, the remainder takes the rest.

    Make one with `SegmentMap.load`. It holds:

    - `table`: one row a rule in order, the remainder last: `segment`, one range a dimension (`"4-5"`, `"3"`,
      `"1-2,5"`), `meaning`, `action`, `owner` (who does it), `kpi` (what to watch), `days_due`;
    - `bins`: for how many scores a dimension the ranges are written; `dimensions`: their letters;
    - `segments`: the names in order, the remainder only if some combination of scores falls to it.

    >>> SegmentMap.load("ten_segments").segments[:3]
    ('Champions', 'Loyal customers', 'Potential loyalists')
    """

    name: str
    bins: int
    dimensions: tuple[str, ...]
    table: pd.DataFrame
    source: str = ""
    _fits: np.ndarray = field(repr=False, default=None)  # rules × the grid of scores: does the rule fit?

    @classmethod
    def load(cls, source: "str | Path | pd.DataFrame | SegmentMap", *, bins: int | None = None) -> "SegmentMap":
        """A shipped map by name, a map of your own from a TOML file, or one from a table.

        A TOML file says `name`, `bins`, `dimensions = ["r", "f"]`, then `[[segment]]` for each rule and
        `[remainder]`; the shipped maps are examples. A table has the columns of `SegmentMap.table`; its last
        row has the word "remainder" in every range. `bins` is for a table only: 5 if not said.

        Raises: InputError for a range that is none (with its place), a name used twice, a missing remainder.

        >>> rules = pd.DataFrame({"segment": ["Good", "Rest"], "r": ["4-5", "remainder"], "f": ["3-5", "remainder"]})
        >>> SegmentMap.load(rules).segments
        ('Good', 'Rest')
        """
        if isinstance(source, SegmentMap):
            return source
        if isinstance(source, pd.DataFrame):
            return _from_table(source, bins)
        if not isinstance(source, (str, Path)):
            raise KindError(f"a segment map is a name, a path or a DataFrame, not {type(source).__name__}.")
        if bins is not None:
            raise InputError("bins= is for a map given as a table; a TOML map says its own bins.")
        shipped = {item.name.removesuffix(".toml"): item for item in files(__package__).joinpath("maps").iterdir()}
        if str(source) in shipped:
            return _from_toml(shipped[str(source)], str(source))
        if Path(source).suffix.lower() != ".toml" or not Path(source).is_file():
            raise InputError(
                f"there is no segment map {str(source)!r}: neither a shipped one ({', '.join(sorted(shipped))}) "
                f"nor a TOML file.{near_misses(source, shipped)}"
            )
        return _from_toml(Path(source), str(source))

    @property
    def rules(self) -> tuple[str, ...]:
        return tuple(self.table["segment"])[:-1]

    @property
    def remainder(self) -> str:
        return self.table["segment"].iloc[-1]

    @property
    def segments(self) -> tuple[str, ...]:
        gap = (self.winners() == len(self.rules)).any()
        return (*self.rules, self.remainder) if gap else self.rules

    def winners(self) -> np.ndarray:
        """The position of the rule that wins each combination of scores: an array with one axis a dimension,
        `bins` long; the number of rules stands for the remainder.

        >>> int(SegmentMap.load("ten_segments").winners()[4, 4])  # r = 5, f = 5: the first rule, Champions
        0
        """
        return np.where(self._fits.any(axis=0), self._fits.argmax(axis=0), len(self.rules))

    def check(self, scores: pd.DataFrame | None = None) -> pd.DataFrame:
        """What does this map leave out, claim twice, or never use? Ask before using it.

        All combinations of scores are tried. Returns one row a finding, none for a map without fault:
        `finding` ("gap": no rule fits, the remainder takes them; "overlap": two rules fit, `segment` comes
        first and wins over `other`; "never wins": earlier rules take all that the rule would; "empty": no
        customer is there), `segment`, `other`, `combinations` (of scores), `customers` (if `scores` are
        given), `what` (in words).

        >>> SegmentMap.load("ten_segments").check().empty
        True
        >>> SegmentMap.load("eleven_segments").check().groupby("finding").size().to_dict()
        {'gap': 1, 'never wins': 4, 'overlap': 21}
        """
        fits, winners, rules = self._fits, self.winners(), self.rules
        count = None if scores is None else np.zeros(fits.shape[1:], dtype=int)
        if count is not None:
            np.add.at(count, tuple(_scores(scores, self, None, False)), 1)
        rows = []

        def found(finding: str, segment: str, other: str, where: np.ndarray, what: str) -> None:
            customers = pd.NA if count is None else int(count[where].sum())
            rows.append((finding, segment, other, int(where.sum()), customers, what))

        gap = winners == len(rules)
        if gap.any():
            example = "-".join(str(score + 1) for score in np.argwhere(gap)[0])
            what = (
                f"no rule fits {gap.sum()} of {gap.size} combinations, such as {example}; they are {self.remainder!r}"
            )
            found("gap", self.remainder, "", gap, what)
        for later in range(len(rules)):
            for earlier in range(later):
                both = fits[earlier] & fits[later]
                if both.any():
                    what = f"both rules fit {both.sum()} of {both.size} combinations; {rules[earlier]!r} comes first"
                    found("overlap", rules[earlier], rules[later], both, what)
        for position, name in enumerate(rules):
            if not (winners == position).any():
                what = (
                    f"{name!r} can get no customer: earlier rules take all of its {fits[position].sum()} combinations"
                )
                found("never wins", name, "", fits[position], what)
            elif count is not None and not count[winners == position].any():
                found("empty", name, "", winners == position, f"no customer is in {name!r} with these scores")
        columns = ["finding", "segment", "other", "combinations", "customers", "what"]
        return pd.DataFrame(rows, columns=columns).astype({"combinations": int, "customers": "Int64"})


def segment(
    scores: pd.DataFrame,
    segment_map: str | Path | pd.DataFrame | SegmentMap = "ten_segments",
    *,
    rescale: bool = False,
    bins: int | None = None,
) -> pd.DataFrame:
    """Which segment does each customer belong to?

    Parameters
        scores: from `rfm.score`.
        segment_map: a shipped name, a path, a table, or a `SegmentMap`.
        rescale: a map written for five bins refuses other bins, unless this stretches the scores over the
            map's: the worst score becomes 1, the best the map's best, the others the nearest in proportion.
        bins: only for scores that lost their attrs (pandas drops them in merge, join and concat).
    Returns: the columns of `scores` and `segment`, an ordered categorical in the map's order.
        attrs: those of `scores`, and `segment_map`, the map's name.
    Raises: ColumnError for a score that the map reads and the table lacks; InputError for other bins.

    >>> scores = pd.DataFrame({"r_score": [5, 1], "f_score": [5, 5]})
    >>> list(segment(scores, "ten_segments", bins=5)["segment"])
    ['Champions', 'Cannot lose them']
    """
    chosen = SegmentMap.load(segment_map)
    position = chosen.winners()[tuple(_scores(scores, chosen, bins, rescale))]
    result = scores.assign(segment=pd.Categorical.from_codes(position, list(chosen.segments), ordered=True))
    result.attrs = {**scores.attrs, "segment_map": chosen.name}
    return result


def _scores(scores: Any, chosen: SegmentMap, bins: int | None, rescale: bool) -> list[np.ndarray]:
    """The scores the map reads, counted from 0 and checked."""
    if not isinstance(scores, pd.DataFrame):
        raise KindError(f"scores must be the table that rfm.score returned, not {type(scores).__name__}.")
    result = []
    for letter in chosen.dimensions:
        name = f"{letter}_score"
        if name not in scores.columns:
            raise ColumnError(
                f"the segment map {chosen.name!r} reads {name!r}, which the table does not have; "
                f"score it first with rfm.score.{near_misses(name, scores.columns)}"
            )
        number = bins if bins is not None else scores.attrs.get("bins", {}).get(letter)
        if number is None:
            raise InputError(
                f"the table does not say how many bins {name!r} has (pandas drops that note in merge, join and "
                f"concat); pass bins=5 with the right number."
            )
        values = scores[name].to_numpy(dtype=float, na_value=np.nan)
        wrong = ~((values >= 1) & (values <= number) & (values == np.round(values)))
        if wrong.any():
            raise InputError(
                f"column {name!r} has {wrong.sum():,} values that are no score from 1 to {number}, "
                f"such as {values[wrong][0]:g}."
            )
        if number != chosen.bins and not rescale:
            raise InputError(
                f"the segment map {chosen.name!r} is written for {chosen.bins} bins and {name!r} has {number}; "
                f"score with bins={chosen.bins}, or pass rescale=True to stretch the scores over the map's."
            )
        stretched = np.floor((values - 1) * (chosen.bins - 1) / (number - 1) + 0.5)
        result.append(stretched.astype(int))
    return result


def _from_toml(path: Any, name: str) -> SegmentMap:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"the segment map {name!r} is not TOML in UTF-8: {error}.") from None
    known = ("name", "bins", "dimensions", "source", "segment", REMAINDER)
    all_known(f"segment map {name!r}", content, known)
    dimensions, rows, rest = (content.get(key) for key in ("dimensions", "segment", REMAINDER))
    if not isinstance(dimensions, list) or not all(isinstance(letter, str) for letter in dimensions):
        raise InputError(f'segment map {name!r}: say the dimensions it reads, such as dimensions = ["r", "f"].')
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"segment map {name!r}: write each rule under a line [[segment]].")
    if not isinstance(rest, dict):
        raise InputError(
            f"segment map {name!r} does not say what happens to customers that no rule fits; "
            'add a [remainder] with segment = "Others".'
        )
    return _build(content.get("name", name), content.get("bins"), dimensions, rows, rest, content.get("source", ""))


def _from_table(table: pd.DataFrame, bins: int | None) -> SegmentMap:
    letters = [name for name in table.columns if isinstance(name, str) and len(name) == 1]
    rows = [{key: value for key, value in row.items() if not _missing(value)} for row in table.to_dict("records")]
    is_rest = [any(str(row.get(letter)).strip().lower() == REMAINDER for letter in letters) for row in rows]
    if sum(is_rest) != 1 or not is_rest[-1]:
        raise InputError(
            "the segment map does not say what happens to customers that no rule fits; give it one last row "
            f"with the word {REMAINDER!r} in every range ({', '.join(letters) or 'no range columns found'})."
        )
    rest = {key: value for key, value in rows[-1].items() if key not in letters}
    bins = table.attrs.get("bins", 5) if bins is None else bins
    return _build(table.attrs.get("name", "your map"), bins, letters, rows[:-1], rest, "")


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value)) or value is pd.NA


def _build(
    name: str, bins: Any, dimensions: list[str], rows: list[dict[str, Any]], rest: dict[str, Any], source: str
) -> SegmentMap:
    if isinstance(bins, bool) or not isinstance(bins, (int, np.integer)) or not 3 <= bins <= 10:
        raise InputError(
            f"segment map {name!r}: bins must say for how many scores it is written, 3 to 10, not {bins!r}."
        )
    if not dimensions or bins ** len(dimensions) > _MOST_COMBINATIONS:
        raise InputError(f"segment map {name!r} reads {len(dimensions)} dimensions of {bins} bins; read 1 to 6.")
    known = ["segment", *dimensions, *TEXTS, "days_due"]
    table, fits = [], []
    for position, row in enumerate([*rows, rest], start=1):
        last = position > len(rows)
        label = row.get("segment")
        place = f"segment map {name!r}, " + ("remainder" if last else f"rule {position}")
        if not isinstance(label, str) or not label.strip():
            raise InputError(f"{place}: the name of the segment is missing; write it as `segment`.")
        place += f" ({label!r})"
        if label in [earlier["segment"] for earlier in table]:
            raise InputError(f"{place}: two rules have this name; join their ranges (such as '1-2,5') or rename one.")
        all_known(place, row, [key for key in known if not (last and key in dimensions)])
        clean: dict[str, Any] = {"segment": label}
        sides = []
        for letter in dimensions:
            clean[letter] = REMAINDER if last else str(row.get(letter, "")).strip()
            if not last:
                sides.append(_range(row.get(letter), int(bins), f"{place}, {letter}"))
        for key in TEXTS:
            clean[key] = row.get(key, "")
            if not isinstance(clean[key], str):
                raise InputError(f"{place}: {key} must be text, not {clean[key]!r}.")
        clean["days_due"] = row.get("days_due", DAYS_DUE)
        if isinstance(clean["days_due"], bool) or not str(clean["days_due"]).removesuffix(".0").isdecimal():
            raise InputError(f"{place}: days_due must be a whole number of days, not {clean['days_due']!r}.")
        clean["days_due"] = int(clean["days_due"])
        table.append(clean)
        if not last:
            fits.append(reduce(np.logical_and.outer, sides))
    if not fits:
        raise InputError(f"segment map {name!r} has no rules.")
    frame = pd.DataFrame(table)
    frame.attrs = {"name": str(name), "bins": int(bins)}
    return SegmentMap(str(name), int(bins), tuple(dimensions), frame, str(source), np.stack(fits))


def _range(text: Any, bins: int, place: str) -> np.ndarray:
    """Which of the scores 1 … bins a range such as "4-5" or "1-2,5" holds; anything else raises with its place."""
    if isinstance(text, (int, np.integer, float)) and not isinstance(text, bool) and text == int(text):
        text = str(int(text))
    if not isinstance(text, str) or not text.strip():
        raise InputError(f'{place}: the range is missing; write "1-{bins}" if every score fits.')
    holds, at = np.zeros(bins, dtype=bool), 0
    while True:
        match = _RANGE.match(text, at)
        if match is None:
            raise InputError(
                f"{place} = {text!r}: not a range from character {at + 1} on ({text[at:]!r}); "
                'write "4-5", "3" or "1-2,5".'
            )
        low, high = int(match[1]), int(match[2] or match[1])
        if not 1 <= low <= high <= bins:
            raise InputError(
                f"{place} = {text!r}: {match[0].strip(' ,')!r} at character {at + 1} is no range of scores "
                f"from 1 to {bins}, lower one first."
            )
        holds[low - 1 : high] = True
        at = match.end()
        if match[3] == "":
            return holds
