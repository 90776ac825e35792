"""`crmkit handout 2.3`: the student's edition on paper, with what its cells show and room for the answers.

A task and its answer stay on one page; the cells that check an answer are left out, and a quiz is its question and its
answers. The page prints from any browser; `pdf` lets a Chromium, Chrome or Edge of this machine do it.
"""

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from crmkit.classroom import editions, exercises, pages
from crmkit.classroom.grammar import Lesson
from crmkit.errors import CrmkitError, InputError

#: Ruled lines for an answer, by the level of the exercise.
LINES = {"do": 2, "decide": 4, "defend": 8}
_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "msedge")
#: Where browsers lie that are on no search path.
_PLACES = [
    f"/Applications/{name}.app/Contents/MacOS/{name}" for name in ("Google Chrome", "Chromium", "Microsoft Edge")
]
for _root in filter(None, map(os.environ.get, ("PROGRAMFILES", "PROGRAMFILES(X86)"))):
    _PLACES += [f"{_root}/Google/Chrome/Application/chrome.exe", f"{_root}/Microsoft/Edge/Application/msedge.exe"]


def page(lesson: Lesson, outputs: dict[str, list[Any]]) -> str:
    """The handout as one HTML page; `outputs` is what `pages.outputs` gives."""
    from nbconvert import HTMLExporter

    levels = {key: exercise.level for key, exercise in exercises.of_lesson(lesson.number).items()}
    book = editions.student(lesson)
    book.cells = [cell for cell in book.cells if "check" not in cell.metadata.get("tags", ())]
    for cell in book.cells:
        cell.metadata["opens"] = cell.metadata.key.endswith("-task")
        if "solution" in cell.metadata.get("tags", ()):
            cell.metadata["lines"] = LINES[levels.get(cell.metadata.key, "decide")]
        elif cell.cell_type == "code":
            cell.outputs = outputs.get(cell.id, [])
            cell.source = "" if (question := pages.quiz(cell.outputs)) else cell.source
            cell.metadata["question"] = question
    exporter = HTMLExporter(**pages.TEMPLATE, template_file="handout.html.j2")
    return pages.render(exporter, book, lesson, lesson.heading)


def browser() -> str:
    """A browser of this machine that writes a PDF by itself; raises InputError with another way if there is none."""
    found = [*filter(None, map(shutil.which, _NAMES)), *(place for place in _PLACES if Path(place).is_file())]
    if not found:
        raise InputError(
            "--pdf needs Chromium, Chrome or Edge, and none was found. Without --pdf you get the page as HTML: "
            "open it in any browser and print it (Ctrl-P, there 'Save as PDF')."
        )
    return found[0]


def pdf(html: Path, program: str) -> Path:
    """Print the page beside itself, with a browser profile of its own and without the network."""
    with tempfile.TemporaryDirectory(prefix="crmkit-", ignore_cleanup_errors=True) as folder:
        made = Path(folder) / "page.pdf"
        words = ["--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
        words += ["--disable-component-update", "--proxy-server=127.0.0.1:9", f"--user-data-dir={folder}/profile"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            words.append("--no-sandbox")  # Chromium's sandbox refuses the administrator, as in a container
        words += ["--no-pdf-header-footer", f"--print-to-pdf={made}", html.absolute().as_uri()]
        with suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run([program, *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=180)
        if not made.is_file():
            raise CrmkitError(f"{program} made no PDF; print {html} from a browser.")
        return pages.write(html.with_suffix(".pdf"), made.read_bytes())
