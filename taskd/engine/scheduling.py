"""What was scheduled comes: by its time, or when what it waited for has stopped."""

from functools import partial

from taskd.engine.apart import apart
from taskd.engine.recurring import Recurring
from taskd.engine.when import judge
from taskd.model import lifecycle
from taskd.model.step import PLAN
from taskd.model.task import Task
from taskd.store import chains
from taskd.store.transaction import Transaction


class Schedule:
    def __init__(self, recurring: Recurring) -> None:
        self._recurring = recurring

    def settle(self, tx: Transaction) -> bool:
        """Let those go on, or fail, who wait for tasks that have stopped. Whether there are any.

        Not within a change: what has changed is written first, so that SQL can find it.
        """
        stopped = tx.newly_stopped()
        runs = [task for task in stopped if task.recurring_logic_id]
        waiting: list[int] = []
        if stopped and tx.chained:
            tx.flush()
            waiting = chains.followers(tx.connection, [task.id for task in stopped])
        for task_id in waiting:
            apart(tx, f"go on with task {task_id}", partial(self._look, tx, task_id))
        for run in runs:
            apart(tx, f"go on after task {run.id}", partial(self._recurring.stopped, tx, run))
        return bool(waiting or runs)

    def come(self, tx: Transaction, task: Task) -> None:
        """The time for which the task waits has come. Not within a change."""
        if task.recurring_logic_id:
            change = partial(self._recurring.come, tx, task)
        else:
            change = partial(_come, tx, task)
        if not apart(tx, f"begin task {task.id}", change):  # or it would be tried for ever
            told = "a mistake in taskd; its log has more"
            tx.save(lifecycle.never_begins(task, "internal", told, tx.now))

    def _look(self, tx: Transaction, task_id: int) -> None:
        task = tx.get(task_id)
        if not task.recurring_logic_id:
            judge(tx, task)
        elif not (task.steps[PLAN].due_at or chains.in_the_way(tx.connection, task.id)):
            self._recurring.begin(tx, task)


def _come(tx: Transaction, task: Task) -> None:
    judge(tx, tx.save(lifecycle.due(task, PLAN, tx.now)))
