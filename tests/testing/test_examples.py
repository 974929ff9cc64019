"""A backup that fails and is resumed, as the documentation shows it."""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

import taskd.testing
from taskd import Action, Lock, Rescue, Retry, SubTasks, exclusive, link, on, step
from taskd.model.task import Task
from taskd.testing import FlakyCommand

posts: list[str] = []


def post(channel: str, text: str) -> None:
    posts.append(f"{channel}: {text}")


class Notify(Action, label="notify", rescue=Rescue.SKIP):
    channel: str
    text: str

    def title(self) -> str:
        return f"Tell {self.channel}"

    @step
    def send(self) -> None:
        post(self.channel, self.text)


class BackUpSite(Action, label="backup.site", cleanup_after="30d"):
    site: str
    channels: list[str]

    def title(self) -> str:
        return f"Back up {self.site}"

    def locks(self) -> Iterable[Lock]:
        yield exclusive(f"site:{self.site}", "backup")
        yield link("host:web1")

    @step
    def dump(self) -> str:
        path = f"/var/backups/{self.site}.sql"
        self.task.run(["pg_dump", self.site, path])
        return path

    @step(retry=Retry(3, delay=30))
    def archive(self, dump: str) -> str:
        self.task.run(["rclone", "copy", dump, f"remote:{self.site}"])
        return f"remote:{self.site}"

    @step
    def tell(self, archive: str) -> SubTasks:
        return SubTasks(Notify(channel=c, text=f"saved to {archive}") for c in self.channels)

    @on("paused")
    def page(self, task: Task) -> None:
        post("ops", f"{task.name} needs a hand: taskctl resume {task.id}")


@pytest.fixture(autouse=True)
def pg_dump() -> Iterator[FlakyCommand]:
    with FlakyCommand("pg_dump", times=0) as command:
        yield command


@pytest.fixture
def rclone() -> Iterator[FlakyCommand]:
    posts.clear()
    with FlakyCommand("rclone", times=4) as command:
        yield command


def test_step_is_a_plain_method() -> None:
    backup = BackUpSite(site="blog", channels=["ops"])

    told = backup.tell(archive="remote:blog")

    assert told == SubTasks([Notify(channel="ops", text="saved to remote:blog")])


def test_paused_backup_resumes_from_the_failed_step(
    pg_dump: FlakyCommand, rclone: FlakyCommand
) -> None:
    engine = taskd.testing.Inline()

    paused = engine.run(BackUpSite(site="blog", channels=["ops"]))
    done = engine.resume(paused)

    assert (paused.state, paused.result) == ("paused", "error")
    assert (done.state, done.result) == ("stopped", "warning")
    assert (len(pg_dump.calls), len(rclone.calls)) == (1, 5)
    assert posts == [
        "ops: Back up blog needs a hand: taskctl resume 1",
        "ops: saved to remote:blog",
    ]


@pytest.mark.usefixtures("rclone")
def test_task_is_what_a_client_gets() -> None:
    paused = taskd.testing.Inline().run(BackUpSite(site="blog", channels=["ops", "all"]))

    assert (paused.id, paused.label, paused.name) == (1, "backup.site", "Back up blog")
    assert paused.input == {"site": "blog", "channels": ["ops", "all"]}
    assert [str(lock) for lock in paused.locks] == ["site:blog/backup"]
    assert [str(lock) for lock in paused.links] == ["user:you", "host:web1"]
    states = [step.state for step in paused.steps.values()]
    assert states == ["success", "success", "error", "pending"]
    assert [(each.step, each.kind, each.detail) for each in paused.errors] == [
        ("archive", "CommandFailed", {"status": 1})
    ]
    assert [event.event for event in paused.history] == [
        "created", "planned", "started", *["step retried"] * 3, "step failed", "paused",
    ]  # fmt: skip


def test_example_of_the_package_runs(tmp_path: Path) -> None:
    """The indented lines from the first import on."""
    _, start, rest = (taskd.testing.__doc__ or "").partition("    from collections")
    example = dedent(start + rest.partition("\nWhat these")[0])
    (tmp_path / "test_backups.py").write_text(example)
    (tmp_path / "backups.py").write_text(
        dedent("""\
            from taskd import Action, step


            class BackUpSite(Action):
                site: str

                @step
                def dump(self) -> str:
                    return f"{self.site}.sql"

                @step
                def archive(self, dump: str) -> None:
                    self.task.run(["rclone", "copy", dump, f"remote:{self.site}"])
            """)
    )

    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
        check=False,
    )

    assert "1 passed" in ran.stdout, ran.stdout + ran.stderr
