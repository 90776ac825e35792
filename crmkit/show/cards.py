"""Tables and cards as HTML: for a notebook, light or dark, for a plain page and for paper.

All text that comes from data or from a segment map is escaped. Nothing is loaded from elsewhere.
"""

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit.escape import html
from crmkit.show import style
from crmkit.show.ledger_plot import entries, exact, totals

if TYPE_CHECKING:
    from IPython.display import HTML

# currentColor and color-mix take over the colours of the page around, whether it is light or dark.
STYLE = """<style>
.crmkit {font-family: system-ui, -apple-system, "Segoe UI", "Noto Sans", "Noto Sans CJK SC", "PingFang SC",
 "Microsoft YaHei", sans-serif; font-size: 14px; line-height: 1.45; color: var(--jp-content-font-color1, inherit)}
.crmkit ul.crmkit-cards {display: grid; grid-template-columns: repeat(auto-fill, minmax(260px, 1fr)); gap: 12px;
 list-style: none; margin: 8px 0; padding: 0}
.crmkit li.crmkit-card {margin: 0; padding: 10px 14px 12px; break-inside: avoid; overflow-wrap: anywhere;
 border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: 6px;
 border-left: 8px solid var(--segment); print-color-adjust: exact; -webkit-print-color-adjust: exact}
.crmkit .crmkit-name {font-size: 17px; font-weight: 700; margin-bottom: 4px}
.crmkit .crmkit-chip {display: inline-block; min-width: 1.4em; padding: 0 .3em; margin-right: .4em; border-radius: 4px;
 text-align: center; font-weight: 700; background: var(--segment); color: var(--ink);
 print-color-adjust: exact; -webkit-print-color-adjust: exact}
.crmkit .crmkit-shares {display: grid; grid-template-columns: max-content 1fr max-content; gap: 1px 8px;
 align-items: center}
.crmkit .crmkit-shares b {text-align: right}
.crmkit .crmkit-bar {display: block; height: 9px; border: 1px solid color-mix(in srgb, currentColor 45%, transparent);
 border-radius: 2px}
.crmkit .crmkit-bar i {display: block; height: 100%; background: currentColor; opacity: .65;
 print-color-adjust: exact; -webkit-print-color-adjust: exact}
.crmkit .crmkit-reason {margin: 6px 0}
.crmkit .crmkit-facts {display: grid; grid-template-columns: max-content 1fr; gap: 1px 10px; margin: 6px 0 0}
.crmkit .crmkit-facts span:nth-child(odd) {opacity: .75}
.crmkit table {border-collapse: collapse; margin: 8px 0; font-variant-numeric: tabular-nums}
.crmkit caption {text-align: left; font-weight: 700; padding-bottom: 4px; caption-side: top; color: inherit}
.crmkit table th, .crmkit table td {padding: 3px 10px; text-align: right; font-size: 14px; white-space: nowrap;
 border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent)}
.crmkit table .crmkit-text {text-align: left; white-space: normal; overflow-wrap: anywhere}
.crmkit table th[scope=row] {font-weight: 600}
.crmkit tfoot th, .crmkit tfoot td {border-top: 2px solid currentColor; font-weight: 700}
</style>"""


def block(content: str, kind: str) -> str:
    """HTML that carries its own style; `kind` is its class, to find it on a page."""
    return f'<div class="crmkit {kind}">{STYLE}{content}</div>'


def _display(content: str) -> "HTML":
    from IPython.display import HTML

    return HTML(content)


def _share(name: str, share: float) -> str:
    width = min(max(share, 0), 1) * 100 if math.isfinite(share) else 0
    bar = f'<span class="crmkit-bar"><i style="width:{width:.1f}%"></i></span>'
    return f"<span>{name}</span>{bar}<b>{style.percent(share)}</b>"


def _told(value: Any) -> str:
    """Text of a card, or a dash where the map says nothing."""
    return "–" if value is None or value is pd.NA or value != value or str(value).strip() == "" else html(value)


def _colour(colour: str) -> str:
    return f"--segment:{colour};--ink:{style.ink(colour)}"


def _mean(column: str, value: float, currency: str | None) -> str:
    if pd.isna(value):
        return "–"
    return html(style.money(value, currency)) if column.endswith("spend") else f"{value:,.1f}"


def segment_cards(cards: pd.DataFrame) -> "HTML":
    """Who are the customers of each segment, and what is to be done, by whom, measured by what?

    `cards` is the result of `segmentation.rfm.cards`. One card a segment in the map's order: customers
    and money with their shares, the reason in words (it holds the means), action, who does it, KPI, days due.

    >>> import pandas as pd
    >>> cards = pd.DataFrame({"segment": ["<b>Lost</b>"], "customers": [3], "share_of_customers": [1.0],
    ...                       "spend": [30.0], "share_of_spend": [1.0], "reason": ["long ago"], "action": ["wait"]})
    >>> "&lt;b&gt;Lost" in segment_cards(cards).data
    True
    """
    style.needs(
        cards,
        ["segment", "customers", "share_of_customers", "spend", "share_of_spend"],
        "segmentation.rfm.cards(segments)",
    )
    currency = cards.attrs.get("currency")
    colours = style.segment_colours(list(cards["segment"]))
    means = [] if "reason" in cards else [name for name in cards.columns if str(name).startswith("mean_")]
    items = []
    for place, card in enumerate(cards.to_dict("records"), 1):
        facts = [(column.replace("_", " "), _mean(column, card[column], currency)) for column in means]
        for column, name in (("action", "do"), ("owner", "who"), ("kpi", "watch"), ("days_due", "within")):
            if column in card:
                told = _told(card[column])
                facts.append((name, told if column != "days_due" or told == "–" else f"{told} days"))
        items.append(
            f'<li class="crmkit-card" style="{_colour(colours[card["segment"]])}">'
            f'<div class="crmkit-name"><span class="crmkit-chip">{place}</span>{html(card["segment"])}</div>'
            f"<div>{style.count(card['customers'], 'customer')}, {html(style.money(card['spend'], currency))}</div>"
            f'<div class="crmkit-shares">{_share("of customers", card["share_of_customers"])}'
            f"{_share('of money', card['share_of_spend'])}</div>"
            + (f'<div class="crmkit-reason">{_told(card["reason"])}</div>' if "reason" in card else "")
            + '<div class="crmkit-facts">'
            + "".join(f"<span>{html(name)}</span><span>{told}</span>" for name, told in facts)
            + "</div></li>"
        )
    listed = f'<ul class="crmkit-cards" role="list" aria-label="segments">{"".join(items)}</ul>'
    return _display(block(listed, "crmkit-segment-cards"))


def table(caption: str, columns: dict[str, bool], rows: list[list[str]], foot: list[list[str]] | None = None) -> str:
    """A table for people and screen readers; cells must be escaped, `columns` says which hold text."""
    kinds = [' class="crmkit-text"' if text else "" for text in columns.values()]

    def line(cells: list[str]) -> str:
        first, *others = cells
        return (
            f'<tr><th scope="row"{kinds[0]}>{first}</th>'
            + "".join(f"<td{kind}>{cell}</td>" for kind, cell in zip(kinds[1:], others, strict=True))
            + "</tr>"
        )

    heads = "".join(f'<th scope="col"{kind}>{html(name)}</th>' for kind, name in zip(kinds, columns, strict=True))
    return (
        f"<table><caption>{html(caption)}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{''.join(map(line, rows))}</tbody>"
        + (f"<tfoot>{''.join(map(line, foot))}</tfoot>" if foot else "")
        + "</table>"
    )


def segment_table(cards: pd.DataFrame) -> str:
    """Sizes and money of the segments as an HTML table, numbered and coloured as in the pictures."""
    currency = cards.attrs.get("currency")
    colours = style.segment_colours(list(cards["segment"]))
    rows = [
        [
            f'<span class="crmkit-chip" style="{_colour(colours[card["segment"]])}">{place}</span>{html(card["segment"])}',
            f"{card['customers']:,}",
            style.percent(card["share_of_customers"]),
            html(style.money(card["spend"], currency)),
            style.percent(card["share_of_spend"]),
        ]
        for place, card in enumerate(cards.to_dict("records"), 1)
    ]
    columns = {"segment": True, "customers": False, "share": False, "money": False, "share of money": False}
    return table("Segments: customers and money", columns, rows)


def ledger_table(ledger: Any, *, currency: str | None = None) -> "HTML":
    """Does the ledger add up? Rows read = kept + merged + set aside, and so does their money, to the cent.

    `ledger` is the `.ledger` of a `Transactions`; `currency` names its money if the ledger does not.
    Flagged rows are among those kept and are not added again.

    >>> from crmkit.tables import Transactions
    >>> orders = pd.DataFrame({"customer_id": [1, 2], "ordered_at": ["2026-01-05", "2026-01-06"], "amount": [5.0, 2.5]})
    >>> "it adds up" in ledger_table(Transactions.read(orders).ledger).data
    True
    """
    lines, currency = entries(ledger), currency or ledger.currency
    rows = [
        [html(line.treatment), html(line.reason), f"{line.rows:,}", html(exact(line.money, currency))]
        for line in lines.itertuples()
    ]
    parts = [sums for name, sums in totals(lines).items() if name != "flagged"]
    added, money = sum(part[0] for part in parts), sum(part[1] for part in parts)
    verdict = "it adds up, to the last digit" if ledger.reconciles() else "IT DOES NOT ADD UP: please report this"
    foot = [
        ["sum", "kept + merged + set aside", f"{added:,}", html(exact(money, currency))],
        ["read", verdict, f"{ledger.rows_read:,}", html(exact(ledger.money_read, currency))],
    ]
    columns = {"treatment": True, "reason": True, "rows": False, "money": False}
    return _display(block(table("What happened to the rows that were read", columns, rows, foot), "crmkit-ledger"))
