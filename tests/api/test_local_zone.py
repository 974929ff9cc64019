"""Which time zone a process is in."""

import time
from collections.abc import Callable, Iterator

import pytest

from taskd.local_zone import local_zone


@pytest.fixture
def in_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    def look(name: str) -> str:
        monkeypatch.setenv("TZ", name)
        time.tzset()
        return local_zone()

    yield look
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (":Europe/Berlin", "Europe/Berlin"),
        ("/usr/share/zoneinfo/Europe/Berlin", "Europe/Berlin"),
        ("XXX-02:30", "+02:30"),
        ("XXX+3", "-03:00"),
    ],
)
def test_zone_has_its_name_or_else_its_offset(
    in_zone: Callable[[str], str], name: str, zone: str
) -> None:
    assert in_zone(name) == zone
