import asyncio
import os
import signal

import psutil
import pytest
from pool_site import eventually_awaited, state_of, until

from trenova_workers.pool.store import PoolPhase


@pytest.mark.integration
async def test_a_pool_is_brought_to_its_number_and_back(site):
    wanted = 2
    async with site.managed(lambda: wanted) as opened:
        state = await until(opened, lambda one: one.counts["running"] == 2 and one.phase is PoolPhase.STEADY)
        assert state.why == "The test wants 2."
        assert len(site.pids()) == 2
        wanted = 1
        await until(opened, lambda one: one.counts["running"] == 1 and one.counts["draining"] == 0)
        assert len(site.pids()) == 1
        records = await opened.store.workers.ended("here", "sample", within_s=60)
        assert [one.ended for one in records] == ["drained"]
        assert records[0].status == 0
