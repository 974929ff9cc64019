"""Where renderables are printed: a terminal with its colours, or a pipe with whole, plain lines."""

import sys

from rich.console import Console, RenderableType

from taskctl.view.terminal import coloured, draws

UNCUT = 100_000  # columns: in a pipe no line is wrapped or cut


def console(color: str = "auto", *, stderr: bool = False) -> Console:
    """stdout, or stderr. `color` is what `--color` says."""
    file = sys.stderr if stderr else sys.stdout
    shown = coloured(color, file)
    return Console(
        file=file,
        width=None if file.isatty() else UNCUT,
        force_terminal=shown or draws(file),
        color_system="standard" if shown else None,
        no_color=not shown,
        highlight=False,
        markup=False,
        emoji=False,
    )


def show(color: str, renderable: RenderableType) -> None:
    """Print on stdout; lines without colours have no spaces at their end."""
    screen = console(color)
    if not screen.no_color:
        screen.print(renderable)
        return
    with screen.capture() as captured:
        screen.print(renderable)
    print("\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n")))
