"""`taskctl recurring preview`."""

import click

from taskctl.options import Command, Setup, pass_setup
from taskctl.view.forms import Record, as_page, print_list


@click.command(cls=Command)
@click.argument("line")
@click.option("--tz", metavar="ZONE", default="", help="As in Europe/Berlin; else the daemon's.")
@click.option("--at", metavar="T", default="", help="From then on.")
@click.option("-n", "count", type=click.IntRange(1, 1000), default=10, help="How many times.")
@pass_setup
def command(setup: Setup, line: str, tz: str, at: str, count: int) -> None:
    """Print the coming times of a cron line."""
    found: Record = setup.channel.ask("recurring.preview", line=line, tz=tz, begin=at, count=count)
    if setup.output != "table":
        print_list(setup.output, as_page(found["times"]), name="at", headers=setup.headers)
        return
    from taskctl.view import times
    from taskd.model.inert import inert

    for each in found["times"]:
        print(inert(times.in_zone(each["at"], found["timezone"]) + times.aside(each["note"])))
