"""Author code and the engine in one process: a class fails, pauses, is resumed and ends well."""

from collections.abc import Callable
from pathlib import Path

import pytest

from taskd.catalog.catalog import Catalog
from taskd.catalog.load import load_catalog
from taskd.engine.creating import create
from taskd.engine.director import Director
from taskd.engine.starting import Starter
from taskd.executors.inline import Inline
from taskd.loop import Loop
from taskd.model import lifecycle
from taskd.model.task import Result, State, Task
from taskd.places import Places
from taskd.settings import Settings
from taskd.store.database import Database
from taskd.store.transaction import Transaction

ACTION = """\
from pathlib import Path
from taskd import Action, step

class Copy(Action, label="copy"):
    source: str
    target: str

    def title(self):
        return f"Copy {self.source}"

    @step
    def read(self) -> str:
        self.task.progress(0.5, "half")
        return Path(self.source).read_text()

    @step
    def write(self, read: str) -> int:
        return (Path(self.target) / "copy").write_text(read)
"""


@pytest.fixture
def director(tmp_path: Path) -> Director:
    actions = tmp_path / "actions"
    actions.mkdir()
    (actions / "copying.py").write_text(ACTION)
    (definition,) = load_catalog([str(actions)]).definitions
    places = Places(tmp_path / "taskd.yaml", actions, tmp_path, tmp_path / "s")
    starter = Starter(Catalog({"copy": definition}, fingerprint=[]), Settings(), places)
    director = Director(Loop("loop"), Database(places.store), starter)
    director.pool = Inline(director.report)
    return director


def change(director: Director, apply: Callable[[Transaction], Task]) -> Task:
    """The task as it is once all that follows from a change is done."""
    changed: list[int] = []
    director.put(lambda tx: changed.append(apply(tx).id))
    director.serve()
    found: list[Task] = []
    director.put(lambda tx: found.append(tx.get(changed[0])))
    director.serve()
    return found[0]


def test_task_pauses_at_the_step_that_fails_and_goes_on_from_it(
    director: Director, tmp_path: Path
) -> None:
    (tmp_path / "source").write_text("words")
    given = {"source": str(tmp_path / "source"), "target": str(tmp_path / "target")}
    places, definition = director.starter.places, director.starter.catalog.get("copy")

    def start(tx: Transaction) -> Task:
        return create(tx, places, definition, given, {}, {}, "ana", 1000)

    paused = change(director, start)
    (tmp_path / "target").mkdir()
    (tmp_path / "source").unlink()  # what is done is not done again
    done = change(director, lambda tx: tx.save(lifecycle.resume(paused, "ana", tx.now)))

    assert (paused.state, paused.result) == (State.PAUSED, Result.ERROR)
    assert paused.name == f"Copy {tmp_path / 'source'}"
    assert (done.state, done.result, done.output) == (State.STOPPED, Result.WARNING, 5)
    assert (tmp_path / "target" / "copy").read_text() == "words"
