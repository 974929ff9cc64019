"""The folders of hosts and of attempts, as a daemon finds them."""

from pathlib import Path


def folders_in(place: Path) -> list[Path]:
    """In order. What a person has put beside them is passed over. Raises OSError."""
    there = place.iterdir() if place.exists() else ()
    return sorted(each for each in there if each.is_dir())
