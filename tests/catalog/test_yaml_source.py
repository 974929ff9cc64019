"""YAML definitions: what they compile to, and what is said of those that cannot be read."""

from textwrap import dedent

import pytest

from taskd.catalog.yaml_source import compile_definition
from taskd.model.definition import Command, Definition, Delegation, Field, Retry
from taskd.model.errors import InvalidAction
from taskd.model.step import Rescue

STEPS = "steps: {go: {shell: 'true'}}\n"


def compiled(text: str) -> Definition:
    return compile_definition(dedent(text), "/actions/backup.yaml")


def test_whole_definition_is_compiled() -> None:
    definition = compiled("""\
        label: backup.site
        title: Back up {site}
        input:
          site: str
          channels: {type: list, default: [ops]}
          password: secret
        locks: ["site:{site}/backup"]
        rescue: fail
        cleanup_after: 30d
        cancellable: false
        singleton: true
        steps:
          dump:
            shell: |
              pg_dump "$site" > "/var/backups/$site.sql"
              echo "/var/backups/$site.sql"
            timeout: 10m
          archive:
            shell: rclone copy "$dump" "remote:$site" && echo "remote:$site"
            retry: {times: 3, delay: 30s}
            weight: 4
            idempotent: true
            rescue: skip
        """)

    assert (definition.label, definition.type, definition.title) == (
        "backup.site", "yaml", "Back up {site}",
    )  # fmt: skip
    assert definition.fields == (
        Field("site", {"type": "string"}),
        Field("channels", {"type": "array"}, required=False, default=["ops"]),
        Field("password", {"type": "string", "format": "secret"}),
    )
    assert definition.locks == ("site:{site}/backup",)
    assert definition.rescue is Rescue.FAIL
    assert (definition.cleanup_after, definition.cancellable, definition.singleton) == (
        "30d", False, True,
    )  # fmt: skip
    assert (definition.planner, definition.module) == ("data", "")
    assert definition.flow == ["sequence", "dump", "archive"]
    dump, archive = definition.steps
    assert dump.command == Command(
        line='pg_dump "$site" > "/var/backups/$site.sql"\necho "/var/backups/$site.sql"\n'
    )
    assert (dump.timeout, dump.needs, dump.rescue) == (600.0, (), None)
    assert archive.retry == Retry(3, delay=30.0)
    assert (archive.weight, archive.idempotent, archive.rescue) == (4, True, Rescue.SKIP)


def test_label_is_the_name_of_the_file_unless_said_otherwise() -> None:
    assert compiled(STEPS).label == "backup"


def test_title_is_the_label_unless_said_otherwise() -> None:
    assert compiled("label: site.backup\n" + STEPS).title == "site.backup"


def test_step_needs_the_earlier_steps_that_its_command_names() -> None:
    definition = compiled("""\
        steps:
          dump: {shell: pg_dump}
          copy:
            shell: cp "${dump}" x
          tell: {shell: echo $copy $later $copying}
        """)

    assert [step.needs for step in definition.steps] == [(), ("dump",), ("copy",)]


def test_needs_can_be_said() -> None:
    definition = compiled("steps: {a: {shell: x}, b: {shell: y, needs: [a]}}")

    assert definition.steps[1].needs == ("a",)


def test_env_is_added_to_what_a_command_gets_anyway(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("SECRET_OF_DAEMON", "x")

    command = compiled("steps: {a: {shell: x, cwd: /srv, env: {COLOR: no}}}").steps[0].command

    assert command is not None
    assert command.cwd == "/srv"
    assert command.environment is not None
    assert command.environment["PATH"] == "/usr/bin:/bin"
    assert command.environment["COLOR"] == "no"
    assert "SECRET_OF_DAEMON" not in command.environment


def test_words_that_old_yaml_takes_for_booleans_or_times_are_text() -> None:
    definition = compiled("""\
        input:
          on: {default: NO}
          at: {default: 12:30:45}
          octal: {type: int, default: 0755}
        steps: {go: {shell: yes}}
        """)

    assert [field.default for field in definition.fields] == ["NO", "12:30:45", 755]
    assert definition.steps[0].command == Command(line="yes")


def test_revision_changes_with_the_text() -> None:
    assert compiled(STEPS).revision != compiled(STEPS + "# more\n").revision


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "an action is a mapping of label, title"),
        ("- a\n", 1, "an action is a mapping"),
        ("label: x\n", 1, "it has no steps"),
        ("steps:\n", 1, "'steps' must be a mapping"),
        ("steps: [{shell: x}]\n", 1, "'steps' must be a mapping"),
        ("tittle: x\n" + STEPS, 1, "did you mean 'title'?"),
        ("label: a b\n" + STEPS, 1, "'a b' is no label"),
        ("label: x.yaml\n" + STEPS, 1, "taken for a file"),
        ("label: 12\n" + STEPS, 1, "'label' must be text, not 12; quote it"),
        ("label: a\nlabel: b\n" + STEPS, 2, "'label' stands here again, first in line 1"),
        ("title: {site}\ninput: {site: str}\n" + STEPS, 1, "quote it, or use |"),
        ("title: {site} backup\ninput: {site: str}\n" + STEPS, 1, "quote it, or use |"),
        ("title: Back up {sit}\ninput: {site: str}\n" + STEPS, 1, "did you mean 'site'?"),
        ("title: Back up {\n" + STEPS, 1, "a lone '{'"),
        ("title: '{pw}'\ninput: {pw: secret}\n" + STEPS, 1, "{pw} is a secret"),
        ("locks: ['site:{x}']\n" + STEPS, 1, "{x} is no input"),
        ("locks:\n - site\n" + STEPS, 2, "expected 'type:id'"),
        ("locks: site:x\n" + STEPS, 1, "'locks' must be a list"),
        ("rescue: stop\n" + STEPS, 1, "'rescue' must be one of pause, skip, fail, not 'stop'"),
        ("cleanup_after: soon\n" + STEPS, 1, "cannot read 'soon' as a length of time"),
        ("cancellable: no\n" + STEPS, 1, "'cancellable' must be true or false, not 'no'"),
        ("input: {a: string}\n" + STEPS, 1, "unknown type 'string'; did you mean"),
        ("input:\n  a: {type: int, default: x}\n" + STEPS, 2, "must be a whole number, not 'x'"),
        ("input:\n  a: {typ: int}\n" + STEPS, 2, "did you mean 'type'?"),
        ("input: {Site: str}\n" + STEPS, 1, "lower-case letters"),
        ("input: {path: str}\n" + STEPS, 1, "means something to shells"),
        ("input: {ld_preload: str}\n" + STEPS, 1, "means something to shells"),
        ("input: {https_proxy: str}\n" + STEPS, 1, "means something to shells"),
        ("input: {go: str}\n" + STEPS, 2, "'go' is both an input and a step"),
        ("steps:\n  ifs: {shell: x}\n", 2, "means something to shells"),
        ("steps:\n  finalize: {shell: x}\n", 2, "every task may have"),
        ("steps:\n  go: pg_dump\n", 2, "and below it shell:"),
        ("steps:\n  go:\n", 2, "is a mapping"),
        ("steps:\n  go: {}\n", 2, "step 'go' does nothing"),
        ("steps:\n  go:\n    shell: x\n    retrys: 3\n", 4, "did you mean 'retry'?"),
        ("steps:\n  go:\n    shell: x\n    retry: {times: 3, dela: 3}\n", 4, "'retry' must be"),
        ("steps:\n  go:\n    shell: x\n    retry: -1\n", 4, "expected numbers of 0 or more"),
        ("steps:\n  go:\n    shell: x\n    retry: 1000\n", 4, "at most 100 without a delay"),
        ("steps:\n  go:\n    shell: x\n    timeout: soon\n", 4, "cannot read 'soon'"),
        ("steps:\n  go:\n    shell: x\n    timeout: 0\n", 4, "above 0"),
        ("steps:\n  go:\n    shell: x\n    needs: [dum]\n", 4, "which is no earlier step"),
        ("steps:\n  go:\n    shell: 12\n", 3, "'shell' must be text"),
        ("steps:\n  go:\n    shell: [ -f x ]\n", 3, "quote it, or use |"),
        ("steps:\n  go: {shell: x, weight: 1.0e+308}\n", 2, "weight: 1e+308 is too much"),
        ("steps:\n  go:\n    python: check\n", 2, "python: 'check' is not module:function"),
        ("steps:\n  go: {python: 'a:b', shell: x}\n", 2, "step 'go' has python and shell: choose"),
        ("steps:\n  go: {python: 'a:b', env: {}}\n", 2, "'env' is no key of the step 'go'"),
        ("steps:\n  go: {action: x, input: {a: '{b}'}}\n", 2, "{b} is no input"),
        ("steps:\n  go: {action: x, input: {a: '{item}'}}\n", 2, "{item} is no input"),
        ("steps:\n  go: {action: x, for_each: '{'}\n", 2, "a lone '{'"),
        ("steps:\n  go: {action: x, concurrency: 0}\n", 2, "concurrency: 0 is not between 1 and"),
        (
            "input: {s: secret}\nsteps:\n  go:\n    action: x\n    input: {a: ['{s}']}\n",
            5,
            "{s} is a secret",
        ),
        ("steps:\n  go:\n\tshell: x\n", 3, "YAML allows no tabs"),
        ("steps:\n  go:\n    shell: echo a: b\n", 3, "quote it, or use |"),
        ('steps:\n  go:\n    shell: "$x" && true\n', 3, "quote it, or use |"),
        ("steps:\n  go:\n    shell: @x\n", 3, "quote it, or use |"),
        ("title: !!python/object:os.system x\n" + STEPS, 1, "means nothing here"),
        ("a: 1\n---\nb: 2\n", 2, "cannot be read as YAML"),
        ("title: \x00\n", 1, "cannot be read as YAML"),
        ("title: " + "[" * 100_000, 1, "nested too deeply"),
        ("- " * 100_000, 1, "nested too deeply"),
        ("title: x\n" + " " * 2**20, 1, "larger than"),
        ("title: &a [*a]\n", 1, "too large once its aliases are followed"),
        (
            "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
            "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n",
            1,
            "too large once its aliases are followed",
        ),
    ],
)  # fmt: skip
def test_definition_that_cannot_be_read_is_refused(text: str, line: int, message: str) -> None:
    with pytest.raises(InvalidAction) as caught:
        compile_definition(text, "backup.yaml")

    assert caught.value.line == line
    assert message in caught.value.message
    assert caught.value.message.startswith(f"backup.yaml:{line}: ")


def test_steps_of_all_kinds_are_compiled() -> None:
    definition = compiled("""\
        input: {channels: list, site: str}
        steps:
          dump: {shell: pg_dump "$site"}
          check: {python: "backup_tools:check", needs: [dump], retry: 2}
          tell:
            action: notify
            for_each: "{channels}"
            input: {channel: "{item}", text: "saved {site}: {check}", copies: [1, "{dump}"]}
            concurrency: 5
        """)

    _, check, tell = definition.steps
    assert (check.function, check.needs, check.retry) == ("backup_tools:check", ("dump",), Retry(2))
    assert tell.needs == ("dump", "check")
    assert tell.delegation == Delegation(
        "notify",
        {"channel": "{item}", "text": "saved {site}: {check}", "copies": [1, "{dump}"]},
        for_each="{channels}",
        concurrency=5,
    )
