"""`taskctl show`."""

import click

from taskctl.options import Command, Setup, pass_setup, task_argument
from taskctl.view.forms import print_one

SECTIONS = ("steps", "errors", "locks", "history", "raw")


@click.command(cls=Command)
@task_argument
@click.option("--steps", is_flag=True, help="Only the steps (and other sections asked for).")
@click.option("--errors", is_flag=True, help="Only the errors of failed steps.")
@click.option("--locks", is_flag=True, help="Only what it holds and refers to.")
@click.option("--history", is_flag=True, help="Only what happened, and by whom.")
@click.option("--raw", is_flag=True, help="Only input and outputs.")
@pass_setup
def command(setup: Setup, /, task_id: int | str, **wanted: bool) -> None:
    """Show one task: all of it, or some sections."""
    task = setup.channel.ask("tasks.get", task_id=task_id)
    if setup.output != "table":
        print_one(setup.output, task, headers=setup.headers)
        return
    from taskctl.view.console import show
    from taskctl.view.task_panel import task_panel

    sections = [name for name in SECTIONS if wanted[name]] or SECTIONS
    show(setup.color, task_panel(task, sections))
