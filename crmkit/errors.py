"""The errors of crmkit. A message names the column or argument, shows the value, and says what to do."""

import math
import numbers
from collections.abc import Iterable
from difflib import get_close_matches


class CrmkitError(Exception):
    """Every error that crmkit raises on purpose."""


class InputError(CrmkitError, ValueError):
    """A value, an argument or a table that cannot be used as it is."""


class ColumnError(InputError):
    """A column that is needed is not there, or one column was named for two things."""


class KindError(CrmkitError, TypeError):
    """An argument of the wrong kind: a text where a table is needed, and the like."""


class ModelWarning(UserWarning):
    """A model could be fitted but stands on weak ground; its `notes_` say the same, with the figures."""


def near_misses(name: object, choices: Iterable[object]) -> str:
    """A sentence with the choices that look like `name`, or an empty text.

    >>> near_misses("custmer_id", ["customer_id", "amount"])
    " Did you mean 'customer_id'?"
    >>> near_misses("zzz", ["customer_id", "amount"])
    ''
    """
    by_key = {str(choice).casefold(): str(choice) for choice in choices}
    close = get_close_matches(str(name).casefold(), by_key, n=3, cutoff=0.6)
    if not close:
        return ""
    return " Did you mean " + " or ".join(repr(by_key[key]) for key in close) + "?"


def one_of(name: str, value: object, choices: Iterable[object]) -> None:
    """Raise InputError unless `value`, given for the argument `name`, is one of `choices`.

    >>> one_of("kind", "cohorts", ("cohort", "snapshot"))
    Traceback (most recent call last):
    crmkit.errors.InputError: kind='cohorts' is not known; use 'cohort', 'snapshot'. Did you mean 'cohort'?
    """
    if value not in choices:
        raise _not_known(f"{name}={value!r}", value, choices)


def all_known(place: str, given: Iterable[object], choices: Iterable[object]) -> None:
    """Raise InputError unless all that is `given` at this place, such as the keys of a rule, are among `choices`.

    >>> all_known("rule 3", {"silense": "> 2"}, ("silence", "trend"))
    Traceback (most recent call last):
    crmkit.errors.InputError: rule 3: 'silense' is not known; use 'silence', 'trend'. Did you mean 'silence'?
    """
    for value in given:
        if value not in choices:
            raise _not_known(f"{place}: {value!r}", value, choices)


def _not_known(what: str, value: object, choices: Iterable[object]) -> InputError:
    offered = ", ".join(map(repr, choices)) or "nothing: there is none"
    return InputError(f"{what} is not known; use {offered}.{near_misses(value, choices)}")


def in_range(
    name: str,
    value: object,
    low: float,
    high: float = math.inf,
    *,
    ends: str = "[]",
    what: str = "a number",
    such_as: float | None = None,
) -> None:
    """Raise InputError unless `value`, given for the argument `name`, is a number from `low` to `high`.

    `ends` tells by "(" or ")" that an end itself is too far. `what` says what the number is for the message; what begins
    with "a whole number" must be one. `such_as` is a good value.

    >>> in_range("share", 20, 0, 1, ends="()", what="a share", such_as=0.2)
    Traceback (most recent call last):
    crmkit.errors.InputError: share=20 must be a share above 0 and below 1, such as 0.2.
    """
    kind = numbers.Integral if what.startswith("a whole number") else numbers.Real
    good = isinstance(value, kind) and not isinstance(value, bool) and math.isfinite(value)
    good = good and (low < value or (value == low and ends[0] == "["))
    if good and (value < high or (value == high and ends[1] == "]")):
        return
    if ends[0] == "[":
        limits = f"from {low:g} " + ("on" if high == math.inf else f"to {'' if ends[1] == ']' else 'below '}{high:g}")
    else:
        limits = f"above {low:g}"
        limits += "" if high == math.inf else f" and {'up to' if ends[1] == ']' else 'below'} {high:g}"
    example = "" if such_as is None else f", such as {such_as:g}"
    raise InputError(f"{name}={value!r} must be {what} {limits}{example}.")
