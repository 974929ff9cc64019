"""What a host has begun, as its record says it to a daemon that takes it up."""

from pathlib import Path

import pytest

from taskd.executors import record
from taskd.executors.record import Record


@pytest.fixture
def path(tmp_path: Path) -> Path:
    record.make(tmp_path / "state")
    return tmp_path / "state"


def test_host_that_has_begun_nothing_has_begun_nothing(path: Path) -> None:
    assert record.close(path) == []
    assert record.close(path) == []  # also when it was closed already


def test_call_at_hand_comes_before_those_that_are_not_settled(path: Path) -> None:
    assert Record(str(path)).begin(17, [16, 15])

    assert record.close(path) == [17, 16, 15]


def test_no_call_begins_once_it_is_closed(path: Path) -> None:
    host = Record(str(path))
    record.close(path)

    assert not host.begin(17, [])
    assert record.close(path) == []


def test_folder_without_a_record_has_begun_nothing(tmp_path: Path) -> None:
    assert record.close(tmp_path / "state") == []


@pytest.mark.parametrize(
    "text", ["", "\n", "42\n", "x 5\n", "hello\n", "o\n", "o17", "o17 a\n", "\0" * 99]
)
def test_what_is_written_otherwise_tells_nothing(path: Path, text: str) -> None:
    path.write_text(text)

    assert record.close(path) is None
