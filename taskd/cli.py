"""The command `taskd`: run, start, stop and look at the daemon."""

import json
import os
import select
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

import click

from taskd import daemon, detach
from taskd.check import look
from taskd.client import Client
from taskd.model.errors import Busy, TaskdError, Unavailable
from taskd.places import Places, find_places
from taskd.settings import load

STOP_PATIENCE = 30.0


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
        for line in error.message.splitlines():
            click.echo(f"taskd: {line}", err=True)
        if error.hint:
            click.echo(f"  hint: {error.hint}", err=True)
        sys.exit(error.exit_code)


def with_places(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which daemon is meant, before or after the name of the command."""
    for name, help in (
        ("socket", "The socket of the daemon."),
        ("state-dir", "Where store, logs and socket are."),
        ("config", "The configuration file."),
    ):
        command = click.option(
            f"--{name}", metavar="PATH", help=help, expose_value=False, callback=_remember
        )(command)
    return command


def _remember(context: click.Context, option: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.meta[f"taskd.{option.name}"] = value


def _places() -> Places:
    given = click.get_current_context().meta
    return find_places(
        config=given.get("taskd.config"),
        state=given.get("taskd.state_dir"),
        socket=given.get("taskd.socket"),
    )


def _places_to_start() -> Places:
    """Raises StoreError where the configuration that was asked for is not there."""
    places = _places()
    places.require_config()
    return places


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
    # The daemon of `start` is given the path in any case.
    places = _places_to_start() if ready_fd is None else _places()

    def serve(descriptor: int | None) -> int:
        return daemon.run(places, ready_fd=descriptor, accept_loss=accept_loss)

    return serve(None) if ready_fd is None else detach.become_daemon(serve, ready_fd)


@main.command()
@with_places
def start() -> None:
    """Start the daemon in the background; returns when it answers."""
    _start(_places_to_start())


@main.command()
@with_places
@click.option("--wait", is_flag=True, help="Wait for the running steps first.")
def stop(wait: bool) -> None:
    """Stop the daemon. Running steps go on, and the next daemon takes them up again."""
    _stop(_places(), wait)


@main.command()
@with_places
@click.option("--wait", is_flag=True, help="Wait for the running steps first.")
def restart(wait: bool) -> None:
    """Stop the daemon, if there is one, and start it again.

    Nothing is stopped when the configuration cannot be used.
    """
    places = _places_to_start()
    load(places.config, os.environ)
    _stop(places, wait)
    _start(places)


@main.command()
@with_places
def reload() -> None:
    """Make the daemon read its configuration and all actions again."""
    with Client(_places().socket) as client:
        _show(client.reload())


@main.command()
@with_places
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table")
def status(output: str) -> None:
    """Tell whether the daemon runs, since when, and what it has to do."""
    with Client(_places().socket) as client:
        found = client.status()
    if output == "json":
        click.echo(json.dumps(found, indent=2))
    else:
        _show(found)


@main.command()
@with_places
def check() -> int:
    """Look for mistakes in configuration, actions and store, without a daemon."""
    found = look(_places())
    for note in found.notes:
        click.echo(note, err=True)
    for problem in found.problems:
        click.echo(problem)
    if not found.problems:
        click.echo("configuration, actions and store are in order")
    return 1 if found.problems else 0


def _start(places: Places) -> None:
    detach.start(places)
    click.echo(f"taskd answers at {places.socket}")
    with Client(places.socket) as client:
        if note := client.daemon["note"]:
            click.echo(f"taskd: {note}", err=True)


def _stop(places: Places, wait: bool) -> None:
    """It is not an error when there is none: afterwards there is none, as was asked for."""
    client = _find_daemon(places)
    if client is None:
        click.echo(f"no daemon runs at {places.socket}")
        return
    with client:
        pid = int(client.status()["pid"])
        with closing(open(os.pidfd_open(pid))) as process:
            client.stop(wait=wait)
            if not select.select([process], [], [], None if wait else STOP_PATIENCE)[0]:
                raise Busy(f"the daemon (pid {pid}) is still stopping", hint=f"tail {places.log}")
    click.echo("taskd stopped")


def _find_daemon(places: Places) -> Client | None:
    try:
        return Client(places.socket)
    except Unavailable as error:
        if isinstance(error.__context__, FileNotFoundError | ConnectionRefusedError):
            return None
        raise


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
