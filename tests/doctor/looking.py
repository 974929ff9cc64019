"""What a check said."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Seen:
    severities: list[str]
    messages: str
    remedies: list[str]


Look = Callable[..., Seen]
