"""A dev server that can be killed and comes back on the same port with the same data."""

import asyncio
import socket
import subprocess
import sysconfig
from pathlib import Path

from temporalio.client import Client

from trenova_errors import ErrorsPlugin

BINARY = Path(sysconfig.get_path("scripts")) / "temporal"


class ServerProcess:
    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._folder = folder
        self._process: subprocess.Popen | None = None

    async def start(self) -> Client:
        pragmas = [part for pragma in ("journal_mode=WAL", "synchronous=1") for part in ("--sqlite-pragma", pragma)]
        options = ["--port", str(self.port), "--log-level", "error", "--db-filename", str(self._folder / "server.db")]
        options += pragmas
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(BINARY), "server", "start-dev", "--headless", "--ip", "127.0.0.1", *options],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        for _ in range(200):
            try:
                client = await Client.connect(f"127.0.0.1:{self.port}", plugins=[ErrorsPlugin()])
                await client.count_workflows()
            except Exception:  # noqa: BLE001 - whatever it says, it is not there yet
                await asyncio.sleep(0.1)
            else:
                return client
        raise AssertionError((self._folder / "server.log").read_text()[-2000:])

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None
