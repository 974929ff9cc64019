"""What becomes of a task, in plain lines: while it runs, and at its end what to type next."""

import sys
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from taskctl.view import times
from taskctl.view.forms import Record
from taskd.model.inert import inert


def now(task: Record) -> str:
    """`task 42 running: copy`, the same until its state or its steps change."""
    if task.get("waits_for"):
        return inert(f"task {task['id']} waits: {task['steps'][0]['note']}")
    steps = ", ".join(step["name"] for step in task.get("steps") or () if at_work(step))
    return inert(f"task {task['id']} {task['state']}" + (f": {steps}" if steps else ""))


def at_work(step: Record) -> bool:
    return step["state"] in ("running", "suspended")


def ending(task: Record) -> Iterator[str]:
    """How a task that rests came out, and what helps."""
    number = task["id"]
    if task["state"] == "paused":
        yield f"task {number} is paused: {inert(task['name'])}"
        yield from _failures(task)
        yield f"  when the cause is fixed: taskctl resume {number}"
        yield from _way_round(task)
        yield f"  more: taskctl show {number}, taskctl logs {number}"
        return
    after = times.length(task.get("duration"))
    yield f"task {number} ended: {task['result']}" + (f", after {after}" if after else "")
    yield from _passed_over(task)
    if task["result"] == "error":
        yield from _failures(task)
        yield f"  more: taskctl show {number}, taskctl logs {number}"


def _passed_over(task: Record) -> Iterator[str]:
    """Why it did not even begin: a lock that it was not to wait for."""
    for step in task.get("steps") or ():
        if step["kind"] == "plan" and step["state"] == "cancelled" and step["note"]:
            yield f"  {inert(step['note'])}"


def _failures(task: Record) -> Iterator[str]:
    from taskd.model.step import reason  # most tasks end well

    for step in _failed(task):
        why = reason(step["error"]["kind"], step["error"]["message"])
        yield f"  step {inert(step['name'])} failed: {inert(why)}"


def _way_round(task: Record) -> Iterator[str]:
    """How to go on without what failed, unless nothing is done then."""
    work = [step for step in task["steps"] if step["kind"] != "plan"]
    failed = _failed(task)
    if len(failed) < len(work):
        names = " ".join(f"{task['id']}/{step['name']}" for step in failed)
        yield f"  or go on without: taskctl skip {inert(names)}"


def _failed(task: Record) -> list[Record]:
    return [step for step in task.get("steps") or () if step["state"] == "error"]


class Story:
    """Tells each change of the tasks that it is called with, once, on stderr."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._told: dict[int, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is left to tell."""

    def __call__(self, task: Record) -> None:
        text = now(task)
        rests = task["state"] in ("paused", "stopped")  # which `ending` tells
        if not (self._quiet or rests or text == self._told.get(task["id"])):
            self._told[task["id"]] = text
            print(text, file=sys.stderr, flush=True)
