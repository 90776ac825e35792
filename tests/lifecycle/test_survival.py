"""Kaplan and Meier's curve and Cox's model against published tables, a plain reading, and simulated truth."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.errors import ColumnError, InputError, KindError
from crmkit.lifecycle.retention import cox, kaplan_meier

DAY, END = pd.Timestamp("2020-01-01"), "2026-01-01"


def contracts(times: list[int], left: list[int], **columns) -> pd.DataFrame:
    """Contracts of so many days up to END; who has not left began so many days before it."""
    rows = [
        (DAY, DAY + pd.Timedelta(days=time)) if gone else (pd.Timestamp(END) - pd.Timedelta(days=time), pd.NaT)
        for time, gone in zip(times, left, strict=True)
    ]
    return pd.DataFrame(rows, columns=["started_on", "ended_on"]).assign(**columns)


@pytest.fixture
def remissions() -> pd.DataFrame:
    """Weeks of remission of 42 children with leukaemia (Freireich and others 1963; Gehan 1965, Biometrika 52)."""
    drug = contracts(
        [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35],
        [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0],
        arm="6-MP",
    )
    placebo = contracts(
        [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23], [1] * 21, arm="placebo"
    )
    return pd.concat([drug, placebo], ignore_index=True)


# --- Kaplan and Meier -------------------------------------------------------------------------------------------------


def test_the_curve_is_the_published_one(remissions):
    """Kalbfleisch & Prentice, The Statistical Analysis of Failure Time Data: the 6-MP group, by hand in many books."""
    found = kaplan_meier(remissions, by="arm", as_of=END, unit="days")
    drug = found[(found.arm == "6-MP") & (found.left > 0)]
    assert drug.age.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert drug.at_risk.tolist() == [21, 17, 15, 12, 11, 7, 6]
    assert drug.survival.round(3).tolist() == [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
    placebo = found[(found.arm == "placebo") & (found.left > 0)]
    assert (placebo.survival * 21).round(9).tolist() == [19, 17, 16, 14, 12, 8, 6, 4, 3, 2, 1, 0]


def test_the_interval_is_greenwoods_on_the_log_log_scale(remissions):
    """By hand at 6 days: S = 18/21, var(log S) = 3/(21·18)."""
    found = kaplan_meier(remissions, by="arm", as_of=END, unit="days").iloc[1]
    survival = 18 / 21
    spread = 1.959963985 * np.sqrt(3 / (21 * 18)) / -np.log(survival)
    assert found.low == pytest.approx(survival ** np.exp(spread))
    assert found.high == pytest.approx(survival ** np.exp(-spread))


ages = st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=25)


@settings(max_examples=60, deadline=None)
@given(ages)
def test_the_curve_is_the_product_of_the_shares_who_stayed(rows):
    times, left = np.array([time for time, _ in rows]), np.array([gone for _, gone in rows])
    found = kaplan_meier(contracts(times.tolist(), left.tolist()), as_of=END, unit="days")
    survival = 1.0
    for time in sorted(set(times[left])):
        survival *= 1 - (left & (times == time)).sum() / (times >= time).sum()
        row = found[(found.age == time) & (found.left > 0)]
        assert row.survival.item() == pytest.approx(survival)
        assert row.at_risk.item() == (times >= time).sum()
    assert found.survival.is_monotonic_decreasing
    assert found.left.sum() == left.sum()
    assert found.age.iloc[[0, -1]].tolist() == [0, times.max()]
    inside = found.dropna()
    assert ((inside.low <= inside.survival + 1e-12) & (inside.survival <= inside.high + 1e-12)).all()
    assert inside.low.ge(0).all()
    assert inside.high.le(1).all()


def test_without_censoring_it_is_the_plain_share():
    found = kaplan_meier(contracts([1, 2, 3, 4], [1, 1, 1, 1]), as_of=END, unit="days")
    assert found.survival.tolist() == pytest.approx([1, 0.75, 0.5, 0.25, 0])
    assert found.iloc[-1][["low", "high"]].isna().all()


def test_nobody_left_and_one_customer():
    found = kaplan_meier(contracts([30, 60], [0, 0]), as_of=END, unit="days")
    assert found[["age", "at_risk", "survival"]].to_numpy().tolist() == [[0, 2, 1], [60, 1, 1]]
    assert kaplan_meier(contracts([5], [1]), as_of=END).survival.tolist() == [1, 0]


def test_a_record_that_begins_late_is_read_as_such():
    """Simulated truth: a tenth leaves each month. A system that began after two years knows only who was still there."""
    random = np.random.default_rng(11)
    begun = pd.Timestamp("2022-01-01") + pd.to_timedelta(random.integers(0, 1400, 20_000), "D")
    frame = pd.DataFrame(
        {"started_on": begun, "ended_on": begun + pd.to_timedelta(random.exponential(300, 20_000), "D")}
    )
    known = frame[(frame.ended_on >= "2024-01-02") | (frame.started_on >= "2024-01-01")].copy()
    found = kaplan_meier(known, as_of=END, observed_from="2024-01-01", unit="days")
    naive = kaplan_meier(known, as_of=END, unit="days")
    at = lambda curve, age: curve[curve.age <= age].iloc[-1].survival  # noqa: E731
    for age in (100, 300, 600):
        assert at(found, age) == pytest.approx(np.exp(-age / 300), abs=0.02)
        assert at(naive, age) > np.exp(-age / 300) + 0.05


def test_an_end_after_as_of_has_not_happened_and_a_later_start_is_not_looked_at():
    frame = pd.DataFrame(
        {"started_on": ["2026-01-01", "2026-01-01", "2026-03-01"], "ended_on": ["2026-01-11", "2026-02-20", None]}
    )
    found = kaplan_meier(frame, as_of="2026-02-10", unit="days")
    assert found[["age", "at_risk", "left"]].to_numpy().tolist() == [[0, 2, 0], [10, 2, 1], [40, 1, 0]]
    assert found.attrs == {"as_of": "2026-02-10", "unit": "days", "level": 0.95, "by": None}


good = pd.DataFrame({"started_on": ["2026-01-01", "2026-01-05"], "ended_on": ["2026-01-11", None], "plan": ["a", None]})


@pytest.mark.parametrize(
    ("frame", "arguments", "error", "message"),
    [
        (good, {"as_of": None}, InputError, "as_of="),
        (good, {"unit": "fortnights"}, InputError, "unit='fortnights'"),
        (good, {"by": "plans"}, ColumnError, "by='plans' is not a column.*Did you mean 'plan'"),
        (good, {"by": "plan"}, InputError, "column 'plan' is missing for 1 of 2 contracts .row 1."),
        (good, {"observed_from": "2026-01-20"}, InputError, "before observed_from=2026-01-20 had ended 1 of 2"),
        (good, {"observed_from": "2026-03-20"}, InputError, "is not before as_of"),
        (good.assign(started_on=None), {}, InputError, "'started_on' is missing for 2 of 2 contracts"),
        (good.assign(ended_on="soon"), {}, InputError, "'ended_on' holds no day for 2 of 2"),
        (good.iloc[:0], {}, InputError, "no contract had started by"),
        ("contracts.csv", {"as_of": "2026-02-01"}, KindError, "must be a DataFrame"),
    ],
)
def test_wrong_contracts_are_named(frame, arguments, error, message):
    with pytest.raises(error, match=message):
        kaplan_meier(frame, **{"as_of": "2026-02-10"} | arguments)


# --- Cox --------------------------------------------------------------------------------------------------------------


def test_cox_gives_the_published_ratio(remissions):
    """The same children with Efron's method: coefficient 1.572, standard error 0.412, ratio 4.82 (R's survival)."""
    found = cox(remissions, ["arm"], as_of=END).iloc[0]
    assert np.log(found.hazard_ratio) == pytest.approx(1.5721, abs=5e-4)
    assert (np.log(found.high) - np.log(found.low)) / (2 * 1.959964) == pytest.approx(0.4124, abs=5e-4)
    assert found.meaning.startswith("arm placebo instead of 6-MP: 4.82 times as many leave at any time")
    assert found.proportional_p > 0.1  # these data are the textbook's example of proportional hazards


def simulated(rows: int, seed: int = 3, bend: bool = False) -> pd.DataFrame:
    """Contracts whose rate of leaving is 2 % a day × 1.05 for each euro × 0.5 with the yearly plan."""
    random = np.random.default_rng(seed)
    price, plan = random.integers(5, 25, rows), random.choice(["monthly", "annual"], rows, p=[0.6, 0.4])
    rate = 0.02 * 1.05 ** (price - 15) * np.where(plan == "annual", 0.5, 1)
    days = random.exponential(1 / rate)
    if bend:  # annual plans leave early less, later more
        days = np.where(plan == "annual", 40 + random.exponential(10, rows), days)
    begun = DAY + pd.to_timedelta(random.integers(0, 100, rows), "D")
    return pd.DataFrame(
        {"started_on": begun, "ended_on": begun + pd.to_timedelta(days.round() + 1, "D"), "price": price, "plan": plan}
    )


def test_cox_recovers_what_was_simulated():
    found = cox(simulated(4_000), ["price", "plan"], as_of="2020-05-01").set_index("factor")
    for factor, truth in {"price": 1.05, "plan: annual": 0.5}.items():
        row = found.loc[factor]
        assert row.low < truth < row.high
        assert row.hazard_ratio == pytest.approx(truth, rel=0.1)
        assert row.proportional_p > 0.01
    assert "fewer leave at any time" in found.loc["plan: annual", "meaning"]


def test_cox_keeps_its_promise_of_95_per_cent():
    inside = [
        (row.low < 0.5 < row.high)
        for seed in range(40)
        for row in [cox(simulated(300, seed), ["price", "plan"], as_of="2020-05-01").iloc[1]]
    ]
    assert np.mean(inside) > 0.85


def test_a_ratio_that_changes_with_age_is_noticed():
    found = cox(simulated(2_000, bend=True), ["price", "plan"], as_of="2020-12-01").set_index("factor")
    assert found.loc["plan: annual", "proportional_p"] < 1e-6


def test_cox_reads_a_record_that_begins_late():
    frame = simulated(8_000)
    known = frame[frame.ended_on > "2020-03-01"]
    found = cox(known, ["price", "plan"], as_of="2020-08-01", observed_from="2020-03-01").set_index("factor")
    assert found.loc["plan: annual", "low"] < 0.5 < found.loc["plan: annual", "high"]


def test_neither_the_unit_of_a_factor_nor_the_order_of_rows_changes_what_is_found():
    frame = simulated(500)
    euros = cox(frame, ["price", "plan"], as_of="2020-05-01")
    cents = cox(frame.assign(price=frame.price * 100), ["price", "plan"], as_of="2020-05-01")
    assert cents.hazard_ratio[0] ** 100 == pytest.approx(euros.hazard_ratio[0])
    assert cents.p_value.to_numpy() == pytest.approx(euros.p_value.to_numpy())
    again = cox(frame.sample(frac=1, random_state=1), ["price", "plan"], as_of="2020-05-01")
    pd.testing.assert_frame_equal(again, euros, rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "factors", "error", "message"),
    [
        ({}, "price", KindError, r"a list of columns, such as \['price'\]"),
        ({}, [], InputError, "factors is empty"),
        ({}, ["prise"], ColumnError, "Did you mean 'price'"),
        ({"price": 5}, ["price"], InputError, "factor 'price' has one value, 5, in all 60 contracts"),
        ({"price": np.nan}, ["price"], InputError, "factor 'price' is missing for 60 of 60"),
        ({"ended_on": None}, ["price"], InputError, "0 of 60 contracts ended"),
        ({"double": lambda frame: frame.price * 2}, ["price", "double"], InputError, "follow from one another"),
        (
            {"plan": lambda frame: frame.plan.where(frame.ended_on < "2020-05-01", "never")},
            ["plan"],
            InputError,
            "none of the .* contracts with 'never' ended",
        ),
        (
            {"note": lambda frame: (frame.ended_on - frame.started_on).dt.days},
            ["note"],
            InputError,
            "order the leavers without an exception",
        ),
    ],
)
def test_factors_that_cannot_be_compared(change, factors, error, message):
    with pytest.raises(error, match=message):
        cox(simulated(60).assign(**change), factors, as_of="2020-05-01")
