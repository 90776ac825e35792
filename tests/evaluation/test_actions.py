"""The action list: the best customers, some held out at random, nobody without consent."""

import datetime
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.errors import ColumnError, InputError, KindError
from crmkit.evaluation.actions import action_list, smallest_visible_effect
from crmkit.segmentation import rfm

CARDS = pd.DataFrame(
    {
        "segment": ["Loyal", "At risk", "Others"],
        "action": ["Invite", "Call", ""],
        "reason": ["buys often", "gone for long", "no rule fits"],
        "days_due": [30, 7, 30],
    }
)


def people(number: int = 20, **columns) -> pd.DataFrame:
    frame = pd.DataFrame(
        {"segment": [["Loyal", "At risk"][i % 2] for i in range(number)], "spend": np.arange(number, 0, -1.0)}
        | columns,
        index=pd.Index([f"c{i:03d}" for i in range(number)], name="customer_id"),
    )
    frame.attrs = {"as_of": datetime.date(2026, 6, 30)}
    return frame


tables = st.lists(
    st.tuples(st.sampled_from(["Loyal", "At risk", "Others"]), st.integers(0, 5), st.sampled_from(["yes", "no", None])),
    max_size=40,
).map(lambda rows: people(0).reindex([]) if not rows else people(len(rows)).assign(
    segment=[row[0] for row in rows], spend=[float(row[1]) for row in rows], consent=[row[2] for row in rows]
))  # fmt: skip


# --- invariants -------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(
    tables.filter(len), st.one_of(st.none(), st.integers(1, 30)), st.sampled_from([0, 0.1, 0.25, 0.5, 0.9]), st.integers(0, 9)
)  # fmt: skip
def test_what_every_list_keeps(table, capacity, share, seed):
    todo = action_list(table, CARDS, capacity=capacity, control_share=share, seed=seed)
    contact, control = (todo[todo["group"] == name] for name in ("contact", "control"))
    eligible = table[(table["segment"] != "Others") & (table["consent"] == "yes")]
    assert len(contact) + len(control) == len(todo)
    assert capacity is None or len(contact) <= capacity
    assert todo["customer_id"].is_unique
    assert set(todo["customer_id"]) <= set(eligible.index)
    wanted = len(eligible) if capacity is None else math.ceil(round(capacity / (1 - share), 9))
    assert len(todo) == min(len(eligible), wanted)
    left = eligible.drop(todo["customer_id"])
    if len(left) and len(todo):
        assert todo["value"].min() >= left["spend"].max()
    assert todo["value"].is_monotonic_decreasing
    if share and len(todo) > 1:
        assert len(control) >= min(len(todo) - 1, round(share * len(todo), 9))
        assert len(control) >= 1
        assert len(control) < share * len(todo) + 1
    else:
        assert control.empty
    assert todo.attrs["eligible"] == len(eligible)
    assert (todo.attrs["contacted"], todo.attrs["held_out"]) == (len(contact), len(control))


@settings(max_examples=25, deadline=None)
@given(tables.filter(len), st.integers(0, 999), st.integers(1, 20))
def test_the_order_of_rows_changes_nothing(table, shuffle, capacity):
    first = action_list(table, CARDS, capacity=capacity)
    second = action_list(table.sample(frac=1, random_state=shuffle), CARDS.iloc[::-1], capacity=capacity)
    pd.testing.assert_frame_equal(first, second)


def test_a_full_list_has_exactly_the_capacity():
    todo = action_list(people(1000), CARDS, capacity=200, control_share=0.1)
    assert todo["group"].value_counts().to_dict() == {"contact": 200, "control": 23}  # ceil(200 / 0.9) = 223
    assert todo["customer_id"].tolist() == [f"c{i:03d}" for i in range(223)]


@pytest.mark.parametrize(("capacity", "share", "held_out"), [(None, 0.07, 7), (1, 0.9, 9), (10, 0.9, 90)])
def test_shares_are_counted_without_the_error_of_binary_fractions(capacity, share, held_out):
    # In floats 100 * 0.07 is a little more than 7, and 1 / (1 - 0.9) a little more than 10.
    todo = action_list(people(100), CARDS, capacity=capacity, control_share=share)
    assert todo.attrs["held_out"] == held_out
    assert todo.attrs["contacted"] == (capacity or 93)


def test_who_is_held_out_depends_on_who_is_chosen_not_on_how_they_are_ranked():
    table = people(30).assign(points=np.random.default_rng(4).permutation(30))
    by_spend, by_points = (action_list(table, CARDS, value=name, control_share=0.3) for name in ("spend", "points"))
    held = [set(todo.loc[todo["group"] == "control", "customer_id"]) for todo in (by_spend, by_points)]
    assert held[0] == held[1]


def test_the_control_group_is_a_random_part_of_those_chosen():
    # Over many seeds every one of 20 customers is held out equally often: chi-square against the truth.
    held = np.zeros(20)
    for seed in range(200):
        todo = action_list(people(20), CARDS, control_share=0.25, seed=seed)
        held += (todo["group"] == "control").to_numpy()
    expected = 200 * 5 / 20
    statistic = ((held - expected) ** 2 / (expected * 0.75)).sum() * 19 / 20
    assert held.sum() == 200 * 5
    assert statistic < 43.8  # the 99.9 % point of chi-square with 19 degrees of freedom


def test_the_draw_is_pinned():
    # A stored lesson must give the same list tomorrow: the draw rests on PCG64's raw doubles alone.
    todo = action_list(people(10), CARDS, control_share=0.3, seed=1)
    assert todo.loc[todo["group"] == "control", "customer_id"].tolist() == ["c002", "c004", "c009"]
    draw = np.random.Generator(np.random.PCG64(1)).random(10)
    assert sorted(np.argsort(draw)[:3]) == [2, 4, 9]


# --- what a row says --------------------------------------------------------------------------------------


def test_columns_due_dates_and_reasons():
    todo = action_list(people(2), CARDS, control_share=0)
    assert todo.columns.tolist() == ["customer_id", "segment", "action", "reason", "value", "due", "group"]
    assert todo["due"].tolist() == [datetime.date(2026, 7, 30), datetime.date(2026, 7, 7)]
    assert todo["action"].tolist() == ["Invite", "Call"]
    assert todo["reason"].tolist() == ["buys often", "gone for long"]
    assert action_list(people(1), CARDS, as_of="2026-01-01")["due"].iloc[0] == datetime.date(2026, 1, 31)


def test_from_scores_to_a_list_the_reason_is_the_customers_own():
    summary = pd.DataFrame({"recency_days": [1, 90], "orders": [30, 1], "spend": [900.0, 20.0]}, index=["a", "b"])
    summary.attrs = {"as_of": datetime.date(2026, 6, 30), "currency": "EUR"}
    segments = rfm.segment(rfm.score(summary))
    todo = action_list(segments, rfm.cards(segments), control_share=0).set_index("customer_id")
    assert todo.loc["a", "reason"].startswith("Last order 1 day ago, 30 orders, 900 EUR spent: ")
    assert todo.loc["b", "reason"].startswith("Last order 90 days ago, 1 order, 20 EUR spent: ")


def test_ties_are_broken_by_customer_id_as_text():
    table = people(4, spend=[5.0, 5.0, 5.0, 9.0]).set_axis([10, 9, 8, 7]).rename_axis("customer_id")
    assert action_list(table, CARDS, capacity=3, control_share=0)["customer_id"].tolist() == [7, 10, 8]


def test_customer_id_may_be_a_column_and_value_any_number():
    table = people(3).reset_index().assign(points=[1, 3, 2])
    assert action_list(table, CARDS, value="points", control_share=0)["customer_id"].tolist() == [
        "c001",
        "c002",
        "c000",
    ]


def test_only_the_segments_wanted():
    todo = action_list(people(10), CARDS, segments_wanted="At risk")
    assert set(todo["segment"]) == {"At risk"}
    with pytest.raises(InputError, match=r"segments_wanted: 'At riks' is not known; use .*Did you mean 'At risk'"):
        action_list(people(10), CARDS, segments_wanted=["Loyal", "At riks"])
    none = action_list(people(10), CARDS, segments_wanted=["Others"])
    assert none.empty
    assert "Not listed, for they have no action: Others" in none.attrs["note"]


# --- consent ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", [
    [True, False, True], [1, 0, 1], ["yes", "no", "YES "], ["Y", "n", "true"], [1.0, 0.0, 1.0], ["是", "否", "是"],
    pd.array([True, False, True], dtype="boolean"), pd.Categorical(["t", "f", "t"]),
])  # fmt: skip
def test_a_clear_no_is_left_out(column):
    todo = action_list(people(3).assign(consent=column), CARDS)
    assert todo["customer_id"].tolist() == ["c000", "c002"]
    assert (todo.attrs["filtered_no_consent"], todo.attrs["consent_unclear"]) == (1, 0)


def test_missing_and_unclear_answers_are_no_consent_and_are_counted():
    todo = action_list(people(5, consent=["yes", None, np.nan, "perhaps", "no"]), CARDS)
    assert todo["customer_id"].tolist() == ["c000"]
    assert (todo.attrs["filtered_no_consent"], todo.attrs["consent_unclear"]) == (4, 3)
    assert "4 left out without consent, 3 of them because the answer is missing or unclear" in todo.attrs["note"]


def test_consent_elsewhere_or_switched_off():
    table = people(3, consent=[False, False, False], newsletter=[True, True, False])
    assert action_list(table, CARDS, consent="newsletter").attrs["filtered_no_consent"] == 1
    assert len(action_list(table, CARDS, consent=False)) == 3
    assert action_list(table, CARDS).empty
    answers = pd.Series({"c002": "yes", "c001": "no", "somebody else": "yes"})
    todo = action_list(table, CARDS, consent=answers)
    assert todo["customer_id"].tolist() == ["c002"]
    assert todo.attrs["consent_unclear"] == 1  # c000 is not in the list of answers
    with pytest.raises(InputError, match="no customer of the table"):
        action_list(table, CARDS, consent=pd.Series([True], index=["x"]))
    with pytest.raises(InputError, match="1 customers twice"):
        action_list(table, CARDS, consent=pd.Series([True, False], index=["c001", "c001"]))
    with pytest.raises(ColumnError, match="Did you mean 'newsletter'"):
        action_list(table, CARDS, consent="newsleter")
    with pytest.raises(KindError, match="consent"):
        action_list(table, CARDS, consent=True)


# --- what the list can show -------------------------------------------------------------------------------


def test_notes_in_words():
    assert "cannot show what the contact did" in action_list(people(10), CARDS, control_share=0).attrs["note"]
    small = action_list(people(4), CARDS, control_share=0.5).attrs["note"]
    assert small.startswith("2 customers to contact, 2 held out at random.")
    assert "can show no rise at all" in action_list(people(2), CARDS, control_share=0.5).attrs["note"]
    note = action_list(people(1000), CARDS, capacity=200).attrs["note"]
    points = round(smallest_visible_effect(200, 23, 0.1) * 100)
    assert f"a rise of {points} percentage points or more" in note


def test_a_list_of_one_has_no_control_group():
    todo = action_list(people(1), CARDS)
    assert todo["group"].tolist() == ["contact"]
    assert "Without a control group" in todo.attrs["note"]
    assert action_list(people(9), CARDS, capacity=1)["group"].value_counts().to_dict() == {"contact": 1, "control": 1}


def test_nobody_eligible_is_an_empty_list_that_says_so():
    todo = action_list(people(3, segment="Others"), CARDS)
    assert len(todo) == 0
    assert todo.columns.tolist()[0] == "customer_id"
    assert "Nobody is eligible" in todo.attrs["note"]


def test_smallest_visible_effect_as_published():
    # R, stats::power.prop.test, examples: n = 50, p1 = .50, power = .90 gives p2 = 0.8026 (R solves to 1e-4);
    # p1 = .50, p2 = .75, power = .90 gives n = 76.65294, so 77 a group see a little less than 0.25 and 76 more.
    assert smallest_visible_effect(50, 50, 0.5, power=0.9) == pytest.approx(0.3026, abs=1e-4)
    assert smallest_visible_effect(77, 77, 0.5, power=0.9) < 0.25 < smallest_visible_effect(76, 76, 0.5, power=0.9)


@pytest.mark.parametrize(("contacted", "held_out", "rate"), [(900, 100, 0.1), (300, 300, 0.2), (2000, 100, 0.3)])
def test_smallest_visible_effect_by_simulation(contacted, held_out, rate):
    # The known truth: draw both groups with that difference and count how often the two-sided pooled z-test sees it.
    rise = smallest_visible_effect(contacted, held_out, rate)
    random = np.random.default_rng(7)
    yes = random.binomial(contacted, rate + rise, 40_000), random.binomial(held_out, rate, 40_000)
    pooled = (yes[0] + yes[1]) / (contacted + held_out)
    error = np.sqrt(pooled * (1 - pooled) * (1 / contacted + 1 / held_out))
    seen = np.abs(yes[0] / contacted - yes[1] / held_out) > 1.959964 * error
    assert seen.mean() == pytest.approx(0.8, abs=0.02)


@given(st.integers(1, 5000), st.integers(1, 5000), st.floats(0, 0.95))
def test_more_customers_show_smaller_effects(contacted, held_out, rate):
    effect = smallest_visible_effect(contacted, held_out, rate)
    assert effect > 0
    assert effect == math.inf or rate + effect <= 1
    assert smallest_visible_effect(contacted, held_out * 2, rate) <= effect
    assert smallest_visible_effect(contacted * 2, held_out, rate) <= effect
    assert smallest_visible_effect(contacted, held_out, rate, power=0.9) >= effect


# --- mistakes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"capacity": 0}, "capacity must be 1 or more"),
        ({"capacity": -3}, "capacity must be 1 or more"),
        ({"control_share": 1}, "below 1"),
        ({"control_share": -0.1}, "control_share"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"value": "sepnd"}, "Did you mean 'spend'"),
        ({"value": "segment"}, "not numbers"),
    ],
)
def test_arguments_that_cannot_be(arguments, message):
    with pytest.raises(InputError, match=message):
        action_list(people(), CARDS, **arguments)


@pytest.mark.parametrize(
    "arguments", [{"capacity": "200"}, {"capacity": 1.5}, {"control_share": "10%"}, {"seed": None}]
)
def test_arguments_of_the_wrong_kind(arguments):
    with pytest.raises(KindError, match=next(iter(arguments))):
        action_list(people(), CARDS, **arguments)


def test_tables_that_cannot_be_used():
    table = people(4)
    with pytest.raises(InputError, match="segments: 1 customers stand there twice, such as 'c000'"):
        action_list(table.set_axis(["c000", "c000", "a", "b"]), CARDS)
    with pytest.raises(InputError, match="'spend' is missing for 1 of 4"):
        action_list(table.assign(spend=[1.0, np.nan, 2, 3]), CARDS)
    with pytest.raises(InputError, match="'segment' is missing for 4 of 4"):
        action_list(table.assign(segment=None), CARDS)
    with pytest.raises(InputError, match="2 customers are in 'Loyal', which has no card"):
        action_list(table, CARDS.iloc[1:])
    with pytest.raises(InputError, match="two rows for one segment"):
        action_list(table, pd.concat([CARDS, CARDS]))
    with pytest.raises(InputError, match="days_due"):
        action_list(table, CARDS.assign(days_due=np.nan))
    with pytest.raises(ColumnError, match="cards has no column 'action'"):
        action_list(table, CARDS.rename(columns={"action": "do"}))
    with pytest.raises(KindError, match="segments"):
        action_list([1], CARDS)
    table.attrs = {}
    with pytest.raises(InputError, match="as_of="):
        action_list(table, CARDS)


@pytest.mark.parametrize("arguments", [(0, 5, 0.1), (5, 0, 0.1), (5, 5, 1), (5, 5, -0.1), (5, 5, "low")])
def test_groups_and_rates_that_cannot_be(arguments):
    with pytest.raises(InputError):
        smallest_visible_effect(*arguments)


def test_power_and_level_that_cannot_be():
    for bad in ({"power": 1}, {"level": 0}, {"power": 0.04}):
        with pytest.raises(InputError):
            smallest_visible_effect(10, 10, 0.1, **bad)


def test_inputs_are_not_touched():
    table, cards = people(5), CARDS.copy()
    before = table.copy(deep=True)
    action_list(table, cards, capacity=2)
    pd.testing.assert_frame_equal(table, before)
    pd.testing.assert_frame_equal(cards, CARDS)
