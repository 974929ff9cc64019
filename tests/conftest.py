"""Makes what several rings share importable: `builders`, `stage`, `reference`, `real_daemon`, …"""

from collections.abc import Iterator

import pytest
from builders import a_definition
from hypothesis import HealthCheck, settings
from stage import Stage, a_stage

from taskd.model.definition import Retry, StepDefinition
from taskd.model.record import replace

# How long an example takes says more of the machine than of what is tested.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A daemon in this process with four slots; the test ends its steps."""
    again = StepDefinition(name="work", retry=Retry(1, delay=0.01))
    with a_stage(
        a_definition("demo"),
        a_definition("two", ["first", "second"]),
        a_definition("locked", locks=("site:blog",)),
        replace(a_definition("again"), steps=(again,)),
    ) as made:
        yield made
