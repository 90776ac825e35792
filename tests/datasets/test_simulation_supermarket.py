"""Millbrook Foods: its tables agree with each other and with its truth, and known methods find what was put in."""

import resource

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, kstest

from crmkit import datasets
from crmkit.datasets.simulation import clock, supermarket
from crmkit.datasets.simulation import supermarket_offer as offer
from crmkit.datasets.simulation.firm import Streams
from crmkit.datasets.simulation.supermarket_needs import CATEGORIES, Needs
from crmkit.errors import InputError

DAY = pd.Timedelta(days=1)
PLANNED = pd.Timestamp("2025-08-11")
ARMS = ["10 %", "30 %", "50 %"]


@pytest.fixture(scope="module")
def millbrook():
    return datasets.load("supermarket")


@pytest.fixture(scope="module")
def large():
    return datasets.simulate("supermarket", customers=40_000, seed=21)


@pytest.fixture(scope="module")
def untouched():
    """The households of `large` on the same random numbers, if nobody had thought of the offer."""
    return datasets.simulate("supermarket", customers=40_000, seed=21, effects=0)


@pytest.fixture(scope="module")
def clean():
    return datasets.simulate("supermarket", customers=40_000, seed=22, effects=0, dirt=0)


KEPT = {}


def painkillers(firm) -> pd.DataFrame:
    """Their lines without repeats, with day and margin; kept, because every access to a firm's table is a copy."""
    if id(firm) not in KEPT:
        KEPT[id(firm)] = firm, _painkillers(firm)
    return KEPT[id(firm)][1].copy()


def _painkillers(firm) -> pd.DataFrame:
    lines = firm.purchases.query("category == 'painkillers'").drop_duplicates()
    margin = lines["amount"].astype(float) - lines["quantity"] * lines["unit_cost"].astype(float)
    return lines.assign(day=lines["ordered_at"].dt.normalize(), margin=margin)


def takers(firm) -> pd.DataFrame:
    return firm.truth_households.query("category == 'painkillers'").set_index("customer_id")


def after(firm, days: int, what: pd.DataFrame | None = None) -> pd.DataFrame:
    """The painkiller lines of the households in the experiment in so many days after the day of sending."""
    lines = (painkillers(firm) if what is None else what).merge(firm.mailings[["customer_id", "sent_on"]])
    return lines[(lines["day"] - lines["sent_on"]).dt.days.between(1, days)]


def parameter(firm, name: str) -> float:
    return float(firm.truth_parameters.set_index("name").loc[name, "value"])


# --- the tables agree with each other -----------------------------------------------------------------------------


def ledger(firm) -> None:
    """Every amount is price × packs × (1 - discount), every cost the product's, to the cent."""
    lines = firm.purchases.merge(firm.products, on="product_id", suffixes=("", "_product"))
    assert len(lines) == len(firm.purchases)
    off = lines["offer_id"].map(firm.offers.set_index("offer_id")["discount"]).fillna(0).astype(float)
    paid = (lines["price"].astype(float) * (1 - off)).round(2)
    assert np.allclose(paid * lines["quantity"], lines["amount"].astype(float), atol=1e-9)
    assert (lines["unit_cost"] == lines["unit_cost_product"]).all()
    assert (lines["category"] == lines["category_product"]).all()
    assert (lines["brand"] == lines["brand_kind"]).all()


def test_the_ledger_reconciles_with_products_offers_and_transactions(millbrook):
    ledger(millbrook)
    purchases = millbrook.purchases
    checked = millbrook.transactions.table
    found = checked.aggregate(
        rows=checked.count(), money=checked.amount.sum(), cost=(checked.quantity * checked.unit_cost).sum()
    )
    rows, money, cost = found.execute().iloc[0]
    assert rows == len(purchases)
    assert float(money) == pytest.approx(purchases["amount"].astype(float).sum(), abs=1e-6)
    assert float(cost) == pytest.approx((purchases["quantity"] * purchases["unit_cost"].astype(float)).sum(), abs=1e-6)
    assert set(purchases["brand"]) == {"National", "Private"}  # as The Complete Journey spells them
    assert len(purchases) <= 120_000


def test_the_dirt_is_that_of_tills(millbrook, clean):
    purchases = millbrook.purchases
    assert 0.001 < purchases.duplicated().mean() < 0.006
    once = purchases.drop_duplicates()
    assert not once.duplicated(["order_id", "line"]).any()
    assert (once.groupby("order_id")["line"].max() == once.groupby("order_id").size()).all()
    assert once.groupby("order_id")["customer_id"].nunique().max() == 1
    assert not once["ordered_at"].is_monotonic_increasing
    back, void = once["quantity"] < 0, once["quantity"] == 0
    assert 0.005 < back.mean() < 0.015
    assert 0.001 < void.mean() < 0.008
    assert ((once["amount"] < 0) == back).all()
    assert ((once["amount"] == 0) == void).all()
    bought = once[~back].groupby(["order_id", "product_id"])["ordered_at"].first()
    refunds = once[back].set_index(["order_id", "product_id"])["ordered_at"]
    assert ((refunds - bought.reindex(refunds.index)).dt.total_seconds() > 0).all()
    assert (clean.purchases["quantity"] > 0).all()
    assert clean.purchases["ordered_at"].is_monotonic_increasing
    assert not clean.purchases.duplicated().any()
    assert set(clean.households["consent"]) == {"yes", "no"}


def test_households_shop_on_two_weekdays_after_joining_and_always_buy_the_same_pack(millbrook):
    lines = millbrook.purchases.query("quantity > 0").merge(millbrook.households, on="customer_id")
    assert (lines["ordered_at"] >= lines["joined_on"]).all()
    assert lines["ordered_at"].dt.day_of_week.groupby(lines["customer_id"]).nunique().max() == 2
    lines = lines[lines["category"] != "other"].merge(millbrook.products[["product_id", "doses"]], on="product_id")
    packs = lines.groupby(["customer_id", "category"])["doses"].agg(["nunique", "first"]).reset_index()
    assert (packs["nunique"] == 1).all()
    truth = millbrook.truth_households.merge(packs, on=["customer_id", "category"])
    assert len(truth) == len(packs)  # nobody buys what it does not use
    assert (truth["first"] == truth["pack"]).all()
    assert 0.17 < millbrook.households["household_size"].isna().mean() < 0.23


def test_the_shops_painkillers_are_cheaper_and_bring_more_in_euros_and_in_per_cent(millbrook):
    shelf = millbrook.products.query("category != 'other'").astype({"price": float, "unit_cost": float})
    shelf["margin"] = shelf["price"] - shelf["unit_cost"]
    by_pack = shelf.groupby(["category", "doses", "brand_kind"])
    price, margin = by_pack["price"].min().unstack(), by_pack["margin"].max().unstack()
    assert (price["Private"] < price["National"]).all()
    assert (margin["Private"] / price["Private"] > 1.2 * margin["National"] / price["National"]).all()
    assert (margin["Private"] > 1.5 * margin["National"])["painkillers"].all()
    national = shelf[shelf["brand_kind"] == "National"].groupby(["category", "doses"])["margin"]
    assert np.allclose(national.max(), national.min())  # both makers alike: the truth counts on it


# --- known methods find what was put in ---------------------------------------------------------------------------


def test_brand_types_and_store_shares_are_those_of_the_parameters(clean):
    kinds = clean.truth_households.groupby("category")["brand_type"].value_counts(normalize=True).unstack()
    for name in CATEGORIES:
        users = (clean.truth_households["category"] == name).sum()
        assert users / 40_000 == pytest.approx(parameter(clean, f"{name}_users"), abs=0.01)
        for kind, told in {"switcher": "switchers", "national": "national"}.items():
            share = parameter(clean, f"{name}_{told}")
            assert abs(kinds.loc[name, kind] - share) < 4 * np.sqrt(share * (1 - share) / users)
    bought = painkillers(clean)
    private = (bought["brand"] == "Private") * bought["quantity"]
    share = private.groupby(bought["customer_id"]).sum() / bought.groupby("customer_id")["quantity"].sum()
    told = takers(clean).join(share.rename("bought"), how="inner")
    for kind, group in told.groupby("brand_type"):
        assert group["bought"].mean() == pytest.approx(parameter(clean, f"store_share_{kind}"), abs=0.012)
    assert (told["bought"] - told["store_share"]).mean() == pytest.approx(0, abs=0.004)


@pytest.mark.parametrize("name", CATEGORIES)
def test_brand_type_and_use_are_independent_in_truth(large, name):
    own = large.truth_households.query("category == @name")
    assert chi2_contingency(pd.crosstab(own["use"], own["brand_type"])).pvalue > 0.001
    low, high = parameter(large, f"{name}_low"), parameter(large, f"{name}_high")
    doses = own["doses_per_week"]  # told to three places
    clear = ((doses - low).abs() > 0.001) & ((doses - high).abs() > 0.001)
    assert (pd.cut(doses, [0, low, high, np.inf], labels=["low", "medium", "high"]) == own["use"])[clear].all()
    if name == "painkillers":
        assert own["use"].value_counts(normalize=True).between(0.32, 0.35).all()
    assert np.allclose(7 * own["pack"] / own["cycle_days"], doses, rtol=0.01, atol=0.001)


@pytest.mark.parametrize("switching", [0.0, 0.5, 1.5])
def test_switching_makes_switchers_rarer_or_more_frequent(switching):
    firm = datasets.simulate("supermarket", customers=6_000, seed=3, switching=switching)
    share = (takers(firm)["brand_type"] == "switcher").mean()
    assert share == pytest.approx(switching * CATEGORIES["painkillers"].types[2], abs=0.025)
    assert (share == 0) == (switching == 0)
    with pytest.raises(InputError, match=r"switching is 2; give a number from 0 to 1\.5"):
        datasets.simulate("supermarket", customers=10, seed=1, switching=2)


@pytest.mark.parametrize("name", CATEGORIES)
def test_gaps_are_gamma_distributed_with_mean_and_shape_of_the_truth(clean, name):
    """Mean 1 and variance 1 / shape in cycles; the two weekdays of shopping add the variance of a wait of 0 to 3 days."""
    own = clean.truth_households.query("category == @name and 25 <= cycle_days <= 80")
    lines = clean.purchases.query("category == @name")
    trips = lines.assign(day=lines["ordered_at"].dt.normalize())[["customer_id", "day"]].drop_duplicates()
    trips = trips.sort_values(["customer_id", "day"])
    gap = trips.groupby("customer_id")["day"].diff().dt.days
    place = trips.groupby("customer_id").cumcount()
    # the first gaps of each, so that long ones are not cut off by the end of the receipts
    early = trips.assign(gap=gap)[place.between(1, 3)].merge(own, on="customer_id")
    early = early.merge(clean.households[["customer_id", "joined_on"]]).query("joined_on < '2024-06-01'")
    cycles = early["gap"] / early["cycle_days"]
    assert len(cycles) > 2_000
    assert cycles.mean() == pytest.approx(1, abs=0.025)
    wait = (np.array([0, 1, 2, 0, 1, 2, 3]) ** 2).mean() - (np.array([0, 1, 2, 0, 1, 2, 3]).mean()) ** 2
    variance = cycles.var() - (2 * wait / early["cycle_days"] ** 2).mean()
    assert 1 / variance == pytest.approx(parameter(clean, f"{name}_regularity"), rel=0.12)
    if name == "painkillers":  # long cycles, where a wait of days does not count: the whole distribution
        sample = early[early["cycle_days"] > 60].sample(1_500, random_state=1)
        shape = parameter(clean, "painkillers_regularity")
        assert kstest(sample["gap"] / sample["cycle_days"], "gamma", args=(shape, 0, 1 / shape)).pvalue > 0.001


def test_the_gap_under_way_when_the_receipts_begin_is_that_of_a_steady_state(clean):
    """Renewal theory: until the next need pass (1 + 1 / shape) / 2 cycles on average, more than half a cycle."""
    lines = painkillers(clean)
    first = (lines.groupby("customer_id")["day"].min() - pd.Timestamp("2024-01-01")).dt.days
    members = clean.households.query("joined_on < '2024-01-01'")["customer_id"]
    own = takers(clean).query("60 <= cycle_days <= 200").join(first.rename("first"), how="inner")
    own = own[own.index.isin(members)]
    wait = np.mean([0, 1, 2, 0, 1, 2, 3]) - 0.5  # for the weekday of shopping, from the middle of a day
    told = (own["first"] - wait) / own["cycle_days"]
    shape = parameter(clean, "painkillers_regularity")
    assert told.mean() == pytest.approx((1 + 1 / shape) / 2, abs=4 * told.sem())


def test_most_makers_packs_of_a_household_are_of_one_maker(clean):
    """Of two packs by lot, p² + (1 - p)² are of one maker, if a household takes the one it prefers with p."""
    lines = painkillers(clean).merge(clean.products[["product_id", "brand"]], on="product_id", suffixes=("_kind", ""))
    national = lines[lines["brand_kind"] == "National"].groupby("customer_id")["brand"]
    pairs = pd.DataFrame({"one": national.nth(0).to_numpy(), "who": lines.loc[national.nth(0).index, "customer_id"]})
    pairs = pairs.merge(pd.DataFrame({"other": national.nth(1).to_numpy(), "who": lines.loc[national.nth(1).index, "customer_id"]}))  # fmt: skip
    p, same = parameter(clean, "favoured"), pairs["one"] == pairs["other"]
    assert abs(same.mean() - (p**2 + (1 - p) ** 2)) < 4 * same.sem()


def test_households_buy_what_they_use_from_the_first_day_on(clean):
    """A steady state: in every half-year the doses bought are the doses used."""
    lines = clean.purchases.query("category == 'painkillers'").merge(clean.products[["product_id", "doses"]])
    members = clean.households.query("joined_on < '2024-01-01'")[["customer_id"]]
    used = takers(clean).reset_index().merge(members)["doses_per_week"].sum()
    lines = lines.merge(members)
    doses = (lines["quantity"] * lines["doses"]).groupby(lines["ordered_at"].dt.to_period("Q")).sum()
    weeks = doses.index.map(lambda quarter: (quarter.end_time - quarter.start_time).days + 1) / 7
    ratio = doses / weeks / used
    assert ratio.iloc[1:].between(0.97, 1.03).all()
    assert ratio.iloc[0] > 0.93  # the first days wait for a weekday of shopping


def test_few_trips_look_loyal_though_use_and_switching_have_nothing_to_do_with_each_other(millbrook, large):
    """The confounding: whoever bought once cannot look like a switcher."""
    for firm, room in ((millbrook, 0.07), (large, 0.02)):
        bought = painkillers(firm).query("quantity > 0 and '2024-08-11' <= day < '2025-08-11'")
        private = (bought["brand"] == "Private") * bought["quantity"]
        own = bought.groupby("customer_id").agg(packs=("quantity", "sum"), trips=("order_id", "nunique"))
        share = private.groupby(bought["customer_id"]).sum() / own["packs"]
        own = own.assign(seen=share.between(0.2, 0.8, inclusive="neither")).join(takers(firm))
        own["true"] = own["brand_type"] == "switcher"
        by_trips = own.groupby(pd.cut(own["trips"], [0, 1, 2, 1_000], labels=["one", "two", "more"]), observed=True)
        assert by_trips["seen"].mean()["one"] < 0.01
        assert by_trips["seen"].mean()["two"] < by_trips["seen"].mean()["more"] - 0.04
        by_use = own.groupby("use")[["seen", "true"]].mean()
        assert by_use.loc["high", "seen"] - by_use.loc["low", "seen"] > 0.04
        assert by_use["true"].max() - by_use["true"].min() < room
        assert (by_use["seen"] < by_use["true"]).all()


# --- the experiment -----------------------------------------------------------------------------------------------


def test_lots_are_even_and_know_nothing_of_the_households(millbrook, large):
    for firm in (millbrook, large):
        counts = firm.mailings.groupby(["arm", "timing"]).size()
        assert len(counts) == 8
        assert counts.max() - counts.min() <= 1
        lots = firm.mailings["arm"] + firm.mailings["timing"]
        told = firm.mailings.merge(takers(firm).reset_index())
        assert chi2_contingency(pd.crosstab(lots, told["brand_type"] + told["use"])).pvalue > 0.001
    assert len(millbrook.mailings) >= 2_000
    control = millbrook.mailings["arm"] == "control"
    assert (millbrook.mailings["offer_id"].isna() == control).all()
    assert millbrook.mailings.loc[control, "redeemed_on"].isna().all()


def due(firm) -> pd.DataFrame:
    """The firm's rule, worked out from receipts alone."""
    bought = painkillers(firm).query("quantity > 0")[["customer_id", "day"]].drop_duplicates()
    past = bought[bought["day"] < PLANNED].groupby("customer_id")["day"].agg(["min", "max", "size"])
    past["gap"] = ((past["max"] - past["min"]).dt.days + 75) / past["size"]
    past["due"] = past["max"] + pd.to_timedelta(np.ceil(past["gap"]), unit="D")
    return past


def test_whom_the_experiment_asks_and_when_follows_from_consent_and_receipts(millbrook):
    past, mailings = due(millbrook), millbrook.mailings.set_index("customer_id")
    consent = millbrook.households.set_index("customer_id")["consent"]
    agrees = consent.isin(["yes", "Yes", "Y", "true", "1"])
    recent = past["max"] >= PLANNED - 365 * DAY
    expected = past.index[recent & (past["due"] - 5 * DAY <= "2025-10-01") & agrees.reindex(past.index)]
    assert set(expected) == set(mailings.index)
    assert (past.loc[mailings.index, "due"] == mailings["due_on"]).all()
    sent = mailings.groupby("timing")["sent_on"].agg(["min", "max"])
    assert (sent.loc["calendar"] == "2025-09-08").all()
    assert sent.loc["due", "min"] == pd.Timestamp("2025-08-18")
    assert sent.loc["due", "max"] == pd.Timestamp("2025-10-01")
    # of those timed by due date, the day on which they are due and have not come; nobody's offer had begun
    timed = mailings[mailings["timing"] == "due"]
    trips = painkillers(millbrook).query("quantity > 0")[["customer_id", "day"]].drop_duplicates().merge(past["gap"], left_on="customer_id", right_index=True)  # fmt: skip
    trips = trips.sort_values(["customer_id", "day"])
    alert = trips["day"] + pd.to_timedelta(np.ceil(trips["gap"]) - 5, unit="D")
    alert = alert.clip(lower=pd.Timestamp("2025-08-18"))
    following = trips.groupby("customer_id")["day"].shift(-1).fillna(pd.Timestamp("2026-12-31"))
    first = alert[following > alert].groupby(trips["customer_id"]).min().clip(upper=pd.Timestamp("2025-10-01"))
    assert (first.reindex(timed.index) == timed["sent_on"]).all()


def test_an_offer_is_used_by_those_who_got_it_on_one_trip_while_it_is_valid(large):
    used = painkillers(large).query("offer_id.notna() and quantity > 0")
    mailings = large.mailings.set_index("customer_id")
    own = mailings.loc[used["customer_id"]]
    assert (used["offer_id"].to_numpy() == own["offer_id"].to_numpy()).all()
    assert (used["day"].to_numpy() == own["redeemed_on"].to_numpy()).all()
    assert (used["brand"] == "Private").all()
    assert set(used["customer_id"]) == set(mailings.index[mailings["redeemed_on"].notna()])
    days = (mailings["redeemed_on"] - mailings["sent_on"]).dt.days.dropna()
    assert days.between(1, 21).all()
    assert large.purchases.loc[large.purchases["offer_id"].notna(), "category"].eq("painkillers").all()


def test_the_truth_is_what_the_same_households_did_less_what_they_would_have_done(large, untouched):
    """Realised differences on equal random numbers scatter round the expected ones, in every cell and arm."""
    mailings = large.mailings
    pd.testing.assert_frame_equal(
        mailings.drop(columns="redeemed_on"), untouched.mailings.drop(columns="redeemed_on"), check_exact=True
    )
    assert untouched.purchases["offer_id"].isna().all()
    margin = [after(firm, 91).groupby("customer_id")["margin"].sum() for firm in (large, untouched)]
    with_it, without = (sums.reindex(mailings["customer_id"], fill_value=0).to_numpy() for sums in margin)
    realised = with_it - without - 0.20 * (mailings["arm"] != "control")
    truth = mailings.assign(realised=realised).merge(large.truth_responses, on=["customer_id", "arm", "timing"])
    truth = truth.merge(takers(large).reset_index())
    truth["error"] = truth["realised"] - truth["gain_13_weeks"]
    cells = truth.groupby(["brand_type", "use", "arm"])["error"].agg(["mean", "sem"])
    assert len(cells) == 36
    assert (cells["mean"].abs() < 4 * cells["sem"]).all()
    arms = truth.groupby(["arm", "timing"])["error"].agg(["mean", "sem"])
    assert (arms["mean"].abs() < 3.5 * arms["sem"]).all()
    bought = set(after(large, 21).query("brand == 'Private' and quantity > 0")["customer_id"])
    truth["bought"] = truth["customer_id"].isin(bought)
    for _, group in truth.groupby(["arm", "timing"]):
        chance = group["store_chance"]
        assert abs((group["bought"] - chance).sum()) < 3.5 * np.sqrt((chance * (1 - chance)).sum())


def test_half_a_year_is_counted_right_too(monkeypatch):
    """The receipts end before 26 weeks do, so the purchases themselves are asked: of every need within 26 weeks, and of
    every pack that was moved, the margin with the offer less the margin without."""
    seen = {}

    def run(streams, users, trips, campaign):
        seen["users"], seen["campaign"] = users, campaign
        seen["result"] = offer.run_as_it_is(streams, users, trips, campaign)
        return seen["result"]

    monkeypatch.setattr(offer, "run_as_it_is", offer.run, raising=False)
    monkeypatch.setattr(offer, "run", run)
    made = supermarket.make(Streams(31), 40_000, dirt=0)
    users, campaign, (_, store, used) = seen["users"], seen["campaign"], seen["result"]
    shelf = made["products"].query("category == 'painkillers'")
    price, cost = (shelf[name].to_numpy().reshape(3, 3)[[0, 2]] for name in ("price", "unit_cost"))
    pack, before = users.pack[users.who], users.draw < users.share[users.who]
    off = offer.DISCOUNT[used] * price[1, pack]
    gain = (price - cost)[store.astype(int), pack] - off - (price - cost)[before.astype(int), pack]
    rows, timing = campaign.own
    until = np.full(len(users), -1)
    until[campaign.who] = campaign.sent[rows, timing] + 182
    counts = (users.day <= until[users.who]) | (used > 0)
    realised = np.bincount(users.who[counts], gain[counts], len(users))[campaign.who]
    realised = realised - offer.COST * (campaign.arm > 0)
    truth = made["mailings"].assign(realised=realised)
    truth = truth.merge(made["truth_responses"], on=["customer_id", "arm", "timing"])
    truth = truth.merge(made["truth_households"].query("category == 'painkillers'"))
    truth["error"] = truth["realised"] - truth["gain_26_weeks"]
    cells = truth[truth["arm"] != "control"].groupby(["brand_type", "use", "arm"])["error"].agg(["mean", "sem"])
    assert (cells["mean"].abs() < 4 * cells["sem"]).all()
    assert (truth.loc[truth["arm"] == "control", "realised"] == 0).all()


@pytest.mark.parametrize("arm", [1, 2, 3])
@pytest.mark.parametrize(("kind", "share"), [(0, 0.05), (1, 0.95), (2, 0.45)])
@pytest.mark.parametrize(
    "gaps", [(3, 8, 8, 9, 60), (20, 40, 25, 25, 40), (12, 90, 60, 60), (30, 40, 50), (60, 45, 90), (64, 80), (15, 400)]
)
def test_the_closed_form_is_the_mean_over_many_equal_households(arm, kind, share, gaps):
    """Sixty thousand households that need packs on the same days: only their chances differ."""
    count, sent = 60_000, clock.number("2025-09-08")
    rng = np.random.default_rng(1)
    every, ones = np.arange(count), np.ones(count, dtype="int64")
    days = np.tile(sent + np.cumsum(gaps), count)
    who = np.repeat(every, len(gaps))
    users = Needs(
        every, kind * ones, share * ones, 5.0 * ones, ones, 30.0 * ones, 0 * ones, who, days, rng.uniform(size=len(who)), who < 0
    )  # fmt: skip
    first = np.column_stack([every * len(gaps)] * 2)
    heeds = rng.uniform(size=count) < offer.HEEDS
    when = np.full((count, 2), sent)
    campaign = offer.Campaign(every, when[:, 0], arm * ones, 0 * ones, when, first, heeds, np.full(count, np.inf))
    trips = np.tile([0, 3], (count, 1))
    day, store, used = offer.run(Streams(2), users, trips, campaign)
    margins, price = np.array([[1.0, 2.0], [1.7, 3.1], [3.0, 5.4]]), np.array([2.6, 4.5, 7.8])
    expected = offer.truth(users, campaign, margins, price, 1.0).query("arm == @arm and timing == 0").iloc[0]
    booked = margins[1][store.astype(int)] - offer.DISCOUNT[used] * price[1]
    usual = margins[1][(users.draw < share).astype(int)]
    late = (days <= sent + 182) | (used > 0)
    realised = {
        "gain_13_weeks": booked * (day <= sent + 91) - usual * (days <= sent + 91),
        "gain_26_weeks": (booked - usual) * late,
        "store_chance": None,
    }
    for name, gained in realised.items():
        if gained is None:
            found = np.bincount(who, store & (day <= sent + 21), count) > 0
        else:
            found = np.bincount(who, gained, count) - offer.COST
        assert abs(found.mean() - expected[name]) < 4 * found.std() / np.sqrt(count) + 1e-9, name


def test_effects_by_cell_are_means_of_the_responses(millbrook):
    truth = millbrook.truth_responses.merge(takers(millbrook).reset_index()).astype(
        {"gain_13_weeks": float, "gain_26_weeks": float}
    )
    means = truth.groupby(["brand_type", "use", "arm", "timing"])[["store_chance", "gain_13_weeks", "gain_26_weeks"]]
    effects = millbrook.truth_effects.set_index(["brand_type", "use", "arm", "timing"])
    assert len(effects) == 54
    found = means.mean().reindex(effects.index)
    nothing = means.mean().xs("control", level="arm")["store_chance"]
    without = nothing.reindex(effects.index.droplevel("arm")).to_numpy()
    assert np.allclose(found["store_chance"] - without, effects["store_buyers"], atol=2e-4)
    for weeks in (13, 26):
        assert np.allclose(found[f"gain_{weeks}_weeks"], effects[f"gain_{weeks}_weeks"], atol=0.003)
    control = truth[truth["arm"] == "control"]
    assert (control[["gain_13_weeks", "gain_26_weeks"]] == 0).all().all()


def test_effects_scale_with_how_many_heed_an_offer():
    whole, half, none = (datasets.simulate("supermarket", customers=3_000, seed=4, effects=e) for e in (1, 0.5, 0))
    ledger(whole)
    treated = (whole.truth_responses["arm"] != "control").to_numpy()
    for weeks in (13, 26):
        gains = [firm.truth_responses[f"gain_{weeks}_weeks"][treated] + 0.20 for firm in (whole, half, none)]
        assert np.allclose(gains[1], gains[0] / 2, atol=0.0051)
        assert np.allclose(gains[2], 0)
    assert none.mailings["redeemed_on"].isna().all()
    assert half.mailings["redeemed_on"].notna().mean() < 0.7 * whole.mailings["redeemed_on"].notna().mean()


# --- what lesson 2.5 asks ------------------------------------------------------------------------------------------


def test_only_a_middle_discount_for_heavy_users_loyal_to_makers_pays_and_the_deepest_never_does(millbrook, large):
    for firm in (millbrook, large):
        effects = firm.truth_effects.set_index(["brand_type", "use", "arm", "timing"]).sort_index()
        gains = effects["gain_26_weeks"]
        assert (gains.xs("50 %", level="arm") < -0.15).all()
        heavy = gains.loc["national", "high"]
        assert (heavy.loc["30 %"] > 1.2).all()
        assert heavy.loc["10 %"].between(0.05, 0.40).all()
        medium = gains.loc["national", "medium"].loc["30 %"]
        assert medium.between(-0.15, 0.05).all()  # about even
        others = effects.query("not (brand_type == 'national' and use == 'high')")["gain_26_weeks"]
        assert (
            others.drop(index=medium.index.map(lambda timing: ("national", "medium", "30 %", timing))) < -0.13
        ).all()
        most = effects["store_buyers"].loc["national", "high"]
        assert (most.loc["30 %"] > 3 * most.loc["10 %"]).all()
        assert (most.loc["50 %"] < 1.35 * most.loc["30 %"]).all()


def test_most_of_the_deepest_discount_goes_to_packs_that_would_have_been_the_shops_own_anyway(large, untouched):
    used = painkillers(large).query("offer_id == 'S50' and quantity > 0").groupby("customer_id")["quantity"].sum()
    kinds = takers(large)["brand_type"].reindex(used.index)
    ever = painkillers(untouched).query("brand == 'Private' and quantity > 0")
    later = ever.merge(large.mailings[["customer_id", "sent_on"]])
    later = later[later["day"] > later["sent_on"]].groupby("customer_id")["quantity"].sum()
    anyway = np.minimum(used, later.reindex(used.index, fill_value=0))
    share = anyway.groupby(kinds).sum() / used.groupby(kinds).sum()
    assert share["store"] > 0.9
    assert 0.5 < share["switcher"] < 0.9
    assert share["national"] < 0.25


def test_packs_are_bought_earlier_and_not_more(large, untouched):
    """Half the price: more packs in the 21 days, fewer after them, and hardly more in all."""
    deep = large.mailings.query("arm == '50 %'")["customer_id"]
    packs = {}
    for name, firm in {"with": large, "without": untouched}.items():
        lines = painkillers(firm)
        lines = lines[lines["customer_id"].isin(deep) & (lines["quantity"] > 0)]
        packs[name] = [after(firm, days, lines)["quantity"].sum() for days in (21, 91)]
    early = packs["with"][0] / packs["without"][0] - 1
    later = (packs["with"][1] - packs["with"][0]) / (packs["without"][1] - packs["without"][0]) - 1
    assert early > 0.08
    assert later < -0.02
    assert packs["with"][1] / packs["without"][1] - 1 < 0.03


def test_the_due_date_raises_use_of_the_offer_by_far_less_than_twice_and_losses_too(millbrook, large):
    reached = large.mailings.query("arm != 'control'")
    used = reached["redeemed_on"].notna().groupby(reached["timing"]).mean()
    assert 1.12 < used["due"] / used["calendar"] < 1.30
    buyers = large.truth_effects.pivot_table(index=["brand_type", "use"], columns=["arm", "timing"])["store_buyers"]
    ratio = pd.concat([buyers[arm, "due"] / buyers[arm, "calendar"] for arm in ARMS], axis=1)
    assert (ratio < 1.5).all().all()
    deep = large.truth_effects.query("arm == '50 %' and brand_type != 'national'")
    gains = deep.pivot_table(index=["brand_type", "use"], columns="timing", values="gain_26_weeks")
    assert (gains["due"] < gains["calendar"]).all()
    own = millbrook.mailings.query("arm != 'control'")
    shipped = own["redeemed_on"].notna().groupby(own["timing"]).mean()
    assert 1 < shipped["due"] / shipped["calendar"] < 1.5


def read_out(firm, who: pd.Index, outcome: pd.Series, arm: str) -> tuple[float, float]:
    """The difference to the control arm and its standard error."""
    arms = firm.mailings.set_index("customer_id")["arm"].reindex(who)
    groups = [outcome.reindex(who)[arms == name].astype(float) for name in (arm, "control")]
    error = np.sqrt(sum(group.var() / len(group) for group in groups))
    return groups[0].mean() - groups[1].mean(), error


@pytest.mark.parametrize("arm", ARMS)
def test_the_shipped_experiment_covers_the_truth_and_sees_buyers_but_not_margins_in_a_cell(millbrook, arm):
    people = takers(millbrook)
    asked = millbrook.mailings["customer_id"]
    cell = pd.Index(asked[people.loc[asked].eval("brand_type == 'national' and use == 'high'").to_numpy()])
    bought = after(millbrook, 21).query("brand == 'Private' and quantity > 0")["customer_id"]
    buyers = pd.Series(asked.isin(bought).to_numpy(), index=asked)
    margin = after(millbrook, 91).groupby("customer_id")["margin"].sum().reindex(asked, fill_value=0)
    truth = millbrook.truth_responses.merge(takers(millbrook).reset_index())
    chances = truth.groupby(["customer_id", "arm"])[["store_chance", "gain_13_weeks"]].mean().unstack()
    for who in (cell, pd.Index(asked)):
        true = (chances["store_chance"][arm] - chances["store_chance"]["control"]).reindex(who).mean()
        found, error = read_out(millbrook, who, buyers, arm)
        assert abs(found - true) < 1.96 * error
        gained = chances["gain_13_weeks"][arm].astype(float).reindex(who).mean()
        found, error = read_out(millbrook, who, margin, arm)
        assert abs(found - 0.20 - gained) < 1.96 * error
    if arm != "10 %":
        found, error = read_out(millbrook, cell, buyers, arm)
        assert found > 1.96 * error
        deepest, its_error = read_out(millbrook, cell, buyers, "50 %")
        assert abs(deepest - found) < 1.96 * np.hypot(error, its_error)  # 30 or 50 % off: it cannot tell
    found, error = read_out(millbrook, cell, margin, arm)
    assert abs(found - 0.20) < 1.96 * error  # a hundred households an arm do not show it


def test_the_deepest_discounts_loss_is_seen_once_the_year_before_is_taken_into_account(millbrook):
    """All households, and the heavy by their receipts; margins in 13 weeks, less what the year before lets expect."""
    lines = painkillers(millbrook).merge(millbrook.products[["product_id", "doses"]])
    lines = lines.merge(millbrook.mailings[["customer_id", "sent_on"]])
    before = (lines["sent_on"] - lines["day"]).dt.days.between(0, 364)
    past = lines[before].groupby("customer_id")["margin"].sum()
    own = millbrook.mailings.set_index("customer_id")
    own["margin"] = after(millbrook, 91).groupby("customer_id")["margin"].sum()
    own["past"] = past
    own = own.fillna({"margin": 0.0, "past": 0.0})
    doses = lines[lines["day"] < PLANNED].eval("quantity * doses").groupby(lines["customer_id"]).sum()
    heavy = doses.reindex(own.index) >= doses.reindex(own.index).quantile(2 / 3)
    own["beyond"] = own["margin"] - np.polyval(np.polyfit(own["past"], own["margin"], 1), own["past"])
    truth = (
        millbrook.truth_responses.query("arm == '50 %'").groupby("customer_id")["gain_13_weeks"].mean().astype(float)
    )
    for who in (own.index, own.index[heavy]):
        found, error = read_out(millbrook, who, own["beyond"], "50 %")
        assert found - 0.20 + 1.96 * error < 0
        assert abs(found - 0.20 - truth.reindex(who).mean()) < 1.96 * error


# --- any call -----------------------------------------------------------------------------------------------------


@given(
    customers=st.integers(0, 120),
    seed=st.integers(0, 2**32),
    effects=st.floats(0, 1),
    dirt=st.floats(0, 1),
    switching=st.floats(0, 1.5),
)
@settings(max_examples=25, deadline=None)
def test_whatever_the_call_the_tables_agree(customers, seed, effects, dirt, switching):
    firm = datasets.simulate(
        "supermarket", customers=customers, seed=seed, effects=effects, dirt=dirt, switching=switching
    )
    ledger(firm)
    assert firm.households["customer_id"].is_unique
    assert firm.purchases["ordered_at"].between("2024-01-01", "2026-01-01").all()
    mailings = firm.mailings
    assert mailings["customer_id"].is_unique
    used = mailings.dropna(subset=["redeemed_on"])
    assert (used["arm"] != "control").all()
    assert (used["redeemed_on"] - used["sent_on"]).dt.days.between(1, 21).all()
    assert len(firm.truth_responses) == 8 * len(mailings)
    assert not firm.truth_responses.isna().any().any()
    assert firm.truth_responses["store_chance"].between(0, 1).all()
    assert firm.truth_effects.groupby(["arm", "timing"])["households"].sum().eq(len(mailings)).all()
    treated = firm.truth_responses[firm.truth_responses["arm"] != "control"]
    chance = firm.truth_responses.pivot(index=["customer_id", "timing"], columns="arm", values="store_chance")
    assert (chance.get(ARMS, chance).ge(chance.get("control"), axis=0)).all().all() if len(treated) else True


def test_a_hundred_thousand_households_take_a_few_seconds():
    def cpu() -> float:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime

    datasets.simulate("supermarket", customers=10)  # imports
    began = cpu()
    firm = datasets.simulate("supermarket", customers=100_000, seed=1)
    assert cpu() - began <= 10
    assert len(firm.households) == 100_000
    assert len(firm.purchases) > 3_000_000
