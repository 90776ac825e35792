"""Paths, Parquet, Excel and frames: what is wrong is said in a sentence, never in a traceback of a library."""

import datetime

import pandas as pd
import pytest

from crmkit.errors import InputError
from crmkit.tables import Transactions

FRAME = pd.DataFrame(
    {"customer_id": [1, 2], "ordered_at": pd.to_datetime(["2026-01-01", "2026-01-03"]), "amount": [1.5, 2.0]}
)


class TestPaths:
    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("ordres.csv", r"there is no file .*ordres\.csv'\. Did you mean 'orders\.csv'"),
            ("nowhere/orders.csv", "The folder .*nowhere' is not there either"),
            ("", r"is a folder; name a file in it, or all of one kind, such as .*\*\.csv"),
            ("no-*.csv", "no file matches"),
            ("orders.json", r"ends in '\.json', which crmkit cannot read; save it as CSV, Excel \(\.xlsx\) or Parquet"),
            ("orders.xls", r"ends in '\.xls'"),
            ("orders", "ends in ''"),
        ],
    )
    def test_a_path_that_leads_nowhere(self, tmp_path, name, message):
        for existing in ("orders.csv", "orders.json", "orders.xls", "orders"):
            (tmp_path / existing).write_text("{}")
        with pytest.raises(InputError, match=message):
            Transactions.read(tmp_path / name)

    def test_addresses_are_not_fetched(self):
        with pytest.raises(InputError, match=r"fetches nothing\. Download it first"):
            Transactions.read("https://example.org/orders.csv")

    @pytest.mark.parametrize(
        ("name", "message"),
        [("o.parquet", "is not a whole Parquet file"), ("o.xlsx", "is not a whole Excel file")],
    )
    def test_broken_files(self, tmp_path, name, message):
        (tmp_path / name).write_bytes(b"PAR1 or PK, then nothing that makes sense" * 10)
        with pytest.raises(InputError, match=message):
            Transactions.read(tmp_path / name)

    def test_half_a_parquet_file(self, tmp_path):
        FRAME.to_parquet(tmp_path / "o.parquet")
        whole = (tmp_path / "o.parquet").read_bytes()
        (tmp_path / "o.parquet").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(InputError, match="is not a whole Parquet file"):
            Transactions.read(tmp_path / "o.parquet")


class TestParquet:
    def test_rows_stay_in_the_file_and_know_their_number(self, tmp_path):
        FRAME.assign(amount=[0.0, 2.0]).to_parquet(tmp_path / "o.parquet")
        orders = Transactions.read(tmp_path / "o.parquet")
        views = orders.connection.raw_sql("SELECT lower(sql) FROM duckdb_views() WHERE view_name = 'raw'").fetchall()
        assert "read_parquet" in views[0][0]
        assert orders.ledger.rows("zero amount").to_pyarrow()["source_row"].to_pylist() == [1]

    def test_texts_in_it_are_parsed(self, tmp_path):
        texts = FRAME.assign(ordered_at=["31.01.2026", "01.02.2026"], amount=["1.000,00", "2,00"])
        texts.to_parquet(tmp_path / "o.parquet")
        assert Transactions.read(tmp_path / "o.parquet").first_day == datetime.date(2026, 1, 31)

    def test_nanoseconds(self, tmp_path):
        FRAME.astype({"ordered_at": "datetime64[ns]"}).to_parquet(tmp_path / "o.parquet")
        orders = Transactions.read(tmp_path / "o.parquet", time_zone="Asia/Tokyo", stored_in="UTC")
        assert orders.first_day == datetime.date(2026, 1, 1)
        assert orders.table.ordered_at.min().to_pyarrow().as_py() == datetime.datetime(2026, 1, 1, 9)


class TestExcel:
    def test_sheets_are_named(self, tmp_path):
        with pd.ExcelWriter(tmp_path / "o.xlsx") as book:
            FRAME.to_excel(book, sheet_name="shop", index=False)
            FRAME[:1].to_excel(book, sheet_name="web", index=False)
            pd.DataFrame().to_excel(book, sheet_name="empty", index=False)
        with pytest.raises(InputError, match="has 2 sheets: 'shop', 'web'; name one, such as sheet='shop'"):
            Transactions.read(tmp_path / "o.xlsx")
        with pytest.raises(InputError, match=r"has no sheet 'wab'\. Did you mean 'web'"):
            Transactions.read(tmp_path / "o.xlsx", sheet="wab")
        assert Transactions.read(tmp_path / "o.xlsx", sheet="web").ledger.rows_read == 1

    def test_an_empty_book(self, tmp_path):
        pd.DataFrame().to_excel(tmp_path / "o.xlsx", index=False)
        with pytest.raises(InputError, match="all its sheets are empty"):
            Transactions.read(tmp_path / "o.xlsx")

    def test_day_numbers_and_cells_of_several_kinds(self, tmp_path):
        """Excel's day 45322 is 2024-01-31."""
        FRAME.assign(ordered_at=[45322, 45323.5], customer_id=["A1", 7]).to_excel(tmp_path / "o.xlsx", index=False)
        orders = Transactions.read(tmp_path / "o.xlsx")
        table = orders.table.order_by("day").to_pyarrow()
        assert table["ordered_at"].to_pylist() == [datetime.datetime(2024, 1, 31), datetime.datetime(2024, 2, 1, 12)]
        assert table["customer_id"].to_pylist() == ["A1", "7"]
        assert "ordered_at: read as Excel day numbers." in orders.ledger.notes


class TestFrames:
    def test_duplicate_and_deep_column_names(self):
        with pytest.raises(InputError, match="2 columns called 'amount'"):
            Transactions.read(pd.concat([FRAME, FRAME[["amount"]]], axis=1))
        with pytest.raises(InputError, match="column names of several levels"):
            Transactions.read(pd.concat({"a": FRAME}, axis=1))

    def test_a_role_in_the_index(self):
        with pytest.raises(InputError, match=r"without its index 'customer_id': reset_index\(\) makes it a column"):
            Transactions.read(FRAME.set_index("customer_id"))

    def test_no_rows_and_empty_columns(self):
        with pytest.raises(InputError, match="has no rows"):
            Transactions.read(FRAME[:0])
        with pytest.raises(InputError, match="none of 2 rows can be used; reasons: no customer"):
            Transactions.read(FRAME.assign(customer_id=None))

    def test_categories_and_objects(self):
        days = [datetime.date(2026, 1, 1), None]
        frame = FRAME.assign(customer_id=pd.Categorical(["a", "b"]), ordered_at=days).astype({"amount": object})
        orders = Transactions.read(frame)
        assert orders.table.customer_id.to_pyarrow().to_pylist() == ["a"]
        assert orders.ledger.table.reason.tolist() == ["", "no date"]
