"""Every schema is held against the data it describes, column by column; every card states what it must.

Left out by name: the 20,940,529 rows of complete_journey.promotions are not made a DataFrame (2.9 GB);
its columns, types, row count and values are checked in the engine.
"""

import csv
import re
from datetime import date
from decimal import Decimal

import pandas as pd
import pytest

from crmkit import datasets, shipped

NAMES = datasets.catalogue()["name"].to_list()
EVERY_TABLE = [(name, table) for name in NAMES for table in datasets.load(name).schema["tables"]]
EVERY_TRANSACTIONS = [(name, table) for name in NAMES for table in datasets.load(name).schema["transactions"]]
LAZY = {("complete_journey", "promotions")}
TOP = {
    "title",
    "what",
    "real",
    "licence",
    "citation",
    "lessons",
    "notes",
    "limits",
    "tables",
    "transactions",
    "package",
    "simulated",
}
OF_TABLE = {"what", "file", "rows", "key", "columns", "header", "lazy", "repeats_left_out"}
OF_COLUMN = {"type", "meaning", "unit", "missing", "values", "ordered", "range", "format"}
KINDS = {"text": "OUS", "whole number": "iu", "number": "f", "money": "f", "day": "M", "moment": "M", "yes/no": "b"}


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_holds_no_unknown_or_missing_word(name):
    schema = datasets.load(name).schema
    assert TOP - {"package", "simulated"} <= schema.keys() <= TOP
    assert ("simulated" in schema) == (schema["real"] == "simulated")
    if "simulated" in schema:
        assert schema["simulated"].keys() == {"generator", "customers", "seed", "truth"}
        assert schema["simulated"]["truth"] == [table for table in schema["tables"] if table.startswith("truth_")]
    for told in schema["tables"].values():
        assert {"what", "file", "rows", "key", "columns"} <= told.keys() <= OF_TABLE
        for column in told["columns"].values():
            assert {"type", "meaning"} <= column.keys() <= OF_COLUMN
            assert column["type"] != "money" or "unit" in column, "money without a currency"


def test_only_the_promotions_are_lazy():
    lazy = {(name, table) for name, table in EVERY_TABLE if datasets.load(name).schema["tables"][table].get("lazy")}
    assert lazy == LAZY


@pytest.mark.parametrize(("name", "table"), [pair for pair in EVERY_TABLE if pair not in LAZY])
def test_a_table_is_what_its_schema_says(name, table):
    told = datasets.load(name).schema["tables"][table]
    frame = getattr(datasets.load(name), table)
    assert len(frame) == told["rows"]
    assert frame.columns.to_list() == list(told["columns"])
    assert not told["key"] or not frame.duplicated(told["key"]).any(), "the key repeats"
    for column, said in told["columns"].items():
        values = frame[column]
        assert values.isna().sum() == said.get("missing", 0), f"{column}: missing values"
        if said.get("ordered"):
            assert values.cat.ordered
            assert values.cat.categories.to_list() == said["values"]
            values = values.astype(str)
        elif said["type"] == "text":
            assert pd.api.types.is_string_dtype(values), f"{column} is {values.dtype}"
        else:
            assert values.dtype.kind in KINDS[said["type"]], f"{column} is {values.dtype}"
        if "values" in said:
            assert set(values.dropna()) == set(said["values"]), f"{column}: values"
        if "range" in said:
            least, most = (pd.Timestamp(end) if values.dtype.kind == "M" else end for end in said["range"])
            assert values.min() >= least
            assert values.max() <= most
            assert values.min() == least or said["type"] not in ("day",), f"{column}: the range is too wide"
        if said["type"] == "day":
            assert (values == values.dt.normalize())[values.notna()].all(), f"{column} has a time of day"


def test_the_promotions_are_what_their_schema_says_without_loading_them():
    journey = datasets.load("complete_journey")
    told = journey.schema["tables"]["promotions"]
    promotions = journey.promotions
    assert promotions.columns == tuple(told["columns"])
    assert promotions.count().execute() == told["rows"]
    for column in ("display_location", "mailer_location"):
        found = promotions.select(column).distinct().execute()[column]
        assert set(found) == set(told["columns"][column]["values"])


@pytest.mark.parametrize(("name", "table"), EVERY_TRANSACTIONS)
def test_transactions_are_what_their_schema_says(name, table):
    told = datasets.load(name).schema["transactions"][table]
    transactions = getattr(datasets.load(name), table)
    orders = transactions.table
    assert {"customer_id", "ordered_at", "amount", *told["roles"]} <= set(orders.columns)
    found = orders.aggregate(
        rows=orders.count(), customers=orders.customer_id.nunique(), money=orders.amount.sum()
    ).execute()
    assert found["rows"][0] == told["rows"]
    assert found["customers"][0] == told["customers"]
    assert Decimal(found["money"][0]) == Decimal(told["money"])
    assert transactions.first_day == date.fromisoformat(told["first_day"])
    assert transactions.last_day == date.fromisoformat(told["last_day"])
    assert transactions.currency == told["currency"]
    if "orders" in told:
        assert orders.order_id.nunique().execute() == told["orders"]
    assert transactions.ledger.reconciles()
    ledger = transactions.ledger.table
    assert ledger.loc[ledger["treatment"].isin(["merged", "set aside"]), "rows"].sum() == 0, "rows were lost"


@pytest.mark.parametrize("name", NAMES)
def test_a_card_states_licence_citation_reality_limits_and_lessons(name):
    data = datasets.load(name)
    sections = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", data.card, flags=re.M | re.S))
    origin = sections["Where it comes from, licence, citation"]
    assert "- Licence: " in origin
    assert "- Citation: " in origin
    assert f"**{data.real}**" in sections["Real or simulated"].lower().replace(".**", "**")
    assert len(sections["What this data cannot show"].split()) > 30
    assert sections["Lessons"].strip() == ", ".join(data.lessons)
    assert data.limits
    with (shipped.folder("docs") / "lessons.csv").open(encoding="utf-8", newline="") as file:
        assert set(data.lessons) <= {row["lesson"] for row in csv.DictReader(file)}
    example = re.search(rf'^(\w+) = datasets.load\("{name}"\)$', data.card, flags=re.M)[1]
    used = set(re.findall(rf"^{example}\.(\w+)", data.card, flags=re.M)) - {"columns"}
    assert used <= set(data.tables), "the card's example names a table that is not there"
    assert used
