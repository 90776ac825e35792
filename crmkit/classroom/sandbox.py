"""The room in which submissions run: the lesson is prepared once, then each submission runs in a process of its own.

    grader ──socket──▶ room (the lesson's own cells have run) ──fork──▶ keeper (watches) ──fork──▶ submission

What the lesson's cells made is put back before each answer, so an answer sees the lesson's own tables, whatever an
earlier one did to them or to pandas. Only the values of the answers come back, as JSON (`values`). An answer that hangs,
ends Python or takes too much memory is stopped; the others are run again without it. Where a process cannot be copied
safely (macOS, Windows) each submission prepares the lesson for itself: the same rules, some seconds slower.
"""

import contextlib
import functools
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from crmkit.classroom.grammar import Lesson
from crmkit.classroom.watching import Limits, Running, parsed, watched
from crmkit.errors import CrmkitError

_CAN_FORK = sys.platform == "linux"
_KEPT = ("PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "WINDIR", "USERPROFILE")
_KEPT += ("VIRTUAL_ENV", "CONDA_PREFIX", "LD_LIBRARY_PATH", "MPLCONFIGDIR", "XDG_CACHE_HOME", "LOCALAPPDATA")
_MARK = "CRMKIT_SUBMISSION"


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
            try:
                self._open()
            except BaseException:
                self.close()
                raise

    def run(self, answers: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]:
        """Run the sources of each exercise; returns by exercise `{"value": …}`, `{"error": text}` or `{"stopped": text}`.

        Raises CrmkitError if the room itself was lost; the next call opens a new one.
        """
        if not self._fork:
            return watched(functools.partial(self._spawned, answers), answers, self.limits)
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
                return json.loads(received(mine))
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
    def _spawned(self, answers: Mapping[str, Sequence[str]], skip: list[str]) -> Iterator[Running]:
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

        running = Running(python.stdout, python.poll, family)
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
        told = parsed(self._room.stdout.readline()) or {"lost": "the process ended"}
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
    return subprocess.Popen([sys.executable, "-m", "crmkit.classroom.inside"], cwd=folder, env=kept, **pipes, **options)


def received(line: socket.socket) -> bytes:
    """All that the other side sends until it has no more."""
    return b"".join(iter(lambda: line.recv(2**16), b""))
