"""What a shell is told at a TAB. Whatever goes wrong, it is told nothing."""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, suppress
from importlib import import_module

from click.shell_completion import CompletionItem, ShellComplete

from taskctl import suggesting
from taskctl.main import taskctl
from taskctl.options import Setup
from taskctl.shells.typed import Suggestion, Typed

PATIENCE = 2  # seconds; whoever typed has gone on by then


def answer(shell: str, words: Sequence[str]) -> int:
    """Print what may stand at the cursor. The exit code."""
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(PATIENCE)
    # A message would be shown in the middle of what is being typed.
    with suppress(Exception), open(os.devnull, "r+") as nothing, redirect_stderr(nothing):
        sys.stdin = nothing
        ways = import_module(f"taskctl.shells.{shell}")
        typed = ways.read(words)
        lines = ways.write(typed, suggest(typed))
        sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


def suggest(typed: Typed) -> list[Suggestion]:
    """A value that stands with its option in one word, `--search=state`, is suggested with it."""
    words, begin, option = typed.words, typed.word, ""
    if begin.startswith("--") and "=" in begin:
        name, _, begin = begin.partition("=")
        words, option = [*words, name], f"{name}="
    setup = Setup()
    try:
        found = ShellComplete(taskctl, {"obj": setup}, "taskctl", "").get_completions(words, begin)
    finally:
        setup.close()
    return [
        Suggestion(option + each.value, each.help or "", _goes_on(each))
        for each in found
        if each.value.isprintable()
    ]


def _goes_on(item: CompletionItem) -> bool:
    return item.type == suggesting.PART or item.value.endswith(("=", "/", ":", ",", "@"))


def _give_up(_signal: int, _frame: object) -> None:
    raise TimeoutError
