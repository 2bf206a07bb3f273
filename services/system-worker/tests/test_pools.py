"""The adapter between the dashboard's protocol and the pool manager's client, on the real API of pools in memory."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from system_worker._pool_options import PoolManagerOptions
from system_worker._pools import PoolManagerPools, open_pools
from trenova_access import AccessOptions, ApiTokenOptions, Grant, new_api_token
from trenova_errors import ConfigurationError, ResourceNotFoundError, UnavailableError
from trenova_schedules.worker_pools import NoPoolManagerError, PoolSeen, SlotsInUse, WorkerPools
from trenova_workers.pool import PoolWorker, WorkerPhase, WorkerSlots
from trenova_workers.pool.client import PoolClient, PoolServerAddress
from trenova_workers.pool.server import PoolServerOptions, create_app
from trenova_workers.pool.store import KeptDecision, PoolBounds, PoolPhase, PoolState, PoolStore, PoolStoreOptions
from trenova_workers.scaling import Observation, ScalingPolicy, ScalingState, WorkerCounts, decide

NOW = datetime.now(UTC)


def decided():
    """A decision of the real law, as the manager keeps it."""
    observation = Observation(
        pool="dispatch",
        at=NOW,
        read_at=NOW,
        backlog=140,
        backlog_age_s=21.5,
        arrival_rate=12.4,
        dispatch_rate=9.0,
        workers=WorkerCounts(running=3, planned=3),
        slots_used=24,
        slots=30,
    )
    decision = decide(observation, ScalingState(), ScalingPolicy(min_workers=1, max_workers=8))
    document = decision.model_dump(mode="json", by_alias=True)
    return decision, KeptDecision(
        pool="dispatch", action=decision.action, before=3, desired=decision.desired, why=decision.why, document=document
    )


@pytest.fixture
async def pools(tmp_path):
    """The adapter, on an API with one pool."""
    token, digest = new_api_token()
    grants = tuple(Grant(resource="*", role=role) for role in ("operator", "delegate"))
    access = AccessOptions(api_tokens=(ApiTokenOptions(sha256=digest, subject="console", grants=grants),))
    async with PoolStore.open(PoolStoreOptions(url=f"sqlite:///{tmp_path}/pools.db")) as store:
        await store.migrate()
        lease = await store.leases.take("yard", "pool-manager@yard:1#abcdef12")
        worker = PoolWorker(
            id="w1",
            pool="dispatch",
            phase=WorkerPhase.RUNNING,
            started_at=NOW,
            build="7",
            identity="s@yard:9#abcdef12",
            host="yard",
            pid=9,
            version="temporal-python 1.35",
            heard_at=NOW,
            heartbeat_s=5,
            slots_by_kind={"workflows": WorkerSlots(used=3, total=20)},
        )
        state = PoolState(
            pool="dispatch",
            phase=PoolPhase.STEADY,
            why="The number fits.",
            desired=3,
            written=3,
            counts={"running": 3, "starting": 1, "draining": 2, "lost": 0, "foreign": 4},
            build="7",
            workers=(worker.model_dump(mode="json", by_alias=True),),
            bounds=PoolBounds(min_workers=1, max_workers=8, wait_target_s=30),
        )
        await store.states.keep(lease, state)
        app = create_app(PoolServerOptions(access=access), store, scope="yard", pools=["dispatch", "new"])
        address = PoolServerAddress("http://127.0.0.1", token)
        async with PoolClient(lambda: address, transport=httpx.ASGITransport(app=app)) as client:
            adapter: WorkerPools = PoolManagerPools(client)
            adapter.store, adapter.lease = store, lease
            yield adapter


async def test_all_that_the_manager_says_of_a_pool_arrives(pools):
    decision, kept = decided()
    await pools.store.decisions.keep(pools.lease, kept)

    seen = await pools.pools()

    assert (seen.manager.scope, seen.manager.fence, seen.manager.acting) == ("yard", 1, True)
    first, second = seen.pools
    assert (first.running, first.starting, first.draining, first.lost, first.foreign) == (3, 1, 2, 0, 4)
    assert (first.phase, first.why, first.min_workers, first.max_workers, first.wait_target_s) == (
        "steady",
        "The number fits.",
        1,
        8,
        30,
    )
    assert second == PoolSeen(name="new", why="No manager has seen it yet.")
    last = first.latest
    assert (last.backlog, last.backlog_age_s, last.arrival_rate, last.dispatch_rate) == (140, 21.5, 12.4, 9.0)
    assert (last.slots_used, last.slots, last.trigger, last.why) == (24, 30, decision.trigger, decision.why)
    assert last.inputs["observation"]["workers"]["running"] == 3


async def test_one_pool_has_its_workers_and_its_past(pools):
    await pools.store.decisions.keep(pools.lease, decided()[1])
    detail = await pools.pool("dispatch", hours=1, parts=10)
    [worker] = detail.workers
    assert (worker.phase, worker.host, worker.pid, worker.heartbeat_s) == ("running", "yard", 9, 5)
    assert worker.slots_by_kind == {"workflows": SlotsInUse(used=3, total=20)}
    assert [(point.workers, point.backlog) for point in detail.points] == [(3, 140)]
    assert detail.part_s == 360
    page = await pools.decisions("dispatch", cursor=None, limit=5, changes=True)
    assert len(page.decisions) == 1
    with pytest.raises(ResourceNotFoundError):
        await pools.pool("none", hours=1, parts=10)


async def test_a_decision_without_figures_such_as_that_of_the_budget_is_shown_without(pools):
    document = {"trigger": "budget", "asked": 5, "allowed": 3, "observation": {"backlog": "many"}}
    kept = KeptDecision(pool="dispatch", action="down", before=5, desired=3, why="Others.", document=document)
    await pools.store.decisions.keep(pools.lease, kept)
    [one] = (await pools.decisions("dispatch", cursor=None, limit=1, changes=False)).decisions
    assert (one.trigger, one.backlog, one.inputs["allowed"]) == ("budget", None, 3)


async def test_orders_are_the_persons(pools):
    until = NOW + timedelta(hours=1)
    await pools.override("dispatch", 5, until, "rush", by="Zoë")
    await pools.pause("dispatch", "moving", by="Ada")
    seen = (await pools.pools()).pools[0]
    assert (seen.override.count, seen.override.by, seen.override.until) == (5, "Zoë", until)
    assert (seen.pause.by, seen.pause.reason) == ("Ada", "moving")
    await pools.resume("dispatch", "done", by="Ada")
    entries = (await pools.store.audit.read("yard")).entries
    assert [(one.action, one.actor, one.detail["through"]) for one in entries] == [
        ("resume", "Ada", "console"),
        ("pause", "Ada", "console"),
        ("override", "Zoë", "console"),
    ]


async def test_where_a_manager_is_looked_for(tmp_path):
    async with open_pools(PoolManagerOptions(), tmp_path, None) as pools:
        with pytest.raises(NoPoolManagerError):
            await pools.pools()
        (tmp_path / "pools-server.json").write_text('{"url": "http://127.0.0.1:1", "key": "k"}')
        with pytest.raises(UnavailableError, match="nothing answers") as found:
            await pools.pools()
        assert not isinstance(found.value, NoPoolManagerError)
    async with open_pools(PoolManagerOptions(), tmp_path, tmp_path / "of-up.json") as pools:
        with pytest.raises(UnavailableError, match="there is no file") as missing:
            await pools.pools()
        assert not isinstance(missing.value, NoPoolManagerError), "up has one, which is not there yet"
    with pytest.raises(ConfigurationError, match="no address"):
        async with open_pools(PoolManagerOptions(url="pools"), tmp_path, None):
            pass
    with pytest.raises(ValidationError, match="give both"):
        PoolManagerOptions(token_file=Path("token"))
