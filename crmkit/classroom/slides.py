"""`crmkit slides 2.3`: a lesson as a reveal.js deck in one file, for a room without internet.

The lesson is written once; tags say what of it stands on a slide:

* ``slide`` or ``subslide`` begins a slide, ``fragment`` adds to it with the next click. A cell with none of them is not
  shown: its prose goes to the speaker notes, its code is left out. ``skip`` leaves a cell out altogether.
* Of prose a slide shows the heading, the first paragraph, lists and tables; the rest goes to the notes, unless all of
  it is short. A task is shown as it is. A slide that begins without a heading takes the last one.
* Code shows with its output. With ``notes`` beside the slide type the code moves to the speaker notes, and the picture
  or the table has the slide for itself.

The trainer's deck has solutions, known mistakes and trainer's notes in the speaker notes; the other may be handed out.
"""

import re
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from crmkit.classroom import editions, pages
from crmkit.classroom.grammar import Lesson
from crmkit.errors import InputError

#: Prose of at most so many words is shown whole.
SHORT = 90
#: What marks where slides begin and end; nbconvert's own slides template names it, so ours must too.
_SECTIONS = "nbconvert.exporters.slides._RevealMetadataPreprocessor"
_STARTS = ("slide", "subslide")
_SHOWN = {*_STARTS, "fragment"}


def page(lesson: Lesson, outputs: dict[str, list[Any]], *, trainer: bool = False) -> str:
    """The deck as one HTML page; `outputs` is what `pages.outputs` gives."""
    from nbconvert import SlidesExporter

    exporter = SlidesExporter(**pages.TEMPLATE, template_file="slides.html.j2", preprocessors=[_SECTIONS])
    return pages.render(
        exporter, deck(lesson, outputs, trainer=trainer), lesson, lesson.heading + " (trainer)" * trainer
    )


def insist_on_slides(lesson: Lesson) -> None:
    """Raises InputError if no cell of the lesson is shown on a slide."""
    if not any(_SHOWN & {*cell.tags} for cell in lesson.cells):
        raise InputError(f"{lesson.place} has no slides: give cells the tag slide, subslide or fragment.")


def deck(lesson: Lesson, outputs: dict[str, list[Any]], *, trainer: bool = False) -> nbformat.NotebookNode:
    """What is shown and what is told, as a notebook whose cells carry their slide type."""
    insist_on_slides(lesson)
    front, heading, on_slides = lesson.front, lesson.heading, set()
    cells = [_cell(f"# {lesson.heading}\n\n{front['questions'][0]}", "slide", "title")]
    cells.append(_cell(f"## Afterwards you can\n\n{_bullets(front['objectives'])}", "slide"))
    for cell in editions.solution(lesson).cells[1:-1]:
        tags, code = {*cell.metadata.get("tags", ())}, cell.cell_type == "code"
        begins = next((tag for tag in _STARTS if tag in tags), None)
        exercise = re.fullmatch(r"(\d+\.\d+-\d+)(-task|-check|-trainer)?", cell.metadata.key)
        if exercise and exercise[2] == "-task" and _SHOWN & tags:
            on_slides.add(exercise[1])
        if {"skip", "check"} & tags or (exercise and exercise[1] not in on_slides):
            continue
        if {"instructor", "solution"} & tags:
            if trainer and not (code and "instructor" in tags):  # a trainer's code is for the notebook
                cells.append(_note(_fenced(cell.source, "**Solution**") if code else cell.source))
        elif exercise:
            cells.append(_cell(_as_title(cell.source), begins or "fragment", "exercise"))
        elif not code:
            found = re.search(r"^#+ (.+)$", cell.source, flags=re.M)
            heading = found[1] if found else heading
            shown, told = abridged(cell.source) if _SHOWN & tags else ("", cell.source)
            if begins and not found:
                shown = f"## {heading}\n\n{shown}"
            cells += [_cell(_as_title(shown), begins or "fragment")] if shown else []
            cells += [_note(told)] if told else []
        elif _SHOWN & tags:
            cells += [_cell(f"## {heading}", begins)] if begins else []
            alone, question = "notes" in tags, pages.quiz(outputs.get(cell.id, []))
            shown = new_code_cell("" if alone else cell.source, outputs=outputs.get(cell.id, []))
            shown.metadata.update(slideshow={"slide_type": "-" if begins else "fragment"}, alt=f"Figure: {heading}")
            cells.append(_cell(question, "-" if begins else "fragment") if question else shown)
            if alone and (trainer or not question):  # the code of a quiz names the right answer
                cells.append(_note(_fenced(cell.source)))
    cells.append(_cell(f"## Key points\n\n{_bullets(front['keypoints'])}", "slide"))
    return new_notebook(cells=cells)


def abridged(prose: str) -> tuple[str, str]:
    """What of a cell's prose is shown on its slide, and what is told: all is shown if it is short.

    >>> abridged("## Title\\n\\nA few words.")
    ('## Title\\n\\nA few words.', '')
    >>> shown, told = abridged("## Title\\n\\nFirst.\\n\\nSecond. " + 90 * "word " + "\\n\\nThree:\\n\\n* one\\n* two\\n* three")
    >>> print(shown)
    ## Title
    <BLANKLINE>
    First.
    <BLANKLINE>
    Three:
    <BLANKLINE>
    * one
    * two
    * three
    >>> told.startswith("Second.")
    True
    """
    if len(prose.split()) <= SHORT:
        return prose, ""
    blocks = [block.strip("\n") for block in re.findall(r"```.*?```|(?:[^\n]+\n?)+", prose, flags=re.S)]
    shows = [bool(re.match(r"#+ |[*-] |\d+\. |\||```", block)) for block in blocks]
    first = next((number for number, block in enumerate(blocks) if not block.startswith("#")), 0)
    kept = [
        shows[number] or number == first or (block.endswith(":") and any(shows[number + 1 : number + 2]))
        for number, block in enumerate(blocks)
    ]
    shown, told = ([block for block, keep in zip(blocks, kept, strict=True) if keep is side] for side in (True, False))
    return "\n\n".join(shown), "\n\n".join(told)


def _cell(source: str, kind: str, look: str = "") -> nbformat.NotebookNode:
    return new_markdown_cell(source, metadata={"slideshow": {"slide_type": kind}, "look": look})


def _note(source: str) -> nbformat.NotebookNode:
    return _cell(source, "notes")


def _as_title(prose: str) -> str:
    return re.sub(r"^#+ ", "## ", prose, count=1, flags=re.M)


def _fenced(code: str, title: str = "") -> str:
    return f"{title}\n\n```python\n{code}\n```"


def _bullets(lines: list[str]) -> str:
    return "\n".join(f"* {line}" for line in lines)
