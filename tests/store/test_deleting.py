"""Which tasks a cleanup deletes, and that nothing of them is left."""

import sqlite3
from collections.abc import Iterator

import pytest
from builders import NOW, a_plan, a_step, a_task
from test_transaction import commit

from taskd.model.errors import NoMatch
from taskd.model.lock import Lock, exclusive
from taskd.model.record import replace
from taskd.model.task import State, Task
from taskd.search.sql import ALWAYS, Sql
from taskd.store import chains, children, deleting, hooks, locks, waiting
from taskd.store.database import Database
from taskd.store.deleting import BELONGINGS, Plan
from taskd.store.transaction import Transaction

STOPPED = ("stopped",)


@pytest.fixture
def plan(database: Database) -> Iterator[Plan]:
    with database.beside() as connection:
        yield Plan(connection)


def add(tx: Transaction, state: str = "stopped", **changes: object) -> Task:
    steps = [a_plan(), a_step(state="success")]
    (task,) = commit(tx, lambda: tx.add(a_task(state, steps, ended_at=NOW, **changes)))
    assert isinstance(task, Task)
    return task


def tops(plan: Plan, part: int = 0, size: int = 1000) -> list[list[int]]:
    return list(plan.batches(part, size))


def delete(tx: Transaction, *tasks: Task) -> list[int]:
    (gone,) = commit(tx, lambda: tx.delete({task.id: task.version for task in tasks}))
    assert isinstance(gone, list)
    return gone


def test_first_part_that_means_a_task_has_it(tx: Transaction, plan: Plan) -> None:
    for _ in range(3):
        add(tx)

    counts = [plan.add(0, Sql("id = 2"), STOPPED), plan.add(1, ALWAYS, STOPPED)]

    assert counts == [1, 2]
    assert (tops(plan, 0), tops(plan, 1)) == ([[2]], [[1, 3]])


def test_batches_are_of_a_size_and_tasks_are_known_by_name(tx: Transaction, plan: Plan) -> None:
    for number in range(5):
        add(tx, name=f"Task {number}")

    plan.add(0, ALWAYS, STOPPED)

    assert tops(plan, size=2) == [[1, 2], [3, 4], [5]]
    assert plan.sample(0, 2) == [(1, "Task 0"), (2, "Task 1")]


def test_sub_tasks_go_with_their_parent_and_alone(tx: Transaction, plan: Plan) -> None:
    parent = add(tx)
    child = add(tx, parent_task_id=parent.id)
    add(tx, parent_task_id=child.id)
    lone = add(tx)
    meant = add(tx, parent_task_id=lone.id)

    count = plan.add(0, Sql("id IN (1, 2, 5)"), STOPPED)

    assert count == 4
    assert tops(plan) == [[parent.id, meant.id]]


@pytest.mark.parametrize("state", ["running", "paused", "scheduled", "planned"])
def test_family_with_an_unfinished_task_stays(tx: Transaction, plan: Plan, state: str) -> None:
    parent = add(tx)
    add(tx, state, parent_task_id=parent.id)
    add(tx, parent_task_id=parent.id)
    other = add(tx)

    assert plan.add(0, Sql("state = 'stopped'"), STOPPED) == 1
    assert tops(plan) == [[other.id]]


def test_states_that_are_asked_for_are_meant_but_nothing_that_runs(
    tx: Transaction, plan: Plan
) -> None:
    paused = add(tx, "paused")
    add(tx, parent_task_id=paused.id)
    add(tx, "running")
    scheduled = add(tx, "scheduled")
    add(tx, "scheduled", recurring_logic_id=7)  # the next run
    waits = add(tx, "paused")
    add(tx, "running", parent_task_id=waits.id)

    count = plan.add(0, ALWAYS, ("scheduled", "running", "paused", "stopped"))

    assert count == 3
    assert tops(plan) == [[paused.id, scheduled.id]]


def test_sub_tasks_of_what_may_be_resumed_go_only_with_it(tx: Transaction, plan: Plan) -> None:
    unlocked = add(tx, resumable=True)
    child = add(tx, parent_task_id=unlocked.id)

    assert plan.add(0, Sql(f"id = {child.id}"), STOPPED) == 0
    assert plan.add(1, Sql(f"id = {unlocked.id}"), STOPPED) == 2


def test_family_that_has_changed_since_it_was_planned_stays(tx: Transaction, plan: Plan) -> None:
    same, changed, with_new_child = (add(tx) for _ in range(3))
    child = add(tx, parent_task_id=changed.id)
    plan.add(0, ALWAYS, STOPPED)
    commit(tx, lambda: tx.save(replace(tx.get(child.id), name="Other")))
    add(tx, parent_task_id=with_new_child.id)

    [batch] = tops(plan)

    assert batch == [same.id, changed.id, with_new_child.id]
    assert plan.versions(batch) == {same.id: same.version}
    assert plan.unfinished(batch) == {}


def test_only_what_was_unfinished_when_it_was_planned_is_to_be_ended(
    tx: Transaction, plan: Plan
) -> None:
    paused, resumed, scheduled = add(tx, "paused"), add(tx, "paused"), add(tx, "scheduled")
    plan.add(0, ALWAYS, ("paused", "scheduled"))
    commit(tx, lambda: tx.save(replace(tx.get(resumed.id), state=State.RUNNING)))
    [batch] = tops(plan)

    unfinished = plan.unfinished(batch)
    assert unfinished == {task.id: task.version for task in (paused, scheduled)}
    assert plan.versions(batch) == {}
    commit(tx, lambda: tx.save(replace(tx.get(paused.id), state=State.STOPPED)))
    plan.renew(unfinished)

    assert list(plan.versions(batch)) == [paused.id]


def test_belongings_are_all_that_refers_to_tasks(tx: Transaction) -> None:
    tables = [name for (name,) in tx.connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table'")]  # fmt: skip
    found = {
        (table, column)
        for table in tables
        for _, _, target, column, *_ in tx.connection.execute(f"PRAGMA foreign_key_list({table})")
        if target == "tasks"
    }

    assert found - {("tasks", "parent_task_id")} == set(BELONGINGS)


def test_nothing_is_left_of_a_task(tx: Transaction) -> None:
    task, other, child = add(tx, key="k"), add(tx), add(tx)
    lock = exclusive("site:blog")

    def belongings() -> None:
        store = tx.write()
        locks.take(store, task.id, [lock, Lock("site:shop", exclusive=False)], NOW)
        children.add(store, task.id, 1, [child.id], None)
        children.add(store, other.id, 1, [task.id], None)
        hooks.add(store, [(task.id, "hook")])
        hooks.describe(store, task.id, "input", "text")
        waiting.join(store, (0, task.id), [(lock, waiting.Kin.NO)], NOW)
        chains.add(store, task.id, [other.id], strict=True)
        chains.add(store, child.id, [task.id], strict=True)

    commit(tx, belongings)
    tx.get(task.id)
    tx.connection.execute("PRAGMA foreign_keys = OFF")  # as a cleanup does

    assert delete(tx, task) == [task.id]

    assert tx.find(task.id) is None

    assert tx.connection.execute("PRAGMA foreign_key_check").fetchall() == []
    for table, column in (*BELONGINGS, ("tasks", "id")):
        where = f"SELECT 1 FROM {table} WHERE {column} = ?"
        assert tx.connection.execute(where, (task.id,)).fetchall() == []
    assert tx.with_key(1000, "k") is None
    assert add(tx).id == child.id + 1


def test_task_that_has_changed_stays(tx: Transaction) -> None:
    changed, same = add(tx), add(tx)
    commit(tx, lambda: tx.save(replace(tx.get(changed.id), name="Other")))

    assert delete(tx, changed, same) == [same.id]


def test_task_that_changes_in_the_same_commit_stays(tx: Transaction) -> None:
    task = add(tx)

    _, gone = commit(
        tx,
        lambda: tx.save(replace(tx.get(task.id), name="Other")),
        lambda: tx.delete({task.id: task.version}),
    )

    assert gone == []


def test_parent_of_a_task_that_stays_stays(tx: Transaction) -> None:
    parent = add(tx)
    add(tx, parent_task_id=parent.id)

    with pytest.raises(NoMatch):
        delete(tx, parent)


def test_room_is_given_back(database: Database, tx: Transaction) -> None:
    many = [add(tx, name="x" * 900) for _ in range(300)]
    pages = database.writer.execute("PRAGMA page_count").fetchone()[0]
    delete(tx, *many)

    assert database.shrink(10) > 0
    while database.shrink(10):
        pass

    assert database.writer.execute("PRAGMA page_count").fetchone()[0] < pages / 2


def test_periods_of_kept_definitions_are_those_of_the_newest(
    database: Database, tx: Transaction
) -> None:
    for label, period in (("a", "1d"), ("a", "2d"), ("b", None), ("c", "3d")):
        add(tx, label=label, definition={"cleanup_after": period})
    add(tx, label="d")

    with database.snapshot() as snapshot:
        assert deleting.kept_periods(snapshot) == {"a": "2d", "c": "3d"}


def test_connection_beside_the_store_cannot_write_to_it(database: Database) -> None:
    with database.beside() as connection, pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM tasks")
