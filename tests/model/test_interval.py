"""Lengths of time, as people write them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskd.model.errors import InvalidInput
from taskd.model.interval import parse_interval, write_interval


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", timedelta(seconds=90)),
        ("10m", timedelta(minutes=10)),
        ("2h", timedelta(hours=2)),
        ("30d", timedelta(days=30)),
        ("1w", timedelta(weeks=1)),
        ("1y", timedelta(days=365)),
        ("250ms", timedelta(milliseconds=250)),
        ("1.5h", timedelta(minutes=90)),
        ("1h30m", timedelta(minutes=90)),
        (" 1 h 30 m ", timedelta(minutes=90)),
        ("45", timedelta(seconds=45)),
        (45, timedelta(seconds=45)),
        (0.5, timedelta(milliseconds=500)),
        ("0s", timedelta()),
    ],
)
def test_length_is_read(text: str | float, length: timedelta) -> None:
    assert parse_interval(text) == length


@pytest.mark.parametrize(
    "text", ["", "soon", "5 parsecs", "-5s", "5s later", "m", "1.h", "s5", "٣s", True]
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"expected e\.g\. 90s, 10m or 2h"):
        parse_interval(text)


def test_length_beyond_what_a_timedelta_holds_is_refused() -> None:
    with pytest.raises(InvalidInput, match="it is too long"):
        parse_interval("9999999999y")


@pytest.mark.parametrize("length", [10**20, "99999999999999999999", float("nan"), float("inf"), -5])
def test_number_that_is_no_length_is_refused(length: float | str) -> None:
    with pytest.raises(InvalidInput):
        parse_interval(length)


@given(st.text())
def test_reading_never_fails_in_another_way(text: str) -> None:
    try:
        length = parse_interval(text)
    except InvalidInput:
        return
    assert length >= timedelta()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.25, "0.25s"),
        (90, "1m30s"),
        (3600, "1h"),
        (172800, "2d"),
        (90061.5, "1d1h1m1.5s"),
    ],
)
def test_length_is_written_in_its_parts(seconds: float, text: str) -> None:
    assert write_interval(seconds) == text


@given(st.integers(0, 10**9).map(lambda milliseconds: milliseconds / 1000))
def test_written_length_is_read_as_the_same(seconds: float) -> None:
    assert parse_interval(write_interval(seconds)) == timedelta(seconds=seconds)
