"""`mall`: three gates, most receipts anonymous, a card whose holders were written down once, twice or four times.

Everybody visits at a rate of their own and leaves a receipt in one shop or more. Who buys more is more likely to take
a card, so card holders are not like the rest. A receipt is identified if its person had a card then and showed it.
"""

import numpy as np
import pandas as pd
import pyarrow as pa

from crmkit.datasets.simulation import card_records, clock, columns, people, processes
from crmkit.datasets.simulation.dirt import some
from crmkit.datasets.simulation.firm import Streams
from crmkit.datasets.simulation.mall_desk import contacts, referrals

Generator = np.random.Generator
#: Kinds of shops: how many there are, how often they are chosen, the median receipt and its spread.
KINDS = {
    "fashion": (9, 30, 46.0, 0.75),
    "cosmetics": (4, 14, 24.0, 0.6),
    "food": (6, 36, 17.0, 0.7),
    "electronics": (3, 7, 95.0, 0.95),
    "sports": (4, 13, 52.0, 0.7),
}
#: Monday to Sunday; the mall is closed on Sundays.
WEEKDAYS = (0.8, 0.8, 0.9, 1.0, 1.35, 2.15, 0.0)
#: The days on which the desk, the app and the partner began to give out cards, and how many they give.
OPENED = tuple(clock.number(day) for day in ("2023-01-02", "2023-09-01", "2024-03-01"))
GIVEN = (50, 35, 15)
VISITS_A_YEAR, SHAPE = 2.3, 1.1
FURTHER_RECEIPTS = 0.55
SPREAD_OF_PERSONS = 0.4
HEAVY = 0.2


def make(
    streams: Streams,
    customers: int,
    *,
    dirt: float = 1.0,
    duplicates: float = 0.18,
    selection: float = 1.0,
    card_shown: float = 0.88,
    population: float = 3.0,
    families: float = 0.12,
) -> dict[str, pd.DataFrame]:
    """`customers` persons with a card, and `population` times as many who shop.

    dirt : scales all that goes wrong when somebody is written down; 0 is clean, and still has duplicates.
    duplicates : the share of card holders with 2 to 4 records.
    selection : how much more likely heavy buyers are to take a card; 0 is not at all.
    card_shown : how often a card holder shows the card.
    families : the share of card holders who live in a household of card holders.
    """
    persons = _persons(streams("persons"), customers, population, selection)
    owner, channel, since = _registrations(streams("registrations"), customers, duplicates)
    first = np.full(customers, np.inf)
    np.minimum.at(first, owner, since)
    who = card_records.identities(streams("identities"), first, families)
    order = np.argsort(since, kind="stable")
    owner, channel, since = owner[order], channel[order], since[order]
    record_id = columns.ids("M", len(owner))
    person_id = columns.ids("T", len(persons), 6).take(streams("numbers").permutation(len(persons)))

    rng = streams("updates")
    never = some(rng, len(owner), np.array([0.5, 0.2, 0.6])[channel])
    seen = np.where(never, since, since + rng.uniform(0, 1, len(owner)) ** 0.7 * (clock.DAYS - since))
    seen = np.minimum(seen, clock.DAYS - 0.2)
    seen = np.where(never, since, clock.by_day(rng, seen + (closed(seen) & (channel == 0)), 10, 20))
    seen = np.maximum(seen, since)  # by_day may have put an update before the registration of the same day
    fields = card_records.write(streams("fields"), who, owner, channel, seen, dirt)
    agrees = some(streams("consent"), customers, 0.66)[owner]
    agrees ^= some(streams("change of mind"), len(owner), 0.12) & (np.bincount(owner)[owner] > 1)
    records = columns.table(
        record_id=record_id,
        channel=columns.pick(card_records.CHANNELS, channel),
        **fields,
        registered_on=clock.day(since),
        updated_at=clock.moment(seen),
        consent=people.consent(streams("spelling of consent"), agrees, dirt=dirt, missing=0.06),
    )
    receipts, buyer = _receipts(streams("receipts"), persons, owner, since, record_id, card_shown)
    heavy = persons["worth"].to_numpy() >= np.quantile(persons["worth"], 1 - HEAVY) if len(persons) else []
    return {
        "records": records,
        "receipts": receipts,
        "contacts": contacts(streams("contacts"), record_id, who, owner, since, clock.DAYS),
        "referrals": referrals(streams("referrals"), record_id, owner, since, dirt),
        "truth_identity": columns.table(record_id=record_id, person_id=columns.pick(person_id, owner)),
        "truth_receipts": columns.table(receipt_id=receipts["receipt_id"], person_id=columns.pick(person_id, buyer)),
        "truth_persons": _truth_of_persons(persons, who, person_id, heavy),
        "truth_parameters": _parameters(dirt, duplicates, selection, card_shown, population, families),
    }


def _persons(rng: Generator, customers: int, population: float, selection: float) -> pd.DataFrame:
    """All who shop, card holders first: visits a year, a factor on their receipts, and what a year of them is worth.

    Who takes a card is drawn without replacement, with chances in proportion to worth ** selection.
    """
    count = max(customers, round(customers * population))
    visits = processes.rates(rng, SHAPE, VISITS_A_YEAR, count)
    factor = rng.lognormal(-(SPREAD_OF_PERSONS**2) / 2, SPREAD_OF_PERSONS, count)
    worth = visits * factor
    key = selection * np.log(np.maximum(worth, 1e-9)) + rng.gumbel(0, 1, count)
    holders = np.argsort(-key, kind="stable")[:customers]
    rest = np.setdiff1d(np.arange(count), holders)
    order = np.concatenate([rng.permutation(holders), rest])
    mean = np.average(
        [median * np.exp(spread**2 / 2) for _, _, median, spread in KINDS.values()],
        weights=[share for _, share, _, _ in KINDS.values()],
    )
    found = pd.DataFrame({"visits": visits, "factor": factor, "worth": worth * (1 + FURTHER_RECEIPTS) * mean})
    return found.iloc[order].reset_index(drop=True)


def _registrations(rng: Generator, customers: int, duplicates: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Owner, channel and time of every record: one for most, for a share `duplicates` two, three or four."""
    extra = np.where(some(rng, customers, duplicates), people.choose(rng, [77, 17, 6], customers) + 1, 0)
    first = rng.uniform(0, 1, customers) ** 1.6 * (clock.DAYS - 30) + OPENED[0]
    channel = _open(people.choose(rng, GIVEN, customers), first)
    owner = np.concatenate([np.arange(customers), np.repeat(np.arange(customers), extra)])
    more = owner[customers:]
    later = first[more] + rng.uniform(0, 1, len(more)) * (clock.DAYS - 1 - first[more])
    other = (channel[more] + np.where(some(rng, len(more), 0.8), rng.integers(1, 3, len(more)), 0)) % 3
    channel = np.concatenate([channel, _open(other, later)])
    since = np.minimum(np.concatenate([first, later]), clock.DAYS - 0.2)
    return owner, channel, clock.by_day(rng, since + (closed(since) & (channel == 0)), 10, 20)


def _open(channel: np.ndarray, when: np.ndarray) -> np.ndarray:
    """The channel, or the desk if the channel gave out no cards yet."""
    return np.where(when >= np.array(OPENED)[channel], channel, 0)


def closed(times: np.ndarray) -> np.ndarray:
    """Which times are on a Sunday; 2023 began with one."""
    return np.floor(times) % 7 == 0


def _receipts(
    rng: Generator, persons: pd.DataFrame, owner: np.ndarray, since: np.ndarray, record_id: pa.Array, card_shown: float
) -> tuple[pd.DataFrame, np.ndarray]:
    """The receipts in order of time, and whose they are."""
    count = len(persons)
    season = clock.Season.of(0.3, 350, WEEKDAYS)
    per_day = persons["visits"].to_numpy() / (season.running[-1] / 3)  # the weekdays' factors do not average to 1
    who, when = processes.events(rng, per_day, np.zeros(count), np.full(count, clock.DAYS), season)
    when = clock.by_day(rng, when, 10, 19)
    further = rng.poisson(FURTHER_RECEIPTS, len(who))
    visit = np.repeat(np.arange(len(who)), 1 + further)
    place = np.arange(len(visit)) - np.searchsorted(visit, visit)
    who, when = who[visit], when[visit] + place * rng.uniform(8, 25, len(visit)) / 1440
    shares = np.array([share for _, share, _, _ in KINDS.values()], dtype=float)
    favourite = people.choose(rng, shares, count)
    kind = np.where(some(rng, len(who), 0.3), favourite[who], people.choose(rng, shares, len(who)))
    shops, _, median, spread = (np.array(column) for column in zip(*KINDS.values(), strict=True))
    amount = persons["factor"].to_numpy()[who] * rng.lognormal(np.log(median)[kind], spread[kind])
    shop = (np.cumsum(shops) - shops)[kind] + (rng.uniform(0, 1, len(who)) ** 1.3 * shops[kind]).astype("int64")

    # a card holder's records stand in order of time, so those there by then are the first ones
    holders = int(owner.max(initial=-1)) + 1
    order = np.lexsort([since, owner])
    start = np.searchsorted(owner[order], np.arange(holders))
    nth = np.arange(len(owner)) - start[owner[order]]
    grid = np.full((holders, int(nth.max(initial=0)) + 1), np.inf)
    grid[owner[order], nth] = since[order]
    shows = np.flatnonzero((who < holders) & some(rng, len(who), card_shown))
    there = (grid[who[shows]] <= when[shows, None]).sum(axis=1)
    shows, there = shows[there > 0], there[there > 0]
    record = np.full(len(who), -1)
    record[shows] = order[start[who[shows]] + (rng.uniform(0, 1, len(shows)) * there).astype("int64")]

    by_time = np.argsort(when, kind="stable")
    kinds = list(KINDS)
    store = [f"{letter}{n + 1}" for letter, number in zip("FCGES", shops, strict=True) for n in range(number)]
    table = columns.table(
        receipt_id=columns.ids("R", len(who), 7),
        till_at=clock.moment(when[by_time]),
        store_id=columns.pick(store, shop[by_time]),
        store_kind=columns.pick(kinds, kind[by_time]),
        amount=columns.money(np.maximum(amount, 0.5)[by_time]),
        record_id=columns.pick(record_id, record[by_time]),
    )
    return table, who[by_time]


def _truth_of_persons(persons: pd.DataFrame, who: pd.DataFrame, person_id: pa.Array, heavy: object) -> pd.DataFrame:
    """One row a person, in order of the id; nobody ever knew the names of those without a card."""
    count, holders = len(persons), len(who)
    place = np.where(np.arange(count) < holders, np.arange(count), -1)
    numbers = np.array([f"+{n.replace(' ', '')}" for n in who["phone"].to_numpy(dtype=object)], dtype=object)
    sex = np.where(who["man"], "m", "f")
    name = (who["given_latin"] + " " + who["family_latin"]).to_numpy(dtype=object)
    birth = np.full(count, np.datetime64("NaT"), dtype="datetime64[us]")
    birth[:holders] = who["birth_date"].to_numpy()
    household = (
        columns.pick(columns.ids("H", holders), np.where(place >= 0, who["household"].to_numpy()[place], -1))
        if holders
        else columns.pick([], place)
    )
    table = columns.table(
        person_id=person_id,
        card=columns.yes_no(place >= 0),
        name=columns.pick(list(name), place),
        birth_date=birth,
        sex=columns.pick(list(sex), place),
        phone=columns.pick(list(numbers), place),
        email=columns.pick(who["email"].to_numpy(dtype=object), place),
        postcode=columns.pick(who["postcode"].to_numpy(dtype=object), place),
        household=household,
        visits_a_year=np.round(persons["visits"].to_numpy(), 3),
        worth_a_year=columns.money(persons["worth"].to_numpy()),
        heavy_buyer=columns.yes_no(heavy),
    )
    return table.sort_values("person_id", ignore_index=True)


def _parameters(
    dirt: float, duplicates: float, selection: float, card_shown: float, population: float, families: float
) -> pd.DataFrame:
    rows = [
        ("dirt", dirt, "scale on all that goes wrong when somebody is written down"),
        ("duplicates", duplicates, "probability that a card holder has more than one record"),
        ("selection", selection, "the chance to take a card is in proportion to worth_a_year to this power"),
        ("card_shown", card_shown, "probability that a card holder shows the card"),
        ("population", population, "persons who shop, for each card holder"),
        ("families", families, "share of card holders in households of 2 to 4 card holders"),
        ("visits_a_year", VISITS_A_YEAR, "mean visits of a person a year, gamma distributed"),
        ("visits_shape", SHAPE, "shape of that gamma distribution"),
        ("receipts_a_visit", 1 + FURTHER_RECEIPTS, "mean receipts of a visit"),
        ("heavy_share", HEAVY, "share of persons who are heavy buyers: the highest worth_a_year"),
    ]
    names, values, meanings = zip(*rows, strict=True)
    return columns.table(name=list(names), value=np.array(values, dtype=float), meaning=list(meanings))
