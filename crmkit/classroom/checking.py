"""`check("2.3-4")`: is the answer right, and if not, what helps?"""

import os
import re
import sys
from collections.abc import Mapping
from typing import Any

from crmkit.classroom import exercises, grammar
from crmkit.classroom.card import Card
from crmkit.classroom.course_map import record, wrong_tries
from crmkit.classroom.exercise import Context
from crmkit.errors import CrmkitError, InputError

TRIES = 3
_context = Context()


class NotRight(CrmkitError):
    """Raised in strict mode only, which the course's own tests use: a check that is not right."""


def check(exercise_id: str) -> Card:
    """Check the answer of one exercise, which is read from the notebook by its name.

    The card says one of three things: right; not yet, with the reason and a hint; not answered yet. After three wrong
    tries it offers the solution. Nothing is raised, unless the environment variable CRMKIT_STRICT is set.

    >>> check("99.9-1").state
    'not checked'
    """
    card = result(exercise_id, sys._getframe(1).f_globals)
    if os.environ.get("CRMKIT_STRICT") and card.state != "right":
        raise NotRight(repr(card))
    return card


def result(exercise_id: str, namespace: Mapping[str, Any], context: Context | None = None) -> Card:
    """The card for the answer that stands in `namespace`; the try is counted."""
    title = f"exercise {exercise_id}"
    try:
        exercise = exercises.find(exercise_id)
        given = namespace.get(exercise.answer, ...)
        if given is ...:
            return Card("not answered", title, (f"Put your answer in `{exercise.answer}`, then run this cell again.",))
        # the student's object is inspected only here, where nothing of it can raise
        reason, mistake = exercise.judged(context or _context, given)
    except InputError as error:
        return Card("not checked", title, (str(error),))
    except Exception as error:
        text = f"This is a defect of the course and not of your answer: {type(error).__name__}: {str(error)[:200]}"
        return Card("not checked", title, (text, "Please report it with the number of the exercise."))
    record(exercise_id, reason is None)
    if reason is None:
        # a reason is read by people and never judged; one that was not written yet is told
        words = str(given.because).strip() if exercise.level == "defend" else None
        unwritten = words is not None and (len(words) < 15 or words.startswith("two sentences"))
        told = "The reason (`because=`) is still to be written: your trainer reads it." if unwritten else ""
        return Card("right", title, tuple(line for line in (exercise.meaning, told) if line))
    hint = mistake or exercise.nudge
    lines = tuple(line for line in (reason, hint and f"Hint: {hint}") if line)
    solution = _solution(exercise_id) if wrong_tries(exercise_id) >= TRIES else ""
    return Card("wrong", title, lines, solution=solution)


def _solution(exercise_id: str) -> str:
    """The solution cell of the shipped lesson; no text if it is not there."""
    pattern = rf'^# %%[^\n]* key="{re.escape(exercise_id)}"[^\n]*\n(.*?)(?=^# %%|\Z)'
    for path in grammar.sources():
        if found := re.search(pattern, path.read_text(encoding="utf-8"), flags=re.M | re.S):
            return found[1].strip()
    return ""
