import sysconfig
from datetime import timedelta
from pathlib import Path

import pytest
from backfill_site import Site
from temporalio.client import ScheduleIntervalSpec, ScheduleSpec
from temporalio.testing import WorkflowEnvironment

from trenova_errors import ErrorsPlugin
from trenova_schedules.backfill import preview_backfill

CHASM = [
    word
    for key, value in (
        ("history.enableChasm", "true"),
        ("history.enableCHASMSchedulerCreation", "true"),
        ("history.enableCHASMSchedulerRouting", "true"),
        ("history.chasmSchedulerCreationRolloutPercent", "100"),
    )
    for word in ("--dynamic-config-value", f"{key}={value}")
]


@pytest.fixture
async def chasm():
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(binary),
        dev_server_log_level="error",
        dev_server_extra_args=CHASM,
        plugins=[ErrorsPlugin()],
    ) as environment:
        yield Site(environment.client)


async def test_the_other_scheduler_of_the_server_is_backfilled_alike(chasm):
    spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(minutes=1))], jitter=timedelta(seconds=50))
    schedule = await chasm.make(spec=spec)
    preview = await preview_backfill(chasm.client, chasm.ask(schedule))
    async with chasm.worker():
        result = await chasm.backfilled(schedule, digest=preview.digest)
        found = await chasm.runs_of(schedule)

    assert result.done
    assert found == chasm.each_minute(10)
