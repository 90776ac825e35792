"""The rules by which a row is kept, flagged, merged or set aside. The defaults lose nothing real.

A first look at all rows (one aggregate, one count by day) finds what there is to do; only what was
found is then done, so that a clean file costs little more than looking at it.
"""

import datetime
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow

from crmkit.errors import InputError
from crmkit.tables import columns, engines
from crmkit.tables.ledger import Entry, Ledger
from crmkit.tables.reading import Loaded
from crmkit.tables.roles import IDENTIFIERS, ROLES

HIDDEN = ("customer_id_text", "ordered_at_text", "amount_text", "infinite", "source_row", "source_file")
_EPOCH = datetime.date(1970, 1, 1)
#: Days of the years 1 to 9999, counted from the epoch; engines know more.
_FIRST, _LAST = (datetime.date.min - _EPOCH).days, (datetime.date.max - _EPOCH).days
#: Rows whose hashes are sorted in memory (8 bytes each, twice); of more, the engine groups them, which can use the disk.
MOST_SORTED = 50_000_000


@dataclass
class Cleaned:
    table: Any
    ledger: Ledger
    time_zone: str | None
    currency: str | None
    scale: int


def clean(
    loaded: Loaded,
    *,
    name: str,
    texts_zone: str | None,
    time_zone: str | None,
    stored_in: str | None,
    currency: str | None,
    latest: datetime.date | None,
    duplicates: str,
) -> Cleaned:
    """Typed and judged rows of a source whose texts are parsed already."""
    import ibis

    lines, notes = loaded.table, loaded.notes
    taken = {role: lines[role] for role in ROLES if role in lines.columns}
    customer, original, id_changed = columns.customer(lines, loaded.untyped)
    ordered_at, day, zone, moved = columns.local(lines.ordered_at, texts_zone, time_zone, stored_in, notes)
    amount, infinite, scale, found = columns.money(lines, notes)
    if found["rows"] == 0:
        raise InputError(f"{name} has a header but no rows." if loaded.untyped else f"{name} has no rows.")
    if "currency" in taken:
        currency = columns.currency(lines, currency)
    taken |= {"customer_id": customer, "ordered_at": ordered_at, "day": day, "amount": amount}
    if loaded.untyped:
        taken |= columns.whole_numbers(lines, [role for role in IDENTIFIERS[1:] if role in taken])
    public = ["customer_id", "ordered_at", "day", "amount", *(role for role in taken if role in list(ROLES)[3:])]
    hidden = {column: lines[column] for column in HIDDEN if column in lines.columns}
    if original is not None:
        hidden["customer_id_text"] = original
    if found["infinite"]:
        hidden["infinite"] = infinite
    typed = lines.select(**{role: taken[role] for role in public}, **hidden)
    if loaded.own and not loaded.lazy and (id_changed or moved or found["infinite"]):
        typed = loaded.connection.create_table("typed", typed, temp=True)
        loaded.connection.raw_sql(f"DROP TABLE {lines.get_name()}")

    days = (
        typed.group_by("day")
        .aggregate(
            rows=typed.count(),
            money=typed.amount.sum(),
            incomplete=typed.count(where=typed.customer_id.isnull() | typed.amount.isnull()),
        )
        .to_pyarrow()
    )
    money_read = sum((money for money in days["money"].to_pylist() if money is not None), Decimal(0))
    early, late = _limits(days, latest)
    known = days["day"].cast("int32").drop_null().to_numpy()
    outside = len(known) > 0 and (known.min() < _FIRST or known.max() > _LAST)
    aside: list[tuple[str, Callable[[Any], Any]]] = [("no customer", lambda t: t.customer_id.isnull())]
    if "ordered_at_text" in hidden:
        aside.append(("no date", lambda t: t.ordered_at.isnull() & t.ordered_at_text.isnull()))
        aside.append(("unreadable date", lambda t: t.ordered_at.isnull()))
    else:
        aside.append(("no date", lambda t: t.ordered_at.isnull()))
    if outside:
        aside.append(("date outside the calendar", lambda t: (t.day < datetime.date.min) | (t.day > datetime.date.max)))
    if late is not None:
        aside.append(("date far beyond the rest", lambda t: t.day > late))
    if found["infinite"]:
        aside.append(("infinite amount", lambda t: t.infinite))
    if "amount_text" in hidden:
        aside.append(("unreadable amount", lambda t: t.amount_text.notnull()))
    aside.append(("no amount", lambda t: t.amount.isnull()))
    there: dict[str, tuple[int, Decimal | None]] = {}
    too_late = late is not None and known.max(initial=_FIRST) > (late - _EPOCH).days
    if len(known) < len(days) or sum(days["incomplete"].to_pylist()) or outside or too_late or found["infinite"]:
        reasons = typed.group_by(reason=ibis.cases(*((rule(typed), reason) for reason, rule in aside)))
        counts = reasons.aggregate(rows=typed.count(), money=typed.amount.sum()).to_pyarrow().to_pylist()
        there = {row["reason"]: (row["rows"], row["money"]) for row in counts}

    if "date far beyond the rest" in there:
        limit = "the day named in latest=" if latest else "far beyond the rest; if later days are real, name latest="
        notes.append(f"ordered_at: rows after {late} are set aside: {limit}.")

    entries, kept = [], typed
    for reason, rule in aside:
        if reason in there:
            entries.append(Entry("set aside", reason, _rows(kept.filter(rule(kept))), there[reason]))
            kept = kept.filter(~rule(kept))
    refunded = None
    if found["negative"]:
        refunded = _refunded(kept)
        if loaded.own:  # few rows, asked twice; on other engines moments are not carried out and in again
            refunded = ibis.memtable(refunded.to_pyarrow())
        never = refunded.filter(refunded.first_sale.isnull()).select("customer_id").to_pyarrow()
        if len(never):
            never = ibis.memtable(never)
            entries.append(Entry("set aside", "refund, never bought", _rows(kept.semi_join(never, "customer_id"))))
            kept = kept.anti_join(never, "customer_id")
    if loaded.rejected_rows:
        entries.append(Entry("set aside", "unreadable line", _rows(loaded.rejected), (loaded.rejected_rows, None)))
    kept, merged = _merge(kept, public, duplicates, loaded)
    if merged:  # a merged row may have been a customer's first sale
        refunded = None
    flags = _flags(kept, public, found, early, duplicates, refunded)
    if entries and kept.limit(1).count().to_pyarrow().as_py() == 0:
        shown = ", ".join(f"{entry.reason}" for entry in entries)
        raise InputError(
            f"{name}: none of {found['rows']:,} rows can be used; reasons: {shown}. Check which column plays which role."
        )
    ledger = Ledger(
        name,
        [Entry("kept", "", _rows(kept)), *flags, *merged, *entries],
        found["rows"] + loaded.rejected_rows,
        money_read.quantize(Decimal(1).scaleb(-scale)),
        currency,
        notes,
    )
    return Cleaned(kept.select(*public), ledger, zone, currency, scale)


def _rows(table: Any) -> Callable[[], Any]:
    return lambda: table


def _limits(days: Any, latest: datetime.date | None) -> tuple[datetime.date | None, datetime.date | None]:
    """The last day before which dates are too early to belong, the first after which they are too late; None for none.

    From 1,000 rows on, more than max(90 days, 10 % of the span) outside the middle 99.8 %. With fewer
    rows one row is more than a thousandth: there, dates behind a gap that is longer than a year and than
    twice the rest, if they are few.
    """
    pairs = sorted(
        (day, rows)
        for day, rows in zip(days["day"].cast(pyarrow.int32()).to_pylist(), days["rows"].to_pylist(), strict=True)
        if day is not None and _FIRST <= day <= _LAST
    )
    total = sum(rows for _, rows in pairs)

    def date(number: float) -> datetime.date:
        return _EPOCH + datetime.timedelta(days=int(number))

    def quantile(ordered: list[tuple[int, int]], share: float) -> int:
        below = 0
        for number, rows in ordered:
            below += rows
            if below >= share * total:
                return number
        return ordered[-1][0]

    def behind_a_gap(ordered: list[tuple[int, int]]) -> int | None:
        """The last day before the gap, walking in the given direction."""
        before = 0
        for (number, rows), (following, _) in itertools.pairwise(ordered):
            before += rows
            gap, span = abs(following - number), abs(number - ordered[0][0])
            if gap > max(365, 2 * span) and before >= 5 and total - before <= max(1, 0.05 * total):
                return number
        return None

    if total >= 1000:
        low, high = quantile(pairs, 0.001), quantile(pairs, 0.999)
        margin = max(90, (high - low) / 10)
        early = date(low - margin) if pairs[0][0] < low - margin else None
        late = date(high + margin) if pairs[-1][0] > high + margin else None
    else:
        first, last = behind_a_gap(pairs[::-1]), behind_a_gap(pairs)
        early, late = first and date(first), last and date(last)
    return early, latest or late


# --- what is done with the rows ----------------------------------------------------------------------------------


def _refunded(lines: Any) -> Any:
    """Customers with refunds and the moment of their first row of zero or more; missing if there is none."""
    theirs = lines.semi_join(lines.filter(lines.amount < 0).select("customer_id").distinct(), "customer_id")
    first_sale = theirs.ordered_at.min(where=theirs.amount >= 0)
    return theirs.group_by("customer_id").aggregate(first_sale=first_sale)


def _repeats(lines: Any, by: list[str], among: list[str] | None = None) -> Any:
    """`lines` with `copy`: 0 for the first row of those equal in `by`; first by content, never by place in the file."""
    import ibis

    window = ibis.window(
        group_by=by, order_by=[*(among or []), *(["source_row"] if "source_row" in lines.columns else [])]
    )
    return lines.mutate(copy=ibis.row_number().over(window))


def _repeated(lines: Any, columns: list[str], rows: int) -> Any:
    """The second and further ones of equal rows, of about so many rows."""
    import ibis

    number = engines.row_hash(lines, columns)
    if number is not None:  # equal hashes first: a window over all rows would cost ten times as much
        numbered = lines.mutate(number=number)
        if rows <= MOST_SORTED:  # a third of the CPU and of the memory that a group-by takes
            numbers = np.sort(numbered.select("number").to_pyarrow()["number"].to_numpy())
            twice = np.unique(numbers[1:][numbers[1:] == numbers[:-1]])
            if not len(twice):
                return lines.filter(ibis.literal(False))
            repeated = ibis.memtable(pyarrow.table({"number": twice}))
        else:
            times = numbered.group_by("number").aggregate(times=numbered.count())
            repeated = times.filter(times.times > 1)
        lines = numbered.semi_join(repeated, "number").drop("number")
    copies = _repeats(lines, columns)
    return copies.filter(copies.copy > 0).drop("copy")


def _merge(kept: Any, public: list[str], duplicates: str, loaded: Loaded) -> tuple[Any, list[Entry]]:
    """Rows that are one row: the same line_id, or, if the caller says so, equal in every role."""
    import ibis

    merged = []
    if "line_id" in public:
        named = kept.filter(kept.line_id.notnull())
        if named.count().to_pyarrow().as_py() > named.line_id.nunique().to_pyarrow().as_py():
            others = [column for column in public if column not in ("line_id", "day")]
            marked = _repeats(kept, ["line_id"], others)
            # a copy with the content of the row that is kept has rank 0
            differs = ibis.dense_rank().over(ibis.window(group_by="line_id", order_by=others)) > 0
            marked = marked.mutate(copy=ibis.ifelse(marked.line_id.isnull(), 0, marked.copy), differs=differs)
            if loaded.own:
                marked = loaded.connection.create_table("by_line", marked, temp=True)
            same, other = (
                marked.filter((marked.copy > 0) & ~marked.differs),
                marked.filter((marked.copy > 0) & marked.differs),
            )
            merged += [
                Entry("merged", "line_id repeated", _rows(same.drop("copy", "differs"))),
                Entry("merged", "line_id repeated with other content", _rows(other.drop("copy", "differs"))),
            ]
            kept = marked.filter(marked.copy == 0).drop("copy", "differs")
    if duplicates == "drop":
        marked = _repeats(kept, public)
        if loaded.own:
            marked = loaded.connection.create_table("by_content", marked, temp=True)
        merged.append(Entry("merged", "exact repeat, dropped", _rows(marked.filter(marked.copy > 0).drop("copy"))))
        kept = marked.filter(marked.copy == 0).drop("copy")
    return kept, merged


def _flags(
    kept: Any,
    public: list[str],
    found: dict[str, int],
    early: datetime.date | None,
    duplicates: str,
    refunded: Any | None,
) -> list[Entry]:
    """What is kept and worth a look; a row may carry several flags."""

    def flag(reason: str, where: Callable[[Any], Any]) -> Entry:
        return Entry("flagged", reason, lambda: kept.filter(where(kept)), where=where)

    def without_sale() -> Any:
        refunds = kept.filter(kept.amount < 0)
        joined = refunds.inner_join(_refunded(kept) if refunded is None else refunded, "customer_id")
        return joined.filter(joined.ordered_at < joined.first_sale).select(*refunds.columns)

    flags = []
    if duplicates == "flag" and "line_id" not in public:
        flags.append(Entry("flagged", "exact repeat", lambda: _repeated(kept, public, found["rows"])))
    if found["zero"]:
        flags.append(flag("zero amount", lambda t: t.amount == 0))
    if found["negative"]:
        flags.append(flag("refund", lambda t: t.amount < 0))
        flags.append(Entry("flagged", "refund without a sale before it", without_sale))
    if early is not None:
        flags.append(flag("date far before the rest", lambda t: t.day < early))
    if "customer_id_text" in kept.columns:
        flags.append(flag("customer_id cleaned", lambda t: t.customer_id_text.notnull()))
    if "order_id" in public:
        flags.append(flag("no order_id", lambda t: t.order_id.isnull()))
    return flags
