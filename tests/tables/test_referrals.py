"""Referral trees are counted right, and what cannot be true is told and not hidden."""

import networkx as nx
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.errors import ColumnError, InputError, KindError
from crmkit.tables.referrals import network


def links(*pairs: tuple[str, str | None]) -> pd.DataFrame:
    return pd.DataFrame(pairs, columns=["customer_id", "referred_by"])


TREE = links(("B", "A"), ("C", "A"), ("D", "B"), ("E", "D"), ("G", "F"))


def test_trees_and_key_persons_by_hand():
    found = network(TREE, on=None)
    assert found.trees.to_dict("list") == {
        "root": ["A", "F"], "members": [5, 2], "generations": [4, 2], "direct": [2, 1], "circle": [False, False],
    }  # fmt: skip
    assert found.people["downstream"].to_dict() == {"A": 4, "B": 2, "D": 1, "F": 1, "C": 0, "E": 0, "G": 0}
    assert found.people["generation"].to_dict() == {"A": 0, "B": 1, "C": 1, "D": 2, "E": 3, "F": 0, "G": 1}
    assert found.people.index[0] == "A"
    assert found.problems.empty


def test_money_that_a_person_brought_is_that_of_all_below():
    money = pd.Series({"A": 1000.0, "B": 1.0, "C": 2.0, "D": 4.0, "E": 8.0, "G": 100.0})
    people = network(TREE, on=None, money=money).people
    assert people["downstream_money"].to_dict() == {"A": 15.0, "B": 12.0, "D": 8.0, "F": 100.0, "C": 0, "E": 0, "G": 0}


def test_self_referrals_circles_strangers_and_two_referrers_are_told():
    table = links(
        ("X", "X"),  # itself
        ("R2", "R1"),  # two records of one person
        ("P", "Q"), ("Q", "S"), ("S", "P"), ("T", "P"),  # a circle with a branch
        ("B", "A"), ("B", "C"),  # two claim B
        ("D", "NOBODY"),
        ("E", None),  # no referral
    ).assign(on=pd.to_datetime(["2025-01-01"] * 6 + ["2025-02-02", "2025-01-01"] + ["2025-01-01"] * 2))  # fmt: skip
    clusters = pd.Series({each: each for each in "ABCDEPQSTX"} | {"R1": "R1", "R2": "R1"})
    found = network(table, clusters=clusters)
    told = dict(zip(found.problems["problem"], found.problems["customers"], strict=True))
    assert told == {
        "circle": "P, Q, S",
        "self-referral": "X",
        "self-referral, two records": "R1, R2",
        "two referrers": "B by C and A",
        "unknown referrer": "NOBODY",
    }
    assert found.people.loc["B", "referrer"] == "C"  # the earlier one
    assert not {"X", "R1", "D"} & set(found.people.index)
    circle = found.trees.set_index("root").loc["P"]
    assert (circle["members"], circle["circle"]) == (4, True)
    assert pd.isna(circle["generations"])
    assert found.people.loc[["P", "Q", "S", "T"], "downstream"].to_list() == [3, 3, 3, 0]


def test_without_clusters_the_trick_with_two_records_stays_unseen():
    assert network(links(("R2", "R1")), on=None).problems.empty


def test_through_clusters_persons_are_linked_and_not_records():
    table = links(("B1", "A1"), ("C", "B2"))
    clusters = pd.Series({"A1": "A1", "B1": "B1", "B2": "B1", "C": "C"})
    assert network(table, on=None).trees["members"].to_list() == [2, 2]
    assert network(table, on=None, clusters=clusters).trees["members"].to_list() == [3]


def test_somebody_who_had_a_record_before_was_not_brought():
    table = links(("B2", "A"), ("C", "B1"))
    clusters = pd.Series({"A": "A", "B1": "B", "B2": "B", "C": "C"})
    since = pd.to_datetime(pd.Series({"A": "2025-01-01", "B1": "2025-02-01", "B2": "2025-06-01", "C": "2025-03-01"}))
    found = network(table, on=None, clusters=clusters, since=since)
    assert found.problems[["problem", "customers"]].to_numpy().tolist() == [["already a customer", "B by A"]]
    assert sorted(found.people.index) == ["B", "C"]
    earlier = network(table, on=None, clusters=clusters, since=since.replace(since["B1"], pd.Timestamp("2025-07-01")))
    assert earlier.trees["members"].to_list() == [3]  # the brought record is the first: A did bring B
    with pytest.raises(InputError, match="needs clusters"):
        network(table, on=None, since=since)


ids = st.integers(0, 30)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(ids, ids), min_size=1, max_size=60))
def test_every_row_is_a_link_or_a_told_problem_and_counts_agree_with_networkx(pairs):
    table = pd.DataFrame(pairs, columns=["customer_id", "referred_by"])
    found = network(table, on=None)
    assert found.trees["members"].sum() == len(found.people) == found.graph.number_of_nodes()
    assert found.graph.number_of_edges() == found.links
    assert max((degree for _, degree in found.graph.in_degree()), default=0) <= 1
    for customer, row in found.people.iterrows():
        assert row["downstream"] == len(nx.descendants(found.graph, customer))
    selves = sum(one == other for one, other in pairs)
    assert (found.problems["problem"] == "self-referral").sum() == selves
    assert (found.problems["problem"] == "circle").sum() == sum(1 for _ in nx.simple_cycles(found.graph))
    assert found.trees["circle"].sum() == (found.problems["problem"] == "circle").sum()


@settings(max_examples=40, deadline=None)
@given(st.permutations([("B", "A"), ("C", "A"), ("D", "B"), ("E", "D"), ("G", "F"), ("P", "Q"), ("Q", "P")]))
def test_the_order_of_rows_does_not_matter(pairs):
    found, again = network(links(*pairs), on=None), network(links(*sorted(pairs)), on=None)
    pd.testing.assert_frame_equal(found.trees, again.trees)
    pd.testing.assert_frame_equal(found.people, again.people)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: network(links(("A", None)), on=None), InputError, "no row has both 'customer_id' and 'referred_by'"),
        (lambda: network(TREE), ColumnError, "no column 'on'"),
        (lambda: network(TREE, on=None, referrer="refered_by"), ColumnError, "Did you mean 'referred_by'"),
        (lambda: network(TREE, on=None, clusters={"A": "A"}), KindError, "must be a Series"),
    ],
)
def test_what_cannot_be_meant_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_nothing_but_tricks():
    assert str(network(links(("A", "A")), on=None)) == "No usable referral. 1 problem."
