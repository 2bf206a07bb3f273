"""A backlog of mixed work of two organizations, through the router, on a real server."""

import asyncio
import statistics
import uuid

import pytest
from ordered_jobs import RAN, Job, Ordered
from temporalio.client import Client
from temporalio.worker import PollerBehaviorSimpleMaximum, UnsandboxedWorkflowRunner, Worker

from trenova_workers.routing import Router, RoutingPlugin, RoutingRules

RULES = RoutingRules.model_validate({"weights": {"small": 4}})


def mix(count):
    """Every eleventh job is of the small organization, every third may wait."""
    return [Job("small" if n % 11 == 0 else "big", "bulk" if n // 11 % 3 == 2 else "critical") for n in range(count)]


async def run_backlog(server, jobs):
    """Start all jobs on a queue that nobody polls, then let one worker do them; their numbers in the order they ran."""
    client = await Client.connect(server.address, plugins=[RoutingPlugin(Router(RULES))])
    queue = f"p-{uuid.uuid4().hex[:8]}"
    slots = asyncio.Semaphore(40)
    RAN.clear()

    async def start(number, job):
        async with slots:
            return await client.start_workflow("Ordered", job, id=f"{queue}/{number}", task_queue=queue)

    async def result(handle):
        async with slots:
            return await handle.result()

    handles = await asyncio.gather(*(start(number, job) for number, job in enumerate(jobs)))
    async with Worker(
        client,
        task_queue=queue,
        workflows=[Ordered],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=0,
        max_concurrent_workflow_tasks=1,
        workflow_task_poller_behavior=PollerBehaviorSimpleMaximum(1),
    ):
        results = await asyncio.gather(*(result(handle) for handle in handles))
    assert results == [job.organization_id for job in jobs]
    ids = [workflow_id for workflow_id, _ in RAN]
    assert sorted(ids) == sorted(f"{queue}/{number}" for number in range(len(jobs))), "each ran once"
    return [int(workflow_id.rpartition("/")[2]) for workflow_id in ids]


async def check(server, count, *, near, times):
    """Compare the order of a backlog with what it has to be. A wait is counted in the runs that went before.

    Seconds would compare the machine of one minute with that of the next.
    """
    jobs = mix(count)
    order = await run_backlog(server, jobs)
    position = {number: place for place, number in enumerate(order)}

    def mean(urgency):
        return statistics.mean(position[number] for number, job in enumerate(jobs) if job.urgency == urgency)

    urgent = sum(job.urgency == "critical" for job in jobs)
    assert mean("critical") < (1 + near) * urgent / 2
    assert mean("bulk") > (1 - near) * (urgent + (count - urgent) / 2)

    small = [number for number, job in enumerate(jobs) if job.organization_id == "small"]
    among_all = statistics.median(position[number] for number in small)
    alone = statistics.median(range(len(small)))
    assert among_all <= times * alone


# So many, as the server balances in each of its four partitions and reads them in pages: of five hundred, the small
# organization's middle job came anywhere between its own turn and the end of all urgent ones.
@pytest.mark.slow
@pytest.mark.integration
@pytest.mark.timeout(300)
async def test_two_thousand_runs_keep_their_order_and_a_small_organization_waits_no_more_than_twice_its_own(
    fair_server,
):
    await check(fair_server, 2000, near=0.15, times=2)
