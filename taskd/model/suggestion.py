"""What may be typed next."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Suggestion:
    """`text` takes the place of what was typed; `help` is short, or ""."""

    text: str
    help: str = ""
