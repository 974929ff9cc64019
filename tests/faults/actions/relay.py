"""Tasks of three steps, each of which writes in the ledger when it begins and when it ends.

A step gives back who it was and when it began, so the store can be held against the ledger. Those
that take some time do it in a session of their own: the worst that a step can leave behind.
"""

import os
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from taskd import (
    Action,
    Lock,
    OnConflict,
    Rescue,
    Retry,
    Snooze,
    SubTasks,
    exclusive,
    request,
    step,
)


class Plain(Action, label="plain.python"):
    place: str  # the folder of the ledger
    site: str = ""  # what those lock that lock something
    pause: str = "0"  # seconds that a step takes
    number: int = 0  # so that no sub-task is a sub-task of itself

    @step
    def first(self) -> str:
        return self.work("first")

    @step
    def second(self) -> str:
        return self.work("second")

    @step
    def third(self) -> str:
        return self.work("third")

    def work(self, name: str) -> str:
        return self.work_apart(name) if float(self.pause) else self.work_here(name)

    def work_here(self, name: str) -> str:
        began = self.write("begin", name)
        self.write("end", name)
        return f"{os.getpid()}@{began}"

    def write(self, what: str, name: str) -> str:
        now = f"{time.clock_gettime(time.CLOCK_BOOTTIME):.6f}"
        line = f"{what} {self.task.id} {name} {self.task.attempt} {os.getpid()} {now}\n"
        ledger = os.open(Path(self.place, "ledger"), os.O_WRONLY | os.O_APPEND)
        os.write(ledger, line.encode())
        os.close(ledger)
        return now

    def work_apart(self, name: str) -> str:
        told = {
            "TASKD_TASK_ID": self.task.id,
            "TASKD_STEP": name,
            "TASKD_ATTEMPT": self.task.attempt,
        }
        values = told | {"place": self.place, "pause": self.pause}
        done = subprocess.run(
            ["setsid", "--wait", "sh", Path(self.place, "work.sh")],
            env=os.environ | {key: str(value) for key, value in values.items()},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout.strip()


class Again(Plain, label="again.python"):
    """Its steps may run again; and a host is asked for its plan."""

    def title(self) -> str:
        time.sleep(float(self.pause) / 4)
        return f"Again with {self.pause}"

    @step(idempotent=True)
    def first(self) -> str:
        return self.work("first")

    @step(idempotent=True)
    def second(self) -> str:
        return self.work("second")

    @step(idempotent=True)
    def third(self) -> str:
        return self.work("third")


class Locked(Plain, label="locked.python", on_conflict=OnConflict.WAIT):
    def locks(self) -> Iterable[Lock]:
        yield exclusive(f"site:{self.site}")


class Fail(Locked, label="fail.python", on_conflict=OnConflict.WAIT, rescue=Rescue.FAIL):
    """It gives its lock away as soon as a step is interrupted."""


class Poll(Plain, label="poll.python"):
    @step
    def second(self) -> str | Snooze:
        called = self.task.kept or 0
        done = self.work_here(f"second.{called}")
        return done if called == 2 else Snooze(0.1, keep=called + 1)


class Retried(Plain, label="retried.python"):
    @step(retry=Retry(2, delay=0.1))
    def second(self) -> str:
        if self.task.attempt == 1:
            self.write("begin", "second")
            raise RuntimeError("the first attempt never works")
        return self.work("second")


class Family(Plain, label="family.python"):
    @step
    def second(self) -> SubTasks:
        self.work_here("second")
        given = {"place": self.place, "pause": self.pause, "number": 1}
        return SubTasks([request(Plain, **given), request("again.shell", **given)])

    @step
    def third(self) -> str:
        return self.work("third")
