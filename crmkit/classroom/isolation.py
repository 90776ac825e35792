"""Walls around a submission: no network, nothing to write outside its folder, no process that outlives it.

On Linux the kernel builds them (namespaces), if the machine allows it. Elsewhere Python itself refuses, which stops an
accident and a prank but not somebody who knows how to go round it. docs/grading.md says what is guaranteed where.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

NETWORK, FILES, PROCESSES = "network", "files", "processes"
#: How the walls are built: by a user namespace, by an administrator's rights, or not by the kernel at all.
WAYS = ("user", "administrator", "none")
#: What a submission may write, in MB: all of its folder where the kernel holds it, else each single file.
ROOM = 256

_NEW = {"mounts": 0x20000, "ipc": 0x8000000, "pid": 0x20000000, "net": 0x40000000}
_NEW_USER = 0x10000000
_NOSUID, _NODEV, _NOEXEC, _RDONLY, _BIND, _REC, _PRIVATE = 2, 4, 8, 1, 0x1000, 0x4000, 0x40000
_MOUNT_SETATTR, _RECURSIVE, _HERE = 442, 0x8000, -100
_PDEATHSIG, _SUBREAPER, _DUMPABLE, _DROP_BOUND, _NO_NEW_PRIVILEGES = 1, 36, 4, 24, 38
_DEVICES = [f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom")]
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def enter(way: str, folder: Path, hidden: Sequence[str]) -> set[str]:
    """Leave the network, and everything but `folder` read-only; the next process that is forked begins its own world.

    `way` is one of `WAYS`, `hidden` are folders that a submission must not even read. Returns which walls stand; raises
    OSError where the system does not go this way, and then this process is good for nothing else. Linux only.
    """
    if way == "none":
        return set()
    user, group = os.getuid(), os.getgid()
    _do("unshare", sum(_NEW.values()) | (_NEW_USER if way == "user" else 0))
    if way == "user":
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            Path(f"/proc/self/{name}").write_text(text)
        _do("prctl", _DUMPABLE, 1, 0, 0, 0)
    walls = {NETWORK, PROCESSES}
    with suppress(OSError):
        _close_files(folder, hidden)
        walls.add(FILES)
    return walls


def settle(walls: set[str], folder: Path) -> None:
    """In the submission's own process: give up every right that could open a wall, and build those that are missing."""
    if PROCESSES in walls:
        with suppress(OSError):  # a container may not allow it; then /proc shows names of others, and no more
            _mount("proc", "/proc", "proc", _RDONLY | _NOSUID | _NODEV | _NOEXEC)
        for right in range(64):
            _libc.prctl(_DROP_BOUND, right, 0, 0, 0)
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)
        _do("capset", ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)()))
    if _libc:
        _do("prctl", _NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if {NETWORK, FILES, PROCESSES} - walls:
        sys.addaudithook(_refusing(str(folder.resolve()), walls))


def die_with_parent() -> None:
    """On Linux: whoever stops the one that grades stops this process too."""
    if _libc:
        _do("prctl", _PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def adopt_orphans() -> None:
    """On Linux: what a submission leaves behind becomes a child of this process, which can find and end it."""
    if _libc:
        _do("prctl", _SUBREAPER, 1, 0, 0, 0)


def _close_files(folder: Path, hidden: Sequence[str]) -> None:
    _mount(None, "/", None, _REC | _PRIVATE)
    for path in ["/run", *hidden]:  # sockets of services lie in /run: they would be a way out
        if os.path.isdir(path):  # noqa: PTH112
            _mount("tmpfs", path, "tmpfs", _NOSUID | _NODEV, b"size=64k")
    devices = [path for path in _DEVICES if os.path.exists(path)]  # noqa: PTH110
    for path in devices:
        _mount(path, path, None, _BIND)
    _attributes("/", _RECURSIVE, put=_RDONLY | _NOSUID | _NODEV)  # no disk of the machine either, whoever grades
    for path in devices:
        with suppress(OSError):
            _attributes(path, 0, remove=_NODEV)
    _mount("tmpfs", str(folder), "tmpfs", _NOSUID | _NODEV, f"size={ROOM}m,mode=700".encode())


def _attributes(path: str, flags: int, put: int = 0, remove: int = 0) -> None:
    wanted = (ctypes.c_uint64 * 4)(put, remove, 0, 0)
    _do("syscall", _MOUNT_SETATTR, _HERE, path.encode(), flags, ctypes.byref(wanted), ctypes.sizeof(wanted))


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: bytes | None = None) -> None:
    _do("mount", source and source.encode(), target.encode(), kind and kind.encode(), ctypes.c_ulong(flags), options)


def _do(name: str, *arguments: Any) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")


def _refusing(folder: str, walls: set[str]) -> Any:
    """The walls in Python: an audit hook, which cannot be taken away again."""
    outward = {"connect", "bind", "sendto", "sendmsg", "getaddrinfo", "gethostbyname", "gethostbyaddr"}
    network, files, processes = (wall not in walls for wall in (NETWORK, FILES, PROCESSES))
    programs = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile"}
    changes = ["remove", "rename", "rmdir", "mkdir", "chmod", "chown", "link", "symlink", "truncate", "utime"]
    changing = {f"os.{name}" for name in changes} | {"shutil.rmtree"}
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    own, real, decoded, text = os.getpid, os.path.realpath, os.fsdecode, (str, bytes)
    allowed = (os.devnull, real(os.devnull))

    def refuse(event: str, arguments: tuple) -> None:
        if network and event.startswith("socket.") and event[7:] in outward:
            raise PermissionError("a submission has no network")
        if processes and event in programs:
            raise PermissionError("a submission starts no other programs")
        if processes and event in ("os.kill", "os.killpg") and arguments[0] != own():
            raise PermissionError("a submission ends no other processes")
        if files and (event in changing or (event == "open" and (arguments[2] or 0) & writing)):
            for path in arguments[: 2 if event in ("os.rename", "os.link", "os.symlink") else 1]:
                if isinstance(path, text) and decoded(path) not in allowed:
                    inside = real(decoded(path))
                    if inside != folder and not inside.startswith(folder + os.sep):
                        raise PermissionError("a submission writes in its own folder only")

    return refuse
