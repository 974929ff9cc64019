"""One task and one action in full, as they are read in a terminal."""

import io

import pytest
from rich.console import Console, RenderableType
from wire_records import a_field, a_step, a_task, an_action, an_action_step

from taskctl.view.action_panel import action_panel
from taskctl.view.step_table import step_table


def printed(width: int, renderable: RenderableType) -> list[str]:
    screen = Console(file=io.StringIO(), width=width)
    screen.print(renderable)
    return [line.rstrip() for line in screen.file.getvalue().splitlines()]


def a_run(name: str, begin: int, end: int | None, state: str = "success", **changes):
    """A step that ran from one second of its task to another."""
    moments = [None if s is None else f"2025-11-03T12:00:{s:02}Z" for s in (begin, end)]
    return a_step(name=name, state=state, started_at=moments[0], ended_at=moments[1], **changes)


def waiting(name: str, **changes):
    return a_step(name=name, state="pending") | {"attempts": 0, "started_at": None} | changes


def test_steps_are_drawn_with_their_flow_state_and_time():
    task = a_task(
        state="paused",
        state_updated_at="2025-11-03T12:00:20Z",
        ended_at=None,
        flow=["sequence", "dump", ["concurrence", ["sequence", "copy", "check"], "mail"], "tell"],
        steps=[
            a_run("plan", 0, 0),
            a_run("dump", 0, 4),
            a_run("copy", 4, 9, attempts=3),
            a_run("check", 9, 20),
            a_run("mail", 4, 6, "error", progress=0.4),
            waiting("tell"),
            waiting("finalize"),
        ],
    )

    assert printed(61, step_table(task)) == [
        "step      state      attempts  duration                   20s",
        "plan      success                  0.0s  ━",
        "dump      success                  4.0s  ━━━━",
        "┌─ copy   success           3      5.0s      ━━━━━",
        "│  check  success                   11s           ━━━━━━━━━━━",
        "└─ mail   error 40%                2.0s      ━━",
        "tell      pending",
        "finalize  pending",
    ]


@pytest.mark.parametrize("width", [80, 200])
def test_long_flow_fits_its_terminal_and_only_names_are_cut(width):
    names = [f"step_{n}_with_a_name_that_is_rather_long_and_goes_on" for n in range(50)]
    inner = ["concurrence", ["sequence", *names[30:49]], names[49]]
    flow = ["concurrence", ["concurrence", inner, *names[20:30]], ["sequence", *names[:20]]]
    steps = [a_run(name, n, n + 1) for n, name in enumerate(names)]

    heading, *rows = printed(width, step_table(a_task(flow=flow, steps=steps)))

    assert len(heading) == width
    assert all(len(row) <= width and " success      1.0s " in row for row in rows)
    assert any("…" in row for row in rows) == (width == 80)


def test_bar_of_a_running_step_reaches_the_end_of_the_line():
    task = a_task(state="running", ended_at=None, steps=[a_run("copy", 0, None, "running")])

    heading, row = printed(60, step_table(task))

    assert len(row) == len(heading) == 60


def test_step_that_is_to_begin_again_has_no_bar():
    task = a_task(
        state="running", ended_at=None, steps=[a_run("a", 0, 9), a_run("b", 9, None, "pending")]
    )

    assert printed(60, step_table(task))[-1] == "b     pending"


def test_task_that_has_not_begun_has_no_times():
    task = a_task(state="planned", started_at=None, ended_at=None, steps=[waiting("plan")])

    assert printed(60, step_table(task)) == ["step  state", "plan  pending"]


def test_action_is_shown_as_its_user_needs_it():
    action = an_action(
        doc="Back up a site.",
        locks=["site:{site}/backup"],
        singleton=True,
        cancellable=False,
        isolation="thread",
        fields=[
            a_field(),
            a_field(name="password", schema={"type": "string", "format": "secret"}),
            a_field(name="hosts", schema={"type": "array", "items": {"type": "integer"}}),
            a_field(name="level", schema={"enum": ["a", "b"]}, required=False, default="a"),
        ],
        steps=[
            an_action_step(doc="Dump the database."),
            an_action_step(
                name="copy",
                command={"line": 'cp "$dump" /mnt\nsync\n'},
                needs=["dump"],
                retry={"times": 3, "delay": 30.0, "factor": 2.0, "jitter": 0.1},
                timeout=600.0,
                rescue="skip",
                idempotent=True,
            ),
        ],
        finalize=an_action_step(name="finalize"),
    )

    assert printed(80, action_panel(action)) == [
        "backup.site",
        "  Back up a site.",
        "",
        "  title   Back up {site}",
        "  locks   site:{site}/backup, action:backup.site",
        "  rescue  pause",
        "  cancel  not while it runs",
        "  runs    in the daemon itself",
        "  file    /a/backup.yaml:1",
        "",
        "Inputs",
        "  site      text                              required",
        "  password  secret text                       required",
        "  hosts     a list, each item a whole number  required",
        '  level     one of a, b                       default "a"',
        "",
        "Steps",
        "  dump      Dump the database.",
        '  copy      cp "$dump" /mnt …',
        "            needs dump; retry 3 times, after 30s ± 10%, then 2 times as long;",
        "            time limit 10m 0s; rescue skip; idempotent",
        "  finalize",
        "",
        "Run",
        "  taskctl run backup.site site=… password=@FILE hosts='[…]'",
    ]


def test_steps_of_which_nothing_more_is_known_are_named():
    action = an_action(steps=[an_action_step(name="a", doc=" \n")])

    shown = printed(80, action_panel(action))

    assert shown[shown.index("Steps") + 1] == "  a"


def test_what_the_code_of_an_action_decides_is_not_told_as_known():
    action = an_action(title="Back up site", planner="host", flow=None, steps=[], fields=[])

    shown = printed(80, action_panel(action))

    assert "  plan    its code decides on title, locks and steps" in shown
    assert not any(line.startswith("  title") for line in shown)
