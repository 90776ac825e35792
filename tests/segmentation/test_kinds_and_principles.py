"""Kinds as labels, association and the four principles: other implementations, closed forms, planted truth, invariants."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import adjusted_rand_score

from crmkit.errors import ColumnError, InputError, KindError
from crmkit.segmentation import kinds, principles
from crmkit.tables import Transactions

LABELS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), min_size=6, max_size=80)


# --- labels -----------------------------------------------------------------------------------------------------------


def test_a_missing_value_makes_the_whole_label_unknown_and_groups_rename():
    people = pd.DataFrame({"customer_id": [1, 2, 3], "age": ["19-24", None, "65+"], "income": ["low", "high", None]})
    assert kinds.labels(people, ["age", "income"]).to_list() == ["19-24 · low", "unknown", "unknown"]
    assert kinds.labels(people, "age", groups={"19-24": "young"}).to_list() == ["young", "unknown", "65+"]
    with pytest.raises(ColumnError, match="Did you mean 'income'"):
        kinds.labels(people, "incom")
    with pytest.raises(InputError, match="stand there twice"):
        kinds.labels(pd.concat([people, people]), "age")
    with pytest.raises(InputError, match="groups are for one column"):
        kinds.labels(people, ["age", "income"], groups={"low": "x"})


def test_the_main_store_is_where_most_money_is_left_and_ties_are_settled_by_name():
    rows = pd.DataFrame(
        {
            "customer_id": [1, 1, 1, 2, 2, 3],
            "store_id": ["b", "a", "a", "z", "a", "q"],
            "amount": [10.0, 4.0, 5.0, 3.0, 3.0, 1.0],
            "ordered_at": "2026-01-01",
        }
    )
    for seed in range(3):
        orders = Transactions.read(rows.sample(frac=1, random_state=seed))
        assert kinds.main_store(orders, smallest=1).to_dict() == {1: "b", 2: "a", 3: "q"}
    assert set(kinds.main_store(Transactions.read(rows), smallest=2)) == {"other stores"}
    with pytest.raises(ColumnError, match="no store_id"):
        kinds.main_store(Transactions.read(rows.drop(columns="store_id")))


def test_planted_motives_are_found_and_a_habit_of_saying_yes_does_not_matter():
    random = np.random.default_rng(2)
    motive = random.choice(["price", "ease"], 500)
    items = {
        f"{m}{i}": 3 + 1.5 * (motive == m) + random.normal(0, 0.5, 500) for m in ("price", "ease") for i in range(4)
    }
    answers, scales = pd.DataFrame(items), {m: [f"{m}{i}" for i in range(4)] for m in ("price", "ease")}
    found = kinds.dominant_scale(answers, scales)
    assert (found == motive).mean() > 0.98
    assert kinds.dominant_scale(answers + random.normal(0, 3, (500, 1)), scales).equals(found)
    few = answers.copy()
    few.loc[0, ["price0", "price1", "price2"]] = np.nan
    assert kinds.dominant_scale(few, scales)[0] == kinds.UNKNOWN
    with pytest.raises(InputError, match="at least two motives"):
        kinds.dominant_scale(answers, {"price": ["price0"]})
    with pytest.raises(ColumnError, match="answers has no column 'pric0'"):
        kinds.dominant_scale(answers, {"price": ["pric0"], "ease": ["ease0"]})


# --- association ------------------------------------------------------------------------------------------------------


@given(LABELS)
@settings(deadline=None)
def test_v_is_bergsma_s_correction_of_scipy_s_v(pairs):
    """scipy gives the plain V of the same table; the correction is written out here from Bergsma (2013)."""
    first, second = (pd.Series(list(side)) for side in zip(*pairs, strict=True))
    if first.nunique() < 2 or second.nunique() < 2:
        with pytest.raises(InputError, match="at least two segments"):
            kinds.association(first, second)
        return
    found = kinds.association(first, second, draws=2)
    plain = stats.contingency.association(found.table.to_numpy(), method="cramer")
    n, r, k = len(pairs), first.nunique(), second.nunique()
    phi2 = max(plain**2 * (min(r, k) - 1) - (r - 1) * (k - 1) / (n - 1), 0)
    smallest = min(r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1)) - 1
    assert found.v == pytest.approx(min(np.sqrt(phi2 / smallest), 1) if smallest > 0 else 0, abs=1e-6)
    assert found.customers == n
    assert kinds.association(second, first, draws=2).v == pytest.approx(found.v, abs=1e-6)


def test_independent_labels_have_almost_no_v_where_the_plain_one_has_some():
    random = np.random.default_rng(4)
    found, plain = [], []
    for _ in range(60):
        one, two = (pd.Series(random.integers(0, size, 300)) for size in (12, 3))
        result = kinds.association(one, two, draws=2)
        found.append(result.v)
        plain.append(stats.contingency.association(result.table.to_numpy(), method="cramer"))
    assert np.mean(found) < 0.05 < np.mean(plain)


def test_unknown_customers_are_left_out_unless_asked_for_and_only_common_customers_count():
    first = pd.Series(["a", "b", "unknown", "a"] * 20)
    second = pd.Series(["x", "y", "x", "x"] * 20).iloc[:76]
    assert kinds.association(first, second, draws=2).customers == 57
    assert kinds.association(first, second, keep_unknown=True, draws=2).customers == 76


# --- principles -------------------------------------------------------------------------------------------------------


@given(LABELS)
@settings(deadline=None)
def test_scores_are_shares_and_do_not_depend_on_the_order_of_customers(pairs):
    labels = pd.Series([one for one, _ in pairs])
    later = pd.Series([one for _, one in pairs]).map({"x": "a", "y": "b", "z": "c"})
    outcome = pd.Series([float(ord(one)) for one, _ in pairs])
    card = principles.score(labels, smallest=3, outcome=outcome, later=later)
    turned = principles.score(
        labels.iloc[::-1], smallest=3, outcome=outcome, later=later.sample(frac=1, random_state=1)
    )
    pd.testing.assert_series_equal(card.table["score"], turned.table["score"])
    assert card.table["score"].dropna().between(0, 1).all()
    assert card.segments["customers"].sum() == len(labels)
    expected = max(adjusted_rand_score(labels, later), 0)
    assert card.table.loc["stable", "score"] == pytest.approx(expected)


def test_epsilon_squared_is_that_of_the_analysis_of_variance():
    """Kelley's epsilon squared from scipy's F: (F − 1)(k − 1) / (F (k − 1) + n − k)."""
    random = np.random.default_rng(6)
    labels = pd.Series(random.choice(list("abcd"), 400))
    outcome = labels.map({"a": 0.0, "b": 0.5, "c": 1.0, "d": 1.5}) + pd.Series(random.normal(0, 1, 400))
    f = stats.f_oneway(*(outcome[labels == name] for name in "abcd")).statistic
    found = principles.score(labels, outcome=outcome).table.loc["differentiable", "score"]
    assert found == pytest.approx((f - 1) * 3 / (f * 3 + 396), abs=1e-12)


def test_segments_that_mean_nothing_differ_in_nothing_on_average():
    random = np.random.default_rng(8)
    scores = [
        principles.score(
            pd.Series(random.choice(list("abcdefgh"), 200)), outcome=pd.Series(random.normal(0, 1, 200))
        ).table.loc["differentiable", "score"]
        for _ in range(60)
    ]
    assert np.mean(scores) < 0.02


def test_measurable_and_actionable_are_counted():
    labels = pd.Series(["a"] * 60 + ["b"] * 30 + ["unknown"] * 10)
    truth = pd.Series(["a"] * 50 + ["b"] * 40, index=range(90))
    reachable = pd.Series([True] * 45 + [False] * 55)
    card = principles.score(labels, truth=truth, reachable=reachable, customers=pd.RangeIndex(120), smallest=50)
    assert card.table.loc["measurable", "score"] == pytest.approx(90 / 120 * 80 / 90)
    assert card.table.loc["actionable", "score"] == pytest.approx(60 / 90 * 45 / 90)
    assert "Not judged: differentiable, stable" in str(card)


def test_comparing_needs_names_and_makes_no_sum():
    labels = pd.Series(["a", "b"] * 60)
    cards = [principles.score(labels, name=name) for name in ("one", "two")]
    table = principles.compare(cards)
    assert list(table.columns) == [*principles.PRINCIPLES, "segments"]
    with pytest.raises(InputError, match="one name"):
        principles.compare([cards[0], cards[0]])
    with pytest.raises(InputError, match="nothing to compare"):
        principles.compare([])
    with pytest.raises(InputError, match="none of the 2 customers"):
        principles.score(pd.Series(["unknown", None]))
    with pytest.raises(KindError, match="Series by customer_id"):
        principles.score(["a"])
