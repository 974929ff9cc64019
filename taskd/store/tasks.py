"""Rows to tasks: what readers find, and what the director looks up."""

import json
import sqlite3
from datetime import datetime
from typing import Any

from taskd import wire
from taskd.model.errors import NotFound
from taskd.model.lock import Lock
from taskd.model.record import build, replace
from taskd.model.step import StepError
from taskd.model.task import (
    JSON,
    Event,
    ExecutionType,
    OnConflict,
    Result,
    State,
    Task,
)
from taskd.store import chains, hooks, locks, meta, steps
from taskd.store.times import from_number, time_of, to_number

_STATES = {str(state): state for state in State}
_RESULTS = {str(result): result for result in Result}
_EXECUTION_TYPES = {str(kind): kind for kind in ExecutionType}
_ON_CONFLICT = {str(choice): choice for choice in OnConflict}
_PLAIN = (
    "label, name, state, result, user, uid, execution_type, type, priority, key, created_at, "
    "start_at, start_before, started_at, ended_at, state_updated_at, progress, parent_task_id, "
    "recurring_logic_id, external_id, version, needed_help, cancelling, resumable, on_conflict, "
    "wanted_locks, expires_at"
)
COLUMNS = f"{_PLAIN}, flow, input, output, definition"
_EXPIRING = (
    "expires_at IS NOT NULL AND NOT EXISTS"
    " (SELECT 1 FROM steps WHERE task_id = id AND number = 0 AND steps.state = 'running')"
)
LISTED = f"{_PLAIN}, NULL, '{{}}', NULL, NULL"  # as lists show them, without what may be large


def get(connection: sqlite3.Connection, task_id: int) -> Task:
    """The task with its steps, for the director. Raises NotFound."""
    row = connection.execute(f"SELECT id, {COLUMNS} FROM tasks WHERE id = ?", (task_id,)).fetchone()
    if row is None:
        raise NotFound(f"no task {task_id}")
    task = from_row(row, steps.of_task(connection, task_id))
    if task.state is State.PLANNED:
        return task
    return replace(task, locks=locks.of_task(connection, task_id))


def needs_secrets(connection: sqlite3.Connection, task_id: int) -> bool:
    """It has not stopped; or it failed, and its parent, which has not, may start it anew."""
    row = connection.execute(
        "SELECT task.state, task.result, parent.state FROM tasks task"
        " LEFT JOIN tasks parent ON parent.id = task.parent_task_id WHERE task.id = ?",
        (task_id,),
    ).fetchone()
    if row is None:
        return False
    state, result, parent = row
    may_be_started_anew = result in (Result.ERROR, Result.CANCELLED)
    return state != State.STOPPED or (may_be_started_anew and parent not in (None, State.STOPPED))


def summary(connection: sqlite3.Connection, task_id: int) -> Task | None:
    """The task without its steps; None when it is gone."""
    row = connection.execute(f"SELECT id, {COLUMNS} FROM tasks WHERE id = ?", (task_id,)).fetchone()
    return row and from_row(row, {})


def get_full(connection: sqlite3.Connection, task_id: int) -> Task:
    """The task with all that is known of it. Raises NotFound."""
    task = get(connection, task_id)
    return replace(
        task,
        links=(_user_link(task), *locks.links_of_task(connection, task_id)),
        after=chains.of_task(connection, task_id),
        errors=_errors(task),
        history=_history(connection, task_id),
        descriptions=hooks.descriptions(connection, task_id),
    )


def _errors(task: Task) -> tuple[StepError, ...]:
    return tuple(
        replace(step.error, input=task.input, output=step.output)
        for step in task.steps.values()
        if step.error
    )


def _user_link(task: Task) -> Lock:
    return Lock(f"user:{task.user}", exclusive=False)


def count_by_state(connection: sqlite3.Connection) -> dict[str, int]:
    """Numbers of tasks that are not stopped, by state."""
    rows = connection.execute(
        "SELECT state, count(*) FROM tasks WHERE state <> 'stopped' GROUP BY state"
    )
    return dict(rows.fetchall())


def newest(connection: sqlite3.Connection, uid: int) -> int:
    """The newest task that `uid` started, no sub-task. Raises NotFound."""
    row = connection.execute(
        "SELECT id FROM tasks WHERE uid = ? AND parent_task_id IS NULL ORDER BY id DESC LIMIT 1",
        (uid,),
    ).fetchone()
    if row is None:
        raise NotFound("no task @last: you have not started any")
    return int(row[0])


def with_key(connection: sqlite3.Connection, uid: int, key: str) -> int | None:
    row = connection.execute(
        "SELECT id FROM tasks WHERE uid = ? AND key = ?", (uid, key)
    ).fetchone()
    return None if row is None else int(row[0])


def expired(connection: sqlite3.Connection, now: datetime, limit: int) -> list[int]:
    """Those that were to begin by now, and have not; but for those that are being planned."""
    rows = connection.execute(
        f"SELECT id FROM tasks WHERE {_EXPIRING} AND expires_at <= ? ORDER BY expires_at LIMIT ?",
        (to_number(now), limit),
    )
    return [task_id for (task_id,) in rows]


def next_expiry(connection: sqlite3.Connection) -> datetime | None:
    row = connection.execute(
        f"SELECT expires_at FROM tasks WHERE {_EXPIRING} ORDER BY expires_at LIMIT 1"
    ).fetchone()
    return row and from_number(row[0])


def last_id(connection: sqlite3.Connection) -> int:
    """The highest id that was ever given to a task, also to one that is deleted."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'tasks'").fetchone()
    return row[0] if row else 0


def skip_ids(connection: sqlite3.Connection, last: int) -> None:
    """Give no id up to `last` any more."""
    if last > last_id(connection):
        connection.execute("DELETE FROM sqlite_sequence WHERE name = 'tasks'")
        connection.execute("INSERT INTO sqlite_sequence VALUES ('tasks', ?)", (last,))


def last_version(connection: sqlite3.Connection) -> int:
    """The number of the last commit."""
    return int(meta.get(connection, "version"))


def set_version(connection: sqlite3.Connection, version: int) -> None:
    connection.execute("UPDATE meta SET value = ? WHERE name = 'version'", (version,))


def _history(connection: sqlite3.Connection, task_id: int) -> tuple[Event, ...]:
    rows = connection.execute(
        "SELECT at, event, who, detail FROM history WHERE task_id = ? ORDER BY version, number",
        (task_id,),
    )
    return tuple(Event(time_of(at), event, who, detail) for at, event, who, detail in rows)


def from_row(row: tuple[Any, ...], task_steps: dict[str, Any]) -> Task:
    """The task whose id and `COLUMNS` are `row`."""
    (
        id, label, name, state, result, user, uid, execution_type, type, priority, key, created_at,
        start_at, start_before, started_at, ended_at, state_updated_at, progress, parent_task_id,
        recurring_logic_id, external_id, version, needed_help, cancelling, resumable, on_conflict,
        wanted_locks, expires_at, flow, input, output, definition,
    ) = row  # fmt: skip
    return build(
        Task,
        id=id,
        label=label,
        name=name,
        state=_STATES[state],
        result=_RESULTS[result],
        user=user,
        uid=uid,
        execution_type=_EXECUTION_TYPES[execution_type],
        type=type,
        priority=priority,
        key=key,
        created_at=time_of(created_at),
        start_at=time_of(start_at),
        start_before=from_number(start_before),
        started_at=from_number(started_at),
        ended_at=from_number(ended_at),
        state_updated_at=time_of(state_updated_at),
        progress=progress,
        parent_task_id=parent_task_id,
        recurring_logic_id=recurring_logic_id,
        external_id=external_id,
        version=version,
        needed_help=bool(needed_help),
        cancelling=bool(cancelling),
        resumable=bool(resumable),
        on_conflict=_ON_CONFLICT[on_conflict],
        wanted_locks=wire.decode(tuple[Lock], json.loads(wanted_locks)) if wanted_locks else (),
        expires_at=from_number(expires_at),
        flow=_from_json(flow),
        input=json.loads(input) if input != "{}" else {},
        output=_from_json(output),
        definition=_from_json(definition),
        steps=task_steps,
        locks=(),
        links=(),
        waits_for=(),
        errors=(),
        history=(),
        descriptions={},
        after=(),
    )


def _from_json(text: str | None) -> JSON:
    return None if text is None else json.loads(text)
