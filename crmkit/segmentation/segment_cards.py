"""Segment cards: who is in a segment, what they bring, and what to do about it."""

from pathlib import Path

import numpy as np
import pandas as pd

from crmkit.errors import InputError
from crmkit.evaluation.reasons import facts
from crmkit.segmentation.dimensions import DIMENSIONS
from crmkit.segmentation.segment_maps import TEXTS, SegmentMap
from crmkit.tables.frames import needs


def cards(segments: pd.DataFrame, segment_map: str | Path | pd.DataFrame | SegmentMap = "ten_segments") -> pd.DataFrame:
    """How big is each segment, what does it bring, and what should be done, by whom?

    Parameters
        segments: from `rfm.segment`.
        segment_map: the map they were made with.
    Returns: one row a segment in the map's order, empty ones too: `segment`, `customers`,
        `share_of_customers`, `spend`, `share_of_spend` (these two if the table has `spend`; the share is
        missing if all spend adds up to nothing), the mean of each dimension's column (`mean_recency_days`,
        `mean_orders`, `mean_spend`), `meaning`, `reason` (in words, from the data), `action`, `owner`,
        `kpi`, `days_due`. Customers and spend add up to those of `segments`.
        attrs: `as_of`, `currency` and `segment_map` of `segments`.
    Raises: InputError if the segments were made with another map.

    >>> summary = pd.DataFrame({"recency_days": [2, 90], "orders": [61, 1], "spend": [4200.0, 12.5],
    ...                         "r_score": [5, 1], "f_score": [5, 1]})
    >>> from crmkit.segmentation import rfm
    >>> table = cards(rfm.segment(summary, bins=5)).set_index("segment")
    >>> table.loc["Champions", "reason"].split(":")[0]
    'On average last order 2 days ago, 61 orders, 4,200 spent'
    """
    chosen = SegmentMap.load(segment_map)
    needs(segments, ["segment"], "the table of rfm.segment")
    made_with = segments.attrs.get("segment_map", chosen.name)
    unknown = ~segments["segment"].isin(chosen.segments)
    if made_with != chosen.name or unknown.any():
        detail = f", and {unknown.sum():,} customers are in none of its segments" if unknown.any() else ""
        raise InputError(
            f"these segments were made with the map {made_with!r}, not {chosen.name!r}{detail}; pass the same map twice."
        )
    dimensions = [d for d in segments.attrs.get("dimensions", DIMENSIONS["rfm"]) if d.column in segments.columns]
    groups = segments.groupby(pd.Categorical(segments["segment"], chosen.segments), observed=False)
    table = pd.DataFrame({"segment": chosen.segments, "customers": groups.size().to_numpy()})
    table["share_of_customers"] = table["customers"] / max(len(segments), 1)
    if "spend" in segments.columns:
        table["spend"] = groups["spend"].sum().to_numpy()
        total = table["spend"].sum()
        table["share_of_spend"] = table["spend"] / total if total > 0 else np.nan
    means = pd.DataFrame({d.column: groups[d.column].mean().to_numpy() for d in dimensions}, index=table.index)
    table = table.join(means.add_prefix("mean_"))
    texts = chosen.table.set_index("segment").loc[list(chosen.segments)].reset_index()
    words = facts(means, dimensions, segments.attrs)
    table["meaning"] = texts["meaning"]
    table["reason"] = [
        f"On average {fact}: {meaning}" if customers else "No customer is here now."
        for fact, meaning, customers in zip(words, texts["meaning"], table["customers"], strict=True)
    ]
    table[[*TEXTS[1:], "days_due"]] = texts[[*TEXTS[1:], "days_due"]]
    table.attrs = {key: segments.attrs[key] for key in ("as_of", "currency") if key in segments.attrs}
    table.attrs["segment_map"] = chosen.name
    return table
