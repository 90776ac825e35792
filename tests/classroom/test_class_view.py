"""From a table of grades to where the next hour should start."""

import pandas as pd
import pytest

from crmkit.classroom import class_view
from crmkit.errors import InputError

COUNTED = "That is the number of orders, not their money."


@pytest.fixture
def path(tmp_path):
    rows = [
        ("Ada", "graded", "right", "right", "", ""),
        ("Bob", "graded", "wrong", "not answered", COUNTED, ""),
        ("<script>", "graded", "wrong", "right", COUNTED, ""),
        ("Dan", "graded", "wrong", "stopped", "Your number is too low.", "It was stopped: <b>loop</b>."),
        ("Eve", "not graded", "", "", "", ""),
    ]
    names = ["student", "state", "9.1-1 result", "9.1-2 result", "9.1-1 words", "9.1-2 words"]
    pd.DataFrame(rows, columns=names).to_csv(tmp_path / "grades.csv", index=False, encoding="utf-8-sig")
    return tmp_path / "grades.csv"


def test_each_exercise_is_counted_over_the_students_that_were_graded(path):
    table = class_view.by_exercise(class_view.read(path))
    assert table.to_dict("records") == [
        {
            **{"exercise": "9.1-1", "students": 4, "right": 1, "wrong": 3, "not run": 0, "not answered": 0},
            **{"share_right": 0.25, "most_common_mistake": COUNTED, "how_often": 2},
        },
        {
            **{"exercise": "9.1-2", "students": 4, "right": 2, "wrong": 0, "not run": 1, "not answered": 1},
            **{"share_right": 0.5, "most_common_mistake": "It was stopped: <b>loop</b>.", "how_often": 1},
        },
    ]


def test_mistakes_are_told_in_their_own_words_the_most_common_first(path):
    found = class_view.mistakes(class_view.read(path), "9.1-1")
    assert found.to_dict() == {COUNTED: 2, "Your number is too low.": 1}
    assert found.index[0] == COUNTED


@pytest.mark.parametrize(
    ("right", "wrong", "blank", "words"),
    [
        ([4, 4], [0, 0], [0, 0], "Everybody has everything right"),
        ([4, 3], [0, 0], [0, 1], "Nothing is wrong; 9.1-2 was left open most often (1 of 4)"),
        ([2, 1], [1, 3], [1, 0], "Start with 9.1-2: 3 of 4 students went wrong there"),
    ],
)
def test_the_conclusion_says_where_to_start(right, wrong, blank, words):
    table = pd.DataFrame({"exercise": ["9.1-1", "9.1-2"], "students": 4, "right": right, "wrong": wrong, "not run": 0})
    table = table.assign(**{"not answered": blank, "share_right": table["right"] / 4})
    assert class_view.conclusion(table).startswith(words)


def test_the_picture_states_the_conclusion_and_shows_every_count(path):
    ax = class_view.picture(class_view.by_exercise(class_view.read(path)))
    assert ax.get_title().startswith("Start with 9.1-1")
    assert ax.alt_text.startswith("Start with 9.1-1: 3 of 4 students went wrong there.")
    assert [text.get_text() for text in ax.texts] == ["1", "2", "3", "", "", "1", "", "1"]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["9.1-1", "9.1-2"]


def test_the_page_needs_nothing_else_names_nobody_and_is_harmless(path, tmp_path):
    said = class_view.write(path, tmp_path / "out")
    assert said.splitlines()[0] == "Start with 9.1-1: 3 of 4 students went wrong there."
    assert f"9.1-1, 2 students: {COUNTED}" in said
    page = (tmp_path / "out" / "class.html").read_text(encoding="utf-8")
    assert "data:image/png;base64," in page
    assert not {"http", "<script", "<b>loop", "Ada"} & {
        part for part in ("http", "<script", "<b>loop", "Ada") if part in page
    }
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"class.html", "class.png", "class.csv"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "cannot be read"),
        ("a,b\n1,2\n", "no table of grades"),
        ("state,9.1-1 result\nnot graded,\n", "nobody was graded"),
    ],
)
def test_another_file_is_refused_in_words(tmp_path, content, words):
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(InputError, match=words):
        class_view.write(tmp_path / "x.csv")
    with pytest.raises(InputError, match="no file"):
        class_view.write(tmp_path / "y.csv")
    assert [file.name for file in tmp_path.iterdir()] == ["x.csv"]
