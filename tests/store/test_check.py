"""A store that was damaged, cut, emptied, exchanged or has lost something is refused and left as it
is; what does no harm is not refused, and everything is there."""

import contextlib
import os
import random
import re
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from builders import NOW, a_new_task

from taskd.model.errors import StoreError
from taskd.store.check import find_problems
from taskd.store.database import Database
from taskd.store.migrations import MIGRATIONS
from taskd.store.transaction import Transaction

PAGE, FRAME, WAL_HEADER = 4096, 4096 + 24, 32


@dataclass(frozen=True)
class Made:
    """Folders with a store each, as a daemon left it."""

    killed: Path  # with the last commits in its WAL only
    closed: Path
    older: Path  # the same store, closed, 20 commits ago
    other: Path  # another one, killed
    rows: list[str]  # of the first two


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    root = tmp_path_factory.mktemp("stores")
    begin(root / "older").close()
    shutil.copytree(root / "older", root / "closed")
    database = Database(root / "closed" / "taskd.db")
    for _ in range(20):
        commit(database)
    shutil.copytree(root / "closed", root / "killed")  # what was written is there after a kill -9
    rows = list(database.writer.iterdump())
    database.close()
    database = begin(root / "other")
    commit(database)
    shutil.copytree(root / "other", root / "left")
    database.close()
    return Made(root / "killed", root / "closed", root / "older", root / "left", rows)


def begin(folder: Path) -> Database:
    folder.mkdir()
    database = Database(folder / "taskd.db")
    commit(database, tasks=300)
    return database


def commit(database: Database, tasks: int = 1) -> None:
    tx = Transaction(database.writer)
    tx.begin(NOW)
    for number in range(tasks):
        tx.add(a_new_task(name=f"Copy {number:03}", key=f"{tx.version}-{number:03}" + 90 * "."))
    tx.flush()
    tx.commit()
    database.committed(tx.version)


class Store:
    """A copy of one of them, to be damaged."""

    def __init__(self, folder: Path, made: Made) -> None:
        self.folder = folder
        self.made = made
        self.file = folder / "taskd.db"
        self.wal = folder / "taskd.db-wal"
        self.index = folder / "taskd.db-shm"
        self.mark = folder / "taskd.mark"
        self.rows_before = made.rows

    def files(self) -> dict[str, object]:
        """All that is in the folder, by name."""
        return {path.name: _content(path) for path in self.folder.iterdir()}

    def rows(self) -> list[str]:
        """All that a daemon finds in it."""
        database = Database(self.file)
        try:
            return list(database.writer.iterdump())
        finally:
            database.close()

    def count(self) -> int:
        """Of its tasks."""
        return sum(row.startswith('INSERT INTO "tasks"') for row in self.rows())

    def overwrite(self, path: Path, position: int, content: bytes) -> None:
        with path.open("r+b") as file:
            file.seek(position)
            file.write(content)

    def cut(self, path: Path, size: int) -> None:
        os.truncate(path, size)

    def cut_wal(self, frames: int, bytes_more: int) -> None:
        """Keep so many frames of those that are used; below zero: all but so many."""
        salt, content = self.wal.read_bytes()[16:24], self.wal.read_bytes()
        starts = range(WAL_HEADER, len(content), FRAME)
        used = sum(content[start + 8 : start + 16] == salt for start in starts)
        self.cut(self.wal, WAL_HEADER + frames % used * FRAME + bytes_more)

    def damage_page_with(self, text: bytes) -> None:
        """One that is not in the WAL, too."""
        place = self.file.read_bytes().index(text)
        self.overwrite(self.file, place // PAGE * PAGE, garbage(PAGE))

    def change(self, statements: str) -> None:
        """By another program, which leaves no WAL."""
        with contextlib.closing(sqlite3.connect(self.file)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.executescript(statements)


def _content(path: Path) -> object:
    if path.is_symlink():
        return path.readlink()
    return path.read_bytes() if path.is_file() else path.lstat().st_mode


@pytest.fixture
def killed(tmp_path: Path, made: Made) -> Store:
    return Store(shutil.copytree(made.killed, tmp_path / "s"), made)


@pytest.fixture
def closed(tmp_path: Path, made: Made) -> Store:
    return Store(shutil.copytree(made.closed, tmp_path / "s"), made)


@pytest.fixture
def store(request: pytest.FixtureRequest) -> Store:
    """Either of them, by the name of its fixture."""
    found: Store = request.getfixturevalue(request.param)
    return found


# What can be done to a store


def garbage(size: int) -> bytes:
    return random.Random(7).randbytes(size)


def damage_header(store: Store) -> None:
    store.overwrite(store.file, 0, garbage(100))


def damage_page(store: Store) -> None:
    store.damage_page_with(b"Copy 010")


def damage_index(store: Store) -> None:
    store.damage_page_with(b"1-010....")


def forget_in_index(store: Store) -> None:
    """The file is well formed: only what the index has does not agree with the table."""
    store.change(
        "PRAGMA writable_schema = ON;"
        "UPDATE sqlite_schema SET sql = replace(sql, 'tasks(state)', 'tasks(label)')"
        " WHERE name = 'tasks_unfinished'"
    )


def cut_in_half(store: Store) -> None:
    store.cut(store.file, store.file.stat().st_size // 2 // PAGE * PAGE)


def cut_a_byte(store: Store) -> None:
    store.cut(store.file, store.file.stat().st_size - 1)


def fill_with_zeros(store: Store) -> None:
    store.file.write_bytes(bytes(store.file.stat().st_size))


def empty(store: Store) -> None:
    store.cut(store.file, 0)


def remove(store: Store) -> None:
    store.file.unlink()


def remove_all_but_the_wal(store: Store) -> None:
    for path in (store.file, store.index, store.mark):
        path.unlink()


def put_alien_database(store: Store) -> None:
    store.file.unlink()
    store.wal.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(store.file)) as connection:
        connection.executescript("CREATE TABLE recipes (name)")


def put_text(store: Store) -> None:
    store.file.write_bytes(b"a letter to the bank\n" * 500)


def put_folder(store: Store) -> None:
    store.file.unlink()
    store.file.mkdir()


def put_link(store: Store) -> None:
    store.file.rename(store.folder / "elsewhere.db")
    store.file.symlink_to("elsewhere.db")


def put_dangling_link(store: Store) -> None:
    store.file.unlink()
    store.file.symlink_to("nowhere.db")


def put_pipe(store: Store) -> None:
    store.file.unlink()
    os.mkfifo(store.file)


def put_older_copy(store: Store) -> None:
    shutil.copy(store.made.older / "taskd.db", store.file)
    store.wal.unlink(missing_ok=True)


def put_other_store(store: Store) -> None:
    for name in ("taskd.db", "taskd.db-wal", "taskd.db-shm"):
        shutil.copy(store.made.other / name, store.folder)


def put_other_wal(store: Store) -> None:
    shutil.copy(store.made.other / "taskd.db-wal", store.folder)


def remove_wal(store: Store) -> None:
    store.wal.unlink()


def overwrite_wal(store: Store) -> None:
    store.wal.write_bytes(garbage(store.wal.stat().st_size))


def put_folder_for_wal(store: Store) -> None:
    store.wal.unlink(missing_ok=True)
    store.wal.mkdir()


def damage_mark(store: Store) -> None:
    store.mark.write_bytes(garbage(512))


def empty_mark(store: Store) -> None:
    store.cut(store.mark, 0)


def put_other_mark(store: Store) -> None:
    shutil.copy(store.made.other / "taskd.mark", store.mark)


def make_newer(store: Store) -> None:
    store.change(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")


def drop_table(store: Store) -> None:
    store.change("DROP TABLE children")


def drop_column(store: Store) -> None:
    store.change("ALTER TABLE steps DROP COLUMN kept")


def drop_identity(store: Store) -> None:
    store.change("DELETE FROM meta")


def damage_index_of_wal(store: Store) -> None:
    store.index.write_bytes(garbage(store.index.stat().st_size))


def remove_index_of_wal(store: Store) -> None:
    store.index.unlink()


def empty_index_of_wal(store: Store) -> None:
    store.cut(store.index, 0)


def remove_mark(store: Store) -> None:
    store.mark.unlink()


def add_garbage(store: Store) -> None:
    with store.file.open("ab") as file:
        file.write(garbage(3 * PAGE + 17))


def touch(store: Store) -> None:
    store.file.touch()


AWAY, LOSS = "move it away", "taskd run --accept-loss"
Damage = Callable[[Store], None]


def on(names: str, *cases: Any, **only: str) -> Any:
    """A test of each case on both stores, or on the one that is named. Damage comes first."""
    return pytest.mark.parametrize(
        ("store", *names.split()),
        [
            pytest.param(kind, *case, id=f"{kind}-{case[0].__name__}")
            for case in cases
            for kind in ("killed", "closed")
            if only.get(case[0].__name__, kind) == kind
        ],
        indirect=["store"],
    )


DAMAGES = on(
    "damage reason remedy",
    (damage_header, "file is not a database", AWAY),
    (damage_page, "it is damaged: .*btreeInitPage", AWAY),
    (damage_index, "it is damaged: .*btreeInitPage", AWAY),
    (forget_in_index, "it is damaged: (row|wrong)", AWAY),
    (cut_in_half, "it is cut|malformed", AWAY),
    (cut_a_byte, "it is cut", AWAY),
    (fill_with_zeros, "file is not a database|malformed", AWAY),
    (empty, "it is empty", LOSS),
    (remove, "it is gone, after it held 21 commits", LOSS),
    (remove_all_but_the_wal, "it is gone, but for taskd.db-wal", LOSS),
    (put_alien_database, "it is not a store of taskd", AWAY),
    (put_text, "file is not a database|malformed", AWAY),
    (put_folder, "it is no plain file", AWAY),
    (put_link, "it is no plain file", AWAY),
    (put_dangling_link, "it is no plain file", AWAY),
    (put_pipe, "it is no plain file", AWAY),
    (put_older_copy, "its last 20 commits are missing", LOSS),
    (put_other_store, "it is another one than was here before", LOSS),
    (put_other_wal, "it is another one than was here before", LOSS),
    (remove_wal, "its last 20 commits are missing", LOSS),
    (overwrite_wal, "its last 20 commits are missing", LOSS),
    (put_folder_for_wal, "cannot read .*taskd.db-wal: Is a directory", AWAY),
    (damage_mark, "cannot read .*taskd.mark", LOSS),
    (empty_mark, "cannot read .*taskd.mark", LOSS),
    (put_other_mark, "it is another one than was here before", LOSS),
    (make_newer, "this taskd knows", "start the newer taskd"),
    (drop_table, "it has no index children_of", AWAY),
    (drop_column, "it has no table steps.kept", AWAY),
    (drop_identity, "it is another one than was here before", LOSS),
    damage_header="closed",  # in the WAL there is a better one
    cut_a_byte="closed",
    remove_all_but_the_wal="killed",
    remove_wal="killed",
    overwrite_wal="killed",
)


@DAMAGES
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


@DAMAGES
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
    (damage_index_of_wal,),
    (remove_index_of_wal,),
    (empty_index_of_wal,),
    (damage_header,),
    (cut_a_byte,),
    (remove_mark,),
    (add_garbage,),
    (touch,),
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


@on(
    "damage tasks",
    (remove_wal, 300),
    (overwrite_wal, 300),
    (put_older_copy, 300),
    (put_other_store, 301),
    (damage_mark, 320),
    (empty_mark, 320),
    (remove_mark, 320),
    (put_other_mark, 320),
    (empty, 0),
    (remove, 0),
    (remove_all_but_the_wal, 0),
    remove_wal="killed",
    overwrite_wal="killed",
    remove_all_but_the_wal="killed",
)
def test_accepted_loss_goes_on_with_what_is_there(store: Store, damage: Damage, tasks: int) -> None:
    damage(store)

    Database(store.file, accept_loss=True).close()

    assert store.count() == tasks
    assert find_problems(store.file) == []
    assert store.count() == tasks  # and is asked for once


@on(
    "damage",
    (damage_page,),
    (cut_in_half,),
    (put_alien_database,),
    (put_folder,),
    (make_newer,),
    (drop_table,),
)
def test_what_cannot_be_used_is_refused_whatever_loss_is_accepted(
    store: Store, damage: Damage
) -> None:
    damage(store)
    before = store.files()

    with pytest.raises(StoreError):
        Database(store.file, accept_loss=True)

    assert store.files() == before


def test_wal_of_a_lost_store_is_set_aside_and_not_taken_for_the_new_one(killed: Store) -> None:
    remove_all_but_the_wal(killed)
    wal = killed.wal.read_bytes()

    Database(killed.file, accept_loss=True).close()

    assert (killed.folder / "taskd.db-wal.old").read_bytes() == wal


def test_store_that_is_at_work_is_in_order(tmp_path: Path) -> None:
    database = begin(tmp_path / "s")

    found = []
    for _ in range(30):
        commit(database)
        found += find_problems(database.path)

    database.close()
    assert found == []


def test_missing_store_is_no_problem(tmp_path: Path) -> None:
    assert find_problems(tmp_path / "taskd.db") == []


def test_folder_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert "Not a directory" in find_problems(tmp_path / "file" / "taskd.db")[0]
