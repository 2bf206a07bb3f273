"""The work: the same requests for both set-ups, and the database that they act on."""

import asyncio
import random
import shutil
import sqlite3
import statistics
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psutil

from duplication.setups import DATABASE, Setup
from trenova_activities import DuplicateShipmentPayload, start_duplicate
from trenova_activities.database import Database, DatabaseOptions, migrate, seed

COPIES = 3
"""Copies per request, as in the README's example; everything is copied."""

WARM_UP = 10
"""Requests that nobody times, so that queues, caches and connections are there on both sides."""

_PATIENCE_S = 180
_LOOK_EVERY_S = 0.02


class WrongResultError(RuntimeError):
    """The database does not hold what was asked for, so its figures mean nothing."""


@dataclass(frozen=True)
class Measured:
    """One round of one set-up.

    Attributes:
        per_second: Completed duplications per second.
        latency_s: Median seconds from a request to its result; the notification may come later.
        server_cores: Cores that the Temporal server used.
        worker_cores: Cores that all other processes of the set-up used.
    """

    per_second: float
    latency_s: float
    server_cores: float
    worker_cores: float


async def make_template(folder: Path) -> Path:
    """Return an SQLite file with the sample TMS, which every round starts from a copy of."""
    path = folder / DATABASE
    async with Database.open(DatabaseOptions(url=f"sqlite:///{path}", embedded=True)) as database:
        await migrate(database)
        await seed(database)
    return path


def make_requests(template: Path, count: int) -> list[DuplicateShipmentPayload]:
    """Choose the same shipments every time, those to warm up with included."""
    query = "SELECT id, organization_id, business_unit_id, entered_by_id FROM shipments WHERE entered_by_id IS NOT NULL"
    with closing(sqlite3.connect(template)) as connection:
        rows = connection.execute(f"{query} ORDER BY id").fetchall()
    return [
        DuplicateShipmentPayload(
            shipment_id=shipment,
            organization_id=organization,
            business_unit_id=unit,
            user_id=user,
            idempotency_key=f"bench-{position}",
            count=COPIES,
            override_dates=True,
            include_commodities=True,
            include_additional_charges=True,
        )
        for position, (shipment, organization, unit, user) in enumerate(
            random.Random(1).choices(rows, k=count + WARM_UP)
        )
    ]


def place(template: Path, folder: Path) -> None:
    """Put a copy of the seeded database where a set-up looks for it."""
    shutil.copy(template, folder / DATABASE)


async def measure(setup: Setup, requests: Sequence[DuplicateShipmentPayload], concurrency: int) -> Measured:
    """Push every request through: from the first start to the last stored notification.

    Raises:
        WrongResultError: Copies or notifications are missing, or there are too many.
    """
    await _push(setup, requests[:WARM_UP], concurrency)
    server, workers = _cpu_s([setup.server]), _cpu_s(setup.workers)
    begun = time.monotonic()
    latencies = await _push(setup, requests[WARM_UP:], concurrency)
    took = time.monotonic() - begun
    return Measured(
        per_second=len(latencies) / took,
        latency_s=statistics.median(latencies),
        server_cores=(_cpu_s([setup.server]) - server) / took,
        worker_cores=(_cpu_s(setup.workers) - workers) / took,
    )


async def _push(setup: Setup, requests: Sequence[DuplicateShipmentPayload], concurrency: int) -> list[float]:
    free = asyncio.Semaphore(concurrency)
    before = _stored(setup.database)

    async def one(request: DuplicateShipmentPayload) -> float:
        async with free:
            begun = time.monotonic()
            handle = await start_duplicate(setup.client, request)
            await handle.result()
            return time.monotonic() - begun

    async with asyncio.timeout(_PATIENCE_S):
        latencies = await asyncio.gather(*(one(request) for request in requests))
        while _stored(setup.database)[0] < before[0] + len(requests):  # noqa: ASYNC110 (another process stores)
            await asyncio.sleep(_LOOK_EVERY_S)
    grown = tuple(now - then for now, then in zip(_stored(setup.database), before, strict=True))
    if grown != (len(requests), len(requests) * COPIES):
        raise WrongResultError(f"{len(requests)} requests made {grown[0]} notifications and {grown[1]} shipments.")
    return latencies


def _stored(database: Path) -> tuple[int, int]:
    """Return how many notifications and shipments there are."""
    counts = "SELECT (SELECT count(*) FROM notifications), (SELECT count(*) FROM shipments)"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        notifications, shipments = connection.execute(counts).fetchone()
    return notifications, shipments


def _cpu_s(processes: Sequence[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)
