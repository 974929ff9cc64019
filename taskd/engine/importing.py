"""An import: records come in as text, are checked and set aside; at the end they are let in.

text ─► a child (`import_reader`) ─► staging, on disk      nothing has changed so far,
                                     staging ─► the director, a slice at a time ─► logs

It may be broken off anywhere, and be repeated with what is there passed over.
"""

import contextlib
import itertools
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

from taskd.engine.director import Director
from taskd.logs.parts import put
from taskd.loop import Loop
from taskd.model.errors import Busy, InvalidInput, InvalidState, TaskdError
from taskd.store import meta
from taskd.store.admission import taken
from taskd.store.database import Database
from taskd.store.staging import Staging

AHEAD = 1 << 20  # bytes that the child may still have to read
CHECKED = 1000  # ids at once
SLICE = 400  # tasks of one change of the director
PAGE = 2000  # tasks that are let in at one call


_numbers = itertools.count(1)


@dataclass
class Progress:
    """Of letting them in. `at`: the last id that was looked at."""

    total: int = 0
    imported: int = 0
    skipped: int = 0
    at: int = 0
    ended: bool = False


class Import:
    """`who` imports. One call at a time, from any thread."""

    def __init__(
        self, path: Path, loop: Loop, database: Database, director: Director, logs: str, who: str
    ) -> None:
        """Raises Busy."""
        self.number = next(_numbers)
        self.who = who
        self.abandoned = False  # its client is gone
        self.progress = Progress()
        self._lock = threading.Lock()
        self._path = path
        self._loop = loop
        self._database = database
        self._director = director
        self._logs = logs
        with database.snapshot() as connection:
            self._child = _begin(path, str(meta.get(connection, "store")), who)
        self._staging: Staging | None = None  # once all is there, and may come in

    def feed(self, text: str) -> None:
        """The next part of the file. Raises InvalidInput when something before it was wrong."""
        assert self._child.stdin
        with self._lock:
            try:
                self._child.stdin.write(text.encode())
                self._child.stdin.flush()
            except BrokenPipeError:
                self._hear()

    def let_in(self, *, skip_existing: bool) -> Progress:
        """Let in the next page of them; before the first one, all that was sent is looked at.

        Raises InvalidInput for what is wrong, and InvalidState, unless `skip_existing`, when an id
        is taken.
        """
        with self._lock:
            staging = self._staging or self._open(skip_existing)
            page = staging.page(self.progress.at, PAGE)
            for begin in range(0, len(page), SLICE):
                self._let_in(staging, page[begin : begin + SLICE])
            self.progress.ended = len(page) < PAGE
            return replace(self.progress)

    def close(self) -> None:
        with self._lock:
            self._child.kill()
            self._child.communicate()
            if self._staging:
                self._loop.call(self._database.detach)
                self._staging.close()
            self._path.unlink(missing_ok=True)

    def _open(self, skip_existing: bool) -> Staging:
        self.progress.total = self._hear()
        staging = Staging(self._path)
        before = highest = staging.highest()
        try:
            # What is started meanwhile takes no id of these.
            before = self._director.do(lambda tx: tx.keep_free(highest))
            if not skip_existing:
                self._refuse_taken(staging)
        except BaseException:  # nobody would close it
            staging.close()
            with contextlib.suppress(TaskdError):  # then ids are left out
                self._director.do(lambda tx: tx.need_no_more(highest, before))
            raise
        self._loop.call(partial(self._database.attach, self._path))
        self._staging = staging
        return staging

    def _hear(self) -> int:
        """What the child says of all that was sent: how many tasks they are."""
        with contextlib.suppress(BrokenPipeError):
            said, _ = self._child.communicate()
        answer = json.loads(said or "{}")
        if "error" in answer:
            told = f"{answer['error']}; nothing was imported"
            raise InvalidInput(told, hint=answer["hint"])
        if "count" not in answer:
            status = self._child.returncode
            raise TaskdError(f"what reads imports has died (status {status}); nothing was imported")
        return int(answer["count"])

    def _refuse_taken(self, staging: Staging) -> None:
        first = [*islice(self._taken(staging), 4)]
        if first:
            more = "; …" if len(first) > 3 else ""
            raise InvalidState(
                f"{'; '.join(first[:3])}{more}: nothing was imported",
                hint="--skip-existing passes over those whose ids are taken",
            )

    def _taken(self, staging: Staging) -> Iterator[str]:
        """Of each whose id is taken, by what."""
        identities = staging.identities()
        while page := dict(islice(identities, CHECKED)):
            with self._database.snapshot() as connection:
                there = taken(connection, page)
            for task_id, origin in there.items():
                what = "is there already" if origin == page[task_id] else "is another one here"
                yield f"task {task_id} {what}"

    def _let_in(self, staging: Staging, ids: list[int]) -> None:
        first, last = ids[0], ids[-1]
        passed = self._director.do(lambda tx: tx.admit(first, last))
        for part in staging.logs(first, last):
            if passed.get(part.task_id, True):
                put(self._logs, part.task_id, part.name, part.at, part.text)
        self.progress.skipped += len(passed)
        self.progress.imported += len(ids) - len(passed)
        self.progress.at = last


def _begin(path: Path, own: str, who: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "taskd.engine.import_reader", str(path), own, who]
    try:
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pipesize=AHEAD
        )
    except OSError as error:
        raise Busy(f"cannot begin an import: {error}", hint="try again later") from None
