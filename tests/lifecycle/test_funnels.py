"""Funnels: by hand, against a plain reading, and against the truth of a simulated stream of people."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from crmkit.errors import ColumnError, InputError, KindError
from crmkit.lifecycle.funnels import AARRR, Rate, aarrr, funnel

STEPS = ["visit", "sign", "buy"]
PEOPLE = pd.DataFrame(
    [
        ("ann", "2025-01-05", "2025-01-05", "2025-01-09"),
        ("bob", "2025-01-06", "2025-01-16", None),
        ("cem", "2025-01-07", None, None),
        ("dan", "2025-01-08", "2025-01-20", "2025-01-12"),  # bought as a guest, signed later: no third step
        ("eva", "2025-01-31", "2025-03-20", "2025-03-25"),  # slow
        ("fay", "2025-03-01", "2025-03-02", "2025-03-03"),
        ("gus", None, "2025-01-09", "2025-01-10"),  # never seen visiting
        ("hal", "2024-12-20", "2025-01-03", "2025-01-04"),
    ],
    columns=["who", *STEPS],
).set_index("who")


def test_a_cohort_by_hand():
    found = funnel(PEOPLE, STEPS, first="2025-01-01", last="2025-01-31", within="30 days", as_of="2025-03-31")
    assert found["people"].tolist() == [5, 3, 1]  # ann bob cem dan eva; ann bob dan; ann
    assert found["rate"].tolist()[1:] == pytest.approx([3 / 5, 1 / 3])
    assert found["of_first"].tolist() == [1, 3 / 5, 1 / 5]
    assert found["median_days"].tolist()[1:] == [10, 4]  # 0, 10, 12; and 4
    # gus has two steps without the first, dan's third is before his second
    assert found["without_earlier"].tolist() == [0, 1, 2]
    for row in (1, 2):
        limits = proportion_confint(found["people"][row], found["people"][row - 1], method="wilson")
        assert found.loc[row, ["low", "high"]].tolist() == pytest.approx(limits)
    assert found.attrs["not_yet"] == 0
    assert found.attrs["note"] == "Not counted, because an earlier step is missing or comes after: sign 1, buy 2."


def test_whose_time_is_not_over_is_left_out_and_counted():
    found = funnel(PEOPLE, STEPS, first="2025-01-01", within="30 days", as_of="2025-03-15")
    assert found["people"].tolist() == [5, 3, 1]  # fay has had two weeks
    assert found.attrs["not_yet"] == 1
    assert "1 people are left out, whose 30 days were not over." in found.attrs["note"]
    without = funnel(PEOPLE, STEPS, first="2025-01-01", as_of="2025-03-15")
    assert without["people"].tolist() == [6, 4, 2]  # the old ones had longer: no time is left out
    assert without.attrs["not_yet"] == 0


def test_what_happens_after_as_of_is_not_known():
    found = funnel(PEOPLE, STEPS, first="2025-01-01", last="2025-01-31", as_of="2025-01-10")
    assert found["people"].tolist() == [4, 1, 1]
    assert funnel(PEOPLE, STEPS, first="2025-01-01", last="2025-01-31", as_of="2025-03-31")["people"].tolist() == [
        5,
        4,
        2,
    ]


def test_a_snapshot_counts_other_people_in_each_step():
    found = funnel(PEOPLE, STEPS, first="2025-03-01", last="2025-03-31", as_of="2025-03-31", kind="snapshot")
    assert found["people"].tolist() == [1, 2, 2]
    assert found["rate"].tolist()[1:] == [2, 1]  # more signed than visited: eva visited in January
    assert found["without_earlier"].tolist() == [0, 1, 0]
    assert found[["low", "high", "median_days"]].isna().all(axis=None)
    assert (
        found.attrs["note"]
        == "A snapshot: the rates compare different people. Without the step before in the same time: sign 1."
    )


def test_clock_times_do_not_count():
    people = pd.DataFrame({"visit": [pd.Timestamp("2025-01-05 14:00")], "sign": [pd.Timestamp("2025-01-05")]})
    assert funnel(people, ["visit", "sign"], as_of="2025-01-31")["people"].tolist() == [1, 1]


def test_a_growing_firm_looks_worse_in_a_snapshot_than_it_is():
    """Truth: half of the visitors buy, all of them 40 days later; twice as many people come each month."""
    days = np.repeat(pd.date_range("2025-01-01", "2025-06-30"), [2 ** (day // 30) for day in range(181)])
    buys = np.arange(len(days)) % 2 == 0
    people = pd.DataFrame({"visit": days, "buy": np.where(buys, days + np.timedelta64(40, "D"), np.datetime64("NaT"))})
    cohort = funnel(people, ["visit", "buy"], within="60 days", as_of="2025-06-30")
    snapshot = funnel(people, ["visit", "buy"], first="2025-06-01", as_of="2025-06-30", kind="snapshot")
    assert cohort["rate"][1] == pytest.approx(0.5, abs=0.01)
    assert cohort["median_days"][1] == 40
    assert snapshot["rate"][1] == pytest.approx(0.5 / 2 ** (40 / 30), abs=0.06)


maybe = st.one_of(st.none(), st.integers(0, 60))
tables = st.lists(st.tuples(maybe, maybe, maybe), min_size=1, max_size=30)


@settings(max_examples=60, deadline=None)
@given(tables, st.integers(0, 99), st.one_of(st.none(), st.integers(1, 40)))
def test_a_funnel_only_narrows_and_counts_as_a_plain_reading(rows, seed, length):
    start = pd.Timestamp("2025-01-01")
    people = pd.DataFrame(
        [[None if day is None else start + pd.Timedelta(days=day) for day in row] for row in rows], columns=STEPS
    )
    how = {
        "first": start,
        "last": "2025-02-10",
        "as_of": "2025-02-20",
        "within": None if length is None else f"{length} days",
    }
    known = [tuple(None if day is None or day > 50 else day for day in row) for row in rows]
    begun = [row for row in known if row[0] is not None and row[0] <= 40]
    counted = [row for row in begun if length is None or row[0] + length <= 50]
    if not counted:
        with pytest.raises(InputError, match="nobody took the first step"):
            funnel(people, STEPS, **how)
        return
    expected = []
    for step in range(3):
        expected.append(
            sum(
                None not in row[: step + 1]
                and list(row[: step + 1]) == sorted(row[: step + 1])
                and (length is None or row[step] <= row[0] + length)
                for row in counted
            )
        )
    found = funnel(people, STEPS, **how)
    assert found["people"].tolist() == expected
    assert found["people"].is_monotonic_decreasing
    assert found.attrs["not_yet"] == len(begun) - len(counted)
    known_rates = found[found["rate"].notna()]
    assert known_rates["rate"].between(known_rates["low"], known_rates["high"]).all()
    pd.testing.assert_frame_equal(funnel(people.sample(frac=1, random_state=seed), STEPS, **how), found)


def test_a_step_that_nobody_took_has_no_rate_after_it():
    found = funnel(PEOPLE.assign(sign=pd.NaT), STEPS, as_of="2025-03-31")
    assert found["people"].tolist() == [7, 0, 0]
    assert found["rate"].tolist()[1] == 0
    assert np.isnan(found["rate"][2])
    assert found.loc[2, ["low", "high"]].tolist() == [0, 1]


# --- AARRR ------------------------------------------------------------------------------------------------


def test_rates_by_hand():
    rates = [
        Rate("activation", "visit", "sign", "10 days", "?", "help"),
        Rate("revenue", "sign", "buy", "30 days", "?", "price"),
    ]
    found = aarrr(PEOPLE, rates, as_of="2025-03-31").set_index("stage")
    # visitors with ten days: all but gus (no visit); within them ann, bob, fay
    assert found.loc["activation", ["people", "did", "not_yet"]].tolist() == [7, 3, 0]
    assert found.loc["activation", ["low", "high"]].tolist() == pytest.approx(proportion_confint(3, 7, method="wilson"))
    # signed, with thirty days to follow: ann bob dan fay gus hal's are over by 1 April? fay signed on 2 March: 1 April is over
    assert found.loc["revenue", ["people", "did", "not_yet"]].tolist() == [
        5,
        3,
        2,
    ]  # ann gus hal of ann bob dan gus hal
    assert found.loc["revenue", "definition"] == "buy within 30 days of sign"
    assert found["lever"].tolist() == ["help", "price"]


def test_nobody_had_the_time():
    found = aarrr(PEOPLE, [Rate("retention", "buy", "buy", "12 months", "?", "?")], as_of="2025-03-31")
    assert found["people"].item() == 0
    assert found["not_yet"].item() == 6
    assert np.isnan(found["rate"].item())


def test_the_five_stages_are_mcclures_and_a_definition_can_be_changed():
    assert [rate.stage for rate in AARRR] == ["acquisition", "activation", "retention", "referral", "revenue"]
    assert all(rate.question.endswith("?") and rate.lever for rate in AARRR)
    rate = Rate("activation", "visit", "sign", "10 days", "?", "help")
    shorter, longer = (
        aarrr(PEOPLE, [rate._replace(within=within)], as_of="2025-03-31")["did"].item()
        for within in ("1 day", "50 days")
    )
    assert (shorter, longer) == (2, 5)


# --- mistakes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "cohrt"}, r"kind='cohrt' is not known; use 'cohort', 'snapshot'. Did you mean 'cohort'"),
        ({"first": "2026-01-01"}, "first='2026-01-01' is after the last known day, 2025-03-31"),
        ({"first": "2025-02-01", "last": "2025-01-01"}, "is after last='2025-01-01'"),
        (
            {"first": "2025-02-01", "last": "2025-02-05"},
            "nobody took the first step 'visit' between 2025-02-01 and 2025-02-05",
        ),
        ({"within": "30"}, "not a horizon"),
        ({"kind": "snapshot", "within": "30 days"}, "is for a cohort"),
        ({"steps": ["visit"]}, "at least two columns"),
        ({"steps": "visit"}, "at least two columns"),
        ({"as_of": None}, "pass as_of="),
        ({"level": 95}, "level must be between 0 and 1"),
    ],
)
def test_what_makes_no_funnel(arguments, message):
    with pytest.raises(InputError, match=message):
        funnel(PEOPLE, **{"steps": STEPS, "as_of": "2025-03-31", **arguments})


def test_tables_that_make_no_funnel():
    with pytest.raises(ColumnError, match=r"people has no column 'bye'; it has visit, sign, buy. Did you mean 'buy'"):
        funnel(PEOPLE, ["visit", "bye"], as_of="2025-03-31")
    with pytest.raises(KindError, match="people must be a DataFrame"):
        funnel([1], STEPS, as_of="2025-03-31")
    with pytest.raises(KindError, match="'sign' holds numbers, not dates"):
        funnel(PEOPLE.assign(sign=3), STEPS, as_of="2025-03-31")
    with pytest.raises(InputError, match="'sign' has 8 values that are no date, such as 'soon'"):
        funnel(PEOPLE.assign(sign="soon"), STEPS, as_of="2025-03-31")
    with pytest.raises(InputError, match="nobody took"):
        funnel(PEOPLE.iloc[:0], STEPS, as_of="2025-03-31")
    with pytest.raises(ColumnError, match="people has no column 'first_visit'"):
        aarrr(PEOPLE, as_of="2025-03-31")


def test_as_of_of_the_table_and_inputs_untouched():
    people = PEOPLE.copy()
    people.attrs["as_of"] = "2025-03-31"
    before = people.copy()
    assert funnel(people, STEPS).attrs["as_of"] == "2025-03-31"
    pd.testing.assert_frame_equal(people, before)
