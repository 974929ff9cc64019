"""`taskctl skip`."""

from collections.abc import Iterable

import click

from taskctl import suggesting
from taskctl.acting import act
from taskctl.options import Command, Selection, Setup, pass_setup, searching, task_id, with_stdin
from taskctl.view.forms import Record
from taskd.model.inert import inert


@click.command(cls=Command)
@click.argument(
    "where",
    metavar="ID[/STEP]...",
    nargs=-1,
    shell_complete=suggesting.steps("state = paused", state="error"),
)
@pass_setup
@searching
def command(setup: Setup, /, selection: Selection, where: tuple[str, ...]) -> int:
    """Go on without failed steps of paused tasks.

    All of them, or those named. What needs the output of such a step is skipped, too. A task goes
    on when none is left that failed; it ends with warning.
    """
    steps = _by_task(with_stdin(where)) if where else {}
    selection.task_ids = list(steps) if where else None
    own = {task_id: {"steps": named} for task_id, named in steps.items()}
    return act(setup, "tasks.skip", selection, _told, own=own)


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
