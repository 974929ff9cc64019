"""What keeps the store from being written, a full disk or a failing one: nothing is started then.

Outcomes are kept meanwhile and tried again. While the disk is full a reserve is given up, part by
part, so that tasks can still be cancelled; new ones are refused. It ends by itself.
"""

import logging

from taskd.model.errors import Busy
from taskd.store.database import Lost, is_full, is_of_the_disk
from taskd.store.reserve import Reserve

log = logging.getLogger(__name__)


class Trouble:
    def __init__(self, reserve: Reserve) -> None:
        self.note = ""  # what the daemon says of it; "" when all is well
        self.full = False
        self._reserve = reserve

    def met(self, error: Exception) -> None:
        """A transaction was lost."""
        if not (isinstance(error, Lost) and is_of_the_disk(error)):
            return
        if is_full(error):
            self.full = True
            self._reserve.give()
        what = "the disk is full" if self.full else f"the store cannot be written ({error})"
        note = f"{what}: no step is started until that is over"
        if note != self.note:
            log.error("%s", note)
            self.note = note

    def refuse_more(self) -> None:
        """No new tasks while the disk is full. Raises Busy."""
        if self.full:
            raise Busy(
                "no task is started now: the disk is full", hint="make room; taskctl cancel works"
            )

    def may_be_over(self) -> bool:
        """Whether it is worth a try; `over` when that went well."""
        return not self.full or self._reserve.take_back()

    def over(self) -> None:
        log.info("the store is written again")
        self.note, self.full = "", False
