"""Times as people write them: a span that reaches over the unit that was written.

`2016-12` is that month, `"2016-12-01 08"` that hour, `"3 days ago"` that day; `now` and
`"3 hours ago"` are instants, which are equal to all of their minute.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

from taskd.model.wall import moment
from taskd.search.asker import Asker

_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
LENGTHS = {
    "second": _SECOND,
    "minute": _MINUTE,
    "hour": _HOUR,
    "day": _DAY,
    "week": 7 * _DAY,
    "month": 30 * _DAY,
    "year": 365 * _DAY,
}
_SHORT = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week", "y": "year"}
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}


@dataclass(frozen=True)
class Span:
    """From `begin` up to `end`, which is not in it. An instant lies in it, at `instant`."""

    begin: datetime
    end: datetime
    instant: datetime | None = None


def read_time(text: str, asker: Asker) -> Span:
    """Raises ValueError for what is no time, or none that there is."""
    plain = " ".join(text.lower().split())
    for pattern, read in _SPELLINGS:
        if match := pattern.fullmatch(plain):
            try:
                return read(asker, **match.groupdict())
            except OverflowError:
                raise ValueError("it is too far away") from None
    raise ValueError("it is none of the spellings there are")


def read_start(text: str, asker: Asker) -> datetime:
    """When something is to begin: lengths are ahead, a time of day or a weekday is the next one.

    Raises ValueError as `read_time`.
    """
    plain = " ".join(text.lower().split())
    if _AHEAD.fullmatch(plain):
        try:
            parts = (int(m["count"]) * _length(m["unit"]) for m in _PART.finditer(plain))
            return asker.now + sum(parts, start=timedelta())
        except OverflowError:
            raise ValueError("it is too far away") from None
    begin = _begin(plain, asker)
    for pattern, days in _COMING:
        if pattern.fullmatch(plain) and begin <= asker.now:
            begin = _begin(plain, replace(asker, now=asker.now + days * _DAY))
    return begin


def _length(unit: str) -> timedelta:
    return LENGTHS.get(unit.removesuffix("s")) or LENGTHS[_SHORT[unit]]


def _begin(plain: str, asker: Asker) -> datetime:
    span = read_time(plain, asker)
    return span.instant or span.begin


# What was written. Each function takes the named groups of its pattern.


def _date(asker: Asker, year: str, month: str | None, day: str | None) -> Span:
    first = date(int(year), int(month or 1), int(day or 1))
    if day:
        return _days(asker, first)
    if not month:
        return _between(asker, first, date(first.year + 1, 1, 1))
    return _between(asker, first, (first + timedelta(days=31)).replace(day=1))


def _date_and_time(
    asker: Asker,
    day: str,
    hour: str,
    minute: str | None,
    second: str | None,
    fraction: str | None,
    zone: str | None,
) -> Span:
    """`fraction` is of a second, with as many digits as were written."""
    unit = _HOUR
    if minute:
        unit = _MINUTE
    if second:
        unit = _SECOND
    if fraction:
        unit = _SECOND / 10 ** len(fraction)
    clock = time(int(hour), int(minute or 0), int(second or 0), int((fraction or "").ljust(6, "0")))
    wall = datetime.combine(date.fromisoformat(day), clock)
    begin = moment(wall, _offset(zone) if zone else asker.zone)
    return Span(begin, begin + unit)


def _month_and_day(asker: Asker, day: str, month: str, year: str | None = None) -> Span:
    number = _number_of(month, _MONTHS)
    return _days(asker, date(int(year or asker.local.year), number, int(day)))


def _clock(asker: Asker, hour: str, minute: str | None = None, half: str | None = None) -> Span:
    number = int(hour)
    if half:
        if not 1 <= number <= 12:
            raise ValueError("there is no such hour")
        number = number % 12 + 12 * (half == "pm")
    wall = datetime.combine(asker.local.date(), time(number, int(minute or 0)))
    begin = moment(wall, asker.zone)
    return Span(begin, begin + (_MINUTE if minute else _HOUR))


def _now(asker: Asker) -> Span:
    return _instant(asker.now)


def _day_by_name(asker: Asker, name: str) -> Span:
    return _days(asker, asker.local.date() + _DAYS[name] * _DAY)


def _weekday(asker: Asker, name: str) -> Span:
    """The last one; on such a day it is that day."""
    today = asker.local.date()
    back = (today.weekday() - _number_of(name, _WEEKDAYS) + 1) % 7
    return _days(asker, today - back * _DAY)


def _phrase(asker: Asker, count: str, unit: str, way: str) -> Span:
    return _away(asker, int(count) if way == "from now" else -int(count), unit)


def _short(asker: Asker, sign: str, count: str, unit: str) -> Span:
    return _away(asker, int(count) if sign == "+" else -int(count), _SHORT[unit])


_SPELLINGS: list[tuple[re.Pattern[str], Callable[..., Span]]] = [
    (re.compile(pattern, re.ASCII), read)
    for pattern, read in (
        (r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d))?)?", _date),
        (
            r"(?P<day>\d{4}-\d\d-\d\d)[t ](?P<hour>\d\d)"
            r"(:(?P<minute>\d\d)(:(?P<second>\d\d)(\.(?P<fraction>\d{1,6}))?)?"
            r"(?P<zone>z|[+-]\d\d:\d\d)?)?",
            _date_and_time,
        ),
        (r"(?P<day>\d{1,2}) (?P<month>[a-z]+)( (?P<year>\d{4}))?", _month_and_day),
        (r"(?P<month>[a-z]+) (?P<day>\d{1,2})( (?P<year>\d{4}))?", _month_and_day),
        (r"(?P<hour>\d{1,2})(?P<half>am|pm)", _clock),
        (r"(?P<hour>\d{1,2}):(?P<minute>\d\d)", _clock),
        (r"now", _now),
        (rf"(?P<name>{'|'.join(_DAYS)})", _day_by_name),
        (rf"(?P<name>{'|'.join(_WEEKDAYS)})", _weekday),
        (
            rf"(?P<count>\d{{1,9}}) (?P<unit>{'|'.join(LENGTHS)})s? (?P<way>ago|from now)",
            _phrase,
        ),
        (r"(?P<sign>[+-]?)(?P<count>\d{1,9})(?P<unit>[smhdwy])", _short),
    )
]

_UNIT = rf"(?:{'|'.join(LENGTHS)})s?|[smhdwy]"
_PART = re.compile(rf"(?P<count>\d{{1,9}}) ?(?P<unit>{_UNIT})(?![a-z])", re.ASCII)
_AHEAD = re.compile(rf"\+?(?:\d{{1,9}} ?(?:{_UNIT})(?![a-z]) ?)+", re.ASCII)
_COMING = (  # and how many days after the last one the next one is
    (re.compile(r"\d{1,2}(am|pm|:\d\d)", re.ASCII), 1),
    (re.compile("|".join(_WEEKDAYS)), 7),
)


# Where that lies


def _days(asker: Asker, first: date) -> Span:
    return _between(asker, first, first + _DAY)


def _between(asker: Asker, first: date, end: date) -> Span:
    """Whole days, `end` is not in it any more."""
    midnight = time()
    return Span(
        moment(datetime.combine(first, midnight), asker.zone),
        moment(datetime.combine(end, midnight), asker.zone),
    )


def _away(asker: Asker, count: int, unit: str) -> Span:
    length = count * LENGTHS[unit]
    if LENGTHS[unit] < _DAY:
        return _instant(asker.now + length)
    return _days(asker, asker.local.date() + length)


def _instant(at: datetime) -> Span:
    """Offsets of time zones are whole minutes in our days."""
    begin = at.astimezone(UTC).replace(second=0, microsecond=0)
    return Span(begin, begin + _MINUTE, at)


def _offset(text: str) -> tzinfo:
    if text == "z":
        return UTC
    hours, minutes = int(text[1:3]), int(text[4:6])
    if hours > 23 or minutes > 59:
        raise ValueError("there is no such offset")
    length = timedelta(hours=hours, minutes=minutes)
    return timezone(-length if text[0] == "-" else length)


def _number_of(name: str, names: tuple[str, ...]) -> int:
    """Counted from 1. Also by the first three letters."""
    for number, full in enumerate(names, 1):
        if name in (full, full[:3]):
            return number
    raise ValueError(f"there is no {name!r}")
