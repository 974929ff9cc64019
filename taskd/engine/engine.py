"""The engine's parts in one hand, for the API and the daemon."""

import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from taskd import cleaning, notifications
from taskd.catalog import child
from taskd.catalog.catalog import Catalog
from taskd.config_file import Given
from taskd.engine.cleaner import Cleaner
from taskd.engine.director import Director
from taskd.engine.imports import Imports
from taskd.engine.starting import Starter
from taskd.executors.pool import Pool
from taskd.loop import Loop
from taskd.model.errors import TaskdError
from taskd.places import Places
from taskd.service.notify import Systemd
from taskd.settings import Settings, load
from taskd.store import settings as stored
from taskd.store.database import Database

log = logging.getLogger(__name__)


REFRESH_AGAIN = 10.0  # seconds after action files could not be read


class Order(Enum):
    """What the daemon's main thread can be told, by a signal or a request."""

    STOP = "stop"
    STOP_AFTER_STEPS = "stop after the running steps"
    RELOAD = "reload"
    GIVE_UP = "stop, since its store is not where it was"


@dataclass
class Engine:
    places: Places
    loop: Loop
    database: Database
    starter: Starter
    pool: Pool
    director: Director
    safe_mode: str = ""  # why no step is started, in safe mode
    systemd: Systemd = field(default_factory=Systemd)
    orders: queue.SimpleQueue[Order] = field(default_factory=queue.SimpleQueue)
    farewells: list[Callable[[object], None]] = field(default_factory=list)  # told when it stops
    started: float = field(default_factory=time.monotonic)
    imports: Imports = field(default_factory=Imports)
    cleaner: Cleaner = field(init=False)
    _refreshing: bool = False
    _reading: threading.Lock = field(default_factory=threading.Lock)
    _setting: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.cleaner = Cleaner(self.places, self.loop, self.database, self.director, self.starter)

    @property
    def catalog(self) -> Catalog:
        return self.starter.catalog

    @property
    def note(self) -> str:
        """Why no step is started, where that is so; else ""."""
        if drained := self.director.drained:
            drained = f"drained {drained}: no step is started; taskctl undrain"
        return self.safe_mode or self.director.trouble.note or drained

    @property
    def settings(self) -> Settings:
        return self.starter.settings

    def refresh(self, *, always: bool = False) -> Catalog:
        """Read the action files again if one has changed; steps that run keep their code."""
        with self._reading:
            if always or self.catalog.is_stale():
                folders = action_folders(self.places, self.settings)
                self.starter.catalog = child.load(folders)
                self.director.put(lambda _tx: self.pool.renew(folders))  # before what comes now
                for broken in self.catalog.broken + self.catalog.warnings:
                    log.warning("%s", broken)
            return self.catalog

    def has_fresh_code(self) -> bool:
        """If not, it is read again, and the director looks again then."""
        if not self.catalog.is_stale():
            return True
        if not self._refreshing:
            self._refreshing = True
            threading.Thread(target=self._refresh_for_later, name="refresh", daemon=True).start()
        return False

    def _refresh_for_later(self) -> None:
        try:
            self.refresh()
        except TaskdError as error:
            log.warning("cannot read the action files again: %s", error.message)
            time.sleep(REFRESH_AGAIN)
        self._refreshing = False
        self.loop.call(self.director.look)

    def reload(self) -> None:
        """Read the configuration and all actions again. Raises StoreError; the old ones stay."""
        with self.systemd.reloading():
            self._reload()

    def _reload(self) -> None:
        with self._setting:
            settings = load_settings(self.places, self.database)
            rules = notifications.load(self.places.config)
            cleanup = cleaning.load(self.places.config, settings.searches)
            self._heed(settings)
        self.director.notifier.heed(rules)
        self.cleaner.rules = cleanup
        self.refresh(always=True)

    def store_setting(self, name: str, given: Given | None) -> None:
        """It holds from now on, unless file or environment say otherwise; None: the default.

        Raises InvalidInput.
        """
        with self._setting:
            folders = self.settings.action_paths
            settings = self.settings.with_stored(name, given)
            self.director.do(lambda tx: stored.put(tx.write(), name, given))
            self._heed(settings)
        if settings.action_paths != folders:
            self.refresh(always=True)

    def _heed(self, settings: Settings) -> None:
        self.starter.settings = settings

        def heed() -> None:
            self.pool.heed(settings)
            self.director.look()

        self.loop.call(heed)


def load_settings(places: Places, database: Database) -> Settings:
    """Those in force, with what is stored. Raises StoreError."""
    with database.snapshot() as connection:
        settings = load(places.config, os.environ, stored.find(connection))
    for line in settings.passed_over:
        log.warning("%s", line)
    return settings


def action_folders(places: Places, settings: Settings) -> list[str]:
    """Relative ones are beside the configuration."""
    more = (places.config.parent / path for path in settings.action_paths)
    return [str(places.actions), *map(str, more)]
