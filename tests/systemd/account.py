"""A user of the lab who lingers, and what such a user types."""

import contextlib
import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from lab import Lab, eventually

COMMANDS = Path(sys.executable).parent
_numbers = itertools.count(30_001)  # of no user of the machine


class User:
    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.uid = next(_numbers)
        self.name = f"user{self.uid}"
        self.home = Path("/home", self.name)
        self.state = self.home / ".local/state/taskd"
        self.socket = self.state / "taskd.sock"
        self.ledger = self.home / "ledger"
        lab.run("useradd", "--create-home", "--uid", self.uid, self.name)
        lab.run("loginctl", "enable-linger", self.name)
        lab.run("systemctl", "start", f"user@{self.uid}")

    def leave(self) -> None:
        """All that runs for this user ends, and nothing starts at the next boot."""
        self._lab.run("loginctl", "disable-linger", self.name)
        self._lab.run(
            "systemctl", "kill", "--signal", "KILL", f"user-{self.uid}.slice", check=False
        )

    # What is typed

    def run(self, *command: object, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self._lab.run(*self.command(*command), check=check)

    def command(self, *words: object) -> list[object]:
        """What the lab is to run for this user to type `words`."""
        become = ["setpriv", "--reuid", self.uid, "--regid", self.uid, "--init-groups"]
        own = [f"HOME={self.home}", f"XDG_RUNTIME_DIR=/run/user/{self.uid}"]
        return [*become, "env", "-C", self.home, *own, *words]

    def taskd(self, *words: object, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run(COMMANDS / "taskd", *words, check=check)

    def taskctl(self, *words: object, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run(COMMANDS / "taskctl", *words, check=check)

    def systemctl(self, *words: object, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run("systemctl", "--user", *words, check=check)

    # Shorter

    def exec(self, line: str) -> int:
        return int(self.taskctl("exec", "-q", "--", line).stdout)

    def unit(self, name: str) -> str:
        """A property of the service."""
        shown = self.systemctl("show", "--property", name, "--value", "taskd.service")
        return shown.stdout.strip()

    @property
    def daemon(self) -> int:
        """Its pid, in the lab; 0 when there is none."""
        return int(self.unit("MainPID"))

    def next_daemon(self, before: int) -> None:
        """Returns when another one is ready."""
        eventually(lambda: self.daemon not in (0, before) and self.unit("ActiveState") == "active")

    def journal(self) -> list[dict[str, Any]]:
        """What the service has said so far."""
        self._lab.run("journalctl", "--sync")
        said = self._lab.run(
            "journalctl", "-o", "json", "_SYSTEMD_USER_UNIT=taskd.service", f"_UID={self.uid}"
        )
        return [json.loads(line) for line in said.stdout.splitlines()]

    # Files

    def write(self, file: Path, text: str) -> None:
        self.run("mkdir", "-p", file.parent)
        self._lab.path(file).write_text(text)
        self._lab.run("chown", self.name, file)

    def lines(self) -> list[str]:
        """What steps wrote into the ledger."""
        with contextlib.suppress(FileNotFoundError):
            return self._lab.path(self.ledger).read_text().split()
        return []
