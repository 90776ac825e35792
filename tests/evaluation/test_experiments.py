"""Experiments: sizes against R and statsmodels, lots by their promises, effects against other implementations and truth."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.power import NormalIndPower, TTestIndPower
from statsmodels.stats.proportion import confint_proportions_2indep, power_proportions_2indep
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from crmkit.errors import ColumnError, InputError, KindError
from crmkit.evaluation import experiments
from crmkit.evaluation.actions import smallest_visible_effect

# --- how many customers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "effect", "power", "level", "each"),
    [
        # R's help page of power.prop.test: p1 = .50, p2 = .75, power = .90 gives n = 76.7;
        # n = 50, p1 = .50, power = .90 gives p2 = 0.8026, which is somewhere in 0.80255 … 0.80265
        (0.50, 0.25, 0.90, 0.05, 77),
        (0.50, 0.30255, 0.90, 0.05, 51),
        (0.50, 0.30265, 0.90, 0.05, 50),
    ],
)
def test_sizes_are_the_published_ones(rate, effect, power, level, each):
    assert experiments.sample_size(effect, rate=rate, power=power, level=level) == (each, each)


@given(
    rate=st.floats(0.01, 0.9),
    effect=st.floats(0.02, 0.3),
    control_share=st.floats(0.1, 0.9),
    power=st.sampled_from([0.7, 0.8, 0.9]),
)
@settings(max_examples=60, deadline=None)
def test_size_is_the_other_way_round_of_the_smallest_visible_effect(rate, effect, control_share, power):
    effect = min(effect, 1 - rate)
    size = experiments.sample_size(effect, rate=rate, control_share=control_share, power=power)
    assert smallest_visible_effect(*size, rate, power=power) <= effect * (1 + 1e-6)
    fewer = [max(math.floor(number * 0.97) - 1, 1) for number in size]
    assert smallest_visible_effect(*fewer, rate, power=power) > effect


@pytest.mark.parametrize("control_share", [0.5, 0.2, 0.8])
def test_that_many_customers_have_the_power_that_statsmodels_computes(control_share):
    contacted, held_out = experiments.sample_size(0.04, rate=0.1, control_share=control_share)
    power = power_proportions_2indep(0.04, 0.1, contacted, ratio=held_out / contacted, return_results=False)
    assert power == pytest.approx(0.8, abs=0.005)
    assert contacted / (contacted + held_out) == pytest.approx(1 - control_share, abs=0.002)


def test_a_fall_needs_as_many_as_the_rise_seen_from_the_other_side():
    assert experiments.sample_size(-0.05, rate=0.20) == experiments.sample_size(0.05, rate=0.80)


@pytest.mark.parametrize("control_share", [0.5, 0.25])
def test_sizes_for_means_are_those_of_statsmodels(control_share):
    contacted, held_out = experiments.sample_size(5, sd=40, control_share=control_share, power=0.9)
    ratio = control_share / (1 - control_share)  # statsmodels: second group to first
    first = NormalIndPower().solve_power(5 / 40, alpha=0.05, power=0.9, ratio=ratio)
    assert (contacted, held_out) == (math.ceil(first), math.ceil(first * ratio))
    by_t = TTestIndPower().solve_power(5 / 40, alpha=0.05, power=0.9, ratio=ratio)
    assert contacted == pytest.approx(by_t, rel=0.01)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"effect": 0.05}, "either rate= .* or sd="),
        ({"effect": 0.05, "rate": 0.1, "sd": 3}, "either rate= .* or sd="),
        ({"effect": 0, "rate": 0.1}, "effect=0"),
        ({"effect": 0.5, "rate": 0.7}, "1.2"),
        ({"effect": 0.05, "rate": 0.1, "control_share": 1}, "control_share=1"),
        ({"effect": 0.05, "rate": 0.1, "power": 0.03}, "larger than level"),
        ({"effect": 5, "sd": -1}, "sd=-1"),
        ({"effect": math.nan, "rate": 0.1}, "effect=nan"),
    ],
)
def test_a_size_that_cannot_be_computed_says_why(wrong, says):
    with pytest.raises(InputError, match=says):
        experiments.sample_size(**wrong)


# --- by lot -----------------------------------------------------------------------------------------------------------


@given(
    number=st.integers(1, 120),
    share=st.floats(0.02, 0.98),
    seed=st.integers(0, 10_000),
    shuffle=st.randoms(use_true_random=False),
)
@settings(max_examples=80, deadline=None)
def test_the_lot_keeps_its_share_in_every_stratum_and_does_not_know_the_order_of_rows(number, share, seed, shuffle):
    ids = [f"C{i:03d}" for i in range(number)]
    strata = pd.Series([("north", "south", "west")[i % 3] for i in range(number)], index=ids)
    groups = experiments.assign(ids, control_share=share, strata=strata, seed=seed)
    for label in strata.unique():
        members = groups[strata == label]
        assert abs((members == "control").sum() - share * len(members)) < 1 + 1e-9
    assert abs((groups == "control").sum() - share * number) < 1 + 1e-9
    mixed = list(ids)
    shuffle.shuffle(mixed)
    again = experiments.assign(mixed, control_share=share, strata=strata, seed=seed)
    assert again.index.to_list() == mixed
    assert again.reindex(ids).equals(groups)


def test_every_customer_has_the_same_chance():
    ids = [f"C{i}" for i in range(7)]
    strata = pd.Series(["a"] * 2 + ["b"] * 5, index=ids)
    times = sum((experiments.assign(ids, control_share=0.3, strata=strata, seed=s) == "control") for s in range(800))
    assert times.to_numpy() / 800 == pytest.approx(np.full(7, 0.3), abs=0.06)


def test_a_frame_and_a_column_of_it_do_as_well():
    table = pd.DataFrame({"customer_id": ["a", "b", "c", "d"], "region": ["n", "n", "s", "s"]})
    groups = experiments.assign(table, strata="region")
    assert groups.groupby(table.set_index("customer_id")["region"]).value_counts().to_list() == [1, 1, 1, 1]
    assert list(table.columns) == ["customer_id", "region"]


def test_bad_lists_are_refused():
    with pytest.raises(InputError, match="2 customers stand there twice, such as 'a'"):
        experiments.assign(["a", "a", "a", "b"])
    with pytest.raises(InputError, match="1 customers have none, such as 'b'"):
        experiments.assign(["a", "b"], strata=pd.Series(["n"], index=["a"]))
    with pytest.raises(ColumnError, match="Did you mean 'region'"):
        experiments.assign(pd.DataFrame({"region": ["n"]}, index=["a"]), strata="regio")
    with pytest.raises(KindError, match="strata"):
        experiments.assign(["a"], strata=["n"])
    with pytest.raises(InputError, match="control_share=0"):
        experiments.assign(["a"], control_share=0)


# --- reading out ------------------------------------------------------------------------------------------------------


def campaign(responses, contacted, background, held_out):
    return pd.DataFrame(
        {
            "group": ["contact"] * contacted + ["control"] * held_out,
            "bought": [i < responses for i in range(contacted)] + [i < background for i in range(held_out)],
        }
    )


@pytest.mark.parametrize("counts", [(50, 200, 30, 200), (7, 33, 1, 40), (0, 20, 0, 30), (12, 12, 3, 60)])
def test_a_difference_of_shares_is_newcombes(counts):
    effect = experiments.read_out(campaign(*counts), "bought", design="randomised")
    low, high = confint_proportions_2indep(*counts, method="newcomb")
    assert (effect.low, effect.high) == pytest.approx((low, high), abs=1e-9)
    assert effect.estimate == pytest.approx(counts[0] / counts[1] - counts[2] / counts[3])


def test_newcombes_own_example():
    """Newcombe (1998), table II, contrast (a): 56/70 against 48/80, method 10: 0.0524 to 0.3339."""
    effect = experiments.read_out(campaign(56, 70, 48, 80), "bought", design="randomised")
    assert (round(effect.low, 4), round(effect.high, 4)) == (0.0524, 0.3339)


def test_a_difference_of_means_is_welchs():
    random = np.random.default_rng(1)
    spend = np.concatenate([random.gamma(1, 40, 90), random.gamma(1, 30, 50)])
    table = pd.DataFrame({"arm": ["letter"] * 90 + ["control"] * 50, "spend": spend})
    effect = experiments.read_out(table, "spend", design="randomised", group="arm", level=0.9)
    peer = CompareMeans(DescrStatsW(spend[:90]), DescrStatsW(spend[90:])).tconfint_diff(0.1, usevar="unequal")
    assert (effect.low, effect.high) == pytest.approx(peer)
    assert effect.kind == "mean"


def test_intervals_hold_what_they_promise_on_simulated_truth():
    """True effect 0.05 on 0.12: about 95 of 100 intervals contain it (800 campaigns, so within 2 points)."""
    random, inside = np.random.default_rng(7), 0
    for _ in range(800):
        counts = (random.binomial(150, 0.17), 150, random.binomial(90, 0.12), 90)
        effect = experiments.read_out(campaign(*counts), "bought", design="randomised")
        inside += effect.low <= 0.05 <= effect.high
    assert inside / 800 == pytest.approx(0.95, abs=0.02)


def test_the_design_is_told_with_its_limits():
    for design, word in (("randomised", "chance alone"), ("naive", "Nobody drew lots")):
        effect = experiments.read_out(campaign(50, 200, 30, 200), "bought", design=design)
        assert effect.design == design
        assert word in effect.limits
        told = " ".join(str(effect).split())
        assert f"Design: {design}. {effect.limits}" in told
    assert effect.shows
    assert max(map(len, str(effect).splitlines())) <= 110
    assert "no effect shows" in str(experiments.read_out(campaign(5, 20, 4, 20), "bought", design="naive"))


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (lambda t: t.assign(bought=None), KindError, "bought"),
        (lambda t: t.assign(bought=np.where(t.index < 3, np.nan, 1.0)), InputError, "missing for 3 of 40"),
        (lambda t: t.assign(group="contact"), InputError, '"control" and one other value'),
        (lambda t: t.assign(group=["a", "b"] * 20), InputError, '"control" and one other value'),
        (lambda t: t.assign(group=["contact", "control", "Control", None] * 10), InputError, "10 are missing"),
        (lambda t: t.rename(columns={"bought": "buoght"}), ColumnError, "Did you mean 'buoght'"),
        (lambda t: t.assign(bought=7), InputError, "no spread"),
        (lambda t: t.assign(bought=["yes", "no"] * 20), KindError, "True/False"),
    ],
)
def test_what_cannot_be_read_out_says_why(change, error, says):
    with pytest.raises(error, match=says):
        experiments.read_out(change(campaign(5, 20, 4, 20)), "bought", design="randomised")


def test_the_design_is_never_guessed():
    with pytest.raises(InputError, match="if lots decided"):
        experiments.read_out(campaign(5, 20, 4, 20), "bought", design="A/B")


# --- segment by segment -----------------------------------------------------------------------------------------------


def test_a_segment_whose_money_has_no_spread_does_not_stop_the_others():
    """Nobody in the south bought anything: its effect cannot be given an interval, that of the north can."""
    table = pd.DataFrame(
        {
            "group": ["contact", "control"] * 20,
            "spend": [5.0, 3.0, 7.0, 1.0] * 5 + [0.0] * 20,
            "region": ["north"] * 20 + ["south"] * 20,
        }
    )
    found = experiments.uplift(table, "spend", "region", design="randomised")
    assert found.loc["north", "effect"] == 4
    assert found.loc["south", ["effect", "low", "high_all"]].isna().all()
    assert found.loc["south", "contacted"] == 10


def test_uplift_is_the_read_out_of_each_segment_and_the_joint_interval_is_bonferronis():
    random = np.random.default_rng(3)
    table = campaign(90, 300, 40, 200).assign(region=random.choice(["n", "s", "w"], 500))
    segments = experiments.uplift(table, "bought", "region", design="randomised")
    alone = experiments.read_out(table[table["region"] == "s"], "bought", design="randomised")
    wider = experiments.read_out(table[table["region"] == "s"], "bought", design="randomised", level=1 - 0.05 / 3)
    south = segments.loc["s"]
    assert tuple(south[["effect", "low", "high"]]) == (alone.estimate, alone.low, alone.high)
    assert tuple(south[["low_all", "high_all"]]) == (wider.low, wider.high)
    assert segments[["contacted", "held_out"]].sum().to_list() == [300, 200]
    weighted = (segments["contact"] * segments["contacted"]).sum() / 300
    assert weighted == pytest.approx(0.3)
    assert "14 %" in segments.attrs["warning"]  # 1 - .95^3
    assert segments.attrs["design"] == "randomised"


def test_a_segment_without_a_control_group_has_no_effect():
    table = campaign(5, 20, 4, 20).assign(region=["n"] * 10 + ["s"] * 30)
    segments = experiments.uplift(table, "bought", "region", design="randomised")
    assert segments.loc["n", ["contacted", "held_out"]].to_list() == [10, 0]
    assert segments.loc["n", ["effect", "low", "high", "low_all"]].isna().all()
    with pytest.raises(InputError, match="missing for all"):
        experiments.uplift(table.assign(region=None), "bought", "region", design="randomised")


# --- money ------------------------------------------------------------------------------------------------------------


def test_profit_by_hand():
    """200 contacts at 3: naive 50 × 20 − 600 = 400; incremental (0.25 − 0.15) × 200 × 20 − 600 = −200."""
    effect = experiments.read_out(campaign(50, 200, 30, 200), "bought", design="randomised")
    table = experiments.profit(effect, margin=20, cost=3)
    assert table["profit"].to_list() == pytest.approx([400, -200])
    assert table["roi"].to_list() == pytest.approx([400 / 600, -1 / 3])
    assert table.loc["incremental", "profit_low"] == pytest.approx(effect.low * 200 * 20 - 600)
    assert table.loc["naive", ["profit_low", "roi_high"]].isna().all()
    assert table.attrs["design"] == "randomised"
    assert experiments.profit(effect, margin=20, cost=0)["roi"].isna().all()
    assert experiments.profit(effect, margin=20, cost=3, contacts=100)["cost"].to_list() == [300, 300]


@pytest.mark.parametrize("wrong", [{"margin": 20, "cost": -3}, {"margin": -1, "cost": 3}, {"margin": "20", "cost": 3}])
def test_negative_money_is_refused(wrong):
    effect = experiments.read_out(campaign(50, 200, 30, 200), "bought", design="randomised")
    with pytest.raises(InputError, match="must be an amount of money from 0 on"):
        experiments.profit(effect, **wrong)


def test_profit_of_something_else_is_refused():
    with pytest.raises(KindError, match="read_out"):
        experiments.profit(0.1, margin=1, cost=1)
