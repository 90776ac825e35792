"""How an exercise is written down: what is right, which mistakes beginners make, and what helps with each.

``crmkit/classroom/exercises/lesson_2_3.py`` holds the exercises of lesson 2.3, one class each:

    class TiedScores(Exercise):
        id, answer, level = "2.3-4", "rfm_scores", "do"
        nudge = "Which end of recency is the good one? And who decides where a tie goes?"

        def expected(self, context):
            return segmentation.rfm.score(context.summary("complete_journey"), bins=5)["r_score"]

        @wrong("Small recency is good: a customer who bought yesterday gets the highest score.")
        def recency_not_reversed(self, context):
            return 6 - self.expected(context)

Both kinds of function compute their value from the data that ships, never from the student's variables and never as a
literal, so that the exercise stays true when data or method change.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

LEVELS = ("do", "decide", "defend")


@dataclass(frozen=True)
class Defence:
    """A choice, the figure that decides it, and the reason in the student's words."""

    choice: str
    figure: float
    because: str = ""


def defend(choice: str, figure: float, because: str) -> Defence:
    """The answer of a *defend* exercise: choice and figure are checked, the reason is read by people.

    >>> defend(choice="keep five bins", figure=0.42, because="Ties would leave two of ten bins empty.").choice
    'keep five bins'
    """
    return Defence(choice, figure, because)


def wrong(hint: str) -> Callable:
    """Mark a method of an exercise as the value that one known mistake gives, with the hint that helps."""

    def mark(method: Callable) -> Callable:
        method.hint = hint
        return method

    return mark


class Context:
    """The shipped data, as exercises load it: each data set and each summary is made once in a session."""

    def __init__(self) -> None:
        self._made: dict[Any, Any] = {}

    def load(self, name: str) -> Any:
        """``datasets.load(name)``."""
        from crmkit import datasets

        return self.once(name, lambda: datasets.load(name))

    def summary(self, name: str, **options: Any) -> Any:
        """``lifecycle.summary`` of that data set's transactions: a fresh copy each time."""
        from crmkit import lifecycle

        key = (name, *sorted((option, str(value)) for option, value in options.items()))
        return self.once(key, lambda: lifecycle.summary(self.load(name).transactions, **options)).copy()

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """What `make` gives, made at the first call with this key."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]


class Exercise:
    """Base class of all exercises.

    id : the number of the exercise, ``"2.3-4"``, as in the lesson.
    answer : the variable that the student sets.
    level : "do" and "decide" ask for a value and know at least three wrong ones; "defend" asks for ``defend(…)``.
    points : weight in a course's total.
    nudge : the hint for a wrong answer that is no known mistake.
    meaning : one sentence for a right answer: what the value means for a decision.
    digits : accept a value rounded to so many digits; without it numbers agree to one part in a million.
    ordered : the order of rows or items matters.
    keys : columns that name a row of an expected table which has no index of its own.
    extra_columns : further columns in the student's table do no harm.
    choices, rubric : for "defend", the choices offered and, for trainers, what a good reason contains.
    """

    id: str
    answer: str
    level: str = "do"
    points: int = 1
    nudge: str = ""
    meaning: str = ""
    digits: int | None = None
    ordered: bool = False
    keys: tuple[str, ...] = ()
    extra_columns: bool = False
    choices: tuple[str, ...] = ()
    rubric: str = ""

    def expected(self, context: Context) -> Any:
        """The right answer. A *defend* exercise returns a mapping: each choice that can be defended, and its figure."""
        raise NotImplementedError

    @classmethod
    def mistakes(cls) -> dict[str, str]:
        """The known mistakes: name of the method and hint, in the order in which they are written."""
        methods = {name: value for base in reversed(cls.__mro__) for name, value in vars(base).items()}
        return {name: method.hint for name, method in methods.items() if hasattr(method, "hint")}

    def wrong_answers(self, context: Context) -> Iterator[tuple[str, Any]]:
        """Each known wrong value with its hint, computed one after the other."""
        for name, hint in self.mistakes().items():
            yield hint, context.once((self.id, name), lambda name=name: getattr(self, name)(context))

    def right_answer(self, context: Context) -> Any:
        """`expected`, computed once in a session."""
        return context.once((self.id, "expected"), lambda: self.expected(context))

    def judged(self, context: Context, given: Any) -> tuple[str | None, str]:
        """What is not right with the answer, or None, and the hint of the mistake that was recognised, or "".

        The one rule of judging, in the notebook and in grading.
        """
        reason = self.difference(self.right_answer(context), given)
        return reason, self.recognised(context, given) if reason is not None else ""

    def recognised(self, context: Context, given: Any) -> str:
        """The hint of the known mistake that gives this answer; no text if none does."""
        answers = self.wrong_answers(context)
        return next((hint for hint, value in answers if self.difference(value, given, mistake=True) is None), "")

    def difference(self, right: Any, given: Any, *, mistake: bool = False) -> str | None:
        """In words, why `given` is not `right`, or not this known `mistake`; None if it is."""
        from crmkit.classroom import compare

        if self.level == "defend":
            return self._undefended(right, given, mistake)
        return compare.difference(
            right,
            given,
            digits=self.digits,
            ordered=self.ordered,
            keys=self.keys,
            extra_columns=self.extra_columns,
            mistake=mistake,
        )

    def _undefended(self, right: Any, given: Any, mistake: bool) -> str | None:
        from crmkit.classroom import compare

        if type(right) is Defence:
            right = {right.choice: right.figure}
        if type(given) is not Defence:
            return "Answer with `defend(choice=…, figure=…, because=…)`."
        offered = [choice for choice in self.choices if compare.difference(choice, given.choice) is None]
        if not offered:
            return "Choose one of these: " + "; ".join(self.choices) + "."
        figures: Mapping[str, Any] = dict(right)
        if offered[0] not in figures:
            return "The data do not support this choice."
        reason = compare.difference(figures[offered[0]], given.figure, digits=self.digits, mistake=mistake)
        return reason and f"Your choice can be defended, the figure does not fit it yet. {reason}"
