"""A store that was damaged, cut, emptied, exchanged or has lost something is refused and left as it
is; what does no harm is not refused, and everything is there."""

import re
import shutil
from pathlib import Path

import damages
import pytest
from damages import LOSSES, ONLY, REFUSED, UNUSABLE, Damage, Made, Store, on

from taskd.model.errors import StoreError
from taskd.store.check import find_problems
from taskd.store.database import Database


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return damages.make(tmp_path_factory.mktemp("stores"))


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path, made: Made) -> Store:
    """Either of them."""
    return Store(shutil.copytree(getattr(made, request.param), tmp_path / "s"), made)


@pytest.fixture
def killed(tmp_path: Path, made: Made) -> Store:
    return Store(shutil.copytree(made.killed, tmp_path / "s"), made)


@on("damage reason remedy", *REFUSED, **ONLY)
def test_damaged_store_is_refused_and_left_as_it_is(
    store: Store, damage: Damage, reason: str, remedy: str
) -> None:
    damage(store)
    before = store.files()

    with pytest.raises(StoreError, match=reason) as refusal:
        Database(store.file)

    assert remedy in refusal.value.hint
    assert "\n" not in refusal.value.message
    assert store.files() == before
    assert refusal.value.exit_code == 78


@on("damage reason remedy", *REFUSED, **ONLY)
def test_check_says_the_same(store: Store, damage: Damage, reason: str, remedy: str) -> None:
    damage(store)
    before = store.files()

    (problem,) = find_problems(store.file)

    assert re.search(reason, problem)
    assert remedy in problem
    assert store.files() == before


@pytest.mark.parametrize("frames", [0, 1, 7, -3, -2, -1])
@pytest.mark.parametrize("bytes_more", [-1, 0, 10, 24, 1000])
def test_cut_wal_is_refused_and_left_as_it_is(killed: Store, frames: int, bytes_more: int) -> None:
    killed.cut_wal(frames, bytes_more)
    before = killed.files()

    with pytest.raises(StoreError, match=r"its last \d+ commits are missing"):
        Database(killed.file)

    assert killed.files() == before


@on(
    "damage",
    (damages.damage_index_of_wal,),
    (damages.remove_index_of_wal,),
    (damages.empty_index_of_wal,),
    (damages.damage_header,),
    (damages.cut_a_byte,),
    (damages.remove_mark,),
    (damages.add_garbage,),
    (damages.touch,),
    damage_index_of_wal="killed",
    remove_index_of_wal="killed",
    empty_index_of_wal="killed",
    damage_header="killed",
    cut_a_byte="killed",
)
def test_what_does_no_harm_leaves_everything_there(store: Store, damage: Damage) -> None:
    damage(store)
    before = store.files()

    assert find_problems(store.file) == []
    assert store.files() == before
    assert store.rows() == store.rows_before


@on("damage tasks", *LOSSES, **ONLY)
def test_accepted_loss_goes_on_with_what_is_there(store: Store, damage: Damage, tasks: int) -> None:
    damage(store)

    Database(store.file, accept_loss=True).close()

    assert store.count() == tasks
    assert find_problems(store.file) == []
    assert store.count() == tasks  # and is asked for once


@on("damage", *UNUSABLE)
def test_what_cannot_be_used_is_refused_whatever_loss_is_accepted(
    store: Store, damage: Damage
) -> None:
    damage(store)
    before = store.files()

    with pytest.raises(StoreError):
        Database(store.file, accept_loss=True)

    assert store.files() == before


def test_wal_of_a_lost_store_is_set_aside_and_not_taken_for_the_new_one(killed: Store) -> None:
    damages.remove_all_but_the_wal(killed)
    wal = killed.wal.read_bytes()

    Database(killed.file, accept_loss=True).close()

    assert (killed.folder / "taskd.db-wal.old").read_bytes() == wal


def test_store_that_is_at_work_is_in_order(tmp_path: Path) -> None:
    database = damages.begin(tmp_path / "s")

    found = []
    for _ in range(30):
        damages.commit(database)
        found += find_problems(database.path)

    database.close()
    assert found == []


def test_missing_store_is_no_problem(tmp_path: Path) -> None:
    assert find_problems(tmp_path / "taskd.db") == []


def test_folder_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert "Not a directory" in find_problems(tmp_path / "file" / "taskd.db")[0]
