"""One submission watched from outside: what it reports, what it takes, and when it has to be stopped.

A submission reports in lines of JSON: it is ready, an answer begins, an answer ends with a value or an error, it has
finished. What it says is never believed further than that: a report that makes no sense ends it.
"""

import json
import queue
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

from crmkit.errors import CrmkitError

#: An answer may wait three times as long as it may compute, a submission compute four times as long as one answer.
PATIENCE, ANSWERS, WHOLE_PATIENCE = 3, 4, 8
#: Seconds to make a lesson ready; bytes that a submission may report; seconds between two looks at it.
_START, _MOST, _LOOK = 180, 32 * 2**20, 0.1
MEMORY = "The answer needed more than {:,} MB of memory and was stopped. Work with fewer rows at a time."


@dataclass(frozen=True)
class Limits:
    """Seconds of computing for one answer; megabytes of memory for a submission, beyond what the lesson itself needs."""

    seconds: float = 10
    memory: int = 2048


class Running:
    """A submission that runs. `code` gives its exit code once it has ended, `family` it and all that it started."""

    def __init__(self, pipe: BinaryIO, code: Callable[[], int | None], family: Callable[[], list]) -> None:
        self._code, self._family, self._known = code, family, {}
        self._began, self._looked, self._base = time.monotonic(), 0.0, -1
        self.computed, self._at_begin, self._at_ready, self._gone = 0.0, 0.0, 0.0, 0
        self._ready, self._lines = 0.0, queue.Queue()
        threading.Thread(target=self._listen, args=(pipe,), daemon=True).start()

    def _listen(self, pipe: BinaryIO) -> None:
        heard = 0
        with pipe, suppress(OSError, ValueError):
            for line in iter(lambda: pipe.readline(_MOST), b""):
                heard += len(line)
                self._lines.put(line if heard < _MOST else b"")
        self._lines.put(b"")

    def report(self) -> dict[str, Any] | None:
        """The next report; an empty one if there is none yet, None if there will be no more that makes sense."""
        try:
            return parsed(self._lines.get(timeout=_LOOK))
        except queue.Empty:
            # a process that an answer started may keep the pipe open: so ask for the end of the submission itself
            self._gone += self._code() is not None
            return {} if self._gone < 3 else None

    def begin(self, *, ready: bool = False) -> None:
        """From now on the limits of one answer count anew; what it took to make ready does not count at all."""
        self.look()
        if ready:
            self._base = max((_bytes(process) for process in self._known.values()), default=0)
            self._ready = time.monotonic()
            self.computed, self._at_ready = 0.0, self.computed
        self._began, self._at_begin = time.monotonic(), self.computed

    @property
    def waited(self) -> float:
        """Seconds since it was ready."""
        return time.monotonic() - self._ready if self._base >= 0 else 0.0

    def look(self) -> None:
        """See what it has taken so far."""
        for process in self._family():
            self._known.setdefault(process.pid, process)
        computed = sum(_seconds(process) for process in self._known.values())
        self.computed = max(self.computed, computed - self._at_ready)
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
            return MEMORY.format(limits.memory)
        stopped, seconds = "The answer was stopped after", limits.seconds
        if self.computed - self._at_begin > seconds:
            return f"{stopped} {seconds:g} seconds of computing. Is there a loop without an end?"
        late = f"The answer was stopped: after {seconds * PATIENCE:g} seconds it had not ended."
        return late if waited > seconds * PATIENCE else ""

    def ending(self) -> str:
        """In words how it ended, after it reported no more."""
        for _ in range(20):
            if (code := self._code()) is not None:
                return f"The answer ended Python itself (exit code {code}), so nothing of it could be read."
            time.sleep(_LOOK / 2)
        return "What the answer gave could not be read."

    def end(self) -> None:
        """Stop it and everything that it started."""
        import psutil

        for _ in range(20):
            self.look()
            alive = [process for process in self._known.values() if _is_alive(process)]
            for process in alive:
                with suppress(psutil.Error):
                    process.kill()
            if not alive:
                return
            psutil.wait_procs(alive, timeout=1)


def watched(
    start: Callable[[list[str]], AbstractContextManager[Running]], order: Mapping[str, Any], limits: Limits
) -> dict[str, dict[str, Any]]:
    """Run until every exercise has an outcome. What hangs or dies costs one exercise; the rest runs again without it."""
    outcomes: dict[str, dict[str, Any]] = {}
    skip: list[str] = []
    left, patience = limits.seconds * ANSWERS, limits.seconds * WHOLE_PATIENCE
    whole = f"Not run: the answers before it took more than {left:g} seconds together."
    while set(order) - set(outcomes):
        with start(skip) as running:
            current, words = _followed(running, order, outcomes, limits, left, patience)
            left, patience = left - running.computed, patience - running.waited
        if current is not None:
            outcomes[current] = {"stopped": words}
        if current is None or current in skip or left < 0 or patience < 0:
            rest = words if current is None else whole
            return {name: outcomes.get(name, {"stopped": rest}) for name in order}
        skip.append(current)
    return outcomes


def _followed(
    running: Running, order: Mapping[str, Any], outcomes: dict, limits: Limits, left: float, patience: float
) -> tuple[str | None, str]:
    """Collect outcomes to the end; returns the exercise at which it was stopped, if it was, and why."""
    current, begun, ready = None, set(), False
    while True:
        report = running.report()
        if report is None or "finished" in report:
            return (None, "This answer was not reached.") if report else (current, running.ending())
        if "lost" in report and not ready:
            raise CrmkitError(f"the lesson cannot be prepared: {report['lost']}.")
        if "ready" in report and not ready:
            ready = True
            running.begin(ready=True)
        name = report.get("begins")
        if isinstance(name, str) and name in order and name not in begun:
            current = name
            begun.add(name)
            running.begin()
        elif current is not None and report.get("ends") == current:
            outcomes.setdefault(current, {key: report[key] for key in ("value", "error") if key in report})
        words = running.too_much(limits)
        if ready and not words and (running.computed > left or running.waited > patience):
            words = "The submission was stopped: its answers together took too long."
        if words:
            return current, words


def parsed(line: bytes) -> dict[str, Any] | None:
    """A report, if it is one."""
    try:
        report = json.loads(line)
        return report if isinstance(report, dict) else None
    except (ValueError, RecursionError):
        return None


def _seconds(process: Any) -> float:
    with suppress(Exception):
        times = process.cpu_times()
        return times.user + times.system + getattr(times, "children_user", 0) + getattr(times, "children_system", 0)
    return 0.0


def _bytes(process: Any) -> int:
    with suppress(Exception):
        return process.memory_info().rss
    return 0


def _is_alive(process: Any) -> bool:
    with suppress(Exception):
        return process.is_running() and process.status() != "zombie"
    return False
