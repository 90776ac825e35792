"""The attribution widget, to feel what window and rule decide about a source, and its headless twin."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from crmkit.escape import html
from crmkit.lifecycle import acquisition, attribution
from crmkit.show import style
from crmkit.show.acquisition_plots import attribution_bars
from crmkit.show.widget import View, explorer

if TYPE_CHECKING:
    from ipywidgets import VBox


@dataclass(frozen=True, repr=False)
class AttributionView(View):
    """What the widget shows for one setting: credit and cost by source, the picture, one sentence."""

    KIND = "crmkit-attribution-view"
    table: pd.DataFrame
    ax: Axes
    text: str

    def _content(self, drawn: str) -> str:
        head = "".join(f'<th style="text-align:right">{html(name)}</th>' for name in ("credit", "spend", "cost each"))
        rows = "".join(
            f'<tr><td style="text-align:left">{html(name)}</td><td>{row.credit:,.1f}</td><td>{style.money(row.spend)}</td><td>{style.money(row.cost)}</td></tr>'
            for name, row in self.table.iterrows()
        )
        heads = f'<thead><tr><th style="text-align:left">source</th>{head}</tr></thead>'
        return f"{super()._content(drawn)}<table>{heads}<tbody>{rows}</tbody></table>"


def attribution_view(
    visits: pd.DataFrame,
    conversions: pd.DataFrame,
    costs: pd.DataFrame,
    window: str = "30 days",
    rule: str = "last",
    only_if_alone: Iterable[str] = (),
    *,
    ax: Axes | None = None,
) -> AttributionView:
    """Which customers does this rule credit to each source within this window, and what does one then cost?

    `visits` and `conversions` as for `lifecycle.attribution.touch_paths`, `costs` as for
    `lifecycle.acquisition.cost_by_source`: the spend of the months in which there are conversions counts. Returns an `AttributionView`:
    `.table` (by source: `credit`, `spend`, `cost`), `.ax`, `.text`, `.html()`.
    Raises what those two functions raise.

    >>> visits = pd.DataFrame({"customer_id": ["ann", "ann"], "source": ["social", "email"],
    ...                        "started_at": ["2025-06-01", "2025-06-20"]})
    >>> sales = pd.DataFrame({"customer_id": ["ann"], "converted_at": ["2025-06-21"]})
    >>> costs = pd.DataFrame({"month": ["2025-06-01"] * 2, "source": ["social", "email"], "spend": [30.0, 2.0]})
    >>> attribution_view(visits, sales, costs, rule="first")
    1 new customer by first touch within 30 days; social gets the most, 1.0 for 30 each
    """
    paths = attribution.touch_paths(visits, conversions, window=window, only_if_alone=only_if_alone)
    credit = attribution.credit(paths, rule)
    when = paths["converted_at"]
    cost = acquisition.cost_by_source(credit[rule], costs, first=when.min(), last=when.max())
    table = credit.set_axis(["credit"], axis=1).join(cost[["spend", "cost"]])
    top = table["credit"].idxmax()
    each = style.money(table.at[top, "cost"])
    named = f"{rule} touch" if rule in ("first", "last") else f"the {rule} rule"
    text = (
        f"{style.count(credit.attrs['total'], 'new customer')} by {named} within {window}; {top} gets the most, "
        f"{table.at[top, 'credit']:,.1f}" + ("" if each == "–" else f" for {each} each")
    )
    return AttributionView(table, attribution_bars(credit, ax=ax), text)


def attribution_explorer(visits: pd.DataFrame, conversions: pd.DataFrame, costs: pd.DataFrame) -> "VBox":
    """A widget: choose window and rule, and see credit and cost move between the sources.

    Whatever it shows, `attribution_view` returns as data. A setting that cannot be computed shows its message.

    >>> visits = pd.DataFrame({"customer_id": ["ann"], "source": ["email"], "started_at": ["2025-06-20"]})
    >>> sales = pd.DataFrame({"customer_id": ["ann"], "converted_at": ["2025-06-21"]})
    >>> costs = pd.DataFrame({"month": ["2025-06-01"], "source": ["email"], "spend": [2.0]})
    >>> [control.description for control in attribution_explorer(visits, sales, costs).children[:3]]
    ['Window (days)', 'Rule', 'Only if alone']
    """
    import ipywidgets as widgets

    attribution_view(visits, conversions, costs, ax=Figure().subplots())  # what can never be shown is refused here
    listed = {"style": {"description_width": "130px"}, "layout": {"width": "460px"}}
    days = widgets.SelectionSlider(
        options=[1, 3, 7, 14, 30, 60, 90], value=30, description="Window (days)", continuous_update=False, **listed
    )
    rule = widgets.Dropdown(options=attribution.RULES, value="last", description="Rule", **listed)
    sources = sorted(set(visits["source"].dropna().astype(str)))
    alone = widgets.Dropdown(
        options=[("(no source)", ""), *((name, name) for name in sources)], description="Only if alone", **listed
    )

    def view(ax: Axes) -> AttributionView:
        window = f"{days.value} {'day' if days.value == 1 else 'days'}"
        sources = [alone.value] if alone.value else []
        return attribution_view(visits, conversions, costs, window, rule.value, sources, ax=ax)

    return explorer([days, rule, alone], view, AttributionView, (9, 4.2))
