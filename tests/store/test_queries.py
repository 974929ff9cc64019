"""What readers and the queue ask of the store, and that indexes answer them."""

import re
from datetime import timedelta

import pytest
from builders import NOW, a_new_task, a_planned_task, a_step, a_task, later

from taskd.model import lifecycle
from taskd.model.lock import Lock, exclusive, link, parse_lock
from taskd.model.task import Task
from taskd.store import claims, lanes, locks, steps, tasks, under_way, waiting
from taskd.store.database import Connection, Database
from taskd.store.transaction import Transaction
from taskd.store.waiting import Kin


def add(tx: Transaction, *new: Task) -> None:
    tx.begin(NOW)
    for task in new:
        tx.add(task)
    tx.flush()
    tx.commit()


def test_unfinished_tasks_are_counted_by_state(database: Database, tx: Transaction) -> None:
    stopped = lifecycle.cancel(a_new_task(), "ana", NOW)
    add(tx, a_new_task(), a_new_task(), a_planned_task(["sequence", "a"]), stopped)

    assert tasks.count_by_state(database.writer) == {"planned": 2, "running": 1}


def test_newest_task_is_the_callers_own(database: Database, tx: Transaction) -> None:
    add(tx, a_new_task(uid=1), a_new_task(uid=2), a_new_task(uid=1), a_new_task(uid=2))

    assert tasks.newest(database.writer, 1) == 3


def test_full_task_links_to_its_user_first(database: Database, tx: Transaction) -> None:
    add(tx, a_planned_task(["sequence", "a"], user="ana"))
    locks.take(database.writer, 1, [link("site:blog"), exclusive("site:shop", "sell")], NOW)

    task = tasks.get_full(database.writer, 1)

    assert task.links == (Lock("user:ana", "", False), Lock("site:blog", "", False))
    assert task.locks == (exclusive("site:shop", "sell"),)


@pytest.mark.parametrize(
    ("held", "wanted", "conflict"),
    [
        ("site:blog", "site:blog", True),
        ("site:blog/backup", "site:blog/backup", True),
        ("site:blog/backup", "site:blog", True),
        ("site:blog", "site:blog/backup", True),
        ("site:blog/backup", "site:blog/restore", False),
        ("site:blog", "site:shop", False),
    ],
)
def test_conflicts_are_found_by_resource_and_operation(
    database: Database, tx: Transaction, held: str, wanted: str, conflict: bool
) -> None:
    add(tx, a_new_task(), a_new_task())
    locks.take(database.writer, 1, [parse_lock(held)], NOW)

    found = locks.holders(database.writer, parse_lock(wanted))

    assert found == ([1] if conflict else [])


def test_link_conflicts_with_nothing(database: Database, tx: Transaction) -> None:
    add(tx, a_new_task())
    locks.take(database.writer, 1, [link("site:blog")], NOW)

    assert locks.holders(database.writer, exclusive("site:blog")) == []


def test_held_locks_are_listed_oldest_first(database: Database, tx: Transaction) -> None:
    add(tx, a_new_task(name="young"), a_new_task(name="old"))
    locks.take(database.writer, 1, [exclusive("site:blog")], later(9))
    locks.take(database.writer, 2, [exclusive("site:shop")], NOW)

    held = claims.find(database.writer)

    assert [(each.task_name, each.resource) for each in held] == [
        ("old", "site:shop"), ("young", "site:blog")
    ]  # fmt: skip
    assert [each.task_id for each in claims.find(database.writer, "site:blog")] == [1]


def test_who_waits_is_behind_another_one_and_not_behind_himself(
    database: Database, tx: Transaction
) -> None:
    add(tx, a_new_task(), a_new_task())
    everything, reading = exclusive("site:blog"), exclusive("site:blog", "read")
    waiting.join(database.writer, (0, 1), [(everything, Kin.NO)], NOW)
    waiting.join(database.writer, (0, 2), [(everything, Kin.NO), (reading, Kin.NO)], NOW)

    found = claims.find(database.writer)

    assert [(each.task_id, each.behind) for each in found] == [(1, ()), (2, (1,)), (2, (1,))]


def test_step_is_due_when_its_time_has_come(database: Database, tx: Transaction) -> None:
    flow = ["concurrence", "a", "b"]
    add(
        tx,
        a_planned_task(
            flow, a_step("a", number=1, due_at=later(1)), a_step("b", number=2, due_at=later(2))
        ),
    )
    almost = later(1) - timedelta(microseconds=1)

    assert steps.due(database.writer, almost, 10) == []
    assert steps.due(database.writer, later(1), 10) == [(1, 1)]
    assert steps.next_due(database.writer) == later(1)


def test_times_of_what_is_under_way_are_moved_and_no_others(
    database: Database, tx: Transaction
) -> None:
    ended = lifecycle.begun(a_planned_task(["sequence", "a", "b"]), "a", 1, NOW)
    ended = lifecycle.succeeded(ended, "a", None, later(1))
    running = lifecycle.begun(ended, "b", 2, later(1))
    waiting = lifecycle.snoozed(running, "b", None, later(9), later(1))
    stopped = lifecycle.succeeded(running, "b", None, later(2))
    add(tx, running, waiting, stopped)

    under_way.move(database.writer, 3_600_000_000)

    found = [tasks.get(database.writer, task_id) for task_id in (1, 2, 3)]
    moved = later(3600)
    assert [task.started_at for task in found] == [moved, moved, NOW]
    assert [task.steps["a"].started_at for task in found] == [NOW] * 3
    starts = [task.steps["b"].started_at for task in found]
    assert starts == [later(3601), later(3601), later(1)]
    assert found[1].steps["b"].due_at == later(3609)


def test_tasks_that_run_or_are_paused_for_long_are_found(
    database: Database, tx: Transaction
) -> None:
    states = ["scheduled", "planned", "running", "paused", "stopped"]
    add(tx, *[a_task(state, state_updated_at=NOW) for state in states])
    add(tx, a_task("running", state_updated_at=later(1)))

    assert under_way.long_running(database.writer, NOW) == []
    assert under_way.long_running(database.writer, later(1)) == [3, 4]
    assert under_way.long_running(database.writer, later(2)) == [3, 4, 6]


def test_running_steps_are_found_by_their_call(database: Database, tx: Transaction) -> None:
    add(tx, lifecycle.begun(a_planned_task(["sequence", "a"]), "a", 77, NOW), a_new_task())

    assert steps.running(database.writer) == {77: (1, "a")}


def plan_of(connection: Connection, question: str) -> str:
    """How SQLite answers what `question` asks of it."""
    asked: list[str] = []
    connection.set_trace_callback(asked.append)
    match question:
        case "ready":
            lanes.first(connection, lanes.COMMON, 10)
        case "ready of label":
            lanes.first(connection, 2, 10)
        case "running":
            steps.running(connection)
        case "due":
            steps.due(connection, NOW, 10)
        case "next due":
            steps.next_due(connection)
        case "by state":
            tasks.count_by_state(connection)
        case "key":
            tasks.with_key(connection, 1, "once")
        case "holders":
            locks.holders(connection, exclusive("site:blog"))
        case "holders for an operation":
            locks.holders(connection, exclusive("site:blog", "backup"))
        case "release":
            locks.release(connection, 1)
        case "next in line":
            waiting.next_in_line(connection, exclusive("site:blog", "backup"), (0, 1), set())
        case "next of kin":
            waiting.next_in_line(connection, exclusive("site:blog", "backup"), (0, 1), {"backup"})
        case "nearest before":
            waiting.nearest_before(connection, (0, 1), exclusive("site:blog", "backup"))
        case "kin":
            waiting.kin(connection, exclusive("site:blog", "backup"))
        case "leave":
            waiting.leave(connection, 1)
        case "claims on a resource":
            claims.find(connection, "site:blog")
        case "claims of a task":
            claims.waited_for(connection, 1)
        case "move times":
            under_way.move(connection, 1)
        case "long running":
            under_way.long_running(connection, NOW)
    connection.set_trace_callback(None)
    plans = [connection.execute(f"EXPLAIN QUERY PLAN {each}").fetchall() for each in asked]
    return "; ".join(row[3] for plan in plans for row in plan)


OF_LINES = ("next in line", "next of kin", "nearest before", "kin", "leave", "claims of a task")


@pytest.mark.parametrize(
    ("question", "index"),
    [
        ("ready", "steps_ready"),
        ("ready of label", "steps_ready_of_label (ready=?)"),
        ("running", "tasks_unfinished"),
        ("long running", "tasks_unfinished (state=?)"),
        ("due", "steps_due"),
        ("next due", "steps_due"),
        ("by state", "tasks_unfinished"),
        ("key", "tasks_key"),
        ("holders", "locks USING PRIMARY KEY (resource=?)"),
        ("holders for an operation", "locks USING PRIMARY KEY (resource=? AND operation=?)"),
        ("release", "locks_of_task (task_id=?)"),
        ("next in line", "waiting USING PRIMARY KEY (resource=? AND (rank,task_id)>(?,?))"),
        ("next in line", "locks USING PRIMARY KEY (resource=?)"),
        ("next of kin", "waiting_kin (resource=? AND (rank,task_id)>(?,?))"),
        ("nearest before", "waiting USING PRIMARY KEY (resource=? AND (rank,task_id)<(?,?))"),
        ("kin", "waiting_kin (resource=?)"),
        ("leave", "waiting_of_task (task_id=?)"),
        ("claims on a resource", "locks USING PRIMARY KEY (resource=?)"),
        ("claims on a resource", "waiting USING PRIMARY KEY (resource=?)"),
        ("claims of a task", "waiting_of_task (task_id=?)"),
        ("move times", "tasks_unfinished"),
        ("move times", "steps USING PRIMARY KEY (task_id=?)"),
    ],
)
def test_index_answers(database: Database, question: str, index: str) -> None:
    plan = plan_of(database.writer, question)

    assert index in plan


@pytest.mark.parametrize(
    "question",
    ["ready", "ready of label", "release", *OF_LINES],
)
def test_index_gives_the_order(database: Database, question: str) -> None:
    assert "TEMP B-TREE" not in plan_of(database.writer, question)


@pytest.mark.parametrize(
    "question",
    ["holders", "release", "claims on a resource", *OF_LINES],
)
def test_no_table_is_read_as_a_whole(database: Database, question: str) -> None:
    plan = plan_of(database.writer, question)

    assert not re.search("SCAN (tasks|locks|waiting)", plan)
