"""What members buy, the coupons they get and use, and the ledgers of points and balances that follow from it."""

import numpy as np
import pandas as pd
import pyarrow as pa

from crmkit.datasets.simulation import clock, dirt, membership_push, people, processes
from crmkit.datasets.simulation.clock import DAYS, Season
from crmkit.datasets.simulation.columns import ids, money, pick, table, whole
from crmkit.datasets.simulation.firm import Streams
from crmkit.datasets.simulation.membership_state import CATEGORIES, CHANNELS, CODES, PRODUCTS, Bought, Folk, in_turn

MORE_LINES, MORE_PIECES = 0.4, 0.25
STORES = {"A1": 0.4, "A2": 0.25, "A3": 0.2, "A4": 0.15}
RETURNED, LATE, REPEATED = 0.03, 0.012, 0.003
#: Coupons: EUR, days valid, chance that a member who orders in time uses it, days on which everybody gets one.
COUPONS = {
    "welcome": (5, 60, 0.75, ()),
    "advent": (4, 30, 0.45, ("2023-11-24", "2024-11-22", "2025-11-21")),
    "cold brew": (membership_push.COUPON, membership_push.WINDOW - 1, 0, ()),
}
POINTS, POINTS_WORTH = 100, 500  # so many points pay so many cents
SPENDS, TOPS_UP = 0.4, 0.6
YEAR_ENDS = (clock.number("2024-12-31"), clock.number("2025-12-31"))


def buy(streams: Streams, folk: Folk, pace: Season) -> Bought:
    """All orders without the new product, in order of member and time, not yet with coupons."""
    rng = streams("orders")
    at_once = np.flatnonzero(rng.uniform(0, 1, len(folk)) < 0.85)
    who, when = processes.events(rng, folk.rate, folk.joined, np.minimum(folk.gone, DAYS), pace)
    who = np.concatenate([at_once, who])
    when = clock.by_day(rng, np.concatenate([folk.joined[at_once], when]), 8, 21)
    late = np.lexsort((when, who))
    who, when = who[late], when[late]
    keep = when > folk.joined[who] - 1
    who, when, count = who[keep], when[keep], int(keep.sum())
    more = streams("lines")
    lines = 1 + more.poisson(MORE_LINES, count)
    order = np.repeat(np.arange(count), lines)
    edges = np.cumsum(folk.taste, axis=1)
    drawn = more.uniform(0, 1, len(order))
    category = np.minimum((drawn[:, None] > edges[who[order]]).sum(axis=1), len(CATEGORIES) - 1)
    product = np.zeros(len(order), dtype="int64")
    for place, name in enumerate(CATEGORIES):
        rows = np.flatnonzero(category == place)
        weights = np.array([told[5] * (told[1] == name) for told in PRODUCTS.values()])
        product[rows] = people.choose(more, weights, len(rows))
    # who may not eat sugar takes the biscuits without it: a product can tell what nobody was asked
    sugar = (folk.diet[who[order]] == 1) & (category == 1) & (more.uniform(0, 1, len(order)) < 0.8)
    product[sugar] = CODES.index("S03")
    usual = more.uniform(0, 1, count) < 0.85
    return Bought(
        who=who,
        when=when,
        channel=np.where(usual, folk.main[who], more.integers(0, len(CHANNELS), count)),
        off=np.zeros(count, dtype="int64"),
        fresh=np.zeros(count, dtype=bool),
        order=order,
        product=product,
        quantity=1 + more.poisson(MORE_PIECES, len(order)),
    )


def coupons(
    rng: np.random.Generator, folk: Folk, bought: Bought, push: "membership_push.Push"
) -> dict[str, np.ndarray]:
    """Every coupon and the order it was used with (-1: none); what it takes off is written into `bought.off`."""
    usual = int((~bought.fresh).sum())  # these come first, in order of member and time
    key = bought.who[:usual] * float(2 * DAYS) + bought.when[:usual]
    kind, who, issued, until, order = [], [], [], [], []
    for place, (days, chance, sent) in enumerate(told[1:] for told in COUPONS.values()):
        if place == 0:
            to, on = np.arange(len(folk)), folk.joined
        elif sent:
            to, on = (np.concatenate(c) for c in zip(*[_there(folk, clock.number(d)) for d in sent], strict=True))
        else:
            to = np.flatnonzero(push.contact)
            on = np.full(len(to), float(clock.number(membership_push.SENT_ON)))
        used = push.code[to]
        if chance:
            # the second order at the earliest: a coupon is in the pocket on the day after
            used = np.searchsorted(key, to * float(2 * DAYS) + np.floor(on) + 1)
            found = np.append(bought.who[:usual], -1)[used] == to
            found &= np.append(bought.when[:usual], np.inf)[used] < np.floor(on) + days + 1
            found &= rng.uniform(0, 1, len(to)) < chance
            found &= np.append(bought.off, 1)[used] == 0
            used = np.where(found, used, -1)
            bought.off[used[found]] = 100 * COUPONS[list(COUPONS)[place]][0]
        for told, values in zip(
            (kind, who, issued, until, order), (place, to, on, np.floor(on) + days, used), strict=True
        ):
            told.append(np.broadcast_to(values, len(to)))
    named = zip(("kind", "who", "issued", "until", "order"), (kind, who, issued, until, order), strict=True)
    return {name: np.concatenate(parts) for name, parts in named}


def _there(folk: Folk, day: int) -> tuple[np.ndarray, np.ndarray]:
    there = np.flatnonzero(folk.joined < day)
    return there, np.full(len(there), float(day))


def coupon_table(found: dict[str, np.ndarray], bought: Bought, order_id: pa.Array, person: pa.Array) -> pd.DataFrame:
    """The coupons in order of issue."""
    rows = np.argsort(np.floor(found["issued"]), kind="stable")
    kind, order = found["kind"][rows], found["order"][rows]
    return table(
        coupon_id=ids("C", len(rows), 6),
        customer_id=pick(person, found["who"][rows]),
        kind=pick(list(COUPONS), kind),
        value=np.array([float(told[0]) for told in COUPONS.values()])[kind],
        issued_on=clock.day(found["issued"][rows]),
        valid_until=clock.day(found["until"][rows]),
        used_on=clock.day(np.append(bought.when, np.inf)[order]),
        order_id=pick(order_id, order),
    )


def refunds(rng: np.random.Generator, bought: Bought) -> tuple[np.ndarray, np.ndarray]:
    """The lines that come back, and when."""
    line = np.flatnonzero(rng.uniform(0, 1, len(bought.order)) < RETURNED)
    at = clock.by_day(rng, bought.when[bought.order[line]] + rng.uniform(3, 25, len(line)), 9, 18)
    return line[at < DAYS], at[at < DAYS]


def order_table(
    streams: Streams,
    bought: Bought,
    back: np.ndarray,
    returned: np.ndarray,
    dirty: float,
    order_id: pa.Array,
    person: pa.Array,
) -> pd.DataFrame:
    """The order lines in the order of booking, refunds below zero."""
    rng, count = streams("dirt of orders"), len(bought.order)
    store = people.choose(streams("stores"), STORES, len(bought))
    store[bought.channel != CHANNELS.index("shop")] = -1
    number = 1 + np.arange(count) - np.searchsorted(bought.order, bought.order)
    lines = np.bincount(bought.order, minlength=len(bought))
    further = 1 + np.arange(len(back)) - np.searchsorted(bought.order[back], bought.order[back])
    row = np.concatenate([np.arange(count), back])
    sign = np.concatenate([np.ones(count, dtype="int64"), np.full(len(back), -1)])
    number = np.concatenate([number, lines[bought.order[back]] + further])
    at = np.concatenate([bought.when[bought.order], returned])
    booked = dirt.booked(rng, at, LATE * dirty)
    booked = booked[dirt.repeated(rng, len(booked), REPEATED * dirty)]
    row, sign, order = row[booked], sign[booked], bought.order[row[booked]]
    product = bought.product[row]
    told = list(PRODUCTS.values())
    first = np.diff(bought.order, prepend=-1) > 0
    return table(
        order_id=pick(order_id, order),
        line=number[booked],
        customer_id=pick(person, bought.who[order]),
        ordered_at=clock.moment(at[booked]),
        category=pick([entry[1] for entry in told], product),
        product_id=pick(CODES, product),
        quantity=bought.quantity[row] * sign,
        amount=money(bought.amount[row] * sign / 100),
        discount=money(np.where(first[row] & (sign > 0), bought.off[order], 0) / 100),
        unit_cost=np.array([entry[4] for entry in told])[product],
        channel=pick(list(CHANNELS), bought.channel[order]),
        store_id=pick(list(STORES), store[order]),
    )


def _events(
    folk: Folk, bought: Bought, back: np.ndarray, returned: np.ndarray, *, year_ends: bool
) -> dict[str, np.ndarray]:
    """Orders (kind 0), refunds (1) and, for points, years that end without an order (2), by member and time."""
    paid = np.zeros(len(bought), dtype="int64")
    np.add.at(paid, bought.order, bought.amount)
    kind = [np.zeros(len(bought)), np.ones(len(back))]
    who, when = [bought.who, bought.who[bought.order[back]]], [bought.when, returned]
    order, cents = [np.arange(len(bought)), bought.order[back]], [paid, bought.amount[back]]
    for end in YEAR_ENDS if year_ends else ():
        year = (bought.when >= end - 365) & (bought.when < end + 1)
        idle = np.flatnonzero((np.bincount(bought.who[year], minlength=len(folk)) == 0) & (folk.joined < end - 365))
        for told, value in zip((kind, who, when, order, cents), (2, idle, end + 0.9999, -1, 0), strict=True):
            told.append(np.broadcast_to(value, len(idle)))
    who, when = np.concatenate(who), np.concatenate(when)
    rows = np.lexsort((when, who))
    parts = {"kind": kind, "order": order, "cents": cents}
    return {"who": who[rows], "when": when[rows]} | {
        name: np.concatenate(told)[rows].astype("int64") for name, told in parts.items()
    }


def points(
    rng: np.random.Generator,
    folk: Folk,
    bought: Bought,
    back: np.ndarray,
    returned: np.ndarray,
    order_id: pa.Array,
    person: pa.Array,
) -> pd.DataFrame:
    """A point for each full euro; hundreds of them pay for orders; refunds take them back as far as they are there."""
    events = _events(folk, bought, back, returned, year_ends=True)
    kind, euros = events["kind"], events["cents"] // 100
    willing = rng.uniform(0, 1, len(kind)) < SPENDS
    has, gives, takes = np.zeros(len(folk), dtype="int64"), np.zeros_like(kind), np.zeros_like(kind)
    for rows in in_turn(events["who"]):
        who, what = events["who"][rows], kind[rows]
        hundreds = np.minimum(has[who] // POINTS, events["cents"][rows] // POINTS_WORTH) * willing[rows]
        takes[rows] = np.select(
            [what == 0, what == 1], [hundreds * POINTS, np.minimum(has[who], euros[rows])], has[who]
        )
        gives[rows] = np.where(what == 0, euros[rows], 0)
        has[who] += gives[rows] - takes[rows]
    # points are spent before those of the same order are earned
    return _ledger(
        "P",
        events,
        [(takes, -1, np.array(["spend", "correction", "expire"])[kind], 0.0), (gives, 1, "earn", 1e-5)],
        "points",
        1,
        order_id,
        person,
    )


def balances(
    rng: np.random.Generator,
    folk: Folk,
    bought: Bought,
    back: np.ndarray,
    returned: np.ndarray,
    stored: np.ndarray,
    order_id: pa.Array,
    person: pa.Array,
) -> pd.DataFrame:
    """Money paid in beforehand, of `stored` members: an order is paid from it wholly or not at all."""
    events = _events(folk, bought, back, returned, year_ends=False)
    mine = stored[events["who"]]
    events = {name: values[mine] for name, values in events.items()}
    kind, cents, order = events["kind"], events["cents"], events["order"]
    willing = rng.uniform(0, 1, len(kind)) < TOPS_UP
    has, paid = np.zeros(len(folk), dtype="int64"), np.zeros(len(bought), dtype=bool)
    tops, takes, gives = np.zeros_like(kind), np.zeros_like(kind), np.zeros_like(kind)
    for rows in in_turn(events["who"]):
        who, buys = events["who"][rows], kind[rows] == 0
        lacks = np.where(buys, cents[rows] - has[who], 0)
        tops[rows] = np.where((lacks > 0) & willing[rows], -(-lacks // 5000) * 5000, 0)
        pays = buys & (has[who] + tops[rows] >= cents[rows])
        paid[order[rows[pays]]] = True
        takes[rows] = np.where(pays, cents[rows], 0)
        gives[rows] = np.where(~buys & paid[order[rows]], cents[rows], 0)
        has[who] += tops[rows] + gives[rows] - takes[rows]
    parts = [(tops, 1, "top-up", -0.002), (takes, -1, "spend", 0.0), (gives, 1, "refund", 0.0)]
    return _ledger("B", events, parts, "amount", 100, order_id, person)


def _ledger(
    prefix: str,
    events: dict[str, np.ndarray],
    parts: list[tuple],
    column: str,
    divide: int,
    order_id: pa.Array,
    person: pa.Array,
) -> pd.DataFrame:
    """The entries of all parts (values, sign, kind, shift in time) that are not zero, in order of time."""
    rows = [np.flatnonzero(values) for values, *_ in parts]
    row = np.concatenate(rows)
    signed = np.concatenate([values[at] * sign for (values, sign, *_), at in zip(parts, rows, strict=True)])
    kinds = np.concatenate(
        [np.broadcast_to(kind, len(events["who"]))[at] for (_, _, kind, _), at in zip(parts, rows, strict=True)]
    )
    when = np.concatenate([events["when"][at] + shift for (*_, shift), at in zip(parts, rows, strict=True)])
    by_time = np.lexsort((row, when))
    row, kinds = row[by_time], kinds[by_time]
    order = np.where(kinds == "top-up", -1, events["order"][row])
    names = sorted(set(kinds.tolist()))
    return table(
        entry_id=ids(prefix, len(row), 6),
        customer_id=pick(person, events["who"][row]),
        booked_at=clock.moment(when[by_time]),
        kind=pick(names, np.searchsorted(names, kinds) if names else np.zeros(0, dtype=int)),
        **{column: whole(signed[by_time]) if divide == 1 else money(signed[by_time] / divide)},
        order_id=pick(order_id, order),
    )
