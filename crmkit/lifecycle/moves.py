"""Who was where before and is where now: the count behind every table of moves, whatever the groups are called."""

from typing import Any

import pandas as pd

from crmkit.errors import InputError
from crmkit.tables.frames import by_customer, needs

NEW = "not yet a customer"
GONE = "not in the later table"


def moves(before: pd.DataFrame, after: pd.DataFrame, *, column: str, made_by: str) -> pd.DataFrame:
    """How many customers went from which group to which, between two tables of one row a customer?

    `column` holds the group, `made_by` is the function that makes such tables, for the messages. Returns whole
    numbers of customers: rows are the groups before and `NEW`, columns the groups after, and `GONE` if somebody
    is missing there; row sums are the sizes before, column sums the sizes after. Raises InputError if a customer
    stands in a table twice or in no group, if one table has ids as text and the other as numbers, or if `before`
    is the later one.

    >>> before = pd.DataFrame({"stage": ["new", "new"]}, index=["ann", "bo"])
    >>> after = pd.DataFrame({"stage": ["lost", "new", "new"]}, index=["ann", "bo", "cem"])
    >>> moves(before, after, column="stage", made_by="stages.assign").loc["new"].to_dict()
    {'lost': 1, 'new': 1}
    """
    start, end = (_by_customer(each, name, column, made_by) for each, name in ((before, "before"), (after, "after")))
    days = [table.attrs.get("as_of") for table in (before, after)]
    if None not in days and pd.Timestamp(days[0]) > pd.Timestamp(days[1]):
        raise InputError(f"before is as of {days[0]} and after as of {days[1]}; pass the earlier table first.")
    kinds = {isinstance(table.index[0], str) for table in (start, end) if len(table)}
    if len(kinds) == 2:
        raise InputError(
            f"before names customers like {start.index.tolist()[0]!r} and after like {end.index.tolist()[0]!r}; "
            "give both customer_id as text or both as numbers."
        )
    everyone = start.index.union(end.index, sort=False)
    origin = start.reindex(everyone).cat.add_categories(NEW).fillna(NEW)
    target = end.reindex(everyone).cat.add_categories(GONE).fillna(GONE)
    if not (target == GONE).any():
        target = target.cat.remove_categories(GONE)
    matrix = pd.crosstab(origin, target, dropna=False).rename_axis(index=f"from_{column}", columns=f"to_{column}")
    matrix.index, matrix.columns = matrix.index.astype("str"), matrix.columns.astype("str")
    return matrix


def _by_customer(table: Any, name: str, column: str, made_by: str) -> "pd.Series[Any]":
    needs(table, [column], f"{name} (a table of {made_by})")
    table = by_customer(table, name)
    if table[column].isna().any():
        raise InputError(f"{name} has {table[column].isna().sum():,} customers without a {column}.")
    return table[column].astype("category")
