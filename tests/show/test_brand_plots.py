"""Pictures of brand, use and cycle: the titles say what the tables say, marks lie where the figures are, the widget shows its twin."""

import numpy as np
import pandas as pd
import pytest

from crmkit import show
from crmkit.errors import ColumnError, InputError
from crmkit.segmentation import brands, cycles

PEOPLE = pd.DataFrame(
    {
        "trips": [9, 6, 1, 1, 0, 8],
        "store_trips": [0.0, 3.0, 1.0, 0.0, 0.0, 8.0],
        "store_share": [0.0, 0.5, 1.0, 0.0, np.nan, 1.0],
        "quantity": [30, 12, 1, 1, 0, 9],
        "spend": [90.0, 30.0, 2.0, 3.0, 0.0, 25.0],
    }
)


def test_nine_cells_name_the_cell_with_most_money_and_who_has_no_label(title):
    found = brands.cells(brands.matrix(PEOPLE, least_trips=2))
    ax = show.nine_cells(found)
    assert title(ax) == "National, high: 17 % of 6 households, 60 % of the money; 2 of all bought on one trip only"
    assert "without a label: 2 too few trips, 1 unknown" in ax.get_xlabel()
    assert len(ax.texts) == 9
    assert any("1 in all, 0 on one trip" in text.get_text() for text in ax.texts)


def test_nine_cells_print_the_four_numbers_that_make_them():
    ax = show.nine_cells(brands.cells(brands.matrix(PEOPLE, loyal=(0.1, 0.75), cuts=(1, 9))))
    assert [name.get_text() for name in ax.get_xticklabels()] == ["low\n(up to 1)", "medium\n(up to 9)", "high\n(more)"]
    assert [name.get_text() for name in ax.get_yticklabels()] == [
        "national\n(≤ 10 %)",
        "switcher\n(between)",
        "store\n(≥ 75 %)",
    ]
    found = brands.cells(brands.matrix(PEOPLE))
    found.attrs = {}
    assert [name.get_text() for name in show.nine_cells(found).get_xticklabels()] == ["low", "medium", "high"]


def test_without_money_the_largest_cell_is_named(title):
    found = brands.cells(brands.matrix(PEOPLE.assign(spend=0.0)))
    assert "of the money" not in title(show.nine_cells(found))


def test_switchers_are_drawn_with_interval_and_expectation(title):
    table = brands.switchers_by_trips(PEOPLE, brands.Shares(0.5, 0.5, 6, 3, 0.0), groups=(1, 2))
    ax = show.switchers_by_trips(table)
    assert title(ax).startswith("Switchers rise from 0 % (1 trip) to 33 % (2+ trips)")
    (expected, *_) = ax.get_lines()
    assert expected.get_ydata() == pytest.approx(table["expected"] * 100)
    inside = ((table["low"] <= table["expected"]) & (table["expected"] <= table["high"])).sum()
    assert f"in {inside} of 2 groups" in title(ax)


def effects(clear):
    names = pd.MultiIndex.from_product([["high", "low"], ["10 %", "50 %"]], names=["use", "arm"])
    table = pd.DataFrame({"effect": [0.1, -0.3, 0.0, 0.2]}, index=names)
    for suffix, wide in (("", 0.05), ("_all", 0.15 if clear else 0.5)):
        table[f"low{suffix}"], table[f"high{suffix}"] = table["effect"] - wide, table["effect"] + wide
    table.attrs = {"kind": "mean", "outcome": "net_margin"}
    return table


def test_offers_that_cannot_be_told_from_zero_are_said_to_be_so(title):
    unclear, clear = effects(clear=False), effects(clear=True)
    assert title(show.offer_effects(unclear)) == "Largest effect: 50 % for low (+0.20); none of 4 clearly above zero"
    ax = show.offer_effects(clear)
    assert title(ax) == "Largest effect: 50 % for low (+0.20); 1 of 4 clearly above zero"
    assert "net margin" in ax.get_xlabel()
    clear.loc[("high", "50 %"), "effect"] = 0.25
    assert title(show.offer_effects(clear)).startswith("50 % is best everywhere, most for high (+0.25)")
    worse = clear.assign(low_all=-1.0)
    worse.loc[("high", "50 %"), ["effect", "low_all", "high_all"]] = [-0.3, -0.4, -0.2]
    assert (
        title(show.offer_effects(worse))
        == "1 of 4 effects are clearly below zero, lowest 50 % for high (−0.30); none clearly above"
    )


def test_hits_of_all_methods_are_drawn_and_only_a_clear_lead_is_called_one(title):
    rates = pd.DataFrame(
        {"hit_rate": [0.4, 0.35, 0.3, 0.3, 0.2], "low": [0.3, 0.3, 0.2, 0.2, 0.1], "high": [0.5, 0.4, 0.4, 0.4, 0.25]},
        index=pd.Index(cycles.METHODS, name="method"),
    ).assign(households=90)
    ax = show.due_hits({"coffee": rates, "tea": rates.assign(low=0.0)})
    assert title(ax) == "The due date hits clearly more often than a day by lot in 1 of 2 (coffee: 40 % against 20 %)"
    assert title(show.due_hits(rates.assign(low=0.0))).endswith("by lot 20 %: no clear difference")
    assert "in none of 2" in title(show.due_hits({name: rates.assign(low=0.0) for name in ("coffee", "tea")}))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(cycles.METHODS)


def test_the_widget_shows_the_view():
    widget = show.brand_explorer(PEOPLE)
    cuts = brands.matrix(PEOPLE).attrs["cuts"]
    assert widget.children[-1].value == show.brand_view(PEOPLE, (0.2, 0.8), cuts, 1).html()
    widget.children[0].value, widget.children[2].value = 100, 2
    assert widget.children[-1].value == show.brand_view(PEOPLE, (0, 1), cuts, 2).html()
    widget.children[1].value = (2, 3)
    assert widget.children[-1].value == show.brand_view(PEOPLE, (0, 1), (2, 3), 2).html()


def test_the_widget_of_weighed_goods_begins_with_the_usual_cells_too():
    weighed = PEOPLE.assign(quantity=PEOPLE["quantity"] * 0.35)
    assert show.brand_explorer(weighed).children[-1].value == show.brand_view(weighed).html()


def test_the_view_counts_who_changed_cell():
    view = show.brand_view(PEOPLE, (0, 1), (10, 20), 1)
    usual, moved = brands.matrix(PEOPLE)["cell"], brands.matrix(PEOPLE, loyal=(0, 1), cuts=(10, 20))["cell"]
    assert view.moved == (usual != moved).sum() > 0
    assert view.cells["households"].sum() == len(PEOPLE)


def test_nothing_to_draw_is_said():
    with pytest.raises(ColumnError, match="'one_trip'"):
        show.nine_cells(brands.cells(brands.matrix(PEOPLE)).drop(columns="one_trip"))
    with pytest.raises(InputError, match="0 rows"):
        show.offer_effects(effects(clear=True).iloc[:0])
    with pytest.raises(ColumnError):
        show.brand_explorer(PEOPLE.drop(columns="trips"))
    with pytest.raises(InputError, match="no effect to draw"):
        show.offer_effects(effects(clear=True).assign(effect=np.nan))
    with pytest.raises(InputError, match="no back-test"):
        show.due_hits({})


def test_a_cell_without_an_effect_is_left_out_of_the_picture():
    table = effects(clear=True)
    gone = table.copy()
    gone.loc[gone.index[0]] = np.nan
    gone.attrs = table.attrs
    ax = show.offer_effects(gone)
    assert f"of {len(table) - 1} " in ax.get_title().replace("\n", " ")
    assert "nan" not in ax.alt_text
