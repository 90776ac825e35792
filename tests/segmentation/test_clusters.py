"""Clusters: planted groups are found again, the row order decides nothing, indices equal scikit-learn's, usefulness its closed form."""

import resource

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.errors import ColumnError, InputError, KindError
from crmkit.segmentation import clusters

LABELS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=60)


def planted(customers=600, seed=3, centres=((1, 2, 20), (5, 30, 900), (120, 3, 60))) -> tuple[pd.DataFrame, np.ndarray]:
    """Three kinds of customers, each with its own days, orders and money (log-normal around a centre), and the truth."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, len(centres), customers)
    values = np.asarray(centres, float)[truth] * np.exp(random.normal(0, 0.18, (customers, 3)))
    frame = pd.DataFrame(values, columns=["recency_days", "orders", "spend"], index=pd.RangeIndex(1, customers + 1))
    return frame.rename_axis("customer_id"), truth


# --- preparation ------------------------------------------------------------------------------------------------------


def test_preparation_is_logs_limits_and_scaling_as_stated():
    people, _ = planted()
    ready = clusters.prepare(people, winsorise=0.05)
    ordered = np.sort(people["spend"].to_numpy())
    low, high = ordered[int(np.ceil(0.05 * 600)) - 1], ordered[int(np.ceil(0.95 * 600)) - 1]
    assert ready.steps.loc["spend", ["low", "high"]].to_list() == [low, high]
    by_hand = np.log1p(people["spend"].clip(low, high))
    by_hand = (by_hand - by_hand.mean()) / by_hand.std(ddof=0)
    np.testing.assert_allclose(ready.apply(people)["spend"], by_hand)
    assert "log(1 + value)" in str(ready)
    assert f"{low:,.6g}" in str(ready)


def test_new_customers_are_prepared_with_what_was_learned_and_placed_with_their_like():
    people, _ = planted()
    found = clusters.cluster(people, 3)
    fresh, kinds = planted(seed=8)
    assert clusters.agreement(found.place(fresh).to_numpy(), kinds) == 1.0
    pd.testing.assert_series_equal(found.place(people), found.labels)
    far = pd.DataFrame({"recency_days": [1.0], "orders": [1e6], "spend": [1e9]})
    assert (found.preparation.apply(far) == found.preparation.apply(people).max())["spend"].all()


def test_without_scaling_the_column_with_the_largest_numbers_decides_alone():
    people, _ = planted()
    noise = people.assign(spend=np.random.default_rng(1).permutation(people["spend"]) * 1000)
    raw = clusters.cluster(noise, 2, preparation=clusters.prepare(noise, log=False, scale=False)).labels
    money = clusters.cluster(noise, 2, preparation=clusters.prepare(noise, ["spend"], log=False, scale=False)).labels
    assert clusters.agreement(raw, money) == 1.0
    assert clusters.agreement(raw, clusters.cluster(noise, 2).labels) < 0.5


# --- clusters ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", clusters.METHODS)
def test_planted_groups_are_recovered_and_numbered_by_money(method):
    people, truth = planted()
    found = clusters.cluster(people, 3, method=method)
    assert clusters.agreement(found.labels.to_numpy(), truth) == 1.0
    means = people["spend"].groupby(found.labels).median()
    assert means.is_monotonic_decreasing
    assert found.explained > 0.9
    assert repr(found).startswith(f"3 clusters by {method} of 600 customers")


@given(st.integers(0, 10_000), st.integers(2, 5))
@settings(deadline=None, max_examples=8)
def test_neither_order_of_rows_nor_ids_matter(seed, k):
    random = np.random.default_rng(seed)
    people = pd.DataFrame(
        {
            "recency_days": random.integers(0, 90, 60),
            "orders": random.geometric(0.1, 60),
            "spend": random.gamma(1, 90, 60),
        }
    )
    found, shuffle = clusters.cluster(people, k).labels, random.permutation(60)
    pd.testing.assert_series_equal(clusters.cluster(people.iloc[shuffle], k).labels.sort_index(), found)
    named = people.set_axis([f"c{number}" for number in shuffle])
    np.testing.assert_array_equal(clusters.cluster(named, k).labels, found)
    twins = clusters.cluster(pd.concat([people, people]), k).labels
    assert (twins.iloc[:60].to_numpy() == twins.iloc[60:].to_numpy()).all()


def test_k_means_is_as_good_as_scikit_learns_own():
    from sklearn.cluster import KMeans

    people, _ = planted()
    points = clusters.prepare(people).apply(people)
    own = KMeans(4, n_init=50, random_state=0).fit(points)
    total = ((points - points.mean()) ** 2).to_numpy().sum()
    found = clusters.cluster(people, 4, starts=50)
    assert found.explained == pytest.approx(1 - own.inertia_ / total, abs=1e-4)


def test_many_customers_are_clustered_from_a_sample_s_starts_in_little_time():
    """Measured at 1 M × 3: 1.5 CPU seconds; here a fifth of it with room for a slow machine."""
    random, count = np.random.default_rng(1), 200_000
    people, truth = planted(count, centres=((1, 2, 20), (5, 30, 900), (120, 3, 60)))
    clusters.cluster(people.head(100), 3)  # imports are not counted
    before = resource.getrusage(resource.RUSAGE_SELF)
    found = clusters.cluster(people.iloc[random.permutation(count)], 3)
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 3
    assert clusters.agreement(found.labels.sort_index().to_numpy(), truth) > 0.999


def test_inputs_stay_as_they_are():
    people, _ = planted()
    before = people.copy(deep=True)
    found = clusters.cluster(people, 3)
    clusters.profile(people, found.labels)
    pd.testing.assert_frame_equal(people, before)


# --- choice of k ------------------------------------------------------------------------------------------------------


def test_the_planted_number_of_groups_wins_by_silhouette_and_comes_again():
    from sklearn.metrics import silhouette_score

    people, truth = planted()
    later = pd.Series(np.where(truth == 1, 100.0, 10.0), index=people.index)
    table = clusters.choose_k(people, ks=[2, 3, 4, 5], later=later, draws=4)
    assert table["silhouette"].idxmax() == 3
    assert table.loc[5, "stability_low"] < 0.9  # two of three kinds together come again as well, parts of a kind do not
    assert table.loc[3, "stability"] == 1.0
    assert table.loc[3, "useful"] == pytest.approx(1.0)
    assert table["explained"].is_monotonic_increasing
    found = clusters.cluster(people, 3)
    expected = silhouette_score(found.preparation.apply(people), found.labels)
    assert table.loc[3, "silhouette"] == pytest.approx(expected)  # 600 customers: all of them are the sample


def test_a_cloud_without_groups_is_split_anyway_and_silhouette_and_halves_tell():
    random = np.random.default_rng(2)
    cloud = pd.DataFrame(random.normal(50, 5, (600, 3)), columns=["recency_days", "orders", "spend"])
    table = clusters.choose_k(cloud, ks=[5], draws=4)
    assert table.loc[5, "silhouette"] < 0.3
    assert table.loc[5, "stability"] < 0.8
    assert table.loc[5, "smallest"] > 0
    assert table["useful"].isna().all()


# --- usefulness and agreement -----------------------------------------------------------------------------------------


def test_usefulness_is_the_share_of_variance_between_groups():
    """Closed form: means 0 and d, noise of variance v, halves: d²/4 / (d²/4 + v); other customers' means cost about (groups − 1)/n."""
    random, count = np.random.default_rng(4), 40_000
    label = pd.Series(random.integers(0, 2, count))
    money = label * 6.0 + random.normal(0, 4, count)
    found = clusters.usefulness(label, money, draws=100)
    assert found.value == pytest.approx(9 / (9 + 16), abs=0.01)
    assert found.low < 9 / 25 < found.high


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=25)
def test_labels_by_lot_are_of_no_use_however_many(seed):
    """In sample, 50 groups of 200 customers explain a quarter of any noise; judged on others they explain nothing."""
    random = np.random.default_rng(seed)
    label = pd.Series(random.integers(0, 50, 200))
    assert clusters.usefulness(label, pd.Series(random.normal(size=200)), draws=2).value < 0.1


def test_usefulness_names_and_order_do_not_matter_and_absent_customers_spent_nothing():
    people, truth = planted(100)
    label = pd.Series(truth, index=people.index)
    later = people["spend"].iloc[:90]
    found = clusters.usefulness(label, later, draws=5)
    renamed = label.map({0: "x", 1: "y", 2: "z"}).sample(frac=1, random_state=1)
    assert clusters.usefulness(renamed, later.iloc[::-1], draws=5) == found
    assert clusters.usefulness(label, later.reindex(people.index, fill_value=0.0), draws=5) == found


@given(LABELS)
@settings(deadline=None)
def test_agreement_is_scikit_learns_adjusted_rand_index(pairs):
    from sklearn.metrics import adjusted_rand_score

    one, other = map(list, zip(*pairs, strict=True))
    expected = adjusted_rand_score(one, other)
    assert clusters.agreement(one, other) == pytest.approx(expected, abs=1e-12)
    assert clusters.agreement(other, [chr(97 + label) for label in one]) == pytest.approx(expected, abs=1e-12)


def test_agreement_compares_customers_and_not_places():
    one = pd.Series(["a", "a", "b", "b"], index=[1, 2, 3, 4])
    assert clusters.agreement(one, pd.Series([7, 7, 8, 8, 9], index=[4, 3, 2, 1, 5])) == 1.0


# --- profiles ---------------------------------------------------------------------------------------------------------


def test_profiles_say_medians_shares_and_names_from_the_thirds():
    people, _ = planted()
    found = clusters.cluster(people, 3)
    table = clusters.profile(people, found.labels)
    assert table["customers"].sum() == 600
    assert table["share_of_spend"].sum() == pytest.approx(1)
    for each in (1, 2, 3):
        part = people[found.labels == each]
        assert table.loc[each, "median_spend"] == part["spend"].median()
        assert table.loc[each, "orders"] == part["orders"].median()
        middle = part["orders"].median()
        place = (people["orders"] < middle).mean() + (people["orders"] == middle).mean() / 2
        assert table.loc[each, "orders_place"] == pytest.approx(place)
    assert table.loc[1, "segment"] == "often, much money"
    assert table.loc[2, "segment"] == "long away"
    own = clusters.profile(people, found.labels, ["orders"], words={"orders": ("rare", "regular")})
    assert own.loc[1, "segment"] == "regular"


def test_an_extreme_cluster_is_named_in_plain_words():
    people = pd.DataFrame({"recency_days": range(100)})
    labels = pd.Series([1] * 5 + [2] * 90 + [3] * 5)
    table = clusters.profile(people.assign(spend=1.0), labels, ["recency_days"])
    assert table["segment"].to_list() == ["here just now", "in the middle", "very long away"]


def test_two_clusters_with_one_name_are_told_apart():
    people = pd.DataFrame({"orders": [1, 1, 1, 1, 50, 60], "spend": [1.0] * 6})
    table = clusters.profile(people, pd.Series([3, 3, 2, 2, 1, 1]), ["orders"])
    assert table["segment"].is_unique
    assert table.loc[3, "segment"] == "in the middle (cluster 3)"


# --- bad input --------------------------------------------------------------------------------------------------------

PEOPLE = planted(50)[0]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: clusters.prepare(PEOPLE["spend"]), KindError, "Series"),
        (lambda: clusters.prepare(PEOPLE, ["spnd"]), ColumnError, "Did you mean 'spend'"),
        (lambda: clusters.prepare(PEOPLE, log=["spnd"]), ColumnError, "not among the columns"),
        (lambda: clusters.prepare(PEOPLE.assign(spend="x")), KindError, "'x'"),
        (lambda: clusters.prepare(PEOPLE.assign(spend=np.nan)), InputError, "50 of 50 values missing"),
        (lambda: clusters.prepare(PEOPLE.assign(orders=3)), InputError, "'orders' is .* for all 50"),
        (lambda: clusters.prepare(PEOPLE.assign(spend=PEOPLE["spend"] - 50)), InputError, "values below 0"),
        (lambda: clusters.prepare(PEOPLE, winsorise=0.5), InputError, "winsorise=0.5"),
        (lambda: clusters.prepare(PEOPLE.iloc[:0]), InputError, "0 customers"),
        (lambda: clusters.cluster(PEOPLE, 1), InputError, "k=1"),
        (lambda: clusters.cluster(PEOPLE, True), InputError, "k=True"),
        (lambda: clusters.cluster(PEOPLE, 2, method="kmeans"), InputError, "Did you mean 'k-means'"),
        (lambda: clusters.cluster(PEOPLE.iloc[[0, 0, 1]], 3), InputError, "there are 2"),
        (lambda: clusters.choose_k(PEOPLE, ks=[20]), InputError, "50 customers are too few"),
        (lambda: clusters.usefulness(pd.Series([1, None]), pd.Series([1, 2])), InputError, "1 labels"),
        (lambda: clusters.usefulness(pd.Series([1, 2]), pd.Series([5, 5])), InputError, "nothing to foresee"),
        (lambda: clusters.usefulness(pd.Series([1, 2]), pd.Series([5, 6], index=[8, 9])), InputError, "nobody"),
        (lambda: clusters.agreement([1, 2], [1]), InputError, "2 and 1 labels"),
        (lambda: clusters.agreement([1, None], [1, 2]), InputError, "1 labels are missing"),
        (lambda: clusters.profile(PEOPLE, pd.Series([1], index=[1])), InputError, "49 of 50 customers"),
    ],
)
def test_what_cannot_be_used_is_told(call, error, words):
    with pytest.raises(error, match=words):
        call()
