"""The computations of the lifecycle report that decide by themselves what the data can carry, and say so in words."""

import datetime
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit import evaluation, lifecycle, periods
from crmkit.errors import InputError, ModelWarning

if TYPE_CHECKING:
    from crmkit.tables import Transactions

QUARTER = datetime.timedelta(days=91)
#: Before a first table of stages there must be a quarter to look at; more than these tables say little new.
MOST_TABLES = 6
#: Days between two purchases where nobody made two.
ASSUMED_GAP = 90


@dataclass
class Stages:
    """`now` (from `stages.assign`), `tables` (a quarter apart, the last is now), `matrix`, `coming`, `tested`, and `words`."""

    now: pd.DataFrame
    tables: list[pd.DataFrame]
    matrix: pd.DataFrame | None = None
    coming: pd.DataFrame | None = None
    tested: pd.DataFrame | None = None
    words: list[str] = field(default_factory=list)


def stages(orders: "Transactions", as_of: object, rules: Any) -> Stages:
    """Stages now and a quarter apart as far back as the data carry, with the same yardstick throughout."""
    assign = lifecycle.stages.assign
    last, words, chosen = periods.day(as_of), [], lifecycle.stages.StageRules.load(rules)
    if "trade_gap_days" not in chosen.measures and lifecycle.summary(orders, as_of=last)["x"].max() == 0:
        chosen = chosen.move(trade_gap_days=ASSUMED_GAP)
        words.append(f"Nobody bought on two days, so a usual gap of {ASSUMED_GAP} days between purchases is assumed.")
    now = assign(orders, as_of=last, rules=chosen)
    gap = now.attrs["numbers"]["trade_gap_days"]
    held = chosen.move(trade_gap_days=gap)
    days = [last - QUARTER * back for back in range(MOST_TABLES) if last - QUARTER * (back + 1) >= orders.first_day]
    columns = ["stage"]
    tables = [assign(orders, as_of=day, rules=held)[columns] for day in reversed(days[1:])] + [now[columns]]
    found = Stages(now, tables, words=words + [note for note in [now.attrs.get("note")] if note])
    if len(tables) < 2:
        found.words.append("The data are too short to compare two quarters: nobody's move can be shown.")
        return found
    found.matrix = lifecycle.stages.transitions(*tables)
    try:
        found.coming = lifecycle.stages.forecast(found.matrix, now["stage"].value_counts(), 2)
        if len(tables) >= 5:
            found.tested = lifecycle.stages.back_test(tables, len(tables) - 2)
    except InputError as reason:
        found.words.append(f"The mix of the next quarters is not forecast: {reason}")
    return found


@dataclass
class Worth:
    """What customers are still worth: `values` (or None), the `card` of the hold-out, `track`, the models, and `words`."""

    values: pd.DataFrame | None = None
    card: Any = None
    track: pd.DataFrame | None = None
    model: Any = None
    money: Any = None
    words: list[str] = field(default_factory=list)


def worth(orders: "Transactions", as_of: object, margin: float, discount: float) -> Worth:
    """Expected purchases and value of the next 12 months, after the model was judged on the last third of the data.

    Of BG/NBD and MBG/NBD the one is taken that is more likely given what was known before the hold-out, so that the
    hold-out did not choose. What cannot be fitted is said in words.
    """
    found = Worth()
    last, value = periods.day(as_of), lifecycle.value
    span = (last - orders.first_day).days + 1
    known = orders.first_day + datetime.timedelta(days=round(span * 2 / 3))
    horizon = f"{(last - known).days} days"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelWarning)  # the same sentences stand in notes_
        try:
            held = value.holdout(orders.until(last), calibration_until=known, horizon=horizon, unit="weeks")
            kinds = (value.BetaGeometric, value.ModifiedBetaGeometric)
            fitted = [kind().fit(held) for kind in kinds]
            best = max(fitted, key=lambda model: model.log_likelihood_)
            found.card = value.scorecard(best, held)
            found.track = value.tracking(best, orders.until(last), calibration_until=known)
        except InputError as reason:
            found.words.append(f"No model of purchases was judged: {reason}")
            return found
        try:
            summary = lifecycle.summary(orders, as_of=last, unit="weeks")
            found.model = type(best)().fit(summary)
            try:
                found.money = value.GammaGamma().fit(summary, not_positive="leave out")
            except InputError as reason:
                found.money = float(summary["spend"].sum() / (summary["x"] + 1).sum())
                found.words.append(f"Every purchase is valued at the mean of all, for no model of money fits: {reason}")
            found.values = value.customer_lifetime_value(
                found.model, found.money, summary, horizon="12 months", margin=margin, discount=discount
            )
        except InputError as reason:
            found.values = None
            found.words.append(f"No value of the next 12 months is given: {reason}")
    for model in (found.model, found.money):
        found.words += list(getattr(model, "notes_", []))
    return found


def customers(now: pd.DataFrame, values: pd.DataFrame | None) -> pd.DataFrame:
    """One row a customer: stage, its reason and facts, and what is expected of them; attrs of the stages kept."""
    columns = ["stage", "purchases", "first_order", "last_order", "silence_days", "gap_days", "spend", "reason"]
    table = now[columns].copy()
    if values is not None:
        table = table.join(values[["probability_alive", "expected_purchases", "clv"]])
    table.attrs = dict(now.attrs)
    return table


def call_list(
    table: pd.DataFrame, tasks: pd.DataFrame, *, capacity: int | None, control_share: float, seed: int, as_of: object
) -> pd.DataFrame:
    """Customers in decline with most still to lose, with a control group; `reason` is the customer's own."""
    plan = pd.DataFrame(
        {
            "segment": tasks.index.astype(str),
            "action": [task if stage == "decline" else "" for stage, task in tasks["task"].items()],
            "reason": tasks["sign"].to_numpy(),
            "days_due": 14,
        }
    )
    people = table.assign(segment=table["stage"].astype(str))
    people.attrs = {"as_of": periods.as_of(table, as_of).isoformat()}
    todo = evaluation.actions.action_list(
        people,
        plan,
        capacity=capacity,
        control_share=control_share,
        value="clv" if "clv" in table.columns else "spend",
        segments_wanted=["decline"] if len(plan) else None,
        seed=seed,
    )
    reasons = table["reason"]
    todo["reason"] = [reasons[customer] for customer in todo["customer_id"]]
    return todo


def key_figures(orders: "Transactions", as_of: object) -> tuple[pd.DataFrame | None, str]:
    """Key figures of the last period that the data hold twice: a quarter, a month or a week; or None with why."""
    reason = ""
    for period in ("3 months", "1 month", "1 week"):
        try:
            return evaluation.kpi.measure(orders, period=period, as_of=as_of), ""
        except InputError as error:
            reason = reason or str(error)
    return None, f"Key figures of two periods are not shown: {reason}"


def cohort_table(orders: "Transactions", as_of: object) -> tuple[pd.DataFrame | None, str]:
    """Cohorts by month, by quarter if there are more than 24 months, by week if there are less than three; or why not."""
    days = (periods.day(as_of) - orders.first_day).days
    period = "quarters" if days > 24 * 31 else "months" if days > 90 else "weeks"
    try:
        found = lifecycle.retention.cohorts(orders, period=period, as_of=as_of)
        return found, found.attrs.get("note") or ""
    except InputError as reason:
        return None, f"Cohorts are not shown: {reason}"
