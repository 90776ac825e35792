"""Counts by number of purchases: against lifetimes, against each model's own mean, and against simulated customers."""

import numpy as np
import pandas as pd
import pytest

from crmkit import datasets, lifecycle
from crmkit.errors import InputError, KindError

value = lifecycle.value
MODELS = [value.BetaGeometric, value.ModifiedBetaGeometric, value.ParetoNBD]


@pytest.fixture(scope="module")
def music() -> pd.DataFrame:
    return lifecycle.summary(datasets.load("cdnow").transactions, as_of="1997-09-30", unit="weeks")


def test_bg_nbd_is_that_of_lifetimes(music):
    """Another implementation: lifetimes' BetaGeoFitter, equation (8) of Fader, Hardie & Lee (2005)."""
    model = value.BetaGeometric().fit(music)
    found, other = value.frequencies(model, music), model.to_lifetimes(music)
    expected = [sum(other.probability_of_n_purchases_up_to_time(age, n) for age in music["T"]) for n in range(7)]
    assert found.expected.iloc[:7].tolist() == pytest.approx(expected)
    assert found.actual.tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]  # the paper's figure starts with 1,411


@pytest.mark.parametrize("model", MODELS)
def test_the_mean_of_the_counts_is_what_the_model_expects_of_a_new_customer(model, music):
    """A closed form of its own: Σ k · P(X(t) = k) = E[X(t)], for one customer seen for 60 weeks."""
    fitted = model().fit(music)
    one = pd.DataFrame({"x": [0], "t_x": [0.0], "T": [60.0]})
    one.attrs["unit"] = "weeks"
    found = value.frequencies(fitted, one, up_to=400).expected.to_numpy()
    assert found.sum() == pytest.approx(1)
    assert (found >= 0).all()
    assert found @ np.arange(401) == pytest.approx(fitted.expected_new("60 weeks"), rel=1e-4)


@pytest.mark.parametrize("model", MODELS)
def test_simulated_customers_come_as_often(model, music):
    """200,000 customers of the model's own story, 40 weeks each."""
    fitted, random, many = model().fit(music), np.random.default_rng(5), 200_000
    rate = random.gamma(fitted.r_, 1 / fitted.alpha_, many)
    if model is value.ParetoNBD:
        life = random.exponential(1 / random.gamma(fitted.s_, 1 / fitted.beta_, many))
        counts = random.poisson(rate * np.minimum(life, 40))
    else:
        leaves = random.beta(fitted.a_, fitted.b_, many)
        occasions = random.geometric(np.maximum(leaves, 1e-12)) - (model is value.ModifiedBetaGeometric)
        counts = np.minimum(random.poisson(rate * 40), occasions)
    frame = pd.DataFrame({"x": counts, "t_x": np.where(counts > 0, 20.0, 0.0), "T": 40.0})
    frame.attrs["unit"] = "weeks"
    found = value.frequencies(fitted, frame, up_to=6)
    error = (found.actual - found.expected) / np.sqrt(found.expected)
    assert error.abs().max() < 4
    assert found.expected.sum() == pytest.approx(many)


def test_wrong_input_is_named(music):
    model = value.BetaGeometric().fit(music)
    with pytest.raises(InputError, match="up_to=0"):
        value.frequencies(model, music, up_to=0)
    with pytest.raises(InputError, match="in days, the model was fitted in weeks"):
        value.frequencies(model, lifecycle.summary(datasets.load("cdnow").transactions))
    with pytest.raises(InputError, match="call fit"):
        value.frequencies(value.ParetoNBD(), music)
    with pytest.raises(KindError, match="fitted BetaGeometric"):
        value.frequencies(value.GammaGamma(), music)
