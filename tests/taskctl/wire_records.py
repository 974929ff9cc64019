"""Tasks, steps and pages as the daemon sends them: name only what matters to the test."""

from typing import Any


def a_task(**changes: Any) -> dict[str, Any]:
    """A task as it is on the wire."""
    moment = "2025-11-03T12:00:00.000000Z"
    task = {
        "id": 42, "label": "backup.site", "name": "Back up blog", "state": "stopped",
        "result": "success", "user": "ana", "execution_type": "immediate", "type": "python",
        "priority": 0, "key": None, "created_at": moment, "start_at": moment,
        "start_before": None, "started_at": moment, "ended_at": "2025-11-03T12:03:20.000000Z",
        "state_updated_at": moment, "progress": 1.0, "parent_task_id": None,
        "recurring_logic_id": None, "external_id": None, "duration": 200.0, "version": 7,
        "input": {}, "output": None, "steps": [], "locks": [], "links": [], "errors": [],
        "history": [], "flow": None,
    }  # fmt: skip
    return task | changes


def a_step(**changes: Any) -> dict[str, Any]:
    step = {
        "name": "copy", "kind": "run", "state": "success", "number": 1, "progress": 0.0,
        "note": "", "attempts": 1, "started_at": "2025-11-03T12:00:00Z", "ended_at": None,
        "output": None, "error": None,
    }  # fmt: skip
    return step | changes


def an_error(**changes: Any) -> dict[str, Any]:
    return {"kind": "exit", "message": "exit status 3", "traceback": "", "step": ""} | changes


def an_action(**changes: Any) -> dict[str, Any]:
    action = {
        "label": "backup.site", "type": "yaml", "title": "Back up {site}", "doc": "",
        "steps": [an_action_step()], "finalize": None, "flow": ["sequence", "dump"],
        "planner": "data", "fields": [a_field()], "locks": [], "rescue": "pause",
        "cancellable": True, "singleton": False, "on_conflict": "pause", "isolation": "process",
        "file": "/a/backup.yaml", "line": 1,
    }  # fmt: skip
    return action | changes


def an_action_step(**changes: Any) -> dict[str, Any]:
    step = {
        "name": "dump", "needs": [], "timeout": None, "weight": 1.0, "idempotent": False,
        "retry": {"times": 0, "delay": 0.0, "factor": 1.0, "jitter": 0.0}, "rescue": None,
        "command": None, "doc": "",
    }  # fmt: skip
    return step | changes


def a_field(**changes: Any) -> dict[str, Any]:
    field = {"name": "site", "schema": {"type": "string"}, "required": True, "default": None}
    return field | changes


def a_paused_task(**changes: Any) -> dict[str, Any]:
    failed = a_step(state="error", error=an_error(message="no target", traceback="line 7"))
    return a_task(state="paused", result="error", steps=[failed], ended_at=None) | changes


def a_page(*tasks: dict[str, Any]) -> dict[str, Any]:
    return {"items": list(tasks), "total": len(tasks), "more": False}
