"""Dates in text: all rows decide the format; where they do not, the person is asked."""

import datetime

import numpy as np
import pandas as pd
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.errors import InputError
from crmkit.tables import Transactions
from crmkit.tables.dates import Reading, read_texts
from crmkit.tables.engines import embedded


@pytest.fixture(scope="module")
def connection():
    return embedded()


def read(connection, texts: list, **options) -> tuple[list, Reading]:
    table = pyarrow.table({"text": pyarrow.array(texts, pyarrow.string())})
    connection.create_table("t", table, temp=True, overwrite=True)
    options = {"date_order": None, "time_zone": None, **options}
    reading = read_texts(connection, "t", "text", column="day", **options)
    values = connection.raw_sql(f"SELECT CAST({reading.sql} AS TIMESTAMP) FROM t").fetchall()
    return [value for (value,) in values], reading


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31", "2026-01-31"),
        ("2026/1/31", "2026-01-31"),
        ("2026.01.31 23:59", "2026-01-31 23:59"),
        ("20260131", "2026-01-31"),
        ("20260131235958", "2026-01-31 23:59:58"),
        ("2026-01-31T23:59:58.123", "2026-01-31 23:59:58.123"),
        ("2026-01-31 23:59:58,5", "2026-01-31 23:59:58.500"),
        ("2026-01-31 23:59:58.123456789", "2026-01-31 23:59:58.123456"),
        ("31.1.2026", "2026-01-31"),
        ("31.01.26", "2026-01-31"),
        ("31/01/2026 7:05", "2026-01-31 07:05"),
        ("01/31/2026 7:05 PM", "2026-01-31 19:05"),
        ("1/31/26", "2026-01-31"),
        ("31-01-2026", "2026-01-31"),
        ("2026年1月31日", "2026-01-31"),
        ("2026年01月31日 08:30", "2026-01-31 08:30"),
        ("31-Jan-2026", "2026-01-31"),
        ("Jan 31, 2026", "2026-01-31"),
        ("46053", "2026-01-31"),
        ("46053.5", "2026-01-31 12:00"),
    ],
)
def test_shapes_that_people_use(connection, text, expected):
    values, reading = read(connection, [text, None])
    assert values == [datetime.datetime.fromisoformat(expected), None]
    assert reading.time_zone is None


@pytest.mark.parametrize(
    "text", ["2026-01-31T23:30:00Z", "2026-01-31 23:30 UTC", "2026-01-31T23:30+0000", "1769902200", "1769902200000"]
)
def test_texts_in_utc(connection, text):
    values, reading = read(connection, [text])
    assert values == [datetime.datetime(2026, 1, 31, 23, 30)]
    assert reading.time_zone == "UTC"


def test_one_offset_everywhere_keeps_its_clock_and_several_ask_for_a_zone(connection):
    values, reading = read(connection, ["2026-01-31T00:10:00+05:30", "2026-07-31T00:10:00+0530"])
    assert values == [datetime.datetime(2026, 1, 31, 0, 10), datetime.datetime(2026, 7, 31, 0, 10)]
    assert reading.time_zone == "UTC+05:30"
    berlin = ["2026-01-31T00:10:00+01:00", "2026-07-31T00:10:00+02:00"]
    with pytest.raises(
        InputError, match=r"several offsets: \+01:00 \(1 rows\), \+02:00 \(1 rows\)\. Name the time zone"
    ):
        read(connection, berlin)
    values, reading = read(connection, berlin, time_zone="Europe/Berlin")
    assert values == [datetime.datetime(2026, 1, 30, 23, 10), datetime.datetime(2026, 7, 30, 22, 10)]
    assert reading.time_zone == "UTC"


def test_texts_with_and_without_a_zone_are_refused(connection):
    message = "1 texts of column 'day' name a time zone and 2 do not, for example '2026-01-01T10:00Z' and '2026-01-02'"
    with pytest.raises(InputError, match=message):
        read(connection, ["2026-01-01T10:00Z", "2026-01-02", "2026-01-03"])


class TestOrder:
    def test_all_rows_decide_not_the_first(self, connection):
        values, reading = read(connection, ["01/02/2026", "02/01/2026", "25/12/2025"])
        assert values[0] == datetime.datetime(2026, 2, 1)
        assert reading.notes == ["ordered_at: numbers are day, month, year, the only order that fits."]

    def test_if_both_orders_fit_the_person_is_asked(self, connection):
        message = r"all 2 dates of column 'day', such as '01/02/2026', .* more than one order.*date_order='dmy'.*'mdy'"
        with pytest.raises(InputError, match=message):
            read(connection, ["01/02/2026", "02/01/2026"])
        assert read(connection, ["01/02/2026"], date_order="mdy")[0] == [datetime.datetime(2026, 1, 2)]
        assert read(connection, ["01/02/2026"], date_order="dmy")[0] == [datetime.datetime(2026, 2, 1)]

    def test_if_rows_contradict_both_sides_are_shown(self, connection):
        message = (
            r"contradict.*Of 3 dates, dmy .* fits 2, and only so '25/12/2025'; mdy .* fits 2, and only so '12/26/2025'"
        )
        with pytest.raises(InputError, match=message):
            read(connection, ["25/12/2025", "12/26/2025", "01/02/2026"])

    def test_short_years_may_stand_in_front(self, connection):
        with pytest.raises(InputError, match="more than one order"):
            read(connection, ["05-06-07"])
        values, _ = read(connection, ["05-06-27", "05-06-30"], date_order="ymd")
        assert values[0] == datetime.datetime(2005, 6, 27)

    def test_eight_digits_are_no_day_of_the_year_1012(self, connection):
        assert read(connection, ["20121011"])[0] == [datetime.datetime(2012, 10, 11)]

    def test_dates_without_a_doubt_do_not_decide_for_the_others(self, connection):
        values, _ = read(connection, ["2026-01-05", "31/01/2026", "6.1.2026"])
        assert [value.day for value in values] == [5, 31, 6]
        with pytest.raises(InputError, match="all 1 dates"):
            read(connection, ["2026-01-05", "01/02/2026", "6.1.2026"])

    @settings(max_examples=15, deadline=None)
    @given(
        days=st.lists(st.dates(datetime.date(1990, 1, 1), datetime.date(2060, 1, 1)), min_size=1),
        shape=st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", "%Y%m%d", "%Y-%m-%d"]),
    )
    def test_either_the_right_dates_or_a_question(self, connection, days, shape):
        texts = [day.strftime(shape) for day in days]
        if "/" in shape and all(day.day <= 12 for day in days):
            with pytest.raises(InputError, match="more than one order"):
                read(connection, texts)
        else:
            assert [value.date() for value in read(connection, texts)[0]] == days


class TestBadDates:
    def test_one_percent_goes_to_the_ledger_more_is_refused(self, connection):
        good = ["2026-01-01"] * 297
        assert read(connection, [*good, "soon", "2026-02-30", "2026-13-01"])[0].count(None) == 3
        message = r"4 of 301 texts in column 'day' \(1\.3%\) cannot be read.*'soon' \(2\), '2026-02-30' \(1\)"
        with pytest.raises(InputError, match=message):
            read(connection, [*good, "soon", "soon", "2026-02-30", "2026-13-01"])

    def test_five_percent(self):
        days = ["2026-01-01"] * 95 + ["unknown"] * 5
        with pytest.raises(InputError, match=r"5 of 100 texts in column 'ordered_at' \(5\.0%\).*'unknown' \(5\)"):
            Transactions.read(pd.DataFrame({"customer_id": range(100), "ordered_at": days, "amount": 1}))

    def test_three_among_a_million(self):
        days = np.datetime64("2024-01-01") + np.arange(1_000_000) % 700
        texts = pyarrow.array(days).cast(pyarrow.string()).to_numpy(zero_copy_only=False)
        texts[[5, 500, 5000]] = ["soon", "31.31.2024", "2024-02-30"]
        columns = {"customer_id": np.arange(1_000_000), "ordered_at": texts, "amount": np.full(1_000_000, 1.25)}
        orders = Transactions.read(pyarrow.table(columns))
        assert orders.ledger.table.rows.tolist() == [999_997, 3]
        assert orders.ledger.reconciles()

    def test_a_few_numbers_among_dates_are_no_day_numbers(self, connection):
        assert read(connection, ["2026-01-01"] * 200 + ["46053"])[0][-1] is None

    def test_numbers_that_are_no_dates(self):
        frame = pd.DataFrame({"customer_id": [1], "ordered_at": [17], "amount": [1]})
        with pytest.raises(InputError, match=r"'17'.*name the right column"):
            Transactions.read(frame)
