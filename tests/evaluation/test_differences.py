"""Difference in differences: against four means, against statsmodels' formula, and against simulated truth."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.errors import ColumnError, InputError
from crmkit.evaluation import differences

ROLES = {"unit": "region", "period": "month", "treated": "improved"}


def staged(random, *, units=12, periods=10, effect=3.0, noise=1.0, trend_of_treated=0.0, starts=None):
    """Units with own levels, periods with own levels, starts at different times; one third is never treated."""
    starts = {u: 4 + u % 4 for u in range(units * 2 // 3)} if starts is None else starts
    rows = [
        {
            "region": f"R{u:02d}",
            "month": t,
            "improved": t >= starts.get(u, periods + 1),
            "orders": 10
            + 2 * u
            + 0.7 * t
            + effect * (t >= starts.get(u, periods + 1))
            + trend_of_treated * t * (u in starts)
            + random.normal(0, noise),
        }
        for u in range(units)
        for t in range(1, periods + 1)
    ]
    return pd.DataFrame(rows)


@given(
    values=st.lists(st.floats(-100, 100), min_size=8, max_size=8),
)
@settings(max_examples=60, deadline=None)
def test_two_by_two_is_the_difference_of_two_differences(values):
    """Closed form: four means."""
    panel = pd.DataFrame(
        {
            "region": ["north"] * 4 + ["south"] * 4,
            "month": [1, 1, 2, 2] * 2,
            "improved": [0, 0, 1, 1, 0, 0, 0, 0],
            "orders": values,
        }
    )
    mean = panel.groupby(["region", "month"])["orders"].mean()
    by_hand = (mean["north", 2] - mean["north", 1]) - (mean["south", 2] - mean["south", 1])
    assert differences.estimate(panel, "orders", **ROLES).estimate == pytest.approx(by_hand, abs=1e-8)


def test_one_treated_region_gets_no_false_certainty():
    """Errors clustered over one treated unit are zero by construction; the interval must not be."""
    random = np.random.default_rng(8)
    panel = pd.DataFrame({"region": ["north", "south"] * 100, "month": [1] * 100 + [2] * 100})
    panel["improved"] = (panel["region"] == "north") & (panel["month"] == 2)
    panel["orders"] = random.normal(10, 3, 200) + 2 * panel["improved"]
    effect = differences.estimate(panel, "orders", **ROLES)
    # by hand: the variance of a difference of four independent means of 50 with sd 3
    half = 1.96 * np.sqrt(4 * 9 / 50)
    assert (effect.high - effect.low) / 2 == pytest.approx(half, rel=0.15)
    assert "shock that hit the whole cluster" in effect.limits
    bare = panel.groupby(["region", "month", "improved"], as_index=False)["orders"].mean()
    assert np.isnan(differences.estimate(bare, "orders", **ROLES).low)


def test_a_staged_start_is_what_statsmodels_formula_gives():
    panel = staged(np.random.default_rng(2))
    effect = differences.estimate(panel, "orders", **ROLES)
    peer = smf.ols("orders ~ C(region) + C(month) + improved.astype(int)", panel).fit(
        cov_type="cluster", cov_kwds={"groups": pd.factorize(panel["region"])[0]}, use_t=True
    )
    assert effect.estimate == pytest.approx(peer.params["improved.astype(int)"])
    assert (effect.low, effect.high) == pytest.approx(tuple(peer.conf_int().loc["improved.astype(int)"]))
    assert effect.design == "difference in differences"


def test_the_true_effect_is_found_and_its_interval_keeps_its_promise():
    random, inside, found = np.random.default_rng(5), 0, []
    for _ in range(120):
        effect = differences.estimate(staged(random, units=24, periods=6), "orders", **ROLES)
        found.append(effect.estimate)
        inside += effect.low <= 3.0 <= effect.high
    assert np.mean(found) == pytest.approx(3.0, abs=0.06)
    assert inside / 120 >= 0.87  # clustered errors over 24 clusters are a little small, as the limits say


def test_what_moves_anyway_fools_the_design_as_its_limits_say():
    """Treated units that grow by themselves: the interval leaves out the truth, and the text warns."""
    panel = staged(np.random.default_rng(4), effect=0.0, trend_of_treated=1.0)
    effect = differences.estimate(panel, "orders", **ROLES)
    assert effect.low > 0  # there is none
    assert "would have drifted apart anyway" in effect.limits


def test_weaknesses_of_the_panel_are_named():
    limits = differences.estimate(staged(np.random.default_rng(1)), "orders", **ROLES).limits
    assert "Only 12 clusters" in limits
    assert "staged" in limits
    two = staged(np.random.default_rng(1), units=4, starts={0: 5, 1: 1})
    assert "1 were treated from the first period on" in differences.estimate(two, "orders", **ROLES).limits


def test_a_finer_cluster_may_be_named():
    random = np.random.default_rng(9)
    panel = pd.concat([staged(random, units=6).assign(shop=i) for i in range(4)], ignore_index=True)
    panel["shop"] = panel["region"] + panel["shop"].astype(str)
    plain, finer = (differences.estimate(panel, "orders", **ROLES, cluster=name) for name in (None, "shop"))
    assert plain.estimate == pytest.approx(finer.estimate)
    assert plain.high - plain.low != pytest.approx(finer.high - finer.low)


def test_the_gap_of_the_trends_is_level_before_and_steps_up_at_the_start():
    panel = staged(np.random.default_rng(3), units=2, starts={0: 6}, noise=0.0)
    lines = differences.trends(panel, "orders", **ROLES).set_index(["unit", "period"])
    gap = lines.loc["R00", "gap"]
    assert gap[:5].to_numpy() == pytest.approx(np.full(5, -2.0))
    assert gap[5:].to_numpy() == pytest.approx(np.full(5, 1.0))
    assert lines.loc[("R00", 6), "starts"] == 6
    assert lines.loc["R01", "starts"].isna().all()
    assert lines["rows"].eq(1).all()


def test_without_a_unit_that_never_starts_the_last_to_start_is_the_yardstick_until_then():
    panel = staged(np.random.default_rng(3), units=3, starts={0: 4, 1: 6, 2: 8}, noise=0.0)
    lines = differences.trends(panel, "orders", **ROLES).set_index(["unit", "period"])
    assert lines.loc["R00", "gap"][:7].to_list() == pytest.approx([-4] * 3 + [-1] * 4)
    assert lines["gap"].groupby("period").apply(lambda one: one.isna().all()).to_list() == [False] * 7 + [True] * 3


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (lambda p: p.assign(improved=0), InputError, "nobody is treated"),
        (lambda p: p.assign(improved=1), InputError, "all rows are treated"),
        (lambda p: p.assign(improved=p["month"] >= 5), InputError, "not treated, or is treated later"),
        (lambda p: p.assign(improved=(p["month"] == 5) & (p["region"] == "R00")), InputError, "stop being treated"),
        (lambda p: p.assign(improved="yes"), InputError, "yes/no or 0/1"),
        (lambda p: p.assign(orders=p["orders"].where(p["month"] > 2)), InputError, "missing in 24 of 120"),
        (lambda p: p.rename(columns={"month": "moth"}), ColumnError, "Did you mean 'moth'"),
        (lambda p: pd.concat([p, p.assign(improved=False)]), InputError, "treated and not treated"),
    ],
)
def test_a_panel_that_cannot_answer_says_why(change, error, says):
    with pytest.raises(error, match=says):
        differences.estimate(change(staged(np.random.default_rng(0))), "orders", **ROLES)
