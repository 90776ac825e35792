"""Whom should we have written to? Lists of customers judged by one experiment in which lots decided about everybody."""

from collections.abc import Iterable, Mapping
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from crmkit.errors import InputError, KindError, all_known, in_range
from crmkit.evaluation import experiments
from crmkit.tables.frames import by_customer, complete, needs

__all__ = ["choose", "compare"]


def compare(
    table: pd.DataFrame,
    lists: Mapping[str, Any],
    outcome: str,
    *,
    design: str,
    cost_per_contact: float,
    coupon: float | str = 0.0,
    made_for: Mapping[str, float] | None = None,
    margin: float | None = None,
    group: str = "group",
    level: float = 0.95,
) -> pd.DataFrame:
    """What would one more buyer have cost on each list?

    Contacts are paid for everybody on the list, coupons for everybody who buys, also for those who would have bought
    anyway. Only the difference from the control group is more buyers. Because lots were drawn among all, the members of
    any list that was fixed beforehand are an experiment of their own.

    Parameters
    ----------
    table : one row a customer of the experiment, by index or column `customer_id`, with `group` ("control" and one other)
        and `outcome`, yes/no.
    lists : name → customers, as ids or as a yes/no Series by customer_id (or by the rows of `table`). Who is not in the
        experiment is not counted, nor is anybody twice.
    design : "randomised" or "naive", as for `experiments.read_out`.
    cost_per_contact : money a message.
    coupon : money that each contacted buyer is given; or the column with what each customer was given (0 for nothing).
    made_for : name → money that making the list has cost (data, hours); 0 unless given.
    margin : what one buyer leaves before the coupon; then `profit` is added.

    Returns
    -------
    DataFrame, one row a list: `customers`, `contacted`, `held_out` (of the experiment), `with_contact`, `without` (shares
    of buyers), `effect`, `low`, `high`; if all on the list were written to: `more_buyers`, `given_anyway` (coupons for
    those who would have bought anyway, in money, if they use them like other buyers), `cost`, `cost_per_buyer` with
    `cost_low`, `cost_high` (inf where the effect may be nothing, as where `low` is not above 0; a missing cost where it
    is none), and with `margin` `profit`, `profit_low`, `profit_high`.
    attrs: `design`, `limits`, `level`, `margin`.

    Raises
    ------
    InputError for a list without a customer in one of the groups, negative costs; KindError for an outcome that is no
    yes/no; else as `experiments.read_out`.

    Source: the interval of a ratio: Fieller (1954), Journal of the Royal Statistical Society B 16(2).

    >>> trial = pd.DataFrame({"group": ["contact"] * 500 + ["control"] * 500, "bought": ([1] * 50 + [0] * 450) + ([1] * 20 + [0] * 480)})
    >>> trial.index.name = "customer_id"
    >>> found = compare(trial, {"all": trial.index}, "bought", design="randomised", cost_per_contact=0.1, coupon=2)
    >>> found[["more_buyers", "given_anyway", "cost", "cost_per_buyer", "cost_low", "cost_high"]].round(2)
          more_buyers  given_anyway   cost  cost_per_buyer  cost_low  cost_high
    list
    all          60.0          80.0  300.0             5.0       3.7       9.01
    """
    frame, members = _experiment(table, lists, outcome, design, group, level)
    amounts = [("cost_per_contact", cost_per_contact), ("margin", 0 if margin is None else margin)]
    if isinstance(coupon, str):
        needs(frame, [coupon], "the experiment")
        complete(frame, [coupon], "the experiment", "who was given nothing has a 0")
        if not pd.api.types.is_numeric_dtype(frame[coupon]):
            raise KindError(f"column {coupon!r} holds {frame[coupon].dtype}; make it the money that each was given.")
        amounts.append((f"the lowest {coupon!r}", float(frame[coupon].min())))
    else:
        amounts.append(("coupon", coupon))
    all_known("made_for", made_for or {}, members)
    for name, amount in [*amounts, *(made_for or {}).items()]:
        in_range(name, amount, 0, what="an amount of money")
    z, rows = NormalDist().inv_cdf((1 + level) / 2), {}
    for name, on_list in members.items():
        if frame.loc[on_list, group].nunique() < 2:
            raise InputError(
                f"list {name!r} has {int(on_list.sum()):,} customers of the experiment, not in both groups."
            )
        those = frame[on_list]
        found = experiments.read_out(those, outcome, design=design, group=group, level=level)
        size = int(on_list.sum())
        (arm,) = (one for one in found.means if one != experiments.CONTROL)
        p, n = (np.array([side[arm], side[experiments.CONTROL]]) for side in (found.means, found.sizes))
        spread = p * (1 - p) / n
        reached = those[those[group] == arm]
        given = reached[coupon] if isinstance(coupon, str) else reached[outcome] * coupon
        # the variance of a mean given, of a mean bought, and their covariance, among those contacted
        both = np.cov(given.to_numpy(float), reached[outcome].to_numpy(float), ddof=0) / n[0]
        each = cost_per_contact + (made_for or {}).get(name, 0.0) / size + given.mean()
        low, high = _ratio(each, found.estimate, both, spread[1], z)
        high = high if found.low > 0 else np.inf
        row = {"customers": size, "contacted": int(n[0]), "held_out": int(n[1]), "with_contact": p[0], "without": p[1]}
        row |= {"effect": found.estimate, "low": found.low, "high": found.high, "more_buyers": size * found.estimate}
        row |= {"given_anyway": size * p[1] * (given.mean() / p[0] if p[0] else 0.0), "cost": size * each}
        row["cost_per_buyer"] = each / found.estimate if found.estimate > 0 else np.nan
        row |= {"cost_low": low, "cost_high": high}
        if margin is not None:
            row["profit"] = size * (found.estimate * margin - each)
            change = both[0, 0] - 2 * margin * both[0, 1] + margin**2 * (both[1, 1] + spread[1])
            half = z * size * np.sqrt(max(change, 0.0))
            row |= {"profit_low": row["profit"] - half, "profit_high": row["profit"] + half}
        rows[name] = row
    result = pd.DataFrame.from_dict(rows, orient="index").rename_axis("list")
    result.attrs = {"design": design, "limits": experiments.LIMITS[design], "level": level, "margin": margin}
    return result


def choose(
    table: pd.DataFrame,
    lists: Mapping[str, Any],
    outcome: str,
    *,
    group: str = "group",
    splits: int = 200,
    smallest: int = 30,
    seed: int = 1,
) -> pd.DataFrame:
    """If we try many lists and keep the best, how much of its effect is left on customers who did not choose it?

    The winner of many tries is partly good and partly lucky. So the customers are halved by lot within both groups: one
    half chooses the list with the largest effect, the other half, which knows nothing of the choice, judges it.

    Parameters
    ----------
    table, lists, outcome, group : as for `compare`.
    splits : how often to halve anew; one split is one piece of luck, many show the rule.
    smallest : a list takes part with so many customers in each group of each half.
    seed : of the lots.

    Returns
    -------
    DataFrame, one row a split: `chosen` (the list), `promised` (its effect in the half that chose), `kept` (in the other
    half). attrs: `lists` (how many were ever large enough to take part), `promised`, `kept` (means).

    Raises
    ------
    InputError if less than two lists are large enough; else as `compare`.

    Source: the winner's curse of selection; Efron (2011), Journal of the American Statistical Association 106(496).

    >>> random = np.random.default_rng(1)
    >>> trial = pd.DataFrame({"group": ["contact", "control"] * 1000, "bought": random.random(2000) < 0.2})
    >>> trial.index.name = "customer_id"
    >>> lists = {str(n): trial.index[random.random(2000) < 0.3] for n in range(20)}  # nothing works, no list is better
    >>> found = choose(trial, lists, "bought")
    >>> bool(found.attrs["promised"] - found.attrs["kept"] > 0.05)
    True
    """
    for name, number, least in (("splits", splits, 1), ("smallest", smallest, 1), ("seed", seed, 0)):
        in_range(name, number, least, what="a whole number")
    frame, members = _experiment(table, lists, outcome, "naive", group, 0.95)
    bought, contact = frame[outcome].to_numpy(float), (frame[group] != experiments.CONTROL).to_numpy()
    on_list = np.column_stack([one.to_numpy() for one in members.values()]).astype(float)
    names, random, rows = np.array(list(members), dtype=object), np.random.default_rng(seed), []
    # lots that do not know the order of rows: drawn for the ids in their order
    order = np.argsort(frame.index.astype(str).to_numpy(), kind="stable")
    arms = [order[contact[order]], order[~contact[order]]]
    anywhere = np.zeros(len(names), dtype=bool)
    for _ in range(splits):
        first = np.zeros(len(frame), dtype=bool)
        for arm in arms:
            first[random.permutation(arm)[: len(arm) // 2]] = True
        effects, enough = [], np.ones(len(names), dtype=bool)
        for half in (first, ~first):
            sides = np.stack([half & contact, half & ~contact]).astype(float)
            sizes, buyers = sides @ on_list, (sides * bought) @ on_list
            enough &= (sizes >= smallest).all(axis=0)
            effects.append(np.subtract(*(buyers / np.maximum(sizes, 1))))
        anywhere |= enough
        if enough.sum() < 2:
            raise InputError(
                f"{int(enough.sum())} of {len(names)} lists have {smallest} customers in each group of each half; "
                "two at least are needed to choose."
            )
        best = int(np.argmax(np.where(enough, effects[0], -np.inf)))
        rows.append((names[best], effects[0][best], effects[1][best]))
    result = pd.DataFrame(rows, columns=["chosen", "promised", "kept"]).rename_axis("split")
    result.attrs = {"lists": int(anywhere.sum()), "outcome": outcome}
    result.attrs |= {name: float(result[name].mean()) for name in ("promised", "kept")}
    return result


def _experiment(
    table: pd.DataFrame, lists: Mapping[str, Any], outcome: str, design: str, group: str, level: float
) -> "tuple[pd.DataFrame, dict[str, pd.Series[bool]]]":
    """The experiment by customer, and for each list who of them is on it."""
    frame = by_customer(table, "the experiment")
    if experiments.read_out(frame, outcome, design=design, group=group, level=level).kind != "share":
        raise KindError(f"column {outcome!r} must be yes/no (or 0/1): a buyer or not.")
    if not isinstance(lists, Mapping) or not lists:
        raise KindError("lists is a mapping of names to customers, such as {'all': table.index}.")
    members = {
        str(name): pd.Series(_on_list(name, chosen, table, frame), frame.index) for name, chosen in lists.items()
    }
    return frame, members


def _on_list(name: object, chosen: Any, table: pd.DataFrame, frame: pd.DataFrame) -> np.ndarray:
    """Who of the experiment is on a list, whichever way it was written."""
    series = isinstance(chosen, pd.Series)
    if series and pd.api.types.infer_dtype(chosen, skipna=True) == "boolean":
        by_row = chosen.index.name != "customer_id" and chosen.index.equals(table.index)
        ids = (frame if by_row else chosen).index[chosen.astype("boolean").fillna(False)]
    else:
        written = isinstance(chosen, Iterable) and not isinstance(chosen, str | Mapping | pd.DataFrame)
        ids = pd.Index(chosen if written else [])
        numbers = series and len(ids) and chosen.index.name == "customer_id" and chosen.isin([0, 1]).all()
        if not written or ids.dtype == bool or numbers:
            raise KindError(f"list {name!r} must be ids of customers, or True and False in a Series by customer_id.")
    return ids.unique().get_indexer(frame.index) >= 0  # isin takes ten times as long with texts


def _ratio(cost: float, effect: float, both: np.ndarray, spread: float, z: float) -> tuple[float, float]:
    """Fieller's limits of cost / effect; `both` is the covariance of the means given and bought, `spread` of the control's."""
    # R is inside if (cost − R·effect)² ≤ z²·variance(cost − R·effect): a quadratic inequality in R
    a = effect**2 - z**2 * (both[1, 1] + spread)
    b = -2 * (cost * effect - z**2 * both[0, 1])
    c = cost**2 - z**2 * both[0, 0]
    root = np.sqrt(max(b**2 - 4 * a * c, 0.0))
    if a > 0:
        return (max((-b - root) / (2 * a), 0.0), (-b + root) / (2 * a)) if effect > 0 else (np.nan, np.inf)
    # the effect may be nothing: no upper limit; and no lower one if the cost, too, may be nothing
    return 0.0 if c < 0 else (-b - root) / (2 * a) if a < 0 else np.nan, np.inf
