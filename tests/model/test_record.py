"""Changed copies of frozen records."""

from dataclasses import FrozenInstanceError, dataclass

import pytest

from taskd.model.lock import Lock
from taskd.model.record import replace


@dataclass(frozen=True)
class Point:
    x: int
    y: int = 0


def test_copy_differs_in_what_was_named() -> None:
    point = Point(1, 2)

    moved = replace(point, y=3)

    assert moved == Point(1, 3)
    assert point == Point(1, 2)


def test_copy_is_frozen_too() -> None:
    moved = replace(Point(1), x=2)

    with pytest.raises(FrozenInstanceError):
        moved.x = 3  # type: ignore[misc]  # that it may not is the test


def test_copy_keeps_the_class() -> None:
    assert replace(Lock("site:blog"), operation="backup") == Lock("site:blog", "backup")


def test_unknown_field_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="Point has no field z"):
        replace(Point(1), z=1)
