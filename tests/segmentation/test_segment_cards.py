"""Segment cards: nobody is lost, no money is lost, and the reason is told in words."""

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.errors import ColumnError, InputError
from crmkit.segmentation import rfm


def scored(number: int = 200, seed: int = 1, **attrs) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    summary = pd.DataFrame(
        {
            "recency_days": random.integers(0, 400, number),
            "orders": random.geometric(0.3, number),
            "spend": random.gamma(2, 100, number).round(2),
        },
        index=pd.Index([f"c{i}" for i in range(number)], name="customer_id"),
    )
    summary.attrs = {"as_of": datetime.date(2026, 6, 30), **attrs}
    return rfm.score(summary)


@pytest.mark.parametrize("name", ["ten_segments", "eleven_segments"])
@settings(max_examples=25, deadline=None)
@given(st.integers(1, 60), st.integers(0, 1000))
def test_customers_and_money_add_up(name, number, seed):
    segments = rfm.segment(scored(number, seed), name)
    cards = rfm.cards(segments, name)
    assert cards["segment"].tolist() == list(rfm.SegmentMap.load(name).segments)
    assert cards["customers"].sum() == len(segments)
    assert cards["spend"].sum() == pytest.approx(segments["spend"].sum())
    assert cards["share_of_customers"].sum() == pytest.approx(1)
    assert cards["share_of_spend"].sum() == pytest.approx(1)
    filled = cards[cards["customers"] > 0].set_index("segment")
    plain = segments.astype({"segment": str}).groupby("segment")[["recency_days", "orders", "spend"]].mean()
    plain = plain.add_prefix("mean_").loc[filled.index]
    pd.testing.assert_frame_equal(filled[plain.columns], plain, check_names=False)


def test_columns_as_documented():
    cards = rfm.cards(rfm.segment(scored(currency="EUR")))
    assert cards.columns.tolist() == [
        "segment", "customers", "share_of_customers", "spend", "share_of_spend", "mean_recency_days", "mean_orders",
        "mean_spend", "meaning", "reason", "action", "owner", "kpi", "days_due",
    ]  # fmt: skip
    assert cards.attrs == {"as_of": datetime.date(2026, 6, 30), "currency": "EUR", "segment_map": "ten_segments"}


def test_the_reason_tells_the_means_in_words():
    summary = pd.DataFrame({"recency_days": [1, 2], "orders": [60, 63], "spend": [4000.0, 4400.4]})
    scores = summary.assign(r_score=5, f_score=5)
    with_currency = rfm.segment(scores, bins=5)
    with_currency.attrs["currency"] = "EUR"
    expected = "On average last order 1.5 days ago, 62 orders, 4,200 EUR spent: "
    assert rfm.cards(with_currency)["reason"].iloc[0].startswith(expected)
    without = rfm.cards(rfm.segment(scores, bins=5))
    assert without["reason"].iloc[0].startswith(expected.replace(" EUR", ""))
    assert without["reason"].iloc[1] == "No customer is here now."
    assert without["mean_spend"].isna().sum() == 9


def test_cards_of_another_trade_show_its_own_dimensions():
    visits = pd.DataFrame({"recency_days": range(10), "visits": range(10), "actions": range(10)})
    cards = rfm.cards(rfm.segment(rfm.score(visits, dimensions="rfe")))
    assert {"mean_visits", "mean_actions"} <= set(cards.columns)
    assert "spend" not in cards.columns
    assert cards["reason"].str.contains("visits, .* actions: ").any()


def test_a_contract_is_told_with_money_and_percent():
    firms = pd.DataFrame(
        {"recency_days": [20], "orders_per_year": [4.0], "contract_value": [12000.0], "share_of_wallet": [0.35]}
    )
    reason = rfm.cards(rfm.segment(rfm.score(firms, dimensions="b2b")))["reason"].max()
    assert "4 orders a year, 12,000 contract value, 35% of what they buy in our field" in reason


def test_shares_of_nothing_are_missing():
    for spend in (0.0, -5.0):  # more refunds than sales: a share of that would turn the order round
        segments = rfm.segment(scored().assign(spend=spend))
        assert rfm.cards(segments)["share_of_spend"].isna().all()


def test_cards_of_another_map_are_refused():
    segments = rfm.segment(scored(), "eleven_segments")
    with pytest.raises(InputError, match="made with the map 'eleven_segments', not 'ten_segments'"):
        rfm.cards(segments)
    segments.attrs = {}
    with pytest.raises(InputError, match="in none of its segments"):
        rfm.cards(segments)
    with pytest.raises(ColumnError, match=r"rfm\.segment"):
        rfm.cards(scored())


def test_segments_read_back_from_a_file_make_the_same_cards(tmp_path):
    segments = rfm.segment(scored())
    segments.to_csv(tmp_path / "segments.csv")
    again = pd.read_csv(tmp_path / "segments.csv", index_col="customer_id")
    pd.testing.assert_frame_equal(rfm.cards(again), rfm.cards(segments))
