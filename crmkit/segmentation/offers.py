"""What an offer for the store brand earns, cell by cell: from stated assumptions, and from an experiment's read-out."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from crmkit.errors import ColumnError, InputError
from crmkit.evaluation.experiments import CONTROL, uplift
from crmkit.segmentation.brands import needs

if TYPE_CHECKING:
    from crmkit.tables import Transactions

__all__ = ["effects", "margin_after", "value"]


def value(
    responses: pd.DataFrame,
    *,
    store_margin: float,
    national_margin: float,
    discount: float,
    contact_cost: float,
    replaced: float = 1.0,
    later: float = 0.0,
    pulled: float = 0.0,
) -> pd.DataFrame:
    """What does an offer for the store brand earn per household written to, once those who would have bought anyway are taken off?

    Parameters
        responses: one row a cell (any index): `without`, the share who buy the store brand in the time of the offer anyway;
            `added`, the share who buy it only because of the offer; optional `added_low` and `added_high`.
        store_margin, national_margin: margin of a purchase at full price; discount: money taken off it; contact_cost: per letter.
        replaced: share of the added purchases that a national brand of ours would have had.
        later: further purchases in which a household that was won stays with the store brand instead of a national one.
        pulled: share of the added purchases that a household only made earlier than it would have.
    Returns: the columns of `responses` and, in money per household: `won` (margin of the added purchases), `discount_won` and
        `discount_anyway` (what is taken off for those won, and for those who would have bought anyway), `contact`, `value` (won −
        both discounts − contact) with `low` and `high` (the ends of `added`; missing without them), `naive` (every purchase with
        the offer counted as won), `needed` (the added share at which value is 0; missing if none up to 1 is enough).
    Raises: ColumnError, InputError for shares outside 0 to 1, a sum of shares above 1, negative money.
    Source: 004.1b wants the highest first discount for heavy users and gives no figures; the arithmetic is ours.

    >>> cell = pd.DataFrame({"without": [0.30], "added": [0.10]}, index=["switcher, high"])
    >>> found = value(cell, store_margin=3.0, national_margin=2.0, discount=1.0, contact_cost=0.05, later=4)
    >>> found[["won", "discount_anyway", "value", "naive"]].round(2).iloc[0].to_list()
    [0.5, 0.3, 0.05, 0.75]
    """
    needs(responses, ("without", "added"))
    amounts = {
        "discount": discount,
        "contact_cost": contact_cost,
        "later": later,
        "replaced": replaced,
        "pulled": pulled,
    }
    for name, amount in amounts.items():
        most = 1 if name in ("replaced", "pulled") else 1e12
        if not 0 <= amount <= most:
            raise InputError(f"{name}={amount!r} must be a {'share from 0 to 1' if most == 1 else 'number from 0'}.")
    ends = [name for name in ("added_low", "added_high") if name in responses]
    wrong = ~(responses["without"].between(0, 1) & (responses["without"] + responses["added"]).between(-1e-9, 1 + 1e-9))
    if wrong.any():
        row = responses[wrong].iloc[0]
        raise InputError(
            f"{int(wrong.sum())} of {len(responses)} cells have impossible shares, such as without={row['without']:g}, "
            f"added={row['added']:g}: from 0 to 1, and no more than 1 together."
        )
    each = (1 - pulled) * (store_margin - replaced * national_margin + later * (store_margin - national_margin))

    def earned(added: "pd.Series[float]") -> "pd.Series[float]":
        return added * each - (responses["without"] + added) * discount - contact_cost

    table = responses.copy()
    table["won"] = responses["added"] * each
    table["discount_won"] = responses["added"].clip(lower=0) * discount
    table["discount_anyway"] = responses["without"] * discount
    table["contact"] = contact_cost
    table["value"] = earned(responses["added"])
    table["low"] = table["high"] = np.nan
    if len(ends) == 2:
        both = pd.concat([earned(responses[name]) for name in ends], axis=1)
        table["low"], table["high"] = both.min(axis=1), both.max(axis=1)
    table["naive"] = (responses["without"] + responses["added"]) * (store_margin - discount) - contact_cost
    short = responses["without"] * discount + contact_cost
    needed = short / (each - discount if each > discount else np.nan)
    table["needed"] = needed.where(needed + responses["without"] <= 1)
    return table


def margin_after(
    transactions: "Transactions", contacts: pd.DataFrame, *, days: int, store_brand: str | Iterable[str] = "Private"
) -> pd.DataFrame:
    """What did each household of a campaign buy in the category afterwards, whether the letter reached it or not?

    The margin of the **whole** category counts: who was won from a national brand brings the store brand's margin and takes
    away the other, and who stocked up is missing later, if `days` is long enough.

    Parameters
        transactions: the order book of the category, with the roles brand, quantity and unit_cost; amounts as paid.
        contacts: one row a household: `customer_id`, `sent_on` (for the control group the day on which it would have been).
        days: length of the look, from the day after the letter.
    Returns: by `customer_id`, in the order of `contacts`: `store_purchases`, `purchases` (days with one), `bought_store` (bool),
        `margin` (amount − quantity × unit_cost of all rows, refunds included). Who bought nothing has 0, not missing.
    Raises: ColumnError for a missing role or column; InputError for households twice, or a look beyond the end of the data.
    """
    needs(contacts, ("customer_id", "sent_on"))
    rows = transactions.table
    for role in ("brand", "quantity", "unit_cost"):
        if role not in rows.columns:
            raise ColumnError(f"margin_after needs the role {role}; name it in Transactions.read(…, {role}=…).")
    if contacts["customer_id"].duplicated().any():
        raise InputError(f"{int(contacts['customer_id'].duplicated().sum()):,} households stand in contacts twice.")
    sent = pd.to_datetime(contacts["sent_on"]).dt.normalize()
    last = sent.max() + pd.Timedelta(days=days)
    if not days >= 1 or last > pd.Timestamp(transactions.last_day):
        raise InputError(
            f"days={days}: the look from {sent.max().date()} ends on {last.date()}, the data on {transactions.last_day}."
        )
    own = [store_brand] if isinstance(store_brand, str) else [*store_brand]
    frame = pd.DataFrame({"customer_id": contacts["customer_id"], "sent_day": sent.dt.date})
    seen = rows.inner_join(ibis.memtable(frame), "customer_id")
    seen = seen.filter(seen.day > seen.sent_day, seen.day.delta(seen.sent_day, unit="day") <= days)
    bought = (seen.amount >= 0) & (seen.quantity > 0)
    # a pack that came back costs nothing, whatever the sign with which its quantity was booked
    units = ibis.ifelse(seen.amount < 0, -seen.quantity.abs(), seen.quantity)
    found = seen.group_by("customer_id").aggregate(
        store_purchases=seen.day.nunique(where=bought & seen.brand.isin(own)),
        purchases=seen.day.nunique(where=bought),
        margin=(seen.amount - units.fill_null(0) * seen.unit_cost.fill_null(0)).sum().cast("float64"),
    )
    table = found.to_pyarrow().to_pandas().set_index("customer_id")
    table = table.reindex(pd.Index(contacts["customer_id"], name="customer_id")).fillna(0)
    table = table.astype({"store_purchases": "int64", "purchases": "int64"})
    table.insert(2, "bought_store", table["store_purchases"] > 0)
    return table


def effects(
    test: pd.DataFrame, outcome: str, *, arm: str = "arm", by: str = "cell", design: str = "randomised"
) -> pd.DataFrame:
    """Several offers were tried in several cells: what did each change against the control group, and is it more than luck?

    Parameters: `test`, one row a household with `arm` ("control" and the offers), `by` (known before the offer) and the outcome.
    Returns: index (`by`, `arm`), arms in the order of their first row: the columns of `evaluation.experiments.uplift`; `low_all`
        and `high_all` hold for all cells and all arms together. attrs: as there.
    Raises: as `evaluation.experiments.uplift`; InputError without a control group or without an offer.

    >>> test = pd.DataFrame({"arm": ["control", "10 %", "30 %"] * 40, "cell": ["store, low"] * 120, "bought": [0, 0, 1] * 40})
    >>> effects(test, "bought")["effect"].to_list()
    [0.0, 1.0]
    """
    needs(test, (arm, by, outcome))
    arms = [name for name in test[arm].astype(object).unique() if name != CONTROL]
    if not arms or len(arms) == test[arm].nunique():
        raise InputError(
            f"{arm!r} needs {CONTROL!r} and at least one offer, not {', '.join(map(repr, test[arm].unique()))}."
        )
    parts, shared = {}, 1 - 0.05 / len(arms)
    for name in arms:
        pair = test[test[arm].isin([name, CONTROL])].assign(**{arm: lambda rows: rows[arm].astype(str)})
        parts[name] = uplift(pair, outcome, by, design=design, group=arm)
        wide = uplift(pair, outcome, by, design=design, group=arm, level=shared)
        parts[name][["low_all", "high_all"]] = wide[["low_all", "high_all"]]
    table = pd.concat(parts, names=[arm, by]).swaplevel()
    order = [(cell, name) for cell in parts[arms[0]].index for name in arms]
    table = table.reindex(pd.MultiIndex.from_tuples(order, names=[by, arm]))
    table.attrs = {**parts[arms[0]].attrs}
    return table
