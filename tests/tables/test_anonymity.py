"""k-anonymity against published tables and by counting; what generalising costs."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.errors import ColumnError, InputError, KindError
from crmkit.tables import anonymity

#: Sweeney (2002), "k-anonymity", figure 2: "an example of k-anonymity, where k = 2".
SWEENEY = pd.DataFrame(
    [
        ("Black", "1965", "m", "0214*", "short breath"),
        ("Black", "1965", "m", "0214*", "chest pain"),
        ("Black", "1965", "f", "0213*", "hypertension"),
        ("Black", "1965", "f", "0213*", "hypertension"),
        ("Black", "1964", "f", "0213*", "obesity"),
        ("Black", "1964", "f", "0213*", "chest pain"),
        ("White", "1964", "m", "0213*", "chest pain"),
        ("White", "1964", "m", "0213*", "obesity"),
        ("White", "1964", "m", "0213*", "short breath"),
        ("White", "1967", "m", "0213*", "chest pain"),
        ("White", "1967", "m", "0213*", "chest pain"),
    ],
    columns=["race", "birth", "gender", "zip", "problem"],
)
QUASI = ["race", "birth", "gender", "zip"]


def test_the_published_table_is_2_anonymous():
    found = anonymity.k_anonymity(SWEENEY, QUASI, k=2)
    assert (found.k, found.rows_below) == (2, 0)
    assert found.groups["rows"].to_list() == [2, 2, 2, 2, 3]


def test_and_yet_it_gives_four_people_away():
    """Both people of two groups have the same problem: Machanavajjhala et al. (2006), the homogeneity attack."""
    assert anonymity.k_anonymity(SWEENEY, QUASI, k=2, sensitive="problem").alike == 4


def test_at_k_3_only_the_group_of_three_is_left():
    found = anonymity.k_anonymity(SWEENEY, QUASI, k=3, sensitive="problem")
    assert (found.k, found.rows_below, found.alike) == (2, 8, 0)
    assert found.share_below == 8 / 11
    assert len(found.examples) == 5
    assert "k = 2: 11 rows in 5 groups; 0 unique, 8 (72.7%) in groups below 3." in str(found)


def test_discernibility_is_the_sum_of_squares_and_a_suppressed_row_counts_everybody():
    """Bayardo and Agrawal (2005), C_DM: 2² four times and 3² at k = 2; at k = 3, 3² and eight rows that count all 11."""
    keep = {column: {"keep": True} for column in QUASI}
    assert anonymity.generalise(SWEENEY, keep, k=2).discernibility == 4 * 4 + 9
    assert anonymity.generalise(SWEENEY, keep, k=3).discernibility == 9 + 8 * 11


rows = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y", None]), st.integers(0, 3)), min_size=1)


@settings(max_examples=40, deadline=None)
@given(rows, st.integers(2, 6))
def test_counted_by_hand_it_is_the_same(values, k):
    frame = pd.DataFrame(values, columns=["one", "two", "money"])
    sizes = Counter((one, two) for one, two, _ in values)
    found = anonymity.k_anonymity(frame, ["one", "two"], k=k)
    assert found.k == min(sizes.values())
    assert found.rows_below == sum(size for size in sizes.values() if size < k)
    release = anonymity.generalise(frame, {"one": {"keep": True}, "two": {"keep": True}}, k=k, keep="money")
    assert release.suppressed == found.rows_below
    assert len(release.table) == sum(size for size in sizes.values() if size >= k)
    assert release.table["money"].sum() == frame.loc[release.released, "money"].sum()


@settings(max_examples=40, deadline=None)
@given(rows, st.integers(2, 6))
def test_whatever_is_released_is_k_anonymous(values, k):
    frame = pd.DataFrame(values, columns=["one", "two", "money"])
    release = anonymity.generalise(frame, {"one": {"prefix": 1}, "money": {"bands": [1, 2]}}, k=k)
    assert release.after.k >= k or len(release.table) == 0
    assert (release.before.rows, release.after.rows) == (len(frame), len(release.table))
    assert release.dropped == ("two",)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(10000, 10299), min_size=20, max_size=200))
def test_coarser_never_suppresses_more(numbers):
    frame = pd.DataFrame({"postcode": [str(number) for number in numbers]})
    suppressed = [anonymity.generalise(frame, {"postcode": {"prefix": n}}, k=5).suppressed for n in (5, 4, 3, 2, 1)]
    assert suppressed == sorted(suppressed, reverse=True)


def test_age_is_in_completed_years():
    born = pd.to_datetime(["2007-12-31", "2008-01-01", "1995-06-15", "1980-02-29", "1890-01-01", "2031-01-01", None])
    release = anonymity.generalise(
        pd.DataFrame({"born": born.repeat(2)}), {"born": {"age_bands": [18, 30, 45]}}, k=2, as_of="2025-12-31"
    )
    counts = release.table["born"].value_counts(dropna=False).to_dict()
    # 18 today, 18 tomorrow, 30 since June, 45 since February; 135 years old and not yet born are impossible
    assert counts == {"18-29": 2, "under 18": 2, "30-44": 2, "45 and more": 2, np.nan: 6}
    assert release.cost.iloc[0].to_list() == ["born", "age_bands [18, 30, 45]", 6, 4, 4]


def test_the_original_is_not_touched_and_order_tells_nothing():
    frame = pd.DataFrame({"postcode": ["20000", "10000"] * 5, "spend": range(10, 0, -1)})
    before = frame.copy()
    table = anonymity.generalise(frame, {"postcode": {"prefix": 1}}, keep="spend").table
    pd.testing.assert_frame_equal(frame, before)
    assert table["postcode"].to_list() == ["1*"] * 5 + ["2*"] * 5
    assert table["spend"].to_list() == [1, 3, 5, 7, 9, 2, 4, 6, 8, 10]


def test_when_nobody_can_be_released_it_says_so():
    release = anonymity.generalise(pd.DataFrame({"x": list("abcdef")}), {"x": {"keep": True}}, k=2)
    assert (len(release.table), release.share_suppressed, release.after.k) == (0, 1.0, 0)
    assert "0 of 6 rows released" in str(release)


PEOPLE = pd.DataFrame({"age": [20, 30], "postcode": ["10437", "10119"], "born": ["1990-01-01", "1991-01-01"]})


@pytest.mark.parametrize(
    ("rules", "options", "error", "message"),
    [
        ({}, {}, InputError, "rules is empty"),
        ({"postcode": {"prefx": 2}}, {}, InputError, "Did you mean 'prefix'"),
        ({"postcode": {"prefix": 2, "keep": True}}, {}, InputError, "write one of"),
        ({"postcode": {"prefix": 0}}, {}, InputError, "1 or more, not 0"),
        ({"postcode": {"keep": False}}, {}, InputError, "give it no rule"),
        ({"postcode": {"bands": [1]}}, {}, KindError, "not numbers"),
        ({"born": {"age_bands": [18]}}, {"as_of": "2025-12-31"}, KindError, "pandas.to_datetime"),
        ({"age": {"bands": [30, 18]}}, {}, InputError, r"rising numbers .* not \[30, 18\]"),
        ({"age": {"bands": []}}, {}, InputError, "rising numbers"),
        ({"postcod": {"prefix": 2}}, {}, ColumnError, "Did you mean 'postcode'"),
        ({"postcode": {"prefix": 2}}, {"keep": "postcode"}, InputError, "choose one"),
        ({"postcode": {"prefix": 2}}, {"k": 1}, InputError, "k=1 hides nobody"),
        ({"postcode": {"prefix": 2}}, {"k": 2.5}, InputError, "whole number"),
    ],
)
def test_rules_that_cannot_be_meant_are_refused(rules, options, error, message):
    with pytest.raises(error, match=message):
        anonymity.generalise(PEOPLE, rules, **options)


def test_questions_without_people_are_refused():
    with pytest.raises(InputError, match="0 rows"):
        anonymity.k_anonymity(PEOPLE.head(0), "age")
    with pytest.raises(InputError, match="quasi_identifiers is empty"):
        anonymity.k_anonymity(PEOPLE, [])
    with pytest.raises(KindError, match="DataFrame"):
        anonymity.k_anonymity([1, 2], "age")


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_a_missing_postcode_is_a_group_of_its_own_and_no_text(missing):
    """`astype("str")` of pandas 2 writes "None" and "nan", which look like a postcode."""
    people = pd.DataFrame({"postcode": pd.Series(["10437", "10119", missing, missing], dtype=object)})
    release = anonymity.generalise(people, {"postcode": {"prefix": 2}}, k=2)
    assert release.table["postcode"].isna().to_list() == [False, False, True, True]
    assert release.table["postcode"].dropna().to_list() == ["10*", "10*"]
