"""What may start is started: in the director's transaction, by priority and age."""

import itertools
import logging
from datetime import datetime
from functools import partial

from taskd.catalog.catalog import Catalog
from taskd.engine import locking, planning, secrets
from taskd.engine.recurring import Recurring
from taskd.engine.scheduling import Schedule
from taskd.engine.sub_tasks import SUBSCRIBERS, SubTasks
from taskd.engine.when import expire
from taskd.executors.base import Call, CallKind, timed_out
from taskd.logs.files import log_path
from taskd.model import lifecycle
from taskd.model.definition import Definition, Retry, StepDefinition
from taskd.model.record import build, replace
from taskd.model.step import JSON, Rescue, Step, StepError, StepKind, StepState
from taskd.model.task import Task
from taskd.places import Places
from taskd.settings import Settings
from taskd.store import children
from taskd.store.database import Lost
from taskd.store.transaction import Transaction

log = logging.getLogger(__name__)

HOOK_SECONDS = 60.0  # that a hook may take


class Starter:
    """Makes calls of ready steps. `catalog` and `settings` are replaced when read again."""

    def __init__(self, catalog: Catalog, settings: Settings, places: Places) -> None:
        self.settings = settings
        self.places = places
        self.sub_tasks = SubTasks(catalog, places)
        self.recurring = Recurring(catalog, places)
        self.schedule = Schedule(self.recurring)
        self._logs = str(places.logs)

    @property
    def catalog(self) -> Catalog:
        return self.sub_tasks.catalog

    @catalog.setter
    def catalog(self, catalog: Catalog) -> None:
        self.sub_tasks.catalog = self.recurring.catalog = catalog

    def start(self, tx: Transaction, room: int, free: dict[str, int]) -> list[Call]:
        """At most `room` calls, and as many of a label as it has slots `free`, if it has its own.

        Each is committed as running before an executor sees it.
        """
        calls: list[Call] = []
        asked = room
        while len(calls) < room:
            rows = tx.ready(asked, free)
            for task_id, number in rows:
                task = tx.get(task_id)
                most = min(room - len(calls), free.get(task.label, room))
                begun = self._try(tx, task, number, most) if most > 0 else []
                if task.label in free:
                    free[task.label] -= len(begun)
                calls += begun
            if len(rows) < asked:
                break
            asked *= 2  # many wait for locks, and took no room
        return calls

    def settle(self, tx: Transaction) -> bool:
        """Let those go on who waited for what has happened. Whether something may start by that.

        Not within a change.
        """
        news = False
        goes_on = partial(self._goes_on, tx)
        while self.sub_tasks.settle(tx) | self.schedule.settle(tx) | locking.serve(tx, goes_on):
            news = True
        return news

    def _goes_on(self, tx: Transaction, task_id: int) -> bool:
        """Whether a task that waits for a lock can have it now."""
        self._try(tx, tx.get(task_id), 0, 0)
        return not tx.get(task_id).waits_for_lock

    def _try(self, tx: Transaction, task: Task, number: int, room: int) -> list[Call]:
        """A task that cannot be started for a mistake of ours must not keep others from it."""
        tx.begin_change()
        try:
            calls = self._start_task(tx, task, number, room)
        except Lost:
            raise
        except Exception as error:  # a mistake of ours: the task tells of it
            log.exception("cannot start a step of task %d", task.id)
            tx.undo_change()
            step = _numbered(task, number)
            told = StepError("internal", f"a mistake in taskd: {error!r}")
            tx.save(self._failed(task, step, told, tx.now))
            calls = []
        tx.end_change()
        return calls

    def _start_task(self, tx: Transaction, task: Task, number: int, room: int) -> list[Call]:
        calls: list[Call] = []
        definition = self.catalog.of(task)
        step = _numbered(task, number)
        if task.expires_at and task.expires_at <= tx.now:
            task = expire(tx, task)
        elif definition is None:
            task = self._vanished(task, step, self.catalog.why_missing(task.label), tx.now)
        elif step.waits_for_lock:
            task = planning.go_on(tx, self.catalog, task, definition)
        elif step.kind is StepKind.PLAN and definition.planner == "data":
            task = planning.plan_from_data(tx, self.catalog, task, definition)
            for step in task.steps.values():
                if step.ready and len(calls) < room:
                    task = self._begin(tx, task, step, definition, calls)
        else:
            task = self._begin(tx, task, step, definition, calls)
        tx.save(task)
        return calls

    def _begin(
        self, tx: Transaction, task: Task, step: Step, definition: Definition, calls: list[Call]
    ) -> Task:
        known = definition.step(step.name)
        if step.name != SUBSCRIBERS and (changed := _what_changed(task, step, definition, known)):
            return self._vanished(task, step, changed, tx.now)
        if step.started_at and children.delegates(tx.connection, task.id, step.number):
            return self.sub_tasks.start_again(tx, task, step.name)
        if step.name == SUBSCRIBERS:
            return self.sub_tasks.start_subscribers(tx, task)
        if known and known.delegation:
            values = _input(task, definition) | _outputs(task, known.needs)
            task = lifecycle.begun(task, step.name, None, tx.now)
            return self.sub_tasks.start_for(tx, task, step.name, known.delegation, values)
        left = _time_left(step, known, tx.now)
        if known and known.timeout and left is not None and left <= 0:
            late, rescue = timed_out(known.timeout).error, definition.rescue_of(step.name)
            return lifecycle.failed(task, step.name, late, known.retry, rescue, tx.now)
        call_id = tx.next_call_id()
        task = lifecycle.begun(task, step.name, call_id, tx.now)
        calls.append(self._call(task, task.steps[step.name], definition, known, call_id, left))
        return task

    def hook_call(
        self, tx: Transaction, task: Task, definition: Definition, name: str, told: JSON
    ) -> Call:
        """A call of the hook `name`, which is told of the task."""
        hook = Step(name=name, kind=StepKind.RUN, state=StepState.PENDING, number=0, attempts=1)
        call = self._call(task, hook, definition, None, tx.next_call_id(), HOOK_SECONDS)
        log = log_path(self._logs, task.id, 0, "hooks")
        return replace(call, kind=CallKind.HOOK, outputs={"task": told}, log=log)

    def _vanished(self, task: Task, step: Step, what: str, now: datetime) -> Task:
        return self._failed(task, step, StepError("action-changed", f"action changed: {what}"), now)

    def _failed(self, task: Task, step: Step, error: StepError, now: datetime) -> Task:
        task = lifecycle.begun(task, step.name, None, now)
        return lifecycle.failed(task, step.name, error, Retry(), Rescue.PAUSE, now)

    def _call(
        self,
        task: Task,
        step: Step,
        definition: Definition,
        known: StepDefinition | None,
        call_id: int,
        timeout: float | None,
    ) -> Call:
        hidden = secrets.read(self.places.secrets, task.id) if _has_secrets(definition) else {}
        command, needs = (known.command, known.needs) if known else (None, ())
        module, _, name = ((known and known.function) or "").partition(":")
        return build(
            Call,
            id=call_id,
            task_id=task.id,
            task_name=task.name,
            user=task.user,
            label=task.label,
            kind=CallKind.PLAN if step.kind is StepKind.PLAN else CallKind.STEP,
            step=step.name,
            attempt=step.attempts,
            module=module or definition.module,
            name=name or definition.name,
            function=bool(module),
            revision=definition.revision,
            input=_input(task, definition) | hidden,
            outputs=_outputs(task, None if command else needs),
            kept=step.kept,
            log=log_path(self._logs, task.id, step.number, step.name),
            log_limit=self.settings.log_limit,
            timeout=timeout,
            cancel_grace=self.settings.cancel_grace.total_seconds(),
            secrets=tuple(str(value) for value in hidden.values()),
            command=command,
            isolation=definition.isolation,
        )


def _numbered(task: Task, number: int) -> Step:
    return next(itertools.islice(task.steps.values(), number, None))


def _time_left(step: Step, known: StepDefinition | None, now: datetime) -> float | None:
    """Seconds; after a snooze what is left of them. None: as long as it likes."""
    if known is None or known.timeout is None:
        return None
    if step.state is StepState.SUSPENDED and step.started_at:
        return known.timeout - (now - step.started_at).total_seconds()
    return known.timeout


def _has_secrets(definition: Definition) -> bool:
    return any(field.secret for field in definition.fields)


def _input(task: Task, definition: Definition) -> dict[str, JSON]:
    """As it was given; what the action has asked for since then has its default."""
    later = {f.name: f.default for f in definition.fields if f.name not in task.input}
    return later | task.input if later else task.input


def _what_changed(
    task: Task, step: Step, definition: Definition, known: StepDefinition | None
) -> str:
    """Why the task cannot go on with the code as it is now; "" where it can."""
    if known is None and step.kind is not StepKind.PLAN:
        return f"no step {step.name!r}"
    for field in definition.fields:
        if field.required and field.name not in task.input:
            return f"new input {field.name!r}; give it a default"
    for need in known.needs if known else ():
        if need not in task.steps or not task.steps[need].finished:
            return f"step {step.name!r} now needs {need!r}, which has not run"
    return ""


def _outputs(task: Task, names: tuple[str, ...] | None) -> dict[str, object]:
    """Those that a Python step names; a command gets all there are, of no skipped step."""
    done = (StepKind.RUN, StepState.SUCCESS)
    if names is None:
        names = tuple(s.name for s in task.steps.values() if (s.kind, s.state) == done)
    return {name: task.steps[name].output for name in names}
