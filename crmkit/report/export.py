"""Tables for other programs: a complete CSV, and an Excel workbook that says what it holds.

Both are safe to open: a text that would start a formula gets a leading apostrophe. The CSV is UTF-8 with a byte order
mark, without which Excel shows Chinese or accented names as noise.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from crmkit import escape

#: Rows of a sheet. Excel ends at 1,048,576; long before that it is no longer a tool for a list of people.
EXCEL_ROWS = 100_000
_CHUNK = 200_000


def write_csv(frame: pd.DataFrame, path: str | Path) -> None:
    """All rows and columns of `frame` (not its index), in chunks: memory does not grow with the table."""
    import pyarrow as pa
    import pyarrow.csv

    with Path(path).open("wb") as file:
        file.write(b"\xef\xbb\xbf")
        for start in range(0, max(len(frame), 1), _CHUNK):
            chunk = escape.cells(frame.iloc[start : start + _CHUNK])
            chunk.attrs = {}  # Arrow would try to keep them, and warn about those that are no JSON
            for column in chunk:
                chunk[column] = _plain(chunk[column])
            options = pa.csv.WriteOptions(include_header=start == 0)
            pa.csv.write_csv(pa.Table.from_pandas(chunk, preserve_index=False), file, options)


def write_excel(path: str | Path, about: Mapping[str, str], sheets: Mapping[str, pd.DataFrame]) -> None:
    """A workbook whose first sheet, "Read me", says what it holds; then one sheet a table.

    `about` is name and text of each line of the first sheet. A table longer than 100,000 rows is cut at its head, and
    the first sheet says so.
    """
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    readme = book.create_sheet("Read me")
    readme.column_dimensions["A"].width, readme.column_dimensions["B"].width = 28, 100

    def cell(sheet: Any, value: Any, *, bold: bool = False, wrap: bool = False) -> Any:
        made = WriteOnlyCell(sheet, _cell(value))
        made.font, made.alignment = Font(bold=bold), Alignment(wrap_text=wrap, vertical="top")
        return made

    lines = dict(about)
    for name, frame in sheets.items():
        held = min(len(frame), EXCEL_ROWS)
        whole = "all of them" if held == len(frame) else f"the first {held:,} of {len(frame):,}; the CSV has them all"
        lines[f"Sheet {name!r}"] = f"{held:,} rows: {whole}."
    for name, text in lines.items():
        readme.append([cell(readme, name, bold=True), cell(readme, text, wrap=True)])

    for name, frame in sheets.items():
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "A2"
        head = frame.head(EXCEL_ROWS)
        for number, column in enumerate(head, start=1):
            longest = head[column].head(200).astype("str").str.len().max() if len(head) else 0
            sheet.column_dimensions[get_column_letter(number)].width = min(max(longest, len(str(column))) + 3, 60)
        header = [cell(sheet, column, bold=True) for column in head]
        for made in header:
            made.fill = PatternFill("solid", fgColor="DDE5EE")
        sheet.append(header)
        for row in head.itertuples(index=False):
            sheet.append([_cell(value) for value in row])
        sheet.auto_filter.ref = f"A1:{get_column_letter(max(head.shape[1], 1))}{len(head) + 1}"
    book.save(path)


def _plain(values: pd.Series) -> pd.Series:
    """Days without a time of day, texts as text: what a reader of a CSV expects."""
    if values.dtype.kind == "M" and (values.dropna() == values.dropna().dt.normalize()).all():
        return values.dt.date
    return values


def _cell(value: Any) -> Any:
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if isinstance(value, str):
        return escape.cell(ILLEGAL_CHARACTERS_RE.sub("", value))
    if pd.isna(value) or value in (float("inf"), float("-inf")):
        return None
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    return value.item() if hasattr(value, "item") else value
