"""The course plans in docs/trainers.md say what the lessons say, and hold no lesson that does not stand."""

import csv
import re
from pathlib import Path

import pytest

from crmkit.classroom import course_plans
from crmkit.classroom.course_plans import BREAK, OWN_DATA, PLANS, STRETCH, Plan
from crmkit.classroom.grammar import Lesson
from crmkit.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "trainers.md").read_text(encoding="utf-8")


def lesson(number: str, teaching: int, exercises: int = 0, optional: int = 0) -> Lesson:
    front = {"title": f"About {number}", "part": "P", "teaching_minutes": teaching, "exercise_minutes": exercises}
    return Lesson(Path(f"{number.replace('.', '_')}_x.py"), number, front | {"optional_minutes": optional})


def test_the_page_is_in_step_with_the_lessons():
    made = course_plans.filled(PAGE, course_plans.course())
    assert made == PAGE, "run: python -m crmkit.classroom.course_plans"


def test_every_lesson_that_stands_is_on_the_page_with_its_minutes():
    for lesson in course_plans.course():
        front = lesson.front
        row = f"| {lesson.heading} | {front['teaching_minutes']} | {front['exercise_minutes']} | {front['optional_minutes']} |"
        assert row in PAGE


def test_plans_want_lessons_of_the_syllabus_only():
    rows = csv.DictReader((ROOT / "docs" / "lessons.csv").read_text(encoding="utf-8").splitlines())
    known = {row["lesson"] for row in rows}
    known |= {f"{number[0]}.{end}" for number in known for end in "09"}
    assert {number for plan in PLANS for number in plan.wanted or ()} <= known


def test_minutes_flow_over_breaks_and_none_is_lost():
    lessons = [lesson("1.1", 60, 50), lesson("1.2", 100, 20), lesson("1.3", 15)]
    filled = course_plans.stretches(lessons)
    assert filled == [
        [("1.1 About 1.1", 90)],
        [("1.1 About 1.1, on", 20), ("1.2 About 1.2", 70)],
        [("1.2 About 1.2, on", 50), ("1.3 About 1.3", 15), (OWN_DATA, 25)],
        [(f"{OWN_DATA}, on", 90)],
    ]
    assert all(sum(minutes for _, minutes in stretch) == STRETCH for stretch in filled)


def test_what_does_not_fit_is_named_and_what_is_not_there_is_left_out():
    plan = Plan("day", ("Morning",), ("1.2", "1.1", "7.7"))
    table = course_plans.table(plan, [lesson("1.1", 100), lesson("1.2", 100)])
    assert "1.2 About 1.2" in table
    assert "No time is left for 1.1." in table
    assert "7.7" not in table
    assert "fill 1 h 40 min of 3 h" in table


def test_a_plan_keeps_the_order_of_the_course_and_says_where_nothing_stands_yet():
    plan = Plan("days", ("Mo", "Tu", "We"), ("1.2", "1.1"))
    table = course_plans.table(plan, [lesson("1.1", 60, optional=10), lesson("1.2", 60)])
    assert re.search(r"\| Mo \| 1\.1 .*1\.2 ", table)
    assert "10 min more with all that is optional. No lesson stands yet for: Tu to We." in table
    assert f"break of {BREAK}" in table


def test_a_page_without_a_place_for_a_table_is_refused():
    with pytest.raises(InputError, match="0 places for the table 'lessons'"):
        course_plans.filled("# Trainers", [])
