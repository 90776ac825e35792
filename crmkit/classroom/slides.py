"""`crmkit slides 2.3`: a lesson as a reveal.js deck in one file, for a room without internet.

The lesson is written once; tags say what of it stands on a slide:

* ``slide`` or ``subslide`` begins a slide, ``fragment`` adds to it with the next click. A cell without one is not shown:
  its prose goes to the speaker notes, its code is left out. ``skip`` leaves a cell out altogether.
* Of prose a slide shows the heading, the first paragraph, lists and tables; what else the cell says goes to the notes,
  unless all of it is short. A task of an exercise is shown as it is. A slide whose cell has no heading takes the last one.
* Code shows with its output. With ``notes`` beside the slide type the code moves to the speaker notes, and the picture
  or table has the slide for itself.

The trainer's deck has solutions, known mistakes and trainer's notes in the speaker notes; the other may be handed out.
"""

import re
from collections.abc import Iterator
from typing import Any

import nbformat

from crmkit.classroom import editions, pages
from crmkit.classroom.grammar import Lesson
from crmkit.errors import InputError

#: A cell of at most so many words is shown whole.
SHORT = 60
_STARTS, _SHOWN = {"slide", "subslide"}, {"slide", "subslide", "fragment"}


def page(lesson: Lesson, outputs: dict[str, list[Any]], *, trainer: bool = False) -> str:
    """The deck as one HTML page; `outputs` are those of `pages.outputs`."""
    from nbconvert import SlidesExporter

    title = f"{lesson.heading}{' (trainer)' if trainer else ''}"
    return pages.render(SlidesExporter, deck(lesson, outputs, trainer=trainer), lesson, "slides.html.j2", title)


def deck(lesson: Lesson, outputs: dict[str, list[Any]], *, trainer: bool = False) -> nbformat.NotebookNode:
    """The lesson as a notebook that holds what is shown, each cell with its slide type, and the notes."""
    if not any(_SHOWN & set(cell.tags) for cell in lesson.cells):
        raise InputError(f"{lesson.place} has no slides yet; give cells the tag slide, subslide or fragment.")
    book = nbformat.v4.new_notebook(cells=list(_opening(lesson)))
    heading, task = lesson.heading, ""
    for cell in editions.solution(lesson).cells[1:-1]:
        tags, shown = set(cell.metadata.get("tags", ())), []
        if cell.metadata.key.endswith("-task"):
            task = cell.metadata.key.removesuffix("-task") if _SHOWN & tags else ""
        if "skip" in tags or "check" in tags:
            continue
        if {"instructor", "solution"} & tags:
            if trainer and (not re.match(r"\d+\.\d+-\d+", cell.metadata.key) or cell.metadata.key.startswith(f"{task}-")
                            or cell.metadata.key == task):
                shown += [_note(_told(cell))] if cell.cell_type == "markdown" or "solution" in tags else []
        elif cell.cell_type == "code":
            shown += _code(cell, tags, outputs)
        else:
            pass
        book.cells += shown
    return book
