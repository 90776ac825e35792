"""Claims as pictures: what definitions say, who dates what, and what a share is worth without the number asked."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from crmkit.evaluation import claims
from crmkit.evaluation.intervals import share_interval
from crmkit.show import style


def definition_grid(codings: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """What does each definition speak of, and what does none of them?

    `codings` has one row a definition and attribute: `definition_id`, `attribute`, `says_so` (yes/no), as
    `datasets.load("claims").codings`.

    >>> codings = pd.DataFrame({"definition_id": ["A", "A", "B", "B"], "attribute": ["profit", "process"] * 2,
    ...                         "says_so": [True, False, True, True]})
    >>> definition_grid(codings).get_title().replace("\\n", " ")
    '2 of 2 definitions speak of profit, only 1 of process'
    """
    style.needs(codings, ["definition_id", "attribute", "says_so"], 'datasets.load("claims").codings')
    grid = codings.pivot(index="definition_id", columns="attribute", values="says_so").astype(float)
    order = grid.sum().sort_values(ascending=False, kind="stable").index
    grid, total = grid[order], len(grid)
    counts = grid.sum().astype(int)
    with style.house(ax, (9, 1.6 + 0.42 * total)) as ax:
        texts = grid.map(lambda said: "says so" if said else "")
        style.heat(ax, grid.where(grid > 0), texts, cmap=style.AMOUNTS, vmin=0, vmax=1.6, cbar=False)
        ax.patch.set(hatch=None, facecolor="#F6F6F6")
        ax.set_xticklabels([f"{name}\n{count} of {total}" for name, count in counts.items()])
        ax.set(xlabel="", ylabel="definition")
        most, least = counts.index[0], counts.index[-1]
        title = f"{counts[most]} of {total} definitions speak of {most}, only {counts[least]} of {least}"
        said = "; ".join(f"{name} {count}" for name, count in counts.items())
        return style.conclude(ax, title, f"Grid of {total} definitions and what each speaks of: {said}.")


def source_timeline(timeline: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Who dates what, and where do two dates of one event contradict each other?

    `timeline` has `topic`, `from_year`, `to_year`, `section`, as `datasets.load("claims").timeline`.
    Red marks belong to a conflict (`evaluation.claims.conflicts`).

    >>> told = pd.DataFrame({"topic": ["name", "name"], "from_year": [1993, 1999], "to_year": [1993, 1999],
    ...                      "section": ["001", "004"]})
    >>> source_timeline(told).get_title().replace("\\n", " ")
    'The largest conflict: name, 1993 or 1999'
    """
    found = claims.conflicts(timeline)
    style.needs(timeline, ["topic"], 'datasets.load("claims").timeline')
    topics = list(dict.fromkeys(timeline.sort_values("from_year", kind="stable")["topic"]))
    with style.house(ax, (9, 1.5 + 0.42 * len(topics))) as ax:
        for row in timeline.itertuples():
            colour = style.PALETTE["vermillion" if row.topic in found.index else "blue"]
            place = topics.index(row.topic)
            ax.plot([row.from_year, row.to_year], [place, place], color=colour, linewidth=5, solid_capstyle="round")
            ax.plot(row.from_year, place, "D" if row.topic in found.index else "o", color=colour, markersize=8)
            years = f"{row.from_year}" if row.from_year == row.to_year else f"{row.from_year}–{row.to_year}"
            text = f"{years} ({str(row.section).split()[0].partition('.')[0]})"
            earlier = row.from_year < timeline.loc[timeline["topic"] == row.topic, "from_year"].max()
            at, shift, side = (row.from_year, -10, "right") if earlier else (row.to_year, 10, "left")
            ax.annotate(text, (at, place), xytext=(shift, 0), textcoords="offset points", ha=side, va="center")
        ax.set_yticks(range(len(topics)), [style.label(topic, 28) for topic in topics])
        ax.set_ylim(len(topics) - 0.5, -0.8)
        span = max((timeline["to_year"].max() - timeline["from_year"].min()) * 0.3, 5)  # room for the words
        ax.set_xlim(timeline["from_year"].min() - span, timeline["to_year"].max() + span)
        ax.grid(axis="x")
        ax.xaxis.set_major_formatter("{x:.0f}")  # years have no thousands
        ax.set_xlabel("year (in brackets: the source)")
        title = "No two sources contradict each other"
        if len(found):
            first = found.iloc[0]
            title = f"The largest conflict: {found.index[0]}, {first['earliest']} or {first['latest']}"
        told = "; ".join(f"{row.topic} {row.from_year} ({row.section})" for row in timeline.itertuples())
        return style.conclude(ax, title, f"Dated events: {told}.")


def shares_with_sizes(shares: Mapping[str, float], asked: Sequence[int], ax: Axes | None = None) -> Axes:
    """Some shares are published without the number asked. From which number on could they be told apart?

    `shares` names each group and its share (0.86); `asked` are the numbers to try, the same in every group. Drawn are
    Wilson intervals; they are those of `evaluation.intervals.share_interval`.

    >>> shares_with_sizes({"here": 0.8, "there": 0.5}, [20, 500]).get_title().replace("\\n", " ")
    'With 20 asked in each group all intervals overlap; with 500 the ends can be told apart'
    """
    names = list(shares)
    with style.house(ax, (9, 4.6)) as ax:
        apart = []
        for column, number in enumerate(asked):
            low, high = [], []
            for place, name in enumerate(names):
                found = share_interval(round(shares[name] * number), number)
                at = column + (place - (len(names) - 1) / 2) * 0.18
                colour = list(style.PALETTE.values())[[0, 5, 2, 6][place % 4]]
                mark = "osD^"[place % 4]
                bars = np.array([[found.share - found.low], [found.high - found.share]]) * 100
                ax.errorbar(at, found.share * 100, bars, fmt=mark, color=colour, capsize=5, markersize=7,
                            linewidth=2, label=name if column == 0 else None)  # fmt: skip
                low.append(found.low)
                high.append(found.high)
            apart.append(max(low) > min(high))
        ax.set_xticks(range(len(asked)), [f"{number:,}" for number in asked])
        ax.set(xlabel="asked in each group", ylabel="share, with 95 % interval (%)")
        ax.grid(axis="y")
        ax.legend(frameon=False, loc="lower right")
        overlapping = [number for number, clear in zip(asked, apart, strict=True) if not clear]
        clear = [number for number, clear in zip(asked, apart, strict=True) if clear]
        if not clear:
            title = f"Even with {max(asked):,} asked in each group all intervals overlap"
        elif not overlapping:
            title = f"With {min(asked):,} asked in each group the ends can be told apart"
        else:
            title = (
                f"With {max(overlapping):,} asked in each group all intervals overlap; "
                f"with {min(clear):,} the ends can be told apart"
            )
        told = ", ".join(f"{name} {style.percent(share)}" for name, share in shares.items())
        return style.conclude(ax, title, f"Intervals of {told} for {', '.join(map(str, asked))} asked.")
