"""The catalog: all actions of all folders and installed packages, and the files that are broken."""

import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from taskd.catalog import warnings
from taskd.catalog.python_reader import Found, read_entry_points, read_python_file
from taskd.catalog.python_source import mount
from taskd.catalog.yaml_source import compile_definition
from taskd.model.definition import Broken, Definition
from taskd.model.errors import InvalidAction

_ENDINGS = (".py", ".yaml", ".yml")


@dataclass
class Loaded:
    """`warnings` are about files that work, but perhaps not as they were meant."""

    definitions: list[Definition] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    warnings: list[Broken] = field(default_factory=list)


def load_catalog(
    folders: list[str],
    skip: Collection[str] = (),
    at: Callable[[Path], object] = str,
) -> Loaded:
    """Everything, in the order of folders and files, but those to `skip`; `at` is told of each.

    To be called in a child process: it runs the files.
    """
    mount(folders)
    loaded = Loaded()

    def cannot_read(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            loaded.broken.append(Broken(error.filename, 1, f"cannot be read: {error.strerror}"))

    places: dict[str, str] = {}
    for folder in map(Path, folders):
        for file in find_files(folder.absolute(), cannot_read):
            if str(file) in skip:
                continue
            at(file)
            for found in _read(file, folder.absolute(), loaded.warnings):
                _add(found, loaded, places)
    for found in read_entry_points():
        _add(found, loaded, places)
    _refuse_circles(loaded)
    loaded.warnings += warnings.in_catalog(loaded.definitions)
    return loaded


def find_files(folder: Path, on_error: Callable[[OSError], object]) -> list[Path]:
    """The action files in it, by name. Those that start with `_` or `.` are not, nor are those in
    folders that are links. `on_error` is told of what cannot be read."""
    found: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=on_error):
        folders[:] = [name for name in folders if _counts(name)]
        files = [os.path.join(place, name) for name in names if _counts(name)]
        found += [Path(file) for file in files if file.endswith(_ENDINGS) and _is_file(file)]
    return sorted(found)


def _counts(name: str) -> bool:
    return not name.startswith(("_", "."))


def _is_file(path: str) -> bool:
    """Or it should be one: a link to nothing is told of when it is read."""
    return os.path.isfile(path) or not os.path.exists(path)


def _read(file: Path, folder: Path, doubts: list[Broken]) -> Iterator[Found]:
    try:
        if file.suffix == ".py":
            source = file.read_bytes()  # an import tells less of what cannot be read
            yield from (found := read_python_file(file, folder))
            doubts += warnings.in_python(found, source)
            return
        text = file.read_text("utf-8")
        yield compile_definition(text, str(file))
        doubts += warnings.in_yaml(text, str(file))
    except InvalidAction as error:
        yield Broken(str(file), error.line, error.reason)
    except OSError as error:
        yield Broken(str(file), 1, f"cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        yield Broken(str(file), 1, f"cannot be read: {error}")


def _refuse_circles(loaded: Loaded) -> None:
    """Actions that would start each other without end."""
    follows = {each.label: each.subscribes_to for each in loaded.definitions}
    for definition in list(loaded.definitions):
        circle = [definition.label]
        while (label := follows.get(circle[-1])) and label not in circle:
            circle.append(label)
        if label == definition.label:
            shown = " → ".join((*circle, label))
            told = f"subscribes_to makes a circle: {shown}; one of them must not subscribe"
            loaded.broken.append(Broken(definition.file, definition.line, told))
            loaded.definitions.remove(definition)


def _add(found: Found, loaded: Loaded, places: dict[str, str]) -> None:
    if isinstance(found, Broken):
        loaded.broken.append(found)
    elif found.label in places:
        taken = f"the label {found.label!r} is taken by {places[found.label]}: choose another"
        loaded.broken.append(Broken(found.file, found.line, taken))
    else:
        places[found.label] = f"{found.file}:{found.line}"
        loaded.definitions.append(found)
