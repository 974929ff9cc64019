"""How long a search may take: the time of a reader is all that it costs the others."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator

from taskd.model.errors import QueryError

SECONDS = 2.0
_STEPS = 20_000  # of SQLite's machine between two looks at the clock


@contextlib.contextmanager
def limited(connection: sqlite3.Connection, seconds: float = SECONDS) -> Iterator[None]:
    """Raises QueryError when what is done with `connection` takes longer."""
    deadline = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        raise QueryError(
            f"this takes longer than {seconds:g} s, and was given up",
            hint="add a condition that leaves out most, e.g. on label, state or started_at",
        ) from None
    finally:
        connection.set_progress_handler(None, 0)
