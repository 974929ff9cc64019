"""Parts of a daemon, each in a process that may be killed at any of its calls.

    python at_work.py

Each line of stdin is an order, [environment, function, argument…] in JSON. A process of its own
obeys it; its status is the answer. So only the first takes as long to start as Python does.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from builders import NOW, a_new_task

from taskd.store import backup
from taskd.store.database import Database, Lost
from taskd.store.transaction import Transaction

TESTS = Path(__file__).parents[2]


class Workers:
    """`library` is preloaded into all of them, see `faults.c`."""

    def __init__(self, library: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(TESTS), "LD_PRELOAD": str(library)},
        )

    def do(self, environment: Mapping[str, str], function: str, *arguments: object) -> int:
        """The exit status of a process with that environment; below zero: the signal."""
        assert self._process.stdin
        assert self._process.stdout
        print(
            json.dumps([environment, function, *map(str, arguments)]),
            file=self._process.stdin,
            flush=True,
        )
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


def write(folder: str, told: str, count: str) -> None:
    """Commit so many tasks, and tell of each that it is committed, by its id."""
    database = Database(Path(folder, "taskd.db"))
    tx = Transaction(database.writer)
    with open(told, "a") as file:
        for _ in range(int(count)):
            if task_id := _commit(database, tx):
                file.write(f"{task_id}\n")
                file.flush()
            if task_id % 4 == 0:
                database.checkpoint()
    database.close()


def _commit(database: Database, tx: Transaction) -> int:
    """The id; 0 when it is refused."""
    try:
        tx.begin(NOW)
        task = tx.add(a_new_task(name="x" * 3000))
        tx.flush()
        tx.commit()
    except Lost:
        tx.rollback()
        return 0
    database.committed(tx.version)
    return task.id


def stored(store: Path) -> set[int]:
    """The ids of the tasks that are there."""
    database = Database(store)
    try:
        return {row[0] for row in database.writer.execute("SELECT id FROM tasks")}
    finally:
        database.close()


def told(file: Path) -> set[int]:
    """The ids that `write` has told of."""
    return {int(line) for line in file.read_text().split()} if file.exists() else set()


def open_store(folder: str) -> None:
    Database(Path(folder, "taskd.db")).close()


def back_up(folder: str, target: str) -> None:
    backup.write(Path(folder, "taskd.db"), Path(target))


def restore(folder: str, file: str) -> None:
    backup.restore(Path(folder, "taskd.db"), Path(file), NOW)


ORDERS = {"write": write, "open_store": open_store, "back_up": back_up, "restore": restore}


def main() -> None:
    for line in sys.stdin:
        environment, function, *arguments = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os.environ.update(environment)
            ORDERS[function](*arguments)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
