"""The four principles of a good segmentation as numbers: measurable, actionable, differentiable, stable."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from crmkit.errors import InputError, KindError
from crmkit.segmentation.kinds import UNKNOWN
from crmkit.segmentation.usefulness import agreement

PRINCIPLES = ("measurable", "actionable", "differentiable", "stable")


@dataclass(frozen=True)
class ScoreCard:
    """One segmentation against the four principles.

    `table`: index `principle`; `score` (0 to 1, missing where nothing was given to judge it by), `figure` (what was counted, in
    words). `segments`: one row a segment with its customers, reachable share and mean outcome. `verdict`: sentences.
    """

    name: str
    table: pd.DataFrame
    segments: pd.DataFrame
    verdict: str

    def __str__(self) -> str:
        lines = [f"{self.name}"]
        lines += [f"  {row.Index:<15}{row.score:>6.2f}  {row.figure}" for row in self.table.itertuples()]
        return "\n".join([*lines, self.verdict])

    __repr__ = __str__


def score(
    labels: "pd.Series[Any]",
    *,
    name: str = "segmentation",
    customers: "pd.Index | None" = None,
    truth: "pd.Series[Any] | None" = None,
    reachable: "pd.Series[bool] | None" = None,
    smallest: int = 50,
    outcome: "pd.Series[float] | None" = None,
    later: "pd.Series[Any] | None" = None,
) -> ScoreCard:
    """Is this a good segmentation: can it be measured, acted on, does it differ, does it last?

    Parameters
        labels: a segment for each customer, by customer_id; "unknown" and missing are not measured.
        customers: all whom the firm wants to divide; those without a label are not measured. Those of `labels` unless given.
        truth: the right label where it is known (a simulation, a check by hand): gives the misclassified share.
        reachable: who may and can be contacted, by customer_id.
        smallest: customers below which a segment is not worth an action of its own.
        outcome: what the segments should differ in, by customer_id, such as the money of a **later** period.
        later: the labels of the same customers at a later date, made by the same rule.
    Returns: `ScoreCard`. Scores from 0 to 1: measurable, the share of customers with a label (that is right, if `truth` is given);
        actionable, the share of the labelled in segments of at least `smallest` customers, times the reachable share; differentiable,
        the share of the outcome's variance that lies between segments (eta squared, corrected for the number of segments: epsilon
        squared); stable, the adjusted Rand index of the two dates. They are four different things: no sum is made of them.
    Raises: InputError if nobody has a label; KindError if `labels` is no Series.
    Source: 001 §2.2 (four principles); epsilon squared: Kelley (1935), PNAS 21(9); adjusted Rand index: Hubert & Arabie
        (1985), Journal of Classification 2.

    >>> people = pd.Series(["a"] * 60 + ["b"] * 60 + ["unknown"] * 40)
    >>> score(people).table["score"].to_dict()
    {'measurable': 0.75, 'actionable': 1.0, 'differentiable': nan, 'stable': nan}
    """
    if not isinstance(labels, pd.Series):
        raise KindError(f"labels must be a Series by customer_id, not {type(labels).__name__}.")
    everybody = labels.index if customers is None else pd.Index(customers)
    known = labels[labels.notna()].astype(str)
    known = known[(known != UNKNOWN) & known.index.isin(everybody)]
    if known.empty:
        raise InputError(f"none of the {len(everybody):,} customers has a label.")
    sizes = known.value_counts()
    rows = {"measurable": _measurable(known, everybody, truth)}
    rows["actionable"] = _actionable(known, sizes, smallest, reachable)
    rows["differentiable"] = _differentiable(known, outcome)
    rows["stable"] = _stable(known, later)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["score", "figure"]).rename_axis("principle")
    segments = pd.DataFrame({"customers": sizes, "share": sizes / len(everybody)})
    if reachable is not None:
        segments["reachable"] = reachable.reindex(known.index).fillna(False).astype(bool).groupby(known).mean()
    if outcome is not None:
        segments["mean_outcome"] = outcome.reindex(known.index).groupby(known).mean()
    judged = table["score"].dropna()
    weak, strong = judged.idxmin(), judged.idxmax()
    verdict = f"Strongest: {strong} ({table.loc[strong, 'figure']}). Weakest: {weak} ({table.loc[weak, 'figure']})."
    missing = [principle for principle in PRINCIPLES if principle not in judged.index]
    verdict += f" Not judged: {', '.join(missing)}." if missing else ""
    return ScoreCard(name, table, segments.rename_axis("segment"), verdict)


def compare(cards: "list[ScoreCard] | tuple[ScoreCard, ...]") -> pd.DataFrame:
    """Several segmentations beside each other: one row each, one column a principle, and the number of segments.

    No sum and no winner: which principle counts depends on the decision.

    >>> one = score(pd.Series(["a", "b"] * 60), name="halves")
    >>> compare([one]).loc["halves", ["measurable", "segments"]].to_dict()
    {'measurable': 1.0, 'segments': 2.0}
    """
    if not cards:
        raise InputError("there is nothing to compare: give at least one score card.")
    rows = {card.name: card.table["score"].to_dict() | {"segments": len(card.segments)} for card in cards}
    if len(rows) < len(cards):
        raise InputError("two score cards have one name; give each segmentation its own with name=.")
    return pd.DataFrame.from_dict(rows, orient="index")[[*PRINCIPLES, "segments"]].rename_axis("segmentation")


def _measurable(known: "pd.Series[str]", everybody: pd.Index, truth: "pd.Series[Any] | None") -> tuple[float, str]:
    share = len(known) / len(everybody)
    figure = f"{len(known):,} of {len(everybody):,} customers have a label"
    if truth is None:
        return share, figure
    checked = truth.dropna().astype(str)
    checked = checked[checked.index.isin(known.index)]
    right = float((known.reindex(checked.index) == checked).mean()) if len(checked) else np.nan
    return share * right, f"{figure}; of {len(checked):,} that could be checked {1 - right:.0%} are in the wrong one"


def _actionable(
    known: "pd.Series[str]", sizes: "pd.Series[int]", smallest: int, reachable: "pd.Series[bool] | None"
) -> tuple[float, str]:
    large = sizes[sizes >= smallest]
    share, few = large.sum() / len(known), len(sizes) - len(large)
    figure = f"{len(large)} of {len(sizes)} segments have {smallest:,} customers or more"
    if reachable is None:
        return float(share), figure + ("" if few == 0 else f"; {few} are too small")
    reached = float(reachable.reindex(known.index).fillna(False).astype(bool).mean())
    return float(share * reached), f"{figure}; {reached:.0%} of the customers can be reached"


def _differentiable(known: "pd.Series[str]", outcome: "pd.Series[float] | None") -> tuple[float, str]:
    if outcome is None:
        return np.nan, "no outcome was given that the segments should differ in"
    values = outcome.reindex(known.index).astype(float)
    groups = known[values.notna()]
    values = values.dropna()
    count, segments = len(values), groups.nunique()
    total = float(((values - values.mean()) ** 2).sum())
    if segments < 2 or count <= segments or total == 0:
        return np.nan, f"{count:,} outcomes in {segments} segments cannot differ"
    means = values.groupby(groups).transform("mean")
    between = float(((means - values.mean()) ** 2).sum())
    within = (total - between) / (count - segments)
    explained = max((between - (segments - 1) * within) / total, 0.0)
    return explained, f"{explained:.0%} of the outcome's variance lies between the segments"


def _stable(known: "pd.Series[str]", later: "pd.Series[Any] | None") -> tuple[float, str]:
    if later is None:
        return np.nan, "no later labels were given"
    after = later[later.notna()].astype(str)
    after = after[after != UNKNOWN]
    both = known.index.intersection(after.index)
    if len(both) < 2:
        return np.nan, "nobody has a label at both dates"
    one, two = known.reindex(both), after.reindex(both)
    found = agreement(one, two)
    moved = float((one != two).mean())
    return max(found, 0.0), f"{moved:.0%} of {len(both):,} customers changed segment (adjusted Rand index {found:.2f})"
