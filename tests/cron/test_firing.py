"""When any cron line fires."""

from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from time import thread_time
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import assume, given
from hypothesis import strategies as st
from rule import BOUNDS, lists

from taskd.cron import read_line
from taskd.model.errors import InvalidInput

BERLIN = ZoneInfo("Europe/Berlin")


@st.composite
def terms(draw: st.DrawFn, low: int, high: int) -> str:
    first = draw(st.integers(low, high - 1))  # to cronsim, 5-5/2 is 5-59/2
    span = draw(st.sampled_from(["*", f"{first}-{draw(st.integers(first + 1, high))}"]))
    step = draw(st.integers(1, high - low))
    return draw(st.sampled_from([str(draw(st.integers(low, high))), span, f"{span}/{step}"]))


@st.composite
def lines(draw: st.DrawFn) -> str:
    """Lines of numbers, many of which fire seldom."""
    fields = [draw(st.lists(terms(*each), min_size=1, max_size=3)) for each in BOUNDS]
    line = " ".join(map(",".join, fields))
    try:
        read_line(line)
    except InvalidInput as refused:
        assume("it never fires" not in refused.message)
        raise
    return line


EARLIEST, LATEST = map(datetime.fromisoformat, ("2000-01-01", "4000-01-01"))
STARTS = st.datetimes(EARLIEST, LATEST, timezones=st.just(UTC))
ZONES = st.sampled_from(
    ["Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Africa/Casablanca", "UTC"]
).map(ZoneInfo)


@given(lines(), STARTS, ZONES)
def test_each_firing_is_later_and_listed(line: str, at: datetime, zone: ZoneInfo) -> None:
    cron = read_line(line)
    for _ in range(5):
        last, at = at, cron.next(at, zone)
        assert at > last
        assert at.tzinfo is UTC
        leapt = "does not exist" in cron.note(at, zone)
        assert lists(line, at.astimezone(zone).replace(tzinfo=None)) or leapt


@given(lines(), STARTS, ZONES)
def test_firing_may_be_the_start_itself(line: str, start: datetime, zone: ZoneInfo) -> None:
    cron = read_line(line)
    at = cron.next(start, zone)

    assert cron.next_from(at, zone) == at
    assert cron.next_from(at.astimezone(zone), zone) == at
    assert cron.next_from(at + timedelta(microseconds=1), zone) == cron.next(at, zone)


@given(lines(), STARTS)
def test_a_year_in_utc_is_as_cronsim_has_it(line: str, start: datetime) -> None:
    cron, end = read_line(line), start + timedelta(days=366)
    theirs = list(islice(takewhile(lambda at: at < end, CronSim(line, start)), 50))

    at, ours = cron.next(start, UTC), []
    while at < end and len(ours) < 50:
        ours.append(at)
        at = cron.next(at, UTC)
    assert ours == theirs


@pytest.mark.parametrize(
    ("line", "last"),
    [
        ("* * * * *", "9999-12-31 23:59"),
        ("30 2 * * *", "9999-12-31 02:30"),
        ("0 0 1 1 *", "9999-01-01 00:00"),
        ("0 0 29 2 *", "9996-02-29 00:00"),
        ("* * 29 2 *", "9996-02-29 23:59"),
    ],
)
def test_calendar_ends_with_the_year_9999(line: str, last: str) -> None:
    cron, at = read_line(line), datetime.fromisoformat(last).replace(tzinfo=BERLIN)

    assert cron.next_from(at, BERLIN) == at
    assert cron.next(at, BERLIN) is None
    assert cron.next(datetime.max.replace(tzinfo=UTC), BERLIN) is None


@pytest.mark.parametrize("line", ["*/5 * * * *", "30 2 * * *", "0 8-18 * * mon-fri", "@monthly"])
def test_next_is_quick(line: str) -> None:
    cron, at = read_line(line), datetime(2026, 1, 1, tzinfo=UTC)
    began = thread_time()
    for _ in range(100):
        at = cron.next(at, BERLIN)
    assert thread_time() - began < 0.1  # it takes a tenth of that
