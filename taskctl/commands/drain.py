"""`taskctl drain`."""

import time
from typing import Any

import click

from taskctl.options import Command, Setup, pass_setup, seconds
from taskctl.view.forms import print_one
from taskd.model.errors import WaitTimeout

POLL = 0.2  # seconds


@click.command(cls=Command)
@click.option("--wait", is_flag=True, help="Wait until no step runs any more.")
@click.option("--timeout", metavar="D", callback=seconds, help="Wait no longer.")
@pass_setup
def command(setup: Setup, wait: bool, timeout: float | None) -> None:
    """Let no step start any more, before maintenance.

    What runs goes on. Tasks are still taken, and start after `taskctl undrain`. A restart of the
    daemon changes nothing of this.
    """
    if timeout is not None and not wait:
        raise click.UsageError("--timeout is for the waiting: it needs --wait")
    running = setup.channel.ask("daemon.drain")["running_steps"]
    deadline = None if timeout is None else time.monotonic() + timeout
    while wait and running:
        if deadline is not None and time.monotonic() >= deadline:
            raise WaitTimeout(f"still at work after {timeout:g} s: {_steps(running)}")
        time.sleep(POLL)
        running = setup.channel.ask("daemon.status")["running_steps"]
    if setup.output != "table":
        print_one(setup.output, {"running_steps": running}, name="running_steps")
    elif running:
        click.echo(f"drained; still at work: {_steps(running)}. taskctl drain --wait, or undrain")
    else:
        click.echo("drained; no step runs. When you are done: taskctl undrain")


def _steps(number: Any) -> str:
    return "1 step" if number == 1 else f"{number} steps"
