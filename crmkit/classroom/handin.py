"""Hand in: one file with name, lesson, version and hash, made from the student's own copy, whatever it is called now."""

import datetime
import json
import os
import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import crmkit
from crmkit import shipped
from crmkit.classroom import exercises
from crmkit.classroom.card import Card
from crmkit.classroom.copies import OWN
from crmkit.classroom.submissions import cells, fingerprint, lesson_numbers, parsed, readable
from crmkit.errors import InputError, near_misses

_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{digit}" for port in ("com", "lpt") for digit in "123456789")}
_PASSED_BY = {"node_modules", "site-packages", "__pycache__"}
#: How far a student's folder is searched: folders deep, and notebooks at most.
_DEPTH, _MOST = 6, 2000


@dataclass(frozen=True)
class Candidate:
    """A notebook that holds the lesson, and the exercises that are answered in it."""

    path: Path
    notebook: dict[str, Any]
    answered: tuple[str, ...]

    @property
    def saved(self) -> str:
        moment = datetime.datetime.fromtimestamp(self.path.stat().st_mtime)
        return moment.isoformat(sep=" ", timespec="seconds")


def submit(
    lesson: str, name: str | None = None, *, notebook: Path | str | None = None, out: Path | str | None = None
) -> Card:
    """Make the one file that a student gives to the trainer, and say where it lies.

    lesson : its number, "2.3".
    name : who hands in, in any script; remembered in the course folder after the first time.
    notebook : the student's notebook, if it cannot be found or there are several; wherever it lies and whatever it was
        renamed to, it is known by the exercises in it.
    out : the folder for the file, or the file itself (.ipynb); the course folder unless told.

    The notebook is taken as it was last saved, without outputs. Raises InputError, which says what to do.
    """
    number = str(lesson).strip()
    names = {found.id: found.answer for found in exercises.of_lesson(number).values()}
    if not names:
        known = exercises.lessons()
        raise InputError(
            f"there is no lesson {number!r} with exercises.{near_misses(number, known)} There is {', '.join(known)}."
        )
    work = _course_folder()
    chosen = _the_one(_named(notebook, names) if notebook else list(_found(work, number, names)), number)
    remembered = work / OWN / "name.txt" if work else None
    name = _name(name, remembered)
    told = {"name": name, "lesson": number, "kit": crmkit.__version__, "moment": chosen.saved.replace(" ", "T")}
    made = _copied(chosen.notebook)
    made["metadata"]["crmkit"] = {"submission": {**told, "hash": fingerprint(made, told)}}
    path = Path(out) if out else (work or Path.cwd())
    path = path if path.suffix == ".ipynb" else path / f"submission_{number}_{safe_name(name)}.ipynb"
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {str(path.parent)!r} to put the submission in.")
    if path.exists() and (path.samefile(chosen.path) or not _is_submission(path)):
        raise InputError(f"{str(path)!r} is there and is no submission; choose another place with out=.")
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    part.replace(path)
    if remembered:
        with suppress(OSError):  # a folder that cannot be written to: the name is asked for again
            remembered.parent.mkdir(parents=True, exist_ok=True)
            remembered.write_text(name, encoding="utf-8")
    return Card(
        "note",
        f"Give this file to your trainer: {path}",
        (
            f"{len(chosen.answered)} of {len(names)} exercises are answered.",
            f"Made from {chosen.path}, as saved on {chosen.saved}. If you change it, save it and hand in again.",
        ),
    )


def safe_name(text: str) -> str:
    r"""A name, in any script, as a file name that every system takes.

    >>> safe_name('李 雷'), safe_name("a/b: c?"), safe_name("con"), safe_name("..")
    ('李_雷', 'a_b_c', 'con_', 'student')
    """
    text = unicodedata.normalize("NFC", readable(text))
    text = "".join(letter if unicodedata.category(letter)[0] in "LMN" or letter in "-.'()" else " " for letter in text)
    name = "_".join(text.split()).encode()[:120].decode(errors="ignore").strip("._")
    return f"{name}_" if name.split(".")[0].lower() in _RESERVED else name or "student"


def _course_folder() -> Path | None:
    """Where the student's copy of the course lies, if there is one."""
    if work := os.environ.get("CRMKIT_WORK"):
        return Path(work)
    from crmkit.classroom.lab import course_folder

    folder = course_folder()
    return folder if folder.is_dir() else None


def _name(name: str | None, remembered: Path | None) -> str:
    if name is None and remembered:
        with suppress(OSError, ValueError):
            name = remembered.read_text(encoding="utf-8")
    name = " ".join(readable(name or "", 100).split())
    if not name:
        raise InputError('say who hands in, such as name="Li Lei".')
    return name


def _named(notebook: Path | str, names: Mapping[str, str]) -> list[Candidate]:
    path = Path(notebook)
    if not path.is_file():
        beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise InputError(f"there is no notebook {str(path)!r}.{near_misses(path.name, beside)}")
    made = parsed(path.read_bytes())
    return [Candidate(path, made, _answered(made, names))]


def _found(work: Path | None, number: str, names: Mapping[str, str]) -> Iterator[Candidate]:
    """The notebook that asks, if Jupyter says which; else every notebook of the lesson in the student's folders."""
    asking = Path(os.environ.get("JPY_SESSION_NAME", ""))
    paths = [asking] if asking.suffix == ".ipynb" and asking.is_file() else _notebooks(work)
    for path in paths:
        with suppress(InputError, OSError):
            made = parsed(path.read_bytes())
            most = lesson_numbers(cells(made)).most_common(1)
            if most and most[0][0] == number and not _told(made):
                yield Candidate(path, made, _answered(made, names))


def _notebooks(work: Path | None) -> list[Path]:
    own = {shipped.folder(name).resolve() for name in ("notebooks", "solutions")}
    found: dict[Path, None] = {}
    for root in filter(None, (work, Path.cwd())):
        for place, folders, files in os.walk(root):
            deep = len(Path(place).relative_to(root).parts)
            folders[:] = sorted(
                name
                for name in folders
                if deep < _DEPTH
                and name[0] != "."
                and name not in _PASSED_BY
                and (Path(place) / name).resolve() not in own
            )
            found |= {(Path(place) / name).resolve(): None for name in sorted(files) if name.endswith(".ipynb")}
            if len(found) >= _MOST or Path(place).resolve() in own:
                break
    return list(found)


def _the_one(found: list[Candidate], number: str) -> Candidate:
    """The notebook that is meant; blank copies beside one that was worked on are not."""
    worked = [one for one in found if one.answered] or found
    different: dict[str, Candidate] = {}
    for one in worked:
        different.setdefault(json.dumps(cells(one.notebook)), one)
    if len(different) == 1:
        return different.popitem()[1]
    if not found:
        where = "in your course folder or where you are now"
        raise InputError(f"no notebook of lesson {number} was found {where}; name the file with notebook=FILE.")
    listed = "; ".join(f"{one.path} ({len(one.answered)} answered, saved {one.saved})" for one in different.values())
    raise InputError(f"{len(different)} notebooks hold lesson {number}; say which one with notebook=FILE: {listed}.")


def _answered(notebook: Mapping[str, Any], names: Mapping[str, str]) -> tuple[str, ...]:
    code = "\n".join(source for kind, _, source in cells(notebook) if kind == "code")
    blank = r"(?!\s*\.\.\.\s*$)"
    return tuple(one for one, name in names.items() if re.search(rf"(?m)^{name}[ \t]*(:[^=\n]*)?={blank}(?!=)", code))


def _copied(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """What was written, without outputs: they may be large, and grading makes its own."""
    kept = []
    for cell in notebook["cells"]:
        if isinstance(cell, dict) and cell.get("cell_type") in ("code", "markdown", "raw"):
            made = {name: cell[name] for name in ("cell_type", "id", "source") if name in cell}
            data = cell.get("metadata") if isinstance(cell.get("metadata"), dict) else {}
            made["metadata"] = {name: data[name] for name in ("key", "tags") if name in data}
            kept.append(made | ({"outputs": [], "execution_count": None} if made["cell_type"] == "code" else {}))
    data = notebook.get("metadata") if isinstance(notebook.get("metadata"), dict) else {}
    metadata = {name: data[name] for name in ("kernelspec", "language_info") if name in data}
    formats = {"nbformat": 4, "nbformat_minor": notebook.get("nbformat_minor", 5)}
    return {"cells": kept, "metadata": metadata, **formats}


def _told(notebook: Mapping[str, Any]) -> bool:
    metadata = notebook.get("metadata")
    course = metadata.get("crmkit") if isinstance(metadata, dict) else None
    return isinstance(course, dict) and "submission" in course


def _is_submission(path: Path) -> bool:
    with suppress(InputError, OSError):
        return _told(parsed(path.read_bytes()))
    return False
