"""Pictures of acquisition: bars are the table, and titles claim what the numbers say."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.errors import ColumnError, InputError, KindError
from crmkit.evaluation.predictions import judge
from crmkit.lifecycle.acquisition import cost_by_source
from crmkit.lifecycle.funnels import funnel
from crmkit.show.acquisition_plots import (
    acquisition_costs,
    attribution_bars,
    calibration_curves,
    funnel_bars,
    lift_curves,
)

PEOPLE = pd.DataFrame(
    {
        "first_visit": pd.to_datetime(["2025-01-01"] * 40),
        "registered_on": pd.to_datetime(["2025-01-02"] * 10 + [None] * 30),
        "first_order": pd.to_datetime(["2025-01-09"] * 7 + [None] * 33),
    }
)
STEPS = list(PEOPLE.columns)


class TestFunnel:
    def test_bars_and_labels_are_the_table(self, title):
        ax = funnel_bars(funnel(PEOPLE, STEPS, as_of="2025-06-30"))
        assert [bar.get_width() for bar in ax.patches] == [40, 10, 7]
        assert [tick.get_text() for tick in ax.get_yticklabels()] == ["first visit", "registered on", "first order"]
        # Wilson: 10 of 40 is 14 to 40 %, by statsmodels' proportion_confint(10, 40, method="wilson")
        assert title(ax) == "The narrowest passage is from first visit to registered on: 25 % (14 to 40 %)"
        assert "registered on 10  =  25 % (14 to 40 %) of the step before" in ax.alt_text

    def test_a_snapshot_claims_no_share(self, title):
        ax = funnel_bars(funnel(PEOPLE, STEPS, as_of="2025-06-30", kind="snapshot"))
        assert title(ax) == "A snapshot: each bar counts other people, so the rates are no shares of anybody"
        assert "(" not in " ".join(text.get_text() for text in ax.texts)

    def test_nobody_came_so_far(self, title):
        ax = funnel_bars(funnel(PEOPLE.assign(registered_on=pd.NaT), STEPS[:2], as_of="2025-06-30"))
        assert title(ax) == "The narrowest passage is from first visit to registered on: 0 % (0 to 9 %)"

    def test_a_table_of_something_else(self):
        with pytest.raises(ColumnError, match="with lifecycle"):
            funnel_bars(pd.DataFrame({"step": ["a"]}))


def costs(**known):
    return pd.DataFrame(known, index=["cost", "low", "high"]).T.rename_axis("source")


class TestCosts:
    @pytest.mark.parametrize(
        ("table", "margin", "said"),
        [
            (
                {"ads": (40, 30, 52), "mail": (3, 2, 5)},
                None,
                "The dearest source is ads: 40 EUR a new customer (30 to 52)",
            ),
            ({"ads": (40, 30, 52), "fair": (35, 20, 60)}, None, "Dearest are ads and fair; their intervals overlap"),
            (
                {"ads": (40, 30, 52), "mail": (3, 2, 5)},
                {"ads": 50, "mail": 40},
                "Of the margin, the cost takes: ads 80 %; elsewhere at most half",
            ),
            (
                {"ads": (10, 8, 12), "mail": (3, 2, 5)},
                {"ads": 50, "mail": 40},
                "No source costs more than half of what its customers bring",
            ),
            ({"$a": (40, 30, np.inf)}, None, r"The dearest source is \$a: 40 EUR a new customer (30 to –)"),
        ],
    )
    def test_titles(self, table, margin, said, title):
        ax = acquisition_costs(costs(**table), None if margin is None else pd.Series(margin), "EUR")
        assert title(ax) == said

    def test_unknown_costs_are_told_and_not_drawn_as_nothing(self):
        new = pd.DataFrame({"source": ["ads"] * 3 + ["word"], "first_order": "2025-01-05"})
        spend = pd.DataFrame({"month": ["2025-01-01"], "source": ["ads"], "spend": [30.0]})
        ax = acquisition_costs(cost_by_source(new, spend))
        assert [tick.get_text() for tick in ax.get_yticklabels()] == ["ads"]
        assert "For 1 source the cost is not known." in ax.alt_text
        with pytest.raises(InputError, match="no source has a known cost"):
            acquisition_costs(costs(word=(np.nan, np.nan, np.nan)))


class TestAttribution:
    table = pd.DataFrame(
        {"first": [30.0, 60, 10], "last": [70.0, 20, 10], "linear": [50.0, 40, 10]}, index=["email", "search", "direct"]
    )

    def test_bars_are_the_credits(self, title):
        ax = attribution_bars(self.table)
        assert [[bar.get_width() for bar in bars] for bars in ax.containers] == [
            self.table[rule].tolist() for rule in self.table
        ]
        assert len({bars.patches[0].get_hatch() for bars in ax.containers}) == 3  # told apart without colour
        assert title(ax) == "email depends on the rule by 40 of 100: 30 by first, 70 by last"

    def test_one_rule_or_no_difference(self, title):
        assert title(attribution_bars(self.table[["last"]])) == "By the rule “last”, email gets the most: 70 of 100"
        assert (
            title(attribution_bars(self.table[["last"]].assign(first=self.table["last"])))
            == "Every rule gives the same credit"
        )
        with pytest.raises(InputError, match="5 rules"):
            attribution_bars(pd.concat([self.table, self.table.iloc[:, :2]], axis=1))

    @settings(max_examples=15, deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=5))
    def test_the_source_named_is_the_one_that_depends_most(self, rows):
        table = pd.DataFrame(
            rows, columns=["first", "last"], index=[f"s{place}" for place in range(len(rows))], dtype=float
        )
        said = attribution_bars(table).get_title()
        gap = (table["first"] - table["last"]).abs()
        assert said.split()[0] in ([*gap.index[gap == gap.max()]] if gap.max() else ["Every"])


class TestScores:
    score, outcome = np.linspace(0.9, 0.1, 20), np.array([1, 1, 1, 0, 1, 0, 0, 1] + [0] * 12)

    def test_curves_of_lift_start_at_nothing_and_end_with_everybody(self, title):
        ax = lift_curves({"model": judge(self.score, self.outcome), "lots": judge(np.full(20, 0.3), self.outcome)})
        model = ax.lines[1].get_xydata()
        assert model[0].tolist() == [0, 0]
        assert model[-1].tolist() == [100, 100]
        # two of 20 are the first tenth, and both bought: two of five buyers
        assert (
            title(ax) == "The first tenth by model holds 40 %, by lots 10 % of the buyers; drawing lots would find 10 %"
        )

    def test_calibration_shows_what_happened(self, title):
        found = judge(self.score, self.outcome, groups=2)
        ax = calibration_curves({"model": found})
        points = ax.containers[0].lines[0].get_xydata()
        assert points == pytest.approx(found.calibration[["predicted", "observed"]].to_numpy() * 100)
        inside = found.calibration["inside"].sum()
        assert title(ax) == f"What happened fits what was promised in {inside} of 2 groups (model)"

    def test_what_cannot_be_drawn(self):
        points = judge(self.score * 100, self.outcome, probabilities=False)
        with pytest.raises(InputError, match="'points' was judged as points"):
            calibration_curves({"points": points})
        for wrong in (points, {}, {"model": 3}):
            with pytest.raises(KindError, match="judged must name"):
                lift_curves(wrong)
        with pytest.raises(InputError, match="5 scores"):
            lift_curves(dict.fromkeys("abcde", points))
