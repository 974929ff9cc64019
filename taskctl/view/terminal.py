"""What a stream can show: colours, and lines that change in place."""

import os
from typing import TextIO


def draws(file: TextIO) -> bool:
    """Whether lines can change in place."""
    return file.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def coloured(color: str, file: TextIO) -> bool:
    """`color` is what `--color` says."""
    if color == "auto":
        return draws(file) and not os.environ.get("NO_COLOR")
    return color == "always"
