"""A pool of the sample service: a manager in this loop or as a process of its own, and what is there of workers."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import psutil
from sample_worker.waiting import eventually, eventually_awaited
from temporalio.client import Client

from trenova_errors import ErrorsPlugin
from trenova_workers.pool._options import PoolsOptions
from trenova_workers.pool._running import open_manager
from trenova_workers.scaling import Candidates, Decision
from trenova_workers.scaling import decide as law

SERVICES = Path(__file__).parents[1] / "services"
MANAGER = Path(__file__).with_name("managing.py")


def wanting(count):
    """A control law that wants so many workers, whatever it sees; it may be a function without arguments."""

    def decide(observation, state, policy):
        wanted = count() if callable(count) else count
        before = observation.workers.planned
        return Decision(
            at=observation.at,
            pool=observation.pool,
            desired=wanted,
            before=before,
            action="up" if wanted > before else "down" if wanted < before else "hold",
            trigger="load",
            rho=None,
            mu=None,
            headroom=0.5,
            candidates=Candidates(),
            clamp=None,
            held_because=None,
            why=f"The test wants {wanted}.",
            observation=observation,
            state=state,
        )

    return decide


class Site:
    """One scope with one pool ``sample`` on a queue of its own."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.address = folder, address
        self.queue = f"pool-{uuid.uuid4().hex[:8]}"
        self.ledger = folder / "ledger"
        self.managers: list[subprocess.Popen] = []
        self.staying: list[str] = []
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("TEMPORAL_", "TRENOVA_"))}
        self.environ = {
            **inherited,
            "PYTHONPATH": str(SERVICES),
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONUNBUFFERED": "1",
            "TEMPORAL_ADDRESS": address,
            "TRENOVA_LOG__FORMAT": "json",
            "SAMPLE_WORKER_QUEUE": self.queue,
            "SAMPLE_WORKER_LEDGER": str(self.ledger),
            "SAMPLE_WORKER_WORKER__HEARTBEAT_INTERVAL_S": "1",
        }

    def options(self, url: str | None = None, **pool) -> PoolsOptions:
        process = {"module": "sample_worker", "build": "one", **pool.pop("process", {})}
        more = pool.pop("manager", {})
        return PoolsOptions.model_validate(
            {
                "scope": "here",
                "data_dir": self.folder / "data",
                "database": {"url": url or f"sqlite:///{self.folder}/pools.db"},
                "lease_s": 3,
                "look_s": 0.2,
                "pools": {"sample": {"process": process, "policy": {"poll_s": 5}, **pool}},
                **more,
            }
        )

    @contextlib.asynccontextmanager
    async def managed(self, count, options: PoolsOptions | None = None, *, drain: bool = False):
        """A manager in this loop that wants ``count`` workers, or what the law wants for None."""
        client = await Client.connect(self.address, plugins=[ErrorsPlugin()])
        async with open_manager(
            options or self.options(), client, self.environ, decide=law if count is None else wanting(count)
        ) as opened:
            stop = asyncio.Event()
            running = asyncio.ensure_future(opened.manager.run(stop, drain=drain))
            try:
                yield opened
            finally:
                stop.set()
                self.staying = await running

    def manager(self, count: int, *, url: str | None = None, **environ: str) -> subprocess.Popen:
        """A manager as a process of its own, in a session of its own."""
        told = {"count": count, "options": self.options(url).model_dump(mode="json")}
        told["options"]["database"] = {"url": url or f"sqlite:///{self.folder}/pools.db"}
        log = (self.folder / f"manager-{len(self.managers)}.log").open("w")
        process = subprocess.Popen(
            [sys.executable, str(MANAGER), json.dumps(told)],
            env={**self.environ, **environ},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        self.managers.append(process)
        return process

    def processes(self) -> list[psutil.Process]:
        """Every process that works on this queue, whoever started it; none that still waits for its word."""
        found = []
        for process in psutil.process_iter(["cmdline", "status"]):
            with contextlib.suppress(psutil.Error):
                command = process.info["cmdline"] or []
                ours = command[-2:] == ["sample_worker", "run"] and "-I" not in command
                if ours and process.environ().get("SAMPLE_WORKER_QUEUE") == self.queue:
                    found.append(process)
        return found

    def pids(self) -> set[int]:
        return {process.pid for process in self.processes()}

    def clean(self) -> None:
        for manager in self.managers:
            if manager.poll() is None:
                manager.kill()
            manager.wait()
        end = time.monotonic() + 10
        while (left := self.processes()) and time.monotonic() < end:
            for process in left:
                with contextlib.suppress(psutil.Error, ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            time.sleep(0.05)


async def state_of(opened, pool="sample"):
    return await opened.store.states.find("here", pool)


async def until(opened, look, *, seconds=40):
    """Wait until the pool's state is as ``look`` wants it; return it."""

    async def found():
        state = await state_of(opened)
        return state if state is not None and look(state) else None

    try:
        return await eventually_awaited(found, seconds=seconds)
    except TimeoutError:
        raise AssertionError(f"it came to {await state_of(opened)!r}") from None


__all__ = ["Site", "eventually", "eventually_awaited", "state_of", "until", "wanting"]
