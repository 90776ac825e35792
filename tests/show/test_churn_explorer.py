"""The churn widget shows what its twin returns, and never raises."""

import numpy as np
import pandas as pd
import pytest

from crmkit import show
from crmkit.errors import InputError
from crmkit.lifecycle.churn_evaluation import Costs

RANDOM = np.random.default_rng(4)
SCORE = pd.Series(RANDOM.beta(2, 5, 300))
LEFT = pd.Series(RANDOM.uniform(size=300) < SCORE)


@pytest.fixture
def explorer():
    return show.churn_explorer(SCORE, LEFT, "EUR")


def parts(explorer):
    return {child.description: child for child in explorer.children[:-1]}, explorer.children[-1]


def test_the_words_on_the_controls(explorer):
    controls, _ = parts(explorer)
    words = ["Warn from this score on", "A call costs", "A customer is worth", "A call keeps (share)"]
    assert list(controls) == words


def test_every_slider_moves_what_is_shown_to_what_the_twin_returns(explorer):
    controls, shown = parts(explorer)
    setting = {"threshold": 0.3, "call": 5.0, "value": 120.0, "saved": 0.4}
    for control, value in zip(controls.values(), setting.values(), strict=True):
        control.value = value
    setting["threshold"] = controls["Warn from this score on"].value
    assert shown.value == show.churn_view(SCORE, LEFT, currency="EUR", **setting).html()
    assert 'class="crmkit crmkit-churn-view"' in shown.value


def test_the_twin_counts_what_counting_gives():
    view = show.churn_view(SCORE, LEFT, 0.3, call=5, value=120, saved=0.4)
    warned = SCORE >= 0.3
    costs = Costs.of_call(call=5, value=120, saved=0.4)
    assert view.figures["warned"] == warned.sum()
    assert view.figures["precision"] == pytest.approx(LEFT[warned].mean())
    assert view.figures["recall"] == pytest.approx((warned & LEFT).sum() / LEFT.sum())
    assert view.figures["cost"] == pytest.approx(costs.total(warned, LEFT))
    assert view.figures["cheapest_cost"] == view.curve["cost"].min()
    assert view.figures["nobody"] == LEFT.sum() * 120
    assert f"{warned.sum():,} of 300 customers warned" in view.text
    assert "<img" not in view._repr_html_()


def test_the_cheapest_threshold_is_called_so():
    best = show.churn_view(SCORE, LEFT, 0.3, call=5, value=120, saved=0.4).figures["cheapest_threshold"]
    view = show.churn_view(SCORE, LEFT, best, call=5, value=120, saved=0.4)
    assert view.ax.get_title() == "Your threshold is the cheapest"
    nobody = show.churn_view(SCORE, LEFT, 2.0)
    assert nobody.text.startswith("0 of 300 customers warned: 0 of")


def test_a_setting_that_decides_nothing_shows_its_message(explorer):
    controls, shown = parts(explorer)
    controls["A customer is worth"].value = 10
    controls["A call costs"].value = 60
    assert 'role="alert"' in shown.value
    assert "must cost more than caught" in shown.value


def test_scores_without_a_difference_are_refused():
    with pytest.raises(InputError, match="at least two"):
        show.churn_explorer(pd.Series([1.0, 1.0]), pd.Series([True, False]))
