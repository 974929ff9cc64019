"""Changing recurring logics, one request each: what was done, and what was refused and why."""

from collections.abc import Iterator
from typing import Any

import click

from taskctl.acting import SOME, Refusal, ask_first, print_outcome
from taskctl.complaint import complain
from taskctl.options import Selection, Setup
from taskctl.view.forms import Record
from taskd.model.errors import InvalidInput, TaskdError
from taskd.model.inert import inert


def change(setup: Setup, method: str, selection: Selection, done: str) -> int:
    """`done` says what it is then, unless its state does. The exit code."""
    verb = method.partition(".")[2]
    changed: list[int] = []
    refused: list[Refusal] = []
    for logic_id in _select(setup, verb, selection):
        try:
            logic = setup.channel.ask(method, logic_id=logic_id, noop=selection.noop)
        except TaskdError as error:
            refused.append((logic_id, error))
            if setup.output == "table":
                complain(error, json=False, debug=setup.debug)
            continue
        changed.append(logic_id)
        if setup.output == "table":
            is_now = f"{_named(logic)} is {done or logic['state']}"
            click.echo(f"would {verb} {_named(logic)}" if selection.noop else is_now)
    if setup.output != "table":
        print_outcome(setup, changed, [], refused)
    if not refused:
        return 0
    return SOME if changed else refused[0][1].exit_code


def _select(setup: Setup, verb: str, selection: Selection) -> list[Any]:
    """The ids. Raises UsageError, Exit."""
    if (selection.search is None) == (selection.task_ids is None):
        raise click.UsageError(f"{verb} needs ids of recurring logics, or else --search")
    if selection.search is None:
        return list(selection.task_ids or ())
    if not selection.search.strip():
        raise InvalidInput("a search without a condition means all; say so: --search 'id > 0'")
    found = list(_find(setup, selection.search))
    if found and not (selection.yes or selection.noop):
        named = list(map(_named, found))
        ask_first(["recurring", verb], selection.search, named, "recurring logic")
    if not found and setup.output == "table":
        click.echo("no such recurring logic, nothing was done", err=True)
    return [logic["id"] for logic in found]


def _find(setup: Setup, search: str) -> Iterator[Record]:
    after = ""
    while True:
        page = setup.channel.ask("recurring.find", search=search, after=after)
        yield from page["items"]
        after = page["after"]
        if not after:
            return


def _named(logic: Record) -> str:
    return inert(f"recurring logic {logic['id']} ({logic['name']})")
