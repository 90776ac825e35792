"""How long do customers with a contract stay, and who leaves sooner? Kaplan and Meier's curve, Cox's model."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from crmkit import periods
from crmkit.errors import ColumnError, InputError, KindError, near_misses


def kaplan_meier(
    contracts: pd.DataFrame,
    *,
    started: str = "started_on",
    ended: str = "ended_on",
    by: str | None = None,
    as_of: object = None,
    observed_from: object = None,
    unit: str = "months",
    level: float = 0.95,
) -> pd.DataFrame:
    """Which share of the customers is still there after a given time, though most have not left yet?

    Whoever is still a customer counts for as long as we have seen him or her (right-censored), and not as somebody who
    stayed for ever or left today. The interval is Greenwood's on the log(−log) scale, which never leaves 0 … 1.

    Parameters
    ----------
    contracts : one row a contract with its days `started` and `ended` (missing: still running).
    by : a column; one curve for each of its values.
    as_of : the day up to which the ends are known; the frame's `attrs["as_of"]` unless given. Later starts are not
        looked at, later ends have not happened yet.
    observed_from : the day on which the record begins, if it holds only contracts that were still running then
        (left-truncated): an older contract counts from the age it had on that day, because those that ended
        earlier cannot be seen.
    unit : of `age`: "days", "weeks", "months" or "years".
    level : of the interval, 0.95 for 95 %.

    Returns
    -------
    DataFrame, one row an age at which somebody left, and one for the start and one for the end of the record:
    the column `by` if given, `age`, `at_risk` (customers seen until then), `left` (of them, at this age),
    `survival`, `low`, `high` (missing where nobody is left, because the formula has no answer).
    attrs: `as_of`, `unit`, `level`, `by`.

    Raises
    ------
    ColumnError for a missing column; InputError for a missing start, an end before its start, no contract at all,
    a missing group, or contracts that ended before `observed_from`.

    Source: Kaplan & Meier (1958), Journal of the American Statistical Association 53; computed by statsmodels.

    >>> boxes = pd.DataFrame({"started_on": ["2026-01-01"] * 4, "ended_on": ["2026-01-11", None, "2026-01-31", None]})
    >>> kaplan_meier(boxes, as_of="2026-02-10", unit="days")[["age", "at_risk", "left", "survival"]]
        age  at_risk  left  survival
    0   0.0        4     0      1.00
    1  10.0        4     1      0.75
    2  30.0        3     1      0.50
    3  40.0        2     0      0.50
    """
    spells = _spells(contracts, started, ended, as_of, observed_from, unit)
    if by is None:
        table = _curve(spells, level)
    else:
        groups = _column(contracts, by, "by").reindex(spells.index)
        _refuse(groups.isna(), f"column {by!r} is missing for", "contract", "fill it, or leave them out.")
        curves = {group: _curve(spells[groups == group], level) for group in sorted(groups.unique(), key=str)}
        table = pd.concat(curves, names=[by, None]).reset_index(level=0).reset_index(drop=True)
    table.attrs = {**spells.attrs, "level": level, "by": by}
    return table


def cox(
    contracts: pd.DataFrame,
    factors: Sequence[str],
    *,
    started: str = "started_on",
    ended: str = "ended_on",
    as_of: object = None,
    observed_from: object = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Who leaves sooner, everything else in the table being equal?

    Cox's model compares, day by day, who left with everybody who could have left that day. It describes
    differences; only an experiment says what a change would do. It assumes that a factor multiplies the rate
    of leaving by the same number at every age: a small `proportional_p` speaks against that.

    Parameters
    ----------
    contracts, started, ended, as_of, observed_from, level : as in `kaplan_meier`.
    factors : columns known when the contract started. A number counts per unit; the values of a text are compared
        with the most frequent one.

    Returns
    -------
    DataFrame, one row a number or a value of a text: `factor`, `hazard_ratio` (1.2: leaves at 1.2 times the rate), `low`,
    `high`, `p_value`, `proportional_p` (of the correlation of Schoenfeld's residuals with the rank of time), `meaning`
    (in words). attrs: `as_of`, `customers`, `left`, `level`.

    Raises
    ------
    As `kaplan_meier`; InputError also for a factor with missing values, with one value only, with a value of
    which nobody left, that follows from the other factors, or that orders the leavers without an exception.

    Source: Cox (1972), Journal of the Royal Statistical Society B 34; Efron's method for ties; computed by statsmodels.

    >>> boxes = pd.DataFrame({
    ...     "started_on": "2026-01-01", "price": [10, 20, 10, 20, 20, 10, 10, 20],
    ...     "ended_on": ["2026-03-01", "2026-01-20", "2026-02-20", "2026-02-10", "2026-03-15", None, None, None],
    ... })
    >>> cox(boxes, ["price"], as_of="2026-04-01")[["factor", "hazard_ratio", "meaning"]].round(2).values.tolist()
    [['price', 1.07, 'one more of price: no difference can be told (between 11 % fewer and 28 % more leave at any time)']]
    """
    from scipy import stats
    from statsmodels.duration.hazard_regression import PHReg

    if isinstance(factors, str):
        raise KindError(f"factors must be a list of columns, such as [{factors!r}], not a text.")
    spells = _spells(contracts, started, ended, as_of, observed_from, "days")
    design, words = _design(contracts, list(factors), spells)
    scale = design.std(axis=0)
    entry = spells["entry"].clip(lower=0)
    model = PHReg(spells["age"], design / scale, status=spells["left"].astype(int), entry=entry, ties="efron")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it would warn of is refused in our own words below
        fit = model.fit(disp=False)
    z = stats.norm.ppf((1 + level) / 2)
    beta, error = fit.params / scale.to_numpy(), fit.bse / scale.to_numpy()
    if not np.isfinite(error).all() or (error * scale.to_numpy() > 50).any():
        raise InputError(
            f"the factors {list(factors)} order the leavers without an exception, so there is no finite ratio; take "
            "fewer factors, or look whether one of them was written down after people left."
        )
    low, ratio, high = (np.exp(beta + side * z * error) for side in (-1, 0, 1))
    residuals = fit.schoenfeld_residuals
    seen = ~np.isnan(residuals).any(axis=1)
    time = stats.rankdata(spells["age"].to_numpy()[seen])
    steady = [stats.pearsonr(time, column).pvalue if seen.sum() > 2 else np.nan for column in residuals[seen].T]
    table = pd.DataFrame(
        {
            "factor": list(design.columns),
            "hazard_ratio": ratio,
            "low": low,
            "high": high,
            "p_value": fit.pvalues,
            "proportional_p": steady,
            "meaning": [f"{word}: {_told(*triple)}" for word, *triple in zip(words, ratio, low, high, strict=True)],
        }
    )
    table.attrs = {
        "as_of": spells.attrs["as_of"],
        "customers": len(spells),
        "left": int(spells["left"].sum()),
        "level": level,
    }
    return table


def contract_days(
    contracts: pd.DataFrame, started: str, ended: str, as_of: object
) -> tuple[pd.Series, pd.Series, pd.Timestamp]:
    """Start and end of each contract that had started by `as_of`; an end after that day has not happened yet."""
    day = pd.Timestamp(periods.as_of(contracts, as_of))
    start, end = (_days(contracts, name, role) for name, role in ((started, "started"), (ended, "ended")))
    _refuse(start.isna(), f"column {started!r} is missing for", "contract", "a contract needs the day it began.")
    late = end < start
    _refuse(late, f"{ended!r} is before {started!r} for", "contract", "correct the days, or swap started= and ended=.")
    start = start[start <= day]
    if start.empty:
        raise InputError(f"no contract had started by as_of={day.date()}; use a later day or another table.")
    return start, end.reindex(start.index).where(lambda known: known <= day), day


def _spells(
    contracts: pd.DataFrame, started: str, ended: str, as_of: object, observed_from: object, unit: str
) -> pd.DataFrame:
    """For each contract the age at which we last saw it, whether it ended then, and the age from which we see it."""
    unit = periods.unit(unit)
    start, end, day = contract_days(contracts, started, ended, as_of)
    entry = pd.Series(-1.0, start.index)  # -1: seen from the first day on, also by whom leaves on that day
    if observed_from is not None:
        since = pd.Timestamp(periods.day(observed_from, "observed_from"))
        if since >= day:
            raise InputError(f"observed_from={since.date()} is not before as_of={day.date()}: nothing was observed.")
        _refuse(end <= since, f"before observed_from={since.date()} had ended", "contract", "the record is older.")
        entry = ((since - start).dt.days / periods.DAYS[unit]).where(start < since, -1.0)
    spells = pd.DataFrame(
        {"age": (end.fillna(day) - start).dt.days / periods.DAYS[unit], "left": end.notna(), "entry": entry}
    )
    spells.attrs = {"as_of": day.date().isoformat(), "unit": unit}
    return spells


def _curve(spells: pd.DataFrame, level: float) -> pd.DataFrame:
    from scipy.stats import norm
    from statsmodels.duration.survfunc import SurvfuncRight

    age, entry = spells["age"].to_numpy(), spells["entry"].to_numpy()
    rows = [(0.0, int((entry < 0).sum()), 0, 1.0, 1.0, 1.0)]
    if spells["left"].any():
        found = SurvfuncRight(age, spells["left"].astype(int), entry=entry)
        survival, error = found.surv_prob.round(12), found.surv_prob_se  # 2 of 4 are a half, not a hair more
        with np.errstate(all="ignore"):  # log of 0 where nobody is left
            spread = norm.ppf((1 + level) / 2) * error / (survival * np.log(survival))
            low, high = (np.where(survival < 1, survival ** np.exp(side * spread), 1.0) for side in (-1, 1))
        risk, left = found.n_risk.astype(int), found.n_events.astype(int)
        rows += zip(found.surv_times, risk, left, survival, low, high, strict=True)
    if age.max() > rows[-1][0]:
        rows.append((age.max(), int((age == age.max()).sum()), 0, *rows[-1][3:]))
    return pd.DataFrame(rows, columns=["age", "at_risk", "left", "survival", "low", "high"])


def _design(contracts: pd.DataFrame, factors: list[str], spells: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """One column a number or a value of a text, and in words what a step in it means."""
    left, columns, words = spells["left"], {}, []
    if not factors:
        raise InputError("factors is empty; name at least one column that was known when the contract started.")
    if left.sum() == 0:
        raise InputError(f"0 of {len(left):,} contracts ended: nothing can be learned about who leaves sooner.")
    for name in factors:
        values = _column(contracts, name, "factors").reindex(left.index)
        _refuse(values.isna(), f"factor {name!r} is missing for", "contract", "fill it, or leave them out.")
        counts = values.value_counts()
        if len(counts) < 2:
            raise InputError(
                f"factor {name!r} has one value, {counts.index.tolist()[0]!r}, in all {len(values):,} contracts."
            )
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            columns[name] = values.astype(float)
            words.append(f"one more of {name}")
            continue
        usual, *others = sorted(counts.index, key=lambda value: (-counts[value], str(value)))
        for value in (usual, *others):
            if left[values == value].sum() == 0:
                raise InputError(
                    f"factor {name!r}: none of the {counts[value]:,} contracts with {value!r} ended, so no rate can "
                    "be compared; join it with another value, or leave the factor out."
                )
        columns |= {f"{name}: {value}": (values == value).astype(float) for value in others}
        words += [f"{name} {value} instead of {usual}" for value in others]
    design = pd.DataFrame(columns)
    if np.linalg.matrix_rank((design - design.mean()) / design.std()) < design.shape[1]:
        raise InputError(f"the factors {factors} follow from one another (one adds nothing); leave one out.")
    return design, words


def _told(ratio: float, low: float, high: float) -> str:
    if low <= 1 <= high:
        return f"no difference can be told (between {_change(low)} and {_change(high)} leave at any time)"
    return f"{_change(ratio)} leave at any time ({_change(low)} to {_change(high)})"


def _change(ratio: float) -> str:
    if ratio >= 2:
        return f"{ratio:.3g} times as many"
    return f"{abs(ratio - 1) * 100:.0f} % {'more' if ratio >= 1 else 'fewer'}"


def _column(contracts: pd.DataFrame, name: str, role: str) -> pd.Series:
    if not isinstance(contracts, pd.DataFrame):
        raise KindError(f"contracts must be a DataFrame with one row a contract, not {type(contracts).__name__}.")
    if name not in contracts.columns:
        raise ColumnError(f"{role}={name!r} is not a column of contracts.{near_misses(name, contracts.columns)}")
    return contracts[name]


def _days(contracts: pd.DataFrame, name: str, role: str) -> pd.Series:
    values = _column(contracts, name, role)
    days = pd.to_datetime(values, errors="coerce", format="ISO8601" if values.dtype in (object, "str") else None)
    _refuse(days.isna() & values.notna(), f"column {name!r} holds no day for", "contract", "write year-month-day.")
    return days.dt.tz_localize(None).dt.normalize()


def _refuse(bad: Any, what: str, thing: str, do: str) -> None:
    """Raise with the count and the first rows if any row is bad."""
    count = int(bad.sum())
    if count:
        rows = ", ".join(map(repr, bad.index[bad.to_numpy()][:3].tolist()))
        raise InputError(f"{what} {count:,} of {len(bad):,} {thing}s (row {rows}{' …' if count > 3 else ''}); {do}")
