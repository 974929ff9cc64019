"""An error as a user reads it, on stderr: what could not be done and the remedy."""

import json as JSON
import sys
import traceback

import click

from taskctl.view.inert import inert
from taskd.model.errors import TaskdError


def complain(error: click.ClickException | TaskdError, *, json: bool, debug: bool = False) -> None:
    """Print `error`: as a line and its hint, or as one JSON object."""
    if debug:
        traceback.print_exception(error)
    code, message, hint = _described(error)
    if json:
        body = {"code": code, "message": message, "hint": hint}
        print(JSON.dumps({"error": body}), file=sys.stderr)
        return
    shown = inert(message, keep="\n")
    print(f"taskctl: {shown}", file=sys.stderr)
    if hint:
        print(f"  hint: {inert(hint)}", file=sys.stderr)


def _described(error: click.ClickException | TaskdError) -> tuple[str, str, str]:
    if isinstance(error, TaskdError):
        return error.code, error.message, error.hint
    context = getattr(error, "ctx", None)
    hint = f"{context.command_path} --help" if context else ""
    return "usage", error.format_message(), hint
