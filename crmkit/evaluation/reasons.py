"""What a customer or a segment did, in plain words: the reason that stands beside every action."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd


def number(value: float) -> str:
    """A number for a sentence: whole where nothing is lost, one decimal below ten.

    >>> [number(value) for value in (4231.7, 9.96, 2.44, 3.0)]
    ['4,232', '10', '2.4', '3']
    """
    rounded = round(float(value), 1) + 0.0  # no minus zero
    return f"{value:,.0f}" if abs(rounded) >= 10 else f"{rounded:g}"


def facts(frame: pd.DataFrame, dimensions: Iterable[Any], attrs: Mapping[str, Any]) -> list[str]:
    """One sentence a row about the dimensions' columns that `frame` has.

    `attrs` gives the currency and the unit of time. Missing values are left out.

    >>> from types import SimpleNamespace as Dimension
    >>> orders = Dimension(column="orders", label="orders", words="{} order(s)")
    >>> spend = Dimension(column="spend", label="spend", words="{money} spent")
    >>> facts(pd.DataFrame({"orders": [1], "spend": [1340.0]}), [orders, spend], {"currency": "EUR"})
    ['1 order, 1,340 EUR spent']
    """
    columns = [
        [_phrase(value, dimension, attrs) for value in frame[dimension.column]]
        for dimension in dimensions
        if dimension.column in frame.columns
    ]
    return [", ".join(filter(None, parts)) for parts in zip(*columns, strict=True)] if columns else [""] * len(frame)


def _phrase(value: Any, dimension: Any, attrs: Mapping[str, Any]) -> str:
    if pd.isna(value):
        return ""
    plain = number(value)
    if not dimension.words:
        return f"{dimension.label} {plain}"
    return (
        dimension.words.replace("{money}", f"{plain} {attrs.get('currency') or ''}".rstrip())
        .replace("{percent}", f"{value:.0%}")
        .replace("{unit}", str(attrs.get("unit") or "days"))
        .replace("{}", plain)
        .replace("(s)", "" if plain == "1" else "s")
    )
