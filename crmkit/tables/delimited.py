"""Reading delimited text: its encoding, its delimiter, and the lines that are no rows.

The file goes through our eyes before the engine's, because a parser that meets a stray quotation mark
may lose the rest of a file without a word: every line is accounted for.
"""

import codecs
import csv
import gzip
import io
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crmkit.errors import InputError
from crmkit.tables.engines import first_line, identifier, literal
from crmkit.tables.roles import ROLES

_DELIMITERS = (",", ";", "\t", "|")
_ENCODINGS = ("gb18030", "big5", "shift_jis", "euc_kr", "cp1252", "cp1251", "cp1250")
_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\0\0": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
#: More lines than this share that are no rows, and the file is refused.
_TOLERATED = 0.01


class TextFile:
    """A delimited text file: its encoding, its delimiter and its columns, found by looking or named."""

    def __init__(self, path: Path, encoding: str | None, delimiter: str | None, wanted: list[str]):
        self.path, self.notes = path, []
        if delimiter is not None and len(delimiter) != 1:
            raise InputError(f"delimiter={delimiter!r} must be one sign, such as ';'.")
        try:
            with self._bytes() as stream:
                head = stream.read(1 << 20)
            self.encoding = codecs.lookup(encoding).name if encoding else self._find_encoding(head, wanted)
            text = io.TextIOWrapper(io.BytesIO(head), self.encoding, errors="replace").read()
        except LookupError:
            raise InputError(
                f"encoding={encoding!r} is not known; use a name such as 'utf-8', 'gbk', 'cp1252'."
            ) from None
        except (OSError, EOFError) as error:
            raise InputError(f"{str(path)!r} cannot be read: {first_line(error)}") from None
        if encoding and self.encoding == "utf-8" and not self._is_utf8():
            raise InputError(f"{str(path)!r} cannot be read as {encoding}: it is no UTF-8. Name another encoding=.")
        lines = text.lstrip("\ufeff").split("\n")[:200]
        self.blank_lines = next((n for n, line in enumerate(lines) if line.strip()), None)
        if self.blank_lines is None:
            raise InputError(f"{str(path)!r} holds nothing but blanks.")
        sample = "\n".join(lines[self.blank_lines :])
        self.delimiter = delimiter or max(_DELIMITERS, key=lambda sign: self._fitness(sample, sign, wanted))
        header = next(_rows(sample, self.delimiter), [])
        self.columns = [name.strip() or f"column {n}" for n, name in enumerate(header, 1)]

    def _bytes(self) -> Any:
        return gzip.open(self.path) if self.path.suffix == ".gz" else self.path.open("rb")

    def _find_encoding(self, head: bytes, wanted: list[str]) -> str:
        for mark, name in _MARKS.items():
            if head.startswith(mark):
                return name
        if head.count(0):
            even, odd = head[:2000:2].count(0), head[1:2000:2].count(0)
            if max(even, odd) > len(head[:2000]) / 4 and min(even, odd) == 0:
                return "utf-16-le" if odd else "utf-16-be"
            raise InputError(f"{str(self.path)!r} is no text: it holds zero bytes. An Excel file must end in .xlsx.")
        if self._is_utf8():
            return "utf-8"
        from charset_normalizer import from_bytes

        telling = b"\n".join([line for line in head.splitlines() if not line.isascii()][:2000])
        likely = [match.encoding for match in from_bytes(telling, cp_isolation=list(_ENCODINGS))] or ["cp1252"]
        usual = [name for _, names in ROLES.values() for name in names if not name.isascii()]
        # the right encoding is one in which the header holds the names we look for
        headers = {name: head.splitlines()[0].decode(name, errors="replace") for name in [*likely, *_ENCODINGS]}
        fitting = [name for name, header in headers.items() if wanted and all(column in header for column in wanted)]
        fitting += [name for name, header in headers.items() if any(column in header for column in usual)]
        found = [*fitting, *likely][0]
        self.notes.append(f"the file is not UTF-8; read as {found}. If names look wrong, name encoding=.")
        return found

    def _is_utf8(self) -> bool:
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            with self._bytes() as stream:
                while chunk := stream.read(1 << 20):
                    decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
        return True

    @staticmethod
    def _fitness(sample: str, delimiter: str, wanted: list[str]) -> tuple:
        rows = [row for row in _rows(sample, delimiter) if row][:100]
        header = [name.strip() for name in rows[0]] if rows else []
        same = sum(len(row) == len(header) for row in rows) / max(1, len(rows))
        return sum(name in header for name in wanted), len(header) > 1, round(same, 1), len(header)

    def as_utf8(self, folder: Path) -> Path:
        """The file itself, or a copy in UTF-8 with one kind of line end."""
        if self.encoding in ("utf-8", "utf-8-sig") and self.path.suffix != ".gz":
            pairs = returns = breaks = 0
            with self.path.open("rb") as stream:
                while chunk := stream.read(1 << 20):
                    pairs, returns = pairs + chunk.count(b"\r\n"), returns + chunk.count(b"\r")
                    breaks += chunk.count(b"\n")
            if pairs == returns and pairs in (0, breaks):
                return self.path
        copy = folder / "copy.csv"
        try:
            with (
                io.TextIOWrapper(self._bytes(), self.encoding) as source,
                copy.open("w", encoding="utf-8", newline="\n") as target,
            ):
                while part := source.read(1 << 20):
                    target.write(part)
        except (UnicodeError, EOFError, OSError) as error:
            raise InputError(
                f"{str(self.path)!r} cannot be read as {self.encoding}: {first_line(error)}. Name another encoding=."
            ) from None
        return copy


def _rows(sample: str, delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(sample), delimiter=delimiter)
    except csv.Error:  # a field that never ends, or the wrong delimiter
        return


def load_texts(connection: Any, texts: list[TextFile], mapping: dict[str, str]) -> tuple[Any, Any, int, list[str]]:
    """All rows as text, the lines that are no rows, how many those are, and what is to be said about it."""
    many = len(texts) > 1
    listed = ", ".join(f"{identifier(role)} VARCHAR" for role in mapping)
    connection.raw_sql(f"CREATE TEMP TABLE raw ({listed}, source_row BIGINT{', source_file VARCHAR' if many else ''})")
    connection.raw_sql("CREATE TEMP TABLE rejected (source_file VARCHAR, line BIGINT, text VARCHAR, why VARCHAR)")
    lines, notes = 0, []
    for text in texts:
        with tempfile.TemporaryDirectory() as folder:
            lines += _load_text(connection, text, text.as_utf8(Path(folder)), mapping, many)
        notes += [note for note in text.notes if note not in notes]
    return connection.table("raw"), connection.table("rejected"), lines, notes


def _load_text(connection: Any, text: TextFile, path: Path, mapping: dict[str, str], many: bool) -> int:
    """Fill `raw` from one file and `rejected` with the lines that are no rows; returns how many those are."""
    import duckdb

    fields = ", ".join(f"'c{n}': 'VARCHAR'" for n in range(len(text.columns)))
    options = (
        f"auto_detect = false, header = true, skip = {text.blank_lines}, delim = {literal(text.delimiter)}, quote = '\"', escape = '\"', "
        f"columns = {{{fields}}}, nullstr = ''"
    )
    source = f"read_csv({literal(str(path))}, {options}, store_rejects = true, rejects_table = 'wrong', rejects_scan = 'scans')"
    chosen = ", ".join(f"c{text.columns.index(column)}" for column in mapping.values())
    file = f", {literal(text.path.name)}" if many else ""
    try:
        connection.raw_sql(f"INSERT INTO raw SELECT {chosen}, row_number() OVER (){file} FROM {source}")
        rows = connection.raw_sql(
            "SELECT count(*) FROM raw" + (f" WHERE source_file = {literal(text.path.name)}" if many else "")
        ).fetchall()[0][0]
        connection.raw_sql(
            f"INSERT INTO rejected SELECT {literal(text.path.name)}, line, any_value(csv_line), any_value(error_message) "
            "FROM wrong WHERE trim(csv_line, ' \t\n') != '' GROUP BY line ORDER BY line"
        )
        connection.raw_sql("DROP TABLE wrong; DROP TABLE scans")
        wrong = connection.raw_sql(
            f"SELECT line, text FROM rejected WHERE source_file = {literal(text.path.name)}"
        ).fetchall()
    except duckdb.Error as error:
        raise InputError(f"{str(text.path)!r} cannot be read as a table: {first_line(error)}") from None
    lines = sum(sum(map(bool, map(str.strip, content.splitlines()))) for _, content in wrong)
    total = _lines_of_data(path) - sum(name.count("\n") for name in text.columns)
    if total - rows - lines > 0:  # rows over several lines, or lost ones?
        breaks = " + ".join(
            f"coalesce(length(c{n}) - length(replace(c{n}, chr(10), '')), 0)" for n in range(len(text.columns))
        )
        inside = connection.raw_sql(
            f"SELECT coalesce(sum({breaks}), 0) FROM read_csv({literal(str(path))}, {options}, ignore_errors = true)"
        ).fetchall()[0][0]
        if total - rows - lines - inside > 0:
            where = f" It opens in line {wrong[0][0]:,}: {wrong[0][1][:80]!r}." if wrong else ""
            raise InputError(
                f"{str(text.path)!r}: {total - rows - lines - inside:,} of {total:,} lines would be lost, because a quotation "
                f"mark opens a field and never closes it.{where} Close it, or export the file again with quotation marks doubled."
            )
        text.notes.append(f"{inside:,} line breaks stand inside quoted fields; a row may take several lines.")
    if lines > _TOLERATED * max(1, total):
        shown = "; ".join(f"line {line:,}: {content.splitlines()[0][:80]!r}" for line, content in wrong[:3])
        raise InputError(
            f"{str(text.path)!r}: {lines:,} of {total:,} lines ({lines / total:.1%}) do not have the {len(text.columns)} fields of "
            f"the header (delimiter {text.delimiter!r}): {shown}. Up to 1 % would go to the ledger; name delimiter=, or export again."
        )
    return lines


def _lines_of_data(path: Path) -> int:
    """Lines after the header that are not blank."""
    lines, tail = 0, b"\n"
    blank = re.compile(rb"\n(?=[ \t]*\r?\n)")
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 22):
            lines += chunk.count(b"\n") - len(blank.findall(tail[-1:] + chunk))
            tail = chunk
    return lines + bool(tail.rpartition(b"\n")[2].strip()) - 1
