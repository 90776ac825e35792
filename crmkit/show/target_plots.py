"""What one more buyer costs on each list, what the best of many rules keeps of its promise, and the widget of a tag."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from crmkit.escape import html
from crmkit.evaluation import targets
from crmkit.segmentation import tags
from crmkit.show import style
from crmkit.show.cards import table
from crmkit.show.widget import View, explorer

if TYPE_CHECKING:
    from ipywidgets import VBox

_COUNTS = (9, 3.2)  # inches of the picture of counts


def _size(lists: int) -> tuple[float, float]:
    return 9, 1.9 + 0.62 * lists


def target_costs(compared: pd.DataFrame, currency: str | None = None, ax: Axes | None = None) -> Axes:
    """Which list brings one more buyer for least? `compared` is from `evaluation.targets.compare`, in `currency`.

    A bar without an end has no upper limit: on that list the message may have moved nobody. With a margin, a dashed line
    shows what one more buyer is worth before the coupon.

    >>> row = {"customers": 200, "more_buyers": 20.0, "cost_per_buyer": 5.0, "cost_low": 4.0, "cost_high": 9.0}
    >>> found = pd.DataFrame([row, row | {"cost_per_buyer": 14.0, "cost_high": np.inf}], index=["class M", "all"])
    >>> target_costs(found).get_title().replace("\\n", " ")
    'One more buyer costs 5 with class M and 14 with all'
    """
    style.needs(
        compared,
        ["customers", "more_buyers", "cost_per_buyer", "cost_low", "cost_high"],
        "evaluation.targets.compare(…)",
    )
    places, margin = np.arange(len(compared)), compared.attrs.get("margin")
    known = compared["cost_per_buyer"].dropna()
    finite = pd.concat([known, compared["cost_high"]]).replace(np.inf, np.nan).dropna()
    # what is dearer than five times the cheapest list leaves the picture: its place is told by a number
    edge = 1.12 * max(min(finite.max(), known.min() * 5) if len(known) else 1.0, margin or 0.0)
    with style.house(ax, _size(len(compared))) as ax:
        for place, row in zip(places, compared.itertuples(), strict=True):
            low, high = (min(end, edge) for end in (row.cost_low, row.cost_high))
            if low < edge:
                ax.hlines(place, low, high, color=style.PALETTE["blue"], linewidth=5, alpha=0.5)
            if row.cost_high > edge:
                ax.plot(edge, place, ">", color=style.PALETTE["blue"], markersize=9, clip_on=False)
            if row.cost_per_buyer <= edge:
                ax.plot(row.cost_per_buyer, place, "o", color=style.PALETTE["blue"], markersize=8)
            elif np.isfinite(row.cost_per_buyer):
                told = f"{style.money(row.cost_per_buyer)}, beyond the picture  "
                ax.text(edge, place - 0.16, told, ha="right", va="bottom", color=style.PALETTE["blue"])
        if margin is not None:
            ax.axvline(margin, color=style.PALETTE["vermillion"], linestyle="--", linewidth=1.8)
            ax.text(margin, -0.62, " worth", color=style.PALETTE["vermillion"], va="top")
        names = [
            f"{style.label(name, 30)}\n{row.customers:,} written to"
            for name, row in zip(compared.index, compared.itertuples(), strict=True)
        ]
        ax.set_yticks(places, names)
        ax.set(xlim=(0, edge), ylim=(len(compared) - 0.4, -0.7), ylabel="")
        ax.set_xlabel(f"cost of one more buyer ({currency or 'money'})")
        ax.grid(axis="x")
        ax.tick_params(axis="y", length=0)
        ends = [known.idxmin(), known.idxmax()] if len(known) else []
        parts = [f"{style.money(known[name])} with {name}" for name in dict.fromkeys(ends)]
        title = (
            f"One more buyer costs {' and '.join(parts)}"
            if parts
            else "No list has brought more buyers than no message"
        )
        told = "; ".join(
            f"{name} {style.money(row.cost_per_buyer)} ({style.money(row.cost_low)} to {style.money(row.cost_high)})"
            for name, row in zip(compared.index, compared.itertuples(), strict=True)
        )
        return style.conclude(ax, title, f"Points with intervals: {told}.")


def kept_promises(choices: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """What does the best of many rules keep on customers who did not choose it? `choices` is from `evaluation.targets.choose`.

    >>> choices = pd.DataFrame({"chosen": "x", "promised": [0.2, 0.3], "kept": [0.05, 0.15]})
    >>> choices.attrs = {"promised": 0.25, "kept": 0.1, "lists": 40}
    >>> kept_promises(choices).get_title().replace("\\n", " ")
    'The best of 40 rules promised +25.0 points and kept +10.0'
    """
    style.needs(choices, ["promised", "kept"], "evaluation.targets.choose(…)")
    with style.house(ax, (9, 4.6)) as ax:
        edges = np.linspace(*(f(choices[["promised", "kept"]].to_numpy() * 100) for f in (np.min, np.max)), 26)
        below_the_legend = 0.8
        for name, colour, hatch in (("promised", "orange", ""), ("kept", "blue", "//")):
            style_of = {"color": style.PALETTE[colour], "alpha": 0.6, "hatch": hatch, "edgecolor": "white"}
            words = {"promised": "in the half that chose", "kept": "in the other half"}[name]
            ax.hist(choices[name] * 100, bins=edges, label=words, **style_of)
            ax.axvline(choices.attrs[name] * 100, 0, below_the_legend, color=style.PALETTE[colour], linewidth=2.5)
        ax.axvline(0, 0, below_the_legend, color=style.PALETTE["black"], linewidth=1)
        ax.set(xlabel="effect of the chosen rule (percentage points)", ylabel="halvings")
        ax.set_ylim(top=ax.get_ylim()[1] / below_the_legend)
        ax.legend(frameon=False, ncols=2, loc="upper left")
        promised, kept = (f"{choices.attrs[name] * 100:+.1f}".replace("-", "−") for name in ("promised", "kept"))
        title = f"The best of {choices.attrs['lists']} rules promised {promised} points and kept {kept}"
        return style.conclude(
            ax, title, f"Two histograms of {len(choices)} halvings; means {promised} and {kept} points."
        )


@dataclass(frozen=True, repr=False)
class TagView(View):
    """What the widget shows for one rule: its preview, the overlap with other tags, its cost (None without an experiment)."""

    KIND = "crmkit-tag-view"
    preview: pd.DataFrame
    overlap: "pd.Series[int]"
    cost: pd.DataFrame | None
    ax: Axes
    text: str

    def _content(self, drawn: str) -> str:
        rows = [[html(name), f"{both:,}"] for name, both in self.overlap.items()]
        below = table("Customers who also carry", {"tag": True, "customers": False}, rows) if rows else ""
        return super()._content(drawn) + below


def tag_view(
    customers: pd.DataFrame,
    rule: str,
    *,
    given: pd.DataFrame | None = None,
    experiment: pd.DataFrame | None = None,
    outcome: str = "bought",
    ax: Axes | None = None,
    **costs: Any,
) -> TagView:
    """Whom would this rule hit, which tags do they carry already, and what would one more buyer have cost?

    Parameters
    ----------
    customers : one row a customer, with the attributes and `attrs` of a portrait or a summary.
    rule : a rule of `segmentation.tags`.
    given : tags that exist, to count the overlap.
    experiment : one row a customer with `group` and `outcome`; then `costs` are those of `evaluation.targets.compare`
        (`design`, `cost_per_contact`, `coupon`).

    Returns
    -------
    `TagView`: `.preview` (one row), `.overlap` (tag → customers), `.cost` (rows "all", "tagged", "not tagged"), `.ax`, `.text`,
    `.html()`. Raises what `segmentation.tags.preview` and `evaluation.targets.compare` raise.

    >>> people = pd.DataFrame({"orders": [1, 5, 9, None]}, index=pd.Index(list("abcd"), name="customer_id"))
    >>> people.attrs["as_of"] = "2026-06-30"
    >>> tag_view(people, "orders >= 5")
    2 of 4 customers (50 %) fit the rule orders >= 5; 1 cannot be judged
    """
    one = {"name": "tagged", "rule": rule, "meaning": "", "from": customers.attrs.get("as_of", "1900-01-01")}
    rules = tags.read({"tag": [one]})
    found = tags.preview(customers, rules)
    hit = tags.apply(customers, rules)["customer_id"]
    row = found.iloc[0]
    open_ = int(row["missing"] + row["divided_by_zero"])
    text = f"{row['customers']:,} of {style.count(len(customers), 'customer')} ({style.percent(row['share'])}) fit the rule {rule}"
    text += f"; {open_:,} cannot be judged" if open_ else ""
    overlap = pd.Series(dtype="int64")
    if given is not None:
        both = given[given["customer_id"].isin(hit)].drop_duplicates(["customer_id", "tag"])
        overlap = both.groupby("tag", observed=False).size().rename("customers")
    if experiment is None:
        counts = {
            "fit": row["customers"],
            "do not fit": len(customers) - row["customers"] - open_,
            "cannot be judged": open_,
        }
        with style.house(ax, _COUNTS) as ax:
            bars = ax.barh(
                range(3), list(counts.values()), color=[style.PALETTE[name] for name in ("blue", "sky", "grey")]
            )
            ax.bar_label(bars, [f"{count:,}" for count in counts.values()], padding=5)
            ax.set_yticks(range(3), list(counts))
            ax.set(ylim=(2.6, -0.6), xlim=(0, max(counts.values()) * 1.15), xlabel="customers", ylabel="")
            style.conclude(ax, text, ", ".join(f"{name} {count:,}" for name, count in counts.items()) + ".")
        return TagView(found, overlap, None, ax, text)
    frame = experiment.set_index("customer_id") if "customer_id" in experiment else experiment
    lists = {"all": frame.index, "tagged": hit, "not tagged": frame.index.difference(hit)}
    lists = {name: members for name, members in lists.items() if len(frame.index.intersection(members))}
    cost = targets.compare(frame, lists, outcome, **costs)
    return TagView(found, overlap, cost, target_costs(cost, customers.attrs.get("currency"), ax), text)


def tag_explorer(customers: pd.DataFrame, rule: str, *, n: tuple[int, int] = (1, 10), **options: Any) -> "VBox":
    """A widget: write a rule, move its threshold, and see whom it hits and what one more buyer costs.

    `rule` may hold `{n}`, the slider's number between the two of `n`; it can be edited. `options` are those of `tag_view`,
    which returns as data whatever the widget shows.

    >>> people = pd.DataFrame({"orders": [1, 5, 9]}, index=pd.Index(list("abc"), name="customer_id"))
    >>> people.attrs["as_of"] = "2026-06-30"
    >>> [control.description for control in tag_explorer(people, "orders >= {n}").children[:2]]
    ['Rule', 'n']
    """
    import ipywidgets as widgets

    wide = {"style": {"description_width": "60px"}, "layout": {"width": "620px"}, "continuous_update": False}
    written = widgets.Text(rule, description="Rule", **wide)
    number = widgets.IntSlider(sum(n) // 2, *n, description="n", **wide)

    def view(ax: Axes) -> TagView:
        return tag_view(customers, written.value.replace("{n}", str(number.value)), ax=ax, **options)

    return explorer([written, number], view, TagView, _size(3) if "experiment" in options else _COUNTS, "This rule")
