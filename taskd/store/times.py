"""Times in the store: microseconds since 1970 in UTC, which sort, subtract and stay small."""

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(64)  # all that happens in a commit happens at one moment
def to_number(time: datetime | None) -> int | None:
    return None if time is None else round(time.timestamp() * 1e6)


def from_number(number: int | None) -> datetime | None:
    return None if number is None else time_of(number)


def time_of(number: int) -> datetime:
    return datetime.fromtimestamp(number / 1e6, UTC)
