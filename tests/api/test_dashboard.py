"""What the dashboard tells of a daemon at work."""

from datetime import UTC, datetime, timedelta

from builders import an_error
from stage import Stage

from taskd.executors.base import Failure, Success
from taskd.model.dashboard import Count
from taskd.model.task import Result, State
from taskd.store import recurring


def test_it_tells_what_runs_is_paused_waits_and_comes(stage: Stage) -> None:
    client = stage.client
    holder = stage.start("locked")
    stage.end(stage.next_call(), Failure(an_error("no room")))
    stage.rest(holder.id)
    both = ["site:blog/backup", "site:blog/deploy"]
    waiter = stage.start("demo", locks=both, on_conflict="wait")
    client.start("demo", at="2h", name="Later")
    logic = client.start_recurring("demo", {"cron": "* * * * *"})
    stage.start("demo")
    ended = stage.next_call()
    stage.end(ended, Success())
    stage.rest(ended.task_id)

    told = client.dashboard()

    counts = {(each.state, each.result): each for each in told.counts}
    assert counts[State.PAUSED, Result.ERROR] == Count(State.PAUSED, Result.ERROR, 1, 1)
    assert counts[State.STOPPED, Result.SUCCESS].recent == 1
    assert counts[State.SCHEDULED, Result.PENDING].total == 2
    [paused] = told.paused
    assert (paused.task_id, paused.why) == (holder.id, "RuntimeError: no room")
    assert [each.recurring_logic_id for each in told.coming] == [logic.id, None]
    assert told.coming[0].cron_line == "* * * * *"
    [line] = told.waiting
    assert (line.resource, line.waiting, line.holders) == ("site:blog", 1, (holder.id,))
    assert stage.client.get(waiter.id).state is State.PLANNED


def test_skipped_runs_are_told_for_a_day(stage: Stage) -> None:
    logic = stage.client.start_recurring("demo", {"daily": "02:30"})
    now = datetime.now(UTC)

    def skip(at: datetime, why: str) -> None:
        stage.director.do(lambda tx: recurring.note(tx.write(), logic.id, at, "skipped", why))

    skip(now - timedelta(days=2), "long ago")
    skip(now - timedelta(hours=2), "task 7 is paused")
    skip(now - timedelta(hours=1), "task 7 is paused")

    [told] = stage.client.dashboard().skipped

    assert (told.recurring_logic_id, told.detail, told.times) == (logic.id, "task 7 is paused", 2)


def test_why_nothing_is_started_is_there(stage: Stage) -> None:
    stage.client.drain()

    assert "drained" in stage.client.dashboard().note
