"""Tags on customers: from rules that people write, and by hand. Who carries which, since when, until when, and who said so.

A rule is a text such as `orders >= 3 AND recency_days <= 90`: columns of a customer table, comparisons, AND OR NOT, IN,
BETWEEN, IS NULL, days, + - * / and brackets (`crmkit.tables.conditions`; parsed, never run as code). A customer whose
missing value leaves a rule open does not get the tag, and is counted.
"""

import datetime
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crmkit import periods
from crmkit.errors import ColumnError, InputError, KindError, near_misses
from crmkit.tables.conditions import Condition
from crmkit.tables.frames import needs

__all__ = ["Rules", "Tag", "add_manual", "apply", "audit", "conflicts", "overlaps", "preview", "read"]

_KEYS = ("name", "rule", "meaning", "from", "until", "expires_after", "exclusive_with")
_BY_HAND = ("customer_id", "tag", "by", "why", "from", "until")
_STATES = ("holds", "not yet", "expired")


@dataclass(frozen=True)
class Tag:
    """One tag with its rule: who gets it, what it means, on which days the rule is in force, how long a tag lasts."""

    name: str
    condition: Condition
    meaning: str
    since: datetime.date
    until: datetime.date | None = None
    expires_after: periods.Horizon | None = None
    exclusive_with: tuple[str, ...] = ()

    def state(self, day: datetime.date) -> str:
        """ "holds", "not yet" or "expired": whether the rule is in force on that day; its last day is one."""
        return _state(self.since, self.until, day)

    def ends(self, day: datetime.date) -> datetime.date | None:
        """The last day of a tag given on `day`: the rule's last day, or `expires_after` later if that is sooner."""
        ends = [] if self.until is None else [self.until]
        if self.expires_after is not None:
            ends.append(day + datetime.timedelta(days=math.floor(self.expires_after.days)))
        return min(ends, default=None)


@dataclass(frozen=True)
class Rules:
    """The tags in their order; which attributes are sensitive; who allowed the use of one; tags given by hand."""

    tags: tuple[Tag, ...]
    sensitive: tuple[str, ...] = ()
    allowed: Mapping[str, str] | None = None
    by_hand: tuple[Mapping[str, Any], ...] = ()


def read(rules: "Rules | Mapping[str, Any] | str | Path") -> Rules:
    """May these rules be used? Read and checked: each can be understood, and uses no sensitive attribute without leave.

    Parameters
        rules: the path of a TOML file, or a mapping as such a file holds it:

        - `[[tag]]`, one a tag: `name`; `rule`; `meaning`; `from`, the first day on which the rule is in force; optional
          `until`, its last day; `expires_after` ("90 days"), how long a tag lasts from the day on which it is given;
          `exclusive_with`, names of tags that nobody should carry beside it;
        - `[attributes]`: `sensitive`, names of attributes that a rule may not use; `allow_sensitive`, a table of those
          that it may: attribute → who allowed it, as in `{ age = "A. Weber, data protection" }`;
        - `[[by_hand]]`, one a tag that a person gave: `customer_id`, `tag`, `by`, `why`, `from`, optional `until`.
    Returns: `Rules`.
    Raises: InputError that names the tag and the place in its rule.
    Source: 002.B11 (automatic and manual tags).

    >>> found = read({"tag": [{"name": "regular", "rule": "orders >= 3", "meaning": "comes back", "from": "2026-01-01"}]})
    >>> [(tag.name, tag.condition.columns) for tag in found.tags]
    [('regular', ('orders',))]
    """
    if isinstance(rules, Rules):
        return rules
    if isinstance(rules, str | Path):
        try:
            rules = tomllib.loads(Path(rules).read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            raise InputError(f"there is no file of rules {str(rules)!r}.") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError(f"{str(rules)!r} is no TOML file: {error}.") from None
    if not isinstance(rules, Mapping):
        raise KindError(f"rules are the path of a TOML file or a mapping, not {type(rules).__name__}.")
    _known(rules, ("tag", "attributes", "by_hand"), "the rules")
    attributes = rules.get("attributes", {})
    _known(attributes, ("sensitive", "allow_sensitive"), "[attributes]")
    sensitive = _texts(attributes.get("sensitive", []), "[attributes] sensitive")
    allowed = attributes.get("allow_sensitive", {})
    if not isinstance(allowed, Mapping) or not all(isinstance(who, str) and who.strip() for who in allowed.values()):
        raise InputError(
            f"[attributes] allow_sensitive: {allowed!r} does not say who allowed it; write "
            '{ age = "A. Weber, data protection" }.'
        )
    for name in allowed:
        if name not in sensitive:
            raise InputError(
                f"[attributes] allow_sensitive: {name!r} is not among the sensitive ones."
                + near_misses(name, sensitive)
            )
    tags = [_tag(given, number) for number, given in enumerate(_tables(rules, "tag"), start=1)]
    if not tags:
        raise InputError("the rules hold no tag; write one as [[tag]] with name, rule, meaning and from.")
    names = [tag.name for tag in tags]
    for number, tag in enumerate(tags, start=1):
        place = f"tag {number} ({tag.name!r})"
        if names.index(tag.name) < number - 1:
            raise InputError(f"{place}: tag {names.index(tag.name) + 1} has that name too; give each its own.")
        for other in tag.exclusive_with:
            if other == tag.name or other not in names:
                what = "is the tag itself" if other == tag.name else "is no tag of these rules"
                raise InputError(
                    f"{place}: exclusive_with: {other!r} {what}." + near_misses(other, {*names} - {tag.name})
                )
        for column in tag.condition.columns:
            # an attribute stays sensitive however its name is written
            if column.casefold() in {name.casefold() for name in sensitive} and column not in allowed:
                raise InputError(
                    f"{place} uses {column!r}{tag.condition.where(column)}, which is marked sensitive; take it out of the "
                    f'rule, or write under [attributes] who allowed it: allow_sensitive = {{ {column} = "name and office" }}.'
                )
    by_hand = [_hand(given, number) for number, given in enumerate(_tables(rules, "by_hand"), start=1)]
    return Rules(tuple(tags), sensitive, dict(allowed), tuple(by_hand))


def apply(
    customers: pd.DataFrame, rules: "Rules | Mapping[str, Any] | str | Path", *, as_of: object = None
) -> pd.DataFrame:
    """Which customers carry which tag today, and until when?

    Parameters
        customers: one row a customer, by index or column `customer_id`; its other columns are the attributes.
        rules: what `read` takes.
        as_of: the day on which the tags are given; carried in `customers.attrs` (`lifecycle.summary` puts it there).
    Returns: DataFrame, one row a customer and tag, tags in the order of the rules, customers in that of the table:
        `customer_id`, `tag` (categorical), `rule` (its text, categorical), `since` (as_of), `until` (the last day; missing
        if there is none). attrs: `as_of`; `left_out`, tag → ["expired" or "not yet", customers whom the rule would fit].
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
    texts = [tag.condition.text for tag in rules.tags]
    ends = np.array([rules.tags[number].ends(day) for number in live], dtype="datetime64[s]")
    frame = pd.DataFrame(
        {
            "customer_id": table.index.take(np.concatenate(rows)),
            "tag": pd.Categorical.from_codes(np.repeat(live, lengths), [tag.name for tag in rules.tags]),
            "rule": pd.Categorical(pd.Index(texts).take(np.repeat(live, lengths)), [*dict.fromkeys(texts)])
            if len({*texts}) < len(texts)
            else pd.Categorical.from_codes(np.repeat(live, lengths), texts),
            "since": np.full(sum(lengths), np.datetime64(day, "s")),
            "until": np.repeat(ends, lengths),
        }
    )
    left = {tag.name: [tag.state(day), int(fits[n].sum())] for n, tag in enumerate(rules.tags) if n not in live}
    frame.attrs = {"as_of": day.isoformat(), "left_out": left}
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
    Raises: InputError for an empty `by`, `why` or `tag`, an end before the beginning, a tag that the customer carries.
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
    if ((ids == customer_id) & (tags["tag"] == tag)).any():
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
    allowed, rows = rules.allowed or {}, []
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


def _state(since: datetime.date, until: datetime.date | None, day: datetime.date) -> str:
    return _STATES[1] if day < since else _STATES[2] if until is not None and day > until else _STATES[0]


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
    needs(customers, [])
    table = customers.set_index("customer_id") if "customer_id" in customers.columns else customers
    if table.index.name != "customer_id" or table.index.hasnans:
        raise ColumnError("customers need a column or an index `customer_id` without missing values.")
    for what, values in (("customer", table.index), ("attribute", table.columns)):
        if not values.is_unique:
            twice = values[values.duplicated()].tolist()
            raise InputError(
                f"the {what} {twice[0]!r} stands in the table twice ({len(twice):,} too many); keep each once."
            )
    return table


def _today(customers: pd.DataFrame, rules: Rules, as_of: object) -> datetime.date:
    day, carried = periods.as_of(customers, as_of), customers.attrs.get("as_of")
    if carried is not None and periods.day(carried) != day:
        raise InputError(f"as_of={day}: the attributes of the customers are of {carried}; make them as of {day}.")
    if all(tag.state(day) != "holds" for tag in rules.tags):
        days = "; ".join(
            f"{tag.name} from {tag.since}" + (f" until {tag.until}" if tag.until else "") for tag in rules.tags
        )
        raise InputError(f"as_of={day}: on that day no rule is in force ({days[:300]}).")
    return day


def _tag(given: Mapping[str, Any], number: int) -> Tag:
    place = f"tag {number}" + (f" ({given['name']!r})" if isinstance(given.get("name"), str) else "")
    _known(given, _KEYS, place)
    for key in ("name", "rule", "meaning"):
        if not isinstance(given.get(key), str) or (key != "meaning" and not given[key].strip()):
            raise InputError(f"{place}: {key} is {given.get(key, 'missing')!r}; it must be a text that says something.")
    try:
        condition = Condition.parse(given["rule"], arithmetic=True)
        expires = None if "expires_after" not in given else periods.Horizon.parse(given["expires_after"])
    except InputError as error:
        raise InputError(f"{place}: {error}") from None
    since, until = _days(given, place)
    return Tag(
        given["name"],
        condition,
        given["meaning"],
        since,
        until,
        expires,
        _texts(given.get("exclusive_with", []), f"{place}: exclusive_with"),
    )


def _hand(given: Mapping[str, Any], number: int) -> dict[str, Any]:
    place = f"by_hand {number}"
    _known(given, _BY_HAND, place)
    for key in _BY_HAND[:4]:
        if not given.get(key) and given.get(key) != 0:
            raise InputError(f"{place}: {key} is missing; a tag by hand needs customer_id, tag, by, why and from.")
    since, until = _days(given, place)
    return {key: given[key] for key in _BY_HAND[:4]} | {"since": since, "until": until}


def _days(given: Mapping[str, Any], place: str) -> tuple[datetime.date, datetime.date | None]:
    if "from" not in given:
        raise InputError(f"{place}: from is missing; write the first day, as in from = 2026-01-31.")
    since = periods.day(given["from"], f"{place}: from")
    until = None if "until" not in given else periods.day(given["until"], f"{place}: until")
    if until is not None and until < since:
        raise InputError(f"{place}: until ({until}) is before from ({since}).")
    return since, until


def _tables(rules: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    given = rules.get(name, [])
    if not isinstance(given, list | tuple) or not all(isinstance(one, Mapping) for one in given):
        raise InputError(f"{name} is {str(given)[:60]!r}; write each as [[{name}]], with its keys below it.")
    return list(given)


def _known(given: Any, keys: tuple[str, ...], place: str) -> None:
    if not isinstance(given, Mapping):
        raise InputError(f"{place} is {given!r}, not a table of {', '.join(keys)}.")
    for key in given:
        if key not in keys:
            raise InputError(f"{place}: {key!r} is no key; there are {', '.join(keys)}." + near_misses(key, keys))


def _texts(given: Any, place: str) -> tuple[str, ...]:
    if not isinstance(given, list | tuple) or not all(isinstance(one, str) for one in given):
        raise InputError(f'{place} is {given!r}; write a list of names, as in ["age", "sex"].')
    return tuple(given)
