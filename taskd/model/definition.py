"""What an action is, as plain data: all that the daemon knows of it.

A host makes it from the author's file; the daemon checks input against it and plans from it, and
`taskctl actions` shows it.
"""

from dataclasses import dataclass
from enum import StrEnum

from taskd.model.step import JSON, Rescue
from taskd.model.task import Flow, OnConflict

MAX_CONCURRENCY = 1_000_000  # of the sub-tasks of a step


class Isolation(StrEnum):
    """Where the Python code of an action runs."""

    PROCESS = "process"  # in a host
    THREAD = "thread"  # of the daemon: for what is trusted and tiny, since nothing can end it


@dataclass(frozen=True)
class Field:
    """One input. `schema` is JSON Schema (`type`, `enum`, `items`, `properties`, `required`,
    `additionalProperties`, `anyOf`, `format: "secret"`)."""

    name: str
    schema: dict[str, JSON]
    required: bool = True
    default: JSON = None

    @property
    def secret(self) -> bool:
        return self.schema.get("format") == "secret"


@dataclass(frozen=True)
class Retry:
    """`times` further attempts, the n-th after `delay * factor**(n-1)` s, ± `jitter` of it.

    At most a year lies between two of them.
    """

    times: int = 0
    delay: float = 0.0
    factor: float = 1.0
    jitter: float = 0.0


@dataclass(frozen=True)
class Command:
    """`line` is for /bin/sh; `arguments` are run as they are. One of them is set.

    `environment` is all that the command gets beside its inputs; None: the daemon's PATH, HOME,
    LANG and TZ.
    """

    line: str = ""
    arguments: tuple[str, ...] = ()
    cwd: str | None = None
    environment: dict[str, str] | None = None


@dataclass(frozen=True)
class Delegation:
    """Another action as a sub-task, or one for each item of a list.

    `input` and `for_each` may hold `{name}` of inputs and of earlier steps; `input` also `{item}`.
    """

    label: str
    input: dict[str, JSON]
    for_each: JSON = None
    concurrency: int | None = None


@dataclass(frozen=True)
class Hook:
    """A method that is called when a task has come to one of these states and results."""

    name: str
    events: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class StepDefinition:
    """`timeout` is in seconds. `rescue` is None where the action's own holds.

    A step of YAML has one of `command`, `function` (`module:name`) and `delegation`; without one it
    is a method of the author's class.
    """

    name: str
    needs: tuple[str, ...] = ()
    retry: Retry = Retry()
    timeout: float | None = None
    weight: float = 1.0
    idempotent: bool = False
    rescue: Rescue | None = None
    command: Command | None = None
    function: str | None = None
    delegation: Delegation | None = None
    doc: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Definition:
    """One definition equals only itself, so that what is made of it can be remembered.

    `title` and `locks` may hold `{field}`. `flow` is None where the author's `plan()` decides.

    `planner` is `data` where all that planning needs is here, and `host` where the author's
    `title()`, `locks()` or `plan()` must be called. `revision` changes when the file does.
    """

    label: str
    type: str  # python, yaml, shell
    title: str
    steps: tuple[StepDefinition, ...]
    flow: Flow = None
    planner: str = "data"
    finalize: StepDefinition | None = None
    fields: tuple[Field, ...] = ()
    locks: tuple[str, ...] = ()
    rescue: Rescue = Rescue.PAUSE
    cleanup_after: str | None = None
    cancellable: bool = True
    singleton: bool = False
    on_conflict: OnConflict = OnConflict.PAUSE
    isolation: Isolation = Isolation.PROCESS
    subscribes_to: str | None = None  # the label of an action beside which it runs
    hooks: tuple[Hook, ...] = ()
    doc: str = ""
    module: str = ""  # where a host finds the author's code: `taskd_actions.site.backup`
    name: str = ""  # its name there: `BackUpSite`
    file: str = ""
    line: int = 0
    revision: str = ""

    def step(self, name: str) -> StepDefinition | None:
        """The run step or finalize of that name; None when there is none (any more)."""
        if name == "finalize":
            return self.finalize
        for step in self.steps:
            if step.name == name:
                return step
        return None

    def rescue_of(self, name: str) -> Rescue:
        """The step's own, else the action's."""
        step = self.step(name)
        return (step and step.rescue) or self.rescue


@dataclass(frozen=True)
class Broken:
    """An action file that could not be loaded; among warnings, one that perhaps says what it does
    not mean."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"
