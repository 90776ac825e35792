"""How much will a customer spend a purchase? The Gamma-Gamma model of money."""

from collections.abc import Iterable
from typing import Any, Self

import numpy as np
import pandas as pd

from crmkit.errors import InputError, one_of
from crmkit.lifecycle.model_fitting import FEW_REPEATERS, FEWEST_REPEATERS, ValueModel, numbers, refuse, weights_of

NOT_POSITIVE = ("raise", "leave out")
#: From this correlation of frequency and money on, the model's assumption of independence is doubted.
CORRELATED = 0.3


class GammaGamma(ValueModel):
    """Gamma-Gamma: what a purchase of a customer is worth, between the customer's own mean and everybody's.

    The money of a customer's purchases varies around a mean of its own (gamma, shape p); these means differ
    (gamma, q and gamma). Few purchases say little, so a customer's mean is drawn towards the mean of all. The
    model assumes that how much somebody spends a purchase says nothing about how often: see `correlation_`.

    After `fit`: `p_`, `q_`, `gamma_` (money; lifetimes calls it v); `mean_` (money a purchase over all customers,
    infinite if q ≤ 1), `correlation_` (of x and mean_repeat_value among repeat buyers), `left_out_` (customers);
    `parameters_`, `standard_errors_`, `intervals_` (95 %), `log_likelihood_`, `customers_` (repeat buyers), `notes_`.

    Source: Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value"; Colombo & Jiang (1999).

    >>> from crmkit import datasets, lifecycle
    >>> summary = lifecycle.summary(datasets.load("cdnow").transactions, as_of="1997-09-30", unit="weeks")
    >>> model = GammaGamma().fit(summary)
    >>> model
    Gamma-Gamma of 946 customers: p 6.25, q 3.744, gamma 15.44; log-likelihood -4,055.9
    >>> round(model.mean_, 2), round(model.correlation_, 2), model.expected_value(summary).iloc[:2].round(2).tolist()
    (35.17, 0.11, [24.65, 35.17])
    """

    TITLE = "Gamma-Gamma"
    PARAMETERS = ("p", "q", "gamma")
    p_: float
    q_: float
    gamma_: float
    mean_: float
    correlation_: float
    left_out_: int

    def fit(self, summary: pd.DataFrame, *, weights: Any = None, not_positive: str = "raise") -> Self:
        """Learn the parameters from `x` and `mean_repeat_value` of the customers with a repeat purchase.

        A mean of 0 or less (refunds, free goods) has no place in the model: InputError names how many there are,
        and `not_positive="leave out"` fits the others and counts them in `left_out_`. `weights` as in the
        purchase models. Raises InputError for fewer than ten repeat buyers, for missing or infinite means, and for
        a mean without a repeat purchase.
        """
        one_of("not_positive", not_positive, NOT_POSITIVE)
        x, mean = self._read(summary)
        counts, low = weights_of(summary, weights), (x > 0) & (mean <= 0)
        if not_positive == "raise":
            refuse(
                low,
                summary,
                ["x", "mean_repeat_value"],
                "mean_repeat_value is not above 0 (refunds or free goods)",
                'Gamma-Gamma knows only money above 0. Pass not_positive="leave out" to fit the others, or net refunds first.',
            )
        self.left_out_ = round(counts[low].sum())
        used = (x > 0) & ~low & (counts > 0)
        x, mean, counts = x[used], mean[used], counts[used]
        self.customers_ = round(counts.sum())
        if self.customers_ < FEWEST_REPEATERS:
            raise InputError(
                f"{self.customers_:,} customers have a repeat purchase with money above 0; Gamma-Gamma needs "
                f"{FEWEST_REPEATERS} or more. Take a longer period or more customers."
            )
        centre = float((counts * mean).sum() / counts.sum())
        self.correlation_ = _correlation(x, mean, counts)
        score, start = _score(x, mean / centre, counts), (4.0, 4.0, 0.75)
        self._learn(score, start, (1.0, 1.0, centre), -counts.sum() * np.log(centre))
        self.mean_ = self.p_ * self.gamma_ / (self.q_ - 1) if self.q_ > 1 else np.inf
        return self._doubt(self._doubts(mean.max(), centre))

    def expected_value(self, summary: pd.DataFrame) -> pd.Series:
        """What will a purchase of each customer be worth, in the money of the summary?

        A customer without a repeat purchase gets the mean of all. One whose repeat purchases net to 0 or less is
        taken as if they were worth 0: the model has no lower value.
        """
        self._check_fitted()
        x, mean = self._read(summary)
        if self.q_ <= 1 and (self.p_ * x + self.q_ <= 1).any():
            raise InputError(
                f"q is {self.q_:.3g}: with q of 1 or less the mean of all customers is infinite, so nothing can be said of "
                "those without a repeat purchase. Some purchases are far larger than the others: look at the largest."
            )
        money = np.where(x > 0, np.maximum(np.nan_to_num(mean), 0.0), 0.0)
        value = self.p_ * (self.gamma_ + x * money) / (self.p_ * x + self.q_ - 1)
        return pd.Series(value, summary.index, name="expected_value")

    def to_lifetimes(self, summary: pd.DataFrame) -> Any:
        """The same model as lifetimes' GammaGammaFitter, with the repeat buyers of the summary; nothing is fitted again."""
        from lifetimes import GammaGammaFitter

        self._check_fitted()
        x, mean = self._read(summary)
        bought = (x > 0) & (mean > 0)
        fitter = GammaGammaFitter()
        fitter.params_ = pd.Series([self.p_, self.q_, self.gamma_], index=["p", "q", "v"])
        data = {"monetary_value": mean[bought], "frequency": x[bought], "weights": np.ones(bought.sum(), dtype=int)}
        fitter.data = pd.DataFrame(data, index=summary.index[bought])
        fitter._negative_log_likelihood_ = -self.log_likelihood_ / self.customers_
        return fitter

    def _read(self, summary: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        x, mean = numbers(summary, "x", "mean_repeat_value")
        both = ["x", "mean_repeat_value"]
        whole = np.isfinite(x) & (x >= 0) & (x == np.floor(x))
        refuse(~whole, summary, ["x"], "x is not a whole number of 0 or more", "it counts repeat purchase occasions.")
        unknown = (x > 0) & ~np.isfinite(mean)
        refuse(
            unknown,
            summary,
            both,
            "mean_repeat_value is missing or infinite",
            "give the money of the repeat purchases.",
        )
        never = (x == 0) & np.nan_to_num(mean, nan=0.0).astype(bool)
        instead = "money after the first purchase needs a purchase: leave the value missing, or mend x."
        refuse(never, summary, both, "x is 0 but mean_repeat_value is not", instead)
        return x, mean

    def _doubts(self, largest: float, centre: float) -> Iterable[str]:
        if self.left_out_:
            yield f"{self.left_out_:,} customers whose repeat purchases net to 0 or less were left out."
        if self.customers_ < FEW_REPEATERS:
            yield f"only {self.customers_:,} customers bought more than once; the parameters are rough (see intervals_)."
        if abs(self.correlation_) > CORRELATED:
            more, less = ("more", "low") if self.correlation_ > 0 else ("less", "high")
            yield (
                f"frequent buyers spend {more} a purchase (correlation of x and mean_repeat_value {self.correlation_:.2f}), "
                f"which the model takes to be independent: the value of the best customers comes out too {less}. Fit groups "
                "of similar frequency apart, and compare."
            )
        if self.q_ <= 1:
            yield (
                f"q is {self.q_:.3g}, so the mean over all customers is infinite: a few purchases are far larger than the "
                f"rest (the largest mean is {largest:,.2f}, the usual one {centre:,.2f}). Look at them first."
            )
        elif self._undetermined(*self.PARAMETERS):
            values = ", ".join(f"{name} {value:.3g}" for name, value in self.parameters_.items())
            yield (
                f"the parameters are at the edge of what these data can tell ({values}): customers, or the purchases of "
                f"one customer, hardly differ in money. The mean of {self.mean_:,.2f} a purchase is safe."
            )


def _correlation(x: np.ndarray, mean: np.ndarray, counts: np.ndarray) -> float:
    """Pearson's; 0 where one of the two does not vary."""
    share = counts / counts.sum()
    off_x, off_mean = x - share @ x, mean - share @ mean
    spread = np.sqrt((share @ off_x**2) * (share @ off_mean**2))
    return float(share @ (off_x * off_mean) / spread) if spread > 0 else 0.0


def _score(x: np.ndarray, mean: np.ndarray, counts: np.ndarray):
    """Equation (1a) of the paper; only one logarithm a customer depends on the parameters."""
    from scipy.special import digamma, gammaln

    xs, place = np.unique(x, return_inverse=True)
    of_x, total, spent = np.bincount(place, counts), counts.sum(), x * mean
    log_spent, log_mean = np.bincount(place, counts * np.log(spent)), counts @ np.log(mean)

    def score(theta: np.ndarray) -> tuple[float, np.ndarray]:
        p, q, gamma = np.exp(theta)
        log_sum = np.bincount(place, counts * np.log(gamma + spent))
        over = np.bincount(place, counts / (gamma + spent))
        shape = p * xs + q
        value = of_x @ (gammaln(shape) - gammaln(p * xs)) - total * gammaln(q) + total * q * theta[2]
        value += p * (xs @ log_spent) - log_mean - shape @ log_sum
        d_p = xs @ (of_x * (digamma(shape) - digamma(p * xs)) + log_spent - log_sum)
        d_q = of_x @ digamma(shape) - total * digamma(q) + total * theta[2] - log_sum.sum()
        d_gamma = total * q / gamma - shape @ over
        return float(value), np.array([d_p * p, d_q * q, d_gamma * gamma])

    return score
