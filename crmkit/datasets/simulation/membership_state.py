"""What the parts of the membership share while it is made: its members, its goods, and its orders, as arrays."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from crmkit.datasets.simulation import people

#: The goods: name, category, brand, price, what one costs the firm, how often it is asked for beside its category's others.
PRODUCTS = {
    "T01": ("Breakfast tea", "tea", "Lantern", 6.90, 2.60, 5),
    "T02": ("Green tea", "tea", "Lantern", 7.90, 3.10, 4),
    "T03": ("Herbal tea", "tea", "Lantern", 6.50, 2.20, 4),
    "T04": ("Darjeeling, first flush", "tea", "Hill & Leaf", 14.90, 7.80, 2),
    "T05": ("Rooibos", "tea", "Hill & Leaf", 8.50, 4.00, 2),
    "S01": ("Butter biscuits", "sweets", "Lantern", 6.20, 2.50, 4),
    "S02": ("Dark chocolate", "sweets", "Moor", 6.80, 3.40, 3),
    "S03": ("Sugar-free biscuits", "sweets", "Moor", 7.20, 3.90, 1),
    "B01": ("Cookery book", "books", "North Quay Press", 24.90, 15.90, 2),
    "B02": ("Crime novel", "books", "North Quay Press", 12.90, 8.20, 4),
    "B03": ("Children's book", "books", "Little Pier", 15.50, 9.90, 3),
    "H01": ("Teapot", "home", "Lantern", 34.90, 15.20, 2),
    "H02": ("Set of cups", "home", "Lantern", 27.90, 12.60, 3),
    "H03": ("Candles", "home", "Glow", 11.90, 5.10, 4),
    "G01": ("Gift box of teas", "gifts", "Lantern", 22.90, 9.80, 4),
    "G02": ("Picnic basket", "gifts", "Glow", 49.00, 27.50, 1),
    "N01": ("Cold-brew tea, classic", "tea", "Lantern", 9.90, 4.30, 0),
    "N02": ("Cold-brew tea, mint", "tea", "Lantern", 9.90, 4.30, 0),
}
CODES = list(PRODUCTS)
CATEGORIES = {"tea": 0.46, "sweets": 0.16, "books": 0.16, "home": 0.12, "gifts": 0.10}
CHANNELS = ("shop", "web", "app")
APP = CHANNELS.index("app")


@dataclass
class Folk:
    """Every member, one place each, in order of joining; times in days, infinite for never."""

    person: pa.Array
    joined: np.ndarray
    gone: np.ndarray  # when they buy for the last time at the latest
    rate: np.ndarray  # orders a day until then
    kind: np.ndarray
    main: np.ndarray  # the channel they mostly order in
    birth: np.ndarray
    diet: np.ndarray
    taste: np.ndarray  # shares of the categories, a row a member
    satisfied: np.ndarray  # the three traits: mean 0, spread 1
    attached: np.ndarray
    curious: np.ndarray
    sms: pa.Array
    email: pa.Array

    def __len__(self) -> int:
        return len(self.joined)

    @staticmethod
    def agreed(consent: pa.Array) -> np.ndarray:
        """Whose consent stands written down."""
        return np.isin(np.array(consent.fill_null("no")).astype(str), people.YES)


@dataclass
class Bought:
    """Every order: whose, when, through which channel, what a coupon took off; and its lines, in order of orders."""

    who: np.ndarray
    when: np.ndarray
    channel: np.ndarray
    off: np.ndarray
    fresh: np.ndarray  # an order of the new product
    order: np.ndarray  # of each line, as product and quantity
    product: np.ndarray
    quantity: np.ndarray
    back: np.ndarray = field(default_factory=lambda: np.empty(0, dtype="int64"))  # the lines that come back
    returned: np.ndarray = field(default_factory=lambda: np.empty(0))  # and when
    order_id: pa.Array | None = None

    def __len__(self) -> int:
        return len(self.who)

    @property
    def amount(self) -> np.ndarray:
        """Of each line, in cents; the coupon counts in the first line of its order."""
        price = np.array([round(100 * told[3]) for told in PRODUCTS.values()])
        first = np.diff(self.order, prepend=-1) > 0
        return price[self.product] * self.quantity - np.where(first, self.off[self.order], 0)


def in_turn(who: np.ndarray) -> Iterator[np.ndarray]:
    """The rows of everybody's first event, then of their second ones …; `who` is sorted."""
    turn = np.arange(len(who)) - np.searchsorted(who, who)
    rows = np.argsort(turn, kind="stable")
    return iter(np.split(rows, np.cumsum(np.bincount(turn))[:-1]) if len(who) else [])
