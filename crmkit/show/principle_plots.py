"""The four principles as pictures: segmentations beside each other, who is known, and what a finer division costs."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from crmkit.errors import InputError
from crmkit.segmentation import principles
from crmkit.show import style
from crmkit.show.widget import View, explorer

if TYPE_CHECKING:
    from ipywidgets import VBox

#: Numbers of segments at which the trade is computed.
_GRAINS = (2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 30)


def principle_grid(compared: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Which segmentation is strong in what? `compared` is from `segmentation.principles.compare`.

    Equal are scores that look equal in the grid, with two digits; who shares the first place is not called the best.

    >>> people = pd.Series(["a", "b"] * 60)
    >>> halves, few = principles.score(people, name="halves"), principles.score(people, name="few", customers=range(300))
    >>> principle_grid(principles.compare([halves, few])).get_title().replace("\\n", " ")
    'No segmentation is best in all four principles: halves is best in measurable; 2 tie in actionable'
    """
    style.needs(compared, list(principles.PRINCIPLES), "segmentation.principles.compare(cards)")
    scores = compared[list(principles.PRINCIPLES)].astype(float)
    texts = scores.map(lambda score: f"{score:.2f}" if np.isfinite(score) else "–")
    with style.house(ax, (9, 1.8 + 0.5 * len(scores))) as ax:
        style.heat(ax, scores, texts, cmap=style.AMOUNTS, vmin=0, vmax=1, cbar_kws={"label": "score, 0 to 1"})
        ax.set_yticklabels([style.label(name, 24) for name in scores.index])
        ax.set_xlabel("")
        ax.set_ylabel("")
        title = _best(scores.round(2))
        told = "; ".join(f"{name}: " + ", ".join(f"{c} {texts.loc[name, c]}" for c in scores) for name in scores.index)
        return style.conclude(ax, title, f"Scores by principle. {told}.")


def _best(scores: pd.DataFrame) -> str:
    """Who is best in what, and where several share the first place."""
    if len(scores) == 1:
        (only,) = scores.index
        top = scores.loc[only]
        return f"{only} is strongest in {_listed(top.index[top == top.max()])}"
    first = {
        principle: scores.index[values == values.max()] for principle, values in scores.items() if values.notna().any()
    }
    alone, tied = {}, {}
    for principle, names in first.items():
        (alone.setdefault(names[0], []) if len(names) == 1 else tied.setdefault(len(names), [])).append(principle)
    if any(len(its) == len(scores.columns) for its in alone.values()):
        return f"{next(iter(alone))} is best in all four principles"
    most_first = sorted(alone, key=lambda name: -len(alone[name]))
    told = [f"{name}{' is best' if name == most_first[0] else ''} in {_listed(alone[name])}" for name in most_first]
    shared = [f"{count} tie in {_listed(its)}" for count, its in sorted(tied.items())]
    parts = "; ".join(part for part in (", ".join(told), ", ".join(shared)) if part)
    return f"No segmentation is best in all four principles: {parts}"


def _listed(words: Iterable[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


def known_by_fifth(known: "pd.Series[bool]", money: "pd.Series[float]", ax: Axes | None = None) -> Axes:
    """Of whom do we know the age, the income, the motive? The share that is known, by fifth of the money spent.

    `known` (yes/no) and `money`, both by customer_id. If the bars differ, what is known describes some customers and not all.

    >>> known = pd.Series([False] * 5 + [True] * 5)
    >>> known_by_fifth(known, pd.Series(range(10), dtype=float)).get_title().replace("\\n", " ")
    'Of the highest fifth 100 % are known, of the lowest 0 %'
    """
    both = pd.concat([known.rename("known"), money.rename("money")], axis=1, join="inner").dropna()
    if len(both) < 5:
        raise InputError(f"{len(both)} customers stand in both tables; five fifths need five at least.")
    fifth = np.minimum((both["money"].rank(method="average", pct=True) * 5).apply(np.ceil).astype(int), 5)
    shares = both["known"].astype(bool).groupby(fifth).mean().reindex(range(1, 6))
    with style.house(ax, (9, 4.2)) as ax:
        bars = ax.bar(shares.index, shares * 100, color=style.PALETTE["blue"], width=0.7)
        everybody, colour = both["known"].mean(), style.PALETTE["vermillion"]
        ax.axhline(everybody * 100, color=colour, linestyle="--", linewidth=1.8)
        ground = {
            "facecolor": "white",
            "edgecolor": "none",
            "pad": 1.5,
        }  # the line passes behind a number, not through it
        ax.bar_label(bars, [style.percent(share) for share in shares], padding=4, bbox=ground, zorder=3)
        beside = ax.get_yaxis_transform()
        ax.text(1.01, everybody * 100, f"all:\n{style.percent(everybody)}", color=colour, va="center", transform=beside)
        ax.set_ylim(0, 108)
        ax.set_xticks(range(1, 6), ["lowest fifth", "2nd", "3rd", "4th", "highest fifth"])
        ax.set_xlabel("customers by money spent")
        ax.set_ylabel("known (%)")
        low, high = (
            style.percent(share).replace("<", "less than ").replace(">", "more than ")
            for share in (shares[1], shares[5])
        )
        title = f"Of the highest fifth {high} are known, of the lowest {low}"
        told = ", ".join(style.percent(share) for share in shares)
        return style.conclude(ax, title, f"Share known by fifth of money, lowest first: {told}.")


@dataclass(frozen=True, repr=False)
class GrainView(View):
    """What the widget shows: the trade between difference and stability by number of segments, the chosen one, the picture."""

    KIND = "crmkit-grain-view"
    curve: pd.DataFrame
    chosen: pd.Series
    ax: Axes
    text: str


def grain_view(
    before: "pd.Series[float]", after: "pd.Series[float]", segments: int = 5, *, ax: Axes | None = None
) -> GrainView:
    """Customers are cut into so many equal groups by what they spent. What is won and lost with a finer division?

    `before` and `after` are the money of the same kind of period, by customer_id. Groups are cut in `before` and the same cut
    points are used for `after`. Differentiable is judged by the money of `after` (who did not come back spent 0). Returns a
    `GrainView`: `.curve` (`segments`, `differentiable`, `stable`, `actionable` with 50 customers), `.chosen`, `.ax`, `.text`, `.html()`.

    >>> before = pd.Series(range(200), dtype=float)
    >>> grain_view(before, before, segments=4)
    4 segments: difference 0.94, stability 1.00
    """
    if not isinstance(segments, (int, np.integer)) or not 2 <= segments <= 60:
        raise InputError(f"segments={segments!r} must be a whole number from 2 to 60.")
    later = after.reindex(before.index).fillna(0.0)

    def judged(number: int) -> dict[str, float]:
        cuts = np.unique(np.quantile(before, np.arange(1, number) / number, method="inverted_cdf"))
        labels = pd.Series(np.searchsorted(cuts, before), index=before.index).astype(str)
        moved = pd.Series(np.searchsorted(cuts, after), index=after.index).astype(str)
        card = principles.score(labels, outcome=later, later=moved)
        return {"segments": number, **card.table["score"].drop("measurable").to_dict()}

    curve = pd.DataFrame([judged(number) for number in sorted({*_GRAINS, int(segments)})])
    chosen = curve.set_index("segments").loc[segments]
    text = f"{segments} segments: difference {chosen['differentiable']:.2f}, stability {chosen['stable']:.2f}"
    with style.house(ax, (9, 4.8)) as ax:
        for name, colour, line, mark in (("differentiable", "blue", "-", "o"), ("stable", "vermillion", "--", "s")):
            ax.plot(
                curve["segments"], curve[name], color=style.PALETTE[colour], linestyle=line, linewidth=2.5, label=name
            )
            ax.plot(segments, chosen[name], mark, markersize=10, color=style.PALETTE[colour])
        ax.axvline(segments, color="#999999", linewidth=1)
        ax.set_ylim(0, 1.02)
        ax.set_xlabel("number of segments")
        ax.set_ylabel("score, 0 to 1")
        ax.grid(axis="y")
        ax.legend(frameon=False, loc="upper right")
        first = curve.iloc[0]
        title = (
            f"From {first['segments']:.0f} to {segments} segments: difference {first['differentiable']:.2f} to "
            f"{chosen['differentiable']:.2f}, stability {first['stable']:.2f} to {chosen['stable']:.2f}"
        )
        told = "; ".join(
            f"{row.segments:.0f}: {row.differentiable:.2f} and {row.stable:.2f}" for row in curve.itertuples()
        )
        style.conclude(ax, title, f"Difference and stability by number of segments: {told}.")
    return GrainView(curve, chosen, ax, text)


def grain_explorer(before: "pd.Series[Any]", after: "pd.Series[Any]") -> "VBox":
    """A widget: more segments, or fewer? What a finer division wins in difference it loses in stability.

    Whatever it shows, `grain_view` returns as data.

    >>> before = pd.Series(range(200), dtype=float)
    >>> grain_explorer(before, before).children[0].description
    'Segments'
    """
    import ipywidgets as widgets

    wide = {"style": {"description_width": "100px"}, "layout": {"width": "460px"}, "continuous_update": False}
    segments = widgets.IntSlider(5, 2, 30, description="Segments", **wide)
    return explorer([segments], lambda ax: grain_view(before, after, segments.value, ax=ax), GrainView, (9, 4.8))
