"""What a manager leaves that was told to drain, and what it says of it."""

import asyncio
import contextlib
import subprocess
import sys

import pytest
from pool_site import eventually, until, wanting
from temporalio.client import Client

from trenova_workers.pool import open_manager
from trenova_workers.pool.store import PoolPhase

pytestmark = pytest.mark.integration


@contextlib.contextmanager
def a_stranger(site):
    """A worker of the same service that no manager started."""
    command = [sys.executable, "-m", "sample_worker", "run"]
    stranger = subprocess.Popen(command, env=site.environ, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield stranger
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.slow
async def test_a_manager_that_stops_drains_its_own_where_others_are_and_names_those(site):
    with a_stranger(site) as stranger:
        async with site.managed(2, drain=True) as opened:
            await until(opened, lambda one: one.counts["running"] == 2)
            await until(opened, lambda one: one.phase is PoolPhase.CONTENDED)
        assert site.pids() == {stranger.pid}
        (said,) = site.staying
        assert said.startswith("pool 'sample': 1 worker is still on its queues that this manager did not start")
        assert f"(pid {stranger.pid})" in said


@pytest.mark.slow
async def test_a_manager_that_never_led_names_the_workers_of_the_one_that_does(site):
    leads = site.manager(1)
    eventually(lambda: len(site.pids()) == 1)
    client = await Client.connect(site.address)
    stop = asyncio.Event()
    stop.set()
    async with open_manager(site.options(), client, site.environ, decide=wanting(1)) as opened:
        (said,) = await opened.manager.run(stop, drain=True)
    assert f"(pid {min(site.pids())})" in said
    assert f":{leads.pid}#" in said


async def test_a_manager_that_stops_before_it_leads_waits_for_the_lease_of_one_that_was_killed(site):
    killed = site.manager(1)
    eventually(lambda: len(site.pids()) == 1)
    killed.kill()
    killed.wait()
    client = await Client.connect(site.address)
    stop = asyncio.Event()
    stop.set()
    async with open_manager(site.options(), client, site.environ, decide=wanting(1)) as opened:
        assert await opened.manager.run(stop, drain=True) == []
    assert site.pids() == set()
