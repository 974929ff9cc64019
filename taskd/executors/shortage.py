"""Errors that say "not now": what they kept from being done can be done a little later."""

import errno
import logging
from collections.abc import Callable

from taskd.loop import Loop
from taskd.store.reserve import NO_ROOM

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0

_NOT_NOW = (
    *NO_ROOM,
    errno.EIO,
    errno.EROFS,
    errno.EMFILE,
    errno.ENFILE,
    errno.EAGAIN,  # no further process, mostly
    errno.ENOMEM,
)


def is_shortage(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in _NOT_NOW


def insist(loop: Loop, function: Callable[[], object]) -> None:
    """Do in the loop what must be done: again and again, where there is no descriptor for it."""
    try:
        function()
    except OSError as error:
        log.warning("%s: tried again in %g s", error, RETRY_SECONDS)
        loop.later(RETRY_SECONDS, lambda: insist(loop, function))
