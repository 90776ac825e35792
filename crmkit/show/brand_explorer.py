"""Where does loyalty end and heavy use begin? The widget that moves the bounds of the nine cells, and its headless twin."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.axes import Axes

from crmkit.segmentation import brands
from crmkit.show import style
from crmkit.show.brand_plots import nine_cells
from crmkit.show.widget import View, explorer

if TYPE_CHECKING:
    from ipywidgets import VBox


@dataclass(frozen=True, repr=False)
class BrandView(View):
    """What the widget shows for one setting: labels, the nine cells, how many changed cell, the picture, one sentence."""

    KIND = "crmkit-brand-view"
    matrix: pd.DataFrame
    cells: pd.DataFrame
    moved: int
    ax: Axes
    text: str


def brand_view(
    usage: pd.DataFrame,
    loyal: tuple[float, float] = brands.LOYAL,
    cuts: tuple[float, float] | None = None,
    least_trips: int = 1,
    *,
    ax: Axes | None = None,
) -> BrandView:
    """Who is in which of the nine cells with these bounds, and how many are in another cell than with the usual ones?

    `usage` is from `segmentation.brands.usage`; the rest as in `segmentation.brands.matrix`. Returns a `BrandView`: `.matrix`,
    `.cells`, `.moved` (households in another cell than with loyalty from 80 %, thirds and everybody labelled), `.ax`, `.text`,
    `.html()`.

    >>> people = pd.DataFrame({"trips": [10, 4, 1], "store_share": [0.1, 0.5, 1.0], "quantity": [9, 4, 1], "spend": [5.0, 3, 2]})
    >>> brand_view(people, loyal=(0, 1), least_trips=2)
    2 switchers among 2 labelled households; 2 of 3 are in another cell than with the usual bounds
    """
    labelled, usual = brands.matrix(usage, loyal=loyal, cuts=cuts, least_trips=least_trips), brands.matrix(usage)
    moved = int((labelled["cell"] != usual["cell"]).sum())
    counts = labelled["brand_type"].value_counts()
    with_label = int(counts[list(brands.TYPES[:3])].sum())
    text = (
        f"{style.count(counts['switcher'], 'switcher')} among {with_label:,} labelled households; {moved:,} of "
        f"{len(labelled):,} are in another cell than with the usual bounds"
    )
    found = brands.cells(labelled)
    return BrandView(labelled, found, moved, nine_cells(found, ax=ax), text)


def brand_explorer(usage: pd.DataFrame) -> "VBox":
    """A widget: move the bounds of loyalty and of use, and see households change cell. `brand_view` returns it as data.

    >>> people = pd.DataFrame({"trips": [10, 4, 1], "store_share": [0.1, 0.5, 1.0], "quantity": [9, 4, 1], "spend": [5.0, 3, 2]})
    >>> [control.description for control in brand_explorer(people).children[:3]]
    ['Loyal from (%)', 'Low and medium up to', 'Label from trips']
    """
    import ipywidgets as widgets

    low, high = brands.matrix(usage).attrs["cuts"]  # a table that can never be labelled is refused here
    wide = {"style": {"description_width": "150px"}, "layout": {"width": "480px"}, "continuous_update": False}
    loyalty = widgets.IntSlider(80, 51, 100, description="Loyal from (%)", **wide)
    most = max(int(usage["quantity"].quantile(0.98)), int(high) + 1)
    whole = usage["quantity"].dtype.kind == "i"  # packs; what is weighed has fractions
    slider, number = (widgets.IntRangeSlider, int) if whole else (widgets.FloatRangeSlider, float)
    use = slider(value=(number(low), number(high)), min=0, max=most, description="Low and medium up to", **wide)
    trips = widgets.IntSlider(1, 1, 6, description="Label from trips", **wide)

    def view(ax: Axes) -> BrandView:
        return brand_view(
            usage, (round(1 - loyalty.value / 100, 2), loyalty.value / 100), use.value, trips.value, ax=ax
        )

    return explorer([loyalty, use, trips], view, BrandView, (9.5, 5.4))
