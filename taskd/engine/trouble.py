"""What keeps the store or the steps from being written: a full disk, or a failing one.

Nothing is started then. Outcomes are kept and tried again; tasks can still be cancelled, for which
the store has a reserve, while new ones are refused if the disk is full. It ends by itself.
"""

import errno
import logging
from collections.abc import Callable

from taskd.executors.shortage import RETRY_SECONDS
from taskd.loop import Loop
from taskd.model.errors import Busy
from taskd.store.database import Database, Lost, is_full, is_locked, is_of_the_disk
from taskd.store.reserve import NO_ROOM

log = logging.getLogger(__name__)

_FAILING = (errno.EIO, errno.EROFS)
_FULL = "the disk is full"

Answer = Callable[[object, BaseException | None], object]


class Trouble:
    """`attempt` commits something and answers; `over` is called when the trouble is.

    All of it is done in the loop's thread.
    """

    def __init__(
        self,
        loop: Loop,
        database: Database,
        attempt: Callable[[Answer], object],
        over: Callable[[], object],
    ) -> None:
        self.what = ""  # "" when all is well
        self._loop = loop
        self._database = database
        self._attempt = attempt
        self._over = over

    @property
    def note(self) -> str:
        """What the daemon says of it."""
        return f"{self.what}: no step is started until that is over" if self.what else ""

    @property
    def full(self) -> bool:
        return self.what == _FULL

    def refuse_more(self) -> None:
        """No new tasks while the disk is full. Raises Busy."""
        if self.full:
            raise Busy(
                "no task is started now: the disk is full", hint="make room; taskctl cancel works"
            )

    def met(self, error: Exception) -> None:
        """It may be something else that went wrong."""
        what = _name(error)
        if what and not self.what:
            log.error("%s: no step is started until that is over", what)
            self._loop.later(RETRY_SECONDS, self._try_again)
        if not self.full:  # whatever else that brings
            self.what = what or self.what

    def look(self) -> None:
        """Whether the disk is full, which is noticed before the store itself needs room."""
        if not self.what and not self._database.reserve.is_room():
            self.met(OSError(errno.ENOSPC, "no space left"))

    def _try_again(self) -> None:
        if self._has_room():
            self._attempt(self._tried)
        else:
            self._loop.later(RETRY_SECONDS, self._try_again)

    def _tried(self, _value: object, error: BaseException | None) -> None:
        if error is None and self._is_written():
            log.info("the store is written again")
            self.what = ""
            self._over()
        else:
            self._loop.later(RETRY_SECONDS, self._try_again)

    def _has_room(self) -> bool:
        try:
            return self._database.reserve.take()
        except OSError:
            return False

    def _is_written(self) -> bool:
        """What a commit does not need at once."""
        try:
            self._database.checkpoint()
            self._database.mark.prove()
        except (Lost, OSError):
            return False
        return True


def _name(error: Exception) -> str:
    """Of the trouble that it is a sign of; "" where it is of none."""
    if isinstance(error, Lost) and is_of_the_disk(error):
        if is_locked(error):
            return "another program has locked the store"
        return _FULL if is_full(error) else f"the store cannot be written ({error})"
    if isinstance(error, OSError) and error.errno in (*NO_ROOM, *_FAILING):
        return _FULL if error.errno in NO_ROOM else f"the disk cannot be written ({error.strerror})"
    return ""
