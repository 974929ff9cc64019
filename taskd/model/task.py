"""A task: an action's run, with a name, a state, a result, progress, locks and a history."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, TypeAlias

from taskd.model.lock import Claim, Lock
from taskd.model.step import JSON, Step, StepError, StepKind, StepState

Flow: TypeAlias = JSON
MAX_NAME = 1000  # characters, also of a key
SYSTEM = "taskd"  # who did it, where nobody asked for it
HIDDEN = "(secret)"  # what the input shows, and the store holds, of a secret


class State(StrEnum):
    SCHEDULED = "scheduled"  # waits for a time or for other tasks
    PLANNED = "planned"  # waits for a lock or a free slot
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


class Result(StrEnum):
    PENDING = "pending"
    SUCCESS = "success"
    WARNING = "warning"  # it ended well, but a person or a skip was needed
    ERROR = "error"
    CANCELLED = "cancelled"


class ExecutionType(StrEnum):
    IMMEDIATE = "immediate"
    DELAYED = "delayed"
    RECURRING = "recurring"


class OnConflict(StrEnum):
    """What becomes of a task whose lock is held by another one."""

    PAUSE = "pause"
    WAIT = "wait"
    SKIP = "skip"


@dataclass(frozen=True)
class Event:
    """One line of a task's history, e.g. `resumed` by `ana`."""

    at: datetime
    event: str
    who: str
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Task:
    """The fields up to `history` are what users see (their names are the JSON names).

    `steps` is in the order of the plan. `history` holds, inside the director, only what is not
    stored yet; `errors` and `waits_for` are made when a task is shown. `descriptions` are in the
    author's words.
    """

    __hidden__: ClassVar = frozenset(
        (
            "uid",
            "definition",
            "wanted_locks",
            "needed_help",
            "cancelling",
            "resumable",
            "expires_at",
        )
    )

    __records__: ClassVar = ("steps",)

    id: int
    label: str
    name: str
    state: State
    result: Result
    user: str
    execution_type: ExecutionType
    type: str
    priority: int
    key: str | None
    created_at: datetime
    start_at: datetime
    start_before: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    state_updated_at: datetime
    progress: float
    parent_task_id: int | None
    recurring_logic_id: int | None
    external_id: str | None

    input: dict[str, JSON] = field(default_factory=dict)
    output: JSON = None
    steps: dict[str, Step] = field(default_factory=dict)
    locks: tuple[Lock, ...] = ()
    links: tuple[Lock, ...] = ()
    waits_for: tuple[Claim, ...] = ()
    errors: tuple[StepError, ...] = ()
    history: tuple[Event, ...] = ()
    descriptions: dict[str, str] = field(default_factory=dict)  # of input, output and error
    after: tuple[int, ...] = ()  # the tasks that it waits, or has waited, for

    # Below: what the daemon knows beside it.
    uid: int = 0
    version: int = 0  # number of the commit that changed it last
    flow: Flow = None  # the plan: nested names of steps, see `taskd.model.flow`
    definition: JSON = None  # kept with the task when no installed action is behind it
    wanted_locks: tuple[Lock, ...] = ()  # asked for by the caller, beside the action's own
    on_conflict: OnConflict = OnConflict.PAUSE
    needed_help: bool = False  # some step once failed and was resumed or skipped
    cancelling: bool = False
    resumable: bool = False  # unlocked: stopped, or about to be
    expires_at: datetime | None = None  # `start_before`, until its first step has begun

    def __wire__(self) -> dict[str, object]:
        """What travels beside the fields."""
        return {"duration": self.duration}

    def brief(self) -> dict[str, Any]:
        """What lists show: the fields up to `external_id`, `on_conflict`, and the duration."""
        fields = self.__dict__
        return {name: fields[name] for name in _BRIEF} | {"duration": self.duration}

    @property
    def duration(self) -> float | None:
        """Seconds from start to end, or so far."""
        if self.started_at is None:
            return None
        passed = (self.ended_at or datetime.now(UTC)) - self.started_at
        return max(0.0, passed.total_seconds())  # the clock may have been set this moment

    @property
    def finished(self) -> bool:
        return self.state is State.STOPPED

    @property
    def waits_for_lock(self) -> bool:
        """Its plan is made, and kept in its plan step."""
        if self.state is not State.PLANNED:
            return False
        plan = self.steps.get("plan")
        return plan is not None and plan.waits_for_lock

    @property
    def unlocking(self) -> bool:
        """It stops when what runs of it has been killed."""
        return self.resumable and self.state is not State.STOPPED

    @property
    def resting(self) -> bool:
        """Nothing more happens by itself: stopped, or paused until a person acts."""
        return self.state in (State.STOPPED, State.PAUSED)


_BRIEF = (*tuple(Task.__annotations__)[2:22], "on_conflict")

__all__ = [
    "JSON", "Event", "ExecutionType", "Flow", "OnConflict", "Result", "State", "Step", "StepError",
    "StepKind", "StepState", "Task",
]  # fmt: skip
