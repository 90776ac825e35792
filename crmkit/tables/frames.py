"""What functions on pandas tables of persons ask of their input, said once."""

from collections.abc import Iterable
from typing import Any

import ibis
import numpy as np
import pandas as pd

from crmkit.errors import ColumnError, InputError, KindError, near_misses


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


def once(ids: pd.Index, name: str, things: str = "customers") -> None:
    """Raise unless each of `ids` is there once; `name` is the table or argument they are of."""
    if ids.has_duplicates:
        twice = ids[ids.duplicated()]
        raise InputError(
            f"{name}: {len(twice):,} {things} stand there twice, such as {twice.tolist()[0]!r}; keep one row each."
        )


def by_customer(frame: Any, name: str = "the table", *, named: bool = False) -> pd.DataFrame:
    """The table by customer_id, whether that is a column of it or its index; raises unless it has one row a customer.

    With `named`, an index of another name is no index of customers, and a missing id is refused.
    """
    needs(frame, [], name)
    table = frame.set_index("customer_id") if "customer_id" in frame.columns else frame
    if named and (table.index.name != "customer_id" or table.index.hasnans):
        raise ColumnError(f"{name} needs a column or an index `customer_id` without missing values.")
    once(table.index, name)
    return table


def complete(frame: pd.DataFrame, columns: Iterable[object], name: str, do: str = "fill it in or leave it out") -> None:
    """Raise if one of these columns of `frame` has a missing value; `do` is what the reader can do about it."""
    for column in columns:
        if missing := int(frame[column].isna().sum()):
            raise InputError(f"{name}: {column!r} is missing in {missing:,} of {len(frame):,} rows; {do}.")


def days(frame: pd.DataFrame, column: str, name: str) -> "pd.Series[Any]":
    """A column as days, the time of day and the zone left out; raises for what is no day. The missing stay missing.

    Texts are read as year-month-day only: 05.06.2026 is a day in May for one firm and in June for another.

    >>> days(pd.DataFrame({"on": ["2026-06-30 23:59", None]}), "on", "points").dt.date.to_list()
    [datetime.date(2026, 6, 30), NaT]
    """
    values = frame[column]
    written = values.dtype == object or pd.api.types.is_string_dtype(values)
    try:
        number = pd.api.types.is_numeric_dtype(values)  # 20260630 would be a moment in 1970
        days = pd.to_datetime(
            values.where(values.isna()) if number else values, errors="coerce", format="ISO8601" if written else None
        )
    except ValueError:
        raise InputError(f"{name}: {column!r} holds times of several time zones; write the days there.") from None
    if unread := int((values.notna() & days.isna()).sum()):
        example = values[values.notna() & days.isna()].head(1).tolist()[0]
        raise InputError(
            f"{name}: {unread:,} values of {column!r} are no days ({example!r}); write them as year-month-day."
        )
    return days.dt.tz_localize(None).dt.normalize()


def rows_of(transactions: Any, asked_by: str) -> ibis.Table:
    """The lazy rows of checked transactions; anything else is refused in the name of the function that asked."""
    rows = getattr(transactions, "table", None)
    if not isinstance(rows, ibis.Table):
        raise KindError(
            f"{asked_by} needs checked transactions, not {type(transactions).__name__}; make them with "
            "Transactions.read(source, customer_id=…, ordered_at=…, amount=…)."
        )
    return rows


def counted(number: float, thing: str) -> str:
    """
    >>> counted(1, "row"), counted(2469, "row")
    ('1 row', '2,469 rows')
    """
    return f"{number:,.0f} {thing}" + ("" if number == 1 else "s")


def texts(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """A column as text in which the missing stay missing: `astype("str")` of pandas 2 makes "None" and "nan" of them.

    >>> texts(pd.Series(["M17", None])).isna().to_list()
    [False, True]
    """
    return values.astype("str").where(values.notna())


def id_text(value: Any) -> str:
    """An id as text. 17.0 is the 17 of another table: pandas makes floats of whole numbers where one is missing.

    >>> id_text(17.0), id_text("M17")
    ('17', 'M17')
    """
    return str(int(value)) if isinstance(value, float | np.floating) and float(value).is_integer() else str(value)
