"""What the daemon tells the service manager that started it, by the protocol of sd_notify(3)."""

import contextlib
import logging
import os
import socket
import time
from collections.abc import Iterator, MutableMapping

from taskd.model.errors import TaskdError

log = logging.getLogger(__name__)

PATIENCE = 1.0  # seconds, where its socket is full


class Systemd:
    """The service manager; where there is none, or it does not hear, nothing else changes."""

    def __init__(self, address: str = "", patience: float | None = None) -> None:
        self._address = os.fsencode(address)
        self.patience = patience  # seconds between two WATCHDOG=1, or it kills this process

    @property
    def listens(self) -> bool:
        return bool(self._address)

    def tell(self, **facts: object) -> None:
        """E.g. `tell(READY=1, STATUS="no step runs")`."""
        if not self._address:
            return
        lines = [f"{name}={' '.join(str(fact).splitlines())}" for name, fact in facts.items()]
        path = b"\0" + self._address[1:] if self._address.startswith(b"@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
                ours.settimeout(PATIENCE)
                ours.sendto("\n".join(lines).encode(errors="backslashreplace"), path)
        except OSError as error:
            log.warning("cannot tell the service manager %s: %s", ", ".join(facts), error)

    @contextlib.contextmanager
    def told_why(self) -> Iterator[None]:
        """`systemctl status` shows what kept the daemon from its work."""
        try:
            yield
        except TaskdError as error:
            self.tell(STATUS=error.message)
            raise

    @contextlib.contextmanager
    def reloading(self) -> Iterator[None]:
        self.tell(RELOADING=1, MONOTONIC_USEC=time.monotonic_ns() // 1000)
        try:
            yield
        finally:
            self.tell(READY=1)


def find(environment: MutableMapping[str, str]) -> Systemd:
    """Takes its variables away, since they are not for what the daemon starts."""
    address = environment.pop("NOTIFY_SOCKET", "")
    mine = environment.pop("WATCHDOG_PID", "") in ("", str(os.getpid()))
    length = environment.pop("WATCHDOG_USEC", "")
    patience = int(length) / 1e6 if mine and length.isdecimal() and int(length) else None
    return Systemd(address, patience)
