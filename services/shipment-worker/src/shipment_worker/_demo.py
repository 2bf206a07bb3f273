"""Fifty duplications through real workflows, then the nightly cancellation, and what the database holds of both."""

import asyncio
import random
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select

from shipment_worker._demo_cancellation import cancel_stale
from shipment_worker._settings import Settings
from trenova_activities import (
    DUPLICATE_SHIPMENT_JOB,
    DuplicateShipmentPayload,
    DuplicateShipmentResult,
    start_duplicate,
)
from trenova_activities.database import (
    DEMO_SEED,
    Catalog,
    Database,
    asked_for,
    found,
    ready_catalog,
    sample_organizations,
    seed,
)
from trenova_workers import DemoRun

_REQUESTS = 50
_AT_ONCE = 10
_MOST_COPIES = 5


@dataclass(frozen=True)
class _Done:
    asked: DuplicateShipmentPayload
    result: DuplicateShipmentResult


async def demonstrate(settings: Settings, run: DemoRun) -> None:
    """Seed the demonstration's own sample, duplicate, cancel what is stale, and compare; others are left alone.

    Args:
        settings: Name the database; an embedded one, since any other is refused.
        run: Where progress and checks go; its token makes the idempotency keys of this demonstration.
    """
    async with settings.open_database() as database:
        await seed(database, seed=DEMO_SEED)
        own = await sample_organizations(database, seed=DEMO_SEED)
        catalog = await ready_catalog(database, DUPLICATE_SHIPMENT_JOB)
        before = await _shipments(database, catalog, own)
        requests = await _requests(database, catalog, run.token, own)
        expected = await _expected(database, catalog, requests)
        done = await _duplicate(run, requests)
        actual = await _actual(database, catalog, done)
        added = await _shipments(database, catalog, own) - before
        run.check("duplications completed", expected=len(requests), actual=len(done))
        for table, rows in sorted(expected.items()):
            run.check(f"copied rows of {table}", expected=rows, actual=actual[table])
        run.check("shipments added in all", expected=expected["shipments"], actual=added)
        await _ask_again(run, done)
        canceled = await cancel_stale(settings, run, database, own)
    run.summary(f"{len(done)} duplications made {actual['shipments']} shipments; {canceled}")


async def _expected(database: Database, catalog: Catalog, requests: list[DuplicateShipmentPayload]) -> Counter[str]:
    rows: Counter[str] = Counter()
    async with database.read() as connection:
        for request in requests:
            rows.update(await asked_for(connection, catalog, request))
    return rows


async def _actual(database: Database, catalog: Catalog, done: list[_Done]) -> Counter[str]:
    rows: Counter[str] = Counter()
    async with database.read() as connection:
        for job in done:
            rows.update(await found(connection, catalog, job.asked, job.result.shipment_ids))
    return rows


async def _requests(
    database: Database, catalog: Catalog, token: str, own: Collection[str]
) -> list[DuplicateShipmentPayload]:
    shipments = catalog["shipments"]
    columns = [shipments.c[name] for name in ("id", "organization_id", "business_unit_id", "entered_by_id")]
    known = (shipments.c.entered_by_id.is_not(None), shipments.c.organization_id.in_(own))
    async with database.read() as connection:
        rows = list(await connection.execute(select(*columns).where(*known).order_by(shipments.c.id)))
    chance = random.Random(token)  # noqa: S311 -- picks examples, guards nothing
    return [
        _request(row, chance, f"demo-{token}-{position:02}")
        for position, row in enumerate(chance.sample(rows, _REQUESTS))
    ]


def _request(row: Row[Any, Any, Any, Any], chance: random.Random, key: str) -> DuplicateShipmentPayload:
    return DuplicateShipmentPayload(
        organization_id=row.organization_id,
        business_unit_id=row.business_unit_id,
        user_id=row.entered_by_id,
        idempotency_key=key,
        shipment_id=row.id,
        count=chance.randint(1, _MOST_COPIES),
        override_dates=chance.random() < 1 / 2,
        include_commodities=chance.random() < 1 / 2,
        include_additional_charges=chance.random() < 1 / 2,
    )


async def _duplicate(run: DemoRun, requests: list[DuplicateShipmentPayload]) -> list[_Done]:
    free = asyncio.Semaphore(_AT_ONCE)

    async def one(request: DuplicateShipmentPayload) -> _Done:
        async with free:
            handle = await start_duplicate(run.client, request)
            return _Done(request, await handle.result())

    done: list[_Done] = []
    for finished in asyncio.as_completed([one(request) for request in requests]):
        done.append(await finished)
        run.progress("duplications", len(done), len(requests))
    return done


async def _ask_again(run: DemoRun, done: list[_Done]) -> None:
    """Repeat one request under its own key: it must name the same copies."""
    first = done[0]
    again = await (await start_duplicate(run.client, first.asked)).result()
    run.check(
        "copies that a repeated request names again",
        expected=len(first.result.shipment_ids),
        actual=len(set(first.result.shipment_ids) & set(again.shipment_ids)),
    )


async def _shipments(database: Database, catalog: Catalog, own: Collection[str]) -> int:
    shipments = catalog["shipments"]
    async with database.read() as connection:
        query = select(func.count()).select_from(shipments).where(shipments.c.organization_id.in_(own))
        return int((await connection.execute(query)).scalar_one())
