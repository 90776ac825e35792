"""One file to give away, made from the student's own copy, wherever it lies and whatever it was renamed to."""

import json
import os
from pathlib import Path

import pytest
from handed_in import RIGHT, course, notebook

import crmkit
from crmkit.classroom import exercises, grammar, submit
from crmkit.classroom.handin import safe_name
from crmkit.classroom.submissions import collect
from crmkit.errors import InputError


@pytest.fixture
def lesson(tmp_path, monkeypatch) -> grammar.Lesson:
    path = course(tmp_path / "kit")
    monkeypatch.setattr(exercises, "__path__", [*exercises.__path__, str(path.parents[2] / "exercises")])
    return grammar.read(path)


@pytest.fixture
def work(tmp_path, monkeypatch) -> Path:
    """The student's course folder; the student stands in another one."""
    folder, elsewhere = tmp_path / "my_course", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    monkeypatch.setenv("CRMKIT_WORK", str(folder))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.chdir(elsewhere)
    return folder


def put(path: Path, made) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(made), encoding="utf-8")
    return path


def test_the_file_says_whose_which_lesson_which_version_and_when_and_fits_its_hash(lesson, work):
    mine = put(work / "9_testing" / "Müller übt.ipynb", notebook(lesson, RIGHT))
    os.utime(mine, (1_800_000_000, 1_800_000_000))
    card = submit("9.1", name=" 李  雷 ")
    path = work / "submission_9.1_李_雷.ipynb"
    told = json.loads(path.read_text(encoding="utf-8"))["metadata"]["crmkit"]["submission"]
    assert (told["name"], told["lesson"], told["kit"]) == ("李 雷", "9.1", crmkit.__version__)
    assert told["moment"].startswith("2027-01-15T")
    assert str(path) in repr(card)
    assert "2 of 2 exercises are answered." in repr(card)
    (one,) = collect(path, lesson)
    assert (one.student, one.answers, one.notes, one.refused) == ("李 雷", {k: [v] for k, v in RIGHT.items()}, [], "")
    assert one.handed_in == told["moment"]


@pytest.mark.parametrize(("before", "after"), [("Half of them", "All of them"), ('"Ada"', '"Bob"')])
def test_what_was_changed_after_hand_in_does_not_fit_the_hash_any_more(lesson, work, before, after):
    put(work / "x.ipynb", notebook(lesson, RIGHT))
    submit("9.1", name="Ada")
    path = work / "submission_9.1_Ada.ipynb"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    assert collect(path, lesson)[0].notes == ["changed after it was handed in: the contents do not fit the hash"]


def test_outputs_and_forged_marks_are_not_handed_in(lesson, work):
    made = notebook(lesson, RIGHT)
    made["cells"][3] |= {"outputs": [{"output_type": "stream", "name": "stdout", "text": "✅ Right"}]}
    made["metadata"]["widgets"] = {"big": "x" * 10_000}
    put(work / "x.ipynb", made)
    submit("9.1", name="Ada")
    assert "✅" not in (path := work / "submission_9.1_Ada.ipynb").read_text(encoding="utf-8")
    assert path.stat().st_size < 20_000


def test_the_name_is_asked_for_once(lesson, work):
    put(work / "x.ipynb", notebook(lesson, RIGHT))
    with pytest.raises(InputError, match="say who hands in"):
        submit("9.1")
    submit("9.1", name="Ada Lovelace")
    assert "submission_9.1_Ada_Lovelace.ipynb" in repr(submit("9.1"))


def test_a_blank_copy_beside_the_one_that_was_worked_on_is_passed_over(lesson, work):
    put(work / "blank.ipynb", notebook(lesson))
    put(Path("renamed and moved.ipynb"), notebook(lesson, RIGHT))
    assert "renamed and moved.ipynb" in repr(submit("9.1", name="Ada"))
    # what was handed in before is no notebook to hand in
    assert "renamed and moved.ipynb" in repr(submit("9.1", name="Ada"))


def test_several_notebooks_are_listed_and_one_can_be_named(lesson, work):
    one = put(work / "one.ipynb", notebook(lesson, RIGHT))
    put(work / "two.ipynb", notebook(lesson, {"9.1-1": "spend = 3"}))
    with pytest.raises(InputError, match=r"2 notebooks hold lesson 9\.1.*one\.ipynb \(2 answered.*two\.ipynb \(1 ans"):
        submit("9.1", name="Ada")
    assert "one.ipynb" in repr(submit("9.1", name="Ada", notebook=one))


def test_in_jupyter_the_notebook_that_asks_is_handed_in(lesson, work, monkeypatch):
    one = put(work / "one.ipynb", notebook(lesson, RIGHT))
    put(work / "two.ipynb", notebook(lesson, {"9.1-1": "spend = 3"}))
    monkeypatch.setenv("JPY_SESSION_NAME", str(one))
    assert "one.ipynb" in repr(submit("9.1", name="Ada"))


def test_what_cannot_be_handed_in_is_told_and_nothing_is_written(lesson, work):
    with pytest.raises(InputError, match=r"no notebook of lesson 9\.1 was found"):
        submit("9.1", name="Ada")
    with pytest.raises(InputError, match=r"no lesson '9\.2'.*9\.1"):
        submit("9.2", name="Ada")
    mine = put(work / "x.ipynb", notebook(lesson, RIGHT))
    with pytest.raises(InputError, match=r"no notebook .*y\.ipynb.*Did you mean 'x\.ipynb'"):
        submit("9.1", name="Ada", notebook=work / "y.ipynb")
    with pytest.raises(InputError, match="no folder"):
        submit("9.1", name="Ada", out=work / "nowhere")
    with pytest.raises(InputError, match="is no submission"):
        submit("9.1", name="Ada", out=mine)
    assert [path.name for path in work.iterdir()] == ["x.ipynb"]


@pytest.mark.parametrize(
    "name", ["a/../../b", "CON", "x" * 500, "<b>|?*", "...", "李雷" * 100, "\u202egnp.exe", "a\nb"]
)
def test_any_name_gives_a_file_name_that_every_system_takes(name):
    made = safe_name(name)
    assert made
    assert not set(made) & set('/\\:*?"<>|\n\u202e')
    assert len(made.encode()) <= 121
    assert made.casefold() not in ("con", "..", ".")
