"""The new product: who buys it with and without a message, and the message that was sent to half of them by lot."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmkit.datasets.simulation import clock, marketing, processes
from crmkit.datasets.simulation.clock import DAYS
from crmkit.datasets.simulation.columns import pick, table
from crmkit.datasets.simulation.firm import Streams
from crmkit.datasets.simulation.membership_state import APP, CODES, Bought, Folk

SENT_ON, WINDOW, YEAR = "2025-09-15", 60, 365
CONTACT_COST, COUPON = 0.40, 3.00
#: The chance to buy the new product unasked: of everybody, and more for each tea order of the last year, up to six.
UNASKED, UNASKED_A_TEA, CURIOUS = 0.004, 0.012, 0.5
#: The message adds to it for those who order mostly in the app, for each tea order of the last year from the second to the sixth.
MOVED_A_TEA, TEAS = 0.055, 6
#: The chance that the message makes those leave the list whom it does not make buy: without and with tea orders.
ANNOYED, ANNOYED_TEA, LEAVES = 0.05, 0.008, 0.004
USES = {"moved": 0.95, "unasked": 0.7}  # the coupon
AGAIN = {"moved": 1 / 70, "unasked": 1 / 45}  # the new product, a day, after the first time
RESPONSES = ("persuadable", "sure thing", "do not disturb", "lost cause")


@dataclass
class Push:
    """The experiment: who was asked, who got the message, and both futures of everybody."""

    asked: np.ndarray
    contact: np.ndarray
    teas: np.ndarray  # tea orders in the year before
    mostly_app: np.ndarray
    without: np.ndarray  # the chance to buy
    added: np.ndarray
    unasked: np.ndarray  # buys in any case
    moved: np.ndarray  # buys if contacted
    annoyed: np.ndarray  # leaves the list if contacted
    left: np.ndarray  # the day on which the list was left, infinite for never
    code: np.ndarray  # the order with the coupon, -1 for none
    times: np.ndarray  # orders of the new product up to the end, if there is a first

    def response(self) -> np.ndarray:
        """The place in `RESPONSES`, -1 for those who were not asked."""
        classes = np.select([self.moved, self.unasked, self.annoyed], [0, 1, 2], 3)
        return np.where(self.asked, classes, -1)


def run(streams: Streams, folk: Folk, bought: Bought, effects: float, contacted: float) -> tuple[Bought, Push]:
    """The orders with those of the new product. Every draw is the same whoever is contacted."""
    rng, count, day = streams("push"), len(folk), clock.number(SENT_ON)
    recent = (bought.when < day) & (bought.when >= day - YEAR)
    tea = np.zeros(len(bought), dtype=bool)
    tea[bought.order[np.char.startswith(np.array(CODES)[bought.product], "T")]] = True
    orders, apps, teas = (
        np.bincount(bought.who[recent & rows], minlength=count) for rows in (True, bought.channel == APP, tea)
    )
    mostly_app = (apps * 2 >= orders) & (orders > 0)
    there = folk.joined < day
    asked = there & folk.agreed(folk.sms)
    contact = np.zeros(count, dtype=bool)
    contact[np.flatnonzero(asked)] = marketing.arms(rng, int(asked.sum()), 1 - contacted)
    curious = np.exp(CURIOUS * folk.curious - CURIOUS**2 / 2)
    without = there * (UNASKED + effects * UNASKED_A_TEA * np.minimum(teas, TEAS) * curious)
    added = effects * MOVED_A_TEA * mostly_app * np.clip(np.minimum(teas, TEAS) - 1, 0, None)
    chance = rng.uniform(0, 1, count)
    unasked = chance < without
    moved = ~unasked & (chance < without + added)
    annoyed = rng.uniform(0, 1, count) < effects * np.where(teas > 0, ANNOYED_TEA, ANNOYED)
    annoyed &= asked & ~unasked & ~moved
    leaves = rng.uniform(0, 1, count) < LEAVES
    left = np.where(asked & leaves, day + rng.uniform(1, WINDOW, count), np.inf)
    left = np.where(annoyed & contact, day + np.minimum(rng.exponential(2, count), WINDOW - 1), left)
    first = day + 1 + np.minimum(rng.exponential(14, count), WINDOW - 2.01)
    again = np.where(unasked, AGAIN["unasked"], AGAIN["moved"]) * (unasked | moved)
    who, when = processes.events(streams("again"), again, first + 1, np.full(count, DAYS))
    buys = unasked | (moved & contact)
    saves = contact & buys & (rng.uniform(0, 1, count) < np.where(unasked, USES["unasked"], USES["moved"]))
    times = 1 + np.bincount(who, minlength=count)
    buyers = np.flatnonzero(buys)
    keep = buys[who]
    who, when = np.concatenate([buyers, who[keep]]), np.concatenate([first[buyers], when[keep]])
    code = np.full(count, -1)
    code[buyers] = np.where(saves[buyers], len(bought) + np.arange(len(buyers)), -1)
    more = streams("new goods")
    channel = np.where(more.uniform(0, 1, len(who)) < 0.85, folk.main[who], more.integers(0, 3, len(who)))
    with_new = Bought(
        who=np.append(bought.who, who),
        when=np.append(bought.when, clock.by_day(more, when, 8, 21)),
        channel=np.append(bought.channel, channel),
        off=np.append(bought.off, np.zeros(len(who), dtype="int64")),
        fresh=np.append(bought.fresh, np.ones(len(who), dtype=bool)),
        order=np.append(bought.order, len(bought) + np.arange(len(who))),
        product=np.append(bought.product, CODES.index("N01") + (more.uniform(0, 1, len(who)) < 0.4)),
        quantity=np.append(bought.quantity, np.ones(len(who), dtype="int64")),
    )
    return with_new, Push(
        asked, contact, teas, mostly_app, without, added, unasked, moved & asked, annoyed, left, code, times
    )


def sent(folk: Folk, push: Push) -> pd.DataFrame:
    """The table of the experiment."""
    asked, day = np.flatnonzero(push.asked), clock.number(SENT_ON)
    contact = push.contact[asked]
    return table(
        customer_id=pick(folk.person, asked),
        arm=pick(["control", "contact"], contact),
        channel=pick(["sms"], np.zeros(len(asked), dtype=int)),
        sent_on=clock.day(np.full(len(asked), day)),
        cost_per_contact=np.full(len(asked), CONTACT_COST),
        opted_out_on=clock.day(push.left[asked]),
    )


def effects_found(push: Push) -> list[tuple[str, float, str, str]]:
    """Rows of `truth_effects`: means over everybody asked, both arms, since both futures are known."""
    rows, tagged = [], push.mostly_app & (push.teas >= 3)
    groups = {
        "all": (push.asked, "all who were asked"),
        "tea_app": (push.asked & tagged, "those with three tea orders or more in the year before, mostly in the app"),
        "others": (push.asked & ~tagged, "all others who were asked"),
    }
    for name, (group, words) in groups.items():
        share = group.sum() / max(push.asked.sum(), 1)
        rows.append((f"members_{name}", share, "share of those asked", f"{words}: how many they are"))
        for what, found, meaning in (
            ("unasked", push.unasked, f"buy the new product within {WINDOW} days without a message"),
            ("push", push.moved, f"more of them buy it within {WINDOW} days because of the message"),
            ("opt_out", push.annoyed, "more of them leave the list because of the message"),
        ):
            value = found[group].mean() if group.any() else 0.0
            rows.append((f"{what}_{name}", float(value), "share of the group", f"{words}: {meaning}"))
    for name, found, words in (
        ("push", push.moved, "moved by the message"),
        ("unasked", push.unasked, "who buys unasked"),
    ):
        times = push.times[found & push.asked]
        value = float(times.mean()) if len(times) else 0.0
        rows.append(
            (f"orders_{name}", value, "orders", f"of the new product up to 31 December 2025, by a member {words}")
        )
    return rows
