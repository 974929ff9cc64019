"""What every executor takes and gives: a `Call`, and one `Outcome` for it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias

from taskd.model.definition import Command, Isolation
from taskd.model.lock import Lock
from taskd.model.step import JSON, StepError
from taskd.model.task import Flow

MAX_OUTPUT = 1024 * 1024  # of a step, as JSON: it is kept with the task, and shown


class CallKind(StrEnum):
    STEP = "step"  # a run step or finalize
    PLAN = "plan"  # the author's title(), locks() and plan()
    HOOK = "hook"  # a method that is told of the task; `outputs` has it, as JSON


@dataclass(frozen=True, kw_only=True)
class Call:
    """One attempt of one step. `id` is unique in a store and never used again.

    `module` and `name` say where a host finds the author's code, a class, or a `function` for this
    step alone; `revision` changes with it.
    `command` is set for a step that is a command. `input` holds the secrets too; it is handed to
    the process that runs the step and goes nowhere else. `outputs` are those of the steps that it
    needs. `log` is the file for what it prints, at most `log_limit` bytes of it. Times in seconds.
    """

    id: int
    task_id: int
    task_name: str
    user: str
    label: str
    kind: CallKind
    step: str
    attempt: int
    module: str
    name: str
    revision: str
    input: dict[str, JSON]
    outputs: dict[str, JSON]
    kept: JSON
    log: str
    log_limit: int
    timeout: float | None
    cancel_grace: float
    secrets: tuple[str, ...] = ()  # values that a log must not show
    command: Command | None = None
    function: bool = False
    isolation: Isolation = Isolation.PROCESS  # of a step that is no command


@dataclass(frozen=True)
class Success:
    output: JSON = None


@dataclass(frozen=True)
class Failure:
    error: StepError


@dataclass(frozen=True)
class Planned:
    """What the author's code says of a task."""

    name: str
    flow: Flow
    locks: tuple[Lock, ...] = ()


@dataclass(frozen=True)
class Snoozed:
    """The step wants to be called again; `kept` is what it finds then."""

    seconds: float
    kept: JSON = None


@dataclass(frozen=True)
class SubTask:
    label: str
    input: dict[str, JSON]


@dataclass(frozen=True)
class Delegated:
    """The step is done when these are, of which `concurrency` run at a time."""

    tasks: tuple[SubTask, ...]
    concurrency: int | None = None


@dataclass(frozen=True)
class Cancelled:
    """It ended because it was told to."""


@dataclass(frozen=True)
class NeverRan:
    """It was not begun, and can be given out again."""


@dataclass(frozen=True)
class Interrupted:
    """What ran it died; nobody knows how far it got."""

    reason: str


@dataclass(frozen=True)
class Progress:
    """Not an outcome: how far the step has got, 0…1, or something else that it said."""

    fraction: float | None
    note: str = ""
    external_id: str | None = None  # of the task in an outside service


Outcome: TypeAlias = (
    Success | Failure | Planned | Snoozed | Delegated | Cancelled | NeverRan | Interrupted
)
Report: TypeAlias = Callable[[int, Outcome | Progress], None]


def timed_out(seconds: float) -> Failure:
    detail = {"timeout": seconds}
    return Failure(StepError("timeout", f"timed out after {seconds:g} s", detail=detail))


def as_told(told: Outcome | None, outcome: Outcome) -> Outcome:
    """What a call came to that was `told` to end as that. One that was cancelled may have succeeded
    before it heard of it; one whose time had passed is an error like any other."""
    if told is None or isinstance(outcome, NeverRan):
        return outcome
    if isinstance(told, Cancelled) and not isinstance(outcome, Failure | Interrupted):
        return outcome
    return told


@dataclass
class Found:
    """What recovery finds of the calls of an earlier daemon."""

    running: set[int] = field(default_factory=set)
    ended: dict[int, Outcome] = field(default_factory=dict)
    ended_at: dict[int, datetime] = field(default_factory=dict)  # where it is known
    said: list[tuple[int, Progress]] = field(default_factory=list)  # by those that have ended


class Executor(Protocol):
    """`start` and `cancel` return at once; outcomes come through the `Report` it was made with.

    Each call that was started is reported exactly once.
    """

    slots: int

    def start(self, call: Call) -> None: ...

    def cancel(self, call_id: int, *, force: bool = False) -> None:
        """Tell the step, and end its whole process tree after the call's grace; `force`: now."""

    def settled(self, call_ids: Iterable[int]) -> None:
        """Their outcomes are committed: nobody needs to keep them any longer."""
