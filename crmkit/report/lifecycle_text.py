"""The words and tables of the lifecycle report: what a manager reads between the pictures.

Every function takes what the analysis made and returns HTML for a notebook or a page; text from data is escaped.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit import periods
from crmkit.escape import html
from crmkit.report import passages
from crmkit.report.passages import day, shortened, shown, table
from crmkit.show.style import count, money, percent

if TYPE_CHECKING:
    from IPython.display import HTML

    from crmkit.report.lifecycle_steps import Worth
    from crmkit.tables import Transactions, Verdict


def answer(people: pd.DataFrame, todo: pd.DataFrame, worth: "Worth", currency: str | None) -> "HTML":
    """Where the customers are, what they are still worth, and whom to call: one paragraph."""
    stages, total = people["stage"].value_counts(), len(people)
    leaving = int(stages.get("decline", 0))
    spent = people.loc[people["stage"] == "decline", "spend"].sum()
    parts = [
        f"<b>{count(leaving, 'customer')} in decline</b>, {html(percent(leaving / total))} of {total:,}: they buy clearly less than "
        f"they used to, or stay away longer, and have spent {html(money(spent, currency))} so far."
    ]
    if not leaving:
        parts = [f"<b>Nobody of {count(total, 'customer')} is in decline today</b>, so there is nobody to call."]
    calls = todo[todo["group"] == "contact"]
    if len(calls):
        what = "expected of them in the next 12 months" if "clv" in people.columns else "they spent so far"
        parts.append(
            f"<b>Call {len(calls):,} of them first</b>, by {day(calls['due'].min())}: "
            f"{html(money(calls['value'].sum(), currency))} is {what}. "
            f"{count(todo.attrs['held_out'], 'more customer')} like them are left alone, drawn at random, so that it will be seen "
            "what the calls did."
        )
    elif leaving:
        parts.append(html(todo.attrs["note"]))
    if worth.values is not None:
        value = worth.values["clv"].sum()
        parts.append(
            f"All customers of today together should bring {html(money(value, currency))} in the next 12 months."
        )
        if worth.card is not None and not worth.card.beats:
            parts.append(
                "<b>Mind the scorecard:</b> on the last third of the data the model was not better than a simple rule in every respect."
            )
    else:
        parts.append("What they are still worth cannot be said from these data; see below why.")
    return shown(f"<p>{' '.join(parts)}</p>", "answer")


def tiles(people: pd.DataFrame, worth: "Worth", todo: pd.DataFrame, currency: str | None) -> "HTML":
    """Five numbers that say how big all this is."""
    stages = people["stage"].value_counts()
    once = int((people["purchases"] == 1).sum())
    facts = [
        (f"{len(people):,}", "customers"),
        (percent(once / len(people)), "of them bought on one day only"),
        (f"{stages.get('new', 0) + stages.get('growth', 0):,}", "new or growing"),
        (f"{stages.get('decline', 0):,}", "in decline"),
    ]
    if worth.values is not None:
        facts.append((money(worth.values["clv"].sum(), currency), "expected in the next 12 months"))
    return passages.tiles(facts)


def limits(orders: "Transactions", verdict: "Verdict", margin: float) -> "HTML":
    """What the data cannot show, whatever the pictures suggest."""
    lines = [
        "<b>Why somebody stays away.</b> Order lines show that, not why. Ask before you offer a discount.",
        "<b>What a call will change.</b> Some would come back by themselves; only the control group tells the two apart.",
        "<b>Consent.</b> The order lines do not say who may be contacted: check before anybody calls.",
    ]
    if margin == 1:
        lines.append(
            "<b>Profit.</b> Values are money paid, for no margin was given (--margin): what is earned is less."
        )
    early = verdict.facts["first_seen_early"] or 0
    if early > 0.25:
        lines.append(
            f"<b>Who is new.</b> {html(percent(early))} of the customers are first seen in the first twelfth of the time: either all "
            "joined then, or the data begin after they did. Cohorts and ages are then too young."
        )
    return passages.limits(lines)


def stage_table(tasks: pd.DataFrame, currency: str | None) -> "HTML":
    """How many are in each stage, what they brought, and what is to be done there."""
    frame = pd.DataFrame(
        {
            "stage": tasks.index.astype(str),
            "phase": tasks["phase"].astype(str),
            "customers": [f"{number:,}" for number in tasks["customers"]],
            "share": [percent(share) for share in tasks["share_of_customers"]],
            "spent": [money(spent, currency) for spent in tasks["spend"]],
            "of all money": [percent(share) for share in tasks["share_of_spend"]],
            "task": tasks["task"].astype(str),
        }
    )
    return shown(table("Stages, and the task in each", frame, ["stage", "phase", "task"]), "crmkit scroll stages")


def coming(forecast: pd.DataFrame) -> "HTML":
    """How many will be in each stage a quarter and two from now, if customers move as they moved before."""
    today = forecast.attrs["today"]
    rows = {
        str(stage): [
            f"{today.get(stage, 0):,.0f}",
            *(f"{row.customers:,.0f} ({row.low:,.0f} to {row.high:,.0f})" for row in rows.itertuples()),
        ]
        for stage, rows in forecast.groupby("stage", observed=True, sort=False)
        if rows["customers"].max() > 0 or today.get(stage, 0)
    }
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["today", "in a quarter", "in two quarters"])
    frame = frame.rename_axis("stage").reset_index()
    caption = "Customers in each stage if they move as they moved before, with 90 % intervals"
    return shown(table(caption, frame, ["stage"]), "crmkit scroll")


def words(sentences: list[str]) -> "HTML":
    """Sentences from the analysis, escaped, as a list; nothing if there are none."""
    items = "".join(f"<li>{html(sentence)}</li>" for sentence in sentences)
    return shown(f"<ul>{items}</ul>" if items else "")


def verdict_on(card: Any) -> "HTML":
    """What the hold-out says about the model, in words and figures."""
    frame = card.table.reset_index()
    names = {
        "predictor": "who predicts",
        "bias": "total off by",
        "mae": "mean error",
        "top_fifth": "found by top fifth",
    }
    frame = pd.DataFrame(
        {
            names["predictor"]: frame.iloc[:, 0].astype(str),
            "purchases that came": [f"{number:,.0f}" for number in frame["actual_total"]],
            "predicted": [f"{number:,.0f}" for number in frame["predicted_total"]],
            names["bias"]: [percent(share) for share in frame["bias"]],
            names["mae"]: [f"{number:.2f}" for number in frame["mae"]],
            "root mean square": [f"{number:.2f}" for number in frame["rmse"]],
            names["top_fifth"]: [percent(share) if np.isfinite(share) else "–" for share in frame["top_fifth"]],
        }
    )
    caption = f"Judged on {card.customers:,} customers and {card.horizon} that the model had not seen"
    return shown(f"<p>{html(card.verdict)}</p>" + table(caption, frame, [names["predictor"]]), "crmkit scroll")


def models(worth: "Worth", margin: float, discount: float, currency: str | None) -> "HTML":
    """Which models gave the values, with their parameters and intervals."""
    lines = []
    for model in (worth.model, worth.money):
        if hasattr(model, "parameters_"):
            for name, value in model.parameters_.items():
                low, high = model.intervals_.loc[name, ["low", "high"]]
                lines.append((type(model).__name__, str(name), f"{value:,.3g}", f"{low:,.3g} to {high:,.3g}"))
        else:
            lines.append(("mean of all purchases", "money", money(model, currency), "–"))
    frame = pd.DataFrame(lines, columns=["model", "parameter", "value", "95 % interval"])
    text = (
        f"Values are the money expected in the next 12 months times a margin of {margin:g}, discounted by {discount:g} a year. "
        "They hold for customers as a group; for a single customer they are a bet."
    )
    return shown(f"<p>{html(text)}</p>" + table("Models", frame, ["model", "parameter"]), "crmkit scroll")


def figures(measured: pd.DataFrame, currency: str | None) -> "HTML":
    """Key figures of the last period beside the one before."""

    def told(value: float, unit: str) -> str:
        if not np.isfinite(value):
            return "–"
        if unit == "share":
            return percent(value)
        if unit == "customers":
            return f"{value:,.0f}"
        return f"{value:,.2f}" if unit == "days with a purchase" else money(value, currency)

    frame = pd.DataFrame(
        {
            "key figure": measured.index.astype(str),
            "before": [told(v, u) for v, u in zip(measured["before"], measured["unit"], strict=True)],
            "now": [told(v, u) for v, u in zip(measured["now"], measured["unit"], strict=True)],
            "95 % interval": [
                f"{told(row.low, row.unit)} to {told(row.high, row.unit)}" if np.isfinite(row.low) else "–"
                for row in measured.itertuples()
            ],
        }
    )
    caption = f"The last {measured.attrs['period']} up to {measured.attrs['as_of']}, beside those before"
    return shown(table(caption, frame, ["key figure"]), "crmkit scroll")


def list_head(people: pd.DataFrame, todo: pd.DataFrame, currency: str | None, rows: int = 15) -> "HTML":
    """The first lines of the call list."""
    if todo.empty:
        return shown(f"<p>{html(todo.attrs['note'])}</p>")
    head = todo.head(rows)
    known = people[people.index.isin(head["customer_id"])].loc[head["customer_id"]]
    frame = pd.DataFrame(
        {
            "customer": [shortened(str(name)) for name in head["customer_id"]],
            "last order": [periods.day(last).isoformat() for last in known["last_order"]],
            "spent": [money(value, currency) for value in known["spend"]],
            **({"next 12 months": [money(value, currency) for value in known["clv"]]} if "clv" in known else {}),
            "why": [shortened(str(reason), 90) for reason in known["reason"]],
            "due": [periods.day(due).isoformat() for due in head["due"]],
            "group": head["group"],
        }
    )
    lines = f"The first {len(head)} of {len(todo):,} lines" if len(todo) > len(head) else "All lines"
    return shown(table(f"{lines} of call_list.csv", frame, ["customer", "why", "due", "group"]), "crmkit scroll list")
