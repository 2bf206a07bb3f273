"""Work of all kinds, asked for as callers do: until there is an answer."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from planting import Planting
from service_processes import codec
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.service import RPCError
from tms_rows import Tms

from trenova_activities import (
    CheckDatabasePayload,
    CheckDatabaseWorkflow,
    DuplicateShipmentPayload,
    start_cancel,
    start_duplicate,
    start_purge,
)
from trenova_errors import ErrorsPlugin

_EVERY = 40
"""Duplications between two purges, and between two cancellations."""


@dataclass
class Asked:
    """One duplication: when it was asked for, and when it was seen to be done."""

    request: DuplicateShipmentPayload
    handle: WorkflowHandle[Any, Any]
    at: float
    took_s: float | None = None


@dataclass
class Load:
    """Asks until it is told that there is enough."""

    tms: Tms
    planting: Planting
    address: str
    environ: dict[str, str]
    pace_s: float
    asked: list[Asked] = field(default_factory=list)
    checks: list[WorkflowHandle[Any, Any]] = field(default_factory=list)
    purges: list[WorkflowHandle[Any, Any]] = field(default_factory=list)
    cancels: list[WorkflowHandle[Any, Any]] = field(default_factory=list)
    repeated: int = 0

    @property
    def workflow_ids(self) -> list[str]:
        """All runs that were asked for, and those that tell of duplications."""
        own = [one.handle.id for one in self.asked]
        beside = [one.id for one in (*self.checks, *self.purges, *self.cancels)]
        return [*own, *(f"{id_}/notify" for id_ in own), *beside]

    async def client(self) -> Client:
        while True:
            try:
                return await Client.connect(self.address, plugins=[ErrorsPlugin(), codec(self.environ)])
            except RuntimeError:
                await asyncio.sleep(0.5)

    async def run(self, enough: asyncio.Event) -> None:
        """Ask for duplications at the pace, and for everything else beside them."""
        client = await self.client()
        beside: list[asyncio.Task[None]] = []

        def begin(work: Coroutine[Any, Any, None]) -> None:
            beside.append(asyncio.ensure_future(work))

        while not enough.is_set():
            request = self.tms.request(idempotency_key=uuid.uuid4().hex, count=2)
            began = time.monotonic()
            handle = await self._insist(lambda request=request: start_duplicate(client, request))
            self.asked.append(asked := Asked(request, handle, began))
            begin(self._wait(asked))
            if len(self.asked) % 10 == 0:
                begin(self._check(client))
            if len(self.asked) % _EVERY == 1:
                begin(self._purge(client))
            if len(self.asked) % _EVERY == _EVERY // 2:
                begin(self._cancel(client))
            await asyncio.sleep(self.pace_s)
        await asyncio.gather(*beside)
        await self._last(client)

    async def _last(self, client: Client) -> None:
        """What a night left, because the database was away for too long, is for the next one."""
        for run in (*self.purges, *self.cancels):
            await ended(run)
        self.purges.append(await self._insist(lambda: start_purge(client, key=uuid.uuid4().hex)))
        self.cancels.append(await self._insist(lambda: start_cancel(client, key=uuid.uuid4().hex)))

    async def _insist(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        """Ask until there is an answer, as callers do; the same key makes it one request."""
        while True:
            try:
                return await ask()
            except Exception:  # noqa: BLE001  # whatever server or database say while they are away
                self.repeated += 1
                await asyncio.sleep(0.5)

    async def _check(self, client: Client) -> None:
        try:
            self.checks.append(
                await client.start_workflow(
                    CheckDatabaseWorkflow.run,
                    CheckDatabasePayload(),
                    id=f"soak-check/{uuid.uuid4().hex}",
                    task_queue="system-queue",
                )
            )
        except RPCError:
            self.repeated += 1

    async def _purge(self, client: Client) -> None:
        """Plant entries that have outlived their period, and have them purged."""
        key = uuid.uuid4().hex
        await self._insist(self.planting.outlived)
        self.purges.append(await self._insist(lambda: start_purge(client, key=key)))

    async def _cancel(self, client: Client) -> None:
        """Plant stale shipments and others, and have the stale ones canceled."""
        key = uuid.uuid4().hex
        await self._insist(self.planting.stale)
        self.cancels.append(await self._insist(lambda: start_cancel(client, key=key)))

    async def _wait(self, asked: Asked) -> None:
        await ended(asked.handle)
        asked.took_s = time.monotonic() - asked.at


async def ended(handle: WorkflowHandle[Any, Any]) -> Any:
    """Wait for a run's end; return its result, or None if it failed."""
    while True:
        try:
            return await handle.result()
        except RPCError:  # the server is away
            await asyncio.sleep(0.5)
        except WorkflowFailureError:
            return None
