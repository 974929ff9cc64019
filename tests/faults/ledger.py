"""The ledger outside: whether it, the store and what clients were told agree.

    begin 17 first 1 4242 171.25        task, step, attempt, pid, seconds since the machine started
    end 17 first 1 4242 171.40

Each line is one write to a file opened for appending: lines are whole, and in the order of what
happened, whoever is killed. The kernel keeps what a killed process wrote, so no disk is waited for.
"""

import itertools
from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from taskd.model.record import replace
from taskd.model.step import JSON, Step
from taskd.model.task import Task


@dataclass(frozen=True)
class Execution:
    """A step at work once; `first` and `last` are the positions of its lines in the ledger."""

    task_id: int
    step: str
    token: str  # who it was, and when it began: what the step gives back
    first: int
    last: int
    ended: bool = False


def read(ledger: Path) -> list[Execution]:
    """In the order in which they began."""
    executions: list[Execution] = []
    at_work: dict[tuple[str, ...], int] = {}
    for position, line in enumerate(ledger.read_text().splitlines()):
        what, *who, seconds = line.split()
        task_id, step, _, pid = who
        if what == "begin":
            at_work[*who] = len(executions)
            token = f"{pid}@{seconds}"
            executions.append(Execution(int(task_id), step, token, position, position))
        else:
            begun = executions[at_work[*who]]
            executions[at_work[*who]] = replace(begun, last=position, ended=True)
    return executions


@dataclass
class Told:
    """What clients were told, in their own words: `ids` by key, outputs of steps that succeeded;
    what people asked for, what of that was answered, and when."""

    ids: dict[str, int] = field(default_factory=dict)
    successes: dict[tuple[int, str], tuple[JSON, int]] = field(default_factory=dict)
    asked: Counter[tuple[int, str]] = field(default_factory=Counter)  # task, event of its history
    answered: Counter[tuple[int, str]] = field(default_factory=Counter)
    cancelled: dict[int, int] = field(default_factory=dict)  # task, position as below
    unlocked: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def note_ids(self, keys: Iterable[str], ids: Iterable[int]) -> None:
        for key, task_id in zip(keys, ids, strict=True):
            assert self.ids.setdefault(key, task_id) == task_id, f"{key} became two tasks"

    def note_successes(self, tasks: Iterable[Task], position: int) -> None:
        """`position`: how long the ledger was, at the earliest, when this was told."""
        for task in tasks:
            for step in task.steps.values():
                if step.state == "success":
                    self.successes.setdefault((task.id, step.name), (step.output, position))

    def note_answer(self, task_id: int, event: str, position: int) -> None:
        """What was asked for is done. `position`: how long the ledger was then."""
        if event == "cancelled" and task_id in self.cancelled:
            return  # it ends already, and may have been told to hurry
        self.answered[task_id, event] += 1
        if event == "cancelled":
            self.cancelled[task_id] = position
        if event == "unlocked":
            self.unlocked[task_id].append(position)


def find_wrong(executions: Iterable[Execution], tasks: Iterable[Task], told: Told) -> list[str]:
    """One line for each broken promise; all tasks have come to rest."""
    audit = Audit(executions, tasks, told)
    checks = (
        audit.acknowledged_tasks,
        audit.tasks_that_did_not_end,
        audit.executions_without_a_record,
        audit.results_that_are_not_real,
        audit.successes_that_did_not_last,
        audit.executions_that_overlap,
        audit.locks_that_two_had,
        audit.poison_that_is_none,
        audit.acts_that_were_lost_or_made_up,
        audit.steps_begun_after_a_cancel,
    )
    return [wrong for check in checks for wrong in check()]


class Audit:
    def __init__(self, executions: Iterable[Execution], tasks: Iterable[Task], told: Told) -> None:
        self.tasks = {task.id: task for task in tasks}
        self.told = told
        self.of_task: dict[int, list[Execution]] = defaultdict(list)
        for each in executions:
            self.of_task[each.task_id].append(each)

    def acknowledged_tasks(self) -> Iterator[str]:
        stored = {task.key: task.id for task in self.tasks.values() if task.key}
        for key in self.told.ids.keys() | stored.keys():
            if self.told.ids.get(key) != stored.get(key):
                yield f"{key}: told {self.told.ids.get(key)}, stored {stored.get(key)}"
        children = Counter(t.parent_task_id for t in self.tasks.values() if t.parent_task_id)
        for task in self.tasks.values():
            wanted = 2 if task.label == "family.python" else 0
            if children[task.id] != wanted and not self._may_have_others(task):
                yield f"{task.id} has {children[task.id]} sub-tasks, not {wanted}"

    def tasks_that_did_not_end(self) -> Iterator[str]:
        for task in self.tasks.values():
            reasons = [error.message for error in task.errors]
            may_fail = task.label.startswith("fail.") and reasons
            good = {
                "success": True,
                "warning": True,
                "error": may_fail or self._was_asked(task, "unlocked"),
                "cancelled": self._was_asked(task, "cancelled"),
            }
            if task.state != "stopped" or not good[task.result]:
                yield f"{task.id} ({task.label}) is {task.state}, {task.result}: {reasons}"

    def executions_without_a_record(self) -> Iterator[str]:
        for task_id, executions in self.of_task.items():
            for name, times in Counter(each.step for each in executions).items():
                task = self.tasks.get(task_id)
                recorded = _recorded(task, _base(name)) if task else 0
                if times > recorded:
                    yield f"{task_id}/{name} ran {times} times, {recorded} are recorded"

    def results_that_are_not_real(self) -> Iterator[str]:
        """The store has what the last execution of a step came to, and that was its last."""
        for task, step in self._successes():
            runs = [each for each in self.of_task[task.id] if _base(each.step) == step.name]
            if not (runs and runs[-1].ended):
                yield f"{task.id}/{step.name} is said to have succeeded, and did not end"
            elif step.output != runs[-1].token and not isinstance(step.output, dict):
                yield f"{task.id}/{step.name} gave {step.output}, its last run {runs[-1].token}"

    def successes_that_did_not_last(self) -> Iterator[str]:
        for (task_id, name), (output, position) in self.told.successes.items():
            task = self.tasks.get(task_id)
            if task and task.steps[name].output != output:
                yield f"{task_id}/{name} had {output} once, now {task.steps[name].output}"
            for each in self.of_task[task_id]:
                if _base(each.step) == name and each.first >= position:
                    yield f"{task_id}/{name} was a success and ran again"

    def executions_that_overlap(self) -> Iterator[str]:
        """Those of one task follow each other: steps in their order, attempts of one, too."""
        for task_id, executions in self.of_task.items():
            for one, following in itertools.pairwise(executions):
                if following.first < one.last or following.step < one.step:
                    yield f"{task_id}/{following.step} began before {one.step} had ended"

    def locks_that_two_had(self) -> Iterator[str]:
        """A task has its lock from its first step to its last, whatever happens between.

        Each time that it was unlocked and resumed it got it anew.
        """
        spans: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
        for task in self.tasks.values():
            if task.label.startswith(("locked.", "fail.")):
                for runs in self._between_unlocks(task):
                    span = runs[0].first, max(each.last for each in runs), task.id
                    spans[task.input["site"]].append(span)
        for site, of_site in spans.items():
            for (_, last, one), (first, _, other) in itertools.combinations(sorted(of_site), 2):
                if first < last:
                    yield f"tasks {one} and {other} had site {site} at the same time"

    def poison_that_is_none(self) -> Iterator[str]:
        """A step that may run again is an error after three interruptions in a row, not before."""
        for task in self.tasks.values():
            in_a_row: Counter[str] = Counter()
            for event in task.history if task.label.startswith("again.") else ():
                step, _, reason = event.detail.partition(": ")
                in_a_row[step] += event.event == "step interrupted"
                if event.event == "resumed":
                    in_a_row.clear()
                poison = reason.startswith("poison: ")
                if in_a_row[step] > 3 or (poison and in_a_row[step] < 3):
                    yield f"{task.id}/{step} was interrupted {in_a_row[step]} times: {reason}"

    def acts_that_were_lost_or_made_up(self) -> Iterator[str]:
        for task in self.tasks.values():
            for event, times in acts_on(task).items():
                answered = self.told.answered[task.id, event]
                asked = self.told.asked[task.id, event]
                made_up = times > asked and task.parent_task_id is None
                if times < answered or made_up:
                    yield f"{task.id} was {event} {times} times, told {answered} of {asked}"

    def steps_begun_after_a_cancel(self) -> Iterator[str]:
        """One that counts as running by then, and was just given out, may still begin."""
        for task in self.tasks.values():
            told = [
                self.told.cancelled[each]
                for each in self._family(task) & self.told.cancelled.keys()
                if not self._was_asked(task, "unlocked")  # then it may have been resumed
            ]
            cancelled = [event.at for event in task.history if event.event == "cancelled"]
            for each in self.of_task[task.id]:
                given_out = task.steps[_base(each.step)].started_at
                if told and each.first >= min(told) and not given_out <= max(cancelled):
                    yield f"{task.id}/{each.step} began after the task was cancelled"

    def _family(self, task: Task) -> set[int]:
        return {task.id, task.parent_task_id or task.id}

    def _was_asked(self, task: Task, event: str) -> bool:
        return any(self.told.asked[each, event] for each in self._family(task))

    def _may_have_others(self, parent: Task) -> bool:
        """People saw to it: it did not come to its sub-tasks, or some were started anew."""
        return any(
            parent.id in self._family(self.tasks[task_id]) and event != "resumed"
            for task_id, event in self.told.asked
        )

    def _between_unlocks(self, task: Task) -> list[list[Execution]]:
        spans: dict[int, list[Execution]] = defaultdict(list)
        for each in self.of_task[task.id]:
            spans[bisect(self.told.unlocked.get(task.id, []), each.first)].append(each)
        return list(spans.values())

    def _successes(self) -> Iterator[tuple[Task, Step]]:
        for task in self.tasks.values():
            for step in task.steps.values():
                if step.kind != "plan" and step.state == "success":
                    yield task, step


def acts_on(task: Task) -> dict[str, int]:
    """What people did to it, says its history, and how often."""
    acts = Counter(event.event for event in task.history if event.who == task.user)
    return {event: acts[event] for event in ("cancelled", "unlocked", "resumed", "skipped")}


def _base(name: str) -> str:
    """The step, of which this may be one call of several: it polls."""
    return name.partition(".")[0]


def _recorded(task: Task, step: str) -> int:
    """How often the step may have begun, says the history."""
    told = [
        (event.event, event.detail.removeprefix(f"{step}: "))
        for event in task.history
        if event.event == "resumed" or event.detail.startswith(f"{step}: ")
    ]
    events = Counter(event for event, _ in told)
    failures = sum(
        event == "step failed" and not detail.startswith(("interrupted: ", "poison: "))
        for event, detail in told
    )
    by_itself = 1 + events["step retried"]
    if task.label.startswith("again."):
        return by_itself + failures + events["step interrupted"]
    return by_itself + min(events["resumed"], failures + events["step interrupted"])
