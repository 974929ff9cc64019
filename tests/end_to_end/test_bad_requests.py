"""Whoever writes nonsense on the socket is told so; nothing changes, and others are served."""

import json
from collections.abc import Iterator

import pytest
from raw_client import HELLO, RawClient
from real_daemon import Daemon

EXEC = {"command": "true", "cwd": "/", "environment": {}}
LIMIT = 16 * 1024 * 1024


@pytest.fixture(autouse=True)
def unharmed(running: Daemon) -> Iterator[None]:
    """After all that a test does the daemon still serves, and has one task: the one before it."""
    pid = running.pid
    running.taskctl("exec", "--wait", "--", "true")
    yield
    assert running.task_count() == 1
    assert running.pid == pid
    assert running.taskctl("exec", "--wait", "--", "true").returncode == 0


@pytest.fixture
def raw(running: Daemon) -> Iterator[RawClient]:
    with RawClient(running.socket) as client:
        yield client


@pytest.mark.parametrize(
    "line",
    [
        b"hello",
        b"{",
        b"\xff\xfe\x00",
        b'{"id": NaN}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'"\\ud8',
    ],
)
def test_line_that_is_no_json_is_told_so(running: Daemon, line: bytes) -> None:
    with RawClient(running.socket, greet=False) as client:
        client.send(line + b"\n")

        answer = client.answer()

        assert answer["error"]["code"] == -32700
        assert "cannot read the message as JSON" in answer["error"]["message"]


@pytest.mark.parametrize("line", [b"[]", b"1", b"null", b'"x"', b"{}", b'{"id":1,"method":5}'])
def test_json_that_is_no_request_is_told_so(raw: RawClient, line: bytes) -> None:
    raw.send(line + b"\n")

    assert raw.answer()["error"]["code"] == -32600


def test_request_before_hello_is_refused(running: Daemon) -> None:
    with RawClient(running.socket, greet=False) as client:
        answer = client.ask("tasks.exec", **EXEC)

    assert answer["error"]["data"]["code"] == "protocol"
    assert "hello" in answer["error"]["message"]


@pytest.mark.parametrize("protocol", ["0", "2", '"1"', "null", "[1]", "1.5"])
def test_other_protocol_is_refused(running: Daemon, protocol: str) -> None:
    with RawClient(running.socket, greet=False) as client:
        answer = client.ask_raw("hello", f'{{"protocol":{protocol}}}')

    assert "speaks protocol 1" in answer["error"]["message"]


@pytest.mark.parametrize("method", ["", "tasks", "tasks.nothing", "tasks.__class__", "hello.x"])
def test_unknown_method_is_refused(raw: RawClient, method: str) -> None:
    answer = raw.ask(method)

    assert answer["error"]["data"]["code"] == "protocol"
    assert repr(method) in answer["error"]["message"]


@pytest.mark.parametrize(
    "parameters",
    [
        "[]", "5", "null", '"x"', "{}",
        '{"command":5,"cwd":"/","environment":{}}',
        '{"command":[1],"cwd":"/","environment":{}}',
        '{"command":[],"cwd":"/","environment":{}}',
        '{"command":"","cwd":"/","environment":{}}',
        '{"command":"true","cwd":null,"environment":{}}',
        '{"command":"true","cwd":"/","environment":[]}',
        '{"command":"true","cwd":"/","environment":{"A":1}}',
        '{"command":"true","cwd":"/","environment":{},"more":1}',
        '{"command":"true","cwd":"/","environment":{},"retry":"3"}',
        '{"command":"true","cwd":"/","environment":{},"retry":-1}',
        '{"command":"true","cwd":"/","environment":{},"retry":true}',
        '{"command":"true","cwd":"/","environment":{},"rescue":"maybe"}',
        '{"command":"true","cwd":"/","environment":{},"time_limit":-1}',
        '{"command":"true","cwd":"/","environment":{},"time_limit":0}',
        '{"command":"true","cwd":"/","environment":{},"time_limit":1e999}',
        '{"command":"true","cwd":"/","environment":{},"priority":1e3}',
        '{"command":"true","cwd":"/","environment":{},"priority":99999999999999999999}',
        '{"command":"true","cwd":"/","environment":{},"name":""}',
        '{"command":"true","cwd":"/","environment":{},"name":"\\ud800"}',
        '{"command":"true","cwd":"/","environment":{},"key":"\\ud800"}',
        '{"command":"true","cwd":"/","environment":{},"locks":["no colon"]}',
        '{"command":"true","cwd":"/","environment":{},"locks":[5]}',
        '{"command":"true","cwd":"/","environment":{},"locks":["a:\\ud800"]}',
        '{"command":"true","cwd":"/","environment":{},"links":["a:\\ud800"]}',
        '{"command":"true","cwd":"/","environment":{},"links":["none"]}',
        '{"command":["echo","\\ud800"],"cwd":"/","environment":{}}',
    ],
)  # fmt: skip
def test_ill_typed_parameters_are_refused(raw: RawClient, parameters: str) -> None:
    answer = raw.ask_raw("tasks.exec", parameters)

    assert answer["error"]["code"] == -32602, answer
    assert answer["error"]["data"]["code"] == "invalid-input"


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("tasks.get", '{"task_id":"x"}'),
        ("tasks.get", '{"task_id":-5}'),
        ("tasks.get", '{"task_id":99999999999999999999999}'),
        ("tasks.get", '{"task_id":"' + "9" * 5000 + '"}'),
        ("tasks.get", '{"task_id":1.5}'),
        ("tasks.get", '{"task_id":true}'),
        ("tasks.find", '{"limit":-1}'),
        ("tasks.find", '{"after":"99999999999999999999999"}'),
        ("tasks.resume", '{"task_id":1}'),
        ("tasks.cancel", '{"task_id":1,"force":1}'),
        ("tasks.wait", '{"task_id":12345,"timeout":1}'),
        ("tasks.start", '{"action":"\\ud800"}'),
        ("tasks.start_many", '{"requests":[{"action":"none"}]}'),
        ("tasks.start_many", '{"requests":[5]}'),
        ("tasks.start_many", '{"requests":[{"action":"none","uid":0}]}'),
        ("tasks.start_definition", '{"text":"\\ud800","file":"x.yaml"}'),
        ("tasks.start_definition", '{"text":"a: [","file":"x.yaml"}'),
        ("logs.read", '{"task_id":1,"step":"../../../etc/passwd"}'),
        ("logs.read", '{"task_id":1,"since":"yesterday-ish"}'),
        ("locks.find", '{"resource":5}'),
        ("actions.get", '{"label":"none"}'),
    ],
)
def test_values_that_make_no_sense_are_refused_as_the_callers_mistake(
    raw: RawClient, method: str, parameters: str
) -> None:
    answer = raw.ask_raw(method, parameters)

    assert "error" in answer, answer
    assert answer["error"]["code"] in (-32602, -32000), answer
    assert answer["error"]["message"]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_number_that_json_does_not_know_is_refused(raw: RawClient, value: str) -> None:
    answer = raw.ask_raw("tasks.get", f'{{"task_id":{value}}}')

    assert answer["error"]["code"] == -32700


def test_request_that_is_too_large_is_refused(raw: RawClient) -> None:
    raw.send(b'{"id":1,"method":"' + b"x" * (LIMIT + 1) + b'"}\n')

    answer = raw.answer()

    assert answer["error"]["code"] == -32600
    assert "larger than 16 MiB" in answer["error"]["message"]
    assert raw.answer() == {}


def test_endless_line_is_refused_before_it_ends(raw: RawClient) -> None:
    raw.send(b"x" * (LIMIT + (1 << 20)))

    assert "larger than 16 MiB" in raw.answer()["error"]["message"]


@pytest.mark.parametrize("length", [1, 20, -1])
def test_client_that_goes_away_in_the_middle_of_a_request_changes_nothing(
    running: Daemon, length: int
) -> None:
    line = json.dumps({"id": 1, "method": "tasks.exec", "params": EXEC}).encode()

    with RawClient(running.socket) as client:
        client.send(line[:length])

    with RawClient(running.socket, greet=False) as client:
        client.send(HELLO[:length])


def test_client_that_waits_and_goes_away_is_forgotten(running: Daemon) -> None:
    for _ in range(20):
        with RawClient(running.socket) as client:
            client.send(
                b'{"id":1,"method":"tasks.wait","params":{"task_id":1,"timeout":3600}}\n'
                b'{"id":2,"method":"tasks.watch","params":{"task_id":1,"seen":999,"timeout":9}}\n'
            )


def test_client_that_never_reads_does_not_hold_up_others(running: Daemon) -> None:
    with RawClient(running.socket) as deaf:
        deaf.socket.setblocking(False)
        line = b'{"id":1,"method":"tasks.find","params":{"full":true}}\n' * 5000
        deaf.socket.send(line)

        assert running.task_count() == 1
        with RawClient(running.socket) as other:
            assert other.ask("daemon.status")["result"]["pid"] == running.pid


def test_many_connections_are_served(running: Daemon) -> None:
    clients = [RawClient(running.socket) for _ in range(200)]

    answers = [client.ask("tasks.get", task_id=1) for client in clients]

    assert all(answer["result"]["id"] == 1 for answer in answers)
    for client in clients:
        client.socket.close()


def test_empty_lines_are_passed_over(raw: RawClient) -> None:
    raw.send(b"\n\n  \n")

    assert raw.ask("tasks.get", task_id=1)["result"]["id"] == 1
