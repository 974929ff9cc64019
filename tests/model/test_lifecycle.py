"""What becomes of a task and its steps, event by event."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from builders import NOW, a_new_task, a_plan, a_planned_task, a_step, a_task, an_error, later
from hypothesis import given
from hypothesis import strategies as st
from moves import (
    begin,
    cancelling,
    delegate,
    events,
    fail,
    interrupt,
    one_step,
    paused,
    paused_plan,
    ready,
    resume,
    states,
    succeed,
    waiting,
)

from taskd.model import lifecycle
from taskd.model.definition import Retry
from taskd.model.draft import progress
from taskd.model.errors import InvalidState, NotFound, TaskdError
from taskd.model.record import replace
from taskd.model.step import JSON, Rescue, StepState
from taskd.model.task import Result, State, Task

IN_A_ROW = ["sequence", "a", "b", "c"]
SIDE_BY_SIDE = ["concurrence", "a", "b"]


# Order


def test_new_task_waits_for_its_plan() -> None:
    assert ready(a_new_task()) == ["plan"]


def test_steps_of_a_sequence_become_ready_one_after_the_other() -> None:
    task = a_planned_task(IN_A_ROW)

    seen = [ready(task), *(ready(task := succeed(task, name)) for name in "abc")]

    assert seen == [["a"], ["b"], ["c"], []]


def test_failed_branch_does_not_stop_its_sibling() -> None:
    task = fail(begin(a_planned_task(SIDE_BY_SIDE), "b"), "a")

    assert (task.state, states(task)) == (State.RUNNING, {"a": "error", "b": "running"})


def test_task_is_judged_when_nothing_more_can_run() -> None:
    task = succeed(
        fail(a_planned_task(["concurrence", "a", ["sequence", "b", "c"]]), "a"), "b", "c"
    )

    assert (task.state, states(task)["c"]) == (State.PAUSED, "success")


def test_finalize_runs_after_all_others() -> None:
    task = a_planned_task(SIDE_BY_SIDE, finalize=True)

    seen = [ready(task), ready(task := succeed(task, "a")), ready(task := succeed(task, "b"))]

    assert seen == [["a", "b"], ["b"], ["finalize"]]
    assert succeed(task, "finalize").state is State.STOPPED


def test_resume_after_a_failed_finalize_runs_nothing_else() -> None:
    failed = fail(succeed(a_planned_task(["sequence", "a"], finalize=True), "a"), "finalize")

    task = lifecycle.resume(failed, "ana", NOW)

    assert (ready(task), states(task)) == (["finalize"], {"a": "success", "finalize": "pending"})


def test_finalize_does_not_run_after_a_failure() -> None:
    task = fail(a_planned_task(["sequence", "a"], finalize=True), "a", "fail")

    assert states(task) == {"a": "error", "finalize": "cancelled"}


# Results


def test_resumed_task_ends_with_warning() -> None:
    task = succeed(lifecycle.resume(paused(), "ana", NOW), "a")

    assert (task.state, task.result) == (State.STOPPED, Result.WARNING)


def test_task_resumed_at_its_plan_ends_with_warning() -> None:
    resumed = lifecycle.resume(paused_plan(), "ana", NOW)

    task = lifecycle.planned(resumed, "Demo", ["sequence", "a"], [a_step("a")], NOW)

    assert succeed(task, "a").result is Result.WARNING


def test_retried_step_needed_no_help() -> None:
    task = fail(one_step(), "a", retry=Retry(1))

    task = succeed(lifecycle.due(task, "a", NOW), "a")

    assert task.result is Result.SUCCESS


def test_cancelled_last_step_that_succeeds_after_a_resume_is_a_warning() -> None:
    task = begin(lifecycle.resume(paused(), "ana", NOW), "a")

    task = lifecycle.succeeded(lifecycle.cancel(task, "ana", NOW), "a", 1, NOW)

    assert task.result is Result.WARNING


def test_output_of_a_task_is_that_of_its_last_step() -> None:
    assert succeed(a_planned_task(IN_A_ROW), "a", "b", "c").output == "C"


def test_stopped_task_tells_when_it_ended() -> None:
    task = lifecycle.succeeded(begin(one_step(), "a"), "a", None, later(5))

    assert (task.started_at, task.ended_at, task.duration) == (NOW, later(5), 5.0)


# Rescue


@pytest.mark.parametrize(
    ("first", "second", "state", "result"),
    [
        ("skip", "skip", "stopped", "warning"),
        ("fail", "fail", "stopped", "error"),
        ("pause", "pause", "paused", "error"),
        ("skip", "fail", "paused", "error"),
        ("fail", "pause", "paused", "error"),
        ("pause", "skip", "paused", "error"),
    ],
)
def test_several_failures_are_rescued_together(
    first: str, second: str, state: str, result: str
) -> None:
    task = fail(fail(a_planned_task(SIDE_BY_SIDE), "a", first), "b", second)

    assert (task.state, task.result) == (state, result)


def test_skipping_takes_what_needs_the_output_along() -> None:
    steps = [
        a_step("a", number=1),
        a_step("b", number=2, needs=("a",)),
        a_step("c", number=3, needs=("b",)),
        a_step("d", number=4),
    ]
    task = a_planned_task(["sequence", "a", "b", "c", "d"], *steps)

    task = fail(task, "a", "skip")

    assert states(task) == {"a": "skipped", "b": "skipped", "c": "skipped", "d": "pending"}
    assert ready(task) == ["d"]


def test_failing_task_cancels_what_has_not_begun() -> None:
    task = fail(a_planned_task(IN_A_ROW), "a", "fail")

    assert states(task) == {"a": "error", "b": "cancelled", "c": "cancelled"}


# Retry


def test_retry_waits_longer_each_time() -> None:
    retry, task, waits = Retry(3, delay=10, factor=2), one_step(), []
    for _ in range(3):
        task = fail(task, "a", retry=retry)
        waits.append(task.steps["a"].due_at)
        task = lifecycle.due(task, "a", NOW)

    assert waits == [later(10), later(20), later(40)]
    assert fail(task, "a", retry=retry).state is State.PAUSED


def test_retries_of_many_tasks_are_spread_by_their_jitter() -> None:
    retry = Retry(1, delay=100, jitter=0.2)
    tasks = [replace(one_step(), id=number) for number in range(100)]

    waits = {fail(task, "a", retry=retry).steps["a"].due_at for task in tasks}

    assert len(waits) == 100
    assert all(wait and later(80) <= wait <= later(120) for wait in waits)
    assert waits == {fail(task, "a", retry=retry).steps["a"].due_at for task in tasks}


def test_jitter_never_leads_back_in_time() -> None:
    retry = Retry(1, delay=10, jitter=9)
    tasks = [replace(one_step(), id=number) for number in range(20)]

    waits = [fail(task, "a", retry=retry).steps["a"].due_at for task in tasks]

    assert all(wait and wait >= NOW for wait in waits)


@pytest.mark.parametrize(
    "retry",
    [
        Retry(1, delay=1e11),
        Retry(1, delay=1e300),
        Retry(2, delay=60, factor=1e300),
        Retry(9999, delay=0.1, factor=2),
    ],
)
def test_no_retry_waits_for_more_than_a_year(retry: Retry) -> None:
    step = replace(one_step().steps["a"], ready=True, attempts=retry.times - 1)
    task = replace(one_step(), steps=one_step().steps | {"a": step})

    assert fail(task, "a", retry=retry).steps["a"].due_at == NOW + timedelta(days=365)


def test_step_that_waits_for_its_retry_is_not_ready() -> None:
    task = fail(one_step(), "a", retry=Retry(1, delay=10))

    assert ready(task) == []
    assert ready(lifecycle.due(task, "a", NOW)) == ["a"]


def test_resume_gives_all_attempts_again() -> None:
    retry = Retry(1)
    task = fail(lifecycle.due(fail(one_step(), "a", retry=retry), "a", NOW), "a", retry=retry)

    task = fail(lifecycle.resume(task, "ana", NOW), "a", retry=retry)

    assert (task.state, states(task)) == (State.RUNNING, {"a": "pending"})


def test_attempt_that_never_ran_does_not_count() -> None:
    task = lifecycle.never_ran(begin(one_step(), "a"), "a", NOW)

    assert (task.steps["a"].attempts, ready(task)) == (0, ["a"])


def test_cancelled_retry_does_not_come_back() -> None:
    task = lifecycle.cancel(fail(one_step(), "a", retry=Retry(1, delay=10)), "ana", NOW)

    assert (task.state, task.steps["a"].due_at) == (State.STOPPED, None)


# Interrupted


def test_step_interrupted_again_and_again_is_poison() -> None:
    task = one_step()
    for _ in range(3):
        task = interrupt(task, "a", idempotent=True, rescue="skip")

    assert task.state is State.PAUSED
    assert (task.steps["a"].error or an_error()).message.startswith("poison: interrupted 3 times")


def test_step_interrupted_while_it_is_cancelled_is_no_poison() -> None:
    task = lifecycle.interrupted(cancelling(), "a", "killed", True, Rescue.PAUSE, NOW)

    assert (task.steps["a"].error or an_error()).message.startswith("interrupted: killed")


@pytest.mark.parametrize(
    "end", [succeed, partial(fail, retry=Retry(9))], ids=["success", "failure"]
)
def test_known_outcome_ends_a_row_of_interruptions(end: Callable[[Task, str], Task]) -> None:
    task = interrupt(interrupt(one_step(), "a", idempotent=True), "a", idempotent=True)

    assert end(task, "a").steps["a"].interruptions == 0


def test_interrupted_step_is_rescued_as_it_says() -> None:
    task = interrupt(one_step(), "a", idempotent=False, rescue="fail")

    assert (task.state, task.result) == (State.STOPPED, Result.ERROR)


# Resume


def test_resume_keeps_what_is_done() -> None:
    task = lifecycle.resume(fail(succeed(a_planned_task(IN_A_ROW), "a"), "b"), "ana", NOW)

    assert states(task) == {"a": "success", "b": "pending", "c": "pending"}
    assert (ready(task), task.steps["a"].output) == (["b"], "A")


@pytest.mark.parametrize("state", ["scheduled", "planned", "running", "stopped"])
def test_only_a_paused_task_can_be_resumed(state: str) -> None:
    with pytest.raises(InvalidState, match=f"cannot resume task 1: it is {state}, not paused"):
        lifecycle.resume(a_task(state, [a_plan()]), "ana", NOW)


def test_task_that_waits_for_a_lock_cannot_be_resumed() -> None:
    with pytest.raises(InvalidState, match="task 1: it is planned, not paused") as refused:
        resume(waiting())

    assert refused.value.hint == "it waits for a lock; taskctl show 1 --locks"


# Skip


def _needing() -> Task:
    """`b` needs what `a` gives, `c` only follows."""
    steps = [a_step("a", number=1), a_step("b", number=2, needs=("a",)), a_step("c", number=3)]
    return a_planned_task(IN_A_ROW, *steps, finalize=True)


def _two_failed(first: str = "pause", second: str = "pause") -> Task:
    branches = ["concurrence", ["sequence", "a", "c"], "b"]
    return fail(fail(a_planned_task(branches), "a", first), "b", second)


def test_skip_goes_on_without_the_failed_step_and_what_needs_it() -> None:
    task = lifecycle.skip(fail(_needing(), "a"), None, "ana", NOW)

    assert (task.state, task.result, ready(task)) == (State.RUNNING, Result.PENDING, ["c"])
    assert states(task) == {"a": "skipped", "b": "skipped", "c": "pending", "finalize": "pending"}
    assert (task.history[-1].event, task.history[-1].who) == ("skipped", "ana")
    assert task.history[-1].detail == "a, b"


def test_task_with_a_skipped_step_ends_with_warning() -> None:
    task = lifecycle.skip(fail(_needing(), "a"), ["a"], "ana", NOW)

    task = succeed(task, "c", "finalize")

    assert (task.state, task.result, task.progress) == (State.STOPPED, Result.WARNING, 1.0)


def test_skip_of_the_last_step_ends_the_task() -> None:
    task = lifecycle.skip(paused(), ["a"], "ana", later(5))

    assert (task.state, task.result, task.ended_at) == (State.STOPPED, Result.WARNING, later(5))


def test_skip_of_a_failed_finalize_ends_the_task_with_its_output() -> None:
    failed = fail(succeed(a_planned_task(["sequence", "a"], finalize=True), "a"), "finalize")

    task = lifecycle.skip(failed, None, "ana", NOW)

    assert (task.state, task.result, task.output) == (State.STOPPED, Result.WARNING, "A")


@pytest.mark.parametrize("other", ["pause", "skip", "fail"])
def test_task_stays_paused_while_another_failed_step_is_left(other: str) -> None:
    task = lifecycle.skip(_two_failed("pause", other), ["a"], "ana", NOW)

    assert (task.state, task.result, ready(task)) == (State.PAUSED, Result.ERROR, [])
    assert states(task) == {"a": "skipped", "c": "pending", "b": "error"}


def test_skip_of_all_that_failed_leaves_none() -> None:
    task = lifecycle.skip(_two_failed(), None, "ana", NOW)

    assert (task.state, ready(task)) == (State.RUNNING, ["c"])


def test_resume_after_a_skip_keeps_the_step_skipped() -> None:
    skipped = lifecycle.skip(_two_failed(), ["a"], "ana", NOW)

    task = lifecycle.resume(skipped, "ana", NOW)

    assert ready(task) == ["c", "b"]


@pytest.mark.parametrize("state", ["scheduled", "planned", "running", "stopped"])
def test_only_steps_of_a_paused_task_can_be_skipped(state: str) -> None:
    task = a_task(state, [a_plan(), a_step("a", "error")])

    with pytest.raises(InvalidState, match=f"cannot skip .* task 1: it is {state}, not paused"):
        lifecycle.skip(task, ["a"], "ana", NOW)


@pytest.mark.parametrize(
    ("names", "kind", "message"),
    [
        (["a", "c"], InvalidState, r"cannot skip step 'c' of task 1: it has not failed \(pending"),
        (["plan"], InvalidState, r"cannot skip step 'plan' of task 1: it has not failed \(success"),
        (["a", "bee"], NotFound, "task 1 has no step 'bee'"),
    ],
)
def test_skip_of_what_has_not_failed_is_refused(
    names: list[str], kind: type[TaskdError], message: str
) -> None:
    with pytest.raises(kind, match=message) as refused:
        lifecycle.skip(_two_failed(), names, "ana", NOW)

    assert refused.value.hint == "what failed: a, b"


@pytest.mark.parametrize("names", [None, ["plan"]])
def test_plan_is_never_skipped(names: list[str] | None) -> None:
    with pytest.raises(InvalidState, match="cannot skip the plan of task 1") as refused:
        lifecycle.skip(paused_plan(), names, "ana", NOW)

    assert refused.value.hint == "taskctl resume 1, or taskctl cancel 1"


# Cancel


def test_stopped_task_cannot_be_cancelled() -> None:
    with pytest.raises(InvalidState, match=r"cannot cancel task 1: it is stopped \(success\)"):
        lifecycle.cancel(succeed(one_step(), "a"), "ana", NOW)


def test_running_task_may_refuse_to_be_cancelled() -> None:
    with pytest.raises(InvalidState, match="demo may not be cancelled while it runs"):
        lifecycle.cancel(begin(one_step(), "a"), "ana", NOW, cancellable=False)


def test_paused_task_is_cancelled_after_what_runs_of_its_sub_tasks() -> None:
    task = fail(delegate(one_step(), "a"), "a")

    for _ in range(2):  # the second time to hurry it up
        task = lifecycle.cancel(task, "ana", NOW, cancellable=False, at_work=["a"])

    assert (task.resting, states(task)) == (False, {"a": "suspended"})
    assert lifecycle.cancelled(task, "a", NOW).result is Result.CANCELLED


def test_cancelling_begins_no_further_step() -> None:
    task = lifecycle.cancel(begin(a_planned_task(SIDE_BY_SIDE), "a"), "ana", NOW)

    assert (ready(task), states(task)) == ([], {"a": "running", "b": "cancelled"})


def test_cancelling_twice_is_told_once() -> None:
    task = lifecycle.cancel(cancelling(), "ben", NOW)

    assert events(task).count("cancelled") == 1


def test_step_that_snoozes_when_it_was_told_to_end_is_cancelled() -> None:
    task = lifecycle.snoozed(cancelling(), "a", None, later(60), later(5))

    assert (task.result, states(task)) == (Result.CANCELLED, {"a": "cancelled"})
    assert task.steps["a"].ended_at == later(5)


# Progress and history


def progress_of(task: Task) -> float:
    return progress(task.steps.values(), task.state)


@pytest.mark.parametrize(
    ("flow", "weights", "fractions", "progress"),
    [
        (["sequence", "a", "b"], (1, 1), (0.0, 0.0), 0.0),
        (["sequence", "a", "b"], (1, 1), (0.5, 0.0), 0.25),
        (["sequence", "a", "b"], (3, 1), (1.0, 0.0), 0.75),
        (["sequence", "a", "b"], (3, 1), (1.0, 0.5), 0.875),
    ],
)
def test_progress_is_weighted(
    flow: JSON, weights: tuple[float, float], fractions: tuple[float, float], progress: float
) -> None:
    steps = [
        a_step(name, number=number, weight=weight, progress=fraction)
        for name, number, weight, fraction in zip("ab", (1, 2), weights, fractions, strict=True)
    ]

    assert progress_of(a_planned_task(flow, *steps)) == progress


def test_task_without_steps_is_done_when_it_is_stopped() -> None:
    assert progress_of(a_new_task()) == 0.0
    assert progress_of(a_planned_task(None)) == 1.0


@pytest.mark.parametrize(("said", "kept"), [(0.4, 0.4), (-1.0, 0.0), (7.0, 1.0)])
def test_reported_progress_stays_between_0_and_1(said: float, kept: float) -> None:
    step = lifecycle.progressed(begin(one_step(), "a"), "a", said, "so far", NOW).steps["a"]

    assert (step.progress, step.note) == (kept, "so far")


@pytest.mark.parametrize(
    "put_back",
    [
        lambda task: lifecycle.failed(task, "a", an_error(), Retry(1), Rescue.PAUSE, NOW),
        lambda task: lifecycle.interrupted(task, "a", "killed", True, Rescue.PAUSE, NOW),
    ],
    ids=["retried", "interrupted"],
)
def test_step_that_is_to_begin_again_has_no_progress(put_back: Callable[[Task], Task]) -> None:
    task = lifecycle.progressed(begin(one_step(), "a"), "a", 0.8, "most of it", NOW)

    step = put_back(task).steps["a"]

    assert (step.state, step.progress, step.note) == (StepState.PENDING, 0.0, "")
    assert put_back(task).progress == 0.0


def test_call_that_never_ran_leaves_the_progress_of_those_before_it() -> None:
    task = lifecycle.progressed(begin(one_step(), "a"), "a", 0.8, "most of it", NOW)
    task = begin(lifecycle.due(lifecycle.snoozed(task, "a", None, NOW, NOW), "a", NOW), "a")

    step = lifecycle.never_ran(task, "a", NOW).steps["a"]

    assert (step.state, step.progress, step.note) == (StepState.PENDING, 0.8, "most of it")


def test_history_tells_the_story() -> None:
    task = succeed(lifecycle.resume(paused(), "ana", NOW), "a")

    assert events(task) == [
        "created", "planned", "started", "step failed", "paused", "resumed", "stopped"
    ]  # fmt: skip
    assert next(event.who for event in task.history if event.event == "resumed") == "ana"


def test_task_that_only_finalizes_has_started() -> None:
    task = begin(a_planned_task(None, finalize=True), "finalize")

    assert events(task) == ["created", "planned", "started"]


def test_error_tells_where_it_happened() -> None:
    error = paused().steps["a"].error

    assert error
    assert (error.step, error.action, error.message) == ("a", "demo", "it broke")


# Whatever happens

names = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6, unique=True)


def _split(parts: list[str], data: st.DataObject) -> JSON:
    if len(parts) == 1:
        return parts[0]
    kind = data.draw(st.sampled_from(["sequence", "concurrence"]))
    cut = data.draw(st.integers(1, len(parts) - 1))
    return [kind, _split(parts[:cut], data), _split(parts[cut:], data)]


def _all_in(flow: JSON) -> set[str]:
    return {flow} if isinstance(flow, str) else set[str]().union(*map(_all_in, flow[1:]))


def _goes_before(flow: JSON, name: str) -> set[str]:
    """What must be finished before `name` begins, by the shape of the flow alone."""
    if isinstance(flow, str):
        return set()
    kind, first, second = flow
    if name in _all_in(first):
        return _goes_before(first, name)
    before = _goes_before(second, name)
    return before | _all_in(first) if kind == "sequence" else before


def _outcomes(task: Task, name: str) -> dict[str, Callable[[], Task]]:
    retry = Retry(1, delay=1)
    return {
        "succeeded": lambda: lifecycle.succeeded(task, name, name, NOW),
        "pause": lambda: lifecycle.failed(task, name, an_error(), retry, Rescue.PAUSE, NOW),
        "skip": lambda: lifecycle.failed(task, name, an_error(), Retry(), Rescue.SKIP, NOW),
        "fail": lambda: lifecycle.failed(task, name, an_error(), Retry(), Rescue.FAIL, NOW),
        "interrupted": lambda: lifecycle.interrupted(task, name, "", True, Rescue.PAUSE, NOW),
        "never ran": lambda: lifecycle.never_ran(task, name, NOW),
    }


def _possible(task: Task) -> dict[str, Callable[[], Task]]:
    """All that can happen to `task` now."""
    found: dict[str, Callable[[], Task]] = {}
    for name, step in task.steps.items():
        if step.ready:
            found[f"begin {name}"] = partial(begin, task, name)
        elif step.due_at:
            found[f"due {name}"] = partial(lifecycle.due, task, name, NOW)
        elif step.state is StepState.RUNNING:
            found |= {f"{name} {kind}": make for kind, make in _outcomes(task, name).items()}
    if task.state is State.PAUSED:
        found["resume"] = lambda: lifecycle.resume(task, "ana", NOW)
    if not task.finished and not task.cancelling:
        found["cancel"] = lambda: lifecycle.cancel(task, "ana", NOW)
    return found


@given(names, st.data(), st.booleans())
def test_every_task_goes_on_in_order_or_rests(
    parts: list[str], data: st.DataObject, finalize: bool
) -> None:
    flow = _split(parts, data)
    task = a_planned_task(flow, finalize=finalize)
    for _ in range(40):
        possible = _possible(task)
        if not possible:
            break
        event = data.draw(st.sampled_from(sorted(possible)))
        before, task = task, possible[event]()
        at_work = [s for s in task.steps.values() if s.ready or s.due_at or s.state == "running"]

        assert bool(at_work) != task.resting, event
        assert all(
            task.steps[name] == step for name, step in before.steps.items() if step.finished
        ), f"{event}: a finished step has changed"
        for step in at_work:
            needed = set(parts) if step.name == "finalize" else _goes_before(flow, step.name)
            assert all(task.steps[name].finished for name in needed), f"{event}: {step.name}"
        if task.finished:
            assert not {"pending", "running"} & set(states(task).values()), event
