"""Pages of the logs of a task."""

import os
from datetime import UTC, datetime
from pathlib import Path

from taskd.logs.files import drop, find_old, log_path
from taskd.logs.reader import LogFile, read
from taskd.model.log import LogPage


def a_log(folder: Path, number: int, seconds: range, text: str = "") -> LogFile:
    """A log with one line a second of one hour."""
    path = folder / f"{number}.log"
    stamps = [datetime(2026, 11, 25, 3, s // 60 % 60, s % 60, tzinfo=UTC) for s in seconds]
    lines = [f"{at:%Y-%m-%dT%H:%M:%S}.000000Z stdout F {number}.{s}{text}\n"
             for at, s in zip(stamps, seconds, strict=True)]  # fmt: skip
    path.write_text("".join(lines))
    return number, f"step{number}", path


def texts(page: LogPage) -> list[str]:
    return [line.text for line in page.lines]


def test_steps_side_by_side_are_in_the_order_of_time(tmp_path: Path) -> None:
    files = [a_log(tmp_path, 1, range(0, 4, 2)), a_log(tmp_path, 2, range(1, 4, 2))]

    page = read(files, finished=True)

    assert texts(page) == ["1.0", "2.1", "1.2", "2.3"]
    assert [line.step for line in page.lines] == ["step1", "step2", "step1", "step2"]
    assert page.ended


def test_pages_join_without_gap_or_overlap(tmp_path: Path) -> None:
    files = [a_log(tmp_path, 1, range(50)), a_log(tmp_path, 2, range(50, 100))]
    page = read(files, finished=True, max_bytes=1000)
    found = texts(page)

    while not page.ended:
        page = read(files, page.position, finished=True, max_bytes=1000)
        found += texts(page)

    assert found == [f"{1 + s // 50}.{s}" for s in range(100)]


def test_line_that_is_being_written_waits_for_its_end(tmp_path: Path) -> None:
    files = [a_log(tmp_path, 1, range(1))]
    with files[0][2].open("a") as file:
        file.write("2026-11-25T03:00:01.000000Z stdout F hal")
    page = read(files)
    with files[0][2].open("a") as file:
        file.write("f\n")

    rest = read(files, page.position)

    assert (texts(page), texts(rest)) == (["1.0"], ["half"])
    assert not page.ended


def test_tail_is_of_all_steps_and_reading_goes_on_behind_it(tmp_path: Path) -> None:
    files = [a_log(tmp_path, 1, range(3000), "x" * 50), a_log(tmp_path, 2, range(3000, 3002))]

    page = read(files, tail=3)

    assert texts(page) == ["1.2999" + "x" * 50, "2.3000", "2.3001"]
    assert texts(read(files, page.position)) == []
    assert texts(read(files, tail=0)) == []


def test_since_begins_in_the_middle_of_a_long_log(tmp_path: Path) -> None:
    files = [a_log(tmp_path, 1, range(3600), "x" * 50)]
    since = datetime(2026, 11, 25, 3, 59, 58, tzinfo=UTC)

    assert texts(read(files, since=since)) == ["1.3598" + "x" * 50, "1.3599" + "x" * 50]
    assert texts(read(files, since=since, tail=10)) == texts(read(files, since=since))


def test_bytes_that_are_no_text_and_damaged_lines_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"2026-11-25T03:00:00.000000Z stderr P \xff\x00\nrubbish\n")

    line, damaged = read([(1, "dump", path)]).lines

    assert (line.text, line.stream, line.partial) == ("\\xff\0", "stderr", True)
    assert (damaged.text, damaged.stream) == ("rubbish", "taskd")


def test_step_without_a_log_is_passed_over(tmp_path: Path) -> None:
    assert read([(1, "dump", tmp_path / "none")], finished=True) == LogPage([], {}, ended=True)


def test_logs_of_a_task_are_dropped_together(tmp_path: Path) -> None:
    mine, other = (
        Path(log_path(str(tmp_path), 42001, 2, "archive")),
        Path(log_path(str(tmp_path), 42002, 1, "dump")),
    )
    for path in (mine, other):
        path.parent.mkdir(parents=True)
        path.touch()

    drop(str(tmp_path), [42001])

    assert mine == tmp_path / "42" / "42001" / "2-archive.log"
    assert not mine.parent.exists()
    assert other.exists()


def test_logs_that_nobody_has_touched_for_long_are_found(tmp_path: Path) -> None:
    for task_id in (7, 42001, 42002):
        Path(log_path(str(tmp_path), task_id, 1, "run")).parent.mkdir(parents=True)
    for name in ("0", "0/7", "42/42001"):
        os.utime(tmp_path / name, (1000, 1000))

    assert sorted(find_old(str(tmp_path), 2000)) == [[7], [42001]]

    drop(str(tmp_path), [7])
    os.utime(tmp_path / "0", (1000, 1000))
    assert sorted(find_old(str(tmp_path), 2000)) == [[], [42001]]
    assert not (tmp_path / "0").exists()
