"""What has been done, kept on this machine only, and the course map that shows it.

The folder named by the environment variable CRMKIT_WORK (`crmkit lab` sets it) keeps one line of JSON for each check in
``.crmkit/progress.jsonl``. Lines are only ever added, so two notebooks may write at once and a broken line costs itself.
Without such a folder progress lasts as long as the session.
"""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

from crmkit.classroom import grammar
from crmkit.classroom.card import Card
from crmkit.classroom.copies import OWN
from crmkit.errors import InputError

_in_memory: list[tuple[str, bool]] = []


def record(exercise_id: str, right: bool) -> None:
    """Add one try, and rewrite the course map; a folder that cannot be written to changes nothing for the student."""
    _in_memory.append((exercise_id, right))
    if not (work := os.environ.get("CRMKIT_WORK")):
        return
    line = "\n" + json.dumps({"exercise": exercise_id, "right": right}) + "\n"
    with suppress(OSError):
        file = Path(work) / OWN / "progress.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab", buffering=0) as log:  # one write of one line: the system keeps it whole
            log.write(line.encode())
        write_start(Path(work))


def tries(folder: Path | str | None = None) -> list[tuple[str, bool]]:
    """Every try so far, oldest first: the exercise, and whether it was right."""
    work = folder or os.environ.get("CRMKIT_WORK")
    if not work:
        return list(_in_memory)
    try:
        lines = (Path(work) / OWN / "progress.jsonl").read_bytes().splitlines()
    except OSError:  # nothing there yet, or a folder that takes nothing
        return list(_in_memory)
    found = []
    for line in lines:
        with suppress(ValueError, TypeError, KeyError):
            entry = json.loads(line)
            found.append((str(entry["exercise"]), entry["right"] is True))
    return found


def wrong_tries(exercise_id: str) -> int:
    """How often this exercise was answered wrongly."""
    return tries().count((exercise_id, False))


def progress() -> Card:
    """The lessons with the exercises solved so far.

    >>> progress().title
    'Your progress'
    """
    solved = _solved(tries())
    rows = [
        (lesson.heading, f"{len(solved & {*ids})} of {len(ids)}", _bar(solved, ids)) for lesson, ids in _course() if ids
    ]
    return Card("note", "Your progress", (), ("Lesson", "Right", ""), tuple(rows))


def write_start(folder: Path | str) -> Path:
    """Write START.md, the course map with this folder's progress, and return its path."""
    path, page = Path(folder) / "START.md", start_page(tries(folder)).encode()
    if not path.is_file() or path.read_bytes() != page:
        part = path.with_name(f".START.{os.getpid()}.part")
        part.write_bytes(page)
        part.replace(path)
    return path


def start_page(done: Iterable[tuple[str, bool]] = (), lessons: Path | None = None) -> str:
    """The course map as Markdown: where to begin, the parts and their lessons, minutes, own progress."""
    done, course = list(done), _course(lessons)
    solved = _solved(done)
    lines = ["# Customer relationship management, by doing it", "", *_begin(done, solved, course)]
    part = None
    for lesson, ids in course:
        front = lesson.front
        if front["part"] != part:
            part = front["part"]
            lines += ["", f"## Part {lesson.number.split('.')[0]} · {part}", ""]
            lines += ["| Lesson | The question | Minutes | Right so far |", "|---|---|---|---|"]
        minutes = f"{front['teaching_minutes']}" + (f" + {front['exercise_minutes']}" if ids else "")
        minutes += f" (+ {front['optional_minutes']} optional)" if front["optional_minutes"] else ""
        right = f"{_bar(solved, ids)} {len(solved & {*ids})} of {len(ids)}" if ids else ""
        cells = (f"[{lesson.heading}]({_notebook(lesson)})", front["questions"][0], minutes, right)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*lines, "", *_FOOT])


_FOOT = (
    "Minutes are teaching + exercises. A lesson is worked through from top to bottom: run a cell with Shift + Enter,",
    "put your answer where you see `...`, then run the check below it. A check says what is right, what is not yet,",
    'and helps; after three tries it offers the solution. `glossary("churn")` explains a term in English and Chinese.',
    "",
    "This page and your progress stay on this computer. The page is written anew after each check.",
    "",
)


def _begin(done: list[tuple[str, bool]], solved: set[str], course: list[tuple[grammar.Lesson, list[str]]]) -> list[str]:
    if not course:
        return ["There are no lessons yet."]
    if not done:
        return [f"**Begin here: {_link(course[0][0])}.**"]
    last = done[-1][0].rpartition("-")[0]
    numbers = [lesson.number for lesson, _ in course]
    at = numbers.index(last) if last in numbers else 0
    for lesson, ids in course[at:] + course[:at]:
        if set(ids) - solved:
            return [f"**Go on with {_link(lesson)}.**"]
    return ["**Every exercise is solved.** The lessons stay open to you, and so does the work on your own data."]


def _solved(done: Iterable[tuple[str, bool]]) -> set[str]:
    return {exercise_id for exercise_id, right in done if right}


def _bar(solved: set[str], ids: list[str]) -> str:
    filled = round(10 * len(solved & {*ids}) / len(ids))
    return "█" * filled + "░" * (10 - filled)


def _notebook(lesson: grammar.Lesson) -> str:
    return f"{lesson.path.parent.name}/{lesson.path.stem}.ipynb"


def _link(lesson: grammar.Lesson) -> str:
    return f"[{lesson.heading}]({_notebook(lesson)})"


@cache
def _course(lessons: Path | None = None) -> list[tuple[grammar.Lesson, list[str]]]:
    """The shipped lessons with their exercises; one whose front matter is broken is left to the test that says so."""
    found = []
    for path in grammar.sources(lessons):
        with suppress(InputError):
            found.append((grammar.front_matter(path), grammar.exercise_ids(path)))
    return [(lesson, ids) for lesson, ids in found if not list(grammar.front_faults(lesson))]
