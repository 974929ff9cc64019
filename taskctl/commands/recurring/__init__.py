"""`taskctl recurring`: tasks that are started again and again."""

import click

from taskctl.group import Commands


@click.group(cls=Commands, package="taskctl.commands.recurring")
def command() -> None:
    """Show and change recurring logics.

    `taskctl run` and `exec` start one with --cron, --hourly, --daily, --weekly or --monthly.
    """
