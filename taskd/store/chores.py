"""When each daily chore was begun last, and what came of it."""

import json
import sqlite3
from dataclasses import asdict, dataclass
from datetime import datetime

from taskd.store import meta
from taskd.store.times import from_number, time_of, to_number


@dataclass(frozen=True)
class Last:
    """`ended_at` is None while it is at work, and where a daemon died meanwhile."""

    begun_at: datetime
    ended_at: datetime | None = None
    told: str = ""
    failed: bool = False


def find(connection: sqlite3.Connection, name: str) -> Last | None:
    """None where it was never begun."""
    text = meta.get(connection, _key(name))
    if text is None:
        return None
    found = json.loads(text)
    begun, ended = found.pop("begun_at"), found.pop("ended_at")
    return Last(time_of(begun), from_number(ended), **found)


def put(connection: sqlite3.Connection, name: str, last: Last) -> None:
    times = {"begun_at": to_number(last.begun_at), "ended_at": to_number(last.ended_at)}
    meta.put(connection, _key(name), json.dumps(asdict(last) | times))


def _key(name: str) -> str:
    return f"chore {name}"
