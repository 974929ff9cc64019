"""Sizes, as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskd.model.errors import InvalidInput
from taskd.model.size import parse_size, write_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4096", 4096),
        (4096, 4096),
        ("0", 0),
        ("10 B", 10),
        ("64 MiB", 64 * 1024**2),
        ("64M", 64 * 1024**2),
        ("500 kB", 500_000),
        ("1.5k", 1536),
        ("2gib", 2 * 1024**3),
        ("1 TB", 10**12),
    ],
)
def test_size_is_read_in_bytes(text: str | int, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1", "5 apples", "1 2", "MiB"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"expected e\.g\. 64 MiB, 500 kB or 4096"):
        parse_size(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1000, "1000 B"), (64 << 20, "64 MiB"), (1536, "1536 B"), (3 << 40, "3 TiB")],
)
def test_size_is_written_by_the_largest_unit_that_divides_it(size: int, text: str) -> None:
    assert write_size(size) == text


@given(st.integers(0, 1 << 50))
def test_written_size_is_read_as_the_same(size: int) -> None:
    assert parse_size(write_size(size)) == size
