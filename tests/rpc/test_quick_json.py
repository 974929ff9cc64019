"""What is read quickly is what `json` reads, or is left to it; the same for what is written."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskd import quick_json

_leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(values.filter(lambda value: "inf" not in repr(value)), st.booleans())
def test_value_is_read_as_json_does(value: object, ascii_only: bool) -> None:
    line = json.dumps(value, ensure_ascii=ascii_only).encode()

    assert repr(quick_json.read(line)) == repr(json.loads(line))


@given(values.filter(lambda value: "inf" not in repr(value)))
def test_value_is_written_so_that_json_reads_the_same(value: object) -> None:
    line = quick_json.dumps(value)

    assert b"\n" not in line
    assert repr(json.loads(line)) == repr(json.loads(json.dumps(value)))


@pytest.mark.parametrize(
    "line",
    [
        b"NaN",
        b"[Infinity]",
        b"1e999",
        b'"\\ud800"',
        b'{"\\udc00": 1}',
        b'"\\ud83dx"',
        b"9" * 4301,
        b"\xff",
        b"{",
        b"",
        b"[" * 100_000,
    ],
    ids=lambda line: line[:9].decode("latin-1") or "nothing",
)
def test_what_is_odd_is_not_read(line: bytes) -> None:
    assert quick_json.read(line) is quick_json.ODD


def test_what_is_odd_in_a_line_of_ours_is_read_all_the_same() -> None:
    assert quick_json.loads(b'["\\ud800"]') == ["\ud800"]
    assert math.isinf(quick_json.loads(b"1e999"))


@pytest.mark.parametrize("value", ["a\ud800", {"\udfff": 1}, {None: 1, True: 2}])
def test_what_is_odd_is_written_all_the_same(value: object) -> None:
    assert json.loads(quick_json.dumps(value)) == json.loads(json.dumps(value))
