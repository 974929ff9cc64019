"""The options of `taskd` that say which daemon is meant, before or after the name of a command."""

from collections.abc import Callable
from typing import Any

import click

from taskd.places import Places, find_places

_NAMES = ("socket", "state_dir", "config")


def with_places(command: Callable[..., Any]) -> Callable[..., Any]:
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


def given() -> dict[str, str]:
    """The options that were given: `socket`, `state_dir`, `config`."""
    meta = click.get_current_context().meta
    return {name: meta[f"taskd.{name}"] for name in _NAMES if f"taskd.{name}" in meta}


def chosen_places() -> Places:
    options = given()
    return find_places(
        config=options.get("config"),
        state=options.get("state_dir"),
        socket=options.get("socket"),
    )


def places_to_start() -> Places:
    """Raises StoreError where the configuration that was asked for is not there."""
    places = chosen_places()
    places.require_config()
    return places
