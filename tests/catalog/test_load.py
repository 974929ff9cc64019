"""The catalog of real folders: one bad file never keeps the others out."""

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from taskd import wire
from taskd.catalog import child
from taskd.catalog.load import Loaded, load_catalog
from taskd.catalog.python_source import find_action
from taskd.model.definition import Broken, Definition, Field, Isolation, Retry
from taskd.model.errors import NotFound
from taskd.model.step import Rescue

GOOD = """\
from taskd import Action, step
class {name}(Action, label="{label}"):
    @step
    def go(self) -> None: ...
"""


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        file = folder / f"{name.replace('__', '/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text))


def load(folder: Path, **files: str) -> Loaded:
    write(folder, **files)
    return load_catalog([str(folder)])


def test_action_is_described_as_plain_data(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        site__backup='''\
        from __future__ import annotations
        from dataclasses import dataclass, field
        from enum import Enum
        from typing import Any, Literal
        from taskd import Action, Rescue, Secret, step

        @dataclass
        class Server:
            host: str
            port: int = 22

        class Colour(Enum):
            RED = "red"

        class BackUpSite(Action, label="backup.site", rescue=Rescue.FAIL, cleanup_after="30d"):
            """Back up a site."""
            site: str
            channels: list[str] = field(default_factory=list)
            server: Server | None = None
            colour: Colour = Colour.RED
            kind: Literal["full", 1] = "full"
            ports: dict[str, int] = field(default_factory=dict)
            password: Secret[str]
            ratio: float | bool = 0.5
            anything: Any = None

            @step(retry=3, timeout="10m")
            def dump(self) -> str:
                """Dump it."""

            @step
            def archive(self, dump: str) -> None: ...

            def finalize(self) -> None: ...
        ''',
    )

    assert loaded.broken == []
    (definition,) = loaded.definitions
    assert (definition.label, definition.type) == ("backup.site", "python")
    assert (definition.title, definition.planner) == ("Back up site", "data")
    assert definition.flow == ["sequence", "dump", "archive"]
    assert (definition.module, definition.name) == ("taskd_actions.site.backup", "BackUpSite")
    assert (definition.file, definition.line) == (str(tmp_path / "site/backup.py"), 15)
    assert (definition.rescue, definition.cleanup_after) == (Rescue.FAIL, "30d")
    assert definition.doc == "Back up a site."
    assert definition.finalize is not None
    dump, archive = definition.steps
    assert (dump.retry, dump.timeout, dump.doc) == (Retry(3), 600.0, "Dump it.")
    assert archive.needs == ("dump",)
    server = {
        "type": "object",
        "properties": {"host": {"type": "string"}, "port": {"type": "integer"}},
        "required": ["host"],
        "additionalProperties": False,
    }
    assert definition.fields == (
        Field("site", {"type": "string"}),
        Field("channels", {"type": "array", "items": {"type": "string"}}, False, []),
        Field("server", {"anyOf": [server, {"type": "null"}]}, False, None),
        Field("colour", {"enum": ["red"]}, False, "red"),
        Field("kind", {"enum": ["full", 1]}, False, "full"),
        Field("ports", {"type": "object", "additionalProperties": {"type": "integer"}}, False, {}),
        Field("password", {"type": "string", "format": "secret"}),
        Field("ratio", {"anyOf": [{"type": "number"}, {"type": "boolean"}]}, False, 0.5),
        Field("anything", {}, False, None),
    )


@pytest.mark.parametrize("method", ["title", "locks", "plan"])
def test_author_is_asked_where_a_method_of_planning_is_overridden(
    method: str, tmp_path: Path
) -> None:
    loaded = load(tmp_path, a=GOOD.format(name="A", label="a") + f"    def {method}(self): ...\n")

    (definition,) = loaded.definitions
    assert definition.planner == "host"
    assert (definition.flow is None) == (method == "plan")


def test_label_is_module_and_class_unless_given(tmp_path: Path) -> None:
    text = GOOD.format(name="A", label="").replace(', label=""', "")

    assert load(tmp_path, site__a=text).definitions[0].label == "site.a.A"


def test_actions_import_from_each_other_and_from_hidden_files(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        _shared="NAME = 'x'\n",
        base=GOOD.format(name="Base", label="base"),
        child="""\
        from taskd_actions._shared import NAME
        from taskd_actions.base import Base
        class Child(Base, label="child"): ...
        """,
    )

    assert loaded.broken == []
    assert [definition.label for definition in loaded.definitions] == ["base", "child"]


def test_bases_are_not_listed(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        a="""\
        from taskd import Action, action, step
        class Base(Action):
            site: str
        class _Stepping(Base):
            @step
            def go(self) -> None: ...
        class Real(_Stepping, label="real"): ...
        Alias = Real
        @action(label="function")
        def function(host: str) -> None: ...
        """,
    )

    assert [(d.label, d.name) for d in loaded.definitions] == [
        ("real", "Real"),
        ("function", "function"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("x = 1\ndef broken(:\n", 2, "SyntaxError: invalid syntax"),
        ("import os\nimport taskd_actions.missing\n", 2, "No module named 'taskd_actions.missing'"),
        ("\n\nraise SystemExit(3)\n", 3, "SystemExit: 3"),
        ("def f():\n    1 / 0\nf()\n", 2, "ZeroDivisionError: division by zero"),
        ("import json\njson.loads('x')\n", 2, "JSONDecodeError"),
        ("from taskd import Acton\n", 1, "cannot import name 'Acton'"),
        ("from taskd_actions._bad import x\n", 1, "SyntaxError"),
        ("from taskd import Action, step\nclass A(Action):\n  x: set\n", 3, "A: input 'x': set is"),
    ],
)
def test_broken_file_is_named_with_its_line_and_others_are_loaded(
    text: str, line: int, message: str, tmp_path: Path
) -> None:
    loaded = load(tmp_path, a=text, b=GOOD.format(name="B", label="b"), _bad="def (\n")

    assert [definition.label for definition in loaded.definitions] == ["b"]
    (broken,) = loaded.broken
    assert (broken.file, broken.line) == (str(tmp_path / "a.py"), line)
    assert message in broken.message


def test_second_action_of_one_label_is_broken_and_names_the_first(tmp_path: Path) -> None:
    (tmp_path / "z.yaml").write_text("label: a\nsteps: {go: {shell: x}}\n")

    loaded = load(tmp_path, a=GOOD.format(name="A", label="a"))

    taken = f"the label 'a' is taken by {tmp_path}/a.py:2: choose another"
    assert loaded.broken == [Broken(str(tmp_path / "z.yaml"), 1, taken)]


def test_file_of_a_later_folder_does_not_hide_silently(tmp_path: Path) -> None:
    write(tmp_path / "one", a=GOOD.format(name="A", label="one"))
    write(tmp_path / "two", a=GOOD.format(name="A", label="two"))

    loaded = load_catalog([str(tmp_path / "one"), str(tmp_path / "two")])

    assert [definition.label for definition in loaded.definitions] == ["one"]
    assert [broken.file for broken in loaded.broken] == [str(tmp_path / "two/a.py")]


def test_yaml_is_loaded_with_its_warnings_and_errors(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text("steps:\n  go:\n    shell: echo a # b\n")
    (tmp_path / "bad.yml").write_text("steps: 3\n")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / ".hidden.yaml").write_text("steps: 3\n")

    loaded = load_catalog([str(tmp_path)])

    assert [definition.label for definition in loaded.definitions] == ["good"]
    assert [Path(broken.file).name for broken in loaded.broken] == ["bad.yml", "binary.yaml"]
    assert [warning.line for warning in loaded.warnings] == [3]


def test_what_leads_nowhere_is_broken_and_others_are_loaded(tmp_path: Path) -> None:
    write(tmp_path, a=GOOD.format(name="A", label="a"))
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nothing")
    (tmp_path / "gone_too.py").symlink_to(tmp_path / "nothing")
    (tmp_path / "round").symlink_to(tmp_path)
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    os.mkfifo(tmp_path / "pipe.yaml")

    catalog = child.load([str(tmp_path)])

    assert list(catalog.definitions) == ["a"]
    assert {(Path(b.file).name, b.message) for b in catalog.broken} == {
        ("gone.yaml", "cannot be read: No such file or directory"),
        ("gone_too.py", "cannot be read: No such file or directory"),
        ("loop.yaml", "cannot be read: Too many levels of symbolic links"),
    }
    assert not catalog.is_stale()
    (tmp_path / "nothing").write_text("")
    assert catalog.is_stale()


@pytest.mark.parametrize("mode", [0o000, 0o444])
def test_folder_that_may_not_be_read_is_named(tmp_path: Path, mode: int) -> None:
    write(tmp_path, a=GOOD.format(name="A", label="a"), sub__b=GOOD.format(name="B", label="b"))
    (tmp_path / "sub").chmod(mode)

    try:
        loaded = _load_without_privileges(tmp_path)
    finally:
        (tmp_path / "sub").chmod(0o755)

    assert loaded["definitions"] == ["a"]
    [(file, message)] = loaded["broken"]
    assert file.startswith(str(tmp_path / "sub"))
    assert message == "cannot be read: Permission denied"


def _load_without_privileges(folder: Path) -> Any:
    """Root may read everything, unless it gives that up."""
    code = (
        "import json, sys; from taskd.catalog import child; c = child.load(sys.argv[1:]);"
        "print(json.dumps({'definitions': list(c.definitions),"
        " 'broken': [(b.file, b.message) for b in c.broken]}))"
    )
    without = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
    words = [sys.executable, "-c", code, str(folder)]
    command = without + words if os.getuid() == 0 else words
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_actions_that_subscribe_in_a_circle_are_broken_and_others_loaded(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")):
        (tmp_path / f"{name}.yaml").write_text(
            f"subscribes_to: {other}\nsteps: {{go: {{shell: 'true'}}}}\n"
        )

    loaded = load_catalog([str(tmp_path)])

    assert [definition.label for definition in loaded.definitions] == ["d"]
    assert [broken.message.partition(";")[0] for broken in loaded.broken] == [
        "subscribes_to makes a circle: a → b → c → a",
        "subscribes_to makes a circle: b → c → a → b",
        "subscribes_to makes a circle: c → a → b → c",
    ]


def test_action_without_docs_has_none(tmp_path: Path) -> None:
    (definition,) = load(tmp_path, a=GOOD.format(name="A", label="a")).definitions

    assert definition.doc == ""


def test_isolation_is_that_of_a_process_unless_said_otherwise(tmp_path: Path) -> None:
    in_thread = GOOD.format(name="B", label="b").replace("label=", 'isolation="thread", label=')

    first, second = load(tmp_path, a=GOOD.format(name="A", label="a"), b=in_thread).definitions

    assert (first.isolation, second.isolation) == (Isolation.PROCESS, Isolation.THREAD)


def test_file_that_the_daemon_would_import_holds_nothing_that_it_must_not(tmp_path: Path) -> None:
    both = GOOD.format(name="A", label="a") + GOOD.format(name="B", label="b").replace(
        "label=", 'isolation="thread", label='
    )

    loaded = load(tmp_path, both=both)

    assert loaded.definitions == []
    [broken] = loaded.broken
    assert (broken.file, broken.line) == (str(tmp_path / "both.py"), 6)
    assert broken.message.startswith("b has isolation='thread' and a has not: put them in two")


def test_missing_folder_holds_nothing(tmp_path: Path) -> None:
    assert load_catalog([str(tmp_path / "none")]) == Loaded()


def test_actions_of_installed_packages_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, installed_package=GOOD.format(name="A", label="installed"))
    information = tmp_path / "installed_package-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: installed-package\n")
    (information / "entry_points.txt").write_text("[taskd.actions]\na = installed_package\n")
    monkeypatch.syspath_prepend(tmp_path)

    loaded = load_catalog([])

    (definition,) = loaded.definitions
    assert (definition.label, definition.module) == ("installed", "installed_package")
    assert find_action("installed_package", "A").__name__ == "A"


def test_found_action_is_the_one_that_was_described(tmp_path: Path) -> None:
    (definition,) = load(tmp_path, a=GOOD.format(name="A", label="a")).definitions

    assert find_action(definition.module, definition.name).__qualname__ == "A"


@pytest.mark.parametrize(
    ("module", "name"), [("none", "A"), ("none.b", "A"), ("a", "B"), ("a", "step")]
)
def test_action_that_is_gone_is_not_found(module: str, name: str, tmp_path: Path) -> None:
    load(tmp_path, a=GOOD.format(name="A", label="a"))

    with pytest.raises(NotFound):
        find_action(f"taskd_actions.{module}", name)


def test_definition_travels_as_it_is(tmp_path: Path) -> None:
    (definition,) = load(tmp_path, a=GOOD.format(name="A", label="a")).definitions

    travelled = wire.decode(Definition, wire.encode(definition))

    assert wire.dumps(travelled) == wire.dumps(definition)
