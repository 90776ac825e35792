"""A lesson made ready for a page that needs nothing else: run once, its pictures sharp, its formulas drawn.

The student's edition is run, never the trainer's: what a slide or a handout shows cannot give an answer away. Pictures
are vector graphics; formulas in the prose are drawn by matplotlib's mathtext (`$a^2$` and `$$…$$`; what it does not know,
such as `\\begin{align}`, is shown as it was typed).
"""

import base64
import io
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat

from crmkit import escape
from crmkit.classroom import editions, grammar
from crmkit.classroom.grammar import Lesson
from crmkit.errors import InputError, near_misses

_ROOM = Path(__file__).parent
#: Where nbconvert finds the templates of this room.
TEMPLATE = {"template_name": "classroom", "extra_template_basedirs": [str(_ROOM / "templates")]}

_SHARP = """import matplotlib
from matplotlib_inline.backend_inline import set_matplotlib_formats
matplotlib.rcParams["svg.hashsalt"] = "crmkit"  # with no date either, the same lesson gives the same page
set_matplotlib_formats("svg", metadata={"Date": None})"""
#: What is read from the last row has larger letters in the same picture.
_LARGE = """
from crmkit.show import style
style.FONT_SIZE, style.TITLE_SIZE = 15, 17"""


def find(lesson: str) -> Lesson:
    """The lesson with this number ("2.3"), or in this lesson file, which may be a trainer's own.

    Raises InputError if there is none, or if it breaks the grammar of lessons.

    >>> find("2.3").number
    '2.3'
    """
    paths = {grammar.front_matter(path).number: path for path in grammar.sources()}
    path = Path(lesson) if lesson.endswith(".py") else paths.get(lesson)
    if path is None or not path.is_file():
        known = f"There are {', '.join(paths)}; a lesson file of your own is given as a path that ends in .py."
        raise InputError(f"{lesson!r} is not a lesson.{near_misses(lesson, paths)} {known}")
    found = grammar.read(path.absolute())
    if faults := grammar.violations(found):
        raise InputError(faults[0])
    return found


def outputs(lesson: Lesson, *, large: bool, say: Callable[[str], None] = print) -> dict[str, list[Any]]:
    """What each cell of the blank student's edition shows, by cell id. Runs the lesson: some seconds to a minute.

    `large` writes the letters in pictures larger, for a projector.
    """
    notebook = editions.student(lesson)
    # a check of a blank answer would stop the strict run, and is on no page
    notebook.cells = [cell for cell in notebook.cells if "check" not in cell.metadata.get("tags", ())]
    notebook.cells.insert(0, nbformat.v4.new_code_cell(_SHARP + _LARGE * large, metadata={"key": "sharp-pictures"}))
    say(f"Running lesson {lesson.number} ...")
    with tempfile.TemporaryDirectory(prefix="crmkit-") as folder:
        editions.execute(notebook, lesson, Path(folder), say)
    for output in (output for cell in notebook.cells for output in cell.get("outputs", ()) if "data" in output):
        if re.match(r"\w+\(children=", output.data.get("text/plain", "")):
            output.data = nbformat.from_dict({"text/plain": "Run this cell in JupyterLab: a widget to play with."})
    return {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}


def quiz(outputs: list[Any]) -> str:
    """A quiz as Markdown, its question and its answers, because a widget lives in a notebook only; "" for all else."""
    plain = next((output.data.get("text/plain", "") for output in outputs if "data" in output), "")
    if not plain.startswith("Quiz: "):
        return ""
    question, *answers = plain.removeprefix("Quiz: ").splitlines()
    return "\n".join([f"**{question}**", "", *(f"* {answer.strip().removeprefix('( ) ')}" for answer in answers)])


def insist_writable(folder: Path) -> None:
    """Before a lesson is run for a minute: can its page be written?"""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise InputError(f"--out {folder}: {str(there)!r} is a file; name a folder.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"--out {folder}: nothing can be written in {str(there)!r}; name another folder.")


def write(path: Path, content: str | bytes) -> Path:
    """All of the page or nothing of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def render(exporter: Any, notebook: nbformat.NotebookNode, lesson: Lesson, title: str) -> str:
    """A notebook as a page by nbconvert's `exporter`, with styles, scripts, fonts and pictures inside."""
    exporter.register_filter("prose", lambda source: prose(source, lesson.path.parent))
    exporter.register_filter("uri", _uri)
    exporter.register_filter("asset", _asset)
    page, _ = exporter.from_notebook_node(notebook, resources={"lesson": lesson, "title": title})
    return page


def prose(source: str, folder: Path | str = "") -> str:
    """Markdown as HTML: pictures from `folder` and formulas are inside, nothing is fetched.

    >>> prose("The share is $x$.")[:60]
    '<p>The share is <img class="formula" alt="x" style="height:0'
    """
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    class Renderer(IPythonRenderer):
        def inline_math(self, body: str) -> str:
            return _formula(body)

        def block_math(self, body: str) -> str:
            return f'<span class="display">{_formula(body)}</span>'

        def latex_environment(self, name: str, body: str) -> str:
            return f"<code>{escape.html(body)}</code>"

    renderer = Renderer(escape=False, exclude_anchor_links=True, embed_images=True, path=str(folder))
    return MarkdownWithMath(renderer=renderer).render(source)


def _formula(tex: str) -> str:
    from matplotlib import mathtext
    from matplotlib.font_manager import FontProperties

    picture, size = io.BytesIO(), 40  # large, because mathtext rounds to whole points
    try:
        depth = mathtext.math_to_image(f"${tex.strip()}$", picture, FontProperties(size=size), dpi=72, format="svg")
    except ValueError:  # not in mathtext
        return f"<code>{escape.html(tex)}</code>"
    drawn = re.sub(rb"\s*<dc:date>.*?</dc:date>", b"", picture.getvalue())  # the same formula gives the same page
    height = float(re.search(rb'height="([\d.]+)pt"', drawn)[1])
    style = f"height:{height / size:.2f}em;vertical-align:{-depth / size:.2f}em"
    return f'<img class="formula" alt="{escape.html(tex)}" style="{style}" src="{_uri(drawn, "image/svg+xml")}">'


def _uri(content: str | bytes, kind: str) -> str:
    content = content.encode() if isinstance(content, str) else content
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _asset(name: str) -> str:
    """A style or a script that ships, as text; a font as an address that holds it."""
    path = next(path for path in (_ROOM / "reveal" / name, _ROOM / "templates/classroom" / name) if path.is_file())
    if path.suffix == ".woff":
        return _uri(path.read_bytes(), "font/woff")
    return path.read_text(encoding="utf-8").partition("//# sourceMappingURL")[0]
