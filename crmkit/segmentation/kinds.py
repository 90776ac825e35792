"""Five kinds of segmentation as labels on customers, and how far two of them say the same."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from crmkit.errors import ColumnError, InputError
from crmkit.tables.frames import by_customer, needs, rows_of

if TYPE_CHECKING:
    from crmkit.tables import Transactions

UNKNOWN = "unknown"
#: The five kinds of the source, what each looks at, and a clothing brand's example.
KINDS = pd.DataFrame(
    [
        ("demographic", "age, sex, income, education, occupation, household"),
        ("geographic", "place, climate, culture; which store"),
        ("psychographic", "values, style of life, personality; needs a survey"),
        ("behavioural", "what, when, how often, through which channel"),
        ("value", "money now, and what is to be expected"),
    ],
    columns=["kind", "looks_at"],
).set_index("kind")


def labels(
    customers: pd.DataFrame, columns: "str | Iterable[str]", *, groups: "Mapping[Any, str] | None" = None
) -> "pd.Series[str]":
    """Which demographic (or any other recorded) segment is each customer in, and whose is not known?

    Parameters
        customers: one row a customer, by index or column `customer_id`.
        columns: one column, or several that together make a segment ("45-54 · 50-74K").
        groups: for one column, coarser names of its values, such as `{"19-24": "young", "25-34": "young"}`; a value that it does
            not name keeps its own.
    Returns: Series of text by customer_id. A customer with a missing value in any column is "unknown": a segment too, and often the
        largest.
    Raises: ColumnError for a missing column; InputError for a customer twice or groups for several columns.
    Source: 001 §2.2 (five kinds).

    >>> people = pd.DataFrame({"age": ["19-24", None]}, index=pd.Index([1, 2], name="customer_id"))
    >>> labels(people, "age", groups={"19-24": "young"}).to_dict()
    {1: 'young', 2: 'unknown'}
    """
    chosen = [columns] if isinstance(columns, str) else list(columns)
    table = by_customer(customers, "customers")
    needs(table, chosen, "customers")
    if groups is not None and len(chosen) > 1:
        raise InputError("groups are for one column; name coarser values in each column first.")
    texts = [
        table[column].map(lambda value: (groups or {}).get(value, str(value)), na_action="ignore") for column in chosen
    ]
    joined = texts[0].astype(object)
    for text in texts[1:]:
        joined = joined.str.cat(text, sep=" · ")
    return joined.where(joined.notna(), UNKNOWN).astype(str).rename("segment").rename_axis("customer_id")


def main_store(transactions: "Transactions", *, smallest: int = 50) -> "pd.Series[str]":
    """Geographic: in which store does each customer leave most money? Stores with few such customers are put together.

    Parameters: checked transactions with the role store_id; `smallest`, customers below which a store is "other stores".
    Returns: Series of text by customer_id (ascending). Of equal stores the first by name is taken.
    Raises: ColumnError without the role.

    >>> from crmkit.tables import Transactions
    >>> rows = pd.DataFrame({"customer_id": [1, 1, 2], "ordered_at": "2026-01-01", "amount": [5, 9, 2], "store_id": ["a", "b", "a"]})
    >>> main_store(Transactions.read(rows), smallest=1).to_dict()
    {1: 'b', 2: 'a'}
    """
    rows = rows_of(transactions, "main_store")
    if "store_id" not in rows.columns:
        raise ColumnError("these transactions have no store_id; name the column when you read them: store_id='…'.")
    money = rows.group_by("customer_id", "store_id").aggregate(money=rows.amount.sum().cast("float64")).to_pandas()
    money["store_id"] = money["store_id"].astype(str)
    best = money.sort_values(["customer_id", "money", "store_id"], ascending=[True, False, True]).drop_duplicates(
        "customer_id"
    )
    store = best.set_index("customer_id")["store_id"]
    few = store.map(store.value_counts()) < smallest
    return store.where(~few, "other stores").rename("segment")


def dominant_scale(
    answers: pd.DataFrame, scales: Mapping[str, Iterable[str]], *, margin: float = 0.0
) -> "pd.Series[str]":
    """Psychographic: which motive stands out for each person who answered?

    Each person's answers are compared with their own mean first, because some people agree to everything.

    Parameters
        answers: one row a person (by index), one column an item, all on one scale of agreement (such as 1 to 5).
        scales: motive → its items. margin: by how much the first must exceed the second, on the answers' scale; else "mixed".
    Returns: Series of text: the motive, "mixed", or "unknown" for who answered less than half of a motive's items.
    Raises: ColumnError for a missing item; InputError for less than two motives.
    Source: 001 §2.2 names motives and values; taking out a person's mean is usual against acquiescence (Cronbach 1946).

    >>> asked = pd.DataFrame({"price1": [5, 4], "price2": [4, 4], "joy1": [2, 4], "joy2": [1, 4]})
    >>> dominant_scale(asked, {"price": ["price1", "price2"], "joy": ["joy1", "joy2"]}).to_list()
    ['price', 'mixed']
    """
    named = {name: list(items) for name, items in scales.items()}
    if len(named) < 2:
        raise InputError("at least two motives are needed; one cannot stand out.")
    needs(answers, [item for items in named.values() for item in items], "answers")
    centred = answers.astype(float).sub(answers.astype(float).mean(axis=1), axis=0)
    means = pd.DataFrame({name: centred[items].mean(axis=1) for name, items in named.items()})
    enough = pd.DataFrame({name: answers[items].notna().mean(axis=1) >= 0.5 for name, items in named.items()}).all(
        axis=1
    )
    ordered = np.sort(means.fillna(-np.inf).to_numpy(), axis=1)
    clear = ordered[:, -1] - ordered[:, -2] > margin
    first = means.fillna(-np.inf).idxmax(axis=1).where(clear, "mixed")
    return first.where(enough, UNKNOWN).rename("segment")


class Association(NamedTuple):
    """Cramér's V (bias-corrected) with its interval, the customers it rests on, and the table behind it."""

    v: float
    low: float
    high: float
    customers: int
    table: pd.DataFrame


def association(
    first: "pd.Series[Any]", second: "pd.Series[Any]", *, keep_unknown: bool = False, seed: int = 1, draws: int = 300
) -> Association:
    """Do two segmentations of the same customers say the same?

    Parameters
        first, second: a label for each customer, by customer_id. Customers in one of the two only are left out.
        keep_unknown: count "unknown" as a segment; else who is unknown in either is left out.
        seed, draws: of the bootstrap over customers that gives the interval.
    Returns: `Association(v, low, high, customers, table)`: V is 0 if the labels are independent and 1 if one tells the other;
        near 0 the upper end of the interval is generous (a bootstrap adds its own noise).
        `table` has customers by first (rows) and second (columns).
    Raises: InputError without customers in common, or if one of the two has a single segment.
    Source: Cramér (1946), Mathematical Methods of Statistics; correction of Bergsma (2013), Journal of the Korean Statistical
        Society 42(3).

    >>> one = pd.Series(list("aabb") * 30)
    >>> round(association(one, one.map({"a": "x", "b": "y"})).v, 2)
    1.0
    """
    both = pd.concat([first.astype(str).rename("first"), second.astype(str).rename("second")], axis=1, join="inner")
    if not keep_unknown:
        both = both[(both != UNKNOWN).all(axis=1)]
    table = pd.crosstab(both["first"], both["second"])
    if len(both) == 0 or min(table.shape) < 2:
        raise InputError(
            f"{len(both):,} customers with a label in both make a table of {table.shape[0]} by {table.shape[1]}; at least two "
            "segments on each side are needed."
        )
    counts = table.to_numpy()
    random = np.random.default_rng(seed)
    drawn = random.multinomial(counts.sum(), counts.ravel() / counts.sum(), draws).reshape(draws, *counts.shape)
    low, high = np.quantile([_cramers_v(one) for one in drawn], [0.025, 0.975])
    found = _cramers_v(counts)
    return Association(found, min(float(low), found), max(float(high), found), len(both), table)


def _cramers_v(counts: np.ndarray) -> float:
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if min(counts.shape) < 2:
        return 0.0
    total = counts.sum()
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / total
    phi2 = ((counts - expected) ** 2 / expected).sum() / total
    rows, columns = counts.shape
    phi2 = max(phi2 - (rows - 1) * (columns - 1) / (total - 1), 0.0)
    smallest = min(rows - (rows - 1) ** 2 / (total - 1), columns - (columns - 1) ** 2 / (total - 1)) - 1
    return float(min(np.sqrt(phi2 / smallest), 1.0)) if smallest > 0 else 0.0
