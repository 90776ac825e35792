"""Rules of tags: read from TOML, held against what is allowed, each fault told with its tag and its place."""

import datetime
import math
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crmkit import periods
from crmkit.errors import InputError, KindError, all_known, near_misses
from crmkit.tables.conditions import Condition

_KEYS = ("name", "rule", "meaning", "from", "until", "expires_after", "exclusive_with")
_BY_HAND = ("customer_id", "tag", "by", "why", "from", "until")
_LONGEST = 36_525  # days that a tag may last: a hundred years


@dataclass(frozen=True)
class Tag:
    """One tag with its rule: who gets it, what it means, on which days the rule is in force, how long a tag lasts."""

    name: str
    condition: Condition
    meaning: str
    since: datetime.date
    until: datetime.date | None = None
    expires_after: periods.Horizon | None = None
    exclusive_with: tuple[str, ...] = ()

    def state(self, day: datetime.date) -> str:
        """Whether the rule is in force on that day ("holds"; its last day is one), "not yet", or "expired"."""
        return "not yet" if day < self.since else "expired" if self.until and day > self.until else "holds"

    def ends(self, day: datetime.date) -> datetime.date | None:
        """The last day of a tag given on `day`: the rule's last day, or `expires_after` later if that is sooner."""
        ends = [] if self.until is None else [self.until]
        if self.expires_after is not None:
            ends.append(day + datetime.timedelta(days=math.floor(self.expires_after.days)))
        return min(ends, default=None)


@dataclass(frozen=True)
class Rules:
    """The tags in their order; which attributes are sensitive; who allowed the use of one; tags given by hand."""

    tags: tuple[Tag, ...]
    sensitive: tuple[str, ...] = ()
    allowed: Mapping[str, str] = field(default_factory=dict)
    by_hand: tuple[Mapping[str, Any], ...] = ()


def read(rules: "Rules | Mapping[str, Any] | str | Path") -> Rules:
    """May these rules be used? Read and checked: each can be understood, and uses no sensitive attribute without leave.

    Parameters
        rules: the path of a TOML file, or a mapping as such a file holds it:

        - `[[tag]]`, one a tag: `name`; `rule`; `meaning`; `from`, the first day on which the rule is in force; optional
          `until`, its last day; `expires_after` ("90 days"), how long a tag lasts from the day on which it is given;
          `exclusive_with`, names of tags that nobody should carry beside it;
        - `[attributes]`: `sensitive`, names of attributes that a rule may not use, in whatever case it writes them;
          `allow_sensitive`, a table of those that it may: attribute → who allowed it, as in
          `{ age = "A. Weber, data protection" }`;
        - `[[by_hand]]`, one a tag that a person gave: `customer_id`, `tag`, `by`, `why`, `from`, optional `until`.
    Returns: `Rules`.
    Raises: InputError that names the tag and the place in its rule.
    Source: 002.B11 (automatic and manual tags).

    >>> found = read({"tag": [{"name": "regular", "rule": "orders >= 3", "meaning": "comes back", "from": "2026-01-01"}]})
    >>> [(tag.name, tag.condition.columns) for tag in found.tags]
    [('regular', ('orders',))]
    """
    if isinstance(rules, Rules):
        return rules
    if isinstance(rules, str | Path):
        try:
            rules = tomllib.loads(Path(rules).read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            raise InputError(f"there is no file of rules {str(rules)!r}.") from None
        except (ValueError, RecursionError) as error:  # also numbers and nestings that no file of rules needs
            raise InputError(f"{str(rules)!r} is no TOML file: {error}.") from None
    if not isinstance(rules, Mapping):
        raise KindError(f"rules are the path of a TOML file or a mapping, not {type(rules).__name__}.")
    _known(rules, ("tag", "attributes", "by_hand"), "the rules")
    attributes = rules.get("attributes", {})
    _known(attributes, ("sensitive", "allow_sensitive"), "[attributes]")
    sensitive = _texts(attributes.get("sensitive", []), "[attributes] sensitive")
    allowed = attributes.get("allow_sensitive", {})
    if not isinstance(allowed, Mapping) or not all(isinstance(who, str) and who.strip() for who in allowed.values()):
        raise InputError(
            f"[attributes] allow_sensitive: {allowed!r} does not say who allowed it; write "
            '{ age = "A. Weber, data protection" }.'
        )
    for name in allowed:
        if name not in sensitive:
            raise InputError(
                f"[attributes] allow_sensitive: {name!r} is not among the sensitive ones."
                + near_misses(name, sensitive)
            )
    tags = [_tag(given, number) for number, given in enumerate(_tables(rules, "tag"), start=1)]
    if not tags:
        raise InputError("the rules hold no tag; write one as [[tag]] with name, rule, meaning and from.")
    names, alike = [tag.name for tag in tags], [_alike(tag.name) for tag in tags]
    secret = {_alike(name) for name in sensitive}
    for number, tag in enumerate(tags, start=1):
        place = f"tag {number} ({tag.name!r})"
        if (other := alike.index(_alike(tag.name))) < number - 1:
            raise InputError(f"{place}: tag {other + 1} ({names[other]!r}) has that name too; give each its own.")
        for other in tag.exclusive_with:
            if other == tag.name or other not in names:
                what = "is the tag itself" if other == tag.name else "is no tag of these rules"
                raise InputError(
                    f"{place}: exclusive_with: {other!r} {what}." + near_misses(other, {*names} - {tag.name})
                )
        for column in tag.condition.columns:
            if _alike(column) in secret and column not in allowed:
                raise InputError(
                    f"{place} uses {column!r}{tag.condition.where(column)}, which is marked sensitive; take it out of the "
                    f"rule, or write under [attributes] who allowed it: {leave(column)}."
                )
    by_hand = [_hand(given, number) for number, given in enumerate(_tables(rules, "by_hand"), start=1)]
    for number, hand in enumerate(by_hand, start=1):
        if hand["tag"] not in names and _alike(hand["tag"]) in alike:
            other = names[alike.index(_alike(hand["tag"]))]
            raise InputError(f"by_hand {number}: the tag {hand['tag']!r} is called {other!r} above; write it alike.")
    return Rules(tuple(tags), sensitive, dict(allowed), tuple(by_hand))


def leave(column: str) -> str:
    """How the use of a sensitive attribute is allowed, in TOML.

    >>> leave("age")
    'allow_sensitive = { age = "name and office" }'
    """
    key = column if re.fullmatch("[A-Za-z0-9_-]+", column) else f"'{column}'"
    return f'allow_sensitive = {{ {key} = "name and office" }}'


def _alike(name: str) -> str:
    """A name as people see it: case, width and blanks around it make no other name."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _tag(given: Mapping[str, Any], number: int) -> Tag:
    place = f"tag {number}" + (f" ({given['name']!r})" if isinstance(given.get("name"), str) else "")
    _known(given, _KEYS, place)
    for key in ("name", "rule", "meaning"):
        if not isinstance(given.get(key), str) or (key != "meaning" and not given[key].strip()):
            raise InputError(f"{place}: {key} is {given.get(key, 'missing')!r}; it must be a text that says something.")
    try:
        condition = Condition.parse(given["rule"], arithmetic=True)
        expires = None if "expires_after" not in given else periods.Horizon.parse(given["expires_after"])
    except InputError as error:
        raise InputError(f"{place}: {error}") from None
    if expires is not None and not 1 <= expires.days <= _LONGEST:
        raise InputError(
            f"{place}: expires_after {expires}: a tag lasts from a day to a hundred years; leave it out if it shall stay."
        )
    since, until = _days(given, place)
    return Tag(
        given["name"],
        condition,
        given["meaning"],
        since,
        until,
        expires,
        _texts(given.get("exclusive_with", []), f"{place}: exclusive_with"),
    )


def _hand(given: Mapping[str, Any], number: int) -> dict[str, Any]:
    place = f"by_hand {number}"
    _known(given, _BY_HAND, place)
    for key in _BY_HAND[:4]:
        value, whole = given.get(key), key == "customer_id" and type(given.get(key)) is int
        if not whole and (not isinstance(value, str) or not value.strip()):
            raise InputError(
                f"{place}: {key} is {'missing' if value is None else repr(value)}; a tag by hand needs customer_id, tag, by, "
                "why and from, each a text that says something."
            )
    since, until = _days(given, place)
    return {key: given[key] for key in _BY_HAND[:4]} | {"since": since, "until": until}


def _days(given: Mapping[str, Any], place: str) -> tuple[datetime.date, datetime.date | None]:
    if "from" not in given:
        raise InputError(f"{place}: from is missing; write the first day, as in from = 2026-01-31.")
    since = periods.day(given["from"], f"{place}: from")
    until = None if "until" not in given else periods.day(given["until"], f"{place}: until")
    if until is not None and until < since:
        raise InputError(f"{place}: until ({until}) is before from ({since}).")
    return since, until


def _tables(rules: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    given = rules.get(name, [])
    if not isinstance(given, list | tuple) or not all(isinstance(one, Mapping) for one in given):
        raise InputError(f"{name} is {str(given)[:60]!r}; write each as [[{name}]], with its keys below it.")
    return list(given)


def _known(given: Any, keys: tuple[str, ...], place: str) -> None:
    if not isinstance(given, Mapping):
        raise InputError(f"{place} is {given!r}, not a table of {', '.join(keys)}.")
    all_known(place, given, keys)


def _texts(given: Any, place: str) -> tuple[str, ...]:
    if not isinstance(given, list | tuple) or not all(isinstance(one, str) for one in given):
        raise InputError(f'{place} is {given!r}; write a list of names, as in ["age", "sex"].')
    return tuple(given)
