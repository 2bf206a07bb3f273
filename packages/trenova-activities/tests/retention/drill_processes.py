"""The three kinds of process that a drill kills: a worker, a Temporal server on a file, a PostgreSQL server."""

import os
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from trenova_activities import SEARCH_ATTRIBUTES
from trenova_activities.testing import PostgresServer

TEMPORAL = str(Path(sysconfig.get_path("scripts")) / "temporal")
_WORKER = Path(__file__).with_name("purge_worker.py")
_PATIENCE_S = 120
_EVENTS = 100  # of a history, after which a run continues as new; a chain is then more than one execution
_LOOK_S = 0.1


@dataclass
class TemporalServer:
    """A dev server whose file outlives it; it comes back at the same address."""

    folder: Path
    address: str = ""
    kills: int = 0
    _process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        self.address = self.address or f"127.0.0.1:{_free_port()}"
        command = [TEMPORAL, "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--log-level", "never"]
        command += ["--port", self.address.rpartition(":")[2], "--db-filename", str(self.folder / "temporal.db")]
        command += ["--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=1"]
        command += ["--dynamic-config-value", f"limit.historyCount.suggestContinueAsNew={_EVENTS}"]
        for key in SEARCH_ATTRIBUTES:
            command += ["--search-attribute", f"{key.name}={_camel(key.indexed_value_type.name)}"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _eventually(self._answers)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            self.kills += 1

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "the Temporal server did not start"
        command = [TEMPORAL, "operator", "namespace", "describe", "-n", "default", "--address", self.address]
        return subprocess.run(command, capture_output=True, timeout=30).returncode == 0


@dataclass
class Worker:
    """One worker process at a time."""

    arguments: tuple[str, ...]
    kills: int = 0
    _process: subprocess.Popen[str] | None = field(default=None)

    def start(self) -> None:
        command = [sys.executable, str(_WORKER), *self.arguments]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout.readline().strip() == "working"

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()
            self._process = None
            self.kills += 1


def kill_postgres(server: PostgresServer) -> None:
    """End the postmaster as ``kill -9`` does, wait until its children have noticed, and start it again.

    A new server refuses the data as long as one of them lives.
    """
    assert server.pid is not None
    children = _children(server.pid)
    server.halt(how=signal.SIGKILL)
    _eventually(lambda: not any(_lives(child) for child in children))
    server.start()


def crash_postgres(server: PostgresServer) -> None:
    """End it at once, without a checkpoint, and start it again."""
    server.halt(how=signal.SIGQUIT)
    server.start()


def _children(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=True)
    return [int(line) for line in listed.stdout.split()]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def _eventually(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, "nothing happened in two minutes"
        time.sleep(_LOOK_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _camel(name: str) -> str:
    return name.title().replace("_", "")
