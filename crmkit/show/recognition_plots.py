"""How far one memory reaches: the picture, the widget, and its headless twin."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from crmkit.lifecycle.recognition import recognised, simulated_visits
from crmkit.show import style
from crmkit.show.widget import View, explorer

if TYPE_CHECKING:
    from ipywidgets import VBox

#: Numbers of regulars at which the curve is computed.
_REGULARS = (25, 50, 100, 150, 200, 300, 400, 600, 800, 1000)


@dataclass(frozen=True, repr=False)
class RecognitionView(View):
    """What the widget shows for one setting: the curve, the chosen point, the picture, one sentence."""

    KIND = "crmkit-recognition-view"
    curve: pd.DataFrame
    share: float
    ax: Axes
    text: str


def recognition_view(
    regulars: int = 400, remembers: int = 150, *, unequal: float = 1.0, seed: int = 1, ax: Axes | None = None
) -> RecognitionView:
    """A shop has so many regulars, and somebody at the counter remembers so many faces. How many visits are recognised?

    `unequal` is how differently often regulars come (0: all alike). First visits are not counted: nobody can be recognised
    then. Returns a `RecognitionView`: `.curve` (`regulars`, `share`), `.share` of the chosen setting, `.ax`, `.text`,
    `.html()`. Raises what `lifecycle.recognition.recognised` and `simulated_visits` raise.

    >>> recognition_view(regulars=100, remembers=150)
    100 regulars, a memory of 150 faces: 100 % of repeat visits recognised
    """

    def share(number: int) -> float:
        visitors = simulated_visits(number, unequal=unequal, seed=seed)
        repeats = len(visitors) - len(np.unique(visitors))
        return recognised(visitors, remembers).sum() / repeats

    chosen = share(regulars)
    numbers = sorted({*_REGULARS, int(regulars)})
    curve = pd.DataFrame({"regulars": numbers, "share": [share(number) for number in numbers]})
    faces = f"a memory of {remembers:,} face{'' if remembers == 1 else 's'}"
    text = f"{style.count(regulars, 'regular')}, {faces}: {style.percent(chosen)} of repeat visits recognised"
    with style.house(ax, (9, 4.6)) as ax:
        ax.plot(curve["regulars"], curve["share"] * 100, color=style.PALETTE["blue"], linewidth=2.5)
        ax.axhline(100, color=style.PALETTE["green"], linestyle="--", linewidth=1.8)
        ax.text(max(numbers), 96, "with a list", ha="right", va="top", color=style.PALETTE["green"])
        ax.plot(regulars, chosen * 100, "o", markersize=11, color=style.PALETTE["vermillion"])
        ax.annotate(
            style.percent(chosen), (regulars, chosen * 100), xytext=(10, 10), textcoords="offset points", weight="bold"
        )
        ax.set_ylim(0, 105)
        ax.set_xlim(0, max(numbers) * 1.02)
        ax.grid(axis="y")
        ax.set_xlabel("regular customers")
        ax.set_ylabel("repeat visits recognised (%)")
        points = "; ".join(f"{row.regulars:,.0f}: {style.percent(row.share)}" for row in curve.itertuples())
        style.conclude(ax, text, f"Share of repeat visits recognised by number of regulars: {points}.")
    return RecognitionView(curve, float(chosen), ax, text)


def recognition_explorer() -> "VBox":
    """A widget: more regulars, a better memory, and what a list would change.

    Whatever it shows, `recognition_view` returns as data.

    >>> [control.description for control in recognition_explorer().children[:3]]
    ['Regular customers', 'Faces remembered', 'How unequal']
    """
    import ipywidgets as widgets

    wide = {"style": {"description_width": "150px"}, "layout": {"width": "480px"}, "continuous_update": False}
    regulars = widgets.IntSlider(400, 25, 1000, 25, description="Regular customers", **wide)
    remembers = widgets.IntSlider(150, 10, 500, 10, description="Faces remembered", **wide)
    unequal = widgets.FloatSlider(value=1.0, min=0.0, max=2.0, step=0.25, description="How unequal", **wide)

    def view(ax: Axes) -> RecognitionView:
        return recognition_view(regulars.value, remembers.value, unequal=unequal.value, ax=ax)

    return explorer([regulars, remembers, unequal], view, RecognitionView, (9, 4.6))
