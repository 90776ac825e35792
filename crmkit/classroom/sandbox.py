"""The room in which submissions run: the lesson is prepared once, then each submission runs in a process of its own.

    grader ──socket──▶ room (the lesson's own cells have run) ──fork──▶ keeper (watches) ──fork──▶ submission

What the lesson's cells made is put back before each answer, so an answer sees the lesson's own tables, whatever an
earlier one did to them or to pandas. Only the values of the answers come back, as JSON (`values`). An answer that hangs,
ends Python or takes too much memory is stopped; the others are run again without it. Where a process cannot be copied
safely (macOS, Windows) each submission prepares the lesson for itself: the same rules, some seconds slower.
"""

import ast
import contextlib
import copy
import functools
import json
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from crmkit.classroom import isolation
from crmkit.classroom.grammar import Lesson
from crmkit.errors import CrmkitError

#: An answer may wait three times as long as it may compute, a submission compute four times as long as one answer.
PATIENCE, ANSWERS, SUBMISSION_PATIENCE = 3, 4, 8
_START, _MOST, _LOOK = 180, 64 * 2**20, 0.1
_CAN_FORK = sys.platform == "linux"
_KEPT = ("PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "WINDIR", "USERPROFILE")
_KEPT += ("VIRTUAL_ENV", "CONDA_PREFIX", "LD_LIBRARY_PATH", "MPLCONFIGDIR", "XDG_CACHE_HOME", "LOCALAPPDATA")
_MARK = "CRMKIT_SUBMISSION"
_MEMORY = "The answer needed more than {:,} MB of memory and was stopped. Work with fewer rows at a time."


@dataclass(frozen=True)
class Limits:
    """Seconds of computing for one answer; megabytes of memory for a submission, beyond what the lesson itself needs."""

    seconds: float = 10
    memory: int = 2048


class Room:
    """A lesson made ready for submissions; `run` may be called from several threads. Close it, or use `with`.

    `walls` says what the system holds (`isolation`). `hidden` are folders that no submission may read, such as the one
    where all submissions lie.
    """

    def __init__(self, lesson: Lesson, limits: Limits, hidden: Sequence[Path] = (), *, fork: bool = _CAN_FORK) -> None:
        vital = [Path(place).resolve() for place in (sys.prefix, sys.base_prefix, *filter(os.path.isdir, sys.path))]
        hidden = [path.resolve() for path in hidden]
        hidden = [path for path in hidden if not any(path in (place, *place.parents) for place in vital)]
        self.limits, self._fork, self._lock = limits, fork, threading.Lock()
        self._folder = Path(tempfile.mkdtemp(prefix="crmkit-grade-"))
        self._setup = {
            "cells": _steps(lesson),
            "limits": asdict(limits),
            "hidden": [str(path) for path in hidden],
            "folder": str(self._folder),
        }
        self.walls: set[str] = set()
        self._closed, self._live = False, set()
        if fork:
            self._open()

    def run(self, answers: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]:
        """Run the sources of each exercise; returns by exercise `{"value": …}`, `{"error": text}` or `{"stopped": text}`.

        Raises CrmkitError if the room itself was lost; the next call opens a new one.
        """
        if not self._fork:
            return _watched(functools.partial(self._spawned, answers), answers, self.limits)
        mine, theirs = socket.socketpair()
        with mine:
            with self._lock, theirs:
                if self._room.poll() is not None and not self._closed:
                    self._open()
                with contextlib.suppress(OSError):
                    socket.send_fds(self._link, [b"+"], [theirs.fileno()])
            with contextlib.suppress(OSError, ValueError):
                mine.sendall(json.dumps(answers).encode())
                mine.shutdown(socket.SHUT_WR)
                return json.loads(_all(mine))
        raise CrmkitError("the process that keeps this submission was ended from outside.")

    def close(self) -> None:
        """End everything that still runs."""
        self._closed = True
        if self._fork:
            self._link.close()
            self._room.kill()
            self._room.wait()
        for python in [*self._live]:
            python.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> "Room":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def _spawned(self, answers: Mapping[str, Sequence[str]], skip: list[str]) -> Any:
        """A submission in a new Python, which prepares the lesson for itself."""
        import psutil

        if self._closed:
            raise CrmkitError("grading was stopped.")
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        python = _python(folder, {_MARK: folder.name})
        self._live.add(python)
        with contextlib.suppress(OSError):
            python.stdin.write(json.dumps({**self._setup, "answers": answers, "skip": skip}).encode())
            python.stdin.close()
        parent = psutil.Process(python.pid)

        def family() -> list:
            with contextlib.suppress(psutil.Error):
                return [parent, *parent.children(recursive=True)]
            return [parent]

        running = _Running(python.stdout, python.poll, family)
        try:
            yield running
        finally:
            running.end()
            for process in psutil.process_iter():  # what left its parent still has the mark in its environment
                with contextlib.suppress(psutil.Error, OSError):
                    if process.environ().get(_MARK) == folder.name:
                        process.kill()
            python.wait()
            self._live.discard(python)
            shutil.rmtree(folder, ignore_errors=True)

    def _open(self) -> None:
        self._link, theirs = socket.socketpair()
        with theirs:
            self._room = _python(self._folder, {}, start_new_session=True, pass_fds=[theirs.fileno()])
            setup = {**self._setup, "link": theirs.fileno()}
        self._room.stdin.write(json.dumps(setup).encode())
        self._room.stdin.close()
        told = _parsed(self._room.stdout.readline()) or {"lost": "the process ended"}
        if "lost" in told:
            raise CrmkitError(f"the lesson cannot be prepared for grading: {told['lost']}.")
        self.walls = set(told["walls"])


def _steps(lesson: Lesson) -> list[dict[str, Any]]:
    """The code cells up to the last exercise; of an exercise only its place."""
    code = [cell for cell in lesson.cells if cell.kind == "code"]
    last = max((place for place, cell in enumerate(code) if "solution" in cell.tags), default=-1)
    return [
        {"key": cell.key, "answer": cell.answers, "source": "" if cell.answers else cell.source}
        for cell in code[: last + 1]
        if not {"instructor", "check", "own-data"} & set(cell.tags)
    ]


def _python(folder: Path, more: Mapping[str, str], **options: Any) -> subprocess.Popen:
    """A Python that knows nothing of the trainer's environment but where programs and libraries are."""
    kept = {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith("LC_")}
    one_thread = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")}
    places = os.pathsep.join([str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")])
    kept |= {"PYTHONPATH": places.rstrip(os.pathsep), "PYTHONUTF8": "1", "MPLBACKEND": "Agg", **one_thread, **more}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([sys.executable, "-m", __name__], cwd=folder, env=kept, **pipes, **options)


def _all(line: socket.socket) -> bytes:
    return b"".join(iter(lambda: line.recv(2**16), b""))


# ---------------------------------------------------------------------------------------------- watching a submission


class _Running:
    """A submission that runs: what it reports, and what it and everything it started take."""

    def __init__(self, pipe: BinaryIO, code: Callable[[], int | None], family: Callable[[], list]) -> None:
        import psutil

        self._psutil, self.code, self._family = psutil, code, family
        self._known: dict[int, Any] = {}
        self._began, self._looked, self._base = time.monotonic(), 0.0, -1
        self.computed, self._at_begin, self._start = 0.0, 0.0, 0.0
        self.reports: queue.Queue = queue.Queue()
        threading.Thread(target=self._listen, args=(pipe,), daemon=True).start()

    def _listen(self, pipe: BinaryIO) -> None:
        heard = 0
        with pipe, contextlib.suppress(OSError, ValueError):
            for line in iter(lambda: pipe.readline(_MOST), b""):
                heard += len(line)
                self.reports.put(line if heard < _MOST else b"")
        self.reports.put(b"")

    def begin(self, *, ready: bool) -> None:
        """From now on the limits of one answer count anew; what it took to make ready does not count at all."""
        self.look()
        if ready:
            self._base = max((_bytes(process) for process in self._known.values()), default=0)
            self.computed, self._start = 0.0, self.computed
        self._began, self._at_begin = time.monotonic(), self.computed

    def look(self) -> None:
        for process in self._family():
            self._known.setdefault(process.pid, process)
        computed = sum(_seconds(process) for process in self._known.values())
        self.computed = max(self.computed, computed - self._start)
        self._looked = time.monotonic()

    def too_much(self, limits: Limits) -> str:
        """In words what is over the limit of one answer; no text if nothing is."""
        if time.monotonic() - self._looked < _LOOK:
            return ""
        self.look()
        waited = time.monotonic() - self._began
        if self._base < 0:
            return "The lesson could not be prepared for this submission in time." if waited > _START else ""
        if sum(max(0, _bytes(process) - self._base) for process in self._known.values()) > limits.memory * 2**20:
            return _MEMORY.format(limits.memory)
        if self.computed - self._at_begin > limits.seconds:
            return (
                f"The answer was stopped after {limits.seconds:g} seconds of computing. Is there a loop without an end?"
            )
        if waited > limits.seconds * PATIENCE:
            return f"The answer was stopped after {limits.seconds * PATIENCE:g} seconds of waiting."
        return ""

    def end(self) -> None:
        """Stop the process and everything that it started."""
        for _ in range(20):
            self.look()
            alive = [process for process in self._known.values() if _is_alive(process)]
            if not alive:
                return
            for process in alive:
                with contextlib.suppress(self._psutil.Error):
                    process.kill()
            self._psutil.wait_procs(alive, timeout=1)


def _watched(start: Callable[[list[str]], Any], order: Mapping[str, Any], limits: Limits) -> dict[str, dict[str, Any]]:
    """Run until every exercise has an outcome. What hangs or dies costs one exercise; the rest runs again without it."""
    outcomes: dict[str, dict[str, Any]] = {}
    skip: list[str] = []
    computed, until = 0.0, time.monotonic() + limits.seconds * SUBMISSION_PATIENCE
    while set(order) - set(outcomes):
        with start(skip) as running:
            current, words = _followed(running, order, outcomes, limits)
            running.look()
            computed += running.computed
        if current is None or current in skip:
            return {name: outcomes.get(name, {"stopped": words}) for name in order}
        outcomes[current] = {"stopped": words}
        skip.append(current)
        if computed > limits.seconds * ANSWERS or time.monotonic() > until:
            whole = f"Not run: the answers before it took more than {limits.seconds * ANSWERS:g} seconds together."
            return {name: outcomes.get(name, {"stopped": whole}) for name in order}
    return outcomes


def _followed(running: _Running, order: Mapping[str, Any], outcomes: dict, limits: Limits) -> tuple[str | None, str]:
    """Collect outcomes to the end; returns the exercise at which it stopped, if one did, and why."""
    current, gone = None, 0
    while True:
        try:
            line = running.reports.get(timeout=_LOOK)
        except queue.Empty:
            # a process that was started by the answer may keep the line open: ask for the end of the answer itself
            gone += running.code() is not None
            line = b"" if gone > 2 else None
        if line is not None:
            report = _parsed(line)
            if report is None or "finished" in report:
                return (None, "This answer was not reached.") if report else (current, _ended(running))
            if "lost" in report and current is None:
                raise CrmkitError(f"the lesson cannot be prepared: {report['lost']}.")
            if report.get("begins") in order:
                current = report["begins"]
            elif report.get("ends") == current is not None:
                outcomes.setdefault(current, {key: report[key] for key in ("value", "error") if key in report})
            running.begin(ready="ready" in report)
        if words := running.too_much(limits):
            return current, words


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        report = json.loads(line)
        return report if isinstance(report, dict) else None
    except (ValueError, RecursionError):
        return None


def _ended(running: _Running) -> str:
    for _ in range(20):
        if (code := running.code()) is not None:
            break
        time.sleep(_LOOK / 2)
    else:
        return "What the answer gave could not be read."
    return f"The answer ended Python itself (exit code {code}), so nothing of it could be read."


def _seconds(process: Any) -> float:
    with contextlib.suppress(Exception):
        times = process.cpu_times()
        return times.user + times.system + getattr(times, "children_user", 0) + getattr(times, "children_system", 0)
    return 0.0


def _bytes(process: Any) -> int:
    with contextlib.suppress(Exception):
        return process.memory_info().rss
    return 0


def _is_alive(process: Any) -> bool:
    with contextlib.suppress(Exception):
        return process.is_running() and process.status() != "zombie"
    return False


# ---------------------------------------------------------------------------------------------- starting a submission


@contextlib.contextmanager
def _forked(setup: Mapping, steps: list, answers: Mapping, line: socket.socket, skip: list[str]) -> Any:
    """A submission in a copy of this process, behind walls."""
    import psutil

    folder = Path(tempfile.mkdtemp(dir=setup["folder"]))
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        code = 70
        try:
            os.close(read)
            os.close(line.fileno())
            isolation.die_with_parent()
            walls = isolation.enter(setup["way"], folder, setup["hidden"])
            inner = os.fork() if isolation.PROCESSES in walls else 0
            if inner:
                os.close(write)
                code = os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1])
            else:
                isolation.die_with_parent()
                os.setsid()  # a signal to the whole group stays in it
                _answer(steps, answers, skip, write, walls, folder, Limits(**setup["limits"]))
                code = 0
        finally:
            os._exit(code if code >= 0 else 128 - code)
    os.close(write)
    keeper, codes = psutil.Process(), []

    def code() -> int | None:
        if not codes:
            with contextlib.suppress(ChildProcessError):
                pid, status = os.waitpid(child, os.WNOHANG)
                codes.extend([os.waitstatus_to_exitcode(status)] if pid else [])
        return codes[0] if codes else None

    running = _Running(os.fdopen(read, "rb"), code, lambda: keeper.children(recursive=True))
    try:
        yield running
    finally:
        running.end()
        shutil.rmtree(folder, ignore_errors=True)


# ------------------------------------------------------------------------------------------------- inside the new Python


def _main() -> None:
    setup = json.loads(sys.stdin.buffer.read())
    out, nowhere = os.dup(1), os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    try:
        steps = _prepared(setup["cells"])
    except BaseException as error:
        _report(out, {"lost": f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"})
        os._exit(1)
    if "link" in setup:
        _serve(socket.socket(fileno=setup["link"]), setup, steps, out)
    else:
        limits = Limits(**setup["limits"])
        _answer(steps, setup["answers"], setup["skip"], out, set(), Path.cwd(), limits)
        os._exit(0)


def _serve(link: socket.socket, setup: dict[str, Any], steps: list, out: int) -> None:
    """Start a keeper for each submission that comes through the link, until the link is closed."""
    import gc

    gc.freeze()
    isolation.die_with_parent()
    tried = ((way, _walls(way, Path(setup["folder"]), setup["hidden"])) for way in isolation.WAYS)
    setup["way"], walls = next((way, walls) for way, walls in tried if walls is not None)
    _report(out, {"walls": walls})
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        _, lines, *_ = socket.recv_fds(link, 1, 1)
        if not lines:
            os._exit(0)
        if os.fork() == 0:
            try:
                link.close()
                _keep(socket.socket(fileno=lines[0]), setup, steps)
            finally:
                os._exit(0)
        os.close(lines[0])


def _keep(line: socket.socket, setup: Mapping[str, Any], steps: list) -> None:
    """A keeper: reads the answers of one submission, has them run, and sends the outcomes back."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    isolation.die_with_parent()
    isolation.adopt_orphans()
    with line:
        answers = json.loads(_all(line))
        start = functools.partial(_forked, setup, steps, answers, line)
        try:
            outcomes = _watched(start, answers, Limits(**setup["limits"]))
        except Exception as error:
            words = f"A fault in grading, not in the answer: {_words(error)}."
            outcomes = {exercise: {"stopped": words} for exercise in answers}
        line.sendall(json.dumps(outcomes).encode())


def _walls(way: str, folder: Path, hidden: Sequence[str]) -> list[str] | None:
    """Which walls stand on this way, tried out in a process of its own; None if the system does not go it."""
    read, write = os.pipe()
    if os.fork() == 0:
        with contextlib.suppress(BaseException):
            walls = isolation.enter(way, folder, hidden)
            if os.fork() == 0:
                with contextlib.suppress(BaseException):
                    isolation.settle(walls, folder)
                    _report(write, {"walls": sorted(walls)})
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as told:
        report = _parsed(told.readline())
    os.wait()
    return report and report["walls"]


def _prepared(cells: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, dict[str, Any]]]:
    """Run the lesson's own cells; before each answer keep what those since the last one made or changed."""
    _calm_engine()
    import crmkit.classroom

    crmkit.classroom.check = crmkit.classroom.progress = _nothing
    namespace, touched, steps = _namespace(), set(), []
    for cell in cells:
        if cell["answer"]:
            made = {name: _kept(namespace[name]) for name in sorted(touched & set(namespace))}
            steps.append((cell["key"], cell["answer"], made))
            touched = set()
            continue
        try:
            exec(compile(cell["source"], cell["key"], "exec"), namespace)
        except Exception as error:
            raise CrmkitError(f"cell {cell['key']!r}: {type(error).__name__}: {error}") from error
        touched |= _touched(ast.parse(cell["source"]))
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
    return steps


def _calm_engine() -> None:
    """DuckDB and Arrow without threads of their own: a thread does not live on in a copied process, and queries hang."""
    import pyarrow
    from ibis.backends.duckdb import Backend

    pyarrow.set_cpu_count(1)
    connect = Backend.do_connect

    def calm(self: Any, *places: Any, **options: Any) -> Any:
        try:
            return connect(self, *places, **{"threads": 1, "async_threads": 0, **options})
        except Exception:  # before version 2 it has no asynchronous threads, and no such setting
            return connect(self, *places, **{"threads": 1, **options})

    Backend.do_connect = calm


def _nothing(*_: Any, **__: Any) -> None:
    """In place of what only a notebook shows."""


def _namespace() -> dict[str, Any]:
    return {"__name__": "__main__", "__builtins__": __builtins__, "display": _nothing}


def _kept(value: Any) -> Any:
    """A copy of what a later cell could change in place."""
    kinds = tuple(getattr(sys.modules.get("pandas"), name, dict) for name in ("DataFrame", "Series"))
    return copy.copy(value) if type(value) in (list, dict, set, *kinds) else value


def _touched(tree: ast.AST) -> set[str]:
    """The names that a cell sets, or whose object it changes in place."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            names.add(_root(node.value.func))
        elif isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
            names.add(_root(node))
    return names


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return getattr(node, "id", "")


def _answer(
    steps: list, answers: Mapping, skip: Sequence[str], out: int, walls: set[str], folder: Path, limits: Limits
) -> None:
    """Run the answers, each after what the lesson made up to there, and report the values."""
    from crmkit.classroom.values import encode

    places = dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP", "USERPROFILE"), str(folder))
    for name in [*os.environ]:
        if name not in ("PATH", "TZ", "SYSTEMROOT", "WINDIR", _MARK) and not name.startswith(("LC_", "LANG", "PYTHON")):
            del os.environ[name]
    os.environ.update(places)
    os.chdir(folder)
    tempfile.tempdir = None
    _limit(limits)
    isolation.settle(walls, folder)
    report = functools.partial(_report, out, write=os.write, dumps=json.dumps)
    namespace = _namespace()
    report({"ready": True})
    for exercise, answer, made in steps:
        namespace.update(made)
        if exercise in skip or exercise not in answers:
            continue
        report({"begins": exercise})
        namespace.setdefault(answer, ...)
        failed = [text for source in answers[exercise] if (text := _failed(source, namespace, limits))]
        told = {"error": failed[-1]} if failed else {}
        if not failed or namespace.get(answer, ...) is not ...:
            try:
                told = {"value": encode(namespace.get(answer, ...))}
            except BaseException as error:
                told = {"error": f"The answer could not be read: {_words(error)}."}
        report({"ends": exercise, **told})
    report({"finished": True})


def _limit(limits: Limits) -> None:
    with contextlib.suppress(ImportError):  # Windows: the keeper watches memory and time alone
        import resource

        most = {"CORE": 0, "FSIZE": isolation.ROOM * 2**20, "CPU": int(time.process_time() + limits.seconds * 10 + 10)}
        if sys.platform == "linux":
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            most["AS"] = pages * resource.getpagesize() + limits.memory * 2**20
        for name, number in most.items():
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (number, number))


def _failed(source: str, namespace: dict[str, Any], limits: Limits) -> str:
    """Run one cell; returns in words why it stopped, if it did."""
    try:
        exec(compile(_plain(source), "<answer>", "exec", dont_inherit=True), namespace)
    except MemoryError:
        return _MEMORY.format(limits.memory)
    except SyntaxError as error:
        return f"The cell is not Python: {_words(error)} (line {error.lineno})."
    except SystemExit:
        return "The cell calls `exit`, which would end the notebook; leave it out."
    except BaseException as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "<answer>"]
        place = f" (line {lines[-1]})" if lines else ""
        return f"The cell stops with {_words(error)}{place}."
    return ""


def _words(error: BaseException) -> str:
    try:
        text = " ".join(str(getattr(error, "msg", error)).split())[:300].rstrip(".")
    except BaseException:
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _plain(source: str) -> str:
    """The cell without a notebook's own commands (`%time`, `!ls`), if it is no Python with them."""
    try:
        compile(source, "<answer>", "exec", dont_inherit=True)
        return source
    except (SyntaxError, ValueError):
        timed = re.sub(r"(?m)^([ \t]*)%time[ \t]+(?=\S)", r"\1", source)
        return re.sub(r"(?m)^([ \t]*)[%!?].*$", r"\1pass", timed)


def _report(out: int, told: Mapping[str, Any], write: Callable = os.write, dumps: Callable = json.dumps) -> None:
    text = dumps(told).encode() + b"\n"
    while text:
        text = text[write(out, text) :]


if __name__ == "__main__":
    _main()
