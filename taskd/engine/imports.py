"""The imports of a daemon: one at a time, each for as long as its client is there."""

import threading
from collections.abc import Callable

from taskd.engine.importing import Import
from taskd.model.errors import InvalidState


class Imports:
    """From any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at_hand: Import | None = None

    def begin(self, make: Callable[[], Import]) -> Import:
        """Raises InvalidState while there is another one, and what `make` raises."""
        with self._lock:
            if other := self._at_hand:
                if not other.abandoned:
                    told = f"cannot import: {other.who} does just now"
                    raise InvalidState(told, hint="try again when that is over")
                self._close(other)
            self._at_hand = make()
            return self._at_hand

    def find(self, number: int) -> Import:
        """Raises InvalidState."""
        found = self._at_hand
        if found is None or found.number != number:
            raise InvalidState("there is no such import: it has ended, or was given up")
        return found

    def end(self, number: int) -> None:
        """What was not let in is given up."""
        with self._lock:
            if self._at_hand and self._at_hand.number == number:
                self._close(self._at_hand)

    def abandon(self, number: int) -> None:
        """Its client is gone. Waits for nothing."""
        found = self._at_hand
        if found and found.number == number:
            found.abandoned = True
            threading.Thread(target=self.end, args=(number,), daemon=True).start()

    def _close(self, importing: Import) -> None:
        self._at_hand = None
        importing.close()
