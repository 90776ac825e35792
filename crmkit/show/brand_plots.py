"""Brand, use and the purchase cycle in pictures: nine cells, switching by trips, offers by cell, and due dates that hit."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from crmkit.errors import InputError
from crmkit.show import style

_MARKS = (("blue", "o"), ("orange", "s"), ("green", "D"), ("purple", "^"))
_NINE = [(kind, use) for kind in ("national", "store", "switcher") for use in ("low", "medium", "high")]


def nine_cells(cells: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Where are the households of a category, and where is its money?

    `cells` is from `segmentation.brands.cells`. Colour and the first number are the share of the households, the second is the
    share of the money; below, how many households that is, and how many of them bought on one trip. The two bounds of loyalty
    and the two cut points of use stand at the rows and columns, and households without a label in the text below.

    >>> from crmkit.segmentation import brands
    >>> people = pd.DataFrame({"trips": [4, 4, 1], "store_share": [0.0, 0.5, 1.0], "quantity": [9, 4, 1], "spend": [5.0, 3, 2]})
    >>> nine_cells(brands.cells(brands.matrix(people))).get_title().replace("\\n", " ")
    'National, high: 33 % of 3 households, 50 % of the money; 1 of all bought on one trip only'
    """
    style.needs(
        cells, ["households", "share_of_households", "one_trip", "share_of_spend"], "segmentation.brands.cells(…)"
    )
    nine = cells.reindex(pd.MultiIndex.from_tuples(_NINE, names=["brand_type", "use"]))
    shares = (
        nine["share_of_households"].unstack()[["low", "medium", "high"]].loc[["national", "switcher", "store"]] * 100
    )
    words = [
        f"{style.percent(row.share_of_households)} of households\n{style.percent(row.share_of_spend)} of the money\n"
        f"{row.households:,.0f} in all, {row.one_trip:,.0f} on one trip"
        for row in nine.itertuples()
    ]
    texts = pd.Series(words, index=nine.index).unstack().reindex(index=shares.index, columns=shares.columns)
    with style.house(ax, (9.5, 5.4)) as ax:
        style.heat(ax, shares, texts, cmap=style.AMOUNTS, vmin=0, vmax=max(float(shares.max().max()), 1.0), cbar=False)
        _print_bounds(ax, cells.attrs)
        total, one_trip = int(cells["households"].sum()), int(cells["one_trip"].sum())
        rest = cells[~cells.index.isin(_NINE)]
        by = "share_of_spend" if nine["share_of_spend"].notna().any() else "share_of_households"
        kind, use = nine[by].idxmax()
        top = nine.loc[(kind, use)]
        money = f", {style.percent(top['share_of_spend'])} of the money" if by == "share_of_spend" else ""
        title = (
            f"{kind.capitalize()}, {use}: {style.percent(top['share_of_households'])} of {style.count(total, 'household')}{money}; "
            f"{one_trip:,} of all bought on one trip only"
        )
        if rest["households"].sum():
            told = ", ".join(
                f"{int(part):,} {name}" for name, part in rest.groupby(level=0, sort=False)["households"].sum().items()
            )
            ax.set_xlabel(f"{ax.get_xlabel()} (without a label: {told})")
        listed = "; ".join(
            f"{a}, {b}: {row.households:,.0f}" for (a, b), row in zip(nine.index, nine.itertuples(), strict=True)
        )
        return style.conclude(ax, title, f"Households by brand type and use: {listed}.")


def _print_bounds(ax: Axes, attrs: dict) -> None:
    """Nine cells are made by four numbers: they stand beside the names, if the table knows them."""
    ax.set_xlabel("use of the category")
    ax.set_ylabel("brand type")
    if {"loyal", "cuts", "by"} <= attrs.keys():
        (national, store), (low, medium) = attrs["loyal"], attrs["cuts"]
        unit = attrs.get("unit", "quantity") if attrs["by"] == "quantity" else attrs["by"]
        ax.set_xticklabels([f"low\n(up to {low:g})", f"medium\n(up to {medium:g})", "high\n(more)"])
        ax.set_yticklabels(
            [f"national\n(≤ {style.percent(national)})", "switcher\n(between)", f"store\n(≥ {style.percent(store)})"]
        )
        ax.set_xlabel(f"use of the category: {unit.replace('_', ' ')}")
        ax.set_ylabel("brand type: store brand's share of trips")


def switchers_by_trips(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Do frequent buyers switch more than chance makes them seem to?

    `table` is from `segmentation.brands.switchers_by_trips`: dots with intervals are what was seen, the dashed line what one
    and the same mix of households gives, however often they came.

    >>> table = pd.DataFrame({"share": [0.0, 0.4], "low": [0.0, 0.3], "high": [0.1, 0.5], "expected": [0.0, 0.42],
    ...     "households": [40, 60]}, index=pd.Index(["1", "2+"], name="trips"))
    >>> switchers_by_trips(table).get_title().replace("\\n", " ")
    'Switchers rise from 0 % (1 trip) to 40 % (2+ trips), as chance alone would have it in 2 of 2 groups'
    """
    style.needs(table, ["share", "low", "high", "expected", "households"], "segmentation.brands.switchers_by_trips(…)")
    places = np.arange(len(table))
    with style.house(ax, (9, 5)) as ax:
        bars = np.array([table["share"] - table["low"], table["high"] - table["share"]]) * 100
        ax.plot(places, table["expected"] * 100, "--", color=style.PALETTE["vermillion"], linewidth=2, label="if use had nothing to do with it")  # fmt: skip
        ax.errorbar(places, table["share"] * 100, bars.clip(min=0), fmt="o", color=style.PALETTE["blue"], capsize=5, markersize=8, linewidth=2, label="seen, with 95 % interval")  # fmt: skip
        ax.set_xticks(
            places,
            [f"{name}\n({row.households:,.0f})" for name, row in zip(table.index, table.itertuples(), strict=True)],
        )
        ax.set_xlabel("trips with a purchase in the category (households)")
        ax.set_ylabel("switchers among these households (%)")
        ax.set_ylim(0, min(100, max(table["high"].max(), table["expected"].max()) * 118))
        ax.grid(axis="y")
        ax.legend(frameon=False, loc="best")
        inside = int(((table["low"] <= table["expected"]) & (table["expected"] <= table["high"])).sum())
        ends = [
            (name, style.percent(table["share"].iloc[place]))
            for place, name in ((0, table.index[0]), (-1, table.index[-1]))
        ]
        moved = "rise" if table["share"].iloc[-1] > table["share"].iloc[0] else "go"
        trip = "trip" if ends[0][0] == "1" else "trips"
        title = (
            f"Switchers {moved} from {ends[0][1]} ({ends[0][0]} {trip}) to {ends[1][1]} ({ends[1][0]} trips), as chance alone "
            f"would have it in {inside} of {len(table)} groups"
        )
        told = "; ".join(
            f"{name} trips: {style.percent(row.share)} seen, {style.percent(row.expected)} expected"
            for name, row in zip(table.index, table.itertuples(), strict=True)
        )
        return style.conclude(ax, title, f"{told}.")


def offer_effects(effects: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Which offer changed most in which cell, and where does zero lie inside the interval?

    `effects` is from `segmentation.offers.effects`: index (cell, arm). The thick line is the interval of one point alone, the
    thin one holds for all points together.

    >>> names = pd.MultiIndex.from_product([["high use", "low use"], ["10 %", "50 %"]], names=["use", "arm"])
    >>> table = pd.DataFrame({"effect": [0.1, 0.3, 0.0, 0.1], "low": [0.0, 0.2, -0.1, 0.0], "high": [0.2, 0.4, 0.1, 0.2],
    ...     "low_all": [-0.1, 0.1, -0.2, -0.1], "high_all": [0.3, 0.5, 0.2, 0.3]}, index=names)
    >>> table.attrs = {"kind": "mean", "outcome": "margin"}
    >>> offer_effects(table).get_title().replace("\\n", " ")
    '50 % is best everywhere, most for high use (+0.30); 1 of 4 clearly above zero'
    """
    style.needs(effects, ["effect", "low", "high", "low_all", "high_all"], "segmentation.offers.effects(…)")
    effects = effects.dropna(subset="effect")  # a cell without both groups has none
    if effects.empty:
        raise InputError("no cell has households in an arm and in the control group, so there is no effect to draw.")
    share = effects.attrs.get("kind") == "share"
    scale, digits, unit = (100, 0, " points") if share else (1, 2, "")
    cells, arms = (list(dict.fromkeys(effects.index.get_level_values(level))) for level in (0, 1))
    with style.house(ax, (9.5, 2.0 + 0.32 * len(effects))) as ax:
        ax.axvline(0, color=style.PALETTE["black"], linewidth=1)
        for number, arm in enumerate(arms):
            part = effects.xs(arm, level=1).reindex(cells) * scale
            places = np.arange(len(cells)) + (number - (len(arms) - 1) / 2) * 0.24
            name, mark = _MARKS[number % len(_MARKS)]
            colour = style.PALETTE[name]
            ax.hlines(places, part["low_all"], part["high_all"], color=style.PALETTE["grey"], linewidth=1.3)
            ax.hlines(places, part["low"], part["high"], color=colour, linewidth=5, alpha=0.5)
            ax.plot(part["effect"], places, mark, color=colour, markersize=8, label=str(arm), linestyle="none")
        ax.set_yticks(range(len(cells)), [style.label(cell, 26) for cell in cells])
        ax.set_ylim(len(cells) - 0.4, -0.6)
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x")
        outcome = str(effects.attrs.get("outcome", "the outcome")).replace("_", " ")
        ax.set_xlabel(f"effect on {outcome} ({'percentage points' if share else 'a household'})")
        ax.set_ylabel(str(effects.index.names[0]))
        ax.legend(frameon=False, title=str(effects.index.names[1]), loc="center left", bbox_to_anchor=(1.0, 0.5))
        best = {cell: effects.loc[cell]["effect"].idxmax() for cell in cells}
        above, below = int((effects["low_all"] > 0).sum()), int((effects["high_all"] < 0).sum())
        cell, arm = effects["effect"].idxmax() if above or not below else effects["effect"].idxmin()
        size = f"{effects.loc[(cell, arm), 'effect'] * scale:+.{digits}f}{unit}".replace("-", "−")
        first = f"Largest effect: {arm} for {cell} ({size})"
        if below and not above:
            first = f"{below} of {len(effects)} effects are clearly below zero, lowest {arm} for {cell} ({size})"
        elif len(set(best.values())) == 1:
            first = f"{arm} is best everywhere, most for {cell} ({size})"
        title = f"{first}; {above or 'none'} of {len(effects)} clearly above zero"
        if below and not above:
            title = f"{first}; none clearly above"
        listed = "; ".join(
            f"{cell}, {arm}: {row.effect * scale:.{digits}f} ({row.low * scale:.{digits}f} to {row.high * scale:.{digits}f})"
            for (cell, arm), row in zip(effects.index, effects.itertuples(), strict=True)
        )
        return style.conclude(ax, title, f"Points with intervals: {listed}.")


def due_hits(back_tests: "pd.DataFrame | dict[str, pd.DataFrame]", ax: Axes | None = None) -> Axes:
    """Does the due date meet the purchase more often than any other day?

    `back_tests` is one table of `segmentation.cycles.back_test`, or several by name, such as one a category.

    >>> from crmkit.segmentation import cycles
    >>> table = pd.DataFrame({"hit_rate": [0.4, 0.3, 0.3, 0.2, 0.2], "low": [0.35, 0.2, 0.2, 0.1, 0.1],
    ...     "high": [0.45, 0.4, 0.4, 0.25, 0.3], "households": 100}, index=pd.Index(cycles.METHODS, name="method"))
    >>> due_hits({"coffee": table}).get_title().replace("\\n", " ")
    'The due date hits 40 %, a day by lot 20 %'
    """
    tables = {"all purchases": back_tests} if isinstance(back_tests, pd.DataFrame) else dict(back_tests)
    if not tables:
        raise InputError(
            "there is no back-test to draw; give one of segmentation.cycles.back_test(…), or several by name."
        )
    for table in tables.values():
        style.needs(table, ["hit_rate", "low", "high", "households"], "segmentation.cycles.back_test(…)")
    methods = list(next(iter(tables.values())).index)
    colours = ("blue", "sky", "green", "orange", "grey")
    with style.house(ax, (9.5, 1.8 + 0.95 * len(tables))) as ax:
        for number, method in enumerate(methods):
            rows = pd.DataFrame({name: table.loc[method] for name, table in tables.items()}).T.astype(float) * 100
            places = np.arange(len(tables)) + (number - (len(methods) - 1) / 2) * 0.15
            bars = np.array([rows["hit_rate"] - rows["low"], rows["high"] - rows["hit_rate"]])
            ax.errorbar(rows["hit_rate"], places, xerr=bars, fmt="osD^v"[number % 5], color=style.PALETTE[colours[number % 5]], capsize=4, markersize=7, linewidth=2, label=method)  # fmt: skip
        names = [
            f"{style.label(name, 22)}\n({table['households'].iloc[0]:,.0f} judged)" for name, table in tables.items()
        ]
        ax.set_yticks(range(len(tables)), names)
        ax.set_ylim(len(tables) - 0.5, -0.5)
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x")
        ax.set_xlim(left=0)
        ax.set_xlabel("bought within the window of the chosen day (%), with 95 % interval")
        ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
        own, lot = methods[0], methods[-1]
        clear = [name for name, table in tables.items() if table.loc[own, "low"] > table.loc[lot, "high"]]
        named = clear[0] if clear else next(iter(tables))
        shown = [style.percent(tables[named].loc[method, "hit_rate"]) for method in (own, lot)]
        count = f"{len(clear)} of {len(tables)}" if clear else f"none of {len(tables)}"
        title = f"The due date hits clearly more often than a day by lot in {count} ({named}: {shown[0]} against {shown[1]})"
        if len(tables) == 1:
            title = f"The due date hits {shown[0]}, a day by lot {shown[1]}" + (
                "" if clear else ": no clear difference"
            )
        told = "; ".join(
            f"{name}: " + ", ".join(f"{method} {style.percent(rate)}" for method, rate in table["hit_rate"].items())
            for name, table in tables.items()
        )
        return style.conclude(ax, title, f"Hit rates. {told}.")
