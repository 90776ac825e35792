"""Cards and tables as HTML: well formed, readable by a screen reader, and harmless whatever the text says."""

from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit import show
from crmkit.errors import ColumnError
from crmkit.show.cards import segment_table, table

VOID = {"img", "br"}


class Page(HTMLParser):
    """Every tag with its attributes, and the text of each kind of tag; refuses tags that are not closed."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.open, self.words = [], [], []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append((self.open[-1], data))

    def text(self, *tags):
        return " ".join(data for tag, data in self.words if not tags or tag in tags)


def test_one_card_a_segment_in_the_order_of_the_map(cards):
    page = Page(show.segment_cards(cards).data)
    assert sum(tag == "li" for tag, _ in page.tags) == len(cards)
    text = page.text()
    at = [text.index(name) for name in cards["segment"]]
    assert at == sorted(at)
    first = cards.iloc[0]
    for column in ("reason", "action", "owner", "kpi"):
        assert first[column] in text
    assert "2 customers" in text  # Champions: customers 1 and 2, 800 of the 1,000 euros
    assert "800 EUR" in text
    assert "80 %" in text


def test_cards_load_nothing_and_run_nothing(cards):
    page = show.segment_cards(cards).data
    assert "http" not in page
    assert "url(" not in page
    tags = {tag for tag, _ in Page(page).tags}
    assert not tags & {"script", "link", "img", "iframe"}


@given(st.text(max_size=30), st.text(max_size=30))
def test_text_from_data_cannot_become_markup(name, action):
    harmless = pd.DataFrame(
        {
            "segment": ["plain"],
            "customers": [1],
            "share_of_customers": [1.0],
            "spend": [2.0],
            "share_of_spend": [1.0],
            "reason": ["plain"],
            "action": ["plain"],
        }
    )
    hostile = harmless.assign(segment=f"<script>{name}", action=f'"><img onerror={action}', reason=action)
    hostile.attrs["currency"] = "<EUR"
    shape = Page(show.segment_cards(harmless).data).tags
    assert Page(show.segment_cards(hostile).data).tags == shape
    assert Page(segment_table(hostile)).tags == Page(segment_table(harmless)).tags


def test_missing_texts_and_shares_are_dashes_not_nan(cards):
    holes = cards.assign(action=None, kpi=np.nan, share_of_spend=np.nan)
    page = show.segment_cards(holes).data
    assert "nan" not in page.lower().replace("tenance", "")
    assert "None" not in page
    assert "<span>–</span>" in page


def test_cards_of_your_own_without_reasons_tell_their_means(cards):
    text = Page(show.segment_cards(cards.drop(columns=["reason"])).data).text()
    assert "mean recency days 1.5" in text
    assert "mean spend 400 EUR" in text


def test_a_table_is_told_to_a_screen_reader(cards):
    page = Page(segment_table(cards))
    scopes = [attrs.get("scope") for tag, attrs in page.tags if tag == "th"]
    assert scopes == ["col"] * 5 + ["row"] * len(cards)
    assert page.text("caption") == "Segments: customers and money"


def test_a_table_has_as_many_cells_as_columns():
    with pytest.raises(ValueError, match="zip"):
        table("x", {"a": True, "b": False}, [["1"]])


def test_cards_without_money_are_refused(cards):
    with pytest.raises(ColumnError, match=r"'spend'.*segmentation\.rfm\.cards"):
        show.segment_cards(cards.drop(columns="spend"))


def test_inputs_stay_as_they_are(cards):
    before = cards.copy(deep=True)
    show.segment_cards(cards)
    pd.testing.assert_frame_equal(cards, before)
