"""`taskctl recurring show`."""

import click

from taskctl.coming import coming
from taskctl.options import Command, Setup, logic_argument, pass_setup
from taskctl.view.forms import Record, print_one

TASKS = 5
TIMES = 3


@click.command(cls=Command)
@logic_argument
@pass_setup
def command(setup: Setup, logic_id: int) -> None:
    """Show one recurring logic: its times, its last tasks, its history."""
    logic: Record = setup.channel.ask("recurring.get", logic_id=logic_id)
    if setup.output != "table":
        print_one(setup.output, logic, headers=setup.headers)
        return
    from taskctl.view.console import show
    from taskctl.view.logic_panel import logic_panel

    search = f"recurring_logic.id = {logic_id}"
    tasks = setup.channel.ask("tasks.find", search=search, limit=TASKS)["items"]
    show(setup.color, logic_panel(logic, coming(setup, logic, TIMES), tasks))
