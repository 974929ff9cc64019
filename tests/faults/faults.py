"""A process whose calls on some files fail, or kill it: what `faults.c` is told."""

import errno
from pathlib import Path

STORE = r"/taskd\.(db|mark)"
KILL = 0
KILL_IN_WRITE = -1  # when half of it is done


class Faults:
    """`files` is a regular expression that their paths match, a part of them for one."""

    def __init__(self, library: Path, switch: Path) -> None:
        self._library = library
        self._switch = switch

    def on(
        self,
        files: str,
        calls: str = "write sync",
        *,
        at: int = 1,
        times: int = 0,
        error: int = errno.EIO,
    ) -> dict[str, str]:
        """The environment of a process to which that happens; `times` 0: from then on."""
        return self._told(files) | {
            "FAULT_CALLS": calls,
            "FAULT_AT": str(at),
            "FAULT_TIMES": str(times),
            "FAULT_ERROR": str(error),
        }

    def while_switched_on(self, files: str, calls: str, error: int = errno.EIO) -> dict[str, str]:
        """All of them, from `begin` to `end`."""
        return self.on(files, calls, error=error) | {"FAULT_WHILE": str(self._switch)}

    def begin(self) -> None:
        self._switch.touch()

    def happened(self) -> bool:
        """At least one since the beginning."""
        return self._switch.stat().st_size > 0

    def end(self) -> None:
        self._switch.unlink()

    def noted(self, files: str, notes: Path) -> dict[str, str]:
        """Nothing fails, and a power cut can be had later."""
        return self._told(files) | {"FAULT_NOTES": str(notes)}

    def _told(self, files: str) -> dict[str, str]:
        return {"LD_PRELOAD": str(self._library), "FAULT_FILES": files}
