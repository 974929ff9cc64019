"""`taskctl resume`."""

import click

from taskctl.acting import act
from taskctl.options import Command, Setup, pass_setup, read_file, tasks_argument


@click.command(cls=Command)
@tasks_argument
@click.option(
    "--secret",
    "secrets",
    metavar="NAME=@FILE",
    multiple=True,
    help="A secret input once more: those of an unlocked task were deleted.",
)
@pass_setup
def command(setup: Setup, task_ids: list[int | str] | None, secrets: tuple[str, ...]) -> int:
    """Resume tasks that are paused, or were unlocked, from the step that failed."""
    if secrets and len(task_ids or ()) != 1:
        raise click.UsageError("--secret is for one task")
    return act(
        setup,
        "tasks.resume",
        task_ids,
        lambda task: f"task {task['id']} resumed; taskctl wait {task['id']}",
        secrets=dict(map(_read_secret, secrets)),
    )


def _read_secret(pair: str) -> tuple[str, str]:
    name, equals, value = pair.partition("=")
    if not (name and equals):
        raise click.UsageError("cannot read --secret: expected NAME=@FILE")
    return name, read_file(value[1:]).rstrip("\n") if value.startswith("@") else value
