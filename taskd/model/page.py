"""A page of a longer list."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """`total` is exact to 10,000; beyond that it is None and `more` is true."""

    items: list[T]
    total: int | None
    more: bool = False
    after: str = ""  # what to ask for the next page
