"""How long do customers with a contract stay, and what are they worth? Shifted beta-geometric; the simple and the cohort way."""

from collections.abc import Iterable
from typing import Any, Self

import numpy as np
import pandas as pd

from crmkit.errors import InputError, KindError, in_range
from crmkit.lifecycle.model_fitting import ValueModel
from crmkit.periods import DAYS, Horizon


class ShiftedBetaGeometric(ValueModel):
    """Shifted beta-geometric: how many of a cohort are still there after each renewal, and after those to come.

    At each renewal a customer leaves with a chance of its own, always the same (beta distribution alpha, beta).
    Those with a high chance leave first, so the retention rate of a cohort rises though nobody changes.

    After `fit`: `alpha_`, `beta_`, `period_` (the length of a contract), `expected_lifetime` (periods paid, the first
    included; infinite if alpha ≤ 1); `parameters_`, `standard_errors_`, `intervals_` (95 %), `log_likelihood_`,
    `customers_`, `notes_`.

    Source: Fader & Hardie (2007), "How to project customer retention", Journal of Interactive Marketing 21(1).

    >>> high_end = [1000, 869, 743, 653, 593, 551, 517, 491]
    >>> model = ShiftedBetaGeometric().fit(high_end, period="1 year")
    >>> model
    shifted beta-geometric of 1,000 customers, 1 year a period: alpha 0.6681, beta 3.806; log-likelihood -1,611.2
    >>> model.survival(12).iloc[-1].round(2), model.retention_rate(2).round(3).tolist()
    (np.float64(0.38), [0.851, 0.878])
    >>> round(model.residual_lifetime(renewals=4, discount=0.10), 2)
    6.9
    """

    TITLE = "shifted beta-geometric"
    PARAMETERS = ("alpha", "beta")
    alpha_: float
    beta_: float
    period_: Horizon

    def fit(self, survivors: Any, *, period: "str | Horizon | None" = None) -> Self:
        """Learn from how many customers of a cohort are there after 0, 1, 2 … renewals.

        `survivors`: a list or Series of counts, or a frame with a row a cohort and a column a period (missing where
        not yet seen). `period`: the length of a contract, such as "1 month", unless the frame's attrs have it. Raises
        InputError for shares instead of counts, a rising count, fewer than two renewals, or if nobody left.
        """
        table, self.period_ = _cohorts(survivors), _period(survivors, period)
        before, after = table[:, :-1], table[:, 1:]
        seen = np.isfinite(before) & np.isfinite(after)
        kept = np.where(seen, after, 0.0).sum(axis=0)
        lost = np.where(seen, before, 0.0).sum(axis=0) - kept
        renewals = np.arange(1, len(kept) + 1)
        if (kept + lost > 0).sum() < 2:
            raise InputError(
                f"{int((kept + lost > 0).sum())} renewal was observed; the model needs two or more to tell whether retention rises."
            )
        if not lost.sum() > 0 or not kept.sum() > 0:
            what = "nobody left" if kept.sum() > 0 else "everybody left at the first renewal"
            raise InputError(f"{what} among {int((kept + lost).sum()):,} renewals: there is nothing to project. Wait.")
        self.customers_ = round(np.nansum(table[:, 0]))

        def score(theta: np.ndarray) -> tuple[float, np.ndarray]:
            alpha, beta = np.exp(theta)
            stay, either = beta + renewals - 1, alpha + beta + renewals - 1
            value = kept @ np.log(stay) + lost.sum() * theta[0] - (kept + lost) @ np.log(either)
            shrink = (kept + lost) @ (1 / either)
            return float(value), np.array([lost.sum() - shrink * alpha, (kept @ (1 / stay) - shrink) * beta])

        self._learn(score, (1.0, max(kept.sum() / lost.sum(), 0.1)), (1.0, 1.0))
        return self._doubt(self._doubts(lost.sum()))

    def survival(self, periods: int) -> pd.Series:
        """What share of a cohort is still there after 0, 1 … `periods` renewals?"""
        rates = self.retention_rate(periods).to_numpy()
        index = pd.RangeIndex(periods + 1, name="renewals")
        return pd.Series(np.concatenate([[1.0], np.cumprod(rates)]), index, name="survival")

    def retention_rate(self, periods: int) -> pd.Series:
        """What share of those who could renew for the 1st, 2nd … time does so?"""
        self._check_fitted()
        in_range("periods", periods, 1, what="a whole number of renewals")
        index = pd.RangeIndex(1, periods + 1, name="renewals")
        stay = self.beta_ + index.to_numpy() - 1
        return pd.Series(stay / (self.alpha_ + stay), index, name="retention_rate")

    @property
    def expected_lifetime(self) -> float:
        """Periods that a new customer will pay for, on average, the first included; infinite if alpha is 1 or less."""
        self._check_fitted()
        return (self.alpha_ + self.beta_ - 1) / (self.alpha_ - 1) if self.alpha_ > 1 else np.inf

    def residual_lifetime(self, renewals: int, *, discount: float = 0.10) -> float:
        """How many more periods will a customer pay who renewed so often and decides again now, as of today?

        Each later period is discounted at `discount` a year, a renewal now is not (DERL: Fader & Hardie 2010,
        "Customer-Base Valuation in a Contractual Setting", Marketing Science 29(1), equation 6). A newly won
        customer has 0 renewals; a period's margin times this is what the customer is worth.
        """
        from scipy.special import hyp2f1

        self._check_fitted()
        in_range("renewals", renewals, 0, what="a whole number")
        later = 1 / (1 + _rate(discount, self.period_))
        if later == 1 and self.alpha_ <= 1:
            return np.inf
        stay = self.beta_ + renewals
        return float(stay / (self.alpha_ + stay) * hyp2f1(1, stay + 1, self.alpha_ + stay + 1, later))

    def _about(self) -> str:
        return f"{self.customers_:,} customers, {self.period_} a period"

    def _doubts(self, left: float) -> Iterable[str]:
        if self.customers_ < 100 or left < 30:
            yield f"only {int(left):,} of {self.customers_:,} customers left so far; the projection is rough (see intervals_)."
        elif self._undetermined("alpha", "beta"):
            yield (
                f"alpha and beta are at the edge of what these data can tell (alpha {self.alpha_:.3g}, beta {self.beta_:.3g}): "
                f"customers hardly differ, retention stays near {self.beta_ / (self.alpha_ + self.beta_):.1%}."
            )


def simple_value(*, margin_per_period: float, retention: float, discount: float) -> float:
    """What is a customer worth who stays each period with the same chance? margin × r / (1 + d − r).

    The margin (money a period) is earned first after one renewal; `retention` and `discount` are per period too.
    Everybody is taken to be alike, for ever: a cohort whose retention rises is worth more than this says.

    Raises InputError for a retention outside 0 to 1, a negative discount, or a value without limit.

    >>> round(simple_value(margin_per_period=50, retention=0.8, discount=0.1), 2)
    133.33
    """
    _check_number(margin_per_period, "margin_per_period")
    if not 0 <= _check_number(retention, "retention") <= 1:
        raise InputError(f"retention={retention!r} must lie between 0 and 1; 80 % is 0.8.")
    if not 0 <= _check_number(discount, "discount") < 1:
        raise InputError(f"discount={discount!r} must lie between 0 and 1; 10 % is 0.1.")
    if retention == 1 and discount == 0:
        raise InputError(
            "retention=1 and discount=0: customers who never leave are worth an infinite sum; give a discount."
        )
    return float(margin_per_period * retention / (1 + discount - retention))


def cohort_value(
    survivors: Any, *, margin_per_period: float, discount: float = 0.10, period: "str | Horizon | None" = None
) -> pd.DataFrame:
    """What was a customer of these cohorts worth up to now, counted and not projected?

    `survivors` and `period` as in `ShiftedBetaGeometric.fit`. Cohorts are chained: the retention of a renewal is
    that of all cohorts seen at it. The first period's margin is earned at once, each later one discounted at
    `discount` a year.

    Returns a frame by `period` (0 is the first): `customers` (of the cohorts seen so long), `share` (still there),
    `value` (of this period, a customer won) and `cumulative`.

    >>> cohort_value([100, 80, 70], margin_per_period=50, discount=0.10, period="1 year").round(2)
            customers  share  value  cumulative
    period
    0             100    1.0  50.00       50.00
    1              80    0.8  36.36       86.36
    2              70    0.7  28.93      115.29
    """
    table, length = _cohorts(survivors), _period(survivors, period)
    _check_number(margin_per_period, "margin_per_period")
    before, after = table[:, :-1], table[:, 1:]
    seen = np.isfinite(before) & np.isfinite(after)
    base = np.where(seen, before, 0.0).sum(axis=0)
    kept = np.divide(np.where(seen, after, 0.0).sum(axis=0), base, out=np.zeros_like(base), where=base > 0)
    share = np.concatenate([[1.0], np.cumprod(kept)])
    value = margin_per_period * share / (1 + _rate(discount, length)) ** np.arange(len(share))
    columns = {"customers": np.nansum(table, axis=0).astype(int), "share": share, "value": value}
    frame = pd.DataFrame(columns, index=pd.RangeIndex(len(share), name="period"))
    frame["cumulative"] = frame["value"].cumsum()
    frame.attrs = {"period": str(length), "discount": discount}
    return frame


def _cohorts(survivors: Any) -> np.ndarray:
    """Customers still there, a row a cohort and a column a period; whole numbers that never rise."""
    try:
        table = np.atleast_2d(np.asarray(survivors, dtype=float))
    except (TypeError, ValueError) as error:
        raise KindError(f"survivors must be counts of customers, not {type(survivors).__name__}: {error}.") from None
    if table.ndim != 2 or table.shape[1] < 2:
        raise InputError(f"survivors has the shape {np.shape(survivors)}; give the customers after 0, 1, 2 … renewals.")
    gone = np.isnan(table)
    holes = gone[:, :-1] & ~gone[:, 1:]
    if holes.any() or gone[:, 0].any():
        row, column = np.argwhere(holes | gone[:, :1])[0]
        raise InputError(
            f"survivors of cohort {row} are missing at renewal {column}, but known later; only the end may be."
        )
    odd = ~gone & ((table != np.floor(table)) | (table < 0) | ~np.isfinite(table))
    if odd.any():
        raise InputError(
            f"survivors must be whole numbers of customers; {int(odd.sum()):,} are not, such as {table[odd][0]:g}. "
            "Shares say nothing about how sure they are: give the counts."
        )
    rises = np.argwhere(table[:, 1:] > table[:, :-1])
    if len(rises):
        row, column = rises[0]
        raise InputError(
            f"survivors rise from {table[row, column]:g} to {table[row, column + 1]:g} at renewal {column + 1} of cohort "
            f"{row}; who came later or came back is no survivor: {len(rises):,} such places."
        )
    if not (table[:, 0] > 0).any():
        raise InputError("survivors start with 0 customers; there is nobody to follow.")
    return table


def _period(survivors: Any, period: "str | Horizon | None") -> Horizon:
    named = period if period is not None else getattr(survivors, "attrs", {}).get("period")
    if named is None:
        raise InputError('the survivors do not say how long a period is; pass period="1 month" or "1 year".')
    return Horizon.parse(named)


def _rate(discount: float, period: Horizon) -> float:
    """The discount of a period, from the discount of a year."""
    if not 0 <= _check_number(discount, "discount") < 1:
        raise InputError(f"discount={discount!r} is for a year and must lie between 0 and 1; 10 % is 0.1.")
    return (1 + discount) ** (period.days / DAYS["years"]) - 1


def _check_number(value: float, name: str) -> float:
    if isinstance(value, bool | str) or not np.isscalar(value):
        raise KindError(f"{name} must be a number, not {value!r}.")
    if not np.isfinite(value):
        raise InputError(f"{name}={value!r} must be a finite number.")
    return value
