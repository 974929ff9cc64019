"""Numbers and extremes of all tasks, by indexes alone, also of millions."""

import sqlite3
from datetime import datetime

from taskd.model.dashboard import Coming, Count, Line, Skipped
from taskd.model.lock import Lock
from taskd.model.task import Result, State
from taskd.store import locks, tasks
from taskd.store.times import time_of, to_number

_BAD = (Result.ERROR, Result.WARNING, Result.CANCELLED)
_PENDING = (State.RUNNING, State.PLANNED, State.SCHEDULED)  # nothing is known of their result
MOST = 10_000  # rows that are looked at for one number
_LOOKED_AT = 100  # bad tasks, of which some are paused
_IS_BAD = "result = ? AND result NOT IN ('pending', 'success')"  # as the indexes have it


def counts(connection: sqlite3.Connection, since: datetime, most: int = MOST) -> list[Count]:
    """Of those that have not stopped by state, then of those that have by result.

    `most`: of how many rows each number may be made.
    """
    begin = to_number(since)
    by_state = tasks.count_by_state(connection)
    pending = [
        _pending(connection, state, by_state.get(state, 0), begin, most) for state in _PENDING
    ]
    paused = _paused(connection, begin)
    bad = [_bad(connection, result, paused, begin) for result in _BAD]
    others = [*(count for count, _ in (*pending, *paused)), *bad]
    success = _success(connection, others, [began for _, began in (*pending, *paused)], begin)
    running, planned, scheduled = (count for count, _ in pending)
    waiting = [count for count, _ in paused] or [Count(State.PAUSED, Result.ERROR, 0, 0)]
    return [running, *waiting, planned, scheduled, *bad, success]


# Each count with how many of them began since then.
_Began = tuple[Count, int | None]


def _pending(
    connection: sqlite3.Connection, state: State, total: int, since: int | None, most: int
) -> _Began:
    if total > most:
        return Count(state, Result.PENDING, total, None), None
    recent, began = connection.execute(
        "SELECT total(state_updated_at >= :since), total(started_at >= :since) FROM tasks"
        " WHERE state <> 'stopped' AND state = :state",
        {"since": since, "state": state},
    ).fetchone()
    return Count(state, Result.PENDING, total, int(recent)), int(began)


def _paused(connection: sqlite3.Connection, since: int | None) -> list[_Began]:
    rows = connection.execute(
        "SELECT result, count(*), total(state_updated_at >= :since), total(started_at >= :since)"
        " FROM tasks WHERE state <> 'stopped' AND state = 'paused' GROUP BY result",
        {"since": since},
    )
    return [
        (Count(State.PAUSED, Result(result), total, int(recent)), int(began))
        for result, total, recent, began in rows
    ]


def _bad(
    connection: sqlite3.Connection, result: Result, paused: list[_Began], since: int | None
) -> Count:
    """Stopped ones; the indexes have the paused ones, too."""
    (total,) = connection.execute(
        f"SELECT count(*) FROM tasks WHERE {_IS_BAD}", (result,)
    ).fetchone()
    (recent,) = connection.execute(
        f"SELECT count(*) FROM tasks WHERE {_IS_BAD} AND started_at >= ?", (result, since)
    ).fetchone()
    for count, began in paused:
        if count.result is result:
            total, recent = total - count.total, recent - (began or 0)
    return Count(State.STOPPED, result, total, recent)


def _success(
    connection: sqlite3.Connection,
    others: list[Count],
    began: list[int | None],
    since: int | None,
) -> Count:
    """What is left, since no index has them alone."""
    (total,) = connection.execute("SELECT count(*) FROM tasks").fetchone()
    (recent,) = connection.execute(
        "SELECT count(*) FROM tasks WHERE started_at >= ?", (since,)
    ).fetchone()
    total -= sum(count.total for count in others)
    if None in began:
        return Count(State.STOPPED, Result.SUCCESS, total, None)
    stopped = [count.recent or 0 for count in others if count.state is State.STOPPED]
    recent -= sum(stopped) + sum(number or 0 for number in began)
    return Count(State.STOPPED, Result.SUCCESS, total, recent)


def newest_paused(connection: sqlite3.Connection, limit: int) -> list[int]:
    rows = connection.execute(
        "SELECT id FROM tasks WHERE state <> 'stopped' AND state = 'paused'"
        " ORDER BY id DESC LIMIT ?",
        (limit,),
    )
    return [task_id for (task_id,) in rows]


def latest_failed(connection: sqlite3.Connection, limit: int) -> list[int]:
    """Those that have stopped with an error or a warning, the last that began first."""
    found: list[tuple[int, int]] = []
    for result in (Result.ERROR, Result.WARNING):
        found += connection.execute(
            "SELECT started_at, id FROM (SELECT coalesce(started_at, 0) AS started_at, id, state"
            f" FROM tasks WHERE {_IS_BAD} ORDER BY tasks.started_at DESC LIMIT {_LOOKED_AT})"
            " WHERE state = 'stopped' LIMIT ?",
            (result, limit),
        )
    return [task_id for _, task_id in sorted(found, reverse=True)[:limit]]


def coming(connection: sqlite3.Connection, limit: int) -> list[Coming]:
    """Scheduled tasks, by their plan step: no other step is due before its task has begun."""
    rows = connection.execute(
        "SELECT due_at, tasks.id, tasks.name, logic.id, logic.cron_line, logic.name"
        " FROM steps JOIN tasks ON tasks.id = steps.task_id"
        " LEFT JOIN recurring_logics AS logic ON logic.id = tasks.recurring_logic_id"
        " WHERE due_at IS NOT NULL AND number = 0"
        " ORDER BY due_at LIMIT ?",
        (limit,),
    )
    return [
        Coming(time_of(at), task_id, series or name, logic_id, line)
        for at, task_id, name, logic_id, line, series in rows
    ]


def skipped(connection: sqlite3.Connection, since: datetime, limit: int) -> list[Skipped]:
    """Times of recurring logics at which nothing began, the newest first."""
    rows = connection.execute(
        "SELECT logic.id, name, last_at, event, detail, times FROM recurring_events"
        " JOIN recurring_logics AS logic ON logic.id = logic_id"
        " WHERE event IN ('skipped', 'passed over', 'not run') AND last_at >= ?"
        " ORDER BY last_at DESC LIMIT ?",
        (to_number(since), limit),
    )
    return [
        Skipped(logic_id, name, time_of(at), event, detail, times)
        for logic_id, name, at, event, detail, times in rows
    ]


def lines(connection: sqlite3.Connection, limit: int) -> list[Line]:
    """Of those who wait for locks, the longest first."""
    rows = connection.execute(
        "SELECT resource, count(DISTINCT task_id) AS waiting, min(since) FROM waiting"
        " GROUP BY resource ORDER BY waiting DESC, resource LIMIT ?",
        (limit,),
    )
    return [
        Line(
            resource,
            count,
            time_of(since),
            tuple(locks.holders(connection, Lock(resource))[:limit]),
        )
        for resource, count, since in rows
    ]
