"""Rollouts on a real server, with runs in flight and new ones all the time."""

import asyncio
import contextlib
from collections import Counter

import pytest
from asking import until
from releases import FAILING, HANGING, STUCK
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import ConfigurationError
from trenova_workers.deploy import (
    DeploymentConflictError,
    DeploymentRefusedError,
    Operator,
    Rollout,
    RolloutOptions,
    RolloutThresholds,
)

pytestmark = pytest.mark.integration

THRESHOLDS = RolloutThresholds(samples=4)


def options(**more) -> RolloutOptions:
    return RolloutOptions(**{"bake_s": 1, "longest_bake_s": 40, "every_s": 0.5, "thresholds": THRESHOLDS, **more})


def rollout(site, build="2.0", **more) -> tuple[Rollout, list]:
    events: list = []
    return Rollout(site.client, site.operator, build, options(**more), events.append), events


@contextlib.asynccontextmanager
async def load(site):
    """Start quick runs all the time; yields their handles."""
    handles = []

    async def start() -> None:
        while True:
            handles.extend(await site.begin("Quick", 1, f"quick-{len(handles)}"))
            await asyncio.sleep(0.03)

    task = asyncio.create_task(start())
    try:
        yield handles
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def in_flight(site):
    ships, tracks = await site.begin("Ship", 3, "ship"), await site.begin("Track", 3, "track")

    await site.on("1.0", 6)
    return ships, tracks


async def test_a_good_release_is_ramped_step_by_step_and_promoted(two):
    ships, tracks = await in_flight(two)
    run, events = rollout(two)
    async with load(two) as quick:
        ended = await run.run(reason="1.5 % cheaper")
    status = await two.status()

    assert ended.outcome == "promoted"
    assert list(dict.fromkeys(event.percent for event in events)) == [10, 50, 100]
    assert (status.current, status.ramping, status.version("2.0").change.reason) == ("2.0", None, "1.5 % cheaper")
    assert await two.end(ships) == ["1.0"] * 3
    assert await two.end(tracks) == ["2.0"] * 3
    by = Counter([await one.result() for one in quick])
    assert set(by) == {"1.0", "2.0"}


async def test_a_release_whose_runs_fail_is_taken_back_by_itself(two):
    await two.stop("2.0")
    await two.start("2.0", FAILING)
    ships, tracks = await in_flight(two)
    run, events = rollout(two)
    async with load(two) as quick:
        ended = await run.run()
        began_before_the_end = len(quick)
    status = await two.status()

    assert ended.outcome == "rolled back"
    assert "ended badly on the new version" in ended.said
    assert "error rise" in ended.said
    assert list(dict.fromkeys(event.percent for event in events)) == [10, 0]
    assert (status.current, status.ramping) == ("1.0", None)
    assert "ended badly" in status.version("2.0").change.reason
    assert await two.end([*ships, *tracks]) == ["1.0"] * 6
    later = await two.begin("Quick", 5, "later")
    assert [await one.result() for one in later] == ["1.0"] * 5
    statuses = Counter([await closed(one) for one in quick[:began_before_the_end]])
    assert set(statuses) == {WorkflowExecutionStatus.COMPLETED, WorkflowExecutionStatus.FAILED}


@pytest.mark.slow
async def test_of_a_release_whose_tasks_hang_no_run_is_lost(two):
    """Such runs do not end and are on no version; only the workers tell. Taken back, they go on with the old one."""
    await two.stop("2.0")
    await two.start("2.0", HANGING)
    ships, tracks = await in_flight(two)
    run, _ = rollout(two, steps=(50, 100))
    async with load(two) as quick:
        ended = await run.run()

    assert ended.outcome == "rolled back"
    assert "workflow tasks ended badly" in ended.said
    async with asyncio.timeout(50):
        assert {await one.result() for one in quick} == {"1.0"}
    assert await two.end([*ships, *tracks]) == ["1.0"] * 6


async def test_runs_in_flight_that_moved_to_a_broken_release_go_on_with_the_old_one(two):
    """They were well when the ramp began; it is their next task that fails."""
    await two.stop("2.0")
    await two.start("2.0", STUCK)
    ships, tracks = await two.begin("Ship", 3, "ship"), await two.begin("Track", 40, "track")
    await two.on("1.0", 43)
    run, _ = rollout(two, steps=(50, 100), bake_s=4)
    task = asyncio.create_task(run.run())
    async with load(two):
        await until_ramping(two, 50)
        for one in tracks:
            await one.signal("go")
        ended = await task
    status = await two.status()

    assert ended.outcome == "rolled back"
    assert "workflow tasks ended badly" in ended.said
    assert (status.current, status.ramping) == ("1.0", None)
    async with asyncio.timeout(50):
        assert [await one.result() for one in tracks] == ["1.0"] * 40
    assert await two.end(ships) == ["1.0"] * 3


async def test_a_release_that_loses_its_workers_is_taken_back(two):
    run, _ = rollout(two, steps=(50, 100))
    task = asyncio.create_task(run.run())
    await until_ramping(two, 50)
    await two.stop("2.0")
    ended = await task

    assert (ended.outcome, (await two.status()).ramping) == ("rolled back", None)
    assert "has lost its workers" in ended.said


@pytest.mark.slow
async def test_a_step_that_cannot_be_judged_is_held_and_gone_on_with(two):
    run, _ = rollout(two, steps=(25, 50), longest_bake_s=1.5)
    held = await run.run()

    assert (held.outcome, held.percent) == ("held", 25)
    assert "0 runs ended on the new version; 4 are needed" in held.said
    assert (await two.status()).percent == 25

    run, events = rollout(two, steps=(10, 25, 60))
    async with load(two):
        ended = await run.run()
    assert (ended.outcome, ended.percent) == ("ramped", 60)
    assert {event.percent for event in events} == {25, 60}


async def test_somebody_elses_change_ends_a_rollout_and_stays(two):
    run, _ = rollout(two, steps=(25, 50))
    task = asyncio.create_task(run.run())
    await until_ramping(two, 25)
    await Operator(two.client, two.name, by="bob@desk").ramp("2.0", 5)

    with pytest.raises(DeploymentConflictError, match=r"bob@desk has changed .* during the rollout .* \(5 %\)"):
        await task
    assert (await two.status()).percent == 5


@pytest.mark.slow
async def test_a_version_is_taken_back_although_the_answer_to_that_is_lost(two, monkeypatch):
    service = two.client.workflow_service
    set_ramp, lost = service.set_worker_deployment_ramping_version, []

    async def losing(request, **more):
        answer = await set_ramp(request, **more)
        if not request.build_id and not lost:
            lost.append(request)
            raise RPCError("connection reset", RPCStatusCode.UNAVAILABLE, b"")
        return answer

    monkeypatch.setattr(service, "set_worker_deployment_ramping_version", losing)
    run, events = rollout(two, steps=(50,), longest_bake_s=40)
    task = asyncio.create_task(run.run())
    await until_ramping(two, 50)
    await two.stop("2.0")
    ended = await task

    status = await two.status()
    assert (len(lost), ended.outcome, status.ramping, status.current) == (1, "rolled back", None, "1.0")
    assert any("It is not taken back yet, the server does not answer" in event.said for event in events)
    change = status.version("2.0").change
    assert (change.action, change.by) == ("rollback", "alice@desk")
    assert "has lost its workers" in change.reason


async def test_a_dry_run_tells_the_steps_and_changes_nothing(two):
    before = (await two.status()).revision
    run, events = rollout(two)
    planned = await run.run(dry_run=True)

    assert planned.outcome == "planned"
    assert [event.percent for event in events] == [10, 50, 100, 100]
    assert (await two.status()).revision == before


async def test_a_rollout_without_workers_or_of_nothing_is_refused(two):
    await two.stop("2.0")
    with pytest.raises(DeploymentRefusedError, match=r"No worker of 2\.0 runs"):
        await rollout(two)[0].run()
    with pytest.raises(ConfigurationError, match="no version '9'"):
        await rollout(two, "9")[0].run()
    assert (await two.status()).ramping is None
    assert (await rollout(two, "1.0")[0].run()).outcome == "promoted"


async def until_ramping(site, percent):
    async def there():
        return (await site.status()).percent == percent

    await until(there)


async def closed(handle):
    """Wait for a run's end, whichever it is."""
    with contextlib.suppress(WorkflowFailureError):
        await asyncio.wait_for(handle.result(), 40)
    return (await handle.describe()).status
