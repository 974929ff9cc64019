"""Tasks that hold a lock for as long as a test wants, and what is seen of locks meanwhile."""

from typing import Any

from real_daemon import Daemon, eventually


def hold(daemon: Daemon, lock: str = "site:blog") -> int:
    """A task that has `lock` and has begun; it goes on until `let_go`."""
    begun = daemon.root / "begun"
    line = f"touch {begun}; until test -e {daemon.root}/go; do sleep 0.02; done"
    task_id = daemon.start_task("exec", "--name", "Hold", "--lock", lock, "--", line)
    eventually(begun.exists)
    return task_id


def let_go(daemon: Daemon) -> None:
    (daemon.root / "go").touch()


def line_for(daemon: Daemon, resource: str = "site:blog") -> list[tuple[int, bool, list[int]]]:
    """Who holds the resource, then who waits for it: task, held, behind whom."""
    claims = daemon.json("locks", "--resource", resource)["items"]
    return [(claim["task_id"], claim["held"], claim["behind"]) for claim in claims]


def unchanging(task: Any) -> Any:
    """What `show` has of a task, but how long it has taken so far."""
    return {**task, "duration": None}
