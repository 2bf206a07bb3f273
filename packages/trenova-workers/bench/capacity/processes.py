"""Processes of a measurement: the server as ``trenova-workers up`` starts it, and workers."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil
from temporalio.client import Client

from trenova_workers._up._embedded import EmbeddedServer, installed_binary, require_binary
from trenova_workers._up._options import Options
from trenova_workers._up._processes import Processes

T = TypeVar("T")

_BENCH = Path(__file__).parent.parent
_NOT_INHERITED = ("PYTHON", "TRENOVA_", "TEMPORAL_")
_STOP_S = 60


class WorkerEndedError(RuntimeError):
    """A worker ended before it was told to; carries the end of its log."""


@dataclass(frozen=True)
class Server:
    """A server that runs, and a client as a caller has it."""

    address: str
    client: Client
    process: psutil.Process


@asynccontextmanager
async def embedded_server(folder: Path) -> AsyncIterator[Server]:
    """Run the embedded server on a database of its own, with the command line that ``up`` gives it."""
    require_binary(installed_binary())
    lock = os.open(folder / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        options = Options(folder, _environ(), installed_binary(), port=0, ui_port=0)
        server = EmbeddedServer(options, Processes(), lock)
        child = await server.start()
        try:
            yield Server(server.address, await Client.connect(server.address), psutil.Process(child.pid))
        finally:
            child.kill()  # its database is thrown away
            await child.wait()
    finally:
        os.close(lock)


class WorkerProcess:
    """A worker in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.process = psutil.Process(process.pid)
        self._process = process
        self._log = log

    async def rss(self) -> int:
        """Return the bytes that the worker holds after it has collected garbage."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(b"rss\n")
        line = await self._process.stdout.readline()
        if not line:
            raise self.failure()
        return int(json.loads(line))

    async def during(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what ``work`` does.

        Raises:
            WorkerEndedError: The worker ended before.
        """
        doing, ending = asyncio.ensure_future(work), asyncio.ensure_future(self._process.wait())
        try:
            await asyncio.wait({doing, ending}, return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                raise self.failure()
            return doing.result()
        finally:
            doing.cancel()
            ending.cancel()
            await asyncio.gather(doing, ending, return_exceptions=True)

    async def stop(self) -> None:
        """Let it drain and end; kill it when it does not."""
        assert self._process.stdin
        self._process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOP_S):
                await self._process.wait()
        await self.kill()

    async def kill(self) -> None:
        """End it at once."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    def failure(self) -> WorkerEndedError:
        """Return an error with the end of its log."""
        text = self._log.read_text(errors="replace")[-2000:]
        return WorkerEndedError(f"The worker ended with status {self._process.returncode}; its log ends with:\n{text}")


@asynccontextmanager
async def worker_process(variant: str, server: Server, queue: str, folder: Path) -> AsyncIterator[WorkerProcess]:
    """Run a worker for the length of the block.

    Raises:
        WorkerEndedError: It did not end well when it was told to.
    """
    log = folder / f"{queue}.log"
    with log.open("ab") as err:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "capacity.worker_process", variant, server.address, queue),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=err,
            env=_environ() | {"PYTHONPATH": str(_BENCH)},
        )
    worker = WorkerProcess(process, log)
    try:
        yield worker
        await worker.stop()
    finally:
        await worker.kill()
    if process.returncode:
        raise worker.failure()


def _environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
