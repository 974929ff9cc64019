"""Local times, and when the clocks show them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from taskd.model.wall import clock_change, moment


def test_midnight_that_never_happens_is_the_moment_of_the_change() -> None:
    zone = ZoneInfo("America/Sao_Paulo")

    found = moment(datetime.fromisoformat("2017-10-15"), zone)

    assert found == datetime(2017, 10, 15, 3, 0, tzinfo=UTC)


EARLIEST, LATEST = map(datetime.fromisoformat, ("1990-01-01", "2037-01-01"))
ZONES = st.sampled_from(
    ["Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "UTC"]
)


@given(st.datetimes(EARLIEST, LATEST), ZONES)
def test_clocks_show_what_was_written_or_have_just_leapt_over_it(wall: datetime, zone: str) -> None:
    found = moment(wall, ZoneInfo(zone))

    shown = found.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    before = (found - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert shown == wall or before < wall < shown


def test_changes_of_clocks_are_found_one_after_the_other() -> None:
    zone = ZoneInfo("Europe/Dublin")
    begin, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)

    first = clock_change(begin, end, zone)
    assert first == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    second = clock_change(first, end, zone)
    assert second == datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
    assert clock_change(second, end, zone) is None


def test_change_at_the_end_itself_is_found() -> None:
    change = datetime(2026, 10, 3, 15, 30, tzinfo=UTC)
    zone = ZoneInfo("Australia/Lord_Howe")

    assert clock_change(change - timedelta(minutes=1), change, zone) == change
    assert clock_change(change - timedelta(minutes=1), change - timedelta(seconds=1), zone) is None
