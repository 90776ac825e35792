"""What customers are worth, with and without a contract: published tables, plain sums, lifetimes' month loop."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit import datasets, lifecycle
from crmkit.errors import InputError, KindError, ModelWarning
from crmkit.lifecycle.value import (
    BetaGeometric,
    GammaGamma,
    ModifiedBetaGeometric,
    ParetoNBD,
    ShiftedBetaGeometric,
    cohort_value,
    customer_lifetime_value,
    residual_value,
    simple_value,
)

PURCHASES = [BetaGeometric, ModifiedBetaGeometric, ParetoNBD]
#: Fader & Hardie (2007), table 1: percent of customers who are there after 0 … 12 years; 7 years were used to fit.
HIGH_END = [100.0, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1, 46.8, 44.5, 42.7, 40.9, 39.4]
REGULAR = [100.0, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1, 22.3, 20.7, 19.4, 18.3, 17.3]


@pytest.fixture(scope="module")
def cdnow() -> pd.DataFrame:
    return lifecycle.summary(datasets.load("cdnow").transactions, as_of="1997-09-30", unit="weeks")


@pytest.fixture(scope="module")
def money(cdnow) -> GammaGamma:
    return GammaGamma().fit(cdnow)


@pytest.fixture(scope="module", params=PURCHASES, ids=lambda kind: kind.TITLE)
def model(request, cdnow):
    return request.param().fit(cdnow)


def in_days(cdnow: pd.DataFrame) -> pd.DataFrame:
    days = cdnow.assign(t_x=cdnow.t_x * 7, T=cdnow["T"] * 7)
    days.attrs["unit"] = "days"
    return days


# ---- without a contract --------------------------------------------------------------------------------------------


def test_lifetimes_month_loop_is_one_choice_of_step_and_timing(cdnow):
    """lifetimes' customer_lifetime_value: months of 30 days or 4.345 weeks, discounted from their ends."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        days = in_days(cdnow)
        for frame, step, freq in ((days, 30.0, "D"), (cdnow, 4.345, "W")):
            model, money = BetaGeometric().fit(frame), GammaGamma().fit(frame)
            theirs = money.to_lifetimes(frame).customer_lifetime_value(
                model.to_lifetimes(frame),
                frame.x,
                frame.t_x,
                frame["T"],
                frame.mean_repeat_value.fillna(0),
                12,
                0.01,
                freq,
            )
            unit, length = frame.attrs["unit"], step * (1 if freq == "D" else 7)
            found = customer_lifetime_value(
                model,
                money,
                frame,
                horizon=f"{12 * step:g} {unit}",
                step=f"{step:g} {unit}",
                timing="end",
                margin=1,
                discount=1.01 ** (365.25 / length) - 1,
            )
            assert np.allclose(found.clv, theirs, rtol=1e-9)


def test_the_value_is_margin_times_money_times_purchases_less_what_waiting_costs(model, money, cdnow):
    plain = customer_lifetime_value(model, money, cdnow, margin=0.3, discount=0.0)
    weeks = 12 * 30.4375 / 7
    assert np.allclose(plain.expected_purchases, model.expected_purchases(cdnow, f"{weeks} weeks"), rtol=1e-9)
    assert np.allclose(plain.clv, 0.3 * plain.expected_purchases * money.expected_value(cdnow), rtol=1e-9)
    assert plain.probability_alive.equals(model.probability_alive(cdnow))
    # a fine sum over days of what is bought on each, discounted from its middle
    found = customer_lifetime_value(model, 20.0, cdnow.head(40), horizon="1 years", margin=0.5, discount=0.1)
    so_far = np.array(
        [model.expected_purchases(cdnow.head(40), f"{day / 7} weeks") for day in np.arange(0.5, 366, 0.5)]
    )
    middle = (np.arange(len(so_far)) * 0.5 + 0.25) / 365.25
    worth = np.diff(so_far, axis=0, prepend=0.0) * 1.1 ** -middle[:, None]
    assert np.allclose(found.clv, 10 * worth.sum(axis=0), rtol=2e-3)  # steps of a month instead of half a day
    fine = customer_lifetime_value(
        model, 20.0, cdnow.head(40), horizon="366 days", margin=0.5, discount=0.1, step="0.5 days"
    )
    assert np.allclose(
        fine.clv, 10 * (np.diff(so_far, axis=0, prepend=0.0) * 1.1 ** -middle[:, None]).sum(axis=0), rtol=2e-3
    )


def test_value_does_not_depend_on_the_unit_of_the_model(cdnow, money):
    weeks, days = BetaGeometric().fit(cdnow), BetaGeometric().fit(in_days(cdnow))
    one = customer_lifetime_value(weeks, money, cdnow, margin=0.3)
    other = customer_lifetime_value(days, money, in_days(cdnow), margin=0.3)
    assert np.allclose(one, other, rtol=1e-6)
    one, other = (
        residual_value(of, money, frame, margin=0.3) for of, frame in ((weeks, cdnow), (days, in_days(cdnow)))
    )
    assert np.allclose(one, other, rtol=1e-6)


def test_a_step_that_does_not_divide_the_horizon_ends_early(model, cdnow):
    """100 days in steps of a month are three full steps and a short one."""
    whole = customer_lifetime_value(model, 1.0, cdnow, horizon="100 days", margin=1, discount=0.5)
    fine = customer_lifetime_value(model, 1.0, cdnow, horizon="100 days", margin=1, discount=0.5, step="1 day")
    assert np.allclose(whole.expected_purchases, model.expected_purchases(cdnow, f"{100 / 7} weeks"), rtol=1e-9)
    assert np.allclose(whole.clv, fine.clv, rtol=1e-2)


def test_residual_value_is_the_sum_over_all_years_to_come(model, cdnow):
    """300 years in steps that grow with time, discounted continuously: DERT without any closed form."""
    some = cdnow.sample(15, random_state=1)
    edges = np.concatenate([[0], np.geomspace(0.02, 300 * 52.18, 1200)])
    so_far = np.array([np.zeros(len(some))] + [model.expected_purchases(some, f"{edge} weeks") for edge in edges[1:]])
    force = np.log(1.15) * 7 / 365.25
    plain = (np.diff(so_far, axis=0) * np.exp(-force * (edges[1:] + edges[:-1]) / 2)[:, None]).sum(axis=0)
    found = residual_value(model, 2.0, some, margin=0.5, discount=0.15)
    assert np.allclose(found.discounted_purchases, plain, rtol=1e-4)
    assert np.allclose(found.residual_value, found.discounted_purchases)
    # a long horizon in days comes near it from below
    long = customer_lifetime_value(model, 2.0, some, horizon="60 years", margin=0.5, discount=0.15, step="1 week")
    assert (long.clv <= found.residual_value * (1 + 1e-6)).all()
    assert np.allclose(long.clv, found.residual_value, rtol=2e-3)


def test_pareto_nbd_dert_in_closed_form_is_the_integral():
    """The Pareto/NBD of RFM and CLV (Fader, Hardie & Lee 2005; BTYD's help of pnbd.DERT), also for extreme customers."""
    model = ParetoNBD()
    model.parameters_, model.unit_ = (
        pd.Series([0.5629966, 12.5590370, 0.4081095, 10.5148048], model.PARAMETERS),
        "weeks",
    )
    x, t_x = np.array([0, 7, 14, 500, 1]), np.array([0, 35, 77, 77, 0.5])
    age = np.array([77.86, 77.86, 77.86, 2000, 0.5])
    for force in (0.0027, 1e-5, 0.5):
        around = super(ParetoNBD, model)._discounted(x, t_x, age, force)
        assert np.allclose(model._discounted(x, t_x, age, force), around, rtol=1e-8)


def test_a_customer_just_won_is_a_row_of_zeros(model, money):
    new = pd.DataFrame({"x": [0], "t_x": [0.0], "T": [0.0], "mean_repeat_value": [np.nan]})
    found = customer_lifetime_value(model, money, new, horizon="52 weeks", margin=1, discount=0, unit="weeks").iloc[0]
    assert found.expected_purchases == pytest.approx(model.expected_new("52 weeks"), rel=1e-9)
    assert found.expected_value == pytest.approx(money.mean_)


def test_what_cannot_be_valued_is_refused(cdnow, money):
    model = BetaGeometric().fit(cdnow)
    for wrong, message in (
        ({"margin": -0.1}, "margin=-0.1 must be 0 or more"),
        ({"margin": 0.3, "discount": 10}, "10 % is 0.10"),
        ({"margin": 0.3, "timing": "start"}, "use 'middle', 'end'"),
        ({"margin": 0.3, "horizon": "twelve months"}, "is not a horizon"),
    ):
        with pytest.raises(InputError, match=message):
            customer_lifetime_value(model, money, cdnow, **wrong)
    with pytest.raises(InputError, match="discount above 0"):
        residual_value(model, money, cdnow, margin=0.3, discount=0)
    with pytest.raises(KindError, match="purchase_model"):
        customer_lifetime_value(money, model, cdnow, margin=0.3)
    with pytest.raises(KindError, match="money_model must be a number"):
        customer_lifetime_value(model, "30", cdnow, margin=0.3)
    with pytest.raises(InputError, match="call fit"):
        customer_lifetime_value(BetaGeometric(), money, cdnow, margin=0.3)


# ---- with a contract -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("percent", "parameters"), [(HIGH_END, (0.668, 3.806)), (REGULAR, (0.704, 1.182))])
def test_the_published_retention_is_projected(percent, parameters):
    """Fader & Hardie (2007): parameters from seven years, and the projection against the twelve that followed."""
    model = ShiftedBetaGeometric().fit([round(10 * share) for share in percent[:8]], period="1 year")
    assert model.parameters_.round(3).tolist() == list(parameters)
    survival = 100 * model.survival(12)
    assert np.abs(survival - percent).max() < 2
    rates = model.retention_rate(12)
    assert rates.is_monotonic_increasing
    assert np.allclose(rates, survival.iloc[1:].to_numpy() / survival.iloc[:-1].to_numpy())


def test_the_likelihood_is_the_one_of_the_paper():
    """Σ lost(t) log P(T = t) + kept log S(n), with P and S as beta functions."""
    from scipy.special import betaln

    counts = np.array([1000, 869, 743, 653, 593, 551, 517, 491])
    model = ShiftedBetaGeometric().fit(counts, period="1 year")
    alpha, beta = model.alpha_, model.beta_
    lost, times = -np.diff(counts), np.arange(1, 8)
    log_lost = betaln(alpha + 1, beta + times - 1) - betaln(alpha, beta)
    log_kept = betaln(alpha, beta + 7) - betaln(alpha, beta)
    assert model.log_likelihood_ == pytest.approx(lost @ log_lost + counts[-1] * log_kept, rel=1e-12)


def test_cohorts_of_different_age_are_taken_together():
    random = np.random.default_rng(8)
    leaves = random.beta(0.8, 2.5, (5, 4000))
    stayed = np.cumprod(random.random((6, 5, 4000)) > leaves, axis=0).sum(axis=2)
    table = pd.DataFrame(np.vstack([np.full(5, 4000), stayed]).T, index=list("abcde"), dtype=float)
    for row in range(5):
        table.iloc[row, 7 - row :] = np.nan
    table.attrs["period"] = "1 month"
    model = ShiftedBetaGeometric().fit(table)
    assert (np.abs(model.parameters_ - np.array([0.8, 2.5])) < 4 * model.standard_errors_).all()
    assert model.customers_ == 20_000
    # rows in another order say the same
    assert np.allclose(ShiftedBetaGeometric().fit(table.iloc[::-1]).parameters_, model.parameters_, rtol=1e-9)
    value = cohort_value(table, margin_per_period=10, discount=0.0)
    renewed = table.iloc[:, 1].sum() / table.iloc[table.iloc[:, 1].notna().to_numpy(), 0].sum()
    assert value.share.iloc[1] == pytest.approx(renewed)
    assert value["value"].iloc[1] == pytest.approx(10 * renewed)
    assert (value.share - model.survival(len(value) - 1)).abs().max() < 0.01


@settings(max_examples=25, deadline=None)
@given(alpha=st.floats(0.2, 8), beta=st.floats(0.2, 20), renewals=st.integers(0, 30), discount=st.floats(0.02, 0.5))
def test_residual_lifetime_is_the_plain_sum(alpha, beta, renewals, discount):
    """Fader & Hardie (2010), equation 6, against Σ S(t) / S(renewals) discounted."""
    model = ShiftedBetaGeometric()
    model.fit([100, 80, 70], period="1 year")
    model.alpha_, model.beta_ = alpha, beta
    survival = model.survival(renewals + 3000).to_numpy()
    ahead = survival[renewals + 1 :] / survival[renewals]
    plain = (ahead * (1 + discount) ** -np.arange(len(ahead))).sum()
    assert model.residual_lifetime(renewals, discount=discount) == pytest.approx(plain, rel=1e-6)


def test_the_expected_lifetime_is_the_sum_of_survival_or_infinite():
    model = ShiftedBetaGeometric().fit([100, 80, 70], period="1 month")
    model.alpha_, model.beta_ = 3.0, 6.0
    assert model.expected_lifetime == pytest.approx(model.survival(20_000).sum(), rel=1e-4)
    model.alpha_ = 0.9
    assert model.expected_lifetime == np.inf
    assert model.residual_lifetime(0, discount=0.0) == np.inf
    # a discount is for a year, whatever the period
    later = 1.1 ** (-30.4375 / 365.25 * np.arange(5000))
    plain = (model.survival(5000).to_numpy()[1:] * later).sum()
    assert model.residual_lifetime(0, discount=0.10) == pytest.approx(plain)


def test_equal_customers_are_worth_what_the_simple_formula_says():
    """margin × r / (1 + d − r) is Σ margin · (r / (1 + d))^t, and the limit of alike customers."""
    plain = sum(50 * (0.8 / 1.1) ** period for period in range(1, 400))
    assert simple_value(margin_per_period=50, retention=0.8, discount=0.1) == pytest.approx(plain)
    with pytest.warns(ModelWarning, match="customers hardly differ"):
        model = ShiftedBetaGeometric().fit([100_000, 80_000, 64_000, 51_200], period="1 year")
    value = 50 * model.residual_lifetime(0, discount=0.1) / 1.1
    assert value == pytest.approx(plain, rel=1e-2)
    assert cohort_value([100, 80, 64], margin_per_period=50, discount=0.1, period="1 year")["value"].iloc[
        1:
    ].tolist() == [
        pytest.approx(50 * 0.8 / 1.1),
        pytest.approx(50 * (0.8 / 1.1) ** 2),
    ]


@pytest.mark.parametrize(
    ("survivors", "message"),
    [
        ([100, 63.1, 46.8], "must be whole numbers of customers; 2 are not, such as 63.1"),
        ([1.0, 0.631, 0.468], "give the counts"),
        ([100, 80, 85], "rise from 80 to 85 at renewal 2"),
        ([100, 80], "1 renewal was observed"),
        ([100, 100, 100], "nobody left among 200 renewals"),
        ([100, 0, 0], "1 renewal was observed"),
        ([[100, 0, np.nan], [90, 0, 0]], "1 renewal was observed"),
        ([100, np.nan, 70], "missing at renewal"),
        ([0, 0, 0], "start with 0 customers"),
        ([100], "customers after 0, 1, 2"),
        ([], "customers after 0, 1, 2"),
        ([100, -5, -6], "must be whole numbers"),
    ],
)
def test_survivors_that_cannot_be_are_refused(survivors, message):
    with pytest.raises(InputError, match=message):
        ShiftedBetaGeometric().fit(survivors, period="1 year")


def test_a_contract_needs_its_period_and_numbers_their_range():
    with pytest.raises(InputError, match='period="1 month"'):
        ShiftedBetaGeometric().fit([100, 80, 70])
    with pytest.raises(KindError, match="survivors must be counts"):
        ShiftedBetaGeometric().fit("many", period="1 year")
    with pytest.warns(ModelWarning, match="only 3 of 10 customers left"):
        one = ShiftedBetaGeometric().fit([10, 8, 7], period="1 year")
    with pytest.raises(InputError, match="renewals=-1"):
        one.residual_lifetime(-1)
    with pytest.raises(InputError, match=r"10 % is 0\.1"):
        one.residual_lifetime(0, discount=10)
    with pytest.raises(InputError, match="periods=0"):
        one.survival(0)
    for wrong, message in (
        ({"retention": 80, "discount": 0.1}, "80 % is 0.8"),
        ({"retention": 0.8, "discount": 10}, "10 % is 0.1"),
        ({"retention": 1, "discount": 0}, "infinite"),
        ({"retention": np.nan, "discount": 0.1}, "finite"),
    ):
        with pytest.raises(InputError, match=message):
            simple_value(margin_per_period=50, **wrong)
    with pytest.raises(KindError, match="margin_per_period must be a number"):
        simple_value(margin_per_period="50", retention=0.8, discount=0.1)
