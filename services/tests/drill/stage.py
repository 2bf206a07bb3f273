"""A server, the three workers and their database: what a drill breaks and mends."""

import asyncio
import os
import signal
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiosqlite
from service_processes import TEMPORAL, Running, Services, TemporalServer, clean_environ, end
from temporalio.client import Client, WorkflowHandle
from tms_rows import Tms, opened, seeded, sqlite_url

from trenova_activities import DuplicateShipmentPayload, start_duplicate

HERE = Path(__file__).parent
MODULES = ("shipment_worker", "notification_worker", "system_worker")
READY_S = 120
"""Seconds that a worker may take to be ready on a machine that is busy."""


class Site:
    """All of it in one folder, with a key ring in a file as in production."""

    def __init__(self, folder: Path, targets: Path) -> None:
        self.folder = folder
        self.server = TemporalServer()
        self.ring = folder / "keyring.json"
        path = os.pathsep.join([str(TEMPORAL.parent), os.environ["PATH"]])
        environ = clean_environ(
            PATH=path,
            PYTHONPATH=str(HERE),
            TEMPORAL_ADDRESS=self.server.address,
            TRENOVA_DATA_DIR=str(folder),
            TRENOVA_CODEC__ENCRYPTION__KEYS__SOURCE="file",
            TRENOVA_CODEC__ENCRYPTION__KEYS__PATH=str(self.ring),
            TRENOVA_CODECS_RING=str(self.ring),
            TRENOVA_WORKER__METRICS__EXPORTER="prometheus",
            TRENOVA_WORKER__METRICS__TARGETS_DIR=str(targets),
            TRENOVA_WORKER__HEARTBEAT_INTERVAL_S="1",
        )
        self.services = Services(folder, environ)
        self.workers: dict[str, Running] = {}
        self.processes: list[subprocess.Popen[bytes]] = []

    async def open(self) -> None:
        """Make a ring and a TMS with two organizations, and start the workers."""
        await self.command("trenova-codecs", "keys", "init", "--ring", str(self.ring), "--id", "k1")
        await seeded(sqlite_url(self.folder))
        await asyncio.to_thread(self.services.prepare, *MODULES)
        await asyncio.gather(*(self.start(module) for module in MODULES))

    async def start(self, module: str, *, of: str | None = None, **environ: str) -> None:
        """Start a worker, or a broken one in its place, and wait until it is ready."""
        self.workers[module] = running = self.services.run(of or module, **environ)
        async with asyncio.timeout(READY_S):
            while (await asyncio.to_thread(running.readyz))[0] != 200:
                assert running.process.poll() is None, running.log.read_text()[-2000:]
                await asyncio.sleep(0.2)

    def kill(self, module: str) -> None:
        self.workers[module].kill()

    async def restart(self, module: str, *, of: str | None = None, **environ: str) -> None:
        """Put a worker in the place of the one that is there."""
        self.kill(module)
        await self.start(module, of=of, **environ)

    @contextmanager
    def held(self, process: "subprocess.Popen[Any]") -> Iterator[None]:
        """Hold a process up, as a machine without time for it does."""
        process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Keep everybody else from writing into the TMS."""
        async with aiosqlite.connect(self.folder / "tms.db", timeout=60) as connection:
            await connection.execute("BEGIN IMMEDIATE")
            yield
            await connection.rollback()

    @asynccontextmanager
    async def tms(self) -> AsyncIterator[Tms]:
        async with opened(sqlite_url(self.folder)) as tms:
            yield tms

    async def requests(self, count: int) -> list[DuplicateShipmentPayload]:
        """That many duplications of one shipment."""
        async with self.tms() as tms:
            return [tms.request(idempotency_key=uuid.uuid4().hex, count=1) for _ in range(count)]

    async def duplicate(
        self, asked: "int | list[DuplicateShipmentPayload]", *, client: Client | None = None
    ) -> list[WorkflowHandle[Any, Any]]:
        """Ask for duplications."""
        requests = await self.requests(asked) if isinstance(asked, int) else asked
        caller = client or await self.services.client()
        return [await start_duplicate(caller, request) for request in requests]

    async def done(self, workflow_id: str) -> None:
        """Wait for a run as somebody who can read its result."""
        await (await self.services.client()).get_workflow_handle(workflow_id).result()

    async def command(self, *words: str, **environ: str) -> str:
        """Run a command to its end and return what it said; it must do what it was asked."""
        done = await asyncio.create_subprocess_exec(
            *words,
            env=self.services.environ | environ,
            cwd=self.folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await asyncio.wait_for(done.communicate(), 120)
        assert done.returncode == 0, f"{words}: {out.decode()}"
        return out.decode()

    def run(self, *words: str, log: str) -> "subprocess.Popen[bytes]":
        """Start a command that goes on."""
        with (self.folder / log).open("wb") as out:
            process = subprocess.Popen(words, env=self.services.environ, cwd=self.folder, stdout=out, stderr=out)
        self.processes.append(process)
        return process

    def close(self) -> None:
        for process in self.processes:
            end(process)
        self.services.close()
        end(self.server.process)
