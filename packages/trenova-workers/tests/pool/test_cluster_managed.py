"""A pool of pods under the manager itself, with its lease, its store and its audit trail."""

import asyncio
import contextlib

import pytest
import yaml
from cluster_site import NAME, NAMESPACE, cluster_site
from pool_site import eventually_awaited, wanting
from temporalio.client import Client

from trenova_workers.pool._figures import Figures
from trenova_workers.pool._managed import ManagedPool
from trenova_workers.pool._manager import PoolManager
from trenova_workers.pool._metrics import PoolMetrics
from trenova_workers.pool._options import PoolsOptions
from trenova_workers.pool._running import open_manager
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
            "pools": {"sample": {"kubernetes": {"deployment": NAME}, "queues": ["nobody"], "policy": {"poll_s": 5}}},
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


async def test_a_manager_says_that_a_pool_is_contended_where_an_autoscaler_scales_it(site, tmp_path):
    site.deploy(2)
    site.autoscale("keda-hpa-x", ("ScaledObject", "x"))

    async with managed(site, tmp_path, lambda: 4) as store:

        async def contended():
            found = await store.states.find("here", "sample")
            return found.why if found is not None and found.phase is PoolPhase.CONTENDED else None

        why = await eventually_awaited(contended)

    assert why.startswith("KEDA, by its ScaledObject 'x', scales the Deployment 'sample-worker' too. Two writers")
    assert site.replicas == 2


async def test_a_manager_leaves_the_replacing_of_builds_to_kubernetes(site, tmp_path):
    site.deploy(2, image="registry.example/sample-worker:two")
    site.make()
    site.make()

    async with managed(site, tmp_path, lambda: 2) as store:

        async def steady():
            found = await store.states.find("here", "sample")
            return found is not None and found.counts["running"] == 2

        await eventually_awaited(steady)
        await asyncio.sleep(1)
        state = await store.states.find("here", "sample")

    assert site.replicas == 2
    assert (state.build, {one["build"] for one in state.workers}) == ("two", {"one"})
    assert not [entry for entry in site.api.written if entry[0] == "patch"]


async def test_a_manager_finds_its_cluster_by_a_kubeconfig_and_scales_by_the_real_queue(site, tmp_path, server):
    site.deploy(1)
    config = {
        "current-context": "test",
        "clusters": [{"name": "c", "cluster": {"server": str(site.url)}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u", "namespace": NAMESPACE}}],
    }
    (tmp_path / "config").write_text(yaml.safe_dump(config))
    told = {"deployment": NAME, "namespace": NAMESPACE}
    options = PoolsOptions.model_validate(
        {
            "scope": "here",
            "data_dir": tmp_path,
            "look_s": 0.1,
            "pools": {"sample": {"kubernetes": told, "queues": ["nobody"], "policy": {"min_workers": 3}}},
        }
    )
    client = await Client.connect(server.address)
    stop = asyncio.Event()

    async with open_manager(options, client, {"KUBECONFIG": str(tmp_path / "config")}) as opened:
        running = asyncio.ensure_future(opened.manager.run(stop))

        async def raised():
            return site.replicas == 3

        await eventually_awaited(raised)
        stop.set()
        await running
        page = await opened.store.decisions.read("here", "sample", limit=50)

    assert any(decision.desired == 3 for decision in page.decisions)
