"""Puts the parts together, and takes them apart: start and stop order, signals.

lock the state directory ─► store ─► actions ─► recovery ─► socket ─► loop ─► ready
"""

import contextlib
import errno
import faulthandler
import fcntl
import gc
import logging
import os
import queue
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from taskd import cleaning, notifications
from taskd.api import every  # noqa: F401
from taskd.catalog import child
from taskd.catalog.catalog import Catalog
from taskd.config_file import find_unused
from taskd.engine.chores import Chores
from taskd.engine.director import Director
from taskd.engine.engine import Engine, Order, action_folders, load_settings
from taskd.engine.pulse import Pulse
from taskd.engine.recovery import recover
from taskd.engine.safe_mode import LIVES_ON_AFTER, Starts, noted
from taskd.engine.starting import Starter
from taskd.executors.descriptors import raise_limit
from taskd.executors.pool import Pool
from taskd.logs.files import set_aside
from taskd.loop import Loop
from taskd.model.errors import AlreadyRunning, Busy, StoreError, TaskdError
from taskd.places import Places
from taskd.rpc.server import Server
from taskd.service import journal
from taskd.service.notify import Systemd
from taskd.settings import load
from taskd.store.database import Database

log = logging.getLogger(__name__)

READY = b"ready\n"
# A thread that waits for the interpreter gets it after this time; the default, 5 ms, would make a
# host or a client wait that long whenever the director is at work.
SWITCH_SECONDS = 0.0005
# Records come and go by the thousand and hold no cycles: the collector need not look so often.
COLLECT_AFTER = 50_000
LOOK_SECONDS = 3.0


def run(
    places: Places,
    systemd: Systemd,
    listener: socket.socket | None = None,
    ready_fd: int | None = None,
    *,
    accept_loss: bool = False,
) -> int:
    """Serve until told to stop, at the socket of `places` or at `listener`.

    `ready_fd` is told when the socket answers, and closed.

    `accept_loss`: go on with a store that holds less than it should.

    Raises AlreadyRunning and StoreError (by `exit_code`).
    """
    _log_to_stderr()
    if systemd.patience is not None:
        faulthandler.enable()  # what its watchdog kills says where it hangs
    if listener:
        places = replace(places, socket=Path(listener.getsockname()))
    sys.setswitchinterval(SWITCH_SECONDS)
    raise_limit()
    with own(places), noted(places.starts) as starts:
        # What is wrong with the file is said before the store is touched.
        searches = load(places.config, os.environ).searches
        rules = notifications.load(places.config)
        cleanup_rules = cleaning.load(places.config, searches)
        for note in find_unused(places.config):
            log.warning("%s", note)
        engine = _build(places, starts.reason, systemd, accept_loss=accept_loss)
        engine.director.notifier.heed(rules)
        engine.cleaner.rules = cleanup_rules
        server = Server(engine)
        pulse = Pulse(engine)
        _listen_to_signals(engine)
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER)
        server.listen(places.socket, listener)
        _tell_when_it_lives_on(engine, starts)
        pulse.start()
        if not engine.safe_mode:  # in which nothing is begun
            Chores(engine).start()
        engine.loop.start()
        log.info("taskd (pid %d) answers at %s", os.getpid(), places.socket)
        systemd.tell(READY=1)
        if ready_fd is not None:
            os.write(ready_fd, READY)
            os.close(ready_fd)
        engine.loop.call(lambda: _look_after(engine, server))
        status = _obey(engine)
        systemd.tell(STOPPING=1)
        pulse.stop()
        _take_apart(engine, server)
    return status


@contextlib.contextmanager
def own(places: Places) -> Iterator[None]:
    """Hold the lock of the state directory: one daemon a store. The kernel frees it."""
    try:
        places.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(places.state, os.R_OK | os.W_OK | os.X_OK):
            raise StoreError(f"cannot use {places.state}: it cannot be written")
        lock = os.open(places.state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        folder = os.open(places.state, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise StoreError(f"cannot use {places.state}: {error.strerror}") from None
    try:
        for each in (lock, folder):  # the file tells who has it, but somebody may remove it
            fcntl.flock(each, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        noted = os.pread(lock, 16, 0).strip()
        holder = f" (pid {noted.decode()})" if noted.isdigit() else ""
        raise AlreadyRunning(
            f"another daemon{holder} has {places.state}", hint="taskd status"
        ) from None
    with contextlib.suppress(OSError):  # a full disk; who holds it is known by the lock itself
        os.pwrite(lock, str(os.getpid()).ljust(16).encode(), 0)
    try:
        yield
    finally:
        os.close(lock)
        os.close(folder)


def _build(places: Places, safe_mode: str, systemd: Systemd, *, accept_loss: bool) -> Engine:
    is_new = not places.store.exists()
    database = Database(places.store, accept_loss=accept_loss)
    if is_new:
        set_aside(places.logs)  # those of another store, whose tasks had the same numbers
    places.staging.unlink(missing_ok=True)  # of an import that was broken off
    given = load_settings(places, database)
    folders = action_folders(places, given)
    starter = Starter(_load_catalog(folders), given, places)
    loop = Loop("loop")
    director = Director(loop, database, starter)
    director.starting = not safe_mode
    director.pool = pool = Pool(
        loop,
        director.report,
        given,
        attempts=places.attempts,
        hosts=places.hosts,
        action_folders=folders,
    )
    pool.hindered = director.trouble.met
    # What was read feeds the slots that are free before the commit, and what it starts after it.
    loop.expects_more = director.expects_more
    loop.after_round = [pool.flush, director.serve, pool.flush]
    engine = Engine(places, loop, database, starter, pool, director, safe_mode, systemd)
    director.has_fresh_code = engine.has_fresh_code
    _recover(engine)
    if not database.reserve.take():
        director.trouble.met(OSError(errno.ENOSPC, "no space left"))
    return engine


def _recover(engine: Engine) -> None:
    try:
        recover(engine.database, engine.director, engine.pool, engine.places)
    except Exception:  # it may be what the daemons died of, and one in safe mode answers
        if not engine.safe_mode:
            raise
        log.exception("cannot take up what was running")


def _load_catalog(folders: list[str]) -> Catalog:
    """An empty one when the files cannot even be tried: the daemon answers all the same.

    Raises Busy where that is so just now: tasks would be paused for want of their actions.
    """
    try:
        catalog = child.load(folders)
    except Busy:
        raise
    except TaskdError as error:
        log.error("%s", error.message)
        return Catalog(folders=tuple(folders))
    for broken in catalog.broken + catalog.warnings:
        log.warning("%s", broken)
    return catalog


def _tell_when_it_lives_on(engine: Engine, starts: Starts) -> None:
    """To be called before the loop starts: the recovery is what the director does first."""
    engine.director.put(
        lambda _tx: None, lambda *_: engine.loop.later(LIVES_ON_AFTER, starts.take_back)
    )


def _listen_to_signals(engine: Engine) -> None:
    """In the loop: a thread that just starts a process may be given the signal, and then the main
    thread, which alone runs Python's handlers, would not wake for it."""
    orders = {
        signal.SIGTERM: Order.STOP,
        signal.SIGINT: Order.STOP,
        signal.SIGHUP: Order.RELOAD,
        signal.SIGUSR1: None,  # it would end the daemon, which other ones reopen their logs by
        signal.SIGUSR2: None,
    }
    ours, theirs = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def obey(_events: int) -> None:
        for number in os.read(ours, select.PIPE_BUF):
            if order := orders[signal.Signals(number)]:
                engine.orders.put(order)

    engine.loop.watch(ours, obey)
    signal.set_wakeup_fd(theirs)
    for number in orders:
        signal.signal(number, lambda *_: None)


def _look_after(engine: Engine, server: Server) -> None:
    """Every now and then, in the loop: whether clients find the daemon, and it its store."""
    if not engine.database.is_in_place():
        engine.orders.put(Order.GIVE_UP)
        return
    engine.director.trouble.look()
    engine.director.heed_clock()
    try:
        server.look_after()
    except StoreError as error:
        log.error("%s", error.message)
    engine.loop.later(LOOK_SECONDS, lambda: _look_after(engine, server))


def _obey(engine: Engine) -> int:
    """Until told to stop. The exit code."""
    while True:
        order = engine.orders.get()
        level = logging.ERROR if order is Order.GIVE_UP else logging.INFO
        log.log(level, "told to %s", order.value)
        if order is Order.STOP:
            # All others go on by themselves.
            _wait(engine, lambda: engine.pool.threads.busy, engine.settings.cancel_grace)
            return 0
        if order is Order.STOP_AFTER_STEPS:
            _wait(engine, lambda: engine.director.calls_out, engine.settings.stop_grace)
            return 0
        if order is Order.GIVE_UP:
            return AlreadyRunning.exit_code
        try:
            engine.reload()
        except TaskdError as error:
            log.error("%s; what was read before still holds", error.message)


def _wait(engine: Engine, running: Callable[[], int], patience: timedelta) -> None:
    """Start no step any more and wait for those that are `running`, unless told to hurry."""
    with contextlib.suppress(TaskdError):  # a store that cannot be written starts none either
        engine.director.pause_starting(True)
    deadline = time.monotonic() + patience.total_seconds()
    while running() and time.monotonic() < deadline:
        with contextlib.suppress(queue.Empty):
            if engine.orders.get(timeout=0.05) is Order.STOP:
                return


def _take_apart(engine: Engine, server: Server) -> None:
    """No further request is taken; what was is answered, once it is on disk."""
    engine.cleaner.end()
    for tell in engine.farewells:
        tell({"running_steps": engine.director.calls_out})
    server.flush()
    server.stop()
    engine.loop.stop()
    engine.director.notifier.heed(())
    engine.database.close()
    with contextlib.suppress(OSError):  # there is none, and others have the room
        engine.database.reserve.leave()
    log.info("stopped")


def _log_to_stderr() -> None:
    timed = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(journal.Formatter() if journal.reads(2) else timed)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
