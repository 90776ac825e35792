"""Does a purchase model predict better than a simple rule? Hold-out, scorecard beside three baselines, tracking."""

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pandas as pd

from crmkit import periods
from crmkit.errors import ColumnError, InputError, KindError
from crmkit.lifecycle.customer_summary import summary
from crmkit.lifecycle.model_fitting import numbers, refuse
from crmkit.lifecycle.purchase_models import PurchaseModel
from crmkit.periods import DAYS, Horizon

if TYPE_CHECKING:
    from crmkit.tables import Transactions

NOBODY, SAME_RATE, RECENCY = "nobody buys", "same rate as before", "days since last order"
#: Customers are put into so many groups by days since their last order, to learn what such customers did next.
GROUPS = 10
#: From so many customers at most, which is plenty: a tenth of them tells a rate to two or three percent.
LEARN_FROM = 50_000


def holdout(
    transactions: "Transactions",
    *,
    calibration_until: object,
    horizon: "str | Horizon",
    unit: str = "days",
    ages: str = "fractional",
) -> pd.DataFrame:
    """What was known on a day, and what the same customers did in the time after it?

    Parameters
    ----------
    transactions : the checked table.
    calibration_until : the last day that a model may know, such as "1997-09-30".
    horizon : the length of the hold-out after that day, such as "39 weeks", in whole days.
    unit, ages : as in `lifecycle.summary`.

    Returns
    -------
    The summary as of `calibration_until` (customers who came later are not in it), plus `x_holdout` (purchase
    occasions, days, within the hold-out) and `spend_holdout` (all their money in it). attrs: those of the summary,
    `horizon`, `horizon_days`, `holdout_until`, and `recency_rates`: how often customers bought in an earlier window
    of the calibration by days since their last order (`scorecard` makes a baseline of it).

    Raises InputError if the hold-out reaches beyond the last day of the data, or begins before the first purchase.

    >>> from crmkit import datasets
    >>> held = holdout(datasets.load("cdnow").transactions, calibration_until="1997-09-30", horizon="39 weeks", unit="weeks")
    >>> held.x_holdout.sum(), held.attrs["holdout_until"]
    (np.int64(1882), '1998-06-30')
    """
    known, length = periods.day(calibration_until, "calibration_until"), Horizon.parse(horizon)
    if length.days < 1:
        raise InputError(f"horizon={str(length)!r} is shorter than a day; a hold-out needs days with purchases.")
    end = known + datetime.timedelta(days=round(length.days))
    frame = summary(transactions, as_of=known, unit=unit, ages=ages)  # raises for a table of another kind
    if end > transactions.last_day:
        left = max((transactions.last_day - known).days, 0)
        raise InputError(
            f"the hold-out of {length} after {known} would end on {end}, but the data end on {transactions.last_day}: "
            f"{left:,} days ({left / 7:.4g} weeks) are left. Take an earlier calibration_until or a shorter horizon."
        )
    span = (known - frame["first_order"].min().date()).days
    window = min(round(length.days), span // 2)  # before it somebody must have bought already
    early = known - datetime.timedelta(days=window)

    rows = transactions.table
    after = rows.filter(rows.day > known, rows.day <= end)
    days = after.group_by("customer_id", "day").aggregate(money=after.amount.sum(), bought=(after.amount >= 0).any())
    found = days.group_by("customer_id").aggregate(
        x_holdout=days.count(where=days.bought), spend_holdout=days.money.sum().cast("float64")
    )
    found = found.to_pyarrow()
    place = pd.Index(found["customer_id"].to_pandas()).get_indexer(frame.index)
    attrs = frame.attrs
    for name in ("x_holdout", "spend_holdout"):
        column = found[name].to_numpy()
        frame[name] = np.append(column, column.dtype.type(0))[place]  # place −1, the last, for who did not come again
    frame.attrs = attrs | {
        "horizon": str(length),
        "horizon_days": round(length.days),
        "holdout_until": end.isoformat(),
        "recency_rates": _recency_rates(rows.filter(rows.day <= known), frame.index, early, window),
    }
    return frame


def _recency_rates(rows: Any, customers: pd.Index, early: datetime.date, window: int) -> dict[str, Any] | None:
    """Purchases a day in the window, by days since the last order before it: groups of about equal size."""
    visits = rows.filter(rows.amount >= 0)
    if len(customers) > LEARN_FROM:
        some = pd.DataFrame({"customer_id": customers[:: -(-len(customers) // LEARN_FROM)]})
        visits = visits.semi_join(ibis.memtable(some), "customer_id")
    visits = visits.select("customer_id", "day").distinct()
    each = visits.group_by("customer_id").aggregate(
        last=visits.day.max(where=visits.day <= early), bought=visits.count(where=visits.day > early)
    )
    each = each.filter(each.last.notnull()).to_pyarrow()
    if window < 1 or not each.num_rows:
        return None
    last, bought = each["last"].to_numpy().astype("datetime64[D]"), each["bought"].to_numpy()
    silent = (np.datetime64(early, "D") - last).astype(int)
    up_to = np.unique(np.quantile(silent, np.arange(1, GROUPS + 1) / GROUPS, method="inverted_cdf"))
    group = np.searchsorted(up_to, silent)
    rate = np.bincount(group, bought) / np.bincount(group) / window
    return {"up_to_days": up_to.tolist(), "purchases_a_day": rate.tolist(), "window_days": window}


@dataclass(frozen=True)
class Scorecard:
    """A model beside three baselines on a hold-out: `table`, `verdict` in words, `beats` (True if it beats all of them)."""

    model: str
    horizon: str
    customers: int
    table: pd.DataFrame
    verdict: str
    beats: bool

    def __repr__(self) -> str:
        shown = ["predicted_total", "bias", "mae", "rmse", "rank_correlation", "top_fifth"]
        return f"{self.table[shown].round(3).to_string()}\n{self.verdict}"


def scorecard(model: PurchaseModel, held_out: pd.DataFrame, *, unit: str | None = None) -> Scorecard:
    """Is the model better than a rule of thumb, on what it has not seen?

    The baselines: "nobody buys"; "same rate as before" (x / T goes on for ever); "days since last order" (as many
    purchases as customers who had been silent for as long made in an earlier window of the calibration).

    Parameters
    ----------
    model : a purchase model, fitted on the calibration only.
    held_out : a frame of `holdout` (it carries the horizon in its attrs).

    Returns
    -------
    A `Scorecard`. `table` has a row for the model and each baseline, and the columns `actual_total`,
    `predicted_total`, `bias` (predicted / actual − 1) with its 95 % interval `bias_low`, `bias_high`, `mae` and `rmse`
    (errors a customer), `rank_correlation` (Spearman; missing if everybody gets the same), `top_fifth` (share of the
    actual purchases made by the fifth of customers predicted best; ties share their places, so chance gives 0.2),
    `excess_error` (mean squared error less the model's: above 0 the model is better) with `excess_low`,
    `excess_high` (95 %). Intervals are over customers like these. `verdict` says in sentences where the model does
    not beat a baseline; `beats` is True if its squared error is surely below that of every baseline and it ranks
    customers no worse than any.

    Raises InputError for a frame without a hold-out.

    >>> from crmkit import datasets
    >>> from crmkit.lifecycle.value import BetaGeometric
    >>> cdnow = datasets.load("cdnow").transactions
    >>> held = holdout(cdnow, calibration_until="1997-09-30", horizon="39 weeks", unit="weeks")
    >>> card = scorecard(BetaGeometric().fit(held), held)
    >>> card.table[["predicted_total", "mae"]].round(3)
                           predicted_total    mae
    predictor
    BG/NBD                        1653.409  0.785
    nobody buys                      0.000  0.798
    same rate as before           2930.101  1.024
    days since last order         1606.647  0.917
    """
    if not isinstance(model, PurchaseModel):
        raise KindError(f"scorecard needs a fitted purchase model, such as BetaGeometric, not {type(model).__name__}.")
    model._check_fitted()
    actual, days = _what_happened(held_out)
    x, _, age = model._read(held_out, unit)
    ahead = Horizon(days / DAYS[model.unit_], model.unit_)
    expected = {
        model.TITLE: model.expected_purchases(held_out, ahead, unit=unit).to_numpy(),
        NOBODY: np.zeros(len(x)),
        SAME_RATE: np.divide(x, age, out=np.zeros_like(x), where=age > 0) * ahead.number,
    }
    rates = held_out.attrs.get("recency_rates")
    if rates is not None:
        (silent,) = numbers(held_out, "recency_days")
        group = np.minimum(np.searchsorted(rates["up_to_days"], silent), len(rates["up_to_days"]) - 1)
        expected[RECENCY] = np.asarray(rates["purchases_a_day"])[group] * days
    own = expected[model.TITLE]
    table = pd.DataFrame.from_dict(
        {name: _score(actual, guess, own) for name, guess in expected.items()}, orient="index"
    )
    table.index.name = "predictor"
    ranks = {name: _top(guess) for name, guess in expected.items()}
    horizon = str(held_out.attrs["horizon"])
    verdict, beats = _verdict(model.TITLE, horizon, actual, table, ranks)
    return Scorecard(model.TITLE, horizon, len(actual), table, verdict, beats)


def _what_happened(held_out: pd.DataFrame) -> tuple[np.ndarray, int]:
    if isinstance(held_out, pd.DataFrame) and "x_holdout" not in held_out.columns:
        raise ColumnError(
            "the frame has no column 'x_holdout'; make it with holdout(transactions, calibration_until=…)."
        )
    (actual,) = numbers(held_out, "x_holdout")
    odd = ~np.isfinite(actual) | (actual < 0)
    refuse(odd, held_out, ["x_holdout"], "x_holdout is missing or negative", "it counts occasions in the hold-out.")
    if "horizon_days" not in held_out.attrs:
        raise InputError(
            "the frame does not say how long the hold-out is (pandas drops that note in merge, join and concat); "
            "give the frame as holdout(…) returns it."
        )
    return actual, held_out.attrs["horizon_days"]


def _score(actual: np.ndarray, guess: np.ndarray, model: np.ndarray) -> dict[str, float]:
    miss, total = guess - actual, actual.sum()
    bias, bias_low, bias_high = (total and limit / (total / len(actual)) for limit in _mean(miss))
    worse, worse_low, worse_high = _mean(miss**2 - (model - actual) ** 2)
    varies = np.ptp(guess) > 0 and np.ptp(actual) > 0
    ranked = pd.Series(guess).rank(), pd.Series(actual).rank()
    return {
        "actual_total": total,
        "predicted_total": guess.sum(),
        "bias": bias if total else np.nan,
        "bias_low": bias_low if total else np.nan,
        "bias_high": bias_high if total else np.nan,
        "mae": np.abs(miss).mean(),
        "rmse": np.sqrt((miss**2).mean()),
        "rank_correlation": ranked[0].corr(ranked[1]) if varies else np.nan,
        "top_fifth": _top(guess) @ actual / total if total else np.nan,
        "excess_error": worse,
        "excess_low": worse_low,
        "excess_high": worse_high,
    }


def _mean(values: np.ndarray) -> tuple[float, float, float]:
    """The mean with the limits of its 95 % interval over customers; without limits for one customer."""
    wide = 1.96 * values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return values.mean(), values.mean() - wide, values.mean() + wide


def _top(guess: np.ndarray) -> np.ndarray:
    """How much of each customer is in the fifth predicted best: 1, 0, or a share where a tie crosses the border."""
    places, border = 0.2 * len(guess), np.sort(guess)[::-1][max(int(np.ceil(0.2 * len(guess))) - 1, 0)]
    above, at = guess > border, guess == border
    return above + at * (places - above.sum()) / at.sum()


def _verdict(
    title: str, horizon: str, actual: np.ndarray, table: pd.DataFrame, ranks: dict[str, np.ndarray]
) -> tuple[str, bool]:
    own, total = table.loc[title], actual.sum()
    if not total:
        return f"Nobody bought in the hold-out of {horizon}: every model loses against '{NOBODY}'.", False
    sentences = [
        f"In {horizon} these {len(actual):,} customers bought {total:,.0f} times; {title} expected "
        f"{own.predicted_total:,.0f} ({own.bias:+.0%}, 95 % {own.bias_low:+.0%} to {own.bias_high:+.0%})."
    ]
    beats, closer = True, []
    for name, row in table.drop(index=title).iterrows():
        gap = (ranks[title] - ranks[name]) @ actual / total
        _, low, high = _mean(actual * (ranks[title] - ranks[name] - gap) / (total / len(actual)))
        faults = []
        if row.excess_low > 0:
            closer.append(f"'{name}'")
        else:
            how = "is closer to each customer" if row.excess_high < 0 else "is as close to each customer"
            faults.append(f"{how} (RMSE {row.rmse:.3g} against {own.rmse:.3g})")
        if gap + low <= 0:
            how = "finds the best customers better" if gap + high < 0 else "finds the best customers as well"
            faults.append(
                f"{how} (its top fifth made {row.top_fifth:.0%} of the purchases, the model's {own.top_fifth:.0%})"
            )
        beats &= row.excess_low > 0 and gap + high >= 0
        off = own.bias_low > 0 or own.bias_high < 0
        if off and abs(row.bias) < abs(own.bias):
            faults.append(f"comes closer to the total ({row.bias:+.0%})")
        if faults:
            sentences.append(f"'{name}' {' and '.join(faults)}.")
    if closer:
        every = "every baseline: " if len(closer) == len(table) - 1 else ""
        sentences.insert(1, f"On the error a customer (RMSE {own.rmse:.3g}) it beats {every}{', '.join(closer)}.")
    else:
        sentences.insert(1, f"It beats no baseline on the error a customer (RMSE {own.rmse:.3g}).")
    if NOBODY in table.index and table.loc[NOBODY, "mae"] < 1.1 * own.mae:
        sentences.append(
            f"Mean absolute error flatters '{NOBODY}' ({table.loc[NOBODY, 'mae']:.3f} against {own.mae:.3f}), because "
            f"{(actual == 0).mean():.0%} bought nothing: judge by totals, squared error and ranking."
        )
    if RECENCY not in table.index:
        sentences.append(f"The calibration is too short to learn '{RECENCY}', so that baseline is missing.")
    return " ".join(sentences), bool(beats)


def tracking(
    model: PurchaseModel,
    transactions: "Transactions",
    *,
    calibration_until: object,
    until: object = None,
    step: "str | Horizon" = "1 week",
) -> pd.DataFrame:
    """Do the purchases of all customers together go on as the model says, week by week?

    Counts the repeat occasions of the customers won by `calibration_until`, from the first day of the data to `until`
    (the last day unless given), in steps of whole days; a last step that is not full is left out.

    Returns a DataFrame by `until` (the last day of each step): `actual` and `expected` (repeat purchases so far),
    `actual_in_step`, `expected_in_step`, `calibration` (whether the model knew the step).

    Raises InputError if `until` is not after `calibration_until` or beyond the data.

    >>> from crmkit import datasets, lifecycle
    >>> from crmkit.lifecycle.value import BetaGeometric
    >>> cdnow = datasets.load("cdnow").transactions
    >>> model = BetaGeometric().fit(lifecycle.summary(cdnow, as_of="1997-09-30", unit="weeks"))
    >>> tracking(model, cdnow, calibration_until="1997-09-30")[["actual", "expected"]].iloc[[0, 38, 77]].round()
                actual  expected
    until
    1997-01-07       0       3.0
    1997-09-30    2457    2494.0
    1998-06-30    4339    4161.0
    """
    if not isinstance(model, PurchaseModel):
        raise KindError(f"tracking needs a fitted purchase model, such as BetaGeometric, not {type(model).__name__}.")
    model._check_fitted()
    known, width = periods.day(calibration_until, "calibration_until"), round(Horizon.parse(step).days)
    end = transactions.last_day if until is None else periods.day(until, "until")
    if not known < end <= transactions.last_day or width < 1:
        raise InputError(
            f"tracking runs from the first day to until={end}, in steps of {width} days; until must lie after "
            f"calibration_until={known} and not after the last day of the data, {transactions.last_day}."
        )
    rows = transactions.table.filter(transactions.table.day <= end, transactions.table.amount >= 0)
    days = rows.select("customer_id", "day").distinct()
    customers = days.group_by("customer_id").aggregate(first=days.day.min())
    won = customers.filter(customers.first <= known)
    arrivals = _by_day(won.group_by(day=won.first).aggregate(n=won.count()))
    repeats = days.join(won, "customer_id")
    repeats = repeats.filter(repeats.day > repeats.first)
    purchases = _by_day(repeats.group_by("day").aggregate(n=repeats.count()))
    first = arrivals.index.min()
    ends = pd.date_range(first + pd.Timedelta(days=width - 1), pd.Timestamp(end), freq=f"{width}D", name="until")
    ages = np.arange((pd.Timestamp(end) - first).days + 1)
    ever = model._new(ages / DAYS[model.unit_])  # repeat purchases expected of a customer by age in days
    since = (ends.to_numpy()[:, None] - arrivals.index.to_numpy()[None, :]) // np.timedelta64(1, "D")
    expected = np.where(since > 0, ever[np.maximum(since, 0)], 0.0) @ arrivals.to_numpy()
    actual = purchases.cumsum().reindex(ends, method="ffill").fillna(0).astype(int).to_numpy()
    frame: Any = pd.DataFrame({"actual": actual, "expected": expected}, index=ends)
    frame["actual_in_step"] = np.diff(actual, prepend=0)
    frame["expected_in_step"] = np.diff(expected, prepend=0.0)
    frame["calibration"] = ends <= pd.Timestamp(known)
    frame.attrs = {"calibration_until": known.isoformat(), "step": str(Horizon.parse(step)), "model": model.TITLE}
    return frame


def _by_day(counted: Any) -> pd.Series:
    found = counted.order_by("day").to_pyarrow()
    return pd.Series(found["n"].to_numpy(), pd.DatetimeIndex(found["day"].to_numpy().astype("datetime64[ns]")))
