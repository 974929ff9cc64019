"""The daemon's API for Python programs: one typed method per API method.

    with Client() as client:
        task = client.start("backup.site", {"site": "blog"})
        task = client.wait(task.id)

A client is one connection. It may be used by one thread at a time; `submit` and `collect` keep
many requests in flight. Methods raise what the daemon raised (`taskd.model.errors`).
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from taskd import wire
from taskd.channel import Channel
from taskd.model.dashboard import Dashboard
from taskd.model.definition import Broken, Definition
from taskd.model.errors import WaitTimeout
from taskd.model.finding import Finding
from taskd.model.lock import Claim
from taskd.model.log import LogPage
from taskd.model.page import Page
from taskd.model.recurring import RecurringLogic
from taskd.model.setting import Setting
from taskd.model.suggestion import Suggestion
from taskd.model.task import JSON, Task

T = TypeVar("T")
TaskRef: TypeAlias = int | str  # an id, or "@last": the newest task that the caller started


class Client(Channel):
    """A typed connection to the daemon at `path`; by default as `taskctl` finds it.

    Raises Unavailable, saying which socket, why, and what to type.
    """

    name = "taskd.client"

    # Tasks

    def start(
        self,
        action: str,
        input: Mapping[str, JSON] | None = None,
        *,
        words: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Task:
        """Start a task of a known action. `words` are inputs as typed, read by the field's type.

        Options: `name`, `locks` (texts, as in "site:blog/backup"), `links`, `on_conflict` ("pause",
        "wait", "skip"), `key` (idempotency), `priority` (higher first).
        """
        return self.call(
            "tasks.start", Task, action=action, input=input or {}, words=words or {}, **options
        )

    def start_many(self, requests: Sequence[Mapping[str, Any]]) -> list[int]:
        """Start many tasks, all or none; each of `requests` holds what `start` takes. Their ids."""
        return self.call("tasks.start_many", list[int], requests=requests)

    def start_definition(
        self,
        text: str,
        file: str,
        input: Mapping[str, JSON] | None = None,
        *,
        words: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Task:
        """Start a task of the YAML definition `text`, kept with it. `file` is for errors."""
        return self.call(
            "tasks.start_definition",
            Task,
            text=text,
            file=file,
            input=input or {},
            words=words or {},
            **options,
        )

    def exec(
        self,
        command: str | Sequence[str],
        *,
        cwd: str,
        environment: Mapping[str, str],
        rescue: str = "pause",
        retry: int = 0,
        time_limit: float | None = None,
        **options: Any,
    ) -> Task:
        """Start a command as a task: a line for /bin/sh, or a list of arguments. Options: see
        `start`."""
        return self.call(
            "tasks.exec",
            Task,
            command=command if isinstance(command, str) else list(command),
            cwd=cwd,
            environment=environment,
            rescue=rescue,
            retry=retry,
            time_limit=time_limit,
            **options,
        )

    def get(self, task_id: TaskRef) -> Task:
        """One task with everything: steps, locks, errors, history."""
        return self.call("tasks.get", Task, task_id=task_id)

    def find(
        self,
        search: str = "",
        *,
        order: str = "",
        limit: int = 20,
        after: str = "",
        full: bool = False,
    ) -> Page[Task]:
        """A page of tasks that `search` means, the newest first unless `order` says otherwise.

        They are without steps, locks, input and output unless `full`. `after` is what the page
        before has there. Raises QueryError.
        """
        return self.call(
            "tasks.find",
            Page[Task],
            search=search,
            order=order,
            limit=limit,
            after=after,
            full=full,
        )

    def count(self, search: str = "") -> int:
        """How many tasks `search` means. Raises QueryError."""
        return self.call("tasks.count", int, search=search)

    def explain(self, search: str = "", order: str = "") -> dict[str, Any]:
        """How a search is read (`query`, `order`), and how SQLite finds it (`plan`: lines)."""
        return self.call("tasks.explain", dict[str, Any], search=search, order=order)

    def complete(self, search: str) -> list[Suggestion]:
        """What `search`, a query up to the cursor, may become, the likeliest first."""
        return self.call("tasks.complete", list[Suggestion], search=search)

    def watch(self, task_id: TaskRef, seen: int = -1, timeout: float = 30.0) -> Task:
        """The task once its `version` is above `seen`, or as it is after `timeout` seconds."""
        return self.call("tasks.watch", Task, task_id=task_id, seen=seen, timeout=timeout)

    def wait(self, task_id: TaskRef, timeout: float | None = None) -> Task:
        """The task once it is stopped or paused. Raises WaitTimeout after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = 30.0 if deadline is None else deadline - time.monotonic()
            task = self.call("tasks.wait", Task, task_id=task_id, timeout=max(0.0, min(left, 30.0)))
            if task.resting:
                return task
            if deadline is not None and time.monotonic() >= deadline:
                raise WaitTimeout(f"task {task.id} is still {task.state} after {timeout:g} s")

    # `search` in these: only if that still means the task. Raises NoMatch.

    def resume(
        self,
        task_id: TaskRef,
        *,
        secrets: Mapping[str, str] | None = None,
        search: str = "",
        noop: bool = False,
    ) -> Task:
        """Resume a task that is paused, or was unlocked, from the step that failed.

        `secrets` take the place of those that it has, or had: they are deleted when it stops.
        `noop`: only say whether it could be resumed. Raises LockConflict where a lock that was
        unlocked is held by another task now.
        """
        given = secrets or {}
        return self.call(
            "tasks.resume", Task, task_id=task_id, secrets=given, search=search, noop=noop
        )

    def skip(
        self,
        task_id: TaskRef,
        steps: Sequence[str] | None = None,
        *,
        search: str = "",
        noop: bool = False,
    ) -> Task:
        """Go on without failed steps of a paused task: all, or `steps`. What needs their output is
        skipped, too; the answer has all steps. `noop`: only say whether they could be."""
        return self.call("tasks.skip", Task, task_id=task_id, steps=steps, search=search, noop=noop)

    def cancel(
        self, task_id: TaskRef, *, force: bool = False, search: str = "", noop: bool = False
    ) -> Task:
        """Cancel a task. A running one is given its grace, unless `force`. `noop`: only say whether
        it could be."""
        return self.call(
            "tasks.cancel", Task, task_id=task_id, force=force, search=search, noop=noop
        )

    def unlock(
        self,
        task_id: TaskRef,
        *,
        force: bool = False,
        reason: str = "",
        noop: bool = False,
        search: str = "",
    ) -> Task:
        """Stop a paused task or, by `force`, any, so that its locks are free.

        Answered when what ran of it is dead. `noop`: the task as it is, if it could be unlocked.
        Raises Forbidden unless the setting `allow_dangerous_actions` is on, and InvalidState.
        """
        return self.call(
            "tasks.unlock",
            Task,
            task_id=task_id,
            force=force,
            reason=reason,
            noop=noop,
            search=search,
        )

    # Everything else

    def start_recurring(
        self,
        action: str,
        repeat: Mapping[str, JSON],
        input: Mapping[str, JSON] | None = None,
        **options: Any,
    ) -> RecurringLogic:
        """Start tasks of a known action again and again.

        `repeat` has one of `cron` (a line), `hourly`, `daily`, `weekly`, `monthly`, as in
        `{"daily": "02:30", "tz": "Europe/Berlin"}`, and may have `until`, `limit`, `purpose`,
        `missed`, `overlap`. Options: see `start`; `noop`: only say what would be.
        """
        return self.call(
            "recurring.start",
            RecurringLogic,
            action=action,
            repeat=repeat,
            input=input or {},
            **options,
        )

    def start_recurring_definition(
        self, text: str, file: str, repeat: Mapping[str, JSON], **options: Any
    ) -> RecurringLogic:
        """The same of the YAML definition `text`. `file` is for errors."""
        return self.call(
            "recurring.start_definition",
            RecurringLogic,
            text=text,
            file=file,
            repeat=repeat,
            **options,
        )

    def exec_recurring(
        self,
        command: str | Sequence[str],
        repeat: Mapping[str, JSON],
        *,
        cwd: str,
        environment: Mapping[str, str],
        **options: Any,
    ) -> RecurringLogic:
        """The same of a command. Options: see `exec` and `start`."""
        return self.call(
            "recurring.exec",
            RecurringLogic,
            command=command if isinstance(command, str) else list(command),
            repeat=repeat,
            cwd=cwd,
            environment=environment,
            **options,
        )

    def recurring_logics(
        self, search: str = "", *, limit: int = 1000, after: str = ""
    ) -> Page[RecurringLogic]:
        """Those that `search` means, the newest first, without their history. `after` is what the
        page before has there. Raises QueryError."""
        return self.call(
            "recurring.find", Page[RecurringLogic], search=search, limit=limit, after=after
        )

    def recurring_logic(self, logic_id: int) -> RecurringLogic:
        """One of them with its history."""
        return self.call("recurring.get", RecurringLogic, logic_id=logic_id)

    def cancel_recurring(self, logic_id: int) -> RecurringLogic:
        """No further run; those that have not stopped are cancelled."""
        return self.call("recurring.cancel", RecurringLogic, logic_id=logic_id)

    def disable_recurring(self, logic_id: int) -> RecurringLogic:
        """No run until it is enabled; what runs goes on."""
        return self.call("recurring.disable", RecurringLogic, logic_id=logic_id)

    def enable_recurring(self, logic_id: int) -> RecurringLogic:
        """The next run is at the next time from now on."""
        return self.call("recurring.enable", RecurringLogic, logic_id=logic_id)

    def delete_recurring(self, logic_id: int) -> RecurringLogic:
        """One that has ended; its tasks stay."""
        return self.call("recurring.delete", RecurringLogic, logic_id=logic_id)

    def preview(self, line: str, *, tz: str = "", begin: str = "", count: int = 5) -> JSON:
        """The next times of a cron line, in UTC, and what is odd about them."""
        answer: JSON = self.ask("recurring.preview", line=line, tz=tz, begin=begin, count=count)
        return answer

    def locks(self, resource: str | None = None) -> list[Claim]:
        """Who holds which lock, oldest first, and who waits for it, in the order of their turn."""
        return self.call("locks.find", list[Claim], resource=resource)

    def logs(
        self,
        task_id: TaskRef,
        *,
        step: str | None = None,
        position: Mapping[str, int] | None = None,
        tail: int | None = None,
        since: str | None = None,
        timeout: float = 0.0,
    ) -> LogPage:
        """What the steps printed from `position` on: at most a page; waits `timeout` seconds for
        more. `tail`: only the last so many lines; `since`: an ISO 8601 time."""
        return self.call(
            "logs.read",
            LogPage,
            task_id=task_id,
            step=step,
            position=position or {},
            tail=tail,
            since=since,
            timeout=timeout,
        )

    # What was

    def export_ids(
        self, search: str = "", *, days: int | None = None, after: int | None = None
    ) -> list[int]:
        """The ids of the tasks that `search` means, or of those that were started in the last
        `days`, the newest first: at most 100,000 of those that are below `after`."""
        return self.call("history.find", list[int], search=search, days=days, after=after)

    def export_rows(self, task_ids: Sequence[int]) -> dict[str, JSON]:
        """`rows`: of each of these tasks (at most 1000) that is there id, state, type, label,
        result, parent_task_id, started_at, ended_at."""
        return self.call("history.rows", dict, task_ids=task_ids)

    def export_records(
        self, task_ids: Sequence[int], *, skip: int = 0, tail: int | None = None
    ) -> dict[str, JSON]:
        """All that there is of these tasks (at most 1000), as `lines` of JSON, with their logs.

        An answer holds what makes a page: `left` are the tasks to go on with, and `skip` goes with
        them. `tail`: only so many bytes of the end of each log.
        """
        return self.call("history.records", dict, task_ids=task_ids, skip=skip, tail=tail)

    def begin_import(self) -> int:
        """The number of an import, for the methods below; it ends with this connection. Raises
        InvalidState while another one is at hand."""
        return self.call("history.begin_import", int)

    def send_import(self, number: int, text: str) -> None:
        """The next part of lines as `export_records` gives them. Raises InvalidInput."""
        self.ask("history.send", number=number, text=text)

    def let_in(self, number: int, *, skip_existing: bool = False) -> dict[str, JSON]:
        """Let in some of the tasks that were sent, until `ended` is true. Nothing has changed when
        the first call raises InvalidInput, or InvalidState for an id that is taken."""
        return self.call("history.let_in", dict, number=number, skip_existing=skip_existing)

    def end_import(self, number: int) -> None:
        """Give up what was not let in."""
        self.ask("history.end_import", number=number)

    def cleanup(
        self,
        search: str | None = None,
        *,
        after: str | None = None,
        states: Sequence[str] | None = None,
        noop: bool = False,
        batch_size: int = 1000,
        backup: bool | None = None,
    ) -> dict[str, Any]:
        """Delete tasks for good: those that `search` means, older than `after` ("30d"), in `states`
        (by default stopped; ["all"]); without a search what the configuration says.

        `noop`: only say what it would be. `backup`: keep what is deleted, as the configuration says
        by default. What was deleted, in `parts`, each with `name`, `filter`, `matched`, `deleted`
        and a `sample`; `backup` is the file. Raises QueryError, InvalidState while another cleanup
        is at work.
        """
        return self.call(
            "cleanup.run",
            dict,
            search=search,
            after=after,
            states=states,
            noop=noop,
            batch_size=batch_size,
            backup=backup,
        )

    def cleanup_progress(self) -> dict[str, int]:
        """How many tasks the cleanup that is at work means (`matched`), and has `deleted`; 0 where
        none is."""
        return self.call("cleanup.progress", dict)

    def cleanup_config(self) -> dict[str, Any]:
        """What a cleanup without a search deletes (`parts`), whether `daily`, and its `backup`."""
        return self.call("cleanup.config", dict)

    def actions(self) -> list[Definition]:
        """The known actions, by label."""
        return self.call("actions.find", list[Definition])

    def action(self, label: str) -> Definition:
        return self.call("actions.get", Definition, label=label)

    def broken_actions(self) -> list[Broken]:
        """Action files that could not be loaded, and why."""
        return self.call("actions.broken", list[Broken])

    def settings(self) -> list[Setting]:
        """All settings as they are in force, and where each came from."""
        return self.call("settings.find", list[Setting])

    def setting(self, name: str) -> Setting:
        return self.call("settings.get", Setting, name=name)

    def set(self, name: str, value: str) -> Setting:
        """Store a setting, written as in the configuration file; it holds at once. Raises Forbidden
        for what file or environment say, and for what counts only when the daemon starts."""
        return self.call("settings.set", Setting, name=name, value=value)

    def unset(self, name: str) -> Setting:
        """Take back what was stored: the default holds again."""
        return self.call("settings.unset", Setting, name=name)

    def status(self) -> dict[str, JSON]:
        """The daemon: version, pid, uptime, slots, numbers of tasks by state, store, socket.

        `note` says why it starts nothing in safe mode, else ""; so does the attribute `daemon`.
        """
        return self.call("daemon.status", dict)

    def reload(self) -> dict[str, JSON]:
        """Read the configuration and all actions again."""
        return self.call("daemon.reload", dict)

    def dashboard(self) -> Dashboard:
        """What is going on, on one page: numbers, what needs a hand, what comes next."""
        return self.call("dashboard.get", Dashboard)

    def doctor(self) -> list[Finding]:
        """What is in order with the daemon and what is not, with what helps."""
        return self.call("doctor.look", list[Finding])

    def drain(self) -> dict[str, JSON]:
        """Let no step start any more, also after a restart. `running_steps`: how many go on."""
        return self.call("daemon.drain", dict)

    def undrain(self) -> dict[str, JSON]:
        """Let steps start again. `was_drained`: whether they did not before."""
        return self.call("daemon.undrain", dict)

    def stop(self, *, wait: bool = False) -> dict[str, Any]:
        """Tell the daemon to stop; `wait`: after the running steps, for which it has the setting
        `stop_grace`. `running_steps`: how many go on without it."""
        return self.call("daemon.stop", dict, wait=wait)

    def call(self, method: str, kind: type[T], **parameters: Any) -> T:
        """The result of an API method, as a `kind`."""
        return wire.decode(kind, self.ask(method, **parameters))
