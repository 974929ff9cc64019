"""What the benchmarks run: steps that do nothing, tell the time, or wait."""

import time

from taskd import Action, OnConflict, Snooze, SubTasks, step


class NoOp(Action, label="noop"):
    @step
    def run(self) -> None:
        pass


class NoOpThrice(Action, label="noop.thrice"):
    @step
    def first(self) -> None:
        pass

    @step
    def second(self) -> None:
        pass

    @step
    def third(self) -> None:
        pass


class Split(Action, label="split"):
    count: int

    @step
    def run(self) -> SubTasks:
        return SubTasks(NoOp() for _ in range(self.count))


class InTurn(Action, label="in-turn", singleton=True, on_conflict=OnConflict.WAIT):
    @step
    def run(self) -> None:
        pass


class SplitInTurn(Action, label="split.in-turn"):
    count: int

    @step
    def run(self) -> SubTasks:
        return SubTasks(InTurn() for _ in range(self.count))


class Sleepy(Action, label="sleepy"):
    @step
    def run(self) -> Snooze:
        return Snooze(3600)


class TellTime(Action, label="tell-time"):
    @step
    def run(self) -> float:
        return time.time()


class Occupy(Action, label="occupy"):
    @step
    def run(self) -> None:
        time.sleep(600)
