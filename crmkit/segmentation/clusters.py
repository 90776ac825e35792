"""Segments found in the data: columns made comparable, customers grouped, the number of groups chosen, each group named."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from crmkit.errors import ColumnError, InputError, KindError, in_range, near_misses, one_of
from crmkit.segmentation.usefulness import agreement, usefulness
from crmkit.segmentation.value import Interval
from crmkit.tables.frames import needs

__all__ = [
    "METHODS",
    "WORDS",
    "Clusters",
    "Preparation",
    "agreement",
    "choose_k",
    "cluster",
    "prepare",
    "profile",
    "usefulness",
]

COLUMNS = ("recency_days", "orders", "spend")
METHODS = ("k-means", "mixture")
#: What a low and a high value of a column is called in a proposed name; other columns are called "low …" and "high …".
WORDS = {
    "recency_days": ("here lately", "long away"),
    "orders": ("seldom", "often"),
    "spend": ("little money", "much money"),
    "mean_order_value": ("small baskets", "large baskets"),
}
#: Starts are tried, silhouettes and halves are measured on so many customers at most; all customers are then clustered.
_SAMPLE, _SILHOUETTE = 20_000, 2_000


@dataclass(frozen=True, repr=False)
class Preparation:
    """How columns with different units became comparable. `str()` states it; `apply` does the same to new customers.

    steps: index `column`: `low`, `high` (values beyond are set to these), `log` (log(1 + value) is taken afterwards), `centre` and
        `spread` (subtracted, then divided by). What `prepare` learned from its customers stays as it is for all others.
    """

    steps: pd.DataFrame

    def apply(self, customers: pd.DataFrame) -> pd.DataFrame:
        """The prepared columns of any customers, one row each. Raises as `prepare`."""
        values = _numbers(customers, list(self.steps.index)).clip(self.steps["low"], self.steps["high"], axis=1)
        for column in self.steps.index[self.steps["log"]]:
            values[column] = np.log1p(values[column])
        return (values - self.steps["centre"]) / self.steps["spread"]

    def __str__(self) -> str:
        return "\n".join(
            f"{column}: kept within {step.low:,.6g} and {step.high:,.6g}"
            + (", then log(1 + value)" if step.log else "")
            + (
                f", minus {step.centre:.3f}, divided by {step.spread:.3f}"
                if (step.centre, step.spread) != (0, 1)
                else ""
            )
            for column, step in zip(self.steps.index, self.steps.itertuples(), strict=True)
        )

    __repr__ = __str__


@dataclass(frozen=True, repr=False)
class Clusters:
    """Customers in groups: `labels` (one a customer, 1 … k), `explained`, `preparation`, `method`, `k`, `seed`.

    Cluster 1 has the highest mean of the last column, and so on downwards. `explained` is the share of the variance of the
    prepared columns that lies between the clusters. `place` puts further customers into the same clusters.
    """

    labels: "pd.Series[Any]"
    explained: float
    preparation: Preparation
    method: str
    k: int
    seed: int
    _model: Any
    _number: np.ndarray

    def place(self, customers: pd.DataFrame) -> "pd.Series[Any]":
        """Which cluster is each of these customers nearest to? Nothing is learned from them. Raises as `prepare`."""
        points = self.preparation.apply(customers)
        with _one_thread():
            found = self._number[self._model.predict(points.to_numpy())]
        return pd.Series(found, index=customers.index, name="cluster")

    def __repr__(self) -> str:
        sizes = ", ".join(
            f"{size:,}" for size in self.labels.value_counts().reindex(range(1, self.k + 1), fill_value=0)
        )
        return f"{self.k} clusters by {self.method} of {len(self.labels):,} customers: {sizes}"


def prepare(
    customers: pd.DataFrame,
    columns: Sequence[str] = COLUMNS,
    *,
    log: bool | Sequence[str] = True,
    winsorise: float = 0.01,
    scale: bool = True,
) -> Preparation:
    """Days, orders and money: how are they made comparable before distances between customers are measured?

    Parameters
        customers: one row a customer, such as `lifecycle.summary`, with numbers in `columns`.
        log: take log(1 + value): of all columns, of none, or of those named. Then 10 against 20 orders is about as far as
            100 against 200; without it a few heavy buyers set all distances.
        winsorise: this share of the customers at each end is set to the value where the rest begins (a value that occurs);
            0 leaves them alone.
        scale: subtract the mean and divide by the standard deviation, so that each column counts alike. Without it the column
            with the largest numbers decides alone.
    Returns: a `Preparation`.
    Raises: ColumnError for a missing column; KindError for texts; InputError for missing or infinite values, for values below 0
        whose logarithm is wanted, for a column that is the same for all.

    >>> people = pd.DataFrame({"orders": [1, 2, 4, 8], "spend": [10.0, 20, 40, 1000]})
    >>> ready = prepare(people, ["orders", "spend"], winsorise=0.25)
    >>> ready.steps[["low", "high"]].to_numpy().tolist()
    [[1.0, 4.0], [10.0, 40.0]]
    >>> ready.apply(people)["spend"].round(2).to_list()
    [-1.5, -0.32, 0.91, 0.91]
    """
    columns = list(columns)
    values = _numbers(customers, columns)
    in_range("winsorise", winsorise, 0, 0.5, ends="[)", what="a share", such_as=0.01)
    logs = columns if log is True else [] if log is False else list(log)
    for name in logs:
        if name not in columns:
            raise ColumnError(f"log names {name!r}, which is not among the columns.{near_misses(name, columns)}")
    rows = []
    for column in columns:
        ends = np.quantile(values[column], [winsorise, 1 - winsorise], method="inverted_cdf")
        cut = values[column].clip(*ends)
        if column in logs:
            if ends[0] < 0:
                below = int((values[column] < 0).sum())
                raise InputError(
                    f"column {column!r} has {below:,} values below 0, such as {values[column].min():,.2f}, and those have no "
                    "logarithm; leave these customers out, raise winsorise, or name the columns in log= without this one."
                )
            cut = np.log1p(cut)
        spread = float(cut.std(ddof=0))
        if spread <= 1e-12 * max(1.0, float(cut.abs().max())):
            raise InputError(
                f"column {column!r} is {cut.iloc[0]:g} for all {len(cut):,} customers after winsorising; leave it out."
            )
        centre, spread = (float(cut.mean()), spread) if scale else (0.0, 1.0)
        rows.append((float(ends[0]), float(ends[1]), column in logs, centre, spread))
    index = pd.Index(columns, name="column")
    return Preparation(pd.DataFrame(rows, columns=["low", "high", "log", "centre", "spread"], index=index))


def cluster(
    customers: pd.DataFrame,
    k: int,
    *,
    preparation: Preparation | None = None,
    method: str = "k-means",
    seed: int = 1,
    starts: int = 10,
) -> Clusters:
    """Which customers are alike, if they are to make k groups?

    Neither the order of rows nor the customers' ids matter, and equal customers are in the same cluster. k-means always finds
    k groups, also where there are none: ask `choose_k` before you believe in them.

    Parameters
        customers: one row a customer, with the columns of the preparation.
        k: number of clusters, 2 or more.
        preparation: from `prepare`; its defaults (days, orders, spend; logs, winsorised, scaled) unless given.
        method: "k-means" (round groups of like width) or "mixture" (a mixture of normal distributions: oblong groups of unlike
            width; learned on 20,000 customers at most, from a third of the starts).
        seed, starts: of the random starts; the best of `starts` is kept.
    Returns: `Clusters`.
    Raises: InputError for an unknown method or fewer different customers than clusters; else as `prepare`.
    Source: MacQueen (1967) and Lloyd (1982) for k-means, as scikit-learn computes it.

    >>> people = pd.DataFrame({"orders": [1, 1, 2, 40, 42, 41], "spend": [5.0, 6, 5, 900, 950, 900]})
    >>> found = cluster(people, 2, preparation=prepare(people, ["orders", "spend"]))
    >>> found.labels.to_list(), found.place(pd.DataFrame({"orders": [30], "spend": [700.0]})).to_list()
    ([2, 2, 2, 1, 1, 1], [1])
    """
    in_range("k", k, 2, what="a whole number of clusters")
    one_of("method", method, METHODS)
    ready = preparation if preparation is not None else prepare(customers)
    points = ready.apply(customers).to_numpy()
    order = np.lexsort(points.T)
    different = 1 + int((np.diff(points[order], axis=0) != 0).any(axis=1).sum())
    if different < k:
        raise InputError(f"k={k} clusters need {k} different customers; there are {different:,}. Take a smaller k.")
    with _one_thread():
        model = _fit(points[order], k, method, seed, starts)
        raw = model.predict(points)
    means = np.vstack([_mean(points, raw == each) for each in range(k)])
    number = np.empty(k, dtype=np.int64)
    number[np.lexsort(-means.T)] = np.arange(1, k + 1)
    within = sum(float(((points[raw == each] - means[each]) ** 2).sum()) for each in range(k) if (raw == each).any())
    total = float(((points - points.mean(axis=0)) ** 2).sum())
    labels = pd.Series(number[raw], index=customers.index, name="cluster")
    return Clusters(labels, 1 - within / total, ready, method, int(k), seed, model, number)


def choose_k(
    customers: pd.DataFrame,
    *,
    ks: Iterable[int] = range(2, 9),
    later: "pd.Series[Any] | None" = None,
    preparation: Preparation | None = None,
    method: str = "k-means",
    seed: int = 1,
    draws: int = 10,
) -> pd.DataFrame:
    """How many clusters? Three judges that need not agree: are they apart, do they come again, are they of use?

    Parameters
        customers, preparation, method, seed: as `cluster`. ks: the numbers to try.
        later: money of each customer in a later period, by customer_id; who is missing there spent 0. Without it there is no
            usefulness.
        draws: how many times the customers are cut into two halves by lot.
    Returns: index `k`: `silhouette` (how much nearer to one's own cluster than to the next one, −1 to 1; on 2,000 customers by
        lot), `stability` (both halves are clustered, all customers are placed by both: mean adjusted Rand index; 1 is the same
        clusters, 0 chance), `stability_low` (the worst draw), `useful`, `useful_low`, `useful_high` (as `usefulness`),
        `explained` (grows with k in any data, and decides nothing), `smallest` (customers in the smallest cluster).
    Raises: as `cluster`; InputError for fewer than 4 customers a cluster.
    Source: Rousseeuw (1987), Journal of Computational and Applied Mathematics 20, for the silhouette; Lange, Roth, Braun and
        Buhmann (2004), Neural Computation 16, for stability; Hubert and Arabie (1985), Journal of Classification 2.

    >>> people = pd.DataFrame({"orders": [1, 2, 1, 2, 41, 42, 41, 42], "spend": [5.0, 5, 6, 6, 900, 900, 950, 950]})
    >>> choose_k(people, ks=[2], preparation=prepare(people, ["orders", "spend"]))["stability"].round(2).to_list()
    [1.0]
    """
    from sklearn.metrics import silhouette_score

    wanted = list(ks)
    for k in wanted:
        in_range("k", k, 2, what="a whole number of clusters")
    if not wanted or len(customers) < 4 * max(wanted):
        raise InputError(f"ks={wanted!r}: {len(customers):,} customers are too few; at least 4 a cluster are needed.")
    ready = preparation if preparation is not None else prepare(customers)
    points = ready.apply(customers).to_numpy()
    points = points[np.lexsort(points.T)]
    random = np.random.default_rng(seed)
    shuffles = [random.permutation(len(points))[: 2 * _SAMPLE] for _ in range(draws)]
    few = random.permutation(len(points))[:_SILHOUETTE]
    rows = []
    for k in wanted:
        found = cluster(customers, k, preparation=ready, method=method, seed=seed)
        with _one_thread():
            same = []
            for shuffle in shuffles:
                halves = np.array_split(shuffle, 2)
                one, other = (
                    _fit(points[np.sort(half)], k, method, seed, 5).predict(points[shuffle]) for half in halves
                )
                same.append(agreement(one, other))
            shown = found._model.predict(points[few])
            apart = silhouette_score(points[few], shown) if 1 < len(np.unique(shown)) < len(few) else np.nan
        useful = usefulness(found.labels, later, seed=seed) if later is not None else Interval(*[np.nan] * 3)
        sizes = found.labels.value_counts()
        rows.append((float(apart), np.mean(same), np.min(same), *useful, found.explained, int(sizes.min())))
    names = ["silhouette", "stability", "stability_low", "useful", "useful_low", "useful_high", "explained", "smallest"]
    table = pd.DataFrame(rows, columns=names, index=pd.Index(wanted, name="k"))
    table.attrs = {"method": method, "seed": seed, "draws": draws, "customers": len(customers)}
    return table


def profile(
    customers: pd.DataFrame,
    labels: "pd.Series[Any]",
    columns: Sequence[str] = COLUMNS,
    *,
    words: Mapping[str, tuple[str, str]] = WORDS,
) -> pd.DataFrame:
    """Who is in each cluster, and what could it be called?

    A name is proposed from the medians: a column is named where the cluster's median lies in the lower or upper third of all
    customers ("very" in the outer tenth). It describes what was; it promises nothing.

    Parameters: customers, labels: by customer_id. columns: what to describe; they need not have made the clusters.
        words: column → (word for low, word for high).
    Returns: index `cluster`: `segment` (the proposed name), `customers`, `share_of_customers`, `spend` and `share_of_spend` (if
        there is a column `spend`), then for each column its median, and `…_place` (the share of all customers below that
        median, those at it counting half).
    Raises: ColumnError, KindError, InputError as `prepare`; InputError if a customer has no label.

    >>> people = pd.DataFrame({"orders": [1, 1, 9, 9], "spend": [5.0, 5, 90, 90]})
    >>> profile(people, pd.Series([2, 2, 1, 1]), ["orders", "spend"])["segment"].to_dict()
    {1: 'often, much money', 2: 'seldom, little money'}
    """
    values = _numbers(customers, list(columns))
    label = labels.reindex(values.index)
    if label.isna().any():
        raise InputError(
            f"{label.isna().sum():,} of {len(label):,} customers have no label; give labels by customer_id."
        )
    groups = values.groupby(label)
    table = pd.DataFrame({"customers": groups.size()})
    table["share_of_customers"] = table["customers"] / len(values)
    if "spend" in customers.columns:
        table["spend"] = customers["spend"].groupby(label).sum()
        total = table["spend"].sum()
        table["share_of_spend"] = table["spend"] / total if total > 0 else np.nan
    told: dict[Any, list[str]] = {each: [] for each in table.index}
    medians, places = groups.median(), {}
    for column in columns:
        ordered = np.sort(values[column].to_numpy())
        ends = [np.searchsorted(ordered, medians[column], side=side) for side in ("left", "right")]
        places[f"{column}_place"] = pd.Series((ends[0] + ends[1]) / 2 / len(ordered), index=medians.index)
        low, high = words.get(column, (f"low {column.replace('_', ' ')}", f"high {column.replace('_', ' ')}"))
        for each, place in places[f"{column}_place"].items():
            if not 1 / 3 <= place <= 2 / 3:
                word = low if place < 0.5 else high
                if abs(place - 0.5) > 0.4:
                    word = {"here lately": "here just now"}.get(word, f"very {word}")
                told[each].append(word)
    names = pd.Series({each: ", ".join(parts) or "in the middle" for each, parts in told.items()})
    twice = names.duplicated(keep=False)
    names[twice] = [f"{name} (cluster {each})" for each, name in names[twice].items()]
    medians.columns = [name if name not in table.columns else f"median_{name}" for name in medians.columns]
    table = pd.concat([table, medians, pd.DataFrame(places)], axis=1).rename_axis("cluster")
    table.insert(0, "segment", names)
    return table


def _fit(points: np.ndarray, k: int, method: str, seed: int, starts: int) -> Any:
    """A model learned on sorted points: the best of several starts on a sample, then all points from there."""
    from sklearn.cluster import KMeans
    from sklearn.mixture import GaussianMixture

    some = points
    if len(points) > _SAMPLE:
        some = points[np.sort(np.random.default_rng(seed).choice(len(points), _SAMPLE, replace=False))]
        if len(np.unique(some, axis=0)) < k:
            some = points
    if method == "mixture":
        return GaussianMixture(k, n_init=max(1, starts // 3), random_state=seed, reg_covar=1e-4).fit(some)
    model = KMeans(k, n_init=starts, random_state=seed).fit(some)
    return model if some is points else KMeans(k, init=model.cluster_centers_, n_init=1, random_state=seed).fit(points)


def _one_thread() -> Any:
    """scikit-learn on one thread: sums do not depend on the machine's cores, and the process can be copied afterwards."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1, user_api="openmp")


def _mean(points: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    return points[chosen].mean(axis=0) if chosen.any() else np.full(points.shape[1], -np.inf)


def _numbers(customers: Any, columns: list[str]) -> pd.DataFrame:
    needs(customers, columns, "customers")
    if not columns or len(customers) == 0:
        raise InputError(f"{len(customers):,} customers and {len(columns)} columns: there is nothing to compare.")
    for column in columns:
        if not pd.api.types.is_numeric_dtype(customers[column]):
            raise KindError(
                f"column {column!r} holds {customers[column].dtype} values such as {customers[column].iloc[0]!r}; numbers are needed."
            )
    values = customers[columns].astype(float)
    bad = ~np.isfinite(values)
    if bad.to_numpy().any():
        column = bad.any().idxmax()
        raise InputError(
            f"column {column!r} has {int(bad[column].sum()):,} of {len(values):,} values missing or infinite; fill them in or leave these customers out."
        )
    return values
