"""What an offer earns: by hand, in closed form, against a simulation, and what a test of it is allowed to say."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit import datasets
from crmkit.errors import ColumnError, InputError
from crmkit.evaluation import experiments
from crmkit.segmentation import brands, offers
from crmkit.tables import Transactions

SHARE = st.floats(0, 0.5)


def test_by_hand():
    """100 households, 30 buy anyway, 10 more with the offer: 10 × (3 − 2 + 2 × 1) won, 40 × 1 discount, 100 × 0.10 letters."""
    cell = pd.DataFrame({"without": [0.3], "added": [0.1], "added_low": [0.05], "added_high": [0.15]}, index=["a"])
    found = offers.value(cell, store_margin=3, national_margin=2, discount=1, contact_cost=0.1, later=2).iloc[0]
    assert found["value"] == pytest.approx((10 * (3 - 2 + 2 * 1) - 40 * 1 - 100 * 0.10) / 100)
    assert found["discount_anyway"] == pytest.approx(0.30)
    assert found["naive"] == pytest.approx((40 * (3 - 1) - 10) / 100)
    assert (found["low"], found["high"]) == pytest.approx((-0.30, -0.10))


@given(
    SHARE, SHARE, st.floats(0, 3), st.floats(0, 2), st.floats(0, 0.5), st.floats(0, 5), st.floats(0, 1), st.floats(0, 1)
)
@settings(deadline=None)
def test_parts_add_up_and_what_is_needed_earns_nothing(
    without, added, discount, margin, contact, later, pulled, replaced
):
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
    with pytest.raises(InputError, match="1 households stand in contacts twice"):
        offers.margin_after(orders, pd.concat([contacts, contacts.iloc[:1]]), days=10)
    with pytest.raises(ColumnError, match="role unit_cost"):
        offers.margin_after(Transactions.read(ROWS.drop(columns="unit_cost")), contacts, days=10)


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
