"""Claims: who says so, how they know, where two sources contradict each other, and how far two readers agree."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from crmkit.errors import InputError
from crmkit.tables.frames import needs, once

#: What stands behind a claim, weakest first. Evidence proper begins where these end.
LEVELS = ("nobody is named", "somebody is named", "the rule is described", "the method is given")


def audit(claims: pd.DataFrame) -> pd.DataFrame:
    """What stands behind each claim, and what would settle it?

    Parameters: `claims`, one row a claim: `claim_id`, `claim`, `kind`, `who_says` (missing: nobody), `method_given`
        ("no", "described" or "yes"), `evidence`. `datasets.load("claims").claims` is one; a firm's own list is another.
    Returns: the index is `claim_id`; `claim`, `kind`, `behind_it` (ordered: LEVELS), `settled_by`; weakest first, then in
        the given order.
    Raises: ColumnError for a missing column, InputError for a claim twice or another word in `method_given`.
    Source: section 4 of the sources' inventory (F-01 to F-40); lessons 1.1 and 4.1.

    >>> said = pd.DataFrame({"claim_id": ["A", "B"], "claim": ["sales rise", "12 % click"], "kind": "figure",
    ...                      "who_says": ["a vendor", None], "method_given": "no", "evidence": ["a control group", "the log"]})
    >>> audit(said)[["behind_it", "settled_by"]]
                      behind_it       settled_by
    claim_id
    B           nobody is named          the log
    A         somebody is named  a control group
    """
    needs(claims, ("claim_id", "claim", "kind", "who_says", "method_given", "evidence"), "claims")
    ids, told = claims["claim_id"], claims["method_given"].astype(str).str.strip().str.lower()
    once(pd.Index(ids), "claim_id", "claims")
    unknown = ~told.isin(["no", "described", "yes"])
    if unknown.any():
        raise InputError(
            f"method_given: {unknown.sum()} claims have another word than no, described or yes, "
            f"such as {claims['method_given'][unknown].iloc[0]!r}."
        )
    named = claims["who_says"].notna() & (claims["who_says"].astype(str).str.strip() != "")
    behind = np.select([told == "yes", told == "described", named], LEVELS[:0:-1], LEVELS[0])
    table = pd.DataFrame(
        {
            "claim": claims["claim"].to_numpy(),
            "kind": claims["kind"].to_numpy(),
            "behind_it": pd.Categorical(behind, LEVELS, ordered=True),
            "settled_by": claims["evidence"].to_numpy(),
        },
        index=pd.Index(ids, name="claim_id"),
    )
    return table.sort_values("behind_it", kind="stable")


def conflicts(timeline: pd.DataFrame) -> pd.DataFrame:
    """Which events do two sources date differently?

    Parameters: `timeline`, one row an event as one source tells it: `topic`, `from_year`, `to_year`, `section`.
    Returns: one row a topic whose periods do not all overlap: `earliest`, `latest` (the last and the first year that the
        two periods furthest apart allow), `years_apart`, `sections`; the largest conflict first. Overlapping periods can
        both be true and are no conflict.
    Raises: ColumnError for a missing column; InputError for a period that ends before it begins.

    >>> told = pd.DataFrame({"topic": ["name", "name", "boom"], "from_year": [1993, 1999, 1998],
    ...                      "to_year": [1993, 1999, 1999], "section": ["001", "004", "004"]})
    >>> conflicts(told)
           earliest  latest  years_apart  sections
    topic
    name       1993    1999            6  001, 004
    """
    needs(timeline, ("topic", "from_year", "to_year", "section"), "timeline")
    backwards = timeline["from_year"] > timeline["to_year"]
    if backwards.any():
        row = timeline[backwards].iloc[0]
        raise InputError(f"to_year: {backwards.sum()} periods end before they begin, such as that of {row['topic']!r}.")
    by_topic = timeline.groupby("topic", sort=False)
    table = pd.DataFrame({"earliest": by_topic["to_year"].min(), "latest": by_topic["from_year"].max()})
    table["years_apart"] = table["latest"] - table["earliest"]
    table["sections"] = by_topic["section"].agg(lambda sections: ", ".join(dict.fromkeys(map(str, sections))))
    return table[table["years_apart"] > 0].sort_values("years_apart", ascending=False, kind="stable")


class Agreement(NamedTuple):
    """Of two readers: share of equal answers, share expected by chance, Cohen's kappa with its interval."""

    observed: float
    by_chance: float
    kappa: float
    low: float
    high: float


def agreement(first: Any, second: Any) -> Agreement:
    """Two people coded the same texts. How far do they agree beyond what chance alone would give?

    Parameters: the answers of two readers to the same items, in the same order (lists, arrays or Series; two Series are
        brought into one order by their index).
    Returns: `Agreement(observed, by_chance, kappa, low, high)`: kappa is 1 for full agreement, 0 for what chance gives;
        `low` and `high` are its 95 % interval for many items (with few, read it as a hint). Where both give one answer
        throughout, chance alone explains all, and kappa is missing.
    Raises: InputError for different lengths, missing answers or no items.
    Source: Cohen (1960), Educational and Psychological Measurement 20(1); standard error of Fleiss, Cohen & Everitt
        (1969), Psychological Bulletin 72(5).

    >>> two = agreement([1] * 25 + [0] * 25, [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15)
    >>> [round(value, 2) for value in two[:3]]
    [0.7, 0.5, 0.4]
    """
    if isinstance(first, pd.Series) and isinstance(second, pd.Series):
        if set(first.index) != set(second.index) or first.index.has_duplicates or second.index.has_duplicates:
            raise InputError("first and second do not name the same items once each; give both for the same texts.")
        second = second.reindex(first.index)
    a, b = pd.Series(list(first), dtype=object), pd.Series(list(second), dtype=object)
    if len(a) != len(b) or len(a) == 0:
        raise InputError(f"first has {len(a)} answers and second {len(b)}; give one of each for every item.")
    missing = int(a.isna().sum() + b.isna().sum())
    if missing:
        raise InputError(f"{missing} answers are missing; code every item, or leave it out for both.")
    answers = pd.unique(pd.concat([a, b]))
    shares = pd.crosstab(a, b).reindex(index=answers, columns=answers, fill_value=0).to_numpy() / len(a)
    rows, columns, equal = shares.sum(axis=1), shares.sum(axis=0), np.diag(shares)
    observed, chance = float(equal.sum()), float(rows @ columns)
    if chance == 1:
        return Agreement(observed, chance, float("nan"), float("nan"), float("nan"))
    kappa = (observed - chance) / (1 - chance)
    off = shares * (columns[:, None] + rows[None, :]) ** 2
    variance = (
        (equal * (1 - (rows + columns) * (1 - kappa)) ** 2).sum()
        + (1 - kappa) ** 2 * (off.sum() - np.diag(off).sum())
        - (kappa - chance * (1 - kappa)) ** 2
    ) / (len(a) * (1 - chance) ** 2)
    half = 1.959963984540054 * float(np.sqrt(max(variance, 0)))
    return Agreement(observed, chance, kappa, max(kappa - half, -1.0), min(kappa + half, 1.0))
