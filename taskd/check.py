"""What is wrong with configuration, actions and store, found without a daemon."""

import os
from collections.abc import Iterator

from taskd.catalog import child
from taskd.config_file import find_unused
from taskd.engine.engine import action_folders
from taskd.model.errors import StoreError, TaskdError
from taskd.places import Places
from taskd.settings import Settings, load
from taskd.store import check as store


def find_problems(places: Places) -> Iterator[str]:
    """One line each, with the file and, where there is one, the line in it."""
    settings = Settings()  # the actions of the default folder are looked at in any case
    try:
        places.require_config()
        settings = load(places.config, os.environ)
    except TaskdError as error:
        yield from error.message.splitlines()
    folders = []
    for folder in action_folders(places, settings):
        if problem := _in_folder(folder, may_be_missing=folder == str(places.actions)):
            yield problem
        else:
            folders.append(folder)
    yield from _in_actions(folders)
    yield from _in_store(places)


def find_notes(places: Places) -> list[str]:
    """What is no mistake, and yet not as one may think, with file and line."""
    try:
        return find_unused(places.config)
    except StoreError:
        return []  # it is among the problems


def _in_folder(folder: str, *, may_be_missing: bool) -> str:
    try:
        os.scandir(folder).close()
    except OSError as error:
        if not (may_be_missing and isinstance(error, FileNotFoundError)):
            return f"cannot read the folder of actions {folder}: {error.strerror}"
    return ""


def _in_actions(folders: list[str]) -> Iterator[str]:
    try:
        catalog = child.load(folders)
    except TaskdError as error:
        yield error.message
        return
    for broken in catalog.broken:
        yield f"{broken.file}:{broken.line}: {broken.message}"


def _in_store(places: Places) -> list[str]:
    try:
        return store.find_problems(places.store)
    except OSError as error:
        return [f"cannot read {places.store}: {error.strerror}"]
