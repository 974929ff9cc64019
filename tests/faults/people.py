"""People who act on tasks at random: they cancel, unlock, skip and resume. Some hang up at once."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from ledger import acts_on
from real_daemon import Daemon, eventually
from user import KINDS, User

from taskd.client import Client
from taskd.model.errors import InvalidState, LockConflict
from taskd.model.step import JSON
from taskd.model.task import State, Task


@dataclass(frozen=True)
class Act:
    """`event` is what the history says of it."""

    method: str
    event: str
    force: bool | None = None

    def parameters(self, task_id: int) -> dict[str, JSON]:
        force = {} if self.force is None else {"force": self.force}
        return {"task_id": task_id, **force}


RESUME = Act("tasks.resume", "resumed")
SKIP = Act("tasks.skip", "skipped")
CANCEL = Act("tasks.cancel", "cancelled", force=False)
CANCEL_AT_ONCE = Act("tasks.cancel", "cancelled", force=True)
UNLOCK = Act("tasks.unlock", "unlocked", force=False)
UNLOCK_BY_FORCE = Act("tasks.unlock", "unlocked", force=True)

EAGERNESS = {State.PAUSED: 0.6, State.STOPPED: 0.5}  # how many of those are acted on, when seen
OTHERWISE = 0.2


class People(User):
    kinds = (*KINDS, "thread.python")

    def __init__(self, daemon: Daemon, chance: random.Random) -> None:
        super().__init__(daemon, chance)
        self._in_doubt: set[int] = set()  # tasks of which somebody hung up

    def _judge(self, client: Client, tasks: Sequence[Task]) -> None:
        self._clear_up(client)
        for task in tasks:
            acts = self._open_to(task)
            if acts and self._chance.random() < EAGERNESS.get(task.state, OTHERWISE):
                self._act(client, self._chance.choice(acts), task.id)

    def _open_to(self, task: Task) -> Sequence[Act]:
        if task.state is State.PAUSED:
            return RESUME, SKIP, CANCEL, UNLOCK
        if task.finished:
            return (RESUME,) if self.told.unlocked[task.id] else ()
        return CANCEL, CANCEL_AT_ONCE, UNLOCK_BY_FORCE

    def _act(self, client: Client, act: Act, task_id: int) -> None:
        self.told.asked[task_id, act.event] += 1
        if self._chance.random() < 0.3:
            client.submit(act.method, **act.parameters(task_id))
            self._in_doubt.add(task_id)
            return
        try:
            answer = client.ask(act.method, **act.parameters(task_id))
        except (InvalidState, LockConflict):
            return  # it has gone on since it was looked at
        assert act.event != "unlocked" or answer["state"] == "stopped"
        self.told.note_answer(task_id, act.event, self._position())

    def _clear_up(self, client: Client) -> None:
        """Those who hung up look what became of what they asked for."""
        while self._in_doubt:
            task = client.get(self._in_doubt.pop())
            for event, times in acts_on(task).items():
                if times > self.told.answered[task.id, event]:
                    if event == "unlocked":
                        eventually(lambda task_id=task.id: client.get(task_id).finished)
                    self.told.note_answer(task.id, event, self._position())
