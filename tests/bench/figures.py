"""A figure with its target, as people read it, and how noisy the machine was."""

import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

NOISY_ABOVE = 0.10  # of the processors at work for others


@dataclass(frozen=True)
class Figure:
    """`at_most`: the target is a ceiling, not a floor. No target: only to know."""

    name: str
    value: float
    unit: str
    target: float | None = None
    at_most: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        good = self.value <= self.target if self.at_most else self.value >= self.target
        return "ok" if good else "MISSED"

    def cells(self) -> tuple[str, str, str, str, str]:
        sign = "≤" if self.at_most else "≥"
        target = "" if self.target is None else f"{sign} {_short(self.target)}"
        return self.name, f"{_short(self.value)} {self.unit}", target, self.verdict, self.note


def headline() -> str:
    """What the figures were taken on."""
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    python = f"Python {platform.python_version()} ({Path(sys.executable).resolve()})"
    return f"commit {_commit()} · {python} · {os.cpu_count()} processors · load {load}"


def line(figure: Figure, busy: float) -> str:
    """`busy`: the share of the processors that was at work for others."""
    name, value, target, verdict, note = figure.cells()
    noisy = f"noisy ({busy:.0%} busy)" if busy > NOISY_ABOVE else ""
    notes = "; ".join(filter(None, (noisy, note)))
    return f"{name:<42} {value:>16} {target:>8}  {verdict:<6}  {notes}".rstrip()


def busy_with_others(seconds: float = 0.4) -> float:
    """The share of the processors that is at work while this program is not."""
    before = _processor_times()
    time.sleep(seconds)
    busy, total = (now - then for now, then in zip(_processor_times(), before, strict=True))
    return busy / max(total, 1)


def _processor_times() -> tuple[int, int]:
    """Busy and in all, in ticks since boot."""
    times = [int(word) for word in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    idle = times[3] + times[4]
    return sum(times) - idle, sum(times)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _commit() -> str:
    here = Path(__file__).parent
    commit = _git(here, "rev-parse", "--short", "HEAD") or "unknown"
    changed = _git(here, "status", "--porcelain", "--untracked-files=no")
    return commit + (" with changes" if changed else "")


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout.strip()
