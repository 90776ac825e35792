"""One HTML page a student: what is right, what is not yet and what helps. It gives no answer of an open exercise away."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from crmkit import escape
from crmkit.classroom.card import Card
from crmkit.classroom.exercise import Exercise
from crmkit.classroom.grammar import Lesson
from crmkit.classroom.handin import safe_name

_STYLE = """body { font: 17px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem } blockquote { margin: .5rem 0; white-space: pre-wrap; color: #444 }
@media print { .crmkit-card { break-inside: avoid } }"""
_NOT_RUN = {"failed": "It could not be run.", "stopped": "It was stopped."}


def write_pages(judged: Sequence, lesson: Lesson, known: Mapping[str, Exercise], folder: Path) -> list[Path]:
    """Write a page for every student of a graded batch (`grading.Graded.judged`) and return the paths.

    A file that another one superseded gets none; one that could not be graded gets a page that says why.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[str, Path] = {}
    for one, results in judged:
        if one.refused.startswith("superseded"):
            continue
        name, number = safe_name(one.student), 1
        while (unique := f"{name}_{number}" if number > 1 else name).casefold() in written:
            number += 1
        path = folder / f"{unique}.html"
        path.write_text(page(one, results, lesson, known), encoding="utf-8")
        written[unique.casefold()] = path
    return list(written.values())


def page(one: Any, results: Mapping[str, Any], lesson: Lesson, known: Mapping[str, Exercise]) -> str:
    """The page of one student."""
    title = f"Lesson {lesson.number}: {one.student}"
    parts = [f"<h1>{escape.html(title)}</h1>", f"<p>{escape.html(lesson.front['title'])}</p>"]
    if one.refused:
        parts.append(Card("not checked", one.file, (one.refused,))._repr_html_())
    else:
        points = sum(result.points for result in results.values())
        right = sum(result.result == "right" for result in results.values())
        extra = " Reasons in your own words are read and marked by your trainer."
        defended = extra if any(exercise.level == "defend" for exercise in known.values()) else ""
        parts.append(f"<p><strong>{right} of {len(known)} exercises right, {points} points.</strong>{defended}</p>")
        for note in one.notes:
            parts.append(f"<p>{escape.html(note[:1].upper() + note[1:])}.</p>")
        headings = _headings(lesson)
        for name in known:
            parts.append(f"<h2>{escape.html(headings.get(name, f'Exercise {name}'))}</h2>{_exercise(name, results)}")
    head = f"<meta charset='utf-8'><title>{escape.html(title)}</title><style>{_STYLE}</style>"
    return f"<!doctype html><html lang='en'><head>{head}</head><body>{''.join(parts)}</body></html>\n"


def _exercise(name: str, results: Mapping[str, Any]) -> str:
    result = results.get(name)
    if result is None or result.result == "not answered":
        return Card("not answered", f"exercise {name}")._repr_html_()
    state = "wrong" if result.result in _NOT_RUN else result.result
    first = (_NOT_RUN[result.result],) if result.result in _NOT_RUN else ()
    card = Card(state, f"exercise {name}", (*first, *result.words))._repr_html_()
    if not result.defence:
        return card
    return f"{card}<p>Your reason, for your trainer:</p><blockquote>{escape.html(result.defence[2])}</blockquote>"


def _headings(lesson: Lesson) -> dict[str, str]:
    """The title that the lesson gives to each exercise."""
    found = {}
    for cell in lesson.cells:
        if cell.key.endswith("-task") and (heading := re.search(r"(?m)^#+ (.+)$", cell.source)):
            found[cell.key.removesuffix("-task")] = heading[1]
    return found
