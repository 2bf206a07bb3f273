import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing

import pytest
from pool_site import eventually, eventually_awaited, until

from trenova_workers.pool.store import PoolPhase

pytestmark = pytest.mark.integration


def steady(count):
    return lambda state: state.counts["running"] == count and state.phase is PoolPhase.STEADY


async def ended(opened):
    return [one.ended for one in await opened.store.workers.ended("here", "sample", within_s=600)]


async def test_a_pool_is_brought_to_its_number_and_back(site):
    wanted = 2
    async with site.managed(lambda: wanted) as opened:
        state = await until(opened, steady(2))
        assert state.why == "The test wants 2."
        assert len(site.pids()) == 2
        wanted = 1
        await until(opened, lambda one: one.counts["running"] == 1 and one.counts["draining"] == 0)
        assert len(site.pids()) == 1
        assert await ended(opened) == ["drained"]
        page = await opened.store.decisions.read("here", "sample")
        assert {one.why for one in page.decisions} == {"The test wants 2.", "The test wants 1."}
        done = {entry.action for entry in (await opened.store.audit.read("here")).entries}
        assert done == {"take", "start", "drain", "end"}


async def test_workers_go_on_without_a_manager_and_the_next_one_adopts_them(site):
    async with site.managed(2) as opened:
        await until(opened, steady(2))
        before = site.pids()
    assert site.pids() == before
    async with site.managed(2) as opened:
        await until(opened, lambda one: steady(2)(one) and one.fence == 2)
        assert site.pids() == before
    async with site.managed(2, drain=True) as opened:
        await until(opened, steady(2))
    assert site.pids() == set()


@pytest.mark.slow
async def test_a_process_that_was_not_written_down_never_becomes_a_worker(site):
    """As when the manager is killed between making a process and keeping it in the store."""
    async with site.managed(1) as opened:
        await until(opened, steady(1))
        pool = opened.pools[0]
        lease = await opened.store.leases.take("elsewhere", "other")
        await opened.store.leases.release(lease)
        with pytest.raises(Exception, match="no longer held"):
            await pool._backend.start(lease, 1, build="one")
        birth = subprocess.Popen(
            [sys.executable, "-c", BORN_BY_A_MANAGER_THAT_DIES, str(site.folder)],
            env=site.environ,
            stdout=-1,
            text=True,
        )
        pid = int(birth.stdout.readline())
        birth.kill()
        birth.wait()
        birth.stdout.close()
        await eventually_awaited(lambda: asyncio.sleep(0, not alive(pid)))
        assert len(site.pids()) == 1


BORN_BY_A_MANAGER_THAT_DIES = """
import os, sys, time
from pathlib import Path
from trenova_workers.pool.processes._spawning import Newborn
newborn = Newborn([sys.executable, "-m", "sample_worker", "run"], os.environ, Path(sys.argv[1]) / "log")
print(newborn.pid, flush=True)
time.sleep(60)
"""


def alive(pid):
    from trenova_workers.pool.processes._mark import born

    return born(pid) is not None


async def test_a_process_id_that_is_used_again_is_not_taken_for_a_worker(site):
    async with site.managed(1) as opened:
        await until(opened, steady(1))
        (record,) = await opened.store.workers.alive("here")
        stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        table = opened.store._engine.tables.workers
        async with opened.store._engine.write() as connection:
            await connection.execute(table.update().where(table.c.id == record.id).values(pid=stranger.pid))
        os.kill(record.pid, signal.SIGKILL)
        await until(opened, lambda one: one.counts["running"] == 1 and one.written == 1 and one.desired == 1)
        await eventually_awaited(lambda: asyncio.sleep(0, len(site.pids()) == 1 and record.pid not in site.pids()))
        assert stranger.poll() is None
        stranger.kill()
        stranger.wait()


async def test_a_worker_that_crashes_is_started_again_and_one_that_only_crashes_is_given_up(site):
    quick = {"first_delay_s": 0.2, "longest_delay_s": 0.5, "crashes": 3, "window_s": 120, "recover_s": 60}
    async with site.managed(1, site.options(crashes=quick)) as opened:
        await until(opened, steady(1))
        (pid,) = site.pids()
        os.kill(pid, signal.SIGKILL)
        await until(opened, lambda one: steady(1)(one) and site.pids() - {pid})
        site.environ["SAMPLE_WORKER_REFUSE"] = "true"
        opened.pools[0]._backend._program.environ["SAMPLE_WORKER_REFUSE"] = "true"
        for one in site.pids():
            os.kill(one, signal.SIGKILL)
        state = await until(opened, lambda one: one.phase is PoolPhase.CRASHING)
        assert "crash again and again" in state.why
        assert site.pids() == set()
        crashed = [entry for entry in (await opened.store.audit.read("here")).entries if entry.action == "crash"]
        assert len(crashed) == 3
        assert "weight" in crashed[0].reason  # the last line that the worker said
        del opened.pools[0]._backend._program.environ["SAMPLE_WORKER_REFUSE"]
        from trenova_workers.pool.store import PoolAuditEntry

        entry = PoolAuditEntry(actor="ann", action="resume", source="cli", reason="The store is mended.")
        await opened.store.orders.resume("here", "sample", entry)
        await until(opened, steady(1))


@pytest.mark.slow
async def test_a_new_build_replaces_workers_in_turn_without_a_lost_attempt(site, client):
    options = site.options()
    async with site.managed(2, options) as opened:
        await until(opened, steady(2))
        before = site.pids()
        handles = [await start(client, site, "nap", 1.5) for _ in range(10)]
        most = Peak(site)
        opened.pools[0]._backend._program.options.process.__dict__["build"] = "two"
        state = await until(opened, lambda one: steady(2)(one) and one.build == "two" and not before & site.pids())
        assert state.counts["starting"] == 0
        await asyncio.gather(*(handle.result() for handle in handles))
        assert [await attempts(handle) for handle in handles] == [{1}] * 10
        assert await eventually_awaited(lambda: all_of_build(opened, "two"))  # told a look after a process is gone
        assert await ended(opened) == ["drained", "drained"]
        assert most.stop() <= 4


async def all_of_build(opened, build):
    return {record.build for record in await opened.store.workers.alive("here")} == {build}


class Peak:
    """The most processes that were there at once."""

    def __init__(self, site):
        self.most, self.task = 0, asyncio.ensure_future(self._watch(site))

    async def _watch(self, site):
        while True:
            self.most = max(self.most, len(await asyncio.to_thread(site.pids)))
            await asyncio.sleep(0.3)

    def stop(self):
        self.task.cancel()
        return self.most


async def start(client, site, kind, seconds):
    name = f"{kind}/{time.monotonic_ns()}"
    return await client.start_workflow("Drill", args=[kind, seconds], id=name, task_queue=site.queue)


async def attempts(handle):
    """The numbers of the attempts that its activities took."""
    found = set()
    async for event in handle.fetch_history_events():
        if event.HasField("activity_task_started_event_attributes"):
            found.add(event.activity_task_started_event_attributes.attempt)
    return found


@pytest.mark.slow
async def test_a_worker_that_uses_too_much_memory_is_replaced(site):
    async with site.managed(1, site.options(process={"memory_limit_mib": 20, "memory_grace_s": 8})) as opened:
        await until(opened, lambda one: one.counts["running"] >= 1)
        first = min(await opened.store.workers.alive("here"), key=lambda one: one.started_at)
        await eventually_awaited(lambda: one_ended(opened, first.id), seconds=90)
        left = await opened.store.workers.find("here", first.id)
        assert left.ended == "drained"
        assert left.drain_why.endswith("MiB of memory, and 20 are allowed")
        successor = min((await opened.store.workers.alive("here")), key=lambda one: one.started_at)
        assert successor.ready_at < left.drain_at


async def one_ended(opened, worker_id):
    return (await opened.store.workers.find("here", worker_id)).ended


@pytest.mark.slow
async def test_another_writer_is_noticed_and_left_to_itself_for_a_while(site):
    async with site.managed(2, site.options(contention={"first_s": 4, "longest_s": 30})) as opened:
        await until(opened, steady(2))
        taken = min(site.pids())
        os.kill(taken, signal.SIGTERM)  # as another manager would
        state = await until(opened, lambda one: one.phase is PoolPhase.CONTENDED)
        assert "There are 1 workers where this manager left 2" in state.why
        assert len(site.pids() - {taken}) == 1
        await until(opened, steady(2))


@pytest.mark.slow
async def test_workers_of_somebody_else_on_the_same_queue_are_another_writer(site):
    async with site.managed(1) as opened:
        await until(opened, steady(1))
        stranger = subprocess.Popen(
            [sys.executable, "-m", "sample_worker", "run"],
            env=site.environ,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            state = await until(opened, lambda one: one.phase is PoolPhase.CONTENDED)
            assert state.counts["foreign"] == 1
            assert f":{stranger.pid}#" in state.why
        finally:
            stranger.kill()
            stranger.wait()


@pytest.mark.slow
async def test_a_worker_that_does_not_answer_is_replaced(site):
    async with site.managed(1, site.options(process={"silent_s": 2, "drain_s": 90})) as opened:
        await until(opened, steady(1))
        (pid,) = site.pids()
        os.kill(pid, signal.SIGSTOP)
        await until(opened, lambda one: one.counts["running"] == 1 and one.counts["draining"] == 1)
        (leaving,) = [one for one in await opened.store.workers.alive("here") if one.drain_at]
        assert "has not answered" in leaving.drain_why
        os.kill(pid, signal.SIGKILL)


@pytest.mark.slow
async def test_a_pool_that_a_person_paused_stays_as_it_is_and_goes_on_after_a_resume(site):
    from trenova_workers.pool.store import PoolAuditEntry

    wanted = 1
    async with site.managed(lambda: wanted) as opened:
        await until(opened, steady(1))
        entry = PoolAuditEntry(actor="ann", action="pause", source="cli", reason="The yard is closed.")
        await opened.store.orders.pause("here", "sample", entry)
        state = await until(opened, lambda one: one.phase is PoolPhase.PAUSED)
        assert state.why == "ann paused it: The yard is closed."
        wanted = 2

        async def held():
            page = await opened.store.decisions.read("here", "sample", limit=1)
            return page.decisions[0].why == "Paused, so nothing changes. The test wants 2."

        await eventually_awaited(held)
        assert len(site.pids()) == 1
        await opened.store.orders.resume("here", "sample", entry.model_copy(update={"id": "r", "action": "resume"}))
        await until(opened, steady(2))


@pytest.mark.slow
async def test_of_two_managers_one_acts_and_the_other_takes_over_after_kill_9_under_load(site, client, url):
    first = site.manager(2, url=url)
    eventually(lambda: len(site.pids()) == 2)
    second = site.manager(2, url=url)
    log = site.folder / "manager-1.log"
    eventually(lambda: "waiting for it" in log.read_text())
    handles = [await start(client, site, "nap", 2.0) for _ in range(20)]
    before = site.pids()
    first.kill()
    first.wait()
    doubled = set()
    end = time.monotonic() + 40
    while "lease number 2" not in log.read_text():
        assert time.monotonic() < end
        doubled |= site.pids() - before
        await asyncio.sleep(0.3)
    await asyncio.sleep(3)  # it looks several times
    assert doubled | (site.pids() - before) == set()
    assert site.pids() == before
    assert second.poll() is None
    await asyncio.gather(*(handle.result() for handle in handles))
    ends = [json.loads(line) for line in site.ledger.read_text().splitlines() if '"ended"' in line]
    naps = Counter(line["workflow"] for line in ends if line["activity"] == "nap")
    assert naps == dict.fromkeys((handle.id for handle in handles), 1)
    assert {line["attempt"] for line in ends} == {1}
    taken = min(before)
    os.kill(taken, signal.SIGKILL)  # the second one really acts: it makes up for a crash
    eventually(lambda: len(site.pids() - {taken}) == 2)
    second.send_signal(signal.SIGTERM)
    assert second.wait(20) == 0
    assert len(site.pids()) == 2


@pytest.mark.slow
async def test_no_worker_is_doubled_when_a_manager_dies_while_it_starts_some(site):
    for _ in range(3):
        manager = site.manager(3)
        eventually(lambda: len(site.pids()) >= 1, seconds=30)
        manager.kill()
        manager.wait()
        await asyncio.sleep(0.5)
    site.manager(3)
    eventually(lambda: len(site.pids()) == 3)
    await asyncio.sleep(3)
    assert len(site.pids()) == 3


@pytest.mark.slow
async def test_a_manager_that_was_held_up_past_its_lease_does_nothing_when_it_goes_on(site):
    slow = site.manager(1)
    eventually(lambda: len(site.pids()) == 1)
    stop_between_writes(slow, site.folder)
    site.manager(2)
    eventually(lambda: len(site.pids()) == 2)
    before = site.pids()
    slow.send_signal(signal.SIGCONT)
    eventually(lambda: "another manager has the lease" in (site.folder / "manager-0.log").read_text())
    await asyncio.sleep(3)
    assert site.pids() == before  # it wants one, and drained none
    assert slow.poll() is None


def stop_between_writes(manager, folder):
    """Hold a manager up where it has no lock on the store: with one, nobody could take the lease over."""

    def stopped():
        manager.send_signal(signal.SIGSTOP)
        try:
            with closing(sqlite3.connect(folder / "pools.db", timeout=1)) as connection:
                connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            manager.send_signal(signal.SIGCONT)
            return False
        return True

    eventually(stopped)


@pytest.mark.slow
async def test_a_backlog_makes_a_pool_grow_by_the_law_and_every_decision_says_why(site, client):
    site.environ["SAMPLE_WORKER_WORKER__MAX_ACTIVITIES"] = "2"
    async with site.managed(None, site.options(policy={"poll_s": 5, "max_workers": 3}), drain=True) as opened:
        await until(opened, lambda one: one.counts["running"] == 1)
        handles = [await start(client, site, "nap", 1.0) for _ in range(60)]
        state = await until(opened, lambda one: one.counts["running"] >= 2, seconds=60)
        assert state.desired >= 2
        page = await opened.store.decisions.read("here", "sample", changes=True)
        grown = page.decisions[0]
        assert grown.action == "up"
        assert grown.document["observation"]["backlog"] > 0
        assert grown.why.endswith(".")
        await asyncio.gather(*(handle.result() for handle in handles))
        assert [await attempts(handle) for handle in handles] == [{1}] * 60
    assert site.pids() == set()
