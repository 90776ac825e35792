"""Exports: complete, safe to open, and honest about what they hold."""

import csv
from decimal import Decimal

import openpyxl
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.report import export

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def read_back(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_a_csv_opens_in_excel_with_chinese_and_without_formulas(tmp_path):
    frame = pd.DataFrame(
        {
            "=name": ["=1+1", "张伟", 'say "hi", twice\nplease', "-3"],
            "money": [Decimal("1.10"), Decimal("-2.00"), None, Decimal("0.00")],
            "day": pd.to_datetime(["2026-01-31", "2026-02-01", None, "2026-02-03"]),
            "segment": pd.Categorical(["@a", "b", "b", "@a"]),
        }
    )
    export.write_csv(frame, tmp_path / "list.csv")
    assert (tmp_path / "list.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert read_back(tmp_path / "list.csv") == [
        ["'=name", "money", "day", "segment"],
        ["'=1+1", "1.10", "2026-01-31", "'@a"],
        ["张伟", "-2.00", "2026-02-01", "b"],
        ['say "hi", twice\nplease', "", "", "b"],
        ["'-3", "0.00", "2026-02-03", "'@a"],
    ]


def test_a_csv_is_complete_over_several_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "_CHUNK", 7)
    frame = pd.DataFrame({"customer_id": [f"c{number}" for number in range(50)], "spend": range(50)})
    export.write_csv(frame, tmp_path / "all.csv")
    assert read_back(tmp_path / "all.csv") == [["customer_id", "spend"], *([f"c{n}", str(n)] for n in range(50))]


def test_an_empty_table_still_has_its_header(tmp_path):
    export.write_csv(
        pd.DataFrame({"customer_id": pd.Series(dtype="str"), "spend": pd.Series(dtype=float)}), tmp_path / "e.csv"
    )
    assert read_back(tmp_path / "e.csv") == [["customer_id", "spend"]]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=5))
def test_no_text_whatever_starts_a_formula(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("any")
    frame = pd.DataFrame({"text": texts}, dtype=object)
    export.write_excel(path / "any.xlsx", {"What": "test"}, {"Texts": frame})
    sheet = openpyxl.load_workbook(path / "any.xlsx")["Texts"]
    assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)
    for cell in next(sheet.iter_cols(min_row=2)):
        assert not str(cell.value or "").lstrip(" ").startswith(FORMULA_STARTS)


def test_excel_says_on_its_first_sheet_what_it_holds(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "EXCEL_ROWS", 10)
    frame = pd.DataFrame({"customer_id": [f"c{n}" for n in range(25)], "value": [n / 4 for n in range(25)]})
    export.write_excel(
        tmp_path / "list.xlsx", {"What this is": "a test"}, {"Action list": frame, "Short": frame.head(3)}
    )
    book = openpyxl.load_workbook(tmp_path / "list.xlsx")
    assert book.sheetnames == ["Read me", "Action list", "Short"]
    told = {row[0].value: row[1].value for row in book["Read me"].iter_rows()}
    assert told["What this is"] == "a test"
    assert told["Sheet 'Action list'"] == "10 rows: the first 10 of 25; the CSV has them all."
    assert told["Sheet 'Short'"] == "3 rows: all of them."
    assert book["Action list"].max_row == 11
    assert book["Action list"]["B5"].value == 0.75


def test_a_workbook_takes_what_spreadsheets_cannot_hold(tmp_path):
    frame = pd.DataFrame(
        {
            "text": ["bell \x07", None],
            "number": [float("inf"), float("nan")],
            "day": [pd.NaT, pd.Timestamp("2026-02-03")],
        }
    )
    export.write_excel(tmp_path / "odd.xlsx", {}, {"Odd": frame})
    rows = list(openpyxl.load_workbook(tmp_path / "odd.xlsx")["Odd"].iter_rows(min_row=2, values_only=True))
    assert rows[0] == ("bell ", None, None)
    assert rows[1][2].date().isoformat() == "2026-02-03"
