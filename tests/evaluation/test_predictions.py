"""Lift, AUC, Brier and calibration: against scikit-learn, against their definitions, and against simulated truth."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, roc_auc_score

from crmkit.errors import InputError, KindError
from crmkit.evaluation.predictions import difference, judge

people = st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=3, max_size=60).filter(
    lambda rows: len({yes for _, yes in rows}) == 2
)


def columns(rows):
    return np.array([score for score, _ in rows]) / 8, np.array([yes for _, yes in rows])


# --- AUC --------------------------------------------------------------------------------------------------


@given(people)
def test_auc_and_brier_as_scikit_learn_computes_them(rows):
    score, yes = columns(rows)
    found = judge(score, yes)
    assert found.auc == pytest.approx(roc_auc_score(yes, score), abs=1e-12)
    assert found.brier == pytest.approx(brier_score_loss(yes, score), abs=1e-12)
    assert (found.people, found.yes) == (len(rows), yes.sum())
    assert 0 <= found.auc_low <= found.auc <= found.auc_high <= 1


@given(people, st.randoms())
def test_neither_the_order_of_rows_nor_a_stretched_scale_changes_anything(rows, random):
    found = judge(*columns(rows))
    random.shuffle(rows)
    score, yes = columns(rows)
    again, stretched = judge(score, yes), judge(score**3 * 70 - 4, yes, probabilities=False)
    for other in (again, stretched):
        assert (other.auc, other.auc_low) == pytest.approx((found.auc, found.auc_low))
        pd.testing.assert_frame_equal(other.lift, found.lift)
    pd.testing.assert_frame_equal(again.calibration, found.calibration)


def test_the_variance_by_its_definition():
    """DeLong and others (1988), equation by equation: every pair is looked at."""
    random = np.random.default_rng(5)
    score, yes = random.integers(0, 12, 80) / 12, random.random(80) < 0.3
    pairs = (score[yes][:, None] > score[~yes]) + 0.5 * (score[yes][:, None] == score[~yes])
    variance = pairs.mean(axis=1).var(ddof=1) / yes.sum() + pairs.mean(axis=0).var(ddof=1) / (~yes).sum()
    found = judge(score, yes)
    assert found.auc == pytest.approx(pairs.mean())
    assert found.auc_high - found.auc == pytest.approx(1.959964 * np.sqrt(variance), rel=1e-6)


def test_the_intervals_keep_what_they_promise():
    """Two normal scores: the true AUC of a shift d is Phi(d / sqrt 2) (Bamber 1975); the better one sees both shifts."""
    from statistics import NormalDist

    random, inside, gap_inside, runs = np.random.default_rng(11), 0, 0, 600
    truth = {shift: NormalDist().cdf(shift / np.sqrt(2)) for shift in (1.0, np.hypot(1.0, 1.0))}
    for _ in range(runs):
        yes = np.arange(150) < 40
        first, second = (random.normal(size=150) + yes for _ in range(2))
        one, both = judge(first, yes, probabilities=False), judge(first + second, yes, probabilities=False)
        inside += one.auc_low <= truth[1.0] <= one.auc_high
        _, low, high = difference(both, one)
        gap_inside += low <= truth[np.hypot(1.0, 1.0)] - truth[1.0] <= high
    # 600 runs of a 95 % interval: three standard errors are 2.7 points; DeLong's is known to be a little short
    assert inside / runs == pytest.approx(0.95, abs=0.027)
    assert gap_inside / runs == pytest.approx(0.95, abs=0.027)


def test_a_difference_needs_the_same_people():
    one = judge([0.1, 0.9, 0.4, 0.7], [0, 1, 0, 1])
    assert difference(one, one) == (0, 0, 0)
    with pytest.raises(InputError, match="different people"):
        difference(one, judge([0.1, 0.9, 0.4, 0.7], [1, 1, 0, 0]))


def test_of_one_yes_no_spread_is_known_so_the_interval_takes_the_largest():
    """Places lie between 0 and 1, so their variance is at most 1/4: 1 − 1.96 · 1/2 = 0.02."""
    found = judge([0.1, 0.9, 0.4], [0, 1, 0])
    assert (found.auc, found.auc_low, found.auc_high) == pytest.approx((1, 0.02, 1), abs=5e-4)


# --- lift -------------------------------------------------------------------------------------------------


def test_lift_by_hand():
    """Ten people, three yes at places 1, 2 and 6: the top fifth holds two of three, twice and a bit over three times the rate."""
    found = judge(np.linspace(1, 0, 10), [1, 1, 0, 0, 0, 1, 0, 0, 0, 0], depths=[0.2, 0.5, 1]).lift
    assert found["people"].tolist() == [2, 5, 10]
    assert found["yes"].tolist() == [2, 2, 3]
    assert found["lift"].tolist() == pytest.approx([1 / 0.3, 0.4 / 0.3, 1])
    assert found["found"].tolist() == pytest.approx([2 / 3, 2 / 3, 1])


def test_equal_scores_are_not_sorted_by_luck():
    """All ten alike: whoever is taken first, a tenth holds a tenth of what there is."""
    found = judge([0.5] * 10, [1, 1, 1, 0, 0, 0, 0, 0, 0, 0], depths=[0.1, 0.5, 1]).lift
    assert found["lift"].tolist() == pytest.approx([1, 1, 1])
    assert found["yes"].tolist() == pytest.approx([0.3, 1.5, 3])


@given(people, st.lists(st.floats(0.05, 1), min_size=1, max_size=5))
def test_what_every_table_of_lift_keeps(rows, depths):
    score, yes = columns(rows)
    found = judge(score, yes, depths=[*depths, 1.0]).lift
    assert found["found"].iloc[-1] == pytest.approx(1)
    assert found["lift"].iloc[-1] == pytest.approx(1)
    assert (found["yes"] <= found["people"] + 1e-9).all()
    deeper = found.sort_values("people")
    assert (deeper["yes"].diff().dropna() >= -1e-9).all()


# --- calibration ------------------------------------------------------------------------------------------


def test_true_probabilities_are_calibrated_and_shifted_ones_are_not():
    random = np.random.default_rng(8)
    truth = random.beta(1, 8, 20_000)
    yes = random.random(20_000) < truth
    good, bold = judge(truth, yes), judge(np.minimum(truth * 2, 1), yes)
    assert good.calibration["inside"].sum() >= 8  # ten 95 % intervals
    assert good.bias == pytest.approx(0, abs=0.006)
    assert bold.calibration["inside"].sum() <= 2
    assert bold.bias == pytest.approx(truth.mean(), abs=0.01)
    assert bold.auc == pytest.approx(good.auc, abs=0.001)  # the order is right, the numbers are not
    assert good.brier < good.brier_same_for_all
    assert good.brier < bold.brier


@given(people, st.integers(2, 12))
def test_groups_hold_everybody_and_keep_equals_together(rows, groups):
    score, yes = columns(rows)
    found = judge(score, yes, groups=groups).calibration
    assert found["people"].sum() == len(rows)
    assert found["yes"].sum() == yes.sum()
    assert (found["people"] * found["predicted"]).sum() == pytest.approx(score.sum())
    assert found["predicted"].is_monotonic_increasing
    assert len(found) <= min(groups, len(set(score)))


def test_points_have_no_brier():
    found = judge([70, 20, 40, 60], [1, 0, 0, 1], probabilities=False)
    assert np.isnan(found.brier)
    assert found.calibration is None
    assert "Brier" not in str(found)


def test_words():
    same = str(judge([0.4] * 6, [1, 0, 1, 0, 0, 0]))
    assert "not shown to be better than drawing lots" in same
    assert "not below the same rate for all (0.2222)" in same
    assert "worse than drawing lots" in str(judge(np.linspace(0, 1, 40), np.arange(40) < 15))


# --- mistakes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.1, 0.2], [1, 1]), "all 2 outcomes are yes"),
        (([0.1, 0.2], [0, 0]), "all 2 outcomes are no"),
        (([], []), "nobody is there"),
        (([0.1, 0.2, 0.3], [1, 0]), "3 scores and 2 outcomes"),
        (([0.1, np.nan], [1, 0]), "scores is missing for 1 of 2"),
        (([0.1, 0.2], pd.array([True, None], dtype="boolean")), "outcome is missing for 1 of 2"),
        (([70, 20], [1, 0]), "2 of 2 scores lie outside 0 to 1, such as 70; pass probabilities=False"),
        (([0.1, 0.2], [1, 2]), "yes or no"),
        (([np.inf, 0.2], [1, 0]), "infinite"),
    ],
)
def test_what_cannot_be_judged(arguments, message):
    with pytest.raises(InputError, match=message):
        judge(*arguments)


def test_wrong_kinds_and_options():
    with pytest.raises(KindError, match="scores must be numbers"):
        judge(["high", "low"], [1, 0])
    with pytest.raises(InputError, match="depths"):
        judge([0.1, 0.2], [1, 0], depths=[0])
    with pytest.raises(InputError, match="groups"):
        judge([0.1, 0.2], [1, 0], groups=1)
    score = pd.Series([0.1, 0.2], index=["a", "b"])
    with pytest.raises(InputError, match="different indexes"):
        judge(score, pd.Series([1, 0], index=["b", "a"]))
    assert judge(score, pd.Series([False, True], index=["a", "b"], dtype="boolean")).auc == 1


@settings(max_examples=20)
@given(people)
def test_inputs_are_not_touched(rows):
    score, yes = map(pd.Series, columns(rows))
    before = score.copy(), yes.copy()
    judge(score, yes)
    pd.testing.assert_series_equal(score, before[0])
    pd.testing.assert_series_equal(yes, before[1])
