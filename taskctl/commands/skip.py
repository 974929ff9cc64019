"""`taskctl skip`."""

from collections.abc import Iterable

import click

from taskctl.acting import act_each
from taskctl.options import Command, Setup, pass_setup, task_id, with_stdin
from taskctl.view.forms import Record
from taskctl.view.inert import inert


@click.command(cls=Command)
@click.argument("where", metavar="ID[/STEP]...", nargs=-1)
@pass_setup
def command(setup: Setup, where: tuple[str, ...]) -> int:
    """Go on without failed steps of paused tasks: all, or those named.

    What needs the output of such a step is skipped, too. A task goes on when none is left that
    failed; it ends with warning.
    """
    if not where:
        raise click.UsageError("skip needs task ids")
    steps = _by_task(with_stdin(where))
    return act_each(setup, "tasks.skip", {i: {"steps": s} for i, s in steps.items()}, _told)


def _by_task(where: Iterable[str]) -> dict[int | str, list[str] | None]:
    """The steps named of each task; None: all that failed."""
    found: dict[int | str, list[str] | None] = {}
    for word in where:
        number, slash, step = word.partition("/")
        if slash and not step:
            raise click.BadParameter(f"{word!r} names no step: expected ID or ID/STEP")
        task = task_id(number)
        named = found.get(task, [])
        found[task] = [*named, step] if slash and named is not None else None
    return found


def _told(task: Record) -> str:
    number, skipped, failed = task["id"], _names(task, "skipped"), _names(task, "error")
    match task["state"]:
        case "paused":
            return f"task {number} stays paused, since {failed} failed, too; taskctl show {number}"
        case "stopped":
            return f"task {number} ended without {skipped}: {task['result']}; taskctl show {number}"
        case _:
            return f"task {number} goes on without {skipped}; taskctl wait {number}"


def _names(task: Record, state: str) -> str:
    return inert(", ".join(step["name"] for step in task["steps"] if step["state"] == state))
