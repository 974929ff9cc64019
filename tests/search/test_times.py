"""Times as people write them, and which span they mean."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from taskd.search.asker import Asker
from taskd.search.times import read_start, read_time
from taskd.search.values import read_duration

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2024, 3, 13, 15, 45, 20, tzinfo=UTC)  # a Wednesday, 16:45:20 in Berlin
ASKER = Asker("ana", 1000, NOW, BERLIN)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


SPANS = {
    "2016": ("2016-01-01", "2017-01-01"),
    "2016-12": ("2016-12-01", "2017-01-01"),
    "2016-12-01": ("2016-12-01", "2016-12-02"),
    "2016-12-01 08": ("2016-12-01 08:00", "2016-12-01 09:00"),
    "2016-12-01T08": ("2016-12-01 08:00", "2016-12-01 09:00"),
    "2016-12-01 08:15": ("2016-12-01 08:15", "2016-12-01 08:16"),
    "2016-12-01 08:15:30": ("2016-12-01 08:15:30", "2016-12-01 08:15:31"),
    "2016-12-01 08:15:30.250": ("2016-12-01 08:15:30.250", "2016-12-01 08:15:30.251"),
    "2016-12-01 08:15:30.000001": ("2016-12-01 08:15:30.000001", "2016-12-01 08:15:30.000002"),
    "2016-12-01T08:15Z": ("2016-12-01 09:15", "2016-12-01 09:16"),
    "2016-12-01 08:15:30+02:00": ("2016-12-01 07:15:30", "2016-12-01 07:15:31"),
    "2016-12-01 08:15-05:30": ("2016-12-01 14:45", "2016-12-01 14:46"),
    "10 March 2024": ("2024-03-10", "2024-03-11"),
    "10 mar 2023": ("2023-03-10", "2023-03-11"),
    "Mar 10": ("2024-03-10", "2024-03-11"),
    "May 1": ("2024-05-01", "2024-05-02"),
    "8am": ("2024-03-13 08:00", "2024-03-13 09:00"),
    "12am": ("2024-03-13 00:00", "2024-03-13 01:00"),
    "12PM": ("2024-03-13 12:00", "2024-03-13 13:00"),
    "08:15": ("2024-03-13 08:15", "2024-03-13 08:16"),
    "today": ("2024-03-13", "2024-03-14"),
    "Yesterday": ("2024-03-12", "2024-03-13"),
    "tomorrow": ("2024-03-14", "2024-03-15"),
    "wednesday": ("2024-03-13", "2024-03-14"),
    "Monday": ("2024-03-11", "2024-03-12"),
    "thursday": ("2024-03-07", "2024-03-08"),
    "2 days ago": ("2024-03-11", "2024-03-12"),
    "1 day ago": ("2024-03-12", "2024-03-13"),
    "2 weeks from now": ("2024-03-27", "2024-03-28"),
    "1 month ago": ("2024-02-12", "2024-02-13"),
    "3d": ("2024-03-10", "2024-03-11"),
    "-3d": ("2024-03-10", "2024-03-11"),
    "+3d": ("2024-03-16", "2024-03-17"),
    "1w": ("2024-03-06", "2024-03-07"),
}


@pytest.mark.parametrize("text", SPANS)
def test_time_covers_the_unit_that_is_written(text: str) -> None:
    begin, end = map(local, SPANS[text])

    span = read_time(text, ASKER)

    assert (span.begin, span.end, span.instant) == (begin, end, None)


@pytest.mark.parametrize(
    ("text", "ahead"),
    [
        ("now", timedelta()),
        ("3 hours ago", timedelta(hours=-3)),
        ("30 minutes from now", timedelta(minutes=30)),
        ("1 second ago", timedelta(seconds=-1)),
        ("5m", timedelta(minutes=-5)),
        ("+90s", timedelta(seconds=90)),
    ],
)
def test_phrase_of_less_than_a_day_is_an_instant_of_its_minute(text: str, ahead: timedelta) -> None:
    span = read_time(text, ASKER)

    assert span.instant == NOW + ahead
    assert span.begin == (NOW + ahead).replace(second=0)
    assert span.end - span.begin == timedelta(minutes=1)


@pytest.mark.parametrize(
    "text",
    [
        "garbage", "", "5", "12", "20160", "2024-13", "2024-02-30", "2023-02-29", "2024-3-1",
        "03/10/2024", "10.3.2024", "20240310", "24:00", "8:60", "13pm", "0am", "2016-12-01 24",
        "2016-12-01 08+02:00", "2016-12-01 08:15+2", "2016-12-01 08:15:30.1234567", "31 April",
        "10 Foo", "last week", "3 fortnights ago", "3 days", "in 3 days", "0000", "9999",
        "999999999 days ago", "2016-12-01 08:15+24:00", "٢٠٢٤",
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):  # it says why
        read_time(text, ASKER)


def test_hour_that_happens_twice_is_the_first() -> None:
    span = read_time("2024-10-27 02:30", ASKER)

    assert span.begin == datetime(2024, 10, 27, 0, 30, tzinfo=UTC)


def test_hour_that_never_happens_is_the_moment_of_the_change() -> None:
    span = read_time("2024-03-31 02:30", ASKER)

    assert span.begin == datetime(2024, 3, 31, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(("day", "hours"), [("2024-03-31", 23), ("2024-10-27", 25)])
def test_day_of_a_change_has_its_own_length(day: str, hours: int) -> None:
    span = read_time(day, ASKER)

    assert span.end - span.begin == timedelta(hours=hours)


def test_day_that_never_happens_has_no_length() -> None:
    span = read_time("2011-12-30", Asker("ana", 1, NOW, ZoneInfo("Pacific/Apia")))

    assert span.begin == span.end == datetime(2011, 12, 30, 10, 0, tzinfo=UTC)


DURATIONS = {
    "90": 90, "0": 0, "1.5": 1.5, "2m": 120, "1h30m": 5400, "2 minutes": 120, "1 minute": 60,
    "2 hours": 7200, "1 day": 86400, "2 weeks": 14 * 86400, "1 month": 30 * 86400,
    "1 year": 365 * 86400, "1 hour 30 minutes": 5400, "1.5 hours": 5400, "100ms": 0.1,
}  # fmt: skip


@pytest.mark.parametrize("text", DURATIONS)
def test_duration_is_read(text: str) -> None:
    assert read_duration(text).total_seconds() == DURATIONS[text]


@pytest.mark.parametrize("text", ["", "x", "-5", "2 fortnights", "1h soon", "minutes", "9" * 30])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):  # it says why
        read_duration(text)


@pytest.mark.parametrize(
    ("text", "begin"),
    [
        ("3h", "2024-03-13 19:45:20"),
        ("+3d", "2024-03-16 16:45:20"),
        ("2w", "2024-03-27 16:45:20"),
        ("1h30m", "2024-03-13 18:15:20"),
        ("2 minutes", "2024-03-13 16:47:20"),
        ("1 day 2 hours", "2024-03-14 18:45:20"),
        ("17:00", "2024-03-13 17:00"),
        ("16:00", "2024-03-14 16:00"),
        ("8am", "2024-03-14 08:00"),
        ("tomorrow", "2024-03-14"),
        ("friday", "2024-03-15"),
        ("Wednesday", "2024-03-20"),
        ("5 minutes from now", "2024-03-13 16:50:20"),
        ("2024-04-01 02:30", "2024-04-01 02:30"),
        ("2024-03-31 02:30", "2024-03-31 03:00"),
        # what has passed, passed
        ("yesterday", "2024-03-12"),
        ("-3h", "2024-03-13 13:45:20"),
        ("2024-03-13", "2024-03-13"),
        ("Mar 10", "2024-03-10"),
    ],
)
def test_what_is_to_begin_begins_the_next_time(text: str, begin: str) -> None:
    assert read_start(text, ASKER) == local(begin)


@pytest.mark.parametrize("text", ["", "soon", "25:00", "999999999w", "2024-02-30"])
def test_beginning_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_start(text, ASKER)
