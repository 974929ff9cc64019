"""The ledger outside: whether it, the store and what clients were told agree.

    begin 17 first 1 4242 171.25        task, step, attempt, pid, seconds since the machine started
    end 17 first 1 4242 171.40

Each line is one write to a file opened for appending: lines are whole, and in the order of what
happened, whoever is killed. The kernel keeps what a killed process wrote, so no disk is waited for.
"""

import itertools
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
    """What clients were told, in their own words: `ids` by key, outputs of steps that succeeded."""

    ids: dict[str, int] = field(default_factory=dict)
    successes: dict[tuple[int, str], tuple[JSON, int]] = field(default_factory=dict)

    def note_ids(self, keys: Iterable[str], ids: Iterable[int]) -> None:
        for key, task_id in zip(keys, ids, strict=True):
            assert self.ids.setdefault(key, task_id) == task_id, f"{key} became two tasks"

    def note_successes(self, tasks: Iterable[Task], position: int) -> None:
        """`position`: how long the ledger was, at the earliest, when this was told."""
        for task in tasks:
            for step in task.steps.values():
                if step.state == "success":
                    self.successes.setdefault((task.id, step.name), (step.output, position))


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
            if children[task.id] != wanted:
                yield f"{task.id} has {children[task.id]} sub-tasks, not {wanted}"

    def tasks_that_did_not_end(self) -> Iterator[str]:
        for task in self.tasks.values():
            reasons = [error.message for error in task.errors]
            may_fail = task.label.startswith("fail.") and reasons
            good = task.result in ("success", "warning") or may_fail
            if task.state != "stopped" or not good:
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
        """A task has its lock from its first step to its last, whatever happens between."""
        spans: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
        for task in self.tasks.values():
            runs = self.of_task[task.id]
            if runs and task.label.startswith(("locked.", "fail.")):
                span = runs[0].first, max(each.last for each in runs), task.id
                spans[task.input["site"]].append(span)
        for site, of_site in spans.items():
            for (_, last, one), (first, _, other) in itertools.combinations(sorted(of_site), 2):
                if first < last:
                    yield f"tasks {one} and {other} had site {site} at the same time"

    def _successes(self) -> Iterator[tuple[Task, Step]]:
        for task in self.tasks.values():
            for step in task.steps.values():
                if step.kind != "plan" and step.state == "success":
                    yield task, step


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
