"""What cron lines do where the clocks are changed."""

from datetime import UTC, datetime, timedelta, tzinfo
from itertools import takewhile
from zoneinfo import ZoneInfo, available_timezones

import pytest
from cronsim import CronSim
from rule import DAY, firings

from taskd.cron import read_line

BERLIN = ZoneInfo("Europe/Berlin")


def told(line: str, begin: str, count: int, zone: tzinfo = BERLIN) -> list[str]:
    """The next `count` firings as clocks show them, with their notes."""
    cron, at, found = read_line(line), datetime.fromisoformat(begin).replace(tzinfo=zone), []
    while len(found) < count:
        at = cron.next(at, zone)
        note = cron.note(at, zone)
        found.append(f"{at.astimezone(zone):%d %b %H:%M %Z}{', ' if note else ''}{note}")
    return found


def test_fixed_time_in_the_gap_fires_at_its_end() -> None:
    assert told("30 2 * * *", "2027-03-27", 3) == [
        "27 Mar 02:30 CET",
        "28 Mar 03:00 CEST, 02:30 does not exist that day",
        "29 Mar 02:30 CEST",
    ]


def test_fixed_times_of_a_gap_and_of_its_end_fire_once() -> None:
    assert told("0,20 2,3 * * *", "2027-03-28", 3) == [
        "28 Mar 03:00 CEST, 02:00 does not exist that day",
        "28 Mar 03:20 CEST",
        "29 Mar 02:00 CEST",
    ]


def test_fixed_time_that_comes_twice_fires_the_first_time() -> None:
    assert told("30 2 * * *", "2026-10-24", 3) == [
        "24 Oct 02:30 CEST",
        "25 Oct 02:30 CEST, 02:30 comes twice that day; the first counts",
        "26 Oct 02:30 CET",
    ]


def test_fixed_time_just_after_the_repeated_hour_has_no_note() -> None:
    assert told("0 3 * * *", "2026-10-25", 1) == ["25 Oct 03:00 CET"]


def test_fixed_time_is_past_in_the_second_of_two_hours() -> None:
    second_hour = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 02:10 CET

    assert read_line("30 2 * * *").next(second_hour, BERLIN) == datetime(
        2026, 10, 26, 1, 30, tzinfo=UTC
    )


@pytest.mark.parametrize("line", ["*/30 * * * *", "0-30/30 * * * *", "0,30 */1 * * *"])
def test_wildcard_follows_real_time(line: str) -> None:
    assert told(line, "2027-03-28 01:00", 3) == [
        "28 Mar 01:30 CET", "28 Mar 03:00 CEST", "28 Mar 03:30 CEST",
    ]  # fmt: skip
    assert told(line, "2026-10-25 01:30", 5) == [
        "25 Oct 02:00 CEST", "25 Oct 02:30 CEST",
        "25 Oct 02:00 CET", "25 Oct 02:30 CET", "25 Oct 03:00 CET",
    ]  # fmt: skip


def test_wildcard_that_lies_in_the_gap_waits_for_another_day() -> None:
    assert told("*/30 2 * * *", "2027-03-27 02:00", 2) == ["27 Mar 02:30 CET", "29 Mar 02:00 CEST"]


def test_midnight_of_the_gap_fires_at_its_end() -> None:
    beirut = ZoneInfo("Asia/Beirut")

    assert told("@daily", "2026-03-28 12:00", 2, beirut) == [
        "29 Mar 01:00 EEST, 00:00 does not exist that day",
        "30 Mar 00:00 EEST",
    ]


def test_start_at_the_end_of_the_gap_is_the_first_firing() -> None:
    start = datetime(2027, 3, 28, 3, 0, tzinfo=BERLIN)

    assert read_line("30 2 * * *").next_from(start, BERLIN) == start
    assert read_line("*/10 * * * *").next_from(start, BERLIN) == start


# All zones. Where several change alike, one of them is looked at.

LINES = (
    "30 2 * * *", "0 0 * * *", "15,45 0-3 * * *", "59 23 * * *", "0 1 1-7 * 0", "0-59 1 * * *",
    "*/20 * * * *", "7 * * * *", "30 */2 * * *", "*/15 2 * * *", "0-30/10 2 * * *",
)  # fmt: skip
# cronsim takes a step in a range for fixed times, as Debian's cron does; to us it is none.
# And it goes by whole hours, so that it misses 02:00 where 01:30 comes after 01:59.
NOT_AS_CRONSIM = LINES[-2:]
YEARS = [2026, *(pytest.param(year, marks=pytest.mark.long) for year in (2027, 2028))]


def changes(year: int) -> dict[tuple[datetime, timedelta, timedelta], ZoneInfo]:
    """A zone for each day and offsets, before and after."""
    days = [datetime(year, 1, 1, tzinfo=UTC) + number * DAY for number in range(366)]
    found = {}
    for zone in map(ZoneInfo, sorted(available_timezones())):
        offsets = [day.astimezone(zone).utcoffset() for day in days]
        for day, old, new in zip(days, offsets, offsets[1:], strict=False):
            if old != new:
                found.setdefault((day, old, new), zone)
    return found


def fired(line: str, begin: datetime, end: datetime, zone: tzinfo) -> list[datetime]:
    cron = read_line(line)
    found, at = [], cron.next_from(begin, zone)
    while at < end:
        found.append(at)
        at = cron.next(at, zone)
    return found


def fired_by_cronsim(line: str, begin: datetime, end: datetime, zone: tzinfo) -> list[datetime]:
    cron = CronSim(line, (begin - timedelta(seconds=1)).astimezone(zone))
    return list(takewhile(lambda at: at < end, (at.astimezone(UTC) for at in cron)))


@pytest.mark.parametrize("year", YEARS)
def test_every_zone_changes_by_the_rule_and_as_cronsim_has_it(year: int) -> None:
    found_changes = changes(year)
    assert len(found_changes) > 30
    for (day, *_), zone in found_changes.items():
        around = day - DAY, day + 3 * DAY, zone
        for line in LINES:
            found = fired(line, *around)
            assert found == firings(line, *around), (line, zone.key, day)
            if line not in NOT_AS_CRONSIM:
                assert found == fired_by_cronsim(line, *around), (line, zone.key, day)
