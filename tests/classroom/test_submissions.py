"""Which file is whose, and which of its cells are answers: by key, and where an editor lost the keys by what they do."""

import json
import os
import zipfile

import pytest
from handed_in import RIGHT, course, notebook, with_cell, with_new_ids

from crmkit.classroom import grammar
from crmkit.classroom.submissions import answers, cells, collect, lesson_numbers
from crmkit.errors import InputError


@pytest.fixture(scope="module")
def lesson(tmp_path_factory) -> grammar.Lesson:
    return grammar.read(course(tmp_path_factory.mktemp("course")))


def taken(made, lesson):
    return answers(cells(made), lesson)[0]


def test_only_the_answers_are_taken_and_blanks_are_none(lesson):
    assert taken(notebook(lesson, RIGHT), lesson) == {name: [source] for name, source in RIGHT.items()}
    assert taken(notebook(lesson), lesson) == {}


def test_answers_are_found_by_name_where_an_editor_wrote_new_ids_and_dropped_the_keys(lesson):
    made = with_new_ids(notebook(lesson, RIGHT))
    assert lesson_numbers(cells(made)) == {"9.1": 2}
    assert taken(made, lesson) == {name: [source] for name, source in RIGHT.items()}


def test_a_cell_that_the_student_added_goes_with_the_answer_it_prepares(lesson):
    made = with_cell(notebook(lesson, {"9.1-1": "spend = mine"}), "9.1-1", "mine = orders.sum()")
    for one in (made, with_new_ids(made)):
        assert taken(one, lesson) == {"9.1-1": ["mine = orders.sum()", "spend = mine"]}


def test_an_answer_below_the_blank_or_in_the_cell_of_the_check_counts(lesson):
    below = with_cell(notebook(lesson), "9.1-1-check", "spend = 3")
    assert taken(below, lesson) == {"9.1-1": ["spend = ...", "spend = 3"]}
    inside = notebook(lesson, {"9.1-1-check": 'spend = 3\ncheck("9.1-1")'})
    assert taken(inside, lesson)["9.1-1"][-1] == 'spend = 3\ncheck("9.1-1")'


def test_a_cell_that_was_split_keeps_its_key_twice_and_both_halves_count_in_order(lesson):
    made = notebook(lesson, {"9.1-1": "half = orders"})
    place = next(n for n, cell in enumerate(made["cells"]) if cell["metadata"]["key"] == "9.1-1")
    made["cells"].insert(place + 1, {**made["cells"][place], "id": "other", "source": "spend = half.sum()"})
    assert taken(made, lesson) == {"9.1-1": ["half = orders", "spend = half.sum()"]}


def test_the_lessons_own_cells_are_left_out_and_counted_if_they_were_changed(lesson):
    made = notebook(lesson, {**RIGHT, "data": "orders = None"})
    found, changed = answers(cells(made), lesson)
    assert found == {name: [source] for name, source in RIGHT.items()}
    assert changed == 1


def test_whoever_asks_the_kit_for_the_right_answer_is_told_to_the_trainer(tmp_path, lesson):
    peeks = "from crmkit.classroom import exercises\nspend = exercises.find('9.1-1').expected(None)"
    (tmp_path / "x.ipynb").write_text(json.dumps(notebook(lesson, {"9.1-1": peeks})), encoding="utf-8")
    assert collect(tmp_path, lesson)[0].notes == ["an answer looks into the course's own exercises: read it"]


@pytest.fixture
def folder(tmp_path, lesson):
    """Files as they come from mail, a learning platform, a stick."""
    right = json.dumps(notebook(lesson, RIGHT))
    (tmp_path / "Moodle Name_4711_assignsubmission_file_").mkdir()
    for name in ("Ada.ipynb", "李雷.ipynb", "Moodle Name_4711_assignsubmission_file_/9_1_fixture.ipynb"):
        (tmp_path / name).write_text(right, encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "group.zip", "w") as archive:
        archive.writestr("AAAAAA.ipynb", right)
        archive.writestr("Bob/9_1_fixture (2).ipynb", right)
        archive.writestr("__MACOSX/._Bob.ipynb", "x")
    raw = (tmp_path / "group.zip").read_bytes()
    # as Windows writes it in China: the bytes of GBK, and no sign which encoding that is
    (tmp_path / "group.zip").write_bytes(raw.replace(b"AAAAAA", "韩梅梅".encode("gbk")))
    (tmp_path / "broken.zip").write_bytes(raw[:200])
    (tmp_path / ".DS_Store").write_text("x")
    return tmp_path


def test_students_are_known_by_file_folder_or_zip_in_any_script(folder, lesson):
    found = {one.student: one.refused for one in collect(folder, lesson)}
    assert found == {
        "Ada": "",
        "李雷": "",
        "Moodle Name": "",
        "韩梅梅": "",
        "Bob": "",
        "broken": "the zip is damaged and cannot be unpacked.",
    }


def test_of_two_files_of_one_student_the_later_counts(tmp_path, lesson):
    for name, moment in (("Ada Lovelace.ipynb", 2_000_000_000), ("sub/ada_lovelace.ipynb", 1_000_000_000)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(notebook(lesson)), encoding="utf-8")
        os.utime(path, (moment, moment))
    found = {one.file: one.refused for one in collect(tmp_path, lesson)}
    assert found["Ada Lovelace.ipynb"] == ""
    assert found["sub/ada_lovelace.ipynb"].startswith("superseded: Ada Lovelace.ipynb")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty (0 bytes)"),
        (b" \n", "empty"),
        (b"hello", "not a notebook"),
        (b"\xff\xfe\x00", "not a notebook"),
        (b"[" * 100_000, "not a notebook"),
        (b"[]", "no cells"),
        (b'{"cells": 3}', "no cells"),
        (b'{"cells": []}', "no exercise of lesson 9.1"),
        (b'{"cells": [3, {}, {"source": 5}, {"source": ["a", 1]}, {"metadata": 1}]}', "no exercise of lesson 9.1"),
        (b'{"cells": [{"cell_type": "code", "source": "check(\\"2.3-1\\")"}]}', "this is lesson 2.3, not 9.1"),
    ],
)
def test_a_file_that_is_not_the_lesson_says_so_in_words(tmp_path, lesson, content, words):
    (tmp_path / "x.ipynb").write_bytes(content)
    assert words in collect(tmp_path, lesson)[0].refused


def test_no_folder_or_nothing_in_it_is_a_clear_error(tmp_path, lesson):
    with pytest.raises(InputError, match="no folder"):
        collect(tmp_path / "nowhere", lesson)
    with pytest.raises(InputError, match="holds no files"):
        collect(tmp_path, lesson)
