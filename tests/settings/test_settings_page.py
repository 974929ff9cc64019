"""The page about settings agrees with their declarations."""

import re
from pathlib import Path

from taskctl.view.settings import written
from taskd.settings import DEFAULTS, FIELDS

PAGE = (Path(__file__).parents[2] / "docs/settings.md").read_text()


def expected_rows() -> list[str]:
    return [
        f"| `{setting.name}` | {shown(written(vars(setting), 'value'))} | {setting.help}"
        f"{'; counts only when the daemon starts' if setting.at_start else ''} |"
        for setting in DEFAULTS.table()
    ]


def shown(text: str) -> str:
    return f"`{text}`" if text else "none"


def test_page_has_a_row_for_each_setting() -> None:
    rows = [line for line in PAGE.splitlines() if re.match(r"\| `", line)]

    assert rows == expected_rows()


def test_page_has_the_names_of_the_manual() -> None:
    names = {field.metadata["manual"] for field in FIELDS.values()} - {""}

    assert names == set(re.findall(r"`((?:foreman_tasks|dynflow)_\w+)`", PAGE))
