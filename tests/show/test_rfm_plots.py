"""Pictures of scores: the numbers drawn are the numbers counted, and titles say no more than that."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from crmkit import show
from crmkit.errors import ColumnError, InputError
from crmkit.segmentation import rfm
from crmkit.show.rfm_plots import rfm_heat_map, score_distribution


def cells(ax) -> dict[tuple[int, int], str]:
    """The text of each cell by (R, F), read from where it stands on the page."""
    rows = [int(tick.get_text()) for tick in ax.get_yticklabels()]
    columns = [int(tick.get_text()) for tick in ax.get_xticklabels()]
    return {
        (rows[int(text.get_position()[1])], columns[int(text.get_position()[0])]): text.get_text() for text in ax.texts
    }


def bare(r, f, spend=None, **attrs):
    frame = pd.DataFrame({"r_score": r, "f_score": f, "spend": 1.0 if spend is None else spend})
    frame.attrs = {"bins": {"r": 5, "f": 5}, **attrs}
    return frame


class TestHeatMap:
    def test_each_cell_tells_its_customers_and_empty_ones_nothing(self, scores):
        counted = Counter(zip(scores["r_score"], scores["f_score"], strict=True))
        ax = rfm_heat_map(scores)
        assert cells(ax) == {cell: str(number) for cell, number in counted.items()}
        values = ax.collections[0].get_array()
        assert np.ma.count_masked(values) == 25 - len(counted)
        assert ax.patch.get_hatch()

    def test_the_best_are_at_the_top_right(self, scores):
        ax = rfm_heat_map(scores)
        top, left = ax.get_ylim()[1], ax.get_xlim()[0]
        assert (top, left) == (0, 0)
        assert [tick.get_text() for tick in ax.get_yticklabels()] == ["5", "4", "3", "2", "1"]
        assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "2", "3", "4", "5"]

    def test_mean_spend_is_the_mean_of_the_cell(self, scores, title):
        by_hand = {}
        for row in scores.itertuples():
            by_hand.setdefault((row.r_score, row.f_score), []).append(row.spend)
        ax = rfm_heat_map(scores, "mean spend")
        shown = {cell: float(text.replace(",", "")) for cell, text in cells(ax).items()}
        assert shown == pytest.approx({cell: np.mean(values) for cell, values in by_hand.items()}, abs=0.5)
        # customers 1 and 2 are R5-F5 with 500 and 300 euros; all ten spent 1,000 euros
        assert title(ax) == "Highest mean spend: 400 EUR in R5-F5 (2 customers), 4.0 times the mean of all"
        assert ax.figure.axes[1].get_ylabel() == "mean spend (EUR)"

    @pytest.mark.parametrize(
        ("r", "f", "said"),
        [
            ([5], [1], "The only customer is in one cell, R5-F1"),
            ([2, 2, 2], [3, 3, 3], "All 3 customers are in one cell, R2-F3"),
            ([5, 5, 1], [5, 5, 1], "The fullest cell is R5-F5: 2 of 3 customers (67 %)"),
            (
                [5, 5, 1, 1, 3],
                [5, 5, 2, 2, 3],
                "The fullest cells are R5-F5 and R1-F2: 2 of 5 customers (40 %) in each",
            ),
            ([1, 2, 3], [1, 2, 3], "No cell stands out: 3 cells share the largest number, 1 customer"),
        ],
    )
    def test_titles_name_the_fullest_cell_or_say_that_there_is_none(self, r, f, said, title):
        assert title(rfm_heat_map(bare(r, f))) == said

    @pytest.mark.parametrize(
        ("spend", "said"),
        [
            ([-30.0, -10.0, -20.0], "Highest mean spend: −10 USD in R2-F1 (1 customer)"),
            ([0.0, 0.0, 0.0], "Mean spend is 0 USD in every cell"),
            ([9.0, 9.0, 3.0], "Highest mean spend: 9 USD in R3-F1 and R2-F1 (2 customers), 1.3 times the mean of all"),
            ([-9.0, 1.0, 2.0], "Highest mean spend: 2 USD in R1-F1 (1 customer)"),
        ],
    )
    def test_titles_about_money_claim_no_multiple_of_nothing(self, spend, said, title):
        frame = bare([3, 2, 1], [1, 1, 1], spend, currency="USD")
        assert title(rfm_heat_map(frame, "mean spend")) == said

    def test_spend_that_nobody_knows_is_refused(self):
        with pytest.raises(InputError, match="'spend' is missing for all 3 customers"):
            rfm_heat_map(bare([3, 2, 1], [1, 1, 1], np.nan), "mean spend")

    @pytest.mark.parametrize("bins", [3, 10])
    def test_three_to_ten_bins(self, summary, bins):
        ax = rfm_heat_map(rfm.score(summary, bins=bins))
        assert len(ax.get_yticklabels()) == len(ax.get_xticklabels()) == bins

    def test_scores_that_lost_their_attrs_show_the_scores_that_occur(self, scores):
        lost = pd.concat([scores.iloc[:5], scores.iloc[5:]])
        lost.attrs = {}
        assert len(rfm_heat_map(lost).get_yticklabels()) == 5

    def test_segments_are_numbered_in_the_order_of_the_map(self, segments):
        names = list(segments["segment"].cat.categories)
        ax = rfm_heat_map(segments, "segment")
        counted = segments.groupby(["r_score", "f_score"])["segment"].agg(["size", "first"])
        assert cells(ax) == {
            cell: f"{row['size']}\n({names.index(row['first']) + 1})" for cell, row in counted.iterrows()
        }
        legend = [text.get_text() for text in ax.get_legend().get_texts()]
        assert legend == [f"{place} {name}" for place, name in enumerate(names, 1) if name in set(segments["segment"])]

    def test_a_cell_of_two_segments_is_starred_and_takes_the_larger(self):
        frame = bare([5] * 3, [5] * 3)
        frame["segment"] = pd.Categorical(["b", "b", "a"], ["a", "b"], ordered=True)
        ax = rfm_heat_map(frame, "segment")
        assert cells(ax) == {(5, 5): "3\n(2*)"}
        assert "shared" in ax.get_legend().get_title().get_text()

    def test_unknown_values_and_missing_columns(self, scores):
        with pytest.raises(InputError, match="Did you mean 'customers'"):
            rfm_heat_map(scores, "customer")
        with pytest.raises(ColumnError, match=r"'segment'.*segmentation\.rfm\.segment"):
            rfm_heat_map(scores, "segment")


class TestScoreDistribution:
    def test_bars_reach_the_number_of_customers(self, scores):
        ax = score_distribution(scores, "f")
        tops = Counter()
        for bar in ax.patches:
            place = round(bar.get_x() + bar.get_width() / 2)
            tops[place] = max(tops[place], bar.get_y() + bar.get_height())
        counted = Counter(scores["f_score"])
        assert tops == {place: counted.get(place, 0) for place in range(1, 6)}

    def test_the_tie_is_hatched_named_and_told(self, scores, title):
        """Six of ten bought once; an even fifth would be two."""
        ax = score_distribution(scores, "F")
        hatched = [bar for bar in ax.patches if bar.get_hatch()]
        assert [bar.get_height() for bar in hatched] == [6]
        assert "1" in [text.get_text() for text in ax.texts]
        assert title(ax) == (
            "6 of 10 customers are alike (1 order): too many for one F score of 2; F scores 2 and 3 are empty"
        )
        assert [text.get_text() for text in ax.texts].count("empty") == 2
        assert ax.get_lines()[0].get_ydata()[0] == 2

    def test_without_ties_the_bins_are_even(self, scores, title):
        ax = score_distribution(scores, "r")
        assert title(ax) == "R scores are even: 2 customers in each"
        assert not [bar for bar in ax.patches if bar.get_hatch()]

    def test_a_value_that_fits_a_bin_is_shown_but_not_blamed(self, title):
        """The last day of Complete Journey in small: 7 of 20 customers on one day, bins of 4, 8 in the best."""
        days = [0] * 3 + list(range(1, 18))
        summary = pd.DataFrame({"recency_days": days, "orders": range(20), "spend": range(20)})
        summary.loc[:4, "recency_days"] = [0, 0, 0, 1, 1]
        ax = score_distribution(rfm.score(summary), "r")
        assert title(ax) == "R scores hold 3 to 5 customers, not 4 each; 3 are alike (last order 0 days ago)"
        assert [bar.get_height() for bar in ax.patches if bar.get_hatch()] == [3]

    @pytest.mark.parametrize(
        ("spend", "said"),
        [
            ([7.0], "M scores 2 and 3 are empty; the other holds 1 customer"),
            (
                [0.0] * 9,
                "All 9 customers are alike (0 EUR spent): too many for one M score of 3; M scores 2 and 3 are empty",
            ),
            ([1.0, 2.0, 3.0, 4.0], "M scores are even: 1 to 2 customers in each"),
        ],
    )
    def test_titles_in_edge_cases(self, spend, said, title):
        summary = pd.DataFrame({"recency_days": range(len(spend)), "orders": 1, "spend": spend})
        summary.attrs["currency"] = "EUR"
        assert title(score_distribution(rfm.score(summary, bins=3), "m")) == said

    def test_dimensions_of_another_trade(self, title):
        visits = pd.DataFrame({"recency_days": [1, 2, 3], "visits": [5, 5, 5], "actions": [1, 2, 3]})
        ax = score_distribution(rfm.score(visits, bins=3, dimensions="rfe"), "f")
        assert title(ax).startswith("All 3 customers are alike (5 visits)")
        assert ax.get_xlabel().endswith("from visits")

    def test_an_unknown_dimension_names_those_there_are(self, scores):
        with pytest.raises(InputError, match="'q' has no score in this table; it has r, f, m"):
            score_distribution(scores, "q")
        lost = scores.rename(columns={"m_score": "q_score"})
        with pytest.raises(InputError, match="does not say which column was scored"):
            score_distribution(lost, "q")


def test_two_million_customers_cost_no_more_than_a_look():
    """Customers are counted before anything is drawn: the number of things drawn does not grow with them."""
    rng = np.random.default_rng(1)

    def artists(customers):
        summary = pd.DataFrame(
            {
                "recency_days": rng.integers(0, 50, customers),
                "orders": rng.integers(1, 50, customers),
                "spend": rng.integers(1, 90, customers) * 1.0,
            }
        )
        scores = rfm.score(summary)
        return [len(ax.findobj()) for ax in (show.rfm_heat_map(scores), show.score_distribution(scores, "r"))]

    assert artists(200_000) == artists(20_000)
