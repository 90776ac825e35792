"""What functions on pandas tables of persons ask of their input, said once."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from crmkit.errors import ColumnError, KindError, near_misses


def needs(frame: Any, columns: Iterable[object], name: str = "the table") -> None:
    """Raise unless `frame` is a DataFrame with these columns."""
    if not isinstance(frame, pd.DataFrame):
        raise KindError(f"{name} must be a DataFrame, not {type(frame).__name__}.")
    for column in columns:
        if column not in frame.columns:
            raise ColumnError(
                f"{name} has no column {column!r}; it has {', '.join(map(str, frame.columns))}."
                + near_misses(column, frame.columns)
            )


def counted(number: float, thing: str) -> str:
    """
    >>> counted(1, "row"), counted(2469, "row")
    ('1 row', '2,469 rows')
    """
    return f"{number:,.0f} {thing}" + ("" if number == 1 else "s")


def id_text(value: Any) -> str:
    """An id as text. 17.0 is the 17 of another table: pandas makes floats of whole numbers where one is missing.

    >>> id_text(17.0), id_text("M17")
    ('17', 'M17')
    """
    return str(int(value)) if isinstance(value, float | np.floating) and float(value).is_integer() else str(value)
