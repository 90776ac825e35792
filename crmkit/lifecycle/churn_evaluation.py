"""Are these warnings any good? What they catch, how early, what they cost, and which feature is too good to be true."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from crmkit import periods
from crmkit.errors import InputError, in_range
from crmkit.evaluation.intervals import share_interval
from crmkit.tables.frames import needs


@dataclass(frozen=True)
class Costs:
    """What each of the four outcomes costs, for one customer, in money.

    `false_alarm`: warned, would have stayed. `missed`: not warned, left. `caught`: warned, was about to leave (the call,
    and the loss of those whom it does not keep). `quiet`: not warned, stayed.

    >>> costs = Costs.of_call(call=12, value=90, saved=0.25)
    >>> costs.caught, round(costs.threshold, 3)
    (79.5, 0.533)
    """

    false_alarm: float
    missed: float
    caught: float
    quiet: float = 0.0

    def __post_init__(self) -> None:
        for name, amount in vars(self).items():
            in_range(name, amount, 0, what="an amount of money (a gain is a lower cost)")
        if self.missed <= self.caught or self.false_alarm < self.quiet:
            raise InputError(
                f"missed={self.missed:g} must cost more than caught={self.caught:g}, and false_alarm={self.false_alarm:g} at "
                f"least quiet={self.quiet:g}: else no warning, or every warning, is right and there is nothing to decide."
            )

    @classmethod
    def of_call(cls, *, call: float, value: float, saved: float) -> "Costs":
        """From the price of a call, the value of a customer, and the share of leavers that the call keeps."""
        in_range("saved", saved, 0, 1, ends="(]", what="the share of leavers whom a call keeps,")
        return cls(false_alarm=call, missed=value, caught=call + (1 - saved) * value)

    @property
    def threshold(self) -> float:
        """The risk from which a warning pays (Elkan 2001, "The foundations of cost-sensitive learning")."""
        needless, useful = self.false_alarm - self.quiet, self.missed - self.caught
        return needless / (needless + useful)

    def total(self, warned: Any, left: Any) -> float:
        """The cost of these warnings."""
        warned, left = np.asarray(warned, dtype=bool), np.asarray(left, dtype=bool)
        counts = [(warned & ~left).sum(), (~warned & left).sum(), (warned & left).sum(), (~warned & ~left).sum()]
        return float(np.dot(counts, [self.false_alarm, self.missed, self.caught, self.quiet]))


def cost_curve(score: "pd.Series[float]", left: "pd.Series[bool]", costs: Costs) -> pd.DataFrame:
    """From which score on should we warn?

    Parameters: `score`, any number that rises with the danger (a model's risk, times late, days of silence); `left`, what
        happened, row by row; `costs`.
    Returns: one row a threshold, highest first, from "warn nobody" (threshold inf): `threshold` (warned are those with a
        score of at least this), `warned`, `caught`, `precision`, `recall`, `cost`, `cost_per_customer`. Choose the
        threshold on one period and judge it on a later one.
    Raises: InputError for missing scores or outcomes.

    >>> curve = cost_curve(pd.Series([5.0, 3.0, 3.0, 1.0]), pd.Series([True, False, True, False]), Costs(1, 10, 4))
    >>> curve[["threshold", "warned", "caught", "cost"]]
       threshold  warned  caught  cost
    0        inf       0       0  20.0
    1        5.0       1       1  14.0
    2        3.0       3       2   9.0
    3        1.0       4       2  10.0
    """
    values, gone = _pair(score, left)
    order = np.argsort(-values, kind="stable")
    values, gone = values[order], gone[order]
    last = np.flatnonzero(np.append(values[1:] != values[:-1], True)) if len(values) else np.array([], dtype=int)
    warned = np.append(0, last + 1)
    caught = np.append(0, np.cumsum(gone)[last])
    total = int(gone.sum())
    table = pd.DataFrame({"threshold": np.append(np.inf, values[last]), "warned": warned, "caught": caught})
    table["precision"] = table["caught"] / table["warned"].where(table["warned"] > 0)
    table["recall"] = table["caught"] / total if total else np.nan
    false, missed = warned - caught, total - caught
    quiet = len(values) - total - false
    table["cost"] = false * costs.false_alarm + missed * costs.missed + caught * costs.caught + quiet * costs.quiet
    table["cost_per_customer"] = table["cost"] / len(values)
    return table


def scorecard(warnings: Mapping[str, "pd.Series[bool]"], left: "pd.Series[bool]", costs: Costs) -> pd.DataFrame:
    """Do these warnings beat saying nothing, and each other?

    Parameters: `warnings`, name → warned or not, row by row; `left`; `costs`. "nobody" and "everybody" are added.
    Returns: one row a way of warning, cheapest first: `warned`, `caught`, `precision` and `recall` with `…_low`, `…_high`
        (95 %), `cost`, `saved` (against warning nobody). attrs: `verdict` in words.

    >>> left = pd.Series([True, True, False, False, False])
    >>> card = scorecard({"silent": pd.Series([True, False, True, False, False])}, left, Costs(1, 10, 4))
    >>> card[["warned", "caught", "cost", "saved"]]
               warned  caught  cost  saved
    everybody       5       2  11.0    9.0
    silent          2       1  15.0    5.0
    nobody          0       0  20.0    0.0
    >>> card.attrs["verdict"]
    'No warning beats warning everybody.'
    """
    gone = np.asarray(left, dtype=bool)
    ways = {name: _flags(warned, len(gone), name) for name, warned in warnings.items()}
    ways |= {"nobody": np.zeros(len(gone), dtype=bool), "everybody": np.ones(len(gone), dtype=bool)}
    rows = {}
    for name, warned in ways.items():
        caught = int((warned & gone).sum())
        row = {"warned": int(warned.sum()), "caught": caught}
        for figure, of in (("precision", int(warned.sum())), ("recall", int(gone.sum()))):
            share = share_interval(caught, of)
            row |= {figure: share.share, f"{figure}_low": share.low, f"{figure}_high": share.high}
        rows[name] = row | {"cost": costs.total(warned, gone)}
    table = pd.DataFrame.from_dict(rows, orient="index").sort_values("cost", kind="stable")
    table["saved"] = table.loc["nobody", "cost"] - table["cost"]
    best, plain = table.index[0], min(("nobody", "everybody"), key=lambda name: table.loc[name, "cost"])
    beaten = table.loc[[*warnings], "cost"].min() < table.loc[plain, "cost"] if warnings else False
    table.attrs["verdict"] = (
        f"“{best}” costs least: {table.loc[best, 'cost']:,.0f} against {table.loc[plain, 'cost']:,.0f} for warning {plain}."
        if beaten
        else f"No warning beats warning {plain}."
    )
    return table


def lead_times(warnings: pd.DataFrame, left_on: "pd.Series[Any]", *, within: str = "180 days") -> pd.DataFrame:
    """How many days before leaving did the first warning come?

    Parameters
        warnings: one row a customer and day of watching: `customer_id` (index or column), `as_of`, `warned`.
        left_on: the day of leaving by customer_id; missing for those who stay.
        within: a warning earlier than this before the leaving is not counted as one of it.
    Returns: one row a leaver who was watched before leaving, by customer_id: `left_on`, `first_warning`, `lead_days`
        (missing if no warning came in time). attrs: `caught` (share of them warned before), `median_lead_days` (of the
        warned), `note`.
    Raises: ColumnError; InputError if no leaver was watched.

    >>> watched = pd.DataFrame({"as_of": pd.to_datetime(["2025-04-30", "2025-05-31"] * 2), "warned": [True, True, False, False]},
    ...                        index=pd.Index(["a", "a", "b", "b"], name="customer_id"))
    >>> lead_times(watched, pd.Series(pd.to_datetime(["2025-06-09", "2025-06-20"]), index=["a", "b"]))["lead_days"].to_list()
    [40.0, nan]
    """
    table = warnings.reset_index() if "customer_id" not in warnings else warnings.reset_index(drop=True)
    needs(table, ["customer_id", "as_of", "warned"], "warnings")
    table = table[["customer_id", "as_of", "warned"]]  # it may carry left_on itself
    if left_on.dropna().index.has_duplicates:
        raise InputError("left_on names a customer twice; give the day of the leaving that was to be warned of.")
    gone = pd.to_datetime(left_on.dropna()).rename("left_on").rename_axis("customer_id")
    seen = table.merge(gone.reset_index(), on="customer_id")
    seen = seen[seen["as_of"] < seen["left_on"]]
    if seen.empty:
        raise InputError(
            "no leaver was watched on a day before leaving: are the customer_ids the same, and the days earlier?"
        )
    earliest = seen["left_on"] - pd.Timedelta(days=round(periods.Horizon.parse(within).days))
    timely = seen[seen["warned"].astype(bool) & (seen["as_of"] >= earliest)]
    result = seen.groupby("customer_id")[["left_on"]].first()
    result["first_warning"] = timely.groupby("customer_id")["as_of"].min()
    result["lead_days"] = (result["left_on"] - result["first_warning"]).dt.days
    caught = result["lead_days"].notna().mean()
    result.attrs = {"caught": float(caught), "median_lead_days": float(result["lead_days"].median())}
    result.attrs["note"] = (
        f"{result['lead_days'].notna().sum():,} of {len(result):,} leavers were warned of, half of them at least "
        f"{result.attrs['median_lead_days']:.0f} days before."
        if caught
        else f"None of {len(result):,} leavers was warned of in time."
    )
    return result


def separation(features: pd.DataFrame, left: "pd.Series[bool]") -> pd.DataFrame:
    """Which single feature tells leavers from stayers, and is one of them too good to be true?

    Returns: one row a feature of numbers, the sharpest first: `auc` (the chance that a random leaver has a higher value
        than a random stayer, ties half: 0.5 says nothing, 0 and 1 tell all), `mean_left`, `mean_stayed`, `missing`.
        A feature goes with leaving; whether it causes it, this table cannot say.
    Raises: InputError if only one outcome occurs.

    >>> features = pd.DataFrame({"logins": [0, 1, 5, 6], "age": [30, 50, 30, 50]})
    >>> separation(features, pd.Series([True, True, False, False]))["auc"].to_list()
    [0.0, 0.5]
    """
    gone = pd.Series(np.asarray(left, dtype=bool), index=features.index)
    if gone.nunique() < 2:
        raise InputError(
            f"all {len(gone):,} customers {'left' if gone.all() else 'stayed'}: there is nothing to tell apart."
        )
    rows = {}
    for name, values in features.select_dtypes(["number", "bool"]).items():
        if name == "left":
            continue
        known = values.notna()
        ranks, side = values[known].astype(float).rank(), gone[known]
        leavers, stayers = int(side.sum()), int((~side).sum())
        area = (
            (ranks[side].sum() - leavers * (leavers + 1) / 2) / (leavers * stayers) if leavers and stayers else np.nan
        )
        means = (values[known & gone].mean(), values[known & ~gone].mean())
        rows[name] = (area, *means, int((~known).sum()))
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["auc", "mean_left", "mean_stayed", "missing"])
    return table.loc[(table["auc"] - 0.5).abs().sort_values(ascending=False, kind="stable").index].rename_axis(
        "feature"
    )


def _pair(score: Any, left: Any) -> tuple[np.ndarray, np.ndarray]:
    values, gone = np.asarray(score, dtype=float), pd.Series(left)
    if len(values) != len(gone):
        raise InputError(f"{len(values):,} scores and {len(gone):,} outcomes: give one of each for a customer.")
    for name, missing in (("score", int(np.isnan(values).sum())), ("left", int(gone.isna().sum()))):
        if missing:
            raise InputError(
                f"{name} is missing for {missing:,} of {len(values):,} customers; leave them out or fill it in."
            )
    return values, gone.to_numpy(dtype=bool)


def _flags(warned: Any, length: int, name: str) -> np.ndarray:
    flags = pd.Series(warned)
    if len(flags) != length or flags.isna().any() or not set(flags.unique()) <= {True, False}:
        raise InputError(
            f"{name}: give yes or no for each of {length:,} customers, not {len(flags):,} values of {flags.dtype}."
        )
    return flags.to_numpy(dtype=bool)
