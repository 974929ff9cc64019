"""Where the logs of a task are: `logs/42/42001/2-archive.log`, a thousand tasks a folder."""

import shutil


def log_path(root: str, task_id: int, number: int, step: str) -> str:
    return f"{_folder(root, task_id)}/{number}-{step}.log"


def drop(root: str, task_id: int) -> None:
    """Remove the logs of a task; there need not be any."""
    shutil.rmtree(_folder(root, task_id), ignore_errors=True)


def _folder(root: str, task_id: int) -> str:
    return f"{root}/{task_id // 1000}/{task_id}"
