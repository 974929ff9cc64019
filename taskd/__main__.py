"""`python -m taskd`, and what the command `taskd` starts."""

from taskd.cli import run

if __name__ == "__main__":
    run()
