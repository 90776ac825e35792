"""RFM: score customers by how recently, how often and for how much they bought (lesson 2.3, source 004.1).

    scores   = rfm.score(summary)
    segments = rfm.segment(scores, "ten_segments")
    cards    = rfm.cards(segments, "ten_segments")

What decides the result is not the idea but the cut points and the ties, so both are returned.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from crmkit.errors import ColumnError, InputError, KindError, all_known, near_misses
from crmkit.segmentation.dimensions import DIMENSIONS, Dimension, resolve
from crmkit.segmentation.migration import migration
from crmkit.segmentation.segment_cards import cards
from crmkit.segmentation.segment_maps import SegmentMap, segment
from crmkit.tables.frames import needs

__all__ = [
    "DIMENSIONS",
    "Dimension",
    "SegmentMap",
    "cards",
    "cut_points",
    "migration",
    "score",
    "segment",
]

FEWEST_BINS, MOST_BINS = 3, 10


def cut_points(
    summary: pd.DataFrame, *, bins: int | Mapping[str, int] = 5, dimensions: str | Iterable[Dimension] = "rfm"
) -> pd.DataFrame:
    """Where one score ends and the next begins: the yardstick that `score` uses, to look at or to keep.

    Cut point i of b is the smallest value with at least i/b of the customers at or below it (the inverse
    of the empirical distribution), so every cut point is a value that a customer has. Many equal values
    make cut points coincide, and the scores between them stay empty: their rows show 0 customers.

    Parameters: as for `score`.
    Returns: one row a dimension and score: `dimension` (letter), `column`, `score`, `above` and `up_to`
    (the score's values are above the first, up to and including the second; no limit is ∓inf), `customers`.
    Raises: as `score`.
    Source: Hyndman and Fan (1996), Sample Quantiles in Statistical Packages, definition 1.

    >>> summary = pd.DataFrame({"recency_days": [3, 9, 40], "orders": [1, 1, 1], "spend": [5.0, 20.0, 90.0]})
    >>> cut_points(summary, bins=3).query("column == 'orders'")[["score", "above", "up_to", "customers"]]
       score  above  up_to  customers
    3      1   -inf    1.0          3
    4      2    1.0    1.0          0
    5      3    1.0    inf          0
    """
    chosen = resolve(dimensions)
    values = _values(summary, chosen)
    cuts = _cuts(values, chosen, bins, None)
    tables = []
    for dimension in chosen:
        edges = np.concatenate([[-np.inf], cuts[dimension.column], [np.inf]])
        scores = np.arange(1, len(edges))
        interval = scores - 1 if dimension.better == "high" else len(scores) - scores
        count = np.bincount(_score(values[dimension.column], cuts[dimension.column], dimension), minlength=len(edges))
        tables.append(
            pd.DataFrame(
                {
                    "dimension": dimension.letter,
                    "column": dimension.column,
                    "score": scores,
                    "above": edges[interval],
                    "up_to": edges[interval + 1],
                    "customers": count[1:],
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def score(
    summary: pd.DataFrame,
    *,
    bins: int | Mapping[str, int] = 5,
    cuts: pd.DataFrame | Mapping[str, Iterable[float]] | None = None,
    dimensions: str | Iterable[Dimension] = "rfm",
    weights: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """How good is each customer on each dimension, from 1 (worst) to `bins` (best)?

    A score is 1 + the number of cut points strictly below the value; where low is good (recency), `bins`
    minus that number. So equal customers always get equal scores, whatever the order of the rows.

    Parameters
        summary: one row a customer, with the column of each dimension as numbers (`lifecycle.summary`).
        bins: 3 to 10, or a dict by letter, `{"r": 5, "f": 3, "m": 5}`.
        cuts: fixed cut points instead of bins: ascending values by column, `{"recency_days": [30, 90, 180]}`
            (a value equal to a cut point lies below it), or the table that `cut_points` gave for another
            date or firm. Columns that `cuts` leaves out are cut by `bins`.
        dimensions: "rfm", "lrfm", "rfe", "rfd", "b2b" (see `DIMENSIONS`), or a list of `Dimension`.
        weights: by letter, for `rfm_score` only, such as `{"r": 2, "f": 1, "m": 1}`; equal if not given.
    Returns: the summary's columns, then `r_score`, `f_score`, `m_score` (one a dimension), `rfm_cell`
        (`"5-4-4"`), `rfm_score` (weighted mean of the scores). attrs: those of the summary, and `bins` (by
        letter), `effective_bins` (by letter: how many scores have a customer), `cut_points` (by column,
        fit for `cuts=`), `dimensions`.
    Raises: ColumnError for a missing column; InputError for missing, infinite or non-numeric values, no
        customers, and for bins, cuts or weights that cannot be.
    Source: Hughes (1994), Strategic Database Marketing; source 004.1.

    >>> summary = pd.DataFrame({"recency_days": [3, 9, 40], "orders": [6, 1, 1], "spend": [50.0, 20.0, 90.0]})
    >>> score(summary, bins=3)[["r_score", "f_score", "m_score", "rfm_cell"]]
       r_score  f_score  m_score rfm_cell
    0        3        3        2    3-3-2
    1        2        1        1    2-1-1
    2        1        1        3    1-1-3
    """
    chosen = resolve(dimensions)
    values = _values(summary, chosen)
    by_column = _cuts(values, chosen, bins, cuts)
    weight = _weights(weights, chosen)
    scores = {d.letter: _score(values[d.column], by_column[d.column], d) for d in chosen}
    bins_of = {d.letter: len(by_column[d.column]) + 1 for d in chosen}
    shape = tuple(bins_of.values())
    cells = pd.Series(["-".join(str(i + 1) for i in cell) for cell in np.ndindex(shape)])
    position = np.ravel_multi_index([column - 1 for column in scores.values()], shape)
    result = summary.assign(
        **{f"{letter}_score": column for letter, column in scores.items()},
        rfm_cell=cells.array.take(position),
        rfm_score=sum(weight[letter] * column for letter, column in scores.items()) / sum(weight.values()),
    )
    result.attrs = {
        **summary.attrs,
        "bins": bins_of,
        "effective_bins": {letter: int(np.count_nonzero(np.bincount(column))) for letter, column in scores.items()},
        "cut_points": {column: cut.tolist() for column, cut in by_column.items()},
        "dimensions": chosen,
    }
    return result


def _score(values: np.ndarray, cuts: np.ndarray, dimension: Dimension) -> np.ndarray:
    below = np.searchsorted(cuts, values, side="left")
    return below + 1 if dimension.better == "high" else len(cuts) + 1 - below


def _values(summary: Any, chosen: tuple[Dimension, ...]) -> dict[str, np.ndarray]:
    needs(summary, [dimension.column for dimension in chosen], "the summary")
    if len(summary) == 0:
        raise InputError("the summary has no customers; there is nothing to score.")
    values = {}
    for name in (dimension.column for dimension in chosen):
        column = summary[name]
        if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            raise InputError(
                f"column {name!r} holds {column.dtype}, not numbers (first value {column.iloc[0]!r}); "
                "turn it into numbers before scoring."
            )
        values[name] = column.to_numpy(dtype=float, na_value=np.nan)
        unusable = int(np.count_nonzero(~np.isfinite(values[name])))
        if unusable:
            raise InputError(
                f"column {name!r} is missing or infinite for {unusable:,} of {len(column):,} customers; "
                "fill these in or leave these customers out before scoring."
            )
    return values


def _cuts(values: dict[str, np.ndarray], chosen: tuple[Dimension, ...], bins: Any, cuts: Any) -> dict[str, np.ndarray]:
    """The ascending cut points of each column: fixed where the user fixed them, else from the data."""
    fixed = _fixed(cuts, chosen)
    letters = [dimension.letter for dimension in chosen]
    if isinstance(bins, Mapping):
        all_known("bins", bins, letters)
    result = {}
    for letter, column, *_ in chosen:
        if column in fixed:
            result[column] = fixed[column]
            continue
        number = bins.get(letter) if isinstance(bins, Mapping) else bins
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)):
            raise InputError(f"bins must be a whole number for each dimension; for {letter!r} it is {number!r}.")
        if not FEWEST_BINS <= number <= MOST_BINS:
            raise InputError(f"bins={number} for {letter!r}; use {FEWEST_BINS} to {MOST_BINS}.")
        # whole-number arithmetic: i/b of n customers, rounded up, without the error of 0.6 * 5 > 3
        ranks = [-(-i * len(values[column]) // number) - 1 for i in range(1, number)]
        result[column] = np.partition(values[column], ranks)[ranks]
    return result


def _fixed(cuts: Any, chosen: tuple[Dimension, ...]) -> dict[str, np.ndarray]:
    if cuts is None:
        return {}
    if isinstance(cuts, pd.DataFrame):
        for needed in ("column", "up_to"):
            if needed not in cuts.columns:
                raise ColumnError(f"cuts has no column {needed!r}; pass the table that rfm.cut_points returned.")
        inner = cuts[cuts["up_to"] != np.inf]
        cuts = {name: sorted(inner.loc[inner["column"] == name, "up_to"]) for name in cuts["column"].unique()}
    if not isinstance(cuts, Mapping):
        raise KindError(f"cuts must be a dict of lists by column, or a table from rfm.cut_points, not {cuts!r}.")
    columns = [dimension.column for dimension in chosen]
    fixed = {}
    for name, points in cuts.items():
        if name not in columns:
            raise ColumnError(
                f"cuts names {name!r}, which is not scored; columns are {', '.join(columns)}.{near_misses(name, columns)}"
            )
        try:
            fixed[name] = np.asarray(list(points), dtype=float)
        except (TypeError, ValueError):
            raise InputError(f"cuts for {name!r} must be a list of numbers, not {points!r}.") from None
        number = len(fixed[name]) + 1
        if not np.isfinite(fixed[name]).all() or (np.diff(fixed[name]) < 0).any():
            raise InputError(f"cuts for {name!r} must be ascending numbers, not {list(points)!r}.")
        if not FEWEST_BINS <= number <= MOST_BINS:
            raise InputError(
                f"cuts for {name!r} has {number - 1} cut points, which makes {number} bins; "
                f"use {FEWEST_BINS - 1} to {MOST_BINS - 1} cut points."
            )
    return fixed


def _weights(weights: Any, chosen: tuple[Dimension, ...]) -> dict[str, float]:
    letters = [dimension.letter for dimension in chosen]
    if weights is None:
        return dict.fromkeys(letters, 1.0)
    if not isinstance(weights, Mapping) or set(weights) != set(letters):
        raise InputError(f"weights must give a number for each of {', '.join(letters)}; it is {weights!r}.")
    for letter, weight in weights.items():
        if not isinstance(weight, (int, float, np.number)) or not np.isfinite(weight) or weight < 0:
            raise InputError(f"the weight of {letter!r} must be zero or more, not {weight!r}.")
    if sum(weights.values()) == 0:
        raise InputError("all weights are zero; at least one must be more.")
    return {letter: float(weights[letter]) for letter in letters}
