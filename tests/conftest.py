"""What all tests share: a home of their own, no network, and the programs that two of them need."""

import os
import shutil
import socket
import tempfile
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent

# Nothing of the person who runs the tests is read or written. This stands before any import of the tested
# libraries, and what a test starts (kernels, browsers, Spark) inherits it. The font cache of matplotlib is
# kept from run to run: building it costs seconds.
_HOME = tempfile.TemporaryDirectory(prefix="crmkit-tests-", ignore_cleanup_errors=True)
for name in [key for key in os.environ if key.startswith(("JUPYTER", "CRMKIT_", "XDG_", "IPYTHON"))]:
    if name != "CRMKIT_REQUIRE":
        del os.environ[name]
os.environ |= {
    "HOME": _HOME.name,
    "USERPROFILE": _HOME.name,
    "XDG_CONFIG_HOME": f"{_HOME.name}/.config",
    "XDG_CACHE_HOME": f"{_HOME.name}/.cache",
    "XDG_DATA_HOME": f"{_HOME.name}/.local/share",
    "XDG_STATE_HOME": f"{_HOME.name}/.local/state",
    "XDG_RUNTIME_DIR": _HOME.name,
    "MPLBACKEND": "Agg",
    "MPLCONFIGDIR": str(ROOT / ".pytest_cache" / "matplotlib"),
    "PYTHONUTF8": "1",
}
Path(os.environ["MPLCONFIGDIR"]).mkdir(parents=True, exist_ok=True)

# In CI the same examples every time: a change lands or not for its own sake. Elsewhere each run tries new ones.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")

_connect = socket.socket.connect


def _connect_here_only(self: socket.socket, address):
    host = address[0] if isinstance(address, tuple) else "localhost"  # a path: a Unix socket
    if host not in {"localhost", "127.0.0.1", "::1", "0.0.0.0"}:
        raise AssertionError(f"a test asked for the network: {address!r}")
    return _connect(self, address)


socket.socket.connect = _connect_here_only


# --doctest-modules would import every conftest.py once more, and they all have one name
collect_ignore_glob = ["*conftest.py"]

#: Files that take longest begin, so that both workers end together.
SLOW_FIRST = (
    "test_lessons.py",
    "test_present_browser.py",
    "test_browser.py",
    "test_spark.py",
    "test_wheel.py",
    "test_sandbox.py",
    "test_grading.py",
    "test_lab.py",
    "test_cli.py",
)
#: Tests that each take long and share nothing: they need not wait for the rest of their file.
ALONE = {"test_a_notebook_runs"}


def pytest_collection_modifyitems(items):
    order = {name: place for place, name in enumerate(SLOW_FIRST)}
    items.sort(key=lambda item: (order.get(item.path.name, len(order)), not _alone(item.nodeid)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """With `--dist loadfile` a file stays on one worker, because its tests share what is dear to set up."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return nodeid if _alone(nodeid) else super()._split_scope(nodeid)

    return Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None


def _alone(nodeid: str) -> bool:
    return nodeid.rpartition("::")[2].partition("[")[0] in ALONE


def required(name: str) -> bool:
    """CRMKIT_REQUIRE=browser,spark: on this machine these tests must run."""
    return name in os.environ.get("CRMKIT_REQUIRE", "").replace(" ", "").split(",")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A skip of a test that the machine must run is a failure."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if required(reason.split(":")[0]):
            report.outcome, report.longrepr = "failed", f"CRMKIT_REQUIRE says this must run. {reason}"
    return report


@pytest.fixture
def crmkit(capsys):
    """Run the command; gives the exit code, stdout and stderr."""
    from crmkit import cli

    def run(*words: str) -> tuple[int, str, str]:
        code = cli.main(words)
        return code, *capsys.readouterr()

    return run


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium or Chrome browser of the machine."""
    for name in ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("browser: no Chromium found")


@pytest.fixture(scope="session")
def java() -> str:
    """The path of the machine's Java, which Spark needs."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if not found:
        pytest.skip("spark: no Java found")
    return found
