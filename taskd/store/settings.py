"""Settings that were stored while the daemon ran: their text, and who stored it when."""

import json
import sqlite3
from pathlib import Path

from taskd.config_file import Given
from taskd.store import check, meta

_NAME = "settings"


def find(connection: sqlite3.Connection) -> dict[str, Given]:
    """By name."""
    pairs = json.loads(meta.get(connection, _NAME, "{}"))
    return {name: Given(value, where) for name, (value, where) in pairs.items()}


def read(store: Path) -> dict[str, Given]:
    """The same, without a daemon or beside one; none where the store cannot be used."""
    return check.ask(store, find, {})


def put(connection: sqlite3.Connection, name: str, given: Given | None) -> None:
    """None: it is not stored any more."""
    others = {other: one for other, one in find(connection).items() if other != name}
    own = {name: given} if given else {}
    pairs = {key: (one.value, one.where) for key, one in (others | own).items()}
    meta.put(connection, _NAME, json.dumps(pairs))
