"""The daemon is killed again and again while recurring logics start tasks each second."""

import random
import time
from collections import Counter
from pathlib import Path

import pytest
from killer import Killer
from real_daemon import Daemon, eventually

from taskd.client import Client
from taskd.model.recurring import RecurringLogic
from taskd.model.task import Task

WITH_SECONDS = "import taskd.cron\ntaskd.cron.FIELDS = (5, 6)\n"
OVERLAPS = ("skip", "wait", "parallel", "cancel-previous")
MISSED = ("once", "skip", "all")


@pytest.fixture
def daemon(daemon: Daemon, tmp_path: Path) -> Daemon:
    (tmp_path / "sitecustomize.py").write_text(WITH_SECONDS)
    daemon.environment["PYTHONPATH"] = str(tmp_path)
    return daemon


@pytest.mark.parametrize(
    "kills", [pytest.param(6, id="short"), pytest.param(100, id="long", marks=pytest.mark.long)]
)
def test_no_time_is_run_twice_and_none_is_lost(
    daemon: Daemon, killer: Killer, chance: random.Random, kills: int
) -> None:
    killer.start()
    with Client(daemon.socket) as client:
        ids = [_start(client, daemon, o, m) for o in OVERLAPS for m in MISSED]
    for _ in range(kills):
        time.sleep(chance.choice((0.0, chance.uniform(0.0, 1.5))))
        killer.kill_daemon()
    with Client(daemon.socket) as client:
        for logic_id in ids:
            client.disable_recurring(logic_id)  # nothing begins any more
            _check(client.recurring_logic(logic_id), _runs(client, logic_id))
            client.cancel_recurring(logic_id)
        eventually(lambda: client.count("state != stopped") == 0)
        runs = [run for logic_id in ids for run in _runs(client, logic_id)]
    killer.stop()

    ledger = Counter(daemon.ledger_lines())
    assert set(ledger.values()) <= {1}  # no run has written twice
    for run in runs:
        if run.result == "success":
            assert ledger[f"{run.id}"] == 1


def _start(client: Client, daemon: Daemon, overlap: str, missed: str) -> int:
    """Each run is a line in the ledger, with the number of its task."""
    logic = client.exec_recurring(
        f"sleep 0.3; echo $TASKD_TASK_ID >>{daemon.ledger}",
        {"cron": "* * * * * *", "overlap": overlap, "missed": missed},
        cwd="/",
        environment={"PATH": "/usr/bin:/bin"},
    )
    return logic.id


def _runs(client: Client, logic_id: int) -> list[Task]:
    return client.find(f"recurring_logic.id = {logic_id}", order="id", limit=1000).items


def _check(logic: RecurringLogic, runs: list[Task]) -> None:
    """One task is scheduled, the others have begun, each at a time of its own."""
    scheduled = [run for run in runs if run.state == "scheduled"]
    times = [run.start_at for run in runs]

    assert len(scheduled) == 1
    assert times == sorted(set(times))
    assert logic.iteration == len(runs) - 1
    if logic.overlap != "parallel":
        unfinished = [run for run in runs if run.state not in ("scheduled", "stopped")]
        assert len(unfinished) <= 1
