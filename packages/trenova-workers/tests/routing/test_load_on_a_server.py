"""One of two equivalent queues becomes ten times slower, on a real server."""

import asyncio
import time
import uuid
from contextlib import AsyncExitStack

import pytest
from ordered_jobs import SECONDS, Job, Ordered
from temporalio.client import Client
from temporalio.worker import PollerBehaviorSimpleMaximum, UnsandboxedWorkflowRunner, Worker

from trenova_workers.routing import Router, RoutingPlugin, RoutingRules

PERIOD_S = 5.0
PER_SECOND = 5
FAST_S, SLOW_S = 0.1, 1.0
BEFORE, AFTER = 3, 14
"""Periods before one is slowed, and after."""


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_starts_leave_a_queue_slowed_tenfold_within_three_periods_and_stay_away(fair_server):
    name = f"l-{uuid.uuid4().hex[:8]}"
    steady, slowed = f"{name}-steady", f"{name}-slowed"
    rules = {"groups": {"pair": [steady, slowed]}, "default": {"group": "pair"}}
    plain = await Client.connect(fair_server.address)
    client = await Client.connect(
        fair_server.address, plugins=[RoutingPlugin(Router(RoutingRules.model_validate(rules)))]
    )
    async with AsyncExitStack() as stack:
        for queue in (steady, slowed):
            SECONDS[queue] = FAST_S
            await stack.enter_async_context(
                Worker(
                    plain,
                    task_queue=queue,
                    workflows=[Ordered],
                    workflow_runner=UnsandboxedWorkflowRunner(),
                    max_cached_workflows=0,
                    max_concurrent_workflow_tasks=1,
                    workflow_task_poller_behavior=PollerBehaviorSimpleMaximum(1),
                )
            )
        shares = []
        handles = []
        for period in range(BEFORE + AFTER):
            if period == BEFORE:
                SECONDS[slowed] = SLOW_S
            started = await one_period(client, name, period)
            handles += started
            queues = [(await handle.describe()).task_queue for handle in started[::2]]
            shares.append(queues.count(slowed) / len(queues))
        SECONDS[slowed] = FAST_S
        await asyncio.gather(*(handle.result() for handle in handles))

    assert 0.2 < sum(shares[:BEFORE]) / BEFORE < 0.8
    after = shares[BEFORE:]
    assert min(after[1:4]) < 0.25, shares
    settled = after[3:]
    of_three = [sum(settled[begin : begin + 3]) / 3 for begin in range(len(settled) - 2)]
    assert max(of_three) < 0.45, shares
    assert sum(settled) / len(settled) < 0.35, shares


async def one_period(client, name, period):
    """Start work at a steady rate for one period."""
    began = time.monotonic()
    started = []
    for number in range(round(PERIOD_S * PER_SECOND)):
        await asyncio.sleep(max(0.0, began + number / PER_SECOND - time.monotonic()))
        workflow_id = f"{name}/{period}/{number}"
        started.append(await client.start_workflow("Ordered", Job("o", "normal"), id=workflow_id, task_queue="any"))
    await asyncio.sleep(max(0.0, began + PERIOD_S - time.monotonic()))
    return started
