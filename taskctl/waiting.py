"""Waiting for tasks until they rest, while their changes and output are shown."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from taskctl.options import Setup
from taskctl.view.forms import Record
from taskctl.view.log import LogPrinter
from taskctl.view.story import Story, ending
from taskctl.view.terminal import draws
from taskd.channel import Channel
from taskd.model.errors import Unavailable, WaitTimeout

POLL = 30.0  # seconds that a request may wait for news

# What an awaited task makes of the exit code, the worst first.
EXIT_CODES = {"error": 8, "paused": 9, "cancelled": 10}


def exit_code(tasks: Sequence[Record]) -> int:
    """That of the worst of `tasks`."""
    outcomes = {t["state"] if t["state"] == "paused" else t["result"] for t in tasks}
    return next((code for outcome, code in EXIT_CODES.items() if outcome in outcomes), 0)


def wait_for(
    setup: Setup,
    task_ids: Sequence[int | str],
    *,
    timeout: float | None = None,
    enough: int | None = None,
    quiet: bool = False,
    log: LogPrinter | None = None,
) -> list[Record]:
    """The tasks once all of them, or `enough`, rest. Raises WaitTimeout.

    Their changes and ends are told on stderr unless `quiet`. Ctrl-C only ends the waiting.
    """
    watch = Watch(setup.channel, timeout, log)
    if setup.json:  # others were told when the connection was made
        setup.warn()
    try:
        with _teller(setup, quiet, log) as tell:
            rested = watch.until(task_ids, enough, tell)
    except KeyboardInterrupt:
        names = watch.names(task_ids)
        click.echo(f"detached; task {names} goes on. taskctl wait {names}", err=True)
        raise
    except Unavailable as lost:
        names = watch.names(task_ids)
        raise Unavailable(
            lost.message, hint=f"task {names} goes on; taskd start, then taskctl wait {names}"
        ) from None
    for task in rested:
        if not quiet or exit_code([task]):
            click.echo("\n".join(ending(task)), err=True)
    return rested


def whole(setup: Setup, tasks: Sequence[Record]) -> list[Record]:
    """`tasks` as `show` has them, with errors, locks and history."""
    numbers = setup.channel.submit_many([("tasks.get", {"task_id": t["id"]}) for t in tasks])
    return [setup.channel.collect(number) for number in numbers]


def _teller(setup: Setup, quiet: bool, log: LogPrinter | None) -> Any:
    """Lines that change in place would be torn by the output of steps."""
    if quiet or log or not draws(sys.stderr):
        return Story(quiet=quiet)
    from taskctl.view.console import console
    from taskctl.view.progress import Progress

    return Progress(console(setup.color, stderr=True))


class Watch:
    """Requests in flight, and what is done with each answer."""

    def __init__(self, channel: Channel, timeout: float | None, log: LogPrinter | None) -> None:
        self._numbers: dict[int | str, int] = {}  # of the tasks, by what they are called
        self._channel = channel
        self._timeout = timeout
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._log = log
        self._position: dict[int | str, Mapping[str, int]] = {}
        self._pending: dict[int, Callable[[Record], None]] = {}
        self._rested: list[Record] = []

    def names(self, task_ids: Sequence[int | str]) -> str:
        """Their numbers, as far as they are known."""
        return " ".join(str(self._numbers.get(task_id, task_id)) for task_id in task_ids)

    def until(
        self,
        task_ids: Sequence[int | str],
        enough: int | None,
        tell: Callable[[Record], object],
    ) -> list[Record]:
        for task_id in task_ids:
            self._watch(task_id, -1, tell)
            if self._log:
                self._read(task_id)
        while len(self._rested) < (enough or len(task_ids)):
            number = self._channel.first(self._pending)
            self._pending.pop(number)(self._channel.collect(number))
        return self._rested

    def _watch(self, task_id: int | str, seen: int, tell: Callable[[Record], object]) -> None:
        def changed(task: Record) -> None:
            self._numbers[task_id] = task["id"]
            tell(task)
            if task["state"] in ("paused", "stopped"):
                self._rest(task_id, task)
            elif self._deadline is not None and time.monotonic() >= self._deadline:
                raise WaitTimeout(
                    f"task {task['id']} is still {task['state']} after {self._timeout:g} s",
                    hint=f"it goes on; taskctl wait {task['id']}",
                )
            else:
                self._watch(task["id"], task["version"], tell)

        left = POLL if self._deadline is None else self._deadline - time.monotonic()
        timeout = max(0.0, min(left, POLL))
        number = self._channel.submit("tasks.watch", task_id=task_id, seen=seen, timeout=timeout)
        self._pending[number] = changed

    def _rest(self, task_id: int | str, task: Record) -> None:
        self._rested.append(task)
        while self._log and self._print(task_id, self._channel.ask(**self._request(task_id))):
            pass

    def _read(self, task_id: int | str) -> None:
        def printed(page: Record) -> None:
            self._print(task_id, page)
            if not page["ended"]:
                self._read(task_id)

        number = self._channel.submit(**self._request(task_id, POLL))
        self._pending[number] = printed

    def _print(self, task_id: int | str, page: Record) -> bool:
        """False when there was nothing."""
        self._position[task_id] = page["position"]
        for line in page["lines"]:
            assert self._log
            self._log(line)
        return bool(page["lines"])

    def _request(self, task_id: int | str, timeout: float = 0.0) -> Record:
        position = self._position.get(task_id, {})
        return {"method": "logs.read", "task_id": task_id, "position": position, "timeout": timeout}
