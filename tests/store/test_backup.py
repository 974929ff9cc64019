"""Backups of a store, and what is put in its place."""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import damages
import pytest
from builders import NOW
from damages import ONLY, REFUSED, Damage, Made, Store, on

from taskd.model.errors import Busy, InvalidInput, NotFound, StoreError
from taskd.store import backup, meta, tasks
from taskd.store.check import find_problems
from taskd.store.database import Database


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return damages.make(tmp_path_factory.mktemp("stores"))


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path, made: Made) -> Store:
    """Either of them."""
    kind = getattr(request, "param", "killed")
    return Store(shutil.copytree(getattr(made, kind), tmp_path / "s"), made)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "b.db"


def rows(file: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        return list(connection.iterdump())


def tasks_of(dump: list[str]) -> list[str]:
    return [row for row in dump if row.startswith('INSERT INTO "tasks"')]


def beside(target: Path) -> dict[str, tuple[int, int, int]]:
    """All that is in its folder: which files, how large and when written."""
    found = {path.name: path.lstat() for path in target.parent.iterdir()}
    return {name: (at.st_ino, at.st_size, at.st_mtime_ns) for name, at in found.items()}


# Backup


@pytest.mark.parametrize("store", ["killed", "closed"], indirect=True)
def test_backup_is_one_private_file_that_holds_everything(store: Store, target: Path) -> None:
    before = store.file.read_bytes(), store.mark.read_bytes()

    contents = backup.write(store.file, target)

    assert [path.name for path in target.parent.glob("b.db*")] == ["b.db"]
    assert (contents.tasks, contents.size) == (320, target.stat().st_size)
    assert target.stat().st_mode & 0o777 == 0o600
    assert target.read_bytes()[18:20] == b"\x01\x01"  # it needs no WAL to be read
    assert rows(target) == store.rows_before
    assert (store.file.read_bytes(), store.mark.read_bytes()) == before
    assert find_problems(store.file) == []


def put_link(target: Path) -> None:
    (target.parent / "elsewhere").write_text("mine")
    target.symlink_to("elsewhere")


IN_THE_WAY: tuple[tuple[Callable[[Path], object], bool, str], ...] = (
    (Path.touch, False, "it is there already"),
    (Path.mkdir, True, "no plain file"),
    (put_link, False, "no plain file"),
    (put_link, True, "no plain file"),
    (lambda target: target.symlink_to("nowhere"), True, "no plain file"),
)


@pytest.mark.parametrize(("put", "force", "reason"), IN_THE_WAY)
def test_what_is_in_the_way_of_a_backup_stays(
    store: Store, target: Path, put: Callable[[Path], object], force: bool, reason: str
) -> None:
    put(target)
    before = beside(target)

    with pytest.raises(InvalidInput, match=reason):
        backup.write(store.file, target, force=force)

    assert beside(target) == before


def test_file_is_written_over_by_force(store: Store, target: Path) -> None:
    target.write_text("old")

    backup.write(store.file, target, force=True)

    assert rows(target) == store.rows_before


@pytest.mark.parametrize("name", ["lock", "taskd.log", "starts", "backups/x.csv"])
def test_no_file_of_the_daemon_is_written_over(store: Store, name: str) -> None:
    file = store.folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("its own")

    with pytest.raises(InvalidInput, match="it is no backup, and among the daemon's files"):
        backup.write(store.file, file, force=True)

    assert file.read_text() == "its own"


def test_backup_beside_the_store_is_written_over_by_force(store: Store) -> None:
    file = store.file.with_name("nightly.db")

    for _ in range(2):
        backup.write(store.file, file, force=True)

    assert rows(file) == store.rows_before


@pytest.mark.parametrize("name", ["taskd.db", "taskd.db-wal", "taskd.db-shm", "taskd.mark"])
def test_backup_is_never_put_in_the_place_of_the_store(store: Store, name: str) -> None:
    before = store.files()

    with pytest.raises(InvalidInput, match="it is the store itself"):
        backup.write(store.file, store.folder / ".." / "s" / name, force=True)

    assert store.files() == before


@on("damage", *[(damage,) for damage, _, _ in REFUSED], **ONLY)
def test_damaged_store_is_not_backed_up_and_left_as_it_is(
    store: Store, target: Path, damage: Damage
) -> None:
    damage(store)
    before = store.files()

    with pytest.raises(StoreError):
        backup.write(store.file, target)

    after = store.files()
    assert {name: after[name] for name in before if not name.endswith("-shm")} == {
        name: content for name, content in before.items() if not name.endswith("-shm")
    }
    assert not list(target.parent.glob("b.db*"))


def test_where_there_is_no_store_there_is_no_backup(tmp_path: Path, target: Path) -> None:
    with pytest.raises(StoreError, match="there is no store in"):
        backup.write(tmp_path / "taskd.db", target)

    assert not target.exists()


def test_backup_into_no_folder_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        backup.write(store.file, tmp_path / "none" / "b.db")


def test_two_backups_do_not_write_one_file(store: Store, target: Path) -> None:
    with backup._part_of(target), pytest.raises(Busy, match="another backup"):
        backup.write(store.file, target)

    assert not target.exists()


def put_of_another_user(part: Path) -> None:
    part.write_text("")
    os.chown(part, 1234, -1)


def put_second_name(part: Path) -> None:
    part.with_name("mine").write_text("mine")
    part.hardlink_to(part.with_name("mine"))


@pytest.mark.parametrize(
    "put",
    [
        pytest.param(
            put_of_another_user, marks=pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
        ),
        put_second_name,
    ],
)
def test_backup_is_not_written_into_what_somebody_has_put_there(
    store: Store, target: Path, put: Callable[[Path], None]
) -> None:
    part = target.with_name("b.db.taskd-part")
    put(part)
    before = part.read_bytes()

    with pytest.raises(Busy, match="or it is not yours"):
        backup.write(store.file, target)

    assert part.read_bytes() == before


def test_file_of_the_user_that_is_named_as_a_part_stays(store: Store, target: Path) -> None:
    target.with_name("b.db.part").write_text("precious")

    backup.write(store.file, target)

    assert target.with_name("b.db.part").read_text() == "precious"


def test_what_a_killed_backup_has_left_does_no_harm(store: Store, target: Path) -> None:
    for name in ("b.db.taskd-part", "b.db.taskd-part-journal", "b.db.taskd-part-wal"):
        target.with_name(name).write_bytes(damages.garbage(5000))
        target.with_name(name).chmod(0o644)

    backup.write(store.file, target)

    assert rows(target) == store.rows_before
    assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in target.parent.glob("b.db*")] == ["b.db"]


# Restore


@pytest.fixture
def saved(made: Made, target: Path) -> Path:
    """A backup of the older one, of 300 tasks."""
    backup.write(made.older / "taskd.db", target)
    return target


@pytest.mark.parametrize("store", ["killed", "closed"], indirect=True)
def test_restored_store_holds_what_the_backup_does(store: Store, saved: Path) -> None:
    before = store.files()

    contents, aside = backup.restore(store.file, saved, NOW)

    assert aside
    assert aside.name.startswith(f"replaced-{NOW:%Y%m%dT%H%M%S}")
    assert Store(aside, store.made).files() == before
    assert contents.tasks == 300
    assert find_problems(store.file) == []
    assert tasks_of(store.rows()) == tasks_of(rows(saved))


def test_old_store_that_is_put_back_is_the_old_one(store: Store, saved: Path) -> None:
    _, aside = backup.restore(store.file, saved, NOW)
    assert aside

    backup.restore(store.file, aside / "taskd.db", NOW + timedelta(days=1))

    assert tasks_of(store.rows()) == tasks_of(store.rows_before)


def test_restored_store_is_of_no_boot_and_gives_no_id_again(store: Store, saved: Path) -> None:
    backup.restore(store.file, saved, NOW, used=310, drained="since noon")

    database = Database(store.file)
    found = [meta.get(database.writer, name) for name in ("boot", "drained")]
    last_id = tasks.last_id(database.writer)
    database.close()
    assert found == [backup.RESTORED, "since noon"]
    assert last_id == 320


def test_ids_of_a_lost_store_are_known_by_what_was_used(tmp_path: Path, saved: Path) -> None:
    _, aside = backup.restore(tmp_path / "taskd.db", saved, NOW, used=1310)

    database = Database(tmp_path / "taskd.db")
    assert tasks.last_id(database.writer) == 1310
    database.close()
    assert aside is None


@on(
    "damage",
    (damages.damage_page,),
    (damages.cut_in_half,),
    (damages.empty,),
    (damages.remove,),
    (damages.put_text,),
    (damages.put_folder,),
    (damages.remove_all_but_the_wal,),
    (damages.remove_wal,),
    (damages.put_folder_for_wal,),
    (damages.damage_mark,),
    **ONLY,
)
def test_damaged_store_is_replaced_and_kept(store: Store, saved: Path, damage: Damage) -> None:
    damage(store)
    before = store.files()

    _, aside = backup.restore(store.file, saved, NOW)

    assert find_problems(store.file) == []
    assert tasks_of(store.rows()) == tasks_of(rows(saved))
    assert aside
    assert Store(aside, store.made).files() == before


def spoil(damage: Damage) -> Callable[[Path, Made], None]:
    def spoiled(file: Path, made: Made) -> None:
        as_store = Store(file.parent, made)
        as_store.file, as_store.wal = file, file.with_name("none")
        damage(as_store)

    return spoiled


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (damages.damage_header, "file is not a database"),
        (damages.damage_page, "it is damaged"),
        (damages.damage_index, "it is damaged"),
        (damages.cut_in_half, "it is cut|malformed"),
        (damages.cut_a_byte, "it is cut"),
        (damages.fill_with_zeros, "file is not a database|malformed"),
        (damages.empty, "it is empty"),
        (damages.put_alien_database, "it is not a store of taskd"),
        (damages.put_text, "file is not a database|malformed"),
        (damages.put_folder, "it is no plain file"),
        (damages.put_pipe, "it is no plain file"),
        (damages.make_newer, "this taskd knows"),
        (damages.drop_table, "it has no index children_of"),
    ],
)
def test_file_that_is_no_backup_is_refused_and_nothing_changed(
    store: Store, saved: Path, made: Made, damage: Damage, reason: str
) -> None:
    spoil(damage)(saved, made)
    before = store.files()

    with pytest.raises(StoreError, match=reason):
        backup.restore(store.file, saved, NOW)

    assert store.files() == before


def test_backup_that_is_not_there_is_not_found(store: Store, tmp_path: Path) -> None:
    before = store.files()

    with pytest.raises(NotFound, match="there is no file"):
        backup.restore(store.file, tmp_path / "none.db", NOW)

    assert store.files() == before
