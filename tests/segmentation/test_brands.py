"""Nine cells, shrunk shares and the test of heavy users: hand-computed rows, another implementation, simulated truth, invariants."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from crmkit import datasets
from crmkit.errors import ColumnError, InputError, KindError
from crmkit.segmentation import brands
from crmkit.tables import Transactions

ROWS = pd.DataFrame(
    [
        # ann: two trips, one of them mixed (2 store units of 3); bea: one trip, store; cleo: a row of quantity 0 only
        ("ann", "2026-01-01 09:00", 3.0, "National", 1),
        ("ann", "2026-02-01 09:00", 2.0, "Private", 2),
        ("ann", "2026-02-01 18:00", 3.0, "National", 1),
        ("bea", "2026-01-05 10:00", 2.0, "Private", 1),
        ("bea", "2026-01-06 10:00", -2.0, "Private", 1),
        ("cleo", "2026-01-07 10:00", 0.0, "National", 0),
        ("dora", "2026-01-07 10:00", 6.0, "National", 2),
        ("dora", "2026-01-08 10:00", 6.0, None, 2),
    ],
    columns=["customer_id", "ordered_at", "amount", "brand", "quantity"],
)


def people(trips, store_trips, **more):
    table = pd.DataFrame({"trips": trips, "store_trips": np.asarray(store_trips, dtype=float), **more})
    return table.assign(store_share=table["store_trips"] / table["trips"].where(table["trips"] > 0))


def drawn(random, a, b, trips):
    """Households whose true shares follow a beta distribution, seen on so many trips."""
    true = random.beta(a, b, len(trips))
    return people(trips, random.binomial(trips, true), quantity=trips), true


# --- from rows to households ------------------------------------------------------------------------------------------


def test_usage_by_hand():
    found = brands.usage(Transactions.read(ROWS))
    expected = pd.DataFrame(
        {
            "trips": [2, 1, 0, 1],
            "store_trips": [0.666667, 1.0, 0.0, 0.0],
            "quantity": [4, 1, 0, 2],
            "store_quantity": [2, 1, 0, 0],
            "spend": [8.0, 0.0, 0.0, 12.0],
            "rows_without_quantity": [0, 0, 1, 0],
        },
        index=pd.Index(["ann", "bea", "cleo", "dora"], name="customer_id"),
    )
    pd.testing.assert_frame_equal(found[expected.columns], expected, check_dtype=False, check_index_type=False)
    assert found["store_share"].round(3).to_dict() == pytest.approx(
        {"ann": 0.333, "bea": 1.0, "cleo": np.nan, "dora": 0.0}, nan_ok=True
    )
    assert [found.attrs[name] for name in ("refund_rows", "rows_without_quantity", "rows_without_brand")] == [1, 1, 1]


def test_without_a_quantity_a_line_is_one_unit():
    found = brands.usage(Transactions.read(ROWS.drop(columns="quantity")))
    assert found.attrs["unit"] == "lines"
    assert found.loc["ann", ["quantity", "store_trips"]].to_list() == [3, 0.5]


def test_complete_journey_s_adult_analgesics_as_measured_before_the_lesson():
    """Field notes, measured with pandas on the published files: 830 users, 468 national, 220 store, 139 switchers, 3 without,
    if loyal means only ever the one kind; 56 % bought on one trip."""
    journey = datasets.load("complete_journey")
    adult = journey.products.query("product_type == 'ADULT ANALGESICS'")["product_id"]
    found = brands.matrix(brands.usage(journey.transactions.where("product_id", adult)), loyal=(0, 1))
    counts = found["brand_type"].value_counts()
    assert counts[["national", "store", "switcher", "unknown"]].to_list() == [468, 220, 139, 3]
    assert (len(found), round(found["one_trip"].mean(), 2)) == (830, 0.56)


def test_a_brand_is_the_same_in_capitals_and_with_blanks_and_an_empty_name_is_no_brand():
    spelt = ROWS.assign(brand=["National", " private", "NATIONAL", "PRIVATE ", "Private", "National", "National", " "])
    plain, found = (brands.usage(Transactions.read(rows)) for rows in (ROWS, spelt))
    pd.testing.assert_frame_equal(found, plain)
    assert found.attrs["rows_without_brand"] == 1


def test_several_brands_can_be_the_store_s_own_and_a_brand_can_be_a_number():
    numbered = ROWS.dropna().replace({"brand": {"National": 3, "Private": 7}}).astype({"brand": int})
    plain = brands.usage(Transactions.read(ROWS.dropna()))
    for own in (7, "7", [7, 8]):
        found = brands.usage(Transactions.read(numbered), store_brand=own)
        pd.testing.assert_frame_equal(found, plain)
    every = brands.usage(Transactions.read(ROWS), store_brand=["National", "Private"])
    assert every["store_share"].dropna().eq(1).all()


@pytest.mark.parametrize(("store", "national", "trips"), [(3, 2, 3), (4, 1, 1), (1, 4, 1)])
def test_a_bound_is_reached_whatever_the_digits_of_a_computer(store, national, trips):
    """Units of mixed trips: 2.4 of 3 trips are 0.8, though 2.4 / 3 is 0.7999999999999999 in a computer."""
    rows = pd.DataFrame(
        [(f"2026-01-{day:02}", brand, units) for day, brand, units in (
            [(1, "Private", store), (1, "National", national)] if trips == 1
            else [(1, "Private", 4), (1, "National", 1), (2, "Private", 4), (2, "National", 1), (3, "Private", 4), (3, "National", 1)]
        )],
        columns=["ordered_at", "brand", "quantity"],
    ).assign(customer_id="a", amount=1.0)  # fmt: skip
    users = brands.usage(Transactions.read(rows))
    kind = "national" if store < national else "store"
    assert brands.matrix(users)["brand_type"].to_list() == [kind]
    fit = brands.Shares(1, 1, 1, 1, 0.0)
    sure = fit.label(users)
    assert sure["certainty"].iloc[0] == sure[kind].iloc[0]
    assert brands.switchers_by_trips(users, fit)["switchers"].sum() == 0


def test_what_is_expected_of_switchers_is_summed_over_all_outcomes():
    """Beta-binomial chances by their definition, for one household each of 2, 5 and 10 trips; bounds are loyal."""
    from math import comb

    from scipy.special import beta

    a, b = 0.7, 1.3
    table = people([2, 5, 10], [1, 1, 2])
    found = brands.switchers_by_trips(table, brands.Shares(a, b, 3, 3, 0.0), groups=(1, 3, 6))
    inside = {2: [1], 5: [2, 3], 10: [3, 4, 5, 6, 7]}
    expected = [sum(comb(n, k) * beta(a + k, b + n - k) / beta(a, b) for k in ks) for n, ks in inside.items()]
    assert found["expected"].to_list() == pytest.approx(expected)
    assert found["switchers"].to_list() == [1, 0, 0]


def test_one_estimate_of_moments_agrees_with_the_likelihood():
    """Many households with the same number of trips: mean and correlation of a beta-binomial have a closed form."""
    n = 6
    table, _ = drawn(np.random.default_rng(21), 1.2, 2.4, np.full(20_000, n))
    share = table["store_trips"] / n
    mean = share.mean()
    rho = (share.var() * n / (mean * (1 - mean)) - 1) / (n - 1)  # 1 / (a + b + 1)
    found = brands.fit_shares(table)
    assert found.mean == pytest.approx(mean, abs=0.003)
    assert 1 / (found.a + found.b + 1) == pytest.approx(rho, rel=0.04)


@given(st.randoms(use_true_random=False), st.integers(1, 9))
@settings(deadline=None, max_examples=8)
def test_order_and_repeats_of_rows_do_not_change_labels_and_the_unit_of_quantity_moves_no_cell(random, scale):
    rows = ROWS.sample(frac=1, random_state=random.randrange(1000)).assign(
        quantity=lambda table: table["quantity"] * scale
    )
    other = pd.concat([rows, rows])  # the same receipts twice: no further trip, no other share
    plain = brands.matrix(brands.usage(Transactions.read(ROWS)))
    for frame in (rows, other):
        found = brands.matrix(brands.usage(Transactions.read(frame, duplicates="flag")))
        columns = ["trips", "store_trips", "brand_type", "use", "cell"]
        pd.testing.assert_frame_equal(found[columns], plain[columns])


# --- nine cells -------------------------------------------------------------------------------------------------------


def test_bounds_belong_to_the_loyal_and_cut_points_to_the_lower_use():
    table = people([5, 5, 5, 5], [1, 2, 4, 5], quantity=[1, 2, 3, 4])
    found = brands.matrix(table, cuts=(1, 3))
    assert found["brand_type"].to_list() == ["national", "switcher", "store", "store"]
    assert found["use"].to_list() == ["low", "medium", "medium", "high"]


def test_who_chose_once_can_be_shown_apart():
    table = people([1, 1, 3, 0], [0, 1, 1, 0], quantity=[1, 5, 3, 0], spend=[1.0, 2, 3, 4])
    found = brands.matrix(table, least_trips=2)
    assert found["brand_type"].to_list() == ["too few trips", "too few trips", "switcher", "unknown"]
    table = brands.cells(found)
    assert table["households"].sum() == 4
    assert table["share_of_households"].to_list() == (table["households"] / 4).to_list()
    assert table["share_of_spend"].to_list() == pytest.approx((table["spend"] / 10).to_list())
    assert table.loc["too few trips", "one_trip"].sum() == 2
    assert [pair for pair in table.index if pair[0] in ("national", "store", "switcher")] == [
        (kind, use) for kind in ("national", "store", "switcher") for use in ("low", "medium", "high")
    ]


def test_thirds_are_values_that_occur_and_whoever_has_no_trip_needs_no_use():
    table = people([1] * 9 + [0], [0] * 10, quantity=[*range(1, 10), np.nan])
    found = brands.matrix(table)
    assert found.attrs["cuts"] == (3, 6)
    assert found["use"].value_counts().to_list() == [3, 3, 3]
    assert found["cell"].iloc[-1] == "unknown"


@given(
    st.lists(st.tuples(st.integers(0, 12), st.floats(0, 1), st.integers(1, 40)), min_size=1, max_size=40),
    st.tuples(st.floats(0, 0.49), st.floats(0.51, 1)),
)
@settings(deadline=None)
def test_every_household_is_in_one_cell_and_stricter_loyalty_makes_no_fewer_switchers(seen, loyal):
    trips, share, quantity = (np.array(column) for column in zip(*seen, strict=True))
    table = people(trips, np.round(share * trips), quantity=quantity, spend=quantity * 2.0)
    found = brands.matrix(table, loyal=loyal)
    assert brands.cells(found)["households"].sum() == len(table)
    assert found["use"].isna().equals(found["brand_type"] == "unknown")
    strict = brands.matrix(table, loyal=(0, 1))
    assert (found["brand_type"] == "switcher").sum() <= (strict["brand_type"] == "switcher").sum()
    pd.testing.assert_series_equal(brands.matrix(table.iloc[::-1], loyal=loyal)["cell"].iloc[::-1], found["cell"])


# --- how sure is a label ----------------------------------------------------------------------------------------------


def test_the_likelihood_is_that_of_the_beta_binomial_distribution_and_its_top_is_found():
    """scipy's betabinom, and a search over a grid."""
    trips = np.repeat([1, 2, 5, 9], 60)
    table, _ = drawn(np.random.default_rng(3), 0.6, 1.4, trips)
    found = brands.fit_shares(table)
    k = table["store_trips"].to_numpy()

    def likelihood(a, b):
        return stats.betabinom.logpmf(k, trips, a, b).sum()

    constant = np.log([stats.binom.pmf(x, n, 0.5) / 0.5**n for x, n in zip(k, trips, strict=True)]).sum()
    assert found.log_likelihood + constant == pytest.approx(likelihood(found.a, found.b))
    around = [likelihood(found.a * x, found.b * y) for x in (0.98, 1, 1.02) for y in (0.98, 1, 1.02)]
    assert max(around) == likelihood(found.a, found.b)
    assert (found.households, found.repeaters) == (240, 180)


def test_the_top_of_the_likelihood_is_found_where_it_is_flat():
    """Households that hardly differ, in 40 small categories: no point of a wide grid is better than what was found."""
    random = np.random.default_rng(12)
    for _ in range(40):
        trips = random.geometric(0.4, 60)
        table = people(trips, random.binomial(trips, 0.8))
        if not 0 < table["store_trips"].sum() < trips.sum():
            continue
        found = brands.fit_shares(table)
        constant = stats.binom.logpmf(table["store_trips"], trips, 0.5).sum() + trips.sum() * np.log(2)
        grid = [
            stats.betabinom.logpmf(table["store_trips"], trips, size * mean, size * (1 - mean)).sum() - constant
            for size in (1, 3, 10, 50, 400, 3000)
            for mean in (found.mean - 0.01, found.mean, found.mean + 0.01)
        ]
        assert found.log_likelihood >= max(grid) - 1e-6


@pytest.mark.parametrize(("a", "b"), [(0.4, 0.8), (2.5, 1.5)])
def test_the_spread_of_true_shares_is_found_again(a, b):
    random = np.random.default_rng(11)
    trips = 1 + random.geometric(0.35, 6000)
    table, true = drawn(random, a, b, trips)
    found = brands.fit_shares(table)
    assert (found.a, found.b) == pytest.approx((a, b), rel=0.12)
    kinds = [(true <= 0.2).mean(), (true >= 0.8).mean(), ((true > 0.2) & (true < 0.8)).mean()]
    assert found.types().to_list() == pytest.approx(kinds, abs=0.02)


def test_certainty_is_the_share_of_right_labels_and_intervals_keep_their_promise():
    """Of labels that are called 70 % sure, 70 % must be right: against the true shares of a simulation."""
    random = np.random.default_rng(7)
    table, true = drawn(random, 0.6, 1.0, random.integers(1, 12, 8000))
    sure = brands.fit_shares(table).label(table)
    kinds = brands.matrix(table)["brand_type"].astype(str).to_numpy()
    truly = np.select([true <= 0.2, true >= 0.8], ["national", "store"], "switcher")
    right = pd.Series(kinds == truly)
    for _, part in right.groupby(pd.cut(sure["certainty"], [0, 0.5, 0.65, 0.8, 1])):
        told = sure["certainty"][part.index].mean()
        assert part.mean() == pytest.approx(told, abs=4 * np.sqrt(told * (1 - told) / len(part)) + 0.01)
    assert ((sure["low"] <= true) & (true <= sure["high"])).mean() == pytest.approx(0.9, abs=0.015)
    shrunk, raw = ((share - true) ** 2 for share in (sure["shrunk_share"], table["store_share"]))
    assert shrunk.mean() < 0.8 * raw.mean()


def test_shrinkage_in_its_closed_form():
    table = people([1, 10, 0], [1, 10, 0])
    found = brands.Shares(0.5, 1.5, 3, 1, 0.0).label(table)
    assert found["shrunk_share"].to_list() == pytest.approx([1.5 / 3, 10.5 / 12, 0.25])
    assert found["store"].iloc[0] == pytest.approx(stats.beta.sf(0.8, 1.5, 1.5))
    assert found["certainty"].isna().to_list() == [False, False, True]


def test_switching_that_has_nothing_to_do_with_use_still_seems_to_grow_with_it():
    """Truth: one distribution of shares for everybody. Seen: one trip makes no switcher, many trips make many."""
    random = np.random.default_rng(5)
    trips = random.geometric(0.25, 8000)
    table, _ = drawn(random, 0.5, 0.9, trips)
    found = brands.switchers_by_trips(table, brands.fit_shares(table))
    assert found.loc["1", "share"] == found.loc["1", "expected"] == 0
    assert found.loc["10–19", "share"] > found.loc["2", "share"] + 0.1
    assert ((found["low"] - 0.01 <= found["expected"]) & (found["expected"] <= found["high"] + 0.01)).all()


def test_switching_that_really_grows_with_use_is_above_what_chance_expects():
    random = np.random.default_rng(5)
    trips = random.choice([2, 12], 8000)
    true = np.where(trips == 12, random.uniform(0.3, 0.7, 8000), random.integers(0, 2, 8000))
    table = people(trips, random.binomial(trips, true))
    found = brands.switchers_by_trips(table, brands.fit_shares(table))
    assert found.loc["10–19", "low"] > found.loc["10–19", "expected"] + 0.05
    assert found.loc["2", "high"] < found.loc["2", "expected"] - 0.05


def test_in_the_simulated_supermarket_the_estimates_are_near_its_truth():
    """The truth of sim:supermarket: each household's chance to take the store's brand, drawn apart from use."""
    firm = datasets.load("supermarket")
    users = brands.usage(firm.transactions.where("category", "painkillers").until("2025-08-17"))
    true = firm.truth_households.query("category == 'painkillers'").set_index("customer_id")["store_share"]
    found = brands.fit_shares(users)
    assert found.types()["switcher"] == pytest.approx(((true > 0.2) & (true < 0.8)).mean(), abs=0.03)
    seen = (brands.matrix(users)["brand_type"] == "switcher").mean()
    assert seen < found.types()["switcher"] - 0.03
    both = found.label(users).join(users["store_share"]).join(true.rename("true"), how="inner")
    assert both["true"].between(both["low"], both["high"]).mean() == pytest.approx(0.9, abs=0.04)
    shrunk, raw = (((both[name] - both["true"]) ** 2).mean() for name in ("shrunk_share", "store_share"))
    assert shrunk < 0.9 * raw


# --- bad input --------------------------------------------------------------------------------------------------------


def test_what_cannot_be_answered_is_refused_with_the_reason():
    with pytest.raises(KindError, match="checked transactions, not DataFrame"):
        brands.usage(ROWS)
    with pytest.raises(ColumnError, match="role brand"):
        brands.usage(Transactions.read(ROWS.drop(columns="brand")))
    with pytest.raises(InputError, match=r"'National'.*Did you mean 'Private'"):
        brands.usage(Transactions.read(ROWS), store_brand="Privat")
    with pytest.raises(InputError, match="no row is a purchase with a brand and a quantity above 0"):
        brands.usage(Transactions.read(ROWS.assign(quantity=0)))
    table = people([2, 3], [1, 1], quantity=[2, 3])
    with pytest.raises(InputError, match="usage: 'quantity' is missing in 1 of 2 rows"):
        brands.matrix(table.assign(quantity=[2, np.nan]))
    with pytest.raises(InputError, match="two shares between 0 and 1"):
        brands.matrix(table, loyal=(0.8, 0.2))
    with pytest.raises(InputError, match="lower one first"):
        brands.matrix(table, cuts=(3, 1))
    with pytest.raises(InputError, match="whole number from 1"):
        brands.matrix(table, least_trips=0)
    with pytest.raises(ColumnError, match="'quantty'"):
        brands.matrix(table, by="quantty")
    with pytest.raises(InputError, match="none of 2 households has two trips"):
        brands.fit_shares(people([1, 1], [0, 1]))
    with pytest.raises(InputError, match="5 trips are for national brands alone"):
        brands.fit_shares(people([2, 3], [0, 0]))
    with pytest.raises(InputError, match=r"in 1 of 2 households they are not, such as store_trips=3 of trips=2"):
        brands.fit_shares(people([2, 3], [3, 0]))
    with pytest.raises(InputError, match="must rise from 1"):
        brands.switchers_by_trips(table, brands.Shares(1, 1, 2, 2, 0.0), groups=(2, 4))
    with pytest.raises(KindError, match="matrix must be a DataFrame, not list"):
        brands.cells([1, 2])
    with pytest.raises(KindError, match=r"by='brand' holds .*must be a number"):
        brands.matrix(table.assign(brand=["a", "b"]), by="brand")
    for bounds in (0.8, ("a", "b"), (0.2, 0.5, 0.8), (0.2, 1.2), (np.nan, 0.8)):
        with pytest.raises(InputError, match=r"loyal=.*must be two shares between 0 and 1, the lower one first"):
            brands.matrix(table, loyal=bounds)
    with pytest.raises(InputError, match="cuts=3 must be two values of 'quantity'"):
        brands.matrix(table, cuts=3)
    with pytest.raises(InputError, match="level=90 must be a number above 0 and below 1"):
        brands.Shares(1, 1, 2, 2, 0.0).label(table, level=90)
    for trips, store_trips in (([1.5, 3], [1, 1]), ([2, 3], [np.nan, 1]), ([2, 3], [-1, 1]), (["two", 3], [1, 1])):
        odd = pd.DataFrame({"trips": trips, "store_trips": store_trips})
        with pytest.raises(InputError, match="trips must be whole and store_trips from 0 to trips, but in 1 of 2"):
            brands.fit_shares(odd)
    for none in ([], None, "Own"):
        with pytest.raises(
            InputError, match=r"no purchase is of store_brand=.*values of brand are 'National', 'Private'"
        ):
            brands.usage(Transactions.read(ROWS), store_brand=none)
