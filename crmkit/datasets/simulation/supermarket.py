"""The firm "Millbrook Foods": a chain of food shops whose households show a card, 2024 and 2025.

Each household uses some categories, at a rate of its own; a pack lasts for a cycle, and gaps scatter round it (gamma
distributed). It buys a maker's brand, the store's, or both: its brand type, drawn apart from how much it uses. One
offer for the store's painkillers was drawn by lot among those who use them, in three depths and at two times.
"""

import numpy as np
import pandas as pd
import pyarrow as pa

from crmkit.datasets.simulation import clock, people
from crmkit.datasets.simulation import dirt as mess
from crmkit.datasets.simulation import supermarket_offer as offer
from crmkit.datasets.simulation.clock import DAYS
from crmkit.datasets.simulation.columns import ids, listed, money, pick, table, whole
from crmkit.datasets.simulation.firm import Streams, scenario_number
from crmkit.datasets.simulation.supermarket_needs import (
    CATEGORIES,
    FAVOURED,
    KINDS,
    OTHER_PRIVATE,
    STORE_SHARES,
    TYPES,
    USES,
    Needs,
    Shelf,
    needs,
    shelf,
)

STORES = {"M1": 0.32, "M2": 0.26, "M3": 0.22, "M4": 0.20}
SIZES = {1: 0.32, 2: 0.34, 3: 0.15, 4: 0.14, 5: 0.05}
AGREES = 0.92
AHEAD = 400  # days after the last receipt: the truth of the offer looks further than the firm can
OTHER_LINES, RETURNED, VOIDED, LATE, REPEATED = 0.08, 0.01, 0.004, 0.008, 0.003


def make(
    streams: Streams, customers: int, *, effects: float = 1.0, dirt: float = 1.0, switching: float = 1.0
) -> dict[str, pd.DataFrame]:
    """The supermarket's tables.

    Scenario: `effects` from 0 to 1 scales how many heed an offer (0: the same people buy as if there were none); `dirt`
    from 0 to 1 the dirt; `switching` from 0 to 1.5 the share of switchers in every category (0: everybody is loyal).
    """
    effects, dirt = (scenario_number(name, value, 0, 1) for name, value in (("effects", effects), ("dirt", dirt)))
    switching = scenario_number("switching", switching, 0, 1.5)
    rng, goods = streams("households"), shelf()
    long = rng.uniform(0, 1, customers) < 0.8  # had the card before the receipts begin
    joined = np.sort(np.where(long, rng.uniform(0, 365, customers), rng.uniform(365, 820, customers)))
    size = 1 + people.choose(rng, SIZES, customers)
    weekday = rng.integers(0, 7, customers)
    trips = np.column_stack([weekday, (weekday + rng.integers(3, 5, customers)) % 7])
    agrees = rng.uniform(0, 1, customers) < AGREES
    consent = people.consent(streams("consent"), agrees, dirt=dirt)
    agrees &= consent.is_valid().to_numpy(zero_copy_only=False)
    used = {
        name: needs(streams, name, joined, size, trips, switching, DAYS + AHEAD * (name == "painkillers"))
        for name in CATEGORIES
    }
    users, person = used["painkillers"], ids("K", customers)
    campaign = offer.draw(streams, users, agrees, effects)
    bought = {name: (own.day, own.draw < own.share[own.who], np.zeros(len(own.who), int)) for name, own in used.items()}
    bought["painkillers"] = offer.run(streams, users, trips, campaign)
    begin = goods.begins["painkillers"]
    margin = (goods.price - goods.cost)[begin : begin + 9].reshape(3, 3)[[0, 2]].T
    expected = offer.truth(users, campaign, margin, goods.price[begin + 6 : begin + 9], effects)
    asked = person.take(pa.array(users.user[campaign.who]))
    return {
        "households": table(
            customer_id=person,
            store_id=pick(list(STORES), people.choose(rng, STORES, customers)),
            household_size=whole(size, rng.uniform(0, 1, customers) >= 0.2),
            joined_on=clock.day(joined),
            consent=consent,
        ),
        "products": table(
            product_id=ids("A", len(goods.brand), 3),
            category=goods.category,
            brand=goods.brand,
            brand_kind=pick(KINDS, goods.private),
            doses=goods.doses,
            price=goods.price,
            unit_cost=goods.cost,
        ),
        "purchases": _purchases(streams, used, bought, goods, dirt, person),
        "offers": _offers(),
        "mailings": offer.mailings(campaign, asked),
        "truth_households": _truth(used, person),
        "truth_responses": offer.responses(expected, asked),
        "truth_effects": offer.effects_by_cell(users, campaign, expected),
        "truth_parameters": _parameters(effects, switching),
    }


def _purchases(
    streams: Streams,
    used: dict[str, Needs],
    bought: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]],
    goods: Shelf,
    dirty: float,
    person: pa.Array,
) -> pd.DataFrame:
    """The till's lines in the order of booking: what was needed, something else now and then, refunds, voids."""
    whose, days, products, offers = [], [], [], []
    for name, own in used.items():
        day, store, code = bought[name]
        brand = np.where(store, 2, own.maker[own.who] ^ own.other_maker)
        whose.append(own.user[own.who])
        days.append(day)
        products.append(goods.begins[name] + brand * len(CATEGORIES[name].packs) + own.pack[own.who])
        offers.append(code)
    who, day, product, code = map(np.concatenate, (whose, days, products, offers))
    seen = day < DAYS
    who, day, product, code = who[seen], day[seen], product[seen], code[seen]
    rng = streams("other lines")
    more = np.flatnonzero(rng.uniform(0, 1, len(who)) < OTHER_LINES)
    other = goods.begins["other"]
    kinds = (len(goods.brand) - other) // 2
    extra = other + 2 * rng.integers(0, kinds, len(more)) + (rng.uniform(0, 1, len(more)) < OTHER_PRIVATE)
    who, day = np.concatenate([who, who[more]]), np.concatenate([day, day[more]])
    product, code = np.concatenate([product, extra]), np.concatenate([code, np.zeros(len(more), int)])
    # equal packs of a trip become one line
    wide = len(goods.brand)
    key, quantity = np.unique(((who * DAYS + day) * wide + product) * 4 + code, return_counts=True)
    key, code = np.divmod(key, 4)
    key, product = np.divmod(key, wide)
    starts = np.r_[True, np.diff(key) != 0] if len(key) else np.zeros(0, dtype=bool)
    order = np.cumsum(starts) - 1
    who, day = np.divmod(key, DAYS)
    when = _minutes(clock.by_day(streams("hours"), day[starts].astype(float), 7, 21))
    number = np.empty(len(when), dtype="int64")
    number[np.argsort(when, kind="stable")] = np.arange(len(when))
    messy = streams("dirt of purchases")
    void = np.flatnonzero(mess.some(messy, len(key), VOIDED * dirty))
    back = np.flatnonzero(mess.some(messy, len(key), RETURNED * dirty))
    returned = when[order[back]] + messy.uniform(1, 14, len(back))
    back, returned = back[returned < DAYS], returned[returned < DAYS]
    row = np.concatenate([np.arange(len(key)), void, back])
    quantity = np.concatenate([quantity, np.zeros(len(void), int), -np.ones(len(back), int)])
    at = np.concatenate([when[order], when[order[void]], _minutes(clock.by_day(messy, returned, 8, 20))])
    line = np.empty(len(row), dtype="int64")
    grouped = np.argsort(order[row], kind="stable")
    sorted_orders = order[row][grouped]
    line[grouped] = 1 + np.arange(len(row)) - np.searchsorted(sorted_orders, sorted_orders)
    booked = mess.booked(messy, at, LATE * dirty)
    booked = booked[mess.repeated(messy, len(booked), REPEATED * dirty)]
    row, quantity, line, at = row[booked], quantity[booked], line[booked], at[booked]
    product, code = product[row], code[row]
    names = ids("A", len(goods.brand), 3)
    return table(
        order_id=pick(ids("B", len(when), 6), number[order[row]]),
        line=line,
        customer_id=pick(person, who[row]),
        ordered_at=clock.moment(at),
        product_id=pick(names, product),
        category=pick(goods.category, product),
        brand=pick(KINDS, goods.private[product]),
        quantity=quantity,
        amount=money(money(goods.price[product] * (1 - offer.DISCOUNT[code])) * quantity),
        unit_cost=goods.cost[product],
        offer_id=pick(offer.OFFERS, np.where(code > 0, code, -1)),
    )


def _minutes(times: np.ndarray) -> np.ndarray:
    """Tills tell no seconds."""
    return np.floor(times * 1440) / 1440


def _offers() -> pd.DataFrame:
    planned, first, calendar, last = (
        str(clock.FIRST + day) for day in (offer.PLANNED, offer.FIRST_DAY, offer.CALENDAR_DAY, offer.LAST_DAY)
    )
    rule = (
        f"calendar: {calendar}. due: {offer.BEFORE_DUE} days before the household's due date, from {first} to {last}; a "
        "trip for painkillers before that day moves the date, and who is not due by the last day is written to on it. "
        "Due date: the last such trip plus the household's gap, which is the mean of its gaps between trips before "
        f"{planned} and one more of {offer.USUAL_GAP} days"
    )
    rows = [
        (name, "painkillers", "Private", share, offer.VALID, offer.COST, rule)
        for name, share in zip(offer.OFFERS[1:], offer.DISCOUNT[1:].tolist(), strict=True)
    ]
    names = ("offer_id", "category", "brand_kind", "discount", "valid_days", "cost_per_contact", "sent_on_rule")
    return listed(names, rows)


def _truth(used: dict[str, Needs], person: pa.Array) -> pd.DataFrame:
    place = np.repeat(np.arange(len(used)), [len(own) for own in used.values()])
    user, kind, share, doses, cycle, pack, level = map(
        np.concatenate,
        zip(
            *(
                (own.user, own.kind, own.share, own.doses, own.cycle, np.array(CATEGORIES[name].packs)[own.pack],
                 np.searchsorted(CATEGORIES[name].cuts, own.doses))
                for name, own in used.items()
            ),
            strict=True,
        ),
    )  # fmt: skip
    return table(
        customer_id=pick(person, user),
        category=pick(list(used), place),
        brand_type=pick(TYPES, kind),
        store_share=np.round(share, 4),
        use=pick(USES, level),
        doses_per_week=np.round(doses, 3),
        pack=pack,
        cycle_days=np.round(cycle, 2),
        regularity=np.array([float(told.regularity) for told in CATEGORIES.values()])[place],
    )


def _parameters(effects: float, switching: float) -> pd.DataFrame:
    rows = []
    for name, told in CATEGORIES.items():
        switchers = min(told.types[2] * switching, 1)
        rows += [
            (f"{name}_users", told.users, "share of the households that use it"),
            (f"{name}_switchers", switchers, "share of its users who are switchers"),
            (
                f"{name}_national",
                told.types[0] / sum(told.types[:2]) * (1 - switchers),
                "share of national-loyal users",
            ),
            (f"{name}_regularity", told.regularity, "shape of the gamma distribution of the gaps between needs"),
            (f"{name}_low", told.cuts[0], "doses a week from which use is medium"),
            (f"{name}_high", told.cuts[1], "doses a week from which use is high"),
        ]
    for kind, (a, b) in zip(TYPES, STORE_SHARES.tolist(), strict=True):
        rows.append((f"store_share_{kind}", a / (a + b), "mean share of store-brand packs of this brand type"))
        for use, chances in zip(USES, offer.TAKES[TYPES.index(kind)].tolist(), strict=True):
            rows += [
                (
                    f"takes_{kind}_{use}_{arm[:2]}",
                    chance,
                    f"chance to buy the store's instead of a maker's pack, {arm} off",
                )
                for arm, chance in zip(offer.ARMS[1:], chances, strict=True)
            ]
        rows.append((f"stays_{kind}", offer.STAYS[TYPES.index(kind)], "chance to stay with the store brand afterwards"))
    rows += [(f"stocks_up_{arm[:2]}", p, f"chance to take the next pack along, {arm} off")
             for arm, p in zip(offer.ARMS[1:], offer.STOCKS_UP[1:].tolist(), strict=True)]  # fmt: skip
    rows += [
        ("stays_at_50", offer.STAYS_AT[3], "factor on the chance to stay, of those who came for 50 %; 1 for less"),
        ("staying_share", offer.STAYING_SHARE, "share of store-brand packs of those who stay"),
        ("heeds", offer.HEEDS * effects, "share of households that think of the offer in the shop"),
        ("favoured", FAVOURED, "share of national packs that are of the maker a household prefers"),
    ]
    return listed(("name", "value", "meaning"), [(name, float(value), meaning) for name, value, meaning in rows])
