"""What is going on, on one page."""

from dataclasses import dataclass
from datetime import datetime

from taskd.model.task import Result, State


@dataclass(frozen=True)
class Count:
    """`recent`: how many of them began since then; of those that have not stopped, how many came to
    their state since then. None where there are too many to look."""

    state: State
    result: Result
    total: int
    recent: int | None


@dataclass(frozen=True)
class Bad:
    """A task that failed, or needed help. `at` is when it began or, while it is paused, since when
    it is; `why` is what its first failed step said."""

    task_id: int
    name: str
    state: State
    result: Result
    at: datetime | None
    why: str


@dataclass(frozen=True)
class Coming:
    """A task that begins then; where it is of a recurring logic, that and its cron line."""

    at: datetime
    task_id: int
    name: str
    recurring_logic_id: int | None
    cron_line: str | None


@dataclass(frozen=True)
class Skipped:
    """A time at which a recurring logic was to run and did not; `times`, if it was so in a row."""

    recurring_logic_id: int
    name: str
    at: datetime
    event: str
    detail: str
    times: int


@dataclass(frozen=True)
class Line:
    """Who waits for a resource: how many, since when the first does, and behind whom."""

    resource: str
    waiting: int
    since: datetime
    holders: tuple[int, ...]


@dataclass(frozen=True)
class Dashboard:
    """`recent` is from `since` on. The lists hold the first few: of what went wrong the newest."""

    at: datetime
    since: datetime
    note: str  # why the daemon starts nothing, else ""
    counts: list[Count]
    paused: list[Bad]
    failed: list[Bad]
    coming: list[Coming]
    skipped: list[Skipped]
    waiting: list[Line]
