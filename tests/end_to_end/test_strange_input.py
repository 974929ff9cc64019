"""Input that is JSON but odd is refused, or kept as it is; in no case does it hold up others."""

import json

import pytest
from raw_client import RawClient
from real_daemon import Daemon

TEXT = """\
title: Look at {x}
input: {x: list}
steps:
  look: {shell: 'true'}
"""
ODD = {
    "infinity": "1e999",
    "half of a character": '"\\ud800"',
    "NUL": '"a\\u0000b"',
    "nested": "[" * 400 + "]" * 400,
    "nested deeply": "[" * 900 + "]" * 900,
    "a large number": "9" * 4000,
    "an object with strange keys": '{"": 1, "a b": 2, "__class__": 3, "\\u202e": 4}',
    "a megabyte": json.dumps("x" * 1_000_000),
}


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
def test_odd_input_is_refused_or_kept_as_it_is(running: Daemon, value: str) -> None:
    parameters = f'{{"text":{json.dumps(TEXT)},"file":"x.yaml","input":{{"x":[{value}]}}}}'

    with RawClient(running.socket) as client:
        answer = client.ask_raw("tasks.start_definition", parameters)

    if "error" in answer:
        assert answer["error"]["code"] != -32603, answer
        assert running.task_count() == 0
    else:
        assert running.taskctl("wait", "--timeout", "10s", "@last").returncode in (0, 9)
        assert running.show("@last")["input"] == {"x": [json.loads(value)]}
    assert running.taskctl("exec", "--wait", "--", "true").returncode == 0


@pytest.mark.parametrize("limit", ["retry", "time_limit"])
@pytest.mark.parametrize("value", ["1e308", "99999999999999999999999999"])
def test_limit_that_is_far_too_large_is_refused_or_none(
    running: Daemon, limit: str, value: str
) -> None:
    with RawClient(running.socket) as client:
        answer = client.ask_raw(
            "tasks.exec", f'{{"command":"true","cwd":"/","environment":{{}},"{limit}":{value}}}'
        )

    if "error" in answer:
        assert answer["error"]["code"] != -32603, answer
    else:
        assert running.wait(answer["result"]["id"]) == 0
    assert running.taskctl("exec", "--wait", "--", "true").returncode == 0
