"""What one memory recognises: against a plain reading, a closed form, and the known approximation for unequal visitors."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from crmkit.errors import InputError, KindError
from crmkit.lifecycle.recognition import recognised, recognised_customers, simulated_visits
from crmkit.tables import Transactions


@given(st.lists(st.integers(0, 8), max_size=60), st.integers(1, 9))
def test_a_visitor_is_recognised_if_fewer_others_came_in_between_than_fit_the_memory(visitors, remembers):
    """The definition in other words: of the others seen since the last visit, at most remembers − 1."""
    found = recognised(visitors, remembers)
    for place, visitor in enumerate(visitors):
        earlier = [at for at in range(place) if visitors[at] == visitor]
        expected = bool(earlier) and len(set(visitors[earlier[-1] + 1 : place])) < remembers
        assert found[place] == expected


def test_equal_regulars_are_recognised_as_often_as_the_memory_is_a_share_of_them():
    """Closed form: with N equal visitors each is in the memory of K with chance K / N."""
    visits = simulated_visits(400, visits_each=200, unequal=0)
    assert recognised(visits, 100)[2000:].mean() == pytest.approx(0.25, abs=0.01)


def test_unequal_regulars_agree_with_che_s_approximation():
    """Che, Tung & Wang (2002), IEEE JSAC 20(7): the memory holds who came within a time that fills it."""
    random = np.random.default_rng(1)
    rates = random.gamma(1.0, 1, 300)
    share = rates / rates.sum()
    visits = simulated_visits(300, visits_each=300, unequal=1.0, seed=1)
    time = brentq(lambda t: (1 - np.exp(-share * t)).sum() - 60, 1, 1e6)
    expected = (share * (1 - np.exp(-share * time))).sum()
    assert recognised(visits, 60)[5000:].mean() == pytest.approx(expected, abs=0.01)


def test_an_order_book_is_walked_in_the_order_of_time_whatever_the_order_of_rows():
    rows = pd.DataFrame(
        {
            "customer_id": ["a", "b", "a", "c", "b", "a", "a"],
            "ordered_at": pd.to_datetime(
                [f"2026-01-0{day} 10:00" for day in (1, 2, 3, 4, 5, 6)] + ["2026-01-06 18:00"]
            ),
            "amount": [1.0] * 6 + [2.0],
        }
    )
    for seed in range(3):
        found = recognised_customers(Transactions.read(rows.sample(frac=1, random_state=seed)), remembers=2)
        assert found["visits"].to_dict() == {"a": 3, "b": 2, "c": 1}, "two orders of one day are one visit"
        assert found["recognised"].to_dict() == {"a": 1, "b": 0, "c": 0}
        assert np.isnan(found.loc["c", "share"])


@pytest.mark.parametrize("remembers", [0, -1, 1.5, True, "many"])
def test_a_memory_is_a_whole_number_of_faces(remembers):
    with pytest.raises(InputError, match="whole number of faces"):
        recognised(["a"], remembers)


@pytest.mark.parametrize("wrong", [{"regulars": 0}, {"regulars": 5, "visits_each": -1}, {"regulars": 5, "unequal": -1}])
def test_impossible_shops_are_refused(wrong):
    with pytest.raises(InputError, match="must be"):
        simulated_visits(**wrong)


def test_a_frame_is_not_enough():
    with pytest.raises(KindError, match="checked transactions"):
        recognised_customers(pd.DataFrame())
