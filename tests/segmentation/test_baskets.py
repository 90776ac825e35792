"""Baskets: plain counting, exact tests by scipy, multiplicity by statsmodels, and tables in which nothing is to be found."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact
from statsmodels.stats.multitest import multipletests

from crmkit import datasets
from crmkit.errors import ColumnError, InputError, KindError
from crmkit.segmentation import baskets
from crmkit.tables import Transactions

LINES = st.lists(st.tuples(st.integers(1, 12), st.sampled_from("abcdef")), min_size=4, max_size=80)


def orders(lines: pd.DataFrame, **columns) -> Transactions:
    return Transactions.read(
        lines.assign(**{"customer_id": 1, "ordered_at": "2026-01-05", "amount": 1.0} | columns), order_id="order_id"
    )


def invented(count=4000, seed=1, items=12) -> pd.DataFrame:
    """Baskets of very different sizes, filled by lot: no item knows of another. Item 0 is the most popular."""
    random = np.random.default_rng(seed)
    weight = 1 / np.arange(1, items + 1)
    size = random.choice([1, 2, 4, 8], count)
    rows = [
        (basket, f"i{item:02d}")
        for basket, many in enumerate(size)
        for item in random.choice(items, many, replace=False, p=weight / weight.sum())
    ]
    return pd.DataFrame(rows, columns=["order_id", "category"])


# --- counting ---------------------------------------------------------------------------------------------------------


@given(LINES)
@settings(deadline=None, max_examples=6)
def test_every_figure_equals_plain_counting_in_pandas(lines):
    frame = pd.DataFrame(lines, columns=["order_id", "category"])
    found = baskets.rules(orders(frame), support=0.01, chance="independent", correction="none")
    held = frame.groupby("order_id")["category"].agg(set)
    pairs = {
        (a, b): sum({a, b} <= basket for basket in held) for a, b in combinations(sorted(frame["category"].unique()), 2)
    }
    expected = {pair: both for pair, both in pairs.items() if both}
    assert len(found) == 2 * len(expected)
    for row in found.itertuples():
        both = expected[tuple(sorted([row.if_bought, row.also_bought]))]
        one, other = (sum(item in basket for basket in held) for item in (row.if_bought, row.also_bought))
        assert row.baskets == both
        assert row.support == pytest.approx(both / len(held))
        assert row.confidence == pytest.approx(both / one)
        assert row.lift == pytest.approx(both * len(held) / (one * other))
        assert row.low <= row.lift + 1e-12
        table = [[both, one - both], [other - both, len(held) - one - other + both]]
        assert row.p_value == pytest.approx(fisher_exact(table, alternative="greater").pvalue, abs=1e-9)


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=3)
def test_neither_order_of_rows_nor_repeats_nor_names_of_orders_matter(seed):
    frame, random = invented(300, seed), np.random.default_rng(seed)
    found = baskets.rules(orders(frame))
    again = pd.concat([frame, frame.sample(50, random_state=seed)]).sample(frac=1, random_state=seed)
    names = random.permutation(300)
    pd.testing.assert_frame_equal(baskets.rules(orders(again)), found)
    pd.testing.assert_frame_equal(baskets.rules(orders(frame.assign(order_id=names[frame["order_id"]]))), found)


def test_order_numbers_that_two_customers_share_are_two_baskets_and_refunds_are_none():
    lines = pd.DataFrame({"order_id": [1, 1, 1, 2, 2], "category": ["tea", "milk", "rice", "tea", "milk"]})
    book = orders(lines, customer_id=[1, 1, 2, 1, 1], amount=[1, 1, 1, 1, 1])
    assert baskets.rules(book, chance="independent").attrs["baskets"] == 3
    given_back = orders(lines, amount=[1, 1, -1, 1, 1], customer_id=1)
    assert set(baskets.rules(given_back, chance="independent")["if_bought"]) == {"tea", "milk"}


def test_what_has_no_order_or_item_is_left_out_and_counted():
    lines = pd.DataFrame({"order_id": ["a", "a", "b", "b", None], "category": ["tea", "milk", "tea", None, "tea"]})
    found = baskets.rules(orders(lines), chance="independent")
    assert (found.attrs["left_out"], found.attrs["baskets"]) == (2, 2)


def test_infrequent_items_are_pruned_before_and_all_pairs_of_the_frequent_count_as_tried():
    frame = invented(1000, items=12)
    share = frame.groupby("category")["order_id"].nunique() / 1000
    found = baskets.rules(orders(frame), support=0.2)
    frequent = int((share >= 0.2).sum())
    assert 2 < frequent < 12
    assert (found.attrs["frequent"], found.attrs["tried"]) == (frequent, frequent * (frequent - 1) // 2)
    assert found["support"].min() >= 0.2


def test_complete_journey_against_counting_in_pandas():
    journey = datasets.load("complete_journey").transactions
    found = baskets.rules(journey).set_index(["if_bought", "also_bought"])
    lines = journey.table.filter(journey.table.category.notnull(), journey.table.amount >= 0)
    total = lines.order_id.nunique().to_pyarrow().as_py()
    two = (
        lines.filter(lines.category.isin(["DRY NOODLES/PASTA", "PASTA SAUCE"]))
        .select("order_id", "category")
        .to_pandas()
    )
    pasta, sauce = (set(part["order_id"]) for _, part in two.groupby("category"))
    row, both = found.loc[("DRY NOODLES/PASTA", "PASTA SAUCE")], len(pasta & sauce)
    assert (row["baskets"], found.attrs["baskets"]) == (both, total)
    assert row["confidence"] == pytest.approx(both / len(pasta))
    assert row["lift"] == pytest.approx(both * total / len(pasta) / len(sauce))


# --- chance -----------------------------------------------------------------------------------------------------------


def test_the_interval_of_the_lift_covers_the_truth_as_often_as_it_says():
    """Two items with shares .3 and .4, both in .18 of 1,500 baskets: the lift is 1.5."""
    counts = np.random.default_rng(7).multinomial(1500, [0.18, 0.12, 0.22, 0.48], size=4000)
    low, high = baskets._lift_interval(counts[:, 0], counts[:, :2].sum(1), counts[:, [0, 2]].sum(1), 1500)
    assert ((low <= 1.5) & (high >= 1.5)).mean() == pytest.approx(0.95, abs=0.012)


def test_full_baskets_alone_make_the_textbook_find_everything_and_the_test_by_size_nothing():
    """Filled by lot: there is nothing to find, and lift is far above 1 all the same."""
    book = orders(invented())
    textbook = baskets.rules(book, chance="independent")
    honest = baskets.rules(book)
    assert textbook["lift"].min() > 1.1
    assert textbook["above_chance"].mean() > 0.9
    assert honest["above_chance"].sum() == 0
    assert honest["lift_for_size"].between(0.8, 1.2).all()


def test_p_values_are_as_small_as_they_say_where_nothing_is_to_be_found():
    small = baskets.rules(orders(invented(6000, 3, items=60)), support=0.001)["p_value"]
    assert len(small) > 2000
    assert 0.025 <= (small < 0.05).mean() <= 0.075
    assert (small < 0.5).mean() == pytest.approx(0.5, abs=0.08)


def test_a_planted_pair_is_found_by_size_and_no_other():
    """In half of the baskets with i05, one other item is exchanged for i07: sizes stay as they are."""
    frame = invented(seed=2, items=40)
    held = frame.groupby("order_id")["category"].transform(
        lambda items: "i05" in set(items) and "i07" not in set(items)
    )
    place = frame[held & (frame["category"] != "i05") & (frame["order_id"] % 2 == 0)].drop_duplicates("order_id").index
    frame.loc[place, "category"] = "i07"
    found = baskets.rules(orders(frame))
    assert set(found.loc[found["above_chance"], "if_bought"]) == {"i05", "i07"}
    assert found.loc[0, "lift_for_size"] > 1.3


def test_shuffling_keeps_both_margins_and_destroys_the_rest():
    frame = invented(seed=2)
    frame["category"] = np.where(frame["order_id"] % 2 == 0, "e" + frame["category"], "o" + frame["category"])
    book = orders(frame)
    dealt = baskets._dealt_anew(frame.rename(columns={"order_id": "basket", "category": "item"}), 1)
    assert (
        dealt["basket"].value_counts().sort_index().tolist() == frame["order_id"].value_counts().sort_index().tolist()
    )
    assert dealt["item"].value_counts().to_dict() == frame["category"].value_counts().to_dict()
    assert not dealt.duplicated().any()
    assert baskets.rules(book)["if_bought"].str[0].eq(baskets.rules(book)["also_bought"].str[0]).all()
    shuffled = baskets.rules(book, shuffle=1)
    assert not shuffled["if_bought"].str[0].eq(shuffled["also_bought"].str[0]).all()
    assert shuffled["above_chance"].sum() == 0
    assert shuffled.attrs["shuffled"]
    pd.testing.assert_frame_equal(baskets.rules(book, shuffle=1), shuffled)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
@settings(deadline=None, max_examples=20)
def test_corrections_equal_statsmodels_when_every_test_is_given(p_values):
    for ours, theirs in (("holm", "holm"), ("benjamini-hochberg", "fdr_bh")):
        expected = multipletests(p_values, method=theirs)[1]
        np.testing.assert_allclose(baskets._corrected(p_values, len(p_values), ours), expected, atol=1e-12)


def test_tests_that_were_made_and_not_shown_count():
    padded = [0.001, 0.002, 0.9, 0.95, 1.0]
    for ours, theirs in (("holm", "holm"), ("benjamini-hochberg", "fdr_bh")):
        expected = multipletests(padded, method=theirs)[1][:2]
        np.testing.assert_allclose(baskets._corrected(padded[:2], 5, ours), expected)


# --- bad input --------------------------------------------------------------------------------------------------------

BOOK = orders(pd.DataFrame({"order_id": [1, 1], "category": ["tea", "milk"]}))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: baskets.rules(pd.DataFrame()), KindError, "Transactions.read"),
        (lambda: baskets.rules(BOOK, "product_id"), ColumnError, "product_id=<your column>"),
        (lambda: baskets.rules(BOOK, "amount"), InputError, "no kind of product"),
        (lambda: baskets.rules(BOOK, support=2), InputError, "support=2"),
        (lambda: baskets.rules(BOOK, level=0), InputError, "level=0"),
        (lambda: baskets.rules(BOOK, correction="hol"), InputError, "Did you mean 'holm'"),
        (lambda: baskets.rules(BOOK, chance="luck"), InputError, "use 'basket size', 'independent'"),
        (lambda: baskets._corrected([0.1, 0.2], 1), InputError, "tried=1"),
    ],
)
def test_what_cannot_be_used_is_told(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_table_without_orders_is_refused_with_what_to_do():
    plain = Transactions.read(pd.DataFrame({"customer_id": [1], "ordered_at": ["2026-01-05"], "amount": [1.0]}))
    with pytest.raises(ColumnError, match=r"'order_id' was not named.*order_id=<your column>"):
        baskets.rules(plain)


def test_no_pair_reaches_the_support():
    alone = orders(pd.DataFrame({"order_id": [1, 2], "category": ["tea", "milk"]}))
    assert baskets.rules(alone).empty
    assert baskets.rules(alone).attrs["frequent"] == 2
