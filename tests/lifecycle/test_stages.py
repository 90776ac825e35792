"""The six stages against a plain reading of their rules, at their edges, and where input is bad."""

import datetime
import statistics

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from crmkit import datasets
from crmkit.errors import ColumnError, InputError, KindError
from crmkit.lifecycle import stages
from crmkit.lifecycle.stage_rules import STAGES
from crmkit.tables import Transactions

DAY0 = pd.Timestamp("2026-01-01")
RULES = stages.StageRules.load()


def orders(bought: dict) -> Transactions:
    """Customer → days (counted from 2026-01-01) with a purchase of 10."""
    rows = [(name, DAY0 + pd.Timedelta(days=day), 10.0) for name, days in bought.items() for day in days]
    return Transactions.read(pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"]))


def on(day: int) -> datetime.date:
    return (DAY0 + pd.Timedelta(days=day)).date()


def plain_reading(bought: dict, day: int, trade_gap: float) -> dict[str, str]:
    """The shipped rules written out by hand, one customer after the other."""
    window, found = max(1, round(3 * trade_gap)), {}
    for name, days in bought.items():
        days = sorted({each for each in days if each <= day})
        if not days:
            continue
        gap = max(7, (days[-1] - days[0] + 2 * trade_gap) / (len(days) - 1 + 2))
        silence, age = (day - days[-1]) / gap, (day - days[0]) / window
        recent = len([each for each in days if day - window < each <= day])
        earlier = len([each for each in days if day - 2 * window < each <= day - window])
        both = recent + earlier
        chance = binom.cdf(min(recent, earlier), both, 0.5)
        if silence > 6:
            found[name] = "lost"
        elif silence > 3:
            found[name] = "decline"
        elif len(days) == 1:
            found[name] = "new"
        elif age < 2 or (both and chance <= 0.1 and recent >= 2 * earlier):
            found[name] = "growth"
        elif both and chance <= 0.1 and recent <= 0.5 * earlier:
            found[name] = "decline"
        else:
            found[name] = "mature"
    return found


def book(seed: int, customers: int = 120) -> dict[str, list[int]]:
    """Customers of every kind: rare and frequent, early and late, gone and back, and many with only one purchase."""
    random, bought = np.random.default_rng(seed), {}
    for number in range(customers):
        count = int(random.choice([1, 1, 2, 3, 6, 25]))
        low, high = sorted(random.integers(0, 300, 2))
        bought[f"C{number}"] = random.integers(low, high + 1, count).tolist()
    return {**bought, "first": [0], "last": [300]}  # no as_of lies outside the table


seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=10, deadline=None)
@given(seeds, st.integers(0, 300), st.sampled_from([3.0, 10.0, 20.0, 45.0]))
@example(1, 300, 10.0)
def test_the_stages_are_those_of_a_plain_reading(seed, day, trade_gap):
    bought = book(seed)
    found = stages.assign(orders(bought), as_of=on(day), rules=RULES.move(trade_gap_days=trade_gap))
    assert found["stage"].to_dict() == plain_reading(bought, day, trade_gap)
    assert found.index.is_unique
    assert found.index.is_monotonic_increasing
    assert set(found["stage"].cat.categories) == set(STAGES)


def test_the_books_of_these_tests_hold_every_stage_of_a_buyer():
    found = stages.assign(orders(book(1)), as_of=on(300), rules=RULES.move(trade_gap_days=10))
    assert set(found["stage"]) == {*STAGES} - {"prospect"}


@settings(max_examples=4, deadline=None)
@given(seeds)
def test_order_of_rows_and_names_of_customers_change_nothing(seed):
    rows = [(name, DAY0 + pd.Timedelta(days=day), 10.0) for name, days in book(seed).items() for day in days]
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])
    shuffled = frame.sample(frac=1, random_state=seed)
    first, second = (stages.assign(Transactions.read(each), as_of=on(300)) for each in (frame, shuffled))
    pd.testing.assert_frame_equal(first, second)


@settings(max_examples=4, deadline=None)
@given(seeds)
def test_equal_customers_get_equal_stages(seed):
    bought = book(seed)
    twins = {f"{name}{twin}": days for name, days in bought.items() for twin in "ab"}
    found = stages.assign(orders(twins), as_of=on(300))
    one, other = (found[found.index.str.endswith(twin)] for twin in "ab")
    pd.testing.assert_frame_equal(one.reset_index(drop=True), other.reset_index(drop=True))


facts = st.fixed_dictionaries(
    {
        "purchases": st.integers(0, 400),
        "lately": st.integers(0, 100),
        "age": st.floats(0, 50),
        "silence": st.floats(0, 50),
        "trend": st.floats(0, 100) | st.just(np.inf),
        "chance": st.floats(0, 1),
    }
)
numbers = st.fixed_dictionaries(
    {
        "slow_after": st.floats(0, 10),
        "lost_after": st.floats(0, 10),
        "mature_from": st.floats(0, 5),
        "growing_from": st.floats(0, 5),
        "shrinking_to": st.floats(0, 5),
        "chance_up_to": st.floats(0, 1),
    }
)


@settings(max_examples=100, deadline=None)
@given(numbers, facts)
def test_whatever_the_thresholds_rules_that_are_accepted_fit_every_customer_exactly_once(thresholds, customer):
    try:
        rules = RULES.move(**thresholds)
    except InputError:
        crossed = thresholds["slow_after"] > thresholds["lost_after"]
        assert crossed or thresholds["shrinking_to"] >= thresholds["growing_from"]
        return
    assert rules.fits({name: np.array([value]) for name, value in customer.items()}).sum() == 1
    assert thresholds["slow_after"] <= thresholds["lost_after"]
    assert thresholds["shrinking_to"] < thresholds["growing_from"]


@pytest.mark.parametrize("threshold", RULES.thresholds)
def test_a_customer_exactly_on_a_threshold_fits_one_rule(threshold):
    grid = {
        fact: np.array([0.0, 1.0, 2.0, RULES.thresholds[threshold]])
        for fact in ("purchases", "lately", "age", "silence", "trend", "chance")
    }
    combined = np.array(np.meshgrid(*grid.values())).reshape(len(grid), -1)
    combined[:2] = np.round(combined[:2])
    assert (RULES.fits(dict(zip(grid, combined, strict=True))).sum(axis=0) == 1).all()


def test_facts_by_hand():
    """Ann: days 0, 10, 40 and the trade's gap is 20, so (40 + 2·20) / (2 + 2) = 20; at day 100 silent for 60 = 3 gaps."""
    bought = {"ann": [0, 10, 40], "last": [100]}
    by_hand = RULES.move(trade_gap_days=20, window_gaps=6)
    ann = stages.assign(orders(bought), as_of=on(100), rules=by_hand).loc["ann"]
    assert (ann["gap_days"], ann["silence"], ann["silence_days"], ann["purchases"]) == (20, 3, 60, 3)
    assert ann["stage"] == "growth"  # up to 3 gaps is not silent yet; 100 days are less than two windows of 120
    assert ann["spend"] == 30
    assert ann["reason"] == "has come back: 3 purchases in the 100 days since the first"


def test_the_gap_of_the_trade_is_the_median_of_mean_gaps():
    bought = {"a": [0, 10], "b": [0, 20, 40], "c": [0, 30, 60, 120], "once": [5], "last": [60, 120]}
    found = stages.assign(orders(bought), as_of=on(120))
    assert found.attrs["numbers"]["trade_gap_days"] == statistics.median([10, 20, 40, 60])
    assert found.attrs["window_days"] == 90


def test_a_purchase_is_a_day_and_a_refund_is_none():
    rows = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "b"],
            "ordered_at": ["2026-01-01 09:00", "2026-01-01 17:00", "2026-01-20", "2026-01-25"],
            "amount": [10.0, 5.0, -5.0, 1.0],
        }
    )
    found = stages.assign(Transactions.read(rows), as_of="2026-01-25", rules=RULES.move(trade_gap_days=10))
    assert (found.loc["a", "purchases"], found.loc["a", "silence_days"], found.loc["a", "spend"]) == (1, 24, 10)


def test_later_rows_are_not_looked_at():
    bought = {"a": [0, 10, 20, 200], "b": [5, 150], "c": [180]}
    cut = {"a": [0, 10, 20], "b": [5], "z": [30]}
    rules = RULES.move(trade_gap_days=10)
    later = stages.assign(orders({**bought, "z": [30]}), as_of=on(30), rules=rules)
    pd.testing.assert_frame_equal(later, stages.assign(orders(cut), as_of=on(30), rules=rules))


BOOK = {"a": [10, 20, 30], "b": [50]}
EVERY_TEN = RULES.move(trade_gap_days=10)


class TestProspects:
    def test_before_the_first_order_one_is_a_prospect_or_absent(self):
        found = stages.assign(orders(BOOK), as_of=on(30), rules=EVERY_TEN, prospects=["b", "c"])
        assert found["stage"].to_dict() == {"a": "growth", "b": "prospect", "c": "prospect"}
        assert found.loc["c", "reason"] == "registered, has not bought yet"
        assert (found.loc["c", "purchases"], found.loc["c", "spend"]) == (0, 0)
        assert found.loc["c", ["first_order", "silence", "age_days"]].isna().all()
        assert "b" not in stages.assign(orders(BOOK), as_of=on(30), rules=EVERY_TEN).index

    def test_who_registers_later_is_absent(self):
        table = pd.DataFrame({"customer_id": ["c", "d", "e"], "registered_on": [on(0), on(31), None]})
        found = stages.assign(orders(BOOK), as_of=on(30), rules=EVERY_TEN, prospects=table)
        assert set(found.index) == {"a", "c", "e"}
        on_the_day = stages.assign(orders(BOOK), as_of=on(31), rules=EVERY_TEN, prospects=table)
        assert "d" in on_the_day.index

    def test_before_any_order_all_are_prospects(self):
        found = stages.assign(orders(BOOK), as_of=on(-5), prospects=pd.Index(["a", "b"]))
        assert found["stage"].tolist() == ["prospect", "prospect"]
        assert stages.tasks(found).loc["prospect", "customers"] == 2

    @pytest.mark.parametrize(
        ("prospects", "error", "words"),
        [
            ("abc", KindError, "ids or a table"),
            (7, KindError, "ids or a table"),
            (["c", "c"], InputError, "1 ids stand there twice, such as 'c'"),
            (["c", None], InputError, "1 rows without"),
            (pd.DataFrame({"id": ["c"]}), ColumnError, "no column 'customer_id'"),
            ([1, 2], InputError, "text or both as numbers"),
        ],
    )
    def test_bad_lists(self, prospects, error, words):
        with pytest.raises(error, match=words):
            stages.assign(orders(BOOK), as_of=on(30), rules=EVERY_TEN, prospects=prospects)


class TestBadInput:
    def test_one_customer(self):
        found = stages.assign(orders({"a": [0, 10, 20]}), as_of=on(20))
        assert found["stage"].to_dict() == {"a": "growth"}

    def test_nobody_buys_twice(self):
        told = orders({"a": [0], "b": [4]})
        with pytest.raises(InputError, match=r"none of the 2 customers bought on two days.*trade_gap_days"):
            stages.assign(told, as_of=on(4))
        found = stages.assign(told, as_of=on(4), rules=RULES.move(trade_gap_days=90))
        assert found["stage"].tolist() == ["new", "new"]

    def test_as_of_outside(self):
        told = orders({"a": [0, 10], "b": [5, 15]})
        with pytest.raises(InputError, match="before the first row"):
            stages.assign(told, as_of=on(-1))
        with pytest.raises(InputError, match=r"30 days after the last row \(2026-01-16\)"):
            stages.assign(told, as_of=on(45))
        assert len(stages.assign(told, as_of=on(20))) == 2  # a quiet week at the end is no error

    @pytest.mark.parametrize("as_of", ["soon", 20260131, None])
    def test_as_of_that_is_no_day(self, as_of):
        with pytest.raises((InputError, KindError), match="as_of"):
            stages.assign(orders({"a": [0, 10]}), as_of=as_of)

    def test_a_frame_is_no_order_book(self):
        with pytest.raises(KindError, match="checked transactions, not DataFrame"):
            stages.assign(pd.DataFrame(), as_of="2026-01-01")

    def test_a_short_table_says_what_it_cannot_tell(self):
        found = stages.assign(orders({"a": [0, 10, 20], "b": [3, 30]}), as_of=on(30))
        assert "begins only 30 days before" in found.attrs["note"]

    def test_inputs_stay_as_they_are(self):
        table = pd.DataFrame({"customer_id": ["c"], "registered_on": [on(0)]})
        before = table.copy()
        found = stages.assign(orders({"a": [0, 10]}), as_of=on(10), prospects=table)
        kept = found.copy()
        stages.reassign(found, RULES.move(lost_after=4))
        stages.tasks(found)
        pd.testing.assert_frame_equal(table, before)
        pd.testing.assert_frame_equal(found, kept)


def changed(**changes):
    """The shipped rules as a mapping, one rule changed by its number: {2: {"silence": "> 1"}}."""
    rules = [{name: text for name, text in row.items() if text} for row in RULES.table.to_dict("records")]
    content = {"name": "own", "measures": dict(RULES.measures), "thresholds": dict(RULES.thresholds), "rule": rules}
    content |= {name: value for name, value in changes.items() if name != "rules"}
    for number, fields in changes.get("rules", {}).items():
        rules[number - 1] |= fields
    return content


class TestRules:
    def test_the_shipped_rules_and_the_sources_table(self):
        assert RULES.tasks["phase"].to_dict() == {
            "prospect": "acquisition",
            "new": "acquisition",
            "growth": "retention",
            "mature": "retention",
            "decline": "churn",
            "lost": "churn",
        }
        assert RULES.tasks["task"].str.len().min() > 20

    def test_rules_of_your_own_from_a_file(self, tmp_path):
        path = tmp_path / "ours.toml"
        path.write_text(
            'name = "days"\n[measures]\nwindow_gaps = 1\nborrowed_gaps = 0\nleast_gap_days = 1\ntrade_gap_days = 30\n'
            + "".join(
                f'[[rule]]\nstage = "{stage}"\npurchases = "{purchases}"\n'
                + (f'silence_days = "{silence}"\n' if silence else "")
                for stage, purchases, silence in [
                    ("prospect", "0", ""),
                    ("new", "1", "<= 60"),
                    ("growth", "2", "<= 60"),
                    ("mature", "> 2", "<= 60"),
                    ("decline", "> 0", "> 60, <= 120"),
                    ("lost", ">= 1", "> 120"),
                ]
            )
        )
        told = orders({"a": [0], "b": [0, 100], "c": [0, 50, 100], "d": [100], "e": [10, 130]})
        found = stages.assign(told, as_of=on(130), rules=path)
        assert found["stage"].tolist() == ["lost", "growth", "mature", "new", "growth"]

    @pytest.mark.parametrize(
        ("rules", "words"),
        [
            (changed(rules={8: {"silence": "<= lost_after"}}), r"rules .*\(decline\) overlap|rules .* overlap"),
            (changed(rules={2: {"silence": "< slow_after"}}), "no rule fits a customer with .*silence 3"),
            (changed(rules={2: {"silence": "< slow_aftr"}}), "no threshold 'slow_aftr'. Did you mean 'slow_after'"),
            (changed(rules={2: {"silense": "< 3"}}), "'silense' is not known; use .*Did you mean 'silence'"),
            (changed(rules={2: {"stage": "newish"}}), "stage='newish' is not known; use 'prospect'"),
            (changed(rules={2: {"silence": "about 3"}}), "'about 3' is not a condition"),
            (changed(rules={2: {"silence": "__import__('os')"}}), "is not a condition"),
            (changed(rules={2: {"why": "{silence.__class__}"}}), "silence.__class__. is not known"),
            (changed(thresholds=RULES.thresholds | {"spare": 3}), "no rule uses the threshold 'spare'"),
            (
                changed(thresholds=RULES.thresholds | {"slow_after": -1}),
                "slow_after must be a number from 0 on, not -1",
            ),
            (changed(thresholds=RULES.thresholds | {"slow_after": "3"}), "must be a number"),
            (changed(measures={"window_gaps": 6}), "'borrowed_gaps' is missing"),
            (changed(measures=RULES.measures | {"window": 6}), "'window' is not known. *use|'window' is not known"),
            (changed(measures=RULES.measures | {"window_gaps": 0}), "more than 0"),
            (changed(rule=[]), "has no rules"),
            (changed(rule=[{"stage": "lost"}]), "no rule leads to prospect or new"),
            (changed(rule2=[]), "'rule2' is not known; use .*Did you mean 'rule'"),
            (changed(stage={"lots": {}}), "'lots' is not known; use 'prospect'"),
            (changed(stage={"lost": {"phase": "end"}}), "'end' is not one of"),
            ("six_stage", "Did you mean 'six_stages'"),
        ],
    )
    def test_what_is_refused(self, rules, words):
        with pytest.raises(InputError, match=words):
            stages.StageRules.load(rules)

    def test_the_overlap_names_both_rules(self):
        with pytest.raises(
            InputError,
            match=r"rules 2 \(new\) and \d+ \(decline\) overlap: both fit a customer with purchases 1, silence",
        ):
            stages.StageRules.load(changed(rules={2: {"silence": "<= lost_after"}}))

    def test_thresholds_that_cross_are_refused(self):
        with pytest.raises(InputError, match="overlap"):
            RULES.move(slow_after=7)

    def test_an_unknown_number_is_refused(self):
        with pytest.raises(InputError, match=r"'lost_aftr' is not known; use .*Did you mean 'lost_after'"):
            RULES.move(lost_aftr=7)

    def test_a_broken_file(self, tmp_path):
        (tmp_path / "x.toml").write_text("= 3")
        with pytest.raises(InputError, match="not TOML"):
            stages.StageRules.load(tmp_path / "x.toml")
        with pytest.raises(KindError, match="not int"):
            stages.StageRules.load(3)


class TestReassign:
    @pytest.fixture(scope="class")
    def year_end(self):
        return stages.assign(datasets.load("complete_journey").transactions, as_of="2017-12-31")

    def test_it_is_what_assign_would_have_said(self, year_end):
        rules = RULES.move(lost_after=4, slow_after=2.5, growing_from=1.5)
        journey = datasets.load("complete_journey").transactions
        pd.testing.assert_frame_equal(
            stages.reassign(year_end, rules), stages.assign(journey, as_of="2017-12-31", rules=rules)
        )

    def test_moving_the_last_threshold_moves_only_between_decline_and_lost(self, year_end):
        moved = stages.transitions(year_end, stages.reassign(year_end, RULES.move(lost_after=4)))
        changed = {pair: number for pair, number in moved.stack().items() if number and pair[0] != pair[1]}
        between = ((year_end["silence"] > 4) & (year_end["silence"] <= 6)).sum()
        assert changed == {("decline", "lost"): between}
        assert between > 10

    def test_a_measure_needs_the_order_book(self, year_end):
        with pytest.raises(InputError, match="window_gaps was 3 and is 8: that changes the facts; call assign"):
            stages.reassign(year_end, RULES.move(window_gaps=8))

    def test_a_table_without_attrs(self, year_end):
        bare = year_end.copy()
        bare.attrs = {}
        with pytest.raises(InputError, match="lost its attrs"):
            stages.reassign(bare, "six_stages")
        with pytest.raises(ColumnError, match="'stage'"):
            stages.tasks(year_end.drop(columns="stage"))

    def test_tasks_add_up(self, year_end):
        table = stages.tasks(year_end)
        assert table.index.tolist() == list(STAGES)
        assert table["customers"].sum() == len(year_end) == 2469
        assert table["spend"].sum() == pytest.approx(year_end["spend"].sum())
        assert table["share_of_spend"].sum() == pytest.approx(1)
        assert table.columns.tolist() == [
            "phase",
            "customers",
            "share_of_customers",
            "spend",
            "share_of_spend",
            "sign",
            "task",
        ]


def test_chance_alone_declares_few_steady_customers_growing_or_declining():
    """4,000 customers who buy at a steady rate, six times a window: the binomial condition keeps both errors small.

    Closed form: trend alone is ≤ 1/2 for P(R ≤ E/2) with R, E ~ Poisson(6), 15.6 %; with chance ≤ 0.1 it is 5.8 %.
    """
    rng = np.random.default_rng(5)
    steady_book = {f"C{number}": np.flatnonzero(rng.random(400) < 0.1).tolist() or [0] for number in range(4000)}
    found = stages.assign(orders(steady_book), as_of=on(399), rules=RULES.move(trade_gap_days=10, window_gaps=6))
    steady = found[(found["silence"] <= 3) & (found["age"] >= 2)]
    alone = (steady["trend"] <= 0.5).mean()
    assert 0.10 < alone < 0.17
    assert (steady["stage"] == "decline").mean() < 0.065
    assert (steady["stage"] == "growth").mean() < 0.065
    assert steady["stage"].isin(["growth", "mature", "decline"]).all()
