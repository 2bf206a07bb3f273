import asyncio

import pytest

from trenova_workers.pool.store import (
    KeptDecision,
    LeaseLostError,
    PoolAuditEntry,
    PoolPhase,
    PoolState,
    PoolStore,
    PoolStoreOptions,
)


def state(pool="p", desired=1):
    return PoolState(pool=pool, phase=PoolPhase.STEADY, why="", desired=desired, written=desired)


async def test_of_many_managers_one_gets_the_lease(url, store):
    async def take(name):
        async with PoolStore.open(PoolStoreOptions(url=url)) as other:
            return await other.leases.take("here", name)

    found = [lease for lease in await asyncio.gather(*(take(f"m{n}") for n in range(8))) if lease is not None]
    assert len(found) == 1
    assert found[0].fence == 1
    assert (await store.leases.holder("here")).holder == found[0].holder


async def test_a_lease_that_ran_out_is_taken_with_a_greater_number_and_its_late_acts_are_refused(store):
    old = await store.leases.take("here", "old", lasts_s=3)
    await store.states.keep(old, state(desired=1))
    assert await store.leases.take("here", "new") is None
    await asyncio.sleep(3.1)
    new = await store.leases.take("here", "new")
    assert new.fence == old.fence + 1
    assert not old.valid

    with pytest.raises(LeaseLostError, match="number 1 is no longer held by old"):
        await store.states.keep(old, state(desired=7))
    with pytest.raises(LeaseLostError):
        await store.decisions.keep(old, KeptDecision(pool="p", action="up", before=1, desired=7, why="late"))
    with pytest.raises(LeaseLostError):
        await store.workers.add(old, worker_id="w", pool="p", host="h", pid=1, born="b", build="1", port=1)
    with pytest.raises(LeaseLostError):
        await store.leases.renew(old)
    assert (await store.states.find("here", "p")).desired == 1
    assert await store.workers.alive("here") == []
    await store.states.keep(new, state(desired=2))
    assert (await store.states.find("here", "p")).fence == new.fence


async def test_a_lease_that_ran_out_is_refused_even_before_anybody_else_has_it(store):
    lease = await store.leases.take("here", "slow", lasts_s=0.2)
    await asyncio.sleep(0.3)
    with pytest.raises(LeaseLostError):
        await store.states.keep(lease, state())
    with pytest.raises(LeaseLostError):
        lease.require()


async def test_a_renewed_lease_lasts_and_a_released_one_is_free_at_once(store):
    lease = await store.leases.take("here", "one", lasts_s=2)
    for _ in range(4):
        await asyncio.sleep(0.7)
        await store.leases.renew(lease, lasts_s=2)
    assert lease.valid
    assert await store.leases.take("here", "two") is None
    await store.leases.release(lease)
    assert (await store.leases.take("here", "two")).fence == 2


async def test_scopes_have_leases_of_their_own(store):
    assert await store.leases.take("here", "one") is not None
    assert await store.leases.take("there", "two") is not None


async def test_a_takeover_waits_for_an_act_under_way_and_sees_it(url, store):
    """The act holds the lease's row until it is committed, so its effect is there before the next manager begins."""
    lease = await store.leases.take("here", "old", lasts_s=2)
    async with PoolStore.open(PoolStoreOptions(url=url)) as other:
        async with store._engine.write() as connection:
            await store.leases.hold(connection, lease)
            taking = asyncio.ensure_future(other.leases.take("here", "new"))
            await asyncio.sleep(2.5)
            assert not taking.done()
        assert (await taking).fence == 2


async def test_the_audit_trail_is_only_added_to(store):
    await store.audit.record("here", PoolAuditEntry(actor="ann", action="pause", pool="p", source="cli", reason="x"))
    await store.audit.record("here", PoolAuditEntry(actor="bob", action="resume", pool="p", source="rest"))
    table = store._engine.tables.audit
    for statement in (table.update().values(actor="eve"), table.delete()):
        with pytest.raises(Exception, match=r"refused|gave up|failed"):
            async with store._engine.write() as connection:
                await connection.execute(statement)
    page = await store.audit.read("here", limit=1)
    assert [entry.actor for entry in page.entries] == ["bob"]
    rest = await store.audit.read("here", cursor=page.next_cursor)
    assert [entry.actor for entry in rest.entries] == ["ann"]
    assert rest.next_cursor is None


async def test_decisions_are_paged_and_the_oldest_go(url, store):
    small = PoolStore(PoolStoreOptions(url=url), decisions_kept=10)
    lease = await small.leases.take("here", "one")
    for n in range(25):
        await small.decisions.keep(lease, KeptDecision(pool="p", action="up", before=n, desired=n + n % 2, why=str(n)))
    assert await small.decisions.count("here", "p") <= 20
    page = await small.decisions.read("here", "p", limit=3)
    assert [one.why for one in page.decisions] == ["24", "23", "22"]
    more = await small.decisions.read("here", "p", cursor=page.next_cursor, limit=2, changes=True)
    assert [one.why for one in more.decisions] == ["21", "19"]
    await small.close()


async def test_migrating_again_changes_nothing_and_many_may_do_it_at_once(url):
    async def migrate():
        async with PoolStore.open(PoolStoreOptions(url=url)) as one:
            return await one.migrate()

    done = await asyncio.gather(*(migrate() for _ in range(4)))
    assert sum(one.changed for one in done) == 1
    assert {one.revision for one in done} == {"0002"}
    assert not (await migrate()).changed
