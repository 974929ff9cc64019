"""The command `taskd`: run, start, stop and look at the daemon."""

import json
import logging
import os
import sys
from datetime import timedelta
from typing import Any

import click

from taskd import control, detach
from taskd.backup_command import backup, restore
from taskd.client import Client
from taskd.model.errors import TaskdError
from taskd.options import chosen_places, places_to_start, with_places
from taskd.places import Places
from taskd.service import activation, journal, notify
from taskd.service_command import service
from taskd.settings import load


def run() -> None:
    """What the command starts: an error becomes a message on stderr and the exit code."""
    try:
        sys.exit(main(prog_name="taskd", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except TaskdError as error:
        _complain(error)
        sys.exit(error.exit_code)


def _complain(error: TaskdError) -> None:
    text = "\n".join(f"taskd: {line}" for line in error.message.splitlines())
    if error.hint:
        text += f"\n  hint: {error.hint}"
    click.echo(journal.marked(text, logging.ERROR) if journal.reads(2) else text, err=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="taskctl", message="taskd %(version)s")
@with_places
def main() -> None:
    """The daemon that runs durable tasks. `taskctl` tells it which."""


@main.command("run")
@with_places
@click.option("--accept-loss", is_flag=True, help="Go on with a store that has lost something.")
@click.option("--ready-fd", type=int, hidden=True)
def run_command(accept_loss: bool, ready_fd: int | None) -> int:
    """Run the daemon here, until it is told to stop."""
    from taskd import daemon  # slow to load, as all that is only needed in one command

    systemd = notify.find(os.environ)
    with systemd.told_why(), activation.given_socket(os.environ) as listener:
        # The daemon of `start` is given the path in any case.
        places = places_to_start() if ready_fd is None else chosen_places()

        def serve(descriptor: int | None) -> int:
            return daemon.run(places, systemd, listener, descriptor, accept_loss=accept_loss)

        return serve(None) if ready_fd is None else detach.become_daemon(serve, ready_fd)


@main.command()
@with_places
def start() -> None:
    """Start the daemon in the background; returns when it answers."""
    _start(places_to_start())


@main.command()
@with_places
@click.option("--wait", is_flag=True, help="Wait for running steps, as long as `stop_grace`.")
def stop(wait: bool) -> None:
    """Stop the daemon. Running steps go on, and the next daemon takes them up again."""
    _stop(chosen_places(), wait)


@main.command()
@with_places
@click.option("--wait", is_flag=True, help="Wait for running steps, as long as `stop_grace`.")
def restart(wait: bool) -> None:
    """Stop the daemon, if there is one, and start it again.

    Nothing is stopped when the configuration cannot be used.
    """
    places = places_to_start()
    load(places.config, os.environ)
    _stop(places, wait, for_restart=True)
    _start(places)


@main.command()
@with_places
def reload() -> None:
    """Make the daemon read its configuration and all actions again."""
    with Client(chosen_places().socket) as client:
        _show(client.reload())


@main.command()
@with_places
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table")
def status(output: str) -> None:
    """Tell whether the daemon runs, since when, and what it has to do."""
    with Client(chosen_places().socket) as client:
        found = client.status()
    if output == "json":
        click.echo(json.dumps(found, indent=2))
    else:
        _show(found)


@main.command()
@with_places
def check() -> int:
    """Look for mistakes in configuration, actions and store, without a daemon."""
    from taskd.check import look

    found = look(chosen_places())
    for note in found.notes:
        click.echo(note, err=True)
    for problem in found.problems:
        click.echo(problem)
    if not found.problems:
        click.echo("configuration, actions and store are in order")
    return 1 if found.problems else 0


main.add_command(service)
main.add_command(backup)
main.add_command(restore)


def _start(places: Places) -> None:
    control.start(places)
    click.echo(f"taskd answers at {places.socket}")
    with Client(places.socket) as client:
        if note := client.daemon["note"]:
            click.echo(f"taskd: {note}", err=True)


def _stop(places: Places, wait: bool, *, for_restart: bool = False) -> None:
    """It is not an error when there is none: afterwards there is none, as was asked for."""
    left = control.stop(places, wait=wait, for_restart=for_restart)
    if left is None:
        click.echo(f"no daemon runs at {places.socket}")
    elif left:
        steps = "1 step goes" if left == 1 else f"{left} steps go"
        click.echo(f"taskd stopped; {steps} on without it")
    else:
        click.echo("taskd stopped")


def _show(facts: dict[str, Any]) -> None:
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        if value != "":
            click.echo(f"{name.replace('_', ' '):{width}}  {_in_words(value)}")


def _in_words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{count} {what}" for what, count in value.items()) or "none"
    if isinstance(value, float):
        return str(timedelta(seconds=int(value)))
    return str(value)
