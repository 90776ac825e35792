"""What members own: coupons, points, and money paid in beforehand; the last two are ledgers that never fall below zero."""

import numpy as np
import pandas as pd

from crmkit.datasets.simulation import clock
from crmkit.datasets.simulation.clock import DAYS
from crmkit.datasets.simulation.columns import ids, money, pick, table, whole
from crmkit.datasets.simulation.membership_push import COUPON, SENT_ON, WINDOW, Push
from crmkit.datasets.simulation.membership_state import Bought, Folk, in_turn

#: Coupons: EUR, days valid, chance that who orders in time uses it (cold brew: see membership_push).
COUPONS = {"welcome": (5.0, 60, 0.75), "advent": (4.0, 30, 0.45), "cold brew": (COUPON, WINDOW - 1, 0.0)}
ADVENT = ("2023-11-24", "2024-11-22", "2025-11-21")
POINTS, POINTS_WORTH = 100, 500  # so many points pay so many cents
SPENDS, TOPS_UP, TOP_UP = 0.4, 0.6, 5_000
YEAR_ENDS = (clock.number("2024-12-31"), clock.number("2025-12-31"))


def coupons(rng: np.random.Generator, folk: Folk, bought: Bought, push: Push) -> pd.DataFrame:
    """Every coupon, and the order it was used with; what it takes off is written into `bought.off`."""
    given = [(0, np.arange(len(folk)), np.floor(folk.joined))]
    given += [(1, np.flatnonzero(folk.joined < day), day) for day in map(clock.number, ADVENT)]
    given += [(2, np.flatnonzero(push.contact), clock.number(SENT_ON))]
    who = np.concatenate([to for _, to, _ in given])
    kind = np.concatenate([np.full(len(to), place) for place, to, _ in given])
    issued = np.concatenate([np.broadcast_to(day, len(to)) for _, to, day in given]).astype(float)
    value, days, chance = np.array(list(COUPONS.values())).T
    until = issued + days[kind]
    # the first order from the next day on, among those that stand in order of member and time
    usual, turn = int((~bought.fresh).sum()), 2.0 * DAYS
    used = np.searchsorted(bought.who[:usual] * turn + bought.when[:usual], who * turn + issued + 1)
    found = np.append(bought.who[:usual], -1)[used] == who
    found &= (np.append(bought.when[:usual], np.inf)[used] < until + 1) & (rng.uniform(0, 1, len(who)) < chance[kind])
    used[~found] = -1
    first = np.unique(used, return_index=True)[1]  # no order takes two coupons
    found[np.setdiff1d(np.arange(len(who)), first)] = False
    order = np.where(kind == 2, push.code[who], np.where(found, used, -1))
    bought.off[order[order >= 0]] = 100 * value[kind[order >= 0]]
    rows = np.argsort(issued, kind="stable")
    return table(
        coupon_id=ids("C", len(rows), 6),
        customer_id=pick(folk.person, who[rows]),
        kind=pick(list(COUPONS), kind[rows]),
        value=value[kind[rows]],
        issued_on=clock.day(issued[rows]),
        valid_until=clock.day(until[rows]),
        used_on=clock.day(np.append(bought.when, np.inf)[order[rows]]),
        order_id=pick(bought.order_id, order[rows]),
    )


def ledgers(rng: np.random.Generator, folk: Folk, bought: Bought) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Points of everybody and balances of stored-value members, an entry a row, in order of time."""
    events = _events(folk, bought)
    mine = (folk.kind[events["who"]] == 2) & (events["kind"] < 2)
    stored = {name: values[mine] for name, values in events.items()}
    return (
        _ledger("P", events, _points(rng, folk, events), folk, bought),
        _ledger("B", stored, _balances(rng, folk, bought, stored), folk, bought),
    )


def _events(folk: Folk, bought: Bought) -> dict[str, np.ndarray]:
    """Orders (kind 0), refunds (1) and years that end without an order (2), by member and time."""
    amount, back = bought.amount, bought.order[bought.back]
    paid = np.bincount(bought.order, amount, minlength=len(bought))
    parts = [(0, bought.who, bought.when, np.arange(len(bought)), paid)]
    parts += [(1, bought.who[back], bought.returned, back, amount[bought.back])]
    for end in YEAR_ENDS:
        buyers = bought.who[(bought.when >= end - 365) & (bought.when < end + 1)]
        idle = np.flatnonzero((np.bincount(buyers, minlength=len(folk)) == 0) & (folk.joined < end - 365))
        parts += [(2, idle, end + 0.9999, -1, 0)]
    names = ("kind", "who", "when", "order", "cents")
    spread = [[np.broadcast_to(values, len(part[1])) for values in part] for part in parts]
    events = {name: np.concatenate(told) for name, told in zip(names, zip(*spread, strict=True), strict=True)}
    rows = np.lexsort((events["when"], events["who"]))
    return {name: told[rows] if name == "when" else told[rows].astype("int64") for name, told in events.items()}


def _points(rng: np.random.Generator, folk: Folk, events: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A point for each full euro; hundreds of them pay for orders; refunds take them back as far as they are there."""
    cents, willing = events["cents"], rng.uniform(0, 1, len(events["who"])) < SPENDS
    has = np.zeros(len(folk), dtype="int64")
    # spent before those of the same order are earned
    found = {kind: np.zeros_like(cents) for kind in ("spend", "earn", "correction", "expire")}
    for rows in in_turn(events["who"]):
        who, kind, euros = events["who"][rows], events["kind"][rows], cents[rows] // 100
        hundreds = np.minimum(has[who] // POINTS, cents[rows] // POINTS_WORTH)
        found["spend"][rows] = -POINTS * hundreds * (willing[rows] & (kind == 0))
        found["earn"][rows] = euros * (kind == 0)
        found["correction"][rows] = -np.minimum(has[who], euros) * (kind == 1)
        found["expire"][rows] = -has[who] * (kind == 2)
        has[who] += sum(values[rows] for values in found.values())
    return found


def _balances(
    rng: np.random.Generator, folk: Folk, bought: Bought, events: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """An order is paid from the balance wholly or not at all; who lacks money for it may pay some in."""
    cents, willing = events["cents"], rng.uniform(0, 1, len(events["who"])) < TOPS_UP
    has, paid = np.zeros(len(folk), dtype="int64"), np.zeros(len(bought), dtype=bool)
    found = {kind: np.zeros_like(cents) for kind in ("top-up", "spend", "refund")}
    for rows in in_turn(events["who"]):
        who, buys, order = events["who"][rows], events["kind"][rows] == 0, events["order"][rows]
        lacks = np.maximum(cents[rows] - has[who], 0) * (buys & willing[rows])
        found["top-up"][rows] = -(-lacks // TOP_UP) * TOP_UP
        pays = buys & (has[who] + found["top-up"][rows] >= cents[rows])
        paid[order[pays]] = True
        found["spend"][rows] = -cents[rows] * pays
        found["refund"][rows] = cents[rows] * (~buys & paid[order])
        has[who] += sum(values[rows] for values in found.values())
    return found


def _ledger(
    prefix: str, events: dict[str, np.ndarray], found: dict[str, np.ndarray], folk: Folk, bought: Bought
) -> pd.DataFrame:
    """Every entry that is not zero; those of one event in the order of `found`."""
    by_time = np.argsort(events["when"], kind="stable")
    row, kind = np.nonzero(np.stack(list(found.values()), axis=1)[by_time])
    row = by_time[row]
    entry = np.stack(list(found.values()), axis=1)[row, kind]
    return table(
        entry_id=ids(prefix, len(row), 6),
        customer_id=pick(folk.person, events["who"][row]),
        booked_at=clock.moment(events["when"][row]),
        kind=pick(list(found), kind),
        **({"points": whole(entry)} if prefix == "P" else {"amount": money(entry / 100)}),
        order_id=pick(bought.order_id, events["order"][row]),
    )
