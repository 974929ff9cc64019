"""What hosts of earlier daemons have left."""

from pathlib import Path

import pytest

from taskd.executors.adopted import Remains
from taskd.executors.base import Interrupted, Success


@pytest.mark.parametrize(
    "line",
    [
        '{"id": 1, "outcome": "Novelty", "value": {}, "at": 0}',
        '{"id": 1, "outcome": "Failure", "value": {"failure": "no error"}, "at": 0}',
        '{"id": 1, "outcome": "Fail',
        "[" * 2000 + "]" * 2000,
        "3",
    ],
)
def test_outcome_that_cannot_be_read_is_unknown_and_hides_no_other(
    tmp_path: Path, line: str
) -> None:
    other = '{"id": 2, "outcome": "Success", "value": {"output": "done"}, "more": 1, "at": 0}'
    (tmp_path / "outcomes").write_text(f"{line}\n{other}\n")

    found = Remains(tmp_path, {1, 2}).outcomes({1, 2})

    assert isinstance(found[1], Interrupted)
    assert found[2] == Success("done")
