"""Where the daemon's socket is for a client (cli.md). Plain strings: it is read at every start."""

import os

SYSTEM_SOCKET = "/run/taskd/taskd.sock"
MAX_PATH = 107  # bytes; the kernel takes no longer one


def find_socket() -> str:
    """The overriding socket, else the user's own if there is one, else the system's if there is."""
    if given := os.environ.get("TASKD_SOCKET"):
        return _absolute(given)
    own = os.path.join(state_folder(), "taskd.sock")
    if os.environ.get("TASKD_STATE_DIR") or os.path.exists(own):
        return own
    return SYSTEM_SOCKET if os.path.exists(SYSTEM_SOCKET) else own


def state_folder() -> str:
    """The folder of store, logs and socket, by environment and default."""
    environment = os.environ
    given = environment.get("TASKD_STATE_DIR") or environment.get("STATE_DIRECTORY")
    return _absolute(given or os.path.join(xdg("XDG_STATE_HOME", ".local/state"), "taskd"))


def xdg(variable: str, below_home: str) -> str:
    """A base folder of the XDG specification, which tells to pass over one that is not absolute."""
    value = os.environ.get(variable, "")
    return value if value.startswith("/") else os.path.join(os.path.expanduser("~"), below_home)


def _absolute(path: str) -> str:
    """Unlike `abspath`, it leaves `..` to the kernel, which knows where a symlink leads."""
    return path if path.startswith("/") else os.path.join(os.getcwd(), path)
