"""RFM scores: equal customers get equal scores, and the cut points say why."""

import datetime
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from crmkit import segmentation
from crmkit.errors import ColumnError, InputError, KindError

rfm = segmentation.rfm


def a_summary(**columns) -> pd.DataFrame:
    number = len(next(iter(columns.values())))
    everything = {"recency_days": [10] * number, "orders": [1] * number, "spend": [1.0] * number} | columns
    frame = pd.DataFrame(everything, index=pd.Index([f"c{i}" for i in range(number)], name="customer_id"))
    frame.attrs = {"as_of": datetime.date(2026, 6, 30), "currency": "EUR"}
    return frame


some_values = hnp.arrays(
    float,
    st.integers(1, 60),
    elements=st.one_of(st.integers(0, 4).map(float), st.floats(-1e6, 1e6, allow_nan=False)),
)


# --- against a published definition and against other implementations -------------------------------------


def test_ten_customers_by_hand():
    # Worked by hand: 10 different values, 5 bins, so the cut points are the 2nd, 4th, 6th and 8th value.
    scores = rfm.score(
        a_summary(
            recency_days=[1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
            orders=[10, 9, 8, 7, 6, 5, 4, 3, 2, 1],
            spend=[5.0, 5, 5, 5, 5, 5, 5, 5, 5, 100],
        )
    )
    assert scores["r_score"].tolist() == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert scores["f_score"].tolist() == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert scores["m_score"].tolist() == [1] * 9 + [5]  # nine are equal, the tenth is above every cut point
    assert scores["rfm_cell"].iloc[0] == "5-5-1"
    assert scores["rfm_score"].iloc[0] == pytest.approx(11 / 3)
    assert scores.attrs["effective_bins"] == {"r": 5, "f": 5, "m": 2}


@settings(max_examples=40, deadline=None)
@given(some_values, st.integers(3, 10))
def test_cut_points_are_hyndman_and_fan_definition_1(values, bins):
    # numpy's "inverted_cdf" is definition 1 of Hyndman and Fan (1996); it works in floats, so shares such as
    # 3/5 are compared only where i * n / bins is not a whole number (where float error could tip it over).
    cuts = rfm.score(a_summary(spend=values), bins=bins).attrs["cut_points"]["spend"]
    for i in range(1, bins):
        if i * len(values) % bins:
            assert cuts[i - 1] == np.quantile(values, i / bins, method="inverted_cdf")


@settings(max_examples=40, deadline=None)
@given(some_values, st.integers(3, 10))
def test_cut_points_by_the_words_of_the_definition(values, bins):
    cuts = rfm.score(a_summary(spend=values), bins=bins).attrs["cut_points"]["spend"]
    for i, cut in enumerate(cuts, start=1):
        enough = [v for v in values if bins * np.count_nonzero(values <= v) >= i * len(values)]
        assert cut == min(enough)
        assert cut in values


def test_without_ties_the_scores_are_those_of_qcut():
    # pandas.qcut puts equal shares into bins; without ties and with n divisible by bins both must agree.
    values = np.random.default_rng(3).permutation(1000) * 1.5
    ours = rfm.score(a_summary(spend=values))["m_score"]
    assert ours.tolist() == (pd.qcut(values, 5, labels=False) + 1).tolist()


# --- invariants -------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(some_values, st.integers(3, 10))
def test_equal_customers_get_equal_scores_and_better_ones_no_worse(values, bins):
    scores = rfm.score(a_summary(spend=values, recency_days=values), bins=bins)
    by_value = scores.groupby("spend")[["m_score", "r_score"]]
    assert (by_value.nunique() == 1).all(axis=None)
    assert by_value.first()["m_score"].is_monotonic_increasing
    assert by_value.first()["r_score"].is_monotonic_decreasing  # few days since the last order are good
    assert scores[["m_score", "r_score"]].isin(range(1, bins + 1)).all(axis=None)


@settings(max_examples=40, deadline=None)
@given(some_values, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(values, random):
    summary = a_summary(spend=values, orders=values[::-1].copy())
    shuffled = summary.sample(frac=1, random_state=random.randrange(1000))
    pd.testing.assert_frame_equal(rfm.score(shuffled).loc[summary.index], rfm.score(summary))
    pd.testing.assert_frame_equal(rfm.cut_points(shuffled), rfm.cut_points(summary))


@settings(max_examples=40, deadline=None)
@given(some_values, st.integers(3, 10))
def test_the_table_of_cut_points_tells_every_score(values, bins):
    summary = a_summary(spend=values, recency_days=values)
    table, scores = rfm.cut_points(summary, bins=bins), rfm.score(summary, bins=bins)
    assert (table.groupby("column")["customers"].sum() == len(values)).all()
    for row in table.itertuples():
        inside = (summary[row.column] > row.above) & (summary[row.column] <= row.up_to)
        assert (inside == (scores[f"{row.dimension}_score"] == row.score)).all()
        assert row.customers == inside.sum()


@settings(max_examples=40, deadline=None)
@given(some_values, some_values, st.integers(3, 10))
def test_frozen_cut_points_score_a_customer_the_same_at_any_date(before, after, bins):
    first, second = a_summary(spend=before, recency_days=before), a_summary(spend=after, recency_days=after)
    frozen = rfm.score(second, cuts=rfm.cut_points(first, bins=bins))
    again = rfm.score(second, cuts=rfm.score(first, bins=bins).attrs["cut_points"])
    pd.testing.assert_frame_equal(frozen, again)
    both = pd.concat([rfm.score(first, bins=bins).assign(date=1), frozen.assign(date=2)])
    assert (both.groupby("spend")["m_score"].nunique() == 1).all()


def test_inputs_are_not_touched_and_attrs_are_carried():
    summary = a_summary(spend=[1.0, 2.0])
    before, attrs = summary.copy(deep=True), dict(summary.attrs)
    scores = rfm.score(summary)
    pd.testing.assert_frame_equal(summary, before)
    assert summary.attrs == attrs
    assert scores.attrs["as_of"] == datetime.date(2026, 6, 30)
    assert scores.attrs["bins"] == {"r": 5, "f": 5, "m": 5}


# --- small and odd tables ---------------------------------------------------------------------------------


def test_one_customer():
    scores = rfm.score(a_summary(spend=[7.0]))
    assert scores[["r_score", "f_score", "m_score"]].iloc[0].tolist() == [5, 1, 1]
    assert scores.attrs["effective_bins"] == {"r": 1, "f": 1, "m": 1}


def test_fewer_customers_than_bins():
    scores = rfm.score(a_summary(spend=[1.0, 2.0, 3.0]), bins=10)
    assert scores["m_score"].tolist() == [1, 4, 7]
    assert scores.attrs["effective_bins"]["m"] == 3


def test_all_equal_customers_have_one_score():
    assert rfm.score(a_summary(spend=[3.0] * 50)).attrs["effective_bins"]["m"] == 1


def test_nullable_and_whole_numbers_score_as_floats_do():
    values = [1, 5, 5, 2, 9, 0]
    as_float = rfm.score(a_summary(orders=np.array(values, dtype=float)))["f_score"]
    for kind in ("int32", "Int64", "float32"):
        assert rfm.score(a_summary(orders=pd.array(values, dtype=kind)))["f_score"].tolist() == as_float.tolist()


# --- bins, cuts, weights, dimensions ----------------------------------------------------------------------


def test_bins_by_dimension():
    scores = rfm.score(a_summary(spend=range(30), orders=range(30)), bins={"r": 3, "f": 10, "m": 4})
    assert scores.attrs["bins"] == {"r": 3, "f": 10, "m": 4}
    assert scores["f_score"].max() == 10
    assert scores["rfm_cell"].iloc[-1] == "3-10-4"


def test_fixed_cuts_count_a_value_on_the_cut_as_below():
    scores = rfm.score(a_summary(recency_days=[30, 31, 90, 91]), cuts={"recency_days": [30, 90]})
    assert scores["r_score"].tolist() == [3, 2, 2, 1]
    assert scores.attrs["bins"] == {"r": 3, "f": 5, "m": 5}  # the other columns are cut by quantiles


def test_weights_make_the_weighted_mean_and_nothing_else():
    summary = a_summary(spend=[1.0, 2, 3, 4, 5], orders=[5, 4, 3, 2, 1])
    plain, weighted = rfm.score(summary), rfm.score(summary, weights={"r": 0, "f": 1, "m": 3})
    assert weighted["rfm_score"].tolist() == [2.0, 2.5, 3.0, 3.5, 4.0]
    pd.testing.assert_frame_equal(plain.drop(columns="rfm_score"), weighted.drop(columns="rfm_score"))


@pytest.mark.parametrize("name", rfm.DIMENSIONS)
def test_every_variant_scores_a_table_with_its_columns(name):
    dimensions = rfm.DIMENSIONS[name]
    frame = pd.DataFrame({dimension.column: np.linspace(0, 1, 10) for dimension in dimensions})
    scores = rfm.score(frame, dimensions=name)
    best = {d.letter: (0 if d.better == "low" else 9) for d in dimensions}
    assert all(scores[f"{letter}_score"].iloc[row] == 5 for letter, row in best.items())
    assert scores["rfm_cell"].str.count("-").eq(len(dimensions) - 1).all()


def test_a_users_own_dimensions():
    nights = rfm.Dimension("n", "nights", "high", "nights")
    complaints = ("c", "complaints", "low", "complaints")
    frame = pd.DataFrame({"nights": [1, 2, 3], "complaints": [0, 0, 7]})
    scores = rfm.score(frame, bins=3, dimensions=[nights, complaints])
    assert scores["rfm_cell"].tolist() == ["1-3", "2-3", "3-1"]


# --- mistakes ---------------------------------------------------------------------------------------------


def test_a_missing_column_names_what_looks_like_it():
    with pytest.raises(ColumnError, match=r"'spend'.*'spent'"):
        rfm.score(a_summary(orders=[1]).rename(columns={"spend": "spent"}))


@pytest.mark.parametrize("bad", [math.nan, math.inf, None])
def test_missing_values_are_counted(bad):
    summary = a_summary(spend=[1.0, 2.0, 3.0])
    summary["spend"] = pd.Series([1.0, bad, bad], index=summary.index, dtype=float)
    with pytest.raises(InputError, match=r"'spend' is missing or infinite for 2 of 3 customers"):
        rfm.score(summary)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bins": 2}, "bins=2 for 'r'; use 3 to 10"),
        ({"bins": 11}, "use 3 to 10"),
        ({"bins": 5.0}, "whole number"),
        ({"bins": True}, "whole number"),
        ({"bins": {"r": 5, "f": 5}}, "for 'm' it is None"),
        ({"bins": {"r": 5, "f": 5, "m": 5, "x": 3}}, "bins: 'x' is not known; use 'r', 'f', 'm'"),
        ({"cuts": {"recency": [30, 90]}}, "Did you mean 'recency_days'"),
        ({"cuts": {"spend": [90, 30]}}, "ascending"),
        ({"cuts": {"spend": [30]}}, "makes 2 bins"),
        ({"cuts": {"spend": [30, math.nan]}}, "ascending"),
        ({"cuts": {"spend": ["low", "high"]}}, "list of numbers"),
        ({"cuts": {"spend": 5}}, "list of numbers"),
        ({"weights": {"r": 1}}, "each of r, f, m"),
        ({"weights": {"r": 0, "f": 0, "m": 0}}, "all weights are zero"),
        ({"weights": {"r": -1, "f": 1, "m": 1}}, "zero or more"),
        ({"dimensions": "lfrm"}, "Did you mean 'lrfm'"),
        ({"dimensions": ["recency"]}, "rfm.Dimension"),
        ({"dimensions": []}, "empty"),
        ({"dimensions": [("R", "orders", "high", "x")]}, "small letter"),
        ({"dimensions": [("r", "orders", "up", "x")]}, "'high' or 'low'"),
        ({"dimensions": [("r", "orders", "high", "x"), ("r", "spend", "high", "x")]}, "same letter"),
    ],
)
def test_arguments_that_cannot_be(arguments, message):
    with pytest.raises(InputError, match=message):
        rfm.score(a_summary(spend=[1.0, 2.0, 3.0]), **arguments)


@pytest.mark.parametrize("column", [["1", "2"], [True, False], pd.to_datetime(["2026-01-01", "2026-01-02"])])
def test_columns_that_are_no_numbers(column):
    with pytest.raises(InputError, match=r"'spend' holds .* not numbers"):
        rfm.score(a_summary(orders=[1, 2]).assign(spend=column))


def test_no_customers_and_no_table():
    with pytest.raises(InputError, match="no customers"):
        rfm.score(a_summary(spend=[1.0]).iloc[:0])
    with pytest.raises(KindError, match="DataFrame"):
        rfm.score([1, 2, 3])
    with pytest.raises(ColumnError, match="up_to"):
        rfm.score(a_summary(spend=[1.0]), cuts=pd.DataFrame({"column": ["spend"]}))
    with pytest.raises(KindError, match="cuts"):
        rfm.score(a_summary(spend=[1.0]), cuts=[30, 90])


def test_a_tie_at_a_cut_point_stays_together_where_ranking_would_part_it():
    # The usual recipe, qcut of rank(method="first"), parts equal customers by the order of rows.
    summary = a_summary(orders=[1] * 60 + [2] * 40)
    recipe = pd.qcut(summary["orders"].rank(method="first"), 5, labels=False) + 1
    assert recipe[summary["orders"] == 1].nunique() == 3
    assert rfm.score(summary)["f_score"][summary["orders"] == 1].nunique() == 1
