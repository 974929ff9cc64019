"""Which steps may start, by the plan and by what is done."""

import pytest

from taskd.model.flow import names, ready
from taskd.model.step import JSON, Step, StepKind, StepState

IN_A_ROW = ["sequence", "a", "b", "c"]
SIDE_BY_SIDE = ["concurrence", "a", "b"]
FORK = ["sequence", "a", ["concurrence", "b", ["sequence", "c", "d"]], "e"]


def steps(**states: str) -> dict[str, Step]:
    return {
        name: Step(name=name, kind=StepKind.RUN, state=StepState(state), number=number)
        for number, (name, state) in enumerate(states.items(), start=1)
    }


def test_names_are_in_the_order_written() -> None:
    assert names(FORK) == ["a", "b", "c", "d", "e"]
    assert names("a") == ["a"]
    assert names(["sequence"]) == []


@pytest.mark.parametrize(
    ("flow", "states", "may_start"),
    [
        ("a", {"a": "pending"}, ["a"]),
        ("a", {"a": "success"}, []),
        (["sequence"], {}, []),
        (IN_A_ROW, {"a": "pending", "b": "pending", "c": "pending"}, ["a"]),
        (IN_A_ROW, {"a": "running", "b": "pending", "c": "pending"}, []),
        (IN_A_ROW, {"a": "success", "b": "pending", "c": "pending"}, ["b"]),
        (IN_A_ROW, {"a": "skipped", "b": "pending", "c": "pending"}, ["b"]),
        (IN_A_ROW, {"a": "error", "b": "pending", "c": "pending"}, []),
        (IN_A_ROW, {"a": "cancelled", "b": "pending", "c": "pending"}, []),
        (IN_A_ROW, {"a": "suspended", "b": "pending", "c": "pending"}, []),
        (IN_A_ROW, {"a": "success", "b": "success", "c": "success"}, []),
        (SIDE_BY_SIDE, {"a": "pending", "b": "pending"}, ["a", "b"]),
        (SIDE_BY_SIDE, {"a": "error", "b": "pending"}, ["b"]),
    ],
)
def test_step_starts_once_what_is_before_it_is_done(
    flow: JSON, states: dict[str, str], may_start: list[str]
) -> None:
    assert ready(flow, steps(**states)) == may_start


def test_failed_branch_stops_its_followers_and_not_its_siblings() -> None:
    done = steps(a="success", b="pending", c="error", d="pending", e="pending")

    assert ready(FORK, done) == ["b"]


def test_what_follows_a_fork_waits_for_all_branches() -> None:
    almost = steps(a="success", b="success", c="success", d="running", e="pending")
    done = steps(a="success", b="success", c="success", d="success", e="pending")

    assert ready(FORK, almost) == []
    assert ready(FORK, done) == ["e"]
