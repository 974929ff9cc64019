"""A table of columns: one look for all lists."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from taskctl.view.forms import Record
from taskctl.view.inert import inert


@dataclass(frozen=True)
class Column:
    """`field` names it in `--columns`, in CSV and, as words, in the heading.

    `text` makes the cell, where it is not the field as it is; `style` its colour. `draw` makes one
    that is more than text. `cut`: it gives way where a terminal is too narrow.
    """

    field: str
    text: Callable[[Record], object] | None = None
    draw: Callable[[Record], RenderableType] | None = None
    style: Callable[[Record], str] | str = ""
    right: bool = False
    cut: bool = False

    def cell(self, record: Record) -> RenderableType:
        if self.draw:
            return self.draw(record)
        value = self.text(record) if self.text else record.get(self.field)
        style = self.style(record) if callable(self.style) else self.style
        shown = inert("" if value is None else value)
        return Text(shown, style=style, no_wrap=True, overflow="ellipsis")


def table(columns: Sequence[Column], records: Iterable[Record], *, headers: bool = True) -> Table:
    """`records` as rows. Cells are cut with an ellipsis only where the terminal is too narrow."""
    made = Table(box=None, show_header=headers, header_style="bold", padding=(0, 2, 0, 0))
    made.pad_edge = False
    for column in columns:
        made.add_column(
            Text(column.field.replace("_", " ")),
            justify="right" if column.right else "left",
            no_wrap=not column.cut,
            overflow="ellipsis",
        )
    for record in records:
        made.add_row(*(column.cell(record) for column in columns))
    return made
