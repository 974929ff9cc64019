"""`taskctl doctor`."""

import json
import os
import subprocess
import sys

import click

from taskctl import VERSION
from taskctl.options import Command, Setup, pass_setup
from taskctl.view.forms import Record, as_page, print_list, print_one
from taskd.model.errors import ProtocolError, TaskdError, Unavailable

PATIENCE = 3.0  # seconds: who asks thinks that something is wrong


@click.command(cls=Command)
@pass_setup
def command(setup: Setup) -> int:
    """Look for what is wrong, and say what to type.

    Nothing is changed. Exit code 1 where there are problems, 6 where no daemon answers.
    """
    try:
        setup.patience = PATIENCE
        checks = setup.channel.ask("doctor.look", client=VERSION)
    except (Unavailable, ProtocolError) as error:
        _print(setup, _without_daemon(setup, error))
        raise
    _print(setup, checks)
    return 1 if any(check["severity"] == "problem" for check in checks) else 0


def _without_daemon(setup: Setup, error: TaskdError) -> list[Record]:
    """What a process beside it finds."""
    given = {"TASKD_SOCKET": setup.socket} if setup.socket else {}
    said = subprocess.run(
        [sys.executable, "-m", "taskd.doctor"],
        env=os.environ | given,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    found: list[Record] = json.loads(said)
    return [
        {
            "name": "socket",
            "severity": "problem",
            "message": error.message,
            "remedy": error.hint or "taskd restart",
        },
        *found,
    ]


def _print(setup: Setup, checks: list[Record]) -> None:
    if setup.output == "json":
        print_one("json", {"checks": checks})
    elif setup.output != "table":
        print_list(setup.output, as_page(checks), name="name", headers=setup.headers)
    else:
        from taskctl.view.console import show
        from taskctl.view.findings import findings

        show(setup.color, findings(checks))
