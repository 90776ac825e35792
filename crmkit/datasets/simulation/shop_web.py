"""The shop's web side: leads and who of them buys, visits of 2025, and what the sources of visitors cost."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from crmkit.datasets.simulation import clock, marketing, people, processes
from crmkit.datasets.simulation.clock import DAYS, MONTHS, Season
from crmkit.datasets.simulation.columns import ids, money, pick, table
from crmkit.datasets.simulation.firm import Streams
from crmkit.datasets.simulation.shop_state import Folk, Purchases

SINCE = clock.number("2024-01-01")  # leads are kept from this day on
VISITS_SINCE = clock.number("2025-01-01")
DEVICES = {"phone": 0.56, "computer": 0.36, "tablet": 0.08}
LEAD_SOURCES = {"search": 0.33, "social": 0.29, "direct": 0.11, "partner": 0.14, "referral": 0.08, "email": 0.05}
#: Log-odds that a lead buys within 60 days; sources against search, devices against computer.
LEAD_SCORE = {
    "constant": -3.25,
    "pages": 0.06,
    "minutes": 0.025,
    "return_visits": 0.30,
    "favourites": 0.28,
    "newsletter": 0.60,
    "social": -0.35,
    "direct": 0.15,
    "partner": -0.50,
    "referral": 0.70,
    "email": 0.20,
    "phone": -0.30,
    "tablet": -0.10,
}
PROMPT = 60  # days within which the probability of a lead is meant
LATE_SHARE = 0.035  # of the others, who buy later
#: What a newcomer costs, by source (paid for clicks, posts, partners' shares, rewards), before noise.
PRICES = {"search": 7.0, "social": 17.0, "direct": 0.0, "partner": 21.0, "referral": 6.0, "email": 2.0}
RETURNING = {"search": 0.2, "social": 0.09, "direct": 0.40, "partner": 0.03, "referral": 0.02, "email": 0.26}
LOOKING = {"search": 0.30, "social": 0.17, "direct": 0.33, "partner": 0.08, "referral": 0.02, "email": 0.10}


BUYS, FIRST, LOOKS, REGISTERS, BROWSES, STRANGER = range(6)  # kinds of visits


@dataclass
class Leads:
    """Everybody who left a trace before buying; times in days, infinite for never."""

    id: pa.Array
    since: int
    created: np.ndarray
    converted: np.ndarray
    source: np.ndarray
    device: np.ndarray
    traits: dict[str, np.ndarray]
    probability: np.ndarray


def leads(rng: np.random.Generator, count: int, pace: Season, growth: float) -> Leads:
    """Leads of two years, and when they buy: within 60 days by their traits, a few later."""
    created = np.sort(people.arrivals(rng, count, pace, growth, SINCE))
    source, device = people.choose(rng, LEAD_SOURCES, count), people.choose(rng, DEVICES, count)
    eager = rng.gamma(1.2, 1 / 1.2, count)
    pages = 1 + rng.poisson(3.5 * eager)
    traits = {
        "pages": pages,
        "minutes": np.round(pages * rng.gamma(2, 0.55, count), 1),
        "return_visits": rng.poisson(0.8 * eager),
        "favourites": rng.poisson(0.6 * eager),
        "newsletter": rng.uniform(0, 1, count) < 0.25,
    }
    score = np.full(count, LEAD_SCORE["constant"])
    score += sum(LEAD_SCORE[name] * values for name, values in traits.items())
    score += np.array([LEAD_SCORE.get(name, 0.0) for name in LEAD_SOURCES])[source]
    score += np.array([LEAD_SCORE.get(name, 0.0) for name in DEVICES])[device]
    probability = marketing.logistic(score)
    prompt = processes.thinned(rng, probability)
    late = ~prompt & (rng.uniform(0, 1, count) < LATE_SHARE)
    soon = -14 * np.log1p(-rng.uniform(0, 1, count) * -np.expm1(-PROMPT / 14))
    delay = np.select([prompt, late], [soon, rng.uniform(PROMPT + 1, 240, count)], np.inf)
    return Leads(ids("L", count), SINCE, created, created + delay, source, device, traits, probability)


def lead_table(came: Leads, folk: Folk, person: pa.Array) -> pd.DataFrame:
    """The leads as the firm has them: a conversion after the last day is not seen."""
    customer = np.full(len(came.created), -1)
    known = np.flatnonzero(folk.lead >= 0)
    customer[folk.lead[known]] = known
    seen = came.converted < DAYS
    return table(
        lead_id=came.id,
        created_on=clock.day(came.created),
        source=pick(list(LEAD_SOURCES), came.source),
        device=pick(list(DEVICES), came.device),
        **came.traits,
        converted_on=clock.day(came.converted, seen),
        customer_id=pick(person, customer),
    )


def visits(
    streams: Streams,
    folk: Folk,
    bought: Purchases,
    sources: list[str],
    person: pa.Array,
    order_id: pa.Array,
    channel: np.ndarray,
    pace: Season,
) -> pd.DataFrame:
    """Visits of the last year: of people on their way to register, of customers with and without an order, of strangers."""
    rng, count = streams("visits"), len(folk)
    everybody = np.arange(count)
    # an order on the web or in the app, a few minutes after the visit began
    buys = np.flatnonzero((channel < 2) & (bought.when >= VISITS_SINCE + 0.2))
    # the way to registration: its first visit carries the first touch, its last is the registration
    path = folk.registered - folk.first_visit
    between = np.where(path > 0, rng.poisson(1.2 * np.minimum(path, 6) ** 0.5), 0)
    looks = np.repeat(everybody, between)
    looks_at = clock.by_day(rng, folk.first_visit[looks] + rng.uniform(0, 1, len(looks)) * path[looks])
    inside = (looks_at > folk.first_visit[looks]) & (looks_at < folk.registered[looks])
    looks, looks_at = looks[inside], looks_at[inside]
    starts = np.flatnonzero(path > 0)
    # browsing after registration: lively while the relation lives, less while it fades, hardly any after it
    lively = streams("browsing").gamma(1.5, 1 / 1.5, count)
    usual = np.where(folk.buyer, 0.015 + 2.2 * folk.rate, 0.03) * lively
    begins = folk.registered + 0.5
    fades = np.where(folk.buyer, folk.fades, folk.registered + 120)  # prospects lose interest
    gone = np.where(folk.buyer, folk.gone, fades)
    phases = [
        (usual, begins, np.minimum(fades, DAYS)),
        (0.35 * usual, np.maximum(fades, begins), np.minimum(gone, DAYS)),
        (np.full(count, 0.004), gone, np.full(count, DAYS)),
    ]
    browsing = [
        processes.events(rng, rate, np.maximum(start, VISITS_SINCE), stop, pace) for rate, start, stop in phases
    ]
    browses = np.concatenate([who for who, _ in browsing])
    browses_at = clock.by_day(rng, np.concatenate([when for _, when in browsing]))
    strangers = np.repeat(np.arange(3 * count), 1 + rng.poisson(0.5, 3 * count))
    strange_at = people.arrivals(rng, 3 * count, pace, 0.2, VISITS_SINCE)[strangers]
    again = np.diff(strangers, prepend=-1) == 0
    strange_at += rng.exponential(12, len(strangers)) * again
    strange_at = clock.by_day(rng, np.minimum(strange_at, DAYS - 0.5))
    parts = [  # in the order of BUYS, FIRST, LOOKS, REGISTERS, BROWSES, STRANGER
        (bought.who[buys], bought.when[buys] - rng.uniform(0.003, 0.007, len(buys))),
        (starts, folk.first_visit[starts]),
        (looks, looks_at),
        (everybody, folk.registered),
        (browses, browses_at),
        (strangers, strange_at),
    ]
    who, at = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    kind = np.repeat(np.arange(6), [len(part) for part, _ in parts])
    order = np.concatenate([buys, np.full(len(who) - len(buys), -1)])
    kept = np.flatnonzero(at >= VISITS_SINCE)
    kept = kept[np.argsort(at[kept], kind="stable")]
    who, at, kind, order = who[kept], at[kept], kind[kept], order[kept]
    rows, strange = len(who), kind == STRANGER
    own = np.where(strange, 0, who)  # a place among the people, for those who are one
    # a second device or a cleared cookie after registration; strangers have cookies of their own
    returns = np.isin(kind, (BUYS, BROWSES))
    second = (streams("cookies").uniform(0, 1, count) < 0.35)[own] & returns & (rng.uniform(0, 1, rows) < 0.45)
    cookie = np.where(strange, 2 * count + who, who + count * second)
    number = streams("cookie numbers").permutation(5 * count)
    device = people.choose(streams("devices"), DEVICES, 5 * count)
    source = np.where(returns, people.choose(rng, RETURNING, rows), people.choose(rng, LOOKING, rows))
    source = np.where((kind == FIRST) | ((kind == REGISTERS) & (path[own] <= 0)), folk.source[own], source)
    source = np.where(strange, people.choose(rng, LEAD_SOURCES, rows), source)
    pages = 1 + rng.poisson(np.array([7.0, 3.0, 4.0, 5.0, 3.5, 1.8])[kind])
    known = np.isin(kind, (BUYS, REGISTERS)) | ((kind == BROWSES) & (rng.uniform(0, 1, rows) < 0.75))
    return table(
        visit_id=ids("V", rows, 7),
        visitor_id=pick(ids("K", 5 * count, 6), number[cookie]),
        customer_id=pick(person, np.where(strange, -1, who), known),
        started_at=clock.moment(at),
        source=pick(sources, source),
        device=pick(list(DEVICES), device[cookie]),
        pages=pages,
        minutes=np.round(pages * rng.gamma(2, 0.5, rows), 1),
        favourites=rng.poisson(np.array([0.5, 0.2, 0.5, 0.6, 0.25, 0.05])[kind]),
        order_id=pick(order_id, order),
    )


def costs(
    rng: np.random.Generator, count: int, pace: Season, sources: dict[str, tuple[float, float]], growth: float
) -> pd.DataFrame:
    """Spend a month and source, for the newcomers that were planned; rewards are paid for referred buyers."""
    edges = np.append((MONTHS - clock.FIRST).astype(int), DAYS)
    mass = np.diff(people.arrival_mass(pace, growth)[edges])
    share = np.array([told[0] for told in sources.values()])
    price = np.array([PRICES[name] for name in sources])
    spend = marketing.spending(rng, count * mass[:, None] * share, price)
    return table(
        month=np.repeat(MONTHS, len(share)),
        source=pick(list(sources), np.tile(np.arange(len(share)), len(MONTHS))),
        spend=money(spend.ravel()),
    )
