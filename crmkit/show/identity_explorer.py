"""The widget of duplicates: move the threshold, and see what precision costs in recall and which pairs are behind it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from crmkit.escape import html
from crmkit.show import style
from crmkit.show.cards import _told, table
from crmkit.show.widget import View, explorer
from crmkit.tables import identity

if TYPE_CHECKING:
    from ipywidgets import VBox

SHOWN = ("name", "phone", "email", "birth_date")


@dataclass(frozen=True, repr=False)
class IdentityView(View):
    """What the widget shows for one threshold.

    figures : `identity.evaluate` at this threshold. wrong, missed : pairs of two persons that were merged, and pairs of
        one person that were not: `left`, `right`, `score`, `reason`, the strongest mistakes first. ax : the curve.
    """

    KIND = "crmkit-identity-view"
    threshold: float
    figures: "pd.Series[Any]"
    wrong: pd.DataFrame
    missed: pd.DataFrame
    records: pd.DataFrame
    ax: Axes

    @property
    def text(self) -> str:
        found = self.figures
        return (
            f"From {self.threshold:g} points on: {found['customers']:,.0f} customers (truth: {found['persons']:,.0f}). "
            f"Precision {found['precision']:.3f}: {style.count(found['wrong_pairs'], 'pair')} merged wrongly. "
            f"Recall {found['recall']:.3f}: {style.count(found['missed_pairs'], 'pair')} missed."
        )

    def _content(self, drawn: str) -> str:
        strangers, missed = ("Merged, and two persons", self.wrong), ("One person, and not merged", self.missed)
        return super()._content(drawn) + self._pairs(*strangers) + self._pairs(*missed)

    def _pairs(self, caption: str, pairs: pd.DataFrame) -> str:
        if pairs.empty:
            return f"<p>{caption}: none.</p>"
        columns = [name for name in SHOWN if name in self.records]
        rows = []
        for pair in pairs.itertuples():
            for record in (pair.left, pair.right):
                told = [_told(_day(self.records.at[record, name])) for name in columns]
                rows.append([html(record), *told, f"{pair.score:.1f}" if record == pair.left else ""])
        return table(
            caption, {"record": True, **{name.replace("_", " "): True for name in columns}, "points": False}, rows
        )


def identity_view(
    records: pd.DataFrame,
    pairs: pd.DataFrame,
    truth: Any,
    threshold: float = 8,
    *,
    examples: int = 3,
    curve: pd.DataFrame | None = None,
    ax: Axes | None = None,
) -> IdentityView:
    """How many duplicates does this threshold find, how many strangers does it merge, and who are they?

    `records` has one row a record with `record_id`; `pairs` come from `identity.match` (with a low `review`, so that
    low thresholds can be tried), `truth` is what `identity.evaluate` takes; `curve` may be handed over to save time.
    Returns an `IdentityView`: `.figures`, `.wrong`, `.missed` (at most `examples` pairs each), `.ax`, `.text`, `.html()`.
    """
    style.needs(records, ["record_id"], "the firm")
    style.needs(pairs, ["left", "right", "score", "reason"], "identity.match(normalised)")
    by_id = records.set_index("record_id")
    clusters = identity.clusters(by_id, pairs, threshold=threshold)
    figures = identity.evaluate(clusters, truth)
    person = truth if isinstance(truth, pd.Series) else truth.set_index("record_id")["person_id"]
    same = person.reindex(pairs["left"]).to_numpy() == person.reindex(pairs["right"]).to_numpy()
    merged = clusters.reindex(pairs["left"]).to_numpy() == clusters.reindex(pairs["right"]).to_numpy()
    columns = ["left", "right", "score", "reason"]
    wrong, missed = (
        pairs.loc[which, columns].sort_values(["score", "left"], ascending=[False, True]).head(examples)
        for which in (merged & ~same, same & ~merged)
    )
    curve = identity.curve(pairs, truth) if curve is None else curve
    drawn = _drawn(curve, threshold, figures, ax)
    return IdentityView(threshold, figures, wrong.reset_index(drop=True), missed.reset_index(drop=True), by_id, drawn)


def _drawn(curve: pd.DataFrame, threshold: float, figures: "pd.Series[Any]", ax: Axes | None) -> Axes:
    with style.house(ax, (9, 4.2)) as axes:
        for column, colour, line in (("precision", "vermillion", "-"), ("recall", "blue", "--")):
            axes.plot(curve["threshold"], curve[column], line, color=style.PALETTE[colour], linewidth=2.5, label=column)
            axes.plot(threshold, figures[column], "o", color=style.PALETTE[colour], markersize=9)
        axes.axvline(threshold, color=style.PALETTE["grey"], linewidth=1)
        axes.set_xlabel("threshold (points)")
        axes.set_ylabel("share of pairs")
        axes.set_ylim(-0.02, 1.04)
        axes.grid(axis="y")
        axes.legend(loc="lower center", frameon=False, ncols=2)
        title = (
            f"At {threshold:g} points {style.percent(figures['precision'])} of the merged pairs are right, "
            f"and {style.percent(figures['recall'])} of the duplicates are found"
        )
        ends = f"Precision goes from {curve['precision'].iloc[0]:.2f} at the lowest to {curve['precision'].iloc[-1]:.2f} at the highest threshold, "
        return style.conclude(
            axes, title, f"{ends}recall from {curve['recall'].iloc[0]:.2f} to {curve['recall'].iloc[-1]:.2f}."
        )


def identity_explorer(records: pd.DataFrame, pairs: pd.DataFrame, truth: Any) -> "VBox":
    """A widget: move the threshold of points, and see precision, recall and the pairs that are wrong.

    Whatever it shows, `identity_view` returns as data. The parameters are those of `identity_view`.
    """
    import ipywidgets as widgets

    curve = identity.curve(pairs, truth)
    low, high = (int(limit) for limit in (np.floor(curve["threshold"].min()), np.ceil(curve["threshold"].max())))
    slider = widgets.FloatSlider(
        min(max(8.0, low), high),
        min=low,
        max=high,
        step=0.5,
        description="Threshold (points)",
        style={"description_width": "150px"},
        layout={"width": "500px"},
        continuous_update=False,
    )

    def view(ax: Axes) -> IdentityView:
        return identity_view(records, pairs, truth, slider.value, curve=curve, ax=ax)

    return explorer([slider], view, IdentityView, (9, 4.2))


def _day(value: Any) -> Any:
    return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) and not pd.isna(value) else value
