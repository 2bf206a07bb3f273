"""A deployment of a tiny module, with workers of two releases on a real server."""

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.runtime import Runtime, TelemetryConfig

from trenova_errors import ConfigurationError
from trenova_workers import Work, WorkerOptions
from trenova_workers._deployment import DeploymentOptions
from trenova_workers._workers import Workers
from trenova_workers.deploy import DeploymentStatus, Operator

sys.path.insert(0, str(Path(__file__).parent))

from asking import until
from releases import NEW, OLD


@dataclass
class Site:
    """A deployment of its own, on a queue of its own."""

    address: str
    client: Client
    name: str
    runtime: Runtime
    running: dict[str, Workers] = field(default_factory=dict)
    started: list[str] = field(default_factory=list)

    @property
    def operator(self) -> Operator:
        return Operator(self.client, self.name, by="alice@desk")

    async def start(self, build: str, release: Work) -> None:
        """Start a worker of a release and wait until the server knows it."""
        identity = f"{self.name}@host:{len(self.started) + 1}#{uuid.uuid4().hex[:8]}"
        self.started.append(identity)
        client = await Client.connect(self.address, runtime=self.runtime, identity=identity)
        deployment = DeploymentOptions(versioned=True, name=self.name)
        options = WorkerOptions(build_id=build, deployment=deployment, graceful_shutdown_s=1)
        workers = Workers([(self.name, client)], release, options)
        workers.start()
        self.running[build] = workers

        async def served() -> bool:
            try:
                version = (await self.operator.reader.read()).version(build)
            except ConfigurationError:  # before the first poll there is no deployment
                return False
            return version is not None and not version.unserved_queues and version.served

        await until(served)

    async def stop(self, build: str) -> None:
        workers = self.running.pop(build)
        await asyncio.gather(*(one.shutdown() for one in workers.workers), *workers._running)

    async def status(self) -> DeploymentStatus:
        return await self.operator.reader.read()

    async def on(self, build: str, count: int) -> None:
        """Wait until so many open runs are on a version."""

        async def there() -> bool:
            return await self.operator.reader.count(build, "ExecutionStatus = 'Running'") == count

        await until(there)

    async def begin(self, workflow: str, count: int, prefix: str) -> list[WorkflowHandle]:
        return [
            await self.client.start_workflow(workflow, id=f"{self.name}/{prefix}-{n}", task_queue=self.name)
            for n in range(count)
        ]

    async def end(self, handles: Sequence[WorkflowHandle]) -> list[str]:
        """Let runs go on to their end; return which release ended each."""
        for one in handles:
            await one.signal("go")
        async with asyncio.timeout(40):
            return [await one.result() for one in handles]


@pytest.fixture
async def site(server) -> AsyncIterator[Site]:
    runtime = Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=timedelta(seconds=1))
    client = await Client.connect(server.address, runtime=runtime)
    site = Site(server.address, client, f"releases-{uuid.uuid4().hex[:8]}", runtime)
    yield site
    for build in list(site.running):
        await site.stop(build)


@pytest.fixture
async def two(site) -> Site:
    """Version 1.0 is current, and workers of 2.0 wait to be promoted."""
    await site.start("1.0", OLD)
    await site.operator.promote("1.0", reason="first")
    await site.start("2.0", NEW)
    return site
