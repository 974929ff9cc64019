"""The table from crontab to taskctl: both sides mean the same times."""

import re
import shlex
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from taskd import cron
from taskd.api.recurring import MODES
from taskd.search.fields import LOGICS

PAGE = (Path(__file__).parents[2] / "docs/scheduling.md").read_text()
ROWS = re.findall(r"^\| `(.+) backup` \| `taskctl exec (.+) -- backup` \|$", PAGE, re.MULTILINE)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def test_table_is_there() -> None:
    assert len(ROWS) >= 8


@pytest.mark.parametrize(("line", "words"), ROWS)
def test_row_means_the_same(line: str, words: str) -> None:
    option, value = shlex.split(words)

    ours, theirs = MODES[option.removeprefix("--")](value), cron.read_line(line)

    at = BEGIN
    for _ in range(400):
        following = theirs.next(at, BERLIN)
        assert following is not None
        assert ours.next(at, BERLIN) == following
        at = following


def test_all_fields_of_logics_are_named() -> None:
    named = re.search(r"The fields: ([\w, \n]+)\.", PAGE)

    assert named
    assert set(re.split(r",\s+", named[1])) == {field.name for field in LOGICS.fields}
