"""Rows to steps, and two questions of the queue: what runs, what is due. See `lanes` too."""

import json
import sqlite3
from datetime import datetime
from typing import Any

from taskd import wire
from taskd.model.record import build
from taskd.model.step import Rescue, Step, StepError, StepKind, StepState
from taskd.store.times import from_number, to_number

_KINDS = {str(kind): kind for kind in StepKind}
_STATES = {str(state): state for state in StepState}
_COLUMNS = (
    "number, name, kind, state, needs, weight, progress, note, attempts, interruptions,"
    " started_at, ended_at, due_at, call_id, ready, rescue, output, error, kept"
)


def of_task(connection: sqlite3.Connection, task_id: int) -> dict[str, Step]:
    """The steps by name, in the order of the plan."""
    found = connection.execute(
        f"SELECT {_COLUMNS} FROM steps WHERE task_id = ? ORDER BY number", (task_id,)
    )
    return {step.name: step for step in map(_from_row, found)}


def running(connection: sqlite3.Connection) -> dict[int, tuple[int, str]]:
    """Call → (task, step) of the steps that were given to an executor."""
    rows = connection.execute(
        "SELECT call_id, task_id, steps.name FROM tasks CROSS JOIN steps ON task_id = id"
        " WHERE tasks.state <> 'stopped' AND tasks.state IN ('planned', 'running', 'paused')"
        " AND call_id IS NOT NULL"
    )
    return {call: (task, name) for call, task, name in rows}


def due(connection: sqlite3.Connection, now: datetime, limit: int) -> list[tuple[int, int]]:
    """(task, step number) of those whose time has come."""
    return connection.execute(
        "SELECT task_id, number FROM steps WHERE due_at <= ? ORDER BY due_at LIMIT ?",
        (to_number(now), limit),
    ).fetchall()


def count_due(connection: sqlite3.Connection, now: datetime) -> int:
    row = connection.execute("SELECT count(*) FROM steps WHERE due_at <= ?", (to_number(now),))
    return int(row.fetchone()[0])


def next_due(connection: sqlite3.Connection) -> datetime | None:
    row = connection.execute("SELECT min(due_at) FROM steps WHERE due_at IS NOT NULL").fetchone()
    return from_number(row[0])


def next_retry(connection: sqlite3.Connection) -> datetime | None:
    """When the first of the failed steps is due that are to be tried again."""
    where = "due_at IS NOT NULL AND state = 'pending'"
    row = connection.execute(f"SELECT min(due_at) FROM steps WHERE {where}").fetchone()
    return from_number(row[0])


def _from_row(row: tuple[Any, ...]) -> Step:
    number, name, kind, state, needs, weight, progress, note, attempts, interruptions, *rest = row
    started_at, ended_at, due_at, call_id, ready, rescue, output, error, kept = rest
    return build(
        Step,
        number=number,
        name=name,
        kind=_KINDS[kind],
        state=_STATES[state],
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
