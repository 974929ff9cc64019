"""Who waits for a task: answered by the commit that changes it, in the director's thread."""

from collections.abc import Callable
from dataclasses import dataclass

from taskd.model.task import Task


@dataclass(frozen=True, eq=False)
class Watcher:
    """Waits until `task_id` has changed after version `seen`, or else until it rests."""

    task_id: int
    seen: int | None
    answer: Callable[[Task], object]

    def is_content_with(self, task: Task) -> bool:
        return task.resting if self.seen is None else task.version > self.seen


class Watchers:
    def __init__(self) -> None:
        self._by_task: dict[int, set[Watcher]] = {}

    @property
    def count(self) -> int:
        return sum(map(len, self._by_task.values()))

    def add(self, watcher: Watcher) -> None:
        self._by_task.setdefault(watcher.task_id, set()).add(watcher)

    def remove(self, watcher: Watcher) -> bool:
        """False when it was answered already."""
        waiting = self._by_task.get(watcher.task_id, set())
        if watcher not in waiting:
            return False
        waiting.remove(watcher)
        if not waiting:
            del self._by_task[watcher.task_id]
        return True

    def wake(self, changed: dict[int, Task]) -> None:
        for task_id in self._by_task.keys() & changed.keys():
            for watcher in list(self._by_task[task_id]):
                if watcher.is_content_with(changed[task_id]):
                    self.remove(watcher)
                    watcher.answer(changed[task_id])
