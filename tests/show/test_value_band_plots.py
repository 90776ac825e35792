"""Pictures of value bands: titles say what the bands say, and the widget shows what its twin returns."""

import pandas as pd
import pytest

from crmkit import show
from crmkit.errors import InputError
from crmkit.segmentation import value

PEOPLE = pd.DataFrame({"orders": [1, 1, 2, 4, 8, 16], "spend": [5.0, 9, 12, 60, 90, 400]})


def test_the_curve_names_the_share_of_the_best_fifth_of_each_firm():
    title = show.lorenz_curve({"a": PEOPLE["spend"], "b": pd.Series([1.0, 1.0])}).get_title().replace("\n", " ")
    shares = [value.top_share(money, draws=2).value for money in (PEOPLE["spend"], pd.Series([1.0, 1.0]))]
    assert f"a {shares[0] * 100:.0f} %" in title
    assert f"b {shares[1] * 100:.0f} %" in title


def test_the_map_draws_the_cut_points_and_counts_the_high_band():
    banded = value.bands(PEOPLE)
    ax = show.value_band_map(banded)
    drawn = {round(float(line.get_xdata()[0]), 6) for line in ax.get_lines()} | {
        round(float(line.get_ydata()[0]), 6) for line in ax.get_lines()
    }
    assert {max(end, 0.5) for ends in banded.attrs["cuts"].values() for end in ends} <= drawn
    assert f"{(banded['value_band'] == 'high').sum()} of 6 customers" in ax.get_title().replace("\n", " ")


def test_the_widget_shows_the_view():
    view = show.band_view(PEOPLE, 0.33, 0.67)
    widget = show.band_explorer(PEOPLE)
    assert widget.children[-1].value == view.html()
    widget.children[1].value = 80
    assert widget.children[-1].value == show.band_view(PEOPLE, 0.33, 0.80).html()
    widget.children[0].value, widget.children[1].value = 60, 40
    assert "This setting does not work" in widget.children[-1].value


def test_moved_counts_customers_in_another_band_than_by_thirds():
    view = show.band_view(PEOPLE, 0.2, 0.9)
    other = value.bands(PEOPLE, shares=(0.2, 0.9))["value_band"].astype(str)
    assert view.moved == (other != value.bands(PEOPLE)["value_band"].astype(str)).sum()


def test_nothing_to_draw_is_said():
    with pytest.raises(InputError):
        show.value_band_map(PEOPLE)
