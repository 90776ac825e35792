"""The widget of duplicates shows what its headless twin returns, and the twin tells the truth about pairs."""

import pandas as pd
import pytest

from crmkit import show
from crmkit.errors import ColumnError, InputError
from crmkit.tables import identity

#: A mother and a daughter with one name and one telephone; the mother twice; a stranger twice, once misspelt.
RECORDS = pd.DataFrame(
    [
        ("R1", "Theresa Wagner", "0160 8490774", None, "1953-09-27", "04103"),
        ("R2", "Wagner, Theresa", "+49 160 8490774", None, None, "04103"),
        ("R3", "Theresa Wagner", "0160/8490774", None, "1978-04-28", "04103"),
        ("R4", "<b>Melanie Schwarz", None, "m.schwarz@example.com", None, "04107"),
        ("R5", "Melnie Schwarz", None, "m.schwarz@example.com", None, "04107"),
    ],
    columns=["record_id", "name", "phone", "email", "birth_date", "postcode"],
).assign(birth_date=lambda table: pd.to_datetime(table["birth_date"]))
TRUTH = pd.Series({"R1": "mother", "R2": "mother", "R3": "daughter", "R4": "melanie", "R5": "melanie"})
PAIRS = identity.match(identity.normalise(RECORDS))


def test_wrong_and_missed_pairs_are_those_of_the_truth():
    view = show.identity_view(RECORDS, PAIRS, TRUTH, 9)
    # R1 and R3 contradict each other (5 points) and are joined through R2, which fits both
    assert list(zip(view.wrong["left"], view.wrong["right"], strict=True)) == [("R2", "R3"), ("R1", "R3")]
    assert list(zip(view.missed["left"], view.missed["right"], strict=True)) == [("R4", "R5")]
    assert view.figures["wrong_pairs"] == 2
    assert view.figures.equals(identity.evaluate(identity.clusters(RECORDS, PAIRS, threshold=9), TRUTH))
    assert "2 pairs merged wrongly" in view.text
    assert repr(view) == view.text
    strict = show.identity_view(RECORDS, PAIRS, TRUTH, 30)
    assert strict.wrong.empty
    assert strict.figures["recall"] == 0


def test_the_figure_marks_where_we_are(title):
    view = show.identity_view(RECORDS, PAIRS, TRUTH, 9)
    marks = [line for line in view.ax.lines if line.get_marker() == "o"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in marks] == [
        (9, view.figures["precision"]),
        (9, view.figures["recall"]),
    ]
    assert title(view.ax).startswith("At 9 points")
    assert "recall from" in view.ax.alt_text


def test_names_cannot_become_markup_and_missing_values_are_a_dash():
    page = show.identity_view(RECORDS, PAIRS, TRUTH, 9).html(picture=False)
    assert "&lt;b&gt;Melanie" in page
    assert "<b>Melanie" not in page
    assert "NaT" not in page
    assert "nan" not in page.casefold().replace("melanie", "")


def test_the_slider_shows_what_the_twin_returns():
    widget = show.identity_explorer(RECORDS, PAIRS, TRUTH)
    slider, shown = widget.children
    assert slider.description == "Threshold (points)"
    for threshold in (slider.min, slider.max):
        slider.value = threshold
        assert shown.value == show.identity_view(RECORDS, PAIRS, TRUTH, threshold).html()


@pytest.mark.parametrize(
    ("records", "pairs", "error"),
    [(RECORDS.drop(columns="record_id"), PAIRS, ColumnError), (RECORDS, PAIRS.drop(columns="reason"), ColumnError), (RECORDS.head(2), PAIRS, InputError)],
)  # fmt: skip
def test_what_cannot_be_shown_is_refused(records, pairs, error):
    with pytest.raises(error):
        show.identity_view(records, pairs, TRUTH)
