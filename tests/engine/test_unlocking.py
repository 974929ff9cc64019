"""A task is stopped as it is; what runs of it is killed, or given up when that takes too long."""

from datetime import datetime
from functools import partial

from stage import Stage

from taskd.engine import unlocking
from taskd.executors.base import Cancelled
from taskd.model import lifecycle
from taskd.model.task import Result, State
from taskd.store.transaction import Transaction


def unlock(stage: Stage, task_id: int) -> datetime:
    """By force; since when it was in the state that it was in."""

    def change(tx: Transaction) -> datetime:
        task = tx.get(task_id)
        stage.director.kill(tx, unlocking.unlock(tx, task, "ana", force=True, reason=""))
        return task.state_updated_at

    return stage.director.do(change)


def give_up(stage: Stage, task_id: int, since: datetime) -> State:
    """What the director does some time after an unlock; the task's state then."""
    stage.director.do(partial(unlocking.give_up, task_id=task_id, since=since))
    return stage.director.do(lambda tx: tx.get(task_id).state)


def test_what_does_not_die_is_given_up(stage: Stage) -> None:
    task = stage.start()
    stage.next_call()

    since = unlock(stage, task.id)

    assert give_up(stage, task.id, since) is State.STOPPED


def test_another_unlock_has_patience_of_its_own(stage: Stage) -> None:
    task = stage.start()
    call = stage.next_call()
    first = unlock(stage, task.id)
    stage.end(call, Cancelled())
    assert stage.rest(task.id).result is Result.ERROR
    stage.director.do(lambda tx: tx.save(lifecycle.resume(tx.get(task.id), "ana", tx.now)))
    stage.next_call()

    second = unlock(stage, task.id)

    assert give_up(stage, task.id, first) is State.RUNNING
    assert give_up(stage, task.id, second) is State.STOPPED
