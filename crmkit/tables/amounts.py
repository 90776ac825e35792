"""Reading numbers from text: decimal commas, thousands separators, currency signs.

As with dates, all rows decide which reading is meant, and where they do not, the person is asked.
"""

from dataclasses import dataclass
from typing import Any

from crmkit.errors import InputError
from crmkit.tables.dates import refuse_unreadable
from crmkit.tables.engines import literal

#: More decimals than this are traces of binary numbers, not money.
MOST_DECIMALS = 6
#: Signs and codes of currencies, as they stand beside a number.
CURRENCY = r"[$€£¥₹₩₽₺₫฿₴₪₦]|[A-Z]{1,2}\$|[A-Z]{3}|元|人民币|円|kr\.?|zł|Kč|Fr\.?|Rs\.?|Ft|lei|лв\.?|руб\.?|р\."
_SAME = {"€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "元": "CNY", "人民币": "CNY", "RMB": "CNY", "円": "JPY"}
_SPECIAL = r"(?i)inf|infinity|e"  # 1e-05 is a number, too
_WHOLE = {  # what a number may look like, by the sign of its decimals
    ".": r"(\d+|\d{1,3}(,\d{2,3})*,\d{3}|\d{1,3}([ ']\d{3})+)?(\.\d*)?",
    ",": r"(\d+|\d{1,3}([. ']\d{3})+)?(,\d*)?",
}
_PARTS = """
CREATE OR REPLACE TEMP TABLE {texts} AS WITH
plain AS MATERIALIZED (
  SELECT {text} AS text, count(*) AS rows, translate({text}, '−–’´\u00a0\u202f\u2009', '--''''   ') AS plain
  FROM {table} WHERE {text} IS NOT NULL GROUP BY 1),
parts AS MATERIALIZED (
  SELECT *, trim(regexp_replace(plain, '[-0-9.,''+() ]+', ' ', 'g')) AS word,
    trim(regexp_replace(plain, '[^-0-9.,''+() ]', '', 'g')) AS body FROM plain),
sizes AS MATERIALIZED (  -- 12.50-, (12.50) and -12.50 are the same debit
  SELECT *, body LIKE '-%' OR body LIKE '%-' OR body LIKE '(%)' AS negative,
    trim(regexp_replace(regexp_replace(body, '^\\((.*)\\)$', '\\1'), '^[-+] *|-$', '', 'g')) AS size FROM parts),
numbers AS MATERIALIZED (
  SELECT *, size LIKE '%.%' OR size LIKE '%,%' AS signed,
    regexp_matches(size, '[0-9]') AND (word = '' OR regexp_full_match(word, {currency})) AS number FROM sizes)
SELECT *, number AND regexp_full_match(size, {whole_point}) AS point,
  number AND regexp_full_match(size, {whole_comma}) AS comma FROM numbers
"""
_VALUES = """
CREATE OR REPLACE TEMP TABLE {values} AS SELECT text, rows, CAST(CASE
  WHEN {fits} THEN CASE WHEN negative THEN -1 ELSE 1 END * TRY_CAST({size} AS {kind})
  WHEN regexp_full_match(word, {special}) THEN TRY_CAST(plain AS {kind}) END AS {kind}) AS value FROM {texts}
"""


@dataclass(frozen=True)
class Reading:
    """How a column of texts becomes numbers."""

    sql: str  # of the number, after `join`; NULL where the text cannot be read
    join: str
    kind: str  # DECIMAL(18, n) or DOUBLE
    decimal: str | None  # the sign of decimals, where it was decided
    currency: str | None
    notes: list[str]


def read_texts(connection: Any, table: str, text: str, *, role: str, column: str, decimal: str | None) -> Reading:
    """Decide how the texts of `table`, in its column `text`, are read; `column` is its name in the source.

    Raises InputError if the sign of decimals cannot be told, if the texts carry more than one currency,
    or if more than 1 % of the texts are no numbers.
    """

    def query(sql: str) -> list[tuple]:
        return connection.raw_sql(sql).fetchall()

    # ten million amounts are some thousand texts: each is read once
    texts, values, special = f"{role}_texts", f"{role}_values", literal(_SPECIAL)
    patterns = {"currency": literal(CURRENCY), "whole_point": literal(_WHOLE["."]), "whole_comma": literal(_WHOLE[","])}
    query(_PARTS.format(texts=texts, text=text, table=table, **patterns))
    currencies: dict[str, int] = {}
    for word, rows in query(f"SELECT word, sum(rows) FROM {texts} WHERE number AND word != '' GROUP BY 1"):
        currencies[_SAME.get(word, word)] = currencies.get(_SAME.get(word, word), 0) + int(rows)
    if len(currencies) > 1:
        refuse_currencies(currencies, f"{role} (column {column!r})")
    chosen = decimal or _sign_that_fits(query, texts, role, column)
    fits, thousands = ("point", ",") if chosen == "." else ("comma", ".")
    size = f"replace(regexp_replace(size, '[{thousands} '']', '', 'g'), ',', '.')"
    signed, decimals, inexact = query(
        f"SELECT bool_or(signed AND {fits}), max(length(split_part({size}, '.', 2))) FILTER ({fits}), "
        f"bool_or(regexp_full_match(word, {special})) FROM {texts}"
    )[0]
    decimals = max(2, decimals or 0)
    kind = "DOUBLE" if inexact or decimals > MOST_DECIMALS else f"DECIMAL(18, {decimals})"
    query(_VALUES.format(values=values, fits=fits, size=size, kind=kind, special=special, texts=texts))
    bad = refuse_unreadable(
        query, f"(SELECT text, value, rows FROM {values})", role, column, f"numbers with decimal={chosen!r}"
    )
    notes = []
    if signed:
        notes.append(
            f"{role}: decimals are written with {chosen!r}{'' if decimal else ', the only reading that fits'}."
        )
    if bad and role != "amount":  # of amounts, the ledger tells
        notes.append(f"{role}: {bad:,} texts cannot be read as numbers and count as missing.")
    join = f"LEFT JOIN {values} ON {table}.{text} = {values}.text"
    return Reading(f"{values}.value", join, kind, chosen if signed else None, next(iter(currencies), None), notes)


def refuse_currencies(counts: dict[str, int], where: str) -> None:
    """Raise InputError with the currencies and their numbers of rows."""
    most = sorted(counts.items(), key=lambda item: -item[1])[:5]
    shown = ", ".join(f"{name!r} ({rows:,} rows)" for name, rows in most)
    raise InputError(
        f"{where}: the amounts are in {len(counts)} currencies: {shown}. Money of different currencies cannot be added; "
        "keep the rows of one currency, or convert the amounts, before reading."
    )


def _sign_that_fits(query: Any, texts: str, role: str, column: str) -> str:
    """The one sign of decimals that every number allows."""
    counted = ", ".join(f"coalesce(sum(rows) FILTER ({fits}), 0)" for fits in ("point OR comma", "point", "comma"))
    shown = ", ".join(
        f"min(text) FILTER ({fits})" for fits in ("point AND comma AND signed", "point > comma", "comma > point")
    )
    some, point, comma, both, only_point, only_comma = query(f"SELECT {counted}, {shown} FROM {texts}")[0]
    if point == some and (comma < some or both is None):
        return "."
    if comma == some and point < some:
        return ","
    if comma == point == some:
        raise InputError(
            f"{role}: the numbers of column {column!r}, such as {both!r}, can be read with decimals or with "
            "thousands; say which sign begins the decimals: decimal='.' or decimal=','."
        )
    raise InputError(
        f"{role}: the numbers of column {column!r} contradict each other: {some - comma:,} such as {only_point!r} have a "
        f"decimal point, {some - point:,} such as {only_comma!r} a decimal comma. Name the sign that begins the "
        "decimals, decimal='.' or decimal=',', or write all numbers one way."
    )
