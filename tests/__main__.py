"""What `make test` runs: `python -m tests`. Each step has a heading and a time; the last line says what was skipped.

More words are handed to pytest (`python -m tests -k rfm`); then only pytest runs.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

#: The only tests that may be skipped, and only because the machine lacks something: the skip's reason starts so.
MAY_SKIP = {
    "browser": "Chromium not found",
    "spark": "Java not found",
    "walls": "no Linux, or no namespaces allowed",
}

CHECKS = {
    "Format (ruff format)": ["-m", "ruff", "format", "--check", "--quiet", "."],
    "Lint (ruff check)": ["-m", "ruff", "check", "--quiet", "."],
    "Floors (import-linter)": ["-c", "from importlinter.cli import lint_imports_command as lint; lint()"],
}
# tests/conftest.py says which tests stay together on one of the two workers, and in which order they begin.
PYTEST = ["-q", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", "--durations", "10", "--durations-min", "3"]


class Skips:
    """Remembers every skipped or expected-to-fail test by its reason."""

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}

    def _remember(self, report) -> None:
        if report.outcome == "skipped":
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else getattr(report, "wasxfail", "")
            self.reasons[report.nodeid] = str(reason).removeprefix("Skipped: ")

    pytest_runtest_logreport = _remember
    pytest_collectreport = _remember

    @property
    def by_name(self) -> set[str]:
        return {name for name in MAY_SKIP if any(r.startswith(f"{name}:") for r in self.reasons.values())}

    @property
    def unexpected(self) -> dict[str, str]:
        return {test: r for test, r in self.reasons.items() if r.split(":")[0] not in MAY_SKIP}


def required() -> set[str]:
    """The tests that this machine must not skip: CRMKIT_REQUIRE=browser,spark."""
    names = {name.strip() for name in os.environ.get("CRMKIT_REQUIRE", "").split(",")} - {""}
    if names - set(MAY_SKIP):
        sys.exit(f"CRMKIT_REQUIRE names {', '.join(sorted(names - set(MAY_SKIP)))}; known are {', '.join(MAY_SKIP)}.")
    return names


def step(heading: str, run) -> bool:
    print(f"\n== {heading}", flush=True)
    begin = time.monotonic()
    passed = run() == 0
    print(f"   {'passed' if passed else 'FAILED'} in {time.monotonic() - begin:.1f} s", flush=True)
    return passed


def last_line(skips: Skips, failed: list[str]) -> str:
    skipped = ", ".join(f"{name} ({MAY_SKIP[name]})" for name in MAY_SKIP if name in skips.by_name)
    words = f"Skipped: {skipped}." if skipped else "Nothing was skipped."
    return (f"FAILED: {', '.join(failed)}. " if failed else "All passed. ") + words


def main(words: list[str]) -> int:
    os.chdir(ROOT)
    must, skips, failed = required(), Skips(), []
    if not words:
        for heading, command in CHECKS.items():
            if not step(heading, lambda command=command: subprocess.run([sys.executable, *command]).returncode):
                failed.append(heading)
    if not step("Tests, doctests, notebooks (pytest)", lambda: pytest.main([*PYTEST, *words], plugins=[skips])):
        failed.append("Tests")
    for test, reason in skips.unexpected.items():
        print(f"Skipped without leave: {test}: {reason}")
        failed.append(f"skipped {test}")
    failed += [f"{name} is required and was skipped" for name in sorted(skips.by_name & must)]
    print("\n" + last_line(skips, failed), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
