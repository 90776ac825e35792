"""How good is a score? Lift, AUC with its interval, Brier and calibration of any score for a yes/no outcome."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from crmkit.errors import InputError, KindError, in_range
from crmkit.evaluation.intervals import share_interval

__all__ = ["Judgement", "difference", "judge"]


@dataclass(frozen=True, repr=False)
class Judgement:
    """What a score is worth on people whose outcome is known. `str()` says it in a sentence.

    people, yes: how many were judged, and for how many it happened.
    auc, auc_low, auc_high: the chance that somebody with a yes has the higher score than somebody with a no.
    brier, brier_same_for_all: the mean squared error of the probabilities, and of giving everybody the same rate
        (the overall share of yes); missing for scores that are no probabilities.
    bias: mean probability − share of yes.
    lift: one row a depth: `share` of the people taken from the top, `people`, `yes`, `rate`, `low`, `high`, `lift` (rate / overall
        rate), `found` (share of all yes). Equal scores stay equal: where a depth cuts through them, it counts their average.
    calibration: one row a group of similar probability: `people`, `predicted` (mean), `yes`, `observed`, `low`, `high`,
        `inside` (the prediction lies in the interval); None for scores that are no probabilities.
    """

    people: int
    yes: int
    auc: float
    auc_low: float
    auc_high: float
    brier: float
    brier_same_for_all: float
    bias: float
    lift: pd.DataFrame
    calibration: pd.DataFrame | None
    level: float
    _places: tuple[np.ndarray, np.ndarray] = field(default=(np.empty(0), np.empty(0)), compare=False)
    _outcome: np.ndarray = field(default_factory=lambda: np.empty(0), compare=False)

    def __str__(self) -> str:
        told = (
            f"{self.people:,} people, {self.yes:,} yes: AUC {self.auc:.3f} ({self.auc_low:.3f} to {self.auc_high:.3f})"
        )
        if self.auc_low <= 0.5:
            told += (
                ", not shown to be better than drawing lots" if self.auc_high >= 0.5 else ", worse than drawing lots"
            )
        if not np.isnan(self.brier):
            word = "below" if self.brier < self.brier_same_for_all else "not below"
            told += f"; Brier {self.brier:.4f}, {word} the same rate for all ({self.brier_same_for_all:.4f})"
        return told

    __repr__ = __str__


def judge(
    scores: Any,
    outcome: Any,
    *,
    probabilities: bool = True,
    depths: Iterable[float] = (0.05, 0.1, 0.2, 0.3, 0.5, 1.0),
    groups: int = 10,
    level: float = 0.95,
) -> Judgement:
    """Does a high score mean that it happens more often, how much more, and does 20 % mean 20 in 100?

    Judge a score on people it has not seen: those after the day up to which it learned.

    Parameters
        scores, outcome: one value a person, in the same order (or Series with the same index): numbers, and yes/no
            (True/False or 1/0). Missing values are refused: who is not yet known is not a no.
        probabilities: the scores are probabilities from 0 to 1; False for points, which have no Brier and no calibration.
        depths: shares of the people from the top, for the table of lift.
        groups: how many groups of about equal size the calibration has; equal probabilities stay together.
        level: of all intervals.
    Returns: a `Judgement`.
    Raises: KindError, InputError: lengths differ, missing values, all outcomes alike, probabilities outside 0 to 1.
    Source: AUC and its variance: DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44, computed from ranks as Sun & Xu
        (2014), IEEE Signal Processing Letters 21; Brier (1950), Monthly Weather Review 78.

    >>> found = judge([0.9, 0.8, 0.3, 0.2, 0.2, 0.1], [1, 0, 1, 0, 0, 0], depths=[0.5, 1], groups=2)
    >>> float(found.auc), round(found.brier, 3)
    (0.875, 0.205)
    >>> found.lift[["share", "people", "yes", "lift", "found"]]
       share  people  yes  lift  found
    0    0.5       3  2.0   2.0    1.0
    1    1.0       6  2.0   1.0    1.0
    """
    score, happened = _pair(scores, outcome)
    if probabilities and ((score < 0) | (score > 1)).any():
        wrong = score[(score < 0) | (score > 1)]
        raise InputError(
            f"{len(wrong):,} of {len(score):,} scores lie outside 0 to 1, such as {wrong[0]:g}; pass probabilities=False for points."
        )
    in_range("groups", groups, 2, what="a whole number")
    yes, no = _places(score, happened)
    auc = float(yes.mean())
    error = NormalDist().inv_cdf((1 + level) / 2) * float(np.sqrt(_variance(yes) + _variance(no)))
    rate = float(happened.mean())
    brier, bias, calibration = np.nan, np.nan, None
    if probabilities:
        brier, bias = float(((score - happened) ** 2).mean()), float(score.mean() - rate)
        calibration = _calibration(score, happened, int(groups), level)
    return Judgement(
        people=len(score),
        yes=int(happened.sum()),
        auc=auc,
        auc_low=max(auc - error, 0.0),
        auc_high=min(auc + error, 1.0),
        brier=brier,
        brier_same_for_all=rate * (1 - rate) if probabilities else np.nan,
        bias=bias,
        lift=_lift(score, happened, list(depths), level),
        calibration=calibration,
        level=level,
        _places=(yes, no),
        _outcome=happened,
    )


def difference(one: Judgement, other: Judgement) -> tuple[float, float, float]:
    """How much larger is the AUC of one score than of another **on the same people**, with its interval?

    Two intervals that overlap do not answer this: both scores see the same people, so their errors move together.

    Returns: difference, low, high (at the level of `one`).
    Raises: InputError if the two were not judged on the same outcomes.
    Source: DeLong, DeLong & Clarke-Pearson (1988).

    >>> outcome = [1, 0, 1, 0, 0, 1]
    >>> good, bad = judge([0.9, 0.2, 0.8, 0.3, 0.1, 0.4], outcome), judge([0.5] * 6, outcome)
    >>> tuple(round(value, 2) for value in difference(good, bad))
    (0.5, 0.5, 0.5)
    """
    if not np.array_equal(one._outcome, other._outcome):
        raise InputError(
            "the two scores were judged on different people; judge both on the same outcomes in the same order."
        )
    gap = one.auc - other.auc
    variance = sum(_variance(mine - theirs) for mine, theirs in zip(one._places, other._places, strict=True))
    error = NormalDist().inv_cdf((1 + one.level) / 2) * float(np.sqrt(variance))
    return gap, gap - error, gap + error


def _pair(scores: Any, outcome: Any) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(scores, pd.Series) and isinstance(outcome, pd.Series) and not scores.index.equals(outcome.index):
        raise InputError("scores and outcome have different indexes; bring them into one order with .reindex or .loc.")
    columns = []
    for name, values in (("scores", scores), ("outcome", outcome)):
        values = pd.Series(values).reset_index(drop=True)
        if values.isna().any():
            raise InputError(
                f"{name} is missing for {values.isna().sum():,} of {len(values):,} people; leave them out first."
            )
        try:
            columns.append(values.to_numpy(dtype=float))
        except (TypeError, ValueError):
            raise KindError(f"{name} must be numbers, not values such as {values.iloc[0]!r}.") from None
    score, happened = columns
    if len(score) != len(happened):
        raise InputError(
            f"there are {len(score):,} scores and {len(happened):,} outcomes; give one of each for everybody."
        )
    if not np.isin(happened, (0, 1)).all():
        raise InputError(
            f"outcome must be yes or no (True/False, 1/0), not {happened[~np.isin(happened, (0, 1))][0]:g}."
        )
    if not np.isfinite(score).all():
        raise InputError(f"{(~np.isfinite(score)).sum():,} scores are infinite.")
    if len(happened) == 0 or happened.min() == happened.max():
        what = (
            "nobody is there"
            if len(happened) == 0
            else f"all {len(happened):,} outcomes are {'yes' if happened[0] else 'no'}"
        )
        raise InputError(f"{what}: nothing can be told apart. Judge on people of both kinds.")
    return score, happened


def _ranks(values: np.ndarray) -> np.ndarray:
    return pd.Series(values).rank(method="average").to_numpy()


def _places(score: np.ndarray, happened: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each yes the share of the no below it, for each no the share of the yes above it; ties count half."""
    everybody, is_yes = _ranks(score), happened == 1
    yes, no = (everybody[part] - _ranks(score[part]) for part in (is_yes, ~is_yes))
    return yes / len(no), 1 - no / len(yes)


def _variance(places: np.ndarray) -> float:
    return float(places.var(ddof=1) / len(places)) if len(places) > 1 else 0.25


def _lift(score: np.ndarray, happened: np.ndarray, depths: list[float], level: float) -> pd.DataFrame:
    if not depths or not all(0 < depth <= 1 for depth in depths):
        raise InputError(f"depths must be shares above 0 and up to 1, such as 0.1, not {depths!r}.")
    by_score = pd.Series(happened).groupby(score).agg(["size", "sum"]).sort_index(ascending=False)
    ends, so_far = by_score["size"].cumsum().to_numpy(), by_score["sum"].cumsum().to_numpy()
    people = np.array([max(1, round(depth * len(score))) for depth in depths])
    # between two scores the line is straight: a depth that cuts through equal scores takes their average
    yes = np.interp(people, np.concatenate([[0], ends]), np.concatenate([[0], so_far]))
    table = pd.DataFrame({"share": depths, "people": people, "yes": yes, "rate": yes / people})
    interval = share_interval(np.round(yes), people, level)
    table["low"], table["high"] = interval.low, interval.high
    table["lift"], table["found"] = table["rate"] / happened.mean(), yes / happened.sum()
    return table


def _calibration(score: np.ndarray, happened: np.ndarray, groups: int, level: float) -> pd.DataFrame:
    cuts = np.unique(np.quantile(score, np.arange(1, groups) / groups, method="inverted_cdf"))
    group = np.searchsorted(cuts, score, side="left")
    found = pd.DataFrame({"predicted": score, "yes": happened}).groupby(group)
    table = pd.DataFrame(
        {"people": found.size(), "predicted": found["predicted"].mean(), "yes": found["yes"].sum().astype(int)}
    )
    interval = share_interval(table["yes"], table["people"], level)
    table["observed"], table["low"], table["high"] = interval
    table["inside"] = table["predicted"].between(table["low"], table["high"])
    return table.reset_index(drop=True)
