"""Pictures of segments found in data: profiles, three judges of k, rules beside chance, the widget and its twin."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from crmkit import escape
from crmkit.errors import InputError
from crmkit.segmentation import clusters
from crmkit.segmentation.value import Interval
from crmkit.show import style
from crmkit.show.cards import table
from crmkit.show.widget import View, explorer

if TYPE_CHECKING:
    from ipywidgets import VBox

#: What the widget offers: name → options of `clusters.prepare`.
PREPARATIONS = {
    "as they are": {"log": False, "scale": False, "winsorise": 0.0},
    "scaled": {"log": False},
    "logs, then scaled": {},
}


def cluster_profiles(profile: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """What is each cluster like? Each cell holds the cluster's median; dark is high among all customers, light is low.

    `profile` is from `segmentation.clusters.profile`.

    >>> people = pd.DataFrame({"orders": [1, 1, 9, 9], "spend": [5.0, 5, 90, 90]})
    >>> found = clusters.profile(people, pd.Series([2, 2, 1, 1]), ["orders", "spend"])
    >>> cluster_profiles(found).get_title().replace("\\n", " ")
    '"often, much money": 50 % of customers, 95 % of the money'
    """
    style.needs(
        profile, ["segment", "customers", "share_of_customers"], "segmentation.clusters.profile(customers, labels)"
    )
    columns = [name.removesuffix("_place") for name in profile.columns if name.endswith("_place")]
    style.needs(profile, [f"{columns[0]}_place"] if columns else ["…_place"], "segmentation.clusters.profile")
    rows = [
        escape.label(style.wrap(f"{number}: {row.segment} ({style.percent(row.share_of_customers)})", 34))
        for number, row in zip(profile.index, profile.itertuples(), strict=True)
    ]
    medians = pd.DataFrame(
        {name: profile[f"median_{name}" if f"median_{name}" in profile else name].map(style.short) for name in columns}
    )
    places = profile[[f"{name}_place" for name in columns]]
    with style.house(ax, (9, 1.6 + 0.75 * len(profile))) as ax:
        style.heat(
            ax, places, medians, cmap=style.AMOUNTS, vmin=0, vmax=1, cbar_kws={"label": "place among all (share below)"}
        )
        ax.set_xticklabels([escape.label(f"{name.replace('_', ' ')}\n(median)") for name in columns])
        ax.set_yticklabels(rows)
        ax.set(xlabel="", ylabel="cluster (share of customers)")
        top = (
            profile.loc[profile["share_of_spend"].idxmax()]
            if "share_of_spend" in profile
            else profile.loc[profile["customers"].idxmax()]
        )
        money = f", {style.percent(top['share_of_spend'])} of the money" if "share_of_spend" in profile else ""
        title = f'"{top["segment"]}": {style.percent(top["share_of_customers"])} of customers{money}'
        told = "; ".join(f"{row.segment} {style.count(row.customers, 'customer')}" for row in profile.itertuples())
        return style.conclude(ax, title, f"Medians of each cluster: {told}.")


def choice_of_k(choice: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """How many clusters? The three judges side by side, each between 0 and 1; bands are the worst draw and the interval.

    `choice` is from `segmentation.clusters.choose_k`.

    >>> judged = pd.DataFrame({"silhouette": [0.5, 0.3], "stability": [0.9, 0.6], "stability_low": [0.8, 0.4],
    ...                        "useful": [0.2, 0.4], "useful_low": [0.1, 0.3], "useful_high": [0.3, 0.5]}, index=[2, 3])
    >>> choice_of_k(judged).get_title().replace("\\n", " ")
    'Silhouette says 2, stability says 2, usefulness says 3'
    """
    style.needs(
        choice, ["silhouette", "stability", "stability_low", "useful"], "segmentation.clusters.choose_k(customers)"
    )
    judges = [
        ("silhouette", "silhouette", "blue", "o", None),
        ("stability", "stability", "green", "s", ("stability_low", "stability")),
    ]
    if choice["useful"].notna().any():
        judges.append(("useful", "usefulness", "vermillion", "D", ("useful_low", "useful_high")))
    with style.house(ax, (9, 5)) as ax:
        for column, name, colour, mark, band in judges:
            line = {"color": style.PALETTE[colour], "marker": mark, "markersize": 8, "linewidth": 2}
            ax.plot(choice.index, choice[column], label=name, **line)
            if band is not None:
                ax.fill_between(
                    choice.index, choice[band[0]], choice[band[1]], color=style.PALETTE[colour], alpha=0.15, linewidth=0
                )
            best = choice[column].idxmax()
            ax.plot(
                best,
                choice.loc[best, column],
                "o",
                markersize=17,
                markerfacecolor="none",
                markeredgecolor=style.PALETTE[colour],
            )
        ax.set_xticks(list(choice.index))
        ax.set_ylim(min(0, ax.get_ylim()[0]), 1.04)
        ax.set_xlabel("number of clusters k (a ring marks each judge's best)")
        ax.set_ylabel("score of the judge (1 is perfect)")
        ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        ax.yaxis.grid(True)
        says = ", ".join(f"{name} says {choice[column].idxmax()}" for column, name, *_ in judges)
        told = "; ".join(
            f"{name} " + ", ".join(f"{value:.2f} at {k}" for k, value in choice[column].items())
            for column, name, *_ in judges
        )
        return style.conclude(ax, says[0].upper() + says[1:], f"{told}.")


def rules_above_chance(rules: pd.DataFrame, shuffled: pd.DataFrame, ax: Axes | None = None, names: int = 3) -> Axes:
    """Which pairs are bought together beyond chance, and how large is a lift where there is nothing to find?

    `rules` and `shuffled` are from `segmentation.baskets.rules`, the second with `shuffle=`. One point a pair; the strongest
    `names` pairs are named.

    >>> found = pd.DataFrame({"if_bought": ["a", "b"], "also_bought": ["b", "a"], "support": 0.1, "lift": 3.0, "above_chance": True})
    >>> rules_above_chance(found, found.assign(lift=1.5, above_chance=False)).get_title().replace("\\n", " ")
    '1 of 1 pairs is above chance; on a shuffled table, lifts reach 1.5 by luck alone'
    """
    for frame in (rules, shuffled):
        style.needs(
            frame,
            ["if_bought", "also_bought", "support", "lift", "above_chance"],
            "segmentation.baskets.rules(transactions)",
        )
    real, luck = (
        frame[frame["if_bought"].astype(str) < frame["also_bought"].astype(str)] for frame in (rules, shuffled)
    )
    with style.house(ax, (9, 5.5)) as ax:
        kinds = [
            (luck, "shuffled: nothing to find", "orange", "x", 28),
            (real[~real["above_chance"]], "real, not above chance", "grey", "o", 22),
            (real[real["above_chance"]], "real, above chance", "blue", "D", 26),
        ]
        for part, name, colour, mark, size in kinds:
            ax.scatter(
                part["support"] * 100,
                part["lift"],
                s=size,
                marker=mark,
                color=style.PALETTE[colour],
                alpha=0.75,
                label=name,
            )
        ax.axhline(1, color="#666666", linestyle="--", linewidth=1.2)
        best = real[real["above_chance"]].nlargest(names, "lift").itertuples()
        for row, side in zip(best, ["bottom", "top", "center"] * names, strict=False):
            words = escape.label(f"{row.if_bought} + {row.also_bought}".lower())
            where = {"xytext": (8, 0), "textcoords": "offset points", "va": side, "fontsize": 10}
            ax.annotate(words, (row.support * 100, row.lift), **where)
        ax.set_yscale("log")
        ax.set_yticks(
            [tick for tick in (1, 1.5, 2, 3, 5, 10, 20) if tick <= max(real["lift"].max(), luck["lift"].max(), 2) * 1.1]
        )
        ax.minorticks_off()
        ax.yaxis.set_major_formatter(lambda number, _: f"{number:g}")
        ax.set_xlabel("support: baskets with both (%)")
        ax.set_ylabel("lift (logarithmic; 1 is the textbook's chance)")
        ax.legend(frameon=False, loc="upper right")
        above = int(real["above_chance"].sum())
        title = (
            f"{above:,} of {len(real):,} pairs {'is' if above == 1 else 'are'} above chance; "
            f"on a shuffled table, lifts reach {luck['lift'].max():.1f} by luck alone"
        )
        told = f"Lift by support. Real lifts {real['lift'].min():.1f} to {real['lift'].max():.1f}, shuffled {luck['lift'].min():.1f} to {luck['lift'].max():.1f}."
        return style.conclude(ax, title, told)


@dataclass(frozen=True, repr=False)
class ClusterView(View):
    """What the widget shows for one setting: clusters, their profile, usefulness (or None), picture, one sentence."""

    KIND = "crmkit-cluster-view"
    clusters: Any
    profile: pd.DataFrame
    useful: Interval | None
    ax: Axes
    text: str

    def _content(self, drawn: str) -> str:
        rows = [
            [
                escape.html(row.segment),
                f"{row.customers:,}",
                style.percent(row.share_of_customers),
                style.percent(getattr(row, "share_of_spend", np.nan)),
            ]
            for row in self.profile.itertuples()
        ]
        heads = {"proposed name": True, "customers": False, "of customers": False, "of the money": False}
        return super()._content(drawn) + table("Clusters", heads, rows)


def cluster_view(
    customers: pd.DataFrame,
    k: int = 4,
    preparation: str = "logs, then scaled",
    *,
    later: "pd.Series[Any] | None" = None,
    ax: Axes | None = None,
) -> ClusterView:
    """Which clusters come out with this k and this preparation, and how far do they agree with the default's?

    `customers` has `recency_days`, `orders` and `spend`; `preparation` is one of `PREPARATIONS`; `later` is money of a later
    period by customer_id. Returns a `ClusterView`: `.clusters`, `.profile`, `.useful`, `.ax`, `.text`, `.html()`. Raises what
    `segmentation.clusters.cluster` raises.

    >>> people = pd.DataFrame({"recency_days": [1, 2, 90, 95], "orders": [9, 8, 1, 2], "spend": [90.0, 95, 5, 8]})
    >>> cluster_view(people, 2, "scaled")
    2 clusters, scaled: 2 and 2 customers; agreement with logs, then scaled 1.00
    """
    if preparation not in PREPARATIONS:
        raise InputError(f"preparation={preparation!r} is not known; use one of {', '.join(PREPARATIONS)}.")
    default = list(PREPARATIONS)[-1]
    found = clusters.cluster(customers, k, preparation=clusters.prepare(customers, **PREPARATIONS[preparation]))
    usual = found if preparation == default else clusters.cluster(customers, k)
    profile = clusters.profile(customers, found.labels)
    sizes = [f"{size:,}" for size in profile["customers"]]
    text = f"{k} clusters, {preparation}: {', '.join(sizes[:-1])} and {sizes[-1]} customers"
    if found is not usual:
        text += f"; agreement with {default} {clusters.agreement(found.labels, usual.labels):.2f}"
    useful = clusters.usefulness(found.labels, later, draws=100) if later is not None else None
    if useful is not None:
        text += f"; explains {style.percent(useful.value)} of the later money's variance"
    return ClusterView(found, profile, useful, cluster_profiles(profile, ax=ax), text)


def cluster_explorer(customers: pd.DataFrame, later: "pd.Series[Any] | None" = None) -> "VBox":
    """A widget: change k and the preparation and see other customers become alike. `cluster_view` returns it as data.

    >>> people = pd.DataFrame({"recency_days": range(12), "orders": range(1, 13), "spend": [float(n * n) for n in range(12)]})
    >>> [control.description for control in cluster_explorer(people).children[:2]]
    ['Clusters (k)', 'Preparation']
    """
    import ipywidgets as widgets

    clusters.prepare(customers)  # a table that can never be clustered is refused here, with the reason
    wide = {"style": {"description_width": "110px"}, "layout": {"width": "460px"}}
    k = widgets.IntSlider(4, 2, 8, description="Clusters (k)", continuous_update=False, **wide)
    ready = widgets.Dropdown(
        options=list(PREPARATIONS), value=list(PREPARATIONS)[-1], description="Preparation", **wide
    )

    def view(ax: Axes) -> ClusterView:
        ax.figure.set_size_inches(9, 1.6 + 0.75 * k.value)
        return cluster_view(customers, k.value, ready.value, later=later, ax=ax)

    return explorer([k, ready], view, ClusterView)
