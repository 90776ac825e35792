"""The segments report on a deliberately dirty file: labels and scores are made again from the rows as they were made."""

from types import SimpleNamespace

import pandas as pd
import pytest
from dirty_orders import ROLES, DirtyOrders
from test_rfm_report import Page, amount, play, rows_of

from crmkit import datasets, lifecycle
from crmkit.errors import InputError
from crmkit.report import notebook, segments
from crmkit.report import segments_steps as steps
from crmkit.segmentation import principles, rfm, value


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    dirty, folder, told = DirtyOrders(), tmp_path_factory.mktemp("firm"), []
    source = dirty.write(folder / "kasse.csv")
    files = segments.run(source, folder / "report", roles=ROLES, most_clusters=4, smallest=20, progress=told.append)
    text = files.page.read_text(encoding="utf-8")
    rows = pd.DataFrame(dirty.kept, columns=["customer_id", "day", "amount"])
    rows["amount"] = rows["amount"].astype(float)
    return SimpleNamespace(rows=rows, files=files, html=text, page=Page(text), told=told)


def exported(made, name):
    return rows_of(made.files.folder / name)


def test_every_customer_has_every_label_and_their_money_is_all_the_money(made):
    people = exported(made, "customers.csv")
    assert len(people) == made.rows["customer_id"].nunique()
    assert sum(float(row["spend"]) for row in people) == pytest.approx(made.rows["amount"].sum())
    assert all(row["value_band"] and row["rfm_segment"] and row["cluster"] for row in people)
    for name, column in (
        ("value_bands.csv", "value_band"),
        ("clusters.csv", "segment"),
        ("rfm_segments.csv", "segment"),
    ):
        label = {"value_bands.csv": "value_band", "clusters.csv": "cluster", "rfm_segments.csv": "rfm_segment"}[name]
        counted = pd.Series([row[label].lstrip("'") for row in people]).value_counts().to_dict()
        told = {row[column].lstrip("'"): int(row["customers"]) for row in exported(made, name)}
        assert {segment: number for segment, number in told.items() if number} == counted


def test_the_bands_on_the_page_are_those_of_the_file(made):
    shown = {row[0]: amount(row[1]) for row in made.page.table("Value bands")[1:]}
    assert shown == {row["value_band"]: int(row["customers"]) for row in exported(made, "value_bands.csv")}


def test_the_page_needs_no_network_and_shows_hostile_names_as_text(made):
    assert [tag for tag, _ in made.page.tags if tag in ("script", "link", "iframe")] == []
    assert "<script>alert" not in made.html
    pictures = [about for tag, about in made.page.tags if tag == "img"]
    assert len(pictures) >= 4
    assert all(about.get("alt") for about in pictures)
    assert {path.name for path in made.files.folder.iterdir()} == {
        "segments_report.html",
        "segments_report.ipynb",
        *segments.KIND.exports,
    }


def test_divisions_are_judged_by_money_that_no_label_has_seen():
    """On Complete Journey, the scores of value bands made again by hand from the two halves."""
    orders = datasets.load("complete_journey").transactions
    judged = steps.judge(orders, orders.last_day, rfm.SegmentMap.load("ten_segments"), 3, 50, 1)
    half = ((orders.last_day - orders.first_day).days + 1) // 2
    turn = pd.Timestamp(orders.last_day) - pd.Timedelta(days=half - 1)
    first = lifecycle.summary(
        orders.between((turn - pd.Timedelta(days=half)).date(), (turn - pd.Timedelta(days=1)).date())
    )
    second = lifecycle.summary(orders.between(turn.date(), orders.last_day))
    banded = value.bands(first)
    card = principles.score(
        banded["value_band"],
        outcome=second["spend"].reindex(first.index).fillna(0),
        later=value.bands(second, cuts=banded.attrs["cuts"])["value_band"],
    )
    assert judged.compared.loc["value bands", list(principles.PRINCIPLES)].to_list() == card.table["score"].to_list()
    assert set(judged.compared.index) == {steps.BANDS, steps.RFM, steps.CLUSTERS}


def test_advice_names_the_best_for_each_decision_and_says_when_nothing_lasts():
    scores = pd.DataFrame(
        {"differentiable": [0.1, 0.4], "stable": [0.5, 0.2], "actionable": 1.0, "segments": 3}, index=["one", "two"]
    )
    told = " ".join(steps.advice(scores))
    assert "For where the money will be: two" in told
    assert "sales team): one" in told
    assert "none of them" in " ".join(steps.advice(scores.assign(stable=[0.1, 0.05])))


@pytest.mark.parametrize(
    "rows",
    [
        [("anna", "2026-01-05", "10.00")],
        [("anna", "2026-01-05", "10.00"), ("anna", "2026-03-05", "20.00")],
        [(f"c{n}", f"2026-0{1 + n % 6}-1{n % 9}", "5.00") for n in range(40)],
    ],
    ids=["one order", "one customer", "all alike"],
)
def test_a_firm_with_little_data_gets_a_report_that_says_what_it_lacks(rows, tmp_path):
    source = tmp_path / "orders.csv"
    source.write_text("\n".join(["customer_id,ordered_at,amount", *(",".join(row) for row in rows)]) + "\n")
    names, _ = play(notebook.load("segments"), {"source": str(source)}, tmp_path)
    assert len(names["people"]) == len({row[0] for row in rows})
    assert names["judged"].words
    assert (tmp_path / "clusters.csv").is_file()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"most_clusters": 1}, "from 2 to 12"),
        ({"smallest": 0}, "a whole number of customers from 1 on"),
        ({"segments": "nine"}, "nine"),
    ],
)
def test_impossible_options_are_refused(given, words, tmp_path):
    source = tmp_path / "orders.csv"
    source.write_text("customer_id,ordered_at,amount\na,2026-01-05,3\nb,2026-02-05,4\n")
    with pytest.raises(InputError, match=words):
        segments.run(source, tmp_path / "out", **given)
