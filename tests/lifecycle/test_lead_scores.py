"""Points by hand; the model against scikit-learn and against the truth it has to find; outcomes that are not yet known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from crmkit import datasets
from crmkit.errors import ColumnError, InputError, KindError
from crmkit.evaluation.predictions import judge
from crmkit.lifecycle.lead_scores import WEB_SHOP, LeadModel, Points, outcome, points

LEADS = pd.DataFrame(
    {
        "source": ["referral", " Search", "social", None],
        "pages": [7, 5, 2, np.nan],
        "newsletter": ["yes", "no", "yes", "no"],
    },
    index=["L1", "L2", "L3", "L4"],
)
TABLE = [
    Points("source", 20, equals="referral", why="friend"),
    Points("source", 10, equals="search", why="looks for it"),
    Points("pages", 10, at_least=5, why="reads"),
    Points("pages", -5, below=3, why="leaves at once"),
    Points("pages", 3, at_least=5, below=7),
    Points("newsletter", 10, equals="yes", why="wants news"),
]


def simulated(number=20_000, seed=2):
    """Leads whose truth is known: logistic in pages, minutes and source."""
    random = np.random.default_rng(seed)
    leads = pd.DataFrame({
        "pages": random.poisson(4, number), "minutes": random.exponential(3, number),
        "source": random.choice(["search", "social", "referral"], number, p=[0.5, 0.3, 0.2]),
    })  # fmt: skip
    odds = (
        -3.4
        + 0.25 * leads["pages"]
        + 0.1 * leads["minutes"]
        + leads["source"].map({"search": 0, "social": -0.6, "referral": 0.8})
    )
    truth = 1 / (1 + np.exp(-odds))
    return leads, truth, pd.Series(random.random(number) < truth)


# --- outcome ----------------------------------------------------------------------------------------------


def test_who_bought_in_time_who_not_and_who_is_not_known_yet():
    leads = pd.DataFrame(
        {
            "created_on": ["2025-01-01"] * 4 + ["2025-06-01"] * 2,
            "converted_on": ["2025-01-01", "2025-03-02", "2025-03-03", None, "2025-06-02", None],
        }
    )
    found = outcome(leads, within="60 days", as_of="2025-06-30")
    assert found.tolist() == [True, True, False, False, pd.NA, pd.NA]
    assert found.dtype == "boolean"
    assert outcome(leads, within="60 days", as_of="2025-07-31").tolist()[4:] == [True, False]
    assert outcome(leads, within="10 days", as_of="2025-06-30").tolist() == [True, False, False, False, True, False]


def test_leads_that_cannot_be():
    leads = pd.DataFrame({"created_on": ["2025-01-02", None], "converted_on": ["2025-01-01", None]})
    with pytest.raises(InputError, match="'created_on' is missing in 1 of 2"):
        outcome(leads, as_of="2025-06-30")
    with pytest.raises(InputError, match="1 converted before they were created, such as row 0"):
        outcome(leads.iloc[:1], as_of="2025-06-30")
    with pytest.raises(InputError, match="pass as_of="):
        outcome(pd.DataFrame({"created_on": ["2025-01-02"], "converted_on": [None]}))
    with pytest.raises(ColumnError, match="no column 'converted_on'"):
        outcome(leads[["created_on"]], as_of="2025-06-30")


# --- points -----------------------------------------------------------------------------------------------


def test_points_by_hand():
    found = points(LEADS, TABLE, grades={"A": 30, "B": 10, "C": 5})
    assert found["points"].tolist() == [40, 23, 5, 0]  # 20+10+10, 10+10+3, −5+10, nothing known
    assert found["grade"].tolist() == ["A", "B", "C", "C"]
    assert found["why"].tolist() == [
        "friend, reads, wants news",
        "looks for it, reads, pages",
        "leaves at once, wants news",
        "",
    ]
    assert found.attrs == {"missing": {"source": 1, "pages": 1}, "unused": []}
    assert found["grade"].cat.ordered


def test_yes_and_no_fit_truth_values_too():
    leads = pd.DataFrame({"newsletter": [True, False], "wide": pd.array([None, True], dtype="boolean")})
    found = points(
        leads,
        [Points("newsletter", 7, equals="Yes"), Points("wide", 1, equals="yes"), Points("newsletter", 2, equals="no")],
    )
    assert found["points"].tolist() == [7, 3]


def test_a_table_is_data():
    table = pd.DataFrame(TABLE)
    pd.testing.assert_frame_equal(points(LEADS, table), points(LEADS, TABLE))
    small = table[["trait", "points", "equals"]].dropna()
    assert points(LEADS, small)["points"].tolist() == [30, 10, 10, 0]
    assert points(LEADS, [*TABLE, Points("source", 5, equals="fax")]).attrs["unused"] == ["source: source"]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-20, 30), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=6),
    st.integers(0, 99),
)
def test_points_add_up_and_know_no_order(rows, seed):
    table = [Points("pages", number, at_least=min(a, b), below=max(a, b) + 1) for number, a, b in rows]
    leads = pd.DataFrame({"pages": np.arange(10.0)})
    found = points(leads, table)
    expected = [sum(number for number, a, b in rows if min(a, b) <= page <= max(a, b)) for page in range(10)]
    assert found["points"].tolist() == expected
    shuffled = points(leads.sample(frac=1, random_state=seed), table[::-1])
    pd.testing.assert_series_equal(shuffled["points"].sort_index(), found["points"])


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        ([Points("page", 5, at_least=1)], ColumnError, "leads has no column 'page'.*Did you mean 'pages'"),
        ([Points("pages", 5)], InputError, r"row 1 of the points \(pages\): give either equals"),
        ([Points("pages", 5, equals="x", below=3)], InputError, "give either equals"),
        ([Points("source", 5, at_least=1)], KindError, "column 'source' holds no numbers"),
        ([Points("pages", np.nan, at_least=1)], InputError, "has no number of points"),
        ([("pages", 5)], KindError, "row 1 of the points must be Points"),
        ([], InputError, "0 rows"),
        (pd.DataFrame({"trait": ["pages"]}), ColumnError, "table has no column 'points'"),
    ],
)
def test_tables_of_points_that_cannot_be_used(table, error, message):
    with pytest.raises(error, match=message):
        points(LEADS, table)


def test_grades_go_downwards():
    with pytest.raises(InputError, match="from the most points to the fewest"):
        points(LEADS, TABLE, grades={"A": 10, "B": 20})


def test_the_shops_points_fit_the_shops_columns():
    assert {row.trait for row in WEB_SHOP} <= {
        "source",
        "device",
        "pages",
        "minutes",
        "return_visits",
        "favourites",
        "newsletter",
    }
    assert all(row.why for row in WEB_SHOP)


# --- model ------------------------------------------------------------------------------------------------


def test_the_model_finds_the_truth():
    leads, truth, bought = simulated()
    model = LeadModel(["pages", "minutes", "source"]).fit(leads, bought)
    weights = model.weights_.set_index(["trait", "value"])
    assert weights["compared_with"].tolist() == ["", "", "search", "search"]  # the most frequent value
    wanted = {
        ("pages", "one more"): 0.25,
        ("minutes", "one more"): 0.1,
        ("source", "social"): -0.6,
        ("source", "referral"): 0.8,
    }
    for trait, size in wanted.items():
        # known to about three standard errors; the interval is two of 1.96
        error = np.log(weights.loc[trait, "high"] / weights.loc[trait, "low"]) / 3.92
        assert np.log(weights.loc[trait, "odds_ratio"]) == pytest.approx(size, abs=3.5 * error)
        assert error < 0.06
    assert (model.probability(leads) - truth).abs().mean() < 0.01
    judged, best = judge(model.probability(leads), bought), judge(truth, bought)
    assert judged.auc == pytest.approx(best.auc, abs=0.005)
    assert (model.leads_, model.yes_) == (len(leads), bought.sum())


def test_the_model_as_scikit_learn_fits_it():
    leads, _, bought = simulated(3000)
    model = LeadModel(["pages", "minutes"]).fit(leads, bought)
    other = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(leads[["pages", "minutes"]], bought)
    expected = other.predict_proba(leads[["pages", "minutes"]])[:, 1]
    assert model.probability(leads).to_numpy() == pytest.approx(expected, abs=1e-5)


def test_one_trait_of_two_values_gives_the_odds_of_a_table():
    """Closed form: the odds ratio of a fourfold table, with Woolf's (1955) interval."""
    leads = pd.DataFrame({"newsletter": ["yes"] * 30 + ["no"] * 70})
    bought = [True] * 12 + [False] * 18 + [True] * 7 + [False] * 63
    row = LeadModel("newsletter").fit(leads, bought).weights_.iloc[0]
    ratio, spread = (12 / 18) / (7 / 63), 1.959964 * np.sqrt(1 / 12 + 1 / 18 + 1 / 7 + 1 / 63)
    assert row[["trait", "value", "compared_with"]].tolist() == ["newsletter", "yes", "no"]
    assert row[["odds_ratio", "low", "high"]].tolist() == pytest.approx(
        [ratio, ratio * np.exp(-spread), ratio * np.exp(spread)], rel=1e-4
    )
    model = LeadModel("newsletter").fit(leads, bought)
    assert model.probability(pd.DataFrame({"newsletter": ["yes", "no"]})).tolist() == pytest.approx(
        [12 / 30, 7 / 70], rel=1e-5
    )


def test_the_order_of_rows_changes_nothing():
    leads, _, bought = simulated(2000)
    order = np.random.default_rng(1).permutation(2000)
    one = LeadModel(["pages", "source"]).fit(leads, bought).weights_
    two = LeadModel(["pages", "source"]).fit(leads.iloc[order], bought.iloc[order]).weights_
    pd.testing.assert_frame_equal(one, two, rtol=1e-6)


def test_what_a_model_cannot_learn_from():
    leads, _, bought = simulated(500)
    with pytest.raises(InputError, match="all 500 outcomes are alike"):
        LeadModel(["pages"]).fit(leads, np.zeros(500))
    with pytest.raises(InputError, match="it has 500 values, 1 of them missing"):
        LeadModel(["pages"]).fit(leads, bought.astype("boolean").where(bought.index > 0))
    with pytest.raises(InputError, match="different indexes"):
        LeadModel(["pages"]).fit(leads, bought[::-1])
    with pytest.raises(InputError, match="'pages' is missing in 1 of 500 rows"):
        LeadModel(["pages"]).fit(leads.assign(pages=leads["pages"].where(leads.index > 0)), bought)
    with pytest.raises(InputError, match="say the same thing twice"):
        LeadModel(["pages", "twice"]).fit(leads.assign(twice=leads["pages"] * 2), bought)
    with pytest.raises(InputError, match="single value"):
        LeadModel(["pages", "one"]).fit(leads.assign(one="x"), bought)
    with pytest.raises(InputError, match="separates those who bought"):
        LeadModel(["pages", "leak"]).fit(leads.assign(leak=bought.astype(int)), bought)
    with pytest.raises(InputError, match="separates those who bought"):
        LeadModel(["seal"]).fit(leads.assign(seal=np.where(bought & (leads.index % 3 == 0), "a", "b")), bought)
    with pytest.raises(ColumnError, match="leads has no column 'pagse'"):
        LeadModel(["pagse"]).fit(leads, bought)
    with pytest.raises(InputError, match="names no column"):
        LeadModel([])


def test_leads_that_a_model_does_not_know():
    leads, _, bought = simulated(500)
    with pytest.raises(InputError, match="has learned nothing yet"):
        LeadModel(["pages"]).probability(leads)
    model = LeadModel(["pages", "source"]).fit(leads, bought)
    with pytest.raises(InputError, match=r"'source' has the value 'serach' in 1 rows.*Did you mean 'search'"):
        model.probability(leads.iloc[:1].assign(source="serach"))
    with pytest.raises(KindError, match="'pages' held numbers"):
        model.probability(leads.assign(pages="many"))


# --- on the shop whose truth is known ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def harbour():
    """Leads of the simulated shop whose 60 days are over, with what happened and the true probability."""
    shop = datasets.load("shop")
    leads = shop.leads.set_index("lead_id")
    happened = outcome(leads, within="60 days", as_of="2025-12-31").dropna()
    truth = shop.truth_leads.set_index("lead_id")["probability"].reindex(happened.index)
    return leads.loc[happened.index], happened, truth, shop.truth_parameters.set_index("name")["value"]


def test_the_coefficients_that_were_put_in_are_found(harbour):
    leads, happened, _, value = harbour
    traits = ["source", "device", "pages", "minutes", "return_visits", "favourites", "newsletter"]
    model = LeadModel(traits).fit(leads, happened)
    true = {name.removeprefix("leads_"): size for name, size in value.items() if name.startswith("leads_")}
    for row in model.weights_.itertuples():
        names = (row.trait,) if row.trait in true else (row.value, row.compared_with)
        wanted = true.get(names[0], 0.0) - (true.get(names[1], 0.0) if len(names) == 2 else 0.0)
        error = np.log(row.high / row.low) / 3.92
        assert np.log(row.odds_ratio) == pytest.approx(wanted, abs=3.5 * error), row


def test_the_true_probabilities_are_calibrated_and_no_score_beats_them(harbour):
    leads, happened, truth, _ = harbour
    judged = judge(truth, happened)
    assert judged.calibration["inside"].sum() >= 8  # of ten 95 % intervals
    assert abs(judged.bias) < 3.5 * np.sqrt((truth * (1 - truth)).sum()) / len(truth)
    by_points = judge(points(leads)["points"], happened, probabilities=False)
    assert by_points.auc < judged.auc
    assert by_points.auc_low > 0.5
