"""Lines that steps printed, on their way to a person."""

import sys
from typing import TextIO

import click

from taskctl.view import times
from taskctl.view.forms import Record
from taskctl.view.terminal import coloured
from taskd.model.inert import inert

COLORS = {"stderr": "red", "taskd": "blue"}


class LogPrinter:
    """Call it with each line. `steps`: name the step before it; `moments`: the time, too."""

    def __init__(
        self,
        *,
        color: str = "auto",
        steps: bool = True,
        moments: bool = False,
        file: TextIO | None = None,
    ) -> None:
        self._file = file or sys.stdout
        self._coloured = coloured(color, self._file)
        self._steps = steps
        self._moments = moments
        self._unended: tuple[str, str] | None = None  # whose line goes on

    def __call__(self, line: Record) -> None:
        source = (line["step"], line["stream"])
        start = "" if self._unended == source else self._start(line)
        text = self._styled(inert(line["text"], keep="\t"), COLORS.get(line["stream"]))
        partial = line.get("partial", False)
        print(start + text, end="" if partial else "\n", file=self._file, flush=True)
        self._unended = source if partial else None

    def _start(self, line: Record) -> str:
        moment = f"{times.exactly(line['at'])} " if self._moments else ""
        step = f"{inert(line['step'])} | " if self._steps else ""
        ended = "\n" if self._unended else ""
        return ended + self._styled(moment + step, "bright_black")

    def _styled(self, text: str, color: str | None) -> str:
        return click.style(text, fg=color) if color and text and self._coloured else text
