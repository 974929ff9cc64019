"""Deletes old tasks for good, one cleanup at a time, in a thread of its own.

plan ─► a batch: end what may be ended ─► keep it, on disk ─► delete it in slices ─► drop its logs
                                                          ─► the next batch is kept meanwhile
     ─► logs that are nobody's ─► old backups ─► give room back

A slice is a change for the director that takes so little time that others hardly notice. Wherever a
cleanup ends, also by a crash, each task is whole in the store, or whole in the backup, or in both;
and the next cleanup goes on.
"""

import contextlib
import itertools
import logging
import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any

from taskd.catalog.catalog import Catalog
from taskd.cleaning import Cleaning
from taskd.engine import deleted, family
from taskd.engine.archive import lines
from taskd.engine.cleanup import Cleanup, Order, Progress
from taskd.engine.cleanup_parts import Part, of_rules
from taskd.engine.director import Director
from taskd.engine.pace import Pace
from taskd.engine.room import Room
from taskd.engine.starting import Starter
from taskd.local_zone import local_zone
from taskd.logs import files as logs
from taskd.loop import Loop
from taskd.model.errors import InvalidState, NoMatch, NotFound, TaskdError
from taskd.model.interval import parse_interval
from taskd.model.task import SYSTEM
from taskd.model.wall import zone_of
from taskd.places import Places
from taskd.search.asker import SAVED, Asker
from taskd.store import deleting
from taskd.store.admission import taken
from taskd.store.database import Connection, Database, reading
from taskd.store.deleting import Plan
from taskd.store.transaction import Transaction

log = logging.getLogger(__name__)

SAMPLE = 5
ENDED_AT_ONCE = 20
NOBODYS_SECONDS = 3600.0  # before a folder of logs counts as nobody's: a task may just be coming


class Cleaner:
    """`rules` are replaced when the configuration is read again."""

    def __init__(
        self, places: Places, loop: Loop, database: Database, director: Director, starter: Starter
    ) -> None:
        self.rules = Cleaning()
        self._places = places
        self._loop = loop
        self._database = database
        self._director = director
        self._starter = starter
        self._lock = threading.Lock()
        self._at_work: Cleanup | None = None
        self._threads: list[threading.Thread] = []
        self._ending = False
        self._room = Room(loop, database)
        self._tasks = Pace(50, 1000)  # in a slice

    @property
    def catalog(self) -> Catalog:
        return self._starter.catalog

    @property
    def at_work(self) -> Cleanup | None:
        """It deletes just now."""
        return self._at_work

    def begin(self, order: Order) -> Cleanup:
        """Raises InvalidState while another one deletes."""
        cleanup = Cleanup(order)
        with self._lock:
            if self._ending:
                raise InvalidState("cannot clean up: the daemon stops")
            if not order.noop:
                if self._at_work:
                    raise InvalidState(
                        "cannot clean up: another cleanup is at work", hint="try again later"
                    )
                self._at_work = cleanup
            self._threads = [each for each in self._threads if each.is_alive()]
            thread = threading.Thread(
                target=self._run, args=(cleanup,), name="cleanup", daemon=True
            )
            self._threads.append(thread)
        thread.start()
        return cleanup

    def clean_daily(self) -> str:
        """By the rules, if they are to be followed each day. What came of it. Raises InvalidState,
        and what has ended it."""
        if not self.rules.daily:
            return "not asked for: the configuration has no section cleanup, or daily: false there"
        backup = self.rules.backup if self.rules.backup.enabled else None
        cleanup = self.begin(Order(self.parts(), SYSTEM, backup=backup))
        cleanup.wait()
        parts = cleanup.report()["parts"]
        return f"tasks deleted: {sum(part['deleted'] for part in parts)}"

    def end(self) -> None:
        """The daemon is about to stop: return when nothing is at work any more."""
        with self._lock:
            self._ending = True
            if self._at_work:
                self._at_work.stop()
        for thread in self._threads:
            thread.join()

    def parts(self) -> list[Part]:
        """What the rules mean now, in their order."""
        searches = {**SAVED, **self._starter.settings.searches}
        zone = zone_of(local_zone())
        asker = Asker(SYSTEM, os.geteuid(), datetime.now(UTC), zone, searches)
        return of_rules(self.rules, self.own_periods(), asker)

    def own_periods(self) -> dict[str, Any]:
        """What actions say of themselves, by label; also those that are only kept with tasks."""
        known = self.catalog.definitions
        with self._database.snapshot() as connection:
            texts = deleting.kept_periods(connection)
        texts = {label: text for label, text in texts.items() if label not in known}
        texts |= {label: d.cleanup_after for label, d in known.items() if d.cleanup_after}
        return {label: parse_interval(text) for label, text in texts.items()}

    # In its thread

    def _run(self, cleanup: Cleanup) -> None:
        try:
            self._clean(cleanup)
        except TaskdError as error:
            cleanup.error = error
        except Exception as error:  # where a request ends: who asked for it is to know
            log.exception("a cleanup failed")
            cleanup.error = TaskdError(f"a mistake in taskd: {error!r}; its log has more")
        if not cleanup.order.noop:
            self._tell(cleanup)
            self._at_work = None
        cleanup.end()
        if not cleanup.order.noop:
            self._room.give_back(lambda: self._ending or self._at_work is not None)

    def _clean(self, cleanup: Cleanup) -> None:
        order = cleanup.order
        with self._database.beside() as connection:
            plan = Plan(connection)
            for number, part in enumerate(order.parts):
                cleanup.parts[number].matched = plan.add(number, part.where, part.states)
                cleanup.parts[number].sample = plan.sample(number, SAMPLE)
            if not order.noop:
                self._delete_planned(cleanup, connection, plan)
            self._drop_orphans(cleanup, connection)

    def _delete_planned(self, cleanup: Cleanup, connection: Connection, plan: Plan) -> None:
        folder, now = self._places.backups, datetime.now(UTC)
        deleted.mend(folder)
        keeper = deleted.Keeper(folder, deleting.COLUMNS, now)
        with (
            self._unguarded(),
            self._room,
            contextlib.closing(keeper),
            ThreadPoolExecutor(1, "delete") as pool,
        ):
            before: Future[None] | None = None
            for progress, tops in self._batches(cleanup, plan):
                versions = self._prepare(connection, plan, tops, cleanup.order, keeper)
                if cleanup.order.backup:  # while its long snapshots are not in the way
                    self._room.make(0)
                if before:
                    before.result()
                before = pool.submit(self._delete, progress, versions)
            if before:
                before.result()
        cleanup.backup = str(keeper.path or "")
        if cleanup.order.backup:
            deleted.rotate(folder, cleanup.order.backup, now)

    @contextlib.contextmanager
    def _unguarded(self) -> Iterator[None]:
        """Within, references between rows are looked after by `deleting` alone."""
        self._loop.call(partial(self._database.delete_much, True))
        try:
            yield
        finally:
            self._loop.call(partial(self._database.delete_much, False))

    def _batches(self, cleanup: Cleanup, plan: Plan) -> Iterator[tuple[Progress, list[int]]]:
        for number, progress in enumerate(cleanup.parts):
            for tops in plan.batches(number, cleanup.order.batch_size):
                if cleanup.stopped:
                    return
                yield progress, tops

    def _prepare(
        self,
        connection: Connection,
        plan: Plan,
        tops: Sequence[int],
        order: Order,
        keeper: deleted.Keeper,
    ) -> dict[int, int]:
        """The versions of what is to be deleted, which is ended and kept then."""
        if unfinished := plan.unfinished(tops):
            self._end(unfinished, order.who)
            plan.renew(unfinished)
        # The snapshot ends before the disk is waited for: it holds up who else uses the store.
        with keeper.keeping() as keep, reading(connection):
            versions = plan.versions(tops)
            if order.backup and versions:
                ids = list(versions)
                found = lines(connection, str(self._places.logs), ids)
                records = itertools.chain.from_iterable(own for _, own in found)
                keep(records, deleting.rows(connection, ids))
        return versions

    def _end(self, versions: dict[int, int], who: str) -> None:
        """As a cancel does, so that those who wait for them or their locks go on."""

        def change(tx: Transaction, some: Sequence[int]) -> None:
            for task_id in some:
                with contextlib.suppress(InvalidState, NotFound):  # then it stays
                    task = tx.get(task_id)
                    if task.version == versions[task_id]:
                        cancelled = family.cancel(tx, self.catalog, task, who)
                        self._director.tell_to_end(tx, cancelled)

        left = iter(versions)
        while some := list(itertools.islice(left, ENDED_AT_ONCE)):
            self._director.do(partial(change, some=some))

    def _delete(self, progress: Progress, versions: dict[int, int]) -> None:
        """Those below others first: should it end here, none is left without what it belongs to."""
        newest_first = iter(sorted(versions.items(), reverse=True))
        while some := dict(itertools.islice(newest_first, self._tasks.size)):
            with contextlib.suppress(NoMatch), self._tasks.kept(len(some)):  # else they stay
                gone = self._director.do(partial(Transaction.delete, versions=some))
                progress.deleted += len(gone)
                logs.drop(str(self._places.logs), gone)
            self._room.make()

    def _drop_orphans(self, cleanup: Cleanup, connection: Connection) -> None:
        root = str(self._places.logs)
        for found in logs.find_old(root, time.time() - NOBODYS_SECONDS):
            there = taken(connection, found)
            orphans = [task_id for task_id in found if task_id not in there]
            cleanup.orphans += len(orphans)
            if not cleanup.order.noop:
                logs.drop(root, orphans)

    def _tell(self, cleanup: Cleanup) -> None:
        count = sum(part.deleted for part in cleanup.parts)
        if cleanup.error:
            log.error("a cleanup was given up, %d tasks were deleted: %s", count, cleanup.error)
        elif count:
            kept = f"; they are in {cleanup.backup}" if cleanup.backup else ""
            log.info("tasks deleted by a cleanup: %d%s", count, kept)
