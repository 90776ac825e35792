"""What was known on one day: nothing later can get in, whatever is asked for, and the watch knows each one's habit."""

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit import lifecycle
from crmkit.errors import ColumnError, InputError, KindError
from crmkit.lifecycle.churn_features import FeatureSet, watch
from crmkit.tables import Transactions

CUTOFF = datetime.date(2025, 6, 30)
days = st.dates(datetime.date(2024, 1, 1), datetime.date(2026, 6, 30))
events = st.lists(st.tuples(st.sampled_from("abc"), days, st.integers(0, 9)), min_size=1, max_size=40)


def table_of(rows) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "amount"])
    frame["day"] = pd.to_datetime(frame["day"])
    return frame


# --- a later row always raises, or is not there -----------------------------------------------------------------------


@given(events, days)
@settings(max_examples=60, deadline=None)
def test_a_day_after_the_cut_off_cannot_be_asked_for(rows, asked):
    facts = FeatureSet(list("abc"), CUTOFF)
    facts.know("events", table_of(rows), dated="day")
    later = sorted(day for _, day, _ in rows if day > CUTOFF)
    if asked > CUTOFF:
        with pytest.raises(InputError, match=str(later[0]) if later else "lies after the cut-off"):
            facts.rows("events", last=asked)
    else:
        assert len(facts.rows("events", last=asked)) == sum(day <= asked for _, day, _ in rows)
    assert facts.later["events"] == len(later)


@given(events, st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_features_are_the_same_whatever_happens_later(rows, random):
    """The definition of no leak: change, drop or invent the future, and no feature moves."""
    past = [row for row in rows if row[1] <= CUTOFF]
    future = [
        ("abc"[i % 3], CUTOFF + datetime.timedelta(days=1 + random.randrange(300)), 7)
        for i in range(random.randrange(5))
    ]

    def made(table):
        facts = FeatureSet(list("abc"), CUTOFF)
        facts.know("events", table, dated="day")
        for what, column in (("count", None), ("sum", "amount"), ("mean", "amount"), ("days_since", None)):
            facts.add(what, "events", what, column)
            facts.add(f"{what}_6m", "events", what, column, within="6 months")
        return pd.concat([facts.frame, watch(facts, {"activity": ("events", "count")})], axis=1)

    if past:
        pd.testing.assert_frame_equal(made(table_of(rows)), made(table_of(past + future)))


def test_a_month_is_known_when_it_is_over():
    usage = pd.DataFrame({"customer_id": "a", "month": pd.to_datetime(["2025-05-01", "2025-06-01"]), "logins": [3, 8]})
    for cutoff, known in (("2025-06-30", [3, 8]), ("2025-06-29", [3]), ("2025-05-30", [])):
        facts = FeatureSet(["a"], cutoff)
        facts.know("usage", usage, dated="month", covers="month")
        assert facts.rows("usage")["logins"].to_list() == known
    with pytest.raises(InputError, match="first on 2025-05-31"):
        facts.rows("usage", last="2025-06-10")


def test_what_was_filled_in_later_is_blank_again():
    tickets = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c"],
            "opened_at": pd.to_datetime(["2025-06-01 10:00", "2025-06-02 10:00", "2025-06-03 10:00"]),
            "resolved_at": pd.to_datetime(["2025-06-30 23:59", "2025-07-01 00:01", None]),
            "satisfied": ["yes", "no", "no"],
        }
    )
    facts = FeatureSet(list("abc"), CUTOFF)
    facts.know("tickets", tickets, dated="opened_at", filled={"satisfied": "resolved_at"})
    known = facts.rows("tickets")
    assert known["satisfied"].isna().to_list() == [False, True, True]
    assert known["resolved_at"].isna().to_list() == [False, True, True]
    assert tickets["satisfied"].notna().all(), "the firm's own table stays as it was"


def test_dates_as_texts_and_as_python_days_are_dates():
    bills = pd.DataFrame({"customer_id": ["a", "a"], "due": ["2025-06-01", "2025-06-15"]})
    bills["paid_on"] = [datetime.date(2025, 6, 20), datetime.date(2025, 7, 20)]
    facts = FeatureSet(["a"], CUTOFF)
    facts.know("bills", bills, dated="due")
    assert facts.rows("bills")["paid_on"].isna().to_list() == [False, True]


def test_rows_without_a_day_and_unknown_names_are_refused():
    facts = FeatureSet(["a"], CUTOFF)
    with pytest.raises(InputError, match="1 of 2 rows have no 'day'"):
        facts.know("events", table_of([("a", None, 1), ("a", CUTOFF, 1)]), dated="day")
    with pytest.raises(ColumnError, match="Did you mean 'day'"):
        facts.know("events", table_of([("a", CUTOFF, 1)]), dated="days")
    with pytest.raises(InputError, match="covers='quarter'"):
        facts.know("events", table_of([("a", CUTOFF, 1)]), dated="day", covers="quarter")
    facts.know("events", table_of([("a", CUTOFF, 1)]), dated="day")
    with pytest.raises(InputError, match="Did you mean 'events'"):
        facts.rows("event")
    with pytest.raises(InputError, match="is not known; use 'count'"):
        facts.add("x", "events", "median", "amount")
    with pytest.raises(InputError, match="which column"):
        facts.add("x", "events", "sum")
    with pytest.raises(ColumnError, match="no column 'kind'"):
        facts.add("x", "events", "count", where={"kind": "complaint"})
    facts.add("x", "events", "count")
    with pytest.raises(InputError, match="there is a feature 'x' already"):
        facts.add("x", "events", "count")


# --- ready-made tables ------------------------------------------------------------------------------------------------


def test_a_table_of_a_later_day_raises_with_the_day():
    export = pd.DataFrame({"customer_id": ["a", "b"], "as_of": ["2025-06-30", "2025-07-03"], "checks": [0, 4]})
    facts = FeatureSet(["a", "b"], CUTOFF)
    with pytest.raises(
        InputError, match=r"1 rows are of a day after the cut-off 2025-06-30, the first of 2025-07-03 \(customer 'b'\)"
    ):
        facts.join(export, dated="as_of")
    facts.join(export.assign(as_of="2025-06-30"), dated="as_of")
    assert facts.frame["checks"].to_list() == [0, 4]


def test_a_table_without_a_day_is_refused_or_named_undated():
    scores = pd.DataFrame({"score": [1.0]}, index=pd.Index(["a"], name="customer_id"))
    facts = FeatureSet(["a", "b"], CUTOFF)
    with pytest.raises(InputError, match="say of no day that they were known"):
        facts.join(scores)
    facts.join(scores, undated="mark")
    assert facts.frame.columns.to_list() == ["as_of", "undated_score"]
    assert facts.frame.attrs["undated"] == ["undated_score"]
    assert "UNDATED, may know the future: undated_score" in repr(facts)
    with pytest.raises(InputError, match='"refuse" or "mark"'):
        facts.join(scores, undated="yes")


def test_a_summary_carries_its_day():
    rows = pd.DataFrame({"customer_id": ["a", "a"], "ordered_at": ["2025-06-01", "2025-07-20"], "amount": [5.0, 9.0]})
    orders = Transactions.read(rows)
    facts = FeatureSet(["a"], CUTOFF)
    with pytest.raises(InputError, match="the first of 2025-07-20"):
        facts.join(lifecycle.summary(orders), columns=["spend"])
    facts.join(lifecycle.summary(orders, as_of=CUTOFF), columns=["spend"])
    assert facts.frame["spend"].to_list() == [5.0]


def test_one_row_a_customer():
    with pytest.raises(InputError, match="1 customers stand there twice"):
        FeatureSet(["a"], CUTOFF).join(pd.DataFrame({"customer_id": ["a", "a"], "d": "2025-01-01", "x": 1}), dated="d")
    with pytest.raises(InputError, match="customers: 1 customers stand there twice, such as 'a'"):
        FeatureSet(["a", "a"], CUTOFF)
    with pytest.raises(InputError, match="customers is empty"):
        FeatureSet([], CUTOFF)
    with pytest.raises(KindError, match="must be a DataFrame"):
        FeatureSet(["a"], CUTOFF).join([1])


# --- figures ----------------------------------------------------------------------------------------------------------


def test_figures_by_hand():
    rows = [
        ("a", "2025-03-31", 2),
        ("a", "2025-04-01", 4),
        ("a", "2025-06-20", 6),
        ("b", "2025-01-01", 9),
        ("b", "2025-08-01", 1),
    ]
    facts = FeatureSet(["a", "b", "c"], CUTOFF)
    facts.know("events", table_of(rows), dated="day")
    facts.add("n", "events", "count", within="3 months")
    facts.add("total", "events", "sum", "amount", within="3 months")
    facts.add("mean", "events", "mean", "amount")
    facts.add("last", "events", "last", "amount")
    facts.add("silent", "events", "days_since")
    facts.add("sixes", "events", "count", where={"amount": 6})
    facts.derive("share", lambda known: known["n"] / 3)
    frame = facts.frame
    assert frame.loc["a"].to_list()[1:] == [2, 10, 4, 6, 10, 1, 2 / 3]
    assert frame.loc["b", ["n", "total", "last", "silent"]].to_list() == [0, 0, 9, 180]
    assert frame.loc["c", ["mean", "last", "silent"]].isna().all()
    assert frame["as_of"].eq(pd.Timestamp(CUTOFF)).all()


@pytest.mark.parametrize("cutoff", ["2025-02-28", "2025-05-31", "2025-06-30", "2025-08-31", "2024-02-29"])
@pytest.mark.parametrize("months", [1, 3, 6, 12])
def test_so_many_months_are_so_many_monthly_rows(cutoff, months):
    usage = pd.DataFrame({"customer_id": "a", "month": pd.date_range("2022-01-01", "2026-01-01", freq="MS")})
    facts = FeatureSet(["a"], cutoff)
    facts.know("usage", usage, dated="month", covers="month")
    facts.add("n", "usage", "count", within=f"{months} months")
    assert facts.frame["n"].to_list() == [months]


# --- the watch --------------------------------------------------------------------------------------------------------


def watched(rows, **options):
    facts = FeatureSet(sorted({who for who, *_ in rows}), CUTOFF)
    facts.know("events", table_of(rows), dated="day")
    return watch(facts, {"activity": ("events", "count")}, **options)


def every(days_apart, first="2024-01-01", last="2025-06-30", who="a"):
    return [(who, day, 1) for day in pd.date_range(first, last, freq=f"{days_apart}D")]


def test_the_watch_sees_whom_it_should():
    rows = (
        every(7, who="steady") + every(7, last="2025-03-31", who="silent") + every(120, last="2025-03-10", who="rare")
    )
    rows += every(7, first="2025-05-01", who="new")
    table = watched(rows)
    assert table["activity_alert"].to_dict() == {"steady": False, "silent": True, "rare": False, "new": False}
    assert np.isnan(table.loc["new", "activity_usual"])
    assert table.loc["silent", "because"].startswith("activity: 0 against a usual 13")
    assert table.loc["steady", "activity_change"] == pytest.approx(0, abs=0.05)


def test_false_alarms_are_as_rare_as_the_limit_says():
    """Poisson customers who never change: beyond two standard errors on one side lie 2.3 %; counts are skewed, so less."""
    random = np.random.default_rng(11)
    number = random.poisson(60, 400)
    span = pd.date_range("2024-04-01", "2025-06-30")
    rows = [(f"c{i}", day, 1) for i, n in enumerate(number) for day in random.choice(span, n)]
    share = watched(rows, since=pd.Series(span[0], index=[f"c{i}" for i in range(400)]))["activity_alert"].mean()
    assert 0.0 < share < 0.03


def test_a_score_is_watched_by_its_mean():
    rows = [("a", "2024-10-01", 5), ("a", "2025-01-01", 4), ("a", "2025-06-01", 3), ("b", "2025-06-01", 1)]
    facts = FeatureSet(["a", "b"], CUTOFF)
    facts.know("feedback", table_of(rows), dated="day")
    table = watch(facts, {"satisfaction": ("feedback", "mean", "amount")})
    assert table.loc["a", ["satisfaction_usual", "satisfaction_change", "alerts"]].to_list() == [4.5, -1.5, 1]
    assert table["satisfaction_alert"].to_list() == [True, False]
    with pytest.raises(InputError, match="satisfaction: say"):
        watch(facts, {"satisfaction": ("feedback", "mean")})
