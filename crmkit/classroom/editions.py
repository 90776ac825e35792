"""The two editions of each lesson: `make lessons`, which is `python -m crmkit.classroom.editions`.

The student's notebook has blank answers, no trainer's notes and no outputs; the trainer's is executed, with notes and
rubrics. Both are made from the lesson source alone, byte for byte the same each time; outputs are stored only in the
trainer's and held by nbval. A notebook is executed again only if its lesson, its exercises, the package, the data in the
checkout or the lock has changed.

    python -m crmkit.classroom.editions             # all that changed
    python -m crmkit.classroom.editions 2.3         # this lesson, whether it changed or not
    python -m crmkit.classroom.editions --check     # execute nothing, write nothing: is everything in step?
"""

import copy
import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from crmkit.classroom import exercises, grammar
from crmkit.classroom.course_map import start_page
from crmkit.classroom.grammar import Cell, Lesson
from crmkit.errors import CrmkitError, InputError

_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


class CellFailed(CrmkitError):
    """A cell of a lesson raised; the message has lesson, cell and the error in a few lines."""


@dataclass(frozen=True)
class Tree:
    """Where the lessons are and where their editions go: the folders of a checkout."""

    root: Path

    def lessons(self) -> list[Path]:
        return grammar.sources(self.root / "lessons")

    def notebook(self, edition: str, lesson: Path) -> Path:
        return self.root / edition / lesson.parent.name / f"{lesson.stem}.ipynb"


def student(lesson: Lesson) -> nbformat.NotebookNode:
    """The student's edition: answers blank, no trainer's notes, no outputs."""
    cells = [
        _cell(cell, f"{cell.answers} = ..." if "solution" in cell.tags else cell.source)
        for cell in lesson.cells
        if "instructor" not in cell.tags
    ]
    return _notebook(lesson, cells)


def solution(lesson: Lesson) -> nbformat.NotebookNode:
    """The trainer's edition, not yet executed: solutions, notes, and what each check knows."""
    known = exercises.of_lesson(lesson.number)
    cells = []
    for cell in lesson.cells:
        cells.append(_cell(cell, cell.source))
        if "check" in cell.tags and (exercise := known.get(cell.key.removesuffix("-check"))):
            cells.append(_cell(Cell(f"{exercise.id}-trainer", "markdown", _trainer(exercise), ("instructor",))))
    return _notebook(lesson, cells)


def stripped(notebook: nbformat.NotebookNode) -> str:
    """A notebook's text without outputs, counts and fingerprint: what must be the same on every rebuild."""
    plain = copy.deepcopy(notebook)
    plain.metadata.pop("crmkit", None)
    for cell in plain.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return _text(plain)


def execute(
    notebook: nbformat.NotebookNode, lesson: Lesson, folder: Path, show: Callable[[str], None] = print
) -> nbformat.NotebookNode:
    """Run every cell in `folder`, strictly: a check that is not right stops it like any other error."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    at: dict[str, Any] = {}

    def started(cell: nbformat.NotebookNode, cell_index: int) -> None:
        if cell_index // 20 > at.get("index", 0) // 20:
            show(f"  cell {cell_index + 1} of {len(notebook.cells)}")
        at.update(cell=cell, index=cell_index)

    environment = {name: value for name, value in os.environ.items() if name not in ("CRMKIT_WORK", "MPLBACKEND")}
    environment |= {"CRMKIT_STRICT": "1", "PYTHONHASHSEED": "0"}
    folder.mkdir(parents=True, exist_ok=True)
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        record_timing=False,
        extra_arguments=["--IPKernelApp.log_level=40"],
        on_cell_start=started,
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        client.execute(env=environment)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        name, said = getattr(error, "ename", type(error).__name__), str(getattr(error, "evalue", error))
        text = f"{lesson.place}, cell {at['cell'].metadata.key!r}: {name}: " + "\n".join(said.splitlines()[:5])
        raise CellFailed(re.sub(r"\x1b\[[0-9;]*m", "", text)) from None
    # nbclient adds the version of Python and the state of widgets, which differ from run to run; a widget without its
    # state shows only an error, so the trainer sees its text until the cell is run
    notebook.metadata = nbformat.from_dict(_METADATA)
    for output in (output for cell in notebook.cells for output in cell.get("outputs", ())):
        output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
    return notebook


def fingerprint(lesson: Lesson, root: Path) -> str:
    """A digest of everything the outputs of a lesson come from."""
    mine = f"lesson_{lesson.number.replace('.', '_')}.py"
    package = Path(__file__).parents[1]
    files = [path for path in package.rglob("*") if path.is_file() and "_shipped" not in path.parts]
    files = [path for path in files if path.suffix not in (".pyc", ".pyo") and "__pycache__" not in path.parts]
    files = [path for path in files if path.parent.name != "exercises" or path.name in ("__init__.py", mine)]
    files += [path for path in (root / "datasets").rglob("*") if path.is_file()]
    digest = hashlib.sha256(lesson.path.read_bytes())
    for path in [*sorted(files), root / "requirements.lock"]:
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def read_all(tree: Tree, only: Iterable[str] = ()) -> list[Lesson]:
    """All lessons of a tree, or those that `only` numbers; raises with every violation of the grammar if there is one."""
    lessons, faults, only = [], [], set(only)
    for path in tree.lessons():
        if only and grammar.number_of(path) not in only:
            continue
        try:
            lessons.append(grammar.read(path))
            faults += grammar.violations(lessons[-1])
        except InputError as error:
            faults.append(str(error))
    faults += grammar.course_violations(lessons)
    if faults:
        raise InputError("\n".join(faults))
    return lessons


def out_of_step(tree: Tree) -> list[str]:
    """What a rebuild would change, without executing anything: an empty list if everything is in step."""
    lessons, found = read_all(tree), []
    for lesson in lessons:
        for edition, made in (("notebooks", student(lesson)), ("solutions", solution(lesson))):
            path = tree.notebook(edition, lesson.path)
            text = path.read_text(encoding="utf-8") if path.is_file() else ""
            wanted, have = _text(made), text
            if edition == "solutions" and text:
                wanted, have = stripped(made), stripped(nbformat.reads(text, as_version=4))
            if wanted != have:
                found.append(f"{path.relative_to(tree.root)} is not what {lesson.place} gives; run `make lessons`.")
    found += [f"{path.relative_to(tree.root)} belongs to no lesson; run `make lessons`." for path in _orphans(tree)]
    page = tree.root / "notebooks" / "START.md"
    if not page.is_file() or page.read_text(encoding="utf-8") != start_page((), tree.root / "lessons"):
        found.append("notebooks/START.md is not what the lessons give; run `make lessons`.")
    return found


def build(tree: Tree, only: Iterable[str] = (), show: Callable[[str], None] = print) -> None:
    """Write both editions of every lesson and the course map; execute what changed, or what `only` names."""
    only, there = set(only), [grammar.number_of(path) for path in tree.lessons()]
    if unknown := only - set(there):
        raise InputError(
            f"There is no lesson {', '.join(sorted(unknown))}; there are {', '.join(there) or 'none yet'}."
        )
    lessons = read_all(tree, only)
    for path in _orphans(tree):
        path.unlink()
        show(f"{path.relative_to(tree.root)} belonged to no lesson and was removed.")
    _write(tree.root / "notebooks" / "START.md", start_page((), tree.root / "lessons"))
    for lesson in lessons:
        _write(tree.notebook("notebooks", lesson.path), _text(student(lesson)))
        path, made, mark = tree.notebook("solutions", lesson.path), solution(lesson), fingerprint(lesson, tree.root)
        if not only and _is_current(path, made, mark):
            show(f"{lesson.heading}: up to date")
            continue
        show(f"{lesson.heading}: executing {len(made.cells)} cells")
        done = execute(made, lesson, path.parent, show)
        done.metadata["crmkit"] = {"fingerprint": mark}
        _write(path, _text(done))


def main(words: list[str]) -> int:
    """The command: 0 if all is well, 1 with the reason if not."""
    tree = Tree(Path(__file__).resolve().parents[2])
    options = [word for word in words if word.startswith("-")]
    if set(options) - {"--check"}:
        print(f"{options[0]} is not known. Give lesson numbers, or --check.", file=sys.stderr)
        return 2
    try:
        if options:
            found = out_of_step(tree)
            print("\n".join(found) or "All editions are in step.")
            return 1 if found else 0
        build(tree, words, show=lambda line: print(line, flush=True))
    except CrmkitError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _cell(cell: Cell, source: str | None = None) -> nbformat.NotebookNode:
    """A notebook's cell with the lesson's key as its id, so that ids stay the same from build to build."""
    metadata: dict[str, object] = {"key": cell.key}
    if cell.tags:
        metadata["tags"] = list(cell.tags)
    if slide := [tag for tag in cell.tags if tag in grammar.SLIDES]:
        metadata["slideshow"] = {"slide_type": slide[0]}
    if cell.kind == "code" and cell.source.startswith("quiz("):
        metadata["jupyter"] = {"source_hidden": True}  # the source names the right answer; one click shows it
    make = nbformat.v4.new_code_cell if cell.kind == "code" else nbformat.v4.new_markdown_cell
    made = make(source if source is not None else cell.source, metadata=metadata)
    made.id = cell.key.replace(".", "-")
    return made


def _notebook(lesson: Lesson, cells: list[nbformat.NotebookNode]) -> nbformat.NotebookNode:
    front = lesson.front
    needs = [*(f"lesson {number}" for number in front["needs"])] or ["a little pandas: choose rows, count, add up"]
    minutes = f"{front['teaching_minutes']} minutes of teaching"
    minutes += f", {front['exercise_minutes']} of exercises" if front["exercise_minutes"] else ""
    beyond = [cell for cell in lesson.cells if "optional" in cell.tags]
    sections = any(not cell.key.endswith("-task") for cell in beyond)
    what = "optional sections and exercises" if sections else "optional exercises"
    minutes += f", {front['optional_minutes']} of {what}" if front["optional_minutes"] else ""
    opening = [
        f"# {lesson.heading}",
        *([] if lesson.opens_or_closes else [f"Part {lesson.number.split('.')[0]} · {front['part']}"]),
        *front["questions"],
        "**Afterwards you can**",
        "\n".join(f"- {objective}" for objective in front["objectives"]),
        f"**Time:** {minutes}. **Needs:** {', '.join(needs)}.",
        *([f"**Data:** {', '.join(front['data'])}."] if front["data"] else []),
        *([f"**Sources:** {', '.join(front['sources'])}."] if front["sources"] else []),
    ]
    closing = "## Key points\n\n" + "\n".join(f"- {point}" for point in front["keypoints"])
    first = _cell(Cell("lesson-opening", "markdown", "\n\n".join(opening)))
    last = _cell(Cell("lesson-keypoints", "markdown", closing))
    return nbformat.v4.new_notebook(cells=[first, *cells, last], metadata=nbformat.from_dict(_METADATA))


def _trainer(exercise: exercises.Exercise) -> str:
    points = "1 point" if exercise.points == 1 else f"{exercise.points} points"
    lines = [f"**For trainers: exercise {exercise.id}** ({exercise.level}, {points})."]
    if mistakes := exercise.mistakes():
        lines.append("The check knows these mistakes and answers each with its own hint:")
        lines.append("\n".join(f"- {name.replace('_', ' ')}: {hint}" for name, hint in mistakes.items()))
    if exercise.rubric:
        lines.append(f"**Rubric for the reason:** {exercise.rubric.strip()}")
    return "\n\n".join(lines)


def _is_current(path: Path, made: nbformat.NotebookNode, mark: str) -> bool:
    try:
        stored = nbformat.read(path, as_version=4)
        return stored.metadata.crmkit.fingerprint == mark and stripped(stored) == stripped(made)
    except (OSError, ValueError, LookupError, AttributeError):  # absent, or not a notebook any more
        return False


def _orphans(tree: Tree) -> list[Path]:
    made = {tree.notebook(edition, path) for edition in ("notebooks", "solutions") for path in tree.lessons()}
    return sorted(
        path
        for edition in ("notebooks", "solutions")
        for path in (tree.root / edition).glob("*/*.ipynb")
        if path not in made
    )


def _text(notebook: nbformat.NotebookNode) -> str:
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=4, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
