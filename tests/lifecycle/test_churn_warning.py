"""Warnings by rule and by model: rules are data, the model never learns from a future, scikit-learn agrees."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from crmkit.errors import ColumnError, InputError
from crmkit.lifecycle import churn_warning
from crmkit.lifecycle.churn_features import FeatureSet

LATE = {"feature": "late", "sign": ">", "threshold": 2, "because": "late"}
SAD = {"feature": "points", "sign": "<=", "threshold": 3, "because": "not satisfied"}


def cases(random, day, number=400, horizon=60, signal=1.0):
    """Customers whose true log-odds to leave are −1.5 − signal × logins (standardised)."""
    logins = random.normal(0, 1, number)
    left = random.uniform(size=number) < 1 / (1 + np.exp(1.5 + signal * logins))
    day = pd.Timestamp(day)
    return pd.DataFrame(
        {
            "as_of": day,
            "logins": logins,
            "plan": random.choice(["annual", "monthly"], number),
            "left": left,
            "left_on": (day + pd.Timedelta(days=20)) if number else pd.NaT,
            "known_on": day + pd.Timedelta(days=horizon),
        },
        index=pd.Index([f"c{i}" for i in range(number)], name="customer_id"),
    )


# --- rules ------------------------------------------------------------------------------------------------------------


def test_rules_by_hand():
    seen = pd.DataFrame({"late": [2, 2.1, np.nan], "points": [3, 5, 1]}, index=["a", "b", "c"])
    warned = churn_warning.warn_by_rule(seen, [LATE, SAD])
    assert warned["warned"].to_list() == [True, True, True]
    assert warned["because"].to_list() == ["not satisfied", "late", "not satisfied"]
    both = churn_warning.warn_by_rule(seen.assign(late=3), pd.DataFrame([LATE, SAD]), at_least=2)
    assert both["warned"].to_list() == [True, False, True]
    assert both.loc["a", "because"] == "late, not satisfied"


@given(
    st.lists(st.floats(-5, 5), min_size=1, max_size=30),
    st.sampled_from([">", ">=", "<", "<="]),
    st.floats(-5, 5),
)
@settings(max_examples=60, deadline=None)
def test_a_stricter_threshold_never_warns_of_more(values, sign, threshold):
    seen = pd.DataFrame({"late": values})
    step = 1 if sign in (">", ">=") else -1
    loose, strict = (
        churn_warning.warn_by_rule(seen, [LATE | {"sign": sign, "threshold": at}])["warned"]
        for at in (threshold, threshold + step)
    )
    assert not (strict & ~loose).any()
    opposite = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}[sign]
    other = churn_warning.warn_by_rule(seen, [LATE | {"sign": opposite, "threshold": threshold}])["warned"]
    assert (loose ^ other).all()


@pytest.mark.parametrize(
    ("rules", "error", "says"),
    [
        ([], InputError, "at least one row"),
        ([{"feature": "late"}], InputError, "feature, sign, threshold, because"),
        ([LATE | {"feature": "later"}], ColumnError, "rule 1: there is no feature 'later'. Did you mean 'late'"),
        ([LATE, SAD | {"sign": "=="}], InputError, "rule 2: sign='=='"),
        ([LATE | {"threshold": "two"}], InputError, "threshold='two'"),
    ],
)
def test_rules_that_are_none_say_where(rules, error, says):
    with pytest.raises(error, match=says):
        churn_warning.warn_by_rule(pd.DataFrame({"late": [1.0], "points": [1]}), rules)


# --- examples ---------------------------------------------------------------------------------------------------------


def test_features_and_labels_must_be_of_one_day_and_of_the_same_customers():
    facts = FeatureSet(["a", "b"], "2025-06-30")
    labels = pd.DataFrame({"left": [True], "left_on": [pd.Timestamp("2025-07-09")]}, index=["b"])
    labels.attrs = {"as_of": "2025-06-30", "known_on": "2025-08-29"}
    table = churn_warning.examples(facts, labels)
    assert table.index.to_list() == ["b"]
    assert table["known_on"].to_list() == [pd.Timestamp("2025-08-29")]
    labels.attrs["as_of"] = "2025-05-31"
    with pytest.raises(InputError, match="features are of 2025-06-30, the labels of 2025-05-31"):
        churn_warning.examples(facts, labels)
    labels.attrs["as_of"] = "2025-06-30"
    with pytest.raises(InputError, match="1 labelled customers have no features, such as 'x'"):
        churn_warning.examples(facts, labels.set_axis(["x"]))


# --- the model --------------------------------------------------------------------------------------------------------


def test_the_model_is_scikit_learns_logistic_regression():
    past, now = cases(np.random.default_rng(1), "2025-01-31"), cases(np.random.default_rng(2), "2025-06-30")
    model = churn_warning.fit(past)
    matrix = pd.get_dummies(past[["logins", "plan"]], dtype=float)
    scaler = StandardScaler().fit(matrix)
    peer = LogisticRegression(max_iter=1000).fit(scaler.transform(matrix.to_numpy()), past["left"])
    later = pd.get_dummies(now[["logins", "plan"]], dtype=float).to_numpy()
    assert model.risk(now).to_numpy() == pytest.approx(peer.predict_proba(scaler.transform(later))[:, 1], abs=1e-6)
    assert model.base_rate_ == past["left"].mean()
    assert model.coefficients_.index[0] == "logins"


def test_the_true_coefficient_is_recovered():
    model = churn_warning.fit(cases(np.random.default_rng(3), "2025-01-31", number=20_000), ["logins"])
    assert model.coefficients_.loc["logins", "coefficient"] == pytest.approx(-1.0, abs=0.06)


def test_the_model_refuses_to_know_the_future():
    past = cases(np.random.default_rng(1), "2025-03-31")
    model = churn_warning.fit(past)
    with pytest.raises(InputError, match=r"happened until 2025-05-30; 400 rows are of an earlier day \(2025-04-30\)"):
        model.risk(cases(np.random.default_rng(2), "2025-04-30"))
    with pytest.raises(InputError, match="no day"):
        model.risk(past.drop(columns="as_of"))
    assert len(model.risk(cases(np.random.default_rng(2), "2025-05-30"))) == 400


def test_walking_forward_learns_only_from_what_was_over():
    random = np.random.default_rng(4)
    days = ["2025-01-31", "2025-02-28", "2025-03-31", "2025-04-30"]
    stacked = pd.concat([cases(random, day) for day in days])
    judged = churn_warning.walk_forward(stacked)
    assert judged["as_of"].unique().tolist() == [pd.Timestamp("2025-04-30")]  # 31 January + 60 days is over on 1 April
    alone = churn_warning.fit(stacked[stacked["known_on"] <= "2025-04-30"])
    assert judged["risk"].to_numpy() == pytest.approx(alone.risk(stacked[stacked["as_of"] == "2025-04-30"]).to_numpy())
    flipped = stacked.assign(left=np.where(stacked["as_of"] >= "2025-03-31", ~stacked["left"], stacked["left"]))
    again = churn_warning.walk_forward(flipped.astype({"left": bool}))
    assert again["risk"].to_list() == judged["risk"].to_list(), "what came later changed a forecast"
    with pytest.raises(InputError, match=r"no cut-off \(2025-01-31, 2025-02-28\) has an earlier one"):
        churn_warning.walk_forward(pd.concat([cases(random, day) for day in days[:2]]))


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (lambda t: t.assign(left=False), InputError, "nobody left among 400"),
        (lambda t: t.assign(left=True), InputError, "everybody left"),
        (lambda t: t.head(1), InputError, "left among 1 examples"),
        (lambda t: t.assign(logins=t["logins"].where(t["logins"] > 0)), InputError, r"missing values in logins \("),
        (lambda t: t.rename(columns={"logins": "undated_logins"}), InputError, "undated_logins may know the future"),
        (lambda t: t.drop(columns="known_on"), ColumnError, "no column 'known_on'"),
    ],
)
def test_what_cannot_be_learned_from_says_why(change, error, says):
    with pytest.raises(error, match=says):
        churn_warning.fit(change(cases(np.random.default_rng(1), "2025-01-31")))


def test_an_undated_feature_can_be_named_on_purpose():
    table = cases(np.random.default_rng(1), "2025-01-31").rename(columns={"logins": "undated_logins"})
    assert churn_warning.fit(table, ["undated_logins"]).features == ("undated_logins",)


def test_a_word_that_the_model_never_met_counts_as_none():
    past, now = cases(np.random.default_rng(1), "2025-01-31"), cases(np.random.default_rng(2), "2025-06-30", number=5)
    assert churn_warning.fit(past).risk(now.assign(plan="weekly")).notna().all()
