"""Where renderables are printed: a terminal with its colours, or a pipe with whole, plain lines."""

import sys

from rich.console import Console

from taskctl.view.terminal import coloured

UNCUT = 100_000  # columns: in a pipe no line is wrapped or cut


def console(color: str = "auto", *, stderr: bool = False) -> Console:
    """stdout, or stderr. `color` is what `--color` says."""
    file = sys.stderr if stderr else sys.stdout
    shown = coloured(color, file)
    return Console(
        file=file,
        width=None if file.isatty() else UNCUT,
        force_terminal=shown,
        color_system="standard" if shown else None,
        no_color=not shown,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
    )
