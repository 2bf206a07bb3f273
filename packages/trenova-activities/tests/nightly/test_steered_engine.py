"""The real job on a real database is paused, limited and canceled while it works: what it did is what it tells."""

import asyncio
import math
import time
from contextlib import asynccontextmanager

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.worker import Worker
from world import DAY, opened

from trenova_activities import (
    SHIPMENT_QUEUE,
    CancelRequest,
    CancelShipmentsByCreatedAtWorkflow,
    CancelShipmentsPayload,
    LimitsRequest,
    PauseRequest,
    ResumeRequest,
    progress_of,
    start_cancel,
    steer,
)
from trenova_activities.database import CancellationActivities
from trenova_activities.database._nightly import Budget

ROWS, BATCH, RATE = 3000, 10, 200
LIMIT = 50
"""Below a hundred rows nothing steers a batch, so that this is what each has."""


@asynccontextmanager
async def at_work(client, queue, url, *, rows=ROWS, budget=None):
    async with opened(url) as world:
        world.now = None
        async with world.database.read() as connection:
            now = await world.clock(connection)
        [tenant] = await world.tenants(1)
        await world.shipments(tenant, [now - 31 * DAY] * rows)
        activities = CancellationActivities(world.database, world.catalog, budget=budget)
        async with Worker(
            client,
            task_queue=queue,
            workflows=[CancelShipmentsByCreatedAtWorkflow],
            activities=[activities.cancel],
        ):
            run = await start_cancel(client, CancelShipmentsPayload(batch_size=BATCH), key=queue, task_queue=queue)
            while not await world.own("job_run_batches"):  # noqa: ASYNC110 - the database tells nobody
                await asyncio.sleep(0.05)
            yield world, tenant, run


async def held(client, workflow_id):
    async with asyncio.timeout(30):  # a heartbeat (8 s), the batch (5 s at most), and a slow machine
        while (said := await progress_of(client, workflow_id)).phase != "paused":  # noqa: ASYNC110 - nor does the run
            await asyncio.sleep(0.2)
    return said


async def canceled(world, tenant) -> int:
    return sum(row.status == "Canceled" for row in (await world.rows("shipments", tenant)).values())


@pytest.mark.integration
async def test_a_pause_falls_between_two_batches_and_a_limit_holds_from_the_next_call_on(
    client, queue, embedded_sqlite_url
):
    assert queue != SHIPMENT_QUEUE
    async with at_work(client, queue, embedded_sqlite_url, budget=Budget(seconds=0.2)) as (world, tenant, run):
        await steer(client, run.id, LimitsRequest(rows_per_second=100, by="ana"))  # a fast machine would be done first
        await steer(client, run.id, PauseRequest(reason="They complain", by="ana"))
        said = await held(client, run.id)
        before = await world.own("job_run_batches")
        done = await canceled(world, tenant)
        assert said.rows.processed == done == sum(row.rows for row in before)
        assert 0 < done < ROWS
        assert {row.rows for row in before} == {BATCH}

        await steer(client, run.id, LimitsRequest(batch_size=LIMIT, rows_per_second=0, by="ana"))
        await asyncio.sleep(2)
        assert len(await world.own("job_run_batches")) == len(before)
        await steer(client, run.id, ResumeRequest(by="ana"))
        result = await run.result()
        after = await world.own("job_run_batches")

    assert result.total_cancelled == ROWS
    assert sum(row.rows for row in after) == ROWS
    assert {row.rows for row in after[len(before) : -1]} == {LIMIT}


@pytest.mark.integration
async def test_a_run_that_is_canceled_leaves_whole_batches(client, queue, embedded_postgres_url):
    async with at_work(client, queue, embedded_postgres_url, budget=Budget(seconds=0.2)) as (world, tenant, run):
        await steer(client, run.id, LimitsRequest(rows_per_second=100, by="ana"))  # a fast machine would be done first
        await steer(client, run.id, CancelRequest(reason="wrong night", by="ana"))
        with pytest.raises(WorkflowFailureError):
            await run.result()
        batches = await world.own("job_run_batches")
        done = await canceled(world, tenant)

    assert 0 < done < ROWS
    assert done == sum(row.rows for row in batches)
    assert {row.rows for row in batches} == {BATCH}


@pytest.mark.integration
async def test_a_rate_that_a_run_is_told_is_kept_over_all_its_calls(client, queue, embedded_sqlite_url):
    """Each call does three batches: half a second's worth at once, whatever a batch may have, and then a pause."""
    rows = 1200
    asked = {"rows": rows, "budget": Budget(batches=3)}
    async with at_work(client, queue, embedded_sqlite_url, **asked) as (world, tenant, run):
        await steer(client, run.id, PauseRequest(reason="They complain", by="ana"))
        await held(client, run.id)
        left = rows - await canceled(world, tenant)
        await steer(client, run.id, LimitsRequest(batch_size=10_000, rows_per_second=RATE, by="ana"))
        began = time.monotonic()
        await steer(client, run.id, ResumeRequest(by="ana"))
        result = await run.result()
        spent = time.monotonic() - began
        batches = await world.own("job_run_batches")

    assert result.total_cancelled == rows
    assert left > RATE
    paced = [row.rows for row in batches][-math.ceil(left / (RATE // 2)) :]
    assert sum(paced) == left
    assert max(paced) == RATE // 2
    assert spent >= (left - paced[-1]) / RATE
