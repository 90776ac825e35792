"""Reading numbers from text: decimal commas, thousands separators, currency signs.

As with dates, all rows decide which reading is meant, and where they do not, the person is asked.
"""

import re
from dataclasses import dataclass
from typing import Any

from crmkit.errors import InputError
from crmkit.tables.dates import TOLERATED
from crmkit.tables.engines import literal

#: More decimals than this are traces of binary numbers, not money.
MOST_DECIMALS = 6
_SAME_CURRENCY = {
    "€": "EUR",
    "£": "GBP",
    "₹": "INR",
    "₩": "KRW",
    "元": "CNY",
    "人民币": "CNY",
    "円": "JPY",
    "RMB": "CNY",
}
#: Signs and codes of currencies, as they stand beside a number.
CURRENCY = r"[$€£¥₹₩₽₺₫฿₴₪₦]|[A-Z]{1,2}\$|[A-Z]{3}|元|人民币|円|kr\.?|zł|Kč|Fr\.?|Rs\.?|Ft|lei|лв\.?|руб\.?|р\."
_INFINITE = r"(?i)inf|infinity|∞"
_WHOLE = {  # what a number may look like, by the sign of its decimals
    ".": r"(\d+|\d{1,3}(,\d{2,3})*,\d{3}|\d{1,3}([ ']\d{3})+)?(\.\d*)?",
    ",": r"(\d+|\d{1,3}([. ']\d{3})+)?(,\d*)?",
}


@dataclass(frozen=True)
class Reading:
    """How a column of texts becomes numbers."""

    sql: str  # DECIMAL or DOUBLE; NULL where the text cannot be read
    decimal: str | None  # the sign of decimals, where it was decided
    currency: str | None
    notes: list[str]


def read_texts(connection: Any, table: str, text: str, *, role: str, column: str, decimal: str | None) -> Reading:
    """Decide how the texts of one column are read; `text` is SQL for the text, NULL where there is none.

    Raises InputError if the sign of decimals cannot be told, if the texts carry more than one currency,
    or if more than 1 % of the texts are no numbers.
    """

    def query(sql: str) -> list[tuple]:
        return connection.raw_sql(sql).fetchall()

    plain = f"translate({text}, '−–’´\u00a0\u202f\u2009', '--''''   ')"
    words = f"trim(regexp_replace({plain}, '[-0-9.,''+() ]+', ' ', 'g'))"
    kinds = dict(
        query(f"SELECT {words}, count(*) FROM {table} WHERE {text} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 500")
    )
    currencies: dict[str, int] = {}
    for word, rows in kinds.items():
        if re.fullmatch(CURRENCY, word):
            name = _SAME_CURRENCY.get(word, word)
            currencies[name] = currencies.get(name, 0) + rows
    if len(currencies) > 1:
        refuse_currencies(currencies, f"{role} (column {column!r})")
    known = ", ".join(literal(word) for word in kinds if word == "" or re.fullmatch(CURRENCY, word)) or "''"
    infinite = ", ".join(literal(word) for word in kinds if re.fullmatch(_INFINITE, word)) or "NULL"
    exponent = ", ".join(literal(word) for word in kinds if word in ("e", "E")) or "NULL"

    # 12.50-, (12.50) and -12.50 are the same debit
    body = f"trim(regexp_replace({plain}, '[^-0-9.,''+() ]', '', 'g'))"
    size = rf"trim(regexp_replace(regexp_replace({body}, '^\((.*)\)$', '\1'), '^[-+] *|-$', '', 'g'))"
    negative = f"({body} LIKE '-%' OR {body} LIKE '%-' OR {body} LIKE '(%)')"
    digits = f"({words} IN ({known}) AND {size} SIMILAR TO '.*[0-9].*')"
    fits = {sign: f"({digits} AND regexp_full_match({size}, {literal(pattern)}))" for sign, pattern in _WHOLE.items()}
    among = (
        f"(SELECT {text} AS text, {size} AS size, coalesce({fits['.']}, false) AS point, coalesce({fits[',']}, false) "
        f"AS comma FROM {table} WHERE {text} IS NOT NULL)"
    )
    some, point, comma, signed = query(
        "SELECT count(*) FILTER (point OR comma), count(*) FILTER (point), count(*) FILTER (comma), "
        f"count(*) FILTER ((point OR comma) AND regexp_matches(size, '[.,]')) FROM {among}"
    )[0]
    chosen = decimal or _sign_that_fits(query, among, role, column, some, point, comma, signed)
    thousands = "," if chosen == "." else "."
    number = f"replace(regexp_replace({size}, '[{thousands} '']', '', 'g'), ',', '.')"
    decimals = query(f"SELECT max(length(split_part({number}, '.', 2))) FROM {table} WHERE {fits[chosen]}")[0][0]
    exact = (decimals or 0) <= MOST_DECIMALS and infinite == exponent == "NULL"
    kind = f"DECIMAL(18, {max(2, decimals or 0)})" if exact else "DOUBLE"
    sql = (
        f"CASE WHEN {fits[chosen]} THEN CASE WHEN {negative} THEN -1 ELSE 1 END * TRY_CAST({number} AS {kind}) "
        f"WHEN {words} IN ({exponent}) THEN TRY_CAST({plain} AS {kind}) WHEN {words} IN ({infinite}) THEN "
        f"CASE WHEN {negative} THEN -1 ELSE 1 END * TRY_CAST('inf' AS {kind}) END"
    )
    sql = f"CAST({sql} AS {kind})"
    notes = []
    if signed:
        notes.append(
            f"{role}: decimals are written with {chosen!r}{'' if decimal else ', the only reading that fits'}."
        )
    bad = _refuse_too_many(query, table, text, sql, role, column, chosen)
    if bad and role != "amount":  # of amounts, the ledger tells
        notes.append(f"{role}: {bad:,} texts cannot be read as numbers and count as missing.")
    return Reading(sql, chosen if signed else None, next(iter(currencies), None), notes)


def refuse_currencies(counts: dict[str, int], where: str) -> None:
    shown = ", ".join(
        f"{name!r} ({rows:,} rows)" for name, rows in sorted(counts.items(), key=lambda item: -item[1])[:5]
    )
    raise InputError(
        f"{where}: the amounts are in {len(counts)} currencies: {shown}. Money of different currencies cannot be added; "
        "keep the rows of one currency, or convert the amounts, before reading."
    )


def _sign_that_fits(
    query: Any, among: str, role: str, column: str, some: int, point: int, comma: int, signed: int
) -> str:
    if some == 0 or signed == 0 or (point == some and comma < some):
        return "."
    if comma == some and point < some:
        return ","
    if comma == point == some:
        example = query(f"SELECT min(text) FROM {among} WHERE point AND regexp_matches(size, '[.,]')")[0][0]
        raise InputError(
            f"{role}: the numbers of column {column!r}, such as {example!r}, can be read with decimals or with "
            "thousands; say which sign begins the decimals: decimal='.' or decimal=','."
        )
    only_point, only_comma = query(
        f"SELECT min(text) FILTER (point AND NOT comma), min(text) FILTER (comma AND NOT point) FROM {among}"
    )[0]
    raise InputError(
        f"{role}: the numbers of column {column!r} contradict each other: {some - comma:,} such as {only_point!r} have a "
        f"decimal point, {some - point:,} such as {only_comma!r} a decimal comma. Name the sign that begins the "
        "decimals, decimal='.' or decimal=',', or write all numbers one way."
    )


def _refuse_too_many(query: Any, table: str, text: str, sql: str, role: str, column: str, decimal: str) -> int:
    inner = f"(SELECT {text} AS text, {sql} AS number FROM {table} WHERE {text} IS NOT NULL)"
    total, bad = query(f"SELECT count(*), count(*) FILTER (number IS NULL) FROM {inner}")[0]
    if bad <= TOLERATED * total:
        return bad
    worst = query(f"SELECT text, count(*) FROM {inner} WHERE number IS NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5")
    shown = ", ".join(f"{example!r} ({rows:,})" for example, rows in worst)
    raise InputError(
        f"{role}: {bad:,} of {total:,} texts in column {column!r} ({bad / total:.1%}) cannot be read as numbers with "
        f"decimal={decimal!r}, for example {shown}. Up to 1 % would go to the ledger; correct them, or name the "
        "column that holds the numbers."
    )
