"""Pictures of leaving and of effects: what is drawn is the table, and the title claims no more than it shows."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from crmkit.errors import ColumnError, InputError, KindError
from crmkit.evaluation import differences, experiments
from crmkit.lifecycle import churn
from crmkit.lifecycle.churn_evaluation import Costs, cost_curve
from crmkit.show import churn_plots, effect_plots

HORIZONS = pd.DataFrame(
    {"horizon": ["3 months", "6 months"], "days": [91, 183], "rate": [0.6, 0.4], "low": [0.5, 0.3], "high": [0.7, 0.5]}
).assign(share_back=[0.25, 0.0])


class TestHorizons:
    def test_lines_are_the_table(self, title):
        ax = churn_plots.churn_by_horizon(HORIZONS)
        rate, back = ax.get_lines()
        assert rate.get_xydata().tolist() == [[91, 60], [183, 40]]
        assert back.get_ydata().tolist() == [25, 0]
        assert title(ax).endswith("and 40 % after 6 months; 25 % of the former came back")

    def test_one_horizon_claims_no_change(self, title):
        assert title(churn_plots.churn_by_horizon(HORIZONS.head(1))) == "Lost are 60 % after 3 months of silence"

    def test_an_empty_table_is_refused(self):
        with pytest.raises(InputError, match="0 rows"):
            churn_plots.churn_by_horizon(HORIZONS.head(0))


class TestLeadTime:
    def test_the_stairs_count_leavers(self):
        ax = churn_plots.lead_time(pd.DataFrame({"lead_days": [50.0, 20.0, 20.0, np.nan]}))
        x, y = ax.get_lines()[0].get_data()
        for days, share in ((0, 75), (20, 75), (21, 25), (50, 25)):
            assert y[np.searchsorted(x, days, side="left")] == share
        assert ax.get_xlim() == (50, 0)  # time runs to the leaving

    def test_the_best_way_gives_the_title(self, title):
        late, early = (pd.DataFrame({"lead_days": days}) for days in ([5.0, 3.0], [60.0, np.nan]))
        ax = churn_plots.lead_time({"rule": late, "model": early})
        assert title(ax) == "model: 50 % of 2 leavers were warned of, 50 % at least 30 days before"
        assert "rule: 100 %" in ax.alt_text

    def test_nobody_warned_is_drawn(self, title):
        assert title(churn_plots.lead_time(pd.DataFrame({"lead_days": [np.nan]}))).startswith("0 % of 1 leaver")
        with pytest.raises(InputError, match="no lead times"):
            churn_plots.lead_time({})


class TestCostCurve:
    def test_the_mark_is_the_cheapest(self, title):
        curve = cost_curve(pd.Series([5.0, 4, 3, 2]), pd.Series([True, True, False, False]), Costs(1, 10, 4))
        ax = churn_plots.cost_curve(curve, "EUR")
        marked = ax.get_lines()[-1].get_xydata().tolist()
        assert marked == [[2, 8]]
        assert "Warning 2 customers costs least: 8 EUR, against 20 EUR for nobody and 10 EUR" in title(ax)

    def test_where_no_threshold_helps_the_title_says_so(self, title):
        curve = cost_curve(pd.Series([5.0, 4]), pd.Series([False, False]), Costs(1, 10, 4))
        assert title(churn_plots.cost_curve(curve)).startswith("No threshold beats warning nobody")


class TestReasons:
    def test_bars_and_the_sum_of_them(self, title):
        table = churn.reasons(pd.DataFrame({"reason": ["price"] * 3 + ["delivery"] * 3 + ["$range$", None]}))
        ax = churn_plots.leaving_reasons(table)
        assert [bar.get_height() for bar in ax.patches] == pytest.approx([300 / 7, 300 / 7, 100 / 7])
        assert title(ax) == "86 % of those who say why name delivery or price; 12 % do not say"
        assert "$range$" in ax.alt_text


class TestUplift:
    def table(self):
        random = np.random.default_rng(1)
        group = random.choice(["contact", "control"], 900)
        segment = random.choice(["rare", "often"], 900)
        bought = random.uniform(size=900) < 0.1 + 0.3 * ((group == "contact") & (segment == "often"))
        frame = pd.DataFrame({"group": group, "orders": segment, "bought": bought})
        return experiments.uplift(frame, "bought", "orders", design="randomised")

    def test_points_and_intervals_are_the_table(self, title):
        table = self.table()
        ax = effect_plots.uplift(table)
        assert ax.get_lines()[-1].get_xdata() == pytest.approx(table["effect"] * 100)
        wide, narrow = (np.array(lines.get_segments())[:, :, 0] for lines in ax.collections)
        assert wide == pytest.approx(table[["low_all", "high_all"]].to_numpy() * 100)
        assert narrow == pytest.approx(table[["low", "high"]].to_numpy() * 100)
        assert title(ax).startswith("Largest effect for often: +")
        assert title(ax).endswith("in 1 of 2 segments no effect shows")

    def test_no_segment_is_praised_for_luck(self, title):
        table = self.table().assign(low_all=-1.0)
        assert title(effect_plots.uplift(table)).startswith("No segment stands out")


class TestTrends:
    PANEL = pd.DataFrame(
        {"region": ["north"] * 3 + ["south"] * 3, "month": ["1", "2", "3"] * 2, "points": [5.0, 5, 3, 2, 2, 2]}
    ).assign(better=[False, False, True] + [False] * 3)

    def test_the_title_is_the_change_of_the_gap(self, title):
        table = differences.trends(self.PANEL, "points", unit="region", period="month", treated="better")
        ax = effect_plots.trends(table)
        assert title(ax) == "After the start the distance to the others fell by 2.00 on average: from 3.00 to 1.00"
        assert "north start, south do not" in ax.alt_text

    def test_names_at_the_end_do_not_overlap(self):
        panel = pd.concat([self.PANEL, self.PANEL.assign(region="west", better=False)])
        table = differences.trends(panel, "points", unit="region", period="month", treated="better")
        ax = effect_plots.trends(table.assign(mean=1 + table["mean"] * 1e-3))
        ax.figure.canvas.draw()
        boxes = sorted((text.get_window_extent().y0, text.get_window_extent().y1) for text in ax.texts)
        assert all(above[0] >= below[1] - 2 for below, above in pairwise(boxes))

    def test_who_never_was_before_is_told(self, title):
        panel = self.PANEL.assign(better=self.PANEL["region"] == "north")
        table = differences.trends(panel, "points", unit="region", period="month", treated="better")
        assert title(effect_plots.trends(table)) == "No group is seen both before and after its start"


@pytest.mark.parametrize(
    "draw",
    [
        churn_plots.churn_by_horizon, churn_plots.lead_time, churn_plots.cost_curve, churn_plots.leaving_reasons,
        effect_plots.uplift, effect_plots.trends,
    ],
)  # fmt: skip
def test_a_wrong_table_says_what_makes_the_right_one(draw):
    with pytest.raises(ColumnError, match="make the table with"):
        draw(pd.DataFrame({"x": [1]}))
    with pytest.raises((KindError, TypeError)):
        draw(1)
