"""How far do people come? The funnel of a cohort or of a stretch of time, and the five AARRR rates."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from crmkit import periods
from crmkit.errors import InputError, one_of
from crmkit.evaluation.intervals import share_interval
from crmkit.lifecycle.acquisition import days
from crmkit.tables.frames import needs

__all__ = ["AARRR", "Rate", "aarrr", "funnel"]


def funnel(
    people: pd.DataFrame,
    steps: Sequence[str],
    *,
    first: object = None,
    last: object = None,
    within: str | None = None,
    as_of: object = None,
    kind: str = "cohort",
    level: float = 0.95,
) -> pd.DataFrame:
    """Of those who began, how many took each next step, and where do most stop?

    A **cohort** follows the same people: those whose first step fell between `first` and `last`. A **snapshot** counts
    who took each step in that time, whoever they are; its rates compare different people, may exceed 1, and get no
    interval. Days count, not clock times: two steps on one day are in order.

    Parameters
        people: one row a person, one column of dates a step, missing where the step was not taken.
        steps: the columns in the order in which the steps are taken, at least two.
        first, last: the days between which the cohort begins, or the snapshot is taken; open unless given.
        within: a cohort has this long after its first step, such as "60 days"; people whose time was not up at `as_of`
            are left out and counted in attrs `not_yet`. Without it everybody has until `as_of`: old people had longer.
        as_of: the last day that the data know; later dates are not looked at. Else the attrs of `people` say it.
        kind: "cohort" or "snapshot". level: of the intervals.
    Returns: one row a step: `step`, `people`, `rate` (of the step before), `low`, `high` (Wilson; cohort only),
        `of_first` (of the first step), `median_days` (since the step before; cohort only), `without_earlier`. In a
        cohort the last are people with this step, but an earlier one missing or later than it: they are *not* in
        `people`. In a snapshot they are *among* `people`: they did not take the step before in the same time.
        attrs: `kind`, `as_of`, `not_yet`, `note` in words.
    Raises: ColumnError for a missing step; KindError, InputError for columns without dates, an empty cohort, an
        unknown kind, `first` after `last`.

    >>> people = pd.DataFrame({
    ...     "visited": ["2025-01-01", "2025-01-02", "2025-01-03", None],
    ...     "bought": ["2025-01-11", None, "2025-01-04", "2025-01-05"]})
    >>> found = funnel(people, ["visited", "bought"], within="30 days", as_of="2025-03-31")
    >>> found[["step", "people", "rate", "median_days", "without_earlier"]].round(2)
          step  people  rate  median_days  without_earlier
    0  visited       3   NaN          NaN                0
    1   bought       2  0.67          5.5                1
    """
    one_of("kind", kind, ("cohort", "snapshot"))
    if isinstance(steps, str) or len(steps := list(steps)) < 2:
        raise InputError(f"steps must name at least two columns in the order of the steps, not {steps!r}.")
    needs(people, steps, "people")
    end = pd.Timestamp(periods.as_of(people, as_of))
    dates = pd.DataFrame({step: days(people, step) for step in steps})
    dates = dates.where(dates <= end)
    begin, close = _between(first, last, end)
    if kind == "snapshot" and within is not None:
        raise InputError(
            f"within={within!r} is for a cohort: a snapshot looks at one stretch of time, `first` to `last`."
        )
    inside = dates.ge(begin) & dates.le(close)
    not_yet = 0
    if kind == "snapshot":
        reached = inside
        stray = pd.concat([inside.iloc[:, 0] & False, inside.iloc[:, 1:] & ~inside.shift(axis=1).iloc[:, 1:]], axis=1)
        stray.columns = steps
    else:
        limit = pd.Series(end, dates.index)
        entered = inside[steps[0]]
        if within is not None:
            limit = dates[steps[0]] + pd.Timedelta(days=int(periods.Horizon.parse(within).days))
            not_yet, entered = int((entered & (limit > end)).sum()), entered & (limit <= end)
        in_order = pd.DataFrame(
            {
                step: dates[steps[: at + 1]].notna().all(axis=1) & _rising(dates[steps[: at + 1]])
                for at, step in enumerate(steps)
            }
        )
        reached = in_order.mul(entered, axis=0) & dates.le(limit, axis=0)
        stray = ~in_order & dates.ge(begin)
    counts = reached.sum()
    if counts.iloc[0] == 0:
        raise InputError(
            f"nobody took the first step {steps[0]!r} between {begin.date()} and {close.date()}"
            + (f" with {within} to follow up to {end.date()}" if within else "")
            + "; choose another time."
        )
    before = counts.shift().to_numpy()
    table = pd.DataFrame({"step": steps, "people": counts.to_numpy()})
    table["rate"] = np.divide(table["people"], before, out=np.full(len(steps), np.nan), where=before > 0)
    table["low"] = table["high"] = table["median_days"] = np.nan
    if kind == "cohort":
        table.loc[1:, ["low", "high"]] = np.column_stack(share_interval(counts[1:], before[1:], level)[1:])
        gaps = dates.diff(axis=1).where(reached).apply(lambda column: column.dt.days.median())
        table["median_days"] = gaps.to_numpy(dtype=float)
    table.insert(5, "of_first", table["people"] / counts.iloc[0])
    table["without_earlier"] = stray.sum().to_numpy()
    table.attrs = {"kind": kind, "as_of": end.date().isoformat(), "not_yet": not_yet, "level": level}
    table.attrs["note"] = _funnel_note(table, kind, not_yet, within)
    return table


def _rising(dates: pd.DataFrame) -> "pd.Series[bool]":
    return (dates.diff(axis=1).iloc[:, 1:] >= pd.Timedelta(0)).all(axis=1)


def _funnel_note(table: pd.DataFrame, kind: str, not_yet: int, within: str | None) -> str:
    strays = table.loc[table["without_earlier"] > 0, ["step", "without_earlier"]].itertuples(index=False)
    counted = ", ".join(f"{step} {number:,}" for step, number in strays)
    if kind == "snapshot":
        return (
            "A snapshot: the rates compare different people." if not counted else
            f"A snapshot: the rates compare different people. Without the step before in the same time: {counted}."
        )  # fmt: skip
    notes = [f"{not_yet:,} people are left out, whose {within} were not over."] if not_yet else []
    if counted:
        notes.append(f"Not counted, because an earlier step is missing or comes after: {counted}.")
    return " ".join(notes)


class Rate(NamedTuple):
    """A rate with its definition: of those with the date `start`, the share with the date `goal` within the time."""

    stage: str
    start: str
    goal: str
    within: str
    question: str
    lever: str


#: A web shop's reading of McClure (2007). Change it with `_replace`: the words are old, the definitions are yours.
AARRR = (
    Rate("acquisition", "first_visit", "registered_on", "30 days", "Do visitors leave a name?", "fewer fields, a reason to register: a welcome voucher"),
    Rate("activation", "registered_on", "first_order", "30 days", "Do they get the first good experience, here a first order?", "a guide to the first order, a reminder within the week"),
    Rate("retention", "first_order", "second_order", "90 days", "Do they come back?", "a follow-up timed to the cycle of use"),
    Rate("referral", "first_order", "first_referral", "12 months", "Do they bring somebody?", "ask the satisfied; a reward for both sides"),
    Rate("revenue", "first_order", "paid_back", "12 months", "Do they earn what it cost to win them?", "bundles, thresholds for free delivery, prices"),
)  # fmt: skip


def aarrr(
    people: pd.DataFrame,
    rates: Iterable[Rate] = AARRR,
    *,
    first: object = None,
    last: object = None,
    as_of: object = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Where does growth leak: do people come, start, stay, bring others, and pay?

    Each rate follows those who could take the step and had the whole time for it. The five have different bases, so
    they do not multiply to a conversion from first to last.

    Parameters
        people: one row a person with the columns of dates that the rates name (see `funnel`).
        rates: the definitions, one `Rate` a stage: they are choices, and comparing firms needs the same ones.
        first, last: only people whose starting date lies between these days. as_of, level: as in `funnel`.
    Returns: one row a stage: `stage`, `rate`, `low`, `high` (Wilson), `people` (who could), `did`, `not_yet` (left
        out: too short a time), `definition`, `lever`. A stage for which nobody had the time has a missing rate.
        attrs: `as_of`.
    Raises: ColumnError, InputError as `funnel`.
    Source: McClure (2007), "Startup Metrics for Pirates" names acquisition, activation, retention, referral, revenue;
        source 002.B0 names the model and gives no strategies (gap G-04).

    >>> people = pd.DataFrame({"registered": ["2025-01-01"] * 4, "first_order": ["2025-01-02", None, "2025-03-30", None]})
    >>> rate = Rate("activation", "registered", "first_order", "30 days", "Do they start?", "help")
    >>> aarrr(people, [rate], as_of="2025-06-30")[["stage", "rate", "people", "did", "definition"]]
            stage  rate  people  did                                definition
    0  activation  0.25       4    1  first_order within 30 days of registered
    """
    needs(people, [], "people")
    rows, end = [], periods.as_of(people, as_of)
    begin, close = _between(first, last, pd.Timestamp(end))
    for rate in rates:
        needs(people, [rate.start, rate.goal], "people")
        start = days(people, rate.start)
        could = people[start.ge(begin) & start.le(close)]
        limit = start[could.index] + pd.Timedelta(days=int(periods.Horizon.parse(rate.within).days))
        not_yet = int((limit > pd.Timestamp(end)).sum())
        counted = (len(could) - not_yet, 0, not_yet)
        if counted[0]:
            steps = funnel(could, [rate.start, rate.goal], within=rate.within, as_of=end, level=level)
            counted = (*steps["people"], not_yet)
        share = share_interval(counted[1], counted[0], level)
        found = share if counted[0] else (np.nan,) * 3
        definition = f"{rate.goal} within {rate.within} of {rate.start}"
        rows.append((rate.stage, *found, *counted, definition, rate.lever))
    table = pd.DataFrame(
        rows, columns=["stage", "rate", "low", "high", "people", "did", "not_yet", "definition", "lever"]
    )
    table.attrs = {"as_of": end.isoformat(), "level": level}
    return table


def _between(first: object, last: object, end: pd.Timestamp) -> tuple[pd.Timestamp, pd.Timestamp]:
    begin = pd.Timestamp("1900-01-01") if first is None else pd.Timestamp(periods.day(first, "first"))
    close = end if last is None else pd.Timestamp(periods.day(last, "last"))
    if begin > close:
        raise InputError(
            f"first={first!r} is after {f'last={last!r}' if last is not None else f'the last known day, {end.date()}'}."
        )
    return begin, close
