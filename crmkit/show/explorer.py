"""The RFM widget, to feel what bins, cut points and the choice of a map decide, and its headless twin."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from crmkit.escape import html
from crmkit.evaluation.reasons import number
from crmkit.segmentation import rfm
from crmkit.show import style
from crmkit.show.cards import segment_table
from crmkit.show.rfm_plots import grid_size, rfm_heat_map
from crmkit.show.widget import View, explorer

if TYPE_CHECKING:
    from ipywidgets import VBox


@dataclass(frozen=True, repr=False)
class RfmView(View):
    """What the widget shows for one setting: the segment cards, the picture, the cut points, one sentence."""

    KIND = "crmkit-rfm-view"
    cards: pd.DataFrame
    ax: Axes
    cut_points: dict[str, list[float]]
    text: str

    def _content(self, drawn: str) -> str:
        cuts = "; ".join(f"{column} {', '.join(map(number, cuts))}" for column, cuts in self.cut_points.items())
        words = f"<p><b>{html(self.text)}</b><br>Cut points: {html(cuts.replace('_', ' '))}</p>"
        return f"{words}{drawn}{segment_table(self.cards)}"


def rfm_view(
    summary: pd.DataFrame,
    bins: int = 5,
    cuts: Mapping[str, Iterable[float]] | None = None,
    segment_map: Any = "ten_segments",
    *,
    ax: Axes | None = None,
) -> RfmView:
    """Which segments come out of this number of bins, or these cut points, and this map?

    `summary` has one row a customer (`recency_days`, `orders`, `spend`), `bins` is 3 to 10, `cuts` fixed
    cut points by column such as `{"recency_days": [7, 30, 90, 180]}` (other columns are cut by `bins`),
    `segment_map` what `segmentation.rfm.segment` takes; a map written for another number of bins is rescaled.
    Returns an `RfmView`: `.cards` (as from `segmentation.rfm.cards`), `.ax`, `.cut_points` (by column), `.text`,
    `.html()`. Raises what `segmentation.rfm.score` and `segment` raise.

    >>> summary = pd.DataFrame({"recency_days": [1, 2, 9, 80], "orders": [9, 2, 7, 1], "spend": [90.0, 7.0, 60.0, 5.0]})
    >>> rfm_view(summary, bins=3)
    4 customers in 4 segments
    """
    scores = rfm.score(summary, bins=bins, cuts=cuts)
    segments = rfm.segment(scores, segment_map, rescale=True)
    cards = rfm.cards(segments, segment_map)
    ax = rfm_heat_map(segments, "segment", ax=ax)
    filled = int((cards["customers"] > 0).sum())
    return RfmView(
        cards,
        ax,
        scores.attrs["cut_points"],
        f"{style.count(len(segments), 'customer')} in {style.count(filled, 'segment')}",
    )


def spread_cuts(best: float, worst: float, bins: int) -> list[float]:
    """`bins` − 1 cut points from one end of a slider to the other, each about as many times the one before.

    >>> spread_cuts(7, 180, 5)
    [7.0, 22.0, 63.0, 180.0]
    >>> spread_cuts(1, 2, 5)
    [1.0, 1.0, 2.0, 2.0]
    """
    return [float(cut) for cut in np.geomspace(best + 1, worst + 1, bins - 1).round() - 1]


def rfm_explorer(summary: pd.DataFrame, segment_maps: Sequence[Any] = ("ten_segments", "eleven_segments")) -> "VBox":
    """A widget: move bins or cut points, choose a map, and see who falls into which segment.

    Quantiles give each score about as many customers; fixed cut points stay when the customers change.
    Whatever it shows, `rfm_view` returns as data. A setting that cannot be computed shows its message.
    `segment_maps` are those to choose from: names, paths, tables or `SegmentMap`s.

    >>> summary = pd.DataFrame({"recency_days": [1, 2, 9, 80], "orders": [9, 2, 7, 1], "spend": [90.0, 7.0, 60.0, 5.0]})
    >>> [control.description for control in rfm_explorer(summary).children[:2]]
    ['Bins (scores 1 to …)', 'Scheme']
    """
    import ipywidgets as widgets

    rfm.score(summary)  # a table that can never be scored is refused here, with the reason
    wide = {"style": {"description_width": "190px"}, "layout": {"width": "500px"}, "continuous_update": False}
    bins = widgets.IntSlider(5, 3, 10, description="Bins (scores 1 to …)", **wide)
    listed = {"style": wide["style"], "layout": wide["layout"]}
    schemes = [("Quantiles", "quantiles"), ("Fixed cut points", "cuts")]
    scheme = widgets.Dropdown(options=schemes, description="Scheme", **listed)
    sliders = {}
    for column, name in (("recency_days", "Recency cut points (days)"), ("orders", "Cut points of orders")):
        # A slider as long as the one customer who is furthest out would leave the others a few pixels.
        low, high, end = (int(summary[column].quantile(share)) for share in (0.2, 0.8, 0.975))
        sliders[column] = widgets.IntRangeSlider(
            value=(low, max(high, low + 1)), min=0, max=max(end, low + 1), description=name, **wide
        )
    maps = [(_map_name(each), place) for place, each in enumerate(segment_maps)]
    chosen = widgets.Dropdown(options=maps, description="Segment map", **listed)

    def view(ax: Axes) -> RfmView:
        fixed = scheme.value == "cuts"
        for slider in sliders.values():
            slider.disabled = not fixed
        cuts = {column: spread_cuts(*slider.value, bins.value) for column, slider in sliders.items()} if fixed else None
        ax.figure.set_size_inches(grid_size(bins.value, bins.value))
        return rfm_view(summary, bins.value, cuts, segment_maps[chosen.value], ax=ax)

    return explorer([bins, scheme, *sliders.values(), chosen], view, RfmView)


def _map_name(segment_map: Any) -> str:
    name = segment_map if isinstance(segment_map, str) else getattr(segment_map, "name", None) or "own map"
    return str(name).replace("_", " ")
