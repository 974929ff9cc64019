"""Where configuration, actions, state and socket are, by environment and defaults (cli.md)."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from taskd.model.errors import StoreError
from taskd.socket_path import state_folder, xdg

_VARIABLES = ("TASKD_STATE_DIR", "TASKD_CONFIG", "TASKD_SOCKET", "STATE_DIRECTORY")
_BASE_FOLDERS = ("XDG_CONFIG_HOME", "XDG_STATE_HOME")


@dataclass(frozen=True)
class Places:
    config: Path  # taskd.yaml; it need not exist, unless it was named
    actions: Path  # the first of the action folders
    state: Path
    socket: Path
    config_named: bool = False  # by an option or the environment

    def require_config(self) -> None:
        """Raises StoreError when the configuration was named and is not there."""
        try:
            if self.config_named:
                self.config.stat()
        except OSError as error:
            raise StoreError(f"cannot read {self.config}: {error.strerror}") from None

    @property
    def store(self) -> Path:
        return self.state / "taskd.db"

    @property
    def log(self) -> Path:
        """What a daemon in the background says; one in the foreground says it on stderr."""
        return self.state / "taskd.log"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def attempts(self) -> Path:
        """A folder for each shell step that runs."""
        return self.state / "attempts"

    @property
    def hosts(self) -> Path:
        """A folder for each host process."""
        return self.state / "hosts"

    @property
    def starts(self) -> Path:
        """When daemons began that have not lived on."""
        return self.state / "starts"

    @property
    def staging(self) -> Path:
        """What an import has sent, until it is let in."""
        return self.state / "import.db"

    @property
    def secrets(self) -> Path:
        return self.state / "secrets"

    @property
    def backups(self) -> Path:
        """What cleanups have deleted."""
        return self.state / "backups"


def find_places(
    *, config: str | None = None, state: str | None = None, socket: str | None = None
) -> Places:
    """Arguments before environment before defaults. With `TASKD_STATE_DIR` alone, all is in it."""
    environment = os.environ
    alone = environment.get("TASKD_STATE_DIR")
    state_dir = Path(state or state_folder())
    given = config or environment.get("TASKD_CONFIG")
    if given:
        config_file = Path(given)
    elif alone and not state:
        config_file = state_dir / "taskd.yaml"
    else:
        config_file = Path(xdg("XDG_CONFIG_HOME", ".config"), "taskd", "taskd.yaml")
    socket_path = socket or environment.get("TASKD_SOCKET") or state_dir / "taskd.sock"
    return Places(
        config=config_file.absolute(),
        actions=config_file.absolute().parent / "actions",
        state=state_dir.absolute(),
        socket=Path(socket_path).absolute(),
        config_named=bool(given),
    )


def deciding_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Those by which another process, wherever it starts, finds the same places."""
    given = {name: environment[name] for name in _VARIABLES if environment.get(name)}
    folders = {name: environment.get(name, "") for name in _BASE_FOLDERS}
    return {name: str(Path(path).absolute()) for name, path in given.items()} | {
        name: path for name, path in folders.items() if path.startswith("/")
    }
