"""The widget shows what its headless twin returns, quickly, and never raises."""

import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crmkit import show
from crmkit.errors import ColumnError, InputError, KindError
from crmkit.segmentation import rfm
from crmkit.show.explorer import spread_cuts


@pytest.fixture
def explorer(summary):
    return show.rfm_explorer(summary)


def parts(explorer):
    """The controls and the shown HTML, found as a person finds them: by their words."""
    controls = {child.description: child for child in explorer.children[:-1]}
    return controls, explorer.children[-1]


def test_the_words_on_the_controls(explorer):
    """A browser test looks for these."""
    controls, _ = parts(explorer)
    assert list(controls) == [
        "Bins (scores 1 to …)",
        "Scheme",
        "Recency cut points (days)",
        "Cut points of orders",
        "Segment map",
    ]
    assert (controls["Bins (scores 1 to …)"].min, controls["Bins (scores 1 to …)"].max) == (3, 10)


@pytest.mark.parametrize("bins", [3, 6, 10])
def test_bins_move_the_picture_and_the_numbers_to_those_of_the_twin(explorer, summary, bins):
    controls, shown = parts(explorer)
    controls["Bins (scores 1 to …)"].value = bins
    view = show.rfm_view(summary, bins)
    assert shown.value == view.html()
    assert f"10 customers in {(view.cards['customers'] > 0).sum()} segments" in shown.value
    assert 'class="crmkit crmkit-rfm-view"' in shown.value


def test_another_map(explorer, summary):
    controls, shown = parts(explorer)
    controls["Segment map"].value = 1
    assert shown.value == show.rfm_view(summary, segment_map="eleven_segments").html()


def test_fixed_cut_points(explorer, summary):
    controls, shown = parts(explorer)
    recency, orders = controls["Recency cut points (days)"], controls["Cut points of orders"]
    assert recency.disabled
    controls["Scheme"].value = "cuts"
    assert not recency.disabled
    recency.value, orders.value = (7, 180), (1, 8)
    cuts = {"recency_days": [7.0, 22.0, 63.0, 180.0], "orders": [1.0, 2.0, 4.0, 8.0]}
    view = show.rfm_view(summary, 5, cuts)
    assert shown.value == view.html()
    assert "recency days 7, 22, 63, 180; orders 1, 2, 4, 8;" in shown.value
    assert view.cut_points["recency_days"] == cuts["recency_days"]


def test_the_twin_is_the_path_of_the_data(summary):
    view = show.rfm_view(summary)
    pd.testing.assert_frame_equal(view.cards, rfm.cards(rfm.segment(rfm.score(summary))))
    assert repr(view) == view.text
    assert "<img" in view.html()
    assert "<img" not in view._repr_html_()  # the notebook shows the figure itself


def test_any_map_of_your_own(summary):
    rules = pd.DataFrame({"segment": ["<Good>", "Rest"], "r": ["4-5", "remainder"], "f": ["1-5", "remainder"]})
    controls, shown = parts(show.rfm_explorer(summary, [rules, "ten_segments"]))
    assert [name for name, _ in controls["Segment map"].options] == ["own map", "ten segments"]
    assert "&lt;Good&gt;" in shown.value
    assert "<Good>" not in shown.value
    assert "10 customers in 2 segments" in shown.value


def test_what_does_not_work_is_told_inside_and_mends_itself(summary):
    controls, shown = parts(show.rfm_explorer(summary, ["ten_segments", "no<map"]))
    controls["Segment map"].value = 1
    assert 'role="alert"' in shown.value
    assert "no&lt;map" in shown.value
    controls["Segment map"].value = 0
    assert shown.value == show.rfm_view(summary).html()


def test_a_table_that_can_never_be_scored_is_refused_at_once(summary):
    with pytest.raises(KindError):
        show.rfm_explorer(summary["spend"])
    with pytest.raises(ColumnError, match="orders"):
        show.rfm_explorer(summary.drop(columns="orders"))
    with pytest.raises(InputError, match="no customers"):
        show.rfm_explorer(summary.iloc[:0])


def test_one_customer_and_customers_who_are_all_alike(summary):
    for table in (summary.iloc[:1], summary.assign(recency_days=0, orders=1, spend=0.0)):
        controls, shown = parts(show.rfm_explorer(table))
        assert "in 1 segment<" in shown.value
        controls["Scheme"].value = "cuts"
        controls["Bins (scores 1 to …)"].value = 3
        assert "in 1 segment<" in shown.value


def test_an_update_is_quick_and_leaves_no_figure(summary):
    rng = np.random.default_rng(1)
    many = pd.DataFrame(
        {
            "recency_days": rng.integers(0, 300, 2469),
            "orders": rng.geometric(0.02, 2469),
            "spend": rng.gamma(1, 1900, 2469).round(2),
        }
    )
    controls, _ = parts(show.rfm_explorer(many))
    started = time.process_time()
    for bins in (6, 5):
        controls["Bins (scores 1 to …)"].value = bins
    assert (time.process_time() - started) / 2 < 0.6  # measured: 0.2 to 0.3 s; room for a slow machine
    assert plt.get_fignums() == []


def test_the_summary_stays_as_it_is(summary, explorer):
    before = summary.copy(deep=True)
    controls, _ = parts(explorer)
    controls["Scheme"].value = "cuts"
    pd.testing.assert_frame_equal(summary, before)


@pytest.mark.parametrize("bins", range(3, 11))
@pytest.mark.parametrize("ends", [(0, 0), (0, 1), (3, 400), (5, 5)])
def test_cut_points_ascend_from_one_end_of_the_slider_to_the_other(ends, bins):
    cuts = spread_cuts(*ends, bins)
    assert len(cuts) == bins - 1
    assert cuts == sorted(cuts)
    assert (cuts[0], cuts[-1]) == ends
