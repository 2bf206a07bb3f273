"""Pools whose workers crash or never come, and a manager that may not act."""

import asyncio
import json
import signal
from functools import partial
from pathlib import Path
from typing import Any

import aiosqlite
import httpx
import yaml
from fault import Fault
from service_processes import eventually

QUEUE = "drill-pool-queue"
"""Of the pool alone: beside workers that it has not started a manager would stand back."""
MODULE = {"good": "shipment_worker", "bad": "broken_shipments"}


class Pooled(Fault):
    """A pool of one worker; ``release`` says which code it runs."""

    folder: Path
    release = "good"
    faulty = "odd"

    async def inject(self) -> None:
        self.folder = self.site.folder / f"pools-{self.alert}"
        self.folder.mkdir()
        self.values |= {"POOL": "shipments", "TRENOVA_POOLS": str(self.folder / "pools.yaml")}
        await self.manage(self.release)

    async def manage(self, release: str) -> None:
        """Start a manager, in the place of the one that is there."""
        if hasattr(self, "manager"):
            self.manager.send_signal(signal.SIGTERM)
            await asyncio.to_thread(self.manager.wait, 60)
        environ = {"SHIPMENT_WORKER_QUEUES": json.dumps([QUEUE]), "TRENOVA_DATA_DIR": str(self.site.folder)}
        if release == "bad":
            environ["DRILL_FAULT"] = self.faulty
        process: dict[str, Any] = {"module": MODULE[release], "build": release, "environ": environ}
        pool = {"queues": [QUEUE], "process": process, "policy": {"min_workers": 1, "max_workers": 1, "poll_s": 5}}
        told = {
            "data_dir": str(self.folder),
            "database": {"url": f"sqlite:///{self.folder}/pools.db"},
            "lease_s": 3,
            "server": {"port": 0},
            "pools": {"shipments": pool},
        }
        (self.folder / "pools.yaml").write_text(yaml.safe_dump(told))
        left = self.folder / "pools-server.json"
        left.unlink(missing_ok=True)
        where = ("--pools", str(self.folder / "pools.yaml"), "--data-dir", str(self.folder))
        command = ("trenova-workers", "pool", "run", *where, "--serve", "--drain")
        self.manager = self.site.run(*command, log=f"{self.alert}.log")
        async with asyncio.timeout(60):
            while not left.exists():
                assert self.manager.poll() is None, (self.site.folder / f"{self.alert}.log").read_text()[-2000:]
                await asyncio.sleep(0.2)
        address = json.loads(left.read_text())
        self.url = address["url"]
        self.watch.add("pools", self.url, token=address["key"])

    async def done(self) -> None:
        """End the manager and its workers; the next drill has others."""
        self.manager.send_signal(signal.SIGTERM)
        await asyncio.to_thread(self.manager.wait, 120)
        self.watch.remove("pools")


class PoolCrashing(Pooled):
    alert = "TrenovaPoolCrashing"
    what = "A release of which every worker ends as soon as it starts."
    mitigation = "Deploy the build before."
    release = "bad"
    faulty = "ends"

    async def mend(self) -> None:
        await self.manage("good")


class PoolShort(Pooled):
    alert = "TrenovaPoolShort"
    what = "A release of which no worker ever gets ready."
    mitigation = "Make room"
    release = "bad"
    faulty = "stuck"

    async def mend(self) -> None:
        await self.manage("good")


class PoolUnled(Pooled):
    alert = "TrenovaPoolUnled"
    what = "The database of the pools lets nobody write, so the manager loses its lease."
    mitigation = "Bring the database back."

    async def inject(self) -> None:
        await super().inject()
        leads = partial(self.watch.value, "sum(trenova_workers_pool_leader)")
        await asyncio.to_thread(eventually, lambda: leads() == 1, seconds=60)
        self.lock = await aiosqlite.connect(self.folder / "pools.db", timeout=30)
        await self.lock.execute("BEGIN EXCLUSIVE")

    async def mend(self) -> None:
        await self.lock.rollback()
        await self.lock.close()


class CallersRefused(Pooled):
    alert = "TrenovaCallersRefused"
    what = "A program without a token asks the pool manager ten times a second."
    mitigation = "Block the address before the server."

    async def inject(self) -> None:
        await super().inject()
        self.keep(self._ask)

    async def _ask(self) -> None:
        async with httpx.AsyncClient() as caller:
            answer = await caller.get(f"{self.url}/api/v1/pools")
        assert answer.status_code == 401
        await asyncio.sleep(0.1)

    async def mend(self) -> None:
        await self.stop()


FAULTS = (PoolCrashing, PoolShort, PoolUnled, CallersRefused)
