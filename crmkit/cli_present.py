"""The commands `crmkit slides` and `crmkit handout`; `crmkit.cli` registers them."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

Lesson = Annotated[
    str, typer.Argument(metavar="LESSON", help="A lesson (2.3), or a lesson file of your own.", show_default=False)
]
_say = partial(typer.echo, err=True)
Out = Annotated[Path, typer.Option(metavar="DIR", help="Folder for the page.", show_default="the current folder")]


def slides(
    lesson: Lesson,
    out: Out = Path(),
    trainer: Annotated[
        bool, typer.Option("--trainer", help="With solutions and trainer's notes in the speaker notes.")
    ] = False,
) -> None:
    """Make a deck of slides from a lesson: one HTML file that needs no internet."""
    from crmkit.classroom import pages
    from crmkit.classroom import slides as deck

    found = pages.find(lesson)
    deck.insist_on_slides(found)
    pages.insist_writable(out)
    name = f"slides_{found.number.replace('.', '_')}{'_trainer' if trainer else ''}.html"
    text = deck.page(found, pages.outputs(found, large=True, say=_say), trainer=trainer)
    print(f"The deck is {pages.write(out / name, text)}")
    print("Open it in a browser. F fills the screen, S shows the speaker notes, ? lists the other keys.")


def handout(
    lesson: Lesson,
    out: Out = Path(),
    pdf: Annotated[bool, typer.Option("--pdf", help="As a PDF too; needs Chromium, Chrome or Edge.")] = False,
) -> None:
    """Make a handout from a lesson: the student's edition to print, with room for the answers."""
    from crmkit.classroom import handout as paper
    from crmkit.classroom import pages

    found = pages.find(lesson)
    program = paper.browser() if pdf else ""
    pages.insist_writable(out)
    text = paper.page(found, pages.outputs(found, large=False, say=_say))
    made = pages.write(out / f"handout_{found.number.replace('.', '_')}.html", text)
    print(f"The handout is {made}")
    print(f"To print: {paper.pdf(made, program)}" if pdf else "Open it in a browser and print it, or ask for --pdf.")


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the command `crmkit`."""
    app.command(short_help="Make a deck of slides from a lesson.")(slides)
    app.command(short_help="Make a handout from a lesson, to print.")(handout)
