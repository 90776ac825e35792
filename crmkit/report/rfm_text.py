"""The words and tables of the RFM report: what a manager reads between the pictures.

Every function takes what the analysis made and returns HTML for a notebook or a page; text from data is escaped.
"""

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from crmkit import lifecycle, periods
from crmkit.errors import InputError
from crmkit.escape import html
from crmkit.report import passages
from crmkit.report.passages import day, listed, shortened, table
from crmkit.report.passages import shown as shown_as
from crmkit.segmentation import migration, rfm
from crmkit.show.style import count, money, percent

if TYPE_CHECKING:
    from IPython.display import HTML

    from crmkit.tables import Transactions, Verdict


def answer(segments: pd.DataFrame, cards: pd.DataFrame, todo: pd.DataFrame) -> "HTML":
    """Whom to contact first, how much money is concerned, and how much is in danger: one paragraph."""
    currency, customers, total = cards.attrs.get("currency"), cards["customers"].sum(), cards["spend"].sum()
    contacts = todo[todo["group"] == "contact"]
    danger = in_danger(segments, currency)
    if contacts.empty:
        return shown_as(f"<p><b>Nobody is on the action list.</b> {html(todo.attrs['note'])} {danger}</p>", "answer")
    sizes = contacts["segment"].astype("str").value_counts()
    who = listed([f"{number:,} in <b>{html(name)}</b>" for name, number in sizes.items()])
    concerned = contacts["value"].sum()
    share = f", {html(percent(concerned / total))} of all money, though they" if total > 0 else "; they"
    held = todo.attrs["held_out"]
    control = (
        f"{count(held, 'more customer')} like them {'is' if held == 1 else 'are'} left alone on purpose, drawn at random: "
        "comparing the two groups later shows what the contact did."
        if held
        else "Nobody is held out as a control group, so it will not be known what the contact did."
    )
    return shown_as(
        f"<p><b>Contact {count(len(contacts), 'customer')} first</b>: {who}. So far they spent "
        f"<b>{html(money(concerned, currency))}</b>{share} are {html(percent(len(contacts) / customers))} of the customers. "
        f"The first contact is due by {day(contacts['due'].min())}. {control} {danger}</p>",
        "answer",
    )


def in_danger(segments: pd.DataFrame, currency: str | None) -> str:
    """One sentence on those who came often and are staying away, whatever the segment map calls them."""
    bins = segments.attrs["bins"]
    rare, often = round(0.4 * bins["r"]), bins["f"] - round(0.4 * bins["f"])
    away = segments[(segments["r_score"] <= rare) & (segments["f_score"] > often)]
    total = segments["spend"].sum()
    if away.empty:
        return ""
    share = f" ({html(percent(away['spend'].sum() / total))} of all money)" if total > 0 else ""
    return (
        f"<b>In danger:</b> {count(len(away), 'customer')} who came more often than most and have stayed away longer than most, "
        f"with {html(money(away['spend'].sum(), currency))} spent{share}."
    )


def limits(orders: "Transactions", verdict: "Verdict") -> "HTML":
    """What the data cannot show, whatever the pictures suggest."""
    lines = [
        "<b>What a contact will change.</b> The list says who bought how in the past. Good customers often buy again "
        "without being asked; only the control group tells the two apart."
    ]
    if "unit_cost" not in orders.roles:
        lines.append(
            "<b>Profit.</b> Money is what customers paid. No cost was given, so a big spender may earn you little."
        )
    lines.append(
        "<b>Consent.</b> The order lines do not say who may be contacted: check before anybody writes or calls."
    )
    early = verdict.facts["first_seen_early"] or 0
    if early > 0.25:
        lines.append(
            f"<b>How long they have been customers.</b> {html(percent(early))} are first seen in the first twelfth of the time: "
            "either all joined then, or the data begin after they did."
        )
    met, why = verdict.needs.set_index("analysis").loc["rfm", ["met", "why"]]
    if met != "yes":
        lines.append(f"<b>Scores to rely on.</b> {html(why[:1].upper() + why[1:])}")
    return passages.limits(lines)


def tiles(summary: pd.DataFrame, cards: pd.DataFrame, todo: pd.DataFrame) -> "HTML":
    """Five numbers that say how big all this is."""
    currency = cards.attrs.get("currency")
    once = int((summary["orders"] == 1).sum())
    top = summary["spend"].nlargest(max(1, round(len(summary) / 5))).sum()
    total = summary["spend"].sum()
    facts = [
        (f"{len(summary):,}", "customers"),
        (f"{summary['orders'].sum():,}", f"orders; {percent(once / len(summary))} of customers ordered once"),
        (money(total, currency), "spent, refunds taken off"),
        (percent(top / total) if total > 0 else "–", "of it by the best-paying fifth of customers"),
        (money(todo.loc[todo["group"] == "contact", "value"].sum(), currency), "by those on the action list"),
    ]
    return passages.tiles(facts)


def halves(
    orders: "Transactions", verdict: "Verdict", as_of: object, bins: int, segment_map: rfm.SegmentMap
) -> tuple[pd.DataFrame | None, str]:
    """Who moved between the two halves of the data? The matrix of `rfm.migration` with a word on it, or None with why.

    Both halves are equally long and end at `as_of`. The cut points of the first half are used for both, so that a
    customer moves by changing, not because others did.
    """
    needs = verdict.needs.set_index("analysis")
    if needs.at["rfm migration", "met"] == "no":
        return None, f"Movement between two halves of the data is not shown: {needs.at['rfm migration', 'why']}"
    last = periods.day(as_of)
    length = ((last - orders.first_day).days + 1) // 2
    turn = last - datetime.timedelta(days=length - 1)  # the first day of the second half
    start, middle = turn - datetime.timedelta(days=length), turn - datetime.timedelta(days=1)
    columns = ["recency_days", "orders", "spend"]
    try:
        before = lifecycle.summary(orders.between(start, middle), as_of=middle)[columns]
        cuts = rfm.cut_points(before, bins=bins)
        before = rfm.segment(rfm.score(before, cuts=cuts), segment_map, rescale=True)[["segment"]]
        after = lifecycle.summary(orders.between(turn, last), as_of=last)[columns]
        after = rfm.segment(rfm.score(after, cuts=cuts), segment_map, rescale=True)[["segment"]]
    except InputError as reason:
        return None, f"Movement between two halves of the data is not shown: {reason}"
    # customers by number from here: two million texts, aligned by pandas, cost more memory than all before them
    seen = pc.fill_null(pc.index_in(pa.array(after.index), value_set=pa.array(before.index)), -1).to_numpy()
    after.index = np.where(seen < 0, len(before) + np.arange(len(after)), seen)
    before.index = pd.RangeIndex(len(before))
    matrix = rfm.migration(before, after).rename(columns={migration.GONE: "bought nothing"})
    return matrix, (
        f"Each customer's purchases from {day(start)} to {day(middle)} are compared with those from {day(turn)} to "
        f"{day(last)}: {count(length, 'day')} each. Both halves are scored with the cut points of the first, so who moved "
        "has changed. Two halves of a year differ by season too: a move is a question to ask, not a verdict."
        + (f" With care: {needs.at['rfm migration', 'why']}" if needs.at["rfm migration", "met"] != "yes" else "")
    )


def plan(cards: pd.DataFrame, todo: pd.DataFrame) -> "HTML":
    """What is to be done with the customers on the list, one line a segment."""
    rows = []
    for card in cards.itertuples():
        chosen = todo[todo["segment"] == card.segment]
        if len(chosen):
            contacts = chosen[chosen["group"] == "contact"]
            due = periods.day(chosen["due"].min()).isoformat()
            spent = money(contacts["value"].sum(), cards.attrs.get("currency"))
            rows.append((card.segment, f"{len(contacts):,}", spent, card.action, card.owner, due))
    shown = pd.DataFrame(rows, columns=["segment", "contacts", "spent", "what to do", "who", "due"])
    return shown_as(
        table("What to do, by segment", shown, ["segment", "what to do", "who", "due"]), "crmkit scroll plan"
    )


def list_head(segments: pd.DataFrame, todo: pd.DataFrame, rows: int = 15) -> "HTML":
    """The first lines of the action list."""
    if todo.empty:
        return shown_as(f"<p>{html(todo.attrs['note'])}</p>")
    head = todo.head(rows)
    # isin, not loc: loc would index two million customers by text for the sake of a few
    known = segments[segments.index.isin(head["customer_id"])].loc[head["customer_id"]]
    shown = pd.DataFrame(
        {
            "customer": [shortened(str(name)) for name in head["customer_id"]],
            "segment": head["segment"].astype("str"),
            "last order": [periods.day(last).isoformat() for last in known["last_order"]],
            "orders": [f"{orders:,}" for orders in known["orders"]],
            "spent": [money(value, segments.attrs.get("currency")) for value in head["value"]],
            "due": [periods.day(due).isoformat() for due in head["due"]],
            "group": head["group"],
        }
    )
    lines = f"The first {len(head)} of {len(todo):,} lines" if len(todo) > len(head) else "All lines"
    caption = f"{lines}; action_list.csv gives the reason and the action for each customer"
    return shown_as(table(caption, shown, ["customer", "segment", "due", "group"]), "crmkit scroll list")


def cut_points(cuts: pd.DataFrame, currency: str | None) -> "HTML":
    """Which values get which score, and how many customers that is."""
    labels = {dimension.column: dimension.label for dimension in rfm.DIMENSIONS["rfm"]}

    def edge(value: float, column: str) -> str:
        return money(value, currency) if column == "spend" else f"{value:,.0f}"

    def interval(line: Any) -> str:
        low, high = np.isfinite(line.above), np.isfinite(line.up_to)
        if line.customers == 0 and low and high and line.above == line.up_to:
            return "no value: a tie took this score"
        parts = [f"more than {edge(line.above, line.column)}"] if low else []
        parts += [f"up to {edge(line.up_to, line.column)}"] if high else []
        return ", ".join(parts) or "all values"

    shown = pd.DataFrame(
        {
            "dimension": [
                f"{line.dimension.upper()}: {labels.get(line.column, line.column)}" for line in cuts.itertuples()
            ],
            "score": cuts["score"],
            "values": [interval(line) for line in cuts.itertuples()],
            "customers": [f"{number:,}" for number in cuts["customers"]],
        }
    )
    return shown_as(table("Cut points: which values get which score", shown, ["dimension", "values"]), "crmkit scroll")


def segment_map(chosen: rfm.SegmentMap, check: pd.DataFrame) -> "HTML":
    """The rules that name the segments, and what the check of these rules found."""
    rules = (
        chosen.table[["segment", *chosen.dimensions]].rename(columns=str.upper).rename(columns={"SEGMENT": "segment"})
    )
    parts = [table(f"Segment map {chosen.name!r}: the first rule that fits wins", rules.astype("str"), ["segment"])]
    if check.empty:
        parts.append("<p>Checked: every combination of scores has exactly one segment, and no segment is empty.</p>")
    else:
        found = check[["finding", "what", "combinations", "customers"]].astype("str")
        parts.append(table("What the check of this map found", found, ["finding", "what"]))
    return shown_as("".join(parts), "crmkit scroll")


def method(
    source: str, orders: "Transactions", scores: pd.DataFrame, chosen: Mapping[str, Any], recorded: Mapping[str, str]
) -> "HTML":
    """Every choice that made this report, so that somebody else can make it again."""
    used = scores.attrs["effective_bins"]
    bins = ", ".join(f"{letter.upper()} {of} ({used[letter]} in use)" for letter, of in scores.attrs["bins"].items())
    return passages.method(source, orders, periods.as_of(scores), {"Bins": bins, **chosen}, recorded)
