"""A service manager in the test's hands."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from managed import Manager


@pytest.fixture
def manager() -> Iterator[Manager]:
    with tempfile.TemporaryDirectory(prefix="tm", ignore_cleanup_errors=True) as folder:
        one = Manager(Path(folder))
        yield one
        one.close()
