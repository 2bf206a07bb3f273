import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sample_worker._jobs import Sample, nap
from sample_worker.waiting import eventually_awaited
from temporalio.client import Client
from temporalio.worker import Worker

from trenova_workers._fleet._status import QueueStatus, SlotUse, WorkerState, WorkerStatus
from trenova_workers.pool import TemporalObserver
from trenova_workers.pool._carried import foreign
from trenova_workers.pool._figures import Figures, KnownSlots, QueueStats, SlotCount, added_up


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


def heard(identity, **kinds):
    slots = {kind: SlotUse(used=used, available=free) for kind, (used, free) in kinds.items()}
    queue = QueueStatus(queue="q", state=WorkerState.RUNNING, seen_s=1, slots=slots)
    return WorkerStatus(identity=identity, state=WorkerState.RUNNING, queues=(queue,), heartbeats=True, seen_s=1)
