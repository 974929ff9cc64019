"""The units that are installed for this user. What taskd did not write, it leaves alone."""

from collections.abc import Mapping
from pathlib import Path

from taskd.model.errors import InvalidState, StoreError
from taskd.service.units import MARK, NAMES, SOCKET, without_specifiers
from taskd.socket_path import xdg


def folder() -> Path:
    return Path(xdg("XDG_CONFIG_HOME", ".config"), "systemd", "user")


def listens_at(socket: Path) -> bool:
    """Whether the socket is that of the installed service."""
    text = _read(folder() / SOCKET)
    return text.startswith(MARK) and f"ListenStream={without_specifiers(str(socket))}\n" in text


def write(units: Mapping[str, str], *, force: bool = False) -> list[Path]:
    """Their files. Raises InvalidState where somebody else has one of that name."""
    if not force:
        _refuse_others()
    try:
        folder().mkdir(parents=True, exist_ok=True)
        for name, text in units.items():
            part = folder() / f".{name}.part"
            part.write_text(text)
            part.replace(folder() / name)
    except OSError as error:
        raise StoreError(f"cannot write {error.filename}: {error.strerror}") from None
    return [folder() / name for name in units]


def find(*, force: bool = False) -> list[Path]:
    """Those that are there. Raises InvalidState where somebody else has written one."""
    if not force:
        _refuse_others()
    return [folder() / name for name in NAMES if (folder() / name).exists()]


def remove(files: list[Path]) -> None:
    for file in files:
        file.unlink()
    for link in folder().glob("*.wants/taskd.*"):
        if link.name in NAMES:  # without systemd nobody else removes it
            link.unlink()


def _refuse_others() -> None:
    for name in NAMES:
        file = folder() / name
        if (file.exists() or file.is_symlink()) and not _read(file).startswith(MARK):
            raise InvalidState(
                f"cannot replace {file}: taskd did not write it",
                hint="--force does it all the same",
            )


def _read(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""
