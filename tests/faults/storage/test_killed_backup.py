"""A backup and a restore are killed at any of their writes: what is there is whole. And it outlives
the machine."""

import shutil
from datetime import timedelta
from pathlib import Path

import damages
import power
import pytest
from at_work import Workers
from builders import NOW
from damages import Made
from faults import KILL, Faults
from mounts import Disk

from taskd.model.errors import TaskdError
from taskd.store import backup, check
from taskd.store.check import find_problems

CALLS = 118  # about; the last ones are the syncs
SOME = (1, 30, 60, *range(94, CALLS, 3))
OTHERS = [pytest.param(n, marks=pytest.mark.long) for n in range(1, CALLS) if n not in SOME]
OLD, NEW = 320, 300  # tasks


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return damages.make(tmp_path_factory.mktemp("stores"))


@pytest.fixture
def store(root: Path, made: Made) -> Path:
    """With the last commits in its WAL only."""
    return shutil.copytree(made.killed, root / "s") / "taskd.db"


@pytest.mark.parametrize("moment", [*SOME, *OTHERS])
def test_killed_backup_leaves_none_and_the_next_one_is_whole(
    store: Path, root: Path, workers: Workers, faults: Faults, moment: int
) -> None:
    target = root / "b.db"

    status = workers.do(faults.on(r"/b\.db", at=moment, error=KILL), "back_up", root / "s", target)

    assert target.exists() == (status == 0)
    assert backup.write(store, target, force=status == 0).tasks == OLD
    assert [path.name for path in root.glob("b.db*")] == ["b.db"]


@pytest.mark.parametrize("moment", [*SOME, *OTHERS])
def test_killed_restore_leaves_the_old_or_the_new_store_or_is_to_be_done_again(
    store: Path, root: Path, made: Made, workers: Workers, faults: Faults, moment: int
) -> None:
    backup.write(made.older / "taskd.db", root / "b.db")
    old = [store.read_bytes(), check.wal_of(store).read_bytes()]

    status = workers.do(
        faults.on(r"/s(/taskd|$)", at=moment, error=KILL), "restore", root / "s", root / "b.db"
    )

    found = None if find_problems(store) else backup.look(store).tasks
    assert found in ([NEW] if status == 0 else [OLD, NEW, None])
    backup.restore(store, root / "b.db", NOW + timedelta(days=1))
    assert (find_problems(store), backup.look(store).tasks) == ([], NEW)
    kept = [path.read_bytes() for path in root.glob("s/replaced-*/taskd.db*")]
    assert all(content in kept for content in old)


def test_backup_that_was_told_of_is_there_after_a_power_cut(
    store: Path, root: Path, workers: Workers, faults: Faults
) -> None:
    status = workers.do(
        faults.noted(r"/b\.db", root / "notes"), "back_up", store.parent, root / "b.db"
    )
    power.cut(root, root / "notes")

    assert (status, backup.look(root / "b.db").tasks) == (0, OLD)
    assert (root / "notes").stat().st_size > (root / "b.db").stat().st_size


def test_restored_store_is_there_after_a_power_cut(
    store: Path, root: Path, made: Made, workers: Workers, faults: Faults
) -> None:
    backup.write(made.older / "taskd.db", root / "b.db")

    status = workers.do(
        faults.noted(r"/s/taskd\.db\.new$", root / "notes"), "restore", root / "s", root / "b.db"
    )
    power.cut(root / "s", root / "notes")

    assert (status, find_problems(store)) == (0, [])
    assert backup.look(store).tasks == NEW


def test_full_disk_holds_nothing_of_a_backup(made: Made, disk: Disk) -> None:
    store = made.older / "taskd.db"
    disk.fill()
    with (disk.path / "ballast").open("r+b") as ballast:
        ballast.truncate(ballast.seek(0, 2) - store.stat().st_size // 2)

    with pytest.raises(TaskdError, match=r"disk is full|No space left"):
        backup.write(store, disk.path / "b.db")

    assert [path.name for path in disk.path.iterdir()] == ["ballast"]
