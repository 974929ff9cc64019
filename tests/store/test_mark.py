"""The high-water mark: what it says of the store, and when."""

import os
from pathlib import Path

import pytest

from taskd.model.errors import StoreError
from taskd.store import mark
from taskd.store.database import Database
from taskd.store.mark import Keeper, Mark


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "taskd.db"
    path.write_bytes(b"what the store holds")
    return path


def test_mark_of_a_new_store_is_there_before_its_first_commit(tmp_path: Path) -> None:
    database = Database(tmp_path / "taskd.db")

    found = mark.read(database.path)

    assert found
    assert (found.version, found.closed) == (0, None)
    database.close()


def test_mark_tells_of_the_last_commit_that_was_noted(store: Path) -> None:
    keeper = Keeper(store, "abc", 7)

    found = [mark.read(store)]
    for version in (8, 12):
        keeper.note(version)
        found.append(mark.read(store))

    assert found == [Mark("abc", version) for version in (7, 8, 12)]
    keeper.close()


def test_mark_of_a_closed_store_knows_its_file(store: Path) -> None:
    Keeper(store, "abc", 7).close()

    found = mark.read(store)

    assert found
    assert found.closed == mark.state_of(store)
    store.write_bytes(b"something else")
    assert found.closed != mark.state_of(store)


def test_store_that_was_not_closed_in_order_is_not_called_closed(store: Path) -> None:
    Keeper(store, "abc", 7).close(in_order=False)

    assert mark.read(store) == Mark("abc", 7)


def test_opened_store_is_not_called_closed_any_more(store: Path) -> None:
    Keeper(store, "abc", 7).close()

    keeper = Keeper(store, "abc", 7)

    assert mark.read(store) == Mark("abc", 7)
    keeper.close()


def test_mark_is_private_and_keeps_its_size(store: Path) -> None:
    keeper = Keeper(store, "abc", 7)
    sizes = [mark.path_of(store).stat().st_size]

    keeper.note(10**15)
    sizes.append(mark.path_of(store).stat().st_size)

    assert sizes == [512, 512]
    assert mark.path_of(store).stat().st_mode & 0o777 == 0o600
    keeper.close()


@pytest.mark.parametrize("size", [0, 10, 512, 5000])
def test_what_was_there_instead_is_overwritten(store: Path, size: int) -> None:
    mark.path_of(store).write_bytes(os.urandom(size))

    Keeper(store, "abc", 7).close(in_order=False)

    assert mark.read(store) == Mark("abc", 7)


def test_missing_mark_expects_nothing(store: Path) -> None:
    assert mark.read(store) is None


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\0" * 512,
        b"null",
        b"[]",
        b'{"store": "abc"}',
        b'{"store": "abc", "version": "many", "closed": null}',
        b'{"store": "abc", "version": Infinity, "closed": null}',
        b'{"store": "abc", "version": 1, "closed": 5}',
        b"\xff\xfe",
    ],
)
def test_mark_that_cannot_be_read_is_no_mark_but_an_error(store: Path, text: bytes) -> None:
    mark.path_of(store).write_bytes(text)

    with pytest.raises(StoreError, match=r"cannot read .*taskd.mark") as refusal:
        mark.read(store)

    assert "--accept-loss" in refusal.value.hint
    assert mark.path_of(store).read_bytes() == text


def test_folder_in_place_of_the_mark_is_an_error(store: Path) -> None:
    mark.path_of(store).mkdir()

    with pytest.raises(StoreError):
        mark.read(store)
