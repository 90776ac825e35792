"""The card of one customer: everything escaped, what is sensitive hidden, since when each fact is known."""

import pandas as pd
import pytest

from crmkit import show
from crmkit.errors import InputError
from crmkit.segmentation import portrait, tags
from crmkit.tables import Transactions

ORDERS = pd.DataFrame(
    {
        "customer_id": [7, 7, 8],
        "ordered_at": ["2026-01-05", "2026-02-01", "2026-02-01"],
        "amount": [5.0, 9.5, 1.0],
        "category": ["<i>tea</i>", "books", "books"],
    }
)
PEOPLE = pd.DataFrame(
    {
        "customer_id": [7, 8],
        "name": ["<script>alert(1)</script>", None],
        "dietary": ["diabetic", None],
        "joined_on": ["2025-05-06", "2025-05-07"],
    }
)
POINTS = pd.DataFrame({"customer_id": [7], "booked_at": ["2026-01-05"], "points": [12]})
COUPONS = pd.DataFrame(
    {"customer_id": [7], "issued_on": ["2026-01-05"], "used_on": [None], "valid_until": ["2026-04-30"]}
)
RULES = {
    "tag": [
        {"name": "comes back", "rule": "orders >= 2", "meaning": "", "from": "2026-01-01", "expires_after": "90 days"}
    ]
}


@pytest.fixture(scope="module")
def given() -> pd.DataFrame:
    bought = portrait.build(transactions=Transactions.read(ORDERS))
    rule = tags.apply(bought, RULES)
    hand = tags.add_manual(rule, 7, "<b>VIP", by="L. <Petit>", why="asks & asks", until=None, since="2026-01-07")
    hand = tags.add_manual(hand, 7, "seriously ill", by="M", why="said so", until=None)
    return tags.add_manual(hand, 7, "complaint open", by="M", why="late", until="2026-01-31", since="2026-01-01")


@pytest.fixture(scope="module")
def made(given) -> pd.DataFrame:
    return portrait.build(
        PEOPLE,
        Transactions.read(ORDERS, currency="EUR"),
        basic=["name", "dietary"],
        tags=given,
        assets={"points": portrait.Ledger(POINTS, "points"), "coupons": portrait.Pieces(COUPONS)},
        recorded_on="joined_on",
        sensitive=["dietary", "seriously ill"],
    )


def test_text_from_data_is_escaped(made, given):
    card = show.portrait_card(made, 7, tags=given).data
    for text in ("<script>", "<i>tea", "<b>VIP", "<Petit>", "asks & asks"):
        assert text not in card
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in card
    assert "&lt;i&gt;tea&lt;/i&gt;" in show.portrait_card(made.replace("books", "<i>tea</i>"), 8).data


def test_what_is_sensitive_is_hidden_unless_somebody_allowed_it(made, given):
    card = show.portrait_card(made, 7, tags=given).data
    assert "diabetic" not in card
    assert "seriously ill" not in card
    assert "Sensitive facts are hidden." in card
    allowed = show.portrait_card(made, 7, tags=given, allowed_by="A. <Brandt>").data
    assert "diabetic" in allowed
    assert "seriously ill" in allowed
    assert "allowed by A. &lt;Brandt&gt;." in allowed
    with pytest.raises(InputError, match="who allowed"):
        show.portrait_card(made, 7, allowed_by=" ")


def test_each_part_says_since_when(made, given):
    card = show.portrait_card(made, 7, tags=given).data
    assert "known since 2025-05-06" in card
    assert "12 (last entry 2026-01-05)" in card
    assert "1 (next one ends 2026-04-30)" in card
    assert "orders up to 2026-02-01" in card
    assert "since 2026-02-01, until 2026-05-02, rule orders &gt;= 2" in card
    assert "since 2026-01-07, by L. &lt;Petit&gt;: asks &amp; asks" in card
    assert "complaint open" not in card  # over on the day of the portrait
    assert "14.50 EUR" in card
    assert "books (66 %)" in card


def test_what_is_not_known_is_a_dash_and_an_empty_part_says_so(made):
    card = show.portrait_card(made, "8").data  # typed as text
    assert "<span>points</span><span>–</span>" in card
    assert "<span>none</span><span>–</span>" in card
    bare = portrait.build(transactions=Transactions.read(ORDERS))
    assert show.portrait_card(bare, 8).data.count("nothing is recorded") == 4


def test_a_stranger_is_told(made):
    with pytest.raises(InputError, match="there is no customer 'x'"):
        show.portrait_card(made, "x")


def test_the_picture_tells_the_means_and_the_empty_parts():
    known = portrait.coverage(portrait.build(PEOPLE, Transactions.read(ORDERS), basic=["name"]))
    ax = show.portrait_coverage(known)
    assert "nothing is recorded of member, tags, assets" in " ".join(ax.get_title().split())
    assert [round(bar.get_width()) for bar in ax.patches] == [
        round(known[part].mean() * 100) for part in portrait.PARTS
    ]
    assert "member no data" in ax.alt_text
