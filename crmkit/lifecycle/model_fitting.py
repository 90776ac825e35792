"""What the value models share: histories that are checked, the search for parameters, and doubts in words."""

import math
import warnings
from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np
import pandas as pd

from crmkit import periods
from crmkit.errors import InputError, ModelWarning
from crmkit.tables.frames import needs

Score = Callable[[np.ndarray], tuple[float, np.ndarray]]

#: Below so many repeat buyers four parameters are a guess, and the fit is refused; below the second it is doubted.
FEWEST_REPEATERS, FEW_REPEATERS = 10, 100
#: Long columns are worked through in blocks: they stay in the cache, and numpy hands products of more than 10,000 numbers
#: to several threads, which cost more than they give.
BLOCK = 8_192
#: Parameters are searched between exp(-10) and exp(10), time and money being scaled to a mean of 1.
EDGE = 10.0


class ValueModel:
    """A model that was fitted: its parameters, how sure they are, and what is doubtful about them."""

    TITLE: str
    PARAMETERS: tuple[str, ...]

    parameters_: pd.Series
    standard_errors_: pd.Series
    intervals_: pd.DataFrame
    log_likelihood_: float
    customers_: int
    notes_: list[str]

    def _learn(self, score: Score, start: Iterable[float], scale: Iterable[float], constant: float = 0.0) -> None:
        """Find the parameters that make the data most likely; `score` gives log-likelihood and slope in log space.

        `scale` turns the parameters back into the units of the data, `constant` the log-likelihood.
        """
        theta, value, curvature = _climb(score, np.log(np.asarray([*start], dtype=float)), self.customers_)
        fitted, names = np.exp(theta) * np.asarray([*scale]), pd.Index(self.PARAMETERS, name="parameter")
        self.parameters_ = pd.Series(fitted, names, name="value")
        for name, parameter in self.parameters_.items():
            setattr(self, f"{name}_", float(parameter))
        # along a direction in which the likelihood is flat, the error becomes as large as a factor of exp(100)
        heights, directions = np.linalg.eigh(curvature)
        self._log_errors = np.sqrt(directions**2 @ (1 / np.maximum(heights, 1e-4)))
        # a standard error on the log scale keeps the limits of an interval above zero
        wide = 1.96 * self._log_errors
        self.standard_errors_ = pd.Series(fitted * self._log_errors, names, name="standard_error")
        self.intervals_ = pd.DataFrame({"low": fitted * np.exp(-wide), "high": fitted * np.exp(wide)}, index=names)
        self.log_likelihood_ = float(value + constant)

    def _undetermined(self, *names: str) -> bool:
        """Whether one of these parameters may as well be e times larger or smaller: the data do not pin it down."""
        places = [self.PARAMETERS.index(name) for name in names]
        return bool((self._log_errors[places] > 1).any())

    def _doubt(self, notes: Iterable[str]) -> Self:
        self.notes_ = [note for note in notes if note]
        for note in self.notes_:
            warnings.warn(f"{self.TITLE}: {note}", ModelWarning, stacklevel=3)
        return self

    def _check_fitted(self) -> None:
        if not hasattr(self, "parameters_"):
            raise InputError(f"{self.TITLE} knows no parameters yet; call fit(...) first.")

    def __repr__(self) -> str:
        if not hasattr(self, "parameters_"):
            return f"<{self.TITLE}, not fitted>"
        values = ", ".join(f"{name} {value:.4g}" for name, value in self.parameters_.items())
        lines = [f"{self.TITLE} of {self._about()}: {values}; log-likelihood {self.log_likelihood_:,.1f}"]
        return "\n  ".join(lines + self.notes_)

    def _about(self) -> str:
        return f"{self.customers_:,} customers"


def _climb(score: Score, start: np.ndarray, customers: float) -> tuple[np.ndarray, float, np.ndarray]:
    """The top of a log-likelihood: parameters (log), its height, and its curvature there (negative Hessian)."""
    from scipy.optimize import minimize

    def minus(theta: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = score(theta)
        return -value / customers, -slope / customers

    options = {"maxiter": 1000, "maxfun": 2000, "ftol": 1e-12, "gtol": 1e-7}
    found = minimize(minus, start, jac=True, method="L-BFGS-B", bounds=[(-EDGE, EDGE)] * len(start), options=options)
    theta, step = found.x, 1e-4
    if not np.isfinite(found.fun):
        raise InputError("the likelihood has no finite value for these data; look for extreme values of x, t_x and T.")
    curvature = np.empty((len(theta), len(theta)))
    for place, direction in enumerate(np.eye(len(theta)) * step):  # of the slope, which is exact
        curvature[place] = (score(theta - direction)[1] - score(theta + direction)[1]) / (2 * step)
    curvature = (curvature + curvature.T) / 2
    value, slope = score(theta)
    for _ in range(5):  # Newton's last steps: the search above stops when the height hardly changes
        if np.linalg.eigvalsh(curvature)[0] <= 0:
            break
        move = np.linalg.solve(curvature, slope)
        higher, next_slope = score(theta + move) if np.abs(theta + move).max() < EDGE else (-np.inf, slope)
        if not higher >= value:
            break
        theta, value, slope = theta + move, higher, next_slope
        if np.abs(move).max() < 1e-10:
            break
    return theta, value, curvature


def numbers(frame: pd.DataFrame, *names: str) -> list[np.ndarray]:
    """These columns as float arrays; every one must be there."""
    needs(frame, names, "the summary (see lifecycle.summary)")
    if not len(frame):
        raise InputError("the summary has no row: there is no customer to say anything about.")
    return [_as_float(frame[name]) for name in names]


def _as_float(column: pd.Series) -> np.ndarray:
    try:
        return column.to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        odd = column[pd.to_numeric(column, errors="coerce").isna() & column.notna()]
        shown = f", such as {odd.iloc[0]!r}" if len(odd) else ""
        raise InputError(
            f"column {column.name!r} must hold numbers; {len(odd):,} of {len(column):,} values are none{shown}."
        ) from None


def refuse(bad: np.ndarray, frame: pd.DataFrame, columns: Iterable[str], why: str, instead: str) -> None:
    """Raise for rows that cannot be: how many, the first of them, what to do."""
    if bad.any():
        place = int(np.argmax(bad))
        shown = ", ".join(f"{name} {frame[name].iloc[place]}" for name in columns if name in frame.columns)
        raise InputError(
            f"{why} for {int(bad.sum()):,} of {len(frame):,} customers, the first of them "
            f"{frame.index[place]!r} ({shown}); {instead}"
        )


def histories(frame: pd.DataFrame, unit: str | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray, str]:
    """x, t_x, T of each customer and their unit, as they can be: whole, not negative, t_x up to T, 0 where x is 0."""
    x, t_x, age = numbers(frame, "x", "t_x", "T")
    for name, column in (("x", x), ("t_x", t_x), ("T", age)):
        refuse(~np.isfinite(column), frame, [name], f"{name} is missing or infinite", "leave them out or mend them.")
        refuse(column < 0, frame, [name], f"{name} is negative", "it counts from the first purchase on.")
    refuse(x != np.floor(x), frame, ["x"], "x is not a whole number", "it counts repeat purchase occasions.")
    late = t_x > age * (1 + 1e-12)
    refuse(late, frame, ["t_x", "T"], "t_x is larger than T", "the last purchase lies after as_of: check both dates.")
    never = (x == 0) & (t_x > 0)
    instead = "t_x is the age at the last repeat purchase; it is not the days since the last order."
    refuse(never, frame, ["x", "t_x"], "x is 0 but t_x is not", instead)
    carried = frame.attrs.get("unit")
    if unit is None and carried is None:
        raise InputError(
            "the summary does not say in which unit t_x and T are (pandas drops that note in merge, join and concat); "
            "pass unit='weeks' with the right unit."
        )
    named = periods.unit(unit if unit is not None else carried)
    if carried is not None and periods.unit(carried) != named:
        raise InputError(f"unit={unit!r}, but the summary says that its ages are in {carried}; leave unit away.")
    return x, t_x, age, named


def weights_of(frame: pd.DataFrame, weights: Any) -> np.ndarray:
    """How many customers each row stands for: 1, a column, or one number a row."""
    if weights is None:
        return np.ones(len(frame))
    if isinstance(weights, str):
        (found,) = numbers(frame, weights)
    else:
        found = np.asarray(weights.reindex(frame.index) if isinstance(weights, pd.Series) else weights, dtype=float)
    if found.shape != (len(frame),):
        raise InputError(f"weights has {found.size:,} values for {len(frame):,} rows; give one number a row.")
    bad = ~np.isfinite(found) | (found < 0)
    if bad.any() or not found.sum() > 0:
        shown = found[bad][:3].tolist()
        raise InputError(f"weights must be numbers of customers, 0 or more; {int(bad.sum()):,} are not: {shown}.")
    return found


def distinct(*columns: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """The different rows of these columns, and for each row its place among them: customers of a day share a history."""
    coded = [pd.factorize(column) for column in columns]
    if math.prod(len(values) for _, values in coded) >= 2**62:  # the key below would not fit into an integer
        rows, place = np.unique(np.column_stack(columns), axis=0, return_inverse=True)
        return [*rows.T], place.ravel()
    key = np.zeros(len(columns[0]), dtype=np.int64)
    for codes, values in coded:
        key = key * len(values) + codes
    place, keys = pd.factorize(key)
    rows = []
    for _, values in reversed(coded):
        keys, codes = np.divmod(keys, len(values))
        rows.insert(0, values[codes])
    return rows, place


def doubts_about_histories(
    frame: pd.DataFrame, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, unit: str
) -> list[str]:
    """What a careful person would say about the table before believing a model of it."""
    again = x > 0
    repeaters, notes = int(again.sum()), []
    if repeaters < FEW_REPEATERS:
        notes.append(
            f"only {repeaters:,} customers bought more than once; the parameters are rough (see intervals_). "
            "Wait, or take a longer period."
        )
    fresh = int((age == 0).sum())
    if fresh > 0.2 * len(x):
        notes.append(f"{fresh:,} of {len(x):,} customers came on the last day (T = 0) and tell nothing yet.")
    same = int((again & (t_x == 0)).sum())
    if same > 0.05 * repeaters:
        notes.append(
            f"{same:,} of {repeaters:,} repeat buyers have t_x = 0: ages in whole {unit} are too coarse and move the "
            'parameters. Take a smaller unit, or ages="fractional".'
        )
    years = age.max() * periods.DAYS[unit] / periods.DAYS["years"]
    if years > 50:
        notes.append(f"the oldest customer is {years:,.0f} years old if T is in {unit}: is the unit right?")
    top, usual = x.max(), np.quantile(x[again], 0.99)
    if top > 20 and top > 5 * usual:
        notes.append(
            f"customer {frame.index[int(np.argmax(x))]!r} bought {top:,.0f} times again, 99 % of the repeat buyers at "
            f"most {usual:,.0f} times: a reseller, a shop's own account? Fit without it and compare."
        )
    return notes
