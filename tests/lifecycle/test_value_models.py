"""BG/NBD, MBG/NBD, Pareto/NBD and Gamma-Gamma against published tables, lifetimes, integrals and simulated truth."""

import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import integrate, special

from crmkit import datasets, lifecycle
from crmkit.errors import ModelWarning
from crmkit.lifecycle import money_models, pareto_nbd
from crmkit.lifecycle.value import BetaGeometric, GammaGamma, ModifiedBetaGeometric, ParetoNBD

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it is archived and pandas has moved on
    import lifetimes

PURCHASES = [BetaGeometric, ModifiedBetaGeometric, ParetoNBD]
usual = settings(max_examples=9, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def cdnow() -> pd.DataFrame:
    return lifecycle.summary(datasets.load("cdnow").transactions, as_of="1997-09-30", unit="weeks")


@pytest.fixture(scope="module")
def fitted(cdnow) -> dict[type, object]:
    return {kind: kind().fit(cdnow) for kind in [*PURCHASES, GammaGamma]}


def histories(rows: list[tuple] | dict, unit: str = "weeks") -> pd.DataFrame:
    frame = pd.DataFrame(
        rows if isinstance(rows, dict) else dict(zip(("x", "t_x", "T"), zip(*rows, strict=True), strict=True))
    )
    frame.attrs["unit"] = unit
    return frame


def known(kind: type, *parameters: float, unit: str = "weeks"):
    """A model with these parameters, as if it had been fitted."""
    model = kind()
    model.parameters_, model.unit_ = pd.Series(parameters, kind.PARAMETERS), unit
    return model


# ---- published numbers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "parameters", "log_likelihood"),
    [
        # Fader, Hardie & Lee (2005), Marketing Science 24(2), table 2
        (BetaGeometric, (0.243, 4.414, 0.793, 2.426), -9582.4),
        (ParetoNBD, (0.553, 10.578, 0.606, 11.669), -9595.0),
        # BTYDplus, cdnow example, where the model has Hoppe and Wagner's name, CBG/NBD
        (ModifiedBetaGeometric, (0.525, 6.183, 0.891, 1.614), None),
        # Fader & Hardie (2013), The Gamma-Gamma Model of Monetary Value
        (GammaGamma, (6.25, 3.74, 15.44), None),
    ],
)
def test_cdnow_gives_the_published_parameters(fitted, kind, parameters, log_likelihood):
    model = fitted[kind]
    digits = 2 if kind is GammaGamma else 3
    assert model.parameters_.round(digits).tolist() == list(parameters)
    assert log_likelihood is None or round(model.log_likelihood_, 1) == log_likelihood
    assert model.notes_ == []


def test_all_78_weeks_of_cdnow_give_the_parameters_of_rfm_and_clv():
    """BTYD's help of pnbd.DERT, which quotes Fader, Hardie & Lee (2005), RFM and CLV."""
    model = ParetoNBD().fit(lifecycle.summary(datasets.load("cdnow").transactions, unit="weeks"))
    assert np.allclose(model.parameters_, [0.5629966, 12.5590370, 0.4081095, 10.5148048], rtol=2e-4)


def test_expectations_and_probabilities_are_the_published_ones(cdnow, fitted):
    # Fader & Hardie, Implementing the BG/NBD Model in Excel: 39 weeks ahead of x = 2, t_x = 30.43, T = 38.86
    one = histories([(2, 30.43, 38.86)])
    assert fitted[BetaGeometric].expected_purchases(one, "39 weeks").round(3).tolist() == [1.226]
    # BTYD, walkthrough: a new customer in 52 weeks; customer 1516; one-time buyers of 39 weeks (help of pnbd.PAlive)
    pareto, two = fitted[ParetoNBD], histories([(26, 30.86, 31.0), (0, 0.0, 39.0)])
    assert round(pareto.expected_new("52 weeks"), 3) == 1.473
    assert pareto.expected_purchases(two, "52 weeks").round(2).iloc[0] == 25.46
    assert pareto.probability_alive(two).round(3).tolist() == [0.998, 0.294]
    # BTYDplus, cdnow example: quartiles of P(alive)
    assert pareto.probability_alive(cdnow).quantile([0.25, 0.5, 0.75]).tolist() == pytest.approx(
        [0.3174, 0.3499, 0.4763], abs=3e-4
    )
    assert pareto.probability_alive(cdnow).mean() == pytest.approx(0.4462, abs=3e-4)
    alive = fitted[BetaGeometric].probability_alive(cdnow)
    assert [alive.quantile(0.25), alive.quantile(0.5), alive.mean()] == pytest.approx([0.6604, 1, 0.8134], abs=1e-4)


def test_expected_purchases_by_frequency_are_those_of_btydplus(cdnow, fitted):
    """BTYDplus, cdnow example: mean expectation of 39 weeks by x from 0 to 5, two digits."""
    published = {
        ParetoNBD: [0.14, 0.60, 1.20, 1.71, 2.40, 2.91],
        BetaGeometric: [0.23, 0.52, 1.04, 1.52, 2.16, 2.65],
        ModifiedBetaGeometric: [0.19, 0.55, 1.05, 1.49, 2.10, 2.56],
    }
    for kind, means in published.items():
        found = fitted[kind].expected_purchases(cdnow, "39 weeks").groupby(cdnow.x).mean()
        assert found.loc[0:5].tolist() == pytest.approx(means, abs=0.0051)


def test_who_bought_once_is_alive_for_bg_nbd_and_doubtful_for_mbg_nbd(cdnow, fitted):
    once = histories([(0, 0.0, 38.0)])
    assert fitted[BetaGeometric].probability_alive(once).tolist() == [1.0]
    assert fitted[ModifiedBetaGeometric].probability_alive(once).round(2).tolist() == [0.39]


# ---- lifetimes -----------------------------------------------------------------------------------------------------

FITTERS = {
    BetaGeometric: lifetimes.BetaGeoFitter,
    ModifiedBetaGeometric: lifetimes.ModifiedBetaGeoFitter,
    ParetoNBD: lifetimes.ParetoNBDFitter,
}


@pytest.mark.parametrize("kind", PURCHASES)
@pytest.mark.filterwarnings("ignore")
def test_lifetimes_finds_the_same(kind, cdnow, fitted):
    options = {"initial_params": np.ones(4), "tol": 1e-8, "maxiter": 4000} if kind is ParetoNBD else {}
    theirs, ours = FITTERS[kind]().fit(cdnow.x, cdnow.t_x, cdnow["T"], **options), fitted[kind]
    assert np.allclose(ours.parameters_, theirs.params_, rtol=1e-4)
    if kind is not ParetoNBD:  # which gives no standard errors
        assert np.allclose(ours.standard_errors_, theirs.standard_errors_, rtol=1e-4)
    assert ours.log_likelihood_ >= _log_likelihood(kind, theirs.params_, cdnow) - 1e-9


def _log_likelihood(kind: type, parameters: pd.Series, cdnow: pd.DataFrame) -> float:
    counts = np.ones(len(cdnow))
    score = kind()._score(*(cdnow[name].to_numpy(dtype=float) for name in ("x", "t_x", "T")), counts)
    return score(np.log(np.asarray(parameters, dtype=float)))[0]


@pytest.mark.parametrize("kind", PURCHASES)
@pytest.mark.filterwarnings("ignore")
def test_a_lifetimes_fitter_with_our_parameters_says_the_same(kind, cdnow, fitted):
    ours, theirs = fitted[kind], fitted[kind].to_lifetimes(cdnow)
    assert isinstance(theirs, FITTERS[kind])
    x, t_x, age = cdnow.x, cdnow.t_x, cdnow["T"]
    assert np.allclose(theirs.conditional_probability_alive(x, t_x, age), ours.probability_alive(cdnow), atol=1e-9)
    for weeks in (1, 39, 500):
        expected = ours.expected_purchases(cdnow, f"{weeks} weeks")
        assert np.allclose(theirs.predict(weeks, x, t_x, age), expected, rtol=1e-8, atol=1e-9)
        assert theirs.expected_number_of_purchases_up_to_time(weeks) == pytest.approx(
            ours.expected_new(f"{weeks} weeks"), rel=1e-9
        )
    their_log_likelihood = {  # of one customer, for the same parameters
        ParetoNBD: lambda: theirs._conditional_log_likelihood(list(ours.parameters_), x, t_x, age).sum(),
    }.get(kind, lambda: -len(x) * theirs._negative_log_likelihood(np.log(ours.parameters_), x, t_x, age, 1 + 0 * x, 0))
    assert ours.log_likelihood_ == pytest.approx(their_log_likelihood(), rel=1e-12)


@pytest.mark.filterwarnings("ignore")
def test_lifetimes_plots_work_with_our_parameters(cdnow, fitted):
    import matplotlib.pyplot as plt
    from lifetimes import plotting

    for kind in PURCHASES:
        fitter = fitted[kind].to_lifetimes(cdnow)
        drawn = [plotting.plot_frequency_recency_matrix(fitter, T=39, max_frequency=20, max_recency=39)]
        if kind is not ParetoNBD:  # its simulation takes minutes
            drawn.append(plotting.plot_period_transactions(fitter))
        assert all(axes.has_data() for axes in drawn)
        plt.close("all")


@pytest.mark.filterwarnings("ignore")
def test_gamma_gamma_agrees_with_lifetimes(cdnow, fitted):
    ours, again = fitted[GammaGamma], cdnow[cdnow.x > 0]
    theirs = lifetimes.GammaGammaFitter().fit(again.x, again.mean_repeat_value)
    assert np.allclose(ours.parameters_, theirs.params_, rtol=1e-4)
    assert np.allclose(ours.standard_errors_, theirs.standard_errors_, rtol=1e-4)
    assert ours.log_likelihood_ == pytest.approx(-theirs._negative_log_likelihood_ * len(again), rel=1e-9)
    mine = ours.to_lifetimes(cdnow)
    value = mine.conditional_expected_average_profit(again.x, again.mean_repeat_value)
    assert np.allclose(value, ours.expected_value(again), rtol=1e-12)
    assert mine.data.index.equals(again.index)
    assert ours.correlation_ == pytest.approx(again[["x", "mean_repeat_value"]].corr().iloc[0, 1])
    # nothing known about a customer: the mean of all; much known: the customer's own
    few, many = (
        pd.DataFrame({"x": [0], "mean_repeat_value": [np.nan]}),
        pd.DataFrame({"x": [10**6], "mean_repeat_value": [7.0]}),
    )
    assert ours.expected_value(few).iloc[0] == pytest.approx(ours.mean_)
    assert ours.expected_value(many).iloc[0] == pytest.approx(7, rel=1e-4)


# ---- slopes and integrals ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", PURCHASES)
@pytest.mark.parametrize("theta", [(0.2, 4, 0.8, 2.4), (3, 0.5, 0.3, 0.2), (0.7, 900, 2, 30), (0.05, 30, 6, 0.5)])
def test_slopes_are_those_of_finite_differences(kind, theta, cdnow):
    some = pd.concat([cdnow.iloc[:300], histories([(500, 38.0, 39.0), (0, 0.0, 0.0), (3, 9.0, 9.0)])])
    counts = np.arange(len(some)) % 3 + 1.0
    score = kind()._score(*(some[name].to_numpy(dtype=float) for name in ("x", "t_x", "T")), counts)
    _same_slope(score, np.log(theta))


def test_slopes_of_gamma_gamma_are_those_of_finite_differences(cdnow):
    again = cdnow[cdnow.x > 0]
    score = money_models._score(again.x.to_numpy(float), again.mean_repeat_value.to_numpy(), np.ones(len(again)))
    for theta in [(6, 4, 15), (0.3, 1.2, 200), (80, 0.7, 2)]:
        _same_slope(score, np.log(theta))


def _same_slope(score, theta: np.ndarray, step: float = 1e-5) -> None:
    value, slope = score(theta)
    numeric = [(score(theta + move)[0] - score(theta - move)[0]) / (2 * step) for move in np.eye(len(theta)) * step]
    assert np.isfinite(value)
    assert np.allclose(slope, numeric, rtol=1e-6, atol=1e-6 * abs(value))


@pytest.mark.parametrize("z", [-1e4, -3.0, 0.0, 0.4, 0.97, 0.99999])
@pytest.mark.parametrize(("a", "c"), [(1.2, 1.4), (1.6, 502.0), (30.0, 31.0), (90.0, 95.0)])
def test_the_continued_fraction_is_the_hypergeometric_function_and_its_slopes(a, c, z):
    def found(a, c, z):
        return [float(part[0]) for part in pareto_nbd._hyp2f1_one(a, np.array([c]), np.array([z]))]

    value, by_a, by_c, by_z = found(a, c, z)
    if c > 100:  # Euler's integral, with v = (1 − u)^(c − 1); scipy has no value
        expected = integrate.quad(lambda v: (1 - z * (1 - v ** (1 / (c - 1)))) ** -a, 0, 1, epsrel=1e-11)[0]
    elif a > 5:  # Euler's transformation
        expected = special.hyp2f1(c - a, c - 1, c, z) * (1 - z) ** (c - 1 - a)
    else:
        expected = special.hyp2f1(1, a, c, z)
    assert value == pytest.approx(expected, rel=1e-9)
    step = 1e-4
    assert by_a == pytest.approx((found(a + step, c, z)[0] - found(a - step, c, z)[0]) / (2 * step), rel=1e-5)
    assert by_c == pytest.approx((found(a, c + step, z)[0] - found(a, c - step, z)[0]) / (2 * step), rel=1e-5, abs=1e-9)
    step *= 1 - z
    assert by_z == pytest.approx((found(a, c, z + step)[0] - found(a, c, z - step)[0]) / (2 * step), rel=1e-4)


SETS = {
    BetaGeometric: [(0.243, 4.414, 0.793, 2.426), (1.5, 30, 0.3, 0.4), (0.5, 2, 1.0, 3.0), (2, 8, 25, 300)],
    ModifiedBetaGeometric: [(0.525, 6.183, 0.891, 1.614), (1.5, 30, 0.3, 0.4), (0.5, 2, 1.0, 3.0), (2, 8, 25, 300)],
    ParetoNBD: [(0.553, 10.58, 0.606, 11.67), (2, 300, 1.0, 5), (0.1, 1, 8, 2000)],
}
EXTREME = [
    (0, 0.0, 0.0),
    (0, 0.0, 2000.0),
    (1, 0.0, 10.0),
    (500, 1999.0, 2000.0),
    (500, 300.0, 2000.0),
    (37, 37.0, 37.0),
]


@pytest.mark.parametrize(("kind", "parameters"), [(kind, some) for kind, several in SETS.items() for some in several])
def test_expectations_are_integrals_over_rates_of_customers_who_may_be_extreme(kind, parameters):
    """Given that a customer is alive, its rate is Gamma(r+x, alpha+T) and its chance to leave Beta or Gamma: by quadrature."""
    model, frame = known(kind, *parameters, unit="days"), histories(EXTREME, "days")
    alive = model.probability_alive(frame).to_numpy()
    assert ((alive >= 0) & (alive <= 1)).all()
    for days in (1.0, 90.0, 3650.0):
        expected = model.expected_purchases(frame, f"{days} days").to_numpy()
        assert np.isfinite(expected).all()
        by_quadrature = [_alive_expectation(kind, parameters, x, age, days) for x, _, age in EXTREME]
        assert np.allclose(expected, alive * by_quadrature, rtol=1e-6, atol=1e-12)


def test_the_way_around_what_scipy_cannot_say_gives_the_same():
    x, age, time = (np.array(column) for column in zip((0, 0, 365), (1, 30, 36500), (500, 1999, 90), strict=True))
    for kind in (BetaGeometric, ModifiedBetaGeometric):
        for parameters in [(0.243, 4.414, 0.793, 2.426), (1.5, 30, 0.3, 0.4), (2, 8, 25, 300)]:
            model = known(kind, *parameters)
            around, direct = model._over_chances(x, age, time), model._while_alive(x, age, time)
            assert np.allclose(around, direct, rtol=1e-7)
    # here scipy 1.17 gives nan
    parameters = (0.823, 0.363, 1.858, 887.928)
    lone, frame = known(BetaGeometric, *parameters, unit="days"), histories([(1, 30.0, 30.0)], "days")
    expected = lone.probability_alive(frame).iloc[0] * _alive_expectation(BetaGeometric, parameters, 1, 30, 36_500)
    assert lone.expected_purchases(frame, "36500 days").iloc[0] == pytest.approx(expected, rel=1e-7)


def _alive_expectation(kind, parameters, x: float, age: float, time: float) -> float:
    r, alpha, a, b = parameters
    rates, of_rate = _grid(lambda y: (r + x) * y - np.exp(y))
    rates = np.exp(rates) / (alpha + age)
    if kind is ParetoNBD:  # E[rate] · E[(1 − exp(−mu·t)) / mu]
        inner = integrate.quad(lambda y: (1 + y / (b + age)) ** -a, 0, time, epsabs=0, epsrel=1e-12)[0]
        return float(of_rate @ rates * inner)
    lost = b + x + (kind is ModifiedBetaGeometric)
    odds, of_chance = _grid(lambda y: a * special.log_expit(y) + lost * special.log_expit(-y))
    chance = special.expit(odds)  # to leave after each purchase: E[(1 − exp(−rate·chance·t)) / chance]
    return float(of_rate @ (-np.expm1(-rates[:, None] * chance * time) / chance) @ of_chance)


def _grid(log_density) -> tuple[np.ndarray, np.ndarray]:
    """Equal steps and the share of each, where the density is not nothing: the rule of trapezoids."""
    wide = np.linspace(-600, 300, 60_001)
    with np.errstate(over="ignore"):
        there = wide[log_density(wide) > log_density(wide).max() - 40]
    grid = np.linspace(there[0] - 0.01, there[-1] + 0.01, 801)
    weights = np.exp(log_density(grid) - log_density(grid).max())
    return grid, weights / weights.sum()


@pytest.mark.parametrize("parameters", SETS[ParetoNBD])
def test_pareto_nbd_probability_alive_is_its_integral(parameters):
    r, alpha, s, beta = parameters
    for x, t_x, age in EXTREME:

        def left_at(y, x=x, age=age):
            longer = s * np.log((beta + age) / (beta + y)) + (r + x) * np.log((alpha + age) / (alpha + y))
            return s / (beta + y) * np.exp(longer)

        with np.errstate(over="ignore"):
            if left_at(t_x) > 1e12:
                continue  # surely gone: quad cannot integrate that
        gone = integrate.quad(left_at, t_x, age, limit=500)[0]
        found = known(ParetoNBD, *parameters).probability_alive(histories([(x, t_x, age)])).iloc[0]
        assert found == pytest.approx(1 / (1 + gone), rel=1e-7)


# ---- simulated truth -----------------------------------------------------------------------------------------------


def simulate(kind: type, parameters: tuple, customers: int, age: float, ahead: float, seed: int) -> SimpleNamespace:
    """Customers one purchase after the other, as the story of the model tells it."""
    random = np.random.default_rng(seed)
    r, alpha, a, b = parameters
    rate, span = random.gamma(r, 1 / alpha, customers), random.uniform(0.3, 1, customers) * age
    if kind is ParetoNBD:
        leaves = random.exponential(1 / random.gamma(a, 1 / b, customers))
    else:
        chance = random.beta(a, b, customers)
        leaves = np.where((kind is ModifiedBetaGeometric) & (random.random(customers) < chance), 0.0, np.inf)
    x, t_x, later, now = np.zeros(customers), np.zeros(customers), np.zeros(customers), np.zeros(customers)
    going = np.arange(customers)
    while len(going):
        now[going] += random.exponential(1 / np.maximum(rate[going], 1e-300))
        going = going[(now[going] <= np.minimum(leaves[going], span[going] + ahead))]
        inside = going[now[going] <= span[going]]
        x[inside] += 1
        t_x[inside] = now[inside]
        later[going] += now[going] > span[going]
        if kind is not ParetoNBD:
            gone = going[random.random(len(going)) < chance[going]]
            leaves[gone] = now[gone]
    frame = histories({"x": x, "t_x": t_x, "T": span})
    return SimpleNamespace(frame=frame, later=later, alive=leaves > span)


TRUTH = [
    (BetaGeometric, (0.6, 5.0, 0.8, 2.0)),
    (BetaGeometric, (1.2, 3.0, 0.4, 0.45)),
    (ModifiedBetaGeometric, (0.6, 5.0, 0.8, 2.0)),
    (ParetoNBD, (0.6, 10.0, 0.7, 12.0)),
]


@pytest.mark.parametrize(("kind", "parameters"), TRUTH)
def test_the_parameters_of_simulated_customers_are_found_again(kind, parameters):
    """20,000 customers, 30 to 100 weeks: within four of the standard errors that the fit states."""
    world = simulate(kind, parameters, 20_000, 100, 50, seed=5)
    model, parameters = kind().fit(world.frame), np.array(parameters)
    assert (np.abs(model.parameters_ - parameters) < 4 * model.standard_errors_).all()
    assert (model.standard_errors_ < 0.25 * model.parameters_).all()
    inside = (model.intervals_.low < parameters) & (parameters < model.intervals_.high)
    assert inside.sum() >= 3
    # what the customers did next, whom the model holds for alive, in groups of a tenth
    expected, alive = model.expected_purchases(world.frame, "50 weeks"), model.probability_alive(world.frame)
    for guess, truth in ((expected, world.later), (alive, world.alive)):
        group = guess.rank(method="first").mul(10 / (len(guess) + 1)).astype(int)
        table = pd.DataFrame({"guess": guess, "truth": truth.astype(float)}).groupby(group).agg(["mean", "std", "size"])
        wide = 4 * table[("truth", "std")] / table[("truth", "size")] ** 0.5 + 0.01
        assert (np.abs(table[("guess", "mean")] - table[("truth", "mean")]) < wide).all()
    assert abs(expected.sum() / world.later.sum() - 1) < 0.04


def test_gamma_gamma_finds_the_parameters_of_simulated_money():
    random, truth = np.random.default_rng(3), np.array([5.0, 4.0, 20.0])
    x = random.geometric(0.4, 20_000)
    mean = random.gamma(truth[0] * x, 1 / (random.gamma(truth[1], 1 / truth[2], len(x)) * x))
    model = GammaGamma().fit(pd.DataFrame({"x": x, "mean_repeat_value": mean}))
    assert (np.abs(model.parameters_ - truth) < 4 * model.standard_errors_).all()
    assert model.mean_ == pytest.approx(5 * 20 / 3, rel=0.02)


# ---- what must not matter ------------------------------------------------------------------------------------------

one = st.tuples(st.integers(0, 6), st.floats(0.05, 1.0), st.integers(1, 40)).map(
    lambda row: (row[0], round(row[1] * row[2], 3) if row[0] else 0.0, float(row[2]))
)
groups = st.lists(one, min_size=25, max_size=60).filter(lambda rows: sum(x > 0 for x, _, _ in rows) >= 12)


@usual
@given(groups, st.sampled_from(PURCHASES), st.randoms(use_true_random=False))
@pytest.mark.filterwarnings("ignore::crmkit.errors.ModelWarning")
def test_the_order_of_rows_and_how_equal_customers_are_written_do_not_matter(rows, kind, random):
    copies = [random.randint(1, 3) for _ in rows]
    weighted = histories(rows).assign(n=copies)
    weighted.attrs["unit"] = "weeks"
    repeated = [row for row, times in zip(rows, copies, strict=True) for _ in range(times)]
    random.shuffle(repeated)
    once, again = kind().fit(weighted, weights="n"), kind().fit(histories(repeated))
    assert (once.customers_, once.repeaters_) == (again.customers_, again.repeaters_)
    # a handful of customers can make a ridge that is flat to the sixth digit, on which a last bit of a sum decides where to
    # stop; where the top is round, as in CDNOW, the heights agree to nine digits
    assert once.log_likelihood_ == pytest.approx(again.log_likelihood_, rel=1e-5)


@pytest.mark.parametrize("kind", PURCHASES)
def test_the_order_of_rows_does_not_move_a_round_top(kind, cdnow, fitted):
    shuffled = cdnow.sample(frac=1, random_state=1)
    shuffled.attrs = dict(cdnow.attrs)
    assert kind().fit(shuffled).log_likelihood_ == pytest.approx(fitted[kind].log_likelihood_, rel=1e-9)


@pytest.mark.parametrize("kind", PURCHASES)
def test_another_unit_scales_the_times_among_the_parameters_only(kind, cdnow, fitted):
    days = cdnow.assign(t_x=cdnow.t_x * 7, T=cdnow["T"] * 7)
    days.attrs["unit"] = "days"
    model = kind().fit(days)
    factor = pd.Series({"alpha": 7.0, "beta": 7.0}).reindex(model.parameters_.index).fillna(1.0)
    assert np.allclose(model.parameters_ / factor, fitted[kind].parameters_, rtol=1e-6)
    assert np.allclose(model.standard_errors_ / factor, fitted[kind].standard_errors_, rtol=1e-4)
    weeks = fitted[kind].expected_purchases(cdnow, "26 weeks")
    assert np.allclose(model.expected_purchases(days, "182 days"), weeks, rtol=1e-6)


def test_money_in_another_currency_scales_gamma_only(cdnow, fitted):
    cents = cdnow.assign(mean_repeat_value=cdnow.mean_repeat_value * 100)
    model = GammaGamma().fit(cents)
    assert np.allclose(model.parameters_, fitted[GammaGamma].parameters_ * [1, 1, 100], rtol=1e-6)


def test_inputs_are_not_changed_and_a_fit_is_the_same_each_time(cdnow):
    before = cdnow.copy()
    again = [BetaGeometric().fit(cdnow).parameters_.tolist() for _ in range(2)]
    pd.testing.assert_frame_equal(cdnow, before)
    assert again[0] == again[1]


def test_more_time_gives_more_purchases_and_silence_less_hope():
    frame = histories([(4, 30.0, float(age)) for age in range(30, 60, 3)])
    for kind, several in SETS.items():
        model = known(kind, *several[0])
        assert model.probability_alive(frame).is_monotonic_decreasing
        by_time = [model.expected_purchases(frame, f"{weeks} weeks").sum() for weeks in (1, 5, 25, 125, 625)]
        assert by_time == sorted(by_time)


def test_no_sign_of_leaving_is_told_and_not_an_error():
    """Customers who never leave: a fit of chances to leave has nothing to hold on to."""
    random = np.random.default_rng(2)
    x = random.poisson(random.gamma(2, 3, 3000))
    last = np.where(x > 0, 52 * random.random(3000) ** (1 / np.maximum(x, 1)), 0.0)
    frame = histories({"x": x, "t_x": last, "T": np.full(3000, 52.0)})
    with pytest.warns(ModelWarning, match="hardly a sign that anybody leaves"):
        model = BetaGeometric().fit(frame)
    assert np.isfinite(model.expected_purchases(frame, "52 weeks")).all()
    assert model.expected_purchases(frame, "52 weeks").sum() == pytest.approx(x.sum(), rel=0.03)
    with pytest.warns(ModelWarning, match="hardly a sign that anybody leaves"):
        ParetoNBD().fit(frame)
