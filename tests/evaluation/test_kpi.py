"""Key figures against a plain reading of their formulas, and intervals that keep what they promise."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.errors import InputError, KindError
from crmkit.evaluation import kpi
from crmkit.evaluation.intervals import share_interval
from crmkit.tables import Transactions


def orders(rows: list[tuple[str, str, float]]) -> Transactions:
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])
    return Transactions.read(frame.assign(order_id=range(len(frame))))


def by_hand(frame: pd.DataFrame, first: str, last: str) -> pd.DataFrame:
    part = frame[frame["ordered_at"].between(first, last)]
    bought = part[part["amount"] >= 0]
    each = pd.DataFrame(
        {
            "days": bought.groupby("customer_id")["ordered_at"].nunique(),
            "orders": bought.groupby("customer_id").size(),
        }
    )
    return each.join(part.groupby("customer_id")["amount"].sum().rename("money"))


ROWS = st.lists(
    st.tuples(st.sampled_from("abcdefg"), st.integers(0, 27), st.integers(-20, 90)), min_size=5, max_size=60
)


@settings(max_examples=12, deadline=None)
@given(ROWS)
def test_figures_are_what_their_formulas_say(rows):
    days = pd.date_range("2026-03-01", periods=28).strftime("%Y-%m-%d")
    frame = pd.DataFrame([(c, days[d], float(a)) for c, d, a in rows], columns=["customer_id", "ordered_at", "amount"])
    ends = pd.DataFrame({"customer_id": "z", "ordered_at": [days[0], days[-1]], "amount": 5.0})
    frame = pd.concat([frame, ends], ignore_index=True)
    buyers = frame.loc[frame["amount"] >= 0, "customer_id"].unique()
    found = kpi.measure(
        Transactions.read(frame.sample(frac=1, random_state=1).assign(order_id=range(len(frame)))), period="2 weeks"
    )
    frame = frame[frame["customer_id"].isin(buyers)]  # who never bought is set aside by the ledger
    before, now = by_hand(frame, days[0], days[13]), by_hand(frame, days[14], days[27])
    value = found["now"]
    assert value["active customers"] == len(now)
    assert value["new customers"] == len(now.index.difference(before.index))
    kept = len(now.index.intersection(before.index))
    assert value["retention rate"] == pytest.approx(kept / len(before))
    assert value["churn rate"] == pytest.approx(1 - kept / len(before))
    assert value["repurchase rate"] == pytest.approx((now["days"] >= 2).mean())
    assert value["purchase frequency"] == pytest.approx(now["days"].mean())
    assert value["average transaction value"] == pytest.approx(now["money"].sum() / now["orders"].sum())
    assert value["revenue"] == pytest.approx(now["money"].sum())
    assert found.loc["retention rate", ["low", "high"]].to_list() == list(share_interval(kept, len(before))[1:])
    assert np.isnan(found.loc["retention rate", "before"]), "there is no period before the period before"


def test_the_interval_of_the_average_basket_covers_the_truth():
    """Simulation: customers with one to six orders whose size depends on the customer; the truth is the ratio of means."""
    random, truth, hits = np.random.default_rng(3), 20 * (1 + 2.5 * 1.0), 0
    for _ in range(200):
        number = random.integers(1, 7, 300)
        money = 20 * number + 20 * 2.5 * random.gamma(4, 0.25, 300) * number
        found = kpi._ratio(pd.Series(money), pd.Series(number))
        hits += found[1] <= truth <= found[2]
    assert 0.90 <= hits / 200 <= 0.99


def test_one_customer_has_figures_and_no_interval():
    found = kpi.measure(orders([("a", "2026-01-01", 5), ("a", "2026-01-14", 7)]), period="1 week")
    assert found.loc["revenue per customer", "now"] == 7
    assert np.isnan(found.loc["revenue per customer", "low"])
    assert found.attrs["first_day"] == "2026-01-08"


@pytest.mark.parametrize(
    ("period", "as_of", "words"),
    [
        ("3 months", None, "take a shorter period"),
        ("1 week", "2027-01-01", "take a shorter period or an as_of inside"),
        ("often", None, "not a horizon"),
    ],
)
def test_a_period_that_the_data_do_not_hold_is_refused(period, as_of, words):
    with pytest.raises(InputError, match=words):
        kpi.measure(orders([("a", "2026-01-01", 5), ("a", "2026-01-31", 7)]), period=period, as_of=as_of)


def test_a_frame_is_not_enough():
    with pytest.raises(KindError, match="checked transactions"):
        kpi.measure(pd.DataFrame())


def test_every_formula_is_complete_and_belongs_to_a_lesson():
    table = kpi.formulas()
    assert table.notna().all().all()
    assert (table.map(len) > 0).all().all()
    assert table.index.is_unique
    assert table["lesson"].str.fullmatch(r"[1-4]\.[1-8]").all()
