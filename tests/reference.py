"""The rules of a task once more, as plainly as they can be said: what lifecycle is held to.

Steps are known by name. What may begin, and what becomes of the task, is worked out anew each time
from the states of all steps.
"""

from collections import Counter
from dataclasses import dataclass

from taskd.model.step import JSON


@dataclass(frozen=True)
class Spec:
    """What an author says of a step."""

    needs: tuple[str, ...] = ()
    rescue: str = "pause"
    retries: int = 0
    idempotent: bool = False
    weight: float = 1.0


def names_in(flow: JSON) -> list[str]:
    if flow is None or isinstance(flow, str):
        return [flow] if flow else []
    return [name for part in flow[1:] for name in names_in(part)]


def goes_before(flow: JSON, name: str) -> set[str]:
    """What must be finished before `name` begins, by the shape of the flow."""
    if isinstance(flow, str):
        return set()
    kind, *parts = flow
    [at] = [number for number, part in enumerate(parts) if name in names_in(part)]
    earlier = names_in(["sequence", *parts[:at]]) if kind == "sequence" else []
    return {*earlier, *goes_before(parts[at], name)}


class Reference:
    """What each step is in: pending, running, success, skipped, error, cancelled; waiting for a
    retry; snoozing, or awake after that; delegating, while its sub-tasks run; in line for a lock.

    `specs` has the plan, the steps of `flow`, and perhaps finalize.
    """

    def __init__(self, flow: JSON, specs: dict[str, Spec]) -> None:
        self.flow = flow
        self.specs = specs
        self.before = {name: self._before(name) for name in specs}
        self.steps = dict.fromkeys(specs, "pending")
        self.rescues = {name: spec.rescue for name, spec in specs.items()}
        self.tries = Counter[str]()
        self.crashes = Counter[str]()  # in a row
        self.reported = dict.fromkeys(specs, 0.0)
        self.kept: dict[str, JSON] = dict.fromkeys(specs)
        self.cancelling = self.unlocked = self.helped = False
        self.state, self.result = "planned", "pending"

    # What is asked of it

    def all_in(self, *states: str) -> list[str]:
        return [name for name, state in self.steps.items() if state in states]

    @property
    def ending(self) -> bool:
        return self.cancelling or self.unlocked

    def can_begin(self) -> list[str]:
        if self.ending or self.state in ("paused", "stopped"):
            return []
        finished = set(self.all_in("success", "skipped"))
        waiting = self.all_in("pending", "awake")
        return [name for name in waiting if self.before[name] <= finished]

    def progress(self) -> float:
        work = {name: spec.weight for name, spec in self.specs.items() if name != "plan"}
        if self.steps["plan"] != "success" or not sum(work.values()):
            return 1.0 if self.state == "stopped" else 0.0
        finished = self.all_in("success", "skipped")
        done = sum(w * (1 if name in finished else self.reported[name]) for name, w in work.items())
        return done / sum(work.values())

    # What happens to it

    def begun(self, name: str) -> None:
        assert name in self.can_begin()
        self.tries[name] += self.steps[name] != "awake"
        self.steps[name] = "running"

    def waits(self) -> None:
        self._end("plan", "in line")

    def passed_over(self) -> None:
        self.steps["plan"] = "cancelled"
        self._stop("cancelled")

    def succeeded(self, name: str) -> None:
        self.crashes[name] = 0
        self._end(name, "success")

    def snoozed(self, name: str, kept: JSON) -> None:
        self.crashes[name] = 0
        self.kept[name] = kept
        self._end(name, "snoozing")

    def delegated(self, name: str) -> None:
        self.crashes[name] = 0
        self._end(name, "delegating")

    def failed(self, name: str) -> None:
        self.crashes[name] = 0
        again = self.tries[name] <= self.specs[name].retries and not self.ending
        self._end(name, "waiting" if again else "error")

    def interrupted(self, name: str) -> None:
        self.crashes[name] += 1
        again = self.specs[name].idempotent and not self.ending
        if again and self.crashes[name] == 3:
            self.rescues[name] = "pause"
            again = False
        self._end(name, "pending" if again else "error")

    def cancelled(self, name: str) -> None:
        self._end(name, "cancelled")

    def killed(self, name: str) -> None:
        self._end(name, "error")

    def never_ran(self, name: str) -> None:
        self.tries[name] -= 1
        self.steps[name] = "pending"
        self._judge()

    def progressed(self, name: str, fraction: float) -> None:
        self.reported[name] = fraction

    def due(self, name: str) -> None:
        self.steps[name] = "awake" if self.steps[name] == "snoozing" else "pending"

    def resume(self) -> None:
        for name in self.all_in("pending", "error", "cancelled"):
            self.steps[name] = "pending"
            self.reported[name] = 0.0
            self.rescues[name] = self.specs[name].rescue
            self.tries[name] = self.crashes[name] = 0
        self.cancelling = self.unlocked = False
        self.helped = True
        self._go_on()

    def skip(self, names: list[str]) -> None:
        self._leave_out(names)
        if not self.all_in("error"):
            self._go_on()

    def cancel(self) -> None:
        self.cancelling = True
        self._judge()

    def unlock(self) -> None:
        self.unlocked = True
        self._judge()

    # How it goes on

    def _before(self, name: str) -> set[str]:
        match name:
            case "plan":
                return set()
            case "finalize":
                return set(self.specs) - {"finalize"}
            case _:
                return {"plan", *goes_before(self.flow, name)}

    def _end(self, name: str, state: str) -> None:
        self.steps[name] = state
        if state in ("pending", "waiting"):
            self.reported[name] = 0.0
        self._judge()

    def _go_on(self) -> None:
        self.state, self.result = "running", "pending"
        self._judge()

    def _judge(self) -> None:
        """When nothing more can run, the failures say what becomes of the task."""
        self.state = "running" if self.steps["plan"] == "success" else "planned"
        if self.unlocked:
            self._halt()
        elif self.cancelling:
            self._give_up()
        at_work = self.all_in("running", "waiting", "snoozing", "delegating", "in line")
        if at_work or self.can_begin():
            return
        rescues = {self._rescue(name) for name in self.all_in("error")}
        if self.unlocked:
            self._stop("error")
        elif self.cancelling:
            finished = self.all_in("success", "skipped") == list(self.steps)
            self._stop(self._good() if finished else "cancelled")
        elif not rescues:
            self._stop(self._good())
        elif rescues == {"skip"}:
            self._leave_out(self.all_in("error"))
            self._judge()
        elif rescues == {"fail"}:
            self._give_up()
            self._stop("error")
        else:
            self.state, self.result = "paused", "error"

    def _rescue(self, name: str) -> str:
        """A plan is never skipped."""
        rescue = self.rescues[name]
        return "pause" if name == "plan" and rescue == "skip" else rescue

    def _leave_out(self, names: list[str]) -> None:
        for name in names:
            self.steps[name] = "skipped"
            self._leave_out([n for n in self.all_in("pending") if name in self.specs[n].needs])

    def _give_up(self) -> None:
        for name in self.all_in("pending", "waiting", "snoozing", "awake", "in line"):
            self.steps[name] = "cancelled"

    def _halt(self) -> None:
        for name in self.all_in("waiting"):
            self.steps[name] = "pending"
        for name in self.all_in("snoozing", "awake", "in line"):
            self.steps[name] = "error"

    def _good(self) -> str:
        return "warning" if self.helped or self.all_in("skipped") else "success"

    def _stop(self, result: str) -> None:
        self.state, self.result = "stopped", result
