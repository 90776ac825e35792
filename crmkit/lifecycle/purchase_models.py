"""How often will a customer without a contract buy again? BG/NBD and MBG/NBD, and what every such model answers."""

from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np
import pandas as pd

from crmkit.errors import InputError
from crmkit.lifecycle.model_fitting import (
    BLOCK,
    FEWEST_REPEATERS,
    Score,
    ValueModel,
    distinct,
    doubts_about_histories,
    histories,
    weights_of,
)
from crmkit.periods import DAYS, Horizon


class PurchaseModel(ValueModel):
    """What BG/NBD, MBG/NBD and Pareto/NBD have in common: how they are fitted, and what they answer.

    While a customer is alive, purchases come by chance at the customer's own rate; rates differ (gamma
    distribution). How a customer leaves, unseen, is what the models differ in.
    """

    unit_: str
    repeaters_: int

    def fit(self, summary: pd.DataFrame, *, weights: Any = None, unit: str | None = None) -> Self:
        """Learn the parameters from a summary (columns `x`, `t_x`, `T`); customers of equal history are taken together.

        `weights`: a column, or one number a row, if a row stands for several customers. `unit`: only if the
        summary lost its attrs. Raises InputError where no fit can be made (fewer than ten repeat buyers, t_x
        above T, x = 0 with t_x, values that are missing, negative or not whole), with counts. What is doubtful
        though possible goes to `notes_` and is warned about (`crmkit.errors.ModelWarning`).
        """
        x, t_x, age, named = histories(summary, unit)
        counts = weights_of(summary, weights)
        customers, repeaters = round(counts.sum()), round(counts[x > 0].sum())
        if repeaters < FEWEST_REPEATERS:
            raise InputError(
                f"{repeaters:,} of {customers:,} customers bought more than once; {self.TITLE} needs {FEWEST_REPEATERS} or "
                "more to tell rare buyers from lost ones. Take a longer period or more customers."
            )
        if not (counts * age).sum() > 0:
            raise InputError("T is 0 for every customer: nobody has been observed for any time; take a later as_of.")
        self.unit_, self.customers_, self.repeaters_ = named, customers, repeaters
        notes = doubts_about_histories(summary, x, t_x, age, named)
        (x, t_x, age), place = distinct(x, t_x, age)
        counts = np.bincount(place, weights=counts)
        clock = (counts * age).sum() / counts.sum()  # so that the search does not see the unit
        rate = (counts * x).sum() / (counts * age).sum() * clock
        score = self._score(x, t_x / clock, age / clock, counts)
        self._learn(score, self._start(rate), self._scale(clock), -(counts * x).sum() * np.log(clock))
        return self._doubt([*notes, *self._doubts()])

    def probability_alive(self, summary: pd.DataFrame, *, unit: str | None = None) -> pd.Series:
        """How likely is it that the customer is still one, at the end of the observation?"""
        x, t_x, age = self._read(summary, unit)
        return pd.Series(self._alive(x, t_x, age), summary.index, name="probability_alive")

    def expected_purchases(
        self, summary: pd.DataFrame, horizon: "str | Horizon", *, unit: str | None = None
    ) -> pd.Series:
        """How many purchase occasions will each customer have in the time after the observation, such as "26 weeks"?

        The horizon is in the unit of the model; another unit raises InputError.
        """
        self._check_fitted()
        ahead = Horizon.parse(horizon).within(self.unit_)
        x, t_x, age = self._read(summary, unit)
        expected = self._alive(x, t_x, age) * self._weighted(x, age, [ahead], [1.0])[0]
        return pd.Series(expected, summary.index, name="expected_purchases")

    def expected_new(self, horizon: "str | Horizon") -> float:
        """How often will a customer who has just bought for the first time buy again within this time, on average?"""
        self._check_fitted()
        return float(self._new(np.array([Horizon.parse(horizon).within(self.unit_)]))[0])

    def _read(self, summary: pd.DataFrame, unit: str | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        self._check_fitted()
        x, t_x, age, found = histories(summary, unit)
        if found != self.unit_:
            raise InputError(
                f"the summary is in {found}, the model was fitted in {self.unit_}; make both with one unit, "
                f'lifecycle.summary(…, unit="{self.unit_}").'
            )
        return x, t_x, age

    def _new(self, times: np.ndarray) -> np.ndarray:
        nobody = np.zeros_like(times)
        return self._alive(nobody, nobody, nobody) * self._while_alive(nobody, nobody, times)

    def _weighted(
        self, x: np.ndarray, age: np.ndarray, times: Iterable[float], weights: Iterable[float]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Σ weight · E(time) of those who are alive, and E at the last time: once for every (x, T) that occurs."""
        (some_x, some_age), place = distinct(x, age)
        total = np.zeros_like(some_age)
        for time, weight in zip(times, weights, strict=True):
            expected = self._while_alive(some_x, some_age, np.full_like(some_age, time))
            total += weight * expected
        return total[place], expected[place]

    def _discounted(self, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, force: float) -> np.ndarray:
        """All future purchases, each discounted at `force` a unit of time: ∫ force · exp(−force·t) · E(t) dt.

        Taken over log t with equal steps, where the rule of trapezoids is exact to eight digits.
        """
        steps = np.arange(-14, 3.9, 0.4)
        total, _ = self._weighted(x, age, np.exp(steps) / force, np.exp(steps - np.exp(steps)) * 0.4)
        return self._alive(x, t_x, age) * total

    def _about(self) -> str:
        return f"{self.customers_:,} customers, {self.repeaters_:,} of them repeat buyers, in {self.unit_}"

    def _doubts_about_rates(self, alpha: float, r: float) -> Iterable[str]:
        if self._undetermined("r", "alpha"):
            month = r / alpha * DAYS["months"] / DAYS[self.unit_]
            yield (
                f"r and alpha are at the edge of what these data can tell (r {r:.3g}, alpha {alpha:.3g}): "
                f"{how_they_differ(r > 10)} in how often they buy. Their quotient, {month:.3g} purchases a month, is safer "
                "than each alone."
            )

    # what a model must say
    _score: Callable
    _alive: Callable
    _while_alive: Callable
    _doubts: Callable

    @staticmethod
    def _start(rate: float) -> tuple[float, ...]:
        raise NotImplementedError

    @staticmethod
    def _scale(clock: float) -> tuple[float, ...]:
        raise NotImplementedError

    def _as_lifetimes(self, fitter: Any, summary: pd.DataFrame, simulate: Callable) -> Any:
        """Parameters, data and what lifetimes' plots ask a fitter for."""
        x, t_x, age = self._read(summary, None)
        fitter.params_ = self.parameters_.rename_axis(None).rename(None)
        data = {"frequency": x.astype(int), "recency": t_x, "T": age, "weights": np.ones(len(x), dtype=int)}
        fitter.data = pd.DataFrame(data, index=summary.index)
        fitter._negative_log_likelihood_ = -self.log_likelihood_ / self.customers_
        fitter.standard_errors_ = self.standard_errors_.rename_axis(None).rename(None)
        fitter.predict = fitter.conditional_expected_number_of_purchases_up_to_time
        fitter.generate_new_data = lambda size=1: simulate(age, *self.parameters_, size=size)
        return fitter


def how_they_differ(little: bool) -> str:
    return "customers hardly differ" if little else "the data are too few to say how customers differ"


class BetaGeometric(PurchaseModel):
    """BG/NBD: how often a customer buys again, if each repeat purchase may have been the last.

    After every repeat purchase a customer leaves with a probability of its own (beta distribution a, b);
    the rates of purchase follow a gamma distribution (r, alpha). A customer without a repeat purchase has
    had no occasion to leave, so its probability of being alive is 1: see `ModifiedBetaGeometric`.

    After `fit`: `r_`, `alpha_` (in time units), `a_`, `b_`; `parameters_`, `standard_errors_` (delta method on the
    log scale), `intervals_` (95 %), `log_likelihood_`, `unit_`, `customers_`, `repeaters_`, `notes_`.

    Source: Fader, Hardie & Lee (2005), "Counting Your Customers the Easy Way", Marketing Science 24(2).

    >>> from crmkit import datasets, lifecycle
    >>> summary = lifecycle.summary(datasets.load("cdnow").transactions, as_of="1997-09-30", unit="weeks")
    >>> model = BetaGeometric().fit(summary)
    >>> model
    BG/NBD of 2,357 customers, 946 of them repeat buyers, in weeks: r 0.2426, alpha 4.414, a 0.7929, b 2.426; ...
    >>> model.expected_purchases(summary, "39 weeks").sum().round(), round(model.expected_new("52 weeks"), 2)
    (np.float64(1653.0), 1.44)
    """

    TITLE = "BG/NBD"
    PARAMETERS = ("r", "alpha", "a", "b")
    r_: float
    alpha_: float
    a_: float
    b_: float
    #: 1 if a customer may leave right after the first purchase, so that there is one more occasion to leave.
    _occasions = 0

    @staticmethod
    def _start(rate: float) -> tuple[float, ...]:
        return 0.5, 0.5 / rate, 1.0, 3.0

    @staticmethod
    def _scale(clock: float) -> tuple[float, ...]:
        return 1.0, clock, 1.0, 1.0

    def _score(self, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, counts: np.ndarray) -> Score:
        """Equation (3) of the paper; logarithms are taken once for each x, t_x and T that occurs."""
        from scipy.special import digamma, gammaln

        (age_place, ages), (x_place, xs) = pd.factorize(age), pd.factorize(x)
        customers, purchases = np.bincount(age_place, counts), np.bincount(age_place, counts * x)
        of_x, total = np.bincount(x_place, counts), counts.sum()
        may_be_gone = (x > 0) | (self._occasions == 1)  # the others cannot have left: one term less
        time_place, times = pd.factorize(t_x[may_be_gone])
        n, x_place, age_place = counts[may_be_gone], x_place[may_be_gone], age_place[may_be_gone]
        before, occasions = np.maximum(xs - 1 + self._occasions, 0), xs + self._occasions

        def score(theta: np.ndarray) -> tuple[float, np.ndarray]:
            r, alpha, a, b = np.exp(theta)
            log_age, log_time = np.log(alpha + ages), np.log(alpha + times)
            by_age, by_time, by_before = 1 / (alpha + ages), 1 / (alpha + times), 1 / (b + before)
            powers, odds = r + xs, np.log(a) - np.log(b + before)
            once = gammaln(r + xs) - gammaln(r) + r * theta[1]
            once += gammaln(a + b) - gammaln(b) + gammaln(b + occasions) - gammaln(a + b + occasions)
            both = digamma(a + b) - digamma(a + b + occasions)
            value = of_x @ once - r * (customers @ log_age) - purchases @ log_age
            d_r = of_x @ (digamma(r + xs) - digamma(r)) + total * theta[1] - customers @ log_age
            d_alpha = total * r / alpha - (r * customers + purchases) @ by_age
            d_a, d_b = of_x @ both, of_x @ (both + digamma(b + occasions) - digamma(b))
            for start in range(0, len(n), BLOCK):
                here = slice(start, start + BLOCK)
                in_age, in_time, in_x = age_place[here], time_place[here], x_place[here]
                silence, power = log_age[in_age] - log_time[in_time], powers[in_x]
                gone = power * silence + odds[in_x]  # log of: having left against being alive
                small = np.exp(-np.abs(gone))
                value += n[here] @ (np.log1p(small) + np.maximum(gone, 0))
                share = n[here] * np.where(gone > 0, 1, small) / (1 + small)
                d_r += share @ silence
                d_alpha += (share * power) @ (by_age[in_age] - by_time[in_time])
                d_a += share.sum() / a
                d_b -= share @ by_before[in_x]
            return float(value), np.array([d_r * r, d_alpha * alpha, d_a * a, d_b * b])

        return score

    def _alive(self, x: np.ndarray, t_x: np.ndarray, age: np.ndarray) -> np.ndarray:
        from scipy.special import expit

        r, alpha, a, b = self.parameters_
        before = np.maximum(x - 1 + self._occasions, 0)
        gone = (r + x) * np.log((alpha + age) / (alpha + t_x)) + np.log(a) - np.log(b + before)
        return np.where((x > 0) | (self._occasions == 1), expit(-gone), 1.0)

    def _while_alive(self, x: np.ndarray, age: np.ndarray, time: np.ndarray) -> np.ndarray:
        """Equation (10) of the paper without its denominator, which is one over the probability of being alive.

        Euler's transformation of the hypergeometric function leaves no term that overflows for frequent buyers.
        """
        from scipy.special import hyp2f1

        r, alpha, a, b = self.parameters_
        c, z = a + b + x - 1 + self._occasions, time / (alpha + age + time)
        with np.errstate(all="ignore"):
            function = hyp2f1(a - 1, c - x - r, c, z)
            expected = c / (1 - a) * (np.exp((a - 1) * np.log1p(-z)) * function - 1)
        odd = ~np.isfinite(expected) if abs(a - 1) > 1e-7 else np.ones(len(x), dtype=bool)  # 0/0 at a = 1
        if odd.any():  # scipy has no value for a time far beyond the age where b is large
            expected[odd] = self._over_chances(x[odd], age[odd], time[odd])
        return expected

    def _over_chances(self, x: np.ndarray, age: np.ndarray, time: np.ndarray) -> np.ndarray:
        """The same as the mean of (1 − (1 + p·t/(alpha+T))^−(r+x)) / p over the chance p to leave, Beta(a, b+x).

        Equal steps of log p / (1 − p); below the first, where the mean hardly depends on p, in closed form.
        """
        from scipy.special import expit, log_expit

        r, alpha, a, b = self.parameters_
        often, lost = time / (alpha + age), b + x + self._occasions
        first = -36 - np.log1p((often * (r + x)).max()) - np.log(1 + lost.max())
        step = 0.25 * min(1.0, np.sqrt(1 / a + 1 / lost.max()))  # a quarter of how widely p varies
        # what lies below, without what the rule of trapezoids takes too much at its first step (Euler and Maclaurin)
        mass = np.exp(a * first) * (1 / a - step / 2 + a * step**2 / 12)
        total = mass * often * (r + x)
        for odds in np.arange(first, 40 + 40 / lost.min(), step):
            chance, weight = expit(odds), step * np.exp(a * log_expit(odds) + lost * log_expit(-odds))
            total = total - weight * np.expm1(-(r + x) * np.log1p(chance * often)) / chance
            mass = mass + weight
        return total / mass

    def _doubts(self) -> Iterable[str]:
        yield from self._doubts_about_rates(self.alpha_, self.r_)
        if self._undetermined("a", "b"):
            share = self.a_ / (self.a_ + self.b_)
            what = f"{how_they_differ(self.a_ + self.b_ > 20)} in it"
            what = "there is hardly a sign that anybody leaves" if share < 0.01 else what
            yield (
                f"a and b are at the edge of what these data can tell (a {self.a_:.3g}, b {self.b_:.3g}): a customer leaves "
                f"after a purchase with a chance of about {share:.1%}, and {what}. Take a longer period before relying "
                "on each of them."
            )

    def to_lifetimes(self, summary: pd.DataFrame) -> Any:
        """The same model as a fitter of the lifetimes package, for those who know its plots; nothing is fitted again."""
        from lifetimes import BetaGeoFitter
        from lifetimes.generate_data import beta_geometric_nbd_model

        return self._as_lifetimes(BetaGeoFitter(), summary, beta_geometric_nbd_model)


class ModifiedBetaGeometric(BetaGeometric):
    """MBG/NBD: as BG/NBD, but a customer may leave right after the first purchase too.

    So one-time buyers are not all alive: the model to take where most customers never come back. The same
    likelihood was found by Hoppe & Wagner (2007), who call it CBG/NBD. Attributes as in `BetaGeometric`.

    Source: Batislam, Denizel & Filiztekin (2007), "Empirical validation and comparison of models for customer
    base analysis", International Journal of Research in Marketing 24(3), with the erratum of Wagner & Hoppe (2008).

    >>> from crmkit import datasets, lifecycle
    >>> summary = lifecycle.summary(datasets.load("cdnow").transactions, as_of="1997-09-30", unit="weeks")
    >>> model = ModifiedBetaGeometric().fit(summary)
    >>> model.parameters_.round(3).tolist()
    [0.525, 6.183, 0.891, 1.614]
    >>> alive = model.probability_alive(summary)
    >>> alive[summary.x == 0].max().round(2)
    np.float64(0.43)
    """

    TITLE = "MBG/NBD"
    _occasions = 1

    def to_lifetimes(self, summary: pd.DataFrame) -> Any:
        """The same model as lifetimes' ModifiedBetaGeoFitter; nothing is fitted again."""
        from lifetimes import ModifiedBetaGeoFitter
        from lifetimes.generate_data import modified_beta_geometric_nbd_model

        return self._as_lifetimes(ModifiedBetaGeoFitter(), summary, modified_beta_geometric_nbd_model)
