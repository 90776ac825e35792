"""Difference in differences: what changed where something was done, beyond what changed elsewhere as well."""

from typing import Any

import numpy as np
import pandas as pd

from crmkit.errors import InputError
from crmkit.evaluation.experiments import LIMITS, Effect, _between
from crmkit.tables.frames import complete, needs

#: With fewer clusters than this the clustered interval is known to be too narrow.
FEW_CLUSTERS = 30
#: Each unit is a column of the least squares; more belong into an average by group first.
MOST_UNITS = 1000


def estimate(
    panel: pd.DataFrame,
    outcome: str,
    *,
    unit: str,
    period: str,
    treated: str,
    cluster: str | None = None,
    level: float = 0.95,
) -> Effect:
    """The service was improved in two regions of five, without lots. What did it change?

    Outcome = an own level of each unit + an own level of each period + effect × treated. With two units and two
    periods that is the difference of two differences; with a staged roll-out, region after region, the same formula
    compares each start with those who have not started yet.

    Parameters
        panel: one row a unit and period (or a customer and period).
        outcome: a number. unit: the column of those who are treated or not, such as the region. period: weeks, months.
        treated: yes/no (or 0/1): was this row already under treatment?
        cluster: rows of one cluster may move together (a region's weather); the unit unless given. Errors that ignore
            it are far too small. Where one cluster alone is treated, clustered errors are about zero and would be a lie:
            then each row counts as a case (HC1), and `limits` say so.
        level: of the interval (t distribution with clusters − 1 degrees of freedom).
    Returns: an `Effect` with design "difference in differences"; its `limits` also say what weakens this panel: few
        clusters, units that were treated all along, a staged start.
    Raises: InputError if nobody is treated, or all are from the same period on, so that nothing can be compared.
    Source: two-way fixed effects by least squares, errors clustered: Bertrand, Duflo and Mullainathan (2004), Quarterly
        Journal of Economics 119; on staged starts Goodman-Bacon (2021), Journal of Econometrics 225.

    >>> panel = pd.DataFrame({"region": ["north", "north", "south", "south"] * 2, "month": [1, 2] * 4,
    ...                       "improved": [False, True, False, False] * 2, "orders": [10, 16, 8, 9, 12, 18, 8, 9]})
    >>> round(estimate(panel, "orders", unit="region", period="month", treated="improved").estimate, 6)
    5.0
    """
    from statsmodels.regression.linear_model import OLS  # statsmodels.api takes seconds to import

    _between(level, "level", 0, 1)
    names = dict.fromkeys([outcome, unit, period, treated, cluster or unit])
    needs(panel, names, "the panel")
    complete(panel, names, "the panel")
    on, starts = _started(panel, unit, period, treated)
    if panel[unit].nunique() > MOST_UNITS:
        raise InputError(
            f"column {unit!r} holds {panel[unit].nunique():,} units, {MOST_UNITS} at most; average customers first."
        )
    dummies = [pd.get_dummies(panel[name].astype(str), drop_first=True, dtype=float) for name in (unit, period)]
    design = np.column_stack([on, np.ones(len(panel)), *(part.to_numpy() for part in dummies)])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise InputError(
            f"all of {unit!r} are treated in the same periods, so the effect cannot be told from the period's own: "
            "a unit that is not treated, or is treated later, is needed."
        )
    groups = pd.factorize(panel[cluster or unit])[0]
    clusters, with_treated = int(groups.max()) + 1, len(set(groups[on == 1]))
    by_cluster = with_treated >= 2 and clusters >= 3
    errors = {"cov_type": "cluster", "cov_kwds": {"groups": groups}} if by_cluster else {"cov_type": "HC1"}
    spare, values = len(panel) - design.shape[1], panel[outcome].to_numpy(float)
    if spare > 0:
        fitted = OLS(values, design).fit(use_t=True, **errors)
        found, (low, high) = fitted.params[0], fitted.conf_int(1 - level)[0]
    else:
        found, low, high = np.linalg.solve(design, values)[0], np.nan, np.nan
    ever = panel[unit].isin(starts.index[starts.notna()]).to_numpy()
    means, sizes = {}, {}
    for name, rows in {
        "treated, before": ever & (on == 0),
        "treated, after": on == 1,
        "not treated": ~ever,
    }.items():
        if rows.any():
            means[name], sizes[name] = float(panel.loc[rows, outcome].mean()), int(rows.sum())
    told = ", ".join(f"{name} {mean:,.2f} ({sizes[name]:,} rows)" for name, mean in means.items())
    basis = f"Mean {outcome}: {told}; {panel[unit].nunique()} × {unit}, {panel[period].nunique()} × {period}."
    return Effect(
        outcome,
        "share" if panel[outcome].between(0, 1).all() else "mean",
        float(found),
        float(low),
        float(high),
        level,
        means,
        sizes,
        basis,
        "difference in differences",
        " ".join(
            [LIMITS["difference in differences"], *_weaknesses(starts, panel[period], clusters, by_cluster, spare)]
        ),
    )


def trends(panel: pd.DataFrame, outcome: str, *, unit: str, period: str, treated: str) -> pd.DataFrame:
    """Did the groups run side by side before it began? What the picture of parallel trends is drawn from.

    Parameters: as `estimate`.
    Returns: one row a unit and period, in order: `unit`, `period`, `mean` (of the outcome), `rows`, `treated` (bool),
        `starts` (the unit's first treated period, missing if never), `gap` (to the mean of the units that are never
        treated; if there are none, of those that start last, until they do). Before the start the gap should run level;
        that it does is no proof that it would have gone on. attrs: `outcome`, `unit`, `period`, `yardstick` (the units).
    Raises: as `estimate`.

    >>> panel = pd.DataFrame({"region": ["north", "north", "south", "south"], "month": [1, 2, 1, 2],
    ...                       "improved": [False, True, False, False], "orders": [11, 17, 8, 9]})
    >>> trends(panel, "orders", unit="region", period="month", treated="improved")["gap"].to_list()
    [3.0, 8.0, 0.0, 0.0]
    """
    needs(panel, [outcome], "the panel")
    on, starts = _started(panel, unit, period, treated)
    rows = pd.DataFrame({"unit": panel[unit], "period": panel[period], "value": panel[outcome], "treated": on == 1})
    table = (
        rows.groupby(["unit", "period"], observed=True, sort=True)
        .agg(mean=("value", "mean"), rows=("value", "size"), treated=("treated", "max"))
        .reset_index()
    )
    table["starts"] = table["unit"].map(starts)
    last = starts.index[starts.isna()] if starts.isna().any() else starts.index[starts == starts.max()]
    waiting = table[table["unit"].isin(last) & ~table["treated"]].groupby("period")["mean"].mean()
    table["gap"] = table["mean"] - table["period"].map(waiting)
    table.attrs = {"outcome": outcome, "unit": unit, "period": period, "yardstick": sorted(map(str, last))}
    return table


def _started(panel: pd.DataFrame, unit: str, period: str, treated: str) -> "tuple[np.ndarray, pd.Series[Any]]":
    """Treated as 0 and 1 a row, and each unit's first treated period."""
    needs(panel, [unit, period, treated], "the panel")
    flags = panel[treated]
    on = pd.to_numeric(flags.astype(object), errors="coerce").to_numpy(float)
    if not np.isin(on, (0, 1)).all():
        odd = flags[~np.isin(on, (0, 1))]
        raise InputError(
            f"column {treated!r} must be yes/no or 0/1; {len(odd):,} values are not, such as {odd.iloc[0]!r}."
        )
    if on.min() == on.max():
        who = "nobody is" if on.max() == 0 else "all rows are"
        raise InputError(f"column {treated!r}: {who} treated, so there is nothing to compare.")
    by_period = panel.assign(_on=on).groupby([unit, period], observed=True)["_on"].agg(["min", "max"])
    if (by_period["min"] != by_period["max"]).any():
        where = by_period.index[by_period["min"] != by_period["max"]][0]
        raise InputError(f"{unit} {where[0]!r} is treated and not treated in {period} {where[1]!r}: say which.")
    stopped = by_period["max"].groupby(level=0).apply(lambda one: bool((one.diff() < 0).any()))
    if stopped.any():
        raise InputError(
            f"{stopped.sum()} of {unit!r} stop being treated, such as {stopped[stopped].index[0]!r}: what remains of the "
            "effect afterwards is a question of its own; cut the panel before the end of the treatment."
        )
    first = panel[on == 1].groupby(unit, observed=True)[period].min()
    return on, first.reindex(pd.Index(panel[unit].unique(), name=unit))


def _weaknesses(
    starts: "pd.Series[Any]", periods: "pd.Series[Any]", clusters: int, by_cluster: bool, spare: int
) -> list[str]:
    said, begun = [], starts.dropna()
    if spare < 1:
        said.append("There is no row to spare, so there is no interval.")
    elif not by_cluster:
        said.append(
            "One cluster alone was treated, or there are but two: the interval takes every row for a case of its own, and "
            "cannot know of a shock that hit the whole cluster."
        )
    elif clusters < FEW_CLUSTERS:
        said.append(
            f"Only {clusters} clusters: errors clustered over so few are themselves uncertain, and mostly too small."
        )
    always = int((begun == periods.min()).sum())
    if always:
        said.append(f"{always} were treated from the first period on, and show no before.")
    if begun.nunique() > 1:
        said.append(
            "The start is staged: if the effect grows with time, or differs between the units, early starters are a bad "
            "yardstick for late ones, and the figure is a mixture."
        )
    return said
