"""Cron lines, and when they fire. The one place that uses croniter.

    minute hour day month weekday
    @yearly @annually @monthly @weekly @daily @midnight @hourly

A field is `*`, a value, a range `1-5`, or a list of those. After `*` or a range may be a step,
`*/2`. Months and weekdays have names; 0 and 7 are Sunday. If day or weekday begins with `*`, a day
must match both, else one of them: so does Debian's cron.

When the clocks are changed,

- a line with fixed minutes and hours fires when they first reach a time that it lists: where that
  comes twice the first time, and where they leap over it at the end of the gap, once for all;
- a line with `*` or a step there fires whenever they show a time that it lists: where that comes
  twice, twice, and never in a gap.

croniter finds the local times, from plain numbers: it reads more than this, and `5-5` as all.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

from croniter import croniter

from taskd.model.errors import InvalidInput
from taskd.model.wall import clock_change, moment, wall_at

FIELDS = (5,)  # how many a line may have; with six, the first is the second
LONGEST = 256  # characters

_NAMED = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d\d)"
_LEADING_ZEROS = re.compile(r"\b0+(?=\d)")
_LEAP_YEAR = 2028
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Cron:
    """When a cron line fires. Not for two threads at a time."""

    line: str  # as it was written, but for case, spaces and leading zeros
    fixed: bool  # neither `*` nor a step in minutes and hours
    _walk: croniter = field(repr=False, compare=False)

    def next(self, after: datetime, zone: tzinfo) -> datetime | None:
        """The first time after `after`, in UTC; None if the calendar ends before, with 9999."""
        find = self._next_reached if self.fixed else self._next_shown
        try:
            return find(after.astimezone(UTC).replace(microsecond=0), zone)
        except (OverflowError, ValueError):  # so say datetime and dateutil of the year 10000
            return None

    def next_from(self, start: datetime, zone: tzinfo) -> datetime | None:
        """As `next`, but it may be `start` itself."""
        return self.next(start.astimezone(UTC) - datetime.resolution, zone)

    def note(self, at: datetime, zone: tzinfo) -> str:
        """What clocks that are changed mean for `at`, when it fires; mostly ""."""
        if not self.fixed:
            return ""
        local = at.astimezone(zone)
        listed = next(self._walls(wall_at(at - _SECOND, zone)))
        if listed < wall_at(at, zone):
            return f"{listed:%H:%M} does not exist that day"
        if local.utcoffset() != local.replace(fold=1).utcoffset():
            return f"{listed:%H:%M} comes twice that day; the first counts"
        return ""

    def _next_reached(self, after: datetime, zone: tzinfo) -> datetime:
        reached = (moment(wall, zone) for wall in self._walls(wall_at(after, zone)))
        return next(at for at in reached if at > after)

    def _next_shown(self, after: datetime, zone: tzinfo) -> datetime:
        """From one change of the clocks to the next, they go as fast as time does."""
        shown = wall_at(after, zone)
        while True:
            found = after + (next(self._walls(shown)) - wall_at(after, zone))
            change = clock_change(after, found, zone)
            if change is None:
                return found
            after = change
            shown = wall_at(change, zone) - _SECOND  # it may fire at the change itself

    def _walls(self, after: datetime) -> Iterator[datetime]:
        """The local times that are listed."""
        self._walk.set_current(after)
        while True:
            yield self._walk.get_next(datetime)


def read_line(line: str) -> Cron:
    """Raises InvalidInput, for a line that never fires too."""
    try:
        return _read(line)
    except ValueError as reason:
        raise InvalidInput(f"cannot read {_quoted(line)} as a cron line: {reason}") from None


def hourly(minutes: str) -> Cron:
    """`"15"` or `"0,30"`. Raises InvalidInput."""
    return _fill("{minutes} * * * *", minutes, r"(?P<minutes>[\d,]+)", "M, as in 15 or 0,30")


def daily(time: str) -> Cron:
    """`"02:30"`. Raises InvalidInput."""
    return _fill("{minute} {hour} * * *", time, _TIME, "HH:MM, as in 02:30")


def weekly(days_and_time: str) -> Cron:
    """`"mon,thu@02:30"`. Raises InvalidInput."""
    pattern = rf"(?P<days>[\w,-]+)@{_TIME}"
    expected = "DAYS@HH:MM, as in mon,thu@02:30"
    return _fill("{minute} {hour} * * {days}", days_and_time, pattern, expected)


def monthly(days_and_time: str) -> Cron:
    """`"1,15@02:30"`. Raises InvalidInput."""
    pattern = rf"(?P<days>[\d,-]+)@{_TIME}"
    expected = "DAYS@HH:MM, as in 1,15@02:30"
    return _fill("{minute} {hour} {days} * *", days_and_time, pattern, expected)


def _fill(line: str, text: str, pattern: str, expected: str) -> Cron:
    """The cron line `line` with the groups of `pattern`."""
    match = re.fullmatch(pattern, text, re.ASCII)
    try:
        if match is None:
            raise ValueError("it has another form")
        return _read(line.format(**match.groupdict()))
    except ValueError as reason:
        raise InvalidInput(f"cannot read {_quoted(text)}: {reason}; expected {expected}") from None


def _quoted(text: str) -> str:
    return repr(text if len(text) <= LONGEST else f"{text[:LONGEST]}…")


# What a line says. These raise ValueError with the reason.


@dataclass(frozen=True)
class _Field:
    name: str
    first: int
    last: int
    names: tuple[str, ...] = ()  # of the values, from `first` on

    def read(self, text: str) -> set[int]:
        return {value for term in text.split(",") for value in self._term(term)}

    def _term(self, term: str) -> range:
        span, slash, step = term.partition("/")
        begin, dash, end = span.partition("-")
        if span == "*":
            return range(self.first, self.last + 1, self._step(step) if slash else 1)
        first = self._value(begin)
        last = self._value(end) if dash else first
        if last < first:
            raise ValueError(f"the {self.name} range {span} is reversed: {first} is after {last}")
        if slash and not dash:
            ranged = f"{span}-{self.last}/{step}"
            raise ValueError(f"the {self.name} {term} has a step but no range: write {ranged}")
        return range(first, last + 1, self._step(step) if slash else 1)

    def _value(self, text: str) -> int:
        if text in self.names:
            return self.first + self.names.index(text)
        if text.isdigit() and self.first <= int(text) <= self.last:
            return int(text)
        names = f" or {self.names[0]}-{self.names[-1]}" if self.names else ""
        raise ValueError(f"the {self.name} {text!r} is not within {self.first}-{self.last}{names}")

    def _step(self, text: str) -> int:
        most = self.last - self.first + 1
        if text.isdigit() and 1 <= int(text) <= most:
            return int(text)
        raise ValueError(f"the {self.name} step {text!r} is not within 1-{most}")


_ALL_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("weekday", 0, 7, _WEEKDAYS),
)


def _read(text: str) -> Cron:
    if len(text) > LONGEST:
        raise ValueError(f"it has {len(text)} characters, at most {LONGEST} are allowed")
    if not text.isascii():
        raise ValueError("it has characters that are not ASCII")
    line = _LEADING_ZEROS.sub("", " ".join(text.lower().split()))
    texts = _fields(line)
    *_, minutes, hours, days, months, weekdays = texts
    both = days.startswith("*") or weekdays.startswith("*")
    values = [each.read(text) for each, text in zip(_ALL_FIELDS[-len(texts) :], texts, strict=True)]
    if both and min(values[-3]) > max(map(_longest, values[-2])):
        raise ValueError(f"it never fires: there is no day {days} in month {months}")
    return Cron(line, not re.search("[*/]", minutes + hours), _walk(texts, values, both))


def _fields(line: str) -> list[str]:
    if line.startswith("@"):
        if line not in _NAMED:
            raise ValueError(f"the names there are: {' '.join(_NAMED)}")
        line = _NAMED[line]
    fields = line.split()
    if len(fields) not in FIELDS:
        names = " ".join(each.name for each in _ALL_FIELDS[-max(FIELDS) :])
        allowed = " or ".join(map(str, FIELDS))
        raise ValueError(f"expected {allowed} fields ({names}), found {len(fields)}")
    return fields


def _longest(month: int) -> int:
    return monthrange(_LEAP_YEAR, month)[1]


def _walk(texts: list[str], values: list[set[int]], both: bool) -> croniter:
    numbers = [
        text if text == "*" else ",".join(map(str, sorted(listed)))
        for text, listed in zip(texts, values, strict=True)
    ]
    return croniter(" ".join(numbers), day_or=not both, second_at_beginning=True)
