"""Needs: which of the things customers ask for comes first (lesson 1.3, source 001 §4.1.1)."""

from typing import Any

import numpy as np
import pandas as pd

from crmkit.errors import InputError
from crmkit.tables import frames

_STEPS = 101  # how finely the weights are tried


def prioritise(
    needs: pd.DataFrame,
    urgency: str = "urgency",
    importance: str = "importance",
    *,
    weights: tuple[float, float] = (0.25, 0.75),
) -> pd.DataFrame:
    """Which need comes first, and would it still if urgency counted for more, or for less?

    The priority is urgency × importance. Whether the two count alike is a matter of opinion, so the ranking is
    repeated for every weight w of urgency in `weights`, by urgencyʷ · importance¹⁻ʷ. A ranking of products does not
    depend on the units: importance may be marks from 1 to 5, customers or euros.

    Parameters
        needs: one row a need, named by its index. urgency, importance: the columns, numbers above 0.
        weights: the lowest and the highest weight of urgency that somebody might defend; 0.5 is the plain product.
    Returns: the needs with the highest priority first: the columns of `needs`, then `priority`, `rank` (1 is first;
        equal priorities share the best place), `best_rank` and `worst_rank` over the weights, `first_share` (share of
        the weights under which it is first). attrs: `weights`.
    Raises: ColumnError for a missing column; InputError for marks that are missing or not above 0, a need named
        twice, or impossible weights.
    Source: 001 §4.1.1 (collect, analyse, prioritise by urgency and importance, make a strategy); the weighted product
        is as in Triantaphyllou (2000), Multi-Criteria Decision Making Methods, chapter 2.

    >>> needs = pd.DataFrame({"urgency": [5, 2, 1], "importance": [2, 4, 1]}, index=["delivery", "range", "app"])
    >>> prioritise(needs)[["priority", "rank", "best_rank", "worst_rank"]]
              priority  rank  best_rank  worst_rank
    delivery        10     1          1           2
    range            8     2          1           2
    app              1     3          3           3
    """
    frames.needs(needs, [urgency, importance], "needs")
    marks = [_marks(needs, column) for column in (urgency, importance)]
    if not len(needs):
        raise InputError("needs has 0 rows; collect needs first.")
    frames.once(needs.index, "needs", "needs")
    low, high = _weights(weights)
    each = np.linspace(low, high, _STEPS)[:, None]
    # rounded, so that what is equal on paper is equal here
    ranks = _ranks(np.round(each * np.log(marks[0]) + (1 - each) * np.log(marks[1]), 12))
    table = needs.assign(
        priority=needs[urgency] * needs[importance],
        rank=_ranks(np.round(np.log(marks[0]) + np.log(marks[1]), 12)[None])[0],
        best_rank=ranks.min(axis=0),
        worst_rank=ranks.max(axis=0),
        first_share=(ranks == 1).mean(axis=0),
    )
    table = table.sort_values("rank", kind="stable")
    table.attrs = {"weights": (low, high)}
    return table


def _ranks(scores: np.ndarray) -> np.ndarray:
    """1 + how many are strictly better, row by row."""
    return 1 + (scores[:, None, :] > scores[:, :, None]).sum(axis=2)


def _marks(needs: pd.DataFrame, column: Any) -> np.ndarray:
    values = pd.to_numeric(needs[column], errors="coerce").to_numpy(float, na_value=np.nan)
    wrong = ~(np.isfinite(values) & (values > 0))
    if wrong.any():
        example = needs[column].tolist()[int(np.argmax(wrong))]
        raise InputError(
            f"column {column!r} has {wrong.sum():,} values that are no number above 0, such as {example!r}; "
            "a product with 0 or a missing mark says nothing."
        )
    return values


def _weights(weights: Any) -> tuple[float, float]:
    try:
        low, high = (float(weight) for weight in weights)
    except (TypeError, ValueError):
        raise InputError(f"weights must be two numbers, such as (0.25, 0.75), not {weights!r}.") from None
    if not 0 <= low <= high <= 1:
        raise InputError(f"weights must lie between 0 and 1, the lower first, not {weights!r}.")
    return low, high
