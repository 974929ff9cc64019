"""Others that run tasks on one host, side by side; those that cannot be had are passed over."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figures import Figure

COUNT = 5000
WORKERS = 4

_HUEY = f"""
import sys, threading, time
from huey import SqliteHuey

huey = SqliteHuey(filename=sys.argv[1], fsync=True, results=False, utc=True)
left = threading.Semaphore(0)

@huey.task()
def noop():
    left.release()

consumer = huey.create_consumer(workers={WORKERS}, initial_delay=0.001, max_delay=0.01)
consumer.start()
begin = time.perf_counter()
for _ in range({COUNT}):
    noop()
for _ in range({COUNT}):
    left.acquire()
print({COUNT} / (time.perf_counter() - begin), flush=True)
consumer.stop()
"""


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
        if _have(folder, "huey"):
            speed = float(_output(folder, _HUEY, str(folder / "huey.db")))
            note = "SQLite with fsync, threads, no results, no steps"
            yield Figure("huey, one function", speed, "tasks/s", note=note)
        shutil.rmtree(folder / "venv")


def _have(folder: Path, package: str) -> bool:
    pip = [str(folder / "venv/bin/pip"), "install", "--quiet", "--disable-pip-version-check"]
    return subprocess.run([*pip, package], capture_output=True, check=False).returncode == 0


def _output(folder: Path, program: str, *words: str) -> str:
    command = [str(folder / "venv/bin/python"), "-c", program, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
