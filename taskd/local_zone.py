"""The time zone of the process, so that the daemon reads times as the caller means them.

It imports almost nothing: every `taskctl` says its zone.
"""

import os
import time

_KNOWN = "/usr/share/zoneinfo/"
_OF_THE_MACHINE = "/etc/localtime"


def local_zone() -> str:
    """`Europe/Berlin` or, where the zone has no name, its offset now: `+02:00`."""
    name = os.environ.get("TZ", "").lstrip(":") or _OF_THE_MACHINE
    file = os.path.realpath(os.path.join(_KNOWN, name))
    if file.startswith(_KNOWN) and os.path.isfile(file):
        return name if os.path.isfile(_KNOWN + name) else file.removeprefix(_KNOWN)
    if name == _OF_THE_MACHINE and not os.path.exists(name):
        return "UTC"
    offset = time.strftime("%z")
    return f"{offset[:3]}:{offset[3:5]}"
