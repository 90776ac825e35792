"""Pictures of retention and of the models of lifetime value: what stayed, what was expected, what came."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from crmkit.errors import InputError, KindError
from crmkit.show import style

#: One look a curve, told apart without colour.
_LINES = (("blue", "-"), ("vermillion", "--"), ("green", "-."), ("purple", ":"), ("black", (0, (5, 1))))


def cohort_heat_map(cohorts: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Do customers who came in the same period keep coming, and do newer ones keep coming more or less?

    `cohorts` is the table of `lifecycle.retention.cohorts`. A row is a cohort with its number of customers, a
    column its age; the number is the share that bought, in per cent. What is not known yet is hatched. The first
    period (100 % by definition) does not take part in the colours. A cohort that may hold old customers is marked
    with an asterisk and left out of the title, if there are others.

    >>> table = pd.DataFrame({"cohort": pd.to_datetime(["2026-01-01"] * 2 + ["2026-02-01"]), "age": [0, 1, 0],
    ...     "customers": [40, 40, 20], "active": [40.0, 10.0, 20.0], "share": [1.0, 0.25, 1.0], "truncated": False})
    >>> table.attrs = {"period": "months"}
    >>> cohort_heat_map(table).get_title()
    '25 % of new customers buy in the month after the first'
    """
    style.needs(
        cohorts,
        ["cohort", "age", "customers", "active", "share", "truncated"],
        "lifecycle.retention.cohorts(transactions)",
    )
    period = str(cohorts.attrs.get("period", "periods"))[:-1]
    shares = cohorts.pivot(index="cohort", columns="age", values="share") * 100
    first = cohorts.drop_duplicates("cohort").set_index("cohort")
    form = {"year": "%Y", "week": "%d %b %Y"}.get(period, "%b %Y")
    rows = [
        f"{day.strftime(form)}{'*' if first.truncated[day] else ''} ({first.customers[day]:,})" for day in shares.index
    ]
    later = shares.drop(columns=0, errors="ignore")
    top = np.nanmax(later.to_numpy(), initial=0.0) or 100.0
    texts = shares.map(lambda share: "" if np.isnan(share) or len(shares.columns) > 26 else f"{share:.0f}")
    size = (max(9.0, 3.4 + 0.5 * min(len(shares.columns), 26)), max(3.6, 2.4 + 0.36 * len(shares)))
    with style.house(ax, size) as ax:
        style.heat(
            ax,
            shares,
            texts,
            cmap=style.AMOUNTS,
            vmin=0,
            vmax=top,
            cbar_kws={"label": "bought in this period (%)"},
            yticklabels=rows,
        )
        marked = "   (* perhaps old customers)" if first.truncated.any() else ""
        ax.set(xlabel=f"{period}s since the first purchase{marked}", ylabel="first purchase (customers)")
        used = cohorts if first.truncated.all() else cohorts[~cohorts["truncated"]]
        pooled = used[used["age"] > 0].dropna(subset="active").groupby("age")[["active", "customers"]].sum()
        if pooled.empty:
            return style.conclude(
                ax, f"No cohort has been seen for a whole {period} after its first", "Only the first period is known."
            )
        rate = pooled["active"] / pooled["customers"]
        title = f"{style.percent(rate.iloc[0])} of new customers buy in the {period} after the first"
        long = rate[pooled["customers"] >= used.drop_duplicates("cohort")["customers"].sum() / 2]
        if len(long) > 1:
            title += f", {style.percent(long.iloc[-1])} in {period} {long.index[-1]}"
        told = "; ".join(f"{period} {age} {style.percent(share)}" for age, share in rate.items())
        return style.conclude(
            ax, title, f"Cohorts by age, all together: {told}. {cohorts.attrs.get('note', '')}".strip()
        )


def survival_curve(curve: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """How long do customers with a contract stay, and how sure is that?

    `curve` is the table of `lifecycle.retention.kaplan_meier`; one line a group, the band is its interval. A line
    ends where the record ends.

    >>> table = pd.DataFrame({"age": [0.0, 4, 9], "survival": [1, 0.6, 0.3], "low": [1, 0.4, 0.1], "high": [1, 0.8, 0.6]})
    >>> table.attrs = {"unit": "months", "by": None, "level": 0.95}
    >>> survival_curve(table).get_title()
    'Half of the customers have left after 9.0 months'
    """
    style.needs(curve, ["age", "survival", "low", "high"], "lifecycle.retention.kaplan_meier(contracts)")
    unit, by = curve.attrs.get("unit", "periods"), curve.attrs.get("by")
    if by is not None and by not in curve.columns:
        raise InputError(f"the curve says it was made by {by!r}, but has no such column; keep it.")
    groups = {str(name): part for name, part in curve.groupby(by)} if by else {"": curve}
    if len(groups) > len(_LINES):
        raise InputError(f"{len(groups)} curves in one picture cannot be told apart, {len(_LINES)} can; choose some.")
    with style.house(ax) as ax:
        for (name, part), (colour, line) in zip(groups.items(), _LINES, strict=False):
            colour = style.PALETTE[colour]
            ax.step(
                part["age"],
                part["survival"] * 100,
                where="post",
                color=colour,
                linestyle=line,
                linewidth=2.2,
                label=style.label(name, 24),
            )
            ax.fill_between(
                part["age"], part["low"] * 100, part["high"] * 100, step="post", color=colour, alpha=0.16, linewidth=0
            )
        ax.set(ylim=(0, 103), xlim=(0, curve["age"].max() or 1))
        ax.grid(axis="y")
        ax.set(xlabel=f"{unit} since the start", ylabel="still customers (%)")
        if by:
            ax.legend(title=style.label(by, 24), frameon=False, loc="best")
        level = curve.attrs.get("level", 0.95)
        told = [f"{name + ': ' if name else ''}{_ending(part, unit)}" for name, part in groups.items()]
        return style.conclude(
            ax, _survival_title(groups, unit), f"{'; '.join(told)}. Bands are {level * 100:g} % intervals."
        )


def model_tracking(tracking: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Does the model follow what the customers really bought, also after the day up to which it was fitted?

    `tracking` is the table of `lifecycle.value.tracking`: cumulative repeat purchases, actual and expected. The dotted line
    is the end of calibration; right of it the model had not seen anything.

    >>> table = pd.DataFrame({"actual": [10.0, 30.0, 60.0], "expected": [11.0, 30.0, 54.0], "calibration": [True, True, False]},
    ...     index=pd.DatetimeIndex(["2026-01-07", "2026-01-14", "2026-01-21"], name="until"))
    >>> model_tracking(table).get_title().replace("\\n", " ")
    'After calibration the model expects 24 repeat purchases, 30 came: 20 % too few'
    """
    style.needs(tracking, ["actual", "expected", "calibration"], "lifecycle.value.tracking(model, transactions)")
    known = tracking[tracking["calibration"]]
    if known.empty or len(known) == len(tracking):
        raise InputError("the tracking has no step before, or none after, the end of calibration; choose another day.")
    with style.house(ax) as ax:
        lines = (("actual", "black", "-", "actual"), ("expected", "vermillion", "--", "expected by the model"))
        for column, colour, line, name in lines:
            ax.plot(tracking.index, tracking[column], line, color=style.PALETTE[colour], linewidth=2.4, label=name)
        ax.axvline(known.index[-1], color="#666666", linestyle=":", linewidth=1.6)
        ax.annotate(
            "end of calibration",
            (known.index[-1], 0.02),
            xycoords=("data", "axes fraction"),
            xytext=(6, 0),
            textcoords="offset points",
            fontsize=style.FONT_SIZE,
        )
        ax.set_ylim(bottom=0)
        ax.grid(axis="y")
        ax.set(xlabel="day", ylabel="repeat purchases since the start")
        ax.legend(frameon=False, loc="upper left")
        for label in ax.get_xticklabels():
            label.set(rotation=30, ha="right", rotation_mode="anchor")
        grown = tracking[["actual", "expected"]].iloc[-1] - known[["actual", "expected"]].iloc[-1]
        title = (
            f"After calibration the model expects {style.count(grown['expected'], 'repeat purchase')}, "
            f"{grown['actual']:,.0f} came: {_too(grown['expected'], grown['actual'])}"
        )
        inside = known.iloc[-1]
        return style.conclude(
            ax,
            title,
            f"Two rising lines, {len(tracking)} steps. Up to {known.index[-1].date()} the model expects "
            f"{inside['expected']:,.0f} and {inside['actual']:,.0f} came: {_too(inside['expected'], inside['actual'])}.",
        )


def purchase_frequencies(frequencies: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Does the model know how many customers buy never again, once, twice …?

    `frequencies` is the table of `lifecycle.value.frequencies(model, summary)`: customers by number of repeat purchases,
    actual and expected. It looks at the data the model was fitted to: a necessary test, not a sufficient one.

    >>> table = pd.DataFrame({"actual": [1411, 439, 507], "expected": [1400.0, 450.0, 507.0]}, index=["0", "1", "2+"])
    >>> purchase_frequencies(table).get_title().replace("\\n", " ")
    'The model misplaces <1 % of 2,357 customers, most at 0 repeat purchases'
    """
    style.needs(frequencies, ["actual", "expected"], "lifecycle.value.frequencies(model, summary)")
    table, people = frequencies[["actual", "expected"]].astype(float), float(frequencies["actual"].sum())
    if people <= 0:
        raise InputError("the frequencies hold 0 customers: there is nothing to draw.")
    wrong = (table["expected"] - table["actual"]).abs()
    places = np.arange(len(table))
    with style.house(ax) as ax:
        ax.bar(places - 0.2, table["actual"], 0.38, color=style.PALETTE["blue"], label="actual")
        ax.bar(
            places + 0.2,
            table["expected"],
            0.38,
            color="white",
            hatch="////",
            edgecolor=style.PALETTE["vermillion"],
            label="expected by the model",
        )
        ax.set_xticks(places, [str(name) for name in table.index])
        ax.grid(axis="y")
        ax.set(xlabel="repeat purchases in the calibration", ylabel="customers")
        ax.legend(frameon=False, loc="best")
        title = (
            f"The model misplaces {style.percent(wrong.sum() / 2 / people)} of {style.count(people, 'customer')}, "
            f"most at {wrong.idxmax()} repeat purchases"
        )
        told = "; ".join(
            f"{name}: {row.actual:,.0f} actual, {row.expected:,.0f} expected" for name, row in table.iterrows()
        )
        return style.conclude(ax, title, f"Pairs of bars by repeat purchases. {told}.")


def scorecard(card: Any, ax: Axes | None = None) -> Axes:
    """Is the model better than rules that need no model, and at what?

    `card` is the `Scorecard` of `lifecycle.value.scorecard`, or its `.table`. Bars are the purchases each predictor
    expected, the line is what came; beside the bar stand the errors per customer and the share that its top fifth of the
    customers bought.

    >>> table = pd.DataFrame({"actual_total": 100.0, "predicted_total": [90.0, 0.0], "bias": [-0.1, -1.0],
    ...     "mae": [0.5, 0.52], "rmse": [0.9, 1.2], "top_fifth": [0.6, 0.2]}, index=["BG/NBD", "nobody buys"])
    >>> scorecard(table).get_title()
    'BG/NBD comes nearest to the 100 purchases: 10 % too few'
    """
    table = card if isinstance(card, pd.DataFrame) else getattr(card, "table", None)
    if table is None:
        raise KindError(f"a Scorecard from lifecycle.value.scorecard is needed, not {type(card).__name__}.")
    style.needs(
        table,
        ["actual_total", "predicted_total", "bias", "mae", "rmse", "top_fifth"],
        "lifecycle.value.scorecard(model, held_out)",
    )
    actual, places = float(table["actual_total"].iloc[0]), np.arange(len(table))
    with style.house(ax, (9.5, 2.2 + 0.75 * len(table))) as ax:
        ax.barh(places, table["predicted_total"], 0.6, color=style.PALETTE["sky"])
        reach = max(float(table["predicted_total"].max()), actual, 1.0)
        for place, row in zip(places, table.itertuples(), strict=True):
            said = f"MAE {row.mae:.2f}, RMSE {row.rmse:.2f}" + (
                "" if np.isnan(row.top_fifth) else f"\ntop fifth bought {style.percent(row.top_fifth)} of all"
            )
            ax.annotate(
                said,
                (max(row.predicted_total, actual), place),
                xytext=(8, 0),
                textcoords="offset points",
                va="center",
                fontsize=style.FONT_SIZE - 1,
            )
        line = {"color": style.PALETTE["vermillion"], "linewidth": 2.2, "linestyle": "--"}
        ax.axvline(actual, label="what came", **line)
        ax.legend(frameon=False, loc="lower right")
        ax.set_yticks(places, [style.label(name, 22) for name in table.index])
        ax.set_xlim(0, reach * 1.45)
        ax.set_ylim(len(table) - 0.1, -0.5)  # the last row is for the legend, which would cover numbers
        ax.grid(axis="x")
        ax.tick_params(axis="y", length=0)
        ax.set_xlabel(f"purchases expected in the hold-out{_horizon(card)}")
        near = table["bias"].abs().idxmin()
        best = table.loc[near]
        title = (
            f"{near} comes nearest to the {style.count(actual, 'purchase')}: {_too(best['predicted_total'], actual)}"
            if actual
            else "Nobody bought in the hold-out"
        )
        told = "; ".join(
            f"{name} expects {row.predicted_total:,.0f}, MAE {row.mae:.3f}, RMSE {row.rmse:.3f}"
            for name, row in table.iterrows()
        )
        return style.conclude(ax, title, f"Bars of expected purchases against {actual:,.0f} that came. {told}.")


def _horizon(card: Any) -> str:
    return f" of {card.horizon}" if getattr(card, "horizon", None) else ""


def _too(expected: float, actual: float) -> str:
    if actual == 0:
        return "nothing came"
    off = expected / actual - 1
    return "just right" if abs(off) < 0.005 else f"{style.percent(abs(off))} too {'many' if off > 0 else 'few'}"


def _half(curve: pd.DataFrame) -> float:
    """The age at which half have left; missing if the record does not reach so far."""
    gone = curve.loc[curve["survival"] <= 0.5, "age"]
    return float(gone.iloc[0]) if len(gone) else np.nan


def _ending(curve: pd.DataFrame, unit: str) -> str:
    last = curve.iloc[-1]
    return f"{style.percent(last['survival'])} still there after {last['age']:.1f} {unit}"


def _survival_title(groups: dict[str, pd.DataFrame], unit: str) -> str:
    if len(groups) == 1:
        (curve,) = groups.values()
        if not np.isnan(_half(curve)):
            return f"Half of the customers have left after {_half(curve):.1f} {unit}"
        last = curve.iloc[-1]
        return f"{style.percent(last['survival'])} of the customers are still there after {last['age']:.1f} {unit}"
    shared = min(curve["age"].iloc[-1] for curve in groups.values())
    at = {name: curve[curve["age"] <= shared].iloc[-1]["survival"] for name, curve in groups.items()}
    told = ", ".join(f"{name} {style.percent(share)}" for name, share in sorted(at.items(), key=lambda pair: -pair[1]))
    return f"Still there after {shared:.1f} {unit}: {told}"
