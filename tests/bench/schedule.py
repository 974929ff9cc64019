"""Tasks that wait for their time: how soon they run, and what they cost until then."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles

from taskd.store.database import Database
from tests.bench.daemon import Daemon, in_flight
from tests.bench.figures import Figure

LOGICS = 10_000
SCHEDULED = 1_000_000
DUE = 100  # in one second
IDLE_SECONDS = 40  # in which the daemon looks at the clock at least once
LEAST = 12.0  # seconds that it takes at most to ask for what is then due, and to warm up
WARM = 8.0  # seconds before that


def measure() -> Iterator[Figure]:
    yield from _logics()
    yield _tasks_due()
    yield from _many_scheduled()


def _logics() -> Iterator[Figure]:
    with Daemon() as daemon:
        begin = time.perf_counter()
        _start_logics(daemon, "30 2 1 1 *", LOGICS)
        made = LOGICS / (time.perf_counter() - begin)
        yield Figure(f"{LOGICS:,} recurring logics made", made, "/s")
        again = daemon.kill_and_start()
        yield Figure(f"start with {LOGICS:,} logics", again, "s", 3, at_most=True)
        yield Figure(f"idle with {LOGICS:,} logics", _idle(daemon), "% CPU", 1, at_most=True)
        at = _next_minute()
        _start_logics(daemon, f"{at.minute} {at.hour} * * *", DUE)
        time.sleep(max(0.0, at.timestamp() - time.time() - WARM))
        daemon.warm_up("tell-time")  # hosts that idle end
        yield _late(daemon, at, f"{DUE} logics due at once → step at work, p99")


def _tasks_due() -> Figure:
    with Daemon() as daemon:
        daemon.warm_up("tell-time")
        at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
        request = ("tasks.start", {"action": "tell-time", "at": f"{at:%Y-%m-%d %H:%M:%SZ}"})
        for _ in in_flight(daemon.client, [request] * DUE):
            pass
        return _late(daemon, at, f"{DUE} tasks due at once → step at work, p99")


def _start_logics(daemon: Daemon, line: str, count: int) -> None:
    request = {"action": "tell-time", "repeat": {"cron": line, "tz": "UTC"}}
    for _ in in_flight(daemon.client, [("recurring.start", request)] * count):
        pass


def _late(daemon: Daemon, at: datetime, name: str) -> Figure:
    """How long after their time the steps were at work, as they say themselves."""
    due = at.timestamp()
    while len(begun := _begun(daemon, due)) < DUE:
        time.sleep(0.2)
    late = [1000 * (each - due) for each in begun]
    note = f"p50 {median(late):.0f} ms, first {min(late):.0f} ms"
    return Figure(name, quantiles(late, n=100)[98], "ms", 50, at_most=True, note=note)


def _begun(daemon: Daemon, due: float) -> list[float]:
    with daemon.store() as store:
        rows = store.execute(
            "SELECT output FROM tasks WHERE start_at = ? AND state = 'stopped'",
            (round(due * 1e6),),
        )
        return [float(output) for (output,) in rows]


def _next_minute() -> datetime:
    soon = datetime.now(UTC) + timedelta(seconds=LEAST)
    return soon.replace(second=0, microsecond=0) + timedelta(minutes=1)


def _idle(daemon: Daemon) -> float:
    """Percent of a processor."""
    before = _processor_seconds(daemon)
    time.sleep(IDLE_SECONDS)
    return 100 * (_processor_seconds(daemon) - before) / IDLE_SECONDS


def _processor_seconds(daemon: Daemon) -> float:
    fields = Path(f"/proc/{daemon.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _many_scheduled() -> Iterator[Figure]:
    with Daemon() as empty:
        bare = median(empty.start_again() for _ in range(3))
    with Daemon(prepare=_fill) as daemon:
        starts = [daemon.start_again() for _ in range(3)]
    times = median(starts) / bare
    note = f"{median(starts):.2f} s"
    yield Figure(
        f"start with {SCHEDULED:,} scheduled tasks", times, "× empty", 1.5, at_most=True, note=note
    )


def _fill(state: Path) -> None:
    """Tasks for next year, in the state directory of a daemon that does not run."""
    database = Database(state / "taskd.db")
    at = round((datetime.now(UTC) + timedelta(days=365)).timestamp() * 1e6)
    given = {"tasks": SCHEDULED, "at": at}
    numbers = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < :tasks)"
    connection = database.writer
    connection.execute("BEGIN")
    connection.execute(
        f"{numbers} INSERT INTO tasks (id, label, name, folded_name, state, result, user, uid,"
        " execution_type, type, priority, created_at, start_at, state_updated_at, progress,"
        " version, needed_help, cancelling, resumable, on_conflict, input)"
        " SELECT i, 'noop', 'noop', 'noop', 'scheduled', 'pending', 'ana', 1000, 'delayed',"
        " 'python', 0, 1, :at + i, 1, 0.0, 1, 0, 0, 0, 'pause', '{}' FROM n",
        given,
    )
    connection.execute(
        f"{numbers} INSERT INTO steps (task_id, number, name, kind, state, weight, progress, note,"
        " attempts, interruptions, due_at, ready, priority)"
        " SELECT i, 0, 'plan', 'plan', 'pending', 1.0, 0.0, '', 0, 0, :at + i, 0, 0 FROM n",
        given,
    )
    connection.execute("COMMIT")
    database.close()
