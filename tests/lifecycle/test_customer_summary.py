"""The summary against a plain reading of its definition, against published tables, and at its edges."""

import datetime
import io
import math
from decimal import Decimal
from importlib.resources import files

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmkit import lifecycle, periods
from crmkit.errors import InputError, KindError
from crmkit.tables import Transactions

COLUMNS = [
    "orders",
    "first_order",
    "last_order",
    "recency_days",
    "x",
    "t_x",
    "T",
    "spend",
    "mean_order_value",
    "mean_repeat_value",
]


def read(frame: pd.DataFrame) -> Transactions:
    return Transactions.read(frame, customer_id="customer_id", ordered_at="ordered_at", amount="amount")


def table(*rows: tuple) -> pd.DataFrame:
    """Rows of customer, moment, amount and, if there is one, order number."""
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount", "order_id"][: len(rows[0])])
    return frame.assign(ordered_at=pd.to_datetime(frame.ordered_at, format="ISO8601"))


def plain_reading(frame: pd.DataFrame, as_of: datetime.date | None = None, unit_days: float = 1) -> pd.DataFrame:
    """The definition of docs/design.md, one customer after the other, in Python's own Decimal."""
    rows = frame.assign(day=frame.ordered_at.dt.date)
    as_of = as_of or rows.day.max()
    found = {}
    for customer, own in rows[rows.day <= as_of].groupby("customer_id"):
        bought = own[own.amount >= 0]
        occasions = sorted(set(bought.day))
        if not occasions:
            continue
        first, last = occasions[0], occasions[-1]
        orders = len(occasions)
        if "order_id" in own:
            orders = bought.order_id.nunique() + bought[bought.order_id.isna()].day.nunique()
        spend = sum(map(Decimal, map(str, own.amount)), Decimal(0))
        later = sum(map(Decimal, map(str, own[own.day > first].amount)), Decimal(0))
        x = len(occasions) - 1
        found[customer] = (
            orders,
            pd.Timestamp(first),
            pd.Timestamp(last),
            (as_of - last).days,
            x,
            (last - first).days / unit_days,
            (as_of - first).days / unit_days,
            float(spend),
            float(spend) / orders,
            float(later) / x if x else math.nan,
        )
    return pd.DataFrame.from_dict(found, orient="index", columns=COLUMNS)


def assert_same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(
        found, expected, check_dtype=False, check_index_type=False, check_names=False, check_exact=True
    )


# ---- the definition ------------------------------------------------------------------------------------------------

start = datetime.datetime(2025, 12, 20)
line = st.tuples(
    st.sampled_from(["17", "41", "8", "王", "ann"]),
    st.integers(0, 40 * 86400).map(lambda seconds: start + datetime.timedelta(seconds=seconds))
    | st.integers(0, 40).map(lambda days: start + datetime.timedelta(days=days)),  # ties, and midnight itself
    st.integers(-3_000, 10_000).map(lambda cents: cents / 100) | st.just(0.0),
    st.sampled_from(["a", "b", "c", "d", None]),
)
ledgers = st.lists(line, min_size=1, max_size=30).filter(lambda rows: any(row[2] >= 0 for row in rows))
thorough = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
usual = settings(thorough, max_examples=20)


def sellable(rows: list[tuple], numbered: bool) -> pd.DataFrame:
    frame = table(*rows)
    frame["ordered_at"] = frame.ordered_at.astype("datetime64[us]")
    frame["order_id"] = frame.order_id.astype("string")
    return frame if numbered else frame.drop(columns="order_id")


class Lines:
    """What the summary needs of a `Transactions`, from any Ibis table: hypothesis asks hundreds of times."""

    currency = None

    def __init__(self, *parts: pd.DataFrame):
        moments = pd.concat(part.ordered_at for part in parts)
        self.first_day, self.last_day = moments.min().date(), moments.max().date()
        lines, *more = (ibis.memtable(part) for part in parts)
        lines = lines.union(*more) if more else lines
        self.table = lines.mutate(day=lines.ordered_at.date(), amount=lines.amount.cast("decimal(18, 2)"))


@thorough
@given(ledgers, st.booleans(), st.sampled_from(["days", "weeks", "months"]))
def test_the_summary_is_what_a_plain_reading_of_the_definition_gives(rows, numbered, unit):
    frame = sellable(rows, numbered)
    assert_same(lifecycle.summary(Lines(frame), unit=unit), plain_reading(frame, unit_days=periods.DAYS[unit]))


@usual
@given(ledgers, st.integers(0, 45))
def test_rows_after_as_of_are_not_looked_at(rows, days):
    frame, as_of = sellable(rows, numbered=True), (start + datetime.timedelta(days=days)).date()
    expected = plain_reading(frame, as_of)
    if expected.empty:
        with pytest.raises(InputError, match="as_of"):
            lifecycle.summary(Lines(frame), as_of=as_of)
    else:
        assert_same(lifecycle.summary(Lines(frame), as_of=as_of), expected)


@usual
@given(ledgers, st.randoms(use_true_random=False), st.integers(0, 30))
def test_neither_the_order_of_the_rows_nor_a_split_over_files_matters(rows, random, cut):
    frame = sellable(rows, numbered=True)
    shuffled = frame.iloc[random.sample(range(len(frame)), len(frame))]
    parts = [part for part in (shuffled.iloc[:cut], shuffled.iloc[cut:]) if len(part)]
    pd.testing.assert_frame_equal(lifecycle.summary(Lines(*parts)), lifecycle.summary(Lines(frame)), check_exact=True)


@usual
@given(ledgers)
def test_what_holds_for_every_customer(rows):
    frame = sellable(rows, numbered=False)
    found = lifecycle.summary(Lines(frame), unit="weeks")
    whole = lifecycle.summary(Lines(frame), unit="weeks", ages="whole")
    assert found.index.is_unique
    assert found.index.is_monotonic_increasing
    assert list(found.columns) == COLUMNS
    assert (found.x == found.orders - 1).all()  # without order numbers
    assert ((found.x == 0) == (found.t_x == 0)).all()
    assert ((found.x == 0) == found.mean_repeat_value.isna()).all()
    assert (found.t_x <= found["T"]).all()
    assert (found.x <= found.t_x * 7).all()  # one occasion a day at most
    assert (found.recency_days >= 0).all()
    assert np.allclose(found["T"] - found.t_x, found.recency_days / 7)
    assert (found.first_order <= found.last_order).all()
    assert (whole.t_x == np.floor(found.t_x)).all()
    assert (whole["T"] == np.floor(found["T"])).all()
    pd.testing.assert_frame_equal(whole.drop(columns=["t_x", "T"]), found.drop(columns=["t_x", "T"]))


def test_one_row_is_one_customer_who_bought_once():
    found = lifecycle.summary(read(table(("17", "2026-01-05 10:00", 12.5))), as_of="2026-01-19", unit="weeks")
    assert found.drop(columns=["first_order", "last_order"]).loc["17"].dropna().to_dict() == {
        "orders": 1, "recency_days": 14, "x": 0, "t_x": 0, "T": 2, "spend": 12.5, "mean_order_value": 12.5
    }  # fmt: skip
    assert found.first_order["17"] == found.last_order["17"] == pd.Timestamp("2026-01-05")
    assert math.isnan(found.mean_repeat_value["17"])


def test_orders_of_one_day_are_one_occasion_but_two_orders():
    rows = [
        ("17", "2026-01-05 09:00", 5.0, "a"),
        ("17", "2026-01-05 23:59:59", 7.0, "b"),
        ("17", "2026-01-06", 9.0, "c"),
    ]
    found = lifecycle.summary(read(table(*rows))).loc["17"]
    assert (found.orders, found.x, found.t_x) == (3, 1, 1)
    assert (found.mean_order_value, found.mean_repeat_value) == (7, 9)


def test_purchases_without_an_order_number_count_as_one_order_a_day():
    rows = [("17", "2026-01-05", 5.0, None), ("17", "2026-01-05", 7.0, None), ("17", "2026-01-06", 9.0, "c")]
    assert lifecycle.summary(read(table(*rows))).orders["17"] == 2


def test_the_number_of_a_refund_is_no_order():
    rows = [("17", "2026-01-05", 50.0, "a"), ("17", "2026-01-08", -20.0, "r1")]
    found = lifecycle.summary(read(table(*rows))).loc["17"]
    assert (found.orders, found.x, found.spend, found.mean_order_value) == (1, 0, 30, 30)


def test_a_zero_amount_is_an_occasion_of_value_zero():
    found = lifecycle.summary(read(table(("17", "2026-01-05", 8.0), ("17", "2026-01-09", 0.0)))).loc["17"]
    assert (found.x, found.t_x, found.mean_repeat_value) == (1, 4, 0)


def test_refunds_net_against_the_money_and_a_day_of_refunds_alone_is_no_occasion():
    rows = [("17", "2026-01-05", 50.0), ("17", "2026-01-09", 30.0), ("17", "2026-01-12", -10.0)]
    found = lifecycle.summary(read(table(*rows))).loc["17"]
    assert (found.x, found.t_x, found["T"], found.recency_days) == (1, 4, 7, 3)
    assert (found.spend, found.mean_repeat_value) == (70, 20)


def test_a_refund_dated_before_the_first_sale_belongs_to_the_first_occasion():
    rows = [
        ("17", "2026-01-02", -10.1),
        ("17", "2026-01-05", 50.0),
        ("17", "2026-01-09", 30.3),
        ("8", "2026-01-09", 1.0),
    ]
    found = lifecycle.summary(read(table(*rows)))
    assert found.first_order["17"] == pd.Timestamp("2026-01-05")
    assert (found.x["17"], found.t_x["17"], found.spend["17"], found.mean_repeat_value["17"]) == (1, 4, 70.2, 30.3)


def test_as_of_between_such_a_refund_and_its_sale_leaves_the_customer_out():
    rows = [("17", "2026-01-02", -10.0), ("17", "2026-01-05", 50.0), ("8", "2026-01-01", 1.0)]
    assert list(lifecycle.summary(read(table(*rows)), as_of="2026-01-03").index) == ["8"]


def test_as_of_after_the_last_day_makes_everybody_older():
    found = lifecycle.summary(read(table(("17", "2026-01-05", 8.0))), as_of=datetime.date(2027, 1, 5), unit="years")
    assert found.recency_days["17"] == 365
    assert found["T"]["17"] == 365 / 365.25


@pytest.mark.parametrize(("unit", "length"), [("days", 1), ("week", 7), ("months", 30.4375), ("years", 365.25)])
def test_a_unit_is_a_number_of_days(unit, length):
    found = lifecycle.summary(read(table(("17", "2026-01-05", 8.0), ("17", "2026-03-06", 8.0))), unit=unit)
    assert found.t_x["17"] == 60 / length


def test_the_frame_says_how_it_was_made_and_parquet_keeps_that():
    found = lifecycle.summary(read(table(("17", "2026-01-05", 8.0))), unit="week", ages="whole")
    assert found.attrs == {"as_of": "2026-01-05", "unit": "weeks", "ages": "whole", "currency": None}
    assert periods.as_of(found) == datetime.date(2026, 1, 5)
    kept = io.BytesIO()
    found.to_parquet(kept)
    pd.testing.assert_frame_equal(pd.read_parquet(kept), found)
    assert pd.read_parquet(kept).attrs == found.attrs


def test_types_do_not_depend_on_the_data():
    types = lifecycle.summary(read(table(("17", "2026-01-05", 8.0)))).dtypes.astype(str).to_dict()
    assert types == {
        "orders": "int64", "first_order": "datetime64[us]", "last_order": "datetime64[us]", "recency_days": "int64",
        "x": "int64", "t_x": "float64", "T": "float64", "spend": "float64", "mean_order_value": "float64",
        "mean_repeat_value": "float64",
    }  # fmt: skip


def test_the_result_may_be_changed_in_place():
    found = lifecycle.summary(read(table(("17", "2026-01-05", 8.0))))
    for column in COLUMNS:
        found.loc["17", column] = found.loc["17", column]


def test_money_is_exact_however_it_is_added_up():
    """0.1 + 0.2 is not 0.3 in floats; a thousand such rows in any order give the same cents."""
    rows = [("17", f"2026-01-{1 + number % 28:02d}", 0.1) for number in range(1_000)]
    found = lifecycle.summary(read(table(*rows))).loc["17"]
    assert found.spend == 100.0
    assert found.mean_repeat_value == float(Decimal(100) - Decimal("0.1") * 36) / 27


def test_a_day_that_needs_more_than_eighteen_digits_is_added_up_too():
    rows = Lines(table(*[("17", "2026-01-05", 9e15)] * 3, ("17", "2026-01-06", 1.0)))
    found = lifecycle.summary(rows).loc["17"]
    assert (found.spend, found.mean_repeat_value) == (27e15 + 1, 1)


# ---- wrong input ---------------------------------------------------------------------------------------------------

two_days = table(("17", "2026-01-05", 8.0), ("17", "2026-01-07", 8.0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"as_of": "2026-01-04"}, "as_of='2026-01-04' is before the first row .*2026-01-05.*2026-01-07"),
        ({"as_of": "4/1/2026"}, "as_of='4/1/2026' is not a day"),
        ({"unit": "fortnights"}, "unit='fortnights' is not a unit"),
        ({"ages": "Whole"}, "ages='Whole' is not known.*Did you mean 'whole'"),
    ],
)
def test_a_wrong_argument_is_named_with_its_value(arguments, message):
    with pytest.raises(InputError, match=message):
        lifecycle.summary(read(two_days), **arguments)


def test_as_of_that_leaves_only_refunds_says_so():
    rows = read(table(("17", "2026-01-02", -10.0), ("17", "2026-01-05", 50.0)))
    with pytest.raises(InputError, match=r"2026-01-03.*only refunds"):
        lifecycle.summary(rows, as_of="2026-01-03")


@pytest.mark.parametrize("wrong", [two_days, "orders.csv", None, [1, 2]])
def test_something_that_was_not_checked_is_refused(wrong):
    with pytest.raises(KindError, match=r"Transactions\.read"):
        lifecycle.summary(wrong)


# ---- published numbers ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cdnow() -> Transactions:
    """Fader and Hardie's sample: a row an order, 21 exact repeats and 12 amounts of zero among them."""
    path = files("lifetimes") / "datasets" / "CDNOW_sample.txt"
    names = ["master_id", "customer_id", "ordered_at", "discs", "amount"]
    frame = pd.read_csv(str(path), sep=r"\s+", names=names, dtype={"customer_id": str, "ordered_at": str})
    return read(frame.assign(ordered_at=pd.to_datetime(frame.ordered_at, format="%Y%m%d")))


def test_the_summary_of_cdnow_gives_the_published_bg_nbd_parameters(cdnow):
    """Fader, Hardie & Lee (2005), "Counting your customers" the easy way, Marketing Science 24(2), table 2."""
    from lifetimes import BetaGeoFitter

    found = lifecycle.summary(cdnow, as_of="1997-09-30", unit="weeks")
    assert (len(found), (found.x > 0).sum()) == (2357, 946)
    model = BetaGeoFitter().fit(found.x, found.t_x, found["T"])
    assert model.params_.round(3).to_dict() == {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
    parameters = np.log(model.params_[["r", "alpha", "a", "b"]])  # lifetimes keeps the value of scaled ages only
    negative = model._negative_log_likelihood(parameters, found.x, found.t_x, found["T"], np.ones(len(found)), 0)
    assert round(-negative * len(found), 1) == -9582.4


def test_the_summary_of_cdnow_gives_the_published_gamma_gamma_parameters(cdnow):
    """Fader & Hardie (2013), The Gamma-Gamma Model of Monetary Value: the 946 repeat buyers of the sample."""
    from lifetimes import GammaGammaFitter

    found = lifecycle.summary(cdnow, as_of="1997-09-30", unit="weeks")
    repeat = found[found.x > 0]
    assert len(repeat) == 946
    model = GammaGammaFitter().fit(repeat.x, repeat.mean_repeat_value)
    assert model.params_.round(2).to_dict() == {"p": 6.25, "q": 3.74, "v": 15.44}


def test_calendar_weeks_by_accident_would_not(cdnow):
    """Whole weeks of age move the parameters: contract 2 of the design, and lifetimes' default."""
    from lifetimes import BetaGeoFitter

    found = lifecycle.summary(cdnow, as_of="1997-09-30", unit="weeks", ages="whole")
    assert abs(BetaGeoFitter().fit(found.x, found.t_x, found["T"]).params_["r"] - 0.243) > 0.002


def test_the_summary_of_cdnow_is_that_of_lifetimes(cdnow):
    """Another implementation: lifetimes 0.11.3, in days, where calendar periods cannot differ."""
    from lifetimes.utils import summary_data_from_transaction_data

    rows = cdnow.table.select("customer_id", "day", "amount").to_pandas()
    rows["amount"] = rows.amount.astype(float)
    other = summary_data_from_transaction_data(
        rows, "customer_id", "day", "amount", observation_period_end="1997-09-30"
    )
    found = lifecycle.summary(cdnow, as_of="1997-09-30")
    assert (found.index == other.index).all()
    assert (found[["x", "t_x", "T"]].to_numpy() == other[["frequency", "recency", "T"]].to_numpy()).all()
    assert np.allclose(found.mean_repeat_value.fillna(0), other.monetary_value)


def test_spend_adds_up_to_the_money_that_the_ledger_kept_to_the_cent():
    rows = [
        ("17", "2026-01-05", 19.99), ("17", "2026-01-05", 0.01), ("41", "2026-01-06", 0.1), ("41", "2026-01-07", 0.2),
        ("41", "2026-01-09", -0.25), ("8", "2026-01-03", -5.0), ("8", "2026-01-08", 12.0), ("9", "2026-01-08", -7.77),
    ]  # fmt: skip
    transactions = read(table(*rows))
    ledger = transactions.ledger.table
    kept = ledger.loc[ledger.treatment == "kept", "money"].sum()
    found = lifecycle.summary(transactions)
    assert sum(Decimal(str(spend)) for spend in found.spend) == kept == Decimal("27.05")
