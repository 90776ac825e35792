"""Rules that people type, such as `birth_date < registered_on`: parsed, held against a list of what is allowed, judged.

A rule is never run as code and never sent to a database. Allowed are columns, numbers, texts in 'single quotes', true and
false; = <> < <= > >= BETWEEN IN IS NULL; AND OR NOT and brackets. Anything else raises and says what.
"""

import operator
from dataclasses import dataclass
from typing import Any

import pandas as pd
import sqlglot
from sqlglot import exp

from crmkit.errors import ColumnError, InputError, KindError, near_misses

_LONGEST = 2_000
_ALLOWED = "columns, numbers, texts in 'single quotes', = <> < <= > >=, BETWEEN, IN, IS NULL, AND, OR, NOT and brackets"
_NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal")
_SIGNS = {exp.EQ: operator.eq, exp.NEQ: operator.ne, exp.LT: operator.lt}
_SIGNS |= {exp.LTE: operator.le, exp.GT: operator.gt, exp.GTE: operator.ge}


@dataclass(frozen=True)
class Condition:
    """One rule: its `text`, and the `columns` it speaks of."""

    text: str
    columns: tuple[str, ...]
    _tree: Any

    @classmethod
    def parse(cls, text: str) -> "Condition":
        """A rule from its text; InputError says what in it is not allowed.

        >>> Condition.parse("birth_date < registered_on AND sex IN ('f', 'm')").columns
        ('birth_date', 'registered_on', 'sex')
        >>> Condition.parse("amount > 0 OR system('ls') = 0")
        Traceback (most recent call last):
        crmkit.errors.InputError: the rule "amount > 0 OR system('ls') = 0" holds SYSTEM('ls'), which is not allowed there; ...
        """
        if not isinstance(text, str):
            raise KindError(f"a rule is a text such as 'birth_date < registered_on', not {type(text).__name__}.")
        if not text.strip() or len(text) > _LONGEST:
            raise InputError(f"a rule has 1 to {_LONGEST:,} characters; this one has {len(text.strip()):,}.")
        try:
            trees = sqlglot.parse(text)
            if len(trees) != 1 or trees[0] is None:
                raise InputError(f"{text!r} is not one rule; write each as a text of its own, without a semicolon.")
            _allowed(trees[0], text)
        except (sqlglot.errors.ParseError, sqlglot.errors.TokenError) as error:
            told = (getattr(error, "errors", None) or [{}])[0]
            where = f" at character {told['col']}" if told.get("col") else ""
            raise InputError(f"the rule {text!r} cannot be read{where}; a rule is made of {_ALLOWED}.") from None
        except RecursionError:
            raise InputError(f"the rule {text[:60]!r} … has too many parts in one another.") from None
        columns = dict.fromkeys(node.name for node in trees[0].find_all(exp.Column, bfs=False))
        return cls(text, tuple(columns), trees[0])

    def judge(self, frame: pd.DataFrame) -> "pd.Series[Any]":
        """Whether each row obeys (nullable boolean): missing where a missing value leaves it open, as in SQL.

        >>> days = pd.DataFrame({"born": pd.to_datetime(["1990-01-01", None]), "joined": pd.to_datetime(["2025-01-01"] * 2)})
        >>> Condition.parse("born < joined").judge(days).to_list()
        [True, <NA>]
        """
        for column in self.columns:
            if column not in frame.columns:
                raise ColumnError(
                    f"the rule {self.text!r} speaks of {column!r}, but the columns are {', '.join(map(str, frame.columns))}."
                    + (near_misses(column, frame.columns) or " A text stands in single quotes: 'f'.")
                )
        return _truth(self._tree, frame, self.text)


def _allowed(node: Any, text: str, *, value: bool = False) -> None:
    """Raise unless the node is a condition (or, where one belongs, a value) and so is all below it."""
    if value:
        plain = isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier) and len(node.parts) == 1
        negative = isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal) and not node.this.is_string
        if plain or negative or isinstance(node, exp.Literal | exp.Boolean):
            return
    elif isinstance(node, exp.Paren | exp.Not):
        return _allowed(node.this, text)
    elif isinstance(node, exp.And | exp.Or):
        _allowed(node.left, text)
        return _allowed(node.right, text)
    else:
        values = _values(node)
        if values:
            for part in values:
                _allowed(part, text, value=True)
            return
    raise InputError(
        f"the rule {text!r} holds {node.sql()[:60]}, which is not allowed there; a rule is made of {_ALLOWED}."
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


def _truth(node: Any, frame: pd.DataFrame, text: str) -> "pd.Series[Any]":
    if isinstance(node, exp.Paren):
        return _truth(node.this, frame, text)
    if isinstance(node, exp.Not):
        return ~_truth(node.this, frame, text)
    if isinstance(node, exp.And):
        return _truth(node.left, frame, text) & _truth(node.right, frame, text)
    if isinstance(node, exp.Or):
        return _truth(node.left, frame, text) | _truth(node.right, frame, text)
    first, *others = (_value(part, frame) for part in _values(node))
    if isinstance(node, exp.Is):
        gone = first.isna() if isinstance(first, pd.Series) else pd.Series(False, index=frame.index)
        return gone.astype("boolean")
    if isinstance(node, exp.Between):
        return _compare(operator.ge, first, others[0], frame, text) & _compare(
            operator.le, first, others[1], frame, text
        )
    if isinstance(node, exp.In):
        found = _compare(operator.eq, first, others[0], frame, text)
        for other in others[1:]:
            found |= _compare(operator.eq, first, other, frame, text)
        return found
    return _compare(_SIGNS[type(node)], first, others[0], frame, text)


def _value(node: Any, frame: pd.DataFrame) -> Any:
    if isinstance(node, exp.Column):
        values = frame[node.name]
        held = pd.api.types.infer_dtype(values, skipna=True) if values.dtype == object else ""
        if held in ("date", "datetime", "datetime64"):
            return pd.to_datetime(values)
        return values.astype("boolean") if held == "boolean" else pd.to_numeric(values) if held in _NUMBERS else values
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.Neg):
        return -float(node.this.this)
    return node.this if node.is_string else float(node.this)


def _compare(sign: Any, left: Any, right: Any, frame: pd.DataFrame, text: str) -> "pd.Series[Any]":
    """A comparison of two values of one kind; a text beside a day is read as a day."""
    sides = [left, right]
    kinds = [_kind(side) for side in sides]
    for one, other in ((0, 1), (1, 0)):
        if kinds[one] == "day" and isinstance(sides[other], str):
            try:
                sides[other], kinds[other] = pd.Timestamp(sides[other]), "day"
            except ValueError:
                raise InputError(f"the rule {text!r}: {sides[other]!r} is no day; write '2025-12-31'.") from None
    if kinds[0] != kinds[1] and "nothing" not in kinds:
        raise InputError(
            f"the rule {text!r} compares a {kinds[0]} with a {kinds[1]}; convert one of the columns first."
        )
    series = [
        side if isinstance(side, pd.Series) else pd.Series([side] * len(frame), index=frame.index) for side in sides
    ]
    known = series[0].notna() & series[1].notna()
    found = pd.Series(pd.NA, index=frame.index, dtype="boolean")
    if known.any():
        found[known] = sign(*(one[known] for one in series)).astype("boolean")
    return found


def _kind(value: Any) -> str:
    if not isinstance(value, pd.Series):
        value = pd.Series([value])
    if value.isna().all():
        return "nothing"
    if pd.api.types.is_bool_dtype(value):
        return "yes or no"
    if pd.api.types.is_numeric_dtype(value):
        return "number"
    return "day" if pd.api.types.is_datetime64_any_dtype(value) else "text"
