"""Logs beside records: taken out and put back byte by byte."""

import json
from pathlib import Path

import pytest

from taskd.logs.files import log_path
from taskd.logs.parts import PIECE, SHORT, parts, put, read_part, tails
from taskd.model.errors import InvalidInput

LINE = b"2026-11-25T03:50:00.123456Z stdout F \xff\xe2\x98\x83\n"


def write(root: Path, step: int, data: bytes) -> Path:
    path = Path(log_path(str(root), 42, step, "work"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def put_back(root: Path, source: Path) -> None:
    short, *lines = parts(str(source), 42)
    for name, text in json.loads(f"{{{short}}}").items():
        put(str(root), 42, name, 0, read_part(name, text))
    for line in map(json.loads, lines):
        put(str(root), 42, line["log"], line["at"], read_part(line["log"], line["text"]))


def test_logs_come_back_byte_by_byte(tmp_path: Path) -> None:
    logs = {2: LINE, 10: b"", 11: LINE * (SHORT // len(LINE)), 12: LINE * 2, 13: LINE * 70_000}
    for number, data in logs.items():
        write(tmp_path / "a", number, data)

    put_back(tmp_path / "b", tmp_path / "a")

    for number, data in logs.items():
        path = Path(log_path(str(tmp_path / "b"), 42, number, "work"))
        assert path.read_bytes() == data
        assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_short_logs_stand_in_the_record_in_the_order_of_steps(tmp_path: Path) -> None:
    write(tmp_path, 10, b"ten")
    write(tmp_path, 2, b"two")

    assert [*parts(str(tmp_path), 42)] == ['"2-work":"two","10-work":"ten"']


def test_long_log_follows_in_pieces(tmp_path: Path) -> None:
    write(tmp_path, 1, b"a" * (PIECE + 5))

    short, *lines = parts(str(tmp_path), 42)

    assert short == ""
    assert [json.loads(line)["at"] for line in lines] == [0, PIECE]
    assert json.loads(lines[1]) == {"id": 42, "log": "1-work", "at": PIECE, "text": "aaaaa"}


def test_task_without_logs_has_none(tmp_path: Path) -> None:
    assert [*parts(str(tmp_path), 42)] == [""]


def test_what_is_there_already_is_not_put_twice(tmp_path: Path) -> None:
    path = write(tmp_path, 1, b"abc")

    put(str(tmp_path), 42, "1-work", 0, b"ab")
    put(str(tmp_path), 42, "1-work", 0, b"abcd")
    put(str(tmp_path), 42, "1-work", 9, b"z")

    assert path.read_bytes() == b"abcd"


@pytest.mark.parametrize("name", ["../../x", "1-../x", "1-a/b", "x", "1-", "1-a\n", "", None, 7])
def test_name_that_leads_elsewhere_is_refused(name: object) -> None:
    with pytest.raises(InvalidInput, match="a log cannot be named"):
        read_part(name, "text")


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no text"):
        read_part("1-work", "\ud800")


def test_skipped_pieces_are_those_that_were_given(tmp_path: Path) -> None:
    write(tmp_path, 1, LINE * 70_000)
    write(tmp_path, 2, LINE * 70_000)
    _, *lines = parts(str(tmp_path), 42)

    for number in range(len(lines) + 1):
        _, *left = parts(str(tmp_path), 42, skip=number)
        assert left == lines[number:]


def test_tail_has_whole_lines(tmp_path: Path) -> None:
    write(tmp_path, 1, b"first\nsecond\nthird\n")
    write(tmp_path, 2, b"short\n")

    assert tails(str(tmp_path), 42, 10) == '"1-work":"third\\n","2-work":"short\\n"'


def test_symlink_is_not_followed(tmp_path: Path) -> None:
    path = write(tmp_path, 1, b"")
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match="symbolic"):
        put(str(tmp_path), 42, "1-work", 0, b"text")
