"""First days of customers against a plain reading; acquisition cost by hand, against published limits and simulated truth."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.errors import ColumnError, InputError, KindError
from crmkit.lifecycle import summary
from crmkit.lifecycle.acquisition import cost_by_source, first_days
from crmkit.tables import Transactions


def read(rows, columns=("customer_id", "ordered_at", "amount", "unit_cost"), **roles):
    return Transactions.read(pd.DataFrame(rows, columns=list(columns[: len(rows[0])])), currency="EUR", **roles)


# --- first days -------------------------------------------------------------------------------------------

ORDERS = [
    ("ann", "2025-01-10 09:00", 20.0, 12.0),
    ("ann", "2025-01-10 18:00", 10.0, 6.0),
    ("ann", "2025-02-09 10:00", 30.0, 18.0),
    ("ann", "2025-02-12 10:00", -30.0, -18.0),
    ("ann", "2025-06-01 10:00", 50.0, 25.0),
    ("bob", "2025-06-20 10:00", 5.0, 6.0),
]


def test_first_days_by_hand():
    found = first_days(read(ORDERS), within="30 days", payback=20, as_of="2025-06-30")
    assert found.columns.tolist() == [
        "first_order",
        "second_order",
        "orders",
        "spend",
        "margin",
        "watched",
        "paid_back",
    ]
    ann, bob = found.loc["ann"], found.loc["bob"]
    # 9 February is day 30 and counts, the refund of 12 February does not
    assert (ann["orders"], ann["spend"], ann["margin"], ann["watched"]) == (2, 60, 24, True)
    assert (ann["first_order"], ann["second_order"]) == (pd.Timestamp("2025-01-10"), pd.Timestamp("2025-02-09"))
    assert ann["paid_back"] == pd.Timestamp("2025-02-09")  # 8 + 4, then 12 more
    assert (bob["orders"], bob["margin"], bob["watched"]) == (1, -1, False)
    assert pd.isna(bob["second_order"])
    assert pd.isna(bob["paid_back"])
    assert found.attrs == {"as_of": "2025-06-30", "within": "30 days", "currency": "EUR"}


def test_the_days_watched_depend_on_as_of():
    found = first_days(read(ORDERS), within="30 days", as_of="2025-02-08")
    assert found.index.tolist() == ["ann"]
    assert not found["watched"].item()
    assert pd.isna(found["second_order"].item())
    assert first_days(read(ORDERS), within="30 days", as_of="2025-02-09")["watched"].item()


def test_margin_by_share_by_quantity_or_not_at_all():
    without = read([row[:3] for row in ORDERS])
    assert first_days(without)["margin"].isna().all()
    assert first_days(without, within="30 days", margin_share=0.4)["margin"].tolist() == pytest.approx([24, 2])
    with pytest.raises(InputError, match="payback needs a margin"):
        first_days(without, payback=5)
    with pytest.raises(InputError, match="margin_share=40 must be a share"):
        first_days(without, margin_share=40)
    several = read([(*ORDERS[0], 2), (*ORDERS[5], 3)], ("customer_id", "ordered_at", "amount", "unit_cost", "quantity"))
    assert first_days(several)["margin"].tolist() == pytest.approx([20 - 24, 5 - 18])


def test_what_is_no_order_book():
    with pytest.raises(KindError, match="checked transactions"):
        first_days(pd.DataFrame())
    with pytest.raises(InputError, match="holds no purchase"):
        first_days(read(ORDERS), as_of="2024-12-31")


lines = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 40), st.integers(-300, 2000), st.integers(0, 900)),
    min_size=1,
    max_size=25,
).filter(lambda rows: any(cents >= 0 for _, _, cents, _ in rows))


@settings(max_examples=40, deadline=None)
@given(lines, st.integers(1, 30), st.integers(1, 15))
def test_first_days_as_a_plain_reading_counts_them(rows, length, goal):
    start = pd.Timestamp("2025-03-01")
    found = first_days(
        read([(who, start + pd.Timedelta(days=day), cents / 100, cost / 100) for who, day, cents, cost in rows]),
        within=f"{length} days",
        payback=goal,
        as_of=start + pd.Timedelta(days=60),
    )
    for who in "abc":
        own = sorted((day, Decimal(cents), Decimal(cost)) for name, day, cents, cost in rows if name == who)
        occasions = sorted({day for day, cents, _ in own if cents >= 0})
        if not occasions:
            assert who not in found.index
            continue
        row, first = found.loc[who], occasions[0]
        early = [line for line in own if line[0] <= first + length]
        assert row["orders"] == sum(first <= day <= first + length for day in occasions)
        assert row["spend"] == pytest.approx(float(sum(cents for _, cents, _ in early)) / 100)
        assert row["margin"] == pytest.approx(float(sum(cents - cost for _, cents, cost in early)) / 100)
        assert (
            row["second_order"] is pd.NaT
            if len(occasions) == 1
            else row["second_order"] == start + pd.Timedelta(days=occasions[1])
        )
        # paid back on the first day, from the first order on, on which all margin so far reaches the goal
        days = [
            day
            for day in sorted({day for day, _, _ in own})
            if day >= first and sum(c - k for d, c, k in own if d <= day) >= goal * 100
        ]
        assert row["paid_back"] is pd.NaT if not days else row["paid_back"] == start + pd.Timedelta(days=days[0])
        assert row["watched"] == (first + length <= 60)


def test_first_days_agree_with_the_summary():
    random = np.random.default_rng(4)
    rows = [
        (f"c{who}", pd.Timestamp("2025-01-01") + pd.Timedelta(days=int(day)), float(amount))
        for who, day, amount in zip(
            random.integers(0, 40, 300), random.integers(0, 300, 300), random.integers(1, 90, 300), strict=True
        )
    ]
    orders = read(rows)
    found, whole = first_days(orders, within="12 months"), summary(orders)
    assert (found["first_order"] == whole["first_order"]).all()
    assert (found["orders"] == whole["x"] + 1).all()  # 300 days are within twelve months
    assert found["spend"].to_numpy() == pytest.approx(whole["spend"].to_numpy())


# --- cost by source ---------------------------------------------------------------------------------------


def new(**counts):
    return pd.DataFrame(
        [(source, "2025-01-15") for source, number in counts.items() for _ in range(number)],
        columns=["source", "first_order"],
    )


def costs(*rows):
    return pd.DataFrame(rows, columns=["month", "source", "spend"])


def test_cost_by_hand():
    found = cost_by_source(
        new(ads=10, mail=4, shop=3),
        costs(("2025-01-01", "ads", 500.0), ("2025-01-01", "mail", 40.0), ("2025-01-01", "shop", 0.0)),
    )
    assert found.index.tolist() == ["ads", "mail", "shop"]
    assert found["cost"].tolist() == [50, 10, 0]
    # Garwood's exact limits, as tabled in Pearson & Hartley (1966), Biometrika Tables, table 40: 10 counts → 4.795 to
    # 18.39, 4 counts → 1.090 to 10.24
    assert found.loc["ads", ["low", "high"]].tolist() == pytest.approx([500 / 18.39, 500 / 4.795], rel=1e-3)
    assert found.loc["mail", ["low", "high"]].tolist() == pytest.approx([40 / 10.24, 40 / 1.090], rel=1e-3)
    assert found.loc["shop", ["low", "high"]].tolist() == [0, 0]  # what costs nothing costs nothing for certain
    assert found.attrs["note"] == ""
    assert found.attrs["spend"] == 540


def test_a_source_without_costs_is_not_cheap_but_unknown():
    found = cost_by_source(new(ads=2, word=5), costs(("2025-01-01", "ads", 30.0)))
    assert np.isnan(found.loc["word", ["spend", "cost", "low", "high"]].astype(float)).all()
    assert (found.loc["word", "new_customers"], found.loc["word", "without_cost"]) == (0, 5)
    assert "No row of costs for word" in found.attrs["note"]
    assert found.index[-1] == "word"


def test_spend_without_customers_has_a_lower_end_only():
    found = cost_by_source(new(ads=2), costs(("2025-01-01", "ads", 30.0), ("2025-01-01", "fair", 900.0)))
    assert np.isnan(found.loc["fair", "cost"])
    assert found.loc["fair", "high"] == np.inf
    # 0 counts: the upper limit of a two-sided 95 % interval is ln 40 = 3.689
    assert found.loc["fair", "low"] == pytest.approx(900 / np.log(40))
    assert "Spend without a new customer: fair." in found.attrs["note"]


def test_months_are_aligned_source_by_source():
    came = pd.DataFrame(
        {
            "source": ["ads", "ads", "mail", "mail", "mail", None],
            "first_order": ["2025-01-31", "2025-02-01", "2025-01-01", "2025-02-28", "2025-03-05", "2025-01-05"],
        }
    )
    paid = costs(
        ("2025-01-01", "ads", 10.0),
        ("2025-01-20", "ads", 5.0),
        ("2025-01-01", "mail", 8.0),
        ("2025-02-01", "mail", 8.0),
    )
    found = cost_by_source(came, paid)
    assert found.loc["ads", ["spend", "new_customers", "cost", "without_cost"]].tolist() == [15, 1, 15, 1]
    assert found.loc["mail", ["spend", "new_customers", "cost", "without_cost"]].tolist() == [
        16,
        2,
        8,
        0,
    ]  # March is no month of costs
    assert found.loc["(not known)", "without_cost"] == 1
    assert found.attrs["months"] == ["2025-01", "2025-02"]
    assert "2 customers came in months without a row of costs" in found.attrs["note"]
    january = cost_by_source(came, paid, last="2025-01-31")
    assert january.loc["mail", ["spend", "new_customers"]].tolist() == [8, 1]
    assert january.attrs["months"] == ["2025-01"]


def test_credits_have_a_cost_too():
    credits = pd.Series({"ads": 7.5, "mail": 2.5, "(no visit seen)": 4.0})
    found = cost_by_source(credits, costs(("2025-01-01", "ads", 30.0), ("2025-01-01", "mail", 0.0)))
    assert found.loc["ads", ["new_customers", "cost"]].tolist() == [7.5, 4]
    assert found.loc["(no visit seen)", ["new_customers", "without_cost"]].tolist() == [0, 4]
    assert np.isnan(found.loc["(no visit seen)", "cost"])


def test_the_interval_keeps_what_it_promises():
    """Truth: 12 customers expected for 600, so 50 each. Garwood's limits hold at least what they promise."""
    random = np.random.default_rng(6)
    held = 0
    for number in random.poisson(12, 400):
        found = cost_by_source(pd.Series({"ads": number}), costs(("2025-01-01", "ads", 600.0))).iloc[0]
        held += found["low"] <= 50 <= found["high"]
    assert held / 400 >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / 400)


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(0, 30), min_size=1),
    st.dictionaries(st.sampled_from("abcd"), st.integers(0, 900), min_size=1),
    st.integers(0, 99),
)
def test_what_every_table_of_costs_keeps(counts, spend, seed):
    came, paid = new(**counts), costs(*[("2025-01-01", source, float(money)) for source, money in spend.items()])
    if came.empty:
        with pytest.raises(InputError, match="no new customer"):
            cost_by_source(came, paid)
        return
    found = cost_by_source(came, paid)
    assert found["new_customers"].sum() + found["without_cost"].sum() == len(came)
    assert found["spend"].sum() == found.attrs["spend"] == sum(spend.values())
    known = found[found["cost"].notna()]
    assert (known["low"] <= known["cost"]).all()
    assert (known["cost"] <= known["high"]).all()
    pd.testing.assert_frame_equal(cost_by_source(came.sample(frac=1, random_state=seed), paid), found)
    pd.testing.assert_frame_equal(cost_by_source(came, paid.sample(frac=1, random_state=seed)).loc[found.index], found)


def test_costs_that_cannot_be_used():
    came, paid = new(ads=2), costs(("2025-01-01", "ads", 30.0))
    with pytest.raises(InputError, match=r"spend must be 0 or more, but 1 of 1 rows hold something else, such as -30"):
        cost_by_source(came, paid.assign(spend=-30.0))
    with pytest.raises(InputError, match="enter 0 for a month that cost nothing"):
        cost_by_source(came, paid.assign(spend=np.nan))
    with pytest.raises(InputError, match="'source' is missing in 1 of"):
        cost_by_source(came, paid.assign(source=None))
    with pytest.raises(
        InputError, match=r"no new customer has a 'first_order' in the months of costs \(2024-01 to 2024-01\)"
    ):
        cost_by_source(came, paid.assign(month="2024-01-01"))
    with pytest.raises(InputError, match="costs has no month between first='2026-01-01'"):
        cost_by_source(came, paid, first="2026-01-01")
    with pytest.raises(InputError, match="costs has no month"):
        cost_by_source(came, paid.iloc[:0])
    with pytest.raises(
        ColumnError, match=r"costs has no column 'spend'; it has month, source, spends. Did you mean 'spends'"
    ):
        cost_by_source(came, paid.rename(columns={"spend": "spends"}))
    with pytest.raises(KindError, match="spend must be money"):
        cost_by_source(came, paid.assign(spend="thirty"))
    with pytest.raises(InputError, match="one number of customers"):
        cost_by_source(pd.Series({"ads": -1}), paid)
    with pytest.raises(ColumnError, match="new has no column 'registered_on'"):
        cost_by_source(came, paid, day="registered_on")
    with pytest.raises(KindError, match="holds numbers, not dates"):
        cost_by_source(came.assign(first_order=5), paid)


def test_money_as_decimal_is_money():
    found = cost_by_source(new(ads=2), costs(("2025-01-01", "ads", Decimal("30.50"))))
    assert found["cost"].item() == 15.25


def test_inputs_are_not_touched():
    came, paid = new(ads=2), costs(("2025-01-01", "ads", 30.0))
    before = came.copy(), paid.copy()
    cost_by_source(came, paid)
    pd.testing.assert_frame_equal(came, before[0])
    pd.testing.assert_frame_equal(paid, before[1])
