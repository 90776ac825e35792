"""The grammar of a lesson: reading a lesson source and saying what is wrong with it.

A lesson is one jupytext py:percent file, ``lessons/2_segmentation/2_3_rfm.py``. The file's name gives its number (2.3).

**Front matter** stands in the header under ``jupyter: crmkit:`` and has exactly these keys: ``title``, ``part`` (the
part's title, the same in every lesson of a folder), ``questions``, ``objectives``, ``keypoints``, ``data``, ``sources``,
``needs`` (lists of texts; ``needs`` names lessons such as "2.1" and may be empty), ``teaching_minutes``,
``exercise_minutes`` (core exercises), ``optional_minutes`` (whole numbers). Teaching and core exercises take 120 minutes
at most. The headings of exercises and of optional sections end in their minutes, ``· do · 5 minutes`` and ``· optional ·
8 minutes``, and these add up to the front matter.

**Cells.** Every cell has its own ``key`` (lower-case letters, digits, dots, hyphens). Tags:

* The anatomy. One cell (the first of its section) carries the tag of each section, in this order: ``question``,
  ``recall``, ``data``, ``predict``, ``analysis``, ``widget``, ``exercises``, ``claim-check``, ``own-data``,
  ``discussion``. Title, objectives and minutes before it and keypoints after it are rendered from the front matter.
  Exercises may also stand earlier, inside other sections. The pages x_0 and x_9, which open and close a part, need
  ``question`` only.
* ``solution`` (with ``answers="name"``), ``check``, ``optional`` (beyond the core: on an exercise's task cell, or on the
  cell whose heading begins a section that a trainer may leave out, without loss for what follows),
  ``instructor`` (trainer's edition only), ``nbval-ignore-output``, and the slide types ``slide``, ``subslide``,
  ``fragment``, ``skip``, ``notes``: what they do stands in `slides.py`. Code on a slide has 70 columns at most, elsewhere 88.

**An exercise** 2.3-4 is three cells in this order: markdown ``2.3-4-task``, which names the answer variable in
backticks; code ``2.3-4`` with tag solution; code ``2.3-4-check`` with tag check, which is ``check("2.3-4")`` and nothing
else. No other cell reads or sets the answer, nor reads a name that only a solution sets: a blank notebook runs to its end.

**The own-data cell** (one code cell, tag own-data) can be copied into an empty notebook: it imports what it uses, and a
reader changes two lines of it, ``my_file = …`` and ``my_roles = …``; out of the box they name a file that ships.
"""

import ast
import builtins
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from crmkit.errors import InputError, near_misses
from crmkit.shipped import folder

ANATOMY = (
    *("question", "recall", "data", "predict", "analysis", "widget"),
    *("exercises", "claim-check", "own-data", "discussion"),
)
SLIDES = ("slide", "subslide", "fragment", "skip", "notes")
TAGS = (*ANATOMY, *SLIDES, "solution", "check", "optional", "instructor", "nbval-ignore-output")
TEXTS = ("title", "part")
LISTS = ("questions", "objectives", "keypoints", "data", "sources", "needs")
MINUTES = ("teaching_minutes", "exercise_minutes", "optional_minutes")
_NAME = re.compile(r"(\d+)_(\d+)_[a-z0-9_]+\.py")
_LIVE = {"interact", "interactive_output", "Output", "clear_output"}


@dataclass(frozen=True)
class Cell:
    """One cell of a lesson source."""

    key: str
    kind: str
    source: str
    tags: tuple[str, ...] = ()
    answers: str | None = None
    number: int = 0

    @property
    def label(self) -> str:
        return f"cell {self.key!r}" if self.key else f"cell {self.number} ({self.source.splitlines()[0][:40]!r})"


@dataclass(frozen=True)
class Lesson:
    """One lesson: its number ("2.3"), its front matter and its cells."""

    path: Path
    number: str
    front: dict[str, Any]
    cells: list[Cell] = field(default_factory=list)

    @property
    def place(self) -> str:
        return f"lessons/{self.path.parent.name}/{self.path.name}"

    @property
    def opens_or_closes(self) -> bool:
        return self.number.endswith((".0", ".9"))

    @property
    def heading(self) -> str:
        """Number and title; a page that opens or closes a part has its title alone."""
        return self.front["title"] if self.opens_or_closes else f"{self.number} {self.front['title']}"


def sources(root: Path | None = None) -> list[Path]:
    """The lesson files of a folder, in the order of the course."""
    found = [path for path in (root or folder("lessons")).glob("*/*.py") if not path.name.startswith("_")]
    return sorted(found, key=lambda path: [int(digits) for digits in re.findall(r"\d+", path.name)[:2]])


def number_of(path: Path) -> str:
    """The number that a lesson file's name gives: "2.3" of 2_3_rfm.py."""
    return ".".join(path.stem.split("_")[:2])


def front_matter(path: Path) -> Lesson:
    """A lesson without its cells: quick, because jupytext stays out of it."""
    import yaml

    named = _NAME.fullmatch(path.name)
    place = f"lessons/{path.parent.name}/{path.name}"
    if not named or not path.parent.name.startswith(f"{named[1]}_"):
        raise InputError(f"{place}: name a lesson like 2_segmentation/2_3_rfm.py (part, number, topic).")
    header = re.match(r"# ---\n((?:#.*\n)*?)# ---\n", path.read_text(encoding="utf-8"))
    try:
        front = yaml.safe_load(re.sub(r"^# ?", "", header[1], flags=re.M))["jupyter"]["crmkit"] if header else None
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise InputError(f"{place}: the front matter cannot be read: {error}") from None
    if not isinstance(front, dict):
        raise InputError(f"{place}: the file must begin with front matter, `jupyter: crmkit:` between two `# ---`.")
    return Lesson(path, f"{named[1]}.{named[2]}", front)


def exercise_ids(path: Path) -> list[str]:
    """The exercises of a lesson file, read from its cell headers."""
    headers = re.findall(r'^# %%.*? key="(\d+\.\d+-\d+)"', path.read_text(encoding="utf-8"), flags=re.M)
    return list(dict.fromkeys(headers))


def read(path: Path) -> Lesson:
    """Read a lesson source; `violations` says what is wrong with it."""
    import jupytext

    lesson = front_matter(path)
    for number, cell in enumerate(jupytext.read(path, fmt="py:percent").cells, start=1):
        data = cell.metadata
        kind = "code" if cell.cell_type == "code" else "markdown"
        tags = tuple(data.get("tags", ()))
        lesson.cells.append(Cell(str(data.get("key", "")), kind, cell.source, tags, data.get("answers"), number))
    return lesson


def violations(lesson: Lesson) -> list[str]:
    """Everything in a lesson that breaks the grammar: file, cell and what to do, one text each."""
    found = [("front matter", text) for text in front_faults(lesson)]
    found += [(cell.label, text) for cell in lesson.cells for text in _cell(cell)]
    found += [("cells", text) for text in [*_keys(lesson), *_anatomy(lesson), *_minutes(lesson)]]
    solutions = (cell for cell in lesson.cells if "solution" in cell.tags)
    found += [(cell.label, text) for cell in solutions for text in _exercise(cell, lesson)]
    found += _strays(lesson) + _reads(lesson) + _own_data(lesson)
    return [f"{lesson.place}, {where}: {text}" for where, text in found]


def course_violations(lessons: list[Lesson]) -> list[str]:
    """What is wrong between lessons: one number twice, a part with two titles."""
    numbers = Counter(lesson.number for lesson in lessons)
    twice = [f"lessons: {number} is the number of {count} files." for number, count in numbers.items() if count > 1]
    titles: dict[str, set[str]] = {}
    for lesson in lessons:
        titles.setdefault(lesson.path.parent.name, set()).add(str(lesson.front.get("part")))
    return twice + [
        f"lessons/{name}: its lessons call the part {' and '.join(sorted(parts))}; choose one."
        for name, parts in titles.items()
        if len(parts) > 1
    ]


def with_own_data(source: str, file: Path | str, roles: Path | str) -> str:
    """The own-data cell with another file and other roles in its two lines."""
    lines = source.splitlines()
    for name, value in (("my_file", file), ("my_roles", roles)):
        (statement,) = (node for node in ast.parse(source).body if _assigns(node, name))
        lines[statement.lineno - 1] = f"{name} = {str(value)!r}"
    return "\n".join(lines)


def front_faults(lesson: Lesson) -> Iterator[str]:
    """What is missing or unusable in the front matter."""
    front, light = lesson.front, lesson.opens_or_closes
    for name in sorted({*TEXTS, *LISTS, *MINUTES} - set(front)):
        yield f"{name} is missing; add it."
    for name in sorted(set(front) - {*TEXTS, *LISTS, *MINUTES}):
        yield f"{name} is not known.{near_misses(name, (*TEXTS, *LISTS, *MINUTES))}"
    for name in set(TEXTS) & set(front):
        if not isinstance(front[name], str) or not front[name].strip():
            yield f"{name} must be a text, not {front[name]!r}."
    for name in (name for name in LISTS if name in front):
        value, may_be_empty = front[name], name == "needs" or (light and name in ("data", "sources"))
        if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
            yield f"{name} must be a list of texts, not {value!r}; put a text with a colon or a number in quotes."
        elif not value and not may_be_empty:
            yield f"{name} is empty; write at least one."
    minutes = {name: front[name] for name in MINUTES if name in front}
    bad = {name: value for name, value in minutes.items() if type(value) is not int or value < 0}
    for name, value in bad.items():
        yield f"{name} must be a whole number of minutes, not {value!r}."
    core = 0 if bad else minutes.get("teaching_minutes", 0) + minutes.get("exercise_minutes", 0)
    if core > 120:
        yield f"teaching and core exercises take {core} minutes, 120 at most; make exercises optional."


def _keys(lesson: Lesson) -> Iterator[str]:
    # the id of a notebook cell has no dots, so 2.3-4 and 2-3-4 would be the same cell
    repeated = Counter(cell.key.replace(".", "-") for cell in lesson.cells if cell.key)
    for key, count in repeated.items():
        if count > 1:
            yield f"key {key!r} is used {count} times; each cell needs its own."


def _cell(cell: Cell) -> Iterator[str]:
    if not cell.key:
        yield 'the key is missing; write key="…" in the cell\'s header.'
    elif not re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", cell.key) or len(cell.key) > 64:
        yield "a key has lower-case letters, digits, dots and hyphens, 64 at most."
    for tag in set(cell.tags) - set(TAGS):
        yield f"the tag {tag!r} is not known.{near_misses(tag, TAGS)}"
    if cell.kind != "code":
        return
    try:
        tree = _tree(cell.source)
    except SyntaxError as error:
        yield f"this is not plain Python ({error.msg}, line {error.lineno}); magics and shell lines are not used."
        return
    if re.search(r";\s*(#.*)?$", cell.source.rstrip()):
        yield "a trailing `;` fails the notebook test; end with `_ = …` or an assignment."
    used = {node.id if isinstance(node, ast.Name) else node.attr for node in _nodes(tree, ast.Name, ast.Attribute)}
    if used & _LIVE and "nbval-ignore-output" not in cell.tags:
        yield f"{', '.join(sorted(used & _LIVE))} shows live output; add the tag nbval-ignore-output."
    on_slide = set(cell.tags) & set(SLIDES[:3]) and "notes" not in cell.tags
    width = 70 if on_slide else 88
    for number, line in enumerate(cell.source.splitlines(), start=1):
        if len(line) > width:
            yield f"line {number} has {len(line)} columns, {width} at most here."


def _anatomy(lesson: Lesson) -> Iterator[str]:
    needed = ANATOMY[:1] if lesson.opens_or_closes else ANATOMY
    first = {tag: cell.number for cell in reversed(lesson.cells) for tag in cell.tags if tag in ANATOMY}
    for tag in needed:
        if tag not in first:
            yield f"no cell has the tag {tag!r}; every lesson has this section."
    in_order = [tag for tag in needed if tag in first]
    for before, after in pairwise(in_order):
        if first[before] > first[after]:
            yield f"the section {after!r} begins before {before!r}; the order is {', '.join(ANATOMY)}."


def _minutes(lesson: Lesson) -> Iterator[str]:
    """Headings that tell minutes, against the front matter and against the tag `optional`."""
    told = {"exercise_minutes": 0, "optional_minutes": 0}
    for cell in lesson.cells:
        for words, minutes in re.findall(
            r"^#{2,4} (.*) · (\d+) minutes?$", cell.source if cell.kind == "markdown" else "", re.M
        ):
            optional = "optional" in cell.tags
            told["optional_minutes" if optional else "exercise_minutes"] += int(minutes)
            if words.endswith("· optional") != optional:
                yield f"{words!r} has {'' if optional else 'not '}the tag optional; the heading must say the same."
    for name, minutes in told.items():
        if lesson.front.get(name) != minutes:
            yield f"the headings tell {minutes} of {name}, the front matter {lesson.front.get(name)}; make them agree."


def _exercise(cell: Cell, lesson: Lesson) -> Iterator[str]:
    by_key = {other.key: other for other in lesson.cells}
    if not re.fullmatch(re.escape(lesson.number) + r"-\d+", cell.key):
        yield f"a solution's key is the exercise's number, such as {lesson.number}-1."
        return
    if cell.kind != "code" or not cell.answers or not str(cell.answers).isidentifier():
        yield 'a solution is a code cell with answers="name", the variable that the student sets.'
        return
    if not any(_assigns(node, cell.answers) for node in _parsed(cell).body):
        yield f"the solution does not set its answer: write `{cell.answers} = …` in a line of its own."
    task, test = by_key.get(f"{cell.key}-task"), by_key.get(f"{cell.key}-check")
    if task is None or task.kind != "markdown" or task.number > cell.number:
        yield f"a markdown cell with the key {cell.key}-task must come before it."
    elif f"`{cell.answers}`" not in task.source:
        yield f"the task must name the answer variable in backticks: `{cell.answers}`."
    if test is None or test.kind != "code" or test.number < cell.number:
        yield f"a code cell with the key {cell.key}-check must come after it."
    elif "check" not in test.tags or ast.dump(_parsed(test)) != ast.dump(ast.parse(f'check("{cell.key}")')):
        yield f'the cell {cell.key}-check has the tag check and is check("{cell.key}") and nothing else.'


def _strays(lesson: Lesson) -> list[tuple[str, str]]:
    solved = {cell.key for cell in lesson.cells if "solution" in cell.tags}
    found = []
    for cell in lesson.cells:
        part = re.fullmatch(r"(\d+\.\d+-\d+)(-task|-check)?", cell.key)
        calls = [node for node in _nodes(_parsed(cell), ast.Call) if getattr(node.func, "id", None) == "check"]
        if (part and part[1] not in solved) or ("check" in cell.tags and not part):
            found.append((cell.label, "it belongs to no exercise: there is no solution cell with that number."))
        elif calls and "check" not in cell.tags:
            found.append((cell.label, "check(…) is called only in a cell with the tag check."))
    return found


def _reads(lesson: Lesson) -> list[tuple[str, str]]:
    """What would stop a blank notebook: a cell that needs a name which only a solution or a trainer's cell sets."""
    code = [cell for cell in lesson.cells if cell.kind == "code"]
    names = {cell.number: _names(_parsed(cell)) for cell in code}
    hidden = [cell for cell in code if {"solution", "instructor"} & set(cell.tags)]
    shown = set().union(*(names[cell.number][1] for cell in code if cell not in hidden))
    found = []
    for source in hidden:
        only_there = names[source.number][1] - shown - {source.answers}
        who = "a student" if source.answers else "the trainer's edition"
        text = f"which {who} sets in cell {source.key!r}; derive it under another name."
        for cell in (cell for cell in code if cell is not source):
            read, bound = names[cell.number]
            not_for_it = {source.answers} | (set() if "instructor" in cell.tags else only_there - bound)
            found += [(cell.label, f"it reads {name}, {text}") for name in sorted(read & not_for_it)]
            if source.answers in bound:
                found.append((cell.label, f"it sets {source.answers}, {text.replace('derive it under', 'use')}"))
    return found


def _own_data(lesson: Lesson) -> list[tuple[str, str]]:
    cells = [cell for cell in lesson.cells if "own-data" in cell.tags and cell.kind == "code"]
    if len(cells) != 1:
        text = f"one code cell has the tag own-data, not {len(cells)}."
        return [] if lesson.opens_or_closes and not cells else [("cells", text)]
    (cell,) = cells
    tree, found = _parsed(cell), []
    for name in ("my_file", "my_roles"):
        lines = [node for node in tree.body if _assigns(node, name)]
        if len(lines) != 1 or lines[0].lineno != lines[0].end_lineno:
            found.append(f"the reader changes one line `{name} = …`; write it once, on one line.")
    read, bound = _names(tree)
    missing = sorted(read - bound - set(dir(builtins)))
    if missing:
        found.append(f"it must run in an empty notebook; import or make {', '.join(missing)} in it.")
    if "my_file" not in read or "my_roles" not in read:
        found.append("it must use both my_file and my_roles.")
    return [(cell.label, text) for text in found]


def _tree(source: str) -> ast.Module:
    return compile(source, "cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def _parsed(cell: Cell) -> ast.Module:
    try:
        return _tree(cell.source if cell.kind == "code" else "")
    except SyntaxError:  # `_cell` reports it
        return ast.Module(body=[], type_ignores=[])


def _nodes(tree: ast.AST, *kinds: type):
    return (node for node in ast.walk(tree) if isinstance(node, kinds))


def _assigns(node: ast.AST, name: str) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    names = (part for target in targets if target is not None for part in _nodes(target, ast.Name))
    return isinstance(node, ast.Assign | ast.AnnAssign) and any(
        part.id == name and isinstance(part.ctx, ast.Store) for part in names
    )


def _names(tree: ast.Module) -> tuple[set[str], set[str]]:
    """The names a cell reads and the names it sets; `@name` inside a query's text is read as well."""
    read = {node.id for node in _nodes(tree, ast.Name) if isinstance(node.ctx, ast.Load)}
    for text in (node.value for node in _nodes(tree, ast.Constant) if isinstance(node.value, str)):
        read.update(re.findall(r"@(\w+)", text))
    bound = {node.id for node in _nodes(tree, ast.Name) if not isinstance(node.ctx, ast.Load)}
    bound |= {node.arg for node in _nodes(tree, ast.arg)}
    bound |= {node.name for node in _nodes(tree, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)}
    imports = (alias for node in _nodes(tree, ast.Import, ast.ImportFrom) for alias in node.names)
    return read, bound | {(alias.asname or alias.name).split(".")[0] for alias in imports}
