"""An answer's value as plain JSON and back, so that nothing of a student's program reaches the one that judges it.

Only what `compare` can read is carried: numbers, text, dates, lists, sets, dictionaries, Series, tables and the answer
of a *defend* exercise. Of everything else the name of its type arrives. Pickle would run the student's code.
"""

import datetime
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from crmkit.classroom.exercise import Defence

#: Values in a table or a list; no exercise asks for more.
MOST = 500_000
_LONGEST = 100_000


def encode(value: Any) -> Any:
    """The value as JSON can write it.

    >>> encode({"share": Decimal("0.5"), "who": ("a", None)})
    ['dictionary', [['share', ['decimal', '0.5']], ['who', ['tuple', ['a', None]]]]]
    """
    if isinstance(value, np.ndarray | np.generic) and value.ndim == 0 and value.dtype.kind in "biufU":
        value = value.item()
    match value:
        case None | bool() | float():
            return value if not isinstance(value, float) else float(value)
        case int():
            return int(value) if abs(value) < 10**300 else ["other", "number of more than 300 digits"]
        case str():
            return str.__str__(value)[:_LONGEST]
        case _ if value is ...:
            return ["blank"]
        case _ if value is pd.NA or value is pd.NaT:
            return None
        case Decimal() | Fraction():
            return ["decimal" if isinstance(value, Decimal) else "fraction", str(value)]
        case pd.Period():
            return encode(value.start_time)
        case datetime.date() | np.datetime64():
            stamp = pd.Timestamp(value)
            return None if stamp is pd.NaT else ["date", stamp.isoformat()]
        case Defence():
            return ["defence", *map(encode, (value.choice, value.figure, value.because))]
        case pd.DataFrame():
            _refuse_long(value.size)
            columns = [_values(value.iloc[:, place]) for place in range(value.shape[1])]
            return ["table", [encode(name) for name in value.columns], _index(value.index), columns]
        case pd.Series():
            return ["series", encode(value.name), _index(value.index), _values(value)]
        case dict():
            _refuse_long(len(value))
            return ["dictionary", [[encode(key), encode(item)] for key, item in dict.items(value)]]
    for name, kinds in (("tuple", tuple), ("set", set | frozenset)):
        if isinstance(value, kinds):
            return [name, _values(value)]
    if isinstance(value, list | range | np.ndarray | pd.Index | pd.api.extensions.ExtensionArray):
        return ["list", _values(value)]
    return ["function"] if callable(value) else ["other", type(value).__name__[:40]]


def decode(value: Any) -> Any:
    """The value that `encode` wrote; raises ValueError for anything that it would not write.

    >>> decode(encode({"a": (1, None)}))
    {'a': (1, None)}
    """
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()  # half a letter cannot be written to a file
    if not isinstance(value, list):
        return value
    try:
        name, *parts = value
        return _DECODERS[name](*parts)
    except (LookupError, TypeError, ArithmeticError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a value: {type(error).__name__}") from None


def _values(values: Any) -> list:
    _refuse_long(len(values))
    if isinstance(values, pd.Series) and values.dtype.kind in "iuf" and isinstance(values.dtype, np.dtype):
        return values.tolist()
    return [encode(item) for item in values]


def _index(index: pd.Index) -> Any:
    if isinstance(index, pd.RangeIndex) and index.name is None:
        return None
    return [[encode(name) for name in index.names], _values(index)]


def _refuse_long(number: int) -> None:
    if number > MOST:
        raise OverflowError(f"the answer has {number:,} values; at most {MOST:,} are asked for anywhere")


def _decoded_index(told: Any, length: int) -> pd.Index:
    if told is None:
        return pd.RangeIndex(length)
    names, items = decode(["list", told[0]]), decode(["list", told[1]])
    if len(names) > 1:
        return pd.MultiIndex.from_tuples(items, names=names)
    return pd.Index(items, name=names[0], dtype=object, tupleize_cols=False)


def _series(name: Any, index: Any, items: list) -> pd.Series:
    plain = all(type(item) in (int, float) for item in items)
    values = [item if plain else decode(item) for item in items]
    return pd.Series(values, _decoded_index(index, len(items)), name=decode(name), dtype=None if plain else object)


def _table(names: list, index: Any, columns: list) -> pd.DataFrame:
    rows = _decoded_index(index, len(columns[0]) if columns else 0)
    made = [pd.Series(_series(None, None, items).to_numpy(), rows) for items in columns]
    frame = pd.concat(made, axis=1) if made else pd.DataFrame(index=rows)
    frame.columns = pd.Index(decode(["list", names]), dtype=object, tupleize_cols=False)
    return frame


def _type(name: str) -> Any:
    return type(str(name)[:40], (), {})()


_DECODERS: dict[str, Callable] = {
    "blank": lambda: ...,
    "decimal": lambda text: Decimal(text[:400]),
    "fraction": lambda text: Fraction(*map(int, text[:900].split("/"))),
    "date": lambda text: pd.Timestamp(text),
    "defence": lambda choice, figure, because: Defence(decode(choice), decode(figure), decode(because)),
    "table": _table,
    "series": _series,
    "dictionary": lambda items: {decode(key): decode(item) for key, item in items},
    "tuple": lambda items: tuple(map(decode, items)),
    "set": lambda items: set(map(decode, items)),
    "list": lambda items: list(map(decode, items)),
    "function": lambda: lambda: None,
    "other": _type,
}
