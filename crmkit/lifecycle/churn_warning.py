"""Warnings before customers leave, by rule and by model."""

import math
import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from crmkit import periods
from crmkit.errors import ColumnError, InputError, near_misses
from crmkit.lifecycle.churn_features import FeatureSet
from crmkit.tables.frames import needs

SIGNS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
#: Columns of an examples table that are not features.
ABOUT = ("as_of", "left", "left_on", "known_on")


def warn_by_rule(
    features: pd.DataFrame, rules: "pd.DataFrame | Iterable[Mapping[str, Any]]", *, at_least: int = 1
) -> pd.DataFrame:
    """Whom do these rules warn about, and why?

    Parameters
        features: one row a customer (`FeatureSet.frame`, `watch`, `rhythm`).
        rules: a table (or a list of dicts) with `feature` (a column), `sign` (>, >=, <, <=), `threshold` (a number) and
            `because` (words for whoever makes the call). Thresholds are data: they can be read, changed and dated.
        at_least: how many of the rules must be met.
    Returns: one row a customer: `warned` (bool), `rules_met`, `because`. A missing value meets no rule.
    Raises: ColumnError, InputError for signs and thresholds that are none.

    >>> seen = pd.DataFrame({"times_late": [3.2, 0.4], "complaints": [0, 1]}, index=["ann", "bob"])
    >>> warn_by_rule(seen, [{"feature": "times_late", "sign": ">", "threshold": 2, "because": "late against own rhythm"}])
         warned  rules_met                  because
    ann    True          1  late against own rhythm
    bob   False          0
    """
    table = rules if isinstance(rules, pd.DataFrame) else pd.DataFrame(list(rules))
    if table.empty or not {"feature", "sign", "threshold", "because"} <= {*table.columns}:
        raise InputError("rules need the columns feature, sign, threshold, because, and at least one row.")
    met = {}
    for place, rule in enumerate(table.to_dict("records")):
        name, sign, threshold = rule["feature"], rule["sign"], rule["threshold"]
        if name not in features:
            raise ColumnError(f"rule {place + 1}: there is no feature {name!r}.{near_misses(name, features.columns)}")
        if sign not in SIGNS:
            raise InputError(f"rule {place + 1}: sign={sign!r} must be one of {' '.join(SIGNS)}.")
        if not isinstance(threshold, (int, float, np.number)) or not math.isfinite(threshold):
            raise InputError(f"rule {place + 1}: threshold={threshold!r} must be a number.")
        met[place] = SIGNS[sign](pd.to_numeric(features[name]), threshold).fillna(False).astype(bool)
    hits = pd.DataFrame(met)
    said = table["because"].astype(str).to_numpy()
    because = [", ".join(said[row]) for row in hits.to_numpy()]
    count = hits.sum(axis=1).astype(int)
    return pd.DataFrame({"warned": count >= at_least, "rules_met": count, "because": because}, index=features.index)


def examples(facts: FeatureSet, labels: pd.DataFrame) -> pd.DataFrame:
    """What was known on the cut-off day, beside what came of it: the rows that a model learns from.

    `labels` are those of `churn.labels_by_contract` or `labels_by_silence` of the same cut-off. Several cut-offs are
    stacked with `pd.concat`. Returns the features of the labelled customers with `left`, `left_on`, `known_on` (the day
    on which the label was certain: nothing earlier may learn from it).
    Raises InputError if the two are of different days, or a labelled customer has no features.
    """
    day = periods.as_of(labels)
    if day != facts.cutoff:
        raise InputError(f"the features are of {facts.cutoff}, the labels of {day}; make both of the same cut-off.")
    known, ends = facts.frame, labels.attrs.get("known_on")
    without = labels.index.difference(known.index)
    if len(without):
        raise InputError(f"{len(without):,} labelled customers have no features, such as {without[0]!r}.")
    table = known.loc[labels.index].assign(left=labels["left"], left_on=labels["left_on"], known_on=pd.Timestamp(ends))
    table.attrs = dict(known.attrs)
    return table


@dataclass(frozen=True, repr=False)
class WarningModel:
    """A logistic regression that has learned who leaves.

    `coefficients_` has one row a feature: `coefficient` (log-odds for one standard deviation more), `odds_ratio`; the
    largest first. `base_rate_` is the share of leavers it learned from, `known_on_` the last day it knows of.
    """

    features: tuple[str, ...]
    columns: tuple[str, ...]
    pipeline: Any
    base_rate_: float
    known_on_: pd.Timestamp

    @property
    def coefficients_(self) -> pd.DataFrame:
        values = self.pipeline[-1].coef_[0]
        table = pd.DataFrame(
            {"coefficient": values, "odds_ratio": np.exp(values)}, index=pd.Index(self.columns, name="feature")
        )
        return table.loc[table["coefficient"].abs().sort_values(ascending=False, kind="stable").index]

    def risk(self, table: pd.DataFrame) -> "pd.Series[float]":
        """Each row's probability to leave within the horizon; rows of a day that the model has already seen the end of
        are refused."""
        early = table["as_of"] < self.known_on_ if "as_of" in table else pd.Series([True])
        if early.any():
            day = table["as_of"].min().date() if "as_of" in table else "no day"
            raise InputError(
                f"the model learned from what happened until {self.known_on_.date()}; {early.sum():,} rows are of an earlier "
                f"day ({day}): it would know their future. Train it on earlier cut-offs."
            )
        matrix = _matrix(table, self.features).reindex(columns=list(self.columns), fill_value=0.0)
        return pd.Series(self.pipeline.predict_proba(matrix)[:, 1], index=table.index, name="risk")

    def __repr__(self) -> str:
        return f"WarningModel: {len(self.features)} features, learned from cases known until {self.known_on_.date()}"


def fit(table: pd.DataFrame, features: Iterable[str] | None = None) -> WarningModel:
    """Which signs go with leaving? A logistic regression on standardised features.

    Parameters: `table` as from `examples`, one or several cut-offs; `features`, the columns to use; all unless given.
        Words become yes/no columns.
    Raises: InputError if only one outcome occurs, for missing values, and for undated features that are not named on
        purpose.
    Source: logistic regression with a ridge penalty (scikit-learn, C = 1).

    >>> table = pd.DataFrame({"as_of": pd.Timestamp("2025-01-31"), "logins": [0, 1, 5, 6, 1, 7], "left": [1, 1, 0, 0, 0, 0],
    ...                       "known_on": pd.Timestamp("2025-03-31")})
    >>> model = fit(table.astype({"left": bool}))
    >>> bool(model.coefficients_.loc["logins", "odds_ratio"] < 1)
    True
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    needs(table, ["as_of", "left", "known_on"])
    chosen = [name for name in table.columns if name not in ABOUT] if features is None else list(features)
    hidden = [name for name in chosen if str(name).startswith("undated_")]
    if hidden and features is None:
        raise InputError(f"{', '.join(hidden)} may know the future: name the features to learn from with features=[…].")
    leavers = int(table["left"].sum())
    if leavers in (0, len(table)):
        who = "nobody left" if leavers == 0 else "everybody left"
        raise InputError(
            f"{who} among {len(table):,} examples: there is no difference to learn. Use more cut-offs or a longer horizon."
        )
    matrix = _matrix(table, chosen)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(
        matrix, table["left"].astype(bool)
    )
    return WarningModel(tuple(chosen), tuple(matrix.columns), pipeline, leavers / len(table), table["known_on"].max())


def walk_forward(table: pd.DataFrame, features: Iterable[str] | None = None) -> pd.DataFrame:
    """How would the model have done in its time? Each cut-off is judged by a model of what was known then.

    For every cut-off the model learns from the earlier ones whose label window was over by that day. A random split would
    let it learn from customers' futures.

    Returns: the rows of the cut-offs that could be judged, with `risk`, and `base_rate` (the share of leavers that the
        model had learned from: the baseline "as many as before").
    Raises: InputError if no cut-off has an earlier one that was over.
    """
    needs(table, ["as_of", "left", "known_on"])
    features = None if features is None else list(features)
    judged = []
    for day, later in table.groupby("as_of", sort=True):
        past = table[table["known_on"] <= day]
        if len(past):
            model = fit(past, features)
            judged.append(later.assign(risk=model.risk(later), base_rate=model.base_rate_))
    if not judged:
        days = table["as_of"].drop_duplicates().sort_values().dt.date.astype(str)
        raise InputError(
            f"no cut-off ({', '.join(days)}) has an earlier one whose window was over by then: add earlier cut-offs, or "
            "shorten the horizon."
        )
    return pd.concat(judged)


def _matrix(table: pd.DataFrame, features: Iterable[str]) -> pd.DataFrame:
    """Features as numbers; words as yes/no columns; missing values are refused."""
    features = list(features)
    needs(table, features)
    chosen = table[features]
    empty = chosen.isna().sum()
    if empty.any():
        told = ", ".join(f"{name} ({count:,})" for name, count in empty[empty > 0].items())
        raise InputError(f"missing values in {told} of {len(table):,} rows: fill them with what their absence means.")
    return pd.get_dummies(chosen, dtype=float).astype(float)
