"""Data quality: every figure is a count of rows that pass among rows that can be judged."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from crmkit import datasets
from crmkit.errors import ColumnError, InputError, KindError
from crmkit.tables import identity, quality

CARDS = pd.DataFrame(
    {
        "record_id": ["a", "b", "c", "d", "e"],
        "name": ["Anna", " ", None, "Boris", "Anna"],
        "email": ["anna@example.com", "ANNA@EXAMPLE.COM", None, "boris", "anna@example.com"],
        "visits": [3.0, -1.0, np.nan, 7.0, 0.0],
        "born": pd.to_datetime(["1985-04-12", "2030-01-01", None, "1900-01-01", "1985-04-12"]),
        "joined": pd.to_datetime(
            ["2024-01-01 10:00", "2024-06-30 18:00", "2025-12-31 09:00", None, "2026-01-05 00:00"]
        ),
        "vip": [True, False, None, True, False],
    }
)


def line(rules: dict, **more) -> tuple[int, int]:
    found = quality.report(CARDS, rules, **more)
    assert len(found) == 1
    return int(found["passed"].iloc[0]), int(found["judged"].iloc[0])


@pytest.mark.parametrize(
    ("rules", "passed", "judged"),
    [
        ({"completeness": ["record_id"]}, 5, 5),
        ({"completeness": ["name"]}, 3, 5),  # a blank is not a name
        ({"completeness": ["born"]}, 4, 5),
        ({"completeness": ["vip"]}, 4, 5),
        ({"uniqueness": ["record_id"]}, 5, 5),
        ({"uniqueness": ["name"]}, 1, 3),  # Boris; the two Annas repeat, the blank and the missing are not judged
        ({"uniqueness": [["name", "born"]]}, 1, 3),
        ({"validity": {"email": {"pattern": r"[a-z]+@[a-z]+\.com"}}}, 2, 4),
        ({"validity": {"email": {"pattern": "anna"}}}, 0, 4),  # the whole text must fit, not a part
        ({"validity": {"email": {"pattern": "anna|boris"}}}, 1, 4),
        ({"validity": {"visits": {"range": [0, 10]}}}, 3, 4),
        ({"validity": {"visits": {"range": [None, 0]}}}, 2, 4),
        ({"validity": {"visits": {"range": [1, ""]}}}, 2, 4),
        ({"validity": {"born": {"range": ["1905-01-01", "2025-12-31"]}}}, 2, 4),
        ({"validity": {"name": {"values": ["Anna"]}}}, 2, 3),
        ({"validity": {"visits": {"values": [0, 3]}}}, 2, 4),
        ({"consistency": ["born < joined"]}, 2, 3),
        ({"consistency": ["visits > 0 OR vip = true"]}, 2, 4),
    ],
)
def test_each_rule_counted_by_hand(rules, passed, judged):
    assert line(rules) == (passed, judged)


def test_ages_count_whole_days_from_the_day_of_judging_and_the_future_does_not_pass():
    # on 2025-06-30: joined 546, 365 and (in the future) -184, -189 days ago; one is missing
    assert line({"timeliness": {"joined": "365 days"}}, as_of="2025-06-30") == (1, 4)
    assert line({"timeliness": {"joined": "364 days"}}, as_of="2025-06-30") == (0, 4)
    # on 2026-12-31: 1095, 914, 365 and 360 days ago; two years are 730.5 days
    assert line({"timeliness": {"joined": "2 years"}}, as_of="2026-12-31") == (2, 4)
    carried = CARDS.copy()
    carried.attrs["as_of"] = "2025-06-30"
    assert quality.report(carried, {"timeliness": {"joined": "365 days"}}).attrs == {"rows": 5, "as_of": "2025-06-30"}
    with pytest.raises(InputError, match="pass as_of="):
        quality.report(CARDS, {"timeliness": {"joined": "365 days"}})


def test_several_rules_of_a_column_are_several_lines_in_order():
    rules = {"validity": {"email": {"values": ["boris"], "pattern": ".*@.*"}}, "completeness": ["email"]}
    found = quality.report(CARDS, rules)
    assert found["dimension"].to_list() == ["completeness", "validity", "validity"]
    assert found["rule"].to_list() == ["is filled", "is one of boris", "looks like .*@.*"]
    assert found["share"].to_list() == [0.8, 0.25, 0.75]


def test_nothing_to_judge_has_no_share_and_an_empty_table_is_no_accident():
    rules = quality.RULES_OF_RECORDS
    records = datasets.load("mall").records
    empty = quality.report(records.head(0), rules, as_of="2025-12-31")
    assert (empty["judged"] == 0).all()
    assert empty["share"].isna().all()
    nothing = quality.report(records.head(3).assign(email=None), rules, as_of="2025-12-31").set_index(
        ["dimension", "column"]
    )
    assert nothing.loc[("completeness", "email"), "share"] == 0
    assert np.isnan(nothing.loc[("validity", "email"), "share"])
    one = quality.report(records.head(1), rules, as_of="2025-12-31")
    assert one["share"].dropna().isin([0.0, 1.0]).all()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([None, "", "a", "b", "A@b.cc"]), st.sampled_from([None, 1.0, 5.0])), max_size=9),
    st.randoms(),
)
def test_a_share_is_between_0_and_1_and_the_order_of_rows_does_not_matter(rows, random):
    frame = pd.DataFrame(rows, columns=["text", "number"]).astype({"text": "str", "number": "float64"})
    kept = frame.copy(deep=True)
    rules = {
        "completeness": ["text", "number"],
        "uniqueness": ["text", ["text", "number"]],
        "validity": {"text": {"pattern": "[a-z]", "values": ["a"]}, "number": {"range": [0, 4]}},
        "consistency": ["number < 3 OR text = 'a'"],
    }
    found = quality.report(frame, rules)
    assert (found["passed"] <= found["judged"]).all()
    assert (found["judged"] <= len(frame)).all()
    assert found["share"].dropna().between(0, 1).all()
    shuffled = frame.iloc[random.sample(range(len(frame)), len(frame))]
    assert_frame_equal(found, quality.report(shuffled, rules))
    assert_frame_equal(frame, kept)


def test_a_repeated_index_does_no_harm():
    twice = pd.concat([CARDS, CARDS])
    found = quality.report(twice, {"uniqueness": ["record_id"], "consistency": ["born < joined"]})
    assert found[["passed", "judged"]].to_numpy().tolist() == [[0, 10], [4, 6]]


# --- before and after ---------------------------------------------------------------------------------------------


def test_merging_the_mall_shows_in_uniqueness_and_completeness():
    mall = datasets.load("mall")
    rules = {"uniqueness": ["phone", "email"], "completeness": ["birth_date", "email"]}
    normalised = identity.normalise(mall.records)
    customer = identity.clusters(normalised, identity.match(normalised))
    table = normalised.reset_index().assign(updated_at=mall.records["updated_at"])
    before = quality.report(table, rules)
    after = quality.report(identity.merge(table, customer).customers, rules)
    change = quality.compare(before, after).set_index(["dimension", "column"])
    assert (change["change"] > 0).all()
    assert change.loc[("uniqueness", "phone"), "change"] > 0.1
    np.testing.assert_allclose(change["share_after"] - change["share_before"], change["change"])
    assert change["judged_after"].max() == customer.nunique()


def test_a_rule_that_only_one_report_has_is_missing_in_the_other():
    one = quality.report(CARDS, {"completeness": ["name", "email"]})
    other = quality.report(CARDS, {"completeness": ["email", "born"]})
    found = quality.compare(one, other)
    assert found["column"].to_list() == ["name", "email", "born"]
    assert found["change"].isna().to_list() == [True, False, True]
    with pytest.raises(InputError, match="before: a rule stands there twice"):
        quality.compare(pd.concat([one, one]), other)
    with pytest.raises(ColumnError, match="after has no column 'share'"):
        quality.compare(one, other.drop(columns="share"))


# --- one number ---------------------------------------------------------------------------------------------------


def test_the_overall_number_is_the_weighted_mean_of_the_dimensions_by_hand():
    found = quality.report(
        CARDS, {"completeness": ["name", "email"], "uniqueness": ["record_id"], "consistency": ["born < joined"]}
    )
    whole = quality.overall(found, {"completeness": 2, "uniqueness": 1, "consistency": 0}).set_index("dimension")
    assert whole.loc["completeness", "share"] == pytest.approx((3 / 5 + 4 / 5) / 2)
    assert whole["weight"].to_list() == pytest.approx([2 / 3, 1 / 3, 0, 1])
    assert whole.loc["overall", "share"] == pytest.approx(0.7 * 2 / 3 + 1 / 3)
    assert whole["contribution"].iloc[:-1].sum() == pytest.approx(whole.loc["overall", "contribution"])


def test_other_weights_give_another_number_and_there_are_none_by_default():
    found = quality.report(CARDS, {"completeness": ["name"], "uniqueness": ["record_id"]})
    with pytest.raises(TypeError):
        quality.overall(found)
    numbers = [quality.overall(found, {"completeness": w, "uniqueness": 1})["share"].iloc[-1] for w in (0, 1, 9)]
    assert numbers == sorted(numbers, reverse=True)
    assert numbers[0] == 1


def test_a_dimension_without_judged_rows_makes_the_whole_missing_unless_it_does_not_count():
    found = quality.report(
        CARDS.assign(email=None), {"completeness": ["name"], "validity": {"email": {"pattern": "x"}}}
    )
    assert np.isnan(quality.overall(found, {"completeness": 1, "validity": 1})["share"].iloc[-1])
    assert quality.overall(found, {"completeness": 1, "validity": 0})["share"].iloc[-1] == pytest.approx(0.6)


def test_bad_weights_are_refused():
    found = quality.report(CARDS, {"completeness": ["name"], "uniqueness": ["name"]})
    with pytest.raises(InputError, match="weights: uniqueness has none"):
        quality.overall(found, {"completeness": 1})
    with pytest.raises(InputError, match=r"'complete' is not known; use .*Did you mean 'completeness'"):
        quality.overall(found, {"complete": 1})
    for bad in (
        {"completeness": -1, "uniqueness": 2},
        {"completeness": 0, "uniqueness": 0},
        {"completeness": np.nan, "uniqueness": 1},
    ):
        with pytest.raises(InputError, match="must be 0 or more, and not all 0"):
            quality.overall(found, bad)
    with pytest.raises(KindError, match="weights must be a mapping"):
        quality.overall(found, [1, 1])


# --- bad rules ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "error", "what"),
    [
        ({"completness": ["name"]}, InputError, r"'completness' is not known; use .*Did you mean 'completeness'"),
        ({"completeness": "name"}, KindError, "completeness must be a list, not 'name'"),
        ({"validity": ["email"]}, KindError, "validity must be column → rule"),
        ({"completeness": ["nmae"]}, ColumnError, r"no column 'nmae'.*Did you mean 'name'"),
        ({"uniqueness": [["name", "brn"]]}, ColumnError, r"no column 'brn'.*Did you mean 'born'"),
        ({"validity": {"email": {"patern": "x"}}}, InputError, r"'patern' is no rule.*Did you mean 'pattern'"),
        ({"validity": {"email": {"pattern": "(["}}}, InputError, "is no regular expression"),
        ({"validity": {"email": {"pattern": 5}}}, KindError, "the pattern must be a text, not 5"),
        ({"validity": {"email": ".*"}}, InputError, "is no rule; write"),
        ({"validity": {"email": {"range": ["a", "z"]}}}, InputError, "a range needs numbers or dates"),
        ({"validity": {"visits": {"range": [1]}}}, InputError, r"range must be \[least, most\]"),
        ({"validity": {"visits": {"range": ["1", "2"]}}}, InputError, "the limit '1' is no number"),
        ({"validity": {"born": {"range": ["soon", None]}}}, InputError, "the limit of 'born'='soon' is not a day"),
        ({"validity": {"born": {"range": [1900, None]}}}, InputError, "the limit 1900 is no day"),
        ({"validity": {"name": {"values": "Anna"}}}, InputError, "values must be a list"),
        ({"consistency": ["born < jonied"]}, ColumnError, r"speaks of 'jonied'.*Did you mean 'joined'"),
        ({"consistency": ["born < joined; drop table x"]}, InputError, "is not one rule"),
        ({"timeliness": {"joined": "a year"}}, InputError, "is not a horizon"),
        ({"timeliness": {"name": "12 months"}}, InputError, "turn it into dates first"),
        ({}, InputError, "there is nothing to judge"),
        ([], KindError, "rules must be a mapping"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_with_what_to_do(rules, error, what):
    with pytest.raises(error, match=what):
        quality.report(CARDS, rules, as_of="2025-12-31")


def test_a_pattern_that_would_hang_other_engines_is_quick():
    # (a+)+$ takes exponential time on backtracking engines; RE2 is linear in the text
    frame = pd.DataFrame({"text": ["a" * 5_000 + "!"] * 50})
    assert quality.report(frame, {"validity": {"text": {"pattern": "(a+)+"}}})["passed"].to_list() == [0]


def test_rules_from_a_file(tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text(
        'completeness = ["name"]\nuniqueness = [["name", "born"]]\nconsistency = ["born < joined"]\n'
        "[validity]\nvisits = { range = [0, 10] }\n[timeliness]\njoined = '12 months'\n",
        encoding="utf-8",
    )
    found = quality.report(CARDS, path, as_of="2026-01-31")
    assert found["passed"].to_list() == [3, 1, 3, 2, 2]
    assert_frame_equal(found, quality.report(CARDS, str(path), as_of="2026-01-31"))
    with pytest.raises(InputError, match="there is no file"):
        quality.report(CARDS, tmp_path / "other.toml")
    path.write_text("completeness = [", encoding="utf-8")
    with pytest.raises(InputError, match="is no TOML file"):
        quality.report(CARDS, path)
