"""Which records are the same person, or the same firm? Normalise, compare the likely pairs, join, merge, and be graded.

normalised = identity.normalise(records)
pairs      = identity.match(normalised)                    # likely pairs with a score and the reason in words
customer   = identity.clusters(normalised, pairs)          # record_id -> customer_id
merged     = identity.merge(records, customer)             # one row a customer, and where each value came from
identity.evaluate(customer, truth)                         # precision and recall, where the truth is known
"""

from collections.abc import Iterable
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from crmkit.errors import InputError, KindError
from crmkit.tables.frames import needs
from crmkit.tables.matching import FIRM_WEIGHTS, KEYS, WEIGHTS, candidates, match
from crmkit.tables.normal_forms import check_ids, normalise
from crmkit.tables.survivorship import Merged, merge

__all__ = [
    "FIRM_WEIGHTS", "KEYS", "WEIGHTS", "Merged", "candidates", "chains", "clusters", "curve", "evaluate", "match", "merge",
    "normalise",
]  # fmt: skip


def clusters(
    records: pd.DataFrame, pairs: pd.DataFrame, *, record_id: str = "record_id", threshold: float | None = None
) -> pd.Series:
    """Which customer is each record? Records that are joined by pairs, directly or through others, are one customer.

    A customer is named after its smallest record id, so the name does not change if the rows change places.

    Parameters
    ----------
    records : any table of the records (raw or normalised).
    pairs : what `match` gives, perhaps with verdicts that somebody corrected: those of verdict "same" count. Or any
        table `left`, `right` of pairs that are the same; then all count.
    record_id : the column (or index) of `records`.
    threshold : count pairs of at least this score instead, as far as name or birth date speak for them.

    Returns
    -------
    Series `customer_id`, indexed by record_id in the order of `records`.

    >>> both = pd.DataFrame({"left": ["b", "c"], "right": ["c", "d"]})
    >>> clusters(pd.DataFrame({"record_id": ["d", "c", "b", "a"]}), both).to_dict()
    {'d': 'b', 'c': 'b', 'b': 'b', 'a': 'a'}
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if getattr(getattr(records, "index", None), "name", None) == record_id and record_id not in records:
        ids = pd.Series(records.index)
    else:
        needs(records, [record_id], "records")
        ids = records[record_id].reset_index(drop=True)
    check_ids(ids, record_id)
    needs(pairs, ["left", "right"], "pairs")
    if threshold is not None:
        needs(pairs, ["score", "personal"], "pairs")
        pairs = pairs[(pairs["score"] >= threshold) & pairs["personal"]]
    elif "verdict" in pairs:
        pairs = pairs[pairs["verdict"] == "same"]
    index = pd.Index(ids)
    ends = [index.get_indexer(pd.Index(pairs[side])) for side in ("left", "right")]
    if (np.minimum(*ends) < 0).any():
        side = "left" if (ends[0] < 0).any() else "right"
        unknown = pairs[side][ends[0 if side == "left" else 1] < 0]
        raise InputError(
            f"pairs: {len(unknown):,} ids in {side!r} are not among the records, such as {unknown.iloc[0]!r}."
        )
    links = coo_array((np.ones(len(ends[0]), dtype=bool), ends), shape=(len(ids), len(ids)))
    _, group = connected_components(links, directed=False)
    order = np.argsort(ids.astype(str).to_numpy(dtype=object), kind="stable")
    first = np.full(group.max(initial=-1) + 1, -1)
    first[group[order][::-1]] = order[::-1]  # the smallest id of each group is written last
    return pd.Series(ids.array[first[group]], index=pd.Index(ids, name="record_id"), name="customer_id")


def chains(clusters: pd.Series, pairs: pd.DataFrame, *, weakest: float = 2) -> pd.DataFrame:
    """Which customers hang together by a chain only? A is like B, B is like C, but A and C are strangers: look at them.

    Parameters
    ----------
    clusters : what `clusters` gives; customers of one or two records cannot be chains.
    pairs : what `match` gave.
    weakest : the score that any two records of a customer should have among themselves.

    Returns
    -------
    DataFrame `customer_id`, `records`, `left`, `right` (the two that fit least), `weakest_score` (missing if they were
    never compared, or scored below `review`), `what`; the largest customers first.

    >>> scored = pd.DataFrame({"left": ["a", "b"], "right": ["b", "c"], "score": [9.0, 8.5], "verdict": "same"})
    >>> whole = clusters(pd.DataFrame({"record_id": ["a", "b", "c"]}), scored)
    >>> chains(whole, scored)[["customer_id", "records", "left", "right"]].values.tolist()
    [['a', 3, 'a', 'c']]
    """
    needs(pairs, ["left", "right", "score"], "pairs")
    _is_clusters(clusters)
    customer = clusters[~clusters.index.duplicated()]
    size = customer.value_counts()
    inside = pairs["left"].map(customer)
    inside = inside.where(inside == pairs["right"].map(customer))
    good = inside[pairs["score"] >= weakest].value_counts().reindex(size.index, fill_value=0)
    found = size.index[(size > 2) & (good < size * (size - 1) / 2)]
    own = pairs.assign(customer=inside)[inside.isin(found)].groupby("customer")
    rows = []
    chained = customer[customer.isin(found)]
    for name, members in chained.index.to_series().groupby(chained.to_numpy()):
        scored = {
            frozenset(pair): score
            for *pair, score in own.get_group(name)[["left", "right", "score"]].itertuples(index=False)
        }
        members = sorted(members, key=str)
        pair = next((p for p in combinations(members, 2) if frozenset(p) not in scored), None)
        pair = pair or min(combinations(members, 2), key=lambda p, scored=scored: scored[frozenset(p)])
        score = scored.get(frozenset(pair), np.nan)
        why = "have nothing in common that was compared" if np.isnan(score) else f"score only {score:g}"
        rows.append((name, len(members), *pair, score, f"{pair[0]} and {pair[1]} {why}; others join them"))
    columns = ["customer_id", "records", "left", "right", "weakest_score", "what"]
    frame = pd.DataFrame(rows, columns=columns).astype({"records": "int64", "weakest_score": "float64"})
    by_size = frame.assign(key=frame["customer_id"].astype(str)).sort_values(
        ["records", "key"], ascending=[False, True]
    )
    return by_size.drop(columns="key").reset_index(drop=True)


def evaluate(clusters: pd.Series, truth: pd.Series | pd.DataFrame) -> pd.Series:
    """How good are the customers that were found, where it is known who is who? Pairs of records are counted.

    precision: of the pairs that were joined, the share that belong together (the rest mixes up two persons); recall: of
    the pairs that belong together, the share that was joined (the rest writes to one person twice); f1: the harmonic
    mean of both. Of nothing joined the precision is missing, of nothing to join the recall.

    Parameters
    ----------
    clusters : what `clusters` gives, one entry a record.
    truth : the person of every record: a Series indexed by record_id, or a DataFrame `record_id`, `person_id`.

    Returns
    -------
    Series `precision`, `recall`, `f1`, `right_pairs`, `wrong_pairs`, `missed_pairs`, `records`, `customers`, `persons`.

    Raises InputError if a record has no truth or the truth names records that are not there.

    Source: pairwise precision and recall, e.g. Christen (2012), Data Matching, chapter 7.

    >>> found = pd.Series({"a": 1, "b": 1, "c": 1, "d": 2})
    >>> evaluate(found, pd.Series({"a": "x", "b": "x", "c": "y", "d": "y"})).head(6).round(2).to_dict()
    {'precision': 0.33, 'recall': 0.5, 'f1': 0.4, 'right_pairs': 1.0, 'wrong_pairs': 2.0, 'missed_pairs': 1.0}
    """
    _is_clusters(clusters)
    person = _truth(truth)
    for one, other, what in (
        (clusters, person, "have no person in the truth"),
        (person, clusters, "of the truth have no customer"),
    ):
        lost = one.index.difference(other.index)
        if len(lost):
            raise InputError(f"{len(lost):,} records {what}, such as {lost[0]!r}; both must tell of the same records.")
    person = person.reindex(clusters.index)
    both = pd.DataFrame({"customer": clusters.to_numpy(), "person": person.to_numpy()})
    right, joined, one = (
        _pairs(both.groupby(by).size().to_numpy()) for by in (["customer", "person"], ["customer"], ["person"])
    )
    precision = right / joined if joined else np.nan
    recall = right / one if one else np.nan
    f1 = 2 * right / (joined + one) if joined + one else np.nan
    return pd.Series(
        {
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "right_pairs": right,
            "wrong_pairs": joined - right,
            "missed_pairs": one - right,
            "records": len(both),
            "customers": both["customer"].nunique(),
            "persons": both["person"].nunique(),
        }
    )


def curve(
    pairs: pd.DataFrame, truth: pd.Series | pd.DataFrame, *, thresholds: Iterable[float] | None = None
) -> pd.DataFrame:
    """What would another threshold have cost? A low one mixes up persons, a high one leaves them apart.

    Parameters
    ----------
    pairs : what `match(…, every=True)` gives, so that low thresholds can be tried too.
    truth : the person of every record, as for `evaluate`.
    thresholds : every whole number between the lowest and the highest score unless given.

    Returns
    -------
    DataFrame, one row a threshold, ascending: `threshold` and the figures of `evaluate`.
    """
    needs(pairs, ["left", "right", "score", "personal"], "pairs")
    person = _truth(truth)
    if thresholds is None:
        if pairs.empty:
            raise InputError("there is no pair to take thresholds from; name them with thresholds=.")
        thresholds = np.arange(np.floor(pairs["score"].min()), np.ceil(pairs["score"].max()) + 1)
    records = pd.DataFrame({"record_id": person.index})
    rows = [evaluate(clusters(records, pairs, threshold=level), person) for level in sorted(thresholds)]
    frame = pd.DataFrame(rows).reset_index(drop=True)
    counts = [column for column in frame if column not in ("precision", "recall", "f1")]
    frame.insert(0, "threshold", sorted(thresholds))
    return frame.astype(dict.fromkeys(counts, "int64"))


def _pairs(sizes: np.ndarray) -> int:
    return int((sizes.astype("int64") * (sizes - 1) // 2).sum())


def _is_clusters(clusters: Any) -> None:
    if not isinstance(clusters, pd.Series):
        raise KindError(
            f"a Series of customers indexed by record_id is needed, not {type(clusters).__name__}; identity.clusters gives it."
        )
    check_ids(pd.Series(clusters.index), "record_id")
    if clusters.isna().any():
        raise InputError(f"{int(clusters.isna().sum()):,} records have no customer; every record belongs to one.")


def _truth(truth: Any) -> pd.Series:
    if isinstance(truth, pd.DataFrame):
        needs(truth, ["record_id", "person_id"], "truth")
        truth = truth.set_index("record_id")["person_id"]
    if not isinstance(truth, pd.Series):
        raise KindError(f"truth must be a Series or a DataFrame, not {type(truth).__name__}.")
    check_ids(pd.Series(truth.index), "record_id")
    return truth
