"""What was handed in: any file, in a folder or a zip, and which of its cells are the student's answers.

Nothing here runs a student's code or trusts a student's file: a file that is no notebook of the lesson says so in words.
"""

import datetime
import hashlib
import json
import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crmkit.classroom.grammar import Lesson
from crmkit.errors import InputError

#: The largest notebook that is opened, in MB, and the most files of one zip.
LARGEST, MOST_FILES = 50, 2000
#: The right answers ship with the kit, in a student's copy too; whoever asks the kit for them is told to the trainer.
_PEEKS = re.compile(r"classroom(\.| import .*\b)(exercises|checking|grammar|editions)\b|\bexercises\.(find|of_lesson)")
_LITTER = ("__MACOSX", ".ipynb_checkpoints", "desktop.ini", "Thumbs.db")


@dataclass
class Submission:
    """One file: whose it is, the sources that answer each exercise, or in words why it cannot be graded (`refused`)."""

    file: str
    student: str
    digest: str
    moment: str
    answers: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    refused: str = ""
    handed_in: str = ""


def collect(folder: Path, lesson: Lesson, leave_out: Sequence[Path] = ()) -> list[Submission]:
    """Every file of a folder (or the one file), the notebooks inside zips each for itself, in the order of their names."""
    if not folder.exists():
        raise InputError(f"there is no folder {str(folder)!r} with submissions.")
    root = folder if folder.is_dir() else folder.parent
    left = {path.resolve() for path in leave_out}
    found = []
    for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
        parts = path.relative_to(root).parts
        if not path.is_file() or _is_litter(parts) or left & {path.resolve(), *path.resolve().parents}:
            continue
        place = readable("/".join(parts))
        moment = datetime.datetime.fromtimestamp(path.stat().st_mtime).isoformat(timespec="seconds")
        if path.suffix.lower() == ".zip":
            found += _zipped(path, place, lesson, moment)
        else:
            content = path.read_bytes() if path.stat().st_size <= LARGEST * 2**20 else None
            found.append(read(content, place, lesson, moment))
    if not found:
        raise InputError(f"{str(folder)!r} holds no files; put the submissions there, one notebook or zip a student.")
    return _superseded(found)


def read(content: bytes | None, file: str, lesson: Lesson, moment: str = "") -> Submission:
    """One file as a submission for `lesson`."""
    made = Submission(file, _who(file, lesson), hashlib.sha256(content or b"").hexdigest(), moment)
    if content is None:
        made.refused = f"the file is larger than {LARGEST} MB; ask for the notebook without outputs."
    elif not content.strip():
        made.refused = "the file is empty (0 bytes); ask the student to save the notebook and hand it in again."
    else:
        try:
            notebook = parsed(content)
        except InputError as error:
            made.refused = str(error)
            return made
        _identify(made, notebook)
        numbers = lesson_numbers(cells(notebook))
        if lesson.number in numbers:
            made.answers, changed = answers(cells(notebook), lesson)
            if changed:
                made.notes.append(f"{changed} of the lesson's own cells differ; the lesson's were run instead")
            if any(_PEEKS.search(source) for sources in made.answers.values() for source in sources):
                made.notes.append("an answer looks into the course's own exercises: read it")
        elif numbers:
            made.refused = f"this is lesson {numbers.most_common(1)[0][0]}, not {lesson.number}."
        else:
            made.refused = f"a notebook, but no exercise of lesson {lesson.number} is in it."
    return made


def parsed(content: bytes) -> dict[str, Any]:
    """A notebook's JSON; raises InputError if the bytes are no notebook."""
    try:
        notebook = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise InputError("the file is not a notebook: it cannot be read as one (.ipynb is asked for).") from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise InputError("the file is not a notebook: it has no cells.")
    return notebook


def cells(notebook: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Kind, key (empty if an editor took it away) and source of each cell that can be read."""
    found = []
    for cell in notebook["cells"]:
        with suppress(AttributeError, TypeError):
            source = cell.get("source") or ""
            data = cell.get("metadata") or {}
            key = data.get("key") if isinstance(data, dict) else None
            found.append((str(cell.get("cell_type")), str(key or ""), readable("".join(source))))
    return found


def lesson_numbers(found: Sequence[tuple[str, str, str]]) -> Counter[str]:
    """How many exercises of each lesson a notebook holds, by its keys and its check cells."""
    numbers: Counter[str] = Counter()
    for exercise in {
        exercise for kind, key, source in found for exercise in (_exercise(key), _checked(source, kind)) if exercise
    }:
        numbers[exercise.partition("-")[0]] += 1
    return numbers


def answers(found: Sequence[tuple[str, str, str]], lesson: Lesson) -> tuple[dict[str, list[str]], int]:
    """The student's sources by exercise, and how many cells of the lesson were changed.

    A cell answers an exercise by its key, or where that is lost by setting the answer's name. A cell that the student
    added goes before the next answer, or before the check that follows. The lesson's own cells are left out.
    """
    code = [cell for cell in lesson.cells if cell.kind == "code"]
    names = {cell.key: str(cell.answers) for cell in code if "solution" in cell.tags}
    own = {cell.key: _plain(cell.source) for cell in code if cell.key not in names}
    texts = set(own.values())
    collected: dict[str, list[str]] = {exercise: [] for exercise in names}
    added: list[str] = []
    changed = 0
    for kind, key, source in found:
        if kind != "code":
            continue
        plain, checked = _plain(source), _checked(source, kind)
        sets = [exercise for exercise, name in names.items() if re.search(rf"(?m)^{name}\s*(:[^=\n]*)?=(?!=)", source)]
        if checked in names:
            collected[checked] += added
            added = []
        elif key in names or sets:
            exercise = key if key in names else sets[0]
            collected[exercise] += [*added, source]
            added = []
        elif key in own and plain not in texts and plain:
            changed += 1
        elif plain and plain not in texts:
            added.append(source)
    return {
        exercise: sources
        for exercise, sources in collected.items()
        if any(_plain(source) not in ("", f"{names[exercise]} = ...") for source in sources)
    }, changed


def readable(text: str, longest: int = 200_000) -> str:
    """Text that can be written to any file: no half letters, no control characters but tab and line end."""
    text = str(text)[:longest].encode("utf-8", "replace").decode()
    return "".join(letter for letter in text if letter in "\n\t" or unicodedata.category(letter) != "Cc")


def fingerprint(notebook: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    """The hash that a submission carries: of every cell, and of name, lesson, version and moment."""
    content = [sorted((name, value) for name, value in told.items() if name != "hash"), cells(notebook)]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _identify(made: Submission, notebook: Mapping[str, Any]) -> None:
    data = notebook.get("metadata")
    course = data.get("crmkit") if isinstance(data, dict) else None
    told = course.get("submission") if isinstance(course, dict) else None
    if not isinstance(told, dict):
        return
    made.student = " ".join(readable(told.get("name", ""), 100).split()) or made.student
    with suppress(ValueError):
        made.handed_in = datetime.datetime.fromisoformat(str(told.get("moment"))).isoformat(timespec="seconds")
        made.moment = made.handed_in
    if fingerprint(notebook, told) != told.get("hash"):
        made.notes.append("changed after it was handed in: the contents do not fit the hash")


def _superseded(found: list[Submission]) -> list[Submission]:
    """Of several gradeable files of one student the latest counts; the others say which one."""
    latest: dict[str, Submission] = {}
    for one in sorted((one for one in found if not one.refused), key=lambda one: (one.moment, one.file)):
        latest[_same(one.student)] = one
    for one in found:
        if not one.refused and latest[_same(one.student)] is not one:
            one.refused = f"superseded: {latest[_same(one.student)].file} of the same name is the later one and counts."
    return found


def _zipped(path: Path, place: str, lesson: Lesson, moment: str) -> Iterator[Submission]:
    try:
        with zipfile.ZipFile(path) as archive:
            inside = [one for one in archive.infolist() if not one.is_dir()]
            inside = [one for one in inside if not _is_litter(Path(one.filename).parts)][:MOST_FILES]
            for one in inside:
                content = None
                if one.file_size <= LARGEST * 2**20:  # the size is only a claim: no more than that is unpacked
                    with archive.open(one) as file:
                        content = file.read(LARGEST * 2**20 + 1)
                when = "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}".format(*one.date_time)
                yield read(content, f"{place}/{readable(_name(one))}", lesson, when if when > "1981" else moment)
        if not inside:
            yield Submission(place, _who(place, lesson), "", moment, refused="the zip is empty.")
    except Exception as error:  # a broken zip fails in many ways
        words = "is locked with a password" if "password" in str(error) else "is damaged and cannot be unpacked"
        yield Submission(place, _who(place, lesson), "", moment, refused=f"the zip {words}.")


def _name(one: zipfile.ZipInfo) -> str:
    """The name of a file in a zip; Windows writes Chinese names in its own encoding and does not say so."""
    if not one.flag_bits & 0x800:
        with suppress(UnicodeError):
            raw = one.filename.encode("cp437")
            for encoding in ("utf-8", "gbk"):
                with suppress(UnicodeError):
                    return raw.decode(encoding)
    return one.filename


def _who(file: str, lesson: Lesson) -> str:
    """The student by the file's name; by the folder, if the file is called like the lesson in everybody's folder."""
    *folders, name = unicodedata.normalize("NFC", readable(file, 500)).split("/")
    stem = re.sub(r"(?i)^submission[ _]\d+\.\d+[ _]|\.(ipynb|zip)$", "", name)
    if folders and (stem.startswith(lesson.path.stem) or stem.lower() in ("submission", "notebook", "untitled")):
        stem = re.sub(r"(?i)_\d+_assignsubmission.*|\.zip$", "", folders[-1])  # as Moodle names its folders
    return " ".join(stem.replace("_", " ").split()) or name


def _same(student: str) -> str:
    return "".join(unicodedata.normalize("NFKC", student).casefold().split())


def _is_litter(parts: Sequence[str]) -> bool:
    return any(part.startswith((".", "~$")) or part in _LITTER for part in parts)


def _exercise(key: str) -> str:
    found = re.fullmatch(r"(\d+\.\d+-\d+)(-check|-task)?", key)
    return found[1] if found else ""


def _checked(source: str, kind: str) -> str:
    """The exercise of a cell that only checks."""
    found = re.fullmatch(r"check\(\s*[\"'](\d+\.\d+-\d+)[\"']\s*\)", _plain(source)) if kind == "code" else None
    return found[1] if found else ""


def _plain(source: str) -> str:
    return "\n".join(line.rstrip() for line in source.strip().splitlines())
