"""A deck shows what the tags say and tells the rest; the student's deck gives nothing away; mistakes cost one line."""

import re
from pathlib import Path

import nbformat
import pytest

from crmkit import cli
from crmkit.classroom import editions, grammar, pages, slides

ROOT = Path(__file__).resolve().parents[2]
COURSE = editions.Tree(ROOT)
DECKS = [path for path in COURSE.lessons() if re.search(r'"(slide|subslide|fragment)"', path.read_text("utf-8"))]
TABLE = '<div><style scoped>td {color: red}</style><table class="dataframe"><tr><td>a</td></tr></table></div>'


def stored_outputs(path: Path) -> dict[str, list]:
    """The outputs that the trainer's edition holds; the lesson is not run again."""
    book = nbformat.read(COURSE.notebook("solutions", path), as_version=4)
    return {cell.id: cell.outputs for cell in book.cells if cell.cell_type == "code"}


def secret_lines(lesson: grammar.Lesson) -> list[str]:
    """Lines of solutions and trainer's notes that stand nowhere in the student's edition."""
    known = "\n".join(cell.source for cell in editions.student(lesson).cells)
    cells = [cell for cell in lesson.cells if {"solution", "instructor"} & {*cell.tags}]
    lines = [line.strip() for cell in cells for line in cell.source.splitlines() if len(line.strip()) > 25]
    assert len(lines) > 5 or not cells
    return [line for line in lines if line not in known]


def output(**data: str) -> list:
    return [nbformat.v4.new_output("display_data", {name.replace("_", "/"): text for name, text in data.items()})]


@pytest.fixture
def made(tree, source):
    """Make the deck of the lesson for tests after some of its cells got other tags."""

    def make(*, trainer: bool = False, outputs: dict | None = None, **tags: str):
        text = source
        for key, new in tags.items():
            key = key.replace("_", "-").replace("9-1-", "9.1-").removeprefix("task")
            text, found = re.subn(rf'(key="{re.escape(key)}")( tags=\[.*?\])?', rf"\1 tags=[{new}]", text)
            assert found == 1
        (path := tree.lessons()[0]).write_text(text, encoding="utf-8")
        return slides.deck(grammar.read(path), outputs or {}, trainer=trainer)

    return make


def by_type(deck, *types: str) -> str:
    return "\n".join(cell.source for cell in deck.cells if cell.metadata.slideshow.slide_type in types)


def shown(deck) -> str:
    return by_type(deck, "slide", "subslide", "fragment", "-")


def told(deck) -> str:
    return by_type(deck, "notes")


# --- what is shown and what is told ---------------------------------------------------------------------------------


def test_a_deck_opens_with_the_question_and_closes_with_the_key_points(made):
    deck = made()
    assert deck.cells[0].source == "# 9.1 A lesson for tests\n\nWho bought more than once?"
    assert "say what one number decides" in deck.cells[1].source
    assert deck.cells[-1].source == "## Key points\n\n* A repeat buyer has two orders."


def test_prose_without_a_tag_is_told_and_code_without_one_is_left_out(made):
    deck = made()
    assert "A shop sold three times." in told(deck)
    assert "A shop sold three times." not in shown(deck)
    assert "orders = pd.DataFrame" not in shown(deck) + told(deck)
    assert 'groupby("customer").size()' in shown(deck)


def test_a_cell_to_skip_is_neither_shown_nor_told(made):
    deck = made(remember='"recall", "skip"')
    assert "An order has a customer." not in shown(deck) + told(deck)


def test_code_with_notes_beside_its_slide_leaves_the_slide_to_its_output(made):
    deck = made(analysis='"analysis", "slide", "notes"', outputs={"analysis": output(text_html=TABLE)})
    assert "groupby" not in shown(deck)
    assert 'groupby("customer").size()' in told(deck)
    (cell,) = (cell for cell in deck.cells if cell.get("outputs"))
    assert "dataframe" in cell.outputs[0].data["text/html"]


def test_a_slide_without_a_heading_takes_the_last_one(made):
    deck = made(exercises='"exercises", "slide"', claim='"claim-check", "subslide"')
    (cell,) = (cell for cell in deck.cells if "Everybody comes back" in cell.source)
    assert cell.source.startswith("## Exercises\n\n")


def test_long_prose_shows_heading_first_paragraph_lists_and_tables_and_tells_the_rest():
    shows, tells = slides.abridged(
        "### Why\n\nOne.\n\nTwo. " + 90 * "and " + "\n\n1. a\n2. b\n\nLook:\n\n| x |\n|---|\n| 1 |\n\nThe end."
    )
    assert shows == "### Why\n\nOne.\n\n1. a\n2. b\n\nLook:\n\n| x |\n|---|\n| 1 |"
    assert tells.startswith("Two. and")
    assert tells.endswith("The end.")


@pytest.mark.parametrize("path", DECKS, ids=lambda path: path.stem)
def test_nothing_of_a_lesson_is_lost_between_slide_and_notes(path):
    for cell in grammar.read(path).cells:
        if cell.kind == "markdown":
            both = "\n".join(slides.abridged(cell.source))
            assert sorted(both.split()) == sorted(cell.source.split())


def test_a_quiz_shows_its_answers_and_keeps_which_one_is_right_for_the_trainer(made):
    outputs = {"predict": output(text_plain="Quiz: Who came back?\n  ( ) a\n  ( ) b")}
    tags = '"predict", "slide", "notes"'
    deck = made(predict=tags, outputs=outputs)
    assert "**Who came back?**\n\n* a\n* b" in shown(deck)
    assert "Two orders." not in shown(deck) + told(deck)
    assert 'right="a"' in told(made(predict=tags, outputs=outputs, trainer=True))


# --- students and trainers ------------------------------------------------------------------------------------------


def test_only_the_trainers_notes_hold_solution_mistakes_and_rubric(made):
    tags = {"9_1_1_task": '"slide"', "9_1_2_task": '"subslide"'}
    secrets = [
        'by_customer["amount"].sum()',
        "Only trainers read this.",
        "That is the number of orders",
        "what a call costs",
    ]
    trainer, student = made(**tags, trainer=True), made(**tags)
    for secret in secrets:
        assert secret in told(trainer)
        assert secret not in shown(trainer) + shown(student) + told(student)
    assert "Set `spend` to the money of each customer." in shown(student)


def test_an_exercise_that_is_on_no_slide_is_in_no_notes(made):
    deck = made(trainer=True)
    assert "spend" not in shown(deck) + told(deck)


@pytest.mark.parametrize("path", DECKS, ids=lambda path: path.stem)
def test_a_students_deck_holds_no_answer(path):
    lesson = grammar.read(path)
    plain = re.sub(r"<[^>]+>", "", slides.page(lesson, stored_outputs(path)))
    assert [line for line in secret_lines(lesson) if line in plain] == []


# --- one file, nothing fetched --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", DECKS, ids=lambda path: path.stem)
def test_a_deck_is_one_file_that_is_the_same_each_time(path):
    lesson, outputs = grammar.read(path), stored_outputs(path)
    text = slides.page(lesson, outputs, trainer=True)
    assert text == slides.page(lesson, outputs, trainer=True)
    markup = re.sub(r"<script>.*?</script>", "", text, flags=re.S)
    assert re.findall(r'(?:src|srcset|poster)="(?!data:)|<link\b|<iframe\b|@import|url\((?!data:)', markup) == []
    assert "Permission is hereby granted" in text  # the licence of reveal.js goes with it
    assert len(text) < 3_000_000


def test_a_formula_is_drawn_into_the_page():
    html = pages.prose(r"The share is $\frac{x}{n}$, and" + "\n\n$$s = \\sqrt{x}$$\n")
    pictures = re.findall(
        r'<img class="formula" alt="([^"]+)" style="height:([\d.]+)em[^"]*" src="data:image/svg', html
    )
    assert [alt for alt, _ in pictures] == [r"\frac{x}{n}", r"s = \sqrt{x}"]
    assert [0.8 < float(height) < 2 for _, height in pictures] == [True, True]
    assert "$" not in html


def test_a_formula_that_cannot_be_drawn_is_shown_as_it_was_typed():
    assert "<code>\\nonsense{x}</code>" in pages.prose(r"$\nonsense{x}$")
    assert "x &amp;= 1" in pages.prose("\\begin{align}x &= 1\\end{align}")


def test_a_picture_beside_the_lesson_goes_into_the_page(tmp_path):
    (tmp_path / "map.png").write_bytes(b"\x89PNG")
    assert 'src="data:image/png;base64,' in pages.prose("![a map](map.png)", tmp_path)


def test_a_widget_says_where_it_lives_and_a_figure_is_sharp(tree):
    """The lesson is run: pictures are vectors, answers stay blank, a widget's inner name is nobody's business."""
    (path,) = tree.lessons()
    text = path.read_text("utf-8").replace(
        "# No widget here.", "# Now play.\n\n# %% key=\"drawn\"\nimport ipywidgets\nimport matplotlib.pyplot as plt\n\n"
        "plt.plot([1, 2])\nplt.show()\nipywidgets.VBox([ipywidgets.IntSlider()])"
    )  # fmt: skip
    path.write_text(text, encoding="utf-8")
    outputs = pages.outputs(pages.find(str(path)), large=True, say=lambda line: None)
    kinds = [set(output.data) for output in outputs["drawn"]]
    assert "image/svg+xml" in kinds[0]
    assert outputs["drawn"][1].data == {"text/plain": "Run this cell in JupyterLab: a widget to play with."}
    assert outputs["9-1-1"] == []
    assert "9-1-1-check" not in outputs


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def crmkit(capsys, tmp_path, monkeypatch, request):
    """Run a command in an empty folder; no lesson is run. Gives exit code, stdout, stderr."""
    (folder := tmp_path / "here").mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(pages, "outputs", lambda lesson, *, large, say: {})

    def run(*words: str) -> tuple[int, str, str]:
        code = cli.main(words)
        return code, *capsys.readouterr()

    return run


def test_slides_are_written_for_students_and_for_trainers(crmkit):
    code, said, _ = crmkit("slides", "2.3", "--out", "decks/june")
    assert (code, "slides_2_3.html" in said) == (0, True)
    assert crmkit("slides", "2.3", "--out", "decks/june", "--trainer")[0] == 0
    files = sorted(path.name for path in Path("decks/june").iterdir())
    assert files == ["slides_2_3.html", "slides_2_3_trainer.html"]


def test_a_trainers_own_lesson_file_gives_slides(crmkit, tree):
    assert crmkit("slides", str(tree.lessons()[0]))[0] == 0
    assert Path("slides_9_1.html").is_file()


MISTAKES = {
    "a lesson that is not there": (["2.33"], "'2.33' is not a lesson. Did you mean '2.3'?"),
    "a name for a lesson": (["rfm"], "There are 1.0, 1.1"),
    "a file that is not there": (["my_lesson.py"], "'my_lesson.py' is not a lesson"),
    "a file of another kind": (["notes.txt"], "'notes.txt' is not a lesson"),
    "a Python file that is no lesson": (["notes.py"], "name a lesson like 2_segmentation/2_3_rfm.py"),
    "a file for a folder": (["2.3", "--out", "notes.txt"], "is a file; name a folder"),
    "a folder inside a file": (["2.3", "--out", "notes.txt/decks"], "is a file; name a folder"),
    "no lesson": ([], "LESSON"),
    "a mistyped option": (["2.3", "--ot", "x"], "Did you mean '--out'?"),
}


@pytest.mark.parametrize("command", ["slides", "handout"])
@pytest.mark.parametrize(("words", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_costs_one_line_and_leaves_nothing(crmkit, command, words, expected):
    Path("notes.txt").write_text("my notes")
    Path("notes.py").write_text("print('hello')")
    code, said, complaint = crmkit(command, *words)
    assert (code, said) == (2, "")
    assert expected in complaint
    assert len(complaint.splitlines()) == 1
    assert sorted(path.name for path in Path().iterdir()) == ["notes.py", "notes.txt"]
    assert Path("notes.txt").read_text() == "my notes"


def test_a_folder_that_takes_nothing_is_told_before_the_lesson_is_run(crmkit, monkeypatch):
    monkeypatch.setattr(pages.os, "access", lambda *arguments: False)
    code, said, complaint = crmkit("slides", "2.3", "--out", "decks")
    assert (code, said) == (2, "")
    assert "nothing can be written" in complaint
    assert not Path("decks").exists()


def test_a_lesson_without_slides_says_which_tags_to_give(crmkit, tree, source):
    (path,) = tree.lessons()
    path.write_text(source.replace('"analysis", "slide"', '"analysis"'), encoding="utf-8")
    code, _, complaint = crmkit("slides", str(path))
    assert code == 2
    assert "has no slides: give cells the tag slide, subslide or fragment" in complaint
    assert list(Path().iterdir()) == []


def test_a_lesson_that_breaks_the_grammar_says_where(crmkit, tree, source):
    (path,) = tree.lessons()
    path.write_text(source.replace('key="remember" ', ""), encoding="utf-8")
    code, _, complaint = crmkit("slides", str(path))
    assert code == 2
    assert "the key is missing" in complaint


def test_a_cell_that_fails_leaves_no_half_deck(capsys, tmp_path, monkeypatch, tree, source):
    (path,) = tree.lessons()
    path.write_text(source.replace('orders.groupby("customer").size()', "orders.nonsense()"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["slides", str(path), "--out", "decks"]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert "cell 'analysis'" in last
    assert "nonsense" in last
    assert not Path("decks").exists()
