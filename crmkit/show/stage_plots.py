"""Pictures of the six stages: the mix over time, who moves where, and a forecast beside what came."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from crmkit.errors import InputError
from crmkit.lifecycle.stages import probabilities
from crmkit.show import style

#: Blue is the good middle of a customer's life, orange is in danger, black is gone.
COLOURS = dict(
    zip(
        ("prospect", "new", "growth", "mature", "decline", "lost"),
        (style.PALETTE[name] for name in ("grey", "sky", "green", "blue", "orange", "black")),
        strict=True,
    )
)


def stage_mix(tables: Sequence[pd.DataFrame], ax: Axes | None = None) -> Axes:
    """How does the mix of stages change from date to date?

    `tables` are from `stages.assign`, in the order of their dates. Each bar is a date, each part a stage's share
    of the customers of that date; prospects count as customers to be.

    >>> now = pd.DataFrame({"stage": pd.Categorical(["new", "mature"], list(COLOURS))})
    >>> now.attrs["as_of"] = "2026-01-31"
    >>> stage_mix([now, now.assign(stage="mature")]).get_title().replace("\\n", " ")
    'From the first date to the last, new loses most: 50 % to 0 % of the customers'
    """
    for table in tables:
        style.needs(table, ["stage"], "stages.assign(orders, as_of=…)")
    shares = pd.DataFrame([table["stage"].value_counts(normalize=True).reindex(list(COLOURS)) for table in tables])
    shares = shares.astype(float).fillna(0.0).reset_index(drop=True) * 100
    dates = [str(table.attrs.get("as_of", place + 1)) for place, table in enumerate(tables)]
    with style.house(ax, (9, 5)) as ax:
        below = np.zeros(len(shares))
        for stage, part in shares.items():
            if part.max() == 0:
                continue
            bars = ax.bar(dates, part, 0.8, bottom=below, color=COLOURS[stage], edgecolor="white", label=str(stage))
            texts = [f"{value:.0f}" if value >= 6 else "" for value in part]
            ax.bar_label(bars, texts, label_type="center", color=style.ink(COLOURS[stage]), fontsize=style.FONT_SIZE)
            below += part.to_numpy()
        ax.set_ylim(0, 100)
        ax.set_ylabel("share of customers (%)")
        ax.set_xlabel("as of")
        ax.tick_params(axis="x", rotation=30 if len(dates) > 6 else 0)
        handles, labels = ax.get_legend_handles_labels()
        ax.legend(handles[::-1], labels[::-1], frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
        first, last = shares.iloc[0], shares.iloc[-1]
        stage = (last - first).abs().idxmax()
        if abs(last[stage] - first[stage]) < 0.5:
            title = "The mix of stages hardly changes from the first date to the last"
        else:
            verb = "gains" if last[stage] > first[stage] else "loses"
            title = f"From the first date to the last, {stage} {verb} most: {first[stage]:.0f} % to {last[stage]:.0f} %"
            title += " of the customers"
        told = "; ".join(f"{name} {first[name]:.0f} % to {last[name]:.0f} %" for name in shares)
        return style.conclude(ax, title, f"Bars for {len(dates)} dates, {dates[0]} to {dates[-1]}: {told}.")


def transition_matrix(matrix: pd.DataFrame, ax: Axes | None = None, *, level: float = 0.95) -> Axes:
    """What share of each stage is where at the next date, and how sure is that?

    `matrix` is from `stages.transitions`. A cell shows the share of its row (%), below it the interval of
    `stages.probabilities` at this level; framed cells are those who stayed. Stages without customers are left out.

    >>> counts = pd.DataFrame([[6, 2], [0, 8]], index=["mature", "decline"], columns=["mature", "decline"])
    >>> transition_matrix(counts).get_title().replace("\\n", " ")
    '88 % of 16 customers are in the same stage at the next date; mature keeps 75 %, decline 100 %'
    """
    style.needs(matrix, [], "stages.transitions(before, after)")
    long = probabilities(matrix, level=level)
    long = long[long["of"] > 0]
    if not len(long):
        raise InputError("the matrix holds 0 customers who were there before: there is nothing to draw.")
    seen = {*long["from_stage"], *long.loc[long["customers"] > 0, "to_stage"]}
    order = [name for name in matrix.columns if name in seen]
    rows = [name for name in matrix.index if name in set(long["from_stage"])]
    grid = long[long["to_stage"].isin(order)].set_index(["from_stage", "to_stage"])
    shares = (grid["share"] * 100).unstack().loc[rows, order]
    texts = pd.DataFrame(
        [[_cell(grid.loc[(row, column)]) for column in order] for row in rows], index=rows, columns=order
    )
    size = (max(9.0, 2.6 + 1.25 * len(order)), 2.2 + 0.75 * len(rows))
    with style.house(ax, size) as ax:
        style.heat(
            ax,
            shares.where(shares > 0),
            texts,
            cmap=style.AMOUNTS,
            vmin=0,
            vmax=100,
            cbar_kws={"label": "share of the row (%)"},
            xticklabels=order,
            yticklabels=[f"{name}\n(n = {matrix.loc[name].sum():,})" for name in rows],
        )
        ax.patch.set(hatch=None, facecolor="#F6F6F6")
        for row, name in enumerate(rows):
            if name in order:
                place = (order.index(name), row)
                ax.add_patch(Rectangle(place, 1, 1, fill=False, edgecolor=style.PALETTE["vermillion"], linewidth=2.2))
        ax.set_xlabel("stage at the next date")
        ax.set_ylabel("stage before")
        stay = {name: grid.loc[(name, name)] for name in rows if name in order}
        people, stayed = int(matrix.loc[rows].to_numpy().sum()), sum(int(cell["customers"]) for cell in stay.values())
        dates = matrix.attrs.get("dates") or []
        counted = style.count(people, "customer") if len(dates) < 3 else f"{people:,} customer-periods"
        title = f"{style.percent(stayed / people)} of {counted} are in the same stage at the next date"
        if len(stay) > 1:
            ends = sorted(stay, key=lambda name: stay[name]["share"])
            title += f"; {ends[0]} keeps {style.percent(stay[ends[0]]['share'])}, {ends[-1]} {style.percent(stay[ends[-1]]['share'])}"
        found = "; ".join(
            f"{row} to {column} {style.percent(grid.loc[(row, column), 'share'])}"
            for row in rows
            for column in order
            if grid.loc[(row, column), "share"] >= 0.1
        )
        return style.conclude(ax, title, f"Shares of a row: {found}. {matrix.attrs.get('note', '')}".rstrip())


def _cell(cell: Any) -> str:
    if not cell["customers"]:
        return ""
    share = "<1" if cell["share"] < 0.005 else f"{cell['share'] * 100:.0f}"
    return f"{share}\n({cell['low'] * 100:.0f}–{cell['high'] * 100:.0f})"


def mix_forecast(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Which stages will grow, how sure is that, and what came?

    `table` is from `stages.forecast` or `stages.back_test`. For each stage and period: the expected change of its
    number of customers against today (dot) with its interval (line), and, after a back test, what came (cross).
    The line at 0 is the forecast of somebody who expects no change.

    >>> from crmkit.lifecycle import stages
    >>> counts = pd.DataFrame([[30, 10], [0, 40]], index=["mature", "lost"], columns=["mature", "lost"])
    >>> mix_forecast(stages.forecast(counts, {"mature": 160, "lost": 0}, 1)).get_title().replace("\\n", " ")
    'Expected after the last period: mature −40, lost +40 customers'
    """
    style.needs(table, ["period", "stage", "customers", "low", "high"], "stages.forecast or stages.back_test")
    today = table.attrs.get("today")
    if today is None:
        raise InputError("the table has lost its attrs (pandas drops them in merge, join and concat); forecast again.")
    shown = [name for name in table["stage"].cat.categories if (table.loc[table["stage"] == name, "high"] > 0).any()]
    table = table[table["stage"].isin(shown)].assign(today=lambda t: t["stage"].astype(object).map(today).astype(float))
    periods, tested = int(table["period"].max()), "came" in table.columns
    with style.house(ax, (9, max(4.0, 1.6 + 0.28 * (periods + 1.5) * len(shown)))) as ax:
        at = table["stage"].map({name: place for place, name in enumerate(shown)}).astype(float).to_numpy()
        at = at + (table["period"].to_numpy() - (periods + 1) / 2) * 0.7 / max(periods, 2)
        change = {name: (table[name] - table["today"]).to_numpy() for name in ("customers", "low", "high")}
        blue = style.PALETTE["blue"]
        ax.hlines(at, change["low"], change["high"], color=blue, linewidth=5, alpha=0.35, label="interval")
        ax.plot(change["customers"], at, "o", color=blue, label="forecast")
        if tested:
            came = (table["came"] - table["today"]).to_numpy()
            ax.plot(came, at, "X", color=style.PALETTE["vermillion"], markersize=9, label="what came")
        ax.axvline(0, color="#666666", linewidth=1)
        ax.set_yticks(range(len(shown)), [f"{name}\n(today {today[name]:,.0f})" for name in shown])
        ax.invert_yaxis()
        ax.grid(axis="x")
        ax.set_xlabel(
            "change against today (customers)" + ("; from top to bottom, period by period" if periods > 1 else "")
        )
        ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
        last = table[table["period"] == periods]
        steps = (last["customers"] - last["today"]).set_axis(last["stage"].astype(object))
        moves = steps[steps.abs().sort_values(ascending=False).index].head(2)
        words = ", ".join(f"{name} {value:+,.0f}".replace("-", "−") for name, value in moves.items())
        if tested:
            title = f"{table['inside'].sum()} of {len(table)} numbers that came lie inside the interval"
            error, still = table.attrs["error"], table.attrs["error_unchanged"]
            title += f"; a stage is missed by {error:,.0f} customers, by {still:,.0f} if nothing is expected to change"
        else:
            title = f"Expected after the last period: {words} customers"
        return style.conclude(ax, title, f"Dots with intervals for {len(shown)} stages and {periods} periods; {words}.")
