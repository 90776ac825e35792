"""Pictures of stages state what the data show; the widget shows what its headless twin returns, and never raises."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from crmkit import show
from crmkit.errors import ColumnError, InputError, KindError
from crmkit.lifecycle import stages
from crmkit.lifecycle.stage_rules import STAGES
from crmkit.tables import Transactions

RULES = stages.StageRules.load().move(trade_gap_days=10)
BOOK = {
    "steady": range(0, 200, 10),
    "silent": range(0, 160, 10),
    "gone": range(0, 120, 10),
    "newcomer": [195],
    "young": [170, 180, 190],
    "last": [0, 200],
}


@pytest.fixture(scope="module")
def orders():
    day = pd.Timestamp("2026-01-01")
    rows = [(name, day + pd.Timedelta(days=each), 10.0) for name, days in BOOK.items() for each in days]
    return Transactions.read(pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"]))


@pytest.fixture(scope="module")
def dates(orders):
    days = pd.date_range("2026-03-22", periods=5, freq="30D")
    return [stages.assign(orders, as_of=day, rules=RULES, prospects=["<b>dan</b>"]) for day in days]


def words(ax):
    return ax.get_title().replace("\n", " ")


class TestMix:
    def test_each_bar_is_a_date_and_fills_a_hundred(self, dates):
        ax = show.stage_mix(dates)
        tops: dict[float, float] = {}
        for bar in ax.patches:
            tops[round(bar.get_x(), 3)] = tops.get(round(bar.get_x(), 3), 0) + bar.get_height()
        assert list(tops.values()) == pytest.approx([100] * 5)
        assert [label.get_text() for label in ax.get_xticklabels()] == [table.attrs["as_of"] for table in dates]

    def test_the_title_names_the_largest_change(self, dates):
        first, last = (
            table["stage"].value_counts(normalize=True).reindex(STAGES, fill_value=0) for table in (dates[0], dates[-1])
        )
        most = (last - first).abs().idxmax()
        assert f"{most} {'gains' if last[most] > first[most] else 'loses'} most: {first[most] * 100:.0f} % to" in words(
            show.stage_mix(dates)
        )
        assert "hardly changes" in words(show.stage_mix([dates[0], dates[0]]))

    def test_the_text_alternative_holds_the_numbers(self, dates):
        assert all(stage in show.stage_mix(dates).alt_text for stage in STAGES)

    def test_a_table_without_stages(self, dates):
        with pytest.raises(ColumnError, match="'stage' is missing"):
            show.stage_mix([dates[0].drop(columns="stage")])


class TestMatrix:
    def test_a_cell_holds_share_and_interval(self, dates):
        matrix = stages.transitions(*dates)
        ax = show.transition_matrix(matrix)
        told = {text.get_text() for text in ax.texts}
        odds = stages.probabilities(matrix)
        for row in odds[odds["customers"] > 0].itertuples():
            share = f"{row.share * 100:.0f}" if row.share >= 0.005 else "<1"
            assert f"{share}\n({row.low * 100:.0f}–{row.high * 100:.0f})" in told

    def test_the_title_counts_those_who_stayed(self):
        counts = pd.DataFrame([[30, 10], [5, 55]], index=["mature", "decline"], columns=["mature", "decline"])
        assert words(show.transition_matrix(counts)) == (
            "85 % of 100 customers are in the same stage at the next date; mature keeps 75 %, decline 92 %"
        )

    def test_nobody_was_there_before(self):
        counts = pd.DataFrame([[0], [4]], index=["new", "not yet a customer"], columns=["new"])
        with pytest.raises(InputError, match="0 customers who were there before"):
            show.transition_matrix(counts)


class TestForecast:
    COUNTS = pd.DataFrame([[30, 10], [0, 40]], index=["mature", "lost"], columns=["mature", "lost"])

    def test_dots_are_changes_against_today(self):
        table = stages.forecast(self.COUNTS, {"mature": 160, "lost": 7}, 2)
        ax = show.mix_forecast(table)
        (dots,) = [line for line in ax.lines if line.get_label() == "forecast"]
        assert sorted(dots.get_xdata()) == sorted(
            table["customers"] - table["stage"].astype(str).map({"mature": 160, "lost": 7})
        )
        assert words(ax) == "Expected after the last period: mature −70, lost +70 customers"

    def test_a_back_test_tells_what_came_and_the_baseline(self, dates):
        table = stages.back_test(dates, learn=3)
        ax = show.mix_forecast(table)
        assert f"{table['inside'].sum()} of {len(table)} numbers that came lie inside" in words(ax)
        assert any(line.get_label() == "what came" for line in ax.lines)

    def test_a_table_that_lost_its_attrs(self):
        table = stages.forecast(self.COUNTS, {"mature": 160, "lost": 7}, 2)
        table.attrs = {}
        with pytest.raises(InputError, match="lost its attrs"):
            show.mix_forecast(table)


class TestExplorer:
    @pytest.fixture
    def explorer(self, dates):
        return show.stage_explorer(dates[-1], RULES)

    @staticmethod
    def parts(explorer):
        return {child.description: child for child in explorer.children[:-1]}, explorer.children[-1]

    def test_the_words_on_the_sliders(self, explorer):
        assert list(self.parts(explorer)[0]) == [
            "Silent after (usual gaps)",
            "Lost after (usual gaps)",
            "Mature from (windows)",
            "Growing from (times as many)",
            "Shrinking to (times as many)",
            "A change counts up to chance",
        ]

    @pytest.mark.parametrize(
        ("slider", "name", "value"), [(0, "slow_after", 1.5), (1, "lost_after", 4.0), (2, "mature_from", 5.0)]
    )
    def test_a_slider_shows_what_the_twin_returns(self, explorer, dates, slider, name, value):
        controls, shown = self.parts(explorer)
        list(controls.values())[slider].value = value
        view = show.stage_view(dates[-1], RULES, **{name: value})
        assert shown.value == view.html()
        assert view.text.replace("<", "&lt;") in shown.value
        pd.testing.assert_frame_equal(view.stages, stages.reassign(dates[-1], RULES.move(**{name: value})))

    def test_who_moves_is_counted(self, dates):
        view = show.stage_view(dates[-1], RULES, slow_after=0.5, lost_after=2)
        differ = (view.stages["stage"] != dates[-1]["stage"]).sum()
        assert view.text.startswith(f"{differ} of 7 customers move")
        assert view.moves.to_numpy().sum() == 7
        assert repr(show.stage_view(dates[-1], RULES)) == "Nobody of 7 customers moves"

    def test_thresholds_that_cross_are_told_inside_and_mend_themselves(self, explorer, dates):
        controls, shown = self.parts(explorer)
        controls["Silent after (usual gaps)"].value = 7
        assert 'role="alert"' in shown.value
        assert "overlap" in shown.value
        controls["Silent after (usual gaps)"].value = 3
        assert shown.value == show.stage_view(dates[-1], RULES).html()

    def test_a_table_that_can_never_be_ruled_is_refused_at_once(self, dates):
        with pytest.raises(KindError):
            show.stage_explorer([1])
        with pytest.raises(InputError, match="trade_gap_days"):
            show.stage_explorer(dates[-1], RULES.move(trade_gap_days=11))

    def test_no_figure_is_left_and_the_table_stays(self, explorer, dates):
        before = dates[-1].copy(deep=True)
        plt.close("all")
        for slider in self.parts(explorer)[0].values():
            slider.value = slider.value
        next(iter(self.parts(explorer)[0].values())).value = 1.0
        assert plt.get_fignums() == []
        pd.testing.assert_frame_equal(dates[-1], before)
