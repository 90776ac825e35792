"""Claims: what stands behind them, contradictions, and two readers' agreement, against sklearn and a published example."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from crmkit import datasets
from crmkit.errors import ColumnError, InputError, KindError
from crmkit.evaluation import claims

SAID = datasets.load("claims")


def test_every_claim_of_the_inventory_is_audited_once_weakest_first():
    audit = claims.audit(SAID.claims)
    assert sorted(audit.index) == [f"F-{number:02d}" for number in range(1, 41)]
    assert audit["behind_it"].is_monotonic_increasing
    assert audit["settled_by"].str.len().min() > 10


def test_a_described_rule_counts_more_than_a_name_and_an_empty_name_is_nobody():
    table = pd.DataFrame(
        {
            "claim_id": list("abcd"),
            "claim": "x",
            "kind": "figure",
            "who_says": ["a vendor", " ", None, "a vendor"],
            "method_given": ["Yes", "no", "described", "no"],
            "evidence": "y",
        }
    )
    found = claims.audit(table)["behind_it"].astype(str)
    assert found.to_dict() == {
        "b": claims.LEVELS[0],
        "d": claims.LEVELS[1],
        "c": claims.LEVELS[2],
        "a": claims.LEVELS[3],
    }


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda t: t.drop(columns="kind"), ColumnError, "kind"),
        (lambda t: t.rename(columns={"claim": "claims"}), ColumnError, "Did you mean 'claims'"),
        (lambda t: pd.concat([t, t.head(1)]), InputError, "twice, such as 'F-01'"),
        (lambda t: t.assign(method_given="perhaps"), InputError, "40 claims have another word"),
        (lambda t: t.to_dict(), KindError, "DataFrame"),
    ],
)
def test_a_table_that_cannot_be_audited_says_why(change, error, words):
    with pytest.raises(error, match=words):
        claims.audit(change(SAID.claims))


def test_overlapping_periods_are_no_conflict_and_the_gap_is_counted_between_their_ends():
    told = pd.DataFrame(
        {
            "topic": ["a", "a", "b", "b", "c"],
            "from_year": [1980, 1985, 1990, 1997, 2000],
            "to_year": [1986, 1990, 1992, 1999, 2001],
            "section": ["1", "2", "1", "1", "2"],
        }
    )
    found = claims.conflicts(told)
    assert found.index.to_list() == ["b"]
    assert found.loc["b", ["earliest", "latest", "years_apart", "sections"]].to_list() == [1992, 1997, 5, "1"]
    with pytest.raises(InputError, match="end before they begin, such as that of 'a'"):
        claims.conflicts(told.assign(to_year=1981))


def test_kappa_of_a_worked_example():
    """50 proposals, both yes 20, both no 15, 5 and 10 apart: kappa 0.4 (the example of many textbooks, such as
    Landis & Koch's tables worked through by hand: (0.7 − 0.5) / 0.5)."""
    first, second = [1] * 25 + [0] * 25, [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    found = claims.agreement(first, second)
    assert found[:3] == pytest.approx((0.7, 0.5, 0.4))
    assert found.low < 0.4 < found.high


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=60))
def test_kappa_is_that_of_sklearn_and_symmetric(pairs):
    first, second = zip(*pairs, strict=True)
    found, back = claims.agreement(first, second), claims.agreement(second, first)
    if found.by_chance == 1:
        assert np.isnan(found.kappa)
        return
    assert found.kappa == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)
    assert found.kappa == pytest.approx(back.kappa)
    assert -1 <= found.low <= found.kappa + 1e-12
    assert found.kappa - 1e-12 <= found.high <= 1


def test_the_interval_of_kappa_covers_the_truth_as_often_as_it_says():
    """Simulation: two readers who copy a common answer with chance 0.6 and else toss coins; true kappa is 0.36."""
    random, hits = np.random.default_rng(7), 0
    for _ in range(200):
        common = random.integers(0, 2, 200)
        one, two = (np.where(random.random(200) < 0.6, common, random.integers(0, 2, 200)) for _ in range(2))
        found = claims.agreement(one, two)
        hits += found.low <= 0.36 <= found.high
    assert 0.91 <= hits / 200 <= 0.985


def test_answers_are_brought_into_one_order_and_nothing_is_left_out_in_silence():
    first = pd.Series([True, False, True], index=list("abc"))
    assert claims.agreement(first, first.iloc[::-1]).observed == 1
    with pytest.raises(InputError, match="same items"):
        claims.agreement(first, first.drop("a"))
    with pytest.raises(InputError, match="1 answers are missing"):
        claims.agreement([1, None], [1, 0])
    with pytest.raises(InputError, match="first has 2 answers and second 1"):
        claims.agreement([1, 2], [1])
