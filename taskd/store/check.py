"""Whether a store may be used, found without changing it; a daemon may be at work on it."""

import contextlib
import sqlite3
from pathlib import Path

from taskd.store.database import APPLICATION_ID
from taskd.store.migrations import MIGRATIONS


def find_problems(path: Path) -> list[str]:
    """One line each. A store that does not exist yet has none."""
    if not path.exists():
        return []
    try:
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as store:
            return [f"{path}: {problem}" for problem in _problems(store)]
    except sqlite3.Error as error:
        return [f"{path}: {error}"]


def _problems(store: sqlite3.Connection) -> list[str]:
    if _value(store, "PRAGMA application_id") != APPLICATION_ID:
        return ["it is not a store of taskd"]
    version = _value(store, "PRAGMA user_version")
    if version > len(MIGRATIONS):
        return [f"it has schema {version}, this taskd knows {len(MIGRATIONS)}"]
    found = [row[0] for row in store.execute("PRAGMA quick_check(5)")]
    return [] if found == ["ok"] else found


def _value(store: sqlite3.Connection, query: str) -> int:
    return int(store.execute(query).fetchone()[0])
