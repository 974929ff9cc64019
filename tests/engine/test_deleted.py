"""Files of what was deleted: private, whole whatever happens, and not for ever."""

import csv
import errno
import gzip
import os
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from builders import NOW

from taskd.cleaning import Backup
from taskd.engine.deleted import Keeper, mend, rotate
from taskd.model.errors import TaskdError

COLUMNS = ("id", "name")
NAME = "cleanup-20240501T120000Z"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def keep(folder: Path, *batches: list[str], close: bool = True) -> Keeper:
    keeper = Keeper(folder, COLUMNS, NOW)
    for lines in batches:
        with keeper.keeping() as given:
            given(lines, [[number, line] for number, line in enumerate(lines)])
    if close:
        keeper.close()
    return keeper


def lines_of(path: Path) -> list[str]:
    with gzip.open(path, "rt") as file:
        return file.read().splitlines()


def test_batches_are_in_one_file_of_records_and_one_for_people(folder: Path) -> None:
    keeper = keep(folder, ["a", "b"], ["c"])

    assert keeper.path == folder / f"{NAME}.jsonl.gz"
    assert lines_of(keeper.path) == ["a", "b", "c"]
    with (folder / f"{NAME}.csv").open() as file:
        assert list(csv.reader(file)) == [["id", "name"], ["0", "a"], ["1", "b"], ["0", "c"]]


def test_files_are_private(folder: Path) -> None:
    keep(folder, ["a"])

    modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())]
    assert modes == [0o700, 0o600, 0o600]


def test_nothing_kept_is_no_file(folder: Path) -> None:
    assert keep(folder).path is None
    assert not folder.exists()


def test_first_batch_that_cannot_be_kept_leaves_no_file(folder: Path) -> None:
    keeper = Keeper(folder, COLUMNS, NOW)

    def lines() -> Iterator[str]:
        yield "a"
        raise OSError(errno.ENOSPC, "no space left")

    with pytest.raises(TaskdError, match="it was not deleted"), keeper.keeping() as given:
        given(lines(), [])
    keeper.close()

    assert keeper.path is None
    assert list(folder.iterdir()) == []


def test_cleanups_of_one_second_have_files_of_their_own(folder: Path) -> None:
    first, second = keep(folder, ["a"]), keep(folder, ["b"])

    assert first.path
    assert second.path == folder / f"{NAME}-2.jsonl.gz"
    assert (lines_of(first.path), lines_of(second.path)) == (["a"], ["b"])


def test_names_are_no_formulas_and_no_escape_sequences(folder: Path) -> None:
    keep(folder, ["=cmd|' /C calc'!A0", "\x1b[2J\nx"])

    text = (folder / f"{NAME}.csv").read_text()
    assert text.splitlines()[1:] == ["0,'=cmd|' /C calc'!A0", "1,\\x1b[2J\\x0ax"]


def test_link_that_lies_there_is_not_followed(folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    (folder / f"{NAME}.jsonl.gz.part").symlink_to(tmp_path / "other")

    keeper = keep(folder, ["a"])

    assert keeper.path == folder / f"{NAME}-2.jsonl.gz"
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("cut", [0, 1, 5, 30])
def test_what_was_written_in_part_is_taken_away_again(folder: Path, cut: int) -> None:
    keep(folder, ["a", "b"], close=False)
    records, table = folder / f"{NAME}.jsonl.gz", folder / f"{NAME}.csv"
    torn = gzip.compress(b"c\nd\n")[:cut]
    with Path(f"{records}.part").open("ab") as file:
        file.write(torn)
    with Path(f"{table}.part").open("a") as file:
        file.write("2,c"[:cut])

    mend(folder)

    assert lines_of(records) == (["a", "b", "c", "d"] if cut == 30 else ["a", "b"])
    assert table.read_text().splitlines() == ["id,name", "0,a", "1,b"]


def test_file_in_which_nothing_is_whole_is_removed(folder: Path) -> None:
    folder.mkdir()
    (folder / f"{NAME}.jsonl.gz.part").write_bytes(gzip.compress(b"a\n")[:9])
    (folder / f"{NAME}.csv.part").write_text("id,na")

    mend(folder)

    assert list(folder.iterdir()) == []


def test_full_disk_leaves_the_batches_before(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = keep(folder, ["a"], close=False)
    write = os.write

    def fail(file: int, data: bytes) -> int:
        if len(data) > 20:
            write(file, data[:5])
            raise OSError(errno.ENOSPC, "no space left on device")
        return write(file, data)

    monkeypatch.setattr(os, "write", fail)
    full = pytest.raises(TaskdError, match="no space left on device; it was not deleted")
    with full as caught, keeper.keeping() as given:
        given([os.urandom(1000).hex()], [])
    monkeypatch.undo()
    keeper.close()

    assert keeper.path
    assert lines_of(keeper.path) == ["a"]
    assert "--no-backup" in caught.value.hint


def old(folder: Path, name: str, days: float, size: int) -> None:
    folder.mkdir(exist_ok=True)
    for ending, share in (("jsonl.gz", 0.8), ("csv", 0.2)):
        path = folder / f"cleanup-{name}.{ending}"
        path.write_bytes(b"x" * int(size * share))
        time = (NOW - timedelta(days=days)).timestamp()
        os.utime(path, (time, time))


def left(folder: Path) -> set[str]:
    return {path.name.partition(".")[0].removeprefix("cleanup-") for path in folder.iterdir()}


def test_what_is_old_goes_but_for_the_newest(folder: Path) -> None:
    for name, days in (("a", 300), ("b", 91), ("c", 89)):
        old(folder, name, days, 100)

    rotate(folder, Backup(), NOW)
    assert left(folder) == {"c"}

    rotate(folder, Backup(keep=timedelta(days=1)), NOW)
    assert left(folder) == {"c"}


def test_oldest_go_where_there_is_too_much(folder: Path) -> None:
    for days, name in enumerate("dcba"):
        old(folder, name, days, 100)

    rotate(folder, Backup(max_size=250), NOW)
    assert left(folder) == {"c", "d"}

    rotate(folder, Backup(max_size=0), NOW)
    assert left(folder) == {"d"}


def test_other_files_stay(folder: Path) -> None:
    old(folder, "a", 300, 100)
    old(folder, "b", 0, 100)
    (folder / "mine.jsonl.gz").touch()

    rotate(folder, Backup(), NOW)

    assert left(folder) == {"b", "mine"}


@pytest.mark.parametrize("name", ["cleanup-mine.jsonl.gz", "cleanup-mine.jsonl.gz.part"])
def test_folders_and_links_that_are_named_so_stay(folder: Path, name: str, tmp_path: Path) -> None:
    old(folder, "a", 0, 100)
    (folder / name).mkdir()
    (tmp_path / "other").write_text("precious")
    (folder / f"{name}.part").symlink_to(tmp_path / "other")

    mend(folder)
    rotate(folder, Backup(keep=timedelta(0)), NOW)

    assert left(folder) == {"a", "mine"}
    assert (tmp_path / "other").read_text() == "precious"
