"""The commands refuse a store that was damaged, say what to do, and leave it as it is."""

import re
import shutil

import damages
import pytest
from damages import LOSSES, ONLY, REFUSED, UNUSABLE, Damage, Made, Store, on
from killer import Killer
from real_daemon import Daemon, eventually

OFTEN = (damages.remove_wal,)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return damages.make(tmp_path_factory.mktemp("stores"))


@pytest.fixture
def store(request: pytest.FixtureRequest, daemon: Daemon, made: Made) -> Store:
    """In the daemon's state directory."""
    left = getattr(made, request.param)
    return Store(shutil.copytree(left, daemon.state, dirs_exist_ok=True), made)


def content(store: Store) -> dict[str, object]:
    """Of all that belongs to it."""
    own = ("taskd.log", "starts", "lock", "actions")
    return {name: found for name, found in store.files().items() if name not in own}


@on("damage reason remedy", *REFUSED, often=OFTEN, **ONLY)
def test_damaged_store_is_refused_with_the_remedy_and_left_as_it_is(
    daemon: Daemon, store: Store, damage: Damage, reason: str, remedy: str
) -> None:
    damage(store)
    before = content(store)

    checked = daemon.taskd("check")
    refused = daemon.taskd("run")

    message, hint = refused.stderr.splitlines()
    (problem,) = checked.stdout.splitlines()
    assert (checked.returncode, refused.returncode) == (1, 78)
    assert re.search(reason, message)
    assert re.search(reason, problem)
    assert remedy in hint
    assert remedy in problem
    assert content(store) == before


@on("damage tasks", *LOSSES, often=OFTEN, **ONLY)
def test_accepted_loss_goes_on_with_what_is_there(
    daemon: Daemon, killer: Killer, store: Store, damage: Damage, tasks: int
) -> None:
    damage(store)

    killer.spawn("--accept-loss")
    eventually(killer.answers)
    found = daemon.task_count()
    killer.stop()

    assert found == tasks
    assert daemon.taskd("check").returncode == 0
    daemon.start()
    assert daemon.task_count() == tasks


@on("damage", *UNUSABLE, often=())
def test_what_cannot_be_used_is_refused_whatever_loss_is_accepted(
    daemon: Daemon, store: Store, damage: Damage
) -> None:
    damage(store)
    before = content(store)

    refused = daemon.taskd("run", "--accept-loss")

    assert refused.returncode == 78
    assert content(store) == before
