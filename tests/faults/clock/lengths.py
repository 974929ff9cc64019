"""A task of each kind that has a length of time: a delay, a limit, a grace."""

import os
from datetime import datetime
from typing import Any

from real_daemon import Daemon, eventually

from taskd.client import Client

LENGTH = 2.0  # seconds of all of them
FAR = 30.0  # seconds: more than all takes

ACTIONS = f"""\
import time
from pathlib import Path

from taskd import Action, Retry, Snooze, SubTasks, request, step


class Late(Action, label="late", rescue="fail"):
    @step(timeout={LENGTH})
    def work(self) -> None:
        time.sleep(600)


class Again(Action, label="again"):
    @step(retry=Retry(1, delay={LENGTH}))
    def work(self) -> None:
        assert self.task.attempt == 2


class Nap(Action, label="nap"):
    @step
    def work(self) -> Snooze | None:
        return None if self.task.kept else Snooze({LENGTH}, keep=True)


class Poll(Action, label="poll", rescue="fail"):
    @step(timeout={LENGTH})
    def work(self) -> Snooze:
        return Snooze(0.2)


class Parent(Action, label="parent", rescue="fail"):
    @step(timeout={LENGTH})
    def work(self) -> SubTasks:
        return SubTasks([request("late-child")])


class LateChild(Action, label="late-child"):
    @step
    def work(self) -> None:
        while not self.task.cancelled:
            time.sleep(0.01)
        raise SystemExit


class Patient(Action, label="patient"):
    place: str

    @step(timeout="1m")
    def work(self) -> None:
        while not Path(self.place).exists():
            time.sleep(0.01)
"""
TIMEOUT, SUCCESS, CANCELLED = "timeout", "success", "cancelled"
ENDS = {
    "late": TIMEOUT,
    "again": SUCCESS,
    "nap": SUCCESS,
    "poll": TIMEOUT,
    "parent": TIMEOUT,
    "limited command": TIMEOUT,
    "cancelled command": CANCELLED,
    "patient": SUCCESS,
    "patient command": SUCCESS,
}


SLEEPING = ("again", "nap")


class Work:
    """All of them, under way."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._go = daemon.root / "go"
        self._trapped = daemon.root / "trapped"
        with Client(daemon.socket) as client:
            self._ids = {name: self._start(client, name) for name in ENDS}
            eventually(lambda: all(map(_is_under_way, ENDS, self._tasks(client))))
            eventually(self._trapped.exists)
            client.cancel(self._ids["cancelled command"])

    def _start(self, client: Client, name: str) -> int:
        match name:
            case "limited command":
                return _exec(client, "exec sleep 600", time_limit=LENGTH)
            case "cancelled command":
                return _exec(client, f"trap '' TERM; touch {self._trapped}; exec sleep 600")
            case "patient command":
                return _exec(client, f"until test -e {self._go}; do sleep 0.01; done")
            case "patient":
                return client.start(name, {"place": str(self._go)}).id
        return client.start(name).id

    def _tasks(self, client: Client) -> list[Any]:
        return [client.ask("tasks.get", task_id=task_id) for task_id in self._ids.values()]

    def ended(self) -> dict[str, Any]:
        """All of them, once they have; the patient ones are let go when the others have ended."""
        limited = [i for name, i in self._ids.items() if not name.startswith("patient")]
        with Client(self._daemon.socket) as client:
            for task_id in limited:
                client.wait(task_id, timeout=FAR)
            self._go.touch()
            for task_id in self._ids.values():
                client.wait(task_id, timeout=FAR)
            return dict(zip(self._ids, self._tasks(client), strict=True))


def _exec(client: Client, line: str, **options: Any) -> int:
    environment = {"PATH": os.environ["PATH"]}
    return client.exec(line, cwd="/", environment=environment, rescue="fail", **options).id


def _is_under_way(name: str, task: Any) -> bool:
    return bool(task["steps"][-1]["due_at" if name in SLEEPING else "started_at"])


def end_of(task: dict[str, Any]) -> str:
    return task["errors"][0]["kind"] if task["errors"] else str(task["result"])


def lasted(step: dict[str, Any]) -> float:
    """Seconds."""
    start, end = (datetime.fromisoformat(step[key]) for key in ("started_at", "ended_at"))
    return (end - start).total_seconds()


def check(ended: dict[str, Any]) -> None:
    """Each ended as it should, and took as long as it should."""
    assert {name: end_of(task) for name, task in ended.items()} == ENDS
    took = {name: task["duration"] for name, task in ended.items()}
    assert [(name, s) for name, s in took.items() if not LENGTH <= s < FAR] == []
    steps = [step for task in ended.values() for step in task["steps"]]
    assert [step for step in steps if not 0 <= lasted(step) < FAR] == []
