"""Inputs that nobody may see: `password: Secret[str]`.

To type checkers and in a step it is a plain `str`. It is kept apart from the store, and no `repr`
of an action shows it.
"""

from collections.abc import Iterable
from typing import Annotated, TypeVar

T = TypeVar("T")


class SecretMark:
    """What tells a secret from other fields."""


def hide(text: str, secrets: Iterable[str]) -> str:
    """`text` with `…` where it holds one of them."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "…")
    return text


Secret = Annotated[T, SecretMark()]
