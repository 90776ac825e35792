"""A class of every kind is graded in one batch: nothing stops it, and each file gets a row with the reason in words."""

import json
import os
import subprocess
import sys
import zipfile

import pandas as pd
import psutil
import pytest
from handed_in import RIGHT, course, notebook, with_cell, with_new_ids

from crmkit.classroom import exercises, grammar
from crmkit.classroom.editions import student
from crmkit.classroom.grading import grade
from crmkit.classroom.pages import find
from crmkit.classroom.submissions import fingerprint
from crmkit.errors import InputError

SLEEP = f"{90_000 + os.getpid() % 1000}.25"
FORGED = 'print("✅ Right: exercise 9.1-1")\nfrom IPython.display import HTML\ndisplay(HTML("<b>✅ Right</b>"))'
SLEEPERS = f"import subprocess\nfor _ in range(50): subprocess.Popen(['sleep', '{SLEEP}'], start_new_session=True)"
REDEFINED = """def check(exercise): return "✅ Right"
def print(*words): return "✅"
pd.DataFrame.groupby = pd.Series.sum = lambda *a, **k: 8
from crmkit import datasets
datasets.load = lambda name: None
orders = None
spend = 8"""
WRITES = "import os, shutil\nfor place in ({folder!r}, {out!r}): shutil.rmtree(place)"

#: File name (one answer differs from the right ones) → what 9.1-1 comes to, and a part of the reason.
ANSWERS = {
    "right": (RIGHT["9.1-1"], "right", "2 right."),
    "wrong": ('spend = orders.groupby("customer")["amount"].count()', "wrong", "1 right, 1 wrong."),
    "syntax": ("spend = = 3", "failed", "9.1-1: The cell is not Python: SyntaxError: invalid syntax (line 1)."),
    "raises": ("spend = orders['money']", "failed", "9.1-1: The cell stops with KeyError"),
    "loop": ("while True: pass", "stopped", "9.1-1: The answer was stopped after"),
    "memory": ("x = bytearray(10 * 2**30)\nspend = x.count(0)", "failed", "needed more than 1,024 MB of memory"),
    "sleepers": (f"{SLEEPERS}\nspend = 50", None, "1 right"),
    "deletes": (None, "failed", "9.1-1: The cell stops with"),
    "forged": (FORGED, "not answered", "1 right, 1 not answered."),
    "redefines": (REDEFINED, "wrong", "1 right, 1 wrong."),
    "exits": ("import os; os._exit(0)", "stopped", "9.1-1: The answer ended Python itself (exit code 0)"),
    "quits": ("import sys; sys.exit()", "failed", "9.1-1: The cell calls `exit`"),
    "李雷": (RIGHT["9.1-1"], "right", "2 right."),
    "=cmd|' /C calc'!A0": (RIGHT["9.1-1"], "right", "2 right."),
    "<script>alert(1)<": ("raise ValueError('<script>alert(2)</script>')", "failed", "<script>alert(2)</script>"),
}
REFUSED = {
    "empty.ipynb": "the file is empty (0 bytes)",
    "essay.docx": "not a notebook",
    "other.ipynb": "this is lesson 2.3, not 9.1.",
    "Twice.ipynb": "superseded: twice (2).ipynb",
}


@pytest.fixture(scope="module", autouse=True)
def lesson_path(tmp_path_factory):
    """The lesson for tests, as a trainer's own lesson file; its exercises can be found."""
    path = course(tmp_path_factory.mktemp("course"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exercises, "__path__", [*exercises.__path__, str(path.parents[2] / "exercises")])
        patch.delitem(sys.modules, "crmkit.classroom.exercises.lesson_9_1", raising=False)
        yield path


@pytest.fixture(scope="module")
def batch(lesson_path, tmp_path_factory):
    """The folder of a class, graded: folder, out, what came of it, and the lines of progress."""
    folder, out = tmp_path_factory.mktemp("class"), tmp_path_factory.mktemp("marks")
    lesson = grammar.read(lesson_path)

    def put(name: str, made) -> None:
        (folder / name).write_text(made if isinstance(made, str) else json.dumps(made), encoding="utf-8")

    for name, (source, *_) in ANSWERS.items():
        source = source or WRITES.format(folder=str(folder), out=str(out))
        made = notebook(lesson, {**RIGHT, "9.1-1": source})
        made["metadata"]["crmkit"] = {"submission": {"name": name, "hash": ""}}
        made["metadata"]["crmkit"]["submission"]["hash"] = fingerprint(made, {"name": name})
        put(f"{'file' if set(name) & set('<=') else name}{len(name)}.ipynb", made)
    put("blank.ipynb", notebook(lesson))
    put("edits.ipynb", notebook(lesson, {**RIGHT, "data": "orders = None", "9.1-1-check": "print('✅')"}))
    put("editor.ipynb", with_new_ids(with_cell(notebook(lesson, RIGHT), "9.1-1", "helper = 1")))
    changed = notebook(lesson, RIGHT)
    changed["metadata"]["crmkit"] = {"submission": {"name": "Late Change", "hash": "0"}}
    put("changed.ipynb", changed)
    put("empty.ipynb", "")
    put("essay.docx", "Dear trainer")
    put("other.ipynb", '{"cells": [{"cell_type": "code", "source": "check(\\"2.3-1\\")"}]}')
    put("Twice.ipynb", notebook(lesson))
    put("twice (2).ipynb", notebook(lesson, RIGHT))
    for name, second in (("Twice.ipynb", 1), ("twice (2).ipynb", 2)):
        made = json.loads((folder / name).read_text(encoding="utf-8"))
        told = {"name": "Twice", "moment": f"2026-11-02T10:00:0{second}"}
        made["metadata"]["crmkit"] = {"submission": {**told, "hash": fingerprint(made, told)}}
        put(name, made)
    with zipfile.ZipFile(folder / "group.zip", "w") as archive:
        archive.writestr("韩梅梅.ipynb", json.dumps(notebook(lesson, RIGHT)))
        archive.writestr("Bob.ipynb", json.dumps(notebook(lesson)))
    lines: list[str] = []
    options = {"seconds": 4, "memory": 1024, "feedback": out / "pages", "progress": lines.append}
    done = grade(folder, str(lesson_path), out / "grades.csv", **options)
    return folder, out, done, lines


@pytest.fixture(scope="module")
def grades(batch) -> pd.DataFrame:
    return pd.read_csv(batch[1] / "grades.csv", encoding="utf-8-sig").set_index("file")


@pytest.mark.parametrize("name", ANSWERS)
def test_every_kind_of_answer_gets_its_row_and_costs_no_other_answer(grades, name):
    _, result, reason = ANSWERS[name]
    student = f"'{name}" if name.startswith("=") else name  # a spreadsheet would calculate it
    row = grades[grades["student"] == student].iloc[0]
    assert row["state"] == "graded"
    assert result is None or row["9.1-1 result"] == result
    assert row["9.1-1 points"] == (2 if result == "right" else 0)
    assert (row["9.1-2 result"], row["9.1-2 points"]) == ("right", 1)
    assert reason in row["reason"]
    assert (row["points"], row["out_of"]) == (row["9.1-1 points"] + 1, 3)


@pytest.mark.parametrize("file", REFUSED)
def test_what_cannot_be_graded_says_why(grades, file):
    row = grades.loc[file]
    assert row["state"] == ("superseded" if file == "Twice.ipynb" else "not graded")
    assert REFUSED[file] in row["reason"]
    assert pd.isna(row["points"])


def test_blank_edited_renumbered_and_changed_notebooks(grades):
    assert grades.loc["blank.ipynb", "reason"] == "blank: no answer was filled in."
    assert grades.loc["blank.ipynb", "points"] == 0
    assert grades.loc["edits.ipynb", "points"] == 3
    assert "2 of the lesson's own cells differ; the lesson's were run instead" in grades.loc["edits.ipynb", "reason"]
    assert grades.loc["editor.ipynb", "points"] == 3
    assert "changed after it was handed in" in grades.loc["changed.ipynb", "reason"]
    assert (grades.loc["changed.ipynb", "student"], grades.loc["changed.ipynb", "points"]) == ("Late Change", 3)
    assert "changed after" not in grades.loc["right5.ipynb", "reason"]


def test_of_two_submissions_the_later_counts_and_a_zip_holds_several(grades):
    assert grades.loc["twice (2).ipynb", "points"] == 3
    assert grades.loc["group.zip/韩梅梅.ipynb", ["student", "points"]].tolist() == ["韩梅梅", 3]
    assert grades.loc["group.zip/Bob.ipynb", "points"] == 0


def test_nobody_wrote_deleted_or_left_anything_running(batch):
    folder, out, done, _ = batch
    assert len(done.grades) == len(list(folder.iterdir())) + 1
    assert sorted(path.name for path in out.iterdir()) == [
        ".grades.journal",
        "defend_to_mark.csv",
        "grades.csv",
        "pages",
    ]
    words = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert not [line for line in words if SLEEP in line]


def test_the_heading_says_what_the_system_holds_and_progress_names_each_file(batch):
    _, _, done, lines = batch
    assert "at most 4 s an answer and 1,024 MB; network: " in done.heading
    assert lines[1] == done.heading
    assert any(line.startswith("1 of ") for line in lines)
    assert str(done).startswith(f"{(done.grades['state'] == 'graded').sum()} graded, 4 not graded. On average ")


def test_reasons_to_defend_lie_beside_their_rubric(batch):
    marks = pd.read_csv(batch[1] / "defend_to_mark.csv", encoding="utf-8-sig")
    row = marks[marks["student"] == "李雷"].iloc[0]
    assert row["because"] == "Half of them came back."
    assert row["rubric"] == "Names the share of repeat buyers and what a call costs."
    assert (row["choice"], row["figure"], row["checked"]) == ("call", 0.5, "right")
    assert marks["marks"].isna().all()


def test_a_page_helps_without_giving_an_open_answer_away(batch):
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (batch[1] / "pages").iterdir()}
    wrong = pages["wrong"]
    assert "That is the number of orders, not their money: use `sum`." in wrong.replace("<code>", "`").replace(
        "</code>", "`"
    )
    assert "Your reason, for your trainer:" in wrong
    for page in pages.values():
        assert 'groupby("customer")' not in page
        assert "by_customer" not in page
        assert "<script" not in page
    assert "李雷" in pages
    assert "superseded" not in "".join(pages.values())
    assert "the file is empty" in pages["empty"]


def test_graded_again_is_only_what_has_changed(batch, lesson_path):
    folder, out, before, _ = batch
    lines: list[str] = []
    options = {"seconds": 4, "memory": 1024, "progress": lines.append}
    again = grade(folder, str(lesson_path), out / "grades.csv", **options)
    assert again.heading == "Nothing was run: all of it is as it was graded before."
    assert lines == []
    pd.testing.assert_frame_equal(again.grades, before.grades)


def test_stopped_in_the_middle_it_goes_on_where_it_was(lesson_path, tmp_path):
    lesson, folder, out = grammar.read(lesson_path), tmp_path / "class", tmp_path / "grades.csv"
    folder.mkdir()
    for number in range(3):
        made = notebook(lesson, {**RIGHT, "9.1-1": f"spend = {number}"})
        (folder / f"{number}.ipynb").write_text(json.dumps(made), encoding="utf-8")
    program = (
        "import os\nfrom crmkit.classroom import exercises, grading\n"
        f"exercises.__path__ = [*exercises.__path__, {str(lesson_path.parents[2] / 'exercises')!r}]\n"
        "say = lambda line: os.kill(os.getpid(), 9) if line.startswith('1 of 3') else None\n"
        f"grading.grade({str(folder)!r}, {str(lesson_path)!r}, {str(out)!r}, jobs=1, progress=say)"
    )
    subprocess.run([sys.executable, "-c", program], check=False, timeout=300)
    assert not out.exists()
    with (tmp_path / ".grades.journal").open("a") as journal:
        journal.write('{"key": "cut off in the mid')
    lines: list[str] = []
    done = grade(folder, str(lesson_path), out, progress=lines.append)
    assert lines[0] == "Preparing lesson 9.1 for 2 of 3 files ..."
    assert done.grades["9.1-1 result"].tolist() == ["wrong"] * 3
    assert out.exists()


def test_lesson_2_3_itself_right_and_blank(tmp_path):
    lesson = find("2.3")
    solutions = {cell.key: cell.source for cell in lesson.cells if "solution" in cell.tags}
    for name, filled in (("right", solutions), ("blank", {})):
        (tmp_path / f"{name}.ipynb").write_text(json.dumps(notebook(lesson, filled)), encoding="utf-8")
    done = grade(tmp_path, "2.3", tmp_path / "grades.csv", seconds=30).grades.set_index("student")
    results = done[[f"{name} result" for name in solutions]]
    assert set(results.loc["right"]) == {"right"}, done.loc["right", "reason"]
    assert set(results.loc["blank"]) == {"not answered"}
    assert done.loc["right", "points"] == done.loc["right", "out_of"]
    assert done.loc["right", "extra_points"] > 0
    assert len(student(lesson).cells) > 50


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lesson": "9.9"}, "'9.9' is not a lesson"),
        ({"folder": "nowhere"}, "no folder"),
        ({"out": "nowhere/grades.csv"}, "no folder"),
        ({"out": "grades.xlsx"}, "ends in .csv"),
        ({"seconds": 0}, "seconds must be more than 0"),
        ({"jobs": 0}, "jobs must be more than 0"),
    ],
)
def test_bad_arguments_are_told_before_anything_is_written(lesson_path, tmp_path, monkeypatch, change, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "x.ipynb").write_text("")
    with pytest.raises(InputError, match=words):
        grade(**{"folder": "class", "lesson": str(lesson_path), "out": "grades.csv", **change})
    assert [path.name for path in tmp_path.iterdir()] == ["class"]


def test_a_known_mistake_is_recorded_in_its_own_words_and_anything_else_by_its_reason(grades):
    words = grades.set_index("student")["9.1-1 words"]
    assert words["wrong"] == "That is the number of orders, not their money: use `sum`."
    assert words["redefines"].startswith("You gave a number")
