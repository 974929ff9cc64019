"""The command as a whole process, against a Python that does nothing."""

import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.bench.daemon import Daemon
from tests.bench.figures import Figure

ROUNDS = 40
REPOSITORY = Path(__file__).parents[2]


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder, Daemon() as daemon:
        bin = _install(Path(folder))
        daemon.warm_up()
        taskctl = str(bin / "taskctl")
        seconds = _race(
            {
                "nothing": [str(bin / "python"), "-c", "pass"],
                "version": [taskctl, "version"],
                "json": [taskctl, "list", "-o", "json"],
                "table": [taskctl, "list", "-o", "table"],
            },
            daemon.environment,
        )
    nothing = seconds["nothing"]
    for name, words, target in (
        ("version", "taskctl version", 4.5),
        ("json", "taskctl list -o json", 6),
        ("table", "taskctl list, as a table", 9),
    ):
        note = f"{seconds[name] * 1000:.0f} ms, python -c pass {nothing * 1000:.0f} ms"
        yield Figure(words, seconds[name] / nothing, "×", target, at_most=True, note=note)


def _race(commands: dict[str, list[str]], environment: dict[str, str]) -> dict[str, float]:
    """The median of each; taken in turns, so that a busy moment hits all."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, words in commands.items():
            begin = time.perf_counter()
            subprocess.run(words, env=environment, capture_output=True, check=True)
            seconds[name].append(time.perf_counter() - begin)
    return {name: median(taken) for name, taken in seconds.items()}


def _install(folder: Path) -> Path:
    """As users have it: not editable, in an environment of its own. What it depends on is borrowed
    from this environment, by its folder alone."""
    source = folder / "source"  # so that the build leaves nothing in the repository
    for package in ("taskd", "taskctl"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / package, source / package, ignore=ignore)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, source)
    _run(sys.executable, "-m", "venv", "--without-pip", str(folder / "venv"))
    python = folder / "venv/bin/python"
    pip = (sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check")
    _run(*pip, "install", "--quiet", "--no-deps", str(source))
    (purelib,) = (folder / "venv/lib").glob("python*/site-packages")
    (purelib / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python.parent


def _run(*words: str) -> None:
    subprocess.run(words, check=True)
