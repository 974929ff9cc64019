"""What panels are made of: attributes and titled sections, indented."""

from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text


def attributes(pairs: Iterable[tuple[str, Text]]) -> Table:
    """Names and values, one pair a line; pairs without a value are left out."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs:
        if value.plain:
            grid.add_row(Text(name), value)
    return grid


def section(title: str, body: Iterable[RenderableType]) -> Iterator[RenderableType]:
    """Nothing where there is nothing in it."""
    for number, part in enumerate(body):
        if number == 0:
            yield from (Text(), Text(title, style="bold"))
        yield indented(part)


def indented(part: RenderableType) -> Padding:
    return Padding(part, (0, 0, 0, 2), expand=False)
