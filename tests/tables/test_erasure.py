"""A person who asks to be forgotten is in no table any more, and nobody else has lost anything."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.errors import ColumnError, InputError, KindError
from crmkit.tables.erasure import ERASED, erase

RULES = {
    "records": {"record_id": "delete", "name": "identifies", "phone": "identifies", "email": "identifies"},
    "receipts": {"record_id": "blank"},
    "contacts": {"record_id": "delete"},
    "referrals": {"record_id": "delete", "referred_by": "blank"},
}


@pytest.fixture
def firm() -> dict[str, pd.DataFrame]:
    """Ada has two records; her husband shares her telephone; another Ada Byron, no relation, has her name."""
    return {
        "records": pd.DataFrame(
            [
                ("M001", "Ada Byron", "+49 170 1112233", "ada.byron@example.org"),
                ("M002", "Byron, Adah", "0170/1112244", "Ada.Byron@Example.org"),
                ("M003", "Boris Kron", "0049 170 1112233", "boris@example.org"),
                ("M004", "Carla Diaz", "030 99887766", None),
            ],
            columns=["record_id", "name", "phone", "email"],
        ),
        "receipts": pd.DataFrame(
            {"record_id": ["M001", "M003", "M002", None], "amount": [10.0, 20.0, 30.0, 40.0], "till": [1, 2, 3, 4]}
        ),
        "contacts": pd.DataFrame(
            {
                "record_id": ["M001", "M003", "M003", "M004"],
                "note": [
                    "wants a refund",
                    "his wife ADA  BYRON (m001) asked; call her back on 0170 111-22-44, not before 2025-03-01",
                    "write to ada.byron@example.org or call 01701112233",
                    "friend of Byron Ada; card M0010 is another one",
                ],
            }
        ),
        "referrals": pd.DataFrame({"record_id": ["M002", "M004"], "referred_by": ["M003", "M001"]}),
    }


CLUSTERS = pd.Series({"M001": "M001", "M002": "M001", "M003": "M003", "M004": "M004"})


def test_all_records_of_the_person_go_and_the_proof_counts_a_table_at_a_time(firm):
    done = erase(firm, "M002", RULES, clusters=CLUSTERS)
    proof = done.proof.set_index("table")
    assert proof["rows_before"].to_dict() == {"records": 4, "receipts": 4, "contacts": 4, "referrals": 2}
    assert proof["deleted"].to_dict() == {"records": 2, "receipts": 0, "contacts": 1, "referrals": 1}
    assert proof["blanked"].to_dict() == {"records": 0, "receipts": 2, "contacts": 0, "referrals": 1}
    assert proof["masked"].to_dict() == {"records": 0, "receipts": 0, "contacts": 3, "referrals": 0}
    assert (proof["rows_before"] - proof["deleted"] == proof["rows_after"]).all()
    assert proof["rows_after"].to_dict() == {name: len(table) for name, table in done.tables.items()}
    assert done.complete
    assert proof["found_after"].sum() == 0
    assert proof["found_before"].gt(0).all()


def test_free_text_is_masked_in_any_spelling_and_the_rest_of_it_stays(firm):
    notes = erase(firm, "M001", RULES, clusters=CLUSTERS).tables["contacts"]["note"]
    # the telephone is the husband's too, so it stays; the id of another card is no hit
    assert notes.to_list() == [
        f"his wife {ERASED} ({ERASED}) asked; call her back on {ERASED}, not before 2025-03-01",
        f"write to {ERASED} or call 01701112233",
        f"friend of {ERASED}; card M0010 is another one",
    ]


def test_what_the_husband_has_too_stays_and_is_told(firm):
    done = erase(firm, "M001", RULES, clusters=CLUSTERS)
    assert done.tables["records"].loc[0, "phone"] == "0049 170 1112233"
    assert done.searched.set_index("value").loc["+49 170 1112233", "shared"]
    assert done.shared[["table", "column"]].to_records(index=False).tolist() == [
        ("records", "phone"),
        ("contacts", "note"),
    ]
    assert "Read 2 cells with something that another person has too" in str(done)


def test_the_money_stays_and_nobody_stands_in_it(firm):
    done = erase(firm, "M001", RULES, clusters=CLUSTERS)
    assert done.tables["receipts"]["amount"].sum() == firm["receipts"]["amount"].sum()
    assert done.tables["receipts"]["record_id"].dropna().to_list() == ["M003"]
    assert done.tables["referrals"]["referred_by"].isna().all()


def test_nothing_is_done_to_the_tables_that_were_given(firm):
    before = {name: table.copy() for name, table in firm.items()}
    erase(firm, "M001", RULES, clusters=CLUSTERS)
    for name, table in firm.items():
        pd.testing.assert_frame_equal(table, before[name])


def test_without_clusters_the_second_record_is_found_by_what_identifies_it(firm):
    """Same e-mail in another record: the search says that somebody must look, instead of calling it done."""
    done = erase(firm, "M001", RULES)
    assert "M002" in set(done.tables["records"]["record_id"])
    assert {"ada.byron@example.org"} <= set(done.searched.loc[done.searched["shared"], "value"])
    assert ("records", "email") in set(zip(done.shared["table"], done.shared["column"], strict=True))


def test_the_search_is_no_rubber_stamp(firm, monkeypatch):
    """If masking fails, the proof says so."""
    monkeypatch.setattr("crmkit.tables.erasure._Search.mask", lambda self, text: text)
    done = erase(firm, "M001", RULES, clusters=CLUSTERS)
    assert not done.complete
    assert done.proof.set_index("table")["found_after"].to_dict() == {
        "records": 0,
        "receipts": 0,
        "contacts": 3,
        "referrals": 0,
    }
    assert "NOT COMPLETE" in str(done)


def test_ids_that_are_numbers_are_erased_in_their_columns_and_not_everywhere():
    tables = {
        "people": pd.DataFrame({"card": [17, 18]}),
        "sales": pd.DataFrame({"card": [17.0, None], "quantity": [17, 17]}),
    }
    done = erase(tables, 17, {"people": {"card": "delete"}, "sales": {"card": "blank"}})
    assert done.tables["people"]["card"].to_list() == [18]
    assert done.tables["sales"]["card"].isna().all()
    assert done.tables["sales"]["quantity"].to_list() == [17, 17]
    assert done.complete


def test_chinese_names_are_found_inside_a_sentence():
    tables = {
        "people": pd.DataFrame({"card": ["M01", "M02"], "name": ["王小芳", "李明"]}),
        "log": pd.DataFrame({"note": ["与王小芳女士通话"]}),
    }
    done = erase(tables, "M01", {"people": {"card": "delete", "name": "identifies"}, "log": {}})
    assert done.tables["log"]["note"].item() == f"与{ERASED}女士通话"


def test_a_name_that_another_customer_has_is_left_for_a_person_to_read():
    tables = {
        "people": pd.DataFrame({"card": ["M01", "M02"], "name": ["Anna Schmidt", "Anna Schmidt"]}),
        "log": pd.DataFrame({"note": ["Anna Schmidt called"]}),
    }
    done = erase(tables, "M01", {"people": {"card": "delete", "name": "identifies"}, "log": {}})
    assert done.tables["log"]["note"].item() == "Anna Schmidt called"
    assert done.shared["table"].to_list() == ["people", "log"]


words = st.text(st.characters(categories=["L", "N", "P", "Z"]), max_size=20)


@settings(max_examples=40, deadline=None)
@given(
    words,
    words,
    st.sampled_from(["Ada Byron", "byron,  ada", "ADA-BYRON", "M001", "0170-111 22 33", "+49(170)1112233"]),
)
def test_whatever_stands_around_it_nothing_is_left(before, after, written):
    tables = {
        "people": pd.DataFrame({"card": ["M001"], "name": ["Ada Byron"], "phone": ["+49 170 1112233"]}),
        "log": pd.DataFrame({"note": [f"{before} {written} {after}"]}),
    }
    rules = {"people": {"card": "delete", "name": "identifies", "phone": "identifies"}, "log": {}}
    done = erase(tables, "M001", rules)
    assert done.complete
    left = done.tables["log"]["note"].item()
    assert ERASED in left
    assert not re.search(r"ada\W*byron|byron\W*ada|\bm001\b|1112233", left, re.I)


@settings(max_examples=40, deadline=None)
@given(st.lists(words, min_size=1, max_size=5))
def test_what_does_not_name_the_person_is_not_changed(notes):
    kept = [note for note in notes if not re.search(r"ada|byron|m001|\d", note, re.I)]
    tables = {
        "people": pd.DataFrame({"card": ["M001"], "name": ["Ada Byron"], "phone": ["+49 170 1112233"]}),
        "log": pd.DataFrame({"note": pd.Series(kept, dtype="str")}),
    }
    rules = {"people": {"card": "delete", "name": "identifies", "phone": "identifies"}, "log": {}}
    assert erase(tables, "M001", rules).tables["log"]["note"].to_list() == kept


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"rules": {name: rule for name, rule in RULES.items() if name != "contacts"}},
            InputError,
            "'contacts' has no rule",
        ),
        ({"rules": {**RULES, "recepts": {}}}, InputError, "Did you mean 'receipts'"),
        ({"rules": {**RULES, "contacts": {"record_id": "remove"}}}, InputError, "no treatment"),
        ({"rules": {**RULES, "contacts": {"recordid": "delete"}}}, ColumnError, "Did you mean 'record_id'"),
        ({"ids": "M999"}, InputError, "no table has the id M999"),
        ({"ids": []}, InputError, "ids is empty"),
        ({"ids": "M999", "clusters": CLUSTERS}, InputError, "do not know the record 'M999'"),
        ({"clusters": {"M001": "M001"}}, KindError, "must be a Series"),
    ],
)
def test_a_request_that_cannot_be_carried_out_is_refused(firm, change, error, message):
    options = {"ids": "M001", "rules": RULES} | change
    with pytest.raises(error, match=message):
        erase(firm, options["ids"], options["rules"], clusters=options.get("clusters"))


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_what_is_missing_stays_missing_and_does_not_become_a_word(missing):
    """`astype("str")` of pandas 2 writes "None" and "nan" where nothing is known."""
    people = pd.DataFrame({"card": ["M001", "M002"], "name": ["Ada Byron", "Bo Li"]})
    notes = pd.DataFrame(
        {"card": ["M002", missing, "M002"], "note": ["met Ada Byron", "called", missing]}, dtype=object
    )
    rules = {"people": {"card": "delete", "name": "identifies"}, "notes": {"card": "delete"}}
    left = erase({"people": people, "notes": notes}, "M001", rules).tables["notes"]
    assert left["note"].iloc[0] == "met [erased]"
    assert left.isna().to_numpy().tolist() == [[False, False], [True, False], [False, True]]
