"""What the doctor says of files and folders, each time with a real fault."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from looking import Look
from stage import Stage

from taskd.doctor import clock, disk, files, leftovers
from taskd.executors import alive
from taskd.logs.files import log_path
from taskd.settings import Settings

MIB = 1 << 20


def test_mistake_in_the_configuration_is_a_problem_with_its_line(stage: Stage, look: Look) -> None:
    assert look(files.configuration).severities == ["ok"]
    stage.places.config.write_text("settings:\n  cancel_grace: soon\n")

    told = look(files.configuration)

    assert told.severities == ["problem"]
    assert "taskd.yaml:2" in told.messages
    assert told.remedies == ["taskd check"]


def test_broken_action_is_a_problem_and_an_odd_one_a_warning(stage: Stage, look: Look) -> None:
    stage.places.actions.mkdir()
    (stage.places.actions / "bad.yaml").write_text("label: bad\nsteps: 7\n")
    odd = "label: odd\nsteps:\n  go:\n    shell: echo a # b\n"
    (stage.places.actions / "odd.yaml").write_text(odd)

    told = look(files.actions)

    assert told.severities == ["problem", "warning"]
    assert "bad.yaml:" in told.messages
    assert told.remedies[0] == "taskctl actions --broken"


def test_folder_that_others_can_look_into_is_noted(stage: Stage, look: Look) -> None:
    assert look(files.state).severities == ["ok"]
    stage.places.state.chmod(0o755)

    assert look(files.state).remedies == [f"chmod 700 {stage.places.state}"]


def test_file_in_the_place_of_a_folder_is_a_problem(stage: Stage, look: Look) -> None:
    stage.places.logs.touch()

    assert look(files.state).severities == ["problem"]


def test_room_that_the_store_has_not_got_is_told(stage: Stage, look: Look) -> None:
    assert "are not kept" in look(disk.room).messages
    stage.director.do(lambda _tx: stage.database.reserve.take())

    assert look(disk.room).severities == ["ok"]


def test_log_that_has_grown_is_noted(stage: Stage, look: Look) -> None:
    stage.places.log.touch()
    assert look(disk.logs).severities == ["ok"]
    os.truncate(stage.places.log, 65 * MIB)

    assert look(disk.logs).remedies == [f"truncate -s 0 {stage.places.log}"]


def test_large_wal_is_a_warning(stage: Stage, look: Look) -> None:
    stage.start("demo")

    told = look(disk.logs, settings=Settings(large_wal=1))

    assert told.severities == ["warning"]
    assert "taskd.db-wal" in told.messages


@pytest.fixture
def _no_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "XXX-02:30")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_time_zone_with_a_name_is_in_order(look: Look) -> None:
    assert look(clock.zone).severities == ["ok"]


@pytest.mark.usefixtures("_no_zone")
def test_time_zone_without_a_name_is_a_warning(look: Look) -> None:
    assert look(clock.zone).severities == ["warning"]


# Leftovers


def old(folder: Path) -> Path:
    os.utime(folder, (time.time() - 3600,) * 2)
    return folder


def test_logs_of_tasks_that_are_gone_are_told_and_others_not(stage: Stage, look: Look) -> None:
    ids = [stage.start("demo").id for _ in range(3)]
    folders = [Path(log_path(str(stage.places.logs), each, 1, "work")).parent for each in ids]
    for folder in (*folders, folders[0].with_name("999")):  # of one that is still to come
        folder.mkdir(parents=True)
    assert look(leftovers.orphans).severities == ["ok"]

    stage.director.do(lambda tx: tx.write().execute("DELETE FROM tasks WHERE id = 2"))
    told = look(leftovers.orphans)

    assert told.severities == ["warning"]
    assert told.remedies == [f"rm -r {folders[1]}"]


@pytest.mark.parametrize("kind", ["attempts", "hosts"])
def test_folder_of_nothing_that_runs_is_told(stage: Stage, look: Look, kind: str) -> None:
    folder: Path = getattr(stage.places, kind) / "77"
    folder.mkdir(parents=True)
    assert look(leftovers.orphans).severities == ["ok"]  # it may just be made
    old(folder)

    told = look(leftovers.orphans)

    assert told.severities == ["warning"]
    assert f"{kind}/77" in told.messages
    assert look(leftovers.orphans, alone=True).severities == ["ok"]  # the next daemon sees to it


def test_folder_in_which_something_lives_is_none_of_them(stage: Stage, look: Look) -> None:
    folder = stage.places.hosts / "77"
    folder.mkdir(parents=True)
    lock = alive.hold(folder)
    old(folder)

    assert look(leftovers.orphans).severities == ["ok"]
    os.close(lock)


def test_copies_that_were_set_aside_are_noted(stage: Stage, look: Look) -> None:
    copy = stage.places.store.with_name("taskd.db.schema-3")
    copy.touch()

    assert look(leftovers.orphans).remedies == [f"rm -r {copy}"]
