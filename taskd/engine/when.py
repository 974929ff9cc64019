"""Tasks that are not to begin at once: for a time, after others, or not after a time.

What such a task waits for is in the store: the time is that of its plan step, the others are rows.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from taskd.model import lifecycle
from taskd.model.errors import InvalidInput
from taskd.model.step import PLAN, StepState
from taskd.model.task import Result, State, Task
from taskd.store import chains
from taskd.store.chains import Prerequisite
from taskd.store.transaction import Transaction

NAMED = 10  # tasks in the text of an error


@dataclass(frozen=True)
class When:
    """A task is to begin not before `at`, by `before`, and when all of `after` have stopped."""

    at: datetime | None = None
    before: datetime | None = None
    after: tuple[int, ...] = ()

    @property
    def delays(self) -> bool:
        return self.at is not None or bool(self.after)

    def check(self, tx: Transaction) -> None:
        """Raises InvalidInput."""
        for what, time in (("--at", self.at), ("--before", self.before)):
            if time and time <= tx.now:
                raise InvalidInput(f"{what}: {_told(time)} is in the past")
        if self.at and self.before and self.before <= self.at:
            raise InvalidInput(f"--before {_told(self.before)} is not after --at {_told(self.at)}")
        for task_id in self.after:
            if not 0 < task_id <= tx.last_id:
                raise InvalidInput(f"--after: no task {task_id}")


AT_ONCE = When()


def wait_for(tx: Transaction, task: Task, after: Collection[int]) -> Task:
    """The task, which was just added, once it waits for those of `after` that there still are.

    The store may not know yet how these are, and nothing is written within a change.
    """
    there = [found for each in after if (found := tx.find(each))]
    tx.chain(task.id, [each.id for each in there], strict=True)
    bad = [each for each in there if not each.finished or each.result is Result.ERROR]
    return _judge(tx, task, [Prerequisite(t.id, t.name, t.state, t.result) for t in bad])


def expire(tx: Transaction, task: Task) -> Task:
    """Unless its plan is being made: then when that is made."""
    if task.expires_at is None or task.steps[PLAN].state is StepState.RUNNING:
        return task
    why = f"could not be started before {_told(task.expires_at)}"
    return tx.save(lifecycle.never_begins(task, "expired", why, tx.now))


def judge(tx: Transaction, task: Task) -> Task:
    """What is in the way of a scheduled task may have gone, or have failed."""
    return _judge(tx, task, chains.in_the_way(tx.connection, task.id))


def _judge(tx: Transaction, task: Task, in_the_way: list[Prerequisite]) -> Task:
    if failed := [each for each in in_the_way if each.state == State.STOPPED]:
        why = "; ".join(map(_failure, failed[:NAMED]))
        return tx.save(lifecycle.never_begins(task, "prerequisite", why, tx.now))
    if in_the_way or task.steps[PLAN].due_at:
        return task
    return tx.save(lifecycle.released(task, tx.now))


def _failure(failed: Prerequisite) -> str:
    return f"task {failed.id} ({failed.name}) ended with error"


def _told(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
