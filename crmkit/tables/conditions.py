"""Rules that people type, such as `birth_date < registered_on`: parsed, held against a list of what is allowed, judged.

A rule is never run as code and never sent to a database. Allowed are columns, numbers, texts in 'single quotes', true and
false; = <> < <= > >= BETWEEN IN IS NULL; AND OR NOT and brackets; + - * / where the caller allows arithmetic. Anything else
raises, and says what and where.
"""

import datetime
import math
import operator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import sqlglot
from sqlglot import exp

from crmkit.errors import ColumnError, InputError, KindError, near_misses

_LONGEST = 2_000
_ALLOWED = "columns, numbers, texts in 'single quotes', = <> < <= > >=, BETWEEN, IN, IS NULL, AND, OR, NOT and brackets"
_NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal")
_SIGNS = {exp.EQ: operator.eq, exp.NEQ: operator.ne, exp.LT: operator.lt}
_SIGNS |= {exp.LTE: operator.le, exp.GT: operator.gt, exp.GTE: operator.ge}
_ARITHMETIC = {exp.Add: operator.add, exp.Sub: operator.sub, exp.Mul: operator.mul, exp.Div: operator.truediv}
_ONE_DAY = np.timedelta64(1, "D")
_KINDS = ("number", "day", "text", "yes or no")
#: Words of SQL that a rule is made of, and what is no word; any other may be meant as a column if it stands beside a sign.
_WORDS = ("VAR", "STRING", "IDENTIFIER", "NUMBER", "AND", "OR", "NOT", "IN", "BETWEEN", "IS", "NULL", "TRUE", "FALSE")
_BESIDE = {"EQ", "NEQ", "LT", "LTE", "GT", "GTE", "IN", "BETWEEN", "IS"}


class _Value(NamedTuple):
    """One value a row, or one for all rows: its kind, the data, and where it is known."""

    kind: str  # one of _KINDS; nothing if it is missing everywhere; else what it holds, which cannot be compared
    data: Any
    known: Any


class _Truth(NamedTuple):
    """SQL's three values as two arrays; where neither is true, the rule is open."""

    yes: np.ndarray
    no: np.ndarray


@dataclass(frozen=True)
class Condition:
    """One rule: its `text`, and the `columns` it speaks of."""

    text: str
    columns: tuple[str, ...]
    _tree: Any

    @classmethod
    def parse(cls, text: str, *, arithmetic: bool = False) -> "Condition":
        """A rule from its text; InputError says what in it is not allowed, and where it stands.

        With `arithmetic`, values may be reckoned with + - * / and brackets: numbers, days and numbers of days, day - day.
        A division by zero is missing.

        >>> Condition.parse("birth_date < registered_on AND sex IN ('f', 'm')").columns
        ('birth_date', 'registered_on', 'sex')
        >>> Condition.parse("amount > 0 OR system('ls') = 0")
        Traceback (most recent call last):
        crmkit.errors.InputError: the rule "amount > 0 OR system('ls') = 0" holds SYSTEM('ls') at character 15, which is ...
        """
        if not isinstance(text, str):
            raise KindError(f"a rule is a text such as 'birth_date < registered_on', not {type(text).__name__}.")
        if not text.strip() or len(text) > _LONGEST:
            raise InputError(f"a rule has 1 to {_LONGEST:,} characters; this one has {len(text.strip()):,}.")
        may = _ALLOWED.replace(", = <>", ", + - * /, = <>") if arithmetic else _ALLOWED
        try:
            _insist_on_plain_words(text)
            tree = sqlglot.parse_one(text, into=exp.Condition)  # a condition from the start: no statement is even tried
            _allowed(tree, text, may, arithmetic)
        except (sqlglot.errors.ParseError, sqlglot.errors.TokenError) as error:
            told = (getattr(error, "errors", None) or [{}])[0]
            where = f" at character {told['col']}" if told.get("col") else ""
            where += f" of line {told['line']}" if where and told.get("line", 1) > 1 else ""
            quote = "; a text that begins with ' must end with '" if text.count("'") % 2 else ""
            told = f"the rule {text!r} cannot be read{where}{quote}{_maybe_a_column(text)}; a rule is made of {may}."
            raise InputError(told) from None
        except RecursionError:
            raise InputError(f"the rule {text[:60]!r} … has too many parts in one another.") from None
        columns = dict.fromkeys(node.name for node in tree.find_all(exp.Column, bfs=False))
        return cls(text, tuple(columns), tree)

    def judge(self, frame: pd.DataFrame) -> "pd.Series[Any]":
        """Whether each row obeys (nullable boolean): missing where a missing value leaves it open, as in SQL.

        >>> days = pd.DataFrame({"born": pd.to_datetime(["1990-01-01", None]), "joined": pd.to_datetime(["2025-01-01"] * 2)})
        >>> Condition.parse("born < joined").judge(days).to_list()
        [True, <NA>]
        """
        for column in self.columns:
            if column not in frame.columns:
                raise ColumnError(
                    f"the rule {self.text!r} speaks of {column!r}{self.where(column)}, but the columns are "
                    f"{', '.join(map(str, frame.columns))}."
                    + (near_misses(column, frame.columns) or " A text stands in single quotes: 'f'.")
                )
        yes, no = _truth(self._tree, frame, self.text)
        return pd.Series(pd.arrays.BooleanArray(yes, ~(yes | no)), index=frame.index)

    def where(self, column: str) -> str:
        """The place of a column in the rule, in words.

        >>> Condition.parse("sex = 'f' AND age < 30").where("age")
        ' at character 15'
        """
        return next((_at(node) for node in self._tree.find_all(exp.Column, bfs=False) if node.name == column), "")

    def divides_by_zero(self, frame: pd.DataFrame) -> np.ndarray:
        """Rows in which some division of the rule has a divisor of 0.

        >>> Condition.parse("spend / orders > 10", arithmetic=True).divides_by_zero(pd.DataFrame({"spend": 5, "orders": [1, 0]}))
        array([False,  True])
        """
        found = np.zeros(len(frame), dtype=bool)
        for node in self._tree.find_all(exp.Div):
            divisor = _value(node.expression, frame, self.text)
            found |= (divisor.data == 0) & divisor.known
        return found


def _at(node: Any) -> str:
    """Where a part of a rule begins, if the parser tells."""
    starts = [part.meta["start"] for part in node.walk() if "start" in part.meta]
    return f" at character {min(starts) + 1}" if starts else ""


def _maybe_a_column(text: str) -> str:
    """What to do if a word that SQL keeps to itself was meant as a column."""
    try:
        tokens = sqlglot.tokenize(text)
    except sqlglot.errors.TokenError:
        return ""
    kinds = [token.token_type.name for token in tokens]
    for place, token in enumerate(tokens):
        beside = {*kinds[place + 1 : place + 2], *kinds[max(place - 1, 0) : place]}
        if token.text.isidentifier() and kinds[place] not in _WORDS and beside & _BESIDE and "L_PAREN" not in beside:
            return f'; if {token.text!r} is a column, write "{token.text}" in double quotes'
    return ""


def _insist_on_plain_words(text: str) -> None:
    """No comments, which the parser would skip; and every bracket has its partner."""
    opened: list[int] = []
    for token in sqlglot.tokenize(text):
        if token.comments:
            raise InputError(
                f"the rule {text!r} holds a comment near character {token.start + 1}; a rule is read to its end, so "
                "say in `meaning` what you want to say."
            )
        if token.token_type.name == "SEMICOLON":
            raise InputError(
                f"{text!r} is not one rule: a semicolon stands at character {token.start + 1}; write each rule as a text of "
                "its own, without one."
            )
        if token.text == "(" and token.token_type.name == "L_PAREN":
            opened.append(token.start + 1)
        elif token.text == ")" and token.token_type.name == "R_PAREN":
            if not opened:
                raise InputError(f"the rule {text!r}: the bracket at character {token.start + 1} closes nothing.")
            opened.pop()
    if opened:
        raise InputError(f"the rule {text!r}: the bracket at character {opened[-1]} is never closed.")


def _allowed(node: Any, text: str, may: str, arithmetic: bool, *, value: bool = False) -> None:
    """Raise unless the node is a condition (or, where one belongs, a value) and so is all below it."""
    parts: list[Any] = []
    if value:
        plain = isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier) and len(node.parts) == 1
        negative = isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal) and not node.this.is_string
        number = node.this if negative else node
        if isinstance(number, exp.Literal) and not number.is_string and math.isinf(float(number.this)):
            raise InputError(f"the rule {text[:60]!r} … holds a number too large to reckon with: {number.this[:20]} …")
        if plain or negative or isinstance(node, exp.Literal | exp.Boolean):
            return
        if arithmetic and type(node) in (*_ARITHMETIC, exp.Neg, exp.Paren):
            parts = [part for part in (node.this, node.args.get("expression")) if part is not None]
    elif isinstance(node, exp.Paren | exp.Not):
        return _allowed(node.this, text, may, arithmetic)
    elif isinstance(node, exp.And | exp.Or):
        _allowed(node.left, text, may, arithmetic)
        return _allowed(node.right, text, may, arithmetic)
    else:
        parts = _values(node)
    for part in parts:
        _allowed(part, text, may, arithmetic, value=True)
    if not parts:
        raise InputError(
            f"the rule {text!r} holds {node.sql()[:60]}{_at(node)}, which is not allowed there{_maybe_a_column(text)}; "
            f"a rule is made of {may}."
        )


def _values(node: Any) -> list[Any]:
    """The values that a comparison compares; nothing if the node is no comparison that is allowed."""
    given = {name for name, part in node.args.items() if part}
    if type(node) in _SIGNS and given == {"this", "expression"}:
        return [node.this, node.expression]
    if isinstance(node, exp.Between) and given == {"this", "low", "high"}:
        return [node.this, node.args["low"], node.args["high"]]
    if isinstance(node, exp.In) and given == {"this", "expressions"}:
        return [node.this, *node.expressions]
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        return [node.this]
    return []


def _truth(node: Any, frame: pd.DataFrame, text: str) -> _Truth:
    if isinstance(node, exp.Paren):
        return _truth(node.this, frame, text)
    if isinstance(node, exp.Not):
        return _Truth(*reversed(_truth(node.this, frame, text)))
    if isinstance(node, exp.And):
        one, other = _truth(node.left, frame, text), _truth(node.right, frame, text)
        return _Truth(one.yes & other.yes, one.no | other.no)
    if isinstance(node, exp.Or):
        one, other = _truth(node.left, frame, text), _truth(node.right, frame, text)
        return _Truth(one.yes | other.yes, one.no & other.no)
    first, *others = (_value(part, frame, text) for part in _values(node))
    if isinstance(node, exp.Is):
        known = np.broadcast_to(first.known, len(frame))
        return _Truth(~known, known.copy())
    if isinstance(node, exp.Between):
        low, high = (
            _compare(sign, first, end, node, frame, text)
            for sign, end in zip((operator.ge, operator.le), others, strict=True)
        )
        return _Truth(low.yes & high.yes, low.no | high.no)
    if isinstance(node, exp.In):
        found = [_compare(operator.eq, first, other, node, frame, text) for other in others]
        return _Truth(
            np.logical_or.reduce([one.yes for one in found]), np.logical_and.reduce([one.no for one in found])
        )
    return _compare(_SIGNS[type(node)], first, others[0], node, frame, text)


def _value(node: Any, frame: pd.DataFrame, text: str) -> _Value:
    if isinstance(node, exp.Column):
        return _of_column(frame[node.name])
    if isinstance(node, exp.Boolean):
        return _Value("yes or no", bool(node.this), True)
    if isinstance(node, exp.Literal):
        if node.is_string:
            return _Value("text", node.this, True)
        # whole numbers stay whole: beyond 2^53 a float cannot tell one id from the next
        return _Value("number", int(node.this) if node.this.isdecimal() else float(node.this), True)
    if isinstance(node, exp.Paren):
        return _value(node.this, frame, text)
    if isinstance(node, exp.Neg):
        return _reckon(exp.Sub, _Value("number", 0.0, True), _value(node.this, frame, text), node, text)
    return _reckon(type(node), _value(node.left, frame, text), _value(node.right, frame, text), node, text)


def _of_column(values: "pd.Series[Any]") -> _Value:
    if isinstance(values.dtype, pd.CategoricalDtype) or str(values.dtype).startswith("date32"):
        values = values.astype(object)
    held = pd.api.types.infer_dtype(values, skipna=True) if values.dtype == object else ""
    if held in ("date", "datetime", "datetime64"):
        try:
            values = pd.to_datetime(values)
        except ValueError:
            held = "mix of time zones"
    elif held == "boolean":
        values = values.astype("boolean")
    elif held in _NUMBERS:
        values = pd.to_numeric(values)
    known = values.notna().to_numpy(dtype=bool)
    if not known.any():
        return _Value("nothing", None, known)
    if pd.api.types.is_bool_dtype(values):
        return _Value("yes or no", values.fillna(False).to_numpy(dtype=bool), known)
    if values.dtype.kind == "u" or pd.api.types.is_integer_dtype(values):
        return _Value("number", values.fillna(0).to_numpy("uint64" if values.dtype.kind == "u" else "int64"), known)
    if pd.api.types.is_numeric_dtype(values) and values.dtype.kind != "c":
        return _Value("number", values.to_numpy("float64", na_value=np.nan), known)
    if values.dtype.kind == "M":  # pandas 2 does not call Arrow's times datetime64
        # nanoseconds end in 2262, and numpy would turn '9999-12-31' into a day before them without a word
        return _Value("day", values.dt.tz_localize(None).astype("datetime64[us]").to_numpy(), known)
    if held == "string" or (not held and pd.api.types.is_string_dtype(values)):
        return _Value("text", values, known)
    return _Value(f"column of kind {held or str(values.dtype)!r}", values, known)


def _reckon(sign: Any, left: _Value, right: _Value, node: Any, text: str) -> _Value:
    """Arithmetic of numbers; of a day and a number of days; of two days."""
    left, right = _days(left, right, text)
    known, kinds = left.known & right.known, (left.kind, right.kind)
    if "nothing" in kinds:
        return _Value("nothing", None, known)
    if kinds == ("number", "number"):
        one, other = (np.asarray(side.data, dtype="float64") for side in (left, right))
        if sign is exp.Div:
            other = np.where(other == 0, np.nan, other)
        with np.errstate(over="ignore", invalid="ignore"):
            found = _ARITHMETIC[sign](one, other)
        return _Value("number", found, known & ~np.isnan(found))  # by zero, or infinite less infinite
    if kinds == ("day", "day") and sign is exp.Sub:
        return _Value("number", (np.asarray(left.data) - np.asarray(right.data)) / _ONE_DAY, known)
    if kinds == ("day", "number") and sign in (exp.Add, exp.Sub):
        days = np.nan_to_num(np.asarray(right.data, dtype="float64"))
        if (np.abs(days) > 1e6).any():
            raise InputError(f"the rule {text!r}{_at(node)}: that many days lead out of the calendar.")
        day = np.asarray(left.data, dtype="datetime64[us]")
        return _Value("day", _ARITHMETIC[sign](day, (days * 86_400_000_000).astype("timedelta64[us]")), known)
    raise InputError(
        f"the rule {text!r} reckons with a {kinds[0]} and a {kinds[1]}{_at(node)}: {node.sql()[:60]}. Numbers can be added, "
        "taken away, multiplied and divided; to a day a number of days can be added; a day less a day is a number of days."
    )


def _days(left: _Value, right: _Value, text: str) -> tuple[_Value, _Value]:
    """A text beside a day is read as a day."""
    sides = [left, right]
    for one, other in ((0, 1), (1, 0)):
        if sides[one].kind == "day" and isinstance(sides[other].data, str):
            try:
                day = datetime.datetime.fromisoformat(sides[other].data.strip())
            except ValueError:
                raise InputError(f"the rule {text!r}: {sides[other].data!r} is no day; write '2025-12-31'.") from None
            if day.tzinfo:
                raise InputError(
                    f"the rule {text!r}: {sides[other].data!r} has a time zone; days count where the column was written."
                )
            sides[other] = _Value("day", np.datetime64(day, "us"), True)
    return sides[0], sides[1]


def _compare(sign: Any, left: _Value, right: _Value, node: Any, frame: pd.DataFrame, text: str) -> _Truth:
    """A comparison of two values of one kind."""
    left, right = _days(left, right, text)
    known = np.broadcast_to(left.known & right.known, len(frame))
    kinds = {left.kind, right.kind} - {"nothing"}
    if len(kinds) > 1 or not kinds <= {*_KINDS}:
        raise InputError(
            f"the rule {text!r} compares a {left.kind} with a {right.kind}{_at(node)}: {node.sql()[:60]}; "
            "convert one of the columns first, and write numbers without quotes and texts within 'single quotes'."
        )
    yes = np.zeros(len(frame), dtype=bool)
    if len(frame) and known.all():
        yes[:] = sign(left.data, right.data)
    elif known.any():
        yes[known] = sign(*(side.data if np.ndim(side.data) == 0 else side.data[known] for side in (left, right)))
    return _Truth(yes, known & ~yes)
