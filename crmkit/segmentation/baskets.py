"""What is bought together: pairs of products or categories, beyond what chance and full baskets bring about."""

from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pandas as pd

from crmkit.errors import ColumnError, InputError, in_range, one_of
from crmkit.tables.frames import rows_of

if TYPE_CHECKING:
    from crmkit.tables import Transactions

CORRECTIONS = ("holm", "benjamini-hochberg", "none")
CHANCES = ("basket size", "independent")
_Z = 1.959963984540054


def rules(
    transactions: "Transactions",
    item: str = "category",
    *,
    support: float = 0.02,
    chance: str = "basket size",
    correction: str = "holm",
    level: float = 0.05,
    shuffle: int | None = None,
) -> pd.DataFrame:
    """Who has this in the basket, has that too: how often, how much more often than by chance, and is it more than luck?

    A basket is a customer's order; an item counts once in it, and lines of money below 0 do not count. The counting is a self-join
    on the table's own engine: only items that reach `support` are joined, and only counts come out.

    Parameters
        item: the role that is put together: "category", "product_id" or "brand".
        support: share of all baskets that must hold both.
        chance: what "by chance" means for the test. "basket size": each size of basket has its own shares of baskets with an
            item, and within a size two items know nothing of each other. "independent": the textbook's test, one share for all
            baskets (Fisher's exact test); it finds nearly every pair of a supermarket, because large baskets hold everything.
        correction: for the number of pairs tried, which are **all** pairs of items that reach the support alone: "holm" (the
            chance of a single false rule stays below `level`), "benjamini-hochberg" (the share of false rules among those found
            does) or "none".
        shuffle: a seed: deal all items out anew over the baskets first. Each basket keeps its size, each item the number of its
            baskets, and no two items have anything to do with each other. What looks good then is no finding.
    Returns: one row a rule (each pair gives two), the highest `lift_for_size` first: `if_bought`, `also_bought`, `baskets` (with
        both), `support`, `confidence` (share of the baskets with `if_bought` that hold `also_bought`), `lift` (confidence / the share
        of all baskets that hold `also_bought`), `low`, `high` (95 % interval of the lift), `expected` (baskets with both that chance
        explains), `lift_for_size` (baskets / expected; the same as `lift` with chance="independent"), `p_value` (one-sided),
        `p_corrected`, `above_chance` (bool). attrs: `baskets`, `items`, `frequent`, `tried`, `left_out` (lines without an order or
        item), `correction`, `chance`, `level`, `shuffled`.
        Interval and test take each basket for a draw of its own. The baskets of one household are not, so both are too sure of
        themselves: a rule should also be seen again in a later period.
    Raises: ColumnError if order_id or the item's role was not named; InputError for a support outside 0 to 1 or without any basket;
        KindError without checked transactions.
    Source: Agrawal, Imieliński and Swami (1993), SIGMOD, for support and confidence; Mantel and Haenszel (1959) for the test over
        strata; Holm (1979), Scandinavian Journal of Statistics 6; Benjamini and Hochberg (1995), JRSS B 57; Gionis, Mannila,
        Mielikäinen and Tsaparas (2007), ACM TKDD 1, for shuffling with both margins kept.

    >>> from crmkit.tables import Transactions
    >>> bought = [("r1", "tea"), ("r1", "milk"), ("r2", "tea"), ("r2", "milk"), ("r3", "rice"), ("r4", "rice")]
    >>> lines = pd.DataFrame(bought, columns=["order_id", "category"])
    >>> orders = Transactions.read(lines.assign(customer_id=1, ordered_at="2026-01-05", amount=1.0))
    >>> rules(orders, chance="independent")[["if_bought", "also_bought", "support", "confidence", "lift"]].to_numpy().tolist()
    [['milk', 'tea', 0.5, 1.0, 2.0], ['tea', 'milk', 0.5, 1.0, 2.0]]
    """
    one_of("chance", chance, CHANCES)
    one_of("correction", correction, CORRECTIONS)
    in_range("support", support, 0, 1, ends="()", what="a share", such_as=0.02)
    in_range("level", level, 0, 1, ends="()", what="a share", such_as=0.05)
    lines, left_out = _lines(transactions, item)
    if shuffle is not None:
        lines = ibis.memtable(_dealt_anew(lines.to_pandas(), shuffle))
    lines = lines.cache()
    sizes = lines.group_by("basket").aggregate(size=lines.count()).cache()
    by_size = sizes.group_by("size").aggregate(baskets=sizes.count()).to_pandas().set_index("size")["baskets"]
    by_size = by_size.sort_index()
    baskets = int(by_size.sum())
    if baskets == 0:
        raise InputError(f"no basket is left: no line has an order_id, a {item} and an amount of 0 or more.")
    sized = lines.inner_join(sizes, "basket")
    per = sized.group_by(["item", "size"]).aggregate(baskets=sized.count()).to_pandas()
    per = per.pivot(index="item", columns="size", values="baskets").fillna(0.0).sort_index(axis=0).sort_index(axis=1)
    alone = per.sum(axis=1)
    need = support * baskets
    frequent = alone[alone >= need]
    # numbers for items: the join compares and groups whole numbers instead of texts
    codes = ibis.memtable(
        pd.DataFrame({"item": frequent.index, "code": np.arange(len(frequent))}),
        schema={"item": lines.item.type(), "code": "int64"},
    )
    chosen = lines.inner_join(codes, "item").select("basket", "code").cache()
    other = chosen.view()
    joined = chosen.inner_join(other, [chosen.basket == other.basket, chosen.code < other.code], rname="{name}_other")
    both = joined.group_by(["code", "code_other"]).aggregate(baskets=ibis._.count())
    both = both.filter(both.baskets >= need).to_pandas().sort_values(["code", "code_other"])
    one, two, together = (both[name].to_numpy() for name in ("code", "code_other", "baskets"))
    counts = frequent.to_numpy(dtype=float)
    if chance == "independent":
        expected, p_value = _independent(together, counts[one], counts[two], baskets)
    else:
        shares = per.to_numpy() / by_size.to_numpy()
        wanted = per.loc[frequent.index].to_numpy()
        room = (shares * (1 - shares)).sum(axis=0)
        expected, p_value = _given_size(together, wanted[one], wanted[two], by_size, room)
    tried = len(frequent) * (len(frequent) - 1) // 2
    pairs = pd.DataFrame(
        {"baskets": together, "support": together / baskets, "lift": together * baskets / (counts[one] * counts[two])}
    )
    pairs["low"], pairs["high"] = _lift_interval(together, counts[one], counts[two], baskets)
    pairs["expected"], pairs["lift_for_size"], pairs["p_value"] = expected, together / expected, p_value
    pairs["p_corrected"] = _corrected(p_value, tried, correction)
    pairs["above_chance"] = pairs["p_corrected"] <= level
    names = frequent.index.to_numpy()
    sides = [
        pairs.assign(if_bought=names[mine], also_bought=names[its], confidence=together / counts[mine])
        for mine, its in ((one, two), (two, one))
    ]
    found = pd.concat(sides).sort_values(
        ["lift_for_size", "if_bought"], ascending=[False, True], kind="stable", ignore_index=True
    )
    found = found[
        [
            "if_bought",
            "also_bought",
            "baskets",
            "support",
            "confidence",
            "lift",
            "low",
            "high",
            "expected",
            "lift_for_size",
            "p_value",
            "p_corrected",
            "above_chance",
        ]
    ]
    found.attrs = {
        "baskets": baskets,
        "items": len(alone),
        "frequent": len(frequent),
        "tried": tried,
        "left_out": left_out,
    }
    found.attrs |= {"correction": correction, "chance": chance, "level": level, "shuffled": shuffle is not None}
    return found


def _corrected(p_values: Any, tried: int, correction: str = "holm") -> np.ndarray:
    """p-values as they must be read after `tried` tests, of which those not given had larger ones.

    Source: Holm (1979); Benjamini and Hochberg (1995).

    >>> _corrected([0.01, 0.04, 0.03], 3).round(2).tolist(), _corrected([0.01, 0.04, 0.03], 3, "benjamini-hochberg").round(2).tolist()
    ([0.03, 0.06, 0.06], [0.03, 0.04, 0.04])
    """
    values = np.asarray(p_values, dtype=float)
    if tried < len(values):
        raise InputError(
            f"tried={tried} is less than the {len(values)} p-values given; count every test that was made."
        )
    if correction == "none" or len(values) == 0:
        return values
    order = np.argsort(values, kind="stable")
    rank = np.arange(1, len(values) + 1)
    if correction == "holm":
        ordered = np.maximum.accumulate(values[order] * (tried - rank + 1))
    else:
        ordered = np.minimum.accumulate((values[order] * tried / rank)[::-1])[::-1]
    result = np.empty_like(values)
    result[order] = np.minimum(ordered, 1)
    return result


def _lines(transactions: Any, item: str) -> tuple[Any, int]:
    """Distinct basket and item, and how many lines have no basket or no item."""
    rows = rows_of(transactions, "rules")
    for role in ("order_id", item):
        if role not in rows.columns:
            raise ColumnError(
                f"the role {role!r} was not named, and without it nobody knows what was bought together; read the table again with "
                f"Transactions.read(…, {role}=<your column>). Roles here: {', '.join(map(str, rows.columns))}."
            )
    if item in ("customer_id", "ordered_at", "day", "amount", "order_id", "line_id", "quantity"):
        raise InputError(f'item={item!r} is no kind of product; use "category", "product_id" or "brand".')
    usable = rows.order_id.notnull() & rows[item].notnull()
    missing = rows.aggregate(missing=(~usable).sum()).to_pyarrow()["missing"][0].as_py() or 0
    bought = rows.filter(usable, rows.amount >= 0).select("customer_id", "order_id", item=rows[item]).distinct()
    # two customers may carry the same order number: a basket is both together
    basket = ibis.dense_rank().over(order_by=[bought.customer_id, bought.order_id])
    return bought.select("item", basket=basket), int(missing)


def _independent(both: np.ndarray, one: np.ndarray, other: np.ndarray, baskets: int) -> tuple[np.ndarray, np.ndarray]:
    """Fisher's exact test: the chance of at least so many baskets with both, given how many hold each."""
    from scipy.stats import hypergeom

    return one * other / baskets, np.clip(hypergeom.sf(both - 1, baskets, one.astype(int), other.astype(int)), 0, 1)


def _lift_interval(both: np.ndarray, one: np.ndarray, other: np.ndarray, baskets: int) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval of the lift: delta method on its logarithm, the counts of the four cells multinomial."""
    lift = both * baskets / (one * other)
    variance = (baskets / both - baskets / one - baskets / other + 2 * lift - 1) / baskets
    half = _Z * np.sqrt(np.maximum(variance, 0))
    return lift * np.exp(-half), lift * np.exp(half)


def _given_size(
    both: np.ndarray, one: np.ndarray, other: np.ndarray, by_size: "pd.Series[Any]", room: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mantel and Haenszel's test with one stratum a basket size (normal approximation, continuity corrected).

    Items of one basket compete for its places, so a basket holds both a little less often than independence says, and never if
    it has one place: Hájek (1964), Annals of Mathematical Statistics 35. `room` is the sum of share × (1 − share) over all items.
    """
    from scipy.stats import norm

    size, count = by_size.index.to_numpy(), by_size.to_numpy(dtype=float)
    p, q = one / count, other / count
    compete = np.where(size > 1, 1 - (1 - p) * (1 - q) / np.maximum(room, 1e-9), 0)
    expected = (count * p * q * np.clip(compete, 0, 1)).sum(axis=1)
    spread = (count**2 * p * (1 - p) * q * (1 - q) / np.maximum(count - 1, 1))[:, size > 1].sum(axis=1)
    return expected, norm.sf((both - expected - 0.5) / np.sqrt(np.maximum(spread, 1e-12)))


def _dealt_anew(lines: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The items dealt out by lot: each basket keeps its size, each item its number of baskets, none lies twice in a basket."""
    lines = lines.sort_values(
        ["basket", "item"], ignore_index=True
    )  # the lot must not depend on how the engine returned the rows
    random, basket = np.random.default_rng(seed), lines["basket"].to_numpy()
    code, names = pd.factorize(lines["item"], sort=True)
    code = random.permutation(code)
    for _ in range(200):
        double = np.flatnonzero(pd.Series(basket * len(names) + code).duplicated())
        if len(double) == 0:
            break
        # what lies twice changes places with as many others, drawn from all
        places = np.union1d(double, random.integers(0, len(code), 2 * len(double)))
        code[places] = code[random.permutation(places)]
    keep = ~pd.Series(basket * len(names) + code).duplicated()
    return pd.DataFrame({"item": names.take(code[keep]), "basket": basket[keep]})
