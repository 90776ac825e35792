"""What the parts of the shop share while it is made: its people and their purchases, as arrays of days."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Folk:
    """Everybody who registered, one place a person, in order of registration; times in days, infinite for never."""

    source: np.ndarray
    region: np.ndarray
    registered: np.ndarray
    first_visit: np.ndarray
    lead: np.ndarray  # the place of the lead they were, -1 if none
    buyer: np.ndarray
    first: np.ndarray  # first order
    rate: np.ndarray  # orders a day
    risk: np.ndarray  # of leaving, a day
    gone: np.ndarray  # when they leave
    fades: np.ndarray  # when leaving begins to show
    agrees: np.ndarray  # to be contacted
    reason: np.ndarray  # to leave
    service: np.ndarray  # when the better service starts in their region

    def __len__(self) -> int:
        return len(self.source)


@dataclass
class Purchases:
    """Every order: whose, when, and with which campaign's code (its place, -1 for none)."""

    who: np.ndarray
    when: np.ndarray
    code: np.ndarray

    def plus(self, who: np.ndarray, when: np.ndarray, code: np.ndarray | int = -1) -> "Purchases":
        """With these orders too."""
        more = (who, when, np.broadcast_to(code, len(who)))
        return Purchases(*(np.concatenate(pair) for pair in zip((self.who, self.when, self.code), more, strict=True)))

    def only(self, rows: np.ndarray) -> "Purchases":
        """Only these rows, or in this order."""
        return Purchases(self.who[rows], self.when[rows], self.code[rows])

    def before(self, day: float, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Of everybody: the time of the last order before a day (minus infinity if none), and how many there were."""
        rows = self.when < day
        last = np.full(count, -np.inf)
        np.maximum.at(last, self.who[rows], self.when[rows])
        return last, np.bincount(self.who[rows], minlength=count)

    def within(self, first: float, days: float, count: int) -> np.ndarray:
        """Who ordered in the `days` that begin with the day `first`."""
        found = np.zeros(count, dtype=bool)
        found[self.who[(self.when >= first) & (self.when < first + days)]] = True
        return found

    def use_code(self, who: np.ndarray, first: float, end: float, code: int, count: int) -> np.ndarray:
        """These people use a code with their orders from `first` to before `end`; the answer is who of all had one."""
        users, used = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
        users[who] = True
        rows = (self.when >= first) & (self.when < end) & (self.code < 0) & users[self.who]
        self.code[rows] = code
        used[self.who[rows]] = True
        return used
