"""The lifecycle report on a deliberately dirty file: stages, lists and values are counted again from what was made."""

import warnings
from types import SimpleNamespace

import pandas as pd
import pytest
from dirty_orders import LAST, ROLES, DirtyOrders
from test_rfm_report import Page, amount, play, rows_of

from crmkit import datasets, lifecycle
from crmkit.errors import InputError
from crmkit.report import lifecycle as report
from crmkit.report import lifecycle_steps as steps
from crmkit.report import notebook
from crmkit.tables import Transactions

CAPACITY = 30


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    dirty, folder, told = DirtyOrders(), tmp_path_factory.mktemp("firm"), []
    source = dirty.write(folder / "kasse.csv")
    files = report.run(
        source, folder / "report", roles=ROLES, capacity=CAPACITY, margin=0.4, progress=told.append, pseudonymise=True
    )
    text = files.page.read_text(encoding="utf-8")
    rows = pd.DataFrame(dirty.kept, columns=["customer_id", "day", "amount"])
    rows["amount"] = rows["amount"].astype(float)
    return SimpleNamespace(dirty=dirty, rows=rows, source=source, files=files, html=text, page=Page(text), told=told)


def exported(made, name):
    return rows_of(made.files.folder / name)


def test_every_file_is_there_and_the_steps_were_told(made):
    names = {path.name for path in made.files.folder.iterdir()}
    assert names == {"lifecycle_report.html", "lifecycle_report.ipynb", "private", *report.KIND.exports}
    assert made.told[0] == "Reading and checking the rows"
    assert made.told[-1] == "Writing the page"


def test_every_customer_stands_in_one_stage_and_their_money_is_all_the_money(made):
    people = exported(made, "customers.csv")
    assert len(people) == made.rows["customer_id"].nunique()
    assert sum(float(row["spend"]) for row in people) == pytest.approx(made.rows["amount"].sum())
    stages = {row["stage"]: int(row["customers"]) for row in exported(made, "stages.csv")}
    counted = pd.Series([row["stage"] for row in people]).value_counts().to_dict()
    assert {stage: number for stage, number in stages.items() if number} == counted
    shown = made.page.table("Stages, and the task in each")
    assert {row[0]: amount(row[2]) for row in shown[1:]} == stages


def test_the_watch_list_is_everybody_in_decline_and_the_call_list_the_most_valuable_of_them(made):
    people = {row["customer_id"]: row for row in exported(made, "customers.csv")}
    watched, todo = exported(made, "watch_list.csv"), exported(made, "call_list.csv")
    decline = {name for name, row in people.items() if row["stage"] == "decline"}
    assert {row["customer_id"] for row in watched} == decline
    values = [float(row["clv"]) for row in watched]
    assert values == sorted(values, reverse=True)
    assert {row["customer_id"] for row in todo} == {row["customer_id"] for row in watched[: len(todo)]}
    assert sum(row["group"] == "contact" for row in todo) == min(CAPACITY, len(decline) - len(decline) // 10)
    assert {row["reason"] for row in todo} == {people[row["customer_id"]]["reason"] for row in todo}


def test_the_values_are_those_of_the_models_on_the_same_customers(made):
    orders = Transactions.read(made.source, **ROLES)
    summary = lifecycle.summary(orders, unit="weeks")
    found = steps.worth(orders, orders.last_day, 0.4, 0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = type(found.model)().fit(summary)
        money = lifecycle.value.GammaGamma().fit(summary, not_positive="leave out")
        values = lifecycle.value.customer_lifetime_value(model, money, summary, margin=0.4)
    total = sum(float(row["clv"]) for row in exported(made, "customers.csv"))
    assert total == pytest.approx(values["clv"].sum(), rel=1e-6)


def test_the_ledger_accounts_for_every_row_as_it_was_made(made):
    found = {(row["treatment"], row["reason"]): int(row["rows"]) for row in exported(made, "ledger.csv")}
    assert found == {key: number for key, number in made.dirty.fate.items() if number} | {
        key: number for key, number in found.items() if key[1] in ("no order_id", "refund without a sale before it")
    }


def test_the_page_needs_no_network_runs_no_script_and_names_no_customer(made):
    assert [tag for tag, _ in made.page.tags if tag in ("script", "link", "iframe")] == []
    assert all(not (about.get("src") or "").startswith("http") for _, about in made.page.tags)
    assert "K-0005" not in made.html
    assert "张伟" not in made.html
    assert "<script>alert" not in made.html
    for name in report.KIND.exports:
        if name.endswith(".csv"):
            assert "K-0001" not in (made.files.folder / name).read_text(encoding="utf-8-sig")


def test_pictures_are_described(made):
    pictures = [about for tag, about in made.page.tags if tag == "img"]
    assert len(pictures) >= 4
    assert all(about.get("alt") for about in pictures)


# --- odd firms --------------------------------------------------------------------------------------------------------


def firm(folder, rows, **values):
    source = folder / "orders.csv"
    lines = ["customer_id,ordered_at,amount", *(",".join(map(str, row)) for row in rows)]
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return play(notebook.load("lifecycle"), {"source": str(source), **values}, folder)


@pytest.mark.parametrize(
    "rows",
    [
        [("anna", "2026-01-05", "10.00")],
        [("anna", "2026-01-05", "10.00"), ("anna", "2026-03-05", "20.00")],
        [(f"c{n}", f"2026-0{1 + n % 6}-1{n % 9}", f"{n + 1}.00") for n in range(60)],
        [(f"c{n % 5}", f"2026-01-0{1 + n % 7}", "3.00") for n in range(40)],
    ],
    ids=["one order", "one customer", "nobody buys twice", "one week"],
)
def test_a_firm_with_little_data_gets_a_report_that_says_what_it_lacks(rows, tmp_path):
    names, shown = firm(tmp_path, rows)
    assert len(names["people"]) == len({row[0] for row in rows})
    assert names["worth"].values is not None or "cannot be said from these data" in shown["answer"]
    assert names["worth"].values is not None or names["worth"].words
    assert (tmp_path / "call_list.csv").is_file()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"margin": 0}, "margin=0 must be a share"),
        ({"margin": 30}, "margin=30 must be a share"),
        ({"discount": 10}, "discount=10 must be a share a year"),
        ({"rules": "seven_stages"}, "seven_stages"),
    ],
)
def test_impossible_options_are_refused_with_what_to_do(given, words, tmp_path):
    source = tmp_path / "orders.csv"
    source.write_text("customer_id,ordered_at,amount\na,2026-01-05,3\nb,2026-02-05,4\n")
    with pytest.raises(InputError, match=words):
        report.run(source, tmp_path / "out", **given)


def test_the_hold_out_is_the_last_third_and_its_purchases_are_those_that_came():
    """On CDNOW, counted again with pandas alone."""
    orders = datasets.load("cdnow").transactions
    found = steps.worth(orders, orders.last_day, 1.0, 0.1)
    rows = orders.table.to_pyarrow().to_pandas()[["customer_id", "day"]].drop_duplicates()
    rows["day"] = pd.to_datetime(rows["day"])
    known = pd.Timestamp(orders.first_day) + pd.Timedelta(days=round(546 * 2 / 3))
    early = rows.loc[rows["day"] <= known, "customer_id"].unique()
    came = rows[(rows["day"] > known) & rows["customer_id"].isin(early)]
    assert found.card.table["actual_total"].iloc[0] == len(came)
    assert found.card.customers == len(early)
    assert str(LAST)  # the dirty file's last day is a fixed date, not today
