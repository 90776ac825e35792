"""An answer's value goes from the student's process to the trainer's as plain JSON, and nothing else does."""

import contextlib
import datetime
import json
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.classroom import compare, defend
from crmkit.classroom.values import MOST, decode, encode


def carried(value):
    return decode(json.loads(json.dumps(encode(value))))


plain = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.decimals(allow_nan=False, allow_infinity=False)
)
days = st.dates(datetime.date(1700, 1, 1), datetime.date(2200, 1, 1))
anything = st.recursive(
    plain | days,
    lambda inner: (
        st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner) | st.sets(plain.filter(bool))
    ),
    max_leaves=10,
)


@given(anything)
def test_whatever_a_check_can_compare_arrives_the_same(value):
    assert compare.difference(value, carried(value)) is None or value in (float("inf"), float("-inf"))


@pytest.mark.parametrize(
    "value",
    [
        pd.Series([1.5, None], index=["a", "b"], name="spend"),
        pd.Series([1, None], dtype="Int64"),
        pd.DataFrame({"n": [1, 2], "text": ["x", None], "kind": pd.Categorical(["u", "v"])}),
        pd.DataFrame({"day": pd.to_datetime(["2026-01-02", None])}, index=pd.Index([7, 8], name="customer_id")),
        pd.DataFrame({"n": [1, 2]}, index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["k", "l"])),
        pd.DataFrame(),
        pd.Timestamp("2026-06-30", tz="Europe/Paris"),
        np.array([[1, 2], [3, 4]]),
        np.datetime64("2026-06-30"),
        pd.Period("2026-06", freq="M"),
        Fraction(1, 3),
        Decimal("12.50"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_tables_dates_and_exact_numbers_arrive_the_same(value):
    assert compare.difference(value, carried(value)) is None


def test_a_defence_arrives_with_its_words():
    assert carried(defend(choice="fixed", figure=0.5, because="Tage, 天")) == defend(
        choice="fixed", figure=0.5, because="Tage, 天"
    )


def test_a_blank_stays_a_blank_and_a_stranger_arrives_as_the_name_of_its_type():
    assert carried(...) is ...
    stranger = type("Spreadsheet", (), {"__reduce__": lambda self: (exit, ())})()
    assert compare.difference(3, carried(stranger)) == "You gave an object of type Spreadsheet; a number was expected."
    assert "a function" in compare.difference(3, carried(len))


def test_an_answer_of_a_million_values_is_refused_where_it_was_made():
    with pytest.raises(OverflowError, match="1,000,000 values"):
        encode(range(1_000_000))
    assert MOST < 1_000_000


json_text = st.recursive(plain.filter(lambda v: not isinstance(v, Decimal)), lambda inner: st.lists(inner, max_size=4))
names = st.sampled_from(
    ["table", "series", "dictionary", "set", "fraction", "decimal", "date", "other", "defence", "list"]
)


@given(st.lists(names | json_text, max_size=5))
def test_a_forged_value_is_a_value_or_refused_and_nothing_worse(forged):
    with contextlib.suppress(ValueError):
        decode(forged)


def test_half_a_letter_is_made_one_that_can_be_written():
    assert decode("\ud800x") == "?x"
