"""Progress stays on the machine, survives crashes and two notebooks at once, and is shown on the course map."""

import multiprocessing
import os

import pytest

from crmkit.classroom import course_map, progress
from crmkit.classroom.course_map import record, start_page, tries, write_start, wrong_tries


@pytest.fixture
def work(tree, tmp_path, monkeypatch):
    """A student's folder; the course has two parts with the lesson for tests in each."""
    second = tree.root / "lessons" / "10_more" / "10_1_again.py"
    second.parent.mkdir()
    text = tree.lessons()[0].read_text(encoding="utf-8")
    second.write_text(text.replace("9.1-", "10.1-").replace("part: Testing", "part: More|and <more>"), encoding="utf-8")
    monkeypatch.setattr("crmkit.classroom.grammar.folder", lambda name: tree.root / name)
    monkeypatch.setattr("crmkit.classroom.course_map._in_memory", [])
    course_map._course.cache_clear()
    folder = tmp_path / "my course"
    folder.mkdir()
    monkeypatch.setenv("CRMKIT_WORK", str(folder))
    yield folder
    course_map._course.cache_clear()


def test_each_try_is_kept_and_the_map_follows(work):
    record("9.1-1", False)
    record("9.1-1", True)
    assert tries() == [("9.1-1", False), ("9.1-1", True)]
    assert wrong_tries("9.1-1") == 1
    page = (work / "START.md").read_text(encoding="utf-8")
    assert "█████░░░░░ 1 of 2 |" in page
    assert "**Go on with [9.1 A lesson for tests](9_testing/9_1_fixture.ipynb).**" in page


def test_once_right_an_exercise_stays_right(work):
    record("9.1-1", True)
    record("9.1-1", False)
    assert "1 of 2" in start_page(tries())


def test_the_map_goes_on_with_the_next_lesson_that_has_open_exercises(work):
    for exercise in ("10.1-1", "10.1-2"):
        record(exercise, True)
    assert "Go on with [9.1" in start_page(tries())
    for exercise in ("9.1-1", "9.1-2"):
        record(exercise, True)
    assert "Every exercise is solved" in start_page(tries())


def test_the_map_of_a_new_course_says_where_to_begin(work):
    page = write_start(work).read_text(encoding="utf-8")
    assert "**Begin here: [9.1 A lesson for tests](9_testing/9_1_fixture.ipynb).**" in page
    assert page.index("## Part 9 · Testing") < page.index("## Part 10 · More")
    assert "| 20 + 30 | ░░░░░░░░░░ 0 of 2 |" in page
    assert "Who bought more than once?" in page


def test_a_lesson_with_a_broken_header_does_not_take_the_map_away(work, tree):
    tree.lessons()[0].write_text("# %%\n1\n", encoding="utf-8")
    assert "10_1_again.ipynb" in start_page()
    for path in tree.lessons():
        path.unlink()
    course_map._course.cache_clear()
    assert "There are no lessons yet." in start_page()


def test_broken_lines_cost_only_themselves(work):
    record("9.1-1", False)
    file = work / ".crmkit" / "progress.jsonl"
    whole = file.read_bytes()
    file.write_bytes(b'\xff\xfe{"exercise": 3\nnull\n[]\n{"exercise": "9.1-2"}\n' + whole + b'{"exercise": "9.1-')
    record("9.1-1", True)
    assert tries() == [("9.1-1", False), ("9.1-1", True)]


def test_a_folder_that_cannot_be_written_to_changes_nothing_for_the_student(work, monkeypatch):
    monkeypatch.setenv("CRMKIT_WORK", str(work / "a file"))
    (work / "a file").write_text("in the way")
    record("9.1-1", False)
    assert wrong_tries("9.1-1") == 1


def test_without_a_folder_progress_lasts_as_long_as_the_session(work, monkeypatch):
    monkeypatch.delenv("CRMKIT_WORK")
    record("9.1-1", False)
    assert tries() == [("9.1-1", False)]
    assert list(work.iterdir()) == []


def _work(folder: str, exercise: str) -> None:
    os.environ["CRMKIT_WORK"] = folder
    for _ in range(100):
        record(exercise, False)


def test_two_notebooks_at_once_lose_nothing(work):
    start = multiprocessing.get_context("spawn").Process
    both = [start(target=_work, args=(str(work), exercise)) for exercise in ("9.1-1", "9.1-2")]
    for one in both:
        one.start()
    for one in both:
        one.join(60)
    assert wrong_tries("9.1-1") == wrong_tries("9.1-2") == 100
    assert [path.name for path in work.iterdir() if path.name.endswith(".part")] == []


def test_a_notebook_can_ask_for_it(work):
    record("9.1-2", True)
    card = progress()
    assert card.rows == (
        ("9.1 A lesson for tests", "1 of 2", "█████░░░░░"),
        ("10.1 A lesson for tests", "0 of 2", "░░░░░░░░░░"),
    )
    assert "<table" in card._repr_html_()
    assert repr(card).splitlines()[1] == "Lesson                   Right"
