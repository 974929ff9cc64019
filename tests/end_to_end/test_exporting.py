"""Exports of a real daemon: what is in them, of which tasks, and what becomes of the file."""

import contextlib
import csv
import io
import json
import sqlite3
import stat
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import past
import pytest
from real_daemon import Daemon, a_daemon
from terminal import on_terminal


@pytest.fixture(scope="module")
def made() -> Iterator[Daemon]:
    """A daemon with five tasks that have stopped, for tests that only read."""
    with a_daemon() as daemon:
        past.make(daemon)
        yield daemon


def rows(daemon: Daemon, *words: object) -> list[list[str]]:
    return [*csv.reader(io.StringIO(past.export(daemon, "csv", *words).decode(), newline=""))]


def ids(daemon: Daemon, *words: object) -> list[int]:
    """Of the tasks that `export WORDS` writes."""
    done = past.taskctl(daemon, "export", "--format", "csv", *words)
    assert done.returncode == 0, done.stderr
    path = Path(done.stdout.strip())
    lines = path.read_text().splitlines()[1:]
    path.unlink()
    return [int(line.split(",")[0]) for line in lines]


class Tags(HTMLParser):
    """All tags of a page, their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.links.update(value or "" for name, value in attrs if name in ("href", "src"))

    def handle_data(self, data: str) -> None:
        self.text += data


def pages(daemon: Daemon, *words: object) -> dict[str, str]:
    """The files in the archive of pages."""
    with tarfile.open(fileobj=io.BytesIO(past.export(daemon, "html", *words))) as archive:
        files = {m.name: archive.extractfile(m) for m in archive.getmembers() if m.isfile()}
        return {name: file.read().decode() for name, file in files.items() if file}


def test_csv_has_the_columns_of_the_manual_and_the_newest_first(made: Daemon) -> None:
    head, *tasks = rows(made)

    assert head == [
        "id", "state", "type", "label", "result", "parent_task_id", "started_at", "ended_at",
    ]  # fmt: skip
    assert [int(task[0]) for task in tasks] == [5, 4, 3, 2, 1]
    for task in tasks:
        shown = made.show(task[0])
        assert task == ["" if shown[name] is None else str(shown[name]) for name in head]


def test_json_lines_have_what_is_shown_and_the_oldest_first(made: Daemon) -> None:
    records = [*map(json.loads, past.export(made).splitlines())]

    assert [record["id"] for record in records] == [1, 2, 3, 4, 5]
    for record in records:
        shown = made.show(record["id"])
        for name in shown.keys() - {"version", "waits_for", "errors", "steps", "duration"}:
            assert record[name] == shown[name], name
        assert [step["output"] for step in record["steps"]] == [
            step["output"] for step in shown["steps"]
        ]
    assert records[0]["logs"]["1-dump"].endswith(" stdout F dumping blog\n")


def test_no_text_of_a_table_is_a_formula(running: Daemon) -> None:
    labels = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "a=1"]
    past.bring(running, *(past.a_record(id=n, label=text) for n, text in enumerate(labels, 1)))

    found = [row[3] for row in rows(running)[:0:-1]]

    assert found[:4] == ["'=1+1", "+1", "-1", "'@SUM(A1)"]  # two are plain numbers
    assert [text[:1] for text in found[4:]] == ["'", "'", "a"]


def test_default_is_the_last_seven_days_and_search_and_days_are_anded(running: Daemon) -> None:
    def ago(days: float) -> str:
        return (datetime.now(UTC) - timedelta(days=days)).isoformat()

    for number, days in ((1, 30), (2, 7.1), (3, 6.9), (4, 0)):
        past.bring(running, past.a_record(id=number, started_at=ago(days), ended_at=ago(days)))
    past.bring(running, past.a_record(id=5, started_at=None, result="cancelled"))

    assert ids(running) == [4, 3]
    assert ids(running, "--days", 8) == [4, 3, 2]
    assert ids(running, "--search", "result = success or result = cancelled") == [5, 4, 3, 2, 1]
    assert ids(running, "--search", "id = 1 or id = 3", "--days", 8) == [3]


def test_pages_link_to_each_other_and_to_nothing_else(made: Daemon) -> None:
    files = pages(made)

    assert files.keys() == {
        "taskctl-export/index.html",
        *(f"taskctl-export/tasks/{number}.html" for number in range(1, 6)),
    }
    listed = Tags(files["taskctl-export/index.html"])
    assert listed.links == {f"tasks/{number}.html" for number in range(1, 6)}
    for number in range(1, 6):
        links = Tags(files[f"taskctl-export/tasks/{number}.html"]).links
        assert "../index.html" in links
        assert all(link.startswith("#step-") for link in links - {"../index.html"})


def test_text_of_tasks_is_no_markup(made: Daemon) -> None:
    files = pages(made)

    for text in files.values():
        page = Tags(text)
        assert page.tags.isdisjoint({"script", "img", "iframe", "object", "link", "base", "form"})
        assert 'content="default-src &#39;none&#39;; style-src &#39;sha256-' in text
        assert not [name for name in page.attributes if name.startswith("on") or name == "style"]
    assert past.HOSTILE in Tags(files["taskctl-export/tasks/3.html"]).text
    assert past.HOSTILE in Tags(files["taskctl-export/index.html"]).text


def test_page_shows_what_there_is_of_a_task(made: Daemon) -> None:
    text = Tags(pages(made)["taskctl-export/tasks/2.html"]).text

    for part in (
        "Back up shop", "OSError", "no space left", "<b>/mnt</b>", "Traceback (most recent call",
        '"bytes": 1234567', '"site": "shop"', "dumping shop", "<script>document.title='taken'",
        "step failed", "user:", "photos",
    ):  # fmt: skip
        assert part in text


def test_members_of_the_archive_are_private_and_stay_in_one_folder(made: Daemon) -> None:
    with tarfile.open(fileobj=io.BytesIO(past.export(made, "html"))) as archive:
        for member in archive.getmembers():
            assert (member.name + "/").startswith("taskctl-export/")
            assert member.mode == (0o700 if member.isdir() else 0o600)


def test_folder_has_the_same_pages(made: Daemon) -> None:
    folder = made.root / "pages"

    done = past.taskctl(
        made, "export", "--search", "id > 0", "--format", "html-dir", "--file", folder
    )

    assert done.stdout == f"{folder}\n"
    names = {str(file.relative_to(folder)) for file in folder.rglob("*.html")}
    assert names == {"index.html", *(f"tasks/{number}.html" for number in range(1, 6))}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_long_list_has_several_pages(running: Daemon) -> None:
    past.bring(running, *(past.a_record(id=number) for number in range(1, 1003)))

    files = pages(running)

    first, second = (Tags(files[f"taskctl-export/{n}.html"]) for n in ("index", "index-2"))
    assert len(files) == 1002 + 2
    assert ("index-2.html" in first.links, "tasks/1002.html" in first.links) == (True, True)
    assert second.links == {"index.html", "tasks/1.html", "tasks/2.html"}
    assert "1002" in first.text


def test_file_is_private_new_and_its_name_is_all_that_is_printed(made: Daemon) -> None:
    found = []
    for _ in range(2):
        done = made.taskctl("export")
        path = Path(done.stdout.removesuffix("\n"))
        found.append(path)
        assert (path.suffixes[-2:], stat.S_IMODE(path.stat().st_mode)) == ([".tar", ".gz"], 0o600)
        assert done.stderr == "exported 4 tasks\n"
    for path in found:
        path.unlink()

    assert len({*found}) == 2


def test_programs_are_told_what_was_written(made: Daemon) -> None:
    file = made.root / "told.csv"

    told = made.json("export", "--format", "csv", "--file", file)

    assert told == {"file": str(file), "exported": 4, "failed": 0}


def test_what_is_there_is_replaced_by_force_only(made: Daemon) -> None:
    file = made.root / "mine.csv"
    file.write_text("mine")

    refused = past.taskctl(made, "export", "--format", "csv", "--file", file)
    before = file.read_text()
    forced = past.taskctl(made, "export", "--format", "csv", "--file", file, "--force")

    assert (refused.returncode, refused.stdout, before) == (2, "", "mine")
    assert "it is there already" in refused.stderr
    assert forced.returncode == 0
    assert file.read_text().startswith("id,state,")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--search", "state = "], 2, "state = "),
        (["--days", "-1"], 2, "--days"),
        (["--days", "many"], 2, "--days"),
        (["--format", "pdf"], 2, "--format"),
        (["--file", ""], 2, "--file"),
        (["--file", "/nowhere/at/all"], 1, "no such file"),
    ],
)
def test_wrong_request_is_refused_and_told(
    made: Daemon, words: list[str], code: int, told: str
) -> None:
    done = past.taskctl(made, "export", *words)

    assert (done.returncode, done.stdout) == (code, "")
    assert told in done.stderr


def damage(daemon: Daemon, change: str) -> None:
    """Change the store of a daemon that does not run meanwhile."""
    daemon.taskd("stop")
    with contextlib.closing(sqlite3.connect(daemon.state / "taskd.db")) as store, store:
        store.execute(change)
    daemon.start()


@pytest.mark.parametrize(
    ("form", "change"),
    [
        ("jsonl", "UPDATE tasks SET name = CAST(x'ff' AS TEXT)"),
        ("html", "UPDATE tasks SET output = '{'"),
    ],
)
def test_task_that_cannot_be_exported_is_left_out_if_so_wished(
    running: Daemon, form: str, change: str
) -> None:
    past.bring(running, *(past.a_record(id=number) for number in (1, 2, 3)))
    damage(running, f"{change} WHERE id = 2")
    file = running.root / "export"

    words = ["export", "--search", "id > 0", "--format", form, "--file", file]
    refused = past.taskctl(running, *words)
    there = file.exists()
    done = past.taskctl(running, *words, "--skip-failed")

    assert (refused.returncode, there) == (1, False)
    assert "cannot export task 2" in refused.stderr
    assert "--skip-failed" in refused.stderr
    assert done.returncode == 0
    assert "task 2 is left out" in done.stderr
    assert "exported 2 tasks, 1 left out" in done.stderr


def test_long_log_is_exported_piece_by_piece(running: Daemon) -> None:
    line = "head -c 3000000 /dev/zero | tr '\\0' x | fold -w 99"
    running.wait(running.start_task("exec", "--", line))
    [log] = (running.state / "logs").rglob("*.log")

    record, *pieces = map(json.loads, past.export(running).splitlines())

    assert record["logs"] == {}
    assert [piece["at"] for piece in pieces] == [n << 20 for n in range(len(pieces))]
    assert "".join(piece["text"] for piece in pieces).encode() == log.read_bytes()


def test_terminal_sees_how_far_it_is_and_then_the_name(made: Daemon) -> None:
    file = made.root / "seen.jsonl"

    code, shown = on_terminal(made, "export", "--format", "jsonl", "--file", file)

    assert code == 0
    assert "4/4" in shown
    assert shown.endswith(f"{file}\n")
