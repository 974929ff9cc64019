"""Everything taskd raises on purpose.

TaskdError
├── NotFound            no such task, step, action or log
├── InvalidInput        an input, option, time or period that cannot be understood
│   └── QueryError      … in a search query, at a position
├── InvalidAction       an action is declared wrongly, at `file`:`line`; raised at import
├── InvalidState        the operation does not fit the task's state
├── NoMatch             the task is not what was searched for, or not any more
├── LockConflict        another task holds the resource
├── Forbidden           a setting forbids it
├── PermissionDenied    this caller may not
├── Unavailable         the daemon cannot be reached
├── Busy                the daemon cannot take it now: shutting down, disk full
├── WaitTimeout         it was waited for long enough; the task goes on
├── ProtocolError       a request that is no request: no JSON, too large, unknown method
├── AlreadyRunning      another daemon has the store
└── StoreError          the store or configuration must not be used as it is
"""

from typing import ClassVar


class TaskdError(Exception):
    """Base class. `code` travels over the wire, `exit_code` is the command's status.

    `hint` is the remedy: what to type or to change, or "".
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class NotFound(TaskdError):
    code = "not-found"
    exit_code = 3


class InvalidInput(TaskdError):
    code = "invalid-input"
    exit_code = 2


class QueryError(InvalidInput):
    """The search `query`, or an order, is wrong at `position` (0-based column)."""

    code = "query-error"

    def __init__(self, message: str, *, hint: str = "", position: int = 0, query: str = "") -> None:
        super().__init__(message, hint=hint)
        self.position = position
        self.query = query


class InvalidAction(TaskdError):
    """`reason` is the message without its place, `file`:`line` (both unset where unknown)."""

    code = "invalid-action"
    exit_code = 2

    def __init__(self, reason: str, *, hint: str = "", file: str = "", line: int = 0) -> None:
        super().__init__(f"{file}:{line}: {reason}" if file else reason, hint=hint)
        self.reason = reason
        self.file = file
        self.line = line


class InvalidState(TaskdError):
    code = "invalid-state"
    exit_code = 5


class NoMatch(TaskdError):
    code = "no-match"
    exit_code = 5


class LockConflict(TaskdError):
    code = "lock-conflict"
    exit_code = 5


class Forbidden(TaskdError):
    code = "forbidden"
    exit_code = 5


class PermissionDenied(TaskdError):
    code = "permission-denied"
    exit_code = 4


class Unavailable(TaskdError):
    code = "unavailable"
    exit_code = 6


class Busy(TaskdError):
    code = "busy"


class WaitTimeout(TaskdError):
    code = "timeout"
    exit_code = 7


class ProtocolError(TaskdError):
    code = "protocol"


class AlreadyRunning(TaskdError):
    code = "already-running"
    exit_code = 75


class StoreError(TaskdError):
    code = "store"
    exit_code = 78


def by_code(code: str) -> type[TaskdError]:
    """The class that has `code`; TaskdError for one of a newer daemon."""
    return _BY_CODE.get(code, TaskdError)


def _all_below(error: type[TaskdError]) -> dict[str, type[TaskdError]]:
    classes = {error.code: error}
    for child in error.__subclasses__():
        classes |= _all_below(child)
    return classes


_BY_CODE = _all_below(TaskdError)
