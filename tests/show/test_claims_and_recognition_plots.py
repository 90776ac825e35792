"""Pictures of lesson 1.1: titles say what the data say, and the widget shows what its twin returns."""

import pandas as pd
import pytest

from crmkit import datasets, show
from crmkit.errors import InputError
from crmkit.evaluation.intervals import share_interval

SAID = datasets.load("claims")


def test_the_grid_counts_what_definitions_speak_of():
    ax = show.definition_grid(SAID.codings)
    counts = SAID.codings.groupby("attribute")["says_so"].sum()
    assert f"{counts.max()} of 8" in ax.get_title()
    labels = {label.get_text().split("\n")[0]: label.get_text().split("\n")[1] for label in ax.get_xticklabels()}
    assert labels == {name: f"{count} of 8" for name, count in counts.items()}


def test_the_timeline_names_the_largest_conflict_or_none():
    assert show.source_timeline(SAID.timeline).get_title().replace("\n", " ").endswith("1993 or 1999")
    calm = SAID.timeline.drop_duplicates("topic")
    assert show.source_timeline(calm).get_title() == "No two sources contradict each other"


def test_shares_are_told_apart_when_their_intervals_are():
    shares = {"a": 0.86, "b": 0.83}
    ax = show.shares_with_sizes(shares, [400, 6400])
    apart = {n: share_interval(round(0.83 * n), n).high < share_interval(round(0.86 * n), n).low for n in (400, 6400)}
    assert apart == {400: False, 6400: True}
    assert "with 6,400 the ends can be told apart" in ax.get_title().replace("\n", " ")
    assert "all intervals overlap" in show.shares_with_sizes(shares, [50]).get_title().replace("\n", " ")


def test_the_view_is_the_function_and_the_widget_shows_the_view():
    view = show.recognition_view(regulars=300, remembers=150)
    row = view.curve.set_index("regulars").loc[300, "share"]
    assert row == view.share
    assert view.text in view.ax.alt_text
    widget = show.recognition_explorer()
    widget.children[0].value = 300
    assert widget.children[-1].value == view.html()
    widget.children[1].value = 300
    assert "100 % of repeat visits" in widget.children[-1].value


def test_impossible_numbers_are_refused():
    with pytest.raises(InputError):
        show.recognition_view(regulars=0)
    with pytest.raises(InputError):
        show.definition_grid(pd.DataFrame(columns=["definition_id", "attribute", "says_so"]))
