"""How warnings are judged: against scikit-learn, plain counting, and the closed form of the threshold."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, precision_score, recall_score, roc_auc_score

from crmkit.errors import ColumnError, InputError
from crmkit.lifecycle.churn_evaluation import Costs, cost_curve, lead_times, scorecard, separation

COSTS = Costs(false_alarm=12, missed=90, caught=79.5)
people = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=40)


# --- costs ------------------------------------------------------------------------------------------------------------


def test_the_threshold_is_where_both_choices_cost_the_same():
    for risk, better in ((COSTS.threshold - 0.01, "quiet"), (COSTS.threshold + 0.01, "warn")):
        warn = risk * COSTS.caught + (1 - risk) * COSTS.false_alarm
        quiet = risk * COSTS.missed + (1 - risk) * COSTS.quiet
        assert (warn < quiet) == (better == "warn")


def test_a_call_that_keeps_a_quarter():
    costs = Costs.of_call(call=12, value=90, saved=0.25)
    assert (costs.false_alarm, costs.missed, costs.caught, costs.quiet) == (12, 90, 79.5, 0)
    assert costs.threshold == pytest.approx(12 / 22.5)  # a call pays if risk × 0.25 × 90 > 12


@pytest.mark.parametrize(
    ("money", "says"),
    [
        ({"false_alarm": -1, "missed": 9, "caught": 1}, "false_alarm=-1"),
        ({"false_alarm": 1, "missed": 2, "caught": 2}, "must cost more than caught"),
        ({"false_alarm": 1, "missed": 9, "caught": 2, "quiet": 3}, "at least quiet=3"),
        ({"false_alarm": "1", "missed": 9, "caught": 2}, "false_alarm='1'"),
        ({"false_alarm": 1, "missed": np.inf, "caught": 2}, "missed=inf"),
    ],
)
def test_costs_that_decide_nothing_are_refused(money, says):
    with pytest.raises(InputError, match=says):
        Costs(**money)


@pytest.mark.parametrize("saved", [0, 1.2, -0.1])
def test_a_saved_share_is_a_share(saved):
    with pytest.raises(InputError, match=f"saved={saved}"):
        Costs.of_call(call=1, value=9, saved=saved)


def test_a_call_dearer_than_what_it_saves_is_refused():
    with pytest.raises(InputError, match=r"missed=90 must cost more than caught=92\.5"):
        Costs.of_call(call=25, value=90, saved=0.25)


@given(people)
@settings(max_examples=60, deadline=None)
def test_every_row_of_the_curve_is_what_counting_gives(rows):
    score, left = (pd.Series(column) for column in zip(*rows, strict=True))
    curve = cost_curve(score, left, COSTS)
    assert curve["threshold"].to_list() == [np.inf, *sorted(set(score), reverse=True)]
    for row in curve.itertuples():
        warned = score >= row.threshold
        assert (row.warned, row.caught) == (warned.sum(), (warned & left).sum())
        assert row.cost == pytest.approx(COSTS.total(warned, left))
        tn, fp, fn, tp = confusion_matrix(left, warned, labels=[False, True]).ravel()
        assert row.cost == pytest.approx(12 * fp + 90 * fn + 79.5 * tp + 0 * tn)
        if warned.any():
            assert row.precision == pytest.approx(precision_score(left, warned, zero_division=0))
        if left.any():
            assert row.recall == pytest.approx(recall_score(left, warned))
        else:
            assert np.isnan(row.recall)


def test_on_calibrated_risks_the_cheapest_threshold_is_the_closed_form():
    random = np.random.default_rng(1)
    risk = random.beta(2, 4, 60_000)
    curve = cost_curve(pd.Series(risk), pd.Series(random.uniform(size=60_000) < risk), COSTS)
    assert curve.loc[curve["cost"].idxmin(), "threshold"] == pytest.approx(COSTS.threshold, abs=0.03)


def test_scores_and_outcomes_must_be_whole():
    with pytest.raises(InputError, match="score is missing for 1 of 2"):
        cost_curve(pd.Series([1, np.nan]), pd.Series([True, False]), COSTS)
    with pytest.raises(InputError, match="left is missing for 1 of 2"):
        cost_curve(pd.Series([1, 2]), pd.Series([True, None]), COSTS)
    with pytest.raises(InputError, match="2 scores and 1 outcomes"):
        cost_curve(pd.Series([1, 2]), pd.Series([True]), COSTS)


# --- the scorecard ----------------------------------------------------------------------------------------------------


def test_the_scorecard_has_the_baselines_and_says_who_wins():
    left = pd.Series([True] * 20 + [False] * 80)
    sharp, blunt = pd.Series([True] * 18 + [False] * 82), pd.Series([False] * 50 + [True] * 50)
    card = scorecard({"sharp": sharp, "blunt": blunt}, left, COSTS)
    assert card.index.to_list() == ["sharp", "nobody", "blunt", "everybody"]
    assert card.loc["nobody", "saved"] == 0
    assert card.loc["sharp", "saved"] == pytest.approx(18 * (90 - 79.5))
    assert card.loc["sharp", ["precision", "recall"]].to_list() == [1, 0.9]
    assert card.attrs["verdict"].startswith("“sharp” costs least")
    assert scorecard({"blunt": blunt}, left, COSTS).attrs["verdict"] == "No warning beats warning nobody."


def test_without_leavers_recall_is_unknown():
    card = scorecard({"some": pd.Series([True, False])}, pd.Series([False, False]), COSTS)
    assert card["recall"].isna().all()
    assert card["recall_high"].eq(1).all()
    assert scorecard({}, pd.Series([False]), COSTS).index.to_list() == ["nobody", "everybody"]


def test_a_warning_is_yes_or_no_for_everybody():
    for wrong in (pd.Series([True]), pd.Series([True, None]), pd.Series([0.4, 0.6])):
        with pytest.raises(InputError, match="x: give yes or no for each of 2"):
            scorecard({"x": wrong}, pd.Series([True, False]), COSTS)


# --- lead time --------------------------------------------------------------------------------------------------------


def watch_of(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "as_of", "warned"])
    return frame.assign(as_of=pd.to_datetime(frame["as_of"]))


def test_lead_times_by_hand():
    watched = watch_of(
        ("early", "2025-01-31", True), ("early", "2025-04-30", True),
        ("same day", "2025-05-31", True), ("late", "2025-05-31", False), ("late", "2025-07-31", True),
        ("too early", "2024-06-30", True), ("stays", "2025-01-31", True),
    )  # fmt: skip
    left = pd.Series(
        pd.to_datetime(["2025-05-10", "2025-05-31", "2025-06-30", "2025-05-10", None]),
        index=["early", "same day", "late", "too early", "stays"],
    )
    table = lead_times(watched, left, within="150 days")
    assert table["lead_days"].dropna().to_dict() == {"early": 99}
    assert table.index.to_list() == ["early", "late", "too early"]  # on the day of leaving nothing can be done any more
    assert table.attrs["caught"] == pytest.approx(1 / 3)
    assert "at least 99 days before" in table.attrs["note"]


def test_lead_times_need_leavers_who_were_watched():
    with pytest.raises(InputError, match="no leaver was watched"):
        lead_times(watch_of(("a", "2025-05-31", True)), pd.Series(pd.to_datetime(["2025-05-01"]), index=["a"]))
    with pytest.raises(ColumnError, match="warnings has no column 'warned'"):
        lead_times(watch_of(("a", "2025-05-31", True)).drop(columns="warned"), pd.Series(dtype="datetime64[us]"))
    day = pd.Series(pd.to_datetime(["2025-06-01"] * 2), index=["a", "a"])
    with pytest.raises(InputError, match="names a customer twice"):
        lead_times(watch_of(("a", "2025-05-31", True)), day)
    carrying = watch_of(("a", "2025-05-31", True)).assign(left_on=pd.NaT)
    assert lead_times(carrying, day.head(1))["lead_days"].to_list() == [1]
    none = lead_times(watch_of(("a", "2025-05-31", False)), pd.Series(pd.to_datetime(["2025-06-01"]), index=["a"]))
    assert none.attrs["note"].startswith("None of 1 leavers")


# --- separation -------------------------------------------------------------------------------------------------------


@given(people.filter(lambda rows: len({left for _, left in rows}) == 2))
@settings(max_examples=60, deadline=None)
def test_separation_is_scikit_learns_area_under_the_curve(rows):
    score, left = (pd.Series(column) for column in zip(*rows, strict=True))
    assert separation(pd.DataFrame({"x": score}), left).loc["x", "auc"] == pytest.approx(roc_auc_score(left, score))


def test_the_sharpest_feature_comes_first_and_missing_values_are_counted():
    features = pd.DataFrame({"noise": [1, 2, 1, 2], "word": list("abcd"), "leak": [9.0, 8, 1, np.nan]})
    table = separation(features, pd.Series([True, True, False, False]))
    assert table.index.to_list() == ["leak", "noise"]
    assert table.loc["leak", ["auc", "missing"]].to_list() == [1, 1]
    with pytest.raises(InputError, match="all 4 customers left"):
        separation(features, pd.Series([True] * 4))
