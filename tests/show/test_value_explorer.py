"""The widget shows what its headless twin returns, and never raises."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crmkit import datasets, lifecycle, show
from crmkit.errors import InputError, KindError

value = lifecycle.value


@pytest.fixture(scope="module")
def models():
    known = lifecycle.summary(datasets.load("cdnow").transactions, as_of="1997-09-30", unit="weeks")
    return [model().fit(known) for model in (value.BetaGeometric, value.ModifiedBetaGeometric, value.ParetoNBD)]


def parts(explorer):
    """The controls and the shown HTML, found as a person finds them: by their words."""
    return {child.description: child for child in explorer.children[:-1]}, explorer.children[-1]


def test_the_twin_says_what_the_models_say(models):
    view = show.silence_view(models, x=3, t_x=20, silence=10, horizon="13 weeks")
    history = pd.DataFrame({"x": [3], "t_x": [20.0], "T": [30.0]})
    for model in models:
        row = view.table.loc[model.TITLE]
        assert row.probability_alive == model.probability_alive(history, unit="weeks").item()
        assert row.expected_purchases == model.expected_purchases(history, "13 weeks", unit="weeks").item()
    assert view.text == (
        "Bought 4 times, last in week 20, silent for 10 weeks: still a customer with 65 % (BG/NBD), 62 % (MBG/NBD), 76 % "
        "(Pareto/NBD)"
    )
    assert "<img" in view.html()
    assert "<img" not in view._repr_html_()


def test_for_bg_nbd_a_customer_who_bought_once_stays_for_ever(models):
    """The known property of the model: nobody can leave before a repeat purchase. Published as the reason for MBG/NBD."""
    table = show.silence_view(models, x=0, t_x=0, silence=38).table
    assert table.probability_alive["BG/NBD"] == 1
    assert table.probability_alive["MBG/NBD"] == pytest.approx(0.39, abs=0.005)


def test_lines_fall_with_the_silence(models):
    ax = show.silence_view(models).ax
    curves = [line for line in ax.lines if len(line.get_xdata()) > 1]
    assert len(curves) == 3
    assert all((np.diff(line.get_ydata()) < 0).all() for line in curves)
    assert len({line.get_linestyle() for line in curves}) == 3


def test_the_controls_move_the_picture_to_that_of_the_twin(models):
    controls, shown = parts(show.silence_explorer(models))
    assert plt.get_fignums() == []
    assert list(controls) == ["Repeat purchases", "Last at (weeks)", "Silent for (weeks)"]
    controls["Repeat purchases"].value, controls["Silent for (weeks)"].value = 7, 30
    assert shown.value == show.silence_view(models, 7, controls["Last at (weeks)"].value, 30).html()
    controls["Repeat purchases"].value = 0
    assert controls["Last at (weeks)"].disabled
    assert shown.value == show.silence_view(models, 0, 0, 30).html()


def test_one_model_may_stand_alone(models):
    assert show.silence_view(models[0]).table.index.tolist() == ["BG/NBD"]


@pytest.mark.parametrize(
    "history", [{"x": -1}, {"x": 0}, {"x": 2.5}, {"t_x": 0}, {"silence": -1}, {"x": 0, "t_x": 0, "silence": -1}]
)
def test_a_history_that_cannot_be_is_refused(models, history):
    with pytest.raises(InputError, match="is no history"):
        show.silence_view(models, **history)


def test_what_is_no_model_or_another_unit_is_refused(models):
    days = lifecycle.summary(datasets.load("cdnow").transactions, as_of="1997-09-30")
    with pytest.raises(InputError, match=r"different units .days, weeks."):
        show.silence_explorer([*models, value.BetaGeometric().fit(days)])
    for wrong in ("BG/NBD", value.BetaGeometric(), None):
        with pytest.raises(KindError, match="fitted purchase model"):
            show.silence_view([wrong])
    with pytest.raises(InputError, match="0 models"):
        show.silence_view([])
    with pytest.raises(InputError, match="weeks"):
        show.silence_view(models, horizon="6 months")
