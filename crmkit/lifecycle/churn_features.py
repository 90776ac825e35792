"""What was known on one day: features that cannot know the future, and each customer watched against the own history.

A warning is judged on the past, where the future lies in the same tables. Most warnings that look brilliant there have
looked at it. A `FeatureSet` holds the tables as they were at the end of one day: a later row cannot be asked for, a
field that was filled in later is blank again, and a column without a date does not get in unnamed.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from crmkit import periods
from crmkit.errors import InputError, near_misses, one_of
from crmkit.tables.frames import needs, once

WHAT = ("count", "sum", "mean", "last", "days_since")
#: The last day that one row of a table speaks of, if its date is the first day of a week or a month.
COVERS = {"day": pd.offsets.Day(0), "week": pd.offsets.Day(6), "month": pd.offsets.MonthEnd(1)}


class FeatureSet:
    """What was known of these customers at the end of the cut-off day.

    Parameters: `customers`, their ids (an Index, a list, or a frame indexed by customer_id, of which nothing but the ids
    is taken); `cutoff`, the last day that may be known.

    `frame` has one row a customer: `as_of` (the cut-off), then the features in the order they were made. `undated` lists
    columns taken in without a date, `later` counts the rows of each table that came after the cut-off.

    >>> tickets = pd.DataFrame({"customer_id": ["a", "a", "b"], "opened_at": ["2025-05-02", "2025-06-11", "2025-07-03"],
    ...                         "resolved_at": ["2025-05-03", "2025-07-02", None], "satisfied": ["yes", "no", None]})
    >>> facts = FeatureSet(["a", "b"], cutoff="2025-06-30")
    >>> facts.know("tickets", tickets, dated="opened_at", filled={"satisfied": "resolved_at"})
    >>> facts.add("tickets_3m", "tickets", "count", within="3 months")
    >>> facts.add("last_answer", "tickets", "last", "satisfied")
    >>> facts.frame
                     as_of  tickets_3m last_answer
    customer_id
    a           2025-06-30           2         yes
    b           2025-06-30           0         NaN
    >>> facts.rows("tickets", last="2025-07-31")
    Traceback (most recent call last):
    crmkit.errors.InputError: tickets: last=2025-07-31 lies after the cut-off 2025-06-30. 1 row came later, the first on
    2025-07-03 (customer 'b'): a warning of that day cannot know it.
    """

    def __init__(self, customers: Any, cutoff: object) -> None:
        ids = customers.index if isinstance(customers, (pd.DataFrame, pd.Series)) else pd.Index(customers)
        once(ids, "customers")
        if ids.empty:
            raise InputError("customers is empty: there is nobody to know anything about.")
        self.cutoff = periods.day(cutoff, "cutoff")
        self._end = pd.Timestamp(self.cutoff)
        self._ids = ids.rename("customer_id")
        self._columns: dict[str, pd.Series[Any]] = {}
        self._tables: dict[str, pd.DataFrame] = {}
        self._first_later: dict[str, tuple[Any, Any]] = {}
        self.later: dict[str, int] = {}
        self.undated: list[str] = []

    @property
    def frame(self) -> pd.DataFrame:
        frame = pd.DataFrame({"as_of": self._end, **self._columns}, index=self._ids)
        frame.attrs = {"as_of": self.cutoff.isoformat(), "undated": list(self.undated)}
        return frame

    def know(
        self,
        name: str,
        rows: pd.DataFrame,
        *,
        dated: str,
        covers: str = "day",
        filled: Mapping[str, str] | None = None,
    ) -> None:
        """Take in a table as it stood at the end of the cut-off day.

        `dated` is the column with the day of each row. If a row sums up the week or month that begins on that day, say
        `covers="week"` or `"month"`: it is known when that is over. `filled` names the columns that were filled in later
        and the column that says when (`{"satisfied": "resolved_at"}`): they are blank if that day was still to come, and
        so is every date after the cut-off, in any column (a date written as text is only a text).
        Raises ColumnError for missing columns, InputError for rows without a day.
        """
        filled = dict(filled or {})
        needs(rows, ["customer_id", dated, *filled, *filled.values()], name)
        one_of("covers", covers, COVERS)
        table = rows.reset_index(drop=True)
        for column in table.columns:
            python_days = table[column].dtype == object and pd.api.types.infer_dtype(table[column]) in (
                "date",
                "datetime",
            )
            if python_days or column in (dated, *filled.values()):
                table[column] = pd.to_datetime(table[column])
        if table[dated].isna().any():
            raise InputError(
                f"{name}: {table[dated].isna().sum():,} of {len(table):,} rows have no {dated!r}: what has no day cannot "
                "be shown to have been known. Leave these rows out, or find out when they were written."
            )
        first = table[dated].dt.normalize()
        table["_first"], table["_last"] = first, first + COVERS[covers]
        known = table["_last"] <= self._end
        self.later[name] = int((~known).sum())
        if self.later[name]:
            row = table[~known].sort_values(dated).iloc[0]
            self._first_later[name] = (row["_last"].date(), row["customer_id"])
        table = table[known]
        for column in table.columns.difference(["_first", "_last"]):
            moments = filled.get(column, column)
            if pd.api.types.is_datetime64_any_dtype(table[moments]):
                table[column] = table[column].where(table[moments].dt.normalize() <= self._end)
        self._tables[name] = table.sort_values("_last", kind="stable")

    def rows(self, name: str, first: object = None, last: object = None) -> pd.DataFrame:
        """The known rows of a table that lie wholly between two days; a last day after the cut-off raises."""
        until = self._end if last is None else pd.Timestamp(periods.day(last, "last"))
        if name not in self._tables:
            raise InputError(
                f"there is no table {name!r} here; take it in with know().{near_misses(name, self._tables)}"
            )
        if until > self._end:
            day, customer = self._first_later.get(name, (None, None))
            number = self.later[name]
            what = (
                f"{number:,} row{'s' if number > 1 else ''} came later, the first on {day} (customer {customer!r}): a"
                if number
                else "A"
            )
            raise InputError(
                f"{name}: last={until.date()} lies after the cut-off {self.cutoff}. {what} warning of that day cannot know it."
            )
        table = self._tables[name]
        inside = table["_last"] <= until
        if first is not None:
            inside &= table["_first"] >= pd.Timestamp(periods.day(first, "first"))
        return table[inside].drop(columns=["_first", "_last"])

    def add(
        self,
        feature: str,
        table: str,
        what: str,
        column: str | None = None,
        *,
        within: str | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> None:
        """One figure a customer from a known table.

        `what`: "count" of rows, "sum" or "mean" of `column`, "last" value of it, "days_since" the last row. `within` is
        the time up to the cut-off, such as "3 months" (calendar months, so that three monthly rows are three); all that is
        known unless given. `where` picks rows by value: `{"kind": "complaint"}`. A customer without such rows has 0 for
        count and sum, else a missing value.
        """
        one_of("what", what, WHAT)
        rows = self.rows(table, None if within is None else self._since(within))
        needed = [*(where or {}), *([column] if column else [])]
        needs(rows, needed, table)
        for name, value in (where or {}).items():
            rows = rows[rows[name] == value]
        if what in ("sum", "mean", "last") and column is None:
            raise InputError(f"{feature}: say which column of {table} to take for {what!r}.")
        if what == "days_since":
            days = self._tables[table].loc[rows.index].groupby("customer_id")["_last"].max()
            found = (self._end - days).dt.days
        else:
            by_customer = rows.groupby("customer_id")
            found = by_customer.size() if what == "count" else getattr(by_customer[column], what)()
        self._put(feature, found.reindex(self._ids, **({"fill_value": 0} if what in ("count", "sum") else {})))

    def derive(self, feature: str, rule: Callable[[pd.DataFrame], Any]) -> None:
        """A figure from those that are here: `facts.derive("ratio", lambda known: known["logins_1m"] / known["logins_3m"])`."""
        self._put(feature, pd.Series(rule(self.frame), index=self._ids))

    def join(
        self,
        table: pd.DataFrame,
        *,
        dated: str | None = None,
        columns: list[str] | None = None,
        undated: str = "refuse",
    ) -> None:
        """Take in ready-made figures, one row a customer, if they say of which day they are.

        The day is the column `dated`, else the `as_of` that a table of this kit carries (`lifecycle.summary`). A row of
        a later day raises. A table without a day is refused; with `undated="mark"` its columns come in under the name
        `undated_…`, so that nobody takes them for dated ones. A day proves what the table *says*: who wrote what into
        it when, only its owner knows.
        """
        if undated not in ("refuse", "mark"):
            raise InputError(f'undated={undated!r} must be "refuse" or "mark".')
        needs(table, [dated] if dated else [])
        table = table.set_index("customer_id") if "customer_id" in table.columns else table
        once(table.index, "the table")
        carried = table.attrs.get("as_of") if dated is None else None
        days = pd.to_datetime(table[dated] if dated else pd.Series(carried, index=table.index, dtype=object))
        taken = [name for name in table.columns if name != dated] if columns is None else list(columns)
        needs(table, taken)
        if days.isna().any():
            if dated or undated == "refuse":
                raise InputError(
                    f"{days.isna().sum():,} of {len(days):,} rows say of no day that they were known on it"
                    + (f" ({dated!r} is missing)." if dated else ": name the column with dated=…,")
                    + ' or take the columns in as "undated_…" with undated="mark".'
                )
        elif (days.dt.normalize() > self._end).any():
            late = days[days.dt.normalize() > self._end]
            raise InputError(
                f"{len(late):,} rows are of a day after the cut-off {self.cutoff}, the first of {late.min().date()} (customer "
                f"{late.idxmin()!r}): a warning of that day cannot know it."
            )
        mark = "undated_" if days.isna().any() else ""
        self.undated += [mark + name for name in taken if mark]
        for name in taken:
            self._put(mark + name, table[name].reindex(self._ids))

    def __repr__(self) -> str:
        lines = [f"{len(self._ids):,} customers as of {self.cutoff}: {len(self._columns)} features"]
        lines += [
            f"  {name}: {len(rows):,} rows known, {self.later[name]:,} later" for name, rows in self._tables.items()
        ]
        if self.undated:
            lines.append(f"  UNDATED, may know the future: {', '.join(self.undated)}")
        return "\n".join(lines)

    def _put(self, feature: str, values: "pd.Series[Any]") -> None:
        if feature in self._columns or feature in ("as_of", "customer_id"):
            raise InputError(f"there is a feature {feature!r} already; choose another name.")
        self._columns[feature] = values

    def _since(self, within: str) -> Any:
        """The first day of a window that ends with the cut-off; months and years by the calendar."""
        span, after = periods.Horizon.parse(within), self._end + pd.Timedelta(days=1)
        if span.unit in ("months", "years") and span.number == int(span.number):
            return after - pd.DateOffset(**{span.unit: int(span.number)})
        return after - pd.Timedelta(days=round(span.days))


def watch(
    facts: FeatureSet,
    indicators: Mapping[str, tuple[str, ...]],
    *,
    recent: str = "3 months",
    history: str = "12 months",
    since: "pd.Series[Any] | None" = None,
    limit: float = 2.0,
    points: float = 1.0,
) -> pd.DataFrame:
    """Whose activity, purchase frequency or satisfaction has fallen below their own habit?

    Parameters
        facts: the known tables.
        indicators: name → (table, what, column): `{"activity": ("visits", "count"), "frequency": ("orders", "count"),
            "satisfaction": ("feedback", "mean", "satisfaction")}`. "count" and "sum" are of events (orders, log-ins),
            "mean" of a score.
        recent: the time up to the cut-off that is judged. history: the time before it that is the yardstick.
        since: the first day of each customer (Series by customer_id); else the first known row in the table. Before it
            there could be no events.
        limit: an alert of events: so many standard errors below the expectation (events by chance, as Poisson counts,
            and the expectation is itself an estimate). points: an alert of a score: so many points below the mean before.
    Returns: one row a customer: for each indicator `…_recent`, `…_usual` (events: expected in that time at the
        customer's former rate; a score: the former mean), `…_change` (recent / usual − 1; a score: the difference), `…_alert`; and
        `alerts` (their number), `because` (in words). Missing where the history is shorter than `recent`, or a score is
        missing: unknown is no alert. attrs: `as_of`.
    Source: 001 §2.1.3 names the three indicators and "their change over time"; control limits for counts are those of a
        c chart (Montgomery, Introduction to Statistical Quality Control), widened for the estimated expectation.

    >>> visits = pd.DataFrame({"customer_id": ["a"] * 19 + ["b"], "day": [*pd.date_range("2025-01-01", periods=18, freq="10D"),
    ...     pd.Timestamp("2025-09-20"), pd.Timestamp("2025-01-01")]})
    >>> facts = FeatureSet(["a", "b"], "2025-09-30")
    >>> facts.know("visits", visits, dated="day")
    >>> watch(facts, {"activity": ("visits", "count")}, history="6 months")[["activity_recent", "activity_usual", "because"]].round(1)
                 activity_recent  activity_usual                              because
    customer_id
    a                          1             9.1  activity: 1 against a usual 9.15
    b                          0             0.5
    """
    start = pd.Timestamp(facts._since(recent))
    window = (facts._end - start).days + 1
    earliest = start - (facts._end + pd.Timedelta(days=1) - pd.Timestamp(facts._since(history)))
    table = pd.DataFrame(index=facts.frame.index)
    words = pd.DataFrame(index=table.index)
    for name, (source, what, *column) in indicators.items():
        if what not in ("count", "sum", "mean") or (what != "count" and not column):
            raise InputError(
                f'{name}: say (table, "count"), (table, "sum", column) or (table, "mean", column), not {what!r}.'
            )
        now, before = facts.rows(source, start), facts.rows(source, earliest, start - pd.Timedelta(days=1))
        needs(now, column, source)
        if what == "mean":
            found, usual = (
                rows.groupby("customer_id")[column[0]].mean().reindex(table.index) for rows in (now, before)
            )
            change = found - usual
            alert = change <= -points
        else:
            found, total = (
                (
                    rows.groupby("customer_id").size()
                    if what == "count"
                    else rows.groupby("customer_id")[column[0]].sum()
                ).reindex(table.index, fill_value=0)
                for rows in (now, before)
            )
            known = (
                facts._tables[source].groupby("customer_id")["_first"].min() if since is None else pd.to_datetime(since)
            )
            days = (start - known.reindex(table.index).clip(lower=earliest)).dt.days
            days = days.where(days >= window)
            usual = total / days * window
            error = np.sqrt(usual * (1 + window / days))
            change = found / usual.where(usual > 0) - 1
            alert = (found - usual) < -limit * error
        table[f"{name}_recent"], table[f"{name}_usual"], table[f"{name}_change"] = found, usual, change
        table[f"{name}_alert"] = alert.fillna(False).astype(bool)
        words[name] = [
            f"{name}: {now_:.3g} against a usual {usual_:.3g}" if fell else ""
            for now_, usual_, fell in zip(found, usual, table[f"{name}_alert"], strict=True)
        ]
    table["alerts"] = table[[f"{name}_alert" for name in indicators]].sum(axis=1)
    table["because"] = [", ".join(filter(None, row)) for row in words.itertuples(index=False)]
    table.attrs = {"as_of": facts.cutoff.isoformat()}
    return table
