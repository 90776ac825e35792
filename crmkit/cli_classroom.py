"""The trainer's and the student's commands: `crmkit submit`, `crmkit grade`, `crmkit class`; `cli` registers them."""

import functools
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from crmkit.errors import InputError

Lesson = Annotated[str, typer.Argument(metavar="LESSON", help="Its number, such as 2.3.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands to `crmkit`."""
    app.command(short_help="Make the file that you give to your trainer.")(_in_options(submit))
    app.command(short_help="Grade a folder of submissions.")(_in_options(grade))
    app.command("class", short_help="See which mistakes were common.")(_in_options(class_))


def submit(
    lesson: Lesson,
    name: Annotated[str | None, typer.Option(help="Who hands in; remembered after the first time.")] = None,
    notebook: Annotated[Path | None, typer.Option(help="Your notebook, if there are several.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the file.", show_default="your course folder")] = None,
) -> None:
    """Make the one file that you give to your trainer, from your notebook, wherever it lies and whatever it is called."""
    from crmkit import classroom

    print(classroom.submit(lesson, name, notebook=notebook, out=out))


def grade(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Notebooks and zips.", show_default=False)],
    lesson: Annotated[str, typer.Option(metavar="LESSON", help="Its number (2.3), or your own lesson file (.py).")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The table of grades.")] = Path("grades.csv"),
    feedback: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for one page a student.", show_default="no pages")
    ] = None,
    jobs: Annotated[int | None, typer.Option(help="Submissions at a time.", min=1, show_default="processors")] = None,
    seconds: Annotated[float, typer.Option(help="Seconds of computing for one answer.", min=0.1)] = 10,
    memory: Annotated[int, typer.Option(metavar="MB", help="Memory for one submission.", min=64)] = 2048,
) -> None:
    """Grade every submission in a folder by your own lesson; stopped, the same command goes on where it was."""
    from crmkit.classroom import grading

    say = functools.partial(print, file=sys.stderr, flush=True)
    options = {"feedback": feedback, "jobs": jobs, "seconds": seconds, "memory": memory}
    print(grading.grade(folder, lesson, out, progress=say, **options))
    print(f"The grades are in {out}.")


def class_(
    grades: Annotated[Path, typer.Argument(metavar="GRADES", help="What `crmkit grade` wrote.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for the page.", show_default="beside the grades")
    ] = None,
) -> None:
    """See which exercises and which mistakes were common in the class, as a page, a picture and a table."""
    from crmkit.classroom import class_view

    print(class_view.write(grades, out))


def _in_options(command: Callable[..., None]) -> Callable[..., None]:
    """Complaints name the options of the command (`--name …`) and not the arguments in Python (`name=…`)."""

    @functools.wraps(command)
    def run(**given: Any) -> None:
        try:
            command(**given)
        except InputError as error:
            names = "|".join(given)
            raise InputError(re.sub(rf"\b({names})=", r"--\1 ", str(error))) from None

    return run
