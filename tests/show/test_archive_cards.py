"""Cards of one customer: everything known is on them, and nothing in a note can become markup."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_cards_as_html import Page

from crmkit import show
from crmkit.errors import ColumnError, InputError, KindError
from crmkit.tables import archive

CONTACTS = ["customer_id", "at", "kind", "channel", "note", "outcome", "next_on"]


def firm(note: str = "zip broke", name: str = "Ada Byron") -> dict[str, pd.DataFrame]:
    return {
        "who": pd.DataFrame({"name": [name], "phone": [None]}, index=pd.Index(["M1"], name="customer_id")),
        "contacts": pd.DataFrame(
            [("M1", pd.Timestamp("2025-12-01 10:00"), "complaint", "phone", note, "open", pd.NaT)], columns=CONTACTS
        ),
        "purchases": pd.DataFrame(
            {
                "customer_id": ["M1"] * 2,
                "at": pd.to_datetime(["2025-03-01", None]),
                "group": ["food", "sports"],
                "amount": [30.0, 10.0],
            }
        ),
    }


def told(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    events = {
        "contacts": ("customer_id", "at", "kind", ("note",)),
        "purchases": ("customer_id", "at", "purchase", ("group", "amount")),
    }
    return archive.timeline(tables, events, "M1")


def pages(tables: dict[str, pd.DataFrame]) -> dict[str, str]:
    events = told(tables)
    brief = archive.brief("M1", tables["contacts"], tables["purchases"], as_of="2025-12-31", consent="no")
    return {
        "card": show.archive_card(archive.archive(tables["who"], events), "M1", facts={"spend": 40.0}).data,
        "timeline": show.timeline(events).data,
        "brief": show.visit_brief(brief).data,
    }


def test_the_card_shows_what_is_known_and_what_is_not():
    text = Page(pages(firm())["card"]).text()
    for words in (
        "Customer M1",
        "Ada Byron",
        "50 %",
        "first event",
        "2025-03-01",
        "2025-12-01",
        "complaint",
        "purchase",
        "40",
    ):
        assert words in text
    assert "phone – " in " ".join(text.split()) + " "


def test_the_timeline_is_in_order_and_an_event_without_date_is_last():
    page = Page(pages(firm())["timeline"])
    text = page.text()
    assert text.index("group food; amount 30.00") < text.index("zip broke") < text.index("group sports; amount 10.00")
    assert "no date" in text
    assert "3 events" in text
    assert sum(tag == "tr" for tag, _ in page.tags) == 4
    short = Page(show.timeline(told(firm()), newest=1).data).text()
    assert "3 events, the last 1 shown" in short
    assert "zip broke" not in short


def test_the_brief_says_what_to_begin_with_and_what_consent_forbids():
    text = " ".join(Page(pages(firm())["brief"]).text().split())
    for words in (
        "Visit brief for M1, 2025-12-31",
        "open for 30 days",
        "food 100 % of 30",
        "no advertising",
        "zip broke",
    ):
        assert words in text


@settings(max_examples=30, deadline=None)
@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30))
def test_text_from_data_cannot_become_markup(note, name):
    plain = pages(firm())
    hostile = pages(firm(f'"><script>{note}', f"</span><img src=x onerror={name}>"))
    for kind, page in hostile.items():
        assert [tag for tag, _ in Page(page).tags] == [tag for tag, _ in Page(plain[kind]).tags], kind
        assert "http" not in page.replace(note, "").replace(name, "")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: show.archive_card(archive.archive(t["who"], told(t)), "M9"), InputError, "no customer 'M9'"),
        (lambda t: show.archive_card(archive.archive(t["who"], told(t)).merge(t["who"], on="customer_id"), "M1"), InputError, "lost its notes"),
        (lambda t: show.archive_card(t["who"], "M1"), ColumnError, "'known' is missing"),
        (lambda t: show.timeline(pd.concat([told(t), told(t).assign(customer_id="M2")])), InputError, "2 customers"),
        (lambda t: show.visit_brief(t), KindError, "a brief from tables.archive.brief"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(firm())
