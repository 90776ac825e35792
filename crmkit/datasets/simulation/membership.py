"""The firm "Lantern House": tea, books and things for the home, in shops, on the web and in an app, with a membership.

Three traits of a member never change: how satisfied, how attached and how curious he is. Satisfaction keeps members and
makes them answer surveys, attachment makes them order more often (less than one thinks), curiosity makes them try what is
new. In autumn 2025 a new product came; half of those who may be written to got a message with a coupon, by lot.
"""

import numpy as np
import pandas as pd

from crmkit.datasets.simulation import clock, marketing, membership_push, membership_voice, people, processes
from crmkit.datasets.simulation.clock import DAYS, Season
from crmkit.datasets.simulation.columns import ids, listed, pick, table, whole
from crmkit.datasets.simulation.firm import Streams, scenario_number
from crmkit.datasets.simulation.membership_assets import coupons, ledgers
from crmkit.datasets.simulation.membership_orders import buy, order_table, settle
from crmkit.datasets.simulation.membership_state import APP, CATEGORIES, PRODUCTS, Bought, Folk

RATE_SHAPE, RATE_MEAN = 1.6, 0.155 / 7
RISK_SHAPE, RISK_MEAN = 0.7, 0.008 / 7
#: Attachment's coefficient in the log rate; its correlation with satisfaction; satisfaction's in the log risk of leaving.
PULL, TOGETHER, KEEPS = 0.35, 0.6, 0.5
KINDS = {"registered": 0.62, "paid": 0.23, "stored-value": 0.15}
PAID_RATE = 1.35
RENEWS, RENEWS_SATISFIED = 1.0, 0.6  # log-odds to pay for another year, and more for each spread of satisfaction
JOINED_BY = ("shop", "web", "app", "partner")
APP_MEAN, APP_YOUNG = -0.25, 0.055  # log-odds of ordering mostly in the app, and more for each year of birth after 1979
REGIONS = {"city": 0.36, "coast": 0.2, "hills": 0.12, "plain": 0.2, "lakes": 0.12}
SEX = ("f", "F", "female", "w", "m", "M", "male")
DIETS = {"none": 0.7, "diabetic": 0.07, "vegan": 0.11, "lactose-free": 0.07, "gluten-free": 0.05}
LANGUAGES = {"en": 0.72, "de": 0.12, "fr": 0.08, "pl": 0.05, "tr": 0.03}
LIKES = {"email": 0.38, "app": 0.26, "sms": 0.22, "post": 0.14}
TIERS = {"basic": 0, "silver": 150, "gold": 350}  # EUR in the last 365 days
COSTS = (
    ("sms", membership_push.CONTACT_COST, "a contact", "two messages and the agency's share"),
    ("tag rule", 240.0, "once", "a person's day: write the rule, try it, have the privacy officer read it"),
    ("tag upkeep", 15.0, "a month", "run the rule every night, look at the log"),
)


def make(
    streams: Streams, customers: int, *, effects: float = 1.0, dirt: float = 1.0, contacted: float = 0.5
) -> dict[str, pd.DataFrame]:
    """The membership's tables.

    Scenario: `effects` from 0 to 1 scales what goes with the traits, with age, and what the message does; `dirt` from 0 to
    1 the dirt; `contacted` is the share that gets the message: with 0 and 1 both futures of the same members can be seen.
    """
    effects, dirt, contacted = (
        scenario_number(name, value, 0, 1)
        for name, value in (("effects", effects), ("dirt", dirt), ("contacted", contacted))
    )
    pace = Season.of(0.25 * effects, 345)
    folk = _folk(streams, customers, pace, effects, dirt)
    bought, push = membership_push.run(streams, folk, buy(streams, folk, pace), effects, contacted)
    settle(streams("refunds"), bought)
    given = coupons(streams("coupons"), folk, bought, push)  # before the ledgers: they take money off
    points, balance = ledgers(streams("ledgers"), folk, bought)
    names = ("product_id", "name", "category", "brand", "price", "unit_cost")
    return {
        "members": _members(streams, folk, bought, effects, dirt),
        "orders": order_table(streams, folk, bought, dirt),
        "products": listed(names, [(code, *told[:5]) for code, told in PRODUCTS.items()]),
        "points": points,
        "balance": balance,
        "coupons": given,
        "surveys": membership_voice.surveys(streams("surveys"), folk, effects),
        "manual_tags": membership_voice.manual_tags(streams("manual tags"), folk, dirt),
        "push": membership_push.sent(folk, push),
        "costs": listed(("item", "amount", "unit", "meaning"), COSTS),
        "truth_members": _truth(folk, push),
        "truth_effects": listed(("name", "effect", "unit", "meaning"), membership_push.effects_found(push)),
        "truth_parameters": _parameters(effects),
    }


def _folk(streams: Streams, count: int, pace: Season, effects: float, dirt: float) -> Folk:
    traits, rng, spelling = streams("traits"), streams("members"), streams("consent")
    satisfied, own, curious = traits.normal(0, 1, (3, count))
    attached = TOGETHER * satisfied + np.sqrt(1 - TOGETHER**2) * own
    joined = np.sort(people.arrivals(rng, count, pace, -0.2))
    kind = people.choose(rng, KINDS, count)
    birth = people.birth_years(rng, count, 1979, 15)
    app = rng.uniform(0, 1, count) < marketing.logistic(APP_MEAN + APP_YOUNG * effects * (birth - 1979))
    rate = processes.rates(streams("rates"), RATE_SHAPE, RATE_MEAN, count)
    rate *= np.exp(effects * (PULL * attached - PULL**2 / 2)) * np.where(kind == 1, PAID_RATE**effects, 1)
    risk = processes.rates(streams("risks"), RISK_SHAPE, RISK_MEAN, count) * np.exp(-KEEPS * effects * satisfied)
    taste = streams("tastes").gamma(3 * np.array(list(CATEGORIES.values())), 1, (count, len(CATEGORIES)))
    return Folk(
        person=ids("L", count),
        joined=joined,
        gone=joined + processes.lifetimes(streams("lifetimes"), risk),
        rate=rate,
        kind=kind,
        main=np.where(app, APP, rng.integers(0, 2, count)),
        birth=birth,
        diet=people.choose(streams("diets"), DIETS, count),
        taste=taste / taste.sum(axis=1, keepdims=True),
        satisfied=satisfied,
        attached=attached,
        curious=curious,
        sms=people.consent(spelling, spelling.uniform(0, 1, count) < 0.74, dirt=dirt),
        email=people.consent(spelling, spelling.uniform(0, 1, count) < 0.68, dirt=dirt),
    )


def _members(streams: Streams, folk: Folk, bought: Bought, effects: float, dirt: float) -> pd.DataFrame:
    rng, count = streams("attributes"), len(folk)
    usual = rng.uniform(0, 1, count) < 0.75
    woman = rng.uniform(0, 1, count) < 0.62
    spelt = np.where(woman, people.choose(rng, [5, 3, 2, 1], count), 4 + people.choose(rng, [5, 3, 2], count))
    plain = np.where(woman, 0, 4)
    # who has left, or is not pleased, does not pay for another year
    stays = marketing.logistic(RENEWS + RENEWS_SATISFIED * effects * folk.satisfied)
    years = np.minimum(rng.geometric(1 - stays), 1 + np.floor((np.minimum(folk.gone, DAYS) - folk.joined) / 365))
    amount, back = bought.amount, bought.order[bought.back]
    spent = np.bincount(bought.who[bought.order], amount * (bought.when >= DAYS - 365)[bought.order], minlength=count)
    late = bought.returned >= DAYS - 365
    spent -= np.bincount(bought.who[back], amount[bought.back] * late, minlength=count)
    tier = np.maximum(np.searchsorted(100 * np.array(list(TIERS.values())), spent, side="right") - 1, 0)
    likes = np.where(folk.main == APP, people.choose(rng, [1, 4, 2, 0.5], count), people.choose(rng, LIKES, count))
    return table(
        customer_id=folk.person,
        joined_on=clock.day(folk.joined),
        join_channel=pick(JOINED_BY, np.where(usual, folk.main, people.choose(rng, [0.4, 0.2, 0.15, 0.25], count))),
        birth_year=whole(folk.birth, rng.uniform(0, 1, count) >= 0.2),
        sex=pick(SEX, np.where(rng.uniform(0, 1, count) < dirt, spelt, plain), rng.uniform(0, 1, count) >= 0.15),
        region=pick(list(REGIONS), people.choose(rng, REGIONS, count)),
        language=pick(list(LANGUAGES), people.choose(rng, LANGUAGES, count)),
        dietary=pick(list(DIETS), folk.diet, rng.uniform(0, 1, count) < 0.45),
        kind=pick(list(KINDS), folk.kind),
        tier=pick(list(TIERS), tier),
        valid_until=clock.day(np.floor(folk.joined) + 365 * years - 1, folk.kind == 1),
        consent_sms=folk.sms,
        consent_email=folk.email,
        preferred_channel=pick(list(LIKES), likes, rng.uniform(0, 1, count) >= 0.4),
    )


def _truth(folk: Folk, push: membership_push.Push) -> pd.DataFrame:
    there = folk.joined < clock.number(membership_push.SENT_ON)
    without = np.where(there, push.without, np.nan)
    scale = membership_voice.SATISFACTION_SPREAD
    return table(
        customer_id=folk.person,
        satisfaction=np.round(membership_voice.SATISFACTION + scale * folk.satisfied, 3),
        attachment=np.round(folk.attached, 3),
        curiosity=np.round(folk.curious, 3),
        order_rate=np.round(folk.rate * 7, 5),
        left_on=clock.day(folk.gone, folk.gone < DAYS),
        response=pick(membership_push.RESPONSES, push.response()),
        chance_without=np.round(without, 5),
        chance_with=np.round(without + push.added, 5),
    )


def _parameters(effects: float) -> pd.DataFrame:
    """What was put in, by name."""
    told = membership_push
    rows = [
        ("rate_shape", RATE_SHAPE, "shape of the gamma distribution of the order rate, before attachment and kind"),
        ("rate_mean", RATE_MEAN * 7, "its mean, orders a week"),
        ("risk_shape", RISK_SHAPE, "shape of the gamma distribution of the risk of leaving, before satisfaction"),
        ("risk_mean", RISK_MEAN * 7, "its mean, a week"),
        ("rate_attachment", PULL * effects, "attachment's coefficient in the logarithm of the order rate"),
        ("attachment_satisfaction", TOGETHER, "correlation of attachment and satisfaction"),
        (
            "leaving_satisfaction",
            -KEEPS * effects,
            "satisfaction's coefficient (per spread) in the log risk of leaving",
        ),
        (
            "answer_constant",
            membership_voice.ANSWERS,
            "log-odds of answering a survey at mean satisfaction, not by post",
        ),
        (
            "answer_satisfaction",
            membership_voice.ANSWERS_SATISFIED * effects,
            "its coefficient per spread of satisfaction",
        ),
        ("satisfaction_spread", membership_voice.SATISFACTION_SPREAD, "points that are one spread of satisfaction"),
        (
            "alpha_attachment",
            membership_voice.SCALES["attached"][0],
            "Cronbach's alpha of q1, q2 and q3 (turned round)",
        ),
        ("alpha_curiosity", membership_voice.SCALES["curious"][0], "Cronbach's alpha of q4, q5 and q6"),
        ("unasked", told.UNASKED, "chance of everybody to buy the new product within 60 days, unasked"),
        ("unasked_a_tea", told.UNASKED_A_TEA * effects, "and more for each tea order of the year before, up to six"),
        (
            "moved_a_tea",
            told.MOVED_A_TEA * effects,
            "what the message adds for each from the second to the sixth, in the app",
        ),
        (
            "again_unasked",
            told.AGAIN["unasked"] * 7,
            "orders of the new product a week after the first, unasked buyers",
        ),
        ("again_moved", told.AGAIN["moved"] * 7, "the same, of those whom the message moved"),
    ]
    return listed(("name", "value", "meaning"), [(name, float(value), meaning) for name, value, meaning in rows])
