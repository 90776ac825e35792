"""Customers out of pairs, chains among them, and the grade against the truth."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit import datasets
from crmkit.errors import ColumnError, InputError, KindError
from crmkit.tables import identity

IDS = [f"r{i}" for i in range(8)]
RECORDS = pd.DataFrame({"record_id": IDS})
some_pairs = st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from(IDS)).filter(lambda p: p[0] != p[1]), max_size=10)
some_labels = st.lists(st.integers(0, 3), min_size=len(IDS), max_size=len(IDS))


def links(pairs: list[tuple]) -> pd.DataFrame:
    return pd.DataFrame(pairs, columns=["left", "right"])


# --- clusters -----------------------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(some_pairs, st.randoms())
def test_clusters_are_the_connected_components_named_after_the_smallest_id(pairs, random):
    # Another implementation: networkx.
    import networkx as nx

    graph = nx.Graph(pairs)
    graph.add_nodes_from(IDS)
    wanted = {record: min(part) for part in nx.connected_components(graph) for record in part}
    found = identity.clusters(RECORDS, links(pairs))
    assert found.to_dict() == wanted
    assert found.index.name == "record_id"
    shuffled = RECORDS.sample(frac=1, random_state=random.randrange(1000))
    turned = links([pair[::-1] for pair in random.sample(pairs, len(pairs))])
    assert identity.clusters(shuffled, turned).to_dict() == wanted


def test_a_corrected_verdict_counts_and_a_threshold_needs_more_than_a_household():
    pairs = pd.DataFrame(
        {"left": ["r0", "r1", "r2"], "right": ["r1", "r2", "r3"], "score": [9.0, 5.0, 10.0]}
        | {"verdict": ["same", "review", "review"], "personal": [True, True, False]}
    )
    assert identity.clusters(RECORDS, pairs).nunique() == 7
    assert identity.clusters(RECORDS, pairs.assign(verdict=["same", "same", "review"])).nunique() == 6
    assert identity.clusters(RECORDS, pairs, threshold=5).nunique() == 6  # r2 and r3 share a telephone only
    assert identity.clusters(RECORDS, pairs, threshold=9.5).nunique() == 8


def test_no_records_no_pairs_and_whole_numbers():
    assert identity.clusters(RECORDS.head(0), links([])).empty
    assert identity.clusters(RECORDS.head(1), links([])).to_dict() == {"r0": "r0"}
    assert identity.clusters(pd.DataFrame({"record_id": [3, 1, 2]}), links([(3, 1)])).to_dict() == {3: 1, 1: 1, 2: 2}


def test_unknown_and_repeated_ids_are_refused():
    with pytest.raises(InputError, match="1 ids in 'right' are not among the records, such as 'x'"):
        identity.clusters(RECORDS, links([("r0", "x")]))
    with pytest.raises(InputError, match=r"'r0' \(2 rows\)"):
        identity.clusters(pd.concat([RECORDS, RECORDS.head(1)]), links([]))
    with pytest.raises(ColumnError, match="records has no column 'record_id'"):
        identity.clusters(RECORDS.rename(columns={"record_id": "id"}), links([]))
    with pytest.raises(ColumnError, match="pairs has no column 'personal'"):
        identity.clusters(RECORDS, links([]).assign(score=1.0), threshold=3)


# --- chains -------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(some_pairs, st.lists(st.sampled_from([1.0, 3.0, 9.0]), min_size=10, max_size=10))
def test_chains_are_the_customers_with_two_records_that_do_not_fit(pairs, scores):
    # By the words of the definition, pair by pair.
    unique = {frozenset(pair): score for pair, score in zip(pairs, scores, strict=False)}
    scored = pd.DataFrame([(*sorted(p), s) for p, s in unique.items()], columns=["left", "right", "score"])
    scored["verdict"] = np.where(scored["score"] >= 8, "same", "review")
    customer = identity.clusters(RECORDS, scored)
    wanted = set()
    for name, members in customer.groupby(customer).groups.items():
        inner = [unique.get(frozenset(p), -np.inf) for p in itertools.combinations(members, 2)]
        if len(members) > 2 and min(inner) < 2:
            wanted.add(name)
    found = identity.chains(customer, scored, weakest=2)
    assert set(found["customer_id"]) == wanted
    for row in found.itertuples():
        assert customer[row.left] == customer[row.right] == row.customer_id
        weakest = unique.get(frozenset({row.left, row.right}))
        assert np.isnan(row.weakest_score) if weakest is None else row.weakest_score == weakest < 2


def test_the_malls_chains_are_what_a_person_should_look_at():
    mall = datasets.load("mall")
    normalised = identity.normalise(mall.records)
    pairs = identity.match(normalised)
    customer = identity.clusters(normalised, pairs)
    found = identity.chains(customer, pairs)
    assert found["records"].min() >= 3
    assert len(found) < 10
    assert (
        identity.chains(customer, pairs, weakest=30)["records"].sum()
        == customer.groupby(customer).filter(lambda c: len(c) > 2).size
    )


# --- evaluate -----------------------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(some_labels, some_labels)
def test_precision_and_recall_by_counting_every_pair(found, true):
    clusters, truth = pd.Series(found, index=IDS), pd.Series(true, index=IDS)
    right = wrong = missed = 0
    for a, b in itertools.combinations(IDS, 2):
        joined, together = clusters[a] == clusters[b], truth[a] == truth[b]
        right, wrong, missed = right + (joined and together), wrong + (joined > together), missed + (together > joined)
    grade = identity.evaluate(clusters, truth)
    assert grade[["right_pairs", "wrong_pairs", "missed_pairs"]].to_list() == [right, wrong, missed]
    np.testing.assert_allclose(grade["precision"], right / (right + wrong) if right + wrong else np.nan)
    np.testing.assert_allclose(grade["recall"], right / (right + missed) if right + missed else np.nan)
    if right:
        precision, recall = grade["precision"], grade["recall"]
        np.testing.assert_allclose(grade["f1"], 2 * precision * recall / (precision + recall))
    turned = identity.evaluate(truth, clusters)  # seen from the other side, precision and recall change places
    np.testing.assert_allclose(turned[["precision", "recall"]].to_list(), grade[["recall", "precision"]].to_list())


def test_the_truth_itself_is_perfect_and_nothing_joined_has_no_precision():
    truth = pd.DataFrame({"record_id": IDS, "person_id": list("aabbcdef")})
    perfect = identity.evaluate(truth.set_index("record_id")["person_id"], truth)
    assert perfect[["precision", "recall", "f1", "wrong_pairs"]].to_list() == [1, 1, 1, 0]
    alone = identity.evaluate(pd.Series(IDS, index=IDS), truth)
    assert np.isnan(alone["precision"])
    assert alone["recall"] == 0


def test_records_without_truth_are_refused():
    clusters = pd.Series(IDS, index=IDS)
    with pytest.raises(InputError, match="1 records have no person in the truth, such as 'r7'"):
        identity.evaluate(clusters, pd.Series(IDS, index=IDS).drop("r7"))
    with pytest.raises(InputError, match="1 records of the truth have no customer, such as 'r7'"):
        identity.evaluate(clusters.drop("r7"), pd.Series(IDS, index=IDS))
    with pytest.raises(KindError, match="truth must be a Series or a DataFrame, not dict"):
        identity.evaluate(clusters, {})
    with pytest.raises(KindError, match="a Series of customers"):
        identity.evaluate(list(IDS), pd.Series(IDS, index=IDS))
    with pytest.raises(InputError, match="1 records have no customer"):
        identity.evaluate(clusters.where(clusters != "r3"), pd.Series(IDS, index=IDS))


# --- on the mall, whose truth is known -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mall():
    shop = datasets.load("mall")
    normalised = identity.normalise(shop.records)
    return normalised, shop.truth_identity, identity.match(normalised, every=True)


def test_the_default_finds_nine_of_ten_duplicates_and_hardly_joins_strangers(mall):
    """Floors: the defaults were set on other seeds; on eight seeds (20 to 27) precision was .987 to 1.000 and recall .893
    to .936. What is missed are pairs that share a name and a postcode and nothing else: no table can tell them apart."""
    normalised, truth, pairs = mall
    grade = identity.evaluate(identity.clusters(normalised, pairs), truth)
    assert grade["precision"] >= 0.98
    assert grade["recall"] >= 0.88
    missed = 1 - grade["recall"]
    blind = 1 - identity.curve(pairs, truth, thresholds=[2])["recall"][0]
    assert blind < 0.03 < missed  # nearly all that is missed was seen and left for a person to decide


def test_no_single_field_does_it(mall):
    normalised, truth, pairs = mall
    ours = identity.evaluate(identity.clusters(normalised, pairs), truth)
    for field in ("name", "phone", "email"):
        alone = normalised[field].where(normalised[field].notna(), normalised.index.to_series())
        grade = identity.evaluate(alone.rename("customer_id"), truth)
        assert grade["f1"] < ours["f1"] - 0.15, field
        assert grade["precision"] < ours["precision"], field


def test_without_dirt_and_families_nearly_everything_is_found():
    firm = datasets.simulate("mall", customers=800, seed=3, dirt=0, families=0)
    normalised = identity.normalise(firm.records)
    grade = identity.evaluate(identity.clusters(normalised, identity.match(normalised)), firm.truth_identity)
    assert grade["precision"] >= 0.995
    assert grade["recall"] >= 0.97  # numbers, addresses and names still change over the years


def test_more_dirt_costs_recall_before_precision():
    grades = []
    for dirt in (0, 1, 3):
        firm = datasets.simulate("mall", customers=800, seed=3, dirt=dirt)
        normalised = identity.normalise(firm.records)
        grades.append(identity.evaluate(identity.clusters(normalised, identity.match(normalised)), firm.truth_identity))
    recall = [grade["recall"] for grade in grades]
    assert recall[0] > recall[1] > recall[2]
    assert min(grade["precision"] for grade in grades) > 0.93


def test_the_curve_trades_precision_for_recall(mall):
    _, truth, pairs = mall
    curve = identity.curve(pairs, truth)
    assert curve["threshold"].is_monotonic_increasing
    assert (curve["recall"].diff().dropna() <= 1e-12).all()
    assert curve["customers"].is_monotonic_increasing
    low, high = curve.iloc[0], curve.iloc[-1]
    assert low["precision"] < 0.7 < 0.99 < high["precision"]
    chosen = identity.curve(pairs, truth, thresholds=[8]).iloc[0]
    direct = identity.evaluate(identity.clusters(pd.DataFrame({"record_id": truth["record_id"]}), pairs), truth)
    assert chosen[direct.index].to_list() == direct.to_list()


def test_a_curve_of_nothing_is_refused():
    with pytest.raises(InputError, match="there is no pair to take thresholds from"):
        identity.curve(links([]).assign(score=1.0, personal=True), pd.Series(IDS, index=IDS))


def test_twenty_five_thousand_records_take_seconds():
    """CPU seconds with room for a slow machine; 101,224 records took 9.8 (docs/design.md)."""
    import time

    records = datasets.simulate("mall", customers=20_000, seed=8).records
    start = time.process_time()
    normalised = identity.normalise(records)
    pairs = identity.match(normalised)
    customer = identity.clusters(normalised, pairs)
    identity.chains(customer, pairs)
    assert identity.merge(records, customer).reconciles()
    assert len(records) > 24_000
    assert time.process_time() - start < 10
