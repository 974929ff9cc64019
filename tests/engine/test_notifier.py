"""Notices: their programs have some time, and what is too much of them is dropped."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import a_task
from real_daemon import eventually, gone
from stage import Stage

from taskd.engine.delivery import Undelivered, deliver
from taskd.engine.notice import Notice
from taskd.engine.notifier import MAX_WAITING
from taskd.model.record import replace
from taskd.model.task import State
from taskd.notifications import Rule


@pytest.fixture
def stop() -> Iterator[int]:
    """What nobody writes to."""
    descriptor = os.eventfd(0)
    yield descriptor
    os.close(descriptor)


def a_notice(line: str, text: bytes = b"", seconds: float = 20.0) -> Notice:
    return Notice(("/bin/sh", "-c", line), text, {"PATH": os.environ["PATH"]}, seconds)


def a_rule(line: str, *events: str) -> Rule:
    return Rule(frozenset(events), "command", line, "taskd.yaml:2")


def lines_of(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def test_program_reads_the_text_however_long_it_is(tmp_path: Path, stop: int) -> None:
    text = os.urandom(1 << 20)

    deliver(a_notice(f"cat >{tmp_path}/told", text), stop)
    deliver(a_notice("true", text), stop)

    assert (tmp_path / "told").read_bytes() == text


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("exit 3", "exit status 3"),
        ("echo; echo 'no mail'; echo 'no such user' >&2; echo more >&2; exit 3", "no such user"),
        ("printf 'a\\033[31m b' >&2; exit 1", "exit status 1: a [31m b"),
        ("yes >&2 & sleep 0.1; kill $!; exit 4", "exit status 4: y"),
        ("kill -9 $$", "killed by signal 9"),
    ],
)
def test_failure_is_told_in_a_line(stop: int, line: str, reason: str) -> None:
    with pytest.raises(Undelivered, match=re.escape(reason)) as caught:
        deliver(a_notice(line), stop)

    assert str(caught.value).isprintable()


def test_program_that_is_not_there_is_told(stop: int) -> None:
    with pytest.raises(Undelivered, match="cannot run sendmail: No such file"):
        deliver(Notice(("sendmail", "-t"), b"", {"PATH": "/nowhere"}, 1.0), stop)


def test_what_takes_too_long_is_killed_with_what_it_has_started(tmp_path: Path, stop: int) -> None:
    line = f"sleep 1000 & echo $! >{tmp_path}/pid; wait"

    with pytest.raises(Undelivered, match="it took longer than 0"):
        deliver(a_notice(line, seconds=0.3), stop)

    assert eventually(lambda: gone(int((tmp_path / "pid").read_text())))


def test_what_it_leaves_in_the_background_holds_nobody_up(tmp_path: Path, stop: int) -> None:
    deliver(a_notice(f"sleep 1000 & echo $! >{tmp_path}/pid"), stop)

    pid = int((tmp_path / "pid").read_text())
    assert not gone(pid)
    os.kill(pid, 9)


def test_who_asked_for_an_event_is_told_of_it(stage: Stage, tmp_path: Path) -> None:
    notifier = stage.director.notifier
    notifier.heed(
        [
            a_rule(f"cat >>{tmp_path}/long; echo >>{tmp_path}/long", "long_running", "paused"),
            a_rule(f"cat >>{tmp_path}/skipped; echo >>{tmp_path}/skipped", "skipped"),
        ]
    )
    task = stage.start()

    stage.loop.call(lambda: notifier.tell("long_running", task.id))
    [line] = eventually(lambda: lines_of(tmp_path / "long"))
    notifier.heed(())

    told = json.loads(line)
    assert (told["event"], told["id"], told["state"]) == ("long_running", task.id, "running")
    assert not (tmp_path / "skipped").exists()


def test_task_that_is_gone_is_told_and_others_follow(
    stage: Stage, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notifier = stage.director.notifier
    notifier.heed([a_rule(f"touch {tmp_path}/told", "paused")])
    task = stage.start()

    stage.loop.call(lambda: notifier.tell("paused", 77))
    stage.loop.call(lambda: notifier.tell("paused", task.id))
    eventually((tmp_path / "told").exists)
    notifier.heed(())

    told = "taskd.yaml:2: nobody was told that task 77 is paused: no task 77"
    assert caplog.records[0].message == told


def test_what_does_not_fit_is_dropped_and_counted_in_one_line(
    stage: Stage, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notifier = stage.director.notifier
    line = f"touch {tmp_path}/begun; until test -e {tmp_path}/gate; do sleep 0.02; done"
    notifier.heed([a_rule(line, "paused")])
    notifier.tell("paused", stage.start().id)
    eventually((tmp_path / "begun").exists)

    for _ in range(MAX_WAITING + 200):
        notifier.tell("paused", 77)  # there is none, which is said at once
    (tmp_path / "gate").touch()
    eventually(lambda: caplog.messages[MAX_WAITING:])
    notifier.heed(())

    dropped = "taskd.yaml:2: 200 notices were dropped"
    assert [text for text in caplog.messages if "no task 77" not in text] == [dropped]
    assert len(caplog.messages) == MAX_WAITING + 1


def test_rule_that_stays_keeps_what_waits_for_it(stage: Stage, tmp_path: Path) -> None:
    notifier = stage.director.notifier
    line = f"until test -e {tmp_path}/gate; do sleep 0.02; done; echo told >>{tmp_path}/told"
    notifier.heed([a_rule("true", "error"), a_rule(line, "paused")])
    task = stage.start()
    for _ in range(2):
        notifier.tell("paused", task.id)

    notifier.heed([a_rule(line, "paused"), a_rule("false", "error")])
    (tmp_path / "gate").touch()
    eventually(lambda: len(lines_of(tmp_path / "told")) == 2)
    notifier.heed(())


def test_task_that_rests_as_it_did_is_not_told_again(stage: Stage, tmp_path: Path) -> None:
    notifier = stage.director.notifier
    notifier.heed([a_rule(f"echo $TASKD_TASK_ID >>{tmp_path}/told", "paused")])
    first, second = (replace(stage.start(), state=State.PAUSED) for _ in range(2))

    notifier.note([(first, replace(first, external_id="42")), (None, second)])
    eventually(lambda: lines_of(tmp_path / "told"))
    notifier.heed(())

    assert lines_of(tmp_path / "told") == [str(second.id)]


def test_without_rules_nothing_of_a_commit_is_looked_at(stage: Stage) -> None:
    changes = iter([(None, a_task("paused"))])

    stage.director.notifier.note(changes)

    assert len(list(changes)) == 1
