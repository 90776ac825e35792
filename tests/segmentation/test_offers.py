"""What an offer earns: by hand, in closed form, against a simulation, and what a test of it is allowed to say."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit import datasets
from crmkit.errors import ColumnError, InputError, KindError
from crmkit.evaluation import experiments
from crmkit.segmentation import brands, offers
from crmkit.tables import Transactions

SHARE = st.floats(0, 0.5)
ADDED = st.floats(-0.5, 0.5)


def test_by_hand():
    """100 households, 30 buy anyway, 10 more with the offer: 10 × (3 − 2 + 2 × 1) won, 40 × 1 discount, 100 × 0.10 letters."""
    cell = pd.DataFrame({"without": [0.3], "added": [0.1], "added_low": [0.05], "added_high": [0.15]}, index=["a"])
    found = offers.value(cell, store_margin=3, national_margin=2, discount=1, contact_cost=0.1, later=2).iloc[0]
    assert found["value"] == pytest.approx((10 * (3 - 2 + 2 * 1) - 40 * 1 - 100 * 0.10) / 100)
    assert found["discount_anyway"] == pytest.approx(0.30)
    assert found["naive"] == pytest.approx((40 * (3 - 1) - 10) / 100)
    assert (found["low"], found["high"]) == pytest.approx((-0.30, -0.10))
    # of the ten purchases five were nobody's of ours before, and a fifth of all are only earlier
    terms = {"store_margin": 3, "national_margin": 2, "discount": 0, "contact_cost": 0, "replaced": 0.5, "pulled": 0.2}
    assert offers.value(cell, **terms)["value"].iloc[0] == pytest.approx(0.8 * (5 * (3 - 2) + 5 * 3) / 100)


def test_the_ends_of_an_interval_are_cut_where_no_share_can_be():
    """Of 0.05 who buy anyway, an offer can lose 0.05 and no more, however wide the interval is."""
    cell = pd.DataFrame({"without": [0.05], "added": [0.1], "added_low": [-0.2], "added_high": [1.3]})
    found = offers.value(cell, store_margin=3, national_margin=1, discount=1, contact_cost=0.1).iloc[0]
    assert (found["low"], found["high"]) == pytest.approx((-0.05 * 2 - 0.1, 0.95 * 2 - 1 - 0.1))


@given(
    SHARE, ADDED, st.floats(0, 3), st.floats(0, 2), st.floats(0, 0.5), st.floats(0, 5), st.floats(0, 1), st.floats(0, 1)
)
@settings(deadline=None)
def test_parts_add_up_and_what_is_needed_earns_nothing(
    without, added, discount, margin, contact, later, pulled, replaced
):
    added = max(added, -without)
    cell = pd.DataFrame({"without": [without], "added": [added]})
    terms = {
        "store_margin": margin + 0.8,
        "national_margin": margin,
        "discount": discount,
        "contact_cost": contact,
        "later": later,
        "pulled": pulled,
        "replaced": replaced,
    }
    found = offers.value(cell, **terms).iloc[0]
    costs = found["discount_won"] + found["discount_anyway"] + found["contact"]
    assert found["value"] == pytest.approx(found["won"] - costs, abs=1e-9)
    if not np.isnan(found["needed"]):
        at = offers.value(cell.assign(added=found["needed"]), **terms)["value"].iloc[0]
        assert at == pytest.approx(0, abs=1e-7)
    dearer = offers.value(cell, **{**terms, "discount": discount + 0.5})["value"].iloc[0]
    assert dearer <= found["value"] + 1e-9


def test_the_arithmetic_is_the_mean_of_simulated_households():
    """200,000 households: what each would have done without the offer, on the same random numbers."""
    random = np.random.default_rng(9)
    anyway = random.random(200_000) < 0.25
    won = ~anyway & (random.random(200_000) < 0.2 / 0.75)
    pulled = won & (random.random(200_000) < 0.4)
    real, discount = won & ~pulled, 0.7
    without = np.where(anyway, 2.5, 1.6)
    with_offer = np.where(anyway | won, 2.5 - discount, 1.6) - 0.05
    with_offer = np.where(pulled, 1.6 - discount - 0.05, with_offer)  # bought earlier, and so not later
    with_offer = with_offer + np.where(real, 3 * (2.5 - 1.6), 0)
    cell = pd.DataFrame({"without": [0.25], "added": [0.2]})
    found = offers.value(
        cell, store_margin=2.5, national_margin=1.6, discount=discount, contact_cost=0.05, later=3, pulled=0.4
    )
    assert found["value"].iloc[0] == pytest.approx((with_offer - without).mean(), abs=0.01)


def test_what_cannot_be_is_refused():
    cell = pd.DataFrame({"without": [0.3, 0.9], "added": [0.1, 0.2]})
    terms = {"store_margin": 3, "national_margin": 2, "discount": 1, "contact_cost": 0.1}
    with pytest.raises(InputError, match=r"1 of 2 cells have impossible shares, such as without=0.9, added=0.2"):
        offers.value(cell, **terms)
    with pytest.raises(InputError, match="pulled="):
        offers.value(cell.iloc[:1], **terms, pulled=1.5)
    with pytest.raises(InputError, match="discount=-1"):
        offers.value(cell.iloc[:1], **{**terms, "discount": -1})
    for name, amount in {"discount": "1", "contact_cost": np.nan, "later": -1, "store_margin": np.nan, "national_margin": "2"}.items():  # fmt: skip
        with pytest.raises(InputError, match=f"{name}="):
            offers.value(cell.iloc[:1], **{**terms, name: amount})
    with pytest.raises(ColumnError, match="'added'"):
        offers.value(cell[["without"]], **terms)


# --- a campaign's read-out --------------------------------------------------------------------------------------------

ROWS = pd.DataFrame(
    [
        ("ann", "2026-03-01 10:00", 5.0, "National", 1, 3.0),  # the day of the letter
        ("ann", "2026-03-02 00:00", 4.0, "Private", 2, 1.0),
        ("ann", "2026-03-11 23:00", 5.0, "National", 1, 3.0),  # the tenth day
        ("ann", "2026-03-12 00:00", 5.0, "Private", 1, 3.0),  # the eleventh
        ("bea", "2026-03-05 00:00", 2.0, "Private", 1, 1.0),
        ("bea", "2026-03-06 00:00", -2.0, "Private", 1, 1.0),  # it came back
        ("cleo", "2026-04-30 00:00", 9.0, "Private", 1, 1.0),
    ],
    columns=["customer_id", "ordered_at", "amount", "brand", "quantity", "unit_cost"],
)


def test_margin_after_by_hand():
    contacts = pd.DataFrame({"customer_id": ["cleo", "bea", "ann"], "sent_on": pd.to_datetime(["2026-03-01"] * 3)})
    orders = Transactions.read(ROWS)
    found = offers.margin_after(orders, contacts, days=10)
    assert found.index.to_list() == ["cleo", "bea", "ann"]
    assert found["margin"].to_list() == pytest.approx([0, 0, (4 - 2) + (5 - 3)])
    assert found["store_purchases"].to_list() == [0, 1, 1]
    assert found["purchases"].to_list() == [0, 1, 2]
    signed = ROWS.assign(quantity=np.where(ROWS["amount"] < 0, -1, ROWS["quantity"]))
    pd.testing.assert_frame_equal(offers.margin_after(Transactions.read(signed), contacts, days=10), found)
    with pytest.raises(InputError, match="ends on 2026-05-10, the data on 2026-04-30"):
        offers.margin_after(orders, contacts, days=70)
    with pytest.raises(InputError, match="ends on 2026-02-11, before the data begin on 2026-03-01"):
        offers.margin_after(orders, contacts.assign(sent_on="2026-02-01"), days=10)
    with pytest.raises(InputError, match="contacts: 1 households stand there twice, such as 'cleo'"):
        offers.margin_after(orders, pd.concat([contacts, contacts.iloc[:1]]), days=10)
    with pytest.raises(ColumnError, match="role unit_cost"):
        offers.margin_after(Transactions.read(ROWS.drop(columns="unit_cost")), contacts, days=10)


def test_a_day_is_a_day_however_it_is_written():
    """Moments with a zone are read in the zone of the transactions: half past eleven in London is tomorrow in Berlin."""
    there = Transactions.read(ROWS, time_zone="Europe/Berlin")
    contacts = pd.DataFrame({"customer_id": ["ann", "bea"]})
    plain = offers.margin_after(there, contacts.assign(sent_on="2026-03-02"), days=9)
    assert plain.loc["ann", "purchases"] == 1
    for day in (pd.Timestamp("2026-03-02 18:00"), pd.Timestamp("2026-03-01 23:30", tz="Europe/London")):
        pd.testing.assert_frame_equal(offers.margin_after(there, contacts.assign(sent_on=day), days=9), plain)


def test_contacts_and_rows_that_cannot_be_used_are_refused_with_the_reason():
    contacts = pd.DataFrame({"customer_id": ["ann", "bea"], "sent_on": "2026-03-01"})
    orders = Transactions.read(ROWS)
    refused = [
        (lambda: offers.margin_after(ROWS, contacts, days=10), KindError, "margin_after needs checked transactions"),
        (lambda: offers.margin_after(orders, contacts, days=1.5), InputError, r"days=1.5 must be a whole number"),
        (lambda: offers.margin_after(orders, contacts.assign(sent_on=["2026-03-01", None]), days=9), InputError, "'sent_on' is missing in 1 of 2"),
        (lambda: offers.margin_after(orders, contacts.assign(sent_on="spring"), days=9), InputError, "sent_on='spring' is not a day"),
        (lambda: offers.margin_after(orders, contacts.assign(sent_on=pd.Timestamp("2026-03-01", tz="UTC")), days=9), InputError, "name no time zone"),
        (lambda: offers.margin_after(orders, contacts.assign(customer_id=["x", "y"]), days=9), InputError, "none of 2 households is in the transactions"),
        (lambda: offers.margin_after(orders, contacts.assign(customer_id=[1, 2]), days=9), InputError, "such as 'ann'; use the same ids"),
        (lambda: offers.margin_after(orders, contacts.iloc[:0], days=9), InputError, "none of 0 households"),
        (lambda: offers.margin_after(orders, contacts, days=9, store_brand="Privat"), InputError, "store_brand='Privat'.*Did you mean 'Private'"),
        (lambda: offers.margin_after(Transactions.read(ROWS.assign(unit_cost=[3, None, 3, 3, 1, 1, 1])), contacts, days=10), InputError, "missing in 1 rows"),
        (lambda: offers.margin_after(Transactions.read(ROWS.assign(quantity=[1, 1, None, 3, 1, 1, 1])), contacts, days=10), InputError, "missing in 1 rows"),
    ]  # fmt: skip
    for call, error, words in refused:
        with pytest.raises(error, match=words):
            call()
    numbered = Transactions.read(ROWS.replace({"customer_id": {"ann": "1", "bea": "2", "cleo": "3"}}))
    found = offers.margin_after(numbered, contacts.assign(customer_id=[1.0, 2.0]), days=10)
    assert found.index.to_list() == [1, 2]
    assert found["purchases"].to_list() == [2, 1]


def test_a_pack_of_another_brand_and_a_free_pack_count_as_they_should():
    """A gift costs the shop its price; an empty look of a household that is known has 0."""
    rows = [("ann", "2026-03-02", 0.0, "Private", 1, 1.5), ("ann", "2026-03-03", 0.0, "Private", 0, None), ("bea", "2026-01-01", 5.0, "National", 1, 3.0), ("cy", "2026-04-01", 5.0, "National", 2, 2.0)]  # fmt: skip
    orders = Transactions.read(pd.DataFrame(rows, columns=ROWS.columns))
    contacts = pd.DataFrame({"customer_id": ["bea", "ann", "cy", "new"], "sent_on": "2026-03-01"})
    found = offers.margin_after(orders, contacts, days=31)
    assert found["margin"].to_list() == [0, -1.5, 1, 0]
    assert found["bought_store"].to_list() == [False, True, False, False]


def test_a_cell_without_an_arm_or_without_control_is_kept_with_its_counts_and_all_looks_are_counted():
    random = np.random.default_rng(2)
    table = pd.DataFrame({"arm": ["control", "10 %", "50 %"] * 60, "cell": ["b"] * 90 + ["a"] * 90, "money": random.normal(size=180)})  # fmt: skip
    more = pd.DataFrame({"arm": ["50 %"] * 3, "cell": "c", "money": [1.0, 2, 3]})
    found = offers.effects(pd.concat([table, more]), "money")
    assert found.index.to_list() == [(cell, arm) for cell in "abc" for arm in ("10 %", "50 %")]
    assert found.loc["c", ["contacted", "held_out"]].to_numpy().tolist() == [[0, 0], [3, 0]]
    assert found.loc["c", ["effect", "low_all"]].isna().all().all()
    part = table[(table["cell"] == "a") & (table["arm"] != "50 %")]
    wide = experiments.read_out(part, "money", design="randomised", group="arm", level=1 - 0.05 / 6)
    assert found.loc[("a", "10 %"), ["low_all", "high_all"]].to_list() == pytest.approx([wide.low, wide.high])
    assert "6 effects were looked at" in found.attrs["warning"]
    ordered = table.assign(cell=pd.Categorical(table["cell"], ["b", "a"], ordered=True))
    assert offers.effects(ordered, "money").index.get_level_values(0).unique().to_list() == ["b", "a"]
    for column in ("arm", "cell"):
        holes = table.assign(**{column: table[column].where(table.index > 2)})
        with pytest.raises(InputError, match=f"test: '{column}' is missing in 3 of 180 rows"):
            offers.effects(holes, "money")


def test_effects_are_those_of_one_arm_after_the_other_and_the_wide_interval_holds_for_all_looks():
    random = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "arm": random.choice(["control", "10 %", "50 %"], 3000),
            "cell": random.choice(["national, low", "store, low"], 3000),
        }
    )
    table["bought"] = random.random(3000) < np.where(table["arm"] == "50 %", 0.4, 0.2)
    found = offers.effects(table, "bought")
    assert found.index.names == ["cell", "arm"]
    for cell, arm in found.index:
        part = table[(table["cell"] == cell) & table["arm"].isin([arm, "control"])]
        alone = experiments.read_out(part, "bought", design="randomised", group="arm")
        wide = experiments.read_out(part, "bought", design="randomised", group="arm", level=1 - 0.05 / 4)
        row = found.loc[(cell, arm)]
        assert row[["effect", "low", "high"]].to_list() == pytest.approx([alone.estimate, alone.low, alone.high])
        assert row[["low_all", "high_all"]].to_list() == pytest.approx([wide.low, wide.high])
    with pytest.raises(InputError, match="needs 'control' and at least one offer"):
        offers.effects(table[table["arm"] != "control"], "bought")


def test_the_read_out_of_the_simulated_experiment_holds_its_truth():
    """Truth of sim:supermarket: each household's expected gain in 13 weeks. Of 27 intervals of 95 % two may miss it."""
    firm = datasets.load("supermarket")
    orders = firm.transactions.where("category", "painkillers")
    mailings = firm.mailings.sort_values("arm")
    test = mailings.set_index("customer_id").join(brands.matrix(brands.usage(orders.until("2025-08-17")))["cell"])
    usual = offers.margin_after(orders, mailings.assign(sent_on="2024-01-01"), days=594)["margin"] / 594 * 91
    test["gained"] = (
        offers.margin_after(orders, mailings, days=91)["margin"] - usual - 0.20 * (test["arm"] != "control")
    )
    found = offers.effects(test, "gained", by="cell")
    truth = firm.truth_responses.merge(test.reset_index()[["customer_id", "timing", "cell"]])
    truth = truth.groupby(["cell", "arm"])["gain_13_weeks"].mean().reindex(found.index)
    assert len(found) == 27
    assert truth.between(found["low"], found["high"]).sum() >= 24
    assert truth.between(found["low_all"], found["high_all"]).all()
