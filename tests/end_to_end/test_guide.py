"""The pages of documentation say what is true, and its examples work."""

import ast
import inspect
import json
import re
import shutil
from pathlib import Path
from typing import get_overloads

import guide
import pytest
from real_daemon import Daemon, eventually

import taskd
from taskd.actions.current import Current
from taskd.actions.options import OPTIONS

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = sorted((DOCS / "guide").glob("*.md"))
PAGES = [*GUIDE, *sorted(DOCS.glob("*.md"))]
PLAYED = [page for page in PAGES if "```console" in page.read_text()]
MISTAKES = DOCS / "examples/mistakes"
WHOLE_SURFACE = DOCS / "examples/whole_surface.py"
ROW = re.compile(r"^\| .*\[`(.+)`\]\(\.\./examples/mistakes/(.+?)\) \| (.+) \|$", re.MULTILINE)


@pytest.mark.parametrize("page", PLAYED, ids=lambda page: page.stem)
def test_page_does_what_it_shows(running: Daemon, page: Path) -> None:
    guide.follow(page, running)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_leads_to_what_is_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_each_promise_has_a_test() -> None:
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", (DOCS / "reliability.md").read_text())

    assert len(named) > 40
    for file, test in named:
        assert f"def {test}(" in (DOCS.parent / "tests" / file).read_text(), f"{file}: no {test}"


def test_index_leads_to_all_pages() -> None:
    index = (DOCS / "guide/README.md").read_text()

    assert [page.name for page in GUIDE if f"({page.name})" not in index] == ["README.md"]


def test_each_mistake_is_answered_as_the_guide_says(running: Daemon) -> None:
    rows = ROW.findall((DOCS / "guide/mistakes.md").read_text())
    assert {file for _, file, _ in rows} == {file.name for file in MISTAKES.iterdir()}
    shutil.copytree(MISTAKES, running.actions, dirs_exist_ok=True)

    told = answers(running)

    for wrong, file, answer in rows:
        assert wrong in (MISTAKES / file).read_text()
        assert re.search(rf'{file}(:|", line )\d+', answer), "it names no file and line"
        for part in re.findall(r"`(.+?)`", answer.replace("\\|", "|")):
            assert re.search(re.escape(part).replace("…", r"\d+"), told), told


def answers(daemon: Daemon) -> str:
    """All that is told of the files, when they are read and when their steps run."""
    checked = daemon.taskd("check")
    tasks = [
        daemon.start_task("run", action["label"])
        for action in daemon.json("actions")["items"]
        if action["type"] == "python"
    ]
    daemon.wait(*tasks)
    errors = [error for task in tasks for error in daemon.show(task)["errors"]]
    told = [f"{error['kind']}: {error['message']}\n{error['traceback']}" for error in errors]
    text = "\n".join([checked.stdout, checked.stderr, *told])
    return text.replace(f"{daemon.actions}/", "")


def test_whole_surface_is_the_whole_surface() -> None:
    tree = ast.parse(WHOLE_SURFACE.read_text())
    nodes = list(ast.walk(tree))
    imported = {
        name.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module == "taskd"
        for name in node.names
    }
    keywords = {node.arg for node in nodes if isinstance(node, ast.keyword)}
    methods = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    step_options = inspect.signature(get_overloads(taskd.step)[1]).parameters

    assert imported == set(taskd.__all__)
    assert {*OPTIONS, *step_options} <= keywords
    assert public(taskd.Action) - {"task"} <= methods
    assert {*public(Current), *vars(Current())} - private(Current()) - {"id"} <= attributes


def public(kind: type) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_")}


def private(instance: object) -> set[str]:
    return {name for name in vars(instance) if name.startswith("_")}


def test_whole_surface_runs(running: Daemon) -> None:
    shutil.copy(WHOLE_SURFACE, running.actions)
    source, target = running.root / "blog", running.root / "web"
    source.mkdir()
    target.mkdir()
    (source / "index.html").write_text("hello")
    given = {
        "source": str(source),
        "target": str(target),
        "token": "s3cr3t",
        "readers": ["ana", "bob"],
    }

    ended = running.taskctl("run", "site.publish", "--input", json.dumps(given), "--wait")

    assert ended.returncode == 0, ended.stderr
    task = running.show(1)
    assert (task["result"], task["output"]) == ("success", f"{target}/site")
    assert (target / "notes").read_text() == "no comment\n"
    assert sorted(file.name for file in target.glob("letter.*")) == ["letter.ana", "letter.bob"]
    eventually(lambda: (target / "record").exists())
    assert (target / "record").read_text() == "task 1: stopped success\n"
