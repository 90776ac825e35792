"""What a customer is scored by: recency, frequency and money, or what a trade puts in their place."""

from collections.abc import Iterable
from typing import NamedTuple

from crmkit.errors import InputError, near_misses


class Dimension(NamedTuple):
    """One thing a customer is scored by.

    `letter` names the score (`"r"` gives the column `r_score`); `column` is the column of the summary;
    `better` says which end is good, "high" or "low"; `label` is for axes and tables; `words` tells one
    value in a sentence: `{}` stands for the number, `{money}` for an amount with its currency,
    `{percent}` for a share, `{unit}` for the summary's unit of time, and `(s)` for a plural.

    >>> Dimension("n", "nights", "high", "nights", "{} night(s)").letter
    'n'
    """

    letter: str
    column: str
    better: str
    label: str
    words: str = ""


_RECENCY = Dimension("r", "recency_days", "low", "days since the last order", "last order {} day(s) ago")
_FREQUENCY = Dimension("f", "orders", "high", "orders", "{} order(s)")
_MONEY = Dimension("m", "spend", "high", "spend", "{money} spent")
_LENGTH = Dimension("l", "t_x", "high", "age at the last order", "{} {unit} from first to last order")
_LAST_VISIT = Dimension("r", "recency_days", "low", "days since the last visit", "last visit {} day(s) ago")
_VISITS = Dimension("f", "visits", "high", "visits", "{} visit(s)")

#: Which columns each variant reads, one row a customer. The dimensions change with the trade
#: (source 004.1); all but the last two columns of "lrfm" and "rfm" come from the firm's own tables.
#:
#: - "rfm" (Hughes 1994, Strategic Database Marketing): `recency_days`, `orders`, `spend`.
#: - "lrfm" (Chang and Tsay 2004: L is the time from the first to the last purchase): `t_x`, then as "rfm".
#: - "rfe", engagement, for a bank, an app, a website: `recency_days` since the last visit, `visits`,
#:   `actions` (what was done there: transfers, pages, shares, weighted as the firm likes).
#: - "rfd", duration, for what is watched, read or played: `recency_days`, `visits`, `minutes`.
#: - "b2b", few customers under contract: `recency_days`, `orders_per_year`, `contract_value` (a year),
#:   `share_of_wallet` (0 to 1: our share of what they buy in our field, usually an estimate of sales staff).
DIMENSIONS: dict[str, tuple[Dimension, ...]] = {
    "rfm": (_RECENCY, _FREQUENCY, _MONEY),
    "lrfm": (_LENGTH, _RECENCY, _FREQUENCY, _MONEY),
    "rfe": (_LAST_VISIT, _VISITS, Dimension("e", "actions", "high", "actions", "{} action(s)")),
    "rfd": (_LAST_VISIT, _VISITS, Dimension("d", "minutes", "high", "minutes", "{} minute(s)")),
    "b2b": (
        _RECENCY,
        Dimension("f", "orders_per_year", "high", "orders a year", "{} order(s) a year"),
        Dimension("m", "contract_value", "high", "contract value a year", "{money} contract value"),
        Dimension("s", "share_of_wallet", "high", "share of wallet", "{percent} of what they buy in our field"),
    ),
}


def resolve(dimensions: str | Iterable[Dimension]) -> tuple[Dimension, ...]:
    """The dimensions of a name, or a user's own list, checked.

    >>> [dimension.column for dimension in resolve("rfm")]
    ['recency_days', 'orders', 'spend']
    """
    if isinstance(dimensions, str):
        if dimensions not in DIMENSIONS:
            raise InputError(
                f"dimensions={dimensions!r} is not known; use one of {', '.join(DIMENSIONS)}, "
                f"or a list of rfm.Dimension.{near_misses(dimensions, DIMENSIONS)}"
            )
        return DIMENSIONS[dimensions]
    try:
        chosen = tuple(Dimension(*dimension) for dimension in dimensions)
    except TypeError:
        raise InputError(
            f"dimensions={dimensions!r} must be a name such as 'rfm', or a list of "
            'rfm.Dimension("n", "nights", "high", "nights").'
        ) from None
    for dimension in chosen:
        letter = dimension.letter
        if not (isinstance(letter, str) and len(letter) == 1 and letter.isascii() and letter.islower()):
            raise InputError(f"a dimension's letter must be one small letter a to z, not {letter!r}.")
        if dimension.better not in ("high", "low"):
            raise InputError(f"dimension {letter!r}: better must be 'high' or 'low', not {dimension.better!r}.")
    for name in ("letter", "column"):
        values = [getattr(dimension, name) for dimension in chosen]
        if len(set(values)) < len(values):
            raise InputError(f"two dimensions have the same {name}: {', '.join(map(str, values))}.")
    if not chosen:
        raise InputError("dimensions is empty; name at least one.")
    return chosen
