"""Each test is a host that has imported nothing yet."""

import sys
from collections.abc import Iterator

import pytest

from taskd.catalog.python_source import find_action


@pytest.fixture(autouse=True)
def _fresh_host(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "taskd_actions"]:
        del sys.modules[name]
    find_action.cache_clear()
