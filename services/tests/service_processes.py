"""A real Temporal server and the services as real processes; needs only what every service declares for its tests."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, Plugin

from trenova_codecs import client_plugin
from trenova_errors import ErrorsPlugin

TEMPORAL = Path(sysconfig.get_path("scripts")) / "temporal"
KEYS = {
    "TRENOVA_CODEC__ENCRYPTION__KEYS__SOURCE": "environment",
    "TEMPORAL_ENCRYPTION_ACTIVE_KEY": "k1",
    "TEMPORAL_ENCRYPTION_KEY_k1": base64.b64encode(os.urandom(32)).decode(),
}
"""For services and callers that are started without ``up``."""

_NOT_INHERITED = ("TEMPORAL_", "TRENOVA_", "SHIPMENT_WORKER_", "NOTIFICATION_WORKER_", "SYSTEM_WORKER_")


def eventually(look: Callable[[], Any], *, seconds: float = 30) -> Any:
    """Return the first true answer of ``look``."""
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s in vain")
        time.sleep(0.05)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environ(**more: str) -> dict[str, str]:
    """The environment of this process without what would tell a service something."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
    return {**inherited, "PYTHONDONTWRITEBYTECODE": "", "TRENOVA_LOG__FORMAT": "json", **more}


def codec(environ: Mapping[str, str]) -> Plugin:
    """The codec of whoever calls services that have this environment."""
    plugin = client_plugin.plugin(environ)
    assert plugin is not None
    return plugin


def end(process: "subprocess.Popen[Any]") -> None:
    """End a process that this module started, at once."""
    if process.poll() is None:
        process.kill()
    process.wait(10)


class TemporalServer:
    """A dev server that keeps everything in memory."""

    def __init__(self) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        command = [TEMPORAL, "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--log-level", "never"]
        self.process = subprocess.Popen(
            [*command, "--port", self.address.rpartition(":")[2]], stdout=subprocess.DEVNULL
        )
        try:
            eventually(self._answers)
        except BaseException:
            end(self.process)
            raise

    def _answers(self) -> bool:
        assert self.process.poll() is None, "the server did not start"
        command = [TEMPORAL, "operator", "namespace", "describe", "-n", "default", "--address", self.address]
        return subprocess.run(command, capture_output=True, check=False, timeout=30).returncode == 0


@dataclass
class Running:
    """One ``run`` of a service."""

    process: "subprocess.Popen[bytes]"
    log: Path
    health: str

    def readyz(self) -> tuple[int, dict[str, Any]]:
        """Status and body; status 0 while nobody answers."""
        try:
            with urllib.request.urlopen(f"{self.health}/readyz", timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)
        except OSError:
            return 0, {}

    def until_ready(self) -> dict[str, Any]:
        def look() -> Any:
            assert self.process.poll() is None, self.log.read_text()
            status, body = self.readyz()
            return status == 200 and body

        return eventually(look)

    def kill(self) -> None:
        """End it as ``kill -9`` does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def drain(self, seconds: float = 40) -> int:
        """Send SIGTERM and return the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)


@dataclass
class Services:
    """Runs services in one folder against one Temporal server and one database."""

    folder: Path
    environ: dict[str, str]
    _started: list[Running] = field(default_factory=list)

    @property
    def address(self) -> str:
        return self.environ["TEMPORAL_ADDRESS"]

    async def client(self) -> Client:
        return await Client.connect(self.address, plugins=[ErrorsPlugin(), codec(self.environ)])

    async def caller(self) -> Client:
        """A client that knows nothing of us but the encryption: names and JSON."""
        return await Client.connect(self.address, plugins=[codec(self.environ)])

    def call(self, module: str, *verb: str, seconds: float = 60, **environ: str) -> "subprocess.CompletedProcess[str]":
        """Run one verb to its end."""
        return subprocess.run(
            [sys.executable, "-m", module, *verb],
            env=self.environ | environ,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )

    def prepare(self, *modules: str) -> None:
        """Prepare all at once, as they may be."""
        with ThreadPoolExecutor() as threads:
            for done in threads.map(lambda module: self.call(module, "prepare"), modules):
                assert done.returncode == 0, done.stderr

    def run(self, module: str, **environ: str) -> Running:
        """Start a worker and return at once."""
        port = free_port()
        log = self.folder / f"{module}-{len(self._started)}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", module, "run"],
                env=self.environ | {"TRENOVA_HEALTH__PORT": str(port)} | environ,
                cwd=self.folder,
                stdout=out,
                stderr=out,
            )
        self._started.append(Running(process, log, f"http://127.0.0.1:{port}"))
        return self._started[-1]

    def start(self, *modules: str) -> list[Running]:
        """Prepare and run the services and wait until all are ready."""
        self.prepare(*modules)
        running = [self.run(module) for module in modules]
        for one in running:
            one.until_ready()
        return running

    def close(self) -> None:
        for one in self._started:
            end(one.process)


@pytest.fixture(scope="session")
def temporal() -> Iterator[TemporalServer]:
    """One server for tests that share it without meeting."""
    server = TemporalServer()
    yield server
    end(server.process)


@pytest.fixture
def services(temporal: TemporalServer, tmp_path: Path) -> Iterator[Services]:
    """Services on the session's server and the SQLite file of the test's folder."""
    services = Services(
        tmp_path, clean_environ(TEMPORAL_ADDRESS=temporal.address, TRENOVA_DATA_DIR=str(tmp_path), **KEYS)
    )
    yield services
    services.close()
