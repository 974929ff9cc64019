"""Cron lines as people write them: what is read, and what is refused and why."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskd.cron import Cron, daily, hourly, monthly, read_line, weekly
from taskd.model.errors import InvalidInput

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)  # a Thursday


def days(line: str, count: int = 3) -> list[str]:
    """The next days of 2026 and later on which it fires."""
    cron, at, found = read_line(line), NEW_YEAR, []
    while len(found) < count:
        at = cron.next(at, UTC)
        found.append(f"{at:%a %d %b}")
    return found


@pytest.mark.parametrize(
    ("line", "normal"),
    [
        (" 0\t0  * * * ", "0 0 * * *"),
        ("05 00 * * *", "5 0 * * *"),
        ("0 0 * JAN-Mar Mon,FRI", "0 0 * jan-mar mon,fri"),
        ("*/15 8-18/2,20 1,15 * 1-7", "*/15 8-18/2,20 1,15 * 1-7"),
        ("@Daily", "@daily"),
    ],
)
def test_line_has_a_normal_form(line: str, normal: str) -> None:
    assert read_line(line).line == normal
    assert read_line(normal) == read_line(line)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("@monthly", "0 0 1 * *"),
        ("@weekly", "0 0 * * sun"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@hourly", "0 * * * *"),
    ],
)
def test_name_stands_for_a_line(name: str, line: str) -> None:
    assert read_line(name).next(NEW_YEAR, UTC) == read_line(line).next(NEW_YEAR, UTC)
    assert read_line(name).fixed == read_line(line).fixed


@pytest.mark.parametrize("sunday", ["0", "7", "sun", "0,7", "7-7", "sun-sun"])
def test_sunday_has_two_numbers(sunday: str) -> None:
    assert days(f"0 0 * * {sunday}", 2) == ["Sun 04 Jan", "Sun 11 Jan"]


def test_range_of_one_value_is_that_value() -> None:
    assert days("0 0 5-5 * *", 2) == ["Mon 05 Jan", "Thu 05 Feb"]


def test_day_or_weekday_is_enough() -> None:
    assert days("0 0 13 * fri") == ["Fri 02 Jan", "Fri 09 Jan", "Tue 13 Jan"]
    assert days("0 0 1-31 * fri", 2) == ["Fri 02 Jan", "Sat 03 Jan"]
    assert days("0 0 31 2 mon", 2) == ["Mon 02 Feb", "Mon 09 Feb"]
    assert days("0 0 31 2 0-6", 2) == ["Sun 01 Feb", "Mon 02 Feb"]


def test_day_and_weekday_must_match_where_one_begins_with_a_star() -> None:
    assert days("0 0 */2 * fri") == ["Fri 09 Jan", "Fri 23 Jan", "Fri 13 Feb"]
    assert days("0 0 13 * */5", 2) == ["Fri 13 Feb", "Fri 13 Mar"]


def test_29_february_is_waited_for() -> None:
    fired = read_line("0 0 29 2 *").next(datetime(2096, 3, 1, tzinfo=UTC), UTC)

    assert fired == datetime(2104, 2, 29, tzinfo=UTC)


FIELDS = "expected 5 fields (minute hour day month weekday), found"
REFUSED = {
    "": f"{FIELDS} 0",
    "0 0 * *": f"{FIELDS} 4",
    "0 0 * * * *": f"{FIELDS} 6",
    "0 0 * * * * 2030": f"{FIELDS} 7",
    "60 * * * *": "the minute '60' is not within 0-59",
    "-1 * * * *": "the minute '' is not within 0-59",
    "1,,2 * * * *": "the minute '' is not within 0-59",
    "1-2-3 * * * *": "the minute '2-3' is not within 0-59",
    "* 24 * * *": "the hour '24' is not within 0-23",
    "* * 0 * *": "the day '0' is not within 1-31",
    "* * 15w * *": "the day '15w' is not within 1-31",
    "* * L * *": "the day 'l' is not within 1-31",
    "* * ? * *": "the day '?' is not within 1-31",
    "* * * 13 *": "the month '13' is not within 1-12 or jan-dec",
    "* * * mon *": "the month 'mon' is not within 1-12 or jan-dec",
    "* * * * 8": "the weekday '8' is not within 0-7 or sun-sat",
    "* * * * 1#2": "the weekday '1#2' is not within 0-7 or sun-sat",
    "* * * * sunday": "the weekday 'sunday' is not within 0-7 or sun-sat",
    "R R R R R": "the minute 'r' is not within 0-59",
    "H * * * *": "the minute 'h' is not within 0-59",
    "H(0-29)/10 * * * *": "the minute 'h(0' is not within 0-59",
    "*/0 * * * *": "the minute step '0' is not within 1-60",
    "*/90 * * * *": "the minute step '90' is not within 1-60",
    "*/ * * * *": "the minute step '' is not within 1-60",
    "*/5/5 * * * *": "the minute step '5/5' is not within 1-60",
    "5/15 * * * *": "the minute 5/15 has a step but no range: write 5-59/15",
    "50-10 * * * *": "the minute range 50-10 is reversed: 50 is after 10",
    "* * * * fri-sun": "the weekday range fri-sun is reversed: 5 is after 0",
    "0 0 31 2 *": "it never fires: there is no day 31 in month 2",
    "0 0 30 feb *": "it never fires: there is no day 30 in month feb",
    "0 0 31 4,6 */2": "it never fires: there is no day 31 in month 4,6",
    "@reboot": "the names there are: @yearly @annually @monthly @weekly @daily @midnight @hourly",
    "٣ * * * *": "it has characters that are not ASCII",
    "0\N{NO-BREAK SPACE}0 * * *": "it has characters that are not ASCII",
}


@pytest.mark.parametrize("line", REFUSED)
def test_line_is_refused_with_the_reason(line: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_line(line)

    assert refused.value.message == f"cannot read {line!r} as a cron line: {REFUSED[line]}"


@pytest.mark.parametrize(
    "line",
    [
        "," * 60_000 + " * * * *",
        "* " * 2_000_000,
        "0 0 * * " + "1" * 10_000_000,
        "0" * 250,
        "@" * 1_000_000,
        "\N{ARABIC-INDIC DIGIT THREE}" * 1_000_000,
        *REFUSED,
    ],
    ids=lambda line: line[:20],
)
def test_hostile_line_is_refused_at_once(line: str) -> None:
    began = thread_time()

    with pytest.raises(InvalidInput) as refused:
        read_line(line)

    assert thread_time() - began < 0.05
    assert len(refused.value.message) < 1000


@given(st.one_of(st.text(), st.text("0123456789*/-,@ jansunLWHR#?", max_size=30)))
def test_any_text_is_refused_or_fires(text: str) -> None:
    try:
        cron = read_line(text)
    except InvalidInput:
        return
    assert cron.next(NEW_YEAR, UTC) > NEW_YEAR


def test_second_comes_first_where_six_fields_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskd.cron.FIELDS", (5, 6))

    every_second, at_30 = read_line("* * * * * *"), read_line("30 5 * * * *")

    assert every_second.next(NEW_YEAR, UTC) == NEW_YEAR + timedelta(seconds=1)
    assert at_30.next(NEW_YEAR, UTC) == NEW_YEAR + timedelta(minutes=5, seconds=30)
    assert read_line("5 * * * *").next(NEW_YEAR, UTC) == NEW_YEAR + timedelta(minutes=5)
    with pytest.raises(InvalidInput, match=r"expected 5 or 6 fields \(second minute"):
        read_line("* * * *")


# The modes of the command line


@pytest.mark.parametrize(
    ("read", "text", "line"),
    [
        (hourly, "15", "15 * * * *"),
        (hourly, "00,30", "0,30 * * * *"),
        (daily, "02:30", "30 2 * * *"),
        (daily, "0:05", "5 0 * * *"),
        (weekly, "Mon,thu@02:30", "30 2 * * mon,thu"),
        (weekly, "mon-fri@17:00", "0 17 * * mon-fri"),
        (monthly, "1,15@02:30", "30 2 1,15 * *"),
    ],
)
def test_mode_makes_a_line(read: Callable[[str], Cron], text: str, line: str) -> None:
    assert read(text) == read_line(line)


@pytest.mark.parametrize(
    ("read", "text", "reason"),
    [
        (hourly, "60", "the minute '60' is not within 0-59; expected M, as in 15 or 0,30"),
        (hourly, "*/5", "it has another form; expected M, as in 15 or 0,30"),
        (daily, "24:00", "the hour '24' is not within 0-23; expected HH:MM, as in 02:30"),
        (daily, "2:3", "it has another form; expected HH:MM, as in 02:30"),
        (daily, "٠٢:٣٠", "it has another form; expected HH:MM, as in 02:30"),
        (
            weekly,
            "moo@02:30",
            "the weekday 'moo' is not within 0-7 or sun-sat; "
            "expected DAYS@HH:MM, as in mon,thu@02:30",
        ),
        (weekly, "mon", "it has another form; expected DAYS@HH:MM, as in mon,thu@02:30"),
        (
            monthly,
            "32@02:30",
            "the day '32' is not within 1-31; expected DAYS@HH:MM, as in 1,15@02:30",
        ),
        (monthly, "1, 15@02:30", "it has another form; expected DAYS@HH:MM, as in 1,15@02:30"),
    ],
)
def test_mode_says_what_it_expects(read: Callable[[str], Cron], text: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(text)

    assert refused.value.message == f"cannot read {text!r}: {reason}"
