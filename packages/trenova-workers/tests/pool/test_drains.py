"""Orders to drain workers and keys of requests, on both kinds of database."""

from datetime import UTC, datetime

import pytest

from trenova_errors import ConflictError
from trenova_workers.pool import PoolView, PoolWorker, WorkerPhase
from trenova_workers.pool._plan import plan
from trenova_workers.pool.store import DrainOrder, LeaseLostError, PoolAuditEntry

POD = "shipment-worker-with-a-name-that-is-quite-long-5d9c7b6f4-x2x7k"


def entry():
    return PoolAuditEntry(actor="ann", action="order-drain", pool="ship", worker=POD, reason="it leaks", source="cli")


async def test_an_order_stays_until_the_worker_has_ended(store):
    await store.drains.order("here", [POD, "other"], entry(), in_turn=True)
    order = DrainOrder(by="ann", reason="it leaks", in_turn=True)
    assert await store.drains.find("here", "ship") == {POD: order, "other": order}
    assert await store.drains.find("there", "ship") == {}

    lease = await store.leases.take("here", "manager")
    await store.drains.forget(lease, "ship", ["other"])
    assert await store.drains.find("here", "ship") == {POD: order}
    assert [one.worker for one in (await store.audit.read("here")).entries] == [POD]


async def test_only_the_manager_with_the_lease_forgets_orders(store):
    await store.drains.order("here", [POD], entry())
    lease = await store.leases.take("here", "manager")
    await store.leases.release(lease)
    with pytest.raises(LeaseLostError):
        await store.drains.forget(lease, "ship", [POD])


def worker(number, phase=WorkerPhase.RUNNING):
    return PoolWorker(id=str(number), pool="ship", phase=phase, started_at=datetime.now(UTC), build="1")


def test_workers_that_are_drained_in_turn_are_replaced_first():
    orders = {str(number): DrainOrder("ann", "it leaks", in_turn=True) for number in range(2)}
    view = PoolView([worker(0), worker(1)]).ordered(orders)

    assert plan(2, view.workers, "1").start == 1
    replaced = PoolView([worker(0), worker(1), worker(2)]).ordered(orders)
    (drain,) = plan(2, replaced.workers, "1").drains
    assert (drain.worker_id in orders, drain.why) == (True, "ann: it leaks")


def test_a_worker_that_drains_is_not_asked_again():
    view = PoolView([worker(0, WorkerPhase.DRAINING), worker(1)])
    found = view.ordered({str(number): DrainOrder("ann", "x", in_turn=False) for number in range(2)})

    assert [one.ordered for one in found.workers] == ["", "ann: x"]


async def test_of_many_requests_with_one_key_one_finds_it_fresh(store):
    assert (await store.keys.claim("ann", "k", "a" * 64)).fresh
    assert not (await store.keys.claim("ann", "k", "a" * 64)).fresh
    await store.keys.answer("ann", "k", {"status": 200, "body": {"n": 1}})
    assert (await store.keys.claim("ann", "k", "a" * 64)).response == {"status": 200, "body": {"n": 1}}
    with pytest.raises(ConflictError, match="was used for another request"):
        await store.keys.claim("ann", "k", "b" * 64)
    assert (await store.keys.claim("bob", "k", "b" * 64)).fresh


async def test_a_key_is_forgotten_after_a_week(store):
    await store.keys.claim("ann", "k", "a" * 64)
    table = store._engine.tables.keys
    async with store._engine.write() as connection:
        await connection.execute(table.update().values(created_at=table.c.created_at - 7 * 86_400 - 60))
    assert (await store.keys.claim("ann", "k", "b" * 64)).fresh
