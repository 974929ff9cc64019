"""`python: backup_tools:check`: a function, called by name with the outputs and inputs it asks for.

It is given the inputs that it has parameters for. The module is one of the action folders, or
installed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from taskd.model.step import JSON

_NAME = r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*"
FIELDS: dict[str, dict[str, JSON]] = {"python": {"type": "string"}}


def compile_step(values: Mapping[str, JSON]) -> dict[str, object]:
    """Raises ValueError."""
    if not re.fullmatch(f"{_NAME}:{_NAME}", values["python"], re.ASCII):
        raise ValueError(f"python: {values['python']!r} is not module:function")
    return {"function": values["python"]}


def find_needs(_values: Mapping[str, JSON], _earlier: Iterable[str]) -> tuple[str, ...]:
    """Only what is written."""
    return ()


def find_names(_values: Mapping[str, JSON]) -> Iterator[tuple[str, list[str]]]:
    yield from ()
