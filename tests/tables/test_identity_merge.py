"""What survives when records become one customer, where it came from, and that nothing is lost."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from crmkit import datasets
from crmkit.errors import ColumnError, InputError, KindError
from crmkit.tables import identity

CARDS = pd.DataFrame(
    {
        "record_id": ["m1", "m2", "m3", "m4"],
        "channel": ["desk", "app", "partner", "desk"],
        "name": ["Anna Keller", "A. Keller", "Keller, Anna", "Boris Keller"],
        "phone": ["0170 1", "0171 2", "0171 2", None],
        "points": [10, 30, 20, 5],
        "email": [None, "  ", "anna@example.com", "boris@example.com"],
        "updated_at": pd.to_datetime(["2025-01-01", "2025-03-01", "2025-02-01", "2025-01-15"]),
    }
)
ANNA = pd.Series({"m1": "m1", "m2": "m1", "m3": "m1", "m4": "m4"})


@pytest.mark.parametrize(
    ("rule", "name", "phone"),
    [
        ("most recent", "A. Keller", "0171 2"),
        ("most complete", "Keller, Anna", "0171 2"),
        ("most frequent", "A. Keller", "0171 2"),
        (["desk", "app"], "Anna Keller", "0170 1"),
        (["partner"], "Keller, Anna", "0171 2"),
        ("smallest", "A. Keller", "0170 1"),
        ("largest", "Keller, Anna", "0171 2"),
    ],
)
def test_each_rule_by_hand(rule, name, phone):
    found = identity.merge(CARDS, ANNA, {"name": rule, "phone": rule}).customers
    assert found.loc["m1", ["name", "phone"]].to_list() == [name, phone]
    assert found.loc["m4", "name"] == "Boris Keller"
    assert found["records"].to_list() == [3, 1]


def test_numbers_stay_numbers_and_a_missing_value_never_wins():
    found = identity.merge(CARDS, ANNA, {"points": "largest"}).customers
    assert found["points"].to_list() == [30, 5]
    assert found.loc["m1", "email"] == "anna@example.com"  # of the three the only one that is not blank
    assert pd.isna(found.loc["m4", "phone"])


def test_where_each_value_came_from_and_what_it_overruled():
    merged = identity.merge(CARDS, ANNA, {"name": ["desk"], "*": "most recent"})
    name = merged.sources.query("customer_id == 'm1' and column == 'name'").iloc[0]
    assert name[["value", "record_id", "rule", "overruled"]].to_list() == [
        "Anna Keller",
        "m1",
        "desk",
        "A. Keller | Keller, Anna",
    ]
    ledger = merged.ledger.set_index("record_id")
    assert ledger["treatment"].to_dict() == {"m1": "merged", "m2": "merged", "m3": "merged", "m4": "alone"}
    # m3: channel, name, points and updated_at are overruled; the telephone agrees with m2's; the address is used
    assert ledger.loc["m3", ["used", "agreed", "overruled", "missing"]].to_list() == [1, 1, 4, 0]
    assert ledger.loc["m4", ["used", "agreed", "overruled", "missing"]].to_list() == [5, 0, 0, 1]
    assert merged.reconciles()
    assert "4 records became 2 customers: 3 of them were merged into 1, 1 stayed alone" in str(merged)


values = st.sampled_from([None, "", " ", "a", "b", "longer", "=1+1", "<b>"])
some_rows = st.lists(
    st.tuples(st.integers(0, 4), values, values, st.sampled_from(["2025-01-01", "2025-02-01", None]), st.sampled_from(["desk", "app", None])),
    min_size=0,
    max_size=10,
)  # fmt: skip
some_rules = st.fixed_dictionaries(
    {},
    optional={
        column: st.sampled_from(
            ["most recent", "most complete", "most frequent", "smallest", "largest", ["app", "desk"]]
        )
        for column in ("name", "phone", "*")
    },
)


@settings(max_examples=40, deadline=None)
@given(some_rows, some_rules, st.randoms())
def test_nothing_is_lost_and_the_order_of_rows_does_not_matter(rows, rules, random):
    frame = pd.DataFrame(rows, columns=["who", "name", "phone", "updated_at", "channel"])
    frame = frame.astype({"name": "str", "phone": "str", "channel": "str"}).assign(
        updated_at=pd.to_datetime(frame["updated_at"])
    )
    frame.insert(0, "record_id", [f"r{i}" for i in range(len(frame))])
    clusters = frame.set_index("record_id")["who"]
    frame = frame.drop(columns="who")
    kept = frame.copy(deep=True)
    merged = identity.merge(frame, clusters, rules)
    assert merged.reconciles()
    assert merged.customers["records"].sum() == len(frame)
    assert set(merged.customers.index) == set(clusters)
    there = {
        (clusters[row.record_id], column, str(getattr(row, column)))
        for row in frame.itertuples()
        for column in ("name", "phone")
        if isinstance(getattr(row, column), str) and getattr(row, column).strip()
    }
    told = set()
    for row in merged.sources[merged.sources["column"].isin(["name", "phone"])].itertuples():
        parts = [row.value, *row.overruled.split(" | ")] if row.overruled else [row.value]
        told |= {(row.customer_id, row.column, part) for part in parts}
        source = frame.set_index("record_id").loc[row.record_id, row.column]
        assert source == row.value == merged.customers.loc[row.customer_id, row.column]
    assert told == there, "a value of a record is neither used nor told as overruled"
    shuffled = identity.merge(frame.iloc[random.sample(range(len(frame)), len(frame))], clusters, rules)
    assert_frame_equal(merged.customers, shuffled.customers)
    assert_frame_equal(merged.sources, shuffled.sources)
    assert_frame_equal(frame, kept)


def test_most_recent_is_the_right_rule_where_values_change_over_time():
    """In the mall a record holds what was true when it was last updated, so the truth at the end can be compared."""
    mall = datasets.simulate("mall", customers=2000, seed=5, dirt=0, duplicates=0.5)
    person = mall.truth_identity.set_index("record_id")["person_id"]
    truth = mall.truth_persons.set_index("person_id")
    right = {}
    for rule in ("most recent", "most complete", "smallest", "largest"):
        customers = identity.merge(mall.records, person, {"*": rule}).customers
        several = customers[customers["records"] > 1]
        right[rule] = (several["phone"] == truth["phone"].reindex(several.index)).mean()
    assert right["most recent"] == max(right.values())
    assert right["most recent"] > 0.95
    assert right["most recent"] > right["smallest"] + 0.005


def test_bad_rules_and_tables_are_refused():
    with pytest.raises(InputError, match=r"'most recnt' for 'name' is no rule.*Did you mean 'most recent'"):
        identity.merge(CARDS, ANNA, {"name": "most recnt"})
    with pytest.raises(InputError, match="5 for 'phone' is no rule"):
        identity.merge(CARDS, ANNA, {"phone": 5})
    with pytest.raises(ColumnError, match=r"no column 'fone'.*Did you mean 'phone'"):
        identity.merge(CARDS, ANNA, {"fone": "most recent"})
    with pytest.raises(ColumnError, match="no column 'updated_at'"):
        identity.merge(CARDS.drop(columns="updated_at"), ANNA)
    with pytest.raises(ColumnError, match="no column 'channel'"):
        identity.merge(CARDS.drop(columns="channel"), ANNA, {"name": ["desk"]})
    with pytest.raises(InputError, match="1 records have no customer in clusters, such as 'm4'"):
        identity.merge(CARDS, ANNA.drop("m4"))
    with pytest.raises(InputError, match="1 records of clusters are not in the table, such as 'm4'"):
        identity.merge(CARDS.head(3), ANNA)
    with pytest.raises(KindError, match="clusters must be a Series"):
        identity.merge(CARDS, ANNA.to_frame())
    with pytest.raises(InputError, match="a column of the records is called"):
        identity.merge(CARDS.rename(columns={"points": "records"}), ANNA)
    with pytest.raises(InputError, match=r"'m1' \(2 rows\)"):
        identity.merge(pd.concat([CARDS, CARDS.head(1)]), ANNA)


def test_texts_are_no_times():
    texts = CARDS.assign(updated_at=["01.02.2025", "15.01.2025", "03.03.2025", "04.01.2025"])
    with pytest.raises(InputError, match="whose order is not that of time"):
        identity.merge(texts, ANNA)


def test_without_a_date_of_update_other_rules_still_work():
    found = identity.merge(CARDS.drop(columns="updated_at"), ANNA, {"*": "most complete"})
    assert found.customers.loc["m1", "name"] == "Keller, Anna"


def test_no_records_and_one():
    assert len(identity.merge(CARDS.head(0), ANNA.head(0)).customers) == 0
    one = identity.merge(CARDS.head(1), ANNA.head(1))
    assert one.reconciles()
    assert one.customers.loc["m1", "name"] == "Anna Keller"
