"""The entry point of the `taskctl` command: it starts and ends as quickly as Python can."""

import gc
import os
import sys
from contextlib import suppress
from typing import NoReturn


def run() -> NoReturn:
    """Run one command and end the process.

    What is loaded at start never becomes garbage, so the collector need not look at it; and taking
    the interpreter apart at the end would cost half of what `import click` does.
    """
    gc.disable()
    if shell := os.environ.get("_TASKCTL_COMPLETE"):
        from taskctl.completing import answer

        status = answer(shell, sys.argv[1:])
    else:
        from taskctl.main import main

        gc.freeze()
        gc.enable()
        status = main()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # `main` has told it
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    run()
