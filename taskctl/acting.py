"""Acting on tasks, one request each: what was done, what was refused and why, in all forms.

Which tasks a search means is asked for first; then each request carries that search, so that a task
that has changed meanwhile is left alone.
"""

import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from types import MappingProxyType
from typing import Any, TypeAlias

import click

from taskctl.complaint import complain
from taskctl.options import Selection, Setup
from taskctl.view.forms import Record, as_page, print_list, print_one
from taskd.model.errors import InvalidInput, NoMatch, TaskdError
from taskd.model.inert import inert

SOME = 11
AT_ONCE = 500  # requests, and records of a page
SAMPLE = 5

Refusal: TypeAlias = tuple[int | str, TaskdError]  # of which task
NOTHING: Mapping[int | str, Record] = MappingProxyType({})


def act(
    setup: Setup,
    method: str,
    selection: Selection,
    told: Callable[[Record], str],
    own: Mapping[int | str, Record] = NOTHING,
    **parameters: Any,
) -> int:
    """Ask `method` for each task. `told` says in a line what was done with one. The exit code.

    `own` are the parameters of some tasks alone.
    """
    verb = method.partition(".")[2]
    guard: Mapping[str, Any]
    task_ids, guard = select(setup, verb, selection, confirm=True)
    if selection.noop:
        guard = guard | {"noop": True}
        told = partial(_would, verb)
    asked = {i: {**guard, **parameters, **own.get(i, {})} for i in task_ids}
    return report(setup, *ask_each(setup, method, asked), told)


def select(
    setup: Setup, verb: str, selection: Selection, *, confirm: bool = False
) -> tuple[Sequence[int | str], dict[str, str]]:
    """The tasks, and what a request about one of them is to say beside its id.

    `confirm`: ask before anything is done with what a search has found. Raises UsageError, Exit.
    """
    if selection.search is None:
        if selection.task_ids is None:
            raise click.UsageError(f"{verb} needs task ids, or --search")
        return selection.task_ids, {}
    if selection.task_ids is not None:
        raise click.UsageError("task ids and --search exclude each other")
    if not selection.search.strip():
        raise InvalidInput(
            "a search without a condition means all tasks; say so: --search 'id > 0'"
        )
    meant = setup.channel.ask("tasks.explain", search=selection.search)["query"]
    found = list(_find(setup, meant))
    if confirm and found and not (selection.yes or selection.noop):
        ask_first([verb], selection.search, list(map(named, found)), "task")
    return [task["id"] for task in found], {"search": meant}


def _find(setup: Setup, search: str) -> Iterator[Record]:
    """All tasks that it means, oldest first, so that none that comes meanwhile is among them."""
    after = ""
    while True:
        page = setup.channel.ask(
            "tasks.find", search=search, order="id", limit=AT_ONCE, after=after
        )
        yield from page["items"]
        if len(page["items"]) < AT_ONCE:
            return
        after = page["after"]


def ask_first(command: Sequence[str], search: str, found: Sequence[str], kind: str) -> None:
    """Show some of what a search has found, each in a line, and ask. Raises UsageError, Exit."""
    if not is_asked_by_a_person():
        line = shlex.join(["taskctl", *command, "--search", search, "--yes"])
        raise click.UsageError(f"this asks first, and there is no terminal: {line}")
    for each in found[:SAMPLE]:
        click.echo(each, err=True)
    if len(found) > SAMPLE:
        click.echo(f"… and {len(found) - SAMPLE} more", err=True)
    count = f"this {kind}" if len(found) == 1 else f"these {len(found)} {kind}s"
    if not click.confirm(f"{command[-1]} {count}?", err=True):
        click.echo("nothing was done", err=True)
        raise click.exceptions.Exit(1)


def is_asked_by_a_person() -> bool:
    return sys.stdin.isatty()


def _would(verb: str, task: Record) -> str:
    return f"would {verb} {named(task)}"


def named(task: Record) -> str:
    return inert(f"task {task['id']} ({task['name']}), {task['state']}, {task['result']}")


def ask_each(
    setup: Setup, method: str, asked: Mapping[int | str, Mapping[str, Any]]
) -> tuple[list[Record], list[Refusal]]:
    """What was answered, and what was refused."""
    done: list[Record] = []
    refused: list[Refusal] = []
    left = iter(asked.items())
    while part := list(islice(left, AT_ONCE)):
        requests = [(method, {"task_id": task_id, **own}) for task_id, own in part]
        numbers = setup.channel.submit_many(requests)
        for (task_id, _), number in zip(part, numbers, strict=True):
            answer = setup.channel.outcome(number)
            if isinstance(answer, TaskdError):
                refused.append((task_id, answer))
            else:
                done.append(answer)
    return done, refused


def report(
    setup: Setup, done: list[Record], refused: list[Refusal], told: Callable[[Record], str]
) -> int:
    """Say what was done, what was refused, and what had changed meanwhile. The exit code."""
    failed = [(task_id, error) for task_id, error in refused if not isinstance(error, NoMatch)]
    skipped = [refusal for refusal in refused if refusal not in failed]
    if setup.output == "table":
        _tell(setup, [told(task) for task in done], [error for _, error in failed])
        for _, error in skipped:
            click.echo(f"taskctl: {error.message}: left alone", err=True)
    else:
        print_outcome(setup, [task["id"] for task in done], skipped, failed)
    if not failed:
        return 0
    return SOME if done else failed[0][1].exit_code


def _tell(setup: Setup, lines: Sequence[str], errors: Sequence[TaskdError]) -> None:
    for line in lines:
        click.echo(line)
    for error in errors:
        complain(error, json=False, debug=setup.debug)
    if not lines and not errors:
        click.echo("there is no such task, nothing was done", err=True)


def print_outcome(
    setup: Setup, done: list[int], skipped: Sequence[Refusal], failed: Sequence[Refusal]
) -> None:
    reasons = {
        "skipped": [{"id": task_id, "reason": error.message} for task_id, error in skipped],
        "failed": [{"id": task_id, "reason": error.message} for task_id, error in failed],
    }
    if setup.output == "name":
        print_list("name", as_page([{"id": number} for number in done]))
    elif setup.output == "csv":
        rows = [{"id": number, "outcome": "done", "reason": ""} for number in done]
        rows += [
            {"id": each["id"], "outcome": outcome, "reason": each["reason"]}
            for outcome, found in reasons.items()
            for each in found
        ]
        print_list("csv", as_page(rows), headers=setup.headers)
    else:
        print_one(setup.output, {"done": done, **reasons})
    if setup.json and failed and not done:
        complain(failed[0][1], json=True, debug=setup.debug)
