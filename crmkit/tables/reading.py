"""Opening what people have: files, frames and tables of an engine. Nothing is judged here.

A `Source` knows the names of its columns; `load` then fetches only those that play a role, under the
role's name.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crmkit.errors import InputError, KindError, near_misses
from crmkit.tables.delimited import TextFile, load_texts
from crmkit.tables.engines import embedded, first_line, identifier, literal, refuse_unsafe

SUFFIXES = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".parquet": "parquet", ".pq": "parquet", ".xlsx": "excel", ".xlsm": "excel"}  # fmt: skip
_EXCEL_ROWS = 1_048_576


@dataclass
class Loaded:
    """The columns that play a role, under the role's name, and `source_row` where rows have a number."""

    table: Any
    connection: Any
    own: bool  # a DuckDB of ours, in which texts can be parsed
    lazy: bool = False  # the rows still lie in the source
    untyped: bool = False  # everything is text, numbers too
    rejected: Any | None = None  # lines that are no rows: line, text
    rejected_rows: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass
class Source:
    name: str
    label: str
    columns: list[str]
    load: Callable[[dict[str, str]], Loaded]
    time_zones: dict[str, str] = field(default_factory=dict)  # of columns that say so themselves


def open_source(source: Any, *, sheet: Any, encoding: str | None, delimiter: str | None, wanted: list[str]) -> Source:
    """Whatever holds a table. `wanted` are the columns that were named, which helps to tell encodings apart."""
    if isinstance(source, str | Path):
        return _open_path(str(source), sheet, encoding, delimiter, wanted)
    if isinstance(source, bytes | dict | list | tuple | set) or source is None or isinstance(source, int | float):
        raise KindError(
            f"source must be the path of a file, a data frame or an Ibis table, not {type(source).__name__}; "
            "put the values into a pandas.DataFrame first."
        )
    module = type(source).__module__.partition(".")[0]
    if module == "pyspark":
        raise KindError(
            "source is a Spark frame; name it and pass it as an Ibis table, so that the work stays on Spark: "
            "frame.createOrReplaceTempView('orders'), then ibis.pyspark.connect(spark).table('orders')."
        )
    if module == "ibis":
        return _open_ibis(source)
    if module == "pandas" and hasattr(source, "columns"):
        return _open_pandas(source)
    if hasattr(source, "collect") and module == "polars":
        source = source.collect()
    if hasattr(source, "__arrow_c_stream__") and not hasattr(source, "to_frame"):
        import pyarrow

        return _open_arrow(pyarrow.table(source), "the table")
    raise KindError(
        f"source must be the path of a file, a data frame or an Ibis table, not {module}.{type(source).__name__}."
    )


# --- frames and engines ------------------------------------------------------------------------------------------


def _open_ibis(table: Any) -> Source:
    if not hasattr(table, "columns"):
        raise KindError(
            f"source must be an Ibis table, not an Ibis {type(table).__name__}; pass the table it belongs to."
        )
    backends, _ = table._find_backends()
    if not backends or backends[0].name == "polars":
        return _open_arrow(table.to_pyarrow(), "the table")
    refuse_unsafe(table)

    def load(mapping: dict[str, str]) -> Loaded:
        chosen = table.select(**{role: table[column] for role, column in mapping.items()})
        return Loaded(chosen, table.get_backend(), own=False, lazy=True)

    named = table.get_name().rpartition(".")[2] if hasattr(table.op(), "name") else "transactions"
    return Source(named, "the table", list(table.columns), load)


def _open_pandas(frame: Any) -> Source:
    import pandas
    import pyarrow

    labels = [str(label) for label in frame.columns]
    if frame.columns.nlevels > 1:
        raise InputError(
            "the frame has column names of several levels; flatten them, so that each column has one name."
        )

    def column(position: int) -> Any:
        values = frame.iloc[:, position]
        if values.dtype == object and pandas.api.types.infer_dtype(values).startswith(("datetime", "mixed")):
            return pyarrow.array([_as_text(value) for value in values], pyarrow.string())
        try:
            return pyarrow.Array.from_pandas(values)
        except (pyarrow.ArrowException, TypeError, ValueError, OverflowError):
            return pyarrow.array([_as_text(value) for value in values], pyarrow.string())

    def load(mapping: dict[str, str]) -> Loaded:
        arrays = {role: column(labels.index(name)) for role, name in mapping.items()}
        return _from_arrow(pyarrow.table(arrays))

    zones = {label: str(kind.tz) for label, kind in zip(labels, frame.dtypes, strict=True) if getattr(kind, "tz", None)}
    hidden = [str(name) for name in frame.index.names if name is not None]
    label = "the frame" + (
        f" (without its index {', '.join(map(repr, hidden))}: reset_index() makes it a column)" if hidden else ""
    )
    return Source("transactions", label, labels, load, zones)


def _open_arrow(table: Any, label: str) -> Source:
    def load(mapping: dict[str, str]) -> Loaded:
        import pyarrow

        return _from_arrow(pyarrow.table({role: table.column(name) for role, name in mapping.items()}))

    zones = {entry.name: entry.type.tz for entry in table.schema if getattr(entry.type, "tz", None)}
    return Source("transactions", label, list(table.column_names), load, zones)


def _from_arrow(table: Any) -> Loaded:
    """Copied into the engine: what happens to the frame afterwards does not change the table."""
    import pyarrow

    connection = embedded()
    for position, entry in enumerate(table.schema):
        if pyarrow.types.is_null(entry.type):  # nothing in it: as good as text
            table = table.set_column(position, entry.name, table.column(position).cast(pyarrow.string()))
    numbered = table.append_column("source_row", pyarrow.array(range(1, len(table) + 1), pyarrow.int64()))
    return Loaded(connection.create_table("raw", numbered, temp=True), connection, own=True)


def _as_text(value: Any) -> str | None:
    if value is None or value != value:
        return None
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


# --- files -------------------------------------------------------------------------------------------------------


def _open_path(text: str, sheet: Any, encoding: str | None, delimiter: str | None, wanted: list[str]) -> Source:
    if re.match(r"[a-z0-9]+://", text):
        raise InputError(
            f"{text!r} is an address; crmkit reads files of this machine and fetches nothing. Download it first."
        )
    path = Path(text).expanduser()
    paths = sorted(path.parent.glob(path.name)) if any(sign in path.name for sign in "*?") else [path]
    if not paths:
        raise InputError(f"no file matches {text!r}.")
    for one in paths:
        if one.is_dir():
            files = sorted(entry.suffix for entry in one.iterdir() if entry.suffix in SUFFIXES)
            pattern = f"{text.rstrip('/')}/*{files[0]}" if files else f"{text.rstrip('/')}/orders.csv"
            raise InputError(f"{text!r} is a folder; name a file in it, or all of one kind, such as {pattern!r}.")
        if not one.exists():
            found = [entry.name for entry in one.parent.iterdir()] if one.parent.is_dir() else []
            where = "" if found or one.parent.is_dir() else f" The folder {str(one.parent)!r} is not there either."
            raise InputError(f"there is no file {str(one)!r}.{near_misses(one.name, found)}{where}")
        if one.stat().st_size == 0:
            raise InputError(f"{str(one)!r} is empty: 0 bytes. Export the table again.")
    suffix = Path(paths[0].stem).suffix if paths[0].suffix == ".gz" else paths[0].suffix
    kind = SUFFIXES.get(suffix.lower())
    name = re.sub(r"[*?]+", "", path.name.removesuffix(".gz").removesuffix(suffix)).strip("-_. ") or "transactions"
    if kind == "parquet":
        return _open_parquet(paths, name)
    if kind == "excel":
        return _open_excel(paths[0], name, sheet)
    if kind == "csv":
        texts = [TextFile(one, encoding, delimiter, wanted) for one in paths]
        for other in texts[1:]:
            if other.columns != texts[0].columns:
                raise InputError(
                    f"{str(paths[0])!r} and {str(other.path)!r} have different columns; read them one by one."
                )

        def load(mapping: dict[str, str]) -> Loaded:
            connection = embedded()
            table, rejected, lines, notes = load_texts(connection, texts, mapping)
            return Loaded(
                table, connection, own=True, untyped=True, rejected=rejected, rejected_rows=lines, notes=notes
            )

        return Source(name, repr(path.name), texts[0].columns, load)
    raise InputError(
        f"{str(paths[0])!r} ends in {suffix!r}, which crmkit cannot read; save it as CSV, Excel (.xlsx) or Parquet."
    )


def _open_parquet(paths: list[Path], name: str) -> Source:
    import duckdb

    connection = embedded()
    listed = "[" + ", ".join(literal(str(path)) for path in paths) + "]"
    try:
        columns = [row[0] for row in connection.raw_sql(f"DESCRIBE SELECT * FROM read_parquet({listed})").fetchall()]
    except duckdb.Error as error:
        raise InputError(f"{str(paths[0])!r} is not a whole Parquet file: {first_line(error)}") from None

    def load(mapping: dict[str, str]) -> Loaded:
        number = "" if "file_row_number" in columns else ", file_row_number + 1 AS source_row"
        file = ", filename AS source_file" if len(paths) > 1 and "filename" not in columns else ""
        options = (", file_row_number = true" if number else "") + (", filename = true" if file else "")
        chosen = ", ".join(f"{identifier(column)} AS {identifier(role)}" for role, column in mapping.items())
        connection.raw_sql(
            f"CREATE TEMP VIEW raw AS SELECT {chosen}{number}{file} FROM read_parquet({listed}{options})"
        )
        return Loaded(connection.table("raw"), connection, own=True, lazy=True)

    return Source(name, repr(paths[0].name), columns, load)


def _open_excel(path: Path, name: str, sheet: Any) -> Source:
    import openpyxl
    import pyarrow

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # openpyxl raises many kinds for a broken file
        raise InputError(f"{str(path)!r} is not a whole Excel file (.xlsx): {first_line(error)}") from None
    filled = [one.title for one in book.worksheets if next(one.iter_rows(values_only=True), None)]
    if not filled:
        raise InputError(f"{str(path)!r} holds no table: all its sheets are empty.")
    if sheet is None and len(filled) > 1:
        raise InputError(
            f"{str(path)!r} has {len(filled)} sheets: {', '.join(map(repr, filled))}; name one, such as sheet={filled[0]!r}."
        )
    if sheet is not None and sheet not in filled:
        raise InputError(
            f"{str(path)!r} has no sheet {sheet!r}.{near_misses(sheet, filled)} It has {', '.join(map(repr, filled))}."
        )
    rows = book[sheet or filled[0]].iter_rows(values_only=True)
    header = next((row for row in rows if any(value is not None for value in row)), ())
    columns = [str(value).strip() if value is not None else f"column {n}" for n, value in enumerate(header, 1)]

    def load(mapping: dict[str, str]) -> Loaded:
        body = [(n, row) for n, row in enumerate(rows, 1) if any(value is not None for value in row)]
        arrays = {}
        for role, column in mapping.items():
            position = columns.index(column)
            values = [row[position] if position < len(row) else None for _, row in body]
            try:
                arrays[role] = pyarrow.array(values)
            except (pyarrow.ArrowException, TypeError):
                arrays[role] = pyarrow.array([_as_text(value) for value in values], pyarrow.string())
        loaded = _from_arrow(pyarrow.table(arrays))
        if len(body) >= _EXCEL_ROWS - 1:
            loaded.notes.append("the sheet is full: Excel keeps 1,048,576 rows and cuts the rest. Export as CSV.")
        return loaded

    return Source(name, repr(path.name), columns, load)
