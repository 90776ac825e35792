"""A handout is the student's edition on paper: what cells show, tasks with room for answers, and no answer."""

import re
import stat
from pathlib import Path

import nbformat
import pytest

from crmkit import cli
from crmkit.classroom import editions, grammar, handout, pages
from crmkit.errors import CrmkitError

COURSE = editions.Tree(Path(__file__).resolve().parents[2])


@pytest.fixture
def page(tree) -> str:
    quiz = "Quiz: Who came back?\n  ( ) a\n  ( ) b"
    outputs = {"predict": [nbformat.v4.new_output("display_data", {"text/plain": quiz})]}
    outputs["analysis"] = [nbformat.v4.new_output("stream", name="stdout", text="a    2\nb    1\n")]
    return handout.page(pages.find(str(tree.lessons()[0])), outputs)


def test_it_is_the_students_edition_with_what_its_cells_show(page):
    assert "9.1 A lesson for tests" in page
    assert "A shop sold three times. Who came back?" in page
    assert "a    2\nb    1" in page
    assert "A repeat buyer has two orders." in page


def test_each_task_has_room_for_its_answer_by_its_level(page):
    exercises = re.findall(r'<section class="exercise">.*?</section>', page, flags=re.S)
    assert len(exercises) == 2
    assert [text.count('<p class="line">') for text in exercises] == [handout.LINES["do"], handout.LINES["defend"]]
    assert "<code>spend =</code>" in exercises[0]


def test_no_check_no_solution_no_trainers_note_no_feedback_of_the_quiz(page):
    for secret in ("check(&quot;9.1", 'check("9.1', "by_customer", "Only trainers read this", "Two orders.", "right="):
        assert secret not in re.sub(r"<[^>]+>", "", page)
    assert re.search(r"Who came back\?</strong></p>\s*<ul>\s*<li>a</li>\s*<li>b</li>", page)


def test_it_asks_for_nothing_outside_itself(page):
    assert re.findall(r'(?:src|srcset)="(?!data:)|<script|<link\b|<iframe\b|@import|url\((?!data:)', page) == []


@pytest.mark.parametrize("path", COURSE.lessons(), ids=lambda path: path.stem)
def test_every_lesson_gives_a_handout_without_its_answers(path):
    lesson = grammar.read(path)
    book = nbformat.read(COURSE.notebook("solutions", path), as_version=4)
    text = handout.page(lesson, {cell.id: cell.outputs for cell in book.cells if cell.cell_type == "code"})
    plain = re.sub(r"<[^>]+>", "", text)
    solved = [cell for cell in lesson.cells if "solution" in cell.tags]
    assert text.count('<section class="exercise">') == text.count("</section>") == len(solved)
    known = "\n".join(cell.source for cell in editions.student(lesson).cells)
    lines = [line.strip() for cell in solved for line in cell.source.splitlines() if len(line.strip()) > 25]
    assert [line for line in lines if line in plain and line not in known] == []


def test_without_a_browser_pdf_says_how_to_print_and_writes_nothing(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(handout.shutil, "which", lambda name: None)
    monkeypatch.setattr(handout, "_PLACES", [])
    assert cli.main(["handout", "2.3", "--pdf"]) == 2
    complaint = capsys.readouterr().err
    assert len(complaint.splitlines()) == 1
    assert "print it (Ctrl-P" in complaint
    assert list(tmp_path.iterdir()) == []


def test_a_browser_that_makes_no_pdf_is_named_and_the_page_stays(tmp_path):
    program, html = tmp_path / "browser", tmp_path / "page.html"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    html.write_text("<p>a page</p>")
    with pytest.raises(CrmkitError, match=r"browser made no PDF; print .*page.html from a browser"):
        handout.pdf(html, str(program))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["browser", "page.html"]
