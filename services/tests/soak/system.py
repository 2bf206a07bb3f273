"""The three services on a server that keeps everything on disk, behind connections that can be cut."""

import asyncio
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from connection import Connection
from databases import PostgresTms, SqliteTms
from receivers import Receivers
from service_processes import KEYS, TEMPORAL, Running, Services, clean_environ, end, free_port

MODULES = ("shipment_worker", "notification_worker", "system_worker")
READY_S = 120


@dataclass(frozen=True)
class Usage:
    """What one process uses at a moment."""

    pid: int
    memory_mib: float
    descriptors: int


class DurableServer:
    """A Temporal server whose runs outlive its process."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._command = [TEMPORAL, "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--log-level", "never"]
        self._command += ["--port", str(self.port), "--db-filename", str(folder / "temporal.db")]
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


class System:
    """What a soak runs and breaks.

    Args:
        folder: Where database, server and logs are.
        tms: The TMS's database, not yet open.
    """

    def __init__(self, folder: Path, tms: PostgresTms | SqliteTms) -> None:
        self.folder, self.tms = folder, tms
        self.server = DurableServer(folder)
        self.connection = Connection(self.server.port)
        self.receivers = Receivers()
        self.address = f"127.0.0.1:{self.server.port}"
        environ = clean_environ(TEMPORAL_ADDRESS=self.address, TRENOVA_DATA_DIR=str(folder), **KEYS)
        self.services = Services(folder, environ)
        self.workers: dict[str, Running] = {}

    async def open(self) -> None:
        """Start all that the workers need."""
        await self.connection.listen()
        self.services.environ |= await self.tms.open()
        self.services.environ |= await self.receivers.open()
        await asyncio.to_thread(self._until_served)

    async def start_workers(self) -> None:
        """Prepare and start all three; the database is there."""
        await asyncio.to_thread(self.services.prepare, *MODULES)
        await asyncio.gather(*(self.start(module) for module in MODULES))

    def _until_served(self) -> None:
        asked = [TEMPORAL, "operator", "namespace", "describe", "-n", "default", "--address", self.address]
        for _ in range(100):
            if subprocess.run(asked, capture_output=True, check=False, timeout=30).returncode == 0:
                return
        raise TimeoutError("the server did not start")

    async def start(self, module: str, **environ: str) -> None:
        """Start a worker, behind the connection that can be cut, and wait until it is ready."""
        behind = {"TEMPORAL_ADDRESS": f"127.0.0.1:{self.connection.port}"}
        self.workers[module] = running = self.services.run(module, **behind, **environ)
        async with asyncio.timeout(READY_S):
            while (await asyncio.to_thread(running.readyz))[0] != 200:
                assert running.process.poll() is None, running.log.read_text()[-2000:]
                await asyncio.sleep(0.2)

    def usage(self) -> dict[str, Usage]:
        """What each worker that is there uses."""
        found = {}
        for module, running in self.workers.items():
            pid = running.process.pid
            with suppress(OSError, StopIteration):
                status = Path(f"/proc/{pid}/status").read_text().splitlines()
                kib = int(next(line for line in status if line.startswith("VmRSS")).split()[1])
                found[module] = Usage(pid, kib / 1024, len(list(Path(f"/proc/{pid}/fd").iterdir())))
        return found

    async def close(self) -> None:
        await asyncio.to_thread(self.services.close)
        end(self.server.process)
        await self.connection.close()
        await self.receivers.close()
        await self.tms.close()
