"""What is refused when an action file is imported: at which line, and with which remedy."""

import importlib.util
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from taskd.model.errors import InvalidAction

HEAD = """\
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Literal
from taskd import Action, Rescue, Retry, Secret, action, step
class Base(Action):
    site: str
    @step
    def dump(self) -> str: return self.site
"""
FIRST = HEAD.count("\n") + 1


def load(text: str, folder: Path) -> None:
    file = folder / "backup.py"
    file.write_text(HEAD + dedent(text))
    specification = importlib.util.spec_from_file_location(f"refused_{id(folder)}", file)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[module.__name__] = module
    try:
        specification.loader.exec_module(module)
    finally:
        del sys.modules[module.__name__]


REFUSED = [
    # (source, line counted from 1, part of the message)
    ("class A(Action, labl='x'): ...", 1,
     "A: 'labl' is no option of an action; did you mean 'label'?"),
    ("class A(Action, colour='x'): ...", 1,
     "'colour' is no option of an action; there are label, "),
    ("class A(Base, label='a b'): ...", 1, "label='a b' is wrong: expected at most 200 letters"),
    ("class A(Base, label='a.yaml'): ...", 1, "taken for a file"),
    ("class A(Base, rescue='stop'): ...", 1, "expected Rescue.PAUSE, Rescue.SKIP or Rescue.FAIL"),
    ("class A(Base, cleanup_after='soon'): ...", 1, "cannot read 'soon' as a length of time"),
    ("class A(Base, cancellable='no'): ...", 1, "expected True or False"),
    ("class A(Base, singleton=1): ...", 1, "expected True or False"),
    ("class A(Base, isolation='none'): ...", 1, "expected 'process' or 'thread'"),
    ("class A(Action, label='x'): ...", 1, "it has no step: put @step above a method"),
    ("class A(Base):\n  label = 'x'", 2, "'label' is an option: write class A(Action, label=…)"),
    ("class A(Base):\n  rescue: Rescue = Rescue.SKIP", 2, "has the name of an option"),
    ("class A(Base):\n  label: ClassVar[str] = 'x'", 2, "'label' is an option"),
    ("class A(Base):\n  cleanup_aftr = '3d'", 2,
     "looks like an option; did you mean 'cleanup_after'?"),
    ("class A(Base):\n  host = 'x'", 2, "'host' has no type: write host: str = …"),
    ("class A(Base):\n  title = 'x'", 2, "'title' is a method: write def title(self)"),
    ("class A(Base):\n  def task(self): ...", 2, "'task' is handed in by the run"),
    ("class A(Base):\n  title: str", 2,
     "input 'title' has the name of something of Action: rename it"),
    ("class A(Base):\n  plan: str", 2, "input 'plan' has the name"),
    ("class A(Base):\n  _x: str", 2, "starts with '_'"),
    ("class A(Base):\n  @step\n  def locks(self): ...", 3, "step 'locks' has the name"),
    ("class A(Base):\n  @step\n  def _x(self): ...", 3, "step '_x' starts with '_'"),
    ("class A(Base):\n  host: str\n  @step\n  def host(self): ...", 2, "both an input and a step"),
    ("class A(Base):\n  @step\n  def site(self): ...", 3, "'site' is both an input and a step"),
    ("class A(Base):\n  dump: str", 2, "'dump' is both an input and a step"),
    ("class A(Base):\n  def dump(self): ...", 2,
     "overrides a step and is none: put @step above it"),
    ("class A(Base):\n  dump = None", 2, "'dump'"),
    ("class A(Base):\n  @step\n  def copy(self, dmup): ...", 3,
     "A: copy needs 'dmup', which is not a step; did you mean 'dump'?"),
    ("class A(Base):\n  @step\n  def copy(self, site): ...", 3, "which is an input: use self.site"),
    ("class A(Base):\n  @step\n  def copy(self, copy): ...", 3, "which is itself"),
    ("class A(Base):\n  def a(self): ...\n  @step\n  def copy(self, a): ...", 4,
     "which is a method, but no step: put @step above def a"),
    ("class A(Base):\n  @step\n  def a(self, b): ...\n  @step\n  def b(self): ...", 3,
     "which comes later: write it above a"),
    ("class A(Base):\n  @step\n  def copy(self, *dump): ...", 2, "takes *dump: name each step"),
    ("class A(Base):\n  @step\n  def copy(): ...", 2, "takes no self: write copy(self)"),
    ("class A(Base):\n  @step\n  async def copy(self): ...", 2, "is async: write a plain def"),
    ("class A(Base):\n  @step\n  def copy(self): yield 1", 2, "collect a list and return it"),
    ("class A(Base):\n  @step(retri=3)\n  def copy(self): ...", 2,
     "A.copy: 'retri' is no option of a step; did you mean 'retry'?"),
    ("class A(Base):\n  @step(colour=3)\n  def copy(self): ...", 2,
     "'colour' is no option of a step; there are retry, timeout, "),
    ("class A(Base):\n  @step(retry=-1)\n  def copy(self): ...", 2,
     "A.copy: retry=-1 is wrong: expected numbers of 0 or more"),
    ("class A(Base):\n  @step(retry='3')\n  def copy(self): ...", 2, "e.g. Retry(3, delay=30)"),
    ("class A(Base):\n  @step(retry=Retry(-1))\n  def copy(self): ...", 2, "of 0 or more"),
    ("class A(Base):\n  @step(retry=Retry(3, '30s'))\n  def copy(self): ...", 2, "of 0 or more"),
    ("class A(Base):\n  @step(retry=10**9)\n  def copy(self): ...", 2,
     "at most 100 without a delay of a second or more"),
    ("class A(Base):\n  @step(timeout='soon')\n  def copy(self): ...", 2, "cannot read 'soon'"),
    ("class A(Base):\n  @step(timeout=0)\n  def copy(self): ...", 2, "must be above 0"),
    ("class A(Base):\n  @step(weight=-1)\n  def copy(self): ...", 2, "weight=-1 is wrong"),
    ("class A(Base):\n  @step(idempotent='no')\n  def copy(self): ...", 2, "True or False"),
    ("class A(Base):\n  @step(rescue='x')\n  def copy(self): ...", 2, "expected Rescue.PAUSE"),
    ("class A(Base):\n  def finalize(self, dump): ...", 2, "finalize takes dump"),
    ("class A(Base):\n  at: datetime", 2,
     "input 'at': datetime is nothing that JSON can hold: use str"),
    ("class A(Base):\n  file: Path", 2, "Path is nothing that JSON can hold: use str"),
    ("class A(Base):\n  pair: tuple[int, int]", 2, "use list"),
    ("class A(Base):\n  names: set", 2, "use list"),
    ("class A(Base):\n  what: object", 2, "use str, int, float, bool, list, dict or a dataclass"),
    ("class A(Base):\n  ports: dict[int, str]", 2, "write dict[str, …]"),
    ("class A(Base):\n  inner: list[datetime]", 2, "datetime is nothing that JSON can hold"),
    ("class A(Base):\n  key: Literal[b'x']", 2, "use text or whole numbers"),
    ("class A(Base):\n  key: Secret[int]", 2, "write Secret[str]"),
    ("class A(Base):\n  keys: list[Secret[str]]", 2, "a secret is an input of its own"),
    ("class A(Base):\n  key: Secret[str] = 'hunter2'", 2, "a secret has no default"),
    ("class A(Base):\n  key: str = Path('x')", 2,
     "the value PosixPath('x') is nothing that JSON"),
    ("class A(Base):\n  names: list[str] = []", 1, "use default_factory"),
    ("class A(Base):\n  names: 'list[Nmae]'", 1, "name 'Nmae' is not defined: import or define it"),
    ("@dataclass\nclass Tree:\n  inner: 'list[Tree]'\nclass A(Base):\n  tree: Tree", 5,
     "holds itself"),
    ("@action(labl='x')\ndef copy(host: str): ...", 1, "did you mean 'label'?"),
    ("@action()\ndef copy(host): ...", 1, "copy: parameter 'host' has no type"),
    ("@action()\ndef copy(*hosts: str): ...", 1, "name each one"),
    ("@action()\ndef copy(copy: str): ...", 1, "has the function's name"),
    ("@action()\ndef plan(host: str): ...", 1, "step 'plan' has the name of something of Action"),
    ("@action()\ndef copy(at: datetime): ...", 1, "datetime is nothing that JSON can hold"),
    ("@action()\nasync def copy(host: str): ...", 1, "it must be a plain function"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "message"), REFUSED)
def test_wrong_declaration_is_refused(text: str, line: int, message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidAction) as caught:
        load(text, tmp_path)

    assert message in caught.value.message
    assert caught.value.line == FIRST + line - 1
    assert caught.value.message.startswith(f"{tmp_path}/backup.py:{caught.value.line}: ")


def test_step_marker_on_something_else_than_a_method_says_where_it_belongs(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="nearest to its def"):
        load("class A(Action):\n  @step\n  @property\n  def x(self): ...", tmp_path)
