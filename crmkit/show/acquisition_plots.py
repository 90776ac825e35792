"""Pictures of acquisition: how far people come, what a customer costs, who gets the credit, what a score is worth."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from crmkit.errors import InputError, KindError
from crmkit.show import style

#: One look a series, told apart without colour.
_SERIES = (
    ("blue", "", "o", "-"),
    ("orange", "////", "s", "--"),
    ("sky", "....", "^", "-."),
    ("vermillion", "xxxx", "D", ":"),
)


def funnel_bars(funnel: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """How many people take each step, and which passage is the narrowest?

    `funnel` is the table of `lifecycle.funnels.funnel`. A bar is a step; beside it stand the people, the rate of the step
    before and, for a cohort, its interval.

    >>> table = pd.DataFrame({"step": ["visit", "order"], "people": [200, 50], "rate": [np.nan, 0.25],
    ...                       "low": [np.nan, 0.2], "high": [np.nan, 0.32]})
    >>> table.attrs = {"kind": "cohort"}
    >>> funnel_bars(table).get_title().replace("\\n", " ")
    'The narrowest passage is from visit to order: 25 % (20 to 32 %)'
    """
    style.needs(funnel, ["step", "people", "rate", "low", "high"], "lifecycle.funnels.funnel(people, steps)")
    cohort, names = funnel.attrs.get("kind", "cohort") == "cohort", [_words(step) for step in funnel["step"]]
    with style.house(ax, (9, max(3.4, 1.6 + 0.62 * len(funnel)))) as ax:
        bars = ax.barh(names, funnel["people"], 0.66, color=style.PALETTE["blue" if cohort else "grey"])
        told = [
            f"{row.people:,.0f}" + ("" if np.isnan(row.rate) else f"  =  {_rate(row)} of the step before")
            for row in funnel.itertuples()
        ]
        ax.bar_label(bars, told, padding=5, fontsize=style.FONT_SIZE)
        ax.invert_yaxis()
        ax.set_xlim(0, funnel["people"].max() * 1.25)
        ax.set_xlabel("people" if cohort else "people who took the step in this time")
        ax.tick_params(axis="y", length=0)
        if cohort:
            at = funnel["rate"].idxmin()
            place = funnel.index.get_loc(at)
            title = f"The narrowest passage is from {names[place - 1]} to {names[place]}: {_rate(funnel.loc[at])}"
        else:
            title = "A snapshot: each bar counts other people, so the rates are no shares of anybody"
        return style.conclude(
            ax,
            title,
            f"{'; '.join(f'{n} {t}' for n, t in zip(names, told, strict=True))}. {funnel.attrs.get('note', '')}".strip(),
        )


def _words(name: object) -> str:
    return style.escape.label(str(name).replace("_", " "))


def _rate(row: Any) -> str:
    rate = style.percent(row.rate)
    return rate if np.isnan(row.low) else f"{rate} ({row.low * 100:.0f} to {row.high * 100:.0f} %)"


def acquisition_costs(
    costs: pd.DataFrame, margin: "pd.Series[float] | None" = None, currency: str | None = None, ax: Axes | None = None
) -> Axes:
    """What does a new customer cost by source, how sure is that, and does the margin carry it?

    `costs` is the table of `lifecycle.acquisition.cost_by_source`; `margin`, if given, what a customer of each source
    brings in a stated time, by source. A dot is the cost, the line its interval, the hatched bar the margin.

    >>> table = pd.DataFrame({"cost": [40.0, 8.0], "low": [30.0, 6.0], "high": [52.0, 11.0]}, index=["partner", "search"])
    >>> acquisition_costs(table, currency="EUR").get_title()
    'The dearest source is partner: 40 EUR a new customer (30 to 52)'
    """
    style.needs(costs, ["cost", "low", "high"], "lifecycle.acquisition.cost_by_source(new, costs)")
    known = costs[costs["cost"].notna()].sort_values("cost", ascending=False, kind="stable")
    if known.empty:
        raise InputError("no source has a known cost: there is nothing to draw.")
    places, unknown = np.arange(len(known)), len(costs) - len(known)
    reach = np.where(np.isfinite(known["high"]), known["high"], known["cost"])
    with style.house(ax, (9, max(3.6, 1.8 + 0.55 * len(known)))) as ax:
        if margin is not None:
            brought = margin.reindex(known.index).to_numpy(dtype=float)
            ax.barh(
                places,
                brought,
                0.62,
                color="white",
                edgecolor=style.PALETTE["grey"],
                hatch="////",
                label="margin of a customer",
            )
        spread = np.abs(np.vstack([known["cost"] - known["low"], reach - known["cost"]]))
        ax.errorbar(
            known["cost"],
            places,
            xerr=spread,
            fmt="o",
            color=style.PALETTE["vermillion"],
            capsize=5,
            linewidth=2.2,
            markersize=8,
            label="cost of a new customer",
        )
        for place, end, cost in zip(places, reach, known["cost"], strict=True):
            ground = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
            ax.annotate(
                style.money(cost), (end, place), (9, 0), textcoords="offset points", va="center", bbox=ground,
                fontsize=style.FONT_SIZE,
            )  # fmt: skip
        ax.set_yticks(places, [style.label(name, 20) for name in known.index])
        ax.invert_yaxis()
        ax.margins(y=0.12)
        ax.set_xlim(left=-0.02 * ax.get_xlim()[1])  # room for the dot of a source that costs nothing
        ax.set_xlabel(f"{currency or 'money'} a new customer")
        if margin is not None:
            ax.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
        title, found = _dearest(known, margin, currency)
        more = f" For {style.count(unknown, 'source')} the cost is not known." if unknown else ""
        return style.conclude(ax, title, f"{found}.{more}")


def _dearest(known: pd.DataFrame, margin: "pd.Series[float] | None", currency: str | None) -> tuple[str, str]:
    first = known.iloc[0]
    ends = f"{style.money(first['low'])} to {style.money(first['high'])}"
    title = f"The dearest source is {known.index[0]}: {style.money(first['cost'], currency)} a new customer ({ends})"
    overlaps = [str(name) for name, row in known.iloc[1:].iterrows() if row["high"] >= first["low"] and row["cost"] > 0]
    if overlaps:
        title = f"Dearest are {known.index[0]} and {' and '.join(overlaps)}; their intervals overlap"
    if margin is not None:
        eaten = (known["cost"] / margin.reindex(known.index)).dropna()
        more = [f"{name} {style.percent(share)}" for name, share in eaten[eaten > 0.5].items()]
        title = (
            "No source costs more than half of what its customers bring"
            if not more
            else f"Of the margin, the cost takes: {', '.join(more)}; elsewhere at most half"
        )
    told = "; ".join(
        f"{name} {style.money(row.cost, currency)} ({style.money(row.low)} to {style.money(row.high)})"
        for name, row in known.iterrows()
    )
    return title, told


def attribution_bars(credit: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Which sources does each rule credit, and whose worth depends most on the rule?

    `credit` is the table of `lifecycle.attribution.credit`: one row a source, one column a rule.

    >>> table = pd.DataFrame({"first": [30.0, 70.0], "last": [60.0, 40.0]}, index=["email", "search"])
    >>> attribution_bars(table).get_title().replace("\\n", " ")
    'email depends on the rule by 30 of 100: 30 by first, 60 by last'
    """
    style.needs(credit, [], "lifecycle.attribution.credit(paths)")
    if len(credit.columns) > len(_SERIES):
        raise InputError(
            f"the table has {len(credit.columns)} rules, {len(_SERIES)} can be told apart; choose columns."
        )
    thick, places = 0.84 / len(credit.columns), np.arange(len(credit))
    money = credit.attrs.get("of") == "money"
    with style.house(ax, (9, max(4.2, 1.4 + 0.22 * len(credit) * max(len(credit.columns), 2)))) as ax:
        for at, (rule, (colour, hatch, _, _)) in enumerate(zip(credit.columns, _SERIES, strict=False)):
            where = places + (at - (len(credit.columns) - 1) / 2) * thick
            ax.barh(
                where,
                credit[rule],
                thick * 0.92,
                color=style.PALETTE[colour],
                hatch=hatch,
                edgecolor="white" if not hatch else style.PALETTE["black"],
                linewidth=0.6,
                label=rule,
            )
        ax.set_yticks(places, [style.label(name, 20) for name in credit.index])
        ax.invert_yaxis()
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x")
        ax.set_xlabel("money credited" if money else "new customers credited")
        ax.legend(title="rule", title_fontsize=style.FONT_SIZE, frameon=False, loc="lower right")
        total = credit.iloc[:, 0].sum()
        gap = (credit.max(axis=1) - credit.min(axis=1)).sort_values(ascending=False, kind="stable")
        name = gap.index[0]
        if len(credit.columns) == 1:
            top = credit.iloc[:, 0].idxmax()
            title = f"By the rule “{credit.columns[0]}”, {top} gets the most: {credit.loc[top].iloc[0]:,.0f} of {total:,.0f}"
        elif gap.iloc[0] < 1e-9:
            title = "Every rule gives the same credit"
        else:
            row = credit.loc[name]
            low, high = row.idxmin(), row.idxmax()
            title = f"{name} depends on the rule by {gap.iloc[0]:,.0f} of {total:,.0f}: {row[low]:,.0f} by {low}, {row[high]:,.0f} by {high}"
        told = "; ".join(
            f"{name} " + ", ".join(f"{rule} {value:,.1f}" for rule, value in row.items())
            for name, row in credit.iterrows()
        )
        return style.conclude(ax, title, f"Credit by source and rule: {told}.")


def lift_curves(judged: Mapping[str, Any], ax: Axes | None = None) -> Axes:
    """How many of the buyers are found among the first tenth, fifth, third of the list?

    `judged` names scores and their `evaluation.predictions.judge`, all on the same people. The dotted line is drawing lots.

    >>> from crmkit.evaluation import predictions
    >>> lift_curves({"points": predictions.judge([0.9, 0.8, 0.3, 0.2], [1, 0, 1, 0], depths=[0.25, 0.5, 1])}).get_title().replace("\\n", " ")
    'The first quarter by points holds 50 % of the buyers; drawing lots would find 25 %'
    """
    _judgements(judged)
    with style.house(ax, (9, 5)) as ax:
        ax.plot([0, 100], [0, 100], ":", color=style.PALETTE["grey"], label="drawing lots")
        for (name, each), (colour, _, marker, line) in zip(judged.items(), _SERIES, strict=False):
            table = each.lift.sort_values("share")
            ax.plot(
                [0, *table["share"] * 100],
                [0, *table["found"] * 100],
                line,
                marker=marker,
                color=style.PALETTE[colour],
                label=_words(name),
            )
        ax.set(xlabel="share of the people, best score first (%)", ylabel="share of all buyers found (%)")
        ax.grid()
        ax.legend(frameon=False, loc="lower right")
        depths = next(iter(judged.values())).lift["share"]
        depth = depths[depths >= 0.1 - 1e-9].min()
        found = {name: each.lift.set_index("share")["found"].get(depth, np.nan) for name, each in judged.items()}
        part = {0.1: "tenth", 0.2: "fifth", 0.25: "quarter", 0.5: "half"}.get(round(depth, 4), style.percent(depth))
        told = ", ".join(
            f"by {_words(name)} holds {style.percent(share)}"
            if place == 0
            else f"by {_words(name)} {style.percent(share)}"
            for place, (name, share) in enumerate(found.items())
        )
        all_of = "; ".join(f"{name}: {each}" for name, each in judged.items())
        return style.conclude(
            ax, f"The first {part} {told} of the buyers; drawing lots would find {style.percent(depth)}", all_of
        )


def calibration_curves(judged: Mapping[str, Any], ax: Axes | None = None) -> Axes:
    """If a score says 20 %, do 20 in 100 buy?

    `judged` as in `lift_curves`, of scores that are probabilities. A dot is a group of similar probability, the line the
    interval of what happened in it; on the diagonal the promise is kept.

    >>> from crmkit.evaluation import predictions
    >>> found = predictions.judge([0.5] * 40 + [0.1] * 40, [1, 0] * 20 + [1] * 4 + [0] * 36, groups=2)
    >>> calibration_curves({"model": found}).get_title()
    'What happened fits what was promised in 2 of 2 groups (model)'
    """
    _judgements(judged)
    without = [name for name, each in judged.items() if each.calibration is None]
    if without:
        raise InputError(f"{without[0]!r} was judged as points; only probabilities can be calibrated.")
    with style.house(ax, (9, 5.4)) as ax:
        top = 0.0
        for (name, each), (colour, _, marker, _) in zip(judged.items(), _SERIES, strict=False):
            table = each.calibration
            spread = np.vstack([table["observed"] - table["low"], table["high"] - table["observed"]]) * 100
            ax.errorbar(
                table["predicted"] * 100,
                table["observed"] * 100,
                yerr=spread.clip(0),
                fmt=marker,
                color=style.PALETTE[colour],
                capsize=3,
                label=_words(name),
            )
            top = max(top, table["predicted"].max() * 100, table["high"].max() * 100)
        ax.plot([0, top], [0, top], ":", color=style.PALETTE["grey"], label="promise kept")
        ax.set(xlabel="promised: mean probability of the group (%)", ylabel="happened: share that bought (%)")
        ax.grid()
        ax.legend(frameon=False, loc="upper left")
        fits = [
            f"{each.calibration['inside'].sum()} of {len(each.calibration)} groups ({_words(name)})"
            for name, each in judged.items()
        ]
        told = "; ".join(
            f"{name} promised {style.percent(row.predicted)}, happened {style.percent(row.observed)}"
            for name, each in judged.items()
            for row in each.calibration.itertuples()
        )
        return style.conclude(ax, f"What happened fits what was promised in {', '.join(fits)}", told + ".")


def _judgements(judged: Any) -> None:
    if not isinstance(judged, Mapping) or not judged or not all(hasattr(each, "lift") for each in judged.values()):
        raise KindError('judged must name results of evaluation.predictions.judge, such as {"model": judge(…)}.')
    if len(judged) > len(_SERIES):
        raise InputError(f"{len(judged)} scores cannot be told apart; draw at most {len(_SERIES)}.")
