"""The files of a folder as commands, each loaded when it is asked for."""

import os
from importlib import import_module
from typing import Any

import click

OF_TASKD = ("start", "stop", "restart", "reload", "status", "check", "backup", "restore")


class Commands(click.Group):
    """`package` is the folder, as in `taskctl.commands`. A folder in it is a group of its own."""

    def __init__(self, *arguments: Any, package: str, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self._package = package
        below = package.split(".")[1:]
        self._folder = os.path.join(os.path.dirname(__file__), *below)

    def list_commands(self, _context: click.Context) -> list[str]:
        return sorted(
            name.removesuffix(".py").rstrip("_")
            for name in os.listdir(self._folder)
            if not name.startswith("_") and self._is_command(name.removesuffix(".py"))
        )

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        file = next((f for f in (name, f"{name}_") if self._is_command(f)), None)
        if file is None:
            return None
        command: click.Command = import_module(f"{self._package}.{file}").command
        command.name = name
        return command

    def resolve_command(
        self, context: click.Context, words: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if not words[0].startswith("-") and self.get_command(context, words[0]) is None:
            raise click.UsageError(self._unknown(context, words[0]), context)
        return super().resolve_command(context, words)

    def _unknown(self, context: click.Context, name: str) -> str:
        from difflib import get_close_matches  # slow to load, and only needed here

        close = get_close_matches(name, self.list_commands(context), n=1)
        if name in OF_TASKD and context.parent is None:
            close = [f"taskd {name}"]
        return f"no command {name!r}" + (f"; did you mean {close[0]!r}?" if close else "")

    def _is_command(self, name: str) -> bool:
        path = os.path.join(self._folder, name)
        return name.isidentifier() and (
            os.path.isfile(f"{path}.py") or os.path.isfile(f"{path}/__init__.py")
        )
