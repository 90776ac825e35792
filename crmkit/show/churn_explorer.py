"""The churn widget: move the threshold and the money, and see who is warned, what is caught, what it costs; and its twin."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from crmkit.errors import InputError
from crmkit.lifecycle.churn_evaluation import Costs, cost_curve
from crmkit.show import style
from crmkit.show.widget import View, explorer

if TYPE_CHECKING:
    from ipywidgets import VBox


@dataclass(frozen=True, repr=False)
class ChurnView(View):
    """What the widget shows for one setting: `figures` (one row), `curve`, the picture, one sentence."""

    KIND = "crmkit-churn-view"
    figures: pd.Series
    curve: pd.DataFrame
    ax: Axes
    text: str


def churn_view(
    score: "pd.Series[float]",
    left: "pd.Series[bool]",
    threshold: float,
    *,
    call: float = 12.0,
    value: float = 90.0,
    saved: float = 0.25,
    currency: str | None = None,
    ax: Axes | None = None,
) -> ChurnView:
    """If we warn from this score on, and a call costs and keeps so much: what is caught, and what does it cost?

    Parameters: `score` and `left` as `churn_evaluation.cost_curve`; `threshold`, warned are those with a score of at
    least this; `call`, `value`, `saved` as `Costs.of_call`.
    Returns a `ChurnView`: `.figures` (a Series: warned, caught, precision, recall, cost, cheapest_threshold,
    cheapest_cost, nobody, everybody), `.curve`, `.ax`, `.text`, `.html()`.

    >>> churn_view(pd.Series([5.0, 3.0, 3.0, 1.0]), pd.Series([True, False, True, False]), 3, call=1, value=10, saved=0.6)
    3 of 4 customers warned: 2 of 2 leavers caught (recall 100 %), 67 % of the warnings right; cost 11
    """
    curve = cost_curve(score, left, Costs.of_call(call=call, value=value, saved=saved))
    at = curve[curve["threshold"] >= threshold].iloc[-1]
    best = curve.loc[curve["cost"].idxmin()]
    leavers, people = int(curve["caught"].iloc[-1]), len(score)
    figures = at[["warned", "caught", "precision", "recall", "cost"]].copy()
    figures["cheapest_threshold"], figures["cheapest_cost"] = best["threshold"], best["cost"]
    figures["nobody"], figures["everybody"] = curve["cost"].iloc[0], curve["cost"].iloc[-1]
    right = f", {style.percent(at['precision'])} of the warnings right" if at["warned"] else ""
    text = (
        f"{int(at['warned']):,} of {style.count(people, 'customer')} warned: {int(at['caught']):,} of "
        f"{style.count(leavers, 'leaver')} caught (recall {style.percent(at['recall'])}){right}; "
        f"cost {style.money(at['cost'], currency)}"
    )
    with style.house(ax, (9, 4.8)) as ax:
        ax.plot(
            curve["warned"], curve["cost"], color=style.PALETTE["blue"], linewidth=2, label="cost of this many warnings"
        )
        for name, kind in (("nobody", ":"), ("everybody", "--")):
            ax.axhline(figures[name], color=style.PALETTE["grey"], linestyle=kind, linewidth=1, label=f"warn {name}")
        ax.plot(best["warned"], best["cost"], "D", color=style.PALETTE["green"], markersize=8, label="cheapest")
        ax.plot(at["warned"], at["cost"], "o", color=style.PALETTE["vermillion"], markersize=11, label="your threshold")
        ax.margins(y=0.15)
        ax.grid(axis="y")
        ax.legend(frameon=False)
        ax.set(xlabel="customers warned", ylabel=f"cost ({currency})" if currency else "cost")
        gap = at["cost"] - best["cost"]
        title = f"Your threshold costs {style.money(gap, currency)} more than the cheapest"
        title = title if gap > 0 else "Your threshold is the cheapest"
        style.conclude(ax, title, text)
    return ChurnView(figures, curve, ax, text)


def churn_explorer(
    score: "pd.Series[float]",
    left: "pd.Series[bool]",
    currency: str | None = None,
    *,
    call: float = 12.0,
    value: float = 90.0,
    saved: float = 0.25,
) -> "VBox":
    """A widget: move the threshold, the price of a call, the value of a customer and what a call saves.

    `call`, `value` and `saved` are where the sliders begin.

    Whatever it shows, `churn_view` returns as data. A setting that cannot be computed shows its message.

    >>> box = churn_explorer(pd.Series([0.5, 0.3, 0.2]), pd.Series([True, False, False]))
    >>> [control.description for control in box.children[:4]]
    ['Warn from this score on', 'A call costs', 'A customer is worth', 'A call keeps (share)']
    """
    import ipywidgets as widgets

    values = np.unique(np.asarray(score, dtype=float))
    if not np.isfinite(values).all() or len(values) < 2:
        raise InputError(f"score holds {len(values)} different value(s); a threshold needs at least two, none missing.")
    low, high = float(values[0]), float(values[-1])
    wide = {"style": {"description_width": "190px"}, "layout": {"width": "500px"}, "continuous_update": False}
    sliders = {
        "threshold": widgets.FloatSlider(
            (low + high) / 2, min=low, max=high, step=(high - low) / 100, readout_format=".3g",
            description="Warn from this score on", **wide,
        ),
        "call": widgets.FloatSlider(call, min=0.5, max=max(60, 2 * call), step=0.5, description="A call costs", **wide),
        "value": widgets.FloatSlider(value, min=10, max=max(400, 2 * value), step=5, description="A customer is worth", **wide),
        "saved": widgets.FloatSlider(saved, min=0.05, max=1, step=0.05, description="A call keeps (share)", **wide),
    }  # fmt: skip

    def view(ax: Axes) -> ChurnView:
        setting = {name: slider.value for name, slider in sliders.items()}
        return churn_view(score, left, currency=currency, ax=ax, **setting)

    return explorer([*sliders.values()], view, ChurnView, (9, 4.8))
