"""How sure is a share? The Wilson interval, which stays honest for small groups and for shares near 0 and 1."""

from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from crmkit.errors import InputError, KindError


class Share(NamedTuple):
    """A share and its interval: floats for one group, arrays for many."""

    share: Any
    low: Any
    high: Any


def share_interval(successes: Any, trials: Any, level: float = 0.95) -> Share:
    """12 of 80 visitors bought: between which shares may the real rate of such visitors lie?

    The Wilson score interval. The textbook's `p ± 1.96 · sqrt(p (1 − p) / n)` promises 95 % and keeps far
    less in small groups or near 0 and 1 (0 of 20 gets an interval of width nothing); Wilson's does not.
    It speaks of chance alone: not of who was asked, nor of what was not measured.

    Parameters
        successes, trials: counts, one number each or lists, arrays, Series of one length (or one of them a
            single number). They must be whole, 0 ≤ successes ≤ trials; missing is refused.
        level: of confidence, between 0 and 1.
    Returns: `Share(share, low, high)`, from 0 to 1; floats for single numbers, else arrays in the given order.
        Of 0 trials nothing is known: the share is missing (NaN), the interval 0 to 1.
    Raises: KindError if counts are not numbers; InputError for impossible counts or levels.
    Source: Wilson (1927), Journal of the American Statistical Association 22; recommended by Brown, Cai and
        DasGupta (2001), Statistical Science 16(2).

    >>> [round(float(value), 3) for value in share_interval(12, 80)]
    [0.15, 0.088, 0.244]
    >>> share_interval([0, 12], [20, 80]).high.round(3)
    array([0.161, 0.244])
    """
    counts = [_counts(successes, "successes"), _counts(trials, "trials")]
    try:
        yes, n = np.broadcast_arrays(*counts)
    except ValueError:
        sizes = [len(count) for count in counts]
        raise InputError(f"successes has {sizes[0]:,} values and trials {sizes[1]:,}; give one of each.") from None
    if (yes > n).any():
        where = np.flatnonzero(np.ravel(yes > n))
        raise InputError(
            f"successes exceed trials in {len(where):,} of {yes.size:,} cases, such as {np.ravel(yes)[where[0]]:g} of "
            f"{np.ravel(n)[where[0]]:g}; each trial can succeed once only."
        )
    if isinstance(level, bool) or not isinstance(level, (int, float, np.number)) or not 0 < level < 1:
        raise InputError(f"level must be between 0 and 1, such as 0.95, not {level!r}.")
    z2 = NormalDist().inv_cdf((1 + level) / 2) ** 2
    known = np.where(n > 0, n, np.nan)
    share = yes / known
    centre = (share + z2 / (2 * known)) / (1 + z2 / known)
    half = np.sqrt(z2 * (share * (1 - share) / known + z2 / (4 * known**2))) / (1 + z2 / known)
    low = np.where(n > 0, np.where(yes == 0, 0.0, np.clip(centre - half, 0, 1)), 0.0)
    high = np.where(n > 0, np.where(yes == n, 1.0, np.clip(centre + half, 0, 1)), 1.0)
    if share.ndim == 0:
        return Share(float(share), float(low), float(high))
    return Share(share, low, high)


def _counts(values: Any, name: str) -> np.ndarray:
    try:
        counts = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise KindError(f"{name} must be counts, numbers such as 12, not {values!r}.") from None
    wrong = ~(np.isfinite(counts) & (counts >= 0) & (counts == np.floor(counts)))
    if wrong.any():
        example = np.ravel(counts)[np.ravel(wrong)][0]
        raise InputError(
            f"{name} must be whole numbers from 0, but {wrong.sum():,} of {counts.size:,} are not ({example})."
        )
    return counts
