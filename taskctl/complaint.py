"""An error as a user reads it, on stderr: what could not be done and the remedy."""

import json as JSON
import sys
import traceback

import click

from taskd.model.errors import QueryError, TaskdError
from taskd.model.inert import inert

AROUND = 50  # characters of a query on each side of what is wrong in it


def complain(error: click.ClickException | TaskdError, *, json: bool, debug: bool = False) -> None:
    """Print `error`: as a line and its hint, or as one JSON object."""
    if debug:
        traceback.print_exception(error)
    code, message, hint = _described(error)
    if json:
        body: dict[str, object] = {"code": code, "message": message, "hint": hint}
        if isinstance(error, QueryError):
            body["position"] = error.position
        print(JSON.dumps({"error": body}), file=sys.stderr)
        return
    shown = inert(message, keep="\n")
    print(f"taskctl: {shown}", file=sys.stderr)
    if isinstance(error, QueryError) and error.query:
        _point_at(error.query, error.position)
    if hint:
        print(f"  hint: {inert(hint)}", file=sys.stderr)


def _point_at(query: str, position: int) -> None:
    """The part of the query around `position`, with a caret below that."""
    from rich.cells import cell_len  # slow to load, and only needed here

    begin = max(0, position - AROUND)
    before = ("…" if begin else "") + inert(query[begin:position])
    after = inert(query[position : position + AROUND])
    more = "…" if len(query) > position + AROUND else ""
    print(f"  {before}{after}{more}", file=sys.stderr)
    print(" " * (2 + cell_len(before)) + "^", file=sys.stderr)


def _described(error: click.ClickException | TaskdError) -> tuple[str, str, str]:
    if isinstance(error, TaskdError):
        return error.code, error.message, error.hint
    context = getattr(error, "ctx", None)
    hint = f"{context.command_path} --help" if context else ""
    message = error.format_message()
    if isinstance(error, click.MissingParameter):  # its choices are a list with tabs
        message = " ".join(message.split())
    return "usage", message, hint
