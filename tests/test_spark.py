"""The same call on Spark and on DuckDB gives the same frame: one expression, two engines."""

import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crmkit import lifecycle
from crmkit.errors import InputError
from crmkit.segmentation import brands, cycles, offers
from crmkit.tables import Transactions

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def spark(java, tmp_path_factory):
    """Spark on two cores of this machine, without its web page, with its files in a folder of the test."""
    import ibis
    from pyspark.sql import SparkSession

    folder = tmp_path_factory.mktemp("spark")
    session = (
        SparkSession.builder.master("local[2]")
        .appName("crmkit tests")
        .config("spark.driver.host", "localhost")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.memory", "1g")
        # many small queries: half of the time is the compiler's, and planning again while a query runs
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1")
        .config("spark.sql.adaptive.enabled", "false")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .config("spark.local.dir", str(folder / "local"))
        .getOrCreate()
    )
    yield ibis.pyspark.connect(session)
    session.stop()


def order_lines(rows: int = 4_000) -> pd.DataFrame:
    """Lines with everything that engines could see differently.

    Refunds, some before the first sale or without one; zero amounts; several lines at one moment; moments
    within a microsecond of midnight; order numbers that are missing; customers whose names no language sorts alike.
    """
    random = np.random.default_rng(20260630)
    names = np.array(
        ["17", "8", "ann", "Ann", "Åsa", "zoë", "王", "李", *(f"member {number}" for number in range(292))]
    )
    day = np.datetime64("2025-06-15", "us") + random.integers(0, 380, rows) * np.timedelta64(1, "D")
    edge = np.array([0, 1, 86_399_999_999, 43_200_000_000])  # microseconds after midnight
    clock = np.where(random.random(rows) < 0.5, random.choice(edge, rows), random.integers(0, 86_400_000_000, rows))
    cents = random.integers(0, 20_000, rows)
    cents = np.where(random.random(rows) < 0.1, 0, np.where(random.random(rows) < 0.15, -cents, cents))
    order = np.where(random.random(rows) < 0.1, None, random.integers(1, 1_500, rows).astype(str).astype(object))
    frame = pd.DataFrame(
        {"customer_id": random.choice(names, rows), "ordered_at": day + clock, "amount": cents / 100, "order_id": order}
    )
    return pd.concat([frame, frame.sample(200, random_state=1)], ignore_index=True)  # exact repeats


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("lines") / "lines.parquet"
    order_lines().to_parquet(path, index=False)
    return path


@pytest.fixture(scope="module")
def on_both(spark, file) -> tuple[Transactions, Transactions]:
    return Transactions.read(file), Transactions.read(spark.read_parquet(file))


@pytest.mark.parametrize(
    "arguments",
    [{}, {"as_of": datetime.date(2025, 12, 31), "unit": "weeks"}],
    ids=["as it comes", "weeks at an earlier day"],
)
def test_the_summary_is_the_same_to_the_last_bit(on_both, arguments):
    here, there = (lifecycle.summary(transactions, **arguments) for transactions in on_both)
    assert len(here) > 250
    pd.testing.assert_frame_equal(here, there, check_exact=True)
    assert here.attrs == there.attrs


def test_the_rows_hold_what_this_test_is_about(on_both):
    rows = on_both[0].table.to_pandas()
    first_sale = rows[rows.amount >= 0].groupby("customer_id").day.min()
    early = rows[rows.day < rows.customer_id.map(first_sale)]
    assert (early.amount < 0).all()
    assert early.customer_id.nunique() > 10
    assert rows.duplicated(["customer_id", "day"]).any()
    assert rows.order_id.isna().any()


def test_a_zone_on_spark_without_the_zone_of_its_clock_is_refused(spark, file):
    """It used to count days of the session in silence: in New York 37 % of first orders were a day off."""
    with pytest.raises(InputError, match="stored_in="):
        Transactions.read(spark.read_parquet(file), time_zone="America/New_York")
    local = Transactions.read(spark.read_parquet(file), time_zone="America/New_York", stored_in="America/New_York")
    assert local.first_day == Transactions.read(file).first_day


def test_a_day_is_a_day_in_the_time_zone_of_the_table_on_both(spark, tmp_path):
    """Instants around midnight in New York, through both changes of the clock."""
    lines = order_lines(500)
    lines["ordered_at"] = lines.ordered_at.dt.tz_localize("UTC")
    lines.to_parquet(tmp_path / "instants.parquet", index=False)
    here = Transactions.read(tmp_path / "instants.parquet", time_zone="America/New_York")
    on_spark = spark.read_parquet(tmp_path / "instants.parquet")  # Ibis shows Spark's instants as times without a zone
    there = Transactions.read(on_spark, time_zone="America/New_York", stored_in="UTC")
    pd.testing.assert_frame_equal(lifecycle.summary(here), lifecycle.summary(there), check_exact=True)
    expected = lines.ordered_at.dt.tz_convert("America/New_York").dt.date
    assert (here.first_day, here.last_day) == (there.first_day, there.last_day)
    assert here.last_day == expected[lines.amount >= 0].max()


@pytest.mark.parametrize("period", ["weeks", "months"])
def test_the_cohorts_are_the_same_to_the_last_bit(on_both, period):
    here, there = (lifecycle.retention.cohorts(transactions, period=period) for transactions in on_both)
    assert here["orders"].sum() > 1_000
    pd.testing.assert_frame_equal(here, there, check_exact=True)
    assert here.attrs == there.attrs


def test_who_bought_again_is_the_same_on_both(on_both):
    here, there = (lifecycle.retention.bought_again(transactions, within="90 days") for transactions in on_both)
    pd.testing.assert_frame_equal(here, there, check_exact=True)


def test_first_days_are_the_same_on_both(on_both):
    here, there = (
        lifecycle.acquisition.first_days(transactions, within="90 days", payback=50, margin_share=0.4)
        for transactions in on_both
    )
    assert here["paid_back"].notna().sum() > 100
    pd.testing.assert_frame_equal(here, there, check_exact=True)
    assert here.attrs == there.attrs


def test_the_stages_are_the_same_on_both(on_both):
    here, there = (
        lifecycle.stages.assign(transactions, as_of=datetime.date(2026, 5, 31), prospects=["somebody"])
        for transactions in on_both
    )
    assert here["stage"].nunique() >= 4
    pd.testing.assert_frame_equal(here, there, check_exact=True)
    assert here.attrs == there.attrs


@pytest.fixture(scope="module")
def with_brands(spark, tmp_path_factory) -> tuple[Transactions, Transactions]:
    """The same lines with brands in any spelling, packs (none, missing, half) and costs."""
    lines, random = order_lines(), np.random.default_rng(7)
    lines["brand"] = random.choice(
        ["National", "Private", "private ", " ", None], len(lines), p=[0.5, 0.3, 0.1, 0.05, 0.05]
    )
    lines["quantity"] = random.choice([1.0, 2.0, 0.5, 0.0, np.nan], len(lines), p=[0.6, 0.2, 0.1, 0.05, 0.05])
    lines["unit_cost"] = random.integers(1, 500, len(lines)) / 100
    path = tmp_path_factory.mktemp("brands") / "brands.parquet"
    lines.to_parquet(path, index=False)
    return Transactions.read(path), Transactions.read(spark.read_parquet(path))


def test_brands_and_use_are_the_same_on_both(with_brands):
    here, there = (brands.usage(transactions) for transactions in with_brands)
    assert here["store_share"].between(0.01, 0.99).sum() > 100
    pd.testing.assert_frame_equal(here, there, check_exact=True)
    assert here.attrs == there.attrs


@pytest.mark.parametrize("centre", ["median", "mean"])
def test_due_dates_are_the_same_on_both(with_brands, centre):
    here, there = (cycles.next_due(transactions, centre=centre) for transactions in with_brands)
    assert here["gaps"].sum() > 2_000
    pd.testing.assert_frame_equal(here, there, check_exact=True)
    assert here.attrs == there.attrs


def test_the_margin_after_a_letter_is_the_same_on_both(with_brands):
    whole = [transactions.where("quantity", [0.0, 0.5, 1.0, 2.0]) for transactions in with_brands]
    ids = brands.usage(with_brands[0]).index
    letters = pd.DataFrame({"customer_id": ids, "sent_on": pd.Timestamp("2025-09-01") + pd.to_timedelta(np.arange(len(ids)) % 90, unit="D")})  # fmt: skip
    here, there = (offers.margin_after(transactions, letters, days=60) for transactions in whole)
    assert here["bought_store"].sum() > 50
    pd.testing.assert_frame_equal(here, there, check_exact=False, rtol=1e-12)
