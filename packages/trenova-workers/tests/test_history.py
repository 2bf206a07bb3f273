import logging
import re
import uuid
from contextlib import asynccontextmanager
from functools import partial

import httpx
import pytest
from history_jobs import Noted, Resting
from pydantic import ValidationError
from sample_worker.waiting import eventually_awaited
from temporalio.client import Client, WorkflowFailureError
from temporalio.worker import Replayer, Worker

from trenova_workers import HistoryMonitor, HistoryOptions, MetricsOptions, Work, WorkerOptions
from trenova_workers._tuning._telemetry import make_telemetry
from trenova_workers._workers import Workers

LOGGER = "trenova_workers._history"


class Scraped:
    """A client whose metrics can be read."""

    def __init__(self, client: Client, url: str) -> None:
        self.client = client
        self._url = url

    async def value(self, name: str, **labels: str) -> float | None:
        async with httpx.AsyncClient() as http:
            text = (await http.get(self._url)).text
        for line in text.splitlines():
            found = dict(re.findall(r'(\w+)="([^"]*)"', line))
            if line.startswith(name + "{") and labels.items() <= found.items():
                return float(line.rsplit(" ", 1)[1])
        return None


@pytest.fixture
async def scraped(server):
    telemetry = make_telemetry(WorkerOptions(metrics=MetricsOptions(exporter="prometheus")), {})
    client = await Client.connect(server.address, runtime=telemetry.runtime)
    return Scraped(client, telemetry.metrics)


@asynccontextmanager
async def serving(client, queue, options, *, cached=100):
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[Noted, Resting],
        interceptors=[HistoryMonitor(options)],
        max_cached_workflows=cached,
        max_concurrent_workflow_task_polls=2 if cached else 1,
    )
    async with worker:
        yield


def warnings(caplog):
    return [record for record in caplog.records if record.name == LOGGER]


def a_queue():
    return f"history-{uuid.uuid4().hex[:8]}"


async def noted(handle, text):
    """Signal, and wait until a workflow task of its own has taken it."""
    before = await handle.query(Noted.count)
    await handle.signal(Noted.note, text)
    await eventually_awaited(lambda: _is(handle, before + 1))


async def _is(handle, count):
    return await handle.query(Noted.count) >= count


async def test_the_size_of_a_history_at_its_end_is_measured_by_type_and_outcome(scraped):
    queue = a_queue()
    async with serving(scraped.client, queue, HistoryOptions()):
        for ending in ("completed", "failed", "again"):
            handle = await scraped.client.start_workflow(Noted.run, ending, id=f"{queue}/{ending}", task_queue=queue)
            await handle.signal(Noted.note, "end")
            if ending == "failed":
                with pytest.raises(WorkflowFailureError):
                    await handle.result()
            else:
                following = scraped.client.get_workflow_handle(handle.id)
                if ending == "again":
                    await eventually_awaited(partial(_continued, following, handle.first_execution_run_id))
                    await following.signal(Noted.note, "end")
                await following.result()

        events = "trenova_workers_workflow_history_events"
        common = {"workflow_type": "Noted", "task_queue": queue}

        async def counts():
            outcomes = ("completed", "failed", "continued_as_new")
            found = [await scraped.value(f"{events}_count", outcome=outcome, **common) for outcome in outcomes]
            return found if found == [2, 1, 1] else None

        assert await eventually_awaited(counts)
        assert await scraped.value(f"{events}_sum", outcome="failed", **common) >= 3
        assert await scraped.value("trenova_workers_workflow_history_bytes_sum", outcome="failed", **common) > 100
        assert await scraped.value(f"{events}_bucket", outcome="failed", le="4096", **common) == 1
        assert await scraped.value("trenova_workers_workflow_history_largest_events", **common) == 0


async def _continued(following, first_run_id):
    return (await following.describe()).run_id != first_run_id


async def test_the_largest_open_history_is_a_gauge_that_grows_with_every_workflow_task(scraped):
    queue = a_queue()
    largest = "trenova_workers_workflow_history_largest_events"
    async with serving(scraped.client, queue, HistoryOptions()):
        handle = await scraped.client.start_workflow(Noted.run, "completed", id=queue, task_queue=queue)
        seen = []
        for note in ("one", "two", "three"):
            await noted(handle, note)
            seen.append(await scraped.value(largest, workflow_type="Noted", task_queue=queue))
        assert seen == sorted(set(seen))
        assert await scraped.value(largest.replace("events", "bytes"), workflow_type="Noted", task_queue=queue) > 100
        await handle.signal(Noted.note, "end")
        await handle.result()
        assert await scraped.value(largest, workflow_type="Noted", task_queue=queue) == 0


@pytest.mark.parametrize("cached", [100, 0])
async def test_one_warning_per_run_beyond_the_share_also_where_every_task_replays(client, caplog, cached):
    queue = a_queue()
    options = HistoryOptions(max_events=30, warn_share=0.4)
    with caplog.at_level(logging.WARNING, LOGGER):
        async with serving(client, queue, options, cached=cached):
            handle = await client.start_workflow(Noted.run, "completed", id=queue, task_queue=queue)
            await noted(handle, "first")
            assert warnings(caplog) == []
            for note in map(str, range(8)):
                await noted(handle, note)
            await handle.signal(Noted.note, "end")
            await handle.result()

    [record] = warnings(caplog)
    assert record.levelno == logging.WARNING
    assert (record.workflow_type, record.workflow_id, record.task_queue) == ("Noted", queue, queue)
    assert 12 <= record.history_events < 18
    assert record.share >= 0.4


async def test_the_size_in_bytes_counts_as_well_and_none_never_warns(client, caplog):
    queue = a_queue()
    with caplog.at_level(logging.WARNING, LOGGER):
        for name, share in (("never", None), ("warned", 0.5)):
            async with serving(client, queue, HistoryOptions(max_bytes=20_000, warn_share=share)):
                handle = await client.start_workflow(Noted.run, "completed", id=f"{queue}/{name}", task_queue=queue)
                await noted(handle, "x" * 15_000)
                await noted(handle, "and another task, with which the size is told")
                await handle.signal(Noted.note, "end")
                await handle.result()

    [record] = warnings(caplog)
    assert record.workflow_id == f"{queue}/warned"
    assert record.history_bytes > 10_000


async def test_nothing_is_added_to_a_history(client):
    queue = a_queue()
    async with serving(client, queue, HistoryOptions(max_events=1)):
        handle = await client.start_workflow(Resting.run, id=f"{queue}/watched", task_queue=queue)
        await handle.result()
    async with Worker(client, task_queue=queue, workflows=[Resting]):
        plain = await client.start_workflow(Resting.run, id=f"{queue}/plain", task_queue=queue)
        await plain.result()

    watched, unwatched = await handle.fetch_history(), await plain.fetch_history()
    assert [e.event_type for e in watched.events] == [e.event_type for e in unwatched.events]
    await Replayer(workflows=[Resting]).replay_workflow(watched)
    await Replayer(workflows=[Resting], interceptors=[HistoryMonitor()]).replay_workflow(unwatched)


async def test_every_worker_of_the_runtime_watches_unless_told_not_to(scraped):
    for measure in (True, False):
        queue = a_queue()
        options = WorkerOptions(history=HistoryOptions(measure=measure))
        workers = Workers([(queue, scraped.client)], Work([Resting]), options)
        [worker] = workers.workers
        async with worker:
            await scraped.client.execute_workflow(Resting.run, id=queue, task_queue=queue)
        measured = await scraped.value(
            "trenova_workers_workflow_history_events_count", workflow_type="Resting", task_queue=queue
        )
        assert measured == (1 if measure else None)


@pytest.mark.parametrize("wrong", [{"warn_share": 0}, {"warn_share": 1.5}, {"max_events": 0}, {"share": 0.5}])
def test_options_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValidationError):
        HistoryOptions(**wrong)
