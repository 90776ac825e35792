"""Pictures of target lists say what the tables say; the widget of a tag shows what its twin returns."""

import numpy as np
import pandas as pd
import pytest

from crmkit import show
from crmkit.errors import InputError
from crmkit.evaluation import targets
from crmkit.segmentation import tags

RANDOM = np.random.default_rng(4)
PEOPLE = pd.DataFrame(
    {"orders": RANDOM.integers(0, 12, 1200), "age": np.where(RANDOM.random(1200) < 0.3, np.nan, 40.0)},
    index=pd.RangeIndex(1200, name="customer_id"),
)
PEOPLE.attrs["as_of"] = "2026-06-30"
CONTACT = RANDOM.random(1200) < 0.5
BOUGHT = RANDOM.random(1200) < 0.03 + 0.3 * CONTACT * (PEOPLE["orders"] >= 8)
TRIAL = pd.DataFrame({"group": np.where(CONTACT, "contact", "control"), "bought": BOUGHT}, index=PEOPLE.index)
PRICE = {"design": "randomised", "cost_per_contact": 0.4, "coupon": 2.0}


def flat(ax) -> str:
    return " ".join(ax.get_title().split())


def test_costs_are_drawn_where_they_are():
    compared = targets.compare(TRIAL, {"all": TRIAL.index, "often": PEOPLE["orders"] >= 8}, "bought", margin=9, **PRICE)
    ax = show.target_costs(compared)
    cheap, dear = compared.loc["often", "cost_per_buyer"], compared.loc["all", "cost_per_buyer"]
    assert (
        flat(ax) == f"One more buyer costs {show.style.money(cheap)} with often and {show.style.money(dear)} with all"
    )
    drawn = {round(float(x), 6) for line in ax.get_lines() for x in np.atleast_1d(line.get_xdata())}
    assert {round(cheap, 6), round(dear, 6), 9.0} <= drawn
    assert ax.get_xlabel() == "cost of one more buyer (money)"
    assert show.target_costs(compared, currency="EUR").get_xlabel() == "cost of one more buyer (EUR)"
    sizes = [label.get_text().split("\n")[1] for label in ax.get_yticklabels()]
    assert sizes == [f"{size:,} written to" for size in compared["customers"]]


def test_a_list_without_effect_has_an_open_end_and_no_point():
    seldom = PEOPLE["orders"] < 8
    compared = targets.compare(TRIAL, {"seldom": seldom, "often": ~seldom}, "bought", **PRICE)
    assert compared.loc["seldom", "cost_high"] == np.inf
    markers = [line.get_marker() for line in show.target_costs(compared).get_lines()]
    assert markers.count(">") == 1


def test_nobody_moved_is_said():
    none = TRIAL.assign(bought=(np.arange(1200) % 40 == 0) & ~CONTACT)
    compared = targets.compare(none, {"all": none.index}, "bought", **PRICE)
    assert flat(show.target_costs(compared)) == "No list has brought more buyers than no message"


def test_promises_are_drawn_with_their_means():
    lists = {f"{n} or more": PEOPLE["orders"] >= n for n in range(1, 9)}
    chosen = targets.choose(TRIAL, lists, "bought", splits=30)
    ax = show.kept_promises(chosen)
    means = {round(chosen.attrs[name] * 100, 6) for name in ("promised", "kept")}
    assert means <= {round(float(line.get_xdata()[0]), 6) for line in ax.get_lines()}
    assert flat(ax).startswith("The best of 8 rules promised +")


def test_the_view_counts_what_preview_and_overlaps_count():
    given = tags.apply(PEOPLE, {"tag": [{"name": "known", "rule": "age > 18", "meaning": "", "from": "2026-01-01"}]})
    view = show.tag_view(PEOPLE, "orders >= 8 OR age > 90", given=given)
    hit = (PEOPLE["orders"] >= 8) | (PEOPLE["age"] > 90)
    assert view.preview["customers"].item() == hit.sum()
    assert view.overlap.to_dict() == {"known": int((hit & PEOPLE["age"].notna()).sum())}
    open_ = int(((PEOPLE["orders"] < 8) & PEOPLE["age"].isna()).sum())
    assert f"{open_:,} cannot be judged" in view.text
    assert view.cost is None
    judged = show.tag_view(PEOPLE, "orders >= 8", experiment=TRIAL, **PRICE)
    other = targets.compare(TRIAL, {"tagged": PEOPLE["orders"] >= 8}, "bought", **PRICE)
    pd.testing.assert_frame_equal(judged.cost.loc[["tagged"]], other, check_names=False)


def test_the_widget_shows_the_view_and_tells_what_a_rule_may_not_be():
    widget = show.tag_explorer(PEOPLE, "orders >= {n}", experiment=TRIAL, **PRICE)
    rule, number, shown = widget.children
    assert shown.value == show.tag_view(PEOPLE, "orders >= 5", experiment=TRIAL, **PRICE).html()
    number.value = 9
    assert shown.value == show.tag_view(PEOPLE, "orders >= 9", experiment=TRIAL, **PRICE).html()
    rule.value = "orders >= 9; DROP TABLE x <b>"
    assert "This rule does not work" in shown.value
    assert "at character 12" in shown.value
    assert "<b>'" not in shown.value
    rule.value = "orders >= 11"
    assert shown.value == show.tag_view(PEOPLE, "orders >= 11", experiment=TRIAL, **PRICE).html()


def test_rule_texts_are_escaped():
    shown = show.tag_view(PEOPLE, "orders < 3").html(picture=False)
    assert "orders &lt; 3" in shown
    assert "orders < 3" not in shown


def test_nothing_to_draw_is_said():
    with pytest.raises(InputError):
        show.target_costs(pd.DataFrame())
    with pytest.raises(InputError):
        show.kept_promises(pd.DataFrame())
