"""Needs in order: the plain product, and how far the order depends on the weights."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.errors import ColumnError, InputError, KindError
from crmkit.lifecycle import needs

marks = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=8)


def table(rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["urgency", "importance"], index=[f"n{place}" for place in range(len(rows))])


def test_by_hand():
    """20 > 16 = 16 > 5; at weight 1 urgency alone decides, at weight 0 importance alone."""
    given_ = pd.DataFrame({"urgency": [4, 5, 2, 5], "importance": [4, 4, 8, 1]}, index=["a", "b", "c", "d"])
    found = needs.prioritise(given_, weights=(0, 1))
    assert found["priority"].to_dict() == {"b": 20, "a": 16, "c": 16, "d": 5}
    assert found["rank"].to_dict() == {"b": 1, "a": 2, "c": 2, "d": 4}
    assert found.loc["c", ["best_rank", "worst_rank"]].tolist() == [1, 4]
    assert found.loc["d", ["best_rank", "worst_rank"]].tolist() == [1, 4]
    # c beats b where 2^w 8^(1-w) > 5^w 4^(1-w), that is w < ln 2 / (ln 2 + ln 2.5) = 0.4307: 44 of 101 weights
    assert found.loc["c", "first_share"] == pytest.approx(44 / 101)


@settings(max_examples=80, deadline=None)
@given(marks)
def test_the_rank_is_that_of_the_product_and_lies_within_its_range(rows):
    found = needs.prioritise(table(rows))
    products = [u * i for u, i in rows]
    for row in found.itertuples():
        assert row.rank == 1 + sum(product > row.priority for product in products)
        assert row.best_rank <= row.rank <= row.worst_rank
        assert 0 <= row.first_share <= 1
    assert found["rank"].is_monotonic_increasing


@settings(max_examples=80, deadline=None)
@given(marks, st.floats(0.01, 1000), st.floats(0.01, 1000))
def test_units_do_not_matter(rows, unit, other):
    plain = needs.prioritise(table(rows))
    scaled = needs.prioritise(
        table(rows).assign(urgency=lambda t: t["urgency"] * unit, importance=lambda t: t["importance"] * other)
    )
    columns = ["rank", "best_rank", "worst_rank", "first_share"]
    pd.testing.assert_frame_equal(plain[columns], scaled.loc[plain.index, columns])


@settings(max_examples=50, deadline=None)
@given(marks, st.floats(0, 1))
def test_one_weight_leaves_no_range_and_a_need_that_is_better_in_both_is_never_behind(rows, weight):
    found = needs.prioritise(table(rows), weights=(weight, weight))
    assert (found["best_rank"] == found["worst_rank"]).all()
    wide = needs.prioritise(table(rows), weights=(0, 1))
    for better in wide.itertuples():
        for worse in wide.itertuples():
            if better.urgency > worse.urgency and better.importance > worse.importance:
                assert better.worst_rank <= worse.worst_rank
                assert better.best_rank <= worse.best_rank
                assert worse.first_share == 0


def test_inputs_stay_and_further_columns_are_kept():
    given_ = table([(1, 2), (3, 3)]).assign(said_by="survey")
    before = given_.copy()
    found = needs.prioritise(given_)
    pd.testing.assert_frame_equal(given_, before)
    assert found["said_by"].eq("survey").all()


@pytest.mark.parametrize(
    ("frame", "options", "error", "words"),
    [
        ([1, 2], {}, KindError, "not list"),
        (table([(1, 2)]), {"urgency": "urgncy"}, ColumnError, "Did you mean 'urgency'"),
        (table([(1, 2), (0, 3)]), {}, InputError, "'urgency' has 1 values .* such as 0"),
        (table([(1, None)]), {}, InputError, "'importance' has 1 values"),
        (table([(1, np.inf)]), {}, InputError, "'importance' has 1 values"),
        (table([(1, "much")]), {}, InputError, "such as 'much'"),
        (table([]), {}, InputError, "0 rows"),
        (table([(1, 2), (2, 3)]).set_axis(["x", "x"]), {}, InputError, "1 needs stand there twice, such as 'x'"),
        (table([(1, 2)]), {"weights": (0.8, 0.2)}, InputError, "the lower first"),
        (table([(1, 2)]), {"weights": 0.5}, InputError, "two numbers"),
    ],
)
def test_bad_input(frame, options, error, words):
    with pytest.raises(error, match=words):
        needs.prioritise(frame, **options)
