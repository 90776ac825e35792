"""Pictures of leaving: how long a silence is long, how early a warning comes, what it costs, why they say they left."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from crmkit.errors import InputError
from crmkit.show import style

_LINES = ("blue", "vermillion", "green", "purple")
_DASHES = ("-", "--", ":", "-.")


def churn_by_horizon(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """How does the churn rate depend on the silence that we call leaving, and how many of the "lost" come back?

    `table` is from `lifecycle.churn.by_horizon`. The solid line is the rate, its band the 95 % interval; the dashed line
    is the share of those called lost who bought again later.

    >>> table = pd.DataFrame({"horizon": ["1 month", "6 months"], "days": [30, 183], "customers": [50, 50],
    ...     "rate": [0.8, 0.5], "low": [0.67, 0.37], "high": [0.89, 0.63], "share_back": [0.4, 0.1]})
    >>> churn_by_horizon(table).get_title().replace("\\n", " ")
    'Lost are 80 % after 1 month of silence and 50 % after 6 months; 40 % of the former came back'
    """
    style.needs(table, ["horizon", "days", "rate", "low", "high", "share_back"], "lifecycle.churn.by_horizon(…)")
    table = table.sort_values("days")
    with style.house(ax, (9, 4.8)) as ax:
        days = table["days"].to_numpy()
        ax.fill_between(
            days, table["low"] * 100, table["high"] * 100, color=style.PALETTE["sky"], alpha=0.3, linewidth=0
        )
        ax.plot(days, table["rate"] * 100, color=style.PALETTE["blue"], marker="o", label="called lost, of all")
        ax.plot(days, table["share_back"] * 100, color=style.PALETTE["vermillion"], marker="s", linestyle="--",
                label="came back later, of those called lost")  # fmt: skip
        ax.set(ylim=(0, None), xlabel="silence after which a customer counts as lost (days)", ylabel="share (%)")
        ax.grid(axis="y")
        ax.legend(frameon=False)
        first, last = table.iloc[0], table.iloc[-1]
        title = f"Lost are {style.percent(first.rate)} after {first.horizon} of silence"
        if len(table) > 1:
            title += f" and {style.percent(last.rate)} after {last.horizon}"
            if first.share_back > 0:
                title += f"; {style.percent(first.share_back)} of the former came back"
        told = "; ".join(
            f"{row.horizon}: {style.percent(row.rate)} lost, {style.percent(row.share_back)} of these came back"
            for row in table.itertuples()
        )
        return style.conclude(ax, title, f"Lines over {len(table)} lengths of silence. {told}.")


def lead_time(times: "pd.DataFrame | Mapping[str, pd.DataFrame]", ax: Axes | None = None) -> Axes:
    """How many of the leavers were warned of, and how early?

    `times` is from `churn_evaluation.lead_times`, or several by name. A point on the line says: this share of the
    leavers was warned of at least so many days before they left.

    >>> times = pd.DataFrame({"lead_days": [40.0, 10.0, None, None]})
    >>> lead_time(times).get_title().replace("\\n", " ")
    '50 % of 4 leavers were warned of, 25 % at least 30 days before'
    """
    ways = {"": times} if isinstance(times, pd.DataFrame) else dict(times)
    if not ways:
        raise InputError("there are no lead times to draw.")
    told = []
    with style.house(ax, (9, 4.8)) as ax:
        longest = 30.0
        for (name, table), colour, dash in zip(ways.items(), _LINES * 3, _DASHES * 3, strict=False):
            style.needs(table, ["lead_days"], "lifecycle.churn_evaluation.lead_times(…)")
            days = np.sort(table["lead_days"].dropna().to_numpy())
            shares = np.arange(len(days), 0, -1) / len(table) * 100
            longest = max(longest, days.max(initial=0))
            ax.step([0, *days, longest], [*shares[:1], *shares, 0] if len(days) else [0, 0], where="pre",
                    color=style.PALETTE[colour], linestyle=dash, linewidth=2, label=name)  # fmt: skip
            month = (table["lead_days"] >= 30).mean()
            told.append((name, table["lead_days"].notna().mean(), month, len(table)))
        ax.set(xlim=(0, longest), ylim=(0, 100), xlabel="days before leaving", ylabel="leavers warned of by then (%)")
        ax.axvline(30, color=style.PALETTE["grey"], linestyle=":", linewidth=1)
        ax.invert_xaxis()
        ax.grid(axis="y")
        if len(ways) > 1:
            ax.legend(frameon=False, loc="upper left")
        said = [
            (f"{name}: " if name else "")
            + f"{style.percent(caught)} of {style.count(number, 'leaver')} were warned of, "
            f"{style.percent(month)} at least 30 days before"
            for name, caught, month, number in told
        ]
        best = said[int(np.argmax([month for _, _, month, _ in told]))]
        return style.conclude(
            ax, best, f"Stairs from many days before leaving, at the left, to none. {'; '.join(said)}."
        )


def cost_curve(
    curve: pd.DataFrame, currency: str | None = None, label: str = "threshold", ax: Axes | None = None
) -> Axes:
    """From which score on does a warning pay?

    `curve` is from `churn_evaluation.cost_curve`; `label` names the score. The first point warns nobody, the last
    everybody; the mark is the cheapest.

    >>> curve = pd.DataFrame({"threshold": [float("inf"), 5.0, 1.0], "warned": [0, 2, 9], "cost": [40.0, 31.0, 45.0]})
    >>> cost_curve(curve, "EUR").get_title().replace("\\n", " ")
    'Warning 2 customers costs least: 31 EUR, against 40 EUR for nobody and 45 EUR for everybody'
    """
    style.needs(curve, ["threshold", "warned", "cost"], "lifecycle.churn_evaluation.cost_curve(…)")
    best = curve.loc[curve["cost"].idxmin()]
    nobody, everybody = curve.iloc[0], curve.iloc[-1]
    with style.house(ax, (9, 4.8)) as ax:
        ax.plot(curve["warned"], curve["cost"], color=style.PALETTE["blue"], linewidth=2)
        for row, name in ((nobody, "nobody"), (everybody, "everybody")):
            ax.axhline(row["cost"], color=style.PALETTE["grey"], linestyle=":", linewidth=1)
            ax.annotate(f"warn {name}", (row["warned"], row["cost"]), textcoords="offset points",
                        xytext=(6 if name == "nobody" else -6, 6), ha="left" if name == "nobody" else "right")  # fmt: skip
        ax.plot(best["warned"], best["cost"], "o", color=style.PALETTE["vermillion"], markersize=9)
        at = "warn nobody" if np.isinf(best["threshold"]) else f"{label} ≥ {style.short(best['threshold'])}"
        ax.annotate(at, (best["warned"], best["cost"]), textcoords="offset points", xytext=(8, -16))
        ax.margins(y=0.15)
        ax.grid(axis="y")
        ax.set(xlabel="customers warned", ylabel=f"cost ({currency})" if currency else "cost")
        money = [style.money(row["cost"], currency) for row in (best, nobody, everybody)]
        who = style.count(best["warned"], "customer")
        title = f"Warning {who} costs least: {money[0]}, against {money[1]} for nobody and {money[2]} for everybody"
        if best["warned"] in (0, everybody["warned"]):
            title = f"No threshold beats warning {'nobody' if best['warned'] == 0 else 'everybody'}: {money[0]}"
        return style.conclude(ax, title, f"The cost over the number of customers warned; the cheapest is at {at}.")


def leaving_reasons(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Which few reasons are named by most of those who left? And how many name none?

    `table` is from `lifecycle.churn.reasons`. Bars are shares of those who named a reason, with 95 % intervals; the
    line adds them up.

    >>> table = pd.DataFrame({"reason": ["price", "quality"], "customers": [6, 2], "share": [0.75, 0.25],
    ...     "low": [0.4, 0.1], "high": [0.9, 0.6], "cumulative": [0.75, 1.0]})
    >>> table.attrs = {"unknown": 2, "share_unknown": 0.2}
    >>> leaving_reasons(table).get_title().replace("\\n", " ")
    '75 % of those who say why name price; 20 % do not say'
    """
    style.needs(table, ["reason", "customers", "share", "low", "high", "cumulative"], "lifecycle.churn.reasons(…)")
    places, shares = np.arange(len(table)), table["share"].to_numpy() * 100
    with style.house(ax, (9, 4.8)) as ax:
        around = np.abs(table[["low", "high"]].to_numpy().T * 100 - shares)
        ax.bar(places, shares, 0.62, color=style.PALETTE["blue"], yerr=around, capsize=4, ecolor=style.PALETTE["black"])
        ax.plot(places, table["cumulative"] * 100, color=style.PALETTE["vermillion"], marker="o", linestyle="--",
                label="added up")  # fmt: skip
        ax.set_xticks(places, [style.label(name, 12) for name in table["reason"]])
        ax.set(ylim=(0, 105), ylabel="share of those who say why (%)", xlabel="reason named on leaving")
        ax.grid(axis="y")
        ax.legend(frameon=False, loc="center right")
        half = int(np.argmax(table["cumulative"].to_numpy() >= 0.5)) + 1
        names = table["reason"].head(half).astype(str).to_list()
        named = " or ".join([", ".join(names[:-1]), names[-1]] if half > 1 else names)
        title = f"{style.percent(table['cumulative'].iloc[half - 1])} of those who say why name {named}"
        silent = table.attrs.get("share_unknown")
        title += f"; {style.percent(silent)} do not say" if silent else ""
        told = "; ".join(f"{row.reason} {style.percent(row.share)}" for row in table.itertuples())
        return style.conclude(
            ax, title, f"Bars, most frequent first: {told}. {table.attrs.get('warning', '')}".rstrip()
        )
