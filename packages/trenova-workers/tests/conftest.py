"""A real Temporal server, and the sample service as a process of its own."""

import json
import os
import signal
import subprocess
import sys
import sysconfig
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from trenova_errors import ErrorsPlugin
from trenova_workers._up._ports import free_ports

SERVICES = Path(__file__).parent / "services"
sys.path.insert(0, str(SERVICES))  # so that tests and the service's processes import the same package

from sample_worker.waiting import eventually  # noqa: E402 (found on the path above)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As where a shell runs tests in the background; children would inherit it, and no Ctrl-C would reach them.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def free_port() -> int:
    return free_ports(1)[0]  # as `up` chooses, or other tests' connections would take it now and then


@dataclass
class Server:
    """A dev server in memory."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @classmethod
    def start(cls, port: int | None = None, *arguments: str) -> "Server":
        port = port or free_port()
        temporal = Path(sysconfig.get_path("scripts")) / "temporal"
        command = [temporal, "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(port)]
        process = subprocess.Popen([*command, "--log-level", "never", *arguments], stdout=subprocess.DEVNULL)
        server = cls(port, process)
        eventually(server._answers)
        return server

    def _answers(self) -> bool:
        assert self.process.poll() is None, "the server did not start"
        temporal = Path(sysconfig.get_path("scripts")) / "temporal"
        command = [temporal, "operator", "namespace", "describe", "-n", "default", "--address", self.address]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@dataclass
class Child:
    """A process of the sample service."""

    process: subprocess.Popen[str]
    log: Path
    _lines: list[dict[str, Any]] = field(default_factory=list)

    def logged(self) -> list[dict[str, Any]]:
        whole, _, _ = self.log.read_text().rpartition("\n")  # what follows the last end of a line is being written
        return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]

    @property
    def url(self) -> str:
        def look() -> str | None:
            assert self.process.poll() is None, self.log.read_text()
            return next((line["health"] for line in self.logged() if line["event"] == "starting"), None)

        return eventually(look)

    def readyz(self) -> httpx.Response:
        return httpx.get(f"{self.url}/readyz", timeout=10)

    def until_ready(self) -> dict[str, Any]:
        return eventually(lambda: (r := self.readyz()).status_code == 200 and r.json())

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self, *, seconds: float = 20) -> int:
        return self.process.wait(timeout=seconds)


@dataclass
class Sample:
    """Starts processes of the sample service, all on one queue that no other test uses."""

    folder: Path
    environ: dict[str, str]
    queue: str
    children: list[subprocess.Popen[str]] = field(default_factory=list)

    def _environ(self, more: dict[str, str]) -> dict[str, str]:
        return {**self.environ, **more}

    def start(self, *arguments: str, wrapper: Sequence[str] = (), group: bool = False, **environ: str) -> Child:
        """Start a process, by way of another command or as the first of a process group, if asked."""
        log = self.folder / f"{uuid.uuid4().hex}.log"
        with log.open("w") as stderr:
            process = subprocess.Popen(
                [*wrapper, sys.executable, "-m", "sample_worker", *arguments],
                process_group=0 if group else None,
                env=self._environ(environ),
                stderr=stderr,
                stdout=subprocess.DEVNULL,
                text=True,
                cwd=self.folder,
            )
        self.children.append(process)
        return Child(process, log)

    def call(self, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "sample_worker", *arguments],
            env=self._environ(environ),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=self.folder,
        )


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    server = Server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def fair_server() -> Iterator[Server]:
    """A server that balances fairness keys, set up for that as the one of ``up``."""
    server = Server.start(
        None,
        *("--dynamic-config-value", "matching.enableFairness=true"),
        *("--dynamic-config-value", "matching.useNewMatcher=true"),
        *("--search-attribute", "TrenovaOrganizationId=Keyword"),
    )
    yield server
    server.kill()


@pytest.fixture(scope="session")
def closing_server() -> Iterator[Server]:
    """A server that ends the polls of a worker that stops; one that the SDK breaks off may have a task on its way."""
    server = Server.start(None, "--dynamic-config-value", "frontend.enableCancelWorkerPollsOnShutdown=true")
    yield server
    server.kill()


@pytest.fixture
def own_server() -> Iterator[list[Server]]:
    """The test's own servers; it appends those that it starts."""
    servers = [Server.start()]
    yield servers
    for one in servers:
        one.kill()


@pytest.fixture
def sample(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sample]:
    """The sample service against the session's server, or against the test's own if it asks for one."""
    own = "own_server" in request.fixturenames
    address = (request.getfixturevalue("own_server")[0] if own else request.getfixturevalue("server")).address
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("TEMPORAL_", "TRENOVA_"))}
    queue = f"sample-{uuid.uuid4().hex[:8]}"
    sample = Sample(
        tmp_path,
        {
            **inherited,
            "PYTHONPATH": str(SERVICES),
            "PYTHONDONTWRITEBYTECODE": "",
            "TEMPORAL_ADDRESS": address,
            "TRENOVA_LOG__FORMAT": "json",
            "SAMPLE_WORKER_QUEUE": queue,
        },
        queue,
    )
    yield sample
    for child in sample.children:
        if child.poll() is None:
            child.kill()
        child.wait()


@pytest.fixture
async def client(server: Server) -> Client:
    return await Client.connect(server.address, plugins=[ErrorsPlugin()])
