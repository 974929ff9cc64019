"""Writes and syncs that fail, once or for ever: nothing is told that is not so, nothing is lost."""

import errno
from pathlib import Path
from typing import Any

import pytest
from at_work import Workers
from faults import Faults
from real_daemon import Daemon, eventually

from taskd.store import tasks
from taskd.store.check import find_problems
from taskd.store.database import Database

TASKS = 6
CALLS = 200  # about, on the store's files, after it was made
SOME = range(1, CALLS, 20)
OTHERS = [pytest.param(n, marks=pytest.mark.long) for n in range(1, CALLS) if n not in SOME]
SOON = 10.0  # seconds, a few times what it takes to notice that a trouble is over


@pytest.fixture
def store(root: Path) -> Path:
    (root / "s").mkdir()
    path = root / "s" / "taskd.db"
    Database(path).close()
    return path


def stored(store: Path) -> set[int]:
    database = Database(store)
    try:
        return {task.id for task in tasks.find_page(database.writer, None, 1000)}
    finally:
        database.close()


@pytest.mark.parametrize("moment", [*SOME, *OTHERS])
@pytest.mark.parametrize("times", [1, 3, 0], ids=["once", "thrice", "for ever"])
@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC], ids=["EIO", "ENOSPC"])
def test_what_was_told_is_there_and_no_harm_is_done(
    root: Path, store: Path, workers: Workers, faults: Faults, moment: int, times: int, error: int
) -> None:
    environment = faults.on("/taskd.", at=moment, times=times, error=error)

    workers.do(environment, "write", store.parent, root / "told", TASKS)

    told = {int(line) for line in (root / "told").read_text().split()}
    assert find_problems(store) == []
    assert stored(store) >= told
