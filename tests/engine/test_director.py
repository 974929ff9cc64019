"""The director: one commit for many changes, and nothing outside before it."""

import queue
import sqlite3
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from builders import a_definition, an_error
from stage import PATIENCE, Stage, a_stage

from taskd.catalog.catalog import Catalog
from taskd.engine.watchers import Watcher
from taskd.executors.base import Call, Cancelled, Failure, Interrupted, NeverRan, Progress, Success
from taskd.model import lifecycle
from taskd.model.errors import Busy, InvalidInput
from taskd.model.task import Result, State, Task
from taskd.store import tasks
from taskd.store.transaction import Transaction

Answers = queue.SimpleQueue[tuple[Any, BaseException | None]]


def put(stage: Stage, answers: Answers, change: Any) -> Any:
    """For `together`: to put `change`, whose answer goes to `answers`."""
    return lambda: stage.director.put(change, lambda *answer: answers.put(answer))


def limit_pages(stage: Stage, more: int | None) -> None:
    """The store may have so many pages more than it has; None: as many as it likes."""

    def change(tx: Transaction) -> None:
        most = 1 << 30
        if more is not None:
            most = tx.connection.execute("PRAGMA page_count").fetchone()[0] + more
        tx.connection.execute(f"PRAGMA max_page_count = {most}")

    stage.director.do(change)


def stored(stage: Stage, task_id: int) -> Task:
    with stage.database.snapshot() as snapshot:
        return tasks.get_full(snapshot, task_id)


# Commits


def test_changes_that_wait_make_one_commit(stage: Stage) -> None:
    answers: Answers = queue.SimpleQueue()

    stage.together(*[put(stage, answers, stage.create)] * 50)

    made = [answers.get(timeout=PATIENCE)[0] for _ in range(50)]
    assert len({task.version for task in made}) == 1
    assert [task.id for task in made] == list(range(1, 51))


def test_failing_change_does_not_hurt_its_batch(stage: Stage) -> None:
    answers: Answers = queue.SimpleQueue()

    def refuse(tx: Transaction) -> None:
        stage.create(tx)
        raise InvalidInput("no")

    def stumble(tx: Transaction) -> None:
        stage.create(tx)
        raise KeyError("a bug")

    def break_a_rule(tx: Transaction) -> None:
        stage.create(tx)
        tx.write().execute("INSERT INTO meta SELECT * FROM meta")

    stage.together(
        put(stage, answers, stage.create),
        put(stage, answers, refuse),
        put(stage, answers, stumble),
        put(stage, answers, break_a_rule),
        put(stage, answers, stage.create),
    )

    first, *others, last = (answers.get(timeout=PATIENCE) for _ in range(5))
    assert (first[0].id, last[0].id) == (1, 2)
    expected = [InvalidInput, KeyError, sqlite3.IntegrityError]
    assert [type(error) for _, error in others] == expected


def test_lost_transaction_refuses_only_the_culprit(stage: Stage) -> None:
    first = stage.start()
    call = stage.next_call()
    limit_pages(stage, 40)
    answers: Answers = queue.SimpleQueue()

    stage.together(
        put(stage, answers, lambda tx: stage.create(tx, name="x" * 1000)),
        put(stage, answers, lambda tx: [stage.create(tx, name="y" * 1000) for _ in range(2000)]),
        lambda: stage.director.report(call.id, Success("done")),
    )

    good, culprit = (answers.get(timeout=PATIENCE) for _ in range(2))
    limit_pages(stage, None)
    assert (good[1], type(culprit[1])) == (None, Busy)
    assert stage.rest(first.id).output == "done"
    assert stage.start().id == 3


def test_answer_that_cannot_be_given_undoes_nothing(stage: Stage) -> None:
    answers: Answers = queue.SimpleQueue()

    def fail(*_: object) -> None:
        raise ValueError("there is no JSON for it")

    stage.together(
        lambda: stage.director.put(stage.create, fail), put(stage, answers, stage.create)
    )

    assert answers.get(timeout=PATIENCE)[0].id == 2
    assert stage.start().id == 3


def test_outcome_that_cannot_be_stored_is_kept_and_tried_again(stage: Stage) -> None:
    task = stage.start()
    call = stage.next_call()
    limit_pages(stage, 0)
    stage.end(call, Success("x" * 2_000_000))
    stage.settle()
    before = (stored(stage, task.id).state, list(stage.executor.told_settled))

    limit_pages(stage, None)

    assert before == (State.RUNNING, [])
    assert len(stage.rest(task.id).output) == 2_000_000
    assert stage.executor.told_settled == [call.id]


def test_state_outlives_the_director() -> None:
    with tempfile.TemporaryDirectory() as folder:
        with a_stage(a_definition("demo"), slots=1, folder=Path(folder)) as stage:
            stage.start()
            waiting = stage.start()
            call = stage.next_call()
            stage.end(call)
            stage.next_call()
            stage.director.pause_starting(True)
            third = stage.start()
        with a_stage(a_definition("demo"), slots=4, folder=Path(folder)) as again:
            assert again.next_call().task_id == third.id
            assert stored(again, waiting.id).state is State.RUNNING


# Starting


def test_call_is_committed_before_an_executor_sees_it(stage: Stage) -> None:
    for _ in range(3):
        stage.start("two")
    for _ in range(6):
        stage.end(stage.next_call())
    stage.settle()

    assert stage.executor.in_store == [True] * 6


def test_no_more_steps_run_than_there_are_slots(stage: Stage) -> None:
    for _ in range(10):
        stage.start()
    stage.settle()
    before = stage.director.calls_out

    stage.end(stage.next_call())
    stage.settle()

    assert (before, stage.director.calls_out, stage.executor.calls.qsize()) == (4, 4, 4)


def given_out(stage: Stage) -> list[Call]:
    """Since the last time."""
    stage.settle()
    return [stage.next_call() for _ in range(stage.executor.calls.qsize())]


def end_all(stage: Stage, calls: list[Call]) -> None:
    """In one commit."""
    stage.together(*[partial(stage.end, call) for call in calls])


def test_steps_are_given_out_ahead_also_when_none_has_ended_just_now() -> None:
    with a_stage(a_definition("demo"), slots=4) as stage:
        stage.together(*[partial(stage.director.put, stage.create)] * 64)
        for count in (4, 12, 28):  # that end at once: twice as many may be out, beside the slots
            end_all(stage, [stage.next_call() for _ in range(count)])
        for _ in range(20):
            stage.next_call()

        stage.together(*[partial(stage.director.put, stage.create)] * 10)

        assert len(given_out(stage)) == 10


def test_burst_that_has_ended_gives_no_later_step_a_slot_that_there_is_not() -> None:
    with a_stage(a_definition("demo"), slots=4) as stage:
        stage.together(*[partial(stage.director.put, stage.create)] * 60)
        while calls := given_out(stage):
            end_all(stage, calls)

        stage.together(*[partial(stage.director.put, stage.create)] * 60)

        assert len(given_out(stage)) == 4


def test_more_urgent_task_goes_first() -> None:
    with a_stage(a_definition("demo"), slots=1) as stage:
        stage.start()
        for priority in (0, 5, 9):
            stage.start(priority=priority)

        order = []
        for _ in range(4):
            call = stage.next_call()
            order.append(call.task_id)
            stage.end(call)

    assert order == [1, 4, 3, 2]


def test_steps_run_in_their_order(stage: Stage) -> None:
    task = stage.start("two")

    steps = []
    for _ in range(2):
        call = stage.next_call()
        steps.append(call.step)
        stage.end(call, Success(call.step))

    assert steps == ["first", "second"]
    assert stage.rest(task.id).output == "second"


def test_nothing_is_started_while_starting_is_paused(stage: Stage) -> None:
    stage.director.pause_starting(True)
    stage.start()
    stage.settle()
    before = stage.executor.calls.qsize()

    stage.director.pause_starting(False)

    assert before == 0
    assert stage.next_call().task_id == 1


def test_task_whose_action_is_gone_pauses_and_says_so(stage: Stage) -> None:
    stage.director.pause_starting(True)
    task = stage.start()
    stage.starter.catalog = Catalog(fingerprint=[])
    stage.director.pause_starting(False)

    paused = stage.rest(task.id)

    error = paused.steps["plan"].error
    assert error
    assert (paused.state, error.kind) == (State.PAUSED, "action-changed")
    assert "no action 'demo'" in error.message


# Outcomes


@pytest.mark.parametrize(
    ("outcome", "state", "result"),
    [
        (Success(3), "stopped", "success"),
        (Failure(an_error()), "paused", "error"),
        (Interrupted("it died"), "paused", "error"),
    ],
)
def test_outcome_decides(stage: Stage, outcome: Any, state: str, result: str) -> None:
    task = stage.start()

    stage.end(stage.next_call(), outcome)

    rested = stage.rest(task.id)
    assert (rested.state, rested.result) == (state, result)


def test_failed_step_is_tried_again_when_it_is_due(stage: Stage) -> None:
    task = stage.start("again")
    stage.end(stage.next_call(), Failure(an_error()))

    again = stage.next_call()
    stage.end(again)

    assert again.attempt == 2
    assert stage.rest(task.id).result is Result.SUCCESS


def test_step_that_never_ran_is_given_out_again(stage: Stage) -> None:
    stage.start()
    first = stage.next_call()

    stage.end(first, NeverRan())

    again = stage.next_call()
    assert (again.id != first.id, again.attempt) == (True, 1)


def test_outcome_that_comes_twice_counts_once(stage: Stage) -> None:
    task = stage.start()
    call = stage.next_call()

    stage.end(call, Success("first"))
    stage.end(call, Success("second"))
    stage.settle()

    assert stage.rest(task.id).output == "first"
    assert stage.executor.told_settled == [call.id]


def test_progress_is_stored(stage: Stage) -> None:
    task = stage.start("two")
    call = stage.next_call()

    stage.end(call, Progress(0.5, "half"))
    stage.settle()

    found = stored(stage, task.id)
    assert (found.progress, found.steps["first"].note) == (0.25, "half")


def test_cancelled_task_stops_when_its_step_has_ended(stage: Stage) -> None:
    task = stage.start("two")
    call = stage.next_call()
    stage.director.do(lambda tx: tx.save(lifecycle.cancel(tx.get(task.id), "ana", tx.now)))

    stage.end(call, Cancelled())

    assert stage.rest(task.id).result is Result.CANCELLED
    assert stage.executor.calls.empty()


# Locks


def test_task_that_meets_a_lock_pauses_naming_its_holder(stage: Stage) -> None:
    holder, other = stage.start("locked"), stage.start("locked")

    paused = stage.rest(other.id)

    error = paused.steps["plan"].error
    assert error
    assert (paused.state, error.kind) == (State.PAUSED, "lock-conflict")
    assert (error.detail["resource"], error.detail["holders"]) == ("site:blog", [holder.id])


def test_paused_task_keeps_its_lock_until_it_stops(stage: Stage) -> None:
    holder = stage.start("locked")
    stage.end(stage.next_call(), Failure(an_error()))
    stage.rest(holder.id)
    kept = stored(stage, holder.id).locks

    stage.director.do(lambda tx: tx.save(lifecycle.cancel(tx.get(holder.id), "ana", tx.now)))

    assert ([str(lock) for lock in kept], stored(stage, holder.id).locks) == (["site:blog"], ())


def test_resume_takes_the_lock_that_has_become_free(stage: Stage) -> None:
    stage.start("locked")
    other = stage.start("locked")
    stage.rest(other.id)
    stage.end(stage.next_call())

    stage.rest(1)
    stage.director.do(lambda tx: tx.save(lifecycle.resume(tx.get(other.id), "ana", tx.now)))
    stage.end(stage.next_call())

    assert stage.rest(other.id).result is Result.WARNING


# Watchers


def test_watcher_is_told_of_the_next_change(stage: Stage) -> None:
    task = stage.start("two")
    seen: queue.SimpleQueue[Task] = queue.SimpleQueue()
    call = stage.next_call()
    stage.settle()
    version = stored(stage, task.id).version
    watcher = Watcher(task.id, version, seen.put)
    stage.director.do(lambda _tx: stage.director.watchers.add(watcher))

    stage.end(call)

    assert seen.get(timeout=PATIENCE).version > version


def test_watcher_that_was_taken_away_is_told_nothing(stage: Stage) -> None:
    task = stage.start()
    seen: queue.SimpleQueue[Task] = queue.SimpleQueue()
    watcher = Watcher(task.id, None, seen.put)
    stage.director.do(lambda _tx: stage.director.watchers.add(watcher))
    stage.director.do(lambda _tx: stage.director.watchers.remove(watcher))

    stage.end(stage.next_call())
    stage.rest(task.id)

    assert seen.empty()


def test_title_made_of_a_long_input_is_cut() -> None:
    with a_stage(a_definition(title="x" * 5000)) as stage:
        stage.start()

        name = stage.next_call().task_name

    assert (len(name), name[-1]) == (1000, "…")
