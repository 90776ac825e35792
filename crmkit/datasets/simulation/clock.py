"""Three years of days: times are fractional days since the first one, seasons stretch them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FIRST, LAST = np.datetime64("2023-01-01"), np.datetime64("2025-12-31")
#: The number of days; a time t with 0 <= t < DAYS lies within the three years.
DAYS = int((LAST - FIRST).astype(int)) + 1
MONTHS = np.arange("2023-01", "2026-01", dtype="datetime64[M]").astype("datetime64[D]")


def number(day: str) -> int:
    """The number of a day, counted from the first one.

    >>> number("2023-01-01"), number("2025-12-31")
    (0, 1095)
    """
    return int((np.datetime64(day) - FIRST).astype(int))


def day(times: np.ndarray, known: np.ndarray | None = None) -> np.ndarray:
    """The calendar day of each time; missing where it is infinite, not a number or not `known`."""
    times = np.asarray(times, dtype=float)
    known = np.isfinite(times) if known is None else np.isfinite(times) & known
    days = FIRST + np.floor(np.where(known, times, 0)).astype("timedelta64[D]")
    return np.where(known, days, np.datetime64("NaT")).astype("datetime64[us]")


def moment(times: np.ndarray, known: np.ndarray | None = None) -> np.ndarray:
    """Date and time of day, to the second; missing where it is not finite or not `known`."""
    times = np.asarray(times, dtype=float)
    known = np.isfinite(times) if known is None else np.isfinite(times) & known
    seconds = np.floor(np.where(known, times, 0) * 86_400 + 1e-4).astype("timedelta64[s]")
    return np.where(known, FIRST.astype("datetime64[s]") + seconds, np.datetime64("NaT")).astype("datetime64[us]")


def by_day(rng: np.random.Generator, times: np.ndarray, opens: float = 7, closes: float = 23) -> np.ndarray:
    """The same days at waking hours: most in the early evening, none before `opens` or after `closes` (hours)."""
    hours = opens + (closes - opens) * np.sqrt(rng.uniform(0, 1, len(times)) * rng.uniform(0.6, 1, len(times)))
    return np.floor(times) + hours / 24


@dataclass(frozen=True)
class Season:
    """A factor on every rate that changes from day to day and is 1 on average: `elapsed` is its running total."""

    running: np.ndarray

    @classmethod
    def of(cls, amplitude: float, peak: int, weekdays: Sequence[float] = (1,) * 7) -> "Season":
        """A yearly wave 1 + amplitude · cos with its crest on the day of the year `peak`, times a factor a weekday."""
        days = np.arange(DAYS)
        wave = 1 + amplitude * np.cos(2 * np.pi * (days - peak) / 365.25)
        # 2023 began on a Sunday; weekdays are given from Monday on
        return cls(np.concatenate([[0], np.cumsum(wave * np.asarray(weekdays)[(days + 6) % 7])]))

    def elapsed(self, times: np.ndarray) -> np.ndarray:
        """How much time has passed if a day counts for its factor."""
        return np.interp(times, np.arange(DAYS + 1), self.running)

    def when(self, elapsed: np.ndarray) -> np.ndarray:
        """The time at which so much had passed."""
        return np.interp(elapsed, self.running, np.arange(DAYS + 1))
