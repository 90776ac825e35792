"""The portrait: what a firm knows of each customer, in six parts, on one day; and whom it does not know.

Columns keep plain names, so that a rule of `segmentation.tags` can speak of them: `points > 500 AND orders_tea >= 3`.
"""

import datetime
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import ibis
import numpy as np
import pandas as pd

from crmkit import periods
from crmkit.errors import ColumnError, InputError, KindError, near_misses
from crmkit.evaluation import experiments
from crmkit.lifecycle.customer_summary import summary
from crmkit.tables.frames import by_customer, complete, days, needs, rows_of

if TYPE_CHECKING:
    from crmkit.tables import Transactions

__all__ = ["PARTS", "Ledger", "Pieces", "build", "coverage", "known_by"]

#: The six parts, in the order of the source.
PARTS = ("basic", "member", "tags", "assets", "consumption", "preference")
_CONSUMPTION = ("orders", "spend", "mean_order_value", "first_order", "last_order", "recency_days")
_PREFERENCE = ("category", "brand", "channel", "store_id")
_DETAILS = ("_last_entry", "_next_end", "_share")


class Ledger(NamedTuple):
    """An asset kept as signed entries, such as points or a balance: the table, its signed column, its day."""

    table: pd.DataFrame
    quantity: str
    on: str = "booked_at"


class Pieces(NamedTuple):
    """An asset kept piece by piece, such as coupons: the table, the days of issue and use, the last day of validity."""

    table: pd.DataFrame
    given: str = "issued_on"
    used: str = "used_on"
    until: str = "valid_until"


def build(
    customers: pd.DataFrame | None = None,
    transactions: "Transactions | None" = None,
    *,
    basic: Iterable[str] = (),
    member: Iterable[str] = (),
    assets: "Mapping[str, Ledger | Pieces] | None" = None,
    tags: pd.DataFrame | None = None,
    counts: "Mapping[str, Iterable[str]] | None" = None,
    recorded_on: str | None = None,
    sensitive: Iterable[str] = (),
    as_of: object = None,
) -> pd.DataFrame:
    """What did we know of each customer on that day?

    Parameters
    ----------
    customers : one row a customer, by index or column `customer_id`; only the columns named in `basic` (age, region) and
        `member` (kind, tier, consent) are taken. It tells the state of today: a table without a history cannot be put back.
    transactions : the checked order lines, for the parts consumption and preference; rows after `as_of` are not looked at.
    assets : name → `Ledger` (stock = the sum of the signed entries up to the end of `as_of`) or `Pieces` (those issued by
        then, not used by then, and valid on that day).
    tags : one row a customer and tag: `customer_id`, `tag`, and optional `since`, `until` (`segmentation.tags.apply`,
        `add_manual`, or a list kept by hand). Taken are those in force on the day.
    counts : role → values whose orders are counted, such as {"category": ["tea"], "channel": ["app"]}.
    recorded_on : the column of `customers` with the day on which a customer became known, a part of the member data; who came
        later is left out.
    sensitive : columns or tags that rules may not use without leave (`tags.preview` and `apply` hold it) and cards hide. A tag
        that a rule made of something sensitive is sensitive too, as long as `tags` has the attrs that `apply` gave it.
    as_of : the day; the last day of the transactions unless given.

    Returns
    -------
    DataFrame, one row a customer of `customers` or with an order, indexed by `customer_id`:

    - basic, member: the columns named;
    - tags: `tags` (those in force, joined by comma; without the sensitive ones), `tag_NAME` (yes/no) for each;
    - assets: for a ledger `NAME` and `NAME_last_entry`, for pieces `NAME` (how many) and `NAME_next_end`; missing for a
      customer who stands nowhere in the table;
    - consumption: `orders`, `spend`, `mean_order_value`, `first_order`, `last_order`, `recency_days` of `lifecycle.summary`;
    - preference: for each of the roles category, brand, channel, store_id that is there, `favourite_ROLE` (most money, refunds
      not counted) and `favourite_ROLE_share`; `orders_VALUE` for `counts`.

    attrs: `as_of`, `currency`, `parts` (part → columns, empty parts too), `sensitive` (columns), `tags` (column → tag),
    `recorded_on`, `notes` (what was left out, in words).

    Raises
    ------
    ColumnError for a missing column or role; InputError for a customer twice, what is no day or no number, a stock below
    zero, two columns of one name, a counted value that never occurs, no common customer.

    Source: 002.B10 (six parts of a member's portrait).

    >>> from crmkit.tables import Transactions
    >>> rows = pd.DataFrame({"customer_id": ["a", "a"], "ordered_at": ["2026-01-05", "2026-02-01"], "amount": [5.0, 9.0]})
    >>> people = pd.DataFrame({"customer_id": ["a", "b"], "region": ["north", None]})
    >>> points = pd.DataFrame({"customer_id": ["a", "a"], "booked_at": ["2026-01-05", "2026-03-01"], "points": [50, -20]})
    >>> found = build(people, Transactions.read(rows), basic=["region"], assets={"points": Ledger(points, "points")})
    >>> found[["region", "points", "orders"]]
                region  points  orders
    customer_id
    a            north    50.0     2.0
    b              NaN     NaN     NaN
    >>> [part for part, columns in found.attrs["parts"].items() if not columns]
    ['member', 'tags', 'preference']
    """
    if customers is None and transactions is None:
        raise InputError("a portrait needs customers, transactions, or both.")
    if transactions is not None:
        rows_of(transactions, "portrait.build")
    day = transactions.last_day if as_of is None and transactions is not None else periods.as_of(customers, as_of)
    basic, member, sensitive, notes = _listed(basic), _listed(member), _listed(sensitive), []
    parts: dict[str, list[pd.DataFrame]] = {part: [] for part in PARTS}
    ids, currency = pd.Index([], name="customer_id"), None
    if customers is not None:
        member += [recorded_on] if recorded_on and recorded_on not in [*basic, *member] else []
        table = _known(customers, [*basic, *member], recorded_on, day, notes)
        ids, parts["basic"], parts["member"] = table.index, [table[basic]], [table[member]]
    if transactions is not None:
        bought = summary(transactions, as_of=day)
        currency = bought.attrs["currency"]
        strangers = bought.index.difference(ids)
        if len(ids) and len(strangers) == len(bought):
            told = f"{ids[0]!r} in customers, {bought.index[0]!r} in the transactions"
            raise InputError(f"no customer is in both tables ({told}); is it the right column, of the same kind?")
        if customers is not None and len(strangers):
            notes.append(f"{len(strangers):,} customers have orders and no row in customers")
        ids = ids.append(strangers) if len(ids) else bought.index
        parts["consumption"] = [bought[list(_CONSUMPTION)]]
        parts["preference"] = _preferences(transactions, day, counts or {})
    elif counts:
        raise InputError("counts counts orders, and no transactions were given.")
    for name, asset in (assets or {}).items():
        stock = _stock(name, asset, day)
        _strangers(stock.index, ids, f"customers of {name}", notes)
        parts["assets"].append(stock)
    hidden = {}
    if tags is not None:
        sensitive += {*tags.attrs.get("sensitive", ())} & {*tags["tag"].unique()}
        labels, hidden = _tags(tags, ids, day, sensitive, notes)
        parts["tags"] = [labels]
    frames = [frame.reindex(ids) for part in PARTS for frame in parts[part]]
    whole = pd.concat(frames, axis=1) if frames else pd.DataFrame(index=ids)
    if not whole.columns.is_unique:
        twice = whole.columns[whole.columns.duplicated()][0]
        raise InputError(f"two columns of the portrait would be called {twice!r}; rename one.")
    for name in sensitive:
        if name not in whole and name not in hidden.values():
            raise ColumnError(f"sensitive: there is no column or tag {name!r}.{near_misses(name, whole.columns)}")
    whole.index.name = "customer_id"
    whole.attrs = {
        "as_of": day.isoformat(),
        "currency": currency,
        "parts": {part: [str(name) for frame in parts[part] for name in frame] for part in PARTS},
        "sensitive": [name for name in whole if name in sensitive or hidden.get(name) in sensitive],
        "tags": hidden,
        "recorded_on": recorded_on,
        "notes": notes,
    }
    return whole


def coverage(portrait: pd.DataFrame) -> pd.DataFrame:
    """How much do we know of each customer, part by part?

    Known is a field that is not missing; a part's coverage is the share of its fields that are known. A detail is no field of its
    own: the yes/no column of a tag (the field is `tags`: does the customer carry any), the last entry of a ledger, the next
    end of a coupon, the share of a favourite. An empty part has coverage 0, and `all` is the mean of the six parts.

    Parameters: portrait, what `build` gave, with its attrs.
    Returns: DataFrame by `customer_id`: the six parts and `all`, from 0 to 1. attrs: `empty` (parts without a field).

    >>> from crmkit.tables import Transactions
    >>> rows = pd.DataFrame({"customer_id": ["a"], "ordered_at": "2026-01-05", "amount": 5.0, "category": "tea"})
    >>> coverage(build(transactions=Transactions.read(rows))).round(2).loc["a"].to_dict()
    {'basic': 0.0, 'member': 0.0, 'tags': 0.0, 'assets': 0.0, 'consumption': 1.0, 'preference': 1.0, 'all': 0.33}
    """
    fields = _fields(portrait)
    frame = pd.DataFrame(
        {
            part: portrait[names].notna().mean(axis=1) if names else pd.Series(0.0, index=portrait.index)
            for part, names in fields.items()
        }
    )
    frame["all"] = frame.mean(axis=1)
    frame.attrs = {"as_of": portrait.attrs["as_of"], "empty": [part for part, names in fields.items() if not names]}
    return frame


def known_by(portrait: pd.DataFrame, value: str = "spend", *, level: float = 0.95) -> pd.DataFrame:
    """Do we know the good customers better than the others? Field by field, the lowest fifth beside the highest.

    If the difference is not zero, the field is not missing at random: what the known customers are like is not what all
    are like, and a rule on this field misses more of the fifth that is less known.

    Parameters: portrait, what `build` gave; value, a numeric column of it; level, of the interval. Customers with the same
        value stay together, so that a fifth of a value that few tell apart may be larger or smaller than a fifth.
    Returns: DataFrame, one row a field that is missing for somebody, indexed by `field`: `part`, `known` (share of all),
        `without_value` (share of those whose `value` is missing), `lowest`, `highest` (shares of the fifths by `value`),
        `difference` (highest less lowest), `low`, `high` (Newcombe's interval).
    Raises: KindError for a value that is no number; InputError if fewer than ten customers have one, or too many the same.
    Source: missing (not) at random: Rubin (1976), Biometrika 63(3).

    >>> from crmkit.tables import Transactions
    >>> rows = pd.DataFrame({"customer_id": range(100), "ordered_at": "2026-01-05", "amount": [1.0 + n for n in range(100)]})
    >>> people = pd.DataFrame({"customer_id": range(100), "age": [None] * 50 + [40] * 50})
    >>> known_by(build(people, Transactions.read(rows), basic=["age"]))[["known", "lowest", "highest", "low"]].round(2)
           known  lowest  highest   low
    field
    age      0.5     0.0      1.0  0.77
    """
    needs(portrait, [value], "the portrait")
    if not pd.api.types.is_numeric_dtype(portrait[value]):
        raise KindError(f"{value!r} holds {portrait[value].dtype}; the lowest and the highest fifth are of a number.")
    judged = portrait[value].dropna()
    if len(judged) < 10:
        raise InputError(f"{len(judged):,} customers have a {value!r}; two fifths to compare need ten at least.")
    places = judged.rank(pct=True)
    arm = pd.Series("middle", index=judged.index).mask(places <= 0.2, experiments.CONTROL).mask(places > 0.8, "highest")
    if arm.nunique() < 3:
        raise InputError(
            f"{value!r} has too few different values for a lowest and a highest fifth; choose another column."
        )
    rows = []
    for part, fields in _fields(portrait).items():
        for field in fields:
            known = portrait[field].notna()
            if known.all() or field == value:
                continue
            ends = pd.DataFrame({"group": arm, "known": known.loc[arm.index]}).query("group != 'middle'")
            found = experiments.read_out(ends, "known", design="naive", level=level)
            without = known[portrait[value].isna()].mean()
            shares = (known.mean(), without, found.means[experiments.CONTROL], found.means["highest"])
            rows.append((field, part, *shares, found.estimate, found.low, found.high))
    columns = ["field", "part", "known", "without_value", "lowest", "highest", "difference", "low", "high"]
    return pd.DataFrame(rows, columns=columns).set_index("field")


def _known(
    customers: pd.DataFrame, columns: list[str], recorded_on: str | None, day: datetime.date, notes: list[str]
) -> pd.DataFrame:
    """The customers' table by customer, without those who came later."""
    table = by_customer(customers, "customers", named=True)
    needs(table, [*columns, *([recorded_on] if recorded_on else [])], "customers")
    if recorded_on:
        later = days(table, recorded_on, "customers") > pd.Timestamp(day)
        if later.any():
            notes.append(f"{int(later.sum()):,} customers became known after {day} and are left out")
        table = table[~later.to_numpy()]
    return table


def _listed(names: Iterable[str]) -> list[str]:
    """One name may stand alone."""
    return [names] if isinstance(names, str) else list(names)


def _strangers(found: pd.Index, ids: pd.Index, what: str, notes: list[str]) -> None:
    """Who is not in the portrait is told; if that is everybody, the ids are of another kind."""
    unknown = found[ids.get_indexer(found) < 0]  # isin takes ten times as long with texts
    if len(unknown) and len(unknown) == len(found):
        raise InputError(
            f"none of the {len(found):,} {what} is in the portrait, such as {unknown.tolist()[0]!r}; the portrait has "
            f"{ids[:1].tolist()[0]!r}. Is it the right column, of the same kind?"
        )
    if len(unknown):
        notes.append(f"{len(unknown):,} {what} are of nobody in the portrait")


def _stock(name: str, asset: "Ledger | Pieces", day: datetime.date) -> pd.DataFrame:
    """What each customer who stands in the table held at the end of the day."""
    if not isinstance(asset, Ledger | Pieces):
        raise KindError(f"assets: {name!r} is a {type(asset).__name__}; make it a Ledger(…) or Pieces(…) of the table.")
    today, table = pd.Timestamp(day), asset.table
    needs(table, ["customer_id", *asset[1:]], name)
    complete(table, ["customer_id"], name)
    if isinstance(asset, Ledger):
        on, stock = days(table, asset.on, name), pd.to_numeric(table[asset.quantity], errors="coerce").astype(float)
        if odd := int((on.isna() | ~np.isfinite(stock)).sum()):
            raise InputError(
                f"{name}: an entry without a day or a number in {asset.quantity!r} cannot be added up; there are {odd:,}."
            )
        booked = (on <= today).to_numpy()
        entries = pd.DataFrame({"stock": stock, "on": on})[booked]
        found = entries.groupby(table["customer_id"][booked]).agg({"stock": "sum", "on": "max"})
        found["stock"] = found["stock"].round(6)  # sums of cents leave dust
        if (found["stock"] < 0).any():
            below = found["stock"][found["stock"] < 0]
            raise InputError(
                f"{name}: {len(below):,} customers have less than nothing on {day}, such as {below.index[0]!r} "
                f"({below.iloc[0]:g}): entries are missing, or a sign is wrong."
            )
        return found.set_axis([name, f"{name}_last_entry"], axis=1)
    complete(table, [asset.given], name)
    given, used, until = (days(table, column, name) for column in asset[1:])
    held = (given <= today) & ~(used <= today) & ~(until < today)
    of = table["customer_id"]
    count = held[given <= today].groupby(of).sum()
    ends = until.where(held).groupby(of).min().reindex(count.index)
    return pd.DataFrame({name: count.astype(float), f"{name}_next_end": ends})


def _preferences(
    transactions: "Transactions", day: datetime.date, counts: Mapping[str, Iterable[str]]
) -> list[pd.DataFrame]:
    """What each customer leaves most money for, and the orders with each counted value; on the table's engine."""
    everything = transactions.table
    rows = everything.filter((everything.day <= ibis.literal(day)) & (everything.amount >= 0))
    frames = []
    for role in (role for role in _PREFERENCE if role in rows.columns):
        named = rows.filter(rows[role].notnull())
        money = named.group_by("customer_id", kind=named[role].cast("string")).aggregate(
            money=named.amount.sum().cast("float64")
        )
        ranked = money.mutate(
            place=ibis.row_number().over(group_by="customer_id", order_by=[ibis.desc(money.money), money.kind]),
            total=money.money.sum().over(group_by="customer_id"),
        )
        best = ranked.filter(ranked.place == 0).to_pandas().set_index("customer_id")
        share = best["money"].div(best["total"].where(best["total"] > 0))
        frames.append(pd.DataFrame({f"favourite_{role}": best["kind"], f"favourite_{role}_share": share}))
    wanted = {}
    for role, values in counts.items():
        if role not in rows.columns:
            raise ColumnError(f"counts: the transactions have no role {role!r}.{near_misses(role, rows.columns)}")
        for value in _listed(values):
            if wanted.setdefault(f"orders_{_plain(value)}", (role, str(value))) != (role, str(value)):
                raise InputError(f"counts: two columns would be called 'orders_{_plain(value)}'; count one of them.")
    if wanted:
        order = rows.day.cast("string")
        order = ibis.coalesce(rows.order_id.cast("string"), order) if "order_id" in rows.columns else order
        counted = {
            name: order.nunique(where=(rows[role].cast("string") == value).fill_null(False))
            for name, (role, value) in wanted.items()
        }
        found = rows.group_by("customer_id").aggregate(**counted).to_pandas().set_index("customer_id")
        for name, (role, value) in wanted.items():
            if not found[name].any():
                known = everything.select(text=everything[role].cast("string")).distinct().to_pandas()["text"].dropna()
                raise InputError(f"counts: no order up to {day} has the {role} {value!r}.{near_misses(value, known)}")
        frames.append(found)
    return frames


def _tags(
    tags: pd.DataFrame, ids: pd.Index, day: datetime.date, sensitive: list[str], notes: list[str]
) -> tuple[pd.DataFrame, dict[str, str]]:
    """The tags in force: one text a customer, one yes/no column a tag; which column is which tag."""
    needs(tags, ["customer_id", "tag"], "tags")
    complete(tags, ["customer_id", "tag"], "tags")
    today, force = pd.Timestamp(day), np.ones(len(tags), dtype=bool)
    if "since" in tags:
        force &= ~(days(tags, "since", "tags") > today).to_numpy()
    if "until" in tags:
        force &= ~(days(tags, "until", "tags") < today).to_numpy()
    live = tags.loc[force, ["customer_id", "tag"]]
    place = ids.get_indexer(live["customer_id"])
    _strangers(pd.Index(live["customer_id"]), ids, "tags", notes)
    names = [str(name) for name in tags["tag"].unique()]
    columns: dict[str, str] = {}
    for name in names:
        if (other := columns.setdefault(f"tag_{_plain(name)}", name)) != name:
            raise InputError(f"tags: {other!r} and {name!r} would be one column; write them alike, or give two names.")
    carries = np.zeros((len(ids), len(names)), dtype=bool)
    carries[place[place >= 0], pd.Index(names).get_indexer(live["tag"].astype(str))[place >= 0]] = True
    shown = [number for number, name in enumerate(names) if name not in sensitive]
    # one text a combination that occurs, not one a customer; a column of nothing, for there may be no tag at all
    packed = np.packbits(np.pad(carries[:, shown], ((0, 0), (0, 1))), axis=1)
    _, first, which = np.unique(packed.view(f"V{packed.shape[1]}"), return_index=True, return_inverse=True)
    texts = [", ".join(names[shown[n]] for n in np.flatnonzero(carries[row, shown])) or None for row in first]
    frame = pd.DataFrame(carries, index=ids, columns=list(columns))
    frame.insert(0, "tags", np.array([*texts, None], dtype=object)[which.ravel()])
    return frame, columns


def _plain(value: object) -> str:
    """A value as part of a column's name that a rule can speak of."""
    return re.sub(r"\W+", "_", str(value).strip().lower()).strip("_")


def _fields(portrait: pd.DataFrame) -> dict[str, list[str]]:
    """The fields of each part, by which coverage is counted: a detail is known or not with its field, or says no."""
    needs(portrait, [], "the portrait")
    if "parts" not in portrait.attrs:
        raise InputError(
            "the portrait lost its notes (merge and join drop attrs); make it with portrait.build once more."
        )
    parts, tags = portrait.attrs["parts"], portrait.attrs["tags"]
    needs(portrait, [name for names in parts.values() for name in names], "the portrait")
    details = {f"{name}{end}" for names in parts.values() for name in names for end in _DETAILS} | {*tags}
    return {part: [name for name in names if name not in details] for part, names in parts.items()}
