"""What does a silence mean? The widget that lets each model judge one customer's history, and its headless twin."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from crmkit import periods
from crmkit.errors import InputError, KindError
from crmkit.escape import html
from crmkit.show import style
from crmkit.show.widget import View, explorer

if TYPE_CHECKING:
    from ipywidgets import VBox

_LINES = (("blue", "-", "o"), ("vermillion", "--", "s"), ("green", "-.", "^"), ("purple", ":", "D"))


@dataclass(frozen=True, repr=False)
class SilenceView(View):
    """What the widget shows for one history: `table` (a row a model), `ax`, and `text`, one sentence."""

    KIND = "crmkit-silence-view"
    table: pd.DataFrame
    ax: Axes
    text: str

    def _content(self, drawn: str) -> str:
        cells = "".join(
            f"<tr><th>{html(name)}</th><td>{style.percent(row.probability_alive)}</td>"
            f"<td>{row.expected_purchases:.2f}</td></tr>"
            for name, row in self.table.iterrows()
        )
        head = f"<tr><th>model</th><th>still a customer</th><th>purchases in the next {html(self.table.attrs['horizon'])}</th></tr>"
        return f"{super()._content(drawn)}<table>{head}{cells}</table>"


def silence_view(
    models: Sequence[Any],
    x: int = 3,
    t_x: float = 20,
    silence: float = 10,
    *,
    horizon: str | None = None,
    ax: Axes | None = None,
) -> SilenceView:
    """A customer bought again so many times, the last time at this age, and is silent since: still a customer?

    Parameters
    ----------
    models : fitted purchase models of `lifecycle.value` in one unit of time, one to four.
    x : repeat purchases; t_x : age at the last of them, in the models' unit (0 if x is 0); silence : time since then.
    horizon : what to expect purchases for, in the models' unit ("26 weeks"); half a year unless given.

    Returns
    -------
    `SilenceView`: `.table` (index model, columns `probability_alive`, `expected_purchases`), `.ax` (P(alive) as the
    silence grows, the marker is the given one), `.text`, `.html()`.

    Raises InputError for a history that cannot be, or models in different units; KindError for things that are no models.

    >>> from crmkit import datasets, lifecycle
    >>> music = lifecycle.summary(datasets.load("cdnow").transactions, as_of="1997-09-30", unit="weeks")
    >>> model = lifecycle.value.BetaGeometric().fit(music)
    >>> silence_view([model], x=0, t_x=0, silence=30)
    Bought once, silent for 30 weeks: still a customer with 100 % (BG/NBD)
    """
    models = [*models] if isinstance(models, (list, tuple)) else [models]
    unit = _unit(models)
    if x < 0 or x != int(x) or t_x < 0 or silence < 0 or (x == 0) != (t_x == 0):
        raise InputError(
            f"x={x}, t_x={t_x}, silence={silence} is no history: x is a whole number, times are not negative, and t_x is "
            "0 if and only if nothing was bought again (x = 0)."
        )
    horizon = horizon or {"days": "182 days", "weeks": "26 weeks", "months": "6 months", "years": "0.5 years"}[unit]
    reach = max(2.0 * silence, 365.25 / periods.DAYS[unit])
    times = np.append(np.linspace(0, reach, 201), silence)
    history = pd.DataFrame({"x": int(x), "t_x": float(t_x), "T": t_x + times})
    alive = {model.TITLE: model.probability_alive(history, unit=unit).to_numpy() for model in models}
    expected = [model.expected_purchases(history.iloc[[-1]], horizon, unit=unit).iloc[0] for model in models]
    table = pd.DataFrame(
        {"probability_alive": [curve[-1] for curve in alive.values()], "expected_purchases": expected},
        index=pd.Index(alive, name="model"),
    )
    table.attrs = {"unit": unit, "horizon": str(horizon)}
    bought = f"Bought {x + 1} times, last in {unit[:-1]} {t_x:g}" if x else "Bought once"
    told = ", ".join(f"{style.percent(share)} ({name})" for name, share in table["probability_alive"].items())
    text = f"{bought}, silent for {periods.Horizon(silence, unit)}: still a customer with {told}"
    with style.house(ax) as ax:
        for (name, curve), (colour, line, marker) in zip(alive.items(), _LINES, strict=False):
            colour = style.PALETTE[colour]
            ax.plot(times[:-1], curve[:-1] * 100, color=colour, linestyle=line, linewidth=2.2, label=name)
            ax.plot(silence, curve[-1] * 100, color=colour, marker=marker, markersize=9)
        ax.set(ylim=(0, 104), xlim=(0, reach))
        ax.grid(axis="y")
        ax.set_xlabel(f"{unit} since the last purchase")
        ax.set_ylabel("P(alive) (%)")
        ax.legend(frameon=False, loc="best")
        style.conclude(ax, text, f"Curves of P(alive) over {reach:g} {unit} of silence, a marker at {silence:g}.")
    return SilenceView(table, ax, text)


def silence_explorer(models: Sequence[Any]) -> "VBox":
    """A widget: set a customer's history, let the silence grow, and see what each model believes.

    `models` are fitted purchase models of `lifecycle.value` in one unit of time. Whatever it shows, `silence_view`
    returns as data.

    >>> from crmkit import datasets, lifecycle
    >>> music = lifecycle.summary(datasets.load("cdnow").transactions, as_of="1997-09-30", unit="weeks")
    >>> models = [lifecycle.value.BetaGeometric().fit(music)]
    >>> [control.description for control in silence_explorer(models).children[:3]]
    ['Repeat purchases', 'Last at (weeks)', 'Silent for (weeks)']
    """
    import ipywidgets as widgets

    models = [*models] if isinstance(models, (list, tuple)) else [models]
    unit = _unit(models)
    year = round(365.25 / periods.DAYS[unit])
    wide = {"style": {"description_width": "150px"}, "layout": {"width": "480px"}, "continuous_update": False}
    bought = widgets.IntSlider(3, 0, 30, description="Repeat purchases", **wide)
    last = widgets.IntSlider(max(1, year * 2 // 5), 1, max(2, 2 * year), description=f"Last at ({unit})", **wide)
    silent = widgets.IntSlider(max(1, year // 5), 0, max(2, 2 * year), description=f"Silent for ({unit})", **wide)

    def view(ax: Axes) -> SilenceView:
        last.disabled = bought.value == 0
        return silence_view(models, bought.value, last.value if bought.value else 0, silent.value, ax=ax)

    return explorer([bought, last, silent], view, SilenceView, subject="This")


def _unit(models: list[Any]) -> str:
    """The unit of time that all models share."""
    if not 1 <= len(models) <= len(_LINES):
        raise InputError(f"{len(models)} models were given; one to {len(_LINES)} can be told apart in one picture.")
    for model in models:
        if not hasattr(model, "probability_alive") or not hasattr(model, "unit_"):
            raise KindError(f"a fitted purchase model of lifecycle.value is needed, not {type(model).__name__}.")
    units = {model.unit_ for model in models}
    if len(units) > 1:
        raise InputError(f"the models are in different units ({', '.join(sorted(units))}); fit them to one summary.")
    return units.pop()
