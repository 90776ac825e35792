"""A quiz shows feedback for the answer chosen; it gives nothing away before, and its output never changes."""

import re

import pytest

from crmkit.classroom import quiz
from crmkit.errors import InputError

ANSWERS = {"day <1>": "One & only.", "day 2": "Too late."}


def test_choosing_shows_the_feedback_of_that_answer():
    widget = quiz("Which day?", ANSWERS, right="day <1>")
    _, choice, reply = widget.children
    assert (widget.value, reply.value) == (None, "")
    choice.value = "day 2"
    assert reply.value.endswith("Not yet. Too late.")
    choice.value = "day <1>"
    assert reply.value.endswith("Right. One &amp; only.")


def test_its_output_is_the_same_each_time_and_tells_no_answer():
    bundles = [quiz("Which <day>?", ANSWERS, right="day <1>")._repr_mimebundle_() for _ in range(2)]
    texts = [bundle["text/plain"] for bundle in bundles]
    assert texts[0] == texts[1] == "Quiz: Which <day>?\n  ( ) day <1>\n  ( ) day 2"
    assert set(bundles[0]) == {"text/plain", "application/vnd.jupyter.widget-view+json"}
    assert "&lt;day&gt;" in quiz("Which <day>?", ANSWERS, right="day 2").children[0].value


@pytest.mark.parametrize(
    ("answers", "right", "words"),
    [
        ({"a": "x"}, "a", "at least two answers, not 1"),
        ({"yes": "x", "no": "y"}, "yess", "right='yess' is none of the answers. Did you mean 'yes'?"),
        ({"a": "x", "b": " "}, "a", "'b' has no feedback"),
    ],
)
def test_an_unclear_quiz_is_refused(answers, right, words):
    with pytest.raises(InputError, match=re.escape(words)):
        quiz("?", answers, right=right)
