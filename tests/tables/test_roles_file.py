"""Roles: named once, kept in a file, and every mistake in them said with what was probably meant."""

import datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit.errors import ColumnError, InputError, KindError
from crmkit.tables import Transactions, load_roles, save_roles
from crmkit.tables.roles import READING, ROLES

FRAME = pd.DataFrame({"member_no": [1], "paid_at": ["01/02/2026"], "total": ["5,50"]})
NAMED = {"customer_id": "member_no", "ordered_at": "paid_at", "amount": "total"}


def test_what_was_read_can_be_read_again_from_its_file(tmp_path):
    options = {"date_order": "dmy", "decimal": ",", "time_zone": "Europe/Berlin", "currency": "EUR"}
    orders = Transactions.read(FRAME, **NAMED, **options, latest="2026-12-31")
    path = save_roles(orders, tmp_path / "roles.toml")
    again = Transactions.read(FRAME, roles=path)
    assert again.table.to_pyarrow().equals(orders.table.to_pyarrow())
    assert (again.roles, again.reading, again.currency) == (orders.roles, orders.reading, "EUR")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[1:4] == ["[roles]", 'customer_id = "member_no"', 'ordered_at = "paid_at"']


@settings(max_examples=50, deadline=None)
@given(
    roles=st.dictionaries(st.sampled_from(sorted(ROLES)), st.text(min_size=1), min_size=1),
    reading=st.dictionaries(st.sampled_from(READING), st.one_of(st.text(), st.dates())),
)
def test_round_trip(roles, reading, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "roles.toml"
    save_roles({**roles, **reading}, path)
    assert load_roles(path) == {**roles, **reading}


def test_what_is_named_in_the_call_wins(tmp_path):
    save_roles({**NAMED, "date_order": "dmy"}, tmp_path / "roles.toml")
    orders = Transactions.read(FRAME, roles=tmp_path / "roles.toml", date_order="mdy")
    assert orders.last_day == datetime.date(2026, 1, 2)
    assert Transactions.read(FRAME, roles={**NAMED, "date_order": "dmy"}).last_day == datetime.date(2026, 2, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[roles]\ncustmer_id = 'm'\n", "names 'custmer_id', which is no role and no .* Did you mean 'customer_id'"),
        ("[rules]\ncustomer_id = 'm'\n", r"has a table \[rules\]; it may have \[roles\] and \[reading\]"),
        ("customer_id = \n", "cannot be read as TOML"),
        ("[reading]\ndecimal = 5\n", "decimal must be a text, not 5"),
    ],
)
def test_mistakes_in_the_file(tmp_path, content, message):
    (tmp_path / "roles.toml").write_text(content)
    with pytest.raises((InputError, KindError), match=message):
        Transactions.read(FRAME, roles=tmp_path / "roles.toml")


def test_a_file_that_is_not_there_and_things_that_are_no_roles(tmp_path):
    (tmp_path / "roles.toml").touch()
    with pytest.raises(InputError, match=r"there is no file .* Did you mean 'roles\.toml'"):
        load_roles(tmp_path / "rules.toml")
    with pytest.raises(KindError, match=r"roles must be the path of a roles\.toml or a mapping, not list"):
        Transactions.read(FRAME, roles=["member_no"])
    with pytest.raises(KindError, match="save_roles takes a Transactions or a mapping"):
        save_roles("roles", tmp_path / "roles.toml")
    with pytest.raises(InputError, match=r"'amout'.*Did you mean 'amount'"):
        save_roles({"amout": "total"}, tmp_path / "roles.toml")


def test_a_missing_column_names_what_was_probably_meant():
    message = (
        r"customer_id: the frame has no column 'memberno'\. Did you mean 'member_no'\? "
        "Its columns are 'member_no', 'paid_at', 'total'"
    )
    with pytest.raises(ColumnError, match=message):
        Transactions.read(FRAME, **{**NAMED, "customer_id": "memberno"})


def test_needed_roles_that_were_not_named_are_suggested():
    message = "called 'customer_id' or 'amount'; .*perhaps customer_id='member_no'; amount .*perhaps amount='total'"
    with pytest.raises(ColumnError, match=message):
        Transactions.read(FRAME, ordered_at="paid_at")


def test_one_column_cannot_play_two_roles():
    with pytest.raises(ColumnError, match="column 'total' was named for two roles, amount and quantity"):
        Transactions.read(FRAME, **NAMED, quantity="total")


def test_a_column_named_like_a_role_keeps_the_role_it_was_given():
    frame = pd.DataFrame({"customer_id": [1], "ordered_at": ["2026-01-01"], "amount": [3], "quantity": [7]})
    orders = Transactions.read(frame, amount="quantity")
    assert orders.roles == {"customer_id": "customer_id", "ordered_at": "ordered_at", "amount": "quantity"}
