"""`taskctl resume`."""

import click

from taskctl.acting import act
from taskctl.options import Command, Setup, pass_setup, tasks_argument


@click.command(cls=Command)
@tasks_argument
@pass_setup
def command(setup: Setup, task_ids: list[int | str] | None) -> int:
    """Resume paused tasks from the step that failed."""
    return act(
        setup,
        "tasks.resume",
        task_ids,
        lambda task: f"task {task['id']} resumed; taskctl wait {task['id']}",
    )
