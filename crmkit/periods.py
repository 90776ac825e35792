"""Units of time, horizons such as "26 weeks", and the day a calculation looks back from.

No function here, or anywhere else in the package, reads the system clock: the same data give the
same result tomorrow. The command line reads it, and records what it read.
"""

import datetime
import re
from dataclasses import dataclass

from crmkit.errors import InputError, KindError, near_misses

#: Length of each unit in days. A month is a twelfth, a year the average of the calendar.
DAYS = {"days": 1.0, "weeks": 7.0, "months": 30.4375, "years": 365.25}


def unit(name: str) -> str:
    """The unit's standard name.

    >>> unit("week")
    'weeks'
    """
    standard = str(name).strip().lower()
    if standard + "s" in DAYS:
        standard += "s"
    if standard not in DAYS:
        raise InputError(
            f"unit={name!r} is not a unit of time; use one of {', '.join(DAYS)}." + near_misses(standard, DAYS)
        )
    return standard


@dataclass(frozen=True)
class Horizon:
    """A length of time with its unit, so that weeks are never taken for days.

    >>> Horizon.parse("26 weeks").days
    182.0
    >>> print(Horizon.parse("1 months"), Horizon.parse("26 week"), sep=", ")
    1 month, 26 weeks
    """

    number: float
    unit: str

    @classmethod
    def parse(cls, text: "str | Horizon") -> "Horizon":
        if isinstance(text, Horizon):
            return text
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*", text) if isinstance(text, str) else None
        if match is None:
            raise InputError(
                f'{text!r} is not a horizon; write a number and a unit, such as "26 weeks" or "12 months".'
            )
        number = float(match[1])
        if number <= 0:
            raise InputError(f"{text!r} is not a horizon: it must be longer than zero.")
        return cls(number, unit(match[2]))

    @property
    def days(self) -> float:
        return self.number * DAYS[self.unit]

    def within(self, expected_unit: str) -> float:
        """The number, if the unit is the expected one; a unit that does not match raises.

        >>> Horizon.parse("26 weeks").within("weeks")
        26.0
        """
        if self.unit != unit(expected_unit):
            raise InputError(
                f"the horizon is in {self.unit} but the table is in {unit(expected_unit)}; write it in one unit."
            )
        return self.number

    def __str__(self) -> str:
        return f"{self.number:g} {self.unit.removesuffix('s') if self.number == 1 else self.unit}"


def day(value: object, name: str = "as_of") -> datetime.date:
    """A calendar day from a date, a timestamp or an ISO text.

    >>> day("2026-06-30")
    datetime.date(2026, 6, 30)
    """
    if isinstance(value, datetime.datetime):  # pandas.Timestamp is one too
        if value != value:  # NaT
            raise InputError(f"{name} is missing (NaT); give a day such as '2026-06-30'.")
        return value.date()
    if isinstance(value, datetime.date):
        return value
    if isinstance(value, str):
        try:
            return datetime.date.fromisoformat(value.strip()[:10])
        except ValueError:
            raise InputError(
                f"{name}={value!r} is not a day; write it as year-month-day, such as '2026-06-30'."
            ) from None
    if type(value).__name__ == "datetime64":
        return day(value.astype("datetime64[s]").item(), name)
    raise KindError(f"{name} must be a day such as '2026-06-30', not {value!r}.")


def as_of(frame: object = None, as_of: object = None) -> datetime.date:
    """The day to look back from: the argument, else the one that `frame` carries in its attrs."""
    if as_of is not None:
        return day(as_of)
    carried = getattr(frame, "attrs", {}).get("as_of")
    if carried is None:
        raise InputError(
            "the table does not say as of which day it was made (pandas drops that note in merge, join and concat); "
            "pass as_of='2026-06-30' with the right day."
        )
    return day(carried)
