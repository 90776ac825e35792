"""Pseudonyms, consent, views: what must stay hidden stays hidden, and what must still fit together does."""

import hashlib
import hmac
import secrets

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.errors import ColumnError, InputError, KindError
from crmkit.evaluation.actions import action_list
from crmkit.tables import privacy

KEY = hashlib.sha256(b"a key for tests").digest()
OTHER = hashlib.sha256(b"another key").digest()


# --- pseudonyms -------------------------------------------------------------------------------------------------------


def test_a_pseudonym_is_hmac_sha256_of_the_ids_text():
    names = privacy.pseudonyms(["M1", 17], KEY)
    for each in ("M1", 17):
        assert names[each] == "p" + hmac.new(KEY, str(each).encode(), hashlib.sha256).hexdigest()[:20]


def test_the_primitive_is_the_one_of_the_published_test_case():
    """RFC 4231, test case 6 of HMAC-SHA-256: a key of 131 bytes 0xaa. (That key itself is refused: it repeats.)"""
    text = b"Test Using Larger Than Block-Size Key - Hash Key First"
    published = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    assert hmac.digest(b"\xaa" * 131, text, "sha256").hex() == published
    with pytest.raises(InputError, match="repeats itself"):
        privacy.pseudonyms([text], b"\xaa" * 131)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 10**9), unique=True, max_size=50))
def test_one_pseudonym_an_id_and_another_key_gives_others(ids):
    names, others = privacy.pseudonyms(ids, KEY), privacy.pseudonyms(ids, OTHER)
    assert names.nunique() == len(ids)
    assert not set(names) & set(others)
    assert privacy.pseudonyms(ids[::-1], KEY).reindex(ids).equals(names)


def test_whole_numbers_that_pandas_made_floats_are_the_same_ids():
    """A column of ids with a gap becomes float; without care every receipt would belong to somebody new."""
    assert privacy.pseudonyms(pd.Index([17.0]), KEY).item() == privacy.pseudonyms(pd.Index(["17"]), KEY).item()


def test_tables_can_still_be_joined_and_their_order_tells_nothing():
    people = pd.DataFrame({"card": [f"M{n:03d}" for n in range(40)], "age": range(40)})
    receipts = pd.DataFrame({"receipt": range(100), "card": [f"M{n % 40:03d}" if n % 3 else None for n in range(100)]})
    before = receipts.merge(people, on="card").groupby("age").size()
    hidden = privacy.pseudonymise(people, "card", KEY), privacy.pseudonymise(receipts, "card", KEY)
    after = hidden[1].merge(hidden[0], on="card").groupby("age").size()
    pd.testing.assert_series_equal(before, after)
    assert hidden[0]["card"].is_monotonic_increasing
    assert hidden[1]["card"].isna().sum() == receipts["card"].isna().sum()
    assert people["card"].iloc[0] == "M000"  # the input is as it was


@pytest.mark.parametrize(
    ("key", "advice"),
    [
        (b"\x13" * 31, "31 bytes, and 32 are needed"),
        (bytes.fromhex("9f3c0b5ad2714e88a1c6f0e37b2d94aa"), "16 bytes, and 32 are needed"),
        ("9f3c0b5ad2714e88a1c6f0e37b2d94aa", "16 bytes, and 32 are needed"),
        (bytes(32), "repeats itself or counts"),
        (bytes(range(32)), "repeats itself or counts"),
        (bytes(range(0, 224, 7)), "repeats itself or counts"),
        (b"\x01\xfe" * 20, "repeats itself or counts"),
        ("00" * 32, "repeats itself or counts"),
        ("0123456789abcdef" * 4, "repeats itself or counts"),
        ("correct horse battery staple and some more words", "a person typed"),
        (b"correct horse battery staple and some more words", "a person typed"),
        ("", "a person typed"),
        (b"", "0 bytes"),
    ],
)
def test_a_short_or_guessable_key_is_refused_with_advice(key, advice):
    with pytest.raises(InputError, match=rf"{advice}.*secrets\.token_bytes\(32\)"):
        privacy.pseudonyms(["M1"], key)


@pytest.mark.parametrize("key", [None, 123, 4.5, ["a"]])
def test_a_key_of_another_kind_is_refused(key):
    with pytest.raises(KindError, match="must be bytes"):
        privacy.checked_key(key)


def test_random_keys_are_never_refused():
    for _ in range(2000):
        raw = secrets.token_bytes(32)
        assert (
            privacy.checked_key(raw) == privacy.checked_key(raw.hex()) == privacy.checked_key(raw.hex().encode()) == raw
        )


def test_a_plain_hash_is_no_protection_and_the_keyed_one_is():
    """The reason for the key: an attacker who knows what card numbers look like tries them all."""
    cards = [f"M{n:05d}" for n in (17, 1204, 99999)]
    dictionary = {hashlib.sha256(f"M{n:05d}".encode()).hexdigest(): f"M{n:05d}" for n in range(100_000)}
    assert [dictionary[hashlib.sha256(card.encode()).hexdigest()] for card in cards] == cards
    stolen = {name[1:] for name in privacy.pseudonyms(cards, KEY)}
    assert not stolen & {code[:20] for code in dictionary}


def test_a_missing_column_is_named():
    with pytest.raises(ColumnError, match=r"no column 'crad'.*Did you mean 'card'"):
        privacy.pseudonymise(pd.DataFrame({"card": ["M1"]}), "crad", KEY)


# --- consent ----------------------------------------------------------------------------------------------------------


SPELLINGS = ["yes", "Yes ", "Y", "true", True, 1, 1.0, "1", "是", "no", "N", "false", False, 0, "0", "否", None, np.nan]
SPELLINGS += ["", "perhaps", "yes please", "2", pd.NA]


def test_only_a_clear_yes_counts_and_all_are_counted():
    frame = pd.DataFrame({"customer_id": range(len(SPELLINGS)), "consent": pd.Series(SPELLINGS, dtype=object)})
    agreed = privacy.with_consent(frame)
    assert agreed["customer_id"].to_list() == list(range(9))
    told = agreed.attrs["consent"]
    assert {word: told[word] for word in ("yes", "no", "missing", "unclear")} == {
        "yes": 9,
        "no": 7,
        "missing": 4,
        "unclear": 3,
    }
    assert told["spellings"] == {"perhaps": 1, "yes please": 1, "2": 1}


def test_the_archive_and_the_action_list_read_consent_alike():
    """Both use tables.consent; nobody is on a list whom the archive would not write to."""
    frame = pd.DataFrame({"consent": pd.Series(SPELLINGS, dtype=object), "segment": "All", "spend": 1.0})
    frame.index = pd.Index([f"c{n}" for n in range(len(frame))], name="customer_id")
    cards = pd.DataFrame({"segment": ["All"], "action": ["Write"], "reason": ["why not"], "days_due": [7]})
    todo = action_list(frame, cards, control_share=0, as_of="2025-12-31")
    assert set(todo["customer_id"]) == set(privacy.with_consent(frame).index)


# --- views ------------------------------------------------------------------------------------------------------------


PEOPLE = pd.DataFrame(
    {
        "record_id": ["M1", "M2"],
        "name": ["Ada Lovelace", "王芳"],
        "phone": ["+49 170 1234567", None],
        "email": ["ada@example.org", "fang@example.com"],
        "birth_date": pd.to_datetime(["1990-12-10", None]),
        "spend": [120.5, 17.0],
    }
)
RULES = {
    "service": {"record_id": "clear", "name": "clear", "phone": "masked", "email": "masked", "birth_date": "masked"},
    "analyst": {"record_id": "pseudonym", "spend": "clear", "phone": "hidden"},
}


def test_each_role_sees_its_columns_and_the_access_is_told():
    seen = privacy.view(PEOPLE, "service", RULES)
    assert list(seen.columns) == ["record_id", "name", "phone", "email", "birth_date"]
    assert seen.loc[0].to_list() == ["M1", "Ada Lovelace", "…67", "a…@…", "1990-…"]
    assert seen[["phone", "birth_date"]].loc[1].isna().all()  # missing stays missing
    assert seen.attrs["access"]["hidden"] == ["spend"]
    analyst = privacy.view(PEOPLE, "analyst", RULES, key=KEY)
    assert analyst["record_id"].to_list() == privacy.pseudonyms(PEOPLE["record_id"], KEY).to_list()
    assert analyst.attrs["access"] == {
        "role": "analyst", "rows": 2, "clear": ["spend"], "pseudonym": ["record_id"], "masked": [],
        "hidden": ["name", "phone", "email", "birth_date"],
    }  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["service", "analyst"]), st.text(min_size=1, max_size=8))
def test_a_column_added_later_is_hidden(role, column):
    frame = PEOPLE.assign(**{column: "secret"})
    seen = privacy.view(frame, role, RULES, key=KEY)
    assert column not in seen.columns or column in PEOPLE.columns


def test_a_masked_value_cannot_be_read_back():
    everything = {"x": dict.fromkeys(["name", "phone", "email", "birth_date", "record_id"], "masked")}
    text = privacy.view(PEOPLE, "x", everything).to_csv()
    for secret in ("Ada", "Lovelace", "芳", "1234", "example", "12-10", "fang", "M1"):
        assert secret not in text


@pytest.mark.parametrize(
    ("role", "rules", "message"),
    [
        ("analist", RULES, "no role 'analist'.*Did you mean 'analyst'"),
        ("a", {"a": {"name": "maskd"}}, "no level.*Did you mean 'masked'"),
        ("a", {"a": {"nome": "clear"}}, "no column 'nome'.*Did you mean 'name'"),
        ("a", {"a": {"name": "pseudonym"}}, "give the key"),
    ],
)
def test_rules_that_cannot_be_meant_are_refused(role, rules, message):
    with pytest.raises(InputError, match=message):
        privacy.view(PEOPLE, role, rules)


@pytest.mark.parametrize("kind", ["object", "string", "category"])
@pytest.mark.parametrize("ids", [["M001", None], ["M001", np.nan], [None, None]], ids=["None", "nan", "nobody"])
def test_a_missing_id_is_no_text(ids, kind):
    people = pd.DataFrame({"record_id": pd.Series(ids, dtype="object").astype(kind)})
    seen = privacy.view(people, "desk", {"desk": {"record_id": "masked"}})
    assert seen["record_id"].notna().to_list() == [value is not None and value == value for value in ids]
    assert not seen["record_id"].dropna().isin(["None", "nan", "<NA>"]).any()
