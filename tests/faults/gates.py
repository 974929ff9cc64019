"""Steps that have begun and go on until a test lets them, and say then what they have done."""

import itertools
from pathlib import Path

from real_daemon import Daemon, eventually

from taskd.client import Client
from taskd.model.task import Task

_NUMBERS = itertools.count(1)

ACTION = """\
import os
import time

from taskd import Action, step


class Wait(Action, label="wait"):
    gate: str

    @step
    def work(self) -> str:
        with open(self.gate + ".begun", "a") as file:
            file.write("begun\\n")
        while not os.path.exists(self.gate + ".open"):
            time.sleep(0.02)
        print("done")
        return "done"
"""


class Gate:
    """`shell` or `python` starts the task; its step's output is "done"."""

    def __init__(self, daemon: Daemon) -> None:
        self.task_id = 0
        self._daemon = daemon
        self._path = daemon.root / f"gate-{next(_NUMBERS)}"

    def shell(self, meanwhile: str = ":") -> "Gate":
        """`meanwhile` is done again and again."""
        begin = f"echo begun >> {self._path}.begun"
        wait = f"until test -e {self._path}.open; do {meanwhile}; sleep 0.02; done"
        self.task_id = self._daemon.start_task("exec", "--", f"{begin}; {wait}; echo done")
        return self

    def python(self, label: str = "wait") -> "Gate":
        """The daemon knows `ACTION`, or one like it."""
        self.task_id = self._daemon.start_task("run", label, f"gate={self._path}")
        return self

    def begun(self) -> "Gate":
        eventually(Path(f"{self._path}.begun").exists)
        return self

    def open(self) -> None:
        Path(f"{self._path}.open").touch()

    def times_begun(self) -> int:
        file = Path(f"{self._path}.begun")
        return len(file.read_text().split()) if file.exists() else 0

    def task(self) -> Task:
        with Client(self._daemon.socket) as client:
            return client.get(self.task_id)

    def ended_well(self) -> bool:
        """Once, and the step's output is known."""
        task = self.task()
        return (task.result, task.output, self.times_begun()) == ("success", "done", 1)


def state(daemon: Daemon) -> object:
    """What the daemon says of its own."""
    with Client(daemon.socket) as client:
        return client.status()["state"]
