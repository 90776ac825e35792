"""Experiments: how many customers a test needs, who is drawn into which group, what came out, and with what limits."""

import math
import textwrap
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from crmkit.errors import ColumnError, InputError, KindError, in_range, near_misses
from crmkit.evaluation.actions import smallest_visible_effect
from crmkit.evaluation.intervals import share_interval
from crmkit.tables.frames import needs, once

CONTROL = "control"
#: What each design cannot exclude. An effect is never shown without it.
LIMITS = {
    "randomised": (
        "Lots decided who was contacted, so the groups differ by chance alone, and the interval covers chance. It does "
        "not say that other customers, another offer or another season would answer alike, nor how long the effect lasts."
    ),
    "naive": (
        "Nobody drew lots. Those contacted may have differed beforehand, and the interval covers chance only, not this "
        "difference: the figure may be wrong by more than its interval, and in either direction."
    ),
    "difference in differences": (
        "It excludes what is always different between the groups and what changes for all alike. It cannot exclude that "
        "the groups would have drifted apart anyway, or that something else began in the same place at the same time."
    ),
}


class Groups(NamedTuple):
    """Customers to contact and to hold out."""

    contacted: int
    held_out: int


@dataclass(frozen=True, repr=False)
class Effect:
    """A difference with its interval, the design it comes from, and what that design cannot exclude.

    `estimate`, `low`, `high` are in the unit of the outcome (0.05 is five percentage points of a share), `level` is
    the interval's. `means` and `sizes` are dicts by group. `basis` tells the groups in words. `str()` tells it all.
    """

    outcome: str
    kind: str
    estimate: float
    low: float
    high: float
    level: float
    means: dict[str, float]
    sizes: dict[str, int]
    basis: str
    design: str
    limits: str

    @property
    def shows(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0

    def __str__(self) -> str:
        scale, unit, digits = (100, " percentage points", 1) if self.kind == "share" else (1, "", 2)
        estimate, low, high = (
            f"{value * scale:+,.{digits}f}".replace("-", "−") for value in (self.estimate, self.low, self.high)
        )
        shown = "an effect shows" if self.shows else "no effect shows: zero lies inside the interval"
        found = (
            f"Effect on {self.outcome}: {estimate}{unit} ({self.level * 100:g} % interval {low} to {high}); {shown}."
        )
        parts = (found, self.basis, f"Design: {self.design}. {self.limits}")
        return "\n".join(textwrap.fill(part, 110) for part in parts)

    __repr__ = __str__


def sample_size(
    effect: float,
    *,
    rate: float | None = None,
    sd: float | None = None,
    control_share: float = 0.5,
    power: float = 0.8,
    level: float = 0.05,
) -> Groups:
    """How many customers does a test need before it can show an effect of this size?

    The other way round of `actions.smallest_visible_effect`. Ask before the campaign: with fewer customers the
    likely end is "no difference seen", which proves nothing.

    Parameters
        effect: the difference worth finding: of shares (0.03 for three percentage points; negative for a fall) with
            `rate`, the share without contact; or of means, in the unit of `sd`, with `sd`, the standard deviation
            of one customer's outcome.
        control_share: of all customers of the test, above 0 and below 1.
        power: the chance to see the effect if it is there. level: of the two-sided test.
    Returns: `Groups(contacted, held_out)`.
    Raises: InputError for shares outside their range, a rate that the effect would carry beyond 0 or 1, no effect.
    Source: Fleiss, Levin and Paik (2003), Statistical Methods for Rates and Proportions, chapter 4 (at equal groups
        R's power.prop.test); for means the normal approximation.

    >>> sample_size(0.25, rate=0.50, power=0.9)
    Groups(contacted=77, held_out=77)
    """
    for name, share in (("control_share", control_share), ("power", power), ("level", level)):
        _between(share, name, 0, 1)
    if power <= level:
        raise InputError(f"power={power} must be larger than level={level}; 0.8 is usual.")
    if (rate is None) == (sd is None):
        raise InputError("give either rate= (the outcome is yes or no) or sd= (the outcome is a number), not both.")
    if not isinstance(effect, (int, float, np.number)) or not math.isfinite(effect) or effect == 0:
        raise InputError(
            f"effect={effect!r} must be a difference other than 0: no number of customers can show nothing."
        )
    z_level, z_power = NormalDist().inv_cdf(1 - level / 2), NormalDist().inv_cdf(power)
    ratio = (1 - control_share) / control_share  # contacted for each one held out
    if sd is not None:
        _between(sd, "sd", 0, math.inf)
        held_out = ((z_level + z_power) * sd / effect) ** 2 * (1 + 1 / ratio)
        return Groups(math.ceil(held_out * ratio - 1e-9), math.ceil(held_out - 1e-9))
    if not 0 <= rate <= 1 or not 0 <= rate + effect <= 1:
        raise InputError(f"rate={rate} and effect={effect} lead to {rate + effect:g}: shares lie between 0 and 1.")
    base, rise = (rate, effect) if effect > 0 else (1 - rate, -effect)  # a fall of those who stay is a rise of the rest
    with_contact = base + rise
    pooled = (base + ratio * with_contact) / (1 + ratio)
    under_none = math.sqrt(pooled * (1 - pooled) * (1 + 1 / ratio))
    under_rise = math.sqrt(base * (1 - base) + with_contact * (1 - with_contact) / ratio)
    held_out = ((z_level * under_none + z_power * under_rise) / rise) ** 2
    groups = [max(math.ceil(held_out * ratio - 1e-9), 1), max(math.ceil(held_out - 1e-9), 1)]
    while smallest_visible_effect(*groups, base, power=power, level=level) > rise * (1 + 1e-9):
        groups[0] += 1  # rounding up one group only moves the pooled rate a little
    return Groups(*groups)


def assign(customers: Any, *, control_share: float = 0.5, strata: Any = None, seed: int = 1) -> "pd.Series[str]":
    """Who is contacted and who is held out, by lot?

    Parameters
        customers: their ids: an Index, a list, or a frame with `customer_id` as index or column; each once.
        control_share: each customer's chance to be held out.
        strata: optional, one label a customer (a Series by customer_id, or a column of the frame): the share then
            holds inside every stratum to within one customer, so that the groups are alike in it by design.
        seed: the same customers and seed give the same groups, in whatever order the rows come.
    Returns: Series `group` ("contact" or "control") by customer_id, in the order given.
    Raises: InputError for a customer twice or without a stratum.

    >>> groups = assign(["ann", "bob", "cho", "dee"], seed=3)
    >>> sorted(groups), groups.equals(assign(["dee", "cho", "bob", "ann"], seed=3)[groups.index])
    (['contact', 'contact', 'control', 'control'], True)
    """
    share = _between(control_share, "control_share", 0, 1)
    if isinstance(customers, pd.DataFrame) and "customer_id" in customers:
        customers = customers.set_index("customer_id")
    if isinstance(strata, str):
        if not isinstance(customers, pd.DataFrame) or strata not in customers:
            columns = customers.columns if isinstance(customers, pd.DataFrame) else []
            raise ColumnError(f"strata: there is no column {strata!r}.{near_misses(strata, columns)}")
        strata = customers[strata]
    ids = customers.index if isinstance(customers, (pd.DataFrame, pd.Series)) else pd.Index(customers)
    once(ids, "customers")
    table = pd.DataFrame({"key": ids.astype(str), "stratum": ""}, index=ids)
    if strata is not None:
        if not isinstance(strata, pd.Series):
            raise KindError(f"strata must be a column's name or a Series by customer_id, not {type(strata).__name__}.")
        table["stratum"] = strata.reindex(ids).astype(object)
        if table["stratum"].isna().any():
            without = table.index[table["stratum"].isna()]
            raise InputError(
                f"strata: {len(without):,} customers have none, such as {without[0]!r}; call it 'unknown'."
            )
        table["stratum"] = table["stratum"].astype(str)
    table = table.sort_values("key")
    random = np.random.Generator(np.random.PCG64(seed))
    table["lot"] = random.random(len(table))
    table = table.sort_values(["stratum", "lot"], kind="stable")
    # systematic sampling with a random start: each has the same chance, each stratum its share to within one
    steps = np.floor(np.arange(len(table) + 1) * share + random.random() + 1e-12)
    table["group"] = np.where(np.diff(steps) > 0, CONTROL, "contact")
    return table["group"].reindex(ids).rename("group")


def read_out(table: pd.DataFrame, outcome: str, *, design: str, group: str = "group", level: float = 0.95) -> Effect:
    """What did the contact change, and how sure is that?

    Parameters
        table: one row a customer of the campaign, whether the contact reached them or not. Leaving out those who did
            not open the letter would compare the curious with everybody.
        outcome: yes/no (or 0/1), read as a share, or a number such as the money of the following 60 days, read as a
            mean. A customer who bought nothing has 0, not a missing value.
        design: "randomised" if lots decided the group, else "naive". It is told with the result, and never guessed.
        group: the column with "control" and one other value.
        level: of the interval.
    Returns: an `Effect`, contact minus control.
    Raises: ColumnError, InputError for missing outcomes, other groups, one group without customers.
    Source: shares: Newcombe (1998), Statistics in Medicine 17, method 10; means: Welch (1947), Biometrika 34.

    >>> test = pd.DataFrame({"group": ["contact"] * 200 + ["control"] * 200,
    ...                      "bought": [1] * 50 + [0] * 150 + [1] * 30 + [0] * 170})
    >>> print(str(read_out(test, "bought", design="randomised")).splitlines()[0])
    Effect on bought: +10.0 percentage points (95 % interval +2.2 to +17.7); an effect shows.
    """
    if design not in ("randomised", "naive"):
        raise InputError(f'design={design!r}: say "randomised" if lots decided who was contacted, else "naive".')
    arm, values = _arms(table, outcome, group)
    _between(level, "level", 0, 1)
    kind = "share" if set(values.unique()) <= {0, 1} else "mean"
    sides = {name: values[(arm == name).to_numpy()] for name in (_other(arm), CONTROL)}
    sizes = {name: len(side) for name, side in sides.items()}
    means = {name: float(side.mean()) for name, side in sides.items()}
    estimate = means[_other(arm)] - means[CONTROL]
    if kind == "share":
        p, low, high = share_interval([side.sum() for side in sides.values()], [*sizes.values()], level)
        below = math.hypot(p[0] - low[0], high[1] - p[1])
        above = math.hypot(high[0] - p[0], p[1] - low[1])
        told = [f"{mean * 100:.1f} % of {size:,}" for mean, size in zip(means.values(), sizes.values(), strict=True)]
    else:
        below = above = _welch(*(side.to_numpy(float) for side in sides.values()), outcome, level)
        told = [f"mean {mean:,.2f} of {size:,}" for mean, size in zip(means.values(), sizes.values(), strict=True)]
    basis = f"{outcome}: {told[0]} ({_other(arm)}), {told[1]} (control)."
    return Effect(
        outcome, kind, estimate, estimate - below, estimate + above, level, means, sizes, basis, design, LIMITS[design]
    )


def uplift(
    table: pd.DataFrame, outcome: str, by: str, *, design: str, group: str = "group", level: float = 0.95
) -> pd.DataFrame:
    """For whom did the contact change most? The effect segment by segment, and what many looks do to it.

    Looking into ten segments finds a "significant" one by luck in two of five useless campaigns. So each segment has
    two intervals: its own, and a wider one that holds for all segments together (Bonferroni).

    Parameters: as `read_out`; `by` is the column with the segment, known before the contact.
    Returns: one row a segment, indexed by it: `contacted`, `held_out`, `contact`, `control` (share or mean of the
        outcome), `effect`, `low`, `high`, `low_all`, `high_all`. A segment without both groups, or with an amount that is the same
        for all of a group in both, has missing effects.
        attrs: `design`, `limits`, `level`, `outcome`, `kind`, `warning` (in words).
    Raises: as `read_out`.

    >>> test = pd.DataFrame({"group": ["contact", "control"] * 100, "bought": [1, 0, 0, 0] * 50,
    ...                      "region": ["north", "north", "south", "south"] * 50})
    >>> uplift(test, "bought", "region", design="randomised")[["effect", "low", "high", "low_all"]].round(2)
            effect   low  high  low_all
    region
    north      1.0  0.90  1.00     0.87
    south      0.0 -0.07  0.07    -0.09
    """
    whole = read_out(table, outcome, design=design, group=group, level=level)
    _column(table, by)
    parts = [(name, part) for name, part in table.groupby(by, observed=True, sort=True)]
    if not parts:
        raise InputError(f"column {by!r} is missing for all {len(table):,} customers: there is no segment to look at.")
    joint, rows = 1 - (1 - level) / len(parts), {}
    arms = [name for name in whole.sizes if name != CONTROL]
    for name, part in parts:
        sizes = part[group].value_counts()
        row = {"contacted": int(sizes.get(arms[0], 0)), "held_out": int(sizes.get(CONTROL, 0))}
        enough = min(row.values()) >= (1 if whole.kind == "share" else 2)
        # of an amount that is the same for all of the segment no spread is known
        enough &= whole.kind == "share" or part.groupby(group)[outcome].nunique().max() > 1
        both = (
            [read_out(part, outcome, design=design, group=group, level=at) for at in (level, joint)] if enough else []
        )
        for effect, suffix in zip(both, ("", "_all"), strict=False):
            row |= {"contact": effect.means[arms[0]], "control": effect.means[CONTROL], "effect": effect.estimate}
            row |= {f"low{suffix}": effect.low, f"high{suffix}": effect.high}
        rows[name] = row
    columns = ["contacted", "held_out", "contact", "control", "effect", "low", "high", "low_all", "high_all"]
    result = pd.DataFrame.from_dict(rows, orient="index").reindex(columns=columns).rename_axis(by)
    chance = 1 - level ** len(parts)
    warning = (
        f"{len(parts)} segments were looked at. If the contact changed nothing anywhere, the chance that at least one "
        f"{level * 100:g} % interval leaves out zero would be about {chance * 100:.0f} %: trust `low_all` and `high_all`, "
        "or test the segment again."
    )
    result.attrs = {"design": design, "limits": LIMITS[design], "level": level, "outcome": outcome}
    result.attrs |= {"kind": whole.kind, "warning": warning}
    return result


def profit(effect: Effect, *, margin: float, cost: float, contacts: int | None = None) -> pd.DataFrame:
    """What did the campaign earn: as it is usually counted, and against the control group?

    Parameters
        effect: of `read_out`, on a yes/no outcome or on money.
        margin: profit of one response, or profit of one unit of money spent (0.3 for a margin of 30 %).
        cost: of one contact. contacts: how many were made; those of the effect unless given.
    Returns: two rows, index `reading`: "naive" counts all that the contacted did, "incremental" only what the control
        group did not do as well. Columns `responses` (money, if the outcome is money), `gain`, `cost`, `profit`,
        `profit_low`, `profit_high`, `roi` (profit / cost), `roi_low`, `roi_high`. The naive reading has no interval
        that would mean anything. attrs: `design`, `limits`.
    Raises: InputError for a negative cost or margin.

    >>> test = pd.DataFrame({"group": ["contact"] * 200 + ["control"] * 200,
    ...                      "bought": [1] * 50 + [0] * 150 + [1] * 30 + [0] * 170})
    >>> effect = read_out(test, "bought", design="randomised")
    >>> profit(effect, margin=20, cost=3)[["responses", "profit", "roi"]].round(2)
                 responses  profit   roi
    reading
    naive             50.0   400.0  0.67
    incremental       20.0  -200.0 -0.33
    """
    if not isinstance(effect, Effect):
        raise KindError(f"effect must come from experiments.read_out, not {type(effect).__name__}.")
    for name, amount in (("cost", cost), ("margin", margin)):
        in_range(name, amount, 0, what="an amount of money")
    (arm,) = (name for name in effect.means if name != CONTROL)
    number = effect.sizes[arm] if contacts is None else contacts
    spent = number * cost
    responses = pd.DataFrame(
        {"estimate": [effect.means[arm], effect.estimate], "low": [np.nan, effect.low], "high": [np.nan, effect.high]},
        index=pd.Index(["naive", "incremental"], name="reading"),
    ).mul(number)
    gains = responses * margin
    table = pd.DataFrame({"responses": responses["estimate"], "gain": gains["estimate"], "cost": spent})
    for name, column in (("", "estimate"), ("_low", "low"), ("_high", "high")):
        table[f"profit{name}"] = gains[column] - spent
    for name in ("", "_low", "_high"):
        table[f"roi{name}"] = table[f"profit{name}"] / spent if spent else np.nan
    table.attrs = {"design": effect.design, "limits": effect.limits}
    return table


def _between(value: Any, name: str, low: float, high: float) -> float:
    in_range(name, value, low, high, ends="()")
    return float(value)


def _column(table: Any, column: str) -> "pd.Series[Any]":
    needs(table, [column])
    return table[column]


def _arms(table: pd.DataFrame, outcome: str, group: str) -> "tuple[pd.Series[Any], pd.Series[Any]]":
    arm, values = _column(table, group), _column(table, outcome)
    names = arm.unique().tolist()
    if len(names) != 2 or CONTROL not in names:
        raise InputError(
            f'column {group!r} must hold "control" and one other value, not {", ".join(map(repr, names[:5])) or "nothing"}'
            + (f" ({arm.isna().sum():,} are missing)." if arm.isna().any() else ".")
        )
    if not pd.api.types.is_numeric_dtype(values):
        raise KindError(f"column {outcome!r} holds {values.dtype}; make it True/False, 0/1 or a number.")
    if values.isna().any():
        raise InputError(
            f"column {outcome!r} is missing for {values.isna().sum():,} of {len(values):,} customers: who did nothing has "
            "a 0; whoever cannot be watched makes the comparison unfair."
        )
    return arm, values.astype(float)


def _other(arm: "pd.Series[Any]") -> str:
    return next(name for name in arm.unique() if name != CONTROL)


def _welch(one: np.ndarray, other: np.ndarray, outcome: str, level: float) -> float:
    """Half the width of the interval for a difference of means."""
    from scipy.stats import t

    if min(len(one), len(other)) < 2:
        raise InputError(f"a group has one customer: there is no spread of {outcome!r}, and so no interval.")
    parts = np.array([side.var(ddof=1) / len(side) for side in (one, other)])
    if parts.sum() == 0:
        raise InputError(
            f"column {outcome!r} has one value in each group: no spread, no interval. Is it the right one?"
        )
    freedom = parts.sum() ** 2 / (parts**2 / [len(one) - 1, len(other) - 1]).sum()
    return float(t.ppf((1 + level) / 2, freedom) * math.sqrt(parts.sum()))
