"""Simulated firms: the same call gives the same firm, bad calls are answered, and what ships is what the call gives."""

import resource
import shutil

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit import datasets, shipped
from crmkit.datasets.simulation import FIRMS, clock, columns, dirt, files, marketing, people, processes
from crmkit.datasets.simulation.firm import Streams
from crmkit.errors import InputError, KindError

SHIPPED = [name for name in datasets.catalogue().query("real == 'simulated'")["name"] if name in FIRMS]


def frames(firm) -> dict[str, pd.DataFrame]:
    return {name: getattr(firm, name) for name in [*firm.tables, *firm.truth]}


# --- what ships -----------------------------------------------------------------------------------------------------


def test_every_firm_ships_a_small_version_and_every_simulated_data_set_has_a_firm():
    simulated = set(datasets.catalogue().query("real == 'simulated'")["name"])
    assert simulated == set(FIRMS)
    for name in simulated:
        assert datasets.load(name).simulated["generator"] == name


@pytest.mark.parametrize("name", SHIPPED)
def test_the_generator_gives_exactly_the_shipped_files(name):
    data = datasets.load(name)
    told = data.simulated
    made = datasets.simulate(told["generator"], customers=told["customers"], seed=told["seed"])
    assert made.truth == told["truth"]
    for table, frame in frames(made).items():
        pd.testing.assert_frame_equal(frame, getattr(data, table), check_dtype=False, check_exact=True)
    assert (made.size, made.seed) == (told["customers"], told["seed"])
    default = datasets.simulate(name)
    assert (default.size, default.seed, default.scenario) == (made.size, made.seed, made.scenario)


@pytest.mark.parametrize(
    "name", [name for name in SHIPPED if "transactions" in datasets.load(name).schema["transactions"]]
)
def test_the_checked_orders_of_a_simulated_firm_are_those_of_its_data_set(name):
    def total(transactions) -> tuple:
        table = transactions.table
        return tuple(table.aggregate(n=table.count(), money=table.amount.sum()).execute().iloc[0])

    assert total(datasets.simulate(name).transactions) == total(datasets.load(name).transactions)
    assert datasets.simulate(name).transactions.currency == "EUR"


# --- the same call gives the same firm ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FIRMS)
def test_equal_seeds_give_equal_firms_and_other_seeds_others(name):
    first, second, other = (datasets.simulate(name, customers=300, seed=seed) for seed in (5, 5, 6))
    for table, frame in frames(first).items():
        pd.testing.assert_frame_equal(frame, getattr(second, table), check_exact=True)
    largest = max(frames(first).values(), key=len)
    same = [table for table, frame in frames(first).items() if frame is not largest and len(frame) > 50]
    assert any(not frames(first)[table].equals(frames(other)[table]) for table in same)


def test_a_firm_does_not_depend_on_the_global_random_numbers():
    np.random.seed(1)  # noqa: NPY002
    first = datasets.simulate("shop", customers=200, seed=5)
    np.random.seed(2)  # noqa: NPY002
    pd.testing.assert_frame_equal(first.orders, datasets.simulate("shop", customers=200, seed=5).orders)


def test_a_topics_numbers_do_not_depend_on_other_topics():
    streams = Streams(7)
    alone = streams("orders").uniform(size=5)
    streams("visits").uniform(size=1_000)
    assert (streams("orders").uniform(size=5) == alone).all()
    assert (Streams(7)("orders").uniform(size=5) == alone).all()
    assert (Streams(8)("orders").uniform(size=5) != alone).all()
    assert (streams("order").uniform(size=5) != alone).all()


@pytest.mark.parametrize("name", FIRMS)
def test_twice_the_people_make_twice_the_rows(name):
    small, large = (datasets.simulate(name, customers=n, seed=3) for n in (3_000, 6_000))
    for table, frame in frames(small).items():
        rows = len(getattr(large, table))
        assert rows == len(frame) or rows == pytest.approx(2 * len(frame), rel=0.35, abs=30), table
        assert rows > 1.5 * len(frame) or len(frame) < 500, table


@pytest.mark.parametrize("name", FIRMS)
def test_nobody_and_one_person_are_firms_too_with_the_same_columns(name):
    usual = frames(datasets.simulate(name, customers=200, seed=1))
    for customers in (0, 1, 2):
        for table, frame in frames(datasets.simulate(name, customers=customers, seed=1)).items():
            assert frame.dtypes.to_dict() == usual[table].dtypes.to_dict(), f"{table} of {customers}"
    nobody = datasets.simulate(name, customers=0)
    assert getattr(nobody, nobody.tables[0]).empty


def test_a_hundred_thousand_customers_of_three_years_take_five_seconds_at_most():
    def cpu() -> float:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime

    datasets.simulate("shop", customers=10)  # imports
    began = cpu()
    shop = datasets.simulate("shop", customers=100_000, seed=1)
    assert cpu() - began <= 5
    assert len(shop.customers) == 100_000
    assert len(shop.orders) > 350_000
    assert shop.orders["ordered_at"].max() - shop.orders["ordered_at"].min() > pd.Timedelta(days=1_090)


# --- a firm in the hand ---------------------------------------------------------------------------------------------


def test_tables_and_truth_are_told_apart_and_handed_out_as_copies():
    firm = datasets.simulate("shop", customers=50, seed=1)
    assert firm.tables[0] == "customers"
    assert all(name.startswith("truth_") for name in firm.truth)
    assert not set(firm.truth) & set(firm.tables)
    assert {"orders", "truth_customers"} <= set(dir(firm))
    before = firm.customers
    firm.customers["region"] = "nowhere"
    pd.testing.assert_frame_equal(firm.customers, before)
    told = repr(firm)
    assert "50 people" in told
    assert "seed 1" in told
    assert ".orders:" in told
    with pytest.raises(AttributeError, match=r"no 'order'; its tables are customers.*Did you mean 'orders'"):
        _ = firm.order


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        ({"name": "shopp"}, InputError, r"no firm 'shopp'; there are shop.*Did you mean 'shop'\?"),
        ({"name": None}, InputError, "no firm None"),
        ({"customers": -1}, InputError, "customers is -1; give 0 or more"),
        ({"customers": 10.5}, KindError, "customers is 10.5, a float"),
        ({"customers": "10"}, KindError, "customers is '10', a str"),
        ({"customers": True}, KindError, "customers is True, a bool"),
        ({"seed": -3}, InputError, "seed is -3"),
        ({"seed": 1.0}, KindError, "seed is 1.0, a float"),
        ({"seasons": 0}, InputError, r"no scenario 'seasons'; it has season, .*Did you mean 'season'\?"),
        ({"season": 2}, InputError, "season is 2; give a number from 0 to 1"),
        ({"dirt": "much"}, KindError, "dirt is 'much', a str; give a number from 0 to 1"),
        ({"effects": float("nan")}, InputError, "effects is nan"),
        ({"effects": True}, KindError, "effects is True, a bool"),
        ({"dropout": "purchases"}, InputError, r"dropout is 'purchases'; give one of time, purchase.*Did you mean"),
        ({"name": "subscription", "alpha": 0}, InputError, "alpha is 0; give a number from 0.01"),
    ],
)
def test_a_bad_call_is_answered_with_what_to_do(call, error, words):
    with pytest.raises(error, match=words):
        datasets.simulate(**{"name": "shop", "customers": 10, "seed": 1} | call)


def test_numbers_of_numpy_are_numbers():
    firm = datasets.simulate("shop", customers=np.int64(20), seed=np.int32(1), season=np.float64(0.5))
    assert firm.size == 20
    pd.testing.assert_frame_equal(firm.orders, datasets.simulate("shop", customers=20, seed=1, season=0.5).orders)


# --- the writer -----------------------------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path):
    """A small shop written beside a copy of the shipped schema."""
    shutil.copy(shipped.folder("datasets") / "shop" / "schema.toml", tmp_path)
    firm = datasets.simulate("shop", customers=150, seed=9)
    files.write(firm, tmp_path)
    return firm, tmp_path


def test_what_is_written_is_read_back_by_its_schema(small, monkeypatch):
    from crmkit.datasets import dataset as room

    firm, folder = small
    monkeypatch.setattr(room, "_folder", lambda name: folder)
    read = room.Dataset("shop", room.schema_of.__wrapped__("shop"))  # not the one kept of the shipped data set
    assert read.simulated == {"generator": "shop", "customers": 150, "seed": 9, "truth": firm.truth}
    for table, frame in frames(firm).items():
        pd.testing.assert_frame_equal(getattr(read, table), frame, check_dtype=False)
        assert read.schema["tables"][table]["rows"] == len(frame)
        missing = {c: told.get("missing", 0) for c, told in read.schema["tables"][table]["columns"].items()}
        assert missing == frame.isna().sum().to_dict()
    told = read.schema["transactions"]["transactions"]
    assert told["rows"] == len(firm.orders)
    assert told["customers"] == firm.orders["customer_id"].nunique()


def test_writing_twice_gives_the_same_bytes(small):
    firm, folder = small
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    files.write(firm, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first


def test_money_is_written_as_decimal_and_days_as_days(small):
    orders = pq.read_schema(small[1] / "orders.parquet")
    assert str(orders.field("amount").type) == "decimal128(9, 2)"
    assert str(orders.field("ordered_at").type) == "timestamp[ms]"
    assert str(pq.read_schema(small[1] / "costs.parquet").field("month").type) == "date32[day]"


def test_a_schema_that_does_not_fit_the_firm_is_refused(small):
    firm, folder = small
    text = (folder / "schema.toml").read_text(encoding="utf-8")
    (folder / "schema.toml").write_text(text.replace("\nregion = ", "\narea = ", 1), encoding="utf-8")
    with pytest.raises(InputError, match=r"the columns of customers are .*region.* but its schema.toml says .*area"):
        files.write(firm, folder)
    (folder / "schema.toml").write_text(text.replace("[tables.costs", "[tables.expenses"), encoding="utf-8")
    with pytest.raises(InputError, match=r"the tables of shop are .*costs"):
        files.write(firm, folder)


# --- the vocabulary -------------------------------------------------------------------------------------------------

SEASONS = st.builds(
    clock.Season.of, st.floats(0, 0.95), st.integers(0, 364), st.lists(st.floats(0.5, 1.5), min_size=7, max_size=7)
)


@given(season=SEASONS, times=st.lists(st.floats(0, clock.DAYS), max_size=20))
def test_a_season_is_a_clock_that_can_be_read_both_ways(season, times):
    times = np.sort(np.array(times))
    elapsed = season.elapsed(times)
    assert (np.diff(elapsed) >= 0).all()
    assert np.allclose(season.when(elapsed), times, atol=1e-6)


@given(
    seed=st.integers(0, 2**32),
    season=SEASONS,
    spans=st.lists(st.tuples(st.floats(0, 2), st.floats(0, 1_096), st.floats(0, 1_096)), max_size=30),
)
@settings(max_examples=60)
def test_events_lie_in_their_spans_and_in_order(seed, season, spans):
    rate, start, stop = np.array(spans, dtype=float).reshape(-1, 3).T
    who, when = processes.events(np.random.default_rng(seed), rate, start, stop, season)
    assert (when >= start[who] - 1e-6).all()
    assert (when <= stop[who] + 1e-6).all()
    assert (np.diff(who) >= 0).all()
    assert (np.diff(when)[np.diff(who) == 0] >= 0).all()


def test_events_come_at_their_rate_and_evenly_without_a_season():
    from scipy.stats import chisquare, kstest

    rng = np.random.default_rng(4)
    rate = np.full(4_000, 0.05)
    who, when = processes.events(rng, rate, np.full(4_000, 100.0), np.full(4_000, 500.0))
    counts = np.bincount(who, minlength=4_000)
    assert counts.mean() == pytest.approx(20, abs=4 * np.sqrt(20 / 4_000))
    assert counts.var() == pytest.approx(20, rel=0.1)  # Poisson: variance and mean are one
    assert kstest((when - 100) / 400, "uniform").pvalue > 0.001
    season = clock.Season.of(0.5, 340)
    _, when = processes.events(rng, rate, np.zeros(4_000), np.full(4_000, 730.0), season)
    monthly = np.histogram(when, np.linspace(0, 730, 25))[0]
    expected = np.diff(season.elapsed(np.linspace(0, 730, 25)))
    assert chisquare(monthly, expected / expected.sum() * monthly.sum()).pvalue > 0.001


@given(seed=st.integers(0, 2**32), count=st.integers(0, 300), control=st.floats(0, 1))
def test_arms_hold_out_exactly_the_share(seed, count, control):
    contacted = marketing.arms(np.random.default_rng(seed), count, control)
    assert (~contacted).sum() == round(count * control)


@given(seed=st.integers(0, 2**32), count=st.integers(0, 200), share=st.floats(0, 1))
def test_repeats_keep_every_row_and_repeat_the_stated_share(seed, count, share):
    places = dirt.repeated(np.random.default_rng(seed), count, share)
    found = np.bincount(places, minlength=count)
    assert (found >= 1).all()
    assert (found <= 2).all()
    firsts = places[np.sort(np.unique(places, return_index=True)[1])]
    assert (firsts == np.arange(count)).all() or share > 0
    if share in (0, 1):
        assert len(places) == count * (1 + share)


@given(seed=st.integers(0, 2**32), times=st.lists(st.floats(0, 1_000), max_size=100))
def test_late_rows_change_the_order_and_nothing_else(seed, times):
    times = np.sort(np.array(times, dtype=float))
    order = dirt.booked(np.random.default_rng(seed), times, 0.2)
    assert sorted(order) == list(range(len(times)))
    assert (dirt.booked(np.random.default_rng(seed), times, 0) == np.arange(len(times))).all()
    assert (np.maximum.accumulate(times[order]) - times[order] <= 9).all() if len(times) else True


@given(seed=st.integers(0, 2**32), texts=st.lists(st.text("abcdefgh", max_size=12), max_size=30))
def test_a_misspelling_is_one_slip_and_the_first_letter_stays(seed, texts):
    spelt = dirt.misspelt(np.random.default_rng(seed), texts, 1)
    for before, after in zip(texts, spelt, strict=True):
        assert abs(len(before) - len(after)) <= 1
        assert before[:1] == after[:1]
        assert len(before) > 2 or before == after
    assert dirt.misspelt(np.random.default_rng(seed), texts, 0) == texts


def test_referrers_were_there_before():
    rng = np.random.default_rng(1)
    since, zeal = rng.uniform(0, 100, 50), rng.gamma(0.4, 1, 50)
    joined = rng.uniform(0, 100, 400)
    found = people.referrers(rng, joined, np.arange(200, 250), since, zeal)
    early = joined < np.ceil(since.min())
    assert (found[early] == -1).all()
    known = found >= 0
    assert (since[found[known] - 200] < np.floor(joined[known])).all()
    assert known[~early].mean() > 0.95


def test_texts_days_and_gaps_become_the_types_of_a_data_set():
    frame = columns.table(
        id=columns.ids("A", 3),
        kind=columns.pick(["x", "y"], np.array([0, 1, -1])),
        word=["p", None, "q"],
        day=clock.day(np.array([0.4, np.inf, 1095.9])),
        at=clock.moment(np.array([0.5, np.nan, 1.25])),
        number=columns.whole(np.array([1, 2, 3]), np.array([True, False, True])),
        answer=columns.yes_no(np.array([True, False, True]), np.array([True, True, False])),
    )
    assert frame["id"].to_list() == ["A00001", "A00002", "A00003"]
    assert frame["kind"].isna().to_list() == [False, False, True]
    assert frame["word"].isna().to_list() == [False, True, False]
    assert frame["day"].dt.strftime("%Y-%m-%d").to_list()[::2] == ["2023-01-01", "2025-12-31"]
    assert frame["at"].dropna().dt.strftime("%d %H:%M:%S").to_list() == ["01 12:00:00", "02 06:00:00"]
    assert frame["number"].sum() == 4
    assert frame["answer"].isna().sum() == 1
    text = frame.dtypes[["id", "kind", "word"]]
    assert (text == text.iloc[0]).all()


def test_the_command_writes_what_ships(tmp_path, monkeypatch, capsys):
    from crmkit.datasets.simulation import __main__ as command

    (tmp_path / "subscription").mkdir()
    shutil.copy(shipped.folder("datasets") / "subscription" / "schema.toml", tmp_path / "subscription")
    monkeypatch.setattr("sys.argv", ["simulation", "subscription"])
    monkeypatch.setattr(command.shipped, "folder", lambda name: tmp_path)
    command.main()
    monkeypatch.undo()
    assert "MB  subscription/usage.parquet" in capsys.readouterr().out
    ours, shipped_ones = tmp_path / "subscription", shipped.folder("datasets") / "subscription"
    assert (ours / "schema.toml").read_text(encoding="utf-8") == (shipped_ones / "schema.toml").read_text(
        encoding="utf-8"
    )
    for path in shipped_ones.glob("*.parquet"):  # another pyarrow may write other bytes
        assert pq.read_table(ours / path.name).equals(pq.read_table(path)), path.name
