"""Attribution is a ledger: whatever the rule, credits add up to the conversions, and the order of rows says nothing."""

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.errors import ColumnError, InputError, KindError
from crmkit.lifecycle.attribution import NO_VISIT, RULES, credit, exact_credit, touch_paths

SOURCES = ["search", "social", "email", "direct"]


def visits(*rows):
    """Rows of visitor, customer, moment, source."""
    return pd.DataFrame(rows, columns=["visitor_id", "customer_id", "started_at", "source"])


def sales(*rows):
    return pd.DataFrame(rows, columns=["customer_id", "converted_at", "money"])


#: Ann comes from social, search and email and buys; Bob types the address; Cem was never seen.
VISITS = visits(
    ("k1", None, "2025-06-01 09:00", "social"),
    ("k1", None, "2025-06-10 09:00", "search"),
    ("k1", "ann", "2025-06-20 09:00", "email"),
    ("k1", "ann", "2025-06-25 09:00", "search"),
    ("k2", "bob", "2025-06-05 12:00", "direct"),
)
SALES = sales(("ann", "2025-06-20 09:30", 90.0), ("bob", "2025-06-05 12:00", 30.0), ("cem", "2025-06-07", 10.0))


def random_world(seed, people=12, touches=60):
    random = np.random.default_rng(seed)
    moments = pd.Timestamp("2025-01-01") + pd.to_timedelta(random.integers(0, 120 * 24, touches), unit="h")
    who = random.integers(0, people, touches)
    named = random.random(touches) < 0.7
    seen = pd.DataFrame(
        {
            "visitor_id": [f"k{number}" for number in who],
            "customer_id": [f"c{number}" if known else None for number, known in zip(who, named, strict=True)],
            "started_at": moments,
            "source": random.choice(SOURCES, touches),
        }
    )
    bought = sales(
        *[
            (f"c{number}", moments[number] + pd.Timedelta(hours=3), float(random.integers(1, 9999)) / 100)
            for number in range(people)
        ]
    )
    return seen, bought


# --- paths ------------------------------------------------------------------------------------------------


def test_paths_by_hand():
    paths = touch_paths(VISITS, SALES)
    told = [tuple(row) for row in paths[["customer_id", "source", "place", "touches"]].itertuples(index=False)]
    assert told == [
        ("ann", "social", 1, 3),
        ("ann", "search", 2, 3),
        ("ann", "email", 3, 3),  # the visit of 25 June comes after the purchase
        ("bob", "direct", 1, 1),  # a visit in the very minute of the purchase is its visit
        ("cem", NO_VISIT, 1, 1),
    ]
    facts = {"conversions": 3, "without_visit": 1, "nameless_visits": 2, "named_by_cookie": 2, "shared_cookies": 0}
    assert {name: paths.attrs[name] for name in facts} == facts
    assert "3 conversions, 1 of them without a visit in 30 days." in paths.attrs["note"]


@pytest.mark.parametrize(("window", "touches"), [("30 days", 3), ("15 days", 2), ("1 day", 1), ("2 weeks", 2)])
def test_the_window_decides_who_was_there(window, touches):
    paths = touch_paths(VISITS, SALES, window=window)
    assert (paths["customer_id"] == "ann").sum() == touches
    assert paths.attrs["window"] == window


def test_a_cookie_of_two_customers_names_nobody():
    seen = pd.concat([VISITS, visits(("k1", "bob", "2025-06-02 10:00", "partner"))])
    paths = touch_paths(seen, SALES)
    assert paths.loc[paths["customer_id"] == "ann", "source"].tolist() == ["email"]
    assert paths.loc[paths["customer_id"] == "bob", "source"].tolist() == ["partner", "direct"]
    assert (paths.attrs["shared_cookies"], paths.attrs["named_by_cookie"]) == (1, 0)
    assert "1 cookies are used by several customers" in paths.attrs["note"]


def test_without_cookies_only_named_visits_count():
    paths = touch_paths(VISITS.drop(columns="visitor_id"), SALES)
    assert paths.loc[paths["customer_id"] == "ann", "source"].tolist() == ["email"]
    assert paths.attrs["named_by_cookie"] == 0
    assert "2 belong to nobody known" in paths.attrs["note"]


def test_direct_counts_only_where_it_is_alone():
    seen = pd.concat([VISITS, visits(("k1", "ann", "2025-06-20 09:10", "direct"))])
    assert credit(touch_paths(seen, SALES), "last")["last"]["direct"] == 2
    paths = touch_paths(seen, SALES, only_if_alone="direct")
    assert credit(paths, "last")["last"].to_dict() == {"direct": 1, "email": 1, "search": 0, "social": 0, NO_VISIT: 1}
    with pytest.raises(InputError, match=r"no visit has the source 'dirct'. Did you mean 'direct'"):
        touch_paths(VISITS, SALES, only_if_alone=["dirct"])


def test_windows_that_begin_before_the_data_are_counted():
    assert touch_paths(VISITS, SALES).attrs["begins_before_data"] == 3
    assert touch_paths(VISITS, SALES, window="10 days").attrs["begins_before_data"] == 2
    assert touch_paths(VISITS, SALES, window="3 days").attrs["begins_before_data"] == 0


def test_a_visit_without_a_source_is_a_touch_of_an_unknown_source():
    paths = touch_paths(VISITS.assign(source=VISITS["source"].where(VISITS["source"] != "social")), SALES)
    assert paths["source"].tolist()[0] == "(not known)"


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["1 day", "30 days", "12 months"]))
def test_paths_keep_every_conversion_and_know_no_order_of_rows(seed, window):
    seen, bought = random_world(seed)
    paths = touch_paths(seen, bought, window=window)
    assert paths["conversion"].nunique() == len(bought)
    assert (paths.groupby("conversion")["place"].max() == paths.groupby("conversion")["touches"].first()).all()
    known = paths[paths["source"] != NO_VISIT]
    gap = known["converted_at"] - known["touched_at"]
    assert (gap >= pd.Timedelta(0)).all()
    assert (gap <= pd.Timedelta(days={"1 day": 1, "30 days": 30, "12 months": 365.25}[window])).all()
    again = touch_paths(seen.sample(frac=1, random_state=seed), bought.sample(frac=1, random_state=seed), window=window)
    pd.testing.assert_frame_equal(again, paths)


# --- credit -----------------------------------------------------------------------------------------------


def test_credit_by_hand():
    paths = touch_paths(VISITS, SALES)
    found = credit(paths)
    assert found["first"].to_dict() == {"direct": 1, "email": 0, "search": 0, "social": 1, NO_VISIT: 1}
    assert found["last"].to_dict() == {"direct": 1, "email": 1, "search": 0, "social": 0, NO_VISIT: 1}
    assert found.loc["search", "linear"] == pytest.approx(1 / 3)
    assert found["position"].to_dict() == {"direct": 1, "email": 0.4, "search": 0.2, "social": 0.4, NO_VISIT: 1}
    money = credit(paths, "position", of="money")["position"]
    assert money.to_dict() == {"direct": 30, "email": 36, "search": 18, "social": 36, NO_VISIT: 10}
    assert money.sum() == 130


def test_position_with_two_touches_and_other_ends():
    seen = VISITS[VISITS["source"] != "search"]
    paths = touch_paths(seen, SALES)
    assert credit(paths, "position")["position"]["social"] == 0.5
    assert credit(paths, "position", ends=(0.6, 0.2))["position"]["social"] == 0.75
    assert credit(paths, "position", ends=(0, 0))["position"]["social"] == 0.5
    three = touch_paths(VISITS, SALES)
    pd.testing.assert_series_equal(
        credit(three, "position", ends=(1 / 4, 3 / 4))["position"].rename("x"),
        pd.Series({"direct": 1.0, "email": 0.75, "search": 0.0, "social": 0.25, NO_VISIT: 1.0}, name="x").rename_axis(
            "source"
        ),
    )


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10_000), st.sampled_from(["2 days", "30 days", "12 months"]), st.sampled_from(["conversions", "money"]),
    st.sampled_from([(0.4, 0.4), (0.3, 0.3), (0, 0), (1, 0), (0.1, 0.7)]),
)  # fmt: skip
def test_credits_add_up_exactly_whatever_the_rule(seed, window, of, ends):
    seen, bought = random_world(seed)
    paths = touch_paths(seen, bought, window=window)
    total = Fraction(len(bought)) if of == "conversions" else sum(Fraction(str(money)) for money in bought["money"])
    exact = exact_credit(paths, RULES, of, tuple(Fraction(str(end)) for end in ends))
    assert {rule: sum(column.values()) for rule, column in exact.items()} == dict.fromkeys(RULES, total)
    found = credit(paths, of=of, ends=ends)
    assert all(math.isclose(math.fsum(found[rule]), float(total), rel_tol=1e-12) for rule in RULES)
    assert found.attrs["total"] == float(total)
    assert (found >= 0).all(axis=None)
    if of == "conversions":  # first and last give whole customers
        assert (found[["first", "last"]] % 1 == 0).all(axis=None)
    pd.testing.assert_frame_equal(credit(paths.sample(frac=1, random_state=seed), of=of, ends=ends), found)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_linear_credit_as_a_person_would_count_it(seed):
    seen, bought = random_world(seed)
    paths = touch_paths(seen, bought, window="60 days")
    expected = dict.fromkeys(set(paths["source"]), 0.0)
    for _, path in paths.groupby("conversion"):
        for source in path["source"]:
            expected[source] += 1 / len(path)
    assert credit(paths, "linear")["linear"].to_dict() == pytest.approx(expected)


def test_one_touch_gets_everything_under_every_rule():
    paths = touch_paths(visits(("k", "ann", "2025-06-20", "social")), sales(("ann", "2025-06-20 10:00", 5.0)))
    assert credit(paths).loc["social"].to_dict() == dict.fromkeys(RULES, 1.0)


# --- mistakes ---------------------------------------------------------------------------------------------


def test_what_cannot_be_shared_out():
    paths = touch_paths(VISITS, SALES)
    with pytest.raises(
        InputError, match=r"rule='lats' is not known; use 'first', 'last', 'linear', 'position'. Did you mean 'last'"
    ):
        credit(paths, "lats")
    with pytest.raises(InputError, match="of='value'"):
        credit(paths, of="value")
    with pytest.raises(InputError, match="names no rule"):
        credit(paths, [])
    with pytest.raises(InputError, match="ends="):
        credit(paths, ends=(0.7, 0.7))
    with pytest.raises(InputError, match="ends="):
        credit(paths, ends=(-0.1, 0.7))
    with pytest.raises(InputError, match="0 rows"):
        credit(paths.iloc[:0])
    with pytest.raises(InputError, match="pass whole paths"):
        credit(paths[paths["source"] != "email"])
    with pytest.raises(ColumnError, match="paths has no column 'money'"):
        credit(touch_paths(VISITS, SALES.drop(columns="money")), of="money")
    with pytest.raises(KindError, match="paths must be a DataFrame"):
        credit([1])


def test_visits_and_conversions_that_cannot_be_used():
    with pytest.raises(InputError, match="conversions has 0 rows"):
        touch_paths(VISITS, SALES.iloc[:0])
    with pytest.raises(InputError, match="'converted_at' is missing in 1 of 3"):
        touch_paths(VISITS, SALES.assign(converted_at=["2025-06-20", None, "2025-06-07"]))
    with pytest.raises(InputError, match="'money' is missing in 1 of 3"):
        touch_paths(VISITS, SALES.assign(money=[1.0, np.nan, 2.0]))
    with pytest.raises(InputError, match="1 values that are no date, such as 'soon'"):
        touch_paths(VISITS, SALES.assign(converted_at=["2025-06-20", "soon", "2025-06-07"]))
    with pytest.raises(ColumnError, match="visits has no column 'source'"):
        touch_paths(VISITS.drop(columns="source"), SALES)
    with pytest.raises(
        InputError, match="no customer of conversions, such as 1, has a visit; visits name customers like 'ann'"
    ):
        touch_paths(VISITS, SALES.assign(customer_id=[1, 2, 3]))
    with pytest.raises(InputError, match="not a horizon"):
        touch_paths(VISITS, SALES, window="30")


def test_no_visits_at_all_leave_the_ledger_whole():
    paths = touch_paths(VISITS.iloc[:0], SALES)
    assert credit(paths).loc[NO_VISIT].to_dict() == dict.fromkeys(RULES, 3.0)
    nobody = touch_paths(VISITS.assign(customer_id=None), SALES)
    assert nobody.attrs["without_visit"] == 3


def test_inputs_are_not_touched():
    seen, bought = VISITS.copy(), SALES.copy()
    credit(touch_paths(seen, bought))
    pd.testing.assert_frame_equal(seen, VISITS)
    pd.testing.assert_frame_equal(bought, SALES)
