"""Three Gates: the shipped mall is what the generator makes, its parameters can be found again, and every trap is there."""

import time

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from crmkit import datasets
from crmkit.errors import InputError
from crmkit.tables import consent, identity

LAST = pd.Timestamp("2025-12-31")
TABLES = ["records", "receipts", "contacts", "referrals"]
TRUTH = ["truth_identity", "truth_receipts", "truth_persons", "truth_parameters"]


@pytest.fixture(scope="module")
def mall():
    return datasets.load("mall")


@pytest.fixture(scope="module")
def large():
    """Six thousand card holders, as shipped otherwise: large enough to find the parameters again."""
    return datasets.simulate("mall", customers=6_000, seed=4)


def test_making_it_again_gives_the_files_that_ship(mall):
    told = mall.schema["simulated"]
    made = datasets.simulate("mall")
    assert (made.size, made.seed) == (told["customers"], told["seed"])
    assert made.tables == TABLES
    assert made.truth == TRUTH == told["truth"]
    for name in TABLES + TRUTH:
        shipped = getattr(mall, name)
        again = getattr(made, name)
        for column in shipped.select_dtypes("bool"):  # a file without gaps is read as plain yes and no
            again[column] = again[column].astype(bool)
        assert_frame_equal(again, shipped, check_exact=True)
    assert made.transactions.ledger.reconciles()


# --- the parameters can be found again ----------------------------------------------------------------------------


def test_the_share_of_persons_with_several_records(large):
    several = large.truth_identity.groupby("person_id").size() > 1
    assert len(several) == 6_000
    assert several.mean() == pytest.approx(0.18, abs=4 * np.sqrt(0.18 * 0.82 / 6_000))
    assert large.truth_identity.groupby("person_id").size().max() == 4


def test_cards_are_shown_as_often_as_the_parameter_says(large):
    first = large.records.merge(large.truth_identity).groupby("person_id")["registered_on"].min()
    receipts = large.receipts.merge(large.truth_receipts)
    since = receipts["person_id"].map(first)
    after = receipts[receipts["till_at"].dt.normalize() > since]
    assert after["record_id"].notna().mean() == pytest.approx(0.88, abs=4 * np.sqrt(0.88 * 0.12 / len(after)))
    assert receipts.loc[receipts["till_at"].dt.normalize() < since, "record_id"].isna().all()
    assert receipts.loc[since.isna(), "record_id"].isna().all()


def test_a_shown_card_belongs_to_the_person_and_was_there(large):
    known = large.receipts.dropna(subset=["record_id"]).merge(large.truth_receipts)
    owner = known.merge(large.truth_identity, on="record_id", suffixes=("", "_of_card"))
    assert len(owner) == len(known)
    assert (owner["person_id"] == owner["person_id_of_card"]).all()
    there = known.merge(large.records[["record_id", "registered_on"]])
    assert (there["till_at"].dt.normalize() >= there["registered_on"]).all()


def test_visits_and_money_follow_the_persons_rates(large):
    truth = large.truth_persons.set_index("person_id")
    assert truth["visits_a_year"].mean() == pytest.approx(2.3, rel=0.03)
    shape = truth["visits_a_year"].mean() ** 2 / truth["visits_a_year"].var()
    assert shape == pytest.approx(1.1, rel=0.08)
    receipts = large.receipts.merge(large.truth_receipts)
    expected = 3 * 1.55 * truth["visits_a_year"].sum()
    assert len(receipts) == pytest.approx(expected, rel=0.01)
    assert receipts["amount"].sum() == pytest.approx(3 * truth["worth_a_year"].sum(), rel=0.03)
    days = receipts.groupby("person_id")["till_at"].apply(lambda times: times.dt.normalize().nunique())
    fitted = np.polyfit(truth["visits_a_year"], days.reindex(truth.index, fill_value=0), 1)
    assert fitted[0] == pytest.approx(3, rel=0.03)


def test_card_holders_are_heavier_buyers_only_because_heavy_buyers_take_cards():
    selected = datasets.simulate("mall", customers=3_000, seed=6).truth_persons
    by_chance = datasets.simulate("mall", customers=3_000, seed=6, selection=0).truth_persons
    for truth, low, high in ((selected, 1.8, 3.5), (by_chance, 0.93, 1.07)):
        worth = truth.groupby("card")["worth_a_year"].mean()
        assert low < worth[True] / worth[False] < high
        assert truth["heavy_buyer"].mean() == pytest.approx(0.2, abs=0.001)
        assert (
            truth.loc[truth["heavy_buyer"], "worth_a_year"].min()
            >= truth.loc[~truth["heavy_buyer"], "worth_a_year"].max()
        )


def test_the_share_identified_differs_by_receipts_money_and_people(mall):
    known = mall.receipts["record_id"].notna()
    by_receipts = known.mean()
    by_money = mall.receipts.loc[known, "amount"].sum() / mall.receipts["amount"].sum()
    assert by_receipts == pytest.approx(0.3, abs=0.02)
    assert by_money > by_receipts + 0.01
    by_year = known.groupby(mall.receipts["till_at"].dt.year).mean()
    assert by_year.is_monotonic_increasing
    persons = mall.truth_receipts["person_id"].nunique()
    week = mall.receipts.merge(mall.truth_receipts).groupby(mall.receipts["till_at"].dt.to_period("W"))
    assert (week["person_id"].nunique() < 0.75 * week.size()).mean() > 0.9  # a receipt is not a person
    assert week.size().sum() > 10 * persons


def test_nobody_shops_on_a_sunday_or_after_closing_and_december_is_full(large):
    times = large.receipts["till_at"]
    assert (times.dt.day_of_week != 6).all()
    assert times.is_monotonic_increasing
    assert times.dt.hour.between(10, 20).all()
    months = times.dt.month.value_counts()
    assert months[12] > 1.3 * months[6]
    for table, column in (("contacts", "at"), ("contacts", "next_on")):
        assert (getattr(large, table)[column].dropna().dt.day_of_week != 6).all()


# --- the traps are there ------------------------------------------------------------------------------------------


def test_records_are_numbered_in_time_and_updated_after_registration(mall):
    records = mall.records
    assert records["record_id"].is_monotonic_increasing
    assert records["registered_on"].is_monotonic_increasing
    assert (records["updated_at"] >= records["registered_on"]).all()
    assert records["updated_at"].max() < LAST + pd.Timedelta(days=1)
    opened = records.groupby("channel")["registered_on"].min()
    for channel, day in {"desk": "2023-01-02", "app": "2023-09-01", "partner": "2024-03-01"}.items():
        assert pd.Timestamp(day) <= opened[channel] < pd.Timestamp(day) + pd.Timedelta(days=14)


def test_names_come_in_several_alphabets_orders_and_spellings(mall):
    names = mall.records["name"]
    assert names.str.contains("[一-鿿]").mean() > 0.02
    assert names.str.contains(",").sum() > 50
    assert names.str.isupper().sum() > 50
    assert names.str.islower().sum() > 20
    assert names.str.contains("^(?:Frau|Herr) ").sum() > 50
    assert names.str.contains("[çğışöüłóéèíøžć]", case=False).sum() > 200
    assert mall.records["phone"].str.replace(r"\d", "9", regex=True).nunique() >= 10
    assert mall.records["consent"].nunique() == 9
    assert mall.records["sex"].nunique() == 10
    for addresses in (mall.truth_persons["email"], mall.records["email"].str.strip().str.lower()):
        assert addresses.dropna().str.fullmatch(r"[^@]+@(?:mail\.|post\.)?example\.(?:com|org|net)").all(), (
            "it could exist"
        )


def test_families_share_a_telephone_and_are_different_persons(mall):
    holders = mall.truth_persons[mall.truth_persons["card"]]
    homes = holders.groupby("household")
    several = holders[homes["person_id"].transform("size") > 1]
    assert several["household"].nunique() >= 40
    assert homes.size().max() == 4
    assert (several.groupby("household")["postcode"].nunique() == 1).all()
    shared = several.groupby("household").filter(lambda home: home["phone"].nunique() < len(home))
    assert shared["household"].nunique() >= 40
    juniors = several[several.duplicated(["household", "name"], keep=False)]
    assert juniors["household"].nunique() >= 3
    twins = several[several.duplicated(["household", "birth_date"], keep=False)]
    assert twins["household"].nunique() >= 2
    age = (LAST - holders["birth_date"]).dt.days / 365.25
    assert age.min() > 14
    assert age.max() < 90
    assert holders["birth_date"].value_counts().max() <= 4, "nobody is born on the edge of a distribution"


def test_two_persons_of_one_name_live_in_one_postcode(mall):
    holders = mall.truth_persons[mall.truth_persons["card"]]
    apart = holders.drop_duplicates(["household", "name"])
    assert apart.duplicated(["name", "postcode"], keep=False).sum() > 20


def test_consent_of_one_person_contradicts_itself_both_ways(mall):
    records = mall.records.merge(mall.truth_identity).sort_values("updated_at")
    said = records.assign(said=consent.read(records["consent"]))
    said = said[said["said"].isin(["yes", "no"])]
    both = said.groupby("person_id").filter(lambda person: person["said"].nunique() == 2)
    assert both["person_id"].nunique() >= 30
    last = both.groupby("person_id")["said"].last()
    assert last.value_counts().min() >= 10


def test_referrals_hold_trees_tricks_and_slips(mall):
    referrals, person = mall.referrals, mall.truth_identity.set_index("record_id")["person_id"]
    itself = referrals["record_id"] == referrals["referred_by"]
    assert itself.sum() == 1
    again = referrals["record_id"].map(person) == referrals["referred_by"].map(person)
    assert 5 <= (again & ~itself).sum() <= 15
    assert referrals["record_id"].duplicated().sum() == 2
    ghosts = ~referrals["referred_by"].isin(mall.records["record_id"])
    assert referrals.loc[ghosts, "referred_by"].to_list() == ["M99999"]
    graph = nx.DiGraph(referrals[["referred_by", "record_id"]].itertuples(index=False, name=None))
    cycles = sorted(len(cycle) for cycle in nx.simple_cycles(graph))
    assert cycles == [1, 3]
    broad = max(graph, key=lambda node: len(nx.descendants(graph, node)))
    assert len(nx.descendants(graph, broad)) >= 15
    assert max(nx.single_source_shortest_path_length(graph, broad).values()) >= 3
    joined = mall.records.set_index("record_id")["registered_on"]
    assert (referrals["on"] == referrals["record_id"].map(joined)).all()
    honest = referrals[
        ~itself & ~ghosts & ~referrals["record_id"].isin([n for c in nx.simple_cycles(graph) for n in c])
    ]
    assert (honest["referred_by"].map(joined) <= honest["on"]).mean() > 0.99


def test_notes_name_people_and_hold_marks_and_some_complaints_are_open(mall):
    contacts = mall.contacts
    notes = contacts["note"].dropna()
    named = notes.str.extract(r"came with (?P<name>[^,;]+), (?P<record>M\d{5})").dropna()
    assert len(named) >= 20
    assert named["record"].isin(mall.records["record_id"]).all()
    person = named["record"].map(mall.truth_identity.set_index("record_id")["person_id"])
    assert (person.map(mall.truth_persons.set_index("person_id")["name"]) == named["name"]).all()
    assert notes.str.contains(r"rang .+ back on").sum() >= 50
    assert notes.str.startswith("=").any()
    assert notes.str.contains("<b>").any()
    is_open = contacts["outcome"] == "open"
    assert (contacts.loc[is_open, "kind"] == "complaint").all()
    assert 5 <= is_open.sum() <= 60
    assert contacts["next_on"].notna().mean() < 0.2
    since = mall.records.set_index("record_id")["registered_on"]
    assert (contacts["at"] >= contacts["record_id"].map(since)).all()
    due = contacts.dropna(subset=["next_on"])
    due = due[due["next_on"] < LAST]
    later = contacts.merge(due[["record_id", "next_on"]], on="record_id", suffixes=("", "_due"))
    kept = later[later["at"].dt.normalize() == later["next_on_due"]].drop_duplicates(["record_id", "next_on_due"])
    assert 0.4 < len(kept) / len(due) < 0.85, "promises are mostly kept, and not always"


# --- scenarios ----------------------------------------------------------------------------------------------------


def test_clean_is_clean_and_still_has_duplicates():
    clean = datasets.simulate("mall", customers=400, seed=2, dirt=0)
    records = clean.records
    assert records[["name", "phone", "email", "birth_date", "postcode", "sex", "consent"]].notna().all(axis=None)
    assert records["phone"].str.fullmatch(r"\+\d{10,14}").all()
    assert set(records["consent"]) == {"yes", "no"}
    assert set(records["sex"]) == {"f", "m"}
    assert len(records) > 400
    person = clean.truth_identity.set_index("record_id")["person_id"]
    truth = clean.truth_persons.set_index("person_id")
    birth = records.set_index("record_id")["birth_date"]
    assert (birth == truth["birth_date"].reindex(birth.index.map(person)).to_numpy()).all()
    assert identity.normalise(records)["email"].notna().all()


def test_scenarios_do_what_they_say():
    single = datasets.simulate("mall", customers=300, seed=2, duplicates=0, families=0, card_shown=1.0)
    assert len(single.records) == 300
    holders = single.truth_persons[single.truth_persons["card"]]
    assert holders["household"].is_unique
    assert len(datasets.simulate("mall", customers=300, seed=2, population=1).truth_persons) == 300
    with pytest.raises(InputError, match=r"no scenario 'famillies'.*Did you mean 'families'"):
        datasets.simulate("mall", famillies=0)


@pytest.mark.parametrize("customers", [0, 1, 2, 7])
def test_a_very_small_mall_has_all_its_columns(customers, mall):
    small = datasets.simulate("mall", customers=customers, seed=1)
    assert small.truth_persons["card"].sum() == customers
    for name in TABLES + TRUTH:
        frame = getattr(small, name)
        assert list(frame.columns) == list(getattr(mall, name).columns)
        if len(frame):
            assert [d.kind for d in frame.dtypes] == [d.kind for d in getattr(mall, name).dtypes]


def test_equal_seeds_give_equal_malls_and_others_do_not():
    one, same, other = (datasets.simulate("mall", customers=50, seed=seed).records for seed in (1, 1, 2))
    assert_frame_equal(one, same)
    assert not one.equals(other)


def test_a_hundred_times_more_people_do_not_take_a_loop_over_them():
    """Twenty thousand card holders among sixty thousand people, 640,000 receipts: CPU seconds, with room for a slow machine."""
    start = time.process_time()
    made = datasets.simulate("mall", customers=20_000, seed=1)
    assert time.process_time() - start < 6
    assert len(made.receipts) > 600_000
