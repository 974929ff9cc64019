"""Recurring logics, and what has happened to them. Written at once, in the change at hand."""

import json
import sqlite3
from datetime import datetime
from typing import Any

from taskd.model.errors import NotFound
from taskd.model.record import build, replace
from taskd.model.recurring import LogicEvent, LogicState, Missed, Overlap, RecurringLogic
from taskd.model.task import Task
from taskd.search.sql import ALWAYS, Sql
from taskd.store.times import from_number, time_of, to_number

_FIXED = (
    "label, name, cron_line, timezone, purpose, iteration_limit, until, missed, overlap, user, uid,"
    " created_at, input, definition, task_order"
)
_CHANGING = "state, iteration, last_occurrence, next_occurrence, reason, task_id"
_COLUMNS = f"id, {_FIXED}, {_CHANGING}"
_OPEN = "state IN ('active', 'disabled')"


def add(connection: sqlite3.Connection, logic: RecurringLogic) -> RecurringLogic:
    """A new one; its id is given here."""
    cursor = connection.execute(
        f"INSERT INTO recurring_logics ({_FIXED}, {_CHANGING}) VALUES ({'?,' * 20}?)",
        (
            logic.label,
            logic.name,
            logic.cron_line,
            logic.timezone,
            logic.purpose,
            logic.iteration_limit,
            to_number(logic.until),
            str(logic.missed),
            str(logic.overlap),
            logic.user,
            logic.uid,
            to_number(logic.created_at),
            json.dumps(logic.input),
            None if logic.definition is None else json.dumps(logic.definition),
            json.dumps(logic.order),
            *_changing(logic),
        ),
    )
    assert cursor.lastrowid
    return replace(logic, id=cursor.lastrowid)


def save(connection: sqlite3.Connection, logic: RecurringLogic) -> RecurringLogic:
    connection.execute(
        f"UPDATE recurring_logics SET ({_CHANGING}) = (?,?,?,?,?,?) WHERE id = ?",
        (*_changing(logic), logic.id),
    )
    return logic


def delete(connection: sqlite3.Connection, logic_id: int) -> None:
    """Its tasks stay."""
    connection.execute("DELETE FROM recurring_logics WHERE id = ?", (logic_id,))


def get(connection: sqlite3.Connection, logic_id: int) -> RecurringLogic:
    """Without its history. Raises NotFound."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM recurring_logics WHERE id = ?", (logic_id,)
    ).fetchone()
    if row is None:
        raise NotFound(f"no recurring logic {logic_id}")
    return _from_row(row)


def waiting_for(connection: sqlite3.Connection, run: Task) -> RecurringLogic | None:
    """The active logic of which this is a task, if it is its next one, or may be its last."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM recurring_logics WHERE id = ? AND state = 'active'"
        " AND (task_id = ? OR next_occurrence IS NULL)",
        (run.recurring_logic_id, run.id),
    ).fetchone()
    return row and _from_row(row)


def find(
    connection: sqlite3.Connection,
    where: Sql,
    limit: int,
    after: int = 0,
    scope: Sql = ALWAYS,
) -> list[RecurringLogic]:
    """The newest first, without their history; below the id `after`, unless it is 0."""
    behind = Sql("recurring_logics.id < ?", (after,)) if after else ALWAYS
    test = where & scope & behind
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM recurring_logics WHERE {test.text} ORDER BY id DESC LIMIT ?",
        (*test.values, limit),
    )
    return list(map(_from_row, rows))


def count(connection: sqlite3.Connection, where: Sql = ALWAYS, scope: Sql = ALWAYS) -> int:
    test = where & scope
    row = connection.execute(
        f"SELECT count(*) FROM recurring_logics WHERE {test.text}", test.values
    ).fetchone()
    return int(row[0])


def get_full(connection: sqlite3.Connection, logic_id: int) -> RecurringLogic:
    """With its history. Raises NotFound."""
    return replace(get(connection, logic_id), history=_history(connection, logic_id))


def is_open(connection: sqlite3.Connection, logic_id: int) -> bool:
    """Active or disabled."""
    found = connection.execute(
        f"SELECT 1 FROM recurring_logics WHERE id = ? AND {_OPEN}", (logic_id,)
    ).fetchone()
    return found is not None


def with_purpose(connection: sqlite3.Connection, purpose: str) -> int | None:
    """The one that has it: of those that are active or disabled."""
    row = connection.execute(
        f"SELECT id FROM recurring_logics WHERE purpose = ? AND {_OPEN}", (purpose,)
    ).fetchone()
    return row and int(row[0])


def unfinished_runs(connection: sqlite3.Connection, logic_id: int) -> list[int]:
    """Its tasks that have not stopped, the oldest first."""
    rows = connection.execute(
        "SELECT id FROM tasks WHERE recurring_logic_id = ? AND state <> 'stopped' ORDER BY id",
        (logic_id,),
    )
    return [task_id for (task_id,) in rows]


def note(
    connection: sqlite3.Connection,
    logic_id: int,
    at: datetime,
    event: str,
    detail: str = "",
    who: str = "taskd",
    *,
    times: int = 1,
    last_at: datetime | None = None,
) -> bool:
    """Write down what happened; the same once more only counts. Whether it is not that."""
    last = connection.execute(
        "SELECT number, event, detail FROM recurring_events WHERE logic_id = ?"
        " ORDER BY number DESC LIMIT 1",
        (logic_id,),
    ).fetchone()
    end = to_number(last_at or at)
    if event in ("skipped", "passed over") and last and last[1:] == (event, detail):
        connection.execute(
            "UPDATE recurring_events SET times = times + ?, last_at = ?"
            " WHERE logic_id = ? AND number = ?",
            (times, end, logic_id, last[0]),
        )
        return False
    number = last[0] + 1 if last else 1
    connection.execute(
        "INSERT INTO recurring_events VALUES (?,?,?,?,?,?,?,?)",
        (logic_id, number, to_number(at), event, who, detail, times, end),
    )
    return True


def _history(connection: sqlite3.Connection, logic_id: int) -> tuple[LogicEvent, ...]:
    rows = connection.execute(
        "SELECT at, event, who, detail, times, last_at FROM recurring_events"
        " WHERE logic_id = ? ORDER BY number",
        (logic_id,),
    )
    return tuple(
        LogicEvent(time_of(at), event, who, detail, times, time_of(last_at))
        for at, event, who, detail, times, last_at in rows
    )


def _changing(logic: RecurringLogic) -> tuple[Any, ...]:
    return (
        str(logic.state),
        logic.iteration,
        to_number(logic.last_occurrence),
        to_number(logic.next_occurrence),
        logic.reason,
        logic.task_id,
    )


def _from_row(row: tuple[Any, ...]) -> RecurringLogic:
    (
        id, label, name, cron_line, timezone, purpose, iteration_limit, until, missed, overlap,
        user, uid, created_at, input, definition, order, state, iteration, last_occurrence,
        next_occurrence, reason, task_id,
    ) = row  # fmt: skip
    return build(
        RecurringLogic,
        id=id,
        label=label,
        name=name,
        cron_line=cron_line,
        timezone=timezone,
        state=LogicState(state),
        purpose=purpose,
        iteration=iteration,
        iteration_limit=iteration_limit,
        until=from_number(until),
        missed=Missed(missed),
        overlap=Overlap(overlap),
        user=user,
        uid=uid,
        created_at=time_of(created_at),
        last_occurrence=from_number(last_occurrence),
        next_occurrence=from_number(next_occurrence),
        reason=reason,
        task_id=task_id,
        input=json.loads(input),
        definition=None if definition is None else json.loads(definition),
        order=json.loads(order),
        history=(),
    )
