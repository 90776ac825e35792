"""The course plans in docs/trainers.md, made from the lessons that stand: `python -m crmkit.classroom.course_plans`.

Minutes are those of the front matter. A sitting is two stretches of 90 minutes with a break between them; lessons follow
one another and go on after a break. What a plan wants and the course does not have yet is left out, so a plan grows
with the course. Only docs/trainers.md between its markers is written.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from crmkit import shipped
from crmkit.classroom import grammar
from crmkit.classroom.grammar import Lesson
from crmkit.errors import InputError

STRETCH, BREAK = 90, 15
OWN_DATA = "your own data"


@dataclass(frozen=True)
class Plan:
    """A course: its sittings, and the lessons it wants, the most wanted first (None: all, in order)."""

    name: str
    sittings: tuple[str, ...]
    wanted: tuple[str, ...] | None = None


PLANS = (
    Plan("half-day", ("Half a day",), ("2.0", "2.3")),
    Plan(
        "two-days", ("Morning 1", "Afternoon 1", "Morning 2", "Afternoon 2"), ("2.0", "2.3", "1.5", "1.6", "3.4", "2.4")
    ),
    Plan("semester", tuple(f"Week {week}" for week in range(1, 15))),
)


def chosen(plan: Plan, lessons: Sequence[Lesson]) -> tuple[list[Lesson], list[Lesson]]:
    """The lessons of a plan in the order of the course, and those wanted for which there is no time left."""
    there = {lesson.number: lesson for lesson in lessons}
    taken, late, free = [], [], 2 * STRETCH * len(plan.sittings)
    for lesson in (there[number] for number in plan.wanted or there if number in there):
        (taken if _minutes(lesson) <= free else late).append(lesson)
        free -= _minutes(lesson) if lesson in taken else 0
    return [lesson for lesson in lessons if lesson in taken], late


def stretches(lessons: Sequence[Lesson]) -> list[list[tuple[str, int]]]:
    """Lessons, or parts of them, with their minutes, in stretches of 90 minutes; own data fill the last sitting."""
    parts = [(lesson.heading.partition(":")[0], _minutes(lesson)) for lesson in lessons]
    parts.append((OWN_DATA, -sum(minutes for _, minutes in parts) % (2 * STRETCH)))
    filled, at = [], 0
    for name, minutes in parts:
        begin, end = at, at + minutes
        while at < end:
            if at % STRETCH == 0:
                filled.append([])
            until = min(end, at - at % STRETCH + STRETCH)
            filled[-1].append((f"{name}, on" if at > begin else name, until - at))
            at = until
    return filled


def table(plan: Plan, lessons: Sequence[Lesson]) -> str:
    """The plan as Markdown, one row a sitting, and what remains."""
    taken, late = chosen(plan, lessons)
    told = [", ".join(f"{what} ({minutes})" for what, minutes in stretch) for stretch in stretches(taken)]
    sat = len(told) // 2
    lines = ["| When | First 90 minutes | After a break of 15, 90 minutes |", "|---|---|---|"]
    lines += [f"| {plan.sittings[n]} | {told[2 * n]} | {told[2 * n + 1]} |" for n in range(sat)]
    used, room = _hours(sum(map(_minutes, taken))), _hours(2 * STRETCH * len(plan.sittings))
    more = _hours(sum(lesson.front["optional_minutes"] for lesson in taken))
    text = f"The lessons that stand fill {used} of {room}, and {more} more with all that is optional."
    if nothing := plan.sittings[sat:]:
        text += f" No lesson stands yet for: {nothing[0]}{' to ' + nothing[-1] if nothing[1:] else ''}."
    if late:
        text += f" No time is left for {', '.join(lesson.number for lesson in late)}."
    return "\n".join([*lines, "", text])


def lesson_table(lessons: Sequence[Lesson]) -> str:
    """The lessons that stand, with their minutes."""
    rows = [(lesson.heading, *(lesson.front[name] for name in grammar.MINUTES)) for lesson in lessons]
    lines = ["| Lesson | Teaching | Core exercises | Optional |", "|---|---|---|---|"]
    return "\n".join([*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows)])


def filled(page: str, lessons: Sequence[Lesson]) -> str:
    """The page with every table between its markers made anew; raises InputError if a marker is missing."""
    for name, text in {"lessons": lesson_table(lessons), **{p.name: table(p, lessons) for p in PLANS}}.items():
        marker = rf"(<!-- made by course_plans: {name} -->\n).*?(<!-- end -->)"
        page, found = re.subn(marker, lambda match, text=text: f"{match[1]}\n{text}\n\n{match[2]}", page, flags=re.S)
        if found != 1:
            raise InputError(f"docs/trainers.md has {found} places for the table {name!r}, not one.")
    return page


def course() -> list[Lesson]:
    """Every lesson that stands, in the order of the course."""
    return [grammar.front_matter(path) for path in grammar.sources()]


def main() -> None:
    """Write the tables into docs/trainers.md."""
    page = shipped.folder("docs") / "trainers.md"
    page.write_text(filled(page.read_text(encoding="utf-8"), course()), encoding="utf-8", newline="\n")
    print("docs/trainers.md has the course plans of the lessons that stand.")


def _minutes(lesson: Lesson) -> int:
    return lesson.front["teaching_minutes"] + lesson.front["exercise_minutes"]


def _hours(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours and rest else f"{hours} h" if hours else f"{rest} min"


if __name__ == "__main__":
    main()
