"""Value bands, patterns, inequality and misplacement: closed forms, a plain reading, and invariants."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit import datasets, lifecycle
from crmkit.errors import ColumnError, InputError, KindError
from crmkit.segmentation import value
from crmkit.tables import Transactions

MONEY = st.lists(st.integers(0, 1000), min_size=2, max_size=60).filter(lambda amounts: sum(amounts) > 0)


# --- inequality -------------------------------------------------------------------------------------------------------


def test_gini_of_known_distributions():
    """Closed forms: uniform on 0 to 1 has 1/3, exponential 1/2, Pareto with shape 2 has 1 / (2 · 2 − 1) = 1/3."""
    at = (np.arange(200_000) + 0.5) / 200_000
    for quantiles, expected in ((at, 1 / 3), (-np.log(1 - at), 1 / 2), ((1 - at) ** -0.5, 1 / 3)):
        assert value.gini(pd.Series(quantiles), draws=2).value == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("shape", [2.5, 3.0, 4.0])
def test_top_share_of_pareto_s_distribution(shape):
    """Closed form: the best share p has p ** (1 − 1 / shape). (The proverb's 80/20 is shape log 5 / log 4 = 1.16, whose tail
    no sample of quantiles holds.)"""
    at = (np.arange(200_000) + 0.5) / 200_000
    found = value.top_share(pd.Series((1 - at) ** (-1 / shape)), 0.2, draws=2).value
    assert found == pytest.approx(0.2 ** (1 - 1 / shape), abs=2e-3)


def test_complete_journey_as_measured_before_the_first_lesson():
    """Top 20 % make 54.5 % of sales (measured independently with pandas on the published files)."""
    spend = lifecycle.summary(datasets.load("complete_journey").transactions)["spend"]
    assert value.top_share(spend, draws=2).value == pytest.approx(0.545, abs=0.001)


@given(MONEY)
@settings(deadline=None)
def test_gini_is_the_mean_difference_and_twice_the_area_of_the_curve(amounts):
    """Two other definitions: half the relative mean absolute difference, and the area below the diagonal."""
    money = pd.Series(amounts, dtype=float)
    found = value.gini(money, draws=2).value
    differences = np.abs(money.to_numpy()[:, None] - money.to_numpy()[None, :]).mean()
    assert found == pytest.approx(differences / (2 * money.mean()), abs=1e-9)
    curve = value.lorenz(money)
    area = np.trapezoid(curve["share_of_money"], curve["share_of_customers"])
    assert found == pytest.approx(1 - 2 * area, abs=1e-9)


@given(MONEY, st.floats(0.05, 0.95))
@settings(deadline=None)
def test_shares_do_not_depend_on_order_or_currency_and_grow_with_the_share(amounts, share):
    money = pd.Series(amounts, dtype=float)
    found = value.top_share(money, share, draws=2).value
    assert value.top_share(money.iloc[::-1] * 7.5, share, draws=2).value == pytest.approx(found)
    assert share - 1e-9 <= found <= 1 + 1e-9
    assert value.top_share(money, min(share + 0.04, 0.99), draws=2).value >= found - 1e-9


def test_the_bootstrap_interval_covers_the_truth_as_often_as_it_says():
    """Exponential spend has Gini 1/2; 120 samples of 300 customers."""
    random, hits = np.random.default_rng(5), 0
    for sample in range(120):
        found = value.gini(pd.Series(random.exponential(1, 300)), seed=sample, draws=200)
        hits += found.low <= 0.5 <= found.high
    assert 0.88 <= hits / 120 <= 0.99


@pytest.mark.parametrize(
    ("money", "error", "words"),
    [
        ([], InputError, "0 customers"),
        ([1.0, None], InputError, "1 of 2 customers have no money"),
        ([5.0, -9.0], InputError, "nets to -4.00"),
        (["a"], KindError, "one number a customer"),
    ],
)
def test_money_that_has_no_shares_is_refused(money, error, words):
    with pytest.raises(error, match=words):
        value.lorenz(pd.Series(money, dtype=object))


# --- bands ------------------------------------------------------------------------------------------------------------

PEOPLE = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 90)), min_size=1, max_size=60)


@given(PEOPLE, st.randoms())
@settings(deadline=None)
def test_equal_customers_share_a_band_in_any_order_of_rows_and_everybody_has_one(rows, random):
    people = pd.DataFrame(rows, columns=["orders", "spend"]).astype(float)
    found = value.bands(people)
    assert found["value_band"].notna().all()
    assert (found.groupby(["orders", "spend"])["value_band"].nunique() == 1).all()
    shuffled = people.sample(frac=1, random_state=random.randint(0, 999))
    assert (
        value.bands(shuffled)["value_band"].reindex(people.index).astype(str).tolist()
        == found["value_band"].astype(str).tolist()
    )
    again = value.bands(people, cuts=found.attrs["cuts"])
    assert again["value_band"].equals(found["value_band"]), "frozen cut points give the same bands"
    table = value.band_table(found)
    assert table["customers"].sum() == len(people)
    assert table["spend"].sum() == pytest.approx(people["spend"].sum())


@given(PEOPLE)
@settings(deadline=None)
def test_bands_are_what_the_rule_says(rows):
    people = pd.DataFrame(rows, columns=["orders", "spend"]).astype(float)
    found = value.bands(people)
    for row in found.itertuples():
        above = all(getattr(row, name) > ends[1] for name, ends in found.attrs["cuts"].items())
        below = all(getattr(row, name) <= ends[0] for name, ends in found.attrs["cuts"].items())
        assert row.value_band == ("high" if above else "low" if below else "middle")
    for name, ends in found.attrs["cuts"].items():
        assert set(ends) <= set(people[name]), "cut points occur in the data"
        assert (people[name] <= ends[0]).mean() >= 1 / 3 - 1e-9


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"shares": (0.7, 0.3)}, InputError, "the lower one first"),
        ({"cuts": {"spend": (9, 2)}}, InputError, "'spend' needs two numbers"),
        ({"cuts": {"money": (1, 2)}}, InputError, "'money', which is not cut"),
        ({"by": ("orders", "spent")}, ColumnError, "Did you mean 'spend'"),
    ],
)
def test_impossible_cuts_are_refused(given, error, words):
    people = pd.DataFrame({"orders": [1.0, 2.0], "spend": [3.0, 4.0]})
    with pytest.raises(error, match=words):
        value.bands(people, **given)
    with pytest.raises(InputError, match="missing in 1 of 2"):
        value.bands(people.assign(spend=[1.0, None]))


# --- patterns ---------------------------------------------------------------------------------------------------------


def book(rows):
    return Transactions.read(pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"]))


def test_every_customer_has_one_pattern_by_the_words_of_the_definition():
    rows = [("bulk", "2026-01-10", 200.0), ("small", "2026-01-10", 20.0)]
    rows += [("steady", f"2026-0{month}-05", 10.0) for month in range(1, 7)]
    rows += [("gone", f"2026-01-0{day}", 10.0) for day in range(1, 6)]
    rows += [("twice", "2026-01-05", 10.0), ("twice", "2026-06-05", 10.0)]
    found = value.patterns(book(rows), bulk=100, prospects=["bulk", "nobody"], as_of="2026-06-30")
    assert found["pattern"].to_dict() == {
        "bulk": "one-off bulk",
        "gone": "occasional",
        "nobody": "never bought",
        "small": "one-off small",
        "steady": "continuous",
        "twice": "occasional",
    }
    assert found["spend"].sum() == sum(row[2] for row in rows)


def test_two_orders_of_one_day_are_one_purchase_and_a_refund_lowers_the_bulk():
    rows = [
        ("a", "2026-01-10", 80.0),
        ("a", "2026-01-10", 80.0),
        ("b", "2026-01-10", 150.0),
        ("b", "2026-01-12", -90.0),
    ]
    assert value.patterns(book(rows), bulk=100)["pattern"].to_dict() == {"a": "one-off bulk", "b": "one-off small"}


@pytest.mark.parametrize("given", [{"bulk": 0}, {"bulk": True}, {"bulk": "much"}, {"bulk": 5, "continuous_from": 1}])
def test_a_definition_without_a_number_is_refused(given):
    with pytest.raises(InputError, match="must be"):
        value.patterns(book([("a", "2026-01-10", 1.0)]), **given)


# --- misplacement -----------------------------------------------------------------------------------------------------

SERVICE, NEGLECT = {"high": 40, "middle": 10, "low": 2}, {"high": 60, "middle": 20, "low": 0}


@given(st.lists(st.tuples(st.sampled_from(value.BANDS), st.sampled_from(value.BANDS)), min_size=1, max_size=40))
def test_the_cost_is_the_sum_over_customers_of_what_each_error_costs(pairs):
    served, real = (pd.Series(list(side)) for side in zip(*pairs, strict=True))
    rank = {"low": 0, "middle": 1, "high": 2}
    by_hand = sum(NEGLECT[r] * (rank[r] - rank[s]) if rank[r] > rank[s] else SERVICE[s] - SERVICE[r] for s, r in pairs)
    found = value.misplacement(served, real, service=SERVICE, neglect=NEGLECT)
    assert found.attrs["cost"] == by_hand
    assert found["customers"].sum() == len(pairs)
    assert found.attrs["misplaced"] == sum(s != r for s, r in pairs)


def test_customers_of_one_table_only_are_counted_and_unknown_bands_refused():
    served = pd.Series(["high", "low"], index=["a", "b"])
    found = value.misplacement(served, pd.Series(["low"], index=["b"]), service=SERVICE, neglect=NEGLECT)
    assert (found["customers"].sum(), found.attrs["not_matched"]) == (1, 1)
    with pytest.raises(InputError, match="no band 'gold'"):
        value.misplacement(pd.Series(["gold"]), pd.Series(["low"]), service=SERVICE, neglect=NEGLECT)
    with pytest.raises(InputError, match="no customer in common"):
        value.misplacement(served, pd.Series(["low"], index=["z"]), service=SERVICE, neglect=NEGLECT)
    with pytest.raises(InputError, match="service has no price for the band 'low'"):
        value.misplacement(served, served, service={"high": 1, "middle": 1}, neglect=NEGLECT)
