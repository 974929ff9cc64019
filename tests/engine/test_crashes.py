"""Whatever course tasks take, a crash between any two transactions changes nothing of it.

The real store, director and recovery are held to the plain rules of the reference. A daemon dies
with a commit, or before one; the next one is made on the same file, and finds of the calls that
were out what a host or a supervisor may have left.
"""

import logging
import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from agreement import agree
from builders import an_error
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from random_plans import references
from reference import Reference
from rehearsal import Death, Rehearsal

from taskd.engine import family, unlocking
from taskd.engine.creating import Order, create
from taskd.executors.base import (
    Call,
    CallKind,
    Cancelled,
    Failure,
    Found,
    Interrupted,
    NeverRan,
    Outcome,
    Planned,
    Progress,
    Snoozed,
    Success,
)
from taskd.model.definition import Definition, Retry, StepDefinition
from taskd.model.step import Rescue
from taskd.model.task import Task
from taskd.store import steps, tasks
from taskd.store.transaction import Transaction

COURSES = int(os.environ.get("CRASH_COURSES", "40"))  # thousands, to look further
MOVES = 40  # in a course
ROUNDS = 60  # far above what brings a course to its end
SLOTS = 2
DELAY = 10.0  # seconds, of retries and snoozes

WHICH = st.integers(0, 99)
FATES = st.sampled_from(["success", "success", "failure", "snoozed", "interrupted", "never ran"])
FOUND = st.lists(st.just("runs") | FATES, min_size=1, max_size=4)


class Crashes(RuleBasedStateMachine):
    """A daemon, the people that use it, and what becomes of its steps."""

    @initialize(plans=st.lists(references(), min_size=1, max_size=3), by_host=st.booleans())
    def open(self, plans: list[Reference], by_host: bool) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.references = dict(enumerate(plans, 1))  # by the ids of their tasks
        self.begun: set[int] = set()  # the calls that their references know
        self.fates: list[str] = []
        known = [a_definition(f"demo-{i}", plan, by_host) for i, plan in self.references.items()]
        self.daemon = Rehearsal(Path(self.folder.name), known, lambda _store: None, SLOTS)
        self._do(self._create)

    def _create(self, tx: Transaction) -> None:
        for definition in self.daemon.catalog.definitions.values():
            create(tx, self.daemon.places, definition, {}, {}, Order(), "ana", 1000)

    # What becomes of steps

    @precondition(lambda self: self._calls)
    @rule(which=WHICH, fate=FATES)
    def step_ends(self, which: int, fate: str) -> None:
        call = pick(self._calls, which)
        self.daemon.end(call, self._outcome(call, fate))
        self._serve()

    @precondition(lambda self: self._calls)
    @rule(which=WHICH, fate=FATES, other_fate=FATES)
    def steps_end_together(self, which: int, fate: str, other_fate: str) -> None:
        first, *others = self._calls[which % len(self._calls) :]
        self.daemon.end(first, self._outcome(first, fate))
        for call in others[:1]:
            self.daemon.end(call, self._outcome(call, other_fate))
        self._serve()

    @precondition(lambda self: self._calls)
    @rule(which=WHICH, fraction=st.sampled_from([0.25, 0.75]))
    def step_says_how_far_it_is(self, which: int, fraction: float) -> None:
        call = pick(self._calls, which)
        self.daemon.director.report(call.id, Progress(fraction, "so far"))
        self.references[call.task_id].progressed(call.step, fraction)
        self._serve()

    @rule()
    def time_passes(self) -> None:
        self._serve(partial(self.daemon.pass_time, DELAY))
        self._serve(partial(self.daemon.pass_time, 0.0))  # the daemon may have died meanwhile
        steps = [step for i in self.references for step in self._task(i).steps.values()]
        assert not [step for step in steps if step.due_at and step.due_at <= self.daemon.clock.now]

    # What people do

    @precondition(lambda self: self._paused)
    @rule(which=WHICH)
    def resume(self, which: int) -> None:
        task_id = pick(self._paused, which)
        self.references[task_id].resume()
        self._do(partial(self._resume, task_id=task_id))

    def _resume(self, tx: Transaction, task_id: int) -> None:
        daemon, task = self.daemon, tx.get(task_id)
        resumed = unlocking.resume(tx, daemon.catalog, daemon.places, task, "ana", {})
        assert isinstance(resumed, Task)
        tx.save(resumed)

    @precondition(lambda self: self._with_failed_steps)
    @rule(which=WHICH, step=WHICH, all_of_them=st.booleans())
    def skip(self, which: int, step: int, all_of_them: bool) -> None:
        task_id = pick(self._with_failed_steps, which)
        reference = self.references[task_id]
        failed = reference.all_in("error")
        names = None if all_of_them else [pick(failed, step)]
        reference.skip(names or failed)
        self._do(lambda tx: tx.save(family.skip(tx, tx.get(task_id), names, "ana")))

    @precondition(lambda self: self._unfinished)
    @rule(which=WHICH, really=st.integers(0, 3))
    def cancel(self, which: int, really: int) -> None:
        if really == 0:  # seldom, or nothing else would be seen
            task_id = pick(self._unfinished, which)
            self.references[task_id].cancel()
            self._do(partial(self._cancel, task_id=task_id))

    def _cancel(self, tx: Transaction, task_id: int) -> None:
        cancelled = family.cancel(tx, self.daemon.catalog, tx.get(task_id), "ana")
        self.daemon.director.tell_to_end(tx, cancelled)

    # What becomes of the daemon

    @rule(fates=FOUND)
    def daemon_dies_with_its_next_commit(self, fates: list[str]) -> None:
        self.daemon.dying, self.fates = True, fates

    @rule(fates=FOUND, which=WHICH)
    def daemon_dies_before_it_commits_what_it_is_asked(self, fates: list[str], which: int) -> None:
        """What is asked is not done, then, and nobody was told that it was."""
        if self._unfinished:
            self.daemon.put(partial(self._cancel, task_id=pick(self._unfinished, which)))
        self.fates = fates
        self._serve(self._next_daemon())

    def _next_daemon(self) -> Callable[[], object]:
        found = Found()
        for number, call in enumerate(self._calls):
            fate = pick(self.fates, number)
            if fate == "runs":
                found.running.add(call.id)
            else:
                found.ended[call.id] = self._outcome(call, fate)
        return partial(self.daemon.die, found)

    # How it is done

    def _do(self, change: Callable[[Transaction], object]) -> None:
        answers = self.daemon.put(change)
        self._serve()
        assert not any(isinstance(answer, Exception) for answer in answers), answers

    def _serve(self, serve: Callable[[], object] | None = None) -> None:
        try:
            (serve or self.daemon.serve)()
        except Death:
            self._notice_what_began()
            self._notice_what_never_ran()
            self._serve(self._next_daemon())
        self._notice_what_began()

    def _notice_what_began(self) -> None:
        """The references know what may begin, but not when there is a slot, or time has come."""
        for task_id, reference in self.references.items():
            for step in self._task(task_id).steps.values():
                if not step.due_at and reference.steps[step.name] in ("waiting", "snoozing"):
                    reference.due(step.name)
            planned = self._task(task_id).steps["plan"].state == "success"
            if planned and reference.steps["plan"] == "pending":  # from data, at one go
                reference.begun("plan")
                reference.succeeded("plan")
        for call in self._calls:
            if call.id not in self.begun:
                self.begun.add(call.id)
                self.references[call.task_id].begun(call.step)

    def _notice_what_never_ran(self) -> None:
        """What began with the last commit was given to nobody. One that was awake has to wait."""
        for call_id, (task_id, step) in steps.running(self.daemon.database.writer).items():
            if call_id not in self.begun:
                self.references[task_id].begun(step)
                self.references[task_id].never_ran(step)

    def _outcome(self, call: Call, fate: str) -> Outcome:
        """What the call is made to come to; its reference is told."""
        reference, plan = self.references[call.task_id], call.kind == CallKind.PLAN
        match fate:
            case "success":
                reference.succeeded(call.step)
                return Planned("Demo", reference.flow) if plan else Success("done")
            case "failure" if call.id in self.daemon.calls.told:
                reference.cancelled(call.step)
                return Cancelled()
            case "snoozed" if not plan:
                reference.snoozed(call.step, call.id)
                return Snoozed(DELAY, call.id)
            case "interrupted":
                reference.interrupted(call.step)
                return Interrupted("it died")
            case "never ran":
                reference.never_ran(call.step)
                return NeverRan()
            case _:
                reference.failed(call.step)
                return Failure(an_error())

    @property
    def _calls(self) -> list[Call]:
        return sorted(self.daemon.calls.running.values(), key=lambda call: call.id)

    @property
    def _paused(self) -> list[int]:
        return [i for i, reference in self.references.items() if reference.state == "paused"]

    @property
    def _with_failed_steps(self) -> list[int]:
        return [i for i in self._paused if self.references[i].all_in("error") != ["plan"]]

    @property
    def _unfinished(self) -> list[int]:
        return [i for i, reference in self.references.items() if reference.state != "stopped"]

    def _task(self, task_id: int) -> Task:
        """As the store has it, not what the director remembers."""
        return tasks.get_full(self.daemon.database.writer, task_id)

    # What must hold

    @invariant()
    def store_is_what_the_references_say(self) -> None:
        for task_id, reference in self.references.items():
            agree(self._task(task_id), reference)

    @invariant()
    def calls_are_what_the_store_says(self) -> None:
        """Nothing runs without a record, and nothing is said to run that does not."""
        running = {call.id: (call.task_id, call.step) for call in self._calls}
        assert steps.running(self.daemon.database.writer) == running

    @invariant()
    def nothing_waits_for_a_slot_that_is_free(self) -> None:
        ready = [name for reference in self.references.values() for name in reference.can_begin()]
        assert not ready or len(self._calls) >= SLOTS

    def teardown(self) -> None:
        try:
            self._bring_all_to_an_end()
        finally:
            self.daemon.close()
            self.folder.cleanup()

    def _bring_all_to_an_end(self) -> None:
        """With some help, all tasks get there."""
        for _ in range(ROUNDS):
            while self._calls:
                self.step_ends(0, "success")
            self.time_passes()
            for task_id in self._paused:
                self.references[task_id].resume()
                self._do(partial(self._resume, task_id=task_id))
        assert not self._unfinished


def a_definition(label: str, plan: Reference, by_host: bool) -> Definition:
    made = [
        StepDefinition(
            name=name,
            needs=spec.needs,
            retry=Retry(spec.retries, delay=DELAY),
            weight=spec.weight,
            idempotent=spec.idempotent,
            rescue=Rescue(spec.rescue),
        )
        for name, spec in plan.specs.items()
        if name != "plan"
    ]
    last = made.pop() if "finalize" in plan.specs else None
    return Definition(
        label=label,
        type="python",
        title="Demo",
        steps=tuple(made),
        flow=None if by_host else plan.flow,
        planner="host" if by_host else "data",
        finalize=last,
        rescue=Rescue(plan.specs["plan"].rescue),
    )


def pick(items: list[Any], which: int) -> Any:
    return items[which % len(items)]


def test_crash_between_any_two_transactions_changes_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL, "taskd")
    run_state_machine_as_test(
        Crashes,
        settings=settings(max_examples=COURSES, stateful_step_count=MOVES, print_blob=True),
    )
