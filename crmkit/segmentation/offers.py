"""What an offer for the store brand earns, cell by cell: from stated assumptions, and from an experiment's read-out."""

import datetime
from collections.abc import Iterable
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from crmkit import periods
from crmkit.errors import ColumnError, InputError, in_range
from crmkit.evaluation.experiments import CONTROL, uplift
from crmkit.segmentation.brands import no_own_brand, own_brand
from crmkit.tables.frames import complete, id_text, needs, once, rows_of

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
        both discounts − contact) with `low` and `high` (at `added_low` and `added_high`, as far as shares can go; missing without
        them; `without`, margins and `later` are taken as sure, so in truth it is wider), `naive` (every purchase with the offer
        counted as won), `needed` (the added share at which value is 0; missing if none up to 1 is enough).
    Raises: ColumnError; InputError for shares outside 0 to 1, a sum of shares outside 0 to 1, a negative discount or cost.
    Source: 004.1b wants the highest first discount for heavy users and gives no figures; the arithmetic is ours.

    >>> cell = pd.DataFrame({"without": [0.30], "added": [0.10]}, index=["switcher, high"])
    >>> found = value(cell, store_margin=3.0, national_margin=2.0, discount=1.0, contact_cost=0.05, later=4)
    >>> found[["won", "discount_anyway", "value", "naive"]].round(2).iloc[0].to_list()
    [0.5, 0.3, 0.05, 0.75]
    """
    needs(responses, ("without", "added"), "responses")
    for name, amount in {"store_margin": store_margin, "national_margin": national_margin}.items():
        in_range(name, amount, -np.inf, what="an amount of money")
    for name, amount in {"discount": discount, "contact_cost": contact_cost, "later": later}.items():
        in_range(name, amount, 0)
    for name, share in {"replaced": replaced, "pulled": pulled}.items():
        in_range(name, share, 0, 1, what="a share")
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
    table["discount_anyway"] = (responses["without"] + responses["added"].clip(upper=0)) * discount
    table["contact"] = contact_cost
    table["value"] = earned(responses["added"])
    table["low"] = table["high"] = np.nan
    if len(ends) == 2:
        possible = (-responses["without"], 1 - responses["without"])
        both = pd.concat([earned(responses[name].clip(*possible)) for name in ends], axis=1)
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
        contacts: one row a household: `customer_id`, `sent_on` (for the control group the day on which it would have been; a
            moment with a time zone is read in that of the transactions).
        days: length of the look, from the day after the letter.
        store_brand: as in `brands.usage`.
    Returns: by `customer_id`, in the order of `contacts`: `store_purchases`, `purchases` (days with one), `bought_store` (bool),
        `margin` (amount − quantity × unit_cost of all rows, refunds included). Who bought nothing has 0, not missing.
    Raises: KindError for anything but checked transactions; ColumnError for a missing role or column; InputError for households
        twice or unknown, a missing day, a look that begins before the data or ends after them, rows without a cost.

    >>> from crmkit.tables import Transactions
    >>> rows = pd.DataFrame({"customer_id": ["a", "a", "b"], "ordered_at": ["2026-01-01", "2026-01-09", "2026-02-20"], "amount": 4,
    ...     "brand": ["National", "Private", "Private"], "quantity": 1, "unit_cost": [3, 1, 1]})
    >>> letters = pd.DataFrame({"customer_id": ["a", "b"], "sent_on": "2026-01-05"})
    >>> margin_after(Transactions.read(rows), letters, days=14)[["bought_store", "margin"]]
                 bought_store  margin
    customer_id
    a                    True     3.0
    b                   False     0.0
    """
    rows = rows_of(transactions, "margin_after")
    needs(contacts, ("customer_id", "sent_on"), "contacts")
    for role in ("brand", "quantity", "unit_cost"):
        if role not in rows.columns:
            raise ColumnError(f"margin_after needs the role {role}; name it in Transactions.read(…, {role}=…).")
    in_range("days", days, 1, what="a whole number of days", such_as=91)
    complete(contacts, ("customer_id", "sent_on"), "contacts")
    ids = pd.Index(contacts["customer_id"], name="customer_id")
    once(ids, "contacts", "households")
    sent = contacts["sent_on"]
    if getattr(sent.dtype, "tz", None) is not None:
        if transactions.time_zone is None:
            raise InputError(
                f"sent_on is in {sent.dt.tz}, the transactions name no time zone; give the days, as dates."
            )
        sent = sent.dt.tz_convert(transactions.time_zone)
    sent = sent.map(lambda moment: periods.day(moment, "sent_on"))
    kind = rows.customer_id.type()
    asked = pd.DataFrame({"customer_id": ids.map(id_text) if kind.is_string() else ids, "sent_day": sent.to_numpy()})
    try:
        there = rows.semi_join(ibis.memtable(asked), "customer_id").count().to_pyarrow().as_py()
    except ibis.common.exceptions.IbisTypeError:
        there = 0
    if not there:
        raise InputError(
            f"contacts: none of {len(ids):,} households is in the transactions, where customer_id holds {kind} such as "
            f"{rows.customer_id.min().to_pyarrow().as_py()!r}; use the same ids."
        )
    look = datetime.timedelta(days=days)
    if sent.max() + look > transactions.last_day:
        raise InputError(
            f"days={days}: the look from {sent.max()} ends on {sent.max() + look}, the data on {transactions.last_day}."
        )
    if sent.min() + look < transactions.first_day:
        raise InputError(
            f"days={days}: the look from {sent.min()} ends on {sent.min() + look}, before the data begin on "
            f"{transactions.first_day}."
        )
    seen = rows.inner_join(ibis.memtable(asked), "customer_id")
    seen = seen.filter(seen.day > seen.sent_day, seen.day.delta(seen.sent_day, unit="day") <= days)
    bought = (seen.amount >= 0) & (seen.quantity > 0)
    # a pack that came back costs nothing, whatever the sign with which its quantity was booked
    units = ibis.ifelse(seen.amount < 0, -seen.quantity.abs(), seen.quantity)
    cost = ibis.ifelse(units == 0, 0, units * seen.unit_cost)  # a voided line needs none
    found = seen.group_by("customer_id").aggregate(
        store_purchases=seen.day.nunique(where=bought & own_brand(seen, store_brand)),
        purchases=seen.day.nunique(where=bought),
        margin=(seen.amount - cost).sum().cast("float64"),
        without_cost=seen.count(where=cost.isnull()),
    )
    table = found.to_pyarrow().to_pandas().set_index("customer_id")
    if without := int(table.pop("without_cost").sum()):
        raise InputError(
            f"unit_cost or quantity is missing in {without:,} rows of these households in these {days} days: the margin is not "
            "known; fill them in, or leave these rows out of the transactions."
        )
    if (
        not table["store_purchases"].any()
        and not rows.filter(own_brand(rows, store_brand)).count().to_pyarrow().as_py()
    ):
        raise no_own_brand(rows, store_brand)
    table = table.reindex(asked["customer_id"]).set_axis(ids).fillna(0)
    table = table.astype({"store_purchases": "int64", "purchases": "int64"})
    table.insert(2, "bought_store", table["store_purchases"] > 0)
    return table


def effects(
    test: pd.DataFrame, outcome: str, *, arm: str = "arm", by: str = "cell", design: str = "randomised"
) -> pd.DataFrame:
    """Several offers were tried in several cells: what did each change against the control group, and is it more than luck?

    Parameters: `test`, one row a household with `arm` ("control" and the offers), `by` (known before the offer) and the outcome.
    Returns: index (`by`, `arm`), arms in the order of their first row: the columns of `evaluation.experiments.uplift`; `low_all`
        and `high_all` hold for all cells and all arms together (Bonferroni). A cell where an arm or the control group has too
        few households has missing effects. attrs: as there.
    Raises: as `evaluation.experiments.uplift`; InputError without a control group or without an offer, and if an arm or a cell
        is missing.

    >>> test = pd.DataFrame({"arm": ["control", "10 %", "30 %"] * 40, "cell": ["store, low"] * 120, "bought": [0, 0, 1] * 40})
    >>> effects(test, "bought")["effect"].to_list()
    [0.0, 1.0]
    """
    needs(test, (arm, by, outcome), "test")
    complete(test, (arm, by), "test")
    arms = [name for name in test[arm].unique() if name != CONTROL]
    if not arms or len(arms) == test[arm].nunique():
        raise InputError(
            f"{arm!r} needs {CONTROL!r} and at least one offer, not {', '.join(map(repr, test[arm].unique()))}."
        )
    cells, parts = list(test.groupby(by, observed=True).groups), {}
    looks = len(cells) * len(arms)
    for name in arms:
        pair = test[test[arm].isin([name, CONTROL])].astype({arm: str})
        alone = uplift(pair, outcome, by, design=design, group=arm)
        wide = uplift(pair, outcome, by, design=design, group=arm, level=1 - 0.05 / looks)
        alone[["low_all", "high_all"]] = wide[["low", "high"]]
        counts = {"contacted": 0, "held_out": 0}
        parts[name] = alone.reindex(cells).fillna(counts).astype(dict.fromkeys(counts, "int64"))
    table = (
        pd.concat(parts, names=[arm, by])
        .swaplevel()
        .reindex(pd.MultiIndex.from_product([cells, arms], names=[by, arm]))
    )
    warning = (
        f"{looks} effects were looked at: if no offer changed anything, one interval of 95 % in twenty would leave out zero all "
        "the same. Trust `low_all` and `high_all`, or test again."
    )
    table.attrs = {**alone.attrs, "warning": warning}
    return table
