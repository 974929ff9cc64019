"""All that `taskd` offers to authors of actions, in one task: a site is packed, copied and served.

taskctl run site.publish source=/srv/blog target=/mnt/web token=@token.txt readers:='["ana"]'
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Literal

from taskd import (
    Action,
    CommandFailed,
    Lock,
    OnConflict,
    Rescue,
    Retry,
    Secret,
    Snooze,
    SubTasks,
    action,
    concurrence,
    exclusive,
    link,
    on,
    request,
    sequence,
    step,
)
from taskd.model.task import Flow, Task


class Format(Enum):
    TAR = "tar"
    GZIP = "gzip"


@dataclass(frozen=True)
class Server:
    host: str = "web1"
    port: int = 443


class PublishSite(
    Action,
    label="site.publish",
    rescue=Rescue.PAUSE,
    cleanup_after="30d",
    cancellable=False,
    singleton=True,
    on_conflict=OnConflict.WAIT,
):
    """Copy a site to where it is served, and tell its readers."""

    source: str
    target: str
    token: Secret[str]
    speed: Literal["careful", "quick"] = "careful"
    format: Format = Format.GZIP
    server: Server = field(default_factory=Server)
    readers: list[str] = field(default_factory=list)
    comment: str | None = None

    def title(self) -> str:
        return f"Publish {self.source}"

    def locks(self) -> Iterable[Lock]:
        yield exclusive(f"site:{self.target}", "publish")
        yield link(f"host:{self.server.host}")

    def plan(self) -> Flow:
        if self.speed == "quick":
            return sequence(self.pack, self.copy)
        return sequence(self.pack, concurrence(self.copy, self.test), self.wait, self.tell)

    @step(timeout="10m", weight=4)
    def pack(self) -> str:
        packed = str(Path(self.target, "site.packed"))
        flags = "cz" if self.format is Format.GZIP else "c"
        self.task.log(f"packing for {self.server.host}:{self.server.port}")
        self.task.run(["tar", f"-{flags}", "."], cwd=self.source, stdout=packed)
        self.task.progress(1.0, "packed")
        return packed

    @step(retry=Retry(2, delay=0.1, factor=2), idempotent=True)
    def copy(self, pack: str) -> dict[str, str | int]:
        copied = pack.removesuffix(".packed") + f".{self.task.attempt}"
        self.task.run(["cp", pack, copied])
        self.task.run(["sh", "-c", 'test -n "$TOKEN"'], env={"TOKEN": self.token})
        return {"file": copied, "size": Path(copied).stat().st_size}

    @step(rescue=Rescue.SKIP)
    def test(self, pack: str) -> None:
        try:
            self.task.run(["grep", "-q", "needle"], input=Path(pack).read_bytes())
        except CommandFailed as failed:
            self.task.log(f"no needle in it: {failed.detail}")

    @step
    def wait(self, copy: dict[str, str | int]) -> int | Snooze:
        """Until the server has it; it is told by `Serve`, which runs beside this task."""
        asked: int = (self.task.kept or 0) + 1
        served = Path(self.target, "served")
        if served.exists() and served.read_text() == copy["file"]:
            return asked
        return Snooze(0.1, keep=asked)

    @step
    def tell(self) -> SubTasks:
        letters = (Tell(reader=reader, target=self.target) for reader in self.readers)
        entry = request(note, target=self.target, text=self.comment or "no comment")
        return SubTasks([*letters, entry], concurrency=2)

    def finalize(self) -> str:
        """The task's output."""
        return f"{self.target}/site"

    def describe_input(self) -> str:
        return f"{self.source} to {self.target}, {self.speed}"

    def describe_output(self, task: Task) -> str:
        return f"published in {task.duration:.0f} s"

    def describe_error(self, task: Task) -> str:
        return f"{task.errors[0].step} failed; is {self.target} there?"

    @on("paused", "success", "warning")
    def record(self, task: Task) -> None:
        with Path(self.target, "record").open("a") as record:
            record.write(f"task {task.id}: {task.state} {task.result}\n")


class Tell(Action, label="site.tell", rescue=Rescue.SKIP):
    reader: str
    target: str

    @step
    def send(self) -> None:
        Path(self.target, f"letter.{self.reader}").write_text("The site is there.\n")


@action(label="site.note", isolation="process")
def note(target: str, text: str) -> None:
    with Path(target, "notes").open("a") as notes:
        notes.write(f"{text}\n")


class Serve(Action, label="site.serve", subscribes_to="site.publish"):
    """Started beside each `site.publish`, with those of its inputs that it has."""

    target: str

    @step(timeout=60)
    def serve(self) -> str | Snooze:
        if self.task.cancelled:
            return "not any more"
        copies = sorted(Path(self.target).glob("site.[0-9]"))
        if not copies:
            return Snooze("100ms")
        self.task.external_id = f"serving-{self.task.id}"
        Path(self.target, "served").write_text(str(copies[-1]))
        return copies[-1].name
