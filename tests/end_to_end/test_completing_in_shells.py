"""TAB in real shells: bash, zsh, fish."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from real_daemon import COMMANDS, Daemon
from shells import STARTS, Shell, a_shell

ROOT = Path(__file__).parents[2]
GREET = """
label: demo.greet
input:
  site: str
  loud: {type: bool, default: false}
steps:
  hi:
    shell: echo hi
"""

LINES = {
    "taskctl res": "taskctl resume ",
    "taskctl -o json li": "taskctl -o json list ",
    "taskctl list --searc": "taskctl list --search ",
    "taskctl list --output=js": "taskctl list --output=json",
    "taskctl resume ": "taskctl resume 1 ",
    "taskctl skip 1/": "taskctl skip 1/run ",
    "taskctl locks --resource s": "taskctl locks --resource site:blog ",
    "taskctl locks --resource=site:b": "taskctl locks --resource=site:blog ",
    "taskctl run demo.": "taskctl run demo.greet ",
    "taskctl run demo.greet s": "taskctl run demo.greet site=",
    "taskctl run demo.greet loud=t": "taskctl run demo.greet loud=true ",
    "taskctl run demo.greet site=@pl": "taskctl run demo.greet site=@plain ",
    "taskctl exec --cwd fol": "taskctl exec --cwd folder/",
    "taskctl nonsense ": "taskctl nonsense ",
    # searches; more may follow, so the quote stays open
    "taskctl list --search 'labe": "taskctl list --search 'label ",
    "taskctl list --search 'state = pau": "taskctl list --search 'state = paused",
    'taskctl list --search "state = pau': 'taskctl list --search "state = paused',
    "taskctl list --search '(state=pau": "taskctl list --search '(state=paused",
    "taskctl list --search 'resource = site:b": "taskctl list --search 'resource = site:blog",
    "taskctl list --search 'name = \"I": "taskctl list --search 'name = \"It'\\''s blog\"",
    "taskctl list --search 'state = x": "taskctl list --search 'state = x",
}
OF_SHELL = {
    # How each puts quotes around a word by itself, and within one.
    "bash": {
        "taskctl list --search labe": "taskctl list --search 'label ",
        "taskctl list --search=labe": "taskctl list --search='label ",
        "taskctl list --search='state = pau": "taskctl list --search='state = paused",
        "taskctl list --search 'resource = a:": 'taskctl list --search \'resource = "a:b c"',
        "taskctl show \t": "taskctl show ",  # what is listed is not inserted
        "taskd rel": "taskd reload ",
    },
    "zsh": {
        "taskctl list --search labe": "taskctl list --search label\\ ",
        "taskctl list --search=labe": "taskctl list --search=label\\ ",
        "taskctl list --search='state = pau": "taskctl list --search=state\\ =\\ paused",
        "taskctl list --search 'type = \t": "taskctl list --search 'type = python",  # from a menu
        "taskctl list --search 'resource = a:": 'taskctl list --search \'resource = "a:b c"',
    },
    "fish": {
        "taskctl list --search labe": "taskctl list --search label\\ ",
        "taskctl list --search=labe": "taskctl list --search=label\\ ",
        "taskctl list --search='state = pau": "taskctl list --search='state = paused",
        "taskctl list --search 'resource = \"a:": 'taskctl list --search \'resource = "a:b c"',
        "taskctl list --search 'name = \"I": "taskctl list --search 'name = \"It\\'s blog\"",
    },
}


@pytest.fixture
def blog(daemon: Daemon) -> Daemon:
    """With a task that is paused, and one that is done."""
    daemon.write_action("greet.yaml", GREET)
    (daemon.root / "folder").mkdir()
    (daemon.root / "plain").touch()
    daemon.start()
    lock = ["--lock", "site:blog", "--link", "site:blog"]
    daemon.start_task("exec", "--name", "It's blog", *lock, "--", "false")
    daemon.start_task("exec", "--link", "a:b c", "--", "true")
    daemon.wait(1, 2)
    return daemon


@pytest.fixture(params=STARTS)
def shell(request: pytest.FixtureRequest, blog: Daemon) -> Iterator[Shell]:
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is not installed")
    with a_shell(request.param, blog) as one:
        yield one


def test_line_is_completed(shell: Shell) -> None:
    lines = LINES | OF_SHELL[shell.name]

    assert {line: shell.completed(line) for line in lines} == lines


def test_what_there_is_is_listed_with_its_meaning(shell: Shell) -> None:
    shell.listed("taskctl show ", "It's blog, paused")
    shell.listed("taskctl list --search 'state = paused ", "one of both holds")


def test_without_a_daemon_nothing_happens(shell: Shell, blog: Daemon) -> None:
    blog.taskd("stop")

    line = "taskctl list --search 'state = pau"

    assert shell.completed(line) == line


def test_make_puts_scripts_where_shells_look(tmp_path: Path) -> None:
    subprocess.run(
        ["make", "-s", "install-completions", f"PREFIX={tmp_path}"],
        cwd=ROOT,
        env=os.environ | {"PATH": f"{COMMANDS}:{os.environ['PATH']}"},
        capture_output=True,
        check=True,
    )

    share = tmp_path / "share"
    for folder, name in (
        ("bash-completion/completions", "{}"),
        ("zsh/site-functions", "_{}"),
        ("fish/vendor_completions.d", "{}.fish"),
    ):
        for command in ("taskctl", "taskd"):
            assert command in (share / folder / name.format(command)).read_text()
