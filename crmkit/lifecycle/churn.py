"""Who has left? Churn with a contract (there is a notice) and without (there is only silence), its rate and reasons."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pandas as pd

from crmkit import periods
from crmkit.errors import InputError
from crmkit.evaluation.intervals import share_interval
from crmkit.tables.frames import complete, needs, once, rows_of

if TYPE_CHECKING:
    from crmkit.tables import Transactions

#: What people write when they give no reason.
UNKNOWN = ("", "none given", "unknown", "no reason", "n/a")


def labels_by_contract(
    subscribers: pd.DataFrame, cancellations: pd.DataFrame, *, cutoff: object, horizon: str, data_until: object
) -> pd.DataFrame:
    """Of those under contract on this day, who gave notice in the following weeks?

    Parameters
        subscribers: `customer_id`, `started_on`.
        cancellations: `customer_id`, `cancelled_on`, and `returned_on` if some come back; several a customer are fine.
        cutoff: the day of the warning: nothing later may be known to it.
        horizon: how far the warning looks ahead, such as "60 days". The window is the days after the cut-off.
        data_until: the last day on which notices were recorded. A window that reaches beyond it would call those who
            leave unseen stayers, so it is refused.
    Returns: one row a customer under contract at the end of the cut-off day, indexed by customer_id, sorted: `left`
        (bool), `left_on` (the day of the notice, missing for those who stay). attrs: `as_of` (the cut-off), `known_on`
        (the last day of the window), `horizon`, `meaning`.
    Raises: InputError for a window outside the data, for notices before the start or of unknown customers.

    >>> subscribers = pd.DataFrame({"customer_id": ["a", "b", "c"], "started_on": ["2025-01-05", "2025-02-01", "2025-07-01"]})
    >>> notices = pd.DataFrame({"customer_id": ["a"], "cancelled_on": ["2025-05-20"]})
    >>> labels_by_contract(subscribers, notices, cutoff="2025-04-30", horizon="60 days", data_until="2025-12-31")
                  left    left_on
    customer_id
    a             True 2025-05-20
    b            False        NaT
    """
    day, ends = _window(cutoff, horizon, data_until)
    spans = _contracts(subscribers, cancellations)
    under = spans[(spans["begins"] <= day) & ~(spans["ends"] <= day)]
    if under.empty:
        raise InputError(
            f"nobody is under contract on cutoff={str(cutoff)!r}; the first contract begins on {spans['begins'].min().date()}."
        )
    left_on = under["ends"].where(under["ends"] <= ends)
    labels = pd.DataFrame({"left": left_on.notna(), "left_on": left_on}).sort_index()
    return _told(labels, day, ends, horizon, f"gave notice within {periods.Horizon.parse(horizon)} after {day.date()}")


def labels_by_silence(
    orders: "Transactions", *, cutoff: object, horizon: str, active_within: str | None = None
) -> pd.DataFrame:
    """Of those who bought lately, who bought nothing in the following months?

    Without a contract nobody says good-bye: "left" is a decision about how long a silence has to be. Choose a horizon
    that most customers' usual gap fits into (`by_horizon` and `rhythm` help), and say it with every figure.

    Parameters
        orders: the checked transactions. cutoff: the day of the warning.
        horizon: silence of this length after the cut-off counts as leaving, such as "6 months". It must lie inside the
            data, and must not be shorter than the usual gap between two purchases.
        active_within: only customers with a purchase in this time up to the cut-off are judged, because whoever is gone
            already cannot leave; the horizon unless given.
    Returns: one row a customer, indexed by customer_id, sorted: `left` (bool), `left_on` (last purchase + horizon: the
        day on which the definition calls the customer lost; missing for those who stay). attrs as `labels_by_contract`.
    Raises: InputError for a window outside the data or a horizon shorter than the median gap (a wrong unit, mostly).

    >>> from crmkit.tables import Transactions
    >>> rows = pd.DataFrame({"customer_id": ["ann"] * 3 + ["bob", "cho"], "amount": [5] * 5,
    ...                      "ordered_at": ["2025-01-10", "2025-02-10", "2025-04-10", "2025-02-20", "2025-06-30"]})
    >>> labels_by_silence(Transactions.read(rows), cutoff="2025-03-01", horizon="3 months")
                  left    left_on
    customer_id
    ann          False        NaT
    bob           True 2025-05-22
    """
    visits = _visits(orders)
    day, ends = _window(cutoff, horizon, orders.last_day)
    gap = _waits(visits.filter(visits.day <= day.date())).wait.median().to_pyarrow().as_py() or 0
    length = (ends - day).days
    if length < gap:
        raise InputError(
            f"horizon={str(horizon)!r} is {length} days, shorter than the {gap:.0f} days that usually lie between two "
            "purchases here: most of those called lost would come back. Is the unit right?"
        )
    before = day - pd.Timedelta(days=round(periods.Horizon.parse(active_within or horizon).days))
    last = visits.day.max(where=visits.day <= day.date())
    later = ((visits.day > day.date()) & (visits.day <= ends.date())).any()
    people = _by_customer(visits, last=last, later=later)
    people = people[people["last"] > before]
    if people.empty:
        raise InputError(
            f"nobody bought between {before.date()} and the cut-off {day.date()}; the data begin on {orders.first_day}."
        )
    left = ~people["later"].astype(bool)
    on = (people["last"] + pd.Timedelta(days=length)).where(left)
    labels = pd.DataFrame({"left": left, "left_on": on})
    return _told(labels, day, ends, horizon, f"no purchase within {periods.Horizon.parse(horizon)} after {day.date()}")


def by_horizon(orders: "Transactions", *, cutoff: object, horizons: Iterable[str]) -> pd.DataFrame:
    """How does the churn rate move with the length of silence that we call leaving?

    Looked at are all who bought in the longest of the horizons before the cut-off, the same customers in each row.

    Returns: one row a horizon, in the given order: `horizon`, `days`, `customers`, `silent` (no purchase in that time
        after the cut-off), `rate` with `low` and `high` (95 %), `back_later` (of the silent, who bought after the window
        and before the end of the data: wrongly called lost), `share_back` (missing if no day was left to come back),
        `watched_days` (days of data after the window: the fewer, the fewer can be seen to come back).
    Raises: InputError if a window reaches beyond the data.

    >>> from crmkit.tables import Transactions
    >>> rows = pd.DataFrame({"customer_id": ["ann", "ann", "bob", "bob"], "amount": [5] * 4,
    ...                      "ordered_at": ["2025-02-10", "2025-04-10", "2025-02-20", "2025-07-01"]})
    >>> orders = Transactions.read(rows)
    >>> by_horizon(orders, cutoff="2025-03-01", horizons=["2 months", "4 months"])[["horizon", "silent", "back_later"]]
        horizon  silent  back_later
    0  2 months       1           1
    1  4 months       0           0
    """
    visits = _visits(orders)
    windows = [(str(periods.Horizon.parse(each)), *_window(cutoff, each, orders.last_day)) for each in horizons]
    if not windows:
        raise InputError('horizons is empty; give at least one, such as ["3 months", "6 months"].')
    day, longest = windows[0][1], max(ends for _, _, ends in windows)
    last, following = visits.day.max(where=visits.day <= day.date()), visits.day.min(where=visits.day > day.date())
    people = _by_customer(visits, last=last, following=following)
    active = people[people["last"] > day - (longest - day)]
    next_day = active["following"]
    rows = []
    for horizon, _, ends in windows:
        silent = ~(next_day <= ends)
        back = int((next_day > ends).sum())
        rate, low, high = share_interval(int(silent.sum()), len(active)) if len(active) else (np.nan, 0.0, 1.0)
        rows.append((horizon, (ends - day).days, len(active), int(silent.sum()), rate, low, high, back))
    columns = ["horizon", "days", "customers", "silent", "rate", "low", "high", "back_later"]
    table = pd.DataFrame(rows, columns=columns)
    table["share_back"] = table["back_later"] / table["silent"].where(table["silent"] > 0)
    table["watched_days"] = [(pd.Timestamp(orders.last_day) - ends).days for _, _, ends in windows]
    table["share_back"] = table["share_back"].where(table["watched_days"] > 0)
    table.attrs = {"as_of": day.date().isoformat()}
    return table


def rhythm(orders: "Transactions", *, as_of: object = None) -> pd.DataFrame:
    """Who is late, measured against their own habit?

    Thirty days of silence mean nothing from a customer who comes twice a year, and much from one who came every week.

    Returns: one row a customer with a purchase up to `as_of` (the last day of the data unless given), indexed by
        customer_id, sorted: `purchases` (days with one), `usual_gap_days` (median of the customer's own gaps; missing with
        fewer than two gaps, since one gap is no habit), `longest_gap_days`, `days_since` (from the last purchase),
        `times_late` (days_since / usual_gap_days). attrs: `as_of`.

    >>> from crmkit.tables import Transactions
    >>> rows = pd.DataFrame({"customer_id": ["ann"] * 4, "ordered_at": ["2026-01-01", "2026-01-08", "2026-01-15", "2026-01-22"],
    ...                      "amount": [5, 5, 5, 5]})
    >>> rhythm(Transactions.read(rows), as_of="2026-02-12")[["usual_gap_days", "days_since", "times_late"]]
                 usual_gap_days  days_since  times_late
    customer_id
    ann                     7.0          21         3.0
    """
    visits = _visits(orders)
    day = pd.Timestamp(periods.day(as_of) if as_of is not None else orders.last_day)
    waits = _waits(visits.filter(visits.day <= day.date()))
    table = _by_customer(
        waits,
        purchases=waits.count(),
        usual_gap_days=waits.wait.median(),
        longest_gap_days=waits.wait.max(),
        last=waits.day.max(),
    )
    if table.empty:
        raise InputError(f"as_of={day.date()} is before the first purchase; the data begin on {orders.first_day}.")
    table["usual_gap_days"] = table["usual_gap_days"].where(table["purchases"] >= 3)
    table["days_since"] = (day - table.pop("last")).dt.days
    table["times_late"] = table["days_since"] / table["usual_gap_days"]
    table.attrs = {"as_of": day.date().isoformat()}
    return table


def reasons(
    gone: pd.DataFrame,
    *,
    reason: str = "reason",
    unknown: Iterable[str] = UNKNOWN,
    names: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Why do they say they left? Reasons by frequency, with the share that nobody knows.

    Parameters: `gone`, one row a customer (or notice) with the column `reason`; `unknown`, the words that give no reason
        (missing values count too); `names`, other spellings of a reason and what they mean.
    Returns: one row a known reason, most frequent first: `reason`, `customers`, `share` of the known with `low` and
        `high` (95 %), `cumulative` share, `share_of_all`. attrs: `unknown`, `share_unknown`, `warning` (in words).
    Raises: ColumnError without the column; InputError if no reason is known.

    >>> gone = pd.DataFrame({"reason": ["price", "price", "quality", None, "none given"]})
    >>> table = reasons(gone)
    >>> table[["reason", "customers", "share_of_all"]]
        reason  customers  share_of_all
    0    price          2           0.4
    1  quality          1           0.2
    >>> table.attrs["share_unknown"]
    0.4
    """
    needs(gone, [reason], "gone")
    words = gone[reason].astype(object).map(lambda text: " ".join(str(text).split()).casefold(), na_action="ignore")
    if names:
        words = words.replace({" ".join(str(key).split()).casefold(): value for key, value in names.items()})
    known = words[words.notna() & ~words.isin([word.casefold() for word in unknown])]
    if known.empty:
        raise InputError(f"column {reason!r}: none of {len(gone):,} rows names a reason; ask those who leave.")
    counts = known.value_counts().rename_axis("reason").reset_index(name="customers")
    counts = counts.sort_values(["customers", "reason"], ascending=[False, True], ignore_index=True)
    counts["share"], counts["low"], counts["high"] = share_interval(counts["customers"], len(known))
    counts["cumulative"] = counts["share"].cumsum()
    counts["share_of_all"] = counts["customers"] / len(gone)
    missing = len(gone) - len(known)
    counts.attrs = {"unknown": missing, "share_unknown": missing / len(gone)}
    counts.attrs["warning"] = (
        f"{missing:,} of {len(gone):,} give no reason, and may have others. A reason is what somebody says on leaving: it "
        "goes with leaving, and need not be what caused it."
    )
    return counts


def _window(cutoff: object, horizon: str, data_until: object) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The cut-off and the last day of the window after it; refused if the data end before."""
    day, known = (
        pd.Timestamp(periods.day(value, name)) for value, name in ((cutoff, "cutoff"), (data_until, "data_until"))
    )
    length = pd.Timedelta(days=round(periods.Horizon.parse(horizon).days))
    if day + length > known:
        latest = known - length
        raise InputError(
            f"the {periods.Horizon.parse(horizon)} after cutoff={str(day.date())!r} end on {(day + length).date()}, but the "
            f"data end on {known.date()}: who leaves unseen would count as a stayer. Use a cut-off up to {latest.date()}, or "
            "a shorter horizon."
        )
    return day, day + length


def _told(labels: pd.DataFrame, day: pd.Timestamp, ends: pd.Timestamp, horizon: str, meaning: str) -> pd.DataFrame:
    labels.attrs = {"as_of": day.date().isoformat(), "known_on": ends.date().isoformat()}
    labels.attrs |= {"horizon": str(periods.Horizon.parse(horizon)), "meaning": meaning}
    return labels


def _contracts(subscribers: pd.DataFrame, cancellations: pd.DataFrame) -> pd.DataFrame:
    """One row a spell under contract: `begins`, `ends` (the notice; missing if it goes on), by customer_id."""
    needs(subscribers, ["customer_id", "started_on"], "subscribers")
    needs(cancellations, ["customer_id", "cancelled_on"], "cancellations")
    starts = pd.to_datetime(subscribers.set_index("customer_id")["started_on"]).dt.normalize()
    once(starts.index, "subscribers")
    complete(subscribers, ["started_on"], "subscribers")
    notices = pd.DataFrame({"customer_id": cancellations["customer_id"]})
    for column in ("cancelled_on", "returned_on"):
        given = cancellations[column] if column in cancellations else pd.Series(pd.NaT, index=cancellations.index)
        notices[column] = pd.to_datetime(given).dt.normalize()
    strangers = ~notices["customer_id"].isin(starts.index)
    if strangers.any():
        example = notices.loc[strangers, "customer_id"].iloc[0]
        raise InputError(
            f"cancellations: {strangers.sum():,} rows are of customers who are not among the subscribers, such as {example!r}."
        )
    backwards = notices["returned_on"] < notices["cancelled_on"]
    if backwards.any():
        raise InputError(
            f"cancellations: 'returned_on' lies before 'cancelled_on' in {backwards.sum():,} rows, such as that of "
            f"{notices.loc[backwards, 'customer_id'].iloc[0]!r}; a return comes after the notice."
        )
    complete(notices, ["cancelled_on"], "cancellations")
    begun = pd.concat(
        [
            starts.rename("begins").reset_index(),
            notices[["customer_id", "returned_on"]].dropna().rename(columns={"returned_on": "begins"}),
        ]
    )
    begun = begun.sort_values(["customer_id", "begins"], ignore_index=True)
    ended = notices.sort_values(["customer_id", "cancelled_on"])
    spells = begun.assign(number=begun.groupby("customer_id").cumcount()).merge(
        ended.assign(number=ended.groupby("customer_id").cumcount())[["customer_id", "number", "cancelled_on"]],
        on=["customer_id", "number"],
        how="outer",
    )
    wrong = spells["begins"].isna() | (spells["cancelled_on"] < spells["begins"])
    if wrong.any():
        row = spells[wrong].iloc[0]
        raise InputError(
            f"cancellations: {wrong.sum():,} notices do not fit a contract, such as that of {row['customer_id']!r} on "
            f"{row['cancelled_on'].date()}: before the start, or a second one without a return."
        )
    return spells.rename(columns={"cancelled_on": "ends"}).set_index("customer_id")[["begins", "ends"]]


def _visits(orders: "Transactions") -> ibis.Table:
    """Days with a purchase: one row a customer and day."""
    rows = rows_of(orders, "churn")
    return rows.filter(rows.amount >= 0).select("customer_id", "day").distinct()


def _waits(visits: ibis.Table) -> ibis.Table:
    """The same with `wait`, the days since the customer's purchase before; missing for the first."""
    in_turn = ibis.window(group_by="customer_id", order_by="day")
    return visits.mutate(wait=visits.day.delta(visits.day.lag().over(in_turn), unit="day").cast("float64"))


def _by_customer(table: ibis.Table, **figures: Any) -> pd.DataFrame:
    found = table.group_by("customer_id").aggregate(**figures).to_pyarrow().to_pandas().set_index("customer_id")
    for name in ("last", "following"):
        if name in found:
            found[name] = pd.to_datetime(found[name])
    return found.sort_index()
