"""Tasks as records: what exports and backups hold, and an import reads (`taskd.store.arrivals`).

A record is a JSON object on one line, with all that the store has of one task:

    {"store": "d3b0…", "id": 42, "label": "backup.site", …, "steps": [{"name": "plan", …}, …], …}

Names and values are those of `taskctl show -o json`; beside them is what only an import needs, and
`store` says where the task began. What stands in the store as JSON is passed on as it is, and no
task is made of it: a store has millions.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from time import time_ns
from typing import Any, TypeAlias

from taskd.model.step import Rescue, StepKind, StepState
from taskd.model.task import ExecutionType, OnConflict, Result, State
from taskd.store.times import from_number
from taskd.store.values import (
    ERROR,
    FLAG,
    FLOW,
    JSON,
    LOCKS,
    NUMBER,
    OBJECT,
    SHARE,
    TEXT,
    TIME,
    WHOLE,
    WORDS,
    Fields,
    one_of,
    optional,
)

PAGE = 500  # tasks that are read at once

TASK = Fields(
    {
        "id": WHOLE,
        "label": TEXT,
        "name": TEXT,
        "state": one_of(State),
        "result": one_of(Result),
        "user": TEXT,
        "execution_type": one_of(ExecutionType),
        "type": TEXT,
        "priority": WHOLE,
        "key": optional(TEXT),
        "created_at": TIME,
        "start_at": TIME,
        "start_before": optional(TIME),
        "started_at": optional(TIME),
        "ended_at": optional(TIME),
        "state_updated_at": TIME,
        "progress": SHARE,
        "parent_task_id": optional(WHOLE),
        "recurring_logic_id": optional(WHOLE),
        "external_id": optional(TEXT),
        "input": OBJECT,
        "output": JSON,
        "flow": FLOW,
        "on_conflict": one_of(OnConflict),
        "uid": WHOLE,
        "definition": JSON,
        "wanted_locks": LOCKS,
        "needed_help": FLAG,
        "cancelling": FLAG,
        "resumable": FLAG,
    }
)
STEP = Fields(
    {
        "name": TEXT,
        "kind": one_of(StepKind),
        "state": one_of(StepState),
        "number": WHOLE,
        "needs": WORDS,
        "weight": NUMBER,
        "progress": SHARE,
        "note": TEXT,
        "attempts": WHOLE,
        "started_at": optional(TIME),
        "ended_at": optional(TIME),
        "output": JSON,
        "error": ERROR,
        "kept": JSON,
        "due_at": optional(TIME),
        "interruptions": WHOLE,
        "rescue": optional(one_of(Rescue)),
    }
)
LOCK = Fields({"resource": TEXT, "operation": TEXT, "exclusive": FLAG})
EVENT = Fields({"at": TIME, "event": TEXT, "who": TEXT, "detail": TEXT})
DELEGATION = Fields({"step": WHOLE, "concurrency": optional(WHOLE)})  # a step that has sub-tasks
PLACE = Fields({"step": WHOLE, "position": WHOLE})  # of a sub-task, in its parent

Row: TypeAlias = tuple[Any, ...]

ROW = "id", "state", "type", "label", "result", "parent_task_id", "started_at", "ended_at"

_PAGE = "IN (SELECT value FROM json_each(:page))"
_IN_THIS_ORDER = "(SELECT value AS wanted FROM json_each(:page)) CROSS JOIN tasks ON id = wanted"
_STORE = "json_quote(coalesce(origin, (SELECT value FROM meta WHERE name = 'store')))"
_SECONDS = "(max(0, coalesce(ended_at, :now) - started_at) / 1e6)"

_ROWS = f"SELECT {', '.join(ROW)} FROM {_IN_THIS_ORDER}"
_TASKS = (
    f"SELECT id, {_STORE}, {TASK.members}, {optional(NUMBER).sql.format(_SECONDS)},"
    f" json_quote('user:' || user) FROM {_IN_THIS_ORDER}"
)
# Each row of these: the task that it is of, and JSON.
_STEPS = f"SELECT task_id, {STEP.object} FROM steps WHERE task_id {_PAGE} ORDER BY task_id, number"
_ERRORS = (
    f"SELECT task_id, error FROM steps WHERE task_id {_PAGE} AND error IS NOT NULL"
    " ORDER BY task_id, number"
)
_LOCKS = (
    f"SELECT task_id, {LOCK.object} FROM (SELECT *, 1 AS exclusive FROM locks)"
    f" WHERE task_id {_PAGE} ORDER BY task_id, resource, operation"
)
_LINKS = (
    f"SELECT task_id, {LOCK.object} FROM (SELECT *, '' AS operation, 0 AS exclusive FROM links)"
    f" WHERE task_id {_PAGE} ORDER BY task_id, resource"
)
_HISTORY = (
    f"SELECT task_id, {EVENT.object} FROM history WHERE task_id {_PAGE}"
    " ORDER BY task_id, version, number"
)
_DESCRIPTIONS = (
    "SELECT task_id, json_quote(what) || ':' || json_quote(text) FROM descriptions"
    f" WHERE task_id {_PAGE} ORDER BY task_id, what"
)
_AFTER = (
    "SELECT task_id, CAST(before_id AS TEXT) FROM prerequisites"
    f" WHERE task_id {_PAGE} ORDER BY task_id, before_id"
)
_DELEGATIONS = (
    f"SELECT task_id, {DELEGATION.object} FROM delegations"
    f" WHERE task_id {_PAGE} ORDER BY task_id, step"
)
_PLACES = f"SELECT child_id, {PLACE.object} FROM children WHERE child_id {_PAGE}"


def records(connection: sqlite3.Connection, task_ids: Sequence[int]) -> Iterator[tuple[int, str]]:
    """Id and record of each of these tasks that is there, in this order."""
    for first in range(0, len(task_ids), PAGE):
        yield from _page(connection, task_ids[first : first + PAGE])


def rows(connection: sqlite3.Connection, task_ids: Sequence[int]) -> Iterator[Row]:
    """`ROW` of each of these tasks that is there, in this order."""
    found = connection.execute(_ROWS, {"page": json.dumps([*task_ids])})
    for *values, started_at, ended_at in found:
        yield (*values, from_number(started_at), from_number(ended_at))


def _page(connection: sqlite3.Connection, task_ids: Sequence[int]) -> Iterator[tuple[int, str]]:
    given = {"page": json.dumps([*task_ids]), "now": time_ns() // 1000}

    def find(statement: str) -> Callable[[int], str]:
        found: defaultdict[int, list[str]] = defaultdict(list)
        for task_id, text in connection.execute(statement, given):
            found[task_id].append(text)
        return lambda task_id: ",".join(found.get(task_id, ()))

    steps, errors, history = find(_STEPS), find(_ERRORS), find(_HISTORY)
    locks, links = find(_LOCKS), find(_LINKS)
    descriptions, after = find(_DESCRIPTIONS), find(_AFTER)
    delegations, place = find(_DELEGATIONS), find(_PLACES)
    for i, store, members, duration, user in connection.execute(_TASKS, given):
        user_link = f'{{"resource":{user},"operation":"","exclusive":false}}'
        all_links = ",".join(filter(None, (user_link, links(i))))
        yield (
            i,
            f'{{"store":{store},{members},"duration":{duration},"steps":[{steps(i)}],'
            f'"locks":[{locks(i)}],"links":[{all_links}],"errors":[{errors(i)}],'
            f'"history":[{history(i)}],"descriptions":{{{descriptions(i)}}},"after":[{after(i)}],'
            f'"delegations":[{delegations(i)}],"place":{place(i) or "null"}}}',
        )
