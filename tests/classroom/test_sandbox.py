"""A submission harms nobody but itself, and one answer of it does not cost the others."""

import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from crmkit.classroom import isolation
from crmkit.classroom.grammar import Cell, Lesson
from crmkit.classroom.sandbox import Room
from crmkit.classroom.watching import Limits
from crmkit.errors import CrmkitError

LESSON = [
    Cell(
        "a", "code", "import pandas as pd\nfrom crmkit import datasets\nfrom crmkit.classroom import check\nn = [1, 2]"
    ),
    Cell("1.1-1", "code", "one = 1", ("solution",), "one"),
    Cell("1.1-1-check", "code", 'check("1.1-1")', ("check",)),
    Cell("b", "code", "before = list(n)\nn.append(3)"),
    Cell("1.1-2", "code", "two = 2", ("solution",), "two"),
    Cell("c", "code", "raise SystemError('a trainer\\'s cell is not run')", ("instructor",)),
    Cell("1.1-3", "code", "three = 3", ("solution",), "three"),
    Cell("d", "code", "raise SystemError('after the last answer nothing is needed')"),
]
LIMITS = Limits(seconds=3, memory=1024)


def lesson(cells) -> Lesson:
    return Lesson(Path("lessons/1_x/1_1_x.py"), "1.1", {}, cells)


@pytest.fixture(scope="module")
def secret(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("submissions")
    (folder / "neighbour.ipynb").write_text("one = 42")
    return folder


@pytest.fixture(scope="module")
def room(secret):
    with Room(lesson(LESSON), LIMITS, [secret]) as made:
        yield made


@pytest.fixture(params=["as here", "as on macOS and Windows"])
def either(request, room, secret):
    """A room, and one that prepares the lesson anew for each submission, behind walls of Python only."""
    if request.param == "as here":
        yield room
    else:
        with Room(lesson(LESSON), LIMITS, [secret], fork=False) as made:
            yield made


def run(room, *sources):
    answers = dict(zip(("1.1-1", "1.1-2", "1.1-3"), ([source] for source in sources), strict=False))
    return {name[-1]: outcome for name, outcome in room.run(answers).items()}


def test_an_answer_sees_the_lesson_as_it_is_at_its_place_and_what_earlier_answers_made(either):
    found = run(either, "one = list(n)\nmine = 5", "two = [before, n]", "three = mine")
    assert [found[number]["value"] for number in "123"] == [
        ["list", [1, 2]],
        ["list", [["list", [1, 2]], ["list", [1, 2, 3]]]],
        5,
    ]


def test_who_redefines_tables_check_print_or_the_loader_changes_only_their_own_answers(either):
    hostile = "n = before = 0\ncheck = print = open = None\ndatasets.load = None\none = 1"
    assert run(either, hostile, "two = n", "three = 3") == {
        "1": {"value": 1},
        "2": {"value": ["list", [1, 2, 3]]},
        "3": {"value": 3},
    }


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("one = 1 +", "not Python: SyntaxError: invalid syntax (line 1)"),
        ("\none = 1 / 0", "stops with ZeroDivisionError: division by zero (line 2)"),
        ("exit()", "calls `exit`"),
        ("raise SystemExit", "calls `exit`"),
        ("class E(Exception):\n  def __str__(self): 1 / 0\nraise E", "stops with E (line 3)"),
        ("one = range(10**7)", "at most 500,000 are asked for"),
        ("x = bytearray(10 * 2**30)\none = x.count(0)", "more than 1,024 MB of memory"),
        ("import os; os._exit(0)", "ended Python itself (exit code 0)"),
        (
            "import os\nfor f in range(3, 60):\n  try: os.write(f, b'junk\\n')\n  except OSError: pass\none = 1",
            "be read",
        ),
    ],
)
def test_an_answer_that_fails_costs_itself_and_says_why(room, source, words):
    found = run(room, source, "two = 2")
    assert words in next(iter(found["1"].values()))
    assert found["2"] == {"value": 2}


def test_a_loop_without_an_end_is_stopped_and_the_other_answers_count(room):
    found = run(room, "one = 1", "while True:\n  try: 1 / 0\n  except BaseException: pass", "three = 3")
    assert found["2"] == {
        "stopped": "The answer was stopped after 3 seconds of computing. Is there a loop without an end?"
    } or ("it had not ended" in found["2"]["stopped"])
    assert (found["1"], found["3"]) == ({"value": 1}, {"value": 3})


def test_commands_of_a_notebook_are_passed_over_and_display_shows_nothing(room):
    assert run(room, "%matplotlib inline\n!ls\ndisplay(n)\n%time one = 1")["1"] == {"value": 1}


def test_fifty_sleeping_processes_and_their_orphans_end_with_the_submission(either):
    sleep = f"{86_400 + os.getpid() % 1000}.5"
    programs = f"import subprocess\nfor _ in range(50): subprocess.Popen(['sleep', '{sleep}'], start_new_session=True)\none = 50"
    orphans = f"""import os, time
for _ in range(20):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0: time.sleep({sleep})
        os._exit(0)
two = 20"""
    before = {process.pid for process in psutil.process_iter()}
    found = run(either, programs, orphans)
    assert found["1"] == {"value": 50} or "starts no other programs" in found["1"]["error"]
    assert found["2"] == {"value": 20}

    def left() -> list:
        new = [process for process in psutil.process_iter(["cmdline", "status"]) if process.pid not in before]
        named = ([process, process.info["cmdline"] or []] for process in new if process.info["status"] != "zombie")
        return [process for process, words in named if sleep in words or "crmkit.classroom.inside" in words]

    patience = time.monotonic() + 30
    while left() and time.monotonic() < patience:
        time.sleep(0.05)
    assert left() == []


def test_nothing_outside_the_folder_of_the_submission_is_written_or_deleted(either, tmp_path):
    victim = tmp_path / "marks.txt"
    victim.write_text("all")
    found = run(
        either,
        f"import os; os.remove({str(victim)!r})",
        f"open({str(tmp_path / 'new.txt')!r}, 'w')",
        "open('mine.txt', 'w').write('x')\nthree = open('mine.txt').read()",
    )
    assert "PermissionError" in found["1"]["error"] or "Read-only" in found["1"]["error"]
    assert "PermissionError" in found["2"]["error"] or "Read-only" in found["2"]["error"]
    assert found["3"] == {"value": "x"}
    assert [path.name for path in tmp_path.iterdir()] == ["marks.txt"]


def test_there_is_no_network_and_nothing_of_the_trainers_environment(either, monkeypatch):
    ask = "import socket\ntry: socket.create_connection(('127.0.0.1', 9), timeout=1)\nexcept OSError as e: one = str(e)"
    found = run(either, ask, "import os; two = sorted(os.environ)")
    assert found["1"]["value"] in ("a submission has no network", "[Errno 101] Network is unreachable")
    assert "PYTEST_CURRENT_TEST" not in found["2"]["value"][1]


def test_processes_of_others_cannot_be_reached(either):
    ask = f"import os\nos.kill({os.getpid()}, 0)"  # signal 0 only asks whether it could
    error = run(either, ask)["1"]["error"]
    assert "no other processes" in error or "ProcessLookupError" in error


def test_a_lesson_that_does_not_run_is_the_trainers_error_and_not_the_students():
    broken = [Cell("bad", "code", "1 / 0"), *LESSON]
    with pytest.raises(CrmkitError, match="cell 'bad': ZeroDivisionError"):
        Room(lesson(broken), LIMITS).__enter__() if sys.platform == "linux" else run(
            Room(lesson(broken), LIMITS), "one"
        )


@pytest.mark.skipif(sys.platform != "linux", reason="walls: the walls of the kernel are Linux's")
def test_where_the_kernel_builds_walls_neighbours_and_disks_are_out_of_reach(secret):
    with Room(lesson(LESSON), LIMITS, [secret]) as room:
        if room.walls != {isolation.NETWORK, isolation.FILES, isolation.PROCESSES}:
            pytest.skip("walls: this machine does not allow namespaces")
        found = run(
            room,
            f"import os; one = os.listdir({str(secret)!r})",
            "import os; two = os.getppid()",
            "import subprocess as s; three = s.run(['mount', '-o', 'remount,rw', '/'], capture_output=True).returncode",
        )
    assert found["1"] == {"value": ["list", []]}
    assert found["2"] == {"value": 0}
    assert found["3"]["value"] != 0


@pytest.mark.skipif(sys.platform != "linux", reason="walls: elsewhere there is no shared room")
def test_a_room_that_was_lost_is_built_anew():
    with Room(lesson(LESSON), LIMITS) as room:
        room._room.kill()
        room._room.wait()
        assert run(room, "one = 1")["1"] == {"value": 1}
    assert not Path(room._folder).exists()
