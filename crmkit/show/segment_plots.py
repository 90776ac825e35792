"""Pictures of segments: what each brings, and who moved from which to which."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from crmkit.errors import InputError
from crmkit.segmentation.migration import GONE, NEW
from crmkit.show import style


def headline(table: pd.DataFrame) -> str:
    """What the segments show in one sentence, from columns `customers` and `spend`, index segment.

    >>> import pandas as pd
    >>> headline(pd.DataFrame({"customers": [17, 83], "spend": [43.0, 57.0]}, index=["Champions", "Rest"]))
    'Rest: 83 % of customers, 57 % of the money'
    """
    table = table[table["customers"] > 0]
    people, total = table["customers"].sum(), table["spend"].sum()
    if len(table) == 1:
        return f"{style.everyone(people)} in one segment: {table.index[0]}"
    known = table["spend"].notna().all()
    top = table[table["customers"] == table["customers"].max()]
    if known and total > 0:
        top = table[table["spend"] == table["spend"].max()]
    if len(top) > 2:
        return f"{len(top)} segments share the first place: no single one stands out"
    names = " and ".join(str(name) for name in top.index) + (" together" if len(top) > 1 else "")
    share = f"{names}: {style.percent(top['customers'].sum() / people)} of customers"
    if not known:
        return share
    if total > 0:
        return f"{share}, {style.percent(top['spend'].sum() / total)} of the money"
    return f"{share}; " + (
        "nobody's money is left to share" if total == 0 else "refunds exceed sales: no shares of money"
    )


def segment_bars(cards: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Which segments bring more, or less, of the money than their number of customers suggests?

    `cards` is the result of `segmentation.rfm.cards`: one row a segment in the map's order. For each
    segment the hatched bar is its share of the customers, the solid bar its share of the money. If all
    the money nets to zero or less, a share of it means nothing and only customers are drawn.

    >>> cards = pd.DataFrame({"segment": ["Champions", "Others"], "customers": [17, 83], "spend": [430.0, 570.0]})
    >>> [round(bar.get_width()) for bar in segment_bars(cards).patches]
    [17, 83, 43, 57]
    """
    style.needs(cards, ["segment", "customers"], "segmentation.rfm.cards(segments)")
    spend = cards.get("spend", pd.Series(np.nan, index=cards.index)).astype(float)
    people, total = float(cards["customers"].sum()), float(spend.sum())
    if people <= 0:
        raise InputError("the cards hold 0 customers in every segment: there is nothing to draw.")
    places = np.arange(len(cards))
    series = [("share of customers", cards["customers"] / people, "white", "////")]
    if total > 0:
        series.append(("share of money", spend / total, style.PALETTE["blue"], None))
    thick = 0.8 / len(series)
    with style.house(ax, (9, max(5.0, 1.4 + 0.32 * len(series) * len(cards)))) as ax:
        for place, (name, shares, colour, hatch) in enumerate(series):
            heights = shares.to_numpy(dtype=float) * 100
            at = places + (place - (len(series) - 1) / 2) * thick
            bars = ax.barh(
                at, heights, thick * 0.92, color=colour, hatch=hatch, edgecolor=style.PALETTE["blue"], label=name
            )
            ax.bar_label(bars, [style.percent(share) for share in shares], padding=4, fontsize=style.FONT_SIZE)
        ax.set_yticks(places, [style.label(name, 24) for name in cards["segment"]])
        ax.invert_yaxis()
        ax.margins(x=0.12, y=0.02)
        ax.grid(axis="x")
        ax.tick_params(axis="y", length=0)
        ax.set_xlabel("share of all (%)")
        if (spend < 0).any() and total > 0:
            ax.axvline(0, color="#666666", linewidth=0.8)
        ax.legend(frameon=False, loc="best")
        table = pd.DataFrame({"customers": cards["customers"], "spend": spend}).set_axis(
            cards["segment"].astype(object)
        )
        found = "; ".join(
            f"{name} {style.percent(row.customers / people)} of customers"
            + (f" and {style.percent(row.spend / total)} of the money" if total > 0 else "")
            for name, row in table.iterrows()
        )
        return style.conclude(ax, headline(table), f"Bars for {style.count(len(cards), 'segment')}: {found}.")


def migration(matrix: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Who stayed in a segment, and where did the others go?

    `matrix` is the result of `segmentation.rfm.migration`: customers, segments before as rows (with
    "not yet a customer") and segments after as columns, both in the map's order. The number in a cell is
    customers, its colour their share of the row; framed cells are those who stayed.

    >>> names = ["Good", "Lost"]
    >>> migration(pd.DataFrame([[6, 2], [0, 2]], index=names, columns=names)).get_title().replace("\\n", " ")
    '80 % of 10 customers stayed in their segment; the largest move down the map: Good to Lost, 2 customers'
    """
    style.needs(matrix, [], "segmentation.rfm.migration(before, after)")
    counts = matrix.astype(float)
    counts.index, counts.columns = counts.index.astype(object), counts.columns.astype(object)
    totals = counts.sum(axis=1)
    shares = counts.div(totals.where(totals > 0), axis=0) * 100
    shown = shares.where(counts > 0)
    if not (counts.to_numpy() > 0).any():
        raise InputError("the migration matrix holds 0 customers: there is nothing to draw.")
    size = (max(9.0, 3.4 + 0.85 * counts.shape[1]), max(5.0, 2.6 + 0.42 * counts.shape[0]))
    with style.house(ax, size) as ax:
        style.heat(
            ax,
            shown,
            counts.map(style.short),
            cmap=style.AMOUNTS,
            vmin=0,
            vmax=100,
            cbar_kws={"label": "share of the row (%)"},
            xticklabels=[style.label(name, 20) for name in counts.columns],
            yticklabels=[style.label(name, 24) for name in counts.index],
        )
        ax.patch.set(hatch=None, facecolor="#F6F6F6")
        ax.tick_params(axis="x", rotation=40)
        for label in ax.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
        for row, name in enumerate(counts.index):
            if name in counts.columns:
                place = (counts.columns.get_loc(name), row)
                ax.add_patch(Rectangle(place, 1, 1, fill=False, edgecolor=style.PALETTE["vermillion"], linewidth=2.2))
        yardstick = {True: " (same cut points)", False: " (own cut points)"}.get(matrix.attrs.get("frozen_cuts"), "")
        ax.set_xlabel(f"segment after{yardstick}")
        ax.set_ylabel("segment before")
        title, found = _moves(counts)
        return style.conclude(ax, title, f"{found} {matrix.attrs.get('note', '')}".rstrip())


def _moves(counts: pd.DataFrame) -> tuple[str, str]:
    """The share that stayed and the largest move down the map, in words."""
    segments = [name for name in counts.columns if name != GONE]
    before = counts.loc[[name for name in counts.index if name != NEW]]
    people, new = int(before.to_numpy().sum()), int(counts.to_numpy().sum() - before.to_numpy().sum())
    if people == 0:
        return f"Nobody was a customer before: {style.count(new, 'customer')} came new", "Nobody could have moved."
    place = {name: position for position, name in enumerate(segments)}
    moves = before[segments].stack()
    moves = moves[moves > 0]
    step = np.array([place[after] - place.get(start, -1) for start, after in moves.index])
    stayed, down = moves[step == 0].sum(), moves[step > 0]
    title = f"{style.percent(stayed / people)} of {style.count(people, 'customer')} stayed in their segment"
    largest = down[down == down.max()]
    if len(down) == 0:
        title += "; nobody moved down the map"
    elif len(largest) > 1:
        title += f"; the {len(largest)} largest moves down the map took {style.count(largest.iloc[0], 'customer')} each"
    else:
        (start, after), number_moved = largest.index[0], largest.iloc[0]
        title += f"; the largest move down the map: {start} to {after}, {style.count(number_moved, 'customer')}"
    gone = people - int(moves.sum())
    return title, (
        f"{style.count(down.sum(), 'customer')} moved down the map, {style.count(moves[step < 0].sum(), 'customer')} up, "
        f"{new:,} came new, {gone:,} are not in the later table."
    )
