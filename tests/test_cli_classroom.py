"""The commands of hand-in, grading and the class; what they do is tested in tests/classroom."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import typer

from crmkit import cli_classroom, shipped
from crmkit.errors import InputError


@pytest.fixture
def crmkit(tmp_path, monkeypatch):
    """The three commands in an empty folder, where a student has a blank copy of lesson 2.3."""
    (mine,) = shipped.folder("notebooks").glob("*/2_3_*.ipynb")
    (tmp_path / "my copy.ipynb").write_bytes(mine.read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRMKIT_WORK", str(tmp_path))
    app = typer.Typer()
    cli_classroom.register(app)
    return lambda *words: app(words, standalone_mode=False)


def test_from_hand_in_to_the_class_in_three_commands(crmkit, capsys):
    Path("class").mkdir()
    crmkit("submit", "2.3", "--name", "李 雷", "--out", "class")
    assert "Give this file to your trainer: class/submission_2.3_李_雷.ipynb" in capsys.readouterr().out
    crmkit("grade", "class", "--lesson", "2.3", "--feedback", "pages", "--jobs", "1")
    said = capsys.readouterr().out
    assert said.startswith("1 graded, 0 not graded. On average 0.0 of ")
    assert said.endswith("The grades are in grades.csv.\n")
    assert pd.read_csv("grades.csv", encoding="utf-8-sig")["reason"].tolist() == ["blank: no answer was filled in."]
    assert "李 雷" in Path("pages/李_雷.html").read_text(encoding="utf-8")
    crmkit("class", "grades.csv", "--out", "view")
    assert "was left open most often" in capsys.readouterr().out
    assert (
        json.dumps(sorted(path.name for path in Path("view").iterdir())) == '["class.csv", "class.html", "class.png"]'
    )


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["submit", "2.3"], "--name "),
        (["submit", "2.3", "--name", "x", "--notebook", "y.ipynb"], "no notebook 'y.ipynb'"),
        (["submit", "9.9", "--name", "x"], "no lesson '9.9'"),
        (["grade", "nowhere", "--lesson", "2.3"], "no folder 'nowhere'"),
        (["grade", ".", "--lesson", "2.8"], "'2.8' is not a lesson"),
        (["class", "nothing.csv"], "no file 'nothing.csv'"),
    ],
)
def test_bad_input_is_one_error_that_names_the_option_and_writes_nothing(crmkit, words, complaint):
    before = sorted(Path().rglob("*"))
    with pytest.raises(InputError, match=complaint):
        crmkit(*words)
    assert sorted(Path().rglob("*")) == before


def test_the_commands_load_nothing_heavy():
    program = (
        "import sys; from crmkit import cli_classroom; print({'pandas', 'jupytext', 'nbformat'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
