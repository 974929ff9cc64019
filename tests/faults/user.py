"""Who uses a daemon that is killed again and again: asks for tasks, looks at them, resumes some."""

import contextlib
import random
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from ledger import Told, find_wrong, read
from real_daemon import PATIENCE, Daemon, eventually

from taskd.client import Client
from taskd.model.errors import Unavailable, WaitTimeout
from taskd.model.task import State, Task
from taskd.store.check import find_problems

KINDS = (
    "plain.python", "plain.shell", "again.python", "again.shell", "locked.python", "locked.shell",
    "fail.python", "fail.shell", "poll.python", "retried.python", "family.python",
)  # fmt: skip
PAUSES = ("0", "0", "0", "0.05", "0.3")
LOOKED_AT = 50  # tasks, at a time

Requests: TypeAlias = Sequence[dict[str, Any]]


class User:
    kinds = KINDS

    def __init__(self, daemon: Daemon, chance: random.Random) -> None:
        self.told = Told()
        self._daemon = daemon
        self._chance = chance

    def orders(self, tasks: int, parts: int) -> Iterator[Requests]:
        """Requests for so many tasks."""
        requests = [self._request(number) for number in range(tasks)]
        for part in range(parts):
            yield requests[part * tasks // parts : (part + 1) * tasks // parts]

    def work(self, requests: Requests) -> None:
        """Ask for tasks, perhaps without waiting for the answer; look at some; resume them."""
        with Client(self._daemon.socket) as client:
            if self._chance.random() < 0.5:
                self._ask(client, requests)
            else:
                client.submit("tasks.start_many", requests=requests)
            self._judge(client, self._look(client))

    def ask_again(self, requests: Requests) -> None:
        """What a daemon knows already is no second task."""
        with Client(self._daemon.socket) as client:
            self._ask(client, requests)

    def bring_to_an_end(self) -> list[Task]:
        """All tasks, once they have stopped."""
        with Client(self._daemon.socket) as client:
            eventually(lambda: self._has_seen_to_all(client), 10 * PATIENCE)
            return _all_tasks(client, full=True)

    def has_nothing_to_wait_for(self) -> bool:
        with contextlib.suppress(Unavailable), Client(self._daemon.socket) as client:
            return all(task.resting for task in _all_tasks(client))
        return False

    def find_wrong(self, tasks: Sequence[Task]) -> list[str]:
        """All promises that were broken. To be asked when the daemon has stopped."""
        eventually(lambda: not self._daemon.processes())
        left = [f"{file} is left" for file in self._daemon.state.glob("attempts/*")]
        damage = find_problems(self._daemon.state / "taskd.db")
        return [*find_wrong(read(self._daemon.ledger), tasks, self.told), *damage, *left]

    def _request(self, number: int) -> dict[str, Any]:
        given = {
            "place": str(self._daemon.root),
            "site": self._chance.choice("abc"),
            "pause": self._chance.choice(PAUSES),
        }
        return {"action": self._chance.choice(self.kinds), "input": given, "key": f"key {number}"}

    def _ask(self, client: Client, requests: Requests) -> None:
        ids = client.start_many(requests)
        self.told.note_ids([request["key"] for request in requests], ids)

    def _look(self, client: Client) -> list[Task]:
        newest = max(self.told.ids.values(), default=1)
        after = str(self._chance.randint(2, newest + LOOKED_AT))
        tasks = client.find(after=after, limit=LOOKED_AT, full=True).items
        self.told.note_successes(tasks, self._position())
        return tasks

    def _position(self) -> int:
        """How long the ledger is."""
        return self._daemon.ledger.read_bytes().count(b"\n")

    def _has_seen_to_all(self, client: Client) -> bool:
        left = [task for task in _all_tasks(client) if not task.finished]
        self._judge(client, left)
        if left:
            with contextlib.suppress(WaitTimeout):  # it may wait for one that is paused
                client.wait(left[0].id, timeout=1.0)
        return not left

    def _judge(self, client: Client, tasks: Sequence[Task]) -> None:
        """As a person who has seen how far the interrupted steps got: they may run again."""
        for task in tasks:
            if task.state is State.PAUSED and task.parent_task_id is None:
                self.told.asked[task.id, "resumed"] += 1
                client.resume(task.id)


def _all_tasks(client: Client, *, full: bool = False) -> list[Task]:
    tasks: list[Task] = []
    while page := client.find(after=str(tasks[-1].id) if tasks else "", limit=500, full=full).items:
        tasks += page
    return tasks
