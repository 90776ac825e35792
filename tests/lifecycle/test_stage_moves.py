"""Moves between stages: conserved, recovered from a chain whose truth is known, and equal to the closed form."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit import datasets
from crmkit.errors import InputError, KindError
from crmkit.lifecycle import stages
from crmkit.lifecycle.stage_rules import STAGES

#: A chain with known truth: rows sum to one; the last stage is absorbing.
THREE = ["new", "mature", "lost"]
TRUE = np.array([[0.1, 0.6, 0.3], [0.0, 0.9, 0.1], [0.0, 0.0, 1.0]])


def table(labels: dict, as_of: str | None = None) -> pd.DataFrame:
    frame = pd.DataFrame({"stage": pd.Categorical(list(labels.values()), STAGES, ordered=True)}, index=list(labels))
    frame.attrs = {} if as_of is None else {"as_of": as_of}
    return frame


def walk(people: int, dates: int, seed: int, chain=TRUE, start=(0.5, 0.5, 0.0)) -> list[pd.DataFrame]:
    """Customers who move by the known chain, one table a month."""
    random = np.random.default_rng(seed)
    at, tables = random.choice(3, people, p=start), []
    for month in range(dates):
        names = dict(zip(map(str, range(people)), np.array(THREE)[at].tolist(), strict=True))
        tables.append(table(names, as_of=f"2026-{month + 1:02d}-28"))
        at = (random.random(people)[:, None] > chain.cumsum(axis=1)[at]).sum(axis=1)
    return tables


people = st.dictionaries(st.integers(0, 30), st.sampled_from(STAGES), min_size=1)


@settings(max_examples=30, deadline=None)
@given(people, people)
def test_customers_are_conserved(before, after):
    matrix = stages.transitions(table(before), table(after))
    assert matrix.index.tolist() == [*STAGES, "not yet a customer"]
    for stage in STAGES:
        assert matrix.loc[stage].sum() == list(before.values()).count(stage)
        assert matrix[stage].sum() == list(after.values()).count(stage)
    assert matrix.to_numpy().sum() == len(before.keys() | after.keys())


@settings(max_examples=30, deadline=None)
@given(people, people)
def test_the_shares_of_a_stage_add_up_to_one_and_lie_inside_their_intervals(before, after):
    found = stages.probabilities(stages.transitions(table(before), table(after)))
    known = found[found["of"] > 0]
    assert known.groupby("from_stage")["share"].sum().to_numpy() == pytest.approx(1)
    assert ((known["low"] <= known["share"]) & (known["share"] <= known["high"])).all()
    assert found.loc[found["of"] == 0, "share"].isna().all()
    assert "not yet a customer" not in set(found["from_stage"])


@settings(max_examples=30, deadline=None)
@given(people, people, people)
def test_several_pairs_of_dates_are_added_up(first, second, third):
    tables = [table(each) for each in (first, second, third)]
    names = {*first, *second, *third}
    tables = [table({name: labels.get(name, "prospect") for name in names}) for labels in (first, second, third)]
    both = stages.transitions(*tables)
    singles = [stages.transitions(tables[0], tables[1]), stages.transitions(tables[1], tables[2])]
    pd.testing.assert_frame_equal(both, singles[0] + singles[1])
    assert both.attrs["each"] == [single.to_numpy().tolist() for single in singles]


def test_by_hand():
    before = table({1: "new", 2: "new", 3: "new", 4: "new", 5: "mature"})
    after = table({1: "growth", 2: "growth", 3: "new", 4: "lost", 5: "mature", 6: "new"})
    found = stages.probabilities(stages.transitions(before, after)).set_index(["from_stage", "to_stage"])
    assert found.loc[("new", "growth"), ["customers", "of", "share"]].tolist() == [2, 4, 0.5]
    # Wilson (1927) for 2 of 4 at 95 %, by the textbook's formula with z = 1.959964
    z2 = 1.959963985**2
    half = np.sqrt(z2 * (0.25 / 4 + z2 / (4 * 16))) / (1 + z2 / 4)
    assert found.loc[("new", "growth"), ["low", "high"]].tolist() == pytest.approx([0.5 - half, 0.5 + half])


def test_a_known_chain_is_recovered():
    """Over 80 worlds the 95 % intervals hold the true share about 95 times in 100, and the shares lie near it."""
    covered, errors = [], []
    for world in range(80):
        found = stages.probabilities(stages.transitions(*walk(500, 5, seed=world)))
        found = found.set_index(["from_stage", "to_stage"])
        for (row, origin), (column, target) in itertools.product(enumerate(THREE), enumerate(THREE)):
            cell, truth = found.loc[(origin, target)], TRUE[row, column]
            if truth in (0, 1):
                assert cell["share"] == truth
            else:
                covered.append(cell["low"] <= truth <= cell["high"])
                errors.append((cell["share"] - truth) / np.sqrt(truth * (1 - truth) / cell["of"]))
    assert 0.92 <= np.mean(covered) <= 0.98
    assert np.mean(errors) == pytest.approx(0, abs=0.2)
    assert np.std(errors) == pytest.approx(1, abs=0.15)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 50), min_size=3, max_size=3), min_size=3, max_size=3), st.integers(1, 6))
def test_the_forecast_is_the_mix_times_a_power_of_the_matrix(counts, periods):
    counts = np.array(counts) + np.eye(3, dtype=int)  # somebody is in each stage
    mix = np.array([100, 40, 7])
    found = stages.forecast(
        pd.DataFrame(counts, index=THREE, columns=THREE), dict(zip(THREE, mix, strict=True)), periods, draws=100
    )
    shares = counts / counts.sum(axis=1, keepdims=True)
    for period in range(1, periods + 1):
        part = found[found["period"] == period]
        assert part["customers"].to_numpy() == pytest.approx(mix @ np.linalg.matrix_power(shares, period))
        assert part["customers"].sum() == pytest.approx(mix.sum())
        assert part["share"].sum() == pytest.approx(1)
    assert (found["low"] <= found["high"]).all()


def test_arrivals_come_every_period_as_many_as_on_average():
    counts = pd.DataFrame(
        [[3, 1], [0, 2], [6, 0]], index=["new", "lost", "not yet a customer"], columns=["new", "lost"]
    )
    found = stages.forecast(counts, {"new": 8, "lost": 0}, 2, seed=2)
    assert found["customers"].tolist() == [0.75 * 8 + 6, 2, 0.75 * 12 + 6, 2 + 0.25 * 12]
    assert found["low"].lt(found["customers"]).all()


@pytest.mark.parametrize("learn", [2, 5])
def test_the_interval_covers_what_comes_as_often_as_it_promises(learn):
    """The chain is true and nobody is lost for good, so 90 % intervals must hold about 90 % of what comes.

    Over-dispersion estimated from four periods cannot be below 1, which makes the interval a little wide.
    """
    chain = np.array([[0.2, 0.6, 0.2], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])
    inside = []
    for world in range(120):
        tables = walk(300, learn + 2, seed=1000 + world, chain=chain, start=(0.2, 0.6, 0.2))
        test = stages.back_test(tables, learn=learn, draws=300, seed=world)
        inside += test.loc[test["stage"].isin(THREE), "inside"].tolist()
    assert 0.86 <= np.mean(inside) <= 0.95


def test_the_same_seed_gives_the_same_interval():
    tables = walk(300, 3, seed=1)
    matrix, mix = stages.transitions(*tables), tables[-1]["stage"].value_counts()
    first, again, other = (stages.forecast(matrix, mix, 3, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first["low"].equals(other["low"])


def test_months_that_differ_widen_the_interval():
    calm, wild = [[9000, 1000], [1000, 9000]], [[6000, 4000], [2000, 8000]]
    names = ["mature", "decline"]
    pooled = pd.DataFrame(np.add(calm, wild), index=names, columns=names)
    even = pooled.copy()
    pooled.attrs["each"], even.attrs["each"] = [calm, wild] * 3, [(np.add(calm, wild) / 2).tolist()] * 6
    width = [
        (table["high"] - table["low"]).mean()
        for table in (stages.forecast(each, {"mature": 5000, "decline": 5000}, 1) for each in (pooled, even))
    ]
    assert width[0] > 2 * width[1]


def test_a_customer_is_never_forecast_back_to_a_prospect():
    counts = pd.DataFrame([[5, 5], [0, 9]], index=["prospect", "mature"], columns=["prospect", "mature"])
    found = stages.forecast(counts, {"prospect": 0, "mature": 1000}, 3)
    assert found.loc[found["stage"] == "prospect", "high"].eq(0).all()


class TestBackTest:
    @pytest.fixture(scope="class")
    def months(self):
        rules = stages.StageRules.load().move(trade_gap_days=8)
        book = datasets.load("complete_journey").transactions
        return [
            stages.assign(book, as_of=day, rules=rules) for day in pd.date_range("2017-07-31", periods=6, freq="ME")
        ]

    def test_it_learns_nothing_from_what_came_later(self, months):
        shown = stages.back_test(months, learn=4)
        other = stages.back_test([*months[:4], months[0].assign(), months[5]][:4] + months[4:], learn=4)
        pd.testing.assert_frame_equal(shown, other)
        matrix = stages.transitions(*months[:4])
        alone = stages.forecast(matrix, months[3]["stage"].value_counts(), 2)
        pd.testing.assert_frame_equal(shown[alone.columns.tolist()], alone)

    def test_what_came_and_the_baseline_are_counted(self, months):
        shown = stages.back_test(months, learn=4)
        for row in shown.itertuples():
            assert row.came == (months[3 + row.period]["stage"] == row.stage).sum()
            assert row.unchanged == (months[3]["stage"] == row.stage).sum()
            assert row.as_of == months[3 + row.period].attrs["as_of"]
        assert shown.attrs["error"] == pytest.approx((shown["customers"] - shown["came"]).abs().mean())
        assert shown.attrs["coverage"] == shown["inside"].mean()
        better = shown.attrs["error"] < shown.attrs["error_unchanged"]
        assert ("no better than" in shown.attrs["verdict"]) == (not better)

    @pytest.mark.parametrize("learn", [0, 1, 6, 7])
    def test_nothing_to_learn_from_or_to_test_on(self, months, learn):
        with pytest.raises(InputError, match="learn from 2 at least"):
            stages.back_test(months, learn=learn)

    def test_the_note_tells_a_moved_yardstick(self, months):
        assert "the same gap of the trade" in stages.transitions(*months[:2]).attrs["note"]
        book = datasets.load("complete_journey").transactions
        own = [stages.assign(book, as_of=day) for day in ("2017-11-30", "2017-12-31")]
        assert "trade_gap_days" in stages.transitions(*own).attrs["note"]


class TestBadInput:
    COUNTS = pd.DataFrame([[3, 1], [0, 4]], index=["mature", "lost"], columns=["mature", "lost"])

    def test_tables_out_of_order(self):
        with pytest.raises(InputError, match="pass the earlier table first"):
            stages.transitions(table({1: "new"}, "2026-02-01"), table({1: "new"}, "2026-01-01"))

    def test_periods_of_unequal_length(self):
        tables = [table({1: "new"}, day) for day in ("2026-01-31", "2026-02-28", "2026-06-30")]
        with pytest.raises(InputError, match="28 to 122 days"):
            stages.transitions(*tables)

    def test_a_table_without_stages(self):
        with pytest.raises(InputError, match=r"a table of stages\.assign. has no column 'stage'"):
            stages.transitions(pd.DataFrame({"segment": ["x"]}), table({1: "new"}))
        with pytest.raises(InputError, match="1 customers stand there twice"):
            stages.transitions(pd.concat([table({1: "new"})] * 2), table({1: "new"}))

    @pytest.mark.parametrize(
        ("mix", "words"),
        [
            ({"mature": 1, "gone": 2}, "the mix has 'gone', which the matrix does not know"),
            ({"mature": 0.5, "lost": 0.5}, "must be numbers of customers"),
            ({"mature": -1}, "must be numbers of customers"),
            ({}, "must be numbers of customers"),
        ],
    )
    def test_a_mix_that_is_none(self, mix, words):
        with pytest.raises(InputError, match=words):
            stages.forecast(self.COUNTS, mix, 1)

    @pytest.mark.parametrize(
        "options", [{"periods": 0}, {"periods": 1.5}, {"periods": 1, "draws": 5}, {"periods": 1, "level": 1}]
    )
    def test_options(self, options):
        with pytest.raises(InputError, match=r"periods|draws|level"):
            stages.forecast(self.COUNTS, {"mature": 1}, **options)

    def test_shares_instead_of_counts(self):
        with pytest.raises(InputError, match="pass counts, not shares"):
            stages.forecast(self.COUNTS / 4, {"mature": 1}, 1)
        with pytest.raises(KindError, match=r"a matrix from stages\.transitions"):
            stages.probabilities([[1]])

    def test_a_stage_nobody_was_seen_in(self):
        counts = pd.DataFrame([[3, 1], [0, 0]], index=["mature", "lost"], columns=["mature", "lost"])
        with pytest.raises(InputError, match="leave or stay in 'lost'"):
            stages.forecast(counts, {"mature": 5}, 1)  # reached from "mature"
        with pytest.raises(InputError, match="leave or stay in 'lost'"):
            stages.forecast(counts, {"lost": 5}, 1)
        closed = pd.DataFrame([[4, 0], [0, 0]], index=["mature", "lost"], columns=["mature", "lost"])
        assert stages.forecast(closed, {"mature": 5}, 1)["customers"].tolist() == [5, 0]
