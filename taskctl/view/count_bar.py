"""How many of how many are done: a bar on a terminal, a line now and then elsewhere."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from taskctl.view.forms import Record


class CountBar:
    """Call it with what the daemon says. It leaves nothing behind on a terminal."""

    def __init__(self, console: Console, done: str) -> None:
        """`done`: which of the numbers counts what is done."""
        self._done = done
        self._console = console
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task(done, total=None)
        self._told = -1

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.__exit__(kind, error, trace)

    def __call__(self, progress: Record) -> None:
        done, total = progress[self._done], progress["matched"]
        self._bar.update(self._task, completed=done, total=total or None)
        tenth = 10 * done // total if total else -1
        if not self._console.is_terminal and tenth > self._told:
            self._told = tenth
            self._console.print(f"{done}/{total}")
