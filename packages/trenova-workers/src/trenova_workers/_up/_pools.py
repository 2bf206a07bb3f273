"""Workers of ``up`` that a pool manager runs, in place of one process each.

The manager is a process of its own. ``up`` ends it with the workers drained. Workers of one that was killed
go on, and are adopted when it is started again, by this ``up`` or the next on the same data folder.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trenova_errors import ApplicationError, ConfigurationError
from trenova_workers._identity import parse_identity
from trenova_workers._up._discovery import Service
from trenova_workers._up._http import get
from trenova_workers._up._kept import Kept, State
from trenova_workers._up._options import LOOPBACK, Limits, UpError
from trenova_workers._up._ports import claim, free_ports
from trenova_workers._up._processes import Child, Processes
from trenova_workers._up._screen import Screen
from trenova_workers._up._workers import Worker

if TYPE_CHECKING:
    from trenova_workers.pool import PoolsOptions, ProcessOptions

SERVER_FILE = "pools-server.json"
_AFTER_GRACE = 90.0
_BESIDE_UI = 3
_ASK_EVERY = 0.5
_OK = 200


@dataclass(frozen=True)
class Pools:
    """What ``--pools`` asked for.

    Attributes:
        file: For the manager.
        by_service: Name of the pool of each service that has one.
        options: What the file says.
    """

    file: Path
    options: "PoolsOptions"
    by_service: Mapping[str, str]


def read_pools(told: str, services: Sequence[Service], data_dir: Path) -> Pools:
    """Return the pools that a file describes, or for a number, one of up to so many workers for each service.

    Raises:
        UpError: The file does not hold, or has a pool of a service that this ``up`` does not start.
    """
    try:
        import yaml

        from trenova_workers.pool import load_pools
        from trenova_workers.pool._config import UP_FILE
    except ModuleNotFoundError as error:
        raise UpError(str(error)) from None
    file, left = Path(told), data_dir / UP_FILE
    number = told.lstrip("-+").isdecimal()
    if (number and not (told.isdecimal() and int(told))) or not (number or file.exists()):
        raise UpError(f"--pools takes the most workers of each service, 1 or more, or a file of pools; got {told!r}.")
    if told.isdecimal():
        pools = {one.name: {"process": {"service": one.name}, "policy": {"maxWorkers": int(told)}} for one in services}
        file = left
        file.write_text(yaml.safe_dump({"data_dir": str(data_dir.absolute()), "pools": pools}), encoding="utf-8")
    try:
        options = load_pools(file, {"data_dir": str(data_dir)})
    except ConfigurationError as error:
        raise UpError(f"--pools: {error.message}") from None
    if file.resolve() != left.resolve():  # so that `pool status` finds them without being told
        said = {**yaml.safe_load(file.read_text(encoding="utf-8")), "data_dir": str(data_dir.absolute())}
        left.write_text(yaml.safe_dump(said, sort_keys=False), encoding="utf-8")
    return Pools(file, options, dict(_service_of(name, pool.process, services) for name, pool in options.pools.items()))


def _service_of(pool: str, process: "ProcessOptions | None", services: Sequence[Service]) -> tuple[str, str]:
    for one in services:
        if process is not None and (process.service == one.name or process.module == one.module):
            return one.name, pool
    raise UpError(
        f"--pools: the pool {pool!r} is not of a worker that is started here; there are "
        f"{', '.join(one.name for one in services)}. Name one of them as its process.service."
    )


def manager_port(ui_port: int, taken: Collection[int]) -> int:
    """Return where the API of pools listens: the third port after the Temporal UI's, which stays, if it is free.

    Args:
        ui_port: Of the Temporal UI; 0 is a free one, and so is this then.
        taken: By what else this ``up`` starts.
    """
    beside = ui_port + _BESIDE_UI
    if ui_port and beside not in taken:
        with suppress(UpError):
            return claim(beside, "--ui-port", "the API of pools")
    return next(port for port in free_ports(len(taken) + 1) if port not in taken)


class PoolManagerProcess(Kept):
    """The manager of all pools."""

    def __init__(
        self,
        pools: Pools,
        environ: Mapping[str, str],
        processes: Processes,
        screen: Screen,
        limits: Limits,
        *,
        port: int,
    ) -> None:
        super().__init__("pool-manager", environ, processes, screen, limits)
        self.port = port
        self.longest_grace = 0.0
        self._pools = pools

    def pooled(self, worker: Worker) -> Worker:
        """Return the worker as one that the manager runs, if it has a pool."""
        if worker.name not in self._pools.by_service:
            return worker
        return PooledWorker(worker.service, self._environ, self._processes, self._screen, self._limits, manager=self)

    def pool_of(self, worker: Worker) -> str:
        """Return the name of a worker's pool."""
        return self._pools.by_service[worker.name]

    async def start(self) -> tuple[Child, int]:
        """Start it."""
        command = [sys.executable, "-m", "trenova_workers", "pool", "run", "--pools", str(self._pools.file)]
        return await self._spawn([*command, "--serve", "--drain", "--port", str(self.port)]), self.port

    def learn(self, said: Mapping[str, Any]) -> None:  # noqa: ARG002  # what it says is in its file
        """Say where its API is; the way in is new with each start, and its file has it."""
        left = Path(self._environ["TRENOVA_DATA_DIR"]) / SERVER_FILE
        self._screen.say(f"pools are at http://{LOOPBACK}:{self.port}/api/v1; sign-in link and key are in {left}")

    async def stop(self) -> None:
        """Let it drain its workers and end; what still runs after it is named, and makes this a failure."""
        await self.end(max(self._limits.drain, self.longest_grace + _AFTER_GRACE))
        status = await self._started[-1].wait() if self._started else 0
        if status == 1:  # it has said itself what still runs
            self.state = State.FAILED
        elif status != 0:
            await self._say_what_runs()

    async def _say_what_runs(self) -> None:
        try:
            lines = await _running(self._pools.options)
        except ApplicationError as error:
            lines = [f"Nobody can tell which workers still run: {error.message}"]
        for line in lines:
            self._screen.say(line, "bold red")
            self.state = State.FAILED


async def _running(options: "PoolsOptions") -> list[str]:
    from trenova_workers.pool import open_store
    from trenova_workers.pool._staying import running_pids, said_of_ours

    why = "Its manager did not come to drain it; `up` on the same folder adopts it, and `kill PID` ends it"
    async with open_store(options) as store:
        return said_of_ours(await running_pids(store, options.scope), why)


class PooledWorker(Worker):
    """A worker that is prepared here and run by the manager, as many times as its pool needs."""

    def __init__(
        self,
        service: Service,
        environ: Mapping[str, str],
        processes: Processes,
        screen: Screen,
        limits: Limits,
        *,
        manager: PoolManagerProcess,
    ) -> None:
        super().__init__(service, environ, processes, screen, limits)
        self.prepared = asyncio.Event()
        self._pool, self._manager = manager.pool_of(self), manager
        self._left = Path(environ["TRENOVA_DATA_DIR"]) / SERVER_FILE
        self._pids: list[int] = []

    async def prepare(self) -> None:
        """See base class."""
        await super().prepare()
        self.state = State.STARTING
        self.prepared.set()

    async def describe(self) -> None:
        """See base class."""
        await super().describe()
        self._manager.longest_grace = max(self._manager.longest_grace, self.facts.grace if self.facts else 0.0)

    def keep(self) -> None:
        """Follow what the manager says of the pool."""
        self._keeping = asyncio.ensure_future(self._follow())

    async def stop(self) -> None:
        """Stop following it; the manager drains the workers."""
        await self.end(0)

    def kill(self) -> None:
        """End the workers that were there at the last look, without asking."""
        for pid in self._pids:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)

    async def _follow(self) -> None:
        begun = asyncio.get_running_loop().time()
        while True:
            await asyncio.sleep(_ASK_EVERY)
            if (report := await self._ask(f"/api/v1/pools/{self._pool}")) is None:
                continue
            await self._learn_pids()
            running = int(report.get("counts", {}).get("running", 0))
            crashing = report.get("phase") == "crashing"
            self.reason = str(report.get("why")) if crashing or not running else f"{running} running"
            if running or crashing:
                self.state = State.FAILED if crashing else State.READY
                if self.took_start is None:
                    self.took_start = asyncio.get_running_loop().time() - begun
                self.settled.set()

    async def _learn_pids(self) -> None:
        told = await self._ask("/api/v1/workers") or {}
        known = [
            parse_identity(str(one.get("identity"))) for one in told.get("workers", ()) if one["pool"] == self._pool
        ]
        self._pids = [who.pid for who in known if who]
        self.pid = self._pids[0] if self._pids else None

    async def _ask(self, path: str) -> dict[str, Any] | None:
        with suppress(OSError, ValueError, KeyError):
            key = json.loads(self._left.read_text(encoding="utf-8"))["key"]
            answer = await get(self._manager.port, path, headers={"Authorization": f"Bearer {key}"})
            if answer is not None and answer[0] == _OK:
                told: dict[str, Any] = json.loads(answer[1])
                return told
        return None
