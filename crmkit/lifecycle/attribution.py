"""Attribution: which sources get the credit for a customer, by which rule. A ledger: credits add up to the conversions."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from crmkit import periods
from crmkit.errors import InputError, near_misses, one_of
from crmkit.lifecycle.acquisition import UNKNOWN, days
from crmkit.tables.frames import complete, needs

__all__ = ["NO_VISIT", "RULES", "credit", "recognise", "touch_paths"]

RULES = ("first", "last", "linear", "position")
#: Who gets the credit for a conversion without a visit in the window.
NO_VISIT = "(no visit seen)"


def recognise(visits: pd.DataFrame) -> pd.DataFrame:
    """Whose visits are the nameless ones? Those on a cookie on which exactly one customer is known are that customer's.

    A cookie is a device, not a person: somebody with two devices, or who clears cookies, stays two strangers, and a family
    at one computer is one cookie with several customers, which names nobody.

    Parameters
        visits: `customer_id` (missing if nobody was recognised) and `visitor_id`.
    Returns: a copy with `customer_id` filled in. attrs: `nameless_visits`, `named_by_cookie` (of these),
        `shared_cookies` (with several customers).
    Raises: ColumnError, KindError.

    >>> visits = pd.DataFrame({"visitor_id": ["k1", "k1", "k2"], "customer_id": [None, "ann", None]})
    >>> recognise(visits)["customer_id"].tolist()[:2]
    ['ann', 'ann']
    """
    needs(visits, ["customer_id", "visitor_id"], "visits")
    found, pairs = visits.copy(), visits[["visitor_id", "customer_id"]].dropna().drop_duplicates()
    shared = pairs["visitor_id"].duplicated(keep=False)
    named = visits["customer_id"].astype(object)
    by_cookie = visits["visitor_id"].map(pairs[~shared].set_index("visitor_id")["customer_id"])
    found["customer_id"] = named.where(named.notna(), by_cookie)
    nameless = int(named.isna().sum())
    found.attrs = {
        "nameless_visits": nameless,
        "named_by_cookie": nameless - int(found["customer_id"].isna().sum()),
        "shared_cookies": int(pairs.loc[shared, "visitor_id"].nunique()),
    }
    return found


def touch_paths(
    visits: pd.DataFrame,
    conversions: pd.DataFrame,
    *,
    window: str = "30 days",
    only_if_alone: Iterable[str] = (),
) -> pd.DataFrame:
    """Over which visits, from which sources, did each customer come to the purchase?

    A touch is a visit of the same person in the window before the conversion, the buying visit included. A visit that
    names nobody belongs to the customer who is known on the same cookie (`visitor_id`); a cookie on which several
    customers are known proves nothing, and its nameless visits are left out.

    Parameters
        visits: one row a visit: `customer_id` (missing if nobody was recognised), `started_at`, `source`, and
            `visitor_id` if there is one.
        conversions: one row a conversion: `customer_id`, `converted_at` (moment of the purchase), and `money` if its
            value is to be shared out.
        window: how long before the conversion a visit still counts, such as "30 days".
        only_if_alone: sources that count only where the path has no other, such as `["direct"]`: who types the address
            has heard of it somewhere.
    Returns: one row a touch, by conversion and time: `conversion` (0, 1, … by customer and time), `customer_id`,
        `converted_at`, `money` (if given), `touched_at`, `source`, `place` (1 is the first), `touches` (in the path). A
        conversion without a touch has one row of the source "(no visit seen)". attrs: `window`, `conversions`,
        `without_visit`, `nameless_visits` and `named_by_cookie` (of these), `shared_cookies`, `begins_before_data`
        (conversions whose window reaches back before the first visit of the table), `note`.
    Raises: ColumnError, KindError; InputError for missing customers, moments or money of conversions, or no conversion.

    >>> visits = pd.DataFrame({
    ...     "visitor_id": ["k1", "k1", "k1"], "customer_id": [None, None, "ann"], "source": ["social", "search", "direct"],
    ...     "started_at": ["2025-05-01 10:00", "2025-06-20 12:00", "2025-06-30 20:00"]})
    >>> sales = pd.DataFrame({"customer_id": ["ann"], "converted_at": ["2025-06-30 20:10"]})
    >>> touch_paths(visits, sales)[["customer_id", "source", "place", "touches"]]
      customer_id  source  place  touches
    0         ann  search      1        2
    1         ann  direct      2        2
    """
    needs(visits, ["customer_id", "started_at", "source"], "visits")
    needs(conversions, ["customer_id", "converted_at"], "conversions")
    length = pd.Timedelta(days=periods.Horizon.parse(window).days)
    if isinstance(only_if_alone, str):
        only_if_alone = [only_if_alone]
    aside = set(only_if_alone)
    known = sorted(set(visits["source"].dropna().astype(str)))
    for name in sorted(aside - set(known)):
        raise InputError(f"only_if_alone: no visit has the source {name!r}." + near_misses(name, known))

    columns = ["customer_id", "converted_at", *(["money"] if "money" in conversions else [])]
    sales = conversions[columns].reset_index(drop=True)
    sales["converted_at"] = days(conversions, "converted_at", "conversions", clock=True).to_numpy()
    complete(sales, columns, "conversions")
    if sales.empty:
        raise InputError("conversions has 0 rows: there is nothing to give credit for.")
    sales = sales.sort_values(columns, kind="stable", ignore_index=True).rename_axis("conversion").reset_index()

    touched = pd.DataFrame({"touched_at": days(visits, "started_at", "visits", clock=True).to_numpy()})
    touched["source"] = visits["source"].astype(object).where(visits["source"].notna(), UNKNOWN).astype(str).to_numpy()
    named = recognise(visits if "visitor_id" in visits else visits.assign(visitor_id=None))
    touched["customer_id"] = named["customer_id"].to_numpy()
    touched = touched[touched["customer_id"].notna() & touched["touched_at"].notna()].astype({"customer_id": object})
    sales["customer_id"] = sales["customer_id"].astype(object)
    if len(touched) and not sales["customer_id"].isin(touched["customer_id"]).any():
        raise InputError(
            f"no customer of conversions, such as {sales['customer_id'].iloc[0]!r}, has a visit; visits name customers like "
            f"{touched['customer_id'].iloc[0]!r}. Write both in the same way, as text or as numbers."
        )
    # outer in the conversions: who has no visit stays in the ledger
    paths = sales.merge(touched, on="customer_id", how="left")
    before = paths["converted_at"] - paths["touched_at"]
    paths = paths[(before >= pd.Timedelta(0)) & (before <= length)]
    if aside:
        weak = paths["source"].isin(aside)
        alone = weak.groupby(paths["conversion"]).transform("all")
        paths = paths[~weak | alone]
    paths = sales.merge(paths[["conversion", "touched_at", "source"]], on="conversion", how="left")
    without = paths["source"].isna()
    paths["source"] = paths["source"].fillna(NO_VISIT)
    paths = paths.sort_values(["conversion", "touched_at", "source"], kind="stable", ignore_index=True)
    by_conversion = paths.groupby("conversion")["source"]
    paths["place"], paths["touches"] = by_conversion.cumcount() + 1, by_conversion.transform("size")
    begins = touched["touched_at"].min() if len(touched) else pd.Timestamp.max
    cut = int((sales["converted_at"] - length < begins).sum())
    paths.attrs = {
        "window": str(window),
        "conversions": len(sales),
        "without_visit": int(without.sum()),
        **named.attrs,
        "begins_before_data": cut,
    }
    paths.attrs["note"] = _note(paths.attrs)
    return paths


def _note(facts: dict[str, Any]) -> str:
    notes = [
        f"{facts['conversions']:,} conversions, {facts['without_visit']:,} of them without a visit in {facts['window']}."
    ]
    if facts["nameless_visits"]:
        nobody = facts["nameless_visits"] - facts["named_by_cookie"]
        notes.append(
            f"{facts['named_by_cookie']:,} nameless visits were named by their cookie, {nobody:,} belong to nobody known."
        )
    if facts["shared_cookies"]:
        notes.append(f"{facts['shared_cookies']:,} cookies are used by several customers.")
    if facts["begins_before_data"]:
        notes.append(
            f"For {facts['begins_before_data']:,} conversions the window begins before the first visit of the table."
        )
    return " ".join(notes)


def credit(
    paths: pd.DataFrame,
    rules: str | Iterable[str] = RULES,
    *,
    of: str = "conversions",
    ends: tuple[float, float] = (0.4, 0.4),
) -> pd.DataFrame:
    """How many customers, or how much money, does each rule credit to each source?

    The rules share out the *same* conversions, so what one source gains by a change of rule, others lose. None of them
    shows who would have bought without a visit: that takes an experiment.

    Parameters
        paths: from `touch_paths`.
        rules: "first" (all to the first touch), "last", "linear" (equal parts), "position" (`ends` to the first and
            the last touch, the rest in equal parts to those between; two touches share in the proportion of `ends`).
        of: "conversions" or "money".
        ends: shares of the first and the last touch for "position"; together at most 1.
    Returns: one row a source, indexed by `source` (by name, "(no visit seen)" last), one column a rule. Every column
        adds up to the conversions, or their money: credits are computed as exact fractions, and the sum is checked
        before they become numbers. attrs: `of`, `total`, `ends`, those of `paths`.
    Raises: InputError for an unknown rule, impossible `ends`, money that was not given.
    Source: the position-based rule with 40/20/40 is the common setting of web analytics tools; no theory stands behind
        these numbers, so they are a parameter.

    >>> paths = pd.DataFrame({"conversion": [0, 0, 0, 1], "source": ["social", "search", "email", "email"],
    ...                       "place": [1, 2, 3, 1], "touches": [3, 3, 3, 1]})
    >>> credit(paths).round(2)
            first  last  linear  position
    source
    email     1.0   2.0    1.33       1.4
    search    0.0   0.0    0.33       0.2
    social    1.0   0.0    0.33       0.4
    """
    needs(paths, ["conversion", "source", "place", "touches", *(["money"] if of == "money" else [])], "paths")
    rules = [rules] if isinstance(rules, str) else list(rules)
    for rule in rules:
        one_of("rule", rule, RULES)
    one_of("of", of, ("conversions", "money"))
    if not rules:
        raise InputError("rules names no rule; use one of " + ", ".join(RULES) + ".")
    shares = tuple(Fraction(str(share)) for share in ends)
    if len(shares) != 2 or min(shares) < 0 or sum(shares) > 1:
        raise InputError(f"ends={ends!r} must be two shares of 0 or more that make at most 1, such as (0.4, 0.4).")
    if len(paths) == 0:
        raise InputError("paths has 0 rows: there is no conversion to share out.")
    exact = exact_credit(paths, rules, of, shares)
    total = _whole(paths[paths["place"] == 1], of).sum()
    off = {
        rule: float(sum(column.values()))
        for rule, column in exact.items()
        if sum(column.values()) != Fraction(int(total), UNIT)
    }
    if off:
        raise InputError(
            f"paths: places and touches do not fit, the credits make {off} and not {total / UNIT:g}; "
            "pass whole paths as touch_paths made them."
        )
    sources = sorted(set(paths["source"]), key=lambda name: (name == NO_VISIT, name))
    table = pd.DataFrame(
        {rule: [float(exact[rule][name]) for name in sources] for rule in rules}, index=pd.Index(sources, name="source")
    )
    table.attrs = {**paths.attrs, "of": of, "total": int(total) / UNIT, "ends": tuple(map(float, shares))}
    return table


#: Money is shared out in millionths, as whole numbers: fractions of them are exact, sums of floats are not.
UNIT = 1_000_000


def _whole(paths: pd.DataFrame, of: str) -> "pd.Series[Any]":
    if of == "conversions":
        return pd.Series(UNIT, index=paths.index)
    return (paths["money"].astype(float) * UNIT).round().astype("int64")


def exact_credit(
    paths: pd.DataFrame,
    rules: Iterable[str],
    of: str = "conversions",
    ends: tuple[Fraction, Fraction] = (Fraction(2, 5),) * 2,
) -> dict[str, dict[str, Fraction]]:
    """By rule and source the credit as an exact fraction; touches of one source, place and length are added first."""
    between = np.where(paths["place"] == 1, 1, np.where(paths["place"] == paths["touches"], 3, 2))
    kinds = [paths["source"].to_numpy(), between, paths["touches"].to_numpy()]
    sums = _whole(paths, of).groupby(kinds).sum()
    found: dict[str, dict[str, Fraction]] = {}
    for rule in rules:
        column = found[rule] = {name: Fraction(0) for name in set(paths["source"])}
        for (name, where, touches), value in sums.items():
            column[name] += _weight(rule, where, int(touches), *ends) * Fraction(int(value), UNIT)
    return found


def _weight(rule: str, where: int, touches: int, first: Fraction, last: Fraction) -> Fraction:
    """The part of one touch that is the first (1), between (2) or the last (3) of its path."""
    if touches == 1:
        return Fraction(1)
    if rule == "linear":
        return Fraction(1, touches)
    if rule in ("first", "last"):
        return Fraction(int(where == (1 if rule == "first" else 3)))
    if touches == 2:
        both = first + last
        return Fraction(1, 2) if both == 0 else (first if where == 1 else last) / both
    return {1: first, 2: (1 - first - last) / (touches - 2), 3: last}[where]
