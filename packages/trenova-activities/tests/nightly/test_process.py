"""Real workers on a real server: killed in the middle, and with a clock that is years off."""

import asyncio
import random
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.client import Client
from world import DAY, World, opened

from trenova_activities import CancelShipmentsPayload, start_cancel

pytestmark = pytest.mark.integration

WORKER = Path(__file__).parent / "worker_process.py"


@asynccontextmanager
async def worker(client: Client, queue: str, url: str, **environ: str):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(WORKER),
        client.service_client.config.target_host,
        queue,
        url,
        stdout=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", **environ},
    )
    try:
        said = await asyncio.wait_for(process.stdout.readline(), 60)
        assert said.startswith(b"ready ")
        yield process, float(said.split()[1])
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def present(url: str):
    """The database with its own clock, since the server's is real too."""
    async with opened(url) as world:
        world.now = None
        yield world


async def fleet(world: World) -> tuple[set[str], set[str]]:
    """Two tenants of two thresholds with shipments around each; ids of the stale and of the young ones."""
    async with world.database.read() as connection:
        now = await world.clock(connection)
    stale, young = set(), set()
    for threshold in (1, 60):
        [tenant] = await world.tenants(1, threshold=threshold)
        edge = now - threshold * DAY
        stale |= set(await world.shipments(tenant, [edge, edge - 1, edge - 3650 * DAY, 0], moves=["New"]))
        young |= set(await world.shipments(tenant, [edge + 600, now, now + 3650 * DAY], moves=["New"]))
    return stale, young


@pytest.mark.parametrize("years", [pytest.param(-10, marks=pytest.mark.slow), 10])
async def test_a_worker_whose_clock_is_years_off_cancels_exactly_the_same(
    client: Client, queue: str, nightly_url, shifted_clock, years
):
    shift = years * 365 * DAY
    async with present(nightly_url) as world:
        stale, young = await fleet(world)
        before = time.time()
        async with worker(client, queue, nightly_url, **shifted_clock(shift)) as (_, its_clock):
            assert abs(its_clock - shift - time.time()) < 60
            await (await start_cancel(client, key=queue, task_queue=queue)).result()

        rows = await world.rows("shipments")
        assert {id_ for id_ in stale | young if rows[id_].status == "Canceled"} == stale
        assert all(before - 2 <= rows[id_].canceled_at <= time.time() + 2 for id_ in stale)


@pytest.mark.parametrize("kind", [pytest.param("embedded_sqlite_url", marks=pytest.mark.slow), "current_tms_url"])
async def test_a_worker_that_is_killed_in_the_middle_loses_and_repeats_nothing(
    client: Client, queue: str, kind, request
):
    await killed(client, queue, request.getfixturevalue(kind), kills=2, each=60)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("kind", [pytest.param("embedded_sqlite_url", marks=pytest.mark.slow), "current_tms_url"])
async def test_a_worker_that_is_killed_twenty_times_loses_and_repeats_nothing(client, queue, kind, request):
    await killed(client, queue, request.getfixturevalue(kind), kills=20, each=500)


async def killed(client: Client, queue: str, url: str, *, kills: int, each: int) -> None:
    chance = random.Random(queue)
    async with present(url) as world:
        async with world.database.read() as connection:
            now = await world.clock(connection)
        tenants = await world.tenants(5)
        for tenant in tenants:
            await world.shipments(tenant, [now - 31 * DAY - number for number in range(each)], moves=["New"])
        handle = await start_cancel(client, CancelShipmentsPayload(batch_size=1), key=queue, task_queue=queue)
        progressed = 0
        for _ in range(kills):
            async with worker(client, queue, url) as (process, _):
                done = await changed(world, more_than=progressed)  # it has taken over where the last one died
                await asyncio.sleep(chance.uniform(0, 0.3))
                process.kill()
            progressed = done
        async with worker(client, queue, url):
            result = await handle.result()

        rows = await world.rows("shipments", *tenants)
        assert {(row.status, row.version) for row in rows.values()} == {("Canceled", 4)}
        assert result.total_cancelled == len(rows) == 5 * each
        batches = await world.own("job_run_batches")
        assert sum(batch.rows for batch in batches) == 5 * each
        assert len({batch.run_id for batch in batches}) == 1
        entries = [row.resource_id for row in (await world.rows("audit_entries", *tenants)).values()]
        assert sorted(entries) == sorted(rows)


async def changed(world: World, *, more_than: int) -> int:
    while True:
        rows = sum(row.counted for row in await world.own("job_run_tenants"))
        if rows > more_than:
            return rows
        await asyncio.sleep(0.05)
