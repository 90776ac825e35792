"""The RFM report, run on a deliberately dirty file: every row accounted for, every number counted again by plain pandas.

The report runs once for most tests (`made`); the odd firms at the end run the notebook's cells in this process.
"""

import ast
import contextlib
import csv
import io
import re
import shutil
import tomllib
import zipfile
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from importlib import resources
from types import SimpleNamespace

import nbformat
import numpy as np
import openpyxl
import pandas as pd
import pytest
from dirty_orders import HOSTILE, LAST, ROLES, DirtyOrders

import crmkit
from crmkit.errors import ColumnError, InputError, KindError
from crmkit.report import notebook, passages, production, pseudonyms, rfm, rfm_text
from crmkit.tables import save_roles

CAPACITY = 40
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


class Page(HTMLParser):
    """Tags with their attributes, tables by caption, and the text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.tables, self.words = [], {}, []
        self._row = self._cell = self._caption = None
        self.feed(text)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "table":
            self._rows = []
        elif tag == "tr":
            self._row = []
        elif tag in ("td", "th", "caption"):
            self._cell = ""

    def handle_endtag(self, tag):
        if tag == "caption":
            self._caption = self._cell.strip()
        elif tag in ("td", "th"):
            self._row.append(self._cell.strip())
        elif tag == "tr":
            self._rows.append(self._row)
        elif tag == "table":
            self.tables[self._caption] = self._rows
        self._cell = None if tag in ("td", "th", "caption") else self._cell

    def handle_data(self, data):
        if self.tags[-1:] and self.tags[-1][0] == "style" and "{" in data:
            return
        self.words.append(data)
        if self._cell is not None:
            self._cell += data

    def table(self, start):
        [found] = [rows for caption, rows in self.tables.items() if caption.startswith(start)]
        return found


@pytest.fixture(scope="module")
def dirty():
    return DirtyOrders()


@pytest.fixture(scope="module")
def made(dirty, tmp_path_factory):
    folder = tmp_path_factory.mktemp("firm")
    source = dirty.write(folder / "kasse.csv")
    out = folder / "report"
    out.mkdir()
    (out / "notes of mine.txt").write_text("not the report's")
    (out / rfm.KIND.failed).write_text("an older failure")
    (out / rfm.KIND.page).write_text("an older page")
    steps = []
    files = rfm.run(
        source, out, roles=ROLES, capacity=CAPACITY, recorded={"Run on": "2026-07-01 <b>"}, progress=steps.append
    )
    text = files.page.read_text(encoding="utf-8")
    return SimpleNamespace(source=source, out=out, steps=steps, files=files, html=text, page=Page(text))


@pytest.fixture(scope="module")
def truth(dirty):
    """Each customer and segment, counted from the rows as they were made, with pandas and the map's file alone."""
    rows = pd.DataFrame(dirty.kept, columns=["customer_id", "day", "amount"])
    bought = rows[rows["amount"] >= 0].groupby("customer_id")["day"]
    people = pd.DataFrame(
        {
            "orders": bought.nunique(),
            "recency_days": [(LAST - last).days for last in bought.max()],
            "spend": rows.groupby("customer_id")["amount"].sum().astype(float),
        }
    )
    for letter, column in zip("rfm", ("recency_days", "orders", "spend"), strict=True):
        cuts = np.quantile(people[column], [0.2, 0.4, 0.6, 0.8], method="inverted_cdf")
        below = np.array([(cuts < value).sum() for value in people[column]])
        people[letter] = 5 - below if letter == "r" else 1 + below
    rules = tomllib.loads(resources.files("crmkit.segmentation").joinpath("maps/ten_segments.toml").read_text("utf-8"))[
        "segment"
    ]

    def fits(score, text):
        low, _, high = text.partition("-")
        return int(low) <= score <= int(high or low)

    people["segment"] = [
        next(rule["segment"] for rule in rules if fits(person.r, rule["r"]) and fits(person.f, rule["f"]))
        for person in people.itertuples()
    ]
    return people


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def amount(text):
    return Decimal(text.replace(",", "").replace("−", "-"))


# --- what is in the folder -----------------------------------------------------------------------------------------


def test_the_folder_holds_the_report_and_what_was_there_before(made):
    names = {"rfm_report.html", "rfm_report.ipynb", "notes of mine.txt", *rfm.KIND.exports}
    assert {path.name for path in made.out.iterdir()} == names
    assert (made.out / "notes of mine.txt").read_text() == "not the report's"
    assert {made.files.page, made.files.notebook, *made.files.exports} <= set(made.out.iterdir())
    assert made.files.private == ()
    assert all(path.name in str(made.files) for path in made.files.exports)


def test_progress_is_told_step_by_step(made):
    assert made.steps[0] == "Reading and checking the rows"
    assert made.steps[-1] == "Writing the page"
    assert len(made.steps) >= 7


# --- the page --------------------------------------------------------------------------------------------------------


def test_the_page_needs_no_network_and_runs_no_code(made):
    tags = {tag for tag, _ in made.page.tags}
    assert not tags & {"script", "link", "iframe", "object", "embed", "base", "audio", "video", "source", "form"}
    for tag, attributes in made.page.tags:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in ("src", "href", "srcset", "poster", "background", "data", "action"):
                assert value.startswith(("data:image/png;base64,", "#")), (tag, name, value[:80])
    styles = re.findall(r"<style.*?</style>", made.html, re.DOTALL) + re.findall(r'style="[^"]*"', made.html)
    assert styles
    assert not re.search(r"url\(|@import|expression\(", " ".join(styles))
    [policy] = [a["content"] for tag, a in made.page.tags if tag == "meta" and "http-equiv" in a]
    assert policy.startswith("default-src 'none'")


def test_the_page_hides_code_and_speaks_for_its_pictures(made):
    for code in ("Transactions.read", "import ", "action_list(", "&gt;&gt;&gt;"):
        assert code not in made.html
    pictures = [attributes for tag, attributes in made.page.tags if tag == "img"]
    assert len(pictures) == 7
    for picture in pictures:
        assert len(picture["alt"]) > 60
        assert "matplotlib" not in picture["alt"]


def test_text_from_data_cannot_become_markup(made):
    listed = [row[0] for row in made.page.table("The first 15 of")[1:]]
    assert set(HOSTILE) <= set(listed)
    assert "<script>alert" not in made.html
    assert "<img src=x" not in made.html
    assert "2026-07-01 <b>" in made.page.text


def test_the_answer_says_whom_how_much_and_what_it_is_worth(made, truth):
    contacts = rows_of(made.out / "action_list.csv")
    chosen = {row["customer_id"].removeprefix("'") for row in contacts if row["group"] == "contact"}
    spent = truth.loc[list(chosen), "spend"].sum()
    answer = made.files.answer
    assert answer.startswith(f"Contact {CAPACITY} customers first")
    assert f"{spent:,.0f}" in answer
    assert f"{spent / truth['spend'].sum():.0%}".replace("%", " %") in answer
    for segment, number in truth.loc[list(chosen), "segment"].value_counts().items():
        assert f"{number} in {segment}" in answer
    away = truth[(truth["r"] <= 2) & (truth["f"] >= 4)]
    assert f"{len(away)} customers who came more often" in answer
    assert f"{away['spend'].sum():,.0f}" in answer
    assert made.files.answer.split(" first")[0] in made.page.text


def test_every_row_of_the_file_is_in_the_printed_ledger(made, dirty):
    printed = made.page.table("What happened to the rows that were read")[1:]
    entries = {
        (t, r): (int(n.replace(",", "")), amount(m)) for t, r, n, m in printed if t in ("kept", "flagged", "set aside")
    }
    assert entries == {key: (dirty.fate[key], dirty.money[key] or Decimal(0)) for key in dirty.fate}
    read = [row for row in printed if row[0] == "read"]
    assert read[0][2] == f"{len(dirty.lines):,}"
    kept = dirty.money["kept", ""]
    assert (
        f"Kept rows hold {kept:,}; the customers' spend adds up to {kept:,}: the same, to the cent." in made.page.text
    )
    exported = {
        (row["treatment"], row["reason"]): (int(row["rows"]), Decimal(row["money"]))
        for row in rows_of(made.out / "ledger.csv")
    }
    assert exported == entries


def test_the_method_names_every_choice(made):
    told = dict(made.page.table("Parameters")[1:])
    assert told["Source"] == "kasse.csv"
    assert told["Rows read"] == "1,225"
    assert {role: told[f"Column for {role}"] for role in ROLES} == ROLES
    assert told["Looked at as of"] == LAST.isoformat()
    assert told["Bins"].startswith("R 5 (5 in use), F 5 (")
    assert told["Contacts that can be made"] == str(CAPACITY)
    assert told["Control group"] == "10% of those chosen, random seed 1"
    assert told["Run on"] == "2026-07-01 <b>"
    assert told["Made with"].startswith(f"crmkit {crmkit.__version__}, Python 3.")
    rules = made.page.table("Segment map 'ten_segments'")
    assert ["Champions", "5", "4-5"] in rules
    assert "every combination of scores has exactly one segment" in made.page.text


def test_the_printed_cut_points_give_the_same_sizes_as_pandas(made, truth):
    for line in made.page.table("Cut points")[1:]:
        dimension, score, _, customers = line
        assert int(customers.replace(",", "")) == (truth[dimension[0].lower()] == int(score)).sum()


# --- the files -------------------------------------------------------------------------------------------------------


def test_every_customer_has_the_scores_and_the_segment_that_pandas_gives(made, truth):
    exported = pd.DataFrame(rows_of(made.out / "customers.csv"))
    exported["customer_id"] = exported["customer_id"].str.removeprefix("'")
    exported = exported.set_index("customer_id").sort_index()
    truth = truth.sort_index()
    assert list(exported.index) == list(truth.index)
    for column, known in (
        ("orders", "orders"),
        ("recency_days", "recency_days"),
        ("r_score", "r"),
        ("f_score", "f"),
        ("m_score", "m"),
    ):
        assert exported[column].astype(int).tolist() == truth[known].tolist(), column
    assert np.allclose(exported["spend"].astype(float), truth["spend"])
    assert exported["segment"].tolist() == truth["segment"].tolist()


def test_the_cards_add_up_to_pandas(made, truth):
    cards = {row["segment"]: row for row in rows_of(made.out / "segments.csv")}
    for segment, people in truth.groupby("segment"):
        assert int(cards[segment]["customers"]) == len(people)
        assert float(cards[segment]["spend"]) == pytest.approx(people["spend"].sum())
    assert sum(int(card["customers"]) for card in cards.values()) == len(truth)


def test_the_action_list_is_the_best_payers_with_a_random_part_held_out(made, truth):
    listed = rows_of(made.out / "action_list.csv")
    groups = pd.Series([row["group"] for row in listed]).value_counts()
    assert groups["contact"] == CAPACITY
    assert groups["control"] == 5  # ceil(0.1 × 45)
    best = truth["spend"].sort_values(ascending=False).head(len(listed)).index
    assert {row["customer_id"].removeprefix("'") for row in listed} == set(best)
    assert {"customer_id", "segment", "action", "reason", "value", "due", "group"} == set(listed[0])


def test_no_cell_of_an_export_starts_a_formula_and_excel_shows_chinese(made):
    for path in made.files.exports:
        if path.suffix == ".csv":
            assert path.read_bytes().startswith(b"\xef\xbb\xbf")
            for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")):
                texts = [cell for cell in row if not re.fullmatch(r"-?[\d.]+(e-?\d+)?|-inf|-?nan", cell)]
                assert not [cell for cell in texts if cell.lstrip(" ").startswith(FORMULA_STARTS)], path.name
    book = openpyxl.load_workbook(made.out / "action_list.xlsx")
    assert book.sheetnames == ["Read me", "Action list", "Segments", "Ledger"]
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert "张伟 & Söhne" in [cell.value for cell in cells]
    assert "'=cmd|'/C calc'!A0" in [cell.value for cell in cells]
    told = {row[0].value: row[1].value for row in book["Read me"].iter_rows()}
    assert told["Sheet 'Action list'"] == "45 rows: all of them."


def test_the_notebook_shows_its_code_and_reruns_on_its_own(made, tmp_path):
    saved = nbformat.read(made.files.notebook, as_version=4)
    nbformat.validate(saved)
    code = [cell for cell in saved.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    assert any("Transactions.read" in cell.source for cell in code)
    assert ".building-" not in made.files.notebook.read_text(encoding="utf-8")
    play(saved, {}, tmp_path)
    for name in ("action_list.csv", "customers.csv", "segments.csv", "ledger.csv"):
        assert (tmp_path / name).read_bytes() == (made.out / name).read_bytes(), name


# --- without customer ids ----------------------------------------------------------------------------------------------


def test_pseudonymised_no_file_but_the_private_ones_holds_a_customer_id(made, truth, tmp_path, monkeypatch):
    out = tmp_path / "report"
    secret = pseudonyms.key(out / production.KEY)  # from last month: it is used again
    save_roles(ROLES, tmp_path / "roles.toml")
    monkeypatch.chdir(tmp_path)
    files = rfm.run(made.source, "report", roles="roles.toml", capacity=CAPACITY, pseudonymise=True)
    assert [path.relative_to(out).as_posix() for path in files.private] == [production.KEY, production.TRANSLATIONS]
    assert "KEEP PRIVATE" in str(files)
    assert pseudonyms.key(out / production.KEY) == secret

    contents = {}
    for path in (files.page, files.notebook, *files.exports):
        contents[path.name] = path.read_bytes()
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                contents[path.name] = b"".join(book.read(name) for name in book.namelist())
    for name, content in contents.items():
        text = (
            content.decode("utf-8")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", '"')
            .replace("&amp;", "&")
        )
        text = text.replace("\\u5f20\\u4f1f", "张伟").replace('\\"', '"').replace("&#x27;", "'").replace("&#39;", "'")
        assert not [customer for customer in truth.index if customer in text], name
        assert secret.hex() not in text, name

    translation = {
        row["pseudonym"]: row["customer_id"].removeprefix("'") for row in rows_of(out / production.TRANSLATIONS)
    }
    assert set(translation.values()) == set(truth.index)
    for row in rows_of(out / "customers.csv"):
        assert float(row["spend"]) == pytest.approx(truth.loc[translation[row["customer_id"]], "spend"])
    assert dict(Page(files.page.read_text(encoding="utf-8")).table("Parameters")[1:])["Customer ids"].startswith(
        "replaced by keyed"
    )


# --- what goes wrong ---------------------------------------------------------------------------------------------------


def test_a_failed_run_leaves_an_older_report_as_it_was_and_the_notebook_with_the_error(made, tmp_path):
    out = tmp_path / "report"
    shutil.copytree(made.out, out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(InputError, match=r"as_of='?1990-01-01'? .*rfm_report_failed\.ipynb"):
        rfm.run(made.source, out, roles=ROLES, as_of="1990-01-01")
    kept = (out / rfm.KIND.failed).read_text(encoding="utf-8")
    assert "InputError" in kept
    assert "1990-01-01" in kept
    (out / rfm.KIND.failed).unlink()
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_mistyped_column_is_told_before_anything_runs_and_leaves_nothing(made, tmp_path):
    told = []
    with pytest.raises(ColumnError, match=r"no column 'Umsats'\. Did you mean 'Umsatz'\?$|Umsatz"):
        rfm.run(made.source, tmp_path / "out", roles={**ROLES, "amount": "Umsats"}, progress=told.append)
    assert told == []
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_refused_before_anything_runs(made, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="is a file; name a folder"):
        rfm.run(made.source, tmp_path / "file", roles=ROLES)
    with pytest.raises(InputError, match="cannot be written"):
        rfm.run(made.source, tmp_path / "file" / "below", roles=ROLES)
    assert (tmp_path / "file").read_text() == "x"


@pytest.mark.parametrize(
    ("source", "given", "kind", "message"),
    [
        ("missing.csv", {}, InputError, r"there is no file .*missing\.csv"),
        (pd.DataFrame(), {}, KindError, "source must be the path of a file, not DataFrame"),
        (__file__, {"as_of": "tomorrow"}, InputError, "as_of='tomorrow' is not a day"),
        (__file__, {"reading": ["decimal"]}, KindError, r"reading must be a dict, not \['decimal'\]"),
    ],
)
def test_mistakes_that_can_be_seen_at_once_are_told_at_once(tmp_path, source, given, kind, message):
    with pytest.raises(kind, match=message):
        rfm.run(source, tmp_path / "out", **given)


# --- odd firms: the notebook's cells, run in this process --------------------------------------------------------------


def play(sheet, values, folder):
    """Run the code cells in `folder`; returns their variables and the HTML of each cell's last value."""
    shown = {}
    names = {"display": lambda value: shown.setdefault("displayed", []).append(value)}
    with contextlib.chdir(folder):
        for cell in sheet.cells:
            if cell.cell_type == "code":
                *lines, last = ast.parse(cell.source).body
                lines += [] if isinstance(last, ast.Expr) else [last]
                exec(compile(ast.Module(lines, []), cell.id, "exec"), names)
                if isinstance(last, ast.Expr):
                    value = eval(compile(ast.Expression(last.value), cell.id, "eval"), names)
                    shown[cell.id] = getattr(value, "data", value)
                if "parameters" in cell.metadata.get("tags", []):
                    names.update(values)
    return names, shown


def firm(folder, rows, **values):
    """The report on a few rows of (customer, day, amount)."""
    source = folder / "orders.csv"
    lines = ["customer_id,ordered_at,amount", *(",".join(map(str, row)) for row in rows)]
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return play(notebook.load("rfm"), {"source": str(source), **values}, folder)


def test_one_customer(tmp_path):
    names, shown = firm(tmp_path, [("anna", "2026-01-05", "10.00"), ("anna", "2026-03-05", "20.00")])
    assert names["matrix"] is None
    assert "Contact 1 customer first" in shown["answer"]
    assert "not be known what the contact did" in shown["answer"]
    assert "There is no control group" in shown["control-group"]


def test_nobody_buys_twice(tmp_path):
    days = pd.date_range("2026-01-01", periods=60).strftime("%Y-%m-%d")
    names, shown = firm(tmp_path, [(f"c{n}", day, f"{n + 1}.00") for n, day in enumerate(days)])
    assert names["segments"].attrs["effective_bins"]["f"] == 1
    assert "not shown: nobody bought on two days" in shown["migration"]
    assert "no value: a tie took this score" in shown["cut-points"]
    assert "nobody bought twice, so frequency says nothing" in shown["limits"].lower()


def test_fewer_customers_than_bins_on_an_earlier_day_with_a_map_stretched_over_other_bins(tmp_path):
    rows = [
        ("a", "2026-01-05", "10.00"),
        ("b", "2026-02-05", "20.00"),
        ("b", "2026-03-01", "5.00"),
        ("c", "2026-06-01", "9.00"),
    ]
    names, shown = firm(tmp_path, rows, bins=7, as_of="2026-04-30")
    assert names["cards"]["customers"].sum() == 2
    assert names["cards"]["spend"].sum() == 35
    assert "The rest was paid after 30 April 2026 and is not looked at." in shown["reconciled"]
    assert "ten_segments, stretched over other bins" in shown["method-table"]


def test_an_empty_action_list(tmp_path):
    own = tmp_path / "quiet.toml"
    own.write_text(
        'name = "quiet"\nbins = 5\ndimensions = ["r"]\n'
        '[[segment]]\nsegment = "<i>Everybody</i>"\nr = "1-4"\nmeaning = "all"\n'
        '[remainder]\nsegment = "Rest"\n',
        encoding="utf-8",
    )
    rows = [(f"c{n}", f"2026-01-{n + 1:02d}", "5.00") for n in range(25)]
    names, shown = firm(tmp_path, rows, segment_map=str(own))
    assert names["todo"].empty
    assert "Nobody is on the action list" in shown["answer"]
    assert "Nobody is eligible" in shown["list-head"]
    assert "gap" in shown["map"]
    assert "&lt;i&gt;Everybody" in shown["map"]
    assert "<i>Everybody" not in shown["map"] + shown["answer"] + shown["segment-cards"]
    assert rows_of(tmp_path / "action_list.csv") == []
    told = openpyxl.load_workbook(tmp_path / "action_list.xlsx")["Read me"]
    assert "0 rows: all of them." in [row[1].value for row in told.iter_rows()]


def test_numbers_that_do_not_add_up_stop_the_report():
    ledger = pd.DataFrame({"treatment": ["kept", "flagged"], "money": [Decimal("30.00"), Decimal("5.00")]})
    orders = SimpleNamespace(
        ledger=SimpleNamespace(table=ledger, notes=[]), scale=2, currency=None, last_day=date(2026, 3, 5)
    )
    summary = pd.DataFrame({"spend": [10.0, 20.0]})
    summary.attrs["as_of"] = "2026-03-05"
    assert "the same, to the cent" in passages.reconciled(orders, summary).data
    wrong = summary.assign(spend=[10.0, 20.01])
    with pytest.raises(InputError, match=r"does not add up: kept rows hold 30\.00, the customers' spend is 30\.01"):
        passages.reconciled(orders, wrong)


def test_a_share_below_one_percent_is_escaped():
    scores = pd.DataFrame({"r_score": [1, 5], "f_score": [5, 5], "spend": [1.0, 99999.0]})
    scores.attrs["bins"] = {"r": 5, "f": 5}
    assert "(&lt;1 % of all money)" in rfm_text.in_danger(scores, None)
