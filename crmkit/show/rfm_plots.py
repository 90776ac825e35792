"""Pictures of RFM scores: where the customers sit, what they bring, and what ties do to the scores.

Each function returns the Axes, whose title states what the data show and whose `alt_text` says the
same to somebody who cannot see the chart. Customers are counted before anything is drawn, so two
million of them cost no more ink than ten.
"""

import re
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from crmkit import escape
from crmkit.errors import InputError, one_of
from crmkit.evaluation.reasons import facts, number
from crmkit.segmentation import rfm
from crmkit.show import style
from crmkit.show.segment_plots import headline

_SCORED = "segmentation.rfm.score(summary)"
_GRID_VALUES = ("customers", "mean spend", "segment")


def _dimensions(scores: pd.DataFrame) -> tuple[rfm.Dimension, ...]:
    return scores.attrs.get("dimensions", rfm.DIMENSIONS["rfm"])


def _best_score(scores: pd.DataFrame, letter: str) -> int:
    """The number of bins of a dimension: as recorded, else the best score that occurs."""
    bins = scores.attrs.get("bins")
    if isinstance(bins, dict):
        bins = bins.get(letter)
    seen = int(scores[f"{letter}_score"].max())
    return max(int(bins), seen) if bins else seen


def rfm_heat_map(
    scores: pd.DataFrame,
    value: Literal["customers", "mean spend", "segment"] = "customers",
    ax: Axes | None = None,
) -> Axes:
    """Where do the customers sit on the grid of recency and frequency, and what is a cell worth?

    `scores` is the result of `segmentation.rfm.score` (columns `r_score`, `f_score`; `spend` for
    `"mean spend"`) or of `segmentation.rfm.segment` (`segment` for `"segment"`). The best customers are
    at the top right; a hatched cell holds nobody. `"segment"` colours each cell by the segment most of
    its customers are in and numbers the segments in the map's order.

    >>> import pandas as pd
    >>> scores = pd.DataFrame({"r_score": [5, 5, 1, 2], "f_score": [5, 5, 1, 1], "spend": [90.0, 60.0, 10.0, 8.0]})
    >>> rfm_heat_map(scores).get_title().replace("\\n", " ")
    'The fullest cell is R5-F5: 2 of 4 customers (50 %)'
    """
    one_of("value", value, _GRID_VALUES)
    extra = {"customers": [], "mean spend": ["spend"], "segment": ["segment"]}[value]
    made_by = "segmentation.rfm.segment(scores)" if value == "segment" else _SCORED
    style.needs(scores, ["r_score", "f_score", *extra], made_by)

    if extra and scores[extra[0]].isna().all():
        raise InputError(f"column {extra[0]!r} is missing for all {len(scores):,} customers; there is nothing to draw.")
    rows, columns = _best_score(scores, "r"), _best_score(scores, "f")
    cells = scores.groupby(["r_score", "f_score"], sort=True)
    customers = _grid(cells.size(), rows, columns)
    currency = scores.attrs.get("currency")
    with style.house(ax, grid_size(rows, columns)) as ax:
        if value == "segment":
            title, found = _draw_segments(ax, scores, customers)
        else:
            shown = customers if value == "customers" else _grid(cells["spend"].mean(), rows, columns)
            unit = "customers" if value == "customers" else f"mean spend{f' ({currency})' if currency else ''}"
            _heat(ax, shown, unit)
            if value == "customers":
                title = _fullest(customers)
            else:
                title = _richest(shown, customers, scores["spend"].mean(), currency)
            found = f"The colour and the number of a cell are its {unit}"
        measured = {dimension.letter: dimension.label for dimension in _dimensions(scores)}
        ax.set_xlabel(escape.label(f"F score ({columns} = best), from {measured.get('f', 'frequency')}"))
        ax.set_ylabel(escape.label(f"R score ({rows} = best), from\n{measured.get('r', 'recency')}"))
        empty = int(customers.isna().to_numpy().sum())
        return style.conclude(
            ax,
            title,
            f"A grid of {rows} recency scores by {columns} frequency scores, best at the top right. "
            f"{found}; {style.count(empty, 'cell')} of {rows * columns} hold nobody.",
        )


def grid_size(rows: int, columns: int) -> tuple[float, float]:
    """Inches of a figure in which the cells of a grid are large enough to be written on."""
    return max(9.0, columns + 1.5), max(5.0, 0.62 * rows + 1.3)


def _grid(values: pd.Series, rows: int, columns: int) -> pd.DataFrame:
    """Values by cell, the best recency on top; a cell without customers is missing."""
    return values.unstack().reindex(index=range(rows, 0, -1), columns=range(1, columns + 1))


def _heat(ax: Axes, shown: pd.DataFrame, unit: str) -> None:
    low, high = shown.min().min(), shown.max().max()
    # A single amount says nothing about more and less: the middle of the scale, not its dark end.
    alone = {"vmin": low - 1, "vmax": high + 1, "cbar": False} if low == high else {}
    bar = {"label": unit, "format": lambda amount, _: style.short(amount)}
    style.heat(ax, shown, shown.map(style.short), cmap=style.AMOUNTS, cbar_kws=bar, **alone)


def _names(cells: Sequence[tuple[int, int]]) -> str:
    return " and ".join(f"R{recency}-F{frequency}" for recency, frequency in cells)


def _largest(grid: pd.DataFrame) -> tuple[float, list[tuple[int, int]]]:
    """The largest value of a grid and every cell that has it."""
    values = grid.stack().dropna()
    top = values.max()
    return top, list(values.index[values == top])


def _fullest(customers: pd.DataFrame) -> str:
    total = int(customers.sum().sum())
    top, cells = _largest(customers)
    if len(cells) == 1 and top == total:
        return f"{style.everyone(total)} in one cell, {_names(cells)}"
    if len(cells) > 2:
        return f"No cell stands out: {len(cells)} cells share the largest number, {style.count(top, 'customer')}"
    share = f"{top:,.0f} of {style.count(total, 'customer')} ({style.percent(top / total)})"
    if len(cells) == 2:
        return f"The fullest cells are {_names(cells)}: {share} in each"
    return f"The fullest cell is {_names(cells)}: {share}"


def _richest(mean_spend: pd.DataFrame, customers: pd.DataFrame, overall: float, currency: str | None) -> str:
    values = mean_spend.stack().dropna()
    if len(values) == 1:
        return f"All are in one cell, {_names(list(values.index))}: mean spend {style.money(overall, currency)}"
    top, cells = _largest(mean_spend)
    if len(cells) == len(values):
        return f"Mean spend is {style.money(top, currency)} in every cell"
    if len(cells) > 2:
        return f"{len(cells)} cells share the highest mean spend, {style.money(top, currency)}"
    people = style.count(sum(customers.loc[cell] for cell in cells), "customer")
    times = f", {top / overall:.1f} times the mean of all" if overall > 0 else ""
    return f"Highest mean spend: {style.money(top, currency)} in {_names(cells)} ({people}){times}"


def _draw_segments(ax: Axes, segments: pd.DataFrame, customers: pd.DataFrame) -> tuple[str, str]:
    """Colour each cell by the segment most of its customers are in; number the segments."""
    sizes = segments.groupby(["r_score", "f_score", "segment"], observed=True).size()
    # Of equal sizes the first in the map wins: groupby sorts, a stable sort keeps that order.
    main = sizes.sort_values(ascending=False, kind="stable").groupby(level=[0, 1]).head(1)
    names = _map_order(segments["segment"])
    colours, places = style.segment_colours(names), {name: place for place, name in enumerate(names, 1)}
    mixed = sizes.groupby(level=[0, 1]).size()
    grid = _grid(main.reset_index("segment")["segment"].map(places).astype(float), *customers.shape)
    between = "\n" if len(customers) <= 6 else " "
    texts = {
        (recency, frequency): style.short(customers.loc[recency, frequency])
        + f"{between}({places[name]}{'*' if mixed.loc[recency, frequency] > 1 else ''})"
        for recency, frequency, name in main.index
    }
    by_place = {"cmap": [colours[name] for name in names], "vmin": 0.5, "vmax": len(names) + 0.5, "cbar": False}
    style.heat(ax, grid, _grid(pd.Series(texts), *customers.shape), **by_place)
    present = set(segments["segment"].unique())
    handles = [
        Patch(facecolor=colours[name], label=f"{places[name]} {style.label(name, 22)}")
        for name in names
        if name in present
    ]
    title = "* cell shared with others" if (mixed > 1).any() else None
    ax.legend(handles=handles, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, title=title)
    totals = segments.groupby("segment", observed=True)
    table = totals.size().rename("customers").to_frame()
    table["spend"] = totals["spend"].sum() if "spend" in segments.columns else np.nan
    found = (
        "The colour and the number in brackets of a cell are the segment most of its customers are in, "
        + ", ".join(f"{places[name]} {name}" for name in names if name in present)
    )
    return headline(table), found


def _map_order(segments: pd.Series) -> list[Any]:
    if isinstance(segments.dtype, pd.CategoricalDtype):
        return list(segments.cat.categories)
    return list(segments.dropna().unique())


def score_distribution(scores: pd.DataFrame, dimension: str = "f", ax: Axes | None = None) -> Axes:
    """How many customers got each score, and which ties made the bins uneven?

    `dimension` is the letter of a scored dimension of `scores` (`"r"`, `"f"`, `"m"` …). Equal customers get
    equal scores, so a value that many share cannot be divided: one that fills more than half an even bin is
    hatched and its value written on it. A score that nobody got is marked empty.

    >>> summary = pd.DataFrame({"recency_days": [1, 2, 3, 4], "orders": [1, 1, 1, 9], "spend": [5.0, 6.0, 7.0, 8.0]})
    >>> print(score_distribution(rfm.score(summary, bins=3), "f").get_title())
    3 of 4 customers are alike (1 order): too many for one F score of 1.3; F
    score 2 is empty
    """
    style.needs(scores, [], _SCORED)
    letter = str(dimension).strip().lower()
    letters = [str(name)[0] for name in scores.columns if re.fullmatch("[a-z]_score", str(name))]
    if letter not in letters:
        raise InputError(
            f"dimension={dimension!r} has no score in this table; it has {', '.join(letters) or 'none'} "
            f"(a table from {_SCORED} has them)."
        )
    measured = {each.letter: each for each in _dimensions(scores)}.get(letter)
    if measured is None:
        raise InputError(
            f"dimension={dimension!r}: the table does not say which column was scored (pandas drops that note in "
            f"merge, join and concat); take the table as {_SCORED} returns it."
        )
    style.needs(scores, [measured.column], _SCORED)
    best, score = _best_score(scores, letter), scores[f"{letter}_score"]
    sizes = score.value_counts().reindex(range(1, best + 1), fill_value=0)
    even = len(scores) / best
    values = scores[measured.column].value_counts()
    ties = values[(values > even / 2) & (values > 1)]
    # The score of a tied value is that of any customer who has it, for equal customers have equal scores.
    carriers = scores.loc[scores[measured.column].isin(ties.index)].drop_duplicates(measured.column)
    score_of = dict(zip(carriers[measured.column], carriers[f"{letter}_score"], strict=True))
    blue, tie = style.PALETTE["blue"], {"facecolor": "white", "hatch": "////", "edgecolor": style.PALETTE["vermillion"]}
    with style.house(ax) as ax:
        floor = dict.fromkeys(sizes.index, 0)
        for value, customers in ties.sort_index().items():
            place = int(score_of[value])
            ax.bar(place, customers, 0.75, floor[place], **tie)
            if customers > 0.07 * sizes.max():  # else there is no room to write on it
                _write(ax, number(value), place, floor[place] + customers / 2, va="center")
            floor[place] += customers
        ax.bar(sizes.index, sizes - pd.Series(floor), 0.75, bottom=pd.Series(floor), color=blue)
        line = ax.axhline(even, color=style.PALETTE["black"], linestyle="--", linewidth=1.2)
        for place, customers in sizes.items():
            _write(ax, f"{customers:,}" if customers else "empty", place, customers + 0.015 * sizes.max(), va="bottom")
        ax.set_xticks(list(sizes.index))
        ax.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10], integer=True))
        ax.yaxis.set_major_formatter(lambda customers, _: f"{customers:,.0f}")
        ax.set_ylim(0, 1.14 * sizes.max())
        ax.grid(axis="y")
        ax.set_xlabel(escape.label(f"{letter.upper()} score ({best} = best), from {measured.label}"))
        ax.set_ylabel("customers")
        legend = {"many values": Patch(color=blue), f"{number(even)} = an even bin": line}
        if len(ties):
            legend["one value, written on it"] = Patch(**tie)
        ax.legend(
            legend.values(),
            legend.keys(),
            frameon=False,
            loc="upper center",
            bbox_to_anchor=(0.45, -0.15),
            ncol=3 if style.width(ax) > 6 else 1,
        )
        found = ", ".join(f"score {place} has {customers:,}" for place, customers in sizes.items())
        shared = [f"{customers:,} share the value {number(value)}" for value, customers in ties.items()]
        told = facts(pd.DataFrame({measured.column: ties.index[:1]}), [measured], scores.attrs) if len(ties) else []
        return style.conclude(
            ax,
            _ties(letter.upper(), ties, sizes, even, *told),
            f"Bars of customers: {found}; an even bin would hold {number(even)}. Ties ({measured.label}): "
            f"{', '.join(shared) or 'none that matters'}.",
        )


def _write(ax: Axes, text: str, x: float, y: float, *, va: str) -> None:
    """Text that stays legible on a bar or a line."""
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    ax.text(x, y, escape.label(text), ha="center", va=va, bbox=ground, zorder=5)


def _ties(letter: str, ties: pd.Series, sizes: pd.Series, even: float, told: str = "") -> str:
    """What ties did to the scores, in one sentence."""
    empty = [str(place) for place in sizes.index[sizes == 0]]
    listed = " and ".join([", ".join(empty[:-1]), empty[-1]] if len(empty) > 1 else empty)
    hollow = f"{letter} {'score' if len(empty) == 1 else 'scores'} {listed} {'is' if len(empty) == 1 else 'are'} empty"
    if len(ties) and ties.iloc[0] > even:
        everyone = ties.iloc[0] == sizes.sum()
        people = style.everyone(sizes.sum()) if everyone else f"{ties.iloc[0]:,} of {sizes.sum():,} customers are"
        return f"{people} alike ({told}): too many for one {letter} score of {number(even)}" + (
            f"; {hollow}" if empty else ""
        )
    if empty:
        hold = "the others hold" if (sizes > 0).sum() > 1 else "the other holds"
        return f"{hollow}; {hold} {_between(sizes[sizes > 0])}"
    if sizes.max() - sizes.min() <= 1:
        return f"{letter} scores are even: {_between(sizes)} in each"
    shared = f"; {ties.iloc[0]:,} are alike ({told})" if len(ties) else ""
    return f"{letter} scores hold {_between(sizes)}, not {number(even)} each{shared}"


def _between(sizes: pd.Series) -> str:
    low, high = sizes.min(), sizes.max()
    return style.count(high, "customer") if low == high else f"{low:,} to {style.count(high, 'customer')}"
