"""Churn, win-back and effects where the truth is known: the simulated firms."""

import pandas as pd
import pytest

from crmkit import datasets, lifecycle
from crmkit.evaluation import differences, experiments
from crmkit.lifecycle import churn, churn_evaluation
from crmkit.lifecycle.churn_features import FeatureSet


@pytest.fixture(scope="module")
def postmill():
    return datasets.load("subscription")


@pytest.fixture(scope="module")
def harbour():
    """The shop with five times its customers: chance moves its figures less."""
    return datasets.simulate("shop", customers=20_000, seed=11)


def test_features_are_those_that_the_simulator_counted_itself(postmill):
    """IT's file was counted by other code. What is honest in it comes out of the dated tables to the last customer."""
    export = postmill.features_export.set_index("customer_id")
    facts = FeatureSet(export, export["as_of"].iloc[0])
    facts.know("usage", postmill.usage, dated="month", covers="month")
    facts.know("tickets", postmill.tickets, dated="opened_at")
    facts.know("checks", postmill.address_checks, dated="checked_on")
    facts.add("skips_3m", "usage", "sum", "skips", within="3 months")
    facts.add("logins_3m", "usage", "sum", "logins", within="3 months")
    facts.add("complaints_6m", "tickets", "count", within="6 months", where={"kind": "complaint"})
    facts.add("address_checks", "checks", "count")
    known = facts.frame
    for honest in ("skips_3m", "logins_3m", "complaints_6m"):
        assert known[honest].astype("int64").equals(export[honest].astype("int64")), honest
    left = export["left_within_60_days"]
    auc = [churn_evaluation.separation(table[["address_checks"]], left)["auc"].item() for table in (export, known)]
    assert auc[0] > 0.9
    assert 0.4 < auc[1] < 0.6


def test_labels_are_those_of_the_export(postmill):
    """Its label, too, was counted by the simulator: notices in the 60 days after the day."""
    export = postmill.features_export.set_index("customer_id")
    labels = churn.labels_by_contract(
        postmill.subscribers, postmill.cancellations, cutoff="2025-05-31", horizon="60 days", data_until="2025-12-31"
    )
    assert sorted(labels.index) == sorted(export.index)
    assert labels["left"].equals(export["left_within_60_days"].astype(bool).reindex(labels.index))


def test_the_letters_true_effect_lies_in_its_interval(harbour):
    letter = harbour.contacts.query("campaign_id == 'C07'").set_index("customer_id")
    after = lifecycle.summary(harbour.transactions.between("2025-04-15", "2025-07-13"))
    effect = experiments.read_out(
        letter.assign(bought=letter.index.isin(after.index)), "bought", design="randomised", group="arm"
    )
    truth = harbour.truth_effects.set_index("campaign_id").loc["C07", "effect"]
    assert effect.low < truth < effect.high
    assert effect.high - effect.low < 0.06


def test_the_better_delivery_is_found(harbour):
    answers = harbour.feedback.dropna(subset=["satisfaction"])
    answers = answers.merge(harbour.customers[["customer_id", "region"]], on="customer_id")
    answers = answers.merge(harbour.rollout, on="region")
    answers = answers[answers["day"] >= "2024-01-01"].assign(points=lambda table: table["satisfaction"].astype(float))
    answers["month"] = answers["day"].dt.to_period("M").astype(str)
    answers["better"] = answers["day"] >= answers["started_on"]
    effect = differences.estimate(answers, "points", unit="region", period="month", treated="better")
    truth = harbour.truth_effects.query("campaign_id == 'service' and unit == 'points'")["effect"].item()
    assert effect.estimate == pytest.approx(truth, abs=0.1)


def test_who_is_called_lost_has_mostly_left_and_the_longer_the_surer(harbour):
    gone = harbour.truth_customers.set_index("customer_id")["dropped_out_on"]
    right = {}
    for horizon in ("3 months", "12 months"):
        labels = churn.labels_by_silence(
            harbour.transactions, cutoff="2024-12-31", horizon=horizon, active_within="1 year"
        )
        called = labels.index[labels["left"]]
        right[horizon] = (gone.reindex(called) <= pd.Timestamp(labels.attrs["known_on"])).mean()
        kept = gone.reindex(labels.index[~labels["left"]])
        assert (kept > "2024-12-31").sum() + kept.isna().sum() > 0.95 * len(kept)
    assert 0.5 < right["3 months"] < right["12 months"]
    assert right["12 months"] > 0.85
