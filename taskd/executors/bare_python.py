"""A small program of ours beside the daemon: how it is started, and what it is given to read."""

import os
import sys
from pathlib import Path

_ROOT = str(Path(__file__).parents[2])
_CODE = "import sys; sys.path.append(sys.argv[1]); from {} import main; main()"


def bare_python(module: str) -> tuple[str, ...]:
    """The words that run `main` of a module of ours, which needs the standard library only.

    Imported, not run as a file: so it is compiled once. Without site-packages, so it starts fast.
    """
    return (sys.executable, "-I", "-S", "-E", "-c", _CODE.format(module), _ROOT)


def in_memory(content: bytes) -> int:
    """A file on no disk, so that secrets are neither there nor in a pipe that may be full."""
    descriptor = os.memfd_create("content")
    with open(descriptor, "wb", closefd=False) as file:
        file.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
