"""Pictures of effects: for whom a contact changed something, and whether two groups ran side by side before."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from crmkit.show import style

_COLOURS = ("blue", "vermillion", "green", "purple", "orange", "sky")


def uplift(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """For whom did the contact change something, and is it more than luck?

    `table` is from `evaluation.experiments.uplift`. The thick line is the interval of one segment alone, the thin one
    holds for all segments together.

    >>> table = pd.DataFrame({"effect": [0.2, 0.01], "low": [0.1, -0.05], "high": [0.3, 0.07], "low_all": [0.05, -0.07],
    ...     "high_all": [0.35, 0.09]}, index=pd.Index(["three orders or more", "one order"], name="orders"))
    >>> table.attrs = {"kind": "share", "outcome": "bought", "design": "randomised"}
    >>> uplift(table).get_title().replace("\\n", " ")
    'Largest effect for three orders or more: +20.0 percentage points; in 1 of 2 segments no effect shows'
    """
    style.needs(table, ["effect", "low", "high", "low_all", "high_all"], "evaluation.experiments.uplift(…)")
    share = table.attrs.get("kind") == "share"
    scale, unit, digits = (100, " percentage points", 1) if share else (1, "", 2)
    shown, places = (
        table * scale if table.dtypes.map(pd.api.types.is_numeric_dtype).all() else table,
        np.arange(len(table)),
    )
    with style.house(ax, (9, 1.8 + 0.62 * len(table))) as ax:
        ax.axvline(0, color=style.PALETTE["black"], linewidth=1)
        ax.hlines(places, shown["low_all"], shown["high_all"], color=style.PALETTE["grey"], linewidth=1.5)
        ax.hlines(places, shown["low"], shown["high"], color=style.PALETTE["blue"], linewidth=5, alpha=0.55)
        ax.plot(shown["effect"], places, "o", color=style.PALETTE["blue"], markersize=8)
        ax.set_yticks(places, [style.label(name, 26) for name in table.index])
        ax.set_ylim(len(table) - 0.4, -0.6)
        ax.grid(axis="x")
        ax.tick_params(axis="y", length=0)
        outcome = str(table.attrs.get("outcome", "the outcome"))
        ax.set(
            xlabel=f"effect on {outcome}{' (percentage points)' if share else ''}",
            ylabel=str(table.index.name or "segment"),
        )
        clear = (table["low_all"] > 0) | (table["high_all"] < 0)
        best = table["effect"].idxmax()
        figure = f"{table.loc[best, 'effect'] * scale:+.{digits}f}{unit}".replace("-", "−")
        quiet = int((~clear).sum())
        stands = "Largest effect for" if clear.get(best, False) else "No segment stands out; the largest effect is for"
        title = f"{stands} {best}: {figure}"
        if quiet:
            title += f"; in {quiet} of {len(table)} segments no effect shows"
        told = "; ".join(
            f"{name} {row.effect * scale:.{digits}f} ({row.low * scale:.{digits}f} to {row.high * scale:.{digits}f})"
            for name, row in table.iterrows()
        )
        return style.conclude(
            ax, title, f"Points with intervals, design {table.attrs.get('design', 'unknown')}: {told}."
        )


def trends(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Did the groups run side by side before it began, and what happened then?

    `table` is from `evaluation.differences.trends`. Lines are means; dashed grey are those who never start (or start
    last), a mark shows where a group starts.

    >>> table = pd.DataFrame({"unit": ["north"] * 2 + ["south"] * 2, "period": [1, 2] * 2, "mean": [11.0, 17, 8, 9],
    ...     "treated": [False, True, False, False], "starts": [2, 2, None, None], "gap": [3.0, 8, 0, 0]})
    >>> table.attrs = {"outcome": "orders", "unit": "region", "period": "month", "yardstick": ["south"]}
    >>> trends(table).get_title().replace("\\n", " ")
    'After the start the distance to the others rose by 5.00 on average: from 3.00 to 8.00'
    """
    style.needs(table, ["unit", "period", "mean", "treated", "starts", "gap"], "evaluation.differences.trends(…)")
    yardstick = table.attrs.get("yardstick", [])
    periods = list(dict.fromkeys(table["period"].sort_values()))
    place = {period: number for number, period in enumerate(periods)}
    begun = [unit for unit in dict.fromkeys(table["unit"]) if str(unit) not in yardstick]
    ends: list[tuple[float, int, object, str]] = []
    with style.house(ax, (9.5, 5)) as ax:
        for unit, rows in table.groupby("unit", observed=True):
            at, waits = rows["period"].map(place), str(unit) in yardstick
            colour = style.PALETTE["grey"] if waits else style.PALETTE[_COLOURS[begun.index(unit) % len(_COLOURS)]]
            ax.plot(at, rows["mean"], color=colour, linestyle="--" if waits else "-", linewidth=1.5 if waits else 2)
            ends.append((rows["mean"].iloc[-1], at.iloc[-1], unit, colour))
            start = rows.loc[rows["treated"]].head(1)
            if len(start):
                ax.plot(start["period"].map(place), start["mean"], "o", color=colour, markersize=9)
        step = max(1, len(periods) // 8)
        ax.set_xticks(range(0, len(periods), step), [str(period) for period in periods[::step]])
        ax.margins(x=0.1)
        least, lowest = np.ptp(ax.get_ylim()) * 0.055, -np.inf
        for height, at, unit, colour in sorted(ends, key=lambda end: end[0]):  # names that would overlap move up
            lowest = max(height, lowest + least)
            ax.annotate(
                style.label(unit, 14), (at, height), (at + 0.015 * len(periods), lowest), va="center", color=colour
            )
        ax.grid(axis="y")
        ax.set(xlabel=str(table.attrs.get("period", "period")), ylabel=f"mean {table.attrs.get('outcome', 'outcome')}")
        mine = table[table["unit"].isin(begun)]
        gaps = mine.groupby(["unit", "treated"], observed=True)["gap"].mean().unstack()
        if {False, True} <= set(gaps.columns) and gaps.dropna().size:
            before, after = gaps.dropna()[False].mean(), gaps.dropna()[True].mean()
            way = "rose" if after >= before else "fell"
            title = (
                f"After the start the distance to the others {way} by {abs(after - before):.2f} on average: from "
                f"{before:.2f} to {after:.2f}"
            )
        else:
            title = "No group is seen both before and after its start"
        return style.conclude(
            ax, title.replace("-", "−"),
            f"A line a {table.attrs.get('unit', 'group')}; {', '.join(map(str, begun))} start, {', '.join(yardstick)} do not.",
        )  # fmt: skip
