"""A task's input is read, filled up and checked before there is a task."""

import pytest

from taskd.catalog.inputs import read_input
from taskd.model.definition import Definition, Field
from taskd.model.errors import InvalidInput
from taskd.model.lock import Lock
from taskd.model.step import JSON
from taskd.model.template import fill, fill_lock, placeholders

STRING: dict[str, JSON] = {"type": "string"}
INTEGER: dict[str, JSON] = {"type": "integer"}
NULL: dict[str, JSON] = {"type": "null"}
SERVER: dict[str, JSON] = {
    "type": "object",
    "properties": {"host": STRING, "port": INTEGER},
    "required": ["host"],
    "additionalProperties": False,
}


def an_action(*fields: Field) -> Definition:
    return Definition(label="backup", type="python", title="Back up", steps=(), fields=fields)


def test_defaults_fill_what_is_not_given_and_are_not_shared() -> None:
    definition = an_action(Field("site", STRING), Field("tags", {"type": "array"}, False, ["a"]))

    first = read_input(definition, {"site": "blog"}, {})
    first["tags"].append("b")

    assert read_input(definition, {"site": "blog"}, {}) == {"site": "blog", "tags": ["a"]}


def test_words_go_before_input() -> None:
    definition = an_action(Field("count", INTEGER))

    assert read_input(definition, {"count": 1}, {"count": "2"}) == {"count": 2}


@pytest.mark.parametrize(
    ("word", "schema", "value"),
    [
        ("12", STRING, "12"),
        ("null", STRING, "null"),
        ("-12", INTEGER, -12),
        ("1.5", {"type": "number"}, 1.5),
        ("1e3", {"type": "number"}, 1000.0),
        ("7", {"type": "number"}, 7),
        ("Yes", {"type": "boolean"}, True),
        ("false", {"type": "boolean"}, False),
        ("null", NULL, None),
        ('["a", 1]', {"type": "array"}, ["a", 1]),
        ('{"a": 1}', {"type": "object"}, {"a": 1}),
        ("red", {"enum": ["red", 3]}, "red"),
        ("3", {"enum": ["red", 3]}, 3),
        ("null", {"anyOf": [STRING, NULL]}, None),
        ("x", {"anyOf": [STRING, NULL]}, "x"),
        ("5", {"anyOf": [STRING, INTEGER]}, 5),
        ("5", {}, 5),
        ("five", {}, "five"),
        ('{"host": "a"}', SERVER, {"host": "a"}),
    ],
)
def test_word_is_read_by_the_type_of_its_field(
    word: str, schema: dict[str, JSON], value: JSON
) -> None:
    read = read_input(an_action(Field("x", schema)), {}, {"x": word})

    assert read == {"x": value}
    assert type(read["x"]) is type(value)


@pytest.mark.parametrize(
    ("value", "schema", "message"),
    [
        (1, STRING, "'x' must be text, not 1"),
        ("1", INTEGER, "'x' must be a whole number, not '1'"),
        (True, INTEGER, "'x' must be a whole number, not true"),
        (1.0, INTEGER, "'x' must be a whole number, not 1.0"),
        (float("nan"), {"type": "number"}, "'x' must be a number, not NaN"),
        (1, {"type": "boolean"}, "'x' must be true or false, not 1"),
        ("[", {"type": "array"}, "'x' must be a list, not '['"),
        ([1, "a"], {"type": "array", "items": INTEGER}, "'x[1]' must be a whole number, not 'a'"),
        ({"a": 1}, {"type": "object", "additionalProperties": STRING}, "'x.a' must be text, not 1"),
        ({}, SERVER, "'x.host' is missing"),
        ({"host": "a", "prot": 1}, SERVER, "'x.prot' is unknown; did you mean 'port'?"),
        ({"host": "a", "port": "b"}, SERVER, "'x.port' must be a whole number, not 'b'"),
        ("blue", {"enum": ["red", 3]}, "'x' must be one of red, 3, not 'blue'"),
        (True, {"enum": [1]}, "'x' must be one of 1, not true"),
        ([], {"anyOf": [STRING, NULL]}, "'x' must be text or null, not []"),
    ],
)
def test_value_that_does_not_fit_is_refused(
    value: JSON, schema: dict[str, JSON], message: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_input(an_action(Field("x", schema)), {"x": value}, {})

    assert caught.value.message == f"cannot start backup: {message}"


def test_all_problems_are_named_at_once() -> None:
    definition = an_action(Field("site", STRING), Field("count", INTEGER), Field("channels", {}))

    with pytest.raises(InvalidInput) as caught:
        read_input(definition, {"count": "x"}, {"chanels": "ops"})

    assert caught.value.message == (
        "cannot start backup: 'site' is missing, expected text; "
        "'count' must be a whole number, not 'x'; 'channels' is missing, expected JSON; "
        "'chanels' is unknown; did you mean 'channels'?"
    )


def test_value_of_a_secret_is_never_shown() -> None:
    definition = an_action(Field("password", {"type": "string", "format": "secret"}))

    with pytest.raises(InvalidInput) as caught:
        read_input(definition, {"password": ["hunter2"]}, {})

    assert "hunter2" not in caught.value.message


def test_long_values_are_cut_in_messages() -> None:
    with pytest.raises(InvalidInput) as caught:
        read_input(an_action(Field("x", INTEGER)), {"x": "y" * 10_000}, {})

    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain", "plain"),
        ("Back up {site}", "Back up blog"),
        ("{{site}} {site}", "{site} blog"),
        ("{tags} {on} {none}", '["a"] true null'),
        ("{site.__class__}", "{site.__class__}"),
    ],
)
def test_template_is_filled(template: str, text: str) -> None:
    values: dict[str, JSON] = {"site": "blog", "tags": ["a"], "on": True, "none": None}

    assert fill(template, values) == text


def test_values_cannot_change_the_operation_of_a_lock() -> None:
    lock = fill_lock("site:{site}/backup", {"site": "a/b"})

    assert lock == Lock("site:a/b", "backup")


def test_lock_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput, match="expected 'type:id'"):
        fill_lock("site:{site}", {"site": ""})


def test_lone_brace_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"a lone '\{'"):
        placeholders("a { b")
