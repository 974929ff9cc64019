"""The known actions."""

from taskd.api.access import Permission
from taskd.api.methods import errand
from taskd.engine.engine import Engine
from taskd.model.definition import Broken, Definition


@errand(Permission.VIEW_TASKS)
def find(engine: Engine) -> list[Definition]:
    """By label."""
    definitions = engine.refresh().definitions
    return [definitions[label] for label in sorted(definitions)]


@errand(Permission.VIEW_TASKS)
def get(engine: Engine, label: str) -> Definition:
    return engine.refresh().get(label)


@errand(Permission.VIEW_TASKS)
def broken(engine: Engine) -> list[Broken]:
    """Action files that could not be loaded, and why."""
    return list(engine.refresh().broken)
