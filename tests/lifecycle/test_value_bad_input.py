"""Each table that a value model cannot take gets an answer: what is wrong, how often, what to do."""

import warnings

import numpy as np
import pandas as pd
import pytest

from crmkit.errors import ColumnError, InputError, KindError, ModelWarning
from crmkit.lifecycle.value import BetaGeometric, GammaGamma, ModifiedBetaGeometric, ParetoNBD

PURCHASES = [BetaGeometric, ModifiedBetaGeometric, ParetoNBD]


@pytest.fixture(scope="module")
def good() -> pd.DataFrame:
    """3,000 customers of a BG/NBD world, 20 to 60 weeks."""
    random = np.random.default_rng(11)
    rate, chance, age = random.gamma(0.8, 1 / 4, 3000), random.beta(0.8, 2.5, 3000), random.uniform(20, 60, 3000)
    x, t_x, now, alive = np.zeros(3000), np.zeros(3000), np.zeros(3000), np.ones(3000, dtype=bool)
    while alive.any():
        now += random.exponential(1 / np.maximum(rate, 1e-12))
        alive &= now <= age
        x[alive], t_x[alive] = x[alive] + 1, now[alive]
        alive &= random.random(3000) > chance
    mean = random.gamma(4 * np.maximum(x, 1), 1 / (random.gamma(4, 1 / 20, 3000) * np.maximum(x, 1)))
    frame = pd.DataFrame({"x": x, "t_x": t_x, "T": age, "mean_repeat_value": np.where(x > 0, mean, np.nan)})
    frame.index = [f"customer {number}" for number in range(3000)]
    frame.attrs["unit"] = "weeks"
    return frame


def spoilt(good: pd.DataFrame, column: str, value: object, rows: int = 2, where: object = None) -> pd.DataFrame:
    frame = good.copy()
    chosen = frame.index[:rows] if where is None else frame.index[where][:rows]
    frame.loc[chosen, column] = value
    return frame


@pytest.mark.parametrize("kind", PURCHASES)
@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("x", 1.5, r"x is not a whole number for 2 of 3,000 customers, the first of them 'customer 0' \(x 1.5\)"),
        ("x", -1, "x is negative for 2 of 3,000"),
        ("x", np.nan, "x is missing or infinite for 2 of 3,000"),
        ("t_x", np.nan, "t_x is missing or infinite for 2 of 3,000"),
        ("T", np.inf, "T is missing or infinite for 2 of 3,000"),
        ("T", -3.0, "T is negative for 2 of 3,000"),
        ("t_x", 99.0, r"t_x is larger than T for 2 of 3,000 customers, the first of them 'customer 0' \(t_x 99.0, T"),
    ],
)
def test_histories_that_cannot_be_are_refused(kind, column, value, message, good):
    bad = spoilt(good, column, value)
    with pytest.raises(InputError, match=message):
        kind().fit(bad)


def test_the_days_since_the_last_order_are_not_taken_for_t_x(good):
    """x = 0 with t_x: the commonest mistake, recency with two meanings."""
    bad = spoilt(good, "t_x", 3.0, rows=5, where=good.x == 0)
    with pytest.raises(InputError, match=r"x is 0 but t_x is not for 5 of 3,000.*not the days since the last order"):
        BetaGeometric().fit(bad)
    with pytest.raises(InputError, match="x is 0 but t_x is not for 5"):
        BetaGeometric().fit(good).expected_purchases(bad, "4 weeks")


@pytest.mark.parametrize("kind", PURCHASES)
def test_customers_of_the_last_day_are_taken_and_told(kind, good):
    """T = 0: they tell nothing yet, and have an expectation all the same."""
    new = pd.DataFrame({"x": 0.0, "t_x": 0.0, "T": 0.0}, index=[f"new {number}" for number in range(1000)])
    both = pd.concat([good[["x", "t_x", "T"]], new])
    both.attrs["unit"] = "weeks"
    with pytest.warns(ModelWarning, match="1,000 of 4,000 customers came on the last day"):
        model = kind().fit(both)
    without = kind().fit(good)
    if kind is not ModifiedBetaGeometric:  # where a new customer's place among those who leave at once counts
        assert np.allclose(model.parameters_, without.parameters_, rtol=1e-6)
    assert model.expected_purchases(both, "10 weeks").iloc[-1] == pytest.approx(model.expected_new("10 weeks"))
    with pytest.raises(InputError, match="T is 0 for every customer"):
        kind().fit(pd.DataFrame({"x": [1] * 20, "t_x": [0] * 20, "T": [0] * 20}), unit="days")


@pytest.mark.parametrize("kind", PURCHASES)
def test_without_repeat_buyers_there_is_nothing_to_learn(kind, good):
    with pytest.raises(InputError, match=rf"0 of [\d,]+ customers bought more than once; {kind.TITLE} needs 10"):
        kind().fit(good[good.x == 0])
    with pytest.raises(InputError, match="1 of 1 customers bought more than once"):
        kind().fit(good[good.x > 0].head(1))
    with pytest.warns(ModelWarning, match="only 40 customers bought more than once"):
        model = kind().fit(pd.concat([good[good.x > 0].head(40), good[good.x == 0].head(60)]), unit="weeks")
    assert any("40" in note for note in model.notes_)
    assert "only 40 customers" in repr(model)


def test_a_model_asked_for_another_unit_refuses(good):
    model = BetaGeometric().fit(good)
    with pytest.raises(InputError, match="the horizon is in months but the table is in weeks"):
        model.expected_purchases(good, "6 months")
    with pytest.raises(InputError, match="the horizon is in days"):
        model.expected_new("6 days")
    days = good.copy()
    days.attrs["unit"] = "days"
    with pytest.raises(InputError, match="the summary is in days, the model was fitted in weeks"):
        model.probability_alive(days)
    with pytest.raises(InputError, match="leave unit away"):
        BetaGeometric().fit(good, unit="days")
    lost = good.copy()
    lost.attrs = {}
    with pytest.raises(InputError, match="merge, join and concat"):
        BetaGeometric().fit(lost)
    assert np.allclose(BetaGeometric().fit(lost, unit="weeks").parameters_, model.parameters_)
    assert model.expected_purchases(lost, "6 weeks", unit="weeks").sum() > 0
    with pytest.raises(InputError, match="is not a unit of time"):
        BetaGeometric().fit(lost, unit="fortnights")


def test_ages_that_are_too_coarse_are_told(good):
    years = good.assign(t_x=np.floor(good.t_x / 52.18), T=np.floor(good["T"] / 52.18))
    years.attrs["unit"] = "years"
    with pytest.warns(ModelWarning, match=r"repeat buyers have t_x = 0: ages in whole years are too coarse"):
        BetaGeometric().fit(years)
    wrong = good.assign(t_x=good.t_x * 7, T=good["T"] * 7)
    wrong.attrs["unit"] = "months"
    with pytest.warns(ModelWarning, match="is the unit right"):
        BetaGeometric().fit(wrong.assign(t_x=wrong.t_x * 4, T=wrong["T"] * 4))


def test_one_customer_unlike_all_others_is_named(good):
    odd = spoilt(good, "x", 900, rows=1, where=good.x > 0)
    with pytest.warns(ModelWarning, match="bought 900 times again, 99 % of the repeat buyers at most"):
        model = BetaGeometric().fit(odd)
    assert np.isfinite(model.expected_purchases(odd, "52 weeks")).all()


def test_tables_that_are_none_are_refused(good):
    with pytest.raises(ColumnError, match=r"no column 'T'"):
        BetaGeometric().fit(good.drop(columns="T"))
    with pytest.raises(ColumnError, match=r"no column 't_x'.*Did you mean 't_X'"):
        BetaGeometric().fit(good.rename(columns={"t_x": "t_X"}))
    with pytest.raises(KindError, match="not list"):
        BetaGeometric().fit([1, 2, 3])
    text = good.assign(x=good.x.astype(object))
    text.iloc[3, 0] = "many"
    with pytest.raises(InputError, match=r"column 'x' must hold numbers; 1 of 3,000 values are none, such as 'many'"):
        BetaGeometric().fit(text)
    with pytest.raises(InputError, match="has no row"):
        BetaGeometric().fit(good.head(0))
    with pytest.raises(InputError, match="call fit"):
        BetaGeometric().expected_new("4 weeks")
    assert repr(ParetoNBD()) == "<Pareto/NBD, not fitted>"
    for weights, message in ((-1, "3,000 are not"), (0, "numbers of customers")):
        with pytest.raises(InputError, match=message):
            BetaGeometric().fit(good, weights=np.full(3000, weights))
    with pytest.raises(InputError, match="2 values for 3,000 rows"):
        BetaGeometric().fit(good, weights=[1, 2])
    with pytest.raises(ColumnError, match="'customers'"):
        BetaGeometric().fit(good, weights="customers")


# ---- money ---------------------------------------------------------------------------------------------------------


def test_refunds_that_exceed_repeat_purchases_are_counted(good):
    bad = spoilt(good, "mean_repeat_value", -12.5, rows=7, where=good.x > 0)
    with pytest.raises(InputError, match=r"mean_repeat_value is not above 0 .* for 7 of 3,000 customers"):
        GammaGamma().fit(bad)
    with pytest.warns(ModelWarning, match="7 customers whose repeat purchases net to 0 or less were left out"):
        model = GammaGamma().fit(bad, not_positive="leave out")
    assert model.left_out_ == 7
    assert model.customers_ == (good.x > 0).sum() - 7
    value = model.expected_value(bad)
    assert (value > 0).all()
    lowest = bad.mean_repeat_value < 0
    assert (value[lowest] < model.mean_).all()
    with pytest.raises(InputError, match="not_positive='drop' is not known"):
        GammaGamma().fit(bad, not_positive="drop")


def test_money_without_a_repeat_purchase_is_refused(good):
    bad = spoilt(good, "mean_repeat_value", 20.0, rows=3, where=good.x == 0)
    with pytest.raises(InputError, match="x is 0 but mean_repeat_value is not for 3 of 3,000"):
        GammaGamma().fit(bad)
    with pytest.raises(InputError, match="x is 0 but mean_repeat_value is not for 3"):
        GammaGamma().fit(good).expected_value(bad)
    bad = spoilt(good, "mean_repeat_value", np.nan, rows=4, where=good.x > 0)
    with pytest.raises(InputError, match="mean_repeat_value is missing or infinite for 4"):
        GammaGamma().fit(bad)
    with pytest.raises(InputError, match="0 customers have a repeat purchase"):
        GammaGamma().fit(good[good.x == 0])
    zeros = good.assign(mean_repeat_value=good.mean_repeat_value.fillna(0.0))  # as lifetimes writes it
    assert np.allclose(GammaGamma().fit(zeros).parameters_, GammaGamma().fit(good).parameters_)


def test_money_that_goes_with_frequency_is_warned_about_with_the_figure(good):
    tied = good.assign(mean_repeat_value=good.mean_repeat_value * (1 + good.x))
    figure = tied[tied.x > 0][["x", "mean_repeat_value"]].corr().iloc[0, 1]
    with pytest.warns(ModelWarning, match=rf"frequent buyers spend more a purchase .* {figure:.2f}\)"):
        model = GammaGamma().fit(tied)
    assert model.correlation_ == pytest.approx(figure)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert abs(GammaGamma().fit(good).correlation_) < 0.1


def test_equal_money_and_money_without_a_mean_are_answered(good):
    equal = good.assign(mean_repeat_value=good.mean_repeat_value.where(good.x == 0, 25.0))
    with pytest.warns(ModelWarning, match=r"hardly differ in money. The mean of 25.00"):
        assert np.allclose(GammaGamma().fit(equal).expected_value(equal), 25, rtol=1e-2)
    random = np.random.default_rng(1)
    wild = good.assign(mean_repeat_value=good.mean_repeat_value * random.pareto(0.5, len(good)))
    with pytest.warns(ModelWarning, match="so the mean over all customers is infinite"):
        model = GammaGamma().fit(wild)
    with pytest.raises(InputError, match="nothing can be said of those without a repeat purchase"):
        model.expected_value(wild)
