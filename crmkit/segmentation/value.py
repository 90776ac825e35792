"""Value segmentation: bands of amount and frequency, patterns of purchase, how unequal customers are, what an error costs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from crmkit.errors import InputError, KindError, in_range, near_misses
from crmkit.lifecycle.customer_summary import summary as customer_summary
from crmkit.tables.frames import complete, needs

if TYPE_CHECKING:
    from crmkit.tables import Transactions

BANDS = ("low", "middle", "high")
PATTERNS = ("never bought", "one-off bulk", "one-off small", "occasional", "continuous")


class Interval(NamedTuple):
    """A figure with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def bands(
    summary: pd.DataFrame,
    *,
    shares: tuple[float, float] = (1 / 3, 2 / 3),
    cuts: Mapping[str, tuple[float, float]] | None = None,
    by: tuple[str, str] = ("orders", "spend"),
) -> pd.DataFrame:
    """Which customers are of high, middle and low value, by how often and for how much they buy?

    High is who lies above the upper cut point in **both** columns, low who lies at or below the lower one in both;
    all others are in the middle. Equal customers are in the same band.

    Parameters
        summary: one row a customer, such as `lifecycle.summary`, with the two columns of `by`.
        shares: where to cut: the values that at least this share of the customers does not exceed. They occur in the data.
        cuts: cut points of your own instead, `{"orders": (10, 40), "spend": (200, 1500)}`, for one column or both; they stay
            when the customers change.
    Returns: the columns of `summary` and `value_band` (ordered: low, middle, high). attrs: those of `summary`, and `cuts`
        (dict by column, plain pairs, fit for `cuts=`).
    Raises: ColumnError for a missing column; InputError for missing values, shares or cuts out of order.
    Source: 000.c names high, low and in-between by amount × frequency, and no cut point (gap G-06c): thirds are ours.

    >>> people = pd.DataFrame({"orders": [1, 2, 5, 9, 1, 9], "spend": [5.0, 20, 60, 90, 95, 8]})
    >>> bands(people)["value_band"].to_list()
    ['low', 'middle', 'middle', 'high', 'middle', 'middle']
    """
    _needs(summary, by)
    low, high = shares
    if not 0 < low <= high < 1:
        raise InputError(f"shares={shares!r} must be two shares between 0 and 1, the lower one first.")
    found = {}
    for column in by:
        values = summary[column].to_numpy(dtype=float)
        own = (cuts or {}).get(column)
        if own is not None and not (len(own) == 2 and own[0] <= own[1]):
            raise InputError(f"cuts: {column!r} needs two numbers, the lower one first, not {own!r}.")
        ends = own if own is not None else np.quantile(values, [low, high], method="inverted_cdf")
        found[column] = tuple(float(end) for end in ends)
    unknown = set(cuts or {}) - set(by)
    if unknown:
        raise InputError(f"cuts names {sorted(unknown)[0]!r}, which is not cut.{near_misses(sorted(unknown)[0], by)}")
    above = np.logical_and.reduce([summary[column] > found[column][1] for column in by])
    below = np.logical_and.reduce([summary[column] <= found[column][0] for column in by])
    table = summary.copy()
    table["value_band"] = pd.Categorical(np.select([above, below], ["high", "low"], "middle"), BANDS, ordered=True)
    table.attrs = {**summary.attrs, "cuts": found}
    return table


def band_table(banded: pd.DataFrame, spend: str = "spend") -> pd.DataFrame:
    """How many are in each band, and what share of the money do they bring?

    Returns: index `value_band`, highest first: `customers`, `share_of_customers`, `spend`, `share_of_spend` (missing if the money
        of all nets to zero or less), `mean_spend`.

    >>> people = pd.DataFrame({"orders": [1, 5, 9], "spend": [10.0, 30.0, 60.0]})
    >>> band_table(bands(people))["share_of_spend"].round(2).to_dict()
    {'high': 0.6, 'middle': 0.3, 'low': 0.1}
    """
    _needs(banded, ("value_band", spend))
    groups = banded.groupby("value_band", observed=False)[spend].agg(["size", "sum", "mean"]).iloc[::-1]
    total = float(groups["sum"].sum())
    return pd.DataFrame(
        {
            "customers": groups["size"].astype("int64"),
            "share_of_customers": groups["size"] / len(banded),
            "spend": groups["sum"],
            "share_of_spend": groups["sum"] / total if total > 0 else np.nan,
            "mean_spend": groups["mean"],
        }
    ).rename_axis("value_band")


def patterns(
    transactions: "Transactions",
    *,
    bulk: float,
    continuous_from: int = 4,
    prospects: "pd.Series[Any] | list[Any] | pd.Index | None" = None,
    as_of: object = None,
) -> pd.DataFrame:
    """Who bought once and much, who keeps buying, who never bought, and who fits none of these?

    Parameters
        transactions: the checked order book.
        bulk: money of one purchase day from which a single purchase counts as bulk. **You** say what bulk is; with the
            price of a pallet it means one thing, with three average baskets another.
        continuous_from: purchase days from which a customer counts as continuous, if there was one in both halves of the time
            from the first purchase to `as_of`.
        prospects: ids of people who are known; those without a purchase have "never bought".
    Returns: one row a customer, index `customer_id` (ascending): `pattern` (categorical: never bought, one-off bulk, one-off
        small, occasional, continuous), `purchases` (days with one), `spend`. attrs: `as_of`, `bulk`, `continuous_from`.
    Raises: InputError for a bulk that is not above 0 and continuous_from below 2.
    Source: 000.c names three kinds (one-off bulk, continuous, never). They leave people over: "one-off small" and "occasional"
        are our names for the remainder, so that nobody disappears.

    >>> from crmkit.tables import Transactions
    >>> orders = Transactions.read(pd.DataFrame({"customer_id": ["a", "b"], "ordered_at": ["2026-01-01", "2026-01-05"],
    ...                                          "amount": [500, 5]}))
    >>> patterns(orders, bulk=100, prospects=["c"])["pattern"].to_dict()
    {'a': 'one-off bulk', 'b': 'one-off small', 'c': 'never bought'}
    """
    in_range("bulk", bulk, 0, ends="(]", what="an amount of money")
    in_range("continuous_from", continuous_from, 2, what="a whole number of purchase days")
    people = customer_summary(transactions, as_of=as_of)
    purchases, spend = people["x"] + 1, people["spend"]
    lately = people["t_x"] * 2 >= people["T"]  # the last purchase lies in the second half of the customer's time
    kinds = np.select(
        [(purchases == 1) & (spend >= bulk), purchases == 1, (purchases >= continuous_from) & lately],
        ["one-off bulk", "one-off small", "continuous"],
        "occasional",
    )
    table = pd.DataFrame({"pattern": kinds, "purchases": purchases, "spend": spend})
    if prospects is not None:
        never = pd.Index(pd.unique(pd.Series(list(prospects)))).difference(people.index)
        table = pd.concat([table, pd.DataFrame({"pattern": "never bought", "purchases": 0, "spend": 0.0}, index=never)])
        table = table.sort_index()
    table["pattern"] = pd.Categorical(table["pattern"], PATTERNS)
    table.attrs = {"as_of": people.attrs["as_of"], "bulk": float(bulk), "continuous_from": int(continuous_from)}
    return table.rename_axis("customer_id")


def lorenz(values: "pd.Series[Any]") -> pd.DataFrame:
    """From the poorest to the richest customer: which share of the customers has which share of the money?

    Returns: `share_of_customers`, `share_of_money`, from (0, 0) to (1, 1), one row a customer more.
    Raises: InputError if the money of all nets to zero or less, for missing values or nobody.
    Source: Lorenz (1905), Publications of the American Statistical Association 9(70).

    >>> lorenz(pd.Series([1.0, 3.0])).round(2).to_numpy().tolist()
    [[0.0, 0.0], [0.5, 0.25], [1.0, 1.0]]
    """
    ordered = np.sort(_money(values))
    shares = np.concatenate([[0.0], np.cumsum(ordered) / ordered.sum()])
    shares[-1] = 1.0
    return pd.DataFrame({"share_of_customers": np.linspace(0, 1, len(shares)), "share_of_money": shares})


def gini(values: "pd.Series[Any]", *, seed: int = 1, draws: int = 400) -> Interval:
    """How unequal are customers, in one number: 0 if all spend alike, near 1 if one spends all?

    Returns: `Interval(value, low, high)`: the interval is a bootstrap over customers. Customers whose refunds exceed their
        purchases can carry it above 1.
    Raises: as `lorenz`.
    Source: Gini (1912); the formula over ordered values as in Sen (1973), On Economic Inequality.

    >>> round(gini(pd.Series([1.0, 3.0])).value, 2)
    0.25
    """
    return _with_interval(_money(values), _gini, seed, draws)


def top_share(values: "pd.Series[Any]", share: float = 0.2, *, seed: int = 1, draws: int = 400) -> Interval:
    """What share of the money comes from the best-paying 20 % of the customers?

    Where the border falls inside a customer, that part of the customer's money is counted, so the figure does not jump with
    one customer more or less. Returns and raises as `gini`; InputError for a share outside 0 to 1.

    >>> round(top_share(pd.Series([1.0, 1, 1, 1, 6]), 0.2).value, 2)
    0.6
    """
    in_range("share", share, 0, 1, ends="()", what="a share", such_as=0.2)

    def top(ordered: np.ndarray) -> float:
        places = np.linspace(0, 1, len(ordered) + 1)
        below = np.interp(1 - share, places, np.concatenate([[0.0], np.cumsum(ordered)]))
        return 1 - float(below) / float(ordered.sum())

    return _with_interval(_money(values), top, seed, draws)


def misplacement(
    assigned: "pd.Series[Any]", actual: "pd.Series[Any]", *, service: Mapping[str, float], neglect: Mapping[str, float]
) -> pd.DataFrame:
    """Customers were served by one band and turned out to belong to another: what did that cost?

    Parameters
        assigned, actual: the band by which each customer was served, and the one they turned out to be in, by customer.
        service: what serving a customer of a band costs, such as `{"high": 40, "middle": 10, "low": 2}`. Who is served above
            their band costs the difference for nothing.
        neglect: margin that is lost if a customer of this band is served below it, for each band below.
    Returns: one row a pair of bands that occurs: `assigned`, `actual`, `customers`, `cost_each`, `cost`; the dearest first; pairs in
        the right band cost 0. attrs: `cost` (of all), `misplaced` (customers), `share_misplaced`, `not_matched` (customers in one of
        the two only: they are left out, and counted here).
    Raises: InputError for bands without a price and nobody in common.

    >>> served = pd.Series(["high", "high", "low"], index=["a", "b", "c"])
    >>> found = misplacement(served, pd.Series(["high", "low", "high"], index=["a", "b", "c"]),
    ...                      service={"high": 40, "middle": 10, "low": 2}, neglect={"high": 60, "middle": 10, "low": 0})
    >>> found[["assigned", "actual", "cost"]].to_numpy().tolist()
    [['low', 'high', 120.0], ['high', 'low', 38.0], ['high', 'high', 0.0]]
    """
    for name, prices in (("service", service), ("neglect", neglect)):
        missing = [band for band in BANDS if band not in prices]
        if missing:
            raise InputError(f"{name} has no price for the band {missing[0]!r}.")
    both = pd.concat(
        [assigned.astype(str).rename("assigned"), actual.astype(str).rename("actual")], axis=1, join="inner"
    )
    strange = (set(both["assigned"]) | set(both["actual"])) - set(BANDS)
    if both.empty or strange:
        raise InputError(
            f"there is no band {sorted(strange)[0]!r}; bands are {', '.join(BANDS)}."
            if strange
            else "assigned and actual have no customer in common; give both by customer_id."
        )
    rank = {band: place for place, band in enumerate(BANDS)}

    def each(served: str, real: str) -> float:
        steps = rank[real] - rank[served]
        return float(neglect[real] * steps if steps > 0 else service[served] - service[real])

    table = both.value_counts(["assigned", "actual"]).rename("customers").reset_index()
    table["cost_each"] = [each(row.assigned, row.actual) for row in table.itertuples()]
    table["cost"] = table["customers"] * table["cost_each"]
    table = table.sort_values(["cost", "customers"], ascending=False, kind="stable", ignore_index=True)
    wrong = int(table.loc[table["assigned"] != table["actual"], "customers"].sum())
    table.attrs = {
        "cost": float(table["cost"].sum()),
        "misplaced": wrong,
        "share_misplaced": wrong / len(both),
        "not_matched": len(assigned.index.symmetric_difference(actual.index)),
    }
    return table


def _gini(ordered: np.ndarray) -> float:
    count = len(ordered)
    return float((2 * np.arange(1, count + 1) - count - 1) @ ordered / (count * ordered.sum()))


def _with_interval(values: np.ndarray, figure: Any, seed: int, draws: int) -> Interval:
    ordered = np.sort(values)
    if len(ordered) < 2:
        return Interval(figure(ordered), float("nan"), float("nan"))
    random = np.random.default_rng(seed)
    # with many customers the interval is narrow, and few draws find it
    drawn = [
        figure(np.sort(random.choice(ordered, len(ordered)))) for _ in range(draws if len(ordered) <= 50_000 else 40)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(figure(ordered), float(low), float(high))


def _money(values: Any) -> np.ndarray:
    try:
        money = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise KindError(f"values must be money, one number a customer, not {values!r}.") from None
    if money.size == 0 or np.isnan(money).any():
        missing = int(np.isnan(money).sum())
        raise InputError(
            f"values: {missing:,} of {money.size:,} customers have no money given; fill in 0 or leave them out."
        )
    if money.sum() <= 0:
        raise InputError(f"values: all money nets to {money.sum():,.2f}; shares of it mean nothing.")
    return money


def _needs(frame: Any, columns: tuple[str, ...]) -> None:
    needs(frame, columns)
    complete(frame, columns, "the table", "fill it in first")
    if frame.empty:
        raise InputError("the table has 0 customers.")
