"""Both editions come from the lesson alone, the same bytes each time; the trainer's is executed, and strictly."""

from dataclasses import replace

import nbformat
import pytest

from crmkit.classroom import editions, grammar
from crmkit.errors import InputError


@pytest.fixture
def lesson(tree) -> grammar.Lesson:
    return grammar.read(tree.lessons()[0])


def sources(notebook) -> dict[str, str]:
    return {cell.id: cell.source for cell in notebook.cells}


def test_the_student_gets_a_blank_in_place_of_each_solution(lesson):
    cells = sources(editions.student(lesson))
    assert cells["9-1-1"] == "spend = ..."
    assert cells["9-1-2"] == "decision = ..."
    assert cells["9-1-1-check"] == 'check("9.1-1")'


def test_only_trainers_get_notes_solutions_and_rubrics(lesson):
    student, trainer = editions.student(lesson), editions.solution(lesson)
    assert "by_customer" in sources(trainer)["9-1-1"]
    assert "Only trainers read this." in sources(trainer).values()
    assert "what a call costs" in sources(trainer)["9-1-2-trainer"]
    assert "averaged: A mean says how large an order is" in sources(trainer)["9-1-1-trainer"]
    told = "\n".join(sources(student).values())
    assert not any(word in told for word in ("by_customer", "Only trainers", "Rubric", "mistakes"))


def test_the_front_matter_is_rendered_before_and_after(lesson):
    cells = editions.student(lesson).cells
    opening = cells[0].source
    for words in (
        "# 9.1 A lesson for tests",
        "Who bought more than once?",
        "- count repeat buyers",
        "20 minutes of teaching, 30 of exercises.",
        "a little pandas: choose rows, count, add up",
    ):
        assert words in opening
    assert cells[-1].source == "## Key points\n\n- A repeat buyer has two orders."


def test_needs_and_optional_minutes_are_rendered_where_there_are_any(lesson):
    lesson.front.update(needs=["2.1", "2.2"], optional_minutes=25)
    opening = editions.student(lesson).cells[0].source
    assert "lesson 2.1, lesson 2.2" in opening
    assert "25 of optional exercises." in opening
    lesson.cells[5] = replace(lesson.cells[5], tags=(*lesson.cells[5].tags, "optional"))
    assert "25 of optional sections and exercises." in editions.student(lesson).cells[0].source


def test_ids_come_from_keys_and_are_valid_and_unique(lesson):
    for notebook in (editions.student(lesson), editions.solution(lesson)):
        nbformat.validate(notebook)
        ids = [cell.id for cell in notebook.cells]
        assert len(ids) == len(set(ids))
        assert "9-1-1-task" in ids


def test_slides_keep_their_type_and_nothing_tells_the_machine_that_made_them(lesson):
    notebook = editions.student(lesson)
    assert next(cell for cell in notebook.cells if cell.id == "analysis").metadata.slideshow.slide_type == "slide"
    assert notebook.metadata.language_info == {"name": "python"}


def test_a_build_executes_once_and_is_the_same_when_made_again(tree, lesson):
    lines = []
    editions.build(tree, show=lines.append)
    assert any("executing" in line for line in lines)
    files = sorted(path for path in tree.root.glob("[ns]*/**/*") if path.is_file())
    assert [path.name for path in files] == ["9_1_fixture.ipynb", "START.md", "9_1_fixture.ipynb"]
    before = [path.read_bytes() for path in files]
    assert editions.out_of_step(tree) == []

    lines.clear()
    editions.build(tree, show=lines.append)
    assert lines == ["9.1 A lesson for tests: up to date"]
    assert [path.read_bytes() for path in files] == before

    stored = nbformat.read(tree.notebook("solutions", lesson.path), as_version=4)
    code = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert "widgets" not in stored.metadata
    assert not any("execution" in cell.metadata for cell in stored.cells)
    assert "model_id" not in str(stored)
    assert next(cell for cell in code if cell.id == "9-1-1-check").outputs[0].data["text/plain"].startswith("✓ Right")

    # somebody edits what is generated, adds a notebook of their own, or the source moves on
    student = tree.notebook("notebooks", lesson.path)
    student.write_text(student.read_text().replace("spend = ...", "spend = 7"))
    assert editions.out_of_step(tree) == [
        "notebooks/9_testing/9_1_fixture.ipynb is not what lessons/9_testing/9_1_fixture.py gives; run `make lessons`."
    ]
    student.with_name("9_7_stray.ipynb").write_text("{}")
    (tree.root / "notebooks" / "START.md").write_text("old")
    lesson.path.write_text(lesson.path.read_text().replace("Who came back?", "Who came twice?"))
    found = "\n".join(editions.out_of_step(tree))
    for words in (
        "9_7_stray.ipynb belongs to no lesson",
        "START.md is not",
        "solutions/9_testing/9_1_fixture.ipynb is",
    ):
        assert words in found


def test_a_cell_that_raises_is_named_and_no_notebook_is_written(tree, lesson):
    lesson.path.write_text(lesson.path.read_text().replace('orders.groupby("customer").size()', "orders['customr']"))
    with pytest.raises(editions.CellFailed) as caught:
        editions.build(tree, show=lambda line: None)
    assert str(caught.value) == "lessons/9_testing/9_1_fixture.py, cell 'analysis': KeyError: 'customr'"
    assert not tree.notebook("solutions", lesson.path).exists()


def test_a_solution_that_its_check_refuses_stops_the_build(tree, lesson):
    lesson.path.write_text(lesson.path.read_text().replace('["amount"].sum()', '["amount"].mean()'))
    with pytest.raises(editions.CellFailed) as caught:
        editions.build(tree, show=lambda line: None)
    assert "cell '9.1-1-check': NotRight" in str(caught.value)
    assert "A mean says how large an order is" in str(caught.value)


def test_a_lesson_against_the_grammar_is_not_built(tree, lesson):
    lesson.path.write_text(lesson.path.read_text().replace('key="claim"', ""))
    with pytest.raises(InputError, match="the key is missing"):
        editions.build(tree)
    assert not (tree.root / "notebooks").exists()


def test_the_fingerprint_follows_what_outputs_come_from(tree, lesson, monkeypatch):
    first = editions.fingerprint(lesson, tree.root)
    assert editions.fingerprint(lesson, tree.root) == first
    seen = {first}
    for name, text in (
        ("requirements.lock", "pandas==3"),
        ("datasets/ten/orders.csv", "1"),
        ("datasets/ten/a.csv", "1"),
    ):
        path = tree.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        seen.add(editions.fingerprint(lesson, tree.root))
    lesson.path.write_text(lesson.path.read_text() + "\n")
    seen.add(editions.fingerprint(lesson, tree.root))
    assert len(seen) == 5


def test_the_command_knows_its_words(capsys):
    assert editions.main(["--force"]) == 2
    assert "--force is not known" in capsys.readouterr().err


def test_an_unknown_lesson_is_refused(tree):
    with pytest.raises(InputError, match=r"There is no lesson 7\.7; there are 9\.1\."):
        editions.build(tree, ["7.7"])
