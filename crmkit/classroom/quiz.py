"""A question with a few answers; choosing one shows what is right or wrong about it. Nothing is graded."""

from collections.abc import Mapping
from typing import Any

from crmkit import escape
from crmkit.classroom.card import STATES
from crmkit.errors import InputError, near_misses


def quiz(question: str, answers: Mapping[str, str], *, right: str) -> Any:
    """A small quiz as a widget; where widgets are not shown, its text names the question and the answers.

    Parameters: the question, each answer with the feedback that a reader gets who chooses it, and which one is right.
    Its headless twin is `feedback`.

    >>> quiz("Is 1 of 4 a quarter?", {"yes": "1 / 4 = 0.25.", "no": "Divide again."}, right="yes").value is None
    True
    """
    import ipywidgets

    _refuse_unclear(answers, right)

    class Quiz(ipywidgets.VBox):
        """Holds the question, the choice and the feedback; `value` is the answer chosen."""

        @property
        def value(self) -> str | None:
            return self.children[1].value

        def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
            shown = super()._repr_mimebundle_(**options)
            return shown and {**shown, "text/plain": text(question, answers)}

    head = ipywidgets.HTML(f"<strong>{escape.html(question)}</strong>")
    layout = ipywidgets.Layout(width="auto")
    choice = ipywidgets.RadioButtons(options=list(answers), value=None, layout=layout)
    reply = ipywidgets.HTML("")
    choice.observe(lambda change: setattr(reply, "value", feedback(answers, right, change["new"])), names="value")
    return Quiz([head, choice, reply])


def text(question: str, answers: Mapping[str, str]) -> str:
    """The quiz in plain text, without feedback.

    >>> print(text("Is 1 of 4 a quarter?", {"yes": "", "no": ""}))
    Quiz: Is 1 of 4 a quarter?
      ( ) yes
      ( ) no
    """
    return "\n".join([f"Quiz: {question}", *(f"  ( ) {answer}" for answer in answers)])


def feedback(answers: Mapping[str, str], right: str, chosen: str | None) -> str:
    """What a reader sees after choosing, as HTML.

    >>> feedback({"yes": "1 / 4 = 0.25.", "no": "Divide again."}, "yes", "no")
    '<span style="color:#D55E00">✗</span> Not yet. Divide again.'
    """
    if chosen is None:
        return ""
    icon, word, colour = STATES["right" if chosen == right else "wrong"]
    return f'<span style="color:{colour}">{icon}</span> {word}. {escape.html(answers[chosen])}'


def _refuse_unclear(answers: Mapping[str, str], right: str) -> None:
    if len(answers) < 2:
        raise InputError(f"A quiz needs at least two answers, not {len(answers)}.")
    if right not in answers:
        raise InputError(f"right={right!r} is none of the answers.{near_misses(right, answers)}")
    silent = [answer for answer, words in answers.items() if not words.strip()]
    if silent:
        raise InputError(f"The answer {silent[0]!r} has no feedback; say what is right or wrong about it.")
