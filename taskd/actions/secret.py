"""Inputs that nobody may see: `password: Secret[str]`.

To type checkers and in a step it is a plain `str`. It is kept apart from the store, and no `repr`
of an action shows it.
"""

from typing import Annotated, TypeVar

T = TypeVar("T")


class SecretMark:
    """What tells a secret from other fields."""


Secret = Annotated[T, SecretMark()]
