"""Which tasks are exported, and how they are had from the daemon: page by page, one ahead."""

import json
import re
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeAlias

from taskd.model.errors import TaskdError

PAGE = 500  # tasks that are asked for at once
AHEAD = 2  # pages that the daemon makes while one is written

_ID = re.compile(r'"id":([0-9]+)')

Record: TypeAlias = dict[str, Any]
Tell: TypeAlias = Callable[[str], object]


class Tasks:
    """Those that are exported, the newest first; `about` says which they are.

    `passed` is called with the number of tasks that were done. `skip_failed`: what cannot be
    exported is told and left out; otherwise it raises TaskdError.
    """

    def __init__(
        self,
        channel: Any,
        ids: Sequence[int],
        about: str,
        *,
        passed: Callable[[int], object],
        tell: Tell,
        skip_failed: bool,
    ) -> None:
        self.ids = ids
        self.about = about
        self.failed = 0
        self._channel = channel
        self._passed = passed
        self._tell = tell
        self._skip_failed = skip_failed

    def rows(self) -> Iterator[list[Any]]:
        """id, state, type, label, result, parent_task_id, started_at, ended_at."""
        for answer in self._answers("history.rows", self.ids):
            yield from answer["rows"]

    def lines(self) -> Iterator[str]:
        """All that there is of them, for an import; the oldest first."""
        for line, _ in self._read(self.ids[::-1]):
            yield line

    def records(self, tail: int) -> Iterator[Record]:
        """Each with `tail` bytes of its logs."""
        for _, record in self._read(self.ids, tail=tail):
            yield record

    def _read(self, ids: Sequence[int], **parameters: Any) -> Iterator[tuple[str, Record]]:
        """Lines, with what they say: what a damaged store gives may be no JSON."""
        for answer in self._answers("history.records", ids, **parameters):
            for line in answer["lines"]:
                try:
                    yield line, json.loads(line)
                except ValueError as error:
                    self.fail(int(_ID.findall(line)[0]), error)

    def fail(self, task_id: int, error: Exception) -> None:
        """The task cannot be exported. Raises TaskdError, unless it is to be left out."""
        if not self._skip_failed:
            raise TaskdError(
                f"cannot export task {task_id}: {error}",
                hint="--skip-failed leaves out what cannot be exported",
            ) from None
        self.failed += 1
        self._tell(f"task {task_id} is left out: it cannot be exported: {error}")

    def _answers(self, method: str, ids: Sequence[int], **parameters: Any) -> Iterator[Record]:
        pages = ([*ids[first : first + PAGE]] for first in range(0, len(ids), PAGE))
        asked = ((page, self._submit(method, page, parameters)) for page in pages)
        ahead = deque(islice(asked, AHEAD))
        while ahead:
            page, number = ahead.popleft()
            yield from self._whole(method, page, self._channel.outcome(number), parameters)
            self._passed(len(page))
            ahead.extend(islice(asked, 1))

    def _whole(
        self, method: str, page: list[int], answer: Record | TaskdError, parameters: Record
    ) -> Iterator[Record]:
        """The answers for a page: the first one, and those for what is left."""
        while not isinstance(answer, TaskdError):
            yield answer
            page, more = answer["left"], {"skip": answer["skip"]}
            if not page:
                return
            answer = self._channel.outcome(self._submit(method, page, parameters | more))
        if len(page) == 1:
            self.fail(page[0], answer)
            return
        for task_id in page:
            alone = self._channel.outcome(self._submit(method, [task_id], parameters))
            yield from self._whole(method, [task_id], alone, parameters)

    def _submit(self, method: str, page: list[int], parameters: Record) -> int:
        number: int = self._channel.submit(method, task_ids=page, **parameters)
        return number


def gather(channel: Any, search: str, days: int | None) -> "array[int]":
    """The ids of the tasks that both mean, the newest first."""
    found: array[int] = array("q")
    after = None
    while page := channel.ask("history.find", search=search, days=days, after=after):
        found.extend(page)
        after = page[-1]
    return found
