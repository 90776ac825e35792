"""The shop's campaigns: whom they reach, whom they move, and the win-back that was drawn by lot among the lapsed."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from crmkit.datasets.simulation import clock, marketing, processes
from crmkit.datasets.simulation.clock import DAYS, Season
from crmkit.datasets.simulation.columns import pick, table, yes_no
from crmkit.datasets.simulation.firm import Streams
from crmkit.datasets.simulation.shop_state import Folk, Purchases

EVER = 9_999


@dataclass(frozen=True)
class Plan:
    """One kind of campaign: whom it asks, what a contact costs, and how many of those still alive it moves to buy."""

    cost: float
    control: float  # share held out by lot; 0: nobody, as most firms do it
    silent: tuple[int, int]  # days since the last order
    young: int  # days since the first order, at most
    window: int  # days in which an order counts as the answer
    effect: float
    discount: float


PLANS = {
    "welcome": Plan(0.30, 0.3, (5, EVER), 120, 30, 0.09, 0.10),
    "promotion": Plan(0.10, 0.0, (0, 200), EVER, 21, 0.04, 0.10),
    "reminder": Plan(0.35, 0.5, (45, 150), EVER, 30, 0.07, 0.0),
    "win-back": Plan(1.20, 0.5, (90, EVER), EVER, 90, 0.0, 0.15),
}
CAMPAIGNS = (
    ("2023-11-20", "promotion", "Advent 2023"),
    ("2024-03-04", "welcome", "Welcome, spring 2024"),
    ("2024-09-02", "welcome", "Welcome, autumn 2024"),
    ("2024-10-07", "reminder", "Coffee running out? 2024"),
    ("2024-11-18", "promotion", "Advent 2024"),
    ("2025-03-03", "welcome", "Welcome, spring 2025"),
    ("2025-04-15", "win-back", "We miss you"),
    ("2025-07-21", "promotion", "Summer days 2025"),
    ("2025-09-01", "welcome", "Welcome, autumn 2025"),
    ("2025-10-06", "reminder", "Coffee running out? 2025"),
    ("2025-11-17", "promotion", "Advent 2025"),
)
IDS = [f"C{place:02d}" for place in range(1, len(CAMPAIGNS) + 1)]
RESPONSES = ("persuadable", "sure thing", "lost cause", "do not disturb")
#: The chance that a lapsed customer who would not come by himself is persuadable: logistic in these.
PERSUADABLE = {"constant": -1.35, "a further order": 0.45, "100 days of silence": -0.35}
DISTURBED = 0.3  # of those who would have come by themselves


def run(
    streams: Streams, folk: Folk, bought: Purchases, pace: Season, effects: float, person: pa.Array
) -> tuple[Purchases, pd.DataFrame, list[tuple], np.ndarray, np.ndarray]:
    """All campaigns in the order of their days; `folk.gone` and `folk.fades` change for those whom the win-back moved.

    Returns the purchases with what the campaigns added, the contacts, rows of `truth_effects`, the days on which people
    were won back, and the place of everybody's response (-1: not in the win-back).
    """
    won_back, response = np.full(len(folk), np.inf), np.full(len(folk), -1)
    contacts, truth = [], []
    for place, (sent_on, kind, name) in enumerate(CAMPAIGNS):
        rng, plan, day = streams(f"campaign {name}"), PLANS[kind], clock.number(sent_on)
        last, orders = bought.before(day, len(folk))
        silent = day - last
        fits = folk.agrees & (silent >= plan.silent[0]) & (silent <= plan.silent[1]) & (day - folk.first <= plan.young)
        asked = np.flatnonzero(fits)
        contact = marketing.arms(rng, len(asked), plan.control)
        comes = bought.within(day, plan.window, len(folk))[asked]  # without the campaign
        delay = np.minimum(rng.exponential(plan.window / 5, len(asked)), plan.window - 2.5)
        when = day + 1 + delay  # nobody answers a letter of today before tomorrow
        if kind == "win-back":
            response[asked] = classes = _responses(rng, comes, orders[asked], silent[asked], effects)
            moved, annoyed = classes == 0, asked[(classes == 3) & contact]
            bought = bought.only(~(np.isin(bought.who, annoyed) & (bought.when >= day)))
            folk.gone[annoyed], folk.fades[annoyed] = day, np.minimum(folk.fades[annoyed], day)
            gains, loses = moved, classes == 3
            meaning = f"more of those contacted bought in {plan.window} days: "
            meaning += "the share of the persuadable less that of those disturbed"
        else:
            alive = (when < folk.gone[asked]) & (when < DAYS)
            moved = processes.thinned(rng, np.full(len(asked), plan.effect * effects)) & alive
            gains, loses = moved & ~comes, np.zeros(len(asked), dtype=bool)
            meaning = f"more of those contacted bought in {plan.window} days because of it"
        effect = gains.mean() - loses.mean() if len(asked) else 0.0
        truth.append((IDS[place], effect, "share of those asked", meaning))
        added = moved & contact
        opened = rng.uniform(0, 1, len(asked)) < np.where(comes, 0.6, 0.36)
        # those who would have bought anyway use the code too, and so do nearly all whom the campaign moved
        saver = contact & opened & (rng.uniform(0, 1, len(asked)) < 0.55) & (plan.discount > 0)
        used = bought.use_code(asked[saver], day + 1, day + plan.window, place, len(folk))[asked]
        coded = (rng.uniform(0, 1, len(asked)) < 0.9) & (plan.discount > 0)
        bought = bought.plus(asked[added], when[added], np.where(coded[added], place, -1))
        opened |= added
        clicked = opened & ((rng.uniform(0, 1, len(asked)) < 0.25) | used | added)
        sent = day + rng.uniform(0.34, 0.45, len(asked))
        contacts.append((np.full(len(asked), place), asked, contact, sent, opened, clicked))
        if kind == "win-back":
            back = added & (folk.gone[asked] < when)
            won_back[asked[back]] = when[back]
            bought = _second_life(rng, folk, bought, pace, asked[back], when[back])
    place, who, contact, sent, opened, clicked = map(np.concatenate, zip(*contacts, strict=True))
    frame = table(
        campaign_id=pick(IDS, place),
        customer_id=pick(person, who),
        arm=pick(["control", "contact"], contact),
        sent_at=clock.moment(sent, contact),
        opened=yes_no(opened, contact),
        clicked=yes_no(clicked, contact),
    )
    return bought, frame, truth, won_back, response


def _responses(
    rng: np.random.Generator, comes: np.ndarray, orders: np.ndarray, silent: np.ndarray, effects: float
) -> np.ndarray:
    """What each would do with and without the letter: who comes without it is sure or disturbed by it."""
    score = PERSUADABLE["constant"] + PERSUADABLE["a further order"] * np.minimum(orders - 1, 5)
    score += PERSUADABLE["100 days of silence"] * (silent - PLANS["win-back"].silent[0]) / 100
    chance = effects * np.where(comes, DISTURBED, marketing.logistic(score))
    touched = processes.thinned(rng, chance)
    return np.select([comes & touched, comes, touched], [3, 1, 0], 2)


def _second_life(
    rng: np.random.Generator, folk: Folk, bought: Purchases, pace: Season, who: np.ndarray, since: np.ndarray
) -> Purchases:
    """Those who had left and were won back buy again as before, and leave again some day."""
    life = processes.lifetimes(rng, folk.risk[who])
    folk.gone[who] = since + life
    folk.fades[who] = folk.gone[who]
    place, when = processes.events(rng, folk.rate[who], since, np.minimum(folk.gone[who], DAYS), pace)
    return bought.plus(who[place], when)


def columns() -> dict[str, pa.Array | np.ndarray | list]:
    """The columns of the list of campaigns."""
    return {
        "campaign_id": IDS,
        "name": [name for _, _, name in CAMPAIGNS],
        "kind": [kind for _, kind, _ in CAMPAIGNS],
        "sent_on": np.array([day for day, _, _ in CAMPAIGNS], dtype="datetime64[us]"),
        "cost_per_contact": np.array([PLANS[kind].cost for _, kind, _ in CAMPAIGNS]),
    }
