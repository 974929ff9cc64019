"""One task in full: attributes, steps, errors, locks, history, raw."""

import json
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from taskctl.view import colors, times
from taskctl.view.columns import EVENT_COLUMNS
from taskctl.view.forms import Record
from taskctl.view.panel import attributes, indented, section
from taskctl.view.step_table import step_table
from taskctl.view.table import table
from taskd.model.inert import inert
from taskd.model.step import reason

SECTIONS = ("steps", "errors", "locks", "history", "raw")


def task_panel(task: Record, sections: Sequence[str] = SECTIONS) -> RenderableType:
    """The attributes, and those of `SECTIONS` that are wanted and not empty."""
    parts: list[RenderableType] = [_heading(task), indented(_attributes(task))]
    for name in sections:
        parts += section(name.capitalize(), _BODIES[name](task))
    return Group(*parts)


def _heading(task: Record) -> Text:
    return Text.assemble((f"Task {task['id']}", "bold"), "  ", inert(task["name"]))


def _attributes(task: Record) -> Table:
    running = [s for s in _steps(task) if s["state"] == "running"]
    return attributes(
        [
            ("label", _plain(task["label"])),
            ("state", _state(task)),
            ("result", _result(task)),
            ("waits for", _plain(task["steps"][0]["note"] if task.get("waits_for") else "")),
            ("after", Text(", ".join(f"task {each}" for each in task.get("after") or ()))),
            ("progress", Text(times.percent(task["progress"]))),
            ("running", Text(", ".join(_at_work(step) for step in running))),
            ("user", _plain(task["user"])),
            ("type", Text(f"{task['type']}, {task['execution_type']}")),
            ("priority", Text(str(task["priority"] or ""))),
            ("key", _plain(task["key"])),
            ("created", Text(times.exactly(task["created_at"]))),
            ("start at", Text(times.exactly(_start_at(task)))),
            ("start before", Text(times.exactly(task["start_before"]))),
            ("started", Text(times.exactly(task["started_at"]))),
            ("ended", Text(times.exactly(task["ended_at"]))),
            ("duration", Text(times.length(task["duration"]))),
            ("parent", _plain(task["parent_task_id"])),
            ("recurring", _plain(task["recurring_logic_id"])),
            ("external id", _plain(task["external_id"])),
            *((what, _plain(text)) for what, text in (task.get("descriptions") or {}).items()),
        ]
    )


def _start_at(task: Record) -> str | None:
    """The time for which it was scheduled, if there was one."""
    return task["start_at"] if task["start_at"] != task["created_at"] else None


def _state(task: Record) -> Text:
    steps = _steps(task)
    if task["state"] == "planned" and steps and steps[0]["state"] == "pending":
        return Text("planned, waits for a free slot", style=colors.state(task))
    asked = [event["event"] for event in task.get("history") or () if event["event"] in _ASKED]
    ends = task["state"] != "stopped" and asked and asked[-1] != "resumed"
    more = f", being {asked[-1]}" if ends else ""
    return Text(task["state"] + more, style=colors.state(task))


def _result(task: Record) -> Text:
    """A paused task has no result yet, only the one that it would have."""
    if task["state"] == "paused":
        shown = f"? ({task['result']}, if it were stopped now)"
        return Text(shown, style=colors.result(task))
    return Text(task["result"], style=colors.result(task))


def _at_work(step: Record) -> str:
    note = f": {step['note']}" if step.get("note") else ""
    return inert(f"{step['name']} {times.percent(step['progress'])}{note}")


def _steps(task: Record) -> list[Record]:
    return list(task.get("steps") or [])


def _flow(task: Record) -> Iterator[RenderableType]:
    if _steps(task):
        yield step_table(task)


def _errors(task: Record) -> Iterator[RenderableType]:
    for step in _steps(task):
        if error := step["error"]:
            told = reason(error["kind"], error["message"])
            note = f"  ({inert(step['note'])})" if step["note"] else ""
            yield Text.assemble(
                (inert(step["name"]), "bold"), "  ", (inert(told), "red"), (note, "dim")
            )
            more = error["traceback"].rstrip() or error["message"]
            if more not in told:
                yield Padding(Text(inert(more, keep="\n\t"), style="dim"), (0, 0, 0, 2))


def _locks(task: Record) -> Iterator[RenderableType]:
    for lock in task.get("locks") or []:
        yield Text.assemble(inert(lock["resource"]), (f"  {_operation(lock)}", "dim"))
    for claim in task.get("waits_for") or []:
        behind = ", ".join(f"task {task_id}" for task_id in claim["behind"])
        told = f"  waits, behind {behind}" if behind else "  waits"
        yield Text.assemble(inert(claim["resource"]), (f"  {_operation(claim)}{told}", "dim"))
    for link in task.get("links") or []:
        yield Text.assemble(inert(link["resource"]), ("  link", "dim"))


def _operation(lock: Record) -> str:
    return inert(lock["operation"] or "all operations")


def _history(task: Record) -> Iterator[RenderableType]:
    if events := task.get("history"):
        yield table(EVENT_COLUMNS, events, headers=False)


def _raw(task: Record) -> Iterator[RenderableType]:
    outputs = {step["name"]: step["output"] for step in _steps(task) if step["output"] is not None}
    raw = {"input": task["input"], "output": task["output"], "steps": outputs}
    if any(value not in (None, {}) for value in raw.values()):
        yield Text(inert(json.dumps(raw, indent=2, ensure_ascii=False), keep="\n"))


def _plain(value: object) -> Text:
    return Text("" if value is None else inert(value))


_ASKED = ("cancelled", "unlocked", "resumed")
_BODIES = {
    "steps": _flow,
    "errors": _errors,
    "locks": _locks,
    "history": _history,
    "raw": _raw,
}
