"""A store on disk, and a transaction on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from taskd.store.database import Database
from taskd.store.transaction import Transaction


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "taskd.db")
    yield made
    made.close()


@pytest.fixture
def tx(database: Database) -> Transaction:
    return Transaction(database.writer)
