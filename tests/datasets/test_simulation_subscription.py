"""Postmill: its tables agree with each other and with its truth, and known methods find what was put in."""

import numpy as np
import pandas as pd
import pytest

from crmkit import datasets, lifecycle

DAY = pd.Timedelta(days=1)
LAST = pd.Timestamp("2025-12-31")
MONTH = 30.4375


@pytest.fixture(scope="module")
def postmill():
    return datasets.load("subscription")


@pytest.fixture(scope="module")
def large():
    return datasets.simulate("subscription", customers=40_000, seed=21)


def contracts(firm) -> pd.DataFrame:
    return firm.subscribers.merge(firm.cancellations, how="left", on="customer_id", validate="1:1")


def parameter(firm, name: str) -> float:
    return float(firm.truth_parameters.set_index("name").loc[name, "value"])


def survivors(people: pd.DataFrame, months: float) -> list[int]:
    """How many of those who could be watched for all these months were there after 0, 1, 2 … of them."""
    age = (people["cancelled_on"] - people["started_on"]).dt.days / MONTH
    seen = ((LAST + DAY - people["started_on"]).dt.days / MONTH) >= months
    return [int((~(age[seen] < step)).sum()) for step in range(int(months) + 1)]


# --- the tables agree with each other and with the truth ----------------------------------------------------------


def test_notices_lie_within_the_contract_and_returns_after_the_paid_time(postmill):
    people = contracts(postmill)
    left = people.dropna(subset=["cancelled_on"])
    assert (left["cancelled_on"] >= left["started_on"] + DAY).all()
    assert left["cancelled_on"].max() <= LAST
    back = left.dropna(subset=["returned_on"])
    assert len(back) > 15
    assert (back["returned_on"] > back["cancelled_on"] + 30 * DAY).all()
    age = (left["cancelled_on"] - left["started_on"]).dt.days / MONTH
    annual = left["plan"] == "annual"
    assert (np.ceil(age[annual] / 12) * 12 - age[annual]).max() < 1.5  # at most six weeks before the renewal
    assert annual.sum() > 60


def test_truth_is_told_of_those_who_left_and_of_those_who_were_asked(postmill):
    truth = postmill.truth_subscribers.set_index("customer_id")
    assert set(truth.index[truth["reason"].notna()]) == set(postmill.cancellations["customer_id"])
    assert set(truth.index[truth["response"].notna()]) == set(postmill.offers["customer_id"])
    told = postmill.cancellations.set_index("customer_id")["reason"]
    same = told == truth.loc[told.index, "reason"]
    assert 0.75 < same.mean() < 0.88
    assert set(told[~same]) == {"none given", "too dear"}


def test_usage_has_every_month_under_contract_once(postmill):
    people = contracts(postmill).set_index("customer_id")
    usage = postmill.usage.sort_values(["customer_id", "month"])
    first = usage.groupby("customer_id")["month"].first()
    assert (first == people["started_on"].dt.to_period("M").dt.start_time.reindex(first.index)).all()
    assert len(first) == len(people)
    assert usage["skips"].isin([0, 1]).all()
    assert ((usage["boxes"] == 0) == (usage["skips"] == 1)).all()
    assert (usage["minutes"].eq(0) == usage["logins"].eq(0)).all()
    # nobody who stayed has a gap, and whoever came back has one
    steps = usage.groupby("customer_id")["month"].agg(
        lambda m: len(m) == len(pd.period_range(m.min(), m.max(), freq="M"))
    )
    assert (steps == people["returned_on"].isna().reindex(steps.index)).all()
    # it ends with the paid month
    gone = people[people["cancelled_on"].notna() & people["returned_on"].isna()]
    last = usage.groupby("customer_id")["month"].last().reindex(gone.index)
    assert (last >= gone["cancelled_on"].dt.to_period("M").dt.start_time).all()
    assert (last <= gone["cancelled_on"] + 45 * DAY).all()


def test_payments_are_due_while_the_contract_runs_and_annual_ones_once_a_year(postmill):
    paid = postmill.payments.drop_duplicates().merge(postmill.subscribers, on="customer_id")
    assert 0 < postmill.payments.duplicated().mean() < 0.006
    months = np.where(paid["plan"] == "annual", 12, 1)
    assert np.allclose(paid["due"], paid["price"] * months)
    assert not paid.duplicated(["customer_id", "month"]).any()
    under = paid.merge(postmill.usage, on=["customer_id", "month"], how="left")
    assert under["boxes"].notna().all()
    monthly = postmill.usage.merge(postmill.subscribers.query("plan == 'monthly'"), on="customer_id")
    assert len(monthly) == (paid["plan"] == "monthly").sum()
    yearly = paid[paid["plan"] == "annual"].sort_values("month").groupby("customer_id")["month"].diff().dropna()
    assert (yearly > 59 * DAY).all()
    delay = (paid["paid_on"] - paid["month"]).dt.days
    later = paid["month"] > paid["started_on"]
    back = paid["customer_id"].map(postmill.cancellations.set_index("customer_id")["returned_on"])
    usual = later & (back.dt.to_period("M") != paid["month"].dt.to_period("M"))
    assert not delay[usual].between(4, 7).any()  # on time or late, nothing in between
    assert (paid.loc[later & ~usual, "paid_on"] == back[later & ~usual]).all()
    first = paid[~later]
    assert (first["paid_on"] == first["started_on"]).all()


def test_tickets_come_while_the_contract_runs(postmill):
    tickets = postmill.tickets.merge(contracts(postmill), on="customer_id")
    assert (tickets["opened_at"] >= tickets["started_on"]).all()
    assert (tickets["resolved_at"].isna() | (tickets["resolved_at"] > tickets["opened_at"])).all()
    assert tickets.loc[tickets["resolved_at"].isna(), "satisfied"].isna().all()
    assert postmill.tickets["opened_at"].is_monotonic_increasing
    late = tickets[tickets["returned_on"].isna() & (tickets["opened_at"] > tickets["cancelled_on"] + 45 * DAY)]
    assert late.empty


def test_the_export_says_what_the_tables_say_except_for_the_address_checks(postmill):
    """The trap: everything is as of 31 May 2025, but the checks are counted to the day the file was made."""
    export = postmill.features_export.set_index("customer_id")
    (as_of,) = export["as_of"].unique()
    labels = lifecycle.churn.labels_by_contract(
        postmill.subscribers, postmill.cancellations, cutoff=as_of.date(), horizon="60 days", data_until="2025-12-31"
    )
    assert set(labels.index) == set(export.index)
    assert (labels["left"] == export["left_within_60_days"].astype(bool).reindex(labels.index)).all()

    def count(rows: pd.DataFrame, what: str | None = None) -> pd.Series:
        groups = rows.groupby("customer_id")
        return (groups.size() if what is None else groups[what].sum()).reindex(export.index, fill_value=0)

    quarter = postmill.usage[postmill.usage["month"].between("2025-03-01", "2025-05-31")]
    assert (count(quarter, "skips") == export["skips_3m"]).all()
    assert (count(quarter, "logins") == export["logins_3m"]).all()
    tickets = postmill.tickets[postmill.tickets["opened_at"].between("2024-12-01", as_of + DAY)]
    assert (count(tickets[tickets["kind"] == "complaint"]) == export["complaints_6m"]).all()
    due = postmill.payments.drop_duplicates()
    due = due[due["month"].between("2024-12-01", as_of)]
    first = due["month"] <= due["customer_id"].map(postmill.subscribers.set_index("customer_id")["started_on"])
    late = due["paid_on"].isna() | (due["paid_on"] >= due["month"] + 8 * DAY)
    back = due["customer_id"].isin(postmill.cancellations.dropna(subset=["returned_on"])["customer_id"])
    counted = count(due[late & ~first & ~back])
    assert (counted == export["late_payments_6m"])[~export.index.isin(due.loc[back, "customer_id"])].all()
    checks = postmill.address_checks
    honest = count(checks[checks["checked_on"] <= as_of])
    assert (honest != export["address_checks"]).sum() > 80
    assert (count(checks[checks["checked_on"] <= "2025-08-12"]) == export["address_checks"]).all()


def test_the_trap_looks_innocent_and_is_found_by_what_it_does_to_the_auc(postmill):
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    export = postmill.features_export.assign(annual=lambda frame: frame["plan"] == "annual")
    left = export["left_within_60_days"].astype(bool)
    honest = ["tenure_months", "price", "skips_3m", "logins_3m", "complaints_6m", "late_payments_6m", "annual"]
    model = make_pipeline(StandardScaler(), LogisticRegression())

    def auc(columns: list[str]) -> float:
        score = cross_val_predict(model, export[columns].astype(float), left, cv=5, method="predict_proba")[:, 1]
        return roc_auc_score(left, score)

    assert 0.65 < auc(honest) < 0.82
    assert auc([*honest, "address_checks"]) > 0.93
    assert left.mean() == pytest.approx(0.08, abs=0.02)
    # innocent: stayers have some, leavers sometimes have none, and no number tells them apart alone
    stayers = export.loc[~left, "address_checks"]
    assert 0.05 < (stayers > 0).mean() < 0.30


# --- known methods find what was put in ---------------------------------------------------------------------------


@pytest.mark.parametrize(("alpha", "beta"), [(0.8, 8.0), (0.668, 3.806), (2.0, 20.0)])
def test_retention_is_the_closed_form_of_shifted_beta_geometric(alpha, beta):
    """S(t) = product of (beta + j - 1) / (alpha + beta + j - 1); the second pair is Fader and Hardie's high-end cohort."""
    firm = datasets.simulate("subscription", customers=30_000, seed=22, effects=0, alpha=alpha, beta=beta)
    people = contracts(firm).query("plan == 'monthly'")
    counts = survivors(people, 18)
    steps = np.arange(18)
    expected = np.concatenate([[1], np.cumprod((beta + steps) / (alpha + beta + steps))])
    error = np.sqrt(expected * (1 - expected) / counts[0])
    assert (np.abs(np.array(counts) / counts[0] - expected) <= 3.5 * error + 1e-12).all()


def test_the_shipped_firm_follows_its_closed_form_too(postmill):
    counts = survivors(contracts(postmill).query("plan == 'monthly'"), 12)
    alpha, beta = parameter(postmill, "alpha"), parameter(postmill, "beta")
    expected = np.concatenate([[1], np.cumprod((beta + np.arange(12)) / (alpha + beta + np.arange(12)))])
    assert np.abs(np.array(counts) / counts[0] - expected).max() < 0.03


def test_shifted_beta_geometric_finds_alpha_and_beta(large):
    people = contracts(large).query("plan == 'monthly' and started_on < '2024-01-01'")
    model = lifecycle.value.ShiftedBetaGeometric().fit(survivors(people, 24), period="1 month")
    assert model.alpha_ == pytest.approx(parameter(large, "alpha"), rel=0.12)
    assert model.beta_ == pytest.approx(parameter(large, "beta"), rel=0.12)


def test_annual_contracts_follow_theirs(large):
    people = contracts(large).query("plan == 'annual'")
    seen = (LAST + DAY - people["started_on"]).dt.days >= 12 * MONTH
    left = (people["cancelled_on"] - people["started_on"]).dt.days < 12 * MONTH
    alpha, beta = parameter(large, "annual_alpha"), parameter(large, "annual_beta")
    assert left[seen].mean() == pytest.approx(alpha / (alpha + beta), abs=0.02)
    assert (people["plan"].size / len(large.subscribers)) == pytest.approx(parameter(large, "annual_share"), abs=0.01)


def test_chances_to_leave_are_beta_distributed(large):
    truth = large.truth_subscribers.merge(large.subscribers)
    monthly = truth.loc[truth["plan"] == "monthly", "churn_probability"]
    alpha, beta = parameter(large, "alpha"), parameter(large, "beta")
    mean = alpha / (alpha + beta)
    assert monthly.mean() == pytest.approx(mean, rel=0.03)
    assert monthly.var() == pytest.approx(mean * (1 - mean) / (alpha + beta + 1), rel=0.05)


def test_the_offers_effect_lies_in_the_interval_of_the_randomised_difference(postmill, large):
    for firm in (postmill, large):
        asked = firm.offers.merge(firm.truth_subscribers).merge(firm.cancellations, how="left", on="customer_id")
        days = (asked["cancelled_on"] - asked["offered_on"]).dt.days
        left = days.between(1, 120)
        arms = left.groupby(asked["arm"]).agg(["mean", "size"])
        error = np.sqrt((arms["mean"] * (1 - arms["mean"]) / arms["size"]).sum())
        gained = arms.loc["control", "mean"] - arms.loc["contact", "mean"]
        truth = firm.truth_effects.set_index("name").loc["offer", "effect"]
        assert abs(gained - truth) < 1.96 * error
        assert gained > 1.96 * error
        contacted = asked["arm"] == "contact"
        response = asked["response"]
        expected = response.eq("lost cause") | (response.eq("persuadable") & ~contacted)
        assert (left == expected | (response.eq("do not disturb") & contacted)).all()
        assert asked.loc[~contacted, "accepted_on"].isna().all()
        assert not days.lt(1).any()


def test_signs_come_before_the_notice_by_its_reason(large):
    people = contracts(large).merge(
        large.truth_subscribers[["customer_id", "reason"]], on="customer_id", suffixes=("_told", "")
    )
    usage = large.usage.merge(people[["customer_id", "cancelled_on", "reason", "plan"]], on="customer_id")
    ahead = (usage["cancelled_on"].dt.to_period("M").dt.start_time - usage["month"]).dt.days / MONTH
    near, far = usage[ahead.between(0.5, 2.5)], usage[ahead.between(3.5, 8.5)]
    skips = near.groupby("reason")["skips"].mean() - far.groupby("reason")["skips"].mean()
    assert skips["too much coffee"] > 0.2
    assert abs(skips["moved"]) < 0.03
    logins = near.groupby("reason")["logins"].mean() / far.groupby("reason")["logins"].mean()
    assert logins["competitor"] < 0.6
    assert logins["moved"] == pytest.approx(1, abs=0.08)
    without = datasets.simulate("subscription", customers=10_000, seed=2, effects=0)
    last = without.usage.merge(without.cancellations).query("cancelled_on - month < '45 days'")
    assert last["skips"].mean() == pytest.approx(without.usage["skips"].mean(), abs=0.02)


def test_source_and_price_go_with_leaving_only_with_effects(large):
    without = datasets.simulate("subscription", customers=40_000, seed=23, effects=0)
    for firm, gap in ((large, True), (without, False)):
        chance = firm.truth_subscribers.merge(firm.subscribers).query("plan == 'monthly'")
        by_source = chance.groupby("source")["churn_probability"].mean()
        assert (by_source["partner"] > 1.3 * by_source["referral"]) == gap
        assert abs(chance["price"].corr(chance["churn_probability"])) < 0.03 or gap
