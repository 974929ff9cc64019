"""Changes of one commit: undone one by one, written together, or never heard of."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from builders import NOW, a_new_task, a_planned_task, a_step, a_task, an_error
from hypothesis import given, settings
from hypothesis import strategies as st

from taskd.model import lifecycle
from taskd.model.definition import Retry
from taskd.model.errors import NotFound
from taskd.model.lock import exclusive
from taskd.model.record import replace
from taskd.model.step import Rescue
from taskd.model.task import Task
from taskd.store import locks, meta, tasks
from taskd.store.database import Database
from taskd.store.transaction import Transaction


def commit(tx: Transaction, *changes: Callable[[], object]) -> list[object]:
    tx.begin(NOW)
    results = []
    for change in changes:
        tx.begin_change()
        results.append(change())
        tx.end_change()
    tx.flush()
    tx.commit()
    return results


def add(tx: Transaction, **changes: object) -> Task:
    """A committed new task."""
    (task,) = commit(tx, lambda: tx.add(a_new_task(**changes)))
    assert isinstance(task, Task)
    return task


def ready(tx: Transaction, room: int, free: dict[str, int]) -> list[int]:
    return [task_id for task_id, _ in tx.ready(room, free)]


def stored(database: Database, task_id: int) -> Task:
    with database.snapshot() as snapshot:
        return tasks.get(snapshot, task_id)


def events(database: Database, task_id: int) -> list[str]:
    with database.snapshot() as snapshot:
        return [event.event for event in tasks.get_full(snapshot, task_id).history]


def test_committed_task_is_in_the_store_as_it_was_given(
    database: Database, tx: Transaction
) -> None:
    steps = [
        a_step("a", number=1, needs=("b",), weight=2.5, kept={"at": 3}, note="half"),
        a_step("b", number=2, due_at=NOW + timedelta(microseconds=1), output=[1, "é", None]),
    ]
    task = a_planned_task(
        ["concurrence", "a", "b"],
        *steps,
        input={"site": "blog"},
        key="once",
        wanted_locks=(exclusive("site:blog", "backup"),),
    )

    (added,) = commit(tx, lambda: tx.add(task))

    assert stored(database, 1) == added


def test_changed_task_is_in_the_store_as_it_was_given(database: Database, tx: Transaction) -> None:
    commit(tx, lambda: tx.add(a_planned_task(["sequence", "a"])))
    begun = lifecycle.begun(tx.get(1), "a", 5, NOW)

    def fail() -> Task:
        return tx.save(
            lifecycle.failed(begun, "a", an_error(input={"n": 1}), Retry(), Rescue.PAUSE, NOW)
        )

    (saved,) = commit(tx, fail)

    assert stored(database, 1) == saved


def test_nothing_is_seen_before_the_commit(database: Database, tx: Transaction) -> None:
    tx.begin(NOW)
    tx.add(a_new_task())
    tx.flush()

    with pytest.raises(NotFound):
        stored(database, 1)
    tx.rollback()


def test_undone_change_leaves_the_others_of_its_commit(database: Database, tx: Transaction) -> None:
    add(tx, name="first")
    tx.begin(NOW)
    tx.begin_change()
    tx.save(replace(tx.get(1), name="better"))
    tx.end_change()
    tx.begin_change()
    tx.save(replace(tx.get(1), name="worse"))
    tx.add(a_new_task(name="never"))
    tx.undo_change()
    tx.flush()
    tx.commit()

    assert (tx.get(1).name, stored(database, 1).name) == ("better", "better")
    assert add(tx, name="next").id == 2


def test_undone_change_leaves_no_history_and_no_effect(database: Database, tx: Transaction) -> None:
    add(tx)
    tx.begin(NOW)
    tx.begin_change()
    tx.save(lifecycle.cancel(tx.get(1), "ana", NOW))
    tx.after_commit.append(lambda: None)
    tx.undo_change()
    effects = list(tx.after_commit)
    tx.flush()
    tx.commit()

    assert (events(database, 1), effects) == (["created"], [])


def test_undone_change_leaves_no_rows_that_it_wrote(database: Database, tx: Transaction) -> None:
    add(tx)
    tx.begin(NOW)
    tx.begin_change()
    locks.take(tx.write(), 1, [exclusive("site:blog")], NOW)
    tx.undo_change()
    tx.flush()
    tx.commit()

    assert stored(database, 1).locks == ()


def test_stopped_task_releases_its_locks(database: Database, tx: Transaction) -> None:
    lock = exclusive("site:blog")

    def take() -> None:
        tx.add(a_planned_task(["sequence", "a"], locks=(lock,)))
        locks.take(tx.write(), 1, [lock], NOW)

    commit(tx, take)
    held = stored(database, 1).locks
    commit(tx, lambda: tx.save(lifecycle.cancel(tx.get(1), "ana", NOW)))

    assert (held, stored(database, 1).locks, tx.get(1).locks) == ((lock,), (), ())


def test_rolled_back_commit_never_happened(tx: Transaction) -> None:
    add(tx, name="first")
    tx.begin(NOW)
    tx.begin_change()
    tx.save(replace(tx.get(1), name="other"))
    tx.add(a_new_task())
    tx.end_change()
    tx.flush()
    tx.rollback()

    assert tx.get(1).name == "first"
    assert add(tx).id == 2


def test_key_is_found_in_its_commit_and_later(tx: Transaction) -> None:
    tx.begin(NOW)
    tx.begin_change()
    tx.add(a_new_task(key="once"))
    before = tx.with_key(1000, "once")
    tx.end_change()
    tx.flush()
    tx.commit()

    assert (before, tx.with_key(1000, "once")) == (1, 1)
    assert (tx.with_key(1001, "once"), tx.with_key(1000, "twice")) == (None, None)


def test_key_of_an_undone_change_is_free_again(tx: Transaction) -> None:
    tx.begin(NOW)
    tx.begin_change()
    tx.add(a_new_task(key="once"))
    tx.undo_change()

    assert tx.with_key(1000, "once") is None
    tx.rollback()


def test_key_of_an_undone_change_does_not_name_the_next_task(tx: Transaction) -> None:
    tx.begin(NOW)
    tx.begin_change()
    tx.add(a_new_task(key="once"))
    tx.undo_change()
    tx.begin_change()
    tx.add(a_new_task(key="other"))
    tx.end_change()

    assert (tx.with_key(1000, "once"), tx.with_key(1000, "other")) == (None, 1)
    tx.rollback()


def test_higher_priority_is_ready_first_then_the_older(tx: Transaction) -> None:
    for priority in (0, 5, 0, 5):
        add(tx, priority=priority)
    tx.begin(NOW)
    tx.add(a_new_task(priority=5))
    tx.add(a_new_task(priority=9))

    assert ready(tx, 10, {}) == [6, 2, 4, 5, 1, 3]
    assert ready(tx, 2, {}) == [6, 2]
    tx.rollback()


def test_begun_step_is_not_ready_any_more(tx: Transaction) -> None:
    for _ in range(3):
        add(tx)
    tx.begin(NOW)
    tx.save(lifecycle.begun(tx.get(1), "plan", 5, NOW))

    assert ready(tx, 2, {}) == [2, 3]
    tx.rollback()


def test_label_that_is_full_is_left_out(tx: Transaction) -> None:
    tx.begin(NOW, ["full", "free"])
    for label in ("full", "other", "free", "free", "full"):
        tx.add(a_new_task(label=label))
    tx.flush()
    tx.commit()
    tx.begin(NOW, ["full", "free"])
    tx.add(a_new_task(label="full"))
    tx.add(a_new_task(label="other"))

    assert ready(tx, 10, {"full": 0, "free": 1}) == [2, 3, 7]
    assert ready(tx, 3, {"full": 1, "free": 9}) == [1, 2, 3]
    tx.rollback()


def test_what_waits_changes_lanes_with_the_labels(tx: Transaction) -> None:
    for label in ("a", "b", "c"):
        add(tx, label=label)
    found = []
    for labels in (["b", "a"], ["b"], ["c"], []):
        tx.begin(NOW, labels)
        found.append(ready(tx, 10, dict.fromkeys(labels, 0)))
        tx.commit()

    assert found == [[3], [1, 3], [1, 2], [1, 2, 3]]


def test_lanes_are_known_when_the_store_is_opened_again(
    database: Database, tx: Transaction
) -> None:
    for label in ("a", "b"):
        add(tx, label=label)
    tx.begin(NOW, ["a"])
    tx.commit()
    again = Transaction(database.writer)

    found = []
    for labels in (["a"], ["b"]):
        again.begin(NOW, labels)
        found.append(ready(again, 10, dict.fromkeys(labels, 0)))
        again.commit()

    assert found == [[2], [1]]


def test_what_was_written_before_the_commit_does_not_hide_what_waits(tx: Transaction) -> None:
    add(tx)
    tx.begin(NOW)
    urgent = [tx.add(a_new_task(priority=5)) for _ in range(3)]
    tx.flush()
    for number, task in enumerate(urgent):
        tx.save(lifecycle.begun(task, "plan", number, NOW))

    assert ready(tx, 1, {}) == [1]
    tx.rollback()


def test_every_commit_has_a_higher_version(database: Database, tx: Transaction) -> None:
    first = add(tx)
    second = add(tx)

    reopened = Transaction(database.writer)

    assert 0 < first.version < second.version
    assert add(reopened).version > second.version


def test_commit_that_only_writes_rows_itself_has_its_number_in_the_store(
    database: Database, tx: Transaction
) -> None:
    tx.begin(NOW)
    meta.put(tx.write(), "drained", "since today")

    wrote = tx.commit()

    assert (wrote, meta.get(database.writer, "version")) == (True, tx.version)


def test_commit_that_writes_nothing_leaves_the_number_as_it_is(
    database: Database, tx: Transaction
) -> None:
    before = add(tx).version
    tx.begin(NOW)

    wrote = tx.commit()

    assert (wrote, meta.get(database.writer, "version")) == (False, before)


def test_call_ids_are_never_given_twice(database: Database, tx: Transaction) -> None:
    given: list[int] = []
    for opened_again in (False, False, True):
        transaction = Transaction(database.writer) if opened_again else tx
        transaction.begin(NOW)
        transaction.add(a_new_task())
        given += [transaction.next_call_id(), transaction.next_call_id()]
        transaction.flush()
        transaction.commit()

    assert len(set(given)) == len(given)


def test_unknown_task_is_not_found(tx: Transaction) -> None:
    with pytest.raises(NotFound, match="no task 7"):
        tx.get(7)


# Against a model

STATES = st.sampled_from(["add", "rename", "prioritise", "begin", "stop", "lock"])
CHANGES = st.tuples(st.lists(st.tuples(STATES, st.integers(0, 9)), max_size=4), st.booleans())
LABELS = ("red", "green", "blue")
LIMITED = st.lists(st.sampled_from(LABELS), unique=True)
COMMITS = st.lists(st.tuples(LIMITED, st.lists(CHANGES, max_size=5), st.booleans()), max_size=6)


@dataclass
class Model:
    """What the store should hold, as plain data that is copied before each change."""

    tasks: dict[int, Task] = field(default_factory=dict)
    history: dict[int, int] = field(default_factory=dict)
    keys: dict[str, int] = field(default_factory=dict)
    number: int = 0

    def copy(self) -> "Model":
        return Model(dict(self.tasks), dict(self.history), dict(self.keys), self.number)


def apply(tx: Transaction, model: Model, kind: str, choice: int) -> None:
    """Do one thing to both."""
    if kind == "add" or not model.tasks:
        model.number += 1
        key = f"key-{choice}" if f"key-{choice}" not in model.keys else None
        task = tx.add(a_new_task(key=key, priority=choice, label=LABELS[choice % 3]))
        assert task.id == model.number
        if key:
            model.keys[key] = task.id
        model.history[task.id] = 1
    else:
        task = tx.get(sorted(model.tasks)[choice % len(model.tasks)])
        assert task == model.tasks[task.id]
        model.history[task.id] += 1
        task = tx.save(lifecycle_change(tx, task, kind, choice))
    model.tasks[task.id] = task


def lifecycle_change(tx: Transaction, task: Task, kind: str, choice: int) -> Task:
    noted = replace(task, history=a_new_task().history)
    if task.finished:
        return noted
    if kind in ("begin", "stop"):
        noted = replace(noted, steps={"plan": replace(task.steps["plan"], ready=False)})
    if kind == "stop":
        return replace(noted, state=a_task("stopped").state)
    if kind == "lock" and not task.locks:
        lock = exclusive(f"site:{task.id}-{choice}")
        locks.take(tx.write(), task.id, [lock], NOW)
        return replace(noted, locks=(lock,), state=a_task("running").state)
    return replace(noted, name=f"{kind} {choice}")


def compare(database: Database, tx: Transaction, model: Model, limited: list[str]) -> None:
    queue = sorted(
        (-task.priority, task.id, task.label)
        for task in model.tasks.values()
        if any(step.ready for step in task.steps.values())
    )
    for full in ([], *([label] for label in limited), limited):
        free = {label: 0 if label in full else 100 for label in limited}
        expected = [task_id for _, task_id, label in queue if label not in full]
        assert ready(tx, 100, free) == expected
    for task in model.tasks.values():
        assert tx.get(task.id) == stored(database, task.id) == task
        assert len(events(database, task.id)) == model.history[task.id]
    assert {f"key-{n}": tx.with_key(1000, f"key-{n}") for n in range(10)} == {
        f"key-{n}": model.keys.get(f"key-{n}") for n in range(10)
    }


@given(COMMITS)
@settings(max_examples=60)
def test_store_and_cache_hold_what_was_done_and_not_undone(
    commits: list[tuple[list[str], list[tuple[list[tuple[str, int]], bool]], bool]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "taskd.db")
        database.writer.execute("PRAGMA synchronous = OFF")
        tx, model, limited = Transaction(database.writer), Model(), list[str]()
        for labels, changes, lost in commits:
            tx.begin(NOW, labels)
            next_model = model.copy()
            for steps, undone in changes:
                tx.begin_change()
                attempt = next_model.copy()
                for kind, choice in steps:
                    apply(tx, attempt, kind, choice)
                if undone:
                    tx.undo_change()
                else:
                    tx.end_change()
                    next_model = attempt
            tx.flush()
            if lost:
                tx.rollback()
            else:
                tx.commit()
                model, limited = next_model, labels
            compare(database, tx, model, limited)
        database.close()
