"""What the data can carry: facts by hand, and a verdict a beginner can act on."""

import datetime

import numpy as np
import pandas as pd
import pytest

from crmkit.tables import Transactions, check


def orders(rows: list[tuple], **options) -> Transactions:
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])
    return Transactions.read(frame.assign(ordered_at=pd.to_datetime(frame.ordered_at)), **options)


def test_facts_by_hand():
    verdict = check(
        orders(
            [
                (1, "2026-01-01", 5),  # a clock: every 10 days
                (1, "2026-01-11", 5),
                (1, "2026-01-21", 5),
                (1, "2026-01-31", 5),
                (2, "2026-01-01", 5),  # twice on a day is one visit
                (2, "2026-01-01", 5),
                (3, "2026-01-31", 5),
                (3, "2026-02-02", -5),  # a refund is no visit
            ],
            currency="EUR",
        )
    )
    assert verdict.facts == {
        "customers": 3,
        "repeat_buyers": 1,
        "orders": 6,
        "first_day": datetime.date(2026, 1, 1),
        "last_day": datetime.date(2026, 2, 2),
        "span_days": 33,
        "first_seen_early": 2 / 3,
        "longest_gap_days": 9,
        "median_days_between": 10.0,
        "variation": 0.0,
        "currency": "EUR",
        "time_zone": None,
        "roles": ["customer_id", "ordered_at", "amount"],
    }


def test_variation_is_one_for_chance_and_none_for_too_few_intervals():
    """Poisson visits have exponential waiting times, whose coefficient of variation is 1."""
    chance = np.random.default_rng(1)
    visits = [(customer, day) for customer in range(40) for day in np.cumsum(chance.exponential(20, 60)).astype(int)]
    start = pd.Timestamp("2020-01-01")
    rows = [(customer, start + pd.Timedelta(days=int(day)), 1) for customer, day in visits]
    assert check(orders(rows)).facts["variation"] == pytest.approx(1, abs=0.1)
    assert check(orders([(1, "2026-01-01", 1), (1, "2026-01-02", 1)])).facts["variation"] is None


def test_orders_are_distinct_order_numbers_where_there_are_any():
    frame = pd.DataFrame({"customer_id": 1, "ordered_at": "2026-01-01", "amount": 1, "order_id": ["a", "a", "b"]})
    assert check(Transactions.read(frame)).facts["orders"] == 2


def shop(customers: int, every: int, visits: int, spread: int) -> Transactions:
    """Customers who start on one of the first `spread` days and come `every` so many days."""
    start = pd.Timestamp("2025-01-01")
    return orders(
        [
            (customer, start + pd.Timedelta(days=(customer % spread) + every * visit), 10)
            for customer in range(customers)
            for visit in range(visits)
        ]
    )


@pytest.mark.parametrize(
    ("data", "met", "why"),
    [
        (
            lambda: orders([(1, "2026-01-01", 5), (1, "2026-02-01", 5)]),
            ["no", "no", "no", "care", "no", "no", "no"],
            "the table has 1",
        ),
        (lambda: shop(60, 30, 1, 60), ["care", "no", "care", "no", "yes", "no", "no"], "nobody bought twice"),
        (
            lambda: shop(20, 30, 6, 30),
            ["care", "care", "care", "care", "care", "no", "no"],
            "with 20 customers a fifth is 4",
        ),
        (
            lambda: shop(1200, 30, 6, 300),
            ["yes", "yes", "yes", "yes", "yes", "care", "yes"],
            "1,200 customers, 100% bought again",
        ),
        (
            lambda: shop(1200, 30, 12, 25),
            ["yes", "care", "yes", "care", "care", "care", "yes"],
            "their earlier history is missing",
        ),
        (lambda: shop(1200, 10, 3, 5), ["yes", "no", "yes", "care", "no", "no", "no"], "too short for two dates"),
        (
            lambda: shop(60, 200, 2, 60),
            ["care", "no", "care", "care", "care", "no", "no"],
            "nothing was sold for 140 days",
        ),
    ],
)
def test_verdicts(data, met, why):
    verdict = check(data())
    assert verdict.needs.analysis.tolist() == [
        *("rfm", "rfm migration", "action list"),
        *("six stages", "cohorts and retention", "customer value", "churn warning"),
        *("clusters", "rules of baskets", "brand and usage", "due dates"),
    ]
    assert verdict.needs.met.tolist()[:7] == [word.replace("care", "with care") for word in met]
    assert why in str(verdict)


def bought(customers: int, every: int, visits: int, **columns: object) -> Transactions:
    """The shop again with more columns named, each with one value, or one an order if it is called `order_id`."""
    frame = shop(customers, every, visits, 300).table.to_pandas()
    frame = frame.assign(**columns)
    if "order_id" in columns:
        frame["order_id"] = range(len(frame))
    roles = {name: name for name in ("customer_id", "ordered_at", "amount", *columns)}
    return Transactions.read(frame, **roles)


@pytest.mark.parametrize(
    ("analysis", "data", "met", "why"),
    [
        ("clusters", lambda: shop(49, 30, 6, 30), "no", "groups of 49 customers"),
        ("clusters", lambda: shop(300, 30, 6, 30), "with care", "two or three groups"),
        ("clusters", lambda: shop(1200, 30, 1, 300), "with care", "only 0% bought again"),
        ("clusters", lambda: shop(1200, 30, 6, 300), "yes", "1,200 customers"),
        ("rules of baskets", lambda: bought(50, 30, 6, order_id=0), "no", "name category"),
        ("rules of baskets", lambda: bought(50, 30, 6, category="tea"), "no", "name order_id"),
        ("rules of baskets", lambda: bought(50, 30, 6, category="tea", order_id=0), "with care", "of 300 baskets"),
        ("rules of baskets", lambda: bought(200, 30, 6, brand="Own", order_id=0), "yes", "1,200 baskets"),
        ("brand and usage", lambda: bought(50, 30, 6, category="tea"), "no", "name brand"),
        ("brand and usage", lambda: bought(50, 30, 6, brand="Own"), "with care", "name category"),
        ("brand and usage", lambda: bought(50, 30, 1, brand="Own", category="tea"), "with care", "came once"),
        ("brand and usage", lambda: bought(50, 30, 6, brand="Own", category="tea"), "yes", "50 customers came back"),
        ("due dates", lambda: shop(20, 30, 6, 30), "no", "20 customers bought again"),
        ("due dates", lambda: shop(60, 30, 2, 60), "no", "too few of them often enough"),
        ("due dates", lambda: shop(60, 30, 6, 60), "yes", "variation 0.00"),
    ],
)
def test_verdicts_of_part_two(analysis, data, met, why):
    found = check(data()).needs.set_index("analysis").loc[analysis]
    assert found["met"] == met
    assert why in found["why"]


def test_a_due_date_is_doubtful_where_purchases_come_at_random():
    """Exponential gaps are a Poisson process: coefficient of variation 1."""
    gaps = np.random.default_rng(5).exponential(20, size=(300, 40)).round().clip(1)
    rows = [
        (who, pd.Timestamp("2024-01-01") + pd.Timedelta(days=int(day)), 5)
        for who, days in enumerate(gaps.cumsum(axis=1))
        for day in days
    ]
    found = check(orders(rows)).needs.set_index("analysis").loc["due dates"]
    assert found["met"] == "with care"
    assert "nearly at random" in found["why"]


def test_a_day_is_told_in_the_singular():
    assert "customers come back after 1 day (median)" in str(check(shop(1200, 1, 30, 300)))


def test_one_customer_and_nobody_twice_are_read_without_complaint():
    assert check(orders([(1, "2026-01-01", 5)])).facts["customers"] == 1
    assert check(orders([(1, "2026-01-01", 5), (2, "2026-01-01", 5)])).facts["repeat_buyers"] == 0


def test_a_terminal_shows_facts_and_verdicts():
    shown = str(check(orders([(1, "2026-01-01", 5), (2, "2026-02-01", 5)], time_zone="Europe/Berlin")))
    assert "2026-01-01 to 2026-02-01, 32 days" in shown
    assert "Europe/Berlin" in shown
    assert "WITH CARE  rfm: nobody bought twice" in shown
