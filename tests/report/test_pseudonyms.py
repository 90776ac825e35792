"""Pseudonyms: one a customer, the same next month, nothing to be learnt without the key."""

import hashlib
import hmac
import os

import pandas as pd
import pytest

from crmkit.errors import InputError
from crmkit.report import pseudonyms

SUMMARY = pd.DataFrame({"orders": [5, 2, 9]}, index=pd.Index(["anna", "bo", "=cem"], name="customer_id"))


def test_a_pseudonym_is_the_keyed_hash_of_rfc_2104(tmp_path):
    secret = pseudonyms.key(tmp_path / "key.txt")
    _, translation = pseudonyms.replace(SUMMARY, secret)
    for customer, name in translation.items():
        assert name == "p" + hmac.new(secret, customer.encode(), hashlib.sha256).hexdigest()[:20]


def test_the_table_keeps_its_numbers_and_tells_nothing_by_its_order(tmp_path):
    before = SUMMARY.assign(spend=[1.0, 2.0, 3.0])
    before.attrs["as_of"] = "2026-06-30"
    hidden, translation = pseudonyms.replace(before, pseudonyms.key(tmp_path / "key.txt"))
    assert hidden.attrs == before.attrs
    assert list(hidden.index) == sorted(translation)
    for customer in SUMMARY.index:
        assert tuple(hidden.loc[translation[customer]]) == tuple(before.loc[customer])
    assert before.index.tolist() == SUMMARY.index.tolist()


def test_the_same_key_gives_the_same_pseudonyms_and_another_key_others(tmp_path):
    first, again = pseudonyms.key(tmp_path / "key.txt"), pseudonyms.key(tmp_path / "key.txt")
    other = pseudonyms.key(tmp_path / "deep" / "other.txt")
    assert first == again != other
    assert len(first) == 32
    names = [set(pseudonyms.replace(SUMMARY, secret)[1]) for secret in (first, again, other)]
    assert names[0] == names[1]
    assert not names[0] & names[2]


@pytest.mark.skipif(os.name == "nt", reason="walls: Windows has no modes of files")
def test_key_and_translation_are_for_their_owner_only(tmp_path):
    secret = pseudonyms.key(tmp_path / "private" / "key.txt")
    pseudonyms.keep(pseudonyms.replace(SUMMARY, secret)[1], tmp_path / "private" / "names.csv")
    for name in ("key.txt", "names.csv"):
        assert (tmp_path / "private" / name).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "abc", "zz" * 32, "00" * 16])
def test_a_damaged_key_is_refused(tmp_path, content):
    (tmp_path / "key.txt").write_text(content)
    with pytest.raises(InputError, match=r"key\.txt .* 64 hexadecimal digits"):
        pseudonyms.key(tmp_path / "key.txt")
