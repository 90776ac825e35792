"""The engine under the tables: DuckDB inside this process, or the one an Ibis table lives on.

Everything that is spelled differently from engine to engine stands here and nowhere else.
"""

import inspect
from datetime import timedelta
from functools import cache
from typing import Any

from crmkit.errors import InputError

#: What may stand around a text without being part of it, the wide space of Chinese and the no-break space too.
BLANKS = " \t\n\r\v\f\u00a0\u3000\u200b\ufeff"
#: A text that needs no trimming, for all to see: to ask this first costs a tenth of trimming every text.
BARE = "^([!-~]|[!-~].*[!-~])$"


def embedded() -> Any:
    """A new DuckDB of our own: in memory, in UTC, with nothing fetched from a network."""
    import ibis

    connection = ibis.duckdb.connect(autoinstall_known_extensions=False, autoload_known_extensions=False)
    connection.raw_sql("SET TimeZone = 'UTC'")
    connection.raw_sql("SET enable_progress_bar = false")  # in a notebook it would be an output that comes and goes
    return connection


def refuse_unsafe(table: Any) -> None:
    """SQLite gives a wrong answer without an error when `argmin` and `max` stand in one aggregate."""
    if table.get_backend().name == "sqlite":
        raise InputError(
            "a table in SQLite cannot be used where it lies, because SQLite gives wrong answers to some of the "
            "questions crmkit asks; pass table.to_pyarrow() instead, which reads it into memory."
        )


def identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + str(text).replace("'", "''") + "'"


@cache
def _builtin(name: str, arguments: tuple[str, ...], result: str) -> Any:
    """A function of the engine that Ibis has no word for."""
    import ibis

    def function(): ...

    function.__name__ = name
    function.__signature__ = inspect.Signature(
        [inspect.Parameter(f"a{n}", inspect.Parameter.POSITIONAL_ONLY) for n in range(len(arguments))]
    )
    return ibis.udf.scalar.builtin(function, name=name, signature=(arguments, result))


def strip(column: Any) -> Any:
    """A text without blanks around it."""
    if column.get_backend().name != "duckdb":
        return column.strip()
    trimmed = _builtin("trim", ("string", "string"), "string")(column, BLANKS)
    return column.re_search(BARE).ifelse(column, trimmed)


def row_hash(table: Any, columns: list[str]) -> Any | None:
    """A number that equal rows share and different rows almost never do; None where the engine has none."""
    if table.get_backend().name != "duckdb":
        return None
    return _builtin("hash", tuple(str(table[name].type()) for name in columns), "uint64")(
        *(table[name] for name in columns)
    )


def local_time(column: Any, stored_in: str | None, time_zone: str) -> Any:
    """Clock time in `time_zone`, without a zone, of a timestamp that has a zone or is stored in one."""
    engine = column.get_backend().name
    if column.type().timezone is None and stored_in == time_zone:
        return column
    if engine in ("duckdb", "postgres"):
        to_clock = _builtin("timezone", ("string", "timestamp('UTC')"), "timestamp")
        to_instant = _builtin("timezone", ("string", "timestamp"), "timestamp('UTC')")
        return to_clock(time_zone, column if column.type().timezone else to_instant(stored_in, column))
    if engine in ("pyspark", "databricks", "snowflake"):
        convert = _builtin("convert_timezone", ("string", "string", "timestamp"), "timestamp")
        return convert(stored_in or "UTC", time_zone, column)
    raise InputError(
        f"crmkit cannot change time zones on {engine}; convert the column to {time_zone} in the engine, "
        "without a zone, and leave time_zone= and stored_in= away."
    )


def hides_the_zone(column: Any) -> bool:
    """Whether the engine's plain timestamps are moments that Ibis shows as clock times without a zone."""
    return column.get_backend().name in ("pyspark", "databricks")


def first_line(error: Exception) -> str:
    """The beginning of a library's message."""
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__


def offset_of(text: str) -> timedelta:
    """The length of an offset such as +08:00.

    >>> offset_of("-0330")
    datetime.timedelta(days=-1, seconds=73800)
    """
    digits = text[1:].replace(":", "").ljust(4, "0")
    length = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -length if text[0] == "-" else length
