"""The archive: nothing of a customer is lost, everything is in order, and the brief says what matters first."""

import datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.errors import ColumnError, InputError, KindError
from crmkit.tables.archive import Event, archive, brief, coverage, timeline

EVENTS = {
    "records": Event("record_id", "registered_on", "registration", ("channel",)),
    "receipts": Event("record_id", "till_at", "purchase", ("store_kind", "amount")),
    "contacts": Event("record_id", "at", "kind", ("note",)),
}
CLUSTERS = pd.Series({"M1": "M1", "M2": "M1", "M3": "M3"})


@pytest.fixture
def firm() -> dict[str, pd.DataFrame]:
    return {
        "records": pd.DataFrame(
            {
                "record_id": ["M1", "M2", "M3"],
                "channel": ["desk", "app", "desk"],
                "registered_on": pd.to_datetime(["2025-01-01", "2025-06-01", "2025-03-01"]),
            }
        ),
        "receipts": pd.DataFrame(
            {
                "record_id": ["M2", "M1", None, "M9"],
                "till_at": pd.to_datetime(
                    ["2025-07-01 10:00", "2025-02-01 12:00", "2025-02-02 00:00", "2025-02-03 00:00"]
                ),
                "store_kind": ["food", "fashion", "food", "food"],
                "amount": [1234.5, 9.99, 5.0, 5.0],
            }
        ),
        "contacts": pd.DataFrame(
            {
                "record_id": ["M1", "M3", "M1"],
                "at": pd.to_datetime(["2025-02-01 11:00", "2025-04-01 00:00", None]),
                "kind": ["complaint", "care", "visit"],
                "note": ["zip broke", None, "no date was written down"],
            }
        ),
    }


def test_events_of_all_tables_in_the_order_of_time(firm):
    told = timeline(firm, EVENTS, "M1", clusters=CLUSTERS)
    assert told["kind"].to_list() == ["registration", "complaint", "purchase", "registration", "purchase", "visit"]
    assert told["record_id"].to_list() == ["M1", "M1", "M1", "M2", "M2", "M1"]
    assert told["what"].to_list()[1:3] == ["note zip broke", "store kind fashion; amount 9.99"]
    assert pd.isna(told["at"].iloc[-1])  # an event without a time is the last, not lost
    assert told.attrs == {"anonymous": 1, "unknown": 1}


def test_without_clusters_a_record_is_a_customer(firm):
    assert timeline(firm, EVENTS, "M2")["kind"].to_list() == ["registration", "purchase"]
    assert len(timeline(firm, EVENTS, ["M1", "M2"])) == 6


def test_every_row_is_somebodys_or_counted(firm):
    for clusters in (None, CLUSTERS):
        told = timeline(firm, EVENTS, clusters=clusters)
        assert len(told) + sum(told.attrs.values()) == sum(map(len, firm.values()))


times = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", None]), st.datetimes(datetime.datetime(2020, 1, 1), datetime.datetime(2026, 1, 1))
    )
)


@settings(max_examples=40, deadline=None)
@given(times, times)
def test_one_timeline_of_everybody_is_all_timelines_of_one(first, second):
    tables = {
        name: pd.DataFrame(rows, columns=["who", "at"]).astype({"who": object, "at": "datetime64[us]"})
        for name, rows in (("one", first), ("two", second))
    }
    events = {"one": ("who", "at", "x"), "two": ("who", "at", "y")}
    everybody = timeline(tables, events)
    assert all(at.is_monotonic_increasing for _, at in everybody.groupby("customer_id")["at"])
    for customer in everybody["customer_id"].unique():
        mine = everybody[everybody["customer_id"] == customer].reset_index(drop=True)
        pd.testing.assert_frame_equal(mine, timeline(tables, events, customer), check_like=False)


def test_the_archive_has_a_static_and_a_dynamic_part(firm):
    who = pd.DataFrame({"name": ["Ada", "Bo"], "phone": ["030", " "]}, index=pd.Index(["M1", "M3"], name="customer_id"))
    kept = archive(who, timeline(firm, EVENTS, clusters=CLUSTERS))
    assert kept["known"].to_list() == [1.0, 0.5]
    assert kept["events"].to_list() == [6, 2]
    assert kept.loc["M1", ["n_purchase", "n_complaint", "n_visit", "n_care"]].to_list() == [2, 1, 1, 0]
    assert kept["first_event"].to_list() == [pd.Timestamp("2025-01-01"), pd.Timestamp("2025-03-01")]
    assert kept["last_event"].to_list() == [pd.Timestamp("2025-07-01 10:00"), pd.Timestamp("2025-04-01")]
    assert kept.attrs["without_record"] == 0
    share = coverage(kept).set_index("field")["share"]
    assert share.to_dict() == {
        "name": 1.0, "phone": 0.5, "care": 0.5, "complaint": 0.5, "purchase": 0.5, "registration": 1.0, "visit": 0.5,
    }  # fmt: skip


def test_a_customer_with_events_and_no_record_is_counted(firm):
    who = pd.DataFrame({"name": ["Ada"]}, index=pd.Index(["M1"], name="customer_id"))
    assert archive(who, timeline(firm, EVENTS)).attrs["without_record"] == 3  # M2, M3 and M9


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda f: timeline(f, {"recipts": EVENTS["receipts"]}), InputError, "Did you mean 'receipts'"),
        (lambda f: timeline(f, {"receipts": ("record", "till_at", "x")}), ColumnError, "Did you mean 'record_id'"),
        (lambda f: timeline(f, {"receipts": ("record_id", "store_kind", "x")}), KindError, "not times"),
        (
            lambda f: timeline(f, EVENTS, "M2", clusters=CLUSTERS),
            InputError,
            "'M2'; is it the id of a record that was merged",
        ),
        (lambda f: timeline(f, {}), InputError, "events is empty"),
        (lambda f: timeline(f, EVENTS, clusters={"M1": "M1"}), KindError, "must be a Series"),
        (lambda f: coverage(f["records"]), InputError, "merge and join drop attrs"),
        (lambda f: archive(f["records"], timeline(f, EVENTS)), InputError, "no event belongs to a customer"),
        (
            lambda f: archive(f["records"].set_axis(["M1", "M1", "M2"]), timeline(f, EVENTS)),
            InputError,
            "in the table twice",
        ),
        (lambda f: archive(f["records"], timeline(f, EVENTS), static=["nam"]), ColumnError, "no column 'nam'"),
    ],
)
def test_what_cannot_be_meant_is_refused(firm, call, error, message):
    with pytest.raises(error, match=message):
        call(firm)


# --- the brief --------------------------------------------------------------------------------------------------------


CONTACTS = ["customer_id", "at", "kind", "channel", "note", "outcome", "next_on"]


def contacts(*rows) -> pd.DataFrame:
    frame = pd.DataFrame([("M1", *row) for row in rows], columns=CONTACTS)
    return frame.assign(at=pd.to_datetime(frame["at"], format="ISO8601"), next_on=pd.to_datetime(frame["next_on"]))


def purchases(*rows) -> pd.DataFrame:
    frame = pd.DataFrame([("M1", *row) for row in rows], columns=["customer_id", "at", "group", "amount"])
    return frame.assign(at=pd.to_datetime(frame["at"], format="ISO8601"))


OPEN = ("2025-12-01 10:00", "complaint", "phone", "zip broke", "open", None)
SOLVED = ("2025-11-01 10:00", "complaint", "phone", "wrong size", "solved", None)
PROMISE = ("2025-12-05 10:00", "consult", "desk", "looks for shoes", "thinks it over", "2025-12-20")
SOON = ("2025-12-20 10:00", "consult", "desk", "looks for shoes", "thinks it over", "2026-01-04")
KEPT = ("2025-12-20 09:00", "care", "phone", "rang back", "reached", None)
REGULAR = [(f"2025-{month:02d}-01", "food", 10.0) for month in range(1, 9)]


@pytest.mark.parametrize(
    ("talks", "bought", "rule", "words"),
    [
        ([OPEN, PROMISE], REGULAR, "complaint", "2025-12-01, open for 30 days"),
        ([("2025-12-01", "complaint", "app", "late", None, None)], [], "complaint", "open for 30 days"),
        ([SOLVED, PROMISE], REGULAR, "promise", "on 2025-12-20 and were not"),
        ([SOON], REGULAR, "due", "what was agreed"),
        ([PROMISE, KEPT], REGULAR, "quiet", "last here 152 days ago, and usually every 31 days"),
        ([], REGULAR[:2], "preference", "new in food: 100%"),
        (
            [],
            [("2025-12-01", "food", 5.0), ("2025-12-02", "sports", 5.1), ("2025-12-30", "books", 5.0)],
            "ask",
            "do not know",
        ),
        ([KEPT], [], "ask", "do not know"),
    ],
)
def test_the_topic_is_the_first_thing_that_matters(talks, bought, rule, words):
    told = brief("M1", contacts(*talks), purchases(*bought), as_of="2025-12-31")
    assert told.rule == rule
    assert words in told.topic
    assert told.topic in str(told)


def test_the_brief_lists_the_last_contacts_what_is_open_and_what_she_likes():
    talks = contacts(
        *[(f"2025-{month:02d}-02", "care", "mail", f"note {month}", "reached", None) for month in range(1, 9)], OPEN
    )
    told = brief(
        "M1",
        talks,
        purchases(("2025-05-01", "food", 30.0), ("2025-06-01", "sports", 10.0)),
        as_of="2025-12-31",
        consent="N",
    )
    assert told.last_contacts["note"].to_list() == ["zip broke", "note 8", "note 7", "note 6", "note 5"]
    assert told.last_contacts["days_ago"].iloc[0] == 30
    assert told.open_issues["note"].to_list() == ["zip broke"]
    assert told.preferences[["group", "share"]].to_records(index=False).tolist() == [("food", 0.75), ("sports", 0.25)]
    assert told.may_advertise is False
    assert "No advertising" in str(told)
    assert len(brief("M1", talks, purchases(), as_of="2025-12-31", last=2).last_contacts) == 2


def test_nobody_sees_the_future():
    talks, bought = contacts(SOLVED, OPEN), purchases(("2025-06-01", "food", 30.0), ("2025-12-25", "sports", 99.0))
    told = brief("M1", talks, bought, as_of="2025-11-15")
    assert told.last_contacts["note"].to_list() == ["wrong size"]
    assert told.preferences["group"].to_list() == ["food"]
    assert told.rule != "complaint"


def test_a_promise_is_kept_by_a_contact_on_its_day_and_not_by_one_before():
    early = ("2025-12-19 23:00", "care", "phone", "too early", "reached", None)
    for other, left in ((KEPT, 0), (early, 1)):
        assert len(brief("M1", contacts(PROMISE, other), purchases(), as_of="2025-12-31").promises) == left
    late = brief("M1", contacts(PROMISE), purchases(), as_of="2025-12-31")
    assert (late.next_on, late.promises["days_late"].item()) == (datetime.date(2025, 12, 20), 11)


def test_consent_is_read_as_everywhere_else():
    for answer, may in (("Y", True), ("perhaps", False), (float("nan"), False), (None, None)):
        assert brief("M1", contacts(KEPT), purchases(), as_of="2025-12-31", consent=answer).may_advertise is may


def test_a_customer_whom_nobody_knows_is_refused():
    with pytest.raises(InputError, match="'M2' has neither a contact nor a purchase"):
        brief("M2", contacts(KEPT), purchases(), as_of="2025-12-31")
    with pytest.raises(ColumnError, match="contacts has no column 'outcome'"):
        brief("M1", contacts(KEPT).drop(columns="outcome"), purchases(), as_of="2025-12-31")


def test_a_contact_without_a_note_is_told_as_such():
    told = brief(
        "M1", contacts(("2025-12-01", "complaint", "app", None, "open", None)), purchases(), as_of="2025-12-31"
    )
    assert told.topic == "the complaint of 2025-12-01, open for 30 days: no note. Say what has been done."
    assert "nan" not in str(told)
