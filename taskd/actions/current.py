"""`self.task`: what a step can ask and tell while it runs."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from taskd.actions.command import Log, run_command
from taskd.actions.secret import hide
from taskd.model.step import JSON

Report: TypeAlias = Callable[[float, str], None]


def _report_to_nobody(_fraction: float, _note: str) -> None:
    """Outside a run nobody asks."""


def _tell_nobody(_external_id: str) -> None:
    """As above."""


class Current:
    """The running step. What it prints is logged.

    `cancelled` becomes true when the task is cancelled; after a grace the step is ended. `kept` is
    what a polling step kept.
    """

    def __init__(
        self,
        id: int = 0,
        attempt: int = 1,
        kept: JSON = None,
        report: Report = _report_to_nobody,
        tell: Callable[[str], None] = _tell_nobody,
        log: Log | None = None,
        secrets: tuple[str, ...] = (),
    ) -> None:
        self.id = id
        self.attempt = attempt
        self.kept = kept
        self.cancelled = False
        self._report = report
        self._tell = tell
        self._log = log  # of what commands print; None: descriptors 1 and 2 lead there
        self._secrets = secrets  # nothing that it tells may show them
        self._external_id: str | None = None

    @property
    def external_id(self) -> str | None:
        """What this step has set: the id of the task in an outside service, shown with it."""
        return self._external_id

    @external_id.setter
    def external_id(self, value: str) -> None:
        self._external_id = hide(str(value), self._secrets)
        self._tell(self._external_id)

    def log(self, text: object) -> None:
        """A line in the task's log."""
        print(text, flush=True)

    def progress(self, fraction: float, note: str = "") -> None:
        """How far this step is, 0…1, and a word on it: `progress(0.4, "40 of 100")`."""
        self._report(min(1.0, max(0.0, float(fraction))), hide(str(note), self._secrets))

    def run(
        self,
        arguments: Sequence[str | os.PathLike[str]],
        *,
        stdout: str | os.PathLike[str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
        input: str | bytes | None = None,
    ) -> None:
        """Run a command and wait for it. Its output is logged; `stdout` names a file for it.

        `env` is added to the environment. It ends with the step. Raises CommandFailed.
        """
        run_command(arguments, stdout=stdout, cwd=cwd, env=env, input=input, log=self._log)
