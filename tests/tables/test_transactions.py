"""One table from any source: the same rows give the same table, whatever holds them."""

import datetime
import importlib.util
from decimal import Decimal
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import polars
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.errors import ColumnError, InputError, KindError
from crmkit.tables import Transactions

NAMED = {"customer_id": "member_no", "ordered_at": "paid_at", "amount": "total"}


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "member_no": [7, 7, 9, 9],
            "paid_at": pd.to_datetime(["2026-01-01 10:00", "2026-03-01 00:00", "2026-02-01 00:00", "2026-02-01 00:00"]),
            "total": [10.25, 5.0, 3.1, 3.1],
            "shelf": ["tea", "tea", "jam", "tea"],
        }
    )


def rows(transactions: Transactions) -> list[tuple]:
    """The table as sorted tuples."""
    return sorted(tuple(row.values()) for row in transactions.table.to_pyarrow().to_pylist())


class TestSources:
    def expected(self) -> list[tuple]:
        stamp, day = datetime.datetime, datetime.date
        return [
            (7, stamp(2026, 1, 1, 10), day(2026, 1, 1), Decimal("10.25")),
            (7, stamp(2026, 3, 1), day(2026, 3, 1), Decimal("5.00")),
            (9, stamp(2026, 2, 1), day(2026, 2, 1), Decimal("3.10")),
            (9, stamp(2026, 2, 1), day(2026, 2, 1), Decimal("3.10")),
        ]

    @pytest.mark.parametrize(
        "kind", ["pandas", "polars", "lazy polars", "pyarrow", "csv", "parquet", "excel", "duckdb", "memtable", "gzip"]
    )
    def test_every_source_gives_the_same_table(self, frame, kind, tmp_path):
        if kind == "pandas":
            source = frame
        elif kind == "polars":
            source = polars.from_pandas(frame)
        elif kind == "lazy polars":
            source = polars.from_pandas(frame).lazy()
        elif kind == "pyarrow":
            source = pyarrow.Table.from_pandas(frame)
        elif kind == "duckdb":
            source = ibis.duckdb.connect().create_table("orders", frame)
        elif kind == "memtable":
            source = ibis.memtable(frame)
        else:
            ending = {"csv": "csv", "parquet": "parquet", "excel": "xlsx", "gzip": "csv.gz"}[kind]
            source = tmp_path / f"orders.{ending}"
            write = {"parquet": frame.to_parquet, "excel": frame.to_excel}.get(kind, frame.to_csv)
            write(source, index=False)
        orders = Transactions.read(source, **NAMED)
        assert rows(orders) == self.expected()
        assert orders.table.columns == ("customer_id", "ordered_at", "day", "amount")
        assert orders.ledger.reconciles()
        assert orders.name == ("orders" if kind in ("csv", "parquet", "excel", "gzip", "duckdb") else "transactions")

    def test_the_source_is_not_changed_and_later_changes_of_it_do_not_matter(self, frame):
        before = frame.copy()
        orders = Transactions.read(frame, **NAMED)
        pd.testing.assert_frame_equal(frame, before)
        frame["total"] = 0.0
        frame.loc[0, "member_no"] = 1000
        assert rows(orders) == self.expected()

    def test_split_files_are_one_table(self, frame, tmp_path):
        frame[:1].to_parquet(tmp_path / "o-1.parquet")
        frame[1:].to_parquet(tmp_path / "o-2.parquet")
        frame[:3].to_csv(tmp_path / "o-1.csv", index=False)
        frame[3:].to_csv(tmp_path / "o-2.csv", index=False)
        for pattern in ("o-*.parquet", "o-*.csv"):
            orders = Transactions.read(tmp_path / pattern, **NAMED)
            assert rows(orders) == self.expected()
            assert orders.ledger.rows_read == 4
            assert orders.ledger.rows("kept").to_pyarrow()["source_file"].to_pylist()

    def test_sqlite_is_refused_because_it_answers_wrongly(self, tmp_path):
        table = ibis.sqlite.connect(tmp_path / "o.db").create_table(
            "orders", ibis.memtable({"customer_id": [1]}).to_pyarrow()
        )
        with pytest.raises(InputError, match="SQLite"):
            Transactions.read(table)

    @pytest.mark.parametrize("source", [None, 5, {"customer_id": [1]}, [1], pd.Series([1]), np.zeros(3), object()])
    def test_what_is_no_table_is_refused(self, source):
        with pytest.raises(KindError, match="source must be"):
            Transactions.read(source)

    def test_texts_on_another_engine_are_cast_there(self, frame):
        table = ibis.duckdb.connect().create_table("orders", frame.assign(paid_at="2026-01-01"))
        with pytest.raises(InputError, match=r"ordered_at: the column holds string.*cast\('timestamp'\)"):
            Transactions.read(table, **NAMED)


class TestColumns:
    def test_optional_roles_follow_in_a_fixed_order(self, frame):
        orders = Transactions.read(frame.assign(order_id=[1, 2, 3, 4]), **NAMED, category="shelf")
        assert orders.table.columns == ("customer_id", "ordered_at", "day", "amount", "order_id", "category")
        assert orders.roles == {**NAMED, "order_id": "order_id", "category": "shelf"}

    def test_numbers_of_customers_read_as_floats_become_whole(self):
        frame = pd.DataFrame(
            {"customer_id": [123.0, np.nan], "ordered_at": pd.to_datetime(["2026-01-01"] * 2), "amount": 1}
        )
        orders = Transactions.read(frame)
        assert orders.table.customer_id.to_pyarrow().to_pylist() == [123]
        assert orders.ledger.table.reason.tolist() == ["", "no customer"]

    def test_fractions_name_nobody(self):
        frame = pd.DataFrame({"customer_id": [1.5, 2.0], "ordered_at": pd.to_datetime(["2026-01-01"] * 2), "amount": 1})
        with pytest.raises(InputError, match=r"customer_id: 1 values are no whole numbers, .* such as 1\.5"):
            Transactions.read(frame)

    def test_numbers_too_large_for_a_float_have_lost_their_last_digits(self):
        frame = pd.DataFrame({"customer_id": [1e17], "ordered_at": pd.to_datetime(["2026-01-01"]), "amount": 1})
        with pytest.raises(InputError, match="too large for one, such as 1e\\+17"):
            Transactions.read(frame)

    def test_padded_texts_and_texts_of_floats_are_cleaned_and_flagged(self):
        frame = pd.DataFrame(
            {"customer_id": [" A1", "A1", "123.0", "\u3000123", "7.05"], "ordered_at": "2026-01-01", "amount": 1}
        )
        orders = Transactions.read(frame)
        assert sorted(orders.table.customer_id.to_pyarrow().to_pylist()) == ["123", "123", "7.05", "A1", "A1"]
        flagged = orders.ledger.rows("customer_id cleaned").to_pyarrow().to_pylist()
        assert sorted((row["customer_id_text"], row["source_row"]) for row in flagged) == [
            (" A1", 1),
            ("123.0", 3),
            ("\u3000123", 4),
        ]

    def test_in_a_text_file_whole_numbers_are_numbers_and_leading_zeros_are_kept(self, tmp_path):
        file = tmp_path / "o.csv"
        file.write_text(
            "customer_id,ordered_at,amount,store_id\n 7,2026-01-01,1,001\n8.0,2026-01-01,1,002\nTotal,,2,\n"
        )
        orders = Transactions.read(file)
        assert [row[0] for row in rows(orders)] == [7, 8]
        assert orders.table.store_id.to_pyarrow().to_pylist() == ["001", "002"]
        assert orders.ledger.rows("no customer").to_pyarrow()["customer_id_text"].to_pylist() == ["Total"]

    @pytest.mark.parametrize("column", [[True, False], pd.to_datetime(["2026-01-01"] * 2)])
    def test_a_column_that_names_nobody(self, column):
        frame = pd.DataFrame({"customer_id": column, "ordered_at": "2026-01-01", "amount": 1})
        with pytest.raises(InputError, match="customer_id: the column holds"):
            Transactions.read(frame)

    @pytest.mark.parametrize(
        ("amounts", "scale"),
        [
            ([1, 2], 2),
            ([1.5, 2.25], 2),
            ([0.125, 1.0], 3),
            ([0.1 + 0.2, 2.0], 2),
            ([1 / 3, 1], 6),
            ([Decimal("1.2345"), Decimal(2)], 4),
        ],
    )
    def test_the_scale_of_money_comes_from_the_data(self, amounts, scale):
        frame = pd.DataFrame(
            {"customer_id": [1, 2], "ordered_at": pd.to_datetime(["2026-01-01"] * 2), "amount": amounts}
        )
        orders = Transactions.read(frame)
        kind = orders.table.amount.type()
        assert (kind.precision, kind.scale, orders.scale) == (18, scale, scale)
        assert orders.ledger.reconciles()

    def test_an_amount_must_be_a_number(self, frame):
        with pytest.raises(InputError, match="amount: the column holds boolean"):
            Transactions.read(frame.assign(total=True), **NAMED)


class TestCurrency:
    def test_two_currencies_cannot_be_added(self, frame):
        with pytest.raises(InputError, match=r"2 currencies: 'EUR' \(3 rows\), 'USD' \(1 rows\).*keep the rows of one"):
            Transactions.read(frame.assign(code=["EUR", "EUR", "eur ", "USD"]), **NAMED, currency="code")

    def test_one_currency_is_known(self, frame):
        assert Transactions.read(frame.assign(code="eur"), **NAMED, currency="code").currency == "EUR"
        assert Transactions.read(frame, **NAMED, currency="EUR").currency == "EUR"

    def test_a_named_currency_must_not_contradict_the_column(self, frame):
        frame = frame.assign(currency="USD").astype({"total": str})
        assert Transactions.read(frame, **NAMED).currency == "USD"
        with pytest.raises(ColumnError, match="has no column 'euros'"):
            Transactions.read(frame, **NAMED, currency="euros")
        with pytest.raises(InputError, match="'EUR' was named, but the column says 'USD' in 4 rows"):
            Transactions.read(frame, **NAMED, currency="EUR")


class TestTimeZones:
    def test_a_day_is_a_day_of_the_named_time_zone(self):
        late = pd.DataFrame({"customer_id": [1], "ordered_at": pd.to_datetime(["2026-01-01 03:00"]), "amount": [1]})
        aware = late.assign(ordered_at=late.ordered_at.dt.tz_localize("UTC"))
        new_york = datetime.date(2025, 12, 31)
        assert Transactions.read(aware, time_zone="America/New_York").last_day == new_york
        assert Transactions.read(late, time_zone="America/New_York", stored_in="UTC").last_day == new_york
        assert Transactions.read(late, time_zone="America/New_York").last_day == datetime.date(2026, 1, 1)
        assert Transactions.read(late, time_zone="America/New_York").time_zone == "America/New_York"

    def test_a_frame_that_knows_its_zone_keeps_it(self):
        stamps = pd.to_datetime(["2026-01-01 23:00"]).tz_localize("America/New_York")
        orders = Transactions.read(pd.DataFrame({"customer_id": [1], "ordered_at": stamps, "amount": [1]}))
        assert (orders.time_zone, orders.last_day) == ("America/New_York", datetime.date(2026, 1, 1))

    def test_utc_is_kept_with_a_note(self):
        stamps = pd.to_datetime(["2026-01-01 23:00"], utc=True)
        orders = Transactions.read(pd.DataFrame({"customer_id": [1], "ordered_at": stamps, "amount": [1]}))
        assert orders.time_zone == "UTC"
        assert any("name time_zone=" in note for note in orders.ledger.notes)

    def test_values_with_and_without_a_zone_in_one_column_are_refused(self):
        mixed = [pd.Timestamp("2026-01-01", tz="UTC"), pd.Timestamp("2026-01-02")]
        frame = pd.DataFrame({"customer_id": [1, 2], "ordered_at": pd.Series(mixed, dtype=object), "amount": [1, 2]})
        with pytest.raises(InputError, match="1 texts of column 'ordered_at' name a time zone and 1 do not"):
            Transactions.read(frame)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"time_zone": "Europe/Berln"}, "Did you mean 'Europe/Berlin'"),
            ({"stored_in": "UTC"}, "needs time_zone= too"),
            ({"decimal": ";"}, "decimal=';' must be one of '.', ','"),
            ({"date_order": "us"}, "must be one of 'ymd', 'dmy', 'mdy'"),
            ({"duplicates": "keep"}, "must be one of 'flag', 'drop'"),
            ({"latest": "soon"}, "latest='soon' is not a day"),
        ],
    )
    def test_options_that_make_no_sense(self, frame, options, message):
        with pytest.raises(InputError, match=message):
            Transactions.read(frame, **NAMED, **options)


class TestCalendar:
    def test_days_that_python_does_not_know_are_set_aside(self):
        """Engines know days before the year 1 and after 9999, and infinity."""
        sql = "SELECT 1 AS customer_id, 5 AS amount, unnest([{}]) AS ordered_at".format(
            ", ".join(f"TIMESTAMP '{day}'" for day in ("0044-03-15 (BC)", "2026-01-01", "infinity", "29000-01-01"))
        )
        connection = ibis.duckdb.connect()
        connection.raw_sql(f"CREATE TABLE transactions AS {sql}")
        orders = Transactions.read(connection.table("transactions"))
        assert orders.first_day == orders.last_day == datetime.date(2026, 1, 1)
        assert orders.ledger.table[["reason", "rows"]].values.tolist() == [["", 1], ["date outside the calendar", 3]]
        assert repr(orders) == "<Transactions transactions: 4 rows read; not all were kept: date outside the calendar>"


class TestCuts:
    def test_days_are_included_at_both_ends(self, frame):
        orders = Transactions.read(frame, **NAMED)
        assert (orders.first_day, orders.last_day) == (datetime.date(2026, 1, 1), datetime.date(2026, 3, 1))
        assert orders.until("2026-02-01").table.count().to_pyarrow().as_py() == 3
        assert orders.between("2026-02-01", "2026-03-01").first_day == datetime.date(2026, 2, 1)
        assert orders.between(datetime.date(2026, 2, 1), datetime.date(2026, 2, 1)).last_day == datetime.date(
            2026, 2, 1
        )
        assert orders.until("2026-02-01").until("2026-01-15").last_day == datetime.date(2026, 1, 1)
        assert orders.last_day == datetime.date(2026, 3, 1)

    def test_where_keeps_values_of_a_role(self, frame):
        orders = Transactions.read(frame, **NAMED, category="shelf")
        assert orders.where("category", "jam").table.count().to_pyarrow().as_py() == 1
        assert orders.where("category", ["jam", "tea"]).table.count().to_pyarrow().as_py() == 4
        assert orders.where("customer_id", [7]).last_day == datetime.date(2026, 3, 1)
        with pytest.raises(InputError, match=r"no row has category 'jan'\. Did you mean 'jam'"):
            orders.where("category", "jan")
        with pytest.raises(InputError, match=r"no role 'categry' here\. Did you mean 'category'"):
            orders.where("categry", "jam")
        with pytest.raises(InputError, match="customer_id holds int64 values, not 'x'"):
            orders.where("customer_id", "x")

    def test_an_empty_cut_says_so(self, frame):
        orders = Transactions.read(frame, **NAMED)
        with pytest.raises(InputError, match="no row left"):
            _ = orders.until("2020-01-01").last_day
        with pytest.raises(InputError, match="swap them"):
            orders.between("2026-03-01", "2026-01-01")


class TestPublishedTables:
    """Counts and sums of field-notes' sources, read with the defaults: nothing real is lost."""

    def test_cdnow_master(self):
        """lifetimes ships CDNOW_master.txt: 69,659 rows of 23,570 customers (Fader & Hardie 2001), 255 exact repeats."""
        folder = Path(importlib.util.find_spec("lifetimes").origin).parent  # importing it would cost seconds
        master = pd.read_csv(
            folder / "datasets" / "CDNOW_master.txt",
            sep=r"\s+",
            header=0,
            names=["customer_id", "ordered_at", "cds", "amount"],
        )
        orders = Transactions.read(master)
        ledger = orders.ledger.table.set_index("reason")
        assert ledger.rows.to_dict() == {"": 69_659, "exact repeat": 255, "zero amount": 80}
        assert ledger.money[""] == Decimal(str(round(master.amount.sum(), 2)))
        assert (orders.first_day, orders.last_day) == (datetime.date(1997, 1, 1), datetime.date(1998, 6, 30))
        assert orders.table.customer_id.nunique().to_pyarrow().as_py() == 23_570


LINES = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", " b", "c", "", None, "12.0"]),
        st.one_of(
            st.none(),
            st.dates(datetime.date(2024, 1, 1), datetime.date(2024, 3, 1)),
            st.just(datetime.date(2099, 1, 1)),
        ),
        st.one_of(
            st.none(),
            st.sampled_from([float("inf"), float("nan"), 0.0]),
            st.integers(-3000, 9000).map(lambda n: n / 100),
        ),
        st.integers(1, 12),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=12, deadline=None)
@given(lines=LINES, chance=st.randoms(), options=st.sampled_from([{}, {"duplicates": "drop"}, {"line_id": "n"}]))
def test_the_order_of_rows_does_not_matter_and_every_ledger_reconciles(lines, chance, options):
    def read(some: list[tuple]) -> tuple | str:
        columns = dict(
            zip(("customer_id", "ordered_at", "amount", "n"), map(list, zip(*some, strict=True)), strict=True)
        )
        frame = pyarrow.table(
            columns,
            schema=pyarrow.schema(
                {
                    "customer_id": pyarrow.string(),
                    "ordered_at": pyarrow.date32(),
                    "amount": pyarrow.float64(),
                    "n": pyarrow.int64(),
                }
            ),
        )
        try:
            orders = Transactions.read(frame, **options)
        except InputError as error:
            return str(error)
        assert orders.ledger.reconciles()
        assert orders.ledger.rows_read == len(some)
        for entry in orders.ledger.table.itertuples():
            assert orders.ledger.rows(entry.reason or "kept").count().to_pyarrow().as_py() == entry.rows
        kept = orders.ledger.table.money[0]
        assert (orders.table.amount.sum().to_pyarrow().as_py() or 0) == kept
        return rows(orders), orders.ledger.table.to_dict("records")

    shuffled = list(lines)
    chance.shuffle(shuffled)
    assert read(lines) == read(shuffled)
