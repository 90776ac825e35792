"""Could somebody be recognised in a table without names? k-anonymity, and what it costs to reach it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from crmkit import periods
from crmkit.errors import InputError, KindError, near_misses
from crmkit.tables.frames import counted, id_text, needs, texts


@dataclass(frozen=True, repr=False)
class Anonymity:
    """How well the rows of a table hide behind each other.

    k : rows in the smallest group of rows that are alike in all quasi-identifiers.
    wanted, rows : the k that was asked for, and the rows looked at.
    groups : one row a group: its values and `rows`, smallest first.
    alike : rows in groups of `wanted` or more whose sensitive value is the same for all, so that it is known of each
        of them although nobody knows which row is theirs; None if no sensitive column was named.
    """

    k: int
    wanted: int
    rows: int
    groups: pd.DataFrame
    alike: int | None = None

    @property
    def rows_below(self) -> int:
        """Rows in groups smaller than `wanted`."""
        return int(self.groups.loc[self.groups["rows"] < self.wanted, "rows"].sum())

    @property
    def share_below(self) -> float:
        return self.rows_below / self.rows if self.rows else 0.0

    @property
    def examples(self) -> pd.DataFrame:
        """The five smallest groups."""
        return self.groups.head(5)

    def __str__(self) -> str:
        unique = int((self.groups["rows"] == 1).sum())
        told = [
            f"k = {self.k}: {counted(self.rows, 'row')} in {counted(len(self.groups), 'group')}; {unique:,} unique, "
            f"{self.rows_below:,} ({self.share_below:.1%}) in groups below {self.wanted}."
        ]
        if self.alike is not None:
            told.append(f"{counted(self.alike, 'row')} in large enough groups, where all say the same.")
        return " ".join(told)

    __repr__ = __str__


def k_anonymity(
    frame: pd.DataFrame, quasi_identifiers: "str | Sequence[str]", *, k: int = 5, sensitive: str | None = None
) -> Anonymity:
    """How many people share the traits by which somebody else could recognise a person in this table?

    A table without names is not anonymous. Birth date, sex and postcode stand in other tables too, with a name
    beside them; a row that is unique in them is as good as signed. A table is k-anonymous if each row is like at
    least k − 1 others in all these columns.

    Parameters
        frame: one row a person.
        quasi_identifiers: the columns that others may know as well. A missing value counts as a value.
        k: the smallest group that is acceptable, 2 or more.
        sensitive: a column that nobody should learn; tells how many rows give it away in spite of k, because
            everybody in their group has the same value.
    Returns: `Anonymity`: `.k`, `.rows_below`, `.share_below`, `.groups`, `.examples`, `.alike`; `str` says it in words.
    Raises: ColumnError for a missing column; InputError for an empty table, no column, or k below 2.
    Source: Sweeney (2002), "k-anonymity: a model for protecting privacy", International Journal on Uncertainty,
    Fuzziness and Knowledge-based Systems 10(5); the gap that `sensitive` shows: Machanavajjhala, Gehrke, Kifer and
    Venkitasubramaniam (2006), "l-diversity: privacy beyond k-anonymity", ICDE.

    >>> people = pd.DataFrame({"age": ["18-29", "18-29", "30-44"], "sex": ["f", "f", "m"], "ill": ["no", "no", "yes"]})
    >>> k_anonymity(people, ["age", "sex"], k=2, sensitive="ill")
    k = 1: 3 rows in 2 groups; 1 unique, 1 (33.3%) in groups below 2. 2 rows in large enough groups, where all say the same.
    """
    columns = [quasi_identifiers] if isinstance(quasi_identifiers, str) else list(quasi_identifiers)
    if not columns:
        raise InputError("quasi_identifiers is empty; name the columns that other people may know as well.")
    needs(frame, [*columns, *([sensitive] if sensitive else [])])
    if len(frame) == 0:
        raise InputError("the table has 0 rows: there is nobody to hide, or to find.")
    return _anonymity(frame, columns, _k(k), sensitive)


def _anonymity(frame: pd.DataFrame, columns: list[str], k: int, sensitive: str | None = None) -> Anonymity:
    grouped = frame.groupby(columns, dropna=False, observed=True, sort=True)
    groups = grouped.size().rename("rows").reset_index().sort_values("rows", kind="stable", ignore_index=True)
    alike = None
    if sensitive:
        told = (
            grouped[sensitive]
            .agg(["size", lambda values: values.nunique(dropna=False)])
            .set_axis(["n", "values"], axis=1)
        )
        alike = int(told.loc[(told["n"] >= k) & (told["values"] == 1), "n"].sum())
    return Anonymity(int(groups["rows"].min()) if len(groups) else 0, k, len(frame), groups, alike)


@dataclass(frozen=True, repr=False)
class Release:
    """A table that may be shown to more people, and what it cost to make it so.

    table : the released rows, coarsened; sorted by their values, so that their order tells nothing.
    released : for each row of the original, by its index, whether it was released.
    cost : one row a generalised column: `rule`, `values_before`, `values_after` (distinct values, missing not
        counted), `impossible` (values no rule can place, such as a birth date in the future; they become missing).
    before, after : the `Anonymity` of the original in these columns, and of what was released.
    dropped : columns that have no rule and were not asked to be kept.
    """

    table: pd.DataFrame
    released: "pd.Series[bool]"
    cost: pd.DataFrame
    before: Anonymity
    after: Anonymity
    dropped: tuple[str, ...]

    @property
    def suppressed(self) -> int:
        """Rows left out, because fewer than k rows are like them."""
        return int((~self.released).sum())

    @property
    def share_suppressed(self) -> float:
        return self.suppressed / len(self.released)

    @property
    def discernibility(self) -> int:
        """Rows that each row can no longer be told from, summed over all rows; a suppressed row counts them all.

        Source: Bayardo and Agrawal (2005), "Data privacy through optimal k-anonymization", ICDE, equation C_DM.
        """
        return int((self.after.groups["rows"].astype("int64") ** 2).sum()) + self.suppressed * len(self.released)

    def __str__(self) -> str:
        return (
            f"{len(self.table):,} of {counted(len(self.released), 'row')} released in {counted(len(self.after.groups), 'group')} "
            f"of {self.after.wanted} or more; {self.suppressed:,} ({self.share_suppressed:.1%}) suppressed. "
            f"A row cannot be told from {self.discernibility / len(self.released):,.0f} rows on average."
            + (f" Not released: {', '.join(self.dropped)}." if self.dropped else "")
        )

    __repr__ = __str__


def generalise(
    frame: pd.DataFrame,
    rules: Mapping[str, Mapping[str, Any]],
    *,
    k: int = 5,
    keep: "str | Sequence[str]" = (),
    as_of: object = None,
) -> Release:
    """What must be coarsened, and who left out, before this table may be shown to others? And what does that cost?

    Every quasi-identifier is made coarser by its rule; rows that are then still in a group smaller than k are left
    out (suppressed). A column without a rule is not released unless `keep` names it.

    Parameters
        frame: one row a person.
        rules: for each quasi-identifier one of
            `{"age_bands": [18, 30, 45, 60]}`: a birth date becomes "18-29" … "60 and more", completed years at `as_of`;
            `{"bands": [0, 50, 200]}`: a number becomes "under 0", "0 to under 50" … "200 and more";
            `{"prefix": 2}`: "10437" becomes "10*"; `{"keep": True}`: as it is. Missing values stay missing.
        k: the smallest group to release, 2 or more.
        keep: columns to release as they are because the analysis needs them; they must not identify anybody.
        as_of: the day at which ages are counted; else the frame's attrs say it. Only age bands need it.
    Returns: `Release`: `.table`, `.released`, `.suppressed`, `.share_suppressed`, `.cost`, `.discernibility`,
        `.before`, `.after`; `str` says it in words.
    Raises: ColumnError for a missing column; KindError for a column its rule does not fit; InputError for a rule
        that is not known, bands that do not rise, a column both generalised and kept.
    Source: Sweeney (2002), "Achieving k-anonymity privacy protection using generalization and suppression".

    >>> people = pd.DataFrame({"postcode": ["10437", "10119", "80331"], "spend": [10.0, 20.0, 30.0]})
    >>> release = generalise(people, {"postcode": {"prefix": 2}}, k=2, keep="spend")
    >>> release
    2 of 3 rows released in 1 group of 2 or more; 1 (33.3%) suppressed. A row cannot be told from 2 rows on average.
    >>> release.table
      postcode  spend
    0      10*   10.0
    1      10*   20.0
    """
    kept = [keep] if isinstance(keep, str) else list(keep)
    if not rules:
        raise InputError("rules is empty; give each quasi-identifier a rule, such as {'postcode': {'prefix': 2}}.")
    needs(frame, [*rules, *kept])
    if both := [column for column in kept if column in rules]:
        raise InputError(f"column {both[0]!r} has a rule and is kept as it is; choose one.")
    if len(frame) == 0:
        raise InputError("the table has 0 rows: there is nothing to release.")
    coarse, cost = frame[kept].copy(), []
    for column, rule in rules.items():
        coarse[column] = _generalised(frame, column, rule, as_of)
        impossible = int((coarse[column].isna() & frame[column].notna()).sum())
        told = " ".join(str(part) for part in next(iter(rule.items())))
        cost.append((column, told, frame[column].nunique(), coarse[column].nunique(), impossible))
    columns = list(rules)
    size = coarse.groupby(columns, dropna=False, observed=True)[columns[0]].transform("size")
    released = (size >= _k(k)).rename("released")
    table = coarse.loc[released, [*columns, *kept]]
    return Release(
        table=table.sort_values([*columns, *kept], ignore_index=True, key=_sortable),
        released=released,
        cost=pd.DataFrame(cost, columns=["column", "rule", "values_before", "values_after", "impossible"]),
        before=_anonymity(frame, columns, k),
        after=_anonymity(table, columns, k),
        dropped=tuple(str(column) for column in frame.columns if column not in coarse.columns),
    )


def _sortable(values: "pd.Series[Any]") -> "pd.Series[Any]":
    return texts(values) if values.dtype == object else values


def _generalised(frame: pd.DataFrame, column: str, rule: Mapping[str, Any], as_of: object) -> "pd.Series[Any]":
    kinds: dict[str, Callable[..., Any]] = {"age_bands": _age_bands, "bands": _bands, "prefix": _prefix, "keep": _as_is}
    if not isinstance(rule, Mapping) or len(rule) != 1 or next(iter(rule)) not in kinds:
        raise InputError(
            f"the rule of {column!r} is {rule!r}; write one of {{'age_bands': [18, 30]}}, {{'bands': [0, 50]}}, "
            "{'prefix': 2}, {'keep': True}."
            + (near_misses(next(iter(rule)), kinds) if isinstance(rule, Mapping) and rule else "")
        )
    ((kind, how),) = rule.items()
    if kind == "age_bands":
        return _age_bands(frame[column], how, periods.as_of(frame, as_of))
    return kinds[kind](frame[column], how)


def _cuts(cuts: Any, column: object) -> list[float]:
    fine = isinstance(cuts, Sequence) and not isinstance(cuts, str) and len(cuts) > 0
    if not fine or any(after <= before for before, after in pairwise(cuts)):
        raise InputError(f"the bands of {column!r} must be rising numbers such as [18, 30, 45], not {cuts!r}.")
    return list(cuts)


def _age_bands(values: "pd.Series[Any]", cuts: Any, day: Any) -> "pd.Series[Any]":
    if not pd.api.types.is_datetime64_any_dtype(values):
        raise KindError(
            f"column {values.name!r} holds {values.dtype}, not days; read it with pandas.to_datetime first."
        )
    cuts = _cuts(cuts, values.name)
    before_birthday = (values.dt.month > day.month) | ((values.dt.month == day.month) & (values.dt.day > day.day))
    age = (day.year - values.dt.year - before_birthday).where(lambda years: years.between(0, 120))
    labels = [f"under {cuts[0]}", *(f"{low}-{high - 1}" for low, high in pairwise(cuts))]
    return _labelled(age, cuts, [*labels, f"{cuts[-1]} and more"])


def _bands(values: "pd.Series[Any]", cuts: Any) -> "pd.Series[Any]":
    if not pd.api.types.is_numeric_dtype(values):
        raise KindError(f"column {values.name!r} holds {values.dtype}, not numbers; bands need numbers.")
    cuts = _cuts(cuts, values.name)
    labels = [f"under {cuts[0]}", *(f"{low} to under {high}" for low, high in pairwise(cuts))]
    return _labelled(values, cuts, [*labels, f"{cuts[-1]} and more"])


def _labelled(values: "pd.Series[Any]", cuts: list[float], labels: list[str]) -> "pd.Series[Any]":
    return pd.cut(values.astype(float), [-np.inf, *cuts, np.inf], right=False, labels=labels)


def _prefix(values: "pd.Series[Any]", length: Any) -> "pd.Series[Any]":
    if isinstance(length, bool) or not isinstance(length, int | np.integer) or length < 1:
        raise InputError(f"the prefix of {values.name!r} must be a whole number of letters, 1 or more, not {length!r}.")
    return texts(values.map(lambda value: id_text(value)[:length] + "*", na_action="ignore"))


def _as_is(values: "pd.Series[Any]", yes: Any) -> "pd.Series[Any]":
    if yes is not True:
        raise InputError(f"the rule of {values.name!r} must be {{'keep': True}}; to leave it out, give it no rule.")
    return values


def _k(k: Any) -> int:
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 2:
        raise InputError(f"k={k!r} hides nobody; it must be a whole number from 2 on, and 5 or more is usual.")
    return int(k)
