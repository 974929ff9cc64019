"""What is wrong with configuration, actions and store, found without a daemon."""

import os
from collections.abc import Iterator

from taskd.catalog import child
from taskd.engine.engine import action_folders
from taskd.model.errors import TaskdError
from taskd.places import Places
from taskd.settings import Settings, load
from taskd.store import check as store


def find_problems(places: Places) -> Iterator[str]:
    """One line each, with the file and, where there is one, the line in it."""
    settings = Settings()  # the actions of the default folder are looked at in any case
    try:
        settings = load(places.config, os.environ)
    except TaskdError as error:
        yield from error.message.splitlines()
    yield from _in_actions(action_folders(places, settings))
    yield from store.find_problems(places.store)


def _in_actions(folders: list[str]) -> Iterator[str]:
    try:
        catalog = child.load(folders)
    except TaskdError as error:
        yield error.message
        return
    for broken in catalog.broken:
        yield f"{broken.file}:{broken.line}: {broken.message}"
