"""A running `crmkit lab`, for the tests that need one: asked over its own address, and its processes counted."""

import contextlib
import json
import os
import random
import re
import socket
import subprocess
import urllib.request
from pathlib import Path

import psutil
import websocket


def free_port() -> int:
    """A port that stays free until it is used: below those that the system gives to kernels and connections.

    Asking the system for any free port lost a race now and then: a kernel of the other worker took it meanwhile.
    """
    for port in random.SystemRandom().sample(range(20_000, 30_000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


class RunningLab:
    """Started by `command`; on leaving, nothing that it started is left."""

    def __init__(self, command: list[str], cwd: Path, **environment: str) -> None:
        screen = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
        here = {name: value for name, value in os.environ.items() if name not in screen}
        self.process = subprocess.Popen(
            command, cwd=cwd, env=here | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.said = ""
        while not (found := re.search(r"(http://127\.0\.0\.1:\d+)(/\S+)token=(\w+)", self.said)):
            line = self.process.stdout.readline()
            assert line, f"the lab ended: {self.said}"
            self.said += line
        self.address, self.path, self.token = found.groups()
        self.url = found[0]
        self.family = {*psutil.Process(self.process.pid).children(recursive=True)}

    def __enter__(self) -> "RunningLab":
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.family |= {*psutil.Process(self.process.pid).children(recursive=True)}
            self.process.kill()
        for process in self.family:
            if process.is_running():
                process.kill()

    def page(self, path: str) -> str:
        with urllib.request.urlopen(f"{self.address}{path}?token={self.token}", timeout=20) as answer:
            return answer.read().decode()

    def ask(self, path: str, data: dict | None = None, token: bool = True):
        headers = {"Authorization": f"token {self.token}"} if token else {}
        body = None if data is None else json.dumps(data).encode()
        with urllib.request.urlopen(urllib.request.Request(self.address + path, body, headers), timeout=20) as answer:
            return json.loads(answer.read())

    def run(self, code: str, notebook: str = "2_segmentation/2_3_rfm.ipynb") -> websocket.WebSocket:
        """Run code in a kernel of the notebook, as the browser would; gives the kernel's line."""
        session = {"path": notebook, "type": "notebook", "name": "", "kernel": {"name": "python3"}}
        kernel = self.ask("/api/sessions", session)["kernel"]["id"]
        address = f"{self.address.replace('http', 'ws')}/api/kernels/{kernel}/channels?token={self.token}"
        line = websocket.create_connection(address, timeout=60)
        header = {"msg_id": "1", "msg_type": "execute_request", "username": "", "session": "s", "version": "5.3"}
        message = {"header": header, "parent_header": {}, "metadata": {}, "channel": "shell"}
        line.send(json.dumps(message | {"content": {"code": code, "silent": False}}))
        return line

    def printed(self, code: str) -> str:
        """What the code prints first."""
        line = self.run(code)
        while True:
            message = json.loads(line.recv())
            assert message["msg_type"] != "error", message["content"]
            if message["msg_type"] == "stream":
                return message["content"]["text"]

    def stop(self, number: int) -> tuple[int, list[psutil.Process]]:
        """Send a signal; gives the exit code, and what is still alive three seconds later."""
        self.family |= {*psutil.Process(self.process.pid).children(recursive=True)}
        self.process.send_signal(number)
        code = self.process.wait(40)
        return code, psutil.wait_procs(self.family, timeout=3)[1]
