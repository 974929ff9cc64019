"""The time zone of the process, so that the daemon reads times as the caller means them.

It imports almost nothing: every `taskctl` says its zone.
"""

import os
import time

_KNOWN = "/usr/share/zoneinfo/"


def local_zone() -> str:
    """`Europe/Berlin` or, where the zone has no name, its offset now: `+02:00`."""
    name = os.environ.get("TZ", "").lstrip(":") or _of_the_machine()
    file = os.path.join(_KNOWN, name)
    if name and file.startswith(_KNOWN) and os.path.isfile(file):
        return file.removeprefix(_KNOWN)
    offset = time.strftime("%z")
    return f"{offset[:3]}:{offset[3:5]}"


def _of_the_machine() -> str:
    return os.path.realpath("/etc/localtime").partition(_KNOWN)[2]
