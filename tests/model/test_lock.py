"""What conflicts with what, and how locks are written."""

import pytest

from taskd.model.errors import InvalidInput
from taskd.model.lock import Lock, exclusive, link, parse_lock


@pytest.mark.parametrize(
    ("one", "other", "conflict"),
    [
        (exclusive("site:blog"), exclusive("site:blog"), True),
        (exclusive("site:blog"), exclusive("site:shop"), False),
        (exclusive("site:blog", "backup"), exclusive("site:blog", "backup"), True),
        (exclusive("site:blog", "backup"), exclusive("site:blog", "deploy"), False),
        (exclusive("site:blog", "backup"), exclusive("site:blog"), True),
        (exclusive("site:blog"), link("site:blog"), False),
        (link("site:blog"), link("site:blog"), False),
    ],
)
def test_conflict_is_the_same_from_both_sides(one: Lock, other: Lock, conflict: bool) -> None:
    assert one.conflicts_with(other) is conflict
    assert other.conflicts_with(one) is conflict


@pytest.mark.parametrize(
    ("text", "lock"),
    [
        ("site:blog", exclusive("site:blog")),
        ("site:blog/", exclusive("site:blog")),
        ("site:blog/backup", exclusive("site:blog", "backup")),
        ("folder:/var/www/backup", exclusive("folder:/var/www", "backup")),
        ("folder:/var/www/", exclusive("folder:/var/www")),
        ("url:http://a/b/get", exclusive("url:http://a/b", "get")),
    ],
)
def test_text_is_split_at_the_last_slash(text: str, lock: Lock) -> None:
    assert parse_lock(text) == lock


@pytest.mark.parametrize(
    "lock",
    [exclusive("site:blog"), exclusive("site:blog", "backup"), exclusive("folder:/srv/www")],
)
def test_lock_is_read_as_it_is_written(lock: Lock) -> None:
    assert parse_lock(str(lock)) == lock


@pytest.mark.parametrize("text", ["", "blog", ":blog", "site:", "/backup", "site:/backup"])
def test_resource_without_type_or_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="expected 'type:id' or"):
        parse_lock(text)


def test_link_needs_a_resource_too() -> None:
    with pytest.raises(InvalidInput, match="cannot read 'blog' as a link"):
        link("blog")


def test_what_was_understood_of_a_lock_is_said() -> None:
    with pytest.raises(InvalidInput, match="resource '/srv', operation 'blog'; expected 'type:id'"):
        parse_lock("/srv/blog")


@pytest.mark.parametrize("text", [" site:blog", "site:blog ", "site:blog/ ", "site:blog /x"])
def test_space_at_an_end_makes_no_other_lock(text: str) -> None:
    with pytest.raises(InvalidInput, match="there is a space at an end"):
        parse_lock(text)


@pytest.mark.parametrize("text", ["site:" + "x" * 1000, "site:\ud800", "site:x/\udfff"])
def test_lock_that_no_store_can_hold_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_lock(text)


@pytest.mark.parametrize(
    ("one", "other", "covered"),
    [
        (exclusive("site:blog"), exclusive("site:blog"), True),
        (exclusive("site:blog"), exclusive("site:blog", "backup"), True),
        (exclusive("site:blog", "backup"), exclusive("site:blog", "backup"), True),
        (exclusive("site:blog", "backup"), exclusive("site:blog"), False),
        (exclusive("site:blog", "backup"), exclusive("site:blog", "deploy"), False),
        (exclusive("site:blog"), exclusive("site:shop"), False),
        (link("site:blog"), exclusive("site:blog"), False),
    ],
)
def test_lock_covers_what_it_makes_needless(one: Lock, other: Lock, covered: bool) -> None:
    assert one.covers(other) is covered
