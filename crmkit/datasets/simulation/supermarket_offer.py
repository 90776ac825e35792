"""The store-brand offer for painkillers, drawn by lot: whom it reaches, what it moves, and what that was worth.

A household that heeds the offer takes it to its first trip for painkillers while it is valid. There it buys the store
brand more often than it would have, the more the deeper the discount, and it may take its next pack at the price as
well: earlier, not more. Of those who would have bought a maker's brand some stay with the store brand. All of this is
simple enough to be added up in closed form for every household, arm and timing, given when it needs its packs.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from crmkit.datasets.simulation import clock
from crmkit.datasets.simulation.columns import money, pick, table
from crmkit.datasets.simulation.firm import Streams
from crmkit.datasets.simulation.supermarket_needs import CATEGORIES, TYPES, USES, Needs, next_trip

ARMS, TIMINGS = ("control", "10 %", "30 %", "50 %"), ("due", "calendar")
DISCOUNT = np.array([0.0, 0.1, 0.3, 0.5])
OFFERS = ("", "S10", "S30", "S50")
PLANNED, FIRST_DAY, LAST_DAY = (clock.number(day) for day in ("2025-08-11", "2025-08-18", "2025-10-01"))
CALENDAR_DAY = clock.number("2025-09-08")
BEFORE_DUE, VALID, REACH = 5, 21, 42
USUAL_GAP = 75  # days: counts as one more gap of every household when its due date is worked out
COST = 0.20  # a contact
HEEDS = 0.8
#: Of those who would have bought a maker's brand on that trip, so many buy the store's at 10, 30, 50 % off.
TAKES = np.array(
    [
        [[0.05, 0.20, 0.36], [0.07, 0.38, 0.54], [0.10, 0.50, 0.54]],  # national-loyal: low, medium, high use
        [[0.30, 0.60, 0.80], [0.30, 0.60, 0.80], [0.30, 0.60, 0.80]],  # store-loyal
        [[0.22, 0.50, 0.70], [0.22, 0.50, 0.70], [0.22, 0.50, 0.70]],  # switchers
    ]
)
STOCKS_UP = np.array([0.0, 0.05, 0.12, 0.35])
#: Of those whom the offer brought to the store brand, so many stay, by brand type; who came for half the price, less.
STAYS = np.array([0.75, 0.0, 0.15])
STAYS_AT = np.array([0.0, 1.0, 1.0, 0.25])
STAYING_SHARE = 0.85  # of store-brand packs, of those who stay
WEEKS = (13, 26)


@dataclass
class Campaign:
    """The households in the experiment, each with its lot, and where their purchases stand."""

    who: np.ndarray  # place among the users of painkillers
    due: np.ndarray
    arm: np.ndarray
    timing: np.ndarray
    sent: np.ndarray  # two columns: the days for both timings
    first: np.ndarray  # two columns: the place of the first purchase after these days
    heeds: np.ndarray
    redeemed: np.ndarray  # day, infinite for never

    @property
    def own(self) -> tuple[np.ndarray, np.ndarray]:
        return np.arange(len(self.who)), self.timing


def draw(streams: Streams, users: Needs, agrees: np.ndarray, effects: float) -> Campaign:
    """Who is asked: users with consent who bought in the year before and are due until 1 October. Lots decide the rest."""
    key = users.who * 10_000 + users.day
    owner, day = np.divmod(key[np.diff(key, prepend=-1) != 0], 10_000)  # trips: two packs may come from one
    past = day < PLANNED
    trips = np.bincount(owner[past], minlength=len(users))
    last, began = np.full(len(users), -np.inf), np.full(len(users), np.inf)
    np.maximum.at(last, owner[past], day[past])
    np.minimum.at(began, owner[past], day[past])
    with np.errstate(invalid="ignore"):
        gap = (last - began + USUAL_GAP) / np.maximum(trips, 1)
    due = np.ceil(last + gap)
    who = np.flatnonzero(agrees[users.user] & (last >= PLANNED - 365) & (due - BEFORE_DUE <= LAST_DAY))
    # the first day on which the next purchase is due and has not come: a trip before it moves the due date
    alert = np.maximum(np.ceil(day + np.where(trips > 0, gap, 0)[owner]) - BEFORE_DUE, FIRST_DAY)
    following = np.where(np.diff(owner, append=-1) == 0, np.append(day[1:], 0), np.inf)
    waits = following > alert
    timed = np.full(len(users), float(LAST_DAY))
    np.minimum.at(timed, owner[waits], alert[waits])
    due, count = due[who], len(who)
    lot = streams("lots").permutation(count) % 8
    sent = np.column_stack([timed[who], np.full(count, CALENDAR_DAY)]).astype("int64")
    first = np.searchsorted(key, who[:, None] * 10_000 + sent + 1)
    heeds = streams("heeding").uniform(0, 1, count) < HEEDS * effects
    return Campaign(who, due, lot % 4, lot // 4, sent, first, heeds, np.full(count, np.inf))


def run(
    streams: Streams, users: Needs, trips: np.ndarray, campaign: Campaign
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the lots did: of every purchase its day, whether it is a store-brand pack, and the offer used (0: none)."""
    day, offer = users.day.copy(), np.zeros(len(users.who), dtype="int64")
    share = users.share[users.who]
    rows, timing = campaign.own
    who, arm, sent, first = campaign.who, campaign.arm, campaign.sent[rows, timing], campaign.first[rows, timing]
    place = np.minimum(first, max(len(users.who) - 1, 0))
    there = (first < len(users.who)) & (users.who[place] == who) if len(users.who) else np.zeros(len(who), dtype=bool)
    rng = streams("answers to the offer")
    stocks, stays, when = rng.uniform(0, 1, (3, len(who)))
    usual = users.share[who]
    moved = usual + (1 - usual) * takes(users, who)[rows, arm]
    in_time = there & (users.day[place] <= sent + VALID)
    near = there & (users.day[place] <= sent + VALID + REACH)
    stocks = stocks < STOCKS_UP[arm]
    acts = campaign.heeds & (arm > 0) & (in_time | (near & stocks)) & (users.draw[place] < moved)
    early = acts & ~in_time
    day[place[early]] = next_trip(
        trips[users.user[who[early]]], (sent + 1 + np.floor((VALID - 6) * when))[early].astype("int64")
    )
    offer[place[acts]], share[place[acts]] = arm[acts], 1.0
    campaign.redeemed[acts] = day[place[acts]]
    # those who stay, from the next purchase on
    stayed = acts & (users.draw[place] >= usual) & (stays < (STAYS[users.kind[who]] * STAYS_AT[arm]))
    begin = np.full(len(users), len(users.who))
    begin[who[stayed]] = first[stayed] + 1
    later = np.arange(len(users.who)) >= begin[users.who]
    share[later] = np.maximum(share[later], STAYING_SHARE)
    # the next pack is taken along
    after = np.minimum(place + 1, max(len(users.who) - 1, 0))
    along = acts & in_time & stocks & (after > place)
    along[along] = users.who[after[along]] == who[along]
    day[after[along]], offer[after[along]], share[after[along]] = day[place[along]], arm[along], 1.0
    return day, users.draw < share, offer


def takes(users: Needs, who: np.ndarray) -> np.ndarray:
    """One row a household, one column an arm: who would have bought a maker's brand buys the store's."""
    own = TAKES[users.kind[who], level(users)[who]]
    return np.column_stack([np.zeros(len(who)), own])


def level(users: Needs) -> np.ndarray:
    """The place of low, medium or high use of painkillers."""
    return np.searchsorted(CATEGORIES["painkillers"].cuts, users.doses)


def truth(users: Needs, campaign: Campaign, margins: np.ndarray, price: np.ndarray, effects: float) -> pd.DataFrame:
    """What is to be expected of each household under each arm and timing, given when it needs its packs.

    `margins` (packs × national, store) and `price` (store brand, by pack) are in EUR.
    """
    who, key = campaign.who, users.who * 10_000 + users.day
    count, heeds = len(who), HEEDS * effects
    usual, pack = users.share[who], users.pack[who]
    national, store = margins[pack].T
    gap = store - national
    days = np.append(users.day.astype(float), [np.inf, np.inf])
    owner = np.append(users.who, [-1, -1])
    found = []
    for timing in range(2):
        first, sent = campaign.first[:, timing], campaign.sent[:, timing]
        one, two = (np.where(owner[first + step] == who, days[first + step], np.inf) for step in (0, 1))
        in_time, near = one <= sent + VALID, one <= sent + VALID + REACH
        trips = _until(key, who, first, sent + VALID)
        control = 1 - (1 - usual) ** trips
        for arm in range(4):
            moved = usual + (1 - usual) * takes(users, who)[:, arm]
            stocks, off = STOCKS_UP[arm], DISCOUNT[arm] * price[pack]
            stay = STAYS[users.kind[who]] * STAYS_AT[arm] * np.maximum(STAYING_SHARE - usual, 0)
            new = moved - usual
            chance = np.where(in_time, (1 - usual) ** np.maximum(trips - 1, 0) * new, np.where(near, stocks * moved, 0))
            columns = {"store_chance": control + heeds * chance}
            for weeks in WEEKS:
                horizon = sent + 7 * weeks
                later = np.maximum(_until(key, who, first, horizon) - 1, 0)
                # 13 weeks are what is booked in them; in 26 a pack that was moved is charged wherever it came from
                own_one, own_two = ((weeks == 26) | (day <= horizon) for day in (one, two))
                base = national + usual * gap
                kept = new * stay * gap
                along = stocks * moved * (store - off - own_two * base)
                third = later - (later > 0) * stocks
                gained = new * gap - moved * off + kept * third + along
                early = moved * (store - off) - own_one * (usual * store + new * national) + kept * later
                gain = heeds * np.where(in_time, gained, np.where(near, stocks * early, 0))
                columns[f"gain_{weeks}_weeks"] = np.where(arm > 0, gain - COST, 0.0)
            found.append({"row": np.arange(count), "arm": arm, "timing": timing, **columns})
    return pd.concat([pd.DataFrame(part) for part in found], ignore_index=True)


def _until(key: np.ndarray, who: np.ndarray, first: np.ndarray, day: np.ndarray) -> np.ndarray:
    """How many purchases from the first one up to a day."""
    return np.maximum(np.searchsorted(key, who * 10_000 + day, side="right") - first, 0)


def mailings(campaign: Campaign, person: pa.Array) -> pd.DataFrame:
    """The list as it was sent, in order of the household."""
    rows, timing = campaign.own
    return table(
        offer_id=pick(OFFERS, np.where(campaign.arm > 0, campaign.arm, -1)),
        customer_id=person,
        arm=pick(ARMS, campaign.arm),
        timing=pick(TIMINGS, timing),
        due_on=clock.day(campaign.due),
        sent_on=clock.day(campaign.sent[rows, timing].astype(float)),
        redeemed_on=clock.day(campaign.redeemed),
    )


def responses(expected: pd.DataFrame, person: pa.Array) -> pd.DataFrame:
    """The truth of every household in the experiment, a row an arm and timing."""
    return table(
        customer_id=pick(person, expected["row"].to_numpy()),
        arm=pick(ARMS, expected["arm"].to_numpy()),
        timing=pick(TIMINGS, expected["timing"].to_numpy()),
        store_chance=expected["store_chance"].round(4).to_numpy(),
        **{f"gain_{weeks}_weeks": money(expected[f"gain_{weeks}_weeks"].to_numpy()) for weeks in WEEKS},
    )


def effects_by_cell(users: Needs, campaign: Campaign, expected: pd.DataFrame) -> pd.DataFrame:
    """The mean over the households of a cell (brand type × use), a row an arm and timing."""
    cell = users.kind[campaign.who] * 3 + level(users)[campaign.who]
    size = np.bincount(cell, minlength=9)
    rows = []
    for timing in range(2):
        control = expected[(expected["arm"] == 0) & (expected["timing"] == timing)]["store_chance"].to_numpy()
        for arm in range(1, 4):
            mine = expected[(expected["arm"] == arm) & (expected["timing"] == timing)]
            values = [mine["store_chance"].to_numpy() - control, *(mine[f"gain_{w}_weeks"].to_numpy() for w in WEEKS)]
            with np.errstate(invalid="ignore"):
                means = [np.bincount(cell, value, 9) / size for value in values]
            rows.append((np.arange(9), np.full(9, arm), np.full(9, timing), *means))
    cell, arm, timing, *means = map(np.concatenate, zip(*rows, strict=True))
    order = np.lexsort((timing, arm, cell))
    named = dict(zip(("store_buyers", *(f"gain_{weeks}_weeks" for weeks in WEEKS)), means, strict=True))
    return table(
        brand_type=pick(TYPES, cell[order] // 3),
        use=pick(USES, cell[order] % 3),
        arm=pick(ARMS, arm[order]),
        timing=pick(TIMINGS, timing[order]),
        households=size[cell[order]],
        **{name: np.round(value[order], 4) for name, value in named.items()},
    )
