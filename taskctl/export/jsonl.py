"""JSON lines: all that there is of each task, for an import and for other programs."""

from taskctl import target
from taskctl.exporting import Tasks

SUFFIX = ".jsonl"


def write(tasks: Tasks, path: str, *, force: bool) -> None:
    with target.new_file(path, force=force) as file:
        for line in tasks.lines():
            file.write(line.encode() + b"\n")
