"""A bare connection to a daemon in this process."""

from collections.abc import Iterator

import pytest
from json_line import Line
from stage import Stage


@pytest.fixture
def line(stage: Stage) -> Iterator[Line]:
    made = Line(stage.places.socket)
    yield made
    made.close()
