"""Records as tasks: what an import brings into the store.

Nothing of it moves: a task that had not stopped comes in as stopped, and its history says so. What
it refers to, and is not there, is not referred to. An idempotency key that means another task by
now goes on meaning that one.
"""

import json
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from taskd.model.errors import InvalidInput
from taskd.model.step import StepState
from taskd.model.task import Result, State
from taskd.store.archive import DELEGATION, EVENT, LOCK, PLACE, STEP, TASK
from taskd.store.times import to_number
from taskd.store.values import TEXT, WHOLE, Fields

MAX_ID = 10**15  # those that are given after it are exact numbers in any program

Values: TypeAlias = dict[str, Any]
Row: TypeAlias = tuple[Any, ...]

_UNFINISHED = (StepState.PENDING, StepState.RUNNING, StepState.SUSPENDED)
_STORE = Fields({"store": TEXT})
_DESCRIPTION = Fields({"what": TEXT, "text": TEXT})


def _insert(statement: str, *names: str) -> str:
    """The names in it as places in a row of these, which binds faster."""
    return re.sub(r":(\w+)", lambda found: f"?{names.index(found[1]) + 1}", statement)


_VALUES = TASK.parameters.replace(
    ":parent_task_id", "(SELECT id FROM tasks WHERE id = :parent_task_id AND origin IS :origin)"
).replace(":key", "iif(EXISTS (SELECT 1 FROM tasks WHERE uid = :uid AND key = :key), NULL, :key)")
_INSERTS = {
    "tasks": _insert(
        f"INSERT INTO tasks ({TASK.columns}, origin, folded_name, version) VALUES ({_VALUES},"
        " :origin, :folded_name, (SELECT value FROM meta WHERE name = 'version'))",
        *TASK.names,
        "origin",
        "folded_name",
    ),
    "steps": _insert(
        f"INSERT INTO steps ({STEP.columns}, task_id, priority, ready)"
        f" VALUES ({STEP.parameters}, :task_id, :priority, 0)",
        *STEP.names,
        "task_id",
        "priority",
    ),
    "links": "INSERT OR IGNORE INTO links (task_id, resource) VALUES (?, ?)",
    "history": _insert(
        f"INSERT INTO history ({EVENT.columns}, task_id, version, number)"
        f" VALUES ({EVENT.parameters}, :task_id, 0, :number)",
        *EVENT.names,
        "task_id",
        "number",
    ),
    "descriptions": "INSERT INTO descriptions (what, text, task_id) VALUES (?, ?, ?)",
    "prerequisites": "INSERT OR IGNORE INTO prerequisites (task_id, before_id, strict)"
    " SELECT ?1, id, 0 FROM tasks WHERE id = ?2 AND origin IS ?3",
    "delegations": "INSERT OR IGNORE INTO delegations (step, concurrency, task_id)"
    " VALUES (?, ?, ?)",
    "children": "INSERT OR IGNORE INTO children (step, position, task_id, child_id)"
    " SELECT ?1, ?2, id, ?3 FROM tasks WHERE id = ?4 AND origin IS ?5",
}


@dataclass(frozen=True)
class Arrival:
    """A task that is to come in: its rows, by table."""

    id: int
    origin: str | None  # the store in which it began; None: this one
    rows: dict[str, list[Row]]


def read(record: dict[str, Any], own: str, who: str, now: datetime) -> Arrival:
    """The task of a record, as `who` brings it into the store `own`. Raises InvalidInput."""
    task = TASK.read(record)
    if not 0 < task["id"] <= MAX_ID:
        raise InvalidInput(f"id cannot be {task['id']}")
    store = _STORE.read(record)["store"]
    task_id, origin = task["id"], None if store == own else store
    steps, history = _each(record, "steps", STEP), _each(record, "history", EVENT)
    _check_steps(steps)
    if task["state"] != State.STOPPED:
        history.append(_imported(task, who, now))
        task |= _stopped(task, steps, now)
        steps = [step | _ended(step, now) for step in steps]
    place = record.get("place")
    places = [] if place is None else [_part(place, "place", PLACE)]
    rows = {
        "tasks": [(*task.values(), origin, task["name"].casefold())],
        "steps": [(*step.values(), task_id, task["priority"]) for step in steps],
        "links": [(task_id, link["resource"]) for link in _links(record, task["user"])],
        "history": [(*event.values(), task_id, n) for n, event in enumerate(history)],
        "descriptions": [(*each.values(), task_id) for each in _descriptions(record)],
        "prerequisites": [(task_id, before, origin) for before in _after(record)],
        "delegations": [(*e.values(), task_id) for e in _each(record, "delegations", DELEGATION)],
        "children": [(*each.values(), task_id, task["parent_task_id"], origin) for each in places],
    }
    return Arrival(task_id, origin, rows)


def admit(connection: sqlite3.Connection, arrivals: Sequence[Arrival]) -> None:
    """Bring them in. Their ids must be free; who refers to another one comes after it."""
    for table, insert in _INSERTS.items():
        rows = [row for arrival in arrivals for row in arrival.rows[table]]
        if rows:
            connection.executemany(insert, rows)


def taken(connection: sqlite3.Connection, ids: Iterable[int]) -> dict[int, str | None]:
    """Those that are taken, each with the origin of the task that has it."""
    rows = connection.execute(
        "SELECT id, origin FROM tasks WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps([*ids]),),
    )
    return dict(rows.fetchall())


def _each(record: Mapping[str, Any], name: str, fields: Fields) -> list[Values]:
    return [_part(part, name, fields) for part in _list(record, name)]


def _part(given: object, name: str, fields: Fields) -> Values:
    try:
        return fields.read(given)
    except InvalidInput as error:
        raise InvalidInput(f"{name}: {error.message}") from None


def _list(record: Mapping[str, Any], name: str) -> list[Any]:
    parts = record.get(name, [])
    if not isinstance(parts, list):
        raise InvalidInput(f"{name} is no list")
    return parts


def _check_steps(steps: list[Values]) -> None:
    """Their names become names of files. None is due."""
    for what in ("name", "number"):
        if len({step[what] for step in steps}) < len(steps):
            raise InvalidInput(f"two steps have the same {what}")
    for step in steps:
        if not step["name"].isidentifier():
            raise InvalidInput(f"a step cannot be named {step['name'][:50]!r}")
        step["due_at"] = None


def _links(record: Mapping[str, Any], user: str) -> list[Values]:
    """But for the first one, to its user, which is not stored."""
    links = _each(record, "links", LOCK)
    return links[1:] if links and links[0]["resource"] == f"user:{user}" else links


def _after(record: Mapping[str, Any]) -> list[int]:
    try:
        return [WHOLE.read(before) for before in _list(record, "after")]
    except ValueError:
        raise InvalidInput("after holds something that is no id") from None


def _descriptions(record: Mapping[str, Any]) -> list[Values]:
    given = record.get("descriptions", {})
    if not isinstance(given, dict):
        raise InvalidInput("descriptions is no object")
    told = [{"what": what, "text": text} for what, text in given.items()]
    return [_part(each, "descriptions", _DESCRIPTION) for each in told]


def _imported(task: Values, who: str, now: datetime) -> Values:
    detail = f"it was {task['state']}"
    return {"at": to_number(now), "event": "imported", "who": who, "detail": detail}


def _stopped(task: Values, steps: list[Values], now: datetime) -> Values:
    """What becomes of a task that had not stopped."""
    failed = task["result"] == Result.ERROR or any(s["state"] == StepState.ERROR for s in steps)
    return {
        "state": str(State.STOPPED),
        "result": str(Result.ERROR if failed else Result.CANCELLED),
        "ended_at": to_number(now),
        "state_updated_at": to_number(now),
        "cancelling": 0,
        "resumable": 0,
    }


def _ended(step: Values, now: datetime) -> Values:
    """What becomes of a step of such a task."""
    if step["state"] not in _UNFINISHED:
        return {}
    begun = step["state"] != StepState.PENDING
    return {"state": str(StepState.CANCELLED), "ended_at": to_number(now) if begun else None}
