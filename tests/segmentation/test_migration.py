"""Migration: customers are conserved, and the yardstick can be held still."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.errors import ColumnError, InputError, KindError
from crmkit.segmentation import rfm

NAMES = ["Loyal", "New", "Lost"]
people = st.dictionaries(st.integers(0, 30), st.sampled_from(NAMES), min_size=1)


def table(labels: dict) -> pd.DataFrame:
    frame = pd.DataFrame({"segment": pd.Categorical(labels.values(), NAMES, ordered=True)}, index=list(labels))
    return frame.rename_axis("customer_id")


@settings(max_examples=30, deadline=None)
@given(people, people)
def test_customers_are_conserved(before, after):
    matrix = rfm.migration(table(before), table(after))
    rows, columns = matrix.sum(axis=1), matrix.sum(axis=0)
    for name in NAMES:
        assert rows[name] == list(before.values()).count(name)
        assert columns[name] == list(after.values()).count(name)
    assert rows["not yet a customer"] == len(after.keys() - before.keys())
    assert columns.get("not in the later table", 0) == len(before.keys() - after.keys())
    assert matrix.to_numpy().sum() == len(before.keys() | after.keys())


def test_the_matrix_keeps_the_maps_order_and_empty_segments():
    matrix = rfm.migration(table({1: "New"}), table({1: "Loyal", 2: "New"}))
    assert matrix.index.tolist() == [*NAMES, "not yet a customer"]
    assert matrix.columns.tolist() == NAMES
    assert matrix.loc["not yet a customer", "New"] == 1


def test_cut_anew_scores_move_customers_who_changed_nothing_and_frozen_ones_do_not():
    # Half the customers double their spend, the others do exactly as before.
    rng = np.random.default_rng(2)
    before = pd.DataFrame({"recency_days": 10, "orders": rng.integers(1, 50, 400), "spend": 1.0})
    after = before.assign(orders=before["orders"] * np.where(before.index < 200, 2, 1))
    first = rfm.segment(rfm.score(before))
    anew, frozen = rfm.segment(rfm.score(after)), rfm.segment(rfm.score(after, cuts=rfm.cut_points(before)))
    same = before.index >= 200
    assert (anew["segment"] != first["segment"])[same].mean() > 0.2
    assert (frozen["segment"] == first["segment"])[same].all()
    assert (frozen["segment"] != first["segment"])[~same].any()
    assert rfm.migration(first, frozen).attrs["frozen_cuts"] is True
    assert rfm.migration(first, anew).attrs["frozen_cuts"] is False
    assert "cuts=rfm.cut_points" in rfm.migration(first, anew).attrs["note"]
    assert rfm.migration(table({1: "New"}), table({1: "New"})).attrs["frozen_cuts"] is None


def test_two_maps_of_the_same_people_can_be_laid_side_by_side():
    scores = pd.DataFrame({"r_score": [5, 1], "f_score": [5, 1], "m_score": [1, 1]})
    two = [rfm.segment(scores, name, bins=5) for name in ("ten_segments", "eleven_segments")]
    assert rfm.migration(*two).loc["Champions", "Others"] == 1


def test_mistakes():
    early, late = table({1: "New"}), table({1: "Loyal"})
    early.attrs["as_of"], late.attrs["as_of"] = "2026-01-01", "2026-06-30"
    with pytest.raises(InputError, match="pass the earlier table first"):
        rfm.migration(late, early)
    with pytest.raises(InputError, match=r"after: 1 customers stand there twice, such as 1"):
        rfm.migration(early, pd.concat([late, late]))
    with pytest.raises(InputError, match=r"before names customers like '1' and after like 1;"):
        rfm.migration(table({"1": "New"}), late)
    with pytest.raises(InputError, match="1 customers without a segment"):
        rfm.migration(early, late.assign(segment=None))
    with pytest.raises(ColumnError, match=r"rfm\.segment"):
        rfm.migration(early, late.rename(columns={"segment": "label"}))
    with pytest.raises(KindError):
        rfm.migration(early, "after")
