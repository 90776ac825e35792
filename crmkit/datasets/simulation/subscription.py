"""The firm "Postmill": a box of coffee every month, by contract, since 1 January 2023.

At every renewal a subscriber leaves with a chance of his own that never changes; the chances are beta distributed, so
retention is exactly shifted beta-geometric (Fader and Hardie 2007). Source and price go with that chance but do not
make it. Who is going to leave mostly shows it in the months before: skipped boxes, fewer logins, complaints, late
payments, by the reason that he has. One offer to stay was drawn by lot.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from crmkit.datasets.simulation import clock, marketing, people, processes
from crmkit.datasets.simulation import dirt as mess
from crmkit.datasets.simulation.clock import DAYS, FIRST, Season
from crmkit.datasets.simulation.columns import ids, listed, money, pick, table, whole, yes_no
from crmkit.datasets.simulation.firm import Streams, scenario_number

MONTH = 30.4375
PLANS = {"monthly": 0.78, "annual": 0.22}
ANNUAL_ALPHA, ANNUAL_BETA = 1.2, 3.6
#: Sources and boxes: share, and how strongly they go with a high chance to leave.
SOURCES = {
    "search": (0.29, 0.0),
    "social": (0.25, 0.5),
    "partner": (0.18, 1.0),
    "direct": (0.15, -0.4),
    "referral": (0.13, -0.9),
}
BOXES = {12.9: (0.45, 0.4), 19.9: (0.38, -0.1), 32.9: (0.17, -0.6)}
REGIONS = {"city": 0.34, "coast": 0.2, "hills": 0.14, "plain": 0.2, "lakes": 0.12}
#: Reasons: share, what they show before leaving (skips, logins, complaints, late payments), chance that the offer helps.
REASONS = {
    "too dear": (0.30, "late", 0.85),
    "too much coffee": (0.22, "skips", 0.75),
    "quality": (0.12, "complaints", 0.50),
    "delivery": (0.13, "complaints", 0.45),
    "competitor": (0.14, "logins", 0.70),
    "moved": (0.09, "", 0.0),
}
SHOWS = 0.8  # of those who leave for a reason that shows, so many show it
WARNING_MONTHS = 3  # the month of the notice and the two before it
OFFERED, OFFER_WINDOW = "2025-08-15", 120
DISTURBED = 0.02  # of those who would stay, so many leave because the offer reminds them
RETURNS = 0.08
EXPORT, EXPORTED = "2025-05-31", "2025-08-12"  # the day that IT's file is about, and the day it was made
KINDS = {"question": 0.07, "complaint": 0.035, "billing": 0.025}  # tickets a month
RESPONSES = ("persuadable", "sure thing", "lost cause", "do not disturb")


@dataclass
class Folk:
    """Every subscriber, in order of the start; times in days, infinite for never."""

    start: np.ndarray
    annual: np.ndarray
    chance: np.ndarray  # to leave at each renewal
    lean: np.ndarray  # e to the power of the rank of that chance, from -1 to 1; 1 without effects
    periods: np.ndarray  # the period in which the notice comes
    notice: np.ndarray
    end: np.ndarray  # of the paid time
    reason: np.ndarray
    shows: np.ndarray
    returned: np.ndarray
    source: np.ndarray
    price: np.ndarray
    lively: np.ndarray  # logins a month

    def __len__(self) -> int:
        return len(self.start)


def make(
    streams: Streams, customers: int, *, effects: float = 1.0, dirt: float = 1.0, alpha: float = 0.8, beta: float = 8.0
) -> dict[str, pd.DataFrame]:
    """The subscription's tables.

    Scenario: `effects` from 0 to 1 scales what goes with leaving (source, price, signs) and what the offer does; `dirt`
    from 0 to 1 the dirt; `alpha` and `beta` are those of the monthly contracts' chances to leave.
    """
    effects, dirt = (scenario_number(name, value, 0, 1) for name, value in (("effects", effects), ("dirt", dirt)))
    alpha, beta = (scenario_number(n, value, 0.01, 1_000) for n, value in (("alpha", alpha), ("beta", beta)))
    folk = _folk(streams, customers, effects, alpha, beta)
    person = ids("P", customers)
    offers, response, effect = _offer(streams("offer"), folk, effects, person)
    left = folk.notice < DAYS
    _returns(streams("returns"), folk, left)
    months = _months(folk)
    usage = _usage(streams, folk, months, effects)
    tickets = _tickets(streams("tickets"), folk, months, effects)
    payments = _payments(streams("payments"), folk, months, effects)
    checks = _address_checks(streams("address checks"), folk)
    told = _told(streams("reasons told"), folk)
    gone = np.flatnonzero(left)
    gone = gone[np.argsort(folk.notice[gone], kind="stable")]
    again = mess.repeated(streams("dirt of payments"), len(payments["who"]), 0.003 * dirt)
    kinds = streams("people")
    return {
        "subscribers": table(
            customer_id=person,
            started_on=clock.day(folk.start),
            plan=pick(list(PLANS), folk.annual.astype(int)),
            price=money(folk.price),
            source=pick(list(SOURCES), folk.source),
            region=pick(list(REGIONS), people.choose(kinds, REGIONS, customers)),
            birth_year=whole(people.birth_years(kinds, customers), kinds.uniform(0, 1, customers) >= 0.2),
            consent=people.consent(streams("consent"), streams("agreement").uniform(0, 1, customers) < 0.75, dirt=dirt),
        ),
        "cancellations": table(
            customer_id=pick(person, gone),
            cancelled_on=clock.day(folk.notice[gone]),
            reason=pick([*REASONS, "none given"], told[gone]),
            returned_on=clock.day(folk.returned[gone]),
        ),
        "usage": table(
            customer_id=pick(person, months.who),
            month=months.day,
            **{name: usage[name] for name in ("boxes", "skips", "logins", "minutes")},
        ),
        "tickets": _ticket_table(streams("answers to tickets"), tickets, person),
        "payments": table(
            customer_id=pick(person, payments["who"][again]),
            month=payments["month"][again],
            due=money(payments["due"][again]),
            paid_on=clock.day(payments["paid"][again]),
        ),
        "offers": offers,
        "address_checks": table(customer_id=pick(person, checks[0]), checked_on=clock.day(checks[1])),
        "features_export": _export(folk, months, usage, tickets, payments, checks, person),
        "truth_subscribers": table(
            customer_id=person,
            churn_probability=np.round(folk.chance, 6),
            reason=pick(list(REASONS), folk.reason, left),
            response=pick(RESPONSES, response),
        ),
        "truth_effects": listed(
            ("name", "effect", "unit", "meaning"),
            [
                (
                    "offer",
                    effect,
                    "share",
                    f"fewer of those offered give notice within {OFFER_WINDOW} days because of it",
                )
            ],
        ),
        "truth_parameters": listed(
            ("name", "value", "meaning"),
            [
                ("alpha", alpha, "alpha of the beta distribution of monthly contracts' chance to leave at a renewal"),
                ("beta", beta, "its beta: retention of monthly contracts is shifted beta-geometric"),
                ("annual_alpha", ANNUAL_ALPHA, "alpha of the same for annual contracts, a renewal a year"),
                ("annual_beta", ANNUAL_BETA, "its beta"),
                ("annual_share", PLANS["annual"], "share of annual contracts"),
                ("return_share", RETURNS, "share of leavers who want to come back after 2 to 9 months"),
            ],
        ),
    }


def _folk(streams: Streams, count: int, effects: float, alpha: float, beta: float) -> Folk:
    rng = streams("subscribers")
    start = clock.by_day(rng, np.sort(people.arrivals(rng, count, Season.of(0.25, 345), 0.8)))
    annual = people.choose(streams("plans"), PLANS, count).astype(bool)
    chances = streams("chances")
    chance = np.where(annual, chances.beta(ANNUAL_ALPHA, ANNUAL_BETA, count), chances.beta(alpha, beta, count))
    rank = np.empty(count)
    for plan in (False, True):  # from -1, the most loyal of the plan, to 1
        own = np.flatnonzero(annual == plan)
        rank[own[np.argsort(chance[own])]] = np.linspace(-1, 1, len(own)) if len(own) > 1 else 0.0
    kinds = streams("sources and boxes")
    source, box = (_going_with(kinds, list(told.values()), rank * effects) for told in (SOURCES, BOXES))
    price = np.array(list(BOXES))[box] * np.where(annual, 0.9, 1) - 2.0 * (source == list(SOURCES).index("partner"))
    reason = people.choose(streams("reasons"), [told[0] for told in REASONS.values()], count)
    silent = np.array([told[1] == "" for told in REASONS.values()])[reason]
    folk = Folk(
        start=start,
        annual=annual,
        chance=chance,
        lean=np.exp(rank * effects),
        periods=processes.renewals(streams("renewals"), chance),
        notice=np.empty(0),
        end=np.empty(0),
        reason=reason,
        shows=(streams("signs").uniform(0, 1, count) < SHOWS) & ~silent,
        returned=np.full(count, np.inf),
        source=source,
        price=price,
        lively=streams("lively").gamma(2.5, 1.6, count) * (1 - 0.25 * rank * effects),
    )
    # within the last month of a period; an annual one is ended up to six weeks before
    early = np.where(
        annual, streams("notices").uniform(0.06, 1.4, count), streams("notices").uniform(0.06, 0.94, count)
    )
    folk.end = start + folk.periods * np.where(annual, 12, 1) * MONTH
    folk.notice = folk.end - early * MONTH
    return folk


def _going_with(rng: np.random.Generator, told: list[tuple[float, float]], rank: np.ndarray) -> np.ndarray:
    """A kind for each, the shares tilted by the rank."""
    share, tilt = np.array(told).T
    weights = share * np.exp(tilt * rank[:, None])
    edges = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    return np.minimum((rng.uniform(0, 1, (len(rank), 1)) > edges).sum(axis=1), len(share) - 1)


def _offer(
    rng: np.random.Generator, folk: Folk, effects: float, person: pa.Array
) -> tuple[pd.DataFrame, np.ndarray, float]:
    """A free bag for those who stay, offered to a random half of the monthly subscribers who had not given notice."""
    day = clock.number(OFFERED)
    asked = np.flatnonzero(~folk.annual & (folk.start < day - 30) & (folk.notice >= day + 1))
    contact = marketing.arms(rng, len(asked), 0.5)
    leaves = folk.notice[asked] < day + 1 + OFFER_WINDOW
    helps = np.array([told[2] for told in REASONS.values()])[folk.reason[asked]]
    asleep = np.clip(2 - folk.lively[asked] / 4, 0, 2)  # those who hardly ever look are the ones it reminds
    touched = processes.thinned(rng, effects * np.where(leaves, helps, DISTURBED * asleep))
    classes = np.select([leaves & touched, leaves, touched], [0, 2, 3], 1)
    stays, goes = asked[(classes == 0) & contact], asked[(classes == 3) & contact]
    more = processes.renewals(rng, folk.chance[stays]) + int(np.ceil(OFFER_WINDOW / MONTH))
    folk.periods[stays] += more
    folk.notice[stays] += more * MONTH
    folk.end[stays] += more * MONTH
    folk.notice[goes] = day + 1 + rng.uniform(1, 40, len(goes))
    folk.periods[goes] = np.ceil((folk.notice[goes] - folk.start[goes]) / MONTH)
    folk.end[goes] = folk.start[goes] + folk.periods[goes] * MONTH
    accepts = contact & (rng.uniform(0, 1, len(asked)) < np.select([classes == 0, classes == 1], [1.0, 0.45], 0.08))
    frame = table(
        customer_id=pick(person, asked),
        offered_on=clock.day(np.full(len(asked), day)),
        arm=pick(["control", "contact"], contact),
        accepted_on=clock.day(day + rng.uniform(0, 9, len(asked)), accepts),
    )
    response = np.full(len(folk), -1)
    response[asked] = classes
    effect = (classes == 0).mean() - (classes == 3).mean() if len(asked) else 0.0
    return frame, response, float(effect)


def _returns(rng: np.random.Generator, folk: Folk, left: np.ndarray) -> None:
    """Some come back after a while. Nobody leaves twice: those who would, do not come back."""
    back = folk.end + rng.uniform(2, 9, len(folk)) * MONTH
    stays = np.power(1 - folk.chance, np.clip((DAYS - back) / MONTH, 0, None))
    returns = left & (back < DAYS - 1) & (rng.uniform(0, 1, len(folk)) < RETURNS * stays)
    folk.returned[returns] = back[returns]


@dataclass
class Months:
    """Every calendar month under contract, a row each: whose, which, and how many months before the notice's."""

    who: np.ndarray
    day: np.ndarray
    first: np.ndarray  # the first month of a spell
    ahead: np.ndarray


def _month(times: np.ndarray) -> np.ndarray:
    """The calendar month of each time, counted from January 2023; far for what never comes."""
    days = FIRST + np.floor(np.clip(times, 0, 1e6)).astype("timedelta64[D]")
    return _month_of(days)


def _month_of(days: np.ndarray) -> np.ndarray:
    return (days.astype("datetime64[M]") - FIRST.astype("datetime64[M]")).astype(int)


def _months(folk: Folk) -> Months:
    back = np.flatnonzero(np.isfinite(folk.returned))
    who = np.concatenate([np.arange(len(folk)), back])
    begin = _month(np.concatenate([folk.start, folk.returned[back]]))
    end = _month(np.minimum(np.concatenate([folk.end, np.full(len(back), DAYS)]), DAYS) - 1e-6)
    notice = _month(np.concatenate([folk.notice, np.full(len(back), 1e6)]))
    spell = np.repeat(np.arange(len(who)), np.maximum(end - begin + 1, 0))
    step = np.arange(len(spell)) - np.searchsorted(spell, spell)
    order = np.lexsort((who[spell], begin[spell] + step))
    spell, step = spell[order], step[order]
    month = begin[spell] + step
    first = FIRST.astype("datetime64[M]")
    return Months(
        who[spell], (first + month.astype("timedelta64[M]")).astype("datetime64[us]"), step == 0, notice[spell] - month
    )


def _signs(folk: Folk, months: Months, kind: str, effects: float) -> np.ndarray:
    """How strongly this sign shows in a month: 1 in the month of the notice, less in the two before, else 0."""
    own = np.array([told[1] == kind for told in REASONS.values()])[folk.reason[months.who]]
    strength = np.select([months.ahead == k for k in range(WARNING_MONTHS)], [1.0, 0.9, 0.7], 0.0)
    return effects * strength * folk.shows[months.who] * np.where(own, 1.0, 0.25)


def _usage(streams: Streams, folk: Folk, months: Months, effects: float) -> dict[str, np.ndarray]:
    rng, rows = streams("usage"), len(months.who)
    skips = rng.uniform(0, 1, rows) < 0.07 * folk.lean[months.who] ** 0.6 + 0.55 * _signs(
        folk, months, "skips", effects
    )
    skips &= ~months.first
    logins = rng.poisson(folk.lively[months.who] * (1 - 0.75 * _signs(folk, months, "logins", effects)))
    return {
        "boxes": (1 - skips) * (1 + rng.poisson(0.06, rows)),
        "skips": skips.astype("int64"),
        "logins": logins,
        "minutes": np.round(logins * rng.gamma(3, 1.1, rows), 1),
    }


def _tickets(rng: np.random.Generator, folk: Folk, months: Months, effects: float) -> dict[str, np.ndarray]:
    usual = np.tile(list(KINDS.values()), (len(months.who), 1))
    usual[:, 1] += 0.8 * _signs(folk, months, "complaints", effects)
    usual[:, 2] += 0.1 * _signs(folk, months, "late", effects)
    row, kind = np.nonzero(rng.poisson(usual))
    start = (months.day[row].astype("datetime64[D]") - FIRST).astype(float)
    at = clock.by_day(rng, start + rng.uniform(0, 28, len(row)), 8, 20)
    who = months.who[row]
    fits = (at > folk.start[who]) & ((at < folk.end[who]) | (at > folk.returned[who])) & (at < DAYS)
    order = np.flatnonzero(fits)[np.argsort(at[fits], kind="stable")]
    return {"who": who[order], "kind": kind[order], "at": at[order]}


def _ticket_table(rng: np.random.Generator, tickets: dict[str, np.ndarray], person: pa.Array) -> pd.DataFrame:
    kind, at, rows = tickets["kind"], tickets["at"], len(tickets["who"])
    solved = at + rng.lognormal(np.array([2.6, 3.6, 3.2])[kind], 0.9) / 24
    done = (solved < DAYS) & (rng.uniform(0, 1, rows) > 0.015)
    content = rng.uniform(0, 1, rows) < np.array([0.85, 0.6, 0.7])[kind] - 0.1 * (solved - at > 3)
    return table(
        ticket_id=ids("T", rows),
        customer_id=pick(person, tickets["who"]),
        opened_at=clock.moment(at),
        kind=pick(list(KINDS), kind),
        resolved_at=clock.moment(solved, done),
        satisfied=yes_no(content, done & (rng.uniform(0, 1, rows) < 0.55)),
    )


def _payments(rng: np.random.Generator, folk: Folk, months: Months, effects: float) -> dict[str, np.ndarray]:
    """A payment is due on the first of the month, the first one at the start; annual contracts pay once a year."""
    month, back = _month_of(months.day), _month(folk.returned)[months.who]
    begin = np.where(month >= back, back, _month(folk.start)[months.who])
    due = np.flatnonzero(~folk.annual[months.who] | ((month - begin) % 12 == 0))
    who, rows, first = months.who[due], len(due), months.first[due]
    amount = folk.price[who] * np.where(folk.annual[who], 12, 1)
    sign = _signs(folk, months, "late", effects)[due]
    late = (rng.uniform(0, 1, rows) < 0.04 * folk.lean[who] ** 0.6 + 0.6 * sign) & ~first
    failed = (rng.uniform(0, 1, rows) < 0.012 + 0.08 * sign) & ~first
    of_spell = np.where(month[due] >= back[due], folk.returned[who], folk.start[who])
    of_month = (months.day[due].astype("datetime64[D]") - FIRST).astype(float)
    paid = np.where(
        first, np.floor(of_spell), of_month + np.where(late, rng.integers(8, 26, rows), rng.integers(0, 4, rows))
    )
    paid = np.where(failed | (paid >= DAYS), np.inf, paid)
    return {"who": who, "month": months.day[due], "due": amount, "paid": paid, "late": late | failed}


def _address_checks(rng: np.random.Generator, folk: Folk) -> tuple[np.ndarray, np.ndarray]:
    """Routine checks of the address at any time; after a notice the office checks it for the last invoice."""
    stop = np.where(np.isfinite(folk.returned), DAYS, np.minimum(folk.end, DAYS))
    who, when = processes.events(rng, np.full(len(folk), 0.008 / MONTH), folk.start, stop)
    leaving = np.flatnonzero(rng.uniform(0, 1, len(folk)) < 0.96)
    leaving = np.repeat(leaving, 1 + rng.poisson(0.5, len(leaving)))
    who = np.concatenate([who, leaving])
    when = np.concatenate([when, folk.notice[leaving] + rng.uniform(1, 12, len(leaving))])
    order = np.flatnonzero(when < DAYS)[np.argsort(when[when < DAYS], kind="stable")]
    return who[order], when[order]


def _told(rng: np.random.Generator, folk: Folk) -> np.ndarray:
    """The reason that is written down: mostly the true one, sometimes the polite one, sometimes none."""
    draw = rng.uniform(0, 1, len(folk))
    return np.select([draw < 0.14, draw < 0.22], [len(REASONS), 0], folk.reason)


def _export(
    folk: Folk,
    months: Months,
    usage: dict[str, np.ndarray],
    tickets: dict[str, np.ndarray],
    payments: dict[str, np.ndarray],
    checks: tuple[np.ndarray, np.ndarray],
    person: pa.Array,
) -> pd.DataFrame:
    """IT's file of everybody under contract on a day. Its address checks are counted to the day the file was made."""
    day, made = clock.number(EXPORT) + 1, clock.number(EXPORTED) + 1
    there = np.flatnonzero((folk.start < day) & ((folk.notice >= day) | (folk.returned < day)))
    until = np.datetime64("2025-06-01")

    def total(who: np.ndarray, values: np.ndarray | float, rows: np.ndarray) -> np.ndarray:
        weights = np.broadcast_to(values, len(who))[rows].astype(float)
        return np.bincount(who[rows], weights, minlength=len(folk))[there].astype("int64")

    quarter = (months.day >= np.datetime64("2025-03-01")) & (months.day < until)
    half = (payments["month"] >= np.datetime64("2024-12-01")) & (payments["month"] < until)
    complained = (tickets["kind"] == 1) & (tickets["at"] >= clock.number("2024-12-01")) & (tickets["at"] < day)
    notice = folk.notice[there]
    return table(
        customer_id=pick(person, there),
        as_of=clock.day(np.full(len(there), day - 1)),
        tenure_months=np.floor((day - folk.start[there]) / MONTH).astype("int64"),
        price=money(folk.price[there]),
        skips_3m=total(months.who, usage["skips"], quarter),
        logins_3m=total(months.who, usage["logins"], quarter),
        complaints_6m=total(tickets["who"], 1, complained),
        late_payments_6m=total(payments["who"], payments["late"], half),
        plan=pick(list(PLANS), folk.annual[there].astype(int)),
        address_checks=total(checks[0], 1, checks[1] < made),
        left_within_60_days=(notice >= day) & (notice < day + 60),
    )
