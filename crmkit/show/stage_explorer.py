"""The widget of the six stages: move a threshold and see who moves; with its headless twin."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from crmkit.escape import html
from crmkit.lifecycle import stages
from crmkit.lifecycle.stages import StageRules
from crmkit.show import style
from crmkit.show.widget import View, explorer

if TYPE_CHECKING:
    from ipywidgets import VBox

#: The slider of each threshold of the shipped rules: its words, its end and its step.
_SLIDERS = {
    "slow_after": ("Silent after (usual gaps)", 8.0, 0.25),
    "lost_after": ("Lost after (usual gaps)", 20.0, 0.25),
    "mature_from": ("Mature from (windows)", 6.0, 0.5),
    "growing_from": ("Growing from (times as many)", 4.0, 0.1),
    "shrinking_to": ("Shrinking to (times as many)", 1.0, 0.05),
    "chance_up_to": ("A change counts up to chance", 0.6, 0.02),
}


@dataclass(frozen=True, repr=False)
class StageView(View):
    """What the widget shows for one setting: the stages, who moves, the picture, one sentence."""

    KIND = "crmkit-stage-view"
    stages: pd.DataFrame
    moves: pd.DataFrame
    ax: Axes
    text: str

    def _content(self, drawn: str) -> str:
        moved = _moved(self.moves)
        items = "".join(f"<li>{html(old)} → {html(new)}: {number:,}</li>" for (old, new), number in moved.items())
        return f"<p><b>{html(self.text)}</b></p><ul>{items}</ul>{drawn}"


def stage_view(
    assigned: pd.DataFrame, rules: Any = "six_stages", *, ax: Axes | None = None, **thresholds: float
) -> StageView:
    """Who moves to another stage if these thresholds are moved?

    `assigned` is from `stages.assign`; `rules` are those to start from, `thresholds` what is changed, such as
    `lost_after=4`. Returns a `StageView`: `.stages` (as from `stages.reassign`), `.moves` (customers, stage as assigned ×
    stage now), `.ax`, `.text`, `.html()`. Raises what `StageRules.move` and `stages.reassign` raise.

    >>> from crmkit.tables import Transactions
    >>> bought = pd.DataFrame({"customer_id": ["a", "a", "b", "b"], "amount": 5.0,
    ...                        "ordered_at": ["2026-01-01", "2026-01-11", "2026-01-21", "2026-03-01"]})
    >>> stage_view(stages.assign(Transactions.read(bought), as_of="2026-03-01"), slow_after=1)
    1 of 2 customers moves: growth to decline (1)
    """
    moved = stages.reassign(assigned, StageRules.load(rules).move(**thresholds))
    matrix = stages.transitions(assigned, moved)
    changes = _moved(matrix)
    number = sum(changes.values())
    text = f"Nobody of {style.count(len(assigned), 'customer')} moves"
    if number:
        (old, new), most = next(iter(changes.items()))
        verb = "moves" if number == 1 else "move"
        text = f"{number:,} of {style.count(len(assigned), 'customer')} {verb}"
        tied = list(changes.values()).count(most) > 1
        text += (
            f" in {len(changes)} ways" if tied else f": {'most ' if len(changes) > 1 else ''}{old} to {new} ({most:,})"
        )
    counts = [table["stage"].value_counts(sort=False) for table in (assigned, moved)]
    with style.house(ax, (9, 4.5)) as ax:
        places = np.arange(len(counts[0]))
        colour = style.PALETTE["blue"]
        for shift, sizes, name, how in (
            (-0.2, counts[0], "before", {"color": "white", "hatch": "////"}),
            (0.2, counts[1], "after", {"color": colour}),
        ):
            bars = ax.barh(places + shift, sizes, 0.38, edgecolor=colour, label=name, **how)
            ax.bar_label(bars, [f"{size:,}" for size in sizes], padding=4, fontsize=style.FONT_SIZE)
        ax.set_yticks(places, counts[0].index.tolist())
        ax.invert_yaxis()
        ax.margins(x=0.12)
        ax.grid(axis="x")
        ax.set_xlabel("customers")
        ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
        told = "; ".join(f"{name} {counts[0][name]:,} before, {counts[1][name]:,} after" for name in counts[0].index)
        style.conclude(ax, text, f"Bars of customers by stage: {told}.")
    return StageView(moved, matrix, ax, text)


def _moved(matrix: pd.DataFrame) -> dict[tuple[str, str], int]:
    """Pairs of different stages with their customers, the largest first."""
    pairs = {pair: int(number) for pair, number in matrix.stack().items() if number and pair[0] != pair[1]}
    return dict(sorted(pairs.items(), key=lambda item: -item[1]))


def stage_explorer(assigned: pd.DataFrame, rules: Any = "six_stages") -> "VBox":
    """A widget: move a threshold of the rules and see who moves from which stage to which.

    Whatever it shows, `stage_view` returns as data. Thresholds that cross, so that a customer would fit two rules or
    none, show the message of the check.

    >>> from crmkit.tables import Transactions
    >>> bought = pd.DataFrame({"customer_id": ["a", "a"], "amount": 5.0, "ordered_at": ["2026-01-01", "2026-01-11"]})
    >>> [slider.description for slider in stage_explorer(stages.assign(Transactions.read(bought), as_of="2026-01-11")).children[:2]]
    ['Silent after (usual gaps)', 'Lost after (usual gaps)']
    """
    import ipywidgets as widgets

    chosen = StageRules.load(rules)
    stages.reassign(assigned, chosen)  # a table that can never be ruled is refused here, with the reason
    wide = {"style": {"description_width": "220px"}, "layout": {"width": "560px"}, "continuous_update": False}
    sliders = {}
    for name, value in chosen.thresholds.items():
        words, end, step = _SLIDERS.get(name, (name.replace("_", " "), max(4 * value, 1.0), max(value, 1.0) / 20))
        sliders[name] = widgets.FloatSlider(value, min=0, max=max(end, value), step=step, description=words, **wide)

    def view(ax: Axes) -> StageView:
        thresholds = {name: slider.value for name, slider in sliders.items()}
        return stage_view(assigned, chosen, ax=ax, **thresholds)

    return explorer([*sliders.values()], view, StageView, (9, 4.5))
