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


def test_the_bars_are_the_share_known_in_each_fifth():
    known = pd.Series(BEFORE >= 240)
    ax = show.known_by_fifth(known, BEFORE)
    assert [round(bar.get_height()) for bar in ax.patches] == [0, 0, 0, 0, 100]
    with pytest.raises(InputError, match="five at least"):
        show.known_by_fifth(known.head(3), BEFORE)


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
