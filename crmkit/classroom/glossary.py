"""The terms of the course in English and Simplified Chinese, with the lesson that teaches each."""

import csv
import re

from crmkit.classroom.card import Card
from crmkit.errors import near_misses
from crmkit.shipped import folder

_COLUMNS = ("english", "simplified_chinese", "definition", "lesson")


def glossary(term: str) -> Card:
    """What a term means, asked in English or Chinese, whole or in part.

    >>> glossary("switcher").rows[0][0]
    'switcher'
    """
    entries, asked = _entries(), " ".join(str(term).casefold().split())
    exact = [entry for entry in entries if asked in _names(entry)]
    found = exact or [entry for entry in entries if asked and asked in " ".join(entry[:2]).casefold()]
    if not found:
        names = [name for entry in entries for name in _names(entry)]
        hint = near_misses(asked, names).strip() or "Ask for a shorter word, or in the other language."
        return Card("note", f"The glossary has no {str(term)[:60]!r}.", (hint,))
    more = (f"And {len(found) - 8} more; ask for a longer word.",) if len(found) > 8 else ()
    return Card("note", "Glossary", more, ("English", "中文", "Meaning", "Lesson"), tuple(found[:8]))


def _entries() -> list[tuple[str, ...]]:
    with (folder("docs") / "glossary.csv").open(encoding="utf-8-sig", newline="") as file:
        return [tuple(row[column].strip() for column in _COLUMNS) for row in csv.DictReader(file)]


def _names(entry: tuple[str, ...]) -> list[str]:
    """All names of an entry: "customer relationship management (CRM)" can be asked for as "CRM" too."""
    parts = re.split(r"[,;、，；/()（）]", f"{entry[0]},{entry[1]}".casefold())
    return [name for name in (entry[0].casefold(), entry[1].casefold(), *map(str.strip, parts)) if name]
