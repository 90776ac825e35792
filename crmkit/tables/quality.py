"""How good are the data? Five dimensions, each a count of rows that pass among rows that can be judged, by stated rules.

The dimensions are those of Wang and Strong (1996) that a table can show by itself, as most tools name them: completeness,
uniqueness, validity, consistency, timeliness. Whether a value is *true* no table can show.
"""

import datetime
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crmkit import periods
from crmkit.errors import InputError, KindError, all_known, near_misses
from crmkit.tables.conditions import Condition
from crmkit.tables.frames import needs
from crmkit.tables.normal_forms import TEXT, texts_of

__all__ = ["DIMENSIONS", "RULES_OF_RECORDS", "compare", "overall", "report"]

DIMENSIONS = ("completeness", "uniqueness", "validity", "consistency", "timeliness")
_OF_VALIDITY = ("pattern", "range", "values")

#: Rules for card records as those of the data set mall; copy and change them.
RULES_OF_RECORDS: dict[str, Any] = {
    "completeness": ["name", "phone", "email", "birth_date", "sex", "postcode", "consent"],
    "uniqueness": ["record_id", "phone", "email", ["name", "birth_date"]],
    "validity": {
        "phone": {"pattern": r"\+[1-9][0-9]{7,14}"},
        "email": {"pattern": r"[^@\sA-Z]+@[^@\sA-Z]+\.[a-z]{2,}"},
        "birth_date": {"range": ["1905-01-01", "2025-12-31"]},
        "sex": {"values": ["f", "m", "d"]},
        "postcode": {"pattern": "[0-9]{5}"},
        "consent": {"values": ["yes", "no"]},
    },
    "consistency": ["birth_date < registered_on", "registered_on <= updated_at"],
    "timeliness": {"updated_at": "12 months"},
}


def report(records: pd.DataFrame, rules: Mapping[str, Any] | str | Path, *, as_of: object = None) -> pd.DataFrame:
    """Can I work with this table, and where does it hurt? One line a rule: how many rows pass, of how many judged.

    Parameters
    ----------
    records : any table, one row a record.
    rules : a mapping, or the path of a TOML file, with any of

        - `completeness`: columns that should be filled (a text of blanks is not);
        - `uniqueness`: columns, or lists of columns, whose value should stand in one row only; rows without are not judged;
        - `validity`: column → `pattern` (a regular expression for the whole text, RE2 syntax), `range` [least, most]
          (None or "" for no limit), `values` (a list), or several of them; missing values are not judged;
        - `consistency`: rules such as "birth_date < registered_on" (see `conditions`); rows in which a missing value
          leaves the rule open are not judged;
        - `timeliness`: column of days → the age it may have, "12 months"; a day after `as_of` does not pass.
    as_of : the day from which ages count; needed for timeliness, or carried in `records.attrs`.

    Returns
    -------
    DataFrame, in the order of the rules: `dimension`, `column`, `rule`, `passed`, `judged` (rows), `share` (passed /
    judged; missing if nothing could be judged). attrs: `rows`, and `as_of` if it was used.

    Raises
    ------
    ColumnError for a column that is not there; InputError for a rule that cannot be read, a pattern that is no regular
    expression, a limit of another kind than the column; KindError if `rules` are no mapping.

    >>> cards = pd.DataFrame({"record_id": [1, 2, 3], "email": ["anna@example.com", "anna@home", None]})
    >>> rules = {"completeness": ["email"], "validity": {"email": {"pattern": r"[^@]+@[^@]+[.][a-z]+"}}}
    >>> report(cards, rules)[["dimension", "passed", "judged", "share"]].round(2)
          dimension  passed  judged  share
    0  completeness       2       3   0.67
    1      validity       1       2   0.50
    """
    needs(records, [], "records")
    rules = _read(rules)
    table = records.reset_index(drop=True)
    everywhere = np.ones(len(table), dtype=bool)
    rows: list[tuple[str, str, str, np.ndarray, np.ndarray]] = []  # dimension, column, rule, passes, can be judged
    for column in rules.get("completeness", []):
        rows.append(("completeness", str(column), "is filled", _filled(table, column), everywhere))
    for columns in rules.get("uniqueness", []):
        columns = [columns] if isinstance(columns, str) else list(columns)
        known = np.logical_and.reduce([_filled(table, column) for column in columns])
        once = np.zeros(len(table), dtype=bool)
        once[known] = ~table.loc[known, columns].duplicated(keep=False)
        rows.append(("uniqueness", " + ".join(map(str, columns)), "stands in one row", once, known))
    for column, asked in rules.get("validity", {}).items():
        known = _filled(table, column)
        if not isinstance(asked, Mapping) or not asked:
            raise InputError(f'validity of {column!r}: {asked!r} is no rule; write {{"pattern": …}}, range or values.')
        for kind, limit in asked.items():
            words, passes = _valid(table[column], kind, limit)
            rows.append(("validity", str(column), words, passes, known))
    for text in rules.get("consistency", []):
        condition = Condition.parse(text)
        obeys = condition.judge(table)
        passes, known = obeys.fillna(False).to_numpy(dtype=bool), obeys.notna().to_numpy(dtype=bool)
        rows.append(("consistency", ", ".join(condition.columns), text, passes, known))
    day = periods.as_of(records, as_of) if rules.get("timeliness") else None
    for column, limit in rules.get("timeliness", {}).items():
        horizon, known = periods.Horizon.parse(limit), _filled(table, column)
        if table[column].dtype.kind != "M":
            raise InputError(
                f"timeliness: {column!r} holds {table[column].dtype} values; turn it into dates first, such as with pandas.to_datetime."
            )
        age = (pd.Timestamp(day) - table[column].dt.tz_localize(None).dt.normalize()).dt.days
        passes = age.between(0, horizon.days).to_numpy(dtype=bool)
        rows.append(("timeliness", str(column), f"is at most {horizon} old", passes, known))

    counts = [(*told, int((passes & known).sum()), int(known.sum())) for *told, passes, known in rows]
    frame = pd.DataFrame(counts, columns=["dimension", "column", "rule", "passed", "judged"])
    frame = frame.astype({"dimension": TEXT, "column": TEXT, "rule": TEXT, "passed": "int64", "judged": "int64"})
    frame["share"] = (frame["passed"] / frame["judged"].where(frame["judged"] > 0)).astype("float64")
    frame.attrs = {"rows": len(table)} | ({"as_of": day.isoformat()} if day else {})
    return frame


def _read(rules: Any) -> Mapping[str, Any]:
    if isinstance(rules, str | Path):
        try:
            rules = tomllib.loads(Path(rules).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError(f"rules: there is no file {str(rules)!r}.") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError(f"rules: {str(rules)!r} is no TOML file: {error}.") from None
    if not isinstance(rules, Mapping):
        raise KindError(
            f"rules must be a mapping of dimensions or the path of a TOML file, not {type(rules).__name__}."
        )
    all_known("rules", rules, DIMENSIONS)
    for name, asked in rules.items():
        wanted = Mapping if name in ("validity", "timeliness") else list | tuple
        if not isinstance(asked, wanted):
            what = "column → rule" if wanted is Mapping else "a list"
            raise KindError(f"rules: {name} must be {what}, not {asked!r}.")
    if not any(rules.values()):
        raise InputError(f"rules: there is nothing to judge; name rules for {', '.join(DIMENSIONS)}.")
    return rules


def _filled(table: pd.DataFrame, column: Any) -> np.ndarray:
    """Where a column has a value; a text of blanks is none."""
    needs(table, [column], "records")
    there = table[column].notna().to_numpy(dtype=bool)
    if table[column].dtype.kind not in "biufM":
        there = there & table[column].astype(str).str.strip().ne("").fillna(False).to_numpy(dtype=bool)
    return there


def _valid(values: pd.Series, kind: str, limit: Any) -> tuple[str, np.ndarray]:
    """The rule in words, and which values obey it (those that are missing do not matter)."""
    name = values.name
    if kind == "values":
        if not isinstance(limit, list | tuple) or not limit:
            raise InputError(f"validity of {name!r}: values must be a list, not {limit!r}.")
        return "is one of " + ", ".join(map(str, limit)), values.isin(list(limit)).to_numpy(dtype=bool)
    if kind == "pattern":
        return f"looks like {limit}", _like(texts_of(values), limit, name)
    if kind == "range":
        if not isinstance(limit, list | tuple) or len(limit) != 2:
            raise InputError(f"validity of {name!r}: range must be [least, most], not {limit!r}.")
        if values.dtype.kind not in "iufM":
            raise InputError(
                f"validity of {name!r}: a range needs numbers or dates, but the column holds {values.dtype}; convert it first."
            )
        passes = pd.Series(True, index=values.index)
        for end, obeys in zip(limit, (values.ge, values.le), strict=True):
            if end is not None and end != "":
                passes &= obeys(_limit(end, values)).fillna(False).astype(bool)
        ends = ["" if end is None else str(end) for end in limit]
        return f"is {ends[0]} to {ends[1]}" if all(ends) else f"is at least {ends[0]}" if ends[
            0
        ] else f"is at most {ends[1]}", passes.to_numpy()
    raise InputError(
        f"validity of {name!r}: {kind!r} is no rule; use {', '.join(_OF_VALIDITY)}." + near_misses(kind, _OF_VALIDITY)
    )


def _like(texts: pd.Series, pattern: Any, name: object) -> np.ndarray:
    """Whole texts that fit a pattern. RE2 takes time in proportion to the text, whatever pattern somebody wrote."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not isinstance(pattern, str):
        raise KindError(f"validity of {name!r}: the pattern must be a text, not {pattern!r}.")
    try:
        found = pc.match_substring_regex(pa.array(texts.to_list(), pa.string(), from_pandas=True), f"^(?:{pattern})$")
    except pa.ArrowInvalid as error:
        raise InputError(f"validity of {name!r}: {pattern!r} is no regular expression ({error}).") from None
    return found.fill_null(False).to_numpy(zero_copy_only=False)


def _limit(end: Any, values: pd.Series) -> Any:
    if values.dtype.kind == "M":
        if not isinstance(end, str | datetime.date):
            raise InputError(f"validity of {values.name!r}: the limit {end!r} is no day; write '2025-12-31'.")
        return pd.Timestamp(periods.day(end, f"the limit of {values.name!r}"))
    if isinstance(end, bool) or not isinstance(end, int | float):
        raise InputError(f"validity of {values.name!r}: the limit {end!r} is no number, but the column holds numbers.")
    return end


def compare(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """What did the cleaning change? Two reports by the same rules, line by line.

    Returns a DataFrame `dimension`, `column`, `rule`, `share_before`, `share_after`, `change` (after − before),
    `judged_before`, `judged_after`; a rule that only one report has is missing in the other. Look at what was judged
    too: a share can rise because rows that failed went away.

    >>> rules = {"completeness": ["email"]}
    >>> first = report(pd.DataFrame({"email": ["a@example.com", None]}), rules)
    >>> second = report(pd.DataFrame({"email": ["a@example.com", "b@example.com"]}), rules)
    >>> compare(first, second)["change"].to_list()
    [0.5]
    """
    keys = ["dimension", "column", "rule"]
    for name, frame in (("before", before), ("after", after)):
        needs(frame, [*keys, "share", "judged"], name)
        if frame.duplicated(keys).any():
            raise InputError(f"{name}: a rule stands there twice; quality.report gives each once.")
    both = before[[*keys, "share", "judged"]].merge(
        after[[*keys, "share", "judged"]], on=keys, how="outer", suffixes=("_before", "_after"), sort=False
    )
    order = pd.concat([before, after])[keys].drop_duplicates()
    both = order.merge(both, on=keys, how="left")
    both["change"] = both["share_after"] - both["share_before"]
    return both[[*keys, "share_before", "share_after", "change", "judged_before", "judged_after"]]


def overall(report: pd.DataFrame, weights: Mapping[str, float]) -> pd.DataFrame:
    """One number for the table, with what it is made of: it is only worth as much as the weights beside it.

    Parameters
    ----------
    report : what `report` gives. A dimension's share is the mean of its lines.
    weights : how much each dimension of the report counts; there is no default, because nobody else can know.

    Returns
    -------
    DataFrame `dimension`, `share`, `weight` (they add up to 1), `contribution` (share · weight); the last line is
    "overall". Nothing is left out in silence: a dimension without judged rows makes the whole missing.

    >>> found = report(pd.DataFrame({"id": [1, 2], "email": ["a@example.com", None]}),
    ...                {"completeness": ["email"], "uniqueness": ["id"]})
    >>> overall(found, {"completeness": 3, "uniqueness": 1})
          dimension  share  weight  contribution
    0  completeness  0.500    0.75         0.375
    1    uniqueness  1.000    0.25         0.250
    2       overall  0.625    1.00         0.625
    """
    needs(report, ["dimension", "share"], "report")
    if not isinstance(weights, Mapping):
        raise KindError(f"weights must be a mapping of dimensions to numbers, not {type(weights).__name__}.")
    dimensions = list(dict.fromkeys(report["dimension"]))
    all_known("weights", weights, dimensions)
    for name in dimensions:
        if name not in weights:
            raise InputError(f"weights: {name} has none; give it one, 0 if it shall not count.")
    given = np.array([weights[name] for name in dimensions], dtype="float64")
    if not np.isfinite(given).all() or (given < 0).any() or given.sum() == 0:
        raise InputError(f"weights: {dict(weights)!r} must be 0 or more, and not all 0.")
    shares = report.groupby("dimension")["share"].agg(lambda lines: lines.mean(skipna=False)).reindex(dimensions)
    frame = pd.DataFrame({"dimension": dimensions, "share": shares.to_numpy(), "weight": given / given.sum()})
    frame["contribution"] = np.where(frame["weight"] == 0, 0.0, frame["share"] * frame["weight"])
    total = frame["contribution"].sum(skipna=False)
    frame.loc[len(frame)] = ["overall", total, 1.0, total]
    return frame
