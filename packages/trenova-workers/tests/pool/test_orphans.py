"""Workers whose pool was renamed or taken out of the file."""

import pytest
from pool_site import eventually_awaited

from trenova_workers.pool import PoolDesk, PoolsOptions

pytestmark = pytest.mark.integration


@pytest.mark.slow
async def test_workers_of_a_pool_that_was_renamed_are_shown_and_drained_and_are_no_strangers(site):
    async with site.managed(2) as opened:
        await eventually_awaited(lambda: _running(opened, 2))
    old = site.pids()
    assert len(old) == 2

    told = site.options().model_dump()
    told["pools"] = {"renamed": told["pools"]["sample"]}
    async with site.managed(1, PoolsOptions.model_validate(told)) as opened:
        desk = PoolDesk(opened.store, "here", ["renamed"])

        async def shown():
            """Its old pool, once the manager has looked at it; until then it is as the last one left it."""
            pools = {pool.name: pool for pool in (await desk.pools()).pools}
            left = [one for one in (await desk.workers()).workers if one.pool == "sample"]
            said = pools["sample"].why if "sample" in pools else ""
            return left if said == "The pool is no more; its workers are drained." else None

        leaving = await eventually_awaited(shown)
        assert {one.id for one in leaving} <= {one.id for one in await opened.store.workers.alive("here", "sample")}

        async def gone():
            return not await opened.store.workers.alive("here", "sample") or None

        await eventually_awaited(gone)
        assert not old & site.pids()

        async def forgotten():
            """With the next look of the manager."""
            return "sample" not in [pool.name for pool in (await desk.pools()).pools] or None

        await eventually_awaited(forgotten)
        entries = (await opened.store.audit.read("here", pool="sample")).entries
        drains = [one for one in entries if one.action == "drain"]
        assert {one.reason for one in drains} == {"the pool sample is no more"}
        assert len(drains) == 2

        async def replaced():
            state = await opened.store.states.find("here", "renamed")
            return (state is not None and state.counts["running"] == 1 and state.phase != "contended") or None

        await eventually_awaited(replaced)
        decisions = (await opened.store.decisions.read("here", "renamed")).decisions
        assert not [one for one in decisions if "did not start" in one.why]


async def _running(opened, count):
    state = await opened.store.states.find("here", "sample")
    return (state is not None and state.counts["running"] == count) or None
