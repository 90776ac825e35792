"""Is the answer the same? If not, a reason in words that helps and gives no value of the solution away.

What a student gives may be anything. Only known kinds are opened, through the methods of their base class, so that
nothing of the student's is called, changed, or run through without end.
"""

import datetime
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

_RELATIVE = 1e-6
_NUMBER, _TEXT, _DATE, _YES_NO, _LIST = "a number", "text", "a date", "True or False", "a list"
_KINDS: tuple[tuple[Any, str], ...] = (
    (type(...), "no answer"),
    ((type(None), type(pd.NA), type(pd.NaT)), "a missing value"),
    ((bool, np.bool_), _YES_NO),
    ((int, float, Decimal, Fraction, np.integer, np.floating), _NUMBER),
    (str, _TEXT),
    ((datetime.date, np.datetime64, pd.Period), _DATE),
    (pd.DataFrame, "a table"),
    (pd.Series, "a Series"),
    (dict, "a dictionary"),
    ((set, frozenset), "a set"),
    ((list, tuple, range, np.ndarray, pd.Index, pd.api.extensions.ExtensionArray), _LIST),
    ((type(lambda: 0), type(len), type([].append)), "a function (call it, with brackets)"),
)


def difference(
    expected: Any,
    given: Any,
    *,
    digits: int | None = None,
    ordered: bool = False,
    keys: tuple[str, ...] = (),
    extra_columns: bool = False,
    mistake: bool = False,
) -> str | None:
    """Why `given` is not the same as `expected`, in words; None if it is the same.

    Numbers agree to one part in a million, or after rounding to `digits` digits. Text is compared without regard to
    case and spaces, sets without order, lists in order. Series and tables are compared by their index or by the columns
    in `keys`, tables with neither as a bag of rows; the order of rows counts only if `ordered`. If `expected` is a known
    `mistake`, rounding may take a third of a number at most: 0 agrees with a small number to one digit, and yet nobody who
    gives 0 has made that mistake.

    >>> difference(3, 3.0000001) is None
    True
    >>> difference(3, "3")
    'You gave text; a number was expected.'
    >>> difference({"a", "b"}, ["b"])
    'You have 1 of 2: a is missing.'
    """
    try:
        return _Comparison(digits, ordered, tuple(keys), extra_columns, mistake).values(expected, given)
    except Exception as error:  # whatever a student's object does, a check answers
        return f"Your answer could not be read ({type(error).__name__}); {_kind(expected)} was expected."


@dataclass(frozen=True)
class _Comparison:
    digits: int | None
    ordered: bool
    keys: tuple[str, ...]
    extra_columns: bool
    mistake: bool

    def values(self, expected: Any, given: Any) -> str | None:
        kind, other = _kind(expected), _kind(given)
        expected, given = _opened(expected, kind), _opened(given, other)
        # the same thing in another coat: a Series for a dictionary, one column for a Series, a list for a set
        if kind == "a table" and other == "a Series" and expected.shape[1] == 1:
            given, other = given.to_frame(expected.columns[0]), kind
        elif kind == "a Series" and other == "a table" and given.shape[1] == 1:
            given, other = given.iloc[:, 0], kind
        elif kind == "a Series" and other == "a dictionary":
            given, other = pd.Series(list(given.values()), index=list(given), dtype=object), kind
        elif kind == "a dictionary" and other == "a Series":
            given, other = given.to_dict(), kind
        elif kind in (_LIST, "a set") and other in (_LIST, "a set", "a Series"):
            given, other = list(given), kind
        elif kind == _DATE and other == _TEXT:
            given, other = pd.to_datetime(given, errors="coerce", format="ISO8601"), kind
            if given is pd.NaT:
                return "Your text is not a date; write it as year-month-day, such as 2026-06-30."
        if kind != other:
            return f"You gave {other}; {kind} was expected."
        match kind:
            case "a number":
                return self._numbers(float(expected), float(given))
            case "a table":
                return self._tables(expected, given)
            case "a Series":
                reason = self._rows(expected.to_frame("value"), given.to_frame("value"))
                return reason and reason.replace("Your table", "Your Series").replace("Column value: ", "")
            case "a dictionary":
                return self._dictionaries(expected, given)
            case "a list":
                return self._lists(list(expected), given)
            case "a set":
                return self._bags(expected, dict.fromkeys(map(_label, given)))
        return None if _label(expected) == _label(given) else f"You gave {other}, as expected, but not the right one."

    def _numbers(self, expected: float, given: float) -> str | None:
        if self._same(expected, given):
            return None
        if np.isnan(given):
            return "You gave a missing value; a number was expected."
        for factor, words in _FACTORS if expected else ():  # not the other way: small numbers would be near enough
            if self._same(expected, given / factor, mistake=True):
                return words.capitalize() + "."
        return f"Your number is too {'low' if given < expected else 'high'}."

    def _same(self, expected: Any, given: Any, mistake: bool = False) -> Any:
        """Which numbers agree."""
        expected, given = np.asarray(expected, float), np.asarray(given, float)
        with np.errstate(all="ignore"):
            room = np.maximum(_RELATIVE * np.abs(expected), 1e-12)
            if self.digits is not None:
                room = np.maximum(room, 0.5 * 10.0**-self.digits * (1 + 1e-9))
            if mistake or self.mistake:
                # rounding to one digit other than 0 takes a third at most
                room = np.clip(room, None, np.maximum(np.abs(expected) / 3, 1e-12))
            near = np.isfinite(room) & (np.abs(expected - given) <= room)
        return near | (expected == given) | (np.isnan(expected) & np.isnan(given))

    def _dictionaries(self, expected: dict, given: dict) -> str | None:
        mine = {_label(key): value for key, value in given.items()}
        exact = {key: value for key, value in given.items() if type(key) in (str, int)}  # "a" and "A " both stand
        if reason := self._bags(expected, [_label(key) for key in given]):
            return reason
        pairs = ((key, value, exact.get(key, mine[_label(key)])) for key, value in expected.items())
        reasons = ((key, self.values(value, answer)) for key, value, answer in pairs)
        return next((f"Entry {_word(key)}: {reason}" for key, reason in reasons if reason), None)

    def _lists(self, expected: list, given: list) -> str | None:
        if len(expected) != len(given):
            return f"Your list has {len(given)} items, {len(expected)} were expected."
        reasons = enumerate(map(self.values, expected, given), start=1)
        first = next((f"Item {position}: {reason}" for position, reason in reasons if reason), None)
        if first and Counter(map(_label, expected)) == Counter(map(_label, given)):
            return "Your items are right, their order is not."
        return first

    def _bags(self, expected: Iterable, mine: Iterable) -> str | None:
        """Items without order, as labels."""
        right, mine = {_label(item): item for item in expected}, set(mine)
        missing = [item for label, item in right.items() if label not in mine]
        extra = mine - set(right)
        if missing:
            return f"You have {len(right) - len(missing)} of {len(right)}: {_words(missing)} missing."
        return f"{len(extra)} of yours should not be there: {_words(extra, '')}." if extra else None

    def _tables(self, expected: pd.DataFrame, given: pd.DataFrame) -> str | None:
        if self.keys:
            expected = expected.set_index(list(self.keys))
        names = [name for name in expected.index.names if name is not None]
        if not given.columns.is_unique:
            return "Two columns of your table have the same name."
        if names and not set(names) & set(given.index.names):
            absent = [name for name in names if name not in given.columns]
            if absent and self.keys:
                return f"In your table the column {_words(absent)} missing."
            given = given if absent else given.set_index(names)
        missing = [name for name in expected.columns if name not in given.columns]
        extra = [name for name in given.columns if name not in expected.columns]
        if missing:
            return f"In your table the column {_words(missing)} missing."
        if extra and not self.extra_columns:
            return f"Your table has columns that were not asked for: {_words(extra, '')}."
        given = given[list(expected.columns)]
        return self._rows(expected, given) if names or not _is_counter(expected.index) else self._bag(expected, given)

    def _bag(self, expected: pd.DataFrame, given: pd.DataFrame) -> str | None:
        """Tables whose rows have no label: in order, or both sorted by everything."""
        if len(expected) != len(given):
            return f"Your table has {len(given)} rows, {len(expected)} were expected."
        if not self.ordered:
            expected, given = (frame.iloc[_sorted_places(frame)] for frame in (expected, given))
        return self._columns(expected, given, "", [])

    def _rows(self, expected: pd.DataFrame, given: pd.DataFrame) -> str | None:
        name = " and ".join(str(name) for name in expected.index.names if name is not None) or "row"
        counted = f"Your table has {len(given)} rows, {len(expected)} were expected"
        if len(given) > 10 * len(expected) + 1000:
            return f"{counted}."
        right, mine = list(map(_label, expected.index)), list(map(_label, given.index))
        places = {label: place for place, label in enumerate(mine)}
        if len(places) < len(mine):
            label, count = Counter(mine).most_common(1)[0]
            return f"In your table {name} {_word(label)} has {count} rows; one was expected."
        missing = [label for label, known in zip(expected.index, right, strict=True) if known not in places]
        if mine and missing and len(missing) == len(right):
            return f"The index of your table should hold {name}; none of the expected ones is in it."
        if missing or len(mine) != len(right):
            start = counted if len(mine) != len(right) else "Your table has other rows than expected"
            extra = places.keys() - set(right)
            what = f"{_words(missing)} missing" if missing else f"{_words(extra, '')} should not be there"
            return f"{start}: {name} {what}."
        if self.ordered and right != mine:
            return "Your rows are right, their order is not."
        return self._columns(expected, given.iloc[[places[label] for label in right]], name, list(expected.index))

    def _columns(self, expected: pd.DataFrame, given: pd.DataFrame, name: str, labels: list) -> str | None:
        for column in expected.columns:
            (kind, right), (other, mine) = _column(expected[column]), _column(given[column])
            if kind and other and kind != other:
                return f"Column {column}: you gave {other}, {kind} were expected."
            numbers = "numbers" in (kind, other)
            same = self._same(right, mine) if numbers else np.array([a == b for a, b in zip(right, mine, strict=True)])
            if not same.all():
                first = f", first at {name} {_word(labels[int(np.argmin(same))])}" if labels else ""
                reason = f"Column {column}: {(~same).sum()} of {len(same)} values differ{first}."
                for factor, words in _FACTORS if numbers else ():
                    same = self._same(right, np.divide(mine, factor), mistake=True)
                    reason += f" It seems that {words}." if same.all() else ""
                return reason
        return None


_FACTORS = (
    (100, "you gave a percentage where a share was expected"),
    (0.01, "you gave a share where a percentage was expected"),
    (-1, "the sign is the wrong way round"),
)


def _kind(value: Any) -> str:
    if issubclass(type(value), np.ndarray) and np.ndarray.ndim.__get__(value) == 0:
        value = value.item()
    return next(
        (words for kinds, words in _KINDS if issubclass(type(value), kinds)),
        f"an object of type {type(value).__name__[:40]}",
    )


def _opened(value: Any, kind: str) -> Any:
    """A plain copy of a container, whatever its subclass overrides; everything else as it is."""
    for base in (dict, list, tuple, set, frozenset, str):
        if issubclass(type(value), base):
            return dict(dict.items(value)) if base is dict else base(base.__iter__(value)) if base is not str else value
    if type(value) is range and len(value) > 10_000_000:
        raise OverflowError
    if issubclass(type(value), np.ndarray):
        return np.asarray(value).tolist()
    if kind == "a table":
        return pd.DataFrame(value)
    return pd.Series(value) if kind == "a Series" else value


def _label(value: Any) -> Any:
    """A value as something that can be compared and looked up: equal for what counts as equal."""
    kind = _kind(value)
    if kind == _NUMBER:
        number = value if issubclass(type(value), int) else float(value)
        if number != number:
            return None
        return int(number) if isinstance(number, float) and number.is_integer() else _nine_digits(number)
    if kind == _TEXT:
        return " ".join(str.__str__(value).casefold().split())
    if kind == _DATE:
        stamp = value.start_time if isinstance(value, pd.Period) else pd.Timestamp(value)
        return stamp.tz_localize(None)
    if kind == _YES_NO:
        return "yes" if value else "no"
    if kind == "a missing value":
        return None
    return tuple(map(_label, tuple.__iter__(value))) if issubclass(type(value), tuple) else f"{kind} {id(value)}"


def _nine_digits(number: float) -> float:
    return number if isinstance(number, int) else float(f"{number:.9g}")


def _column(series: pd.Series) -> tuple[str, Any]:
    """What kind of values a column holds ("" if all are missing), and the values in a form that compares."""
    if pd.api.types.is_numeric_dtype(series.dtype) and not pd.api.types.is_bool_dtype(series.dtype):
        return "numbers", series.to_numpy(float, na_value=np.nan)
    items = list(series)
    labels = np.empty(len(items), dtype=object)
    labels[:] = [_label(item) for item in items]
    kinds = {_kind(item) for item, label in zip(items, labels, strict=True) if label is not None}
    if kinds == {_NUMBER}:
        return "numbers", np.array([np.nan if label is None else float(label) for label in labels])
    plural = {_TEXT: "texts", _DATE: "dates", _YES_NO: "True or False"}
    return "" if not kinds else plural.get(kinds.pop(), "other values") if len(kinds) == 1 else "mixed values", labels


def _sorted_places(frame: pd.DataFrame) -> list[int]:
    """The places of the rows, sorted by all columns: those of numbers last, as they may be rounded."""
    columns = sorted((_column(frame[name]) for name in frame.columns), key=lambda column: column[0] == "numbers")
    keys = [
        np.nan_to_num(values, nan=np.inf) if kind == "numbers" else list(map(str, values)) for kind, values in columns
    ]
    return sorted(range(len(frame)), key=lambda place: [key[place] for key in keys])


def _is_counter(index: pd.Index) -> bool:
    return isinstance(index, pd.RangeIndex) and index.name is None


def _word(value: Any) -> str:
    text = f"{value}" if _kind(value) in (_NUMBER, _TEXT, _DATE, _YES_NO) or isinstance(value, tuple) else "(something)"
    return text if len(text) <= 40 else text[:39] + "…"


def _words(values: Iterable, verb: str = "is") -> str:
    """`7 is`, `7 and 8 are`, `7, 8, 9 and 4 more are`."""
    values = sorted(map(_word, values), key=lambda word: (len(word), word))
    more = f" and {len(values) - 3} more" if len(values) > 4 else ""
    shown = values[:3] if more else values
    text = ", ".join(shown) + more if more or len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1]
    return f"{text} {verb if len(values) == 1 else 'are'}" if verb else text
