import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from temporalio.client import Client

sys.path.insert(0, str(Path(__file__).parent))

from collector import Collector
from sample_worker.waiting import eventually

from trenova_errors import ErrorsPlugin
from trenova_workers import ObservabilityOptions, ObservabilityPlugin

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """One for all: the tracer provider of this process, which is the caller, is set once."""
    collector = Collector()
    collector.start()
    yield collector
    collector.stop()


@pytest.fixture(scope="session")
def tracing(collector: Collector) -> ObservabilityPlugin:
    """What a caller gives to its client."""
    return ObservabilityPlugin(
        ObservabilityOptions(otlp_url=collector.grpc_url, otlp_interval_s=0.1), service="tms-api"
    )


@dataclass
class Traced:
    """The traced service, on a queue of its own."""

    client: Client
    collector: Collector
    folder: Path
    queue: str
    address: str
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self, **environ: str) -> "subprocess.Popen[bytes]":
        log = self.log(len(self.processes))
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "TRENOVA_"))}
        told = {
            "PYTHONPATH": str(HERE),
            "PYTHONDONTWRITEBYTECODE": "",
            "TEMPORAL_ADDRESS": self.address,
            "TRENOVA_LOG__FORMAT": "json",
            "TRENOVA_OBSERVABILITY__OTLP_URL": self.collector.http_url,
            "TRENOVA_OBSERVABILITY__OTLP_PROTOCOL": "http",
            "TRENOVA_OBSERVABILITY__OTLP_INTERVAL_S": "0.1",
            "TRACED_WORKER_QUEUE": self.queue,
            "TRACED_WORKER_STORE": f"sqlite+aiosqlite:///{self.folder}/store.db",
        }
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-c", "import traced_worker; traced_worker.main()", "run"],
                env={**clean, **told, **environ},
                stdout=out,
                stderr=out,
                cwd=self.folder,
            )
        self.processes.append(process)

        def polls() -> bool:
            assert process.poll() is None, log.read_text()
            return '"polling"' in log.read_text()

        eventually(polls)
        return process

    def log(self, number: int = 0) -> Path:
        return self.folder / f"worker-{number}.log"


@pytest.fixture
async def traced(server, collector: Collector, tracing: ObservabilityPlugin, tmp_path: Path):
    client = await Client.connect(server.address, plugins=[tracing, ErrorsPlugin()])
    traced = Traced(client, collector, tmp_path, f"traced-{uuid.uuid4().hex[:8]}", server.address)
    yield traced
    for process in traced.processes:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.fixture(scope="session")
def yard(tracing: ObservabilityPlugin) -> Iterator[str]:
    """A web server of this process; the URL of one of its docks."""
    app = FastAPI()

    @app.get("/docks/{dock}")
    async def dock(dock: str) -> str:
        return dock

    @app.get("/healthz")
    async def healthz() -> str:
        return "well"

    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    eventually(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/docks/7"
    server.should_exit = True
    thread.join()
