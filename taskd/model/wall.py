"""Wall time: what the clocks of a time zone show, and when.

A zone does not tell when its clocks are changed. Its offset does, compared from day to day.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from taskd.model.errors import InvalidInput

_OFFSET = re.compile(r"([+-])(\d\d):([0-5]\d)", re.ASCII)
_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)


def wall_at(at: datetime, zone: tzinfo) -> datetime:
    """What the clocks of `zone` show then; without a zone."""
    return at.astimezone(zone).replace(tzinfo=None)


@lru_cache(100)
def zone_of(name: str) -> tzinfo:
    """`Europe/Berlin`, or `+02:00`. Raises InvalidInput."""
    if offset := _OFFSET.fullmatch(name):
        sign, hours, minutes = offset.groups()
        length = timedelta(hours=int(hours), minutes=int(minutes))
        if length < _DAY:
            return timezone(-length if sign == "-" else length)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(
            f"there is no time zone {name[:50]!r} here", hint="apt-get install tzdata"
        ) from None


def moment(wall: datetime, zone: tzinfo) -> datetime:
    """When the clocks of `zone` show `wall`: the first time, or else when they leap over it."""
    first = wall.replace(tzinfo=zone)
    if wall_at(first.astimezone(UTC), zone) == wall:
        return first.astimezone(UTC)
    return _leap(first.replace(fold=1).astimezone(UTC), first.astimezone(UTC), zone)


def clock_change(begin: datetime, end: datetime, zone: tzinfo) -> datetime | None:
    """The first one after `begin` and until `end`, both in UTC."""
    old = begin.astimezone(zone).utcoffset()
    while begin < end:
        later = begin + min(_DAY, end - begin)
        if later.astimezone(zone).utcoffset() != old:
            return _leap(begin, later, zone)
        begin = later
    return None


def _leap(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """When the offset of `zone` changes, between the two."""
    old = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
