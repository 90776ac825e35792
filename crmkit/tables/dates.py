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

_LONG_YEAR = {"dmy": "%d{s}%m{s}%Y", "mdy": "%m{s}%d{s}%Y"}
_SHORT_YEAR = {"dmy": "%d{s}%m{s}%y", "mdy": "%m{s}%d{s}%y", "ymd": "%y{s}%m{s}%d"}
_DATES: list[tuple[str, dict[str, str]]] = [
    (r"9{4}(?P<s>[-/.])9{1,2}(?P=s)9{1,2}", {"ymd": "%Y{s}%m{s}%d"}),
    (r"9{4}年9{1,2}月9{1,2}日", {"ymd": "%Y年%m月%d日"}),
    (r"9{8}(?:9{6})?", {"ymd": "%Y%m%d", "dmy": "%d%m%Y", "mdy": "%m%d%Y"}),
    (r"9{1,2}(?P<s>\.)9{1,2}\.9{4}", {"dmy": "%d.%m.%Y"}),
    (r"9{1,2}(?P<s>\.)9{1,2}\.99", {"dmy": "%d.%m.%y"}),
    (r"9{1,2}(?P<s>[-/])9{1,2}(?P=s)9{4}", _LONG_YEAR),
    (r"9{1,2}(?P<s>[-/])9{1,2}(?P=s)99", _SHORT_YEAR),
    (r"9{1,2}(?P<s>[- ])[A-Z][A-Za-z]{2}(?P=s)9{4}", {"dmy": "%d{s}%b{s}%Y"}),
    (r"9{1,2}(?P<s>[- ])[A-Z][A-Za-z]{2}(?P=s)99", {"dmy": "%d{s}%b{s}%y"}),
    (r"[A-Z][a-z]{2} 9{1,2}, 9{4}", {"mdy": "%b %d, %Y"}),
]
_TIME = r"(?:(?P<gap>T|, | )(?P<hour>9{1,2}):99(?P<second>:99)?(?:(?P<point>[.,])(?P<fraction>9+))?(?P<half> ?[AaPp][Mm])?)?"
_ZONE = r"(?P<zone> ?(?:Z|UTC|GMT|[+-]99(?::?99)?))?"
_NUMBERS = {
    r"9{5}(\.9+)?": (
        "Excel day numbers",
        "CASE WHEN {number} BETWEEN 20000 AND 80000 THEN "
        "TIMESTAMP '1899-12-30' + to_seconds(CAST(round({number} * 86400) AS BIGINT)) END",
    ),
    r"9{10}": ("seconds since 1970 (UTC)", "to_timestamp({number})"),
    r"9{13}": ("milliseconds since 1970 (UTC)", "to_timestamp({number} / 1000)"),
}


@dataclass
class Shape:
    """One way in which texts are written, and what it can mean: SQL by order of day, month and year."""

    pattern: str  # of the texts, for the engine
    readings: dict[str, str]
    zone: str  # "" for none, "UTC", or "offset"
    note: str = ""
    rows: int = 0
    example: str = ""


@dataclass(frozen=True)
class Reading:
    """How a column of texts becomes timestamps."""

    sql: str  # NULL where the text cannot be read
    time_zone: str | None  # the zone the texts themselves are in, if they say so
    notes: list[str]


def read_texts(
    connection: Any, table: str, text: str, *, column: str, date_order: str | None, time_zone: str | None
) -> Reading:
    """Decide how the texts of `table`, in its column `text`, are read; `column` is its name in the source.

    Raises InputError if day and month cannot be told apart, if times with and without a zone are
    mixed, or if more than 1 % of the texts are no dates.
    """

    def query(sql: str) -> list[tuple]:
        return connection.raw_sql(sql).fetchall()

    shapes = _shapes(query, table, text)
    notes = sorted({f"ordered_at: read as {shape.note}." for shape in shapes if shape.note})
    order = date_order or _order_that_fits(query, table, text, column, shapes)
    if any(len(shape.readings) > 1 for shape in shapes):
        notes.append(f"ordered_at: numbers are {ORDERS[order]}{'' if date_order else ', the only order that fits'}.")

    zoned, plain = [shape for shape in shapes if shape.zone], [shape for shape in shapes if not shape.zone]
    if zoned and plain:
        raise InputError(
            f"ordered_at: {sum(shape.rows for shape in zoned):,} texts of column {column!r} name a time zone and "
            f"{sum(shape.rows for shape in plain):,} do not, for example {zoned[0].example!r} and {plain[0].example!r}; "
            "write all of them one way before reading."
        )
    source_zone, shift = "UTC" if zoned else None, ""
    if time_zone is None and any(shape.zone == "offset" for shape in zoned):
        seconds = _one_offset(query, table, text, column)
        if seconds:
            hours, minutes = divmod(abs(seconds) // 60, 60)
            source_zone, shift = f"UTC{'-+'[seconds > 0]}{hours:02}:{minutes:02}", f" + to_seconds({seconds})"
            notes.append(f"ordered_at: all times carry one offset; days are days of {source_zone}.")

    cases = ""
    for shape in shapes:
        chosen = order if len(shape.readings) > 1 else next(iter(shape.readings))
        if chosen in shape.readings:
            cases += f" WHEN {_fits(text, shape)} THEN {shape.readings[chosen]}"
    sql = f"CASE{cases} END" if cases else f"CAST(NULL AS {'TIMESTAMPTZ' if zoned else 'TIMESTAMP'})"
    if shift:
        sql = f"timezone('UTC', {sql}){shift}"
    values = f"(SELECT {text} AS text, {sql} AS value, 1 AS rows FROM {table} WHERE {text} IS NOT NULL)"
    what = f"dates with date_order={date_order!r}" if date_order else "dates"
    refuse_unreadable(query, values, "ordered_at", column, what)
    return Reading(sql, source_zone, notes)


def _fits(text: str, shape: Shape) -> str:
    return f"regexp_full_match({text}, {literal(shape.pattern)})"


def _shape(digits: str, column: str) -> Shape | None:
    """What texts of this shape can mean; None for no date."""
    pattern = re.sub("9+", lambda run: f"[0-9]{{{len(run[0])}}}", re.escape(digits))
    for numbers, (note, sql) in _NUMBERS.items():
        if re.fullmatch(numbers, digits):
            reading = sql.format(number=f"TRY_CAST({column} AS DOUBLE)")
            return Shape(pattern, {"ymd": reading}, "UTC" if "UTC" in note else "", note)
    for dates, formats in _DATES:
        match = re.fullmatch(dates + _TIME + _ZONE, digits)
        if match is None:
            continue
        found = match.groupdict()
        time = "%H%M%S" if len(digits) == 14 and digits.isdigit() else ""
        if found["hour"]:
            half = found["half"] or ""
            time = found["gap"] + ("%I" if half else "%H") + ":%M" + (":%S" if found["second"] else "")
            time += (f"{found['point']}%f" if found["fraction"] else "") + half[:-2] + ("%p" if half else "")
        zone = found["zone"] or ""
        offset = " " * zone.startswith(" ") + "%z" if "9" in zone else ""
        source = column
        if len(found["fraction"] or "") > 6:  # the engine keeps microseconds
            source = rf"regexp_replace({column}, '([.,]\d{{6}})\d+', '\1')"
        readings = {}
        for order, text_format in formats.items():
            whole = text_format.format(s=found.get("s") or "") + time + (offset or zone)
            sql = f"try_strptime({source}, {literal(whole)})"
            readings[order] = f"timezone('UTC', {sql})" if zone and not offset else sql
        return Shape(pattern, readings, "offset" if offset else "UTC" if zone else "")
    return None


def _shapes(query: Any, table: str, text: str) -> list[Shape]:
    """The ways in which the texts are written, as far as they can be dates, the most frequent first."""
    digits = f"translate({text}, '012345678', '999999999')"
    shapes: dict[tuple, Shape] = {}
    # the first rows show nearly all shapes; the slower search then looks at the rest only
    for rows in (f"(SELECT {text} FROM {table} WHERE {text} IS NOT NULL LIMIT 10000)", table):
        known = "|".join(shape.pattern for shape in shapes.values()) or "-"
        rest = f"{text} IS NOT NULL AND NOT regexp_full_match({text}, {literal(known)})"
        for (name,) in query(
            f"SELECT {digits} FROM {rows} WHERE {rest} GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 2000"
        ):
            shape = _shape(name, text)
            if shape is not None:
                same = shapes.setdefault((*shape.readings.values(), shape.zone), shape)
                same.pattern += "" if same is shape else f"|{shape.pattern}"
    found = list(shapes.values())
    cases = "".join(f" WHEN {_fits(text, shape)} THEN {number}" for number, shape in enumerate(found))
    counted = query(
        f"SELECT CASE WHEN false THEN 0{cases} END, count(*), min({text}) FROM {table} WHERE {text} IS NOT NULL GROUP BY 1"
    )
    for number, rows, example in counted:
        if number is not None:
            found[number].rows, found[number].example = rows, example
    if sum(shape.rows for shape in found if shape.note) < (1 - TOLERATED) * sum(rows for _, rows, _ in counted):
        found = [shape for shape in found if not shape.note]  # a few numbers among dates are no dates
    return sorted(found, key=lambda shape: -shape.rows)


def _one_offset(query: Any, table: str, text: str, column: str) -> int:
    """The offset that all times carry, in seconds; several raise InputError with a request for the time zone."""
    end = rf"coalesce(nullif(regexp_extract({text}, ':.*([+-]\d{{2}}(?::?\d{{2}})?)$', 1), ''), '+00')"
    offsets = query(f"SELECT {end}, count(*) FROM {table} WHERE {text} LIKE '%:%' GROUP BY 1 ORDER BY 2 DESC, 1")
    lengths = {offset_of(offset) for offset, _ in offsets}
    if len(lengths) > 1:
        shown = ", ".join(f"{offset} ({rows:,} rows)" for offset, rows in offsets[:4])
        raise InputError(
            f"ordered_at: column {column!r} has times of several offsets: {shown}. Name the time zone whose days you "
            "count, such as time_zone='Europe/Berlin'."
        )
    return int(lengths.pop().total_seconds())


def _order_that_fits(query: Any, table: str, text: str, column: str, shapes: list[Shape]) -> str:
    """The one order of day, month and year that every ambiguous text allows."""
    ambiguous = [shape for shape in shapes if len(shape.readings) > 1]
    orders = sorted({order for shape in ambiguous for order in shape.readings})
    if not orders:
        return "ymd"
    selected = ""
    for order in orders:  # a year outside 1900 … 2199 shows a wrong order: 20121011 is no 20th day of a month
        fits = "".join(
            f" WHEN {_fits(text, shape)} THEN coalesce(year({shape.readings[order]}) BETWEEN 1900 AND 2199, false)"
            for shape in ambiguous
            if order in shape.readings
        )
        selected += f", CASE{fits} ELSE false END AS {order}"
    among = f"(SELECT {text} AS text{selected} FROM {table} WHERE {text} IS NOT NULL)"
    each = ", ".join(f"count(*) FILTER ({order})" for order in orders)
    only = ", ".join(
        f"min(text) FILTER ({order} AND NOT ({' OR '.join(other for other in orders if other != order)}))"
        for order in orders
    )
    total, *rest = query(f"SELECT count(*) FILTER ({' OR '.join(orders)}), {each}, {only} FROM {among}")[0]
    counts, alone = rest[: len(orders)], rest[len(orders) :]
    complete = [order for order, rows in zip(orders, counts, strict=True) if rows == total]
    if len(complete) == 1 or total == 0:
        return complete[0]
    if complete:
        example = query(f"SELECT min(text) FROM {among} WHERE {' AND '.join(complete)}")[0][0]
        meanings = " or ".join(f"date_order={order!r} ({ORDERS[order]})" for order in complete)
        raise InputError(
            f"ordered_at: all {total:,} dates of column {column!r}, such as {example!r}, can be read in more than one "
            f"order; say which one is meant: {meanings}."
        )
    shown = "; ".join(
        f"{order} ({ORDERS[order]}) fits {rows:,}" + (f", and only so {example!r}" if example else "")
        for order, rows, example in zip(orders, counts, alone, strict=True)
    )
    raise InputError(
        f"ordered_at: the dates of column {column!r} contradict each other. Of {total:,} dates, {shown}. "
        "Name the order that is right, such as date_order='dmy'; dates that do not fit it then count as unreadable."
    )


def refuse_unreadable(query: Any, values: str, role: str, column: str, what: str) -> int:
    """How many of `values` (text, value, rows) have no value, up to 1 %; more raise InputError with examples."""
    total, bad = query(f"SELECT sum(rows), coalesce(sum(rows) FILTER (value IS NULL), 0) FROM {values}")[0]
    if bad > TOLERATED * (total or 0):
        worst = query(f"SELECT text, sum(rows) FROM {values} WHERE value IS NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5")
        shown = ", ".join(f"{example!r} ({rows:,})" for example, rows in worst)
        raise InputError(
            f"{role}: {bad:,} of {total:,} texts in column {column!r} ({bad / total:.1%}) cannot be read as {what}, "
            f"for example {shown}. Up to 1 % would go to the ledger; correct them, or name the right column."
        )
    return bad
