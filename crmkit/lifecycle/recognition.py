"""How many customers a shop can know by heart, and what a list of them changes (the snack shop and the restaurant)."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.errors import InputError, in_range
from crmkit.tables.frames import rows_of

if TYPE_CHECKING:
    from crmkit.tables import Transactions


def simulated_visits(regulars: int, *, visits_each: float = 20, unequal: float = 1.0, seed: int = 1) -> np.ndarray:
    """A counter and its regulars: who comes in which order?

    Parameters: `regulars`, how many there are; `visits_each`, how often one comes on average; `unequal`, the spread of
        how often they come as a share of its mean (0: all alike, 1: many come rarely and a few very often, a gamma
        distribution); `seed`.
    Returns: the number of the visitor (0 to regulars − 1), one a visit, in the order of time.
    Raises: InputError for a number that is not positive.

    >>> visits = simulated_visits(100, unequal=0)
    >>> len(visits), len(set(visits.tolist()))
    (2000, 100)
    """
    in_range("regulars", regulars, 0, ends="(]")
    in_range("visits_each", visits_each, 0, ends="(]")
    in_range("unequal", unequal, 0)
    random = np.random.default_rng(seed)
    rates = np.ones(int(regulars)) if unequal == 0 else random.gamma(1 / unequal**2, 1, int(regulars))
    return random.choice(int(regulars), round(regulars * visits_each), p=rates / rates.sum())


def recognised(visitors: Iterable[Any], remembers: int = 150) -> np.ndarray:
    """Somebody at the counter remembers so many faces, and forgets the one not seen for longest. Who is recognised?

    Parameters: `visitors`, one id a visit in the order of time; `remembers`, faces kept in mind (150 is a round number
        in the spirit of Dunbar (1992), Journal of Human Evolution 22; put your own).
    Returns: a bool a visit: was the visitor still in mind? A first visit is never recognised.
    Raises: InputError for a memory below one face or not whole.
    Source: 004.A, the snack shop and the crowded restaurant. Forgetting the one not seen for longest is a simplification
        (least recently used); with N equal regulars and a memory of K < N a share of K / N is recognised in the long run.

    >>> recognised(["ann", "bob", "ann", "cem", "bob"], remembers=2).tolist()
    [False, False, True, False, False]
    """
    in_range("remembers", remembers, 1, what="a whole number of faces")
    mind: OrderedDict[Any, None] = OrderedDict()
    known = []
    for visitor in visitors:
        known.append(visitor in mind)
        mind[visitor] = None
        mind.move_to_end(visitor)
        if len(mind) > remembers:
            mind.popitem(last=False)
    return np.array(known, dtype=bool)


def recognised_customers(transactions: "Transactions", *, remembers: int = 150) -> pd.DataFrame:
    """Of the visits in this order book, how many would one good memory at the counter have recognised?

    Parameters: checked transactions; `remembers`, faces kept in mind.
    Returns: one row a customer, index `customer_id` (ascending): `visits` (days with a purchase), `repeat_visits`,
        `recognised` (repeat visits at which the customer was still in mind), `share` (recognised / repeat_visits,
        missing if there is none). Visits of one day are taken in the order of their time, then of their id.
    Raises: KindError without checked transactions; InputError if nothing was bought.

    >>> from crmkit.tables import Transactions
    >>> orders = Transactions.read(pd.DataFrame({"customer_id": ["ann", "bob", "ann"], "amount": [3, 4, 5],
    ...                                          "ordered_at": ["2026-01-01", "2026-01-02", "2026-01-03"]}))
    >>> recognised_customers(orders, remembers=1)["recognised"].to_dict()
    {'ann': 0, 'bob': 0}
    """
    rows = rows_of(transactions, "recognised_customers")
    rows = rows.filter(rows.amount >= 0)
    visits = rows.group_by("customer_id", "day").aggregate(at=rows.ordered_at.min())
    visits = visits.order_by("at", "customer_id").select("customer_id").to_pyarrow()["customer_id"].to_pandas()
    if visits.empty:
        raise InputError("nothing was bought in this table (no row with an amount of 0 or more).")
    known = pd.Series(recognised(visits, remembers)).groupby(visits.to_numpy()).agg(["size", "sum"])
    table = pd.DataFrame({"visits": known["size"], "repeat_visits": known["size"] - 1, "recognised": known["sum"]})
    table["share"] = table["recognised"] / table["repeat_visits"].where(table["repeat_visits"] > 0)
    return table.rename_axis("customer_id")
