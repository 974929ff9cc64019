"""Once a day people are told of tasks that have not stopped for long, and old ones are deleted."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from builders import a_definition, an_error
from real_daemon import eventually
from rehearsal import Rehearsal

from taskd.engine import chores as engine_chores
from taskd.engine.chores import Chore, Chores
from taskd.engine.creating import Order, create
from taskd.executors.base import Failure, Found, Success
from taskd.settings import Settings
from taskd.store import chores
from taskd.store.chores import Last

HOUR = 3600.0
DAY = 24 * HOUR


class Daemon(Rehearsal):
    """With three tasks: one runs, one is paused, one has stopped."""

    told: list[tuple[str, int]]
    cleanups: int = 0

    def begin(self) -> None:
        definition = self.catalog.get("demo")
        for _ in range(3):
            self.put(lambda tx: create(tx, self.places, definition, {}, {}, Order(), "ana", 1))
        self.serve()
        _, second, third = list(self.calls.running.values())
        self.end(second, Failure(an_error()))
        self.end(third, Success())
        self.serve()
        self.told = []
        self.start_chores()

    def start_chores(self) -> None:
        def tell(event: str, task_id: int) -> None:
            self.told.append((event, task_id))

        self.director.notifier.tell = tell  # type: ignore[method-assign]  # to listen
        loop: Any = SimpleNamespace(later=self.clock.later, call=lambda function: function())
        engine: Any = SimpleNamespace(
            loop=loop,
            director=self.director,
            database=self.database,
            settings=Settings(),
            cleaner=SimpleNamespace(clean_daily=self.clean_up),
        )
        Chores(engine, self.clock.read).start()

    def clean_up(self) -> str:
        self.cleanups += 1
        return "nothing was old"

    def restart(self, seconds: float = 0.0) -> None:
        self.clock.now += timedelta(seconds=seconds)
        self.die(Found(running=set(self.calls.running)))
        self.start_chores()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with closing(Daemon(tmp_path, [a_definition("demo")], lambda _store: None)) as made:
        made.begin()
        yield made


LONG = [("long_running", 1), ("long_running", 2)]


def test_they_are_told_once_a_day_when_it_is_long(daemon: Daemon) -> None:
    daemon.pass_time(1.5 * DAY)
    assert daemon.told == []

    daemon.pass_time(DAY)
    eventually(lambda: daemon.told == LONG)
    daemon.pass_time(DAY)

    eventually(lambda: daemon.told == LONG * 2)


def test_restart_neither_repeats_nor_forgets_it(daemon: Daemon) -> None:
    daemon.pass_time(2.5 * DAY)
    eventually(lambda: daemon.told == LONG)

    daemon.restart()
    daemon.pass_time(HOUR)
    assert daemon.told == LONG
    daemon.restart(2 * DAY)
    daemon.pass_time(60)

    eventually(lambda: daemon.told == LONG * 2)


def test_clock_that_was_set_back_does_not_put_it_off(daemon: Daemon) -> None:
    daemon.pass_time(3.4 * DAY)
    eventually(lambda: daemon.told == LONG * 2)

    daemon.restart(-0.5 * DAY)
    daemon.pass_time(60)

    eventually(lambda: daemon.told == LONG * 3)


def last(daemon: Daemon, name: str) -> Last | None:
    daemon.serve()
    return chores.find(daemon.database.writer, name)


def test_what_came_of_it_is_in_the_store(daemon: Daemon) -> None:
    daemon.pass_time(2.5 * DAY)

    ended = eventually(lambda: (done := last(daemon, "long-running tasks")) and done.ended_at)

    done = last(daemon, "long-running tasks")
    assert done is not None
    assert done.begun_at <= ended <= daemon.clock.now
    assert done.told.endswith(": 1, 2")
    assert not done.failed


def test_chore_that_fails_is_told_of_and_keeps_no_other_back(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise OSError("no such folder")

    monkeypatch.setattr(engine_chores, "CHORES", (Chore("bad", fail), *engine_chores.CHORES))
    daemon.pass_time(2.5 * DAY)

    eventually(lambda: (done := last(daemon, "long-running tasks")) and done.ended_at)

    bad = last(daemon, "bad")
    assert bad is not None
    assert (bad.told, bad.failed) == ("no such folder", True)


def test_chore_that_ends_after_it_was_begun_again_changes_nothing(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = Last(daemon.clock.now + timedelta(days=9))

    def take_days(*_: object) -> str:
        daemon.put(lambda tx: chores.put(tx.write(), "slow", again))
        return "late"

    other = engine_chores.CHORES[0]
    monkeypatch.setattr(engine_chores, "CHORES", (Chore("slow", take_days), other))
    daemon.restart(DAY)
    daemon.pass_time(60)

    eventually(lambda: (done := last(daemon, other.name)) and done.ended_at)

    assert last(daemon, "slow") == again


def test_cleanup_is_done_once_a_day(daemon: Daemon) -> None:
    daemon.pass_time(1)
    eventually(lambda: daemon.cleanups == 1)

    daemon.restart()
    daemon.pass_time(2 * DAY)

    eventually(lambda: daemon.cleanups == 3)
