"""Changing recurring logics, one request each: what was done, and what was refused and why."""

import shlex
import sys
from collections.abc import Iterator
from typing import Any

import click

from taskctl.acting import SAMPLE, SOME, Refusal, print_outcome
from taskctl.complaint import complain
from taskctl.options import Selection, Setup
from taskctl.view.forms import Record
from taskctl.view.inert import inert
from taskd.model.errors import InvalidInput, TaskdError


def change(setup: Setup, method: str, selection: Selection, done: str) -> int:
    """`done` says what it is then, unless its state does. The exit code."""
    verb = method.partition(".")[2]
    changed: list[int] = []
    refused: list[Refusal] = []
    for logic_id in _select(setup, verb, selection):
        try:
            logic = _ask(setup, method, logic_id, noop=selection.noop)
        except TaskdError as error:
            refused.append((logic_id, error))
            if setup.output == "table":
                complain(error, json=False, debug=setup.debug)
            continue
        changed.append(logic_id)
        if setup.output == "table":
            told = (
                f"would {verb} {_named(logic)}"
                if selection.noop
                else f"{_named(logic)} is {done or logic['state']}"
            )
            click.echo(told)
    if setup.output != "table":
        print_outcome(setup, changed, [], refused)
    if not refused:
        return 0
    return SOME if changed else refused[0][1].exit_code


def _select(setup: Setup, verb: str, selection: Selection) -> list[Any]:
    """The ids. Raises UsageError, Exit."""
    if (selection.search is None) == (selection.task_ids is None):
        raise click.UsageError(f"{verb} needs ids of recurring logics, or --search")
    if selection.search is None:
        return list(selection.task_ids or ())
    if not selection.search.strip():
        raise InvalidInput("a search without a condition means all; say so: --search 'id > 0'")
    found = list(_find(setup, selection.search))
    if found and not (selection.yes or selection.noop):
        _confirm(verb, selection.search, found)
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


def _confirm(verb: str, search: str, found: list[Record]) -> None:
    if not sys.stdin.isatty():
        line = shlex.join(["taskctl", "recurring", verb, "--search", search, "--yes"])
        raise click.UsageError(f"this asks first, and there is no terminal: {line}")
    for logic in found[:SAMPLE]:
        click.echo(_named(logic), err=True)
    if not click.confirm(f"{verb} {len(found)} recurring logics?", err=True):
        click.echo("nothing was done", err=True)
        raise click.exceptions.Exit(1)


def _ask(setup: Setup, method: str, logic_id: int, *, noop: bool) -> Record:
    logic: Record = setup.channel.ask(method, logic_id=logic_id, **({"noop": True} if noop else {}))
    return logic


def _named(logic: Record) -> str:
    return inert(f"recurring logic {logic['id']} ({logic['name']})")
