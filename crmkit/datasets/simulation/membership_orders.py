"""What members buy, and what of it comes back."""

import numpy as np
import pandas as pd

from crmkit.datasets.simulation import clock, dirt, people, processes
from crmkit.datasets.simulation.clock import DAYS, Season
from crmkit.datasets.simulation.columns import ids, money, pick, table
from crmkit.datasets.simulation.firm import Streams
from crmkit.datasets.simulation.membership_state import CATEGORIES, CHANNELS, CODES, PRODUCTS, Bought, Folk

MORE_LINES, MORE_PIECES = 0.4, 0.25
STORES = {"A1": 0.4, "A2": 0.25, "A3": 0.2, "A4": 0.15}
RETURNED, LATE, REPEATED = 0.03, 0.012, 0.003


def buy(streams: Streams, folk: Folk, pace: Season) -> Bought:
    """All orders without the new product, in order of member and time, not yet with coupons."""
    rng = streams("orders")
    at_once = np.flatnonzero(rng.uniform(0, 1, len(folk)) < 0.85)
    who, when = processes.events(rng, folk.rate, folk.joined, np.minimum(folk.gone, DAYS), pace)
    who = np.concatenate([at_once, who])
    when = clock.by_day(rng, np.concatenate([folk.joined[at_once], when]), 8, 21)
    in_order = np.lexsort((when, who))
    who, when, count = who[in_order], when[in_order], len(who)
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


def settle(rng: np.random.Generator, bought: Bought) -> None:
    """When all orders stand: they are numbered in time, and some lines come back."""
    bought.order_id = ids("O", len(bought), 6).take(np.argsort(np.argsort(bought.when, kind="stable")))
    line = np.flatnonzero(rng.uniform(0, 1, len(bought.order)) < RETURNED)
    at = clock.by_day(rng, bought.when[bought.order[line]] + rng.uniform(3, 25, len(line)), 9, 18)
    bought.back, bought.returned = line[at < DAYS], at[at < DAYS]


def order_table(streams: Streams, folk: Folk, bought: Bought, dirty: float) -> pd.DataFrame:
    """The order lines in the order of booking, refunds below zero."""
    rng, count = streams("dirt of orders"), len(bought.order)
    store = people.choose(streams("stores"), STORES, len(bought))
    store[bought.channel != CHANNELS.index("shop")] = -1
    number = 1 + np.arange(count) - np.searchsorted(bought.order, bought.order)
    lines, back = np.bincount(bought.order, minlength=len(bought)), bought.back
    further = 1 + np.arange(len(back)) - np.searchsorted(bought.order[back], bought.order[back])
    row = np.concatenate([np.arange(count), back])
    sign = np.concatenate([np.ones(count, dtype="int64"), np.full(len(back), -1)])
    number = np.concatenate([number, lines[bought.order[back]] + further])
    at = np.concatenate([bought.when[bought.order], bought.returned])
    booked = dirt.booked(rng, at, LATE * dirty)
    booked = booked[dirt.repeated(rng, len(booked), REPEATED * dirty)]
    row, sign, order = row[booked], sign[booked], bought.order[row[booked]]
    product = bought.product[row]
    told = list(PRODUCTS.values())
    first = np.diff(bought.order, prepend=-1) > 0
    return table(
        order_id=pick(bought.order_id, order),
        line=number[booked],
        customer_id=pick(folk.person, bought.who[order]),
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
