"""Stores that were damaged, cut, emptied or exchanged, and what there is to say of each."""

import contextlib
import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from builders import NOW, a_new_task

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


def make(root: Path) -> Made:
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


def cut_wal(store: Store) -> None:
    store.cut_wal(-3, 10)


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


# Each with the reason that is told, and the remedy.
REFUSED = (
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
    (cut_wal, r"its last \d commits are missing", LOSS),
    (put_folder_for_wal, "cannot read .*taskd.db-wal: Is a directory", AWAY),
    (damage_mark, "cannot read .*taskd.mark", LOSS),
    (empty_mark, "cannot read .*taskd.mark", LOSS),
    (put_other_mark, "it is another one than was here before", LOSS),
    (make_newer, "this taskd knows", "start the newer taskd"),
    (drop_table, "it has no index children_of", AWAY),
    (drop_column, "it has no table steps.kept", AWAY),
    (drop_identity, "it is another one than was here before", LOSS),
)
# Whatever loss is accepted.
UNUSABLE = (
    (damage_page,),
    (cut_in_half,),
    (put_alien_database,),
    (put_folder,),
    (make_newer,),
    (drop_table,),
)
# Each with the number of tasks that are left when that is accepted.
LOSSES = (
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
)
ONLY = {
    "damage_header": "closed",  # in the WAL there is a better one
    "cut_a_byte": "closed",
    "remove_all_but_the_wal": "killed",
    "remove_wal": "killed",
    "overwrite_wal": "killed",
    "cut_wal": "killed",
}


def on(names: str, *cases: Any, often: Sequence[Damage] | None = None, **only: str) -> Any:
    """A test of each case on both stores, or on the one that is named. Damage comes first.

    Where some are to be tested `often`, the others are only by `make faults`.
    """
    return pytest.mark.parametrize(
        ("store", *names.split()),
        [
            pytest.param(
                kind,
                *case,
                id=f"{kind}-{case[0].__name__}",
                marks=[] if often is None or case[0] in often else pytest.mark.long,
            )
            for case in cases
            for kind in ("killed", "closed")
            if only.get(case[0].__name__, kind) == kind
        ],
        indirect=["store"],
    )
