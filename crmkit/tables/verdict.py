"""What the data can carry: the facts that decide it, and for each analysis of the kit yes, with care, or no."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crmkit.periods import Horizon
from crmkit.tables.transactions import Transactions

YES, CARE, NO = "yes", "with care", "no"
Answer = tuple[str, str]  # one of these, and why


@dataclass
class Verdict:
    """`facts` (a dict), `needs` (DataFrame: `analysis`, `met`, `why`) and, as text, both."""

    name: str
    facts: dict[str, Any]
    needs: Any

    def __str__(self) -> str:
        lines = [f"{self.name}: what the data can carry"]
        lines += [f"  {label:<34} {text}" for label, text in _in_words(self.facts)]
        lines += [f"  {met.upper():<9}  {analysis}: {why}" for analysis, met, why in self.needs.itertuples(index=False)]
        return "\n".join(lines)

    __repr__ = __str__


def check(transactions: Transactions) -> Verdict:
    """Can I trust an analysis of this table? Facts about it, and a verdict for each analysis of the kit.

    Facts: `customers`; `repeat_buyers` (bought on two days or more); `orders` (distinct order_id, else days with a
    purchase of a customer); `first_day`, `last_day`, `span_days`; `first_seen_early` (share of customers first seen
    in the first twelfth of the span; steady arrival gives a twelfth, much more means that their history before the
    data is missing, or that the table is one intake of customers); `longest_gap_days` without any order;
    `median_days_between` the purchase days of a customer; `variation` of these (coefficient within a customer, the
    median over customers with three intervals or more: 0 is a clock, 1 is chance); `currency`; `time_zone`; `roles`
    (the names of the columns that have one).

    >>> import pandas as pd
    >>> rows = pd.DataFrame({"customer_id": [1, 1, 2], "ordered_at": ["2026-01-01", "2026-01-31", "2026-01-31"],
    ...                      "amount": [10, 20, 5]})
    >>> verdict = check(Transactions.read(rows))
    >>> verdict.facts["customers"], verdict.facts["repeat_buyers"], verdict.facts["median_days_between"]
    (2, 1, 30.0)
    >>> verdict.needs.met.tolist()[:3]
    ['with care', 'no', 'with care']
    """
    import pandas as pd

    facts = _facts(transactions)
    needs = [(analysis, *rule(facts)) for analysis, rule in NEEDS.items()]
    return Verdict(transactions.name, facts, pd.DataFrame(needs, columns=["analysis", "met", "why"]))


def _facts(transactions: Transactions) -> dict[str, Any]:
    import ibis

    first_day, last_day = transactions.first_day, transactions.last_day
    table = transactions.table
    visits = table.filter(table.amount >= 0).select("customer_id", "day").distinct()
    each = visits.group_by("customer_id").aggregate(first=visits.day.min(), days=visits.count())
    arrivals = each.group_by("first").aggregate(customers=each.count(), repeat=(each.days > 1).cast("int64").sum())
    arrived = arrivals.to_pyarrow().to_pylist()
    customers = sum(row["customers"] for row in arrived)
    span = (last_day - first_day).days + 1
    early = sum(row["customers"] for row in arrived if (row["first"] - first_day).days < span / 12)

    by_day = visits.group_by("day").aggregate(visits=visits.count()).order_by("day").to_pyarrow()
    days = by_day["day"].to_pylist()
    gaps = [(later - earlier).days - 1 for earlier, later in itertools.pairwise(days)]
    orders = (
        table.order_id.nunique().to_pyarrow().as_py()
        if "order_id" in table.columns
        else sum(by_day["visits"].to_pylist())
    )

    in_turn = ibis.window(group_by="customer_id", order_by="day")
    waits = visits.mutate(wait=visits.day.delta(visits.day.lag().over(in_turn), unit="day").cast("float64"))
    waits = waits.filter(waits.wait.notnull())
    rhythm = waits.group_by("customer_id").aggregate(
        number=waits.count(), mean=waits.wait.mean(), spread=waits.wait.std()
    )
    rhythm = rhythm.filter(rhythm.number >= 3)
    return {
        "customers": customers,
        "repeat_buyers": sum(row["repeat"] for row in arrived),
        "orders": orders,
        "first_day": first_day,
        "last_day": last_day,
        "span_days": span,
        "first_seen_early": early / customers if customers else None,
        "longest_gap_days": max(gaps, default=0),
        "median_days_between": waits.wait.median().to_pyarrow().as_py(),
        "variation": (rhythm.spread / rhythm["mean"]).median().to_pyarrow().as_py(),
        "currency": transactions.currency,
        "time_zone": transactions.time_zone,
        "roles": list(transactions.roles),
    }


def _in_words(facts: dict[str, Any]) -> list[tuple[str, str]]:
    customers, repeat = facts["customers"], facts["repeat_buyers"]
    words = [
        ("customers", f"{customers:,}"),
        ("of them bought on two days or more", f"{repeat:,} ({repeat / customers:.0%})" if customers else "0"),
        ("orders", f"{facts['orders']:,}"),
        ("span", f"{facts['first_day']} to {facts['last_day']}, {facts['span_days']:,} days"),
        ("longest time without any order", f"{facts['longest_gap_days']:,} days"),
    ]
    if facts["first_seen_early"] is not None:
        words.append(("first seen in the first twelfth", f"{facts['first_seen_early']:.0%} (steady arrival: 8%)"))
    if facts["median_days_between"] is not None:
        words.append(("days between a customer's orders", f"{facts['median_days_between']:g} (median)"))
    if facts["variation"] is not None:
        words.append(("their variation", f"{facts['variation']:.2f} (0 is a clock, 1 is chance)"))
    words.append(("currency", facts["currency"] or "not named"))
    words.append(("time zone of the days", facts["time_zone"] or "not named: days as written in the source"))
    return words


# --- what each analysis needs ------------------------------------------------------------------------------------


def _rfm(facts: dict[str, Any]) -> Answer:
    customers, repeat = facts["customers"], facts["repeat_buyers"]
    if customers < 2:
        return NO, f"it compares customers, and the table has {customers}."
    if repeat == 0:
        return CARE, "nobody bought twice, so frequency says nothing; score recency and money only."
    if customers < 50:
        return CARE, f"with {customers} customers a fifth is {customers // 5}; use 3 bins, and look at each customer."
    if repeat < 0.2 * customers:
        return CARE, f"only {repeat / customers:.0%} bought again, so most share the lowest frequency score."
    if facts["longest_gap_days"] > max(30, 0.1 * facts["span_days"]):
        return (
            CARE,
            f"nothing was sold for {facts['longest_gap_days']} days; if the export has a hole, recency is wrong.",
        )
    return YES, f"{customers:,} customers, {repeat / customers:.0%} bought again."


def _migration(facts: dict[str, Any]) -> Answer:
    if facts["customers"] < 2 or facts["repeat_buyers"] == 0:
        return NO, "nobody bought on two days, so nobody can move between segments."
    wait = facts["median_days_between"] or 0
    if facts["span_days"] < 4 * wait or facts["span_days"] < 56:
        return (
            NO,
            f"{facts['span_days']} days are too short for two dates; customers come back after {Horizon(wait, 'days')}, "
            f"so have at least {max(56, round(4 * wait))}.",
        )
    if facts["first_seen_early"] > 0.25:
        return (
            CARE,
            f"{facts['first_seen_early']:.0%} of the customers are first seen in the first twelfth: their earlier history is "
            "missing, or all joined then. Put the first date well after the beginning.",
        )
    return YES, f"{facts['span_days']:,} days hold two dates that are far enough apart."


def _action_list(facts: dict[str, Any]) -> Answer:
    customers = facts["customers"]
    if customers < 2:
        return NO, f"there is nobody to choose from: the table has {customers} customer{'' if customers == 1 else 's'}."
    if customers < 1000:
        return (
            CARE,
            f"a list can be made, but a control group of 10 % is {customers // 10} customers: too few to see what it brought.",
        )
    return YES, f"of {customers:,} customers, a control group can be held out."


def _stages(facts: dict[str, Any]) -> Answer:
    wait, span = facts["median_days_between"], facts["span_days"]
    if wait is None:
        return (
            NO,
            "nobody bought on two days, so no rhythm can be measured; name a usual gap in the rules of the stages.",
        )
    if span < 6 * wait:
        return (
            CARE,
            f"{span:,} days are less than six usual gaps of {Horizon(wait, 'days')}: growth and decline cannot be told yet.",
        )
    if facts["first_seen_early"] > 0.25:
        return CARE, "who was a customer before the data begin looks new there; take a day well after the beginning."
    return (
        YES,
        f"customers come back after {Horizon(wait, 'days')} (median), and the data hold {span / wait:.0f} such gaps.",
    )


def _cohorts(facts: dict[str, Any]) -> Answer:
    if facts["span_days"] < 60:
        return NO, f"{facts['span_days']} days hold no two whole months; a cohort needs a later period to come back in."
    if facts["first_seen_early"] > 0.25:
        return (
            CARE,
            f"{facts['first_seen_early']:.0%} of the customers are first seen in the first twelfth: the first cohorts hold old "
            "customers, so leave them out.",
        )
    return YES, "customers arrive throughout the data, so cohorts can be compared."


def _value(facts: dict[str, Any]) -> Answer:
    repeat, wait, span = facts["repeat_buyers"], facts["median_days_between"], facts["span_days"]
    if repeat < 30:
        return NO, f"{repeat} customers bought again; a purchase model needs at least 30, better some hundreds."
    if span < 6 * (wait or span):
        return (
            NO,
            f"{span:,} days are less than six usual gaps of {Horizon(wait, 'days')}; a third must be held out to judge the model.",
        )
    if facts["first_seen_early"] > 0.25:
        return CARE, "the age of customers from before the data is unknown, and the models count it from the first row."
    if facts["variation"] is not None and facts["variation"] < 0.5:
        return (
            CARE,
            f"customers buy more regularly (variation {facts['variation']:.2f}) than the models assume (1): if there is a "
            "contract, use the models for contracts.",
        )
    return YES, f"{repeat:,} customers bought again; trust a model only with its scorecard."


def _watch(facts: dict[str, Any]) -> Answer:
    wait, span, repeat = facts["median_days_between"], facts["span_days"], facts["repeat_buyers"]
    if repeat < 30:
        return NO, f"{repeat} customers bought again: too few habits to be late against."
    if span < 4 * wait:
        return (
            NO,
            f"{span:,} days are less than four usual gaps of {Horizon(wait, 'days')}: a silence cannot be judged afterwards.",
        )
    if facts["longest_gap_days"] > max(30, 0.1 * span):
        return CARE, f"nothing was sold for {facts['longest_gap_days']} days: everybody looks late after such a gap."
    return YES, f"{repeat:,} customers have a habit that a silence can be held against."


def _clusters(facts: dict[str, Any]) -> Answer:
    customers, repeat = facts["customers"], facts["repeat_buyers"]
    if customers < 50:
        return NO, f"groups of {customers} customers are found anew in every sample; look at each customer instead."
    if customers < 500:
        return CARE, f"with {customers} customers take two or three groups, and believe the agreement of the halves."
    if repeat < 0.2 * customers:
        return CARE, f"only {repeat / customers:.0%} bought again, so recency and money alone make the groups."
    return YES, f"{customers:,} customers; trust a group only if both halves of them find it."


def _baskets(facts: dict[str, Any]) -> Answer:
    if not {"category", "product_id", "brand"} & set(facts["roles"]):
        return NO, "no column says what was bought; name category, product_id or brand."
    if "order_id" not in facts["roles"]:
        return NO, "no column says which lines were bought together; name order_id."
    if facts["orders"] < 1000:
        return CARE, f"of {facts['orders']:,} baskets only the commonest pairs can be told from chance."
    return YES, f"{facts['orders']:,} baskets; a rule should be seen again in a later period."


def _brands(facts: dict[str, Any]) -> Answer:
    if "brand" not in facts["roles"]:
        return NO, "no column says whose brand was bought; name brand."
    if "category" not in facts["roles"]:
        return CARE, "no column names the category, so brands of everything are counted together; name category."
    if facts["repeat_buyers"] < 0.5 * facts["customers"]:
        return CARE, "most customers came once, and who came once cannot be seen to switch."
    return YES, f"{facts['repeat_buyers']:,} customers came back and could switch."


def _due(facts: dict[str, Any]) -> Answer:
    wait, variation = facts["median_days_between"], facts["variation"]
    if facts["repeat_buyers"] < 30 or variation is None:
        return NO, f"{facts['repeat_buyers']} customers bought again, too few of them often enough to show a rhythm."
    if facts["span_days"] < 4 * wait:
        return NO, f"{facts['span_days']:,} days are less than four usual gaps of {Horizon(wait, 'days')}."
    if variation > 0.8:
        return CARE, f"purchases come nearly at random (variation {variation:.2f}), so a due date is often wrong."
    return YES, f"customers keep a rhythm (variation {variation:.2f}); prove it on days held out."


#: Analysis → what it needs. A new analysis of the kit adds its line here.
NEEDS: dict[str, Callable[[dict[str, Any]], Answer]] = {
    "rfm": _rfm,
    "rfm migration": _migration,
    "action list": _action_list,
    "six stages": _stages,
    "cohorts and retention": _cohorts,
    "customer value": _value,
    "churn warning": _watch,
    "clusters": _clusters,
    "rules of baskets": _baskets,
    "brand and usage": _brands,
    "due dates": _due,
}
