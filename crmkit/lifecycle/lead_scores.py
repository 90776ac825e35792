"""Lead scores: who will probably buy? By a table of points that people wrote, and by a model that learned from the past."""

import warnings
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from crmkit import periods
from crmkit.errors import InputError, KindError, near_misses
from crmkit.lifecycle.acquisition import days
from crmkit.tables.frames import complete, needs

__all__ = ["WEB_SHOP", "LeadModel", "Points", "outcome", "points"]


class Points(NamedTuple):
    """One row of a table of points: who has this trait gets them. Give `equals`, or `at_least` and / or `below`."""

    trait: str
    points: float
    equals: str | None = None
    at_least: float | None = None
    below: float | None = None
    why: str = ""


#: Points as a sales manager might write them on one page. No source gives such points: change them and see what moves.
WEB_SHOP = (
    Points("source", 20, equals="referral", why="a friend spoke for us"),
    Points("source", 10, equals="search", why="was looking for something"),
    Points("source", 10, equals="email", why="knows us"),
    Points("pages", 10, at_least=5, why="looked around"),
    Points("minutes", 10, at_least=5, why="took time"),
    Points("return_visits", 15, at_least=1, why="came back within a week"),
    Points("return_visits", 15, at_least=3, why="came back again and again"),
    Points("favourites", 15, at_least=1, why="chose something"),
    Points("newsletter", 10, equals="yes", why="wants to hear from us"),
)
#: From how many points on a lead has which grade.
GRADES = {"A": 60, "B": 40, "C": 20, "D": 0}


def outcome(leads: pd.DataFrame, *, within: str = "60 days", as_of: object = None) -> "pd.Series[Any]":
    """Which leads became customers in time, which did not, and of which nobody can know yet?

    Parameters
        leads: `created_on` and `converted_on` (missing if not converted).
        within: the time that a lead has. as_of: the last day the data know; else the attrs of `leads`.
    Returns: a nullable yes/no Series `converted`, index of `leads`. A lead whose time is not over is missing, also if it
        has bought already: the quick ones alone would make the latest leads look good.
    Raises: ColumnError; InputError for missing days of creation and for conversions before it.

    >>> leads = pd.DataFrame({"created_on": ["2025-01-01", "2025-01-01", "2025-03-20"],
    ...                       "converted_on": ["2025-01-31", "2025-05-01", "2025-03-21"]})
    >>> outcome(leads, as_of="2025-04-30").tolist()
    [True, False, <NA>]
    """
    needs(leads, ["created_on", "converted_on"], "leads")
    created, converted = days(leads, "created_on", "leads"), days(leads, "converted_on", "leads")
    complete(leads, ["created_on"], "leads")
    if (early := converted < created).any():
        raise InputError(
            f"leads: {early.sum():,} converted before they were created, such as row {early.idxmax()!r} "
            f"({converted[early.idxmax()].date()} before {created[early.idxmax()].date()}); correct or leave them out."
        )
    limit = created + pd.Timedelta(days=int(periods.Horizon.parse(within).days))
    known = limit <= pd.Timestamp(periods.as_of(leads, as_of))
    return (converted <= limit).astype("boolean").where(known).rename("converted")


def points(
    leads: pd.DataFrame, table: "Iterable[Points] | pd.DataFrame" = WEB_SHOP, *, grades: Mapping[str, float] = GRADES
) -> pd.DataFrame:
    """How many points has each lead, for which traits, and which grade is that?

    Parameters
        leads: one row a lead, with the columns that the table names.
        table: rows of `Points`, or a DataFrame with the columns `trait`, `points`, and `equals`, `at_least`, `below`, `why` where
            needed. Points of all rows that fit add up; texts are compared without regard to case and spaces.
        grades: from how many points on which grade is given; the last one takes the rest.
    Returns: indexed like `leads`: `points`, `grade` (ordered categorical, best first), `why` (in words). A missing trait
        fits no row. attrs: `missing` (leads with a missing trait, by column), `unused` (rows of the table that fit nobody).
    Raises: ColumnError for an unknown trait; InputError for a row without condition or points; KindError for a limit on text.

    >>> leads = pd.DataFrame({"source": ["referral", "social"], "pages": [7, 2]}, index=["L1", "L2"])
    >>> table = [Points("source", 20, equals="referral", why="friend"), Points("pages", 10, at_least=5, why="reads")]
    >>> points(leads, table, grades={"hot": 30, "cold": 0})
        points grade            why
    L1    30.0   hot  friend, reads
    L2     0.0  cold
    """
    needs(leads, [], "leads")
    rows = _point_rows(table)
    total, why, unused = np.zeros(len(leads)), [[] for _ in range(len(leads))], []
    for row in rows:
        needs(leads, [row.trait], "leads")
        fits = _fits(leads[row.trait], row)
        total += np.where(fits, row.points, 0.0)
        said = row.why or row.trait
        for place in np.flatnonzero(fits):
            why[place].append(said)
        if not fits.any():
            unused.append(f"{row.trait}: {said}")
    names, limits = list(grades), list(grades.values())
    if sorted(limits, reverse=True) != limits or len(set(limits)) != len(limits) or not names:
        raise InputError(f"grades={dict(grades)!r} must go from the most points to the fewest, each once.")
    place = np.minimum((total[:, None] < np.array(limits)).sum(axis=1), len(names) - 1)
    result = pd.DataFrame(
        {
            "points": total,
            "grade": pd.Categorical.from_codes(place, names, ordered=True),
            "why": [", ".join(each) for each in why],
        },
        index=leads.index,
    )
    traits = dict.fromkeys(row.trait for row in rows)
    result.attrs = {
        "missing": {name: int(leads[name].isna().sum()) for name in traits if leads[name].isna().any()},
        "unused": unused,
    }
    return result


def _point_rows(table: Any) -> list[Points]:
    if isinstance(table, pd.DataFrame):
        needs(table, ["trait", "points"], "table")
        known = [name for name in Points._fields if name in table.columns]
        records = table[known].astype(object).where(table[known].notna(), None).to_dict("records")
        table = [Points(**{**record, "why": record.get("why") or ""}) for record in records]
    rows = list(table)
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, Points):
            raise KindError(f"row {number} of the points must be Points(trait, points, …), not {row!r}.")
        if row.points is None or not np.isfinite(row.points):
            raise InputError(f"row {number} of the points ({row.trait}) has no number of points.")
        if (row.equals is None) == (row.at_least is None and row.below is None):
            raise InputError(
                f"row {number} of the points ({row.trait}): give either equals, or at_least and / or below."
            )
    if not rows:
        raise InputError("the table of points has 0 rows.")
    return rows


def _fits(values: "pd.Series[Any]", row: Points) -> np.ndarray:
    if row.equals is not None:
        wanted = str(row.equals).strip().casefold()
        return (_texts(values).str.strip().str.casefold() == wanted).to_numpy() & values.notna().to_numpy()
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        raise KindError(f"leads: column {row.trait!r} holds no numbers, so at_least and below do not fit; use equals.")
    low, high = (-np.inf if row.at_least is None else row.at_least), (np.inf if row.below is None else row.below)
    return values.ge(low).fillna(False).to_numpy(dtype=bool) & values.lt(high).fillna(False).to_numpy(dtype=bool)


class LeadModel:
    """A logistic regression on the traits of past leads whose outcome is known.

    The **odds ratio** of a trait says by which factor the odds of buying go with one unit more of it (or with this value
    instead of `compared_with`), the other traits being equal. It describes; it does not say that *making* a lead look at
    more pages would sell more.

    Parameters
        traits: columns to learn from, numbers or texts. Only what is known on the day of scoring belongs here.

    Learned
        weights_: one row a trait or value: `trait`, `value`, `compared_with`, `odds_ratio`, `low`, `high`.
        level_: of the intervals. leads_, yes_: how many it learned from.

    >>> rng = np.random.default_rng(1)
    >>> leads = pd.DataFrame({"pages": rng.poisson(5, 4000)})
    >>> bought = rng.random(4000) < 1 / (1 + np.exp(4 - 0.4 * leads["pages"]))
    >>> model = LeadModel(["pages"]).fit(leads, bought)
    >>> bool(abs(np.log(model.weights_["odds_ratio"].iloc[0]) - 0.4) < 0.05)
    True
    """

    def __init__(self, traits: Iterable[str]):
        self.traits = [traits] if isinstance(traits, str) else list(traits)
        if not self.traits:
            raise InputError("traits names no column to learn from.")

    def fit(self, leads: pd.DataFrame, converted: Any, *, level: float = 0.95) -> "LeadModel":
        """Learn from leads whose outcome is known (`outcome(leads, …).dropna()`, aligned by index).

        Raises: ColumnError, InputError: missing traits or outcomes, all outcomes alike, a trait that separates yes from no or
            says what another says already.
        """
        import statsmodels.api as sm

        needs(leads, self.traits, "leads")
        if isinstance(converted, pd.Series) and not converted.index.equals(leads.index):
            raise InputError("leads and converted have different indexes; take the same rows of both with .loc.")
        answer = pd.Series(converted).reset_index(drop=True)
        if len(answer) != len(leads) or answer.isna().any():
            raise InputError(
                f"converted must say yes or no for each of the {len(leads):,} leads; it has {len(answer):,} values, "
                f"{answer.isna().sum():,} of them missing. Leave out leads whose time is not over."
            )
        answer = answer.to_numpy(dtype=float)
        if len(answer) == 0 or answer.min() == answer.max():
            raise InputError(f"all {len(answer):,} outcomes are alike: there is nothing to learn.")
        self._values = {
            name: list(
                _texts(leads[name]).value_counts().sort_index().sort_values(ascending=False, kind="stable").index
            )
            for name in self.traits
            if not _numeric(leads[name])
        }
        names, design = self._design(leads)
        alone = [name for name, values in self._values.items() if len(values) == 1]
        if alone or np.linalg.matrix_rank(design) < len(names):
            raise InputError(
                f"the traits {', '.join(self.traits)} say the same thing twice, or one has a single value; leave one out."
            )
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what they would say is said below
                fitted = sm.Logit(answer, design).fit(disp=0, maxiter=100, warn_convergence=False)
            spread = np.where(design.std(axis=0) > 0, design.std(axis=0), 1)
            found = fitted.mle_retvals["converged"] and np.abs(fitted.params * spread).max() < 15
        except (sm.tools.sm_exceptions.PerfectSeparationError, np.linalg.LinAlgError):
            found = False
        if not found:
            raise InputError(
                "the model has no finite answer: some trait separates those who bought from those who did not (a value with "
                "only yes or only no). Look at a table of outcome by trait, and join rare values or leave the trait out."
            )
        self._params, self.level_, self.leads_, self.yes_ = fitted.params, level, len(answer), int(answer.sum())
        self.weights_ = pd.DataFrame(names[1:], columns=["trait", "value"])
        self.weights_["compared_with"] = [self._values.get(name, [""])[0] for name in self.weights_["trait"]]
        self.weights_["odds_ratio"] = np.exp(fitted.params[1:])
        self.weights_[["low", "high"]] = np.exp(fitted.conf_int(alpha=1 - level)[1:])
        return self

    def probability(self, leads: pd.DataFrame) -> "pd.Series[float]":
        """For each lead the probability to become a customer, indexed like `leads`.

        Raises: InputError before `fit`, for missing traits, and for values that the model has never seen.
        """
        if not hasattr(self, "_params"):
            raise InputError("the model has learned nothing yet; call .fit(leads, converted) first.")
        needs(leads, self.traits, "leads")
        odds = self._design(leads)[1] @ self._params
        return pd.Series(1 / (1 + np.exp(-odds)), index=leads.index, name="probability")

    def _design(self, leads: pd.DataFrame) -> tuple[list[tuple[str, str]], np.ndarray]:
        """Trait and value of each column, and the columns."""
        columns = {("", "all"): np.ones(len(leads))}
        for name in self.traits:
            complete(leads, [name], "leads")
            values = leads[name]
            if name not in self._values:
                if not _numeric(values):
                    raise KindError(f"leads: {name!r} held numbers when the model learned and does not now.")
                columns[name, "one more"] = values.to_numpy(dtype=float)
                continue
            texts, known = _texts(values), self._values[name]
            new = sorted(set(texts) - set(known))
            if new:
                raise InputError(
                    f"leads: {name!r} has the value {new[0]!r} in {(texts == new[0]).sum():,} rows, which the model has never "
                    f"seen; it knows {', '.join(known)}." + near_misses(new[0], known)
                )
            columns |= {(name, value): (texts == value).to_numpy(dtype=float) for value in known[1:]}
        return list(columns), np.column_stack(list(columns.values()))


def _numeric(values: "pd.Series[Any]") -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _texts(values: "pd.Series[Any]") -> "pd.Series[str]":
    """Values as texts; True and False as yes and no, which is how people write rules."""
    return (
        values.map({True: "yes", False: "no"}).astype(str) if pd.api.types.is_bool_dtype(values) else values.astype(str)
    )
