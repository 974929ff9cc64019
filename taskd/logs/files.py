"""Where the logs of a task are: `logs/42/42001/2-archive.log`, a thousand tasks a folder."""

import shutil
from pathlib import Path


def log_path(root: Path, task_id: int, number: int, step: str) -> Path:
    return _folder(root, task_id) / f"{number}-{step}.log"


def drop(root: Path, task_id: int) -> None:
    """Remove the logs of a task; there need not be any."""
    shutil.rmtree(_folder(root, task_id), ignore_errors=True)


def _folder(root: Path, task_id: int) -> Path:
    return root / str(task_id // 1000) / str(task_id)
