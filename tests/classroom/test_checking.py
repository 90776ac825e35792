"""check("9.1-1") answers in three states, with the hint that fits, and never raises; strict mode does."""

import re

import pandas as pd
import pytest

from crmkit import shipped
from crmkit.classroom import check, defend, exercises
from crmkit.classroom.card import Card
from crmkit.classroom.checking import NotRight, result
from crmkit.classroom.course_map import tries
from crmkit.classroom.exercise import Context, Exercise, wrong


@pytest.fixture(autouse=True)
def classroom(tree, monkeypatch):
    """The lesson for tests is the one that ships, and nothing has been tried yet."""
    monkeypatch.setattr("crmkit.classroom.grammar.folder", lambda name: tree.root / name)
    monkeypatch.setattr("crmkit.classroom.course_map._in_memory", [])
    monkeypatch.setattr("crmkit.classroom.checking._context", Context())
    monkeypatch.delenv("CRMKIT_STRICT", raising=False)
    monkeypatch.delenv("CRMKIT_WORK", raising=False)


RIGHT = pd.Series({"a": 3.0, "b": 4.0})


def test_a_right_answer_is_right_and_says_what_it_means():
    card = result("9.1-1", {"spend": RIGHT})
    assert card.state == "right"
    assert repr(card) == "✓ Right: exercise 9.1-1\nCustomer b is worth more, with fewer orders."


@pytest.mark.parametrize("namespace", [{}, {"spend": ...}])
def test_a_blank_is_not_answered_yet_and_is_no_try(namespace):
    card = result("9.1-1", namespace)
    assert card.state == "not answered"
    assert "Put your answer in `spend`" in repr(card)
    assert tries() == []


@pytest.mark.parametrize("mistake", ["counted", "averaged", "total"])
def test_each_known_mistake_gets_its_own_hint(mistake):
    exercise = exercises.find("9.1-1")
    card = result("9.1-1", {"spend": getattr(exercise, mistake)(Context())})
    assert card.state == "wrong"
    assert card.paragraphs[-1] == f"Hint: {exercise.mistakes()[mistake]}"
    assert len(card.paragraphs) == 2  # the reason comes first


def test_any_other_mistake_gets_the_reason_and_the_general_hint():
    card = result("9.1-1", {"spend": RIGHT + 1})
    assert card.paragraphs == (
        "2 of 2 values differ, first at customer a.",
        "Hint: Add up the amounts of each customer.",
    )


def test_the_notebooks_own_variables_are_read_by_name():
    namespace = {"check": check, "spend": RIGHT}
    assert eval('check("9.1-1")', namespace).state == "right"
    assert eval('check("9.1-1")', {"check": check, "spend": 3}).state == "wrong"


def test_a_defended_choice_is_checked_with_its_figure_and_not_its_words():
    def card(**answer):
        return result("9.1-2", {"decision": defend(**{"because": "", **answer})})

    assert card(choice="call", figure=0.5).state == "right"
    assert card(choice=" Call ", figure=0.5, because="anything").state == "right"
    assert card(choice="wait", figure=0.5).paragraphs == ("The data do not support this choice.",)
    assert "Choose one of these: call; wait." in repr(card(choice="both", figure=0.5))
    assert "the figure does not fit it yet. Your number is too high." in repr(card(choice="call", figure=0.6))
    assert card(choice="call", figure=1 / 3).paragraphs[-1] == "Hint: That counts orders; count customers."
    assert "Answer with `defend(choice=…" in repr(result("9.1-2", {"decision": "call"}))
    assert card(choice=[1], figure="x").state == "wrong"


@pytest.mark.parametrize(
    ("because", "told"),
    [
        ("", True),
        ("…", True),
        ("two sentences for the owner", True),
        (None, True),
        ("Half of them came back within a month.", False),
        ("一半的顾客在一个月内又回来了，所以打电话。", False),
    ],
)
def test_a_reason_that_was_not_written_is_told_and_never_judged(because, told):
    card = result("9.1-2", {"decision": defend(choice="call", figure=0.5, because=because)})
    assert card.state == "right"
    assert ("still to be written" in repr(card)) is told


def test_the_solution_is_offered_after_three_wrong_tries_and_not_before():
    cards = [result("9.1-1", {"spend": number}) for number in (1, 2, 3)]
    assert [bool(card.solution) for card in cards] == [False, False, True]
    assert cards[2].solution == 'by_customer = orders.groupby("customer")\nspend = by_customer["amount"].sum()'
    assert "<details" in cards[2]._repr_html_()
    assert "<summary>Show the solution</summary>" in cards[2]._repr_html_()
    assert not result("9.1-2", {"decision": 1}).solution


def test_without_the_lesson_source_a_third_wrong_try_is_still_answered(tree):
    tree.lessons()[0].unlink()
    assert [result("9.1-1", {"spend": 1}).solution for _ in range(4)] == [""] * 4


@pytest.mark.parametrize(
    ("asked", "words"),
    [("9.1-11", "Did you mean '9.1-1'"), ("9.1-9", "Lesson 9.1 has 9.1-1, 9.1-2."), ("8.8-1", "such as '2.3-4'")],
)
def test_an_unknown_exercise_is_answered_with_what_there_is(asked, words):
    card = check(asked)
    assert card.state == "not checked"
    assert f"There is no exercise '{asked}'." in repr(card)
    assert words in repr(card)


@pytest.mark.parametrize("asked", [None, 3, "", "..", "-", "../../x-1", ["2.3-4"], "<b>"])
def test_an_id_of_any_kind_is_answered(asked):
    assert check(asked).state == "not checked"
    assert "<b>" not in check(asked)._repr_html_()


def test_a_defect_of_the_course_is_not_blamed_on_the_student(monkeypatch):
    def broken(self, context):
        raise KeyError("no such data")

    monkeypatch.setattr(type(exercises.find("9.1-1")), "expected", broken)
    card = result("9.1-1", {"spend": RIGHT})
    assert card.state == "not checked"
    assert "a defect of the course and not of your answer: KeyError: 'no such data'" in repr(card)
    assert tries() == []


def test_strict_mode_raises_unless_right(monkeypatch):
    monkeypatch.setenv("CRMKIT_STRICT", "1")
    assert eval('check("9.1-1")', {"check": check, "spend": RIGHT}).state == "right"
    for namespace in ({}, {"spend": 1}):
        with pytest.raises(NotRight, match=r"9\.1-1"):
            eval('check("9.1-1")', {"check": check, **namespace})
    with pytest.raises(NotRight, match="no exercise"):
        check("9.9-9")


def test_what_a_card_shows_is_harmless_the_same_each_time_and_has_no_address():
    hostile = type("<script>alert(1)</script>", (), {})()
    card = result("9.1-1", {"spend": hostile})
    page = card._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert not re.search("0x[0-9a-f]{6}", page + repr(card))
    monk = result("9.1-1", {"spend": type("<script>alert(1)</script>", (), {})()})
    assert (monk._repr_html_(), repr(monk)) == (page, repr(card))


def test_a_card_says_its_state_in_words_and_not_by_colour_alone():
    for state, word in (("right", "Right"), ("wrong", "Not yet"), ("not answered", "Not answered yet")):
        assert word in Card(state, "x")._repr_html_()
        assert word in repr(Card(state, "x"))
    assert "background" not in Card("right", "x")._repr_html_()  # the theme's own, light or dark


def test_the_right_answer_is_worked_out_once_in_a_session(monkeypatch):
    calls = []
    kind = type(exercises.find("9.1-1"))
    expected = kind.expected
    monkeypatch.setattr(kind, "expected", lambda self, context: calls.append(1) or expected(self, context))
    context = Context()
    for answer in (RIGHT, 1, 2):
        result("9.1-1", {"spend": answer}, context)
    assert len(calls) == 1


def test_mistakes_are_known_in_the_order_in_which_they_are_written_and_inherited():
    class Parent(Exercise):
        @wrong("one")
        def first(self, context): ...

    class Child(Parent):
        @wrong("two")
        def second(self, context): ...

        @wrong("one, said better")
        def first(self, context): ...

    assert Child.mistakes() == {"first": "one, said better", "second": "two"}


def test_the_context_gives_shipped_data_once_and_summaries_that_may_be_changed():
    context = Context()
    assert context.load("ten_customers") is context.load("ten_customers")
    summary = context.summary("ten_customers")
    summary["spend"] = 0.0
    assert context.summary("ten_customers")["spend"].sum() > 0
    assert shipped.folder("datasets").is_dir()
