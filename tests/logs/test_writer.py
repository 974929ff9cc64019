"""What is written of what a step prints."""

from pathlib import Path

import pytest

from taskd.logs.format import PART
from taskd.logs.mask import Mask
from taskd.logs.writer import LogWriter


def lines(path: Path) -> list[str]:
    return [line.partition(" ")[2] for line in path.read_text().splitlines()]


def test_streams_are_kept_apart_and_lines_whole(tmp_path: Path) -> None:
    log = LogWriter(str(tmp_path / "log"), 1 << 20)

    log.write("stdout", b"one\ntw")
    log.write("stderr", b"bad\n")
    log.write("stdout", b"o\n\nend")
    log.close()

    assert lines(tmp_path / "log") == [
        "stdout F one", "stderr F bad", "stdout F two", "stdout F ", "stdout F end",
    ]  # fmt: skip


@pytest.mark.parametrize("end", ["\n", ""])
def test_long_line_comes_in_parts_that_split_no_character(tmp_path: Path, end: str) -> None:
    log = LogWriter(str(tmp_path / "log"), 1 << 20)
    text = "x" + "€" * PART

    log.write("stdout", (text + end).encode())
    log.close()

    parts = [line.split(" ", 2) for line in lines(tmp_path / "log")]
    assert [tag for _, tag, _ in parts] == ["P", "P", "P", "F"]
    assert "".join(part for _, _, part in parts) == text


def test_log_of_an_earlier_attempt_counts_for_the_limit(tmp_path: Path) -> None:
    for _ in range(2):
        log = LogWriter(str(tmp_path / "log"), 100)
        log.write("stdout", b"0123456789\n" * 2)
        log.close()

    assert lines(tmp_path / "log") == [
        "stdout F 0123456789",
        "stdout F 0123456789",
        "taskd F … output cut: 22 bytes more (log_limit 100 bytes)",
    ]


def test_torn_line_of_an_attempt_that_was_killed_spoils_no_other(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"2026-11-25T03:50:00.123456Z stdout F hal")

    log = LogWriter(str(tmp_path / "log"), 1 << 20)
    log.write("stdout", b"next\n")
    log.close()

    assert lines(tmp_path / "log") == ["stdout F hal", "stdout F next"]


def test_log_that_cannot_be_opened_is_said_and_counted(tmp_path: Path) -> None:
    log = LogWriter(str(tmp_path / "no" / "log"), 100)

    log.write("stdout", b"hello\n")
    log.close()

    assert log.error == "no such file or directory"
    assert log.lost >= 6


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_secret_is_masked_wherever_the_chunks_break(size: int) -> None:
    mask = Mask(("hunter2", "hunter2222", "xhun", "line\nline"))
    text = b"a hunter2 b hunter2222 c xhunter2 d hunt line\nline hunter2"

    chunks = [text[start : start + size] for start in range(0, len(text), size)]
    masked = b"".join(map(mask.feed, chunks)) + mask.end()

    assert masked.decode() == "a ••• b ••• c •••ter2 d hunt ••• •••"


def test_only_what_may_be_a_secret_is_kept_back() -> None:
    mask = Mask(("hunter2",))

    assert mask.feed(b"done\n") == b"done\n"
    assert mask.feed(b"hunt") == b""
    assert mask.feed(b"ing\n") == b"hunting\n"


def test_secret_is_masked_in_json_too() -> None:
    mask = Mask(('pass"wörd',))

    assert mask.feed(rb'{"a": "pass\"w\u00f6rd"}').decode() == '{"a": "•••"}'
