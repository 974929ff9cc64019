"""Changing recurring logics, one request each: what was done, and what was refused and why."""

from collections.abc import Iterable

import click

from taskctl.complaint import complain
from taskctl.options import Setup
from taskctl.view.forms import as_page, print_list, print_one
from taskctl.view.inert import inert
from taskd.model.errors import TaskdError

SOME = 11


def change(setup: Setup, method: str, logic_ids: Iterable[int], done: str) -> int:
    """`done` says what it is then. The exit code."""
    changed: list[int] = []
    refused: list[tuple[int, TaskdError]] = []
    for logic_id in logic_ids:
        try:
            logic = setup.channel.ask(method, logic_id=logic_id)
        except TaskdError as error:
            refused.append((logic_id, error))
            if setup.output == "table":
                complain(error, json=False, debug=setup.debug)
            continue
        changed.append(logic_id)
        if setup.output == "table":
            click.echo(inert(f"recurring logic {logic_id} ({logic['name']}) is {done}"))
    if setup.output == "name":
        print_list("name", as_page([{"id": each} for each in changed]))
    elif setup.output != "table":
        failed = [{"id": logic_id, "reason": error.message} for logic_id, error in refused]
        print_one(setup.output, {"done": changed, "skipped": [], "failed": failed})
    if not refused:
        return 0
    return SOME if changed else refused[0][1].exit_code
