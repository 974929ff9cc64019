"""Pages of an export in Chromium: they are drawn, and nothing of what tasks say is run."""

import os
import shutil
import subprocess
from pathlib import Path

import past
import pytest
from real_daemon import PATIENCE, Daemon

CHROMIUM = shutil.which("chromium")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")


def chromium(home: Path, page: Path, *words: str) -> str:
    """What it prints, and how it sees the page."""
    asked = [
        str(CHROMIUM),
        "--headless",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
        f"--user-data-dir={home}",
        *words,
        page.as_uri(),
    ]
    done = subprocess.run(
        asked,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=True,
        env=os.environ | {"HOME": str(home)},
    )
    return done.stdout


@pytest.fixture
def pages(daemon: Daemon) -> Path:
    """The folder of pages of five tasks, one of which is hostile."""
    past.make(daemon)
    folder = daemon.root / "pages"
    done = daemon.taskctl("export", "--search", "id > 0", "--format", "html-dir", "--file", folder)
    assert done.returncode == 0, done.stderr
    return folder


def title(page: str) -> str:
    return page.partition("<title>")[2].partition("</title>")[0]


def test_no_script_of_a_task_is_run_and_the_pages_are_drawn(pages: Path, tmp_path: Path) -> None:
    control = tmp_path / "control.html"
    control.write_text(f"<title>before</title>{past.HOSTILE}")
    listed, hostile = pages / "index.html", pages / "tasks" / "3.html"
    picture = tmp_path / "picture.png"

    seen = {path: chromium(tmp_path, path, "--dump-dom") for path in (control, listed, hostile)}
    chromium(tmp_path, hostile, f"--screenshot={picture}", "--window-size=1200,1600")

    assert title(seen[control]) == "taken"  # so a script that is run is seen
    assert title(seen[listed]) == "Tasks"
    assert title(seen[hostile]).startswith("3 &lt;script&gt;")
    assert picture.stat().st_size > 20_000
