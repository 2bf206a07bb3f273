"""A pool of pods under the manager itself, with its lease, its store and its audit trail."""

import asyncio
import contextlib

import pytest
from cluster_site import NAME, cluster_site
from pool_site import eventually_awaited, wanting

from trenova_workers.pool._figures import Figures
from trenova_workers.pool._managed import ManagedPool
from trenova_workers.pool._manager import PoolManager
from trenova_workers.pool._metrics import PoolMetrics
from trenova_workers.pool._options import PoolsOptions
from trenova_workers.pool.store import PoolPhase, PoolStore


class Unread:
    async def read(self):
        return Figures(None)


@pytest.fixture
async def site():
    async with cluster_site() as opened:
        yield opened


@contextlib.asynccontextmanager
async def managed(site, folder, count):
    """A manager that wants ``count()`` workers, in a cluster whose controllers act all the time."""
    options = PoolsOptions.model_validate(
        {
            "scope": "here",
            "data_dir": folder,
            "database": {"url": f"sqlite:///{folder}/pools.db"},
            "look_s": 0.1,
            "pools": {"sample": {"process": {"module": "nothing"}, "policy": {"poll_s": 5}}},
        }
    )
    async with PoolStore.open(options.store) as store:
        await store.migrate()
        metrics = PoolMetrics()
        pool = ManagedPool(
            "sample",
            options.pools["sample"],
            service=NAME,
            backend=site.backend(),
            observer=Unread(),
            store=store,
            decide=wanting(count),
            metrics=metrics,
        )
        manager = PoolManager(options, [pool], store, holder="manager@test:1#aaaaaaaa", metrics=metrics)
        stop = asyncio.Event()

        async def controllers():
            while not stop.is_set():
                site.reconcile()
                await asyncio.sleep(0.15)
                site.run(*site.active)
                site.end()

        running = asyncio.gather(manager.run(stop), controllers())
        try:
            yield store
        finally:
            stop.set()
            await running


async def test_a_manager_scales_a_deployment_up_and_down_and_takes_nobody_for_another_writer(site, tmp_path):
    site.deploy(1)
    wanted = 4
    phases = set()

    async with managed(site, tmp_path, lambda: wanted) as store:

        async def steady():
            state = await store.states.find("here", "sample")
            phases.update({state.phase} if state else ())
            there = state is not None and state.counts["running"] == wanted and not state.counts["draining"]
            return there and site.replicas == wanted

        await eventually_awaited(steady)
        first = site.active[0]
        wanted = 2
        await eventually_awaited(steady)
        audit = await store.audit.read("here")

    drained = [entry.reason for entry in audit.entries if entry.action == "drain"]
    assert drained == ["the pool needs 2", "the pool needs 2"]
    assert first in site.active, "the youngest go first"
    assert PoolPhase.CONTENDED not in phases


async def test_a_manager_leaves_a_deployment_alone_that_somebody_else_scales(site, tmp_path):
    site.deploy(2)

    async with managed(site, tmp_path, lambda: 2) as store:

        async def state():
            return await store.states.find("here", "sample")

        async def steady():
            found = await state()
            return found is not None and found.counts["running"] == 2 and found.phase is not PoolPhase.CONTENDED

        await eventually_awaited(steady)
        site.scale(5)

        async def contended():
            found = await state()
            return found.why if found.phase is PoolPhase.CONTENDED else None

        why = await eventually_awaited(contended)
        await asyncio.sleep(0.5)

    assert "There are 5 workers where this manager left 2" in why
    assert site.replicas == 5
