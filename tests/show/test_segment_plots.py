"""Pictures of segments: shares are shares, and the title claims what the bars show."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.errors import InputError
from crmkit.segmentation import rfm
from crmkit.segmentation.migration import NEW
from crmkit.show import style
from crmkit.show.segment_plots import headline, migration, segment_bars


def frame(*rows):
    return pd.DataFrame(rows, columns=["segment", "customers", "spend"])


class TestSegmentBars:
    def test_bars_are_the_shares_in_the_order_of_the_map(self, cards):
        ax = segment_bars(cards)
        customers, money = ax.containers
        assert [bar.get_width() for bar in customers] == pytest.approx([*cards["share_of_customers"] * 100])
        assert [bar.get_width() for bar in money] == pytest.approx([*cards["share_of_spend"] * 100])
        assert [tick.get_text() for tick in ax.get_yticklabels()] == list(cards["segment"])
        assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first of the map on top

    def test_the_two_bars_differ_without_colour(self, cards):
        ax = segment_bars(cards)
        assert [bars.patches[0].get_hatch() is None for bars in ax.containers] == [False, True]
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["share of customers", "share of money"]

    @pytest.mark.parametrize(
        ("rows", "said"),
        [
            (
                [("Champions", 17, 430), ("Rest", 83, 370), ("Lost", 0, 0)],
                "Champions: 17 % of customers, 54 % of the money",
            ),
            ([("Champions", 12, 90), ("Lost", 0, 0)], "All 12 customers are in one segment: Champions"),
            ([("Champions", 1, 90)], "The only customer is in one segment: Champions"),
            ([("A", 1, 50), ("B", 3, 50)], "A and B together: 100 % of customers, 100 % of the money"),
            ([("A", 1, 5), ("B", 1, 5), ("C", 1, 5)], "3 segments share the first place: no single one stands out"),
            ([("A", 1, 0), ("B", 3, 0)], "B: 75 % of customers; nobody's money is left to share"),
            ([("A", 1, -9), ("B", 3, 2)], "B: 75 % of customers; refunds exceed sales: no shares of money"),
            ([("A", 1, 20), ("B", 3, -10)], "A: 25 % of customers, 200 % of the money"),
            ([("$A", 9, 9), ("B", 1, 1)], r"\$A: 90 % of customers, 90 % of the money"),
        ],
    )
    def test_titles_in_edge_cases(self, rows, said, title):
        assert title(segment_bars(frame(*rows))) == said

    def test_money_that_nets_to_nothing_is_not_drawn(self):
        ax = segment_bars(frame(("A", 1, -9.0), ("B", 3, 2.0)))
        assert [bars.get_label() for bars in ax.containers] == ["share of customers"]

    def test_a_negative_share_points_left(self):
        ax = segment_bars(frame(("A", 1, 20.0), ("B", 3, -10.0)))
        assert [bar.get_width() for bar in ax.containers[1]] == pytest.approx([200, -100])

    def test_without_spend_only_customers(self, cards, title):
        ax = segment_bars(cards.drop(columns=["spend", "share_of_spend"]))
        assert len(ax.containers) == 1
        assert "money" not in title(ax)

    def test_names_typed_by_people(self):
        """No formula, no tag, Chinese letters that the fonts know, and no more than two lines."""
        names = ["$x$ <script>", "重要价值客户", "a name " * 30]
        ax = segment_bars(frame(*[(name, 1, number) for number, name in enumerate(names)]))
        with warnings.catch_warnings():
            if len(style.fonts()) > 1:  # a font of this machine knows Chinese: no letter may be missing
                warnings.simplefilter("error")
            ax.figure.canvas.draw()
        labels = [tick.get_text() for tick in ax.get_yticklabels()]
        assert labels[0] == r"\$x\$ <script>"
        assert labels[1] == "重要价值客户"
        assert labels[2].count("\n") == 1
        assert labels[2].endswith("…")

    def test_nobody_in_any_segment(self):
        with pytest.raises(InputError, match="0 customers in every segment"):
            segment_bars(frame(("A", 0, 0)))


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(-50, 50)), min_size=1, max_size=6))
def test_a_headline_names_a_segment_only_if_it_leads(rows):
    table = pd.DataFrame(rows, columns=["customers", "spend"], index=[f"s{place}" for place in range(len(rows))])
    if table["customers"].sum() == 0:
        return
    said = headline(table)
    there = table[table["customers"] > 0]
    measure = "spend" if there["spend"].sum() > 0 else "customers"
    leaders = list(there.index[there[measure] == there[measure].max()])
    named = [name for name in table.index if name in said.replace(":", " ").split()]
    if len(there) == 1:
        assert named == list(there.index)
    else:
        assert named == (leaders if len(leaders) < 3 else [])
    assert ("of the money" in said) == (there["spend"].sum() > 0 and len(there) > 1 and len(leaders) < 3)


class TestMigration:
    names = ("Good", "Risk", "Lost")

    def matrix(self, *rows, index=None, **attrs):
        table = pd.DataFrame(list(rows), index=list(index or self.names), columns=list(self.names))
        table.attrs = attrs
        return table

    def test_numbers_are_customers_and_colours_shares_of_the_row(self):
        ax = migration(self.matrix([6, 3, 1], [0, 5, 5], [0, 0, 0]))
        assert [text.get_text() for text in ax.texts] == ["6", "3", "1", "5", "5"]
        assert list(ax.collections[0].get_array().compressed()) == pytest.approx([60, 30, 10, 50, 50])

    def test_those_who_stayed_are_framed(self):
        ax = migration(self.matrix([6, 3, 1], [0, 5, 5], [0, 0, 0]))
        assert [frame.get_xy() for frame in ax.patches] == [(0, 0), (1, 1), (2, 2)]

    @pytest.mark.parametrize(
        ("rows", "said"),
        [
            (
                ([6, 3, 1], [4, 1, 5], [0, 0, 0]),
                "35 % of 20 customers stayed in their segment; the largest move down the map: Risk to Lost, 5 customers",
            ),
            (
                ([4, 0, 0], [1, 4, 0], [0, 0, 1]),
                "90 % of 10 customers stayed in their segment; nobody moved down the map",
            ),
            (
                ([0, 3, 0], [0, 0, 3], [0, 0, 0]),
                "0 % of 6 customers stayed in their segment; the 2 largest moves down the map took 3 customers each",
            ),
        ],
    )
    def test_titles(self, rows, said, title):
        assert title(migration(self.matrix(*rows))) == said

    def test_new_customers_are_not_counted_as_moved(self, title):
        ax = migration(self.matrix([1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 9], index=(*self.names, NEW)))
        assert title(ax) == "100 % of 1 customer stayed in their segment; nobody moved down the map"
        assert "9 came new" in ax.alt_text
        only_new = migration(self.matrix([0, 0, 9], index=(NEW,)))
        assert title(only_new) == "Nobody was a customer before: 9 customers came new"

    def test_customers_missing_later_have_not_moved_down(self, segments, title):
        gone = rfm.migration(segments, segments.iloc[:8])
        ax = migration(gone)
        assert title(ax) == "80 % of 10 customers stayed in their segment; nobody moved down the map"
        assert "2 are not in the later table" in ax.alt_text

    def test_it_says_whether_the_yardstick_was_held_still(self, summary, segments):
        frozen = migration(rfm.migration(segments, segments))
        assert frozen.get_xlabel() == "segment after (same cut points)"
        later = rfm.segment(rfm.score(summary.assign(recency_days=summary["recency_days"] * 2)))
        moving = migration(rfm.migration(segments, later))
        assert moving.get_xlabel() == "segment after (own cut points)"
        assert "only because others changed" in moving.alt_text

    def test_an_empty_matrix_is_refused(self):
        with pytest.raises(InputError, match="0 customers"):
            migration(self.matrix([0, 0, 0], [0, 0, 0], [0, 0, 0]))


def test_moves_are_counted_as_a_person_would(segments):
    """Customer by customer: the place in the map before and after."""
    names = list(segments["segment"].cat.categories)
    after = segments.iloc[2:].assign(segment=np.roll(segments["segment"].astype(str), 3)[2:])
    after["segment"] = pd.Categorical(after["segment"], names, ordered=True)
    before = segments.drop(index=5)
    steps = [
        names.index(after.at[customer, "segment"]) - names.index(before.at[customer, "segment"])
        for customer in before.index.intersection(after.index)
    ]
    down, up = sum(step > 0 for step in steps), sum(step < 0 for step in steps)
    told = re.search(
        r"(\d+) customers? moved down the map, (\d+) customers? up, (\d+) came new, (\d+) are not in the later table",
        migration(rfm.migration(before, after)).alt_text,
    )
    assert [int(number) for number in told.groups()] == [down, up, 1, 2]
    assert min(down, up) > 0
