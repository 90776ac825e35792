"""The firm "Harbour": a web shop for household goods and coffee that opened on 1 January 2023.

People come from six sources and register, and two thirds of them buy. While alive they buy at a rate of their own; then
they leave for good, unless the win-back campaign brings them back. What moves them beyond that is known and stands in
`truth_parameters` and `truth_effects`: the season, the source, the first year in which buying grows, the weeks before
leaving in which it fades, a better delivery service that starts region by region, and the campaigns.
"""

import numpy as np
import pandas as pd
import pyarrow as pa

from crmkit.datasets.simulation import clock, people, processes, shop_campaigns, shop_orders, shop_web
from crmkit.datasets.simulation.clock import DAYS, Season
from crmkit.datasets.simulation.columns import ids, listed, pick, table, whole
from crmkit.datasets.simulation.firm import Streams, scenario_choice, scenario_number
from crmkit.datasets.simulation.shop_state import Folk, Purchases

RATE_SHAPE, RATE_MEAN = 0.9, 0.095 / 7  # purchases a day while alive: gamma over customers
RISK_SHAPE, RISK_MEAN = 0.5, 0.04 / 7  # risk of leaving a day: gamma over customers
LEAVE_A, LEAVE_B = 1.0, 3.0  # if they leave at purchases: the chance to leave after one, beta over customers
DROPOUTS = ("time", "purchase", "repeat purchase")
WAVE, CREST = 0.35, 340  # the season's yearly wave and the day of its crest, 7 December
WEEKDAYS = np.array([1.05, 0.95, 0.95, 0.95, 0.98, 0.95, 1.17])  # Monday to Sunday, 1 on average
#: Per source of first touch: share of the people, share of them who buy, factor on the purchase rate.
SOURCES = {
    "search": (0.30, 0.66, 1.0),
    "social": (0.23, 0.56, 0.8),
    "direct": (0.17, 0.72, 1.15),
    "partner": (0.13, 0.57, 0.75),
    "referral": (0.11, 0.78, 1.3),
    "email": (0.06, 0.68, 1.05),
}
BUYS = 0.65  # share of people who buy, without effects
ARRIVALS_GROW = 0.6  # at the end so much more people come a day than at the beginning
GROWS_FROM, GROWS_DAYS = 0.6, 365  # buying begins at this factor and reaches 1 after so many days
FADES_TO, FADES_DAYS = (
    0.45,
    120,
)  # in so many days before leaving (at most half of the life) buying falls to this factor
#: Regions: share of the people, satisfaction beside the rest, first day of the better delivery service.
REGIONS = {
    "city": (0.30, 0.15, "2025-03-01"),
    "coast": (0.22, 0.0, "2025-05-01"),
    "hills": (0.14, -0.15, "2025-08-01"),
    "plain": (0.20, 0.05, "NaT"),
    "lakes": (0.14, -0.05, "NaT"),
}
SERVICE_BUYING = 1.25  # the factor of the better service on the purchase rate
REASONS = {
    "delivery": 0.24,
    "price": 0.22,
    "no need": 0.18,
    "range": 0.12,
    "quality": 0.11,
    "moved away": 0.08,
    "other": 0.05,
}
NEW_DAYS = 90


def make(
    streams: Streams,
    customers: int,
    *,
    season: float = 1.0,
    effects: float = 1.0,
    dirt: float = 1.0,
    money_follows_frequency: float = 0.0,
    dropout: str = "time",
) -> dict[str, pd.DataFrame]:
    """The shop's tables.

    Scenario: `season`, `effects` and `dirt` from 0 (none) to 1 (as shipped); `effects` are those of source, growth,
    fading, service and campaigns. With `season=0, effects=0` buying is exactly Pareto/NBD with the parameters of
    `truth_parameters`; with `dropout="purchase"`, where people leave after a purchase and at no other time, it is exactly
    MBG/NBD, with `dropout="repeat purchase"`, where nobody leaves after the first, BG/NBD. `money_follows_frequency` c makes a
    customer's amounts proportional to (rate / mean rate) to the power c; 0 is independence.
    """
    season, effects, dirt = (
        scenario_number(name, value, 0, 1) for name, value in (("season", season), ("effects", effects), ("dirt", dirt))
    )
    follows = scenario_number("money_follows_frequency", money_follows_frequency, -1, 1)
    scenario_choice("dropout", dropout, DROPOUTS)
    pace = Season.of(WAVE * season, CREST, 1 + season * (WEEKDAYS / WEEKDAYS.mean() - 1))
    came = shop_web.leads(streams("leads"), round(1.5 * customers), pace, ARRIVALS_GROW)
    folk = _folk(streams, customers, pace, effects, came)
    consent = people.consent(streams("spellings"), folk.agrees, dirt=dirt)
    folk.agrees &= consent.is_valid().to_numpy(zero_copy_only=False)  # a consent that nobody wrote down is none
    bought = _purchases(streams("purchases"), folk, pace, effects, dropout)
    person = ids("S", customers)
    campaigns = shop_campaigns.run(streams, folk, bought, pace, effects, person)
    bought, contacts, effects_found, won_back, response = campaigns
    bought.when = clock.by_day(streams("hours"), bought.when)
    bought = bought.only(np.argsort(bought.when, kind="stable"))
    _settle(streams("registration"), folk, bought)
    orders, order_id, channel = shop_orders.orders(streams, folk, bought, season, dirt, follows, person)
    feelings = np.array([told[1] for told in REGIONS.values()])
    feedback, felt = shop_orders.feedback(streams, folk, bought, effects, person, feelings, REASONS)
    visits = shop_web.visits(streams, folk, bought, list(SOURCES), person, order_id, channel, pace)
    service = "of the better service, region by region (rollout)"
    effects_found += [
        ("service", felt, "points", f"higher satisfaction in answers to orders after the start {service}"),
        ("service", 1 + (SERVICE_BUYING - 1) * effects, "factor", f"on the purchase rate after the start {service}"),
    ]
    return {
        "customers": _customers(streams, folk, consent, person),
        "orders": orders,
        "visits": visits,
        "costs": shop_web.costs(
            streams("costs"), customers, pace, {name: told[:2] for name, told in SOURCES.items()}, ARRIVALS_GROW
        ),
        "campaigns": table(**shop_campaigns.columns()),
        "contacts": contacts,
        "rollout": table(
            region=list(REGIONS), started_on=np.array([told[2] for told in REGIONS.values()], dtype="datetime64[us]")
        ),
        "feedback": feedback,
        "leads": shop_web.lead_table(came, folk, person),
        "truth_customers": _truth(folk, person, won_back, response),
        "truth_effects": listed(("campaign_id", "effect", "unit", "meaning"), effects_found),
        "truth_leads": table(lead_id=came.id, probability=came.probability),
        "truth_parameters": _parameters(season, effects, dropout),
    }


def _folk(streams: Streams, count: int, pace: Season, effects: float, came: "shop_web.Leads") -> Folk:
    """Everybody's beginning. Some of the buyers are people who were a lead before: they take the lead's days."""
    rng = streams("people")
    share, buys, factor = np.array(list(SOURCES.values())).T
    source = people.choose(rng, share, count)
    buyer = rng.uniform(0, 1, count) < (BUYS + (buys - BUYS) * effects)[source]
    arrival = people.arrivals(rng, count, pace, ARRIVALS_GROW)
    lead = np.full(count, -1)
    seen = np.flatnonzero(came.converted < DAYS)
    for place in range(len(SOURCES)):
        pool = np.flatnonzero(buyer & (source == place) & (arrival >= came.since))
        theirs = seen[came.source[seen] == place]
        drawn = rng.permutation(pool)[: len(theirs)]
        lead[drawn] = theirs[: len(drawn)]
    known = lead >= 0
    arrival[known] = came.converted[lead[known]]
    looked = rng.exponential(6, count) * (rng.uniform(0, 1, count) < 0.6)
    waited = rng.exponential(12, count) * (rng.uniform(0, 1, count) < 0.45)
    begun = np.append(came.created, -np.inf)[lead]  # the last place, -1, is nobody's
    registered = np.maximum(np.maximum(np.where(buyer, arrival - waited, arrival), 0), begun)
    first_visit = np.where(known, begun, registered - looked)
    risk = processes.rates(streams("risks"), RISK_SHAPE, RISK_MEAN, count)
    first = np.where(buyer, arrival, np.inf)
    life = processes.lifetimes(streams("lifetimes"), risk)
    gone = first + life
    folk = Folk(
        source=source,
        region=people.choose(streams("regions"), [told[0] for told in REGIONS.values()], count),
        registered=registered,
        first_visit=first_visit,
        lead=lead,
        buyer=buyer,
        first=first,
        rate=processes.rates(streams("rates"), RATE_SHAPE, RATE_MEAN, count) * factor[source] ** effects,
        risk=risk,
        gone=gone,
        fades=gone - np.minimum(FADES_DAYS, 0.5 * life) if effects else gone.copy(),
        agrees=streams("consent").uniform(0, 1, count) < 0.72,
        reason=people.choose(streams("reasons"), REASONS, count),
        service=np.empty(0),
    )
    starts = np.array([np.inf if told[2] == "NaT" else clock.number(told[2]) for told in REGIONS.values()])
    order = np.argsort(registered, kind="stable")
    for name, values in vars(folk).items():
        if len(values):
            setattr(folk, name, values[order])
    folk.service = starts[folk.region]
    return folk


def _purchases(rng: np.random.Generator, folk: Folk, pace: Season, effects: float, dropout: str) -> Purchases:
    """First orders and what follows of itself, without any campaign."""
    if dropout != "time":
        folk.gone, folk.fades = np.full(len(folk), np.inf), np.full(len(folk), np.inf)
    most = 1 + (SERVICE_BUYING - 1) * effects
    who, when = processes.events(rng, folk.rate * most, folk.first, np.minimum(folk.gone, DAYS), pace)
    age = when - folk.first[who]
    factor = np.minimum(GROWS_FROM + (1 - GROWS_FROM) * age / GROWS_DAYS, 1)
    factor *= np.where(when >= folk.service[who], SERVICE_BUYING, 1) * np.where(when >= folk.fades[who], FADES_TO, 1)
    stays = processes.thinned(rng, (1 + (factor - 1) * effects) / most)
    who, when = who[stays], when[stays]
    if dropout != "time":
        chance = rng.beta(LEAVE_A, LEAVE_B, len(folk))
        stays, folk.gone = processes.until_dropout(rng, who, when, folk.first, chance, at_once=dropout == "purchase")
        who, when, folk.fades = who[stays], when[stays], folk.gone.copy()
    buyers = np.flatnonzero(folk.buyer)
    return Purchases(buyers, folk.first[buyers], np.full(len(buyers), -1)).plus(who, when)


def _settle(rng: np.random.Generator, folk: Folk, bought: Purchases) -> None:
    """Registration gets a time of day: before the first order, and after the first visit."""
    first = np.full(len(folk), np.inf)
    np.minimum.at(first, bought.who, bought.when)
    at = clock.by_day(rng, folk.registered)
    folk.registered = np.where(at > first - 0.01, first - rng.uniform(0.008, 0.03, len(folk)), at)
    folk.first_visit = np.where(
        np.floor(folk.first_visit) >= np.floor(folk.registered), folk.registered, clock.by_day(rng, folk.first_visit)
    )
    folk.first = first


def _customers(streams: Streams, folk: Folk, consent: pa.Array, person: pa.Array) -> pd.DataFrame:
    rng = streams("customers")
    zeal = streams("zeal").gamma(0.35, 1, len(folk))
    buyers = np.flatnonzero(folk.buyer)
    brought = np.flatnonzero(folk.source == list(SOURCES).index("referral"))
    referrer = np.full(len(folk), -1)
    referrer[brought] = people.referrers(
        streams("referrals"), folk.registered[brought], buyers, folk.first[buyers], zeal[buyers]
    )
    return table(
        customer_id=person,
        registered_on=clock.day(folk.registered),
        source=pick(list(SOURCES), folk.source),
        referrer_id=pick(person, referrer),
        region=pick(list(REGIONS), folk.region),
        birth_year=whole(people.birth_years(rng, len(folk)), rng.uniform(0, 1, len(folk)) >= 0.25),
        consent=consent,
    )


def _truth(folk: Folk, person: pa.Array, won_back: np.ndarray, response: np.ndarray) -> pd.DataFrame:
    """The stage by the truth, on the last day; see the card."""
    age = DAYS - folk.first
    stages = ["prospect", "lost", "decline", "new", "growth", "mature"]
    conditions = [~folk.buyer, folk.gone < DAYS, folk.fades < DAYS, age <= NEW_DAYS, age <= GROWS_DAYS]
    left = folk.gone < DAYS
    return table(
        customer_id=person,
        purchase_rate=np.where(folk.buyer, np.round(folk.rate * 7, 6), np.nan),
        dropped_out_on=clock.day(folk.gone, left),
        leave_reason=pick(list(REASONS), folk.reason, left),
        won_back_on=clock.day(won_back),
        response=pick(shop_campaigns.RESPONSES, response),
        stage=pick(stages, np.select(conditions, range(5), 5)),
    )


def _parameters(season: float, effects: float, dropout: str) -> pd.DataFrame:
    """What was put in, by name."""
    rows = [
        ("rate_shape", RATE_SHAPE, "shape r of the gamma distribution of purchase rates (orders a week while alive)"),
        ("rate_scale", RATE_SHAPE / (RATE_MEAN * 7), "its rate alpha, in weeks: the mean rate is r / alpha"),
    ]
    if dropout == "time":
        rows += [
            ("dropout_shape", RISK_SHAPE, "shape s of the gamma distribution of the risk of leaving (a week)"),
            ("dropout_scale", RISK_SHAPE / (RISK_MEAN * 7), "its rate beta, in weeks"),
        ]
    else:
        rows += [
            ("dropout_a", LEAVE_A, "a of the beta distribution of the chance to leave after a purchase"),
            ("dropout_b", LEAVE_B, "b of that distribution"),
        ]
    rows += [
        ("season_amplitude", WAVE * season, "the yearly wave: rates are multiplied by 1 + amplitude * cos"),
        ("season_crest", CREST, "day of 2023 on which the wave is highest, counted from 0"),
        ("money_shape", shop_orders.MONEY_SHAPE, "shape q of the inverse gamma factor of a customer's amounts, mean 1"),
        ("growth_from", 1 + (GROWS_FROM - 1) * effects, "factor on the rate at the first order; 1 after 365 days"),
        (
            "fading_to",
            1 + (FADES_TO - 1) * effects,
            "factor on the rate in the last 120 days before leaving (or the second half of a shorter life)",
        ),
    ]
    rows += [
        (f"rate_{name}", told[2] ** effects, f"factor on the rate of those who came by {name}")
        for name, told in SOURCES.items()
    ]
    rows += [
        (f"leads_{name}", value, f"coefficient of {name} in the log-odds that a lead converts within 60 days")
        for name, value in shop_web.LEAD_SCORE.items()
    ]
    return listed(("name", "value", "meaning"), [(name, float(value), meaning) for name, value, meaning in rows])
