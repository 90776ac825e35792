"""The command line's manners: light, one clear line for a mistake, exit code 2, nothing half-written."""

import datetime
import inspect
import os
import re
import resource
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from crmkit import cli
from crmkit.errors import ColumnError

ORDERS = """member_no,paid_at,total
m1,2025-01-03,10.00
m2,2025-02-11,25.50
m1,2025-03-04,4.25
m3,2025-03-30,99.99
m2,2025-05-01,7.00
"""
ROLES = ["--customer-id", "member_no", "--ordered-at", "paid_at", "--amount", "total"]


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A current folder with one file of orders."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "orders.csv").write_text(ORDERS)
    return tmp_path


MISTAKES = {
    "an option that is not there": (["check-data", "orders.csv", "--custmer-id", "x"], "Did you mean '--customer-id'"),
    "an option of the command itself": (["--versoin"], "Did you mean '--version'?"),
    "a command that is not there": (["chek-data", "orders.csv"], "Did you mean 'check-data'?"),
    "a report that is not there": (["report", "rmf", "orders.csv"], "Did you mean 'rfm'?"),
    "no file": (["check-data"], "FILE"),
    "a word too many": (["datasets", "cdnow"], "cdnow"),
    "an option without its value": (["check-data", "orders.csv", "--amount"], "--amount"),
    "a port that is no number": (["lab", "--port", "abc"], "--port"),
    "a port that cannot be": (["lab", "--port", "70000"], "65535"),
    "a file that is not there": (["check-data", "order.csv", *ROLES], "Did you mean 'orders.csv'?"),
    "a folder for a file": (["check-data", ".", *ROLES], "."),
    "a roles file that is not there": (["check-data", "orders.csv", "--roles", "role.toml"], "roles file 'role.toml'"),
    "a mistyped column": (["check-data", "orders.csv", *ROLES[:4], "--amount", "totle"], "Did you mean 'total'?"),
    "a needed role left out": (["check-data", "orders.csv", *ROLES[:4]], "--amount"),
    "a mistyped column in a report": (["report", "rfm", "orders.csv", *ROLES[:5], "totle"], "Did you mean 'total'?"),
    "a day that is none": (["report", "rfm", "orders.csv", *ROLES, "--as-of", "31.12.25"], "31.12.25"),
    "saving over the orders": (["check-data", "orders.csv", *ROLES, "--save", "orders.csv"], "holds no roles"),
    "saving into no folder": (["check-data", "orders.csv", *ROLES, "--save", "no/roles.toml"], "no folder 'no'"),
}


@pytest.mark.parametrize(("words", "says"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_ends_in_one_clear_line_and_exit_code_2_and_writes_nothing(here, crmkit, words, says):
    code, out, err = crmkit(*words)
    *steps, complaint = err.splitlines()
    assert (code, out) == (2, "")
    assert steps == [] or words[0] == "report"  # a report tells its steps on the way
    assert complaint.startswith("crmkit: ")
    assert says in complaint
    # a report that broke off leaves its notebook up to the error, and says so
    left = [path.name for path in here.rglob("*") if path.is_file() and path.name not in complaint]
    assert [*left, (here / "orders.csv").read_text()] in ([ORDERS], ["orders.csv", ORDERS])


def test_a_fault_of_ours_is_told_apart_and_how_to_see_more(here, crmkit, monkeypatch):
    def broken(*words, **more):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("crmkit.tables.Transactions.read", broken)
    code, out, err = crmkit("check-data", "orders.csv", *ROLES)
    assert (code, out) == (1, "")
    assert err == (
        "crmkit: a fault in crmkit: ZeroDivisionError: division by zero. CRMKIT_DEBUG=1 shows where; please tell us.\n"
    )
    monkeypatch.setenv("CRMKIT_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        crmkit("check-data", "orders.csv", *ROLES)


def test_ctrl_c_ends_quietly(here, crmkit, monkeypatch):
    def interrupted(*words, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr("crmkit.tables.Transactions.read", interrupted)
    assert crmkit("check-data", "orders.csv", *ROLES) == (130, "", "")


def test_words_from_data_cannot_command_the_terminal(here, crmkit, monkeypatch):
    def hostile(*words, **more):
        raise ColumnError("the column '\x1b]0;owned\x07\x1b[2J' is\r\nnot there")

    monkeypatch.setattr("crmkit.tables.Transactions.read", hostile)
    code, _, err = crmkit("check-data", "orders.csv", *ROLES)
    assert code == 2
    assert err.endswith("\n")
    assert err.rstrip("\n").isprintable()


def test_a_message_written_for_python_names_the_option(here, crmkit, monkeypatch):
    def ambiguous(*words, **more):
        raise ColumnError("say date_order='dmy' or date_order='mdy'; total=3")

    monkeypatch.setattr("crmkit.tables.Transactions.read", ambiguous)
    assert crmkit("check-data", "orders.csv")[2] == ("crmkit: say --date-order 'dmy' or --date-order 'mdy'; total=3\n")


def test_options_of_reading_are_those_of_the_library():
    from crmkit.tables import Transactions

    known = set(inspect.signature(Transactions.read).parameters) - {"source", "name"}
    assert {*cli.ROLES, *cli.READING, "roles"} == known
    for command in (cli.check_data, cli.rfm, cli.lifecycle, cli.segments):
        assert known <= set(inspect.signature(command).parameters)


def test_check_data_tells_the_ledger_the_verdict_and_the_day_it_took_for_today(here, crmkit):
    code, out, err = crmkit("check-data", "orders.csv", *ROLES)
    assert (code, err) == (0, "")
    assert "146.74" in out  # the money of all rows
    assert re.search(r"customers\W+3\b", out)
    assert str(datetime.date.today()) in out


def test_a_row_of_tomorrow_is_set_aside_unless_the_person_says_otherwise(here, crmkit):
    tomorrow = datetime.date.today() + datetime.timedelta(days=1)
    (here / "orders.csv").write_text(f"{ORDERS}m9,{tomorrow},500.00\n")
    today = crmkit("check-data", "orders.csv", *ROLES)[1]
    later = crmkit("check-data", "orders.csv", *ROLES, "--latest", str(tomorrow))[1]
    assert re.search(r"set aside.*500\.00", today)
    assert not re.search(r"set aside.*500\.00", later)


def test_saved_roles_are_enough_for_the_next_command(here, crmkit):
    code, out, _ = crmkit("check-data", "orders.csv", *ROLES, "--save", "roles.toml")
    assert code == 0
    assert "--roles roles.toml" in out
    saved = tomllib.loads((here / "roles.toml").read_text())
    assert saved["roles"] == {"customer_id": "member_no", "ordered_at": "paid_at", "amount": "total"}
    assert "latest" not in str(saved)  # the next month has another today
    again = crmkit("check-data", "orders.csv", "--roles", "roles.toml")
    assert again[0] == 0
    assert crmkit("check-data", "orders.csv", "--roles", "roles.toml", "--save", "roles.toml")[0] == 0
    assert tomllib.loads((here / "roles.toml").read_text()) == saved


def test_a_last_day_in_the_roles_file_is_not_overruled_by_today(here, crmkit):
    assert crmkit("check-data", "orders.csv", *ROLES, "--latest", "2025-04-30", "--save", "roles.toml")[0] == 0
    assert tomllib.loads((here / "roles.toml").read_text())["reading"]["latest"] == "2025-04-30"
    out = crmkit("check-data", "orders.csv", "--roles", "roles.toml")[1]
    assert "Rows after 2025-04-30 count as misdated" in out
    assert re.search(r"set aside.*7\.00", out)


@pytest.fixture
def jupyter(monkeypatch) -> list[Path]:
    """The folders in which JupyterLab would have been started."""
    started = []
    monkeypatch.setattr("crmkit.classroom.lab.run", lambda folder, **more: started.append(folder))
    return started


def test_lab_copies_the_course_says_so_and_starts(here, crmkit, jupyter):
    code, out, err = crmkit("lab", "--folder", "mine")
    assert (code, err, jupyter) == (0, "", [here / "mine"])
    assert re.search(r"\d+ new: 1\.0, 1\.1, .* and \d+ more", out)
    assert (here / "mine/2_segmentation/2_3_rfm.ipynb").is_file()
    assert (here / "mine/START.md").read_text(encoding="utf-8").startswith("# ")
    assert "The lessons are up to date." in crmkit("lab", "--folder", "mine")[1]


def test_lab_renew_keeps_the_old_file_under_todays_date(here, crmkit, jupyter):
    crmkit("lab", "--folder", "mine")
    lesson = here / "mine/2_segmentation/2_3_rfm.ipynb"
    lesson.write_text(lesson.read_text(encoding="utf-8").replace("= ...", "= 1"), encoding="utf-8")
    work = lesson.read_bytes()
    kept = lesson.with_name(f"2_3_rfm.{datetime.date.today()}.ipynb")
    out = crmkit("lab", "--folder", "mine", "--renew", "2.3")[1]
    assert f"Fresh: 2_3_rfm.ipynb. Your old one is kept as {kept.name}." in out
    assert kept.read_bytes() == work
    assert lesson.read_bytes() != work


def test_lab_with_a_wrong_lesson_or_a_port_in_use_starts_and_writes_nothing(here, crmkit, jupyter):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        for words, says in ((["--port", port], f"port {port} cannot be used"), (["--renew", "2.33"], "'2.3'")):
            code, out, err = crmkit("lab", "--folder", "mine", *words)
            assert (code, out, err.count("\n")) == (2, "", 1)
            assert says in err
    assert jupyter == []
    assert not (here / "mine").exists()


def test_datasets_lists_the_catalogue(crmkit):
    code, out, _ = crmkit("datasets")
    assert code == 0
    for word in ("complete_journey", "1,469,307 rows", "cdnow", "ten_customers", "Licence: CC BY 4.0", "lessons"):
        assert word in out


@pytest.mark.parametrize("term", ["RFM", "切换者", "switcher"])
def test_glossary_explains_in_both_languages(crmkit, term):
    code, out, _ = crmkit("glossary", term)
    assert code == 0
    assert term.casefold() in out.casefold()


def test_version_and_help(crmkit):
    from crmkit import __version__

    assert crmkit("--version") == (0, f"crmkit {__version__}\n", "")
    for words in ([], ["--help"], ["-h"], ["report"], ["report", "rfm", "--help"], ["lab", "--help"]):
        code, out, err = crmkit(*words)
        assert (code, err) == (0, "")
        assert "Usage: crmkit" in out


def test_the_command_starts_in_half_a_cpu_second():
    def cpu(*words: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "crmkit.cli", *words], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(cpu("--help") for _ in range(3)) <= 0.5


def test_the_installed_command_leaves_through_the_same_door(here):
    command = Path(sys.executable).with_name("crmkit" if os.name == "posix" else "crmkit.exe")
    done = subprocess.run([command, "check-data", "order.csv"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "crmkit: there is no file 'order.csv'. Did you mean 'orders.csv'?\n"
    reader_left = subprocess.run(f"'{command}' datasets | head -n 1", shell=True, capture_output=True, text=True)
    assert reader_left.stderr == ""
