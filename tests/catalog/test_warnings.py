"""What readable action files say, but perhaps do not mean."""

from pathlib import Path
from textwrap import dedent

import pytest

from taskd.catalog import warnings
from taskd.catalog.load import load_catalog


def told(folder: Path, text: str, name: str = "a.py") -> list[str]:
    (folder / name).write_text(dedent(text))
    loaded = load_catalog([str(folder)])
    assert not loaded.broken
    return [str(warning).removeprefix(f"{folder}/") for warning in loaded.warnings]


def test_comment_that_cuts_a_command() -> None:
    text = "steps:\n  go:\n    shell: echo a # b\n  on: {shell: 'echo # fine'}\n"

    (warning,) = warnings.in_yaml(text, "x.yaml")

    assert (warning.file, warning.line) == ("x.yaml", 3)
    assert "' #' begins a comment" in warning.message


@pytest.mark.parametrize(
    ("line", "variables"),
    [
        ('cp "$dmup" "$target"', ["dmup"]),
        ('cp "${dmup}" "${#traget}"', ["dmup", "traget"]),
        ('dmup=1; cp "$dmup"', []),
        ('for dmup in 1 2; do echo "$dmup"; done', []),
        ('read -r dmup; echo "$dmup"', []),
        ('echo "$colour $DMUP $1 $$"', []),
        ('echo "$own"', []),
    ],
)
def test_variable_spelt_almost_like_an_input_or_a_step(line: str, variables: list[str]) -> None:
    text = f"input: {{target: str}}\nsteps:\n  dump: {{shell: x}}\n  copy:\n    shell: {line!r}\n"

    found = [*warnings.in_yaml(text + "    env: {own: x}\n", "x.yaml")]

    assert [warning.message.split()[0] for warning in found] == [f"${name}" for name in variables]
    assert all(warning.line == 5 and "did you mean" in warning.message for warning in found)


def test_method_that_nothing_calls(tmp_path: Path) -> None:
    text = """\
        from taskd import Action, on, step
        class Base(Action):
            def shared(self) -> str: return self.theirs()
            def theirs(self) -> str: return "theirs"
        class Dump(Base, label="dump"):
            def title(self) -> str: return "Dump"
            def theirs(self) -> str: return "ours"
            def forgotten(self) -> None: ...
            def named(self) -> None: ...
            def called(self) -> None: ...
            def _private(self) -> None: ...
            @property
            def size(self) -> int: return 3
            @on("stopped")
            def hook(self) -> None: ...
            @step
            def dump(self) -> None:
                self.called()
                getattr(self, "named")()
        """

    assert told(tmp_path, text) == [
        "a.py:8: Dump.forgotten is no step, and nothing here calls it: put @step above it"
    ]


def test_subscription_to_an_action_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "deploy.yaml").write_text("steps: {go: {shell: x}}\n")

    warned = told(tmp_path, "subscribes_to: depoly\nsteps: {go: {shell: x}}\n", "after.yaml")

    assert warned == [
        "after.yaml:1: after subscribes to 'depoly', which is no action; did you mean 'deploy'?"
    ]


def test_subscription_to_an_action_that_lacks_an_input(tmp_path: Path) -> None:
    (tmp_path / "deploy.yaml").write_text("input: {site: str}\nsteps: {go: {shell: x}}\n")
    text = """\
        subscribes_to: deploy
        input: {site: str, host: str, port: {type: int, default: 3}}
        steps: {go: {shell: x}}
        """

    assert told(tmp_path, text, "after.yaml") == [
        "after.yaml:1: after subscribes to 'deploy', which has no input 'host': give it a default"
    ]
