"""What is wrong with configuration, actions and store, found without a daemon."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from taskd import cleaning, notifications
from taskd.catalog import child
from taskd.config_file import find_unused
from taskd.engine.engine import action_folders
from taskd.model.errors import TaskdError
from taskd.places import Places
from taskd.search.saved import find_mistakes
from taskd.settings import Settings, load
from taskd.store import check as store
from taskd.store.settings import read


@dataclass
class Findings:
    """One line each, with the file and, where there is one, the line in it.

    `notes` are no mistakes, and yet perhaps not what one means.
    """

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def gathered(self) -> Iterator[None]:
        """What is raised is among the problems."""
        try:
            yield
        except TaskdError as error:
            self.problems += error.message.splitlines()


def look(places: Places) -> Findings:
    found = Findings()
    actions(places, configuration(places, found), found)
    ways(places, found)
    found.problems += store.find_problems(places.store)
    return found


def configuration(places: Places, found: Findings) -> Settings:
    """The settings in force; the defaults where they cannot be read."""
    settings = Settings()
    with found.gathered():
        places.require_config()
        found.notes += find_unused(places.config)
        with found.gathered():
            settings = load(places.config, os.environ, read(places.store))
            found.notes += settings.passed_over
        with found.gathered():
            notifications.load(places.config)
        with found.gathered():
            cleaning.load(places.config, settings.searches)
    found.problems += _check_searches(settings)
    return settings


def actions(places: Places, settings: Settings, found: Findings) -> None:
    """Those of the default folder are looked at in any case."""
    folders = []
    for folder in action_folders(places, settings):
        if problem := _in_folder(folder, may_be_missing=folder == str(places.actions)):
            found.problems.append(problem)
        else:
            folders.append(folder)
    with found.gathered():
        catalog = child.load(folders)
        found.problems += map(str, catalog.broken)
        found.notes += map(str, catalog.warnings)


def ways(places: Places, found: Findings) -> None:
    """What is in the way of a daemon that is to start there."""
    found.problems += _in_the_way(places)


def _in_the_way(places: Places) -> Iterator[str]:
    if os.path.exists(places.state) and not os.access(places.state, os.R_OK | os.W_OK | os.X_OK):
        yield f"{places.state} cannot be written"
    for folder in (places.attempts, places.hosts, places.logs, places.backups):
        if os.path.lexists(folder) and not os.path.isdir(folder):
            yield f"{folder} is no folder"
    if os.path.exists(places.socket) and not places.socket.is_socket():
        yield f"{places.socket} is no socket: nobody can listen there"


def _in_folder(folder: str, *, may_be_missing: bool) -> str:
    try:
        os.scandir(folder).close()
    except OSError as error:
        if not (may_be_missing and isinstance(error, FileNotFoundError)):
            return f"cannot read the folder of actions {folder}: {error.strerror}"
    return ""


def _check_searches(settings: Settings) -> Iterator[str]:
    where = settings.origin("searches").where
    return (f"{where}: {mistake}" for mistake in find_mistakes(settings.searches))
