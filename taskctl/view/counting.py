"""How much is done of what takes a while, drawn in place on a terminal."""

import contextlib
import sys
from collections.abc import Callable, Iterator

import click

from taskctl.view.terminal import draws
from taskd.model.inert import inert

Passed = Callable[[int], object]
Tell = Callable[[str], object]


@contextlib.contextmanager
def counting(total: int | None, color: str) -> Iterator[tuple[Passed, Tell]]:
    """What is called with how many more are done, and what prints a line on stderr meanwhile.

    `total` is None where it is not known, `color` is what `--color` says.
    """
    if not draws(sys.stderr):
        yield _pass, _tell
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from taskctl.view.console import console

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console(color, stderr=True), transient=True) as bar:
        number = bar.add_task("", total=total)
        yield lambda more: bar.advance(number, more), lambda text: bar.print(inert(text))


def _pass(_more: int) -> None:
    """Nobody sees it."""


def _tell(text: str) -> None:
    click.echo(f"taskctl: {inert(text)}", err=True)
