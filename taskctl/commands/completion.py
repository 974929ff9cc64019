"""`taskctl completion`."""

from importlib import import_module

import click

from taskctl.options import Command

SHELLS = ("bash", "zsh", "fish")


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print what makes a shell complete commands and searches.

    For bash: eval "$(taskctl completion bash)" in ~/.bashrc. For zsh the same in ~/.zshrc, after
    compinit. For fish: taskctl completion fish > ~/.config/fish/completions/taskctl.fish.
    """
    click.echo(import_module(f"taskctl.shells.{shell}").SCRIPT, nl=False)
