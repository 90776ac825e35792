"""The words and tables of the segments report: what a manager reads between the pictures.

Every function takes what the analysis made and returns HTML for a notebook or a page; text from data is escaped.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.escape import html
from crmkit.report import passages
from crmkit.report.passages import shown, table
from crmkit.segmentation import value
from crmkit.show.style import count, money, percent

if TYPE_CHECKING:
    from IPython.display import HTML

    from crmkit.report.segments_steps import Judged
    from crmkit.tables import Transactions, Verdict


def answer(people: pd.DataFrame, tables: dict[str, Any], judged: "Judged") -> "HTML":
    """How unequal the customers are, and which division is good for what: one paragraph."""
    parts = []
    if people["spend"].sum() > 0 and len(people) > 1:
        fifth = value.top_share(people["spend"], 0.2, draws=2).value
        parts.append(f"<b>The best-paying fifth brings {html(percent(fifth))} of the money.</b>")
    high = tables["bands"].loc["high"]
    share = f" and bring {html(percent(high['share_of_spend']))} of it" if np.isfinite(high["share_of_spend"]) else ""
    parts.append(f"{count(high['customers'], 'customer')} buy both often and for much (the high band){share}.")
    parts += [html(sentence) for sentence in judged.words] or ["No division could be judged."]
    return shown(f"<p>{' '.join(parts)}</p>", "answer")


def tiles(people: pd.DataFrame, tables: dict[str, Any], judged: "Judged") -> "HTML":
    """A few numbers that say how big all this is."""
    facts = [
        (f"{len(people):,}", "customers"),
        (percent(float((people["orders"] == 1).mean())), "of them ordered once"),
        (f"{tables['bands'].loc['high', 'customers']:,}", "in the high value band"),
        (f"{int((tables['rfm']['customers'] > 0).sum())}", "RFM segments with somebody in them"),
    ]
    if judged.k:
        facts.append((str(judged.k), "clusters found in the data"))
    return passages.tiles(facts)


def limits(orders: "Transactions", verdict: "Verdict") -> "HTML":
    """What the data cannot show, whatever the pictures suggest."""
    lines = [
        "<b>That treating segments differently helps.</b> Segments differ because they were made to differ. Only the same action on a "
        "random half of a segment shows what it does.",
        "<b>Who the customers are.</b> Order lines hold no age, place or motive. Join such columns by customer, and look first at "
        "whom they are missing for.",
    ]
    if "unit_cost" not in orders.roles:
        lines.append("<b>Profit.</b> Money is what customers paid; a high band of money may be a low one of margin.")
    early = verdict.facts["first_seen_early"] or 0
    if early > 0.25:
        lines.append(
            f"<b>Who is new.</b> {html(percent(early))} of the customers are first seen in the first twelfth of the time."
        )
    return passages.limits(lines)


def score_table(judged: "Judged") -> "HTML":
    """What was counted for each principle, one line each."""
    rows = [
        (card.name, str(row.Index), f"{row.score:.2f}" if np.isfinite(row.score) else "–", row.figure)
        for card in judged.cards
        for row in card.table.itertuples()
    ]
    frame = pd.DataFrame(rows, columns=["division", "principle", "score", "what was counted"])
    return shown(
        table("The four principles, counted", frame, ["division", "principle", "what was counted"]), "crmkit scroll"
    )


def bands(found: pd.DataFrame, cuts: dict[str, Any], currency: str | None) -> "HTML":
    """Value bands with their cut points."""
    frame = pd.DataFrame(
        {
            "value band": found.index.astype(str),
            "customers": [f"{number:,}" for number in found["customers"]],
            "share": [percent(share) for share in found["share_of_customers"]],
            "spent": [money(spent, currency) for spent in found["spend"]],
            "of all money": [percent(share) for share in found["share_of_spend"]],
        }
    )
    ends = "; ".join(
        f"{name}: low up to {money(low, currency if name == 'spend' else None)}, high above "
        f"{money(high, currency if name == 'spend' else None)}"
        for name, (low, high) in cuts.items()
    )
    words = f"<p>High is above the upper cut point in both columns, low up to the lower one in both. {html(ends)}.</p>"
    return shown(words + table("Value bands", frame, ["value band"]), "crmkit scroll")


def cluster_table(profile: pd.DataFrame, currency: str | None) -> "HTML":
    """Clusters with their proposed names and medians."""
    frame = pd.DataFrame(
        {
            "proposed name": profile["segment"].astype(str),
            "customers": [f"{number:,}" for number in profile["customers"]],
            "share": [percent(share) for share in profile["share_of_customers"]],
            "of all money": [percent(share) for share in profile.get("share_of_spend", [np.nan] * len(profile))],
            "days since last order": [f"{days:,.0f}" for days in profile["recency_days"]],
            "orders": [f"{number:,.0f}" for number in profile["orders"]],
            "spent": [money(spent, currency) for spent in profile["median_spend"]],
        }
    )
    return shown(table("Clusters, with medians", frame, ["proposed name"]), "crmkit scroll")


def tried(chosen: pd.DataFrame, k: int) -> "HTML":
    """How the number of clusters was chosen."""
    frame = pd.DataFrame(
        {
            "clusters": [f"{number}{' (taken)' if number == k else ''}" for number in chosen.index],
            "come again": [f"{share:.2f}" for share in chosen["stability"]],
            "useful for later money": [f"{share:.2f}" if np.isfinite(share) else "–" for share in chosen["useful"]],
            "silhouette": [f"{share:.2f}" if np.isfinite(share) else "–" for share in chosen["silhouette"]],
            "smallest": [f"{number:,}" for number in chosen["smallest"]],
        }
    )
    return shown(table("How many clusters?", frame, ["clusters"]), "crmkit scroll")
