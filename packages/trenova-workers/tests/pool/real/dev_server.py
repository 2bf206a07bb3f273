"""A Temporal server of a measurement."""

import asyncio
import os
import subprocess
import time
from pathlib import Path

from temporalio.client import Client
from temporalio.service import RPCError

from trenova_errors import ErrorsPlugin
from trenova_workers._up._embedded import installed_binary
from trenova_workers._up._ports import free_ports


class DevServer:
    """The dev server, always on the same ports.

    Args:
        folder: For its log, and its file.
        kept: On a file, as ``trenova-workers up`` runs it, so that it goes on where it was when it is killed; else in
            memory, which on a busy disk is several times as fast.
        nice: Priority of its process; a negative one needs the rights of the superuser.
    """

    def __init__(self, folder: Path, *, kept: bool, nice: int = 0) -> None:
        self._folder, self._kept, self._nice = folder, kept, nice
        self._ports = free_ports(2)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._ports[0]}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it; `connect` waits until it answers."""
        command = [
            *(str(installed_binary()), "server", "start-dev", "--headless", "--ip", "127.0.0.1"),
            *("--port", str(self._ports[0]), "--http-port", str(self._ports[1])),
            *(("--db-filename", str(self._folder / "temporal.db")) if self._kept else ()),
            *(("--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=1") if self._kept else ()),
            *("--dynamic-config-value", "matching.useNewMatcher=true", "--log-level", "warn", "--color", "never"),
        ]
        with (self._folder / "temporal.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        if self._nice:
            os.setpriority(os.PRIO_PROCESS, self._process.pid, self._nice)

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def connect(self, *, within_s: float = 60) -> Client:
        """Return a client once the server answers."""
        end = time.monotonic() + within_s
        while True:
            try:
                client = await Client.connect(self.address, plugins=[ErrorsPlugin()])
                await client.count_workflows("ExecutionStatus = 'Running'")
            except (RPCError, RuntimeError):
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(0.1)
            else:
                return client
