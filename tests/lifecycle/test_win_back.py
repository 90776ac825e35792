"""Winning back: expected value by hand, nobody without consent, a budget that holds, a control group by lot."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.errors import ColumnError, InputError, KindError
from crmkit.lifecycle import win_back

PLAN = pd.DataFrame(
    {
        "reason": ["price", "delivery"],
        "action": ["Call: smaller box", "Call: apologise, free delivery"],
        "words": ["found it too dear", "was let down by the delivery"],
        "days_due": [7, 3],
    }
)
LOST = pd.DataFrame(
    {
        "reason": ["price", "delivery", "moved away", None, "price", "price", "delivery"],
        "value": [200.0, 150.0, 900.0, 300.0, 30.0, 250.0, 180.0],
        "consent": ["yes", "TRUE", "y", "1", "Yes ", "no", None],
    },
    index=pd.Index(list("abcdefg"), name="customer_id"),
)
lists = st.lists(
    st.tuples(
        st.sampled_from(["price", "delivery", "moved away", None]),
        st.integers(1, 400),
        st.sampled_from(["yes", "Y", "true", "no", "perhaps", None]),
        st.sampled_from([2.0, 6.0, 11.5]),
    ),
    min_size=1,
    max_size=40,
)


def test_expected_value_and_why_not_by_hand():
    table = win_back.shortlist(LOST, p_win=0.1, cost=6, fitting=["price", "delivery"])
    assert table["expected_value"].to_dict() == pytest.approx(
        {"c": 84, "d": 24, "f": 19, "a": 14, "g": 12, "b": 9, "e": -3}
    )
    assert table.index.to_list() == list("cdfagbe")
    assert table["why_not"].to_dict() == {
        "a": "", "b": "", "c": "reason does not fit", "d": "reason does not fit", "e": "not worth the contact",
        "f": "no consent", "g": "consent unclear",
    }  # fmt: skip
    assert table.attrs["counts"]["no consent"] == 1
    everybody = win_back.shortlist(LOST, p_win=0.1, cost=6, consent=None)
    assert everybody["listed"].sum() == 6


def test_chance_and_cost_may_differ_by_reason_or_customer():
    by_reason = win_back.shortlist(
        LOST[LOST["reason"].notna()],
        p_win={"price": 0.2, "delivery": 0.1, "moved away": 0},
        cost={"price": 5, "delivery": 6, "moved away": 5},
    )
    assert by_reason.loc["a", "expected_value"] == pytest.approx(35)
    assert by_reason.loc["b", "expected_value"] == pytest.approx(9)
    by_column = win_back.shortlist(LOST.assign(chance=0.5, price=1.0), p_win="chance", cost="price")
    assert by_column.loc["e", "expected_value"] == pytest.approx(14)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"p_win": 1.2, "cost": 1}, InputError, "p_win: 7 of 7 customers have no number between 0 and 1"),
        ({"p_win": 0.1, "cost": -2}, InputError, "cost: 7 of 7"),
        ({"p_win": {"price": 0.1}, "cost": 1}, InputError, r"p_win: 4 of 7 customers.*'b' \(nan, reason 'delivery'\)"),
        ({"p_win": "chance", "cost": 1}, ColumnError, "no column 'chance'"),
        ({"p_win": 0.1, "cost": 1, "value": "worth"}, ColumnError, "no column 'worth'"),
        ({"p_win": 0.1, "cost": 1, "consent": "agreed"}, ColumnError, "no column 'agreed'"),
        ({"p_win": [0.1], "cost": 1}, KindError, "p_win must be a column, a number"),
    ],
)
def test_figures_that_are_none_say_which(options, error, says):
    with pytest.raises(error, match=says):
        win_back.shortlist(LOST, **options)


def test_a_customer_stands_there_once():
    with pytest.raises(InputError, match="1 customers stand there twice, such as 'a'"):
        win_back.shortlist(pd.concat([LOST, LOST.head(1)]), p_win=0.1, cost=1)
    with pytest.raises(KindError, match="must be a DataFrame"):
        win_back.shortlist([1], p_win=0.1, cost=1)


def test_the_list_by_hand():
    short = win_back.shortlist(LOST, p_win=0.1, cost=6, as_of="2025-12-31")
    calls = win_back.call_list(short, PLAN, budget=7, control_share=0.5)
    assert calls["customer_id"].to_list() == ["a", "b"]
    assert sorted(calls["group"]) == ["contact", "control"]
    assert calls["due"].astype(str).to_list() == ["2026-01-07", "2026-01-03"]
    assert calls.loc[0, "reason"] == "Worth 200, 10% to be won by a contact: found it too dear"
    assert calls.attrs["planned_cost"] == 6


@given(lists, st.integers(3, 60), st.sampled_from([0.0, 0.1, 0.25, 0.5]), st.integers(0, 50))
@settings(max_examples=60, deadline=None)
def test_what_every_call_list_keeps(rows, budget, share, seed):
    lost = pd.DataFrame(rows, columns=["reason", "value", "consent", "price"])
    lost.index = pd.Index([f"c{i:02d}" for i in range(len(lost))], name="customer_id")
    short = win_back.shortlist(lost, p_win=0.1, cost="price", as_of="2025-12-31")
    eligible = short[short["listed"] & short["reason"].isin(["price", "delivery"])]
    worth = (eligible["expected_value"] / eligible["cost"]).sort_values(ascending=False)
    if eligible.empty or eligible.loc[worth.index[0], "cost"] > budget:
        if eligible.empty or worth.nunique() == len(worth):
            with pytest.raises(InputError, match=r"nobody is on the shortlist|pays no contact"):
                win_back.call_list(short, PLAN, budget=budget, control_share=share, seed=seed)
        return
    calls = win_back.call_list(short, PLAN, budget=budget, control_share=share, seed=seed)
    contact = calls[calls["group"] == "contact"]
    assert contact["cost"].sum() <= budget
    assert set(calls["customer_id"]) <= set(eligible.index)
    assert lost.loc[calls["customer_id"], "consent"].isin(["yes", "Y", "true"]).all()
    assert (calls["group"] == "control").sum() == min(int(np.ceil(round(len(calls) * share, 9))), len(calls) - 1)
    if lost["price"].nunique() == 1:  # nobody is left out whom the budget would have paid
        assert len(contact) == min(budget // lost["price"].iloc[0], len(contact) + (len(eligible) - len(calls)))
    mixed = win_back.shortlist(lost.sample(frac=1, random_state=seed), p_win=0.1, cost="price", as_of="2025-12-31")
    again = win_back.call_list(mixed, PLAN, budget=budget, control_share=share, seed=seed)
    pd.testing.assert_frame_equal(calls, again)


def test_with_one_price_the_budget_is_spent_to_the_last_call():
    lost = pd.DataFrame({"reason": "price", "value": range(100, 300), "consent": "yes"})
    lost.index = pd.Index([f"c{i:03d}" for i in range(200)], name="customer_id")
    calls = win_back.call_list(
        win_back.shortlist(lost, p_win=0.2, cost=5), PLAN, budget=500, control_share=0.2, as_of="2025-12-31"
    )
    assert (calls.attrs["contacted"], calls.attrs["held_out"], calls.attrs["planned_cost"]) == (100, 25, 500)


def test_bad_plans_and_budgets_are_refused():
    short = win_back.shortlist(LOST, p_win=0.1, cost=6, as_of="2025-12-31")
    with pytest.raises(InputError, match="budget=5 pays no contact: the first costs 6"):
        win_back.call_list(short, PLAN, budget=5)
    with pytest.raises(InputError, match="budget=-1"):
        win_back.call_list(short, PLAN, budget=-1)
    with pytest.raises(InputError, match="control_share=1"):
        win_back.call_list(short, PLAN, budget=50, control_share=1)
    with pytest.raises(ColumnError, match="plan has no column 'words'"):
        win_back.call_list(short, PLAN.drop(columns="words"), budget=50)
    with pytest.raises(InputError, match="nobody is on the shortlist"):
        win_back.call_list(short, PLAN.assign(reason="rain"), budget=50)
    with pytest.raises(InputError, match="as_of"):
        win_back.call_list(win_back.shortlist(LOST, p_win=0.1, cost=6), PLAN, budget=50)
