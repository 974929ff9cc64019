"""Errors keep their class, message and remedy over the wire."""

import pytest

from taskd.model import errors
from taskd.model.errors import InvalidInput, NotFound, TaskdError, by_code


def every_error() -> list[type[TaskdError]]:
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    return [kind for kind in classes if issubclass(kind, TaskdError)]


@pytest.mark.parametrize("kind", every_error())
def test_code_leads_back_to_the_class(kind: type[TaskdError]) -> None:
    assert by_code(kind.code) is kind


def test_code_of_a_newer_daemon_is_a_plain_error() -> None:
    assert by_code("from-the-future") is TaskdError


@pytest.mark.parametrize("kind", every_error())
def test_every_error_is_drawn_in_the_tree(kind: type[TaskdError]) -> None:
    assert kind.__name__ in (errors.__doc__ or "")


def test_error_has_message_and_remedy() -> None:
    error = NotFound("there is no task 42", hint="taskctl list")

    assert (str(error), error.message, error.hint) == (
        "there is no task 42",
        "there is no task 42",
        "taskctl list",
    )


def test_query_error_is_an_invalid_input() -> None:
    assert issubclass(errors.QueryError, InvalidInput)
    assert errors.QueryError.exit_code == InvalidInput.exit_code
