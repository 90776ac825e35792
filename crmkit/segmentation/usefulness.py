"""What a segmentation is worth: how much of the later money it foresees, and how far two of them say the same."""

from typing import Any

import numpy as np
import pandas as pd

from crmkit.errors import InputError
from crmkit.segmentation.value import Interval


def usefulness(labels: "pd.Series[Any]", later: "pd.Series[Any]", *, seed: int = 1, draws: int = 400) -> Interval:
    """If all I know of a customer is the segment, how much of the later money can I foresee?

    Each customer's later money is guessed as the mean of the segment among **other** customers (ten folds by lot). The result is
    the share of the variance that the guess explains: 0 is no better than one mean for all (it can be below), 1 is certainty.
    It works for any labels: clusters, RFM segments, value bands.

    Parameters: labels: one a customer, by customer_id. later: money, by customer_id; who is missing there spent 0.
    Returns: `Interval(value, low, high)`, the interval by a bootstrap over customers.
    Raises: InputError for missing labels or money, if nobody of the labels is in `later`, or if all spent the same.

    >>> label = pd.Series(["a"] * 20 + ["b"] * 20)
    >>> round(usefulness(label, pd.Series([1.0, 3.0] * 10 + [11.0, 13.0] * 10)).value, 2)
    0.96
    """
    known = labels.sort_index()
    money = pd.to_numeric(later, errors="coerce").astype(float)
    if known.isna().any() or money.isna().any():
        raise InputError(
            f"{known.isna().sum():,} labels and {money.isna().sum():,} amounts are missing; fill them in or leave them out."
        )
    if not known.index.is_unique or not money.index.is_unique:
        raise InputError("a customer stands in labels or later twice; both need one row a customer.")
    if not known.index.isin(money.index).any():
        raise InputError("nobody of the labels is in later; give both by customer_id.")
    spent = money.reindex(known.index).fillna(0.0).to_numpy()
    if np.ptp(spent) == 0:
        raise InputError(f"all {len(spent):,} customers spent {spent[0]:g} later; there is nothing to foresee.")
    random = np.random.default_rng(seed)
    fold = random.permutation(len(spent)) % min(10, len(spent))
    group = pd.factorize(known.astype(str), sort=True)[0]
    guess, plain = (_from_others(spent, fold, kind) for kind in (group, np.zeros_like(group)))
    error, base = (spent - guess) ** 2, (spent - plain) ** 2
    many = draws if len(spent) <= 50_000 else 40
    picks = (random.integers(0, len(spent), len(spent)) for _ in range(many))
    low, high = np.quantile([1 - error[pick].sum() / base[pick].sum() for pick in picks], [0.025, 0.975])
    return Interval(1 - float(error.sum() / base.sum()), float(low), float(high))


def agreement(one: Any, other: Any) -> float:
    """Two ways to cut the same customers into segments: how far do they say the same, beyond chance?

    The adjusted Rand index: 1 if the groups are the same whatever they are called, about 0 if they have nothing to do with each
    other. Two Series are compared on the customers that both hold.

    Raises: InputError if lengths differ, labels are missing or nobody is in both.
    Source: Hubert and Arabie (1985), Journal of Classification 2.

    >>> agreement(["a", "a", "b", "b"], [2, 2, 1, 1]), round(agreement(["a", "a", "b", "b"], [1, 2, 1, 2]), 2)
    (1.0, -0.5)
    """
    if isinstance(one, pd.Series) and isinstance(other, pd.Series):
        both = one.index.intersection(other.index)
        one, other = one.reindex(both), other.reindex(both)
    first, second = (pd.factorize(np.asarray(labels, dtype=object), sort=False)[0] for labels in (one, other))
    if len(first) != len(second) or len(first) < 2:
        raise InputError(
            f"{len(first):,} and {len(second):,} labels: the two need the same two or more customers; give Series by customer_id."
        )
    if (first < 0).any() or (second < 0).any():
        raise InputError(
            f"{int((first < 0).sum() + (second < 0).sum()):,} labels are missing; leave these customers out."
        )
    cells = np.unique(first * (second.max() + 1) + second, return_counts=True)[1]

    def pairs(counts: np.ndarray) -> float:
        return float((counts * (counts - 1.0) / 2).sum())

    together, rows, columns = pairs(cells), pairs(np.bincount(first)), pairs(np.bincount(second))
    chance = rows * columns / (len(first) * (len(first) - 1) / 2)
    most = (rows + columns) / 2
    return 1.0 if most == chance else (together - chance) / (most - chance)


def _from_others(values: np.ndarray, fold: np.ndarray, group: np.ndarray) -> np.ndarray:
    """The mean of each one's group among the customers of other folds; the mean of all of them where the group has none."""
    frame = pd.DataFrame({"value": values, "fold": fold, "group": group})
    by_group, by_fold = frame.groupby("group")["value"], frame.groupby("fold")["value"]
    own = frame.groupby(["group", "fold"])["value"]
    count = (by_group.transform("size") - own.transform("size")).to_numpy()
    total = (by_group.transform("sum") - own.transform("sum")).to_numpy()
    rest = (values.sum() - by_fold.transform("sum").to_numpy()) / (len(values) - by_fold.transform("size").to_numpy())
    return np.where(count > 0, total / np.maximum(count, 1), rest)
