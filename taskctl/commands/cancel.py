"""`taskctl cancel`."""

import click

from taskctl import suggesting
from taskctl.acting import act
from taskctl.options import Command, Selection, Setup, pass_setup, searching, tasks_argument
from taskctl.view.forms import Record


@click.command(cls=Command)
@tasks_argument(suggesting.ids("state != stopped"))
@click.option("--force", is_flag=True, help="End what runs at once, without its grace.")
@pass_setup
@searching
def command(setup: Setup, /, selection: Selection, force: bool) -> int:
    """Cancel tasks: what runs is told, then ended.

    It has its grace in between, `cancel_grace`.
    """
    return act(setup, "tasks.cancel", selection, _told, force=force)


def _told(task: Record) -> str:
    number = task["id"]
    if task["state"] == "stopped":
        return f"task {number} cancelled; taskctl show {number}"
    return f"task {number} is being cancelled; taskctl wait {number}"
