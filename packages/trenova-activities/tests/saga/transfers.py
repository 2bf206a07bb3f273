"""A TMS with a worker of the transfer whose activities go wrong where a test says, and what must hold afterwards."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.worker import Worker

from trenova_activities import (
    TRANSFER_CANCEL_ACTIVITY,
    TRANSFER_COPY_ACTIVITY,
    TRANSFER_RELEASE_ACTIVITY,
    TRANSFER_RESERVE_ACTIVITY,
    TRANSFER_RESTORE_ACTIVITY,
    TRANSFER_VERIFY_ACTIVITY,
    TRANSFER_WITHDRAW_ACTIVITY,
    JobNotificationPayload,
    TransferCall,
    TransferShipmentsPayload,
    TransferShipmentsWorkflow,
    start_transfer,
)
from trenova_activities.database import Database, DatabaseOptions, Tenant, TransferActivities, seed
from trenova_activities.database._rows import insertable
from trenova_activities.database._transfer_ledger import TransferLedger
from trenova_errors import AmbiguousOutcomeError, NonRetryableError, UnavailableError

WAIT_S = 90

STEPS = {"reserve": TRANSFER_RESERVE_ACTIVITY, "copy": TRANSFER_COPY_ACTIVITY, "cancel": TRANSFER_CANCEL_ACTIVITY}
UNDOING = {
    "verify": TRANSFER_VERIFY_ACTIVITY,
    "restore": TRANSFER_RESTORE_ACTIVITY,
    "withdraw": TRANSFER_WITHDRAW_ACTIVITY,
    "release": TRANSFER_RELEASE_ACTIVITY,
}
POINTS = [f"{moment} {name}" for name in (*STEPS, *UNDOING) for moment in ("before", "after")]
_SHORT = {wire: name for name, wire in (STEPS | UNDOING).items()}
_STATUSED = ("shipments", "shipment_moves", "stops", "assignments")
_PARTS = (*_STATUSED[1:], "shipment_commodities", "additional_charges")
_LIFE = ("status", "canceled_at", "canceled_by_id", "cancel_reason", "customer_id", "pro_number")

Fault = Callable[[TransferCall], Any]


@dataclass
class Faults:
    """What goes wrong where, by workflow id and point (``before copy``, ``after copy``)."""

    planned: dict[str, dict[str, list[Fault]]] = field(default_factory=dict)
    seen: dict[str, list[str]] = field(default_factory=dict)
    busy: int = 0

    def at(self, workflow_id: str, point: str, *faults: Fault) -> None:
        """Let the first attempts meet these faults, one each."""
        self.planned.setdefault(workflow_id, {}).setdefault(point, []).extend(faults)

    async def meet(self, workflow_id: str, point: str, call: TransferCall) -> None:
        self.seen.setdefault(workflow_id, []).append(point)
        faults = self.planned.get(workflow_id, {}).get(point)
        if faults:
            outcome = faults.pop(0)(call)
            if outcome is not None:
                await outcome

    def wrapped(self, real: Any) -> Any:
        wire = activity._Definition.must_from_callable(real).name
        name = _SHORT[wire]

        @activity.defn(name=wire)
        async def run(call: TransferCall) -> Any:
            workflow_id = activity.info().workflow_id
            self.busy += 1
            try:
                await self.meet(workflow_id, f"before {name}", call)
                result = await real(call)
                await self.meet(workflow_id, f"after {name}", call)
            finally:
                self.busy -= 1
            return result

        return run


@dataclass(frozen=True)
class Case:
    """One request with what its shipments were before."""

    handle_id: str
    payload: TransferShipmentsPayload
    sources: dict[str, dict[str, Any]]


@dataclass
class Fleet:
    """The database, the worker's faults, and requests of shipments that no other request touches."""

    client: Client
    queue: str
    activities: TransferActivities
    tenant: Tenant
    user_id: str
    unused: list[str]
    faults: Faults = field(default_factory=Faults)

    @property
    def database(self) -> Database:
        return self.activities._database

    def table(self, name: str) -> Any:
        return self.activities._catalog[name]

    async def case(self, key: str, *, count: int = 2) -> Case:
        """Make a request of shipments that are nobody's yet."""
        ids = [self.unused.pop(0) for _ in range(count)]
        payload = TransferShipmentsPayload(
            **self.tenant.values,
            user_id=self.user_id,
            idempotency_key=key,
            shipment_ids=ids,
            customer_id="cus_other",
            reason="Sold to another customer",
        )
        handle_id = f"transfer-shipments/{self.tenant.organization_id}/{key}"
        return Case(handle_id, payload, {id_: await self.state(id_) for id_ in ids})

    async def start(self, case: Case) -> WorkflowHandle:
        return await start_transfer(self.client, case.payload, task_queue=self.queue)

    async def told(self, case: Case) -> JobNotificationPayload:
        """Return what the requester is told; nobody has to serve the queue of notifications."""
        notice = self.client.get_workflow_handle(f"{case.handle_id}/notify")
        first = await anext(aiter(notice.fetch_history_events(page_size=1)))
        payloads = first.workflow_execution_started_event_attributes.input.payloads
        [payload] = await self.client.data_converter.decode(payloads, [JobNotificationPayload])
        return payload

    async def rows(self, name: str, *conditions: Any) -> list[Row[Any]]:
        table = self.table(name)
        async with self.database.read() as connection:
            query = select(table).where(self.tenant.owns(table), *conditions).order_by(table.c.id)
            return list(await connection.execute(query))

    async def parts(self, shipment_id: str) -> dict[str, list[Row[Any]]]:
        moves = await self.rows("shipment_moves", self.table("shipment_moves").c.shipment_id == shipment_id)
        ids = [move.id for move in moves]
        found = {"shipment_moves": moves}
        for name in _PARTS[1:]:
            table = self.table(name)
            mine = table.c.shipment_move_id.in_(ids) if "shipment_move_id" in table.c else None
            found[name] = await self.rows(name, table.c.shipment_id == shipment_id if mine is None else mine)
        return found

    async def state(self, shipment_id: str) -> dict[str, Any]:
        """Return what of a shipment must be as before once a transfer of it is undone."""
        [row] = await self.rows("shipments", self.table("shipments").c.id == shipment_id)
        parts = await self.parts(shipment_id)
        below = {name: {one.id: getattr(one, "status", "") for one in rows} for name, rows in parts.items()}
        return {**{name: getattr(row, name) for name in _LIFE}, **below}

    async def touch(self, shipment_id: str, name: str = "shipments") -> None:
        """Change a shipment, or its first move, as somebody else does."""
        table = self.table(name)
        column = "id" if name == "shipments" else "shipment_id"
        async with self.database.write() as connection:
            mine = (self.tenant.owns(table), table.c[column] == shipment_id)
            await connection.execute(update(table).where(*mine).values(version=table.c.version + 1))

    async def idle(self) -> None:
        """Wait until no activity runs, those that the server has given up included."""
        async with asyncio.timeout(WAIT_S):
            while self.faults.busy:  # noqa: ASYNC110 - a plain number that many change
                await asyncio.sleep(0.05)

    async def ledger(self, case: Case) -> TransferLedger | None:
        table = self.database.jobs.idempotency_keys
        async with self.database.read() as connection:
            query = select(table.c.result).where(table.c.key == case.payload.idempotency_key)
            kept = (await connection.execute(query)).scalar_one_or_none()
        return None if kept is None else TransferLedger.model_validate(kept)

    async def copies(self, case: Case) -> list[Row[Any]]:
        """Return every copy that was ever made for a request, by what the audit log says."""
        entries = await self.entries(case, "transfer")
        shipments = self.table("shipments")
        return await self.rows("shipments", shipments.c.id.in_([entry.resource_id for entry in entries]))

    async def entries(self, case: Case, operation: str) -> list[Row[Any]]:
        log = self.table("audit_entries")
        return await self.rows("audit_entries", log.c.correlation_id == case.handle_id, log.c.operation == operation)

    async def count(self) -> int:
        table = self.table("shipments")
        async with self.database.read() as connection:
            return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())

    async def check_transferred(self, case: Case) -> None:
        """Every source is canceled and has exactly one living successor, complete and the other customer's."""
        ledger = await self.ledger(case)
        assert ledger is not None
        assert ledger.done
        living = [copy for copy in await self.copies(case) if copy.status != "Canceled"]
        assert {copy.id for copy in living} == {moved.copy_id for moved in ledger.moved.values()}
        assert len(living) == len(case.sources)
        for id_, before in case.sources.items():
            source, moved = await self.state(id_), ledger.moved[id_]
            assert (source["status"], source["cancel_reason"]) == ("Canceled", case.payload.reason)
            assert source["canceled_by_id"] == self.user_id
            for name in _STATUSED[1:]:
                closed = {key: was if was == "Completed" else "Canceled" for key, was in before[name].items()}
                assert source[name] == closed, name
            copy = await self.state(moved.copy_id)
            assert (copy["status"], copy["customer_id"]) == ("New", "cus_other")
            assert copy["pro_number"] == moved.copy_number
            for name in _PARTS:
                expected = 0 if name == "assignments" else len(before[name])
                assert len(copy[name]) == expected, name
        assert len({moved.copy_number for moved in ledger.moved.values()}) == len(case.sources)
        assert len(await self.entries(case, "transfer")) - len(await self._withdrawn(case)) == len(case.sources)

    async def check_undone(self, case: Case, *, kept: tuple[str, ...] = (), closed: bool | None = True) -> None:
        """Every source is as it was, and whatever was made for it is canceled with everything below."""
        for id_, before in case.sources.items():
            if id_ not in kept:
                assert await self.state(id_) == before
        copies = await self.copies(case)
        for copy in copies:
            if copy.id in kept:
                continue
            assert copy.status == "Canceled"
            below = await self.parts(copy.id)
            for name in _STATUSED[1:]:
                assert {row.status for row in below[name]} <= {"Canceled"}, name
        ledger = await self.ledger(case)
        if ledger is not None:
            assert not ledger.done
            assert closed in (ledger.closed, None)
        restored = await self.entries(case, "restore")
        canceled = [entry for entry in await self.entries(case, "cancel") if entry.resource_id in case.sources]
        assert len(canceled) - len(restored) == len([id_ for id_ in kept if id_ in case.sources])

    async def _withdrawn(self, case: Case) -> list[Row[Any]]:
        return [copy for copy in await self.copies(case) if copy.status == "Canceled"]


@asynccontextmanager
async def connected(client: Client, queue: str, url: str, *, shipments: int = 0) -> AsyncIterator[Fleet]:
    """Open a database, with a sample where asked for, without a worker."""
    async with Database.open(DatabaseOptions(url=url)) as database:
        if shipments:
            await seed(database, organizations=1, shipments=shipments)
        yield await _open(client, queue, database)


@asynccontextmanager
async def fleet(client: Client, queue: str, url: str, *, shipments: int = 0) -> AsyncIterator[Fleet]:
    """Open a database likewise, and serve transfers from it on a queue."""
    async with connected(client, queue, url, shipments=shipments) as opened:
        activities = [opened.faults.wrapped(real) for real in opened.activities.activities]
        async with Worker(client, task_queue=queue, workflows=[TransferShipmentsWorkflow], activities=activities):
            yield opened


async def _open(client: Client, queue: str, database: Database) -> Fleet:
    activities = await TransferActivities.open(database)
    table = activities._catalog["shipments"]
    async with database.read() as connection:
        movable = select(table).where(
            table.c.status.in_(["New", "PartiallyAssigned", "Assigned", "InTransit", "Delayed"])
        )
        rows = list(await connection.execute(movable.order_by(table.c.organization_id, table.c.id)))
    first = next(row for row in rows if row.entered_by_id)
    tenant = Tenant(first.organization_id, first.business_unit_id)
    mine = [row.id for row in rows if row.organization_id == tenant.organization_id]
    customers = activities._catalog["customers"]
    other = {"id": "cus_other", **tenant.values, "code": "OTHER", "name": "Other", "description": "Other"}
    async with database.write() as connection:
        there = select(customers.c.id).where(tenant.owns(customers), customers.c.id == "cus_other")
        if (await connection.execute(there)).first() is None:
            await connection.execute(insert(customers).values(insertable(customers, other)))
    return Fleet(client, queue, activities, tenant, first.entered_by_id, mine)


def dies(_call: TransferCall) -> None:
    """End the process as a kill does."""
    os._exit(9)


def refuses(_call: TransferCall) -> None:
    raise NonRetryableError("Something is wrong for good.")


def loses(_call: TransferCall) -> None:
    raise AmbiguousOutcomeError("The connection was lost.")


def is_away(_call: TransferCall) -> None:
    raise UnavailableError("The database is away.")


async def ended(tms: Fleet, case: Case) -> BaseException | None:
    handle = await tms.start(case)
    try:
        await asyncio.wait_for(handle.result(), WAIT_S)
    except WorkflowFailureError as failure:
        return failure.cause
    return None


async def again(tms: Fleet, case: Case) -> None:
    """The same request once more: what was undone can be done."""
    assert await ended(tms, case) is None
    await tms.check_transferred(case)


async def asleep(late: asyncio.Event) -> None:
    """Say nothing until the test wants it, whatever the server has decided meanwhile."""
    waiting = asyncio.ensure_future(late.wait())
    while not waiting.done():
        try:
            await asyncio.shield(waiting)
        except asyncio.CancelledError:
            continue
