"""The supermarket's shelf, who uses what, and when each household needs its next pack."""

from dataclasses import dataclass

import numpy as np

from crmkit.datasets.simulation import clock, people
from crmkit.datasets.simulation.columns import money
from crmkit.datasets.simulation.firm import Streams

START = clock.number("2024-01-01")  # the first day of the receipts
TYPES, USES, KINDS = ("national", "store", "switcher"), ("low", "medium", "high"), ("National", "Private")


@dataclass(frozen=True)
class Category:
    """One category: who uses it and how much, its packs, its brands and what they bring."""

    users: float  # share of the households
    doses: float  # a week, the median of the users
    spread: float  # of the logarithm of that
    packs: tuple[int, ...]  # doses in a pack, from small to large
    regularity: float  # shape of the gamma distribution of the gaps: the larger, the more regular
    types: tuple[float, float, float]  # shares of national-loyal, store-loyal, switchers
    national: tuple[float, float]  # price and margin of the second pack
    store: tuple[float, float]
    makers: tuple[str, str]

    @property
    def cuts(self) -> np.ndarray:
        """Doses a week between low and medium, medium and high use: thirds of the users."""
        return np.round(self.doses * np.exp(self.spread * np.array([-0.4307, 0.4307])), 2)


CATEGORIES = {
    "painkillers": Category(
        0.95, 2.1, 1.0, (12, 24, 48), 6, (0.50, 0.21, 0.29), (6.5, 1.7), (4.5, 3.1), ("Calmex", "Dolina")
    ),
    "cheese": Category(
        0.15, 4, 0.5, (10, 20), 3, (0.18, 0.20, 0.62), (4.3, 1.1), (3.1, 1.2), ("Alpenhof", "Brie Blanc")
    ),
    "bread": Category(0.12, 7, 0.5, (12, 20), 4, (0.22, 0.30, 0.48), (3.2, 0.9), (1.9, 0.8), ("Kornhaus", "Rusticana")),
    "cereal": Category(0.17, 4, 0.6, (12, 20), 3, (0.32, 0.23, 0.45), (4.5, 1.2), (2.7, 1.1), ("Sunny Bowl", "Avena")),
    "coffee": Category(0.19, 11, 0.5, (35, 70), 5, (0.42, 0.20, 0.38), (7.9, 1.7), (5.5, 1.9), ("Arbo", "Rialto")),
}
OTHER = {"fruit": 2.5, "milk": 1.3, "pasta": 1.7, "soap": 3.2, "batteries": 5.5, "chocolate": 2.2, "wine": 6.5}
OTHER_MARGIN, OTHER_PRIVATE = 0.28, 0.3
OWN_BRAND = "Millbrook"
FAVOURED = 0.85  # of a household's national packs, so many are of the maker that it prefers
#: The share of store-brand packs of a household, by its brand type: beta distributions.
STORE_SHARES = np.array([[1.5, 58.5], [58.5, 1.5], [4.0, 4.5]])


@dataclass(frozen=True)
class Shelf:
    """All products as the columns of a table, and the place where each category begins (there packs within brands)."""

    category: list[str]
    brand: list[str]
    private: np.ndarray
    doses: np.ndarray
    price: np.ndarray
    cost: np.ndarray
    begins: dict[str, int]


def shelf() -> Shelf:
    """The products, always the same. Both makers of a category leave the shop the same margin in euros."""
    rows, begins = [], {}
    for name, told in CATEGORIES.items():
        begins[name] = len(rows)
        for brand, (price, margin) in zip(
            (*told.makers, OWN_BRAND),
            (told.national, (told.national[0] + 0.4, told.national[1]), told.store),
            strict=True,
        ):
            for doses in told.packs:
                factor = (doses / told.packs[1]) ** 0.8
                shown = round(price * factor, 1) - 0.01
                rows.append((name, brand, brand == OWN_BRAND, doses, shown, shown - round(margin * factor, 2)))
    begins["other"] = len(rows)
    for brand, price in OTHER.items():
        rows.append(("other", brand, False, 1, price, price * (1 - OTHER_MARGIN)))
        rows.append(("other", OWN_BRAND, True, 1, price * 0.75, price * 0.75 * (1 - OTHER_MARGIN)))
    category, brand, private, doses, price, cost = map(list, zip(*rows, strict=True))
    return Shelf(
        category, brand, np.array(private), np.array(doses), money(np.array(price)), money(np.array(cost)), begins
    )


@dataclass
class Needs:
    """One category's users, in order of the household, and the days on which they buy a pack, in order."""

    user: np.ndarray  # place of the household
    kind: np.ndarray  # brand type
    share: np.ndarray  # of store-brand packs
    doses: np.ndarray  # a week
    pack: np.ndarray  # place of the usual pack
    cycle: np.ndarray  # mean days between two packs
    maker: np.ndarray  # the maker that it prefers
    who: np.ndarray  # of every purchase the place among the users
    day: np.ndarray
    draw: np.ndarray  # uniform: a store-brand pack if below the share
    other_maker: np.ndarray

    def __len__(self) -> int:
        return len(self.user)


def needs(
    streams: Streams, name: str, joined: np.ndarray, size: np.ndarray, trips: np.ndarray, switching: float, until: float
) -> Needs:
    """When and what each household buys of a category from the day it joined (2024 at the earliest) until a day.

    Gaps between needs are gamma distributed from a steady state on; a need is met on the next of the two weekdays on
    which the household shops (`trips`). Brand type and use are drawn apart from each other.
    """
    told, rng = CATEGORIES[name], streams(f"use of {name}")
    user = np.flatnonzero(rng.uniform(0, 1, len(joined)) < told.users)
    count = len(user)
    doses = np.clip(rng.lognormal(np.log(told.doses), told.spread, count), told.doses / 15, told.doses * 12)
    if name != "painkillers":  # more people eat more, but do not have more headaches
        doses = doses * np.sqrt(size[user] / 2.3)
    level = np.searchsorted(told.cuts, doses)
    last = len(told.packs) - 1
    pack = np.clip(level * last // 2 + (rng.uniform(0, 1, count) < 0.4) * np.where(level == 2, -1, 1), 0, last)
    cycle = 7 * np.array(told.packs)[pack] / doses

    tastes = streams(f"brands of {name}")
    switchers = min(told.types[2] * switching, 1.0)
    loyal = np.array(told.types[:2]) / sum(told.types[:2]) * (1 - switchers)
    kind = people.choose(tastes, [*loyal, switchers], count)
    share = tastes.beta(*STORE_SHARES[kind].T)
    maker = (tastes.uniform(0, 1, count) < 0.45).astype("int64")

    gaps, begin = streams(f"gaps of {name}"), np.maximum(joined[user], START)
    expected = np.maximum(until - begin, 0) / cycle
    most = np.ceil(expected + 5 * np.sqrt(expected / told.regularity) + 3).astype("int64")
    who = np.repeat(np.arange(count), most)
    first = np.cumsum(most) - most
    gap = gaps.gamma(told.regularity, 1 / told.regularity, len(who)) * cycle[who]
    # in a steady state the gap under way is a long one (gamma of shape + 1), and any part of it may be over
    gap[first] = gaps.gamma(told.regularity + 1, 1 / told.regularity, count) * gaps.uniform(0, 1, count) * cycle
    run = np.cumsum(gap)
    day = np.floor(begin[who] + run - (run[first] - gap[first])[who]).astype("int64")
    kept = day < until
    who, day = who[kept], day[kept]
    day = next_trip(trips[user[who]], day)
    draws = streams(f"choices of {name}").uniform(0, 1, (2, len(who)))
    return Needs(user, kind, share, doses, pack, cycle, maker, who, day, draws[0], draws[1] >= FAVOURED)


def next_trip(trips: np.ndarray, day: np.ndarray) -> np.ndarray:
    """The first day from `day` on at which the household shops."""
    # 2023 began on a Sunday; weekday 0 is Monday
    return day + ((trips - ((day + 6) % 7)[:, None]) % 7).min(axis=1)
