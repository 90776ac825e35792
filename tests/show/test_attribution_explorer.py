"""The attribution widget shows what its headless twin returns, and never raises."""

import pandas as pd
import pytest

from crmkit import show
from crmkit.errors import ColumnError, InputError
from crmkit.lifecycle import attribution

VISITS = pd.DataFrame(
    [
        ("k1", None, "2025-05-01 09:00", "social"),
        ("k1", "ann", "2025-06-19 09:00", "<email>"),
        ("k1", "ann", "2025-06-20 09:00", "direct"),
        ("k2", "bob", "2025-06-05 12:00", "direct"),
    ],
    columns=["visitor_id", "customer_id", "started_at", "source"],
)
SALES = pd.DataFrame({"customer_id": ["ann", "bob"], "converted_at": ["2025-06-20 10:00", "2025-06-05 13:00"]})
COSTS = pd.DataFrame(
    {
        "month": ["2025-05-01", "2025-06-01", "2025-06-01"],
        "source": ["social", "social", "<email>"],
        "spend": [50.0, 30.0, 2.0],
    }
)


@pytest.fixture
def explorer():
    return show.attribution_explorer(VISITS, SALES, COSTS)


def parts(explorer):
    return {child.description: child for child in explorer.children[:-1]}, explorer.children[-1]


def test_the_twin_is_credit_beside_the_spend_of_the_same_months():
    view = show.attribution_view(VISITS, SALES, COSTS, "60 days", "first")
    credit = attribution.credit(attribution.touch_paths(VISITS, SALES, window="60 days"), "first")["first"]
    assert view.table["credit"].to_dict() == credit.to_dict() == {"<email>": 0, "direct": 1, "social": 1}
    assert view.table.loc["social", ["spend", "cost"]].tolist() == [30, 30]  # May has no conversion
    assert pd.isna(view.table.loc["direct", "cost"])
    assert view.text == "2 new customers by first touch within 60 days; direct gets the most, 1.0"
    assert repr(view) == view.text
    assert "<img" not in view._repr_html_()


def test_controls_and_their_words(explorer):
    controls, shown = parts(explorer)
    assert list(controls) == ["Window (days)", "Rule", "Only if alone"]
    assert controls["Rule"].options == attribution.RULES
    assert shown.value == show.attribution_view(VISITS, SALES, COSTS).html()
    assert 'class="crmkit crmkit-attribution-view"' in shown.value
    assert "&lt;email&gt;" in shown.value
    assert "<email>" not in shown.value


@pytest.mark.parametrize("rule", attribution.RULES)
def test_what_is_moved_shows_what_the_twin_gives(explorer, rule):
    controls, shown = parts(explorer)
    controls["Window (days)"].value = 60
    controls["Rule"].value = rule
    controls["Only if alone"].value = "direct"
    assert shown.value == show.attribution_view(VISITS, SALES, COSTS, "60 days", rule, ["direct"]).html()
    controls["Window (days)"].value = 1
    controls["Only if alone"].value = ""
    assert shown.value == show.attribution_view(VISITS, SALES, COSTS, "1 day", rule).html()


def test_what_does_not_work_is_told_inside(explorer, monkeypatch):
    controls, shown = parts(explorer)
    monkeypatch.setattr(attribution, "credit", lambda *_: (_ for _ in ()).throw(InputError("no <credit> today")))
    controls["Rule"].value = "first"
    assert 'role="alert"' in shown.value
    assert "no &lt;credit&gt; today" in shown.value
    monkeypatch.undo()
    controls["Rule"].value = "linear"
    assert shown.value == show.attribution_view(VISITS, SALES, COSTS, rule="linear").html()


def test_tables_that_can_never_be_shown_are_refused_at_once():
    with pytest.raises(ColumnError, match="spend"):
        show.attribution_explorer(VISITS, SALES, COSTS.drop(columns="spend"))
    with pytest.raises(InputError, match="0 rows"):
        show.attribution_explorer(VISITS, SALES.iloc[:0], COSTS)


def test_an_update_leaves_no_figure(explorer):
    import matplotlib.pyplot as plt

    controls, _ = parts(explorer)
    controls["Rule"].value = "position"
    assert plt.get_fignums() == []
