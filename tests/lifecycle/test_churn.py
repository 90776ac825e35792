"""Who has left: labels with and without a contract, rhythm and reasons, against independent counts and closed forms."""

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit import datasets
from crmkit.errors import ColumnError, InputError, KindError
from crmkit.lifecycle import churn
from crmkit.tables import Transactions

SUBSCRIBERS = pd.DataFrame(
    {"customer_id": list("abcdef"), "started_on": pd.to_datetime(["2025-01-10"] * 4 + ["2025-06-30", "2025-07-01"])}
)
NOTICES = pd.DataFrame(
    {
        "customer_id": ["a", "b", "c", "c"],
        "cancelled_on": pd.to_datetime(["2025-06-30", "2025-07-01", "2025-03-01", "2025-08-29"]),
        "returned_on": pd.to_datetime([None, None, "2025-05-01", None]),
    }
)


def orders_of(rows) -> Transactions:
    return Transactions.read(pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"]))


def contract(cutoff="2025-06-30", horizon="60 days", data_until="2025-12-31", **tables):
    known = {"subscribers": SUBSCRIBERS, "cancellations": NOTICES} | tables
    return churn.labels_by_contract(**known, cutoff=cutoff, horizon=horizon, data_until=data_until)


# --- with a contract --------------------------------------------------------------------------------------------------


def test_every_edge_of_a_contract_by_hand():
    """a left on the cut-off day and is gone; b leaves on the next; c came back and leaves on the 60th day; d stays; e
    started on the cut-off day; f starts after it."""
    labels = contract()
    assert labels["left"].to_dict() == {"b": True, "c": True, "d": False, "e": False}
    assert labels.loc["c", "left_on"] == pd.Timestamp("2025-08-29")
    assert contract(horizon="59 days")["left"].to_dict()["c"] is False
    assert labels.attrs["known_on"] == "2025-08-29"
    assert contract(cutoff="2025-04-15").index.to_list() == ["a", "b", "d"]


def test_a_window_beyond_the_data_is_refused_with_the_last_cut_off_that_would_do():
    with pytest.raises(InputError, match=r"end on 2026-01-30, but the data end on 2025-12-31.*up to 2025-11-01"):
        contract(cutoff="2025-12-01")
    assert len(contract(cutoff="2025-11-01"))


@given(
    starts=st.lists(st.integers(0, 300), min_size=1, max_size=25),
    stays=st.lists(st.one_of(st.none(), st.integers(0, 300)), min_size=25, max_size=25),
    cutoff=st.integers(0, 300),
    days=st.integers(1, 64),
)
@settings(max_examples=80, deadline=None)
def test_labels_are_what_a_plain_loop_counts(starts, stays, cutoff, days):
    day = lambda number: datetime.date(2025, 1, 1) + datetime.timedelta(days=number)  # noqa: E731
    subscribers = pd.DataFrame({"customer_id": range(len(starts)), "started_on": [day(s) for s in starts]})
    ends = [None if stay is None else start + stay for start, stay in zip(starts, stays, strict=False)]
    notices = pd.DataFrame(
        [(i, day(end)) for i, end in enumerate(ends) if end is not None], columns=["customer_id", "cancelled_on"]
    )
    expected = {
        i: end is not None and end <= cutoff + days
        for i, (start, end) in enumerate(zip(starts, ends, strict=True))
        if start <= cutoff and (end is None or end > cutoff)
    }
    call = {"cutoff": day(cutoff), "horizon": f"{days} days", "data_until": "2026-12-31"}
    if not expected:
        with pytest.raises(InputError, match="nobody is under contract"):
            churn.labels_by_contract(subscribers, notices, **call)
    else:
        assert churn.labels_by_contract(subscribers, notices, **call)["left"].to_dict() == expected


@pytest.mark.parametrize(
    ("tables", "error", "says"),
    [
        ({"cancellations": NOTICES.rename(columns={"cancelled_on": "canceled_on"})}, ColumnError, "Did you mean"),
        ({"cancellations": NOTICES.assign(customer_id="zz")}, InputError, "not among the subscribers, such as 'zz'"),
        (
            {"cancellations": NOTICES.assign(cancelled_on=pd.NaT, returned_on=pd.NaT)},
            InputError,
            "missing in 4 of 4 rows",
        ),
        ({"cancellations": NOTICES.assign(returned_on=pd.Timestamp("2024-01-01"))}, InputError, "lies before"),
        ({"cancellations": pd.concat([NOTICES, NOTICES.head(1)])}, InputError, "second one without a return"),
        (
            {"subscribers": SUBSCRIBERS.assign(started_on=pd.Timestamp("2025-09-01"))},
            InputError,
            "do not fit a contract",
        ),
        ({"subscribers": pd.concat([SUBSCRIBERS] * 2)}, InputError, "6 customers stand there twice"),
        ({"subscribers": SUBSCRIBERS.assign(started_on=None)}, InputError, "'started_on' is missing in 6 of 6"),
        ({"subscribers": "file.csv"}, KindError, "subscribers must be a DataFrame"),
    ],
)
def test_tables_that_contradict_themselves_are_refused(tables, error, says):
    with pytest.raises(error, match=says):
        contract(**tables)


@pytest.mark.parametrize(("horizon", "says"), [("60", "number and a unit"), ("2 fortnights", "not a unit"), (60, "60")])
def test_a_horizon_needs_a_unit(horizon, says):
    with pytest.raises(InputError, match=says):
        contract(horizon=horizon)


# --- without a contract -----------------------------------------------------------------------------------------------


def test_silence_on_cdnow_is_what_the_published_lines_give():
    """Counted again with pandas from the published file, not through our tables."""
    music = datasets.load("cdnow")
    labels = churn.labels_by_silence(music.transactions, cutoff="1997-09-30", horizon="26 weeks")
    lines = music.sample_lines
    day, who = pd.to_datetime(lines["date"].astype(str)), lines["customer_id"]
    cutoff = pd.Timestamp("1997-09-30")
    active = set(who[(day <= cutoff) & (day > cutoff - pd.Timedelta(days=182))])
    later = set(who[(day > cutoff) & (day <= cutoff + pd.Timedelta(days=182))])
    assert len(labels) == len(active)
    assert int(labels["left"].sum()) == len(active - later)


def rows_of(dates, customer="ann"):
    return [(customer, date, 5.0) for date in dates]


def test_the_edges_of_the_window_belong_to_it():
    rows = rows_of(["2025-01-01", "2025-02-01", "2025-03-01"]) + rows_of(["2025-05-01"], "last")
    on_the_last_day = [*rows, ("ann", "2025-04-30", 5.0)]
    one_day_late = [*rows, ("ann", "2025-05-01", 5.0)]
    assert not churn.labels_by_silence(orders_of(on_the_last_day), cutoff="2025-03-01", horizon="60 days").loc[
        "ann", "left"
    ]
    late = churn.labels_by_silence(orders_of(one_day_late), cutoff="2025-03-01", horizon="60 days")
    assert late.loc["ann"].to_list() == [True, pd.Timestamp("2025-04-30")]


def test_whoever_was_silent_before_cannot_leave_and_a_refund_is_no_purchase():
    rows = rows_of(["2025-01-01", "2025-01-20", "2025-06-01"]) + rows_of(["2024-01-01"], "gone")
    rows += [*rows_of(["2025-01-25"], "bob"), ("bob", "2025-02-10", -5.0), *rows_of(["2025-06-30"], "new")]
    labels = churn.labels_by_silence(orders_of(rows), cutoff="2025-01-31", horizon="150 days")
    assert labels["left"].to_dict() == {"ann": False, "bob": True}
    wider = churn.labels_by_silence(orders_of(rows), cutoff="2025-01-31", horizon="150 days", active_within="2 years")
    assert wider["left"].to_dict() == {"ann": False, "bob": True, "gone": True}


def test_a_horizon_in_the_wrong_unit_is_found_out():
    """26 days instead of 26 weeks, where customers come every two months."""
    rows = [row for who in "abc" for row in rows_of(pd.date_range("2024-01-01", "2026-03-31", freq="61D"), who)]
    with pytest.raises(InputError, match=r"26 days, shorter than the 61 days.*Is the unit right"):
        churn.labels_by_silence(orders_of(rows), cutoff="2025-06-30", horizon="26 days")
    assert len(churn.labels_by_silence(orders_of(rows), cutoff="2025-06-30", horizon="26 weeks")) == 3


def test_a_window_longer_than_the_data_and_one_before_them_are_refused():
    orders = orders_of(rows_of(["2025-01-01", "2025-03-01", "2025-05-01"]))
    with pytest.raises(InputError, match="but the data end on 2025-05-01"):
        churn.labels_by_silence(orders, cutoff="2025-03-01", horizon="12 months")
    with pytest.raises(InputError, match="nobody bought between"):
        churn.labels_by_silence(orders, cutoff="2024-06-30", horizon="3 months")
    with pytest.raises(KindError, match="checked transactions"):
        churn.labels_by_silence(pd.DataFrame(), cutoff="2025-01-01", horizon="3 months")


def test_one_customer_gets_a_label():
    labels = churn.labels_by_silence(
        orders_of(rows_of(["2024-12-31", "2025-12-31"])), cutoff="2024-12-31", horizon="12 months"
    )
    assert labels["left"].to_dict() == {"ann": False}


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_the_longer_the_silence_the_fewer_are_lost(seed):
    """Nested windows: the rate can only fall, and whoever came back after a short one was silent in it."""
    random = np.random.default_rng(seed)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 700, 80), unit="D")
    frame = pd.DataFrame({"customer_id": random.integers(0, 15, 80), "ordered_at": days, "amount": 1.0})
    last = pd.DataFrame({"customer_id": [99], "ordered_at": [pd.Timestamp("2025-12-31")], "amount": [1.0]})
    orders = Transactions.read(pd.concat([frame, last]))
    table = churn.by_horizon(orders, cutoff="2025-01-01", horizons=["30 days", "3 months", "6 months", "11 months"])
    assert table["silent"].is_monotonic_decreasing
    assert table["share_back"].notna().equals(table["silent"] > 0)  # 30 days were left after the longest
    whole = churn.by_horizon(orders, cutoff="2025-01-01", horizons=["364 days"])
    assert whole["share_back"].isna().all(), "nobody could be seen to come back after the last day"
    assert table["customers"].nunique() == 1
    assert (table["back_later"] <= table["silent"]).all()
    assert (table["silent"] - table["back_later"]).nunique() == 1  # those who never came back, whatever we call it
    assert table["low"].le(table["rate"]).all()
    assert table["high"].ge(table["rate"]).all()


def test_horizons_are_refused_where_the_data_end():
    orders = orders_of(rows_of(["2025-01-01", "2025-03-01", "2025-05-01"]))
    with pytest.raises(InputError, match="data end on 2025-05-01"):
        churn.by_horizon(orders, cutoff="2025-03-01", horizons=["30 days", "90 days"])
    with pytest.raises(InputError, match="horizons is empty"):
        churn.by_horizon(orders, cutoff="2025-03-01", horizons=[])


# --- rhythm -----------------------------------------------------------------------------------------------------------


def test_rhythm_is_against_each_customers_own_habit():
    rows = rows_of(["2025-01-01", "2025-01-08", "2025-01-15", "2025-02-05"]) + rows_of(
        ["2024-06-01", "2025-01-05"], "rare"
    )
    table = churn.rhythm(orders_of(rows), as_of="2025-02-19")
    assert table.loc["ann"].to_list() == [4, 7, 21, 14, 2]
    assert table.loc["rare", ["purchases", "days_since"]].to_list() == [2, 45]
    assert np.isnan(table.loc["rare", "times_late"])  # one gap is no habit
    assert churn.rhythm(orders_of(rows), as_of="2025-01-10").loc["ann", "purchases"] == 2
    with pytest.raises(InputError, match="before the first purchase"):
        churn.rhythm(orders_of(rows), as_of="2024-01-01")


# --- reasons ----------------------------------------------------------------------------------------------------------


def test_reasons_are_ordered_and_the_unknown_is_told():
    gone = pd.DataFrame({"reason": ["Price", "price ", "quality", None, "None given", "", "price", "delivery"]})
    table = churn.reasons(gone)
    assert table["reason"].to_list() == ["price", "delivery", "quality"]
    assert table["customers"].to_list() == [3, 1, 1]
    assert table["cumulative"].iloc[-1] == pytest.approx(1)
    assert table["share_of_all"].sum() == pytest.approx(5 / 8)
    assert (table.attrs["unknown"], table.attrs["share_unknown"]) == (3, 3 / 8)
    assert "need not be what caused it" in table.attrs["warning"]
    merged = churn.reasons(gone, names={"delivery": "service", "quality": "service"})
    assert merged.set_index("reason")["customers"].to_dict() == {"price": 3, "service": 2}


def test_without_a_single_reason_there_is_no_table():
    with pytest.raises(InputError, match="none of 2 rows names a reason"):
        churn.reasons(pd.DataFrame({"reason": [None, "unknown"]}))
    with pytest.raises(ColumnError, match="Did you mean 'reason'"):
        churn.reasons(pd.DataFrame({"reason": ["price"]}), reason="reasons")
