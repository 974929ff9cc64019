"""Steps as rows, and the three questions of the queue: what may start, what runs, what is due."""

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from taskd import wire
from taskd.model.step import Rescue, Step, StepError, StepKind, StepState
from taskd.store.times import from_number, to_number

_COLUMNS = (
    "name, kind, state, needs, weight, progress, note, attempts, interruptions, started_at, "
    "ended_at, due_at, call_id, ready, rescue, output, error, kept"
)
_SELECT = f"SELECT task_id, number, {_COLUMNS} FROM steps"
_INSERT = f"INSERT INTO steps (task_id, number, priority, {_COLUMNS}) VALUES ({'?,' * 20}?)"
_UPDATE = (
    "UPDATE steps SET (" + _COLUMNS + ") = (" + "?," * 17 + "?) WHERE task_id = ? AND number = ?"
)


def of_tasks(connection: sqlite3.Connection, task_ids: list[int]) -> dict[int, dict[str, Step]]:
    """The steps of these tasks by task and name, in the order of the plan."""
    marks = ",".join("?" * len(task_ids))
    found: dict[int, dict[str, Step]] = {task_id: {} for task_id in task_ids}
    rows = connection.execute(
        f"{_SELECT} WHERE task_id IN ({marks}) ORDER BY task_id, number", task_ids
    )
    for task_id, *row in rows:
        step = _from_row(row)
        found[task_id][step.name] = step
    return found


def insert(
    connection: sqlite3.Connection, task_id: int, priority: int, steps: Iterable[Step]
) -> None:
    for step in steps:
        connection.execute(_INSERT, (task_id, step.number, priority, *_to_row(step)))


def update(connection: sqlite3.Connection, task_id: int, step: Step) -> None:
    connection.execute(_UPDATE, (*_to_row(step), task_id, step.number))


def ready(connection: sqlite3.Connection, limit: int) -> list[tuple[int, int]]:
    """(task, step number) of those that may start, by priority and age."""
    return connection.execute(
        "SELECT task_id, number FROM steps WHERE ready = 1"
        " ORDER BY priority DESC, task_id, number LIMIT ?",
        (limit,),
    ).fetchall()


def running(connection: sqlite3.Connection) -> dict[int, tuple[int, str]]:
    """Call → (task, step) of the steps that were given to an executor."""
    rows = connection.execute("SELECT call_id, task_id, name FROM steps WHERE call_id IS NOT NULL")
    return {call: (task, name) for call, task, name in rows}


def due(connection: sqlite3.Connection, now: datetime, limit: int) -> list[tuple[int, int]]:
    """(task, step number) of those whose time has come."""
    return connection.execute(
        "SELECT task_id, number FROM steps WHERE due_at <= ? ORDER BY due_at LIMIT ?",
        (to_number(now), limit),
    ).fetchall()


def next_due(connection: sqlite3.Connection) -> datetime | None:
    row = connection.execute("SELECT min(due_at) FROM steps WHERE due_at IS NOT NULL").fetchone()
    return from_number(row[0])


def _to_row(step: Step) -> tuple[Any, ...]:
    return (
        step.name,
        step.kind,
        step.state,
        json.dumps(step.needs) if step.needs else None,
        step.weight,
        step.progress,
        step.note,
        step.attempts,
        step.interruptions,
        to_number(step.started_at),
        to_number(step.ended_at),
        to_number(step.due_at),
        step.call_id,
        step.ready,
        step.rescue,
        None if step.output is None else json.dumps(step.output),
        None if step.error is None else wire.dumps(step.error),
        None if step.kept is None else json.dumps(step.kept),
    )


def _from_row(row: list[Any]) -> Step:
    number, name, kind, state, needs, weight, progress, note, attempts, interruptions, *rest = row
    started_at, ended_at, due_at, call_id, ready, rescue, output, error, kept = rest
    return Step(
        number=number,
        name=name,
        kind=StepKind(kind),
        state=StepState(state),
        needs=tuple(json.loads(needs)) if needs else (),
        weight=weight,
        progress=progress,
        note=note,
        attempts=attempts,
        interruptions=interruptions,
        started_at=from_number(started_at),
        ended_at=from_number(ended_at),
        due_at=from_number(due_at),
        call_id=call_id,
        ready=bool(ready),
        rescue=Rescue(rescue) if rescue else None,
        output=json.loads(output) if output else None,
        error=wire.decode(StepError, json.loads(error)) if error else None,
        kept=json.loads(kept) if kept else None,
    )
