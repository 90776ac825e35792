"""Winning customers: what they do in their first days, and what a new one costs by the source that brought it."""

from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pandas as pd

from crmkit import periods
from crmkit.errors import InputError, KindError, in_range
from crmkit.tables.frames import complete, needs, rows_of

if TYPE_CHECKING:
    from crmkit.tables import Transactions

__all__ = ["cost_by_source", "first_days"]

#: Where customers are counted whose source nobody wrote down.
UNKNOWN = "(not known)"


def first_days(
    transactions: "Transactions",
    *,
    within: str = "12 months",
    payback: float | None = None,
    margin_share: float | None = None,
    as_of: object = None,
) -> pd.DataFrame:
    """What did each customer do in the first days after the first purchase, and when was the cost of winning paid back?

    Parameters
        transactions: the checked table. Purchase occasions are days with a row of amount ≥ 0, as in `summary`.
        within: the time after the first purchase in which orders and money count, such as "12 months".
        payback: an amount of margin, usually what it cost to win a customer: adds the day on which it was reached.
        margin_share: the margin as a share of the amount, for a table without costs. With the role unit_cost the
            margin is amount − unit_cost × quantity (quantity 1 where there is no such role) of each row.
        as_of: the last day to look at; the table's last day unless given.
    Returns: one row a customer, indexed by customer_id (ascending): `first_order`, `second_order` (days; the second
        whenever it came), `orders` (occasions within the time), `spend`, `margin` (of rows within the time; missing
        without costs), `watched` (the whole time was over at `as_of`), with `payback` also `paid_back` (day, missing if
        not yet). attrs: `as_of`, `within`, `currency`.
    Raises: KindError if it is no checked table; InputError for impossible shares, or `payback` without any margin.

    >>> from crmkit.tables import Transactions
    >>> orders = Transactions.read(pd.DataFrame({
    ...     "customer_id": ["ann", "ann", "bob"], "ordered_at": ["2026-01-05", "2026-02-19", "2026-03-02"],
    ...     "amount": [10.0, 20.0, 7.5], "unit_cost": [6.0, 11.0, 5.0]}))
    >>> first_days(orders, within="60 days", payback=10)[["second_order", "orders", "margin", "watched", "paid_back"]]
                second_order  orders  margin  watched  paid_back
    customer_id
    ann           2026-02-19       2    13.0    False 2026-02-19
    bob                  NaT       1     2.5    False        NaT
    """
    rows = rows_of(transactions, "first_days")
    horizon = int(periods.Horizon.parse(within).days)
    as_of = transactions.last_day if as_of is None else periods.day(as_of)
    margin = _margin(rows, margin_share)
    if payback is not None and margin is None:
        raise InputError("payback needs a margin: name the role unit_cost, or give margin_share=0.3 (your share).")
    rows = rows.filter(rows.day <= ibis.literal(as_of))
    exact = ibis.dtype(f"decimal(38, {max(4, rows.amount.type().scale)})")
    by_day = rows.group_by("customer_id", "day").aggregate(
        spend=rows.amount.sum().cast(exact),
        margin=ibis.null(exact) if margin is None else margin.cast(exact).sum().cast(exact),
        occasion=(rows.amount >= 0).any(),
    )
    starts = by_day.filter(by_day.occasion).group_by("customer_id").aggregate(first_order=lambda t: t.day.min())
    lines = by_day.join(starts, "customer_id")
    lines = lines.mutate(
        early=lines.day <= lines.first_order + ibis.interval(days=horizon)
    )  # early refunds belong to it
    if payback is not None:
        so_far = lines.margin.sum().over(ibis.cumulative_window(group_by="customer_id", order_by="day"))
        lines = lines.mutate(reached=(so_far >= ibis.literal(payback).cast(exact)) & (lines.day >= lines.first_order))
    measures = {
        "first_order": lines.first_order.min(),
        "second_order": lines.day.min(where=lines.occasion & (lines.day > lines.first_order)),
        "orders": lines.count(where=lines.occasion & lines.early),
        "spend": lines.spend.sum(where=lines.early).cast("float64"),
        "margin": lines.margin.sum(where=lines.early).cast("float64"),
    } | ({} if payback is None else {"paid_back": lines.day.min(where=lines.reached)})
    found = lines.group_by("customer_id").aggregate(**measures).to_pyarrow().to_pandas()
    if found.empty:
        raise InputError(f"up to {as_of} the table holds no purchase (no row with an amount of 0 or more).")
    found = found.set_index("customer_id").sort_index()
    dated = [name for name in ("first_order", "second_order", "paid_back") if name in found]
    found[dated] = found[dated].apply(lambda column: pd.to_datetime(column).astype("datetime64[us]"))
    watched = found["first_order"] + pd.Timedelta(days=horizon) <= pd.Timestamp(as_of)
    found.insert(5, "watched", watched)
    found.attrs = {"as_of": as_of.isoformat(), "within": str(within), "currency": transactions.currency}
    return found


def _margin(rows: ibis.Table, share: float | None) -> Any:
    if share is not None:
        in_range("margin_share", share, 0, 1, ends="(]", what="a share", such_as=0.3)
        return rows.amount.cast("decimal(38, 6)") * ibis.literal(str(share)).cast("decimal(18, 6)")
    if "unit_cost" not in rows.columns:
        return None
    cost = rows.unit_cost * rows.quantity if "quantity" in rows.columns else rows.unit_cost
    return rows.amount.cast("decimal(38, 4)") - cost.cast("decimal(38, 4)")


def cost_by_source(
    new: "pd.DataFrame | pd.Series[Any]",
    costs: pd.DataFrame,
    *,
    day: str = "first_order",
    first: object = None,
    last: object = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """What does one new customer cost, by the source that brought him or her?

    Spend divided by new customers of the same source and the same months. The interval takes the spend as known and
    the number of customers as chance (Poisson): another such year would have brought a few more or fewer. It is an
    **average**: what the *next* euro would bring, and who would have come without it, no such table can show.

    Parameters
        new: one row a new customer with `source` and a date, or a Series of customers (or credits, from
            `attribution.credit`) by source. A missing source is counted as "(not known)".
        costs: `month` (any day of it), `source`, `spend` (0 or more). Several rows of a month and source add up.
        day: the column of `new` whose month is compared with the month of the spend.
        first, last: only months from that of `first` to that of `last`; all months of `costs` unless given.
        level: of the interval (for credits, which are whole only in sum, it is a little too wide).
    Returns: one row a source, indexed by `source`, dearest first, unknown cost last: `spend`, `new_customers`, `cost`
        (per new customer), `low`, `high`, `without_cost`: customers of months for which this source has no row of
        costs. They are not in `new_customers`: whether their month was free or not entered, the table does not say.
        A source without any row has a missing cost, not 0; spend without customers has a missing cost and no upper
        end (inf). attrs: `months`, `spend`, `note`.
    Raises: ColumnError, KindError; InputError for negative or missing spend, no month in common, impossible counts.
    Source: F-20 and the KPI "acquisition cost" of source section 5.4; exact Poisson limits of Garwood (1936),
        Biometrika 28.

    >>> new = pd.DataFrame({"source": ["ads"] * 4 + ["shop"], "first_order": ["2025-01-09"] * 5})
    >>> costs = pd.DataFrame({"month": ["2025-01-01"], "source": ["ads"], "spend": [100.0]})
    >>> cost_by_source(new, costs).round(1)
            spend  new_customers  cost  low  high  without_cost
    source
    ads     100.0            4.0  25.0  9.8  91.8             0
    shop      NaN            0.0   NaN  NaN   NaN             1
    """
    from scipy.stats import chi2

    needs(costs, ["month", "source", "spend"], "costs")
    spend = costs["spend"].astype(float) if pd.api.types.is_numeric_dtype(costs["spend"]) else _money(costs["spend"])
    bad = ~(spend >= 0) | np.isinf(spend)
    if bad.any():
        raise InputError(
            f"costs: spend must be 0 or more, but {bad.sum():,} of {len(costs):,} rows hold something else, such as "
            f"{costs.loc[bad, 'spend'].iloc[0]}; enter 0 for a month that cost nothing."
        )
    complete(costs, ["source"], "costs", "name whose spend it is")
    when = days(costs, "month", "costs").dt.to_period("M")
    begin, close = (
        None if edge is None else pd.Period(periods.day(edge, name), "M")
        for edge, name in ((first, "first"), (last, "last"))
    )
    kept = (when >= (begin or when.min())) & (when <= (close or when.max())) if len(costs) else when.isna()
    if not kept.any():
        raise InputError(f"costs has no month between first={first!r} and last={last!r}.")
    spent = spend[kept].groupby([costs.loc[kept, "source"].astype(str), when[kept]]).sum()
    total, months = spent.groupby(level=0).sum(), sorted(set(when[kept]))
    if isinstance(new, pd.Series):
        counts = pd.to_numeric(new, errors="coerce").set_axis(new.index.astype(str))
        if counts.isna().any() or (counts < 0).any() or counts.index.has_duplicates:
            raise InputError("new must hold one number of customers, 0 or more, for each source.")
        uncosted = counts.where(~counts.index.isin(total.index), 0.0)
        counts = counts - uncosted
    else:
        needs(new, ["source", day], "new")
        came = days(new, day, "new").dt.to_period("M")
        in_time = came.isin(months)
        if not in_time.any():
            raise InputError(f"no new customer has a {day!r} in the months of costs ({months[0]} to {months[-1]}).")
        named = new["source"].astype(object).where(new["source"].notna(), UNKNOWN).astype(str)
        pairs = pd.MultiIndex.from_arrays([named[in_time], came[in_time]])
        covered = pd.Series(pairs.isin(spent.index), index=named[in_time].to_numpy())
        counts, uncosted = covered.groupby(level=0).sum().astype(float), (~covered).groupby(level=0).sum()
    sources = total.index.union(counts.index)
    table = pd.DataFrame({"spend": total.reindex(sources), "new_customers": counts.reindex(sources).fillna(0.0)})
    number, paid = table["new_customers"].to_numpy(), table["spend"].to_numpy()
    lower, upper = chi2.ppf((1 - level) / 2, 2 * number) / 2, chi2.ppf((1 + level) / 2, 2 * (number + 1)) / 2
    lower = np.where(number > 0, lower, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        free = np.where(paid == 0, 0.0, np.nan)
        table["cost"] = np.where(number > 0, paid / number, np.nan)
        table["low"] = np.where(paid > 0, paid / upper, free)
        table["high"] = np.where(paid > 0, paid / lower, free)
    table["without_cost"] = uncosted.reindex(sources).fillna(0)
    if not isinstance(new, pd.Series):
        table["without_cost"] = table["without_cost"].astype(int)
    table = table.rename_axis("source").sort_values("cost", ascending=False, na_position="last", kind="stable")
    notes = []
    if missing := [name for name in table.index if np.isnan(table.at[name, "spend"])]:
        notes.append(
            f"No row of costs for {', '.join(missing)}: the cost is not known, which is not the same as nothing."
        )
    if lonely := [name for name in table.index if table.at[name, "new_customers"] == 0 and table.at[name, "spend"] > 0]:
        notes.append(f"Spend without a new customer: {', '.join(lonely)}.")
    if table["without_cost"].sum():
        notes.append(
            f"{table['without_cost'].sum():,.0f} customers came in months without a row of costs for their source."
        )
    table.attrs = {
        "months": [str(month) for month in months],
        "spend": float(total.sum()),
        "level": level,
        "note": " ".join(notes),
    }
    return table


def days(table: pd.DataFrame, column: str, name: str = "people", *, clock: bool = False) -> "pd.Series[Any]":
    """A column as dates (midnight, unless `clock`), missing where it is missing; what is no date raises."""
    values = table[column]
    if pd.api.types.is_numeric_dtype(values) and values.notna().any():
        raise KindError(f"{name}: column {column!r} holds numbers, not dates.")
    dates = pd.to_datetime(
        values, errors="coerce", format=None if pd.api.types.is_datetime64_any_dtype(values) else "ISO8601"
    )
    broken = dates.isna() & values.notna()
    if broken.any():
        raise InputError(
            f"{name}: column {column!r} has {broken.sum():,} values that are no date, such as {values[broken].iloc[0]!r}; "
            "write them as year-month-day."
        )
    if getattr(dates.dt, "tz", None) is not None:
        dates = dates.dt.tz_localize(None)
    return dates if clock else dates.dt.normalize()


def _money(values: "pd.Series[Any]") -> "pd.Series[float]":
    try:
        return values.astype(float)  # Decimal
    except (TypeError, ValueError):
        raise KindError(f"costs: spend must be money, numbers, not values such as {values.iloc[0]!r}.") from None
