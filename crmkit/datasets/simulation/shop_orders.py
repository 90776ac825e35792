"""The shop's order lines as booked, and what customers say about them."""

import numpy as np
import pandas as pd
import pyarrow as pa

from crmkit.datasets.simulation import clock, dirt, marketing, people
from crmkit.datasets.simulation.clock import DAYS
from crmkit.datasets.simulation.columns import ids, money, pick, table, whole
from crmkit.datasets.simulation.firm import Streams
from crmkit.datasets.simulation.shop_campaigns import CAMPAIGNS, IDS, PLANS
from crmkit.datasets.simulation.shop_state import Folk, Purchases

#: Categories: share, typical amount, spread of its logarithm, margin, day of the year of its crest, its wave.
CATEGORIES = {
    "coffee": (0.38, 15, 0.30, 0.38, 15, 0.15),
    "kitchen": (0.22, 30, 0.55, 0.44, 300, 0.10),
    "table": (0.16, 24, 0.45, 0.50, 350, 0.25),
    "garden": (0.12, 36, 0.55, 0.40, 140, 0.80),
    "gifts": (0.12, 21, 0.45, 0.55, 345, 0.90),
}
CHANNELS = {"web": 0.58, "app": 0.34, "phone": 0.08}
MONEY_SHAPE = 5.0  # customers' amounts: a factor of mean 1 that is 1 / gamma of this shape, as in Gamma-Gamma
MORE_LINES = 0.55  # lines of an order beyond the first, on average
RETURNED = 0.035
LATE, REPEATED = 0.012, 0.003
FEELING, OWN_FEELING, MOOD = 3.75, 0.35, 0.85  # satisfaction in points: mean, spread of customers, spread of answers
SERVICE_FEELING, FADING_FEELING = 0.45, -0.9
FIRMS_FAULT = ("delivery", "price", "range", "quality")


def orders(
    streams: Streams, folk: Folk, bought: Purchases, season: float, dirty: float, follows: float, person: pa.Array
) -> tuple[pd.DataFrame, pa.Array, np.ndarray]:
    """The order lines in the order of booking; also every order's id and the place of its channel."""
    rng, count = streams("order lines"), len(bought.who)
    order_id = ids("O", count, 6)
    main = people.choose(streams("channels"), CHANNELS, len(folk))
    channel = np.where(rng.uniform(0, 1, count) < 0.85, main[bought.who], people.choose(rng, CHANNELS, count))
    lines = 1 + rng.poisson(MORE_LINES, count)
    order = np.repeat(np.arange(count), lines)
    line = 1 + np.arange(len(order)) - np.repeat(np.cumsum(lines) - lines, lines)
    who, when = bought.who[order], bought.when[order]
    share, typical, spread, margin, crest, wave = np.array(list(CATEGORIES.values())).T
    days = np.arange(DAYS)[:, None]
    by_day = np.cumsum(share * (1 + season * wave * np.cos(2 * np.pi * (days - crest) / 365.25)), axis=1)
    by_day /= by_day[:, -1:]
    seasonal = (rng.uniform(0, 1, (len(order), 1)) > by_day[when.astype(int)]).sum(axis=1)
    favourite = people.choose(streams("favourites"), share, len(folk))
    category = np.where(rng.uniform(0, 1, len(order)) < 0.4, favourite[who], seasonal)
    factor = (MONEY_SHAPE - 1) / streams("amounts").gamma(MONEY_SHAPE, 1, len(folk))
    if follows:
        factor = factor * (folk.rate / max(folk.rate.mean(), 1e-12)) ** follows
    price = typical[category] * rng.lognormal(-(spread[category] ** 2) / 2, spread[category]) * factor[who]
    cost = price * (1 - margin[category]) * rng.lognormal(0, 0.04, len(order))
    discount = np.array([*(PLANS[kind].discount for _, kind, _ in CAMPAIGNS), 0])[bought.code[order]]
    amount = money(np.maximum(price * (1 - discount), 1))
    back = np.flatnonzero(rng.uniform(0, 1, len(order)) < RETURNED)
    returned = when[back] + rng.uniform(3, 25, len(back))
    back, returned = back[returned < DAYS], returned[returned < DAYS]
    further = np.arange(len(back)) - np.searchsorted(order[back], order[back])  # of several returns of one order
    row = np.concatenate([np.arange(len(order)), back])
    sign = np.concatenate([np.ones(len(order)), -np.ones(len(back))])
    number = np.concatenate([line, lines[order[back]] + 1 + further])
    at = np.concatenate([when, clock.by_day(rng, returned, 9, 18)])
    mess = streams("dirt of orders")
    booked = dirt.booked(mess, at, LATE * dirty)
    booked = booked[dirt.repeated(mess, len(booked), REPEATED * dirty)]
    row, sign, number, at = row[booked], sign[booked], number[booked], at[booked]
    frame = table(
        order_id=pick(order_id, order[row]),
        line=number,
        customer_id=pick(person, who[row]),
        ordered_at=clock.moment(at),
        category=pick(list(CATEGORIES), category[row]),
        amount=amount[row] * sign,
        cost=money(cost[row]) * sign,
        channel=pick(list(CHANNELS), channel[order[row]]),
        campaign_id=pick(IDS, bought.code[order[row]]),
    )
    return frame, order_id, channel


def feedback(
    streams: Streams,
    folk: Folk,
    bought: Purchases,
    effects: float,
    person: pa.Array,
    regions: np.ndarray,
    reasons: dict[str, float],
) -> tuple[pd.DataFrame, float]:
    """Surveys after orders and of people who fell silent; also what the better service did to the answers, on average."""
    rng = streams("feedback")
    own = streams("feelings").normal(0, OWN_FEELING, len(folk))
    asked = np.flatnonzero(rng.uniform(0, 1, len(bought.who)) < 0.7)
    exits = np.flatnonzero((rng.uniform(0, 1, len(folk)) < 0.3) & (folk.gone < DAYS) & folk.buyer)
    who = np.concatenate([bought.who[asked], exits])
    bought_at = np.concatenate([bought.when[asked], np.full(len(exits), -1.0)])
    at = np.concatenate(
        [bought_at[: len(asked)] + rng.uniform(3, 10, len(asked)), folk.gone[exits] + rng.uniform(30, 100, len(exits))]
    )
    fault = np.isin(np.array(list(reasons))[folk.reason], FIRMS_FAULT)
    left = np.arange(len(who)) >= len(asked)
    fading = (left | (bought_at >= folk.fades[who])) & fault[who]
    served = ~left & (bought_at >= folk.service[who])
    feeling = FEELING + own[who] + regions[folk.region[who]] + FADING_FEELING * fading * np.where(left, 1.3, effects)
    feeling += rng.normal(0, MOOD, len(who))
    rating = marketing.ratings(feeling + served * SERVICE_FEELING * effects)
    gained = rating - marketing.ratings(feeling)
    answered = marketing.answers(rng, rating, 0.42, 0.54, 0.46) & ~(left & (rng.uniform(0, 1, len(who)) < 0.35))
    shares = np.array(list(reasons.values())) * np.where(np.isin(list(reasons), FIRMS_FAULT), 1, 0.15)
    told = np.where(
        (left | fading) & (rng.uniform(0, 1, len(who)) < 0.75), folk.reason[who], people.choose(rng, shares, len(who))
    )
    keep = np.flatnonzero(at < DAYS)
    keep = keep[np.argsort(at[keep], kind="stable")]
    says = answered & ((rating <= 2) | (left & (rating <= 3)))
    frame = table(
        customer_id=pick(person, who[keep]),
        day=clock.day(at[keep]),
        satisfaction=whole(rating[keep], answered[keep]),
        reason=pick(list(reasons), told[keep], says[keep]),
    )
    counted = served & answered & (at < DAYS)
    return frame, float(gained[counted].mean()) if counted.any() else 0.0
