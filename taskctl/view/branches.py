"""The flow of a task as a tree of lines: what stands before the name of each step.

sequence(dump, concurrence(sequence(copy, verify), index), tell):

dump
┌─ copy
│  verify
└─ index
tell
"""

from collections.abc import Iterator
from typing import Any


def branches(flow: Any) -> dict[str, str]:
    """By name of the step; none before there is a plan."""
    return dict(_lines(flow)) if flow else {}


def _lines(part: Any) -> Iterator[tuple[str, str]]:
    if isinstance(part, str):
        yield part, ""
        return
    kind, *inner = part
    blocks = [lines for lines in map(list, map(_lines, inner)) if lines]
    if kind == "sequence" or len(blocks) < 2:
        for lines in blocks:
            yield from lines
        return
    first, last = blocks[0], blocks[-1]
    for lines in blocks:
        mark = "┌─ " if lines is first else "└─ " if lines is last else "├─ "
        below = "   " if lines is last else "│  "
        for name, more in lines:
            yield name, mark + more
            mark = below
