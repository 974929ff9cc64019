"""What the service manager is told while the daemon works.

WATCHDOG=1  after a commit of the director, asked for in the loop; so where the loop hangs, or
            nothing can be committed, another daemon is started
STATUS=…    what runs and what waits, when it has changed
"""

import threading

from taskd.engine.director import Change
from taskd.engine.engine import Engine
from taskd.store import tasks
from taskd.store.database import Lost

STATUS_SECONDS = 5.0  # at least, between two


class Pulse:
    """To be started before the loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._told = ""
        self._ended = threading.Event()
        # A thread of its own: to count a million tasks would hold up the loop.
        self._thread = threading.Thread(target=self._keep_telling, name="status", daemon=True)

    def start(self) -> None:
        if self._engine.systemd.patience is not None:
            self._engine.loop.later(self._engine.systemd.patience / 2, self._ask)
        if self._engine.systemd.listens:
            self._thread.start()

    def stop(self) -> None:
        """It reads the store no more."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _ask(self) -> None:
        self._engine.director.add(Change(lambda _tx: None, self._answered))

    def _answered(self, _value: object, error: BaseException | None) -> None:
        if error is None:
            self._engine.systemd.tell(WATCHDOG=1)
        assert self._engine.systemd.patience
        self._engine.loop.later(self._engine.systemd.patience / 2, self._ask)

    def _keep_telling(self) -> None:
        self._tell()
        while not self._ended.wait(STATUS_SECONDS):
            self._tell()

    def _tell(self) -> None:
        text = summary(self._engine)
        if text != self._told:
            self._told = text
            self._engine.systemd.tell(STATUS=text)


def summary(engine: Engine) -> str:
    """What runs and waits, in a line."""
    try:
        with engine.database.snapshot() as connection:
            by_state = tasks.count_by_state(connection)
    except Lost as error:
        return f"the store cannot be read: {error}"
    counts = ", ".join(f"{count} {state}" for state, count in by_state.items())
    line = f"running steps: {engine.director.calls_out}; tasks: {counts or 'none unfinished'}"
    return f"{engine.note}; {line}" if engine.note else line
