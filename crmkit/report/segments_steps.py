"""The computations of the segments report: each division made by one rule in two halves, and judged in words."""

import datetime
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit import lifecycle, periods
from crmkit.errors import InputError
from crmkit.segmentation import clusters, principles, rfm, value

if TYPE_CHECKING:
    from crmkit.tables import Transactions

BANDS, RFM, CLUSTERS = "value bands", "RFM segments", "clusters"


@dataclass
class Judged:
    """`cards` (score cards, of those that could be made), `compared` (or None), `chosen_k` (table or None), `k`, and `words`."""

    cards: list[principles.ScoreCard] = field(default_factory=list)
    compared: pd.DataFrame | None = None
    chosen_k: pd.DataFrame | None = None
    k: int | None = None
    words: list[str] = field(default_factory=list)


def judge(
    orders: "Transactions", as_of: object, segment_map: Any, most_clusters: int, smallest: int, seed: int
) -> Judged:
    """Each division is made in the first half of the data, made again by the same rule in the second, and judged there.

    The outcome that segments should differ in is the money of the second half, which no label has seen.
    """
    found, last = Judged(), periods.day(as_of)
    length = ((last - orders.first_day).days + 1) // 2
    turn = last - datetime.timedelta(days=length - 1)
    try:
        first = lifecycle.summary(
            orders.between(turn - datetime.timedelta(days=length), turn - datetime.timedelta(days=1))
        )
        second = lifecycle.summary(orders.between(turn, last))
    except InputError as reason:
        found.words.append(f"The data cannot be cut into two halves, so nothing is judged: {reason}")
        return found
    later = second["spend"].reindex(first.index).fillna(0.0)
    pairs: dict[str, tuple[Any, Any]] = {}
    for name, made in (
        (BANDS, lambda: _bands(first, second)),
        (RFM, lambda: _rfm(first, second, segment_map)),
        (CLUSTERS, lambda: _clusters(first, second, later, most_clusters, seed, found)),
    ):
        try:
            pairs[name] = made()
        except InputError as reason:
            found.words.append(f"{name[:1].upper()}{name[1:]} are not judged: {reason}")
    for name, (labels, after) in pairs.items():
        found.cards.append(principles.score(labels, name=name, outcome=later, later=after, smallest=smallest))
    if found.cards:
        found.compared = principles.compare(found.cards)
        found.words += advice(found.compared)
    return found


def advice(compared: pd.DataFrame) -> list[str]:
    """Which division for which decision, in words, from the scores.

    >>> scores = pd.DataFrame({"actionable": [1.0, 0.9], "differentiable": [0.4, 0.3], "stable": [0.3, 0.1], "segments": [3, 10]},
    ...                       index=["value bands", "RFM segments"])
    >>> advice(scores)[0]
    'For where the money will be: value bands. Of the variance of later money 40% lies between its segments.'
    """
    told, differs, lasts = [], compared["differentiable"].dropna(), compared["stable"].dropna()
    if len(differs):
        best = differs.idxmax()
        told.append(
            f"For where the money will be: {best}. Of the variance of later money {differs[best]:.0%} lies between its segments."
        )
    if len(lasts):
        best = lasts.idxmax()
        index = f"adjusted Rand index between the halves {lasts[best]:.2f}"
        told.append(
            f"For what has to last (print, a service, a sales team): {best} ({index})."
            if lasts[best] >= 0.25
            else f"For what has to last: none of them. Even the steadiest, {best}, changes most of its customers ({index}), so act soon "
            "after the labels are made."
        )
    if RFM in compared.index:
        told.append(
            "For what to say to whom: RFM segments. They are the only ones here that come with a reason and an action for each customer."
        )
    return told


def labels(
    orders: "Transactions", as_of: object, segment_map: Any, k: int | None, seed: int
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Every customer with all labels, made from all data up to `as_of`; and the tables that describe the segments."""
    summary = lifecycle.summary(orders, as_of=as_of)
    people = value.bands(summary)
    scores = rfm.score(summary, bins=segment_map.bins)
    named = rfm.segment(scores, segment_map)
    people["rfm_segment"] = named["segment"]
    tables: dict[str, Any] = {"bands": value.band_table(people), "rfm": rfm.cards(named, segment_map)}
    if k is not None:
        grouped = clusters.cluster(summary, k, seed=seed)
        tables["clusters"], tables["grouped"] = clusters.profile(summary, grouped.labels), grouped
        people["cluster"] = grouped.labels.map(tables["clusters"]["segment"])
    columns = ["value_band", "rfm_segment", *(["cluster"] if k is not None else [])]
    kept = people[[*columns, "orders", "first_order", "last_order", "recency_days", "spend", "mean_order_value"]].copy()
    kept.attrs = {**summary.attrs, "cuts": people.attrs["cuts"]}
    return kept, tables


def _bands(first: pd.DataFrame, second: pd.DataFrame) -> tuple[Any, Any]:
    banded = value.bands(first)
    return banded["value_band"], value.bands(second, cuts=banded.attrs["cuts"])["value_band"]


def _rfm(first: pd.DataFrame, second: pd.DataFrame, segment_map: Any) -> tuple[Any, Any]:
    cuts = rfm.cut_points(first, bins=segment_map.bins)
    return tuple(rfm.segment(rfm.score(half, cuts=cuts), segment_map)["segment"] for half in (first, second))  # type: ignore[return-value]


def _clusters(
    first: pd.DataFrame, second: pd.DataFrame, later: "pd.Series[float]", most: int, seed: int, found: Judged
) -> tuple[Any, Any]:
    """The number of clusters with the most use for later money among those that come again (stability 0.6 or the best)."""
    ready = clusters.prepare(first)
    found.chosen_k = clusters.choose_k(first, ks=range(2, most + 1), later=later, preparation=ready, seed=seed, draws=5)
    steady = found.chosen_k[found.chosen_k["stability"] >= min(0.6, found.chosen_k["stability"].max())]
    found.k = int(steady["useful"].idxmax())
    grouped = clusters.cluster(first, found.k, preparation=ready, seed=seed)
    return grouped.labels, grouped.place(second)
