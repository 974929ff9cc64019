"""Runs one step of a Python action in this process: where all executors end.

Whatever the author's code does that Python can catch becomes a Failure.
"""

import inspect
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import taskd
from taskd import wire
from taskd.actions.action import Action, from_input
from taskd.actions.command import CommandFailed
from taskd.actions.current import Current
from taskd.actions.declaration import Declaration, declaration_of
from taskd.actions.outcome import Requested, Snooze, SubTasks, as_request
from taskd.actions.place import Place, place_of_function
from taskd.actions.secret import hide
from taskd.catalog.python_source import find_action, find_function
from taskd.executors.base import (
    Call,
    CallKind,
    Delegated,
    Failure,
    Outcome,
    Planned,
    Snoozed,
    SubTask,
    Success,
)
from taskd.executors.checks import check_flow, check_json, check_locks, check_output, check_title
from taskd.model.errors import InvalidAction, NotFound
from taskd.model.step import JSON, StepError
from taskd.model.suggest import did_you_mean
from taskd.model.task import Task

Find: TypeAlias = Callable[[str, str], type[Action]]

MAX_TEXT = 64 * 1024
_OURS = str(Path(taskd.__file__).parent)


class _ActionChanged(Exception):
    """The author's code is not what the task was planned with."""


def run_step(call: Call, current: Current, find: Find = find_action) -> Outcome:
    """Run the step, or plan the task. `current` becomes the action's `task`.

    Action folders must be mounted (`taskd.catalog.python_source.mount`).
    """
    try:
        if call.function:
            return _call_function(call)
        action = _build(call, find)
        action.__dict__["task"] = current
        if call.kind == CallKind.PLAN:  # from JSON it is a plain str
            return _plan(action, call)
        if call.kind == CallKind.HOOK:
            return _call_hook(action, call)
        returned = _run(action, call)
        with _at(declaration_of(type(action)).place, call.step):
            return _outcome(returned, call)
    except _ActionChanged as changed:
        return Failure(_error(call, "action-changed", f"action changed: {changed}"))
    # Here foreign code ends: it may raise anything, SystemExit and KeyboardInterrupt included.
    except BaseException as error:
        return Failure(_describe(call, error))


def _build(call: Call, find: Find) -> Action:
    try:
        action = find(call.module, call.name)
    except NotFound as missing:
        raise _ActionChanged(missing.message) from None
    for field in declaration_of(action).fields:
        if field.required and field.name not in call.input:
            raise _ActionChanged(f"new input {field.name!r}; give it a default")
    instance: Action = from_input(action, call.input)
    return instance


def _run(action: Action, call: Call) -> Any:
    declaration = declaration_of(type(action))
    name = call.step
    step = declaration.finalize if name == "finalize" else declaration.steps.get(name)
    if step is None:
        raise _ActionChanged(f"no step {name!r}")
    try:
        outputs = {need: call.outputs[need] for need in step.needs}
    except KeyError as missing:
        raise _ActionChanged(f"step {name!r} now needs {missing}, which has not run") from None
    return getattr(action, name)(**outputs)


def _call_function(call: Call) -> Outcome:
    function = find_function(call.module, call.name)
    parameters = inspect.signature(function).parameters.values()
    taken = {p.name: call.input[p.name] for p in parameters if p.name in call.input}
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        taken = call.input
    returned = function(**call.outputs, **taken)
    unknown = Place("", 0, call.name)  # as of what is written in C
    with _at(place_of_function(function) if inspect.isfunction(function) else unknown, call.name):
        return _outcome(returned, call)


def _outcome(returned: Any, call: Call) -> Outcome:
    if returned is None:
        return Success()
    match returned:
        case Snooze():
            check_output(returned.keep, call.step, "keep")
            return Snoozed(returned.seconds, _without_secrets(returned.keep, call.secrets))
        case SubTasks():
            tasks = tuple(_sub_task(each, call.step) for each in returned.actions)
            return Delegated(tasks, returned.concurrency)
        case _:
            check_output(returned, call.step)
            return Success(_without_secrets(returned, call.secrets))


def _call_hook(action: Action, call: Call) -> Outcome:
    hook = getattr(action, call.step, None)
    if hook is None:
        raise _ActionChanged(f"no hook {call.step!r}")
    takes = inspect.signature(hook).parameters
    told = {"task": wire.decode(Task, call.outputs["task"])} if "task" in takes else {}
    returned = hook(**told)
    return Success(hide(returned, call.secrets) if isinstance(returned, str) else None)


def _sub_task(requested: Requested, step: str) -> SubTask:
    try:
        request = as_request(requested)
    except TypeError as error:
        raise InvalidAction(f"step {step!r}: {error}") from None
    told = f"step {step!r} gives {request.label} what is no JSON: its input"
    check_json(request.input, told)
    return SubTask(request.label, request.input)


def _plan(action: Action, call: Call) -> Planned:
    declaration: Declaration = declaration_of(type(action))
    title, flow, locks = action.title(), action.plan(), action.locks()
    with _at(declaration.place, "title"):
        name = hide(check_title(title), call.secrets)
    with _at(declaration.place, "plan"):
        flow = check_flow(flow, declaration.steps)
    with _at(declaration.place, "locks"):
        return Planned(name, flow, check_locks(locks))


@contextmanager
def _at(place: Place, name: str) -> Iterator[None]:
    """What is wrong with that which the author's `name` returned is told with its place."""
    try:
        yield
    except InvalidAction as error:
        raise place.of(name).refuse(error.reason) from None


def _describe(call: Call, error: BaseException) -> StepError:
    return _error(
        call,
        type(error).__name__,
        _text(error) or type(error).__name__,
        "" if isinstance(error, InvalidAction) else _traceback(error),  # it says where
        _detail(error),
    )


def _detail(error: BaseException) -> dict[str, int] | None:
    """Of a command that failed, unless the author has put there what nobody can keep."""
    if not isinstance(error, CommandFailed):
        return None
    try:
        check_json(error.detail, "detail")
    except InvalidAction:
        return None
    return error.detail


def _error(
    call: Call, kind: str, message: str, trace: str = "", detail: dict[str, int] | None = None
) -> StepError:
    return StepError(
        kind=kind,
        message=_shown(message, call),
        traceback=_shown(trace, call),
        step=call.step,
        action=call.label,
        detail=detail,
    )


def _text(error: BaseException) -> str:
    try:
        text = str(error)
    # Its __str__ is the author's too.
    except BaseException as second:
        return f"its text cannot be made: {type(second).__name__}"
    if isinstance(error, AttributeError) and isinstance(error.obj, Action | Current):
        text += did_you_mean(str(error.name), dir(error.obj))
    return text


def _traceback(error: BaseException) -> str:
    """Frames of the author's code and of what it calls, without those of ours."""
    try:
        summary = traceback.TracebackException.from_exception(error, compact=True)
        _drop_our_frames(summary)
        return "".join(summary.format())
    # As above: it formats what the author's classes say of themselves.
    except BaseException as second:
        return f"no traceback: {type(second).__name__}"


def _drop_our_frames(summary: traceback.TracebackException) -> None:
    kept = [frame for frame in summary.stack if not frame.filename.startswith(_OURS)]
    summary.stack = traceback.StackSummary.from_list(kept)
    for inner in (summary.__cause__, summary.__context__, *(summary.exceptions or ())):
        if inner is not None:
            _drop_our_frames(inner)


def _without_secrets(output: JSON, secrets: tuple[str, ...]) -> JSON:
    """An output is stored, so what it holds of a secret is not part of it."""
    if not secrets:
        return output
    if isinstance(output, str):
        return hide(output, secrets)
    if isinstance(output, list):
        return [_without_secrets(item, secrets) for item in output]
    if isinstance(output, dict):
        return {hide(key, secrets): _without_secrets(item, secrets) for key, item in output.items()}
    return output


def _shown(text: str, call: Call) -> str:
    """Without secrets, and of a size that people read."""
    text = hide(text, call.secrets)
    if len(text) <= MAX_TEXT:
        return text
    half = MAX_TEXT // 2
    return f"{text[:half]}\n… {len(text) - MAX_TEXT} characters are left out …\n{text[-half:]}"
