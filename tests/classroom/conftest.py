"""A checkout with one small lesson, and its exercises."""

import sys
from pathlib import Path

import pytest

from crmkit.classroom import exercises
from crmkit.classroom.editions import Tree

COURSE = Path(__file__).parent / "course"


@pytest.fixture
def source() -> str:
    """The text of the lesson for tests; its kernel finds the exercises from the folder of the solution."""
    return (COURSE / "9_1_fixture.py.txt").read_text(encoding="utf-8")


@pytest.fixture
def tree(tmp_path, source, monkeypatch) -> Tree:
    """The lesson as 9.1 in a checkout of its own; the exercises can be found by their ids."""
    lesson = tmp_path / "lessons" / "9_testing" / "9_1_fixture.py"
    module = tmp_path / "exercises" / "lesson_9_1.py"
    for path, text in ((lesson, source), (module, (COURSE / "lesson_9_1.py.txt").read_text(encoding="utf-8"))):
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(exercises, "__path__", [*exercises.__path__, str(module.parent)])
    monkeypatch.delitem(sys.modules, "crmkit.classroom.exercises.lesson_9_1", raising=False)
    return Tree(tmp_path)
