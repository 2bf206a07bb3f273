import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sample_worker._jobs import Sample, nap
from sample_worker.waiting import eventually_awaited
from temporalio.client import Client
from temporalio.worker import Worker

from trenova_workers._fleet._status import QueueStatus, SlotUse, WorkerState, WorkerStatus
from trenova_workers.pool import PoolView, PoolWorker, TemporalObserver, WorkerPhase
from trenova_workers.pool._carried import foreign
from trenova_workers.pool._figures import Figures, KnownSlots, QueueStats, SlotCount, added_up
from trenova_workers.pool._sights import Sight
from trenova_workers.pool._watching import QueueWatch
from trenova_workers.scaling import ScalingPolicy

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
def queue():
    return f"seen-{uuid.uuid4().hex[:8]}"


async def test_a_backlog_that_nobody_works_off_is_read_with_its_age_and_workflows(client, queue):
    for n in range(7):
        await client.start_workflow(Sample.run, args=["sample.nap", 0.0], id=f"{queue}/{n}", task_queue=queue)
    observer = TemporalObserver(client, [queue])
    found = await eventually_awaited(lambda: seen(observer, lambda one: one.backlog == 7 and one.open_workflows == 7))
    assert found.missing == ()
    assert found.backlog_age_s > 0
    assert found.arrival_rate >= 0
    assert not found.rate_limited
    assert abs(found.read_at - datetime.now(UTC)) < timedelta(seconds=30)


async def seen(observer, look):
    figures = await observer.read()
    return figures if look(figures) else None


async def test_a_queue_that_nobody_has_used_is_empty_and_known(client, queue):
    found = await TemporalObserver(client, [queue]).read()
    assert (found.backlog, found.backlog_age_s, found.open_workflows, found.missing) == (0, 0, 0, ())
    assert found.idle


async def test_workers_are_seen_with_their_slots(server, queue):
    client = await Client.connect(server.address, identity="sample-worker@host:7#abcdef12")
    async with Worker(client, task_queue=queue, workflows=[Sample], activities=[nap], max_concurrent_activities=5):
        observer = TemporalObserver(client, [queue])
        found = await eventually_awaited(lambda: seen(observer, lambda one: one.workers))
        (worker,) = found.workers
        assert (worker.service, worker.pid) == ("sample-worker", 7)
        slots = KnownSlots.of(found.workers).by_identity
        assert not slots or slots[worker.identity].total >= 5


async def test_a_server_that_does_not_answer_is_said_and_nothing_is_made_up(own_server, queue):
    (server,) = own_server
    client = await Client.connect(server.address)
    observer = TemporalObserver(client, [queue])
    assert (await observer.read()).missing == ()
    server.kill()
    found = await observer.read()
    assert (found.read_at, found.backlog, found.arrival_rate) == (None, None, None)
    assert len(found.missing) == 3
    assert found.missing[0].startswith("The server does not tell ")


async def test_what_the_server_only_repeats_is_as_old_as_when_it_was_first_said(client, queue):
    times = iter(datetime(2026, 11, 27, 12, 0, second, tzinfo=UTC) for second in range(60))
    observer = TemporalObserver(client, [queue], clock=lambda: next(times))
    observer._open_workflows = lambda: asyncio.sleep(0, 0.0)
    answers = [(5, 1.0), (5, 1.0), (5, 2.0), (0, 0.0), (0, 0.0)]

    async def stats():
        backlog, age = answers.pop(0)
        return [QueueStats(backlog, age, 0.0, 0.0, rate_limited=False)]

    observer._stats = stats
    assert [(await observer.read()).read_at.second for _ in range(5)] == [0, 0, 2, 3, 4]


async def test_figures_that_make_no_sense_are_none(client, queue):
    observer = TemporalObserver(client, [queue])

    async def stats():
        return [QueueStats(-1, float("nan"), 0.0, 0.0, rate_limited=False)]

    observer._stats = stats
    found = await observer.read()
    assert found.backlog is None
    assert "The server's figures about the queues make no sense" in found.missing


def test_queues_are_added_up():
    told = added_up(
        [QueueStats(1, 2.0, 3.0, 4.0, rate_limited=False), QueueStats(10, 1.0, 0.5, 0.5, rate_limited=True)]
    )
    assert told == {
        "backlog": 11,
        "backlog_age_s": 2.0,
        "arrival_rate": 3.5,
        "dispatch_rate": 4.5,
        "rate_limited": True,
    }
    assert Figures(None).idle


def test_a_stranger_counts_from_the_second_reading_on():
    assert foreign(["a", "b"], [], []) == []
    assert foreign(["a", "b"], ["a"], []) == ["a"]
    assert foreign(["a", "b"], ["a", "b"], ["a"]) == ["b"]


def test_slots_are_those_of_the_kind_that_is_scarcest():
    """Where all activities are taken, free slots for workflow tasks are of no use."""
    workers = [heard("a", activities=(5, 0), workflows=(1, 19)), heard("b", activities=(4, 1), workflows=(9, 11))]
    slots = KnownSlots.of(workers)

    assert slots.by_identity == {"a": SlotCount(6, 25), "b": SlotCount(13, 25)}
    assert slots.scarcest(["a", "b"]) == SlotCount(9, 10)
    assert slots.scarcest(["a", "c"]) is None
    assert slots.scarcest([]) is None


def test_slots_that_nobody_counts_are_neither_all_in_use_nor_a_failure():
    """Resizable slots tell what is in use and never what is free: 4 of 4 looked like a pool that is full."""
    busy, idle = heard("a", activities=(4, None), workflows=(0, 20)), heard("b", activities=(0, None))
    slots = KnownSlots.of([busy, idle, heard("c", activities=(0, 0))])

    assert slots.scarcest(["a", "b"]) == SlotCount(4, None)
    assert slots.scarcest(["b"]) == SlotCount(0, None)
    assert slots.scarcest(["c"]) == SlotCount(0, 0)


async def test_a_version_is_judged_by_the_slots_of_its_own_workers():
    """Without them the last worker of a version that has drained never left: what is not known is no idleness."""
    workers = [heard("a", activities=(0, 5)), heard("b", activities=(4, 1))]
    watch = QueueWatch("p", "s", Told(Figures(NOW, workers=workers, at=NOW)), versions=ToldVersions())
    await watch.read((), build="2", there=["1"])

    seen_slots = {}
    for build, identity in (("1", "a"), ("2", "b")):
        told = {"id": identity, "pool": "p", "build": build, "started_at": NOW, "identity": identity}
        worker = PoolWorker(phase=WorkerPhase.RUNNING, **told)
        observation = await watch.observation(
            NOW, watch.sights[build], PoolView([worker]), planned=1, override=None, policy=ScalingPolicy()
        )
        seen_slots[build] = (observation.slots_used, observation.slots)

    assert seen_slots == {"1": (0, 5), "2": (4, 5)}


class Told:
    """An observer that reads what it was told."""

    def __init__(self, figures):
        self.figures = figures

    async def read(self):
        return self.figures


class ToldVersions:
    """Versions without figures about workers, as the real ones are."""

    async def read(self, *, build, there):
        return {one: Sight(one, figures=Figures(NOW, 0.0, 0.0, 0.0, 0.0)) for one in (*there, build)}, ()


def heard(identity, **kinds):
    slots = {
        kind: SlotUse(used=used, available=free or 0, supplier="Fixed" if free is not None else "Custom")
        for kind, (used, free) in kinds.items()
    }
    queue = QueueStatus(queue="q", state=WorkerState.RUNNING, seen_s=1, slots=slots)
    return WorkerStatus(identity=identity, state=WorkerState.RUNNING, queues=(queue,), heartbeats=True, seen_s=1)
