"""Arrays become columns: the same types as a data set that is read from its files, and texts without a Python loop."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

TEXT = pd.StringDtype("pyarrow", na_value=np.nan)
Mask = np.ndarray | None


def ids(prefix: str, count: int, width: int = 5) -> pa.Array:
    """`count` identifiers, numbered from 1 and all of one length: S00001, S00002 …

    >>> ids("S", 2).to_pylist()
    ['S00001', 'S00002']
    """
    width = max(width, len(str(count)))
    size = len(prefix) + width
    letters = np.empty((count, size), dtype="uint8")
    letters[:, : len(prefix)] = np.frombuffer(prefix.encode("ascii"), dtype="uint8")
    number = np.arange(1, count + 1, dtype="int32")
    for place in range(size - 1, len(prefix) - 1, -1):
        number, digit = np.divmod(number, np.int32(10))
        letters[:, place] = digit + ord("0")
    # texts of one length need no Python object: their places are multiples of it
    places = pa.py_buffer(np.arange(count + 1, dtype="int32") * size)
    return pa.Array.from_buffers(pa.string(), count, [None, places, pa.py_buffer(letters)])


def pick(values: pa.Array | Sequence[str], places: np.ndarray, known: Mask = None) -> pa.Array:
    """The texts at these places; a place below 0, or one that is not `known`, gives a missing value.

    >>> pick(["web", "app"], np.array([1, 0, -1])).to_pylist()
    ['app', 'web', None]
    """
    places = np.asarray(places, dtype="int64")
    missing = places < 0 if known is None else (places < 0) | ~known
    values = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(list(values), pa.string())
    if not len(values):
        return pa.nulls(len(places), pa.string())
    return values.take(pa.array(np.where(missing, 0, places), mask=missing))


def whole(numbers: np.ndarray, known: Mask = None) -> pd.Series:
    """Whole numbers, some of them unknown."""
    return _with_missing(np.asarray(numbers, dtype="int64"), known, "Int64")


def yes_no(values: np.ndarray, known: Mask = None) -> pd.Series:
    """Yes or no, sometimes unknown."""
    return _with_missing(np.asarray(values, dtype=bool), known, "boolean")


def money(amounts: np.ndarray) -> np.ndarray:
    """Amounts to the cent; never -0.00."""
    return np.round(amounts, 2) + 0.0


def table(**columns: Any) -> pd.DataFrame:
    """A DataFrame of these columns, in this order; texts become pandas' text type, times get microseconds."""
    return pd.DataFrame({name: _column(values) for name, values in columns.items()})


def listed(names: Sequence[str], rows: Sequence[tuple]) -> pd.DataFrame:
    """A small table written row by row."""
    return table(**{name: list(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)})


def _with_missing(values: np.ndarray, known: Mask, kind: str) -> pd.Series:
    series = pd.Series(values, dtype=kind)
    if known is not None:
        series[~np.asarray(known)] = pd.NA
    return series


def _column(values: Any) -> Any:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return TEXT.__from_arrow__(values)
    kind = getattr(getattr(values, "dtype", None), "kind", "O")
    if kind == "M":
        return values.astype("datetime64[us]")
    if kind in "OU" and not isinstance(values, pd.Series):
        values = list(values)
        return np.array(values) if values and not isinstance(values[0], str | None) else pd.array(values, dtype=TEXT)
    return values
