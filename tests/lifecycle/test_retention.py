"""Cohorts, repurchase and contract rates against a plain reading, against simulated truth, and at their edges."""

import datetime
from decimal import Decimal

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmkit import datasets, lifecycle
from crmkit.errors import ColumnError, InputError, KindError
from crmkit.evaluation import experiments
from crmkit.lifecycle import retention
from crmkit.tables import Transactions

start = datetime.datetime(2025, 11, 20)
FREQUENCY = {"weeks": "W-SUN", "months": "M", "quarters": "Q-DEC", "years": "Y-DEC"}
usual = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def table(*rows: tuple) -> pd.DataFrame:
    """Rows of customer, moment, amount and, if there is one, order number."""
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount", "order_id"][: len(rows[0])])
    return frame.assign(ordered_at=pd.to_datetime(frame.ordered_at, format="ISO8601").astype("datetime64[us]"))


def read(*rows: tuple) -> Transactions:
    return Transactions.read(table(*rows))


class Lines:
    """What `cohorts` needs of a `Transactions`, from a frame: hypothesis asks hundreds of times."""

    currency = None

    def __init__(self, frame: pd.DataFrame):
        self.first_day, self.last_day = frame.ordered_at.min().date(), frame.ordered_at.max().date()
        lines = ibis.memtable(frame)
        self.table = lines.mutate(day=lines.ordered_at.date(), amount=lines.amount.cast("decimal(18, 2)"))


line = st.tuples(
    st.sampled_from(["17", "41", "8", "王", "ann"]),
    st.integers(0, 100).map(lambda days: start + datetime.timedelta(days=days)),
    st.integers(-3_000, 10_000).map(lambda cents: cents / 100) | st.just(0.0),
    st.sampled_from(["a", "b", "c", "d", None]),
)
ledgers = st.lists(line, min_size=1, max_size=30).filter(lambda rows: any(row[2] >= 0 for row in rows))


# --- cohorts ----------------------------------------------------------------------------------------------------------


def plain_cohorts(frame: pd.DataFrame, period: str, as_of: datetime.date) -> dict[tuple, tuple]:
    """The definition, one customer, one period after the other: (cohort, age) → customers, active, orders, money."""
    rows = frame.assign(day=frame.ordered_at.dt.normalize())
    rows = rows[rows.day <= pd.Timestamp(as_of)]
    last, customers, cells = pd.Period(as_of, FREQUENCY[period]), {}, {}
    for _, own in rows.groupby("customer_id"):
        bought = own[own.amount >= 0]
        if bought.empty:
            continue
        first = bought.day.min()
        cohort = pd.Period(first, FREQUENCY[period])
        customers[cohort] = customers.get(cohort, 0) + 1
        begun = bought.dropna(subset="order_id").groupby("order_id").day.min() if "order_id" in own else None
        for age in range((last - cohort).n + 1):
            one = cohort + age
            inside = lambda days, one=one: (days >= one.start_time) & (days <= one.end_time)  # noqa: E731
            here = bought[inside(bought.day)]
            if begun is None:
                orders = here.day.nunique()
            else:
                orders = int(inside(begun).sum()) + here[here.order_id.isna()].day.nunique()
            dated = own.day.clip(lower=first)
            money = sum(map(Decimal, map(str, own[inside(dated)].amount)), Decimal(0))
            before = cells.get((cohort, age), (0, 0, Decimal(0)))
            cells[cohort, age] = (before[0] + (not here.empty), before[1] + orders, before[2] + money)
    over = last if last.end_time.normalize() <= pd.Timestamp(as_of) else last - 1
    return {
        (cohort.start_time, age): (customers[cohort], *(cell if cohort + age <= over else (None,) * 3))
        for (cohort, age), cell in cells.items()
    }


@usual
@given(ledgers, st.booleans(), st.sampled_from(["weeks", "months"]), st.integers(0, 110))
def test_the_table_is_what_a_plain_reading_of_the_definition_gives(rows, numbered, period, days):
    frame = table(*rows).astype({"order_id": "string"})
    frame = frame if numbered else frame.drop(columns="order_id")
    as_of = (start + datetime.timedelta(days=days)).date()
    expected = plain_cohorts(frame, period, as_of)
    if not any(cell[1] is not None for cell in expected.values()):
        with pytest.raises(InputError, match=r"as_of|no purchase|fill no whole period"):
            retention.cohorts(Lines(frame), period=period, as_of=as_of)
        return
    found = retention.cohorts(Lines(frame), period=period, as_of=as_of)
    assert list(zip(found.cohort, found.age, strict=True)) == sorted(expected)
    for row in found.itertuples():
        customers, active, orders, money = expected[row.cohort, row.age]
        assert row.customers == customers
        if active is None:
            assert np.isnan([row.active, row.orders, row.money, row.share, row.money_per_customer]).all()
        else:
            assert (row.active, row.orders, row.money) == (active, orders, float(money))
            assert (row.share, row.money_per_customer) == (active / customers, float(money) / customers)


@usual
@given(ledgers, st.sampled_from(list(FREQUENCY)), st.integers(0, 400))
def test_what_holds_for_every_table(rows, period, days):
    frame, as_of = table(*rows), (start + datetime.timedelta(days=101 + days)).date()
    found = retention.cohorts(Lines(frame), period=period, as_of=datetime.date(2026, 12, 31))
    summary = lifecycle.summary(Lines(frame))
    sizes = found.drop_duplicates("cohort").customers
    assert sizes.sum() == len(summary)
    assert (found[found.age == 0].share == 1).all()
    assert found.share.dropna().between(0, 1).all()
    assert found.orders.sum() + found.attrs["open_orders"] == summary.orders.sum()
    assert found.money.sum() + found.attrs["open_money"] == pytest.approx(summary.spend.sum(), abs=1e-6)
    later = (pd.Period(as_of, FREQUENCY[period]) + 1).start_time.date()
    assert len(retention.cohorts(Lines(frame), period=period, as_of=later)) >= len(sizes)


def test_the_period_that_is_not_over_is_missing_and_its_money_is_told():
    orders = read(("ann", "2026-01-05", 10.0), ("bob", "2026-02-03", 5.0), ("ann", "2026-02-10", 2.5))
    found = retention.cohorts(orders).set_index(["cohort", "age"])
    assert found.loc[("2026-01-01", 1), ["active", "orders", "money", "share"]].isna().all()
    assert found.loc[("2026-02-01", 0), "customers"] == 1
    assert (found.attrs["open_period"], found.attrs["open_orders"], found.attrs["open_money"]) == ("2026-02-01", 2, 7.5)
    done = retention.cohorts(orders, as_of="2026-02-28")
    assert (done.share.tolist(), done.attrs["open_period"]) == ([1.0, 1.0, 1.0], None)


def test_a_period_in_which_nobody_was_new_is_no_cohort_but_counts_as_time():
    found = retention.cohorts(read(("ann", "2026-01-05", 1.0), ("bob", "2026-03-02", 1.0)), as_of="2026-03-31")
    assert found[["cohort", "age", "active"]].astype(str).to_numpy().tolist() == [
        ["2026-01-01", "0", "1.0"], ["2026-01-01", "1", "0.0"], ["2026-01-01", "2", "0.0"], ["2026-03-01", "0", "1.0"]
    ]  # fmt: skip


def test_a_cohort_of_one_and_nobody_who_returns():
    found = retention.cohorts(read(("ann", "2026-01-05", 1.0)), as_of="2026-03-31")
    assert found.share.tolist() == [1.0, 0.0, 0.0]


def test_the_first_cohort_is_marked_because_nobody_knows_whether_it_was_new():
    orders = read(("ann", "2026-01-05", 1.0), ("bob", "2026-01-06", 1.0), ("cem", "2026-02-02", 1.0))
    found = retention.cohorts(orders, as_of="2026-02-28")
    assert found.truncated.tolist() == [True, True, False]
    assert found.attrs["note"].startswith(
        "First seen in the first month of the table, from 2026-01-01 on: 2 of 3 customers."
    )
    told = retention.cohorts(orders, as_of="2026-02-28", complete_history=True)
    assert (told.truncated.any(), told.attrs["note"]) == (False, "")


def test_cdnow_is_three_cohorts_of_new_customers():
    """781, 857 and 719 of the 2,357 first bought in January, February, March 1997: 34 %, 36 %, 31 % of the sample
    drawn from the cohort of the first quarter of 1997 (Fader & Hardie 2001); counted here with pandas alone."""
    cdnow = datasets.load("cdnow")
    found = retention.cohorts(cdnow.transactions, complete_history=True)
    lines = cdnow.transactions.table.select("customer_id", "day").to_pandas()
    lines["month"] = pd.to_datetime(lines.day).dt.to_period("M")
    first = lines.groupby("customer_id").month.transform("min")
    expected = lines.groupby([first, lines.month]).customer_id.nunique()
    assert found.active.tolist() == expected.tolist()
    assert found.drop_duplicates("cohort").customers.tolist() == [781, 857, 719]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"period": "fortnights"}, "period='fortnights' is not known; use 'weeks', 'months', 'quarters', 'years'"),
        ({"period": "month"}, "Did you mean 'months'"),
        ({"as_of": "2025-12-31"}, "as_of='2025-12-31' is before the first row of the table .2026-01-05"),
        ({}, "from 2026-01-05 to 2026-01-20 fill no whole period of period='months'.*shorter period"),
    ],
)
def test_a_wrong_argument_is_named_with_its_value(arguments, message):
    with pytest.raises(InputError, match=message):
        retention.cohorts(read(("ann", "2026-01-05", 1.0), ("bob", "2026-01-20", 1.0)), **arguments)


@pytest.mark.parametrize("function", [retention.cohorts, retention.bought_again])
def test_something_that_was_not_checked_is_refused(function):
    with pytest.raises(KindError, match=r"Transactions\.read"):
        function(pd.DataFrame())
    with pytest.raises(InputError, match="no purchase"):
        function(read(("ann", "2026-01-02", -1.0), ("ann", "2026-01-05", 1.0)), as_of="2026-01-03")


# --- bought again -----------------------------------------------------------------------------------------------------


@usual
@given(ledgers, st.integers(1, 60), st.integers(0, 110))
def test_the_share_is_a_plain_count_over_those_seen_long_enough(rows, horizon, days):
    as_of = pd.Timestamp(start) + pd.Timedelta(days=days)
    frame = table(*rows)
    people = [
        sorted(set(own[(own.amount >= 0) & (own.ordered_at <= as_of)].ordered_at))
        for _, own in frame.groupby("customer_id")
    ]
    people = [occasions for occasions in people if occasions]
    if not people:
        return
    seen = [one for one in people if (as_of - one[0]).days >= horizon]
    again = [one for one in seen if len(one) > 1 and (one[1] - one[0]).days <= horizon]
    found = retention.bought_again(Lines(frame), within=f"{horizon} days", as_of=as_of).iloc[0]
    assert (found.customers, found.observed, found.again) == (len(people), len(seen), len(again))
    assert np.isnan(found.share) if not seen else found.share == len(again) / len(seen)
    if len(seen) == len(people):  # nobody is censored: both readings are one
        assert found.estimate == pytest.approx(found.share)


def test_the_estimate_finds_the_truth_that_a_young_table_hides():
    """Half of the customers come back, after a time spread evenly over 200 days; new ones arrive up to the last day."""
    random = np.random.default_rng(4)
    first = random.integers(0, 300, 4_000)
    second = first + random.integers(1, 201, 4_000)
    days = np.concatenate([first, np.where(random.random(4_000) < 0.5, second, 10_000)])
    frame = pd.DataFrame({"customer_id": [*range(4_000)] * 2, "day": days}).query("day <= 300")
    frame["ordered_at"], frame["amount"] = pd.Timestamp("2025-01-01") + pd.to_timedelta(frame.day, "D"), 1.0
    found = retention.bought_again(Transactions.read(frame.drop(columns="day")), within="200 days").iloc[0]
    assert found.estimate_low < 0.5 < found.estimate_high
    assert found.estimate_high - found.estimate_low < found.high - found.low  # nobody is thrown away
    naive = frame.customer_id.value_counts().eq(2).mean()
    assert naive < found.estimate_low  # counting everybody takes the youngest for lost


def test_one_row_a_period_and_missing_where_the_horizon_is_not_over():
    orders = read(
        ("ann", "2026-01-05", 1.0), ("ann", "2026-01-20", 1.0), ("bob", "2026-01-06", 1.0), ("cem", "2026-02-20", 1.0)
    )
    found = retention.bought_again(orders, within="30 days", period="months")
    assert found.index.strftime("%Y-%m-%d").tolist() == ["2026-01-01", "2026-02-01"]
    assert found.again.tolist() == [1, 0]
    assert found.share.tolist()[0] == 0.5
    assert found.loc["2026-02-01", ["share", "low", "high", "estimate"]].isna().all()
    assert "first month of the table, from 2026-01-05 on: 2 of 3 customers" in found.attrs["note"]


def test_nobody_bought_again_and_a_horizon_without_unit():
    orders = read(("ann", "2026-01-05", 1.0), ("bob", "2026-03-06", 1.0))
    found = retention.bought_again(orders, within="30 days").iloc[0]
    assert (found.share, found.estimate) == (0, 0)
    assert found.high > 0.5  # one customer proves little
    with pytest.raises(InputError, match="30"):
        retention.bought_again(orders, within="30")


# --- with a contract --------------------------------------------------------------------------------------------------

days = st.integers(0, 120)
contracts = st.lists(st.tuples(days, st.none() | days), min_size=1, max_size=12)


def subscribers(rows: list[tuple]) -> pd.DataFrame:
    """Rows of first day and length, in days from 1 January 2026."""
    origin = pd.Timestamp("2026-01-01")
    begun = [origin + pd.Timedelta(days=first) for first, _ in rows]
    ended = [
        pd.NaT if length is None else day + pd.Timedelta(days=length)
        for day, (_, length) in zip(begun, rows, strict=True)
    ]
    return pd.DataFrame({"started_on": begun, "ended_on": pd.to_datetime(pd.Series(ended))})


@usual
@given(contracts, st.sampled_from(["weeks", "months"]))
def test_the_rates_are_those_of_a_plain_count(rows, period):
    frame, as_of = subscribers(rows), pd.Timestamp("2026-06-30")
    found = retention.contract_rates(frame, period=period, as_of=as_of)
    running = lambda day: (frame.started_on < day) & ~(frame.ended_on < day)  # noqa: E731
    for begin, row in found.iterrows():
        after = begin + (pd.DateOffset(months=1) if period == "months" else pd.Timedelta(days=7))
        old, new = running(begin), (frame.started_on >= begin) & (frame.started_on < after)
        stays = running(after)
        assert (row.at_start, row.new, row.at_end) == (old.sum(), new.sum(), stays.sum())
        assert row.left == row.at_start + row.new - row.at_end
        assert row.kept == (old & stays).sum()
        if old.sum():
            assert row.retention == (stays.sum() - new.sum()) / old.sum()
            assert row.low <= row.share_kept == (old & stays).sum() / old.sum() <= row.high
            assert row.retention <= row.share_kept  # newcomers who left at once are charged to the old ones
        else:
            assert row[["retention", "share_kept", "low", "high"]].isna().all()
    assert (found.at_end.to_numpy()[:-1] == found.at_start.to_numpy()[1:]).all()


def test_constant_churn_is_found_again():
    """Simulated truth: each month a tenth of the contracts ends, on the month's last day."""
    random, months = np.random.default_rng(7), pd.date_range("2024-01-01", "2025-12-01", freq="MS")
    length = random.geometric(0.1, 20_000)
    frame = pd.DataFrame({"started_on": pd.Timestamp("2023-12-15"), "month": length})
    ends = months.to_series(index=range(1, 25)) + pd.offsets.MonthEnd(0)
    frame["ended_on"] = frame.month.map(ends)
    found = retention.contract_rates(frame, as_of="2025-12-31").iloc[1:]
    assert ((found.low < 0.9) & (found.high > 0.9)).mean() > 0.8
    assert np.average(found.share_kept, weights=found.at_start) == pytest.approx(0.9, abs=0.003)


@pytest.mark.parametrize(
    ("rows", "arguments", "error", "message"),
    [
        ([(0, 10)], {"period": "days"}, InputError, "period='days' is not known"),
        ([(0, 10)], {"as_of": "2026-01-20"}, InputError, "no period of period='months' is over"),
        ([(40, 10)], {"as_of": "2026-01-20"}, InputError, "no contract had started by as_of=2026-01-20"),
        ([(0, -3), (1, 2)], {}, InputError, r"'ended_on' is before 'started_on' for 1 of 2 contracts \(row 0\)"),
        ([(0, 10)], {"ended": "end_on"}, ColumnError, "ended='end_on' is not a column.*Did you mean 'ended_on'"),
    ],
)
def test_contracts_that_cannot_be_counted(rows, arguments, error, message):
    with pytest.raises(error, match=message):
        retention.contract_rates(subscribers(rows), **{"as_of": "2026-06-30"} | arguments)


# --- keeping against winning ------------------------------------------------------------------------------------------


def effect(contact: tuple[int, int], control: tuple[int, int], design: str = "randomised"):
    rows = {"contact": contact, "control": control}
    frame = pd.DataFrame(
        [(arm, int(place < stayed)) for arm, (stayed, all_of) in rows.items() for place in range(all_of)],
        columns=["group", "stayed"],
    )
    return experiments.read_out(frame, "stayed", design=design)


def test_the_ratio_by_hand():
    """900 of 1,000 against 800 of 1,000: ten contacts keep one more. At 2 each that is 20, against 50 for winning."""
    found = retention.keep_or_win(effect((900, 1000), (800, 1000)), cost_per_contact=2, acquisition_cost=50)
    assert found.value.round(9).tolist() == [0.1, 20, 50, 0.4, 0.04, 0.1]
    assert found.attrs["verdict"] == "keeping is cheaper"
    dear = retention.keep_or_win(effect((900, 1000), (800, 1000)), cost_per_contact=20, acquisition_cost=50)
    assert (dear.value["ratio"].round(9), dear.attrs["verdict"]) == (4, "winning is cheaper")


def test_value_counts_as_well_as_cost():
    """Kept customers who bring half as much may cost half as much."""
    same = retention.keep_or_win(
        effect((900, 1000), (800, 1000)), cost_per_contact=2, acquisition_cost=50, value_kept=10, value_won=20
    )
    assert same.value["ratio"].round(9) == 0.8
    assert same.value["break-even ratio"].round(9) == 0.05


@given(
    st.integers(0, 50),
    st.integers(0, 50),
    st.floats(0.1, 100),
    st.floats(0.1, 100),
    st.floats(0.1, 9),
    st.floats(0.1, 9),
)
@settings(max_examples=40, deadline=None)
def test_at_the_break_even_ratio_both_cost_the_same(contact, control, contact_cost, win, kept, won):
    found_effect = effect((contact, 50), (control, 50))
    values = {"acquisition_cost": win, "value_kept": kept, "value_won": won}
    found = retention.keep_or_win(found_effect, cost_per_contact=contact_cost, **values)
    assert (found.low.dropna() <= found.value[found.low.notna()]).all()
    assert (found.high.dropna() >= found.value[found.high.notna()]).all()
    even = found.value["break-even ratio"]
    if found_effect.estimate <= 0:
        assert (even, found.value["ratio"]) == (0, np.inf)
    else:
        again = retention.keep_or_win(found_effect, cost_per_contact=even * win, **values)
        assert again.value["ratio"] == pytest.approx(1)


def test_an_effect_that_may_be_nothing_has_no_upper_limit_of_cost():
    found = retention.keep_or_win(effect((82, 100), (80, 100)), cost_per_contact=2, acquisition_cost=50)
    assert found.high["cost of one more kept"] == np.inf
    assert found.low["break-even ratio"] == 0
    assert found.attrs["verdict"] == "the data cannot tell"


def test_wrong_costs_and_wrong_effects_are_refused():
    with pytest.raises(KindError, match="read_out"):
        retention.keep_or_win(0.1, cost_per_contact=2, acquisition_cost=50)
    with pytest.raises(InputError, match="acquisition_cost=0 must be a number above 0"):
        retention.keep_or_win(effect((9, 10), (8, 10)), cost_per_contact=2, acquisition_cost=0)
