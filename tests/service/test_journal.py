"""Lines for the journal, where it reads them, and for people elsewhere."""

import logging
import os
import re
import signal

import pytest
from managed import Manager

from taskd.service import journal


@pytest.mark.parametrize(
    ("level", "mark"),
    [
        (logging.DEBUG, "<7>"),
        (logging.INFO, "<6>"),
        (logging.WARNING, "<4>"),
        (logging.ERROR, "<3>"),
        (logging.CRITICAL, "<2>"),
    ],
)
def test_each_line_has_the_priority_of_its_record(level: int, mark: str) -> None:
    record = logging.LogRecord("taskd", level, "", 0, "one %s\nthree", ("two",), None)

    assert journal.Formatter().format(record) == f"{mark}one two\n{mark}three"


def test_descriptor_is_known_by_device_and_inode() -> None:
    reader, writer = os.pipe()
    found = os.fstat(writer)
    stream = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}

    assert journal.reads(writer, stream)
    assert not journal.reads(2, stream)
    os.close(reader)
    os.close(writer)
    assert not journal.reads(writer, stream)


def test_daemon_writes_for_the_journal_where_it_reads(manager: Manager) -> None:
    reader, writer = os.pipe()
    found = os.fstat(writer)
    process = manager.start(stderr=writer, JOURNAL_STREAM=f"{found.st_dev}:{found.st_ino}")
    os.close(writer)
    manager.hear("READY")
    process.send_signal(signal.SIGTERM)

    with open(reader) as said:
        lines = said.read().splitlines()

    assert f"<6>taskd (pid {process.pid}) answers at {manager.path}" in lines
    assert all(re.match("<[2-7]>", line) for line in lines)


def test_reason_of_a_refusal_is_an_error_for_the_journal(manager: Manager) -> None:
    (manager.folder / "taskd.db").write_text("no store " * 100)
    reader, writer = os.pipe()
    found = os.fstat(writer)
    manager.start(stderr=writer, JOURNAL_STREAM=f"{found.st_dev}:{found.st_ino}")
    os.close(writer)

    with open(reader) as said:
        lines = said.read().splitlines()

    assert f"<3>taskd: cannot use {manager.folder / 'taskd.db'}: file is not a database" in lines


def test_lines_for_people_have_a_time_and_no_priority(manager: Manager) -> None:
    process = manager.start(JOURNAL_STREAM="1:1")
    manager.hear("READY")
    process.send_signal(signal.SIGTERM)

    _, said = process.communicate(timeout=30)

    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", line) for line in said.splitlines())
