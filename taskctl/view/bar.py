"""A bar on a time line."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions
from rich.measure import Measurement
from rich.text import Text

from taskctl.view.console import UNCUT

IN_A_PIPE = 40  # columns that the line has where there is no terminal


@dataclass(frozen=True)
class Bar:
    """From `begin` to `end`, parts of the line, which is as wide as there is room for."""

    begin: float
    end: float
    style: str

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        widest = IN_A_PIPE if console.width == UNCUT else options.max_width
        return Measurement(1, widest)

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """What was short is seen, too."""
        width = options.max_width
        begin = max(0, min(round(self.begin * width), width - 1))
        end = min(max(round(self.end * width), begin + 1), width)
        yield Text(" " * begin + "━" * (end - begin), style=self.style, justify="left")
