"""`crmkit grade`: every submission of a class, graded by the trainer's own lesson, and none of them stops the batch.

Only the student's answers are taken from a file (`submissions`), run behind walls (`sandbox`), and their values judged
here by the exercises themselves. Beside the table of grades lie the reasons of *defend* exercises for the trainer to mark
and a journal: interrupted, the same command goes on where it stopped; graded again is only what has changed.
"""

import hashlib
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

import crmkit
from crmkit import escape
from crmkit.classroom import exercises, isolation
from crmkit.classroom.exercise import Context, Defence, Exercise
from crmkit.classroom.grammar import Lesson
from crmkit.classroom.pages import find
from crmkit.classroom.sandbox import Room
from crmkit.classroom.submissions import Submission, collect, readable
from crmkit.classroom.values import decode
from crmkit.classroom.watching import Limits
from crmkit.errors import CrmkitError, InputError

#: What an exercise can come to. "stopped" and "failed" say that there is no value to judge.
RESULTS = ("right", "wrong", "not answered", "failed", "stopped", "not checked")


@dataclass
class Judged:
    """One exercise of one student: the result, points, the words that help, and what a *defend* answer said.

    `mistake` is set if the answer is one that the exercise knows: its own words.
    """

    result: str
    points: int = 0
    words: tuple[str, ...] = ()
    mistake: str = ""
    defence: tuple[str, str, str] | None = None


@dataclass
class Graded:
    """The batch: one row a submission, the reasons to mark, and in words how safely it was run."""

    grades: pd.DataFrame
    to_mark: pd.DataFrame
    judged: list[tuple[Submission, dict[str, Judged]]]
    heading: str

    def __str__(self) -> str:
        done = self.grades[self.grades["state"] == "graded"]
        mean = f" On average {done['points'].mean():.1f} of {done['out_of'].iloc[0]} points." if len(done) else ""
        rest = len(self.grades) - len(done)
        return f"{len(done)} graded, {rest} not graded.{mean}\n{self.heading}"


def grade(
    folder: Path | str,
    lesson: str,
    out: Path | str = "grades.csv",
    *,
    feedback: Path | str | None = None,
    jobs: int | None = None,
    seconds: float = Limits.seconds,
    memory: int = Limits.memory,
    progress: Callable[[str], None] = lambda line: None,
    fork: bool | None = None,
) -> Graded:
    """Grade every submission in a folder, and write the table of grades.

    Parameters
    ----------
    folder : where the files lie: notebooks and zips, in sub-folders or not; or one such file.
    lesson : the number of the lesson ("2.3"), or the path of a trainer's own lesson file.
    out : the CSV to write, one row a submission (columns: see docs/grading.md). `defend_to_mark.csv` is written beside it.
    feedback : a folder for one HTML page a student.
    jobs : how many submissions run at a time; one a processor unless told.
    seconds, memory : seconds of computing for one answer, and MB of memory for one submission.
    progress : called with one line for each submission.
    fork : False prepares the lesson anew for each submission, as on macOS and Windows.

    Raises InputError for a lesson or folder that is not there.
    """
    folder, out, lesson = Path(folder), Path(out), find(lesson)
    known = {name: exercise for name, exercise in exercises.of_lesson(lesson.number).items() if name in _order(lesson)}
    if not known:
        raise InputError(f"lesson {lesson.number} has no exercises to grade.")
    for name, number in (("jobs", jobs), ("seconds", seconds), ("memory", memory)):
        if number is not None and number <= 0:
            raise InputError(f"{name} must be more than 0, not {number}.")
    if not out.absolute().parent.is_dir():
        raise InputError(f"there is no folder {str(out.parent)!r} for the grades.")
    if out.is_dir() or out.suffix.lower() != ".csv":
        raise InputError(f"the grades go to a file that ends in .csv, not {str(out)!r}.")
    journal, marks = out.with_name(f".{out.stem}.journal"), out.with_name("defend_to_mark.csv")
    pages = Path(feedback) if feedback else None
    found = collect(folder, lesson, [out, marks, journal, *([pages] if pages else [])])
    limits = Limits(float(seconds), memory)
    sources = [lesson.path, *sorted({Path(sys.modules[type(one).__module__].__file__) for one in known.values()})]
    stamp = f"{[_digest(path.read_bytes()) for path in sources]} {crmkit.__version__} {asdict(limits)}"
    judged, heading = _judge_all(found, lesson, known, limits, jobs, journal, stamp, folder, progress, fork)
    grades = _grades(judged, lesson, known)
    to_mark = _to_mark(judged, known)
    _write(grades, out)
    _write(to_mark, marks)
    if pages:
        from crmkit.classroom.feedback import write_pages

        write_pages(judged, lesson, known, pages)
    return Graded(grades, to_mark, judged, heading)


def judge(exercise: Exercise, outcome: Mapping[str, Any], context: Context) -> Judged:
    """What the outcome of an answer is worth, by the same rules as `check` in the notebook.

    >>> judge(exercises.find("2.3-1"), {"stopped": "It took too long."}, Context()).words
    ('It took too long.',)
    """
    for name, result in (("stopped", "stopped"), ("error", "failed")):
        if name in outcome:
            return Judged(result, words=(readable(outcome[name], 500),))
    try:
        given = decode(outcome.get("value", ["blank"]))
    except ValueError:
        return Judged("failed", words=("What the answer gave could not be read.",))
    if given is ...:
        return Judged("not answered")
    defence = None
    if isinstance(given, Defence):
        defence = tuple(readable(part, 5000) for part in (given.choice, given.figure, given.because))
    try:
        reason, mistake = exercise.judged(context, given)
    except Exception as error:
        text = f"The exercise itself failed ({type(error).__name__}), which is a defect of the course."
        return Judged("not checked", words=(text,), defence=defence)
    if reason is None:
        return Judged("right", exercise.points, (exercise.meaning,) if exercise.meaning else (), "", defence)
    hint = mistake or exercise.nudge
    return Judged("wrong", 0, (readable(reason, 500), *([f"Hint: {hint}"] if hint else [])), mistake, defence)


def _judge_all(
    found: Sequence[Submission],
    lesson: Lesson,
    known: Mapping[str, Exercise],
    limits: Limits,
    jobs: int | None,
    journal: Path,
    stamp: str,
    folder: Path,
    progress: Callable[[str], None],
    fork: bool | None,
) -> tuple[list[tuple[Submission, dict[str, Judged]]], str]:
    """Run and judge what the journal does not know yet."""
    keys = {id(one): _digest(f"{stamp} {one.digest}".encode()) for one in found}
    done = _remembered(journal)
    waiting = {keys[id(one)]: one for one in found if not one.refused and one.answers and keys[id(one)] not in done}
    context, heading = Context(), "Nothing was run: all of it is as it was graded before."
    if waiting:
        options = {} if fork is None else {"fork": fork}
        progress(f"Preparing lesson {lesson.number} for {len(waiting)} of {len(found)} files ...")
        hidden = [folder] if folder.is_dir() else []
        with Room(lesson, limits, hidden, **options) as room, journal.open("a", encoding="utf-8") as log:
            heading = _heading(room.walls, limits)
            progress(heading)
            pool = ThreadPoolExecutor(jobs or os.cpu_count() or 1)
            try:
                running = {pool.submit(_outcomes, room, one.answers): (key, one) for key, one in waiting.items()}
                for number, future in enumerate(as_completed(running), start=1):
                    key, one = running[future]
                    outcomes = future.result()
                    done[key] = {name: judge(known[name], outcome, context) for name, outcome in outcomes.items()}
                    told = {name: asdict(judged) for name, judged in done[key].items()}
                    log.write(json.dumps({"key": key, "judged": told}) + "\n")
                    log.flush()
                    progress(f"{number} of {len(waiting)}: {one.file}: {_summary(done[key], known)}")
            finally:
                room.close()
                pool.shutdown(cancel_futures=True)
    return [(one, {} if one.refused else done.get(keys[id(one)], {})) for one in found], heading


def _outcomes(room: Room, answers: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]:
    for _ in range(2):  # whoever shared a room with one that broke it gets a new room
        try:
            return room.run(answers)
        except CrmkitError as error:
            reason = str(error)
    return {name: {"stopped": f"It could not be run: {reason}"} for name in answers}


def _remembered(journal: Path) -> dict[str, dict[str, Judged]]:
    """What was judged before; a line that was cut off in the middle is not there."""
    done = {}
    for line in journal.read_text(encoding="utf-8").splitlines() if journal.is_file() else []:
        try:
            entry = json.loads(line)
            done[entry["key"]] = {name: Judged(**told) for name, told in entry["judged"].items()}
        except (ValueError, LookupError, TypeError, AttributeError):
            continue
    return done


def _grades(judged: Sequence, lesson: Lesson, known: Mapping[str, Exercise]) -> pd.DataFrame:
    """One row a submission: totals and reason, then points, result and words of each exercise."""
    optional = _optional(lesson)
    core = sum(exercise.points for name, exercise in known.items() if name not in optional)
    rows = []
    for one, results in judged:
        state = "superseded" if one.refused.startswith("superseded") else "not graded" if one.refused else "graded"
        row = {"student": one.student, "state": state, "reason": _reason(one, results, known)}
        results = {name: results.get(name, Judged("not answered")) for name in known} if state == "graded" else {}
        points = {name: result.points for name, result in results.items()}
        row["points"] = sum(value for name, value in points.items() if name not in optional) if results else None
        row["out_of"] = core
        row["extra_points"] = sum(value for name, value in points.items() if name in optional) if results else None
        row |= {f"{name} points": points.get(name) for name in known}
        row |= {f"{name} result": results[name].result if results else "" for name in known}
        row |= {f"{name} words": _words(results[name]) if results else "" for name in known}
        rows.append(row | {"file": one.file, "handed_in": one.handed_in})
    frame = pd.DataFrame(rows)
    numbers = ["points", "out_of", "extra_points", *(f"{name} points" for name in known)]
    return frame.astype(dict.fromkeys(numbers, "Int64")).sort_values(["student", "file"], ignore_index=True)


def _to_mark(judged: Sequence, known: Mapping[str, Exercise]) -> pd.DataFrame:
    columns = ["student", "exercise", "choice", "figure", "checked", "because", "rubric", "marks", "file"]
    rows = [
        (
            one.student,
            name,
            *result.defence[:2],
            result.result,
            result.defence[2],
            known[name].rubric.strip(),
            "",
            one.file,
        )
        for one, results in judged
        for name, result in results.items()
        if result.defence and known[name].level == "defend"
    ]
    return pd.DataFrame(rows, columns=columns).sort_values(["exercise", "student"], ignore_index=True)


def _reason(one: Submission, results: Mapping[str, Judged], known: Mapping[str, Exercise]) -> str:
    """In words, for the trainer who reads only one column."""
    if one.refused:
        return one.refused
    text = _summary(results, known)
    for name, result in results.items():
        if result.result in ("stopped", "failed", "not checked"):
            text += f"; {name}: {' '.join(result.words)}"
    text = "; ".join([text.rstrip("."), *one.notes])
    return text if text.endswith("?") else f"{text}."


def _summary(results: Mapping[str, Judged], known: Mapping[str, Exercise]) -> str:
    if not any(result.result != "not answered" for result in results.values()):
        return "blank: no answer was filled in"
    counts = {name: sum(result.result == name for result in results.values()) for name in RESULTS}
    counts["not answered"] += len(known) - len(results)
    return ", ".join(f"{number} {name}" for name, number in counts.items() if number)


def _words(judged: Judged) -> str:
    """What a class has in common: the words of the known mistake, else what was wrong."""
    return judged.mistake or (judged.words[0] if judged.words and judged.result != "right" else "")


def _heading(walls: set[str], limits: Limits) -> str:
    network = "cut off by the kernel" if isolation.NETWORK in walls else "refused by Python only"
    files = "read-only outside its folder" if isolation.FILES in walls else "outside its folder refused by Python only"
    ended = "all end with it" if isolation.PROCESSES in walls else "programs refused by Python, forks ended with it"
    kept = f"at most {limits.seconds:g} s an answer and {limits.memory:,} MB"
    return f"Each submission alone, {kept}; network: {network}; files: {files}; processes: {ended}."


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _order(lesson: Lesson) -> list[str]:
    return [cell.key for cell in lesson.cells if "solution" in cell.tags]


def _optional(lesson: Lesson) -> set[str]:
    return {cell.key.removesuffix("-task") for cell in lesson.cells if "optional" in cell.tags}


def _write(frame: pd.DataFrame, path: Path) -> None:
    """All of the table or none; with the mark by which Excel knows Chinese names."""
    part = path.with_name(f".{path.name}.part")
    escape.cells(frame).to_csv(part, index=False, encoding="utf-8-sig", lineterminator="\n")
    part.replace(path)
