"""Many records, one customer: which value survives, by rules that anybody can read, and where each value came from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from crmkit.errors import InputError, KindError, near_misses
from crmkit.tables.frames import needs
from crmkit.tables.normal_forms import TEXT, check_ids

RULES = ("most recent", "most complete", "most frequent", "smallest", "largest")


@dataclass(frozen=True, repr=False)
class Merged:
    """What `merge` gives.

    customers : indexed by customer_id: the records' columns, and `records` (how many became this one);
    ledger : one row a record, in their order: `record_id`, `customer_id`, `treatment` ("alone" or "merged"), and what
        became of its values: `used` (stands in customers, from this record), `agreed` (says the same as the one that
        was used), `overruled` (says something else), `missing`;
    sources : one row a customer and column that has a value: `customer_id`, `column`, `value`, `record_id` (where it is
        from), `rule`, `overruled` (the other values, in the order of their records, "" if none).
    """

    customers: pd.DataFrame
    ledger: pd.DataFrame
    sources: pd.DataFrame

    def reconciles(self) -> bool:
        """Whether nothing was lost: every record belongs to a customer, and every value was used, agreed, overruled or
        missing."""
        counts = self.ledger[["used", "agreed", "overruled", "missing"]]
        columns = self.customers.shape[1] - 1
        return bool(
            self.customers["records"].sum() == len(self.ledger)
            and (counts.sum(axis=1) == columns).all()
            and counts["used"].sum() == len(self.sources)
        )

    def __str__(self) -> str:
        merged = self.ledger["treatment"] == "merged"
        into = self.customers["records"].gt(1).sum()
        counts = self.ledger[["used", "agreed", "overruled", "missing"]].sum()
        return (
            f"{len(self.ledger):,} records became {len(self.customers):,} customers: {merged.sum():,} of them were merged "
            f"into {into:,}, {len(self.ledger) - merged.sum():,} stayed alone.\n"
            f"Of {counts.sum():,} values {counts['used']:,} are used, {counts['agreed']:,} say the same, "
            f"{counts['overruled']:,} were overruled, {counts['missing']:,} are missing."
        )

    __repr__ = __str__


def merge(
    records: pd.DataFrame,
    clusters: pd.Series,
    rules: Mapping[str, str | Sequence[str]] | None = None,
    *,
    record_id: str = "record_id",
    updated_at: str = "updated_at",
    channel: str = "channel",
) -> Merged:
    """One record for each customer: which telephone number is the right one, and where did the others go?

    Parameters
    ----------
    records : one row a record.
    clusters : the customer of each record, as `identity.clusters` gives them.
    rules : column → rule, "*" for all others ("most recent" unless given). A missing value, or one of blanks, never wins:
        "most recent" (by `updated_at`), "most complete" (the longest text), "most frequent", "smallest", "largest", or a
        list of channels, the most trusted first (channels that are not in it come last). Ties go to the more recent
        record, then to the smaller record id.
    record_id, updated_at, channel : the columns' names. `updated_at` may be missing in some rows (they count as oldest);
        `channel` is needed only for a list.

    Returns
    -------
    `Merged`, with `.customers`, `.ledger` and `.sources`; `str()` tells it in words.

    Raises
    ------
    ColumnError for a column that is not there; InputError for an unknown rule, for records without a customer, or the
    other way round.

    >>> cards = pd.DataFrame({"record_id": ["a", "b"], "name": ["Anna Keller", "A. Keller"], "phone": ["0170 1", "0171 2"],
    ...                       "updated_at": pd.to_datetime(["2025-01-01", "2025-06-01"])})
    >>> one = merge(cards, pd.Series({"a": "a", "b": "a"}), {"name": "most complete", "*": "most recent"})
    >>> one.customers[["name", "phone", "records"]].values.tolist()
    [['Anna Keller', '0171 2', 2]]
    >>> one.sources.loc[one.sources["column"] == "phone", ["value", "record_id", "overruled"]].values.tolist()
    [['0171 2', 'b', '0170 1']]
    """
    needs(records, [record_id], "records")
    check_ids(records[record_id], record_id)
    if not isinstance(clusters, pd.Series):
        raise KindError(f"clusters must be a Series indexed by record_id, not {type(clusters).__name__}.")
    check_ids(pd.Series(clusters.index), "clusters")
    ids = pd.Index(records[record_id], name="record_id")
    for lost, what in ((ids.difference(clusters.index), "records have no customer in clusters"),
                       (clusters.index.difference(ids), "records of clusters are not in the table")):  # fmt: skip
        if len(lost):
            raise InputError(f"{len(lost):,} {what}, such as {lost[0]!r}; both must tell of the same records.")
    columns = [column for column in records if column != record_id]
    if "records" in columns or "customer_id" in columns:
        raise InputError(
            "a column of the records is called 'records' or 'customer_id', as the result's own; rename it."
        )
    rules = _rules(rules, columns, updated_at)
    if any(not isinstance(rule, str) for rule in rules.values()):
        needs(records, [channel], "records")
    if "most recent" in rules.values():
        needs(records, [updated_at], "records")
    if updated_at in columns and records[updated_at].dtype.kind not in "Miuf" and records[updated_at].notna().any():
        raise InputError(
            f"{updated_at}: the column holds {records[updated_at].dtype} values, whose order is not that of time; turn it "
            "into dates first, such as with pandas.to_datetime."
        )

    owner = clusters.reindex(ids).to_numpy()
    table = records.drop(columns=record_id).reset_index(drop=True)
    customer, names = pd.factorize(owner)
    if pd.isna(owner).any():
        raise InputError(
            f"clusters: {int(pd.isna(owner).sum()):,} records have no customer; every record belongs to one."
        )
    by_name = np.argsort(pd.Series(names).astype(str).to_numpy(dtype=object), kind="stable")
    text_id = pd.Series(ids).astype(str).to_numpy(dtype=object)
    by_id = np.argsort(text_id, kind="stable")
    age = _recent(table[updated_at]) if updated_at in table else np.zeros(len(table))

    kept, sources = {}, []
    fate = np.zeros((len(table), 4), dtype="int64")  # used, agreed, overruled, missing
    for column in columns:
        values = table[column]
        there = values.notna() & (values.astype(str).str.strip() != "")
        rank = _rank(values, rules[column], customer, table.get(channel))
        order = np.lexsort([text_id, -age, rank, customer])
        order = order[there.to_numpy()[order]]
        first = order[np.unique(customer[order], return_index=True)[1]]
        winner = np.full(len(names), -1)
        winner[customer[first]] = first
        taken = winner[customer]
        code = pd.factorize(values)[0]
        same = (taken >= 0) & (code == code[taken])
        rows = np.arange(len(table))
        state = np.select([~there, taken == rows, same], [3, 0, 1], 2)
        fate[rows, state] += 1
        overruled: dict[int, dict[str, None]] = {}
        for row in by_id[state[by_id] == 2]:
            overruled.setdefault(customer[row], {})[str(values.iat[row])] = None
        winner = winner[by_name]
        kept[column] = values.take(np.maximum(winner, 0)).mask(winner < 0) if len(table) else values
        has = np.flatnonzero(winner >= 0)
        sources.append(
            pd.DataFrame(
                {
                    "customer_id": names[by_name][has],
                    "column": column,
                    "value": values.astype(object).iloc[winner[has]].to_numpy(),
                    "record_id": ids[winner[has]],
                    "rule": rules[column] if isinstance(rules[column], str) else " > ".join(rules[column]),
                    "overruled": [" | ".join(overruled.get(name, ())) for name in by_name[has]],
                }
            )
        )
    index = pd.Index(names[by_name], name="customer_id")
    customers = pd.DataFrame({column: values.array for column, values in kept.items()}, index=index)
    size = np.bincount(customer, minlength=len(names))
    customers["records"] = size[by_name].astype("int64")
    ledger = pd.DataFrame({"record_id": ids, "customer_id": owner})
    ledger["treatment"] = pd.Series(np.where(size[customer] > 1, "merged", "alone"), dtype=TEXT)
    ledger[["used", "agreed", "overruled", "missing"]] = fate
    columns_of_sources = ["customer_id", "column", "value", "record_id", "rule", "overruled"]
    told = pd.concat(sources, ignore_index=True) if sources else pd.DataFrame(columns=columns_of_sources)
    told = told.sort_values("customer_id", key=lambda c: c.astype(str), kind="stable", ignore_index=True)
    return Merged(customers, ledger, told)


def _rules(rules: Mapping[str, Any] | None, columns: list[Any], updated_at: str) -> dict[Any, str | tuple[str, ...]]:
    """The rule of every column; a rule for a column that is not there, or an unknown one, raises."""
    rules = dict(rules or {})
    other = rules.pop("*", "most recent")
    needs(pd.DataFrame(columns=columns), rules, "records")
    found = {column: rules.get(column, other) for column in columns}
    for column, rule in {**found, "*": other}.items():
        if isinstance(rule, str) and rule not in RULES:
            raise InputError(
                f"rules: {rule!r} for {column!r} is no rule; use {', '.join(RULES)}, or a list of channels."
                + near_misses(rule, RULES)
            )
        if not isinstance(rule, str) and (not isinstance(rule, Sequence) or not rule):
            raise InputError(
                f"rules: {rule!r} for {column!r} is no rule; use {', '.join(RULES)}, or a list of channels."
            )
    return {column: rule if isinstance(rule, str) else tuple(rule) for column, rule in found.items()}


def _recent(when: pd.Series) -> np.ndarray:
    """A number that is larger the more recent the row is; rows without a time are the oldest."""
    return pd.factorize(when, sort=True)[0].astype("int64")


def _rank(
    values: pd.Series, rule: str | tuple[str, ...], customer: np.ndarray, channel: pd.Series | None
) -> np.ndarray:
    """The rank of each row by the rule, 0 is best; rows without a value are left out by the caller."""
    if not isinstance(rule, str):
        place = {name: number for number, name in enumerate(rule)}
        return channel.map(place).fillna(len(place)).to_numpy(dtype="float64")
    if rule == "most complete":
        return -values.astype(str).str.strip().str.len().fillna(0).to_numpy(dtype="float64")
    if rule == "most frequent":
        codes, _ = pd.factorize(values)
        counts = (
            pd.DataFrame({"customer": customer, "code": codes}).groupby(["customer", "code"])["code"].transform("size")
        )
        return -counts.to_numpy(dtype="float64")
    if rule in ("smallest", "largest"):
        codes = pd.factorize(values, sort=True)[0].astype("float64")
        return codes if rule == "smallest" else -codes
    return np.zeros(len(values))
