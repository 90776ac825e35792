"""Pictures of retention and value: what is drawn is what the tables say, and the title claims no more."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit import datasets, lifecycle, show
from crmkit.errors import ColumnError, InputError, KindError

value = lifecycle.value


@pytest.fixture(scope="module")
def music():
    return datasets.load("cdnow").transactions


def cohorts(*rows, truncated=False, **attrs):
    """Rows of month, age, customers, active."""
    table = pd.DataFrame(rows, columns=["cohort", "age", "customers", "active"])
    table["cohort"] = pd.to_datetime(table["cohort"])
    table = table.assign(share=table["active"] / table["customers"], truncated=truncated)
    table.attrs = {"period": "months"} | attrs
    return table


class TestCohorts:
    def test_cells_are_shares_and_what_is_not_known_is_hatched(self, music):
        found = lifecycle.retention.cohorts(music, complete_history=True)
        ax = show.cohort_heat_map(found)
        known = found.dropna(subset="share")
        assert [text.get_text() for text in ax.texts] == [f"{share * 100:.0f}" for share in known["share"]]
        assert ax.collections[0].get_array().mask.sum() == 1 + 2  # February is one month shorter, March two
        assert ax.patch.get_hatch()
        assert [tick.get_text() for tick in ax.get_yticklabels()] == [
            "Jan 1997 (781)",
            "Feb 1997 (857)",
            "Mar 1997 (719)",
        ]

    def test_the_title_pools_cohorts_by_their_size(self, title):
        rows = [("2026-01-01", 0, 90, 90.0), ("2026-01-01", 1, 90, 9.0), ("2026-02-01", 0, 10, 10.0)]
        assert title(show.cohort_heat_map(cohorts(*rows, ("2026-02-01", 1, 10, 6.0)))) == (
            "15 % of new customers buy in the month after the first"
        )
        assert title(show.cohort_heat_map(cohorts(*rows))).startswith(
            "10 %"
        )  # February is not known: it does not count

    def test_a_cohort_of_perhaps_old_customers_stays_out_of_the_title(self, title):
        rows = [
            ("2026-01-01", 0, 90, 90.0),
            ("2026-01-01", 1, 90, 81.0),
            ("2026-02-01", 0, 10, 10.0),
            ("2026-02-01", 1, 10, 2),
        ]
        table = cohorts(
            *rows, truncated=[True, True, False, False], note="90 of 100 customers are first seen in January."
        )
        ax = show.cohort_heat_map(table)
        assert title(ax).startswith("20 %")
        assert ax.get_yticklabels()[0].get_text() == "Jan 2026* (90)"
        assert "90 of 100 customers are first seen" in ax.alt_text

    def test_one_cohort_one_customer_nobody_returns_nothing_known(self, title):
        alone = cohorts(("2026-01-01", 0, 1, 1.0), ("2026-01-01", 1, 1, 0.0))
        assert title(show.cohort_heat_map(alone)) == "0 % of new customers buy in the month after the first"
        young = cohorts(("2026-01-01", 0, 1, 1.0))
        assert title(show.cohort_heat_map(young)) == "No cohort has been seen for a whole month after its first"

    def test_something_else_is_refused(self):
        with pytest.raises(ColumnError, match=r"'share' is missing.*retention\.cohorts"):
            show.cohort_heat_map(cohorts(("2026-01-01", 0, 1, 1.0)).drop(columns="share"))
        with pytest.raises(InputError, match="0 rows"):
            show.cohort_heat_map(cohorts())


def boxes(days, plan="monthly"):
    """Contracts of so many days; None: still running."""
    begun = pd.Timestamp("2025-01-01")
    ended = [pd.NaT if day is None else begun + pd.Timedelta(days=day) for day in days]
    return pd.DataFrame({"started_on": begun, "ended_on": pd.to_datetime(pd.Series(ended)), "plan": plan})


class TestSurvival:
    def test_the_line_is_the_curve_and_the_band_its_interval(self):
        curve = lifecycle.retention.kaplan_meier(boxes([10, 20, 30, None]), as_of="2025-03-01", unit="days")
        ax = show.survival_curve(curve)
        assert ax.lines[0].get_xdata().tolist() == curve["age"].tolist()
        assert ax.lines[0].get_ydata().tolist() == pytest.approx([*curve["survival"] * 100])
        band = ax.collections[0].get_paths()[0].vertices[:, 1]
        assert (band.min(), band.max()) == pytest.approx((curve["low"].min() * 100, 100))
        assert "95 % intervals" in ax.alt_text

    @pytest.mark.parametrize(
        ("days", "said"),
        [
            ([10, 20, None, None], "Half of the customers have left after 20.0 days"),
            ([10, None, None, None], "75 % of the customers are still there after 59.0 days"),
            ([None], "100 % of the customers are still there after 59.0 days"),
            ([0, 0], "Half of the customers have left after 0.0 days"),
        ],
    )
    def test_titles(self, days, said, title):
        curve = lifecycle.retention.kaplan_meier(boxes(days), as_of="2025-03-01", unit="days")
        assert title(show.survival_curve(curve)) == said

    def test_groups_are_compared_where_all_are_known_and_differ_without_colour(self, title):
        both = pd.concat([boxes([10, 40, None, None]), boxes([5, 20], plan="annual")], ignore_index=True)
        curve = lifecycle.retention.kaplan_meier(both, by="plan", as_of="2025-03-01", unit="days")
        ax = show.survival_curve(curve)
        assert title(ax) == "Still there after 20.0 days: monthly 75 %, annual 0 %"
        assert len({line.get_linestyle() for line in ax.lines}) == 2

    def test_too_many_curves_and_a_lost_column(self):
        many = pd.concat([boxes([3], plan=str(plan)) for plan in range(6)], ignore_index=True)
        curve = lifecycle.retention.kaplan_meier(many, by="plan", as_of="2025-03-01")
        with pytest.raises(InputError, match="6 curves"):
            show.survival_curve(curve)
        with pytest.raises(InputError, match=r"'plan'.*no such column"):
            show.survival_curve(curve.drop(columns="plan"))


class TestModels:
    def test_tracking_compares_what_came_after_the_calibration_alone(self, music, title):
        known = lifecycle.summary(music, as_of="1997-09-30", unit="weeks")
        tracked = value.tracking(value.BetaGeometric().fit(known), music, calibration_until="1997-09-30")
        ax = show.model_tracking(tracked)
        assert ax.lines[0].get_ydata().tolist() == tracked["actual"].tolist()
        assert ax.lines[1].get_ydata().tolist() == tracked["expected"].tolist()
        later = lifecycle.summary(music, unit="weeks")["x"].sum() - known["x"].sum()
        assert f"{later:,} came" in title(ax)
        assert "too few" in title(ax)
        with pytest.raises(InputError, match="none after"):
            show.model_tracking(tracked[tracked["calibration"]])

    def test_frequencies(self, title):
        table = pd.DataFrame({"actual": [60, 30, 10], "expected": [50.0, 40.0, 10.0]}, index=["0", "1", "2+"])
        ax = show.purchase_frequencies(table)
        assert title(ax) == "The model misplaces 10 % of 100 customers, most at 0 repeat purchases"
        assert [bar.get_height() for bar in ax.patches] == [60, 30, 10, 50, 40, 10]
        with pytest.raises(InputError, match="0 customers"):
            show.purchase_frequencies(table * 0)

    def test_the_frequencies_of_cdnow(self, music, title):
        """Fader, Hardie & Lee (2005) show the same histogram: 1,411 customers without a repeat purchase."""
        known = lifecycle.summary(music, as_of="1997-09-30", unit="weeks")
        ax = show.purchase_frequencies(value.frequencies(value.BetaGeometric().fit(known), known))
        assert ax.patches[0].get_height() == 1411
        assert "of 2,357 customers" in title(ax)

    def test_the_scorecard_draws_totals_and_tells_errors(self, music, title):
        held = value.holdout(music, calibration_until="1997-09-30", horizon="39 weeks", unit="weeks")
        card = value.scorecard(value.BetaGeometric().fit(held), held)
        ax = show.scorecard(card)
        assert [bar.get_width() for bar in ax.patches] == card.table["predicted_total"].tolist()
        assert title(ax) == "BG/NBD comes nearest to the 1,882 purchases: 12 % too few"
        assert ax.get_xlabel() == "purchases expected in the hold-out of 39 weeks"
        assert "MAE 0.79, RMSE 1.61" in ax.texts[0].get_text()
        assert [bar.get_width() for bar in show.scorecard(card.table).patches] == card.table["predicted_total"].tolist()

    @settings(max_examples=20, deadline=None)
    @given(st.lists(st.floats(0, 500), min_size=1, max_size=4), st.integers(0, 200))
    def test_the_title_names_the_nearest(self, predicted, actual):
        table = pd.DataFrame(
            {"actual_total": float(actual), "predicted_total": predicted}, index=list("abcd")[: len(predicted)]
        )
        table = table.assign(
            bias=table["predicted_total"] / (actual or np.nan) - 1, mae=1.0, rmse=1.0, top_fifth=np.nan
        )
        if actual == 0:
            table["bias"] = np.inf
        said = show.scorecard(table).get_title()
        near = min(table.index, key=lambda name: abs(table.at[name, "predicted_total"] - actual))
        assert said.startswith(f"{near} comes nearest") if actual else said == "Nobody bought in the hold-out"

    def test_something_else_is_no_scorecard(self):
        with pytest.raises(KindError, match="Scorecard"):
            show.scorecard("BG/NBD")
