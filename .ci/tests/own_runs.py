"""Run our own commands as people type them, each in a process of its own.

Importing what a command needs takes longer than most commands. So one process, ``python own_runs.py``, imports all of
them and makes a copy of itself for each that it is asked for, by a line of JSON on its standard input.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, NoReturn

OURS = ("trenova-", "shipment-worker", "notification-worker", "system-worker")
ENDS_WITHIN_S = 60
STOPS_WITHIN_S = 30


@dataclass(frozen=True)
class Run:
    """How a command ended: its exit status, 124 if it had to be killed, and all that it printed."""

    status: int
    output: str


class Runner:
    """The process that starts commands; end it with :meth:`close`."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], env=dict(environ), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(
        self,
        words: Sequence[str],
        environ: Mapping[str, str],
        folder: Path,
        *,
        read: Sequence[str] = (),
        stop_after: float | None = None,
    ) -> Run:
        """Run a command to its end.

        Args:
            words: The program, and what follows.
            environ: All of its environment.
            folder: Where it works.
            read: Lines that it reads; with none it reads ``y`` to whatever it asks.
            stop_after: For one that goes on until it is told to end: after how many seconds it gets SIGTERM.
        """
        with tempfile.NamedTemporaryFile("r", prefix="command-", suffix=".log", errors="replace") as printed:
            asked = {"words": words, "environ": dict(environ), "folder": str(folder), "stop_after": stop_after}
            asked["read"] = "".join(f"{line}\n" for line in read or ("y", "y", "y"))
            assert self._process.stdin
            assert self._process.stdout
            self._process.stdin.write(json.dumps({**asked, "printed": printed.name}) + "\n")
            self._process.stdin.flush()
            return Run(int(self._process.stdout.readline()), printed.read())

    def close(self) -> None:
        """End the process."""
        with ExitStack() as stack:
            for pipe in (self._process.stdin, self._process.stdout):
                assert pipe
                stack.callback(pipe.close)
            self._process.kill()
            self._process.wait(10)


def serve() -> None:
    """Run what is asked for, one after the other, and answer each with its exit status."""
    ours = [point for point in entry_points(group="console_scripts") if point.name.startswith(OURS)]
    programs = {point.name: point.load() for point in ours}
    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if not pid:
            _become(programs, asked)
        sys.stdout.write(f"{_ended(pid, asked['stop_after'])}\n")
        sys.stdout.flush()


def _become(programs: Mapping[str, Any], asked: Mapping[str, Any]) -> NoReturn:
    """Be the command that was asked for, in a session of its own, so that its children end with it."""
    os.setsid()
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environ"])
    reading, writing = os.pipe()
    os.write(writing, asked["read"].encode())
    os.close(writing)
    printed = os.open(asked["printed"], os.O_WRONLY)
    for source, target in ((reading, 0), (printed, 1), (printed, 2)):
        os.dup2(source, target)
    sys.argv = list(asked["words"])
    status = 1
    try:
        programs[sys.argv[0]]()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - told as the interpreter would, without unwinding into the parent's loop
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _ended(pid: int, stop_after: float | None) -> int:
    """Wait for the end of a process; tell it to end, and kill it if it does not."""
    if stop_after is not None:
        status = _waited(pid, stop_after)
        if status is not None:
            return status
        os.kill(pid, signal.SIGTERM)
    status = _waited(pid, ENDS_WITHIN_S if stop_after is None else STOPS_WITHIN_S)
    if status is None:
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return 124
    return status


def _waited(pid: int, seconds: float) -> int | None:
    """The exit status of a process that ends in time."""
    latest = time.monotonic() + seconds
    while time.monotonic() < latest:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    return None


if __name__ == "__main__":
    serve()
