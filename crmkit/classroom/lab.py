"""`crmkit lab`: JupyterLab on the student's own copy of the course, and nothing of it outside that folder.

Jupyter's settings, workspace and data lie in the course folder's `.crmkit`, so the settings that a person has
for Jupyter elsewhere are neither read nor changed. Jupyter listens on this machine only, with its own token.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from crmkit import shipped
from crmkit.classroom.copies import OWN
from crmkit.errors import CrmkitError, InputError

WORKSPACE, START = "crmkit", "START.md"
#: How long Jupyter may take to answer, and to shut its kernels down, in seconds.
PATIENCE_START, PATIENCE_STOP = 120, 10

#: The start page is read, so its lines are as long as a book's and its tables stand at the left.
_STYLE = """
.jp-MarkdownViewer .jp-RenderedHTMLCommon { max-width: 62rem; margin: 0 auto; padding: 0 2rem 3rem; }
.jp-MarkdownViewer .jp-RenderedHTMLCommon table { width: 100%; table-layout: auto; margin: 0.5rem 0 1.5rem; font-size: inherit; }
.jp-MarkdownViewer .jp-RenderedHTMLCommon :is(th, td) { text-align: left; padding: 0.5rem 0.75rem; max-width: none; }
"""


def course_folder(folder: Path | None = None) -> Path:
    """Where the student's copy lies: `my_course` in the checkout, or in the current folder without one."""
    if folder is None:
        checkout = shipped.folder("notebooks").parent
        folder = (checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()) / "my_course"
    if folder.exists() and not folder.is_dir():
        raise InputError(f"the course cannot lie in {str(folder)!r}: that is a file. Name a folder with --folder.")
    return folder.absolute()


def has_screen(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> bool:
    """Whether a browser can be opened here for the person who types.

    >>> has_screen({}, "linux"), has_screen({"DISPLAY": ":0"}, "linux"), has_screen({}, "darwin")
    (False, True, True)
    """
    if environment.get("BROWSER"):
        return True
    if platform in ("darwin", "win32"):
        return not environment.get("SSH_CONNECTION")
    return "WSL_DISTRO_NAME" not in environment and bool(
        environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")
    )


def run(folder: Path, *, port: int | None = None, browser: bool = True, say: Callable[[str], None] = print) -> None:
    """Open JupyterLab on the course in `folder` and stay until it is stopped (Ctrl-C, SIGTERM, or from its menu)."""
    insist_free(port)
    say("Starting JupyterLab ...")
    settings = _prepare(folder / OWN)
    log = folder / OWN / "jupyter.log"
    log.unlink(missing_ok=True)
    log.touch(mode=0o600)  # the token stands in it
    # Files that only the running server needs lie outside the course: a folder mounted from Windows or from the
    # network cannot hold Jupyter's private files.
    with (
        tempfile.TemporaryDirectory(prefix="crmkit-lab-", ignore_cleanup_errors=True) as runtime,
        log.open("wb") as out,
    ):
        server = subprocess.Popen(
            _command(folder, port),
            env=_environment(folder, settings, Path(runtime)),
            cwd=settings / "config",
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            # Ctrl-C is for us alone: Jupyter would ask whether we are sure.
            **({"process_group": 0} if os.name == "posix" else {"creationflags": 0x200}),
        )
        with _stopped_at_the_end(server):
            address = _address(server, Path(runtime), log)
            opened = browser and has_screen() and webbrowser.open(address)
            say(f"{'The course is open at' if opened else 'Open this address in a browser:'} {address}")
            say("Ctrl-C here stops it; your work is kept.")
            while server.poll() is None:
                time.sleep(0.2)
            if server.returncode:
                raise CrmkitError(f"JupyterLab ended by itself, with code {server.returncode}; its last words: {log}")


def _command(folder: Path, port: int | None) -> list[str]:
    options = {
        "ServerApp.root_dir": folder,
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.open_browser": False,
        "ServerApp.port_retries": 0 if port else 50,
        "LabApp.default_url": f"/lab/workspaces/{WORKSPACE}",
        "LabApp.custom_css": True,
        # the kit phones nobody
        "LabApp.news_url": None,
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.extension_manager": "readonly",
        "LanguageServerManager.autodetect": False,  # it would start npm, which writes into the home folder
    }
    if port is not None:
        options["ServerApp.port"] = port
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options["ServerApp.allow_root"] = True  # a container
    return [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items())]


def _environment(folder: Path, settings: Path, runtime: Path) -> dict[str, str]:
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "IPYTHON"))}
    return mine | {
        "CRMKIT_WORK": str(folder),
        "IPYTHONDIR": str(settings / "ipython"),
        "JUPYTER_CONFIG_DIR": str(settings / "config"),
        "JUPYTER_DATA_DIR": str(settings / "data"),
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTERLAB_SETTINGS_DIR": str(settings / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(settings / "workspaces"),
        "JUPYTER_PREFER_ENV_PATH": "1",  # the kernel is this environment's, not one installed for the user
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def _prepare(own: Path) -> Path:
    """Jupyter's settings for the course. What the student changes later in Jupyter's settings stays."""
    from jupyterlab_server.workspaces_handler import WorkspacesManager

    settings = own / "jupyter"
    first_time = {
        "config/labconfig/page_config.json": {
            "disabledExtensions": {
                "@jupyterlab/apputils-extension:announcements": True,
                "@jupyterlab/extensionmanager-extension": True,
            }
        },
        "settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings": {
            "fetchNews": "false",
            "checkForUpdates": False,
        },
        "settings/@jupyterlab/docmanager-extension/plugin.jupyterlab-settings": {
            "defaultViewers": {"markdown": "Markdown Preview"}
        },
    }
    for name, content in first_time.items():
        path = settings / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    (settings / "config" / "custom").mkdir(exist_ok=True)
    (settings / "config" / "custom" / "custom.css").write_text(_STYLE, encoding="utf-8")
    page = f"markdownviewer-widget:{START}"
    layout = {
        "main": {"dock": {"type": "tab-area", "currentIndex": 0, "widgets": [page]}, "current": page},
        "left": {"collapsed": False, "visible": True, "current": "filebrowser", "widgets": ["filebrowser"]},
        "right": {"collapsed": True, "visible": True, "widgets": []},
        "relativeSizes": [0.2, 0.8, 0],
    }
    workspace = {
        "data": {"layout-restorer:data": layout, page: {"data": {"path": START, "factory": "Markdown Preview"}}},
        "metadata": {"id": WORKSPACE},
    }
    (settings / "workspaces").mkdir(parents=True, exist_ok=True)
    WorkspacesManager(str(settings / "workspaces")).save(WORKSPACE, json.dumps(workspace))
    return settings


def _address(server: subprocess.Popen, runtime: Path, log: Path) -> str:
    """Where the server answers, token included, as soon as it says so."""
    deadline = time.monotonic() + PATIENCE_START
    said = runtime / f"jpserver-{server.pid}.json"
    while time.monotonic() < deadline and server.poll() is None:
        files = [said] if said.exists() else list(runtime.glob("jpserver-*.json"))
        for file in files:
            try:
                facts = json.loads(file.read_text(encoding="utf-8"))
            except ValueError:  # being written
                continue
            return f"http://127.0.0.1:{facts['port']}/lab/workspaces/{WORKSPACE}?token={facts['token']}"
        time.sleep(0.1)
    words = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    raise CrmkitError(f"JupyterLab did not start: {words[-1] if words else 'it said nothing'} (all of it: {log})")


@contextmanager
def _stopped_at_the_end(server: subprocess.Popen) -> Iterator[None]:
    """A closed terminal or a container that stops end the server as Ctrl-C does, and no process is left."""

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    signals = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, stop) for number in signals}
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.SIG_IGN)
        if server.poll() is None:
            server.terminate()
            try:
                server.wait(PATIENCE_STOP)
            except subprocess.TimeoutExpired:  # it may hang; a kernel without its server ends by itself
                _kill(server)
        for number, handler in before.items():
            signal.signal(number, handler)


def _kill(server: subprocess.Popen) -> None:
    if os.name == "posix":
        os.killpg(server.pid, signal.SIGKILL)
    else:
        server.kill()
    server.wait()


def insist_free(port: int | None) -> None:
    """Raise if a port was asked for and something else listens there."""
    if not port:
        return
    with socket.socket() as probe:
        if os.name == "posix":  # a port that was closed a moment ago is free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise InputError(f"port {port} cannot be used ({error.strerror}); choose another with --port.") from None
