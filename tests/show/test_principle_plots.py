"""Pictures of the four principles, and the widget that shows what its twin returns."""

import numpy as np
import pandas as pd
import pytest

from crmkit import show
from crmkit.errors import InputError
from crmkit.segmentation import principles

BEFORE = pd.Series(np.arange(300, dtype=float))
AFTER = BEFORE.sample(frac=0.9, random_state=1) + np.random.default_rng(1).normal(0, 40, 270)


def test_the_grid_names_what_is_best_and_that_nothing_is_best_in_all():
    labels = pd.Series(["a", "b"] * 60)
    cards = [
        principles.score(labels, name="steady", later=labels, outcome=pd.Series(range(120), dtype=float)),
        principles.score(
            labels.where(labels.index < 60, "unknown"), name="half", outcome=(labels == "a").astype(float)
        ),
    ]
    title = show.principle_grid(principles.compare(cards)).get_title().replace("\n", " ")
    assert title.startswith("No segmentation is best in all four principles: steady is best in ")


@pytest.mark.parametrize(
    ("scores", "title"),
    [
        (
            {"A": [1.0, 0.96, 0.33, 0.17], "B": [1.0, 1.0, 0.42, 0.32], "C": [1.0, 0.75, 0.02, 0.6]},
            "No segmentation is best in all four principles: B is best in actionable and differentiable, C in stable; "
            "3 tie in measurable",
        ),
        ({"A": [0.5, 0.5, 0.5, 0.5], "B": [0.6, 0.6, 0.6, 0.6]}, "B is best in all four principles"),
        (  # 0.496 and 0.504 both read 0.50 in the grid
            {"A": [0.496, 0.5, 0.5, 0.5], "B": [0.504, 0.5, 0.5, 0.5]},
            "No segmentation is best in all four principles: 2 tie in measurable, actionable, differentiable and stable",
        ),
        (
            {"A": [0.5, 0.2, np.nan, np.nan], "B": [0.6, 0.1, np.nan, 0.3]},
            "No segmentation is best in all four principles: B is best in measurable and stable, A in actionable",
        ),
        ({"A": [0.5, 0.2, np.nan, 0.5]}, "A is strongest in measurable and stable"),
    ],
)
def test_the_title_of_the_grid_tells_ties_and_what_was_not_judged(scores, title):
    compared = pd.DataFrame.from_dict(scores, orient="index", columns=list(principles.PRINCIPLES))
    assert show.principle_grid(compared).get_title().replace("\n", " ") == title


def test_the_bars_are_the_share_known_in_each_fifth():
    known = pd.Series(BEFORE >= 240)
    ax = show.known_by_fifth(known, BEFORE)
    assert [round(bar.get_height()) for bar in ax.patches] == [0, 0, 0, 0, 100]
    with pytest.raises(InputError, match="five at least"):
        show.known_by_fifth(known.head(3), BEFORE)


def test_a_number_on_the_line_of_all_covers_it():
    """29 % stands where the line of the mean, 32 %, runs: the number has a ground of its own and lies above the line."""
    shares = np.repeat([0.0, 0.05, 0.29, 0.55, 0.71], 100)
    known = pd.Series(np.tile(np.arange(100) / 100, 5) < shares)
    ax = show.known_by_fifth(known, pd.Series(np.arange(500, dtype=float)))
    (number,) = (text for text in ax.texts if text.get_text() == "29 %")
    (line,) = ax.lines
    assert number.get_bbox_patch().get_facecolor()[:3] == (1, 1, 1)
    assert number.get_zorder() > line.get_zorder()
    assert ax.get_title() == "Of the highest fifth 71 % are known, of the lowest 0 %"
    few = show.known_by_fifth(known.where(known.index != 0, True), pd.Series(np.arange(500, dtype=float)))
    assert "less than" not in few.get_title()  # 1 of 100 is 1 %
    fewer = pd.Series(np.arange(1000) == 0)
    title = show.known_by_fifth(fewer, pd.Series(np.arange(1000, dtype=float))).get_title()
    assert title == "Of the highest fifth 0 % are known, of the lowest less than 1 %"


def test_the_view_is_judged_by_the_principles_and_the_widget_shows_it():
    view = show.grain_view(BEFORE, AFTER, 4)
    cuts = np.quantile(BEFORE, [0.25, 0.5, 0.75], method="inverted_cdf")
    labels, later = (pd.Series(np.searchsorted(cuts, half), index=half.index).astype(str) for half in (BEFORE, AFTER))
    card = principles.score(labels, outcome=AFTER.reindex(BEFORE.index).fillna(0.0), later=later)
    assert view.chosen["differentiable"] == pytest.approx(card.table.loc["differentiable", "score"])
    assert view.chosen["stable"] == pytest.approx(card.table.loc["stable", "score"])
    widget = show.grain_explorer(BEFORE, AFTER)
    widget.children[0].value = 4
    assert widget.children[-1].value == view.html()


@pytest.mark.parametrize("segments", [1, 61, 2.5])
def test_impossible_grains_are_refused(segments):
    with pytest.raises(InputError, match="whole number from 2 to 60"):
        show.grain_view(BEFORE, AFTER, segments)
