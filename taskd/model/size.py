"""Sizes as people write them: `64 MiB`, `10k`, or plain bytes."""

import re

from taskd.model.errors import InvalidInput

BYTES = {"": 1, "b": 1}
for power, letter in enumerate("kmgt", start=1):
    BYTES |= {letter: 1024**power, f"{letter}ib": 1024**power, f"{letter}b": 1000**power}


def parse_size(text: str | int) -> int:
    """`"64 MiB"` in bytes. `k` and `KiB` are 1024, `kB` is 1000. Raises InvalidInput."""
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*", str(text))
    if match is None or match[2].lower() not in BYTES:
        raise InvalidInput(f"cannot read {text!r} as a size: expected e.g. 64 MiB, 500 kB or 4096")
    return int(float(match[1]) * BYTES[match[2].lower()])


def write_size(size: int) -> str:
    """As `parse_size` reads it, by the largest unit that divides it: `64 MiB`, `4097 B`."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        count, rest = divmod(size, BYTES[unit.lower()])
        if count and not rest:
            return f"{count} {unit}"
    return f"{size} B"
