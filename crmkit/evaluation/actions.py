"""The action list: whom to contact, why, by when, and whom to leave alone so that the effect can be seen."""

import datetime
import math
import operator
from collections.abc import Iterable
from fractions import Fraction
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from crmkit import periods
from crmkit.errors import ColumnError, InputError, KindError, all_known, near_misses
from crmkit.evaluation.reasons import facts
from crmkit.tables.consent import read as read_consent
from crmkit.tables.frames import needs, once

#: The response rate without contact that the list's note assumes; `smallest_visible_effect` takes the real one.
ASSUMED_RATE = 0.1


def action_list(
    segments: pd.DataFrame,
    cards: pd.DataFrame,
    *,
    capacity: int | None = None,
    control_share: float = 0.1,
    value: str = "spend",
    consent: "str | pd.Series[Any] | bool | None" = None,
    seed: int = 1,
    as_of: object = None,
    segments_wanted: str | Iterable[str] | None = None,
) -> pd.DataFrame:
    """Whom do we contact, with what, why and by when, and how will we know whether it worked?

    The customers with the highest value are chosen, and a random part of them is held out: not contacted,
    only watched. Without it nobody can say what the contact did, since the best customers buy anyway.

    Parameters
        segments: one row a customer, by index or column `customer_id`, with `segment` (`rfm.segment`).
        cards: one row a segment with `segment`, `action`, `reason`, `days_due` (`rfm.cards`). Segments whose
            action is empty are not listed.
        capacity: how many contacts can be made; as many as there are customers if not given.
        control_share: the share of the chosen that is held out, rounded up, from 0 (nobody) to below 1. So
            `ceil(capacity / (1 - control_share))` customers are chosen, if there are so many. At least one is
            contacted: a list of one customer has no control group.
        value: the column by which customers are chosen, highest first; ties by customer_id as text.
        consent: who may be contacted. None: the column `consent` if there is one, else everybody; a name:
            that column; a Series by customer_id; False: everybody, although there is a column. Only a clear
            yes counts (true, yes, y, t, 1, 是, 同意): a missing or unclear value is no consent.
        seed: of the random choice; the same customers and seed give the same list in any order of rows.
        as_of: the day the list is made; else the attrs of `segments` say it.
        segments_wanted: only these segments.
    Returns: `customer_id`, `segment`, `action`, `reason`, `value`, `due` (date: as_of + days_due), `group`
        ("contact" or "control"), best value first. attrs: `as_of`, `seed`, `eligible`, `filtered_no_consent`,
        `consent_unclear` (of these, missing or unclear), `contacted`, `held_out`, `note` (in words, also on
        which effect such a list can show).
    Raises: ColumnError for a missing column; InputError for a customer twice, missing values, an unknown segment.

    >>> segments = pd.DataFrame({"segment": ["At risk"] * 3, "spend": [90.0, 70.0, 80.0]}, index=["a", "b", "c"])
    >>> cards = pd.DataFrame({"segment": ["At risk"], "action": ["Call"], "reason": ["gone"], "days_due": [14]})
    >>> todo = action_list(segments, cards, capacity=1, control_share=0.5, as_of="2026-06-30")
    >>> todo[["customer_id", "value", "due"]]
      customer_id  value         due
    0           a   90.0  2026-07-14
    1           c   80.0  2026-07-14
    >>> sorted(todo["group"])
    ['contact', 'control']
    """
    customers = _customers(segments, cards, value)
    day = periods.as_of(segments, as_of)
    share = _share(control_share)
    places = len(customers) if capacity is None else math.ceil(_whole(capacity, "capacity") / (1 - share))
    plans = cards.set_index("segment")
    with_action = [name for name, text in plans["action"].items() if isinstance(text, str) and text.strip()]
    wanted = with_action if segments_wanted is None else _wanted(segments_wanted, plans.index)
    listed = customers["segment"].isin([name for name in wanted if name in with_action])
    agreed, unclear = _consent(segments, customers, consent)
    eligible = customers[listed & agreed]

    best = eligible.nlargest(places, "value", keep="all")
    chosen = best.sort_values(["value", "key"], ascending=[False, True], kind="stable").head(places)
    held_out = min(math.ceil(len(chosen) * share), max(len(chosen) - 1, 0))  # somebody must be left to contact
    in_order = chosen["key"].sort_values()
    draw = np.random.Generator(np.random.PCG64(_whole(seed, "seed", 0))).random(len(chosen))
    control = in_order.iloc[np.argsort(draw, kind="stable")[:held_out]]

    plan = plans.loc[chosen["segment"].astype(object)]
    result = pd.DataFrame(
        {
            "customer_id": chosen["customer_id"],
            "segment": chosen["segment"],
            "action": plan["action"].to_numpy(),
            "reason": _reasons(segments.iloc[chosen.index.to_numpy()], plan),
            "value": chosen["value"],
            "due": [day + datetime.timedelta(days=int(days)) for days in plan["days_due"]],
            "group": np.where(chosen["key"].isin(control), "control", "contact"),
        }
    ).reset_index(drop=True)
    contacted = len(result) - held_out
    result.attrs = {
        "as_of": day,
        "seed": seed,
        "eligible": len(eligible),
        "filtered_no_consent": int((listed & ~agreed).sum()),
        "consent_unclear": int((listed & unclear).sum()),
        "contacted": contacted,
        "held_out": held_out,
    }
    result.attrs["note"] = _note(result.attrs, [name for name in wanted if name not in with_action])
    return result


def smallest_visible_effect(
    contacted: int, held_out: int, rate: float, *, power: float = 0.8, level: float = 0.05
) -> float:
    """Which difference of two response rates could such a list show, if it is there?

    A list whose effect is smaller will most likely end in "no difference seen", which proves nothing: make
    the control group larger, or do not promise a number.

    Parameters: customers contacted and held out; `rate`, the share that responds without contact (0 to 1);
    `power`, the chance to see the difference (0.8); `level`, of the two-sided test (0.05).
    Returns: the smallest rise of the rate, 0.05 for five percentage points; `inf` if even a rise to 1 would
    most likely not be seen.
    Raises: InputError for group sizes below 1 and shares outside their range.
    Source: normal approximation with the pooled variance under no effect, Fleiss, Levin and Paik (2003),
    Statistical Methods for Rates and Proportions, chapter 4; at equal groups that of R's power.prop.test.

    >>> round(smallest_visible_effect(50, 50, 0.5, power=0.9), 4)
    0.3026
    """
    sizes = _whole(contacted, "contacted"), _whole(held_out, "held_out")
    for name, share in (("rate", rate), ("power", power), ("level", level)):
        if not isinstance(share, (int, float, np.number)) or not (0 < share < 1 or (name == "rate" and share == 0)):
            raise InputError(f"{name} must be a share between 0 and 1, such as 0.05, not {share!r}.")
    if power <= level:
        raise InputError(f"power={power} must be larger than level={level}; 0.8 is usual.")
    z_level, z_power = NormalDist().inv_cdf(1 - level / 2), NormalDist().inv_cdf(power)

    def surplus(rise: float) -> float:
        with_contact = rate + rise
        pooled = (sizes[0] * with_contact + sizes[1] * rate) / sum(sizes)
        under_none = pooled * (1 - pooled) * (1 / sizes[0] + 1 / sizes[1])
        under_rise = with_contact * (1 - with_contact) / sizes[0] + rate * (1 - rate) / sizes[1]
        return rise - z_level * math.sqrt(max(under_none, 0)) - z_power * math.sqrt(max(under_rise, 0))

    low, high = 0.0, 1.0 - rate
    if surplus(high) < 0:
        return math.inf
    for _ in range(60):  # surplus is convex and starts below zero, so it crosses zero once: halve the interval
        middle = (low + high) / 2
        low, high = (middle, high) if surplus(middle) < 0 else (low, middle)
    return high


def _customers(segments: Any, cards: Any, value: str) -> pd.DataFrame:
    """One row a customer: id, its text, segment, value; the index is the row's position in `segments`."""
    needs(segments, ["segment", value], "segments")
    needs(cards, ["segment", "action", "reason", "days_due"], "cards")
    ids = segments["customer_id"] if "customer_id" in segments.columns else segments.index
    customers = pd.DataFrame(
        {
            "customer_id": np.asarray(ids, dtype=object),
            "segment": segments["segment"].array,
            "value": segments[value].array,
        }
    ).infer_objects()
    if not pd.api.types.is_numeric_dtype(customers["value"]):
        raise InputError(f"column {value!r} holds {customers['value'].dtype}, not numbers; choose by a number.")
    for column, name in (("customer_id", "customer_id"), ("segment", "segment"), ("value", value)):
        missing = int(customers[column].isna().sum())
        if missing:
            raise InputError(f"{name!r} is missing for {missing:,} of {len(customers):,} customers; fill it in first.")
    customers["key"] = customers["customer_id"].astype(str)
    once(pd.Index(customers["key"]), "segments")
    if not pd.api.types.is_numeric_dtype(cards["days_due"]) or cards["days_due"].isna().any():
        raise InputError("column 'days_due' of the cards must hold a number of days for each segment.")
    if cards["segment"].duplicated().any():
        raise InputError("the cards have two rows for one segment; make them with rfm.cards.")
    without = sorted(set(customers["segment"]) - set(cards["segment"]))
    if without:
        raise InputError(
            f"{customers['segment'].isin(without).sum():,} customers are in {without[0]!r}, which has no card; "
            f"make the cards with the same segment map.{near_misses(without[0], cards['segment'])}"
        )
    return customers


def _wanted(names: str | Iterable[str], known: pd.Index) -> list[str]:
    wanted = [names] if isinstance(names, str) else list(names)
    all_known("segments_wanted", wanted, known)
    return wanted


def _consent(
    segments: pd.DataFrame, customers: pd.DataFrame, consent: Any
) -> "tuple[pd.Series[bool], pd.Series[bool]]":
    """Who agreed, and whose answer is missing or unclear, in the order of `customers`."""
    if isinstance(consent, pd.Series):
        given = consent[~consent.index.isna()]
        if given.index.duplicated().any():
            raise InputError(f"consent names {given.index.duplicated().sum():,} customers twice; keep one answer each.")
        given = given.set_axis(given.index.astype(str))
        if not customers["key"].isin(given.index).any():
            raise InputError("consent has no customer of the table; its index must be the customer_id.")
        answers = given.reindex(customers["key"]).array
    elif isinstance(consent, str):
        if consent not in segments.columns:
            raise ColumnError(f"there is no column {consent!r} for consent.{near_misses(consent, segments.columns)}")
        answers = segments[consent].array
    elif consent is False or (consent is None and "consent" not in segments.columns):
        everybody = pd.Series(True, index=customers.index)
        return everybody, ~everybody
    elif consent is None:
        answers = segments["consent"].array
    else:
        raise KindError(f"consent must be a column's name, a Series by customer_id, or False, not {consent!r}.")
    meant = read_consent(pd.Series(answers, index=customers.index))
    return meant == "yes", meant.isin(["missing", "unclear"])


def _reasons(rows: pd.DataFrame, plan: pd.DataFrame) -> list[str]:
    """What this customer did and what that means; the segment's reason where the columns are not known."""
    said = facts(rows, rows.attrs.get("dimensions", ()), rows.attrs)
    meanings = plan["meaning"] if "meaning" in plan else [""] * len(plan)
    return [
        fact[:1].upper() + fact[1:] + (f": {meaning}" if meaning else "") if fact else reason
        for fact, meaning, reason in zip(said, meanings, plan["reason"], strict=True)
    ]


def _note(facts_of: dict[str, Any], without_action: list[str]) -> str:
    contacted, held_out = facts_of["contacted"], facts_of["held_out"]
    parts = [f"{contacted:,} customers to contact, {held_out:,} held out at random."]
    if facts_of["eligible"] == 0:
        parts = ["Nobody is eligible: no customer is in a segment with an action and may be contacted."]
    elif held_out == 0:
        parts.append("Without a control group the list cannot show what the contact did.")
    else:
        effect = smallest_visible_effect(contacted, held_out, ASSUMED_RATE)
        sees = f"a rise of {effect * 100:.0f} percentage points or more" if effect < 1 else "no rise at all"
        parts.append(
            f"If {ASSUMED_RATE * 100:.0f} % respond without contact, such groups can show {sees} (power 80 %, level 5 %)."
        )
    if facts_of["filtered_no_consent"]:
        parts.append(
            f"{facts_of['filtered_no_consent']:,} left out without consent, "
            f"{facts_of['consent_unclear']:,} of them because the answer is missing or unclear."
        )
    if without_action:
        parts.append(f"Not listed, for they have no action: {', '.join(without_action)}.")
    return " ".join(parts)


def _share(control_share: Any) -> Fraction:
    if isinstance(control_share, bool) or not isinstance(control_share, (int, float, np.number)):
        raise KindError(f"control_share must be a share such as 0.1, not {control_share!r}.")
    if not 0 <= control_share < 1:
        raise InputError(f"control_share={control_share} must be 0 (no control group) or more, and below 1.")
    return Fraction(str(float(control_share)))  # exact, so that 0.1 of 10 customers is one


def _whole(number: Any, name: str, least: int = 1) -> int:
    try:
        whole = operator.index(number)
    except TypeError:
        raise KindError(f"{name} must be a whole number, not {number!r}.") from None
    if isinstance(number, bool) or whole < least:
        raise InputError(f"{name} must be {least} or more, not {number!r}.")
    return whole
