"""Recurring logics: what becomes of each time, whatever happens meanwhile."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from builders import NOW, a_definition, an_error
from rehearsal import Rehearsal

from taskd.api import recurring as api
from taskd.api.access import Caller
from taskd.engine import family, secrets
from taskd.executors.base import Failure, Found, Outcome, Success
from taskd.model.definition import Field, StepDefinition
from taskd.model.errors import InvalidInput, InvalidState
from taskd.model.record import replace
from taskd.model.recurring import LogicEvent, RecurringLogic
from taskd.model.step import Rescue
from taskd.model.task import ExecutionType, Task
from taskd.settings import Settings
from taskd.store import recurring, tasks
from taskd.store.transaction import Transaction

HOUR = 3600.0
YOU = Caller(1000, "ana", 1)
WORK = a_definition("work")
FAILS = replace(a_definition("fails"), steps=(StepDefinition(name="work", rescue=Rescue.FAIL),))
STUBBORN = replace(a_definition("stubborn"), cancellable=False)
SECRET = replace(
    a_definition("secret"),
    fields=(Field("token", {"type": "string", "format": "secret"}),),
)
FAILED = Failure(an_error())
EVERY_HOUR = {"cron": "0 * * * *", "tz": "UTC"}


class Daemon(Rehearsal):
    """It is a second after NOW, which is noon."""

    def start(
        self,
        label: str = "work",
        *,
        input: Any = None,
        at: str = "",
        locks: tuple[str, ...] = (),
        noop: bool = False,
        **repeat: Any,
    ) -> int:
        """A logic of every hour, unless `repeat` says otherwise. Its id."""
        order: Any = {name: value for name, value in (("at", at), ("locks", locks)) if value}
        wanted = EVERY_HOUR | repeat
        engine: Any = SimpleNamespace(
            starter=self.starter, catalog=self.catalog, settings=Settings(), places=self.places
        )
        return self.do(
            lambda tx: api.start(tx, engine, YOU, label, wanted, input or {}, noop=noop, **order)
        ).id

    def do(self, change: Any) -> Any:
        answers = self.put(change)
        self.serve()
        if isinstance(answers[0], Exception):
            raise answers[0]
        return answers[0]

    def change(self, verb: str, logic_id: int = 1) -> RecurringLogic:
        def apply(tx: Transaction) -> RecurringLogic:
            found = recurring.get(tx.connection, logic_id)
            changed: RecurringLogic = getattr(self.starter.recurring, verb)(tx, found, "bob")
            return changed

        made: RecurringLogic = self.do(apply)
        return made

    def logic(self, logic_id: int = 1) -> RecurringLogic:
        return recurring.get_full(self.database.writer, logic_id)

    @property
    def tasks(self) -> list[Task]:
        store = self.database.writer
        return [tasks.get_full(store, i) for i in range(1, tasks.last_id(store) + 1)]

    @property
    def running(self) -> list[int]:
        return sorted(call.task_id for call in self.calls.running.values())

    def finish(self, task_id: int, outcome: Outcome | None = None) -> None:
        [call] = [each for each in self.calls.running.values() if each.task_id == task_id]
        self.end(call, outcome or Success())
        self.serve()

    def be_down(self, hours: float) -> None:
        self.clock.now += timedelta(hours=hours)
        self.die(Found(running=set(self.calls.running)))

    def events(self, logic_id: int = 1) -> list[tuple[str, int]]:
        return [(e.event, e.times) for e in self.logic(logic_id).history if e.event != "created"]

    def last_event(self) -> LogicEvent:
        return self.logic().history[-1]


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    definitions = [WORK, FAILS, STUBBORN, SECRET]
    with closing(Daemon(tmp_path, definitions, lambda _store: None, slots=200)) as made:
        made.clock.now = made.starter.recurring.since = NOW + timedelta(seconds=1)
        monkeypatch.setattr(api, "asker_of", lambda *_: asker(made))
        yield made


def asker(daemon: Daemon) -> Any:
    return SimpleNamespace(now=daemon.clock.now, zone=UTC, local=daemon.clock.now)


def hours(number: float) -> datetime:
    return NOW + timedelta(hours=number)


# One after the other


def test_first_time_may_be_the_beginning_itself_and_later_ones_are_after_it(
    daemon: Daemon,
) -> None:
    daemon.clock.now = NOW - timedelta(minutes=1)
    daemon.start(at="2024-05-01 12:00")

    assert daemon.logic().next_occurrence == NOW
    daemon.pass_time(61)
    assert daemon.running == [1]
    assert daemon.logic().next_occurrence == hours(1)


def test_each_run_is_a_task_at_its_time(daemon: Daemon) -> None:
    daemon.start()
    for number in range(1, 4):
        daemon.pass_time(HOUR)
        daemon.finish(number)

    assert [task.start_at for task in daemon.tasks] == [hours(n) for n in range(1, 5)]
    assert [task.state for task in daemon.tasks] == ["stopped"] * 3 + ["scheduled"]
    assert {task.execution_type for task in daemon.tasks} == {ExecutionType.RECURRING}
    assert {task.recurring_logic_id for task in daemon.tasks} == {1}
    assert (daemon.logic().iteration, daemon.logic().last_occurrence) == (3, hours(3))


def test_one_task_is_scheduled_and_no_more(daemon: Daemon) -> None:
    daemon.start()

    assert [task.state for task in daemon.tasks] == ["scheduled"]


def test_limit_is_exactly_so_many_runs_and_the_last_one_ends_it(daemon: Daemon) -> None:
    daemon.start(limit=2)
    daemon.pass_time(HOUR)
    daemon.finish(1)
    daemon.pass_time(HOUR)
    assert (daemon.logic().state, daemon.logic().next_occurrence) == ("active", None)

    daemon.finish(2)
    daemon.pass_time(5 * HOUR)

    assert (daemon.logic().state, daemon.logic().iteration) == ("finished", 2)
    assert len(daemon.tasks) == 2


def test_paused_last_run_keeps_it_active(daemon: Daemon) -> None:
    daemon.start(limit=1)
    daemon.pass_time(HOUR)

    daemon.finish(1, FAILED)

    assert daemon.logic().state == "active"


def test_last_run_may_be_at_its_end_and_none_is_after_that(daemon: Daemon) -> None:
    daemon.start(until="2024-05-01 14:00")
    daemon.pass_time(HOUR)
    daemon.finish(1)
    daemon.pass_time(HOUR)
    daemon.finish(2)

    assert (daemon.logic().state, len(daemon.tasks)) == ("finished", 2)


def test_two_changes_of_clocks(daemon: Daemon) -> None:
    """In Berlin 02:30 does not exist on 31 March, and comes twice on 27 October."""
    begins = {"2024-03-30 12:00": ["01:30", "01:00", "00:30"], "2024-10-26 12:00": ["00:30"] * 2}
    for number, (begin, times) in enumerate(begins.items(), 1):
        daemon.clock.now = datetime.fromisoformat(begin).replace(tzinfo=UTC) - timedelta(days=1)
        daemon.start(cron="30 2 * * *", tz="Europe/Berlin")
        for _ in times:
            logic = daemon.logic(number)
            assert logic.next_occurrence
            daemon.pass_time((logic.next_occurrence - daemon.clock.now).total_seconds())
            [run] = daemon.running
            daemon.finish(run)
        mine = [task for task in daemon.tasks if task.recurring_logic_id == number]
        assert [f"{task.start_at:%H:%M}" for task in mine[:-1]] == times
        daemon.change("cancel", number)


# Missed times


@pytest.mark.parametrize("missed", [1, 2, 100])
def test_once_is_one_late_run_and_the_rest_are_passed_over(daemon: Daemon, missed: int) -> None:
    daemon.start()

    daemon.be_down(missed + 0.5)

    assert daemon.running == [1]
    assert daemon.logic().next_occurrence == hours(missed + 1)
    assert daemon.events() == ([("passed over", missed - 1)] if missed > 1 else [])
    assert daemon.logic().iteration == 1


@pytest.mark.parametrize("missed", [1, 2, 100])
def test_skip_runs_none_of_them(daemon: Daemon, missed: int) -> None:
    daemon.start(missed="skip")

    daemon.be_down(missed + 0.5)

    assert daemon.running == []
    assert daemon.logic().next_occurrence == hours(missed + 1)
    assert daemon.events() == [("passed over", missed)]
    assert (daemon.last_event().at, daemon.last_event().last_at) == (hours(1), hours(missed))
    assert daemon.logic().iteration == 0
    daemon.pass_time(HOUR)
    assert daemon.running == [1]


@pytest.mark.parametrize("missed", [1, 2, 100])
def test_all_run_one_after_the_other(daemon: Daemon, missed: int) -> None:
    daemon.start(missed="all")

    daemon.be_down(missed + 0.25)
    for number in range(1, missed + 1):
        assert daemon.running == [number]
        daemon.finish(number)
        daemon.pass_time(1)

    assert [task.start_at for task in daemon.tasks] == [hours(n) for n in range(1, missed + 2)]
    assert daemon.logic().iteration == missed
    assert daemon.events() == []


def test_times_over_which_the_clock_was_set_are_missed(daemon: Daemon) -> None:
    daemon.start(missed="skip")

    daemon.clock.now += timedelta(hours=3)
    daemon.pass_time(40)

    assert daemon.running == []
    assert daemon.events() == [("passed over", 3)]


def test_clock_that_is_set_back_runs_nothing_twice(daemon: Daemon) -> None:
    daemon.start()
    daemon.pass_time(HOUR)
    daemon.finish(1)

    daemon.clock.now -= timedelta(minutes=30)
    daemon.pass_time(HOUR)

    assert [task.start_at for task in daemon.tasks] == [hours(1), hours(2)]
    assert daemon.tasks[1].state == "scheduled"


# Overlap


@pytest.mark.parametrize("outcome", [None, FAILED])
def test_time_is_skipped_while_the_run_before_runs_or_is_paused(
    daemon: Daemon, outcome: Outcome | None
) -> None:
    daemon.start()
    daemon.pass_time(HOUR)
    if outcome:
        daemon.finish(1, outcome)

    daemon.pass_time(2 * HOUR)

    state = daemon.tasks[0].state
    assert len(daemon.tasks) == 2
    assert daemon.events() == [("skipped", 2)]
    assert daemon.last_event().detail == f"task 1 is {state}"
    assert (daemon.logic().iteration, daemon.logic().next_occurrence) == (1, hours(4))


def test_run_after_a_skipped_one_is_at_its_own_time(daemon: Daemon) -> None:
    daemon.start()
    daemon.pass_time(2 * HOUR + 60)
    daemon.finish(1)
    assert daemon.running == []

    daemon.pass_time(HOUR)

    assert daemon.running == [2]
    assert daemon.tasks[1].start_at == hours(3)


def test_wait_begins_when_the_run_before_has_stopped(daemon: Daemon) -> None:
    daemon.start(overlap="wait")
    daemon.pass_time(3 * HOUR + 60)
    assert (daemon.running, len(daemon.tasks)) == ([1], 2)

    daemon.finish(1)

    assert daemon.running == [2]
    assert daemon.tasks[1].start_at == hours(2)
    assert daemon.logic().next_occurrence == hours(4)
    assert daemon.events() == [("passed over", 1)]


def test_wait_does_not_mind_an_error(daemon: Daemon) -> None:
    daemon.start("fails", overlap="wait")
    daemon.pass_time(2 * HOUR)

    daemon.finish(1, FAILED)

    assert daemon.running == [2]


def test_parallel_runs_are_many(daemon: Daemon) -> None:
    daemon.start(overlap="parallel")

    daemon.pass_time(3 * HOUR)

    assert daemon.running == [1, 2, 3]


def test_previous_run_is_cancelled_and_waited_for(daemon: Daemon) -> None:
    daemon.start(overlap="cancel-previous")
    daemon.pass_time(HOUR)
    [call] = daemon.calls.running
    daemon.pass_time(HOUR)

    assert daemon.calls.told == {call}
    assert daemon.running == [1]
    daemon.finish(1, FAILED)
    assert daemon.tasks[0].result == "cancelled"
    assert daemon.running == [2]


def test_previous_run_that_may_not_be_cancelled_is_waited_for(daemon: Daemon) -> None:
    daemon.start("stubborn", overlap="cancel-previous")
    daemon.pass_time(2 * HOUR)
    assert (daemon.running, daemon.calls.told) == ([1], set())

    daemon.finish(1)

    assert (daemon.running, daemon.tasks[0].result) == ([2], "success")


def test_waiting_run_outlives_the_daemon(daemon: Daemon) -> None:
    daemon.start(overlap="wait")
    daemon.pass_time(2 * HOUR)

    daemon.be_down(0)
    daemon.finish(1)

    assert daemon.running == [2]


# What people do


def test_disabled_logic_rests_and_goes_on_with_its_next_time(daemon: Daemon) -> None:
    daemon.start()

    assert daemon.change("disable").state == "disabled"
    daemon.pass_time(2 * HOUR + 60)
    assert daemon.running == []
    assert daemon.change("enable").next_occurrence == hours(3)

    daemon.pass_time(HOUR)
    assert daemon.running == [1]
    assert daemon.tasks[0].start_at == hours(3)


def test_what_is_enabled_before_its_time_keeps_that(daemon: Daemon) -> None:
    daemon.start()
    daemon.change("disable")
    daemon.be_down(0)

    daemon.change("enable")
    daemon.pass_time(HOUR)

    assert daemon.running == [1]


def test_run_goes_on_while_its_logic_is_disabled(daemon: Daemon) -> None:
    daemon.start()
    daemon.pass_time(HOUR)
    daemon.change("disable")

    daemon.finish(1)
    daemon.pass_time(2 * HOUR)
    assert daemon.running == []
    daemon.change("enable")
    daemon.pass_time(HOUR)

    assert daemon.running == [2]


def test_cancelled_task_does_not_stop_its_logic(daemon: Daemon) -> None:
    daemon.start()
    daemon.do(lambda tx: family.cancel(tx, daemon.catalog, tx.get(1), "bob"))

    assert daemon.events() == [("not run", 1)]
    assert daemon.logic().iteration == 0
    daemon.pass_time(2 * HOUR)
    assert daemon.running == [2]


def test_cancelled_logic_cancels_its_tasks(daemon: Daemon) -> None:
    daemon.start()
    daemon.pass_time(HOUR)
    [call] = daemon.calls.running

    assert daemon.change("cancel").state == "cancelled"

    assert daemon.calls.told == {call}
    assert [task.state for task in daemon.tasks] == ["running", "stopped"]
    daemon.finish(1, FAILED)
    daemon.pass_time(5 * HOUR)
    assert [task.result for task in daemon.tasks] == ["cancelled", "cancelled"]


@pytest.mark.parametrize(
    ("before", "verb"),
    [("", "enable"), ("disable", "disable"), ("cancel", "cancel"), ("cancel", "enable")],
)
def test_what_it_is_not_in_the_state_for_is_refused(daemon: Daemon, before: str, verb: str) -> None:
    daemon.start()
    if before:
        daemon.change(before)

    with pytest.raises(InvalidState, match=f"cannot {verb} recurring logic 1"):
        daemon.change(verb)


def test_logic_can_be_deleted_once_it_has_ended(daemon: Daemon) -> None:
    daemon.start()
    with pytest.raises(InvalidState, match="it is active"):
        daemon.do(lambda tx: api.delete(tx, 1))
    daemon.change("cancel")

    daemon.do(lambda tx: api.delete(tx, 1))

    assert recurring.count(daemon.database.writer) == 0
    assert len(daemon.tasks) == 1


# When it cannot go on


def test_action_that_is_gone_makes_it_fail_and_says_so(daemon: Daemon) -> None:
    daemon.start()
    del daemon.catalog.definitions["work"]

    daemon.pass_time(HOUR)

    assert (daemon.logic().state, daemon.logic().reason) == ("failed", "no action 'work'")
    assert [task.result for task in daemon.tasks] == ["error"]


def test_input_that_its_action_does_not_take_any_more_makes_it_fail(daemon: Daemon) -> None:
    daemon.start()
    needs = Field("site", {"type": "string"})
    daemon.catalog.definitions["work"] = replace(WORK, fields=(needs,))

    daemon.pass_time(HOUR)

    assert daemon.logic().state == "failed"
    assert "'site' is missing" in daemon.logic().reason


def test_secret_is_given_to_each_run_and_kept_nowhere_else(daemon: Daemon) -> None:
    daemon.start("secret", input={"token": "s3cret"})
    for number in (1, 2):
        daemon.pass_time(HOUR)
        [call] = daemon.calls.running.values()
        assert call.input == {"token": "s3cret"}
        daemon.finish(number)
    daemon.be_down(0)
    assert daemon.logic().input == {"token": secrets.HIDDEN}

    daemon.change("cancel")

    assert list(daemon.places.secrets.iterdir()) == []


# What is refused


def test_purpose_is_of_one_at_work(daemon: Daemon) -> None:
    daemon.start(purpose="nightly")
    with pytest.raises(InvalidState, match="'nightly' is that of recurring logic 1"):
        daemon.start(purpose="nightly")
    daemon.change("disable")
    with pytest.raises(InvalidState, match="'nightly'"):
        daemon.start(purpose="nightly")

    daemon.change("cancel")

    assert daemon.start(purpose="nightly") == 2


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"cron": "60 * * * *"}, "the minute '60' is not within 0-59"),
        ({"cron": "0 0 31 2 *"}, "it never fires"),
        ({"cron": "* * * *"}, "found 4"),
        ({"cron": "* * * * * * *"}, "found 7"),
        ({"daily": "02:30"}, "expected one of --cron, --hourly"),
        ({"tz": "Mars/Base"}, "there is no time zone 'Mars/Base'"),
        ({"until": "2024-05-01 12:30"}, "--until is before the first time, 2024-05-01 13:00 UTC"),
        ({"until": "2024-04-01"}, "--until"),
        ({"limit": 0}, "--limit 0 allows no run"),
        ({"limit": -1}, "--limit -1 allows no run"),
        ({"missed": "some"}, "--missed 'some' is none of once, skip, all"),
        ({"overlap": "x"}, "--overlap 'x' is none of skip, wait, parallel, cancel-previous"),
        ({"at": "2024-04-01"}, "--at: that is in the past"),
        ({"often": "yes"}, "repeat: unknown often"),
    ],
)
def test_what_can_never_run_is_refused_and_nothing_is_stored(
    daemon: Daemon, asked: dict[str, Any], told: str
) -> None:
    with pytest.raises(InvalidInput, match=told):
        daemon.start(**asked)

    assert recurring.count(daemon.database.writer) == 0
    assert daemon.tasks == []


def test_first_skipped_run_in_a_row_is_told(daemon: Daemon) -> None:
    told: list[int] = []
    daemon.starter.recurring.skipped = told.append
    daemon.start()

    daemon.pass_time(3 * HOUR)
    assert told == [1]
    daemon.finish(1)
    daemon.pass_time(2 * HOUR)

    assert told == [1, 2]


def test_what_is_only_tried_leaves_nothing_and_is_refused_like_the_real_one(
    daemon: Daemon,
) -> None:
    assert daemon.start("secret", input={"token": "s3cret"}, noop=True) == 0
    with pytest.raises(InvalidInput, match="cannot read 'blog' as a lock"):
        daemon.start(locks=("blog",), noop=True)

    assert recurring.count(daemon.database.writer) == 0
    assert daemon.tasks == []
    assert list(daemon.places.secrets.iterdir()) == []


def test_logic_whose_next_run_was_deleted_can_be_enabled(daemon: Daemon) -> None:
    daemon.start()
    daemon.change("disable")
    daemon.do(lambda tx: family.cancel(tx, daemon.catalog, tx.get(1), "bob"))
    version = daemon.tasks[0].version
    assert daemon.do(lambda tx: tx.delete({1: version})) == [1]

    enabled = daemon.change("enable")

    assert (enabled.state, enabled.task_id) == ("active", 2)
