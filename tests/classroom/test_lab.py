"""`crmkit lab` starts JupyterLab on the course, touches nothing of the person's own Jupyter, and leaves no process."""

import hashlib
import json
import re
import signal
import socket
import sys
import urllib.error
from pathlib import Path

import psutil
import pytest
from running_lab import RunningLab, free_port

from crmkit.classroom import lab
from crmkit.errors import CrmkitError, InputError

LAUNCH = """
import sys
from pathlib import Path
from crmkit.classroom import lab
lab.PATIENCE_STOP = int(sys.argv[3])
lab.run(Path(sys.argv[1]), port=int(sys.argv[2]), say=lambda text: print(text, flush=True))
"""

HOSTILE = {
    ".jupyter/jupyter_server_config.py": "raise SystemExit('the own configuration was read')",
    ".jupyter/jupyter_lab_config.py": "raise SystemExit('the own configuration was read')",
    ".jupyter/lab/user-settings/@jupyterlab/docmanager-extension/plugin.jupyterlab-settings": '{"autosave": false}',
    ".jupyter/labconfig/page_config.json": '{"lockedExtensions": {"@jupyterlab/mainmenu-extension": true}}',
    ".local/share/jupyter/kernels/python3/kernel.json": '{"argv": ["false"], "display_name": "Wrong"}',
    ".ipython/profile_default/startup/00.py": "raise SystemExit('the own start-up file was read')",
    "jupyter_server_config.py": "raise SystemExit('the configuration of the current folder was read')",
}


def content(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def start(folder: Path, home: Path, patience: int = lab.PATIENCE_STOP) -> RunningLab:
    command = [sys.executable, "-c", LAUNCH, str(folder), str(free_port()), str(patience)]
    own = {name: str(home / ".local/share") for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    return RunningLab(command, home, HOME=str(home), JUPYTER_CONFIG_PATH=str(home / ".jupyter"), **own)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("work") / "my course 课程"
    for name, text in HOSTILE.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    (folder / "2_segmentation").mkdir(parents=True)
    (folder / "START.md").write_text("# The course")
    with start(folder, home) as started:
        yield started, folder, home


@pytest.fixture
def opened(running) -> RunningLab:
    return running[0]


def test_without_a_screen_one_line_holds_the_address_to_open(opened):
    last = opened.said.splitlines()[-1]
    assert re.fullmatch(r"Open this address in a browser: http://127\.0\.0\.1:\d+/lab/\S+\?token=\w+", last)


def test_the_address_shows_the_lab_and_no_address_without_the_token_does(opened):
    assert "JupyterLab" in opened.page("/lab/workspaces/crmkit")
    with pytest.raises(urllib.error.HTTPError) as refused:
        opened.ask("/api/contents", token=False)
    assert refused.value.code == 403


def test_the_token_is_nobody_elses_to_read(running):
    assert (running[1] / ".crmkit/jupyter.log").stat().st_mode & 0o077 == 0


def test_it_listens_on_this_machine_only(opened):
    listening = [c for p in opened.family for c in p.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
    assert {connection.laddr.ip for connection in listening} == {"127.0.0.1"}


def test_the_start_page_is_opened_as_a_page(opened):
    workspace = opened.ask("/lab/api/workspaces/crmkit")["data"]
    assert workspace["layout-restorer:data"]["main"]["current"] == "markdownviewer-widget:START.md"
    assert workspace["markdownviewer-widget:START.md"]["data"] == {"path": "START.md", "factory": "Markdown Preview"}


def test_news_and_the_extension_shop_are_switched_off(opened):
    page = opened.page("/lab")
    facts = json.loads(re.search(r'<script id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.DOTALL)[1])
    assert {"@jupyterlab/apputils-extension:announcements", "@jupyterlab/extensionmanager-extension"} <= {
        *facts["disabledExtensions"]
    }
    assert "@jupyterlab/mainmenu-extension" not in facts.get("lockedExtensions", {})


def test_the_kernel_is_this_environments_and_knows_the_course_folder(running):
    opened, folder, _ = running
    assert [*opened.ask("/api/kernelspecs")["kernelspecs"]] == ["python3"]
    said = opened.printed("import os, sys; print(sys.executable, os.environ['CRMKIT_WORK'], os.getcwd(), sep='\\n')")
    assert said.splitlines() == [sys.executable, str(folder), str(folder / "2_segmentation")]


def test_it_ends_on_sigterm_with_a_busy_kernel_and_leaves_no_process_and_a_home_as_it_was(running):
    opened, _, home = running
    busy = opened.run("import time; print('busy', flush=True); time.sleep(600)")
    while "busy" not in busy.recv():
        pass
    assert opened.stop(signal.SIGTERM) == (0, [])
    assert content(home) == {name: hashlib.sha256(text.encode()).hexdigest() for name, text in HOSTILE.items()}


def test_it_ends_on_ctrl_c_also_when_jupyter_does_not(tmp_path):
    """A stopped process (SIGSTOP) does not answer SIGTERM, like a server that hangs."""
    with start(tmp_path, tmp_path, patience=2) as started:
        for process in started.family:
            process.suspend()
        assert started.stop(signal.SIGINT) == (0, [])


def test_a_port_in_use_is_told_before_anything_starts(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=rf"port {port} cannot be used .*--port"):
            lab.run(tmp_path, port=port)
    assert list(tmp_path.iterdir()) == []


def test_a_jupyter_that_does_not_start_gives_its_last_words(tmp_path, monkeypatch):
    monkeypatch.setattr(
        lab, "_command", lambda folder, port: [sys.executable, "-c", "raise SystemExit('no room left')"]
    )
    with pytest.raises(CrmkitError, match="JupyterLab did not start: no room left"):
        lab.run(tmp_path)


def test_what_a_student_sets_in_jupyter_stays(tmp_path):
    settings = lab._prepare(tmp_path)
    chosen = settings / "settings/@jupyterlab/docmanager-extension/plugin.jupyterlab-settings"
    chosen.write_text('{"autosave": false}')
    lab._prepare(tmp_path)
    assert chosen.read_text() == '{"autosave": false}'


@pytest.mark.parametrize(
    ("environment", "platform", "screen"),
    [
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"DISPLAY": ":0", "WSL_DISTRO_NAME": "Debian"}, "linux", False),
        ({"SSH_CONNECTION": "a b"}, "darwin", False),
        ({}, "win32", True),
        ({"BROWSER": "remote-helper"}, "linux", True),
    ],
)
def test_a_browser_is_opened_where_there_is_one_to_see(environment, platform, screen):
    assert lab.has_screen(environment, platform) is screen


def test_the_course_lies_in_the_checkout_or_where_the_person_says(tmp_path):
    assert lab.course_folder() == Path(lab.__file__).parents[2] / "my_course"
    assert lab.course_folder(tmp_path / "here") == tmp_path / "here"
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="that is a file"):
        lab.course_folder(tmp_path / "file")
