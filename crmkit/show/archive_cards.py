"""One customer on one card: the archive, what happened in order, and the brief for tomorrow's visit, as HTML.

Notes are written by people and names by customers: everything is escaped, nothing is loaded from elsewhere.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit.errors import InputError, KindError, near_misses
from crmkit.escape import html
from crmkit.show import style
from crmkit.show.cards import _colour, _display, _share, _told, block, table
from crmkit.tables.archive import Brief
from crmkit.tables.frames import id_text

if TYPE_CHECKING:
    from IPython.display import HTML

_KINDS = {
    "registration": "grey",
    "purchase": "blue",
    "consult": "green",
    "complaint": "vermillion",
    "visit": "sky",
    "care": "yellow",
}


def archive_card(archive: pd.DataFrame, customer: object, *, facts: Mapping[str, Any] | None = None) -> "HTML":
    """What do we know of this customer, and what do we not know?

    `archive` is the result of `tables.archive.archive`; `facts` are further lines, such as the customer's row of
    `lifecycle.summary`. A field that is empty shows a dash: it is a question for the next visit.

    >>> who = pd.DataFrame({"name": ["<b>Ada"], "known": [1.0], "events": [2], "first_event": [pd.Timestamp("2025-01-02")],
    ...     "last_event": [pd.Timestamp("2025-03-04")], "n_purchase": [2]}, index=pd.Index(["M1"], name="customer_id"))
    >>> who.attrs = {"static": ["name"], "kinds": ["purchase"]}
    >>> "&lt;b&gt;Ada" in archive_card(who, "M1").data
    True
    """
    style.needs(
        archive, ["known", "events", "first_event", "last_event"], "tables.archive.archive(customers, timeline)"
    )
    if "static" not in archive.attrs:
        raise InputError("the archive lost its notes (merge and join drop attrs); make it with archive(…) once more.")
    who = id_text(customer)
    if who not in archive.index:
        raise InputError(f"there is no customer {who!r} in the archive.{near_misses(who, archive.index)}")
    row = archive.loc[who]
    static = [(field.replace("_", " "), _said(row[field])) for field in archive.attrs["static"]]
    dynamic = [("first event", _said(row["first_event"])), ("last event", _said(row["last_event"]))]
    dynamic += [(kind, f"{row[f'n_{kind}']:,}") for kind in archive.attrs["kinds"]]
    dynamic += [
        (str(name).replace("_", " "), _said(value)) for name, value in (facts if facts is not None else {}).items()
    ]
    parts = [("Static part", static, "grey"), ("Dynamic part", dynamic, "blue")]
    items = "".join(
        f'<li class="crmkit-card" style="{_colour(style.PALETTE[colour])}"><div class="crmkit-name">{name}</div>'
        + (f'<div class="crmkit-shares">{_share("known", row["known"])}</div>' if name == "Static part" else "")
        + f'<div class="crmkit-facts">{"".join(f"<span>{html(field)}</span><span>{said}</span>" for field, said in lines)}'
        "</div></li>"
        for name, lines, colour in parts
    )
    listed = f'<ul class="crmkit-cards" role="list" aria-label="customer archive">{items}</ul>'
    return _display(block(f"<p><b>Customer {html(who)}</b></p>{listed}", "crmkit-archive-card"))


def timeline(events: pd.DataFrame, *, newest: int | None = None) -> "HTML":
    """What happened, in order? `events` is the result of `tables.archive.timeline` for one customer.

    `newest` shows only so many of the last events, and says how many came before.

    >>> told = pd.DataFrame({"at": [pd.Timestamp("2025-01-02 10:00")], "kind": ["complaint"], "what": ["<b>late"], "table": ["contacts"]})
    >>> "&lt;b&gt;late" in timeline(told).data
    True
    """
    style.needs(events, ["at", "kind", "what", "table"], "tables.archive.timeline(tables, events, customer)")
    if "customer_id" in events and events["customer_id"].nunique() > 1:
        raise InputError(f"the timeline has {events['customer_id'].nunique():,} customers; show one at a time.")
    shown = events if newest is None else events.tail(newest)
    rows = [
        [
            "no date" if pd.isna(event.at) else f"{event.at:%Y-%m-%d}",
            f'<span class="crmkit-chip" style="{_colour(style.PALETTE[_KINDS.get(event.kind, "grey")])}">{html(event.kind)}</span>',
            _told(event.what),
            html(event.table),
        ]
        for event in shown.itertuples()
    ]
    before = len(events) - len(shown)
    caption = f"{style.count(len(events), 'event')}" + (f", the last {len(shown)} shown" if before else "")
    columns = {"day": True, "kind": True, "what": True, "table": True}
    return _display(block(table(caption, columns, rows), "crmkit-timeline"))


def visit_brief(brief: Brief) -> "HTML":
    """What somebody reads in the minute before the visit. `brief` is the result of `tables.archive.brief`."""
    if not isinstance(brief, Brief):
        raise KindError(f"a brief from tables.archive.brief is needed, not {type(brief).__name__}.")
    likes = [f"{html(row.group)} {style.percent(row.share)}" for row in brief.preferences.head(3).itertuples()]
    spent = f" of {html(style.money(brief.preferences['money'].sum()))}" if likes else "–"
    consent = {True: "yes", False: "no: no advertising", None: "not asked for"}[brief.may_advertise]
    facts = [
        ("open complaints", f"{len(brief.open_issues)}"),
        ("next date", html(brief.next_on or "none")),
        ("buys", ", ".join(likes) + spent),
        ("consent", consent),
    ]
    talks = [
        [f"{talk.at:%Y-%m-%d}", html(talk.kind), html(talk.channel), _told(talk.note), _told(talk.outcome)]
        for talk in brief.last_contacts.itertuples()
    ]
    columns = {"day": True, "kind": True, "by": True, "note": True, "outcome": True}
    colour = {"complaint": "vermillion", "promise": "orange", "due": "orange", "quiet": "yellow"}.get(
        brief.rule, "green"
    )
    return _display(
        block(
            f'<ul class="crmkit-cards" role="list" style="grid-template-columns:1fr" aria-label="visit brief">'
            f'<li class="crmkit-card" style="{_colour(style.PALETTE[colour])}">'
            f'<div class="crmkit-name">Visit brief for {html(brief.customer_id)}, {brief.as_of.isoformat()}</div>'
            f'<div class="crmkit-reason"><b>Begin with</b> {html(brief.topic)}</div><div class="crmkit-facts">'
            + "".join(f"<span>{html(name)}</span><span>{said}</span>" for name, said in facts)
            + "</div>"
            + (table("Last contacts, the newest first", columns, talks) if talks else "<p>No contact is recorded.</p>")
            + "</li></ul>",
            "crmkit-visit-brief",
        )
    )


def _said(value: Any) -> str:
    if isinstance(value, pd.Timestamp) and not pd.isna(value):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, float) and not pd.isna(value):
        return style.money(value)
    return _told(value)
