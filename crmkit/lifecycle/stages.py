"""Six stages of a customer's life with the firm, by rules that anybody can read and move (lesson 1.3, source 001 §2.1).

    now    = stages.assign(orders, as_of="2025-12-31", prospects=registered)
    todo   = stages.tasks(now)
    moves  = stages.transitions(before, now)
    coming = stages.forecast(moves, now["stage"].value_counts(), periods=3)

What decides is the yardstick: a customer's own rhythm, not a number of days that suits nobody.
"""

import datetime
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd

from crmkit import periods
from crmkit.errors import ColumnError, InputError, KindError
from crmkit.lifecycle.customer_summary import summary
from crmkit.lifecycle.stage_moves import back_test, forecast, probabilities, transitions
from crmkit.lifecycle.stage_rules import QUOTED, STAGES, StageRules
from crmkit.tables.frames import needs, once, rows_of

__all__ = [
    "StageRules",
    "assign",
    "back_test",
    "forecast",
    "probabilities",
    "reassign",
    "tasks",
    "transitions",
]

_ASSIGNED = ("stage", "spend", "purchases", "silence", "trend")
Rules = str | Path | Mapping[str, Any] | StageRules


def assign(
    transactions: Any,
    *,
    as_of: object,
    rules: Rules = "six_stages",
    prospects: "pd.DataFrame | pd.Series[Any] | Iterable[Any] | None" = None,
) -> pd.DataFrame:
    """In which stage is each customer: prospect, new, growth, mature, decline or lost, and why?

    A purchase is a day with at least one row of amount ≥ 0, as in `lifecycle.summary`. The facts:

    - `gap_days`, the usual gap between two purchases: the customer's own gaps and `borrowed_gaps` gaps of
      the trade's length, averaged. With no gap of one's own it is the trade's, with twenty nearly one's own;
    - `silence`: days since the last purchase / `gap_days`. Of customers who buy by chance at a steady rate,
      5 % are silent for more than 3 gaps at any moment, 0.2 % for more than 6 (exp(−3), exp(−6));
    - `recent` and `earlier`: purchases in the last window and in the window before; `lately` (rules only): both
      together; `trend`: recent / earlier. A window is `window_gaps` gaps of the trade. The trend is 1 while nothing can be compared: no
      purchase in either window, or a customer for less than two windows;
    - `chance`: of steady customers with as many purchases in both windows together, the share whose split is as
      uneven as this or more (binomial tail); 1 while nothing can be compared;
    - `age`: days since the first purchase / window.

    Parameters
        transactions: the checked table, one row an order line.
        as_of: the day to look back from; later rows are not looked at, so a later buyer is a prospect or absent.
        rules: "six_stages", a TOML file, a mapping of its shape, or `StageRules`. The gap of the trade is the
            median of the mean gaps of those who bought twice, unless the rules say `trade_gap_days`; to
            compare dates, fix it: `rules.move(trade_gap_days=…)`.
        prospects: people who are known and may not have bought: ids, or a table of `customer_id` with the day
            `registered_on` (those who registered after `as_of` are left out).
    Returns: one row a customer, indexed by `customer_id` (ascending): `stage` (ordered categorical),
        `purchases`, `first_order`, `last_order`, `age_days`, `silence_days`, `gap_days`, `silence`, `age`,
        `recent`, `earlier`, `trend`, `chance`, `spend`, `reason` (in words). Of prospects most are missing.
        attrs: `as_of`, `currency`, `rules` (name), `numbers` (thresholds and measures, with the trade's gap
        as used), `window_days`, `note` (what the data cannot tell).
    Raises: InputError if `as_of` leaves nobody, or is so far after the last row that all would look silent; if
        nobody bought twice and the rules do not say `trade_gap_days`; for rules that `StageRules.load` refuses.

    >>> from crmkit.tables import Transactions
    >>> orders = Transactions.read(pd.DataFrame({
    ...     "customer_id": ["ann", "ann", "ann", "bob", "cleo"],
    ...     "ordered_at": ["2026-01-01", "2026-01-11", "2026-01-21", "2026-03-01", "2026-02-28"],
    ...     "amount": [10.0, 10.0, 10.0, 10.0, 10.0],
    ... }))
    >>> found = assign(orders, as_of="2026-03-02", prospects=["dan", "bob"])
    >>> found["stage"].to_dict()
    {'ann': 'decline', 'bob': 'new', 'cleo': 'new', 'dan': 'prospect'}
    >>> found.loc["ann", "reason"]
    'silent for 40 days, 4.0 times the usual 10'
    """
    chosen, day = StageRules.load(rules), periods.day(as_of)
    registered = _registered(prospects, day)
    rows = rows_of(transactions, "assign")
    if day < transactions.first_day and len(registered):
        bought, trade_gap = pd.DataFrame(), chosen.measures.get("trade_gap_days", np.nan)
    else:
        bought = summary(transactions, as_of=day)
        trade_gap = _trade_gap(bought, chosen)
        if (day - transactions.last_day).days > max(trade_gap, 7):
            raise InputError(
                f"as_of={str(day)!r} is {(day - transactions.last_day).days:,} days after the last row "
                f"({transactions.last_day}), so all would look silent; use a day up to the last row."
            )
    measures = chosen.measures | {"trade_gap_days": trade_gap}
    window = max(1, round(measures["window_gaps"] * trade_gap)) if len(bought) else 1
    kinds = {isinstance(ids[0], str): ids[0] for ids in (bought.index, registered) if len(ids)}
    if len(kinds) == 2:
        raise InputError(
            f"prospects are named like {registered[0]!r} and customers like {bought.index[0]!r}; "
            "give both customer_id as text or both as numbers."
        )
    people = bought.index.union(registered) if len(bought) else registered.sort_values()
    facts = _facts(rows, bought, people, day, window, measures)
    facts.attrs = {
        "as_of": day.isoformat(),
        "currency": transactions.currency,
        "window_days": window,
        "note": _note(transactions.first_day, day, window, len(bought)),
    }
    return _staged(facts, chosen, measures)


def reassign(assigned: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """The same customers at the same date under other thresholds: who moves? The order book is not read again.

    `assigned` is from `assign`. Returns the same table with other stages and reasons. Raises InputError if the
    rules measure in another way (`window_gaps` and the like): that needs the order book, so call `assign`.
    """
    needs(assigned, _ASSIGNED, "the table of stages.assign")
    chosen, before = StageRules.load(rules), assigned.attrs.get("numbers")
    if before is None:
        raise InputError(
            "the table has lost its attrs (pandas drops them in merge, join and concat); call assign again."
        )
    for name, value in chosen.measures.items():
        if value != before.get(name):
            raise InputError(f"{name} was {before.get(name):g} and is {value:g}: that changes the facts; call assign.")
    measures = {name: before[name] for name in (*chosen.measures, "trade_gap_days")}
    return _staged(assigned.drop(columns=["stage", "reason"]), chosen, measures)


def tasks(assigned: pd.DataFrame, rules: Rules = "six_stages") -> pd.DataFrame:
    """How many are in each stage, what do they bring, and what is the firm's task there?

    Returns: one row a stage in the order of the lifecycle, indexed by `stage`: `phase` (acquisition: prospect and
    new; retention: growth and mature; churn: decline and lost), `customers`, `share_of_customers`, `spend`,
    `share_of_spend` (missing if all spend adds up to nothing), `sign`, `task`.
    Source: 001 §2.1 for signs and tasks; the tie of stages to phases is a proposal, the source is silent.
    """
    needs(assigned, _ASSIGNED, "the table of stages.assign")
    groups = assigned.groupby("stage", observed=False)
    told = StageRules.load(rules).tasks
    table = pd.DataFrame({"phase": told["phase"], "customers": groups.size().astype("int64")}, index=told.index)
    table["share_of_customers"] = table["customers"] / max(len(assigned), 1)
    table["spend"] = groups["spend"].sum()
    total = table["spend"].sum()
    table["share_of_spend"] = table["spend"] / total if total > 0 else np.nan
    table[["sign", "task"]] = told[["sign", "task"]]
    table.attrs = {key: assigned.attrs[key] for key in ("as_of", "currency") if key in assigned.attrs}
    return table


def _facts(
    rows: ibis.Table,
    bought: pd.DataFrame,
    people: pd.Index,
    day: datetime.date,
    window: int,
    measures: dict[str, float],
) -> pd.DataFrame:
    from scipy.special import bdtr

    if not len(bought):
        bought = pd.DataFrame(
            columns=["first_order", "last_order", "recency_days", "x", "t_x", "T", "spend"], dtype=float
        )
    own = bought.reindex(people) if len(people) != len(bought) else bought
    counts = _in_windows(rows, day, window).reindex(people, fill_value=0) if len(bought) else None
    x = own["x"].to_numpy(float)
    repeats, gaps = np.nan_to_num(x), np.nan_to_num(own["t_x"].to_numpy(float))
    borrowed, trade = measures["borrowed_gaps"], measures["trade_gap_days"]
    gap = np.divide(
        gaps + borrowed * trade, repeats + borrowed, out=np.full(len(own), trade), where=repeats + borrowed > 0
    )
    gap = np.maximum(gap, measures["least_gap_days"])
    recent, earlier = (
        (counts[name].to_numpy("int64") if counts is not None else np.zeros(len(own), "int64"))
        for name in ("recent", "earlier")
    )
    age_days, silence_days = (own[name].astype("Int64") for name in ("T", "recency_days"))
    age = own["T"].to_numpy(float) / window
    compared = (age >= 2) & (recent + earlier > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        trend = np.where(compared, recent / earlier, 1.0)
        silence = own["recency_days"].to_numpy(float) / gap
    return pd.DataFrame(
        {
            "purchases": (x + 1 if len(bought) == len(own) else np.nan_to_num(x + 1)).astype("int64"),
            "first_order": own["first_order"].astype("datetime64[us]"),
            "last_order": own["last_order"].astype("datetime64[us]"),
            "age_days": age_days,
            "silence_days": silence_days,
            "gap_days": gap,
            "silence": silence,
            "age": age,
            "recent": recent,
            "earlier": earlier,
            "trend": trend,
            "chance": np.where(compared, bdtr(np.minimum(recent, earlier), recent + earlier, 0.5), 1.0),
            "spend": own["spend"].fillna(0.0).astype(float),
        },
        index=people.rename("customer_id"),
    )


def _in_windows(rows: ibis.Table, day: datetime.date, window: int) -> pd.DataFrame:
    """Purchases of each customer in the last window and in the one before: a purchase is a day."""
    start, middle = (day - datetime.timedelta(days=count * window) for count in (2, 1))
    days = rows.filter(rows.amount >= 0, rows.day > ibis.literal(start), rows.day <= ibis.literal(day))
    days = days.select("customer_id", "day").distinct()
    late = days.day > ibis.literal(middle)
    found = (
        days.group_by("customer_id")
        .aggregate(recent=days.count(where=late), earlier=days.count(where=~late))
        .to_pyarrow()
    )
    index = pd.Index(found["customer_id"].to_pandas(), name="customer_id")
    return pd.DataFrame({name: found[name].to_numpy() for name in ("recent", "earlier")}, index=index)


def _staged(facts: pd.DataFrame, rules: StageRules, measures: dict[str, float]) -> pd.DataFrame:
    """The facts with stage and reason by the one rule that fits each customer."""
    # a prospect has no silence and no trend; any value will do, as the rules know them by their purchases
    known = {
        name: np.nan_to_num(facts[name].to_numpy(float, na_value=0.0), posinf=np.inf)
        for name in QUOTED
        if name in facts
    }
    known["lately"] = known["recent"] + known["earlier"]
    place = rules.fits(known).argmax(axis=0)
    stage_of_rule = pd.Index(STAGES).get_indexer(rules.table["stage"])
    known["window_days"] = np.full(len(facts), facts.attrs["window_days"])
    reasons = np.empty(len(facts), dtype=object)
    for number, why in enumerate(rules.table["why"]):
        own = np.flatnonzero(place == number)
        reasons[own] = _worded(why, {name: values[own] for name, values in known.items()}, len(own))
    result = facts.copy(deep=False)
    result.insert(0, "stage", pd.Categorical.from_codes(stage_of_rule[place], list(STAGES), ordered=True))
    result["reason"] = pd.array(reasons, dtype="str")
    result.attrs = {**facts.attrs, "rules": rules.name, "numbers": {**measures, **rules.thresholds}}
    return result


def _worded(why: str, facts: dict[str, np.ndarray], count: int) -> list[str]:
    quoted = [name for name in QUOTED if "{" + name + "}" in why]
    in_order = sorted(quoted, key=lambda name: why.index("{" + name + "}"))
    pattern = why.replace("%", "%%")
    names = []
    while in_order:  # a fact may be quoted twice
        name = min(in_order, key=lambda each: pattern.index("{" + each + "}"))
        pattern = pattern.replace("{" + name + "}", QUOTED[name], 1)
        names.append(name)
        in_order = [each for each in quoted if "{" + each + "}" in pattern]
    return (
        [pattern % values for values in zip(*(facts[name].tolist() for name in names), strict=True)]
        if names
        else [why] * count
    )


def _trade_gap(bought: pd.DataFrame, rules: StageRules) -> float:
    if "trade_gap_days" in rules.measures:
        return rules.measures["trade_gap_days"]
    again = bought[bought["x"] > 0]
    if not len(again):
        raise InputError(
            f"none of the {len(bought):,} customers bought on two days, so the usual gap cannot be measured; "
            "say it: StageRules.load().move(trade_gap_days=90)."
        )
    return float((again["t_x"] / again["x"]).median())


def _note(first: datetime.date, day: datetime.date, window: int, customers: int) -> str:
    if customers and (day - first).days < 3 * window:
        return (
            f"The table begins only {(day - first).days} days before: who was a customer already cannot be told from "
            f"who is new, and a trend needs {2 * window} days."
        )
    return ""


def _registered(prospects: Any, day: datetime.date) -> pd.Index:
    """The ids of those known by `day`."""
    if prospects is None:
        return pd.Index([], name="customer_id")
    days = None
    if isinstance(prospects, pd.DataFrame):
        if "customer_id" in prospects.columns:
            prospects = prospects.set_index("customer_id")
        elif prospects.index.name != "customer_id":
            raise ColumnError("prospects has no column 'customer_id'; name the one that holds the ids so.")
        days, ids = prospects.get("registered_on"), prospects.index
    elif isinstance(prospects, (str, bytes)) or not isinstance(prospects, Iterable):
        raise KindError(f"prospects must be ids or a table with customer_id, not {prospects!r}.")
    else:
        ids = pd.Index(list(prospects), name="customer_id")
    if ids.hasnans:
        raise InputError(f"prospects has {ids.isna().sum():,} rows without a customer_id; leave them out.")
    once(ids, "prospects", "ids")
    if days is None:
        return ids
    return ids[(pd.to_datetime(days.to_numpy()) < pd.Timestamp(day) + pd.Timedelta(days=1)) | pd.isna(days.to_numpy())]
