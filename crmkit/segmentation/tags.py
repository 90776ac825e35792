"""Tags on customers: from rules that people write, and by hand. Who carries which, since when, until when, and who said so.

A rule is a text such as `orders >= 3 AND recency_days <= 90`: columns of a customer table, comparisons, AND OR NOT, IN,
BETWEEN, IS NULL, days, + - * / and brackets (`crmkit.tables.conditions`; parsed, never run as code). A customer whose
missing value leaves a rule open does not get the tag, and is counted.
"""

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crmkit import periods
from crmkit.errors import InputError, KindError
from crmkit.segmentation.tag_rules import Rules, Tag, leave, read
from crmkit.tables.frames import by_customer, needs, once

__all__ = ["Rules", "Tag", "add_manual", "apply", "audit", "conflicts", "overlaps", "preview", "read"]


def apply(
    customers: pd.DataFrame, rules: "Rules | Mapping[str, Any] | str | Path", *, as_of: object = None
) -> pd.DataFrame:
    """Which customers carry which tag today, and until when?

    Parameters
        customers: one row a customer, by index or column `customer_id`; its other columns are the attributes.
        rules: what `read` takes.
        as_of: the day on which the tags are given; carried in `customers.attrs` (`lifecycle.summary` puts it there). What the
            attrs call `sensitive` (`segmentation.portrait` does) needs leave in the rules, even if these do not mark it.
    Returns: DataFrame, one row a customer and tag, tags in the order of the rules, customers in that of the table:
        `customer_id`, `tag` (categorical), `rule` (its text, categorical), `since` (as_of), `until` (the last day; missing
        if there is none). attrs: `as_of`; `left_out`, tag → ["expired" or "not yet", customers whom the rule would fit];
        `sensitive`, the tags whose rules use something sensitive: who carries one gives it away.
    Raises: ColumnError for an attribute that is not there; InputError for a customer twice, attributes of another day than
        `as_of`, a day on which no rule is in force, values of two kinds compared.
    Source: 002.B11, "automatic tags".

    >>> shop = pd.DataFrame({"orders": [5, 1, None]}, index=pd.Index(["ann", "bob", "eve"], name="customer_id"))
    >>> regular = {"name": "regular", "rule": "orders >= 3", "meaning": "", "from": "2026-01-01", "expires_after": "90 days"}
    >>> apply(shop, {"tag": [regular]}, as_of="2026-06-30")
      customer_id      tag         rule      since      until
    0         ann  regular  orders >= 3 2026-06-30 2026-09-28
    """
    rules, table = read(rules), _customers(customers)
    day = _today(customers, rules, as_of)
    fits = [_judged(tag, table)[0] for tag in rules.tags]
    live = [number for number, tag in enumerate(rules.tags) if tag.state(day) == "holds"]
    rows = [np.flatnonzero(fits[number]) for number in live]
    lengths = [len(found) for found in rows]
    used = [rules.tags[number].condition.text for number in live]
    texts = list(dict.fromkeys(tag.condition.text for tag in rules.tags))
    ends = np.array([rules.tags[number].ends(day) for number in live], dtype="datetime64[s]")
    frame = pd.DataFrame(
        {
            "customer_id": table.index.take(np.concatenate(rows)),
            "tag": pd.Categorical.from_codes(np.repeat(live, lengths), [tag.name for tag in rules.tags]),
            "rule": pd.Categorical.from_codes(np.repeat([texts.index(one) for one in used], lengths), texts),
            "since": np.full(sum(lengths), np.datetime64(day, "s")),
            "until": np.repeat(ends, lengths),
        }
    )
    left = {tag.name: [tag.state(day), int(fits[n].sum())] for n, tag in enumerate(rules.tags) if n not in live}
    secret = [tag.name for tag in rules.tags if {*tag.condition.columns} & {*rules.allowed}]
    frame.attrs = {"as_of": day.isoformat(), "left_out": left, "sensitive": secret}
    return frame


def preview(
    customers: pd.DataFrame, rules: "Rules | Mapping[str, Any] | str | Path", *, as_of: object = None
) -> pd.DataFrame:
    """How many would each tag hit? Ask before anything is written or sent.

    Parameters: as for `apply`.
    Returns: DataFrame, one row a tag in the order of the rules: `tag`, `state` ("holds", "not yet", "expired"),
        `customers` (whom the rule fits), `share` of all customers, `missing` (could not be judged because an attribute is
        missing), `divided_by_zero` (could not be judged, and a divisor of the rule was 0), `overlaps` (of those whom it
        fits, how many another tag in force fits too; 0 for a tag that is not in force). attrs: `as_of`, `rows`.
    Raises: as `apply`.

    >>> shop = pd.DataFrame({"orders": [5, 0, None], "spend": [90.0, 0.0, 5.0]}, index=pd.Index([1, 2, 3], name="customer_id"))
    >>> big = {"name": "big baskets", "rule": "spend / orders > 15", "meaning": "", "from": "2026-01-01"}
    >>> preview(shop, {"tag": [big]}, as_of="2026-06-30")
               tag  state  customers     share  missing  divided_by_zero  overlaps
    0  big baskets  holds          1  0.333333        1                1         0
    """
    rules, table = read(rules), _customers(customers)
    day = _today(customers, rules, as_of)
    judged = [_judged(tag, table) for tag in rules.tags]
    live = np.array([tag.state(day) == "holds" for tag in rules.tags])
    carried = np.zeros(len(table), dtype="int64")
    for (fits, _, _), holds in zip(judged, live, strict=True):
        carried += fits & holds
    frame = pd.DataFrame(
        [
            {
                "tag": tag.name,
                "state": tag.state(day),
                "customers": int(fits.sum()),
                "share": fits.sum() / max(len(table), 1),
                "missing": int((unjudged & ~zero).sum()),
                "divided_by_zero": int((unjudged & zero).sum()),
                "overlaps": int((fits & (carried > 1)).sum()) if holds else 0,
            }
            for tag, (fits, unjudged, zero), holds in zip(rules.tags, judged, live, strict=True)
        ]
    )
    frame.attrs = {"as_of": day.isoformat(), "rows": len(table)}
    return frame


def add_manual(
    tags: pd.DataFrame, customer_id: Any, tag: str, *, by: str, why: str, until: object, since: object = None
) -> pd.DataFrame:
    """The special case that no rule sees: a tag given by a person, who signs for it.

    Parameters
        tags: what `apply` or `add_manual` gave.
        customer_id: one customer. tag: the tag's name, one of the rules or another.
        by, why: who gives it and for what reason; neither may be empty.
        until: its last day; None if it shall stay until somebody takes it away.
        since: its first day; the day of `tags` unless given.
    Returns: a new DataFrame: the rows of `tags` and the new one, with `by` and `why` (missing for tags by rule). The rule
        of a manual tag is missing.
    Raises: InputError for an empty `by`, `why` or `tag`, an end before the beginning, a tag that the customer carries on
        one of these days.
    Source: 002.B11, "manual tags".

    >>> none = pd.DataFrame(columns=["customer_id", "tag", "rule", "since", "until"])
    >>> one = add_manual(none, 7, "founder", by="Lena", why="opened the shop with us", until=None, since="2026-06-30")
    >>> one[["customer_id", "tag", "by", "why"]].to_dict("records")
    [{'customer_id': 7, 'tag': 'founder', 'by': 'Lena', 'why': 'opened the shop with us'}]
    """
    needs(tags, ["customer_id", "tag", "rule", "since", "until"], "tags")
    for name, text in (("tag", tag), ("by", by), ("why", why)):
        if not isinstance(text, str) or not text.strip():
            raise InputError(
                f"{name}={text!r}: a tag by hand needs its name, who gives it (by) and for what reason (why)."
            )
    first = periods.as_of(tags, since)
    last = None if until is None else periods.day(until, "until")
    if last is not None and last < first:
        raise InputError(f"the tag {tag!r} for {customer_id!r} would end ({last}) before it begins ({first}).")
    ids = tags["customer_id"]
    if len(ids) and pd.api.types.is_numeric_dtype(ids) == isinstance(customer_id, str):
        raise KindError(
            f"customer_id={customer_id!r} is of another kind than the customers of `tags`, such as {ids.iloc[[0]].tolist()[0]!r}."
        )
    same = tags[(ids == customer_id) & (tags["tag"] == tag)]
    until_then, from_then = (pd.to_datetime(same[end]) for end in ("until", "since"))
    if (~(until_then < pd.Timestamp(first)) & ~(from_then > pd.Timestamp(last))).any():
        raise InputError(f"customer {customer_id!r} carries {tag!r} already.")
    row = pd.DataFrame(
        {
            "customer_id": [customer_id],
            "tag": [tag],
            "rule": [None],
            "since": [first],
            "until": [last],
            "by": [by],
            "why": [why],
        }
    )
    kinds = {"since": "datetime64[s]", "until": "datetime64[s]"}
    for name in ("tag", "rule"):
        known = tags[name].astype("category").cat.categories
        kinds[name] = pd.CategoricalDtype([*known, tag] if name == "tag" and tag not in known else known)
    old = tags if "by" in tags else tags.assign(by=None, why=None)
    frame = pd.concat([part.astype(kinds) for part in (old, row) if len(part)], ignore_index=True)
    frame.attrs = dict(tags.attrs)
    return frame


def overlaps(tags: pd.DataFrame) -> pd.DataFrame:
    """How many customers carry both tags? Tag × tag, on the diagonal those who carry it at all.

    Parameters: tags, what `apply` or `add_manual` gave. Returns: a square DataFrame of customers, tags in their order.

    >>> given = pd.DataFrame({"customer_id": [1, 1, 2], "tag": ["new", "big", "new"]})
    >>> overlaps(given)
         new  big
    new    2    1
    big    1    1
    """
    needs(tags, ["customer_id", "tag"], "tags")
    customer, ids = pd.factorize(tags["customer_id"])
    if isinstance(tags["tag"].dtype, pd.CategoricalDtype):
        names, codes = list(tags["tag"].cat.categories), tags["tag"].cat.codes.to_numpy()
    else:
        codes, names = pd.factorize(tags["tag"])
    carries = np.zeros((len(names), len(ids)), dtype=bool)
    carries[codes, customer] = True
    counts = [[int(np.count_nonzero(one & other)) for other in carries] for one in carries]
    return pd.DataFrame(counts, index=list(names), columns=list(names), dtype="int64")


def conflicts(tags: pd.DataFrame, rules: "Rules | Mapping[str, Any] | str | Path") -> pd.DataFrame:
    """Which tags stand together on a customer although the rules say that they exclude each other?

    Parameters: tags, what `apply` or `add_manual` gave; rules, what `read` takes.
    Returns: DataFrame, one row a pair declared in `exclusive_with` that occurs: `tag`, `other`, `customers` (with both),
        `example` (one of them). Empty if there is no conflict.

    >>> rule = {"rule": "orders > 0", "meaning": "", "from": "2026-01-01"}
    >>> rules = {"tag": [{"name": "new", "exclusive_with": ["old"], **rule}, {"name": "old", **rule}]}
    >>> conflicts(pd.DataFrame({"customer_id": [1, 1, 2], "tag": ["new", "old", "new"]}), rules)
       tag other  customers  example
    0  new   old          1        1
    """
    both, rules = overlaps(tags), read(rules)
    declared = dict.fromkeys(frozenset((tag.name, other)) for tag in rules.tags for other in tag.exclusive_with)
    names = [tag.name for tag in rules.tags]
    rows = []
    for tag, other in (sorted(pair, key=names.index) for pair in declared):
        if tag in both and other in both and both.loc[tag, other]:
            one = tags.loc[tags["tag"] == tag, "customer_id"]
            example = one[one.isin(tags.loc[tags["tag"] == other, "customer_id"])].iloc[0]
            rows.append((tag, other, int(both.loc[tag, other]), example))
    return pd.DataFrame(rows, columns=["tag", "other", "customers", "example"])


def audit(rules: "Rules | Mapping[str, Any] | str | Path") -> pd.DataFrame:
    """On what is each tag based, and who allowed it? One line a tag, to show to whoever asks.

    Parameters: rules, what `read` takes.
    Returns: DataFrame `tag`, `meaning`, `rule`, `attributes` (all that it uses), `sensitive` (those marked so),
        `allowed_by` (who allowed them), `from`, `until`, `expires_after`, `exclusive_with`; texts are empty where there is
        nothing to say.

    >>> rule = {"name": "senior", "rule": "age >= 65 AND orders > 0", "meaning": "65 plus", "from": "2026-01-01"}
    >>> leave = {"sensitive": ["age"], "allow_sensitive": {"age": "A. Weber, data protection"}}
    >>> audit({"tag": [rule], "attributes": leave})[["attributes", "sensitive", "allowed_by"]].to_dict("records")
    [{'attributes': 'age, orders', 'sensitive': 'age', 'allowed_by': 'age: A. Weber, data protection'}]
    """
    rules = read(rules)
    allowed, rows = rules.allowed, []
    for tag in rules.tags:
        used = [column for column in tag.condition.columns if column in allowed]
        rows.append(
            {
                "tag": tag.name,
                "meaning": tag.meaning,
                "rule": tag.condition.text,
                "attributes": ", ".join(tag.condition.columns),
                "sensitive": ", ".join(used),
                "allowed_by": "; ".join(f"{column}: {allowed[column]}" for column in used),
                "from": pd.Timestamp(tag.since),
                "until": pd.Timestamp(tag.until) if tag.until else pd.NaT,
                "expires_after": str(tag.expires_after or ""),
                "exclusive_with": ", ".join(tag.exclusive_with),
            }
        )
    return pd.DataFrame(rows)


def _judged(tag: Tag, table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whom the rule fits; who could not be judged; for whom a divisor was 0."""
    try:
        found = tag.condition.judge(table)
    except InputError as error:
        raise type(error)(f"tag {tag.name!r}: {error}") from None
    fits = found.to_numpy(dtype=bool, na_value=False)
    return fits, found.isna().to_numpy(), tag.condition.divides_by_zero(table)


def _customers(customers: Any) -> pd.DataFrame:
    """The attributes, indexed by customer, each customer once."""
    table = by_customer(customers, "customers", named=True)
    once(table.columns, "customers", "attributes")
    return table


def _today(customers: pd.DataFrame, rules: Rules, as_of: object) -> datetime.date:
    """The day on which tags are given, if the rules may be used on this table at all."""
    marked = set(customers.attrs.get("sensitive", ())) - {*rules.allowed}
    for tag in rules.tags:
        for column in tag.condition.columns:
            if column in marked:
                raise InputError(
                    f"tag {tag.name!r} uses {column!r}{tag.condition.where(column)}, which the table marks as sensitive; take "
                    "it out of the rule, or write under [attributes] that it is sensitive and who allowed it: "
                    f'sensitive = ["{column}"] and {leave(column)}.'
                )
    day, carried = periods.as_of(customers, as_of), customers.attrs.get("as_of")
    if carried is not None and periods.day(carried) != day:
        raise InputError(f"as_of={day}: the attributes of the customers are of {carried}; make them as of {day}.")
    if all(tag.state(day) != "holds" for tag in rules.tags):
        days = "; ".join(
            f"{tag.name} from {tag.since}" + (f" until {tag.until}" if tag.until else "") for tag in rules.tags
        )
        raise InputError(f"as_of={day}: on that day no rule is in force ({days[:300]}).")
    return day
