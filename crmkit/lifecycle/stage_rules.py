"""The rules that say in which stage of the lifecycle a customer is: data, checked for gaps and overlaps before use."""

import itertools
import math
import operator
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crmkit.errors import InputError, KindError, all_known, near_misses, one_of

STAGES = ("prospect", "new", "growth", "mature", "decline", "lost")
PHASES = ("acquisition", "retention", "churn")
#: What a rule may look at, and whether it is counted in whole numbers.
FACTS = {
    "purchases": True,
    "age_days": True,
    "age": False,
    "silence_days": True,
    "silence": False,
    "recent": True,
    "earlier": True,
    "lately": True,
    "trend": False,
    "chance": False,
}
#: What a reason may quote besides.
QUOTED = {**dict.fromkeys(FACTS, "%d"), "age": "%.1f", "silence": "%.1f", "trend": "%.1f", "chance": "%.2f"}
QUOTED |= {"gap_days": "%.0f", "window_days": "%d"}
MEASURES = ("window_gaps", "borrowed_gaps", "least_gap_days", "trade_gap_days")
_COMPARE = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt, "=": operator.eq}
_CONDITION = re.compile(r"(<=|>=|<|>|=|)\s*([A-Za-z_]\w*|\d+(?:\.\d+)?)")

Rule = dict[str, Any]  # stage, why, and fact → list of (sign, limit)


@dataclass(frozen=True, eq=False)
class StageRules:
    """Rules from a customer's facts to one of six stages: each customer fits exactly one rule.

    Make them with `StageRules.load`, change a number with `move`. They hold `name`, `source`, `measures` and
    `thresholds` (name → number), `table` (one row a rule: `stage`, one condition a fact, `why`) and `tasks`
    (indexed by stage: `phase`, `sign`, `task`).

    >>> StageRules.load("six_stages").thresholds["lost_after"]
    6.0
    """

    name: str
    source: str
    measures: dict[str, float]
    thresholds: dict[str, float]
    table: pd.DataFrame
    tasks: pd.DataFrame

    @classmethod
    def load(cls, source: "str | Path | Mapping[str, Any] | StageRules" = "six_stages") -> "StageRules":
        """The shipped rules by name, rules of your own from a TOML file, or from a mapping of the same shape.

        All combinations of facts are tried, so rules that leave a customer out or claim one twice are refused.

        Raises: InputError for a gap or an overlap (with a customer that shows it), an unknown stage, fact,
        measure or threshold, a condition that cannot be read, or a threshold that no rule uses.
        """
        if isinstance(source, StageRules):
            return source
        if isinstance(source, Mapping):
            return _build(source)
        if not isinstance(source, (str, Path)):
            raise KindError(f"rules are a name, a path of a TOML file or a mapping, not {type(source).__name__}.")
        shipped = {item.name.removesuffix(".toml"): item for item in files(__package__).joinpath("rules").iterdir()}
        path = shipped.get(str(source), Path(source))
        if str(source) not in shipped and not (Path(source).suffix.lower() == ".toml" and Path(source).is_file()):
            raise InputError(
                f"there are no rules {str(source)!r}: neither shipped ones ({', '.join(sorted(shipped))}) nor a "
                f"TOML file.{near_misses(source, shipped)}"
            )
        try:
            return _build(tomllib.loads(path.read_text(encoding="utf-8")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError(f"the rules {str(source)!r} are not TOML in UTF-8: {error}.") from None

    def move(self, **numbers: float) -> "StageRules":
        """The same rules with other thresholds or measures.

        >>> StageRules.load().move(lost_after=4).thresholds["lost_after"]
        4.0
        """
        known = [*self.thresholds, *MEASURES]
        all_known("the numbers of the rules", numbers, known)
        thresholds = {name: numbers.get(name, old) for name, old in self.thresholds.items()}
        measures = self.measures | {name: value for name, value in numbers.items() if name in MEASURES}
        rules = [{name: text for name, text in row.items() if text} for row in self.table.to_dict("records")]
        return _build(
            {"name": self.name, "source": self.source, "measures": measures, "thresholds": thresholds, "rule": rules}
            | {"stage": self.tasks.T.to_dict()}
        )

    def fits(self, facts: Mapping[str, Any]) -> np.ndarray:
        """Which rule fits which customer? Rules × customers, True or False; `facts` are arrays by name."""
        rows = self.table.to_dict("records")
        size = len(np.atleast_1d(facts["purchases"]))
        result = np.ones((len(rows), size), dtype=bool)
        for held, row in zip(result, rows, strict=True):
            for fact, conditions in _conditions(row, self.thresholds).items():
                for sign, limit in conditions:
                    held &= _COMPARE[sign](facts[fact], limit)
        return result


def _build(content: Mapping[str, Any]) -> StageRules:
    known = ("name", "source", "measures", "thresholds", "rule", "stage")
    all_known("rules", content, known)
    name = str(content.get("name", "own rules"))
    measures = _numbers(content.get("measures", {}), f"{name}, measures", MEASURES)
    for measure in MEASURES[:3]:
        if measure not in measures:
            raise InputError(f"{name}: the measure {measure!r} is missing; the shipped rules show what it means.")
    thresholds = _numbers(content.get("thresholds", {}), f"{name}, thresholds")
    rules = content.get("rule")
    if not isinstance(rules, list) or not rules or not all(isinstance(rule, Mapping) for rule in rules):
        raise InputError(f"{name} has no rules; write each under a line [[rule]].")
    for number, rule in enumerate(rules, start=1):
        place = f"{name}, rule {number}"
        one_of(f"{place}: stage", rule.get("stage"), STAGES)
        all_known(f"{place} ({rule['stage']})", rule, ("stage", "why", *FACTS))
        _conditions(rule, thresholds, f"{place} ({rule['stage']})")
        all_known(f"{place}, quoted in why", re.findall(r"\{(.*?)\}", rule.get("why", "")), QUOTED)
    missing = [stage for stage in STAGES if stage not in {rule["stage"] for rule in rules}]
    if missing:
        raise InputError(f"{name}: no rule leads to {' or '.join(missing)}; each of the six stages needs one.")
    words = " ".join(str(rule[fact]) for rule in rules for fact in FACTS if fact in rule)
    for threshold in thresholds:
        if not re.search(rf"\b{threshold}\b", words):
            raise InputError(f"{name}: no rule uses the threshold {threshold!r}, so moving it would do nothing.")
    used = [fact for fact in FACTS if any(fact in rule for rule in rules)]
    table = pd.DataFrame(rules).reindex(columns=["stage", *used, "why"]).fillna("")
    built = StageRules(name, str(content.get("source", "")), measures, thresholds, table, _tasks(content, name))
    _is_a_partition(built)
    return built


def _numbers(table: Any, place: str, known: tuple[str, ...] | None = None) -> dict[str, float]:
    if not isinstance(table, Mapping):
        raise InputError(f"{place}: write name = number, one a line.")
    all_known(place, table, known or table)
    for name, value in table.items():
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 <= value < math.inf:
            raise InputError(f"{place}: {name} must be a number from 0 on, not {value!r}.")
        if name in ("window_gaps", "trade_gap_days") and value == 0:
            raise InputError(f"{place}: {name} must be more than 0.")
    return {str(name): float(value) for name, value in table.items()}


def _conditions(
    rule: Mapping[str, Any], thresholds: Mapping[str, float], place: str = ""
) -> dict[str, list[tuple[str, float]]]:
    """Fact → signs and limits, with the names of thresholds replaced by their numbers."""
    found = {}
    for fact in (fact for fact in FACTS if rule.get(fact)):
        found[fact] = []
        for part in str(rule[fact]).split(","):
            match = _CONDITION.fullmatch(part.strip())
            if not match:
                raise InputError(
                    f'{place}, {fact}: {part.strip()!r} is not a condition; write "> 3" or "> slow_after, <= lost_after".'
                )
            sign, limit = match[1] or "=", match[2]
            if limit[0].isalpha() and limit not in thresholds:
                raise InputError(
                    f"{place}, {fact}: there is no threshold {limit!r}.{near_misses(limit, thresholds)}"
                    f" Known: {', '.join(thresholds) or 'none'}."
                )
            found[fact].append((sign, thresholds[limit] if limit in thresholds else float(limit)))
    return found


def _is_a_partition(rules: StageRules) -> None:
    """Try every combination of facts that the rules can tell apart: exactly one rule must fit each."""
    limits: dict[str, set[float]] = {"purchases": {0.0}}
    for row in rules.table.to_dict("records"):
        for fact, conditions in _conditions(row, rules.thresholds).items():
            limits.setdefault(fact, set()).update(limit for _, limit in conditions)
    axes = {fact: _typical(values, whole=FACTS[fact]) for fact, values in limits.items()}
    grid = dict(zip(axes, np.array(list(itertools.product(*axes.values()))).T, strict=True))
    fitting = rules.fits(grid)
    wrong = np.flatnonzero(fitting.sum(axis=0) != 1)
    if not len(wrong):
        return
    who = ", ".join(f"{fact} {grid[fact][wrong[0]]:g}" for fact in axes)
    both = [f"{place + 1} ({rules.table['stage'][place]})" for place in np.flatnonzero(fitting[:, wrong[0]])]
    if both:
        raise InputError(
            f"{rules.name}: rules {' and '.join(both)} overlap: both fit a customer with {who}. "
            "Change a condition so that one fits."
        )
    raise InputError(f"{rules.name}: no rule fits a customer with {who}. Close the gap with a condition or a rule.")


def _typical(limits: set[float], whole: bool) -> list[float]:
    """One value on each limit and one in each stretch between limits, from 0 on."""
    if whole:
        near = {step(limit) + shift for limit in limits for step in (math.floor, math.ceil) for shift in (-1, 0, 1)}
        return sorted(float(value) for value in near if value >= 0)
    ends = sorted({0.0, *limits})
    between = [(low + high) / 2 for low, high in itertools.pairwise(ends)]
    return sorted({*ends, *between, ends[-1] + 1})


def _tasks(content: Mapping[str, Any], name: str) -> pd.DataFrame:
    told = content.get("stage", {})
    all_known(f"{name}, [stage.…]", told, STAGES)
    for stage in told:
        phase = told[stage].get("phase", "")
        if phase and phase not in PHASES:
            raise InputError(f"{name}, {stage}: phase = {phase!r} is not one of {', '.join(PHASES)}.")
    columns = ["phase", "sign", "task"]
    return pd.DataFrame(
        [[told.get(stage, {}).get(column, "") for column in columns] for stage in STAGES],
        index=pd.Index(STAGES, name="stage"),
        columns=columns,
    )
