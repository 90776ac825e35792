"""Hold-out, scorecard and tracking against a plain reading of their definitions, and against published tables."""

import datetime
import warnings

import numpy as np
import pandas as pd
import pytest

from crmkit import datasets, lifecycle
from crmkit.errors import ColumnError, InputError, KindError
from crmkit.lifecycle import value_scorecard
from crmkit.lifecycle.value import (
    BetaGeometric,
    GammaGamma,
    ModifiedBetaGeometric,
    ParetoNBD,
    holdout,
    scorecard,
    tracking,
)
from crmkit.tables import Transactions


@pytest.fixture(scope="module")
def cdnow() -> Transactions:
    return datasets.load("cdnow").transactions


@pytest.fixture(scope="module")
def held(cdnow) -> pd.DataFrame:
    return holdout(cdnow, calibration_until="1997-09-30", horizon="39 weeks", unit="weeks")


@pytest.fixture(scope="module")
def cards(held) -> dict[type, object]:
    return {kind: scorecard(kind().fit(held), held) for kind in (BetaGeometric, ModifiedBetaGeometric, ParetoNBD)}


def orders(*rows: tuple) -> Transactions:
    return Transactions.read(pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"]))


# ---- hold-out ------------------------------------------------------------------------------------------------------


def test_the_hold_out_is_the_summary_and_what_came_after(cdnow, held):
    pd.testing.assert_frame_equal(held.iloc[:, :-2], lifecycle.summary(cdnow, as_of="1997-09-30", unit="weeks"))
    lines = cdnow.table.select("customer_id", "day", "amount").to_pandas()
    later = lines[(lines.day > pd.Timestamp("1997-09-30")) & (lines.day <= pd.Timestamp("1998-06-30"))]
    days = later.drop_duplicates(["customer_id", "day"]).groupby("customer_id").size().reindex(held.index, fill_value=0)
    assert held.x_holdout.tolist() == days.tolist()
    spent = (
        later.assign(amount=later.amount.astype(float))
        .groupby("customer_id")
        .amount.sum()
        .reindex(held.index)
        .fillna(0)
    )
    assert np.allclose(held.spend_holdout, spent)
    assert (
        held.x_holdout.sum() == 1882
    )  # measured when the project began (docs/design.md names the scorecard's figures)
    assert held.attrs["horizon_days"] == 273


@pytest.mark.filterwarnings("ignore")
def test_lifetimes_splits_alike(cdnow, held):
    import lifetimes.utils

    held = held.iloc[::6]  # it takes a thousandth of a second for each day of each customer
    lines = cdnow.table.select("customer_id", "day", "amount").to_pandas()
    lines = lines[lines.customer_id.isin(held.index)]
    lines["day"], lines["amount"] = pd.to_datetime(lines.day), lines.amount.astype(float)
    theirs = lifetimes.utils.calibration_and_holdout_data(
        lines, "customer_id", "day", "1997-09-30", observation_period_end="1998-06-30", monetary_value_col="amount"
    )
    assert (theirs.frequency_holdout.to_numpy() == held.x_holdout.to_numpy()).all()
    assert (theirs.frequency_cal.to_numpy() == held.x.to_numpy()).all()
    assert np.allclose(theirs.T_cal / 7, held["T"])


def test_refunds_late_comers_and_the_last_day_are_told_apart():
    transactions = orders(
        ("a", "2026-01-01", 10.0),
        ("a", "2026-01-20", 5.0),
        ("a", "2026-02-01", 7.0),  # the last day of the calibration
        ("a", "2026-02-02", 8.0),  # the first of the hold-out
        ("a", "2026-02-02", -3.0),
        ("a", "2026-02-05", -2.0),  # a refund alone is no occasion
        ("b", "2026-01-11", 4.0),
        ("b", "2026-02-11", 6.0),  # the last day of the hold-out
        ("b", "2026-02-12", 99.0),
        ("c", "2026-02-03", 50.0),  # not yet a customer
    )
    found = holdout(transactions, calibration_until="2026-02-01", horizon="10 days")
    assert found.index.tolist() == ["a", "b"]
    assert found.x.tolist() == [2, 0]
    assert found.x_holdout.tolist() == [1, 1]
    assert found.spend_holdout.tolist() == [3.0, 6.0]
    assert found.attrs["holdout_until"] == "2026-02-11"
    # ten days before the end of the calibration: a was silent for 2 days and bought once, b for 11 and bought nothing
    assert found.attrs["recency_rates"] == {"up_to_days": [2, 11], "purchases_a_day": [0.1, 0.0], "window_days": 10}
    assert transactions.table.count().to_pyarrow().as_py() == 10


def test_of_many_customers_every_so_manieth_teaches_the_rates(cdnow, held, monkeypatch):
    monkeypatch.setattr(value_scorecard, "LEARN_FROM", 500)
    few = holdout(cdnow, calibration_until="1997-09-30", horizon="39 weeks", unit="weeks")
    monkeypatch.undo()
    some = cdnow.where("customer_id", list(held.index[::5]))  # 2,357 customers over 500, rounded up
    alone = holdout(some, calibration_until="1997-09-30", horizon="38 weeks", unit="weeks")  # they end a week earlier
    assert few.attrs["recency_rates"] == alone.attrs["recency_rates"]
    pd.testing.assert_frame_equal(few, held)


def test_a_hold_out_must_lie_within_the_data(cdnow):
    with pytest.raises(
        InputError, match=r"would end on 1998-10-0\d, but the data end on 1998-06-30: 273 days \(39 weeks\) are left"
    ):
        holdout(cdnow, calibration_until="1997-09-30", horizon="53 weeks")
    with pytest.raises(InputError, match="0 days"):
        holdout(cdnow, calibration_until="1998-07-15", horizon="1 week")
    with pytest.raises(InputError, match="before the first row"):
        holdout(cdnow, calibration_until="1996-09-30", horizon="1 week")
    with pytest.raises(InputError, match="shorter than a day"):
        holdout(cdnow, calibration_until="1997-09-30", horizon="0.5 days")
    with pytest.raises(InputError, match="is not a horizon"):
        holdout(cdnow, calibration_until="1997-09-30", horizon=39)
    with pytest.raises(KindError, match="checked transactions"):
        holdout(pd.DataFrame(), calibration_until="1997-09-30", horizon="39 weeks")


# ---- scorecard -----------------------------------------------------------------------------------------------------


def test_the_errors_are_those_of_btydplus(cards):
    """BTYDplus, cdnow example: error of the total, and mean absolute error over mean actual."""
    published = {BetaGeometric: (-0.121, 0.984), ParetoNBD: (-0.115, 0.945), ModifiedBetaGeometric: (-0.162, 0.958)}
    for kind, (bias, error) in published.items():
        row = cards[kind].table.loc[kind.TITLE]
        assert round(row.bias, 3) == bias
        assert round(row.mae * 2357 / 1882, 3) == error


def test_each_figure_of_the_table_is_what_it_says(held, cards):
    table, actual = cards[BetaGeometric].table, held.x_holdout.to_numpy(dtype=float)
    assert table.index.tolist() == ["BG/NBD", "nobody buys", "same rate as before", "days since last order"]
    guess = BetaGeometric().fit(held).expected_purchases(held, "39 weeks").to_numpy()
    rates = held.attrs["recency_rates"]
    silent = [
        next(
            (rate for top, rate in zip(rates["up_to_days"], rates["purchases_a_day"], strict=True) if days <= top), None
        )
        for days in held.recency_days
    ]
    by_recency = 273 * pd.Series(silent).fillna(rates["purchases_a_day"][-1]).to_numpy(dtype=float)
    guesses = [guess, 0 * guess, (39 * held.x / held["T"]).to_numpy(), by_recency]
    for (_, row), own in zip(table.iterrows(), guesses, strict=True):
        assert row.actual_total == 1882
        assert row.predicted_total == pytest.approx(own.sum())
        assert row.mae == pytest.approx(np.abs(own - actual).mean())
        assert row.rmse == pytest.approx(np.sqrt(((own - actual) ** 2).mean()))
        excess = (own - actual) ** 2 - (guess - actual) ** 2
        wide = 1.96 * excess.std(ddof=1) / len(excess) ** 0.5
        assert [row.excess_error, row.excess_low, row.excess_high] == pytest.approx(
            [excess.mean(), excess.mean() - wide, excess.mean() + wide]
        )
        if own.any():
            best = np.argsort(-own + 1e-9 * np.random.default_rng(0).random(len(own)))[: round(0.2 * len(own))]
            assert row.top_fifth == pytest.approx(actual[best].sum() / 1882, abs=0.03)  # ties apart
            assert row.rank_correlation == pytest.approx(pd.Series(own).corr(pd.Series(actual), method="spearman"))
    nobody = table.loc["nobody buys"]
    assert (nobody.bias, nobody.top_fifth) == pytest.approx((-1, 0.2))
    assert np.isnan(nobody.rank_correlation)
    # figures of docs and lesson: mean absolute error flatters who predicts nothing
    assert table.mae.round(3).iloc[:2].tolist() == [0.785, 0.798]
    assert table.predicted_total.round().iloc[[0, 2]].tolist() == [1653, 2930]


def test_the_interval_of_the_bias_is_that_of_resampled_customers(held, cards):
    table, random = cards[BetaGeometric].table, np.random.default_rng(4)
    guess, actual = BetaGeometric().fit(held).expected_purchases(held, "39 weeks").to_numpy(), held.x_holdout.to_numpy()
    drawn = random.integers(0, len(held), (2000, len(held)))
    resampled = (guess[drawn] - actual[drawn]).mean(axis=1) / actual.mean()
    row = table.loc["BG/NBD"]
    assert np.quantile(resampled, [0.025, 0.975]) == pytest.approx([row.bias_low, row.bias_high], abs=0.01)


def test_the_verdict_says_what_the_table_says(cards):
    card = cards[BetaGeometric]
    assert card.beats
    assert "bought 1,882 times; BG/NBD expected 1,653 (-12%, 95 % -20% to -4%)" in card.verdict
    assert "it beats every baseline" in card.verdict
    assert "'same rate as before' finds the best customers as well" in card.verdict
    assert "flatters 'nobody buys' (0.798 against 0.785), because 71% bought nothing" in card.verdict
    assert card.verdict in str(card)
    assert (card.horizon, card.customers) == ("39 weeks", 2357)


def test_a_model_that_does_not_beat_a_baseline_is_told_so():
    """Customers who go on for ever at the rate they had: no model of leaving can do better than that rate."""
    random = np.random.default_rng(6)
    rows = []
    for customer in range(400):
        rate = random.choice([0.03, 0.3])
        days = random.choice(250, max(int(rate * 250), 2), replace=False)
        rows += [(customer, pd.Timestamp("2026-01-01") + pd.Timedelta(days=int(day)), 10.0) for day in days]
    transactions = orders(*rows)
    found = holdout(transactions, calibration_until="2026-05-31", horizon="90 days")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        card = scorecard(BetaGeometric().fit(found), found)
    row = card.table.loc["same rate as before"]
    assert not card.beats
    assert row.excess_low <= 0
    assert f"'same rate as before' is {'closer' if row.excess_high < 0 else 'as close'}" in card.verdict


def test_nobody_bought_and_one_customer_are_answered(held):
    quiet = held.assign(x_holdout=0)
    card = scorecard(BetaGeometric().fit(held), quiet)
    assert not card.beats
    assert card.verdict.startswith("Nobody bought")
    assert card.table.bias.isna().all()
    one = held.head(1)
    card = scorecard(BetaGeometric().fit(held), one)
    assert np.isfinite(card.table.rmse).all()
    assert card.table.bias_low.isna().all()
    assert not card.beats


def test_a_calibration_too_short_for_the_baseline_of_silence_says_so(held):
    transactions = orders(
        *[(c, "2026-01-01", 5.0) for c in range(20)], ("a", "2026-01-09", 5.0), (3, "2026-01-05", 5.0)
    )
    found = holdout(transactions, calibration_until="2026-01-02", horizon="7 days", unit="weeks")
    assert found.attrs["recency_rates"] is None
    card = scorecard(BetaGeometric().fit(held), found)
    assert card.table.index.tolist() == ["BG/NBD", "nobody buys", "same rate as before"]
    assert "too short to learn 'days since last order'" in card.verdict


def test_what_has_no_hold_out_is_refused(cdnow, held):
    model = BetaGeometric().fit(held)
    with pytest.raises(ColumnError, match="x_holdout"):
        scorecard(model, held.drop(columns="x_holdout"))
    merged = held.merge(
        pd.DataFrame({"segment": ["a"] * len(held)}, index=held.index), left_index=True, right_index=True
    )
    merged.attrs.pop("horizon_days", None)
    with pytest.raises(InputError, match="how long the hold-out is"):
        scorecard(model, merged)
    in_days = holdout(cdnow, calibration_until="1997-09-30", horizon="39 weeks")
    with pytest.raises(InputError, match="the summary is in days, the model was fitted in weeks"):
        scorecard(model, in_days)
    with pytest.raises(KindError, match="purchase model"):
        scorecard(GammaGamma().fit(held), held)
    with pytest.raises(InputError, match="call fit"):
        scorecard(BetaGeometric(), held)


# ---- tracking ------------------------------------------------------------------------------------------------------


def test_tracking_counts_days_and_adds_up_expectations(cdnow, held):
    model = BetaGeometric().fit(held)
    found = tracking(model, cdnow, calibration_until="1997-09-30")
    lines = cdnow.table.select("customer_id", "day").to_pandas().drop_duplicates()
    first = lines.groupby("customer_id").day.transform("min")
    repeats = lines.day[lines.day > first].dt.date
    for end in (found.index[5], found.index[38], found.index[-1]):
        row = found.loc[end]
        assert row.actual == (repeats <= end.date()).sum()
        ages = np.array([(end.date() - day.date()).days / 7 for day in held.first_order])
        expected = sum(model.expected_new(f"{age} weeks") * (ages == age).sum() for age in np.unique(ages[ages > 0]))
        assert row.expected == pytest.approx(expected, rel=1e-9)
    assert found.loc["1997-09-30", "actual"] == held.x.sum()
    assert found.actual.iloc[-1] == held.x.sum() + held.x_holdout.sum()
    assert np.allclose(found.actual_in_step.cumsum(), found.actual)
    assert np.allclose(found.expected_in_step.cumsum(), found.expected)
    assert found.calibration.sum() == 39
    assert len(found) == 78


def test_tracking_follows_only_customers_of_the_calibration_and_ends_with_a_full_step():
    rows = [(c, f"2026-01-{1 + c % 9:02}", 5.0) for c in range(60)]
    rows += [(c, f"2026-01-{12 + c % 9:02}", 5.0) for c in range(0, 60, 3)] + [
        (99, "2026-02-20", 5.0),
        (99, "2026-02-25", 5.0),
    ]
    transactions = orders(*rows)
    frame = lifecycle.summary(transactions, as_of="2026-01-31")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = ModifiedBetaGeometric().fit(frame)
    found = tracking(model, transactions, calibration_until="2026-01-31", step="10 days")
    assert found.index[0] == pd.Timestamp("2026-01-10")
    assert found.index[-1] == pd.Timestamp("2026-02-19")
    assert found.actual.iloc[-1] == 20
    assert (found.expected.diff().dropna() >= 0).all()
    for wrong in ({"until": "2026-01-31"}, {"until": datetime.date(2026, 3, 1)}, {"step": "0.2 days"}):
        with pytest.raises(InputError, match="until must lie after"):
            tracking(model, transactions, calibration_until="2026-01-31", **wrong)
