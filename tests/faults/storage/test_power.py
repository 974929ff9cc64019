"""The machine dies: what a client was told is there, and the mark does not promise more."""

import random
from pathlib import Path

import power
import pytest
from at_work import Workers, stored, told
from faults import KILL, STORE, Faults

from taskd.store.check import find_problems

TASKS = 12
CALLS = 400  # about, on the store's files, from nothing to so many tasks
SOME = range(3, CALLS, 40)
OTHERS = [pytest.param(n, marks=pytest.mark.long) for n in range(1, CALLS) if n not in SOME]


@pytest.fixture
def store(root: Path) -> Path:
    (root / "s").mkdir()
    return root / "s" / "taskd.db"


@pytest.mark.parametrize("moment", [*SOME, *OTHERS])
@pytest.mark.parametrize("survivors", ["none", "some"])
def test_what_was_told_is_there_after_a_power_cut(
    root: Path, store: Path, workers: Workers, faults: Faults, moment: int, survivors: str
) -> None:
    environment = faults.on(STORE, at=moment, error=KILL) | faults.noted(STORE, root / "notes")

    workers.do(environment, "write", store.parent, root / "told", TASKS)
    power.cut(store.parent, root / "notes", random.Random(moment) if survivors == "some" else None)

    assert find_problems(store) == []
    assert stored(store) >= told(root / "told")
