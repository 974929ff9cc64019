"""A table of columns: one look for all lists."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from taskctl.view.forms import Record
from taskd.model.inert import inert


@dataclass(frozen=True)
class Column:
    """`field` names it in `--columns`, in CSV and, as words, in the heading.

    `text` makes the cell, where it is not the field as it is; `style` its colour. `draw` makes one
    that is more than text. Where a terminal is too narrow, one of `cut` gives way, one of `fold`
    goes on in the next line.
    """

    field: str
    text: Callable[[Record], object] | None = None
    draw: Callable[[Record], RenderableType] | None = None
    style: Callable[[Record], str] | str = ""
    right: bool = False
    cut: bool = False
    fold: bool = False

    def cell(self, record: Record) -> RenderableType:
        if self.draw:
            return self.draw(record)
        value = self.text(record) if self.text else record.get(self.field)
        style = self.style(record) if callable(self.style) else self.style
        shown = inert("" if value is None else value)
        return Text(shown, style=style, no_wrap=not self.fold, overflow=self.overflow)

    @property
    def overflow(self) -> Literal["fold", "ellipsis"]:
        return "fold" if self.fold else "ellipsis"


def table(columns: Sequence[Column], records: Iterable[Record], *, headers: bool = True) -> Table:
    """`records` as rows. Cells are cut with an ellipsis only where the terminal is too narrow."""
    made = Table(box=None, show_header=headers, header_style="bold", padding=(0, 2, 0, 0))
    made.pad_edge = False
    for column in columns:
        made.add_column(
            Text(column.field.replace("_", " ")),
            justify="right" if column.right else "left",
            no_wrap=not (column.cut or column.fold),
            overflow=column.overflow,
        )
    for record in records:
        made.add_row(*(column.cell(record) for column in columns))
    return made
