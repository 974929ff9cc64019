"""A host: the process that loads the action files and runs their steps, one after the other.

    python -m taskd.executors.host ACTION_FOLDER… -- FOLDER ALIVE_FD SOCKET_FD MARK

→ {"ready":true}
← {"settled":[15,16]} or a call: {"id":17, "step":"dump", …}, one JSON object a line
→ {"id":17,"progress":[0.4,"40 of 100"]} or {"id":17,"external_id":"…"}
→ {"id":17,"outcome":"Success","value":{"output":…},"seconds":0.2,"at":1764028800.5}

It outlives the daemon. When the socket ends it has finished the step at hand; it leaves in FOLDER
what the daemon had not told to be settled, and ends. What recovery must know of a host that is
still at it is in FOLDER/state and FOLDER/said, see `record.py` and `said.py`.
"""

import contextlib
import json
import os
import select
import signal
import socket
import sys
import threading
import time
import traceback
from functools import partial
from typing import Any

# An upgrade may replace its files: what a step may import is loaded before.
import taskd.client  # noqa: F401
from taskd import wire
from taskd.actions.current import Current
from taskd.catalog import python_source
from taskd.executors import kernel
from taskd.executors.base import Call, Cancelled, Failure, Outcome, Progress, Success
from taskd.executors.news import News
from taskd.executors.record import Record
from taskd.executors.run_step import run_step
from taskd.executors.said import Said
from taskd.executors.step_log import StepLog
from taskd.executors.surroundings import Surroundings
from taskd.model.record import build

_PIPE = 1 << 16


class Output:
    """What steps print to descriptors 1 and 2, in the log of the call at hand."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._log: StepLog | None = None
        self._writers: dict[int, int] = {}  # of the pipes that are descriptors 1 and 2
        self._streams = {self._capture(1): "stdout", self._capture(2): "stderr"}
        self._files = {"stdout": sys.stdout, "stderr": sys.stderr}
        self._poll = select.poll()
        for fd in self._streams:
            self._poll.register(fd, select.POLLIN)
        self._start_pump()

    def begin(self, call: Call) -> None:
        """Whatever earlier steps made of `sys.stdout` and `sys.stderr`, they are as they were."""
        for fd, writer in self._writers.items():
            os.dup2(writer, fd)
        for fd, (name, file) in enumerate(self._files.items(), 1):
            if file.closed:
                file = self._files[name] = os.fdopen(fd, "w", closefd=False)
            setattr(sys, name, file)
        with self._lock:
            self._log = StepLog(call)

    def end(self) -> None:
        """Write what is still in the pipes, and close the log."""
        for file in self._files.values():
            with contextlib.suppress(ValueError, OSError):  # the step has closed it
                file.flush()
        with self._lock:
            while self._move():
                pass
            if self._log:
                self._log.close()
            self._log = None

    def _capture(self, fd: int) -> int:
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.dup2(writer, fd)
        self._writers[fd] = writer
        return reader

    def _start_pump(self) -> None:
        """However long there can be no further thread: the step waits for its host."""
        while True:
            try:
                return threading.Thread(target=self._pump, name="output", daemon=True).start()
            except RuntimeError:
                time.sleep(1)

    def _pump(self) -> None:
        forever = select.poll()
        for fd in self._streams:
            forever.register(fd, select.POLLIN)
        while True:
            forever.poll()
            with self._lock:
                self._move()

    def _move(self) -> bool:
        ready = self._poll.poll(0)
        for fd, _ in ready:
            data = os.read(fd, _PIPE)
            if not data:
                raise EOFError("a step has closed what its host stands on")
            if self._log:
                self._log.write(self._streams[fd], data)
        return bool(ready)


class Host:
    def __init__(self, folder: str, connection: socket.socket) -> None:
        self._folder = folder
        self._connection = connection
        self._record = Record(os.path.join(folder, "state"))
        self._said = Said(folder)
        self._output = Output()
        self._unsettled: dict[int, bytes] = {}
        self._current: Current | None = None
        self._told_to_end = False  # no further call comes after that
        self._pid = os.getpid()
        self._surroundings = Surroundings()
        signal.signal(signal.SIGUSR1, self._tell_cancelled)

    def serve(self) -> None:
        """Run what comes until the socket ends; then leave what was not settled."""
        self._send(b'{"ready":true}\n')
        buffer = b""
        while data := self._receive():
            *lines, buffer = (buffer + data).split(b"\n")
            for line in lines:
                if not self._take(json.loads(line.decode())):
                    return
        self._leave()

    def _take(self, message: dict[str, Any]) -> bool:
        if "id" not in message:
            for number in message["settled"]:
                self._unsettled.pop(number, None)
            return not message.get("end", False)
        call = _read_call(message)
        if not self._record.begin(call.id, list(self._unsettled)):
            self._leave()
            return False
        begun = time.perf_counter()
        outcome = self._run(call)
        self._answer(call, outcome, time.perf_counter() - begun)
        return True

    def _run(self, call: Call) -> Outcome:
        news = News(partial(self._progressed, call.id))
        tell = partial(self._tell_external_id, call.id)
        current = Current(
            call.task_id, call.attempt, call.kept, news.take, tell, secrets=call.secrets
        )
        current.cancelled = self._told_to_end
        self._current = current
        self._output.begin(call)
        self._surroundings.restore()
        outcome = run_step(call, current)
        if os.getpid() != self._pid:
            os._exit(0)  # a child that the step forked and let return: it has no part in this
        self._output.end()
        news.end()
        self._current = None
        if current.cancelled and isinstance(outcome, Failure):
            return Cancelled()
        return outcome

    def _answer(self, call: Call, outcome: Outcome, seconds: float) -> None:
        line = _outcome_line(call.id, outcome, seconds)
        self._unsettled[call.id] = line
        self._send(line)

    def _progressed(self, call_id: int, progress: Progress) -> None:
        word = [progress.fraction, progress.note]
        if not self._send(json.dumps({"id": call_id, "progress": word}).encode() + b"\n"):
            self._said.write(call_id, progress=word)

    def _tell_external_id(self, call_id: int, external_id: str) -> None:
        self._said.write(call_id, external_id=external_id)
        self._send(json.dumps({"id": call_id, "external_id": external_id}).encode() + b"\n")

    def _receive(self) -> bytes:
        try:
            return self._connection.recv(1 << 18)
        except ConnectionError:
            return b""

    def _send(self, line: bytes) -> bool:
        """False when there is no daemon any more: what it must know is left in the folder."""
        try:
            self._connection.sendall(line)
            return True
        except OSError:
            return False

    def _leave(self) -> None:
        """However long the disk is full. Without its folder nobody wants it."""
        while True:
            try:
                return self._write_outcomes()
            except FileNotFoundError:
                return None
            except OSError:
                time.sleep(1)

    def _write_outcomes(self) -> None:
        path = os.path.join(self._folder, "outcomes")
        with open(path + ".part", "wb") as file:
            file.writelines(self._unsettled.values())
            file.flush()
            os.fsync(file.fileno())
        os.rename(path + ".part", path)

    def _tell_cancelled(self, *_: object) -> None:
        self._told_to_end = True
        if self._current:
            self._current.cancelled = True


def _read_call(message: dict[str, Any]) -> Call:
    try:
        return build(Call, **message)
    except TypeError:  # of a daemon that is older than these files
        return wire.decode(Call, message)


def _outcome_line(call_id: int, outcome: Outcome, seconds: float) -> bytes:
    if isinstance(outcome, Success):  # the common case, without the walk over fields
        value = json.dumps({"output": outcome.output})
        head = f'"id":{call_id},"outcome":"Success","seconds":{seconds:.6f},"at":{time.time():.6f}'
        return f'{{{head},"value":{value}}}\n'.encode()
    message = {
        "id": call_id,
        "outcome": type(outcome).__name__,
        "seconds": seconds,
        "at": time.time(),
        "value": outcome,
    }
    return wire.dumps(message).encode() + b"\n"


def main() -> None:
    *action_folders, _, folder, alive, connection, mark = sys.argv[1:]
    kernel.mark(int(mark))
    os.set_inheritable(int(alive), False)
    with open(os.path.join(folder, "pid"), "r+") as file:
        file.write(str(os.getpid()))
    # What a step leaves behind stays in this process's tree, and ends with it.
    kernel.adopt_orphans()
    sys.dont_write_bytecode = True  # a .pyc of an edited file looks fresh within the same second
    python_source.mount(action_folders)
    channel = socket.socket(fileno=int(connection))
    channel.set_inheritable(False)
    log = os.dup(2)  # the daemon's; what is written to 2 goes to the logs of steps
    try:
        Host(folder, channel).serve()
    except BaseException:  # a step may have closed or spoiled what a host stands on
        with contextlib.suppress(OSError):
            os.write(log, traceback.format_exc().encode())
        os._exit(1)
    os._exit(0)  # threads that a step left running must not hold the process


if __name__ == "__main__":
    main()
