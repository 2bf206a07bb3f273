import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import sysconfig
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration  # many processes: once, not on every Python

TRENOVA_WORKERS = Path(sysconfig.get_path("scripts")) / "trenova-workers"


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, *command, **environ):
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [str(one) for one in command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "160", "LINES": "40", **environ},
            start_new_session=True,
        )
        os.close(slave)
        self._shown = ""

    def until(self, pattern, *, seconds=40):
        """Read until what was shown since the last call matches, and forget it."""
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self._shown)):
            ready, _, _ = select.select([self._master], [], [], 0.2)
            if ready:
                with contextlib.suppress(OSError):
                    self._shown += os.read(self._master, 65536).decode(errors="replace")
            if time.monotonic() > end:
                pytest.fail(f"{pattern!r} was not shown: {self._shown[-2000:]!r}")
        self._shown = self._shown[found.end() :]
        return found

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)


@pytest.mark.slow
def test_a_watch_shows_a_lost_server_and_goes_on_when_it_is_back(own_server, sample):
    child = sample.start("run", POD_NAME="pod-7")
    child.until_ready()
    address = own_server[0].address
    terminal = Terminal(
        TRENOVA_WORKERS, "list", "--watch", "--every", "0.3", "--service", "sample-worker", TEMPORAL_ADDRESS=address
    )
    try:
        terminal.until("Ctrl-C ends")
        terminal.until("pod-7.*running")

        own_server[0].kill()
        terminal.until("does not answer, this is [0-9]+ s old")
        own_server.append(type(own_server[0]).start(own_server[0].port))
        terminal.until("Ctrl-C ends")
        terminal.until("pod-7.*running")  # the worker has come back too

        terminal.process.send_signal(signal.SIGINT)
        assert terminal.process.wait(timeout=60) == 0
    finally:
        terminal.end()


def test_a_watch_that_begins_without_a_server_waits_for_it(own_server):
    (server,) = own_server
    server.kill()
    environ = {**os.environ, "TEMPORAL_ADDRESS": server.address}
    command = [TRENOVA_WORKERS, "list", "--watch", "--every", "0.2", "--json", "--service", "nobody"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        first = json.loads(process.stdout.readline() or "{}")
        own_server.append(type(server).start(server.port))
        found = next((look for line in process.stdout if "workers" in (look := json.loads(line))), None)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0

    assert f"No Temporal server at '{server.address}' lets us in" in first["error"]
    assert found["workers"] == []


def test_a_watch_of_a_namespace_that_is_not_there_is_refused(server):
    command = [TRENOVA_WORKERS, "list", "--watch", "--namespace", "nowhere"]
    environ = {**os.environ, "TEMPORAL_ADDRESS": server.address}
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)

    assert ended.returncode == 2
    assert "no namespace 'nowhere'" in ended.stderr


def test_a_watch_without_a_terminal_prints_lines(server):
    environ = {**os.environ, "TEMPORAL_ADDRESS": server.address}
    command = [TRENOVA_WORKERS, "list", "--watch", "--every", "0.2", "--json", "--service", "nobody"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        first, second = (json.loads(process.stdout.readline()) for _ in range(2))
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0

    assert first["workers"] == second["workers"] == []  # of the service that nobody runs
    assert first["at"] < second["at"]
