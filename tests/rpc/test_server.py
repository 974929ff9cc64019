"""What the server makes of bytes: good ones, bad ones, many, and none."""

import contextlib
import json
import os
import pwd
import socket
import stat
import threading

import pytest
from json_line import Line
from real_daemon import eventually
from stage import Stage

from taskd import wire
from taskd.client import Client
from taskd.model.errors import Unavailable
from taskd.rpc import limits

AT_ONCE = (
    "retry 200: 200 further attempts, one right after the other: "
    "at most 100 without a delay of a second or more"
)
TOO_LONG = f"cannot read {1e300!r} as a length of time: it is too long"
OTHER_PAGE = f"cannot go on after '{'9' * 30}': expected what the page before gave"
EXEC = {"command": "true", "cwd": "/", "environment": {}}
START = {"jsonrpc": "2.0", "method": "tasks.start", "params": {"action": "demo"}}


def test_hello_tells_who_answers_and_who_asks(line: Line, stage: Stage) -> None:
    line.ask("hello", protocol=wire.PROTOCOL, client="test")

    told = line.receive()["result"]

    assert (told["protocol"], told["pid"]) == (wire.PROTOCOL, os.getpid())
    assert told["user"] == pwd.getpwuid(os.geteuid()).pw_name
    assert told["state_dir"] == str(stage.places.state)


def test_first_request_must_be_hello(line: Line) -> None:
    line.ask("tasks.find")

    error = line.receive()["error"]

    assert error["data"]["code"] == "protocol"
    assert error["message"] == "the first request must be hello"


def test_other_protocol_is_refused_with_the_remedy(line: Line) -> None:
    line.ask("hello", protocol=99)

    error = line.receive()["error"]

    assert error["message"] == "this daemon speaks protocol 1, not 99"
    assert "taskd restart" in error["data"]["hint"]


@pytest.mark.parametrize(
    ("method", "params", "message"),
    [
        ("tasks.fly", {}, "no method 'tasks.fly'"),
        ("tasks.get", {}, "tasks.get: missing task_id"),
        ("tasks.get", {"task_id": 1, "speed": 2}, "tasks.get: unknown speed"),
        ("tasks.get", {"task_id": 1.5}, "tasks.get: task_id is float, expected int or str"),
        ("tasks.get", {"task_id": True}, "tasks.get: task_id is bool, expected int or str"),
        ("tasks.get", ["1"], "params must be an object"),
        ("tasks.get", {"task_id": 4}, "no task 4"),
        ("tasks.get", {"task_id": 10**30}, f"no task {10**30}"),
        ("tasks.start", {"action": "dem"}, "no action 'dem'"),
        ("tasks.start_many", {"requests": [3]}, "request 0 is no object"),
        ("tasks.start", {"action": "demo", "after": [None]}, "expected ids of tasks"),
        ("tasks.exec", EXEC | {"retry": 200}, AT_ONCE),
        ("tasks.exec", EXEC | {"time_limit": 1e300}, TOO_LONG),
        ("tasks.exec", EXEC | {"time_limit": 0}, "a time limit of 0 s leaves no time"),
        ("recurring.get", {"logic_id": 10**30}, "recurring.get: logic_id is too large a number"),
        ("recurring.find", {"after": "9" * 30}, OTHER_PAGE),
        ("history.find", {"after": 10**30}, "history.find: after is too large a number"),
    ],
)
def test_bad_request_is_answered_with_its_reason(
    line: Line, method: str, params: object, message: str
) -> None:
    line.hello().send({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})

    answer = line.receive()

    assert (answer["id"], answer["error"]["message"]) == (7, message)


@pytest.mark.parametrize("message", [[], 3, "text", {}, {"method": 3}, {"id": 1}])
def test_message_that_is_no_request_does_not_end_the_connection(
    line: Line, message: object
) -> None:
    line.hello().send(message)

    error = line.receive()["error"]
    line.ask("tasks.find")

    assert error["code"] == wire.INVALID_REQUEST
    assert line.receive()["result"]["items"] == []


@pytest.mark.parametrize("data", [b"{\n", b"\xff\xfe\n", b"[" * 100_000 + b"\n", b'{"id":NaN}\n'])
def test_what_is_no_json_ends_the_connection_with_a_reason(line: Line, data: bytes) -> None:
    line.hello().socket.sendall(data)

    assert line.receive()["error"]["code"] == wire.PARSE_ERROR
    assert line.receive() is None


def test_request_above_16_mib_ends_the_connection_with_a_reason(line: Line) -> None:
    line.hello()
    text = json.dumps(START | {"id": 1, "padding": "x" * wire.MAX_LINE}).encode()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it need not read all
        line.socket.sendall(text + b"\n")

    assert "larger than 16 MiB" in line.receive()["error"]["message"]


def test_large_request_below_the_limit_is_taken(line: Line) -> None:
    line.hello().ask("tasks.get", 1, task_id="x" * (wire.MAX_LINE - 1000))

    assert line.receive()["error"]["data"]["code"] == "invalid-input"


def test_request_in_pieces_is_one_request(line: Line) -> None:
    line.hello()
    for byte in b'{"jsonrpc":"2.0","id":5,"method":"tasks.find"}\n':
        line.socket.sendall(bytes([byte]))

    assert line.receive()["id"] == 5


def test_a_thousand_requests_in_flight_are_all_answered(line: Line) -> None:
    line.hello().send(*(START | {"id": number} for number in range(1000)))

    answers = [line.receive() for _ in range(1000)]

    assert {answer["id"] for answer in answers} == set(range(1000))
    assert len({answer["result"]["id"] for answer in answers}) == 1000


def test_answers_come_when_they_are_ready(line: Line, stage: Stage) -> None:
    stage.start()
    call = stage.next_call()
    line.hello()

    line.ask("tasks.wait", "slow", task_id=1, timeout=20)
    line.ask("tasks.find", "quick")
    first = line.receive()
    stage.end(call)

    assert (first["id"], line.receive()["id"]) == ("quick", "slow")


def test_request_without_an_end_is_not_run(line: Line, stage: Stage) -> None:
    line.hello().socket.sendall(json.dumps(START | {"id": 1}).encode())
    line.close()

    assert stage.client.find().items == []


def test_client_that_goes_away_hurts_nobody(line: Line, stage: Stage) -> None:
    task = stage.start()
    call = stage.next_call()
    line.hello().ask("tasks.wait", task_id=task.id, timeout=20)
    line.close()

    stage.end(call)

    assert stage.client.wait(task.id).finished


def test_waiting_of_a_client_that_has_gone_ends(line: Line, stage: Stage) -> None:
    task = stage.start()
    line.hello().ask("tasks.wait", task_id=task.id, timeout=3600)
    eventually(lambda: stage.director.watchers.count)

    line.close()

    eventually(lambda: not stage.director.watchers.count)


def test_client_that_sends_no_more_gets_what_it_has_asked_for(line: Line, stage: Stage) -> None:
    task = stage.start()
    call = stage.next_call()
    line.hello().ask("tasks.get", "now", task_id=task.id)
    line.ask("tasks.wait", "later", task_id=task.id, timeout=20)
    line.socket.shutdown(socket.SHUT_WR)

    first = line.receive()
    stage.end(call)

    assert (first["id"], line.receive()["id"]) == ("now", "later")
    assert line.receive() is None


def test_more_requests_than_there_is_room_for_are_all_answered(line: Line, stage: Stage) -> None:
    task = stage.start()
    call = stage.next_call()
    count = limits.MOST_UNANSWERED // 4000
    wait = {"method": "tasks.wait", "params": {"task_id": task.id, "timeout": 20}}
    sender = threading.Thread(
        target=lambda: line.hello().send(*(wait | {"id": number} for number in range(count)))
    )

    sender.start()
    eventually(lambda: stage.director.watchers.count > count // 2)
    held_up = stage.director.watchers.count < count
    stage.end(call)
    answers = {line.receive()["id"] for _ in range(count)}
    sender.join()

    assert held_up
    assert answers == set(range(count))


def test_client_that_reads_slowly_gets_all_and_holds_up_nobody(line: Line, stage: Stage) -> None:
    for _ in range(100):
        stage.start()
    page = {"jsonrpc": "2.0", "method": "tasks.find", "params": {"limit": 100}}
    line.hello().send(*(page | {"id": number} for number in range(100)))

    meanwhile = stage.client.get(1).id
    answers = [line.receive() for _ in range(100)]

    assert meanwhile == 1
    assert {answer["id"] for answer in answers} == set(range(100))
    assert all(len(answer["result"]["items"]) == 100 for answer in answers)


def test_socket_is_private(stage: Stage) -> None:
    mode = stage.places.socket.stat().st_mode

    assert (stat.S_ISSOCK(mode), stat.S_IMODE(mode)) == (True, 0o700)


def test_stopped_server_leaves_no_socket(stage: Stage) -> None:
    stage.server.stop()

    with pytest.raises(Unavailable, match="there is no such socket"):
        Client(stage.places.socket)
