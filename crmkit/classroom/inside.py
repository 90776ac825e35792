"""Inside the sandbox: `python -m crmkit.classroom.inside` prepares a lesson and runs the answers of submissions.

The process that grades starts it (`sandbox`), tells it the lesson as JSON, and gets values back as JSON (`values`). The
code of students runs here and nowhere else.
"""

import ast
import contextlib
import copy
import functools
import json
import os
import re
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from crmkit.classroom import isolation
from crmkit.classroom.sandbox import received
from crmkit.classroom.watching import MEMORY, Limits, Running, parsed, watched
from crmkit.errors import CrmkitError


@contextlib.contextmanager
def _forked(setup: Mapping, steps: list, answers: Mapping, line: socket.socket, skip: list[str]) -> Iterator[Running]:
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
        except Exception as error:
            _report(write, {"lost": _words(error)})
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

    running = Running(os.fdopen(read, "rb"), code, lambda: keeper.children(recursive=True))
    try:
        yield running
    finally:
        running.end()
        shutil.rmtree(folder, ignore_errors=True)


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
    tried = ((way, _walls(way, Path(setup["folder"]), setup["hidden"])) for way in isolation.WAYS)
    setup["way"], walls = next((way, walls) for way, walls in tried if walls is not None)
    _report(out, {"walls": walls})
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        _, lines, *_ = socket.recv_fds(link, 1, 1)
        if not lines:  # whoever grades has ended, in whatever way; the keepers end with this process
            shutil.rmtree(setup["folder"], ignore_errors=True)
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
        answers = json.loads(received(line))
        start = functools.partial(_forked, setup, steps, answers, line)
        try:
            outcomes = watched(start, answers, Limits(**setup["limits"]))
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
        report = parsed(told.readline())
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
        if name not in ("PATH", "TZ", "SYSTEMROOT", "WINDIR") and not name.startswith(
            ("LC_", "LANG", "PYTHON", "CRMKIT_SUB")
        ):
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
        return MEMORY.format(limits.memory)
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
