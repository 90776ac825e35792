"""`Transactions`: the checked table of what customers bought, from any tabular thing a person has."""

import datetime
import re
import zoneinfo
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from crmkit.errors import InputError, KindError, near_misses
from crmkit.periods import day as as_day
from crmkit.tables import amounts, cleaning, dates
from crmkit.tables.columns import MISSING
from crmkit.tables.engines import BARE, BLANKS, literal
from crmkit.tables.ledger import Ledger
from crmkit.tables.reading import Loaded, Source, open_source
from crmkit.tables.roles import NEEDED, NUMBERS, READING, ROLES, resolve, settle


class Transactions:
    """What customers bought, checked: one row an order line that was kept.

    Attributes: `table` (a lazy Ibis table: `customer_id`, `ordered_at` as timestamp in the table's time
    zone, `day`, `amount` as DECIMAL, then the optional roles that were named), `ledger`, `connection`
    (the Ibis backend), `roles` (role → column of the source), `reading` (how it was read), `name`,
    `time_zone`, `currency`, `scale` (decimals of the amount). Made by `Transactions.read`.
    """

    def __init__(self, table: Any, **about: Any):
        self._about = about
        self.table = table
        self.ledger: Ledger = about["ledger"]
        self.connection: Any = about["connection"]
        self.roles: dict[str, str] = about["roles"]
        self.reading: dict[str, Any] = about["reading"]
        self.name: str = about["name"]
        self.time_zone: str | None = about["time_zone"]
        self.currency: str | None = about["currency"]
        self.scale: int = about["scale"]

    @classmethod
    def read(
        cls,
        source: Any,
        *,
        customer_id: str | None = None,
        ordered_at: str | None = None,
        amount: str | None = None,
        order_id: str | None = None,
        line_id: str | None = None,
        product_id: str | None = None,
        category: str | None = None,
        brand: str | None = None,
        quantity: str | None = None,
        unit_cost: str | None = None,
        channel: str | None = None,
        store_id: str | None = None,
        currency: str | None = None,
        roles: str | Path | Mapping[str, Any] | None = None,
        name: str | None = None,
        sheet: str | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
        decimal: str | None = None,
        date_order: str | None = None,
        time_zone: str | None = None,
        stored_in: str | None = None,
        latest: str | datetime.date | None = None,
        duplicates: str | None = None,
    ) -> "Transactions":
        """Who bought when for how much? Read it, check it, and keep account of every row.

        Parameters
        ----------
        source: path of a CSV, Excel or Parquet file (or a pattern of several, `"orders-*.parquet"`), a pandas,
            polars or pyarrow frame, or an Ibis table of any engine but SQLite.
        customer_id, ordered_at, amount, …, currency: the column that plays this role. A role that is not named
            takes the column of its own name, if there is one. `currency` may also be a code, such as `"EUR"`.
        roles: path of a `roles.toml`, or a mapping of roles and options; what is named in the call wins.
        sheet, encoding, delimiter, decimal ("." or ","), date_order ("ymd", "dmy", "mdy"): said here, they are
            not guessed.
        time_zone: the zone whose days are counted, such as `"America/New_York"`. Times that carry a zone are
            converted; times without one are taken as local already, unless `stored_in` names their zone (on Spark it
            must, since Spark shows moments as clock times of its session).
        latest: no true date lies after this day; rows after it are set aside.
        duplicates: `"flag"` (exact repeats are kept and flagged) or `"drop"` (they are merged).

        Raises
        ------
        InputError: the source cannot be read, or can be read in two ways. ColumnError: a role without its column.
        KindError: the source is no table.

        >>> import pandas as pd
        >>> bought = pd.DataFrame({
        ...     "member": [7, 7, 9],
        ...     "paid_at": ["31.01.2026", "02.02.2026", "02.02.2026"],
        ...     "total": ["1.020,50 €", "8,00 €", "3,25 €"],
        ... })
        >>> orders = Transactions.read(bought, customer_id="member", ordered_at="paid_at", amount="total")
        >>> orders.last_day, orders.currency
        (datetime.date(2026, 2, 2), 'EUR')
        >>> orders.table.amount.sum().to_pyarrow().as_py()
        Decimal('1031.75')
        """
        given = {key: value for key, value in locals().items() if key in (*ROLES, *READING)}
        settled, opened, mapping, code = _open(source, given, roles)
        loaded = opened.load(mapping)
        zone, sign = opened.time_zones.get(mapping["ordered_at"]), None
        if loaded.own:
            texts_zone, sign = _parse(loaded, mapping, settled)
            zone = zone or texts_zone
        cleaned = cleaning.clean(
            loaded,
            name=name or opened.name,
            texts_zone=zone,
            time_zone=settled.get("time_zone"),
            stored_in=settled.get("stored_in"),
            currency=code or sign,
            latest=None if settled.get("latest") is None else as_day(settled["latest"], "latest"),
            duplicates=settled.get("duplicates") or "flag",
        )
        return cls(
            cleaned.table,
            ledger=cleaned.ledger,
            connection=loaded.connection,
            roles=mapping,
            reading={key: settled[key] for key in READING if settled.get(key) is not None}
            | ({"currency": code} if code else {}),
            name=name or opened.name,
            time_zone=cleaned.time_zone,
            currency=cleaned.currency,
            scale=cleaned.scale,
        )

    @staticmethod
    def columns_of(source: Any, *, roles: str | Path | Mapping[str, Any] | None = None, **given: Any) -> dict[str, str]:
        """Which column of the source would play which role? Takes what `read` takes; no row is read.

        >>> import pandas as pd
        >>> bought = pd.DataFrame({"member": [7], "ordered_at": ["2026-01-31"], "amount": [3.25]})
        >>> Transactions.columns_of(bought, customer_id="member")
        {'customer_id': 'member', 'ordered_at': 'ordered_at', 'amount': 'amount'}
        """
        return _open(source, {key: given.get(key) for key in (*ROLES, *READING)}, roles)[2]

    @cached_property
    def _days(self) -> tuple[datetime.date, datetime.date]:
        found = self.table.aggregate(first=self.table.day.min(), last=self.table.day.max()).to_pyarrow().to_pylist()[0]
        if found["first"] is None:
            raise InputError(f"{self.name} has no row left after the cut; choose another period or another value.")
        return found["first"], found["last"]

    @property
    def first_day(self) -> datetime.date:
        """The day of the first row."""
        return self._days[0]

    @property
    def last_day(self) -> datetime.date:
        """The day of the last row."""
        return self._days[1]

    def _cut(self, table: Any) -> "Transactions":
        return Transactions(table, **self._about)

    def until(self, day: object) -> "Transactions":
        """The rows up to this day, the day included: what was known then. The ledger stays that of the whole source."""
        return self._cut(self.table.filter(self.table.day <= as_day(day, "day")))

    def between(self, first: object, last: object) -> "Transactions":
        """The rows of this period, both days included. The ledger stays that of the whole source."""
        start, end = as_day(first, "first"), as_day(last, "last")
        if start > end:
            raise InputError(f"first={start} lies after last={end}; swap them.")
        return self._cut(self.table.filter(self.table.day.between(start, end)))

    def where(self, column: str, values: object) -> "Transactions":
        """Only the rows with these values of a role, such as one category. The ledger stays that of the whole source.

        Raises InputError if no row has one of them.
        """
        if column not in self.table.columns:
            raise InputError(f"where: there is no role {column!r} here.{near_misses(column, self.table.columns)}")
        several = list(values) if isinstance(values, Iterable) and not isinstance(values, str | bytes) else [values]
        kind = self.table[column].type()
        try:
            several = [
                str(value) if kind.is_string() else int(value) if kind.is_integer() else value for value in several
            ]
            chosen = self.table.filter(self.table[column].isin(several))
            there = chosen.limit(1).count().to_pyarrow().as_py()
        except (TypeError, ValueError) as error:
            raise InputError(f"where: {column} holds {kind} values, not {several[0]!r}.") from error
        if not there:
            known = self.table.select(column).distinct().limit(5000).to_pyarrow()[column].to_pylist()
            raise InputError(
                f"where: no row has {column} {', '.join(map(repr, several[:5]))}.{near_misses(several[0], known)}"
            )
        return self._cut(chosen)

    def __repr__(self) -> str:
        gone = [entry.reason for entry in self.ledger.entries if entry.treatment in ("merged", "set aside")]
        noted = f"; not all were kept: {', '.join(gone)}" if gone else ""
        return f"<Transactions {self.name}: {self.ledger.rows_read:,} rows read{noted}>"


def _open(
    source: Any, given: Mapping[str, Any], roles: str | Path | Mapping[str, Any] | None
) -> tuple[dict[str, Any], Source, dict[str, str], str | None]:
    """What was asked for, the opened source, which column plays which role, and the one currency of all rows."""
    settled = settle(given, roles)
    _check_options(settled)
    wanted = [str(settled[role]) for role in ROLES if settled.get(role) is not None and role != "currency"]
    opened = open_source(
        source,
        sheet=settled.get("sheet"),
        encoding=settled.get("encoding"),
        delimiter=settled.get("delimiter"),
        wanted=wanted,
    )
    code = settled.get("currency")  # a column of codes, or the one code of all rows
    if code is not None and (code in opened.columns or not re.fullmatch(amounts.CURRENCY, code)):
        code = None
    mapping = resolve(
        {k: v for k, v in settled.items() if k != "currency" or code is None}, opened.columns, opened.label
    )
    return settled, opened, mapping, code


def _check_options(settled: Mapping[str, Any]) -> None:
    for option in READING:
        value = settled.get(option)
        if option != "latest" and value is not None and not isinstance(value, str):
            raise KindError(f"{option} must be a text, not {value!r}.")
    for option, allowed in (
        ("decimal", (".", ",")),
        ("date_order", tuple(dates.ORDERS)),
        ("duplicates", ("flag", "drop")),
    ):
        if settled.get(option) is not None and settled[option] not in allowed:
            raise InputError(f"{option}={settled[option]!r} must be one of {', '.join(map(repr, allowed))}.")
    for option in ("time_zone", "stored_in"):
        zone = settled.get(option)
        if zone is not None and zone not in zoneinfo.available_timezones():
            raise InputError(
                f"{option}={zone!r} is not a time zone; write it as a place, such as 'Europe/Berlin', 'Asia/Shanghai' or "
                f"'UTC'.{near_misses(zone, zoneinfo.available_timezones())}"
            )


def _parse(loaded: Loaded, mapping: Mapping[str, str], settled: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Replace texts by timestamps and numbers, where there are any; the zone and the currency they name."""
    kinds = loaded.table.schema()
    texts = [role for role in ("ordered_at", "amount", *NUMBERS) if role in kinds and kinds[role].is_string()]
    if kinds["ordered_at"].is_numeric():
        texts = ["ordered_at", *texts]
    if not texts:
        return None, None
    run, missing = loaded.connection.raw_sql, ", ".join(literal(text) for text in (*MISSING, "-"))

    def trimmed(role: str) -> str:
        text = f"CAST({role} AS VARCHAR)"
        if kinds[role].is_floating():
            text = rf"regexp_replace({text}, '\.0$', '')"
        return (
            f"CASE WHEN regexp_matches({text}, '{BARE}') THEN {text} ELSE trim({text}, {literal(BLANKS)}) END AS {role}"
        )

    present = ", ".join(f"CASE WHEN {role} NOT IN ({missing}) THEN {role} END AS {role}" for role in texts)
    run(
        f"CREATE TEMP TABLE bare AS SELECT * REPLACE ({present}) FROM "
        f"(SELECT * REPLACE ({', '.join(map(trimmed, texts))}) FROM raw)"
    )
    if not loaded.lazy:
        run("DROP TABLE raw")
    zone = sign = None
    values, joins, decimal = {}, "", settled.get("decimal")
    for role in texts:
        about = {"connection": loaded.connection, "table": "bare", "text": role, "column": mapping[role]}
        if role == "ordered_at":
            dated = dates.read_texts(**about, date_order=settled.get("date_order"), time_zone=settled.get("time_zone"))
            values[role], zone = dated.sql, dated.time_zone
            loaded.notes += dated.notes
        else:
            read = amounts.read_texts(**about, role=role, decimal=decimal)
            values[role], joins, decimal = read.sql, f"{joins} {read.join}", decimal or read.decimal
            sign = read.currency if role == "amount" else sign
            loaded.notes += read.notes
    replaced = ", ".join(f"{sql} AS {role}" for role, sql in values.items())
    unread = "".join(
        f", CASE WHEN {values[role]} IS NULL THEN bare.{role} END AS {role}_text" for role in NEEDED if role in values
    )
    run(f"CREATE TEMP TABLE parsed AS SELECT bare.* REPLACE ({replaced}){unread} FROM bare{joins}")
    run("DROP TABLE bare")
    loaded.table, loaded.lazy = loaded.connection.table("parsed"), False
    return zone, sign
