"""From stage to stage: how many move, how sure that is, and which mix of stages is to be expected."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from crmkit.errors import InputError, KindError, in_range
from crmkit.evaluation.intervals import share_interval
from crmkit.lifecycle.moves import GONE, NEW, moves
from crmkit.lifecycle.stage_rules import STAGES

#: Half a customer in every cell (Jeffreys), so that two of two is not "always".
_PRIOR = 0.5


def transitions(first: pd.DataFrame, second: pd.DataFrame, *more: pd.DataFrame) -> pd.DataFrame:
    """How many customers went from which stage to which, from one date to the next?

    `first`, `second`, … are from `stages.assign` at dates in order; several pairs of dates are added up. Two
    rulings of one date (`stages.reassign`) show who moves when a threshold does.

    Returns: whole numbers of customers; rows are the stages before and "not yet a customer" (not known then, not
        even as a prospect), columns the stages after. attrs: `dates`, `each` (the matrix of every pair, as
        lists), `note` (whether the yardstick was held still).
    Raises: InputError for tables out of order, periods of unequal length, and what cannot be matched.

    >>> before = pd.DataFrame({"stage": ["new", "new", "mature"]}, index=["ann", "bo", "cem"])
    >>> after = pd.DataFrame({"stage": ["growth", "lost", "mature"]}, index=["ann", "bo", "cem"])
    >>> transitions(before, after).loc["new", ["growth", "lost"]].to_dict()
    {'growth': 1, 'lost': 1}
    """
    tables = [first, second, *more]
    each = [moves(a, b, column="stage", made_by="stages.assign") for a, b in itertools.pairwise(tables)]
    gone = [GONE] if any(GONE in matrix.columns for matrix in each) else []
    order = _in_order({name for matrix in each for name in (*matrix.index, *matrix.columns)} - {NEW, GONE})
    each = [matrix.reindex(index=[*order, NEW], columns=[*order, *gone], fill_value=0) for matrix in each]
    dates = [table.attrs.get("as_of") for table in tables]
    if None not in dates and len(tables) > 2:
        days = [(pd.Timestamp(late) - pd.Timestamp(early)).days for early, late in itertools.pairwise(dates)]
        if max(days) > 1.5 * min(days):
            raise InputError(f"the periods are of unequal length, {min(days)} to {max(days)} days; choose even dates.")
    result = sum(each[1:], start=each[0])
    yardsticks = [table.attrs.get("numbers") for table in tables]
    still = None if None in yardsticks else all(one == yardsticks[0] for one in yardsticks)
    result.attrs = {
        "dates": dates,
        "each": [matrix.to_numpy().tolist() for matrix in each],
        "note": {
            True: "All dates use the same rules and the same gap of the trade: who moved has changed.",
            False: "The dates use different thresholds or gaps of the trade: some moved because the yardstick did. "
            "To hold it still, pass rules.move(trade_gap_days=…) at every date.",
            None: "It is not known whether the dates were ruled alike.",
        }[still],
    }
    return result


def probabilities(matrix: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """What share of a stage moves to which, and how sure is that?

    Returns: one row a pair of stages: `from_stage`, `to_stage`, `customers`, `of` (all in from_stage), `share`,
    `low`, `high` (Wilson's interval; missing and 0 to 1 if nobody was there). The shares of a from_stage add up
    to 1. The interval speaks of chance: not of a season that will be another.

    >>> counts = pd.DataFrame([[3, 1], [0, 0]], index=["new", "lost"], columns=["new", "lost"])
    >>> probabilities(counts)[["from_stage", "to_stage", "share"]].head(2)
      from_stage to_stage  share
    0        new      new   0.75
    1        new     lost   0.25
    """
    counts = _counts(matrix)
    known = counts.loc[[name for name in counts.index if name != NEW]]
    of = np.repeat(known.to_numpy().sum(axis=1), known.shape[1])
    customers = known.to_numpy().ravel()
    share, low, high = share_interval(customers, of, level)
    names = {"from_stage": known.index.repeat(known.shape[1]), "to_stage": [*known.columns] * len(known)}
    return pd.DataFrame({**names, "customers": customers, "of": of, "share": share, "low": low, "high": high})


def forecast(
    matrix: pd.DataFrame,
    mix: "pd.Series[Any] | Mapping[str, int]",
    periods: int,
    *,
    level: float = 0.9,
    draws: int = 4000,
    seed: int = 1,
) -> pd.DataFrame:
    """How many will be in each stage after the next periods, if they move as they moved before?

    A Markov chain: where a customer goes depends on today's stage alone, with the shares of `matrix`; those who
    were "not yet a customer" arrive anew each period, as many as on average. The interval holds what the chain
    leaves open: every customer moves by chance, and the shares are not known exactly. The shares
    are drawn given the counts (Dirichlet), and if past periods differ by more than chance, so do the coming ones (the
    overdispersion of each stage, Pearson's X² / df). It does not hold what the chain assumes: a season, a new rival, or customers
    who remember more than their stage.

    Parameters
        matrix: from `transitions`, or customers by stage before (rows) and after (columns).
        mix: customers in each stage today, such as `now["stage"].value_counts()`.
        periods: how many, each as long as those of the matrix.
        level: of the interval. draws, seed: of the simulation; the same seed gives the same interval.
    Returns: one row a period and stage: `period` (1, 2, …), `stage`, `customers` (expected), `low`, `high`,
        `share` (of all expected). Without arrivals `customers` is mix · Pⁿ. attrs: `today` (the mix).
    Raises: InputError for a stage that the matrix lacks or from which nobody was seen to move.
    Source: Kemeny & Snell (1960), Finite Markov Chains; Netzer, Lattin & Srinivasan (2008), Marketing Science
        27(2), for customers in states of a relationship.

    >>> counts = pd.DataFrame([[3, 1], [0, 4]], index=["mature", "lost"], columns=["mature", "lost"])
    >>> forecast(counts, {"mature": 160, "lost": 0}, periods=2)[["period", "stage", "customers"]]
       period   stage  customers
    0       1  mature      120.0
    1       1    lost       40.0
    2       2  mature       90.0
    3       2    lost       70.0
    """
    counts = _counts(matrix)
    stages = [name for name in counts.columns if name != GONE]
    in_range("periods", periods, 1, what="a whole number")
    in_range("draws", draws, 100, what="a whole number")
    in_range("level", level, 0, 1, ends="()", such_as=0.9)
    today = _mix(mix, stages)
    rows = counts.reindex(stages).fillna(0).to_numpy(float)
    _reachable(rows[:, : len(stages)], today, stages)
    each = np.array(matrix.attrs.get("each") or [counts.to_numpy()], dtype=float)
    names = list(counts.index)
    arrivals = each[:, names.index(NEW), : len(stages)] if NEW in names else np.zeros((len(each), len(stages)))
    each = np.stack(
        [each[:, names.index(name)] if name in names else np.zeros_like(each[:, 0]) for name in stages], axis=1
    )

    totals = rows.sum(axis=1, keepdims=True)
    pooled = np.divide(rows, totals, out=np.zeros_like(rows), where=totals > 0)
    shares, expected = pooled[:, : len(stages)], [today]
    for _ in range(periods):
        expected.append(expected[-1] @ shares + arrivals.mean(axis=0))

    random, drawn = np.random.default_rng(seed), []
    state, wide = np.tile(today.astype("int64"), (draws, 1)), _overdispersion(each, pooled)
    prior = np.full(pooled.shape, _PRIOR)
    if "prospect" in stages:  # whoever has bought is no prospect any more
        prior[[name != "prospect" for name in stages], stages.index("prospect")] = 0
    # what a draw believes the shares and the arrivals to be; periods that differ count for less
    believed = _dirichlet(random, np.broadcast_to(rows / wide + prior, (draws, *prior.shape)))
    arriving = random.standard_gamma(np.broadcast_to(arrivals.sum(axis=0), (draws, len(stages)))) / len(each)
    steady = np.maximum((each.sum(axis=2).mean(axis=0)[:, None] - wide) / np.maximum(wide - 1, 1e-9), 1.0)
    surge = max(1.0, arrivals.sum(axis=1).var(ddof=len(each) > 1) / max(arrivals.sum() / len(each), 1.0)) - 1
    for _ in range(periods):
        weights = np.where(wide > 1, _dirichlet(random, believed * steady + 1e-12), believed)
        coming = arriving
        if surge:
            shape = np.maximum(arriving.sum(axis=1, keepdims=True) / surge, 1e-9)
            coming = arriving * random.standard_gamma(shape) / shape
        state = random.multinomial(state, weights).sum(axis=1)[:, : len(stages)] + random.poisson(coming)
        drawn.append(np.quantile(state, [(1 - level) / 2, (1 + level) / 2], axis=0))
    customers = np.array(expected[1:])
    low, high = np.array(drawn).transpose(1, 0, 2).reshape(2, -1)
    table = pd.DataFrame(
        {
            "period": np.repeat(np.arange(1, periods + 1), len(stages)),
            "stage": pd.Categorical(stages * periods, stages, ordered=True),
            "customers": customers.ravel(),
            "low": low,
            "high": high,
            "share": (customers / customers.sum(axis=1, keepdims=True)).ravel(),
        }
    )
    table.attrs = {"today": dict(zip(stages, today.tolist(), strict=True))}
    return table


def back_test(tables: Sequence[pd.DataFrame], learn: int, **options: Any) -> pd.DataFrame:
    """Would the forecast have been right? Learn from the first dates, forecast the others, see what came.

    Parameters: `tables` from `stages.assign` at even dates, in order; `learn`, how many of them may be learned
        from (2 or more); `options` for `forecast`.
    Returns: the forecast's rows with `as_of`, `came` (customers really in the stage), `inside` (within the
        interval) and `unchanged` (the mix of the last date learned from: the forecast of somebody who does
        nothing). attrs: `error` and `error_unchanged` (mean absolute error of a stage's customers), `coverage`
        (share inside), `verdict` in words.
    Raises: InputError if nothing is left to learn from or to test on, and what `forecast` raises.
    """
    if not 2 <= learn < len(tables):
        raise InputError(
            f"learn={learn} of {len(tables)} dates: learn from 2 at least, and leave 1 at least to test on."
        )
    matrix = transitions(*tables[:learn])
    mixes = [table["stage"].value_counts().reindex(matrix.columns, fill_value=0) for table in tables[learn - 1 :]]
    table = forecast(matrix, mixes[0].drop(GONE, errors="ignore"), len(mixes) - 1, **options)
    stages = list(table["stage"].cat.categories)
    dates = [each.attrs.get("as_of") for each in tables[learn:]]
    table.insert(1, "as_of", [dates[period - 1] for period in table["period"]])
    table["came"] = np.concatenate([mix[stages].to_numpy() for mix in mixes[1:]])
    table["inside"] = table["came"].between(table["low"], table["high"])
    table["unchanged"] = np.tile(mixes[0][stages].to_numpy(), len(mixes) - 1)
    error, still = ((table[name] - table["came"]).abs().mean() for name in ("customers", "unchanged"))
    table.attrs |= {"error": float(error), "error_unchanged": float(still), "coverage": float(table["inside"].mean())}
    better = "better than" if error < still else "no better than"
    table.attrs["verdict"] = (
        f"The forecast misses a stage by {error:,.0f} customers on average, {better} "
        f"assuming that nothing changes ({still:,.0f}); {table['inside'].mean():.0%} of what came lies inside the interval."
    )
    return table


def _in_order(names: set[str]) -> list[str]:
    return [*STAGES, *sorted(names - set(STAGES))] if names <= set(STAGES) else sorted(names)


def _counts(matrix: Any) -> pd.DataFrame:
    if not isinstance(matrix, pd.DataFrame):
        raise KindError(f"a matrix from stages.transitions is needed, not {type(matrix).__name__}.")
    values = matrix.to_numpy(dtype=float, na_value=np.nan)
    wrong = ~((values >= 0) & (values == np.round(values)))
    if wrong.any():
        raise InputError(
            f"the matrix holds {wrong.sum()} values that are no number of customers, such as {values[wrong][0]:g}; "
            "pass counts, not shares."
        )
    return matrix.astype("int64")


def _mix(mix: Any, stages: list[str]) -> np.ndarray:
    today = pd.Series(mix, dtype=float)
    unknown = [name for name in today.index if name not in stages]
    if unknown and today[unknown].sum() > 0:
        raise InputError(f"the mix has {unknown[0]!r}, which the matrix does not know; it has {', '.join(stages)}.")
    values = today.reindex(stages).fillna(0).to_numpy()
    if (values < 0).any() or (values != np.round(values)).any() or values.sum() == 0:
        raise InputError(f"the mix must be numbers of customers, one at least, not {today.to_dict()}.")
    return values


def _dirichlet(random: np.random.Generator, weights: np.ndarray) -> np.ndarray:
    drawn = random.standard_gamma(weights)
    return drawn / drawn.sum(axis=-1, keepdims=True)


def _overdispersion(each: np.ndarray, pooled: np.ndarray) -> np.ndarray:
    """By how much the moves out of a stage differ between periods, as a multiple of what chance does (1 at least)."""
    people = each.sum(axis=2, keepdims=True)
    expected = people * pooled
    off = np.divide((each - expected) ** 2, expected, out=np.zeros_like(each), where=expected > 0).sum(axis=(0, 2))
    free = ((people[..., 0] > 0).sum(axis=0) - 1) * ((pooled > 0).sum(axis=1) - 1)
    return np.maximum(np.divide(off, free, out=np.ones_like(off), where=free > 0), 1.0)[:, None]


def _reachable(rows: np.ndarray, today: np.ndarray, stages: list[str]) -> None:
    reached = today > 0
    while True:
        further = reached | (rows[reached] > 0).any(axis=0)
        if (further == reached).all():
            break
        reached = further
    for name, total in zip(np.array(stages)[reached], rows[reached].sum(axis=1), strict=True):
        if total == 0:
            raise InputError(
                f"nobody was seen to leave or stay in {str(name)!r}, so its shares are not known; add dates."
            )
