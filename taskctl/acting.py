"""Acting on tasks, one request each: what was done, what was refused and why, in all forms."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import click

from taskctl.complaint import complain
from taskctl.options import Setup
from taskctl.view.forms import Record, as_page, print_list, print_one
from taskd.model.errors import TaskdError

SOME = 11

Refusal: TypeAlias = tuple[int | str, TaskdError]  # of which task


def act(
    setup: Setup,
    method: str,
    task_ids: Sequence[int | str] | None,
    told: Callable[[Record], str],
    **parameters: Any,
) -> int:
    """Ask `method` for each task. `told` says in a line what was done with one. The exit code."""
    if task_ids is None:
        raise click.UsageError(f"{method.partition('.')[2]} needs task ids")
    return act_each(setup, method, dict.fromkeys(task_ids, parameters), told)


def act_each(
    setup: Setup,
    method: str,
    asked: Mapping[int | str, Mapping[str, Any]],
    told: Callable[[Record], str],
) -> int:
    """The same with parameters of each task's own."""
    return report(setup, *ask_each(setup, method, asked), told)


def ask_each(
    setup: Setup, method: str, asked: Mapping[int | str, Mapping[str, Any]]
) -> tuple[list[Record], list[Refusal]]:
    """What was answered, and what was refused."""
    requests = [(method, {"task_id": task_id, **own}) for task_id, own in asked.items()]
    numbers = setup.channel.submit_many(requests)
    answers = [(i, setup.channel.outcome(n)) for i, n in zip(asked, numbers, strict=True)]
    done = [answer for _, answer in answers if not isinstance(answer, TaskdError)]
    return done, [(i, answer) for i, answer in answers if isinstance(answer, TaskdError)]


def report(
    setup: Setup, done: list[Record], refused: list[Refusal], told: Callable[[Record], str]
) -> int:
    """Say what was done and what was refused. The exit code."""
    if setup.output == "table":
        _tell(setup, [told(task) for task in done], [error for _, error in refused])
    else:
        _print(setup, [task["id"] for task in done], refused)
    if not refused:
        return 0
    return SOME if done else refused[0][1].exit_code


def _tell(setup: Setup, lines: Sequence[str], errors: Sequence[TaskdError]) -> None:
    for line in lines:
        click.echo(line)
    for error in errors:
        complain(error, json=False, debug=setup.debug)
    if not lines and not errors:
        click.echo("no tasks were given, nothing was done", err=True)


def _print(setup: Setup, done: list[int], refused: Sequence[Refusal]) -> None:
    failed = [{"id": task_id, "reason": error.message} for task_id, error in refused]
    if setup.output == "name":
        print_list("name", as_page([{"id": number} for number in done]))
    elif setup.output == "csv":
        rows = [{"id": n, "outcome": "done", "reason": ""} for n in done]
        rows += [{"id": f["id"], "outcome": "failed", "reason": f["reason"]} for f in failed]
        print_list("csv", as_page(rows), headers=setup.headers)
    else:
        print_one(setup.output, {"done": done, "skipped": [], "failed": failed})
    if setup.json and refused and not done:
        complain(refused[0][1], json=True, debug=setup.debug)
