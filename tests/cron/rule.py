"""When a cron line fires, by the rule read slowly: minute by minute, and without croniter."""

from datetime import datetime, timedelta, tzinfo
from functools import cache

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def firings(line: str, begin: datetime, end: datetime, zone: tzinfo) -> list[datetime]:
    """When `line`, without names, fires from `begin` up to `end`, whole minutes in UTC."""
    minute, hour, *_ = line.split()
    look = shown if set("*/") & set(minute + hour) else reached
    return sorted({at for at, wall in look(begin, end, zone) if lists(line, wall)})


@cache
def shown(begin: datetime, end: datetime, zone: tzinfo) -> list[tuple[datetime, datetime]]:
    """Each minute, and what the clocks show then."""
    minutes = [begin + number * MINUTE for number in range((end - begin) // MINUTE)]
    return [(at, at.astimezone(zone).replace(tzinfo=None)) for at in minutes]


@cache
def reached(begin: datetime, end: datetime, zone: tzinfo) -> list[tuple[datetime, datetime]]:
    """Each minute, and what the clocks show then for the first time, or have just leapt over."""
    highest = max(wall for _, wall in shown(begin - DAY, begin, zone))
    found = []
    for at, wall in shown(begin, end, zone):
        while highest < wall:
            highest += MINUTE
            found.append((at, highest))
    return found


def lists(line: str, wall: datetime) -> bool:
    """If `line` lists that local time."""
    minutes, hours, days, months, weekdays = read(line)
    if not (wall.minute in minutes and wall.hour in hours and wall.month in months):
        return False
    matched = wall.day in days, bool({wall.isoweekday(), wall.isoweekday() % 7} & weekdays)
    both = any(field.startswith("*") for field in line.split()[2::2])
    return all(matched) if both else any(matched)


@cache
def read(line: str) -> list[set[int]]:
    return [values(*each) for each in zip(line.split(), BOUNDS, strict=True)]


def values(field: str, bounds: tuple[int, int]) -> set[int]:
    found: set[int] = set()
    for term in field.split(","):
        span, _, step = term.partition("/")
        first, _, last = span.partition("-")
        low, high = bounds if span == "*" else (int(first), int(last or first))
        found.update(range(low, high + 1, int(step or 1)))
    return found
