"""Which starts count as deaths, by what is left in the file of notes."""

import time
from pathlib import Path

import pytest

from taskd.engine.safe_mode import Starts, noted
from taskd.model.errors import StoreError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "starts"


def deaths(file: Path, count: int, seconds_ago: float = 10) -> None:
    file.write_text(f"{time.time() - seconds_ago:.3f}\n" * count)


def count(file: Path) -> int:
    return len(file.read_text().splitlines())


@pytest.mark.parametrize(("died", "safe"), [(4, False), (5, True), (600, True)])
def test_five_deaths_are_enough(file: Path, died: int, safe: bool) -> None:
    deaths(file, died)

    assert ("safe mode" in Starts(file).reason) is safe


@pytest.mark.parametrize("seconds_ago", [301, -60])
def test_deaths_long_ago_or_of_a_clock_that_was_ahead_are_forgotten(
    file: Path, seconds_ago: float
) -> None:
    deaths(file, 5, seconds_ago)

    assert Starts(file).reason == ""
    assert count(file) == 1


def test_note_is_taken_back_alone(file: Path) -> None:
    deaths(file, 4)
    starts = Starts(file)
    before = count(file)

    starts.take_back()

    assert (before, count(file)) == (5, 4)


def test_orderly_end_clears_all_notes(file: Path) -> None:
    deaths(file, 5)

    with noted(file):
        before = count(file)

    assert (before, count(file)) == (6, 0)


@pytest.mark.parametrize(("error", "left"), [(StoreError("refused"), 4), (OSError("died"), 5)])
def test_refusal_to_start_is_no_death(file: Path, error: Exception, left: int) -> None:
    deaths(file, 4)

    with pytest.raises(type(error)), noted(file):
        raise error

    assert count(file) == left


@pytest.mark.parametrize("content", [b"x\n" * 5, b"\xff\0", b"nan\ninf\n-inf\n1e999\n" * 5])
def test_damaged_file_is_as_if_empty(file: Path, content: bytes) -> None:
    file.write_bytes(content)

    assert Starts(file).reason == ""
    assert count(file) == 1


def test_file_that_cannot_be_used_is_told_in_the_log(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.mkdir()

    with noted(file) as starts:
        assert starts.reason == ""

    assert f"cannot read {file}" in caplog.text
    assert f"cannot write {file}" in caplog.text
