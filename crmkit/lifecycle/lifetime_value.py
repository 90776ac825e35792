"""What are customers without a contract worth? Purchases expected, money a purchase, discounted in calendar time."""

import math

import numpy as np
import pandas as pd

from crmkit.errors import InputError, KindError, one_of
from crmkit.lifecycle.money_models import GammaGamma
from crmkit.lifecycle.purchase_models import PurchaseModel
from crmkit.periods import DAYS, Horizon

TIMINGS = ("middle", "end")


def customer_lifetime_value(
    purchase_model: PurchaseModel,
    money_model: "GammaGamma | float",
    summary: pd.DataFrame,
    *,
    horizon: "str | Horizon" = "12 months",
    margin: float,
    discount: float = 0.10,
    step: "str | Horizon" = "1 month",
    timing: str = "middle",
    unit: str | None = None,
) -> pd.DataFrame:
    """What will each customer be worth within the horizon, from now on?

    The purchases expected in each step, times the money a purchase, times the margin, discounted at `discount` a
    year. Time is calendar time whatever the unit of the model: a month is a twelfth of a year (30.4375 days), and
    the money of a step counts at its middle. What was spent so far is not in it, and can be more.

    Parameters
    ----------
    purchase_model : a fitted `BetaGeometric`, `ModifiedBetaGeometric` or `ParetoNBD`.
    money_model : a fitted `GammaGamma`, or one sum of money a purchase for everybody.
    summary : one row a customer with `x`, `t_x`, `T` (and `mean_repeat_value` for GammaGamma). A row of
        x = 0, t_x = 0, T = 0 is a customer just won.
    margin : the share of the money that is left after the goods; 1.0 values the turnover.
    step, timing : how finely money is discounted, and from the "middle" or the "end" of a step.

    The month loop of lifetimes' `customer_lifetime_value` is `horizon="360 days"`, `step="30 days"`, `timing="end"`,
    `margin=1`, `discount=1.01 ** (365.25 / 30) - 1` for its defaults: its months have 30 days, so its year has 360.

    Returns
    -------
    DataFrame, index as the summary: `probability_alive`, `expected_purchases` (within the horizon), `expected_value`
    (money a purchase), `clv` (discounted margin). attrs: `horizon`, `discount`, `margin`, and those of the summary.

    Raises InputError for a negative margin, discount or sum of money, and what the models raise.

    >>> from crmkit import datasets, lifecycle
    >>> from crmkit.lifecycle.value import BetaGeometric, GammaGamma
    >>> summary = lifecycle.summary(datasets.load("cdnow").transactions, as_of="1997-09-30", unit="weeks")
    >>> models = BetaGeometric().fit(summary), GammaGamma().fit(summary)
    >>> customer_lifetime_value(*models, summary, margin=0.3, discount=0.10).head(2).round(2)
                 probability_alive  expected_purchases  expected_value    clv
    customer_id
    00004                     0.73                1.56           24.65  11.06
    00018                     1.00                0.25           35.17  2.57
    """
    days, width = Horizon.parse(horizon).days, Horizon.parse(step).days
    one_of("timing", timing, TIMINGS)
    force, margin = _force(discount), _positive(margin, "margin")
    _check_models(purchase_model, money_model)
    x, t_x, age = purchase_model._read(summary, unit)
    value = _money(money_model, summary)
    alive = purchase_model._alive(x, t_x, age)
    ends = np.minimum(width * np.arange(1, math.ceil(days / width * (1 - 1e-12)) + 1), days)
    starts = np.concatenate([[0.0], ends[:-1]])
    moment = ends if timing == "end" else (starts + ends) / 2
    worth = np.exp(-force * moment / DAYS["years"])
    # Σ (E(end) − E(start)) · worth, rearranged so that each E is wanted once
    weights = worth - np.append(worth[1:], 0.0)
    unit_days = DAYS[purchase_model.unit_]
    discounted, total = purchase_model._weighted(x, age, ends / unit_days, weights)
    frame = pd.DataFrame(
        {
            "probability_alive": alive,
            "expected_purchases": alive * total,
            "expected_value": value,
            "clv": margin * value * alive * discounted,
        },
        index=summary.index,
    )
    frame.attrs = {**summary.attrs, "horizon": str(Horizon.parse(horizon)), "discount": discount, "margin": margin}
    return frame


def residual_value(
    purchase_model: PurchaseModel,
    money_model: "GammaGamma | float",
    summary: pd.DataFrame,
    *,
    margin: float,
    discount: float = 0.10,
    unit: str | None = None,
) -> pd.DataFrame:
    """What is each customer worth without an end to the horizon?

    All future purchases, each discounted from its own moment at ln(1 + discount) a year (continuously): the
    discounted expected residual transactions (DERT) of Fader, Hardie & Lee (2005), "RFM and CLV: Using Iso-Value
    Curves for Customer Base Analysis", Journal of Marketing Research 42. In closed form for Pareto/NBD, by numerical
    integration (eight digits) for BG/NBD and MBG/NBD. Far years carry much of it: the lower the discount, the more.

    Parameters as in `customer_lifetime_value`; `discount` must be above 0.

    Returns a DataFrame, index as the summary: `discounted_purchases`, `expected_value`, `residual_value`.

    >>> from crmkit import datasets, lifecycle
    >>> from crmkit.lifecycle.value import GammaGamma, ParetoNBD
    >>> summary = lifecycle.summary(datasets.load("cdnow").transactions, unit="weeks")
    >>> models = ParetoNBD().fit(summary), GammaGamma().fit(summary, not_positive="leave out")
    >>> residual_value(*models, summary, margin=0.3, discount=0.15).head(2).round(2)
                 discounted_purchases  expected_value  residual_value
    customer_id
    00004                        6.39           25.96           49.74
    00018                        0.37           35.81            3.97
    """
    force, margin = _force(discount), _positive(margin, "margin")
    if not force > 0:
        raise InputError("discount=0: the value of all time to come has no limit; give a discount above 0.")
    _check_models(purchase_model, money_model)
    x, t_x, age = purchase_model._read(summary, unit)
    value = _money(money_model, summary)
    purchases = purchase_model._discounted(x, t_x, age, force * DAYS[purchase_model.unit_] / DAYS["years"])
    columns = {"discounted_purchases": purchases, "expected_value": value, "residual_value": margin * value * purchases}
    frame = pd.DataFrame(columns, index=summary.index)
    frame.attrs = {**summary.attrs, "discount": discount, "margin": margin}
    return frame


def _check_models(purchase_model: PurchaseModel, money_model: "GammaGamma | float") -> None:
    if not isinstance(purchase_model, PurchaseModel):
        raise KindError(
            f"purchase_model must be BetaGeometric, ModifiedBetaGeometric or ParetoNBD, not {purchase_model!r}."
        )
    if not isinstance(money_model, GammaGamma):
        _positive(money_model, "money_model")


def _money(money_model: "GammaGamma | float", summary: pd.DataFrame) -> np.ndarray:
    if isinstance(money_model, GammaGamma):
        return money_model.expected_value(summary).to_numpy()
    return np.full(len(summary), float(money_model))


def _positive(value: float, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise KindError(f"{name} must be a number, not {value!r}.")
    if not 0 <= value < np.inf:
        raise InputError(f"{name}={value!r} must be 0 or more.")
    return float(value)


def _force(discount: float) -> float:
    """The rate a year that does continuously what the discount does once a year."""
    if not _positive(discount, "discount") < 1:
        raise InputError(f"discount={discount!r} is a share a year; 10 % is 0.10.")
    return math.log1p(discount)
