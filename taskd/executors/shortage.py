"""Errors that say "not now": what they kept from being done can be done a little later."""

import errno

from taskd.store.reserve import NO_ROOM

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
