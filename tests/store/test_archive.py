"""Tasks as records, and back: nothing is lost, and nothing is alive afterwards."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import NOW, a_new_task, a_plan, a_planned_task, a_step, a_task, an_error, later

from taskd import wire
from taskd.model import lifecycle
from taskd.model.errors import InvalidInput
from taskd.model.lock import exclusive, link
from taskd.model.step import Rescue
from taskd.model.task import Event, Result
from taskd.store import admission, archive, arrivals, chains, children, hooks, locks, meta, tasks
from taskd.store.arrivals import Arrival
from taskd.store.database import Database
from taskd.store.staging import Staging
from taskd.store.transaction import Transaction


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Database]:
    """Another store."""
    made = Database(tmp_path / "other.db")
    yield made
    made.close()


@pytest.fixture
def full(database: Database, tx: Transaction) -> Database:
    """A store of stopped tasks in which everything is set somewhere."""
    failed = a_step(
        "copy",
        "error",
        number=2,
        needs=("dump",),
        weight=1 / 3,
        progress=0.1,
        note="half of it \u2603",
        attempts=4,
        interruptions=2,
        started_at=later(1),
        ended_at=later(2.000001),
        output={"bytes": 10**30, "rate": 0.1},
        error=an_error("it broke\n\x1b[31m", step="copy", action="demo", detail={"status": 3}),
        kept=["a", None],
        rescue=Rescue.FAIL,
    )
    whole = a_task(
        "stopped",
        [a_plan(output="planned"), a_step("dump", "success", output="a \ud800 half"), failed],
        result=Result.ERROR,
        name="Übung </script> '\"",
        key="once",
        priority=-3,
        start_before=later(99),
        started_at=later(0.5),
        ended_at=later(7),
        progress=2 / 3,
        recurring_logic_id=5,
        external_id="x-1",
        input={"site": "blog", "many": [1, {"a": "ü"}]},
        output=[True, False],
        flow=["sequence", "dump", "copy"],
        definition={"label": "demo"},
        wanted_locks=(exclusive("site:blog", "backup"),),
        needed_help=True,
        cancelling=True,
        resumable=True,
        history=(Event(NOW, "created", "ana"), Event(NOW, "stopped", "taskd", "with\nan error")),
    )
    plain = a_task("stopped", ended_at=NOW, started_at=NOW)
    tx.begin(NOW)
    for task in (whole, plain, a_task("stopped", parent_task_id=1), plain):
        tx.add(task)
    tx.flush()
    store = tx.write()
    locks.take(store, 1, [link("site:blog"), link("user:ana")], NOW)
    hooks.describe(store, 1, "input", "a blog")
    hooks.describe(store, 1, "error", "no disk")
    children.add(store, 1, 2, [3], concurrency=2)
    children.add(store, 2, 1, [], concurrency=None)
    chains.add(store, 4, [1, 2], strict=True)
    tx.commit()
    return database


def records(database: Database, *task_ids: int) -> list[str]:
    with database.snapshot() as connection:
        return [record for _, record in archive.records(connection, task_ids or range(1, 100))]


def read(record: str, own: str = "here") -> Arrival:
    return arrivals.read(record.encode(), own, "bob", later(1000))


def bring(database: Database, *lines: str) -> None:
    own = meta.get(database.writer, "store")
    with tempfile.TemporaryDirectory() as folder:
        staging = Staging.make(Path(folder) / "import.db")
        staging.add([read(line, own) for line in lines], [])
        staging.sort()
        first, *_, last = [0, *staging.page(0, 100)]
        database.attach(staging.path)
        database.writer.execute("BEGIN")
        admission.admit(database.writer, first, last)
        database.writer.execute("COMMIT")
        database.detach()
        staging.close()


def test_records_brought_into_an_empty_store_are_the_same_there(
    full: Database, empty: Database
) -> None:
    before = records(full)

    bring(empty, *before)

    assert len(before) == 4
    assert records(empty) == before


def test_record_has_the_names_and_values_of_a_shown_task(full: Database) -> None:
    lines = records(full)

    for task_id, line in enumerate(lines, 1):
        record = json.loads(line)
        shown = wire.encode(tasks.get_full(full.writer, task_id))
        shown["errors"] = [step["error"] for step in shown["steps"] if step["error"]]
        del shown["version"], shown["waits_for"]  # of this store, at this moment
        assert {name: record[name] for name in shown if name != "steps"} == {
            name: value for name, value in shown.items() if name != "steps"
        }
        for step, other in zip(record["steps"], shown["steps"], strict=True):
            assert {name: step[name] for name in other} == other


def test_task_that_had_not_stopped_comes_in_as_stopped(
    database: Database, tx: Transaction, empty: Database
) -> None:
    running = a_planned_task(
        ["sequence", "a", "b", "c"],
        a_step("a", "success", number=1),
        a_step("b", "running", number=2, call_id=9, started_at=NOW),
        a_step("c", "pending", number=3, ready=True, due_at=later(5)),
        expires_at=later(9),
    )
    paused = a_planned_task(["sequence", "a"], a_step("a", "error", error=an_error()))
    tx.begin(NOW)
    for task in (running, paused, a_new_task()):
        tx.add(task)
    tx.flush()
    locks.take(tx.write(), 1, [exclusive("site:blog")], NOW)
    tx.commit()

    bring(empty, *records(database))

    first, second, third = (tasks.get_full(empty.writer, task_id) for task_id in (1, 2, 3))
    assert [step.state for step in first.steps.values()][1:] == [
        "success",
        "cancelled",
        "cancelled",
    ]
    assert {(task.state, task.ended_at) for task in (first, second, third)} == {
        ("stopped", later(1000))
    }
    assert [task.result for task in (first, second, third)] == ["cancelled", "error", "cancelled"]
    assert first.history[-1] == Event(later(1000), "imported", "bob", "it was running")
    assert first.locks == ()


def test_nothing_that_came_in_moves(full: Database, empty: Database) -> None:
    bring(
        empty,
        *(line.replace('"due_at":null', f'"due_at":"{NOW.isoformat()}"') for line in records(full)),
    )

    for column in ("due_at", "call_id", "nullif(ready, 0)"):
        assert empty.writer.execute(f"SELECT count({column}) FROM steps").fetchone() == (0,)
    for table in ("hooks", "waiting", "locks"):
        assert empty.writer.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_what_is_not_there_is_not_referred_to(full: Database, empty: Database) -> None:
    bring(empty, *records(full, 3, 4))

    child, later_one = (tasks.get_full(empty.writer, task_id) for task_id in (3, 4))
    assert (child.parent_task_id, later_one.after) == (None, ())


def test_task_of_another_store_is_no_parent(full: Database, empty: Database) -> None:
    bring(empty, records(full, 1)[0].replace('"store":"', '"store":"another-'))

    bring(empty, *records(full, 3))

    assert tasks.get_full(empty.writer, 3).parent_task_id is None


def test_task_keeps_the_store_in_which_it_began(full: Database, empty: Database) -> None:
    before = json.loads(records(full, 2)[0]) | {"store": 'an "other"'}

    bring(empty, json.dumps(before))

    assert json.loads(*records(empty)) == before


def test_half_of_a_surrogate_pair_in_an_output_comes_back(full: Database, empty: Database) -> None:
    record = json.loads(records(full, 1)[0])
    record["steps"][1]["output"] = ["a file named \udcff"]
    record["output"], record["input"] = "\udcff", {"name": "\udcff"}

    bring(empty, json.dumps(record))

    assert json.loads(*records(empty)) == record


def test_deleted_task_comes_back_to_its_own_store(full: Database) -> None:
    before = records(full)
    full.writer.execute("DELETE FROM tasks WHERE id IN (1, 3)")

    bring(full, before[0], before[2])

    assert records(full, 1, 2, 3) == before[:3]
    assert full.writer.execute("SELECT count(origin) FROM tasks").fetchone() == (0,)


NO_TEXT = "name: half of a surrogate pair is no text"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"id": 0}, "id: it cannot be 0"),
        ({"id": 2**62}, "id: it cannot be 4611686018427387904"),
        ({"id": True}, "id: expected `int`, got `bool`"),
        ({"store": None}, "store: expected `str`, got `null`"),
        ({"label": 7}, "label: expected `str`, got `int`"),
        ({"name": "\ud800"}, NO_TEXT),
        ({"state": "gone"}, "state: invalid enum value 'gone'"),
        ({"state": []}, "state: expected `str`, got `array`"),
        (
            {"created_at": "2024-01-01T00:00:00"},
            "created_at: expected `datetime` with a timezone component",
        ),
        ({"created_at": "yesterday"}, "created_at: invalid RFC3339 encoded datetime"),
        ({"created_at": None}, "created_at: expected `datetime`, got `null`"),
        ({"progress": "1"}, "progress: expected `float`, got `str`"),
        ({"resumable": 1}, "resumable: expected `bool`, got `int`"),
        ({"input": []}, "input: it cannot be []"),
        ({"wanted_locks": {}}, "wanted_locks: it cannot be {}"),
        ({"steps": {}}, "steps: expected `array`, got `object`"),
        ({"steps": [3]}, "steps[0]: expected `object`, got `int`"),
        ({"after": ["1"]}, "after[0]: expected `int`, got `str`"),
        ({"descriptions": []}, "descriptions: expected `object`, got `array`"),
        ({"descriptions": {"input": 1}}, "descriptions[...]: expected `str`, got `int`"),
        ({"place": 1}, "place: expected `object | null`, got `int`"),
    ],
)
def test_wrong_record_is_refused_and_told(
    full: Database, change: dict[str, Any], told: str
) -> None:
    record = json.dumps(json.loads(records(full, 2)[0]) | change)

    with pytest.raises(InvalidInput) as refused:
        read(record)

    assert refused.value.message == told


def test_time_far_from_now_comes_back_to_the_microsecond(full: Database, empty: Database) -> None:
    record = json.loads(records(full, 2)[0]) | {"ended_at": "2999-05-05T05:05:05.000003Z"}

    bring(empty, json.dumps(record))

    assert json.loads(*records(empty))["ended_at"] == record["ended_at"]


def test_parents_in_a_circle_are_none(full: Database, empty: Database) -> None:
    record = json.loads(records(full, 2)[0])
    circle = {1: 2, 2: 1, 3: 3, 4: 1}

    bring(
        empty, *(json.dumps(record | {"id": i, "parent_task_id": up}) for i, up in circle.items())
    )

    parents = empty.writer.execute("SELECT id, parent_task_id FROM tasks ORDER BY id").fetchall()
    assert parents == [(1, None), (2, 1), (3, None), (4, 1)]


@pytest.mark.parametrize("name", ["output", "input", "flow", "wanted_locks"])
def test_value_that_is_nested_deeply_is_refused(full: Database, name: str) -> None:
    record = json.loads(records(full)[0])

    for depth in (101, *range(400, 1100)):
        nested = "[" * depth + "]" * depth
        line = json.dumps(record | {name: 0}).replace(f'"{name}": 0', f'"{name}": {nested}')
        with pytest.raises(InvalidInput):  # nothing else: it would end the whole import
            read(line)


@pytest.mark.parametrize("value", ["[" * 99 + "]" * 99, json.dumps("[" * 5000 + '"')])
def test_value_that_is_nested_less_is_taken(full: Database, value: str) -> None:
    line = json.dumps(json.loads(records(full)[0]) | {"input": {"a": 0}})

    assert read(line.replace('"a": 0', f'"a": {value}'))


def test_number_that_nobody_can_keep_is_refused(full: Database) -> None:
    record = json.dumps(json.loads(records(full, 2)[0]) | {"input": {"size": 3, "of": "1e999"}})

    assert read(record)
    with pytest.raises(InvalidInput, match=r"input: it cannot be ..size.: 1e999"):
        read(record.replace("3,", "1e999,"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": "../../x"}, "a step cannot be named '../../x'"),
        ({"name": "plan"}, "two steps have the same name"),
        ({"number": 0}, "two steps have the same number"),
    ],
)
def test_wrong_steps_are_refused_and_told(
    full: Database, change: dict[str, Any], told: str
) -> None:
    record = json.loads(records(full, 1)[0])
    record["steps"][1] |= change

    with pytest.raises(InvalidInput) as refused:
        read(json.dumps(record))

    assert refused.value.message == told


def test_cancelled_task_has_its_lifecycle_behind_it(
    database: Database, tx: Transaction, empty: Database
) -> None:
    tx.begin(NOW)
    tx.add(lifecycle.cancel(a_new_task(), "ana", NOW))
    tx.flush()
    tx.commit()
    before = records(database)

    bring(empty, *before)

    assert records(empty) == before
