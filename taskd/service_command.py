"""The commands `taskd service …`: units for systemd."""

import os
from collections.abc import Callable
from typing import Any

import click

from taskd import control
from taskd.options import chosen_places, given, places_to_start, with_places
from taskd.places import Places
from taskd.service import installed, systemctl, units
from taskd.settings import load


def _whose(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--user",
        is_flag=True,
        expose_value=False,
        callback=_only_users,
        help="The daemon of this user (there is no other one yet).",
    )(command)


def _only_users(context: click.Context, _option: click.Parameter, user: bool) -> None:
    if not user:
        raise click.UsageError(
            "there is no daemon for all users yet; for one of your own: "
            f"{context.command_path} --user"
        )


_force = click.option("--force", is_flag=True, help="Also units that taskd did not write.")


@click.group()
def service() -> None:
    """Let systemd run the daemon: from boot or login on, again after a crash, on demand."""


@service.command()
@with_places
@_whose
def show() -> None:
    """Print the units that `install` writes."""
    for name, text in _units(chosen_places()).items():
        click.echo(f"# {installed.folder() / name}\n{text}")


@service.command()
@with_places
@_whose
@_force
def install(force: bool) -> None:
    """Write the units and start the service; running steps go on.

    Options and variables that say where configuration, state and socket are hold for the service.
    """
    places = places_to_start()
    load(places.config, os.environ)
    for file in installed.write(_units(places), force=force):
        click.echo(f"wrote {file}")
    systemctl.systemctl("daemon-reload")
    if control.stop(places) is not None:
        click.echo("stopped the daemon that ran")
    systemctl.systemctl("enable", *units.NAMES)
    control.start(places)
    click.echo(f"enabled and started {' and '.join(units.NAMES)}; taskd answers at {places.socket}")
    if not systemctl.lingers():
        click.echo(
            "  hint: daemon and steps end when you log out, unless: loginctl enable-linger",
            err=True,
        )


@service.command()
@with_places
@_whose
@_force
def uninstall(force: bool) -> None:
    """Stop the service and remove its units. Tasks stay; running steps go on."""
    files = installed.find(force=force)
    if not files:
        click.echo(f"no units of taskd are in {installed.folder()}")
        return
    there = systemctl.is_there()
    if there:
        systemctl.systemctl("disable", "--now", *units.NAMES)
    installed.remove(files)
    if there:
        systemctl.systemctl("daemon-reload")
    for file in files:
        click.echo(f"removed {file}")


def _units(places: Places) -> dict[str, str]:
    return units.write_units(units.like_caller(given(), os.environ), places.socket)
