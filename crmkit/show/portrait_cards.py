"""One customer in six parts for the counter, and how well the six parts are known; as HTML and as a picture."""

from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.axes import Axes

from crmkit.errors import InputError, near_misses
from crmkit.escape import html
from crmkit.segmentation import portrait as portraits
from crmkit.show import style
from crmkit.show.cards import _colour, _display, _share, _told, block
from crmkit.tables.frames import id_text

if TYPE_CHECKING:
    from IPython.display import HTML

_COLOURS = dict(zip(portraits.PARTS, ("grey", "sky", "orange", "yellow", "blue", "green"), strict=True))
_DETAILS = {"_last_entry": "last entry", "_next_end": "next one ends", "_share": ""}


def portrait_card(
    portrait: pd.DataFrame, customer: object, *, tags: pd.DataFrame | None = None, allowed_by: str | None = None
) -> "HTML":
    """What do we know of the person at the counter, since when, and what do we not know?

    Parameters
    ----------
    portrait : what `segmentation.portrait.build` gave. customer : one id of it.
    tags : the tags as given to `build`; then each says since when, until when, and by whom or by which rule.
    allowed_by : who allowed that sensitive facts are shown, by name; without it they are hidden, and the card says so.

    Everything from data is escaped. A dash is a question for the next visit.

    >>> from crmkit.tables import Transactions
    >>> rows = pd.DataFrame({"customer_id": ["<b>"], "ordered_at": "2026-01-05", "amount": 5.0})
    >>> card = portrait_card(portraits.build(transactions=Transactions.read(rows)), "<b>").data
    >>> "Customer &lt;b&gt;, as of 2026-01-05" in card, card.count("nothing is recorded")
    (True, 5)
    """
    known = portraits.coverage(portrait)  # says so if it is no portrait
    if allowed_by is not None and not str(allowed_by).strip():
        raise InputError("allowed_by is empty: write who allowed that sensitive facts are shown.")
    texts = portrait.index if customer in portrait.index else portrait.index.map(id_text)
    who = customer if customer in portrait.index else id_text(customer)
    place = texts.get_indexer([who])[0]
    if place < 0:
        raise InputError(f"there is no customer {who!r} in the portrait.{near_misses(who, texts)}")
    row, notes = portrait.iloc[place], portrait.attrs
    hidden = set() if allowed_by else set(notes["sensitive"])
    items = []
    for part, names in notes["parts"].items():
        if part == "tags" and names:
            lines = _tag_lines(row, names, notes, hidden, tags)
        else:
            lines = [(name, _fact(row, name, notes, hidden)) for name in names if not _detail(name, names)]
        told = "".join(f"<span>{html(name.replace('_', ' '))}</span><span>{said}</span>" for name, said in lines)
        body = f'<div class="crmkit-facts">{told}</div>' if names else "<div>nothing is recorded</div>"
        share = f'<div class="crmkit-shares">{_share("known", known.iloc[place][part])}</div>' if names else ""
        since = _since(part, row, notes) if names else ""
        items.append(
            f'<li class="crmkit-card" style="{_colour(style.PALETTE[_COLOURS[part]])}"><div class="crmkit-name">{part}'
            f'</div>{share}{body}<div class="crmkit-reason">{since}</div></li>'
        )
    listed = f'<ul class="crmkit-cards" role="list" aria-label="portrait">{"".join(items)}</ul>'
    secret = "" if not notes["sensitive"] else "Sensitive facts are hidden."
    secret = f"Sensitive facts are shown; allowed by {html(allowed_by)}." if allowed_by and secret else secret
    head = f"<p><b>Customer {html(id_text(portrait.index[place]))}, as of {html(notes['as_of'])}</b> {secret}</p>"
    return _display(block(head + listed, "crmkit-portrait-card"))


def _detail(name: str, names: list[str]) -> bool:
    return any(name.endswith(end) and name.removesuffix(end) in names for end in _DETAILS)


def _fact(row: "pd.Series[Any]", name: str, notes: dict[str, Any], hidden: set[str]) -> str:
    """One value in words, with its detail."""
    if name in hidden:
        return "hidden"
    said = _said(name, row[name], notes["currency"])
    for end, words in _DETAILS.items():
        if f"{name}{end}" in row.index and pd.notna(row[f"{name}{end}"]):
            value = row[f"{name}{end}"]
            said += f" ({style.percent(value)})" if end == "_share" else f" ({words} {value:%Y-%m-%d})"
    return said


def _said(name: str, value: Any, currency: str | None) -> str:
    if pd.isna(value):
        return "–"
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    if name in ("spend", "mean_order_value"):
        return html(style.money(value, currency))
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() else f"{value:,.2f}"
    return _told(value)


def _tag_lines(
    row: "pd.Series[Any]", names: list[str], notes: dict[str, Any], hidden: set[str], tags: pd.DataFrame | None
) -> list[tuple[str, str]]:
    carried = [notes["tags"][name] for name in names if name in notes["tags"] and name not in hidden and row[name]]
    lines = dict.fromkeys(carried, "")
    if tags is not None:
        style.needs(tags, ["customer_id", "tag"], "segmentation.tags.apply(…)")
        today = pd.Timestamp(notes["as_of"])
        for given in tags[(tags["customer_id"] == row.name) & tags["tag"].isin(carried)].to_dict("records"):
            since, until = (pd.to_datetime(given.get(end)) for end in ("since", "until"))
            if (pd.isna(since) or since <= today) and (pd.isna(until) or until >= today):
                days = [f"{word} {day:%Y-%m-%d}" for word, day in (("since", since), ("until", until)) if pd.notna(day)]
                by = _told(given.get("by"))
                origin = f"by {by}: {_told(given.get('why'))}" if by != "–" else f"rule {_told(given.get('rule'))}"
                lines[given["tag"]] = ", ".join([*days, origin.replace("rule –", "by nobody known")])
    return list(lines.items()) or [("none", "–")]


def _since(part: str, row: "pd.Series[Any]", notes: dict[str, Any]) -> str:
    """Since when a part is known, or as of when."""
    if part in ("basic", "member"):
        since = row.get(notes["recorded_on"]) if notes["recorded_on"] else None
        since = f", known since {pd.to_datetime(since):%Y-%m-%d}" if since is not None and pd.notna(since) else ""
        return f"as the table stood when it was read{since}"
    return {"tags": "in force on", "assets": "stock at the end of"}.get(
        part, "orders up to"
    ) + f" {html(notes['as_of'])}"


def portrait_coverage(coverage: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Which of the six parts do we know, on average? `coverage` is from `segmentation.portrait.coverage`.

    >>> known = pd.DataFrame({part: [0.5, 1.0] for part in portraits.PARTS}).assign(assets=0.0, tags=[0.0, 0.1], all=0.5)
    >>> known.attrs["empty"] = ["assets"]
    >>> portrait_coverage(known).get_title().replace("\\n", " ")
    'Best known is basic (75 %), least tags (5 %); nothing is recorded of assets'
    """
    style.needs(coverage, [*portraits.PARTS, "all"], "segmentation.portrait.coverage(portrait)")
    empty = coverage.attrs.get("empty", [])
    means = coverage[list(portraits.PARTS)].mean()
    with style.house(ax, (9, 4.2)) as ax:
        bars = ax.barh(range(len(means)), means * 100, color=[style.PALETTE[_COLOURS[part]] for part in means.index])
        labels = ["no data" if part in empty else style.percent(share) for part, share in means.items()]
        ax.bar_label(bars, labels, padding=5)
        ax.set_yticks(range(len(means)), means.index)
        ax.set(
            xlim=(0, 112), ylim=(len(means) - 0.4, -0.6), xlabel="fields known, mean of all customers (%)", ylabel=""
        )
        ax.tick_params(axis="y", length=0)
        there = means.drop(empty)
        title = "No part of the portrait has data"
        if len(there):
            best, least = there.idxmax(), there.idxmin()
            title = (
                f"Best known is {best} ({style.percent(there[best])}), least {least} ({style.percent(there[least])})"
            )
            title += f"; nothing is recorded of {', '.join(empty)}" if empty else ""
        told = ", ".join(f"{part} {label}" for part, label in zip(means.index, labels, strict=True))
        return style.conclude(ax, title, f"Bars, share of fields known by part: {told}.")
