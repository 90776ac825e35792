"""Which pairs are compared, and what speaks for and against them."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from rapidfuzz.distance import OSA

from crmkit import datasets
from crmkit.errors import ColumnError, InputError, KindError
from crmkit.tables import identity, likeness

NONE = ("name", "phone", "email", "birth_date", "postcode")


def normal(rows: list[dict], kind: str = "person") -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["record_id", *NONE])
    frame["record_id"] = [f"r{i:03}" for i in range(len(rows))]
    frame["birth_date"] = pd.to_datetime(frame["birth_date"])
    return identity.normalise(frame, kind=kind)


ANNA = {
    "name": "Anna Keller",
    "phone": "0170 5551234",
    "email": "anna@example.com",
    "birth_date": "1985-04-12",
    "postcode": "04103",
}


def pair(one: dict, other: dict, **more) -> pd.Series:
    """The one pair of two records, whatever it scores."""
    both = pd.DataFrame({"left": ["r000"], "right": ["r001"]})
    (found,) = identity.match(
        normal([one, other], more.pop("kind", "person")), pairs=both, every=True, **more
    ).itertuples()
    return found


# --- candidates ---------------------------------------------------------------------------------------------------

some_records = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from([None, "Anna Keller", "Keller Anna", "Ana Keller", "Boris Keller", "Li Na"]),
            "phone": st.sampled_from([None, "0170 5551234", "0171 5551234"]),
            "email": st.sampled_from([None, "anna@example.com", "boris@example.com"]),
            "birth_date": st.sampled_from([None, "1985-04-12", "1985-12-04", "1960-01-01"]),
            "postcode": st.sampled_from([None, "04103", "04105"]),
        }
    ),
    max_size=12,
)


@settings(max_examples=80, deadline=None)
@given(some_records)
def test_candidates_are_exactly_the_pairs_that_share_a_key(rows):
    # Another implementation: every pair is looked at, in plain Python.
    table = normal(rows)

    def values(row, columns):
        name = row.name if isinstance(row.name, str) else ""
        words = {likeness.one_letter(word)[:4] for word in name.split()} if "word" in columns else {None}
        plain = tuple(getattr(row, column) for column in columns if column != "word")
        return {(*plain, word) for word in words} if not any(pd.isna(value) for value in plain) else set()

    wanted = {}
    lines = list(table.itertuples())
    for one, other in itertools.combinations(lines, 2):
        keys = [name for name, columns in identity.KEYS.items() if values(one, columns) & values(other, columns)]
        if keys:
            wanted[one.Index, other.Index] = ", ".join(keys)
    found = identity.candidates(table)
    assert dict(zip(zip(found["left"], found["right"], strict=True), found["keys"], strict=True)) == wanted
    assert found.attrs["all_pairs"] == len(rows) * (len(rows) - 1) // 2
    for key, number in found.attrs["pairs_by_key"].items():
        assert number == sum(key in keys.split(", ") for keys in wanted.values())


def test_a_value_that_too_many_share_is_no_key_and_that_is_told():
    rows = [{"name": f"Person{chr(97 + i)} Family{chr(97 + i)}", "phone": "0170 5551234"} for i in range(5)]
    table = normal(rows)
    assert len(identity.candidates(table, largest=5)) == 10
    found = identity.candidates(table, largest=4)
    assert len(found) == 0
    assert found.attrs["too_large"] == {"phone": 1}


def test_own_keys():
    table = normal([ANNA, ANNA | {"phone": None}, ANNA | {"phone": "0171 5551234"}])
    found = identity.candidates(table, keys={"number": ["phone"]})
    assert found.attrs["pairs_by_key"] == {"number": 0}
    with pytest.raises(InputError, match=r"keys: 'number': 'fone' is not known; use .*Did you mean 'phone'"):
        identity.candidates(table, keys={"number": ["fone"]})
    with pytest.raises(InputError, match="largest=1"):
        identity.candidates(table, largest=1)


def test_candidates_of_the_mall_are_few_and_hold_nearly_all_that_belong_together():
    mall = datasets.load("mall")
    person = mall.truth_identity.set_index("record_id")["person_id"]
    found = identity.candidates(identity.normalise(mall.records))
    assert len(found) < found.attrs["all_pairs"] / 1_000
    together = (found["left"].map(person).array == found["right"].map(person).array).sum()
    size = person.value_counts()
    assert together / (size * (size - 1) / 2).sum() > 0.97


# --- likeness -----------------------------------------------------------------------------------------------------


def test_names_are_as_alike_as_their_least_alike_word():
    left = ["anna keller", "anna keller", "anna keller", "anna keller", "keller", "a keller", "anna maria keller", None]
    right = [
        "anna keller",
        "ana keller",
        "boris keller",
        "keller anna",
        "anna keller",
        "anna keller",
        "anna keller",
        "x",
    ]
    found = likeness.person_names(left, right)
    boris = max(OSA.normalized_similarity("boris", word) for word in ("anna", "keller"))
    anna = max(OSA.normalized_similarity("anna", word) for word in ("boris", "keller"))
    expected = [1, 0.75, min(boris, anna), 1, 0.8, 0.85, 1 - 0.08, np.nan]
    np.testing.assert_allclose(found, expected)


def test_two_letter_umlauts_are_no_difference():
    assert likeness.person_names(["mueller"], ["muller"])[0] == 1
    assert likeness.person_names(["mueller jorg"], ["muller joerg"])[0] == 1


words = st.text("abcdeü王 ", max_size=14)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(words, words), min_size=1, max_size=6))
def test_likeness_is_symmetric_between_0_and_1_and_1_for_equals(rows):
    left, right = ([pair[side].strip() or None for pair in rows] for side in (0, 1))
    for alike in (likeness.person_names, likeness.firm_names, likeness.phones, likeness.emails):
        one, other = alike(left, right), alike(right, left)
        np.testing.assert_allclose(one, other, atol=1e-6)
        known = ~np.isnan(one)
        assert known.tolist() == [a is not None and b is not None for a, b in zip(left, right, strict=True)]
        assert ((one[known] >= 0) & (one[known] <= 1)).all()
        same = np.array([a == b for a, b in zip(left, right, strict=True)])
        np.testing.assert_allclose(one[known & same], 1)


def test_days_of_birth():
    left = np.array(["1985-04-12"] * 6, dtype="datetime64[us]")
    right = np.array(
        ["1985-04-12", "1985-12-04", "1986-04-12", "1985-04-11", "1960-01-01", "NaT"], dtype="datetime64[us]"
    )
    np.testing.assert_allclose(likeness.birth_dates(left, right), [1, 0.9, 0.85, 0.85, 0, np.nan])


def test_addresses_of_two_persons_of_one_name_are_not_alike():
    left = ["anna.keller@example.com"] * 4
    right = ["anna.keller2@example.com", "anna.kelle@example.com", "anna.keller@example.org", "boris@example.com"]
    np.testing.assert_allclose(likeness.emails(left, right), [0, 0.8, 0, 0])
    colleagues = likeness.emails(
        ["a@bright.example", "a@gmail.com"], ["b@bright.example", "xy@gmail.com"], public=frozenset({"gmail.com"})
    )
    np.testing.assert_allclose(
        colleagues, [0.8, 0]
    )  # "a" and "b": one letter; at their own host they are colleagues anyway


# --- match --------------------------------------------------------------------------------------------------------


def test_the_score_is_the_sum_of_the_points_by_hand():
    found = pair(ANNA, ANNA | {"name": "Ana Keller", "postcode": "04105", "email": None})
    # name 0.75 alike: -6 + 12 * (0.75 - 0.6) / 0.4 = -1.5; phone +4; birth date +6; postcode -1; e-mail missing: 0
    assert found.score == -1.5 + 4 + 6 - 1
    assert found.verdict == "review"
    assert found.reason == "name 75% alike (-1.5), phone the same (+4), birth date the same (+6), postcode differs (-1)"
    assert np.isnan(found.email)


def test_missing_is_neither_for_nor_against():
    everything = pair(ANNA, ANNA)
    for field in ("phone", "email", "birth_date", "postcode"):
        assert pair(ANNA, ANNA | {field: None}).score == everything.score - identity.WEIGHTS.loc[field, "same"]
        assert pair(ANNA | {field: None}, ANNA | {field: None}).score == pair(ANNA, ANNA | {field: None}).score


family = st.fixed_dictionaries(
    {
        "name": st.none(),
        "phone": st.sampled_from([None, "0170 5551234"]),
        "email": st.sampled_from([None, "family@example.com"]),
        "birth_date": st.none(),
        "postcode": st.sampled_from([None, "04103"]),
    }
)


@settings(max_examples=60, deadline=None)
@given(family, family, st.floats(-20, 12))
def test_what_a_household_shares_never_suffices_whatever_the_threshold(one, other, threshold):
    assert pair(one, other, threshold=threshold, review=min(2, threshold)).verdict != "same"


def test_the_family_telephone_trap():
    for other in ("Boris Keller", "Anne Keller", "Keller"):
        found = pair(ANNA, ANNA | {"name": other, "birth_date": None})
        assert found.verdict != "same", other
    child = pair(ANNA, ANNA | {"birth_date": "2010-04-30"})  # a daughter of the same name, all else shared
    assert child.score == 6 + 4 + 5 - 6 + 1
    assert pair(ANNA, ANNA | {"birth_date": "2010-04-30", "email": None}).verdict == "review"


def test_a_bride_is_found_by_birth_date_and_address():
    assert pair(ANNA, ANNA | {"name": "Anna Schmidt"}).verdict == "same"
    assert pair(ANNA, ANNA | {"name": "Anna Schmidt", "birth_date": None}).verdict != "same"


def test_two_persons_of_one_name_in_one_town_are_not_joined():
    found = pair(ANNA, ANNA | {"phone": None, "email": None, "birth_date": None})
    assert found.verdict == "review"
    assert found.score == 6 + 1


def test_half_a_name_is_half_the_evidence():
    anna = {"name": "Anna", "birth_date": None, "email": None}
    assert pair(ANNA | anna, ANNA | anna).score == 3 + 4 + 1
    assert pair(ANNA | anna | {"postcode": None}, ANNA | anna).verdict == "review"
    firm = {"name": "Nordwind GmbH", "phone": None, "email": None, "birth_date": None, "postcode": "04103"}
    assert pair(firm, firm, kind="firm").score == 6 + 2  # one word is a whole name of a firm


def test_own_weights_and_thresholds():
    weights = identity.WEIGHTS.copy()
    weights.loc["postcode", ["same", "different"]] = 0
    assert pair(ANNA, ANNA, weights=weights).score == pair(ANNA, ANNA).score - 1
    assert pair(ANNA, ANNA, threshold=23).verdict == "review"
    with pytest.raises(InputError, match="there is no row for postcode"):
        pair(ANNA, ANNA, weights=weights.drop("postcode"))
    with pytest.raises(InputError, match="from_similarity must be"):
        pair(ANNA, ANNA, weights=weights.assign(from_similarity=1))
    with pytest.raises(ColumnError, match="weights has no column 'different'"):
        pair(ANNA, ANNA, weights=weights.drop(columns="different"))
    with pytest.raises(InputError, match="review=9 is above threshold=8"):
        pair(ANNA, ANNA, review=9)


def test_firms():
    one = {"name": "Müller & Söhne GmbH", "phone": "0341 5551234", "email": "info@mueller.example", "postcode": "04103"}
    other = {"name": "Mueller und Soehne KG", "phone": None, "email": "einkauf@mueller.example", "postcode": "04103"}
    found = pair(one, other, kind="firm")
    assert found.verdict == "same"
    assert found.name == 1
    assert found.email == 0.75
    assert pair(one, other | {"name": "Maier AG"}, kind="firm").verdict != "same"
    branch = pair(one, other | {"postcode": "80331", "email": None}, kind="firm")
    assert branch.verdict == "review"


@settings(max_examples=25, deadline=None)
@given(some_records, st.randoms())
def test_the_order_of_rows_changes_nothing(rows, random):
    table = normal(rows)
    shuffled = table.iloc[random.sample(range(len(table)), len(table))]
    one, other = (identity.match(frame, every=True) for frame in (table, shuffled))
    assert_frame_equal(one, other)
    assert one["score"].is_monotonic_decreasing
    assert set(one["verdict"]) <= {"same", "review", "different"}
    kept = identity.match(table)
    assert len(kept) == (one["verdict"] != "different").sum()


def test_an_empty_table_one_record_and_a_column_of_nothing():
    for rows in ([], [ANNA], [{}, {}], [{"name": "Anna Keller"}] * 2):
        found = identity.match(normal(rows))
        assert list(found.columns[:5]) == ["left", "right", "score", "verdict", "reason"]
        assert len(found) == (len(rows) == 2 and bool(rows[0]))


def test_hostile_names_stay_text():
    hostile = ANNA | {"name": '=HYPERLINK("x") <script>alert(1)</script> \'); DROP TABLE'}
    assert pair(hostile, hostile).verdict == "same"


def test_whole_numbers_as_ids():
    frame = pd.DataFrame({"record_id": [10, 9, 100], "name": ["Anna Keller"] * 3, "phone": ["0170 5551234"] * 3})
    table = identity.normalise(frame, email=None, birth_date=None, postcode=None)
    found = identity.match(table)
    assert {frozenset(pair) for pair in found[["left", "right"]].itertuples(index=False, name=None)} == {
        frozenset(p) for p in itertools.combinations([9, 10, 100], 2)
    }


def test_wrong_tables_are_refused_with_what_to_do():
    with pytest.raises(InputError, match=r"make it with identity\.normalise"):
        identity.match(pd.DataFrame({"record_id": ["a"], "name": ["Anna"]}))
    with pytest.raises(KindError, match="a normalised table is needed, not str"):
        identity.candidates("records.csv")
    with pytest.raises(InputError, match="1 ids in 'right' are not in the table, such as 'zzz'"):
        identity.match(normal([ANNA]), pairs=pd.DataFrame({"left": ["r000"], "right": ["zzz"]}))
    with pytest.raises(ColumnError, match="pairs has no column 'right'"):
        identity.match(normal([ANNA]), pairs=pd.DataFrame({"left": ["r000"]}))
    with pytest.raises(InputError, match="kind='company' is not known"):
        identity.match(normal([ANNA]), kind="company")
