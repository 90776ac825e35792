"""Winning lost customers back: who is worth a contact, and a call list that its budget holds and that can be measured."""

import bisect
import math
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from crmkit import periods
from crmkit.errors import InputError, KindError, in_range
from crmkit.evaluation import actions
from crmkit.tables import consent as consents
from crmkit.tables.frames import by_customer, needs

PLAN = ("reason", "action", "words", "days_due")
#: What an action list says of a customer whose value and chance are known.
_FACTS = (
    SimpleNamespace(column="value", label="value", words="worth {money}"),
    SimpleNamespace(column="p_win", label="chance", words="{percent} to be won by a contact"),
)


def shortlist(
    lost: pd.DataFrame,
    *,
    p_win: "float | str | Mapping[Any, float]",
    cost: "float | str | Mapping[Any, float]",
    value: str = "value",
    reason: str = "reason",
    fitting: Iterable[str] | None = None,
    consent: str | None = "consent",
    as_of: object = None,
) -> pd.DataFrame:
    """Who of the lost is worth a contact?

    Expected value of a contact = P(win) × value − cost.

    Parameters
        lost: one row a lost customer, by index or column customer_id.
        p_win: the chance that the contact wins the customer back: a column, one number, or a chance for each reason. Take what the
            contact *adds*, from an experiment (returns with contact minus returns without): who would return anyway is
            not won.
        cost: of one contact, likewise. value: the column with what a won customer is worth, in money.
        reason: the column with why somebody left. fitting: the reasons that we can do something about; all, the unknown
            included, unless given.
        consent: the column that says who may be contacted; only a clear yes counts (any spelling that
            `tables.consent.read` knows). None says that no consent is needed.
    Returns: one row a customer, indexed by customer_id, best first: `reason`, `p_win`, `value`, `cost`, `expected_value`,
        `listed` (bool), `why_not` ("" or: no consent, consent unclear, reason does not fit, not worth the contact).
        attrs: `as_of` if known, `counts` (customers by `why_not`).
    Raises: ColumnError; InputError for chances outside 0 to 1, negative costs, customers twice.
    Source: 002.A3 (filter by reason, remind the seller) and K-53 of the kit's inventory.

    >>> lost = pd.DataFrame({"reason": ["price", "moved away", "price"], "value": [200.0, 500.0, 40.0],
    ...                      "consent": ["yes", "Y", "1"]}, index=pd.Index(["a", "b", "c"], name="customer_id"))
    >>> shortlist(lost, p_win=0.1, cost=6, fitting=["price"])[["expected_value", "listed", "why_not"]]
                 expected_value  listed              why_not
    customer_id
    b                      44.0   False  reason does not fit
    a                      14.0    True
    c                      -2.0   False not worth the contact
    """
    customers = by_customer(lost, "lost")
    table = pd.DataFrame({"reason": _column(customers, reason)})
    table["p_win"] = _each(customers, p_win, table["reason"], "p_win", 1)
    table["value"] = _each(customers, value, table["reason"], "value", math.inf)
    table["cost"] = _each(customers, cost, table["reason"], "cost", math.inf)
    table["expected_value"] = table["p_win"] * table["value"] - table["cost"]
    answers = consents.read(_column(customers, consent)) if consent else pd.Series("yes", index=table.index)
    wanted = table["reason"].isin(list(fitting)) if fitting is not None else pd.Series(True, index=table.index)
    table["why_not"] = np.select(
        [answers == "no", answers != "yes", ~wanted, table["expected_value"] <= 0],
        ["no consent", "consent unclear", "reason does not fit", "not worth the contact"],
        "",
    )
    table["listed"] = table["why_not"] == ""
    table["_key"] = table.index.astype(str)
    table = table.sort_values(["expected_value", "_key"], ascending=[False, True])
    table = table[["reason", "p_win", "value", "cost", "expected_value", "listed", "why_not"]].rename_axis(
        "customer_id"
    )
    day = as_of if as_of is not None else lost.attrs.get("as_of")
    table.attrs = {"counts": table["why_not"].value_counts().to_dict()}
    table.attrs |= {"currency": lost.attrs.get("currency")} | ({"as_of": periods.day(day).isoformat()} if day else {})
    return table


def call_list(
    shortlisted: pd.DataFrame,
    plan: pd.DataFrame,
    *,
    budget: float,
    control_share: float = 0.1,
    seed: int = 1,
    as_of: object = None,
) -> pd.DataFrame:
    """Whom do we call for this budget, with what, and whom do we leave alone to see whether it helped?

    Taken are those with the most expected value for each unit of money, as long as the budget pays the contacts whoever
    of them the lot holds out. The list itself is an `actions.action_list`: random control group, reason, date due.

    Parameters
        shortlisted: from `shortlist`.
        plan: one row a reason: `reason` (as in the shortlist), `action`, `words` (what the reason means, for the caller),
            `days_due`. Reasons without an action are not called.
        budget: money for contacts. control_share, seed, as_of: as `actions.action_list`.
    Returns: the action list (`segment` is the reason for leaving, `value` the expected value), with `cost` last. attrs: as
        `action_list`, with `budget`, `planned_cost` (of the contacted) and `expected_value` (of the contacted).
    Raises: InputError if the budget pays no contact, or nobody is listed.

    >>> lost = pd.DataFrame({"reason": ["price"] * 4, "value": [200.0, 150.0, 400.0, 90.0], "consent": "yes"},
    ...                     index=pd.Index(["a", "b", "c", "d"], name="customer_id"))
    >>> plan = pd.DataFrame({"reason": ["price"], "action": ["Call"], "words": ["found it too dear"], "days_due": [7]})
    >>> calls = call_list(shortlist(lost, p_win=0.1, cost=6), plan, budget=12, control_share=0.25, as_of="2025-12-31")
    >>> calls["customer_id"].to_list(), calls.attrs["planned_cost"], calls.attrs["held_out"]
    (['c', 'a', 'b'], 12.0, 1)
    """
    needs(plan, PLAN, "plan")
    listed = shortlisted[_column(shortlisted, "listed", "shortlisted") & shortlisted["reason"].isin(plan["reason"])]
    if listed.empty:
        raise InputError("nobody is on the shortlist with a reason that the plan has an action for; see its `why_not`.")
    in_range("budget", budget, 0, ends="(]", what="an amount of money")
    in_range("control_share", control_share, 0, 1, ends="[)", what="a share (0: no control group)")
    worth = (listed["expected_value"] / listed["cost"].where(listed["cost"] > 0, np.nan)).fillna(math.inf)
    by_worth = listed.assign(_worth=worth, _key=listed.index.astype(str)).sort_values(
        ["_worth", "_key"], ascending=[False, True]
    )
    costs = by_worth["cost"].to_numpy(float)

    def contacts(number: int) -> int:
        return number - min(math.ceil(round(number * control_share, 9)), number - 1)

    def dearest(number: int) -> float:
        """What the contacts cost at most, if this many are chosen: the lot may hold out the cheapest."""
        return np.sort(costs[:number])[number - contacts(number) :].sum()

    # `dearest` never falls when one more is chosen, so the last number that the budget pays is found by halving
    places = bisect.bisect_right(range(1, len(costs) + 1), budget + 1e-9, key=dearest)
    if places:  # one more would only enlarge the control group beyond its share
        places = min(places, math.ceil(round(contacts(places) / (1 - control_share), 9)))
    if not places:
        raise InputError(f"budget={budget:g} pays no contact: the first costs {costs[0]:g}.")
    cards = plan.rename(columns={"reason": "segment"}).assign(reason=plan["words"], meaning=plan["words"])
    chosen = by_worth.head(places).rename(columns={"reason": "segment"})
    chosen.attrs = {**shortlisted.attrs, "dimensions": _FACTS}
    todo = actions.action_list(
        chosen, cards, control_share=control_share, value="expected_value", consent=False, seed=seed, as_of=as_of
    )
    todo["cost"] = listed["cost"].reindex(todo["customer_id"]).to_numpy()
    called = todo[todo["group"] == "contact"]
    todo.attrs |= {
        "budget": budget,
        "planned_cost": float(called["cost"].sum()),
        "expected_value": float(called["value"].sum()),
    }
    return todo


def _column(table: Any, column: str, name: str = "lost") -> "pd.Series[Any]":
    needs(table, [column], name)
    return table[column]


def _each(
    customers: pd.DataFrame, given: Any, reasons: "pd.Series[Any]", name: str, highest: float
) -> "pd.Series[float]":
    """One figure a customer: from a column, for each reason, or the same for all."""
    if isinstance(given, str):
        values = pd.to_numeric(_column(customers, given), errors="coerce").astype(float)
    elif isinstance(given, Mapping):
        values = reasons.map(given).astype(float)
    elif isinstance(given, (int, float, np.number)) and not isinstance(given, bool):
        values = pd.Series(float(given), index=customers.index)
    else:
        raise KindError(f"{name} must be a column, a number, or a number for each reason, not {type(given).__name__}.")
    wrong = ~values.between(0, highest)
    if wrong.any():
        limits = "0 and 1" if highest == 1 else "0 and more"
        raise InputError(
            f"{name}: {wrong.sum():,} of {len(values):,} customers have no number between {limits}, such as "
            f"{values.index[wrong][0]!r} ({values[wrong].iloc[0]:g}, reason {reasons[wrong].iloc[0]!r})."
        )
    return values
