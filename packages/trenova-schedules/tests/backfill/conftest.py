"""A dev server of one test module, and what each of its tests needs of it."""

import sys
import sysconfig
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from trenova_errors import ErrorsPlugin

sys.path.insert(0, str(Path(__file__).parent))

from backfill_site import Site


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address() -> AsyncIterator[str]:
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(binary), dev_server_log_level="error"
    ) as environment:
        yield environment.client.service_client.config.target_host


@pytest.fixture
async def site(address) -> Site:
    return Site(await Client.connect(address, plugins=[ErrorsPlugin()], identity="tests"))
