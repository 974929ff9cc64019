"""The entry point of the `taskctl` command."""

import sys

from taskctl.main import main


def run() -> None:
    sys.exit(main())


if __name__ == "__main__":
    run()
