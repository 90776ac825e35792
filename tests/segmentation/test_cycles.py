"""Due dates: hand-computed, a plain reading in pandas, gamma gaps with known cycles, the back-test, and invariants."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit import datasets
from crmkit.errors import InputError, KindError
from crmkit.segmentation import cycles
from crmkit.tables import Transactions

DAYS = st.dictionaries(
    st.sampled_from("abcdef"), st.lists(st.integers(0, 300), min_size=1, max_size=9), min_size=1, max_size=6
).filter(lambda found: any(len(set(days)) > 1 for days in found.values()))


def orders(days, **columns):
    rows = [(who, pd.Timestamp("2025-01-01") + pd.Timedelta(days=int(day))) for who in days for day in days[who]]
    return Transactions.read(
        pd.DataFrame(rows, columns=["customer_id", "ordered_at"]).assign(**{"amount": 5.0, **columns})
    )


def gamma_shop(random, households=900, length=730, shape=6.0, spread=0.5):
    """Households with a cycle of their own around 30 days, and gaps around it with a known regularity."""
    cycle = 30 * np.exp(random.normal(0, spread, households))
    found = {}
    for number, mean in enumerate(cycle):
        at = np.cumsum(random.gamma(shape, mean / shape, int(length / mean * 3) + 5)) + random.uniform(-mean, 0)
        found[f"h{number:04d}"] = np.unique(at[(at >= 0) & (at < length)].astype(int))
    return {name: days for name, days in found.items() if len(days)}, dict(zip(found, cycle, strict=True))


def test_by_hand():
    """ann's gaps are 10, 14 and 60 days, bob's is 20, cora has none: medians 14 and 20, the category's 17."""
    found = cycles.next_due(orders({"ann": [0, 10, 24, 84], "bob": [5, 25], "cora": [80]}), borrowed_gaps=2)
    assert found.attrs["category_cycle_days"] == 17
    assert found["cycle_days"].to_list() == pytest.approx([(3 * 14 + 2 * 17) / 5, (20 + 2 * 17) / 3, 17])
    assert found["due"].dt.strftime("%m-%d").to_list() == ["04-10", "02-13", "04-08"]  # 15.2, 18 and 17 days later
    assert found["overdue"].to_list() == [False, True, False]
    mean = cycles.next_due(
        orders({"ann": [0, 10, 24, 84], "bob": [5, 25], "cora": [80]}), centre="mean", borrowed_gaps=2
    )
    assert mean.attrs["category_cycle_days"] == 24
    assert mean["cycle_days"].to_list() == pytest.approx([(3 * 28 + 2 * 24) / 5, (20 + 2 * 24) / 3, 24])


def test_refunds_and_rows_without_quantity_are_no_purchase_and_a_day_counts_once():
    rows = orders({"ann": [0, 0, 10, 15, 17]}, amount=[5, 5, 5, -5, 0], quantity=[1, 1, 1, 1, 0])
    found = cycles.next_due(rows, borrowed_gaps=0).iloc[0]
    assert (found["purchases"], found["own_cycle_days"], found["last_purchase"].day) == (2, 10, 11)


@given(DAYS, st.floats(0, 5))
@settings(deadline=None, max_examples=12)
def test_it_is_the_plain_reading_whatever_the_order_and_the_repeats_of_the_rows(days, borrowed):
    found = cycles.next_due(orders(days), borrowed_gaps=borrowed)
    shuffled = {who: [*reversed(days[who]), *days[who]] for who in reversed(list(days))}
    pd.testing.assert_frame_equal(cycles.next_due(orders(shuffled), borrowed_gaps=borrowed), found)
    gaps = {who: np.diff(sorted(set(days[who]))) for who in sorted(days)}
    own = pd.Series({who: np.median(gap) if len(gap) else np.nan for who, gap in gaps.items()})
    for who, gap in gaps.items():
        weight = len(gap) + borrowed
        expected = (len(gap) * np.nan_to_num(own[who]) + borrowed * own.median()) / weight if weight else own.median()
        assert found.loc[who, "cycle_days"] == pytest.approx(expected, abs=1e-5)
        assert abs((found.loc[who, "due"] - found.loc[who, "last_purchase"]).days - expected) <= 0.5 + 1e-5


def test_how_much_to_borrow_is_the_ratio_of_the_variances():
    """Log-normal gaps with known variances, 0.5 within and 0.2 between households: m = 0.5 / 0.2."""
    random = np.random.default_rng(2)
    found = {}
    for number in range(1500):
        logs = np.log(60) + random.normal(0, np.sqrt(0.2)) + random.normal(0, np.sqrt(0.5), random.integers(2, 12))
        found[f"h{number}"] = np.cumsum(np.round(np.exp(logs)))
    assert cycles.next_due(orders(found)).attrs["borrowed_gaps"] == pytest.approx(2.5, rel=0.15)


def test_households_that_are_all_alike_borrow_as_much_as_possible_and_one_gap_each_borrows_one():
    random = np.random.default_rng(2)
    alike = {f"h{number}": np.cumsum(np.round(random.gamma(4, 10, 8)) + 1) for number in range(400)}
    assert cycles.next_due(orders(alike)).attrs["borrowed_gaps"] > 10
    assert cycles.next_due(orders({"a": [0, 10], "b": [0, 30]})).attrs["borrowed_gaps"] == 1


def test_shrunk_cycles_are_nearer_to_the_truth_than_own_medians_and_than_the_category():
    """Gamma gaps with known cycles, learned from one year."""
    days, true = gamma_shop(np.random.default_rng(8), length=200, shape=3.0)
    found = cycles.next_due(orders(days)).query("gaps >= 1")
    truth = np.log(pd.Series(true)[found.index])
    errors = {
        name: ((np.log(column) - truth) ** 2).mean()
        for name, column in (("shrunk", found["cycle_days"]), ("alone", found["own_cycle_days"]))
    }
    errors["category"] = ((np.log(found.attrs["category_cycle_days"]) - truth) ** 2).mean()
    assert errors["shrunk"] < min(errors["alone"], errors["category"])


def test_in_the_simulated_supermarket_cycles_are_near_its_truth():
    """The truth of sim:supermarket: mean days from pack to pack. Households differ much there, so they borrow little."""
    firm = datasets.load("supermarket")
    found = cycles.next_due(firm.transactions.where("category", "painkillers").until("2025-08-17"))
    true = firm.truth_households.query("category == 'painkillers'").set_index("customer_id")["cycle_days"]
    both = found[found["gaps"] >= 1].join(true.rename("true"), how="inner")
    error = {name: np.log(both[name] / both["true"]) for name in ("cycle_days", "own_cycle_days")}
    assert abs(error["cycle_days"].median()) < 0.1
    assert (error["cycle_days"] ** 2).mean() < (error["own_cycle_days"] ** 2).mean()
    category = np.log(found.attrs["category_cycle_days"] / both["true"])
    assert (error["cycle_days"] ** 2).mean() < 0.2 * (category**2).mean()


def test_where_gaps_are_regular_the_due_date_meets_the_purchase_more_often_than_a_day_by_lot():
    days, _ = gamma_shop(np.random.default_rng(4))
    found = cycles.back_test(orders(days), cut="2026-09-30", window_days=5)
    best, lot, all_alike = (found.loc[name] for name in (cycles.METHODS[0], cycles.METHODS[4], cycles.METHODS[3]))
    assert best["low"] > max(lot["high"], all_alike["high"])
    assert best["times"] == pytest.approx(best["hit_rate"] / lot["hit_rate"])
    assert found["households"].nunique() == 1


def test_where_purchases_come_at_random_no_day_is_better_than_another():
    """Exponential gaps, the same cycle for all: the past says nothing about the day of the next purchase."""
    random = np.random.default_rng(6)
    found = {f"h{number}": np.unique(np.cumsum(random.exponential(30, 60)).astype(int)) for number in range(1500)}
    found = {who: days[days < 700] for who, days in found.items()}
    table = cycles.back_test(orders(found), cut="2026-09-30", window_days=5)
    own, lot = table.loc[cycles.METHODS[0]], table.loc[cycles.METHODS[4]]
    assert own["low"] < lot["high"]
    assert own["high"] > lot["low"]
    # by theory: a whole window of 11 days is hit with 1 - exp(-11 / 30), and households do not stop buying
    whole = table.loc["one day for all", ["low", "high"]]
    assert whole["low"] < 1 - np.exp(-11 / 30) < whole["high"]


def test_a_back_test_by_hand():
    """Every 10 days to day 100, then on days 112, 120 and 130: with the cut on day 105 the due date is day 110."""
    days = [*range(0, 101, 10), 112, 120, 130]
    for window, hits in ((1, 0), (2, 1)):
        found = cycles.back_test(orders({"ann": days}), cut="2025-04-16", window_days=window, borrowed_gaps=0)
        assert found.loc[cycles.METHODS[0], ["hits", "median_miss_days"]].to_list() == [hits, 2]
    assert (found.attrs["judged"], found.attrs["overdue"], found.attrs["beyond"]) == (1, 0, 0)


def test_a_day_that_is_over_becomes_tomorrow_and_one_that_the_data_do_not_show_the_last_they_do():
    """Learned: ann's gaps are 4, 100 and 4 days (median 4), bob's are 60, the category's median is 32. Cut on day 200.

    All but the shrunk due dates can lie outside (200, 300 - window]; here the two are due on days 224 and 247 by m = 100.
    """
    days = {"ann": [84, 88, 188, 192, 203, 300], "bob": [12, 72, 132, 192, 298]}
    found = cycles.back_test(orders(days), cut="2025-07-20", window_days=2, borrowed_gaps=100)
    assert found.attrs["category_cycle_days"] == 32
    assert found.attrs["judged"] == 2
    # ann alone: 192 + 4 = 196 is over, so 201, two days before 203. bob alone: 252, and he buys on 298
    assert found.loc["own cycle alone", ["hits", "median_miss_days"]].to_list() == [1, (2 + 46) / 2]
    far = {
        "ann": days["ann"],
        "bob": [0, 192, 297],
    }  # bob alone: 384, of which the data, to day 300, show nothing: so 298
    late = cycles.back_test(orders(far), cut="2025-07-20", window_days=2, borrowed_gaps=100_000)
    assert late.attrs["judged"] == 2
    assert late.loc["own cycle alone", ["hits", "median_miss_days"]].to_list() == [2, 1.5]


def test_due_overdue_and_beyond_at_their_borders():
    """Cycle 10 for all. With the cut on day 105 and the data to day 130: due on 105 is over, on 106 not; with a window of
    5 days due on 125 is judged, on 126 not."""
    last = {"over": 95, "first": 96, "last": 115, "beyond": 116, "end": 105}
    days = {who: [day - 20, day - 10, day] for who, day in last.items()} | {"end": [85, 95, 105, 130]}
    days["last"], days["beyond"] = [75, 90, 105], [73, 89, 105]  # 15 and 16 days of their own, to be due late
    found = cycles.back_test(orders(days), cut="2025-04-16", window_days=5, borrowed_gaps=0)
    assert (found.attrs["overdue"], found.attrs["beyond"], found.attrs["judged"]) == (1, 0, 4)
    wide = cycles.back_test(orders(days), cut="2025-04-16", window_days=10, borrowed_gaps=0)
    assert (wide.attrs["overdue"], wide.attrs["beyond"], wide.attrs["judged"]) == (1, 1, 3)


@pytest.mark.parametrize("sizes", [np.full(60, 5), np.random.default_rng(1).integers(1, 9, 150)], ids=["balanced", "unbalanced"])  # fmt: skip
def test_what_is_borrowed_is_the_ratio_of_the_variance_components_of_statsmodels(sizes):
    """MixedLM by restricted likelihood: the same number if all households have as many gaps, a near one if not."""
    import warnings

    import statsmodels.formula.api as smf

    random = np.random.default_rng(4)
    gaps = [np.ceil(np.exp(4 + random.normal(0, 0.5) + random.normal(0, 0.7, size))).astype(int) for size in sizes]
    found = cycles.next_due(orders({f"h{number:03d}": np.cumsum([0, *gap]) for number, gap in enumerate(gaps)}))
    logs = pd.DataFrame({"log": np.log(np.concatenate(gaps)), "who": np.repeat(np.arange(len(sizes)), sizes)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = smf.mixedlm("log ~ 1", logs, groups="who").fit(reml=True)
    ratio = fit.scale / float(fit.cov_re.iloc[0, 0])
    assert found.attrs["borrowed_gaps"] == pytest.approx(ratio, rel=0.001 if len(set(sizes)) == 1 else 0.1)


def test_a_purchase_on_the_day_of_the_cut_is_no_hit_and_a_passed_window_is_overdue_from_the_day_after():
    """Every 10 days, the last on day 100, the day of the cut: due on 110, but nothing comes before day 150."""
    shop = orders({"ann": [*range(0, 101, 10), 150]})
    found = cycles.back_test(shop, cut="2025-04-11", window_days=10)
    assert found.loc[list(cycles.METHODS[:3]), "hits"].to_list() == [0, 0, 0]
    assert found.loc[cycles.METHODS[0], "median_miss_days"] == 40
    for day, late in (("2025-04-30", False), ("2025-05-01", True)):  # due on 21 April, and nine days more
        assert cycles.next_due(shop, as_of=day, window_days=9)["overdue"].to_list() == [late]


def test_one_day_for_all_is_the_day_on_which_half_are_due():
    """Due on days 110, 120 and 190, so day 120 for all; each buys on that day or on another."""
    days = {"a": [90, 100, 120], "b": [80, 100, 121], "c": [10, 100, 123], "end": [300, 301]}
    found = cycles.back_test(orders(days), cut="2025-04-11", window_days=2, borrowed_gaps=0)
    assert found.attrs["judged"] == 3
    assert found.loc["one day for all", ["hits", "median_miss_days"]].to_list() == [2, 1]


def test_the_data_must_reach_one_cycle_and_the_window_beyond_the_cut():
    """The category's cycle is 30 days, the cut day 100: with a window of 5 days the data must reach day 135."""
    days = {"a": [90, 100, 112], "b": [70, 100], "c": [40, 100]}
    for last, enough in ((134, False), (135, True)):
        shop = orders(days | {"end": [last]})
        if enough:
            assert cycles.back_test(shop, cut="2025-04-11", window_days=5, borrowed_gaps=0).attrs["judged"] == 2
        else:
            with pytest.raises(
                InputError, match=r"before one cycle of the category \(30 days\) and the window of 5 days"
            ):
                cycles.back_test(shop, cut="2025-04-11", window_days=5, borrowed_gaps=0)


def test_it_learns_nothing_from_after_the_cut():
    days, _ = gamma_shop(np.random.default_rng(4), households=60)
    before = cycles.next_due(orders(days), as_of="2026-06-30")
    cut = {who: [day for day in when if day <= 545] for who, when in days.items()}
    same = cycles.next_due(orders({who: when for who, when in cut.items() if when}), as_of="2026-06-30")
    pd.testing.assert_frame_equal(before, same)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: cycles.next_due(pd.DataFrame()), KindError, "checked transactions"),
        (lambda: cycles.next_due(orders({"a": [1], "b": [2]})), InputError, "none of 2 households bought on two days"),
        (lambda: cycles.next_due(orders({"a": [1, 9]}), centre="mode"), InputError, "centre='mode'"),
        (lambda: cycles.next_due(orders({"a": [1, 9]}), borrowed_gaps=-1), InputError, "borrowed_gaps=-1"),
        (lambda: cycles.next_due(orders({"a": [1, 9]}), window_days=1.5), InputError, "window_days=1.5"),
        (lambda: cycles.next_due(orders({"a": [1, 9]}), as_of="2020-01-01"), InputError, "before the first purchase"),
        (lambda: cycles.back_test(orders({"a": [1, 9, 17]}), cut="2025-01-15"), InputError, "cut earlier"),
        (
            lambda: cycles.back_test(orders({"a": [0, 5, 10, 200], "b": [0, 5, 10]}), cut="2025-03-30"),
            InputError,
            "none of 2 households is due",
        ),
    ],
)
def test_what_cannot_be_answered_is_refused_with_the_reason(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_million_rows_take_seconds():
    import time

    random = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "customer_id": random.integers(0, 100_000, 1_000_000),
            "ordered_at": pd.Timestamp("2025-01-01") + pd.to_timedelta(random.integers(0, 700, 1_000_000), unit="D"),
            "amount": 5.0,
            "brand": random.choice(["National", "Private"], 1_000_000),
            "quantity": 1,
        }
    )
    table = Transactions.read(frame)
    before = time.process_time()
    cycles.next_due(table)
    from crmkit.segmentation import brands

    brands.matrix(brands.usage(table))
    assert time.process_time() - before < 12  # about 2 on a quiet machine


@pytest.mark.parametrize("window", [4, 10], ids=["windows apart", "windows that overlap"])
def test_a_day_by_lot_is_the_mean_over_all_days_of_one_cycle(window):
    """Counted day by day, household by household."""
    days, _ = gamma_shop(np.random.default_rng(3), households=500)
    found = cycles.back_test(orders(days), cut="2026-06-30", window_days=window)
    known = cycles.next_due(orders(days), as_of="2026-06-30", window_days=window)
    cut, end = pd.Timestamp("2026-06-30"), max(max(when) for when in days.values())
    first = pd.Timestamp("2025-01-01")
    judged = known[(known["due"] > cut) & (known["window_to"] <= first + pd.Timedelta(days=int(end)))]
    at, span = (cut - first).days, int(np.floor(found.attrs["category_cycle_days"] + 0.5))
    rates = [
        np.mean([np.any(np.abs(days[who][days[who] > at] - at - day) <= window) for day in range(1, span + 1)])
        for who in judged.index
    ]
    assert found.loc[cycles.METHODS[4], "households"] == len(judged)
    assert found.loc[cycles.METHODS[4], "hits"] == round(sum(rates))
