"""`taskctl resume`."""

import click

from taskctl import suggesting
from taskctl.acting import act
from taskctl.options import (
    Command,
    Selection,
    Setup,
    pass_setup,
    read_file,
    searching,
    tasks_argument,
)

NEED_A_HAND = "state = paused and result = error"


@click.command(cls=Command)
@tasks_argument(suggesting.ids("state = paused"))
@click.option(
    "--secret",
    "secrets",
    metavar="NAME=@FILE",
    multiple=True,
    help="A secret input once more: those of an unlocked task were deleted.",
)
@pass_setup
@searching
def command(setup: Setup, /, selection: Selection, secrets: tuple[str, ...]) -> int:
    """Resume tasks that are paused, or were unlocked.

    They go on from the step that failed. Without ids and search: all that are paused with an error.
    """
    if secrets and len(selection.task_ids or ()) != 1:
        raise click.UsageError("--secret is for one task")
    if selection.task_ids is None and selection.search is None:
        selection.search = NEED_A_HAND
    return act(
        setup,
        "tasks.resume",
        selection,
        lambda task: f"task {task['id']} resumed; taskctl wait {task['id']}",
        secrets=dict(map(_read_secret, secrets)),
    )


def _read_secret(pair: str) -> tuple[str, str]:
    name, equals, value = pair.partition("=")
    if not (name and equals):
        raise click.UsageError("cannot read --secret: expected NAME=@FILE")
    return name, read_file(value[1:]).rstrip("\n") if value.startswith("@") else value
