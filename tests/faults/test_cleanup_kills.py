"""The daemon is killed again and again while it deletes tasks that it keeps in a backup."""

import gzip
import json
import random
import time
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from killer import Killer
from real_daemon import Daemon, eventually

from taskd.client import Client
from taskd.model.task import Task

BATCH = 5
PATIENCE = 300.0  # seconds, in which all tasks have stopped, also beside other tests
Known: TypeAlias = dict[int, tuple[Any, ...]]  # by id, what was known of a task before


@pytest.mark.parametrize(
    ("tasks", "kills"),
    [
        pytest.param(100, 4, id="short"),
        pytest.param(1000, 60, id="long", marks=pytest.mark.long),
    ],
)
def test_each_task_is_whole_in_the_store_or_in_the_backup(
    daemon: Daemon, killer: Killer, chance: random.Random, tasks: int, kills: int
) -> None:
    killer.start()
    with Client(daemon.socket) as client:
        command: Any = {"cwd": "/", "environment": {"PATH": "/usr/bin:/bin"}}
        at_work = client.exec("sleep 600", **command)
        place = {"place": str(daemon.root)}
        kinds = ("plain.python", "family.python", "plain.shell")
        asked = [{"action": chance.choice(kinds), "input": place} for _ in range(tasks)]
        for first in range(0, tasks, 100):
            client.start_many(asked[first : first + 100])
        eventually(lambda: client.count("state != stopped") == 1, PATIENCE)
        known = {task.id: _shown(task) for task in _all(client) if task.finished}
    for _ in range(kills):
        with Client(daemon.socket) as client:
            client.submit("cleanup.run", search="id > 0", batch_size=BATCH)
            eventually(lambda: client.cleanup_progress()["matched"] or not _left(client))
            time.sleep(chance.choice((0.0, chance.uniform(0.0, 0.02), chance.uniform(0.0, 0.3))))
        killer.kill_daemon()
        with Client(daemon.socket) as client:
            _check(daemon, {task.id: _shown(task) for task in _all(client)}, known)
            assert client.get(at_work.id).state == "running"
    with Client(daemon.socket) as client:
        client.cleanup("id > 0")
        assert [task.id for task in _all(client)] == [at_work.id]
        client.cancel(at_work.id, force=True)
        client.wait(at_work.id)
    killer.stop()

    assert _check(daemon, {}, known) == known
    assert list((daemon.state / "backups").glob("*.part")) == []


def _all(client: Client) -> list[Task]:
    tasks: list[Task] = []
    while page := client.find(after=str(tasks[-1].id) if tasks else "", limit=500, full=True).items:
        tasks += page
    return tasks


def _left(client: Client) -> bool:
    return client.count("state = stopped") > 0


def _shown(task: Task) -> tuple[Any, ...]:
    """Enough of it to see that it is whole."""
    steps = [(step.name, str(step.state), step.output) for step in task.steps.values()]
    return task.label, str(task.result), task.input, steps, len(task.history), task.parent_task_id


def _recorded(record: Any) -> tuple[Any, ...]:
    steps = [(step["name"], step["state"], step["output"]) for step in record["steps"]]
    return (
        record["label"],
        record["result"],
        record["input"],
        steps,
        len(record["history"]),
        record["parent_task_id"],
    )


def _check(daemon: Daemon, there: Known, known: Known) -> Known:
    """What is kept; with what is there it is all that was known, and each of it whole."""
    kept: Known = {}
    for file in (daemon.state / "backups").glob("*.jsonl.gz*"):
        kept |= {record["id"]: _recorded(record) for record in map(json.loads, _whole_lines(file))}
    assert {i: task for i, task in kept.items() if known[i] != task} == {}
    assert {i: task for i, task in there.items() if known.get(i, task) != task} == {}
    assert known.keys() - there.keys() - kept.keys() == set()
    return kept


def _whole_lines(file: Path) -> list[bytes]:
    """Those of a file that may have no end yet: the last batch is then still in the store."""
    lines: list[bytes] = []
    try:
        with gzip.open(file) as text:
            lines += text
    except EOFError:
        assert file.suffix == ".part"
    return [line for line in lines if line.endswith(b"\n")]
