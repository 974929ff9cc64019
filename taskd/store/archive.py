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
from json.encoder import encode_basestring_ascii as quoted
from time import time_ns

from taskd.model.step import Rescue, StepKind, StepState
from taskd.model.task import ExecutionType, OnConflict, Result, State
from taskd.store.values import (
    FLAG,
    JSON,
    NUMBER,
    OBJECT,
    RECORD,
    RECORDS,
    TEXT,
    TIME,
    WHOLE,
    WORDS,
    Fields,
    Row,
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
        "progress": NUMBER,
        "parent_task_id": optional(WHOLE),
        "recurring_logic_id": optional(WHOLE),
        "external_id": optional(TEXT),
        "input": OBJECT,
        "output": JSON,
        "flow": JSON,
        "on_conflict": one_of(OnConflict),
        "uid": WHOLE,
        "definition": JSON,
        "wanted_locks": RECORDS,
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
        "progress": NUMBER,
        "note": TEXT,
        "attempts": WHOLE,
        "started_at": optional(TIME),
        "ended_at": optional(TIME),
        "output": JSON,
        "error": RECORD,
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

_PAGE = "IN (SELECT value FROM json_each(:page))"
_TASKS = (
    f"SELECT {TASK.columns}, 'user:' || user, max(0, coalesce(ended_at, :now) - started_at) / 1e6,"
    " coalesce(origin, (SELECT value FROM meta WHERE name = 'store'))"
    f" FROM tasks WHERE id {_PAGE} ORDER BY id"
)
# Each row of these ends in the task that it is of.
_STEPS = f"SELECT {STEP.columns}, task_id FROM steps WHERE task_id {_PAGE} ORDER BY task_id, number"
_ERRORS = (
    f"SELECT error, task_id FROM steps WHERE task_id {_PAGE} AND error IS NOT NULL"
    " ORDER BY task_id, number"
)
_LOCKS = f"SELECT resource, operation, 1, task_id FROM locks WHERE task_id {_PAGE} ORDER BY 4, 1, 2"
_LINKS = f"SELECT resource, '', 0, task_id FROM links WHERE task_id {_PAGE} ORDER BY 4, 1"
_HISTORY = (
    f"SELECT {EVENT.columns}, task_id FROM history WHERE task_id {_PAGE}"
    " ORDER BY task_id, version, number"
)
_DESCRIPTIONS = f"SELECT what, text, task_id FROM descriptions WHERE task_id {_PAGE} ORDER BY 3, 1"
_AFTER = f"SELECT before_id, task_id FROM prerequisites WHERE task_id {_PAGE} ORDER BY 2, 1"
_DELEGATIONS = (
    f"SELECT {DELEGATION.columns}, task_id FROM delegations WHERE task_id {_PAGE} ORDER BY 3, 1"
)
_PLACES = f"SELECT {PLACE.columns}, child_id FROM children WHERE child_id {_PAGE}"


def records(connection: sqlite3.Connection, task_ids: Sequence[int]) -> Iterator[tuple[int, str]]:
    """Id and record of each of these tasks that is there, in the order of ids."""
    task_ids = sorted(task_ids)
    for first in range(0, len(task_ids), PAGE):
        yield from _page(connection, task_ids[first : first + PAGE])


def _page(connection: sqlite3.Connection, task_ids: Sequence[int]) -> Iterator[tuple[int, str]]:
    given = {"page": json.dumps(task_ids), "now": time_ns() // 1000}

    def find(statement: str, write: Callable[[Row], str]) -> Callable[[int], str]:
        found: defaultdict[int, list[str]] = defaultdict(list)
        for row in connection.execute(statement, given):
            found[row[-1]].append(write(row))
        return lambda task_id: ",".join(found[task_id]) if task_id in found else ""

    steps = find(_STEPS, STEP.write)
    errors = find(_ERRORS, lambda row: str(row[0]))
    locks = find(_LOCKS, LOCK.write)
    links = find(_LINKS, LOCK.write)
    history = find(_HISTORY, EVENT.write)
    descriptions = find(_DESCRIPTIONS, lambda row: f"{quoted(row[0])}:{quoted(row[1])}")
    after = find(_AFTER, lambda row: str(row[0]))
    delegations = find(_DELEGATIONS, DELEGATION.write)
    places = find(_PLACES, PLACE.write)
    for *row, user, duration, store in connection.execute(_TASKS, given):
        task_id = row[0]
        user_link = LOCK.write((user, "", False))
        others = links(task_id)
        record = (
            f'{{"store":{quoted(store)},{TASK.members(row)},"duration":{json.dumps(duration)},'
            f'"steps":[{steps(task_id)}],"locks":[{locks(task_id)}],'
            f'"links":[{user_link}{"," if others else ""}{others}],"errors":[{errors(task_id)}],'
            f'"history":[{history(task_id)}],"descriptions":{{{descriptions(task_id)}}},'
            f'"after":[{after(task_id)}],"delegations":[{delegations(task_id)}],'
            f'"place":{places(task_id) or "null"}}}'
        )
        yield task_id, record
