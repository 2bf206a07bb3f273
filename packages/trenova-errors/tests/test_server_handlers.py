"""Handlers of every form on a real server: what does not fit is refused or dropped, and the run goes on."""

import asyncio
import logging
import uuid

import pytest
from errors_scenarios import Inbox, TakesAnything
from temporalio.client import WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.worker import Replayer, Worker

from trenova_errors import ErrorsPlugin

pytestmark = pytest.mark.integration

LIMIT = 20
WORKFLOWS = [Inbox, TakesAnything]


@pytest.fixture
async def start(client):
    queue = f"q-{uuid.uuid4()}"

    async def started(run):
        return await client.start_workflow(run, id=f"w-{uuid.uuid4()}", task_queue=queue)

    async with Worker(client, task_queue=queue, workflows=WORKFLOWS):
        yield started


async def _refused(handle, update, *args):
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await asyncio.wait_for(handle.execute_update(update, args=args), LIMIT)
    error = caught.value.cause
    assert isinstance(error, ApplicationError)
    assert error.type == "invalid_input"
    return error.message


async def _finish(handle):
    await handle.signal(Inbox.finish)
    counts = await asyncio.wait_for(handle.result(), LIMIT)
    await Replayer(workflows=WORKFLOWS, plugins=[ErrorsPlugin()]).replay_workflow(await handle.fetch_history())
    return counts


GOOD = {"orderCount": 3}
BAD = {"orderCount": 500}


async def test_an_async_update_with_too_few_or_too_many_arguments_is_refused(start):
    inbox = await start(Inbox.run)

    assert "takes 1 argument (order), got 0" in await _refused(inbox, "add_async")
    assert "takes 1 argument (order), got 2" in await _refused(inbox, "add_async", GOOD, 1)
    assert "takes 1 to 2 arguments (order, times), got 0" in await _refused(inbox, "add_async_times")
    assert "takes 1 to 2 arguments (order, times), got 3" in await _refused(inbox, "add_async_times", GOOD, 1, 2)
    assert await asyncio.wait_for(inbox.execute_update("add_async", GOOD), LIMIT) == 1
    assert await _finish(inbox) == [3]


async def test_an_async_signal_with_too_few_or_too_many_arguments_is_dropped(start, caplog):
    inbox = await start(Inbox.run)

    with caplog.at_level(logging.WARNING):
        await inbox.signal("put_async")
        await inbox.signal("put_async", args=[GOOD, 1])
        await inbox.signal("put_async", GOOD)
        assert await _finish(inbox) == [3]

    assert "takes 1 argument (order), got 0" in caplog.text
    assert "takes 1 argument (order), got 2" in caplog.text


@pytest.mark.parametrize("form", ["times", "async_times"])
async def test_where_a_handler_leaves_out_a_default_the_others_are_checked(start, caplog, form):
    inbox = await start(Inbox.run)

    assert "orderCount: Input should be less than" in await _refused(inbox, f"add_{form}", BAD)
    with caplog.at_level(logging.WARNING):
        await inbox.signal(f"put_{form}", BAD)
        await inbox.signal(f"put_{form}", GOOD)
        assert await asyncio.wait_for(inbox.execute_update(f"add_{form}", GOOD), LIMIT) == 2
        assert await _finish(inbox) == [3, 3]

    assert "orderCount: Input should be less than" in caplog.text


async def test_a_handler_that_the_run_has_set_itself_is_checked_as_it_is(start):
    inbox = await start(Inbox.run)
    await inbox.signal(Inbox.set_handlers)

    assert "takes 1 to 2 arguments (order, times), got 0" in await _refused(inbox, "add_async")
    assert "orderCount: Input should be less than" in await _refused(inbox, "add_async", BAD)
    await inbox.signal("put_async")
    await inbox.signal("put_async", GOOD)
    assert await asyncio.wait_for(inbox.execute_update("add_async", args=[GOOD, 2]), LIMIT) == 2
    assert await _finish(inbox) == [30, 60]


async def test_dynamic_handlers_take_any_number(start):
    handle = await start(TakesAnything.run)

    assert [await handle.execute_update("any", args=[1] * count) for count in (0, 2)] == [0, 2]
    assert [await handle.query("any", args=[1] * count) for count in (0, 2)] == [0, 2]
    for name, args in [("none", []), ("two", [1, 2]), ("end", [])]:
        await handle.signal(name, args=args)
    assert await asyncio.wait_for(handle.result(), LIMIT) == ["none 0", "two 2", "end"]


async def test_a_query_with_too_many_arguments_is_refused(start):
    inbox = await start(Inbox.run)

    with pytest.raises(WorkflowQueryFailedError, match=r"takes 1 argument \(at\), got 2"):
        await asyncio.wait_for(inbox.query("count", args=[0, 1]), LIMIT)
    await _finish(inbox)
