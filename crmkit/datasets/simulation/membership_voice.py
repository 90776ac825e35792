"""What members say in surveys, and what the staff wrote down about some of them."""

import numpy as np
import pandas as pd

from crmkit.datasets.simulation import clock, marketing, people
from crmkit.datasets.simulation.clock import DAYS
from crmkit.datasets.simulation.columns import pick, table, whole
from crmkit.datasets.simulation.membership_state import APP, Folk

WAVES = ("2023-06-12", "2024-06-10", "2025-06-09")
WAYS = ("email", "app", "post")
#: Answers: the log-odds of a member of mean satisfaction, more for each spread of satisfaction, less by post.
ANSWERS, ANSWERS_SATISFIED, ANSWERS_POST = -0.35, 0.7, -0.5
SATISFACTION, SATISFACTION_SPREAD, MOOD = 3.5, 0.8, 0.55
#: Two scales of three items from 1 to 7: Cronbach's alpha, mean and spread of an item. The third item is asked the other way round.
SCALES = {"attached": (0.80, 4.4, 1.3), "curious": (0.85, 4.0, 1.3)}
REVERSED = 3
SKIPPED = 0.02
COMMENTS = {
    "delivery": (0.22, 0.05),
    "price": (0.24, 0.10),
    "range": (0.14, 0.15),
    "app": (0.18, 0.10),
    "staff": (0.12, 0.25),
    "praise": (0.0, 0.35),
    "other": (0.10, 0.0),
}
#: Staff's tags: share, why, whether it ends. The seventh is about health and must not be there.
TAGS = {
    "VIP": (0.24, "asks for the owner", False),
    "tea club": (0.22, "hosts an evening", False),
    "complaint open": (0.18, "waits for an answer", True),
    "corporate gifts": (0.12, "orders for the office", True),
    "call, do not write": (0.10, "asked for it", False),
    "moving house": (0.08, "said so at the till", True),
    "seriously ill": (0.06, "daughter told us", True),
}
STAFF = ("A. Brandt", "J. Okoro", "M. Weiss", "L. Petit", "till 2")
TAGGED = 0.05


def surveys(rng: np.random.Generator, folk: Folk, effects: float) -> pd.DataFrame:
    """A survey a year of everybody who joined a month before; one row a member asked."""
    day = [clock.number(wave) for wave in WAVES]
    there = [np.flatnonzero(folk.joined < first - 30) for first in day]
    who, first = np.concatenate(there), np.repeat(day, [len(found) for found in there])
    way = np.where(folk.main == APP, 1, np.where(folk.agreed(folk.email), 0, 2))[who]
    pleased, count = folk.satisfied[who], len(who)
    score = ANSWERS + ANSWERS_SATISFIED * effects * pleased + ANSWERS_POST * (way == 2)
    answered = rng.uniform(0, 1, count) < marketing.logistic(score)
    feeling = SATISFACTION + SATISFACTION_SPREAD * pleased + rng.normal(0, MOOD, count)
    rating = marketing.ratings(feeling)
    loyal = 0.6 * pleased + 0.6 * folk.attached[who]
    recommend = np.clip(np.round(7.0 + 1.7 * loyal + rng.normal(0, 0.9, count)), 0, 10)
    effort = np.clip(np.round(3.3 - 0.9 * pleased + rng.normal(0, 1.0, count)), 1, 7)
    items = {}
    for trait, (alpha, mean, spread) in SCALES.items():
        for _ in range(3):
            item = mean + spread * _item(rng, getattr(folk, trait)[who], alpha, spread)
            answer = np.clip(np.round(item), 1, 7)
            name = f"q{len(items) + 1}"
            answer = 8 - answer if len(items) + 1 == REVERSED else answer
            items[name] = whole(answer, answered & (rng.uniform(0, 1, count) >= SKIPPED))
    angry, pleased_says = (people.choose(rng, [told[k] for told in COMMENTS.values()], count) for k in (0, 1))
    comment = np.where(rating <= 3, angry, pleased_says)
    says = answered & (rng.uniform(0, 1, count) < np.where(rating <= 2, 0.6, 0.25))
    return table(
        customer_id=pick(folk.person, who),
        asked_on=clock.day(first),
        channel=pick(WAYS, way),
        answered_on=clock.day(first + np.minimum(rng.exponential(4, count), 27) + 3 * (way == 2), answered),
        satisfaction=whole(rating, answered),
        recommend=whole(recommend, answered),
        effort=whole(effort, answered),
        **items,
        comment=pick(list(COMMENTS), comment, says),
    )


def _item(rng: np.random.Generator, trait: np.ndarray, alpha: float, spread: float) -> np.ndarray:
    """Answers of variance 1 that make a scale of three with this alpha; what rounding adds (1/12) is allowed for."""
    together = alpha / (3 - 2 * alpha) * (1 + 1 / (12 * spread**2))
    return np.sqrt(together) * trait + np.sqrt(1 - together) * rng.normal(0, 1, len(trait))


def manual_tags(rng: np.random.Generator, folk: Folk, dirt: float) -> pd.DataFrame:
    """Notes of the staff, in order of time: some without author or reason, some long over, one kind that is sensitive."""
    count = round(TAGGED * len(folk))
    who = rng.integers(0, max(len(folk), 1), count)
    share, why, ends = zip(*TAGS.values(), strict=True)
    tag = people.choose(rng, share, count)
    since = folk.joined[who] + rng.uniform(0, 1, count) * (DAYS - folk.joined[who])
    until = np.where(np.array(ends)[tag], since + rng.uniform(30, 400, count), np.inf)
    rows = np.argsort(since, kind="stable")
    who, tag, since, until = who[rows], tag[rows], since[rows], until[rows]
    lower = rng.uniform(0, 1, count) < 0.15 * dirt
    written = [*TAGS, *(name.lower() for name in TAGS)]
    by = rng.integers(0, len(STAFF), count)
    return table(
        customer_id=pick(folk.person, who),
        tag=pick(written, tag + len(TAGS) * lower),
        by=pick(STAFF, by, rng.uniform(0, 1, count) >= 0.08 * dirt),
        why=pick(why, tag, rng.uniform(0, 1, count) >= 0.15 * dirt),
        since=clock.day(since),
        until=clock.day(until),
    )
