"""Reading dates from text: which format the texts are in is decided by all of them, never by the first.

Each text is reduced to its shape (every digit becomes 9), so that ten million dates are a handful of
shapes. A shape says which formats can be meant; where day and month could change places, all rows
decide, and where they do not, the person is asked.
"""

import re
from dataclasses import dataclass
from typing import Any

from crmkit.errors import InputError
from crmkit.tables.engines import literal, offset_of

#: The largest share of texts that may be unreadable before the whole column is refused.
TOLERATED = 0.01
ORDERS = {"ymd": "year, month, day", "dmy": "day, month, year", "mdy": "month, day, year"}

_DAY_FIRST = {"dmy": "%d{s}%m{s}%Y", "mdy": "%m{s}%d{s}%Y"}
_SHORT_YEAR = {order: text.replace("%Y", "%y") for order, text in _DAY_FIRST.items()}
_DATES: list[tuple[str, dict[str, str]]] = [
    (r"9{4}(?P<s>[-/.])9{1,2}(?P=s)9{1,2}", {"ymd": "%Y{s}%m{s}%d"}),
    (r"9{4}年9{1,2}月9{1,2}日", {"ymd": "%Y年%m月%d日"}),
    (r"9{8}(?:9{6})?", {"ymd": "%Y%m%d", "dmy": "%d%m%Y", "mdy": "%m%d%Y"}),
    (r"9{1,2}(?P<s>\.)9{1,2}\.9{4}", {"dmy": _DAY_FIRST["dmy"]}),
    (r"9{1,2}(?P<s>\.)9{1,2}\.99", {"dmy": _SHORT_YEAR["dmy"]}),
    (r"9{1,2}(?P<s>[-/])9{1,2}(?P=s)9{4}", _DAY_FIRST),
    (r"9{1,2}(?P<s>[-/])9{1,2}(?P=s)99", {**_SHORT_YEAR, "ymd": "%y{s}%m{s}%d"}),
    (r"9{1,2}(?P<s>[- ])[A-Z][A-Za-z]{2}(?P=s)9{4}", {"dmy": "%d{s}%b{s}%Y"}),
    (r"9{1,2}(?P<s>[- ])[A-Z][A-Za-z]{2}(?P=s)99", {"dmy": "%d{s}%b{s}%y"}),
    (r"[A-Z][a-z]{2} 9{1,2}, 9{4}", {"mdy": "%b %d, %Y"}),
]
_TIME = r"(?:(?P<gap>T|, | )(?P<hour>9{1,2}):99(?P<second>:99)?(?:(?P<point>[.,])(?P<fraction>9+))?(?P<half> ?[AaPp][Mm])?)?"
_ZONE = r"(?P<zone> ?(?:Z|UTC|GMT|[+-]99(?::?99)?))?"
_OFFSET = r"([+-]\d{2}(?::?\d{2})?)$"
_NUMBERS = {
    r"9{5}(\.9+)?": (
        "Excel day numbers",
        "CASE WHEN {number} BETWEEN 20000 AND 80000 THEN "
        "TIMESTAMP '1899-12-30' + to_seconds(CAST(round({number} * 86400) AS BIGINT)) END",
    ),
    r"9{10}": ("seconds since 1970 (UTC)", "to_timestamp({number})"),
    r"9{13}": ("milliseconds since 1970 (UTC)", "to_timestamp({number} / 1000)"),
}


@dataclass(frozen=True)
class Shape:
    """One shape of text, and how it can be read: SQL by order of day, month and year."""

    text: str
    rows: int
    readings: dict[str, str]
    zone: str  # "" for none, "UTC", or "offset"
    note: str = ""


def _shape(text: str, rows: int, column: str) -> Shape | None:
    for pattern, (note, sql) in _NUMBERS.items():
        if re.fullmatch(pattern, text):
            zone = "UTC" if "UTC" in note else ""
            return Shape(text, rows, {"ymd": sql.format(number=f"TRY_CAST({column} AS DOUBLE)")}, zone, note)
    for pattern, formats in _DATES:
        match = re.fullmatch(pattern + _TIME + _ZONE, text)
        if match is None:
            continue
        found = match.groupdict()
        time = zone_format = ""
        if len(text) == 14 and text.isdigit():
            time = "%H%M%S"
        elif found["hour"]:
            clock = ("%I" if found["half"] else "%H") + ":%M" + (":%S" if found["second"] else "")
            clock += f"{found['point']}%f" if found["fraction"] else ""
            half = (" %p" if found["half"][0] == " " else "%p") if found["half"] else ""
            time = found["gap"] + clock + half
        zone = found["zone"] or ""
        if "9" in zone:
            zone_format = " %z" if zone.startswith(" ") else "%z"
        source = column
        if len(found["fraction"] or "") > 6:  # the engine keeps microseconds
            source = rf"regexp_replace({column}, '([.,]\d{{6}})\d+', '\1')"
        readings = {}
        for order, text_format in formats.items():
            whole = text_format.format(s=found.get("s") or "") + time + (zone_format or zone)
            sql = f"try_strptime({source}, {literal(whole)})"
            readings[order] = f"timezone('UTC', {sql})" if zone and not zone_format else sql
        return Shape(text, rows, readings, "offset" if zone_format else "UTC" if zone else "")
    return None


@dataclass(frozen=True)
class Reading:
    """How a column of texts becomes timestamps."""

    sql: str  # NULL where the text cannot be read
    time_zone: str | None  # the zone the texts themselves are in, if they say so
    notes: list[str]


def read_texts(
    connection: Any, table: str, text: str, *, column: str, date_order: str | None, time_zone: str | None
) -> Reading:
    """Decide how the texts of one column are read; `text` is SQL for the text, NULL where there is none.

    Raises InputError if day and month cannot be told apart, if times with and without a zone are
    mixed, or if more than 1 % of the texts are no dates.
    """

    def query(sql: str) -> list[tuple]:
        return connection.raw_sql(sql).fetchall()

    digits = f"translate({text}, '012345678', '999999999')"
    counted = query(
        f"SELECT {digits}, count(*) FROM {table} WHERE {text} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 2000"
    )
    shapes = [shape for name, rows in counted if (shape := _shape(name, rows, text))]
    if sum(shape.rows for shape in shapes if shape.note) < (1 - TOLERATED) * sum(rows for _, rows in counted):
        shapes = [shape for shape in shapes if not shape.note]  # a few numbers among dates are no dates
    notes = sorted({f"ordered_at: read as {shape.note}." for shape in shapes if shape.note})
    order = date_order or _order_that_fits(query, table, text, column, shapes, digits)
    open_shapes = [shape for shape in shapes if len(shape.readings) > 1]
    if open_shapes:
        notes.append(f"ordered_at: numbers are {ORDERS[order]}{'' if date_order else ', the only order that fits'}.")

    zones = {shape.zone for shape in shapes}
    if "" in zones and len(zones) > 1:
        plain = sum(shape.rows for shape in shapes if not shape.zone)
        zoned = sum(shape.rows for shape in shapes if shape.zone)
        raise InputError(
            f"ordered_at: {zoned:,} texts of column {column!r} name a time zone and {plain:,} do not, for example "
            f"{_examples(query, table, text, digits, [s for s in shapes if s.zone])} and "
            f"{_examples(query, table, text, digits, [s for s in shapes if not s.zone])}; "
            "write all of them one way before reading."
        )
    source_zone, shift = None, ""
    if zones - {""}:
        source_zone = "UTC"
        offset_shapes = ", ".join(literal(shape.text) for shape in shapes if shape.zone == "offset")
        if offset_shapes and time_zone is None:
            offsets = query(
                f"SELECT regexp_extract({text}, {literal(_OFFSET)}, 1) AS zone, count(*) FROM {table} "
                f"WHERE {digits} IN ({offset_shapes}) GROUP BY 1 ORDER BY 2 DESC, 1"
            )
            if "UTC" in zones:
                offsets.append(("UTC", sum(shape.rows for shape in shapes if shape.zone == "UTC")))
            lengths = {offset_of(zone) if zone != "UTC" else offset_of("+00") for zone, _ in offsets}
            if len(lengths) > 1:
                shown = ", ".join(f"{zone} ({rows:,} rows)" for zone, rows in offsets[:4])
                raise InputError(
                    f"ordered_at: column {column!r} has times of several offsets: {shown}. Name the time zone whose "
                    "days you count, such as time_zone='Europe/Berlin'."
                )
            seconds = int(lengths.pop().total_seconds())
            if seconds:
                source_zone, shift = f"UTC{offsets[0][0]}", f" + to_seconds({seconds})"
                notes.append(f"ordered_at: all times carry the offset {offsets[0][0]}; days are days of that offset.")

    cases = "".join(
        f" WHEN {literal(shape.text)} THEN {shape.readings[chosen]}"
        for shape in shapes
        if (chosen := order if len(shape.readings) > 1 else next(iter(shape.readings))) in shape.readings
    )
    empty = "TIMESTAMP" if source_zone is None else "TIMESTAMPTZ"
    sql = f"CASE {digits}{cases} ELSE NULL END" if cases else f"CAST(NULL AS {empty})"
    if shift:
        sql = f"timezone('UTC', {sql}){shift}"
    _refuse_too_many(query, table, text, sql, column, date_order)
    return Reading(sql, source_zone, notes)


def _order_that_fits(query: Any, table: str, text: str, column: str, shapes: list[Shape], digits: str) -> str:
    """The one order of day, month and year that every ambiguous text allows."""
    ambiguous = [shape for shape in shapes if len(shape.readings) > 1]
    orders = sorted({order for shape in ambiguous for order in shape.readings})
    if not orders:
        return "ymd"
    # a year outside 1900 … 2199 is the sign of a wrong order: 20121011 is not the 20th day of a month
    fits = {
        order: "CASE "
        + digits
        + "".join(
            f" WHEN {literal(s.text)} THEN coalesce(year({s.readings[order]}) BETWEEN 1900 AND 2199, false)"
            for s in ambiguous
            if order in s.readings
        )
        + " ELSE false END"
        for order in orders
    }
    selected = ", ".join(f"{sql} AS {order}" for order, sql in fits.items())
    among = f"(SELECT {text} AS text, {selected} FROM {table} WHERE {text} IS NOT NULL)"
    some = " OR ".join(orders)
    counted = query(
        f"SELECT count(*) FILTER ({some}), {', '.join(f'count(*) FILTER ({o})' for o in orders)} FROM {among}"
    )
    total, *by_order = counted[0]
    complete = [order for order, rows in zip(orders, by_order, strict=True) if rows == total]
    if len(complete) == 1 or (complete and total == 0):
        return complete[0]
    if complete:
        example = query(f"SELECT min(text) FROM {among} WHERE {' AND '.join(complete)}")[0][0]
        meanings = " or ".join(f"date_order={order!r} ({ORDERS[order]})" for order in complete)
        raise InputError(
            f"ordered_at: all {total:,} dates of column {column!r}, such as {example!r}, can be read in more than one "
            f"order; say which one is meant: {meanings}."
        )
    shown = []
    for order, rows in zip(orders, by_order, strict=True):
        example = query(
            f"SELECT min(text) FROM {among} WHERE {order} AND NOT ({' OR '.join(o for o in orders if o != order)})"
        )
        only = f", and only so {example[0][0]!r}" if example[0][0] else ""
        shown.append(f"{order} ({ORDERS[order]}) fits {rows:,}{only}")
    raise InputError(
        f"ordered_at: the dates of column {column!r} contradict each other. Of {total:,} dates, {'; '.join(shown)}. "
        "Name the order that is right, such as date_order='dmy'; dates that do not fit it then count as unreadable."
    )


def _examples(query: Any, table: str, text: str, digits: str, shapes: list[Shape]) -> str:
    return repr(query(f"SELECT min({text}) FROM {table} WHERE {digits} = {literal(shapes[0].text)}")[0][0])


def _refuse_too_many(query: Any, table: str, text: str, sql: str, column: str, date_order: str | None) -> None:
    total, bad = query(
        f"SELECT count(*), count(*) FILTER (ts IS NULL) FROM (SELECT {sql} AS ts FROM {table} WHERE {text} IS NOT NULL)"
    )[0]
    if bad <= TOLERATED * total:
        return
    worst = query(
        f"SELECT text, count(*) FROM (SELECT {text} AS text, {sql} AS ts FROM {table} WHERE {text} IS NOT NULL) "
        "WHERE ts IS NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5"
    )
    shown = ", ".join(f"{example!r} ({rows:,})" for example, rows in worst)
    order = f" as date_order={date_order!r}" if date_order else ""
    raise InputError(
        f"ordered_at: {bad:,} of {total:,} texts in column {column!r} ({bad / total:.1%}) cannot be read as dates{order}, "
        f"for example {shown}. Up to 1 % would go to the ledger; correct them, or name the column that holds the dates."
    )
