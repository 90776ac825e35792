"""How unequal customers are, and where value bands lie: the curve, the picture of bands, the widget and its twin."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from crmkit.escape import html
from crmkit.segmentation import value
from crmkit.show import style
from crmkit.show.cards import table
from crmkit.show.widget import View, explorer

if TYPE_CHECKING:
    from ipywidgets import VBox

_COLOURS = {"high": "blue", "middle": "sky", "low": "grey"}
#: More points than this say no more, and take long to draw.
_MOST_POINTS = 4000


def lorenz_curve(groups: "pd.Series[Any] | Mapping[str, pd.Series[Any]]", ax: Axes | None = None) -> Axes:
    """How unequal are customers? From those who spend least to those who spend most, their share of the money.

    `groups` is the money of each customer, or several firms by name. The dashed line is what equal customers would give.

    >>> lorenz_curve(pd.Series([1.0, 1, 1, 1, 6])).get_title().replace("\\n", " ")
    'The best-paying fifth brings 60 % of the money (Gini 0.40)'
    """
    firms = {"customers": groups} if not isinstance(groups, Mapping) else dict(groups)
    colours = [style.PALETTE[name] for name in ("blue", "vermillion", "green", "purple")]
    with style.house(ax, (7.5, 6)) as ax:
        ax.plot([0, 100], [0, 100], color="#666666", linestyle="--", linewidth=1.5, label="if all spent alike")
        told = []
        for place, (name, money) in enumerate(firms.items()):
            curve = value.lorenz(money) * 100
            fifth, unequal = value.top_share(money, 0.2, draws=2).value, value.gini(money, draws=2).value
            line = {
                "color": colours[place % 4],
                "linewidth": 2.5,
                "linestyle": ["-", "-.", ":", (0, (5, 1))][place % 4],
            }
            ax.plot(curve["share_of_customers"], curve["share_of_money"], label=str(name), **line)
            at = float(np.interp(80, curve["share_of_customers"], curve["share_of_money"]))
            ax.plot(80, at, "o", markersize=9, color=colours[place % 4])
            told.append((str(name), fifth, unequal))
        ax.axvline(80, color="#999999", linewidth=1)
        ax.text(79, 90, "the best-paying\nfifth", color="#555555", ha="right", va="top")
        ax.set(xlim=(0, 100), ylim=(min(0, ax.get_ylim()[0]), 100))
        ax.set(xlabel="customers, from the smallest spender (%)", ylabel="their share of the money (%)")
        ax.legend(frameon=False, loc="upper left")
        shares = "; ".join(f"{name} {style.percent(fifth)} (Gini {unequal:.2f})" for name, fifth, unequal in told)
        title = f"The best-paying fifth brings {style.percent(told[0][1])} of the money (Gini {told[0][2]:.2f})"
        if len(told) > 1:
            title = f"Money of the best-paying fifth: {shares}"
        return style.conclude(ax, title, f"Lorenz curves. The best-paying fifth brings: {shares}.")


def value_band_map(banded: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Where do the cut points of the value bands lie among the customers?

    `banded` is from `segmentation.value.bands`: each point is a customer, by both columns that were cut (on scales that give
    small customers room); lines are the cut points. At most 4,000 customers are drawn, every so many in the order of money.

    >>> people = pd.DataFrame({"orders": [1, 2, 5, 9], "spend": [5.0, 20, 60, 90]})
    >>> value_band_map(value.bands(people)).get_title()
    '1 of 4 customers is in the high band and brings 51 % of the money'
    """
    style.needs(banded, ["value_band"], "segmentation.value.bands(summary)")
    cuts = banded.attrs.get("cuts", {})
    columns = list(cuts) or ["orders", "spend"]
    style.needs(banded, columns, "segmentation.value.bands(summary)")
    found = value.band_table(banded, columns[1])
    shown = banded.sort_values(columns[1]).iloc[:: max(1, len(banded) // _MOST_POINTS + (len(banded) > _MOST_POINTS))]
    with style.house(ax, (9, 6)) as ax:
        for band in reversed(value.BANDS):
            part = shown[shown["value_band"] == band]
            mark = {"high": "D", "middle": "o", "low": "s"}[band]
            points = [part[column].clip(lower=0.5) for column in columns]
            ax.scatter(
                *points, s=14, marker=mark, color=style.PALETTE[_COLOURS[band]], alpha=0.55, label=band, linewidths=0
            )
        for axis, column in zip((ax.axvline, ax.axhline), columns, strict=True):
            for end in cuts.get(column, ()):
                axis(max(end, 0.5), color=style.PALETTE["vermillion"], linewidth=1.6)
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xlabel(f"{columns[0].replace('_', ' ')} (logarithmic)")
        currency = banded.attrs.get("currency")
        ax.set_ylabel(f"{columns[1].replace('_', ' ')}{f' in {currency}' if currency else ''} (logarithmic)")
        ax.legend(frameon=False, title="value band", loc="lower right", markerscale=2)
        high = found.loc["high"]
        share = style.percent(high["share_of_spend"]) if np.isfinite(high["share_of_spend"]) else "no share"
        verb = "is" if high["customers"] == 1 else "are"
        title = f"{high['customers']:,.0f} of {len(banded):,} customers {verb} in the high band and brings {share} of the money"
        title = title.replace("and brings", "and bring") if high["customers"] != 1 else title
        lines = "; ".join(f"{column} {', '.join(f'{end:,.0f}' for end in ends)}" for column, ends in cuts.items())
        return style.conclude(ax, title, f"Customers by {columns[0]} and {columns[1]}; cut points: {lines}.")


@dataclass(frozen=True, repr=False)
class BandView(View):
    """What the widget shows for one setting: bands, table, who changed band against thirds, picture, one sentence."""

    KIND = "crmkit-band-view"
    banded: pd.DataFrame
    table: pd.DataFrame
    moved: int
    ax: Axes
    text: str

    def _content(self, drawn: str) -> str:
        rows = [
            [html(band), f"{row.customers:,}", style.percent(row.share_of_customers), style.percent(row.share_of_spend)]
            for band, row in zip(self.table.index, self.table.itertuples(), strict=True)
        ]
        heads = {"value band": True, "customers": False, "of customers": False, "of the money": False}
        return super()._content(drawn) + table("Value bands", heads, rows)


def band_view(summary: pd.DataFrame, lower: float = 1 / 3, upper: float = 2 / 3, *, ax: Axes | None = None) -> BandView:
    """Which customers are in which band if the cut points lie here, and how many change band against thirds?

    `summary` has one row a customer with `orders` and `spend`; `lower` and `upper` are the shares at which is cut. Returns a
    `BandView`: `.banded`, `.table` (`segmentation.value.band_table`), `.moved`, `.ax`, `.text`, `.html()`. Raises what
    `segmentation.value.bands` raises.

    >>> people = pd.DataFrame({"orders": [1, 2, 5, 9], "spend": [5.0, 20, 60, 90]})
    >>> band_view(people, 0.25, 0.75)
    1 of 4 customers change band against thirds; the high band has 1
    """
    banded, thirds = value.bands(summary, shares=(lower, upper)), value.bands(summary)
    found = value.band_table(banded)
    moved = int((banded["value_band"].astype(str) != thirds["value_band"].astype(str)).sum())
    text = (
        f"{moved:,} of {style.count(len(banded), 'customer')} change band against thirds; "
        f"the high band has {found.loc['high', 'customers']:,}"
    )
    return BandView(banded, found, moved, value_band_map(banded, ax=ax), text)


def band_explorer(summary: pd.DataFrame) -> "VBox":
    """A widget: move the two cut points and see who changes band and whose money it is.

    Whatever it shows, `band_view` returns as data.

    >>> people = pd.DataFrame({"orders": [1, 2, 5, 9], "spend": [5.0, 20, 60, 90]})
    >>> [control.description for control in band_explorer(people).children[:2]]
    ['Low up to (%)', 'High above (%)']
    """
    import ipywidgets as widgets

    value.bands(summary)  # a table that can never be cut is refused here, with the reason
    wide = {"style": {"description_width": "130px"}, "layout": {"width": "460px"}, "continuous_update": False}
    lower = widgets.IntSlider(33, 5, 60, description="Low up to (%)", **wide)
    upper = widgets.IntSlider(67, 40, 95, description="High above (%)", **wide)

    def view(ax: Axes) -> BandView:
        return band_view(summary, lower.value / 100, upper.value / 100, ax=ax)

    return explorer([lower, upper], view, BandView, (9, 6))
