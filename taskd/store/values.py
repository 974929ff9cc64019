"""How values stand in a record: as JSON, which SQLite itself makes of what the store has.

That is faster than to make values of Python of them, and leaves the interpreter to others; and what
stands in the store as JSON is passed on as it is. How they are read: `taskd.store.parsing`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto


class Kind(Enum):
    TEXT = auto()
    WHOLE = auto()
    NUMBER = auto()
    SHARE = auto()  # from 0 to 1
    FLAG = auto()
    TIME = auto()
    OBJECT = auto()
    JSON = auto()  # any, null where there is none
    FLOW = auto()
    ERROR = auto()  # of a step
    LOCKS = auto()  # a list
    WORDS = auto()  # a list


@dataclass(frozen=True)
class Value:
    """`sql` makes JSON of the column `{}`. A text may be one of `words` only."""

    sql: str
    kind: Kind
    words: tuple[str, ...] = ()
    optional: bool = False  # null, and may be missing


class Fields:
    """Fields of a record by name, in their order; the columns have the same names."""

    def __init__(self, fields: Mapping[str, Value]) -> None:
        self.values = dict(fields)
        self.names = tuple(fields)
        self.columns = ", ".join(fields)
        members = ",".join(f'"{name}":%s' for name in fields)
        values = ", ".join(value.sql.format(name) for name, value in fields.items())
        self.members = f"printf('{members}', {values})"  # of a JSON object
        self.object = f"printf('{{{members}}}', {values})"


def optional(value: Value) -> Value:
    return replace(value, sql=f"coalesce({value.sql}, 'null')", optional=True)


def one_of(words: Iterable[str]) -> Value:
    return replace(TEXT, words=tuple(map(str, words)))


TEXT = Value("json_quote({0})", Kind.TEXT)
WHOLE = Value("{0}", Kind.WHOLE)
NUMBER = Value(
    "CASE {0} WHEN 0.0 THEN '0.0' WHEN 1.0 THEN '1.0' ELSE exactly({0}) END", Kind.NUMBER
)
SHARE = replace(NUMBER, kind=Kind.SHARE)
FLAG = Value("CASE WHEN {0} THEN 'true' ELSE 'false' END", Kind.FLAG)
TIME = Value(
    "strftime('\"%Y-%m-%dT%H:%M:%S.', {0} / 1000000, 'unixepoch')"
    " || printf('%06dZ\"', {0} % 1000000)",
    Kind.TIME,
)
OBJECT = Value("{0}", Kind.OBJECT)
JSON = optional(Value("{0}", Kind.JSON))
FLOW = replace(JSON, kind=Kind.FLOW)
ERROR = replace(JSON, kind=Kind.ERROR)
LOCKS = Value("coalesce({0}, '[]')", Kind.LOCKS)
WORDS = Value("coalesce({0}, '[]')", Kind.WORDS)
