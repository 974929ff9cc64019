"""Records to rows, many at a time: what the director writes at the end of a transaction."""

import json
import sqlite3
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from taskd import wire
from taskd.model.step import JSON, Step, StepKind, StepState
from taskd.model.task import Event, Task
from taskd.store import adapters  # noqa: F401  # for what it tells sqlite3
from taskd.store.lanes import COMMON, Lanes
from taskd.store.times import to_number

_TASK = (
    "id, label, user, uid, execution_type, type, priority, key, created_at, start_before,"
    " parent_task_id, recurring_logic_id, on_conflict, wanted_locks, input, definition"
)
_CHANGING_TASK = "progress, version"
_TASK_STATE = "state, result, ended_at, state_updated_at, needed_help, cancelling, resumable"
_RARELY_CHANGING_TASK = (
    "started_at, name, folded_name, external_id, flow, output, expires_at, start_at"
)
_CHANGING_STEP = "state, progress, attempts, started_at, ended_at, call_id, ready, output"
_RARELY_CHANGING_STEP = "note, interruptions, due_at, rescue, error, kept"
_INSERT_TASK = (
    f"INSERT INTO tasks ({_TASK}, {_CHANGING_TASK}, {_TASK_STATE}, {_RARELY_CHANGING_TASK})"
    f" VALUES ({'?,' * 32}?)"
)
_UPDATE_TASK = f"UPDATE tasks SET ({_CHANGING_TASK}) = (?, ?) WHERE id = ?"
_UPDATE_STATE = f"UPDATE tasks SET ({_CHANGING_TASK}, {_TASK_STATE}) = ({'?,' * 8}?) WHERE id = ?"
_UPDATE_RARE = f"UPDATE tasks SET ({_RARELY_CHANGING_TASK}) = ({'?,' * 7}?) WHERE id = ?"
_INSERT_STEP = (
    f"INSERT INTO steps (task_id, number, name, kind, needs, weight, priority, {_CHANGING_STEP},"
    f" {_RARELY_CHANGING_STEP}) VALUES ({'?,' * 15} '', 0, NULL, NULL, NULL, NULL)"
)
_NEW_STEP = Step(name="", kind=StepKind.RUN, state=StepState.PENDING, number=0)  # as inserted
_UPDATE_STEP = (
    f"UPDATE steps SET ({_CHANGING_STEP}) = ({'?,' * 7}?) WHERE task_id = ? AND number = ?"
)
_UPDATE_STEP_RARE = (
    f"UPDATE steps SET ({_RARELY_CHANGING_STEP}) = ({'?,' * 5}?) WHERE task_id = ? AND number = ?"
)
_INSERT_HISTORY = "INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?)"

Rows = list[tuple[Any, ...]]

_states = attrgetter(*_TASK_STATE.split(", "))


def write_tasks(
    connection: sqlite3.Connection,
    stored: Mapping[int, Task | None],
    changed: Mapping[int, Task],
    lanes: Lanes,
) -> None:
    """Insert and update until the store has `changed` where it has `stored` now."""
    new_tasks: Rows = []
    tasks: Rows = []
    states: Rows = []
    rare: Rows = []
    new_steps: Rows = []
    steps: Rows = []
    rare_steps: Rows = []
    for task_id, task in changed.items():
        old = stored[task_id]
        if old is None:
            new_tasks.append(
                (*_fixed_task(task), task.progress, task.version, *_state(task), *_rare_task(task))
            )
        else:
            if _states(old) != _states(task):
                states.append((task.progress, task.version, *_state(task), task_id))
            else:
                tasks.append((task.progress, task.version, task_id))
            if _rare_differ(old, task):
                rare.append((*_rare_task(task), task_id))
        before = old.steps if old else {}
        lane = lanes.get(task.label, COMMON)
        for name, step in task.steps.items():
            was = before.get(name)
            if was is step:
                continue
            if was is None:
                new_steps.append(_fixed_step(task, step) + _changing_step(step, lane))
            else:
                steps.append((*_changing_step(step, lane), task_id, step.number))
            if _rare_step_differs(was or _NEW_STEP, step):
                rare_steps.append((*_rare_step(step), task_id, step.number))
    for statement, rows in (
        (_INSERT_TASK, new_tasks),
        (_UPDATE_TASK, tasks),
        (_UPDATE_STATE, states),
        (_UPDATE_RARE, rare),
        (_INSERT_STEP, new_steps),
        (_UPDATE_STEP, steps),
        (_UPDATE_STEP_RARE, rare_steps),
    ):
        if rows:
            connection.executemany(statement, rows)


def write_history(connection: sqlite3.Connection, rows: Rows) -> None:
    if rows:
        connection.executemany(_INSERT_HISTORY, rows)


def history_row(task_id: int, version: int, number: int, event: Event) -> tuple[Any, ...]:
    """`number` orders the events of one commit."""
    at = to_number(event.at)
    return task_id, version, number, at, event.event, event.who, _text(event.detail)


def _fixed_task(task: Task) -> tuple[Any, ...]:
    return (
        task.id,
        task.label,
        task.user,
        task.uid,
        task.execution_type,
        task.type,
        task.priority,
        task.key,
        to_number(task.created_at),
        to_number(task.start_before),
        task.parent_task_id,
        task.recurring_logic_id,
        task.on_conflict,
        wire.dumps(task.wanted_locks) if task.wanted_locks else None,
        json.dumps(task.input) if task.input else "{}",
        _to_json(task.definition),
    )


def _state(task: Task) -> tuple[Any, ...]:
    return (
        task.state,
        task.result,
        to_number(task.ended_at),
        to_number(task.state_updated_at),
        task.needed_help,
        task.cancelling,
        task.resumable,
    )


def _rare_task(task: Task) -> tuple[Any, ...]:
    name = _text(task.name)
    return (
        to_number(task.started_at),
        name,
        name.casefold(),
        task.external_id,
        _to_json(task.flow),
        _to_json(task.output),
        to_number(task.expires_at),
        to_number(task.start_at),
    )


def _rare_differ(old: Task, task: Task) -> bool:
    return (
        old.started_at is not task.started_at
        or old.name is not task.name
        or old.external_id is not task.external_id
        or old.flow is not task.flow
        or old.output is not task.output
        or old.expires_at is not task.expires_at
        or old.start_at is not task.start_at
    )


def _fixed_step(task: Task, step: Step) -> tuple[Any, ...]:
    needs = json.dumps(step.needs) if step.needs else None
    return task.id, step.number, step.name, step.kind, needs, step.weight, task.priority


def _changing_step(step: Step, lane: int) -> tuple[Any, ...]:
    return (
        step.state,
        step.progress,
        step.attempts,
        to_number(step.started_at),
        to_number(step.ended_at),
        step.call_id,
        lane if step.ready else 0,
        _to_json(step.output),
    )


def _rare_step(step: Step) -> tuple[Any, ...]:
    return (
        _text(step.note),
        step.interruptions,
        to_number(step.due_at),
        step.rescue,
        None if step.error is None else wire.dumps(step.error),
        _to_json(step.kept),
    )


def _text(text: str) -> str:
    """What SQLite takes: halves of surrogate pairs, which a step may hand us, are replaced."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _rare_step_differs(old: Step, step: Step) -> bool:
    return (
        old.error is not step.error
        or old.note is not step.note
        or old.due_at is not step.due_at
        or old.interruptions != step.interruptions
        or old.rescue is not step.rescue
        or old.kept is not step.kept
    )


def _to_json(value: JSON) -> str | None:
    return None if value is None else json.dumps(value)
