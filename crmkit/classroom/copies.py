"""The student's own copy of the notebooks: new lessons come in, and what a student wrote is never lost.

A file counts as worked on when its sources differ from those it was copied with; outputs, execution counts
and empty cells (Jupyter adds one below the last) do not count. Where it cannot be known whether somebody
worked on a file, it is kept.
"""

import datetime
import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from crmkit.errors import InputError, near_misses

#: The course's own files inside the student's folder: the record of copies, Jupyter's settings, progress.
OWN = ".crmkit"


@dataclass
class Copied:
    """What `bring` did, as paths relative to the course folder."""

    added: list[str] = field(default_factory=list)
    refreshed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)  # worked on, and the course has a newer one
    current: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [
            f"{len(self.added)} new: {_lessons(self.added)}." if self.added else "",
            f"{len(self.refreshed)} refreshed: {_lessons(self.refreshed)}." if self.refreshed else "",
            f"{len(self.kept)} kept as you left {'it' if len(self.kept) == 1 else 'them'}, though the course has a "
            f"newer edition: {_lessons(self.kept)}. `crmkit lab --renew LESSON` fetches it and keeps yours, dated."
            if self.kept
            else "",
        ]
        return "\n".join(line for line in lines if line) or "The lessons are up to date."


def bring(notebooks: Path, folder: Path) -> Copied:
    """Copy new lessons from `notebooks` into `folder` and refresh those nobody worked on."""
    folder.mkdir(parents=True, exist_ok=True)
    record, done = _read_record(folder), Copied()
    if not (sources := _shipped(notebooks)):
        raise InputError(f"there are no notebooks in {str(notebooks)!r}; install crmkit again.")
    for source in sources:
        name = source.relative_to(notebooks).as_posix()
        target = folder / name
        shipped = {"sources": fingerprint(source), "file": _digest(source.read_bytes())}
        if not target.exists():
            done.added.append(name)
        elif record.get(name, {}).get("file") == shipped["file"]:
            done.current.append(name)
            continue
        elif (mine := fingerprint(target)) is not None and mine == record.get(name, {}).get("sources"):
            done.refreshed.append(name)
        elif mine == shipped["sources"]:  # the record was lost, or the student wrote what the course now says
            done.current.append(name)
            record[name] = shipped
            continue
        else:
            done.kept.append(name)
            continue
        _write(target, source.read_bytes())
        record[name] = shipped
    _write(folder / OWN / "copies.json", json.dumps(record, indent=1, sort_keys=True).encode())
    return done


def renew(notebooks: Path, folder: Path, lesson: str, today: datetime.date) -> tuple[Path, Path | None]:
    """Put a fresh copy of one lesson (`"2.3"`) and keep the old file, dated. Returns (fresh, kept or None)."""
    source = _find(notebooks, lesson)
    target, kept = folder / source.relative_to(notebooks), None
    if target.exists():
        kept = target.with_name(f"{target.stem}.{today}{target.suffix}")
        number = 1
        while kept.exists():
            number += 1
            kept = target.with_name(f"{target.stem}.{today}.{number}{target.suffix}")
        target.rename(kept)
    bring(notebooks, folder)
    return target, kept


def fingerprint(path: Path) -> str | None:
    """A digest of what a person writes in a file: of a notebook the cells' sources, of another file every byte.

    None means that the file cannot be read as what its name says it is.
    """
    try:
        content = path.read_bytes()
        if path.suffix != ".ipynb":
            return _digest(content)
        cells = []
        for cell in json.loads(content)["cells"]:
            source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
            text = "\n".join(line.rstrip() for line in source.splitlines()).strip("\n")
            if text:
                cells.append([cell["cell_type"], text])
        return _digest(json.dumps(cells).encode())
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def _shipped(notebooks: Path) -> list[Path]:
    """The course's files in reading order; START.md is written anew at each start, with the student's progress."""
    return sorted(
        path
        for path in notebooks.rglob("*")
        if path.is_file() and path.name != "START.md" and not any(part[0] in "._" for part in _parts(path, notebooks))
    )


def _parts(path: Path, root: Path) -> tuple[str, ...]:
    return path.relative_to(root).parts


def _find(notebooks: Path, lesson: str) -> Path:
    lessons = {_number(path.name): path for path in _shipped(notebooks) if path.suffix == ".ipynb"}
    wanted = _number(Path(lesson).name)
    if wanted not in lessons:
        raise InputError(
            f"{lesson!r} is not a lesson of this course; there are {', '.join(lessons) or 'none'}."
            + near_misses(wanted, lessons)
        )
    return lessons[wanted]


def _number(name: str) -> str:
    """`2_3_rfm.ipynb`, `2_3` and `2.3` are all lesson 2.3; a file without a number goes by its name."""
    parts = name.removesuffix(".ipynb").replace(".", "_").split("_")
    return ".".join(parts[:2]) if len(parts) > 1 and parts[0].isdigit() and parts[1].isdigit() else name


def _lessons(names: list[str]) -> str:
    numbers = [_number(Path(name).name) for name in names]
    return ", ".join(numbers if len(numbers) <= 8 else [*numbers[:7], f"and {len(numbers) - 7} more"])


def _read_record(folder: Path) -> dict[str, dict[str, str]]:
    """What was copied. A record that is lost or broken is an empty one: then every file that differs is kept."""
    try:
        record = json.loads((folder / OWN / "copies.json").read_bytes())
        return {str(name): dict(entry) for name, entry in record.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _write(path: Path, content: bytes) -> None:
    """All of the file or none of it, whatever happens in between."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(path)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
