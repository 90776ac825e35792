"""Brand and use in a category: nine cells, how sure a label is, and whether heavy users really switch more."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pandas as pd

from crmkit.errors import ColumnError, InputError, KindError, in_range, near_misses
from crmkit.evaluation.intervals import share_interval
from crmkit.tables.frames import complete, needs, rows_of

if TYPE_CHECKING:
    from crmkit.tables import Transactions

__all__ = ["Shares", "cells", "fit_shares", "matrix", "switchers_by_trips", "usage"]

TYPES = ("national", "store", "switcher", "too few trips", "unknown")
USES = ("low", "medium", "high")
LOYAL = (0.2, 0.8)


def usage(transactions: "Transactions", *, store_brand: str | Iterable[str] = "Private") -> pd.DataFrame:
    """Who buys how much of a category, and how much of it is the store's own brand?

    Give it one category: `orders.where("category", "CHEESE")`. A *trip* is a day with a purchase in the category. On a trip a
    household chooses a brand; a mixed trip, on which both were bought, counts by the share of the units.

    Parameters
        transactions: the checked order book of the category, with the role brand and, if there is one, quantity.
        store_brand: the value (or values) of brand that mean the store's own. Capital letters and blanks around a name do not
            count: "PRIVATE " is "Private".
    Returns: one row a household, index `customer_id` (ascending): `trips`, `store_trips` (mixed trips as fractions),
        `store_share` (of the trips; missing without one), `quantity` and `store_quantity` (units bought; without the role, lines), `spend`
        (refunds taken off), `rows_without_quantity`. Refunds, rows with quantity 0 or none, and rows without a brand make no
        trip and no quantity; a household with no other row is kept with `trips` 0. attrs: `store_brand`, `unit` ("quantity" or
        "lines"), `first_day`, `as_of`, `currency`, and the rows that made no trip: `refund_rows`, `rows_without_quantity`,
        `rows_without_brand`.
    Raises: KindError for anything but checked transactions; ColumnError without a role brand; InputError if no row can be
        used, or no purchase is of the store's brand.
    Source: 004.1b.

    >>> from crmkit.tables import Transactions
    >>> rows = pd.DataFrame({"customer_id": ["a", "a", "b"], "ordered_at": ["2026-01-01", "2026-02-01", "2026-01-05"],
    ...     "amount": [4, 3, 5], "brand": ["National", "Private", "National"], "quantity": [1, 2, 1]})
    >>> usage(Transactions.read(rows))[["trips", "store_share", "quantity"]]
                 trips  store_share  quantity
    customer_id
    a                2          0.5         3
    b                1          0.0         1
    """
    rows = rows_of(transactions, "usage")
    if "brand" not in rows.columns:
        raise ColumnError("usage needs the role brand; name it in Transactions.read(…, brand=…).")
    units = rows.quantity.fill_null(0) if "quantity" in rows.columns else ibis.literal(1)
    named = rows.brand.cast("string").fill_null("").strip() != ""
    rows = rows.mutate(units=units, bought=rows.amount >= 0, named=named, own=own_brand(rows, store_brand))
    rows = rows.mutate(trip=rows.bought & rows.named & (rows.units > 0))
    days = rows.group_by("customer_id", "day").aggregate(
        units=rows.units.sum(where=rows.trip).fill_null(0),
        own=rows.units.sum(where=rows.trip & rows.own).fill_null(0),
        money=rows.amount.sum(),
        refunds=rows.count(where=~rows.bought),
        empty=rows.count(where=rows.bought & (rows.units <= 0)),
        nameless=rows.count(where=rows.bought & (rows.units > 0) & ~rows.named),
    )
    found = days.group_by("customer_id").aggregate(
        trips=days.count(where=days.units > 0),
        store_trips=(days.own / days.units.nullif(0)).sum().fill_null(0.0).cast("float64"),
        quantity=days.units.sum(),
        store_quantity=days.own.sum(),
        spend=days.money.sum().cast("float64"),
        rows_without_quantity=days.empty.sum(),
        refunds=days.refunds.sum(),
        nameless=days.nameless.sum(),
    )
    table = found.to_pyarrow().to_pandas().set_index("customer_id").sort_index()
    for column in ("quantity", "store_quantity"):  # an engine's sum is a decimal; a unit of weight stays a fraction
        numbers = table[column].astype(float)
        table[column] = numbers.astype("int64") if (numbers % 1 == 0).all() else numbers
    if not table["trips"].any():
        raise InputError("no row is a purchase with a brand and a quantity above 0; is another column the quantity?")
    if not table["store_quantity"].any():
        raise no_own_brand(rows, store_brand)
    table["store_trips"] = table["store_trips"].round(6)  # thirds added in another order differ in their last digit
    table.insert(2, "store_share", table["store_trips"] / table["trips"].where(table["trips"] > 0))
    apart = {"refund_rows": table.pop("refunds"), "rows_without_brand": table.pop("nameless")}
    table.attrs = {
        "store_brand": _names(store_brand),
        "unit": "quantity" if "quantity" in rows.columns else "lines",
        "first_day": transactions.first_day.isoformat(),
        "as_of": transactions.last_day.isoformat(),
        "currency": transactions.currency,
        "rows_without_quantity": int(table["rows_without_quantity"].sum()),
        **{name: int(column.sum()) for name, column in apart.items()},
    }
    return table


def matrix(
    usage: pd.DataFrame,
    *,
    loyal: tuple[float, float] = LOYAL,
    cuts: tuple[float, float] | None = None,
    by: str = "quantity",
    least_trips: int = 1,
) -> pd.DataFrame:
    """National-brand user, store-brand user or switcher, and a low, medium or high user: in which of nine cells is each?

    Parameters
        usage: one row a household, from `usage`.
        loyal: store share up to which a household is of the national brands, and from which it is of the store brand; between
            the two it is a switcher. `(0, 1)` calls loyal only who never bought the other.
        cuts: `by` up to which use is low, and up to which it is medium; thirds of the households unless given (values that occur).
        by: the column that stands for use: quantity, trips, spend, or one of your own.
        least_trips: households with fewer trips get the brand type "too few trips" instead of a label: who chose once has had
            no occasion to switch. 1 labels everybody, as the source does.
    Returns: `usage` with `brand_type` (categorical: national, store, switcher, too few trips, unknown), `use` (low, medium, high;
        missing for unknown), `cell` ("national, low") and `one_trip`. Unknown are households without a single counted trip.
        attrs: those of `usage`, `loyal`, `cuts`, `by`, `least_trips`.
    Raises: ColumnError for a missing column; KindError for use that is no number; InputError for bounds out of order,
        missing use.
    Source: 004.1b names the nine cells and no bounds (F-09): 0.2, 0.8 and thirds are ours.

    >>> people = pd.DataFrame({"trips": [4, 4, 1], "store_share": [0.0, 0.5, 1.0], "quantity": [9, 4, 1]})
    >>> matrix(people)["cell"].to_list()
    ['national, high', 'switcher, medium', 'store, low']
    """
    needs(usage, ("trips", "store_share", by), "usage")
    if not pd.api.types.is_numeric_dtype(usage[by]):
        raise KindError(f"by={by!r} holds {usage[by].dtype}; use must be a number, such as quantity or trips.")
    low, high = _two("loyal", loyal)
    in_range("least_trips", least_trips, 1, what="a whole number")
    kinds = _types(usage["store_share"].where(usage["trips"] > 0), low, high)
    known = kinds != "unknown"
    complete(usage[known], [by], "usage")
    if cuts is None:
        values = usage.loc[known, by].to_numpy(dtype=float)
        cuts = np.quantile(values, [1 / 3, 2 / 3], method="inverted_cdf") if known.any() else (0, 0)
    cuts, use = _two("cuts", cuts, f"values of {by!r}", -np.inf, np.inf), usage[by]
    kinds = np.where(known & (usage["trips"] < least_trips), "too few trips", kinds)
    levels = pd.Series(np.select([use <= cuts[0], use <= cuts[1]], USES[:2], USES[2]), usage.index).where(known)
    table = usage.copy()
    table["brand_type"] = pd.Categorical(kinds, TYPES)
    table["use"] = pd.Categorical(levels, USES, ordered=True)
    table["cell"] = np.where(known, kinds + ", " + levels.fillna("").to_numpy(dtype=str), "unknown")
    table["one_trip"] = usage["trips"] == 1
    own = {"loyal": (low, high), "cuts": cuts, "by": by, "least_trips": int(least_trips)}
    table.attrs = {**usage.attrs, **own}
    return table


def cells(matrix: pd.DataFrame) -> pd.DataFrame:
    """How many households are in each of the nine cells, and how much of the category do they buy?

    Parameters: `matrix`, from `matrix`.
    Returns: index (`brand_type`, `use`), the nine cells always, then those of too few trips and unknown if there are any:
        `households`, `share_of_households`, `one_trip` (how many of them bought on one trip only), `quantity`, `spend`,
        `share_of_spend` (missing if all money nets to zero or less). attrs: those of `matrix`, with the four numbers that make
        the cells, so that a picture can print them.

    >>> people = pd.DataFrame({"trips": [4, 4, 1], "store_share": [0.0, 0.5, 1.0], "quantity": [9, 4, 1], "spend": [50.0, 30, 20]})
    >>> cells(matrix(people)).loc[("national", "high"), ["households", "share_of_spend"]].to_list()
    [1.0, 0.5]
    """
    needs(matrix, ("brand_type", "use", "one_trip", "quantity", "spend"), "matrix")
    keys = [matrix["brand_type"].astype(str), matrix["use"].astype(object).fillna("unknown")]
    found = matrix.assign(households=1).groupby(keys)[["households", "one_trip", "quantity", "spend"]].sum()
    order = [(kind, use) for kind in TYPES for use in (*USES, "unknown")]
    shown = [pair for pair in order if pair in found.index or (pair[0] in TYPES[:3] and pair[1] in USES)]
    table = found.reindex(pd.MultiIndex.from_tuples(shown, names=["brand_type", "use"]), fill_value=0)
    table = table.astype({"households": "int64", "one_trip": "int64"})
    total = float(table["spend"].sum())
    table.insert(1, "share_of_households", table["households"] / max(len(matrix), 1))
    table["share_of_spend"] = table["spend"] / total if total > 0 else np.nan
    table.attrs = dict(matrix.attrs)
    return table


@dataclass(frozen=True)
class Shares:
    """How the true store shares of the households of a category are spread: a beta distribution.

    `a`, `b`: its parameters, as if each household came with `a` trips for the store brand and `b` for national brands before
    its first own; `households` it was learned from, `repeaters` of them with two trips or more; `log_likelihood` (up to a
    constant). Made by `fit_shares`.
    """

    a: float
    b: float
    households: int
    repeaters: int
    log_likelihood: float

    @property
    def mean(self) -> float:
        """The store brand's share of the trips of a household nobody has seen yet."""
        return self.a / (self.a + self.b)

    def types(self, loyal: tuple[float, float] = LOYAL) -> "pd.Series[float]":
        """The share of national users, store users and switchers if every household could be watched for ever."""
        from scipy.stats import beta

        low, high = _two("loyal", loyal)
        below, above = float(beta.cdf(low, self.a, self.b)), float(beta.sf(high, self.a, self.b))
        return pd.Series([below, above, 1 - below - above], index=list(TYPES[:3]), name="share")

    def label(self, usage: pd.DataFrame, *, loyal: tuple[float, float] = LOYAL, level: float = 0.9) -> pd.DataFrame:
        """How certain is a household's brand type, given how often it was seen?

        Returns: by household `shrunk_share`, (a + store trips) / (a + b + trips); `low`, `high`, the interval of the true share;
            `national`, `store`, `switcher`, the chance of each type; `certainty`, that of the type which its own share shows.
        """
        from scipy.stats import beta

        k, n = _choices(usage)
        low, high = _two("loyal", loyal)
        in_range("level", level, 0, 1, ends="()", such_as=0.9)
        true = beta(self.a + k, self.b + n - k)
        table = pd.DataFrame({"shrunk_share": (self.a + k) / (self.a + self.b + n)}, index=usage.index)
        table["low"], table["high"] = true.ppf((1 - level) / 2), true.ppf((1 + level) / 2)
        table["national"], table["store"] = true.cdf(low), true.sf(high)
        table["switcher"] = 1 - table["national"] - table["store"]
        shown = _types(k / np.where(n > 0, n, np.nan), low, high)
        table["certainty"] = np.select(
            [shown == kind for kind in TYPES[:3]], [table[kind] for kind in TYPES[:3]], np.nan
        )
        return table


def fit_shares(usage: pd.DataFrame) -> Shares:
    """What can be said about a household seen once? Learn from the whole category how store shares are spread.

    Each household has a true share of trips on which it takes the store brand, drawn from a beta distribution; what we see are
    its trips (beta-binomial). The two parameters are those under which the trips of all households are most likely. A
    household's own trips then move it away from the category, the more the more trips there are: empirical Bayes. A mixed
    trip is read as part of a trip for each kind, so where there are many, households look a little more alike, and
    switchers a little more frequent, than if lots had made each mixed trip one or the other.

    Parameters: `usage`, from `usage`.
    Returns: `Shares`.
    Raises: InputError if nobody has two trips (how much households differ cannot be seen), or all bought one kind only.
    Source: Skellam (1948), Journal of the Royal Statistical Society B 10, for the beta-binomial distribution; Morris (1983),
        Journal of the American Statistical Association 78, for empirical Bayes.

    >>> people = pd.DataFrame({"trips": [4, 4, 4, 4], "store_trips": [0.0, 1.0, 3.0, 4.0]})
    >>> round(fit_shares(people).mean, 2)
    0.5
    """
    from scipy.optimize import minimize
    from scipy.special import betaln, digamma

    k, n = _choices(usage)
    k, n = k[n > 0], n[n > 0]
    repeaters = int((n > 1).sum())
    if not repeaters:
        raise InputError(
            f"none of {len(n):,} households has two trips: nobody can be seen to switch, so nothing is learned."
        )
    if k.sum() in (0, n.sum()):
        raise InputError(
            f"all {int(n.sum()):,} trips are for {'national brands' if k.sum() == 0 else 'the store brand'} alone."
        )
    pairs, weight = np.unique(np.column_stack([k, n]), axis=0, return_counts=True)
    k, n = pairs.T

    def surprise(logs: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus the log-likelihood, and its slope by the logarithms of a and b."""
        a, b = np.exp(logs)
        seen = digamma(a + b) - digamma(a + b + n)
        slopes = [a * (digamma(a + k) - digamma(a) + seen), b * (digamma(b + n - k) - digamma(b) + seen)]
        return -float(weight @ (betaln(a + k, b + n - k) - betaln(a, b))), -np.array(slopes) @ weight

    exactly = {"jac": True, "method": "L-BFGS-B", "bounds": [(-7, 9)] * 2, "options": {"ftol": 1e-14, "gtol": 1e-9}}
    starts = np.log([[0.3, 0.3], [2.0, 2.0]])
    best = min((minimize(surprise, start, **exactly) for start in starts), key=lambda fit: fit.fun)
    a, b = (float(value) for value in np.exp(best.x))
    return Shares(a, b, int(weight.sum()), repeaters, -float(best.fun))


def switchers_by_trips(
    usage: pd.DataFrame,
    shares: Shares,
    *,
    loyal: tuple[float, float] = LOYAL,
    groups: Iterable[int] = (1, 2, 3, 4, 6, 10, 20),
) -> pd.DataFrame:
    """Do heavy users switch more, or are they only seen more often?

    Beside the share of switchers among households with so many trips stands what would be seen if use had nothing to do with
    switching: every household's true share comes from the same `shares`, and chance does the rest.

    Parameters
        usage: from `usage`; shares: from `fit_shares`; loyal: as in `matrix`.
        groups: the number of trips with which each group begins.
    Returns: index `trips` ("1", "4–5", "20+"): `households`, `switchers`, `share`, `low`, `high` (95 % interval), `expected`
        (share, if all are alike). Empty groups are left out. A mixed single trip makes a switcher that the model does not know.
    Raises: InputError for groups that do not rise from 1.

    >>> people = pd.DataFrame({"trips": [1, 1, 4, 4], "store_trips": [0.0, 1.0, 2.0, 4.0]})
    >>> switchers_by_trips(people, Shares(1, 1, 4, 2, 0.0), groups=(1, 2, 4))[["households", "share", "expected"]].round(2)
           households  share  expected
    trips
    1               2    0.0       0.0
    4+              2    0.5       0.6
    """
    from scipy.stats import betabinom

    k, n = _choices(usage)
    low, high = _two("loyal", loyal)
    try:
        starts = [int(start) for start in groups]
    except (TypeError, ValueError):
        starts = []
    if starts[:1] != [1] or starts != sorted(set(starts)):
        raise InputError(f"groups={groups!r} must rise from 1, such as (1, 2, 4, 10).")
    switcher = _types(k / np.where(n > 0, n, np.nan), low, high) == "switcher"
    by_size = {}
    for size in np.unique(n[n > 0]):
        could = np.arange(size + 1)
        mixed = _types(could / size, low, high) == "switcher"
        by_size[size] = float(betabinom.pmf(could[mixed], size, shares.a, shares.b).sum())
    expected = np.array([by_size.get(size, np.nan) for size in n])
    rows = {}
    for start, after in zip(starts, [*starts[1:], None], strict=True):
        inside = (n >= start) & (n < (after or np.inf))
        if inside.any():
            name = f"{start}+" if after is None else str(start) if after == start + 1 else f"{start}–{after - 1}"
            count, switch = int(inside.sum()), int(switcher[inside].sum())
            rows[name] = (count, switch, *share_interval(switch, count), expected[inside].mean())
    columns = ["households", "switchers", "share", "low", "high", "expected"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("trips")


def own_brand(rows: ibis.Table, store_brand: str | Iterable[str]) -> ibis.expr.types.BooleanValue:
    """Whether a row is of the store's own brand, however the till spelt it."""
    return rows.brand.cast("string").strip().lower().isin([name.strip().lower() for name in _names(store_brand)])


def no_own_brand(rows: ibis.Table, store_brand: str | Iterable[str]) -> InputError:
    """What to say if nothing is of the store's own brand."""
    known = [str(name) for name in rows.filter(rows.brand.notnull()).brand.topk(5).to_pandas()["brand"]]
    return InputError(
        f"no purchase is of store_brand={store_brand!r}; values of brand are {', '.join(map(repr, known))}."
        f"{near_misses(' '.join(_names(store_brand)), known)}"
    )


def _names(store_brand: Any) -> list[str]:
    several = isinstance(store_brand, Iterable) and not isinstance(store_brand, str)
    return [str(name) for name in (store_brand if several else [store_brand])]


def _types(share: Any, low: float, high: float) -> np.ndarray:
    """National, store or switcher by the share of the trips for the store brand; unknown where it is missing."""
    share = np.round(np.asarray(share, dtype=float), 6)  # as store_trips are: 2.4 of 3 trips reach the bound 0.8
    return np.select([share <= low, share >= high, share == share], TYPES[:3], "unknown")


def _choices(usage: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    needs(usage, ("trips", "store_trips"), "usage")
    k, n = (pd.to_numeric(usage[name], errors="coerce").to_numpy(dtype=float) for name in ("store_trips", "trips"))
    wrong = ~((k >= 0) & (k <= n) & (n % 1 == 0))
    if wrong.any():
        raise InputError(
            f"usage: trips must be whole and store_trips from 0 to trips, but in {int(wrong.sum()):,} of {len(n):,} "
            f"households they are not, such as store_trips={k[wrong][0]:g} of trips={n[wrong][0]:g}."
        )
    return k, n


def _two(
    name: str, pair: Any, what: str = "shares between 0 and 1", least: float = 0, most: float = 1
) -> tuple[float, float]:
    try:
        low, high = map(float, pair)
    except (TypeError, ValueError):
        low = high = np.nan
    if not least <= low <= high <= most:
        raise InputError(f"{name}={pair!r} must be two {what}, the lower one first.")
    return low, high
