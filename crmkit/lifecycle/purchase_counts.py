"""Does a purchase model know how many customers buy never again, once, twice? Counts actual and expected."""

import numpy as np
import pandas as pd

from crmkit.errors import InputError, KindError, in_range
from crmkit.lifecycle.model_fitting import distinct, histories
from crmkit.lifecycle.pareto_nbd import ParetoNBD
from crmkit.lifecycle.purchase_models import BetaGeometric, PurchaseModel


def frequencies(model: PurchaseModel, summary: pd.DataFrame, *, up_to: int = 7) -> pd.DataFrame:
    """How many customers should have 0, 1, 2 … repeat purchases by the model, and how many have?

    Each customer is expected to have k of them with P(X(T) = k), the model's probability for the time T that this
    customer was observed. On the data of the fit this is a necessary test, and not a sufficient one.

    Parameters
    ----------
    model : a fitted purchase model; summary : one row a customer with `x`, `t_x`, `T`, in the model's unit.
    up_to : customers with so many or more are taken together.

    Returns
    -------
    DataFrame, index `repeat_purchases` ("0", "1", … "7+"): `actual` and `expected` customers, of the same sum.

    Raises KindError for another kind of model, InputError for an `up_to` below 1 or another unit.

    Source: Fader, Hardie & Lee (2005), Marketing Science 24(2), equation (8), and the histogram that follows from it;
    MBG/NBD likewise with one more occasion to leave; Pareto/NBD integrated over the time of leaving.

    >>> from crmkit import datasets, lifecycle
    >>> summary = lifecycle.summary(datasets.load("cdnow").transactions, as_of="1997-09-30", unit="weeks")
    >>> frequencies(BetaGeometric().fit(summary), summary, up_to=3).round(0)
                      actual  expected
    repeat_purchases
    0                   1411    1408.0
    1                    439     460.0
    2                    214     192.0
    3+                   293     297.0
    """
    if not isinstance(model, BetaGeometric | ParetoNBD):
        raise KindError(f"a fitted BetaGeometric, ModifiedBetaGeometric or ParetoNBD is needed, not {model!r:.40}.")
    in_range("up_to", up_to, 1, what="a whole number")
    model._check_fitted()
    x, _, age, unit = histories(summary, None)
    if unit != model.unit_:
        raise InputError(f"the summary is in {unit}, the model was fitted in {model.unit_}; make both with one unit.")
    (ages,), place = distinct(age)
    counts = np.bincount(place, minlength=len(ages))
    chances = (_with_pareto if isinstance(model, ParetoNBD) else _with_coins)(model, np.arange(up_to), ages)
    expected = counts @ chances
    index = pd.Index([*map(str, range(up_to)), f"{up_to}+"], name="repeat_purchases")
    actual = np.bincount(np.minimum(x, up_to).astype(int), minlength=up_to + 1)
    rest = max(len(x) - expected.sum(), 0.0)
    return pd.DataFrame({"actual": actual, "expected": [*expected, rest]}, index)


def _negative_binomial(r: float, alpha: float, counts: np.ndarray, times: np.ndarray) -> np.ndarray:
    """P(so many purchases of somebody who stays), a row a time and a column a count."""
    from scipy.stats import nbinom

    return nbinom.pmf(counts, r, (alpha / (alpha + times))[..., None])


def _with_coins(model: BetaGeometric, counts: np.ndarray, ages: np.ndarray) -> np.ndarray:
    """Stayed at every occasion and bought k times; or left at the last of k purchases, whenever the next would have come."""
    from scipy.special import betaln

    r, alpha, a, b = model.parameters_
    occasions = counts + model._occasions
    stayed = np.exp(betaln(a, b + occasions) - betaln(a, b))
    left = np.where(occasions > 0, np.exp(betaln(a + 1, b + np.maximum(occasions, 1) - 1) - betaln(a, b)), 0.0)
    buys = _negative_binomial(r, alpha, counts, ages)
    at_least = 1 - (np.cumsum(buys, axis=1) - buys)
    return stayed * buys + left * at_least


def _with_pareto(model: ParetoNBD, counts: np.ndarray, ages: np.ndarray) -> np.ndarray:
    """Stayed to the end and bought k times; or left at some time before it, having bought k times until then.

    Gauss and Legendre's rule over u = (beta / (beta + time)) ** s, which is even between 0 and 1.
    """
    r, alpha, s, beta = model.parameters_
    nodes, weights = np.polynomial.legendre.leggauss(60)
    alive = (beta / (beta + ages)) ** s
    chance = alive[:, None] + (1 - alive[:, None]) * (nodes + 1) / 2
    time = beta * (chance ** (-1 / s) - 1)
    gone = np.einsum("tnk,n->tk", _negative_binomial(r, alpha, counts, time), weights / 2) * (1 - alive[:, None])
    return alive[:, None] * _negative_binomial(r, alpha, counts, ages) + gone
