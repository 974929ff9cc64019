"""What is told of a task: a program to run, and what it reads.

command  the JSON of `taskctl show ID -o json`, and `event`
webhook  the same
mail     a summary for people, with what to type
"""

import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from getpass import getuser

from taskd import wire
from taskd.executors.bare_python import bare_python
from taskd.executors.environment import of_daemon
from taskd.model.task import State, Task
from taskd.notifications import EVENTS, Rule

SECONDS = 30.0  # that a command or sendmail has
WEBHOOK_SECONDS = 10.0
MAX_LINE = 200
_WEBHOOK = bare_python("taskd.engine.webhook")
_NOT_ON_PATH = ("/usr/sbin", "/usr/lib")  # of most users, and yet sendmail is there


@dataclass(frozen=True)
class Notice:
    arguments: tuple[str, ...]
    text: bytes
    environment: Mapping[str, str]
    seconds: float


def write(rule: Rule, event: str, task: Task) -> Notice:
    told = {"TASKD_TASK_ID": str(task.id), "TASKD_EVENT": event}
    match rule.way:
        case "command":
            shell = ("/bin/sh", "-c", rule.target)
            return Notice(shell, _json(event, task), of_daemon() | told, SECONDS)
        case "mail":
            sendmail = (_sendmail(), "-t", "-i")
            return Notice(sendmail, _mail(rule.target, event, task), of_daemon() | told, SECONDS)
        case _:
            text = rule.target.encode() + b"\n" + _json(event, task)
            # The whole environment: proxies and certificates are named there.
            return Notice(_WEBHOOK, text, os.environ | told, WEBHOOK_SECONDS)


def one_line(text: str) -> str:
    """Of untrusted text: no header, no second line and no escape sequence comes of it."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]}…"


def _json(event: str, task: Task) -> bytes:
    return wire.dumps({"event": event} | wire.encode(task)).encode()


def _sendmail() -> str:
    folders = os.pathsep.join((os.environ.get("PATH", os.defpath), *_NOT_ON_PATH))
    return shutil.which("sendmail", path=folders) or "sendmail"


def _mail(addresses: str, event: str, task: Task) -> bytes:
    mail = EmailMessage()
    # The mail system adds its domain, as for cron.
    mail["From"] = Address("taskd", getuser())
    mail["To"] = addresses
    subject = f"task {task.id} ({one_line(task.name)}) {EVENTS[event]}"
    mail["Subject"] = f"taskd on {socket.gethostname()}: {subject}"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("\n".join(_summary(task)) + "\n")
    return mail.as_bytes()


def _summary(task: Task) -> Iterator[str]:
    """As the task is now, which may be another state than that of which is told."""
    paused = task.state is State.PAUSED
    result = f"{task.result}, if it were stopped now" if paused else str(task.result)
    yield f"Task:    {task.id} {one_line(task.name)}"
    yield f"Action:  {one_line(task.label)}"
    yield f"State:   {task.state} since {task.state_updated_at:%Y-%m-%d %H:%M:%S} UTC"
    yield f"Result:  {result}"
    for error in task.errors:
        yield f"Error:   step {one_line(error.step)}: {one_line(error.reason)}"
    yield ""
    yield f"taskctl show {task.id}"
    if paused:
        yield f"taskctl resume {task.id}"
