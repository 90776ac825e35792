"""Pareto/NBD: how often will a customer buy again, if customers leave by chance at any moment?"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from crmkit.lifecycle.model_fitting import distinct
from crmkit.lifecycle.purchase_models import PurchaseModel
from crmkit.periods import DAYS


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

    def _score(self, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, counts: np.ndarray):
        """The likelihood is what it would be if alive, plus the chance of having left between t_x and T.

        That chance is an integral from t_x to T, taken as the one from t_x minus the one from T. Each depends on
        two columns alone, and few pairs of values occur.
        """
        from scipy.special import digamma, gammaln

        xs, x_place = np.unique(x, return_inverse=True)
        of_x, total = np.bincount(x_place, counts), counts.sum()
        (pair_x, pair_time), both = distinct(np.concatenate([x, x]), np.concatenate([t_x, age]))
        at_last, at_end = both[: len(x)], both[len(x) :]

        def score(theta: np.ndarray) -> tuple[float, np.ndarray]:
            r, alpha, s, beta = np.exp(theta)
            tail, slopes = _log_tail(pair_x, pair_time, r, alpha, s, beta)
            alive = -(r + x) * np.log(alpha + age) - s * np.log(beta + age)
            later = np.minimum(tail[at_end] - tail[at_last], 0.0)
            with np.errstate(divide="ignore"):  # nobody can have left where t_x = T
                gone = np.log(s) + tail[at_last] + np.log(-np.expm1(later))
            every = np.logaddexp(alive, gone)
            value = of_x @ (gammaln(r + xs) - gammaln(r)) + total * (r * theta[1] + s * theta[3]) + counts @ every
            still = counts * np.exp(alive - every)
            left = counts * np.exp(np.log(s) + tail[at_last] - every)  # from t_x on; what left from T on is taken off
            still_log_age, still_age = still @ np.log(alpha + age), still / (alpha + age)
            room = len(pair_x)
            net = np.bincount(at_last, left, room) - np.bincount(at_end, left * np.exp(later), room)
            d_r, d_alpha, d_s, d_beta = (net @ slope for slope in slopes)
            d_r += of_x @ (digamma(r + xs) - digamma(r)) + total * theta[1] - still_log_age
            d_alpha += total * r / alpha - (r + x) @ still_age
            d_s += total * theta[3] - still @ np.log(beta + age) + net.sum() / s
            d_beta += total * s / beta - s * (still @ (1 / (beta + age)))
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
            what = "there is hardly a sign that anybody leaves" if year < 0.02 else "customers hardly differ in it"
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


def _hyp2f1_one(a: float, c: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """₂F₁(1, a; c; z) for z < 1 with its derivatives by a, c and z, from Gauss's continued fraction.

    scipy has the function but no derivative by a parameter. The fraction is evaluated from its end, whose value
    tends to 2 / (1 + √(1−z)); every step forgets the end by the factor (1 − √(1−z)) / (1 + √(1−z)).
    """
    root = np.sqrt(1 - z)
    forgets = np.abs((1 - root) / (1 + root)).max()
    steps = 6 + min(int(np.ceil(38 / max(-np.log(max(forgets, 1e-16)), 1e-3))), 2000)
    value = 2 / (1 + root)
    by_a, by_c, by_z, c = np.zeros_like(z), np.zeros_like(z), 1 / (root * (1 + root) ** 2), c - 1
    for step in range(steps, 0, -1):
        n, odd = divmod(step, 2)
        low, high = (c + 2 * n, c + 2 * n + 1) if odd else (c + 2 * n - 1, c + 2 * n)
        bottom = low * high
        if odd:
            part = (a + n) * (c + n) / bottom
            part_a, part_c = (c + n) / bottom, part * (1 / (c + n) - 1 / low - 1 / high)
        else:
            part = n * (c - a + n) / bottom
            part_a, part_c = -n / bottom, n / bottom - part * (1 / low + 1 / high)
        ahead, value = value, 1 / (1 - part * z * value)
        square = value * value
        by_a = square * z * (part_a * ahead + part * by_a)
        by_c = square * z * (part_c * ahead + part * by_c)
        by_z = square * part * (ahead + z * by_z)
    return value, by_a, by_c, by_z
