"""All pages of an export: one for each task, and lists of them, the newest first."""

import os
from base64 import b64encode
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, TypeAlias

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from taskctl import VERSION
from taskctl.exporting import Record, Tasks
from taskctl.pages import page
from taskctl.view import times
from taskd.model.inert import inert

LISTED = 1000  # tasks on one page of the list
LOG_TAIL = 16 * 1024  # bytes of the log of each step

Add: TypeAlias = Callable[[str, bytes], object]  # name of a file, what is in it

_FOLDER = os.path.dirname(__file__)
_TEMPLATES = "task", "list"
_SHOWN = "id", "name", "label", "state", "result", "user", "started_at", "duration"


class Site:
    """`add` is given one page after the other."""

    def __init__(self, tasks: Tasks, add: Add) -> None:
        self._tasks = tasks
        self._add = add
        self._counts: Counter[str] = Counter()  # of all tasks, by what became of them
        self._first: list[Record] = []  # on the first page of the list, which is written last
        templates = _templates(tasks.ids)
        self._task, self._list = (templates.get_template(f"{name}.html") for name in _TEMPLATES)

    def write(self) -> None:
        listed: list[Record] = []
        number = 1
        for record in self._tasks.records(LOG_TAIL):
            if self._write_task(record):
                if len(listed) == LISTED:
                    self._end_list(number, listed)
                    number, listed = number + 1, []
                listed.append({name: record[name] for name in _SHOWN})
                self._counts[page.outcome(record)] += 1
        self._end_list(number, listed, last=True)
        self._write_list(1, self._first, last=number == 1)

    def _write_task(self, record: Record) -> bool:
        try:
            text = self._task.render(task=record)
        except Exception as error:  # a record of another program may hold anything
            self._tasks.fail(record["id"], error)
            return False
        self._add(f"tasks/{record['id']}.html", text.encode())
        return True

    def _end_list(self, number: int, listed: list[Record], *, last: bool = False) -> None:
        if number == 1:
            self._first = listed
        else:
            self._write_list(number, listed, last=last)

    def _write_list(self, number: int, listed: list[Record], *, last: bool) -> None:
        text = self._list.render(
            number=number,
            tasks=listed,
            counts=self._counts,
            about=self._tasks.about,
            newer=list_name(number - 1) if number > 1 else None,
            older=None if last else list_name(number + 1),
        )
        self._add(list_name(number), text.encode())


def list_name(number: int) -> str:
    return "index.html" if number == 1 else f"index-{number}.html"


class _Templates(Environment):
    def getattr(self, record: Any, name: str) -> Any:
        """Names of records are looked up first: it is quicker, and no method is in their way."""
        if isinstance(record, dict) and name in record:
            return record[name]
        return super().getattr(record, name)


def _templates(ids: Sequence[int]) -> Environment:
    """`ids` are those of which there is a page, in descending order."""

    def has_page(task_id: object) -> bool:
        if type(task_id) is not int:
            return False
        place = bisect_left(ids, -task_id, key=lambda each: -each)
        return place < len(ids) and ids[place] == task_id

    with open(os.path.join(_FOLDER, "style.css"), encoding="utf-8") as file:
        style = file.read()
    digest = b64encode(sha256(style.encode()).digest()).decode()
    templates = _Templates(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals |= {
        "policy": f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'",
        "style": Markup(style),
        "version": VERSION,
        "written_at": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}",
        "has_page": has_page,
        "page": page,
        "length": times.length,
        "percent": times.percent,
    }
    return templates


def _harmless(value: Any) -> Any:
    """What comes to the escaping: text of tasks may also hold what reorders or hides text."""
    return value if isinstance(value, Markup) else inert(value, keep="\n\t")
