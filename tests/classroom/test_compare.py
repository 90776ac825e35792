"""What counts as the same answer, and what is said when it is not. Nothing a student gives raises or is changed."""

import datetime
import itertools
from collections import OrderedDict, namedtuple
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.classroom.compare import difference

DAY = datetime.date(2026, 6, 30)
SCORES = pd.DataFrame(
    {"r_score": [1, 2, 3], "segment": ["Champions", "At risk", "Lost"], "share": [0.5, 0.25, 0.25]},
    index=pd.Index([7, 8, 9], name="customer_id"),
)
Point = namedtuple("Point", "x y")

SAME = [
    *[(3, other) for other in (3.0, np.int64(3), np.float32(3), Decimal("3.00"), Fraction(3), np.array(3), 3.0000001)],
    (float("nan"), np.nan),
    (float("inf"), np.inf),
    (10**30, 10**30),
    ("At risk", "  at   RISK "),
    (True, np.bool_(True)),
    *[(DAY, day) for day in (pd.Timestamp("2026-06-30"), np.datetime64("2026-06-30"), "2026-06-30")],
    (DAY, pd.Period("2026-06-30", "D")),
    (pd.Timestamp("2026-06-30", tz="UTC"), DAY),
    *[([1, 2, 3], items) for items in ((1, 2, 3), np.array([1, 2, 3]), pd.Index([1, 2, 3]), range(1, 4))],
    ([1, 2], pd.Series([1, 2], index=[5, 6])),
    ((1, 2), Point(1, 2)),
    ([[1, 2], [3, 4]], np.array([[1, 2], [3, 4]])),
    *[({"a", "b"}, items) for items in (["b", "a"], ("A", "b", "b"), frozenset("ab"), pd.Series(["a", "b"]))],
    ({"a": 1, "b": [2, 3]}, OrderedDict(b=(2, 3), a=1.0)),
    ({"a": 1}, pd.Series({"a": 1})),
    (SCORES, SCORES.iloc[::-1]),
    (SCORES, SCORES.reset_index()),
    (SCORES, SCORES.rename_axis(None)),
    (SCORES, SCORES[["share", "segment", "r_score"]]),
    (SCORES, SCORES.astype({"segment": "category", "r_score": "float32", "share": object})),
    (SCORES, SCORES.astype({"r_score": "Int64", "share": "Float64", "segment": "string"})),
    (SCORES, SCORES.assign(share=[Decimal("0.5"), Decimal("0.25"), Fraction(1, 4)])),
    (SCORES["r_score"], SCORES["r_score"].iloc[::-1].rename("score")),
    (SCORES["r_score"], SCORES[["r_score"]]),
    (SCORES[["r_score"]], SCORES["r_score"]),
    (SCORES["r_score"], {9: 3, 7: 1, 8: 2}),
    (SCORES.reset_index(drop=True), SCORES.iloc[::-1].reset_index(drop=True)),
    (SCORES.reset_index(drop=True), SCORES.set_axis(list("abc"))),
    (SCORES.set_index("segment", append=True), SCORES.reset_index()),
    (pd.DataFrame({"day": pd.to_datetime(["2026-06-30"])}), pd.DataFrame({"day": [DAY]})),
    (pd.DataFrame({"x": [1.0, None]}), pd.DataFrame({"x": [None, 1]})),
    (pd.DataFrame({"x": ["a", None]}), pd.DataFrame({"x": ["a", np.nan]})),
]


@pytest.mark.parametrize(("expected", "answer"), SAME, ids=[str(number) for number in range(len(SAME))])
def test_the_same_in_another_coat(expected, answer):
    assert difference(expected, answer) is None


DIFFERENT = [
    (3, 4, "Your number is too high."),
    (3, 2.9999, "Your number is too low."),
    (0.25, 25, "You gave a percentage where a share was expected."),
    (25, 0.25, "You gave a share where a percentage was expected."),
    (3, -3, "The sign is the wrong way round."),
    (3, np.nan, "You gave a missing value; a number was expected."),
    (3, "3", "You gave text; a number was expected."),
    (1, True, "You gave True or False; a number was expected."),
    (3, None, "You gave a missing value; a number was expected."),
    (3, len, "You gave a function (call it, with brackets); a number was expected."),
    (3, SCORES, "You gave a table; a number was expected."),
    (True, False, "You gave True or False, as expected, but not the right one."),
    ("yes", "no", "You gave text, as expected, but not the right one."),
    (DAY, datetime.date(2026, 7, 1), "You gave a date, as expected, but not the right one."),
    (DAY, "30 June", "Your text is not a date; write it as year-month-day, such as 2026-06-30."),
    ([1, 2, 3], [3, 2, 1], "Your items are right, their order is not."),
    ([1, 2], [1, 2, 3], "Your list has 3 items, 2 were expected."),
    ([1, 2], [1, "b"], "Item 2: You gave text; a number was expected."),
    ({"a", "b", "c"}, ["a"], "You have 1 of 3: b and c are missing."),
    (set("abcdefgh"), ["a", "b"], "You have 2 of 8: c, d, e and 3 more are missing."),
    ({"a"}, ["a", "z"], "1 of yours should not be there: z."),
    ({"a": 1, "b": 2}, {"a": 1}, "You have 1 of 2: b is missing."),
    ({"a": 1}, {"a": 2}, "Entry a: Your number is too high."),
    (SCORES, [1], "You gave a list; a table was expected."),
    (SCORES, SCORES.drop(columns="share"), "In your table the column share is missing."),
    (SCORES, SCORES.drop(index=7), "Your table has 2 rows, 3 were expected: customer_id 7 is missing."),
    (SCORES, SCORES.rename(index={7: 6}), "Your table has other rows than expected: customer_id 7 is missing."),
    (SCORES, SCORES.rename(index=str), "The index of your table should hold customer_id; none of the expected ones"),
    (SCORES, pd.concat([SCORES, SCORES.loc[[8]]]), "In your table customer_id 8 has 2 rows; one was expected."),
    (SCORES, SCORES.assign(r_score=[1, 9, 9]), "Column r_score: 2 of 3 values differ, first at customer_id 8."),
    (SCORES, SCORES.assign(share=SCORES["share"] * 100), "It seems that you gave a percentage where a share"),
    (SCORES, SCORES.assign(r_score=list("abc")), "Column r_score: you gave texts, numbers were expected."),
    (SCORES, SCORES.assign(more=1), "Your table has columns that were not asked for: more."),
    (SCORES, SCORES[["r_score", "r_score"]], "Two columns of your table have the same name."),
    (
        SCORES["r_score"],
        SCORES["r_score"].drop(8),
        "Your Series has 2 rows, 3 were expected: customer_id 8 is missing.",
    ),
    (SCORES["r_score"], SCORES["r_score"] + 1, "3 of 3 values differ, first at customer_id 7."),
    (SCORES["r_score"], {}, "Your Series has 0 rows, 3 were expected"),
    (pd.DataFrame({"x": [1, 2]}), pd.DataFrame({"x": [1, 3]}), "Column x: 1 of 2 values differ."),
    (pd.DataFrame({"x": [1]}), pd.DataFrame({"x": []}), "Your table has 0 rows, 1 were expected."),
]


@pytest.mark.parametrize(("expected", "answer", "words"), DIFFERENT, ids=[words for *_, words in DIFFERENT])
def test_a_difference_has_a_reason_in_words(expected, answer, words):
    assert words in difference(expected, answer)


@pytest.mark.parametrize(
    ("expected", "answer", "words"),
    [
        (0.004, 0.9, "Your number is too high."),  # 0.009 is within a rounding of 0.004, and no percentage of it
        (-0.004, 0.008, "Your number is too high."),
        (0, 0.3, "Your number is too high."),
        (13.1, 0.13, "Your number is too low."),
        (13.1, 0.131, "You gave a share where a percentage was expected."),
        (0.042, 4, "You gave a percentage where a share was expected."),
    ],
)
def test_a_percentage_a_share_or_a_sign_is_told_only_where_rounding_leaves_something_of_it(expected, answer, words):
    assert difference(expected, answer, digits=2) == words


def test_zeros_are_no_shares():
    assert difference(pd.Series([0, 0]), pd.Series([0.3, 0]), digits=1) == "1 of 2 values differ, first at row 0."


def test_zero_is_not_taken_for_a_small_known_mistake():
    assert difference(0.042, 0, digits=1) is None
    assert difference(0.042, 0, digits=1, mistake=True) == "Your number is too low."
    assert difference(0.042, 0.01, digits=1, mistake=True) is not None
    assert difference(0.042, 0.04, digits=1, mistake=True) is None
    assert difference(0.149, 0.1, digits=1, mistake=True) is None  # rounded to one digit other than 0
    assert difference(0, 0, digits=1, mistake=True) is None


class Thing:
    pass


@pytest.mark.parametrize("answer", [Thing(), type("Effect", (), {})(), type("hour", (), {})()])
def test_a_strangers_type_is_named_whatever_its_first_letter(answer):
    assert difference(3, answer) == f"You gave an object of type {type(answer).__name__}; a number was expected."


def test_rounding_is_accepted_where_the_exercise_says_so():
    assert difference(1 / 3, 0.33) is not None
    assert difference(1 / 3, 0.33, digits=2) is None
    assert difference(1 / 3, 0.34, digits=2) is not None
    assert difference(1234, 1200, digits=-2) is None
    assert difference(SCORES["share"] / 3, (SCORES["share"] / 3).round(1), digits=1) is None


def test_order_counts_where_the_exercise_says_so():
    ranked = SCORES.sort_values("r_score", ascending=False)
    assert difference(ranked, SCORES, ordered=True) == "Your rows are right, their order is not."
    assert difference(ranked, ranked, ordered=True) is None
    plain = ranked.reset_index(drop=True)
    assert difference(plain, plain.iloc[::-1], ordered=True) is not None


def test_rows_are_found_by_the_columns_that_name_them():
    flows = pd.DataFrame({"from": ["a", "a", "b"], "to": ["a", "b", "b"], "customers": [1, 2, 3]})
    by = ("from", "to")
    assert difference(flows, flows.iloc[::-1], keys=by) is None
    assert difference(flows, flows.set_index(list(by)), keys=by) is None
    wrong = difference(flows, flows.assign(customers=[1, 2, 4]), keys=by)
    assert wrong == "Column customers: 1 of 3 values differ, first at from and to ('b', 'b')."
    assert difference(flows, flows.drop(columns="to"), keys=by) == "In your table the column to is missing."


def test_more_columns_do_no_harm_where_the_exercise_says_so():
    assert difference(SCORES, SCORES.assign(more=1), extra_columns=True) is None


def test_no_reason_gives_a_value_of_the_solution_away():
    secret = SCORES.assign(r_score=[4711, 4712, 4713], segment=["secret one", "secret two", "secret three"])
    answers = [SCORES, SCORES["r_score"], 3, "x", [1], {"a": 1}, SCORES.iloc[:2], SCORES.assign(segment="x")]
    for expected, answer in itertools.product((secret, secret["r_score"], 4711, "secret one", [4711, 4712]), answers):
        reason = difference(expected, answer)
        assert reason
        assert "471" not in reason
        assert "secret" not in reason


class Hostile:
    """Raises whatever is asked of it."""

    def _refuse(self, *_):
        raise RuntimeError("no")

    __eq__ = __ne__ = __repr__ = __str__ = __len__ = __bool__ = __iter__ = __float__ = __lt__ = __hash__ = _refuse
    __array__ = __getattr__ = __format__ = __contains__ = __getitem__ = _refuse


class Denier(Hostile):
    """Raises even when asked what it is."""

    @property
    def __class__(self):
        raise RuntimeError("no class")


class Endless(list):
    """Says that it has no end."""

    def __iter__(self):
        return itertools.count()

    def __len__(self):
        raise RuntimeError("no")


class Liar(str):
    """A text that claims to be every other."""

    def __eq__(self, other):
        return True

    __hash__ = str.__hash__

    def casefold(self):
        return "right"


def hostile_items(count: int) -> np.ndarray:
    items = np.empty(count, dtype=object)
    for place in range(count):
        items[place] = Hostile()
    return items


def itself() -> list:
    items: list = [1]
    items.append(items)
    return items


HOSTILE = {
    "raises on everything": Hostile,
    "raises when asked for its class": Denier,
    "a list of those": lambda: [Denier(), Hostile()],
    "a dictionary of those": lambda: {"a": Hostile()},
    "a Series of those": lambda: pd.Series(hostile_items(3), index=[7, 8, 9]),
    "a table of those": lambda: SCORES.assign(r_score=hostile_items(3)),
    "a generator without end": itertools.count,
    "a list without end": lambda: Endless([1, 2, 3]),
    "a range without end": lambda: range(10**15),
    "a list that holds itself": itself,
    "a huge number": lambda: 10**10_000,
    "a text that lies": lambda: Liar("wrong"),
    "a class": lambda: Hostile,
    "a module": lambda: np,
    "a complex number": lambda: 1j,
    "a matrix in three dimensions": lambda: np.zeros((2, 2, 2)),
    "an empty table": pd.DataFrame,
    "a table with a million rows": lambda: pd.DataFrame({"r_score": range(1_000_000)}).assign(segment="x", share=1),
    "a table with labels of many levels": lambda: SCORES.set_index("segment", append=True),
    "a sparse column": lambda: pd.Series(pd.arrays.SparseArray([0, 0, 1]), index=[7, 8, 9]),
    "intervals": lambda: pd.Series(pd.interval_range(0, 3), index=[7, 8, 9]),
    "not a time": lambda: pd.NaT,
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize(
    "expected",
    [3, "right", True, DAY, [1, 2], {"a", "b"}, {"a": 1}, SCORES["r_score"], SCORES, SCORES.reset_index(drop=True)],
    ids=lambda value: type(value).__name__,
)
def test_whatever_is_given_is_answered_with_a_reason(expected, name):
    reason = difference(expected, HOSTILE[name]())
    assert isinstance(reason, str)


def test_an_answer_is_not_changed():
    answers = [SCORES.reset_index(), SCORES["r_score"], {"a": [1]}, [3, 1], {"x"}]
    copies = [SCORES.reset_index(), SCORES["r_score"].copy(), {"a": [1]}, [3, 1], {"x"}]
    for answer in answers:
        for expected in (SCORES, SCORES["r_score"], {"a": [1]}, [1, 3], {"x"}):
            difference(expected, answer)
    for answer, copy in zip(answers[:2], copies[:2], strict=True):
        assert answer.equals(copy)
    assert answers[2:] == copies[2:]


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1000, 1000),
    st.floats(),
    st.text(max_size=5),
    st.dates(),
    st.decimals(allow_nan=False),
)
ANSWERS = st.recursive(
    VALUES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=3), inner, max_size=4), st.tuples(inner, inner)
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(ANSWERS, ANSWERS)
def test_every_pair_of_answers_compares(expected, answer):
    assert difference(expected, expected) is None
    assert difference(expected, answer) is None or difference(expected, answer).endswith((".", "expected"))
