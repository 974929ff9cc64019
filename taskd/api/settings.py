"""Settings: find, get, set, unset."""

from datetime import UTC, datetime

from taskd.api.access import Caller, Permission
from taskd.api.methods import errand
from taskd.config_file import Given
from taskd.engine.engine import Engine
from taskd.model.errors import Forbidden, InvalidInput
from taskd.model.setting import Setting, Source
from taskd.search.saved import find_mistakes
from taskd.settings import FIELDS, plain_name, read_value


@errand(Permission.VIEW_TASKS)
def find(engine: Engine) -> list[Setting]:
    return engine.settings.table()


@errand(Permission.VIEW_TASKS)
def get(engine: Engine, name: str) -> Setting:
    return engine.settings.describe(plain_name(name))


@errand(Permission.ADMIN)
def set(engine: Engine, caller: Caller, name: str, value: str) -> Setting:
    """Store a value, written as in the environment. It holds at once."""
    name = plain_name(name)
    _check_is_free(engine, name)
    _check_value(name, value)
    where = f"{caller.user}, {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    engine.store_setting(name, Given(value, where))
    return engine.settings.describe(name)


@errand(Permission.ADMIN)
def unset(engine: Engine, name: str) -> Setting:
    """Take back what was stored: the default holds again, at once."""
    name = plain_name(name)
    engine.store_setting(name, None)
    return engine.settings.describe(name)


def _check_is_free(engine: Engine, name: str) -> None:
    """Nothing keeps it from being stored. Raises Forbidden."""
    source, where = engine.settings.origin(name)
    if source is Source.ENVIRONMENT:
        raise Forbidden(
            f"cannot set {name}: {where} in the environment of the daemon sets it",
            hint="change it there, then taskd restart",
        )
    if source is Source.FILE:
        raise Forbidden(f"cannot set {name}: {where} sets it", hint="change it there; taskd reload")
    if FIELDS[name].metadata["at_start"]:
        raise Forbidden(
            f"cannot set {name}: it counts only when the daemon starts",
            hint=f"write it under `settings:` in {engine.places.config}; taskd restart",
        )


def _check_value(name: str, text: str) -> None:
    """Raises InvalidInput."""
    value = read_value(name, text)
    if name == "searches":
        for mistake in find_mistakes(value):
            raise InvalidInput(f"searches: {mistake}")
