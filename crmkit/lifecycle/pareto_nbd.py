"""Pareto/NBD: how often will a customer buy again, if customers leave by chance at any moment?"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from crmkit.lifecycle.model_fitting import BLOCK, Score, distinct
from crmkit.lifecycle.purchase_models import PurchaseModel, how_they_differ
from crmkit.periods import DAYS

#: Of the continued fraction; beyond, an integral in steps of this size is cheaper and as exact.
MOST_STEPS, STEP = 150, 0.3


class ParetoNBD(PurchaseModel):
    """Pareto/NBD: customers leave by chance at any moment, each at its own rate, whether they buy or not.

    Rates of purchase follow a gamma distribution (r, alpha), rates of leaving another (s, beta). So a customer
    who has been silent for long becomes doubtful even without a repeat purchase.

    After `fit`: `r_`, `alpha_`, `s_`, `beta_` (alpha and beta in time units); `parameters_`, `standard_errors_`,
    `intervals_` (95 %), `log_likelihood_`, `unit_`, `customers_`, `repeaters_`, `notes_`.

    Source: Schmittlein, Morrison & Colombo (1987), "Counting Your Customers", Management Science 33(1); likelihood and
    expectations as derived by Fader & Hardie (2005), "A Note on Deriving the Pareto/NBD Model and Related Expressions".

    >>> from crmkit import datasets, lifecycle
    >>> summary = lifecycle.summary(datasets.load("cdnow").transactions, as_of="1997-09-30", unit="weeks")
    >>> model = ParetoNBD().fit(summary)
    >>> model.parameters_.round(2).tolist(), round(model.log_likelihood_, 1)
    ([0.55, 10.58, 0.61, 11.67], -9595.0)
    """

    TITLE = "Pareto/NBD"
    PARAMETERS = ("r", "alpha", "s", "beta")
    r_: float
    alpha_: float
    s_: float
    beta_: float

    @staticmethod
    def _start(rate: float) -> tuple[float, ...]:
        return 0.7, 0.5 / rate, 0.7, 0.7

    @staticmethod
    def _scale(clock: float) -> tuple[float, ...]:
        return 1.0, clock, 1.0, clock

    def _score(self, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, counts: np.ndarray) -> Score:
        """The likelihood is what it would be if alive, plus the chance of having left between t_x and T.

        That chance is an integral from t_x to T, taken as the one from t_x minus the one from T. Each depends on
        two columns alone, and few pairs of values occur.
        """
        from scipy.special import digamma, gammaln

        x_place, xs = pd.factorize(x)
        of_x, total = np.bincount(x_place, counts), counts.sum()
        (pair_x, pair_time), both = distinct(np.concatenate([x, x]), np.concatenate([t_x, age]))
        at_last, at_end, pairs = both[: len(x)], both[len(x) :], len(pair_x)

        def score(theta: np.ndarray) -> tuple[float, np.ndarray]:
            r, alpha, s, beta = np.exp(theta)
            tail, slopes = _log_tail(pair_x, pair_time, r, alpha, s, beta)
            log_alpha, log_beta = np.log(alpha + pair_time), np.log(beta + pair_time)
            alive = -(r + pair_x) * log_alpha - s * log_beta  # of a history that ends there
            still, net = np.zeros((2, pairs))
            value = of_x @ (gammaln(r + xs) - gammaln(r)) + total * (r * theta[1] + s * theta[3])
            for start in range(0, len(counts), BLOCK):
                last, end, n = (
                    at_last[start : start + BLOCK],
                    at_end[start : start + BLOCK],
                    counts[start : start + BLOCK],
                )
                since, later, here = theta[2] + tail[last], np.minimum(tail[end] - tail[last], 0.0), alive[end]
                with np.errstate(divide="ignore"):  # nobody can have left where t_x = T
                    every = np.logaddexp(here, since + np.log(-np.expm1(later)))
                value += n @ every
                still += np.bincount(end, n * np.exp(here - every), pairs)
                left = n * np.exp(since - every)  # from t_x on; what left from T on is taken off again
                net += np.bincount(last, left, pairs) - np.bincount(end, left * np.exp(later), pairs)
            d_r, d_alpha, d_s, d_beta = ((net * slope).sum() for slope in slopes)
            d_r += of_x @ (digamma(r + xs) - digamma(r)) + total * theta[1] - (still * log_alpha).sum()
            d_alpha += total * r / alpha - (still * (r + pair_x) / (alpha + pair_time)).sum()
            d_s += total * theta[3] + net.sum() / s - (still * log_beta).sum()
            d_beta += total * s / beta - s * (still / (beta + pair_time)).sum()
            return float(value), np.array([d_r * r, d_alpha * alpha, d_s * s, d_beta * beta])

        return score

    def _alive(self, x: np.ndarray, t_x: np.ndarray, age: np.ndarray) -> np.ndarray:
        from scipy.special import expit

        r, alpha, s, beta = self.parameters_
        (pair_x, pair_time), both = distinct(np.concatenate([x, x]), np.concatenate([t_x, age]))
        tail, _ = _log_tail(pair_x, pair_time, r, alpha, s, beta)
        last, end = tail[both[: len(x)]], tail[both[len(x) :]]
        with np.errstate(divide="ignore"):
            gone = np.log(s) + last + np.log(-np.expm1(np.minimum(end - last, 0.0)))
        return expit(-(r + x) * np.log(alpha + age) - s * np.log(beta + age) - gone)

    def _while_alive(self, x: np.ndarray, age: np.ndarray, time: np.ndarray) -> np.ndarray:
        r, alpha, s, beta = self.parameters_
        longer = np.log1p(time / (beta + age))
        years = -np.expm1(-(s - 1) * longer) / (s - 1) if abs(s - 1) > 1e-9 else longer
        return (r + x) / (alpha + age) * (beta + age) * years

    def _discounted(self, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, force: float) -> np.ndarray:
        """Closed form with Tricomi's function (Fader, Hardie & Lee 2005, "RFM and CLV", equation 2)."""
        from scipy.special import hyperu

        r, alpha, s, beta = self.parameters_
        (ages,), place = distinct(age)
        z = force * (beta + ages)
        life = (beta + ages) * hyperu(1.0, 2.0 - s, z)  # = (beta + T)^s force^(s-1) U(s, s, z), by Kummer
        return self._alive(x, t_x, age) * (r + x) / (alpha + age) * life[place]

    def _doubts(self) -> Iterable[str]:
        yield from self._doubts_about_rates(self.alpha_, self.r_)
        if self._undetermined("s", "beta"):
            year = 1 - (self.beta_ / (self.beta_ + DAYS["years"] / DAYS[self.unit_])) ** self.s_
            what = f"{how_they_differ(self.s_ > 10)} in it"
            what = "there is hardly a sign that anybody leaves" if year < 0.02 else what
            yield (
                f"s and beta are at the edge of what these data can tell (s {self.s_:.3g}, beta {self.beta_:.3g}): about "
                f"{year:.1%} of new customers leave within a year, and {what}. Take a longer period before relying on each."
            )

    def to_lifetimes(self, summary: pd.DataFrame) -> Any:
        """The same model as lifetimes' ParetoNBDFitter; nothing is fitted again."""
        from lifetimes import ParetoNBDFitter
        from lifetimes.generate_data import pareto_nbd_model

        return self._as_lifetimes(ParetoNBDFitter(), summary, pareto_nbd_model)


def _log_tail(
    x: np.ndarray, time: np.ndarray, r: float, alpha: float, s: float, beta: float
) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """log ∫ (alpha + y)^−(r+x) (beta + y)^−(s+1) dy from `time` to infinity, and its slopes by r, alpha, s, beta.

    The integral is (alpha+t)^(1−r−x) (beta+t)^−(s+1) / k · ₂F₁(1, s+1; k+1; z) with k = r+s+x and
    z = (beta−alpha) / (beta+t) < 1, which holds for either order of alpha and beta and never overflows.
    """
    k, from_alpha, from_beta = r + s + x, alpha + time, beta + time
    value, by_a, by_c, by_z = _hyp2f1_one(s + 1, k + 1, (beta - alpha) / from_beta)
    log_alpha, log_beta = np.log(from_alpha), np.log(from_beta)
    tail = (1 - r - x) * log_alpha - (s + 1) * log_beta - np.log(k) + np.log(value)
    by_a, by_c, by_z = by_a / value, by_c / value, by_z / value
    return tail, (
        -log_alpha - 1 / k + by_c,
        (1 - r - x) / from_alpha - by_z / from_beta,
        -log_beta - 1 / k + by_a + by_c,
        -(s + 1) / from_beta + by_z * from_alpha / from_beta**2,
    )


def _hyp2f1_one(a: float, c: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, ...]:
    """₂F₁(1, a; c; z) for z < 1 and a < c, with its derivatives by a, c and z, which scipy does not have."""
    forgets = np.abs((1 - np.sqrt(1 - z)) / (1 + np.sqrt(1 - z)))
    steps = 6 + np.ceil(38 / -np.log(np.clip(forgets, 1e-16, 1 - 1e-9)))
    easy = steps <= MOST_STEPS
    if easy.all():
        return _by_fraction(a, c, z, int(steps.max()))
    found = np.empty((4, len(z)))
    if easy.any():
        found[:, easy] = _by_fraction(a, c[easy], z[easy], int(steps[easy].max()))
    found[:, ~easy] = _by_integral(a, c[~easy], z[~easy])
    return tuple(found)


def _by_fraction(a: float, c: np.ndarray, z: np.ndarray, steps: int) -> tuple[np.ndarray, ...]:
    """Gauss's continued fraction from its end, whose value tends to 2 / (1 + √(1−z)).

    Every step forgets the end by the factor (1 − √(1−z)) / (1 + √(1−z)): few steps, unless z is near 1 or far below 0.
    """
    root, below = np.sqrt(1 - z), c - 1
    value, by_a, by_c, by_z = 2 / (1 + root), np.zeros_like(z), np.zeros_like(z), 1 / (root * (1 + root) ** 2)
    for step in range(steps, 0, -1):
        n, odd = divmod(step, 2)
        low = below + (2 * n if odd else 2 * n - 1)
        bottom = 1 / (low * (low + 1))
        part_a, times = ((below + n) * bottom, a + n) if odd else (-n * bottom, a - n - below)
        part = times * part_a
        part_c = (times if odd else n) * bottom - part * (2 * low + 1) * bottom
        ahead, value = value, 1 / (1 - part * z * value)
        square = value * value
        by_z = square * part * (ahead + z * by_z)
        square *= z
        by_a = square * (part_a * ahead + part * by_a)
        by_c = square * (part_c * ahead + part * by_c)
    return value, by_a, by_c, by_z


def _by_integral(a: float, c: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, ...]:
    """Euler's integral (c−1) ∫ (1−u)^(c−2) (1−z·u)^−a du, in equal steps of log u/(1−u), and its end in closed form."""
    total, by_a, by_c, by_z = np.zeros((4, len(z)))
    far = -np.log((1 - z).min()) if z.max() > 0 else 0.0
    lower, upper = -32 - np.log1p((c + np.abs(z) * a).max()), far + min(32.0, 40 / (c.min() - 1))
    for odds in np.arange(lower, upper + STEP, STEP):
        log_u, log_v = -np.logaddexp(0.0, -odds), -np.logaddexp(0.0, odds)
        u, v = np.exp(log_u), np.exp(log_v)
        base = np.where(z < 0, 1 - z * u, (1 - z) + z * v)
        log_base = np.log(base)
        weight = STEP * np.exp(log_u + (c - 1) * log_v - a * log_base)
        total += weight
        by_a -= weight * log_base
        by_c += weight * log_v
        by_z += weight * (a * u) / base
    # from the last step on 1−u to the power c−1 alone is left; less what the rule of trapezoids has of it (Euler, Maclaurin)
    left = weight * (1 / (STEP * (c - 1)) - 1 / 2 + STEP * (c - 1) / 12)
    total += left
    by_a -= left * log_base
    by_c += left * log_v + weight * (STEP / 12 - 1 / (STEP * (c - 1) ** 2))
    by_z += left * a / base
    return (c - 1) * total, (c - 1) * by_a, total + (c - 1) * by_c, (c - 1) * by_z
