"""An import: records come in as text, are checked and set aside; at the end they are let in.

text ─► lines ─► staging, on disk          nothing has changed so far, whatever is wrong with them
                 staging ─► the director, a slice at a time ─► logs

It may be broken off anywhere, and be repeated with what is there passed over.
"""

import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from taskd import wire
from taskd.engine.director import Director
from taskd.logs.parts import put, read_part
from taskd.model.errors import InvalidInput, InvalidState, ProtocolError
from taskd.store import meta
from taskd.store.arrivals import Arrival, read, taken
from taskd.store.database import Database
from taskd.store.staging import LogPart, Staging

MAX_LINE = 64 << 20  # characters
CHECKED = 1000  # ids at once
SLICE = 100  # tasks of one change of the director
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
        self, path: Path, database: Database, director: Director, logs: str, who: str
    ) -> None:
        self.number = next(_numbers)
        self.progress = Progress()
        self._lock = threading.Lock()
        self._staging = Staging(path)
        self._database = database
        self._director = director
        self._logs = logs
        self._who = who
        self._began = datetime.now(UTC)
        with database.snapshot() as connection:
            self._own = meta.get(connection, "store")
        self._open: list[str] = []  # parts of a line that has not ended
        self._line = 0  # how many have
        self._complete = False  # all is there, and may come in

    def feed(self, text: str) -> None:
        """The next part of the file. Raises InvalidInput, with the number of the line."""
        with self._lock:
            self._feed(text)

    def let_in(self, *, skip_existing: bool) -> Progress:
        """Let in the next page of them; before the first one, all that was sent is looked at.

        Raises InvalidInput for an end that is none, and InvalidState, unless `skip_existing`, when
        an id is taken.
        """
        with self._lock:
            if not self._complete:
                self._end()
                if not skip_existing:
                    self._refuse_taken()
                self.progress.total = self._staging.count()
                self._complete = True
            page = self._staging.page(self.progress.at, PAGE)
            for first in range(0, len(page), SLICE):
                self._let_in(page[first : first + SLICE])
            self.progress.ended = len(page) < PAGE
            return replace(self.progress)

    def close(self) -> None:
        with self._lock:
            self._staging.close()

    def _feed(self, text: str) -> None:
        *whole, rest = text.split("\n")
        if whole:
            whole[0] = "".join([*self._open, whole[0]])
            self._open = []
        self._open.append(rest)
        arrivals: list[Arrival] = []
        logs: list[LogPart] = []
        for line in whole:
            self._read(line, arrivals, logs)
        if sum(map(len, self._open)) > MAX_LINE:
            raise InvalidInput(
                f"line {self._line + 1} is too long: this is no export; nothing was imported"
            )
        self._staging.add(arrivals, logs)

    def _end(self) -> None:
        if any(self._open):
            self._feed("\n")
        if (task_id := self._staging.ambiguous()) is not None:
            raise InvalidInput(
                f"task {task_id} is there twice, and not the same; nothing was imported"
            )

    def _refuse_taken(self) -> None:
        first = [*islice(self._taken(), 4)]
        if first:
            more = "; …" if len(first) > 3 else ""
            raise InvalidState(
                f"{'; '.join(first[:3])}{more}: nothing was imported",
                hint="--skip-existing passes over those whose ids are taken",
            )

    def _read(self, line: str, arrivals: list[Arrival], logs: list[LogPart]) -> None:
        self._line += 1
        try:
            record = _json(line)
            if not isinstance(record, dict) or "id" not in record:
                raise InvalidInput("it is no record of a task")
            if "log" in record:
                logs.append(_log_part(*map(record.get, ("id", "log", "text", "at"))))
                return
            arrival = read(record, self._own, self._who, self._began)
            arrivals.append(arrival)
            short = record.get("logs", {})
            if not isinstance(short, dict):
                raise InvalidInput("logs is no object")
            logs += [_log_part(arrival.id, name, short[name]) for name in short]
        except InvalidInput as error:
            raise InvalidInput(
                f"line {self._line}: {error.message}; nothing was imported"
            ) from None

    def _taken(self) -> Iterator[str]:
        """Of each whose id is taken, by what."""
        identities = self._staging.identities()
        while page := dict(islice(identities, CHECKED)):
            with self._database.snapshot() as connection:
                there = taken(connection, page)
            for task_id, origin in there.items():
                what = "is there already" if origin == page[task_id] else "is another one here"
                yield f"task {task_id} {what}"

    def _let_in(self, arrivals: list[Arrival]) -> None:
        there = self._director.do(lambda tx: tx.admit(arrivals))
        same = {each.id for each in arrivals if there.get(each.id, each.origin) == each.origin}
        for part in self._staging.logs(arrivals[0].id, arrivals[-1].id):
            if part.task_id in same:
                put(self._logs, part.task_id, part.name, part.at, part.text)
        self.progress.skipped += len(there)
        self.progress.imported += len(arrivals) - len(there)
        self.progress.at = arrivals[-1].id


def _json(line: str) -> Any:
    try:
        return wire.loads(line)
    except ProtocolError:
        raise InvalidInput("it is no JSON, or cut off") from None


def _log_part(task_id: Any, name: Any, text: Any, at: Any = 0) -> LogPart:
    if type(task_id) is not int or type(at) is not int or at < 0:
        raise InvalidInput("it is no part of a log")
    return LogPart(task_id, name, at, read_part(name, text))
