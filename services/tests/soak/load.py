"""Work of all kinds, and whether each of it was done once and for all."""

import asyncio
import sqlite3
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiosqlite
from service_processes import codec
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError
from tms_rows import Tms

from trenova_activities import (
    CheckDatabasePayload,
    CheckDatabaseWorkflow,
    DuplicateShipmentPayload,
    start_duplicate,
    start_purge,
)
from trenova_errors import ErrorsPlugin

OUTLIVED = 300
"""Audit entries that each purge finds."""


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
    address: str
    environ: dict[str, str]
    database: Path
    pace_s: float
    asked: list[Asked] = field(default_factory=list)
    checks: list[WorkflowHandle[Any, Any]] = field(default_factory=list)
    purges: list[WorkflowHandle[Any, Any]] = field(default_factory=list)
    planted: int = 0
    repeated: int = 0

    async def client(self) -> Client:
        while True:
            try:
                return await Client.connect(self.address, plugins=[ErrorsPlugin(), codec(self.environ)])
            except RuntimeError:
                await asyncio.sleep(0.5)

    async def run(self, enough: asyncio.Event) -> None:
        client = await self.client()
        waits: list[asyncio.Task[None]] = []
        while not enough.is_set():
            request = self.tms.request(idempotency_key=uuid.uuid4().hex, count=2)
            asked = await self._insist(client, request)
            waits.append(asyncio.ensure_future(self._wait(asked)))
            if len(self.asked) % 10 == 0:
                await self._check(client)
            if len(self.asked) % 40 == 1:
                await self._purge(client)
            await asyncio.sleep(self.pace_s)
        await asyncio.gather(*waits)

    async def _insist(self, client: Client, request: DuplicateShipmentPayload) -> Asked:
        """Ask until there is an answer, as callers do; the same key makes it one request."""
        began = time.monotonic()
        while True:
            try:
                asked = Asked(request, await start_duplicate(client, request), began)
            except Exception:  # noqa: BLE001  # whatever the server says while it is away
                self.repeated += 1
                await asyncio.sleep(0.5)
            else:
                self.asked.append(asked)
                return asked

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
        try:
            await self._plant()
            self.planted += OUTLIVED
            self.purges.append(await start_purge(client, key=uuid.uuid4().hex))
        except (RPCError, sqlite3.OperationalError):  # what was planted is for the next purge
            self.repeated += 1

    async def _plant(self) -> None:
        async with aiosqlite.connect(self.database, timeout=60) as connection:
            await connection.execute(
                "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < ?) "
                "INSERT INTO audit_entries (id, organization_id, business_unit_id, resource, resource_id, operation, "
                "timestamp) SELECT 'ae_soak_' || ? || x, organization_id, business_unit_id, 'shipment', 'shp_1', "
                "'update', ? + x FROM n, (SELECT * FROM data_retention LIMIT 1)",
                (OUTLIVED, uuid.uuid4().hex[:8], int(time.time()) - 400 * 86_400),
            )
            await connection.commit()

    async def _wait(self, asked: Asked) -> None:
        while True:
            try:
                await asked.handle.result()
            except RPCError:  # the server is away
                await asyncio.sleep(0.5)
            else:
                asked.took_s = time.monotonic() - asked.at
                return

    async def verdict(self, server_files: list[bytes]) -> list[str]:
        """What was lost, done twice or shown; nothing, if all is well."""
        wrong = []
        outcomes: Counter[str] = Counter()
        secret: list[str] = []
        for one in self.asked:
            result = await one.handle.result()
            secret += result.shipment_ids
            wanted = await self.tms.asked(one.request)
            if await self.tms.found(one.request, result.shipment_ids) != wanted:
                outcomes["duplications whose copies are not what was asked for"] += 1
            if await self.tms.audited(result.shipment_ids) != sorted(result.shipment_ids):
                outcomes["duplications without one audit entry a copy"] += 1
            if len(await self.tms.keys(one.request.idempotency_key)) != 1:
                outcomes["idempotency keys that are not there once"] += 1
            told = [row.delivery_status for row in await self._told(one.handle.id)]
            if told != ["delivered"]:
                outcomes[f"duplications of which people were told {told}"] += 1
        for check in self.checks:
            await asyncio.wait_for(check.result(), 120)
        purged = [(await asyncio.wait_for(purge.result(), 300)).total_deleted for purge in self.purges]
        if sum(purged) != self.planted:
            wrong.append(f"{self.planted} entries had outlived their period and {sum(purged)} were purged")
        wrong += [f"{count} {what}" for what, count in outcomes.items()]
        if not any(self.asked[0].handle.id.encode() in content for content in server_files):
            wrong.append("not even a workflow id is found in the server's files: they were not read as they should be")
        if shown := [one for one in secret if any(one.encode() in content for content in server_files)]:
            wrong.append(f"{len(shown)} ids of copies are in clear in the server's database")
        return wrong

    async def _told(self, workflow_id: str) -> list[Any]:
        """The notification of a job, which a workflow of its own writes a little later."""
        for _ in range(240):
            if rows := await self.tms.notifications(workflow_id):
                return rows
            await asyncio.sleep(0.5)
        return []
