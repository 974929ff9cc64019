"""`taskctl wait`."""

import click

from taskctl import suggesting
from taskctl.options import Command, Setup, pass_setup, seconds, tasks_argument
from taskctl.view.forms import as_page, print_list, print_one
from taskctl.waiting import exit_code, wait_for, whole


@click.command(cls=Command)
@tasks_argument(suggesting.ids("state != stopped and state != paused"))
@click.option("--timeout", metavar="D", callback=seconds, help="Wait no longer, as in 90s or 10m.")
@click.option("--any", "one", is_flag=True, help="Until one of them is stopped or paused.")
@pass_setup
def command(
    setup: Setup, task_ids: list[int | str] | None, timeout: float | None, one: bool
) -> int:
    """Wait until tasks are stopped or paused."""
    if task_ids is None:
        raise click.UsageError("wait needs task ids")
    tasks = wait_for(setup, task_ids, timeout=timeout, enough=1 if one and task_ids else None)
    if setup.output != "table" and len(task_ids) == 1:
        print_one(setup.output, whole(setup, tasks)[0], headers=setup.headers)
    elif setup.output != "table":
        print_list(setup.output, as_page(whole(setup, tasks)), headers=setup.headers)
    return exit_code(tasks)
