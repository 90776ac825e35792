"""Key figures of customer relations: what each means, how it is computed, where it deceives, and how sure it is."""

import datetime
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit import periods
from crmkit.errors import InputError
from crmkit.evaluation.intervals import share_interval
from crmkit.tables.frames import rows_of

if TYPE_CHECKING:
    from crmkit.tables import Transactions

_Z = 1.959963984540054


def formulas() -> pd.DataFrame:
    """Which key figures are there, and how is each computed?

    Returns: one row a figure, index `kpi`: `question` (of the business), `formula`, `unit`, `needs` (which tables),
        `trap` (how it deceives), `lesson` (where it is taught).
    Source: section 5.1.3 of source 001, and the other places where the sources name a figure without its formula.

    >>> formulas().loc["retention rate", "formula"]
    '(customers at the end − new customers) / customers at the start'
    """
    told = tomllib.loads((Path(__file__).parent / "kpis.toml").read_text(encoding="utf-8"))
    return pd.DataFrame(told["kpi"]).set_index("kpi")


def measure(transactions: "Transactions", *, period: str = "3 months", as_of: object = None) -> pd.DataFrame:
    """How did the firm do with its customers in the last period, against the one before?

    Parameters
        transactions: the checked order book.
        period: length of each of the two periods, such as "3 months" or "13 weeks". The last one ends with `as_of`, the
            other one ends where it begins; a month here is a twelfth of a year, so that both are equally long.
        as_of: last day; the last day of the data unless given.
    Returns: one row a key figure, index `kpi`: `before`, `now`, `low`, `high` (95 % interval of `now`: Wilson for shares, the
        ratio estimator over customers for means; missing where the figure is a plain count), `unit`. attrs: `as_of`,
        `period`, `first_day` (of the last period), `currency`. Figures:
        active customers (bought in the period); new customers (first purchase in the data; in the first months of the
        data everybody looks new); retention rate (of the customers of the period before, the share that bought
        again); churn rate (1 − that: says when they were due, not that they left); repurchase rate (active
        customers who bought on two days or more); purchase frequency (days with a purchase per active customer);
        average transaction value (money / orders); revenue; revenue per customer.
    Raises: InputError if the data do not reach over both periods; KindError without checked transactions.

    >>> from crmkit.tables import Transactions
    >>> orders = Transactions.read(pd.DataFrame({
    ...     "customer_id": ["ann", "bob", "ann", "cem"], "amount": [10, 20, 30, 40],
    ...     "ordered_at": ["2026-01-01", "2026-01-05", "2026-01-12", "2026-01-14"]}))
    >>> measure(orders, period="1 week")["now"].head(4).to_dict()
    {'active customers': 2.0, 'new customers': 1.0, 'retention rate': 0.5, 'churn rate': 0.5}
    """
    table = rows_of(transactions, "measure")
    length = max(round(periods.Horizon.parse(period).days), 1)
    last = transactions.last_day if as_of is None else periods.day(as_of)
    first = last - datetime.timedelta(days=length - 1)
    before = first - datetime.timedelta(days=length)
    if before < transactions.first_day or last > transactions.last_day:
        raise InputError(
            f"two periods of {period} up to {last} begin on {before}, but the data go from {transactions.first_day} to "
            f"{transactions.last_day}; take a shorter period or an as_of inside."
        )
    earlier = _customers(transactions, before, first - datetime.timedelta(days=1))
    now = _customers(transactions, first, last)
    still_before = before - datetime.timedelta(days=length)
    known = _buyers(table.filter(table.day < before))
    base = _buyers(table.filter(table.day >= still_before, table.day < before))
    can_look_back = still_before >= transactions.first_day
    columns = {
        "before": _figures(earlier, known, base if can_look_back else None),
        "now": _figures(now, known.union(earlier.index), earlier.index),
    }
    result = pd.DataFrame({name: {kpi: value[0] for kpi, value in column.items()} for name, column in columns.items()})
    result["low"] = {kpi: value[1] for kpi, value in columns["now"].items()}
    result["high"] = {kpi: value[2] for kpi, value in columns["now"].items()}
    money = transactions.currency or "money"
    units = {"purchase frequency": "days with a purchase", "revenue": money, "revenue per customer": money}
    units |= {"average transaction value": money, "active customers": "customers", "new customers": "customers"}
    result["unit"] = [units.get(kpi, "share") for kpi in result.index]
    result.attrs = {
        "as_of": last.isoformat(),
        "period": str(periods.Horizon.parse(period)),
        "first_day": first.isoformat(),
        "currency": transactions.currency,
    }
    return result.rename_axis("kpi")


def _buyers(rows: Any) -> pd.Index:
    return pd.Index(
        rows.filter(rows.amount >= 0).select("customer_id").distinct().to_pyarrow()["customer_id"].to_pandas()
    )


def _customers(transactions: "Transactions", first: datetime.date, last: datetime.date) -> pd.DataFrame:
    """One row a customer who bought in the period: days with a purchase, orders, money (refunds of the period netted)."""
    rows = transactions.table
    rows = rows.filter(rows.day.between(first, last))
    bought = rows.amount >= 0
    orders = rows.order_id.nunique(where=bought) if "order_id" in rows.columns else rows.day.nunique(where=bought)
    found = rows.group_by("customer_id").aggregate(
        days=rows.day.nunique(where=bought), orders=orders, money=rows.amount.sum().cast("float64")
    )
    frame = found.to_pyarrow().to_pandas().set_index("customer_id").sort_index()
    return frame[frame["days"] > 0]


def _figures(
    active: pd.DataFrame, seen_before: pd.Index, base: pd.Index | None
) -> dict[str, tuple[float, float, float]]:
    """Each figure with the ends of its interval."""
    count, none = len(active), (np.nan, np.nan)
    kept = (
        share_interval(int(base.isin(active.index).sum()), len(base))
        if base is not None and len(base)
        else (np.nan,) * 3
    )
    again = share_interval(int((active["days"] >= 2).sum()), count) if count else (np.nan,) * 3
    return {
        "active customers": (float(count), *none),
        "new customers": (float((~active.index.isin(seen_before)).sum()), *none),
        "retention rate": tuple(kept),
        "churn rate": (1 - kept[0], 1 - kept[2], 1 - kept[1]),
        "repurchase rate": tuple(again),
        "purchase frequency": _ratio(active["days"], pd.Series(1, index=active.index)),
        "average transaction value": _ratio(active["money"], active["orders"]),
        "revenue": (float(active["money"].sum()), *none),
        "revenue per customer": _ratio(active["money"], pd.Series(1, index=active.index)),
    }


def _ratio(top: "pd.Series[Any]", bottom: "pd.Series[Any]") -> tuple[float, float, float]:
    """Sum over sum, with an interval that takes customers as the draws (Cochran 1977, Sampling Techniques, chapter 6)."""
    total, count = float(bottom.sum()), len(top)
    if total == 0:
        return (np.nan, np.nan, np.nan)
    ratio = float(top.sum()) / total
    if count < 2:
        return (ratio, np.nan, np.nan)
    half = _Z * float(np.sqrt(((top - ratio * bottom) ** 2).sum() * count / (count - 1))) / total
    return (ratio, ratio - half, ratio + half)
