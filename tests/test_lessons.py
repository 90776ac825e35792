"""Every lesson keeps the grammar, its editions are in step and run, and its exercises know right from wrong."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

from crmkit.classroom import editions, exercises, grammar
from crmkit.classroom.checking import result
from crmkit.classroom.exercise import LEVELS, Context
from crmkit.tables import Transactions

ROOT = Path(__file__).resolve().parents[1]
TREE = editions.Tree(ROOT)
LESSONS = {path.stem: path for path in TREE.lessons()}
NOTEBOOKS = {
    f"{edition}/{name}": TREE.notebook(edition, path)
    for name, path in LESSONS.items()
    for edition in ("notebooks", "solutions")
}
EXERCISES = [exercise for number in exercises.lessons() for exercise in exercises.of_lesson(number).values()]
CONTEXT = Context()

each_lesson = pytest.mark.parametrize("name", LESSONS)
each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)


@pytest.fixture(autouse=True)
def no_tries(monkeypatch):
    monkeypatch.setattr("crmkit.classroom.course_map._in_memory", [])


# --- grammar and editions ---------------------------------------------------------------------------------------------


def test_there_are_lessons():
    assert {"2_0_introduction", "2_3_rfm"} <= set(LESSONS)


@each_lesson
def test_a_lesson_keeps_the_grammar(name):
    assert grammar.violations(grammar.read(LESSONS[name])) == []


def test_the_lessons_fit_together():
    assert grammar.course_violations([grammar.front_matter(path) for path in LESSONS.values()]) == []


def test_both_editions_and_the_course_map_are_what_the_lessons_give():
    assert editions.out_of_step(TREE) == []


@each_lesson
def test_the_trainers_edition_is_executed_to_its_end(name):
    notebook = nbformat.read(TREE.notebook("solutions", LESSONS[name]), as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert [output.evalue for cell in code for output in cell.outputs if output.output_type == "error"] == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs(name, tmp_path):
    """Trainer's editions give the stored outputs again (strict); student's run blank from top to end (lax)."""
    # a test's backend for figures and progress folder are not the reader's
    hidden = ("MPLBACKEND", "CRMKIT_WORK", "CRMKIT_STRICT", "PYTEST_CURRENT_TEST", "PYTEST_ADDOPTS")
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    environment |= {"PYTHONHASHSEED": "0"} | ({"CRMKIT_STRICT": "1"} if name.startswith("solutions") else {})
    mode = ["--nbval", "--nbval-sanitize-with", "tests/nbval_sanitize.cfg"]
    mode = mode if name.startswith("solutions") else ["--nbval-lax"]
    command = [sys.executable, "-m", "pytest", "-q", "-o", "addopts=", "-p", "no:cacheprovider", "-p", "no:xdist"]
    command += [*mode, "--nbval-current-env", "--nbval-cell-timeout", "120", str(NOTEBOOKS[name])]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    tail = "\n".join((done.stdout + done.stderr).splitlines()[-60:])
    assert done.returncode == 0, f"{name}: nbval says\n{tail}"


# --- with your own data -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def another_shop(tmp_path_factory) -> tuple[Path, Path]:
    """A file of another shop, with other names for file and columns, and its roles."""
    random, rows = np.random.default_rng(20260630), 1500
    frame = pd.DataFrame(
        {
            "till": random.choice(["north", "south"], rows),
            "total": random.gamma(2, 20, rows).round(2),
            "paid_at": pd.Timestamp("2025-01-01") + pd.to_timedelta(random.integers(0, 540, rows), unit="D"),
            "member_no": [f"M{number:04d}" for number in random.zipf(1.6, rows) % 240],
            "receipt": np.arange(rows),
        }
    )
    folder = tmp_path_factory.mktemp("another shop")
    file, roles = folder / "till export (2026).csv", folder / "my shop.toml"
    frame.to_csv(file, index=False)
    roles.write_text('customer_id = "member_no"\nordered_at = "paid_at"\namount = "total"\norder_id = "receipt"\n')
    return file, roles


OWN_DATA = {
    name: cell.source
    for name, path in LESSONS.items()
    for cell in grammar.read(path).cells
    if "own-data" in cell.tags and cell.kind == "code"
}


@pytest.mark.parametrize("name", OWN_DATA)
def test_the_own_data_cell_runs_on_another_file(name, another_shop, monkeypatch, tmp_path):
    import matplotlib.pyplot as plt

    monkeypatch.chdir(tmp_path)
    made: dict = {}
    exec(grammar.with_own_data(OWN_DATA[name], *another_shop), made)
    plt.close("all")
    read = [value for value in made.values() if isinstance(value, Transactions)]
    assert read, "the cell makes no Transactions"
    assert {table.roles["customer_id"] for table in read} == {"member_no"}
    expected = set(pd.read_csv(another_shop[0])["member_no"])
    people = [value for value in made.values() if isinstance(value, pd.DataFrame) and value.index.name == "customer_id"]
    assert people, "the cell makes no table of one row a customer"
    assert all(set(table.index) <= expected for table in people)


# --- exercises --------------------------------------------------------------------------------------------------------


@each_lesson
def test_lesson_and_package_know_the_same_exercises(name):
    lesson = grammar.read(LESSONS[name])
    told = {cell.key: cell.answers for cell in lesson.cells if "solution" in cell.tags}
    known = {key: exercise.answer for key, exercise in exercises.of_lesson(lesson.number).items()}
    assert told == known


def test_every_set_of_exercises_belongs_to_a_lesson():
    assert set(exercises.lessons()) <= {grammar.front_matter(path).number for path in LESSONS.values()}


@each_exercise
def test_an_exercise_is_complete(exercise):
    assert exercise.level in LEVELS
    assert exercise.points >= 1
    assert exercise.nudge.strip(), "what does a student read whose mistake is not known?"
    if exercise.level == "defend":
        assert len(exercise.choices) >= 2
        assert exercise.rubric.strip()
        assert set(exercise.right_answer(CONTEXT)) < {*exercise.choices}, "some choice must be one the data refuse"
    else:
        hints = list(exercise.mistakes().values())
        assert len(hints) >= 3
        assert len(set(hints)) == len(hints)


@each_exercise
def test_an_exercise_knows_right_from_blank(exercise):
    for answer in right_answers(exercise):
        assert result(exercise.id, {exercise.answer: answer}, CONTEXT).state == "right"
    for namespace in ({}, {exercise.answer: ...}):
        assert result(exercise.id, namespace, CONTEXT).state == "not answered"


@each_exercise
def test_each_mistake_differs_from_right_and_from_each_other_and_gets_its_hint(exercise):
    mistakes = list(exercise.wrong_answers(CONTEXT))
    for place, (hint, value) in enumerate(mistakes):
        card = result(exercise.id, {exercise.answer: value}, CONTEXT)
        assert (card.state, card.paragraphs[-1]) == ("wrong", f"Hint: {hint}")
        for other_hint, other in mistakes[:place]:
            assert exercise.difference(other, value), f"{other_hint!r} and {hint!r} are the same value"


@each_exercise
@pytest.mark.parametrize("nonsense", [None, 0, -1.5, "", "x", [], {}, object(), pd.DataFrame(), pd.Series(dtype=float)])
def test_nonsense_is_wrong_and_never_raises(exercise, nonsense):
    assert result(exercise.id, {exercise.answer: nonsense}, CONTEXT).state == "wrong"


def right_answers(exercise) -> list:
    """What is right: the value itself; of a *defend* exercise each choice that can be defended, with its figure."""
    from crmkit.classroom import defend

    right = exercise.right_answer(CONTEXT)
    if exercise.level != "defend":
        return [right]
    return [defend(choice=choice, figure=figure, because="") for choice, figure in right.items()]
