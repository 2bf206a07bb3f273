"""A worker whose own clock is years off deletes exactly what one with a right clock does."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from auditlog import DAY, AuditLog

from trenova_activities import DeleteAuditEntriesPayload, start_purge

pytestmark = pytest.mark.integration

WORKER = Path(__file__).with_name("purge_worker.py")
SAYS = "import time; print(time.time())"


async def output(*command: str, environ: dict[str, str]) -> asyncio.subprocess.Process:
    environment = {**os.environ, **environ}
    return await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=environment)


@pytest.mark.parametrize(
    "years", [pytest.param(0, marks=pytest.mark.slow), pytest.param(-10, marks=pytest.mark.slow), 10]
)
async def test_the_workers_own_clock_decides_nothing(log: AuditLog, client, queue, shifted_clock, years):
    environ = shifted_clock(years * 365 * DAY)
    now = await log.time()
    asked = await output(sys.executable, "-c", SAYS, environ=environ)
    its_clock = float((await asked.communicate())[0])
    assert abs(its_clock - now - years * 365 * DAY) < 60
    tenants, outlived, younger = [], [], []
    for period in (30, 365):
        [tenant] = await log.organization(period)
        tenants.append(tenant.organization_id)
        outlived += await log.entries(tenant, [now - period * DAY - age for age in (1, DAY, 3000 * DAY)])
        younger += await log.entries(tenant, [now - period * DAY + 600, now - DAY, now])
    before = await log.rows()
    url = log.database.options.url
    address = client.service_client.config.target_host
    worker = await output(sys.executable, str(WORKER), address, queue, url, environ=environ)
    try:
        assert (await asyncio.wait_for(worker.stdout.readline(), 60)).strip() == b"working"
        payload = DeleteAuditEntriesPayload(organization_ids=tenants)
        handle = await start_purge(client, payload, key=queue, task_queue=queue)
        result = await asyncio.wait_for(handle.result(), 60)
    finally:
        worker.kill()
        await worker.wait()

    assert before.keys() - (await log.rows()).keys() == set(outlived)
    assert result.total_deleted == len(outlived)
    assert set(younger) <= (await log.rows()).keys()
