"""What the columns of a source hold, and how they become the columns of the table."""

from typing import Any

from crmkit.errors import InputError
from crmkit.tables import amounts, engines

#: Texts that mean "nothing", as programs write it.
MISSING = ("", "nan", "NaN", "NAN", "NULL", "null", "None", "<NA>", "NaT", "N/A", "#N/A", "n/a", "NA")
_WHOLE = "^(0|[1-9][0-9]{0,17})$"
#: An amount from here on is no money, and does not fit beside six decimals.
_TOO_LARGE = 10**12


def one(table: Any, **sums: Any) -> dict[str, Any]:
    """The one row of an aggregate."""
    return table.aggregate(**sums).to_pyarrow().to_pylist()[0]


def customer(lines: Any, untyped: bool) -> tuple[Any, Any | None, bool]:
    """customer_id as it will stand in the table; its original text where cleaning changed it; whether it changed."""
    import ibis

    column = lines.customer_id
    kind = column.type()
    if kind.is_boolean() or kind.is_temporal() or kind.is_nested():
        raise InputError(
            f"customer_id: the column holds {kind} values, which name nobody; name the column of customer numbers."
        )
    if kind.is_floating() or kind.is_decimal():
        number = ibis.ifelse(column.isnan(), ibis.null(kind), column) if kind.is_floating() else column
        exact = 2**53 if kind.is_floating() else 2**63 - 1  # beyond, the last digits are lost
        large = (number > exact) | (number < -exact)
        small = ibis.ifelse(large, ibis.null(kind), number)
        broken = large | (small != small.floor()).fill_null(False)
        found = one(lines, rows=broken.cast("int64").sum(), example=number.max(where=broken))
        if found["rows"]:
            raise InputError(
                f"customer_id: {found['rows']:,} values are no whole numbers, or too large for one, such as "
                f"{found['example']}; name the column of customer numbers, or turn it into text first."
            )
        return number.cast("int64"), None, False
    if not kind.is_string():
        return column, None, False
    bare = engines.strip(column)
    whole = bare.endswith(".0") & bare.re_search("^[0-9]+[.]0$")
    found = one(
        lines,
        padded=(bare != column).cast("int64").sum(),
        whole=whole.cast("int64").sum(),
        missing=bare.isin(MISSING).cast("int64").sum(),
    )
    tidy = column
    if found["padded"] or found["whole"]:
        tidy = ibis.ifelse(whole, bare.substr(0, bare.length() - 2), bare) if found["whole"] else bare
    if found["missing"]:
        tidy = ibis.ifelse(tidy.isin(MISSING), ibis.null("string"), tidy)
    changed = bool(found["padded"] or found["whole"])
    original = ibis.ifelse(tidy != column, column, ibis.null("string")) if changed else None
    if untyped:  # in a text file, numbers are numbers, whatever a row of totals says
        number = tidy.try_cast("int64")
        dated = lines.ordered_at.notnull()
        if not one(lines, n=(dated & ~tidy.re_search(_WHOLE)).cast("int64").sum())["n"]:
            return number, ibis.ifelse((tidy != column) | number.isnull(), column, ibis.null("string")), True
    return tidy, original, changed


def whole_numbers(lines: Any, roles: list[str]) -> dict[str, Any]:
    """Identifiers of a text file that are whole numbers without leading zeros, as whole numbers."""
    if not roles:
        return {}
    other = one(lines, **{role: (~lines[role].re_search(_WHOLE)).cast("int64").sum() for role in roles})
    return {role: lines[role].cast("int64") for role in roles if not other[role]}


def local(
    column: Any, texts_zone: str | None, time_zone: str | None, stored_in: str | None, notes: list[str]
) -> tuple[Any, Any, str | None, bool]:
    """Timestamp and day in the table's time zone, that zone, and whether times were moved."""
    kind = column.type()
    if kind.is_date():
        return column.cast("timestamp"), column, time_zone, False
    if not kind.is_timestamp():
        how = ".cast('string').as_timestamp('%Y%m%d')" if kind.is_numeric() else ".cast('timestamp')"
        raise InputError(
            f"ordered_at: the column holds {kind} values; turn it into a timestamp in the engine first, "
            f"such as table.mutate(paid_at=table.paid_at{how})."
        )
    moved = False
    if kind.timezone is not None:
        if stored_in is not None:
            raise InputError(
                f"stored_in={stored_in!r} is for times without a time zone, but ordered_at has one; leave it away."
            )
        if time_zone is None and texts_zone in (None, "UTC"):
            notes.append("ordered_at: times are in UTC, and days are days of UTC; name time_zone= to count local days.")
        time_zone, moved = time_zone or texts_zone or "UTC", True
        column = engines.local_time(column, None, time_zone)
    elif stored_in is None and time_zone is not None and engines.hides_the_zone(column):
        raise InputError(
            f"time_zone={time_zone!r}: Spark's timestamps are moments, shown as clock times of the session's zone, and "
            "which one that is cannot be seen from here; name it with stored_in= (the session's "
            "spark.sql.session.timeZone, often 'UTC'), or the same zone as time_zone= if the clock times are local."
        )
    elif stored_in is not None:
        if time_zone is None:
            raise InputError(f"stored_in={stored_in!r} needs time_zone= too: the zone whose days are counted.")
        column, moved = engines.local_time(column, stored_in, time_zone), stored_in != time_zone
        notes.append(f"ordered_at: stored in {stored_in}, read as days of {time_zone}.")
    if kind.scale is not None and kind.scale > 6:
        column = column.cast("timestamp(6)")
    return column, column.date(), time_zone or texts_zone, moved


def money(lines: Any, notes: list[str]) -> tuple[Any, Any, int, dict[str, int]]:
    """The amount as DECIMAL, which rows are too large to be money, the scale, and counts."""
    import ibis

    column = lines.amount
    kind = column.type()
    if not kind.is_numeric() or kind.is_boolean():
        raise InputError(
            f"amount: the column holds {kind} values; turn it into a number in the engine first, "
            "such as table.mutate(total=table.total.cast('decimal(18, 2)'))."
        )
    infinite = (column >= _TOO_LARGE) | (column <= -_TOO_LARGE)
    finite = ibis.ifelse(infinite, ibis.null(kind), column)
    if kind.is_floating():  # a NaN is larger than everything on some engines, on others than nothing
        column = ibis.ifelse(column.isnan(), ibis.null(kind), column)
        infinite = column.notnull() & (column.isinf() | infinite)
        finite = ibis.ifelse(column.isinf() | infinite, ibis.null(kind), column)

    def off(scale: int) -> Any:
        tolerance = ibis.greatest(finite.abs(), 1) * 1e-9
        return ((finite - finite.round(scale)).abs() > tolerance).cast("int64").sum()

    measured = kind.is_floating() or (kind.is_decimal() and (kind.scale is None or kind.scale > amounts.MOST_DECIMALS))
    found = one(
        lines,
        rows=lines.count(),
        infinite=infinite.cast("int64").sum(),
        negative=(finite < 0).cast("int64").sum(),
        zero=(finite == 0).cast("int64").sum(),
        **({"off": off(2)} if measured else {}),
    )
    scale = max(2, kind.scale or 2) if kind.is_decimal() and not measured else 2
    if found.get("off"):
        rest = one(lines, **{str(scale): off(scale) for scale in range(3, amounts.MOST_DECIMALS + 1)})
        scale = next((int(scale) for scale, rows in rest.items() if not rows), amounts.MOST_DECIMALS)
        if rest[str(amounts.MOST_DECIMALS)]:
            notes.append(
                f"amount: {rest[str(scale)]:,} amounts have more than {scale} decimals and are rounded to {scale}."
            )
    safe = finite if found["infinite"] or kind.is_floating() else column
    if found["infinite"] == 0 and kind.is_floating():
        nan = one(lines, n=lines.amount.isnan().cast("int64").sum())["n"]
        safe = column if nan else lines.amount
    return safe.cast(f"decimal(18, {scale})"), infinite.fill_null(False), scale, found


def currency(lines: Any, named: str | None) -> str | None:
    code = engines.strip(lines.currency).upper()
    counted = lines.group_by(code=code).aggregate(rows=lines.count()).to_pyarrow().to_pylist()
    counts = {row["code"]: row["rows"] for row in counted if row["code"] not in (None, "")}
    if len(counts) > 1:
        amounts.refuse_currencies(counts, "currency")
    found = next(iter(counts), None)
    if named is not None and found not in (None, named):
        raise InputError(
            f"currency={named!r} was named, but the column says {found!r} in {counts[found]:,} rows; name one of them."
        )
    return found or named
