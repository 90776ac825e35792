"""Where people come from, what they are like, and how their consent was written down."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from crmkit.datasets.simulation.clock import DAYS, Season
from crmkit.datasets.simulation.columns import pick

Generator = np.random.Generator
YES, NO = ("yes", "Yes", "Y", "true", "1"), ("no", "N", "false", "0")


def choose(rng: Generator, shares: Mapping[str, float] | Sequence[float], count: int) -> np.ndarray:
    """For each of `count` people the place of what was chosen, with these shares (they are made to add up to 1)."""
    weights = np.array(list(shares.values()) if isinstance(shares, Mapping) else shares, dtype=float)
    edges = np.cumsum(weights / weights.sum())
    return np.minimum(np.searchsorted(edges, rng.uniform(0, 1, count), side="right"), len(weights) - 1)


def consent(rng: Generator, agrees: np.ndarray, *, dirt: float, missing: float = 0.08) -> pa.Array:
    """Consent as three systems wrote it: with dirt in many spellings and sometimes not at all, without it yes or no."""
    count = len(agrees)
    spellings = [*YES, *NO]
    usual = np.where(agrees, 0, len(YES))
    odd = np.where(agrees, choose(rng, [4, 3, 1, 1, 1], count), len(YES) + choose(rng, [5, 2, 1, 1], count))
    places = np.where(rng.uniform(0, 1, count) < dirt, odd, usual)
    return pick(spellings, places, rng.uniform(0, 1, count) >= missing * dirt)


def birth_years(rng: Generator, count: int, mean: float = 1981, spread: float = 14) -> np.ndarray:
    """Birth years of grown-ups between 1935 and 2005."""
    return np.clip(np.round(rng.normal(mean, spread, count)), 1935, 2005).astype("int64")


def referrers(
    rng: Generator, joined: np.ndarray, candidates: np.ndarray, since: np.ndarray, zeal: np.ndarray
) -> np.ndarray:
    """Who brought each newcomer: somebody among `candidates` who was there before, the zealous more often.

    `joined` are the newcomers' times, `since` the candidates' (from when they can recommend). Returns places in the
    candidates' numbering given by `candidates`; -1 where nobody was there yet.
    """
    order = np.argsort(since, kind="stable")
    total = np.concatenate([[0], np.cumsum(zeal[order])])
    there = np.searchsorted(since[order], np.floor(joined), side="left")
    drawn = np.searchsorted(total, rng.uniform(0, 1, len(joined)) * total[there], side="right") - 1
    found = np.where(there > 0, np.minimum(drawn, np.maximum(there - 1, 0)), -1)
    return np.where(found >= 0, candidates[order][found], -1) if len(candidates) else np.full(len(joined), -1)


def arrival_mass(pace: Season, growth: float, since: int = 0) -> np.ndarray:
    """The share of all newcomers who have come by the beginning of each day, the last entry at the end."""
    daily = np.diff(pace.running) * (1 + growth * np.arange(DAYS) / DAYS)
    daily[:since] = 0
    total = np.concatenate([[0], np.cumsum(daily)])
    return total / total[-1]


def arrivals(rng: Generator, count: int, pace: Season, growth: float, since: int = 0) -> np.ndarray:
    """When each newcomer comes: with the season, and a growing number from the first day to the last."""
    mass = arrival_mass(pace, growth, since)
    return np.interp(rng.uniform(0, 1, count), mass[since:], np.arange(since, DAYS + 1))
