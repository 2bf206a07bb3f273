"""Pools whose workers are versions of a worker deployment, on a real server."""

import os
import signal
import uuid

import pytest
from pool_site import eventually_awaited, until
from sample_worker._jobs import Sample

from trenova_errors import ApplicationError
from trenova_workers.deploy import Operator
from trenova_workers.pool.store import PoolPhase

pytestmark = pytest.mark.integration

QUICK = {
    "poll_s": 5,
    "start_s": 1,
    "min_workers": 1,
    "max_workers": 4,
    "quiet_s": 10,
    "down_cooldown_s": 31,
    "zero_polls": 2,
}


class Releases:
    """A deployment of the sample service, each release of which a manager can start."""

    def __init__(self, site, client):
        self.site, self.client = site, client
        self.name = f"sample-{uuid.uuid4().hex[:8]}"
        site.environ["SAMPLE_WORKER_WORKER__DEPLOYMENT__VERSIONED"] = "true"
        site.environ["SAMPLE_WORKER_WORKER__DEPLOYMENT__NAME"] = self.name
        site.environ["SAMPLE_WORKER_WORKER__GRACEFUL_SHUTDOWN_S"] = "1"
        self.operator = Operator(client, self.name, by="alice@desk")

    def options(self, build, *others, environ=None, **pool):
        environ = environ or {}
        builds = {one: {"environ": environ.get(one, {})} for one in (*others, *environ)}
        return self.site.options(process={"build": build, "builds": builds}, policy=QUICK, **pool)

    async def promote(self, build):
        async def promoted():
            try:
                await self.operator.promote(build, reason="the test wants it")
            except ApplicationError:
                return False
            return True

        await eventually_awaited(promoted)

    async def start(self, seconds):
        return await self.client.start_workflow(
            Sample.run, args=["sample.nap", seconds], id=f"{self.name}/{uuid.uuid4()}", task_queue=self.site.queue
        )


@pytest.fixture
def releases(site, client):
    return Releases(site, client)


def running(**wanted):
    """Whether so many workers of each build run, and none of any other."""

    def look(state):
        there = {one["build"]: one["counts"]["running"] for one in state.versions}
        return {build: count for build, count in there.items() if count} == {
            build.replace("v", ""): count for build, count in wanted.items() if count
        }

    return look


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_a_version_at_zero_with_pinned_work_gets_a_worker_finishes_and_goes(releases, site):
    async with site.managed(None, releases.options("1"), drain=True) as opened:
        await until(opened, running(v1=1))
        await releases.promote("1")
        handle = await releases.start(20)

        async def begun():
            return (await handle.describe()).raw_description.pending_activities

        await eventually_awaited(begun)
    # The attempt is cancelled at the end of the drain and waits for a worker of version 1; there is none.
    assert site.pids() == set()

    async with site.managed(None, releases.options("2")) as opened:
        await until(opened, running(v2=1))
        await releases.promote("2")
        state = await until(opened, lambda one: "Version 1 should have 1 more workers" in one.why)
        assert state.phase is PoolPhase.BLIND
        assert "nothing says where it is installed. Name it in process.builds" in state.why
        assert (await handle.describe()).status.name == "RUNNING"

    async with site.managed(None, releases.options("2", "1")) as opened:
        state = await until(opened, running(v1=1, v2=1))
        assert {one["build"]: one["state"] for one in state.versions} == {"1": "draining", "2": "current"}
        assert {one["build"]: one["why"] for one in state.versions} == {
            "1": "1 is draining and has 1 open runs, which end on it or move from it.",
            "2": "2 is current: new work goes to it.",
        }
        assert await handle.result() == 2
        state = await until(opened, lambda one: running(v2=1)(one) and not one.counts["draining"], seconds=90)
        assert len(site.pids()) == 1
        assert state.desired == 1
        other = await releases.start(0.0)
        assert await other.result() == 1
        assert [one["build"] for one in state.workers] == ["2"]
        page = await opened.store.decisions.read("here", "sample", changes=True)
        last = next(one for one in page.decisions if one.document["build"] == "1")
        assert (last.before, last.desired, last.document["version"]) == (1, 0, "draining")
        assert last.why.startswith(
            "1 (draining): Down from 1 to 0: there was nothing to do in 2 observations in a row."
        )


@pytest.mark.slow
async def test_a_release_that_only_crashes_does_not_hold_up_the_one_before(releases, site):
    options = releases.options("1", crashes={"first_delay_s": 0.2, "longest_delay_s": 0.5, "crashes": 2})
    async with site.managed(None, options) as opened:
        await until(opened, running(v1=1))
        await releases.promote("1")
    broken = releases.options(
        "2", "1", environ={"2": {"SAMPLE_WORKER_REFUSE": "true"}}, crashes=options.pools["sample"].crashes
    )
    async with site.managed(None, broken) as opened:
        state = await until(opened, lambda one: one.phase is PoolPhase.CRASHING)
        assert "workers of build 2 crash again and again" in state.why
        (before,) = site.pids()
        os.kill(before, signal.SIGKILL)
        await until(opened, lambda one: running(v1=1)(one) and site.pids() - {before})
        assert await (await releases.start(0.0)).result() == 1
