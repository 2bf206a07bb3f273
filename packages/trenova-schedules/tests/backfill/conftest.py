"""A dev server, a schedule in the past of today, and a worker that backfills it and runs its runs."""

import sys
import sysconfig
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
)
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from trenova_errors import ErrorsPlugin
from trenova_schedules.backfill import BackfillActivities, BackfillRequest, BackfillScheduleWorkflow

sys.path.insert(0, str(Path(__file__).parent))

from backfill_runs import NumberWorkflow


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address() -> AsyncIterator[str]:
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(binary), dev_server_log_level="error"
    ) as environment:
        yield environment.client.service_client.config.target_host


@pytest.fixture
async def client(address) -> Client:
    return await Client.connect(address, plugins=[ErrorsPlugin()], identity="tests")


@pytest.fixture
def queue() -> str:
    return f"queue-{uuid.uuid4().hex}"


@pytest.fixture
async def worker(client, queue) -> AbstractAsyncContextManager[Worker]:
    return Worker(
        client,
        task_queue=queue,
        workflows=[BackfillScheduleWorkflow, NumberWorkflow],
        activities=BackfillActivities(client).all,
    )


@pytest.fixture
def hours_ago() -> Callable[[float], datetime]:
    """Whole hours before the present one, the same for the length of a test."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return lambda hours: now - timedelta(hours=hours)


@pytest.fixture
def make(client, queue) -> Callable[..., object]:
    """Create a paused schedule that fires every minute, unless it is told otherwise."""

    async def create(schedule_id: str | None = None, **changes) -> ScheduleHandle:
        schedule_id = schedule_id or f"every-minute-{uuid.uuid4().hex[:8]}"
        action = {"id": schedule_id, "task_queue": queue, "args": [changes.pop("arg", "done")]}
        schedule = {
            "action": ScheduleActionStartWorkflow("NumberWorkflow", **{**action, **changes.pop("action", {})}),
            "spec": ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(minutes=1))]),
            "policy": SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL),
            "state": ScheduleState(paused=True),
        }
        return await client.create_schedule(schedule_id, Schedule(**{**schedule, **changes}))

    return create


@pytest.fixture
def ask(hours_ago) -> Callable[..., BackfillRequest]:
    """Make a request for ten minutes, two hours ago."""

    def request(schedule_id: str, **changes) -> BackfillRequest:
        asked = {
            "schedule_id": schedule_id,
            "start_at": hours_ago(2),
            "end_at": hours_ago(2) + timedelta(minutes=10),
            "rate_per_second": 0.0,
            "reason": "The server was down",
            "by": "ana",
        }
        return BackfillRequest(**{**asked, **changes})

    return request
