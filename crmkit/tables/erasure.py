"""Erasing one person from all tables, free text included, with a proof that a search finds nothing left."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import pandas as pd

from crmkit.errors import InputError, KindError, near_misses
from crmkit.tables.frames import counted, id_text, needs, texts

TREATMENTS = ("delete", "blank", "identifies")
#: What stands in a text where the person was named.
ERASED = "[erased]"
#: A name this short, or a number with fewer digits, is found everywhere: searching for it would erase others.
_LETTERS, _DIGITS = 4, 7
_WORD, _RUN = re.compile(r"[^\W_]+"), re.compile(r"[+(]*[0-9][0-9 ()/.\-]{5,}[0-9]")
_CHINESE = re.compile(r"[\u3400-\u9fff]{2,}")


@dataclass(frozen=True, repr=False)
class Erasure:
    """All tables without one person, and the proof.

    tables : copies of the tables, under the same names.
    proof : one row a table: `rows_before`, `deleted` (rows), `blanked` (cells: the row stays, nobody stands in it),
        `masked` (texts in which the person was named), `rows_after`, and `found_before`, `found_after`: cells in
        which a search finds the person. The search is another one than that which masked.
    shared : cells that hold something of this person which another person has too (a family's telephone, the same
        name): `table`, `row`, `column`, `value`. They were left alone; somebody must read them.
    searched : what was searched for: `trait`, `value`, `shared`.
    """

    tables: dict[str, pd.DataFrame]
    proof: pd.DataFrame
    shared: pd.DataFrame
    searched: pd.DataFrame

    @property
    def complete(self) -> bool:
        """The search finds nothing of this person any more."""
        return int(self.proof["found_after"].sum()) == 0

    def __str__(self) -> str:
        found, left = int(self.proof["found_before"].sum()), int(self.proof["found_after"].sum())
        parts = [
            f"{counted(self.proof['deleted'].sum(), 'row')} deleted, {counted(self.proof['blanked'].sum(), 'cell')} "
            f"blanked, {counted(self.proof['masked'].sum(), 'text')} masked in {counted(len(self.proof), 'table')}.",
            f"The search found the person in {counted(found, 'cell')} before and in {left:,} after"
            + (": nothing is left." if not left else ": THE ERASURE IS NOT COMPLETE."),
        ]
        if len(self.shared):
            parts.append(f"Read {counted(len(self.shared), 'cell')} with something that another person has too.")
        return " ".join(parts)

    __repr__ = __str__


def erase(
    tables: Mapping[str, pd.DataFrame],
    ids: "object | Iterable[object]",
    rules: Mapping[str, Mapping[str, str]],
    *,
    clusters: "pd.Series[Any] | None" = None,
) -> Erasure:
    """A customer asks to be forgotten: what has to go from which table, and is it really gone?

    Rows of the person are deleted, or the id is taken out of them and the row stays (a receipt that the books need).
    Then every text cell of every table is searched for what identifies the person (ids, names, telephone numbers,
    e-mail addresses), in any spelling with other spaces, hyphens or capitals, and masked. What another person has
    too is not searched for: a daughter keeps the family's number. No search finds "the lady with the red coat".

    Parameters
        tables: all tables of the firm by name. A table without a rule is refused: forgotten copies are the usual hole.
        ids: the id of one record, or all ids of the person.
        rules: for each table the treatment of its columns: "delete" (an id; the row goes), "blank" (an id; the row
            stays), "identifies" (a name, number or address that is searched for). `{}` for a table that is only searched.
        clusters: the person of each record, by record id (`identity.clusters`). All records of the person go.
    Returns: `Erasure`: `.tables`, `.proof`, `.shared`, `.searched`, `.complete`; `str` says it in words.
    Raises: InputError for a table without rule, a rule without table, an unknown treatment, an id that no table has;
        ColumnError for a column that is not there.

    >>> people = pd.DataFrame({"card": ["M001", "M002"], "name": ["Ada Byron", "Bo Li"], "phone": ["030 5550101", "030 5550102"]})
    >>> calls = pd.DataFrame({"card": ["M002"], "note": ["came with ada  byron (M001), tel. 030-555 01 01"]})
    >>> rules = {"people": {"card": "delete", "name": "identifies", "phone": "identifies"}, "calls": {"card": "delete"}}
    >>> done = erase({"people": people, "calls": calls}, "M001", rules)
    >>> done.tables["calls"]["note"].item()
    'came with [erased] ([erased]), tel. [erased]'
    >>> done
    1 row deleted, 0 cells blanked, 1 text masked in 2 tables.
    The search found the person in 4 cells before and in 0 after: nothing is left.
    """
    _check(tables, rules)
    wanted = _all_ids(ids, clusters)
    of_person = {
        name: {column: tables[name][column].map(id_text, na_action="ignore").isin(wanted) for column in its}
        for name, rule in rules.items()
        if (its := [column for column, how in rule.items() if how != "identifies"])
    }
    if not any(hits.any() for columns in of_person.values() for hits in columns.values()):
        raise InputError(f"no table has the id {', '.join(sorted(wanted))}; look it up in the table of persons first.")
    searched = _traits(tables, rules, of_person, wanted)
    own = searched[~searched["shared"]]
    search = _Search(own.loc[own["trait"] != "id", "value"], ids=own.loc[own["trait"] == "id", "value"])

    after, proof = {}, []
    for name, frame in tables.items():
        hits = of_person.get(name, {})
        gone = pd.Series(False, index=frame.index)
        kept = frame.copy()
        blanked = masked = 0
        for column, its in hits.items():
            if rules[name][column] == "delete":
                gone |= its
        for column, its in hits.items():
            if rules[name][column] == "blank":
                blanked += int((its & ~gone).sum())
                kept[column] = kept[column].mask(its)
        kept = kept[~gone]
        for column in filter(lambda column: _is_text(kept[column]), kept.columns):
            clean = {text: search.mask(text) for text in kept[column].dropna().unique()}
            if changed := {text for text, now in clean.items() if text != now}:
                masked += int(kept[column].isin(changed).sum())
                kept[column] = texts(kept[column].astype(object).map(clean, na_action="ignore"))
        after[name] = kept.reset_index(drop=True)
        found = [_found(table, list(hits), wanted, search) for table in (frame, kept)]
        proof.append((name, len(frame), int(gone.sum()), blanked, masked, len(kept), *found))
    columns = ["table", "rows_before", "deleted", "blanked", "masked", "rows_after", "found_before", "found_after"]
    return Erasure(after, pd.DataFrame(proof, columns=columns), _shared(after, searched), searched)


def _check(tables: Mapping[str, pd.DataFrame], rules: Mapping[str, Mapping[str, str]]) -> None:
    for name in tables:
        if name not in rules:
            raise InputError(
                f"table {name!r} has no rule, so nobody would look there; give it one, or {{}} to have it searched only."
            )
    for name, rule in rules.items():
        if name not in tables:
            raise InputError(f"there is a rule for {name!r}, which is no table.{near_misses(name, tables)}")
        needs(tables[name], rule, f"table {name!r}")
        for column, how in rule.items():
            if how not in TREATMENTS:
                raise InputError(
                    f"{name}.{column}: {how!r} is no treatment; use {', '.join(TREATMENTS)}.{near_misses(how, TREATMENTS)}"
                )


def _all_ids(ids: Any, clusters: "pd.Series[Any] | None") -> set[str]:
    given = [ids] if isinstance(ids, str) or not isinstance(ids, Iterable) else list(ids)
    wanted = {id_text(each) for each in given if not pd.isna(each)}
    if not wanted:
        raise InputError("ids is empty; name the record, or the records, of the person to erase.")
    if clusters is None:
        return wanted
    if not isinstance(clusters, pd.Series):
        raise KindError(f"clusters must be a Series of persons by record id, not {type(clusters).__name__}.")
    records = clusters.index.map(id_text)
    if unknown := sorted(wanted - set(records)):
        raise InputError(f"clusters do not know the record {unknown[0]!r}.{near_misses(unknown[0], records)}")
    return {*wanted, *records[clusters.isin(clusters[records.isin(wanted)])]}


def _traits(
    tables: Mapping[str, pd.DataFrame],
    rules: Mapping[str, Mapping[str, str]],
    of_person: Mapping[str, Mapping[str, "pd.Series[bool]"]],
    wanted: set[str],
) -> pd.DataFrame:
    """What identifies the person, and whether somebody else has it too."""
    rows = [("id", each, False) for each in sorted(wanted)]
    for name, rule in rules.items():
        identifying = [column for column, how in rule.items() if how == "identifies"]
        if not identifying or name not in of_person:
            continue
        frame, its = tables[name], pd.concat(of_person[name], axis=1).any(axis=1)
        texts = {column: frame[column].map(id_text, na_action="ignore").dropna() for column in identifying}
        others = [text for column in texts.values() for text in column[~its.loc[column.index]].unique()]
        for column, values in texts.items():
            for value in sorted(set(values[its.loc[values.index]])):
                search = _Search([value])
                rows.append((column, value, any(search.finds(other) for other in others)))
    traits = pd.DataFrame(rows, columns=["trait", "value", "shared"])
    return traits[traits["value"].map(_searchable)].drop_duplicates("value", ignore_index=True)


def _tokens(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)


def _is_number(value: str) -> bool:
    return len(_digits(value)) >= _DIGITS and not re.search(r"[^\W\d_]", value)


def _searchable(value: str) -> bool:
    """Not what is found everywhere: "17", "Li"."""
    tokens, letters = _tokens(value), re.sub(r"[\W\d_]", "", value)
    code = len("".join(tokens)) >= 3 and bool(letters) and bool(_digits(value))
    return code or _is_number(value) or len(letters) >= _LETTERS or bool(_CHINESE.fullmatch(value.strip()))


class _Search:
    """What identifies one person, by the form in which it is looked for.

    Masking and searching go different ways, so that the one can prove the other: masking looks for words in any
    order at their places in the text, searching for each order in the text without its signs.
    """

    def __init__(self, values: Iterable[str], ids: Iterable[str] = ()) -> None:
        values, ids = list(values), list(ids)  # an id is a whole word, never a part of a longer number
        self.numbers = {_digits(value)[-8:] for value in values if _is_number(value)}
        self.chinese = {value.strip() for value in values if _CHINESE.fullmatch(value.strip())}
        words = [value for value in values if not _is_number(value) and value.strip() not in self.chinese] + ids
        self.words = {tuple(sorted(_tokens(value))) for value in words if _tokens(value)}
        orders = [permutations(each) if len(each) <= 4 else [each] for each in map(_tokens, words)]
        self.spelled = {f" {' '.join(order)} " for each in orders for order in each}
        # most cells hold nothing of the person: a word of each name, or the digits of a number, must be there at all
        self.seeds = [*self.chinese, *{max(each, key=len) for each in self.words}]
        self.spread = re.compile("|".join(r"[^0-9]*".join(number) for number in self.numbers) or "(?!)")

    def possible(self, text: str) -> bool:
        folded = text.casefold()
        return any(seed in folded for seed in self.seeds) or bool(self.spread.search(text))

    def finds(self, text: str) -> bool:
        if not self.possible(text):
            return False
        line = f" {' '.join(_tokens(text))} "
        numbers = any(number in _digits(text) for number in self.numbers)
        return numbers or any(name in text for name in self.chinese) or any(each in line for each in self.spelled)

    def mask(self, text: Any) -> Any:
        if not isinstance(text, str) or not self.possible(text):
            return text
        spans = [match.span() for name in self.chinese for match in re.finditer(re.escape(name), text)]
        # a date beside the number goes with it: too much is better than too little
        runs = _RUN.finditer(text) if self.numbers else ()
        spans += [run.span() for run in runs if any(number in _digits(run[0]) for number in self.numbers)]
        tokens = [(match[0].casefold(), *match.span()) for match in _WORD.finditer(text)]
        for words in self.words:
            for start in range(len(tokens) - len(words) + 1):
                window = tokens[start : start + len(words)]
                if tuple(sorted(token for token, _, _ in window)) == words:
                    spans.append((window[0][1], window[-1][2]))
        done = len(text)
        for start, end in sorted(spans, key=lambda span: (-span[1], span[0])):
            if start < done:
                text, done = text[:start] + (ERASED + text[end:] if end <= done else text[done:]), start
        return text


def _is_text(values: "pd.Series[Any]") -> bool:
    return values.dtype == object or isinstance(values.dtype, pd.StringDtype | pd.CategoricalDtype)


def _found(frame: pd.DataFrame, id_columns: list[str], ids: set[str], search: _Search) -> int:
    """Cells in which the person stands: the id in its columns, anything in every text and whole number."""
    found = 0
    for column in frame.columns:
        if _is_text(frame[column]) or pd.api.types.is_integer_dtype(frame[column]) or column in id_columns:
            values = frame[column].map(id_text, na_action="ignore").dropna()
            known = {value for value in values.unique() if search.finds(value)}
            found += int(values.isin(known | ids if column in id_columns else known).sum())
    return found


def _shared(tables: Mapping[str, pd.DataFrame], searched: pd.DataFrame) -> pd.DataFrame:
    search = _Search(searched.loc[searched["shared"], "value"])
    rows = [
        (name, row, column, value)
        for name, frame in tables.items()
        for column in frame.columns
        if _is_text(frame[column])
        for row, value in frame[column].dropna().items()
        if search.finds(str(value))
    ]
    return pd.DataFrame(rows, columns=["table", "row", "column", "value"])
