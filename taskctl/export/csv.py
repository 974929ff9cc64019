"""CSV: a line a task, with what all tasks have; no text in it is taken for a formula."""

import csv
import io

from taskctl import target
from taskctl.exporting import Tasks
from taskd.model.inert import inert_cell

SUFFIX = ".csv"
COLUMNS = "id", "state", "type", "label", "result", "parent_task_id", "started_at", "ended_at"


def write(tasks: Tasks, path: str, *, force: bool) -> None:
    with target.new_file(path, force=force) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(COLUMNS)
        for task_id, state, kind, label, *others in tasks.rows():
            lines.writerow((task_id, state, inert_cell(kind), inert_cell(label), *others))
        text.detach()
