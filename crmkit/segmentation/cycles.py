"""The purchase cycle: how long a household's supply lasts, when it is due again, and whether the date can be trusted."""

from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from crmkit import periods
from crmkit.errors import InputError, in_range, one_of
from crmkit.evaluation.intervals import share_interval
from crmkit.tables.frames import rows_of

if TYPE_CHECKING:
    from crmkit.tables import Transactions

__all__ = ["back_test", "next_due"]

METHODS = ("own cycle, shrunk", "own cycle alone", "cycle of the category", "one day for all", "a day by lot")


def next_due(
    transactions: "Transactions",
    *,
    as_of: object = None,
    centre: str = "median",
    borrowed_gaps: float | None = None,
    window_days: int = 7,
) -> pd.DataFrame:
    """When will each household buy again, and when should a reminder meet it?

    A household's cycle is the median (or mean) of its own gaps between purchase days, drawn towards that of the category: with
    k gaps of its own and m borrowed ones, (k × own + m × category) / (k + m). Who bought once has the category's cycle.

    Give it one category, `orders.where("category", "COFFEE")`, or all purchases of a shop.

    Parameters
        transactions: the checked order book. as_of: the day to stand on; the last of the data unless given.
        centre: "median" or "mean" of the gaps. The median forgives one long holiday.
        borrowed_gaps: m. Learned from the category unless given: the variance of (log) gaps within households over that
            between them. Households that differ little borrow much.
        window_days: days before and after the due date.
    Returns: one row a household, index `customer_id` (ascending): `purchases` (days), `gaps`, `own_cycle_days` (missing without a
        gap), `cycle_days`, `last_purchase`, `due`, `window_from`, `window_to`, `days_until_due` (negative: overdue), `overdue` (the
        window has passed). attrs: `as_of`, `category_cycle_days`, `borrowed_gaps`, `centre`, `window_days`, `note`.
        Censoring: the gap that is still open at `as_of` is in no cycle, and a gap longer than the data cannot be
        seen, so cycles of rare buyers come out too short; who is long overdue may be gone and not late.
    Raises: KindError for anything but checked transactions; InputError if nobody bought twice, for options that do not exist.
    Source: 004.1b times offers to the cycle. Shrinkage: one-way random effects by the method of moments, as in Searle, Casella
        & McCulloch (1992), Variance Components.

    >>> from crmkit.tables import Transactions
    >>> rows = pd.DataFrame({"customer_id": list("aaab"), "amount": [5, 5, 5, 5],
    ...     "ordered_at": ["2026-01-01", "2026-01-11", "2026-01-25", "2026-01-20"]})
    >>> next_due(Transactions.read(rows), borrowed_gaps=1)[["gaps", "cycle_days", "due"]]
                 gaps  cycle_days        due
    customer_id
    a               2        12.0 2026-02-06
    b               0        12.0 2026-02-01
    """
    one_of("centre", centre, ("median", "mean"))
    if borrowed_gaps is not None:
        in_range("borrowed_gaps", borrowed_gaps, 0)
    in_range("window_days", window_days, 0, what="a whole number of days", such_as=7)
    visits = _days(transactions)
    day = pd.Timestamp(transactions.last_day if as_of is None else periods.day(as_of))
    visits = visits.filter(visits.day <= day.date())
    in_turn = ibis.window(group_by="customer_id", order_by="day")
    gaps = visits.mutate(gap=visits.day.delta(visits.day.lag().over(in_turn), unit="day").cast("float64"))
    logs = gaps.gap.log()
    found = gaps.group_by("customer_id").aggregate(
        purchases=gaps.count(),
        own=gaps.gap.median() if centre == "median" else gaps.gap.mean(),
        log_mean=logs.mean(),
        log_square=(logs * logs).sum(),
        last=gaps.day.max(),
    )
    table = found.to_pyarrow().to_pandas().set_index("customer_id").sort_index()
    if table.empty:
        raise InputError(
            f"as_of={day.date()} is before the first purchase; the data begin on {transactions.first_day}."
        )
    own, k = table["own"].astype(float), (table["purchases"] - 1).astype("int64")
    if not k.any():
        raise InputError(
            f"none of {len(table):,} households bought on two days up to {day.date()}: there is no gap to learn from."
        )
    category = round(float(own.median() if centre == "median" else own.mean()), 6)
    borrowed = _borrowed(k, table["log_mean"], table["log_square"]) if borrowed_gaps is None else float(borrowed_gaps)
    # rounded: sums in another order differ in their last digits, and a due date must not
    cycle = ((k * own.fillna(0) + borrowed * category) / (k + borrowed).replace(0, np.nan)).fillna(category).round(6)
    last, wait = pd.to_datetime(table["last"]), pd.Timedelta(days=window_days)
    due = _later(last, cycle)
    dates = {"last_purchase": last, "due": due, "window_from": due - wait, "window_to": due + wait}
    result = pd.DataFrame({"purchases": k + 1, "gaps": k, "own_cycle_days": own, "cycle_days": cycle, **dates})
    result = result.astype(dict.fromkeys(dates, "datetime64[us]"))
    result["days_until_due"] = (due - day).dt.days
    result["overdue"] = due + wait < day
    result.attrs = {
        "as_of": day.date().isoformat(),
        "category_cycle_days": category,
        "borrowed_gaps": borrowed,
        "centre": centre,
        "window_days": int(window_days),
        "note": "Gaps still open at as_of are not counted, and gaps longer than the data cannot be seen: rare buyers' "
        "cycles come out too short.",
    }
    return result


def back_test(
    transactions: "Transactions",
    *,
    cut: object,
    window_days: int = 7,
    centre: str = "median",
    borrowed_gaps: float | None = None,
) -> pd.DataFrame:
    """Would the due date have met the next purchase, and would any other day have done as well?

    Learn up to `cut`, then look: did the household buy within `window_days` of the day that a method chose for it? Judged are
    the same households for all methods: due after `cut` by their own cycle, shrunk, and early enough for the data to show the
    whole window. Where another method names a day up to the cut it is tomorrow, and where the data do not show the whole
    window of its day it is the last day of which they do. A purchase before the cut is no hit, so the window of a day soon
    after it is shorter, for all methods. "One day for all" is the day on which half of them are due; mostly it lies late
    enough to have its whole window, and hits a little more often by that alone. "A day by lot" falls anywhere between the cut
    and one cycle of the category later: its rate is the mean over all these days, without any drawing, rounded to whole hits.
    The intervals say how sure each rate is; since all methods are judged on the same households, two whose intervals overlap
    may still differ.

    Parameters: as `next_due`; `cut` is the last day that is known.
    Returns: one row a method, index `method`: `households`, `hits`, `hit_rate`, `low`, `high` (95 % interval), `times` (hit rate over
        that of a day by lot), `median_miss_days` (between the chosen day and the nearest purchase after the cut, of those who bought; missing for the day by lot).
        attrs: `cut`, `window_days`, `judged`, `overdue` (due before the cut: not judged), `beyond` (window not over at the
        end of the data: not judged), `category_cycle_days`, `borrowed_gaps`.
    Raises: as `next_due`; InputError if nobody can be judged.

    >>> from crmkit.tables import Transactions
    >>> days = pd.date_range("2026-01-01", periods=20, freq="10D")
    >>> rows = pd.DataFrame({"customer_id": "a", "ordered_at": days, "amount": 5})
    >>> back_test(Transactions.read(rows), cut="2026-04-15", window_days=2).loc["own cycle, shrunk", "hit_rate"]
    np.float64(1.0)
    """
    day = pd.Timestamp(periods.day(cut, "cut"))
    known = next_due(
        transactions, as_of=day.date(), centre=centre, borrowed_gaps=borrowed_gaps, window_days=window_days
    )
    end = pd.Timestamp(transactions.last_day)
    category = known.attrs["category_cycle_days"]
    span = max(int(np.floor(category + 0.5)), 1)
    late, beyond = known["due"] <= day, known["window_to"] > end
    judged = known[~late & ~beyond]
    if day + pd.Timedelta(days=span + window_days) > end:
        raise InputError(
            f"cut={day.date()}: the data end on {end.date()}, before one cycle of the category ({span} days) and the window of "
            f"{window_days} days are over; cut earlier."
        )
    if judged.empty:
        raise InputError(
            f"cut={day.date()}: none of {len(known):,} households is due between the cut and the end of the data."
        )
    last = judged["last_purchase"]
    chosen = {
        METHODS[0]: judged["due"],
        METHODS[1]: _later(last, judged["own_cycle_days"].fillna(category)),
        METHODS[2]: _later(last, pd.Series(category, judged.index)),
        METHODS[3]: pd.Series(judged["due"].median().normalize(), judged.index),
    }
    visits = _days(transactions)
    later = visits.filter(visits.day > day.date()).to_pyarrow().to_pandas()
    later["day"] = pd.to_datetime(later["day"])
    later = later[later["customer_id"].isin(judged.index)]
    rows = {}
    for method, days in chosen.items():
        aim = days.clip(day + pd.Timedelta(days=1), end - pd.Timedelta(days=window_days))
        miss = (later["day"] - later["customer_id"].map(aim)).dt.days.abs().groupby(later["customer_id"]).min()
        hits = int((miss <= window_days).sum())
        rows[method] = (len(judged), hits, *share_interval(hits, len(judged)), float(miss.median()))
    # the share of the days up to one cycle from which a purchase is at most the window away, household by household
    after = (later.sort_values(["customer_id", "day"])["day"] - day).dt.days
    before = after.groupby(later["customer_id"]).shift().fillna(-np.inf)
    reach = (
        np.minimum(after + window_days, span)
        - np.maximum(np.maximum(after, before + 2 * window_days + 1) - window_days, 1)
        + 1
    )
    hits = round(float(reach.clip(lower=0).sum()) / span)
    rows[METHODS[4]] = (len(judged), hits, *share_interval(hits, len(judged)), np.nan)
    columns = ["households", "hits", "hit_rate", "low", "high", "median_miss_days"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("method")
    by_lot = table.loc[METHODS[4], "hit_rate"]
    table.insert(5, "times", table["hit_rate"] / (by_lot if by_lot > 0 else np.nan))
    table.attrs = {
        "cut": day.date().isoformat(),
        "window_days": int(window_days),
        "judged": len(judged),
        "overdue": int(late.sum()),
        "beyond": int((beyond & ~late).sum()),
        **{name: known.attrs[name] for name in ("category_cycle_days", "borrowed_gaps")},
    }
    return table


def _later(day: "pd.Series[pd.Timestamp]", cycle: "pd.Series[float]") -> "pd.Series[pd.Timestamp]":
    """So many days later; halves are rounded up."""
    return day + pd.to_timedelta(np.floor(cycle + 0.5), unit="D")


def _borrowed(k: "pd.Series[int]", log_mean: "pd.Series[float]", log_square: "pd.Series[float]") -> float:
    """Variance of log gaps within households over that between them, by the method of moments; at most 100."""
    several = k > 0
    n, mean, square = (part[several].to_numpy(dtype=float) for part in (k, log_mean, log_square))
    total, households = n.sum(), len(n)
    freedom = total - households
    if freedom <= 0 or households < 2:
        return 1.0  # one gap each: nothing tells habit from chance, so both count alike
    within = max(float((square - n * mean**2).sum()), 0.0) / freedom
    between = float((n * (mean - (n @ mean) / total) ** 2).sum()) / (households - 1)
    spread = (between - within) / ((total - (n**2).sum() / total) / (households - 1))
    return round(float(np.clip(within / spread, 0.0, 100.0)), 6) if spread > 0 else 100.0


def _days(transactions: "Transactions") -> ibis.Table:
    """Days with a purchase: one row a household and day. Orders of one day are one purchase, refunds are none."""
    rows = rows_of(transactions, "next_due")
    bought = rows.amount >= 0
    if "quantity" in rows.columns:
        bought = bought & (rows.quantity.fill_null(1) > 0)
    return rows.filter(bought).select("customer_id", "day").distinct()
