"""What the author's code may return: JSON of a step; a title, a flow and locks of a plan."""

import json
from collections.abc import Iterable, Mapping
from math import isfinite

from taskd.actions.types import INSTEAD
from taskd.executors.base import MAX_OUTPUT
from taskd.model.definition import StepDefinition
from taskd.model.errors import InvalidAction
from taskd.model.lock import Lock
from taskd.model.step import JSON
from taskd.model.suggest import did_you_mean
from taskd.model.task import Flow
from taskd.wire import MAX_DEPTH

_MAX_BITS = 4096  # Python itself refuses to write much longer numbers


def check_output(output: JSON, step: str, what: str = "output") -> None:
    """Raises InvalidAction that says where in it something is no JSON, or that it is too large."""
    check_json(output, f"step {step!r} returned what is no JSON: its {what}")
    size = len(json.dumps(output))
    if size > MAX_OUTPUT:
        raise InvalidAction(
            f"step {step!r} returned {size} bytes, and {MAX_OUTPUT >> 20} MiB at the most is kept:"
            " write it to a file, and return its name"
        )


def check_json(value: JSON, refusal: str) -> None:
    """Raises InvalidAction: `refusal`, followed by what is wrong where in it."""
    if wrong := _find_not_json(value, "", MAX_DEPTH):
        raise InvalidAction(refusal + wrong)


def check_title(title: object) -> str:
    if isinstance(title, str) and title.strip():
        return title
    raise InvalidAction(f"title() returned {title!r}: return the task's name, a text")


def check_locks(locks: object) -> tuple[Lock, ...]:
    if isinstance(locks, Lock) or not isinstance(locks, Iterable):
        raise InvalidAction(f"locks() returned {locks!r}: yield or return a list of locks")
    found = tuple(locks)
    for lock in found:
        if not isinstance(lock, Lock):
            raise InvalidAction(
                f"locks() gave {lock!r}: give exclusive('type:id') or link('type:id')"
            )
    return found


def check_flow(flow: object, steps: Mapping[str, StepDefinition]) -> Flow:
    """Known steps, each once, after all that they need."""
    check_json(flow, "plan() returned a flow that is no JSON: it")
    seen: set[str] = set()
    _check_part(flow, steps, frozenset(), seen)
    return flow


def _check_part(
    part: object, steps: Mapping[str, StepDefinition], before: frozenset[str], seen: set[str]
) -> frozenset[str]:
    """The steps that are done after it. `before` are those that are done when it begins."""
    if isinstance(part, str):
        _check_step(part, steps, before, seen)
        return frozenset((part,))
    if not isinstance(part, list | tuple) or not part or part[0] not in ("sequence", "concurrence"):
        raise InvalidAction(
            f"plan() returned {part!r}: return sequence(…) or concurrence(…) of steps"
        )
    done: frozenset[str] = frozenset()
    for inner in part[1:]:
        done |= _check_part(inner, steps, before | done if part[0] == "sequence" else before, seen)
    return done


def _check_step(
    name: str, steps: Mapping[str, StepDefinition], before: frozenset[str], seen: set[str]
) -> None:
    if name not in steps:
        raise InvalidAction(
            f"plan() names {name!r}, which is not a step{did_you_mean(name, steps)}"
        )
    if name in seen:
        raise InvalidAction(f"plan() names step {name!r} twice")
    seen.add(name)
    for need in steps[name].needs:
        if need not in before:
            raise InvalidAction(
                f"plan() does not run {need!r} before {name!r}, which needs its output: "
                f"put it before, or leave {name!r} out too"
            )


def _find_not_json(value: JSON, where: str, room: int) -> str | None:
    """`room`: for how many levels more."""
    if value is None or isinstance(value, str | bool):
        return None
    if isinstance(value, int):
        is_small = value.bit_length() <= _MAX_BITS
        return None if is_small else f"{where} is too large a number: use str"
    if isinstance(value, float):
        return None if isfinite(value) else f"{where} is {value}: use None"
    if isinstance(value, list | tuple | dict) and not room:
        return f" holds itself, or is nested more than {MAX_DEPTH} levels deep"
    if isinstance(value, list | tuple):
        found = (_find_not_json(item, f"{where}[{i}]", room - 1) for i, item in enumerate(value))
        return _first(found)
    if isinstance(value, dict):
        return _first(_find_not_json_at(key, item, where, room - 1) for key, item in value.items())
    kind = type(value).__name__
    instead = INSTEAD.get(kind, "str, int, float, bool, list or dict")
    return f"{where} is of type {kind}: use {instead}"


def _find_not_json_at(key: object, item: JSON, where: str, room: int) -> str | None:
    if not isinstance(key, str):
        return f"{where} has the key {key!r}, and keys must be text"
    return _find_not_json(item, f"{where}[{key!r}]", room)


def _first(findings: Iterable[str | None]) -> str | None:
    return next((finding for finding in findings if finding), None)
