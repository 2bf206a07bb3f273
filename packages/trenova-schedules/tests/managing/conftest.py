import sysconfig
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from trenova_schedules import ScheduleDefinition

BINARY = str(Path(sysconfig.get_path("scripts")) / "temporal")
CHASM = [
    part
    for key in (
        "history.enableChasm=true",
        "history.enableCHASMSchedulerCreation=true",
        "history.enableCHASMSchedulerRouting=true",
        "history.chasmSchedulerCreationRolloutPercent=100",
    )
    for part in ("--dynamic-config-value", key)
]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client of a server of this test's own, with the default scheduler."""
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=BINARY, dev_server_log_level="error"
    ) as environment:
        yield environment.client


@pytest.fixture
async def chasm_client() -> AsyncIterator[Client]:
    """The same with the CHASM scheduler."""
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=BINARY, dev_server_log_level="error", dev_server_extra_args=CHASM
    ) as environment:
        yield environment.client


@pytest.fixture
def definition():
    """Make the definition of a schedule ``purge``, with some fields changed."""

    def define(**changes):
        fields = {
            "id": "purge",
            "workflow": "W",
            "task_queue": "q",
            "catchup_window": timedelta(hours=1),
            "owner": "system-worker",
            "cron": "30 2 * * *",
        }
        return ScheduleDefinition.model_validate({**fields, **changes})

    return define
