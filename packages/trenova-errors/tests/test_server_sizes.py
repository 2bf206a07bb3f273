"""What is too large, on a real server: it ends as ``payload_too_large``, and nothing hangs or is terminated."""

import asyncio
import dataclasses
import uuid
from contextlib import asynccontextmanager

import pytest
from size_scenarios import ACTIVITIES, WORKFLOWS, Sizes, attempts
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.converter import DataConverter, ExternalStorage, StorageDriver, StorageDriverClaim
from temporalio.exceptions import ActivityError
from temporalio.worker import Replayer, Worker

from trenova_errors import ErrorsPlugin, PayloadLimits, PayloadTooLargeError, from_failure

# What the server does is the same for every Python.
pytestmark = pytest.mark.integration

LIMIT = 20
LARGE = 2_100_000
MIB = 1024 * 1024


class Bench:
    def __init__(self, client: Client, plugin: ErrorsPlugin) -> None:
        self.client, self.plugin, self.queue = client, plugin, f"q-{uuid.uuid4()}"
        self.worker = Worker(client, task_queue=self.queue, workflows=WORKFLOWS, activities=ACTIVITIES)

    async def start(self, how, size=LARGE, times=1):
        name = f"w-{uuid.uuid4()}"
        return await self.client.start_workflow(Sizes.run, args=[how, size, times], id=name, task_queue=self.queue)

    async def refused(self, how, size=LARGE, times=1):
        handle = await self.start(how, size, times)
        with pytest.raises(WorkflowFailureError) as caught:
            await asyncio.wait_for(handle.result(), LIMIT)
        error = from_failure(caught.value)
        assert isinstance(error, PayloadTooLargeError), error
        return handle, error, caught.value.cause

    async def done(self, how, size=LARGE, times=1):
        handle = await self.start(how, size, times)
        return handle, await asyncio.wait_for(handle.result(), LIMIT)


@asynccontextmanager
async def _bench(server, plugin=None, **options):
    plugin = plugin or ErrorsPlugin()
    bench = Bench(await Client.connect(server, plugins=[plugin], **options), plugin)
    async with bench.worker:
        yield bench


@pytest.fixture
async def bench(server):
    async with _bench(server) as bench:
        yield bench


@pytest.mark.parametrize("how", ["argument", "child", "signal", "result", "local_answer"])
async def test_what_would_fail_every_workflow_task_ends_the_run_and_names_the_sizes(bench, how):
    handle, error, _ = await bench.refused(how)

    assert error.facts["size"] > LARGE
    assert error.facts["limit"] in (2 * MIB, 2 * MIB - 1024)
    assert f"{error.facts['limit']:,} is the limit" in error.message
    assert not await _failed_tasks(handle)


async def test_the_result_of_an_activity_is_refused_at_its_first_attempt(bench):
    handle, error, cause = await bench.refused("answer")

    assert isinstance(cause, ActivityError)
    assert (error.facts["limit"], attempts.count(handle.id)) == (2 * MIB, 1)


async def test_what_fits_by_a_byte_is_sent(bench):
    _, length = await bench.done("argument", 2 * MIB - 34)
    assert length == 2 * MIB - 34

    await bench.refused("argument", 2 * MIB - 33)


async def test_what_would_have_the_run_terminated_fails_it_instead(bench):
    _, error, _ = await bench.refused("argument", 1_000_000, 5)
    assert "would bring the workflow task to" in error.message

    _, error, _ = await bench.refused("local_answer", 500_000, 10)
    assert error.facts["limit"] < 4 * MIB


async def test_the_same_amount_in_several_workflow_tasks_is_sent(bench):
    assert (await bench.done("one_by_one", 1_000_000, 5))[1] == 5_000_000


async def test_many_small_commands_in_one_workflow_task_are_sent(bench):
    assert (await bench.done("argument", 380_000, 10))[1] == 3_800_000


async def test_the_argument_of_a_local_activity_goes_nowhere_and_may_be_large(bench):
    assert (await bench.done("local_argument"))[1] == LARGE


async def test_an_update_whose_result_is_too_large_fails_and_the_run_goes_on(bench):
    handle = await bench.start("wait", 1)

    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await asyncio.wait_for(handle.execute_update(Sizes.text, LARGE), LIMIT)

    assert isinstance(from_failure(caught.value), PayloadTooLargeError)
    await handle.signal(Sizes.finish)
    await asyncio.wait_for(handle.result(), LIMIT)


async def test_the_decision_stands_in_the_history_so_that_other_limits_replay_the_same(bench):
    handle, code = await bench.done("caught")
    sent, _ = await bench.done("argument", 2 * MIB - 34)

    assert code == "payload_too_large"
    for limits in (
        PayloadLimits(),
        PayloadLimits(payload=1000, task=2000),
        PayloadLimits(payload=9 * MIB, task=9 * MIB),
        None,
    ):
        replayer = Replayer(workflows=WORKFLOWS, plugins=[ErrorsPlugin(limits=limits)])
        await replayer.replay_workflow(await handle.fetch_history())
        await replayer.replay_workflow(await sent.fetch_history())


async def test_a_history_from_before_the_check_replays(server):
    async with _bench(server, ErrorsPlugin(limits=None)) as old:
        handle, _ = await old.done("argument", 1_500_000)

    replayer = Replayer(workflows=WORKFLOWS, plugins=[ErrorsPlugin(limits=PayloadLimits(payload=MIB, task=MIB))])
    await replayer.replay_workflow(await handle.fetch_history())


class Memory(StorageDriver):
    def __init__(self) -> None:
        self.kept = {}

    def name(self):
        return "memory"

    async def store(self, context, payloads):
        claims = []
        for payload in payloads:
            key = str(len(self.kept))
            self.kept[key] = payload
            claims.append(StorageDriverClaim(claim_data={"key": key}))
        return claims

    async def retrieve(self, context, claims):
        return [self.kept[claim.claim_data["key"]] for claim in claims]


async def test_what_external_storage_takes_is_sent(server):
    converter = dataclasses.replace(DataConverter.default, external_storage=ExternalStorage(drivers=[Memory()]))
    async with _bench(server, data_converter=converter) as bench:
        assert (await bench.done("argument", 3_000_000, 3))[1] == 9_000_000
        assert (await bench.done("answer", 3_000_000))[1] == 3_000_000


async def _failed_tasks(handle):
    failed = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
    return [event async for event in handle.fetch_history_events() if event.event_type == failed]
