"""What was exported comes back, whole or not at all; nothing else does."""

import codecs
import gzip
import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import past
import pytest
from real_daemon import Daemon, a_daemon, eventually, peak_memory

from taskd.client import Client
from taskd.model.errors import InvalidInput, InvalidState, TaskdError


@pytest.fixture(scope="module")
def exported() -> Iterator[bytes]:
    """What a daemon with five tasks that have stopped has exported."""
    with a_daemon() as daemon:
        past.make(daemon)
        yield past.export(daemon)


def give(daemon: Daemon, data: bytes, *words: str) -> Any:
    """How `taskctl import` ends that is given a file with `data`."""
    file = daemon.root / "given"
    file.write_bytes(data)
    return past.taskctl(daemon, "import", file, *words)


def is_empty(daemon: Daemon) -> bool:
    """Nothing has come in, and nothing was left."""
    with Client(daemon.socket) as client:
        count = client.count()
    staging = daemon.state / "import.db"
    return count == 0 and not staging.exists() and not [*(daemon.state / "logs").glob("*")]


def test_export_of_what_was_imported_is_the_same_byte_by_byte(
    running: Daemon, exported: bytes
) -> None:
    done = give(running, exported)

    assert (done.returncode, done.stdout) == (0, "imported 5 tasks\n")
    assert past.export(running) == exported
    assert not (running.state / "import.db").exists()


def test_packed_files_that_were_put_together_are_read_from_any_path(
    running: Daemon, exported: bytes
) -> None:
    file = running.root / "a backup.gz"
    file.write_bytes(b"".join(map(gzip.compress, exported.splitlines(keepends=True))))

    done = running.taskctl("import", file)

    assert (done.returncode, done.stdout) == (0, "imported 5 tasks\n")
    assert past.export(running) == exported


def test_tasks_may_stand_in_any_order_and_twice(running: Daemon, exported: bytes) -> None:
    lines = exported.splitlines(keepends=True)

    done = give(running, b"".join([*reversed(lines), *lines]))

    assert (done.returncode, done.stdout) == (0, "imported 5 tasks\n")
    assert past.export(running) == exported


def test_sub_tasks_find_their_parents_whatever_comes_first(running: Daemon) -> None:
    child = past.a_record(id=2, parent_task_id=1, place={"step": 1, "position": 0}, after=[1])
    past.bring(running, child, past.a_record(id=1, steps=[past.a_step()]))

    shown = running.show(2)

    assert (shown["parent_task_id"], shown["after"]) == (1, [1])


def test_taken_id_is_refused_before_anything_changes(running: Daemon, exported: bytes) -> None:
    past.bring(running, *(past.a_record(id=number, name="mine") for number in (1, 2)))
    before = past.export(running)

    refused = give(running, exported)
    after = past.export(running)
    passed = give(running, exported, "--skip-existing")

    assert (refused.returncode, refused.stdout) == (5, "")
    assert "task 1 is another one here; task 2 is another one here: nothing" in refused.stderr
    assert "--skip-existing" in refused.stderr
    assert after == before
    assert (passed.returncode, passed.stdout) == (
        0, "imported 3 tasks, 2 passed over: their ids are taken\n",
    )  # fmt: skip
    assert past.export(running).splitlines()[2:] == exported.splitlines()[2:]
    assert running.show(1)["name"] == "mine"


def test_what_is_there_already_is_told_and_passed_over(running: Daemon, exported: bytes) -> None:
    give(running, exported)

    refused = give(running, exported)
    told = running.json("import", running.root / "given", "--skip-existing")

    assert refused.returncode == 5
    assert "task 1 is there already; task 2 is there already;" in refused.stderr
    assert told == {"imported": 0, "skipped": 5}


def test_lost_logs_come_back_with_what_is_there_already(running: Daemon, exported: bytes) -> None:
    give(running, exported)
    logs = {path: path.read_bytes() for path in (running.state / "logs").rglob("*.log")}
    first, *others = logs
    first.unlink()
    others[0].write_bytes(logs[others[0]][:20])

    give(running, exported, "--skip-existing")

    assert {path: path.read_bytes() for path in logs} == logs


def test_idempotency_key_that_means_another_task_goes_on_meaning_it(
    running: Daemon, exported: bytes
) -> None:
    uid = json.loads(exported.splitlines()[2])["uid"]
    past.bring(running, past.a_record(id=90, key="k", uid=uid))

    give(running, exported)

    assert (running.show(90)["key"], running.show(3)["key"]) == ("k", None)


def test_task_that_had_not_stopped_comes_in_as_stopped(daemon: Daemon) -> None:
    daemon.start()
    for line in ("sleep 99", "exit 1"):
        daemon.start_task("exec", "--lock", f"site:{line[:4]}", "--", line)
    daemon.start_task("exec", "--at", "tomorrow", "--", "true")
    daemon.wait(2)
    exported = past.export(daemon)
    with a_daemon() as other:
        other.start()

        assert give(other, exported).returncode == 0

        tasks = [other.show(number) for number in (1, 2, 3)]
        assert {task["state"] for task in tasks} == {"stopped"}
        assert [task["result"] for task in tasks] == ["cancelled", "error", "cancelled"]
        for task, was in zip(tasks, ("running", "paused", "scheduled"), strict=True):
            assert task["history"][-1]["event"] == "imported"
            assert task["history"][-1]["detail"] == f"it was {was}"
            assert task["locks"] == []
        assert other.processes() == [other.pid]


def test_new_tasks_come_after_those_that_were_imported(running: Daemon) -> None:
    past.bring(running, past.a_record(id=4000))

    assert running.start_task("exec", "--", "true") == 4001


def line(**changes: Any) -> bytes:
    return json.dumps(past.a_record(**changes)).encode() + b"\n"


BAD = {
    "no JSON": (b"id,state\n1,stopped\n", "line 1: it is no JSON, or cut off"),
    "another program's": (b'{"name": "x"}\n', "line 1: it is no record of a task"),
    "a list": (b"[1]\n", "line 1: it is no record of a task"),
    "bad at its end": (line() + line(id=2) + line(id=3, state="x"), "line 3: state: invalid enum"),
    "cut off": (line() + line(id=2)[:-30], "line 2: it is no JSON, or cut off"),
    "packed and cut off": (gzip.compress(line())[:-12], "cannot read"),
    "packed and damaged": (gzip.compress(line() * 9)[:-20] + b"x" * 20, "cannot read"),
    "something behind it": (gzip.compress(line()) + b"rubbish", "cannot read"),
    "no text": (b"\x89PNG\r\n\x1a\n\xff\xfe", "it is no UTF-8 text"),
    "a number that is none": (line(progress=float("nan")), "line 1: it is no JSON"),
    "a step that is a path": (line(steps=[past.a_step(name="../../x")]), "a step cannot be named"),
    "a log that is a path": (line(logs={"../../x": "x"}), "a log cannot be named"),
    "a piece that is a path": (b'{"id":1,"log":"/x","at":0,"text":""}\n', "a log cannot be named"),
    "a piece at no place": (b'{"id":1,"log":"1-x","at":-1,"text":""}\n', "it is no part of a log"),
    "one id, two tasks": (line() + line(store="there"), "task 1 is there twice, and not the same"),
    "one task, two tales": (line() + line(name="x"), "task 1 is there twice, and not the same"),
    "a time beyond all": (line(ended_at="9999-12-31T23:59:59.999999Z"), "ended_at: it cannot be"),
    "a time before all": (line(created_at="0001-01-01T00:00:00Z"), "created_at: it cannot be"),
    "an id beyond all": (line(id=2**62), "line 1: id: it cannot be"),
    "locks that are none": (line(wanted_locks=[{}]), "wanted_locks: it cannot be [{}]"),
    "an error that is none": (line(steps=[past.a_step(error="x")]), "steps.error: it cannot be"),
    "a flow that is none": (line(flow=["sequence", 1]), "flow: it cannot be"),
    "a progress beyond all": (line(progress=1e308), "progress: expected `float` <= 1.01"),
    "a step with a long name": (line(steps=[past.a_step(name="x" * 300)]), "cannot be named"),
    "a log with a long name": (line(logs={"1-" + "ü" * 200: ""}), "a log cannot be named"),
    "a log that is no text": (b'{"id":1,"log":"1-x","at":0,"text":5}\n', "is no text"),
    "a log without its task": (
        b'{"id":7,"log":"1-x","at":0,"text":""}\n',
        "a log of task 7 is there, and the task is not",
    ),
    "a piece beyond all": (b'{"id":1,"log":"1-x","at":%d,"text":""}' % 10**20, "no part of a log"),
    "half a character": (line(state="\udcff"), "line 1: half of a surrogate pair is no text"),
    "before all by its zone": (line(created_at="1970-01-01T00:00:00+14:00"), "created_at: it"),
    "deep": (b'{"input":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n", "nested more than"),
}  # fmt: skip


@pytest.fixture(scope="module")
def refusing() -> Iterator[Daemon]:
    """A daemon that nothing comes into, for many tests."""
    with a_daemon() as daemon:
        daemon.start()
        yield daemon


@pytest.mark.parametrize("name", BAD)
def test_bad_file_is_refused_with_the_reason_and_nothing_changes(
    refusing: Daemon, name: str
) -> None:
    data, told = BAD[name]

    done = give(refusing, data)

    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert is_empty(refusing)


def test_gzip_bomb_costs_little(refusing: Daemon) -> None:
    done = give(refusing, gzip.compress(b"a" * (200 << 20), compresslevel=1))

    assert done.returncode == 2
    assert "line 1 is too long: this is no export" in done.stderr
    assert is_empty(refusing)
    assert peak_memory(refusing.pid) < 300 << 20


def test_files_with_empty_lines_between_them_come_through_a_pipe(running: Daemon) -> None:
    pipe = running.root / "pipe"
    os.mkfifo(pipe)
    text = b"\n".join([line(), line(id=2)])
    with ThreadPoolExecutor(1) as pool:
        pool.submit(pipe.write_bytes, text)
        done = past.taskctl(running, "import", pipe)

    assert (done.returncode, done.stdout) == (0, "imported 2 tasks\n")


def test_task_that_is_started_meanwhile_takes_no_id_of_the_import(running: Daemon) -> None:
    records = [past.a_record(id=number) for number in range(1, 2501)]
    data = past.write(running.root / "many", *records).read_text()
    with Client(running.socket) as client:
        number = client.begin_import()
        client.send_import(number, data)
        client.let_in(number)
        started = running.start_task("exec", "--", "true")
        last = client.let_in(number)

    assert (started, last["imported"], last["skipped"]) == (2501, 2500, 0)


def test_refused_import_takes_no_ids(running: Daemon) -> None:
    there = running.start_task("exec", "--", "true")

    refused = give(running, line(id=there) + line(id=900_000_000))

    assert refused.returncode == 5
    assert running.start_task("exec", "--", "true") == there + 1


def test_import_ends_with_who_has_begun_it(running: Daemon) -> None:
    with Client(running.socket) as client:
        client.send_import(client.begin_import(), line().decode())
        readers = set(running.processes()) - {running.pid}

    eventually(lambda: is_empty(running) and running.processes() == [running.pid])
    assert len(readers) == 1


@pytest.mark.parametrize("name", ["none", "."])
def test_file_that_cannot_be_read_is_told(refusing: Daemon, name: str) -> None:
    done = past.taskctl(refusing, "import", refusing.root / name)

    assert done.returncode == 2
    assert "cannot read" in done.stderr


def test_mark_of_the_byte_order_is_passed_over(running: Daemon) -> None:
    assert give(running, codecs.BOM_UTF8 + line()).stdout == "imported 1 task\n"


def test_empty_export_is_an_import_of_nothing(refusing: Daemon) -> None:
    assert give(refusing, b"").stdout == "imported 0 tasks\n"


def test_import_that_was_broken_off_is_repeated(running: Daemon) -> None:
    records = [past.a_record(id=n, logs={"1-work": f"line {n}\n"}) for n in range(1, 2501)]
    data = past.write(running.root / "many", *records).read_text()
    with Client(running.socket) as client:
        number = client.begin_import()
        client.send_import(number, data)
        first = client.let_in(number)
    running.kill_9()
    running.start()
    left = (running.state / "import.db").exists()
    there = running.task_count()

    repeated = give(running, data.encode(), "--skip-existing")

    assert (first["imported"], first["ended"], there, left) == (2000, False, 2000, False)
    assert repeated.stdout == "imported 500 tasks, 2000 passed over: their ids are taken\n"
    assert len(past.export(running).splitlines()) == 2500
    assert (running.state / "logs" / "2" / "2500" / "1-work.log").read_text() == "line 2500\n"


def test_import_that_was_refused_does_not_go_on(refusing: Daemon) -> None:
    with Client(refusing.socket) as client:
        number = client.begin_import()
        client.send_import(number, line().decode())
        client.send_import(number, "rubbish\n")
        with pytest.raises(InvalidInput):
            client.let_in(number)
        with pytest.raises(InvalidState, match="was given up"):
            client.let_in(number)

    assert is_empty(refusing)


def test_import_whose_reader_dies_is_given_up(running: Daemon) -> None:
    with Client(running.socket) as client:
        number = client.begin_import()
        client.send_import(number, line().decode())
        (reader,) = set(running.processes()) - {running.pid}
        os.kill(reader, signal.SIGKILL)
        with pytest.raises(TaskdError, match=r"has died \(status -9\); nothing was imported"):
            client.let_in(number)

    assert is_empty(running)
    assert running.processes() == [running.pid]


def test_import_begins_when_the_client_of_the_one_before_is_gone(running: Daemon) -> None:
    with Client(running.socket) as client:
        client.send_import(client.begin_import(), line().decode())

    done = give(running, line(id=2))

    assert done.returncode == 0
    assert [task["id"] for task in running.json("list")["items"]] == [2]


def test_of_imports_at_once_one_begins_and_the_others_are_refused(running: Daemon) -> None:
    def begin(client: Client) -> int | str:
        try:
            return client.begin_import()
        except InvalidState as error:
            return error.message

    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        clients = [stack.enter_context(Client(running.socket)) for _ in range(8)]
        said = [*pool.map(begin, clients)]
        refused = give(running, line())

    assert sorted(map(type, said), key=str) == [int] + [str] * 7
    assert refused.returncode == 5
    assert " does just now" in refused.stderr
    eventually(lambda: is_empty(running) and running.processes() == [running.pid])
