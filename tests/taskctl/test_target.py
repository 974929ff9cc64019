"""A file or folder that is there when it is whole, and never in the place of another one."""

import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from taskctl.target import check_place, new_file, new_folder, new_name
from taskd.model.errors import InvalidInput, TaskdError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file grows beyond a few bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_file_is_private_and_there_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"

    with new_file(str(path), force=False) as file:
        file.write(b"all of it")
        assert not path.exists()

    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"all of it", 0o600)
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_is_left_of_what_was_broken_off(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), new_file(str(tmp_path / "a"), force=False):
        raise error
    with pytest.raises(error), new_folder(str(tmp_path / "b"), force=False):
        raise error

    assert names(tmp_path) == []


@pytest.mark.parametrize("make", [new_file, new_folder])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_nothing_is_left_by_a_signal_that_ends_it(
    tmp_path: Path, make: Callable[..., AbstractContextManager[object]], number: signal.Signals
) -> None:
    with pytest.raises(SystemExit) as left, make(str(tmp_path / "a"), force=False):
        signal.raise_signal(number)

    assert left.value.code == 128 + number
    assert names(tmp_path) == []
    assert signal.getsignal(number) is signal.SIG_DFL


def test_signal_that_is_ignored_ends_nothing(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as by nohup
    try:
        with new_file(str(tmp_path / "a"), force=False):
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)

    assert names(tmp_path) == ["a"]


@pytest.mark.usefixtures("small_files")
def test_nothing_is_left_where_there_is_no_room(tmp_path: Path) -> None:
    path = tmp_path / "a"

    with pytest.raises(TaskdError) as told, new_file(str(path), force=False) as file:
        file.write(b"more than there is room for")

    assert told.value.message == f"cannot write {path}: file too large"
    assert names(tmp_path) == []


def test_missing_folder_is_told(tmp_path: Path) -> None:
    path = tmp_path / "none" / "a"

    with pytest.raises(TaskdError) as told, new_file(str(path), force=True):
        pass

    assert told.value.message == f"cannot write {path}: no such file or directory"


MADE_BY_US = '<meta name="generator" content="taskctl export">'


def put(path: Path, kind: str) -> None:
    match kind:
        case "file":
            path.write_text("mine")
        case "link":
            path.with_name("target").write_text("mine")
            path.symlink_to("target")
        case "dangling link":
            path.symlink_to("nowhere")
        case "fifo":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
            (path / "file").write_text("mine")


REPLACED = ("file", "link", "dangling link")
KINDS = (*REPLACED, "fifo", "folder")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("new", [new_file, new_folder])
def test_what_is_there_stays(tmp_path: Path, kind: str, new: type) -> None:
    put(tmp_path / "a", kind)
    before = names(tmp_path), (tmp_path / "a").lstat()

    with (
        pytest.raises(InvalidInput, match="it is there already"),
        new(str(tmp_path / "a"), force=False),
    ):
        pytest.fail("it was to be written")

    assert (names(tmp_path), (tmp_path / "a").lstat()) == before


@pytest.mark.parametrize("kind", REPLACED)
def test_forced_file_takes_the_place_of_a_name_and_follows_no_link(
    tmp_path: Path, kind: str
) -> None:
    put(tmp_path / "a", kind)

    with new_file(str(tmp_path / "a"), force=True) as file:
        file.write(b"new")

    assert (tmp_path / "a").read_bytes() == b"new"
    assert not (tmp_path / "a").is_symlink()
    assert not (tmp_path / "nowhere").exists()
    assert kind != "link" or (tmp_path / "target").read_text() == "mine"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in REPLACED])
def test_forced_file_takes_no_place_but_that_of_a_file(tmp_path: Path, kind: str) -> None:
    put(tmp_path / "a", kind)
    before = names(tmp_path), (tmp_path / "a").lstat()

    with pytest.raises(InvalidInput), new_file(str(tmp_path / "a"), force=True):
        pytest.fail("it was to be written")

    assert (names(tmp_path), (tmp_path / "a").lstat()) == before


def test_nothing_is_written_among_the_files_of_the_daemon(tmp_path: Path) -> None:
    (tmp_path / "way").symlink_to(tmp_path)
    for name in ("taskd.db", "backups/a", "way/taskd.sock"):
        with pytest.raises(InvalidInput, match="state directory"):
            check_place(str(tmp_path / name), str(tmp_path))

    check_place(f"{tmp_path}-beside/a", str(tmp_path))


def test_file_that_appears_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "a"

    with pytest.raises(TaskdError, match="exists"), new_file(str(path), force=False):
        path.write_text("mine")

    assert path.read_text() == "mine"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("kind", KINDS)
def test_forced_folder_takes_no_place_but_that_of_pages(tmp_path: Path, kind: str) -> None:
    put(tmp_path / "a", kind)
    before = names(tmp_path), (tmp_path / "a").lstat()

    with pytest.raises(InvalidInput), new_folder(str(tmp_path / "a"), force=True):
        pytest.fail("it was to be written")

    assert (names(tmp_path), (tmp_path / "a").lstat()) == before


def test_forced_folder_takes_the_place_of_pages(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for text in ("old", "new"):
        with new_folder(str(path), force=True) as part:
            Path(part, "index.html").write_text(f"{MADE_BY_US}{text}")
            Path(part, "tasks").mkdir()

    assert Path(path, "index.html").read_text() == f"{MADE_BY_US}new"
    assert path.stat().st_mode & 0o777 == 0o700
    assert names(tmp_path) == ["a"]


def test_pages_that_are_not_ours_stay(tmp_path: Path) -> None:
    (tmp_path / "a" / "tasks").mkdir(parents=True)
    (tmp_path / "a" / "index.html").write_text("mine")

    with pytest.raises(InvalidInput), new_folder(str(tmp_path / "a"), force=True):
        pytest.fail("it was to be written")

    assert (tmp_path / "a" / "index.html").read_text() == "mine"


def test_default_name_is_new_each_time() -> None:
    assert len({new_name(".csv") for _ in range(100)}) == 100
    assert new_name(".csv").endswith(".csv")
