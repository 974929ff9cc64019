"""What can be searched for: a line a field.

`sql` is where the value is found: in `tasks`, or in a table of which a task has many rows.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from taskd.model.recurring import LogicState
from taskd.model.step import StepState
from taskd.model.task import ExecutionType, Result, State

TEXTS = ("=", "!=", "~", "!~", "^", "!^")
ORDER = ("=", "!=", ">", ">=", "<", "<=")


class Kind(StrEnum):
    TEXT = "text"
    ONE_OF = "choice"
    WHOLE = "whole number"
    NUMBER = "number"
    TIME = "time"
    DURATION = "duration"
    JSON = "value"


OPERATORS = {
    Kind.TEXT: TEXTS,
    Kind.ONE_OF: ("=", "!=", "^", "!^"),
    Kind.WHOLE: (*ORDER, "^", "!^"),
    Kind.NUMBER: (*ORDER, "^", "!^"),
    Kind.TIME: ORDER,
    Kind.DURATION: ORDER,
    Kind.JSON: (*ORDER, "~", "!~", "^", "!^"),
}


@dataclass(frozen=True)
class Few:
    """Values that few rows have (none named: any), for which the store has an index.

    SQLite uses that only where `condition`, which holds for them, stands in the query as well.
    """

    condition: str
    values: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Field:
    """`table` is "" where a task has one value. `me`: what `current_user` stands for."""

    name: str
    kind: Kind
    sql: str
    table: str = ""
    also: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    me: str = ""
    folded: str = ""  # where the value stands as casefold makes it, or LIKE compares it well
    other: str = ""  # a second value: either may match
    key: str = ""  # of a JSON object
    few: "Few | None" = None
    narrow: int = 0  # how few tasks one value has: of several indexes, the narrowest is used


def _resource(name: str, column: str, table: str) -> tuple[Field, ...]:
    """The resource, `type:id`, and its parts."""
    kind = f"substr({column}, 1, instr({column}, ':') - 1)"
    identity = f"substr({column}, instr({column}, ':') + 1)"
    return (
        Field(name, Kind.TEXT, column, table),
        Field(f"{name}_type", Kind.TEXT, kind, table),
        Field(f"{name}_id", Kind.TEXT, identity, table),
    )


_UNFINISHED = Few("tasks.state <> 'stopped'", frozenset(State) - {State.STOPPED})
_BAD = Few(
    "tasks.result NOT IN ('pending', 'success')",
    frozenset(("warning", "error", "cancelled")),
)

FIELDS = (
    Field("id", Kind.WHOLE, "tasks.id", narrow=3),
    Field("parent_task_id", Kind.WHOLE, "tasks.parent_task_id", narrow=3),
    Field("recurring_logic.id", Kind.WHOLE, "tasks.recurring_logic_id", also=("task_group.id",)),
    Field("label", Kind.TEXT, "tasks.label", folded="tasks.label", narrow=2),
    Field("name", Kind.TEXT, "tasks.name", also=("action",), folded="tasks.folded_name"),
    Field("external_id", Kind.TEXT, "tasks.external_id"),
    Field("key", Kind.TEXT, "tasks.key"),
    Field(
        "state",
        Kind.ONE_OF,
        "tasks.state",
        values=tuple(map(str, State)),
        few=_UNFINISHED,
        narrow=3,
    ),
    Field(
        "result", Kind.ONE_OF, "tasks.result", values=tuple(map(str, Result)), few=_BAD, narrow=1
    ),
    Field(
        "execution_type", Kind.ONE_OF, "tasks.execution_type", values=tuple(map(str, ExecutionType))
    ),
    Field("type", Kind.ONE_OF, "tasks.type", values=("python", "yaml", "shell")),
    Field("created_at", Kind.TIME, "tasks.created_at"),
    Field("start_at", Kind.TIME, "tasks.start_at"),
    Field("start_before", Kind.TIME, "tasks.start_before"),
    Field("started_at", Kind.TIME, "tasks.started_at"),
    Field("ended_at", Kind.TIME, "tasks.ended_at"),
    Field("state_updated_at", Kind.TIME, "tasks.state_updated_at"),
    Field("duration", Kind.DURATION, "(ifnull(tasks.ended_at, {now}) - tasks.started_at)"),
    Field("progress", Kind.NUMBER, "tasks.progress"),
    Field("user", Kind.TEXT, "tasks.user", also=("owner", "owner.login"), me="name", narrow=2),
    Field("user.id", Kind.WHOLE, "tasks.uid", also=("owner.id",), me="id"),
    *_resource("resource", "resource", "links"),
    *_resource("locked_resource", "resource", "locks"),
    Field("lock.operation", Kind.TEXT, "nullif(operation, '')", "locks"),
    Field("step", Kind.TEXT, "name", "steps"),
    Field(
        "step.state",
        Kind.ONE_OF,
        "state",
        "steps",
        values=tuple(map(str, StepState)),
        few=Few("error IS NOT NULL", frozenset(("error",))),
    ),
    Field(
        "error",
        Kind.TEXT,
        "json_extract(error, '$.message')",
        "steps",
        other="json_extract(error, '$.kind')",
        few=Few("error IS NOT NULL"),
    ),
)
OBJECTS = ("input", "output")  # `input.site` is the value that a task's input has at `site`


@dataclass(frozen=True)
class Vocabulary:
    """What can be searched for in one kind of record. Texts are looked for in the fields `texts`,
    and among the values of `choices`."""

    table: str
    fields: tuple[Field, ...]
    texts: tuple[str, ...]
    choices: tuple[str, ...]
    objects: tuple[str, ...] = ()

    @cached_property
    def names(self) -> dict[str, Field]:
        return {name: field for field in self.fields for name in (field.name, *field.also)}

    def find(self, name: str) -> Field | None:
        """The field that is called so, in any case but for a key of `input` and `output`."""
        if field := self.names.get(name.lower()):
            return field
        object_, dot, key = name.partition(".")
        if dot and key and object_.lower() in self.objects:
            place = f"{self.table}.{object_.lower()}"
            return Field(f"{object_.lower()}.{key}", Kind.JSON, place, key=key)
        return None

    def with_value(self, word: str) -> Field | None:
        """The first field that takes this as one of few values."""
        return next((field for field in self.fields if word.lower() in field.values), None)


TASKS = Vocabulary("tasks", FIELDS, ("name", "label", "error"), ("state", "result"), OBJECTS)
find = TASKS.find

LOGICS = Vocabulary(
    "recurring_logics",
    (
        Field("id", Kind.WHOLE, "recurring_logics.id"),
        Field("cron_line", Kind.TEXT, "recurring_logics.cron_line"),
        Field("timezone", Kind.TEXT, "recurring_logics.timezone"),
        Field("state", Kind.ONE_OF, "recurring_logics.state", values=tuple(map(str, LogicState))),
        Field("purpose", Kind.TEXT, "recurring_logics.purpose"),
        Field("iteration", Kind.WHOLE, "recurring_logics.iteration"),
        Field("iteration_limit", Kind.WHOLE, "recurring_logics.iteration_limit"),
        Field("until", Kind.TIME, "recurring_logics.until"),
        Field("label", Kind.TEXT, "recurring_logics.label"),
        Field("name", Kind.TEXT, "recurring_logics.name", also=("action",)),
        Field("user", Kind.TEXT, "recurring_logics.user", also=("owner", "owner.login"), me="name"),
        Field("last_occurrence", Kind.TIME, "recurring_logics.last_occurrence"),
        Field("next_occurrence", Kind.TIME, "recurring_logics.next_occurrence"),
    ),
    ("name", "label", "purpose"),
    ("state",),
)
